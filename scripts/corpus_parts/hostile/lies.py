"""Headers that say of sizes, counts and places what is not so."""
import dataclasses
import struct
import zlib

from . import archives, streams
from .made import BROKEN, Made, noise, text

LEAF = text(7, 4000)
NO_LEAF = {"size-negative": "Python reads a member of negative size, others do not"}
ANY = ("ok", *BROKEN)


def _zips():
    honest = archives.packed(b"leaf", LEAF)
    other = archives.packed(b"other", text(8, 500))

    def one(**lie):
        return archives.zip_of([dataclasses.replace(honest, **lie), other])
    yield "local-huge", one(local={"size": 0xFFFFFFF0, "compressed": 0xFFFFFFF0}), ()
    yield "local-nothing", one(local={"size": 0, "compressed": 0, "crc": 0}), ()
    yield "directory-size-huge", one(size=0xFFFFFFF0), BROKEN + ("ok",)
    yield "directory-size-small", one(size=10), BROKEN + ("ok",)
    yield "directory-packed-huge", one(compressed=0xFFFFFFF0), BROKEN
    yield "directory-packed-small", one(compressed=10), BROKEN + ("ok",)
    yield "wrong-crc", one(crc=1), ("corrupt",)
    yield "method-unknown", one(method=77), ("unsupported",)
    yield "offset-past-end", archives.zip_of([honest, dataclasses.replace(other, offset=0x7FFFFFFF)]), ("corrupt",)
    yield "offset-elsewhere", archives.zip_of([honest, dataclasses.replace(other, offset=11)]), ("corrupt",)
    flagged = {"flags": 8, "local": {"size": 0, "compressed": 0, "crc": 0}}
    yield "descriptor-lies", one(**flagged, after=b"PK\7\x08" + struct.pack("<3I", 1, 2, 3)), ()
    wide = struct.pack("<HHQQ", 1, 16, 1 << 62, 1 << 62)
    yield "zip64-huge", one(size=0xFFFFFFFF, compressed=0xFFFFFFFF, extra=wide), BROKEN
    members = [honest, other]
    yield "count-small", archives.zip_of(members, lambda n, s, o: archives.directory_end(1, s, o)), ()
    yield "count-huge", archives.zip_of(members, lambda n, s, o: archives.directory_end(0xFFFF, s, o)), ()
    yield "directory-short", archives.zip_of(members, lambda n, s, o: archives.directory_end(n, 20, o)), ()
    yield "directory-astray", archives.zip_of(
        members, lambda n, s, o: archives.directory_end(n, 0xFFFFFF00, 0xFFFFFF00)), BROKEN
    yield "directory-gone", archives.zip_of(members)[:-22], BROKEN


def _tars():
    first = archives.tar_header(b"first", len(LEAF)) + archives.padded(LEAF)

    def second(**lie):
        return first + archives.tar_header(b"second", len(LEAF), **lie) + archives.padded(LEAF[::-1]) + bytes(1024)
    yield "size-past-end", second(size_field=b"77777777777\0"), BROKEN
    yield "size-2-to-62", second(size_field=b"\x80\0\0\0\x40" + bytes(7)), BROKEN
    yield "size-negative", second(size_field=b"\xff" * 12), BROKEN
    yield "size-no-number", second(size_field=b"twelve bytes"), ()
    yield "size-nothing", second(size_field=b"00000000000\0"), ()
    yield "wrong-sum", second(sum_error=1), BROKEN
    yield "long-name-endless", first + archives.tar_header(b"././@LongLink", 0, b"L", b"77777777777\0") + \
        bytes(1024), BROKEN
    pax = b"30 size=99999999999999999999\n\n"
    yield "pax-size-huge", first + archives.tar_header(b"pax", len(pax), b"x") + archives.padded(pax) + \
        archives.tar_header(b"second", 10) + archives.padded(b"ten bytes!") + bytes(1024), ()


