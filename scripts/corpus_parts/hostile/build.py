"""Builds the hostile set, and its truth."""
import hashlib
import json

from ..common import human, say, write_whole
from . import bombs, crowds, cuts, inside, lies, names, nests, overlaps, quines

FAMILIES = {"quines": quines, "nests": nests, "overlaps": overlaps, "bombs": bombs, "crowds": crowds, "lies": lies,
            "names": names, "cuts": cuts}


def build(into, small, with_truth):
    """One folder a family. `small`: as many kinds, but of sizes for a test suite."""
    if with_truth:
        inside.check_tools()
    count = size = 0
    lines = []
    for family, module in FAMILIES.items():
        for made in module.files(small):
            write_whole(into / family / made.name, made.data)
            count, size = count + 1, size + len(made.data)
            if with_truth:
                lines.append(truth_line(family, made))
        say(f"{family}: {count} files, {human(size)} so far")
    if with_truth:
        write_whole(into.with_name(into.name + ".truth.jsonl"), "".join(lines).encode())


def truth_line(family, made):
    """As the truth of other corpora, with what a scanner may say: see Made."""
    line = {"input": f"{family}/{made.name}", "sha256": hashlib.sha256(made.data).hexdigest(), "size": len(made.data),
            "type": inside.kind_of(made.data, made.name) or "file", "status": "verified", "family": family,
            "expect": list(made.expect), "seen": list(made.seen), "most_records": made.most_records}
    for key in ("said", "barred"):
        if getattr(made, key):
            line[key] = getattr(made, key)
    if made.names:
        line["names_hex"] = [name.hex() for name in made.names]
    if made.cuts:
        line["layers"], line["leaves"], line["cuts"] = 1, *_cuts(made)
    else:
        line["layers"], line["leaves"], problems = inside.look_into(made.data, made.name)
        if problems:
            line["problems"] = problems
    return json.dumps(line) + "\n"


def _cuts(made):
    """The prefixes as leaves; from which length on other programs find all of the archive in one; and which they take
    for whole though something is missing (.Z has no end, a tar may end between members)."""
    parts = [part for _, part in inside.members_of("tar", made.data)]
    _, whole, _ = inside.look_into(parts[-1], "whole." + made.cuts)
    expected = {leaf["sha256"] for leaf in whole}
    known_from = next(len(part) for part in parts if inside.kind_of(part, "cut." + made.cuts) and len(part) >= 16)
    whole_from, silent = len(parts[-1]) + 1, []
    for part in reversed(parts):
        _, found, problems = inside.look_into(part, "cut." + made.cuts)
        if problems:
            continue
        if whole_from > len(part) and not silent and {leaf["sha256"] for leaf in found} == expected:
            whole_from = len(part)
        else:
            silent.append(len(part))
    leaves = [{"path": str(len(part)), "sha256": hashlib.sha256(part).hexdigest(), "size": len(part)} for part in parts]
    return leaves, {"type": made.cuts, "known_from": known_from, "whole_from": whole_from, "silent": silent[::-1],
                    "inside": sorted(expected)}

