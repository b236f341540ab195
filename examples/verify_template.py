"""Verify a signed template as a lock does: with faceward-proto and cryptography alone, no SDK beside them.

    python examples/verify_template.py TEMPLATE --trust store.fwtrust --root root.pub.pem
    python examples/verify_template.py TEMPLATE --host-key signer.pub.pem

A production lock pins the root key and takes its trust store as a signed file: the first line. The second says on the
command line whom to trust, for a bench without one: a template from a development set-up passes only with --development
(keys in files, a grant that the host gave itself, sensors that proved nothing), and one from the simulator only with
--simulated beside it. The exit code is 0 for a template to be trusted and 1 for one that isn't.

What a lock keeps besides, and hands over here: the highest sequence of a trust store that it took (--minimum-sequence),
the lowest epoch that it still takes (--epoch), and the ids of the grants that it took (--grant-seen).
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from faceward_proto.attestation import simulator_root
from faceward_proto.keys import PublicKey, UnusableKey
from faceward_proto.trust import (
    ComponentFloor,
    TrustedKey,
    TrustStore,
    VerificationError,
    VerifiedTemplate,
    any_of,
    verify_template,
)
from faceward_proto.truststore import read_trust_store


def read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Verify a signed face template as a lock does.")
    parser.add_argument("template", type=Path, help="what `faceward show NAME --export FILE` wrote")
    whom = parser.add_mutually_exclusive_group(required=True)
    whom.add_argument("--trust", type=Path, help="a signed trust store; needs --root")
    whom.add_argument("--host-key", type=Path, help="public key (PEM) of the enrolling host")
    parser.add_argument("--root", type=Path, help="public key (PEM) that signs trust stores")
    parser.add_argument("--minimum-sequence", type=int, default=0, help="highest sequence of a trust store taken so far")
    parser.add_argument("--epoch", type=int, default=0, help="lowest epoch that is still taken")
    parser.add_argument("--grant-seen", type=bytes.fromhex, action="append", default=[], metavar="HEX")
    parser.add_argument("--tenant", help="the lock's own; on a bench: development")
    parser.add_argument("--lock-group", help="the lock's own; on a bench: workbench")
    bench = parser.add_argument_group("on a bench, with --host-key")
    bench.add_argument("--administrator-key", type=Path, help="public key (PEM) of the administrator (the host's)")
    bench.add_argument("--gate", action="append", default=[], metavar="NAME", help="a gate that must have taken part")
    bench.add_argument("--development", action="store_true", help="take keys in files and unattested sensors")
    bench.add_argument("--simulated", action="store_true", help="take simulated sensors")
    arguments = parser.parse_args()
    if (arguments.trust is None) != (arguments.root is None):
        parser.error("--trust and --root belong together")
    said = arguments.administrator_key or arguments.gate or arguments.development or arguments.simulated
    if arguments.trust is not None and said:
        parser.error("a signed trust store says itself which administrators, gates and sensors count")
    return arguments


def signed_trust(arguments: argparse.Namespace, now_s: float) -> TrustStore:
    # Where the root's private half is kept is its owner's business: nothing above it could say so.
    root = any_of([TrustedKey(PublicKey.from_pem(arguments.root.read_bytes()), custody="pinned")])
    return read_trust_store(
        arguments.trust.read_bytes(),
        root,
        now_s=now_s,
        minimum_sequence=arguments.minimum_sequence,
        tenant=arguments.tenant,
        lock_group=arguments.lock_group,
    )


def bench_trust(arguments: argparse.Namespace) -> TrustStore:
    host = TrustedKey(PublicKey.from_pem(arguments.host_key.read_bytes()), custody="file")
    administrator = host
    if arguments.administrator_key is not None:
        administrator = TrustedKey(PublicKey.from_pem(arguments.administrator_key.read_bytes()), custody="file")
    return TrustStore(
        tenant=arguments.tenant or "development",
        lock_group=arguments.lock_group or "workbench",
        hosts=(any_of([host]),),
        administrators=(any_of([administrator]),),
        sensor_roots=(simulator_root(),),
        gates=tuple(ComponentFloor(gate) for gate in arguments.gate),
        allow_development=arguments.development,
        allow_unattested=arguments.development,
        allow_simulated=arguments.simulated,
    )


def tell(verified: VerifiedTemplate) -> None:
    record = verified.record
    print("trusted: signed by a key of the trust store, live by every gate, with a grant that permits it")
    until = time.strftime("%Y-%m-%d", time.gmtime(record.expires_at_s))
    print(f"  record     {record.record_id.hex()}, valid until {until}")
    proof = "proved nothing" if verified.sensor is None else f"device key {verified.sensor.device_key.key_id[:16]}"
    print(f"  sensor     {record.sensor.vendor} {record.sensor.model} {record.sensor.serial} ({proof})")
    print(f"  grant      {verified.grant.grant_id.hex()}: keep this id and never take it again")
    print(f"  gates      {', '.join(f'{gate.name} {gate.version}: {gate.cue}' for gate in record.gates)}")
    print(f"  template   {len(record.poses)} poses by {record.extractor.name} {record.extractor.version}")
    if verified.simulated:
        print("  SIMULATED: a production trust store refuses this template")
    elif verified.development:
        print("  DEVELOPMENT: a production trust store refuses this template")


def main() -> int:
    arguments = read_arguments()
    now_s = time.time()
    try:
        trust = bench_trust(arguments) if arguments.trust is None else signed_trust(arguments, now_s)
        verified = verify_template(
            arguments.template.read_bytes(),
            trust,
            now_s=now_s,
            epoch=arguments.epoch,
            grant_seen=frozenset(arguments.grant_seen),
        )
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
