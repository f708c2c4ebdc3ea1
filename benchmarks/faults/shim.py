"""The C library between a process and the disk: built here, armed for one process at a time.

Knows the compiler and the library's functions. Knows nothing of the service.
"""

import ctypes
import re
import shutil
import subprocess
from pathlib import Path

SOURCE = Path(__file__).with_name("shim.c")
KINDS = ("kill", "torn", "eio", "enospc", "full", "short")
"""Killed before the call; half of a write, then killed; the call fails once; from there on nothing
finds room; half of a write is done. In the order of the C source, after `count`."""

CLASS_OF = {"kill": 0, "eio": 0, "enospc": 0, "torn": 1, "short": 1, "full": 2}
"""Which calls a kind counts: all, those that can be cut in two, those that take room."""

MAX_LOGGED = 16384
_RANDOM = re.compile(
    r"\.tmp\w+|[0-9a-f]{8,}|(?<=gen-)\d+-\w+|(?<=/)[0-9a-f]{2}(?=/|$)|\d+(?=\.del)"
)

IS_DEADLY = frozenset({"kill", "torn"})


def compiler() -> str | None:
    """Return the C compiler of this machine, None without one."""
    return next(filter(None, map(shutil.which, ("cc", "gcc", "clang"))), None)


def build(folder: Path) -> Path:
    """Compile the library into the folder. Raises RuntimeError without a compiler."""
    program = compiler()
    if program is None:
        raise RuntimeError("no C compiler found; cc, gcc and clang are looked for")
    library = folder / "faults.so"
    command = [program, "-shared", "-fPIC", "-O2", "-o", str(library), str(SOURCE), "-ldl"]
    subprocess.run(command, check=True)
    return library


class Entry(ctypes.Structure):
    """One call as the library logged it."""

    _fields_ = (
        ("is_write", ctypes.c_char),
        ("takes_space", ctypes.c_char),
        ("call", ctypes.c_char * 22),
        ("path", ctypes.c_char * 104),
    )

    def concerns(self, kind: str) -> bool:
        """True when the kind counts this call."""
        return (True, self.is_write != b"\0", self.takes_space != b"\0")[CLASS_OF[kind]]

    @property
    def label(self) -> str:
        """What it did to what, without what differs from run to run."""
        return f"{self.call.decode()} {_RANDOM.sub('*', self.path.decode(errors='replace'))}"


class Shim:
    """The library as this process has it loaded (LD_PRELOAD)."""

    def __init__(self, root: Path) -> None:
        """Watch what happens below `root`. Raises AttributeError where it is not loaded."""
        self._library = ctypes.CDLL(None)
        self._library.fault_count.restype = ctypes.c_long
        self._library.fault_call.restype = self._library.fault_path.restype = ctypes.c_char_p
        self._library.fault_logged.restype = ctypes.POINTER(Entry)
        self._library.fault_root(str(root).encode())

    def arm(self, kind: str, number: int) -> None:
        """From now on this process meets the fault at the number-th call that counts for it."""
        self._library.fault_arm(KINDS.index(kind) + 1, ctypes.c_long(number))

    def count(self) -> None:
        """From now on count the calls of this process and let them pass."""
        self._library.fault_arm(0, ctypes.c_long(0))

    def disarm(self) -> None:
        """Let everything pass; the counts stay."""
        self._library.fault_disarm()

    def places(self, kind: str) -> list[str]:
        """The calls that the kind found, in order: name and path, random parts as `*`."""
        entries = (self._library.fault_logged(ctypes.c_long(i)).contents for i in range(self._num))
        return [entry.label for entry in entries if entry.concerns(kind)]

    @property
    def _num(self) -> int:
        return min(self._library.fault_count(CLASS_OF["kill"]), MAX_LOGGED)

    @property
    def fired(self) -> str | None:
        """The call that met the fault and its path below the root; None when none did."""
        if not self._library.fault_fired():
            return None
        return f"{self._library.fault_call().decode()} {self._library.fault_path().decode()}"
