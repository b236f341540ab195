"""The script behind the committed table: what it writes is read again, and it writes the same twice."""

from __future__ import annotations

import shutil
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
from faceward_sim.optics.transport.grid import Grid
from faceward_sim.optics.transport.table import ASSET, GRIDS

ROOT = Path(__file__).resolve().parents[4]
COMMITTED = files("faceward_sim.optics.transport").joinpath("assets").joinpath(ASSET)


def _fly(out: Path) -> bytes:
    with COMMITTED.open("rb") as source, out.open("wb") as target:
        shutil.copyfileobj(source, target)
    script = str(ROOT / "firmware_sim/tools/fly_photons.py")
    subprocess.run(
        [sys.executable, script, "--out", str(out), "--photons", "0.01", "--grid", "skin"], check=True, timeout=280
    )
    return out.read_bytes()


def test_it_flies_the_committed_grid_again_with_fewer_photons_and_the_same_each_time(tmp_path):
    one, other = _fly(tmp_path / "one.npz"), _fly(tmp_path / "other.npz")
    assert one == other
    with COMMITTED.open("rb") as stream, np.load(stream) as committed, np.load(tmp_path / "one.npz") as flown:
        assert set(committed.files) == set(flown.files)
        for name in GRIDS:
            assert np.array_equal(committed[f"{name}.levels"], flown[f"{name}.levels"]) is (name != "skin")
        assert int(flown["skin.photons"]) < int(committed["skin.photons"])
        was, now = (Grid.read(arrays, "skin") for arrays in (committed, flown))
        assert [axis.nodes.tolist() for axis in was.axes] == [axis.nodes.tolist() for axis in now.axes]
        for point in ((1.0, 0.5, 0.03), (2.2, 1.5, 0.05), (3.0, 4.0, 0.09)):
            # 2,000 photons: four standard deviations of a reflectance of .2 to .5.
            assert now.at(*point)[0] == pytest.approx(was.at(*point)[0], abs=0.05)


def test_the_committed_table_is_well_below_a_megabyte():
    with COMMITTED.open("rb") as stream:
        assert len(stream.read()) < 800_000
