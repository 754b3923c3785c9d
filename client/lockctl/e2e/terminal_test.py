"""lockctl run at a terminal: keys that send signals, job control, pipelines."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import shlex
import signal
import subprocess
import sys
import termios
from collections.abc import Callable

from client import LineReader
from daemon import eventually
from lockctl import LOCKCTL, LockctlTestCase, environment_of, has_ended, in_a_group_of_its_own, state_of, trapping

CTRL_C, CTRL_D, CTRL_Z, CTRL_BACKSLASH = b"\x03", b"\x04", b"\x1a", b"\x1c"


def take_terminal() -> None:
    """For a child that is the leader of a new session: stdin becomes its controlling terminal."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


# A child in a process group of its own that says who it is, waits until it is continued, then for USR1, then reads a
# line.
CHILD = """
import os, signal
os.setpgid(0, 0)
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCONT, signal.SIGUSR1})
print("pids", os.getpid(), os.getppid(), flush=True)
signal.sigwait({signal.SIGCONT})
print("continued", flush=True)
signal.sigwait({signal.SIGUSR1})
print("got", input())
"""


class TerminalTestCase(LockctlTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.master, slave = pty.openpty()
        self.addCleanup(os.close, self.master)
        self.slave = slave
        self.addCleanup(os.close, slave)
        settings = termios.tcgetattr(slave)
        settings[3] &= ~termios.ECHO  # what comes back is what was printed
        settings[1] &= ~termios.OPOST
        termios.tcsetattr(slave, termios.TCSANOW, settings)
        self.output = LineReader(self.master)

    def run_on_terminal(self, *command: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(command, stdin=self.slave, stdout=self.slave, stderr=self.slave,
                                   start_new_session=True, preexec_fn=take_terminal,
                                   env=environment_of(self.uri, PS1="", LOCKCTL=LOCKCTL, PYTHON=sys.executable,
                                                       CHILD=CHILD))
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def shell(self) -> subprocess.Popen[bytes]:
        """With job control."""
        return self.run_on_terminal("bash", "--norc", "--noediting", "-i")

    def type(self, text: bytes) -> None:
        os.write(self.master, text)

    def expect(self, *lines: str) -> None:
        for line in lines:
            self.assertEqual(self.output.line().decode(), line)

    def expect_match(self, pattern: str) -> re.Match[str]:
        """Takes lines until one matches."""
        while not (matched := re.search(pattern, self.output.line().decode())):
            pass
        return matched


class Keys(TerminalTestCase):
    def check_it_comes_once(self, name: str, act: Callable[[], None]) -> None:
        """To a command in lockctl's process group, and to one in a group of its own, as timeout(1) makes one."""
        for trap in trapping, in_a_group_of_its_own:
            process = self.run_on_terminal(LOCKCTL, "run", "k", *trap(name, "SIGUSR2"))
            self.expect("ready")
            act()
            self.expect(name)
            process.send_signal(signal.SIGUSR2)  # passed on behind whatever else there was
            self.expect("SIGUSR2")
            process.kill()
            process.wait()

    def test_ctrl_c_reaches_the_command_once(self) -> None:
        self.check_it_comes_once("SIGINT", lambda: self.type(CTRL_C))

    def test_ctrl_backslash_reaches_the_command_once(self) -> None:
        self.check_it_comes_once("SIGQUIT", lambda: self.type(CTRL_BACKSLASH))

    def test_a_new_size_reaches_the_command_once(self) -> None:
        rows = iter(range(50, 99))
        self.check_it_comes_once("SIGWINCH", lambda: termios.tcsetwinsize(self.slave, (next(rows), 132)))

    def test_nobody_is_stopped_whom_no_shell_could_continue(self) -> None:
        """Of the two signals WINCH is read last. (In a group that is orphaned the kernel itself stops nobody.)"""
        process = self.run_on_terminal(LOCKCTL, "run", "k", *in_a_group_of_its_own("SIGWINCH"))
        self.expect("ready")
        process.send_signal(signal.SIGTSTP)
        process.send_signal(signal.SIGWINCH)
        self.expect("SIGWINCH")

    def test_ctrl_c_ends_what_has_no_handler(self) -> None:
        process = self.run_on_terminal(LOCKCTL, "run", "k", "sh", "-c", "echo ready; exec sleep 1000")
        self.expect("ready")
        self.type(CTRL_C)
        self.assertEqual(process.wait(), 130)

    def test_the_end_of_the_terminal_ends_the_command(self) -> None:
        """Of a session whose leader lockctl is, as with `ssh -t`: the kernel tells it alone."""
        process = self.run_on_terminal(LOCKCTL, "run", "k", "sh", "-c", "echo ready; exec sleep 1000")
        self.expect("ready")
        with open(os.devnull, "rb") as null:
            for end in self.slave, self.master:
                os.dup2(null.fileno(), end)
        self.assertEqual(process.wait(), 129)
        self.observer.expect("gw 60000 k", "1 Lock Get Success: k")

    def test_ctrl_c_in_line(self) -> None:
        self.hold("k")
        process = self.run_on_terminal(LOCKCTL, "run", "k", "echo", "ran")
        self.wait_for_line("k", 1)
        self.type(CTRL_C)
        self.assertEqual(process.wait(), 130)
        self.wait_for_line("k", 0)

    def test_the_command_reads_the_terminal(self) -> None:
        process = self.run_on_terminal(LOCKCTL, "run", "k", "sh", "-c", "read x; echo got $x")
        self.type(b"typed\n")
        self.expect("got typed")
        self.assertEqual(process.wait(), 0)


class Jobs(TerminalTestCase):
    def test_ctrl_z_stops_both_and_fg_resumes_both(self) -> None:
        shell = self.shell()
        self.type(b'"$LOCKCTL" run k sh -c \'echo pids $$ $PPID; read x; echo got $x; exec sleep 1000\'\n')
        child, lockctl = map(int, self.expect_match(r"pids (\d+) (\d+)").groups())
        self.type(CTRL_Z)
        for pid in child, lockctl:
            eventually(lambda each=pid: state_of(each) == "T", 20, "it is stopped")
        self.observer.expect("i k", "1 Lock Is Locked: k")
        self.type(b"fg\n")
        for pid in child, lockctl:
            eventually(lambda each=pid: state_of(each) == "S", 20, "it goes on")
        self.type(b"typed\n")
        self.expect_match("got typed")
        self.type(CTRL_C)
        self.type(b"echo status $?\n")
        self.expect_match("status 130")
        self.type(CTRL_D)
        self.assertEqual(shell.wait(), 0)

    def expect_stop(self, *pids: int) -> None:
        for pid in pids:
            eventually(lambda each=pid: state_of(each) == "T", 20, "it is stopped")

    def test_ctrl_z_stops_a_command_in_a_group_of_its_own(self) -> None:
        """lockctl alone must not stop: then the command would run on, and nobody would notice that the lock is lost.
        And the terminal stays with the rest of the job, until the command wants to read from it."""
        self.shell()
        self.type(b'sh -c \'"$LOCKCTL" run k "$PYTHON" -c "$CHILD"; read x; echo then $x\'\n')
        child, lockctl = map(int, self.expect_match(r"pids (\d+) (\d+)").groups())
        self.type(CTRL_Z)
        self.expect_stop(child, lockctl)
        self.type(b"fg\n")
        self.expect_match(r"\Acontinued")
        self.assertEqual(os.tcgetpgrp(self.master), os.getpgid(lockctl))
        os.kill(child, signal.SIGUSR1)
        self.expect_stop(child, lockctl)  # as who reads in the background is; the script with its next key
        self.type(CTRL_Z + b"fg\n")
        eventually(lambda: os.tcgetpgrp(self.master) == child, 20, "the command has the terminal")
        self.type(b"typed\n")
        self.expect_match(r"\Agot typed")
        self.type(b"more\n")
        self.expect_match(r"\Athen more")
        self.observer.expect("gw 60000 k", "1 Lock Get Success: k")

    def test_who_reads_beside_a_command_does_not_stop_lockctl(self) -> None:
        """In the background, and so the kernel stops the whole process group; the command is in another one."""
        self.shell()
        self.type(b'"$LOCKCTL" run k "$PYTHON" -c "$CHILD" | sh -c \'read x; echo $x $$; cat /dev/tty\' &\n')
        child, _, reader = map(int, self.expect_match(r"pids (\d+) (\d+) (\d+)").groups())
        self.expect_stop(reader)
        self.server.kill()
        self.expect_match("the lock was lost")
        eventually(lambda: has_ended(child), 20, "the command has ended")

    def test_ctrl_z_does_not_stop_lockctl_where_the_command_runs_on(self) -> None:
        """Were it stopped, it would not notice that the lock is lost."""
        self.shell()
        self.type(b'"$LOCKCTL" run k ' + shlex.join(trapping("SIGTSTP")).encode() + b"\n")
        self.expect_match("ready")
        self.type(CTRL_Z)
        self.expect_match("SIGTSTP")
        self.server.kill()
        self.expect_match("the lock was lost")
        self.type(b"echo status $?\n")
        self.expect_match("status 70")

    def check_stop_and_fg(self, line: bytes) -> None:
        """Of a command that prints its pid and lockctl's, stops itself, and reads a line once it is continued."""
        self.type(line)
        child, lockctl = map(int, self.expect_match(r"pids (\d+) (\d+)").groups())
        for pid in child, lockctl:
            eventually(lambda each=pid: state_of(each) == "T", 20, "it is stopped")
        self.type(b"echo 'the shell '$?\n")
        self.expect_match("the shell 148")  # 128 + TSTP
        self.observer.expect("i k", "1 Lock Is Locked: k")
        self.type(b"fg\n")
        for pid in child, lockctl:
            eventually(lambda each=pid: state_of(each) == "S", 20, "it goes on")

    def test_a_command_that_stops_itself_gives_the_terminal_back(self) -> None:
        """As less does at Ctrl-Z."""
        self.shell()
        self.check_stop_and_fg(b'"$LOCKCTL" run k sh -c \'echo pids $$ $PPID; kill -STOP $$; read x; echo got $x\'\n')
        self.type(b"typed\n")
        self.expect_match("got typed")
        self.observer.expect("gw 60000 k", "1 Lock Get Success: k")

    def test_a_shell_that_suspends_itself_gives_the_terminal_back(self) -> None:
        """It has a process group of its own, which has the terminal."""
        self.shell()
        self.type(b'"$LOCKCTL" run k bash --norc --noediting -i\n')
        for _ in range(2):
            self.check_stop_and_fg(b"echo pids $$ $PPID; suspend\n")
            self.type(b"read x; echo got $x\n")
            self.type(b"typed\n")
            self.expect_match("got typed")
        self.type(b"sh -c 'echo ready; exec sleep 1000'\n")
        self.expect_match("ready")
        self.type(CTRL_C + b"echo inner $?\n")
        self.expect_match("inner 130")
        self.type(b"exit 7\n")
        self.type(b"echo outer $?\n")
        self.expect_match("outer 7")

    def test_without_a_shell_lockctl_does_not_stop_with_its_command(self) -> None:
        """Nobody would continue it, nor see to the command's end if the lock is lost."""
        process = self.run_on_terminal(LOCKCTL, "run", "k", "sh", "-c", "echo $$; kill -STOP $$; echo on; read x")
        child = int(self.output.line())
        eventually(lambda: state_of(child) == "T", 20, "it is stopped")
        self.server.kill()
        self.expect_match("the lock was lost")
        self.assertEqual(process.wait(), 70)

    def test_one_started_in_the_background_comes_to_the_front(self) -> None:
        self.shell()
        self.type(b'"$LOCKCTL" run k sh -c \'read x; echo got $x\' &\nfg\n')
        self.expect_match(r"run k sh")
        self.type(b"typed\n")
        self.expect_match("got typed")

    def test_in_a_pipeline_the_command_reads_the_terminal(self) -> None:
        self.shell()
        self.type(b'"$LOCKCTL" run k sh -c \'read x; echo got $x\' | sed s/got/have/\n')
        self.type(b"typed\n")
        self.expect_match("have typed")

    def test_at_the_end_of_a_pipeline(self) -> None:
        self.shell()
        self.type(b'echo piped | "$LOCKCTL" run k sh -c \'cat; read x </dev/tty; echo got $x\'\n')
        self.expect_match("piped")
        self.type(b"typed\n")
        self.expect_match("got typed")

    def test_a_lost_lock_leaves_the_rest_of_a_script(self) -> None:
        """Which is in the same process group: the command's is not told from it by that."""
        script = '"$LOCKCTL" run k sh -c \'sleep 1000 & echo ready; wait\'; echo "status $?"'
        self.run_on_terminal("sh", "-c", script)
        self.expect("ready")
        self.server.kill()
        self.expect_match("status 70")


class Get(TerminalTestCase):
    def test_it_says_what_it_waits_for(self) -> None:
        process = self.run_on_terminal(LOCKCTL, "get", "k")
        self.expect_match(r"\A\d+\Z")
        self.expect("lockctl get: holding k; the end of input (Ctrl-D) gives it back")
        self.type(CTRL_D)
        self.assertEqual(process.wait(), 0)
        self.observer.expect("i k", "0 Lock Not Locked: k")


class Progress(TerminalTestCase):
    def test_a_bar_that_is_gone_in_the_end(self) -> None:
        """(test_bench of queries_test sees that there is none elsewhere.)"""
        process = self.run_on_terminal(LOCKCTL, "bench", "-d", "0.1", "-C", "1")
        self.assertEqual(process.wait(), 0)
        bar, _, heading = self.output.line().decode().rpartition("\r\x1b[K")
        self.assertRegex(bar, r"\r\x1b\[K\[#* *\] +\d+ %  ping\r")
        self.assertTrue(heading.startswith("shape "), heading)
        for name in "ping", "get", "get", "wait", "share":
            self.assertTrue(self.output.line().decode().startswith(name))

    def test_a_bar_that_is_gone_when_a_signal_ends_it(self) -> None:
        for number in signal.SIGINT, signal.SIGTERM, signal.SIGHUP:
            process = self.run_on_terminal(LOCKCTL, "bench", "-d", "600", "-C", "1")
            drawn = b""
            while not drawn.endswith(b"ping"):
                drawn += os.read(self.master, 1)
            process.send_signal(number)
            self.assertEqual(process.wait(), -number)
            os.write(self.slave, b"$")  # a shell's
            while not drawn.endswith(b"$"):
                drawn += os.read(self.master, 1)
            self.assertTrue(drawn.endswith(b"\r\x1b[K$"), drawn)
