"""What happens to the command when its lock is lost, and when lockctl itself is killed."""

from __future__ import annotations

import os
import signal
import subprocess

from daemon import eventually
from lockctl import LockctlTestCase, Running, children_of, has_ended, state_of, trapping, warden_of

ROUNDS = int(os.environ.get("LOCKCTL_KILL_ROUNDS", "100"))

# Says "in", or "two" if another one that runs still has the file locked: the kernel unlocks it when that has ended.
ALONE = 'exec 9>>"$0"; if flock -n 9; then echo "in $$"; else echo "two $$"; fi; exec sleep 1000'


class LostLock(LockctlTestCase):
    def start_it(self, *options: str, command: list[str], ready: str = "ready") -> Running:
        running = self.start("run", *options, "k", *command)
        running.expect(ready)
        return running

    def check_lost(self, running: Running, ahead: str = "") -> None:
        self.assertEqual(running.wait(), 70)
        self.assertRegex(running.stderr(), rf"\A{ahead}lockctl: the lock was lost: {self.uri}: [^\n]*; "
                                           r"ending the command\n\Z")

    def test_the_command_gets_TERM(self) -> None:
        running = self.start_it(command=["sh", "-c", 'trap "echo TERM; exit 0" TERM; echo ready; sleep 1000 & wait'])
        self.server.kill()
        running.expect("TERM")
        self.check_lost(running)

    def test_also_where_nobody_reads_stderr(self) -> None:
        running = self.start_it(command=["sh", "-c", 'trap "echo TERM; exit 0" TERM; echo ready; sleep 1000 & wait'])
        running.process.stderr.close()
        self.server.kill()
        running.expect("TERM")
        self.assertEqual(running.wait(), 70)

    def test_also_where_stderr_is_full(self) -> None:
        """Its reader is asleep: what is to be said waits until the command has ended."""
        fill = 'trap "echo TERM; exit 0" TERM; head -c 65536 /dev/zero >&2; echo ready; sleep 1000 & wait'
        running = self.start_it(command=["sh", "-c", fill])
        self.server.kill()
        running.expect("TERM")
        self.assertRegex(running.stderr(), r"\A\0{65536}lockctl: the lock was lost: [^\n]*; ending the command\n\Z")
        self.assertEqual(running.wait(), 70)

    def test_so_does_what_it_has_started(self) -> None:
        """Also those whose parent has ended."""
        script = '(sleep 1000 & echo $!); sleep 1000 & echo $!; echo ready; wait'
        running = self.start("run", "k", "sh", "-c", script)
        started = [int(running.line()), int(running.line())]
        running.expect("ready")
        self.server.kill()
        self.check_lost(running)
        for pid in started:
            self.assertTrue(has_ended(pid), state_of(pid))

    def test_a_daemon_that_it_has_started_stays(self) -> None:
        script = 'setsid -f sh -c "echo \\$\\$; exec sleep 1000 >&- 2>&-"; sleep 1000'
        running = self.start("run", "k", "sh", "-c", script)
        left = int(running.line())
        self.addCleanup(os.kill, left, signal.SIGKILL)
        self.server.kill()
        self.check_lost(running)
        self.assertFalse(has_ended(left))

    def test_KILL_for_those_who_do_not_heed_it(self) -> None:
        script = 'trap "" TERM; sh -c "echo \\$\\$; exec sleep 1000" & echo $$; wait; wait'
        running = self.start("run", "--kill-after", "0.2", "k", "sh", "-c", script)
        stubborn = [int(running.line()), int(running.line())]
        self.server.kill()
        self.check_lost(running)
        for pid in stubborn:
            self.assertTrue(has_ended(pid), state_of(pid))

    def test_there_is_time_to_tidy_up(self) -> None:
        """After TERM no KILL comes before its time: the command here ends when it is told to."""
        loop = "while :; do sleep 0.01; done"
        script = f'exec 2>/dev/null; trap "echo TERM; read x; echo tidy; exit 3" TERM; echo ready; {loop}'
        running = self.start("run", "--kill-after", "3600", "k", "sh", "-c", script, stdin=subprocess.PIPE)
        running.expect("ready")
        self.server.kill()
        running.expect("TERM")
        assert running.process.stdin is not None
        running.process.stdin.write(b"go on\n")
        running.process.stdin.flush()
        running.expect("tidy")
        self.check_lost(running, ahead=r"lockctl run: warning: [^\n]*\n")

    def test_one_that_is_stopped_gets_TERM_too(self) -> None:
        running = self.start("run", "--kill-after", "3600", "k", *trapping("SIGTERM"))
        running.expect("ready")
        child = next(each for each in children_of(running.pid) if each != warden_of(running.pid))
        os.kill(child, signal.SIGSTOP)
        eventually(lambda: state_of(child) == "T", 20, "it is stopped")
        self.server.kill()
        running.expect("SIGTERM")
        running.signal(signal.SIGKILL)

    def test_signals_reach_it_still(self) -> None:
        running = self.start_it("--kill-after", "3600", command=trapping("SIGTERM", "SIGUSR1"))
        self.server.kill()
        running.expect("SIGTERM")
        running.signal(signal.SIGUSR1)
        running.expect("SIGUSR1")
        running.signal(signal.SIGKILL)

    def test_a_server_that_goes_as_the_command_ends(self) -> None:
        """Whether the lock was there to the end nobody knows then, so it counts as lost."""
        running = self.start("run", "k", "sh", "-c", f"kill -9 {self.server.pid}")
        self.assertEqual(running.wait(), 70)
        self.assertRegex(running.stderr(), r"\Alockctl: the lock was lost[^\n]*\n\Z")
        self.server.kill()


