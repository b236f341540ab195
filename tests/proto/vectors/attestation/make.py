"""Writes vectors.json: each step of docs/protocol.md, "Attestation", by hashlib and hmac alone.

    python tests/proto/vectors/attestation/make.py

Neither the SDK's nor the simulator's code takes part. The shared secret stands for an ECDH that both sides have from the
same library; everything after it is computed here.
"""

import hashlib
import hmac
import json
import struct
from pathlib import Path


def kdf(key: bytes, label: bytes, context: bytes, size: int) -> bytes:
    blocks = -(-size // 32)
    fixed = label + b"\x00" + context + (8 * size).to_bytes(4, "big")
    made = [hmac.digest(key, number.to_bytes(4, "big") + fixed, "sha256") for number in range(1, blocks + 1)]
    return b"".join(made)[:size]


def main() -> None:
    host_random, device_random = bytes(range(32)), bytes(range(32, 64))
    host_key, shared = b"\x04" + bytes(range(64)), bytes(range(100, 132))
    chain = b"a chain that travelled"
    session = hashlib.sha256(
        b"faceward.session.v1\x00" + host_random + host_key + device_random + hashlib.sha256(chain).digest()
    ).digest()
    master = kdf(shared, b"faceward.master.v1", host_random + device_random, 32)
    keys = kdf(master, b"faceward.keys.v1", session, 96)
    command, reply, frame = keys[:32], keys[32:64], keys[64:]
    message, counter = b"\x1a\x00", struct.pack("<I", 129)
    pixels = bytes(range(16))
    metadata = b"FWM1" + struct.pack("<BBHIIQIHhI8s", 1, 2, 940, 5, 5, 2_166_666, 2_500, 150, 3_512, 16, b"confhash")
    record = metadata + hashlib.sha256(pixels).digest()
    start = hashlib.sha256(b"an opening").digest()
    digest = hashlib.sha256(hashlib.sha256(start + record).digest() + struct.pack("<I", 1)).digest()
    nonce, slots = b"nonce of 16 byte", bytes([1, 2, 2, 0])
    schedule = hashlib.sha256(b"faceward.schedule.v1\x00" + struct.pack("<H", len(nonce)) + nonce + slots).digest()
    vectors = {
        "host_random": host_random, "host_key": host_key, "device_random": device_random, "chain": chain,
        "shared": shared, "session_id": session, "master": master, "keys": keys,
        "mac": hmac.digest(reply, b"connect\x00" + session, "sha256"),
        "counter": counter, "message": message,
        "request_tag": hmac.digest(command, b"command\x00" + session + counter + message, "sha256"),
        "reply_tag": hmac.digest(reply, b"reply\x00" + session + counter + message, "sha256"),
        "pixels": pixels, "frame_record": record,
        "frame_tag": hmac.digest(frame, b"frame\x00" + session + record, "sha256"),
        "chain_before": start, "capture_digest": digest,
        "nonce": nonce, "slots": slots, "schedule_digest": schedule,
    }  # fmt: skip
    path = Path(__file__).parent / "vectors.json"
    path.write_text(json.dumps({name: value.hex() for name, value in vectors.items()}, indent=2) + "\n")


if __name__ == "__main__":
    main()
