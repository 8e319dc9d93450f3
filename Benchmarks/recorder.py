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

HERE = pathlib.Path(__file__).parent

# What is asked, by which script, on so many connections. Batches are the most that a map is asked over HTTP.
LOADS = (
    ("an operation a request, 50/25/25", HERE / "wrk-mixed.lua", 64),
    ("batches of 500 operations, 50/25/25", HERE / "wrk-batch.lua", 8),
)


def load(daemon, script, connections, seconds):
    """Requests a second, and the daemon's microseconds of CPU a request."""
    before = cpu_seconds(daemon.process.pid)
    command = ["wrk", "--threads", "2", "--connections", str(connections), "--duration", f"{seconds}s"]
    output = subprocess.run([*command, "--script", str(script), f"http://127.0.0.1:{daemon.data}", "--", "bench"],
                            capture_output=True, text=True, check=True).stdout  # fmt: skip
    rate = float(re.search(r"requests/s (\d+)", output).group(1))
    if not re.search(r"socket errors: connect 0 read 0 write 0 timeout 0( status 0)?$", output, re.MULTILINE):
        raise SystemExit(output)
    return rate, (cpu_seconds(daemon.process.pid) - before) / (rate * seconds) * 1e6


def measure(plain, recording, title, script, connections, arguments):
    pairs = []
    for number in range(arguments.rounds):
        order = (plain, recording) if number % 2 == 0 else (recording, plain)
        results = {daemon: load(daemon, script, connections, arguments.seconds) for daemon in order}
        pairs.append((results[plain], results[recording]))
    rates = sorted(on[0] / off[0] - 1 for off, on in pairs)
    costs = sorted(on[1] / off[1] - 1 for off, on in pairs)
    print(f"{title}: {len(pairs)} rounds of {arguments.seconds} s, {connections} connections; medians (min to max)")
    for name, changes, column, unit in (("requests/s", rates, 0, ""), ("CPU a request", costs, 1, " µs")):
        off, on = (statistics.median(pair[side][column] for pair in pairs) for side in (0, 1))
        print(f"  {name:14} off {off:9.2f}{unit}  on {on:9.2f}{unit}: {100 * statistics.median(changes):+.1f} % "
              f"({100 * changes[0]:+.1f} to {100 * changes[-1]:+.1f})", flush=True)  # fmt: skip


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
        for title, script, connections in LOADS:
            measure(plain, recording, title, script, connections, arguments)


if __name__ == "__main__":
    main()
