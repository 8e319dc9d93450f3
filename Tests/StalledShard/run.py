#!/usr/bin/env python3
"""One shard of 256 stands still on purpose: its alert fires, the others serve as before, and scrapes stay quick.

    run.py [--binary PATH] [--seconds N]

Starts the daemon with --enable-chaos and Debian's Prometheus with the shipped rules. wrk puts and gets keys of the 255 other
shards, first without and then with a stall, by turns, while one client keeps asking for the shard that stands still and
another scrapes four times a second. Prints both medians and p99s, how long the slowest scrape took for the client and in the
daemon, and which shards MapShardStalled names. Exits 1 when it names another than the one, when a scrape during the stall
took 50 ms, when a p99 of the others is past twice that without a stall and a millisecond, or when anybody hung. Takes two
minutes, of a machine that does nothing else.
"""

import argparse
import http.client
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
import urllib.request

ROOT = pathlib.Path(__file__).parent.parent.parent
SHARD = 120
TOKEN = "0123456789abcdef-of-a-test"
SCRAPE_LIMIT = 0.050

# With `hash` identity the last byte of a key names its shard: every shard but the one, puts and gets by turns.
WRK = """
local number = 0
request = function()
  number = number + 1
  local shard = number %% 256
  if shard == %d then shard = shard + 1 end
  local path = string.format("/api/v1/maps/orders/entries/key%%%%%%02x", shard)
  if math.floor(number / 256) %% 2 == 0 then return wrk.format("PUT", path, nil, "value") end
  return wrk.format("GET", path)
end
done = function(summary, latency)
  local errors = summary.errors
  print(string.format("RESULT %%d %%f %%f %%d", summary.requests, latency:percentile(50) / 1000,
    latency:percentile(99) / 1000, errors.connect + errors.read + errors.write + errors.timeout + errors.status))
end
""" % SHARD


class Program:
    """A child that says on stderr where it listens."""

    def __init__(self, command, *patterns, **options):
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, **options)
        self.found = {}
        for line in self.process.stderr:
            for pattern in patterns:
                if match := re.search(pattern, line):
                    self.found[pattern] = match[1]
            if len(self.found) == len(patterns):
                break
        subprocess.Popen(["cat"], stdin=self.process.stderr, stdout=subprocess.DEVNULL)

    def stop(self):
        self.process.terminate()
        return self.process.wait(timeout=20)


class Repeated(threading.Thread):
    """Does something again and again, and keeps how long each took and what it gave, with and without a stall."""

    isStalled = False

    def __init__(self, pause, once):
        super().__init__(daemon=True)
        self.pause, self.once, self.isOver = pause, once, False
        self.took, self.gave = {False: [], True: []}, []

    def run(self):
        while not self.isOver:
            start, isStalled = time.perf_counter(), Repeated.isStalled
            self.gave.append(self.once())
            self.took[isStalled].append(time.perf_counter() - start)
            time.sleep(self.pause)

    def stop(self):
        self.isOver = True
        self.join(timeout=20)
        return not self.is_alive()


def ask(address, method, path, body=None, headers={}):
    connection = http.client.HTTPConnection(address, timeout=20)
    try:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def load(address, folder, seconds):
    """Requests, and p50 and p99 in milliseconds, of the other shards."""
    script = folder / "others.lua"
    script.write_text(WRK)
    output = subprocess.run(
        ["wrk", "-t1", "-c8", f"-d{seconds}s", "-s", script, f"http://{address}"], capture_output=True, text=True).stdout
    requests, p50, p99, errors = re.search(r"RESULT (\d+) (\S+) (\S+) (\d+)", output).groups()
    if int(errors):
        sys.exit(f"FAILED: {errors} requests for other shards failed\n{output}")
    return int(requests), float(p50), float(p99)


def alerts(address):
    query = urllib.parse.quote('ALERTS{alertname="MapShardStalled",alertstate="firing"}')
    with urllib.request.urlopen(f"http://{address}/api/v1/query?query={query}", timeout=20) as answer:
        rows = json.load(answer)["data"]["result"]
    return sorted(row["metric"]["shard_id"] for row in rows)


def wait_for(address, wanted, seconds):
    end = time.time() + seconds
    while time.time() < end and alerts(address) != wanted:
        time.sleep(1)
    return alerts(address)