class UnansweredRelease(LockctlTestCase):
    """The command has ended under its lock, and only then the server hangs, or is seen to."""

    def start_it(self, status: int, *options: str) -> Running:
        running = self.start("run", *options, f"k{status}", "sh", "-c", f"echo in; read x; exit {status}",
                             stdin=subprocess.PIPE)
        running.expect("in")
        return running

    def test_the_commands_status_stands(self) -> None:
        running = [self.start_it(status) for status in (0, 3, 255)]
        holding = self.start("get", "l", stdin=subprocess.PIPE)
        holding.line()
        self.server.pause()
        for each in *running, holding:
            each.process.stdin.close()
        self.assertEqual([each.wait() for each in (*running, holding)], [0, 3, 255, 0])
        for each in *running, holding:
            self.assertRegex(each.stderr(), r"\Alockctl: warning: the server has not answered the release[^\n]*\n\Z")
        self.server.resume()
        for key in "k0", "k3", "k255", "l":
            self.observer.expect(f"gw 60000 {key}", f"1 Lock Get Success: {key}")

    def test_where_another_may_have_had_the_lock_it_is_waited_for(self) -> None:
        """With so long a --peer-timeout the network may have vanished before the command ended."""
        unsure, sure = [self.start_it(status, "--peer-timeout", "60") for status in (3, 255)], self.start_it(0)
        self.server.pause()
        for each in *unsure, sure:
            each.process.stdin.close()
        self.assertEqual(sure.wait(), 0)
        self.server.kill()
        for each in unsure:
            self.assertEqual(each.wait(), 70)
            self.assertIn("lockctl: the lock was lost before it was given back: ", each.stderr())


class Killed(LockctlTestCase):
    """kill -9 of lockctl: its connection closes, the lock is free, and the command must not run on."""

    def test_the_command_is_killed_too(self) -> None:
        running = self.start("run", "k", "sh", "-c", "echo $$; trap '' TERM; while :; do sleep 0.01; done")
        child = int(running.line())
        running.signal(signal.SIGKILL)
        self.observer.expect("gw 60000 k", "1 Lock Get Success: k")
        self.assertTrue(has_ended(child), state_of(child))

    def test_also_if_it_is_stopped(self) -> None:
        running = self.start("run", "k", "sh", "-c", "echo $$; exec sleep 1000")
        child = int(running.line())
        os.kill(child, signal.SIGSTOP)
        eventually(lambda: state_of(child) == "T", 20, "it is stopped")
        running.signal(signal.SIGKILL)
        self.observer.expect("gw 60000 k", "1 Lock Get Success: k")
        self.assertTrue(has_ended(child), state_of(child))

    def test_the_lock_is_held_until_the_command_has_gone(self) -> None:
        """By the warden: here it is stopped, and the kernel alone kills the command."""
        running = self.start("run", "k", "sh", "-c", "echo $$; exec sleep 1000")
        child = int(running.line())
        warden = warden_of(running.pid)
        os.kill(warden, signal.SIGSTOP)
        self.addCleanup(lambda: has_ended(warden) or os.kill(warden, signal.SIGKILL))
        eventually(lambda: state_of(warden) == "T", 20, "it is stopped")
        running.signal(signal.SIGKILL)
        eventually(lambda: has_ended(child), 20, "the kernel has killed it")
        self.observer.expect("i k", "1 Lock Is Locked: k")
        os.kill(warden, signal.SIGCONT)
        self.observer.expect("gw 60000 k", "1 Lock Get Success: k")

    def test_the_command_is_killed_without_a_warden_too(self) -> None:
        running = self.start("run", "k", "sh", "-c", "echo $$; exec sleep 1000")
        child = int(running.line())
        warden = warden_of(running.pid)
        os.kill(warden, signal.SIGKILL)
        eventually(lambda: has_ended(warden), 20, "the warden has gone")
        running.signal(signal.SIGKILL)
        eventually(lambda: has_ended(child), 20, "the kernel has killed it")
        self.observer.expect("gw 60000 k", "1 Lock Get Success: k")

    def test_the_warden_outlives_what_ends_the_group(self) -> None:
        running = self.start("run", "k", "sh", "-c", "echo $$; trap '' TERM; while :; do sleep 0.01; done")
        child = int(running.line())
        os.killpg(running.pid, signal.SIGKILL)
        self.observer.expect("gw 60000 k", "1 Lock Get Success: k")
        self.assertTrue(has_ended(child), state_of(child))

    def test_never_two_at_once(self) -> None:
        """Whoever holds the lock is killed while the next one waits in line, again and again."""
        file = str(self.temporary_directory() / "lock")
        held = self.start("run", "k", "sh", "-c", ALONE, file)
        said, child = held.line().split()
        self.assertEqual(said, "in")
        for _ in range(ROUNDS):
            waiting = self.start("run", "k", "sh", "-c", ALONE, file)
            self.wait_for_line("k", 1)
            held.signal(signal.SIGKILL)
            said, child_of_the_next = waiting.line().split()
            self.assertEqual(said, "in", "two ran at the same time")
            self.assertTrue(has_ended(int(child)))
            held.finish()
            held, child = waiting, child_of_the_next

    def test_nothing_is_left_behind(self) -> None:
        running = self.start("run", "k", "sh", "-c", "echo in; exec sleep 1000")
        running.expect("in")
        running.signal(signal.SIGKILL)
        eventually(lambda: self.observer.counters()["connections"] == 1, 20, "its connection has ended")
        self.assertEqual(running.rest(), "")  # nobody has its stdout any more
