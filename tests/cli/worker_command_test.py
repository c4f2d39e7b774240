#!/usr/bin/env python3
"""Workers as commands, as stoQ 0.10 has them: `stoq yara -r RULES -F PATH -D`. Runs the program as
a person does; the environment is that of cli_test.py.

With $STOQ_SEED, a folder that holds example-nested.zip and what stoQ 0.10 says of it
(example-nested.stoq-0.10.json), ours is compared with that too.
"""
import gzip
import hashlib
import io
import json
import os
import signal
import subprocess
import sys
import tarfile
import unittest
import zipfile

from cli_test import STOQ, CliTest, zipped

RULES = b"""
rule hello { strings: $a = "hello" condition: $a }
rule archive { condition: uint32be(0) == 0x504b0304 }
"""
STOQ_FILE = """[Core]
Name = %s
Module = %s
[Documentation]
Author = a
Version = 1.5
Website = w
Description = d
[options]
hashpayload = True
saveresults = True
multiprocess = False
"""


class WorkerTest(CliTest):
    def setUp(self):
        super().setUp()
        self.write("rules.yar", RULES)
        self.journal = self.path("journal")

    def witness(self, category="worker", arguments="", name="w", options=""):
        """A plugin that notes what is done with it in $STOQ_JOURNAL. Gives back its .stoq file."""
        text = STOQ_FILE % (name, name)
        for key in ("hashpayload = True\nsaveresults = True\n", "multiprocess = False\n"):
            if key.startswith("hash") != (category == "worker"):
                text = text.replace(key, "")
        text += options + ("[arguments]\n" + arguments if arguments else "")
        file = os.fsdecode(self.write(f"plugins/{category}/{name}/{name}.stoq", text.encode()))
        library = self.path("plugins", category, name, name + ".so")
        if not os.path.exists(library):
            os.symlink(os.path.join(os.environ["STOQ_FIXTURES"], f"witness_{category}.so"), library)
        return file

    def run_worker(self, worker, *arguments, code=0, **environment):
        run = self.stoq(worker, "--quiet", *arguments, STOQ_JOURNAL=self.journal, **environment)
        self.assertEqual(run.returncode, code, run.stderr)
        return self.records(run.stdout)

    def events(self):
        if not os.path.exists(self.journal):
            return []
        with open(self.journal, encoding="utf-8") as file:
            return file.read().splitlines()

    def start(self, *arguments):
        with open(self.path("stderr"), "wb") as stderr:
            process = subprocess.Popen([STOQ, *arguments], cwd=self.place, stderr=stderr,
                                       stdout=subprocess.DEVNULL,
                                       env={**os.environ, "STOQ_JOURNAL": self.journal})
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def said(self):
        with open(self.path("stderr"), encoding="utf-8") as file:
            return file.read()


