#!/usr/bin/env python3
"""Runs the program as a person does. Needs $STOQ (the program), $STOQ_EXPECTED_VERSION and
$STOQ_FIXTURES (the folder of witness_*.so).

Truth comes from the standard library (hashlib, gzip, json) and zstd(1), never from the program.
"""
import array
import base64
import contextlib
import codecs
import fcntl
import gzip
import hashlib
import io
import json
import os
import pty
import random
import re
import select
import shutil
import signal
import sqlite3
import struct
import subprocess
import tarfile
import tempfile
import termios
import time
import unittest
import zipfile
import zlib

STOQ = os.environ["STOQ"]
os.environ["STOQ_CONFIG"] = ""  # no stoq.cfg of this machine
NAMES_BYTEWISE = [b"B", b"a", b"line\nbreak", b'quote"', b"tab\t", b"\xc3\xa9", b"\xff\xfe"]


class CliTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="stoq-cli-")
        self.addCleanup(self.folder.cleanup)
        self.place = self.folder.name

    def path(self, *parts):
        return os.path.join(self.place, *parts)

    def write(self, name, content=b"x"):
        path = os.path.join(os.fsencode(self.place), os.fsencode(name))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(content)
        return path

    def stoq(self, *arguments, stdin=b"", program=STOQ, **environment):
        return subprocess.run([program, *arguments], input=stdin, capture_output=True,
                              cwd=self.place, timeout=60, check=False,
                              env={**os.environ, **environment})

    def scan(self, *arguments, stdin=b"", code=0):
        """The records, as parsed."""
        run = self.stoq("scan", "-w", "none", *arguments, stdin=stdin)
        self.assertEqual(run.returncode, code, run.stderr)
        return self.records(run.stdout)

    def wait_until(self, condition, what):
        for _ in range(6000):
            if condition():
                return
            time.sleep(0.01)
        self.fail("never came: " + what)

    def records(self, output):
        self.assertTrue(output == b"" or output.endswith(b"\n"))
        return [json.loads(line) for line in output.decode("utf-8").splitlines()]

    def refused(self, *arguments, saying):
        run = self.stoq(*arguments)
        self.assertEqual(run.returncode, 2, run)
        self.assertEqual(run.stdout, b"")
        self.assertTrue(run.stderr.startswith(b"stoq: "), run.stderr)
        self.assertEqual(run.stderr.count(b"\n"), 1, run.stderr)
        for text in saying:
            self.assertIn(text, run.stderr.decode())

    @staticmethod
    def paths(records):
        return [record["file"]["path"] for record in records]

    @staticmethod
    def ok(records):
        return [r["file"]["path"] for r in records if r["stoq"]["status"] == "ok"]


class Usage(CliTest):
    def test_version(self):
        run = self.stoq("--version")
        self.assertEqual(run.returncode, 0)
        self.assertEqual(run.stdout.decode(), "stoq " + os.environ["STOQ_EXPECTED_VERSION"] + "\n")

    def test_help_shows_every_command_and_fits_a_terminal(self):
        run = self.stoq("--help")
        self.assertEqual((run.returncode, run.stderr), (0, b""))
        for command in ("scan", "bench", "list", "info", "get", "graph", "new", "install", "schema"):
            self.assertIn(command, run.stdout.decode())
            self.assertEqual(self.stoq(command, "--help").returncode, 0)

    def test_help_names_every_option(self):
        text = self.stoq("scan", "-h").stdout.decode()
        for option in """-w,--worker -o,--output -j,--threads --memory --max-depth --max-children
                --max-child-bytes --max-ratio --max-root-bytes --max-root-payloads --plugin-timeout
                --root-timeout --hash --rules --dispatch-rules --option --config --plugin-dir
                --include --exclude --min-size --max-size --files-from --unordered --timing
                --format -I,--source -C,--connector -A,--archive --run-json --quiet --summary
                --log-level --log-file --log-max-size --log-count -T,--template --text-connector --split
                --rate-limit --cron""".split():
            self.assertIn(option, text)
        self.assertLessEqual(max(len(line) for line in text.splitlines()), 100)

    def test_nothing_to_do(self):
        self.refused(saying=["stoq scan PATH", "--help"])
        self.refused("scan", saying=["nothing to scan", "--files-from"])

    def test_names_what_was_meant(self):
        self.refused("scn", "x", saying=["'scn'", "stoq scan"])
        self.refused("/etc", saying=["stoq scan /etc"])
        self.refused("scan", "--max-dept", "3", "x", saying=["--max-dept'", "'--max-depth'"])
        self.refused("scan", "--hash", "sha265", "x", saying=["'sha265'", "'sha256'"])
        self.refused("scan", "-w", "entrpy", "x", saying=["'entrpy'", "'entropy'"])
        self.refused("scan", "-C", "fiel", "x", saying=["'fiel'", "'file'"])
        self.refused("scan", "-I", "filedri", "x", saying=["'filedri'", "'filedir'"])
        self.refused("scan", "--option", "filedri.x=1", "x", saying=["'filedri'", "'filedir'"])
        self.refused("scan", "-o", "r", "--option", "file.levle=1", "x", saying=["'levle'", "'level'"])
        self.refused("info", "entrpy", saying=["entrpy", "entropy"])

    def test_refuses_bad_values(self):
        for option, value in (("--memory", "lots"), ("--memory", "-1"), ("--max-depth", "1.5"),
                              ("-j", "many"), ("-j", "99999999999"), ("--min-size", "5X"),
                              ("--plugin-timeout", "0"), ("--root-timeout", "nan"),
                              ("--max-ratio", "0"), ("--format", "xml"), ("--option", "novalue"),
                              ("--option", "file=x"), ("-w", "none,entropy")):
            with self.subTest(option=option, value=value):
                self.refused("scan", "x", option + "=" + value if option.startswith("--")
                             else option + value, saying=[value.split(",")[0]])
        self.refused("scan", "x", "--memory", saying=["--memory"])
        self.refused("scan", "x", "--min-size", "2K", "--max-size", "1K", saying=["--max-size"])
        self.refused("scan", "x", "--files-from", "gone", saying=["'gone'", "No such file"])
        self.refused("scan", "x", "-o", "gone/out", saying=["gone/out", "No such file"])
        self.refused("list", "extra", saying=["'extra'"])

    def test_exit_codes(self):
        self.write("ok")
        self.assertEqual(self.stoq("scan", "ok").returncode, 0)
        self.assertEqual(self.stoq("scan", "gone").returncode, 1)
        self.assertEqual(self.stoq("scan", "--wrong", "ok").returncode, 2)

    def test_lists_and_describes_plugins(self):
        listed = self.stoq("list")
        self.assertEqual(listed.returncode, 0)
        for name in ("source:filedir", "connector:stdout", "connector:file", "worker:entropy"):
            self.assertIn(name, listed.stdout.decode())
        described = self.stoq("info", "connector:file")
        self.assertEqual(described.returncode, 0)
        for option in ("path", "level", "sync"):
            self.assertIn(option, described.stdout.decode())

    def test_prints_the_graph(self):
        run = self.stoq("graph", "-w", "none")
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertTrue(run.stdout.startswith(b"digraph"), run.stdout[:100])

    def test_schema_describes_what_is_written(self):
        schema = json.loads(self.stoq("schema").stdout)
        self.write("a.zip", zipped({"b.txt": b"text"}))
        records = self.scan("a.zip", "gone", "--hash", "md5,sha1,sha512", code=1)
        self.assertEqual(len(records), 3)
        for record in records:
            self.check(record, schema, schema)
        self.assertIn("read_json", self.stoq("schema", "--duckdb").stdout.decode())

    def check(self, value, schema, top, where="$"):
        """The part of JSON Schema that the schema uses; members must be known to it."""
        if "$ref" in schema:
            schema = top["$defs"][schema["$ref"].rsplit("/", 1)[1]]
        types = {"object": dict, "array": list, "string": str, "integer": int, "boolean": bool}
        if "type" in schema:
            self.assertIsInstance(value, types[schema["type"]], where)
        if "enum" in schema:
            self.assertIn(value, schema["enum"], where)
        if "const" in schema:
            self.assertEqual(value, schema["const"], where)
        if "pattern" in schema:
            self.assertRegex(value, schema["pattern"], where)
        for name in schema.get("required", []):
            self.assertIn(name, value, where)
        for name, part in value.items() if isinstance(value, dict) else ():
            if where != "$.stoq.origin" and "properties" in schema:
                self.assertIn(name, schema["properties"], where)
            self.check(part, schema.get("properties", {}).get(name, {}), top, where + "." + name)
        for part in value if isinstance(value, list) else ():
            self.check(part, schema.get("items", {}), top, where + "[]")


