"""What a law says; the laws themselves, run as a user runs them."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest
from faceward_sim.cli import app
from faceward_sim.optics import sensor_laws
from faceward_sim.optics.sensor_laws import BoardsUnreadable, Law, board_residual, read_boards
from typer.testing import CliRunner


def _law(measured, low=1.0, high=None, tolerance=0.25):
    return Law("s", "q", "mm", low, low if high is None else high, measured, tolerance, "sheet")


@pytest.mark.parametrize(
    ("measured", "holds"),
    [(1.25, True), (1.26, False), (0.8, True), (0.79, False), (0.0, False), (-1.0, False), (float("nan"), False)],
)
def test_a_law_holds_within_its_share_up_or_down(measured, holds):
    assert _law(measured).holds is holds


def test_a_range_holds_inside_and_its_share_beyond():
    assert _law(0.3, 0.05, 0.5).ratio == 1
    assert _law(0.6, 0.05, 0.5).holds and not _law(0.7, 0.05, 0.5).holds


def _frames(rng, noise_mm, blur_px, kept, frames=3):
    def field():
        drawn = rng.standard_normal((480, 640))
        if blur_px:
            drawn = cv2.GaussianBlur(drawn, (0, 0), blur_px)
        return drawn / drawn.std()

    y, x = np.mgrid[0:480, 0:640]
    ray_x, ray_y = (x - 320) / 500, (y - 240) / 500
    plane = 300 / (1 - 0.2 * ray_x - 0.1 * ray_y)
    still = field()
    return [plane + noise_mm * (np.sqrt(kept) * still + np.sqrt(1 - kept) * field()) for _ in range(frames)]


def test_a_boards_residual_is_its_noise_wherever_its_plane_leans():
    residual = board_residual(_frames(np.random.default_rng(1), 0.4, 4.0, 0.6), 500.0, 320.0, 240.0)
    assert residual.rms_mm == pytest.approx(0.4, rel=0.1)
    assert residual.kept == pytest.approx(0.6, abs=0.08)
    # A field blurred by a Gaussian of s px correlates as exp(-d^2 / 4 s^2): 1/e at 2 s.
    assert residual.length_px == pytest.approx(8.0, rel=0.15)


def test_white_noise_has_no_length_to_speak_of():
    assert board_residual(_frames(np.random.default_rng(2), 0.4, 0.0, 0.0), 500.0, 320.0, 240.0).length_px < 1


def test_what_stands_before_a_board_is_left_out():
    frames = _frames(np.random.default_rng(3), 0.3, 3.0, 0.5)
    for frame in frames:
        frame[200:215, 300:320] -= 60
    assert board_residual(frames, 500.0, 320.0, 240.0).rms_mm == pytest.approx(0.3, rel=0.15)


def _write(folder, frames):
    for number, frame in enumerate(frames):
        cv2.imwrite(str(folder / f"depth_{number}.png"), np.rint(frame * 10).astype(np.uint16))
    camera = {"IntrinsicMatrix.0": "(500.0, 0.0, 320.0)", "IntrinsicMatrix.1": "(0.0, 500.0, 240.0)"}
    (folder / "DepthMetadata.json").write_text(json.dumps([camera]))


def test_boards_are_read_from_a_folder(tmp_path):
    _write(tmp_path, _frames(np.random.default_rng(4), 0.4, 4.0, 0.6))
    found = read_boards(tmp_path)
    assert (found.f_px, found.gaps_mm.shape[0]) == (500.0, 3)
    assert found.rms_mm == pytest.approx(0.4, rel=0.1)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda folder: (folder / "DepthMetadata.json").unlink(), "no DepthMetadata.json"),
        (lambda folder: (folder / "DepthMetadata.json").write_text("[]"), "no DepthMetadata.json"),
        (lambda folder: [path.unlink() for path in folder.glob("*.png")], "two depth_"),
        (lambda folder: (folder / "depth_1.png").write_bytes(b"no picture"), "two depth_"),
        (lambda folder: cv2.imwrite(str(folder / "depth_0.png"), np.zeros((480, 640), np.uint16)), "no board"),
    ],
)
def test_a_folder_without_boards_ends_in_one_sentence(tmp_path, spoil, words):
    _write(tmp_path, _frames(np.random.default_rng(5), 0.4, 4.0, 0.6))
    spoil(tmp_path)
    with pytest.raises(BoardsUnreadable, match=words):
        read_boards(tmp_path)
    done = CliRunner().invoke(app, ["validate", "sensors", "--data", str(tmp_path)])
    assert done.exit_code == 3 and done.stderr.count("\n") == 1


def test_a_miss_ends_in_exit_code_1_and_is_printed_as_it_is(monkeypatch):
    laws = [_law(1.0), _law(2.0), _law(float("nan"))]
    monkeypatch.setattr(sensor_laws, "measure", lambda seed, boards, told: iter(laws))
    done = CliRunner().invoke(app, ["validate", "sensors"])
    assert done.exit_code == 1
    assert "MISS" in done.stdout and "2.000" in done.stdout and "1 of 3 simulated values" in done.stdout
    told = json.loads(CliRunner().invoke(app, ["validate", "sensors", "--json"]).stdout)
    assert [entry["holds"] for entry in told] == [True, False, False]
    assert told[2]["measured"] is None and all(entry["simulated"] for entry in told)
    monkeypatch.setattr(sensor_laws, "measure", lambda seed, boards, told: iter(laws[:1]))
    assert CliRunner().invoke(app, ["validate", "sensors"]).exit_code == 0


@pytest.mark.e2e
def test_every_law_of_the_sheet_holds_in_frames():
    done = CliRunner().invoke(app, ["validate", "sensors", "--seed", "10021", "--json"])
    laws = json.loads(done.stdout)
    missed = [f"{law['quantity']}: {law['measured']} of {law['should_be']}" for law in laws if not law["holds"]]
    assert done.exit_code == 0 and not missed, "\n".join(missed)
    assert len(laws) == 14


def test_boards_before_a_real_sensor_lie_within_what_the_simulated_one_shows(shared_data):
    boards = shared_data("truedepth_boards")
    done = CliRunner().invoke(app, ["validate", "sensors", "--data", str(boards), "--json"])
    assert done.exit_code == 0, done.output
    laws = [law for law in json.loads(done.stdout) if "boards" in law["from"]]
    assert len(laws) == 3
    assert all(law["holds"] for law in laws)
