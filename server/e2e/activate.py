"""Binds and listens, then becomes a command that finds the sockets as systemd passes them (LISTEN_FDS):

    python3 activate.py KIND:ADDRESS... -- COMMAND...

KIND is tcp (ADDRESS HOST:PORT), unix (a path, or @NAME), or one of those that lockd refuses: udp, reuseport and mptcp
(as tcp), datagram (as unix), vsock (ADDRESS a port), connected (one end of a pair; no address), file (a path).
"""

from __future__ import annotations

import os
import socket
import sys

FIRST_PASSED = 3
IPPROTO_MPTCP = 262


def internet(kind: str, address: str) -> socket.socket:
    host, _, port = address.rpartition(":")
    made = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET,
                         socket.SOCK_DGRAM if kind == "udp" else socket.SOCK_STREAM,
                         IPPROTO_MPTCP if kind == "mptcp" else 0)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if kind == "reuseport":
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    made.bind((host.strip("[]"), int(port)))
    return made


def local(kind: int, address: str) -> socket.socket:
    made = socket.socket(socket.AF_UNIX, kind)
    made.bind("\0" + address[1:] if address.startswith("@") else address)
    return made


def virtual_machine(port: str) -> socket.socket:
    made = socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM)
    made.bind((socket.VMADDR_CID_ANY, int(port)))
    return made


def descriptor(kind: str, address: str) -> int:
    if kind == "file":
        return os.open(address, os.O_RDONLY)
    if kind == "connected":
        return socket.socketpair()[0].detach()
    if kind in ("unix", "datagram"):
        made = local(socket.SOCK_STREAM if kind == "unix" else socket.SOCK_DGRAM, address)
    elif kind == "vsock":
        made = virtual_machine(address)
    else:
        made = internet(kind, address)
    if kind not in ("udp", "datagram"):
        made.listen()
    return made.detach()


def main() -> None:
    end = sys.argv.index("--")
    made = [descriptor(*word.split(":", 1)) for word in sys.argv[1:end]]
    above = [os.dup2(each, 100 + number) for number, each in enumerate(made)]  # out of the way of one another
    for number, each in enumerate(above):
        os.dup2(each, FIRST_PASSED + number, inheritable=True)
    names = ":".join(["web"] * len(made))
    passed = {"LISTEN_FDS": str(len(made)), "LISTEN_PID": str(os.getpid()), "LISTEN_FDNAMES": names}
    os.closerange(FIRST_PASSED + len(made), 200)
    os.execvpe(sys.argv[end + 1], sys.argv[end + 1 :], os.environ | passed)


if __name__ == "__main__":
    main()
