"""What the numbers were taken on and with."""
import os
import platform
import re
import subprocess

from .bench import TOOLS


def processor():
    """Model and the features that hashing and searching depend on."""
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        text = file.read()
    model = re.search(r"^model name\s*:\s*(.*)$", text, re.MULTILINE)
    flags = re.search(r"^flags\s*:\s*(.*)$", text, re.MULTILINE)
    wanted = ("sha_ni", "aes", "avx2", "avx512f", "avx512bw", "avx512vl")
    have = set(flags.group(1).split()) if flags else set()
    return {"model": model.group(1) if model else platform.machine(), "processors": os.cpu_count(),
            "features": [flag for flag in wanted if flag in have]}


def memory_bytes():
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def version(command):
    """The first line with a number in it of what a tool says of itself; None when it is not there."""
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=20)
    except OSError:
        return None
    lines = [line.strip() for line in done.stdout.decode("utf-8", "replace").splitlines()]
    return next((line[:100] for line in lines if re.search(r"\d\.\d|^\d", line)), "?")


def distribution():
    try:
        with open("/etc/os-release", encoding="utf-8") as file:
            return re.search(r'^PRETTY_NAME="?([^"\n]*)', file.read(), re.MULTILINE).group(1)
    except (OSError, AttributeError):
        return platform.platform()


def describe(stoq):
    return {"processor": processor(), "memory_bytes": memory_bytes(), "kernel": platform.release(), "system": distribution(),
            "load_average": os.getloadavg(), "versions": {"stoq": version([stoq, "--version"])}
            | {name: version([name, *arguments]) for name, (_, arguments) in TOOLS.items()}}
