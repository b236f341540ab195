"""The real model files, rendered people to look at, and a host whose captures are told beforehand."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from faceward.config import KeyFiles, TrustRef
from faceward.errors import ConfigError
from faceward.extract.extractor import TemplateExtractor
from faceward.face.models import ModelFiles, default_folder, install_models
from faceward.hal.sensor import EvidenceScheme, SensorDriver
from faceward.host import Host
from faceward.judgement import Judged
from faceward.liveness.admit import LiveCapture
from faceward.model.capture import Capture, FaceTemplate, KeyFrame, SensorClaim, SensorEvidence
from faceward.model.face import FaceSighting, Pose
from faceward.model.frame import (
    Calibration,
    Frame,
    Illumination,
    Intrinsics,
    Prompt,
    SensorInfo,
    SensorKind,
    Slot,
    Stream,
    StreamProfile,
    digest_of,
)
from faceward.model.liveness import Evidence, GateResult, LivenessVerdict, Measure, Outcome
from faceward.signing.file_key import FileKeySigner
from faceward.signing.trust_file import describe_trust, sign_trust
from faceward_proto.attestation import SIMULATOR_ROOT_DER, ProvenSensor
from faceward_proto.attestation import CaptureClaim as RecordClaim
from faceward_proto.errors import UntrustedSensor
from faceward_proto.keys import PublicKey

SLOT_US = 33_333


@pytest.fixture(scope="session")
def models() -> ModelFiles:
    try:
        return ModelFiles.locate()
    except ConfigError:
        return install_models()


@dataclass(frozen=True)
class Scene:
    """One look at somebody: a flood slot, the depth before it, and how the head truly stood."""

    info: SensorInfo
    flood: Frame
    depth: Frame
    yaw_deg: float
    pitch_deg: float

    @property
    def slot(self) -> Slot:
        return Slot(self.flood)

    def with_pixels(self, flood: np.ndarray) -> Slot:
        data = flood.astype("<u2").tobytes()
        height, width = flood.shape
        return Slot(replace(self.flood, data=data, width_px=width, height_px=height, digest=digest_of(data)))


class People:
    """Renders people of the simulator, straight from its imager: no USB in between."""

    def __init__(self, seed: int) -> None:
        self.seeds = [seed + n for n in range(8)]
        self._kept: dict[tuple[object, ...], Scene] = {}

    def look(
        self, seed: int, prompt: Prompt = Prompt.LOOK_STRAIGHT, *, distance_mm: float = 400.0, tone: float | None = None,
        unit: int = 5, exposure_us: int = 2_500, after_s: float = 2.0,
    ) -> Scene:  # fmt: skip
        key = (seed, prompt, distance_mm, tone, unit, exposure_us, after_s)
        if key not in self._kept:
            self._kept[key] = self._render(seed, prompt, distance_mm, tone, unit, exposure_us, after_s)
        return self._kept[key]

    def _render(
        self, seed: int, prompt: Prompt, distance_mm: float, tone: float | None, unit: int, exposure_us: int,
        after_s: float,
    ) -> Scene:  # fmt: skip
        from faceward_sim.firmware.imager import Exposure
        from faceward_sim.firmware.imager import Illumination as Light
        from faceward_sim.firmware.imager import Prompt as Shown
        from faceward_sim.optics.sensors import SENSORS
        from faceward_sim.world.actors import ACTORS

        actor = ACTORS["live"].build(seed, distance_mm=distance_mm, tone=tone)
        imager = SENSORS["sl-940"].build(actor, unit)
        info = _info(imager)
        slots = int(after_s * 30)
        actor.at(0, Shown(prompt))  # from here on they answer
        frames = {}
        for slot, light in ((slots, Light.DOTS), (slots + 1, Light.FLOOD)):
            image = imager.expose(Exposure(slot, slot * SLOT_US, light, exposure_us, 1.0, Shown(prompt)))
            pixels = image.depth if light is Light.DOTS else image.infrared
            stream = Stream.DEPTH if light is Light.DOTS else Stream.INFRARED
            data = pixels.tobytes()
            frames[light] = Frame(
                stream, pixels.shape[1], pixels.shape[0], data, slot, slot, slot * SLOT_US, exposure_us, 1.0,
                Illumination(int(light)), 940, image.temperature_c, b"confhash", digest_of(data),
            )  # fmt: skip
        posture = actor.mover.at((slots + 1) * SLOT_US / 1e6, Shown(prompt))
        return Scene(
            info, frames[Light.FLOOD], frames[Light.DOTS],
            float(np.degrees(posture.yaw_rad)), float(np.degrees(posture.pitch_rad)),
        )  # fmt: skip


def _info(imager: object) -> SensorInfo:
    identity, factory = imager.identity, imager.calibration
    numbers = {name: getattr(factory, name) for name in Calibration.__dataclass_fields__}
    for name in ("infrared", "depth"):
        camera = numbers[name]
        numbers[name] = Intrinsics(*(getattr(camera, part) for part in Intrinsics.__dataclass_fields__))
    return SensorInfo(
        "direct", identity.vendor, identity.model, identity.serial, identity.firmware_version,
        identity.hardware_revision, SensorKind(int(identity.kind)),
        {Illumination(int(light)): nm for light, nm in identity.emitters}, identity.slot_rate_mhz / 1000,
        identity.max_schedule_slots, Calibration(**numbers), (StreamProfile(640, 480, 30.0, 10.0),),
    )  # fmt: skip


@pytest.fixture(scope="session")
def people(draw_seed: Callable[[str], int]) -> People:
    return People(draw_seed("people"))


@pytest.fixture(scope="session")
def analysis_of(models: ModelFiles) -> Callable[[Scene], object]:
    from faceward.face.analysis import FaceAnalysis

    return lambda scene: FaceAnalysis(models, scene.info)


class FixedExtractor(TemplateExtractor):
    """One embedding for every key frame; compares as it was told to."""

    name, version = "sface", "1"
    threshold = 0.5

    def __init__(self) -> None:
        self.score = 1.0
        self.problem: Exception | None = None
        self.compared = 0

    def extract(self, live: LiveCapture) -> FaceTemplate:
        if self.problem is not None:
            raise self.problem
        poses = tuple(key.pose for key in live.capture.key_frames)
        return FaceTemplate(self.name, self.version, poses, np.eye(len(poses), 4, dtype=np.float32), np.ones(2, np.float32))

    def compare(self, probe: FaceTemplate, reference: FaceTemplate) -> float:
        self.compared += 1
        return self.score


class ToldScheme(EvidenceScheme):
    """A vendor's evidence that is worth what the test says: `proven` for these bytes and no others."""

    kind = "told.v1"

    def __init__(self) -> None:
        root = PublicKey(SIMULATOR_ROOT_DER)
        self.proven = ProvenSensor("Ward", "SL-940", "W-1", "1.2.0", 1, bytes(32), root, root, None, simulated=True)

    def verify_claim(self, proof: bytes) -> ProvenSensor:
        if proof != b"proof":
            raise UntrustedSensor("other proof than was told")
        return self.proven

    def verify_capture(self, evidence: bytes, claim: RecordClaim) -> ProvenSensor:
        if evidence != b"evidence":
            raise UntrustedSensor("other evidence than was told")
        return self.proven


