"""What was admitted becomes a signed record that a lock can verify, and nothing else does."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import numpy as np
import pytest
from faceward.errors import SigningError, VerificationError
from faceward.liveness.admit import admit
from faceward.model.capture import FaceTemplate, SensorEvidence
from faceward.model.face import Pose
from faceward.model.frame import digest_of
from faceward.model.liveness import Outcome
from faceward.model.template import Attestation, GrantPurpose, GrantRequest
from faceward.signing.file_key import FileKeySigner
from faceward.signing.grants import Occasion, issue_grant, permit
from faceward.signing.sealing import Validity, host_trust, make_record, seal, unseal
from faceward.signing.signer import Signer
from faceward.wire.record import encode_template
from faceward_proto.attestation import EVIDENCE_KIND, SIMULATOR_ROOT_DER, ProvenSensor, claim_of
from faceward_proto.keys import PublicKey
from faceward_proto.records import read_template
from faceward_proto.trust import TrustedKey, any_of

NOW_S = 1_800_000_000
EVIDENCE = SensorEvidence("told.v1", b"evidence")
VALIDITY = Validity(NOW_S, NOW_S + 3600, epoch=2)
OCCASION = Occasion(frozenset({b"c" * 32}), b"s" * 32, "acme", "doors", "W-1")
REQUEST = GrantRequest(
    GrantPurpose.ENROLL, b"c" * 32, NOW_S + 3600, "acme", "doors", b"h" * 32, b"s" * 32, "alice", "W-1"
)


@pytest.fixture
def permitted(signer):
    trust = host_trust(signer, "acme", "doors", simulated=False, unattested=True)
    request = replace(REQUEST, host_key=hashlib.sha256(signer.public_key_der).digest())
    envelope = issue_grant(request, signer, now_s=NOW_S, development=True)
    return permit(envelope, trust, OCCASION, host_key=request.host_key, now_s=NOW_S)


@pytest.fixture
def made(template, permitted, signer):
    """`made(live)`: the record that a host that takes the simulator's makes of it; what differs is told."""

    def make(live, *, template=template, **changes):
        trust = replace(host_trust(signer, "acme", "doors", simulated=True, unattested=True), **changes)
        return make_record(live, template, permitted, VALIDITY, trust, sdk_version="0.1.0")

    return make


@pytest.fixture
def record(make_live, made):
    return made(make_live())


def test_a_record_tells_how_it_came_to_be(record, permitted):
    assert (record.subject, record.tenant, record.lock_group) == (b"s" * 32, "acme", "doors")
    assert (record.issued_at_s, record.expires_at_s, record.epoch) == (NOW_S, NOW_S + 3600, 2)
    assert record.outcome is Outcome.LIVE
    assert [gate.name for gate in record.gates] == ["flatness", "skin-optics"]
    assert {gate.cue for gate in record.gates} == {"relief"}
    assert [pose.pose for pose in record.poses] == [Pose.FRONTAL, Pose.LEFT]
    assert record.poses[0].flood_digest == digest_of(b"\x01\x00")
    assert record.poses[0].depth_digest == digest_of(b"\x02\x00")
    assert record.poses[1].depth_digest == b""
    assert (record.capture.digest, record.capture.nonce) == (b"x" * 32, b"n" * 16)
    assert (record.sensor.serial, record.sensor.attestation) == ("W-1", Attestation.NONE)
    assert record.grant == permitted.envelope


def test_two_records_never_have_one_id(make_live, made):
    ids = {made(make_live()).record_id for _ in range(3)}
    assert len(ids) == 3


def test_a_simulated_capture_makes_a_simulated_record(make_live, attest, made, permitted, signer):
    record = made(make_live(attest(permitted.envelope)), allow_unattested=False)
    assert record.simulated
    assert record.sensor.evidence_kind == EVIDENCE_KIND
    sealed = seal(record, signer)
    assert unseal(sealed, host_trust(signer, "acme", "doors", simulated=True, unattested=True), now_s=NOW_S).simulated
    with pytest.raises(VerificationError) as caught:
        unseal(sealed, host_trust(signer, "acme", "doors", simulated=False, unattested=True), now_s=NOW_S)
    assert caught.value.kind == "untrusted-sensor"


def test_a_vendors_evidence_makes_a_verified_record(make_live, made, permitted):
    key = PublicKey(SIMULATOR_ROOT_DER)
    proven = ProvenSensor("Ward", "SL-940", "W-1", "1.2.0", 1, bytes(32), key, key, None, simulated=False)
    claims = []
    record = made(
        make_live(EVIDENCE),
        evidence_verifiers={"told.v1": lambda evidence, claim: claims.append((evidence, claim)) or proven},
        allow_unattested=False,
    )
    assert (record.sensor.attestation, record.sensor.evidence) == (Attestation.VERIFIED, b"evidence")
    ((evidence, claim),) = claims
    assert (evidence, claim.serial, claim.grant_digest) == (
        b"evidence", "W-1", hashlib.sha256(permitted.envelope).digest(),
    )  # fmt: skip
    assert claim == claim_of(read_template(encode_template(record)))


