#!/usr/bin/env python3
"""A map loses 46 % of its entries during a live iteration, in three steps 15 s apart, and everybody sees the same.

    run.py [--binary PATH] [--entries N] [--seed N] [--picture FILE]

Starts the daemon and Debian's Prometheus with the shipped configuration and rules, fills a map, waits until it is past
its first two minutes, opens a live listing and deletes. Then it prints what the ledger of the deletes, /metrics, Prometheus
and the status page in a headless Chromium say of delete share, deletes during iteration, size mutation and streak, and
which alerts fire. Exits 1 when they differ by more than rounding. Takes four minutes.
"""

import argparse
import json
import pathlib
import random
import re
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request

ROOT = pathlib.Path(__file__).parent.parent.parent
sys.path.insert(0, str(ROOT / "Tests/StatusPage"))
from browser import Browser  # noqa: E402

STEPS, STEP_SECONDS, FALL = 3, 15, 0.185
GRACE_SECONDS = 125
# Shares are of counters, which are exact; entries are not all of one size class, and each sees another 15 s.
TOLERANCES = {"map_size_mutation_ratio": 0.01}
ARTICLES_SHARE = (
    "sum without (shard_id) (rate(map_op_delete_total[1m])) / sum without (shard_id) (rate(map_op_total[1m]))")


def request(method, url, body=None):
    call = urllib.request.Request(url, data=body, method=method)
    with urllib.request.urlopen(call, timeout=120) as answer:
        return answer.read().decode()


class Program:
    """A child that says on stderr where it listens."""

    def __init__(self, command, *patterns):
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        self.found = {}
        for line in self.process.stderr:
            for pattern in patterns:
                if match := re.search(pattern, line):
                    self.found[pattern] = match[1]
            if len(self.found) == len(patterns):
                break
        # Whoever does not read on would stop the child with a full pipe.
        subprocess.Popen(["cat"], stdin=self.process.stderr, stdout=subprocess.DEVNULL)

    def stop(self):
        self.process.terminate()
        self.process.wait()


class Page:
    """The status page on the map under test, as a person sees it."""

    NAMES = {
        "map_delete_ratio": "delete share, 60 s", "map_size_mutation_ratio": "size mutation, 15 s",
        "map_size_mutation_streak": "mutations in a row", "map_delete_during_iteration_ratio": "deletes during iteration",
    }  # fmt: skip

    def __init__(self, browser, address):
        self.browser = browser
        browser.show(1200, 1000)
        browser.open(f"http://{address}/#orders")
        browser.wait("document.querySelectorAll('#indicators li').length > 3")

    def numbers(self):
        """Each indicator's number as it is printed, by the metric's name; and what the page says of the map as a whole."""
        shown = self.browser.run(
            "Object.fromEntries([...document.querySelectorAll('#indicators li')].map(item =>"
            " [item.querySelector('span, small').textContent, item.querySelector('b').textContent]))")
        numbers = {name: self.number(shown[title]) for name, title in self.NAMES.items() if title in shown}
        return numbers, self.browser.run("document.querySelector('#verdict').textContent")

    @staticmethod
    def number(text):
        """`46 %` as 0.46; with the half of its last digit, which is all that the page may differ by."""
        digits = text.replace("\u00a0", " ").split()[0]
        unit = 0.01 if "%" in text else 1
        return float(digits) * unit, 0.5 * unit * 10 ** -len(digits.partition(".")[2])


class Metrics:
    """The samples of one map in one scrape."""

    def __init__(self, text):
        self.samples = re.findall(r'^(\w+)\{map_name="orders"[^}]*\} (\S+)$', text, re.MULTILINE)

    def sum(self, name):
        return sum(float(value) for sample, value in self.samples if sample == name)


