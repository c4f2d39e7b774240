"""Small archives cut short behind each of their bytes: one tar of all prefixes for each format."""
from . import archives, streams
from .made import Made, text

LEAF = text(5)


def whole():
    members = [("first", LEAF), ("second", text(6))]
    narrow = [(name.encode(), data) for name, data in members]
    yield from ((kind, pack(LEAF)) for kind, pack in streams.SMALL.items())
    yield "zip", archives.zip_of([archives.packed(*one) for one in narrow])
    yield "7z", archives.seven_of(members)
    yield "ar", archives.ar_of([(name + b"/", data) for name, data in narrow])
    yield "cpio", archives.cpio_of(narrow)
    yield "tar", archives.tar_of(narrow)


def files(small):
    for kind, data in whole():
        # A tar's blocks are of 512 bytes, most of them zeros.
        step = (7 if small else 1) if kind != "tar" else (509 if small else 64)
        lengths = sorted({*range(1, len(data), step), len(data)})
        members = [(b"%04d.%s" % (length, kind.encode()), data[:length]) for length in lengths]
        yield Made(f"{kind}-cut.tar", archives.tar_of(members), seen=("ok",), most_records=4 * len(lengths) + 1,
                   cuts=kind)
