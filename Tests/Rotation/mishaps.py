"""What no load on maps can do to a daemon: an operator's slips, each undone again, at their seconds of the rotation."""

import json
import os
import subprocess
import urllib.error
import urllib.request

MEBIBYTE = 1 << 20
# Little, so that a test can fill nine tenths of it.
MAXIMUM_BYTES = 256 * MEBIBYTE
# Who may give the daemon a view of the file system of its own, so that a file is hidden from it alone.
IS_ROOT = os.geteuid() == 0
OWN_VIEW = ["unshare", "--mount", "--propagation", "private"] if IS_ROOT else []
SOUND, BROKEN = f"max_bytes: {MAXIMUM_BYTES}\n", "max_bytes: plenty\n"


class Mishaps:
    """The slips of one run; `play` is to be called every second or so."""

    def __init__(self, process, metrics, data, configuration, token):
        self.process, self.metrics, self.data = process, metrics, data
        self.configuration, self.token = configuration, token
        self.open = [
            (60, "a perturbation of `products` is left on", self.leave_perturbation_on),
            (100, "the configuration breaks, and is reloaded", self.break_configuration),
            (160, "the configuration is mended, and reloaded", self.mend_configuration),
            (250, "the map `archive` takes nine tenths of the memory", self.fill_memory),
            (620, "`archive` is dropped", self.drop_archive),
        ]
        if IS_ROOT:
            self.open += [
                (700, "/proc/stat is hidden from the daemon", self.hide_boot_time),
                (800, "it is there again", self.show_boot_time),
            ]

    def play(self, second):
        """What was done now, if anything."""
        while self.open and self.open[0][0] <= second:
            _, text, act = self.open.pop(0)
            act()
            yield text

    def leave_perturbation_on(self):
        self.ask(
            "PUT", f"{self.data}/api/v1/maps/products/perturbations", 201,
            json.dumps({"kind": "yield", "probability": 0.001, "seconds": 420}).encode(),
        )  # fmt: skip

    def break_configuration(self):
        self.configuration.write_text(BROKEN)
        self.ask("POST", f"{self.metrics}/-/reload", 500)

    def mend_configuration(self):
        self.configuration.write_text(SOUND)
        self.ask("POST", f"{self.metrics}/-/reload", 200)

    def fill_memory(self):
        self.ask("PUT", f"{self.data}/api/v1/maps/archive", 201, b'{"shards":8}')
        number = 0
        while self.share_of_memory() < 0.92:
            for _ in range(4):
                self.ask("PUT", f"{self.data}/api/v1/maps/archive/entries/{number}", 201, bytes(MEBIBYTE))
                number += 1

    def drop_archive(self):
        self.ask("DELETE", f"{self.data}/api/v1/maps/archive", 204)

    def hide_boot_time(self):
        """An empty file in its place. Taking all descriptors away would do as well, but libdispatch ends the process then."""
        self.in_view_of_daemon("mount", "--bind", "/dev/null", "/proc/stat")

    def show_boot_time(self):
        self.in_view_of_daemon("umount", "/proc/stat")

    def in_view_of_daemon(self, *command):
        subprocess.run(["nsenter", f"--mount=/proc/{self.process.pid}/ns/mnt", *command], check=True)

    def share_of_memory(self):
        names = ["mapwatch_maps_allocated_bytes", "mapwatch_maps_max_bytes"]
        text = self.ask("GET", f"{self.metrics}/metrics?" + "&".join(f"name[]={name}" for name in names), 200)
        values = dict(line.split(" ") for line in text.splitlines() if line.startswith("mapwatch_maps_"))
        return float(values[names[0]]) / float(values[names[1]])

    def ask(self, method, url, status, body=None):
        request = urllib.request.Request(
            url, data=body, method=method, headers={"Authorization": f"Bearer {self.token}"})
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                given, text = answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            given, text = error.code, error.read().decode()
        if given != status:
            raise SystemExit(f"{method} {url} was answered {given}, not {status}: {text}")
        return text
