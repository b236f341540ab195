"""Where a sensor comes from, as far as it can be proven to a host: when it opens, and of the capture that it signed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from faceward_proto.attestation import EVIDENCE_KIND, ProvenSensor, check_firmware, verify_chain
from faceward_proto.errors import Revoked, UntrustedSensor, VerificationError
from faceward_proto.trust import TrustStore

from faceward.hal.sensor import EvidenceScheme
from faceward.model.capture import SensorClaim
from faceward.model.frame import SensorInfo
from faceward.model.template import Attestation


@dataclass(frozen=True, slots=True)
class Provenance:
    """What an open sensor proved. `problem` says why it proved nothing, and is empty where it did."""

    attestation: Attestation
    device_key: bytes = b""  # SHA-256 of the proven device key (DER)
    problem: str = ""


def provenance_of(
    claim: SensorClaim | None, info: SensorInfo, trust: TrustStore, schemes: Mapping[str, EvidenceScheme]
) -> Provenance:
    """Hold an open sensor's claim against a trust store.

    1. It claims something, of a kind that is verified here or by a driver's scheme.
    2. Its chain leads to a root of the trust store, its firmware reaches the floor, no key of it was revoked.
    3. It is the sensor that it says it is.
    4. A simulated one is taken by the trust store.
    """
    try:
        # 1
        if claim is None:
            raise UntrustedSensor("the sensor claims nothing that it could prove")
        # 2
        proven = _proven(claim, trust, schemes)
        # 3
        said = (info.vendor, info.model, info.serial, info.firmware_version)
        if said != (proven.vendor, proven.model, proven.serial, proven.firmware_version):
            raise UntrustedSensor("the sensor proved to be another than it says it is")
        # 4
        if proven.simulated and not trust.allow_simulated:
            raise UntrustedSensor("the sensor is simulated")
    except VerificationError as error:
        return Provenance(Attestation.NONE, problem=str(error))
    label = Attestation.SIMULATED if proven.simulated else Attestation.VERIFIED
    return Provenance(label, proven.device_key.digest)


def _proven(claim: SensorClaim, trust: TrustStore, schemes: Mapping[str, EvidenceScheme]) -> ProvenSensor:
    if claim.kind == EVIDENCE_KIND:
        return verify_chain(
            claim.proof, trust.sensor_roots, floors=trust.firmware, revoked_keys=trust.revoked_keys
        )
    scheme = schemes.get(claim.kind)
    if scheme is None:
        raise UntrustedSensor(f"no driver verifies claims of the kind {claim.kind}")
    try:
        proven = scheme.verify_claim(claim.proof)
    except VerificationError:
        raise
    except Exception as error:
        raise UntrustedSensor(f"the verification of {claim.kind} failed: {type(error).__name__}") from error
    # What every kind is held to is not left to a vendor's code.
    if not isinstance(proven, ProvenSensor) or type(proven.simulated) is not bool:
        raise UntrustedSensor(f"the verification of {claim.kind} gave no sensor")
    check_firmware(proven, trust.firmware)
    if trust.revoked_keys & {proven.device_key.digest, proven.signing_key.digest}:
        raise Revoked("a key of the sensor was revoked")
    return proven
