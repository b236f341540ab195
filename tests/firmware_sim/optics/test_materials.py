from __future__ import annotations

import numpy as np
import pytest
from faceward_sim.optics.materials import (
    HEAD,
    MELANIN,
    SUBSTANCES,
    TONES,
    Range,
    Shell,
    draw_skin,
    skin_response,
    tinted,
    to_material,
)
from faceward_sim.optics.profile import SHARES
from faceward_sim.optics.transport.table import Slab
from faceward_sim.optics.transport.tissue import CHROMOPHORES, Skin
from hypothesis import given, settings
from hypothesis import strategies as st


@given(st.integers(10_000, 1 << 40), st.sampled_from(sorted(SUBSTANCES)))
@settings(deadline=None)
def test_every_draw_of_every_substance_lies_within_the_table(seed, name):
    shell = SUBSTANCES[name].draw(np.random.default_rng(seed), draw_skin(np.random.default_rng(seed), 1 + seed % 4))
    for wavelength_nm in CHROMOPHORES:
        response = shell.response(wavelength_nm)
        assert 0.05 < response.reflectance < 0.99
        assert 0 < response.r50_mm < response.r90_mm


@given(st.integers(10_000, 1 << 40), st.floats(1.0, 4.0))
@settings(deadline=None)
def test_everybodys_skin_lies_within_the_table(seed, tone):
    skin = draw_skin(np.random.default_rng(seed), tone)
    assert 0.01 <= skin.melanin <= 0.40
    for wavelength_nm in CHROMOPHORES:
        assert 0.05 < skin_response(skin, wavelength_nm).reflectance < 0.75


@pytest.mark.parametrize(("tone", "melanin"), list(zip(TONES, MELANIN, strict=True)))
def test_a_tone_is_the_sheets_melanin_in_the_middle_and_people_about_it(tone, melanin):
    skins = [draw_skin(np.random.default_rng(seed), tone) for seed in range(10_000, 10_300)]
    assert np.median([s.melanin for s in skins]) == pytest.approx(melanin, rel=0.06)
    logs = np.log([s.scattering for s in skins])
    assert 0.15 < logs.std() < 0.25 and abs(np.median(logs)) < 0.05
    assert np.median([s.blood for s in skins]) == pytest.approx(0.02, rel=0.08)


@pytest.mark.parametrize("tone", [0.9, 4.1, float("nan")])
def test_a_tone_outside_the_sheet_is_refused(tone):
    with pytest.raises(ValueError, match="between 1 and 4"):
        draw_skin(np.random.default_rng(10_000), tone)


def test_dark_skin_is_brighter_at_940_and_fair_skin_at_850():
    fair, dark = (
        skin_response(Skin(m), 940).reflectance / skin_response(Skin(m), 850).reflectance for m in (0.02, 0.35)
    )
    assert fair < 0.95 and dark > 1.05


def test_a_pulse_darkens_bare_skin_more_than_a_mask_over_it():
    beat = Skin(HEAD.melanin, added_blood=0.001)
    bare = skin_response(beat).reflectance / skin_response(HEAD).reflectance - 1
    shell = Shell(Slab(3.0, 0.02, 1.0), 2.0, HEAD)
    through = Shell(shell.slab, 2.0, beat).response().reflectance / shell.response().reflectance - 1
    assert bare < 0 and 0.03 < through / bare < 0.25
    assert Shell(shell.slab).response().reflectance < shell.response().reflectance


@given(st.floats(0.2, 0.6))
@settings(deadline=None, max_examples=20)
def test_a_tint_brings_silicone_to_the_reflectance_that_is_asked_for(reflectance):
    shell = tinted(Shell(Slab(3.0, 0.03, 2.0), 1.5, HEAD), reflectance)
    assert shell.response().reflectance == pytest.approx(reflectance, rel=0.002)


def test_the_renderer_gets_the_whole_profile():
    response = skin_response(Skin(0.1))
    material = to_material("skin", response, 0.03, 0.3)
    assert material.dot_radii_mm == response.radii_mm and len(response.radii_mm) == len(SHARES)
    assert (material.dot_r50_mm, material.dot_r90_mm) == (response.r50_mm, response.r90_mm)
    assert material.specular_share * response.reflectance == pytest.approx(0.03)
    assert material.profile.inside(response.r90_mm) == pytest.approx(0.9, abs=1e-6)


def test_a_range_never_leaves_its_ends():
    drawn = [Range(0.8, 1.0, 1.2, 0.5).draw(np.random.default_rng(seed)) for seed in range(200)]
    assert min(drawn) == 0.8 and max(drawn) == 1.2
