"""What the parts of scripts/corpus share: sizes, hashes, progress, files that appear whole or not at all."""
import hashlib
import os
import pathlib
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
_BEGUN = time.monotonic()


class CorpusError(Exception):
    """Something the user can mend; the message says how."""


def say(text):
    print(f"[{time.monotonic() - _BEGUN:6.1f} s] {text}", file=sys.stderr, flush=True)


def human(count):
    for unit in ("B", "kB", "MB"):
        if count < 1000:
            return f"{count:.0f} {unit}"
        count /= 1000
    return f"{count:.2f} GB"


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def sha256_of(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_whole(path, data):
    """Writes `data` so that a file of this name is either complete or absent."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name[:200] + ".part")
    part.write_bytes(data)
    os.replace(part, path)
