"""Writes the Python code of every message, or with --check says whether the committed code is that code.

    pip install -e 'proto[dev]'
    python proto/generate.py [--check]

Ends with 0 when all is current, 1 when something differs under --check, 2 when protoc refuses a file.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from importlib.resources import as_file, files
from pathlib import Path

ROOT = Path(__file__).resolve().parent
PACKAGE = Path("faceward_proto") / "v1"


def generate(target: Path) -> int:
    """Run protoc over every .proto file into `target`; returns its exit code."""
    from grpc_tools import protoc

    sources = sorted(str(path.relative_to(ROOT)) for path in (ROOT / PACKAGE).glob("*.proto"))
    with as_file(files("grpc_tools") / "_proto") as well_known:
        return protoc.main(
            [
                "protoc",
                f"--proto_path={ROOT}",
                f"--proto_path={well_known}",
                f"--python_out={target}",
                f"--pyi_out={target}",
                *sources,
            ]
        )


def stale(fresh: Path) -> list[str]:
    """Names of generated files that differ from, are missing in, or have no source in the committed folder."""
    wanted = {path.name: path.read_bytes() for path in (fresh / PACKAGE).iterdir()}
    found = {path.name: path.read_bytes() for path in (ROOT / PACKAGE).glob("*_pb2.py*")}
    return sorted(name for name in wanted.keys() | found.keys() if wanted.get(name) != found.get(name))


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Generate the messages' Python code.")
    parser.add_argument("--check", action="store_true", help="write nothing; fail when the committed code differs")
    check = parser.parse_args(arguments).check
    with tempfile.TemporaryDirectory() as folder:
        fresh = Path(folder)
        if generate(fresh if check else ROOT) != 0:
            return 2
        if not check:
            return 0
        differing = stale(fresh)
    for name in differing:
        print(f"{PACKAGE / name} is not what generate.py makes of the .proto files", file=sys.stderr)
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
