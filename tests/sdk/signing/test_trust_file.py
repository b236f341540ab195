"""A trust store is what its TOML file says, signed; a host believes it once it was verified, and only if it is taken."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from faceward.config import development_policy, load_policy
from faceward.errors import ConfigError, VerificationError
from faceward.signing.file_key import FileKeySigner
from faceward.signing.public_keys import load_rule
from faceward.signing.trust_file import check_host, describe_trust, look_at_trust, sign_trust, verify_trust
from faceward_proto.attestation import SIMULATOR_ROOT_DIGEST
from faceward_proto.keys import PublicKey
from faceward_proto.trust import ComponentFloor, FirmwareFloor
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

NOW_S = 1_800_000_000
TEXT = """
version = 1
sequence = 7
valid_days = 90
tenant = "acme"
lock_group = "doors"
minimum_epoch = 3
policies = ["policy.toml"]
policy_hashes = ["{digest}"]

[[hosts]]
need = 1
keys = [{{ path = "host.pub.pem", custody = "pkcs11" }}, {{ path = "spare.pub.pem", custody = "secure-element" }}]

[[hosts]]
need = 1
keys = [{{ path = "second.pub.pem", custody = "pkcs11" }}]

[[administrators]]
need = 2
keys = [{{ path = "a.pub.pem", custody = "pkcs11" }}, {{ path = "b.pub.pem", custody = "pkcs11" }}]

[[sensor_roots]]
name = "Ward"
path = "vendor.pub.pem"

[[firmware]]
vendor = "Ward"
model = "SL-940"
minimum_security_version = 4

[[gates]]
name = "flatness"
minimum_version = "0.1"

[[gates]]
name = "skin-optics"

[[extractors]]
name = "sface"
minimum_version = "1"

[revoked]
keys = ["{digest}"]
key_files = ["lost.pub.pem"]
records = ["{identity}"]
subjects = ["{digest}"]

