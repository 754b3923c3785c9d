"""The clients of a daemon under torture, and what they were told: the oracle.

Each reply is compared with the law. A connection may be ended by the fault, one at most, as long as the process lives;
what it held is free then. When the fault is over a newcomer finds the server to agree with all that the others know.
"""

from __future__ import annotations

import json
import select
import socket
from collections.abc import Iterable

from client import as_bytes, connected_socket, reset
from law import Law
from victim import PATIENCE_SECONDS, Finding, Victim, eventually


class Ended(Exception):
    """A connection is at its end."""


class Gone(Exception):
    """Nobody answers any more: the process has to be at its end."""


class Party:
    """One connection."""

    def __init__(self, name: str, uri: str, receive_buffer_bytes: int | None = None) -> None:
        self.name = name
        self.alive = True
        self.socket: socket.socket = connected_socket(uri, receive_buffer_bytes)
        host, port = self.socket.getsockname()
        self.address = f"{host}:{port}"
        self._buffer = b""
        self._is_closed = False  # by the server, and that has been heard

    def send(self, text: str) -> None:
        """Whole lines, and perhaps the beginning of one."""
        self._send(as_bytes(text))

    def _send(self, data: bytes) -> None:
        try:
            self.socket.sendall(data)
        except OSError:
            pass  # the reply tells

    def half_close(self) -> None:
        try:
            self.socket.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # it has ended

    def has_input(self, seconds: float = 0.0) -> bool:
        return bool(self._buffer) or bool(select.select([self.socket], [], [], seconds)[0])

    def is_over(self) -> bool:
        """Whether its end is the next that it hears, and is there."""
        while not self._buffer and not self._is_closed and self.has_input():
            self._listen()
        return self._is_closed and not self._buffer

    def line(self) -> str:
        while b"\n" not in self._buffer:
            if self._is_closed:
                raise Ended
            if not select.select([self.socket], [], [], PATIENCE_SECONDS)[0]:
                raise Finding(f"{self.name} gets no reply, but {self._buffer[-80:]!r}")
            self._listen()
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line.decode()

    def _listen(self) -> None:
        """Takes what has come; waits for it where nothing has."""
        try:
            chunk = self.socket.recv(1 << 16)
        except OSError:
            chunk = b""
        self._is_closed = self._is_closed or not chunk
        self._hear(chunk)

    def _hear(self, chunk: bytes) -> None:
        """Adds to the buffer what that says in lines."""
        self._buffer += chunk


