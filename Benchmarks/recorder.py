#!/usr/bin/env python3
"""What the flight recorder costs the service: a daemon that records beside one that does not, each loaded in turn by wrk.

    recorder.py PROGRAM [--rounds N] [--seconds N]

Both run all the time; a round loads the one, then the other, and every other round the other way about. Requests a second
are by the clock, and load and daemon share the cores; CPU time a request is the daemon's own, by the scheduler's count.
"""

import argparse
import http.client
import pathlib
import re
import statistics
import subprocess
import tempfile

from doors import Daemon
from sampler import cpu_seconds

SCRIPT = pathlib.Path(__file__).with_name("wrk-mixed.lua")


def load(daemon, seconds):
    """Requests a second, and the daemon's microseconds of CPU a request."""
    before = cpu_seconds(daemon.process.pid)
    command = ["wrk", "--threads", "2", "--connections", "64", "--duration", f"{seconds}s", "--script", str(SCRIPT)]
    output = subprocess.run([*command, f"http://127.0.0.1:{daemon.data}", "--", "bench"], capture_output=True, text=True,
                            check=True).stdout  # fmt: skip
    rate = float(re.search(r"requests/s (\d+)", output).group(1))
    if not re.search(r"socket errors: connect 0 read 0 write 0 timeout 0", output):
        raise SystemExit(output)
    return rate, (cpu_seconds(daemon.process.pid) - before) / (rate * seconds) * 1e6


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("program")
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--seconds", type=int, default=4)
    arguments = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as directory,
        Daemon(arguments.program) as plain,
        Daemon(arguments.program, "--storage.path", directory) as recording,
    ):
        for daemon in (plain, recording):
            client = http.client.HTTPConnection("127.0.0.1", daemon.data, timeout=60)
            client.request("PUT", "/api/v1/maps/bench")
            if client.getresponse().status != 201:
                raise SystemExit("the map was not made")
        pairs = []
        for number in range(arguments.rounds):
            order = (plain, recording) if number % 2 == 0 else (recording, plain)
            results = {daemon: load(daemon, arguments.seconds) for daemon in order}
            pairs.append((results[plain], results[recording]))
    rates = sorted(on[0] / off[0] - 1 for off, on in pairs)
    costs = sorted(on[1] / off[1] - 1 for off, on in pairs)
    print(f"{len(pairs)} rounds of {arguments.seconds} s, 64 connections, 50/25/25; medians (min to max)")
    for title, changes, column, unit in (("requests/s", rates, 0, ""), ("CPU a request", costs, 1, " µs")):
        off, on = (statistics.median(pair[side][column] for pair in pairs) for side in (0, 1))
        print(f"{title:14} off {off:9.2f}{unit}  on {on:9.2f}{unit}: {100 * statistics.median(changes):+.1f} % "
              f"({100 * changes[0]:+.1f} to {100 * changes[-1]:+.1f})")  # fmt: skip


if __name__ == "__main__":
    main()
