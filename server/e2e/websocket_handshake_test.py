"""Handshakes of WebSockets: who is let in, and what the others are told."""

from __future__ import annotations

from daemon import LOOPBACK, Daemon, DaemonTestCase, eventually, run_to_exit
from scrape import Scrape
from web_socket import FIN, TEXT, WEBSOCKET, WebSocket, WebSocketTestCase, frame


class Handshakes(WebSocketTestCase):
    def refused(self, daemon: Daemon, request: str | bytes) -> tuple[int, str]:
        client = self.http(daemon)
        status, headers, body = client.response(request)
        self.assertEqual(body.count("\n"), 1)
        self.assertEqual(headers["connection"].split(", ")[-1], "close")
        self.assertEqual(client.reader.to_end(), b"")
        return status, body.strip()

    def test_paths(self) -> None:
        daemon, _ = self.start(listen="ws://127.0.0.1:0/locks")
        self.assertRegex(daemon.uris[0], r"^ws://127\.0\.0\.1:\d+/locks$")
        self.web_socket(daemon).expect("ping", "1 pong")
        client = self.http(daemon)
        self.assertEqual(client.response(client.handshake_lines(path="/locks?a=b"))[0], 101)
        for path in "/", "/lock", "/locks/", "/Locks":
            self.assertEqual(self.refused(daemon, self.http(daemon).handshake_lines(path=path)),
                             (404, "no WebSocket at this path: it is at /locks"))

    def test_plain_http_is_told_what_is_here(self) -> None:
        daemon, _ = self.start()
        post = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\ng a"
        for request in "GET / HTTP/1.1\r\nHost: a\r\n\r\n", post:
            client = self.http(daemon)
            status, headers, body = client.response(request)
            self.assertEqual((status, headers["upgrade"]), (426, "websocket"))
            self.assertIn("connect with ws:// instead", body)

    def test_bytes_of_the_lock_protocol_do_no_harm(self) -> None:
        daemon, observer = self.start()
        self.assertEqual(self.refused(daemon, "g a\n")[0], 400)
        self.assertEqual(self.refused(daemon, b"\x00\xff\r\n\r\n")[0], 400)
        self.assertEqual(self.refused(daemon, "GET /" + "a" * 20000)[0], 431)
        self.assertEqual(self.refused(daemon, "GET / HTTP/1.1\r\nCookie: " + "a" * 20000)[0], 431)
        handshake = self.http(daemon).handshake_lines()
        self.assertEqual(self.refused(daemon, handshake.encode() + frame("g a"))[0], 400)
        observer.expect("i a", "0 Lock Not Locked: a")

    def test_handshakes_that_are_none(self) -> None:
        daemon, _ = self.start()
        lines = self.http(daemon).handshake_lines()
        old = lines.replace("Version: 13", "Version: 12")
        self.assertEqual(self.refused(daemon, old)[0], 426)
        status, headers, _ = self.http(daemon).response(old)
        self.assertEqual((status, headers["sec-websocket-version"]), (426, "13"))
        without_key = "".join(line + "\r\n" for line in lines.split("\r\n")[:-2] if "-Key" not in line) + "\r\n"
        self.assertEqual(self.refused(daemon, without_key)[0], 400)

    def test_S2_a_handshake_takes_its_time(self) -> None:
        """A client that says nothing, or half of a request, is given as long as a vanished one, and no session."""
        daemon, observer = self.start("--peer-timeout", "1")
        silent, slow = self.http(daemon), self.http(daemon)
        slow.socket.sendall(b"GET / HTTP/1.1\r\nHost:")
        for client in silent, slow:
            self.assertEqual(client.reader.to_end(5), b"")
        self.assertEqual(observer.counters()["connections"], 1)

    def test_pages_of_other_origins_are_refused(self) -> None:
        daemon, _ = self.start("--ws-origin", "https://app.example", "--ws-origin", "http://localhost:8000")
        for origin in "https://app.example", "http://localhost:8000":
            self.web_socket(daemon, f"Origin: {origin}").expect("ping", "1 pong")
        self.web_socket(daemon).expect("ping", "1 pong")  # no browser
        others = ("https://evil.example", "https://app.example:8443", "http://app.example", "null", "",
                  "https://app.example.evil.example", "https://app.example\r\nOrigin: https://evil.example")
        for origin in others:
            with self.subTest(origin):
                lines = self.http(daemon).handshake_lines(f"Origin: {origin}")
                self.assertEqual(self.refused(daemon, lines)[0], 403)

    def test_no_page_may_connect_unless_it_is_named(self) -> None:
        daemon, _ = self.start()
        status, line = self.refused(daemon, self.http(daemon).handshake_lines("Origin: http://127.0.0.1"))
        self.assertEqual((status, line), (403, "pages of this origin may not connect: start lockd with --ws-origin"))

    def test_a_subprotocol_is_confirmed_where_it_is_lockds(self) -> None:
        daemon, _ = self.start()
        asked = self.web_socket(daemon, "Sec-WebSocket-Protocol: chat, lockd")
        self.assertEqual(asked.headers["sec-websocket-protocol"], "lockd")
        for headers in (), ("Sec-WebSocket-Protocol: chat",):
            self.assertNotIn("sec-websocket-protocol", self.web_socket(daemon, *headers).headers)

    def test_compression_is_not_agreed_to(self) -> None:
        daemon, _ = self.start()
        opened = self.web_socket(daemon, "Sec-WebSocket-Extensions: permessage-deflate")
        self.assertNotIn("sec-websocket-extensions", opened.headers)
        opened.send_bytes(bytes([FIN | 0x40 | TEXT]) + frame("ping")[1:])
        opened.expect_close(1002)

    def test_S4_one_too_many_is_told_so_in_HTTP(self) -> None:
        daemon, observer = self.start("--max-connections", "2")
        first = self.web_socket(daemon)
        client = self.http(daemon)
        status, _, body = client.response(client.handshake_lines())
        self.assertEqual((status, body), (503, "0 Too Many Connections\n"))
        first.close_well()
        eventually(lambda: observer.counters()["connections"] == 1, 10, "there is room again")

        def is_served() -> bool:
            again = self.http(daemon)
            return again.response(again.handshake_lines())[0] == 101

        eventually(is_served, 10, "the next one is served")