def perturb(address, kind_and_more):
    status, text = ask(
        address, "PUT", "/api/v1/maps/orders/perturbations", json.dumps(kind_and_more), {"Authorization": f"Bearer {TOKEN}"})
    assert status == 201, text


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", default=ROOT / ".build/release/mapwatch")
    parser.add_argument("--seconds", type=int, default=10, help="of each round of load")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "token").write_text(TOKEN + "\n")
        daemon = Program(
            [arguments.binary, "serve", "--web.listen-address", "127.0.0.1:0", "--data.listen-address", "127.0.0.1:0",
             "--enable-chaos", "--chaos.token-file", folder / "token"],
            r"serving metrics.*url=http://([^/]+)", r"serving maps.*url=http://([^/]+)")
        metrics, data = (daemon.found[key] for key in (r"serving metrics.*url=http://([^/]+)", r"serving maps.*url=http://([^/]+)"))
        assert ask(data, "PUT", "/api/v1/maps/orders", '{"shards":256,"hash":"identity"}')[0] == 201
        for shard in range(256):
            assert ask(data, "PUT", f"/api/v1/maps/orders/entries/key%{shard:02x}", "value")[0] == 201
        text = (ROOT / "prometheus.yml").read_text().replace("127.0.0.1:10197", metrics)
        text = text.replace("scrape_interval: 15s", "scrape_interval: 5s")
        (folder / "prometheus.yml").write_text(text.replace("- prometheus.rules.yml", f"- {ROOT / 'prometheus.rules.yml'}"))
        prometheus = Program(
            ["prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data",
             "--web.listen-address=127.0.0.1:0"], r'msg="Listening on" address=(\S+)')
        address = next(iter(prometheus.found.values()))
        try:
            problems = run(arguments, folder, metrics, data, address)
        finally:
            prometheus.stop()
            code = daemon.stop()
    if code != 0:
        problems.append(f"the daemon ended with {code}")
    for problem in problems:
        print(f"FAILED: {problem}")
    print("one of 256 shards stood still: its alert fired, the others served" if not problems else "")
    sys.exit(1 if problems else 0)


def slowest_in_daemon(metrics):
    """The bound below which every scrape stayed, from the daemon's own histogram: without the network and the client."""
    text = ask(metrics, "GET", "/metrics?name[]=mapwatch_http_request_duration_seconds")[1]
    buckets = re.findall(r'_bucket\{[^}]*listener="metrics"[^}]*le="([^"]+)"\} (\d+)', text)
    return next((bound for bound, count in buckets if count == buckets[-1][1]), "no scrape was counted")


def run(arguments, folder, metrics, data, address):
    problems = []
    load(data, folder, 3)
    scrapes = Repeated(0.25, lambda: ask(metrics, "GET", "/metrics?scraper=script")[0])
    scrapes.start()
    before, during = [], []
    victim = Repeated(0.02, lambda: ask(data, "PUT", f"/api/v1/maps/orders/entries/key%{SHARD:02x}", "value")[0])
    victim.start()
    # By turns, so that both know the same noise; the last stall stays until its alert.
    for _ in range(2):
        before.append(load(data, folder, arguments.seconds))
        perturb(data, {"kind": "stall", "shard": SHARD, "seconds": 600})
        Repeated.isStalled = True
        during.append(load(data, folder, arguments.seconds))
        if len(during) < 2:
            Repeated.isStalled = False
            ask(data, "DELETE", "/api/v1/maps/orders/perturbations", None, {"Authorization": f"Bearer {TOKEN}"})
    fired = wait_for(address, [str(SHARD)], 120)
    during.append(load(data, folder, arguments.seconds))
    for title, rounds in [("without a stall", before), ("with one", during)]:
        for requests, p50, p99 in rounds:
            print(f"255 shards {title:16} {requests / arguments.seconds:9.0f} requests/s  p50 {p50:7.3f} ms  p99 {p99:7.3f} ms")
    print(f"MapShardStalled fires for shards {fired}")
    if fired != [str(SHARD)]:
        problems.append(f"MapShardStalled fires for {fired}, not for {SHARD} alone")
    Repeated.isStalled = False
    ask(data, "DELETE", "/api/v1/maps/orders/perturbations", None, {"Authorization": f"Bearer {TOKEN}"})
    if left := wait_for(address, [], 60):
        problems.append(f"MapShardStalled still fires for {left} after the stall")
    if not (scrapes.stop() and victim.stop()):
        problems.append("a client hung")
    without, during_stall = max(scrapes.took[False]), max(scrapes.took[True])
    print(f"{len(scrapes.gave)} scrapes, the slowest {without * 1000:.1f} ms without a stall and {during_stall * 1000:.1f} ms with one; "
          f"the shard was answered 503 {victim.gave.count(503)} times, at the slowest after {max(victim.took[True]) * 1000:.1f} ms")
    print(f"in the daemon every scrape took at most {slowest_in_daemon(metrics)} s")
    if during_stall >= SCRAPE_LIMIT:
        problems.append(f"a scrape took {during_stall * 1000:.1f} ms")
    if set(scrapes.gave) != {200}:
        problems.append(f"scrapes were answered {set(scrapes.gave)}")
    limit = 2 * max(p99 for _, _, p99 in before) + 1
    if worst := [p99 for _, _, p99 in during if p99 > limit]:
        problems.append(f"p99 of the other shards is {worst} ms during the stall, {limit:.3f} ms allowed")
    return problems


main()
