"""What the gates' process may touch: it reads code and libraries, and nothing else of the machine, and calls nobody.

Landlock (https://docs.kernel.org/userspace-api/landlock.html, Linux 5.13) lets a process give up rights that its user
has: from here on the kernel refuses it every file that is not below a folder named here, every write, every other
program, and a look into any other process. Keys, PINs and the store belong to the same user as the gates' process, so
that nothing else would keep a hostile gate from reading them. From Linux 6.12 on it can't signal other processes either.

Landlock knows TCP alone, and that from Linux 6.7 on. So a seccomp filter (seccomp(2)) refuses every new socket: what a gate
saw of a face leaves by no network, by no other program's socket, and not through io_uring, which makes sockets of its own.
Pairs of sockets within the process stay, since event loops are built on them.

The numbers are those of <linux/landlock.h>, <linux/audit.h>, <linux/seccomp.h> and <linux/bpf_common.h>; the system calls
of Landlock have the same ones on every architecture.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_ASK_VERSION, _PATH_BENEATH = 1, 1
_SET_NO_NEW_PRIVS = 38  # <linux/prctl.h>
_READ_FILE, _READ_DIR = 1 << 2, 1 << 3
# All rights that a version of the interface knows: what is listed and not granted is refused.
_FILE_RIGHTS = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 5: (1 << 16) - 1}
_TCP, _TCP_SINCE = 0b11, 4
_SIGNALS_AND_SOCKETS, _SCOPED_SINCE = 0b11, 6

# Of each architecture: what <linux/audit.h> calls it, and the calls that make a socket (on some, one for all of them).
_SOCKETS = {
    "x86_64": (0xC000003E, (41,)),
    "aarch64": (0xC00000B7, (198,)),
    "armv7l": (0x40000028, (281, 102)),
    "i686": (0x40000003, (359, 102)),
    "riscv64": (0xC00000F3, (198,)),
    "ppc64le": (0xC0000015, (326, 102)),
    "s390x": (0x80000016, (359, 102)),
}
_OF_32_BITS = {"x86_64": "i686", "aarch64": "armv7l", "armv8l": "armv7l", "armv6l": "armv7l"}
_IO_URING_SETUP = 425
_SECOND_NUMBERS = 1 << 30  # x86_64 has its calls twice: from here on with pointers of half the size
_SET_SECCOMP, _FILTER = 22, 2
_ALLOW, _REFUSE = 0x7FFF0000, 0x00050000 | errno.EACCES
_NUMBER, _ARCHITECTURE = 0, 4  # where <linux/seccomp.h> has them
_LOAD, _IF_EQUAL, _IF_AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06

_OURS = Path(__file__).resolve().parents[2]
# What imports read besides Python's own search path: libraries, their index, the number of cores, this process itself.
_LIBRARIES = (
    "/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/etc/ld.so.cache", "/sys/devices/system/cpu",
    "/proc/self", "/dev/null", "/dev/urandom",
)  # fmt: skip


def readable(search_path: Sequence[str], private: Path) -> tuple[Path, ...]:
    """What the gates' process reads: code, and no folder that `private` lies in, whatever is imported from there.

    The folder of this package stays, since the process is made of it: it may hold a policy, and should hold no keys.
    """
    kept = os.environ.get("LD_LIBRARY_PATH", "").split(os.pathsep)
    prefixes = (Path(prefix, "lib") for prefix in (sys.prefix, sys.base_prefix))
    code = {Path(entry).resolve() for entry in (*search_path, *kept, *_LIBRARIES) if entry}
    code |= {prefix.resolve() for prefix in prefixes}
    beside = {folder for folder in code if private.resolve().is_relative_to(folder)} - {_OURS}
    return tuple(sorted(folder for folder in code - beside if folder.exists()))


def landlock_version() -> int:
    """The version of the interface that this kernel has; 0 where there is none to use."""
    if sys.platform != "linux":  # elsewhere these numbers are other calls
        return 0
    try:
        return _call("syscall", _CREATE_RULESET, None, 0, _ASK_VERSION)
    except OSError:  # an older kernel, one that was started without it, or a container that hides it
        return 0


class Confinement(NamedTuple):
    """What holds the process back. Production asks for both."""

    landlock: int  # the version; 0 where this kernel has none
    no_sockets: bool


def can_refuse_sockets() -> bool:
    """Whether this kernel filters calls, and its architecture is one whose calls are known here."""
    return _architecture() in _SOCKETS and Path("/proc/sys/kernel/seccomp/actions_avail").exists()


def _architecture() -> str:
    """The one that this process runs on: a kernel of 64 bits may hold a process of 32."""
    machine = platform.machine()
    return _OF_32_BITS.get(machine, machine) if struct.calcsize("P") == 4 else machine


def confine(folders: Iterable[Path]) -> Confinement:
    """Give up all files but these for reading, and all sockets, for good, as far as this kernel can.

    Raises: OSError when a kernel that can refuses to, or there is a second thread, which would keep its rights.
    """
    version, filters = landlock_version(), can_refuse_sockets()
    if not version and not filters:
        return Confinement(0, no_sockets=False)
    if len(list(Path("/proc/self/task").iterdir())) != 1:
        raise OSError("there are threads already, which could not be confined")
    _call("prctl", _SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    if version:
        _restrict(version, folders)
    if filters:
        _refuse_sockets(_architecture())
    return Confinement(version, filters)


def _refuse_sockets(architecture: str) -> None:
    steps = _filter_of(architecture)
    program = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *step) for step in steps))
    head = struct.pack("@HP", len(steps), ctypes.addressof(program))
    _call("prctl", _SET_SECCOMP, _FILTER, head, 0, 0)


def _filter_of(architecture: str) -> list[tuple[int, int, int, int]]:
    """The program that the kernel runs before each call: what to do, how far to jump if so and if not, and a number."""
    ours, sockets = _SOCKETS[architecture]
    refused = [(_IF_EQUAL, call) for call in (*sockets, _IO_URING_SETUP)]
    if architecture == "x86_64":
        refused.append((_IF_AT_LEAST, _SECOND_NUMBERS))
    # Calls of another architecture, which many kernels take as well, have other numbers: none of them is let through.
    steps = [(_LOAD, 0, 0, _ARCHITECTURE), (_IF_EQUAL, 1, 0, ours), (_RETURN, 0, 0, _REFUSE), (_LOAD, 0, 0, _NUMBER)]
    steps += [(test, len(refused) - place, 0, number) for place, (test, number) in enumerate(refused)]
    return [*steps, (_RETURN, 0, 0, _ALLOW), (_RETURN, 0, 0, _REFUSE)]


def _restrict(version: int, folders: Iterable[Path]) -> None:
    rights = _FILE_RIGHTS[max(known for known in _FILE_RIGHTS if known <= version)]
    tcp = _TCP if version >= _TCP_SINCE else 0
    scoped = _SIGNALS_AND_SOCKETS if version >= _SCOPED_SINCE else 0
    fields = [rights, tcp, scoped][: 3 if scoped else 2 if tcp else 1]
    attributes = struct.pack(f"={len(fields)}Q", *fields)
    ruleset = _call("syscall", _CREATE_RULESET, attributes, len(attributes), 0)
    try:
        for folder in folders:
            granted = _READ_FILE | (_READ_DIR if folder.is_dir() else 0)
            opened = os.open(folder, os.O_PATH | os.O_CLOEXEC)
            try:
                _call("syscall", _ADD_RULE, ruleset, _PATH_BENEATH, struct.pack("=Qi", granted, opened), 0)
            finally:
                os.close(opened)
        _call("syscall", _RESTRICT_SELF, ruleset, 0)
    finally:
        os.close(ruleset)


def _call(name: str, *arguments: int | bytes | None) -> int:
    """A function of the C library, with numbers as wide as its registers. Raises: OSError."""
    wide = [ctypes.c_long(value) if isinstance(value, int) else ctypes.c_char_p(value) for value in arguments]
    result = int(getattr(ctypes.CDLL(None, use_errno=True), name)(*wide))
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result
