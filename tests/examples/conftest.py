"""Examples, installed as a vendor would: built from a copy, into a folder of their own beside this environment."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Installed:
    """An example that was installed into `folder`; `source` is the copy that it was built from."""

    folder: Path
    source: Path

    @property
    def environment(self) -> dict[str, str]:
        """An environment in which Python finds it, entry points included."""
        path = os.pathsep.join([str(self.folder), *filter(None, [os.environ.get("PYTHONPATH")])])
        return {**os.environ, "PYTHONPATH": path}

    def python(self, *arguments: str, timeout_s: float = 120.0) -> subprocess.CompletedProcess[str]:
        """Run Python with the example installed."""
        return subprocess.run(
            [sys.executable, *arguments],
            env=self.environment, cwd=self.source, capture_output=True, text=True, timeout=timeout_s, check=False,
        )  # fmt: skip

    def pytest(self) -> subprocess.CompletedProcess[str]:
        """The example's own tests, as its vendor would run them."""
        return self.python("-m", "pytest", "-q", "-p", "no:cacheprovider", "tests")


@pytest.fixture(scope="session")
def install(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Installed]:
    """Install an example by its folder's name; once a run."""
    done: dict[str, Installed] = {}

    def installed(name: str) -> Installed:
        if name not in done:
            folder = tmp_path_factory.mktemp(name)
            source = folder / "source"
            shutil.copytree(ROOT / "examples" / name, source, ignore=shutil.ignore_patterns("__pycache__"))
            subprocess.run(
                [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps",
                 "--no-index", "--no-build-isolation", "--target", str(folder / "site"), str(source)],
                check=True, capture_output=True, timeout=120,
            )  # fmt: skip
            done[name] = Installed(folder / "site", source)
        return done[name]

    return installed
