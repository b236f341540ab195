"""Verify a signed template as a lock does: with faceward-proto and cryptography alone, no SDK beside them.

    python examples/verify_template.py TEMPLATE --host-key signer.pub.pem

A production lock has its trust store built in. Here it comes from the command line; a template from a development
set-up passes only with --development (keys in files, a grant that the host gave itself, nothing attested), and one from
the simulator only with --simulated beside it. The exit code is 0 for a template to be trusted and 1 for one that isn't.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from faceward_proto.keys import PublicKey, UnusableKey
from faceward_proto.trust import TrustedKey, TrustStore, VerificationError, VerifiedTemplate, any_of, verify_template


def read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Verify a signed face template as a lock does.")
    parser.add_argument("template", type=Path, help="what `faceward show NAME --export FILE` wrote")
    parser.add_argument("--host-key", type=Path, required=True, help="public key (PEM) of the enrolling host")
    parser.add_argument("--administrator-key", type=Path, help="public key (PEM) of the administrator (the host's)")
    parser.add_argument("--tenant", default="development")
    parser.add_argument("--lock-group", default="workbench")
    parser.add_argument("--gate", action="append", default=[], metavar="NAME", help="a gate that must have taken part")
    parser.add_argument("--development", action="store_true", help="take keys in files and unattested sensors")
    parser.add_argument("--simulated", action="store_true", help="take simulated sensors")
    return parser.parse_args()


def trust_of(arguments: argparse.Namespace) -> TrustStore:
    host = TrustedKey(PublicKey.from_pem(arguments.host_key.read_bytes()), custody="file")
    administrator = host
    if arguments.administrator_key is not None:
        administrator = TrustedKey(PublicKey.from_pem(arguments.administrator_key.read_bytes()), custody="file")
    return TrustStore(
        tenant=arguments.tenant,
        lock_group=arguments.lock_group,
        hosts=any_of([host]),
        administrators=any_of([administrator]),
        required_gates=frozenset(arguments.gate),
        allow_development=arguments.development,
        allow_unattested=arguments.development,
        allow_simulated=arguments.simulated,
    )


def tell(verified: VerifiedTemplate) -> None:
    record = verified.record
    print("trusted: signed by a key of the trust store, live by every gate, with a grant that permits it")
    until = time.strftime("%Y-%m-%d", time.gmtime(record.expires_at_s))
    print(f"  record     {record.record_id.hex()}, valid until {until}")
    print(f"  sensor     {record.sensor.vendor} {record.sensor.model} {record.sensor.serial}")
    print(f"  gates      {', '.join(f'{gate.name} {gate.version}: {gate.cue}' for gate in record.gates)}")
    print(f"  template   {len(record.poses)} poses by {record.extractor.name} {record.extractor.version}")
    if verified.simulated:
        print("  SIMULATED: a production trust store refuses this template")
    elif verified.development:
        print("  DEVELOPMENT: a production trust store refuses this template")


def main() -> int:
    arguments = read_arguments()
    try:
        trust = trust_of(arguments)
        verified = verify_template(arguments.template.read_bytes(), trust, now_s=time.time())
    except VerificationError as error:
        print(f"refused ({error.kind}): {error}", file=sys.stderr)
        return 1
    except (OSError, UnusableKey) as error:
        print(f"can't verify: {error}", file=sys.stderr)
        return 1
    tell(verified)
    return 0


if __name__ == "__main__":
    sys.exit(main())
