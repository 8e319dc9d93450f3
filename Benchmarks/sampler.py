#!/usr/bin/env python3
"""What the indicators' sample and the maps' maintenance cost each second: CPU time of a daemon that nobody asks anything.

    sampler.py PROGRAM [--seconds N] [--slices N] [--maps N] [--shards N] [--keys N]

Every map holds keys and has been written to, so no shard is as fresh. Then the daemon is left alone: what it takes is the
sample of each second, the look for something to tidy, and its own idle threads. The time is the scheduler's count of
nanoseconds (/proc/PID/task/*/schedstat), so other work on the machine does not count, but for the caches that it empties.

A second daemon without maps runs beside it, and in each slice of time both are looked at: a slice is a pair, and the figure
is the median of the differences. What the machine does to one it does to the other.

What a second costs in which every shard is written, SamplerCost says, in process: here serving the writes would cost a
hundred times what is to be measured.
"""

import argparse
import json
import pathlib
import statistics
import time

from doors import Daemon
import http.client


def cpu_seconds(pid):
    return sum(int(path.read_text().split()[0]) for path in pathlib.Path(f"/proc/{pid}/task").glob("*/schedstat")) / 1e9


def shares(daemons, seconds):
    """Of a core, each daemon's share over the same seconds."""
    before, began = [cpu_seconds(daemon.process.pid) for daemon in daemons], time.monotonic()
    time.sleep(seconds)
    took = time.monotonic() - began
    return [(cpu_seconds(daemon.process.pid) - start) / took for daemon, start in zip(daemons, before)]


def fill(daemon, arguments):
    client = http.client.HTTPConnection("127.0.0.1", daemon.data, timeout=60)
    lines = "\n".join(json.dumps({"op": "put", "key": f"key {number}", "value": "v" * 16}) for number in range(arguments.keys))
    for number in range(arguments.maps):
        for method, path, body in [("PUT", "", json.dumps({"shards": arguments.shards})), ("POST", "/batch", lines)]:
            client.request(method, f"/api/v1/maps/map-{number}{path}", body)
            answer = client.getresponse()
            answer.read()
            assert answer.status < 300, answer.status


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("program")
    parser.add_argument("--seconds", type=float, default=5, help="of a slice")
    parser.add_argument("--slices", type=int, default=12)
    parser.add_argument("--maps", type=int, default=100)
    parser.add_argument("--shards", type=int, default=64)
    parser.add_argument("--keys", type=int, default=1000)
    arguments = parser.parse_args()
    with Daemon(arguments.program) as empty, Daemon(arguments.program, "--max-series", "1000000") as full:
        fill(full, arguments)
        time.sleep(5)
        slices = [shares((empty, full), arguments.seconds) for _ in range(arguments.slices)]
    shards = arguments.maps * arguments.shards
    costs = sorted(full - empty for empty, full in slices)
    cost = statistics.median(costs)
    print(f"load average {pathlib.Path('/proc/loadavg').read_text().split()[0]}, {len(slices)} slices of {arguments.seconds:g} s")
    print(f"without maps {100 * statistics.median(empty for empty, _ in slices):.3f} % of a core; with {arguments.maps} maps "
          f"of {arguments.shards} shards {100 * statistics.median(full for _, full in slices):.3f} %")  # fmt: skip
    print(f"difference {100 * cost:.3f} % ({100 * costs[0]:.3f} to {100 * costs[-1]:.3f}) for {shards} shards, "
          f"{cost / shards * 1e9:.0f} ns each (goal 0.1 %): {'met' if cost < 0.001 else 'MISSED'}")  # fmt: skip


if __name__ == "__main__":
    main()