[allow]
unattested = false
""".format(digest="ab" * 32, identity="cd" * 16)
KEYS = ("host", "spare", "second", "a", "b", "vendor", "lost", "root", "other")


@pytest.fixture(scope="module")
def keys() -> dict[str, FileKeySigner]:
    """A signer by each name; `second` is an ML-DSA-65 one."""
    from faceward.signing.file_key import _GENERATE

    return {name: FileKeySigner(_GENERATE["ML-DSA-65" if name == "second" else "ES256"]()) for name in KEYS}


@pytest.fixture
def folder(tmp_path: Path, keys: dict[str, FileKeySigner]) -> Path:
    for name, signer in keys.items():
        (tmp_path / f"{name}.pub.pem").write_bytes(PublicKey(signer.public_key_der).to_pem())
    (tmp_path / "policy.toml").write_bytes(development_policy())
    return tmp_path


@pytest.fixture
def describe(folder: Path) -> Any:
    """The store of the text above with pieces exchanged."""

    def run(*swaps: tuple[str, str], text: str = TEXT) -> Any:
        for old, new in swaps:
            assert old in text
            text = text.replace(old, new, 1)
        (folder / "store.toml").write_text(text)
        return describe_trust(folder / "store.toml", now_s=NOW_S)

    return run


def key(signer: FileKeySigner) -> PublicKey:
    return PublicKey(signer.public_key_der)


def test_a_store_is_all_that_its_file_says(describe, folder, keys):
    store = describe()
    assert (store.sequence, store.tenant, store.lock_group, store.minimum_epoch) == (7, "acme", "doors", 3)
    assert (store.issued_at_s, store.expires_at_s) == (NOW_S, NOW_S + 90 * 86_400)
    assert [(rule.need, [each.key for each in rule.keys]) for rule in store.hosts] == [
        (1, [key(keys["host"]), key(keys["spare"])]), (1, [key(keys["second"])]),
    ]  # fmt: skip
    assert [each.custody for each in store.hosts[0].keys] == ["pkcs11", "secure-element"]
    assert [(rule.need, len(rule.keys)) for rule in store.administrators] == [(2, 2)]
    assert [(root.name, root.key, root.is_simulator) for root in store.sensor_roots] == [
        ("Ward", key(keys["vendor"]), False)
    ]
    assert store.firmware == (FirmwareFloor("Ward", "SL-940", 4),)
    assert store.gates == (ComponentFloor("flatness", "0.1"), ComponentFloor("skin-optics"))
    assert store.extractors == (ComponentFloor("sface", "1"),)
    assert store.policy_hashes == {bytes.fromhex("ab" * 32), load_policy(folder / "policy.toml").hash}
    assert store.revoked_keys == {bytes.fromhex("ab" * 32), key(keys["lost"]).digest}
    assert store.revoked_records == {bytes.fromhex("cd" * 16)}
    assert store.revoked_subjects == {bytes.fromhex("ab" * 32)}
    assert not (store.allow_development or store.allow_unattested or store.allow_simulated)


def test_what_is_not_said_is_not_allowed_and_pins_nothing(describe):
    head = TEXT[: TEXT.index("[[sensor_roots]]")].replace("minimum_epoch = 3\n", "")
    for line in ("policies", "policy_hashes"):
        head = "\n".join(each for each in head.splitlines() if not each.startswith(line))
    store = describe(text=head)
    assert (store.sensor_roots, store.firmware, store.gates, store.extractors) == ((), (), (), None)
    assert (store.policy_hashes, store.minimum_epoch, store.revoked_keys) == (None, 0, frozenset())
    assert not (store.allow_development or store.allow_unattested or store.allow_simulated)


def test_each_thing_is_allowed_by_its_own_name(describe):
    for name in ("development", "unattested", "simulated"):
        store = describe(("unattested = false", f"{name} = true"))
        assert [each for each in ("development", "unattested", "simulated") if getattr(store, f"allow_{each}")] == [name]


def test_the_simulator_s_root_is_known_without_a_file_and_never_taken_for_a_vendor_s(describe):
    (root,) = describe(('name = "Ward"\npath = "vendor.pub.pem"', 'name = "bench"\nsimulated = true')).sensor_roots
    assert (root.name, root.key.digest, root.is_simulator) == ("bench", SIMULATOR_ROOT_DIGEST, True)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("version = 1\n", "version = 2\n", "version must be 1"),
        ("sequence = 7\n", "", "sequence is missing: one more than that of the store before"),
        ("sequence = 7", "sequence = 0", "sequence = 0 must be between 1"),
        ("valid_days = 90\n", "", "valid_days is missing"),
        ("valid_days = 90", "valid_days = 4000", "valid_days = 4000 must be between 1 and 3650"),
        ('tenant = "acme"', 'tennant = "acme"', r"tenant is missing \(there is 'tennant' instead\)"),
        ("minimum_epoch = 3", "minimum_epoch = -3", "minimum_epoch = -3 must be"),
        ('policies = ["policy.toml"]', "policies = []", "policies must be a list that isn't empty"),
        ('policies = ["policy.toml"]', 'policies = ["none.toml"]', r"can't read the policy .*none\.toml"),
        ('policy_hashes = ["ab', 'policy_hashes = ["AB', r"policy_hashes\[0\] = 'AB.* no text of the right form"),
        ("[[hosts]]\nneed = 1\nkeys = [{ path", "[[hosts]]\nkeys = [{ path", r"hosts\[0\].need is missing"),
        ("need = 1", "need = 0", r"hosts\[0\].need = 0 must be between 1 and 16"),
        ("need = 2", "need = 3", r"administrators\[0\].keys: a rule can't ask for 3 of 2 keys"),
        ('"spare.pub.pem"', '"host.pub.pem"', r"hosts\[0\].keys: a rule names one key twice"),
        ('"spare.pub.pem"', '"none.pub.pem"', r"can't read the public key .*none\.pub\.pem"),
        ('"spare.pub.pem"', '"policy.toml"', r"policy\.toml holds no P-256, Ed25519 or ML-DSA-65 public key"),
        ('custody = "secure-element"', 'custody = "secure-elemnt"', r"keys\[1\].custody.*did you mean 'secure-element'"),
        ('custody = "secure-element"', 'custody = "pkcs11", pin = 1', r"hosts\[0\].keys\[1\].pin is not a known key"),
        ('path = "second.pub.pem", custody = "pkcs11"', 'path = "second.pub.pem", custody = "file"',
         r"hosts\[1\].need = 1 can't be met: 0 of its keys"),
        ('path = "b.pub.pem", custody = "pkcs11"', 'path = "b.pub.pem", custody = "file"',
         r"administrators\[0\].need = 2 can't be met: 1 of its keys"),
        ("[[administrators]]", "[[admins]]", "administrators is missing"),
        ('path = "vendor.pub.pem"', 'path = "second.pub.pem"', r"sensor_roots\[0\].path: .*not a P-256 key"),
        ('path = "vendor.pub.pem"', "", r"sensor_roots\[0\].path is missing"),
        ("minimum_security_version = 4", "minimum_security_version = -1", "minimum_security_version = -1 must be"),
        ('minimum_version = "0.1"', 'minimum_version = "0.x"', r"gates\[0\].minimum_version: .*numbers and dots"),
        ('name = "skin-optics"', 'name = "flatness"', "names a gate twice"),
        ('[[extractors]]\nname = "sface"\nminimum_version = "1"\n', "", "extractors must be a list of tables"),
        ("records = [", "recrods = [", "revoked.recrods is not a known key.*did you mean 'records'"),
        ('records = ["cd', 'records = ["c', r"revoked.records\[0\]"),
        ('"lost.pub.pem"', '"none.pub.pem"', "can't read the public key"),
        ("unattested = false", "unatested = false", "allow.unatested is not a known key.*did you mean 'unattested'"),
        ("unattested = false", "unattested = 1", "allow.unattested must be true or false"),
        ("[allow]", "[allows]", "allows is not a known key.*did you mean 'allow'"),
    ],
)  # fmt: skip
def test_a_wrong_key_or_value_is_named(describe, old, new, words):
    text = ("extractors = []\n" + TEXT) if "extractors must" in words else TEXT
    with pytest.raises(ConfigError, match=words) as caught:
        describe((old, new), text=text)
    assert "trust store" in str(caught.value)


def test_a_file_that_is_no_toml_is_one_sentence(folder):
    for content, words in ((b"\xff", "not UTF-8"), (b"version = ", "not TOML")):
        (folder / "store.toml").write_bytes(content)
        with pytest.raises(ConfigError, match=words):
            describe_trust(folder / "store.toml", now_s=NOW_S)
    with pytest.raises(ConfigError, match="can't read the trust store"):
        describe_trust(folder / "none.toml", now_s=NOW_S)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_mangled_file_is_read_or_refused_and_nothing_else(folder, data):
    lines = TEXT.splitlines()
    at = data.draw(st.integers(0, len(lines) - 1))
    lines[at] = data.draw(st.one_of(st.just(""), st.text(max_size=30), st.sampled_from(lines)))
    (folder / "store.toml").write_bytes("\n".join(lines).encode("utf-8", "replace"))
    try:
        store = describe_trust(folder / "store.toml", now_s=NOW_S)
    except ConfigError:
        return
    assert not store.allow_development


# Signed


@pytest.fixture
def signed(describe, keys):
    return sign_trust(describe(), keys["root"])


def root(folder: Path, *names: str, need: int = 1) -> Any:
    return load_rule([folder / f"{name}.pub.pem" for name in names], need)


def test_a_signed_store_comes_back_verified(signed, describe, folder):
    store = verify_trust(signed, root(folder, "root"), now_s=NOW_S, minimum_sequence=7, tenant="acme", lock_group="doors")
    assert store == describe()
    assert look_at_trust(signed) == (store, 1)


@pytest.mark.parametrize(
    ("given_", "kind"),
    [
        ({"now_s": NOW_S + 90 * 86_400}, "expired"),
        ({"now_s": float("nan")}, "expired"),
        ({"minimum_sequence": 8}, "rolled-back"),
        ({"tenant": "other"}, "wrong-context"),
        ({"lock_group": "vault"}, "wrong-context"),
    ],
)
def test_a_store_that_does_not_count_here_and_now_is_not_believed(signed, folder, given_, kind):
    with pytest.raises(VerificationError, match="can't be believed") as caught:
        verify_trust(signed, root(folder, "root"), **{"now_s": NOW_S, **given_})
    assert caught.value.kind == kind


def test_roots_count_by_the_rule(describe, folder, keys):
    both = sign_trust(describe(), keys["root"], keys["other"])
    rule = root(folder, "root", "other", need=2)
    assert verify_trust(both, rule, now_s=NOW_S).sequence == 7
    for envelope, rule_ in ((sign_trust(describe(), keys["root"]), rule), (both, root(folder, "host"))):
        with pytest.raises(VerificationError) as caught:
            verify_trust(envelope, rule_, now_s=NOW_S)
        assert caught.value.kind == "signature-invalid"


def test_no_byte_of_a_signed_store_can_be_flipped(signed, folder):
    rule = root(folder, "root")
    for at in range(0, len(signed), 7):
        changed = bytes([*signed[:at], signed[at] ^ 0x04, *signed[at + 1 :]])
        with pytest.raises(VerificationError):
            verify_trust(changed, rule, now_s=NOW_S)


def test_junk_is_no_store(folder):
    for call in (look_at_trust, lambda junk: verify_trust(junk, root(folder, "root"), now_s=NOW_S)):
        with pytest.raises(VerificationError) as caught:
            call(b"junk")
        assert caught.value.kind == "unsupported-record"


def test_a_store_that_breaks_a_bound_is_not_signed(describe, keys):
    with pytest.raises(ConfigError, match="can't be written"):
        sign_trust(replace(describe(), sequence=0), keys["root"])


# Whether the host counts


class OnToken(FileKeySigner):
    """A signer that says that its key lies on a token."""

    custody = "pkcs11"


@pytest.fixture
def host(folder, keys):
    """What a host of this store has: its signers, and a policy that is pinned and in time."""
    text = development_policy().decode().replace('"development"\nlock', '"acme"\nlock').replace("workbench", "doors")
    (folder / "policy.toml").write_text(text.replace("valid_days = 365", "epoch = 3"))
    return tuple(OnToken(keys[name]._key) for name in ("host", "second")), load_policy(folder / "policy.toml")


def test_a_host_that_the_store_names_is_taken(describe, host):
    check_host(describe(), *host)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda store, signers, policy: (store, signers[:1], policy), "1 of its keys must sign, and 0"),
        (lambda store, signers, policy: (store, signers[1:], policy), "1 of its keys must sign, and 0"),
        (lambda store, signers, policy: (store, (), policy), "must sign"),
        (lambda store, signers, policy: (
            replace(store, revoked_keys=frozenset({PublicKey(signers[0].public_key_der).digest})), signers, policy),
         "revoked"),
        (lambda store, signers, policy: (
            store, signers, replace(policy, records=replace(policy.records, epoch=2))), "epoch = 2 is over"),
        (lambda store, signers, policy: (store, signers, replace(policy, hash=bytes(32))), "does not take this policy"),
        (lambda store, signers, policy: (store, signers, replace(policy, gates=policy.gates[:2])),
         "does not name: flatness, skin-optics"),
    ],
    ids=["second missing", "first missing", "none", "revoked", "epoch", "policy", "gates"],
)  # fmt: skip
def test_a_host_whose_records_the_store_would_refuse_is_stopped_before_a_capture(describe, host, change, words):
    with pytest.raises(ConfigError, match=words):
        check_host(*change(describe(), *host))


def test_a_host_s_key_in_a_file_counts_in_development_alone(describe, host):
    filed = (('path = "host.pub.pem", custody = "pkcs11"', 'path = "host.pub.pem", custody = "file"'),)
    with pytest.raises(ConfigError, match="kept in a file"):
        check_host(describe(*filed), *host)
    check_host(describe(*filed, ("unattested = false", "development = true")), *host)
