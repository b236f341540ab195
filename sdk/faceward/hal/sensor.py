"""The contract of a sensor and of the driver that opens it.

Ownership: one process owns a sensor, and one thread at a time calls it (`cancel` alone may come from any thread). Every
call has a deadline in wall-clock seconds; a call that misses it raises DeviceTimeout and leaves the sensor closable.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Self

from faceward.model.capture import CaptureClaim, SensorClaim, SensorEvidence
from faceward.model.frame import Health, IlluminationSchedule, Prompt, SensorInfo, Slot, StreamProfile

if TYPE_CHECKING:
    from faceward_proto.attestation import CaptureClaim as RecordClaim
    from faceward_proto.attestation import ProvenSensor


@dataclass(frozen=True, slots=True)
class SensorAddress:
    """A sensor that discovery found: enough to open it again, and what the bus says of it."""

    address: str  # "usb:1209:0001:SERIAL", "usbip://HOST:PORT/BUSID", "replay:FILE"
    vid: int
    pid: int
    serial: str
    product: str
    driver: str


class Sensor(ABC):
    """An open sensor. Use it as a context manager; `close` is idempotent and never raises DeviceLost.

    `claim` is what an attested sensor proves itself to be by, fixed when it is opened; None for any other. A driver that
    sets it has verified, before a slot leaves `read_slot`, that its frames come from the sensor that the claim is of.
    """

    info: SensorInfo
    claim: SensorClaim | None = None

    @abstractmethod
    def start(self, profile: StreamProfile, schedule: IlluminationSchedule, *, timeout_s: float = 5.0) -> None:
        """Load the schedule, negotiate both streams and begin with slot 0.

        Raises: ConfigError (a profile or schedule that this sensor has not), DeviceError.
        """

    @abstractmethod
    def read_slot(self, *, timeout_s: float = 2.0) -> Slot:
        """The next slot, in order, each once, with depth where the slot measured it.

        Raises: DeviceTimeout, DeviceLost, DeviceProtocolError (a slot missing, twice, short, mislabelled), DeviceFault,
        CaptureCancelled (after `cancel`). After any of them the stream is over.
        """

    @abstractmethod
    def set_exposure(self, exposure_us: int, gain: float = 1.0, *, timeout_s: float = 1.0) -> None:
        """Exposure of the slots to come; frames carry what they were taken with."""

    @abstractmethod
    def indicate(self, prompt: Prompt, *, timeout_s: float = 1.0) -> None:
        """Show the person a prompt."""

    @abstractmethod
    def health(self, *, timeout_s: float = 1.0) -> Health:
        """The sensor's own report."""

    @abstractmethod
    def stop(self, *, timeout_s: float = 2.0) -> None:
        """End streaming; the sensor can be started again. Idempotent."""

    def attest(self, claim: CaptureClaim, *, timeout_s: float = 2.0) -> SensorEvidence | None:
        """What the sensor signs of the capture that ended last, of the claim's own kind; None where it has no claim.

        Called after `stop`, before the next `start`. Raises: DeviceNotAttested (it has seen another capture, or signs
        none though it has a claim), DeviceError.
        """
        return None

    @abstractmethod
    def cancel(self) -> None:
        """From any thread: make the running and every later `read_slot` raise CaptureCancelled."""

    @abstractmethod
    def close(self) -> None:
        """Give the sensor back."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


@dataclass(frozen=True, slots=True)
class UsbMatch:
    """A product that a driver opens, with what its UVC and vendor dialect is called."""

    vid: int
    pid: int
    model: str


class EvidenceScheme(ABC):
    """How a vendor's own kind of evidence is verified. `faceward.sensor.v1` needs none: it is verified by the SDK itself.

    A lock that is to take such records needs the same verification, as an `evidence_verifier` of its trust store.
    """

    kind: str

    @abstractmethod
    def verify_claim(self, proof: bytes) -> ProvenSensor:
        """What an open sensor's SensorClaim of this kind proves. Raises: faceward_proto.errors.VerificationError."""

    @abstractmethod
    def verify_capture(self, evidence: bytes, claim: RecordClaim) -> ProvenSensor:
        """What SensorEvidence of this kind proves, for a capture of which a record claims this.

        Raises: faceward_proto.errors.VerificationError, where anything that is claimed was not proven.
        """


class SensorDriver(ABC):
    """Opens the sensors of one kind. A third party's comes in through the hook `faceward_sensor_drivers`.

    `evidence` verifies the kinds of evidence that its sensors bring and the SDK does not know.
    """

    name: str
    matches: Sequence[UsbMatch]
    evidence: Sequence[EvidenceScheme] = ()

    @abstractmethod
    def open(self, device: object, address: SensorAddress, *, timeout_s: float = 5.0) -> Sensor:
        """Take a `usb.core.Device` that matched, claim it and ask it what it is.

        Raises: DeviceError.
        """
