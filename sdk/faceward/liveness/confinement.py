"""What the gates' process may touch: it reads code and libraries, and nothing else of the machine.

Landlock (https://docs.kernel.org/userspace-api/landlock.html, Linux 5.13) lets a process give up rights that its user
has: from here on the kernel refuses it every file that is not below a folder named here, every write, every other
program, and a look into any other process. Keys, PINs and the store belong to the same user as the gates' process, so
that nothing else would keep a hostile gate from reading them. From Linux 6.7 on it can't open TCP connections, from 6.12
on it can't signal other processes either; UDP is not held back.

The numbers are those of <linux/landlock.h>; the system calls have the same ones on every architecture.
"""

from __future__ import annotations

import ctypes
import os
import struct
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_ASK_VERSION, _PATH_BENEATH = 1, 1
_SET_NO_NEW_PRIVS = 38  # <linux/prctl.h>
_READ_FILE, _READ_DIR = 1 << 2, 1 << 3
# All rights that a version of the interface knows: what is listed and not granted is refused.
_FILE_RIGHTS = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 5: (1 << 16) - 1}
_TCP, _TCP_SINCE = 0b11, 4
_SIGNALS_AND_SOCKETS, _SCOPED_SINCE = 0b11, 6

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
    """Of the interface that this kernel has; 0 where there is none to use."""
    try:
        return _call("syscall", _CREATE_RULESET, None, 0, _ASK_VERSION)
    except OSError:  # an older kernel, one that was started without it, or a container that hides it
        return 0


def confine(folders: Iterable[Path]) -> int:
    """Give up all files but these for reading, for good. Returns the version of Landlock; 0 where there is none to use.

    Raises: OSError when a kernel that has Landlock refuses, or there is a second thread, which would keep its rights.
    """
    version = landlock_version()
    if not version:
        return 0
    if len(list(Path("/proc/self/task").iterdir())) != 1:
        raise OSError("there are threads already, which could not be confined")
    _restrict(version, folders)
    return version


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
        _call("prctl", _SET_NO_NEW_PRIVS, 1, 0, 0, 0)
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
