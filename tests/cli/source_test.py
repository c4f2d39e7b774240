#!/usr/bin/env python3
"""Sources that wait for what comes: dirmon, messages, and several instances of them. Runs the
program as a person does; the environment is that of cli_test.py.
"""
import hashlib
import json
import multiprocessing
import os
import random
import select
import signal
import subprocess
import time
import unittest

from cli_test import STOQ, CliTest

DEADLINE = 120  # seconds; nothing here is meant to take a tenth of it


def content(number):
    return b"file %d\n" % number * (number % 50 + 1)


def drop(part, count, watched, staging):
    """Brings files into the watched folder in every way there is. Run in a process of its own."""
    own = os.path.join(staging, str(part))
    os.makedirs(own)
    for index in range(count):
        name = f"{part}-{index}"
        data = content(part * count + index)
        way = index % 5
        folder = watched
        if way in (3, 4):
            folder = os.path.join(watched, f"sub{part}", f"deep{index // 50}")
            os.makedirs(folder, exist_ok=True)
        target = os.path.join(folder, name)
        if way in (0, 3):
            with open(target, "wb") as file:
                file.write(data[:5])
                file.flush()
                file.write(data[5:])
            continue
        outside = os.path.join(own, name)
        with open(outside, "wb") as file:
            file.write(data)
        if way in (1, 4):
            os.rename(outside, target)
        else:
            os.link(outside, target)


class SourceTest(CliTest):
    def start(self, *arguments, **options):
        process = subprocess.Popen([STOQ, "scan", "-q", "-w", "none", *arguments], cwd=self.place,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def lines(self, process, count):
        """The next records, as soon as they are written."""
        records, end = [], time.monotonic() + DEADLINE
        while len(records) < count:
            while b"\n" not in self.rest:
                ready, _, _ = select.select([process.stdout], [], [], end - time.monotonic())
                self.assertTrue(ready, f"only {len(records)} records came")
                block = os.read(process.stdout.fileno(), 1 << 16)
                if not block:
                    self.fail(process.stderr.read())
                self.rest += block
            line, self.rest = self.rest.split(b"\n", 1)
            records.append(json.loads(line))
        return records

    def setUp(self):
        super().setUp()
        self.rest = b""
        os.mkdir(self.path("in"))


class Dirmon(SourceTest):
    def watching(self, *arguments):
        """Watches `in`, and is known to do so."""
        process = self.start("-I", "dirmon", "in", *arguments)
        number = 0
        while not select.select([process.stdout], [], [], 0.05)[0]:
            self.write(f"in/sign{number}", b"sign")  # an empty one may be waited with
            number += 1
            self.assertIsNone(process.poll(), process.returncode)
            self.assertLess(number, 2000)
        return process

    def come(self, process, name):
        """The records up to the one of that file, without the signs."""
        records = []
        while not records or records[-1]["file"]["name"] != name:
            records += self.lines(process, 1)
        return [r for r in records if not r["file"]["name"].startswith("sign")]

    def test_ten_thousand_files_in_bursts_are_each_scanned_once(self):
        parts, count = 4, 2500
        staging = self.path("staging")
        os.mkdir(staging)
        process = self.watching("-o", "-")
        droppers = [multiprocessing.Process(target=drop,
                                            args=(part, count, self.path("in"), staging))
                    for part in range(parts)]
        for dropper in droppers:
            dropper.start()
        records = []
        while len(records) < parts * count:
            records += [r for r in self.lines(process, 1)
                        if not r["file"]["name"].startswith("sign")]
        for dropper in droppers:
            dropper.join()
            self.assertEqual(dropper.exitcode, 0)
        # Nothing more comes than what is due.
        self.write("in/last", b"")
        self.assertEqual([r["file"]["name"] for r in self.come(process, "last")], ["last"])
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(DEADLINE), 0, process.stderr.read())
        self.assertEqual(process.stdout.read(), b"")
        self.assertEqual({r["stoq"]["status"] for r in records}, {"ok"})
        want = {f"{part}-{index}": hashlib.sha256(content(part * count + index)).hexdigest()
                for part in range(parts) for index in range(count)}
        got = [(r["file"]["name"], r["file"]["hash"]["sha256"]) for r in records]
        self.assertEqual(len(got), parts * count)
        self.assertEqual(dict(got), want)

    def test_results_come_at_once_and_the_end_is_clean(self):
        for output in ([], ["-C", "file", "--option", "file.append=true", "-o", "out.jsonl"]):
            with self.subTest(output=output):
                process = self.watching() if not output else self.start("-I", "dirmon", "in",
                                                                        *output)
                if not output:
                    self.write("in/now", b"x")
                    self.come(process, "now")
                else:
                    end = time.monotonic() + DEADLINE
                    number = 0
                    while not os.path.exists(self.path("out.jsonl")) or not os.path.getsize(
                            self.path("out.jsonl")):
                        self.write(f"in/again{number}", b"x")
                        number += 1
                        self.assertLess(time.monotonic(), end)
                        time.sleep(0.05)
                process.send_signal(signal.SIGINT)
                self.assertEqual(process.wait(DEADLINE), 0, process.stderr.read())

    def test_ends_by_itself_when_asked(self):
        self.write("in/a", b"a")
        self.write("in/sub/b", b"b")
        for option in ("most_files=2", "idle_seconds=0.2"):
            found = self.scan("-q", "-I", "dirmon", "in", "--option", "dirmon.existing=true",
                              "--option", "dirmon." + option)
            self.assertEqual(self.ok(found), ["in/a", "in/sub/b"])

    def test_each_folder_has_an_instance(self):
        os.mkdir(self.path("other"))
        self.write("in/a", b"a")
        self.write("other/b", b"b")
        found = self.scan("-q", "-I", "dirmon", "in", "other", "--source-instances", "2",
                          "--option", "dirmon.existing=true", "--option", "dirmon.idle_seconds=1")
        self.assertEqual(sorted(self.ok(found)), ["in/a", "other/b"])
        self.assertEqual(sorted(r["stoq"]["ordinal"] for r in found), [[0], [1]])

    def test_says_what_it_cannot_watch(self):
        self.refused("scan", "-I", "dirmon", "none", saying=["none", "No such file"])
        self.refused("scan", "-I", "dirmon", saying=["name a folder"])


