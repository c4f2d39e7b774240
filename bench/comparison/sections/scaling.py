"""From one thread to all, and what two runs side by side reach."""
from ..contest import Contest, Ratio
from ..corpus import halves, total
from ..measure import Program
from ..stoq import FINISHED

ASKED, ASKED_OF_TWO = 1.8, 0.95
WORK = {"hash": ("small", ["-w", "none", "--max-depth", "0"], "SHA-256 of small files"),
        "default": ("small", [], "default workers on small files"),
        "nested": ("nested", ["-w", "none", "--max-child-bytes", "4G"], "every leaf of nested containers")}


def contest(bench, name, folder, options, title):
    files = bench.corpus.files(folder)
    stoq = bench.stoq
    parts = [bench.corpus.write_list(half) for half in halves(files)]

    def scan(label, source, threads):
        return stoq.scan(f"scaling-{name}-{label}", source, *options, threads=threads)

    does = " ".join(options) or "default workers"
    programs = [
        Program("stoq -j1", [scan("1", [folder], 1)], does, accept=FINISHED),
        Program("stoq -j2", [scan("2", [folder], 2)], does, accept=FINISHED),
        Program("2 x stoq -j1", [scan(f"half{number}", ["--files-from", str(part)], 1) for number, part in enumerate(parts)],
                does + "; two runs side by side, each over half of the bytes: what the machine has to give", accept=FINISHED)]
    ratios = [Ratio("stoq -j2", "stoq -j1"), Ratio("2 x stoq -j1", "stoq -j1"), Ratio("stoq -j2", "2 x stoq -j1")]

    def conclude(results):
        one, two, both = (results[program.name]["wall"] for program in programs)
        return [{"claim": f"{title}: 1 to 2 threads (or 0.95 of two runs: {both / two:.2f})", "value": one / two, "asked": ASKED,
                 "verdict": "pass" if one / two >= ASKED or both / two >= ASKED_OF_TWO else "short"}]

    return Contest("scaling", f"1 to 2 threads: {title}", len(files), total(files), programs, ratios, None, conclude)


def contests(bench):
    """stoq -j1, -j2, and two runs side by side over halves"""
    for name, (folder, options, title) in WORK.items():
        yield contest(bench, name, folder, options, title)
