#!/usr/bin/env python3
"""Runs the program over the hostile set. Needs what tests/scripts/hostile_corpus_test.py left; the truth is of other
programs.

usage: hostile_test.py STOQ FOLDER SANITIZED
"""
import base64
import collections
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

STOQ, FOLDER, SANITIZED = sys.argv[1], pathlib.Path(sys.argv[2]).absolute(), sys.argv[3] != ""
CHILD_BYTES = 8 << 20
MOST_KIB = 400 << 10
NEVER = {"crash", "timeout", "out_of_memory", "io_error"}
FINE = {"ok", "duplicate"}


def scan(folder, threads):
    """(records as bytes, stderr, peak KiB), from a folder three below an empty one."""
    place = os.path.join(folder, "a/b/c")
    os.makedirs(place)
    with open(os.path.join(folder, "out"), "w+b") as out, open(os.path.join(folder, "err"), "w+b") as err:
        run = subprocess.Popen([STOQ, "scan", FOLDER, f"-j{threads}", "--max-child-bytes", str(CHILD_BYTES),
                                "--memory", "64M", "--plugin-timeout", "600"], stdout=out, stderr=err, cwd=place)
        _, status, usage = os.wait4(run.pid, 0)
        run.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        result = out.read(), err.read(), usage.ru_maxrss
    if run.returncode != 1:
        raise AssertionError(f"exit code {run.returncode}, 1 is right: something is always cut\n{result[1].decode()}")
    return result


def said_of(record):
    return " ".join(error["message"] for error in record["stoq"].get("errors", []))


def member_of(record):
    origin = record["stoq"].get("origin", {})
    if "member_b64" in origin:
        return base64.b64decode(origin["member_b64"])
    return origin.get("member", "").encode("utf-8", "surrogatepass")


def digest_of(record):
    return record["file"].get("hash", {}).get("sha256")


class Hostile(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="stoq-hostile-")
        cls.addClassCleanup(cls.folder.cleanup)
        cls.runs = {}
        for threads in (1, 2):
            place = os.path.join(cls.folder.name, str(threads))
            cls.runs[threads] = scan(place, threads)
        truth = FOLDER.with_name(FOLDER.name + ".truth.jsonl").read_text().splitlines()
        cls.truth = [json.loads(line) for line in truth]
        cls.records = collections.defaultdict(list)
        for line in cls.runs[1][0].decode("utf-8").splitlines():
            record = json.loads(line)
            cls.records[os.path.relpath(record["file"]["path"], FOLDER)].append(record)

    def each(self, check):
        """check(what the truth says of a file, the records under it) for every file."""
        self.assertGreater(len(self.truth), 100)
        for line in self.truth:
            with self.subTest(line["input"]):
                check(line, self.records[line["input"]])

    def test_the_same_at_every_number_of_threads(self):
        self.assertEqual(self.runs[1][0], self.runs[2][0])

    def test_every_file_is_there(self):
        self.assertEqual(sorted(self.records), sorted(line["input"] for line in self.truth))
        def check(line, records):
            self.assertEqual(digest_of(records[0]), line["sha256"])
        self.each(check)

    def test_nothing_breaks_the_scanner(self):
        def check(_, records):
            self.assertEqual(NEVER & {record["stoq"]["status"] for record in records}, set())
        self.each(check)

    def test_statuses_are_as_expected(self):
        def check(line, records):
            self.assertIn(records[0]["stoq"]["status"], line["expect"], said_of(records[0]))
            statuses = {record["stoq"]["status"] for record in records}
            if line["seen"]:
                self.assertTrue(statuses & set(line["seen"]), statuses)
            if "said" in line:
                self.assertTrue(any(line["said"] in said_of(record) for record in records), line["said"])
        self.each(check)

    def test_cost_is_bounded(self):
        def check(line, records):
            self.assertLessEqual(len(records), line["most_records"])
            self.assertLessEqual(max(record["file"].get("size", 0) for record in records[1:] or [{"file": {}}]),
                                 CHILD_BYTES)
        self.each(check)
        if not SANITIZED:
            for _, _, peak in self.runs.values():
                self.assertLess(peak, MOST_KIB)

    def test_every_leaf_is_found(self):
        checked = []

        def check(line, records):
            found = {digest_of(record) for record in records}
            leaves = [leaf for leaf in line["leaves"] if leaf["size"] <= CHILD_BYTES]
            missing = [leaf["path"] for leaf in leaves if leaf["sha256"] not in found]
            if "barred" not in line:
                self.assertEqual(missing, [])
                checked.extend(leaves)
            elif line["family"] == "overlaps":
                self.assertLess(len(missing), len(leaves), "nothing at all was found")
        self.each(check)
        self.assertGreater(len(checked), 1000)

    def test_what_a_limit_cut_is_named(self):
        def check(line, records):
            if all(leaf["size"] <= CHILD_BYTES for leaf in line["leaves"]):
                return
            named = [error["kind"] for record in records for error in record["stoq"].get("errors", [])]
            named += [drop["limit"] for record in records
                      for drop in record["stoq"].get("children", {}).get("dropped", [])]
            self.assertTrue({"child_bytes", "ratio"} & set(named), named)
            self.assertNotIn("corrupt", {record["stoq"]["status"] for record in records}
                             if line["family"] == "bombs" else ())
        self.each(check)

    def test_names_are_kept_and_are_no_paths(self):
        def check(line, records):
            if "names_hex" in line:
                members = collections.Counter(member_of(record) for record in records[1:])
                wanted = collections.Counter(bytes.fromhex(name) for name in line["names_hex"])
                self.assertEqual(wanted - members, collections.Counter())
        self.each(check)
        for threads in self.runs:
            left = [os.path.join(top, name) for top, folders, names in
                    os.walk(os.path.join(self.folder.name, str(threads))) for name in folders + names]
            place = os.path.join(self.folder.name, str(threads))
            self.assertEqual(sorted(os.path.relpath(one, place) for one in left), ["a", "a/b", "a/b/c", "err", "out"])

    def test_control_characters_reach_no_terminal(self):
        for out, err, _ in self.runs.values():
            for text in (out, err):
                self.assertEqual([byte for byte in set(text) if byte < 32 and byte != 10 or byte == 127], [])

    def test_no_cut_archive_passes_for_whole(self):
        def check(line, records):
            if "cuts" not in line:
                return
            cuts, parts = line["cuts"], collections.defaultdict(list)
            for record in records[1:]:
                parts[record["stoq"]["ordinal"][1]].append(record)
            # Not what is carved out of the tar as a whole.
            parts = {number: part for number, part in parts.items()
                     if part[0]["stoq"]["origin"]["plugin"] == "archive"}
            self.assertEqual(len(parts), len(line["leaves"]))
            for part, leaf in zip((parts[number] for number in sorted(parts)), line["leaves"]):
                statuses = {record["stoq"]["status"] for record in part}
                if leaf is line["leaves"][-1]:
                    self.assertLessEqual(statuses, FINE, leaf)
                if leaf["size"] >= cuts["whole_from"]:
                    self.assertLessEqual(set(cuts["inside"]), {digest_of(record) for record in part}, leaf)
                elif leaf["size"] >= cuts["known_from"] and leaf["size"] not in cuts["silent"]:
                    self.assertTrue(statuses - FINE, leaf)
        self.each(check)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
