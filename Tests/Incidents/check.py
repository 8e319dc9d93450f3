#!/usr/bin/env python3
"""One incident from cause to picture, and what the daemon does without room for any.

    check.py PROGRAM

A daemon with --storage.path and a Prometheus that scrapes it each second. A map of 20,000 entries gets a steady load;
past its first two minutes 45 % of it are deleted within ten seconds. Then: the daemon's own bundle, its 120 samples
imported by promtool, what a Prometheus started on them shows at the second of the incident, the rows of the board's
annotation, and the same incident from the command line once the daemon was killed. Two and a half minutes.
"""

import contextlib
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
ENTRIES, SHARE, GRACE_SECONDS, FREE = 20_000, 0.45, 124, "127.0.0.1:0"
PROBLEMS = []
BEGIN = time.monotonic()


def say(text):
    print(f"{time.monotonic() - BEGIN:4.0f} s: {text}", flush=True)


def check(is_good, text):
    if not is_good:
        PROBLEMS.append(text)
    say(("" if is_good else "PROBLEM ") + text)


def request(method, url, body=None, token=None, caller=None):
    """Status, headers and body of any answer."""
    data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    call = urllib.request.Request(url, data=data, method=method)
    if token:
        call.add_header("Authorization", f"Bearer {token}")
    if caller:
        call.add_header("X-Mapwatch-Caller", caller)
    try:
        with urllib.request.urlopen(call, timeout=60) as answer:
            return answer.status, dict(answer.headers), answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, dict(error.headers), error.read().decode()


class Program:
    """A child that says in its log where it listens."""

    def __init__(self, command, log, *patterns):
        self.log = pathlib.Path(log)
        with open(log, "w") as file:
            self.child = subprocess.Popen(command, stdout=file, stderr=subprocess.STDOUT)
        self.found = [self.wait_for(pattern) for pattern in patterns]

    def wait_for(self, pattern):
        while True:
            if match := re.search(pattern, self.log.read_text()):
                return match[1]
            if self.child.poll() is not None:
                sys.exit(f"{self.child.args[0]} ended with {self.child.returncode}: {self.log.read_text()[-2000:]}")
            time.sleep(0.05)

    def end(self, number=signal.SIGTERM):
        if self.child.poll() is None:
            self.child.send_signal(number)
        return self.child.wait()


class Daemon(Program):
    def __init__(self, program, log, *arguments):
        listeners = ["--web.listen-address", FREE, "--data.listen-address", FREE]
        super().__init__([program, "serve", *listeners, *arguments], log, r"url=(http://[\d.:]+)/metrics",
                         r"url=(http://[\d.:]+)/api/v1/maps")  # fmt: skip
        self.web, self.data = self.found

    def batch(self, operations):
        body = "".join(json.dumps(operation) + "\n" for operation in operations).encode()
        status, _, answer = request("POST", f"{self.data}/api/v1/maps/orders/batch", body)
        if status != 200:
            sys.exit(f"a batch was answered {status}: {answer}")

    def incidents(self):
        return json.loads(request("GET", f"{self.web}/api/v1/incidents")[2])["incidents"]


class Prometheus(Program):
    def __init__(self, folder, configuration, *arguments):
        path = pathlib.Path(folder)
        path.mkdir(exist_ok=True)
        (path / "prometheus.yml").write_text(configuration)
        command = ["prometheus", f"--config.file={path}/prometheus.yml", f"--web.listen-address={FREE}"]
        super().__init__([*command, *arguments], f"{path}/log", r'msg="Listening on" address=([\d.:]+)')
        self.wait_for(r"(Server is ready to receive web requests)")

    def rows(self, expression, **parameters):
        query = urllib.parse.urlencode({"query": expression, **parameters})
        kind = "query_range" if "step" in parameters else "query"
        answer = json.loads(request("GET", f"http://{self.found[0]}/api/v1/{kind}?{query}")[2])
        return answer["data"]["result"]

    def value(self, expression, at):
        rows = self.rows(expression, time=at)
        return float(rows[0]["value"][1]) if len(rows) == 1 else None


def steady_load(daemon, is_over):
    """200 updates a second of the half of the map that stays."""
    kept = int(ENTRIES * (1 - SHARE))
    number, next_beat = 0, time.monotonic()
    while not is_over.wait(max(0, next_beat - time.monotonic())):
        keys = [(number + step) % kept for step in range(100)]
        daemon.batch({"op": "put", "key": f"{key}", "value": "v" * 100} for key in keys)
        number, next_beat = number + 100, next_beat + 0.5


