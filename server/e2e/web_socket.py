"""A WebSocket client for tests: writes frames of any kind, well-formed or not, and reads what comes, each within a
deadline. (RFC 6455; a library would not send what it must not.)"""

from __future__ import annotations

import base64
import os
import struct
from dataclasses import dataclass
from urllib.parse import urlsplit

from client import REPLY_SECONDS, Client, LineReader, Text, as_bytes, connected_socket, reset
from daemon import LOOPBACK, Daemon, DaemonTestCase

WEBSOCKET = "ws://127.0.0.1:0"
CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
FIN = 0x80


def frame(payload: Text, opcode: int = TEXT, fin: bool = True, claims: int | None = None, masked: bool = True) -> bytes:
    """A client's frame. claims: the length that it says it has, if that is not to be its own."""
    data = as_bytes(payload)
    length = len(data) if claims is None else claims
    mask_bit = 0x80 if masked else 0
    if length < 126:
        header = struct.pack("!BB", (FIN if fin else 0) | opcode, mask_bit | length)
    elif length < 1 << 16:
        header = struct.pack("!BBH", (FIN if fin else 0) | opcode, mask_bit | 126, length)
    else:
        header = struct.pack("!BBQ", (FIN if fin else 0) | opcode, mask_bit | 127, length)
    if not masked:
        return header + data
    key = os.urandom(4)
    return header + key + bytes(byte ^ key[i % 4] for i, byte in enumerate(data))


def handshake(host: str, path: str, *more: str) -> str:
    """A client's request for a WebSocket. more: headers."""
    key = base64.b64encode(os.urandom(16)).decode()
    lines = [f"GET {path} HTTP/1.1", f"Host: {host}", "Upgrade: websocket", "Connection: Upgrade",
             f"Sec-WebSocket-Key: {key}", "Sec-WebSocket-Version: 13", *more]
    return "".join(line + "\r\n" for line in lines) + "\r\n"


@dataclass
class Reply:
    payload: bytes
    binary: bool


class Http:
    """The connection of a client that speaks HTTP to a WebSocket's listener, or something else."""

    def __init__(self, uri: str, receive_buffer_bytes: int | None = None) -> None:
        parts = urlsplit(uri)
        self.host, self.path = parts.netloc, parts.path
        self.socket = connected_socket("tcp://" + parts.netloc, receive_buffer_bytes)
        self.reader = LineReader(self.socket.fileno())

    def handshake_lines(self, *more: str, path: str | None = None) -> str:
        return handshake(self.host, path or self.path, *more)

    def response(self, request: Text, seconds: float = REPLY_SECONDS) -> tuple[int, dict[str, str], str]:
        """Status, headers, body."""
        self.socket.sendall(as_bytes(request))
        return self.read_response(seconds)

    def read_response(self, seconds: float = REPLY_SECONDS) -> tuple[int, dict[str, str], str]:
        status = int(self.reader.line(seconds).split()[1])
        headers: dict[str, str] = {}
        while line := self.reader.line(seconds).decode().rstrip("\r"):
            name, _, value = line.partition(": ")
            headers[name.lower()] = value
        return status, headers, self.reader.exactly(int(headers.get("content-length", 0))).decode()

    def close(self) -> None:
        self.socket.close()


