"""What the protocol lets the server answer, as far as the workload goes: who holds what, and who waits for it.

A third telling of docs/protocol.md, after the model and the engine, small because it is asked one request at a time.
"""

from __future__ import annotations

from dataclasses import dataclass, field

WORDS = {"x": "Lock", "s": "Shared Lock"}


@dataclass(eq=False)
class Place:
    """One key of one kind."""

    kind: str
    key: str
    holders: list[str] = field(default_factory=list)
    line: list[tuple[str, int]] = field(default_factory=list)  # who waits, and the LIMIT that he waits with
    grants: dict[str, int] = field(default_factory=dict)  # holder -> how many grants of this key there were by then
    granted: int = 0

    def has_room(self, limit: int) -> bool:
        return len(self.holders) < (1 if self.kind == "x" else limit)

    def grant(self, party: str) -> None:
        self.holders.append(party)
        self.granted += 1
        self.grants[party] = self.granted

    def success(self) -> str:
        return f"{len(self.holders)} {WORDS[self.kind]} Get Success: {self.key}"


class Law:
    """Parties are named by the caller. Whom a request lets through, and with what reply, `woken` says."""

    def __init__(self) -> None:
        self.places: dict[tuple[str, str], Place] = {}
        self.names: dict[str, str] = {}  # in the order of setting
        self.woken: list[tuple[str, str]] = []

    def place(self, kind: str, key: str) -> Place:
        return self.places.setdefault((kind, key), Place(kind, key))

    def held(self, party: str) -> set[tuple[str, str]]:
        return {at for at, place in self.places.items() if party in place.holders}

    def waits(self, party: str) -> Place | None:
        return next((p for p in self.places.values() if any(party == waiter for waiter, _ in p.line)), None)

    def keys(self, kind: str) -> dict[str, list[str]]:
        return {key: place.holders for (k, key), place in self.places.items() if k == kind and place.holders}

    def execute(self, party: str, request: str) -> list[str]:
        """The replies, one at most: none where the request has to wait. `# ` begins a reply with a token."""
        verb, _, rest = request.partition(" ")
        return list(getattr(self, f"_{verb}")(party, rest))

    def time_out(self, party: str) -> str:
        return self._leave(party, "Timeout")

    def end(self, party: str) -> None:
        if self.waits(party):
            self._leave(party, "Canceled")
        self.names.pop(party, None)
        self._free_all(party)

    # ---- the verbs ----

    def _get(self, party: str, place: Place, limit: int, waits: bool, refusal: str) -> list[str]:
        if party not in place.holders:
            if not place.has_room(limit) or place.line:
                if waits:
                    place.line.append((party, limit))
                    return []
                return [f"0 {WORDS[place.kind]} Get {refusal}: {place.key}"]
            place.grant(party)
        return [place.success()]

    def _g(self, party: str, key: str) -> list[str]:
        return self._get(party, self.place("x", key), 1, False, "Failure")

    def _gw(self, party: str, rest: str) -> list[str]:
        milliseconds, key = rest.split(" ", 1)
        return self._get(party, self.place("x", key), 1, int(milliseconds) > 0, "Timeout")

    def _sg(self, party: str, key: str) -> list[str]:
        place = self.place("s", key)
        if party not in place.holders:
            place.grant(party)
        return [place.success()]

    def _sgl(self, party: str, rest: str) -> list[str]:
        limit, key = rest.split(" ", 1)
        return self._get(party, self.place("s", key), int(limit), False, "Failure")

    def _sgw(self, party: str, rest: str) -> list[str]:
        limit, milliseconds, key = rest.split(" ", 2)
        return self._get(party, self.place("s", key), int(limit), int(milliseconds) > 0, "Timeout")

    def _release(self, party: str, kind: str, key: str) -> list[str]:
        place = self.place(kind, key)
        held = party in place.holders
        if held:
            self._free(place, party)
        return [f"{int(held)} {WORDS[kind]} Release {'Success' if held else 'Failure'}: {key}"]

    def _r(self, party: str, key: str) -> list[str]:
        return self._release(party, "x", key)

    def _sr(self, party: str, key: str) -> list[str]:
        return self._release(party, "s", key)

    def _ra(self, party: str, _: str) -> list[str]:
        return [f"{self._free_all(party)} Locks Released"]

    def _look(self, kind: str, key: str) -> list[str]:
        count = len(self.place(kind, key).holders)
        return [f"{count} {WORDS[kind]} {'Is' if count else 'Not'} Locked: {key}"]

    def _i(self, _: str, key: str) -> list[str]:
        return self._look("x", key)

    def _si(self, _: str, key: str) -> list[str]:
        return self._look("s", key)

    def _iw(self, _: str, key: str) -> list[str]:
        return [f"{len(self.place('x', key).line)} Lock Waiters: {key}"]

    def _siw(self, _: str, key: str) -> list[str]:
        return [f"{len(self.place('s', key).line)} Shared Lock Waiters: {key}"]

    def _token(self, party: str, kind: str, key: str) -> list[str]:
        holds = party in self.place(kind, key).holders
        return [f"# {WORDS[kind]} Token: {key}" if holds else f"0 {WORDS[kind]} Not Held: {key}"]

    def _t(self, party: str, key: str) -> list[str]:
        return self._token(party, "x", key)

    def _st(self, party: str, key: str) -> list[str]:
        return self._token(party, "s", key)

    def _cancel(self, party: str, _: str) -> list[str]:
        return [self._leave(party, "Canceled"), "1 Canceled"] if self.waits(party) else ["0 Nothing To Cancel"]

    def _iam(self, party: str, name: str) -> list[str]:
        self.names.pop(party, None)
        if name:
            self.names[party] = name
        return ["1 ok"]

    def _ping(self, _party: str, _: str) -> list[str]:
        return ["1 pong"]

    # ---- what they have in common ----

    def _free(self, place: Place, party: str) -> None:
        place.holders.remove(party)
        self._hand_over(place)

    def _free_all(self, party: str) -> int:
        held = sorted(self.held(party))
        for at in held:
            self._free(self.places[at], party)
        return len(held)

    def _hand_over(self, place: Place) -> None:
        while place.line and place.has_room(place.line[0][1]):
            waiter = place.line.pop(0)[0]
            place.grant(waiter)
            self.woken.append((waiter, place.success()))

    def _leave(self, party: str, why: str) -> str:
        place = self.waits(party)
        assert place is not None
        place.line = [entry for entry in place.line if entry[0] != party]
        self._hand_over(place)
        return f"0 {WORDS[place.kind]} Get {why}: {place.key}"
