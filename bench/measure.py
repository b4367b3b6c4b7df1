"""Runs a command and measures its whole process tree. Linux, standard library only."""

import os
import resource
import statistics
import subprocess
import threading
import time
from dataclasses import dataclass

PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass
class Run:
    wall: float  # seconds
    cpu: float  # user + system seconds of the tree
    main_mb: float  # peak resident size of the first process
    children_mb: float  # peak of the sum of its descendants' resident sizes
    code: int
    output: str


def tree(root):
    """Yields (pid, resident MB) of `root` and its descendants."""
    parents, sizes = {}, {}
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            with open(f"/proc/{entry}/stat", "rb") as file:
                fields = file.read().rpartition(b")")[2].split()
        except OSError:
            continue
        parents.setdefault(int(fields[1]), []).append(int(entry))
        sizes[int(entry)] = int(fields[21]) * PAGE / 2**20
    todo = [root]
    while todo:
        pid = todo.pop()
        yield pid, sizes.get(pid, 0.0)
        todo += parents.get(pid, [])


def run(command, cwd=None, env=None, stdin=None):
    """Runs `command` (a list, or a string for the shell) once."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.monotonic()
    process = subprocess.Popen(
        command,
        shell=isinstance(command, str),
        cwd=cwd,
        env=env,
        stdin=stdin or subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    peaks = {"main": 0.0, "children": 0.0}
    ended = threading.Event()

    def sample():
        while not ended.wait(0.02):
            tree = list(tree(process.pid))
            main = sum(size for pid, size in tree if pid == process.pid)
            rest = sum(size for pid, size in tree if pid != process.pid)
            peaks["main"] = max(peaks["main"], main)
            peaks["children"] = max(peaks["children"], rest)

    sampler = threading.Thread(target=sample, daemon=True)
    sampler.start()
    output, _ = process.communicate()
    wall = time.monotonic() - start
    ended.set()
    sampler.join()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Run(wall, cpu, peaks["main"], peaks["children"], process.returncode, output)


def median(runs):
    """Returns the medians of several runs of one command."""
    middle = lambda name: statistics.median(getattr(run, name) for run in runs)
    worst = max(run.code for run in runs)
    return Run(middle("wall"), middle("cpu"), middle("main_mb"), middle("children_mb"), worst, runs[-1].output)
