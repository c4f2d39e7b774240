"""What a family yields: one file, and what a scanner may say of it."""
import dataclasses

MIB = 1 << 20
BROKEN = ("corrupt", "partial", "unsupported", "encrypted")  # said of what is not whole
STOPPED = ("partial", "limit", "duplicate")  # said of what our own limits cut


@dataclasses.dataclass(frozen=True)
class Made:
    """`expect`: statuses the file's own record may have. `seen`: statuses of which one at least stands somewhere under
    it; empty: nothing is asked. `said`: a text that stands in some error under it. `most_records`: how many records it
    may cost. `barred`: why no scanner has to find the leaves that other programs find: bytes that are given out over
    and over, or what lies deeper than anybody opens. `cuts`: it is a tar of prefixes, of this kind of archive.
    `names`: what its members are called, byte for byte."""
    name: str
    data: bytes
    expect: tuple = ("ok",)
    seen: tuple = ()
    said: str = ""
    most_records: int = 64
    barred: str = ""
    cuts: str = ""
    names: tuple = ()


def noise(size, seed=1):
    """Bytes that do not compress, always the same (a multiplicative generator, modulus 2^31 - 1)."""
    out, state = bytearray(), seed * 7919 + 12345
    while len(out) < size:
        state = state * 48271 % 0x7FFFFFFF
        out += (state >> 7).to_bytes(3, "little")
    return bytes(out[:size])


def text(number, size=40):
    line = f"leaf {number}: nothing but text, told apart by its number\n".encode()
    return (line * (size // len(line) + 1))[:max(size, len(line))]
