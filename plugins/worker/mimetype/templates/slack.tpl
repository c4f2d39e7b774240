*{{ results.results[0].path }}*
{% for result in results.results %}
`{{ result.scan.file.mime_type if result.scan else result.status }}` {{ result.filename or "#" ~ result.payload_id }}
{% endfor %}
