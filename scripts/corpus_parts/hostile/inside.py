"""What other programs find in the hostile set: Python's zipfile, tarfile, zlib, bz2 and lzma, bsdtar (which turns 7z,
ar and cpio into tar, so that no name becomes a path), zstd, lz4, lzip and gzip (for .Z)."""
import bz2
import hashlib
import io
import lzma
import shutil
import struct
import subprocess
import tarfile
import tempfile
import zipfile
import zlib

from ..common import CorpusError

DEEPEST = 64
MAGIC = {b"PK\3\4": "zip", b"PK\5\6": "zip", b"\x1f\x8b": "gz", b"\xfd7zXZ\0": "xz", b"BZh": "bz2", b"LZIP": "lz",
         b"\x28\xb5\x2f\xfd": "zst", b"\x04\x22\x4d\x18": "lz4", b"\x02\x21\x4c\x18": "lz4", b"\x1f\x9d": "Z",
         b"7z\xbc\xaf\x27\x1c": "7z", b"!<arch>\n": "ar", b"070701": "cpio"}
TOOLS = {"zst": ["zstd", "-dcq"], "lz4": ["lz4", "-dc"], "lz": ["lzip", "-dc"], "Z": ["gzip", "-dc"]}
ERRORS = (OSError, EOFError, ValueError, RuntimeError, NotImplementedError, OverflowError, tarfile.TarError,
          zipfile.BadZipFile, lzma.LZMAError, zlib.error)
PACKAGES = {"bsdtar": "libarchive-tools", "zstd": "zstd", "lz4": "lz4", "lzip": "lzip", "gzip": "gzip"}


def check_tools():
    missing = [package for tool, package in PACKAGES.items() if shutil.which(tool) is None]
    if missing:
        raise CorpusError("to write the truth: apt-get install " + " ".join(missing))


def kind_of(data, name=""):
    for magic, kind in MAGIC.items():
        if data.startswith(magic):
            return kind
    if data[257:262] == b"ustar":
        return "tar"
    last = name.rsplit(".", 1)[-1]
    return last if last in ("lzma", "zlib") else ""


class Broken(ValueError):
    """A stream that ends too soon."""


def one_stream(kind, data):
    if kind in TOOLS:
        done = subprocess.run(TOOLS[kind], input=data, capture_output=True, check=False)
        if done.returncode:
            raise Broken(done.stderr.decode(errors="replace").strip()[:200])
        return done.stdout
    make = {"gz": lambda: zlib.decompressobj(31), "zlib": zlib.decompressobj, "bz2": bz2.BZ2Decompressor,
            "xz": lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ),
            "lzma": lambda: lzma.LZMADecompressor(lzma.FORMAT_ALONE)}[kind]
    stream = make()
    out = stream.decompress(data)
    if not stream.eof:
        raise Broken("the stream has no end")
    return out


def members_of(kind, data):
    """(name, bytes) of each member; an exception in place of the bytes of one that cannot be had."""
    if kind == "zip":
        try:
            yield from _zip_members(data)
            return
        except UnicodeDecodeError:  # zipfile believes what the flags say of names
            pass
    failed = ""
    if kind != "tar":
        data, failed = _as_tar(data)
        if not data:
            raise Broken(failed)
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:", errors="surrogateescape") as archive:
        for info in archive:
            if info.isreg():
                yield info.name, archive.extractfile(info).read()
    if failed:
        raise Broken(failed)


def _zip_members(data):
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for info in archive.infolist():
            try:
                yield info.filename, archive.read(info)
            except ERRORS as error:
                # What Python says of it since CVE-2024-0450, which Debian's has mended and others have not.
                if "Overlapped entries" in str(error):
                    yield info.filename, _zip_member(data, info)
                else:
                    yield info.filename, error


def _zip_member(data, info):
    """A stored or deflated member where the directory says that it is, whatever else stands there."""
    lengths = struct.unpack_from("<HH", data, info.header_offset + 26)
    at = info.header_offset + 30 + sum(lengths)
    content = data[at:at + info.compress_size]
    if info.compress_type == zipfile.ZIP_DEFLATED:
        content = zlib.decompress(content, -zlib.MAX_WBITS)
    if zlib.crc32(content) != info.CRC:
        raise zipfile.BadZipFile(f"Bad CRC-32 for file {info.filename!r}")
    return content


def _as_tar(data):
    """(a tar of the same members, what bsdtar complains of)."""
    with tempfile.NamedTemporaryFile() as file:  # it must be able to go back
        file.write(data)
        file.flush()
        done = subprocess.run(["bsdtar", "-cf", "-", "--format=pax", "@" + file.name], capture_output=True, check=False,
                              env={"LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin"})
    said = done.stderr.decode(errors="replace").replace(file.name, "it").strip()
    return done.stdout, said[:200] if done.returncode else ""


class Inside:
    """Collects the different leaves under one file, each once, with how often it stands there."""

    def __init__(self):
        self.leaves, self.problems, self.layers = {}, [], 0
        self._known = {}  # by content: the leaves below it, so that many equal ones cost one

    def problem(self, path, kind, note):
        if len(self.problems) < 100:
            self.problems.append({"path": path, "type": kind, "note": str(note)[:200]})

    def open(self, data, name, path="", above=()):
        """The leaves below `data`: {(digest, size): times}."""
        digest, kind = hashlib.sha256(data).hexdigest(), kind_of(data, name)
        self.layers = max(self.layers, len(above))
        if digest in above:
            self.problem(path, kind, "holds itself")
            return {}
        if digest not in self._known:
            below = {}
            if not kind or len(above) >= DEEPEST:
                below[digest, len(data)] = 1
                self.leaves.setdefault((digest, len(data)), path)
            else:
                self._below(kind, data, name, path, (*above, digest), below)
            self._known[digest] = below
        return self._known[digest]

    def _below(self, kind, data, name, path, above, below):
        def add(part, called):
            for leaf, times in self.open(part, called, f"{path}!{called}" if path else called, above).items():
                below[leaf] = below.get(leaf, 0) + times
        try:
            if kind in ("zip", "tar", "7z", "ar", "cpio"):
                for called, part in members_of(kind, data):
                    if isinstance(part, bytes):
                        add(part, called)
                    else:
                        self.problem(f"{path}!{called}", kind, f"{type(part).__name__}: {part}")
            else:
                add(one_stream(kind, data), name.rsplit(".", 1)[0])
        except ERRORS as error:
            self.problem(path, kind, f"{type(error).__name__}: {error}")
            if not below and path:  # its bytes are there all the same
                below[above[-1], len(data)] = 1
                self.leaves.setdefault((above[-1], len(data)), path)


def look_into(data, name):
    """(layers, leaves, problems): leaves as in the truth of other corpora, and how often each stands there."""
    inside = Inside()
    below = inside.open(data, name)
    leaves = [{"path": path.encode("utf-8", "backslashreplace").decode()[:1000], "sha256": digest, "size": size,
               "times": below.get((digest, size), 1)} for (digest, size), path in inside.leaves.items()]
    return inside.layers, leaves, inside.problems
