"""What lockctl makes of servers that refuse, that go in the middle of it, or that are none."""

from __future__ import annotations

import contextlib
import socket
import threading

from lockctl import LockctlTestCase

Answers = dict[str, list[str]]

HELLO = {"ping": ["1 pong"], "iam": ["1 ok"]}
TAKES_K = HELLO | {"gw": ["1 Lock Get Success: k"], "t": ["7 Lock Token: k"]}


def talk(listener: socket.socket, answers: Answers) -> None:
    """With one client: answers each line by its first word, and goes at one to which there is no answer (any more)."""
    left = {word: list(lines) for word, lines in answers.items()}
    connection, _ = listener.accept()
    with connection, connection.makefile("rb") as requests, contextlib.suppress(OSError):
        for request in requests:
            word = request.decode().split()[0]
            if not left.get(word):
                return
            connection.sendall(left[word].pop(0).encode() + b"\n")


class Script(LockctlTestCase):
    """A server that plays one."""

    def serve(self, answers: Answers) -> str:
        listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(listener.close)
        thread = threading.Thread(target=talk, args=(listener, answers))
        thread.start()
        self.addCleanup(thread.join)
        return f"tcp://127.0.0.1:{listener.getsockname()[1]}"

    def check(self, answers: Answers, *command: str, status: int, says: str) -> None:
        self.expect_refusal("--server", self.serve(answers), *command, status=status, says=says)

    def test_it_goes_after_its_hello(self) -> None:
        for command in ["ping"], ["list"], ["who"], ["stats"], ["version"], ["inspect", "k"], ["inspect", "-s", "k"], \
                ["top"], ["bench", "-C", "1"], ["get", "k"], ["run", "k", "echo", "ran"]:
            with self.subTest(command=command):
                self.check(HELLO, *command, status=69, says="onnection")

    def test_it_goes_later(self) -> None:
        self.check(HELLO | {"iw": ["0 Lock Waiters: k"]}, "inspect", "-x", "k", status=69, says="onnection")
        self.check(HELLO | {"siw": ["0 Shared Lock Waiters: k"]}, "inspect", "-s", "k", status=69, says="onnection")
        self.check(HELLO | {"version": ["1 lockd 1.2.3"]}, "top", status=69, says="onnection")

    def test_it_goes_while_it_is_measured(self) -> None:
        """There are no figures of half of it."""
        answers = {"ping": ["1 pong"] * 50, "version": ["1 lockd 1.2.3"]}
        self.check(answers, "bench", "-C", "1", status=69, says="onnection")

    def test_it_says_no(self) -> None:
        """There are as many exit statuses as there are things to do about it, and nothing is run."""
        for answer, status, says in (
            ("0 Lock Get Deadlock: k", 9, "would close a circle of clients"),
            ("0 Lock Get Canceled: k", 9, "is not waited for any more"),
            ("0 Too Many Locks: k", 9, "one more than a client of this server may hold"),
            ("0 Out Of Tokens: k", 9, "the server has no token for it"),
            ("0 disabled", 76, "disabled on the server"),
            ("0 Unknown Command: gw", 76, 'the server says "0 Unknown Command: gw"'),
            ("0 Bad Arguments: gw", 76, 'the server says "0 Bad Arguments: gw"'),
            ("1 Lock Get Success: another", 76, "this is no reply of lockd"),
            ("220 mail.example ESMTP", 76, "has to name a lockd"),
            ("0 Too Many Connections", 69, "has too many connections"),
        ):
            with self.subTest(answer=answer):
                self.check(HELLO | {"gw": [answer]}, "run", "-E", "9", "k", "echo", "ran", status=status, says=says)

    def test_who_waits_for_ever_waits_on_after_the_longest_wait(self) -> None:
        answers = TAKES_K | {"gw": ["0 Lock Get Timeout: k"] * 2 + TAKES_K["gw"], "r": ["1 Lock Release Success: k"]}
        self.expect_output("--server", self.serve(answers), "run", "k", "echo", "ran", stdout="ran\n")

    def test_a_lock_without_a_token_is_of_no_use(self) -> None:
        self.check(HELLO | {"gw": TAKES_K["gw"]}, "run", "k", "echo", "ran", status=69, says="onnection")
        answers = TAKES_K | {"t": ["0 Lock Not Held: k"]}
        self.check(answers, "run", "-E", "9", "k", "echo", "ran", status=9, says="is not held by this client")

    def test_it_does_not_take_the_lock_back(self) -> None:
        """That is told, whatever became of the command: somebody else may have held it meanwhile."""
        for command in ["run", "-E", "9", "k", "true"], ["get", "-E", "9", "k"]:
            answers = TAKES_K | {"r": ["0 Lock Release Failure: k"]}
            finished = self.lockctl("--server", self.serve(answers), *command)
            self.assertRegex(finished.stderr, r"\Alockctl: [^\n]*is not held by this client\n\Z")
            self.assertEqual(finished.returncode, 9)
