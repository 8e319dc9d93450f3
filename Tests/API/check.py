#!/usr/bin/env python3
"""Holds openapi.yaml against a daemon: every path and option of its, and requests that schemathesis makes up.

Argument: the daemon. Seeded, so that a failure comes again.
"""

import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request

import yaml

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
SPEC = ROOT / "openapi.yaml"
EXAMPLES = os.environ.get("API_EXAMPLES", "25")
SEED = "20260301"


def start(program):
    daemon = subprocess.Popen(
        [program, "serve", "--web.listen-address", "127.0.0.1:0", "--data.listen-address", "127.0.0.1:0"],
        stderr=subprocess.PIPE, text=True)
    ports = {}
    for line in daemon.stderr:
        found = re.search(r'msg="serving (metrics|maps)".*?:(\d+)/', line)
        if found:
            ports["metrics" if found.group(1) == "metrics" else "data"] = int(found.group(2))
        if len(ports) == 2:
            return daemon, ports
    sys.exit("the daemon ended before it served")


def ask(port, method, path, body=None):
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", method=method, data=body)
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def check_options(spec, port):
    """The options that the daemon names as known are those of the description, once as taken and once as shown."""
    status, body = ask(port, "PUT", "/api/v1/maps/x", b'{"nonsense":1}')
    assert status == 422, body
    known = set(json.loads(body)["detail"].split("known are ")[1].split(", "))
    schemas = spec["components"]["schemas"]
    described = set().union(*(choice["properties"] for choice in schemas["Options"]["oneOf"]))
    assert described == known, f"options of openapi.yaml {sorted(described)}, of the daemon {sorted(known)}"
    assert known <= set(schemas["Map"]["properties"]), known - set(schemas["Map"]["properties"])


def check_routes(spec):
    """Every route of the sources stands in the description."""
    sources = "\n".join(path.read_text() for path in (ROOT / "Sources/mapwatch").rglob("*.swift"))
    routes = set(re.findall(r'"(/api/v1/[^"\\]*)"', sources))
    missing = routes - set(spec["paths"])
    assert not missing, f"not in openapi.yaml: {sorted(missing)}"
    extra = set(spec["paths"]) - routes
    assert not extra, f"in openapi.yaml and in no source: {sorted(extra)}"


def generate(tag, port):
    """Requests that schemathesis makes up for the operations of one listener."""
    command = [
        str(pathlib.Path(sys.executable).parent / "schemathesis"), "--config-file", str(HERE / "schemathesis.toml"),
        "run", str(SPEC), "--url", f"http://127.0.0.1:{port}", "--include-tag", tag, "--max-examples", EXAMPLES,
        "--seed", SEED, "--checks", "all", "--no-color", "--generation-database", "none",
    ]
    if tag == "metrics":
        # A path may stand on both listeners, and the methods that change something are the data listener's alone.
        command += ["--exclude-checks", "unsupported_method,allow_header_conformance"]
    environment = os.environ | {"SCHEMATHESIS_HOOKS": "hooks", "PYTHONPATH": str(HERE)}
    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=900)
    if done.returncode:
        print(done.stdout[-20000:], done.stderr[-2000:])
        sys.exit(f"schemathesis found something on the {tag} listener")
    print("\n".join(done.stdout.strip().splitlines()[-6:]))


class Strict(yaml.SafeLoader):
    """A key that stands twice is an error and no choice."""


def once(loader, node):
    keys = [loader.construct_object(key) for key, _ in node.value]
    twice = {str(key) for key in keys if keys.count(key) > 1}
    assert not twice, f"openapi.yaml:{node.start_mark.line + 1}: {', '.join(sorted(twice))} stands twice"
    return loader.construct_mapping(node, deep=True)


Strict.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, once)


def main():
    spec = yaml.load(SPEC.read_text(), Strict)
    check_routes(spec)
    daemon, ports = start(sys.argv[1])
    try:
        check_options(spec, ports["data"])
        assert ask(ports["data"], "PUT", "/api/v1/maps/orders", b"")[0] == 201
        for tag, port in ports.items():
            generate(tag, port)
        daemon.send_signal(signal.SIGTERM)
        assert daemon.wait(60) == 0
    finally:
        daemon.kill()
    print("openapi.yaml: every route and option, and nothing that schemathesis could find")


main()
