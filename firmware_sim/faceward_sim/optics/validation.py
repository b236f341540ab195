"""The simulator's materials held against the parameter sheet, quantity by quantity, as the bench measures them.

Reflectance, spread, pulse and gloss are counted in rendered frames. Over-range is transport's own until there is a
time-of-flight sensor to measure it, and is marked so.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from faceward_sim.optics.bench import Bench, Patch
from faceward_sim.optics.materials import (
    HEAD,
    MELANIN,
    SKIN_MIRRORS,
    Shell,
    skin_response,
    to_material,
)
from faceward_sim.optics.transport.response import Response
from faceward_sim.optics.transport.table import Slab
from faceward_sim.optics.transport.tissue import Skin

TOLERANCE = 0.10
FRAMES, TRANSPORT = "frames", "transport"
_BLOOD_STEP = 0.01  # ten times the sheet's, centred on nominal blood, so that noise is small against it
_TONES = ("I-II", "III-IV", "V", "VI")
_GLOSS = 0.27  # middle of the sheet's roughness
_LOW_MHZ, _HIGH_MHZ = 60.0, 300.0


@dataclass(frozen=True, slots=True)
class Row:
    """One quantity. It holds within 10 % of the sheet's value or range, or where it rounds to the sheet's last digit."""

    material: str
    quantity: str
    unit: str
    low: float
    high: float
    step: float  # of the sheet's last digit
    measured: float
    source: str  # FRAMES or TRANSPORT

    @property
    def nearest(self) -> float:
        """The sheet's value; of a range, the nearest in it."""
        return min(max(self.measured, self.low), self.high)

    @property
    def ratio(self) -> float | None:
        """Measured over the sheet's; None where the sheet says 0."""
        return self.measured / self.nearest if self.nearest else None

    @property
    def holds(self) -> bool:
        off = abs(self.measured - self.nearest)
        return off <= max(TOLERANCE * abs(self.nearest), self.step / 2) * (1 + 1e-9)

    @property
    def sheet(self) -> str:
        """The sheet's value as it stands there."""
        digits = max(0, len(f"{self.step:g}".partition(".")[2]))
        ends = [f"{end:.{digits}f}" for end in (self.low, self.high)]
        return ends[0] if self.low == self.high else f"{ends[0]} to {ends[1]}"


@dataclass(frozen=True, slots=True)
class _Sheet:
    """A value of the sheet, or a range, with its last digit's step."""

    low: float
    step: float
    high: float | None = None

    def row(self, material: str, quantity: str, unit: str, measured: float, source: str = FRAMES) -> Row:
        return Row(material, quantity, unit, self.low, self.low if self.high is None else self.high, self.step,
                   measured, source)  # fmt: skip


def _each(step: float, *values: float) -> tuple[_Sheet, ...]:
    return tuple(_Sheet(value, step) for value in values)


# sensor-physics.md, "Nominal skin by tone": confidence M, computed by Monte Carlo transport.
_SKIN: Mapping[str, tuple[_Sheet, ...]] = MappingProxyType(
    {
        "R 850": _each(0.001, 0.555, 0.399, 0.288, 0.192),
        "R 940": _each(0.001, 0.482, 0.383, 0.300, 0.221),
        "R940/R850": _each(0.01, 0.87, 0.96, 1.04, 1.15),
        "r50": _each(0.05, 1.10, 1.00, 0.90, 0.85),
        "r90": _each(0.05, 3.50, 3.35, 3.20, 3.00),
        "share": _each(0.01, 0.24, 0.27, 0.29, 0.32),
        "ToF 850": _each(0.1, 8.0, 7.1, 6.4, 5.9),
        "ToF 940": _each(0.1, 5.6, 5.1, 4.8, 4.4),
        "dR/R": _each(0.01, -0.34, -0.31, -0.29, -0.27),
    }
)
_DIRECT = (_Sheet(5.5, 0.5), None, None, _Sheet(11.0, 1.0))  # per cent, "Other cues", M
_DROP = _Sheet(0.0, 0.1, 0.3)  # "at most 0.3 mm on skin"


