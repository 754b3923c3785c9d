"""The servers that are measured side by side, as processes: started on a free port of loopback, pinned to a core, and
stopped by their process id. None outlives the one who started it."""

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build/release"
PATIENCE_SECONDS = 60.0
CONNECTIONS_MAX = 19_000
CONNECTIONS_OF_A_ROUND_MAX = 20_000
KINDS = ("lockd", "floor", "memcached", "redis")
MANY_AT_ONCE = "memcached -R 1000"  # answers so many requests of a connection before it turns to the next: 20 otherwise
BOUND_TO_US = ("setpriv", "--pdeathsig", "KILL")  # a process that is started so ends with the one who started it


class Failed(Exception):
    """Something could not be measured, and why."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def command_of(kind: str, port: int, folder: str, threads: int) -> list[str]:
    """lockd and the floors take a free port themselves, and print it."""
    if kind == "lockd":
        return [str(BUILD / "server/lockd"), "--listen", "tcp://127.0.0.1:0", "--threads", str(threads), "--log-level",
                "warning"]
    if kind.startswith("floor"):
        return [program(BUILD / "bench" / kind)]
    if kind.startswith("memcached"):
        return [program("memcached"), "-t", str(threads), "-l", "127.0.0.1", "-p", str(port), "-U", "0", "-c",
                str(CONNECTIONS_MAX), "-m", "1024", "-u", os.environ.get("USER", "root"), *kind.split()[1:]]
    return [program("redis-server"), "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no",
            "--dir", folder, "--maxclients", str(CONNECTIONS_MAX), "--logfile", "/dev/null"]


def prints_its_port(kind: str) -> bool:
    return kind == "lockd" or kind.startswith("floor")


def shown_command(kind: str) -> str:
    """As one would type it. A port that is free, and a new folder, stand for themselves."""
    path, *words = command_of(kind, 0, "FOLDER", 1)
    return " ".join([Path(path).name, *(word or "''" for word in words)])


def program(name: str | Path) -> str:
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/bin")
    if not found:
        raise Failed(f"there is no {name}; `ci/install-deps bench` installs it, or what it is built with")
    return found


class Server:
    """One that runs."""

    def __init__(self, kind: str, process: subprocess.Popen, port: int) -> None:
        self.kind = kind
        self.dialect = "lockd" if prints_its_port(kind) else kind.split()[0]
        self.process = process
        self.pid = process.pid
        self.port = port
        self._rounds = 0

    def first_of_next_round(self) -> int:
        """The number of a round's first connection, by which its keys are named: others than in the round before,
        whose sessions may be about to end still, and hold them."""
        self._rounds += 1
        return CONNECTIONS_OF_A_ROUND_MAX * (self._rounds % 2)

    def resident_bytes(self) -> int:
        """Counted page by page: the cheaper figures of the kernel are off by up to 64 pages a core."""
        rollup = Path(f"/proc/{self.pid}/smaps_rollup").read_text()
        return int(re.search(r"^Rss:\s+(\d+) kB", rollup, re.MULTILINE)[1]) * 1024

    def wait_until_quiet(self) -> None:
        """It has done what was left to do for those who have gone."""
        end = time.monotonic() + PATIENCE_SECONDS
        before = -1.0
        while (now := cpu_seconds_of(self.pid)) > before + 0.001:
            before = now
            if time.monotonic() > end:
                raise Failed(f"{self.kind} is still busy after {PATIENCE_SECONDS:.0f} s, with nobody there")
            time.sleep(0.05)

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), PATIENCE_SECONDS)


def cpu_seconds_of(pid: int) -> float:
    """Of all its threads, those that have ended left out."""
    total = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            total += int((task / "schedstat").read_text().split()[0])
    return total / 1e9


def printed_port(process: subprocess.Popen) -> int:
    line = process.stdout.readline()
    found = re.match(r"listening on tcp://127\.0\.0\.1:(\d+)$", line)
    if not found:
        raise Failed(f"a server did not start, or said {line!r} first: {' '.join(process.args)}")
    return int(found[1])


def wait_for_port(process: subprocess.Popen, port: int) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while process.poll() is None and time.monotonic() < end:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.02)
    raise Failed(f"a server did not start: {' '.join(process.args)}")


@contextlib.contextmanager
def running(kind: str, cores: list[int], threads: int = 1, under: tuple[str, ...] = (),
            stderr: int | None = None) -> Iterator[Server]:
    """A server, started `under` another program where that is named (which has to become it). Ends with the context,
    and, by the kernel's hand, with this process."""
    with tempfile.TemporaryDirectory() as folder:
        port = 0 if prints_its_port(kind) else free_port()
        command = [*BOUND_TO_US, "taskset", "--cpu-list", ",".join(map(str, cores)), *under,
                   *command_of(kind, port, folder, threads)]
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=stderr, text=True)
        try:
            if port:
                wait_for_port(process, port)
            else:
                port = printed_port(process)
            yield Server(kind, process, port)
        finally:
            stop(process)


def stop(process: subprocess.Popen) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    try:
        process.wait(PATIENCE_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    process.stdout.close()
