#!/usr/bin/env python3
"""Runs an image's file system as `docker run --read-only --cap-drop=all` would: by bubblewrap, which needs no engine.

    buildah bud --isolation chroot --tag mapwatch . && Tests/Deploy/rootfs.py "$(buildah mount "$(buildah from mapwatch)")"

Command, user, volume and health check are those of the Dockerfile. As root.
"""

import json
import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent

# Inside: serve, wait for the health check, scrape, try to write where nothing may be written, end.
SCRIPT = """
%(command)s 2>&1 &
daemon=$!
for attempt in {1..100}; do %(health)s 2> /dev/null && break; sleep 0.1; done
{ %(health)s; } || { echo "not healthy"; exit 1; }
exec 3<> /dev/tcp/127.0.0.1/10197
printf 'GET /metrics HTTP/1.0\\r\\n\\r\\n' >&3
grep -cE '^(mapwatch_|process_)' <&3 | sed 's/^/series: /'
grep -E '^(Uid|Gid|CapEff|CapBnd|NoNewPrivs)' /proc/$daemon/status
! touch /etc/written 2> /dev/null || { echo "the root can be written"; exit 1; }
kill -TERM $daemon; wait $daemon; echo "exit: $?"
"""


def instruction(text, name):
    """The JSON list of the last instruction of that name."""
    found = re.findall(rf"^{name}\b[^\[]*(\[.*?\])$", text.replace("\\\n", ""), re.M)
    return json.loads(found[-1])


def main():
    rootfs = sys.argv[1]
    text = (ROOT / "Dockerfile").read_text()
    command = instruction(text, "ENTRYPOINT") + instruction(text, "CMD")
    user, group = re.search(r"^USER (\d+):(\d+)$", text, re.M).groups()
    volume = re.search(r"^VOLUME (\S+)$", text, re.M).group(1)
    script = SCRIPT % {"command": shlex.join(command), "health": shlex.join(instruction(text, "HEALTHCHECK"))}
    with tempfile.TemporaryDirectory() as kept:
        os.chown(kept, int(user), int(group))
        done = subprocess.run(
            ["bwrap", "--ro-bind", rootfs, "/", "--bind", kept, volume, "--proc", "/proc", "--dev", "/dev",
             "--unshare-net", "--unshare-pid", "--unshare-ipc", "--die-with-parent", "--cap-add", "ALL", "--clearenv",
             "--setenv", "PATH", "/usr/local/bin:/usr/bin:/bin", "setpriv", f"--reuid={user}", f"--regid={group}",
             "--clear-groups", "--inh-caps=-all", "--bounding-set=-all", "--no-new-privs", "bash", "-c", script],
            capture_output=True, text=True, timeout=120)
        print(done.stdout, done.stderr)
        assert "\nexit: 0" in done.stdout, "it did not end with 0"
        print("kept in the volume:", sorted(os.listdir(kept)))
    size = subprocess.run(["du", "-sm", f"{rootfs}/usr/local/bin/mapwatch", rootfs], capture_output=True, text=True)
    print("MiB:", size.stdout)


main()
