"""A great many members of one byte each: what costs is their number."""
from . import archives, streams
from .made import Made


def files(small):
    count = 2_000 if small else 60_000
    members = [(b"%05d" % number, bytes([number % 251])) for number in range(count)]
    told = {"most_records": count + 2, "seen": ("duplicate",)}
    tar = archives.tar_of(members)
    yield Made("members.zip", archives.zip_of([archives.Member(*one) for one in members]), **told)
    yield Made("members.tar.gz", streams.gzipped(tar, 6), **told)
    yield Made("members.7z", archives.seven_of([(name.decode(), data) for name, data in members]), **told)
    yield Made("members.ar", archives.ar_of([(name + b"/", data) for name, data in members]), **told)
    yield Made("members.cpio", archives.cpio_of(members), **told)
