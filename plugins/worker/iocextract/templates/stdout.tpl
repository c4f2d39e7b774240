{% for result in results.results if result.scan %}
{{ results.results[0].path }}{% if result.payload_id %} > {{ result.filename or "#" ~ result.payload_id }}{% endif %}

{% for kind, found in result.scan.items() if found is sequence and found is not string %}
{% for indicator in found %}
    {{ kind }}: {{ indicator }}
{% endfor %}
{% endfor %}
{% endfor %}
