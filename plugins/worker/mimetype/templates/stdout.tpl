{% for result in results.results %}
{{ results.results[0].path }}{% if result.payload_id %} > {{ result.filename or "#" ~ result.payload_id }}{% endif %}: {{ result.scan.file.mime_type if result.scan else result.status }}
{% endfor %}
