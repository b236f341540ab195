"""A way to run the command line in this process, as its console script does."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from faceward.cli.app import run


@dataclass(frozen=True)
class Ran:
    """What a command came to."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Stdout as the JSON that it is."""
        return json.loads(self.out)

    @property
    def lines(self) -> list[dict[str, Any]]:
        """Stdout as JSON lines."""
        return [json.loads(line) for line in self.out.splitlines()]


Run = Callable[..., Ran]


@pytest.fixture
def faceward(capsys: pytest.CaptureFixture[str]) -> Run:
    """`faceward("list", "--json")`, with its exit code and what it wrote."""

    def ran(*arguments: object) -> Ran:
        capsys.readouterr()
        code = run([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Ran(code, captured.out, captured.err)

    return ran


@pytest.fixture
def home(tmp_path: Path, faceward: Run) -> Path:
    """A fresh development home."""
    folder = tmp_path / "home"
    assert faceward("--home", folder, "keys", "init").code == 0
    return folder
