"""Archives in archives: many leaves of few contents, and more layers than anybody opens."""
from . import archives, streams
from .made import Made, text

LAYERS = [("zip", lambda data: archives.zip_of([archives.packed(b"in", data)])), ("gz", streams.gzipped),
          ("tar", lambda data: archives.tar_of([(b"in", data)])), ("xz", streams.xz),
          ("7z", lambda data: archives.seven_of([("in", data)]))]


def layered(count, only=None):
    """`count` archives, one in the other, a text in the innermost."""
    data = text(count)
    for number in range(count):
        kind, wrap = LAYERS[number % len(LAYERS)] if only is None else only
        data = wrap(data)
    return kind, data


def nary(width, depth, leaves, pack):
    """Each of `depth` layers holds `width` times the one below: width^depth leaves, depth + leaves contents."""
    data = pack([(f"{number}.txt", text(number % leaves)) for number in range(width)])
    for _ in range(depth - 1):
        data = pack([(f"{number}", data) for number in range(width)])
    return data


def files(small):
    width, depth = (6, 3) if small else (16, 5)
    for kind, pack in (("zip", lambda members: archives.zip_of([archives.packed(n.encode(), d) for n, d in members])),
                       ("tar", lambda members: archives.tar_of([(n.encode(), d) for n, d in members])),
                       ("7z", archives.seven_of)):
        layers = min(depth, 3) if kind == "tar" else depth  # nothing in it is compressed: it is as large as its leaves
        yield Made(f"{width}-to-the-{layers}.{kind}", nary(width, layers, 5, pack), seen=("duplicate",),
                   most_records=1 + width * layers)
    for number, one in enumerate(LAYERS):
        kind, data = layered(10, one)
        yield Made(f"ten-{number}.{kind}", data, most_records=12)
    told = {"seen": ("limit",), "said": "max_depth", "most_records": 62, "barred": "deeper than 16 layers"}
    kind, data = layered(60)
    yield Made(f"sixty.{kind}", data, **told)
    kind, data = layered(60, LAYERS[0])
    yield Made(f"sixty-zips.{kind}", data, **told)
