#!/usr/bin/env python3
"""Makes the README's picture of a terminal from a real run, in a real Chromium.

    terminal.py PROGRAM PICTURE

What is typed is below; what stands under it is what the program printed, to a terminal of 100 columns.
"""

import html
import os
import pathlib
import pty
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "StatusPage"))
from browser import Browser  # noqa: E402

TYPED = ["replay payment-orders --compare fix", "forecast --lambda 0.02 --t 60"]
PAGE = """<!doctype html><meta charset="utf-8"><style>
  body { margin: 0; background: #16181d; color: #d5d8de; display: inline-block }
  pre { margin: 20px 24px; font: 14px/1.45 "DejaVu Sans Mono", monospace }
  b { color: #7fd1a8; font-weight: normal }
</style><pre>%s</pre>"""


def printed(command):
    """What a terminal shows after the command: a line that is written over with \\r is what it was last."""
    terminal, program = pty.openpty()
    process = subprocess.Popen(command, stdout=program, stderr=program, env={**os.environ, "COLUMNS": "100"})
    os.close(program)
    text = b""
    try:
        while piece := os.read(terminal, 1 << 16):
            text += piece
    except OSError:
        pass  # The program's end is an error of the terminal's.
    if process.wait():
        sys.exit(f"{' '.join(command)} ended with {process.returncode}:\n{text.decode()}")
    lines = text.decode().replace("\r\n", "\n").split("\n")
    return "\n".join(line.replace("\x1b[K", "").rsplit("\r", 1)[-1] for line in lines).strip("\n")


def main():
    program, picture = sys.argv[1:]
    text = "\n\n".join(
        f"<b>$</b> mapwatch {line}\n{html.escape(printed([program, *line.split()]))}" for line in TYPED)
    with tempfile.NamedTemporaryFile("w", suffix=".html") as page, Browser() as browser:
        page.write(PAGE % text)
        page.flush()
        browser.show(1000, 700)
        browser.open(f"file://{page.name}")
        browser.wait("document.querySelector('pre') !== null && document.readyState === 'complete'")
        size = browser.run("[document.body.offsetWidth, document.body.offsetHeight]")
        browser.show(*size)
        browser.picture(picture)
    print(f"terminal: {picture}")


if __name__ == "__main__":
    main()
