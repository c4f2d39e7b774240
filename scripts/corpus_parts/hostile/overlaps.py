"""Zips whose members share bytes, by the constructions of David Fifield's "A better zip bomb" (bamsoftware.com/hacks/
zipbomb): all members are one and the same, or each quotes the header of the next and goes on with its data."""
import dataclasses
import struct
import zlib

from . import archives
from .made import MIB, Made

SHARED = "bytes that several members share"


def full(count, size):
    """One member, `count` entries."""
    kernel = archives.packed(b"0", bytes(size))
    more = [dataclasses.replace(kernel, name=b"%d" % number, offset=0, data=b"", size=size,
                                compressed=len(kernel.data)) for number in range(1, count)]
    return archives.zip_of([kernel, *more])


def _quoting(count, size):
    """(fields, data) of every member, first to last; each one's data is a prefix and then all that follows."""
    kernel = archives.deflated(bytes(size))
    fields = [{"name": b"%d" % (count - 1), "method": 8, "flags": 0, "extra": b"", "crc": zlib.crc32(bytes(size)),
               "size": size, "compressed": len(kernel)}]
    content, body = bytes(size), kernel
    for number in reversed(range(count - 1)):
        header = archives.local_header(fields[0])
        quote = struct.pack("<BHH", 0, len(header), len(header) ^ 0xFFFF)
        content, body = header + content, quote + header + body
        fields.insert(0, {**fields[0], "name": b"%d" % number, "crc": zlib.crc32(content), "size": len(content),
                          "compressed": len(body)})
    return fields, body


def quoted(count, size, end=archives.directory_end, short=False):
    """`short`: the entries claim the begin of their quote alone, so that no two of them seem to overlap."""
    fields, body = _quoting(count, size)
    first = archives.local_header(fields[0])
    directory, offset = bytearray(), 0
    for number, field in enumerate(fields):
        told = field
        if short and number + 1 < count:
            told = {**field, "compressed": 5}
        directory += archives.directory_entry(told, offset)
        if number + 1 < count:
            offset += len(archives.local_header(field)) + 5
    at = len(first) + len(body)
    return first + body + bytes(directory) + end(count, len(directory), at)


def end64(count, size, offset):
    return archives.directory_end64(count, size, offset, offset + size)


def files(small):
    many, size = (200, MIB) if small else (20_000, 4 * MIB)
    told = {"expect": ("ok", "partial", "corrupt"), "seen": ("corrupt", "partial"), "barred": SHARED}
    shared = {**told, "said": "shares its bytes"}
    yield Made("full-overlap.zip", full(many, size), most_records=many + 1, **shared)
    few = 100 if small else 1000
    yield Made("quoted-overlap.zip", quoted(few, size), most_records=few + 2, **shared)
    yield Made("quoted-overlap-zip64.zip", quoted(few, size, end64), most_records=few + 2, **shared)
    yield Made("quoted-overlap-short.zip", quoted(few, size, short=True), most_records=few + 1, **told)
    yield Made("member-in-member.zip", _member_in_member(), most_records=5, **shared)


def _member_in_member():
    """A stored member, in whose bytes another stands whole: the directory names both."""
    inner = archives.Member(b"inner", b"a member within a member\n")
    header = archives.local_header(inner.fields())
    outer = archives.Member(b"outer", header + inner.data)
    at = len(archives.local_header(outer.fields()))
    return archives.zip_of([outer, dataclasses.replace(inner, offset=at)])
