"""Connections that hold locks and are otherwise silent: what memory and growth are measured with."""

import socket
import struct
from collections.abc import Iterable, Iterator
from itertools import islice

from servers import Failed, Server

VALUE = "1"  # what the peers keep beside a key: the least, and the same as in bench/dialect.cc
BATCH = 500  # requests that are sent before their replies are read
RST_AT_CLOSE = struct.pack("ii", 1, 0)


def key_of(number: int) -> str:
    return f"held-{number:016}"  # 21 bytes


def hostile_keys(first: int, end: int) -> list[str]:
    """As key_of() of bench/script.h has them: equal under h = 33 h + byte."""
    return ["".join("FY" if number >> place & 1 else "Ez" for place in range(10)) + "!" for number in range(first, end)]


def acquire(dialect: str, key: str) -> tuple[str, str]:
    if dialect == "lockd":
        return f"g {key}\n", f"1 Lock Get Success: {key}\n"
    if dialect == "memcached":
        return f"add {key} 0 0 {len(VALUE)}\r\n{VALUE}\r\n", "STORED\r\n"
    return resp("SET", key, VALUE, "NX"), "+OK\r\n"


def release(dialect: str, key: str) -> tuple[str, str]:
    if dialect == "lockd":
        return f"r {key}\n", f"1 Lock Release Success: {key}\n"
    if dialect == "memcached":
        return f"delete {key}\r\n", "DELETED\r\n"
    return resp("DEL", key), ":1\r\n"


def greeting(dialect: str) -> tuple[str, str]:
    return {"lockd": ("ping\n", "1 pong\n"), "memcached": ("mn\r\n", "MN\r\n"), "redis": (resp("PING"), "+PONG\r\n")}[
        dialect]


def resp(*words: str) -> str:
    return f"*{len(words)}\r\n" + "".join(f"${len(word)}\r\n{word}\r\n" for word in words)


def ask(connection: socket.socket, requests: str, replies: str) -> None:
    connection.sendall(requests.encode())
    expected, got = replies.encode(), b""
    while len(got) < len(expected):
        piece = connection.recv(1 << 20)
        if not piece:
            raise Failed("a server closed a connection")
        got += piece
    if got != expected:
        raise Failed(f"a server said {got[:200]!r}, where {expected[:200]!r} was expected")


class Crowd:
    """All its connections end with it."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.connections: list[socket.socket] = []

    def __enter__(self) -> "Crowd":
        return self

    def __exit__(self, *_: object) -> None:
        self.leave()

    def connect(self, count: int) -> None:
        """So many more, each answered once."""
        for _ in range(count):
            connection = self.server.connect()
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RST_AT_CLOSE)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.connections.append(connection)
            ask(connection, *greeting(self.server.dialect))

    def take(self, keys: Iterable[str]) -> None:
        self._each(acquire, keys)

    def release(self, keys: Iterable[str]) -> None:
        """Keys that were taken, in the order in which they were."""
        self._each(release, keys)

    def _each(self, exchange, keys: Iterable[str]) -> None:
        for connection, batch in zip(self._turns(), batches(keys), strict=False):
            requests, replies = zip(*(exchange(self.server.dialect, key) for key in batch), strict=True)
            ask(connection, "".join(requests), "".join(replies))

    def _turns(self) -> Iterator[socket.socket]:
        while True:
            yield from self.connections

    def leave(self) -> None:
        for connection in self.connections:
            connection.close()
        self.connections.clear()


def batches(keys: Iterable[str]) -> Iterator[list[str]]:
    rest = iter(keys)
    while batch := list(islice(rest, BATCH)):
        yield batch