def zipped(members):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


class Input(CliTest):
    def test_hashes_every_file(self):
        contents = {"top/" + str(i): random.Random(i).randbytes(i * 1000) for i in range(20)}
        for name, content in contents.items():
            self.write(name, content)
        records = self.scan("top", "--hash", "md5,sha1,sha256,sha512")
        self.assertEqual(self.paths(records), sorted(contents))
        for record in records:
            content = contents[record["file"]["path"]]
            self.assertEqual(record["file"].get("size", 0), len(content))
            for name, digest in record["file"]["hash"].items():
                self.assertEqual(digest, hashlib.new(name, content).hexdigest())
            self.assertEqual(len(record["file"]["hash"]), 4)

    def test_hostile_names(self):
        for name in NAMES_BYTEWISE:
            self.write(b"top/" + name)
        records = self.scan("top")
        self.assertEqual(len(records), len(NAMES_BYTEWISE))
        for name, record in zip(NAMES_BYTEWISE, records):
            self.assertEqual(record["file"]["name"], name.decode("utf-8", "replace"))
            exact = record["stoq"].get("name_b64")
            if exact is not None:
                self.assertEqual(base64.b64decode(exact), name)
            else:
                self.assertEqual(record["file"]["name"].encode(), name)

    def test_names_that_look_like_something_else(self):
        names = ["[a,b]", "list", "scan", "%%", "{}", "-", "a=b", "\x01[a]"]
        for name in names:
            self.write(name)
        self.assertEqual(self.paths(self.scan(*names)), names)
        self.write("-x")
        self.write("++")
        self.assertEqual(self.paths(self.scan("list", "--", "-x", "++", "[a,b]")),
                         ["list", "-x", "++", "[a,b]"])

    def test_lists(self):
        for name in ("a", "b", "two\nlines"):
            self.write(name)
        self.assertEqual(self.paths(self.scan("--files-from", "-", stdin=b"b\na\n")), ["b", "a"])
        self.assertEqual(self.paths(self.scan("--files-from=-", stdin=b"two\nlines\0a\0")),
                         ["two\nlines", "a"])
        self.write("list", b"a\nb\n")
        self.assertEqual(self.paths(self.scan("--files-from", "list", "b")), ["b", "a", "b"])
        self.assertEqual(self.scan("--files-from", "-", stdin=b""), [])

    def test_globs(self):
        for name in ("top/a.exe", "top/b.txt", "top/sub/c.exe", "top/tmp/d.exe"):
            self.write(name)
        records = self.scan("top", "--include", "*.exe", "--exclude", "tmp/")
        self.assertEqual(self.ok(records), ["top/a.exe", "top/sub/c.exe"])
        self.assertEqual(self.paths(records), ["top/a.exe", "top/b.txt", "top/sub/c.exe", "top/tmp"])

    def test_sizes(self):
        for size in (0, 1, 1024, 2048, 5000):
            self.write("top/%04d" % size, b"x" * size)
        run = self.stoq("scan", "-w", "none", "top", "--min-size", "1K", "--max-size", "2K")
        records = self.records(run.stdout)
        self.assertEqual(self.ok(records), ["top/1024", "top/2048"])
        self.assertEqual([r["stoq"]["status"] for r in records],
                         ["filtered", "filtered", "ok", "ok", "filtered"])

    def test_missing_and_special(self):
        self.write("top/file")
        os.symlink("file", self.path("top", "link"))
        os.mkfifo(self.path("top", "fifo"))
        records = self.records(self.stoq("scan", "-w", "none", "top", "gone").stdout)
        status = {r["file"]["path"]: r["stoq"]["status"] for r in records}
        self.assertEqual(status, {"top/fifo": "filtered", "top/file": "ok", "top/link": "filtered",
                                  "gone": "io_error"})

    def test_layers(self):
        inner = zipped({"leaf.txt": b"leaf"})
        self.write("outer.zip", zipped({"inner.zip": inner}))
        records = self.scan("outer.zip")
        self.assertEqual([r["file"]["hash"]["sha256"] for r in records][1:],
                         [hashlib.sha256(b).hexdigest() for b in (inner, b"leaf")])
        shallow = self.scan("outer.zip", "--max-depth", "1", code=1)
        self.assertEqual([r["stoq"]["depth"] for r in shallow], [0, 1])


    def test_tlp_and_metadata(self):
        self.write("in/a.zip", zipped({"b.txt": b"beta"}))
        run = self.stoq("scan", "in", "-w", "entropy", "-q", "--tlp", "amber", "--metadata", "case:1234",
                        "--metadata", "url:http://x:1", "--option", "entropy.max_tlp=green")
        self.assertEqual(run.returncode, 1)
        root, child = self.records(run.stdout)
        self.assertEqual(root["stoq"]["meta"], {"case": "1234", "url": "http://x:1"})
        self.assertNotIn("meta", child["stoq"])
        for record in (root, child):
            self.assertEqual(record["stoq"]["tlp"], "amber")
            self.assertEqual(record["stoq"]["status"], "partial")
            self.assertNotIn("workers", record["stoq"])
            self.assertEqual([(e["plugin"], e["kind"]) for e in record["stoq"]["errors"]], [("worker:entropy", "max_tlp")])
        shown = self.stoq("scan", "in", "-w", "entropy", "-q", "--tlp", "clear", "--option", "entropy.max_tlp=green")
        self.assertEqual(shown.returncode, 0, shown.stderr)
        self.assertEqual({record["stoq"]["tlp"] for record in self.records(shown.stdout)}, {"white"})
        plain = self.records(self.stoq("scan", "in", "-q").stdout)
        self.assertFalse(any("tlp" in record["stoq"] for record in plain))

    def test_refuses_levels_and_metadata_it_cannot_read(self):
        self.write("in/a.txt", b"a")
        for arguments, word in ((["--tlp", "blue"], "blue"), (["--metadata", "case"], "case"),
                                (["--metadata", ":1"], ":1"),
                                (["-w", "entropy", "--option", "entropy.max_tlp=blue"], "blue")):
            with self.subTest(arguments=arguments):
                run = self.stoq("scan", "in", *arguments)
                self.assertEqual(run.returncode, 2)
                self.assertIn(word, run.stderr.decode())
                self.assertEqual(run.stderr.decode().strip().count("\n"), 0)


