#!/usr/bin/env python3
"""Runs what the README says: its commands against a daemon on free ports, its files through check-config.

Argument: the daemon. A block of commands is `console`; each `$` line is run by bash and must print the lines below it.
In a block of `sh`, targets of make must exist, and mapwatch is run unless it asks a daemon for minutes of its time. A
comment `<!-- not run: REASON -->` before a block passes it over. The same holds for commands within the lines of the
documentation's pages.
"""

import pathlib
import re
import shlex
import signal
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BLOCK = re.compile(r"(?:<!-- not run: ([^>]+) -->\n)?```(\w*)\n(.*?)```", re.S)
PATIENCE = 300
# Commands that need a daemon, a file of the reader's, or do not end by themselves.
NEEDS_MORE = {"serve", "incidents", "check-config"}


class Daemon:
    def __init__(self, program):
        self.process = subprocess.Popen(
            [program, "serve", "--web.listen-address", "127.0.0.1:0", "--data.listen-address", "127.0.0.1:0"],
            stderr=subprocess.PIPE, text=True)
        self.ports = {}
        for line in self.process.stderr:
            found = re.search(r'msg="serving (metrics|maps)".*?:(\d+)/', line)
            if found:
                self.ports["10197" if found.group(1) == "metrics" else "10198"] = found.group(2)
            if len(self.ports) == 2:
                return
        sys.exit("the daemon ended before it served")

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            assert self.process.wait(PATIENCE) == 0
        finally:
            self.process.kill()


def run_console(block, ports):
    """The commands in order; each must print what the README shows."""
    for command, shown in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", block, re.M):
        real = re.sub("1019[78]", lambda port: ports[port.group()], command)
        done = subprocess.run(["bash", "-c", real], cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE)
        if done.returncode or done.stdout.strip() != shown.strip():
            yield f"$ {command}\nprinted\n{done.stdout}{done.stderr}and the README shows\n{shown}"


def run_line(line, program):
    """A command of make or mapwatch, as far as it can be tried by itself."""
    words = shlex.split(line, comments=True)
    if words[0] == "make":
        command = ["make", "--dry-run", words[1]]
    elif len(words) == 2 or "--url" in words or words[1] in NEEDS_MORE:
        command = [program, words[1], "--help"]
    else:
        command = [program, *words[1:]]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE)
    if done.returncode:
        yield f"{line}: {done.stderr}"


def run_sh(block, program):
    for line in re.findall(r"^(?:make|mapwatch) .*", block, re.M):
        yield from run_line(line, program)


def run_documentation(program):
    """The commands that the pages of the documentation name, each once."""
    pages = [page.read_text() for page in ROOT.glob("Sources/*/*.docc/**/*.md")]
    lines = {line for page in pages for line in re.findall(r"`((?:make|mapwatch) [^`]+)`", page)}
    assert len(lines) > 5, f"the pages' commands were not found: {lines}"
    for line in sorted(lines):
        yield from run_line(line, program)


def check_yaml(block, program):
    if "tls_server_config" in block:
        # Its certificates are the reader's, so only its keys are checked: see the tests of access for the rest.
        return
    with tempfile.NamedTemporaryFile("w", suffix=".yml") as file:
        file.write(block)
        file.flush()
        done = subprocess.run([program, "check-config", file.name], capture_output=True, text=True)
        if done.returncode:
            yield f"check-config: {done.stderr}"


def check_swift(block):
    """Each line stands in the example, in one piece."""
    example = (ROOT / "Examples/Shop/Sources/Shop/Shop.swift").read_text()
    indented = "".join(f"        {line}\n" if line else "\n" for line in block.splitlines())
    if indented not in example:
        yield "a block of Swift is not the text of Examples/Shop/Sources/Shop/Shop.swift"


def blocks(page):
    return [(language, block) for reason, language, block in BLOCK.findall(page.read_text()) if not reason]


def problems_of(page, program):
    daemon = Daemon(program)
    try:
        for language, block in blocks(page):
            match language:
                case "console": yield from run_console(block, daemon.ports)
                case "sh": yield from run_sh(block, program)
                case "yaml": yield from check_yaml(block, program)
                case "swift": yield from check_swift(block)
    finally:
        daemon.end()


def main():
    readme, translation = ROOT / "README.md", ROOT / "README.zh-CN.md"
    languages = [language for language, _ in blocks(readme)]
    assert {"console", "sh", "swift", "yaml"} <= set(languages), f"blocks are missing: {languages}"
    problems = list(problems_of(readme, sys.argv[1]))
    problems += run_documentation(sys.argv[1])
    # What runs here runs there.
    own = [block for _, block in blocks(readme)]
    problems += [
        f"README.zh-CN.md has a block that README.md has not:\n{block}"
        for _, block in blocks(translation) if block not in own]
    if problems:
        sys.exit("\n".join(problems))
    print(f"readme: {len(languages)} blocks hold")


main()
