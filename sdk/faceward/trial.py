"""One grant's captures for a report: the flow of an enrollment up to its verdict, as lines of results.

Nothing of it can be enrolled: no grant is issued, no attempt is spent, nothing is extracted or stored. Lines are those of
`faceward.pad`, whose extra packages have to be installed.
"""

from __future__ import annotations

import hashlib
import importlib.util
import re
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from importlib import metadata
from pathlib import Path
from typing import Final, Self

import cv2
import numpy as np

from faceward.capture.plan import Purpose
from faceward.config import Policy, load_policy
from faceward.errors import CaptureRejected, FacewardError, LivenessInconclusive, NotLive, PluginError
from faceward.face.models import ModelFiles
from faceward.hal.attestation import is_simulated
from faceward.hal.discovery import open_sensor
from faceward.hal.sensor import Sensor
from faceward.judgement import Judged, judge
from faceward.liveness.admit import admit
from faceward.liveness.loader import load_plugins
from faceward.liveness.worker import GateWorker
from faceward.model.capture import Capture
from faceward.pad.presentation import CaptureOutcome, Presentation, gate_lines
from faceward.version import VERSION

# A grant goes on after these, as in faceward.enrollment.
RETRIED: Final = frozenset({CaptureOutcome.INCONCLUSIVE, CaptureOutcome.REJECTED})
# What of this SDK decides between alive, not alive and rejected. A command line or a store does not.
_DECIDING: Final = ("faceward/capture/", "faceward/face/", "faceward/judgement.py", "faceward/liveness/", "faceward/model/")
_NAME = re.compile(r"[^A-Za-z0-9 ._+()/-]")


@dataclass(frozen=True, slots=True, eq=False)
class SystemUnderTest:
    """What a trial tests: a policy, which names the gates and their thresholds, and the face models."""

    policy: Policy
    models: ModelFiles

    @classmethod
    def open(cls, policy: Path | None = None, *, models_folder: Path | None = None) -> Self:
        """Read a policy (None: the packaged one for development) and find the models. Raises: ConfigError."""
        packaged = Path(__file__).parent / "policies" / "development.toml"
        return cls(load_policy(policy or packaged), ModelFiles.locate(models_folder))

    @property
    def captures_per_grant(self) -> int:
        """How many captures the policy gives a grant."""
        return self.policy.attempts.captures_per_grant

    def frozen_digest(self) -> str:
        """SHA-256, in hex, over what decides: the policy, its gates' files, and this SDK's for capture, face and judgement.

        Another digest means other gates, thresholds or captures: results under both are results of two systems.

        Raises: PluginError when the policy names a gate that is not installed.
        """
        digest = hashlib.sha256()
        for part in (b"faceward.frozen.v2", self.policy.hash, VERSION.encode()):
            digest.update(len(part).to_bytes(8, "little") + part)
        packages = {_package_of(gate.name, gate.distribution) for gate in self.policy.gates}
        files = [file for package in sorted(packages) for file in _files_of(package)]
        files += [file for file in _files_of("faceward") if file[0].startswith(_DECIDING)]
        for file in files:
            for part in (file[0].encode(), file[1]):
                digest.update(len(part).to_bytes(8, "little") + part)
        return digest.hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Presented:
    """Who or what is presented, and what its lines say of it; fields as in Presentation.

    The ids of its presentations are `grant_id`, a hyphen and the attempt.
    """

    grant_id: str
    attack: bool
    species: str
    person_id: str | None
    instrument_id: str | None
    tone: str | None = None
    adaptive: bool = False
    sensor_kind: str
    sensor_unit: str
    split: str
    generator: str | None = None
    simulated: bool
    seed: int | None = None
    replay: str = ""
    purpose: Purpose = "enroll"


@dataclass(frozen=True, slots=True)
class Trial:
    """One capture's line; of an attack that was taken for living its key frames as PNG; of an error all that is known."""

    line: Presentation
    picture: bytes | None = None
    error: str | None = None


def run_trial(
    system: SystemUnderTest,
    presented: Presented,
    *,
    address: str = "usb:",
    backend: object | None = None,
    captures: int | None = None,
    nonces: Callable[[int], bytes] | None = None,
) -> Iterator[Trial]:
    """Capture and judge until the grant would be at its end, one line a capture. Close the iterator to stop early.

    1. The gates' process starts and the sensor opens, once for all captures, as the policy allows.
    2. Each capture is run and judged as an enrollment's (faceward.judgement), under a fresh nonce or the one that
       `nonces` gives for its attempt, which makes it repeatable and worthless as a proof.
    3. The door says what it came to (faceward.liveness.admit).
    4. An inconclusive or rejected one is followed by the next, up to `captures` (None: the policy's captures_per_grant).

    An error of sensor, plugin or program is a line too and ends the grant; nothing but KeyboardInterrupt and the like
    is raised once the first capture began.

    Raises: ConfigError for a line that is none.
    """
    policy, models = system.policy, system.models
    allowed = system.captures_per_grant if captures is None else captures
    attempt, ended, simulated = 0, False, presented.simulated
    try:
        # 1
        worker = GateWorker(policy)
        try:
            worker.start()
            drivers = load_plugins(policy).drivers
            with open_sensor(address, drivers, transports=policy.capture_transports, backend=backend) as sensor:
                # What it claims is held against no root here: no template can come of a trial.
                policy.check_sensor(sensor.info, attested=sensor.claim is not None)
                simulated = simulated or is_simulated(sensor.claim)
                while attempt < allowed:
                    attempt += 1
                    try:
                        trial = _capture(policy, models, presented, sensor, worker, attempt, nonces)
                    except Exception as error:  # noqa: BLE001 - whatever breaks is a result
                        trial = _failed(policy, presented, attempt, error, simulated)
                    # 4
                    ended = trial.line.outcome not in RETRIED or attempt == allowed
                    yield trial
                    if ended:
                        return
                    # A worker judges one capture.
                    worker.close()
                    worker = GateWorker(policy)
                    worker.start()
        finally:
            worker.close()
    except Exception as error:  # noqa: BLE001 - what breaks between captures is a result too
        if not ended:
            yield _failed(policy, presented, attempt + 1, error, simulated)