class World:
    """All parties of one run."""

    def __init__(self, victim: Victim, uri: str, kind: type[Party] = Party) -> None:
        self.victim = victim
        self.uri = uri
        self._kind = kind
        self.law = Law()
        self.parties: dict[str, Party] = {}
        self.lost: list[str] = []  # connections that ended without being asked to
        self.orphans = {"x": [0, 0], "s": [0, 0]}  # at least, at most
        self._tokens: dict[tuple[str, str], tuple[int, int]] = {}  # key -> which grant, its token

    # ---- connections ----

    def connect(self, name: str, receive_buffer_bytes: int | None = None) -> Party:
        try:
            party = self._kind(name, self.uri, receive_buffer_bytes)
        except OSError as error:
            raise Gone(f"{name} finds nobody: {error}") from error
        self.parties[name] = party
        return party

    def live(self) -> list[Party]:
        return [party for party in self.parties.values() if party.alive]

    def at_leisure(self) -> list[Party]:
        return [party for party in self.live() if not self.law.waits(party.name)]

    def lose(self, party: Party, unsure: Iterable[tuple[str, str]] = ()) -> None:
        """It has ended, and was not to. `unsure`: what it may have held or released."""
        self.lost.append(party.name)
        self.end(party, unsure)

    def end(self, party: Party, unsure: Iterable[tuple[str, str]] = ()) -> None:
        """By anybody's will, and its other end knows."""
        held = self.law.held(party.name)
        for kind, _ in held | set(unsure):
            self.orphans[kind][1] += 1
        for kind, _ in held - set(unsure):
            self.orphans[kind][0] += 1
        party.alive = False
        party.socket.close()
        self.law.end(party.name)
        self.bring_wakeups()

    def leave(self, name: str, by_reset: bool = False) -> None:
        """The client's will, in the middle of whatever it does. Its waiters hear of it; nobody else may yet."""
        party = self.parties[name]
        if not party.alive:
            return
        reset(party.socket) if by_reset else party.socket.close()
        self.end(party)

    # ---- requests ----

    def ask(self, name: str, *requests: str) -> None:
        """Requests in one packet, and their replies. Who has to wait is in line when this returns."""
        party = self.parties[name]
        if not party.alive or (self.law.waits(name) and requests[0] != "cancel"):
            return
        held = [self.law.held(name)]
        owed: list[str] = []
        for request in requests:
            owed += self.law.execute(name, request)
            held.append(self.law.held(name))
        party.send("".join(request + "\n" for request in requests))
        self.hear(party, owed, set.union(*held) - set.intersection(*held))
        self.bring_wakeups()
        if party.alive and self.law.waits(name):
            self._until_in_line(party)

    def time_out(self, name: str) -> None:
        """A short wait, awaited."""
        party = self.parties[name]
        if party.alive and self.law.waits(name):
            self.hear(party, [self.law.time_out(name)])
            self.bring_wakeups()

    def bring_wakeups(self) -> None:
        while self.law.woken:
            name, reply = self.law.woken.pop(0)
            party = self.parties[name]
            if party.alive:
                self.hear(party, [reply])

    def hear(self, party: Party, owed: list[str], unsure: Iterable[tuple[str, str]] = ()) -> None:
        """The replies that it is owed. Where it ends before, what it asked for may have been done or not."""
        try:
            for reply in owed:
                self._compare(party, party.line(), reply)
        except Ended:
            self.lose(party, unsure)

    def _compare(self, party: Party, line: str, reply: str) -> None:
        if reply.startswith("# "):
            number, _, rest = line.partition(" ")
            if number.isdigit() and rest == reply[2:]:
                return self._check_token(party, rest, int(number))
        if line != reply:
            raise Finding(f"{party.name} is told {line!r}, not {reply!r}")
        return None

    def _check_token(self, party: Party, rest: str, token: int) -> None:
        at = ("s" if rest.startswith("Shared") else "x", rest.partition(": ")[2])
        grant = self.law.places[at].grants[party.name]
        last_grant, last_token = self._tokens.get(at, (0, 0))
        if (token == last_token) if grant != last_grant else (token != last_token):
            raise Finding(f"grant {grant} of {at} has token {token}, grant {last_grant} {last_token}")
        if (grant > last_grant) != (token > last_token):
            raise Finding(f"tokens of {at} do not grow: {token} and {last_token}")
        self._tokens[at] = max((grant, token), (last_grant, last_token))

    def highest_token(self) -> int:
        return max((token for _, token in self._tokens.values()), default=0)

    def _until_in_line(self, party: Party) -> None:
        place = self.law.waits(party.name)
        assert place is not None
        verb = "iw" if place.kind == "x" else "siw"
        wanted = self.law.execute("", f"{verb} {place.key}")[0]

        def is_in_line() -> bool:
            if party.has_input():  # its time was up already, or it has ended
                return True
            onlookers = self.at_leisure()
            if not onlookers:
                return True
            onlooker = onlookers[0]
            onlooker.send(f"{verb} {place.key}\n")
            try:
                return onlooker.line() == wanted
            except Ended:
                self.lose(onlooker)
                return True

        eventually(is_in_line, f"{party.name} is in the line of {place.key}")
        if party.alive and party.is_over():
            self.lose(party)

    # ---- looking ----

    def listing(self, party: Party, request: str, end: str = "1 pong") -> list[str]:
        party.send(request + "\n" + ("ping\n" if end == "1 pong" else ""))
        lines = []
        while (line := party.line()) != end:
            lines.append(line)
        return lines

    def look_around(self, party: Party) -> None:
        """All listings, against the law."""
        address = {each.name: each.address for each in self.parties.values()}
        label = address | self.law.names
        exclusive, shared = self.law.keys("x"), self.law.keys("s")
        for request, keys in (("d", exclusive), ("sd", shared)):
            same(self.listing(party, request), [f"{key}: {label[holder]}" for key in keys for holder in keys[key]])
        named = [f"{address[name]}: {text}" for name, text in self.law.names.items()]
        same(self.listing(party, "who"), named, in_order=True)
        dumps = [json.loads(line) for request in ("dump", "dump shared") for line in self.listing(party, request)]
        wanted = [{key: address[holders[0]] for key, holders in exclusive.items()},
                  {key: [address[holder] for holder in holders] for key, holders in shared.items()}]
        if dumps != wanted:
            raise Finding(f"the dumps are {dumps}, not {wanted}")
        label = {name: text.replace(" ", "\\x20") for name, text in label.items()}
        claims = []
        for line in self.listing(party, "list", "END"):
            mode, state, _, token, holder, key = line.split(" ", 5)
            claims.append(f"{mode} {state} {'0' if token == '0' else '#'} {holder} {key}")
        same(claims, [claim for place in self.law.places.values() for claim in
                      [f"{place.kind} held # {label[holder]} {place.key}" for holder in place.holders] +
                      [f"{place.kind} waiting 0 {label[waiter]} {place.key}" for waiter, _ in place.line]])

    def counters(self, party: Party, request: str = "stats", end: str = "END") -> dict[str, int]:
        lines = self.listing(party, request, end)
        return {name: int(number) for name, _, number in (line.partition(": ") for line in lines)}

    def is_settled(self, party: Party) -> bool:
        """Whether the server has noticed all ends by now."""
        return self.counters(party)["connections"] == len(self.live())

    def check_counters(self, party: Party) -> None:
        counters = self.counters(party)
        for name, number in self.counters(party, "q", "1 pong").items():
            if counters[name] != number and not name.startswith("command_"):
                raise Finding(f"q says {name}: {number}, stats say {counters[name]}")
        places = self.law.places.values()
        wanted = {"locks": len(self.law.keys("x")), "shared_locks": len(self.law.keys("s")),
                  "holders": sum(len(place.holders) for place in places),
                  "waiters": sum(len(place.line) for place in places)}
        found = {name: counters[name] for name in wanted}
        if found != wanted:
            raise Finding(f"the counters are {found}, not {wanted}")
        for kind, name in (("x", "orphans"), ("s", "shared_orphans")):
            least, most = self.orphans[kind]
            if not least <= counters[name] <= most:
                raise Finding(f"{name} are {counters[name]}, not {least} to {most}")


def same(found: list[str], wanted: list[str], in_order: bool = False) -> None:
    if (found if in_order else sorted(found)) != (wanted if in_order else sorted(wanted)):
        raise Finding(f"a listing is {found}, not {wanted}")