class Command(WorkerTest):
    def test_help_shows_whose_options_are_whose(self):
        groups = {}
        for line in self.stoq("yara", "-h").stdout.decode().splitlines():
            if line.endswith(":") and not line.startswith(" "):
                group = groups.setdefault(line[:-1], [])
            elif line.startswith("  -"):
                group.append(line.split("  ")[1].strip())
        self.assertIn("-r,--rules FILE|DIR", groups["Plugin Options"])
        self.assertIn("-t,--timeout SECONDS", groups["Plugin Options"])
        ours = [option for name, options in groups.items() if name != "Plugin Options"
                for option in options]
        for option in ("-F,--file PATH", "-I,--ingest,--source NAME", "-Q,--queue NAME",
                       "-E,--errors", "--metadata KEY:VALUE ...", "--rate-limit N[/SECONDS]",
                       "--cron SECONDS", "-D,--dispatch", "-O,--outfile FILE",
                       "-C,--connector NAME", "-A,--archive NAME", "-S,--split",
                       "-T,--template NAME", "-L,--loglevel,--log-level LEVEL",
                       "-M,--max-processes,--threads N", "-R,--max_recursion,--max-depth N",
                       "--tlp LEVEL"):
            self.assertIn(option, ours)
        for option in groups["Plugin Options"]:
            self.assertNotIn(option, ours)

    def test_help_runs_nothing_of_the_plugin(self):
        self.witness(arguments="count = -c, --count N: Files that come\n")
        run = self.stoq("w", "-h", "--plugin-dir", "plugins", STOQ_JOURNAL=self.journal)
        self.assertEqual((run.returncode, run.stderr), (0, b""))
        self.assertIn("-c,--count N", run.stdout.decode())
        self.assertEqual(self.events(), [])
        self.assertEqual(self.stoq("-h", STOQ_JOURNAL=self.journal).returncode, 0)

    def test_every_worker_is_a_command(self):
        text = self.stoq("-h").stdout.decode()
        listed = [line.split()[0] for line in self.stoq("list").stdout.decode().splitlines()]
        workers = [name.split(":")[1] for name in listed if name.startswith("worker:")]
        self.assertIn("yara", workers)
        for worker in workers:
            self.assertRegex(text, rf"(?m)^  {worker} ")
            self.assertEqual(self.stoq(worker, "-h").returncode, 0)
        self.assertEqual(self.stoq("worker:entropy", "-h").returncode, 0)

    def test_also_those_of_other_folders(self):
        self.witness()
        self.write("file", b"12345")
        self.write("stoq.cfg", b"[core]\nplugin_dir_list = gone, plugins\n")
        for arguments, environment in ((["--plugin-dir", "plugins"], {}),
                                       (["--plugin-dir=plugins"], {}),
                                       (["--config", "stoq.cfg"], {}),
                                       ([], {"STOQ_CONFIG": "stoq.cfg"}),
                                       ([], {"STOQ_PLUGIN_PATH": "plugins"})):
            with self.subTest(arguments=arguments, environment=environment):
                records = self.run_worker("w", "-F", "file", *arguments, **environment)
                self.assertEqual(records[0]["stoq"]["workers"], {"w": {"size": 5}})

    def test_names_what_was_meant(self):
        self.refused("yra", "-F", "x", saying=["'yra'", "'stoq yara'"])
        self.refused("iocextrct", saying=["'stoq iocextract'"])
        self.refused("yara", "--ruls", "x", saying=["'--ruls'", "'--rules'"])
        self.refused("yara", "--connectr", "x", saying=["'--connector'"])
        self.refused("yara", "-r", "rules.yar", "rules.yar", saying=["too many", "'rules.yar'"])

    def test_a_worker_that_cannot_be_used(self):
        os.remove(os.path.join(os.path.dirname(self.witness()), "w.so"))
        self.refused("w", "-F", "x", "--plugin-dir", "plugins", saying=["w.so is missing"])
        self.write("stoq.cfg", b"no section")
        self.refused("yara", "-F", "x", "--config", "stoq.cfg", saying=["stoq.cfg:1"])

    def test_a_worker_that_is_refused(self):
        """On standard error: one line, the file, the reason, what to do."""
        library = os.path.join(os.path.dirname(self.witness()), "w.so")
        os.remove(library)
        os.symlink(os.path.join(os.environ["STOQ_FIXTURES"], "wrong_abi.so"), library)
        self.refused("w", "-F", "x", "--plugin-dir", "plugins",
                     saying=["plugins/worker/w/w.so: built for plugin interface 4711",
                             "build it again with this stoq's headers"])
        os.remove(library)
        for failure, says in (("config", "its far side is down"),
                              ("exception", r"cannot be activated: two\x0alines"),
                              ("number", "something that is no std::exception")):
            with self.subTest(failure):
                self.witness(options=f"failure = {failure}\n")
                self.refused("w", "-F", "x", "--plugin-dir", "plugins",
                             saying=[says, "(worker:w; correct its options in plugins/worker/w/w.stoq "
                                     "or by --option, or leave it out)"])

    def test_a_worker_that_needs_no_payload(self):
        self.witness(options="needs_payload = False\n")
        records = self.run_worker("w", "--plugin-dir", "plugins")
        self.assertEqual([(r["file"]["path"], r["file"]["size"]) for r in records], [("w", 0)])
        self.assertEqual(records[0]["stoq"]["workers"], {"w": {"size": 0}})
        self.assertEqual(self.events()[-2:], ["worker deactivate", "worker destroyed"])
        self.write("file", b"12345")
        records = self.run_worker("w", "-F", "file", "--plugin-dir", "plugins")
        self.assertEqual([r["stoq"]["workers"] for r in records], [{"w": {"size": 5}}])
        nothing = ["nothing to scan: name files or folders with -F, or a list with --files-from"]
        for arguments in (["-I", "filedir"], ["-Q", "urgent"], ["-E"],
                          ["--option", "w.needs_payload=true"]):
            with self.subTest(arguments=arguments):
                self.refused("w", "--plugin-dir", "plugins", *arguments, saying=nothing)
        self.refused("scan", "-w", "w", "--plugin-dir", "plugins", saying=["nothing to scan"])

    def test_a_worker_sees_what_is_said_of_a_file(self):
        self.witness(options="tells = True\n")
        self.write("a.zip", zipped({"b": b"hello"}))
        records = self.run_worker("w", "-D", "-F", "a.zip", "--plugin-dir", "plugins",
                                  "--metadata", "case:7")
        self.assertEqual([r["stoq"]["workers"]["w"]["meta"] for r in records], [{"case": "7"}] * 2)
        self.write("messages", b'{"path": "a.zip", "case": 8}\n')
        records = self.run_worker("w", "-I", "messages", "-F", "messages", "--plugin-dir", "plugins")
        self.assertEqual(records[0]["stoq"]["workers"]["w"]["meta"]["case"], 8)

    def test_lists_category_name_version_description(self):
        self.witness()
        listed = self.stoq("list", "--plugin-dir", "plugins").stdout.decode()
        self.assertRegex(listed, r"(?m)^worker:w +1\.5 +d$")

    def test_info_shows_arguments(self):
        """Also where the plugin cannot be activated, as yara without rules."""
        for arguments in ([], ["--option", "yara.rules_list=rules.yar"]):
            text = self.stoq("info", "yara", *arguments).stdout.decode()
            self.assertIn("'stoq yara'", text)
            self.assertRegex(text, r"(?m)^-r, --rules FILE\|DIR +rules_list +YARA rules")

    def test_scans_as_scan_does(self):
        for i in range(20):
            self.write(f"top/{i}.zip", zipped({"a.txt": b"hello %d" % i, "b.txt": b"bye"}))
        mine = self.stoq("yara", "-r", "rules.yar", "-F", "top", "-D", "--quiet")
        theirs = self.stoq("scan", "-w", "yara", "--rules", "rules.yar", "top", "-q")
        self.assertEqual(mine.returncode, 0, mine.stderr)
        self.assertEqual(mine.stdout.count(b"\n"), 60)
        self.assertEqual(mine.stdout, theirs.stdout)
        one = self.stoq("yara", "-r", "rules.yar", "-F", "top", "-D", "--quiet", "-M", "1")
        self.assertEqual(one.stdout, mine.stdout)

    def test_opens_nothing_without_dispatch(self):
        inner = zipped({"b.zip": zipped({"c.zip": zipped({"d": b"hello"})})})
        self.write("a.zip", inner)
        for arguments, count in (([], 1), (["-D"], 4), (["-D", "-R", "1"], 2),
                                 (["-D", "--max_recursion", "2"], 3)):
            with self.subTest(arguments=arguments):
                records = self.run_worker("yara", "-r", "rules.yar", "-F", "a.zip", *arguments,
                                          code=1 if "1" in arguments or "2" in arguments else 0)
                self.assertEqual(len(records), count)
                self.assertEqual(records[0]["stoq"]["type"], "zip")
        self.refused("yara", "-r", "rules.yar", "-F", "a.zip", "--dispatch-rules", "rules.yar",
                     saying=["--dispatch-rules", "-D"])

    def test_refuses_what_it_cannot_do(self):
        self.refused("entropy", saying=["nothing to scan", "-F"])
        self.refused("entropy", "-F", "x", "-L", "loud", saying=["'loud'", "error"])
        self.refused("entropy", "-F", "x", "-M", "many", saying=["'many'"])
        self.refused("entropy", "-F", "x", "-I", "filedri", saying=["'filedri'", "'filedir'"])
        self.refused("entropy", "-F", "x", "--metadata", "case", saying=["'case'", "KEY:VALUE"])
        self.refused("yara", "-F", "x", saying=["no rules", "--rules"])
        self.refused("entropy", "-F", "x", "-O", "a", "--output", "b",
                     saying=["--output and --outfile"])
        for rate in ("0", "5/0", "5/", "x", "5/x", "-1", "1.5", "10000000", "5/nan"):
            with self.subTest(rate=rate):
                self.refused("entropy", "-F", "x", "--rate-limit=" + rate, saying=["'" + rate + "'"])
                self.refused("scan", "x", "--rate-limit=" + rate, saying=["'" + rate + "'"])
        for pause in ("0", "-5", "soon"):
            self.refused("scan", "x", "--cron=" + pause, saying=["--cron", "'" + pause + "'"])

    def test_metadata_tlp_and_log(self):
        self.write("a", b"hello")
        records = self.run_worker("entropy", "--metadata", "case:1234", "url:http://x/", "-F", "a",
                                  "--tlp", "green", "-L", "error", "--log-file", "log")
        self.assertEqual(records[0]["stoq"]["meta"], {"case": "1234", "url": "http://x/"})
        self.assertEqual(records[0]["stoq"]["tlp"], "green")
        self.assertEqual(os.path.getsize(self.path("log")), 0)

    def test_paths_that_look_like_options(self):
        self.write("-D", b"x")
        records = self.run_worker("entropy", "--", "-D")
        self.assertEqual(self.paths(records), ["-D"])


