"""The packages that reports need and the rest of the SDK does not."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Final

from faceward.errors import ConfigError

PACKAGES: Final = ("jinja2", "matplotlib", "pyarrow", "statsmodels")


def require_extra() -> None:
    """Say so where the extra is not installed, before anything is imported that needs it. Raises: ConfigError."""
    missing = [name for name in PACKAGES if find_spec(name) is None]
    if missing:
        raise ConfigError(f"reports need {', '.join(missing)}; install faceward[pad]")
