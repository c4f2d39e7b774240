"""Names that lead elsewhere, look like others, or are none, in zip, tar and 7z. No two leaves are equal."""
from . import archives
from .made import Made, text

NAMES = [b"../../outside", b"/absolute", b"C:\\windows\\outside", b"..\\..\\outside", b"a/../../outside", b"./dot",
         b"new\nline", b"tab\there", b"\x1b[31mred\x1b[0m\x07", b"carriage\rreturn", b"quote\"and\\backslash",
         b"a!b!c", b"!#0", b"trailing.", b"trailing ", b" ", b".", b"..", b"CON", b"aux.txt", b"COM1", b"nul",
         b"file:stream", b"~", b"$(touch outside)", b"`touch outside`", b"-rf", b"%2e%2e%2foutside",
         "gpj.exe \u202egnp.txt".encode(), "e\u0301 \u00e9".encode(), "\u2028separator".encode(),
         b"\xff\xfe not UTF-8 \xc3", b"\xed\xa0\x80 surrogate", b"\xc0\xaf overlong", b"same", b"same"]
LONG = [b"long/" * 13_000 + b"name"]
NUL = [b"visible.txt\0.exe"]  # in tar and 7z a NUL ends the name


def _members(names):
    return [(name, text(number)) for number, name in enumerate(names)]


def files(_small):
    for flags, what in ((0, ""), (1 << 11, "-said-to-be-utf-8")):
        yield Made(f"names{what}.zip", archives.zip_of(
            [archives.Member(name, data, flags=flags) for name, data in _members(NAMES + LONG + NUL)]),
            seen=("ok",), most_records=64, names=tuple(NAMES + LONG + NUL))
    yield Made("names.tar", archives.tar_of(_members(NAMES + LONG)), seen=("ok",), names=tuple(NAMES + LONG))
    wide = [name for name in NAMES + LONG if _is_text(name)]
    yield Made("names.7z", archives.seven_of([(name.decode(), data) for name, data in _members(wide)]), seen=("ok",),
               names=tuple(wide))
    halves = b"\x00\xd8" + "half a pair".encode("utf-16-le")
    yield Made("half-a-pair.7z", archives.seven_of([(halves, text(1))]), seen=("ok",))
    links = archives.tar_header(b"link", 0, b"2", link=b"/etc/passwd") + \
        archives.tar_header(b"link/through", 40) + archives.padded(text(2)[:40])
    yield Made("through-a-link.tar", links + bytes(1024), seen=("ok",), most_records=3)


def _is_text(name):
    try:
        name.decode()
    except UnicodeDecodeError:
        return False
    return True
