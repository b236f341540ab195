from __future__ import annotations

import pytest
from faceward_sim.optics.transport.tissue import CHROMOPHORES, Skin
from hypothesis import given
from hypothesis import strategies as st


def test_the_nominal_dermis_absorbs_what_the_sheet_says():
    assert Skin(0.1).dermis_mu_a(850) == pytest.approx(0.024, abs=0.0005)
    assert Skin(0.1).dermis_mu_a(940) == pytest.approx(0.042, abs=0.0005)
    assert Skin(0.1).dermis_mu_s_reduced(850) == 2.10


@given(st.sampled_from(sorted(CHROMOPHORES)), st.floats(0.01, 0.39), st.floats(0.001, 0.1), st.floats(0.3, 0.9))
def test_more_of_anything_absorbs_more(wavelength_nm, melanin, blood, water):
    skin = Skin(melanin, blood, water)
    assert Skin(melanin + 0.01, blood, water).epidermis_mu_a(wavelength_nm) > skin.epidermis_mu_a(wavelength_nm)
    assert Skin(melanin, blood + 0.01, water).dermis_mu_a(wavelength_nm) > skin.dermis_mu_a(wavelength_nm)
    assert Skin(melanin, blood, water + 0.01).dermis_mu_a(wavelength_nm) > skin.dermis_mu_a(wavelength_nm)


def test_melanin_darkens_850_more_than_940_and_water_the_other_way():
    dark = Skin(0.35)
    assert dark.epidermis_mu_a(850) > dark.epidermis_mu_a(940)
    assert Skin(0.1, water=0.8).dermis_mu_a(940) > 1.5 * Skin(0.1, water=0.8).dermis_mu_a(850)


@pytest.mark.parametrize("wrong", [{"melanin": -0.1}, {"melanin": 0.1, "blood": 2}, {"melanin": 0.1, "scattering": 0}])
def test_skin_that_can_not_be_is_refused(wrong):
    with pytest.raises(ValueError, match="shares"):
        Skin(**wrong)


def test_a_wavelength_without_coefficients_is_refused_with_those_that_have_some():
    with pytest.raises(ValueError, match="850, 905, 940, 970, 1050"):
        Skin(0.1).dermis_mu_a(860)
