"""The network that everything is measured in: a namespace of its own, whose loopback has the congestion control that is
asked for, whatever the machine's own is."""

import ctypes
import os
import socket
import subprocess

from servers import Failed, program

USUAL = "cubic"  # Debian's
CLONE_NEWNET = 0x40000000
LOOPBACK = ("127.0.0.1", "127.0.0.0/8")


def enter(asked: str | None) -> dict[str, str]:
    """Brings this process, and those that it starts from then on, into a new namespace, and returns what the report
    says of it. Without a name the usual congestion control, or where that cannot be the machine's own, as it is; a name
    that cannot be had is a failure."""
    own = congestion_control()
    try:
        move_into_namespace(asked or USUAL)
        told = f"{congestion_control()}, in a network namespace of its own"
    except Failed as failure:
        if asked:
            raise
        told = f"{own}, the machine's own: {failure}"
    return {"congestion control of TCP": told, "the machine's own congestion control": own}


def congestion_control() -> str:
    """Of a connection by loopback, as both of its ends have it."""
    with (socket.create_server(("127.0.0.1", 0)) as listening, socket.create_connection(listening.getsockname()) as one,
          listening.accept()[0] as other):
        names = {end.getsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, 16) for end in (one, other)}
    return "/".join(sorted(name.split(b"\0")[0].decode() for name in names))


def move_into_namespace(congestion: str) -> None:
    """It stays in the one that it was in where this fails."""
    before = os.open("/proc/self/ns/net", os.O_RDONLY)
    try:
        call("unshare", CLONE_NEWNET)
        try:
            make_loopback(congestion)
        except Failed:
            call("setns", before, CLONE_NEWNET)
            raise
    finally:
        os.close(before)


def make_loopback(congestion: str) -> None:
    """By its routes: the kernel lets a namespace choose for all its connections among a few alone."""
    run_ip("link", "set", "lo", "up")
    for destination in LOOPBACK:
        run_ip("route", "replace", "local", destination, "dev", "lo", "table", "local", "proto", "kernel", "scope",
               "host", "src", "127.0.0.1", "congctl", congestion)
    if (got := congestion_control()) != congestion:
        raise Failed(f"the congestion control {congestion} cannot be had: connections have {got}")


def run_ip(*words: str) -> None:
    done = subprocess.run([program("ip"), *words], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Failed(f"ip {' '.join(words)} says: {done.stderr.strip()[:300]}")


def call(name: str, *arguments: int) -> None:
    """Of the C library, which Python does not have in this version."""
    if getattr(ctypes.CDLL(None, use_errno=True), name)(*arguments) != 0:
        raise Failed(f"no network namespace can be made here: {name}: {os.strerror(ctypes.get_errno())}")
