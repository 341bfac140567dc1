"""What is measured: a scenario is a list of cases; a case is one job, done by us and by each of its peers in turn."""
import os
import resource
import shutil
from dataclasses import dataclass, field

from contenders import (BIN, CommandLine, EPOLL, FAST_LIBRARIES, FLOOR, Job, LIBRARIES, LIBUV, NETRUNNER, OURS, RING,
                        SystemCalls, TwoFloors, child, peer)

COMMANDS, BYTES, P50, P99 = "commands/s", "bytes/s", "us (median)", "us (99 %)"
NOTHING, CAT, SOURCE, SINK = child("nothing"), child("cat"), child("source"), child("sink")
GIB = 2**30


@dataclass
class Case:
    variant: str
    job: Job
    peers: list
    metrics: dict                 # Field -> unit.
    ours: object = OURS
    goals: dict = field(default_factory=dict)  # (field, peer) -> ">= 1.5"; peer "best": the best of the libraries.
    busy: bool = False
    may_shorten: bool = True      # A slow contender may do fewer the next time.
    theirs_field: str = ""        # Where the peer's figure is another field than ours.


class Scale:
    """How much of everything: all of it, or little for --quick."""

    def __init__(self, quick):
        self.quick = quick
        self.runs = 3 if quick else 5
        # Four descriptors of the host for each command with three pipes, where the hard limit is lower than 5,000 need.
        descriptors = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        self.most_commands = min(5000, (descriptors - 300) // 400 * 100)
        self.run_s = 0.6 if quick else 1.5  # About so long a run lasts at most, from the second one on.
        self.part = 8 if quick else 1

    def of(self, count, least=1):
        return max(count // self.part, least)

    def libraries(self):
        return FAST_LIBRARIES if self.quick else LIBRARIES


def spawn(scale):
    metrics = {"rate": COMMANDS, "p50_us": P50, "p99_us": P99, "cpu_us": "us of CPU/command"}
    for busy in (False, True):
        for in_flight in (1, 64) if busy and scale.quick else (1, 8, 64, 1000):
            count = scale.of(1000 if busy else 2000 if in_flight == 1 else 8000, max(in_flight, 250))
            goals = {}
            if not busy and in_flight == 1:
                goals = {("p50_us", FLOOR.name): "<= 1.4"}
            if not busy and in_flight == 64:
                goals = {("rate", EPOLL.name): ">= 1.5", ("rate", "best"): ">= 1.3", ("rate", TwoFloors.name): ">= 0.7"}
            if busy and in_flight == 64:
                goals = {("rate", EPOLL.name): ">= 5"}  # It vforks, on one thread.
            yield Case(f"{in_flight} in flight, cores {'busy' if busy else 'idle'}",
                       Job("spawn", in_flight, count, 0, (NOTHING,)),
                       [FLOOR, EPOLL, *([TwoFloors()] if in_flight == 64 else []),
                        *(FAST_LIBRARIES if busy else scale.libraries())],
                       metrics, goals=goals, busy=busy)


def big_host(scale):
    job = Job("spawn", 64, scale.of(4000), 0, (NOTHING,))
    small = OURS.with_env("NetRunner, small host")
    for variant, env in (("1 GiB touched in 4 KiB pages", {"BENCH_TOUCH_MIB": "1024"}),
                         ("200 threads", {"BENCH_THREADS": "200"})):
        forks = [] if scale.quick else [peer("libuv", "libuv", slow=64).with_env("libuv", **env)]
        yield Case(variant, job, [small, EPOLL.with_env(EPOLL.name, **env), *forks], {"rate": COMMANDS},
                   ours=OURS.with_env("NetRunner", **env), goals={("rate", "NetRunner, small host"): ">= 0.95"})


def contained(scale):
    without = OURS.with_env("NetRunner, uncontained")
    for level in ("cgroup", "subreaper", "pid_namespace"):
        for in_flight in (1, 64):
            goals = {("rate", without.name): ">= 0.7"} if level == "cgroup" else {}
            yield Case(f"{level}, {in_flight} in flight", Job("spawn", in_flight, scale.of(4000), 0, (NOTHING,)),
                       [without], {"rate": COMMANDS, "p50_us": P50}, goals=goals,
                       ours=OURS.with_env("NetRunner", BENCH_CONTAINMENT=level))


def stall(scale):
    for in_flight in (64, 1000):
        yield Case(f"{in_flight} in flight", Job("stall", in_flight, scale.of(20000, in_flight), 0, (NOTHING,)),
                   [EPOLL], {"p50_us": P50, "p99_us": P99}, goals={("p99_us", ""): "<= 20 us"})


def stream(scale):
    bytes_ = scale.of(4 * GIB)
    floor = {("rate", FLOOR.name): ">= 0.95"}
    best = {("rate", "best"): ">= 1", ("cpu_s_per_gib", "best"): "<= 1"}
    larger = ("pipes of 256 KiB", {"BENCH_PIPE_BYTES": "262144"}, [], floor)
    carriers = (("pipes of 64 KiB", {"BENCH_PIPE_BYTES": "65536"}, scale.libraries(), floor),
                *([] if scale.quick else [larger]),
                ("sockets", {"BENCH_TRANSPORT": "socket", "BENCH_CHUNK_BYTES": "131072"},
                 [OURS.with_env("NetRunner, pipes"), LIBUV], best))
    for scenario, variant, command in (("read", "from a child", (SOURCE, "{bytes}")),
                                       ("write", "to a child", (SINK,)), ("both", "both ways through cat", (CAT,))):
        for carrier, env, libraries, goals in carriers:
            yield Case(f"{variant}, {carrier}", Job(scenario, 1, 1, bytes_, command),
                       [FLOOR.with_env(FLOOR.name, **env), EPOLL.with_env(EPOLL.name, **env), *libraries],
                       {"rate": BYTES, "cpu_s_per_gib": "s of CPU/GiB"}, ours=OURS.with_env("NetRunner", **env),
                       goals=goals)


def round_trip(scale):
    metrics = {"rate": "round trips/s", "p50_us": P50, "p99_us": P99}
    count = scale.of(100000)
    goals = {("rate", "vfork+blocking"): ">= 0.9", ("rate", "best"): ">= 1"}
    one_core = ("taskset", "-c", "0")
    for variant, command in (("one core", (CAT,)), ("two cores", ("/usr/bin/taskset", "-c", "1", CAT))):
        yield Case(f"4 KiB through cat, pinned to {variant}", Job("round", 1, count, 4096, command, one_core),
                   [FLOOR, EPOLL, RING, *scale.libraries()], metrics, goals=goals)
    yield Case("4 KiB through cat, pinned to one core, sockets", Job("round", 1, count, 4096, (CAT,), one_core),
               [FLOOR.with_env(FLOOR.name, BENCH_TRANSPORT="socket"), OURS.with_env("NetRunner, pipes")], metrics,
               ours=OURS.with_env("NetRunner", BENCH_TRANSPORT="socket"))


def many_streams(scale):
    metrics = {"rate": "round trips/s", "cpu_us": "us of CPU/round trip", "rss_kib": "KiB of host memory",
               "share": "max/min share"}
    for streams in (1000,) if scale.quick else (1000, scale.most_commands):
        for bytes_ in (4096, 65536):
            count = scale.of(600000 if bytes_ == 4096 else 200000, 20 * streams)
            yield Case(f"{streams} cats, {bytes_ // 1024} KiB", Job("round", streams, count, bytes_, (CAT,)),
                       [EPOLL, *(FAST_LIBRARIES if streams > 1000 or bytes_ > 4096 else scale.libraries())], metrics,
                       goals={("rate", "posix_spawn+epoll"): ">= 0.95", ("rate", "best"): ">= 1.2",
                              ("share", ""): "<= 1.2 ours"})


def slow_consumer(scale):
    job = Job("slow", 100, 1000 if scale.quick else 4000, 2**20, (SOURCE,))
    yield Case("100 floods, 1 MiB/s read", job, [],
               {"held_bytes": "bytes held by the engine", "rss_bytes": "bytes of the host's growth"},
               theirs_field="credit_bytes", may_shorten=False,
               goals={("held_bytes", "the credit given"): "<= 1", ("rss_bytes", "the credit given"): "<= 1"})


def system_calls(scale):
    for streams in (1000,) if scale.quick else (1000, scale.most_commands):
        yield Case(f"{streams} cats, 4 KiB", Job("round", streams, 10 * streams, 4096, (CAT,)),
                   [SystemCalls(one) for one in (EPOLL, *FAST_LIBRARIES)], {"calls": "system calls/round trip"},
                   ours=SystemCalls(OURS), may_shorten=False)


def idle_memory(scale):
    count = 1000 if scale.quick else scale.most_commands
    yield Case(f"{count} cats that wait", Job("idle", count, 1, 0, (CAT,)), [],
               {"host_bytes": "bytes of the host/command", "shepherd_bytes": "bytes of the shepherd/command"},
               goals={("host_bytes", ""): "<= 4096 bytes"})


def stop(scale):
    count = scale.of(1000, 250)
    by_hand = peer("", "stop_by_hand")
    levels = [OURS.with_env(f"NetRunner, {level}", BENCH_CONTAINMENT=level)
              for level in ("cgroup", "subreaper", "pid_namespace")]

    class ByHand:
        def __init__(self, name, scenario):
            self.name, self.scenario = name, scenario

        def run(self, job):
            return by_hand.run(Job(self.scenario, job.in_flight, 1, 0, job.child))

    yield Case(f"{count} commands with escapees, stop to tree-empty; ours: cgroup",
               Job("stop", count, 1, 0, (child("escapee"),)),
               [*levels[1:], ByHand("cgroup walk by hand", "stop_cgroup"), ByHand("kill of the groups", "stop_group")],
               {"p50_us": P50, "left": "processes left"}, ours=levels[0], goals={("left", ""): "<= 0 ours"})


def each(scale):
    count = scale.of(5000, 1000)
    folder = os.path.join(BIN, "bench")
    items, makefile = os.path.join(folder, "items"), os.path.join(folder, "jobs.mk")
    with open(items, "w", encoding="ascii") as file:
        file.writelines(f"{i}\n" for i in range(count))
    with open(makefile, "w", encoding="ascii") as file:
        jobs = " ".join(f"j{i}" for i in range(count))
        file.write(f".PHONY: {jobs}\nall: {jobs}\n{jobs}:\n\t@{NOTHING} $@\n")
    peers = [CommandLine("xargs -P", ("xargs", "-P8", "-n1", NOTHING), items),
             CommandLine("make -j", ("make", "-s", "-j8", "-f", makefile, "all"))]
    if shutil.which("parallel"):
        peers.append(CommandLine("GNU parallel", ("parallel", "-j8", NOTHING), items))
    yield Case(f"{count} tiny jobs, 8 at a time, captured", Job("each", 8, count), peers,
               {"rate": "jobs/s", "cpu_us": "us of CPU/job"}, may_shorten=False,
               ours=CommandLine("NetRunner", (NETRUNNER, "each", "-j8", "--no-progress", "--", NOTHING), items),
               goals={("rate", "xargs -P"): ">= 2", ("rate", "make -j"): ">= 1.2", ("rate", "GNU parallel"): ">= 15"})


def start_up(scale):
    """Each program many times by the floor, so that the figure is a median of medians."""
    class Times:
        def __init__(self, name, *argv):
            self.name, self.argv = name, argv

        def run(self, job):
            fields = FLOOR.run(Job("spawn", 1, job.count, 0, self.argv))
            return {"p50_ms": fields["p50_us"] / 1e3}

    true = shutil.which("true")
    yield Case("netrunner run -- true", Job("start", 1, scale.of(200, 40)),
               [Times("true", true), Times("timeout 5 true", shutil.which("timeout"), "5", true)], {"p50_ms": "ms"},
               ours=Times("NetRunner", NETRUNNER, "run", "--", true), goals={("p50_ms", "true"): "+ 3 ms"})


def scaling(scale):
    two, one = OURS.with_env("NetRunner", BENCH_SHARDS="2"), OURS.with_env("NetRunner, 1 shard")
    yield Case("spawn, 64 in flight, 2 shards", Job("spawn", 64, scale.of(8000), 0, (NOTHING,)), [one],
               {"rate": COMMANDS}, ours=two)
    yield Case("1000 cats, 4 KiB, 2 shards", Job("round", 1000, scale.of(400000), 4096, (CAT,)), [one],
               {"rate": "round trips/s"}, ours=two)


SCENARIOS = {function.__name__.replace("_", "-"): function for function in (
    spawn, big_host, contained, stall, stream, round_trip, many_streams, system_calls, idle_memory, slow_consumer, stop,
    each, start_up, scaling)}
