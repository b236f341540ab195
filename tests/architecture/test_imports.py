"""Imports run one way: the source tree, read without importing it, against the table of the design."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Import:
    """One imported module as written in one file; `typing_only` when it stands under `if TYPE_CHECKING`."""

    importer: str  # dotted module
    path: Path
    line: int
    target: str  # dotted module, with the imported name when that may be a module
    typing_only: bool

    def __str__(self) -> str:
        return f"{self.path.relative_to(ROOT)}:{self.line}: {self.importer} imports {self.target}"


def module_of(path: Path, source_root: Path) -> str:
    parts = list(path.relative_to(source_root).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _is_type_checking(test: ast.expr) -> bool:
    return (isinstance(test, ast.Name) and test.id == "TYPE_CHECKING") or (
        isinstance(test, ast.Attribute) and test.attr == "TYPE_CHECKING"
    )


def _targets(node: ast.AST, module: str, is_package: bool) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        base = node.module or ""
        if node.level:
            parents = module.split(".")
            keep = len(parents) - node.level + (1 if is_package else 0)
            base = ".".join([*parents[:keep], *([base] if base else [])])
        yield from (f"{base}.{alias.name}" for alias in node.names)
    elif (
        isinstance(node, ast.Call)
        and node.args
        and isinstance(node.args[0], ast.Constant)
        and isinstance(node.args[0].value, str)
        and (
            (isinstance(node.func, ast.Name) and node.func.id in {"import_module", "__import__"})
            or (isinstance(node.func, ast.Attribute) and node.func.attr == "import_module")
        )
    ):
        yield node.args[0].value


@cache
def imports_in(path: Path, source_root: Path) -> tuple[Import, ...]:
    """Every import of a file, at any depth, by statement or by import_module of a literal."""
    module, is_package = module_of(path, source_root), path.name == "__init__.py"

    def walk(node: ast.AST, typing_only: bool) -> Iterator[Import]:
        for target in _targets(node, module, is_package):
            yield Import(module, path, node.lineno, target, typing_only)  # type: ignore[attr-defined]
        if isinstance(node, ast.If) and _is_type_checking(node.test):
            for child in node.body:
                yield from walk(child, True)
            for child in node.orelse:
                yield from walk(child, typing_only)
            return
        for child in ast.iter_child_nodes(node):
            yield from walk(child, typing_only)

    return tuple(walk(ast.parse(path.read_text(encoding="utf-8"), str(path)), False))


def sources(*folders: str) -> list[Path]:
    """Every Python file under these folders of the repository; an empty answer is an error."""
    found = [
        path
        for folder in folders
        for path in sorted((ROOT / folder).rglob("*.py"))
        if not {"build", "__pycache__", ".venv"} & set(path.parts)
    ]
    if not found:
        raise AssertionError(f"no sources under {folders}")
    return found



# What plugins fulfil. A contract imports values, errors and other contracts, so everybody may import it.
CONTRACTS = (
    "faceward.hal.sensor",
    "faceward.liveness.gate",
    "faceward.liveness.admit",
    "faceward.extract.extractor",
    "faceward.signing.signer",
)

# Which packages of the SDK a package may import at run time. `hooks` is faceward.liveness.hookspecs: it knows nobody.
LAYERS: dict[str, set[str]] = {
    "version": set(),
    "errors": set(),
    "model": {"errors"},
    "hooks": set(),
    "contracts": {"model", "errors"},
    "wire": {"model", "errors"},
    "hal": {"contracts", "wire", "model", "errors", "hooks"},
    "table": {"errors"},
    "config": {"errors", "table"},
    "liveness": {"contracts", "config", "model", "errors", "hooks"},
    "face": {"model", "errors"},
    "extract": {"contracts", "face", "model", "errors", "hooks"},
    "capture": {"contracts", "hal", "face", "liveness", "wire", "model", "errors"},
    "signing": {"contracts", "wire", "config", "table", "model", "errors", "hooks"},
    "store": {"contracts", "wire", "signing", "config", "model", "errors", "hooks"},
    "plugin": {"contracts", "hal", "capture", "hooks", "model", "errors"},
}
LAYERS["pad"] = {"model", "errors", "version"}
LAYERS["judgement"] = {"capture", "config", "contracts", "errors", "face", "hal", "liveness", "model"}
LAYERS["host"] = set(LAYERS) - {"plugin", "judgement", "pad"}
LAYERS["permission"] = {*LAYERS["host"], "host"}
LAYERS["enrollment"] = {*LAYERS["host"], "host", "judgement", "permission"}
LAYERS["verification"] = {*LAYERS["enrollment"], "enrollment"}
# Captures and verdicts as lines of results: everything up to the verdict, and nothing after it.
LAYERS["trial"] = {*LAYERS["judgement"], "judgement", "pad", "version"}
LAYERS["door"] = {*LAYERS, "door"}
LAYERS["cli"] = {*LAYERS, "cli"}

# Foreign packages whose exceptions must not travel, and the only places that import them.
FOREIGN: dict[str, tuple[str, ...]] = {
    "usb": ("faceward.hal.usb", "faceward.hal.usbip"),
    "google": ("faceward.wire",),
    "cryptography": ("faceward.signing", "faceward.store", "faceward.hal.attestation"),
    "pkcs11": ("faceward.signing.pkcs11",),
    "sqlalchemy": ("faceward.store",),
    "mcap": ("faceward.hal.recording",),
    "mcap_protobuf": ("faceward.hal.recording",),
    "pluggy": ("faceward.liveness.hookspecs", "faceward.liveness.loader"),
    "typer": ("faceward.cli",),
    "rich": ("faceward.cli",),
    "structlog": ("faceward.cli",),
    "pyarrow": ("faceward.pad.journal", "faceward.pad.schema"),
    "statsmodels": ("faceward.pad.intervals",),
    "matplotlib": ("faceward.pad.plots",),
    "jinja2": ("faceward.pad.page", "faceward.pad.summary"),
    "markupsafe": ("faceward.pad.page",),
}


def layer_of(module: str) -> str | None:
    """The layer that a dotted name of the SDK belongs to; None for what is not the SDK's."""
    parts = module.split(".")
    if parts[0] != "faceward":
        return None
    if within(module, ("faceward.liveness.hookspecs",)):
        return "hooks"
    if within(module, CONTRACTS):
        return "contracts"
    if len(parts) == 1 or not ((ROOT / "sdk/faceward" / parts[1]).is_dir() or _is_module(parts[1])):
        return "door"
    return parts[1]


