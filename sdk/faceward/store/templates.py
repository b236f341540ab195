"""Signed templates, encrypted: one key a subject, wrapped by the key-encryption key.

Removing a subject destroys its wrapped key, and with it whatever copy of the ciphertext is left anywhere. Nothing in
the database is readable without the key provider, names included.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Row, delete, insert, select, update

from faceward.errors import ConfigError, DuplicateSubject, SigningError, StoreError, SubjectUnknown
from faceward.signing.key_provider import KeyProvider
from faceward.store.database import ABOUT, TEMPLATES, Database
from faceward.store.subjects import Subject, parse_subject, pseudonym

_NONCE_BYTES: Final = 12
_DAMAGED: Final = "it was changed, or belongs to another key or subject"


@dataclass(frozen=True, slots=True)
class StoredSubject:
    """Who is enrolled: name, the record's id, and when it was stored (Unix seconds)."""

    subject: Subject
    record_id: bytes
    stored_at_s: int


@dataclass(frozen=True, slots=True)
class StoredTemplate:
    """A signed template as it was stored. It is not verified here: that is for whoever uses it."""

    subject: Subject
    record_id: bytes
    stored_at_s: int
    envelope: bytes


class TemplateStore:
    """Templates by subject. Every method raises StoreError when the database or the key fails it.

    A database belongs to the key that it was first opened with. Raises: ConfigError for what is no KeyProvider,
    StoreError for another key than that.
    """

    def __init__(self, database: Database, keys: KeyProvider) -> None:
        if not isinstance(keys, KeyProvider):
            raise ConfigError("the policy's key provider is not a faceward.signing.key_provider.KeyProvider")
        self._database = database
        self._keys = keys
        with database.transaction() as connection:
            owner = connection.execute(select(ABOUT.c.key_id)).scalar_one()
            if owner is None:
                connection.execute(update(ABOUT).values(key_id=keys.key_id))
            elif owner != keys.key_id:
                raise StoreError("the store was written with another key-encryption key than the one at hand")

    def pseudonym(self, subject: Subject) -> bytes:
        """The subject's pseudonym under this store's key."""
        return pseudonym(subject, self._keys)

    def add(self, subject: Subject, envelope: bytes, *, record_id: bytes, stored_at_s: int) -> None:
        """Store a subject's signed template, whole or not at all.

        Raises: DuplicateSubject when the subject is enrolled already, StoreError.
        """
        who = self.pseudonym(subject)
        key = AESGCM.generate_key(256)
        row = {
            "pseudonym": who,
            "record_id": record_id,
            "stored_at_s": stored_at_s,
            "wrapped_key": self._keys.wrap(key, _identity(b"key", who, record_id)),
            "sealed_name": _seal(key, subject.encode("ascii"), _identity(b"name", who, record_id)),
            "sealed_envelope": _seal(key, envelope, _identity(b"envelope", who, record_id)),
        }
        with self._database.transaction() as connection:
            taken = connection.execute(select(TEMPLATES.c.record_id).where(TEMPLATES.c.pseudonym == who)).first()
            if taken is not None:
                raise DuplicateSubject(f"{subject} is enrolled already")
            connection.execute(insert(TEMPLATES).values(row))

    def get(self, subject: Subject) -> StoredTemplate:
        """A subject's template. Raises: SubjectUnknown, StoreError."""
        who = self.pseudonym(subject)
        with self._database.transaction() as connection:
            row = connection.execute(select(TEMPLATES).where(TEMPLATES.c.pseudonym == who)).first()
        if row is None:
            raise SubjectUnknown(f"nobody is enrolled as {subject}")
        key = self._key(row)
        if self._name(row, key) != subject:
            raise StoreError(f"the template of {subject} can't be read: {_DAMAGED}")
        envelope = _open(key, row.sealed_envelope, _identity(b"envelope", row.pseudonym, row.record_id))
        return StoredTemplate(subject, row.record_id, row.stored_at_s, envelope)

    def list(self) -> tuple[StoredSubject, ...]:
        """Everybody who is enrolled, by name."""
        with self._database.transaction() as connection:
            columns = [column for column in TEMPLATES.c if column is not TEMPLATES.c.sealed_envelope]
            rows = connection.execute(select(*columns)).all()
        found = [StoredSubject(self._name(row, self._key(row)), row.record_id, row.stored_at_s) for row in rows]
        return tuple(sorted(found, key=lambda entry: entry.subject))

    def remove(self, subject: Subject) -> None:
        """Destroy a subject's key and delete its template. Works on a row that can't be read, too.

        Raises: SubjectUnknown, StoreError.
        """
        with self._database.transaction() as connection:
            gone = connection.execute(delete(TEMPLATES).where(TEMPLATES.c.pseudonym == self.pseudonym(subject)))
            if gone.rowcount == 0:
                raise SubjectUnknown(f"nobody is enrolled as {subject}")

    def _key(self, row: Row[Any]) -> bytes:
        try:
            return self._keys.unwrap(row.wrapped_key, _identity(b"key", row.pseudonym, row.record_id))
        except SigningError as error:
            raise StoreError(f"a template can't be read: {error}") from None

    def _name(self, row: Row[Any], key: bytes) -> Subject:
        name = _open(key, row.sealed_name, _identity(b"name", row.pseudonym, row.record_id))
        subject = parse_subject(name.decode("ascii"))
        if self.pseudonym(subject) != row.pseudonym:
            raise StoreError(f"the template of {subject} can't be read: {_DAMAGED}")
        return subject


def _identity(part: bytes, who: bytes, record_id: bytes) -> bytes:
    return b"faceward.store.v1\0" + part + b"\0" + who + record_id


def _seal(key: bytes, plain: bytes, associated: bytes) -> bytes:
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, plain, associated)


def _open(key: bytes, sealed: bytes, associated: bytes) -> bytes:
    try:
        return AESGCM(key).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], associated)
    except (InvalidTag, ValueError):
        raise StoreError(f"a template can't be read: {_DAMAGED}") from None