class Output(CliTest):
    def setUp(self):
        super().setUp()
        for i in range(300):
            self.write("top/%d/%d" % (i % 7, i), random.Random(i).randbytes(i * 7))
        self.write("top/a.zip", zipped({str(i): b"%d" % i * i for i in range(100)}))
        self.expected = self.stoq("scan", "-w", "none", "top", "-j1").stdout

    def test_same_bytes_for_any_number_of_threads(self):
        self.assertGreater(len(self.expected.splitlines()), 400)
        for threads in ("1", "2", "8"):
            run = self.stoq("scan", "-w", "none", "top", "-j", threads)
            self.assertEqual(run.stdout, self.expected, threads)

    def test_unordered_has_the_same_lines(self):
        run = self.stoq("scan", "-w", "none", "top", "-j8", "--unordered")
        self.assertEqual(sorted(run.stdout.splitlines()), sorted(self.expected.splitlines()))

    def test_files(self):
        for name in ("out.jsonl", "out.jsonl.gz", "out.jsonl.zst"):
            run = self.stoq("scan", "-w", "none", "top", "-o", name)
            self.assertEqual((run.returncode, run.stdout), (0, b""), run.stderr)
            self.assertFalse(os.path.exists(self.path(name + ".part")))
        with open(self.path("out.jsonl"), "rb") as file:
            self.assertEqual(file.read(), self.expected)
        with gzip.open(self.path("out.jsonl.gz")) as file:
            self.assertEqual(file.read(), self.expected)
        unpacked = subprocess.run(["zstd", "-dcq", self.path("out.jsonl.zst")], check=True,
                                  capture_output=True).stdout
        self.assertEqual(unpacked, self.expected)

    def test_run_json(self):
        self.stoq("scan", "-w", "none", "top", "-o", "out.jsonl")
        with open(self.path("run.json"), "rb") as file:
            self.assertIsInstance(json.load(file), dict)
        self.stoq("scan", "-w", "none", "top", "--run-json", "other.json")
        with open(self.path("other.json"), "rb") as file:
            self.assertIsInstance(json.load(file), dict)
        self.stoq("scan", "-w", "none", "top", "-o", "/dev/null")
        self.assertFalse(os.path.exists("/dev/run.json"))

    def test_summary(self):
        run = self.stoq("scan", "-w", "none", "top")
        self.assertIn(b"301 files", run.stderr)
        self.assertNotIn(b"\x1b", run.stderr)
        self.assertNotIn(b"\r", run.stderr)
        quiet = self.stoq("scan", "-w", "none", "top", "-q")
        self.assertEqual(quiet.stderr, b"")
        both = self.stoq("scan", "-w", "none", "top", "-q", "--summary")
        self.assertIn(b"301 files", both.stderr)

    def test_full_disk_and_closed_pipe(self):
        run = self.stoq("scan", "-w", "none", "top", "-o", "/dev/full")
        self.assertEqual(run.returncode, 2, run.stderr)
        self.assertIn(b"No space left", run.stderr)
        reader, writer = os.pipe()
        os.close(reader)
        run = subprocess.run([STOQ, "scan", "-w", "none", "top"], cwd=self.place, stdout=writer,
                             stderr=subprocess.PIPE, timeout=60, check=False)
        os.close(writer)
        self.assertEqual(run.returncode, 2, run.stderr)
        self.assertIn(b"standard output was closed", run.stderr)


