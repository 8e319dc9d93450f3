#!/usr/bin/env python3
"""Replays the seven accidents: in process with many seeds, then on a daemon that a real Prometheus scrapes and judges.

    run.py PROGRAM [--seeds N] [--in-process | --in-turn]

In process every seed must come to the same verdict, and a seed played twice to the same contents. On the daemon, with the
shipped configuration and alerts, six accidents must fire MapAccidentSignature, and log aggregation nothing but
MapConcurrentAccess. All seven at once take six minutes; --in-turn plays them one after the other, in eighteen. With
--in-process no daemon is asked: seconds.
"""

import argparse
import contextlib
import pathlib
import re
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "deploy"))
import demo  # noqa: E402

SIGNATURE, CONFLICT = "MapAccidentSignature", "MapConcurrentAccess"
SEVENTH = "replay-log-aggregation"
# Timings and what the threads did by chance.
CHANCE = re.compile(r"^  (p50|p99|detections|averted|deletes during|operations).*", re.MULTILINE)


def replay(program, *arguments):
    command = [program, "replay", *arguments]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)} ended with {done.returncode}")
    return done.stdout


def check_seeds(program, seeds):
    """Problems of so many seeds in process."""
    begin = time.monotonic()
    verdicts = {}
    for seed in range(1, seeds + 1):
        text = replay(program, "--all", "--seed", str(seed))
        verdicts.setdefault(text.splitlines()[-1], []).append(seed)
        if seed == 1 and CHANCE.sub("", replay(program, "--all", "--seed", "1")) != CHANCE.sub("", text):
            yield "seed 1, played twice, does not come to the same contents"
    print(f"{seeds} seeds in {time.monotonic() - begin:.0f} s: {verdicts}", flush=True)
    if list(verdicts) != ["7 accidents, 6 with the signature"]:
        yield f"the verdicts differ: {verdicts}"


def check_alerts(fired, maps):
    """Problems of what has fired, {(alert, map)}."""
    for name in maps:
        alerts = sorted(alert for alert, map_name in fired if map_name == name)
        print(f"  {name:28} {', '.join(alerts) or 'none'}")
        if name == SEVENTH:
            if alerts != [CONFLICT]:
                yield f"{name}: {alerts}, not {CONFLICT} alone"
        elif SIGNATURE not in alerts:
            yield f"{name}: {SIGNATURE} has not fired"


@contextlib.contextmanager
def daemon_and_prometheus(program, folder):
    """Addresses of the metrics, the maps and Prometheus."""
    free = "127.0.0.1:0"
    with contextlib.ExitStack() as stack:
        log = folder / "mapwatch.log"
        command = [program, "serve", "--web.listen-address", free, "--data.listen-address", free]
        child = stack.enter_context(demo.running("mapwatch", command, log))
        metrics = wait_for(r"url=http://127\.0\.0\.1:(\d+)/metrics", log, child)
        data = wait_for(r"url=http://127\.0\.0\.1:(\d+)/api", log, child)
        log = folder / "prometheus.log"
        command = [
            "prometheus", f"--config.file={demo.configuration(folder, int(metrics))}",
            f"--storage.tsdb.path={folder}/data", f"--web.listen-address={free}",
        ]  # fmt: skip
        child = stack.enter_context(demo.running("prometheus", command, log))
        prometheus = wait_for(r'msg="Listening on" address=127\.0\.0\.1:(\d+)', log, child)
        yield [f"http://127.0.0.1:{port}" for port in (metrics, data, prometheus)]


def wait_for(pattern, log, child):
    while True:
        if match := re.search(pattern, pathlib.Path(log).read_text()):
            return match[1]
        if child.poll() is not None:
            sys.exit(f"{child.args[0]} ended with {child.returncode}: {pathlib.Path(log).read_text()[-2000:]}")
        time.sleep(0.05)


def check_daemon(program, in_turn):
    with tempfile.TemporaryDirectory(prefix="mapwatch-replays-") as folder:
        with daemon_and_prometheus(program, pathlib.Path(folder)) as (metrics, data, prometheus):
            begin = time.time()
            text = replay(
                program, "--all", "--url", data, "--metrics-url", f"{metrics}/metrics",
                *([] if in_turn else ["--parallel"]),
            )  # fmt: skip
            print(text)
            # A round of the rules, and a scrape before it.
            time.sleep(45)
            fired = {(alert, name) for alert, name, _, _ in demo.intervals(prometheus, begin)}
            maps = re.findall(r"^([a-z-]+): ", text, re.MULTILINE)
            print("fired, as Prometheus has stored it:")
            yield from check_alerts(fired, [f"replay-{name}" for name in maps])
            if (last := text.splitlines()[-1]) != "7 accidents, 6 with the signature":
                yield f"the metrics of the daemon show {last}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("program")
    parser.add_argument("--seeds", type=int, default=20)
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--in-process", action="store_true")
    where.add_argument("--in-turn", action="store_true")
    arguments = parser.parse_args()
    problems = [*check_seeds(arguments.program, arguments.seeds)]
    if not arguments.in_process:
        problems += check_daemon(arguments.program, arguments.in_turn)
    for problem in problems:
        print(f"PROBLEM {problem}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
