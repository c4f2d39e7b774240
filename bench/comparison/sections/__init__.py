"""The sections of bench/compare, in the order in which they run. Each has a function contests(bench) that yields
what is to be held, and a line on what it is about as its docstring."""
from . import containers, costs, duplicates, hashing, identify, memory, rules, scaling

SECTIONS = {
    "hash-small": hashing.small, "hash-large": hashing.large, "yara-small": rules.small, "yara-large": rules.large,
    "nested": containers.nested, "jars": containers.jars, "mimetype": identify.contests, "default": costs.contests,
    "scaling": scaling.contests, "duplicates": duplicates.contests, "memory": memory.contests,
}