class Dispatch(CliTest):
    """What the shipped rules find, under the plugin that they name for it."""
    TEXT = b"It was a plain text, hidden by somebody who hoped that nobody would look here.\n" * 4
    NOISE = random.Random(3).randbytes(4000)

    @staticmethod
    def zipped(name, content):
        made = io.BytesIO()
        with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(zipfile.ZipInfo(name), content)
        return made.getvalue()

    @staticmethod
    def turned(text, bits):
        """Each byte's bits by so many to the left."""
        return bytes((b << bits | b >> (8 - bits)) & 255 for b in text)

    @staticmethod
    def rot47(text):
        return bytes(33 + (b - 33 + 47) % 94 if 33 <= b <= 126 else b for b in text)

    def brought_out(self, content):
        """By plugin, the SHA-256 of what comes out at any depth."""
        found = {}
        for record in self.scan(self.write("input", content)):
            if origin := record["stoq"].get("origin"):
                plugin = origin["category"] + ":" + origin["plugin"]
                found.setdefault(plugin, []).append(record["file"]["hash"]["sha256"])
        return found

    def test_finds_what_is_encoded(self):
        program = b"MZ" + self.NOISE[:76] + b"This program cannot be run in DOS mode.\r\n" + self.NOISE
        link = self.NOISE + b"https://example.org/a" + self.NOISE
        rtf = b"{\\rtf1\\ansi {\\object {\\*\\objdata "
        hidden = b"<script>document.write(1)</script>"
        escaped = b"".join(b"%%%02x" % b for b in hidden)
        words = "".join(f"%u{self.NOISE[i]:02x}{self.NOISE[i + 1]:02x}" for i in range(0, 80, 2)).encode()
        swapped = bytes(self.NOISE[i ^ 1] for i in range(80))
        cases = [
            ("decoder:hex", b"MZ" .hex().encode() + self.NOISE.hex().encode(), b"MZ" + self.NOISE),
            ("decoder:hex", rtf + self.zipped("a", self.TEXT).hex().encode() + b"}}", self.zipped("a", self.TEXT)),
            ("decoder:url", b"x = unescape('" + escaped + b"');\n", hidden),
            ("decoder:url", b"s = unescape('" + words + b"');\n", swapped),
            ("decoder:rot13", codecs.encode("see http://example.org\n", "rot13").encode(), b"see http://example.org\n"),
            ("decoder:rot47", self.rot47(b"see https://example.org\n"), b"see https://example.org\n")]
        cases += [("decoder:bitrot", self.turned(program, bits), program) for bits in range(1, 8)]
        cases += [("decoder:bitrot", self.turned(link, bits), link) for bits in range(1, 8)]
        for plugin, content, child in cases:
            with self.subTest(plugin, content=content[:40]):
                self.assertIn(hashlib.sha256(child).hexdigest(), self.brought_out(content).get(plugin, ()))

    @staticmethod
    def program():
        """A PE of one section; by its headers it ends where the section does."""
        optional = struct.pack("<HBBIIIIIII", 0x10b, 14, 0, 0x200, 0, 0, 0x1000, 0x1000, 0x2000, 0x400000)
        optional += struct.pack("<IIHHHHHHIIIIHH", 0x1000, 0x200, 6, 0, 0, 0, 6, 0, 0, 0x2000, 0x200, 0, 3, 0)
        optional += struct.pack("<IIIIII", 0x100000, 0x1000, 0x100000, 0x1000, 0, 16) + bytes(16 * 8)
        made = b"MZ" + bytes(0x3a) + struct.pack("<I", 0x80)
        made += b"\x0e\x1f\xba\x0e\0\xb4\x09\xcd!\xb8\1L\xcd!This program cannot be run in DOS mode.\r\r\n$"
        made = made.ljust(0x80, b"\0") + b"PE\0\0" + struct.pack("<HHIIIHH", 0x14c, 1, 0, 0, 0, len(optional), 0x102)
        made += optional + struct.pack("<8sIIIIIIHHI", b".text", 0x200, 0x1000, 0x200, 0x200, 0, 0, 0, 0, 0x60000020)
        return made.ljust(0x200, b"\0") + b"\x90" * 0x200

    @staticmethod
    def flash():
        """A Flash file: plain, and as it is packed by zlib."""
        frame = int("01111" + f"{0:015b}{11000:015b}{0:015b}{8000:015b}" + "000", 2).to_bytes(9, "big")
        body = frame + b"\0\x0c\1\0" + b"\x43\x02\xff\xff\xff" + b"\x40\0\0\0"
        head = b"WS\x0a" + struct.pack("<I", 8 + len(body))
        return b"F" + head + body, b"C" + head + zlib.compress(body)

    def test_finds_programs_in_what_hides_them(self):
        """Layer by layer: who brings out what, under the shipped rules."""
        program = self.program()
        # As in an RTF's object: the class before the file, something behind it.
        package = struct.pack("<III", 0x501, 2, 8) + b"Package\0" + bytes(8) + program + b"C:\\x.exe\0"
        rtf = b"{\\rtf1\\ansi {\\object\\objemb {\\*\\objdata " + package.hex().encode() + b"}}}"
        folded = base64.encodebytes(program)
        cases = [
            ("RTF", rtf, [("decoder:hex", package), ("carver:pe", program)]),
            ("base64", folded, [("decoder:base64", program)]),
            ("base64 in text", b"var x = '" + base64.b64encode(program) + b"';\n", [("decoder:base64", program)]),
            ("base64 of base64", base64.b64encode(folded), [("decoder:base64", folded), ("decoder:base64", program)])]
        cases += [(f"XOR {key:#x}", bytes(b ^ key for b in program), [("decoder:xor", program)])
                  for key in (0x01, 0x20, 0x5a, 0xff)]
        for name, content, layers in cases:
            with self.subTest(name):
                found = self.brought_out(content)
                for plugin, child in layers:
                    self.assertIn(hashlib.sha256(child).hexdigest(), found.get(plugin, ()), plugin)

    def test_finds_flash_in_a_document(self):
        plain, packed = self.flash()
        # The header of a compound file, as .doc has it, and sectors of anything around.
        document = bytes.fromhex("d0cf11e0a1b11ae1") + bytes(16) + struct.pack("<HHHH", 0x3e, 3, 0xfffe, 9)
        document = document.ljust(512, b"\xff") + self.NOISE[:1024]
        for name, inside in (("plain", plain), ("zlib", packed)):
            with self.subTest(name):
                found = self.brought_out(document + inside + bytes(512))
                self.assertEqual(found, {"carver:swf": [hashlib.sha256(plain).hexdigest()]})

    def test_carves_every_zip_file_once(self):
        first, second = self.zipped("a", self.TEXT), self.zipped("b", self.TEXT[::-1])
        inner = self.zipped("c", self.NOISE)
        stored = io.BytesIO()
        with zipfile.ZipFile(stored, "w", zipfile.ZIP_STORED) as archive:
            archive.writestr("inner.zip", inner)
        bar = io.BytesIO()
        with tarfile.open(fileobj=bar, mode="w") as archive:
            member = tarfile.TarInfo("a.zip")
            member.size = len(first)
            archive.addfile(member, io.BytesIO(first))
        for name, content, carved, extracted in (
                ("alone", first, [], [self.TEXT]),
                ("self-extracting", b"\x7fELF" + self.NOISE + first, [first], [self.TEXT]),
                ("in the middle", self.NOISE + first + self.NOISE * 30, [first], [self.TEXT]),
                ("two inside", self.NOISE + first + self.NOISE + second, [first, second],
                 [self.TEXT, self.TEXT[::-1]]),
                ("one behind the other", first + second, [first], [self.TEXT, self.TEXT[::-1]]),
                ("one in the other", stored.getvalue(), [], [inner, self.NOISE]),
                ("in a tar", bar.getvalue(), [], [self.TEXT])):
            with self.subTest(name):
                found = self.brought_out(content)
                self.assertEqual(sorted(found.get("carver:zip", [])),
                                 sorted(hashlib.sha256(c).hexdigest() for c in carved))
                self.assertEqual(sorted(found.get("extractor:zip", [])),
                                 sorted(hashlib.sha256(c).hexdigest() for c in extracted))

    def test_leaves_alone_what_only_looks_encoded(self):
        for content in (b"20241124\n", b"decade\n", hashlib.sha256(b"").hexdigest().encode() + b"  a.txt\n",
                        b"see http%3A%2F%2Fexample.org/%20%20%20%20a\n",
                        "https://ru.example.org/wiki/".encode() + b"%D0%9C%D0%B0%D1%80%D1%82" * 4 + b"\n",
                        b"a PK\5\6 and no archive\n"):
            with self.subTest(content=content):
                self.assertEqual(self.brought_out(content), {})


