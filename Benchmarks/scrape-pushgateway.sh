#!/usr/bin/env bash
# Scrapes the given mapwatch with 116 maps of 64 shards, pushes the very same text to Debian's prometheus-pushgateway
# (client_golang), and scrapes both in turn: series a second, median of twenty rounds.
# Usage: Benchmarks/scrape-pushgateway.sh PROGRAM
set -euo pipefail
program=${1:?usage: Benchmarks/scrape-pushgateway.sh PROGRAM}
rounds=20
goal=10
work=$(mktemp -d)
"$program" serve --max-series 1000000 --web.listen-address 127.0.0.1:0 --data.listen-address 127.0.0.1:0 2>"$work/log" &
daemon=$!
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
prometheus-pushgateway --web.listen-address="127.0.0.1:$port" 2>"$work/gateway" &
gateway=$!
trap 'kill "$daemon" "$gateway" 2>/dev/null || true; wait 2>/dev/null || true; rm -rf "$work"' EXIT
timeout 20 grep -m 1 -q 'serving maps' <(tail -n +1 -f --pid="$daemon" "$work/log")
metrics=$(grep -o 'http://[^ ]*/metrics' "$work/log")
data=$(grep -o 'http://[^ ]*/api/v1/maps' "$work/log")
for map in $(seq 0 115); do
    curl -sf -o /dev/null -X PUT "$data/map-$map" -d '{"shards":64}'
    for key in $(seq 0 $((map % 20))); do echo "{\"op\":\"put\",\"key\":\"k$key\",\"value\":\"v$map\"}"; done |
        curl -sf -o /dev/null -X POST "$data/map-$map/batch" --data-binary @-
done
# The process' own families would collide with the gateway's.
curl -sf "$metrics?debug=text" | grep -vE '^(# (HELP|TYPE) )?(process|go_(gc|goroutines|info|mem|threads))' >"$work/text"
gateway_url="http://127.0.0.1:$port"
until curl -sf -o /dev/null "$gateway_url/-/ready"; do sleep 0.1; done
curl -sf --max-time 120 --data-binary @"$work/text" "$gateway_url/metrics/job/mapwatch"

# Seconds of one scrape; the client throws the text away, so that writing a file is nobody's time.
scrape() { curl -sf --max-time 120 -o /dev/null -w '%{time_total}\n' "$1"; }
median() { sort -n "$1" | awk '{ v[NR] = $1 } END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'; }
for round in $(seq "$rounds"); do
    scrape "$metrics?debug=text" >>"$work/own"
    scrape "$gateway_url/metrics" >>"$work/peer"
done
curl -sf "$metrics?debug=text" >"$work/body"
own_series=$(grep -c '^[^#]' "$work/body")
own_bytes=$(stat -c %s "$work/body")
curl -sf "$gateway_url/metrics" >"$work/body"
peer_series=$(grep -c '^[^#]' "$work/body")
peer_bytes=$(stat -c %s "$work/body")
own=$(median "$work/own")
peer=$(median "$work/peer")
echo "load average $(cut -d" " -f1 /proc/loadavg)"
echo "mapwatch     $own_series series, $own_bytes bytes in $own s"
echo "pushgateway  $peer_series series, $peer_bytes bytes in $peer s"
awk -v os="$own_series" -v o="$own" -v ps="$peer_series" -v p="$peer" -v goal="$goal" 'BEGIN {
    ratio = (os / o) / (ps / p)
    printf "%.2f against %.2f million series a second: %.1f times, goal %d: %s\n",
        os / o / 1e6, ps / p / 1e6, ratio, goal, (ratio >= goal ? "met" : "MISSED")
}'