class ToldDriver(SensorDriver):
    """Opens nothing: it brings the scheme."""

    name, matches = "told", ()

    def __init__(self, scheme: ToldScheme) -> None:
        self.evidence = (scheme,)

    def open(self, device: object, address: object, *, timeout_s: float = 5.0) -> Any:
        raise AssertionError("told sensors are opened by the desk")


class Desk:
    """A host whose captures are told beforehand; keys, grants, store and audit are real.

    `steps` is what happened to worker, sensor and capture, in order; `attempts_seen` what the store said of the attempts
    when each capture began.
    """

    def __init__(self, host: Host, attempts_of: Callable[[Host], list[str | None]]) -> None:
        self.extractor = FixedExtractor()
        self.scheme = ToldScheme()
        plugins = replace(host.plugins, drivers=(ToldDriver(self.scheme),))
        self.host = replace(host, extractor=self.extractor, plugins=plugins)
        self.claim: SensorClaim | None = SensorClaim("told.v1", b"proof")
        self.captures: list[Judged | BaseException] = []
        self.steps: list[str] = []
        self.purposes: list[str] = []
        self.grant_digests: list[bytes] = []
        self.attempts_seen: list[list[str | None]] = []
        self.attempts_of = attempts_of
        self.info = _told_sensor()

    @property
    def attempts(self) -> list[str | None]:
        return self.attempts_of(self.host)

    def tell(
        self, outcome: Outcome = Outcome.LIVE, *, complete: bool = True, covered: bool = True, times: int = 1
    ) -> None:
        """Let the next captures end like this; an outcome but LIVE is one gate's, the other finds life."""
        self.captures += [_judged(self.info, outcome, complete, covered)] * times

    def judge(
        self,
        *args: object,
        purpose: str,
        on_event: object = None,
        record: object = None,
        grant_digest: bytes = b"",
    ) -> Judged:
        self.grant_digests.append(grant_digest)
        self.steps.append("capture")
        self.purposes.append(purpose)
        self.attempts_seen.append(self.attempts)
        told = self.captures.pop(0)
        if isinstance(told, BaseException):
            raise told
        return told

    def worker(self, policy: object) -> _ToldWorker:
        return _ToldWorker(self.steps)

    def open_sensor(self, address: str, drivers: object, **options: object) -> _ToldSensor:
        self.steps.append(f"open {address}")
        return _ToldSensor(self.info, self.claim, self.steps)