class Archive(CliTest):
    """`scan -A`, and `get`, with hashes by hashlib."""

    def setUp(self):
        super().setUp()
        self.inner = zipped({"leaf.txt": b"leaf", "again.txt": b"leaf", "other": b"other"})
        self.outer = zipped({"inner.zip": self.inner, "top.txt": b"top", "..": b"dots"})
        self.write("in/outer.zip", self.outer)
        self.write("in/same.zip", self.outer)
        self.write("in/plain", b"plain")
        self.kept = {hashlib.sha256(b).hexdigest(): b
                     for b in (self.inner, self.outer, b"leaf", b"other", b"top", b"dots", b"plain")}

    def archived(self):
        found = {}
        for folder, _, names in os.walk(self.path("archive")):
            for name in names:
                with open(os.path.join(folder, name), "rb") as file:
                    found[os.path.relpath(os.path.join(folder, name), self.path("archive"))] = file.read()
        return found

    def test_keeps_each_payload_once_and_brings_it_back(self):
        where = ("--option", "file.archive_base=archive")
        plain = self.stoq("scan", "in", "-q").stdout
        for threads in ("1", "4"):
            run = self.stoq("scan", "in", "-A", "file", *where, "-j", threads)
            self.assertEqual((run.returncode, run.stdout), (0, plain), run.stderr)
            new = 7 if threads == "1" else 0
            self.assertIn(b"Archived: %d (" % new, run.stderr)
            self.assertEqual(self.archived(), {os.path.join(*h[:5], h): b for h, b in self.kept.items()})
        for digest, content in self.kept.items():
            for name in (digest, digest.upper()):
                run = self.stoq("get", "file", name, *where)
                self.assertEqual((run.returncode, run.stdout), (0, content), run.stderr)
            self.assertEqual(self.stoq("get", "connector:file", digest, *where, "-o", "back").stdout, b"")
            found = subprocess.run(["sha256sum", "back"], cwd=self.place, capture_output=True, check=True)
            self.assertEqual(found.stdout.split()[0].decode(), digest)
        self.assertFalse(os.path.exists(self.path("back.part")))

    def test_keeps_results_and_payloads_in_one_database(self):
        lines = self.stoq("scan", "in", "-q").stdout.decode().splitlines()
        for threads in ("1", "4"):
            run = self.stoq("scan", "in", "-q", "-C", "sqlite", "-A", "sqlite", "-o", "r.db", "-j", threads)
            self.assertEqual((run.returncode, run.stdout), (0, b""), run.stderr)
            with contextlib.closing(sqlite3.connect(self.path("r.db"))) as database:
                self.assertEqual([row[0] for row in database.execute("SELECT json FROM record ORDER BY number")],
                                 lines)
                self.assertEqual(dict(database.execute("SELECT sha256, content FROM payload")), self.kept)
                joined = database.execute("SELECT path, record.size, length(content) FROM record JOIN payload"
                                          " USING (sha256) WHERE status = 'ok' AND record.size < 6").fetchall()
            self.assertIn(("in/outer.zip!inner.zip!leaf.txt", 4, 4), joined)
        self.assertEqual(sorted(os.listdir(self.place)), ["in", "r.db", "run.json"])
        for digest, content in self.kept.items():
            run = self.stoq("get", "sqlite", digest, "--option", "sqlite.path=r.db")
            self.assertEqual((run.returncode, run.stdout), (0, content), run.stderr)
        os.chmod(self.path("r.db"), 0o444)
        self.refused("get", "sqlite", "0" * 64, "--option", "sqlite.path=r.db", saying=["nothing is kept"])
        self.refused("get", "sqlite", "in/plain", "--option", "sqlite.path=r.db", saying=["SHA-256"])

    def test_says_what_could_not_be_kept(self):
        digest = hashlib.sha256(b"other").hexdigest()
        self.write(os.path.join("archive", *digest[:4]), b"a file in the way")
        run = self.stoq("scan", "in", "-q", "-w", "none", "-A", "file",
                        "--option", "file.archive_base=archive", "--run-json", "run.json")
        self.assertEqual(run.returncode, 1)
        failed = [r for r in self.records(run.stdout) if r["stoq"]["status"] == "io_error"]
        self.assertEqual([r["stoq"]["path"] for r in failed],
                         ["in/outer.zip!inner.zip!other", "in/same.zip!inner.zip!other"])
        for record in failed:
            (error,) = record["stoq"]["errors"]
            self.assertEqual(error["plugin"], "connector:file")
            self.assertIn("not archived", error["message"])
            self.assertIn("archive/" + "/".join(digest[:5]), error["message"])
        with open(self.path("run.json"), "rb") as file:
            counts = json.load(file)["archived"]
        self.assertEqual((counts["kept"], counts["failed"]), (6, 2))

    def test_refuses_what_cannot_archive_or_fetch(self):
        self.refused("scan", "in", "-A", "stdout", saying=["connector:stdout", "does not archive", "-A file"])
        self.refused("scan", "in", "-A", "fiel", saying=["'fiel'", "'file'"])
        self.refused("scan", "in", "-A", "file", saying=["archive_base"])
        self.refused("get", "stdout", "x", saying=["connector:stdout", "cannot fetch"])
        self.refused("get", "file", "0" * 64, saying=["archive_base"])
        self.refused("get", "file", "/etc/passwd", saying=["source_base_tuple"])
        self.refused("get", "file", saying=["HASH|PATH"])
        self.refused("get", "file", "0" * 64, "--option", "file.archive_base=archive",
                     saying=["nothing is kept", "0" * 64])

    def test_tells_of_damage(self):
        digest = hashlib.sha256(b"leaf").hexdigest()
        self.write(os.path.join("archive", *digest[:5], digest), b"LEAF")
        self.refused("get", "file", digest, "-o", "back", "--option", "file.archive_base=archive",
                     saying=["damaged", hashlib.sha256(b"LEAF").hexdigest()])
        self.assertFalse(os.path.exists(self.path("back")))

    def test_fetches_by_path_and_reads_a_configuration(self):
        self.write("stoq.cfg", b"[core]\nmax-depth = 3\n[plugin:file]\nsource_base_tuple = in\n")
        run = self.stoq("get", "file", "in/plain", "--config", "stoq.cfg")
        self.assertEqual((run.returncode, run.stdout), (0, b"plain"), run.stderr)
        self.refused("get", "file", "in/../stoq.cfg", "--config", "stoq.cfg", saying=["outside"])

    def test_writes_no_payload_to_a_terminal(self):
        self.write("archive/x")
        keeper, terminal = pty.openpty()
        run = subprocess.run([STOQ, "get", "file", "0" * 64], cwd=self.place, stdout=terminal,
                             stderr=subprocess.PIPE, timeout=60, check=False)
        os.close(terminal)
        os.close(keeper)
        self.assertEqual(run.returncode, 2)
        self.assertIn(b"-o FILE", run.stderr)


