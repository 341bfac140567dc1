"""The benchmarks: us and every other way, in turn, in one run.

  tools/bench                   everything, five runs of each; --quick: little of everything
  tools/bench SCENARIO...       only these
  tools/bench --list            their names
  tools/bench soak              a million commands of many kinds (--commands N), an hour at most (--seconds N): what
                                host, shepherds and kernel hold at the start, at each tenth and at the end
  --json FILE                   where the figures go (build/release/bench.json)

ratio = ours / theirs, of medians. Higher is better where the unit is per second, lower everywhere else.
"""
import contextlib
import json
import os
import statistics
import subprocess
import sys
import time

from contenders import BIN, LIBRARIES, OURS, ROOT
from report import print_rows, write_json
from runner import BusyCores, Failed, NotApplicable, prepare
from scenarios import SCENARIOS, Scale


def measure(case, runs, most_s):
    """Name -> field -> figures of all runs; contenders take turns. Whoever was slow once does less the next time: rates
    and latencies don't depend on how many there were."""
    figures = {}
    missing = set()
    jobs = {}
    with BusyCores() if case.busy else contextlib.nullcontext():
        for _ in range(runs):
            for contender in [case.ours, *case.peers]:
                if contender.name in missing:
                    continue
                job = jobs.get(contender.name, case.job)
                began = time.monotonic()
                try:
                    fields = contender.run(job)
                except (Failed, NotApplicable, OSError) as problem:
                    missing.add(contender.name)
                    if not isinstance(problem, NotApplicable):
                        print(f"left out: {problem}", file=sys.stderr)
                    continue
                if case.may_shorten:
                    jobs[contender.name] = job.lasting(time.monotonic() - began, most_s)
                for name, value in fields.items():
                    figures.setdefault(contender.name, {}).setdefault(name, []).append(value)
    return figures


def rows_of(scenario, case, scale):
    """One row a metric and a peer, and one for the best of the libraries; with the goal of each."""
    runs = scale.runs
    figures = measure(case, runs, scale.run_s)
    median = {name: {key: statistics.median(values) for key, values in fields.items()}
              for name, fields in figures.items()}
    ours = median.get(case.ours.name)
    if ours is None:
        return []
    result = []

    def add(metric, unit, peer, theirs):
        ratio = ours[metric] / theirs if theirs else None
        result.append(({"scenario": scenario, "variant": case.variant, "peer": peer, "ours": ours[metric],
                        "theirs": theirs, "ratio": ratio, "unit": unit, "runs": runs},
                       case.goals.get((metric, peer.split(":")[0]))))

    for metric, unit in case.metrics.items():
        if metric not in ours:
            ours[metric] = 0.0
        if case.theirs_field:
            add(metric, unit, "the credit given", ours[case.theirs_field])
        theirs = {peer.name: median[peer.name][metric] for peer in case.peers if metric in median.get(peer.name, {})}
        for name, value in theirs.items():
            add(metric, unit, name, value)
        known = {library.name for library in LIBRARIES}
        libraries = {name: value for name, value in theirs.items() if name in known}
        if libraries and (metric, "best") in case.goals:
            choose = max if unit.endswith("/s") else min
            best = choose(libraries, key=libraries.get)
            add(metric, unit, f"best: {best}", libraries[best])
        if (metric, "") in case.goals or not (theirs or case.theirs_field):
            add(metric, unit, "", None)
    return result


def engine_alone(scale):
    """Google Benchmark's figures, as rows; the first of a family is what the others are compared with."""
    program = os.path.join(BIN, "bench/engine")
    if not os.path.exists(program):
        print("left out: Google Benchmark is not installed", file=sys.stderr)
        return []
    few = ["--benchmark_filter=open|running:10/|running:1000/"] if scale.quick else []
    text = subprocess.run([program, "--benchmark_format=json", f"--benchmark_repetitions={scale.runs}",
                           "--benchmark_report_aggregates_only", "--benchmark_min_time=0.05", *few],
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True).stdout
    rows, first = [], {}
    for found in json.loads(text)["benchmarks"]:
        if found["aggregate_name"] != "median":
            continue
        family, variant = found["run_name"].split("/")[:2]
        base = first.setdefault(family, (variant, found["real_time"]))
        peer, theirs = ("", None) if base[0] == variant else (base[0], base[1])
        rows.append(({"scenario": "engine", "variant": f"{family} {variant}", "peer": peer, "ours": found["real_time"],
                      "theirs": theirs, "ratio": found["real_time"] / theirs if theirs else None,
                      "unit": found["time_unit"], "runs": scale.runs},
                     f"<= {2 * int(variant.split(':')[1])} ms" if family == "open" else None))
    return rows


def soak(commands, seconds):
    """One long run of our own program, which prints by itself."""
    folder = os.path.join(BIN, "bench/children")
    env = {**os.environ, "BENCH_CONTAINMENT": "automatic"}
    return subprocess.run([*OURS.argv, "soak", "64", str(commands), str(seconds), folder], env=env,
                          check=False).returncode


def option(arguments, name, otherwise):
    if name not in arguments:
        return otherwise
    at = arguments.index(name)
    value = arguments[at + 1]
    del arguments[at:at + 2]
    return value


def main():
    arguments = sys.argv[1:]
    path = option(arguments, "--json", os.path.join(ROOT, "build/release/bench.json"))
    commands, seconds = int(option(arguments, "--commands", 1_000_000)), int(option(arguments, "--seconds", 3600))
    prepare()
    scale = Scale("--quick" in arguments)
    wanted = [argument for argument in arguments if argument != "--quick"]
    names = [*SCENARIOS, "engine"]
    if "--help" in wanted or "-h" in wanted:
        return print(__doc__)
    if "--list" in wanted:
        return print("\n".join(names))
    if wanted == ["soak"]:
        sys.exit(soak(commands, seconds))
    if unknown := set(wanted) - set(names):
        sys.exit(f"error: no scenario {', '.join(sorted(unknown))}; one of: {' '.join(names)}")
    began = time.monotonic()
    everything = []
    for name in wanted or names:
        began_here = time.monotonic()
        for case in SCENARIOS[name](scale) if name in SCENARIOS else [None]:
            found = rows_of(name, case, scale) if case else engine_alone(scale)
            print_rows([row for row, _ in found], [goal for _, goal in found])
            everything += [row for row, _ in found]
            write_json(path, everything)
        print(f"    ({name}: {time.monotonic() - began_here:.0f} s)", flush=True)
    print(f"\n{len(everything)} figures in {time.monotonic() - began:.0f} s, medians of {scale.runs}: {path}")
    return None


main()
