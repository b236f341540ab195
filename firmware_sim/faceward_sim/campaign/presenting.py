"""One grant of a campaign: its scene built, presented on the wire, captured and judged. It runs where a worker runs."""

from __future__ import annotations

import socket
import tempfile
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from faceward import FacewardError
from faceward.trial import Presented, SystemUnderTest, Trial, run_trial

from faceward_sim.campaign.roster import Entry

PATIENCE_S = 60.0


class SetUpError(RuntimeError):
    """This machine can't test what the campaign tests; the message says what is missing or different."""


@dataclass(frozen=True, slots=True)
class Order:
    """A grant, and what it is to be tested under; small enough to be sent. `policy` is a policy file's content."""

    entry: Entry
    policy: bytes
    frozen: str  # the digest that gates and thresholds must have where the work is done
    models_folder: str | None


def present(order: Order) -> tuple[Trial, ...]:
    """Everything that comes of one grant; an error is a line too.

    Raises SetUpError: gates, policy or models on this machine are not those of the campaign.
    """
    from faceward_sim.ports.inprocess import get_backend
    from faceward_sim.rig import build_scene

    system = system_of(order)
    entry = order.entry
    # A machine that is busy must not lose frames: what comes late is waited for.
    backend = get_backend(build_scene(entry.scene), patience_s=PATIENCE_S)
    try:
        return tuple(
            run_trial(
                system,
                presented(entry),
                backend=backend,
                captures=entry.captures,
                nonces=entry.nonce,
            )
        )
    finally:
        backend.close()


def presented(entry: Entry) -> Presented:
    """What the lines of a grant say of it."""
    return Presented(
        grant_id=entry.grant_id,
        attack=entry.attack,
        species=entry.species,
        person_id=entry.person_id,
        instrument_id=entry.instrument_id,
        tone=entry.tone,
        sensor_kind=entry.sensor_kind,
        sensor_unit=entry.sensor_unit,
        split=entry.split,
        generator=entry.generator,
        simulated=True,
        seed=entry.scene.seed,
        adaptive=entry.scene.who.design is not None,
        replay=entry.replay or f"faceward-sim campaign replay DIR {entry.grant_id}",
        purpose="verify" if entry.purpose == "verify" else "enroll",
    )


def system_of(order: Order) -> SystemUnderTest:
    """What an order is to be tested on, read once a process. Raises SetUpError, as `present`."""
    return _system(order.policy, order.frozen, order.models_folder)


@lru_cache(maxsize=2)
def _system(policy: bytes, frozen: str, models_folder: str | None) -> SystemUnderTest:
    with tempfile.TemporaryDirectory(prefix="faceward-campaign-") as folder:
        path = Path(folder) / "policy.toml"
        path.write_bytes(policy)
        try:
            system = SystemUnderTest.open(path, models_folder=None if models_folder is None else Path(models_folder))
            found = system.frozen_digest()
        except FacewardError as error:
            raise SetUpError(f"{socket.gethostname()}: {error}") from None
    if found != frozen:
        raise SetUpError(f"{socket.gethostname()} has other gates installed than this campaign began with")
    return system
