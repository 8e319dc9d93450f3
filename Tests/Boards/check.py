#!/usr/bin/env python3
"""Checks the boards and the rules: their form, and that every query returns rows from a live Prometheus.

    check.py PROGRAM

A daemon plays its demo, one of its maps is disturbed on purpose, and a Prometheus scrapes it each second with the shipped
rules, until every panel has its rows and every series that a rule reads is there. About 80 seconds.
"""

import contextlib
import json
import math
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request

import boards

DEMO_MAPS = ["payment-orders", "products", "rules", "sessions"]
PATIENCE = 150
TOKEN = "0123456789abcdef-of-a-check"


@contextlib.contextmanager
def running(command, log):
    with open(log, "w") as file:
        child = subprocess.Popen(command, stdout=file, stderr=subprocess.STDOUT)
    try:
        yield child
    finally:
        child.terminate()
        child.wait()


def wait_for(pattern, log, child):
    while True:
        if match := re.search(pattern, pathlib.Path(log).read_text()):
            return match[1]
        if child.poll() is not None:
            sys.exit(f"{child.args[0]} ended with {child.returncode}: {pathlib.Path(log).read_text()[-2000:]}")
        time.sleep(0.05)


@contextlib.contextmanager
def live(program):
    """The addresses of a daemon that plays its demo, and of a Prometheus that scrapes it."""
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="mapwatch-boards-"))
        free = "127.0.0.1:0"
        log = f"{folder}/mapwatch.log"
        pathlib.Path(f"{folder}/token").write_text(TOKEN)
        command = [
            program, "serve", "--demo", "--web.listen-address", free, "--data.listen-address", free,
            "--enable-chaos", "--chaos.token-file", f"{folder}/token",
            "--storage.path", f"{folder}/storage",
        ]  # fmt: skip
        daemon = stack.enter_context(running(command, log))
        metrics = wait_for(r"url=http://([\d.:]+)/metrics", log, daemon)
        data = wait_for(r"url=http://([\d.:]+)/api/v1/maps", log, daemon)
        make_incident(data)
        disturb(data)
        text = (boards.ROOT / "prometheus.yml").read_text()
        for old, new in [
            ("127.0.0.1:10197", metrics), ("_interval: 15s", "_interval: 1s"),
            ("- prometheus.rules.yml", f"- {boards.RULES}"),
        ]:  # fmt: skip
            if old not in text:
                sys.exit(f"prometheus.yml no longer holds {old}")
            text = text.replace(old, new)
        pathlib.Path(f"{folder}/prometheus.yml").write_text(text)
        log = f"{folder}/prometheus.log"
        command = [
            "prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data",
            f"--web.listen-address={free}",
        ]  # fmt: skip
        prometheus = wait_for(r'msg="Listening on" address=([\d.:]+)', log, stack.enter_context(running(command, log)))
        yield f"http://{metrics}", f"http://{prometheus}"


def make_incident(data):
    """One incident by hand: the demo's own comes only after two minutes."""
    send(data, "POST", "/api/v1/incidents", {"map": "sessions", "note": "for the boards"})


def disturb(data):
    """A perturbation that hurts nobody: the rarest of yields."""
    send(data, "PUT", "/api/v1/maps/sessions/perturbations", {"kind": "yield", "probability": 1e-6, "seconds": 600})


def send(data, method, path, body):
    request = urllib.request.Request(
        f"http://{data}{path}", data=json.dumps(body).encode(), method=method,
        headers={"Authorization": f"Bearer {TOKEN}"},
    )  # fmt: skip
    with urllib.request.urlopen(request, timeout=30) as answer:
        if answer.status != 201:
            sys.exit(f"{method} {path} was answered {answer.status}")


def last_scrape(prometheus):
    """When Prometheus has last scraped anything, as it says it; None before."""
    try:
        with urllib.request.urlopen(f"{prometheus}/api/v1/targets?state=active", timeout=30) as answer:
            targets = json.loads(answer.read())["data"]["activeTargets"]
    except urllib.error.HTTPError as error:
        if error.code == 503:
            return None
        raise
    return max((target["lastScrape"] for target in targets), default=None)