class Arguments(WorkerTest):
    """[arguments] of .stoq files."""

    def types(self, *arguments):
        records = self.run_worker("iocextract", "-F", "text", *arguments)
        return sorted(records[0]["stoq"].get("workers", {}).get("iocextract", {}))

    def test_of_shipped_workers(self):
        self.write("text", b"see http://evil.example.com/a and 192.0.2.7\n")
        self.assertEqual(self.types("-t", "ipv4"), ["ipv4"])
        both = self.types("--types", "ipv4,url")
        self.assertEqual(both, ["ipv4", "url"])
        self.assertEqual(self.types("-t", "url", "--types=ipv4"), both)
        self.write("known", b"ipv4:192.0.2.0/24\n")
        self.assertEqual(self.types("-t", "ipv4", "-w", "known"), [])
        self.write("text", "see http://evil.example.com/a".encode("utf-16-le") + b"\0\1\2")
        self.assertEqual(self.types("-t", "url"), ["url"])
        self.assertEqual(self.types("-t", "url", "--no-utf16"), [])

    def test_lists_are_given_one_by_one_too(self):
        self.write("more.yar", b"rule bye { strings: $a = \"bye\" condition: $a and v == 3 }")
        self.write("text", b"hello, bye")
        records = self.run_worker("yara", "-F", "text", "-r", "rules.yar", "-r", "more.yar",
                                  "-x", "v=3")
        matches = records[0]["stoq"]["workers"]["yara"]["matches"]
        self.assertEqual([match["rule"] for match in matches], ["hello", "bye"])

    def test_values_of_any_kind(self):
        self.witness(arguments="facts_dict = -f, --facts JSON: Facts\n"
                               "beats = --beats: Wants a heartbeat\n"
                               "beat_throws = --no-throw: No exceptions\n"
                               "count = --count N: How many\n",
                     options="beat_throws = True\n")
        self.write("a", b"1234")
        records = self.run_worker("w", "-F", "a", "--plugin-dir", "plugins", "--facts",
                                  '{"of": ["life"]}', "--beats", "--no-throw", "--count=7")
        self.assertEqual(records[0]["stoq"]["workers"]["w"]["facts"], {"of": ["life"]})
        self.assertTrue(any(event.startswith("worker heartbeat ") for event in self.events()))
        run = self.stoq("w", "-F", "a", "--plugin-dir", "plugins", "--beats", "--quiet")
        self.assertIn(b"no pulse", run.stderr)
        for given, says in ((["--count", "many"], ["--count", "'many'", "whole number"]),
                            (["--facts", "{"], ["--facts", "JSON object"]),
                            (["--count"], ["--count"])):
            self.refused("w", "-F", "a", "--plugin-dir", "plugins", *given, saying=says)

    def test_the_command_line_wins(self):
        self.write("other.yar", b"rule other { condition: true }")
        self.write("text", b"hello")
        self.write("stoq.cfg", b"[core]\nrules = other.yar\nworker = entropy\n")
        for arguments, rule in ((["-r", "rules.yar"], "hello"), ([], "other")):
            records = self.run_worker("yara", "-F", "text", "--config", "stoq.cfg", *arguments)
            workers = records[0]["stoq"]["workers"]
            self.assertEqual(list(workers), ["yara"])
            self.assertEqual([match["rule"] for match in workers["yara"]["matches"]], [rule])

    def test_refuses_what_is_no_argument(self):
        self.write("a")
        for line, says in (
                ("beets = --beets: x", ["'beets'", "did you mean 'beats'?"]),
                ("colours = --colours: x", ["'colours'", "no such option", "remove the line"]),
                ("count = -F, --count N: x", ["-F is an option of stoq's own"]),
                ("count = --file N: x", ["--file is an option of stoq's own"]),
                ("count = --cron N: x", ["--cron is an option of stoq's own"]),
                ("count = -h, --count N: x", ["-h is an option of stoq's own"]),
                ("count = -c N: x", ["no long name"]),
                ("count = --count N:", ["what it is for"]),
                ("count = --count N", ["what it is for"]),
                ("count = --count HOW MANY: x", ["'HOW MANY' is no single word"]),
                ("count = -cc, --count N: x", ["'-cc' is no name"]),
                ("count = -1, --count N: x", ["'-1' is no name"]),
                ("count = --Count N: x", ["'--Count' is no name"]),
                ("count = count N: x", ["'count' is no name"]),
                ("count = --count, --number N: x", ["'--number' is no name"]),
                ("some_list = --some: x", ["a list needs a value"]),
                ("count = -c, --count N: x\npause = -c, --pause N: x", ["-c is taken by 'count'"]),
                ("count = --count N: x\npause = --count N: x", ["--count is taken by 'count'"])):
            with self.subTest(line=line):
                file = self.witness(arguments=line + "\n")
                with open(file, encoding="ascii") as text:
                    number = len(text.read().splitlines())
                self.refused("w", "-F", "a", "--plugin-dir", "plugins",
                             saying=[f"{file.replace(self.place + '/', '')}:{number}: ", *says])
        self.witness("connector", arguments="count = --count N: x\n", name="c")
        self.refused("scan", "-C", "c", "a", "--plugin-dir", "plugins",
                     saying=["c.stoq: [arguments] is for workers"])

    def test_queues_are_options_of_the_source(self):
        self.witness("source")
        self.run_worker("entropy", "-I", "w", "--plugin-dir", "plugins", "-Q", "urgent", "-E")
        self.assertIn("source queue urgent with errors", self.events())
        self.refused("entropy", "-F", "x", "-Q", "urgent",
                     saying=["--queue", "source:filedir has no option 'queue'"])
        self.refused("entropy", "-F", "x", "-E",
                     saying=["--errors", "source:filedir has no option 'error_queue'"])


