"""A field of one person's record in the place of another's: a database that its administrator edits."""

from __future__ import annotations

import pytest
from faceward_proto.envelope import TEMPLATE_TYPE, read_envelope, write_envelope
from faceward_proto.v1.template_pb2 import TemplateRecord

from tests.attacks.records import Enrolled, record_of

FIELDS = [field.name for field in TemplateRecord.DESCRIPTOR.fields]
# What the sensor's signature and the administrators' reach. The rest is what the host says, and its key is trusted for.
PROVEN = {"subject": "permission-invalid", "capture": "untrusted-sensor", "sensor": "untrusted-sensor",
          "poses": "untrusted-sensor", "grant": "untrusted-sensor"}  # fmt: skip


def _swapped(enrolled: Enrolled, name: str) -> TemplateRecord:
    """Alice's record with Bob's value in one field."""
    record, other = record_of(enrolled.alice.envelope), record_of(enrolled.bob.envelope)
    record.ClearField(name)
    donor = TemplateRecord()
    donor.MergeFrom(other)
    for field in TemplateRecord.DESCRIPTOR.fields:
        if field.name != name:
            donor.ClearField(field.name)
    record.MergeFrom(donor)
    return record


@pytest.mark.parametrize("name", FIELDS)
def test_a_record_with_another_persons_field_is_not_what_the_host_signed(enrolled: Enrolled, name: str) -> None:
    swapped = _swapped(enrolled, name).SerializeToString(deterministic=True)
    found = read_envelope(enrolled.alice.envelope, TEMPLATE_TYPE)
    forged = write_envelope(swapped, TEMPLATE_TYPE, [signature.sig for signature in found.signatures])
    same = swapped == found.payload
    assert enrolled.verdict(forged) == ("taken" if same else "signature-invalid")


@pytest.mark.parametrize("name", sorted(PROVEN))
def test_with_the_hosts_key_too_nothing_can_be_said_of_another_person_capture_or_grant(
    enrolled: Enrolled, name: str
) -> None:
    assert enrolled.verdict(enrolled.sealed(_swapped(enrolled, name))) == PROVEN[name]


def test_the_embedding_itself_is_the_hosts_word(enrolled: Enrolled) -> None:
    """A known limit (docs/threat-model.md): the sensor signs frames, and the host makes embeddings of them."""
    record, other = record_of(enrolled.alice.envelope), record_of(enrolled.bob.envelope)
    for pose, donor in zip(record.poses, other.poses, strict=True):
        pose.embedding[:] = donor.embedding
    assert enrolled.verdict(enrolled.sealed(record)) == "taken"


def test_a_record_is_taken_for_its_own_subject_alone(enrolled: Enrolled) -> None:
    alice, bob = enrolled.alice, enrolled.bob
    assert enrolled.verdict(alice.envelope, subject=record_of(alice.envelope).subject) == "taken"
    assert enrolled.verdict(alice.envelope, subject=record_of(bob.envelope).subject) == "wrong-context"
