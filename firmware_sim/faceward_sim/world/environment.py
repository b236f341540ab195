"""Where somebody stands before the sensor, and in which light.

Strengths are in `sl-940`'s counts. Its flood returns 34 counts a microsecond from a reflectance-1 target at .4 m, which
takes about 10 W/m2 (8 electrons for each 15e-19 J that lands on a 3 um pixel behind f/2: assumed). The sun has about .4
W/m2/nm there (ASTM G173, 930-950 nm), 12 W/m2 behind a filter of 30 nm, so about 40 counts a microsecond.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from faceward_sim.firmware.imager import Prompt
from faceward_sim.world.streams import stream
from faceward_sim.world.surface import Actor, SceneState, Stranger, Sun
from faceward_sim.world.turning import turning

SLOT_US = 33_333
_PULSE_US = 2_000  # how long either unit shines in a slot


@dataclass(frozen=True, slots=True)
class Light:
    """A kind of light; every pair is a range that a seed draws from. `room` keeps the room's own ambient light."""

    name: str
    description: str
    room: bool = True
    ambient: tuple[float, float] = (0.0, 0.0)  # added from everywhere
    sun: tuple[float, float] = (0.0, 0.0)
    azimuth_deg: tuple[float, float] = (-70.0, 70.0)  # from the sensor's axis, on its side of the person
    elevation_deg: tuple[float, float] = (15.0, 60.0)
    wrap: float = 0.0
    shadows: bool = False
    stranger: bool = False


LIGHTS: Mapping[str, Light] = MappingProxyType(
    {
        light.name: light
        for light in (
            Light("indoor", "a room's lamps, which hold next to no infrared"),
            Light("dark", "no light but the sensor's own", room=False),
            # A few thousand lux of skylight where full sun has a hundred thousand.
            Light("window", "daylight from a window on one side", ambient=(0.1, 0.5), sun=(0.5, 3.0),
                  elevation_deg=(0.0, 35.0), wrap=0.4),
            Light("sun", "direct sun on the face", ambient=(1.5, 4.0), sun=(20.0, 45.0), shadows=True),
            Light("second-emitter", "another unit beside this one, out of step with it", stranger=True),
        )
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Environment:
    """A place before the sensor.

    Args:
        light: a name of `LIGHTS`.
        distance_mm: from the sensor to the plane of the eyes at rest; locks work from 250 to 800.
        yaw_deg: how far the sensor is turned about the face to the person's own left of where they face.
        pitch_deg: how far it is turned upwards.

    Raises ValueError: an unknown light, a distance that is not positive, an angle of more than 60 degrees.
    """

    light: str = "indoor"
    distance_mm: float = 400.0
    yaw_deg: float = 0.0
    pitch_deg: float = 0.0

    def __post_init__(self) -> None:
        if self.light not in LIGHTS:
            raise ValueError(f"no light {self.light!r}; there are {', '.join(sorted(LIGHTS))}")
        if not 0 < self.distance_mm < float("inf"):
            raise ValueError(f"a distance is positive, not {self.distance_mm} mm")
        if not (abs(self.yaw_deg) <= 60 and abs(self.pitch_deg) <= 60):
            raise ValueError(f"a sensor stands within 60 degrees, not at {self.yaw_deg}, {self.pitch_deg}")

    def around(self, actor: Actor, seed: int) -> Actor:
        """The actor in this light and at this angle; the seed draws what the light leaves open."""
        light = LIGHTS[self.light]
        if light == LIGHTS["indoor"] and not (self.yaw_deg or self.pitch_deg):
            return actor
        return _Surrounded(actor, self, light, seed)


class _Surrounded:
    """An actor with its environment."""

    def __init__(self, actor: Actor, environment: Environment, light: Light, seed: int) -> None:
        self.name, self.species = actor.name, actor.species
        self._actor, self._light = actor, light
        rng = stream(seed, "light")
        self._ambient = float(rng.uniform(*light.ambient))
        strength = float(rng.uniform(*light.sun))
        azimuth, elevation = np.deg2rad([rng.uniform(*light.azimuth_deg), rng.uniform(*light.elevation_deg)])
        towards = (np.sin(azimuth) * np.cos(elevation), -np.sin(elevation), -np.cos(azimuth) * np.cos(elevation))
        x, y, z = (float(part) for part in towards)
        self._sun = Sun((x, y, z), strength, light.wrap, light.shadows) if strength else None
        # A sensor that goes to the person's left sees them turned to their right.
        self._turn = turning(-np.deg2rad(environment.yaw_deg), -np.deg2rad(environment.pitch_deg))
        self._turned = bool(environment.yaw_deg or environment.pitch_deg)
        self._pivot = np.array([0.0, 0.0, environment.distance_mm], np.float32)
        # Two crystals drift apart by some 30 ppm: the overlap that a capture starts with is about what it keeps.
        self._phase_us = float(rng.uniform(-0.6, 0.6) * _PULSE_US)
        self._drift = float(rng.uniform(-30e-6, 30e-6))
        self._beside_mm = float(rng.choice([-1.0, 1.0]) * rng.uniform(90.0, 250.0))
        self._unit = int(rng.integers(1, 2**31))

    def at(self, time_us: int, prompt: Prompt) -> SceneState:
        scene = self._actor.at(time_us, prompt)
        surfaces = scene.surfaces
        if self._turned:
            surfaces = tuple(s.turned(self._turn, self._pivot) for s in surfaces)
        ambient = (scene.ambient if self._light.room else 0.0) + self._ambient
        stranger = self._stranger(time_us) if self._light.stranger else None
        return SceneState(surfaces, ambient, self._sun, stranger)

    def _stranger(self, time_us: int) -> Stranger:
        """What the other unit does meanwhile: of thirty slots, ten with dots, seventeen with flood, three dark."""
        number, away = divmod(time_us * (1 + self._drift) + self._phase_us + SLOT_US / 2, SLOT_US)
        share = max(0.0, 1.0 - abs(away - SLOT_US / 2) / _PULSE_US)
        drawn = np.random.default_rng([self._unit, int(number)]).integers(30)
        return Stranger(self._unit, self._beside_mm, share * float(10 <= drawn < 27), share * float(drawn < 10))