class Map:
    """The map under test, with a ledger of what was done to it."""

    def __init__(self, address, entries, seed):
        self.url = f"{address}/orders"
        self.keys = [f"order:{number:08}" for number in range(entries)]
        self.random = random.Random(seed)
        self.deletes = self.updates = 0
        request("PUT", self.url, b"{}")
        self.put(self.keys)

    def put(self, keys):
        for start in range(0, len(keys), 50_000):
            lines = (json.dumps({"op": "put", "key": key, "value": "x" * 64}) for key in keys[start : start + 50_000])
            request("POST", f"{self.url}/batch", "\n".join(lines).encode())

    def prepare(self):
        """The batches of all steps, made beforehand so that a step is short. Each step deletes a share of what is left and
        updates half as many entries, mixed, so that the delete share is the same at any moment."""
        self.random.shuffle(self.keys)
        steps = []
        for _ in range(STEPS):
            count = int(len(self.keys) * FALL) // 2 * 2
            gone, self.keys = self.keys[:count], self.keys[count:]
            lines = []
            for index in range(count // 2):
                lines += [json.dumps({"op": "delete", "key": key}) for key in gone[2 * index : 2 * index + 2]]
                lines.append(json.dumps({"op": "put", "key": self.keys[index], "value": "y" * 64}))
            steps.append(["\n".join(lines[at : at + 60_000]).encode() for at in range(0, len(lines), 60_000)])
            self.deletes += count
            self.updates += count // 2
        return steps

    def apply(self, step):
        for body in step:
            answers = request("POST", f"{self.url}/batch", body)
            assert answers.count('"status":204') == answers.count("\n"), "an entry is missing"


class Listing:
    """A live listing that goes on page by page."""

    def __init__(self, url):
        self.url = url
        self.cursor = self.page("mode=live&limit=1000")

    def page(self, query):
        return json.loads(request("GET", f"{self.url}/entries?{query}").strip().split("\n")[-1])["cursor"]

    def go_on(self, until):
        while time.time() < until:
            self.cursor = self.page(f"limit=1000&cursor={self.cursor}")
            time.sleep(max(0, min(3, until - time.time())))


def prometheus(metrics_address, folder):
    text = (ROOT / "prometheus.yml").read_text()
    text = text.replace("127.0.0.1:10197", metrics_address)
    # A gauge is read a few seconds after it was computed, not fifteen.
    text = text.replace("scrape_interval: 15s", "scrape_interval: 2s")
    text = text.replace("- prometheus.rules.yml", f"- {ROOT / 'prometheus.rules.yml'}")
    (folder / "prometheus.yml").write_text(text)
    return Program(
        ["prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data",
         "--web.listen-address=127.0.0.1:0"],
        r'msg="Listening on" address=(\S+)',
    )


def ask(address, expression, at=None):
    url = f"http://{address}/api/v1/query?query={urllib.parse.quote(expression)}" + (f"&time={at}" if at else "")
    return json.loads(request("GET", url))["data"]["result"]


def query(address, expression, at):
    rows = ask(address, expression, at)
    return float(rows[0]["value"][1]) if len(rows) == 1 else float("nan")


def wait_past_evaluation(address):
    """Returns three seconds after the rules were evaluated, so that no evaluation falls into the midst of a step."""
    [row] = ask(address, "timestamp(map:entries:sum)")
    time.sleep((float(row["value"][1]) + 3 - time.time()) % STEP_SECONDS)


def play(arguments, folder, programs, browser):
    addresses = (r"serving metrics.*http://([0-9.:]+)", r"serving maps.*(http://[0-9.:]+/api/v1/maps)")
    daemon = Program(
        [arguments.binary, "serve", "--web.listen-address=127.0.0.1:0", "--data.listen-address=127.0.0.1:0"], *addresses
    )
    programs.append(daemon)
    metrics, data = (daemon.found[pattern] for pattern in addresses)
    server = prometheus(metrics, folder)
    programs.append(server)
    [server_address] = server.found.values()

    begin = time.monotonic()
    orders = Map(data, arguments.entries, arguments.seed)
    print(f"{arguments.entries} entries stored in {time.monotonic() - begin:.1f} s; waiting for two minutes", flush=True)
    time.sleep(max(0, begin + GRACE_SECONDS - time.monotonic()))

    page = Page(browser, metrics)
    steps = orders.prepare()
    wait_past_evaluation(server_address)
    before = Metrics(request("GET", f"http://{metrics}/metrics?scraper=before"))
    listing = Listing(orders.url)
    begin = time.time()
    for number, step in enumerate(steps):
        listing.go_on(begin + number * STEP_SECONDS)
        orders.apply(step)
        print(f"step {number + 1} took {time.time() - begin - number * STEP_SECONDS:.1f} s", flush=True)
    # The rules are evaluated at 42 s; all windows of 15 s hold one step, and that of 60 s all three.
    listing.go_on(begin + STEPS * STEP_SECONDS - 2)
    now = Metrics(request("GET", f"http://{metrics}/metrics?scraper=after"))
    at = time.time()
    shown = page.numbers()
    arguments.picture.parent.mkdir(parents=True, exist_ok=True)
    browser.picture(arguments.picture)
    gauges = {name: query(server_address, name, at) for name in
              ("map_delete_ratio", "map_delete_during_iteration_ratio", "map_size_mutation_ratio",
               "map_size_mutation_streak", "map_accident_signature")}
    recorded = {name: query(server_address, rule, at) for name, rule in
                (("map_delete_ratio", "map:delete_ratio:increase1m"), ("map_size_mutation_ratio", "map:size_mutation:ratio15s"),
                 ("map_delete_during_iteration_ratio", "map:delete_during_iteration_ratio:increase1m"))}
    recorded["articles"] = query(server_address, ARTICLES_SHARE, at)
    alerts = json.loads(request("GET", f"http://{server_address}/api/v1/alerts"))["data"]["alerts"]
    return orders, before, now, gauges, recorded, alerts, shown


def report(orders, before, now, gauges, recorded, alerts, shown):
    expected = {
        "map_delete_ratio": orders.deletes / (orders.deletes + orders.updates),
        "map_delete_during_iteration_ratio": 1.0,
        "map_size_mutation_ratio": FALL,
        "map_size_mutation_streak": STEPS,
        "map_accident_signature": 1,
    }
    wrong = []
    on_page, verdict = shown
    print(f"{'':38}{'ledger':>10}{'/metrics':>10}{'gauge in':>12}{'recorded by':>13}{'the page':>10}")
    print(f"{'':38}{'':10}{'':10}{'Prometheus':>12}{'the rules':>13}")
    for name, value in expected.items():
        row = [now.sum(name), gauges[name], recorded.get(name)]
        number, rounding = on_page.get(name, (None, None))
        print(f"{name:38}{value:10.4f}{row[0]:10.4f}{row[1]:12.4f}"
              + (f"{row[2]:13.4f}" if row[2] is not None else f"{'':13}") + (f"{number:10g}" if number is not None else ""))
        # The page draws the sample of a second ago at most; nothing is deleted at that time.
        if number is not None and not abs(number - row[0]) <= rounding + 0.005:
            wrong.append(f"{name} on the page")
        tolerance = TOLERANCES.get(name, 0.0001)
        wrong += [name for seen in row if seen is not None and not abs(seen - value) <= tolerance]
    print(f"the articles' formula: {recorded['articles']:.4f}, as rate() extrapolates no counter below 0")
    counted = now.sum("map_op_delete_during_iteration_total") - before.sum("map_op_delete_during_iteration_total")
    print(f"{'map_op_delete_during_iteration_total':38}{orders.deletes:10}{counted:10.0f}")
    wrong += ["map_op_delete_during_iteration_total"] if counted != orders.deletes else []
    if "signature of an accident" not in verdict:
        wrong.append("the page shows no signature")
    if set(on_page) != set(Page.NAMES):
        wrong.append("the page lacks an indicator")
    print("page:", verdict)
    firing = sorted(alert["labels"]["alertname"] for alert in alerts if alert["state"] == "firing")
    print("firing:", ", ".join(firing) or "nothing")
    for name in ("MapAccidentSignature", "MapSizeMutationStreak"):
        wrong += [] if name in firing else [f"{name} does not fire"]
    print("they agree" if not wrong else f"they differ: {', '.join(wrong)}")
    return not wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--binary", default=str(ROOT / ".build/release/mapwatch"))
    parser.add_argument("--entries", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--picture", type=pathlib.Path, default=ROOT / ".build/mass-delete/page.png", help="of the page at the peak")
    arguments = parser.parse_args()
    programs = []
    with tempfile.TemporaryDirectory() as folder, Browser() as browser:
        try:
            agreed = report(*play(arguments, pathlib.Path(folder), programs, browser))
            print(f"picture: {arguments.picture}")
        finally:
            for program in programs:
                program.stop()
    sys.exit(0 if agreed else 1)


if __name__ == "__main__":
    main()
