"""Peak resident memory over 1,000, 30,000 and 1,000,000 files."""
import multiprocessing
import shutil

from ..contest import Contest
from ..measure import Program
from ..stoq import FINISHED

COUNTS = (1000, 30_000, 1_000_000)
PER_FOLDER = 1000
FLAT = 10  # per cent


def make_folder(task):
    """1,000 tiny files, no two alike: equal ones would be scanned once."""
    root, number = task
    folder = root / f"{number:04}"
    folder.mkdir(parents=True)
    for index in range(number * PER_FOLDER, (number + 1) * PER_FOLDER):
        (folder / f"{index:07}.txt").write_bytes(b"file %d of a corpus of tiny files\n" % index)


def contests(bench):
    """stoq -w none over folders of 1,000, 30,000 and 1,000,000 tiny files, made for it"""
    root = bench.work / "tiny"
    tasks = []
    for count in COUNTS:
        tasks += [(root / str(count), number) for number in range(count // PER_FOLDER)]
    needed = sum(COUNTS) * 5000
    if shutil.disk_usage(bench.work).free < needed:
        bench.skip("memory", f"{bench.work} has less than {needed >> 20} MiB free: choose another --work")
        return
    with multiprocessing.Pool() as pool:
        pool.map(make_folder, tasks, chunksize=8)
    programs = [Program(f"stoq, {count:,} files", [bench.stoq.scan(f"tiny{count}", [str(count)], "-w", "none")],
                        "SHA-256, dispatch rules, a JSON record each to a file", accept=FINISHED,
                        files=count, rounds=1 if count == max(COUNTS) else 0) for count in COUNTS]

    def conclude(results):
        peaks = [results[program.name]["rss_largest_process"] for program in programs]
        grown = 100 * (max(peaks) / min(peaks) - 1)
        return [{"claim": "largest peak RSS above the smallest, per cent", "value": grown, "asked": FLAT, "at_most": True,
                 "peaks": dict(zip((str(count) for count in COUNTS), peaks))}]

    yield Contest("memory", "peak RSS by number of files", sum(COUNTS), 0, programs, [], None, conclude,
                  cwd=root)
    shutil.rmtree(root)
