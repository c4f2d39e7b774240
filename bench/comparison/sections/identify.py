"""MIME types by content, beside file(1)."""
import collections
import subprocess

from ..contest import Contest, Ratio
from ..corpus import spread, total
from ..measure import Program, xargs_list
from ..stoq import FINISHED

PER_CALL = 512
EXAMPLES = 10  # files named for each pair of types that differ
BYTES = 256 << 20


def types_by_file(bench, files):
    """Type by path, as file says it; side by side over parts, each with an output of its own."""
    runs = []
    for number in range(bench.threads):
        listing, output = bench.corpus.write_list(files[number::bench.threads]), bench.work / f"types{number}"
        with open(output, "wb") as out:
            runs.append((output, subprocess.Popen(["xargs", "-0", "-a", str(listing), "-n", str(PER_CALL), "file", "-00", "--mime-type"],
                                                  cwd=bench.corpus.root, stdout=out)))
    types = {}
    for output, process in runs:
        if process.wait() != 0:
            raise RuntimeError(f"file ended with {process.returncode}")
        words = output.read_bytes().split(b"\0")
        types.update(zip((word.decode("utf-8", "surrogateescape") for word in words[0::2]), (word.decode() for word in words[1::2])))
    return types


def compare(bench, files):
    theirs, pairs, examples, equal = types_by_file(bench, files), collections.Counter(), collections.defaultdict(list), 0
    ours = {record["file"]["path"]: record["file"].get("mime_type", "(none)") for record in bench.stoq.read("mimetype")
            if record["stoq"]["depth"] == 0}
    for path, _ in files:
        pair = (theirs[path], ours[path])
        if pair[0] == pair[1]:
            equal += 1
            continue
        pairs[pair] += 1
        if len(examples[pair]) < EXAMPLES:
            examples[pair].append(path)
    return {"files": len(files), "equal": equal, "equal_share": equal / len(files),
            "differing": [{"file": pair[0], "stoq": pair[1], "files": number, "examples": examples[pair]}
                          for pair, number in pairs.most_common()]}


def contests(bench):
    """stoq -w mimetype beside file -b --mime-type over all folders, answers compared"""
    bench.need("file")
    files = spread(bench.corpus.files(*bench.corpus.there()), BYTES)
    count, listing = bench.threads, bench.corpus.write_list(files)
    ours, theirs = f"stoq -j{count}", f"xargs -P{count} file"
    programs = [
        Program(ours, [bench.stoq.scan("mimetype", ["--files-from", str(listing)], "-w", "mimetype", "--max-depth", "0")],
                "type of each file, opens nothing (--max-depth 0); also SHA-256, dispatch rules, and a JSON record each to a file", accept=FINISHED),
        Program(theirs, [xargs_list(listing, count, PER_CALL, "file", "-b", "--mime-type")],
                f"type of each file, a line each; {PER_CALL} files a call; reads the first MiB of each at most", rounds=3)]
    facts = {}

    def check():
        facts.update(compare(bench, files))
        return facts

    def conclude(_results):
        return [{"claim": "types equal to file's, per cent", "value": 100 * facts["equal_share"], "asked": 99}]

    yield Contest("mimetype", "MIME types, all folders", len(files), total(files), programs, [Ratio(ours, theirs, asked=5)], check,
                  conclude)
