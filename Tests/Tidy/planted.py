"""A fault for each rule, which it must find, and a neighbour, which it must let pass."""

import rules


def body(count, indent=""):
    return "\n".join([f"{indent}func long(", f"{indent}    a: Int", f"{indent}) {{"] + [f"{indent}    x()"] * count + [f"{indent}}}"])


def trials():
    """(rule, call on a fault, call on its neighbour)"""
    known = {"map_entries", "map_wait_seconds_bucket"}
    yield "file_length", rules.file_length("f", "\n" * 401), rules.file_length("f", "\n" * 400)
    yield "unfinished", rules.unfinished("f", "// TO" + "DO: later"), rules.unfinished("f", "// mastodon, TO" + "DOS")
    yield "swift_functions", rules.swift_functions("f", body(67, "    ")), rules.swift_functions("f", body(66, "    "))
    yield (
        "swift_functions after another", rules.swift_functions("f", body(3) + "\n" + body(67)),
        rules.swift_functions("f", "protocol P {\n    func a()\n    func b()\n}\n" + "\n" * 99))
    long = "def f():\n" + "    x()\n" * 70
    yield "python_functions", rules.python_functions("f", long), rules.python_functions("f", long[: -len("    x()\n")])
    yield (
        "layers", rules.layers("f", "Exposition", "public import HTTPServer\n"),
        rules.layers("f", "HTTPServer", "internal import CZlib\nimport Glibc\n"))
    yield "layers of a stranger", rules.layers("f", "Gossip", ""), rules.layers("f", "mapwatch", "import Anything\n")
    page = "# A word, or two\n[x](there.md) [y](#a-word-or-two) [z](https://example.org/#x)\n```\n[q](gone.md)\n```\n"
    there = {"there.md": "# There\n"}
    yield (
        "links", rules.links("f", "[x](gone.md)", there.__contains__, there.get),
        rules.links("f", page, there.__contains__, there.get))
    yield (
        "anchors", rules.links("f", "[x](there.md#gone)", there.__contains__, there.get),
        rules.links("f", "[x](there.md#there)", there.__contains__, there.get))
    yield (
        "series", rules.unknown_series("f", "rate(map_entires[1m])", known),
        rules.unknown_series("f", "sum(map_entries) / map_wait_seconds_bucket{le=\"1.0\"}", known))


def rules_that_miss():
    missed = []
    for name, fault, neighbour in trials():
        if not list(fault):
            missed.append(f"{name} (fault)")
        if list(neighbour):
            missed.append(f"{name} (neighbour)")
    return missed
