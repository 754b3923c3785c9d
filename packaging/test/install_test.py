#!/usr/bin/env python3
"""`cmake --install` into a prefix of one's own: all of it is below that, and works from there."""

import os
import re
import shlex
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ["LOCKD_BUILD"])
COMPILER = os.environ["LOCKD_COMPILER"]
CONSUMER = ROOT / "client/e2e/consumer"
CONFIGURATION = "etc/lockd/lockd.conf"
UNIT = "lib/systemd/system/lockd.service"
# System calls that make something, or change it, under a name.
WRITES = "trace=open,openat,creat,mkdir,mkdirat,rename,renameat,renameat2,link,linkat,symlink,symlinkat,unlink,unlinkat"
# What cmake writes of its own: the list of what it has installed.
NOTES = {BUILD / "install_manifest.txt"}


def run(*command: str | Path, **environment: str) -> str:
    done = subprocess.run(command, env=os.environ | environment, stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=200)
    if done.returncode:
        raise AssertionError(f"{command}: status {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def install(prefix: str | Path, *wrapper: str | Path, **environment: str) -> str:
    return run(*wrapper, "cmake", "--install", BUILD, "--prefix", prefix, **environment)


def written(trace: str) -> set[Path]:
    """What those calls have made or changed that succeeded."""
    found = set()
    for line in trace.splitlines():
        is_opened = re.search(r"\b(?:open|openat)\(", line)
        if line.endswith(")") or " = -1 " in line or (is_opened and not re.search(r"O_WRONLY|O_RDWR|O_CREAT", line)):
            continue
        found |= {Path(path) for path in re.findall(r'"((?:[^"\\]|\\.)*)"', line)}
    return found


class InstallTestCase(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory(prefix="lockd-install-")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.prefix = self.folder / "prefix"

    def text(self, path: str) -> str:
        return (self.prefix / path).read_text()

    def command_of_unit(self) -> list[str]:
        return shlex.split(re.search(r"^ExecStart=(.+)$", self.text(UNIT), re.MULTILINE)[1])


class Prefix(InstallTestCase):
    @unittest.skipUnless(shutil.which("strace"), "strace is not there")
    def test_nothing_is_written_elsewhere(self) -> None:
        trace = self.folder / "trace"
        install(self.prefix, "strace", "--follow-forks", "--quiet=all", "--string-limit=4096", "--no-abbrev", "-e",
                WRITES, "--output", trace)
        paths = written(trace.read_text())
        self.assertIn(self.prefix / "sbin/lockd", paths)
        elsewhere = {path for path in paths - NOTES if not path.is_relative_to(self.prefix)}
        self.assertEqual({path for path in elsewhere if not path.is_relative_to("/dev")}, set())

    def test_the_unit_starts_the_daemon_that_was_installed(self) -> None:
        install(self.prefix)
        command = self.command_of_unit()
        self.assertEqual(command, [str(self.prefix / "sbin/lockd"), "--config", str(self.prefix / CONFIGURATION)])
        # What systemd would have made for it.
        places = {"LOCKD_LISTEN": "tcp://127.0.0.1:0", "LOCKD_STATE_DIR": str(self.folder)}
        with subprocess.Popen(command, env=os.environ | places, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True) as daemon:
            try:
                uri = daemon.stdout.readline().rpartition(" ")[2].strip()
                self.assertEqual(run(self.prefix / "bin/lockctl", "--server", uri, "ping"), "pong\n")
                self.assertEqual(run(self.build_consumer(), uri), "held\n")
            finally:
                daemon.terminate()

    def build_consumer(self) -> Path:
        """A program that is no part of the tree."""
        sources, binaries = shutil.copytree(CONSUMER, self.folder / "consumer"), self.folder / "built"
        run("cmake", "-S", sources, "-B", binaries, "-G", "Ninja", f"-DCMAKE_PREFIX_PATH={self.prefix}",
            f"-DCMAKE_CXX_COMPILER={COMPILER}")
        run("cmake", "--build", binaries)
        return binaries / "consumer"

    def test_a_configuration_that_is_there_is_kept(self) -> None:
        install(self.prefix)
        (self.prefix / CONFIGURATION).write_text("max-locks = 7\n")
        self.assertIn(f"Kept: {self.prefix / CONFIGURATION}", install(self.prefix))
        self.assertEqual(self.text(CONFIGURATION), "max-locks = 7\n")

    def test_it_is_taken_away_again_as_the_page_says(self) -> None:
        install(self.prefix)
        self.assertTrue((self.prefix / CONFIGURATION).exists())
        page = (ROOT / "docs/installing.md").read_text()
        command = re.search(r"^ +(xargs .*)$", page, re.MULTILINE)[1]
        run("sh", "-c", command.replace("build/package", str(BUILD)))
        self.assertEqual([path for path in self.prefix.rglob("*") if not path.is_dir()], [])

    def test_what_is_for_debian_alone_is_left_out(self) -> None:
        install(self.prefix)
        paths = [str(path.relative_to(self.prefix)) for path in self.prefix.rglob("*")]
        self.assertEqual([path for path in paths if re.search("lintian|[dD]ebian", path)], [])

    def test_zsh_finds_its_completion_where_it_looks_by_default(self) -> None:
        install(self.prefix)
        self.assertTrue((self.prefix / "share/zsh/site-functions/_lockctl").exists())


class System(InstallTestCase):
    """Under /usr, as packages are made of it: by DESTDIR, so that nothing of this machine's is touched."""

    def test_configuration_and_units_are_where_debian_has_them(self) -> None:
        install("/usr", DESTDIR=str(self.prefix))
        self.assertEqual(self.command_of_unit(), ["/usr/sbin/lockd", "--config", "/etc/lockd/lockd.conf"])
        self.assertEqual(self.text(UNIT), (ROOT / "packaging/systemd/lockd.service").read_text())
        self.assertEqual(sorted(path.name for path in self.prefix.iterdir()), ["etc", "lib", "usr"])
        self.assertTrue((self.prefix / CONFIGURATION).exists())
        for package in "lockd", "liblockd-dev":
            self.assertTrue((self.prefix / "usr/share/lintian/overrides" / package).exists())
            self.assertTrue((self.prefix / "usr/share/doc" / package / "changelog.Debian").exists())
        self.assertTrue((self.prefix / "usr/share/zsh/vendor-completions/_lockctl").exists())


if __name__ == "__main__":
    unittest.main()
