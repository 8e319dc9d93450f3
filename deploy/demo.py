#!/usr/bin/env python3
"""Runs mapwatch with its demo workload beside Debian's Prometheus with the shipped configuration and alerts.

    demo.py PROGRAM [--seconds N] [--data-port N] [--metrics-port N] [--prometheus-port N]

Prints the addresses, and a line whenever an alert fires or recovers. Ends with Ctrl-C, or after N seconds: then exits 0
only when the alerts of the accident have fired and recovered.
"""

import argparse
import contextlib
import json
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
EXPECTED = ["MapDeleteShareHigh", "MapSizeMutation"]


class DemoProblem(Exception):
    """Why the demo could not run."""


def configuration(folder, metrics_port):
    """The shipped one; a copy with another target where the port is another."""
    shipped = ROOT / "prometheus.yml"
    if metrics_port == 10197:
        return shipped
    text = shipped.read_text()
    for old, new in [
        ("127.0.0.1:10197", f"127.0.0.1:{metrics_port}"),
        ("- prometheus.rules.yml", f"- {ROOT}/prometheus.rules.yml"),
    ]:
        if old not in text:
            raise DemoProblem(f"prometheus.yml no longer holds {old}")
        text = text.replace(old, new)
    copy = folder / "prometheus.yml"
    copy.write_text(text)
    return copy


@contextlib.contextmanager
def running(name, command, log):
    """A child that ends with us; its output goes to a file."""
    with open(log, "w") as file:
        child = subprocess.Popen(command, stdout=file, stderr=subprocess.STDOUT)
    try:
        yield child
    finally:
        if child.poll() is None:
            child.terminate()
        if child.wait() not in (0, -signal.SIGTERM):
            print(f"{name} ended with {child.returncode}:\n{pathlib.Path(log).read_text()[-2000:]}", file=sys.stderr)


def ask(url):
    with urllib.request.urlopen(url, timeout=5) as answer:
        return answer.read()


def wait_until_ready(children, urls):
    for name, url in urls.items():
        for _ in range(300):
            if ended := [other for other, child in children.items() if child.poll() is not None]:
                raise DemoProblem(f"{' and '.join(ended)} ended at the start; is a port taken?")
            with contextlib.suppress(OSError):
                ask(url)
                break
            time.sleep(0.1)
        else:
            raise DemoProblem(f"{name} does not answer at {url}")


def firing(prometheus):
    """Alerts that fire now, by name and map, with their value."""
    alerts = json.loads(ask(f"{prometheus}/api/v1/alerts"))["data"]["alerts"]
    return {
        (alert["labels"]["alertname"], alert["labels"].get("map_name", "")): alert
        for alert in alerts
        if alert["state"] == "firing"
    }


def intervals(prometheus, begin):
    """When each alert fired, as Prometheus has stored it: (name, map, first second, last second), from the begin on."""
    query = {"query": 'ALERTS{alertstate="firing"}', "start": begin, "end": time.time(), "step": "1"}
    rows = json.loads(ask(f"{prometheus}/api/v1/query_range?{urllib.parse.urlencode(query)}"))["data"]["result"]
    for row in rows:
        times = [float(instant) - begin for instant, _ in row["values"]]
        yield row["metric"]["alertname"], row["metric"].get("map_name", ""), times[0], times[-1]


def watch(prometheus, begin, end):
    """Prints what changes, until the end; gives the names of those that have fired and recovered."""
    shown, recovered = {}, set()
    while end is None or time.time() < end:
        with contextlib.suppress(urllib.error.URLError, TimeoutError):
            now = firing(prometheus)
            for key in now.keys() - shown.keys():
                say(begin, "FIRES", key, now[key]["annotations"].get("summary", ""))
            for key in shown.keys() - now.keys():
                say(begin, "recovers", key, "")
                recovered.add(key[0])
            shown = now
        time.sleep(1)
    return recovered


def say(begin, what, key, text):
    name, map_name = key
    print(f"  {time.time() - begin:5.0f} s  {what:8}  {name} {map_name}  {text}".rstrip(), flush=True)


def interrupted(*_):
    raise KeyboardInterrupt


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("program")
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--metrics-port", type=int, default=10197)
    parser.add_argument("--data-port", type=int, default=10198)
    parser.add_argument("--prometheus-port", type=int, default=9090)
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, interrupted)
    if shutil.which("prometheus") is None:
        raise DemoProblem("there is no prometheus; apt-get install prometheus")
    web = f"http://127.0.0.1:{arguments.metrics_port}"
    prometheus = f"http://127.0.0.1:{arguments.prometheus_port}"
    with contextlib.ExitStack() as stack:
        folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mapwatch-demo-")))
        mapwatch = [
            arguments.program, "serve", "--demo", "--web.listen-address", f"127.0.0.1:{arguments.metrics_port}",
            "--data.listen-address", f"127.0.0.1:{arguments.data_port}",
        ]  # fmt: skip
        scraper = [
            "prometheus", f"--config.file={configuration(folder, arguments.metrics_port)}",
            f"--storage.tsdb.path={folder}/data", f"--web.listen-address=127.0.0.1:{arguments.prometheus_port}",
        ]  # fmt: skip
        begin = time.time()
        children = {
            "mapwatch": stack.enter_context(running("mapwatch", mapwatch, folder / "mapwatch.log")),
            "prometheus": stack.enter_context(running("prometheus", scraper, folder / "prometheus.log")),
        }
        wait_until_ready(children, {"mapwatch": f"{web}/-/ready", "prometheus": f"{prometheus}/-/ready"})
        print(f"""
  status page   {web}/
  metrics       {web}/metrics
  maps          http://127.0.0.1:{arguments.data_port}/api/v1/maps
  Prometheus    {prometheus}/alerts

  Seven accidents in rotation, two minutes each. The first warms up for two minutes; then the map payment-orders
  loses a quarter of its entries each 15 s, for 75 s. Stop with Ctrl-C.
""", flush=True)  # fmt: skip
        try:
            recovered = watch(prometheus, begin, arguments.seconds and begin + arguments.seconds)
        except KeyboardInterrupt:
            print()
            return 0
        print("\n  As Prometheus has stored it, in seconds from the start:")
        for name, map_name, first, last in sorted(intervals(prometheus, begin), key=lambda row: row[2]):
            print(f"  {name:22} {map_name:10} fired {first:4.0f} to {last:4.0f}")
        missing = [name for name in EXPECTED if name not in recovered]
        if missing:
            print(f"  not fired and recovered: {', '.join(missing)}", file=sys.stderr)
        return 1 if missing else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except DemoProblem as problem:
        sys.exit(f"demo: {problem}")
    except KeyboardInterrupt:
        sys.exit(0)
