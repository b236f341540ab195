"""Files of designs."""

from __future__ import annotations

import pytest
from faceward_sim.campaign.designs import designs_text, read_designs
from faceward_sim.tables import TableError
from faceward_sim.world.adaptive import BOUNDS, AdaptiveDesign
from hypothesis import given
from hypothesis import strategies as st

designs = st.builds(AdaptiveDesign, **{name: st.floats(bound.low, bound.high) for name, bound in BOUNDS.items()})


@given(st.lists(designs, min_size=1, max_size=4))
def test_designs_are_read_as_they_were_written(tmp_path_factory, found):
    path = tmp_path_factory.getbasetemp() / "designs.toml"
    path.write_text(designs_text(found), encoding="utf-8")
    assert read_designs(path) == tuple(found)


@given(st.text(max_size=200))
def test_whatever_a_file_holds_it_is_designs_or_a_table_error(tmp_path_factory, text):
    path = tmp_path_factory.getbasetemp() / "any.toml"
    try:
        read_designs(path, text.encode("utf-8", "surrogatepass"))
    except TableError as error:
        assert "any.toml" in str(error)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "designs: holds no design"),
        ("[[designs]]\nthickness_mm = 0.5", r"designs\[0\].thickness_mm: 0.5 is not between 0.8 and 4"),
        ("[[designs]]\nthickness = 1.0", "thickness: no such key.*did you mean thickness_mm"),
        ("[[designs]]\n[[designs]]\nlate_s = true", r"designs\[1\].late_s: True is not a number"),
        ("more = 1\n[[designs]]", "more: no such key"),
    ],
)
def test_what_is_wrong_is_told_by_key(tmp_path, text, told):
    path = tmp_path / "designs.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(TableError, match=f"designs.toml: .*{told}"):
        read_designs(path)
