"""YARA rules over files as they are."""
import os
import pathlib

from ..contest import Contest, Ratio, Unequal
from ..corpus import Missing, total
from ..measure import Program
from ..stoq import FINISHED


def rule_files(path):
    path = pathlib.Path(path)
    files = sorted(path.rglob("*.yar")) if path.is_dir() else [path] if path.is_file() else []
    if not files:
        raise Missing(f"no YARA rules at {path}")
    return files


def yara_matches(path):
    """(file, rule) pairs as yara prints them."""
    with open(path, "rb") as file:
        pairs = (line.rstrip(b"\n").split(b" ", 1) for line in file)
        return {(os.fsdecode(name), rule.decode()) for rule, name in pairs}


def stoq_matches(stoq, name):
    return {(record["file"]["path"], match["rule"]) for record in stoq.read(name) if record["stoq"]["depth"] == 0
            for match in record["stoq"].get("workers", {}).get("yara", {}).get("matches", [])}


def compare(stoq, name, other):
    ours, theirs = stoq_matches(stoq, name), yara_matches(other)
    if ours != theirs:
        example = sorted(ours ^ theirs)[:5]
        raise Unequal(f"{len(ours - theirs)} matches only by stoq, {len(theirs - ours)} only by yara, such as {example}")
    if not ours:
        raise Unequal("no rule matches anything, so that equal matches say nothing")
    return {"equal_matches": len(ours), "files_with_matches": len({name for name, _ in ours})}


def contest(bench, section, folder, asked, aim):
    bench.need("yara")
    files, rules = bench.corpus.files(folder), rule_files(bench.rules)
    stoq, count = bench.stoq, bench.threads
    options = ["-w", "yara", "--max-depth", "0"]
    for path in rules:
        options += ["--rules", str(path)]
    ours, theirs = f"stoq -j{count}", f"yara -r -p{count}"
    programs = [
        Program(ours, [stoq.scan(section, [folder], *options)], "rules on each file, opens nothing (--max-depth 0); also "
                "SHA-256, dispatch rules, and a JSON record each with every match's strings and offsets, to a file", accept=FINISHED),
        Program(theirs, [["yara", "-r", "-p", str(count), *(f"{path.stem}:{path}" for path in rules), folder]],
                "rules on each file; a line of rule and file for each match, to a file")]
    yield Contest(section, f"YARA rules of {pathlib.Path(bench.rules).name} on {folder} files", len(files), total(files),
                  programs, [Ratio(ours, theirs, asked=asked, aim=aim)],
                  lambda: compare(stoq, section, programs[1].outputs[0]))


def small(bench):
    """stoq -w yara beside yara -r -p on small files, with equal matches"""
    return contest(bench, "yara-small", "small", 3, None)


def large(bench):
    """stoq -w yara beside yara -r -p on large files, with equal matches"""
    return contest(bench, "yara-large", "large", 1, 1.2)