@dataclass(frozen=True, slots=True)
class _Instrument:
    name: str
    shell: Shell
    reflectance: _Sheet
    over_range: _Sheet
    r50: _Sheet
    pulse: _Sheet | None  # per cent of bare skin's


def _shell(thickness: float, mu_s: float, mu_a: float, *, index: float = 1.40, gap: float | None = 2.0) -> Shell:
    slab = Slab(thickness, mu_a, mu_s, index)
    return Shell(slab) if gap is None else Shell(slab, gap, HEAD)


# sensor-physics.md, "Instruments at 940 nm". Gap, head and index are the sheet's where it says them, else what its
# figures are met with: 2 mm before a head of melanin .035; 1.40 for silicone, 1.50 to 1.52 for what is harder.
_INSTRUMENTS = (
    _Instrument("silicone 3 mm, translucent", _shell(3.0, 1.0, 0.002),
                _Sheet(0.64, 0.01), _Sheet(12.8, 0.1), _Sheet(2.70, 0.05), _Sheet(20.0, 1.0)),
    _Instrument("silicone 3 mm, typical", _shell(3.0, 1.0, 0.02),
                _Sheet(0.51, 0.01), _Sheet(9.8, 0.1), _Sheet(2.25, 0.05), _Sheet(5.0, 1.0, 15.0)),
    _Instrument("silicone 3 mm, skin-matched", _shell(3.0, 2.0, 0.03),
                _Sheet(0.54, 0.01), _Sheet(6.2, 0.1), _Sheet(1.20, 0.05), _Sheet(4.0, 1.0)),
    _Instrument("silicone 1.5 mm, in contact", _shell(1.5, 1.0, 0.005, gap=0.0),
                _Sheet(0.52, 0.01), _Sheet(8.1, 0.1), _Sheet(2.00, 0.05), _Sheet(50.0, 10.0)),
    _Instrument("silicone 5 mm", _shell(5.0, 0.5, 0.002),
                _Sheet(0.61, 0.01), _Sheet(20.6, 0.1), _Sheet(5.10, 0.05), None),
    _Instrument("silicone 3 mm, opaque", _shell(3.0, 5.0, 0.01),
                _Sheet(0.76, 0.01), _Sheet(6.0, 0.1), _Sheet(0.65, 0.05), _Sheet(2.0, 1.0)),
    _Instrument("latex 1 mm", _shell(1.0, 4.0, 0.02, index=1.52),
                _Sheet(0.60, 0.01), _Sheet(5.4, 0.1), _Sheet(0.75, 0.05), _Sheet(15.0, 1.0)),
    _Instrument("resin 3 mm", _shell(3.0, 3.0, 0.005, index=1.50),
                _Sheet(0.71, 0.01), _Sheet(10.3, 0.1), _Sheet(1.10, 0.05), _Sheet(6.0, 1.0)),
    _Instrument("ABS 3 mm", _shell(3.0, 15.0, 0.01, index=1.50),
                _Sheet(0.83, 0.01), _Sheet(5.0, 0.1), _Sheet(0.25, 0.05), _Sheet(0.0, 1.0)),
    _Instrument("paper 0.14 mm", _shell(0.14, 50.0, 0.02, index=1.50, gap=None),
                _Sheet(0.6, 0.1, 0.8), _Sheet(0.2, 0.1, 2.4), _Sheet(0.05, 0.05), None),
    _Instrument("plaster 5 mm", _shell(5.0, 60.0, 0.01, index=1.50, gap=None),
                _Sheet(0.89, 0.01), _Sheet(2.8, 0.1), _Sheet(0.05, 0.05), None),
)  # fmt: skip


MATERIALS = (*(f"skin {tone}" for tone in _TONES), *(instrument.name for instrument in _INSTRUMENTS))
"""The materials of the sheet's tables."""


