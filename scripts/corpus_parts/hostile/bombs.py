"""Little that becomes much: a run of zeros in every compression, alone, in a tar, in zip and 7z, and twice."""
import bz2
import lzma
import struct
import zlib

from . import archives, streams
from .made import MIB, Made


def zip_lzma(data):
    """Method 14: the properties before the stream, which has an end marker (APPNOTE 5.8)."""
    alone = streams.lzma_alone(data)
    return struct.pack("<BBH", 9, 20, 5) + alone[:5] + alone[13:]


def _zipped(data):
    told = {"size": len(data), "crc": zlib.crc32(data)}
    yield "deflate", archives.Member(b"zeros", archives.deflated(data), 8, **told)
    yield "bzip2", archives.Member(b"zeros", bz2.compress(data), 12, **told)
    yield "lzma", archives.Member(b"zeros", zip_lzma(data), 14, flags=2, **told)


def files(small):
    size = 24 * MIB if small else 512 * MIB
    told = {"expect": ("ok", "partial"), "seen": ("partial",), "most_records": 8}
    for kind, pack in streams.ZEROS.items():
        yield Made(f"zeros.{kind}", pack(size), **told)
    zeros = bytes(size)
    tar = archives.tar_header(b"zeros", size) + archives.padded(zeros) + bytes(1024)
    for kind in ("gz", "bz2", "xz", "lz"):
        yield Made(f"zeros.tar.{kind}", streams.SMALL[kind](tar), **told)
    del tar
    for kind, member in _zipped(zeros):
        yield Made(f"zeros-{kind}.zip", archives.zip_of([member]), **told)
    yield Made("zeros.7z", archives.seven_of([("zeros", zeros)]), **told)
    twice = streams.gzipped(streams.gzipped(zeros))
    yield Made("zeros.gz.gz", twice, **told)
    yield Made("zeros.zip.xz", lzma.compress(archives.zip_of([archives.packed(b"zeros", zeros)])), **told)
