rule fine { condition: true }
rule broken { condition: $missing }
