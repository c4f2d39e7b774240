#!/usr/bin/env python3
"""The same records at every number of threads, also when every plugin call is delayed at random.

usage: delayed_test.py STOQ DELAYED_SCAN PLUGIN_DIR PATH…
"""
import subprocess
import sys


def output(*words):
    done = subprocess.run(words, stdout=subprocess.PIPE, check=False)
    if done.returncode not in (0, 1):
        sys.exit(f"{words[0]} ended with {done.returncode}")
    return done.stdout


def main():
    stoq, delayed_scan, plugins, *paths = sys.argv[1:]
    want = output(stoq, "scan", "-q", "-j1", "--memory", "256M", "-w", "mimetype,entropy", *paths)
    records = want.count(b"\n")
    if records < 100:
        sys.exit(f"only {records} records: this compares nothing")
    for threads in ("1", "2", "8"):
        got = output(stoq, "scan", "-q", "-j" + threads, "-w", "mimetype,entropy", *paths)
        if got != want:
            sys.exit(f"stoq -j{threads} differs from -j1")
        for seed in ("1", "2", "3"):
            if output(delayed_scan, threads, seed, plugins, *paths) != want:
                sys.exit(f"differs with {threads} threads and delays of seed {seed}")
    print(f"{records} records, the same 12 times")


if __name__ == "__main__":
    main()
