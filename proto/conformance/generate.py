"""Writes the suite's vectors and their manifest, or with --check says whether the committed ones are what it makes.

    python proto/conformance/generate.py [--check]

Ends with 0 when all is current and 1 when something differs under --check.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from cases import all_cases
from cases.case import ED25519, ML_DSA_65, Case
from ingredients import Key, keep

FOLDER = Path(__file__).resolve().parent / "vectors"
MANIFEST = "manifest.json"


def files_of(cases: list[Case]) -> dict[str, bytes]:
    """Every file of the suite by its path in the folder of the vectors."""
    files: dict[str, bytes] = {}
    named: dict[tuple[str, bytes], str] = {}

    def placed(folder: str, suffix: str, case: Case, data: bytes) -> str:
        # One file for one content, named after the first case that needs it.
        if (suffix, data) not in named:
            path = f"{folder}/{case.name.replace('/', '.')}.{suffix}"
            named[suffix, data] = path
            files[path] = data
        return named[suffix, data]

    def root(key: Key) -> str:
        path = f"roots/{key.label.removeprefix('suite ').replace(' ', '-')}.pub.pem"
        files[path] = key.public.to_pem()
        return path

    entries = [
        {
            "name": case.name,
            "why": case.why,
            "verdict": "refuse" if case.kind else "accept",
            "kind": case.kind,
            "needs": ["es256", *case.needs],
            "record": placed("records", "fwt", case, case.record),
            "trust": placed("stores", "fwtrust", case, case.trust),
            "roots": [root(key) for key in case.roots],
            "need": len(case.roots) if case.need is None else case.need,
            "now_s": case.now_s,
            "epoch": case.epoch,
            "minimum_sequence": case.minimum_sequence,
            "grant_seen": [grant_id.hex() for grant_id in case.grant_seen],
            "subject": None if case.subject is None else case.subject.hex(),
            "tenant": case.tenant,
            "lock_group": case.lock_group,
        }
        for case in cases
    ]
    manifest = {"version": 1, "features": ["es256", ED25519, ML_DSA_65], "vectors": entries}
    files[MANIFEST] = json.dumps(manifest, indent=1, ensure_ascii=True).encode() + b"\n"
    return files


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Make the conformance suite's vectors.")
    parser.add_argument("--check", action="store_true", help="write nothing; fail when a committed vector differs")
    check = parser.parse_args(arguments).check
    found = {
        path.relative_to(FOLDER).as_posix(): path.read_bytes() for path in sorted(FOLDER.rglob("*")) if path.is_file()
    }
    keep(found.values())
    wanted = files_of(all_cases())
    differing = sorted(path for path in wanted.keys() | found.keys() if wanted.get(path) != found.get(path))
    if check:
        for path in differing:
            print(f"{path} is not what generate.py makes", file=sys.stderr)
        return 1 if differing else 0
    for path in differing:
        target = FOLDER / path
        if path in wanted:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(wanted[path])
        else:
            target.unlink()
    return 0


if __name__ == "__main__":
    sys.exit(main())
