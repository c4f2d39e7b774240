import "no_such_module"
rule other { condition: true }
