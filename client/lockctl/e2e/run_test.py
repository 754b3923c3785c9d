"""lockctl run: whom it runs, when, with what environment, and how it exits."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import Any

from daemon import eventually
from lockctl import LOCKCTL, TRAPPING, LockctlTestCase, environment_of, state_of, trapping

SHOW_SIGNALS = ["grep", "^Sig[BIC]", "/proc/self/status"]
SHOW_DESCRIPTORS = [sys.executable, "-c", "import os; print(sorted(os.listdir('/proc/self/fd')))"]


class ExitStatus(LockctlTestCase):
    def test_the_commands_own(self) -> None:
        for status in 0, 1, 7, 70, 255:
            self.expect_output("run", "k", "--", "sh", "-c", f"exit {status}", stdout="", status=status)

    def test_128_and_the_signal_that_ended_it(self) -> None:
        for number in signal.SIGKILL, signal.SIGTERM, signal.SIGINT:
            self.expect_output("run", "k", "sh", "-c", f"kill -{number} $$", stdout="", status=128 + number)

    def test_a_command_that_is_not_there_or_no_program(self) -> None:
        self.expect_refusal("run", "k", "no-such-command", status=127, says="no-such-command: No such file")
        self.expect_refusal("run", "k", "./no/such", status=127, says="./no/such: No such file")
        self.expect_refusal("run", "k", "/etc/passwd", status=126, says="/etc/passwd: Permission denied")
        self.expect_refusal("run", "k", "/", status=126, says="/: Permission denied")
        self.observer.expect("i k", "0 Lock Not Locked: k")

    def test_the_lock_cannot_be_had(self) -> None:
        """As with flock, nothing is said: the status does."""
        self.hold("k")
        self.expect_output("run", "-n", "k", "echo", "ran", stdout="", status=1)
        self.expect_output("run", "-w", "0.05", "k", "echo", "ran", stdout="", status=1)
        self.expect_output("run", "-w", "0", "k", "echo", "ran", stdout="", status=1)
        self.expect_output("run", "-n", "-E", "9", "k", "echo", "ran", stdout="", status=9)
        self.expect_output("run", "-nE0", "k", "echo", "ran", stdout="", status=0)
        self.expect_output("run", "--nonblock", "other", "echo", "ran", stdout="ran\n")

    def test_the_server_is_down(self) -> None:
        self.server.stop()
        self.expect_refusal("run", "k", "echo", "ran", status=69, says="Connection refused")

    def test_a_server_that_refuses(self) -> None:
        self.server = self.daemon("--max-waiters", "1")
        self.observer = self.connect(self.server)
        self.hold("k")
        waiter = self.connect(self.server)
        waiter.send("gw 100000 k\n")
        self.wait_for_line("k", 1)
        self.expect_refusal("run", "-E", "5", "k", "echo", "ran", status=5, says="as many waiters as the server allows")


class Commands(LockctlTestCase):
    def test_no_argument_is_changed(self) -> None:
        words = ["[a,b]", "[", "]", "", "--", "-n", "--wait", "-5", "--help", "$(touch x)", "a b", "*", "'", '"', "\\"]
        expected = "".join(f"{word}\n" for word in words)
        self.expect_output("run", "k", "--", "printf", "%s\\n", *words, stdout=expected)
        self.expect_output("run", "k", "printf", "%s\\n", *words, stdout=expected)
        self.expect_output("run", "-n", "--", "k", "--", "printf", "%s\\n", *words, stdout=expected)

    def test_a_command_whose_name_looks_like_ours(self) -> None:
        self.expect_output("run", "k", "[", "a", "=", "a", "]", stdout="")
        self.expect_output("run", "k", "--", "[", "a", "=", "b", "]", stdout="", status=1)

    def test_keys_that_look_like_something_else(self) -> None:
        for key in "[a,b]", "[x]", "run", "-5", "--help", "a: b", "$(touch x)", "ключ":
            self.expect_output("run", "--", key, "sh", "-c", 'echo "$LOCKD_KEY"', stdout=f"{key}\n")

    def test_a_string_for_the_shell(self) -> None:
        self.expect_output("run", "-c", "echo $((40 + 2)) | cat", "k", stdout="42\n")
        self.expect_output("run", "k", "-c", "echo $((40 + 2)) | cat", stdout="42\n")  # flock's form
        self.expect_output("run", "-c", "exit 3", "k", stdout="", status=3)
        self.expect_output("run", "-c", "", "k", stdout="")

    def test_standard_streams_are_its_own(self) -> None:
        finished = self.lockctl("run", "k", "sh", "-c", "cat; echo err >&2", stdin=None, input="typed\n")
        self.assertEqual((finished.stdout, finished.stderr), ("typed\n", "err\n"))

    def test_environment(self) -> None:
        show = ["sh", "-c", 'echo "$LOCKD_KEY,$LOCKD_MODE,$LOCKD_TOKEN,$OTHER"; read x']
        running = self.start("run", "-s", "a key", *show, stdin=subprocess.PIPE,
                             env=os.environ | {"LOCKD_SERVER": self.uri, "LOCKD_TOKEN": "stale", "OTHER": "kept"})
        printed = running.line()
        self.observer.send("list\n")
        mode, state, _, token, _, key = self.observer.line().decode().split(" ", 5)
        self.assertEqual((mode, state, key), ("s", "held", "a key"))
        self.assertEqual(printed, f"a key,shared,{token},kept")
        self.observer.expect_lines("END")

    def test_only_the_callers_descriptors(self) -> None:
        directly = subprocess.run(SHOW_DESCRIPTORS, capture_output=True, text=True, check=True)
        self.expect_output("run", "k", *SHOW_DESCRIPTORS, stdout=directly.stdout)
        with open("/dev/null", encoding="ascii") as extra:
            finished = self.lockctl("run", "k", *SHOW_DESCRIPTORS, pass_fds=[extra.fileno()])
            self.assertIn(f"'{extra.fileno()}'", finished.stdout)

    def test_closed_streams_stay_closed(self) -> None:
        """Rather than that the socket, or anything, takes their place."""
        for stream in 0, 1, 2:
            check = ["sh", "-c", f"[ ! -e /proc/$$/fd/{stream} ]"]
            finished = self.lockctl("run", "k", *check, stdin=None, preexec_fn=lambda each=stream: os.close(each))
            self.assertEqual(finished.returncode, 0)

    def check_signals_with(self, prepare: Any) -> None:
        directly = subprocess.run(SHOW_SIGNALS, capture_output=True, text=True, check=True, preexec_fn=prepare,
                                  restore_signals=False)
        finished = self.lockctl("run", "k", *SHOW_SIGNALS, preexec_fn=prepare, restore_signals=False)
        self.assertEqual(finished.stdout, directly.stdout)

    def test_signals_as_the_caller_had_them(self) -> None:
        def unusual() -> None:
            signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1, signal.SIGALRM, signal.SIGTERM})
            for number in signal.SIGCHLD, signal.SIGHUP, signal.SIGPIPE, signal.SIGUSR2:
                signal.signal(number, signal.SIG_IGN)

        self.check_signals_with(None)
        self.check_signals_with(unusual)


class Names(LockctlTestCase):
    """What others see as the holder."""

    def holder(self, *options: str) -> str:
        running = self.start("run", *options, "k", "sh", "-c", "echo in; read x", stdin=subprocess.PIPE)
        running.expect("in")
        holder = self.lockctl("list").stdout.split()[4]
        self.assertEqual(holder.rpartition(":")[2] == str(running.pid), not options)
        running.finish()
        self.observer.expect("gw 60000 k", "1 Lock Get Success: k")
        self.observer.expect("r k", "1 Lock Release Success: k")
        return holder

    def test_user_host_and_process(self) -> None:
        self.assertRegex(self.holder(), r"\A[^@ ]+@[^@ ]+:\d+\Z")

    def test_another_name_or_none(self) -> None:
        self.assertEqual(self.holder("--name", "nightly report"), r"nightly\x20report")
        self.assertRegex(self.holder("--name", ""), r"\A127\.0\.0\.1:\d+\Z")

    def test_names_that_cannot_be_sent(self) -> None:
        for name in "a\ng stolen", " a", "a  b":
            self.expect_refusal("run", "--name", name, "k", "true", status=64, says="the name must not")
        self.observer.expect("i stolen", "0 Lock Not Locked: stolen")

    def test_a_server_that_knows_no_names(self) -> None:
        self.server = self.daemon("--no-registry")
        self.expect_output("run", "k", "echo", "ran", stdout="ran\n")
        self.expect_refusal("run", "--name", "a", "k", "echo", "ran", status=76, says="disabled")


class Timeouts(LockctlTestCase):
    def test_those_that_let_two_overlap_are_told(self) -> None:
        finished = self.lockctl("run", "--kill-after", "60", "k", "echo", "ran")
        self.assertEqual((finished.stdout, finished.returncode), ("ran\n", 0))
        self.assertRegex(finished.stderr, r"\Alockctl run: warning: [^\n]*--kill-after 60 should be less than 15 s")
        self.assertEqual(finished.stderr.count("\n"), 1)

    def test_those_that_do_not_are_not(self) -> None:
        finished = self.lockctl("run", "--peer-timeout", "2", "--kill-after", "13", "k", "echo", "ran")
        self.assertEqual((finished.stdout, finished.stderr, finished.returncode), ("ran\n", "", 0))


class Waiting(LockctlTestCase):
    def test_it_runs_when_its_turn_comes(self) -> None:
        holder = self.hold("k")
        running = self.start("run", "k", "echo", "mine")
        self.wait_for_line("k", 1)
        holder.expect("r k", "1 Lock Release Success: k")
        running.expect("mine")
        self.assertEqual(running.wait(), 0)
        self.observer.expect("i k", "0 Lock Not Locked: k")  # when it has ended, it is free already

    def test_a_signal_in_line_leaves_the_line(self) -> None:
        self.hold("k")
        for number in signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1:
            running = self.start("run", "k", "echo", "ran")
            self.wait_for_line("k", 1)
            running.signal(number)
            self.assertEqual(running.wait(), 128 + number)
            self.assertEqual(running.rest(), "")
            self.wait_for_line("k", 0)

    def test_a_hangup_that_nohup_ignores_keeps_the_place(self) -> None:
        holder = self.hold("k")
        running = self.start("run", "k", "echo", "mine",
                             preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
        self.wait_for_line("k", 1)
        running.signal(signal.SIGHUP)
        holder.expect("r k", "1 Lock Release Success: k")
        running.expect("mine")
        self.assertEqual(running.wait(), 0)

    def test_the_server_ends_meanwhile(self) -> None:
        self.hold("k")
        running = self.start("run", "k", "echo", "ran")
        self.wait_for_line("k", 1)
        self.server.stop()
        self.assertEqual(running.wait(), 69)
        self.assertRegex(running.stderr(), r"\Alockctl: [^\n]*\n\Z")

    def test_shared_locks(self) -> None:
        first = self.start("run", "-s", "k", "sh", "-c", "echo in; read x", stdin=subprocess.PIPE)
        first.expect("in")
        self.expect_output("run", "-s", "k", "echo", "too", stdout="too\n")
        self.expect_output("run", "-x", "-n", "k", "echo", "another space", stdout="another space\n")
        self.expect_output("run", "-s", "-n", "--max", "2", "k", "echo", "second", stdout="second\n")
        self.expect_output("run", "-s", "-n", "--max", "1", "k", "echo", "ran", stdout="", status=1)
        second = self.start("run", "-s", "--max=1", "k", "echo", "its turn")
        self.wait_for_line("k", 1, "siw")
        assert first.process.stdin is not None
        first.process.stdin.close()
        second.expect("its turn")
        first.process.stdin = None


class Nested(LockctlTestCase):
    def test_one_that_waits_for_itself_is_warned(self) -> None:
        running = self.start("run", "k", LOCKCTL, "run", "k", "true")
        self.wait_for_line("k", 1)
        running.signal(signal.SIGTERM)
        self.assertEqual(running.wait(), 128 + signal.SIGTERM)
        self.assertRegex(running.stderr(), r"\Alockctl run: warning: LOCKD_KEY says [^\n]*\n\Z")

    def test_one_that_gets_its_lock_is_not(self) -> None:
        self.expect_output("run", "k", LOCKCTL, "run", "other", "echo", "ran", stdout="ran\n")
        self.expect_output("run", "k", LOCKCTL, "run", "-n", "k", "echo", "ran", stdout="", status=1)
        self.expect_output("run", "-s", "k", LOCKCTL, "run", "k", "echo", "ran", stdout="ran\n")


class Signals(LockctlTestCase):
    PASSED_ON = ("SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGWINCH", "SIGCONT")

    def test_they_are_passed_on(self) -> None:
        running = self.start("run", "k", *trapping(*self.PASSED_ON))
        running.expect("ready")
        for name in self.PASSED_ON:
            running.signal(signal.Signals[name])
            running.expect(name)

    def test_what_ends_the_command_ends_lockctl(self) -> None:
        for number in signal.SIGTERM, signal.SIGHUP, signal.SIGUSR2:
            running = self.start("run", "k", "sh", "-c", "echo in; exec sleep 1000")
            running.expect("in")
            running.signal(number)
            self.assertEqual((running.wait(), running.stderr()), (128 + number, ""))
            self.observer.expect("i k", "0 Lock Not Locked: k")

    def test_what_the_command_sends_to_its_group_comes_once(self) -> None:
        """As `kill 0` in a script: lockctl is in that group, too."""
        script = TRAPPING.replace("while True", "import os; os.kill(0, signal.SIGTERM)\nwhile True")
        running = self.start("run", "k", sys.executable, "-c", script, "SIGTERM", "SIGUSR2")
        running.expect("ready", "SIGTERM")
        for _ in range(2):  # passed on behind whatever else there was
            running.signal(signal.SIGUSR2)
            running.expect("SIGUSR2")

    def test_a_script_of_the_same_group_can_end_it(self) -> None:
        """`kill $!`: the sender is in lockctl's group, but has sent it to lockctl alone."""
        script = f'"{LOCKCTL}" run k sh -c "echo in; exec sleep 1000" & read x; kill $!; wait $!; echo "status $?"'
        shell = subprocess.Popen(["sh", "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                 env=environment_of(self.uri), start_new_session=True)
        self.addCleanup(shell.wait)
        self.addCleanup(shell.kill)
        assert shell.stdin is not None and shell.stdout is not None
        self.addCleanup(shell.stdout.close)
        self.assertEqual(shell.stdout.readline(), "in\n")
        with shell.stdin:
            shell.stdin.write("go on\n")
        self.assertEqual(shell.stdout.readline(), "status 143\n")

    def test_no_signal_has_to_wait_for_a_server_that_hangs(self) -> None:
        """When the command has ended and the server does not take the lock back, lockctl still ends at once."""
        running = self.start("run", "k", "sh", "-c", "echo $$; read x; exit 3", stdin=subprocess.PIPE)
        child = int(running.line())
        os.kill(self.server.pid, signal.SIGSTOP)
        self.addCleanup(os.kill, self.server.pid, signal.SIGCONT)
        assert running.process.stdin is not None
        running.process.stdin.write(b"go on\n")
        running.process.stdin.flush()
        eventually(lambda: state_of(child) == "", 20, "the command has ended")
        eventually(lambda: running.signal(signal.SIGTERM) or running.process.poll() is not None, 20, "it ends")
        self.assertEqual((running.wait(), running.stderr()), (3, ""))

    def test_a_single_signal_ends_it_at_a_server_that_hangs(self) -> None:
        """With its own status, not with that of a release to which no reply comes."""
        waiting = self.start("run", "k", "sh", "-c", "echo in; exec sleep 1000")
        holding = self.start("get", "l", stdin=subprocess.PIPE)
        waiting.expect("in")
        holding.line()
        self.server.pause()
        for running in waiting, holding:
            running.signal(signal.SIGINT)
        for running in waiting, holding:
            self.assertEqual((running.wait(), running.stderr()), (130, ""))
        self.server.resume()
        for key in "k", "l":
            self.observer.expect(f"gw 60000 {key}", f"1 Lock Get Success: {key}")

    def test_who_outlives_the_command_does_not_hold_the_lock(self) -> None:
        running = self.start("run", "k", "sh", "-c", "sleep 1000 >&- 2>&- & echo $!")
        left = int(running.line())
        self.addCleanup(os.kill, left, signal.SIGKILL)
        self.assertEqual(running.wait(), 0)
        self.observer.expect("i k", "0 Lock Not Locked: k")
        eventually(lambda: self.observer.counters()["connections"] == 1, 20, "the connection is closed")
