#!/usr/bin/env python3
"""What scripts/corpus --hostile makes is the same each time, and is what it claims to be, by other programs.

usage: hostile_corpus_test.py SCRIPT FOLDER    leaves FOLDER and FOLDER.truth.jsonl to cli/hostile_test.py
"""
import filecmp
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest
import zipfile

SCRIPT, FOLDER = sys.argv[1], pathlib.Path(sys.argv[2])


def make(into, *more):
    done = subprocess.run([sys.executable, SCRIPT, "--hostile", "--small", "--into", into, *more], check=False,
                          capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stderr)


def files_below(folder):
    return sorted(os.path.relpath(os.path.join(top, name), folder)
                  for top, _, names in os.walk(folder) for name in names)


class HostileCorpus(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        shutil.rmtree(FOLDER, ignore_errors=True)
        make(FOLDER, "--truth")
        truth = FOLDER.with_name(FOLDER.name + ".truth.jsonl").read_text().splitlines()
        cls.truth = {line["input"]: line for line in map(json.loads, truth)}

    def family(self, name):
        found = {key: line for key, line in self.truth.items() if line["family"] == name}
        self.assertTrue(found, name)
        return found.items()

    def test_is_the_same_each_time(self):
        with tempfile.TemporaryDirectory() as again:
            make(again)
            names = files_below(FOLDER)
            self.assertEqual(names, files_below(again))
            self.assertEqual(names, sorted(self.truth))
            self.assertEqual(filecmp.cmpfiles(FOLDER, again, names, shallow=False)[1:], ([], []))

    def test_quines_hold_themselves_and_nothing_else(self):
        for name, line in self.family("quines"):
            self.assertEqual([one["note"] for one in line["problems"]], ["holds itself"], name)
            self.assertEqual(line["leaves"], [], name)

    def test_nests_are_as_deep_and_as_wide_as_their_names_say(self):
        for name, line in self.family("nests"):
            self.assertNotIn("problems", line, name)
            leaves = sum(leaf["times"] for leaf in line["leaves"])
            base = os.path.basename(name)
            want = (60, 1) if base.startswith("sixty") else (10, 1) if base.startswith("ten") else (3, 6 ** 3)
            self.assertEqual((line["layers"], leaves), want, name)
            self.assertLessEqual(len(line["leaves"]), 5, name)

    def test_overlapping_members_are_found_by_their_directory(self):
        for name in ("full-overlap", "quoted-overlap", "quoted-overlap-zip64"):
            with zipfile.ZipFile(FOLDER / f"overlaps/{name}.zip") as archive:
                self.assertEqual(len(archive.infolist()), 200 if name[0] == "f" else 100, name)
        leaves = self.truth["overlaps/quoted-overlap.zip"]["leaves"]
        self.assertGreater(sum(leaf["size"] for leaf in leaves), 1000 * os.path.getsize(
            FOLDER / "overlaps/quoted-overlap.zip"))

    def test_bombs_are_large(self):
        for name, line in self.family("bombs"):
            self.assertNotIn("problems", line, name)
            self.assertEqual([leaf["size"] for leaf in line["leaves"]], [24 << 20], name)
            self.assertGreater(24 << 20, 100 * line["size"], name)

    def test_crowds_are_many(self):
        for name, line in self.family("crowds"):
            self.assertNotIn("problems", line, name)
            self.assertEqual(sum(leaf["times"] for leaf in line["leaves"]), 2000, name)

    def test_names_have_their_leaves(self):
        for name in ("names/names.zip", "names/names.tar", "names/names.7z"):
            self.assertEqual(len(self.truth[name]["leaves"]), len(self.truth[name]["names_hex"]), name)

    def test_only_whole_archives_are_whole(self):
        for name, line in self.family("cuts"):
            self.assertGreater(len(line["leaves"]), 5, name)
            self.assertTrue(line["cuts"]["inside"], name)
            if line["cuts"]["type"] != "tar":  # it ends in zeros that nobody needs
                self.assertEqual(line["cuts"]["whole_from"], line["leaves"][-1]["size"], name)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