class Config(CliTest):
    def graph_of(self, *arguments):
        return self.stoq("scan", "top", "-q", *arguments)

    def test_file_under_command_line(self):
        self.write("top/a.zip", zipped({"b.zip": zipped({"c": b"c"})}))
        self.write("stoq.cfg", b"[core]\nworker = none\nmax_depth = 1\nhash = md5, sha1\n")
        records = self.records(self.graph_of("--config", "stoq.cfg").stdout)
        self.assertEqual(len(records), 2)
        self.assertEqual(set(records[0]["file"]["hash"]), {"md5", "sha1", "sha256"})
        records = self.records(self.graph_of("--config", "stoq.cfg", "--max-depth", "5").stdout)
        self.assertEqual(len(records), 3)

    def test_plugin_sections(self):
        self.write("top/a")
        for section in ("plugin:file", "file", "connector:file"):
            name = section.replace(":", "-") + ".jsonl"
            self.write("stoq.cfg", ("[scan]\nworker: none\nconnector: file\n[%s]\npath = %s\n" %
                                    (section, name)).encode())
            run = self.graph_of("--config", "stoq.cfg")
            self.assertEqual(run.returncode, 0, run.stderr)
            self.assertTrue(os.path.exists(self.path(name)))

    def test_refuses_what_it_does_not_know(self):
        self.write("stoq.cfg", b"[core]\nmax_dpth = 3\n")
        self.refused("scan", "x", "--config", "stoq.cfg", saying=["max_dpth", "'max-depth'"])
        self.write("stoq.cfg", b"[core]\nmax_depth = deep\n")
        self.refused("scan", "x", "--config", "stoq.cfg", saying=["stoq.cfg", "'deep'"])
        self.write("stoq.cfg", b"[core]\ntiming = perhaps\n")
        self.refused("scan", "x", "--config", "stoq.cfg", saying=["'perhaps'"])
        self.write("stoq.cfg", b"[plugin:filedri]\nx = 1\n")
        self.refused("scan", "x", "--config", "stoq.cfg", saying=["'filedri'", "'filedir'"])
        self.write("stoq.cfg", b"[core]\nmax_recursion = 1\nmax_depth = 2\n")
        self.refused("scan", "x", "--config", "stoq.cfg", saying=["is set already, at stoq.cfg:"])
        self.refused("scan", "x", "--config", "gone.cfg", saying=["gone.cfg"])

    def test_keys_of_stoq(self):
        self.write("top/a.zip", zipped({"b.zip": zipped({"c": b"c"})}))
        self.write("stoq.cfg", b"[core]\nworker = none\ndefault_connector = file\n"
                   b"default_source: filedir\ndefault_tlp = amber\nmax_recursion = 1\n"
                   b"plugin_dir = more\n[plugin:file]\npath = out.jsonl\n")
        run = self.graph_of("--config", "stoq.cfg")
        self.assertEqual((run.returncode, run.stdout, run.stderr), (1, b"", b""))
        with open(self.path("out.jsonl"), "rb") as file:
            records = self.records(file.read())
        self.assertEqual([r["stoq"]["status"] for r in records], ["ok", "limit"])
        self.assertEqual(records[0]["stoq"]["tlp"], "amber")
        run = self.graph_of("--config", "stoq.cfg", "-C", "stdout", "--tlp", "red")
        self.assertEqual(self.records(run.stdout)[0]["stoq"]["tlp"], "red")

    def test_archive_keys_of_stoq(self):
        self.write("top/a", b"kept")
        self.write("stoq.cfg", b"[core]\nworker = none\narchive = file\narchive_base = kept\n"
                   b"output = r.jsonl\nsource_base_tuple = top\n")
        self.assertEqual(self.graph_of("--config", "stoq.cfg").returncode, 0)
        for name in (hashlib.sha256(b"kept").hexdigest(), "top/a"):
            run = self.stoq("get", "file", name, "--config", "stoq.cfg")
            self.assertEqual((run.returncode, run.stdout), (0, b"kept"), run.stderr)

    def test_warns_of_keys_without_effect(self):
        self.write("top/a")
        keys = ("base_dir", "temp_dir", "results_dir", "url_prefix_tuple", "useragent", "max_queue", "sentry_url")
        text = "[core]\n" + "".join(key + " = x\n" for key in keys)
        self.write("stoq.cfg", text.encode())
        run = self.graph_of("--config", "stoq.cfg", "-w", "none")
        self.assertEqual(run.returncode, 0)
        lines = run.stderr.decode().splitlines()
        self.assertEqual(len(lines), len(keys), lines)
        for number, key in enumerate(keys, start=2):
            told = [line for line in lines if f"stoq.cfg:{number}: '{key}' is not used: " in line]
            self.assertEqual(len(told), 1, key)

    def from_where(self, program=STOQ, **environment):
        """Where the option max_tlp of entropy comes from."""
        run = self.stoq("info", "entropy", program=program, **environment)
        self.assertEqual(run.returncode, 0, run.stderr)
        rows = [line.split() for line in run.stdout.decode().splitlines()]
        return [row[2] for row in rows if row[:1] == ["max_tlp"]][0]

    def test_where_it_is_looked_for(self):
        os.mkdir(self.path("bin"))
        program = shutil.copy(STOQ, self.path("bin", "stoq"))
        usual = {"STOQ_PLUGIN_PATH": os.path.join(os.path.dirname(STOQ), "../lib/stoq/plugins"),
                 "HOME": self.path("home"), "XDG_CONFIG_HOME": ""}
        del os.environ["STOQ_CONFIG"]
        self.addCleanup(os.environ.update, STOQ_CONFIG="")
        self.write("stoq.cfg", b"[core]\nnever = read\n")
        self.assertEqual(self.from_where(program, **usual), "default")
        for place in ("etc/stoq", "home/.config/stoq", "bin"):  # each before the one above it
            file = os.fsdecode(self.write(place + "/stoq.cfg", b"[entropy]\nmax_tlp = green\n"))
            self.assertEqual(self.from_where(program, **usual), file + ":2")
        os.remove(self.path("bin", "stoq.cfg"))
        file = os.fsdecode(self.write("xdg/stoq/stoq.cfg", b"[entropy]\n\nmax_tlp = green\n"))
        usual["XDG_CONFIG_HOME"] = self.path("xdg")
        self.assertEqual(self.from_where(program, **usual), file + ":3")
        self.write("mine", b"[entropy]\nmax_tlp: red\n")
        self.assertEqual(self.from_where(program, **usual, STOQ_CONFIG="mine"), "mine:2")
        self.assertEqual(self.from_where(program, **usual, STOQ_CONFIG=""), "default")
        gone = self.stoq("list", STOQ_CONFIG="gone")
        self.assertEqual(gone.returncode, 2)
        self.assertIn(b"gone", gone.stderr)

    def test_info_shows_every_value_and_its_place(self):
        self.write("stoq.cfg", b"[core]\nmax_depth = 3\n[entropy]\nmax_tlp = green\n"
                   b"type_list = pe\nhashpayload = no\n")
        run = self.stoq("info", "entropy", "--config", "stoq.cfg", "--option", "entropy.type_list=zip")
        table = run.stdout.decode().split("OPTION")[1].split("\n\n")[0]
        rows = {line.split()[0]: line.split()[1:3] for line in table.splitlines()[1:]}
        self.assertEqual(rows["max_tlp"], ["green", "stoq.cfg:4"])
        self.assertEqual(rows["type_list"], ["zip", "--option"])
        self.assertEqual(rows["hashpayload"], ["True", "entropy.stoq:12"])
        self.assertEqual(rows["max_size"][1:], ["default"])
        self.assertIn("stoq.cfg:6: 'hashpayload' is not in force", run.stderr.decode())

    def test_log(self):
        self.write("top/a")
        os.mkdir(self.path("logs"))
        self.write("stoq.cfg", b"[core]\nlog_dir = logs\nlog_level = info\nlog_maxbytes = 100K\n"
                   b"log_backup_count = 2\n")
        run = self.graph_of("--config", "stoq.cfg", "-w", "none")
        self.assertEqual((run.returncode, run.stderr), (0, b""))
        with open(self.path("logs", "stoq.log"), encoding="utf-8") as file:
            lines = file.read().splitlines()
        self.assertEqual(len(lines), 2, lines)
        for line, word in zip(lines, ("begins", "1 files, 1 payloads")):
            self.assertRegex(line, r"^\d{4}-\d\d-\d\dT[\d:.]+Z info \[stoq\] .*" + word)
        run = self.graph_of("-w", "none", "--log-file", "x.log", "-o", "/dev/full")
        self.assertEqual(run.returncode, 2)
        with open(self.path("x.log"), encoding="utf-8") as file:
            self.assertRegex(file.read().splitlines()[-1], r"critical \[stoq\] .*No space left")
        self.refused("scan", "top", "--log-level", "loud", saying=["'loud'", "warning"])
        self.refused("scan", "top", "--log-file", "top", saying=["top", "--log-file"])

    def test_workers_say_what_is_hashed_and_saved(self):
        self.write("top/a.zip", zipped({"b": b"text"}))
        root, child = self.records(self.graph_of("-w", "entropy", "--option",
                                                 "entropy.hashpayload=No").stdout)
        self.assertNotIn("hash", root["file"])
        self.assertIn("size", root["file"])
        self.assertIn("workers", root["stoq"])
        self.assertEqual(child["file"]["hash"]["sha256"], hashlib.sha256(b"text").hexdigest())
        off = ("--option", "entropy.hashpayload=0")
        for arguments in (("-w", "mimetype,entropy", *off), ("-w", "entropy", *off, "--hash", "md5"),
                          ("-w", "none")):
            self.assertIn("hash", self.records(self.graph_of(*arguments).stdout)[0]["file"])
        both = self.records(self.graph_of("-w", "mimetype,entropy", *off, "--option",
                                          "mimetype.hashpayload=0").stdout)
        self.assertEqual(both[0]["file"]["mime_type"], "application/zip")
        self.assertNotIn("hash", both[0]["file"])
        saved = self.records(self.graph_of("-w", "mimetype,entropy", "--option",
                                           "mimetype.saveresults=off").stdout)
        for record in saved:
            self.assertNotIn("mime_type", record["file"])
            self.assertEqual(list(record["stoq"]["workers"]), ["entropy"])
        run = self.graph_of("-w", "entropy", *off, "--format", "stoq")
        first, second = json.loads(run.stdout)["results"]
        self.assertFalse({"md5", "sha1", "sha256", "sha512"} & set(first))
        self.assertEqual(second["md5"], hashlib.md5(b"text").hexdigest())


