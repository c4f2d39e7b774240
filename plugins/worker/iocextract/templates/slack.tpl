{% for result in results.results if result.scan %}
*Indicators: {{ result.filename or results.results[0].path }}*
*SHA-256:* {{ result.sha256 }}
{% for kind, found in result.scan.items() if found is sequence and found is not string %}
*{{ kind }}:*
{% for indicator in found %}
`{{ indicator }}`
{% endfor %}
{% endfor %}
{% endfor %}
