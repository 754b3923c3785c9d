"""Ends of WebSockets that come at a bad moment: whatever the moment, the locks go, and what is owed is sent first."""

from __future__ import annotations

import struct

from daemon import eventually, wait_until_still
from web_socket import CLOSE, TEXT, WebSocketTestCase, frame

SMALL_WINDOW = 65536  # a receive buffer, in bytes
CLOSE_1000 = frame(struct.pack("!H", 1000), CLOSE)


class BadMoments(WebSocketTestCase):
    def test_S2_with_no_room_for_the_answer_to_a_close(self) -> None:
        for limit in 1, 2, 3, 4, 5:
            daemon, observer = self.start("--max-output-bytes", str(limit))
            one = self.web_socket(daemon)
            one.expect("g mine", "1 Lock Get Success: mine")
            one.send_bytes(CLOSE_1000)
            one.expect_close(1000)
            observer.expect("i mine", "0 Lock Not Locked: mine")
            one.expect_end()

    def test_S3_a_close_that_is_read_while_a_listing_waits_to_be_read(self) -> None:
        """It comes while the session waits, and is read at once; the listing is owed nevertheless."""
        daemon, holder = self.start("--max-output-bytes", "65536", "--peer-timeout", "600")
        keys = [f"{number:04}".ljust(5000, ".") for number in range(1600)]
        for key in keys:
            holder.expect(f"g {key}", f"1 Lock Get Success: {key}")
        holder.expect("g k", "1 Lock Get Success: k")
        slow = self.web_socket(daemon, receive_buffer_bytes=SMALL_WINDOW)
        for message in "g mine", "gw 600000 k", "d":
            slow.send(message)
        eventually(lambda: holder.ask("iw k") == b"1 Lock Waiters: k", 10, "it waits")
        holder.expect("r k", "1 Lock Release Success: k")
        wait_until_still(holder, "command_d")
        slow.send_bytes(CLOSE_1000)
        slow.expect_reply("1 Lock Get Success: mine")
        slow.expect_reply("1 Lock Get Success: k")
        self.assertEqual(len(slow.reply(30).payload.split(b"\n")), len(keys) + 2)
        slow.expect_close(1000)
        for key in "mine", "k":
            holder.expect(f"i {key}", f"0 Lock Not Locked: {key}")

    def test_S2_frames_that_break_the_rules_while_it_waits_in_line(self) -> None:
        """The close frame that says so leaves when the line and the locks are left behind."""
        daemon, holder = self.start()
        holder.expect("g k", "1 Lock Get Success: k")
        broken = {
            1002: frame("ping", 3),
            1007: frame(b"g \xff"),
            1009: frame("", TEXT, claims=1 << 40),
        }
        for code, sent in broken.items():
            one = self.web_socket(daemon)
            one.expect("g mine", "1 Lock Get Success: mine")
            one.send("gw 600000 k")
            one.send("ping")
            eventually(lambda: holder.ask("iw k") == b"1 Lock Waiters: k", 10, "it waits")
            one.send_bytes(sent)
            one.expect_close(code)
            holder.expect("iw k", "0 Lock Waiters: k")
            holder.expect("i mine", "0 Lock Not Locked: mine")
