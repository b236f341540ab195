"""What somebody who holds a record, and perhaps the host's signing key too, can make of it."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

from faceward.host import Host
from faceward.signing.sealing import host_trust, seal_payload
from faceward.store.templates import StoredTemplate
from faceward_proto import trust as lock
from faceward_proto.envelope import GRANT_TYPE, TEMPLATE_TYPE, read_envelope
from faceward_proto.v1.grant_pb2 import Grant
from faceward_proto.v1.template_pb2 import TemplateRecord


@dataclass(frozen=True)
class Enrolled:
    """Two people whom one host enrolled, and a lock that believes that host and its simulated sensor."""

    host: Host
    alice: StoredTemplate
    bob: StoredTemplate

    def trust(self, **changes: object) -> lock.TrustStore:
        store = host_trust(self.host.signer, "development", "workbench", simulated=True)
        return replace(store, **changes)

    def verdict(self, envelope: bytes, trust: lock.TrustStore | None = None, **told: object) -> str:
        """What the lock says: "taken", or the kind of its refusal."""
        try:
            lock.verify_template(envelope, trust or self.trust(), **{"now_s": time.time(), "grant_seen": (), **told})
        except lock.VerificationError as error:
            return error.kind
        return "taken"

    def sealed(self, record: TemplateRecord) -> bytes:
        """The record under the host's own signature."""
        return seal_payload(record.SerializeToString(deterministic=True), TEMPLATE_TYPE, self.host.signer)


def record_of(envelope: bytes) -> TemplateRecord:
    return TemplateRecord.FromString(read_envelope(envelope, TEMPLATE_TYPE).payload)


def grant_of(record: TemplateRecord) -> Grant:
    return Grant.FromString(read_envelope(record.grant, GRANT_TYPE).payload)