def cause(daemon):
    """The operations that raise the signature; returns the incident's row."""
    request("PUT", f"{daemon.data}/api/v1/maps/orders", {"shards": 8})
    created = time.monotonic()
    for begin in range(0, ENTRIES, 1000):
        daemon.batch({"op": "put", "key": f"{key}", "value": "v" * 100} for key in range(begin, begin + 1000))
    is_over = threading.Event()
    load = threading.Thread(target=steady_load, args=(daemon, is_over))
    load.start()
    try:
        say(f"map orders has {ENTRIES} entries and 200 updates a second; waiting until it is {GRACE_SECONDS} s old")
        time.sleep(max(0, created + GRACE_SECONDS - time.monotonic()))
        gone, step = int(ENTRIES * SHARE), int(ENTRIES * SHARE) // 20
        say(f"deleting {gone} entries within ten seconds")
        for begin in range(ENTRIES - gone, ENTRIES, step):
            daemon.batch({"op": "delete", "key": f"{key}"} for key in range(begin, min(begin + step, ENTRIES)))
            time.sleep(0.5)
        for _ in range(100):
            if rows := [row for row in daemon.incidents() if row["kind"] == "signature"]:
                return rows[0]
            time.sleep(0.2)
    finally:
        is_over.set()
        load.join()
    sys.exit(f"no incident came of it: {daemon.log.read_text()[-2000:]}")


def check_bundle(bundle, row):
    """The files, and what promtool and a Prometheus of their own make of the samples."""
    document = json.loads((bundle / "incident.json").read_text())
    check(document["kind"] == "signature" and document["map"] == "orders", f"incident.json is that of {row['id']}")
    indicators, lines = document["indicators"], document["lines"]
    check(indicators["signature"] and indicators["delete_ratio"] > lines["signature_delete_ratio"],
          f"delete share {indicators['delete_ratio']:.3f}, mutation {indicators['size_mutation_ratio']:.3f}")  # fmt: skip
    samples = (bundle / "samples.om").read_text().splitlines()
    shares = [line for line in samples if line.startswith("map_delete_ratio{")]
    instants = [float(line.split()[-1]) for line in shares]
    check(len(shares) == 120 == document["samples"], f"{len(shares)} samples of 120")
    check(115 < instants[-1] - instants[0] < 125, f"they cover {instants[-1] - instants[0]:.1f} s")
    check(abs(instants[-1] - row["timestamp_seconds"]) < 2.5, "the newest is of the second of the incident")
    check(len(document["cycles"]) >= 10, f"{len(document['cycles'])} maintenance cycles")
    return document


def check_import(folder, bundle, document):
    data = folder / "imported"
    tool = ["promtool", "tsdb", "create-blocks-from", "openmetrics", bundle / "samples.om", data]
    result = subprocess.run(tool, capture_output=True, text=True)
    check(result.returncode == 0, f"promtool imports samples.om: exit {result.returncode} {result.stderr.strip()[:500]}")
    at = document["timestamp_seconds"]
    prometheus = Prometheus(folder / "second", "{}", f"--storage.tsdb.path={data}", "--storage.tsdb.retention.time=10y")
    try:
        shown = prometheus.value('map_delete_ratio{map_name="orders"}', at + 0.001)
        kept = document["indicators"]["delete_ratio"]
        check(shown is not None and abs(shown - kept) < 0.05,
              f"the imported blocks show a delete share of {shown} at the second, incident.json {kept}")  # fmt: skip
        # The articles' formula, on the shards' counters, four seconds into the deletes and before them.
        share = "sum(increase(map_op_delete_total[60s])) / sum(increase(map_op_total[60s]))"
        past, before = prometheus.value(share, at + 0.001), prometheus.value(share, at - 30)
        check(past is not None and abs(past - kept) < 0.1 and before == 0,
              f"by the shards' counters it is {past}, half a minute before {before}")  # fmt: skip
        shards = prometheus.rows("count(map_op_delete_total) by (shard_id)", time=at)
        check(len(shards) == 8, f"{len(shards)} shards")
        curve = prometheus.rows('map_delete_ratio{map_name="orders"}', start=at - 60, end=at, step=2)
        blocks = "".join("▁▂▃▄▅▆▇█"[min(7, int(float(value) * 8))] for _, value in curve[0]["values"])
        say(f"delete share, the minute before: {blocks}")
    finally:
        prometheus.end()


