"""Completion in bash and zsh as their users have it: typed into the shell at a terminal, Tab and all."""

from __future__ import annotations

import contextlib
import os
import re
import select
import shutil
import socket
import threading
import time
from pathlib import Path

from client import TIME_SCALE
from lockctl import LOCKCTL
from terminal_test import TerminalTestCase

COMPLETION = Path(__file__).parent.parent / "completion"
TAB = b"\t"
NASTY_KEYS = ["$(touch x)", "`touch x`", "a b", "it's", 'say "no"', "semi;colon", "back\\slash", "st*r", "a:b:c", "x=y",
              "~", "#1", "é", "[x]", "wow!", "{a,b}"]


class ShellTestCase(TerminalTestCase):
    """A subclass starts its shell; `show` prints what a completed line would run."""

    def setUp(self) -> None:
        super().setUp()
        self.folder = self.temporary_directory()
        (self.folder / "lockctl").symlink_to(LOCKCTL)
        show = self.folder / "show"
        show.write_text('#!/bin/sh\nfor word; do printf "<%s>" "$word"; done\necho " done"\n', encoding="utf-8")
        show.chmod(0o755)
        self.seen = b""

    def settle(self, pattern: str) -> str:
        """Until what the shell has written matches; returns it."""
        deadline = time.monotonic() + 20 * TIME_SCALE
        while not (matched := re.search(pattern, self.seen.decode(errors="replace"))):
            ready, _, _ = select.select([self.master], [], [], max(0.0, deadline - time.monotonic()))
            self.assertTrue(ready, f"nothing like {pattern!r} in {self.seen!r}")
            self.seen += os.read(self.master, 65536)
        self.seen = b""
        return matched.group(0)

    def completed(self, typed: str) -> str:
        """What the words are once Tab and Enter were typed behind them. (`show` stands in for lockctl: an alias that
        is put in front only when the line is executed.)"""
        self.type(typed.encode() + TAB + b"\n")
        return self.settle(r"(<[^\r\n]*>)+(?= done)")


