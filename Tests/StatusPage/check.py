#!/usr/bin/env python3
"""Opens the status page of a real daemon in a real headless Chromium, and looks at what a person would see.

    check.py PROGRAM [--pictures FOLDER]

Maps are made and filled over HTTP; two threads write to one of them all the while, most often to a single key.
"""

import argparse
import contextlib
import http.client
import json
import os
import pathlib
import re
import struct
import subprocess
import tempfile
import threading
import urllib.parse
import zlib

from browser import Browser, PageProblem

MAPS = 100
HOSTILE = "<img src=x onerror=\"document.title='broken'\">\u202e&amp;"


@contextlib.contextmanager
def daemon(program):
    """A daemon on free ports; gives (metrics port, data port)."""
    with tempfile.TemporaryFile("w+") as log:
        listen = ["--web.listen-address", "127.0.0.1:0", "--data.listen-address", "127.0.0.1:0"]
        process = subprocess.Popen([program, "serve", *listen], stderr=log)
        try:
            yield tuple(wait_for_port(process, log, line) for line in ["serving metrics", "serving maps"])
        finally:
            process.terminate()
            process.wait()


def wait_for_port(process, log, line):
    pattern = re.compile(rf'msg="{line}" url=http://127\.0\.0\.1:(\d+)/')
    while process.poll() is None:
        log.seek(0)
        if match := pattern.search(log.read()):
            return int(match[1])
    raise PageProblem(f"the daemon ended before it was {line}")


class Client:
    """One keep-alive connection."""

    def __init__(self, port):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def __call__(self, method, target, body=None, status=None):
        self.connection.request(method, target, body)
        answer = self.connection.getresponse()
        text = answer.read()
        if status and answer.status != status:
            raise PageProblem(f"{method} {target}: {answer.status}, not {status}: {text[:300]!r}")
        return answer, text


def write_until(stop, port, number):
    """Writes in batches: each second one to a key that all share, so that one shard is hot."""
    client = Client(port)
    count = 0
    while not stop.is_set():
        lines = []
        for _ in range(500):
            count += 1
            key = "hot" if count % 2 else f"key {number} {count % 5000}"
            lines.append(json.dumps({"op": "put", "key": key, "value": "x" * 100}))
        client("POST", "/api/v1/maps/orders/batch", "\n".join(lines), status=200)


def fill(metrics, data):
    client = Client(data)
    client("PUT", "/api/v1/maps/orders", '{"shards": 16}', status=201)
    client("PUT", "/api/v1/maps/lonely", '{"strategy": "rwlock"}', status=201)
    for number in range(MAPS - 2):
        client("PUT", f"/api/v1/maps/map-{number:03}", '{"shards": 4}', status=201)
    lines = "".join(f'{{"op":"put","key":"{number}","value":"v"}}\n' for number in range(2500))
    client("POST", "/api/v1/maps/map-007/batch", lines, status=200)
    scraper = Client(metrics)
    for name in [HOSTILE, HOSTILE, "prometheus"]:
        scraper("GET", "/metrics?scraper=" + urllib.parse.quote(name), status=200)


def expect(condition, what):
    if not condition:
        raise PageProblem(what)
    print(f"ok: {what}", flush=True)


def rows(browser, selector):
    script = f"[...document.querySelectorAll({json.dumps(selector)})].map(row => [...row.children].map(cell => cell.textContent))"
    return browser.run(script)


def check_maps(browser):
    browser.wait(f"document.querySelectorAll('#maps tbody tr').length === {MAPS}")
    table = {row[1]: row for row in rows(browser, "#maps tbody tr")}
    expect(table["map-007"][2] == "2.5K", "a hundred maps stand in the table, with their entries")
    browser.run("document.querySelector('#filter').focus()")
    browser.command("Input.insertText", text="07")
    browser.wait("document.querySelector('#shown').textContent.includes(' of ')")
    names = [row[1] for row in rows(browser, "#maps tbody tr")]
    expect(names == ["map-007", *[f"map-0{n}" for n in range(70, 80)]], "the filter leaves the maps that match")
    browser.run("(() => { const f = document.querySelector('#filter'); f.value = ''; f.dispatchEvent(new Event('input')); })()")
    browser.click("#maps button[data-key=entries]")
    expect(rows(browser, "#maps tbody tr")[0][1] in ("orders", "map-007"), "a click on a head sorts, the largest first")
    browser.click("#maps button[data-key=name]")
    names = [row[1] for row in rows(browser, "#maps tbody tr")]
    expect(names == sorted(names), "and by name again")