class Output(WorkerTest):
    def test_adds_to_a_file(self):
        for name in ("a", "b", "c"):
            self.write(name, name.encode())
        for file, read in (("out.jsonl", open), ("out.jsonl.gz", gzip.open)):
            for name in ("a", "b", "c"):
                self.run_worker("entropy", "-F", name, "-O", file)
            with read(self.path(file), "rb") as results:
                self.assertEqual(self.paths(self.records(results.read())), ["a", "b", "c"])
            self.assertFalse(os.path.exists(self.path("run.json")))
        for name in ("a", "b"):
            self.run_worker("entropy", "-F", name, "-O", "out.zst")
        unpacked = subprocess.run(["zstd", "-dqc", self.path("out.zst")], capture_output=True,
                                  check=True).stdout
        self.assertEqual(self.paths(self.records(unpacked)), ["a", "b"])
        self.run_worker("entropy", "-F", "c", "--output", "out.jsonl")
        with open(self.path("out.jsonl"), "rb") as results:
            self.assertEqual(self.paths(self.records(results.read())), ["c"])

    def test_half_a_line_stays_alone(self):
        self.write("a", b"a")
        self.write("out.jsonl", b'{"whole":1}\n{"ha')
        self.run_worker("entropy", "-F", "a", "-O", "out.jsonl")
        with open(self.path("out.jsonl"), "rb") as results:
            lines = results.read().split(b"\n")
        self.assertEqual(lines[:2], [b'{"whole":1}', b'{"ha'])
        self.assertEqual(json.loads(lines[2])["file"]["path"], "a")
        self.assertEqual(lines[3:], [b""])

    def test_refuses_to_add_to_an_array(self):
        self.refused("entropy", "-F", "x", "-O", "out.json", "--option", "file.form=json",
                     saying=["'json'", "nothing can be added to an array"])

    def test_other_connectors(self):
        self.write("a", b"a")
        self.run_worker("entropy", "-F", "a", "-C", "sqlite", "-O", "out.db")
        self.assertTrue(os.path.exists(self.path("out.db")))
        self.refused("entropy", "-F", "a", "-C", "stdout", "-O", "out", saying=["--outfile"])

    def test_split(self):
        self.write("a.zip", zipped({"b.zip": zipped({"c": b"hello"}), "d": b"hello"}))
        arguments = ["yara", "-r", "rules.yar", "-F", "a.zip", "-D", "--format", "stoq"]
        whole, = self.run_worker(*arguments)
        parts = self.run_worker(*arguments, "-S")
        self.assertEqual(whole["payloads"], 4)
        self.assertEqual([part["payloads"] for part in parts], [1] * 4)
        self.assertEqual(sorted((part["results"][0] for part in parts),
                                key=lambda result: result["payload_id"]), whole["results"])
        for part in parts:
            number = str(part["results"][0]["payload_id"])
            self.assertEqual(part["plugins"], {number: whole["plugins"][number]})
        lines = self.stoq("yara", "-r", "rules.yar", "-F", "a.zip", "-D", "-S", "--quiet").stdout
        self.assertEqual(lines.count(b"\n"), 4)

    def test_says_what_is_archived(self):
        self.write("a", b"hello")
        arguments = ["entropy", "-F", "a", "--format", "stoq"]
        keep = ["-A", "file", "--option", "file.archive_base=kept"]
        self.assertEqual(self.run_worker(*arguments, *keep)[0]["results"][0]["archive"], "file")
        self.assertNotIn("archive", self.run_worker(*arguments)[0]["results"][0])
        secret = self.run_worker(*arguments, *keep, "--tlp", "red",
                                 "--option", "file.max_tlp=green", code=1)
        self.assertNotIn("archive", secret[0]["results"][0])


