"""A contest: programs that do the same work, and which of them is to be how much faster than which."""
import dataclasses
import statistics

from . import measure


class Unequal(Exception):
    """The programs did not do the same work, so that no ratio means anything."""


@dataclasses.dataclass
class Ratio:
    """How many times faster `fast` is than `slow`. `asked`: what must be reached, None when nothing is;
    `times`: factor on the ratio where the two work on different amounts."""
    fast: str
    slow: str
    asked: float = None
    aim: float = None
    times: float = 1.0
    of: str = "wall"  # or cpu: which ratio counts


@dataclasses.dataclass
class Contest:
    section: str
    title: str
    files: int
    bytes: int
    programs: list
    ratios: list
    check: object = None     # called after the warm-up; returns facts for the report; raises Unequal
    conclude: object = None  # called with the results; returns claims beside the ratios: claim, value, asked, …
    cwd: object = None       # where it runs; None: in the corpus
    notes: list = dataclasses.field(default_factory=list)


def hold(contest, repeat, machine, work, cwd):
    """Warms up, checks, measures. Returns the contest's part of the report. `cwd`: the corpus."""
    cwd = contest.cwd or cwd
    for program in contest.programs:
        measure.prepare(program, work)
    watched = {program.name: measure.run_watched(program, cwd) for program in contest.programs}
    facts = contest.check() if contest.check else {}
    samples = measure.alternate(contest.programs, repeat, cwd, machine)
    results = {}
    for program in contest.programs:
        result = measure.summarise(samples[program.name], watched[program.name])
        result["files_per_second"] = (program.files or contest.files) / result["wall"]
        result["bytes_per_second"] = (program.bytes or contest.bytes) / result["wall"]
        result["does"] = program.does
        result["commands"] = program.commands
        results[program.name] = result
    claims = contest.conclude(results) if contest.conclude else []
    for claim in claims:
        if claim.get("asked") is not None:
            reached = claim["value"] <= claim["asked"] if claim.get("at_most") else claim["value"] >= claim["asked"]
            claim.setdefault("verdict", "pass" if reached else "short")
    return {"section": contest.section, "title": contest.title, "files": contest.files, "bytes": contest.bytes,
            "programs": results, "ratios": [judge(ratio, results) for ratio in contest.ratios], "claims": claims,
            "facts": facts, "notes": contest.notes}


def judge(ratio, results):
    """Ratio of medians; `low` and `high` are over the rounds that both ran."""
    fast, slow = results[ratio.fast], results[ratio.slow]
    each = [ratio.times * b / a for a, b in zip(fast["walls"], slow["walls"])]
    found = {"fast": ratio.fast, "slow": ratio.slow, "wall": ratio.times * slow["wall"] / fast["wall"],
             "low": min(each), "high": max(each), "cpu": ratio.times * slow["cpu"] / fast["cpu"], "asked": ratio.asked,
             "aim": ratio.aim, "of": ratio.of}
    if ratio.asked is not None:
        found["verdict"] = "pass" if found[ratio.of] >= ratio.asked else "short"
    found["foreign_share"] = statistics.mean((fast["foreign_share"], slow["foreign_share"]))
    return found
