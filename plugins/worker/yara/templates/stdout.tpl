{% for result in results.results %}
{% for match in (result.scan or {}).matches or [] %}
{{ match.rule }}{% if match.tags %} [{{ match.tags | join(", ") }}]{% endif %}  {{ results.results[0].path }}{% if result.payload_id %} > {{ result.filename or "#" ~ result.payload_id }}{% endif %}

{% for string in match.strings or [] %}
    {{ string.id }} at {{ string.offset }}
{% endfor %}
{% endfor %}
{% if result.errors %}
{{ result.status }}  {{ results.results[0].path }}{% if result.payload_id %} > {{ result.filename or "#" ~ result.payload_id }}{% endif %}: {{ result.errors[0].message }}
{% endif %}
{% endfor %}
