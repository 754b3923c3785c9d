"""A full disk under what the daemon writes as it starts: one clear line, status 1, and no half-written file."""

from __future__ import annotations

import subprocess

from daemon import LOOPBACK, DaemonTestCase, run_to_exit

# Mounts a file system of one page at $0, which a file fills; then runs the command, and says what lies there besides.
ON_A_FULL_DISK = """
mount -t tmpfs -o size=4k tmpfs "$0" && head -c 4096 /dev/zero >"$0/full" || exit 99
"$@"; status=$?
cd "$0" && find . -type f ! -name full
exit $status
"""


class FullDisk(DaemonTestCase):
    def setUp(self) -> None:
        self.directory = self.temporary_directory()
        try:
            subprocess.run(["unshare", "--mount", "true"], check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError) as error:
            self.skipTest(f"no mount namespaces here: {getattr(error, 'stderr', '') or error}")

    def check_refused(self, *flags: str, left: str) -> None:
        wrapper = ["unshare", "--mount", "sh", "-c", ON_A_FULL_DISK, str(self.directory)]
        finished = run_to_exit("--listen", LOOPBACK, "--log-level", "off", *flags, wrapper=wrapper)
        self.assertEqual((finished.returncode, finished.stdout), (1, left), finished.stderr)
        self.assertEqual(finished.stderr.count("\n"), 1, finished.stderr)
        says = "No space left on device: make room there, or take another path"
        self.assertRegex(finished.stderr, rf"^lockd: {flags[0]}.* {self.directory}\S*: {says}$")

    def test_no_half_written_pidfile_is_left(self) -> None:
        self.check_refused("--pidfile", f"{self.directory}/lockd.pid", left="")

    def test_T1_no_half_written_mark_is_left(self) -> None:
        """What guards the directory stays, as ever."""
        self.check_refused("--state-dir", str(self.directory), left="./tokens.lock\n")


class FullDevice(DaemonTestCase):
    def test_a_device_is_refused_and_stays(self) -> None:
        finished = run_to_exit("--listen", LOOPBACK, "--pidfile", "/dev/full")
        self.assertEqual((finished.returncode, finished.stdout), (1, ""))
        self.assertTrue(finished.stderr.startswith("lockd: --pidfile /dev/full: No space left on device: "))
        self.assertEqual(finished.stderr.count("\n"), 1)
        with open("/dev/full", "rb") as device:
            self.assertEqual(device.read(1), b"\0")
