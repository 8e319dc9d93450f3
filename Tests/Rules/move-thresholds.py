#!/usr/bin/env python3
"""Moves each threshold of prometheus.rules.yml, one at a time, and shows that a test of the rules then fails.

A threshold is a number in an expression that is neither 0 nor 1 (whole numbers up to 20 move by one, others by a tenth,
both ways), a map's line that an alert compares with (the same), or the time that a condition has to hold (by one
evaluation). Durations in brackets and offsets are no thresholds. Exits 1 when a move goes unnoticed.
"""

import pathlib
import re
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).parent
RULES = HERE.parent.parent / "prometheus.rules.yml"
NUMBER = re.compile(r"(?<![\w:.\[])(\d+(?:\.\d+)?)(?![\w:.\]])")
LINE = re.compile(r'map_indicator_line\{indicator="(\w+)"\}')
FOR = re.compile(r"^(\s+for: )(\d+)([smh])$")
UNITS = {"s": 1, "m": 60, "h": 3600}


def moved(value):
    """A number a little lower and a little higher."""
    if float(value).is_integer() and float(value) <= 20:
        return [str(int(value) - 1), str(int(value) + 1)]
    return [str(round(float(value) * factor, 9)) for factor in (0.9, 1.1)]


def moves(lines):
    """Yields (rule, what is moved, line number, its new text) for all rules."""
    rule, in_expression = None, False
    for index, text in enumerate(lines):
        if match := re.match(r"\s+- (?:alert|record): (\S+)", text):
            rule, in_expression = match[1], False
        elif re.match(r"\s+expr:", text):
            in_expression = True
        elif re.match(r"\s+(for|labels|annotations):|\s*#|\s*$", text):
            in_expression = False
        if match := FOR.match(text):
            seconds = int(match[2]) * UNITS[match[3]]
            # What takes hours is tested at an evaluation every five minutes.
            evaluation = 15 if seconds < 3600 else 300
            for other in (seconds - evaluation, seconds + evaluation):
                yield rule, f"for {seconds}s to {other}s", index, f"{match[1]}{other}s"
        if not in_expression:
            continue
        for match in LINE.finditer(text):
            # A streak is a whole number.
            changes = ["- 1", "+ 1"] if match[1].endswith("streak") else ["* 0.9", "* 1.1"]
            for change in changes:
                new = f"({match[0]} {change})"
                yield rule, f"line {match[1]} {change}", index, text[: match.start()] + new + text[match.end() :]
        for match in NUMBER.finditer(text):
            if float(match[1]) in (0, 1):
                continue
            for new in moved(match[1]):
                yield rule, f"{match[1]} to {new}", index, text[: match.start()] + new + text[match.end() :]


def tests_pass(folder, rule=""):
    """Whether all files of tests pass; those that name the rule come first, as they most likely do not."""
    paths = sorted((folder / "Tests/Rules").glob("*.yml"), key=lambda path: rule not in path.read_text())
    return all(subprocess.run(["promtool", "test", "rules", path], capture_output=True).returncode == 0 for path in paths)


def main():
    lines = RULES.read_text().split("\n")
    unnoticed, count = [], 0
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "Tests/Rules").mkdir(parents=True)
        for path in HERE.glob("*.yml"):
            (folder / "Tests/Rules" / path.name).write_text(path.read_text())
        copy = folder / RULES.name
        copy.write_text("\n".join(lines))
        if not tests_pass(folder):
            sys.exit("the tests of the rules fail as they are; run promtool test rules Tests/Rules/*.yml")
        for rule, what, index, new in moves(lines):
            copy.write_text("\n".join([*lines[:index], new, *lines[index + 1 :]]))
            count += 1
            checked = subprocess.run(["promtool", "check", "rules", str(copy)], capture_output=True, text=True)
            if checked.returncode != 0:
                sys.exit(f"{rule}: {what} is no rule any more: {checked.stderr}")
            if tests_pass(folder, rule):
                unnoticed.append(f"{rule}: {what}")
    for move in unnoticed:
        print(f"UNNOTICED {move}")
    print(f"{count} moves of thresholds, {count - len(unnoticed)} noticed by the tests of the rules")
    # So few would mean that the rules are written in a way that is not understood here.
    if unnoticed or count < 40:
        sys.exit(1)


if __name__ == "__main__":
    main()