class CompletionTestCase(ShellTestCase):
    """The tests of both shells."""

    def setUp(self) -> None:
        if type(self) is CompletionTestCase:
            self.skipTest("each shell has its own")
        super().setUp()

    def check(self, typed: str, expected: str) -> None:
        self.assertEqual(self.completed(typed), expected, typed)

    def check_option(self, typed: str, expected: str) -> None:
        """zsh offers = behind an option with a value, and takes it back where a blank follows."""
        self.assertEqual(self.completed(typed).replace("=>", ">"), expected, typed)

    def test_commands_and_options(self) -> None:
        self.check("lockctl insp", "<inspect>")
        self.check_option("lockctl run --conf", "<run><--conflict-exit-code>")
        self.check("lockctl list --ke", "<list><--keys>")
        self.check("lockctl help insp", "<help><inspect>")

    def test_all_options_of_all_commands(self) -> None:
        """Those that --help shows, and no others that begin like them."""
        for command in "run", "get", "inspect", "list", "who", "stats", "ping", "version", "top", "bench", "help":
            options = re.findall(r"^ +(?:-\w, )?(--[\w-]+)", self.lockctl(command, "--help").stdout, re.MULTILINE)
            self.assertIn("--server", options)
            for option in options:
                self.check_option(f"lockctl {command} {option}", f"<{command}><{option}>")

    def test_the_command_behind_a_key(self) -> None:
        """Its name and its files, with -- or without, as if it stood alone."""
        (self.folder / "a_program").symlink_to("/bin/true")
        (self.folder / "a_file").touch()
        for ahead, words in ("lockctl run k -- ", "<run><k><-->"), ("lockctl run -n k ", "<run><-n><k>"):
            self.check(f"{ahead}a_prog", f"{words}<a_program>")
            self.check(f"{ahead}cat a_f", f"{words}<cat><a_file>")
            self.check(f"{ahead}cat -n a_f", f"{words}<cat><-n><a_file>")

    def test_the_command_behind_a_key_with_colons(self) -> None:
        (self.folder / "a_program").symlink_to("/bin/true")
        self.check("lockctl run a:b -- a_prog", "<run><a:b><--><a_program>")

    def test_keys(self) -> None:
        self.hold("nightly-report")
        self.check("lockctl inspect ni", "<inspect><nightly-report>")
        self.check("lockctl run -n -w 5 ni", "<run><-n><-w><5><nightly-report>")
        self.check("lockctl run --wait=5 --name a ni", "<run><--wait=5><--name><a><nightly-report>")

    def test_keys_of_another_server(self) -> None:
        other = self.daemon()
        self.connect(other).expect("g elsewhere", "1 Lock Get Success: elsewhere")
        uri = other.uris[0]
        self.check(f"lockctl --server {uri} inspect else", f"<--server><{uri}><inspect><elsewhere>")
        self.check(f"lockctl --server={uri} inspect else", f"<--server={uri}><inspect><elsewhere>")
        self.check(f"lockctl inspect --server {uri} else", f"<inspect><--server><{uri}><elsewhere>")

    def test_no_key_is_executed_or_expanded(self) -> None:
        for key in NASTY_KEYS:
            holder = self.hold(key)
            self.check("lockctl inspect ", f"<inspect><{key}>")
            holder.expect(f"r {key}", f"1 Lock Release Success: {key}")
        self.assertFalse((self.folder / "x").exists())

    def test_a_server_that_is_down(self) -> None:
        self.server.stop()
        self.check("lockctl inspect ni", "<inspect><ni>")

    def test_a_server_that_never_comes_to_an_end(self) -> None:
        """It is there, and then sends byte by byte."""
        def serve(listener: socket.socket) -> None:
            connection, _ = listener.accept()
            with connection, contextlib.suppress(OSError):
                connection.recv(100)
                connection.sendall(b"1 pong\n")
                while True:
                    connection.sendall(b"x")
                    time.sleep(0.01)

        with socket.create_server(("127.0.0.1", 0)) as listener:
            listener.settimeout(60)
            server = threading.Thread(target=serve, args=(listener,))
            server.start()
            uri = f"tcp://127.0.0.1:{listener.getsockname()[1]}"
            self.check(f"lockctl --server {uri} inspect ni", f"<--server><{uri}><inspect><ni>")
            server.join()

    def test_within_quotes(self) -> None:
        self.hold("$(touch x) it")
        self.check("lockctl inspect '$(to", "<inspect><$(touch x) it>")
        self.check('lockctl inspect "\\$(to', "<inspect><$(touch x) it>")
        self.assertFalse((self.folder / "x").exists())


class Bash(CompletionTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.run_on_terminal("bash", "--norc", "-i")
        self.type(b"bind 'set enable-bracketed-paste off'; bind 'set bell-style none'\n")
        self.type(b"set +H; shopt -s expand_aliases\n")
        self.type(f"cd {self.folder}; PATH=$PWD:$PATH; . {COMPLETION}/lockctl.bash; alias lockctl=show\n".encode())
        self.type(b"show ready; complete -F _lockctl_real lockctl; _lockctl_real() { _lockctl ./lockctl; }\n")
        self.settle("<ready> done")


class Zsh(CompletionTestCase):
    def setUp(self) -> None:
        if not shutil.which("zsh"):
            self.skipTest("no zsh here")
        super().setUp()
        self.run_on_terminal("zsh", "-f", "-i")
        self.type(f"cd {self.folder}; PATH=$PWD:$PATH; fpath=({COMPLETION} $fpath); PS1=; unsetopt beep\n".encode())
        self.type(b"autoload -Uz compinit; compinit -u -D; setopt no_auto_menu; unset zle_bracketed_paste\n")
        self.type(b"zle_execute() { BUFFER=${BUFFER/#lockctl/show}; zle .accept-line }\n")
        self.type(b"zle -N accept-line zle_execute\n")
        self.type(b"show ready\n")
        self.settle("<ready> done")
