"""What must hold of every file: each rule takes texts and yields (place, what is wrong)."""

import ast
import re

LONGEST_FILE = 400
LONGEST_FUNCTION = 70

# What each target of ours may import: a row of the design's table. A new target needs a row here first.
STANDARD = {"Glibc", "Synchronization"}
LAYERS = {
    "Instruments": {"CSystem"},
    "InstrumentedMaps": {"CSystem", "Instruments", "BasicContainers"},
    "AccidentIndicators": {"InstrumentedMaps", "Instruments"},
    "FlightRecorder": {"InstrumentedMaps", "Instruments", "CSystem"},
    "Incidents": {"FlightRecorder", "AccidentIndicators", "InstrumentedMaps", "Instruments", "Exposition"},
    "Exposition": set(),
    "Collectors": {"Instruments", "InstrumentedMaps", "AccidentIndicators", "Exposition"},
    "HTTPServer": {"CMicrohttpd", "CGnuTLS", "CCrypt", "CZlib"},
    "MapwatchServer": {
        "Instruments", "InstrumentedMaps", "AccidentIndicators", "Exposition", "Collectors", "HTTPServer",
        "ServiceLifecycle",
    },
    "MapwatchMetrics": {"Instruments", "Exposition", "Collectors", "CoreMetrics"},
    "Scenarios": {"InstrumentedMaps", "Instruments", "AccidentIndicators"},
    # Linked by the daemon alone, since they bring Foundation.
    "ConfigurationFile": {"InstrumentedMaps", "AccidentIndicators", "Yams"},
    "DataDocuments": {"InstrumentedMaps", "FoundationEssentials"},
    "ProtobufExposition": {"Exposition", "SwiftProtobuf"},
}
# The top may import everything.
TOP = {"mapwatch"}

FUNCTION = re.compile(
    r"^( *)(?:@\w+(?:\([^)]*\))? +)*(?:(?:public|package|private|fileprivate|internal|static|final|override|mutating|"
    r"nonmutating|convenience|consuming|borrowing|nonisolated|class) +)*(?:func\b|init\b|deinit\b|subscript\b)")
IMPORT = re.compile(
    r"^(?:@\w+ +)?(?:public +|package +|internal +|private +)?import +(?:struct +|enum +|func +|class +)?(\w+)", re.M)
UNFINISHED = re.compile(r"\b(?:" + "|".join(["TO" + "DO", "FIX" + "ME", "XX" + "X"]) + r")\b")
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
SERIES = re.compile(r"\b(?:map|mapwatch|mem_map|process|go_map)_[a-z0-9_]*[a-z0-9]\b(?![.(/-])")
WORD_OF_SERIES = r"(?:map|mapwatch|mem_map|process|go_map)_[a-z0-9_]+"


def file_length(place, text):
    count = text.count("\n")
    if count > LONGEST_FILE:
        yield place, f"{count} lines, and a file has at most {LONGEST_FILE}: one concern a file"


def unfinished(place, text):
    for number, line in enumerate(text.splitlines(), 1):
        if UNFINISHED.search(line):
            yield f"{place}:{number}", "an unfinished thought: do it, or say as an issue that it is to be done"


def swift_functions(place, text):
    """Formatted Swift closes a body with a brace below the first letter of the line that opened it."""
    lines = text.splitlines()
    for start, line in enumerate(lines):
        match = FUNCTION.match(line)
        if not match:
            continue
        indent = match.group(1)
        for end in range(start, len(lines)):
            rest = lines[end][len(indent):]
            ends_here = end == start and (rest.endswith("}") or not rest.endswith(("{", "(", ",", "->", "where")))
            if ends_here or end > start and lines[end].startswith(indent) and rest.startswith("}"):
                break
        if end - start + 1 > LONGEST_FUNCTION:
            yield f"{place}:{start + 1}", f"{end - start + 1} lines, and a function has at most {LONGEST_FUNCTION}"


def python_functions(place, text):
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef) and node.end_lineno - node.lineno + 1 > LONGEST_FUNCTION:
            count = node.end_lineno - node.lineno + 1
            yield f"{place}:{node.lineno}", f"{count} lines, and a function has at most {LONGEST_FUNCTION}"


def layers(place, target, text):
    if target in TOP:
        return
    if target not in LAYERS:
        yield place, f"target {target} has no row in Tests/Tidy/rules.py: say what it may import"
        return
    for name in IMPORT.findall(text):
        if name not in LAYERS[target] | STANDARD:
            yield place, f"imports {name}, which is not below {target}"


def headings(text):
    """The anchors of a page, as the usual renderers make them."""
    for line in text.splitlines():
        if re.match(r"#{1,6} ", line):
            words = re.sub(r"[^\w\- ]", "", line.lstrip("#").strip().lower())
            yield words.replace(" ", "-")


def links(place, text, exists, read):
    """`exists` and `read` take a path relative to the page's folder."""
    for target in LINK.findall(re.sub(r"```.*?```", "", text, flags=re.S)):
        path, _, anchor = target.partition("#")
        if re.match(r"[a-z]+:", target):
            continue
        if path and not exists(path):
            yield place, f"links to {path}, which is not there"
        elif anchor and (not path or path.endswith(".md")) and anchor not in headings(read(path) if path else text):
            yield place, f"links to #{anchor}, a heading that is not there"


def printed_series(sources):
    """Every name that the code can print, from the literals of all sources."""
    names = set(re.findall(rf'"({WORD_OF_SERIES})"', sources))
    for name in re.findall(rf'histogram:\s*"({WORD_OF_SERIES})"', sources):
        names |= {f"{name}_bucket", f"{name}_sum", f"{name}_count"}
    return names


def unknown_series(place, text, known):
    for number, line in enumerate(text.splitlines(), 1):
        for name in SERIES.findall(line):
            if name not in known:
                yield f"{place}:{number}", f"names {name}, which no code prints"
