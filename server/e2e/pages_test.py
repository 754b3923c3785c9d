"""What README.md and docs/ show of conversations, the daemon says: each request gets the replies shown there."""

from __future__ import annotations

import re
from pathlib import Path

from client import Client
from daemon import Daemon, DaemonTestCase, eventually

ROOT = Path(__file__).resolve().parents[2]
ARROW = re.compile(r"^ +(.*?) *-> (.*?)(?: {2,}.*)?$")
OTHERS = 20  # hold a key, as many as any limit on the pages allows
WAITS = re.compile(r"^(gw|sgw \d+) \d+")

Exchange = tuple[str, list[str]]  # a request, and the replies that it may have


def section_of(page: str, heading: str) -> str:
    return (ROOT / page).read_text().split(f"\n## {heading}\n")[1].split("\n## ")[0]


def recipes_in(text: str) -> list[list[Exchange]]:
    """Each block of lines `REQUEST -> REPLY  comment`; a line without a request is another reply to the one above."""
    blocks: list[list[Exchange]] = []
    ahead = ""
    for line in text.splitlines():
        if found := ARROW.match(line):
            request, reply = found.groups()
            if "->" not in ahead:
                blocks.append([])
            if request:
                blocks[-1].append((request, []))
            blocks[-1][-1][1].append(reply)
        ahead = line
    return blocks


def pattern_of(reply: str) -> str:
    """A yes or a no stands there as it comes; counts and tokens are others each time."""
    text = re.escape(reply)
    return f"^{text}$" if reply[:2] in ("0 ", "1 ") else "^" + re.sub(r"\d+", r"\\d+", text) + "$"


class PagesTestCase(DaemonTestCase):
    def setUp(self) -> None:
        self.server: Daemon = self.daemon()

    def client(self) -> Client:
        return self.connect(self.server)

    def check(self, client: Client, request: str, reply: str) -> None:
        client.send(f"{request}\n")
        self.assertRegex(client.line().decode(), pattern_of(reply), request)

    def wait_for_line(self, key: str) -> None:
        observer, one = self.client(), f"1 Lock Waiters: {key}".encode()
        eventually(lambda: observer.ask(f"iw {key}") == one, 20, f"somebody waits for {key}")


class Recipes(PagesTestCase):
    """Those of the cookbook and of docs/switching.md that take one client, and those that stand in its way."""

    ALONE = [("docs/cookbook.md", "A nightly job that runs once in the fleet", 3),
             ("docs/cookbook.md", "A rate limit: at most N at a time", 1),
             ("docs/cookbook.md", "A pool of at most N workers", 1),
             ("docs/cookbook.md", "A fenced write to storage", 1),
             ("docs/switching.md", "What to change in clients, one by one", 2)]

    def blocks(self) -> list[list[Exchange]]:
        found = []
        for page, heading, count in self.ALONE:
            blocks = recipes_in(section_of(page, heading))
            self.assertEqual(len(blocks), count, f"{page}: {heading}")
            found += blocks
        return found

    def test_the_first_reply_is_that_to_somebody_alone(self) -> None:
        for block in self.blocks():
            client = self.client()
            for request, replies in block:
                self.check(client, request, replies[0])
            client.ask("ra")

    def test_the_second_reply_is_that_to_somebody_who_comes_too_late(self) -> None:
        others = [self.client() for _ in range(OTHERS)]
        late = [(request, replies[1]) for block in self.blocks() for request, replies in block if len(replies) > 1]
        self.assertGreater(len(late), 5)
        for request, reply in late:
            key = request.split()[-1]
            for other in others:
                other.ask(f"sg {key}" if request.startswith("s") else f"g {key}")
            self.check(self.client(), WAITS.sub(r"\1 0", request), reply)


class Conversations(PagesTestCase):
    def test_a_pooled_connection_is_handed_back(self) -> None:
        at_rest, waiting = recipes_in(section_of("docs/cookbook.md", "Pooled connections"))
        client, other = self.client(), self.client()
        for key in "a", "b":
            client.expect(f"g {key}", f"1 Lock Get Success: {key}")
        self.check(client, *shown_once(at_rest[0]))
        other.expect("g ledger", "1 Lock Get Success: ledger")
        client.send("gw 600000 ledger\n")
        self.wait_for_line("ledger")
        (cancel, replies), then = waiting
        client.send(f"{cancel}\n")
        self.assertEqual([client.line().decode() for _ in replies], replies)
        self.check(client, *shown_once(then))

    def test_a_circle_is_refused(self) -> None:
        block, = recipes_in(section_of("docs/cookbook.md", "Two locks at once"))
        first, second = self.client(), self.client()
        second.expect("g b", "1 Lock Get Success: b")
        self.check(first, *shown_once(block[0]))
        second.send("gw 600000 a\n")
        self.wait_for_line("a")
        self.check(first, *shown_once(block[1]))

    def test_the_readme_is_tried(self) -> None:
        """Four pieces: what the first types and sees, what the second does, and again when the first has gone."""
        pieces = re.findall(r"(?:^ {4}.*\n)+", section_of("README.md", "Try it"), re.MULTILINE)
        self.assertEqual(len(pieces), 4)
        first, second = self.client(), self.client()
        self.play(first, pieces[0])
        self.play(second, pieces[1])
        first.close()
        eventually(lambda: second.ask("si pool") == b"1 Shared Lock Is Locked: pool", 20, "the first has gone")
        self.play(second, pieces[2])
        again = self.client()
        wait, reply = (line.strip() for line in pieces[3].splitlines())
        again.send(f"{wait}\n")
        self.wait_for_line("job")
        second.expect("r job", "1 Lock Release Success: job")
        self.assertEqual(again.line().decode(), reply)

    def play(self, client: Client, piece: str) -> None:
        lines = [line.strip() for line in piece.splitlines()]
        for request, reply in zip(lines[::2], lines[1::2], strict=True):
            client.expect(request, reply)


class Differences(PagesTestCase):
    """What docs/switching.md says that is said here, and with --classic is not."""

    def test_an_unknown_command(self) -> None:
        row = next(line for line in section_of("docs/switching.md", "What is different").splitlines() if "VERB" in line)
        reply = re.search(r"`(0 .*VERB)`", row)[1]
        self.client().expect("lock report", reply.replace("VERB", "lock"))
        silent = self.connect(self.daemon("--classic"))
        silent.send("lock report\n")
        silent.expect("gw 0 report", "1 Lock Get Success: report")

    def test_a_line_too_long(self) -> None:
        text = section_of("docs/switching.md", "What is different")
        reply = re.search(r"`(0 Line Too Long.*?)`", text)[1]
        self.client().expect("g " + "x" * 8191, reply)


def shown_once(exchange: Exchange) -> tuple[str, str]:
    request, (reply,) = exchange
    return request, reply
