#!/usr/bin/env python3
"""One whole rotation of `serve --demo` beside a real Prometheus with the shipped configuration, alerts and boards.

    run.py PROGRAM

The daemon plays its seven accidents and what goes on beside them, 16 minutes with the warm-up; mishaps that no load can
cause are acted here (mishaps.py); at the end the daemon is stopped for a while and started again. Prints what happens when,
and for each alert who caused it, when it fired and whether it recovered. Exits 1 when an alert did not fire that is not
among the impossible, when a query of a board never had rows, or when the status page did not name a scenario that was
playing. Takes 19 minutes and little of the processor.
"""

import argparse
import contextlib
import http.client
import json
import pathlib
import re
import sys
import tempfile
import time
import urllib.parse

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
# Two of them have a check.py; the one meant is found first.
for folder in ["deploy", "Tests/StatusPage", "Tests/Boards"]:
    sys.path.insert(0, str(ROOT / folder))
import boards  # noqa: E402
import check  # noqa: E402
import demo  # noqa: E402
from browser import Browser, PageProblem  # noqa: E402
from mishaps import IS_ROOT, OWN_VIEW, SOUND, Mishaps  # noqa: E402

SCENARIOS = [
    "payment-orders", "risk-rules", "ws-mass-disconnect", "task-leases", "batch-expiry", "session-revocation",
    "log-aggregation",
]  # fmt: skip
# Two minutes of warm-up, then two minutes each.
LENGTH = 120 + 120 * len(SCENARIOS)
IMPOSSIBLE = {
    "MapGrowsWithoutDeletes": "it looks back six hours; Tests/Rules plays those",
}
if not IS_ROOT:
    IMPOSSIBLE["MapwatchCollectorFailed"] = "hiding a file of /proc from the daemon takes root"
TOKEN = "0123456789abcdef-of-a-rotation"
ACCIDENTS, BESIDE, OPERATOR = "the accidents", "beside the accidents", "an operator's slip"
CAUSES = {
    "MapAccidentSignature": ACCIDENTS, "MapConcurrentAccess": ACCIDENTS, "MapDeleteShareHigh": ACCIDENTS,
    "MapSizeMutation": ACCIDENTS, "MapSizeMutationStreak": ACCIDENTS, "MapDeletesDuringIteration": ACCIDENTS,
    "MapShardStalled": BESIDE, "MapIteratorStuck": BESIDE, "MapHotShard": BESIDE, "MapLockConflictHigh": BESIDE,
    "MapOptimisticReadsFailing": BESIDE, "MapStoresRefused": BESIDE, "MapwatchUndeclaredWrites": BESIDE,
    "MapwatchDown": OPERATOR, "MapwatchRestarted": OPERATOR, "MapPerturbationLeftOn": OPERATOR,
    "MapwatchConfigReloadFailed": OPERATOR, "MapwatchCollectorFailed": OPERATOR, "MapwatchMemoryNearLimit": OPERATOR,
}  # fmt: skip


