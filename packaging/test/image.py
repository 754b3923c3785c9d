#!/usr/bin/env python3
"""Plays packaging/docker/Dockerfile without Docker: each stage is a Debian of debootstrap's in a folder, each RUN a
chroot there. Then the container's command serves, its health check passes, and it stops when told to.

    packaging/test/image.py            # as root; some minutes, for it installs a compiler and builds

All of it stands in namespaces of its own, and is gone with them. What is served has no network but itself.
"""

import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

import dockerfile
import test_root

ENVIRONMENT = {"PATH": test_root.PATH, "HOME": "/", "LANG": "C.UTF-8"}


class Stage:
    """A file system in the making, over one that stays as it is."""

    def __init__(self, folder: Path) -> None:
        for name in ("upper", "work", "root"):
            (folder / name).mkdir(parents=True)
        self.root = folder / "root"
        self.workdir = Path("/")
        layers = f"lowerdir={test_root.minimal()},upperdir={folder}/upper,workdir={folder}/work"
        test_root.run("mount", "-t", "overlay", "-o", layers, "overlay", self.root)
        test_root.run("mount", "-t", "proc", "proc", self.root / "proc")
        for device in ("null", "zero", "urandom"):
            test_root.run("mount", "--bind", f"/dev/{device}", self.root / "dev" / device)
        shutil.copy("/etc/resolv.conf", self.root / "etc/resolv.conf")

    def inside(self, path: str) -> Path:
        return self.root / (self.workdir / path).relative_to("/")

    def copy(self, sources: list[Path], target: str) -> None:
        to = self.inside(target)
        if target.endswith("/") or len(sources) > 1:
            to.mkdir(parents=True, exist_ok=True)
        to.parent.mkdir(parents=True, exist_ok=True)
        for source in sources:
            test_root.run("cp", "--archive", f"{source}/." if source.is_dir() else source, to)

    def run(self, command: str) -> None:
        check(start(self.root, ["sh", "-c", command], workdir=self.workdir))


def start(root: Path, command: list[str], user: str = "0:0", workdir: Path = Path("/")) -> subprocess.Popen[str]:
    chroot = ["chroot", f"--userspec={user}", root, "env", f"--chdir={workdir}"]
    return subprocess.Popen([*chroot, *command], env=ENVIRONMENT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, text=True)


def check(process: subprocess.Popen[str]) -> str:
    """What it says until it ends, which has to be with status 0."""
    said, _ = process.communicate()
    if process.returncode:
        raise SystemExit(f"{process.args}: status {process.returncode}\n{said[-3000:]}")
    return said


def context(folder: Path) -> Path:
    """What is sent to the engine: the tree less what .dockerignore names; files that git knows will do."""
    files = test_root.run("git", "-C", test_root.ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    test_root.run("cp", "--archive", "--parents", "--target-directory", folder,
                  *[name for name in files.split("\0") if name], cwd=test_root.ROOT)
    return folder


def copied(rest: str, tree: Path, stages: dict[str, Stage]) -> tuple[list[Path], str]:
    words = shlex.split(rest)
    if not words[0].startswith("--from="):
        return [tree / word for word in words[:-1]], words[-1]
    other = stages[words.pop(0).removeprefix("--from=")]
    return [path for word in words[:-1] for path in sorted(other.root.glob(word.lstrip("/")))], words[-1]


def build(folder: Path) -> Stage:
    """The last stage."""
    tree = context(Path(tempfile.mkdtemp(dir=folder)))
    stages: dict[str, Stage] = {}
    for instruction, rest in dockerfile.instructions():
        print(f"{instruction} {rest}", flush=True)
        if instruction == "FROM":
            name = rest.partition(" AS ")[2] or "last"
            stage = stages[name] = Stage(folder / name)
        elif instruction == "WORKDIR":
            stage.workdir = Path(rest)
            stage.inside("").mkdir(parents=True, exist_ok=True)
        elif instruction == "COPY":
            stage.copy(*copied(rest, tree, stages))
        elif instruction == "RUN":
            stage.run(rest)
    return stage


def serve(root: Path) -> None:
    user = dockerfile.all_of("USER")[0]
    test_root.run("ip", "link", "set", "lo", "up")
    daemon = start(root, dockerfile.command_of("ENTRYPOINT") + dockerfile.command_of("CMD"), user)
    print(*[daemon.stdout.readline() for _ in dockerfile.all_of("EXPOSE")[0].split()], sep="", end="")
    print("healthy:", check(start(root, dockerfile.command_of("HEALTHCHECK"), user)).strip())
    port = dockerfile.all_of("EXPOSE")[0].split()[1]
    print("ready:", urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz").read().decode().strip())
    daemon.send_signal(signal.SIGTERM)
    check(daemon)
    print("the image was built, served, and stopped when it was told to")


def again(*arguments: str | Path, namespaces: list[str]) -> int:
    """Runs this script in new namespaces."""
    return subprocess.run(["unshare", *namespaces, sys.executable, "-B", __file__, *arguments]).returncode


def build_and_serve() -> int:
    folder = Path(tempfile.mkdtemp())
    test_root.run("mount", "-t", "tmpfs", "tmpfs", folder)
    try:
        return again("serve", build(folder).root, namespaces=["--net"])
    finally:
        test_root.run("umount", "--lazy", folder)
        folder.rmdir()


def main(arguments: list[str]) -> int:
    if why := test_root.can_boot():
        print(f"OK (skipped={why})")
    elif not arguments:
        test_root.minimal()
        return again("build", namespaces=["--mount", "--pid", "--fork", "--kill-child", "--propagation", "private"])
    elif arguments == ["build"]:
        return build_and_serve()
    else:
        serve(Path(arguments[1]))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
