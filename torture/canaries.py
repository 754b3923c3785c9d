"""Faults of the server, as it were, that the oracle has to report, each time: (phase, kind, call, fault, its words)."""

CANARIES = [
    ("serve", "recv", 8, "lose", "never comes true: b is in the line of x"),  # of a request a half is lost
    ("serve", "send", 8, "lie", "a gets no reply, but b'1 Lock"),  # half of a reply is sent, and taken for all
    ("serve", "send", 8, "swallow", "a gets no reply, but b''"),  # a reply is never sent
    ("serve", "accept", 2, "leak", "descriptors are open"),  # a descriptor is left open
    ("serve", "recv", 30, "deaf", "half gets no reply"),  # ends are not noticed: the dead keep their locks
    ("serve", "malloc", 100, "crash", "it ended with -6"),  # an abort
    ("serve", "malloc", 100, "vanish", "it ended without saying why"),  # an end without a word
    ("websockets", "send", 16, "lie", "b gets no reply, but b''"),  # half of a frame is sent, and taken for all
    ("stop", "write", 1, "lie", "the file of tokens holds"),  # a torn file of tokens
]
