"""The page that driver and interposer share (torture/interposer.cc): which call is to fail, and how many there were."""

from __future__ import annotations

import errno
import mmap
import struct
from pathlib import Path

# What happens to a call that does not fail with an errno. Those after `cut` are canaries, faults as of the server.
DEEDS = {"cut": -1, "lose": -2, "lie": -3, "swallow": -4, "leak": -5, "deaf": -6, "crash": -7, "vanish": -8}

HEAD = struct.Struct("=IIiiQ16s")  # armed, fired, fault, unused, at, kind
COUNTED = struct.Struct("=16sQ")  # name, calls
KINDS_MAX = 64


def number_of(fault: str) -> int:
    return DEEDS[fault] if fault in DEEDS else getattr(errno, fault)


class Control:
    """One run's page. Calls are counted, and the chosen one fails, between arm() and disarm()."""

    def __init__(self, path: Path, kind: str, at: int, fault: str) -> None:
        """at: which call of its kind, from 1 on; 0 for none."""
        self.path = path
        path.write_bytes(bytes(HEAD.size + KINDS_MAX * COUNTED.size))
        with path.open("r+b") as file:
            self._page = mmap.mmap(file.fileno(), 0)
        HEAD.pack_into(self._page, 0, 0, 0, number_of(fault), 0, at, kind.encode())

    def arm(self) -> None:
        struct.pack_into("=I", self._page, 0, 1)

    def disarm(self) -> None:
        struct.pack_into("=I", self._page, 0, 0)

    @property
    def fired(self) -> bool:
        return struct.unpack_from("=I", self._page, 4)[0] == 1

    def counts(self) -> dict[str, int]:
        """Calls of each kind while armed."""
        entries = (COUNTED.unpack_from(self._page, HEAD.size + i * COUNTED.size) for i in range(KINDS_MAX))
        return {name.rstrip(b"\0").decode(): calls for name, calls in entries if name.strip(b"\0")}

    def close(self) -> None:
        self._page.close()
