"""A real headless Chromium, spoken to over a pipe (the DevTools protocol), so that nothing but Chromium is needed.

    Browser ──fd 3: commands, NUL-terminated JSON──▶ chromium
            ◀──fd 4: answers and events────────────
"""

import base64
import contextlib
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time


class PageProblem(Exception):
    """What the page or the browser did wrong."""


class Browser:
    """One page in one browser. Use as a context manager: the browser ends with it."""

    def __init__(self):
        program = shutil.which("chromium")
        if program is None:
            raise PageProblem("there is no chromium; apt-get install chromium")
        self.folder = tempfile.mkdtemp(prefix="mapwatch-chromium-")
        self.complaints = []
        self.requests = []
        self.number = 0
        self.session = None
        self.buffer = b""
        to_browser, self.input = os.pipe()
        self.output, from_browser = os.pipe()
        arguments = [
            program, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
            "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
            f"--user-data-dir={self.folder}", "--remote-debugging-pipe", "about:blank",
        ]  # fmt: skip
        pipes = f'exec "$@" 3<&{to_browser} 4>&{from_browser}'
        self.process = subprocess.Popen(
            ["bash", "-c", pipes, "chromium", *arguments], pass_fds=(to_browser, from_browser),
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        os.close(to_browser)
        os.close(from_browser)

    def __enter__(self):
        targets = self.command("Target.getTargets")["targetInfos"]
        page = next(target["targetId"] for target in targets if target["type"] == "page")
        attached = self.command("Target.attachToTarget", targetId=page, flatten=True)
        self.session = attached["sessionId"]
        for domain in ["Page", "Runtime", "Log", "Network"]:
            self.command(f"{domain}.enable")
        return self

    def __exit__(self, *_):
        # Its whole process group, which is ours alone.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        os.close(self.input)
        os.close(self.output)
        shutil.rmtree(self.folder, ignore_errors=True)

    def command(self, method, **parameters):
        """Sends a command and gives its result; events that come before it are noted."""
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.input, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._read()
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise PageProblem(f"{method}: {answer['error']['message']}")
                return answer["result"]
            self._note(answer)

    def _read(self):
        while b"\0" not in self.buffer:
            piece = os.read(self.output, 1 << 16)
            if not piece:
                raise PageProblem("chromium has ended")
            self.buffer += piece
        message, self.buffer = self.buffer.split(b"\0", 1)
        return json.loads(message)

    def _note(self, event):
        method, details = event.get("method"), event.get("params", {})
        if method == "Runtime.exceptionThrown":
            self.complaints.append(json.dumps(details["exceptionDetails"])[:600])
        elif method == "Log.entryAdded" and details["entry"]["level"] == "error":
            self.complaints.append(details["entry"]["text"])
        elif method == "Runtime.consoleAPICalled" and details["type"] in ("error", "warning"):
            self.complaints.append(json.dumps(details["args"])[:600])
        elif method == "Network.requestWillBeSent":
            self.requests.append(details["request"]["url"])

    def open(self, url):
        self.command("Page.navigate", url=url)

    def show(self, width, height, dark=False):
        """The size of the window and the theme that the user prefers."""
        self.command(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600)
        theme = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        self.command("Emulation.setEmulatedMedia", features=theme)

    def run(self, script):
        """The value of a JavaScript expression."""
        result = self.command("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in result:
            raise PageProblem(f"{script}: {result['exceptionDetails']}")
        return result["result"].get("value")

    def wait(self, script, seconds=30):
        """The first true value of an expression; it is asked for ten times a second."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            with contextlib.suppress(PageProblem):
                if value := self.run(script):
                    return value
            time.sleep(0.1)
        raise PageProblem(f"in {seconds} s this was never true: {script}")

    def click(self, selector):
        """A click of the mouse in the middle of an element."""
        place = self.run(
            f"(() => {{ const node = document.querySelector({json.dumps(selector)}); if (!node) return null;"
            " node.scrollIntoView({block: 'center'}); const box = node.getBoundingClientRect();"
            " return [box.x + box.width / 2, box.y + box.height / 2]; })()"
        )
        if place is None:
            raise PageProblem(f"there is no {selector} to click")
        for kind in ["mousePressed", "mouseReleased"]:
            self.command(
                "Input.dispatchMouseEvent", type=kind, x=place[0], y=place[1], button="left", clickCount=1)

    def picture(self, path, whole=False):
        """Writes a PNG of the window, or of the whole page."""
        data = self.command("Page.captureScreenshot", format="png", captureBeyondViewport=whole)["data"]
        with open(path, "wb") as file:
            file.write(base64.b64decode(data))
