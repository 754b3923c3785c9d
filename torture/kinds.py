"""Which calls can fail in which phase of the daemon's life, and how: as the manual pages say, and short counts."""

SERVE = {
    "malloc": ["ENOMEM"],
    "accept": ["EMFILE", "ENFILE", "ENOBUFS", "ENOMEM", "ECONNABORTED", "EINTR", "EPROTO"],
    "recv": ["EINTR", "EAGAIN", "ECONNRESET", "ETIMEDOUT", "ENOMEM", "cut"],
    "send": ["EINTR", "EAGAIN", "EPIPE", "ECONNRESET", "ENOBUFS", "cut"],
    "epoll_add": ["ENOMEM", "ENOSPC"],
    "epoll_wait": ["EINTR"],
    "setsockopt": ["EINVAL"],
    "getsockname": ["ENOBUFS"],
    "shutdown": ["ENOTCONN"],
    "close": ["EINTR", "EIO"],
}

# Asio asks the kernel about its sockets as long as there is an answer, and then waits for a change: EAGAIN comes where
# there is nothing to read, and nowhere else. Handshakes come by recv(), frames by recvmsg(), which is called as soon as
# the one before is answered: a client that loses its connection there hears of it later than the others.
WEB_SOCKETS = SERVE | {
    "recv": [fault for fault in SERVE["recv"] if fault != "EAGAIN"],
    "recvmsg": ["EINTR", "cut"],
}

FILES = {
    "open": ["EMFILE", "EACCES", "ENOSPC", "EIO"],
    "read": ["EIO"],
    "write": ["ENOSPC", "EIO", "EINTR", "cut"],
    "fsync": ["EIO", "ENOSPC"],
    "rename": ["ENOSPC", "EIO"],
    "close": ["EINTR", "EIO"],
}

START = FILES | {
    "malloc": ["ENOMEM"],
    "socket": ["EMFILE", "ENFILE", "ENOMEM"],
    "setsockopt": ["EINVAL"],
    "bind": ["EADDRINUSE", "EACCES"],
    "listen": ["EADDRINUSE"],
    "getsockname": ["ENOBUFS"],
    "epoll_create": ["EMFILE", "ENOMEM"],
    "eventfd": ["EMFILE", "ENOMEM"],
    "timerfd": ["EMFILE"],
    "epoll_add": ["ENOMEM", "ENOSPC"],
    "signalfd": ["EMFILE", "ENOMEM"],
    "thread": ["EAGAIN"],
    "flock": ["EWOULDBLOCK", "ENOLCK", "EINTR"],
    "getrandom": ["EINTR", "ENOSYS"],
}

STOP = {kind: faults for kind, faults in FILES.items() if kind != "read"} | {"malloc": ["ENOMEM"]}

PHASES = {"start": START, "serve": SERVE, "threads": SERVE, "websockets": WEB_SOCKETS, "stop": STOP}
