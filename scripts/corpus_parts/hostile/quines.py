"""Archives that hold themselves, by the scheme of Russ Cox's "Zip Files All The Way Down" (research.swtch.com/zip).

Deflate is used as a language of two words: L(n) prints the n bytes that follow, R(n) prints the last n bytes again. All
words are equally long, so that a program can print itself and what stands before and behind it; a checksum over a file
that holds the checksum is a system of 32 linear equations.
"""
import functools
import itertools
import struct
import zlib

from .archives import directory_end, directory_entry, local_header, tar_header
from .made import Made

_LENGTHS = [(257 + code, base, extra) for code, (base, extra) in enumerate(zip(
    [3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258],
    [0] * 8 + [1] * 4 + [2] * 4 + [3] * 4 + [4] * 4 + [5] * 4 + [0]))]
_EMPTY = [0, 1, 0] + [0] * 7  # a block with fixed codes and nothing in it


def _reversed(value, count):
    return [value >> bit & 1 for bit in reversed(range(count))]


def _plain(value, count):
    return [value >> bit & 1 for bit in range(count)]


def _distance_bits(distance):
    code, base = 0, 1
    while True:
        extra = max(0, code // 2 - 1)
        if distance < base + (1 << extra):
            return _reversed(code, 5) + _plain(distance - base, extra)
        base, code = base + (1 << extra), code + 1


def _match_bits(length, distance):
    code, base, extra = [one for one in _LENGTHS if one[1] <= length][-1]
    symbol = _reversed(code - 256, 7) if code < 280 else _reversed(0xC0 + code - 280, 8)
    return symbol + _plain(length - base, extra) + _distance_bits(distance)


def _bytes_of(bits):
    return bytes(sum(bit << place for place, bit in enumerate(bits[at:at + 8])) for at in range(0, len(bits), 8))


def _split(count, parts):
    """Ways to make `count` of so many lengths that a match can have; not all, but enough of them."""
    for head in itertools.product((3, 10, 11, 18, 22, 30, 66, 130, 257, 258), repeat=parts - 1):
        if 3 <= count - sum(head) <= 258:
            yield (*head, count - sum(head))


@functools.cache
def repeat(count, unit):
    """R(count) in exactly `unit` bytes; None when there is no way."""
    for parts in range(1, 6):
        for lengths in _split(count, parts):
            bits = [0, 1, 0] + sum((_match_bits(length, count) for length in lengths), []) + [0] * 7
            missing = 8 * unit - len(bits)
            if missing >= 0 and missing % len(_EMPTY) == 0:
                return _bytes_of(bits + _EMPTY * (missing // len(_EMPTY)))
    return None


@functools.cache
def last_repeat(count, zeros):
    """R(count) and so many zero bytes, given that the last byte is one, in a block that is the last."""
    bits = [1, 1, 0]
    for length, distance in ((count, count), (zeros, 1)):
        while length > 0:
            part = length if length <= 258 else min(258, length - 3)
            bits += _match_bits(part, distance)
            length -= part
    bits += [0] * 7
    return _bytes_of(bits)


def _literal(count, unit):
    """L(count): a stored block's header, behind an empty one when words are longer."""
    return b"\0\0\0\xff\xff" * (unit // 5 - 1) + struct.pack("<BHH", 0, count, count ^ 0xFFFF)


def program(before, prefix, suffix, zeros, unit):
    """Deflate data that prints `before`, `prefix`, itself, `suffix` and `zeros`. None: not with such a prefix."""
    def word(count):
        return _literal(count, unit)
    first = len(before) + len(prefix) + unit
    again, four = repeat(first, unit), repeat(4 * unit, unit)
    if again is None or four is None:
        return None
    last = last_repeat(300, zeros)
    while last_repeat(len(last) + len(suffix), zeros) != last:
        last = last_repeat(len(last) + len(suffix), zeros)
    one, units = word(unit), word(4 * unit)
    tail = four + word(0) * 2 + word(len(last) + len(suffix))
    return b"".join([word(first), before, prefix, word(first), again, one, again, one, one,
                     units, again, one, one, units, four, units, four, units, four, units, four,
                     units, tail, tail, last, suffix, last])


def solve(image):
    """The x for which crc32(image(x)) == x, or None."""
    constant = zlib.crc32(image(0))
    rows = []  # (A + I) x = constant, by bit of the sum
    columns = [zlib.crc32(image(1 << bit)) ^ constant ^ 1 << bit for bit in range(32)]
    for bit in range(32):
        rows.append(sum((column >> bit & 1) << place for place, column in enumerate(columns)) |
                    (constant >> bit & 1) << 32)
    solved = {}
    for place in range(32):
        pivot = next((row for row in rows if row >> place & 1), None)
        if pivot is None:
            return None
        rows.remove(pivot)
        rows = [row ^ pivot if row >> place & 1 else row for row in rows]
        solved = {other: row ^ pivot if row >> place & 1 else row for other, row in solved.items()}
        solved[place] = pivot
    answer = sum((row >> 32 & 1) << place for place, row in solved.items())
    return answer if zlib.crc32(image(answer)) == answer else None


def _gzip(name, in_tar):
    unit = 10 if in_tar else 5
    prefix = b"\x1f\x8b\x08\x08" + bytes(4) + b"\2\3" + name + b"\0"

    def image(crc, size=0):
        while True:
            before = tar_header(b"quine.tar.gz", size) if in_tar else b""
            zeros = -size % 512 + 1024 if in_tar else 0
            suffix = struct.pack("<II", crc, len(before) + size + zeros)
            code = program(before, prefix, suffix, zeros, unit)
            if code is None:
                return None
            whole = prefix + code + suffix
            if len(whole) == size:
                return before, whole, bytes(zeros)
            size = len(whole)
    if image(0) is None:
        return None
    size = len(image(0)[1])
    crc = solve(lambda value: b"".join(image(value, size)))
    return None if crc is None else image(crc, size)[1]


def _zip(name):
    def image(crc, compressed=0, size=0):
        while True:
            field = {"name": name, "method": 8, "crc": crc, "size": size, "compressed": compressed, "flags": 0,
                     "extra": b""}
            prefix, entry = local_header(field), directory_entry(field, 0)
            suffix = entry + directory_end(1, len(entry), len(prefix) + compressed)
            code = program(b"", prefix, suffix, 0, 5)
            if code is None:
                return None
            whole = prefix + code + suffix
            if (len(code), len(whole)) == (compressed, size):
                return whole
            compressed, size = len(code), len(whole)
    if image(0) is None:
        return None
    crc = solve(image)
    return None if crc is None else image(crc)


def _first(make):
    """The quine with the first name for which the sums work out."""
    for length in range(1, 40):
        for letter in range(26):
            made = make((b"quine" * 8)[:length - 1] + bytes([97 + letter]))
            if made is not None:
                return made
    raise AssertionError("no name of 40 letters lets the file hold itself")


def files(_small):
    told = {"expect": ("ok",), "seen": ("limit",), "said": "not opened again", "most_records": 4}
    yield Made("itself.gz", _first(lambda name: _gzip(name, False)), **told)
    yield Made("itself.tar.gz", _first(lambda name: _gzip(name, True)), **told)
    yield Made("itself.zip", _first(_zip), **told)
