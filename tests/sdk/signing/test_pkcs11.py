"""A signer over a token signs what its public key verifies, and says in a sentence what is wrong with token or key.

SoftHSM, from Debian's package softhsm2, is the token.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from faceward.errors import ConfigError, SigningError
from faceward.signing import pkcs11_plugin
from faceward.signing.pkcs11 import Pkcs11Signer, TokenKey
from faceward.signing.sealing import seal_payload
from faceward_proto.envelope import GRANT_TYPE, read_envelope, signing_keys
from faceward_proto.keys import PublicKey

PIN = "76543210"


@pytest.fixture(scope="session")
def token(softhsm: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TokenKey]:
    """A token with a key pair `host` on it, which never leaves it."""
    pin = tmp_path_factory.mktemp("pin") / "token.pin"
    pin.touch(mode=0o600)
    pin.write_text(f"{PIN}\n")
    where = TokenKey(softhsm, "lock", "host", pin)
    Pkcs11Signer.create(where)
    return where


def test_what_it_signs_its_public_key_verifies(token):
    signer = Pkcs11Signer.open(token)
    key = PublicKey(signer.public_key_der)
    for message in (b"", b"message", bytes(100_000)):
        signature = signer.sign(message)
        assert len(signature) == 64
        assert key.verifies(signature, message)
        assert not key.verifies(signature, message + b"x")
    assert (signer.algorithm, signer.custody, signer.key_id) == ("ES256", "pkcs11", key.key_id)
    assert repr(signer) == f"Pkcs11Signer(key_id={signer.key_id!r})"


def test_an_envelope_that_it_signed_is_taken_by_the_verifier(token):
    signer = Pkcs11Signer.open(token)
    envelope = read_envelope(seal_payload(b"payload", GRANT_TYPE, signer), GRANT_TYPE)
    assert signing_keys(envelope, [PublicKey(signer.public_key_der)])


def test_the_key_is_the_same_whenever_it_is_opened_and_is_never_made_twice(token):
    assert Pkcs11Signer.open(token).key_id == Pkcs11Signer.open(token).key_id
    with pytest.raises(SigningError, match="has a key 'host' already"):
        Pkcs11Signer.create(token)


def test_the_plugin_opens_the_key_that_its_options_name(token):
    options = {
        "module_path": str(token.module), "token": token.token, "key": token.key, "pin_path": str(token.pin)
    }  # fmt: skip
    signer = pkcs11_plugin.faceward_signer(options)
    assert signer.key_id == Pkcs11Signer.open(token).key_id


@pytest.mark.parametrize("lacking", ["module_path", "token", "key", "pin_path"])
def test_the_plugin_needs_each_option_and_takes_no_other(lacking):
    options = {name: "x" for name in ("module_path", "token", "key", "pin_path") if name != lacking}
    with pytest.raises(ConfigError, match=f"pkcs11 needs the option {lacking}"):
        pkcs11_plugin.faceward_signer(options)
    with pytest.raises(ConfigError, match="pkcs11 has no option 'pin'"):
        pkcs11_plugin.faceward_signer({**options, lacking: "x", "pin": "1234"})


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"module": Path("none.so")}, r"no PKCS#11 module none\.so"),
        ({"module": Path(__file__)}, "can't be used by the module"),
        ({"token": "other"}, "no token 'other'.*plug it in"),
        ({"key": "other"}, "has no key pair 'other'"),
    ],
    ids=["no module", "another file", "no token", "no key"],
)
def test_what_is_missing_is_named(token, change, words):
    with pytest.raises(SigningError, match=words):
        Pkcs11Signer.open(replace(token, **change))


@pytest.mark.parametrize(
    ("content", "mode", "words"),
    [
        (None, 0o600, "there is no PIN file.*write the token's PIN into it"),
        (b"", 0o600, "is empty"),
        (b"\n", 0o600, "is empty"),
        (b"\xff\xfe", 0o600, "not UTF-8"),
        (b"0123456\n", 0o600, "refuses the PIN in .*mend it before you try again"),
        (b"1", 0o600, "refuses the PIN"),
        (b"7" * 300, 0o600, "too long to be one"),
        (PIN.encode(), 0o640, "chmod 600"),
    ],
    ids=["missing", "empty", "a line end", "no text", "wrong", "short", "long", "readable by others"],
)
def test_a_pin_that_opens_nothing_is_said_with_its_file_and_never_shown(token, tmp_path, content, mode, words):
    pin = tmp_path / "pin"
    if content is not None:
        pin.write_bytes(content)
        pin.chmod(mode)
    with pytest.raises(SigningError, match=words) as caught:
        Pkcs11Signer.open(replace(token, pin=pin))
    for secret in ("0123456", PIN, "7777"):
        assert secret not in str(caught.value)


@pytest.mark.parametrize("line_end", ["", "\n", "\r\n"])
def test_a_line_end_is_no_part_of_a_pin(token, tmp_path, line_end):
    pin = tmp_path / "pin"
    pin.write_bytes(f"{PIN}{line_end}".encode())
    pin.chmod(0o600)
    assert Pkcs11Signer.open(replace(token, pin=pin)).custody == "pkcs11"


def _pair(token: TokenKey, label: str, curve: str = "secp256r1", **private: bool) -> None:
    """A pair as another program would leave it."""
    import pkcs11
    from pkcs11 import Attribute, KeyType
    from pkcs11.util.ec import encode_named_curve_parameters

    with pkcs11.lib(str(token.module.resolve())).get_token(token_label=token.token).open(user_pin=PIN, rw=True) as session:
        parameters = session.create_domain_parameters(
            KeyType.EC, {Attribute.EC_PARAMS: encode_named_curve_parameters(curve)}, local=True
        )
        template = {Attribute[name.upper()]: value for name, value in private.items()}
        parameters.generate_keypair(label=label, store=True, private_template=template)


def test_a_key_on_another_curve_is_refused(token):
    _pair(token, "p384", "secp384r1", sensitive=True, extractable=False)
    with pytest.raises(SigningError, match="'p384' on token 'lock' is not a P-256 key"):
        Pkcs11Signer.open(replace(token, key="p384"))


@pytest.mark.parametrize(
    "given_away", [{"extractable": True, "sensitive": True}, {"extractable": False, "sensitive": False}]
)
def test_a_key_that_the_token_would_give_away_is_refused(token, given_away):
    label = f"away {given_away['sensitive']}"
    _pair(token, label, **given_away)
    with pytest.raises(SigningError, match=r"would give the key 'away .*keys token FILE --new"):
        Pkcs11Signer.open(replace(token, key=label))


def test_two_keys_of_one_name_are_not_chosen_between(token):
    for _ in range(2):
        _pair(token, "twins", sensitive=True, extractable=False)
    with pytest.raises(SigningError, match="more than one key 'twins'"):
        Pkcs11Signer.open(replace(token, key="twins"))


def test_a_token_that_was_pulled_out_is_noticed_at_the_next_signature(token, softhsm_tokens, tmp_path):
    import pkcs11

    signer = Pkcs11Signer.open(token)
    away = tmp_path / "away"
    shutil.move(softhsm_tokens, away)
    softhsm_tokens.mkdir()
    try:
        with pytest.raises(SigningError, match=r"'lock'.*plug"):
            signer.sign(b"message")
    finally:
        softhsm_tokens.rmdir()
        shutil.move(away, softhsm_tokens)
        pkcs11.lib(str(token.module.resolve())).reinitialize()  # SoftHSM looks for tokens when it starts
    assert PublicKey(signer.public_key_der).verifies(signer.sign(b"message"), b"message")


def test_without_the_package_the_message_says_how_to_get_it(token, monkeypatch):
    signer = Pkcs11Signer.open(token)
    monkeypatch.setitem(sys.modules, "pkcs11", None)
    for use in (lambda: Pkcs11Signer.open(token), lambda: Pkcs11Signer.create(token), lambda: signer.sign(b"")):
        with pytest.raises(SigningError, match=r"pip install 'faceward\[pkcs11\]'"):
            use()


def test_importing_the_signer_needs_no_package():
    code = "import sys; sys.modules['pkcs11'] = None; import faceward.signing.pkcs11, faceward.signing.pkcs11_plugin"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
