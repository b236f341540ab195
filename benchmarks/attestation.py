"""What an attested session costs the host, as a share of one core, against hashing the same frames.

The yardstick is what was there before: SHA-256 of each frame of 640 x 480 x 2 bytes, of two live streams of 30 frames a
second, the most that a sensor of ours sends. Beside it: the tag over each frame's record, the capture's
chain, the handshake (ECDH, four verifications, key derivation), one authenticated command with its reply, and what a lock
pays for a record's evidence. The sensor's half is simulated and is not in any of these times.

    python benchmarks/attestation.py [--rounds 300] [--json]
"""

from __future__ import annotations

import argparse
import hashlib
import json
import statistics
import time
from collections.abc import Callable
from dataclasses import replace

from faceward.capture.digest import CaptureDigest, digest_schedule
from faceward.hal.attestation import Handshake
from faceward.model.capture import CaptureClaim
from faceward.model.frame import Frame, Illumination, IlluminationSchedule, Slot, Stream, digest_of
from faceward.wire import attestation as wire
from faceward.wire.frames import frame_record
from faceward_proto import attestation as lock
from faceward_sim.firmware.capture import SentCapture
from faceward_sim.firmware.chain import Provision, start
from faceward_sim.firmware.messages import AttestRequest, ReplyStatus, ScheduleRequest, decode_request, encode_reply
from faceward_sim.firmware.session import Session
from faceward_sim.rig import build_firmware

FRAMES_A_SECOND = 60
WIDTH_PX, HEIGHT_PX = 640, 480


def median_s(work: Callable[[], object], rounds: int) -> float:
    """The median seconds of one call."""
    work()
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=300)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()

    imager = build_firmware("sl-940", "live", 7).imager
    started = start(imager.identity, Provision())

    def shake() -> tuple[object, Session]:
        half = Handshake()
        sensor = Session(decode_request(half.request), bytes(32), started)
        return half, sensor

    half, sensor = shake()
    reply = encode_reply(ReplyStatus.OK, connect=sensor.reply)
    # A handshake's request draws a key; its answer is what the host verifies and derives from.
    handshake_s = median_s(lambda: Handshake().request, arguments.rounds) + median_s(
        lambda: half.finish(wire.read_connect(reply)), arguments.rounds
    )
    session = half.finish(wire.read_connect(reply))

    pixels = memoryview(bytes(2 * WIDTH_PX * HEIGHT_PX))
    frame = Frame(
        Stream.INFRARED, WIDTH_PX, HEIGHT_PX, pixels, 5, 5, 166_666, 2_500, 1.0, Illumination.FLOOD, 940, 35.0, b"confhash",
        digest_of(pixels),
    )  # fmt: skip
    frame = replace(frame, tag=sensor.tag(frame_record(frame)))
    chain = CaptureDigest(_info(imager), b"nonce of 16 byte", bytes(32))
    hash_s = median_s(lambda: digest_of(pixels), arguments.rounds)
    tag_s = median_s(lambda: session.check_frame(frame), arguments.rounds)
    chain_s = median_s(lambda: chain.add(Slot(frame, None)), arguments.rounds)

    def command() -> None:
        sealed = decode_request(session.seal(b"\x1a\x00"))
        answer = encode_reply(ReplyStatus.OK, authenticated=sensor.seal(sealed.counter, encode_reply(ReplyStatus.OK)))
        session.open(answer)

    command_s = median_s(command, arguments.rounds)
    verify_s = _verification_s(imager, started, session, arguments.rounds)

    result = {
        "hashing_share_of_core": FRAMES_A_SECOND * hash_s,
        "tagging_share_of_core": FRAMES_A_SECOND * tag_s,
        "chaining_share_of_core": FRAMES_A_SECOND * chain_s,
        "attested_over_hashing_alone": (hash_s + tag_s + chain_s) / hash_s,
        "handshake_ms": 1e3 * handshake_s,
        "command_and_reply_us": 1e6 * command_s,
        "evidence_verification_ms": 1e3 * verify_s,
        "connect_reply_bytes": len(reply),
    }
    if arguments.json:
        print(json.dumps(result, indent=2))
        return
    print(f"hashing two live streams  {result['hashing_share_of_core']:.2%} of one core (yardstick)")
    print(f"tags over them            {result['tagging_share_of_core']:.2%}")
    print(f"the capture's chain       {result['chaining_share_of_core']:.2%}")
    print(f"all three over hashing    {result['attested_over_hashing_alone']:.2f}")
    print(f"handshake                 {result['handshake_ms']:.2f} ms, {len(reply)} bytes from the sensor")
    print(f"a command and its reply   {result['command_and_reply_us']:.0f} us")
    print(f"a lock verifies evidence  {result['evidence_verification_ms']:.2f} ms")


def _info(imager: object) -> object:
    from dataclasses import fields

    from faceward.model.frame import Calibration, Intrinsics, SensorInfo, SensorKind

    names = [entry.name for entry in fields(Intrinsics)]
    camera = Intrinsics(*(getattr(imager.calibration.infrared, name) for name in names))
    numbers = [getattr(imager.calibration, entry.name) for entry in fields(Calibration)[2:]]
    identity = imager.identity
    return SensorInfo(
        "bench", identity.vendor, identity.model, identity.serial, identity.firmware_version, identity.hardware_revision,
        SensorKind.STRUCTURED_LIGHT, {}, 30.0, 4096, Calibration(camera, camera, *numbers), (),
    )  # fmt: skip


def _verification_s(imager: object, started: object, session: object, rounds: int) -> float:
    schedule = IlluminationSchedule(b"nonce of 16 byte", bytes([1, 2, 2, 0]))
    sent = SentCapture(imager.identity, imager.calibration, ScheduleRequest(b"", schedule.nonce, schedule.slots))
    record = bytes(44) + hashlib.sha256(b"pixels").digest()
    sent.add(record)
    sent.end_slot()
    # The digest that the host would have chained: asked of the sensor, because only verification is measured here.
    reply = encode_reply(ReplyStatus.OK, attest=sent.attest(AttestRequest(1, (record[-32:],), b"g" * 32), started))
    signed = wire.read_attest(reply)
    said = wire.read_capture_statement(signed.statement)
    claim = CaptureClaim(schedule.nonce, digest_schedule(schedule), said.capture_digest, 1, (record[-32:],), b"g" * 32)
    evidence = session.check_capture(claim, signed).data
    identity = imager.identity
    told = lock.CaptureClaim(
        identity.vendor, identity.model, identity.serial, identity.firmware_version, claim.nonce, claim.schedule_digest,
        claim.capture_digest, 1, claim.key_frames, claim.grant_digest,
    )  # fmt: skip
    return median_s(lambda: lock.verify_capture(evidence, told, [lock.simulator_root()]), rounds)


if __name__ == "__main__":
    main()