class Messages(SourceTest):
    def test_archived_contents_are_scanned_again(self):
        self.write("in/a", b"alpha")
        self.write("in/b", b"beta" * 1000)
        archive = ["--option", "file.archive_base=kept"]
        before = self.scan("-q", "in", "-A", "file", *archive)
        hashes = [r["file"]["hash"]["sha256"] for r in before]
        self.assertEqual(hashes, [hashlib.sha256(b"alpha").hexdigest(),
                                  hashlib.sha256(b"beta" * 1000).hexdigest()])
        lines = [{"archive": "file", "sha256": value, "tlp": "amber", "case": number}
                 for number, value in enumerate(hashes)]
        self.write("again.jsonl", b"".join(json.dumps(line).encode() + b"\n" for line in lines))
        for threads in ("1", "4"):
            after = self.scan("-q", "-I", "messages", "again.jsonl", "-j", threads, *archive)
            self.assertEqual([r["file"]["hash"]["sha256"] for r in after], hashes)
            self.assertEqual([r["stoq"]["status"] for r in after], ["ok", "ok"])
            self.assertEqual([r["stoq"]["tlp"] for r in after], ["amber", "amber"])
            self.assertEqual([r["stoq"]["meta"] for r in after],
                             [{"case": 0, "archive": "file"}, {"case": 1, "archive": "file"}])
            self.assertEqual(self.paths(after), ["file:" + value for value in hashes])

    def test_paths_are_fetched_from_below_the_named_folders_only(self):
        self.write("in/a", b"alpha")
        self.write("out", b"secret")
        lines = [{"archive": "file", "path": self.path("in/a")},
                 {"archive": "file", "path": self.path("out")},
                 {"archive": "file", "path": self.path("in/../out")}]
        self.write("m", b"".join(json.dumps(line).encode() + b"\n" for line in lines))
        found = self.scan("-q", "-I", "messages", "m", "--option",
                          "file.source_base_tuple=" + self.path("in"), code=1)
        self.assertEqual([r["stoq"]["status"] for r in found], ["ok", "io_error", "io_error"])
        self.assertEqual(found[0]["file"]["hash"]["sha256"], hashlib.sha256(b"alpha").hexdigest())

    def test_what_cannot_be_had_is_one_record(self):
        kept = hashlib.sha256(b"x").hexdigest()
        self.write("in/x", b"x")
        self.scan("-q", "in", "-A", "file", "--option", "file.archive_base=kept")
        damaged = self.path("kept", *kept[:5], kept)
        with open(damaged, "wb") as file:
            file.write(b"y")
        cases = [({"archive": "file", "sha256": "0" * 64}, "io_error", "0" * 64),
                 ({"archive": "file", "sha256": kept}, "io_error", "damaged"),
                 ({"archive": "nobody", "sha256": "0" * 64}, "io_error", "nobody"),
                 ({"archive": "stdout", "sha256": "0" * 64}, "unsupported", "cannot fetch"),
                 ({"path": self.path("none")}, "io_error", "No such file"),
                 ({"path": self.path("in/x")}, "ok", None)]
        self.write("m", b"".join(json.dumps(message).encode() + b"\n" for message, _, _ in cases)
                   + b"{broken\n")
        found = self.scan("-q", "-I", "messages", "m", "--option", "file.archive_base=kept",
                          "--option", "messages.archive_list=file,stdout", code=1)
        self.assertEqual(len(found), len(cases) + 1)
        for record, (message, status, reason) in zip(found, cases):
            self.assertEqual(record["stoq"]["status"], status, message)
            if reason:
                self.assertIn(reason, record["stoq"]["errors"][0]["message"])
        self.assertEqual((found[-1]["stoq"]["status"], found[-1]["file"]["path"]),
                         ("corrupt", "m:7"))

    def test_limits_hold_for_what_is_fetched(self):
        data = random.Random(3).randbytes(3 << 20)  # in which no rule finds anything
        self.write("in/x", data)
        archive = ["--option", "file.archive_base=kept"]
        self.scan("-q", "in", "-A", "file", *archive)
        self.write("m", json.dumps({"archive": "file",
                                    "sha256": hashlib.sha256(data).hexdigest()}).encode())
        found = self.scan("-q", "-I", "messages", "m", *archive, "--max-size", "1M")
        self.assertEqual([r["stoq"]["status"] for r in found], ["filtered"])
        found = self.scan("-q", "-I", "messages", "m", *archive, "--memory", "16M")
        self.assertEqual([r["file"]["hash"]["sha256"] for r in found],
                         [hashlib.sha256(data).hexdigest()])

    def test_a_pipe_is_answered_message_by_message(self):
        self.write("in/a", b"a")
        process = self.start("-I", "messages", "--files-from", "-", stdin=subprocess.PIPE)
        for _ in range(3):
            process.stdin.write(b'{"path": "in/a"}\n')
            process.stdin.flush()
            self.assertEqual(self.lines(process, 1)[0]["stoq"]["status"], "ok")
        process.stdin.close()
        self.assertEqual(process.wait(DEADLINE), 0)

    def test_a_signal_ends_the_wait(self):
        process = self.start("-I", "messages", "--files-from", "-", stdin=subprocess.PIPE)
        process.stdin.write(b'{"path": "in"}\n')
        process.stdin.flush()
        self.lines(process, 1)
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(DEADLINE), 130)
        process.stdin.close()


