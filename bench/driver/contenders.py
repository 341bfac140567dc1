"""Who is measured: our own program and each other way, all by the same protocol."""
import os
from dataclasses import dataclass, field

from runner import run

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
    child: tuple = ()
    prefix: tuple = ()  # Before the program: taskset.


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
        fields, cost = run([*job.prefix, *self.argv, job.scenario, *numbers, *job.child], self.env)
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
LIBRARIES = [
    peer("libuv", "libuv", slow=2),
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
