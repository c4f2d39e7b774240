"""Archives made of package contents, in turn: .tar.xz, .tar.gz, .zip, .7z, .odt, .docx, .whl, four deep, ..."""
import bz2
import collections
import gzip
import io
import itertools
import lzma
import os
import pathlib
import shutil
import subprocess
import tarfile
import tempfile
import zipfile

from .common import CorpusError

TIME = 1704067200  # 2024-01-01: nothing made depends on the clock
ZIP_TIME = (2024, 1, 1, 0, 0, 0)


def tar(members):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for name, data in members:
            info = tarfile.TarInfo(name)
            info.size, info.mtime, info.mode = len(data), TIME, 0o644
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


def zipped(members, stored=()):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in members:
            info = zipfile.ZipInfo(name, ZIP_TIME)
            info.compress_type = zipfile.ZIP_STORED if name in stored else zipfile.ZIP_DEFLATED
            info.create_system, info.external_attr = 3, 0o644 << 16
            archive.writestr(info, data)
    return out.getvalue()


def _tool(command, data):
    done = subprocess.run(command, input=data, capture_output=True)
    if done.returncode:
        raise CorpusError(f"{command[0]} failed: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout


def seven(members):
    """A solid 7z with no times in it."""
    with tempfile.TemporaryDirectory() as folder:
        for name, data in members:
            path = pathlib.Path(folder, "in", name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        _tool(["sh", "-c", f"cd '{folder}/in' && find . -type f | sed 's/^..//' | LC_ALL=C sort > ../list && "
               "exec 7z a -bd -y -mx5 -mmt1 -mtm- -mtc- -mta- ../out.7z @../list"], b"")
        return pathlib.Path(folder, "out.7z").read_bytes()


def odt(members):
    content = b"".join(b"<text:p>" + _escape(line) + b"</text:p>\n" for _, data in members for line in data.split(b"\n"))
    head = (b'<?xml version="1.0" encoding="UTF-8"?>\n<office:document-content xmlns:office='
            b'"urn:oasis:names:tc:opendocument:xmlns:office:1.0" xmlns:text='
            b'"urn:oasis:names:tc:opendocument:xmlns:text:1.0" office:version="1.3"><office:body><office:text>\n')
    index = (b'<?xml version="1.0" encoding="UTF-8"?>\n<manifest:manifest xmlns:manifest='
             b'"urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"><manifest:file-entry manifest:full-path="/" '
             b'manifest:media-type="application/vnd.oasis.opendocument.text"/></manifest:manifest>')
    return zipped([("mimetype", b"application/vnd.oasis.opendocument.text"), ("META-INF/manifest.xml", index),
                   ("content.xml", head + content + b"</office:text></office:body></office:document-content>")],
                  stored=("mimetype",))


def docx(members):
    content = b"".join(b"<w:p><w:r><w:t>" + _escape(line) + b"</w:t></w:r></w:p>\n"
                       for _, data in members for line in data.split(b"\n"))
    head = b'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
    types = (head + b'<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default '
             b'Extension="xml" ContentType="application/xml"/><Override PartName="/word/document.xml" ContentType='
             b'"application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>')
    body = (head + b'<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>' +
            content + b"</w:body></w:document>")
    return zipped([("[Content_Types].xml", types), ("word/document.xml", body)] +
                  [(f"word/media/{number}{os.path.splitext(name)[1] or '.bin'}", data)
                   for number, (name, data) in enumerate(members)])


def _escape(line):
    line = bytes(byte for byte in line if byte >= 32 or byte == 9).decode("utf-8", "replace")
    return line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").encode()


def archives(files, jars, group):
    """Yields (name, bytes) without end of files: each archive holds files of about `group` bytes, each file once.

    Four deep means gzip > tar > zip > jar or zip.
    """
    if shutil.which("7z") is None or shutil.which("zstd") is None:
        raise CorpusError("7z and zstd are needed to make archives: apt-get install p7zip-full zstd")
    waiting, spare = collections.deque(files), iter(jars)

    def members(share=1.0):
        taken, size = [], 0
        while waiting:
            package, name, path, length = waiting.popleft()
            taken.append((f"{package.name}/{name}", pathlib.Path(path).read_bytes()))
            size += length
            if size >= group * share:
                break
        return taken

    def four_deep():
        deepest = [(name, pathlib.Path(path).read_bytes())
                   for _, name, path, size in itertools.islice(spare, 4) if size <= group]
        inner = zipped([(f"lib/{os.path.basename(name)}", data) for name, data in deepest] +
                       [("docs.zip", zipped(members(0.3))), ("book.odt", odt(members(0.2)))] + members(0.2))
        return gzip.compress(tar([("release/bundle.zip", inner)] + members(0.3)), 6, mtime=TIME)

    forms = [("tar.xz", lambda: lzma.compress(tar(members()), preset=6)),
             ("tar.gz", lambda: gzip.compress(tar(members()), 6, mtime=TIME)),
             ("zip", lambda: zipped(members())),
             ("four-deep.tar.gz", four_deep),
             ("7z", lambda: seven(members())),
             ("odt", lambda: odt(members(0.3))),
             ("tar.bz2", lambda: bz2.compress(tar(members()))),
             ("docx", lambda: docx(members(0.3))),
             ("tar.zst", lambda: _tool(["zstd", "-q", "-9", "-c"], tar(members()))),
             ("whl", lambda: zipped(members(0.5)))]
    for number in itertools.count():
        if not waiting:
            return
        kind, make = forms[number % len(forms)]
        yield f"{kind.replace('four-deep.tar.gz', 'four-deep')}/{number:03}.{kind}", make()
