"""Truth of a real corpus: what Python's zipfile, tarfile, lzma, gzip and bz2, dpkg-deb, 7z and zstd find inside.

One JSON object a file, as in corpora/truth.jsonl: {"input", "sha256", "size", "type", "status", "layers",
"leaves": [{"path", "sha256", "size"}], "problems": [{"path", "type", "note"}]}. A leaf is what no tool opens
further. A file that is no container is its own leaf (path ""), so that its hash is compared too.
"""
import bz2
import gzip
import hashlib
import io
import json
import lzma
import multiprocessing
import os
import pathlib
import subprocess
import tarfile
import tempfile
import zipfile

from .common import human, say

MAGIC = {b"PK\3\4": "zip", b"PK\5\6": "zip", b"\x1f\x8b\x08": "gzip", b"\xfd7zXZ\0": "xz", b"BZh": "bzip2",
         b"\x28\xb5\x2f\xfd": "zstd", b"7z\xbc\xaf\x27\x1c": "7z", b"!<arch>\ndebian-binary": "deb"}
DEEPEST = 16  # layers; as many as stoq opens by default


def kind_of(head):
    for magic, kind in MAGIC.items():
        if head.startswith(magic):
            return kind
    return "tar" if head[257:262] == b"ustar" else ""


class Leaves:
    """Collects what is inside one file."""

    def __init__(self):
        self.leaves, self.problems, self.layers = [], [], 0

    def blob(self, data, path, depth):
        """Looks into `data`, which stands at `path`, `depth` layers down."""
        kind = kind_of(data[:512])
        self.layers = max(self.layers, depth)
        if not kind or depth >= DEEPEST:
            self._leaf(data, path)
            return
        kept, layers = len(self.leaves), self.layers
        try:
            getattr(self, "_" + kind.replace("7z", "seven"))(data, path, depth)
        except (OSError, EOFError, ValueError, RuntimeError, NotImplementedError, tarfile.TarError,
                zipfile.BadZipFile, lzma.LZMAError, subprocess.CalledProcessError) as error:
            self.problems.append({"path": path, "type": kind, "note": f"{type(error).__name__}: {error}"[:200]})
            del self.leaves[kept:]
            self.layers = layers
            self._leaf(data, path)

    def _leaf(self, data, path):
        self.leaves.append({"path": path, "sha256": hashlib.sha256(data).hexdigest(), "size": len(data)})

    def _zip(self, data, path, depth):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for info in archive.infolist():
                if not info.is_dir():
                    self.blob(archive.read(info), join(path, info.filename), depth + 1)

    def _members(self, stream, path, depth):
        with tarfile.open(fileobj=stream, mode="r|") as archive:
            for info in archive:
                if info.isreg():
                    self.blob(archive.extractfile(info).read(), join(path, info.name), depth + 1)

    def _tar(self, data, path, depth):
        self._members(io.BytesIO(data), path, depth)

    def _stream(self, stream, path, depth):
        """One layer of compression; a tar in it is read without being held in memory."""
        buffered = io.BufferedReader(stream, 1 << 20)
        if kind_of(buffered.peek(512)[:512]) == "tar":
            self.layers = max(self.layers, depth + 1)
            self._members(buffered, join(path, "tar"), depth + 1)
        else:
            self.blob(buffered.read(), join(path, "content"), depth + 1)

    def _gzip(self, data, path, depth):
        self._stream(gzip.GzipFile(fileobj=io.BytesIO(data)), path, depth)

    def _xz(self, data, path, depth):
        self._stream(lzma.open(io.BytesIO(data)), path, depth)

    def _bzip2(self, data, path, depth):
        self._stream(bz2.open(io.BytesIO(data)), path, depth)

    def _zstd(self, data, path, depth):
        out = subprocess.run(["zstd", "-dcq"], input=data, capture_output=True, check=True).stdout
        self.blob(out, join(path, "content"), depth + 1)

    def _seven(self, data, path, depth):
        with tempfile.TemporaryDirectory() as folder:
            given, out = pathlib.Path(folder, "given.7z"), pathlib.Path(folder, "out")
            given.write_bytes(data)
            subprocess.run(["7z", "x", "-y", "-bd", "-p", f"-o{out}", given], capture_output=True, check=True)
            for file in sorted(out.rglob("*")):
                if file.is_file() and not file.is_symlink():
                    self.blob(file.read_bytes(), join(path, str(file.relative_to(out))), depth + 1)

    def _deb(self, data, path, depth):
        with tempfile.NamedTemporaryFile(suffix=".deb") as file:
            file.write(data)
            file.flush()
            for which in ("--ctrl-tarfile", "--fsys-tarfile"):
                self.layers = max(self.layers, depth + 2)
                with subprocess.Popen(["dpkg-deb", which, file.name], stdout=subprocess.PIPE) as pipe:
                    self._members(pipe.stdout, join(path, which[2:6]), depth + 3)
                    pipe.stdout.read()
                if pipe.returncode:
                    raise ValueError(f"dpkg-deb {which}: exit status {pipe.returncode}")


def join(path, name):
    return f"{path}!{name}" if path else name


def truth_of(job):
    """The line of one file; `job` is (its path, what to call it)."""
    path, name = job
    data = pathlib.Path(path).read_bytes()
    inside = Leaves()
    inside.blob(data, "", 0)
    line = {"input": name, "sha256": hashlib.sha256(data).hexdigest(), "size": len(data),
            "type": kind_of(data[:512]) or "file", "status": "verified", "layers": inside.layers,
            "leaves": inside.leaves}
    if inside.problems:
        line["problems"] = inside.problems
    return json.dumps(line)


def write(corpus, out, jobs=2):
    """Writes the truth of all files under `corpus`, in bytewise order of their names."""
    names = sorted(os.path.relpath(os.path.join(folder, name), corpus)
                   for folder, _, files in os.walk(corpus) for name in files)
    work = sorted(names, key=lambda name: -os.path.getsize(corpus / name))  # the long ones first
    part, lines, leaves, read = out.with_name(out.name + ".part"), {}, 0, 0
    with multiprocessing.Pool(jobs, initializer=os.nice, initargs=(10,)) as pool:
        results = pool.imap(truth_of, [(corpus / name, name) for name in work])
        for number, (name, line) in enumerate(zip(work, results), 1):
            lines[name] = line
            leaves += line.count('"path"')
            read += os.path.getsize(corpus / name)
            if number % 5000 == 0 or number == len(work):
                say(f"truth: {number} of {len(work)} files, {human(read)}, {leaves} leaves")
    part.write_text("".join(lines[name] + "\n" for name in names))
    os.replace(part, out)
