"""zip, tar, 7z, ar and cpio, written field by field so that every field can lie."""
import dataclasses
import lzma
import struct
import zlib


@dataclasses.dataclass
class Member:
    """One zip member; what stands here wins over what is true. `offset`: where the directory says it begins."""
    name: bytes
    data: bytes = b""  # as stored: compressed already when `method` says so
    method: int = 0
    size: int = -1
    crc: int = -1
    compressed: int = -1
    flags: int = 0
    local: dict = dataclasses.field(default_factory=dict)  # what the local header says otherwise
    extra: bytes = b""
    offset: int = -1
    after: bytes = b""  # behind the data: a data descriptor

    def fields(self, **other):
        size = len(self.data) if self.size < 0 else self.size
        crc = zlib.crc32(self.data) if self.crc < 0 else self.crc
        given = {"name": self.name, "method": self.method, "crc": crc, "size": size, "extra": self.extra,
                 "compressed": len(self.data) if self.compressed < 0 else self.compressed, "flags": self.flags}
        return {**given, **other}


def deflated(data, level=9):
    packer = zlib.compressobj(level, zlib.DEFLATED, -15)
    return packer.compress(data) + packer.flush()


def packed(name, data, **other):
    """A deflated member that tells the truth, but for `other`."""
    return Member(name, deflated(data), 8, **{"size": len(data), "crc": zlib.crc32(data), **other})


def local_header(field):
    return struct.pack("<4s5H3I2H", b"PK\3\4", 20, field["flags"], field["method"], 0, 33, field["crc"],
                       field["compressed"], field["size"], len(field["name"]), len(field["extra"])) + \
        field["name"] + field["extra"]


def directory_entry(field, offset):
    return struct.pack("<4s6H3I5H2I", b"PK\1\2", 20, 20, field["flags"], field["method"], 0, 33, field["crc"],
                       field["compressed"], field["size"], len(field["name"]), len(field["extra"]), 0, 0, 0, 0,
                       offset) + field["name"] + field["extra"]


def directory_end(count, size, offset, comment=b""):
    return struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, min(count, 0xFFFF), min(count, 0xFFFF), size, offset,
                       len(comment)) + comment


def directory_end64(count, size, offset, at):
    """The zip64 record, its locator, and an end record that points to them."""
    record = struct.pack("<4sQ2H2I4Q", b"PK\6\6", 44, 45, 45, 0, 0, count, count, size, offset)
    return record + struct.pack("<4sIQI", b"PK\6\7", 0, at, 1) + directory_end(0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF)


def zip_of(members, end=directory_end):
    body, directory = bytearray(), bytearray()
    for member in members:
        offset = len(body) if member.offset < 0 else member.offset
        directory += directory_entry(member.fields(), offset)
        if member.offset < 0:
            body += local_header(member.fields(**member.local)) + member.data + member.after
    return bytes(body + directory) + end(len(members), len(directory), len(body))


def tar_header(name, size, kind=b"0", size_field=None, sum_error=0, link=b""):
    """`size_field`: the twelve bytes of the size, as they are to stand there."""
    field = b"%011o\0" % size if size_field is None else size_field
    head = bytearray(name[:100].ljust(100, b"\0") + b"0000644\0" + b"0000000\0" * 2 + field + b"14544132400\0" +
                     b" " * 8 + kind + link[:100].ljust(100, b"\0") + b"ustar\00000")
    head = head.ljust(512, b"\0")
    head[148:156] = b"%06o\0 " % (sum(head) + sum_error)
    return bytes(head)


def padded(data):
    return data + bytes(-len(data) % 512)


def long_name(name):
    """GNU's way to say a name of more than 100 bytes."""
    return tar_header(b"././@LongLink", len(name) + 1, b"L") + padded(name + b"\0")


def tar_of(members):
    out = bytearray()
    for name, data in members:
        if len(name) > 100:
            out += long_name(name)
        out += tar_header(name, len(data)) + padded(data)
    return bytes(out) + bytes(1024)


def seven_number(value):
    """7zFormat.txt: the first byte's highest bits say how many more follow."""
    for more in range(8):
        if value < 1 << 7 * (more + 1):
            first = 0xFF00 >> more & 0xFF | value >> 8 * more
            return bytes([first]) + (value & (1 << 8 * more) - 1).to_bytes(more, "little")
    return b"\xff" + value.to_bytes(8, "little")


def seven_of(members, method="lzma2", lies=None):
    """One solid folder. `lies`: numbers to say instead of the true ones: packed, unpacked, parts, files, coders,
    header_size, header_at; `names`: the bytes of all names."""
    say = lies or {}
    content = b"".join(data for _, data in members)
    if method == "lzma2":
        stream = lzma.compress(content, lzma.FORMAT_RAW,
                               filters=[{"id": lzma.FILTER_LZMA2, "preset": 6, "dict_size": 1 << 20}])
        coder = b"\x21\x21\x01\x10"
    else:
        stream, coder = content, b"\x01\x00"
    number, count = seven_number, len(members)
    header = b"\x01\x04\x06" + number(0) + number(1) + b"\x09" + number(say.get("packed", len(stream))) + b"\0"
    header += b"\x07\x0b" + number(say.get("folders", 1)) + b"\0" + number(say.get("coders", 1)) + coder
    header += b"\x0c" + number(say.get("unpacked", len(content))) + b"\0"
    header += b"\x08\x0d" + number(say.get("parts", count))
    if count > 1:
        header += b"\x09" + b"".join(number(say.get("part", len(data))) for _, data in members[:-1])
    header += b"\x0a\x01" + b"".join(struct.pack("<I", zlib.crc32(data)) for _, data in members) + b"\0\0"
    names = say.get("names", b"".join(_utf16(name) + b"\0\0" for name, _ in members))
    header += b"\x05" + number(say.get("files", count)) + b"\x11" + number(say.get("names_size", len(names) + 1))
    header += b"\0" + names + b"\0\0"
    start = struct.pack("<QQI", say.get("header_at", len(stream)), say.get("header_size", len(header)),
                        zlib.crc32(header))
    return b"7z\xbc\xaf\x27\x1c\0\4" + struct.pack("<I", zlib.crc32(start)) + start + stream + header


def _utf16(name):
    return name.encode("utf-16-le", "surrogatepass") if isinstance(name, str) else name


def ar_of(members, sizes=None):
    out = bytearray(b"!<arch>\n")
    for number, (name, data) in enumerate(members):
        size = b"%d" % len(data) if sizes is None else sizes[number]
        out += name.ljust(16) + b"0           0     0     100644  " + size.ljust(10) + b"`\n" + data
        out += b"\n" * (len(data) % 2)
    return bytes(out)


def cpio_of(members, sizes=None):
    """The `newc` form."""
    out = bytearray()
    for number, (name, data) in enumerate([*members, (b"TRAILER!!!", b"")]):
        size = sizes[number] if sizes and number < len(sizes) else len(data)
        out += b"070701" + b"".join(b"%08X" % value for value in
                                    (number + 1, 0o100644 if data else 0, 0, 0, 1, 0, size, 0, 0, 0, 0,
                                     len(name) + 1, 0)) + name + b"\0"
        out += bytes(-len(out) % 4) + data
        out += bytes(-len(out) % 4)
    return bytes(out)