class _ToldWorker:
    def __init__(self, steps: list[str]) -> None:
        self._steps, self._open = steps, True

    def start(self) -> None:
        self._steps.append("worker")

    def close(self) -> None:
        if self._open:
            self._open = False
            self._steps.append("worker closed")

    def __enter__(self) -> _ToldWorker:
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()


class _ToldSensor:
    def __init__(self, info: SensorInfo, claim: SensorClaim | None, steps: list[str]) -> None:
        self.info, self.claim, self._steps = info, claim, steps

    def close(self) -> None:
        self._steps.append("sensor closed")

    def __enter__(self) -> _ToldSensor:
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()


def _told_sensor() -> SensorInfo:
    camera = Intrinsics(1, 1, 1.0, 1.0, 0.0, 0.0)
    return SensorInfo(
        "usb:1209:0001", "Ward", "SL-940", "W-1", "1.2.0", "B", SensorKind.STRUCTURED_LIGHT,
        {Illumination.DOTS: 940, Illumination.FLOOD: 940}, 30.0, 4096, Calibration(camera, camera, *[1.0] * 14),
        (StreamProfile(640, 480, 30.0, 10.0),),
    )  # fmt: skip


def _judged(info: SensorInfo, outcome: Outcome, complete: bool, covered: bool) -> Judged:
    key_frames, digests = [], set()
    for number, pose in enumerate((Pose.FRONTAL, Pose.LEFT)):
        frames = []
        for stream in (Stream.INFRARED, Stream.DEPTH):
            data = bytes([number, int(stream)])
            digests.add(digest_of(data))
            frames.append(
                Frame(
                    stream, 1, 1, data, 0, 0, 0, 100, 1.0, Illumination.FLOOD, 940, 30.0, bytes(8), digest_of(data)
                )
            )
        sighting = FaceSighting(0, 1, (0, 0, 1, 1), np.zeros((5, 2), np.float32), 0.9, None, 400.0, 100.0, 0.0, 1.0)
        key_frames.append(KeyFrame(pose, frames[0], frames[1], sighting))
    capture = Capture(
        "c0ffee", info, b"n" * 16, b"y" * 32, b"x" * 32, 90, 3.0, tuple(key_frames) if complete else (), complete,
        None if complete else "pose-not-reached", SensorEvidence("told.v1", b"evidence"),
    )  # fmt: skip
    seen = frozenset(digests) if covered else frozenset()
    good = Evidence(Outcome.LIVE, "relief", "deep enough", (Measure("relief", 30.0, "mm"),), 1.0, seen)
    other = good if outcome is Outcome.LIVE else Evidence(outcome, "dot spread", "as silicone", (), 0.0, seen)
    results = tuple(
        GateResult(name, "1.0", "faceward-gates 0.1.0", evidence)
        for name, evidence in (("flatness", good), ("skin-optics", other))
    )
    return Judged(capture, LivenessVerdict(outcome, results, bytes(32)))