class Rate(WorkerTest):
    def kept(self, folder):
        return sum(len(files) for _, _, files in os.walk(self.path(folder)))

    def test_no_more_than_so_many_begin(self):
        """What has begun is scanned, and the wait for the next can be broken off."""
        self.witness("source", options="count = 5\n")
        for number in (signal.SIGINT, signal.SIGTERM):
            folder = f"kept{number}"
            process = self.start("entropy", "-I", "w", "--plugin-dir", "plugins", "-O", "out.jsonl",
                                 "-A", "file", "--option", "file.archive_base=" + folder, "--quiet",
                                 "--rate-limit", "2/3600")
            self.wait_until(lambda where=folder: self.kept(where) == 2, "two files archived")
            process.send_signal(number)
            self.assertEqual(process.wait(timeout=60), 130)
            self.assertEqual(self.kept(folder), 2)
        with open(self.path("out.jsonl"), "rb") as file:
            self.assertEqual(self.paths(self.records(file.read())), ["file0", "file1"] * 2)

    def test_results_are_the_same(self):
        for i in range(30):
            self.write(f"top/{i:02}", b"%d" % i)
        free = self.stoq("scan", "top", "-q")
        for rate in ("1000000", "10/0.001"):
            limited = self.stoq("scan", "top", "-q", "--rate-limit", rate)
            self.assertEqual(limited.returncode, 0, limited.stderr)
            self.assertEqual(limited.stdout, free.stdout)


class Cron(WorkerTest):
    def runs(self, event="worker destroyed"):
        return self.events().count(event)

    def test_scans_again_until_it_is_told_to_stop(self):
        self.witness()
        self.write("a", b"1")
        for number in (signal.SIGINT, signal.SIGTERM):
            before = self.runs()
            process = self.start("w", "-F", "a", "--plugin-dir", "plugins", "--cron", "0.01",
                                 "--output", f"out{number}.jsonl")
            self.wait_until(lambda: self.runs() >= before + 3, "three runs")
            process.send_signal(number)
            self.assertIn(process.wait(timeout=60), (0, 130))  # between runs, or in one
            runs = self.runs() - before
            self.assertEqual(self.runs("worker activate"), self.runs("worker deactivate"))
            with open(self.path(f"out{number}.jsonl"), "rb") as file:
                paths = self.paths(self.records(file.read()))
            self.assertEqual(set(paths), {"a"})
            self.assertIn(len(paths), (runs, runs - 1))
            self.assertGreaterEqual(self.said().count("Scanned 1 file"), runs - 1)
            self.assertIn("\nNext run in 0.01 s\n", self.said())

    def test_the_wait_can_be_broken_off(self):
        self.witness()
        self.write("a", b"1")
        for paths, code in ((["-F", "a"], 0), (["-F", "a", "-F", "gone"], 1)):
            before = self.runs()
            process = self.start("w", *paths, "--plugin-dir", "plugins", "--cron", "3600",
                                 "--quiet")
            self.wait_until(lambda: self.runs() == before + 1, "the end of the first run")
            process.send_signal(signal.SIGTERM)
            self.assertEqual(process.wait(timeout=60), code)  # that of the last run
            self.assertEqual(self.runs(), before + 1)

    def test_goes_on_after_a_run_that_cannot_start(self):
        self.write("a", b"hello")
        process = self.start("yara", "-r", "rules.yar", "-F", "a", "--cron", "0.01")
        self.wait_until(lambda: "Scanned 1 file" in self.said(), "the first run")
        os.remove(self.path("rules.yar"))
        self.wait_until(lambda: "stoq: " in self.said(), "a run without rules")
        self.write("rules.tmp", RULES)
        os.rename(self.path("rules.tmp"), self.path("rules.yar"))
        told = len(self.said())
        self.wait_until(lambda: "Scanned 1 file" in self.said()[told:], "a run with rules again")
        process.send_signal(signal.SIGINT)
        self.assertIn(process.wait(timeout=60), (0, 130))

    def test_refuses_what_cannot_be_done_again(self):
        self.refused("yara", "-r", "gone.yar", "-F", "x", "--cron", "1", saying=["gone.yar"])
        self.refused("scan", "--files-from", "-", "--cron", "1", saying=["--cron", "but once"])
        self.refused("scan", "x", "--cron", "1", "-o", "x.json", "--option", "file.form=json",
                     saying=["'json'", "nothing can be added"])


