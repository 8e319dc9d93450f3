#!/usr/bin/env python3
"""What the indicators' sample and the maps' maintenance cost each second: CPU time of a daemon that nobody asks anything.

    sampler.py PROGRAM [--seconds N] [--maps N] [--shards N] [--keys N]

Every map holds keys and has been written to, so no shard is as fresh. Then the daemon is left alone: what it takes is the
sample of each second, the look for something to tidy, and its own idle threads. The time is the scheduler's count of
nanoseconds (/proc/PID/task/*/schedstat), so other work on the machine does not count, but for the caches that it empties.
The same daemon without maps is measured too.
"""

import argparse
import json
import pathlib
import time

from doors import Daemon
import http.client


def cpu_seconds(pid):
    return sum(int(path.read_text().split()[0]) for path in pathlib.Path(f"/proc/{pid}/task").glob("*/schedstat")) / 1e9


def share(daemon, seconds):
    before, began = cpu_seconds(daemon.process.pid), time.monotonic()
    time.sleep(seconds)
    return (cpu_seconds(daemon.process.pid) - before) / (time.monotonic() - began)


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
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--maps", type=int, default=100)
    parser.add_argument("--shards", type=int, default=64)
    parser.add_argument("--keys", type=int, default=1000)
    arguments = parser.parse_args()
    with Daemon(arguments.program, "--max-series", "1000000") as daemon:
        time.sleep(2)
        empty = share(daemon, arguments.seconds)
        fill(daemon, arguments)
        time.sleep(5)
        full = share(daemon, arguments.seconds)
    shards = arguments.maps * arguments.shards
    print(f"load average {pathlib.Path('/proc/loadavg').read_text().split()[0]}")
    print(f"without maps {100 * empty:.3f} % of a core; with {arguments.maps} maps of {arguments.shards} shards "
          f"{100 * full:.3f} %: {100 * (full - empty):.3f} % for {shards} shards, {(full - empty) / shards * 1e9:.0f} ns each "
          f"(goal 0.1 %): {'met' if full - empty < 0.001 else 'MISSED'}")  # fmt: skip


if __name__ == "__main__":
    main()
