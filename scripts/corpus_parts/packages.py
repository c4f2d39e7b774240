"""Debian packages as a source of files: found, downloaded and unpacked once into a cache; never installed."""
import hashlib
import os
import shlex
import shutil
import subprocess
import tempfile

from .common import ROOT, CorpusError, human, say

SIZES = {"100M": 100_000_000, "1G": 1_000_000_000, "5G": 5_000_000_000}
FOLDERS = ("small", "large", "nested", "pdf", "elf", "pe", "jars")
_HELP = ("    Is the network there?  Try: apt-get update && apt-get download {0}\n"
         "    Where the release does not have it, edit corpora/real.txt (PACKAGE|ALTERNATIVE).\n"
         "    Run this again afterwards: what was downloaded is kept.")


def manifest(size):
    """The (folder, [alternative names]) that a corpus of this size uses, in the manifest's order."""
    wanted = []
    for number, line in enumerate((ROOT / "corpora/real.txt").read_text().splitlines(), 1):
        fields = line.split("#")[0].split()
        if not fields:
            continue
        if len(fields) != 3 or fields[0] not in SIZES or fields[1] not in FOLDERS:
            raise CorpusError(f"corpora/real.txt:{number}: expected FROM FOLDER PACKAGE, found {line!r}")
        if SIZES[fields[0]] <= SIZES[size]:
            wanted.append((fields[1], fields[2].split("|")))
    return wanted


class Package:
    """One .deb in the cache. `tree` is where it is unpacked; `version` is what dpkg-deb says."""

    def __init__(self, name, deb):
        self.name, self.deb = name, deb
        self.version = subprocess.run(["dpkg-deb", "-f", deb, "Version"], capture_output=True, text=True,
                                      check=True).stdout.strip()
        self.tree = deb.parent / "unpacked" / deb.stem

    def unpack(self):
        if self.tree.is_dir():
            return
        say(f"unpacking {self.deb.name}")
        part = self.tree.with_name(self.tree.name + ".part")
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        done = subprocess.run(["dpkg-deb", "-x", self.deb, part], capture_output=True, text=True)
        if done.returncode:
            shutil.rmtree(part, ignore_errors=True)
            raise CorpusError(f"{self.deb} cannot be unpacked: {done.stderr.strip()}\n"
                              f"    Remove it and run this again.")
        subprocess.run(["chmod", "-R", "u+rwX", part], check=True)
        os.replace(part, self.tree)

    def files(self):
        """(path inside the package, path on disk, size) of its regular files, in a fixed order."""
        self.unpack()
        for folder, folders, names in os.walk(self.tree):
            folders.sort()
            for name in sorted(names):
                path = os.path.join(folder, name)
                if os.path.isfile(path) and not os.path.islink(path):
                    yield os.path.relpath(path, self.tree), path, os.path.getsize(path)


def _apt(*args, cwd):
    try:
        return subprocess.run(["apt-get", "-q", "-o", "APT::Sandbox::User=", "-o", "Acquire::Retries=2", *args],
                              cwd=cwd, capture_output=True, text=True, timeout=1800)
    except FileNotFoundError:
        raise CorpusError("there is no apt-get: a real corpus needs Debian (or a cache of .deb files, --cache)")
    except subprocess.TimeoutExpired:
        raise CorpusError(f"apt-get {' '.join(args)} took longer than 30 minutes")


def _known(names):
    """{name: (file name, bytes, hash)} of those that apt knows."""
    with tempfile.TemporaryDirectory() as empty:  # beside a file already downloaded apt says nothing
        answer = _apt("download", "--print-uris", *names, cwd=empty).stdout
    known = {}
    for line in answer.splitlines():
        fields = shlex.split(line) if line.startswith("'") else []
        if len(fields) >= 3:
            known[fields[1].split("_")[0]] = (fields[1], int(fields[2]), fields[3] if len(fields) > 3 else "")
    return known


def _right(path, size, wanted):
    """Whether the file is the one that apt's signed index lists."""
    if not path.is_file() or path.stat().st_size != size:
        return False
    kind, _, value = wanted.partition(":")
    if kind.lower() not in ("sha256", "sha512"):
        return True
    with open(path, "rb") as file:
        return hashlib.file_digest(file, kind.lower()).hexdigest() == value


def _fetch(alternatives, known, cache):
    """The package, downloaded unless the cache has it. CorpusError names it when it cannot be had."""
    name = next((name for name in alternatives if name in known), None)
    if name is None:  # offline: whatever version the cache has
        for name in alternatives:
            here = sorted(cache.glob(f"{name}_*.deb"))
            if here:
                say(f"apt does not know {name}; taking {here[-1].name} from the cache")
                return Package(name, here[-1])
        raise CorpusError(f"apt finds no package {' or '.join(alternatives)}.\n" + _HELP.format(alternatives[0]))
    file, size, wanted = known[name]
    path = cache / file
    if not _right(path, size, wanted):
        path.unlink(missing_ok=True)
        say(f"downloading {name}, {human(size)}")
        done = _apt("download", name, cwd=cache)
        if done.returncode or not _right(path, size, wanted):
            why = (done.stderr.strip().splitlines() or ["the file is not what the index lists"])[-1]
            raise CorpusError(f"apt-get cannot download {name}: {why}\n" + _HELP.format(name))
    return Package(name, path)


def fetch_all(size, cache):
    """[(folder, Package)] for a corpus of this size."""
    cache.mkdir(parents=True, exist_ok=True)
    wanted = manifest(size)
    known = _known(sorted({name for _, alternatives in wanted for name in alternatives}))
    packages = {}
    for _, alternatives in wanted:
        if alternatives[0] not in packages:
            packages[alternatives[0]] = _fetch(alternatives, known, cache)
    return [(folder, packages[alternatives[0]]) for folder, alternatives in wanted]
