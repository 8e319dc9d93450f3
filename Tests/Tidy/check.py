#!/usr/bin/env python3
"""The style as a test: sizes, layers, unfinished thoughts, links, and series that boards, rules and pages name."""

import json
import pathlib
import re
import subprocess
import sys

import planted
import rules

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
# Generated, or data of strangers.
EXCLUDED = ("Fuzzing/Corpus/", "Sources/ProtobufExposition/Generated/")
# In pages and rules a word may look like a series and be none.
NO_SERIES = {"map_name"}


def tracked():
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    for name in sorted(filter(None, listed.decode().split("\0"))):
        path = ROOT / name
        if path.is_file() and not name.startswith(EXCLUDED) and not name.endswith((".png", ".pb", ".gz")):
            yield name, path


def problems():
    files = {name: path.read_text() for name, path in tracked()}
    sources = "\n".join(text for name, text in files.items() if name.startswith("Sources/") and name.endswith(".swift"))
    printed = rules.printed_series(sources)
    known = printed | NO_SERIES
    for name, text in files.items():
        if not name.endswith((".json", ".md", ".svg", ".proto", ".yml", ".yaml")):
            yield from rules.file_length(name, text)
        yield from rules.unfinished(name, text)
        if name.endswith(".swift"):
            yield from rules.swift_functions(name, text)
            if name.startswith("Sources/"):
                yield from rules.layers(name, name.split("/")[1], text)
        if name.endswith(".py"):
            yield from rules.python_functions(name, text)
        if name.endswith(".md"):
            folder = (ROOT / name).parent
            yield from rules.links(
                name, text, lambda path: (folder / path).exists(), lambda path: (folder / path).read_text())
            spans = re.sub(r"`([^`\n]*)`|[^\n]", lambda match: f" {match.group(1) or ''} ", text)
            yield from rules.unknown_series(name, spans, known)
        if name.startswith("grafana/dashboards/"):
            yield from rules.unknown_series(name, "\n".join(expressions(json.loads(text))), known)
        if name == "prometheus.rules.yml":
            # Comments may name what they like; a recorded series has a colon in its name.
            shown = re.sub(r"#.*", "", text)
            yield from rules.unknown_series(name, re.sub(r"\b\w+:\w+(:\w+)?", "", shown), known)


def expressions(board):
    """Every query of a board, one a line."""
    if isinstance(board, dict):
        for key, value in board.items():
            if key in ("expr", "query") and isinstance(value, str):
                yield value.replace("\n", " ")
            else:
                yield from expressions(value)
    elif isinstance(board, list):
        for item in board:
            yield from expressions(item)


def main():
    # A rule that finds nothing in a planted fault finds nothing at all.
    blind = planted.rules_that_miss()
    if blind:
        sys.exit("planted faults were not found: " + ", ".join(blind))
    found = list(problems())
    for place, what in found:
        print(f"{place}: {what}")
    if found:
        sys.exit(f"{len(found)} to tidy")
    print("tidy: sizes, layers, links, series")


main()