def check_annotation(prometheus, row):
    """The rows that the board's annotation gets, each at its true second."""
    board = json.loads((ROOT / "grafana/dashboards/mapwatch-incidents.json").read_text())
    annotation = next(item for item in board["annotations"]["list"] if item["name"] == "Incidents")
    expression = re.sub(r"\$\w+", ".*", annotation["expr"])
    for _ in range(50):
        rows = [item for item in prometheus.rows(expression) if item["metric"].get("incident") == row["id"]]
        if rows:
            break
        time.sleep(0.2)
    check(annotation.get("useValueForTime") == "on", "the annotation takes its time from the value")
    milliseconds = float(rows[0]["value"][1]) if rows else 0
    check(abs(milliseconds - row["timestamp_seconds"] * 1000) < 1,
          f"its query has the row {row['kind']} {row['id']} at {milliseconds:.0f} ms")  # fmt: skip


def check_asking(daemon):
    """An incident that somebody asks for, and the pace."""
    url = f"{daemon.data}/api/v1/incidents"
    status, headers, body = request("POST", url, {"map": "orders", "note": "by hand"})
    check(status == 429 and int(headers["Retry-After"]) <= 60, f"one more of the same map within the minute: {status}")
    request("PUT", f"{daemon.data}/api/v1/maps/rules", {"strategy": "rwlock"})
    status, headers, body = request("POST", url, {"map": "rules", "note": "by hand"})
    check(status == 201 and request("GET", daemon.data + headers["Location"])[0] == 200,
          f"one of another map: {status}, {headers.get('Location')}")  # fmt: skip


def check_commands(program, daemon, storage, row):
    """The same from the command line: from the daemon, and from its directory once it was killed."""
    def run(*arguments):
        return subprocess.run([program, "incidents", *arguments], capture_output=True, text=True)

    listed = run("list", "--url", daemon.web)
    check(listed.returncode == 0 and row["id"] in listed.stdout, "mapwatch incidents list names it")
    shown = run("show", row["id"], "--url", daemon.web).stdout
    daemon.end(signal.SIGKILL)
    check(run("list", "--storage.path", storage).stdout == listed.stdout, "after kill -9 the directory holds the same")
    check(shown and run("show", row["id"], "--storage.path", storage).stdout == shown, "and shows the same")


def check_previous_run(program, folder, storage):
    """The next start takes the killed run up as an incident, with the last operations of the right maps."""
    daemon = Daemon(program, f"{folder}/again.log", "--storage.path", storage)
    try:
        for _ in range(50):
            if rows := [row for row in daemon.incidents() if row["kind"] == "previous_run"]:
                break
            time.sleep(0.1)
        check(len(daemon.incidents()) >= 3 and rows, "after a restart the incidents stand, and the run before is one")
        if rows:
            lines = request("GET", f"{daemon.web}/api/v1/incidents/{rows[0]['id']}/recorder.jsonl")[2].splitlines()
            by_map = [json.loads(line)["map"] for line in lines]
            check(by_map.count("orders") >= 10, f"it holds {len(lines)} last operations, {by_map.count('orders')} of orders")
    finally:
        daemon.end()


