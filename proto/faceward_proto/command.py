"""`faceward-verify`: the verifier as a command, after the contract in proto/conformance/README.md.

It keeps nothing: the lock that calls it keeps the highest sequence, the epoch and the ids of the grants it took.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from faceward_proto.bounds import DIGEST_BYTES, ID_BYTES
from faceward_proto.envelope import MAX_PAYLOAD_BYTES, MAX_SIGNATURES_BYTES, TEMPLATE_TYPE, TRUST_TYPE
from faceward_proto.errors import VerificationError
from faceward_proto.keys import MAX_KEY_BYTES, PublicKey, UnusableKey
from faceward_proto.trust import TrustedKey, VerifiedTemplate, at_least, verify_template
from faceward_proto.truststore import read_trust_store

EXIT_ACCEPT, EXIT_REFUSE, EXIT_USAGE = 0, 1, 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Verify one record; see `--help`. Returns 0 to accept, 1 to refuse, 2 when there was nothing to judge by."""
    asked = _parser().parse_args(arguments)
    try:
        record = _read(asked.record, MAX_PAYLOAD_BYTES[TEMPLATE_TYPE] + MAX_SIGNATURES_BYTES)
        trust = _read(asked.trust, MAX_PAYLOAD_BYTES[TRUST_TYPE] + MAX_SIGNATURES_BYTES)
        keys = [TrustedKey(PublicKey.from_pem(_read(path, MAX_KEY_BYTES)), "pinned") for path in asked.root]
        root = at_least(len(keys) if asked.need is None else asked.need, keys)
    except (OSError, UnusableKey, ValueError) as error:
        print(f"faceward-verify: {error}", file=sys.stderr)
        return EXIT_USAGE
    taken: dict[str, object] = {}
    try:
        store = read_trust_store(
            trust,
            root,
            now_s=asked.now,
            minimum_sequence=asked.minimum_sequence,
            tenant=asked.tenant,
            lock_group=asked.lock_group,
        )
        # What a lock keeps of a trust store that it took, also where the record is refused.
        taken = {"sequence": store.sequence, "minimum_epoch": store.minimum_epoch}
        verified = verify_template(
            record,
            store,
            now_s=asked.now,
            epoch=asked.epoch,
            subject=asked.subject,
            grant_seen=frozenset(asked.grant_seen),
        )
    except VerificationError as error:
        print(f"refused: {error}", file=sys.stderr)
        print(json.dumps({"verdict": "refuse", "kind": error.kind, **taken}))
        return EXIT_REFUSE
    print(json.dumps({"verdict": "accept", "kind": "", **taken, **_told(verified)}))
    return EXIT_ACCEPT


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="faceward-verify",
        description="Say whether a lock may trust a signed face template. Exit code: 0 accept, 1 refuse, 2 not run.",
        allow_abbrev=False,
    )
    parser.add_argument("record", type=Path, metavar="RECORD", help="the signed template")
    parser.add_argument("--root", type=Path, action="append", required=True, metavar="PEM",
                        help="public key that signs trust stores; may be given more than once")  # fmt: skip
    parser.add_argument("--need", type=_number, metavar="N", help="how many of the roots must have signed (all of them)")
    parser.add_argument("--trust", type=Path, required=True, metavar="FILE", help="the signed trust store")
    parser.add_argument("--now", type=_number, required=True, metavar="SECONDS", help="Unix time")
    parser.add_argument("--epoch", type=_number, default=0, metavar="N", help="lowest epoch that is still taken")
    parser.add_argument("--minimum-sequence", type=_number, default=0, metavar="N",
                        help="highest sequence of a trust store that was taken")  # fmt: skip
    parser.add_argument("--grant-seen", type=_hexadecimal(ID_BYTES), action="append", default=[], metavar="HEX",
                        help="id of a grant that was taken; may be given more than once")  # fmt: skip
    parser.add_argument("--subject", type=_hexadecimal(DIGEST_BYTES), metavar="HEX",
                        help="pseudonym that the record must be of")  # fmt: skip
    parser.add_argument("--tenant", metavar="TEXT", help="the lock's own tenant")
    parser.add_argument("--lock-group", metavar="TEXT", help="the lock's own group")
    return parser


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise argparse.ArgumentTypeError(f"not a whole number: {text}")
    return int(text)


def _hexadecimal(size: int) -> Callable[[str], bytes]:
    def hexadecimal(text: str) -> bytes:
        value = bytes.fromhex(text)
        if len(value) != size:
            raise argparse.ArgumentTypeError(f"{len(value)} bytes and not {size}")
        return value

    return hexadecimal


def _read(path: Path, limit: int) -> bytes:
    # One byte more than is allowed is enough to be refused for it.
    with path.open("rb") as file:
        return file.read(limit + 1)


def _told(verified: VerifiedTemplate) -> dict[str, object]:
    return {
        "record_id": verified.record.record_id.hex(),
        "subject": verified.record.subject.hex(),
        "record_epoch": verified.record.epoch,
        "grant_id": verified.grant.grant_id.hex(),
        "record_sha256": verified.digest.hex(),
        "sensor_key": None if verified.sensor is None else verified.sensor.device_key.key_id,
        "simulated": verified.simulated,
        "development": verified.development,
    }


if __name__ == "__main__":
    sys.exit(main())
