"""The documents: their links lead somewhere, their commands run, their tables agree with the code."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from faceward import errors

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted(
    path
    for path in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "examples").rglob("*.md"),
                 *(ROOT / "benchmarks").rglob("*.md"), *ROOT.glob("*/README.md"), *ROOT.glob("plugins/*/README.md"),
                 ROOT / "proto/conformance/README.md"]
    if ".venv" not in path.parts
)  # fmt: skip
BLOCK = re.compile(r"(?:<!-- (?P<mark>run|not run: [^>]+) -->\n)?```sh\n(?P<text>.*?)```", re.DOTALL)
RUN_TIMEOUT_S = 280


@dataclass(frozen=True)
class Block:
    """A shell block and what its document says about running it."""

    document: Path
    mark: str | None
    text: str


def blocks_of(document: Path) -> list[Block]:
    return [
        Block(document, found["mark"], found["text"]) for found in BLOCK.finditer(document.read_text(encoding="utf-8"))
    ]


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


RUNNABLE = [path for path in dict.fromkeys(DOCUMENTS) if any(block.mark == "run" for block in blocks_of(path))]


@pytest.mark.parametrize("document", dict.fromkeys(DOCUMENTS), ids=relative)
def test_links_lead_somewhere(document: Path) -> None:
    text = re.sub(r"```.*?```", "", document.read_text(encoding="utf-8"), flags=re.DOTALL)
    dead = []
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if "://" in target:
            continue
        path, _, anchor = target.partition("#")
        aim = (document.parent / path).resolve() if path else document
        if not aim.exists() or (anchor and anchor not in _anchors(aim)):
            dead.append(target)
    assert not dead, f"{relative(document)}: {dead}"


def _anchors(document: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", document.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", dict.fromkeys(DOCUMENTS), ids=relative)
def test_every_shell_block_says_whether_it_is_run(document: Path) -> None:
    unsaid = [block.text for block in blocks_of(document) if block.mark is None]
    assert not unsaid, f"{relative(document)}: put <!-- run --> or <!-- not run: why --> above\n" + "\n".join(unsaid)


@pytest.mark.e2e
@pytest.mark.parametrize("document", RUNNABLE, ids=relative)
def test_the_commands_of_a_document_run(document: Path, tmp_path: Path) -> None:
    """All marked blocks of a document in one shell, as a reader would type them, in a folder of their own."""
    script = "\n".join(block.text for block in blocks_of(document) if block.mark == "run")
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("PIP_")},
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        "TMPDIR": str(tmp_path),
    }
    log = tmp_path / "output.txt"
    with log.open("wb") as output:
        shell = subprocess.Popen(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True,
        )  # fmt: skip
        try:
            code = shell.wait(timeout=RUN_TIMEOUT_S)
        finally:
            # What the document starts in the background ends with it.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(shell.pid, signal.SIGKILL)
            shell.wait()
    assert code == 0, f"{relative(document)}\n{log.read_text(encoding='utf-8', errors='replace')[-6000:]}"


def _kinds(kind: type[errors.FacewardError]) -> list[type[errors.FacewardError]]:
    return [kind, *(below for child in kind.__subclasses__() for below in _kinds(child))]


def test_the_table_of_exit_codes_is_that_of_the_error_tree() -> None:
    text = (ROOT / "docs/exit-codes.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d+) \| ([a-z-]*) \| (\w*) \|", text, re.MULTILINE)
    written = {name: (int(number), code) for number, code, name in rows if name}
    ours = {kind.__name__: (kind.exit_code, kind.code) for kind in _kinds(errors.FacewardError)
            if kind.__module__ == "faceward.errors"}  # fmt: skip
    assert written == ours


def test_no_two_errors_share_a_code_or_an_exit_code() -> None:
    kinds = [kind for kind in _kinds(errors.FacewardError) if kind.__module__ == "faceward.errors"]
    assert len({kind.code for kind in kinds}) == len(kinds)
    assert len({kind.exit_code for kind in kinds}) == len(kinds)
    assert not {kind.exit_code for kind in kinds if kind is not errors.FacewardError} & {0, 1, 2, 130, 143}


def test_readme_shows_the_pip_lines_of_the_makefile_and_of_ci() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for name, pip in (("Makefile", "$(BIN)/pip"), (".ci/run", "pip")):
        text = (ROOT / name).read_text(encoding="utf-8").replace("$(DISTRIBUTIONS)", _distributions())
        lines = [line.strip() for line in text.splitlines() if line.strip().startswith(f"{pip} install")]
        assert len(lines) == 2
        for line in lines:
            wanted = line.replace(pip, "", 1).replace("--quiet ", "").strip()
            assert f".venv/bin/pip {wanted}" in readme, wanted
    assert ".venv/bin/python -m pytest" in readme
    assert "python -m pytest" in (ROOT / ".ci/run").read_text(encoding="utf-8")


def _distributions() -> str:
    (found,) = re.findall(r"^DISTRIBUTIONS := (.+)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    return found