class Refusals(WebSocketTestCase):
    """What an operator sees of those that are turned away."""

    def rejected(self, daemon: Daemon, reason: str) -> float:
        return Scrape(daemon).value("lockd_connections_rejected_total", reason=reason)

    def test_they_are_counted_and_logged(self) -> None:
        flags = ["--threads", "1", "--http", LOOPBACK, "--peer-timeout", "1"]
        daemon = self.daemon(*flags, listen=[WEBSOCKET], listeners=2)
        page = self.http(daemon)
        self.assertEqual(page.response(page.handshake_lines("Origin: https://evil.example"))[0], 403)
        eventually(lambda: self.rejected(daemon, "origin") == 1, 10, "it is counted")
        self.assertIn("gets no WebSocket: --ws-origin does not name https://evil.example", daemon.stderr())
        for request in "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "g a\n", page.handshake_lines().replace(": 13", ": 12"):
            self.http(daemon).response(request)
        silent = self.http(daemon)
        self.assertEqual(silent.reader.to_end(5), b"")
        eventually(lambda: self.rejected(daemon, "handshake") == 4, 10, "the others are, one that took too long too")
        self.assertEqual(self.rejected(daemon, "origin"), 1)
        self.assertEqual(daemon.stderr().count("gets no WebSocket"), 1)  # they can't fill the log

    def test_S4_a_handshake_is_a_connection(self) -> None:
        daemon = self.daemon("--http", LOOPBACK, listen=[WEBSOCKET], listeners=2)
        silent = self.http(daemon)
        eventually(lambda: Scrape(daemon).value("lockd_connections") == 1, 10, "it is counted before it says anything")
        silent.close()
        eventually(lambda: Scrape(daemon).value("lockd_connections") == 0, 10, "it has gone")


class Settings(DaemonTestCase):
    def test_origins_in_the_config_file(self) -> None:
        config = self.temporary_directory() / "lockd.toml"
        config.write_text('ws-origin = ["https://a.example", "https://b.example"]\n')
        daemon = self.daemon("--config", str(config), listen=[WEBSOCKET])
        opened = WebSocket(daemon.uris[0], "Origin: https://b.example")
        self.addCleanup(opened.close)
        opened.expect("ping", "1 pong")

    def test_a_malformed_origin_or_address_is_a_usage_error(self) -> None:
        for flags in ("--ws-origin", "example.com"), ("--ws-origin", "null"), ("--listen", "ws://127.0.0.1:0/a?b"):
            finished = run_to_exit(*flags)
            self.assertEqual(finished.returncode, 2)
            self.assertRegex(finished.stderr, r"^lockd: .*\n$")
