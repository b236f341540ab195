"""Distributions whose files a policy names by their digest run from just those bytes.

A digest that was compared says nothing yet of what an import executes: Python prefers a cached .pyc to the source that was
hashed, and a module that nobody listed may stand before a listed one of its name. So each module of such a distribution
comes from a file that was hashed, is hashed once more as it is read, and is compiled from its source.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Mapping, Sequence
from importlib.machinery import EXTENSION_SUFFIXES, ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType


class _Source(SourceFileLoader):
    """Compiles the bytes that were hashed, whatever is cached."""

    def __init__(self, name: str, path: str, sha256: bytes) -> None:
        super().__init__(name, path)
        self._sha256 = sha256

    def get_code(self, fullname: str) -> CodeType:
        """Raises: ImportError when the file is another one by now."""
        path = self.get_filename(fullname)
        source = self.get_data(path)
        if hashlib.sha256(source).digest() != self._sha256:
            raise ImportError(f"{path} is not the file that was checked", name=fullname, path=path)
        return self.source_to_code(source, path)  # type: ignore[no-any-return]


class PinnedFinder:
    """Finds the modules of one distribution among its hashed files alone (a finder of sys.meta_path).

    `files` holds SHA-256 by resolved path, `root` is the folder on the search path that they were installed in.
    """

    def __init__(self, distribution: str, root: Path, files: Mapping[Path, bytes]) -> None:
        self._distribution = distribution
        self._files = dict(files)
        self._modules, self._packages = set[str](), set[str]()
        for path in files:
            parts = list(path.relative_to(root).parts) if path.is_relative_to(root) else []
            if not parts or not path.name.endswith((".py", *EXTENSION_SUFFIXES)):
                continue
            parts[-1] = parts[-1].partition(".")[0]
            if parts[-1] == "__init__":
                self._packages.add(".".join(parts[:-1]))
            else:
                self._modules.add(".".join(parts))

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """None for what is not this distribution's. Raises: ImportError for what is, and was not hashed."""
        if not self._owns(name):
            return None
        spec = PathFinder.find_spec(name, path)
        if spec is None:
            return None
        origin = Path(spec.origin).resolve() if spec.origin else None
        sha256 = None if origin is None else self._files.get(origin)
        if origin is None or sha256 is None:
            raise ImportError(f"{origin} is none of the files of {self._distribution} that were checked", name=name)
        if origin.suffix == ".py":
            spec.loader = _Source(name, str(origin), sha256)
            spec.cached = None
        elif hashlib.sha256(origin.read_bytes()).digest() != sha256:
            raise ImportError(f"{origin} is not the file that was checked", name=name)
        return spec

    def _owns(self, name: str) -> bool:
        above = name.split(".")
        return name in self._modules or any(".".join(above[:count]) in self._packages for count in range(1, len(above) + 1))


def pin(distribution: str, root: Path, files: Mapping[Path, bytes]) -> None:
    """Import the distribution's modules from these files alone, from now on, in this process."""
    sys.meta_path.insert(0, PinnedFinder(distribution, root, files))


def unpin() -> None:
    """Forget every pin of this process, before another policy is loaded."""
    sys.meta_path[:] = [finder for finder in sys.meta_path if not isinstance(finder, PinnedFinder)]