def _sevens():
    members = [("first", LEAF), ("second", text(9, 700))]
    for name, lies in (("packed-huge", {"packed": 1 << 40}), ("packed-small", {"packed": 5}),
                       ("unpacked-huge", {"unpacked": 1 << 50}), ("unpacked-small", {"unpacked": 100}),
                       ("part-huge", {"part": 1 << 60}), ("parts-many", {"parts": 1 << 33}),
                       ("files-many", {"files": 1 << 33}), ("files-a-million", {"files": 1 << 20}),
                       ("folders-many", {"folders": 1 << 20}), ("coders-many", {"coders": 33}),
                       ("names-huge", {"names_size": 1 << 40}), ("header-huge", {"header_size": 1 << 62}),
                       ("header-far", {"header_at": 1 << 62}), ("header-wraps", {"header_at": (1 << 64) - 1})):
        for method in ("lzma2", "copy"):
            yield f"{name}-{method}", archives.seven_of(members, method, lies), BROKEN


def _xz_index(data):
    """Says in the index that the block holds one byte more; the index's own sum is right."""
    size = (struct.unpack("<I", data[-8:-4])[0] + 1) * 4
    index = bytearray(data[-12 - size:-12])
    index[4] ^= 1  # the lowest bits of the uncompressed size, behind two bytes of the other
    index[-4:] = struct.pack("<I", zlib.crc32(index[:-4]))
    return data[:-12 - size] + bytes(index) + data[-12:]


def _streams():
    gz, lz = streams.gzipped(LEAF), streams.lzip(LEAF)
    yield "size-huge.gz", gz[:-4] + b"\xff" * 4, BROKEN
    yield "size-nothing.gz", gz[:-4] + bytes(4), BROKEN
    yield "wrong-sum.gz", gz[:-8] + bytes(4) + gz[-4:], BROKEN
    yield "index.xz", _xz_index(streams.xz(LEAF)), BROKEN
    yield "member-size.lz", lz[:-8] + struct.pack("<Q", 1 << 60), BROKEN
    yield "data-size.lz", lz[:-16] + struct.pack("<Q", 1 << 60) + lz[-8:], BROKEN
    alone = streams.lzma_alone(LEAF)
    yield "size-huge.lzma", alone[:5] + struct.pack("<Q", 1 << 37) + alone[13:], BROKEN
    raw = streams.zstd_raw(LEAF)[6:]
    yield "size-huge.zst", b"\x28\xb5\x2f\xfd\xc0\x50" + struct.pack("<Q", 1 << 60) + raw, BROKEN
    yield "window-huge.zst", b"\x28\xb5\x2f\xfd\x00\xf8" + raw, BROKEN
    yield "block-size.lz4", streams.lz4_raw(LEAF)[:7] + b"\xff\xff\xff\x7f" + LEAF, BROKEN


def _others():
    members = [(b"first/", LEAF), (b"second/", text(9, 700))]
    for name, size in (("huge", b"9999999999"), ("negative", b"-100"), ("no-number", b"many")):
        yield f"size-{name}.ar", archives.ar_of(members, [b"%d" % len(LEAF), size]), BROKEN
    for name, sizes in (("huge", [len(LEAF), 0xFFFFFFFF]), ("past-end", [len(LEAF), 5000])):
        yield f"size-{name}.cpio", archives.cpio_of([(n[:-1], d) for n, d in members], sizes), BROKEN


def files(_small):
    for kind, made in (("zip", _zips()), ("tar", _tars()), ("7z", _sevens())):
        for name, data, seen in made:
            yield Made(f"{name}.{kind}", data, ANY, seen, barred=NO_LEAF.get(name, ""))
    for name, data, seen in (*_streams(), *_others()):
        yield Made(name, data, ANY, seen)
    yield Made("noise.7z", b"7z\xbc\xaf\x27\x1c" + noise(4000), BROKEN, BROKEN)
    yield Made("noise.zip", b"PK\3\4" + noise(4000), BROKEN, BROKEN)
    yield Made("noise.xz", b"\xfd7zXZ\0" + noise(4000), ANY, BROKEN)