class Signals(CliTest):
    def start(self, *arguments, workers=("-w", "none"), **options):
        """A run that goes on until it is told to stop: its list of files never ends."""
        self.write("file", b"x" * 1000)
        read, write = os.pipe()
        process = subprocess.Popen([STOQ, "scan", *workers, "--files-from", "-", *arguments],
                                   cwd=self.place, stdin=read, **options)
        os.close(read)
        os.write(write, b"file\n" * 10000)
        self.addCleanup(os.close, write)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process, write

    def test_interrupt_leaves_valid_output(self):
        """The list goes on for ever: that the run ends shows that it was interrupted."""
        for number in (signal.SIGINT, signal.SIGTERM):
            process, write = self.start("-o", "out.jsonl", stderr=subprocess.PIPE)
            feeder = subprocess.Popen(["yes", "file"], stdout=write)
            self.addCleanup(feeder.wait)
            self.addCleanup(feeder.kill)
            part = self.path("out.jsonl.part")
            self.wait_until(lambda path=part: os.path.exists(path) and os.path.getsize(path) > 0,
                            "results")
            process.send_signal(number)
            process.communicate(timeout=60)
            feeder.kill()
            self.assertEqual(process.returncode, 130)
            with open(self.path("out.jsonl"), "rb") as file:
                records = self.records(file.read())
            self.assertGreater(len(records), 0)
            os.remove(self.path("out.jsonl"))

    def test_a_list_that_nobody_goes_on_with_is_interrupted(self):
        for more in (b"", b"file\n" * 5000):  # before and after it is known what ends a path
            process, write = self.start("-o", "out.jsonl", stderr=subprocess.PIPE)
            os.write(write, more)
            waiting = array.array("i", [1])
            while waiting[0] != 0:
                fcntl.ioctl(write, termios.FIONREAD, waiting)
                self.assertIsNone(process.poll())
                time.sleep(0.01)
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=60)
            self.assertEqual(process.returncode, 130)
            with open(self.path("out.jsonl"), "rb") as file:
                self.records(file.read())

    def test_signals_end_in_deactivate(self):
        """Also the one that comes while plugins are still being activated."""
        self.write("plugins/worker/w/w.stoq", b"""[Core]
Name = w
Module = w
[Documentation]
Author = a
Version = 1
Website = w
Description = d
[options]
hashpayload = True
saveresults = True
beats = True
""")
        os.symlink(os.path.join(os.environ["STOQ_FIXTURES"], "witness_worker.so"),
                   self.path("plugins", "worker", "w", "w.so"))
        for number in (signal.SIGINT, signal.SIGTERM):
            for awaited, pause in (("worker activate", 1000), ("worker heartbeat", 0)):
                with self.subTest(number=number, awaited=awaited):
                    journal = self.path(f"journal{number}{pause}")
                    process, write = self.start(
                        "--plugin-dir", "plugins", "-w", "w", "--option", f"w.pause={pause}", "-q",
                        "--include", "nothing", stdout=subprocess.DEVNULL,
                        env={**os.environ, "STOQ_JOURNAL": journal}, workers=())
                    self.wait_for(journal, awaited)
                    process.send_signal(number)
                    feeder = subprocess.Popen(["yes", "file"], stdout=write)
                    self.assertEqual(process.wait(timeout=60), 130)
                    feeder.kill()
                    feeder.wait()
                    with open(journal, encoding="ascii") as file:
                        events = [line.split()[1] for line in file]
                    self.assertEqual(sorted(events), sorted(
                        ["constructed", "activate", "heartbeat", "heartbeat", "deactivate",
                         "destroyed"]))
                    self.assertEqual(events[-2:], ["deactivate", "destroyed"])

    def wait_for(self, journal, event):
        def told():
            if not os.path.exists(journal):
                return False
            with open(journal, encoding="ascii") as file:
                return event in file.read()
        self.wait_until(told, event)

    @staticmethod
    def unread(pipe):
        waiting = array.array("i", [0])
        fcntl.ioctl(pipe, termios.FIONREAD, waiting)
        return waiting[0]

    @staticmethod
    def is_pending(process, number):
        """Whether the signal that was sent to it has not been taken yet."""
        with open(f"/proc/{process.pid}/status", encoding="ascii") as file:
            mask = re.search(r"(?m)^ShdPnd:\s*([0-9a-f]+)$", file.read()).group(1)
        return int(mask, 16) >> (number - 1) & 1 == 1

    def test_second_interrupt_ends_at_once(self):
        """Also a run that cannot come to its end: nobody reads its results."""
        process, write = self.start(stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.addCleanup(process.stdout.close)
        os.write(write, b"file\n" * 5000)  # then it is known what ends a path
        room = fcntl.fcntl(process.stdout, fcntl.F_GETPIPE_SZ)
        self.wait_until(lambda: self.unread(process.stdout) == room, "a full pipe")
        process.send_signal(signal.SIGINT)
        # Two at once would be one.
        self.wait_until(lambda: not self.is_pending(process, signal.SIGINT), "the first one taken")
        self.assertIsNone(process.poll())
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(timeout=60), 130)

    def test_progress_on_a_terminal(self):
        screen, terminal = pty.openpty()
        self.addCleanup(os.close, screen)
        process, _ = self.start("-o", "out.jsonl", stderr=terminal)
        os.close(terminal)
        line = re.compile("\r[0-9,]+( of [0-9,]+)? files · [0-9,]+ payloads".encode())
        shown = b""
        while not line.search(shown):
            self.assertTrue(select.select([screen], [], [], 60)[0], shown)
            shown += os.read(screen, 65536)
        process.send_signal(signal.SIGINT)
        try:
            while block := os.read(screen, 65536):
                shown += block
        except OSError:
            pass  # the terminal's other side is closed
        self.assertIn(b"\x1b[K", shown)


