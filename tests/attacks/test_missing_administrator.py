"""Two administrators are asked for, and one of them tries it alone."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from faceward import Host, countersign_grant, enroll, issue_grant, request_enrollment
from faceward.config import KeyFiles
from faceward.errors import PermissionRefused, SigningError
from faceward.signing.file_key import FileKeySigner
from faceward_proto.envelope import GRANT_TYPE, pre_authentication_encoding, read_envelope, write_envelope
from faceward_proto.keys import PublicKey
from faceward_proto.trust import TrustedKey, all_of

from tests.attacks.records import Enrolled
from tests.sdk.conftest import make_key_files


@pytest.fixture
def asked(host_before: Callable[..., Host], tmp_path: Path) -> tuple[Host, FileKeySigner, FileKeySigner, Any]:
    """A host that wants two administrators, both of them, and its request."""
    host = host_before("live", 7)
    first, second = make_key_files(tmp_path, "a", "b")
    both = KeyFiles(2, (tmp_path / "a.pub.pem", tmp_path / "b.pub.pem"))
    host = replace(host, policy=replace(host.policy, administrators=both))
    return host, first, second, request_enrollment(host, "mallory")


def test_one_signature_opens_no_sensor_and_spends_nothing(
    asked: tuple[Host, FileKeySigner, FileKeySigner, Any], keeps_the_promise: Callable[..., None]
) -> None:
    host, first, _, request = asked
    grant = issue_grant(request, first, now_s=time.time())
    with pytest.raises(PermissionRefused):
        enroll(host, "mallory", grant=grant)
    with pytest.raises(PermissionRefused, match="administrator's grant"):
        enroll(host, "mallory")
    keeps_the_promise(host, attempts=[])


def test_signing_twice_counts_once(
    asked: tuple[Host, FileKeySigner, FileKeySigner, Any], keeps_the_promise: Callable[..., None]
) -> None:
    host, first, _, request = asked
    grant = issue_grant(request, first, now_s=time.time())
    with pytest.raises(SigningError, match="counts once"):
        countersign_grant(grant, first, now_s=time.time())
    # By hand, then: two signatures of one key, different in their bytes.
    payload = read_envelope(grant, GRANT_TYPE).payload
    message = pre_authentication_encoding(GRANT_TYPE, payload)
    signatures = sorted({first.sign(message), first.sign(message)})
    assert len(signatures) == 2
    with pytest.raises(PermissionRefused):
        enroll(host, "mallory", grant=write_envelope(payload, GRANT_TYPE, signatures))
    keeps_the_promise(host, attempts=[])


def test_a_lock_that_wants_two_refuses_what_one_permitted(enrolled: Enrolled, tmp_path: Path) -> None:
    (second,) = make_key_files(tmp_path, "b")
    own = enrolled.trust().administrators[0].keys[0]
    both = all_of([own, TrustedKey(PublicKey(second.public_key_der), "file")])
    assert enrolled.verdict(enrolled.alice.envelope, enrolled.trust(administrators=(both,))) == "signature-invalid"