class Instances(SourceTest):
    def test_queues_are_read_beside_each_other(self):
        self.write("in/a", b"a")
        fifos = [self.path("one"), self.path("two")]
        for fifo in fifos:
            os.mkfifo(fifo)
        process = self.start("-I", "messages", *fifos, "--source-instances", "2")
        ends = [open(fifo, "wb", buffering=0) for fifo in fifos]
        # The second is answered while the first is open: one instance would wait for its end.
        for end in (ends[1], ends[0], ends[1]):
            end.write(b'{"path": "in/a"}\n')
            self.assertEqual(self.lines(process, 1)[0]["stoq"]["status"], "ok")
        for end in ends:
            end.close()
        self.assertEqual(process.wait(DEADLINE), 0)

    def test_rate_and_numbers_are_shared(self):
        self.write("in/a", b"a")
        for name in ("one", "two"):
            self.write(name, b'{"path": "in/a"}\n' * 20)
        found = self.scan("-q", "-I", "messages", "one", "two", "--source-instances", "2",
                          "--rate-limit", "40/0.1")
        self.assertEqual([r["stoq"]["ordinal"] for r in found], [[i] for i in range(40)])

    def test_what_runs_one_only_says_so(self):
        self.refused("scan", "in", "--source-instances", "2",
                     saying=["filedir", "multiprocess", "--source-instances"])

    def test_what_one_throws_ends_the_run(self):
        self.write("one", b'{"path": "in"}\n')
        run = self.stoq("scan", "-q", "-I", "messages", "one", "none", "--source-instances", "2")
        self.assertEqual(run.returncode, 2, run)
        self.assertIn(b"none", run.stderr)


if __name__ == "__main__":
    unittest.main()