def measure(
    seed: int, told: Callable[[str], None] = lambda name: None, only: Collection[str] = MATERIALS
) -> Iterator[Row]:
    """Every row of the sheet's tables on light in skin and instruments, measured with units of this seed.

    Args:
        told: called with the name of each material before it is measured.
        only: the materials that are measured, of MATERIALS.
    """
    bench = Bench(seed)
    for number, (tone, melanin) in enumerate(zip(_TONES, MELANIN, strict=True)):
        if (name := f"skin {tone}") in only:
            told(name)
            yield from _skin_rows(bench, name, Skin(melanin), number)
    wanted = [instrument for instrument in _INSTRUMENTS if instrument.name in only]
    bare = _pulse(bench, lambda skin: patch(skin_response(skin))) if wanted else 0.0
    for instrument in wanted:
        told(instrument.name)
        yield from _instrument_rows(bench, instrument, bare)


def patch(response: Response, mirrors: float = SKIN_MIRRORS) -> Patch:
    """A piece of what answers light so, as the renderer takes it."""
    return Patch(response.reflectance, to_material("patch", response, mirrors, _GLOSS))


def _skin_rows(bench: Bench, name: str, skin: Skin, number: int) -> Iterator[Row]:
    near, far = skin_response(skin, 850), skin_response(skin, 940)
    reflectance = {wavelength: bench.reflectance(patch(seen)) for wavelength, seen in ((850, near), (940, far))}
    spread = bench.spread(patch(far))
    sheet = {quantity: values[number] for quantity, values in _SKIN.items()}
    yield sheet["R 850"].row(name, "diffuse reflectance, 850 nm", "", reflectance[850])
    yield sheet["R 940"].row(name, "diffuse reflectance, 940 nm", "", reflectance[940])
    yield sheet["R940/R850"].row(name, "R940 / R850", "", reflectance[940] / reflectance[850])
    yield sheet["r50"].row(name, "dot r50, 940 nm", "mm", spread.r50_mm)
    yield sheet["r90"].row(name, "dot r90, 940 nm", "mm", spread.r90_mm)
    yield sheet["share"].row(name, "dot's share inside 0.5 mm, 940 nm", "", spread.share_half_mm)
    yield sheet["dR/R"].row(
        name, "dR/R per +0.1 % dermal blood, 940 nm", "%", _pulse(bench, lambda s: patch(skin_response(s)), skin)
    )
    direct = _DIRECT[number]
    if direct is not None:
        yield direct.row(name, "direct share of what comes back, 940 nm", "%", 100 * bench.direct_share(patch(far)))
    yield sheet["ToF 850"].row(name, "ToF over-range, 850 nm", "mm", near.over_range_mm(), TRANSPORT)
    yield sheet["ToF 940"].row(name, "ToF over-range, 940 nm", "mm", far.over_range_mm(), TRANSPORT)
    for wavelength, seen in ((850, near), (940, far)):
        drop = seen.over_range_mm(_LOW_MHZ) - seen.over_range_mm(_HIGH_MHZ)
        yield _DROP.row(name, f"over-range at 60 less 300 MHz, {wavelength} nm", "mm", drop, TRANSPORT)


def _instrument_rows(bench: Bench, instrument: _Instrument, bare_pulse: float) -> Iterator[Row]:
    name, shell = instrument.name, instrument.shell
    response = shell.response()
    yield instrument.reflectance.row(name, "diffuse reflectance, 940 nm", "", bench.reflectance(patch(response)))
    yield instrument.r50.row(name, "dot r50, 940 nm", "mm", bench.spread(patch(response)).r50_mm)
    if instrument.pulse is not None:
        through = _pulse(bench, lambda head: patch(replace(shell, head=head).response()))
        yield instrument.pulse.row(name, "pulse through it, of bare skin's", "%", 100 * through / bare_pulse)
    yield instrument.over_range.row(name, "ToF over-range, 940 nm", "mm", response.over_range_mm(), TRANSPORT)


def _pulse(bench: Bench, made: Callable[[Skin], Patch], skin: Skin = HEAD) -> float:
    """Change of reflectance in per cent for .1 % of blood more in the dermis."""
    less, more = (made(replace(skin, added_blood=side * _BLOOD_STEP / 2)) for side in (-1, 1))
    return 100 * (bench.ratio(more, less) - 1) * 0.001 / _BLOOD_STEP
