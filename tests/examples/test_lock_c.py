"""The verifier in C builds without a heap, passes the conformance suite, and answers every input as Python's does."""

from __future__ import annotations

import importlib.util
import itertools
import json
import math
import random
import re
import shutil
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from faceward_proto import errors
from faceward_proto.envelope import GRANT_TYPE, TEMPLATE_TYPE, TRUST_TYPE
from faceward_proto.keys import PublicKey
from faceward_proto.reader import MalformedMessage, read_message
from faceward_proto.records import UNIT_LENGTH_TOLERANCE
from faceward_proto.trust import TrustedKey, at_least, verify_template
from faceward_proto.truststore import read_trust_store
from faceward_proto.v1 import attestation_pb2, capture_pb2, device_pb2, envelope_pb2, grant_pb2, template_pb2, trust_pb2
from faceward_proto.v1.envelope_pb2 import Envelope
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "lock_c"
SUITE = ROOT / "proto" / "conformance"
GOLDEN = ROOT / "tests" / "proto" / "vectors"
LACKS = ("ed25519", "ml-dsa-65")  # BearSSL has neither
MAX_STACK_BYTES = 6 * 1024  # what the example's README tells integrators to leave
CAP = 1 << 20
NEEDED = (
    "/usr/bin/nanopb_generator.py",
    "/usr/include/pb_decode.h",
    "/usr/include/bearssl/bearssl.h",
)


@dataclass(frozen=True)
class Built:
    """The example, built from a copy; `checked` holds the programs with the sanitizers in them."""

    source: Path

    @property
    def build(self) -> Path:
        return self.source / "build"

    @property
    def checked(self) -> Path:
        return self.build / "checked"

    @property
    def small(self) -> Path:
        """Built for a core with a small multiplier."""
        return self.build / "small"

    def make(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["make", "-s", f"PROTO={ROOT / 'proto'}", *arguments],
            cwd=self.source, capture_output=True, text=True, timeout=280, check=False,
        )  # fmt: skip


def _module(name: str, path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def make_material() -> ModuleType:
    """The suite's keys, records and trust stores, all made from labels."""
    return _module("lock_c_ingredients", SUITE / "ingredients.py")


@pytest.fixture(scope="module")
def write_case() -> Callable[[dict[str, Any], Path], bytes]:
    """A vector of the suite as test/judge.c reads it."""
    return _module("lock_c_report", EXAMPLE / "tools" / "report.py").case  # type: ignore[no-any-return]


def every_type() -> descriptor_pb2.FileDescriptorProto:
    """A message with a field of each scalar type, bare, repeated and optional, and one inside it: ours have not all."""
    file = descriptor_pb2.FileDescriptorProto(name="every_type.proto", package="faceward.test", syntax="proto3")
    message = file.message_type.add(name="EveryType")
    message.oneof_decl.add(name="either")
    message.field.add(name="left", number=400, type=4, label=1, oneof_index=0)
    message.field.add(name="right", number=401, type=9, label=1, oneof_index=0)
    for at, kind in enumerate(number for number in range(1, 19) if number not in (10, 11, 14)):
        message.field.add(name=f"bare_{at}", number=at + 1, type=kind, label=1)
        message.field.add(name=f"many_{at}", number=at + 101, type=kind, label=3)
        message.oneof_decl.add(name=f"_maybe_{at}")
        message.field.add(
            name=f"maybe_{at}", number=at + 201, type=kind, label=1, proto3_optional=True, oneof_index=at + 1
        )
    message.field.add(name="inside", number=300, type=11, label=1, type_name=".faceward.test.EveryType")
    message.field.add(name="insides", number=301, type=11, label=3, type_name=".faceward.test.EveryType")
    return file


def _every_type_class() -> Any:
    pool = descriptor_pool.DescriptorPool()
    pool.Add(every_type())
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("faceward.test.EveryType"))


