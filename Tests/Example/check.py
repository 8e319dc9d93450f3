#!/usr/bin/env python3
"""Runs the example service: scrapes it, lets promtool look, ends it. Argument: the program of Examples/Shop."""

import re
import signal
import subprocess
import sys
import time
import urllib.request

PATIENCE = 30


def value(page, series):
    for line in page.splitlines():
        if line.startswith(series + " "):
            return float(line.rsplit(" ", 1)[1])
    return None


def scrape(url):
    with urllib.request.urlopen(url, timeout=10) as response:
        return response.read().decode()


def address_of(service):
    for line in service.stderr:
        found = re.search(r"url=(http://[^\s\]]+)", line)
        if found:
            return found.group(1)
    sys.exit("the example ended before it served")


def wait_for_orders(url):
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        page = scrape(url)
        if (value(page, 'shop_ordered_total{country="pt"}') or 0) >= 20:
            return page
        time.sleep(0.1)
    sys.exit(f"no orders within {PATIENCE} s")


def check(page):
    entries = sum(float(line.rsplit(" ", 1)[1]) for line in page.splitlines() if line.startswith("map_entries{"))
    ordered = value(page, 'shop_ordered_total{country="pt"}')
    # The map may be a store ahead of the counter or, read first, some behind it.
    assert abs(entries - ordered) <= 2, f"{entries} entries and {ordered} orders"
    assert page.count('map_op_insert_total{map_name="orders",shard_id=') == 64
    assert value(page, "shop_payment_seconds_count") >= 19
    assert value(page, 'mapwatch_collector_success{collector="service"}') == 1
    assert value(page, "mapwatch_service_metrics_refused_total") == 0
    told = subprocess.run(["promtool", "check", "metrics"], input=page, capture_output=True, text=True)
    assert told.returncode == 0, told.stderr


def check_links(program):
    """The maps and their page bring no Foundation along; swift-metrics brings its essentials itself."""
    linked = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout
    assert "libmicrohttpd.so" in linked and "libFoundation.so" not in linked, linked


def main():
    check_links(sys.argv[1])
    service = subprocess.Popen([sys.argv[1], "127.0.0.1:0"], stderr=subprocess.PIPE, text=True)
    try:
        check(wait_for_orders(address_of(service)))
        service.send_signal(signal.SIGTERM)
        code = service.wait(timeout=PATIENCE)
        assert code == 0, f"ended with {code}"
    finally:
        service.kill()
    print("example: its map and its own counters on one page, SIGTERM ends it with 0")


main()
