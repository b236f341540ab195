"""What is built: four wheels of one version, and none that ships can fake a face."""

from __future__ import annotations

import email
import re
import subprocess
import sys
import tomllib
import zipfile
from email.message import Message
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DISTRIBUTIONS = {
    "faceward-proto": ("proto", "faceward_proto"),
    "faceward": ("sdk", "faceward"),
    "faceward-gates": ("plugins/gates", "faceward_gates"),
    "faceward-sim": ("firmware_sim", "faceward_sim"),
}
SHIPPED = ("faceward-proto", "faceward", "faceward-gates")
TEST_TOOLS = {"pytest", "hypothesis", "faceward-sim", "numba", "psutil"}


def project(distribution: str) -> dict[str, object]:
    folder = DISTRIBUTIONS[distribution][0]
    return tomllib.loads((ROOT / folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def normal(requirement: str) -> str:
    return re.sub(r"[-_.]+", "-", re.match(r"[A-Za-z0-9._-]+", requirement)[0]).lower()  # type: ignore[index]


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """All four wheels, built from a copy of nothing but the project's own files."""
    built = tmp_path_factory.mktemp("wheels")
    found = {}
    for distribution, (folder, _) in DISTRIBUTIONS.items():
        out = built / distribution
        subprocess.run(
            [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(ROOT / folder)],
            check=True, capture_output=True, timeout=120,
        )  # fmt: skip
        (found[distribution],) = out.glob("*.whl")
    return found


def metadata(wheel: Path) -> Message:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        return email.message_from_bytes(archive.read(name))


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
def test_a_wheel_holds_its_own_package_and_nothing_else(wheels: dict[str, Path], distribution: str) -> None:
    with zipfile.ZipFile(wheels[distribution]) as archive:
        tops = {name.split("/")[0] for name in archive.namelist() if ".dist-info/" not in name}
    assert tops == {DISTRIBUTIONS[distribution][1]}


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
def test_a_wheel_carries_its_licence(wheels: dict[str, Path], distribution: str) -> None:
    with zipfile.ZipFile(wheels[distribution]) as archive:
        texts = [archive.read(name) for name in archive.namelist() if name.endswith("licenses/LICENSE")]
    assert texts == [(ROOT / "LICENSE").read_bytes()]


@pytest.mark.parametrize("distribution", SHIPPED)
def test_what_ships_has_neither_the_simulator_nor_a_test_tool_in_it(wheels: dict[str, Path], distribution: str) -> None:
    wheel = wheels[distribution]
    needed = {normal(line) for line in metadata(wheel).get_all("Requires-Dist", [])}
    assert not needed & TEST_TOOLS
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            if name.endswith(".py"):
                source = archive.read(name).decode()
                assert not re.search(r"^\s*(import|from)\s+(faceward_sim|pytest)\b", source, re.MULTILINE), name


def test_nothing_that_ships_leads_to_the_simulator_through_its_dependencies(wheels: dict[str, Path]) -> None:
    ours = {
        name: {normal(line) for line in metadata(wheel).get_all("Requires-Dist", [])} for name, wheel in wheels.items()
    }
    reached, todo = set(), list(SHIPPED)
    while todo:
        name = todo.pop()
        reached.add(name)
        todo.extend(ours.get(name, set()) - reached)
    assert "faceward-sim" not in reached


def test_no_simulator_offers_itself_to_the_plugin_loader(wheels: dict[str, Path]) -> None:
    with zipfile.ZipFile(wheels["faceward-sim"]) as archive:
        entry_points = [archive.read(name).decode() for name in archive.namelist() if name.endswith("entry_points.txt")]
    assert all("faceward.plugins" not in text for text in entry_points)


def test_all_distributions_carry_one_version() -> None:
    versions = {distribution: project(distribution)["version"] for distribution in DISTRIBUTIONS}
    assert len(set(versions.values())) == 1, versions
    (version,) = set(versions.values())
    for distribution in DISTRIBUTIONS:
        for line in project(distribution)["dependencies"]:  # type: ignore[union-attr]
            if normal(line) in DISTRIBUTIONS:
                assert line == f"{normal(line)}=={version}", f"{distribution} needs {line}"
    said = (ROOT / "sdk/faceward/version.py").read_text(encoding="utf-8")
    assert f'VERSION = "{version}"' in said
    assert f"## [{version}]" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_every_dependency_is_pinned_by_name_and_version_alone() -> None:
    pins = {}
    for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            assert re.fullmatch(r"[A-Za-z0-9._-]+==[0-9][0-9A-Za-z.]*", line), line
            pins[normal(line)] = line
    needed = {normal(line) for name in DISTRIBUTIONS for line in project(name)["dependencies"]}  # type: ignore[union-attr]
    extras = [lines for name in DISTRIBUTIONS for lines in project(name).get("optional-dependencies", {}).values()]  # type: ignore[union-attr]
    needed |= {normal(line) for lines in extras for line in lines}
    for line in (ROOT / "requirements-dev.txt").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            needed.add(normal(line))
    assert needed - set(DISTRIBUTIONS) <= set(pins)


def test_what_reports_need_is_an_extra_and_no_dependency() -> None:
    from faceward.pad.extra import PACKAGES

    extra = {normal(line) for line in project("faceward")["optional-dependencies"]["pad"]}  # type: ignore[index]
    assert extra == set(PACKAGES)
    assert not extra & {normal(line) for line in project("faceward")["dependencies"]}  # type: ignore[union-attr]


def test_the_pages_template_is_in_the_wheel(wheels: dict[str, Path]) -> None:
    with zipfile.ZipFile(wheels["faceward"]) as archive:
        assert "faceward/pad/page.html.jinja" in archive.namelist()


def test_the_root_builds_nothing() -> None:
    root = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert "project" not in root
    assert "build-system" not in root


def test_generated_code_is_current() -> None:
    checked = subprocess.run(
        [sys.executable, str(ROOT / "proto/generate.py"), "--check"], capture_output=True, text=True, timeout=120
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr
