"""Runs programs and says what they cost: wall, CPU of the whole process tree, resident memory.

Wall is from the start of the first process to the end of the last. CPU is user + system time of every
process below, as the kernel hands it up when a process is waited for. Memory is the largest process of the
tree, as the kernel's ru_maxrss says (pages of mapped files that the process touched count), and, in a run
of its own that is not timed, the largest sum of resident memory over the tree, looked at every few
milliseconds; shared pages count once a process in that sum.
"""
import dataclasses
import os
import statistics
import subprocess
import tempfile
import threading
import time

TIME = "/usr/bin/time"
SAMPLE_SECONDS = 0.005


class ProgramFailed(Exception):
    """A program ended in a way that makes its time worthless."""


@dataclasses.dataclass
class Program:
    """One contestant. `commands` are started together; each writes its output to a file of its own."""
    name: str
    commands: list  # of argument lists
    does: str       # what it does and does not do, for the reader
    rounds: int = 0          # 0: as many as asked for
    accept: tuple = (0,)     # exit codes that are no failure
    files: int = 0           # and bytes: what it works on, where that is not what the contest says
    bytes: int = 0
    outputs: list = None     # where the output of each command goes; made by prepare()


@dataclasses.dataclass
class Sample:
    wall: float
    cpu: float
    largest_rss: int  # bytes
    foreign: float    # share of the machine that others used meanwhile, stolen time included


def shell(script, *words):
    return ["sh", "-c", script, "sh", *words]


def xargs(find, processes, per_call, *command):
    """`command` over the files that `find` (arguments of find) names."""
    return shell('p=$1 n=$2 find=$3; shift 3; find $find -type f -print0 | xargs -0 -P "$p" -n "$n" "$@"',
                 str(processes), str(per_call), find, *command)


def xargs_list(listing, processes, per_call, *command):
    """`command` over the files in `listing`, NUL-terminated."""
    return ["xargs", "-0", "-a", str(listing), "-P", str(processes), "-n", str(per_call), *command]


class Machine:
    """What the whole machine did, by /proc/stat: to tell how much of it others had."""

    def __init__(self):
        self.processors = os.cpu_count()
        self.tick = os.sysconf("SC_CLK_TCK")

    def busy(self):
        """Seconds of CPU used or stolen since boot, over all processors."""
        with open("/proc/stat", encoding="ascii") as file:
            fields = [int(word) for word in file.readline().split()[1:9]]
        user, nice, system, _idle, _iowait, irq, softirq, steal = fields
        return (user + nice + system + irq + softirq + steal) / self.tick

    def foreign_share(self, seconds):
        """How much of the machine is in use while this program sleeps."""
        before, begin = self.busy(), time.perf_counter()
        time.sleep(seconds)
        return (self.busy() - before) / (self.processors * (time.perf_counter() - begin))

    def wait_for_calm(self, share, patience):
        """Waits until others use less than `share` of the machine; returns what they use."""
        end = time.monotonic() + patience
        used = self.foreign_share(2)
        while used >= share and time.monotonic() < end:
            used = self.foreign_share(3)
        return used


def prepare(program, folder):
    safe = "".join(c if c.isalnum() else "-" for c in program.name)
    program.outputs = [folder / f"{safe}.{number}.out" for number in range(len(program.commands))]


def start(program, cwd, reports):
    """Starts all commands, each under time(1): a process begins with the peak of the one that it was made
    from, and this one may be larger than what is measured."""
    children = []
    for command, output, report in zip(program.commands, program.outputs, reports):
        with open(output, "wb") as out, open(str(output) + ".err", "wb") as errors:
            children.append(subprocess.Popen([TIME, "-q", "-o", report, "-f", "%M", *command], cwd=cwd,
                                             stdin=subprocess.DEVNULL, stdout=out, stderr=errors))
    return children


def wait(program, children):
    """Returns the CPU seconds of all trees."""
    cpu = 0.0
    for child, command, output in zip(children, program.commands, program.outputs):
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        cpu += usage.ru_utime + usage.ru_stime
        if child.returncode not in program.accept:
            with open(str(output) + ".err", encoding="utf-8", errors="replace") as errors:
                said = errors.read()[-400:].strip()
            raise ProgramFailed(f"{program.name}: ended with {child.returncode}: {' '.join(command)[:300]}\n{said}")
    return cpu


def run(program, cwd, machine):
    with tempfile.TemporaryDirectory() as folder:
        reports = [os.path.join(folder, str(number)) for number in range(len(program.commands))]
        busy, begin = machine.busy(), time.perf_counter()
        children = start(program, cwd, reports)
        cpu = wait(program, children)
        wall = time.perf_counter() - begin
        foreign = max(0.0, machine.busy() - busy - cpu) / (machine.processors * wall)
        largest = 0
        for report in reports:
            with open(report, encoding="ascii") as file:
                largest = max(largest, int(file.read().split()[-1]) << 10)
    return Sample(wall, cpu, largest, foreign)


def resident(pid, page):
    """Bytes that a process and all below it hold now."""
    total = 0
    try:
        with open(f"/proc/{pid}/statm", encoding="ascii") as file:
            total = int(file.read().split()[1]) * page
        for thread in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{thread}/children", encoding="ascii") as file:
                total += sum(resident(int(child), page) for child in file.read().split())
    except (OSError, IndexError):
        pass  # it has just ended
    return total


def run_watched(program, cwd):
    """A run that is not timed: warms the cache; returns the largest sum of resident memory."""
    page = os.sysconf("SC_PAGE_SIZE")
    with tempfile.TemporaryDirectory() as folder:
        reports = [os.path.join(folder, str(number)) for number in range(len(program.commands))]
        children = start(program, cwd, reports)
        peak, done = 0, threading.Event()

        def watch():
            nonlocal peak
            while not done.is_set():
                peak = max(peak, sum(resident(child.pid, page) for child in children))
                time.sleep(SAMPLE_SECONDS)

        watcher = threading.Thread(target=watch)
        watcher.start()
        try:
            wait(program, children)
        finally:
            done.set()
            watcher.join()
    return peak


def alternate(programs, repeat, cwd, machine):
    """Timed rounds: A B C, C B A, A B C …, so that a drift of the machine falls on all alike. A program with
    fewer rounds sits out the last ones. Returns samples by program."""
    samples = {program.name: [] for program in programs}
    for number in range(repeat):
        for program in programs if number % 2 == 0 else reversed(programs):
            if number < (program.rounds or repeat):
                samples[program.name].append(run(program, cwd, machine))
    return samples


def summarise(samples, watched_rss):
    """Medians and spread of one program's samples."""
    walls = [sample.wall for sample in samples]
    return {"rounds": len(samples), "wall": statistics.median(walls), "wall_min": min(walls), "wall_max": max(walls),
            "cpu": statistics.median(sample.cpu for sample in samples),
            "rss_largest_process": max(sample.largest_rss for sample in samples), "rss_sum_of_tree": watched_rss,
            "foreign_share": statistics.median(sample.foreign for sample in samples),
            "walls": walls, "cpus": [sample.cpu for sample in samples]}
