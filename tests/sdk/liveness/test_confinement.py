"""The gates' process reads code and nothing else, and calls nobody, whatever a gate tries."""

from __future__ import annotations

import errno
import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest
from faceward.config import GateRef
from faceward.errors import PluginError
from faceward.liveness import confinement, worker
from faceward.liveness.confinement import Confinement, can_refuse_sockets, confine, readable
from faceward.liveness.worker import GateWorker

TOY = GateRef("toy-a", "toys", "1.0")


@pytest.fixture(scope="module", autouse=True)
def landlock() -> int:
    """The version of Landlock here."""
    look = "from faceward.liveness.confinement import landlock_version; print(landlock_version())"
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


def test_a_gate_signals_nobody(says, landlock: int) -> None:
    if landlock < 6:
        pytest.skip("not installable: a kernel whose Landlock knows signals")
    assert says(f"os.kill({os.getpid()}, signal.SIGURG)") == ["PermissionError"]


def test_a_gate_calls_nobody(says, tmp_path: Path) -> None:
    if not can_refuse_sockets():
        pytest.skip("not installable: a kernel that filters calls")
    families = ("AF_INET", "AF_INET6", "AF_UNIX", "AF_NETLINK")
    sockets = [f"socket.socket(socket.{family}, socket.SOCK_{kind})" for family in families for kind in ("STREAM", "DGRAM")]
    uring = "-ctypes.CDLL(None, use_errno=True).syscall(425, 1, bytes(120)) * ctypes.get_errno()"
    said = says(*sockets, uring, "len(socket.socketpair())")
    assert said == ["PermissionError"] * len(sockets) + [str(errno.EACCES), "2"]


@pytest.mark.parametrize("architecture", sorted(confinement._SOCKETS))
def test_a_filter_refuses_sockets_and_other_architectures_and_lets_all_else_through(architecture: str) -> None:
    ours, sockets = confinement._SOCKETS[architecture]
    program = confinement._filter_of(architecture)

    def answer(number: int, of: int = ours) -> int:
        at, held = 0, 0
        while True:
            what, if_so, if_not, operand = program[at]
            at += 1
            if what == 0x06:
                return operand
            if what == 0x20:
                held = {0: number, 4: of}[operand]
            else:
                at += if_so if {0x15: held == operand, 0x35: held >= operand}[what] else if_not

    refused = {number for number in range(1024) if answer(number) == 0x00050000 | errno.EACCES}
    assert refused == {*sockets, 425}
    assert {answer(number) for number in range(1024)} == {0x7FFF0000, 0x00050000 | errno.EACCES}
    assert answer(3 + (1 << 30)) == (0x00050000 | errno.EACCES if architecture == "x86_64" else 0x7FFF0000)
    others = {other for name, (other, _) in confinement._SOCKETS.items() if name != architecture}
    assert {answer(3, of) for of in others} == {0x00050000 | errno.EACCES}


@pytest.mark.parametrize(
    ("machine", "wide", "found"),
    [("aarch64", 8, "aarch64"), ("aarch64", 4, "armv7l"), ("x86_64", 4, "i686"), ("vax", 4, "vax")],
)
def test_a_process_of_32_bits_has_the_calls_of_32_bits(monkeypatch, machine: str, wide: int, found: str) -> None:
    monkeypatch.setattr(platform, "machine", lambda: machine)
    monkeypatch.setattr(confinement.struct, "calcsize", lambda _: wide)
    assert confinement._architecture() == found
    assert can_refuse_sockets() is (found != "vax" and Path("/proc/sys/kernel/seccomp/actions_avail").exists())


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
    monkeypatch.setattr(confinement, "can_refuse_sockets", lambda: False)
    refusing = {4}  # to say which version it is
    assert confine([]) == Confinement(0, no_sockets=False)
    refusing = {3}  # to restrict
    monkeypatch.setattr(os, "close", lambda fd: None)
    with pytest.raises(PermissionError):
        confine([])


def test_no_call_of_linux_is_made_elsewhere(monkeypatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(confinement, "_call", lambda *arguments: pytest.fail(f"called {arguments}"))
    assert confinement.landlock_version() == 0


@pytest.mark.parametrize("mode", ["development", "production"])
@pytest.mark.parametrize(("confined", "lacks"), [("(0, True)", "Landlock"), ("(7, False)", "seccomp")])
def test_production_takes_no_kernel_that_can_not_confine(
    site, gate_source, policy_of, monkeypatch, mode: str, confined: str, lacks: str
) -> None:
    by_kernel = "confine(readable(sys.path,pathlib.Path(sys.argv[2])))"
    assert by_kernel in worker._BOOT
    boot = worker._BOOT.replace("import confine,readable", "import Confinement")
    monkeypatch.setattr(worker, "_BOOT", boot.replace(by_kernel, f"Confinement{confined}"))
    site.install("toys", {"toy_a": gate_source("toy-a")}, {"toy-a": "toy_a"})
    with GateWorker(policy_of(TOY, mode=mode)) as running:
        running.start()
        if mode == "production":
            with pytest.raises(PluginError, match=lacks):
                _ = running.gates
        else:
            assert [gate.name for gate in running.gates] == ["toy-a"]
