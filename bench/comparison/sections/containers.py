"""What is packed: SHA-256 of every leaf at every depth, beside programs that open archives."""
import collections
import hashlib
import pathlib
import sys

from ..contest import Contest, Ratio, Unequal
from ..corpus import spread, total
from ..measure import Program, shell, xargs_list
from ..stoq import FINISHED, XARGS_FINISHED

# a kernel's sources are a tar of more than the 256 MiB that one member may have by default: without more, less is done
LIMITS = ["-w", "none", "--max-child-bytes", "4G", "--max-depth", "24"]
OURS = ("opens every layer (--max-depth 24, --max-child-bytes 4G, else the largest is cut), hashes every payload (SHA-256), writes a "
        "JSON record each to a file")
BSDTAR = ("opens the outermost archive of each file (bsdtar -xOf) into one sha256sum a file: one level, one digest a file, and "
          "none where it does not know the format")
EVERY_LAYER = ("a script over bsdtar that does what stoq does: extracts each layer to a folder, hashes all that came out (sha256sum), looks "
               "for what bsdtar opens among it, and so on; writes no records")
SEVENZIP = "opens the outermost archive (of .deb and .tar.xz: the outer layer only), checks its CRCs, writes nothing; one call a file"
CLAMSCAN = ("opens every layer, compares with a database of one SHA-256 signature (no official signatures), limits raised; one line "
            "a file")
CLAMSCAN_BYTES = 48 << 20  # of containers, a few seconds for clamscan
EVERY_LAYER_BYTES = 24 << 20
BINWALK_BYTES = 24 << 20    # a minute of binwalk; of 3 MB, starting is a quarter of what stoq takes


def bsdtar(listing, count):
    return xargs_list(listing, count, 1, "sh", "-c",
                      '{ bsdtar -xOf "$1" || echo "cannot open $1" >&3; } 3>&1 2>/dev/null | sha256sum', "sh")


def check_leaves(bench, name, folder):
    """Every leaf that independent tools found, by the truth beside the corpus, must be in the records of its root."""
    found, statuses, payloads, size = collections.defaultdict(set), collections.Counter(), 0, 0
    for record in bench.stoq.read(name):
        statuses[record["stoq"]["status"]] += 1
        payloads, size = payloads + 1, size + record["file"].get("size", 0)
        if "hash" in record["file"]:
            found[record["file"]["path"]].add(record["file"]["hash"]["sha256"])
    facts = {"payloads": payloads, "payload_bytes": size, "statuses": dict(statuses)}
    leaves = missing = 0
    for line in bench.corpus.truth(folder):
        digests = {leaf["sha256"] for leaf in line["leaves"]}
        leaves += len(digests)
        missing += len(digests - found[line["input"]])
    facts |= {"leaves_in_truth": leaves, "of_them_not_found": missing}
    if not leaves:
        bench.skip(f"{folder}: comparison of leaves", f"no truth of {folder} beside the corpus ({bench.corpus.truth_path().name})")
    if missing:
        raise Unequal(f"{missing} of {leaves} leaves of the truth are not in stoq's records")
    return facts


def part(bench, section, files, title, others, note):
    """stoq and a slow program over the same part of the corpus."""
    listing = bench.corpus.write_list(files)
    ours = f"stoq -j{bench.threads}"
    programs = [Program(ours, [bench.stoq.scan(title.replace(" ", "-"), ["--files-from", str(listing)], *LIMITS)], OURS, accept=FINISHED)]
    ratios = []
    for program, asked in others(files):
        programs.append(program)
        ratios.append(Ratio(ours, program.name, asked=asked))
    return Contest(section, title, len(files), total(files), programs, ratios, notes=[note])


def clamscan(bench, files):
    """One process, as it is used; and side by side over parts, which is the best that can be had of it."""
    database = bench.work / "marker.hsb"
    database.write_text(hashlib.sha256(b"stoq bench/compare").hexdigest() + ":*:Bench.Marker:73\n")
    options = ["-d", str(database), "--max-filesize=2000M", "--max-scansize=4000M", "--max-files=0", "--max-recursion=100",
               "--max-scantime=0", "--no-summary"]
    # its lists are read line by line
    whole = bench.corpus.write_list(files, b"\n")
    yield Program("clamscan", [["clamscan", *options, f"--file-list={whole}"]], CLAMSCAN + "; one thread, it has no more", rounds=2), 10
    parts = [bench.corpus.write_list(files[number::bench.threads], b"\n") for number in range(bench.threads)]
    yield Program(f"{bench.threads} x clamscan", [["clamscan", *options, f"--file-list={part}"] for part in parts],
                  "the same, a process for each processor over a part", rounds=2), None