class WebSocket(Http):
    """An open WebSocket. Nothing is read unless a test asks for it."""

    def __init__(self, uri: str, *headers: str, receive_buffer_bytes: int | None = None) -> None:
        super().__init__(uri, receive_buffer_bytes)
        try:
            status, self.headers, body = self.response(self.handshake_lines(*headers))
            if status != 101:
                raise AssertionError(f"no WebSocket, but {status}: {body}")
        except BaseException:
            self.close()
            raise

    @property
    def address(self) -> str:
        host, port = self.socket.getsockname()[:2]
        return f"{host}:{port}"

    def send_bytes(self, data: bytes) -> None:
        self.socket.sendall(data)

    def send(self, message: Text, binary: bool = False) -> None:
        self.send_bytes(frame(message, BINARY if binary else TEXT))

    def read_frame(self, seconds: float = REPLY_SECONDS) -> tuple[int, bool, bytes]:
        """Opcode, whether it is its message's last, payload."""
        first, second = self.reader.exactly(2, seconds)
        if second & 0x80 or first & 0x70:
            raise AssertionError("a server's frames have no mask, and no reserved bits")
        length = second
        if second == 126:
            (length,) = struct.unpack("!H", self.reader.exactly(2, seconds))
        elif second == 127:
            (length,) = struct.unpack("!Q", self.reader.exactly(8, seconds))
        return first & 0xF, bool(first & FIN), self.reader.exactly(length, seconds)

    def read_message(self, seconds: float = REPLY_SECONDS) -> tuple[Reply, int]:
        """A message, and of how many frames it was."""
        opcode, last, payload = self.read_frame(seconds)
        if opcode not in (TEXT, BINARY):
            raise AssertionError(f"a frame of kind {opcode} instead of a message: {payload!r}")
        parts = [payload]
        while not last:
            following, last, payload = self.read_frame(seconds)
            if following != CONTINUATION:
                raise AssertionError(f"a frame of kind {following} within a message")
            parts.append(payload)
        reply = Reply(b"".join(parts), opcode == BINARY)
        if not reply.binary:
            reply.payload.decode()  # or a browser would drop the connection
        return reply, len(parts)

    def reply(self, seconds: float = REPLY_SECONDS) -> Reply:
        return self.read_message(seconds)[0]

    def ask(self, message: Text, binary: bool = False) -> bytes:
        self.send(message, binary)
        return self.reply().payload

    def expect_reply(self, payload: Text, binary: bool = False) -> None:
        reply, expected = self.reply(), Reply(as_bytes(payload), binary)
        if reply != expected:
            raise AssertionError(f"the reply is {str(reply)[:200]}, not {str(expected)[:200]}")

    def expect(self, message: Text, payload: Text) -> None:
        """A text, answered by a text."""
        self.send(message)
        self.expect_reply(payload)

    def expect_close(self, code: int, seconds: float = REPLY_SECONDS) -> None:
        """A close frame, and behind it the end, in good order."""
        opcode, _, payload = self.read_frame(seconds)
        if (opcode, payload[:2]) != (CLOSE, struct.pack("!H", code)):
            raise AssertionError(f"a frame of kind {opcode} with {payload!r} instead of a close with {code}")

    def expect_end(self, seconds: float = REPLY_SECONDS) -> None:
        if rest := self.reader.to_end(seconds):
            raise AssertionError(f"{rest[:100]!r} instead of the end")

    def close_well(self, code: int = 1000) -> None:
        """The closing handshake, begun here."""
        self.send_bytes(frame(struct.pack("!H", code), CLOSE))
        self.expect_close(code)
        self.expect_end()
        self.close()

    def reset(self) -> None:
        reset(self.socket)


class WebSocketTestCase(DaemonTestCase):
    def start(self, *flags: str, listen: str = WEBSOCKET) -> tuple[Daemon, Client]:
        """A daemon for WebSockets, and a TCP client of it."""
        daemon = self.daemon(*flags, listen=[listen, LOOPBACK])
        observer = self.connect(daemon, 1)
        observer.expect("ping", "1 pong")
        return daemon, observer

    def web_socket(self, daemon: Daemon, *headers: str, receive_buffer_bytes: int | None = None) -> WebSocket:
        opened = WebSocket(daemon.uris[0], *headers, receive_buffer_bytes=receive_buffer_bytes)
        self.addCleanup(opened.close)
        return opened

    def http(self, daemon: Daemon) -> Http:
        connected = Http(daemon.uris[0])
        self.addCleanup(connected.close)
        return connected

    def is_free(self, observer: Client, key: str) -> bool:
        return observer.ask(f"i {key}") == b"0 Lock Not Locked: " + key.encode()
