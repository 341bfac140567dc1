"""Runs one program to its end and says what it cost, everything that it left to others to reap included."""
import ctypes
import json
import os
import resource
import signal
import subprocess
import time
from dataclasses import dataclass

PR_SET_CHILD_SUBREAPER = 36


@dataclass
class Cost:
    wall_s: float
    cpu_s: float      # Of the program, its helpers and their commands.
    rss_kib: float    # Peaks of the program and of its helpers, added up.


class NotApplicable(Exception):
    """The program does not have this scenario."""


class Failed(Exception):
    """It ended badly, twice."""


def prepare():
    """Helpers that outlive their program fall to us; and descriptors for 5,000 commands with three pipes each."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    for limit in (max(hard, 65536), hard):  # root may raise it.
        try:
            return resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
        except (ValueError, PermissionError):
            pass
    return None


def children():
    with open(f"/proc/self/task/{os.getpid()}/children", encoding="ascii") as file:
        return {int(pid) for pid in file.read().split()}


def run_once(argv, env, stdin, timeout_s):
    others = children()
    began = time.monotonic()
    process = subprocess.Popen(argv, env={**os.environ, **env}, stdin=stdin,
                               stdout=subprocess.PIPE, start_new_session=True)
    signal.signal(signal.SIGALRM, lambda *_: os.killpg(process.pid, signal.SIGKILL))
    signal.alarm(timeout_s)
    text = process.stdout.read().decode(errors="replace")
    status, cost = 0, Cost(0, 0, 0)
    while left := children() - others:
        pid, ended, usage = os.wait4(process.pid if process.pid in left else left.pop(), 0)
        if pid == process.pid:
            status, cost.wall_s = os.waitstatus_to_exitcode(ended), time.monotonic() - began
        cost.cpu_s += usage.ru_utime + usage.ru_stime
        cost.rss_kib += usage.ru_maxrss
    signal.alarm(0)
    process.returncode = status  # Reaped here, not by subprocess.
    process.stdout.close()
    return status, text, cost


def run(argv, env=None, stdin=None, timeout_s=120):
    """The lines of JSON that it printed, merged, and its cost."""
    for attempt in (1, 2):
        with open(stdin or os.devnull, "rb") as source:
            status, text, cost = run_once(argv, env or {}, source, timeout_s)
        if status == 0:
            break
        if status == 3:
            raise NotApplicable
        if attempt == 2:
            raise Failed(f"{' '.join(argv)}: exit status {status}")
        time.sleep(1)
    fields = {}
    for line in text.splitlines():
        if line.startswith("{"):
            fields.update(json.loads(line))
    return fields, cost


class BusyCores:
    """Other work on every core while it lasts."""

    def __enter__(self):
        self.hogs = [subprocess.Popen(["sh", "-c", "while :; do :; done"]) for _ in range(os.cpu_count())]

    def __exit__(self, *_):
        for hog in self.hogs:
            hog.kill()
            hog.wait()
