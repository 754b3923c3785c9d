"""Clients that keep the daemon busy: they pipeline requests without a pause, and a bounded number of them."""

from __future__ import annotations

import select
import threading

from client import connected_socket

REQUESTS = memoryview(b"ping\n" * 65536)
REPLY_BYTES, REQUEST_BYTES = len(b"1 pong\n"), len(b"ping\n")


class Flood:
    """So many clients, each of which sends so many times REQUESTS and reads along. All are served once this exists."""

    def __init__(self, uri: str, clients: int, rounds: int) -> None:
        self._sockets = {sock.fileno(): sock for sock in (connected_socket(uri) for _ in range(clients))}
        for sock in self._sockets.values():
            sock.sendall(b"ping\n")
            if (reply := sock.recv(100)) != b"1 pong\n":
                raise AssertionError(f"the reply is {reply!r}")
            sock.setblocking(False)
        self._to_send = dict.fromkeys(self._sockets, rounds * len(REQUESTS))
        self._to_read = dict.fromkeys(self._sockets, rounds * len(REQUESTS) // REQUEST_BYTES * REPLY_BYTES)
        self._buffer = bytearray(1 << 20)
        self._stopped = False
        self._thread = threading.Thread(target=self._run)
        self.replies = 0

    def start(self) -> None:
        self._thread.start()

    def is_through(self) -> bool:
        """Whether one of them has all its replies."""
        return min(self._to_read.values()) == 0

    def close(self) -> None:
        """Ends them all, wherever they stand."""
        self._stopped = True
        if self._thread.ident is not None:
            self._thread.join()
        for sock in self._sockets.values():
            sock.close()

    def _run(self) -> None:
        poll = select.poll()
        for descriptor in self._sockets:
            poll.register(descriptor, select.POLLIN | select.POLLOUT)
        while any(self._to_read.values()) and not self._stopped:
            for descriptor, events in poll.poll(100):
                if events & select.POLLOUT:
                    self._send(descriptor)
                    if self._to_send[descriptor] == 0:
                        poll.modify(descriptor, select.POLLIN)
                if events & ~select.POLLOUT and not self._read(descriptor):
                    return  # the daemon is gone: the test will see

    def _send(self, descriptor: int) -> None:
        left = self._to_send[descriptor]
        begin = -left % len(REQUESTS)
        self._to_send[descriptor] -= self._sockets[descriptor].send(REQUESTS[begin : begin + left])

    def _read(self, descriptor: int) -> bool:
        try:
            count = self._sockets[descriptor].recv_into(self._buffer)
        except OSError:
            return False
        self._to_read[descriptor] -= count
        self.replies += count // REPLY_BYTES
        return count > 0
