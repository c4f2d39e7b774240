"""One-stream compressors, written by hand where Python has none: lzip, zstd, lz4 and compress(1) of a run of zeros."""
import bz2
import gzip
import lzma
import struct
import zlib

_ALONE = [{"id": lzma.FILTER_LZMA1, "preset": 6, "dict_size": 1 << 20, "lc": 3, "lp": 0, "pb": 2}]


def gzipped(data, level=9):
    return gzip.compress(data, level, mtime=0)


def lzma_alone(data):
    return lzma.compress(data, lzma.FORMAT_ALONE, filters=_ALONE)


def xz(data):
    return lzma.compress(data, preset=6)


def lzip(data):
    """Header, an LZMA stream with its end marker, CRC and both sizes."""
    body = lzma_alone(data)[13:]
    head = b"LZIP\x01" + bytes([20])
    return head + body + struct.pack("<IQQ", zlib.crc32(data), len(data), len(head) + len(body) + 20)


def zstd_zeros(size):
    """Blocks of one repeated byte: 128 KiB come out of four bytes (RFC 8878, 3.1.1.2)."""
    most, out = 128 << 10, bytearray(b"\x28\xb5\x2f\xfd\x00\x50")
    while size > 0:
        count = min(most, size)
        size -= count
        out += struct.pack("<I", (size == 0) | 1 << 1 | count << 3)[:3] + b"\0"
    return bytes(out)


def zstd_raw(data):
    """One block, as it stands."""
    return b"\x28\xb5\x2f\xfd\x00\x50" + struct.pack("<I", 1 | len(data) << 3)[:3] + data


def _xxh32_short(data):
    """xxHash of less than four bytes: what an LZ4 frame's header is checked with."""
    mask, state = 0xFFFFFFFF, 374761393 + len(data)
    for byte in data:
        state = (state + byte * 374761393) & mask
        state = (state << 11 | state >> 21) & mask
        state = state * 2654435761 & mask
    state = (state ^ state >> 15) * 2246822519 & mask
    state = (state ^ state >> 13) * 3266489917 & mask
    return state ^ state >> 16


def _lz4_block_zeros(size):
    """One literal, a match that reaches one byte back, five literals."""
    more, rest = divmod(size - 6 - 19, 255)
    return b"\x1f\0\x01\0" + b"\xff" * more + bytes([rest]) + b"\x50" + bytes(5)


def lz4_zeros(size):
    descriptor, out = b"\x60\x70", bytearray()
    for begin in range(0, size, 4 << 20):
        block = _lz4_block_zeros(min(4 << 20, size - begin))
        out += struct.pack("<I", len(block)) + block
    return (b"\x04\x22\x4d\x18" + descriptor + bytes([_xxh32_short(descriptor) >> 8 & 255]) + bytes(out) + bytes(4))


def lz4_raw(data):
    descriptor = b"\x60\x40"
    return (b"\x04\x22\x4d\x18" + descriptor + bytes([_xxh32_short(descriptor) >> 8 & 255]) +
            struct.pack("<I", len(data) | 1 << 31) + data + bytes(4))


def lz4_legacy_zeros(size):
    out = bytearray(b"\x02\x21\x4c\x18")
    for begin in range(0, size, 8 << 20):
        block = _lz4_block_zeros(min(8 << 20, size - begin))
        out += struct.pack("<I", len(block)) + block
    return bytes(out)


class _Codes:
    """Codes of 9 to 16 bits as compress(1) packs them: eight of one width at a time."""

    def __init__(self):
        self.out, self.bits, self.filled, self.width, self.free = bytearray(b"\x1f\x9d\x90"), 0, 0, 9, 257

    def put(self, code):
        self.bits |= code << self.filled
        self.filled += self.width
        if self.filled == 8 * self.width:
            self._flush()
        if self.free > (1 << self.width) - 1 and self.width < 16:
            if self.filled:
                self._flush()
            self.width += 1
        if self.free < 1 << 16:
            self.free += 1

    def _flush(self):
        self.out += self.bits.to_bytes(self.width, "little")
        self.bits = self.filled = 0

    def end(self):
        self.out += self.bits.to_bytes((self.filled + 7) // 8, "little")
        return bytes(self.out)


def compress_zeros(size):
    """.Z: the n-th code stands for a run of n zeros, one longer each time."""
    codes, run = _Codes(), 1
    while size > 0:
        take = min(run, size)
        codes.put(0 if take == 1 else 255 + take)
        size -= take
        run = min(run + 1, (1 << 16) - 256)
    return codes.end()


def compress_raw(data):
    """.Z: no code but those of single bytes, and fewer of them than fill the table of 9 bits."""
    codes = _Codes()
    for byte in data[:200]:
        codes.put(byte)
    return codes.end()


ZEROS = {"gz": lambda size: gzipped(bytes(size)), "bz2": lambda size: bz2.compress(bytes(size)),
         "xz": lambda size: xz(bytes(size)), "lzma": lambda size: lzma_alone(bytes(size)),
         "lz": lambda size: lzip(bytes(size)), "zst": zstd_zeros, "lz4": lz4_zeros,
         "old.lz4": lz4_legacy_zeros, "zlib": lambda size: zlib.compress(bytes(size), 9), "Z": compress_zeros}
SMALL = {"gz": gzipped, "bz2": bz2.compress, "xz": xz, "lzma": lzma_alone, "lz": lzip, "zst": zstd_raw,
         "lz4": lz4_raw, "zlib": lambda data: zlib.compress(data, 9), "Z": compress_raw}
