"""Records and grants are taken within their bounds, and each bound by itself refuses."""

from __future__ import annotations

import math

import pytest
from faceward_proto.reader import MalformedMessage
from faceward_proto.records import check_template, read_grant, read_template
from faceward_proto.v1 import template_pb2

RECORD_CHANGES = {
    "version": [0, 2],
    "record_id": [b"", b"r" * 15, b"r" * 17],
    "subject": [b"s" * 31, b"s" * 33],
    "tenant": ["", "a" * 65, "a b", "../x", "a\n", "é"],
    "lock_group": ["", "-a", "a/b"],
    "epoch": [1 << 40],
    "issued_at_s": [0, 1_800_086_400, 1_900_000_000],
    "expires_at_s": [0, 1_800_000_000, 1 << 40],
    "sdk_version": ["", "0.1.0 "],
    "extractor__name": ["", "s face"],
    "extractor__version": [""],
    "poses": [None],
    "poses__0__pose": [0, template_pb2.POSE_LEFT],
    "poses__0__flood_digest": [b"", b"f" * 31],
    "poses__0__depth_digest": [b"f", b"f" * 33],
    "outcome": [0],
    "gates": [None],
    "gates__0__name": ["", "skin-optics", "z-after"],
    "gates__0__version": ["", "1 0"],
    "gates__0__distribution": ["", "x" * 65],
    "gates__0__outcome": [0],
    "gates__0__cue": ["x" * 129, "a\x00b", "a\x9fb", "a\x7f"],
    "gates__0__measures__0__name": ["", "x" * 65],
    "gates__0__measures__0__unit": ["x" * 65, "\t"],
    "gates__0__measures__0__value": [math.inf, math.nan],
    "gates__0__measures__0__limit": [None, -math.inf],
    "gates__0__measures__0__sense": [0],
    "policy_hash": [b"", b"p" * 31],
    "capture": [None],
    "capture__capture_id": ["", "a b"],
    "capture__digest": [b"", b"x" * 33],
    "capture__nonce": [b"n" * 7, b"n" * 33],
    "capture__schedule_digest": [b""],
    "sensor": [None],
    "sensor__vendor": ["", "x" * 65, "\u0444" * 33],
    "sensor__model": ["", "a\nb"],
    "sensor__serial": [""],
    "sensor__firmware_version": [""],
    "sensor__hardware_revision": ["\x1b[2J"],
    "sensor__kind": [0],
    "sensor__attestation": [0],
    "grant": [b"", b"g" * 16_385],
}
GRANT_CHANGES = {
    "version": [0, 2],
    "grant_id": [b"g" * 15],
    "challenge": [b"c" * 31],
    "subject": [b""],
    "tenant": ["", "a b"],
    "lock_group": [""],
    "host_key": [b"h" * 31],
    "sensor_serial": ["x" * 65, "\n"],
    "issued_at_s": [0, 1_900_000_000],
    "expires_at_s": [0, 1 << 40],
    "max_attempts": [0, 11],
}


def _each(changes):
    return [pytest.param({path: value}, id=f"{path}={value!r:.20}") for path in changes for value in changes[path]]


@pytest.mark.parametrize("changes", _each(RECORD_CHANGES))
def test_a_record_out_of_bounds_is_refused(world, changes):
    with pytest.raises(MalformedMessage):
        read_template(world.record(**changes).SerializeToString())


@pytest.mark.parametrize("changes", _each(GRANT_CHANGES))
def test_a_grant_out_of_bounds_is_refused(world, changes):
    with pytest.raises(MalformedMessage):
        read_grant(world.grant(**changes).SerializeToString())


def test_what_is_within_bounds_is_taken(world):
    for changes in (
        {},
        {"epoch": (1 << 40) - 1, "expires_at_s": (1 << 40) - 1},
        {"sensor__vendor": "\u0444" * 32, "sensor__hardware_revision": "B"},
        {"gates__0__cue": "", "gates__0__measures": None},
        {"relief": None, "grant": b"g" * 4096},
        {"capture__nonce": b"n" * 8},
    ):
        record = world.record(**changes)
        assert read_template(record.SerializeToString()) == record
    for changes in ({}, {"host_key": b"h" * 32, "sensor_serial": "W-1", "development": True, "max_attempts": 10}):
        assert read_grant(world.grant(**changes).SerializeToString()) == world.grant(**changes)


@pytest.mark.parametrize("numbers", [[], [0.6, 0.81], [0.0, 0.0], [1.0], [0.6, math.nan], [1.0] * 1025])
def test_an_embedding_of_another_length_than_one_or_than_the_others_is_refused(world, numbers):
    record = world.record()
    record.poses[0].embedding[:] = numbers
    with pytest.raises(MalformedMessage):
        read_template(record.SerializeToString())


def test_too_many_of_anything_are_refused(world):
    record = world.record()
    record.relief.extend([1.0] * 1023)
    with pytest.raises(MalformedMessage, match="relief"):
        check_template(record)
    record = world.record()
    for _ in range(32):
        record.gates[1].measures.add(name="x", value=1.0)
    with pytest.raises(MalformedMessage, match="33 measures"):
        check_template(record)
    record = world.record()
    for index in range(15):
        record.gates.add(name=f"z-{index:02}", version="1", distribution="d", outcome=1)
    with pytest.raises(MalformedMessage, match="17 gates"):
        check_template(record)
    record = world.record()
    while len(record.poses) < 9:
        record.poses.add(pose=3 + len(record.poses) % 4, embedding=[1.0, 0.0], flood_digest=b"f" * 32)
    with pytest.raises(MalformedMessage, match="9 poses"):
        check_template(record)


def test_gates_out_of_name_order_are_refused(world):
    record = world.record()
    first, second = list(record.gates)
    del record.gates[:]
    record.gates.extend([second, first])
    with pytest.raises(MalformedMessage, match="name order"):
        check_template(record)