EVERY_TYPE = _every_type_class()
MODULES = (attestation_pb2, capture_pb2, device_pb2, envelope_pb2, grant_pb2, template_pb2, trust_pb2)
KINDS = {
    "EveryType": EVERY_TYPE,
    **{name: getattr(module, name) for module in MODULES for name in module.DESCRIPTOR.message_types_by_name},
}


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """Everything that this file runs, built once."""
    missing = [path for path in NEEDED if not Path(path).exists()]
    missing += [tool for tool in ("make", "gcc", "protoc") if shutil.which(tool) is None]
    if missing:
        pytest.skip(f"not installable: Debian's gcc, make, nanopb, libnanopb-dev, libbearssl-dev ({', '.join(missing)})")
    source = tmp_path_factory.mktemp("lock_c") / "lock_c"
    shutil.copytree(EXAMPLE, source, ignore=shutil.ignore_patterns("build"))
    extra = source / "every_type.set"
    extra.write_bytes(descriptor_pb2.FileDescriptorSet(file=[every_type()]).SerializeToString())
    found = Built(source)
    for target in ("all", "checked", "build/judge", "BUILD=build/small CPU=-DFW_SMALL_MULTIPLIER build/small/verify"):
        done = found.make(*target.split(), f"EXTRA_SET={extra}")
        assert done.returncode == 0, done.stdout + done.stderr
    return found


# The suite