def check_shards(browser, metrics):
    browser.click("#maps tbody tr:last-child td:nth-child(3)")
    last = rows(browser, "#maps tbody tr")[-1][1]
    browser.wait(f"document.querySelector('#detail-title').textContent === {json.dumps(last)}")
    expect(last == "orders", "a click on a map's row leads to its shards")
    expect(browser.run("location.hash") == "#orders", "and can be linked to")
    browser.wait("document.querySelector('#heatmap').height === 16")
    browser.run("(() => { const h = document.querySelector('#heat'); h.value = 'writes'; h.dispatchEvent(new Event('change')); })()")
    browser.wait("document.querySelector('#scale').textContent.includes('writes')")
    # The daemon itself says which shard is written most; it is the first of the ten, and its row is the brightest.
    _, text = Client(metrics)("GET", "/metrics?name[]=map_op_total&debug=text", status=200)
    writes = {int(shard): int(count) for shard, count in re.findall(
        r'map_op_total\{map_name="orders",shard_id="(\d+)"\} (\d+)', text.decode())}  # fmt: skip
    hottest = max(writes, key=writes.get)
    browser.wait(f"document.querySelector('#hottest span')?.textContent === '{hottest:02}'")
    expect(len(rows(browser, "#hottest li")) == 10, "the ten hottest shards are listed, the one of the hot key first")
    drawn = browser.run("document.querySelector('#heatmap').toDataURL()") and browser.run(
        "(() => { const c = document.querySelector('#heatmap'); const d = c.getContext('2d').getImageData(0, 0, c.width,"
        " c.height).data; return Array.from({length: c.height}, (_, y) => { let s = 0; for (let x = 0; x < c.width; x++)"
        " s += 255 - d[4 * (y * c.width + x) + 1]; return s; }); })()")
    expect(max(range(16), key=drawn.__getitem__) == hottest, "its row is the strongest of the heat map")
    # The curve grows by a point a second.
    browser.wait("document.querySelector('#size polyline').getAttribute('points').split(' ').length >= 5")


def check_calm(browser):
    """What is on the page stays the same nodes, and the numbers move."""
    browser.run(
        "window.rowBefore = document.querySelector('#maps tbody tr:last-child');"
        " window.added = 0; new MutationObserver(list => { for (const m of list) for (const n of m.addedNodes)"
        " if (n.nodeType === 1) window.added += 1; }).observe(document.body, {childList: true, subtree: true}); 0")
    before = browser.run("document.querySelector('#pulse').textContent + document.querySelector('#size polyline').getAttribute('points')")
    browser.wait(f"document.querySelector('#pulse').textContent + document.querySelector('#size polyline').getAttribute('points') !== {json.dumps(before)}")
    expect(browser.run("window.rowBefore.isConnected"), "an update keeps the row's node")
    # Of the ten hottest some may come and go.
    expect(browser.run("window.added") < 20, "and makes next to no new ones")


def check_safety(browser, url):
    names = [row[0] for row in rows(browser, "#scrapers tbody tr")]
    expect(sorted(names) == sorted([HOSTILE, "prometheus"]), f"a scraper's hostile name stands there as text: {names}")
    expect(browser.run("document.title").endswith("mapwatch"), "and has run nothing")
    expect(browser.run("document.querySelectorAll('img').length") == 0, "and has made no element")
    blocked = "(() => { const s = document.createElement('script'); s.textContent = 'window.injected = 1'; document.body.append(s); return window.injected === undefined; })()"
    expect(browser.run(blocked), "an injected script is not run")
    browser.complaints[:] = [text for text in browser.complaints if "Content Security Policy" not in text]
    foreign = [address for address in browser.requests if not address.startswith((url, "about:", "data:"))]
    expect(not foreign, "nothing is fetched from elsewhere")


def check_looks(browser, folder):
    for name, width, height, dark in [("light", 1200, 1000, False), ("dark", 1200, 1000, True), ("phone", 390, 844, False)]:
        browser.show(width, height, dark)
        shown = browser.run("matchMedia('(prefers-color-scheme: dark)').matches")
        ground = browser.run("getComputedStyle(document.body).backgroundColor")
        light = sum(map(int, re.findall(r"\d+", ground)[:3])) > 380
        expect(shown == dark and light != dark, f"{name}: the ground is {ground}")
        expect(browser.run("document.documentElement.scrollWidth") <= width, f"{name}: nothing is wider than the window")
        path = folder / f"{name}.png"
        browser.picture(path)
        expect(colours(path) > 20, f"{name}: the picture is not empty")


def colours(path):
    """How many values the bytes of a PNG's picture have: an empty page has a few."""
    data, place, pixels = path.read_bytes(), 8, b""
    while place < len(data):
        size, kind = struct.unpack(">I4s", data[place : place + 8])
        if kind == b"IDAT":
            pixels += data[place + 8 : place + 8 + size]
        place += 12 + size
    return len(set(zlib.decompress(pixels)))


def check_silence(browser):
    browser.wait("document.querySelector('#pulse').classList.contains('stale')")
    expect(len(rows(browser, "#maps tbody tr")) == MAPS, "when the daemon has gone the page says so and keeps what it knew")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("program")
    parser.add_argument("--pictures", type=pathlib.Path, help="keep the pictures here")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary, Browser() as browser:
        folder = arguments.pictures or pathlib.Path(temporary)
        os.makedirs(folder, exist_ok=True)
        stop = threading.Event()
        with daemon(arguments.program) as (metrics, data):
            fill(metrics, data)
            writers = [threading.Thread(target=write_until, args=(stop, data, number)) for number in range(2)]
            for writer in writers:
                writer.start()
            try:
                url = f"http://127.0.0.1:{metrics}/"
                browser.show(1200, 1000)
                browser.open(url)
                check_maps(browser)
                check_shards(browser, metrics)
                check_calm(browser)
                check_safety(browser, url)
                check_looks(browser, folder)
                expect(not browser.complaints, f"the browser has nothing to complain about {browser.complaints or ''}")
            finally:
                stop.set()
                for writer in writers:
                    writer.join()
        check_silence(browser)


if __name__ == "__main__":
    try:
        main()
    except PageProblem as problem:
        raise SystemExit(f"FAILED: {problem}")
