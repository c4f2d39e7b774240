"""SHA-256 (and MD5) of files as they are."""
from ..contest import Contest, Ratio, Unequal
from ..corpus import total
from ..measure import Program, xargs
from ..stoq import FINISHED

PER_CALL = 512  # files a call of sha256sum: the fastest of 16, 64, 512 and as many as fit
AS_THEY_ARE = "reads and hashes each file (SHA-256), writes digest and name to a file"
DEPTH_0 = ("reads and hashes each file (SHA-256), asks the dispatch rules, opens nothing (--max-depth 0), writes a JSON "
           "record each to a file")
STOCK = "the same, and opens what the stock rules say: every derived payload is hashed and recorded too"


def first_words(path):
    """Digests, sorted, of output as sha256sum, rhash and openssl dgst -r write it."""
    with open(path, encoding="utf-8", errors="surrogateescape") as file:
        return sorted(line.split()[0].lstrip("\\") for line in file if line.strip() and not line.startswith(";"))


def hashdeep_digests(path):
    with open(path, encoding="utf-8", errors="surrogateescape") as file:
        return sorted(line.split(",")[1] for line in file if line[0] not in "%#")


def stoq_digests(stoq, names, algorithm="sha256"):
    """Digests of the roots in the records of these runs, sorted, and how many payloads are beyond the roots."""
    roots, derived = [], 0
    for name in names:
        for record in stoq.read(name):
            if record["stoq"]["depth"] == 0:
                roots.append(record["file"]["hash"][algorithm])
            else:
                derived += 1
    return sorted(roots), derived


def agree(want, found):
    """Raises Unequal naming the programs whose digests are others; `found`: digests by program."""
    for name, digests in found.items():
        if digests != want:
            raise Unequal(f"{name}: {len(set(digests) ^ set(want))} digests differ ({len(digests)} against {len(want)} files)")


def small(bench):
    """stoq -w none beside rhash, hashdeep, sha256sum, md5sum on small files"""
    files = bench.corpus.files("small")
    stoq, count = bench.stoq, bench.threads

    def scan(title, name, does, *options, threads=count):
        return Program(title, [stoq.scan(name, ["small"], "-w", "none", *options, threads=threads)], does, accept=FINISHED)

    programs = [
        scan(f"stoq -j{count}", "hash-small", DEPTH_0, "--max-depth", "0"),
        scan(f"stoq -j{count}, stock rules", "hash-small-stock", STOCK),
        scan("stoq -j1", "hash-small-j1", DEPTH_0 + "; one thread", "--max-depth", "0", threads=1),
        Program(f"xargs -P{count} sha256sum", [xargs("small", count, PER_CALL, "sha256sum")],
                f"{AS_THEY_ARE}; {PER_CALL} files a call, the fastest that was tried")]
    ratios = [Ratio(f"stoq -j{count}", f"xargs -P{count} sha256sum")]
    if bench.has("rhash", "hash-small: rhash"):
        programs.append(Program("rhash", [["rhash", "-r", "--sha256", "small"]], AS_THEY_ARE + "; one thread, it has no more"))
        ratios += [Ratio(f"stoq -j{count}", "rhash", asked=2, aim=4), Ratio(f"stoq -j{count}, stock rules", "rhash"),
                   Ratio("stoq -j1", "rhash")]
    if bench.has("hashdeep", "hash-small: hashdeep"):
        programs.append(Program(f"hashdeep -j{count}", [["hashdeep", "-c", "sha256", f"-j{count}", "-r", "small"]],
                                AS_THEY_ARE + ", and its size"))
        ratios.append(Ratio(f"stoq -j{count}", f"hashdeep -j{count}"))
    programs += [
        scan(f"stoq -j{count} --hash md5", "hash-small-md5", DEPTH_0 + "; MD5 beside SHA-256, which cannot be left out",
             "--max-depth", "0", "--hash", "md5"),
        Program(f"xargs -P{count} md5sum", [xargs("small", count, PER_CALL, "md5sum")], "MD5 alone, otherwise as sha256sum")]
    ratios.append(Ratio(f"stoq -j{count} --hash md5", f"xargs -P{count} md5sum"))

    outputs = {program.name: program for program in programs}

    def check():
        want = first_words(outputs[f"xargs -P{count} sha256sum"].outputs[0])
        found = {"stoq": stoq_digests(stoq, ["hash-small"])[0], "stoq -j1": stoq_digests(stoq, ["hash-small-j1"])[0]}
        found["stoq, stock rules"], derived = stoq_digests(stoq, ["hash-small-stock"])
        if "rhash" in outputs:
            found["rhash"] = first_words(outputs["rhash"].outputs[0])
        if f"hashdeep -j{count}" in outputs:
            found["hashdeep"] = hashdeep_digests(outputs[f"hashdeep -j{count}"].outputs[0])
        agree(want, found)
        agree(first_words(outputs[f"xargs -P{count} md5sum"].outputs[0]),
              {"stoq, md5": stoq_digests(stoq, ["hash-small-md5"], "md5")[0]})
        if len(want) != len(files):
            raise Unequal(f"{len(want)} digests of {len(files)} files")
        return {"equal_digests": len(want), "derived_payloads_with_stock_rules": derived}

    yield Contest("hash-small", "SHA-256 of small files", len(files), total(files), programs, ratios, check)


def large(bench):
    """stoq -w none beside openssl dgst on large files"""
    bench.need("openssl")
    files = bench.corpus.files("large")
    stoq, count = bench.stoq, bench.threads
    other = f"xargs -P{count} openssl dgst"
    programs = [
        Program(f"stoq -j{count}", [stoq.scan("hash-large", ["large"], "-w", "none", "--max-depth", "0")], DEPTH_0, accept=FINISHED),
        Program(f"stoq -j{count}, stock rules", [stoq.scan("hash-large-stock", ["large"], "-w", "none")], STOCK, accept=FINISHED),
        Program(other, [xargs("large", count, 1, "openssl", "dgst", "-sha256", "-r")], AS_THEY_ARE + "; one file a call")]

    def check():
        want = first_words(programs[2].outputs[0])
        stock, derived = stoq_digests(stoq, ["hash-large-stock"])
        agree(want, {"stoq": stoq_digests(stoq, ["hash-large"])[0], "stoq, stock rules": stock})
        return {"equal_digests": len(want), "derived_payloads_with_stock_rules": derived}

    yield Contest("hash-large", "SHA-256 of large files", len(files), total(files), programs,
                  [Ratio(f"stoq -j{count}", other, asked=1), Ratio(f"stoq -j{count}, stock rules", other)], check)