class Rotation:
    """The programs of one run, and what was seen of them."""

    def __init__(self, program, folder, stack):
        self.program, self.folder, self.stack = program, folder, stack
        self.configuration = folder / "mapwatch.yml"
        self.configuration.write_text(SOUND)
        (folder / "token").write_text(TOKEN)
        self.starts = 0
        self.begin = time.time()
        self.start("127.0.0.1:0", "127.0.0.1:0")
        prometheus = [
            "prometheus", f"--config.file={demo.configuration(folder, int(self.metrics.rpartition(':')[2]))}",
            f"--storage.tsdb.path={folder}/data", "--web.listen-address=127.0.0.1:0",
        ]  # fmt: skip
        log = folder / "prometheus.log"
        child = stack.enter_context(check.running(prometheus, log))
        self.prometheus = "http://" + check.wait_for(r'msg="Listening on" address=([\d.:]+)', log, child)
        self.status = http.client.HTTPConnection(self.metrics, timeout=30)
        self.mishaps = Mishaps(
            self.daemon, f"http://{self.metrics}", f"http://{self.data}", self.configuration, TOKEN)
        # Where nothing fires the annotation of the alerts has no rows; in a rotation it must.
        self.open = dict(check.wanted()) | {
            place: boards.filled(expression) for board in boards.boards().values()
            for place, expression in boards.queries(board)
        }  # fmt: skip
        self.queries = len(self.open)
        self.named, self.firing = [], {}

    def start(self, metrics, data):
        self.starts += 1
        log = self.folder / f"mapwatch-{self.starts}.log"
        command = [
            *OWN_VIEW, self.program, "serve", "--demo", "--web.listen-address", metrics, "--data.listen-address", data,
            "--config.file", str(self.configuration), "--web.enable-lifecycle", "--enable-chaos", "--chaos.token-file",
            f"{self.folder}/token", "--storage.path", f"{self.folder}/storage",
        ]  # fmt: skip
        self.daemon = self.stack.enter_context(demo.running("mapwatch", command, log))
        self.metrics = check.wait_for(r"url=http://([\d.:]+)/metrics", log, self.daemon)
        self.data = check.wait_for(r"url=http://([\d.:]+)/api/v1/maps", log, self.daemon)

    @property
    def second(self):
        return time.time() - self.begin

    def say(self, text):
        print(f"{self.second:5.0f} s  {text}", flush=True)

    def play(self, browser):
        """The rotation itself; a look each second, and at the boards after each scrape."""
        scraped = None
        while self.second < LENGTH:
            for text in self.mishaps.play(self.second):
                self.say(f"mishap    {text}")
            self.look_at_page(browser)
            self.look_at_alerts()
            if (latest := check.last_scrape(self.prometheus)) != scraped:
                scraped = latest
                self.look_at_boards()
            time.sleep(1)

    def look_at_page(self, browser):
        self.status.request("GET", "/api/v1/status")
        playing = json.loads(self.status.getresponse().read())["playing"]
        if not playing or playing["scenario"] in self.named:
            return
        browser.open(f"http://{self.metrics}/")
        browser.wait(f"document.querySelector('#playing').textContent.includes({json.dumps(playing['title'])})")
        self.say(f"playing   {browser.run('document.querySelector(`#playing`).textContent')}")
        browser.open("about:blank")
        self.named.append(playing["scenario"])

    def look_at_alerts(self):
        now = demo.firing(self.prometheus)
        for key in sorted(now.keys() - self.firing.keys()):
            self.say(f"fires     {' '.join(key)}")
        for key in sorted(self.firing.keys() - now.keys()):
            self.say(f"recovers  {' '.join(key)}")
        self.firing = now

    def look_at_boards(self):
        before = len(self.open)
        self.open = {place: text for place, text in self.open.items() if not check.rows(self.prometheus, text)}
        if len(self.open) != before:
            self.say(f"boards    {self.queries - len(self.open)} of {self.queries} queries have had rows")

    def wait_for(self, alert, fires, seconds):
        end = time.time() + seconds
        while any(name == alert for name, _ in self.firing) != fires and time.time() < end:
            self.look_at_alerts()
            time.sleep(1)

    def stop_and_start(self):
        self.say("mishap    the daemon is stopped")
        self.daemon.terminate()
        if code := self.daemon.wait(timeout=60):
            raise SystemExit(f"the daemon ended with {code}")
        self.wait_for("MapwatchDown", True, 150)
        self.say("mishap    it is started again")
        self.start(self.metrics, self.data)
        self.wait_for("MapwatchDown", False, 60)
        self.wait_for("MapwatchRestarted", True, 60)
        # Until it is stored too, where the report looks for it.
        end = time.time() + 30
        while "MapwatchRestarted" not in self.intervals() and time.time() < end:
            time.sleep(1)

    def intervals(self):
        """{alert: [(map, first second, last second)]} as Prometheus has stored it."""
        query = {
            "query": 'max by (alertname, map_name) (ALERTS{alertstate="firing"})', "start": self.begin,
            "end": time.time(), "step": "5",
        }  # fmt: skip
        text = demo.ask(f"{self.prometheus}/api/v1/query_range?{urllib.parse.urlencode(query)}")
        fired = {}
        for row in json.loads(text)["data"]["result"]:
            spans = []
            for instant, _ in row["values"]:
                if spans and instant - spans[-1][1] < 20:
                    spans[-1][1] = instant
                else:
                    spans.append([instant, instant])
            labels = row["metric"]
            fired.setdefault(labels["alertname"], []).extend(
                (labels.get("map_name", ""), first - self.begin, last - self.begin) for first, last in spans)
        return fired

    def report(self):
        """Prints a line for each alert; gives what is wrong."""
        fired, end = self.intervals(), self.second
        names = [rule["alert"] for rule in boards.rules() if "alert" in rule]
        print(f"\n{'alert':27} {'caused by':20} fired, in seconds from the start; + while it still fires")
        for name in names:
            spans = sorted(fired.get(name, []), key=lambda span: span[1])
            shown = [f"{map_name} {first:.0f}–{last:.0f}{'+' if last > end - 20 else ''}".strip()
                     for map_name, first, last in spans]  # fmt: skip
            reason = IMPOSSIBLE.get(name, "")
            print(f"{name:27} {CAUSES.get(name, '–'):20} {', '.join(shown) or f'did not fire: {reason}'}")
            if not spans and not reason:
                yield f"{name} has not fired"
            if spans and reason:
                yield f"{name} has fired: strike it off the impossible"
        if unnamed := set(names) - CAUSES.keys() - IMPOSSIBLE.keys():
            yield f"nobody causes {sorted(unnamed)}"
        for place, text in self.open.items():
            yield f"no rows: {place}: {text}"
        if self.named != SCENARIOS:
            yield f"the status page has named {self.named}"
        failures = re.findall(r'.*"the demo cannot go on".*', (self.folder / "mapwatch-1.log").read_text())
        yield from failures


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("program")
    arguments = parser.parse_args()
    with contextlib.ExitStack() as stack:
        folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mapwatch-rotation-")))
        rotation = Rotation(arguments.program, folder, stack)
        with Browser() as browser:
            rotation.play(browser)
        rotation.stop_and_start()
        problems = list(rotation.report())
    print(f"\n{rotation.queries - len(rotation.open)} of {rotation.queries} queries of boards and rules had rows")
    for problem in problems:
        print(f"PROBLEM {problem}")
    return 1 if problems else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except PageProblem as problem:
        sys.exit(f"FAILED: {problem}")
