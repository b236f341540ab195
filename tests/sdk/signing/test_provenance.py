"""A sensor is what it proves to be under the host's trust store, and nothing where it proves nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest
from faceward.hal.sensor import EvidenceScheme
from faceward.model.capture import SensorClaim
from faceward.model.template import Attestation
from faceward.signing.provenance import Provenance, provenance_of
from faceward.signing.sealing import host_trust
from faceward_proto.attestation import (
    EVIDENCE_KIND,
    SIMULATOR_ROOT_DER,
    FirmwareFloor,
    ProvenSensor,
    SensorRoot,
    verify_chain,
)
from faceward_proto.errors import UntrustedSensor
from faceward_proto.keys import PublicKey
from faceward_proto.v1.attestation_pb2 import SensorEvidence

VENDOR_KEY = PublicKey(SIMULATOR_ROOT_DER)
UNMARKED = SensorRoot(PublicKey(SIMULATOR_ROOT_DER), "a vendor's, it says")


@pytest.fixture
def trust(signer):
    return host_trust(signer, "acme", "doors", simulated=True)


@pytest.fixture
def claim(attest):
    """The claim of the sensor that `make_live`'s captures come from."""
    return SensorClaim(EVIDENCE_KIND, SensorEvidence.FromString(attest(b"grant").data).chain)


@pytest.fixture
def info(make_live):
    return make_live().capture.sensor


class Scheme(EvidenceScheme):
    """A vendor's, which answers `proven` or raises it."""

    kind = "acme.v1"

    def __init__(self, proven):
        self.proven = proven

    def verify_claim(self, proof):
        assert proof == b"proof"
        if isinstance(self.proven, Exception):
            raise self.proven
        return self.proven

    def verify_capture(self, evidence, claim):
        raise AssertionError("nothing was captured")


def vendors(simulated=False, **changes):
    proven = ProvenSensor("Ward", "SL-940", "W-1", "1.2.0", 3, bytes(32), VENDOR_KEY, VENDOR_KEY, None, simulated)
    return replace(proven, **changes)


def of_vendor(info, trust, proven):
    return provenance_of(SensorClaim("acme.v1", b"proof"), info, trust, {"acme.v1": Scheme(proven)})


def test_a_chain_to_the_simulators_root_is_simulated_and_names_the_device_key(claim, info, trust):
    key = verify_chain(claim.proof, trust.sensor_roots).device_key.digest
    assert provenance_of(claim, info, trust, {}) == Provenance(Attestation.SIMULATED, key)


def test_a_vendors_claim_is_verified_by_its_scheme(info, trust):
    assert of_vendor(info, trust, vendors()) == Provenance(Attestation.VERIFIED, VENDOR_KEY.digest)
    assert of_vendor(info, trust, vendors(simulated=True)).attestation is Attestation.SIMULATED


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"sensor_roots": ()}, "certified by none"),
        ({"sensor_roots": (UNMARKED,), "allow_simulated": False}, "simulated"),
        ({"firmware": (FirmwareFloor("Ward", "SL-940", 2),)}, "security version 1"),
        ({"revoked_keys": frozenset({VENDOR_KEY.digest})}, "revoked"),
    ],
    ids=["root", "simulated", "firmware", "revoked"],
)
def test_a_chain_that_the_trust_store_does_not_take_proves_nothing(claim, info, trust, changes, problem):
    found = provenance_of(claim, info, replace(trust, **changes), {})
    assert (found.attestation, found.device_key) == (Attestation.NONE, b"")
    assert problem in found.problem


@pytest.mark.parametrize("field", ["vendor", "model", "serial", "firmware_version"])
def test_a_sensor_that_says_it_is_another_than_it_proves_proves_nothing(claim, info, trust, field):
    found = provenance_of(claim, replace(info, **{field: "other"}), trust, {})
    assert found.attestation is Attestation.NONE
    assert "another than it says" in found.problem


@pytest.mark.parametrize(
    ("proven", "problem"),
    [
        (UntrustedSensor("no good"), "no good"),
        (RuntimeError("bug"), "failed: RuntimeError"),
        (None, "gave no sensor"),
        (vendors(simulated=None), "gave no sensor"),
        (vendors(serial="W-2"), "another than it says"),
    ],
    ids=["refused", "broken", "nothing", "undecided", "another"],
)
def test_a_scheme_that_does_not_plainly_verify_proves_nothing(info, trust, proven, problem):
    found = of_vendor(info, trust, proven)
    assert found.attestation is Attestation.NONE
    assert problem in found.problem


def test_a_vendors_sensor_is_held_to_floors_and_revocations_like_any(info, trust):
    floors = replace(trust, firmware=(FirmwareFloor("Ward", "SL-940", 4),))
    assert "security version 3" in of_vendor(info, floors, vendors()).problem
    revoked = replace(trust, revoked_keys=frozenset({VENDOR_KEY.digest}))
    assert "revoked" in of_vendor(info, revoked, vendors()).problem


def test_nothing_or_an_unknown_kind_proves_nothing(info, trust):
    assert "claims nothing" in provenance_of(None, info, trust, {}).problem
    unknown = provenance_of(SensorClaim("acme.v1", b"proof"), info, trust, {})
    assert unknown.attestation is Attestation.NONE
    assert "acme.v1" in unknown.problem