@pytest.mark.parametrize("wrong", ["another grant", "another capture", "unknown kind", "root that is not trusted"])
def test_evidence_that_proves_nothing_does_not_travel_and_makes_no_record_where_it_is_asked_for(
    make_live, attest, made, permitted, wrong
):
    live, changes = make_live(attest(permitted.envelope)), {}
    if wrong == "another grant":
        live = make_live(attest(b"another grant"))
    elif wrong == "another capture":
        live = admit(replace(live.capture, slots=91), live.verdict)
    elif wrong == "unknown kind":
        live = make_live(EVIDENCE)
    else:
        changes = {"sensor_roots": ()}
    sensor = made(live, **changes).sensor
    assert (sensor.attestation, sensor.evidence_kind, sensor.evidence) == (Attestation.NONE, "", b"")
    with pytest.raises(VerificationError) as caught:
        made(live, allow_unattested=False, **changes)
    assert caught.value.kind == "untrusted-sensor"


def test_a_capture_without_evidence_says_that_nothing_was_proven(record):
    assert (record.sensor.attestation, record.sensor.evidence_kind) == (Attestation.NONE, "")


def test_a_sealed_record_comes_back(record, signer):
    trust = host_trust(signer, "acme", "doors", simulated=False, unattested=True)
    read = unseal(seal(record, signer), trust, now_s=NOW_S, epoch=2, subject=b"s" * 32)
    assert (read.record_id, read.gates, read.grant) == (record.record_id, record.gates, record.grant)
    assert np.array_equal(read.template.embeddings, record.template.embeddings)


def test_no_byte_of_a_sealed_record_can_be_flipped(record, signer):
    trust = host_trust(signer, "acme", "doors", simulated=False, unattested=True)
    sealed = seal(record, signer)
    for index in range(len(sealed)):
        changed = bytes([*sealed[:index], sealed[index] ^ 0x10, *sealed[index + 1 :]])
        with pytest.raises(VerificationError):
            unseal(changed, trust, now_s=NOW_S)


@pytest.mark.parametrize(
    ("arguments", "kind"),
    [
        ({"now_s": NOW_S + 3600}, "expired"),
        ({"now_s": NOW_S, "epoch": 3}, "revoked"),
        ({"now_s": NOW_S, "subject": b"z" * 32}, "wrong-context"),
    ],
)
def test_the_verifiers_word_for_it_is_kept(record, signer, arguments, kind):
    with pytest.raises(VerificationError) as caught:
        unseal(seal(record, signer), host_trust(signer, "acme", "doors", simulated=False, unattested=True), **arguments)
    assert caught.value.kind == kind


def test_a_production_trust_store_refuses_what_development_made(record, signer):
    key = (any_of([TrustedKey(PublicKey(signer.public_key_der), "pkcs11")]),)
    development = host_trust(signer, "acme", "doors", unattested=True)
    trust = replace(development, hosts=key, administrators=key, allow_development=False)
    with pytest.raises(VerificationError) as caught:
        unseal(seal(record, signer), trust, now_s=NOW_S)
    assert caught.value.kind == "permission-invalid"


def test_only_an_admitted_capture_makes_a_record(make_live, made):
    with pytest.raises(TypeError, match="LiveCapture alone"):
        made(make_live().capture)


@pytest.mark.parametrize(
    "poses", [(Pose.UP, Pose.LEFT), (Pose.FRONTAL,), (Pose.LEFT, Pose.FRONTAL), (Pose.FRONTAL, Pose.LEFT, Pose.UP)]
)
def test_poses_that_are_not_the_key_frames_in_order_make_no_record(make_live, made, poses):
    template = FaceTemplate("sface", "1", poses, np.eye(len(poses), dtype=np.float32), np.zeros(0, np.float32))
    with pytest.raises(VerificationError, match="key frames, in order"):
        made(make_live(), template=template)


class _Faulty(Signer):
    algorithm, key_id, custody = "ES256", "faulty", "file"

    def __init__(self, signature: bytes, public: bytes) -> None:
        self._signature, self._public = signature, public

    def sign(self, message: bytes) -> bytes:
        return self._signature

    @property
    def public_key_der(self) -> bytes:
        return self._public


def test_a_faulty_signer_is_found_out_before_its_record_leaves(record, signer):
    for faulty in (_Faulty(bytes(64), signer.public_key_der), _Faulty(bytes(64), b"junk")):
        with pytest.raises(SigningError, match="faulty"):
            seal(record, faulty)
    with pytest.raises(SigningError, match="faulty"):
        host_trust(_Faulty(b"", b"junk"), "acme", "doors", simulated=False)


def test_another_hosts_records_are_refused(record, signer, tmp_path):
    other = FileKeySigner.create(tmp_path / "other.pem")
    with pytest.raises(VerificationError) as caught:
        unseal(seal(record, other), host_trust(signer, "acme", "doors", simulated=False, unattested=True), now_s=NOW_S)
    assert caught.value.kind == "signature-invalid"