def _is_module(name: str) -> bool:
    return (ROOT / "sdk/faceward" / f"{name}.py").is_file()


def within(module: str, prefixes: tuple[str, ...]) -> bool:
    return any(module == prefix or module.startswith(f"{prefix}.") for prefix in prefixes)


def runtime_imports(folder: str, source_root: str) -> list[Import]:
    return [
        found
        for path in sources(folder)
        for found in imports_in(path, ROOT / source_root)
        if not found.typing_only
    ]


def test_every_package_of_the_sdk_stands_in_the_table() -> None:
    known = {layer_of(module_of(path, ROOT / "sdk")) for path in sources("sdk/faceward")}
    assert known <= set(LAYERS), f"not in the table: {known - set(LAYERS)}"


def test_the_sdk_imports_one_way() -> None:
    wrong = []
    for found in runtime_imports("sdk/faceward", "sdk"):
        importer, target = layer_of(found.importer), layer_of(found.target)
        assert importer is not None
        if target is None or target == importer or (importer == "door" and found.typing_only):
            continue
        if target not in LAYERS[importer]:
            wrong.append(str(found))
    assert not wrong, "\n".join(wrong)


def test_the_table_has_no_way_back() -> None:
    layers = {name: allowed - {name} for name, allowed in LAYERS.items() if name not in {"door", "cli"}}
    while layers:
        free = [name for name, allowed in layers.items() if not allowed & set(layers)]
        assert free, f"a cycle among {sorted(layers)}"
        for name in free:
            del layers[name]


def test_the_sdk_never_imports_the_simulator_or_a_plugin() -> None:
    for folder, source_root in (("sdk/faceward", "sdk"), ("proto/faceward_proto", "proto")):
        wrong = [
            str(found)
            for path in sources(folder)
            for found in imports_in(path, ROOT / source_root)
            if found.target.split(".")[0] in {"faceward_sim", "faceward_gates"}
        ]
        assert not wrong, "\n".join(wrong)


def test_the_wire_format_imports_nothing_of_the_sdk() -> None:
    wrong = [str(found) for found in runtime_imports("proto", "proto") if found.target.split(".")[0] == "faceward"]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("package", FOREIGN)
def test_a_foreign_package_stays_in_the_modules_that_answer_for_it(package: str) -> None:
    wrong = [
        str(found)
        for found in runtime_imports("sdk/faceward", "sdk")
        if found.target.split(".")[0] == package and not within(found.importer, FOREIGN[package])
    ]
    assert not wrong, "\n".join(wrong)