class Shape(WorkerTest):
    """--format stoq: one object a file, as stoQ 0.10 makes it."""
    TEXT = b"hello, this is a text\n" * 50
    NOTE = b"a note without it\n"

    @staticmethod
    def tarred(members):
        made = io.BytesIO()
        with tarfile.open(fileobj=made, mode="w", format=tarfile.USTAR_FORMAT) as archive:
            for name, content in members.items():
                about = tarfile.TarInfo(name)
                about.size = len(content)
                archive.addfile(about, io.BytesIO(content))
        return made.getvalue()

    @staticmethod
    def digests(content):
        return {name: hashlib.new(name, content).hexdigest()
                for name in ("md5", "sha1", "sha256", "sha512")}

    def test_nested_archives(self):
        inner = zipped({"note.txt": self.NOTE, "text.txt": self.TEXT})
        tar = self.tarred({"inner.zip": inner, "text.txt": self.TEXT})
        packed = gzip.compress(tar)
        outer = zipped({"middle.tar.gz": packed, "middle.tar": tar, "note.txt": self.NOTE})
        self.write("corpus/nested.zip", outer)
        document, = self.run_worker(
            "yara", "-r", "rules.yar", "-F", "corpus/nested.zip", "-D", "-R", "10", "--metadata",
            "case:1234", "submitter:me", "--tlp", "green", "--format", "stoq")
        # name, content, parent, dispatcher, rules that match; by depth, as stoQ lists them
        truth = [("nested.zip", outer, None, None, ["archive"]),
                 ("middle.tar.gz", packed, 0, "extractor:zip", []),
                 ("middle.tar", tar, 0, "extractor:zip", ["hello"]),
                 ("note.txt", self.NOTE, 0, "extractor:zip", []),
                 ("middle.tar", tar, 1, "extractor:decompress", ["hello"]),
                 ("inner.zip", inner, 4, "extractor:archive", ["archive"]),
                 ("text.txt", self.TEXT, 4, "extractor:archive", ["hello"]),
                 ("note.txt", self.NOTE, 5, "extractor:zip", []),
                 ("text.txt", self.TEXT, 5, "extractor:zip", ["hello"])]
        self.assertEqual(set(document), {"payloads", "plugins", "results", "tlp"})
        self.assertEqual((document["payloads"], document["tlp"]), (len(truth), "green"))
        self.assertEqual(document["plugins"], {str(number): dispatcher or "yara" for
                                               number, (_, _, _, dispatcher, _) in enumerate(truth)})
        results = document["results"]
        for number, (name, content, parent, dispatcher, rules) in enumerate(truth):
            with self.subTest(number=number, name=name):
                result = results[number]
                about = {"payload_id": number, "filename": name, "plugin": "yara",
                         "size": len(content), **self.digests(content)}
                self.assertEqual({key: result[key] for key in about}, about)
                self.assertEqual(result.get("dispatcher"), dispatcher)
                self.assertEqual(result.get("save"), None if parent is None else "True")
                self.assertEqual(result.get("path"), "corpus/nested.zip" if number == 0 else None)
                self.assertEqual(result["source_meta"],
                                 {"case": "1234", "submitter": "me"} if number == 0 else {})
                above = [] if parent is None else results[parent]["uuid"]
                self.assertEqual(result["uuid"][:-1], above)
                matches = (result["scan"] or {}).get("matches", [])
                self.assertEqual([match["rule"] for match in matches], rules)
        self.assertEqual(len({result["uuid"][-1] for result in results}), len(truth))
        first = {}
        for result in results:
            self.assertIn(result["status"], ("ok", "duplicate"))
            if result["status"] == "ok":
                self.assertNotIn(result["sha256"], first)
                first[result["sha256"]] = result
        self.assertEqual(len(first), 6)

    def test_same_bytes_for_any_number_of_threads(self):
        for i in range(40):
            inner = zipped({"a.zip": zipped({"b": b"hello %d" % i}), "c": b"%d" % i})
            self.write(f"top/{i}.zip", zipped({"d.zip": inner, "e": b"hello %d" % i, "f.zip": inner}))
        for split in ([], ["-S"]):
            outputs = {self.stoq("yara", "-r", "rules.yar", "-F", "top", "-D", "--format", "stoq",
                                 "--quiet", "-M", threads, *split).stdout
                       for threads in ("1", "2", "5")}
            self.assertEqual(len(outputs), 1)
            documents = self.records(outputs.pop())
            numbers = [[result["payload_id"] for result in document["results"]]
                       for document in documents]
            # Each file, what is in it, in d.zip, in a.zip; f.zip is d.zip and not opened again.
            numbered = list(range(1 + 3 + 2 + 1))
            if split:
                self.assertEqual(sorted(numbers), sorted([number] for number in numbered * 40))
            else:
                self.assertEqual(numbers, [numbered] * 40)

    def test_date_when_asked_for(self):
        self.write("a", b"a")
        document, = self.run_worker("entropy", "-F", "a", "--format", "stoq", "--timing")
        self.assertRegex(document["date"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$")

    def test_beside_the_original(self):
        seed = os.environ.get("STOQ_SEED", "")
        if not os.path.exists(os.path.join(seed, "example-nested.stoq-0.10.json")):
            print("NOT COMPARED with stoQ 0.10: $STOQ_SEED names no folder with "
                  "example-nested.stoq-0.10.json", file=sys.stderr)
            self.skipTest("no $STOQ_SEED")
        with open(os.path.join(seed, "example-nested.stoq-0.10.json"), encoding="utf-8") as file:
            original = json.load(file)
        # Its rules, as far as its results show them.
        self.write("original.yar", b"""
            rule zip_local { strings: $a = { 50 4b 03 04 } condition: $a at 0 }
            rule gzip_magic { condition: uint16(0) == 0x8b1f }
            rule gpl_text { strings: $a = "GNU General Public License" nocase condition: $a }
            rule always_text { strings: $a = "Copyright" condition: $a }""")
        ours, = self.run_worker(
            "yara", "-r", "original.yar", "-F", os.path.join(seed, "example-nested.zip"), "-D", "-R",
            "10", "--metadata", "case:1234", "submitter:me", "--tlp", "green", "--format", "stoq",
            "-A", "file", "--option", "file.archive_base=kept")
        self.assertEqual(ours["tlp"], original["tlp"])
        mine, theirs = self.by_lineage(ours), self.by_lineage(original)
        self.assertEqual(len(theirs), original["payloads"])
        for lineage, result in theirs.items():
            with self.subTest(filename=result["filename"]):
                self.compare(mine.pop(lineage), result)
        # What stoQ drops, because the same bytes came out before, is told here.
        known = {result["sha1"] for result in theirs.values()}
        self.assertEqual(sorted(result["filename"] for result in mine.values()),
                         ["gpl.txt", "inner.txt"])
        for result in mine.values():
            self.assertIn(result["sha1"], known)

    @staticmethod
    def by_lineage(document):
        """Results by the digests from the root down: identifiers are made anew by every program."""
        digests = {result["uuid"][-1]: result["sha1"] for result in document["results"]}
        return {tuple(digests[one] for one in result["uuid"]): result
                for result in document["results"]}

    def compare(self, mine, theirs):
        for key in ("md5", "sha1", "sha256", "sha512", "size", "plugin", "save", "archive",
                    "source_meta"):
            self.assertEqual(mine.get(key), theirs.get(key), key)
        # One extractor there does what three do here.
        names = ("extractor:zip", "extractor:archive", "extractor:decompress")
        if "dispatcher" in theirs:
            self.assertIn(mine["dispatcher"], names)
            self.assertEqual(theirs["dispatcher"], "extractor:decompress")
        if theirs["filename"].endswith("~"):  # a temporary file of the original's
            self.assertEqual(mine["filename"], "middle.tar")
        elif "path" not in theirs:  # the root was called otherwise
            self.assertEqual(mine["filename"], theirs["filename"])
        matches = (mine["scan"] or {}).get("matches", [])
        expected = theirs["scan"] or []
        self.assertEqual([match["rule"] for match in matches], [match["rule"] for match in expected])
        for match, other in zip(matches, expected):
            self.assertEqual(match["namespace"], "original")  # here it is the name of the file
            self.assertEqual(other["namespace"], "default")
            self.assertEqual([[str(found["offset"]), found["id"]] for found in match.get("strings", [])],
                             [found[:2] for found in other["strings"]])


if __name__ == "__main__":
    unittest.main()