@pytest.mark.parametrize("programs", ["build", "checked", "small"])
def test_the_verifier_agrees_with_the_conformance_suite(built, programs):
    verifier = getattr(built, programs) / "verify"
    done = subprocess.run(
        [sys.executable, SUITE / "run.py", "--verifier", str(verifier),
         *itertools.chain.from_iterable(("--lacks", name) for name in LACKS)],
        capture_output=True, text=True, timeout=280, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    refusals, same = map(int, re.findall(r"of (\d+) refusals, (\d+) name", done.stdout)[0])
    assert refusals == same > 0


@pytest.mark.parametrize("arguments", [[], ["--now", "x"], ["--root"], ["--surprise", "1"]], ids=" ".join)
def test_a_command_that_can_not_be_run_decides_nothing(built, arguments):
    done = subprocess.run([built.checked / "verify", *arguments], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr


# What it costs


def test_nothing_that_the_verifier_reaches_can_ask_for_memory(built):
    done = built.make("no-heap")
    assert done.returncode == 0, done.stdout + done.stderr
    assert not re.search(r"alloc|free", done.stdout)


def test_one_reference_to_the_heap_fails_the_build(built, tmp_path):
    bad = Built(tmp_path / "lock_c")
    shutil.copytree(built.source, bad.source, ignore=shutil.ignore_patterns("build"))
    bounds = bad.source / "src" / "bounds.c"
    bounds.write_text(
        "#include <stdlib.h>\n"
        + bounds.read_text(encoding="utf-8").replace(
            "if (text.len == 0 || text.len > limit)", "if (text.len == 0 || text.len > limit || malloc(1) == NULL)"
        ),
        encoding="utf-8",
    )
    done = bad.make("no-heap")
    assert done.returncode != 0
    assert "malloc" in done.stdout + done.stderr


def test_code_memory_and_stack_are_measured_and_within_what_the_readme_promises(built, record_property):
    done = built.make("report")
    assert done.returncode == 0, done.stdout + done.stderr
    print(done.stdout)
    (code, own), = re.findall(r"code and constants: (\d+) bytes .* (\d+) of them", done.stdout)
    (ram,) = re.findall(r"static RAM: (\d+) bytes", done.stdout)
    (stack,) = re.findall(r"stack: (\d+) bytes", done.stdout)
    for name, value in (("code_bytes", code), ("own_code_bytes", own), ("ram_bytes", ram), ("stack_bytes", stack)):
        record_property(name, int(value))
    (frame,) = re.findall(r"largest frame of its own: (\d+) bytes", done.stdout)
    assert 0 < int(frame) < int(stack)
    assert 0 < int(own) < int(code)
    assert int(ram) == 0
    assert 0 < int(stack) <= MAX_STACK_BYTES
    assert f"{MAX_STACK_BYTES // 1024} KiB" in (EXAMPLE / "README.md").read_text(encoding="utf-8")


# The strict reader


def _python_takes(kind: Any, data: bytes) -> bool:
    try:
        read_message(kind, data, max_bytes=CAP)
    except MalformedMessage:
        return False
    return True


@pytest.fixture(scope="module")
def number_of(built) -> dict[str, int]:
    """The tables' number of each message, by its name."""
    head = (built.checked / "every" / "tables.h").read_text(encoding="utf-8")
    numbers = {name: int(number) for name, number in re.findall(r"#define FW_(\w+) (\d+)u", head)}
    macros = {name: re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).upper() for name in KINDS}
    return {name: numbers[macro] for name, macro in macros.items()}


@pytest.fixture(scope="module")
def c_takes(built, number_of) -> Iterator[Callable[[Sequence[tuple[str, bytes]]], list[bool]]]:
    """What the strict reader in C says of messages by name."""

    def ask(cases: Sequence[tuple[str, bytes]]) -> list[bool]:
        asked = b"".join(struct.pack("<BI", number_of[name], len(data)) + data for name, data in cases)
        done = subprocess.run([built.checked / "walk"], input=asked, capture_output=True, timeout=280, check=False)
        assert done.returncode == 0, done.stderr.decode()
        assert len(done.stdout) == len(cases)
        return [answer == 1 for answer in done.stdout]

    yield ask


def _golden() -> list[tuple[str, bytes]]:
    return [(path.name.partition(".")[0], path.read_bytes()) for path in sorted(GOLDEN.glob("*.bin"))]


def _disagreements(cases: Sequence[tuple[str, bytes]], answers: Sequence[bool]) -> list[tuple[str, str, bool]]:
    return [
        (name, data.hex(), answer)
        for (name, data), answer in zip(cases, answers, strict=True)
        if answer != _python_takes(KINDS[name], data)
    ]


def test_both_readers_take_every_golden_vector(c_takes):
    golden = _golden()
    assert {name for name, _ in golden} == KINDS.keys() - {"EveryType"}
    assert all(c_takes(golden))
    assert _disagreements(golden, [True] * len(golden)) == []


def test_both_readers_agree_on_every_golden_vector_with_a_byte_changed_cut_or_doubled(c_takes, record_property):
    cases = []
    for name, data in _golden():
        for at in range(len(data)):
            flips = [1 << bit for bit in range(8)] + [0xFF]
            cases += [(name, data[:at] + bytes([data[at] ^ flip]) + data[at + 1 :]) for flip in flips]
            cases += [(name, data[:at]), (name, data[:at] + data[at:][:1] + data[at:]), (name, data[:at] + data[at + 1 :])]
        cases += [(name, data + data), (name, data + b"\0")]
    answers = c_takes(cases)
    assert _disagreements(cases, answers) == []
    record_property("mutations", len(cases))
    assert 0 < sum(answers) < len(cases)


def test_both_readers_agree_on_every_golden_vector_read_as_every_other_message(c_takes):
    cases = [(name, data) for name in KINDS for _, data in _golden()]
    assert _disagreements(cases, c_takes(cases)) == []


def _varint(value: int, longer: int = 0) -> bytes:
    groups = [(value >> shift) & 0x7F for shift in range(0, max(value.bit_length(), 1), 7)] + [0] * longer
    return bytes([group | 0x80 for group in groups[:-1]] + groups[-1:])


_POWERS = [(1 << bit) + off for bit in (31, 32, 63, 64) for off in (-1, 0, 1)]
EDGES = [0, 1, 2, 3, 6, 7, 127, 128, *_POWERS, (1 << 64) - (1 << 31), (1 << 64) - (1 << 31) - 1]
_TEXTS = [b"a", "é€😀".encode(), b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe0\x9f\xbf", b"\xf0\x8f\xbf\xbf",
          b"\xc3", b"\x80", b"\xf4\x8f\xbf\xbf", b"\xee\x80\x80", b"\xf5\x80\x80\x80"]  # fmt: skip
_FLOATS = [struct.pack("<f", value) for value in (0.0, -0.0, 1.5, math.inf, -math.inf, math.nan, 1e-45)]
_DOUBLES = [struct.pack("<d", value) for value in (0.0, -0.0, 1.5, math.inf, -math.inf, math.nan, 5e-324)]


_FIXED32, _FIXED64 = [b"\0" * 4, b"\1\0\0\0"], [b"\0" * 8, b"\0" * 7 + b"\x80"]


def _values(field: Any) -> tuple[int, list[bytes]]:
    """A scalar field's own wire type, and values of it good and bad."""
    kinds = {field.TYPE_FLOAT: (5, _FLOATS), field.TYPE_DOUBLE: (1, _DOUBLES)}
    kinds |= dict.fromkeys((field.TYPE_FIXED32, field.TYPE_SFIXED32), (5, _FIXED32))
    kinds |= dict.fromkeys((field.TYPE_FIXED64, field.TYPE_SFIXED64), (1, _FIXED64))
    kinds |= dict.fromkeys((field.TYPE_STRING, field.TYPE_BYTES), (2, [b"", *_TEXTS]))
    return kinds.get(field.type, (0, [_varint(value, longer) for value in EDGES for longer in (0, 1, 3)]))


FIELDS = sorted(EVERY_TYPE.DESCRIPTOR.fields, key=lambda field: field.number)


def test_both_readers_agree_on_every_edge_of_every_type_in_every_place(c_takes):
    cases = []
    for field in FIELDS:
        if field.message_type is not None:
            continue
        wire_type, values = _values(field)
        for value in values:
            alone = _varint(len(value)) + value if wire_type == 2 else value
            packed = _varint(field.number << 3 | 2) + _varint(len(value)) + value
            cases += [_varint(field.number << 3 | kind) + alone for kind in range(8)]
            cases += [packed, packed + packed, packed[:-1], _varint(field.number << 3 | 2, 1) + packed[2:]]
    named = [("EveryType", data) for data in cases]
    answers = c_takes(named)
    assert _disagreements(named, answers) == []
    assert 0 < sum(answers) < len(answers)


def test_both_readers_agree_on_every_border_of_utf_8(c_takes):
    leads, seconds = range(0x7F, 0x100), (0x00, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xFF)
    tails = (b"", b"a", b"\x80", b"\xbf", b"\xc0", b"\x80\x80", b"\xbf\xbf", b"\x80\xc0", b"\x7f\x80", b"\x80\x80\x80")
    texts = [bytes([lead, second]) + tail for lead in leads for second in seconds for tail in tails]
    texts += [bytes([lead]) for lead in leads]
    (string,) = (field for field in FIELDS if field.name.startswith("bare_") and field.type == field.TYPE_STRING)
    cases = [("EveryType", _varint(string.number << 3 | 2) + _varint(len(text)) + text) for text in texts]
    assert _disagreements(cases, c_takes(cases)) == []


@st.composite
def _wire(draw: st.DrawFn, depth: int = 0) -> bytes:
    """Fields of EveryType as somebody writes them who means no good, or all is as it should be."""
    chosen = draw(st.lists(st.sampled_from(FIELDS), max_size=4))
    if draw(st.booleans()):
        chosen.sort(key=lambda field: field.number)
    out = b""
    for field in chosen:
        if field.message_type is not None:
            wire_type, body = 2, draw(_wire(depth + 1)) if depth < 10 else b""
        else:
            wire_type, values = _values(field)
            many = field.is_repeated and wire_type != 2 and draw(st.integers(0, 9)) > 0
            body = b"".join(draw(st.lists(st.sampled_from(values), min_size=0 if many else 1, max_size=3 if many else 1)))
            wire_type = 2 if many else wire_type
        if draw(st.integers(0, 19)) == 0:
            wire_type = draw(st.integers(0, 7))
        out += _varint(field.number << 3 | wire_type, draw(st.sampled_from([0] * 15 + [1])))
        out += _varint(len(body)) + body if wire_type == 2 else body
    return out


@settings(deadline=None, max_examples=40, suppress_health_check=list(HealthCheck))
@given(st.lists(_wire(), min_size=1, max_size=30))
def test_both_readers_agree_on_fields_of_every_type(c_takes, messages):
    cases = [("EveryType", data) for data in messages]
    assert _disagreements(cases, c_takes(cases)) == []


@settings(deadline=None, max_examples=40, suppress_health_check=list(HealthCheck))
@given(
    st.lists(
        st.tuples(
            st.sampled_from(_golden()),
            st.lists(
                st.tuples(st.integers(0, 400), st.integers(0, 6), st.binary(max_size=4), st.booleans()),
                min_size=1,
                max_size=3,
            ),
        ),
        min_size=1,
        max_size=40,
    )
)
def test_both_readers_agree_on_golden_vectors_that_were_spliced(c_takes, drawn):
    cases = []
    for (name, data), edits in drawn:
        raw = bytearray(data)
        for at, drop, put, again in edits:
            at %= len(raw) + 1
            raw[at : at + drop] = bytes(raw[at : at + drop]) * 2 if again else put
        cases.append((name, bytes(raw)))
    assert _disagreements(cases, c_takes(cases)) == []


@pytest.mark.parametrize("depth", range(6, 11))
def test_both_readers_agree_on_how_deep_messages_may_nest(c_takes, depth):
    data = b""
    for _ in range(depth):
        data = _varint(300 << 3 | 2) + _varint(len(data)) + data
    cases = [("EveryType", data)]
    answers = c_takes(cases)
    assert _disagreements(cases, answers) == []
    assert answers == [depth < 8]


def test_the_limits_of_an_embedding_in_c_are_the_first_and_the_last_that_python_takes():
    source = (EXAMPLE / "src" / "record.c").read_text(encoding="utf-8")
    lowest, highest = (float.fromhex(text) for text in re.findall(r"#define M(?:IN|AX)_SQUARE (\S+)", source))

    def taken(square: float) -> bool:
        return abs(math.sqrt(square) - 1.0) <= UNIT_LENGTH_TOLERANCE

    assert taken(lowest)
    assert not taken(math.nextafter(lowest, 0.0))
    assert taken(highest)
    assert not taken(math.nextafter(highest, 2.0))


# The verdict

RESULTS = ["", *(kind.kind for kind in (
    errors.UnsupportedRecord, errors.SignatureInvalid, errors.UntrustedKey, errors.WrongContext, errors.Expired,
    errors.Revoked, errors.NotShownLive, errors.UntrustedSensor, errors.PermissionInvalid, errors.GrantUsed,
    errors.RolledBack,
))]  # fmt: skip  # as fw_result numbers them, with nothing for accepted


@dataclass(frozen=True)
class Asked:
    """One run of both verifiers."""

    store: bytes
    record: bytes
    now_s: int
    sequence: int
    epoch: int

    def for_c(self, anchor: bytes) -> bytes:
        blocks = (anchor, self.store, self.record, b"", b"", b"", b"")
        head = struct.pack("<QQQBB", self.now_s, self.sequence, self.epoch, 1, 1)
        return head + b"".join(struct.pack("<I", len(block)) + block for block in blocks)

    def by_python(self, anchor: PublicKey) -> tuple[str, str]:
        root = at_least(1, [TrustedKey(anchor, "pinned")])
        try:
            store = read_trust_store(self.store, root, now_s=self.now_s, minimum_sequence=self.sequence)
        except errors.VerificationError as error:
            return error.kind, error.kind
        try:
            verify_template(self.record, store, now_s=self.now_s, epoch=self.epoch, grant_seen=())
        except errors.VerificationError as error:
            return "", error.kind
        return "", ""


@pytest.fixture(scope="module")
def judge(built) -> Callable[[bytes], list[tuple[str, str]]]:
    """What the verifier in C, under the sanitizers, says of cases: kinds of the trust store's and the record's refusal."""

    def ask(cases: bytes) -> list[tuple[str, str]]:
        done = subprocess.run([built.checked / "judge"], input=cases, capture_output=True, timeout=280, check=False)
        assert done.returncode == 0, done.stderr.decode()
        answers = [RESULTS[number] for number in done.stdout]
        for new, again in zip(answers[1::3], answers[2::3], strict=True):
            assert again == new.replace("grant-used", "")
        return list(zip(answers[::3], answers[1::3], strict=True))

    return ask


def test_the_suite_in_one_process_leaves_nothing_behind_and_breaks_no_rule_of_memory(judge, write_case):
    vectors = json.loads((SUITE / "vectors" / "manifest.json").read_text(encoding="utf-8"))["vectors"]
    able = [vector for vector in vectors if not set(LACKS) & set(vector["needs"])]
    answers = judge(b"".join(write_case(vector, SUITE / "vectors") for vector in able))
    assert [record for _, record in answers] == [vector["kind"] for vector in able]


def _mutated(data: bytes, draw: random.Random) -> bytes:
    raw = bytearray(data)
    for _ in range(draw.choice([1, 1, 1, 2, 4])):
        at = draw.randrange(len(raw) + 1)
        edit = draw.randrange(6)
        if edit < 3 and at < len(raw):
            raw[at] ^= 1 << draw.randrange(8) if edit else draw.randrange(1, 256)
        elif edit == 3:
            raw[at:at] = draw.randbytes(draw.randrange(1, 4))
        elif edit == 4:
            del raw[at : at + draw.randrange(1, 40)]
        else:
            raw[at:at] = raw[at : at + draw.randrange(1, 80)]
    return bytes(raw)


def _agree(
    asked: Sequence[Asked], judge: Callable[[bytes], list[tuple[str, str]]], anchor: PublicKey
) -> list[tuple[str, str]]:
    answers = judge(b"".join(one.for_c(anchor.der) for one in asked))
    for one, answer in zip(asked, answers, strict=True):
        assert answer == one.by_python(anchor), (one.store.hex(), one.record.hex(), one.now_s, one.sequence, one.epoch)
    return answers


@pytest.fixture
def draw(seed) -> random.Random:
    return random.Random(seed)


def test_both_verifiers_agree_on_records_and_stores_that_were_mutated_and_not_signed_again(
    judge, make_material, draw, record_property
):
    m = make_material
    store, record = m.trust(), m.record()
    asked = [Asked(store, _mutated(record, draw), m.NOW_S + 60, m.SEQUENCE, m.EPOCH) for _ in range(150)]
    asked += [Asked(_mutated(store, draw), record, m.NOW_S + 60, m.SEQUENCE, m.EPOCH) for _ in range(150)]
    answers = _agree(asked, judge, m.ROOT.public)
    record_property("mutations", len(answers))
    assert any(record for _, record in answers)


def test_both_verifiers_agree_on_what_the_right_keys_signed_after_it_was_mutated(
    judge, make_material, draw, record_property
):
    # A host, an administrator, a root or a sensor of bad faith: the mutation is behind the signature, so it is looked at.
    m = make_material
    store, record = m.trust(), m.record()
    grant = m.grant()

    def with_grant(change: Callable[[bytes], bytes]) -> bytes:
        return m.record(permission=m.resigned(grant, change, m.ADMINISTRATOR))

    def with_evidence(change: Callable[[bytes], bytes]) -> bytes:
        message = m.attested(m.record_message())
        message.sensor.evidence = change(message.sensor.evidence)
        return m.seal(message, TEMPLATE_TYPE, m.HOST)

    def with_statement(change: Callable[[bytes], bytes]) -> bytes:
        message = m.record_message()
        statement = change(m.SENSOR.capture(message).SerializeToString(deterministic=True))
        return m.seal(m.attested(message, proof=m.evidence(m.SENSOR, statement)), TEMPLATE_TYPE, m.HOST)

    def mutate(data: bytes) -> bytes:
        return _mutated(data, draw)

    makers: list[Callable[[], tuple[bytes, bytes]]] = [
        lambda: (store, m.resigned(record, mutate, m.HOST)),
        lambda: (m.resigned(store, mutate, m.ROOT), record),
        lambda: (store, with_grant(mutate)),
        lambda: (store, with_evidence(mutate)),
        lambda: (store, with_statement(mutate)),
    ]
    asked = [Asked(*make(), m.NOW_S + 60, m.SEQUENCE, m.EPOCH) for make in makers for _ in range(120)]
    answers = _agree(asked, judge, m.ROOT.public)
    kinds = {record for _, record in answers}
    record_property("mutations", len(answers))
    record_property("kinds", ", ".join(sorted(kinds)))
    assert {"unsupported-record", "untrusted-sensor", "wrong-context"} <= kinds


def test_both_verifiers_agree_on_embeddings_about_as_long_as_they_may_be(judge, make_material, draw):
    m = make_material
    store = m.trust(allow_unattested=True)
    asked = []
    # Its exact sum is half a step above the highest that is taken: how it is added decides.
    at_the_border = [1e-30, 1.000999927520752, 0.00023820996284484863, 1.3835728168487549e-05, 0.0002969205379486084,
                     2.4959444999694824e-06]  # fmt: skip
    pose = template_pb2.PoseTemplate(pose=template_pb2.POSE_FRONTAL, embedding=at_the_border, flood_digest=b"f" * 32)
    record = m.seal(m.record_message(poses=[pose]), TEMPLATE_TYPE, m.HOST)
    asked.append(Asked(store, record, m.NOW_S + 60, m.SEQUENCE, m.EPOCH))
    for _ in range(60):
        numbers = [draw.gauss(0.0, 1.0) for _ in range(draw.choice([1, 2, 5, 128, 1024]))]
        wanted = 1.0 + draw.choice([-1, 1]) * UNIT_LENGTH_TOLERANCE * draw.choice([0.0, 0.9999, 1.0, 1.0001])
        scale = wanted / math.sqrt(math.fsum(value * value for value in numbers))
        pose = template_pb2.PoseTemplate(
            pose=template_pb2.POSE_FRONTAL, embedding=[value * scale for value in numbers], flood_digest=b"f" * 32
        )
        record = m.seal(m.record_message(poses=[pose]), TEMPLATE_TYPE, m.HOST)
        asked.append(Asked(store, record, m.NOW_S + 60, m.SEQUENCE, m.EPOCH))
    answers = _agree(asked, judge, m.ROOT.public)
    assert {record for _, record in answers} == {"", "unsupported-record"}


def test_both_verifiers_agree_on_every_character_and_length_of_names_and_texts(judge, make_material):
    m = make_material
    store = m.trust(allow_unattested=True, extractors=None)
    names = [chr(code) for code in range(128)] + ["a" + chr(code) for code in range(128)] + ["é", "aé"]
    names += ["a" * length for length in (0, 1, 63, 64, 65)]
    changes: list[dict[str, object]] = [{"extractor__name": name} for name in names]
    texts = ["a" + chr(code) + "b" for code in (*range(0xA3), 0x7FF, 0x800, 0xFFFD, 0x10FFFF)]
    texts += ["é" * (limit // 2) + "a" * more for limit in (64, 128) for more in (0, 1)]
    changes += [{path: text} for text in texts for path in ("gates__0__cue", "sensor__serial")]
    records = [m.seal(m.record_message(**change), TEMPLATE_TYPE, m.HOST) for change in changes]
    answers = _agree([Asked(store, record, m.NOW_S, 0, 0) for record in records], judge, m.ROOT.public)
    assert {record for _, record in answers} == {"", "unsupported-record"}


VERSIONS = ["0", "1", "1.0", "1.0.0.0.0.0.0.0", "1.0.0.0.0.0.0.1", "1.0.0.0.0.0.0.0.0", "1.9", "1.10", "01", "1.01", "1.",
            "1..0", "0.999999999", "1.999999999", "1.1000000000", "999999999", "9999999999", "1.0rc1", "2"]  # fmt: skip


def test_both_verifiers_agree_on_which_versions_reach_which_floor(judge, make_material):
    m = make_material
    record_of = {
        version: m.seal(m.record_message(extractor__version=version), TEMPLATE_TYPE, m.HOST) for version in VERSIONS
    }
    plain = m.trust(allow_unattested=True)
    asked = []
    for floor in ["", *VERSIONS]:

        def with_floor(payload: bytes, floor: str = floor) -> bytes:
            statement = trust_pb2.TrustStatement.FromString(payload)
            statement.extractors[0].minimum_version = floor
            return statement.SerializeToString(deterministic=True)

        store = m.resigned(plain, with_floor, m.ROOT)
        asked += [Asked(store, record, m.NOW_S, 0, 0) for record in record_of.values()]
    answers = _agree(asked, judge, m.ROOT.public)
    assert {("", ""), ("", "unsupported-record"), ("unsupported-record", "unsupported-record")} == set(answers)


@pytest.mark.parametrize("payload_type", [TEMPLATE_TYPE, GRANT_TYPE, TRUST_TYPE])
def test_both_verifiers_agree_on_signatures_that_no_signer_makes(judge, make_material, payload_type):
    m = make_material
    order = m.P256_ORDER
    numbers = [0, 1, order - 1, order, order + 1, (1 << 256) - 1]
    forged = [r.to_bytes(32, "big") + s.to_bytes(32, "big") for r in numbers for s in numbers]
    asked = []
    for signature in forged:
        store, record, grant = m.trust(), m.record(), m.grant()
        envelopes = {TEMPLATE_TYPE: record, GRANT_TYPE: grant, TRUST_TYPE: store}
        envelope = Envelope.FromString(envelopes[payload_type])
        envelope.signatures[0].sig = signature
        envelopes[payload_type] = envelope.SerializeToString(deterministic=True)
        if payload_type == GRANT_TYPE:
            envelopes[TEMPLATE_TYPE] = m.record(permission=envelopes[GRANT_TYPE])
        asked.append(Asked(envelopes[TRUST_TYPE], envelopes[TEMPLATE_TYPE], m.NOW_S + 60, m.SEQUENCE, m.EPOCH))
    answers = _agree(asked, judge, m.ROOT.public)
    assert {record for _, record in answers} == {"signature-invalid"}


def test_both_verifiers_agree_on_every_second_and_number_about_a_limit(judge, make_material):
    m = make_material
    store, record = m.trust(), m.record()
    times = {0, 1, (1 << 40) - 1, 1 << 40, (1 << 62)}
    for limit in (m.NOW_S - 120, m.NOW_S, m.NOW_S + 30 * m.DAY_S, m.NOW_S - m.DAY_S - 120, m.NOW_S + 365 * m.DAY_S):
        times |= {limit - 1, limit, limit + 1}
    asked = [Asked(store, record, now_s, m.SEQUENCE, m.EPOCH) for now_s in sorted(times)]
    asked += [Asked(store, record, m.NOW_S, m.SEQUENCE + off, m.EPOCH) for off in (-1, 0, 1)]
    asked += [Asked(store, record, m.NOW_S, 0, m.EPOCH + off) for off in (-1, 0, 1)]
    answers = _agree(asked, judge, m.ROOT.public)
    assert {record for _, record in answers} == {"", "expired", "revoked", "rolled-back"}