class Bench(CliTest):
    def setUp(self):
        super().setUp()
        for i in range(20):
            self.write(f"in/text{i}.txt", b"line of text\n" * (i + 1))
        for i in range(3):
            inner = io.BytesIO()
            with zipfile.ZipFile(inner, "w", zipfile.ZIP_DEFLATED) as archive:
                archive.writestr("a.txt", b"alpha %d" % i * 100)
                archive.writestr("again.txt", b"alpha %d" % i * 100)
            with zipfile.ZipFile(self.path("in", f"n{i}.zip"), "w") as archive:
                archive.writestr("inner.zip", inner.getvalue())
                archive.writestr("b.txt", b"beta %d" % i * 50)
        # Large enough for its workers to travel apart from its extractor.
        with zipfile.ZipFile(self.path("in", "large.zip"), "w") as archive:
            for i in range(40):
                archive.writestr(f"m{i}", random.Random(i).randbytes(20000))

    def bench(self, *arguments):
        run = self.stoq("bench", "--repeat", "2", "--json", "-", "in", *arguments)
        self.assertEqual(run.returncode, 0, run.stderr)
        return json.loads(run.stdout), run.stderr.decode()

    def run_json(self, *arguments):
        run = self.stoq("scan", "in", "-o", "r.jsonl", "-q", *arguments)
        self.assertEqual(run.returncode, 0, run.stderr)
        with open(self.path("run.json"), "rb") as file:
            costs = {cost["name"]: cost for cost in json.load(file)["plugin_costs"]}
        with open(self.path("r.jsonl"), "rb") as file:
            return costs, self.records(file.read())

    def test_counts_are_those_of_a_scan(self):
        for threads in ("-j1", "-j2"):
            with self.subTest(threads=threads):
                costs, records = self.run_json(threads)
                figures, _ = self.bench(threads)
                self.assertEqual(figures["repeat"], 2)
                run = figures["run"][0]
                self.assertEqual((run["files"], run["payloads"]), (24, len(records)))
                self.assertEqual(run["bytes"], sum(r["file"]["size"] for r in records))
                plugins = {row["plugin"]: row for row in figures["plugins"]}
                self.assertEqual(set(plugins), set(costs))
                for name, cost in costs.items():
                    for member in ("calls", "bytes", "bytes_out", "children", "errors"):
                        self.assertEqual(plugins[name][member], cost[member], (name, member))
                out = sum(os.path.getsize(self.path("in", f"n{i}.zip")) for i in range(3))
                self.assertGreater(costs["extractor:zip"]["bytes_out"], 40 * 20000)
                self.assertGreaterEqual(costs["extractor:zip"]["bytes"], out)

    def test_formats_are_those_of_the_records(self):
        for threads in ("-j1", "-j2"):
            with self.subTest(threads=threads):
                _, records = self.run_json(threads)
                figures, _ = self.bench(threads)
                expected = {}
                for record in records:
                    kind = "(duplicate)" if record["stoq"]["status"] == "duplicate" \
                        else record["file"]["mime_type"]
                    count, size = expected.get(kind, (0, 0))
                    expected[kind] = (count + 1, size + record["file"]["size"])
                self.assertIn("(duplicate)", expected)
                told = {row["format"]: (row["payloads"], row["bytes"]) for row in figures["formats"]}
                self.assertEqual(told, expected)
                calls = {}
                for row in figures["plugins_by_format"]:
                    calls[row["plugin"]] = calls.get(row["plugin"], 0) + row["calls"]
                self.assertEqual(calls, {row["plugin"]: row["calls"] for row in figures["plugins"]})

    def test_every_time_counts_once(self):
        run = self.stoq("bench", "--repeat", "1", "--json", "f.json", "in", "-j2")
        self.assertEqual(run.returncode, 0, run.stderr)
        with open(self.path("f.json"), "rb") as file:
            figures = json.load(file)
        run = figures["run"][0]
        cpu = sum(row["cpu_seconds"]["median"] for row in figures["nodes"])
        self.assertAlmostEqual(cpu, run["accounts_cpu_seconds"]["median"], places=6)
        engine = sum(row["engine_cpu_seconds"]["median"] for row in figures["nodes"])
        self.assertAlmostEqual(engine, run["engine_cpu_seconds"]["median"], places=6)
        self.assertEqual([row["node"] for row in figures["nodes"] if row["node"] in
                          ("hash", "rules", "load", "source", "save")
                          and row["engine_cpu_seconds"]["max"] != 0], [])

    def test_slowest_calls_have_paths(self):
        figures, _ = self.bench("-j1", "--slowest", "500")
        _, records = self.run_json("-j1")
        paths = {record["stoq"]["path"] for record in records}
        slowest = figures["slowest"]
        self.assertLessEqual({row["path"] for row in slowest}, paths)
        self.assertIn("in/n1.zip!inner.zip!a.txt", {row["path"] for row in slowest})
        times = [row["cpu_seconds"]["median"] for row in slowest]
        self.assertEqual(times, sorted(times, reverse=True))
        few, _ = self.bench("--slowest", "3")
        self.assertEqual(len(few["slowest"]), 3)
        self.assertEqual(self.bench("--slowest", "0")[0]["slowest"], [])

    def test_shows_tables_and_keeps_no_results(self):
        run = self.stoq("bench", "in")
        self.assertEqual((run.returncode, run.stderr), (0, b""))
        text = run.stdout.decode()
        for word in ("3 runs", "24 files", "Engine", "Accounts", "schedule", "worker:mimetype",
                     "application/zip", "Slowest calls"):
            self.assertIn(word, text)
        self.assertNotIn('"stoq"', text)
        self.assertLessEqual(max(len(line) for line in text.splitlines()), 80)
        self.assertEqual(os.listdir(self.place), ["in"])

    def test_results_when_asked_for(self):
        run = self.stoq("bench", "in", "--repeat", "1", "--warm-up", "0", "-o", "-")
        self.assertEqual(run.returncode, 0)
        self.assertEqual(run.stdout, self.stoq("scan", "in", "-q").stdout)
        self.assertIn("1 run", run.stderr.decode())

    def test_refuses_what_it_cannot_do(self):
        self.refused("bench", saying=["nothing to scan"])
        self.refused("bench", "in", "--repeat", "0", saying=["--repeat", "from 1"])
        self.refused("bench", "in", "--jsn", "x", saying=["'--json'"])
        run = self.stoq("bench", "in", "--repeat", "1", "--json", "no/such/folder")
        self.assertEqual(run.returncode, 2)
        self.assertIn(b"cannot be written", run.stderr)

    def test_help_says_what_the_json_holds(self):
        text = self.stoq("bench", "--help").stdout.decode()
        figures, _ = self.bench("--warm-up", "0")
        for member in figures:
            self.assertIn(member, text)
        self.assertLessEqual(max(len(line) for line in text.splitlines()), 104)


if __name__ == "__main__":
    unittest.main()
