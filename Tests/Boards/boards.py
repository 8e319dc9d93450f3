"""The boards and rules as they are shipped: their queries, and what is wrong with their form."""

import json
import pathlib
import re
import subprocess
import tempfile

import yaml
from grafana_foundation_sdk.cog import plugins
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BOARDS = sorted((ROOT / "grafana/dashboards").glob("*.json"))
RULES = ROOT / "prometheus.rules.yml"
UIDS = {"mapwatch-accidents", "mapwatch-incidents", "mapwatch-shards", "mapwatch-self"}
# What Grafana's Prometheus source reads of an annotation, and the SDK's general model does not know.
ANNOTATION_KEYS = {"useValueForTime", "titleFormat", "textFormat", "tagKeys", "step"}

plugins.register_default_plugins()


def boards():
    return {path.name: json.loads(path.read_text()) for path in BOARDS}


def panels(board):
    return [panel for panel in board["panels"] if panel["type"] != "row"]


def rules():
    return [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]


def queries(board):
    """(where, expression) of each panel, of each annotation."""
    for panel in panels(board):
        for target in panel["targets"]:
            yield f"{board['title']}: {panel['title']} {target['refId']}", target["expr"]
    for annotation in board["annotations"]["list"]:
        if "expr" in annotation:
            yield f"{board['title']}: annotation {annotation['name']}", annotation["expr"]


def filled(expression, map_name=".*"):
    """An expression with Grafana's variables replaced."""
    text = expression.replace("$__rate_interval", "1m").replace("$map", map_name)
    return text.replace("$job", ".*").replace("$instance", ".*")


SELECTOR = re.compile(r"\b((?:up|ALERTS|(?:scrape|map|mapwatch|mem_map|map_shard|process|go_map)[_:][\w:]*))(\{[^}]*\})?")


def selectors(expression):
    """The series that an expression reads: (name, matchers)."""
    for match in SELECTOR.finditer(expression):
        # Names also stand in lists of labels: by (map_name).
        if not re.match(r"map_name$|map$", match[1]):
            yield match[1], match[2] or ""


def without_nulls(value):
    if isinstance(value, dict):
        return {key: without_nulls(item) for key, item in value.items() if item is not None}
    return [without_nulls(item) for item in value] if isinstance(value, list) else value


def lost(given, kept, place=""):
    """What does not survive decoding: a misspelt key, a value of another type."""
    if isinstance(given, dict) and isinstance(kept, dict):
        for key, value in given.items():
            if key not in kept:
                if not (place.startswith("/annotations/list") and key in ANNOTATION_KEYS):
                    yield f"{place}/{key} is no field"
            else:
                yield from lost(value, kept[key], f"{place}/{key}")
    elif isinstance(given, list) and isinstance(kept, list) and len(given) == len(kept):
        for index, (one, other) in enumerate(zip(given, kept)):
            yield from lost(one, other, f"{place}/{index}")
    elif given != kept:
        yield f"{place} is {given}, read as {kept}"


def form_problems():
    """What is wrong with the boards' form, as far as that shows without a Prometheus."""
    found = boards()
    if {board["uid"] for board in found.values()} != UIDS:
        yield f"the uids of the boards are not {sorted(UIDS)}: links and bookmarks break"
    for name, board in found.items():
        decoded = json.loads(JSONEncoder(sort_keys=True).encode(Dashboard.from_json(board)))
        yield from (f"{name}: {problem}" for problem in lost(without_nulls(board), without_nulls(decoded)))
        variables = [variable["name"] for variable in board["templating"]["list"]]
        wanted = ["datasource", "job", "instance"] + (["map"] if board["uid"] != "mapwatch-self" else [])
        if variables != wanted:
            yield f"{name}: its variables are {variables}, not {wanted}"
        for uid in re.findall(r'"/d/([\w-]+)', json.dumps(board)):
            if uid not in UIDS:
                yield f"{name}: a link leads to {uid}, which is no board"
        identities = [panel["id"] for panel in board["panels"]]
        if len(set(identities)) != len(identities):
            yield f"{name}: two panels have one id"
        for panel in panels(board):
            yield from (f"{name}: {panel.get('title')}: {problem}" for problem in panel_problems(panel))
    if "${__data.fields.map_name}" not in json.dumps(found["mapwatch-accidents.json"]):
        yield "mapwatch-accidents.json: no link leads from a map's row to its shards"


def panel_problems(panel):
    defaults = panel["fieldConfig"]["defaults"]
    for what, there in [
        ("title", panel.get("title")), ("description", panel.get("description")), ("unit", defaults.get("unit")),
        ("threshold", len(defaults.get("thresholds", {}).get("steps", [])) > 1), ("query", panel.get("targets")),
    ]:  # fmt: skip
        if not there:
            yield f"it has no {what}"
    sources = {json.dumps(item.get("datasource")) for item in [panel, *panel["targets"]]}
    if sources != {json.dumps({"type": "prometheus", "uid": "${datasource}"})}:
        yield "its source of data is fixed"
    for target in panel["targets"]:
        ranges = re.findall(r"\[([^\]]*)\]", target["expr"])
        if any(window != "$__rate_interval" for window in ranges):
            yield f"it takes rates over {ranges}, not over $__rate_interval"


def expression_problems():
    """What promtool says of all expressions, each as a recording rule."""
    recorded, places = [], []
    for board in boards().values():
        for place, expression in queries(board):
            places.append(place)
            recorded.append({"record": f"check:{len(places)}", "expr": filled(expression)})
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "boards.yml"
        path.write_text(yaml.safe_dump({"groups": [{"name": "boards", "rules": recorded}]}))
        result = subprocess.run(["promtool", "check", "rules", path], capture_output=True, text=True)
    if result.returncode != 0:
        numbered = re.sub(r"check:(\d+)", lambda match: places[int(match[1]) - 1], result.stdout + result.stderr)
        yield f"promtool: {numbered}"


def compose_problems():
    """Whether what the compose file mounts is there, and where the provisioning looks for it."""
    folder = ROOT / "deploy"
    compose = yaml.safe_load((folder / "compose.yaml").read_text())
    mounts = {}
    for name, service in compose["services"].items():
        if ("image" in service) == ("build" in service):
            yield f"compose.yaml: {name} needs an image or a build"
        for volume in service.get("volumes", []):
            if volume.split(":")[0] in compose.get("volumes", {}):
                # A volume of the engine's own, which is writable.
                continue
            source, target, mode = volume.split(":")
            mounts[target] = (folder / source).resolve()
            if not mounts[target].exists() or mode != "ro":
                yield f"compose.yaml: {name} mounts {source}, which is not there or not read only"
    provisioning = mounts.get("/etc/grafana/provisioning", ROOT / "grafana/provisioning")
    providers = yaml.safe_load((provisioning / "dashboards/mapwatch.yml").read_text())["providers"]
    for provider in providers:
        if mounts.get(provider["options"]["path"]) != ROOT / "grafana/dashboards":
            yield f"provisioning: no boards are mounted at {provider['options']['path']}"
    sources = yaml.safe_load((provisioning / "datasources/prometheus.yml").read_text())["datasources"]
    if [source["type"] for source in sources] != ["prometheus"] or not sources[0]["isDefault"]:
        yield "provisioning: the one Prometheus must be the default source"
