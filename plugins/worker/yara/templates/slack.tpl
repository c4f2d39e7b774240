{% for result in results.results %}
{% if result.scan and result.scan.matches %}
*YARA: {{ result.filename or results.results[0].path }}*
*SHA-256:* {{ result.sha256 }}
{% for match in result.scan.matches %}
*Rule:* {{ match.rule }}{% if match.tags %} ({{ match.tags | join(", ") }}){% endif %}

{% endfor %}
{% endif %}
{% endfor %}