# What of the simulator may import the SDK, and by which doors: testers alone.
TESTERS = {
    "faceward_sim.conformance": {"faceward.plugin", "faceward"},
    "faceward_sim.pytest_plugin": {"faceward.plugin", "faceward"},
    "faceward_sim.campaign": {"faceward", "faceward.pad", "faceward.trial"},
    "faceward_sim.likeness.recogniser": {
        "faceward.plugin",
        "faceward.face.detect",
        "faceward.face.embedding",
        "faceward.face.models",
    },
}


def test_the_simulator_shares_the_proto_files_only() -> None:
    wrong = []
    for found in runtime_imports("firmware_sim/faceward_sim", "firmware_sim"):
        package = found.target.split(".")[0]
        if package == "faceward_proto" and not found.importer.startswith("faceward_sim.conformance"):
            wrong.append(str(found))
        if package == "faceward":
            doors = next((allowed for tester, allowed in TESTERS.items() if within(found.importer, (tester,))), set())
            if not _through(found.target, doors):
                wrong.append(str(found))
    assert not wrong, "\n".join(wrong)


def test_nothing_of_the_simulator_imports_the_campaigns_but_the_command_line() -> None:
    wrong = [
        str(found)
        for found in runtime_imports("firmware_sim/faceward_sim", "firmware_sim")
        if within(found.target, ("faceward_sim.campaign",))
        and not within(found.importer, ("faceward_sim.campaign", "faceward_sim.cli"))
    ]
    assert not wrong, "\n".join(wrong)


def test_nothing_of_the_simulator_imports_the_likeness_but_the_command_line() -> None:
    wrong = [
        str(found)
        for found in runtime_imports("firmware_sim/faceward_sim", "firmware_sim")
        if within(found.target, ("faceward_sim.likeness",))
        and not within(found.importer, ("faceward_sim.likeness", "faceward_sim.validation"))
    ]
    assert not wrong, "\n".join(wrong)


def test_no_flow_gives_a_capture_a_nonce_that_was_known_before() -> None:
    giving = []
    for path in sources("sdk/faceward"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id == "judge"
                and any(keyword.arg in ("nonce", None) for keyword in node.keywords)
            ):
                giving.append(module_of(path, ROOT / "sdk"))
    assert giving == ["faceward.trial"]


def _through(target: str, doors: set[str]) -> bool:
    """Whether `from door import name` or `import door` is what was written."""
    parent = target.rpartition(".")[0]
    return target in doors or (parent in doors and layer_of(target) in {"door", layer_of(parent)})


def test_our_gates_use_the_door_for_plugins_only() -> None:
    wrong = [
        str(found)
        for found in runtime_imports("plugins/gates/faceward_gates", "plugins/gates")
        if found.target.split(".")[0] in {"faceward", "faceward_proto", "faceward_sim"}
        and not _through(found.target, {"faceward.plugin"})
    ]
    assert not wrong, "\n".join(wrong)


# Two colour cameras are no sensor that the SDK knows: the example's naive machine has them from the simulator.
NAIVE_MACHINE = {"press_test": ("faceward_sim.optics.dual_camera", "faceward_sim.rig", "faceward_sim.scene")}


def test_examples_use_the_two_doors_only() -> None:
    wrong = []
    for path in sources("examples"):
        doors = {"faceward", "faceward.plugin"}
        testing = path.name.startswith("test_")
        for found in imports_in(path, ROOT / "examples"):
            package = found.target.split(".")[0]
            if package == "faceward" and not _through(found.target, doors):
                wrong.append(str(found))
            allowed = ("faceward_sim.conformance",) if testing else NAIVE_MACHINE.get(path.stem, ())
            if package == "faceward_sim" and not within(found.target, allowed):
                wrong.append(str(found))
    assert not wrong, "\n".join(wrong)


def test_the_verifying_example_needs_the_wire_format_and_cryptography_alone() -> None:
    allowed = {"faceward_proto", "cryptography", *sys.stdlib_module_names}
    path = ROOT / "examples/verify_template.py"
    packages = {found.target.split(".")[0] for found in imports_in(path, ROOT / "examples")}
    assert "faceward_proto" in packages
    assert packages <= allowed


def test_top_level_folders_are_no_packages() -> None:
    for folder in ("proto", "sdk", "plugins", "plugins/gates", "firmware_sim", "tests", "examples"):
        assert not (ROOT / folder / "__init__.py").exists(), folder
