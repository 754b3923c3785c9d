"""Memory of the servers: of an idle connection, of a held lock, and when all is released."""

from contextlib import ExitStack
from pathlib import Path

from crowd import Crowd, key_of
from figures import Estimate, Figure, Target
from measuring import Bench
from servers import Server

IDLE = 10_000
LOCKS = 1_000_000
HOLDERS = 10
KINDS = ("lockd", "memcached", "redis")
EPOLL_CACHES = ("eventpoll_epi", "eventpoll_pwq", "ep_head")
SOCKET_CACHES = ("TCP", "sock_inode_cache", "filp")


def figures(bench: Bench) -> list[Figure]:
    found = []
    for kind in bench.kinds_here(KINDS):
        ours = kind == "lockd"
        with ExitStack() as stack:
            found += of_connections(bench, stack.enter_context(bench.server(kind)), ours)
        with ExitStack() as stack:
            found += of_locks(bench, stack.enter_context(bench.server(kind)), ours)
    return found


def of_connections(bench: Bench, server: Server, has_target: bool) -> list[Figure]:
    """After a round of load: what a server buys for its first requests is not an idle connection's."""
    count = 1_000 if bench.plan.quick else IDLE
    bench.progress.say(f"{count:,} idle connections of {server.kind}")
    bench.load(server)
    server.wait_until_quiet()
    before, kernel_before = server.resident_bytes(), kernel_bytes()
    with Crowd(server) as crowd:
        crowd.connect(count)
        server.wait_until_quiet()
        each = (server.resident_bytes() - before) / count
        kernel = {cache: (now - kernel_before[cache]) / count for cache, now in kernel_bytes().items()}
    found = [one(f"an idle connection, {server.kind}", "bytes", each, 1024 if has_target else None)]
    if kernel:
        found.append(one(f"the kernel's epoll for it, {server.kind}", "bytes", sum(map(kernel.get, EPOLL_CACHES))))
        found.append(one(f"the kernel's sockets for it, of both ends, {server.kind}", "bytes",
                         sum(map(kernel.get, SOCKET_CACHES)), note="resident memory counts nothing of the kernel's"))
    return found


def kernel_bytes() -> dict[str, int]:
    """In use by those caches of the kernel, of the whole machine. Nothing where we are not let see them."""
    try:
        rows = Path("/proc/slabinfo").read_text().splitlines()[2:]
    except OSError:
        return {}
    sizes = {name: int(active) * int(size) for name, active, _, size, *_ in map(str.split, rows)}
    return {cache: sizes.get(cache, 0) for cache in (*EPOLL_CACHES, *SOCKET_CACHES)}


def of_locks(bench: Bench, server: Server, has_target: bool) -> list[Figure]:
    """Taken and released twice: by requests, and by the end of those who hold them."""
    count = 50_000 if bench.plan.quick else LOCKS
    bench.progress.say(f"{count:,} locks of {server.kind}")
    bench.load(server)
    with Crowd(server) as crowd:
        crowd.connect(HOLDERS)
        server.wait_until_quiet()
        before = server.resident_bytes()
        crowd.take(map(key_of, range(count)))
        held = server.resident_bytes()
        crowd.release(map(key_of, range(count)))
        server.wait_until_quiet()
        released = server.resident_bytes()
        if has_target:  # the peers keep what their clients set
            crowd.take(map(key_of, range(count)))
            crowd.leave()
            server.wait_until_quiet()
        ended = server.resident_bytes()
    found = [one(f"a held lock with a key of 21 bytes, {server.kind}", "bytes", (held - before) / count,
                 90 if has_target else None),
             one(f"after {count:,} locks were released: memory by that before, {server.kind}", "ratio",
                 released / before, 1.5 if has_target else None)]
    if has_target:
        found.append(one(f"after the end of those who held {count:,} locks: memory by that before, {server.kind}",
                         "ratio", ended / before, 1.5, is_own=True))
    return found


def one(name: str, unit: str, value: float, at_most: float | None = None, note: str = "",
        is_own: bool = False) -> Figure:
    """Measured once."""
    target = Target(at_most, at_least=False, is_own=is_own) if at_most is not None else None
    return Figure(name, unit, Estimate(value, None, None, 1), target, note=note)
