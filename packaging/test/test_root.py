"""A small Debian system to install packages in: made once by debootstrap, kept in build/test-root, and booted with
systemd in namespaces of its own, on a layer over it that is gone when the test ends.

It takes a root who may make namespaces, mounts and control groups; can_boot() says why not, where it can't.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ROOT / "build/package"
BASE = ROOT / "build/test-root"
BOOT = Path(__file__).with_name("boot")
MIRROR = os.environ.get("LOCKD_DEBIAN_MIRROR", "http://deb.debian.org/debian")
# Beyond what Debian has on every system: an init, what the tests and docs/quickstart.md call, what reads what the
# packages bring (manual, completions, plugin), and a compiler for programs that use the library.
TOOLS = ["systemd", "systemd-sysv", "curl", "netcat-openbsd", "procps", "man-db", "bash-completion", "zsh", "g++",
         "cmake", "make", "needrestart", "munin-node", "python3"]
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
BOOT_SECONDS = 120
COMMAND_SECONDS = 120


def packages() -> list[Path]:
    """What ci/package has built."""
    found = sorted(PACKAGES.glob("*.deb"))
    if not found:
        raise SystemExit("no packages in build/package: ci/package builds them")
    return found


def run(*command: str | Path, **options) -> str:
    finished = subprocess.run(command, text=True, stdin=subprocess.DEVNULL, capture_output=True, **options)
    if finished.returncode:
        raise AssertionError(f"{command}: status {finished.returncode}\n{finished.stdout}{finished.stderr}")
    return finished.stdout


def can_boot() -> str:
    """Nothing, or why no system can be booted here. What ci/install-deps installs has to be there."""
    if os.geteuid() != 0:
        return "not root"
    if not shutil.which("debootstrap"):
        raise SystemExit("debootstrap is not there: ci/install-deps installs it")
    return can_unshare("--mount", "--pid", "--cgroup")


def can_unshare(*namespaces: str) -> str:
    """Nothing, or why no such namespaces can be made here."""
    tried = subprocess.run(["unshare", *namespaces, "--fork", "true"], capture_output=True, text=True)
    return tried.stderr.strip() if tried.returncode else ""


def dependencies() -> list[str]:
    """What the packages need of Debian, but for each other."""
    needed = ", ".join(run("dpkg-deb", "--field", each, "Depends") for each in packages())
    names = {word.split()[0] for word in needed.split(",") if word.split()}
    return sorted(names - {run("dpkg-deb", "--field", each, "Package").strip() for each in packages()})


def made_once(name: str, contains: str, make: Callable[[Path], None]) -> Path:
    """A folder of the cache, made anew if what it is to contain has changed, by one process at a time."""
    folder, note = BASE / name, BASE / f"{name}.contains"
    BASE.mkdir(parents=True, exist_ok=True)
    with (BASE / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if note.exists() and note.read_text() == contains:
            return folder
        note.unlink(missing_ok=True)
        shutil.rmtree(folder, ignore_errors=True)
        make(folder)
        note.write_text(contains)
    return folder


def minimal() -> Path:
    """Debian 12 with apt and little else."""
    return made_once("minimal", MIRROR,
                     lambda folder: run("debootstrap", "--variant=minbase", "bookworm", folder, MIRROR))


def base() -> Path:
    """The system to be booted."""
    wanted = TOOLS + dependencies()
    return made_once("system", " ".join(wanted), lambda folder: install(folder, wanted))


def install(system: Path, wanted: list[str]) -> None:
    run("cp", "--archive", minimal(), system)
    shutil.copy("/etc/resolv.conf", system / "etc/resolv.conf")
    apt = ["chroot", system, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "--quiet"]
    run(*apt, "update")
    run(*apt, "install", "--yes", "--no-install-recommends", *wanted)
    run(*apt, "clean")


def eventually(condition: Callable[[], bool], seconds: float, what: str) -> None:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.05)


def control_group() -> Path:
    """A new one, in systemd's hierarchy where there are several."""
    top = Path("/sys/fs/cgroup")
    top = top if (top / "cgroup.controllers").exists() else top / "systemd"
    return Path(tempfile.mkdtemp(prefix="lockd-test-", dir=top))


class System:
    """A booted one, with the packages and other FILES in its /root. To be ended by stop()."""

    def __init__(self, *files: Path) -> None:
        self._group = control_group()
        self._over = Path(tempfile.mkdtemp(prefix="lockd-test-"))
        self._console = tempfile.TemporaryFile("w+")
        command = [BOOT, base(), self._over, self._group, *packages(), *files]
        self._outside = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=self._console, stderr=self._console)
        try:
            eventually(self._is_up, BOOT_SECONDS, "the system is up")
        except BaseException as error:
            self.stop()
            self._console.seek(0)
            raise AssertionError(f"{error}; its console:\n{self._console.read()[-2000:]}") from error

    def _is_up(self) -> bool:
        if self._outside.poll() is not None:
            raise AssertionError("it has not booted")
        return self.ask("systemctl is-system-running").stdout.strip() in ("running", "degraded")

    def _first_process(self) -> str:
        return Path(f"/proc/{self._outside.pid}/task/{self._outside.pid}/children").read_text().strip()

    def enter(self) -> list[str]:
        """What goes ahead of a command that is to run inside."""
        return ["nsenter", "--target", self._first_process() or "none", "--mount", "--uts", "--ipc", "--net", "--pid",
                "--cgroup", "--wdns=/root", "env", "-i", f"PATH={PATH}", "HOME=/root", "LANG=C.UTF-8",
                "DEBIAN_FRONTEND=noninteractive"]

    def ask(self, script: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([*self.enter(), "sh", "-c", script], stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=COMMAND_SECONDS)

    def run(self, script: str) -> str:
        """What it prints; it has to succeed."""
        finished = self.ask(script)
        if finished.returncode:
            raise AssertionError(f"{script}: status {finished.returncode}\n{finished.stdout}{finished.stderr}")
        return finished.stdout

    def stop(self) -> None:
        if first := self._first_process():
            os.kill(int(first), 9)
        self._outside.kill()
        self._outside.wait()
        groups: Sequence[Path] = sorted((path for path in self._group.rglob("*") if path.is_dir()), reverse=True)
        eventually(lambda: all(remove_group(group) for group in [*groups, self._group]), 20, "its processes are gone")
        self._over.rmdir()
        self._console.close()


def remove_group(group: Path) -> bool:
    """Whether it has gone: while a process dies in it, it can't."""
    try:
        group.rmdir()
    except FileNotFoundError:
        pass
    except OSError:
        return False
    return True
