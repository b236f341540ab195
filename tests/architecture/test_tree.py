"""What the tracked files may not hold, and what importing may not cost."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# Put together from parts, so that this file doesn't hold what it looks for.
REGISTRY = re.compile(rb"://[a-z0-9.-]*(py" + rb"pi|python" + rb"hosted|npm" + rb"js|deb" + rb"ian)\.")
MACHINE_PATH = re.compile(rb"(^|[^A-Za-z0-9_.])/(wo" + rb"rk|ro" + rb"ot)/")
HEAVY = {"numpy", "cv2", "sqlalchemy", "cryptography", "usb", "google.protobuf", "mcap", "structlog"}
HEAVY |= {"pyarrow", "statsmodels", "pandas", "scipy", "matplotlib", "jinja2"}
PROMISE = re.compile(rb"raise Not" + rb"ImplementedError|TO" + rb"DO|FIX" + rb"ME|pytest\.skip\(\)|pragma: no " + rb"cover")


@pytest.fixture(scope="module")
def tracked() -> dict[str, bytes]:
    """Every text file that git tracks (or, in an unpacked archive, every file), by path."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True)
    if listed.returncode == 0 and listed.stdout:
        paths = [ROOT / name for name in listed.stdout.decode().split("\0") if name]
    else:
        paths = [path for path in ROOT.rglob("*") if ".venv" not in path.parts]
    texts = {str(path.relative_to(ROOT)): path.read_bytes() for path in paths if path.is_file()}
    return {name: text for name, text in texts.items() if b"\0" not in text[:8192]}


@pytest.mark.parametrize("pattern", [REGISTRY, MACHINE_PATH], ids=["a registry's host", "a path of one machine"])
def test_no_tracked_file_holds(tracked: dict[str, bytes], pattern: re.Pattern[bytes]) -> None:
    assert len(tracked) > 50
    found = [
        f"{name}:{number}: {line.decode(errors='replace').strip()}"
        for name, text in tracked.items()
        for number, line in enumerate(text.splitlines(), 1)
        if pattern.search(line)
    ]
    assert not found, "\n".join(found)


def test_no_python_file_holds_a_promise(tracked: dict[str, bytes]) -> None:
    found = [name for name, text in tracked.items() if name.endswith(".py") and PROMISE.search(text)]
    assert not found


def _modules_after(statement: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", f"{statement}\nimport sys\nprint('\\n'.join(sys.modules))"],
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    return set(done.stdout.split())


def test_importing_faceward_brings_no_heavy_package_with_it() -> None:
    loaded = _modules_after("import faceward")
    assert "faceward" in loaded
    assert not loaded & HEAVY
    assert not loaded & {"typer", "rich"}


def test_the_command_line_offers_help_without_the_heavy_packages() -> None:
    loaded = _modules_after("import faceward.cli.app")
    assert "faceward.cli.app" in loaded
    assert not loaded & HEAVY


def test_importing_the_reports_brings_no_heavy_package_until_a_name_is_used() -> None:
    loaded = _modules_after("import faceward.pad")
    assert "faceward.pad" in loaded
    assert not loaded & HEAVY


def test_every_name_that_the_door_offers_is_there() -> None:
    import faceward

    for name in faceward.__all__:
        assert getattr(faceward, name) is not None
    with pytest.raises(AttributeError, match="no_such_name"):
        faceward.no_such_name  # noqa: B018