def wait_for_scrape(prometheus, after, deadline):
    """Until something was scraped since; before, no query can give more than it gave. It pushes no such event, so it is
    asked."""
    while time.monotonic() < deadline and last_scrape(prometheus) == after:
        time.sleep(0.1)


def rows(prometheus, expression):
    """Values of an instant query that are numbers."""
    url = f"{prometheus}/api/v1/query?{urllib.parse.urlencode({'query': expression})}"
    try:
        with urllib.request.urlopen(url, timeout=30) as answer:
            result = json.loads(answer.read())["data"]["result"]
    except urllib.error.HTTPError as error:
        # At its start it answers 503.
        if error.code == 503:
            return []
        raise
    return [row for row in result if not math.isnan(float(row["value"][1]))]


def wanted():
    """All queries that have to return rows: (where, expression)."""
    for board in boards.boards().values():
        for place, expression in boards.queries(board):
            # Nothing fires yet, and nothing has to.
            if "annotation Alerts" in place:
                continue
            # One map is shown at a time, whichever it is.
            maps = DEMO_MAPS if board["uid"] == "mapwatch-shards" and "$map" in expression else [".*"]
            for name in maps:
                yield f"{place} ({name})", boards.filled(expression, name)
    for rule in boards.rules():
        name = rule.get("alert") or rule["record"]
        for series, matchers in boards.selectors(rule["expr"]):
            yield f"rule {name}: {series}", f"count({series}{matchers})"
        if "record" in rule and rule["record"] != "map:read_retry_ratio:rate5m":
            yield f"rule {name}", rule["record"]


def name_problems(metrics):
    """Series that a board or a rule names and that neither the daemon prints nor a rule records."""
    # A scraper sees deltas from its second scrape on, once the end of the first was noticed.
    printed, deadline = set(), time.monotonic() + 30
    while "map_size_delta_entries" not in printed and time.monotonic() < deadline:
        with urllib.request.urlopen(f"{metrics}/metrics", timeout=30) as answer:
            printed = set(re.findall(r"^([a-z_]\w*)", answer.read().decode(), re.MULTILINE))
    known = printed | {rule["record"] for rule in boards.rules() if "record" in rule}
    used = {name: f"rule {rule.get('alert') or rule['record']}"
            for rule in boards.rules() for name, _ in boards.selectors(rule["expr"])}  # fmt: skip
    used |= {name: place for board in boards.boards().values() for place, expression in boards.queries(board)
             for name, _ in boards.selectors(expression)}  # fmt: skip
    for name, place in sorted(used.items()):
        if re.match(r"up$|ALERTS$|scrape_", name):
            continue
        if name not in known:
            yield f"{place}: the daemon does not print {name}"


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    problems = [*boards.form_problems(), *boards.expression_problems(), *boards.compose_problems()]
    count = sum(len(boards.panels(board)) for board in boards.boards().values())
    print(f"form: {len(boards.BOARDS)} boards, {count} panels, {len(problems)} problems", flush=True)
    with live(sys.argv[1]) as (metrics, prometheus):
        problems += name_problems(metrics)
        open_queries = dict(wanted())
        total, begin = len(open_queries), time.monotonic()
        shown = None
        while open_queries and time.monotonic() - begin < PATIENCE:
            seen = last_scrape(prometheus)
            open_queries = {place: text for place, text in open_queries.items() if not rows(prometheus, text)}
            if len(open_queries) != shown:
                print(f"{time.monotonic() - begin:4.0f} s: {total - len(open_queries)} of {total} queries have rows", flush=True)
                shown = len(open_queries)
            if open_queries:
                wait_for_scrape(prometheus, seen, begin + PATIENCE)
    problems += [f"no rows: {place}: {text}" for place, text in open_queries.items()]
    for problem in problems:
        print(f"PROBLEM {problem}")
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
