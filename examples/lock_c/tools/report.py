"""Prints what the verifier costs: code, static RAM and, with the conformance suite's vectors, stack.

    python3 tools/report.py --size size [--vectors FOLDER] BUILD OBJECT ...

Code is what the linker keeps of BUILD/closure.o, everything that the verifier's functions reach; OBJECT are its own. The
stack is measured: BUILD/judge runs every vector on a painted stack of its own and says how deep any of them went.
"""

from __future__ import annotations

import argparse
import base64
import json
import struct
import subprocess
from pathlib import Path
from typing import Any


def sections(size: str, *objects: Path) -> tuple[int, int]:
    """Bytes of code with constants, and of memory that is written to, of these objects together."""
    done = subprocess.run([*size.split(), "-A", *map(str, objects)], capture_output=True, text=True, check=True)
    code = ram = 0
    for line in done.stdout.splitlines():
        name, *numbers = line.split() or [""]
        # Constants that hold addresses are .data.rel.ro in position-independent code: nothing writes to them.
        if name.startswith((".text", ".rodata", ".data.rel.ro")):
            code += int(numbers[0])
        elif name.startswith((".data", ".bss", ".tbss", ".tdata")):
            ram += int(numbers[0])
    return code, ram


def largest_frame(objects: list[Path]) -> tuple[int, str]:
    """The largest stack frame of these objects, by the compiler's own account, and whose it is.

    Raises: ValueError for a frame that the compiler knows no bound of.
    """
    frames = []
    for path in objects:
        for line in path.with_suffix(".su").read_text(encoding="utf-8").splitlines():
            place, frame, kind = line.split("\t")
            if kind not in ("static", "dynamic,bounded"):
                raise ValueError(f"{place} has a frame without a bound")
            frames.append((int(frame), place.rsplit(":", 1)[1]))
    return max(frames)


def block(data: bytes) -> bytes:
    return struct.pack("<I", len(data)) + data


def der(pem: str) -> bytes:
    return base64.b64decode("".join(line for line in pem.splitlines() if not line.startswith("-----")))


def case(vector: dict[str, Any], folder: Path) -> bytes:
    """A vector of the suite as test/judge.c reads it."""
    roots = [der((folder / root).read_text(encoding="ascii")) for root in vector["roots"]]
    texts = [vector[name].encode() + b"\0" if vector[name] else b"" for name in ("tenant", "lock_group")]
    return b"".join(
        [
            struct.pack("<QQQBB", vector["now_s"], vector["minimum_sequence"], vector["epoch"], len(roots), vector["need"]),
            *map(block, roots),
            block((folder / vector["trust"]).read_bytes()),
            block((folder / vector["record"]).read_bytes()),
            block(bytes.fromhex(vector["subject"] or "")),
            *map(block, texts),
            block(bytes.fromhex("".join(vector["grant_seen"]))),
        ]
    )


def main() -> None:
    parser = argparse.ArgumentParser(description="Print what the verifier costs.")
    parser.add_argument("--size", required=True)
    parser.add_argument("--run", default="", help="what runs a program of this core, if this machine doesn't")
    parser.add_argument("--vectors", type=Path)
    parser.add_argument("build", type=Path)
    parser.add_argument("objects", type=Path, nargs="+")
    asked = parser.parse_args()
    own, _ = sections(asked.size, *asked.objects)
    code, ram = sections(asked.size, asked.build / "closure.o")
    print(f"code and constants: {code} bytes with nanopb and BearSSL, {own} of them the verifier's own")
    print(f"static RAM: {ram} bytes")
    print("largest frame of its own: {} bytes, {}; every frame is bounded".format(*largest_frame(asked.objects)))
    if asked.vectors is None:
        return
    vectors = json.loads((asked.vectors / "manifest.json").read_text(encoding="utf-8"))["vectors"]
    cases = b"".join(case(vector, asked.vectors) for vector in vectors)
    done = subprocess.run([*asked.run.split(), str(asked.build / "judge")], input=cases, capture_output=True, check=True)
    accepted = done.stdout[1::3].count(0)
    print(f"stack: {int(done.stderr)} bytes at most over {len(vectors)} vectors, {accepted} of them accepted")


if __name__ == "__main__":
    main()
