"""`otter serve` among clients that hold its places: slow ones, silent ones, more than there is room or descriptors for."""
# SPDX-License-Identifier: Apache-2.0

import concurrent.futures
import contextlib
import os
import resource
import select
import socket
import ssl
import time
import unittest

from otter_serve import WAIT_S, OtterServe, cpu_seconds
from serve_case import BIG, BODY, ask, client_context, connect, raw_status, read_to_end, shared, tls_socket

FEW_FILES = ("prlimit", "--nofile=64:64")  # room for 13 connections
CROWD = 20


def setUpModule():
    shared.start()


def tearDownModule():
    shared.close()


def plain_socket(server):
    return socket.create_connection(("127.0.0.1", server.port), WAIT_S)


def drip(connection, byte=b"a", pause=0.05):
    """Sends one byte after the other until the other end has had enough. Seconds that took."""
    start = time.monotonic()
    while time.monotonic() - start < WAIT_S:
        if select.select([connection], [], [], pause)[0]:
            return time.monotonic() - start
        try:
            connection.sendall(byte)
        except OSError:
            return time.monotonic() - start
    raise AssertionError("nobody ended it")


class Time(unittest.TestCase):
    """What one connection is given."""

    LIMIT_S = 1

    @classmethod
    def setUpClass(cls):
        cls.server = cls.enterClassContext(OtterServe(shared.folder, shared.cert, "--timeout", str(cls.LIMIT_S)))

    def check_took(self, seconds):
        self.assertGreater(seconds, self.LIMIT_S - 0.3)
        self.assertLess(seconds, self.LIMIT_S + 5)  # on a busy machine

    def test_silent_connections_are_closed(self):
        with plain_socket(self.server) as plain, tls_socket(self.server) as idle, tls_socket(self.server) as half:
            half.sendall(b"GET /app.bin HTT")
            start = time.monotonic()
            for connection in (plain, idle, half):
                read_to_end(connection)
            self.check_took(time.monotonic() - start)

    def test_a_head_has_a_limit_however_it_trickles(self):
        with tls_socket(self.server) as first, tls_socket(self.server) as later:
            later.sendall(b"HEAD /app.bin HTTP/1.1\r\nHost: x\r\n\r\n")
            self.assertEqual(raw_status(later.recv(4096)), 200)
            for connection in (first, later):
                connection.sendall(b"GET /app.bin HTTP/1.1\r\nX: ")
            with concurrent.futures.ThreadPoolExecutor() as pool:
                for seconds in pool.map(drip, (first, later)):
                    self.check_took(seconds)

    def test_a_handshake_has_a_limit_however_it_trickles(self):
        with plain_socket(self.server) as connection:
            connection.sendall(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
            self.check_took(drip(connection))

    def test_who_takes_nothing_of_an_answer_is_cut_and_who_takes_little_is_not(self):
        with contextlib.closing(connect(self.server)) as stuck, contextlib.closing(self.slow_reader()) as slow:
            stuck.request("GET", "/big.bin")
            start = time.monotonic()
            while time.monotonic() - start < 2 * self.LIMIT_S:
                self.assertNotEqual(slow.recv(4096), b"")
                time.sleep(0.1)  # the pace of the client
            lines = []
            while not (lines and lines[-1].startswith("127.0.0.1 GET /big.bin 200")):
                lines.append(self.server.next_line())
            self.assertRegex(lines[-1], " cut$")
            self.check_took(time.monotonic() - start - self.LIMIT_S)
            self.assertNotEqual(slow.recv(4096), b"")

    def slow_reader(self):
        plain = socket.socket()
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        plain.settimeout(WAIT_S)
        plain.connect(("127.0.0.1", self.server.port))
        connection = client_context().wrap_socket(plain, server_hostname="127.0.0.1")
        connection.sendall(b"GET /big.bin HTTP/1.1\r\nHost: x\r\n\r\n")
        return connection

    def test_waiting_costs_nothing(self):
        with contextlib.ExitStack() as stack:
            crowd = [stack.enter_context(plain_socket(self.server)) for _ in range(CROWD)]
            before = cpu_seconds(self.server.pid)
            for connection in crowd:
                read_to_end(connection)
            self.assertLess(cpu_seconds(self.server.pid) - before, 0.5)

    def test_the_log_tells_why(self):
        with plain_socket(self.server) as connection:
            read_to_end(connection)
        lines = [self.server.next_line()]
        while "no whole request within" not in lines[-1]:
            lines.append(self.server.next_line())


class Places(unittest.TestCase):
    """More clients than places: those that ask for something come first."""

    def serve(self, *options):
        return OtterServe(shared.folder, shared.cert, "--quiet", *options, prefix=FEW_FILES)

    def check_served(self, server):
        start = time.monotonic()
        self.assertEqual(ask(server=server)[2], BODY)
        self.assertLess(time.monotonic() - start, 10)  # and not at the end of some time limit

    def check_crowd(self, join):
        """`join` makes a client of a server; a crowd of those shuts nobody out, and it leaves nothing behind."""
        with self.serve() as server, contextlib.ExitStack() as stack:
            for _ in range(CROWD):
                with contextlib.suppress(OSError):  # some of them have been sent away already
                    stack.enter_context(join(server))
            self.check_served(server)
            stack.close()
            self.check_served(server)

    def test_silent_clients(self):
        self.check_crowd(plain_socket)

    def test_clients_that_are_still_at_the_handshake(self):
        def join(server):
            connection = plain_socket(server)
            connection.sendall(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
            return connection

        self.check_crowd(join)

    def test_clients_that_are_still_at_the_head(self):
        def join(server):
            connection = tls_socket(server)
            connection.sendall(b"GET /app.bin HTTP/1.1\r\nX: ")
            return connection

        self.check_crowd(join)

    def test_clients_that_take_nothing_of_their_answer(self):
        def join(server):
            connection = tls_socket(server)
            connection.sendall(b"GET /big.bin HTTP/1.1\r\nHost: x\r\n\r\n")
            return connection

        self.check_crowd(join)

    def test_downloads_that_go_on_are_not_cut_for_others(self):
        with self.serve("--rate", "1M") as server, contextlib.ExitStack() as stack:
            for _ in range(CROWD):
                stack.enter_context(plain_socket(server))
            with concurrent.futures.ThreadPoolExecutor() as pool:
                for status, _, body in pool.map(
                        lambda at: ask("/big.bin", {"Range": f"bytes={at}-{at + 2_499_999}"}, server=server), range(5)):
                    self.assertEqual((status, len(body)), (206, 2_500_000))


class Descriptors(unittest.TestCase):
    def test_without_descriptors_nobody_is_let_in_and_nothing_spins(self):
        with OtterServe(shared.folder, shared.cert, "--quiet") as server, contextlib.ExitStack() as stack:
            ask(server=server)
            least = len(os.listdir(f"/proc/{server.pid}/fd"))
            before = resource.prlimit(server.pid, resource.RLIMIT_NOFILE, (least + 2, resource.prlimit(
                server.pid, resource.RLIMIT_NOFILE)[1]))
            crowd = [stack.enter_context(plain_socket(server)) for _ in range(CROWD)]
            self.assertRegex(server.next_error(), "cannot accept: Too many open files; .*ulimit -n")
            used = cpu_seconds(server.pid)
            time.sleep(2)  # nothing is to happen
            self.assertLess(cpu_seconds(server.pid) - used, 0.3)
            resource.prlimit(server.pid, resource.RLIMIT_NOFILE, before)
            self.assertEqual(ask(server=server)[2], BODY)
            self.assertEqual(len(crowd), CROWD)

    def test_with_few_descriptors_there_is_still_one_place(self):
        with OtterServe(shared.folder, shared.cert, "--quiet", prefix=("prlimit", "--nofile=20:20")) as server:
            for _ in range(3):
                self.assertEqual(ask("/big.bin", server=server)[2], BIG)


class Framing(unittest.TestCase):
    def test_a_request_that_others_may_read_otherwise_is_refused(self):
        rows = {"the same twice": b"Content-Length: 0\r\nContent-Length: 0\r\n",
                "two": b"Content-Length: 0\r\nContent-Length: 5\r\n",
                "in other case": b"content-length: 5\r\nCONTENT-LENGTH: 0\r\n",
                "and a coding": b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n",
                "a coding before": b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n",
                "two codings": b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
                "a list": b"Content-Length: 0, 0\r\n",
                "a sign": b"Content-Length: +0\r\n",
                "a blank before the colon": b"Content-Length : 5\r\n",
                "two hosts": b"Host: y\r\n"}
        for name, fields in rows.items():
            for method in (b"GET", b"POST"):
                with self.subTest(name, method=method), tls_socket() as connection:
                    connection.sendall(method + b" /app.bin HTTP/1.1\r\nHost: x\r\n" + fields +
                                       b"\r\nGET /sub/deep.bin HTTP/1.1\r\nHost: x\r\n\r\n")
                    said = read_to_end(connection)
                    self.assertEqual(raw_status(said), 400)
                    self.assertNotIn(b"HTTP/1.1 200", said)


if __name__ == "__main__":
    unittest.main()
