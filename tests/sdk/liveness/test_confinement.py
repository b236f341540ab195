"""The gates' process reads code and nothing else, whatever a gate tries."""

from __future__ import annotations

import errno
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from faceward.config import GateRef
from faceward.errors import PluginError
from faceward.liveness import confinement, worker
from faceward.liveness.confinement import confine, readable
from faceward.liveness.worker import GateWorker

TOY = GateRef("toy-a", "toys", "1.0")


@pytest.fixture(scope="module", autouse=True)
def landlock() -> int:
    """The version of Landlock here."""
    look = "from faceward.liveness.confinement import confine; print(confine([]))"
    found = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True)
    if found.stdout == "0\n":
        pytest.skip("not installable: a kernel with Landlock")
    return int(found.stdout)


@pytest.fixture
def says(site, gate_source, policy_of, sensor, schedule, tmp_path: Path):
    """What expressions give a gate that evaluates them while it is imported, in a policy whose folder is tmp_path."""

    def evaluate(*expressions: str) -> list[str]:
        source = "import ctypes, os, signal, socket, subprocess\nFOUND = []\n"
        for each in expressions:
            source += f"try: FOUND.append(str({each}))\nexcept Exception as error: FOUND.append(type(error).__name__)\n"
        source += gate_source("toy-a", conclude="raise RuntimeError(' '.join(FOUND))")
        site.install("toys", {"toy_a": source}, {"toy-a": "toy_a"})
        with GateWorker(policy_of(TOY, path=tmp_path / "policy.toml")) as running:
            running.start()
            running.open(sensor, schedule)
            (answer,) = running.conclude()
        return (answer.problem or "").removeprefix("conclude(): RuntimeError: ").split()

    return evaluate


def test_a_gate_reads_no_file_beside_code(says, tmp_path: Path) -> None:
    key = tmp_path / "keys" / "signer.pem"
    key.parent.mkdir()
    key.write_text("secret")
    assert says(
        "os.listdir(os.path.dirname(os.__file__)) != []",
        f"open({str(key)!r}).read()",
        f"os.listdir({str(key.parent)!r})",
        "open('/etc/passwd').read()",
    ) == ["True", "PermissionError", "PermissionError", "PermissionError"]


def test_a_gate_writes_nothing(says, tmp_path: Path) -> None:
    assert says(
        f"open({str(tmp_path / 'report')!r}, 'w')",
        f"os.mkdir({str(tmp_path / 'folder')!r})",
        f"os.rename({str(tmp_path)!r}, {str(tmp_path) + '-moved'!r})",
        "open(__file__, 'a')",
    ) == ["PermissionError"] * 4


def test_a_gate_starts_no_program_and_looks_into_no_other_process(says) -> None:
    assert says(
        "subprocess.run(['/bin/true'])",
        f"open('/proc/{os.getpid()}/environ').read()",
        f"ctypes.CDLL(None).ptrace(16, {os.getpid()}, None, None)",
    ) == ["PermissionError", "PermissionError", "-1"]


def test_a_gate_calls_nobody_and_signals_none(says, landlock: int) -> None:
    if landlock < 6:
        pytest.skip("not installable: a kernel whose Landlock knows sockets and signals")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        call = f"socket.create_connection({listener.getsockname()!r}, 1)"
        assert says(call, f"os.kill({os.getpid()}, signal.SIGURG)") == ["PermissionError", "PermissionError"]


def test_code_that_lies_beside_keys_is_not_readable(tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    home = tmp_path / "site" / "home"
    path = [str(tmp_path), str(tmp_path / "site"), str(Path(os.__file__).parent), str(tmp_path / "nowhere"), ""]
    found = readable(path, home)
    assert Path(os.__file__).parent.resolve() in found
    assert not [folder for folder in found if tmp_path.is_relative_to(folder) or folder.is_relative_to(tmp_path)]
    assert (tmp_path / "site").resolve() in readable(path, tmp_path / "home")


def test_a_policy_inside_the_package_does_not_keep_the_package_from_being_read() -> None:
    package = Path(confinement.__file__).parents[1]
    assert package.parent in readable([str(package.parent)], package / "policies")


def test_a_process_with_threads_is_not_called_confined() -> None:
    threads = (
        "import threading; threading.Thread(target=threading.Event().wait, daemon=True).start();"
        "from faceward.liveness.confinement import confine; confine([])"
    )
    ran = subprocess.run([sys.executable, "-c", threads], capture_output=True, text=True, check=False)
    assert ran.returncode == 1
    assert "there are threads already" in ran.stderr


def test_a_kernel_without_it_is_told_from_one_that_refuses(monkeypatch) -> None:
    def refused(name: str, *arguments: object) -> int:
        if len(arguments) in refusing:
            raise OSError(errno.EPERM, "no")
        return 1

    monkeypatch.setattr(confinement, "_call", refused)
    monkeypatch.setattr(Path, "iterdir", lambda folder: iter(["1"]))
    refusing = {4}  # to say which version it is
    assert confine([]) == 0
    refusing = {3}  # to restrict
    monkeypatch.setattr(os, "close", lambda fd: None)
    with pytest.raises(PermissionError):
        confine([])


@pytest.mark.parametrize("mode", ["development", "production"])
def test_production_takes_no_kernel_that_can_not_confine(site, gate_source, policy_of, monkeypatch, mode: str) -> None:
    confined = "confine(readable(sys.path,pathlib.Path(sys.argv[2])))"
    assert confined in worker._BOOT
    monkeypatch.setattr(worker, "_BOOT", worker._BOOT.replace(confined, "0"))
    site.install("toys", {"toy_a": gate_source("toy-a")}, {"toy-a": "toy_a"})
    with GateWorker(policy_of(TOY, mode=mode)) as running:
        running.start()
        if mode == "production":
            with pytest.raises(PluginError, match="Landlock"):
                _ = running.gates
        else:
            assert [gate.name for gate in running.gates] == ["toy-a"]
