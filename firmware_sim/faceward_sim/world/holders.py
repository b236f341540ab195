"""Somebody behind what they hold: sheets and screens in both hands or one, heads by the neck."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from faceward_sim.firmware.imager import Prompt
from faceward_sim.world.anatomy import Floats
from faceward_sim.world.body import FACE_CENTRE_MM, Body, Pose
from faceward_sim.world.generators import A, Generator
from faceward_sim.world.hands import Hand
from faceward_sim.world.instruments.heads import Head, HeadDesign
from faceward_sim.world.instruments.prints import PrintDesign, Sheet
from faceward_sim.world.instruments.screens import Screen, ScreenDesign
from faceward_sim.world.motion import Mover, Posture
from faceward_sim.world.people import draw_person
from faceward_sim.world.rooms import draw_room
from faceward_sim.world.streams import stream
from faceward_sim.world.surface import SceneState, Surface
from faceward_sim.world.turning import turning


class Tremor:
    """What hands add to the body's own sway: drift below 1 Hz and the 7 to 11 Hz of a held weight (assumed, M)."""

    def __init__(self, seed: int) -> None:
        rng = stream(seed, "tremor")
        self._hertz = np.concatenate([rng.uniform(0.2, 1.2, 3), rng.uniform(7.0, 11.0, 2)])
        slow_mm, fast_mm = float(rng.uniform(0.8, 2.2)), float(rng.uniform(0.05, 0.25))
        sizes = np.array([slow_mm] * 3 + [fast_mm] * 2)
        self._shift_mm = sizes * rng.uniform(0.4, 1.0, (3, 5))
        self._turn_rad = np.deg2rad(0.45) * sizes * rng.uniform(0.4, 1.0, (3, 5))
        self._phase = rng.uniform(0, 2 * np.pi, (2, 3, 5))

    def at(self, time_s: float) -> tuple[Floats, Floats]:
        """Shift in millimetres, and yaw, pitch and roll in radians."""
        angle = 2 * np.pi * self._hertz * time_s + self._phase
        return (
            (self._shift_mm * np.sin(angle[0])).sum(axis=1).astype(np.float32),
            (self._turn_rad * np.sin(angle[1])).sum(axis=1).astype(np.float32),
        )


class _Holder:
    """Somebody behind what they hold, who turns it as the indicator asks a face to turn."""

    def __init__(
        self, name: str, species: str, seed: int, distance_mm: float, tone: float | None, generator: Generator
    ) -> None:
        self.name = name
        self.species = species
        self.person = draw_person(seed, tone=tone, generator=generator)
        self._body = Body(self.person)
        self._mover = Mover(seed, distance_mm)
        self._tremor = Tremor(seed)
        self._hands = {side: Hand(seed, self.person.complexion, right=side > 0) for side in (-1, 1)}
        self._room = draw_room(seed, generator)
        self._middle = np.array([0.0, 0.0, distance_mm], np.float32)
        self._place = np.array([0.0, -FACE_CENTRE_MM, distance_mm], np.float32)

    def _held(self, time_us: int, prompt: Prompt, *, turns: bool = True) -> tuple[Posture, Posture]:
        """The holder's posture, and the posture of what they hold, hands' shaking in it."""
        posture = self._mover.at(time_us / 1e6, prompt)
        shift, turn = self._tremor.at(time_us / 1e6)
        asked = posture if turns else replace(posture, yaw_rad=0.0, pitch_rad=0.0)
        moved = np.asarray(posture.shift_mm) + shift
        return posture, replace(
            asked,
            shift_mm=(float(moved[0]), float(moved[1]), float(moved[2])),
            yaw_rad=asked.yaw_rad + float(turn[0]),
            pitch_rad=asked.pitch_rad + float(turn[1]),
            roll_rad=asked.roll_rad + float(turn[2]),
        )

    def _people(self, posture: Posture) -> tuple[Surface, ...]:
        """The holder's own body, facing the sensor behind the held thing."""
        straight = replace(posture, yaw_rad=0.2 * posture.yaw_rad, pitch_rad=0.2 * posture.pitch_rad)
        return self._body.surfaces(straight, self._place)

    def _scene(self, *parts: tuple[Surface, ...]) -> SceneState:
        return SceneState(tuple(s for part in (*parts, self._room.surfaces) for s in part), self._room.ambient)


def _turned(posture: Posture, middle_mm: Floats) -> tuple[Floats, Floats]:
    """Rotation and place of what is held in the middle."""
    rotation = turning(posture.yaw_rad, posture.pitch_rad, posture.roll_rad)
    return rotation, middle_mm + np.asarray(posture.shift_mm, np.float32)


