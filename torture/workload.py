"""What the clients do while calls fail, always the same, and how the server is looked over afterwards."""

from __future__ import annotations

from victim import Finding, eventually
from world import Ended, Gone, Party, World

CONNECTIONS_MAX = 9
LINE_BYTES_MAX = 256
OUTPUT_BYTES_MAX = 65536
LIMITS = ["--max-connections", str(CONNECTIONS_MAX), "--max-line-bytes", str(LINE_BYTES_MAX),
          "--max-output-bytes", str(OUTPUT_BYTES_MAX)]
LONG = 300000  # a wait that something else ends
HELPS = 100  # more bytes than sockets and bound take


def serve(world: World) -> None:
    """Most verbs, waits of every kind, ends of every kind."""
    for name in "abcd":
        world.connect(name)
        world.ask(name, "ping")
    exclusive(world)
    shared(world)
    many_at_once(world)
    hostile(world)
    ends(world)
    crowd(world)


def exclusive(world: World) -> None:
    world.ask("a", "iam first of them")
    world.ask("a", "g x", "g x", "t x", "i x")
    world.ask("b", "g x", "gw 0 x", "t x")
    world.ask("b", f"gw {LONG} x")
    world.ask("c", f"gw {LONG} x")
    world.ask("a", "r x")
    world.ask("b", "t x", "g y")
    world.ask("c", "cancel")
    world.ask("c", "gw 20 y")
    world.time_out("c")
    world.ask("c", f"gw {LONG} y")
    world.ask("b", "ra")
    world.ask("c", "iam", "i y", "cancel", "t y")


def shared(world: World) -> None:
    for name in "abc":
        world.ask(name, "sg pool", "st pool")
    world.ask("d", "sgl 3 pool", "sgl 4 pool", "si pool")
    world.ask("d", "sr pool", "sgw 3 0 pool")
    world.ask("d", f"sgw 3 {LONG} pool")
    world.ask("a", "siw pool", "sr pool")
    world.ask("a", "sgw 2 20 pool")
    world.time_out("a")
    world.ask("a", "sr pool", "si pool")


def many_at_once(world: World) -> None:
    """Tables grow, and one packet has many requests."""
    world.ask("d", *[f"g key {i}" for i in range(150)])
    world.ask("d", *[f"sg key {i}" for i in range(50)])
    world.ask("b", *[f"g key {i}" for i in range(10)], "iam second", "ra", "sg pool")
    for party in world.at_leisure()[:2]:
        look(world, party)
    world.ask("d", *[f"r key {i}" for i in range(100)])


def look(world: World, party: Party) -> None:
    try:
        world.look_around(party)
        world.check_counters(party)
    except Ended:
        world.lose(party)


def hostile(world: World) -> None:
    """A line that is too long, an unknown verb, and a client that is slow to read."""
    for party in world.at_leisure()[:1]:
        party.send("g " + LINE_BYTES_MAX * "k" + "\nnonsense\ngw a\n")
        world.hear(party, [f"0 Line Too Long: limit {LINE_BYTES_MAX} bytes", "0 Unknown Command: nonsense",
                            "0 Bad Arguments: gw MILLISECONDS KEY"])
    slow = world.connect("slow", 4096)
    world.ask("slow", "g slowly")
    if slow.alive:
        read_slowly(world, slow)


def read_slowly(world: World, slow: Party) -> None:
    slow.send(HELPS * "help\n")
    for party in world.at_leisure()[:1]:
        if party is not slow:
            world.ask(party.name, "ping")
    try:
        first = world_help(slow)
        for _ in range(HELPS - 1):
            if world_help(slow) != first:
                raise Finding("a slow reader gets other replies than asked for")
    except Ended:
        world.lose(slow)


def world_help(party: Party) -> list[str]:
    lines = []
    while (line := party.line()) != "END":
        lines.append(line)
    if len(lines) < 20:
        raise Finding(f"help is {lines}")
    return lines


def ends(world: World) -> None:
    """Half-close, reset while others wait, quit, a close."""
    world.connect("half")
    world.ask("half", "g half", "sg pool", "i half")
    world.connect("waiter")
    world.ask("waiter", f"gw {LONG} half")
    half = world.parties["half"]
    if half.alive:
        half.send("g more\ng unfinished")
        half.half_close()
        end_orderly(world, half, world.law.execute("half", "g more"))
    world.connect("gone")
    world.ask("gone", "g gone", f"gw {LONG} half")
    world.leave("gone", by_reset=True)
    quitter = world.connect("quitter")
    world.ask("quitter", "g quit", "iam quitter")
    if quitter.alive:
        quitter.send("quit\ng after\n")
        end_orderly(world, quitter, [])
    world.leave("slow")


