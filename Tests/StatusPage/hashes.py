#!/usr/bin/env python3
"""The same skewed load on two maps of 256 shards: one with a weak hash, one with the default.

    hashes.py PROGRAM [--seconds N] [--pictures FOLDER]

Three keys in ten end alike, as ids of one tenant do. `hash: identity` looks at the end of a key only, so those all lie in
one shard. What /metrics, Prometheus and the status page's heat map in a headless Chromium say of the busiest shard has to
be the same: one shard on top of the first map, none of the second.
"""

import argparse
import json
import os
import pathlib
import random
import re
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
import urllib.request

from browser import Browser, PageProblem
from check import Client, daemon, expect

SHARDS = 256
WEAK, DEFAULT = "weak", "default"
SEED = 1


def key(random):
    """A random id of eight bytes, URL-safe; of three in ten the last four are the tenant's."""
    alphabet = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
    text = "".join(random.choice(alphabet) for _ in range(8))
    return text[:4] + "acme" if random.random() < 0.3 else text


def write_until(stop, port):
    client, numbers = Client(port), random.Random(SEED)
    while not stop.is_set():
        lines = "\n".join(json.dumps({"op": "put", "key": key(numbers), "value": "v" * 32}) for _ in range(1000))
        for name in (WEAK, DEFAULT):
            client("POST", f"/api/v1/maps/{name}/batch", lines, status=200)


def scraped(metrics):
    """Writes by shard of each map."""
    _, text = Client(metrics)("GET", "/metrics?name[]=map_op_total&debug=text", status=200)
    found = {WEAK: [0] * SHARDS, DEFAULT: [0] * SHARDS}
    for name, shard, count in re.findall(r'map_op_total\{map_name="(\w+)",shard_id="(\d+)"\} (\d+)', text.decode()):
        found[name][int(shard)] = int(count)
    return found


def prometheus(metrics, folder):
    (folder / "prometheus.yml").write_text(json.dumps({
        "global": {"scrape_interval": "1s"},
        "scrape_configs": [{"job_name": "mapwatch", "static_configs": [{"targets": [f"127.0.0.1:{metrics}"]}]}]}))  # fmt: skip
    process = subprocess.Popen(
        ["prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data",
         "--web.listen-address=127.0.0.1:0"], stderr=subprocess.PIPE, text=True)  # fmt: skip
    for line in process.stderr:
        if match := re.search(r'msg="Listening on" address=(\S+)', line):
            threading.Thread(target=process.stderr.read, daemon=True).start()
            return process, match[1]
    raise PageProblem("Prometheus has ended")


def ask(address, expression):
    url = f"http://{address}/api/v1/query?query={urllib.parse.quote(expression)}"
    return [(row["metric"], float(row["value"][1])) for row in json.load(urllib.request.urlopen(url))["data"]["result"]]


def seen_by_prometheus(address, name):
    """The busiest shard by Prometheus, and its rate over the mean one's; None before it has two scrapes."""
    top = ask(address, f'topk(1, rate(map_op_total{{map_name="{name}"}}[20s]))')
    mean = ask(address, f'avg(rate(map_op_total{{map_name="{name}"}}[20s]))')
    return (int(top[0][0]["shard_id"]), top[0][1] / mean[0][1]) if top and mean and mean[0][1] > 0 else None


def seen_on_page(browser, name):
    """The first of the ten hottest, and how bright each row of the heat map is."""
    browser.run(f"location.hash = '#{name}'; 0")
    browser.wait(f"document.querySelector('#detail-title').textContent === '{name}'")
    browser.wait(f"document.querySelector('#heatmap').height === {SHARDS}")
    browser.run("(() => { const h = document.querySelector('#heat'); h.value = 'writes'; h.dispatchEvent(new Event('change')); })()")
    browser.wait("document.querySelector('#scale').textContent.includes('writes')")
    browser.wait("document.querySelectorAll('#hottest li').length === 10")
    time.sleep(2)
    hottest = [int(text) for text in browser.run(
        "[...document.querySelectorAll('#hottest span')].map(node => node.textContent)")]  # fmt: skip
    bars = browser.run("[...document.querySelectorAll('#hottest i')].map(node => parseFloat(node.style.width))")
    drawn = browser.run(
        "(() => { const c = document.querySelector('#heatmap'); const d = c.getContext('2d').getImageData(0, 0, c.width,"
        " c.height).data; return Array.from({length: c.height}, (_, y) => { let s = 0; for (let x = 0; x < c.width; x++)"
        " s += 255 - d[4 * (y * c.width + x) + 1]; return s; }); })()")
    return hottest, bars, drawn


