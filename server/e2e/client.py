"""A client for tests: sends bytes, and reads exact bytes back, each within a deadline."""

from __future__ import annotations

import os
import select
import socket
import struct
import time
from urllib.parse import urlsplit

# Sanitized daemons and shared machines are slow: every deadline is multiplied by this.
TIME_SCALE = float(os.environ.get("LOCKD_TIME_SCALE", "1"))
REPLY_SECONDS = 20.0

Text = str | bytes


def as_bytes(text: Text) -> bytes:
    return text.encode() if isinstance(text, str) else text


class LineReader:
    """Lines out of a descriptor (socket or pipe), none waited for longer than a deadline."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._buffer = bytearray()
        self._poll = select.poll()
        self._poll.register(descriptor, select.POLLIN)

    def line(self, seconds: float = REPLY_SECONDS) -> bytes:
        """The next line without its LF. A CR would stay in it."""
        deadline = time.monotonic() + seconds * TIME_SCALE
        searched = 0
        while (end := self._buffer.find(b"\n", searched)) < 0:
            searched = len(self._buffer)
            if not self._fill(deadline):
                raise AssertionError(f"end of the stream instead of a line, after {bytes(self._buffer[-100:])!r}")
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        return line

    def exactly(self, count: int, seconds: float = REPLY_SECONDS) -> bytes:
        """The next COUNT bytes."""
        deadline = time.monotonic() + seconds * TIME_SCALE
        while len(self._buffer) < count:
            if not self._fill(deadline):
                raise AssertionError(f"end of the stream after {len(self._buffer)} of {count} bytes")
        taken = bytes(self._buffer[:count])
        del self._buffer[:count]
        return taken

    def to_end(self, seconds: float = REPLY_SECONDS) -> bytes:
        """All that still comes, up to an orderly end. A reset raises ConnectionResetError."""
        deadline = time.monotonic() + seconds * TIME_SCALE
        while self._fill(deadline):
            pass
        rest = bytes(self._buffer)
        self._buffer.clear()
        return rest

    def _fill(self, deadline: float) -> bool:
        """Takes what is there, waiting if there is nothing; False at the end of the stream."""
        left_ms = max(0, int((deadline - time.monotonic()) * 1000))
        if not self._poll.poll(left_ms):
            raise AssertionError(f"nothing came in time, after {bytes(self._buffer[-100:])!r}")
        chunk = os.read(self._descriptor, 1 << 18)
        self._buffer += chunk
        return bool(chunk)


Address = tuple[str, int]


def connected_socket(
    uri: str, receive_buffer_bytes: int | None = None, source: Address | None = None
) -> socket.socket:
    """A socket connected to a listening address as the daemon prints it, from a given host and port if need be."""
    parts = urlsplit(uri)
    families = {"unix": socket.AF_UNIX, "tcp": socket.AF_INET6 if ":" in (parts.hostname or "") else socket.AF_INET}
    sock = socket.socket(families[parts.scheme])
    sock.settimeout(REPLY_SECONDS * TIME_SCALE)
    if receive_buffer_bytes is not None:  # before connecting, so that the window never was larger
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer_bytes)
    try:
        if parts.scheme == "unix":
            sock.connect(parts.path)
            return sock
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if source:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind(source)
        sock.connect((parts.hostname, parts.port))
        return sock
    except OSError:
        sock.close()
        raise


def reset(sock: socket.socket) -> None:
    """Ends a TCP connection by RST, as the kernel of a killed client with unread replies does."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


class Client:
    """One connection. Nothing is read unless a test asks for it: a Client left alone is a client that never reads."""

    def __init__(self, uri: str, receive_buffer_bytes: int | None = None, source: Address | None = None) -> None:
        self.socket = connected_socket(uri, receive_buffer_bytes, source)
        self._reader = LineReader(self.socket.fileno())

    @property
    def address(self) -> str:
        """This end's address as R1 has the daemon write it (TCP only)."""
        host, port = self.socket.getsockname()[:2]
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

    def send(self, text: Text) -> None:
        """Sends all of it, whatever number of packets that takes."""
        self.socket.sendall(as_bytes(text))

    def line(self, seconds: float = REPLY_SECONDS) -> bytes:
        return self._reader.line(seconds)

    def exactly(self, count: int, seconds: float = REPLY_SECONDS) -> bytes:
        return self._reader.exactly(count, seconds)

    def to_end(self, seconds: float = REPLY_SECONDS) -> bytes:
        return self._reader.to_end(seconds)

    def ask(self, request: Text) -> bytes:
        """One request, one line of reply."""
        self.send(as_bytes(request) + b"\n")
        return self.line()

    def expect(self, request: Text, *replies: Text) -> None:
        """Sends one request and checks the lines that come back, byte for byte."""
        self.send(as_bytes(request) + b"\n")
        self.expect_lines(*replies)

    def expect_lines(self, *replies: Text) -> None:
        for reply in replies:
            line = self.line()
            if line != as_bytes(reply):
                raise AssertionError(f"the reply is {line!r}, not {as_bytes(reply)!r}")

    def expect_bytes(self, expected: bytes, seconds: float = REPLY_SECONDS) -> None:
        """Checks a long stretch of replies, and shows where it goes wrong."""
        got = self.exactly(len(expected), seconds)
        if got != expected:
            at = next(i for i, (one, other) in enumerate(zip(got, expected)) if one != other)
            around = slice(max(0, at - 40), at + 40)
            raise AssertionError(f"byte {at} differs: {got[around]!r}, not {expected[around]!r}")

    def expect_eof(self, seconds: float = REPLY_SECONDS) -> None:
        """An orderly end (FIN) with nothing before it."""
        if rest := self.to_end(seconds):
            raise AssertionError(f"{rest[:100]!r} instead of the end")

    def expect_end(self, seconds: float = REPLY_SECONDS) -> None:
        """An end by FIN, or by RST as a kernel sends it where input was left unread, with nothing before it."""
        try:
            self.expect_eof(seconds)
        except ConnectionResetError:
            pass

    def listing(self, request: Text) -> list[bytes]:
        """The lines of a reply that has no end marker: those before the reply to a `ping` sent along."""
        self.send(as_bytes(request) + b"\nping\n")
        lines: list[bytes] = []
        while (line := self.line()) != b"1 pong":
            lines.append(line)
        return lines

    def counters(self) -> dict[str, int]:
        """What `q` says."""
        pairs = (line.decode().split(": ") for line in self.listing("q"))
        return {name: int(number) for name, number in pairs}

    def half_close(self) -> None:
        self.socket.shutdown(socket.SHUT_WR)

    def reset(self) -> None:
        reset(self.socket)

    def close(self) -> None:
        self.socket.close()
