"""Seconds that `import faceward` adds to a bare interpreter, as a whole process: the median of many starts."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

STARTS = 15
AIM_S = 0.15


def start_s(statement: str) -> float:
    begun = time.perf_counter()
    subprocess.run([sys.executable, "-c", statement], check=True)
    return time.perf_counter() - begun


def main() -> None:
    statements = {"bare": "pass", "faceward": "import faceward", "faceward.plugin": "import faceward.plugin",
                  "faceward.cli.app": "import faceward.cli.app"}  # fmt: skip
    times: dict[str, list[float]] = {name: [] for name in statements}
    for _ in range(STARTS):  # in turn, so that a busy moment hits all of them
        for name, statement in statements.items():
            times[name].append(start_s(statement))
    bare = statistics.median(times["bare"])
    print(f"bare interpreter: {bare:.3f} s (median of {STARTS})")
    for name in list(statements)[1:]:
        median = statistics.median(times[name])
        print(f"import {name}: {median:.3f} s, {median - bare:+.3f} s over bare, {median / bare:.2f} x")
    print(f"aim: import faceward at most {AIM_S} s over bare")


if __name__ == "__main__":
    main()
