"""A pinned distribution's modules come from its hashed files, and nobody else's do."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from hashlib import sha256
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

import pytest
from faceward.liveness.pinned import pin, unpin


@pytest.fixture
def pinned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Writes files of a distribution `toys` into a folder on the search path, and pins those that are named."""
    before = set(sys.modules)
    monkeypatch.syspath_prepend(str(tmp_path))

    def install(files: dict[str, str], *names: str) -> Callable[[str], object]:
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        root = tmp_path.resolve()
        pin("toys", root, {root / name: sha256((root / name).read_bytes()).digest() for name in names or files})
        importlib.invalidate_caches()
        return importlib.import_module

    yield install
    unpin()
    for name in set(sys.modules) - before:
        del sys.modules[name]


def test_modules_and_packages_are_imported_from_their_files(pinned) -> None:
    load = pinned({"toy_m.py": "from toy_p.inner.deep import N", "toy_p/__init__.py": "", "toy_p/inner/__init__.py": "",
                   "toy_p/inner/deep.py": "N = 3"})  # fmt: skip
    assert load("toy_m").N == 3
    assert load("toy_p.inner.deep").__file__.endswith("toy_p/inner/deep.py")


def test_whoever_is_not_of_the_distribution_is_left_alone(pinned) -> None:
    load = pinned({"toy_m.py": "N = 1", "other.py": "N = 2", "shared/mine.py": "N = 3", "shared/yours.py": "N = 4"},
                  "toy_m.py", "shared/mine.py")  # fmt: skip
    assert [load(name).N for name in ("toy_m", "other", "shared.mine", "shared.yours")] == [1, 2, 3, 4]
    with pytest.raises(ModuleNotFoundError):
        load("toy_n")


@pytest.mark.parametrize("planted", ["toy_p/planted.py", "toy_p/sub/__init__.py", "toy_m/__init__.py"])
def test_a_file_that_was_not_hashed_is_not_imported_under_its_name(pinned, planted: str) -> None:
    load = pinned({"toy_m.py": "", "toy_p/__init__.py": "", planted: "raise SystemExit"}, "toy_m.py", "toy_p/__init__.py")
    with pytest.raises(ImportError, match="none of the files of toys"):
        load(planted.removesuffix("/__init__.py").removesuffix(".py").replace("/", "."))


def test_a_compiled_module_that_was_changed_is_not_loaded(pinned, tmp_path: Path) -> None:
    name = f"toy_c{EXTENSION_SUFFIXES[0]}"
    load = pinned({name: "hashed"})
    (tmp_path / name).write_text("changed")
    with pytest.raises(ImportError, match="is not the file that was checked"):
        load("toy_c")


def test_no_bytecode_is_read_or_left(pinned, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    assert pinned({"toy_m.py": "N = 1"})("toy_m").N == 1
    assert not (tmp_path / "__pycache__").exists()
