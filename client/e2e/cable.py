"""A holder of locks and its server in two network namespaces, and the cable between them, to be pulled."""

from __future__ import annotations

import time

from client import Client
from daemon import Daemon, DaemonTestCase, eventually, run_tool

SERVER_SECONDS, CLIENT_SECONDS = 6, 2
SERVER_ADDRESS, CLIENT_ADDRESS = "10.214.0.1", "10.214.0.2"


class CableTestCase(DaemonTestCase):
    """`next`, who waits for the lock, is on the server's side of the cable, by a Unix socket."""

    def setUp(self) -> None:
        self.server_space, self.client_space = self.network_namespace("server"), self.network_namespace("holder")
        pair = ("type", "veth", "peer", "name", "lockd0", "netns", self.client_space)
        run_tool("ip", "-n", self.server_space, "link", "add", "lockd0", *pair)
        for space, address in (self.server_space, SERVER_ADDRESS), (self.client_space, CLIENT_ADDRESS):
            run_tool("ip", "-n", space, "address", "add", f"{address}/24", "dev", "lockd0")
            run_tool("ip", "-n", space, "link", "set", "lockd0", "up")
        self.server: Daemon = self.daemon(
            "--peer-timeout",
            str(SERVER_SECONDS),
            listen=[f"tcp://{SERVER_ADDRESS}:0", f"unix://{self.temporary_directory()}/lockd.sock"],
            wrapper=["ip", "netns", "exec", self.server_space],
        )
        self.next: Client = self.connect(self.server, listener=1)

    def vanish(self) -> float:
        """Takes the link down, with somebody in line for the lock. Returns the moment from which the time counts."""
        self.next.send("gw 60000 mine\n")
        observer = self.connect(self.server, listener=1)
        eventually(lambda: observer.ask("iw mine") == b"1 Lock Waiters: mine", 5, "it waits")
        run_tool("ip", "-n", self.client_space, "link", "set", "lockd0", "down")
        return time.monotonic()