class PrintHolder(_Holder):
    """A print of somebody else, held before the holder's face."""

    def __init__(
        self, design: PrintDesign, seed: int, distance_mm: float, tone: float | None, generator: Generator = A
    ) -> None:
        super().__init__(design.name, design.species, seed, distance_mm, tone, generator)
        self.sheet = Sheet(design, seed, generator)
        self._place += np.array([0.0, 40.0, 260.0], np.float32)

    def at(self, time_us: int, prompt: Prompt) -> SceneState:
        posture, held = self._held(time_us, prompt)
        rotation, middle = _turned(held, self._middle)
        hands = tuple(
            hand.surface(rotation, middle + rotation @ self.sheet.grip_mm(side)) for side, hand in self._hands.items()
        )
        return self._scene((self.sheet.surface(rotation, middle),), hands, self._people(posture))


class CutPrintWearer(_Holder):
    """A print with its eyes and mouth cut out, held against the holder's face so that theirs look through."""

    def __init__(
        self, design: PrintDesign, seed: int, distance_mm: float, tone: float | None, generator: Generator = A
    ) -> None:
        super().__init__(design.name, design.species, seed, distance_mm, tone, generator)
        self.sheet = Sheet(design, seed, generator)
        rng = stream(seed, "against")
        own = self.person.build
        eyes_mm = np.mean([(eye.x_mm, eye.y_mm) for eye in self.sheet.holes[:2]], axis=0)
        front_mm = float(own.vertices_mm[:, 2].min()) - float(rng.uniform(1.0, 4.0))
        self._over = np.array(
            [-eyes_mm[0] + rng.normal(0, 1.5), -eyes_mm[1] + rng.normal(0, 1.5), front_mm], np.float32
        )

    def at(self, time_us: int, prompt: Prompt) -> SceneState:
        posture, held = self._held(time_us, prompt)
        pose = Pose(held, self._place, self.person.build.scale)
        sheet = self.sheet.surface(np.eye(3, dtype=np.float32), self._over)
        hands = tuple(
            hand.surface(pose.head, pose.carry((self._over + self.sheet.grip_mm(side))[None])[0])
            for side, hand in self._hands.items()
        )
        body = self._body.surfaces(posture, self._place)
        return self._scene((replace(sheet, vertices_mm=pose.carry(sheet.vertices_mm)),), hands, body)


class ScreenHolder(_Holder):
    """A device that shows somebody else's face, in light that the sensor does not see."""

    def __init__(
        self, design: ScreenDesign, seed: int, distance_mm: float, tone: float | None, generator: Generator = A
    ) -> None:
        super().__init__(design.name, design.species, seed, distance_mm, tone, generator)
        self.screen = Screen(design, seed, generator)
        self._turns = not design.video
        side = float(stream(seed, "stand").choice([-1.0, 1.0]))
        if design.device.hands == 1:
            # A phone is smaller than a head: its holder stands aside with an arm stretched out.
            self._place += np.array([side * (0.75 * distance_mm + 260.0), 60.0, 320.0], np.float32)
            self._gripping = (int(side),)
        else:
            self._place += np.array([0.0, 40.0, 330.0], np.float32)
            self._gripping = (-1, 1)

    def at(self, time_us: int, prompt: Prompt) -> SceneState:
        posture, held = self._held(time_us, prompt, turns=self._turns)
        rotation, middle = _turned(held, self._middle)
        hands = tuple(
            self._hands[side].surface(rotation, middle + rotation @ self.screen.grip_mm(side))
            for side in self._gripping
        )
        return self._scene(self.screen.surfaces(rotation, middle), hands, self._people(posture))


class HeadHolder(_Holder):
    """A head held by its neck at arm's length, turned as the indicator asks; its holder stands aside."""

    def __init__(
        self, design: HeadDesign, seed: int, distance_mm: float, tone: float | None, generator: Generator = A
    ) -> None:
        super().__init__(design.name, design.species, seed, distance_mm, tone, generator)
        self.head = Head(design, seed, generator)
        self._at = self._place.copy()
        self._side = int(stream(seed, "stand").choice([-1, 1]))
        self._place += np.array([self._side * (0.75 * distance_mm + 260.0), 40.0, 150.0], np.float32)

    def at(self, time_us: int, prompt: Prompt) -> SceneState:
        posture, held = self._held(time_us, prompt)
        pose = Pose(held, self._at, self.head.scale)
        hand = self._hands[self._side]
        grip = self.head.neck_mm + np.array([self._side * 52.0, 0.0, 0.0], np.float32)
        gripping = hand.surface(pose.head, pose.carry(grip[None])[0])
        return self._scene(self.head.surfaces(held, self._at), (gripping,), self._people(posture))
