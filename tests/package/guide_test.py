#!/usr/bin/env python3
"""Runs a section of plugins/README.md as it stands there, against an installed stoq.

usage: guide_test.py README SECTION PREFIX/bin WORK

Every fenced block of the section is used, in order, in the empty folder WORK:
- `console`: its commands (behind "$ ") are run in one bash, and what they write must be what stands below
  them; "…" stands for any text, on a line of its own for any lines. A command below which nothing stands may
  write anything, but must end with 0.
- others have a line before them that names a file: "`PATH`:" writes it, "`PATH`, as …:" compares it with the
  file that is there (but for its author, who is whoever runs this).
- `text`: for people only.
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import unittest

README, SECTION, PROGRAMS, WORK = sys.argv[1:5]
LABEL = re.compile(r"^`([^`]+)`(, as .*)?:$")
MARK = "@@end@@"


def blocks(section):
    """(language, label line, text) of each fenced block of the section."""
    text = pathlib.Path(README).read_text()
    chapter = re.search(rf"^## {re.escape(section)}\n(.*?)(?=^## |\Z)", text, re.M | re.S).group(1)
    found, before, lines = [], "", iter(chapter.splitlines())
    for line in lines:
        if not line.startswith("```"):
            before = line or before
            continue
        body = []
        for inner in lines:
            if inner == "```":
                break
            body.append(inner)
        found.append((line[3:], before, "\n".join(body) + "\n"))
        before = ""
    return found


def commands(text):
    """(command, lines below it) of a console block."""
    found = []
    for line in text.splitlines():
        if line.startswith("$ "):
            found.append((line[2:], []))
        elif found and not found[-1][1] and found[-1][0].endswith(("|", "\\")):
            found[-1] = (found[-1][0] + "\n" + line, [])
        else:
            found[-1][1].append(line)
    return found


def pattern(lines):
    parts = [r"(?:.*\n)*" if line == "…" else ".*".join(map(re.escape, line.split("…"))) + r"\n" for line in lines]
    return re.compile("".join(parts))


class Guide(unittest.TestCase):
    maxDiff = None

    def test_section(self):
        found = blocks(SECTION)
        self.assertTrue(any(language == "console" for language, _, _ in found), "nothing is run here")
        shutil.rmtree(WORK, ignore_errors=True)
        (pathlib.Path(WORK) / ".tmp").mkdir(parents=True)
        for language, label, text in found:
            if language == "console":
                self.run_console(text)
            elif language != "text":
                self.use_file(label, text)
        self.assertEqual(os.listdir(pathlib.Path(WORK) / ".tmp"), [], "left in the temporary folder")

    def use_file(self, label, text):
        match = LABEL.match(label)
        self.assertTrue(match, f"this is no line that names a file: {label}")
        path = pathlib.Path(WORK) / match.group(1)
        if match.group(2):
            written = re.sub(r"^Author = .*", "Author = Joe Stoq", path.read_text(), flags=re.M)
            self.assertEqual(written, text, match.group(1))
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def run_console(self, text):
        asked = commands(text)
        # Braces, so that a command may define what later ones use; (exit …), so that they see its status.
        script = "".join(f"{{ {command}\n}} 2>&1; status=$?; echo; echo {MARK} $status; (exit $status)\n"
                         for command, _ in asked)
        run = subprocess.run(["bash", "-c", script], cwd=WORK, env=self.environment(), timeout=600,
                             stdout=subprocess.PIPE, text=True, check=False, stdin=subprocess.DEVNULL)
        answers = re.findall(rf"(.*?)\n{MARK} (\d+)\n", run.stdout, re.S)
        self.assertEqual(len(answers), len(asked), run.stdout)
        for (command, wanted), (output, status) in zip(asked, answers):
            if not wanted:
                self.assertEqual(status, "0", f"$ {command}\n{output}")
            elif not pattern(wanted).fullmatch(output):
                self.assertEqual("\n".join(wanted) + "\n", output, f"$ {command}")

    @staticmethod
    def environment():
        more = {"PATH": f"{PROGRAMS}:{os.environ['PATH']}", "TMPDIR": f"{WORK}/.tmp", "STOQ_CONFIG": "",
                # No optimisation, and what was compiled once is not compiled again.
                "CMAKE_BUILD_TYPE": "None", "HOME": WORK}
        if shutil.which("ccache"):
            more["CMAKE_CXX_COMPILER_LAUNCHER"] = "ccache"
            more.setdefault("CCACHE_DIR", os.environ.get("CCACHE_DIR", os.path.expanduser("~/.cache/ccache")))
        environment = {**os.environ, **more}
        environment.pop("STOQ_PLUGIN_PATH", None)
        return environment


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