@pytest.fixture
def desk(bench, monkeypatch: pytest.MonkeyPatch, attempts_of: Callable[[Host], list[str | None]]) -> Iterator[Desk]:
    """A desk of the test's own; a capture that was not told is an IndexError."""
    with Host.open(bench.home(), models_folder=default_folder()) as host:
        made = Desk(host, attempts_of)
        monkeypatch.setattr("faceward.host.open_sensor", made.open_sensor)
        for flow in ("enrollment", "verification"):
            module = import_module(f"faceward.{flow}")
            monkeypatch.setattr(module, "GateWorker", made.worker)
            monkeypatch.setattr(module, "judge", made.judge)
        yield made


def make_key_files(folder: Path, *names: str) -> list[FileKeySigner]:
    """Signers, with their public keys in the folder."""
    made = []
    for name in names:
        made.append(FileKeySigner.create(folder / f"{name}.pem"))
        (folder / f"{name}.pub.pem").write_bytes(PublicKey(made[-1].public_key_der).to_pem())
    return made


STORE = """
version = 1
sequence = {sequence}
valid_days = 30
tenant = "development"
lock_group = "{group}"
minimum_epoch = {epoch}
hosts = [{{ need = 1, keys = [{{ path = "signer.pub.pem", custody = "{custody}" }}] }}]
administrators = [{{ need = 1, keys = [{{ path = "a.pub.pem", custody = "{custody}" }}] }}]
sensor_roots = [{{ name = "simulator", simulated = true }}]
{extra}
[allow]
development = {development}
simulated = {simulated}
{allow}
"""


class Believer:
    """A host that believes a signed trust store; `issue` makes the next one."""

    def __init__(self, host: Host) -> None:
        self.folder = host.policy.path.parent / "keys"
        self.root, self.administrator = make_key_files(self.folder, "root", "a")
        (self.folder / "signer.pub.pem").write_bytes(PublicKey(host.signer.public_key_der).to_pem())
        trust = TrustRef(self.folder / "trust.fwtrust", KeyFiles(1, (self.folder / "root.pub.pem",)))
        self.host = replace(host, policy=replace(host.policy, trust=trust))

    def issue(
        self, sequence: int = 1, *, group: str = "workbench", development: bool = True, epoch: int = 0,
        signer: FileKeySigner | None = None, now_s: float | None = None, revoke: str | None = None, extra: str = "",
        allow: str = "", simulated: bool | None = None,
    ) -> None:  # fmt: skip
        custody = "file" if development else "pkcs11"
        text = STORE.format(
            sequence=sequence, group=group, development=str(development).lower(), epoch=epoch, custody=custody,
            extra=extra, allow=allow, simulated=str(development if simulated is None else simulated).lower(),
        )  # fmt: skip
        if revoke is not None:
            text += f'[revoked]\nkey_files = ["{revoke}"]\n'
        (self.folder / "store.toml").write_text(text)
        store = describe_trust(self.folder / "store.toml", now_s=self.host.clock() if now_s is None else now_s)
        (self.folder / "trust.fwtrust").write_bytes(sign_trust(store, signer or self.root))


@pytest.fixture
def make_keys() -> Callable[..., list[FileKeySigner]]:
    """`make_keys(folder, "a", "b")`: signers, with their private and public keys in the folder."""
    return make_key_files


@pytest.fixture
def believer(desk: Desk) -> Believer:
    """The desk's host with a trust store; none is issued yet."""
    return Believer(desk.host)