def _capture(
    policy: Policy,
    models: ModelFiles,
    presented: Presented,
    sensor: Sensor,
    worker: GateWorker,
    attempt: int,
    nonces: Callable[[int], bytes] | None,
) -> Trial:
    # 2
    nonce = None if nonces is None else nonces(attempt)
    judged = judge(policy, models, sensor, worker, purpose=presented.purpose, nonce=nonce)
    # 3
    outcome, reason = _outcome_of(judged)
    shown = presented.attack and outcome is CaptureOutcome.LIVE
    line = _line(
        policy,
        presented,
        attempt,
        outcome=outcome,
        rejection_reason=reason,
        gates=gate_lines(judged.verdict),
        decision_s=judged.capture.seconds,
        simulated=presented.simulated or is_simulated(sensor.claim),
        picture=f"pictures/{presented.grant_id}-{attempt}.png" if shown else None,
    )
    return Trial(line, picture=_picture_of(judged.capture) if shown else None)


def _outcome_of(judged: Judged) -> tuple[CaptureOutcome, str | None]:
    try:
        admit(judged.capture, judged.verdict)
    except NotLive:
        return CaptureOutcome.NOT_LIVE, None
    except LivenessInconclusive:
        return CaptureOutcome.INCONCLUSIVE, None
    except CaptureRejected as error:
        return CaptureOutcome.REJECTED, error.reason
    return CaptureOutcome.LIVE, None


def _failed(policy: Policy, presented: Presented, attempt: int, error: Exception, simulated: bool) -> Trial:
    code = error.code if isinstance(error, FacewardError) else f"exception {type(error).__name__}"
    line = failed_line(replace(presented, simulated=simulated), attempt, code, policy_sha256=policy.hash.hex())
    return Trial(line, error="".join(traceback.format_exception(error)))


def failed_line(presented: Presented, attempt: int, code: str, *, policy_sha256: str | None) -> Presentation:
    """The line of a capture that an error ended. Raises: ConfigError for a line that is none."""
    return Presentation(
        **_common(presented, attempt, policy_sha256),
        simulated=presented.simulated,
        outcome=CaptureOutcome.FAILED,
        error_code=_NAME.sub(" ", code)[:64],
    )


def _line(policy: Policy, presented: Presented, attempt: int, **measured: object) -> Presentation:
    return Presentation(**_common(presented, attempt, policy.hash.hex()), **measured)  # type: ignore[arg-type]


def _common(presented: Presented, attempt: int, policy_sha256: str | None) -> dict[str, object]:
    names = (
        "attack", "species", "person_id", "instrument_id", "tone", "adaptive", "sensor_kind", "sensor_unit", "split",
        "generator", "seed", "replay", "purpose", "grant_id",
    )  # fmt: skip
    values = {name: getattr(presented, name) for name in names}
    return {
        **values,
        "presentation_id": f"{presented.grant_id}-{attempt}",
        "attempt": attempt,
        "policy_sha256": policy_sha256,
    }


def _picture_of(capture: Capture) -> bytes | None:
    """The key frames' flood images beside each other, brightened for eyes."""
    shown = []
    for key in capture.key_frames:
        pixels = key.flood.pixels.astype(np.float32)
        bright = np.clip(pixels / max(float(np.percentile(pixels, 99.5)), 1.0), 0.0, 1.0) ** (1 / 2.2)
        shown.append((bright * 255).astype(np.uint8))
    if not shown:
        return None
    good, content = cv2.imencode(".png", np.concatenate(shown, axis=1))
    return content.tobytes() if good else None


def _package_of(gate: str, distribution: str) -> str:
    try:
        offered = metadata.distribution(distribution).entry_points
    except metadata.PackageNotFoundError:
        raise PluginError(f"gate {gate}: {distribution} is not installed") from None
    for entry_point in offered:
        if entry_point.group == "faceward.plugins.v1" and entry_point.name == gate:
            return entry_point.module.partition(".")[0]
    raise PluginError(f"gate {gate}: {distribution} does not offer it")


def _files_of(package: str) -> list[tuple[str, bytes]]:
    """Names and contents of a package's files, without importing it."""
    spec = importlib.util.find_spec(package)
    if spec is None:
        raise PluginError(f"{package} can't be found; install its distribution again")
    folders = [Path(folder) for folder in spec.submodule_search_locations or ()]
    if not folders and spec.origin:
        return [(f"{package}.py", Path(spec.origin).read_bytes())]
    return [
        (f"{package}/{path.relative_to(folder).as_posix()}", path.read_bytes())
        for folder in folders
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.suffix != ".pyc" and "__pycache__" not in path.parts
    ]
