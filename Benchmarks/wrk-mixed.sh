#!/usr/bin/env bash
# Starts the given mapwatch on free ports, loads its data port with wrk for 20 seconds and prints requests per second
# and the 99th percentile, while its metrics are scraped once a second. Usage: Benchmarks/wrk-mixed.sh PROGRAM
set -euo pipefail
program=${1:?usage: Benchmarks/wrk-mixed.sh PROGRAM}
here=$(cd "$(dirname "$0")" && pwd)
log=$(mktemp)
"$program" serve --web.listen-address 127.0.0.1:0 --data.listen-address 127.0.0.1:0 2>"$log" &
daemon=$!
trap 'kill "$daemon" 2>/dev/null || true; wait "$daemon" 2>/dev/null || true; rm -f "$log"' EXIT
# The log says where it serves; tail ends at the line that says it last.
timeout 20 grep -m 1 -q 'serving maps' <(tail -n +1 -f --pid="$daemon" "$log")
metrics=$(grep -o 'http://[^ ]*/metrics' "$log")
data=$(grep -o 'http://[^ ]*/api/v1/maps' "$log")
curl -sf -o /dev/null -X PUT "$data/bench"

echo "wrk: $(nproc) cores (load and daemon share them), 2 threads, 64 connections, 50/25/25 get/put/delete"
(
    while sleep 1; do
        curl -sf -o /dev/null -w 'scrape %{time_total} s\n' "$metrics" || exit
    done
) >"$log.scrapes" &
scraper=$!
wrk --threads 2 --connections 64 --duration 20s --script "$here/wrk-mixed.lua" "${data%/api/v1/maps}" -- bench \
    | grep -E 'requests/s|socket errors'
kill "$scraper" 2>/dev/null || true
echo "slowest of $(wc -l <"$log.scrapes") scrapes under this load: $(sort -k 2 -n "$log.scrapes" | tail -n 1)"
rm -f "$log.scrapes"
curl -s "$metrics" | grep -E '^mapwatch_http_requests_total\{listener="data"'
