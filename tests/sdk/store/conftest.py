"""A database, a key provider, and grants that a ledger takes."""

from __future__ import annotations

import secrets
from collections.abc import Callable

import pytest
from faceward.model.template import Grant, PermittedGrant
from faceward.signing.file_kek import FileKeyProvider
from faceward.store.database import Database, sqlite_url


@pytest.fixture
def keys() -> FileKeyProvider:
    return FileKeyProvider(bytes(range(32)))


@pytest.fixture
def url(tmp_path) -> str:
    return sqlite_url(tmp_path / "store.sqlite")


@pytest.fixture
def database(url):
    with Database(url) as opened:
        yield opened


class Clock:
    """Unix seconds that a test moves."""

    def __init__(self) -> None:
        self.now_s = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def make_grant(clock) -> Callable[..., PermittedGrant]:
    """A grant over a challenge, verified already."""

    def make(challenge: bytes, *, subject: bytes = b"s" * 32, attempts: int = 3, **changes: object) -> PermittedGrant:
        fields = {
            "grant_id": secrets.token_bytes(16),
            "challenge": challenge,
            "subject": subject,
            "tenant": "acme",
            "lock_group": "doors",
            "issued_at_s": int(clock.now_s),
            "expires_at_s": int(clock.now_s) + 600,
            "max_attempts": attempts,
            "development": True,
            **changes,
        }
        return PermittedGrant(Grant(**fields), b"envelope of " + fields["grant_id"])

    return make
