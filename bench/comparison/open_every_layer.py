"""What a script does that opens every layer with bsdtar: extracts a file, looks at what came out, extracts that.

usage: open_every_layer.py FOLDER FILE    (FOLDER: for what comes out; removed afterwards)

Writes SHA-256 and size of every file that came out, at any depth, by one sha256sum a layer. What bsdtar does not
know, and what it cannot read to its end, stays as it is and is said on standard error.
"""
import os
import shutil
import subprocess
import sys
import tempfile

ARCHIVES = ((0, b"!<arch>\n"), (0, b"PK\x03\x04"), (0, b"PK\x05\x06"), (0, b"7z\xbc\xaf\x27\x1c"), (0, b"Rar!\x1a\x07"),
            (0, b"070701"), (0, b"070702"), (0, b"070707"), (0, b"MSCF"), (257, b"ustar"))
COMPRESSED = ((0, b"\xfd7zXZ\x00"), (0, b"\x1f\x8b"), (0, b"BZh"), (0, b"\x28\xb5\x2f\xfd"), (0, b"\x04\x22\x4d\x18"), (0, b"LZIP"),
              (0, b"\x1f\x9d"), (0, b"\x5d\x00\x00"))
MOST_DEPTH = 24


def begins(head, magics):
    return any(head[at:at + len(magic)] == magic for at, magic in magics)


def quiet(*command, **more):
    return subprocess.run(command, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False, **more).returncode


def open_layer(path, head, into):
    """Extracts one layer of `path` into a folder. False: it is no container, or bsdtar does not know it."""
    packed = begins(head, COMPRESSED)
    if not packed and not begins(head, ARCHIVES):
        return False
    # Also of a compressed tar: both layers at once, in one process.
    if quiet("bsdtar", "-xf", path, "-C", into, "--no-same-owner", "--passphrase", "none") == 0 or os.listdir(into):
        return True
    if not packed:
        print(f"cannot open {path}", file=sys.stderr)
        return False
    with open(os.path.join(into, "content"), "wb") as out:
        return quiet("bsdcat", path, stdout=out) == 0


def open_all(path, folder, depth):
    with open(path, "rb") as file:
        head = file.read(512)
    into = tempfile.mkdtemp(dir=folder)
    try:
        if depth >= MOST_DEPTH or not open_layer(path, head, into):
            return
        found = []
        for parent, _, names in os.walk(into):
            found += [full for full in (os.path.join(parent, name) for name in names) if os.path.isfile(full) and not os.path.islink(full)]
        subprocess.run(["xargs", "-0", "sha256sum", "--"], input=b"\0".join(map(os.fsencode, found)), check=False)
        for member in found:
            os.chmod(member, 0o600)
            open_all(member, folder, depth + 1)
    finally:
        quiet("chmod", "-R", "u+rwX", into)
        shutil.rmtree(into, ignore_errors=True)


if __name__ == "__main__":
    open_all(sys.argv[2], sys.argv[1], 0)
