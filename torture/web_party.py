"""A client that speaks WebSocket: to the oracle its messages are lines, as everybody's."""

from __future__ import annotations

import struct

from client import as_bytes
from victim import PATIENCE_SECONDS, Finding
from web_socket import CLOSE, frame, handshake
from world import Party

OPENED, TOO_MANY = b"HTTP/1.1 101 ", b"HTTP/1.1 503 "


class WebParty(Party):
    """It asks for the WebSocket at once, and waits for it when it has something to say."""

    def __init__(self, name: str, uri: str, receive_buffer_bytes: int | None = None) -> None:
        host, _, path = uri.removeprefix("ws://").partition("/")
        super().__init__(name, f"tcp://{host}", receive_buffer_bytes)
        self._raw = b""  # not understood yet
        self._is_open = False
        self._send(as_bytes(handshake(host, "/" + path)))

    def send(self, text: str) -> None:
        """A message for each line; for the beginning of one a frame that has no end."""
        while not self._is_open and not self._is_closed:
            if not self.has_input(PATIENCE_SECONDS):
                raise Finding(f"{self.name} gets no WebSocket, but {self._raw[-80:]!r}")
            self._listen()
        *lines, rest = text.split("\n")
        frames = [frame(line) for line in lines]
        if rest:
            frames.append(frame(rest, claims=len(rest) + 1))
        self._send(b"".join(frames))

    def _hear(self, chunk: bytes) -> None:
        self._raw += chunk
        if not self._is_open:
            self._hear_response()
        while self._is_open and (message := self._next_frame()):
            opcode, payload = message
            if opcode == CLOSE:
                self._is_closed, self._is_open = True, False
            elif payload:  # a reply of no line is an empty message
                self._buffer += payload + b"\n"

    def _hear_response(self) -> None:
        head, blank, rest = self._raw.partition(b"\r\n\r\n")
        if not blank:
            return
        if head.startswith(TOO_MANY):
            self._buffer += b"0 Too Many Connections\n"
        self._is_open = head.startswith(OPENED)
        self._is_closed = not self._is_open
        self._raw = rest

    def _next_frame(self) -> tuple[int, bytes] | None:
        """Its kind and its payload, once it is whole."""
        extended = {126: "!H", 127: "!Q"}.get(self._raw[1] if len(self._raw) > 1 else 0, "")
        header = 2 + struct.calcsize(extended)
        if len(self._raw) < header:
            return None
        length = struct.unpack(extended, self._raw[2:header])[0] if extended else self._raw[1]
        if len(self._raw) < header + length:
            return None
        opcode, payload = self._raw[0] & 0xF, self._raw[header:header + length]
        self._raw = self._raw[header + length:]
        return opcode, payload
