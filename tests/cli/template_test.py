#!/usr/bin/env python3
"""Results as text, by Jinja2 templates. Runs the program as a person does; the environment is that
of cli_test.py. Truth is what Python's own Jinja2 makes of the JSON that stoq gives without one.
"""
import hashlib
import io
import json
import os
import shutil
import subprocess
import time
import unittest
import zipfile

import jinja2

from cli_test import STOQ, CliTest

PLUGINS = os.path.join(os.path.dirname(os.path.dirname(STOQ)), "lib", "stoq", "plugins")
RULES = b'rule hello : greeting { strings: $a = "hello" condition: $a }'


def rendered(template, document):
    environment = jinja2.Environment(trim_blocks=True, lstrip_blocks=True)
    text = environment.from_string(template).render(results=document)
    return text if text.endswith("\n") or not text else text + "\n"


class Template(CliTest):
    def setUp(self):
        super().setUp()
        whole = io.BytesIO()
        with zipfile.ZipFile(whole, "w") as archive:
            archive.writestr("inner.txt", "hello, see http://evil.example.com/x\n")
        self.write("in/a.zip", whole.getvalue())
        self.write("in/b.txt", b"hello\n")
        self.write("rules.yar", RULES)

    def worker(self, name, **templates):
        """A copy of a worker with templates of ours; the arguments that use it."""
        folder = self.path("plugins", "worker", name)
        if not os.path.exists(folder):
            shutil.copytree(os.path.join(PLUGINS, "worker", name), folder)
        for template, text in templates.items():
            self.write(f"plugins/worker/{name}/templates/{template}.tpl", text.encode())
        return ["--plugin-dir", self.path("plugins")]

    def text(self, *arguments, code=0, worker="yara", rules=True):
        run = self.stoq("scan", "-q", "-w", worker, *(["--rules", "rules.yar"] if rules else []),
                        *arguments)
        self.assertEqual(run.returncode, code, run.stderr)
        return run.stdout.decode(), run.stderr.decode()

    def documents(self, *arguments, worker="yara", rules=True):
        text, _ = self.text(*arguments, "--format", "stoq", worker=worker, rules=rules)
        return [json.loads(line) for line in text.splitlines()]

    def test_shipped_templates_render_as_jinja_does(self):
        for worker in ("yara", "iocextract", "mimetype"):
            rules = worker == "yara"
            documents = self.documents("in", worker=worker, rules=rules)
            for name in ("stdout.tpl", "slack.tpl"):
                with self.subTest(worker=worker, name=name):
                    path = os.path.join(PLUGINS, "worker", worker, "templates", name)
                    with open(path, encoding="utf-8") as file:
                        source = file.read()
                    want = "".join(rendered(source, document) for document in documents)
                    for threads in ("1", "4"):
                        text, errors = self.text("in", "-T", name, "-j", threads, worker=worker,
                                                 rules=rules)
                        self.assertEqual((text, errors), (want, ""))
        self.assertIn("hello [greeting]  in/a.zip > inner.txt\n    $a at 0\n",
                      self.text("in", "-T", "stdout.tpl")[0])
        self.assertIn("in/b.txt: text/plain\n",
                      self.text("in", "-T", "stdout.tpl", worker="mimetype", rules=False)[0])
        self.assertIn("    url: http://evil.example.com/x\n",
                      self.text("in", "-T", "stdout.tpl", worker="iocextract", rules=False)[0])

    def test_templates_of_stoq_work_as_they_are(self):
        source = ('{% block title %}*Yara Results*{% endblock %}\n{% block body %}\n'
                  '{% for result in results["results"] %}\n'
                  '  {% if result["scan"]["matches"]|length > 0 %}\n'
                  '*sha1:* {{ result["sha1"] }} {{ result["filename"] }}\n  {% endif %}\n'
                  '{% endfor %}\n{{ results["payloads"] }} {{ results.plugins["0"] }}\n'
                  '{% endblock %}\n')
        documents = self.documents("in")
        text, errors = self.text("in", "-T", "own.tpl", *self.worker("yara", own=source))
        self.assertEqual(errors, "")
        self.assertEqual(text, "".join(rendered(source, document) for document in documents))

    def test_every_worker_of_the_run_has_its_own(self):
        source = ("{% for r in results.results %}{{ r.plugin }} {{ r.scan and r.scan.keys()|list "
                  "}};{% endfor %}")
        place = self.worker("yara", own=source) + self.worker("iocextract", own=source)[:0]
        self.worker("iocextract", own=source)
        text, _ = self.text("in/b.txt", "-T", "own.tpl", *place, worker="yara,iocextract,mimetype")
        self.assertEqual(text, "yara ['file', 'matches'];\niocextract ['file'];\n")

    def test_a_missing_template_leaves_json(self):
        want = self.documents("in")
        for name, reason in (("none.tpl", "stdout.tpl"), ("../stdout.tpl", "no name"),
                             ("..", "no name")):
            text, errors = self.text("in", "-T", name)
            self.assertEqual([json.loads(line) for line in text.splitlines()], want)
            self.assertIn(reason, errors)
            self.assertIn("saved as JSON", errors)
        text, errors = self.text("in", "-T", "stdout.tpl", worker="none", rules=False)
        self.assertEqual(len(text.splitlines()), 2)
        self.assertIn("name one", errors)

    def test_a_template_that_fails_leaves_json_and_is_named(self):
        want = self.documents("in")
        for source, reason in (
                ("line\n{% for %}\n", "own.tpl:2"),
                ("a\n\n{{ results.nothing.more }}\n", "own.tpl:3"),
                ("{{ 1 / 0 }}", "own.tpl:1: ZeroDivisionError"),
                ("{% include 'other.tpl' %}", "other.tpl"),
                ("{% include '../../yara.stoq' %}", "yara.stoq"),
                ("{% include '/etc/passwd' %}", "passwd"),
                ("{{ ''.__class__.__mro__ }}", "own.tpl:1"),
                ("{{ results.update({'a': 1}) }}", "own.tpl:1"),
                ("{{ 9 ** (9 ** 9) }}", "too large"),
                ("{{ 'a' * 10 ** 12 }}", "too often")):
            with self.subTest(source=source):
                text, errors = self.text("in", "-T", "own.tpl", *self.worker("yara", own=source))
                self.assertEqual([json.loads(line) for line in text.splitlines()], want, errors)
                self.assertIn(reason, errors)
                self.assertIn("saved as JSON", errors)

    def test_only_what_fails_is_json(self):
        source = "{{ results.results[1].filename.upper() }}"  # b.txt holds nothing
        text, errors = self.text("in", "-T", "own.tpl", *self.worker("yara", own=source))
        first, second = text.splitlines()
        self.assertEqual(first, "INNER.TXT")
        self.assertEqual(json.loads(second)["payloads"], 1)
        self.assertIn("1 results were saved as JSON", errors)

    def test_an_endless_template_is_ended(self):
        source = "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}"
        began = time.monotonic()
        text, errors = self.text("in/b.txt", "-T", "own.tpl", "--plugin-timeout", "5",
                                 *self.worker("yara", own=source))
        self.assertLess(time.monotonic() - began, 50)
        self.assertEqual(json.loads(text)["payloads"], 1)
        self.assertIn("does not end in time", errors)

    def test_a_terminal_is_spared(self):
        name = b"in/x\x1b]0;owned\x07\nfine\xe2\x80\xae.txt"
        self.write(name, b"hello")
        text, _ = self.text("in", "-T", "own.tpl",
                            *self.worker("yara", own="{{ results.results[0].filename }}"))
        self.assertIn("x\\x1b]0;owned\\x07\\x0afine\\u202e.txt\n", text)
        self.assertNotIn("\x1b", text)

    def test_texts_go_to_files_and_to_those_only_who_take_them(self):
        self.text("in", "-T", "stdout.tpl", "-o", "out.txt")
        with open(self.path("out.txt"), encoding="utf-8") as file:
            self.assertEqual(file.read(), self.text("in", "-T", "stdout.tpl")[0])
        for connector in ("sqlite", "http"):
            self.refused("scan", "in", "-w", "mimetype", "-T", "stdout.tpl", "-C", connector,
                         saying=["takes no text", connector])
        self.refused("scan", "in", "-w", "mimetype", "-T", "stdout.tpl", "-o", "x", "--option",
                     "file.form=json", saying=["takes no text"])

    def test_texts_to_one_connector_and_json_to_another(self):
        want = self.documents("in")
        text, errors = self.text("in", "-T", "stdout.tpl", "-o", "out.jsonl", "--text-connector", "stdout")
        self.assertEqual((text, errors), (self.text("in", "-T", "stdout.tpl")[0], ""))
        with open(self.path("out.jsonl"), encoding="utf-8") as file:
            self.assertEqual([json.loads(line) for line in file], want)
        with open(self.path("run.json"), encoding="utf-8") as file:
            self.assertEqual(json.load(file)["text_connector"], "stdout")
        swapped, _ = self.text("in", "-T", "stdout.tpl", "--text-connector", "connector:file", "--option",
                               "file.path=out.txt")
        self.assertEqual([json.loads(line) for line in swapped.splitlines()], want)
        with open(self.path("out.txt"), encoding="utf-8") as file:
            self.assertEqual(file.read(), text)
        for arguments, saying in (((), ["--template"]),
                                  (("-T", "stdout.tpl", "-C", "stdout"), ["as JSON", "another"]),
                                  (("-T", "stdout.tpl", "--option", "file.form=json", "-o", "x"), None)):
            taker = ("--text-connector", "stdout")
            if saying is None:  # the one that takes JSON need not take text
                self.assertEqual(self.text("in", *arguments, *taker)[0], text)
            else:
                self.refused("scan", "in", "-w", "mimetype", *arguments, *taker, saying=saying)
        self.refused("scan", "in", "-w", "mimetype", "-T", "stdout.tpl", "--text-connector", "sqlite",
                     saying=["takes no text", "connector:sqlite"])

    def test_the_command_of_stoqs_guide(self):
        """Text of every payload, each that a rule says to save kept once, and brought back."""
        source = "{% for r in results.results %}{{ r.sha256 }} {{ r.filename }}\n{% endfor %}"
        inner = io.BytesIO()
        with zipfile.ZipFile(inner, "w") as archive:
            archive.writestr("deep.txt", "hello from below\n")
            archive.writestr("twice.txt", "hello\n")
        outer = io.BytesIO()
        with zipfile.ZipFile(outer, "w") as archive:
            archive.writestr("again.txt", "hello\n")
            archive.writestr("inner.zip", inner.getvalue())
        self.write("nested.zip", outer.getvalue())
        members = {"nested.zip": outer.getvalue(), "again.txt": b"hello\n",
                   "twice.txt": b"hello\n", "inner.zip": inner.getvalue(),
                   "deep.txt": b"hello from below\n"}
        place = ["--option", "file.archive_base=kept"]
        run = self.stoq("yara", "-r", "rules.yar", "-F", "nested.zip", "-D", "-C", "file", "-A",
                        "file", "-T", "yara.tpl", "-O", "out.txt", "--quiet", *place,
                        *self.worker("yara", yara=source))
        self.assertEqual((run.returncode, run.stderr), (0, b""))
        with open(self.path("out.txt"), encoding="utf-8") as file:
            said = sorted(file.read().splitlines())
        digests = {name: hashlib.sha256(content).hexdigest() for name, content in members.items()}
        self.assertEqual(said, sorted(f"{digest} {name}" for name, digest in digests.items()))
        kept = [name for _, _, names in os.walk(self.path("kept")) for name in names]
        self.assertEqual(len(kept), len(set(digests.values())))
        for name, digest in digests.items():
            got = self.stoq("get", "file", digest, *place)
            self.assertEqual((got.returncode, got.stdout), (0, members[name]), got.stderr)

    def test_python_is_loaded_only_when_asked_for(self):
        script = 'LD_DEBUG=libs exec "$@" 2>&1'
        seen = {}
        for arguments in ([], ["-T", "stdout.tpl"]):
            run = subprocess.run(["sh", "-c", script, "sh", STOQ, "scan", "-q", "-w", "mimetype",
                                  "in/b.txt", *arguments], cwd=self.place, capture_output=True,
                                 timeout=120, check=True)
            seen[bool(arguments)] = b"libpython" in run.stdout
        self.assertEqual(seen, {False: False, True: True})

    def test_python_begins_again_with_every_run(self):
        process = subprocess.Popen([STOQ, "mimetype", "-F", "in/b.txt", "-T", "stdout.tpl",
                                    "--cron", "0.1", "--quiet"], cwd=self.place,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        lines = [process.stdout.readline() for _ in range(3)]
        process.terminate()
        rest, errors = process.communicate(timeout=60)
        del rest
        self.assertEqual(lines, [b"in/b.txt: text/plain\n"] * 3, errors)


if __name__ == "__main__":
    unittest.main()
