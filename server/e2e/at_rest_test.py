"""When all clients have gone, the daemon is as it was before they came: locks, lines, names, descriptors, memory."""

from __future__ import annotations

from client import Client
from daemon import MIB, Daemon, DaemonTestCase, eventually

CLIENTS = 100
KEYS = 100
ROUNDS = 8
LONG = "a key so long that its text has memory of its own"


def take_much(daemon: Daemon) -> list[Client]:
    """Clients with names and locks of both kinds; every other one waits, and some do not read what they asked for."""
    clients = [Client(daemon.uris[0]) for _ in range(CLIENTS)]
    for number, client in enumerate(clients):
        client.send(f"iam {number}\n" + "".join(f"g {LONG} {number} {key}\nsg {key}\n" for key in range(KEYS)))
        for _ in range(1 + 2 * KEYS):
            client.line()
    for client in clients[1::2]:
        client.send(f"gw 1000000 {LONG} 0 0\n")
    for client in clients[2::20]:
        client.send("list\n")
    return clients


def end_in_every_way(clients: list[Client]) -> None:
    for number, client in enumerate(clients):
        if number % 5 == 0:
            client.reset()
        elif number % 5 == 1:
            client.send("quit\n")
        elif number % 5 == 2:
            client.half_close()
    for client in clients:
        client.close()


class AtRest(DaemonTestCase):
    def test_S2_the_daemon_is_as_it_was(self) -> None:
        for threads in "1", "2":
            with self.subTest(threads=threads):
                self.check_rounds(self.daemon("--threads", threads))

    def check_rounds(self, daemon: Daemon) -> None:
        observer = self.connect(daemon)
        observer.expect("ping", "1 pong")
        descriptors = daemon.descriptors()
        self.check_round(daemon, observer, descriptors)  # after the first all that is kept for later is there
        peak, resident = daemon.peak_bytes(), daemon.resident_bytes()
        for _ in range(ROUNDS):
            self.check_round(daemon, observer, descriptors)
        daemon.peak_stays_within(2 * MIB, peak)
        daemon.resident_stays_within(MIB, resident)

    def check_round(self, daemon: Daemon, observer: Client, descriptors: int) -> None:
        clients = take_much(daemon)
        waiting = [line for line in observer.listing("list") if line.startswith(b"x waiting ")]
        self.assertGreater(len(waiting), CLIENTS // 3)
        end_in_every_way(clients)
        eventually(lambda: observer.counters()["connections"] == 1, 20, "no session is left")
        eventually(lambda: daemon.descriptors() == descriptors, 20, "no descriptor is left")
        self.assertEqual(observer.listing("list"), [b"END"])
        self.assertEqual(observer.listing("who"), [])
        counters = observer.counters()
        self.assertEqual((counters["locks"], counters["shared_locks"]), (0, 0))
