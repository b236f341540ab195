"""Where the extra is not installed, that is what is said."""

from __future__ import annotations

import pytest
from faceward.errors import ConfigError
from faceward.pad import extra


def test_a_missing_extra_is_named_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extra, "find_spec", lambda name: None if name in ("pyarrow", "matplotlib") else object())
    with pytest.raises(ConfigError, match=r"reports need matplotlib, pyarrow; install faceward\[pad\]"):
        extra.require_extra()


def test_an_installed_extra_is_enough() -> None:
    assert extra.require_extra() is None


def test_every_name_that_the_package_offers_is_there() -> None:
    import faceward.pad

    for name in faceward.pad.__all__:
        assert getattr(faceward.pad, name).__name__ == name
    assert set(faceward.pad.__all__) <= set(dir(faceward.pad))
    with pytest.raises(AttributeError, match="no_such_name"):
        faceward.pad.no_such_name  # noqa: B018
