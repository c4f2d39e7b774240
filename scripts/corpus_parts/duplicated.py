"""Two folders of as many files and bytes: unique/ has no content twice, of dup/ every file stands there twice.

The files of a real corpus are paired by folder, kind and size; of each pair one goes to the half that both folders share
(a/), the other to unique/b/. dup/b/ has the files of a/ under other names. So both have the same kinds of files, and
what they are scanned in can be compared.
"""
import collections
import json
import os
import shutil

from .common import CorpusError, human, say, sha256_of, write_whole

TEXT = "large/made/source-text.txt"  # is shared out last, so that both sums are equal


def _repeats(truth):
    """Names of the files of whose leaves more than a hundredth (in bytes) stands in an earlier file too."""
    seen, names = set(), set()
    with open(truth, encoding="utf-8") as lines:
        for line in map(json.loads, lines):
            leaves = {leaf["sha256"]: leaf["size"] for leaf in line["leaves"]}
            again = sum(size for digest, size in leaves.items() if digest in seen)
            if again * 100 > sum(leaves.values()):
                names.add(line["input"])
            else:
                seen.update(leaves)
    return names


def halves(corpus, truth):
    """Two lists of files, equally many, and by how many bytes the first has more than the second."""
    leave_out = _repeats(truth)
    folders = collections.defaultdict(list)
    for folder, _, files in os.walk(corpus):
        for file in files:
            path = os.path.join(folder, file)
            name = os.path.relpath(path, corpus)
            if name not in leave_out and name != TEXT:
                top = name.split("/")[0]
                kind = (top, file.rsplit(".", 1)[-1]) if top == "nested" else (top,)
                folders[kind].append((os.path.getsize(path), name))
    pairs = []
    for (top, *_), files in folders.items():
        files = collections.deque(sorted(files, reverse=True))
        alike = 0.8 if top in ("nested", "jars") else 0.5  # what opening costs does not go by bytes
        while len(files) > 1:
            larger = files.popleft()
            if files[0][0] >= larger[0] * alike:
                pairs.append((larger, files.popleft()))
    pairs.sort(key=lambda pair: (pair[1][0] - pair[0][0], pair[0][1]))  # the most unequal first
    one, other, difference = [], [], 0
    for larger, smaller in pairs:
        if difference > 0:
            larger, smaller = smaller, larger
        one.append(larger[1])
        other.append(smaller[1])
        difference += larger[0] - smaller[0]
    say(f"{len(one)} pairs of files, {len(leave_out)} files left out because their contents stand elsewhere, "
        f"halves differ by {difference} bytes")
    return one, other, difference


def _share_text(part, difference, text):
    """Cuts `text` in two, the second piece longer by `difference`, and puts one into each half."""
    length = (len(text) - abs(difference)) // 2
    pieces = {"unique/a": text[:length], "unique/b": text[length:2 * length + difference],
              "dup/a": text[:length], "dup/b": text[:length]}
    for folder, piece in pieces.items():
        write_whole(part / folder / "text.txt", piece)


def build(corpus, truth, into):
    """Makes into/unique and into/dup from a real corpus and its truth."""
    if into.exists():
        raise CorpusError(f"{into} exists: remove it, or choose another --into")
    one, other, difference = halves(corpus, truth)
    part = into.with_name(into.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    sums = {}
    for number, (left, right) in enumerate(zip(one, other)):
        copies = [(left, f"unique/a/{left}"), (right, f"unique/b/{right}"), (left, f"dup/a/{left}"),
                  (left, f"dup/b/copy-{number % 97}/{number}{os.path.splitext(left)[1][:8]}")]
        for source, target in copies:
            path = part / target
            path.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(corpus / source, path)
        sums[left], sums[right] = sha256_of(corpus / left), sha256_of(corpus / right)
    if len(set(sums.values())) != len(sums):
        raise CorpusError(f"{corpus} has files of equal content: build it again")
    _share_text(part, difference, (corpus / TEXT).read_bytes())
    sizes = {which: sum(os.path.getsize(os.path.join(folder, file)) for folder, _, files in os.walk(part / which)
                        for file in files) for which in ("dup", "unique")}
    if sizes["dup"] != sizes["unique"]:
        raise CorpusError(f"{into} came out unequal: {sizes}")
    os.replace(part, into)
    manifest = {"from": corpus.name, "files": 2 * len(one) + 2, "bytes": sizes["dup"]}
    into.with_name(into.name + ".manifest.json").write_text(json.dumps(manifest, indent=1) + "\n")
    say(f"{into}/dup and {into}/unique: {2 * len(one) + 2} files and {human(sizes['dup'])} each")
