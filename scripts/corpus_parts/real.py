"""The real corpus: files chosen from Debian packages, the same ones whenever the packages are the same."""
import hashlib
import json
import os
import pathlib
import shutil

from . import made
from .common import CorpusError, human, say, sha256
from .packages import SIZES, fetch_all

SHARE = {"pdf": 0.08, "elf": 0.08, "pe": 0.06, "jars": 0.08, "small": 0.22, "nested": 0.26}  # large: the rest
SMALL, MEDIUM, LARGE = 32 << 10, 2 << 20, 4 << 20
PACKED = (b"PK\3\4", b"PK\5\6", b"\x1f\x8b", b"\xfd7zXZ", b"BZh", b"\x28\xb5\x2f\xfd", b"7z\xbc\xaf", b"!<arch>",
          b"\x04\x22\x4d\x18", b"Rar!", b"MSCF", b"LZIP", b"\x5d\0\0")


def folder_fits(folder, name, path, size):
    """Whether a file of a package belongs into this folder, by its first bytes rather than its name."""
    if size == 0:
        return False
    with open(path, "rb") as file:
        head = file.read(64)
    if folder == "pdf":
        return head.startswith(b"%PDF-")
    if folder == "elf":
        return head.startswith(b"\x7fELF")
    if folder == "pe":
        if not head.startswith(b"MZ") or len(head) < 64:
            return False
        with open(path, "rb") as file:
            file.seek(int.from_bytes(head[60:64], "little"))
            return file.read(4) == b"PE\0\0"
    if folder == "jars":
        return head.startswith(b"PK\3\4") and name.endswith((".jar", ".war"))
    if head.startswith(PACKED + (b"%PDF-", b"\x7fELF", b"MZ")) or name.endswith(".tar"):
        return False
    least, most = {"small": (1, SMALL), "medium": (SMALL + 1, MEDIUM), "large": (LARGE, 1 << 40)}[folder]
    return least <= size <= most


def candidates(packages, folder):
    """[(package, name, path, size)] in an order that looks random and depends on nothing but names."""
    found, source = [], "small" if folder == "medium" else folder
    for package in dict.fromkeys(package for at, package in packages if at == source):
        for name, path, size in package.files():
            if folder_fits(folder, name, path, size):
                found.append((package, name, path, size))
    return sorted(found, key=lambda file: (-file[3], file[1])) if folder == "large" else shuffled(found)


def shuffled(files):
    return sorted(files, key=lambda file: hashlib.sha256(f"{file[0].name}/{file[1]}".encode()).digest())


class Builder:
    """Puts files into a folder beside the final one, which is renamed when all is there."""

    def __init__(self, into, total):
        self.into, self.total = into, total
        self.part = into.with_name(into.name + ".part")
        self.files = []
        self._seen = set()

    def take(self, folder, files, budget):
        """Copies of `files` in their order as long as `budget` lasts; those not taken are returned."""
        left, spent, count = [], 0, 0
        for package, name, path, size in files:
            if size > budget - spent:
                left.append((package, name, path, size))
                continue
            data = pathlib.Path(path).read_bytes()
            if self.put(f"{folder}/{package.name}/{name}", data, package):
                spent, count = spent + size, count + 1
        say(f"{folder}: {count} files, {human(spent)} of {human(budget)}")
        return left

    def put(self, name, data, package=None):
        """Writes one file, unless equal bytes are in the corpus; says whether it did."""
        digest = sha256(data)
        if digest in self._seen:
            return False
        self._seen.add(digest)
        path = self.part / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        self.files.append({"file": name, "size": len(data), "sha256": digest,
                           "from": f"{package.name} {package.version}" if package else "made"})
        return True

    def size(self, folder=""):
        return sum(file["size"] for file in self.files if file["file"].startswith(folder))


def text_from(files, size):
    """One long text: the files one after the other, cut at `size`; shorter when there is no more."""
    parts, have = [], 0
    for _, _, path, _ in files:
        if have >= size:
            break
        data = pathlib.Path(path).read_bytes()
        parts.append(data)
        have += len(data)
    return b"".join(parts)[:size]


def put_nested(builder, packages, budget, rest):
    """Packages as they are for six tenths of the budget, archives made from `rest` for the others."""
    spent = 0
    for package in (package for folder, package in packages if folder == "nested"):
        size = package.deb.stat().st_size
        if size <= budget * 0.75 - spent and builder.put(f"nested/deb/{package.deb.name}", package.deb.read_bytes(), package):
            spent += size
    say(f"nested: packages, {human(spent)}")
    jars = candidates(packages, "jars")
    group = max(budget // 40, 100_000)
    for name, data in made.archives(rest, jars, group):
        if spent + len(data) > budget:
            break
        if builder.put(f"nested/{name}", data):
            spent += len(data)
    say(f"nested: with archives made of package contents, {human(spent)} of {human(budget)}")


def build(size, into, cache):
    """Builds the corpus; its manifest stands beside it, INTO.manifest.json. Returns the manifest."""
    manifest_path = into.with_name(into.name + ".manifest.json")
    packages = fetch_all(size, cache)
    versions = {package.name: package.version for _, package in packages}
    if into.is_dir() and manifest_path.is_file():
        manifest = json.loads(manifest_path.read_text())
        if manifest["size"] == size and manifest["packages"] == versions:
            say(f"{into} is there, of the same packages")
            return manifest
    if into.exists():
        raise CorpusError(f"{into} exists and is something else: remove it, or choose another --into")
    total = SIZES[size]
    builder = Builder(into, total)
    shutil.rmtree(builder.part, ignore_errors=True)
    for folder in ("pdf", "elf", "pe", "jars"):
        builder.take(folder, candidates(packages, folder), int(total * SHARE[folder]))
    rest = builder.take("small", candidates(packages, "small"), int(total * SHARE["small"]))
    rest = shuffled(rest + candidates(packages, "medium"))
    middle = len(rest) * 3 // 4  # most become archives, the others one long text: no content twice
    put_nested(builder, packages, int(total * SHARE["nested"]), rest[:middle])
    room = total - builder.size()
    builder.take("large", candidates(packages, "large"), int(room * 0.8))
    text = text_from(rest[middle:], total - builder.size())
    builder.put("large/made/source-text.txt", text)
    say(f"large: one text of {human(len(text))}")
    manifest = {"size": size, "bytes": builder.size(), "files": len(builder.files), "packages": versions,
                "folders": {folder: {"files": sum(f["file"].startswith(folder + "/") for f in builder.files),
                                     "bytes": builder.size(folder + "/")}
                            for folder in ("small", "large", "nested", "pdf", "elf", "pe", "jars")},
                "list": sorted(builder.files, key=lambda file: file["file"])}
    if abs(manifest["bytes"] - total) > total * 0.05:
        raise CorpusError(f"the packages give {human(manifest['bytes'])} where {human(total)} are wanted: "
                          f"add packages to corpora/real.txt")
    manifest_path.write_text(json.dumps(manifest, indent=1) + "\n")
    os.replace(builder.part, into)
    say(f"{into}: {manifest['files']} files, {human(manifest['bytes'])}")
    return manifest