def every_layer(bench, files):
    script = pathlib.Path(__file__).resolve().parents[1] / "open_every_layer.py"
    yield Program(f"bsdtar, every layer, {bench.threads} at a time",
                  [xargs_list(bench.corpus.write_list(files), bench.threads, 1, sys.executable, str(script), str(bench.work))], EVERY_LAYER,
                  rounds=2, accept=XARGS_FINISHED), None


def binwalk(bench, files):
    listing = bench.corpus.write_list(files)
    script = 'rm -rf "$1"; exec xargs -0 -a "$2" binwalk --run-as=root -e -M -q -C "$1"'
    yield Program("binwalk -eM", [shell(script, str(bench.work / "binwalk"), str(listing))], "searches signatures at every offset, writes "
                  "what it carves out to disk by other programs, and looks at that again, to depth 8; hashes nothing",
                  rounds=1, accept=XARGS_FINISHED), 50


def nested(bench):
    """every leaf of .deb, tar.*, zip, 7z, nested archives beside bsdtar, 7z, clamscan, binwalk"""
    bench.need("bsdtar")
    files = bench.corpus.files("nested")
    count, listing = bench.threads, bench.corpus.write_list(files)
    ours, other = f"stoq -j{count}", f"xargs -P{count} bsdtar"
    programs = [Program(ours, [bench.stoq.scan("nested", ["nested"], *LIMITS)], OURS, accept=FINISHED),
                Program(other, [bsdtar(listing, count)], BSDTAR, accept=XARGS_FINISHED)]
    ratios = [Ratio(ours, other, asked=1.5, aim=3)]
    if bench.has("7z", "nested: 7z t"):
        programs.append(Program(f"xargs -P{count} 7z t", [sevenzip(listing, count)], SEVENZIP, accept=XARGS_FINISHED))
        ratios.append(Ratio(ours, f"xargs -P{count} 7z t", asked=1))

    def check():
        facts = check_leaves(bench, "nested", "nested")
        with open(programs[1].outputs[0], encoding="utf-8", errors="replace") as file:
            facts["not_opened_by_bsdtar"] = sum(line.startswith("cannot open") for line in file)
        return facts

    yield Contest("nested", "nested containers, every leaf", len(files), total(files), programs, ratios, check)
    yield from slow_ones(bench, files)


def slow_ones(bench, files):
    some = spread(files, EVERY_LAYER_BYTES)
    yield part(bench, "nested", some, "nested containers, part for every layer", lambda chosen: every_layer(bench, chosen),
               f"a part of the corpus, evenly taken: {total(some) / 1e6:.0f} MB; 2 rounds of the script")
    if bench.has("clamscan", "nested: clamscan"):
        some = spread(files, CLAMSCAN_BYTES)
        yield part(bench, "nested", some, "nested containers, part for clamscan", lambda chosen: clamscan(bench, chosen),
                   f"a part of the corpus, evenly taken: {total(some) / 1e6:.0f} MB; 2 rounds of clamscan")
    if bench.has("binwalk", "nested: binwalk"):
        some = spread(files, BINWALK_BYTES)
        yield part(bench, "nested", some, "nested containers, part for binwalk", lambda chosen: binwalk(bench, chosen),
                   f"a part of the corpus, evenly taken: {total(some) / 1e6:.1f} MB; one round of binwalk")


def sevenzip(listing, count):
    return xargs_list(listing, count, 1, "7z", "t", "-bso0", "-bsp0", "-pnone", "--")


def jars(bench):
    """every member of .jar files beside unzip -tqq and 7z t"""
    bench.need("unzip")
    files = bench.corpus.files("jars")
    count, listing = bench.threads, bench.corpus.write_list(files)
    ours, unzip = f"stoq -j{count}", f"xargs -P{count} unzip -tqq"
    programs = [Program(ours, [bench.stoq.scan("jars", ["jars"], *LIMITS)], OURS, accept=FINISHED),
                Program(unzip, [xargs_list(listing, count, 1, "unzip", "-tqq")],
                        "inflates each member of the outermost archive, checks its CRC, writes nothing; one call a file", accept=XARGS_FINISHED)]
    ratios = [Ratio(ours, unzip, asked=3)]
    if bench.has("7z", "jars: 7z t"):
        programs.append(Program(f"xargs -P{count} 7z t", [sevenzip(listing, count)], SEVENZIP, accept=XARGS_FINISHED))
        ratios.append(Ratio(ours, f"xargs -P{count} 7z t"))
    yield Contest("jars", "jars, every member", len(files), total(files), programs, ratios, lambda: check_leaves(bench, "jars", "jars"))
