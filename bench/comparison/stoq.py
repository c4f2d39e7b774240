"""Calls of the program under test, and what stands in its records."""
import json


class Stoq:
    def __init__(self, program, work, threads):
        self.program, self.work, self.threads = program, work, threads
        self.records = {}

    def scan(self, name, paths, *options, threads=None):
        """Arguments of a scan of `paths` whose records go to a file in the work folder."""
        self.records[name] = self.work / f"{name}.jsonl"
        return [self.program, "scan", "-q", f"-j{threads or self.threads}", "-o", str(self.records[name]),
                "--run-json", str(self.work / f"{name}.run.json"), *options, *paths]

    def read(self, name):
        with open(self.records[name], encoding="utf-8") as file:
            for line in file:
                yield json.loads(line)

    def run_json(self, name):
        return json.loads((self.work / f"{name}.run.json").read_text())


# 1: something in the corpus is broken, locked or cut by a limit, which every run says
FINISHED = (0, 1)
# xargs: some call ended with 1 to 125
XARGS_FINISHED = (0, 123)
