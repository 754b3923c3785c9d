"""Tests of ci/install-deps against a dpkg-query and an apt-get that only take notes: nothing is installed here."""

import os
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

INSTALL_DEPS = Path(__file__).with_name("install-deps")

SUDO = '#!/bin/sh\nshift\nexec "$@"\n'  # called as `sudo -n COMMAND`, and only by those who are not root
APT_GET = """\
#!/bin/sh
[ "$DEBIAN_FRONTEND" = noninteractive ] || exit 9
echo "$@" >>"$NOTES"
echo "much to say"
case "$*" in *" $FAILING"*) exit 100 ;; esac
"""
SYSTEMCTL = '#!/bin/sh\necho "$@" >>"$NOTES"\n'
DPKG_QUERY = """\
#!/bin/sh
for package; do :; done
case " $MISSING " in
  *" $package "* | " all ") echo "no packages found matching $package" >&2; exit 1 ;;
  *) printf installed ;;
esac
"""


class InstallDeps(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.notes = self.folder / "notes"
        tools = (("apt-get", APT_GET), ("dpkg-query", DPKG_QUERY), ("sudo", SUDO), ("systemctl", SYSTEMCTL))
        for name, text in tools:
            (self.folder / name).write_text(text, encoding="utf-8")
            (self.folder / name).chmod(0o755)

    def install_deps(self, *arguments: str, missing: str, failing: str = "nothing") -> subprocess.CompletedProcess[str]:
        environment = os.environ | {
            "PATH": f"{self.folder}:{os.environ['PATH']}",
            "NOTES": str(self.notes),
            "MISSING": missing,
            "FAILING": failing,
        }
        command = [str(INSTALL_DEPS), *arguments]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    def calls(self) -> list[list[str]]:
        """The words of each call of apt-get, without its options."""
        lines = self.notes.read_text(encoding="utf-8").splitlines() if self.notes.exists() else []
        return [[word for word in line.split() if not word.startswith("-") and "::" not in word] for line in lines]

    def test_does_nothing_where_all_is_there(self) -> None:
        done = self.install_deps(missing="")
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))
        self.assertEqual(self.calls(), [])

    def test_installs_what_is_missing_and_leaves_stdout_alone(self) -> None:
        done = self.install_deps(missing="socat ninja-build")
        self.assertEqual((done.returncode, done.stdout), (0, ""))
        self.assertEqual(self.calls(), [["update"], ["install", "ninja-build", "socat"]])

    def test_serving_takes_no_test_tools(self) -> None:
        self.install_deps("serve", missing="all")
        packages = self.calls()[1]
        self.assertIn("g++", packages)
        self.assertIn("libboost1.81-dev", packages)
        self.assertFalse({"clang-19", "libgtest-dev", "php-cli"} & set(packages))

    def test_peers_are_for_the_benchmarks_alone(self) -> None:
        peers = {"memcached", "redis-server"}
        for arguments, expected in (((), set()), (("serve",), set()), (("bench",), peers)):
            self.notes.unlink(missing_ok=True)
            self.install_deps(*arguments, missing="all")
            self.assertEqual(peers & set(self.calls()[1]), expected)
            self.assertEqual({call[-1] for call in self.calls() if call[0] == "disable"}, expected)

    def test_websockets_take_a_browser_too(self) -> None:
        self.install_deps("websocket", missing="all")
        packages = self.calls()[1]
        self.assertLessEqual({"g++", "libgtest-dev", "chromium"}, set(packages))
        self.assertEqual("npm" in packages, shutil.which("npm") is None)

    def test_old_lists_may_do(self) -> None:
        done = self.install_deps(missing="socat", failing="update")
        self.assertEqual(done.returncode, 0)
        self.assertEqual(self.calls()[1], ["install", "socat"])

    def test_says_what_could_not_be_installed(self) -> None:
        done = self.install_deps(missing="socat", failing="install")
        self.assertEqual(done.returncode, 1)
        self.assertIn("ci/install-deps: apt-get could not install: socat", done.stderr)

    def test_unknown_argument(self) -> None:
        done = self.install_deps("serv", missing="all")
        self.assertEqual(done.returncode, 1)
        self.assertIn("usage", done.stderr)
        self.assertEqual(self.calls(), [])


if __name__ == "__main__":
    unittest.main()