def judge(name, writes, by_prometheus, page, imbalance):
    hottest, bars, drawn = page
    top = max(range(SHARDS), key=writes.__getitem__)
    factor = writes[top] / (sum(writes) / SHARDS)
    second = sorted(writes)[-2] / (sum(writes) / SHARDS)
    print(f"{name}: {sum(writes)} writes; busiest shard {top}, {factor:.1f} times the mean (the next {second:.1f}); Prometheus "
          f"{by_prometheus[0]}, {by_prometheus[1]:.1f} times; map_shard_imbalance_ratio {imbalance:.1f}; page: first of the "
          f"hottest {hottest[0]}, the second's bar {bars[1]:.0f} % of it, brightest row {max(range(SHARDS), key=drawn.__getitem__)}",
          flush=True)  # fmt: skip
    if name == WEAK:
        expect(factor > 50, "/metrics: one shard takes over 50 times the mean under the weak hash")
        expect(by_prometheus[0] == top and abs(by_prometheus[1] / factor - 1) < 0.1, "Prometheus names it, by the same factor")
        expect(abs(imbalance / factor - 1) < 0.1, "so does map_shard_imbalance_ratio")
        expect(hottest[0] == top and bars[1] < 20, "the page lists it first, far ahead of the second")
        others = sorted(drawn)[-2]
        expect(max(range(SHARDS), key=drawn.__getitem__) == top and drawn[top] > 2 * others, "and its row outshines the heat map")
    else:
        expect(factor < 2.5, "/metrics: the same load is flat under the default hash")
        expect(by_prometheus[1] < 4, "Prometheus sees it flat too")
        expect(imbalance < 2.5, "so does map_shard_imbalance_ratio")
        expect(bars[1] > 60, "on the page the second hottest is close to the first")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("program")
    parser.add_argument("--seconds", type=int, default=75)
    parser.add_argument("--pictures", type=pathlib.Path, default=pathlib.Path(".build/hashes"))
    arguments = parser.parse_args()
    os.makedirs(arguments.pictures, exist_ok=True)
    stop, server = threading.Event(), None
    with tempfile.TemporaryDirectory() as folder, daemon(arguments.program) as (metrics, data), Browser() as browser:
        client = Client(data)
        client("PUT", f"/api/v1/maps/{WEAK}", json.dumps({"shards": SHARDS, "hash": "identity"}), status=201)
        client("PUT", f"/api/v1/maps/{DEFAULT}", json.dumps({"shards": SHARDS}), status=201)
        writer = threading.Thread(target=write_until, args=(stop, data))
        writer.start()
        try:
            server, address = prometheus(metrics, pathlib.Path(folder))
            browser.show(1200, 1000)
            browser.open(f"http://127.0.0.1:{metrics}/#{WEAK}")
            print(f"writing for {arguments.seconds} s, seed {SEED}", flush=True)
            time.sleep(arguments.seconds)
            for name in (WEAK, DEFAULT):
                page = seen_on_page(browser, name)
                browser.picture(arguments.pictures / f"{name}.png")
                _, text = Client(metrics)("GET", "/metrics?name[]=map_shard_imbalance_ratio&debug=text", status=200)
                imbalance = float(re.search(rf'map_name="{name}"\}} (\S+)', text.decode())[1])
                judge(name, scraped(metrics)[name], seen_by_prometheus(address, name), page, imbalance)
        finally:
            stop.set()
            writer.join()
            if server:
                server.terminate()
                server.wait()
    print(f"pictures in {arguments.pictures}")


if __name__ == "__main__":
    try:
        main()
    except PageProblem as problem:
        sys.exit(f"failed: {problem}")