def end_orderly(world: World, party: Party, replies: list[str]) -> None:
    """It ends, after these replies unless the fault is quicker."""
    world.hear(party, replies, world.law.held(party.name))
    if not party.alive:
        return
    try:
        raise Finding(f"{party.name} should be at its end, and is told {party.line()!r}")
    except Ended:
        world.end(party)


def settle(world: World) -> None:
    """Until the server has noticed all ends."""
    for party in world.at_leisure()[:1]:
        try:
            eventually(lambda: world.is_settled(party), "the server has noticed all ends")
        except Ended:
            world.lose(party)


def crowd(world: World) -> None:
    """As many connections as may be, and one more. A place is free when its socket is closed, a little after `stats`
    has stopped counting its session: who is refused in between comes again."""
    settle(world)
    room = CONNECTIONS_MAX - len(world.live())
    others = [world.connect(f"crowd {i}") for i in range(room + 1)]
    served = sum(is_served(world, party) for party in others)
    if served > room:
        raise Finding(f"{served} of {len(others)} are served, and there is room for {room}")

    def is_full() -> bool:
        nonlocal served
        if served < room:
            others.append(world.connect(f"crowd {len(others)}"))
            served += is_served(world, others[-1])
        return served >= room

    eventually(is_full, f"{room} newcomers are served")
    for party in others:
        world.leave(party.name)
    settle(world)


def is_served(world: World, party: Party) -> bool:
    """Or told that it can't be."""
    party.send("ping\n")
    said: list[str] = []
    try:
        said.append(party.line())
        if said == ["1 pong"]:
            return True
        said.append(party.line())
    except Ended:
        if said == ["0 Too Many Connections"]:
            world.end(party)
        else:
            world.lose(party)
    if said not in ([], ["0 Too Many Connections"]):
        raise Finding(f"a newcomer is told {said}")
    return False


def look_over(world: World, descriptors: int) -> None:
    """No call fails any more: a newcomer finds all as it must be, and in the end nothing is left."""
    newcomer = world.connect("newcomer")
    try:
        eventually(lambda: world.is_settled(newcomer), "the server has noticed all ends")
        look_at_locks(world, newcomer)
        for party in world.live():
            if party is not newcomer:
                world.leave(party.name)
        eventually(lambda: world.is_settled(newcomer), "the server has noticed that all have left")
        world.ask("newcomer", "ra")
        world.look_around(newcomer)
        world.check_counters(newcomer)
    except Ended:
        raise Gone("the newcomer's connection ends") from None
    if not newcomer.alive:
        raise Gone("the newcomer's connection ends")
    eventually(lambda: world.victim.descriptors() <= descriptors + 1, f"{descriptors + 1} descriptors are open")


def ask_in_turns(world: World, party: Party, requests: list[str]) -> None:
    for i in range(0, len(requests), 50):
        world.ask(party.name, *requests[i:i + 50])


def look_at_locks(world: World, newcomer: Party) -> None:
    """Each is held by those who were told so, and by nobody else."""
    world.look_around(newcomer)
    world.check_counters(newcomer)
    if len(world.lost) > 1:
        raise Finding(f"one fault has ended the connections of {world.lost}")
    places = list(world.law.places.values())
    ask_in_turns(world, newcomer, [f"{'i' if place.kind == 'x' else 'si'} {place.key}" for place in places])
    for party in world.live():
        held = [place for place in places if party.name in place.holders]
        ask_in_turns(world, party, [f"{'t' if place.kind == 'x' else 'st'} {place.key}" for place in held])
    ask_in_turns(world, newcomer, [f"{'g' if place.kind == 'x' else 'sgl 1'} {place.key}" for place in places])
    for party in world.live():
        if party.has_input():
            raise Finding(f"{party.name} is told {party.line()!r} without having asked")


def hold(world: World) -> None:
    """A lock of each kind, and somebody in line."""
    for name in "ab":
        world.connect(name)
    world.ask("a", "g x", "t x", "sg pool", "st pool", "iam somebody")
    world.ask("b", f"gw {LONG} x")
