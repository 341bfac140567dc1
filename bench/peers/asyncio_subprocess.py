#!/usr/bin/env python3
"""Python asyncio: create_subprocess_exec with three pipes, communicate() where output is collected."""
import asyncio
import json
import sys
import time

SCENARIO, IN_FLIGHT, COUNT, BYTES = sys.argv[1], *map(int, sys.argv[2:5])
CHILD = sys.argv[5:]
BLOCK = bytes(65536)


def report(rate, latencies=(), share=1.0):
    us = sorted(1e6 * latency for latency in latencies) or [0.0]
    print(json.dumps({"rate": rate, "p50_us": us[len(us) // 2], "p99_us": us[len(us) * 99 // 100], "share": share}))


def start():
    pipe = asyncio.subprocess.PIPE
    return asyncio.create_subprocess_exec(*CHILD, stdin=pipe, stdout=pipe, stderr=pipe)


async def spawn():
    latencies, left = [], iter(range(COUNT))

    async def worker():
        for _ in left:
            began = time.monotonic()
            process = await start()
            await process.communicate(b"")
            latencies.append(time.monotonic() - began)

    began = time.monotonic()
    await asyncio.gather(*(worker() for _ in range(IN_FLIGHT)))
    report(COUNT / (time.monotonic() - began), latencies)


async def round_trips():
    latencies, left, block = [], iter(range(COUNT)), bytes(BYTES)

    async def echo(process):
        rounds = 0
        for _ in left:
            began = time.monotonic()
            process.stdin.write(block)
            await process.stdin.drain()
            await process.stdout.readexactly(BYTES)
            latencies.append(time.monotonic() - began)
            rounds += 1
        return rounds

    processes = [await start() for _ in range(IN_FLIGHT)]
    began = time.monotonic()
    rounds = await asyncio.gather(*map(echo, processes))
    rate = COUNT / (time.monotonic() - began)
    for process in processes:
        await process.communicate(b"")
    report(rate, latencies, max(rounds) / max(min(rounds), 1))


async def stream():
    began = time.monotonic()
    process = await start()

    async def feed():
        for at in range(0, BYTES if SCENARIO != "read" else 0, len(BLOCK)):
            process.stdin.write(BLOCK[:BYTES - at])
            await process.stdin.drain()
        process.stdin.close()

    async def drain():
        while await process.stdout.read(65536):
            pass

    await asyncio.gather(feed(), drain())
    await process.wait()
    report(BYTES / (time.monotonic() - began))


SCENARIOS = {"spawn": spawn, "round": round_trips, "read": stream, "write": stream, "both": stream}
if SCENARIO not in SCENARIOS:
    sys.exit(3)
asyncio.run(SCENARIOS[SCENARIO]())
