"""Faults of the server, as it were, that the oracle has to report, each time: (phase, kind, fault, call)."""

CANARIES = [
    ("serve", "recv", "lose", 8),  # a request is cut and half of it lost
    ("serve", "send", "lie", 8),  # half of a reply is sent, and taken for all
    ("serve", "send", "swallow", 8),  # a reply is never sent
    ("serve", "accept", "leak", 2),  # a descriptor is left open
    ("serve", "recv", "deaf", 30),  # ends are not noticed: the dead keep their locks
    ("serve", "malloc", "crash", 100),  # an abort
    ("serve", "malloc", "vanish", 100),  # an end without a word
    ("stop", "write", "lie", 1),  # a torn file of tokens
]
