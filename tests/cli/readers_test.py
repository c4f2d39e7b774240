#!/usr/bin/env python3
"""Readers as a user meets them: through the workers that ask for them. Needs $STOQ, and $STOQ_TESTS, the folder of
the plugins' tests."""
import hashlib
import io
import json
import os
import pathlib
import subprocess
import tempfile
import unittest
import zipfile

STOQ = os.environ["STOQ"]
TESTS = pathlib.Path(os.environ["STOQ_TESTS"])
PDF = TESTS / "reader" / "pdftext" / "input"
HAS_PDFTEXT = (pathlib.Path(STOQ).parent.parent / "lib/stoq/plugins/reader/pdftext/pdftext.so").exists()
os.environ["STOQ_CONFIG"] = ""  # no stoq.cfg of this machine


class ReaderTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="stoq-readers-")
        self.addCleanup(folder.cleanup)
        self.place = pathlib.Path(folder.name)

    def run_stoq(self, *arguments):
        return subprocess.run([STOQ, *map(str, arguments)], capture_output=True, timeout=100, check=False, cwd=self.place)

    def scan(self, *arguments, code=0):
        run = self.run_stoq("scan", "-q", *arguments)
        self.assertEqual(run.returncode, code, run.stderr)
        return {record["stoq"]["path"]: record for record in map(json.loads, run.stdout.splitlines())}


@unittest.skipUnless(HAS_PDFTEXT, "reader:pdftext was left out of this build")
class Pdf(ReaderTest):
    def test_indicators_of_its_compressed_text_are_found_in_an_archive(self):
        with zipfile.ZipFile(self.place / "mail.zip", "w") as archive:
            archive.write(PDF / "object-streams.pdf", "invoice.pdf")
        records = self.scan("mail.zip", "-w", "iocextract")
        found = records["mail.zip!invoice.pdf"]["stoq"]["workers"]["iocextract"]
        self.assertEqual(found["url"], ["http://c2.example.com/gate.php?id=1"])
        self.assertEqual(found["ipv4"], ["198.51.100.23"])
        self.assertEqual(found["sha256"], [hashlib.sha256(b"payload").hexdigest()])

    def test_a_password_opens_it(self):
        locked = PDF / "locked-otherwise.pdf"
        record = self.scan(locked, "-w", "iocextract", code=1)[str(locked)]["stoq"]
        self.assertEqual(record["status"], "encrypted")  # extractor:pdf says so as well
        self.assertIn("reader:pdftext: none of 2 passwords opens the PDF", self.errors(record))
        for option in ("iocextract.pdf_password=s3cret", "pdftext.password_list=x,s3cret"):
            record = self.scan(locked, "-w", "iocextract", "--option", option,
                               "--option", "extractor:pdf.password_list=s3cret")[str(locked)]["stoq"]
            self.assertEqual(record["status"], "ok")
            self.assertEqual(record["workers"]["iocextract"]["ipv4"], ["198.51.100.23"])

    def test_a_hostile_one_spoils_no_other(self):
        good = PDF / "flate.pdf"
        for _ in range(10):  # only a machine that stands still makes the good one take two seconds
            records = self.scan(TESTS / "reader" / "pdftext" / "hostile", good, "-w", "iocextract", "--option",
                                "pdftext.timeout=2", "--option", "pdftext.max_memory=256M", "-j", "2", code=1)
            if "`timeout`" not in str(records[str(good)]["stoq"].get("errors")):
                break
        self.assertEqual(records[str(good)]["stoq"]["workers"]["iocextract"]["ipv4"], ["198.51.100.23"])
        bomb = next(r for path, r in records.items() if path.endswith("endless-text.pdf"))["stoq"]
        self.assertEqual(bomb["status"], "partial")
        self.assertIn("reader:pdftext: ", self.errors(bomb))

    @staticmethod
    def errors(record):
        return "\n".join(error["message"] for error in record["errors"])


class Stix(ReaderTest):
    def setUp(self):
        super().setUp()
        self.member = b"connects to evil.example.net:443\n"
        inner = io.BytesIO()
        with zipfile.ZipFile(inner, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("note.txt", self.member)
        with zipfile.ZipFile(self.place / "outer.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("inner.zip", inner.getvalue())
            for i in range(200):
                archive.writestr(f"{i}.txt", f"visits d{i}.example.org\n")
        digest = hashlib.md5(self.member).hexdigest()
        patterns = [f"[file:hashes.MD5 = '{digest}']", "[domain-name:value = 'evil.example.net' AND file:name = 'note.txt']",
                    "[domain-name:value LIKE 'd1_.example.org']"]
        (self.place / "i.json").write_text(json.dumps({"type": "bundle", "id": "bundle--1", "objects": [
            {"type": "indicator", "id": f"indicator--{i}", "pattern": p, "pattern_type": "stix"} for i, p in enumerate(patterns)]}))

    def test_of_what_archives_hold_with_any_digest_that_is_recorded(self):
        for digests in ("sha256", "md5,sha256"):
            records = self.scan("outer.zip", "-w", "indicators", "--option", "indicators.stix_list=i.json", "--hash", digests)
            matches = {p: [m["id"] for m in r["stoq"]["workers"]["indicators"]["matches"]]
                       for p, r in records.items() if "indicators" in r["stoq"].get("workers", {})}
            must = {f"outer.zip!{i}.txt": ["indicator--2"] for i in range(10, 20)}
            self.assertEqual(matches, must | {"outer.zip!inner.zip!note.txt": ["indicator--0", "indicator--1"]})

    def test_same_at_any_number_of_threads(self):
        outputs = {self.run_stoq("scan", "-q", "outer.zip", "-w", "indicators", "--option", "indicators.stix_list=i.json", "-j", n).stdout
                   for n in (1, 2, 7)}
        self.assertEqual(len(outputs), 1)
        self.assertIn(b"indicator--1", outputs.pop())

    def test_without_indicators_is_no_run(self):
        run = self.run_stoq("scan", "outer.zip", "-w", "indicators")
        self.assertEqual(run.returncode, 2)
        self.assertIn(b"stix_list is empty; name files or folders of STIX", run.stderr)
        self.assertIn(b"(worker:indicators; correct its options in ", run.stderr)

    def test_what_is_not_understood_is_said(self):
        (self.place / "odd.json").write_text(json.dumps([
            {"type": "indicator", "id": "indicator--a", "pattern": "[process:name = 'x'] OR [file:name = 'y']"},
            {"type": "indicator", "id": "indicator--b", "pattern": "[file:name = ", "pattern_type": "stix"}]))
        run = self.run_stoq("scan", "-q", "outer.zip", "-w", "indicators", "--option", "indicators.stix_list=odd.json")
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertIn(b"indicator--a: not of a payload: process:name = 'x'", run.stderr)
        self.assertIn(b"indicator--b: its pattern cannot be read: expected a value at offset", run.stderr)


if __name__ == "__main__":
    unittest.main()
