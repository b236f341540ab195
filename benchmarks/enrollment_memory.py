"""Peak memory of one enrollment over all of its processes, the simulator's apart (simulated sensor over USB/IP).

Sums each process's proportional set size (shared pages divided by those who share them) twenty times a second; where
the system has no such figure, its resident set size, which counts shared pages once for each process.
"""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil

BIN = Path(sys.executable).parent
AIM_MIB = 400
SAMPLE_S = 0.05


def memory_bytes(process: psutil.Process) -> int:
    try:
        full = process.memory_full_info()
        return int(getattr(full, "pss", 0) or full.rss)
    except (psutil.NoSuchProcess, psutil.ZombieProcess):
        return 0


def tree_bytes(root: psutil.Process) -> dict[int, int]:
    with contextlib.suppress(psutil.NoSuchProcess):
        return {each.pid: memory_bytes(each) for each in [root, *root.children(recursive=True)]}
    return {}


@contextlib.contextmanager
def simulator() -> Iterator[int]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    server = subprocess.Popen(
        [str(BIN / "faceward-sim"), "serve", "--port", str(port), "--sensor", "sl-940", "--actor", "live",
         "--seed", "7"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        for _ in range(600):
            if server.poll() is not None:
                raise SystemExit("the simulator ended at once")
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1.0):
                break
            time.sleep(0.1)
        yield port
    finally:
        server.kill()
        server.wait()


def main() -> None:
    faceward = str(BIN / "faceward")
    with tempfile.TemporaryDirectory() as folder, simulator() as port:
        home = ("--home", str(Path(folder) / "home"))
        subprocess.run([faceward, *home, "keys", "init"], check=True, capture_output=True)
        found = subprocess.run(
            [faceward, *home, "--usbip", f"127.0.0.1:{port}", "--json", "sensors"], check=True, capture_output=True
        )
        address = json.loads(found.stdout)["sensors"][0]["address"]
        enrolling = subprocess.Popen(
            [faceward, *home, "--sensor", address, "enroll", "alice"], stdout=subprocess.DEVNULL
        )
        root, peak, at_peak = psutil.Process(enrolling.pid), 0, {}
        while enrolling.poll() is None:
            now = tree_bytes(root)
            if sum(now.values()) > peak:
                peak, at_peak = sum(now.values()), now
            time.sleep(SAMPLE_S)
    shares = ", ".join(f"{size / 2**20:.0f}" for size in sorted(at_peak.values(), reverse=True))
    mib = peak / 2**20
    print(f"peak of one enrollment: {mib:.0f} MiB over {len(at_peak)} processes ({shares} MiB); simulated sensor")
    print(f"that is {mib / AIM_MIB:.2f} of the {AIM_MIB} MiB of the aim; enroll ended with {enrolling.returncode}")
    if enrolling.returncode != 0:
        raise SystemExit("the enrollment did not end well, so its peak is not the peak of a whole one")


if __name__ == "__main__":
    main()
