#!/usr/bin/env python3
"""What strangers cannot do to the service: one line a figure, with its goal beside it. Loopback only, bounded.

Usage: Benchmarks/doors.py PROGRAM [drip|saturate|memory|descriptors ...]
"""
import http.client, os, random, re, resource, select, shutil, signal, socket, subprocess, sys, tempfile, threading, time

HEAD = b"GET / HTTP/1.1\r\nHost: a\r\nX: "


class Daemon:
    """The program on free ports."""

    def __init__(self, program, *arguments):
        self.log = tempfile.NamedTemporaryFile(mode="r", suffix=".log")
        self.process = subprocess.Popen(
            [program, "serve", "--web.listen-address", "127.0.0.1:0", "--data.listen-address", "127.0.0.1:0",
             "--web.max-connections", "16384", "--data.max-connections", "16384", *arguments],
            stderr=open(self.log.name, "w"))
        self.metrics = self.port("serving metrics")
        self.data = self.port("serving maps")

    def port(self, message):
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            found = re.search(rf'"{message}" url=http://127.0.0.1:(\d+)', open(self.log.name).read())
            if found:
                return int(found.group(1))
            time.sleep(0.05)
        raise SystemExit(f"the daemon does not say: {message}")

    def resident(self):
        return int(re.search(r"VmRSS:\s+(\d+)", open(f"/proc/{self.process.pid}/status").read()).group(1)) * 1024

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)


def scrape(port):
    began = time.perf_counter()
    try:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        connection.request("GET", "/metrics")
        answer = connection.getresponse()
        good = answer.status == 200 and len(answer.read()) > 0
        connection.close()
    except OSError:
        good = False
    return good, (time.perf_counter() - began) * 1000


def p99(times):
    return sorted(times)[max(0, int(len(times) * 0.99) - 1)]


def connect(port, count):
    """Sockets from several loopback addresses, so that none runs out of ports."""
    sockets = []
    for number in range(count):
        one = socket.socket()
        one.bind((f"127.0.0.{2 + number % 20}" if count > 20000 else "127.0.0.1", 0))
        one.connect(("127.0.0.1", port))
        one.send(HEAD)
        sockets.append(one)
    return sockets


def drip_one(one):
    """Sends a byte, unless the other side has answered or closed: says whether it did."""
    try:
        one.recv(1, socket.MSG_DONTWAIT)
    except BlockingIOError:
        try:
            one.send(b"a")
            return True
        except OSError:
            pass
    except OSError:
        pass
    one.close()
    return False


def drip_all(daemon, report):
    """In a process of its own: connects, then sends each socket a byte a second, evenly, until all are closed or 15 s are
    over. Reports by three lines: connecting, connected, and what came of it."""
    began = time.monotonic()
    os.write(report, b"begin\n")
    sockets = connect(daemon.data, 5000) + connect(daemon.metrics, 2000)
    random.Random(1).shuffle(sockets)
    last = time.monotonic()
    os.write(report, b"connected\n")
    number, left, closed = 0, len(sockets), last
    while time.monotonic() - last < 15 and left:
        time.sleep(max(0, last + number / len(sockets) - time.monotonic()))
        # As many as are due by now, in turn.
        for _ in range(35):
            one = sockets[number % len(sockets)]
            if one and not drip_one(one):
                sockets[number % len(sockets)] = None
                left, closed = left - 1, time.monotonic()
            number += 1
    os.write(report, f"{left} {closed - began} {closed - last}\n".encode())


def drip(program):
    with Daemon(program) as daemon:
        quiet = [scrape(daemon.metrics) for _ in range(500)]
        ours, theirs = os.pipe()
        child = os.fork()
        if child == 0:
            drip_all(daemon, theirs)
            os._exit(0)
        os.close(theirs)
        report, scrapes, connecting = "", [], 0
        # What a scrape every 5 ms sees from the first hostile connection to the end of the last.
        while report.count("\n") < 3:
            scrapes.append(scrape(daemon.metrics))
            if select.select([ours], [], [], 0.005)[0]:
                report += os.read(ours, 4096).decode()
                if "connected" in report and not connecting:
                    connecting = len(scrapes)
        os.waitpid(child, 0)
        left, from_first, from_last = report.split("\n")[2].split()
        before, while_connecting, while_dripping = (
            p99([t for _, t in phase]) for phase in (quiet, scrapes[:connecting], scrapes[connecting:]))
        failed = sum(not good for good, _ in scrapes)
        print(f"drip: 5000 + 2000 sockets, {left} left, all closed {float(from_last):.1f} s after the last connected, "
              f"{float(from_first):.1f} s after the first (goal 10); {len(scrapes)} scrapes, {failed} failed (goal 0), "
              f"p99 while they drip and are ended {while_dripping:.1f} ms (goal 5); before them {before:.1f}, while all "
              f"connect within {float(from_first) - float(from_last):.1f} s {while_connecting:.1f}", flush=True)


def saturate(program):
    if not shutil.which("wrk"):
        raise SystemExit("wrk is not installed")
    with Daemon(program, "--data.max-connections", "1024") as daemon:
        load = subprocess.Popen(
            ["wrk", "--threads", "1", "--connections", "1024", "--duration", "60s",
             f"http://127.0.0.1:{daemon.data}/api/v1/maps"], stdout=subprocess.DEVNULL)
        time.sleep(2)
        scrapes = [scrape(daemon.metrics) for _ in range(1000)]
        loaded = load.poll() is None
        load.terminate()
        load.wait()
        failed = sum(not good for good, _ in scrapes)
        print(f"saturate: data port held by wrk at its limit of 1024{'' if loaded else ' (ended early)'}; 1000 scrapes, "
              f"{failed} failed (goal 0), p99 {p99([t for _, t in scrapes]):.1f} ms (goal 50)", flush=True)


def memory(program):
    with Daemon(program) as daemon:
        scrape(daemon.metrics)
        before = daemon.resident()
        sockets = connect(daemon.data, 10000)
        peak = 0
        for _ in range(10):
            peak = max(peak, daemon.resident())
            time.sleep(0.1)
        print(f"memory: 10000 hostile connections, {(peak - before) / 10000:.0f} bytes each (goal 8192)", flush=True)
        for one in sockets:
            one.close()


def descriptors(program):
    with Daemon(program) as daemon:
        scrape(daemon.metrics)
        time.sleep(1)
        before = daemon.descriptors()
        for number in range(10000):
            if number % 3:
                scrape(daemon.metrics)
                continue
            one = socket.socket()
            one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            one.connect(("127.0.0.1", daemon.metrics))
            one.send(b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n")
            one.recv(100)
            one.close()
        deadline = time.monotonic() + 5
        while daemon.descriptors() > before and time.monotonic() < deadline:
            time.sleep(0.1)
        print(f"descriptors: {before} before, {daemon.descriptors()} after 10000 scrapes, a third aborted (goal: as "
              f"before)", flush=True)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        raise SystemExit(__doc__)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    figures = {"drip": drip, "saturate": saturate, "memory": memory, "descriptors": descriptors}
    for name in sys.argv[2:] or figures:
        figures[name](sys.argv[1])
