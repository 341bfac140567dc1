"""Who is measured: our own program and each other way, all by the same protocol."""
import os
import tempfile
from dataclasses import dataclass, field, replace

from runner import Failed, run

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BIN = os.path.join(ROOT, "build/release/bin")
NETRUNNER = os.path.join(BIN, "netrunner")


def child(name):
    return os.path.join(BIN, "bench/children", name)


@dataclass(frozen=True)
class Job:
    """PROGRAM scenario in_flight count bytes child..."""
    scenario: str
    in_flight: int = 1
    count: int = 1
    bytes: int = 0
    child: tuple = ()   # "{bytes}" in it: as many.
    prefix: tuple = ()  # Before the program: taskset.

    def lasting(self, took_s, most_s):
        """So that it lasts about most_s, if it took longer: fewer commands or round trips, or bytes where it is one."""
        part = min(most_s / took_s, 1)
        if self.count == 1 and self.bytes:
            least = min(self.bytes, 2**29)  # The start must not weigh.
            return replace(self, bytes=max(int(self.bytes * part), least))
        return replace(self, count=min(self.count, max(int(self.count * part), self.in_flight)))


@dataclass(frozen=True)
class Contender:
    name: str
    argv: tuple
    env: dict = field(default_factory=dict, compare=False)
    slow: int = 1       # Divides the count of commands.

    def run(self, job):
        """Fields by name; the cost in cpu_s, rss_kib, and cpu_us of one operation."""
        count = max(job.count // self.slow, job.in_flight)
        numbers = [str(number) for number in (job.in_flight, count, job.bytes)]
        child_argv = [word.replace("{bytes}", str(job.bytes)) for word in job.child]
        fields, cost = run([*job.prefix, *self.argv, job.scenario, *numbers, *child_argv], self.env)
        fields.update(cpu_s=cost.cpu_s, rss_kib=cost.rss_kib, cpu_us=1e6 * cost.cpu_s / count)
        if job.bytes:
            fields["cpu_s_per_gib"] = cost.cpu_s / job.bytes * 2**30
        return fields

    def with_env(self, name, **env):
        return Contender(name, self.argv, {**self.env, **env}, self.slow)


def peer(name, program, slow=1):
    built = os.path.join(BIN, "bench/peers", program)
    path = built if os.path.exists(built) else os.path.join(ROOT, "bench/peers", program)
    return Contender(name, (path,), slow=slow)


OURS = Contender("NetRunner", (os.path.join(BIN, "bench/ours"),))
FLOOR = peer("vfork+blocking", "vfork_blocking")
EPOLL = peer("posix_spawn+epoll", "posix_spawn_epoll")
RING = peer("io_uring, its calls alone", "ring_by_hand")
LIBUV = peer("libuv", "libuv", slow=2)
LIBRARIES = [
    LIBUV,
    peer("Boost.Process v2", "boost_process", slow=4),
    peer("Go os/exec", "os_exec"),
    peer("tokio::process", "tokio_process"),
    peer("Python asyncio", "asyncio_subprocess.py", slow=4),
    peer("Node child_process", "node_child_process.js", slow=8),
]
# Of those, the ones that do not fork: libuv and its kin take seconds in a big host.
FAST_LIBRARIES = [one for one in LIBRARIES if one.name in ("Go os/exec", "tokio::process")]


class TwoFloors:
    """Two vforking programs at once, one command each at a time: what two cores can do at most."""
    name = "two vforking programs"

    def run(self, job):
        half = Job(job.scenario, 1, job.count // 2, job.bytes, job.child)
        text = " ".join([*FLOOR.argv, half.scenario, "1", str(half.count), "0", *half.child])
        fields, _ = run(["sh", "-c", f'{text} >"$0.1" & {text} >"$0.2"; wait; sed s/rate/rate1/ "$0.1"; cat "$0.2"',
                         f"/tmp/netrunner-bench-{os.getpid()}"])
        for part in (1, 2):
            os.unlink(f"/tmp/netrunner-bench-{os.getpid()}.{part}")
        return {"rate": fields["rate"] + fields["rate1"]}


@dataclass(frozen=True)
class SystemCalls:
    """Another contender's system calls per round trip, its helpers' included, by perf(1): what more of them cost, so
    that the start of it all is not counted; without the two that each cat makes."""
    contender: Contender

    @property
    def name(self):
        return self.contender.name

    def counted(self, job):
        with tempfile.NamedTemporaryFile("r", prefix="netrunner-bench-") as file:
            perf = ("perf", "stat", "-x,", "-o", file.name, "-e", "raw_syscalls:sys_enter")
            self.contender.run(replace(job, prefix=perf))
            for line in file:
                words = line.split(",")
                if len(words) > 2 and words[2].startswith("raw_syscalls") and words[0].isdigit():
                    return int(words[0])
        raise Failed("perf counts no system calls here")

    def run(self, job):
        few = self.counted(job)
        many = self.counted(replace(job, count=3 * job.count))
        return {"calls": (many - few) / (2 * job.count) - 2}


@dataclass(frozen=True)
class CommandLine:
    """A program of its own, not of the protocol: jobs per second, or milliseconds of one run."""
    name: str
    argv: tuple
    stdin: str = ""
    slow: int = 1

    def run(self, job):
        _, cost = run(list(self.argv), stdin=self.stdin or None)
        return {"rate": job.count / self.slow / cost.wall_s, "wall_ms": 1e3 * cost.wall_s,
                "cpu_us": 1e6 * cost.cpu_s * self.slow / job.count}