def check_conflict(program, folder):
    """Two callers meet on a map that looks for it; a pause inside the shard makes them."""
    token = folder / "token"
    token.write_text("0123456789abcdef-of-a-check")
    daemon = Daemon(program, f"{folder}/conflict.log", "--storage.path", f"{folder}/conflict", "--enable-chaos",
                    "--chaos.token-file", token)  # fmt: skip
    try:
        if request("PUT", f"{daemon.data}/api/v1/maps/busy", {"strategy": "checked", "shards": 1})[0] == 422:
            return say("this program has no strategy checked, so nothing can meet")
        status, _, body = request("PUT", f"{daemon.data}/api/v1/maps/busy/perturbations",
                                  {"kind": "delay", "microseconds": 10000, "seconds": 60}, token.read_text())  # fmt: skip
        check(status < 300, f"a pause of 10 ms inside the shard: {status} {body if status >= 300 else ''}")
        is_over, answers = threading.Event(), []

        def put(caller):
            while not is_over.is_set() and len(answers) < 2000:
                answers.append(request("PUT", f"{daemon.data}/api/v1/maps/busy/entries/{caller}", b"v", caller=caller))

        threads = [threading.Thread(target=put, args=(caller,)) for caller in ("billing", "cleaner")]
        for thread in threads:
            thread.start()
        for _ in range(100):
            if rows := [row for row in daemon.incidents() if row["kind"] == "conflict"]:
                break
            time.sleep(0.1)
        is_over.set()
        for thread in threads:
            thread.join()
        refused = sum(status == 409 for status, _, _ in answers)
        check(rows and refused > 0, f"{refused} of {len(answers)} puts met another and were refused")
        if rows:
            words = request("GET", f"{daemon.web}/api/v1/incidents/{rows[0]['id']}/README.md")[2]
            check(all(part in words for part in ("concurrent map writes", "billing", "cleaner")),
                  "the incident has the articles' words and names both callers")  # fmt: skip
        text = request("GET", f"{daemon.web}/metrics")[2]
        counted = re.search(r'mapwatch_incidents_total\{map_name="busy",kind="conflict"\} (\d+)', text)[1]
        check(int(counted) == refused, f"{counted} conflicts are counted, and one bundle written: {len(rows)}")
    finally:
        daemon.end()


@contextlib.contextmanager
def small_disk(folder, options):
    path = folder / "disk"
    path.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", path], check=True)
    try:
        yield path
    finally:
        subprocess.run(["umount", path], check=True)
        path.rmdir()


def check_without_room(program, folder):
    """A full disk and a read-only one: a message, no crash, and serving goes on."""
    if os.geteuid() != 0:
        return say("no full and no read-only disk: only root may mount one")
    for options, number in [("size=8k", 28), ("size=1m,ro", 30)]:
        with small_disk(folder, options) as disk:
            daemon = Daemon(program, f"{folder}/full.log", "--storage.path", str(disk))
            try:
                request("PUT", f"{daemon.data}/api/v1/maps/orders", {"shards": 8})
                # The first sample is a second away: without it there is little to write.
                while '"t":0' in request("GET", f"{daemon.web}/api/v1/status?map=orders")[2]:
                    time.sleep(0.1)
                time.sleep(2)
                status, _, body = request("POST", f"{daemon.data}/api/v1/incidents", {"map": "orders"})
                detail = json.loads(body)["detail"]
                check(status == 507 and f"errno {number}" in detail and str(disk) in detail, f"{options}: {detail}")
                check(request("PUT", f"{daemon.data}/api/v1/maps/orders/entries/a", b"b")[0] == 201, "it serves on")
                text = request("GET", f"{daemon.web}/metrics")[2]
                check('mapwatch_incident_bundles_total{result="failed"} 1' in text, "and counts what it lost")
                kept = daemon.incidents()
                check(len(kept) == 1 and not kept[0]["stored"], "and keeps the incident in memory")
            finally:
                check(daemon.end() == 0, "and ends in order")


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    program = sys.argv[1]
    with tempfile.TemporaryDirectory(prefix="mapwatch-incident-") as name:
        folder = pathlib.Path(name)
        check_without_room(program, folder)
        check_conflict(program, folder)
        storage = f"{name}/made/for/it"
        daemon = Daemon(program, f"{name}/mapwatch.log", "--storage.path", storage)
        target = daemon.web.removeprefix("http://")
        live = Prometheus(folder / "live", "{global: {scrape_interval: 1s}, scrape_configs: [{job_name: mapwatch, "
                          f"static_configs: [{{targets: ['{target}']}}]}}]}}", f"--storage.tsdb.path={name}/live/data")  # fmt: skip
        try:
            row = cause(daemon)
            bundle = pathlib.Path(storage) / "incidents" / row["id"]
            say(f"an incident: {', '.join(sorted(path.name for path in bundle.iterdir()))}")
            document = check_bundle(bundle, row)
            check_import(folder, bundle, document)
            check_annotation(live, row)
            check_asking(daemon)
            check_commands(program, daemon, storage, row)
            check_previous_run(program, folder, storage)
        finally:
            daemon.end(signal.SIGKILL)
            live.end()
    print(f"{len(PROBLEMS)} problems", *PROBLEMS, sep="\n  ")
    sys.exit(1 if PROBLEMS else 0)


if __name__ == "__main__":
    main()
