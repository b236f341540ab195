"""The committed code is what protoc makes of the .proto files."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "proto" / "generate.py"


@pytest.fixture
def generate(tmp_path):
    """The script over a copy of the messages, which a test may change."""
    shutil.copy(SCRIPT, tmp_path)
    shutil.copytree(SCRIPT.parent / "faceward_proto" / "v1", tmp_path / "faceward_proto" / "v1")
    spec = importlib.util.spec_from_file_location("generate", tmp_path / "generate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_committed_code_is_current(generate, capfd):
    assert generate.main(["--check"]) == 0, capfd.readouterr().err


def test_a_changed_message_is_noticed_and_generated(generate, capfd):
    proto = generate.ROOT / generate.PACKAGE / "grant.proto"
    proto.write_text(proto.read_text().replace("max_attempts", "most_attempts"))
    before = (generate.ROOT / generate.PACKAGE / "grant_pb2.py").read_bytes()
    assert generate.main(["--check"]) == 1
    assert "grant_pb2.pyi" in capfd.readouterr().err
    assert (generate.ROOT / generate.PACKAGE / "grant_pb2.py").read_bytes() == before
    assert generate.main([]) == 0
    assert generate.main(["--check"]) == 0


def test_generated_code_without_a_message_is_noticed(generate, capfd):
    (generate.ROOT / generate.PACKAGE / "old_pb2.py").write_text("")
    assert generate.main(["--check"]) == 1
    assert "old_pb2.py" in capfd.readouterr().err


def test_a_message_that_protoc_refuses_is_an_error(generate, capfd):
    (generate.ROOT / generate.PACKAGE / "grant.proto").write_text("message {")
    assert generate.main(["--check"]) == 2
    assert "grant.proto" in capfd.readouterr().err
