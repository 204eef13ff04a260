"""Web sockets, raw answers and TLS of a project's web server."""
# SPDX-License-Identifier: Apache-2.0

import base64
import concurrent.futures
import http.client
import os
import pathlib
import shutil
import socket
import ssl
import struct
import unittest

from device import in_full
from idf_project import LIMIT_S, Device, FolderTest

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
KEY, ACCEPT = "dGhlIHNhbXBsZSBub25jZQ==", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="  # of RFC 6455


class WebSocket:
    """A client that sends and reads frames, also wrong ones."""

    def __init__(self, port, path, context=None, fields=(), early=b""):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=LIMIT_S)
        if context:
            self.socket = context.wrap_socket(self.socket, server_hostname="localhost")
        head = [f"GET {path} HTTP/1.1", "Host: localhost", "Connection: keep-alive, Upgrade", "Upgrade: WebSocket",
                f"Sec-WebSocket-Key: {KEY}", *(fields or ["Sec-WebSocket-Version: 13"])]
        self.socket.sendall("\r\n".join(head).encode() + b"\r\n\r\n" + early)
        self.file = self.socket.makefile("rb")
        self.status = int(self.file.readline().split()[1])
        self.fields = dict(line.decode().strip().split(": ", 1) for line in iter(self.file.readline, b"\r\n"))

    @staticmethod
    def frame(kind, content, final=True, mask=b"\x01\x02\x03\x04", rsv=0):
        size = len(content)
        head = bytes([final << 7 | rsv << 4 | kind])
        bit = 0x80 if mask else 0
        head += bytes([bit | size]) if size < 126 else bytes([bit | 126]) + struct.pack(">H", size) if size < 65536 \
            else bytes([bit | 127]) + struct.pack(">Q", size)
        return head + mask + (bytes(b ^ mask[i % 4] for i, b in enumerate(content)) if mask else content)

    def send(self, *args, **options):
        self.socket.sendall(self.frame(*args, **options))

    def read(self):
        """@return type and content of the next frame, None: the connection has ended"""
        try:
            head = self.file.read(2)
        except (ConnectionError, ssl.SSLError):
            return None
        if len(head) < 2:
            return None
        size = head[1]
        if size == 126:
            size = struct.unpack(">H", self.file.read(2))[0]
        elif size == 127:
            size = struct.unpack(">Q", self.file.read(8))[0]
        return head[0] & 15, self.file.read(size)

    def close(self):
        self.file.close()
        self.socket.close()


class Sockets(FolderTest):
    source = "sockets"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for name, path in (("server.pem", cls.project.cert.cert), ("server.key", cls.project.cert.key)):
            shutil.copy(path, cls.project.path / "main" / name)
        shutil.copy(cls.project.folder / "ca.pem", cls.project.path / "main" / "ca.pem")
        der = ssl.PEM_cert_to_DER_cert(pathlib.Path(cls.project.cert.cert).read_text(encoding="ascii"))
        (cls.project.path / "main" / "server.der").write_bytes(der)
        cls.context = ssl.create_default_context(cafile=cls.project.folder / "ca.pem")
        cls.project.build()

    def start(self):
        device = Device(self.project.out, "--new", "--port", "80=0", "--port", "443=0", "--port", "81=0", "--port", "444=0")
        self.addCleanup(device.stop)
        self.port = int(device.wait_for(r"port 80 of the device is http://127\.0\.0\.1:(\d+)")[1])
        self.secure = int(device.wait_for(r"port 443 of the device is https://127\.0\.0\.1:(\d+)")[1])
        self.closed = int(device.wait_for(r"port 444 of the device is https://127\.0\.0\.1:(\d+)")[1])
        self.own = int(device.wait_for(r"port 81 of the device is http://127\.0\.0\.1:(\d+)")[1])
        device.wait_for("both are there")
        return device

    def open(self, path, port=None, **options):
        client = WebSocket(port or self.port, path, **options)
        self.addCleanup(client.close)
        return client

    def ask(self, path):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=LIMIT_S)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read(), answer.getheader("X-Raw")
        finally:
            connection.close()

    def check_frames(self, client):
        for kind, content in ((TEXT, b"a text"), (BINARY, bytes(range(256)) * 2), (BINARY, os.urandom(100000)), (TEXT, b"")):
            with self.subTest(len(content)):
                client.send(kind, content)
                self.assertEqual(client.read(), (kind, content))

    def test_frames_come_back(self):
        device = self.start()
        client = self.open("/echo?a=b", early=WebSocket.frame(TEXT, b"at once"))
        self.assertEqual((client.status, client.fields["Sec-WebSocket-Accept"]), (101, ACCEPT))
        self.assertNotIn("Sec-WebSocket-Protocol", client.fields)
        device.wait_for(r"hello /echo\?a=b, 2 of echo")
        device.wait_for("no frame yet 0x103")
        device.wait_for("frame type 1, 7 bytes, final 1, fragmented 0, too small 0x104")
        self.assertEqual(client.read(), (TEXT, b"at once"))
        self.check_frames(client)
        client.send(TEXT, b"la", final=False)
        device.wait_for("frame type 1, 2 bytes, final 0, fragmented 1")
        client.send(0, b"ter")
        device.wait_for("frame type 0, 3 bytes, final 1, fragmented 1")
        self.assertEqual([client.read(), client.read()], [(TEXT, b"la"), (0, b"ter")])
        client.send(TEXT, b"later")
        self.assertEqual(client.read(), (TEXT, b"from the server's task"))
        device.wait_for("sent 0x0 by httpd")
        client.send(TEXT, b"task")
        self.assertEqual(client.read(), (TEXT, b"from a task"))
        client.send(PING, b"alive?")
        self.assertEqual(client.read(), (PONG, b"alive?"))
        client.send(PONG, b"")
        client.socket.sendall(WebSocket.frame(TEXT, b"one") + WebSocket.frame(PING, b"p") + WebSocket.frame(TEXT, b"two"))
        self.assertEqual([client.read() for _ in range(3)], [(TEXT, b"one"), (PONG, b"p"), (TEXT, b"two")])
        client.send(CLOSE, b"\x03\xe8")
        self.assertEqual([client.read(), client.read()], [(CLOSE, b"\x03\xe8"), None])

    def test_frame_that_comes_byte_by_byte(self):
        self.start()
        client = self.open("/echo")
        client.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in WebSocket.frame(TEXT, b"x" * 200):
            client.socket.sendall(bytes([byte]))
        self.assertEqual(client.read(), (TEXT, b"x" * 200))

    def test_control_frames_for_who_wants_them(self):
        device = self.start()
        client = self.open("/control")
        client.send(PING, b"1")
        device.wait_for("frame type 9, 1 bytes")
        client.send(CLOSE, b"")
        device.wait_for("frame type 8, 0 bytes")
        self.assertIsNone(client.read())

    def test_subprotocol(self):
        self.start()
        version = "Sec-WebSocket-Version: 13"
        client = self.open("/echo", fields=[version, "Sec-WebSocket-Protocol: other, mine"])
        self.assertEqual(client.fields["Sec-WebSocket-Protocol"], "mine")
        client = self.open("/echo", fields=[version, "Sec-WebSocket-Protocol: mines"])
        self.assertNotIn("Sec-WebSocket-Protocol", client.fields)

    def test_what_is_no_web_socket(self):
        device = self.start()
        self.assertEqual(self.open("/echo", fields=["Sec-WebSocket-Version: 8"]).status, 400)
        self.assertEqual(self.open("/echo", fields=["X: y"]).status, 400)
        for name, spoilt in (("a frame without a mask", WebSocket.frame(TEXT, b"x", mask=b"")),
                             ("a reserved bit", WebSocket.frame(TEXT, b"x", rsv=4)),
                             ("a frame of more than 16 MiB", b"\x82\xff" + struct.pack(">Q", (16 << 20) + 1) + b"mask")):
            with self.subTest(name):
                client = self.open("/echo")
                client.socket.sendall(spoilt + b"more")
                self.assertIsNone(client.read())
        client = self.open("/echo")
        client.send(TEXT, b"end")
        self.assertIsNone(client.read())
        gone = self.open("/echo")
        gone.socket.sendall(WebSocket.frame(TEXT, b"half")[:5])
        gone.close()
        self.assertEqual(self.ask("/plain"), (200, b"plain", None))
        device.wait_for("no web socket 0x102 0x103")
        self.check_frames(self.open("/echo"))

    def test_bytes_of_the_apps_own(self):
        device = self.start()
        self.assertEqual(self.ask("/raw"), (299, b"bytes", "1"))
        device.wait_for("raw 36 of 36, other socket -2")
        self.assertEqual(self.ask("/raw"), (299, b"bytes", "1"))

    def test_over_tls_and_a_stop_with_open_sockets(self):
        device = self.start()
        self.assertIn("no certificate 0x102\n", device.said)
        self.assertIn("no key 0xffffffff\n", device.said)
        connection = http.client.HTTPSConnection("localhost", self.secure, timeout=LIMIT_S, context=self.context)
        for _ in range(2):  # the connection stays
            connection.request("GET", "/plain")
            self.assertEqual(connection.getresponse().read(), b"plain")
        connection.close()
        clients = [self.open("/echo"), self.open("/echo", port=self.secure, context=self.context)]
        for client in clients:
            self.check_frames(client)
        self.assertEqual(self.ask("/stop"), (200, b"stopping", None))
        device.wait_for("both are gone")
        self.assertEqual([client.read() for client in clients], [None, None])

    def test_large_frames_over_tls_for_a_client_that_reads_slowly(self):
        self.start()
        client = self.open("/echo", port=self.secure, context=self.context)
        content = os.urandom(1 << 20)
        for size in (len(content), 70000, 16384, 16385):
            with self.subTest(size):
                client.send(BINARY, content[:size], mask=bytes(4))
                kind, got = client.read()
                self.assertEqual((kind, len(got)), (BINARY, size))
                self.assertEqual(got, content[:size])
        client.send(PING, b"alive?")
        self.assertEqual(client.read(), (PONG, b"alive?"))
        client.send(CLOSE, b"")
        self.assertEqual([client.read(), client.read()], [(CLOSE, b""), None])

    def talk(self, port, context=None):
        client = socket.create_connection(("127.0.0.1", port), timeout=LIMIT_S)
        client = context.wrap_socket(client, server_hostname="localhost") if context else client
        self.addCleanup(client.close)
        client.sendall(b"POST /talk HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello")
        return client

    def test_handler_that_talks_without_http(self):
        device = self.start()
        for port, context in ((self.port, None), (self.secure, self.context)):
            with self.subTest(port):
                client = self.talk(port, context)
                device.wait_for("body 3 bytes")
                device.wait_for("the other 2 bytes")
                device.wait_for("nothing yet -3")
                with client.makefile("rb") as answer:
                    self.assertEqual([answer.readline() for _ in range(3)],
                                     [b"HTTP/1.1 101 Talk\r\n", b"Upgrade: talk\r\n", b"\r\n"])
                    client.sendall(b"something of more than eight bytes")
                    self.assertEqual(answer.read(34), b"something of more than eight bytes")
                    client.unwrap() if context else client.shutdown(socket.SHUT_WR)
                    device.wait_for("it says no more: 0, nobody: -2")

    def test_functions_of_its_own_for_a_sessions_bytes(self):
        device = self.start()
        with socket.create_connection(("127.0.0.1", self.own), timeout=LIMIT_S) as client:
            device.wait_for("in, nobody 0x105")
            request = b"GET /plain HTTP/1.1\r\nHost: a\r\nX-Long: " + b"a" * 300 + b"\r\n\r\n"
            for _ in range(2):
                client.sendall(bytes(b - 1 for b in request))
                answer = b""
                while not answer.endswith(b"plain"):
                    answer += bytes((b + 1) % 256 for b in client.recv(1000))
                self.assertTrue(answer.startswith(b"HTTP/1.1 200 OK\r\n"), answer)
        device.wait_for("its transport was one more")
        device.wait_for("out")
        self.assertEqual(self.ask("/who?late")[1], b"127.0.0.1, one of 1, late 0x106")

    def test_clients_with_a_certificate(self):
        device = self.start()
        self.assertIn("no secure element 0x106\n", device.said)
        with self.assertRaises((ssl.SSLError, ConnectionError)):
            with self.context.wrap_socket(socket.create_connection(("127.0.0.1", self.closed), timeout=LIMIT_S),
                                          server_hostname="localhost") as refused:
                refused.recv(1)  # with TLS 1.3 the server's refusal comes behind the handshake
        device.wait_for("a client is refused, 0x801a")
        known = ssl.create_default_context(cafile=self.project.folder / "ca.pem")
        known.load_cert_chain(self.project.cert.cert, self.project.cert.key)
        connection = http.client.HTTPSConnection("localhost", self.closed, timeout=LIMIT_S, context=known)
        connection.request("GET", "/who")
        self.assertEqual(connection.getresponse().read(), b"127.0.0.1, one of 1, late 0x0")
        device.wait_for("a client comes, 0x0")
        connection.close()
        device.wait_for("a client goes, 0x0")

    def test_sixteen_clients_at_once(self):
        self.start()  # both servers have room for less
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            answers = list(pool.map(lambda _: self.ask("/plain"), range(64)))
        self.assertEqual(answers, [(200, b"plain", None)] * 64)

    def test_silent_clients_of_tls_keep_nobody_waiting(self):
        device = self.start()
        silent = [socket.create_connection(("127.0.0.1", self.secure), timeout=LIMIT_S) for _ in range(3)]
        connection = http.client.HTTPSConnection("localhost", self.secure, timeout=LIMIT_S, context=self.context)
        connection.request("GET", "/plain")
        self.assertEqual(connection.getresponse().read(), b"plain")
        connection.close()
        self.assertEqual(self.ask("/stop"), (200, b"stopping", None))
        device.wait_for("both are gone")
        for client in silent:
            client.close()

    @in_full
    def test_so_they_do_under_the_sanitizers(self):
        for sanitizer in ("address,undefined", "thread"):
            with self.subTest(sanitizer):
                self.project.build("--sanitize", sanitizer)
                for test in (self.test_frames_come_back, self.test_what_is_no_web_socket,
                             self.test_over_tls_and_a_stop_with_open_sockets, self.test_clients_with_a_certificate,
                             self.test_large_frames_over_tls_for_a_client_that_reads_slowly,
                             self.test_handler_that_talks_without_http,
                             self.test_functions_of_its_own_for_a_sessions_bytes,
                             self.test_silent_clients_of_tls_keep_nobody_waiting):
                    test()
                    self.doCleanups()  # a device's flash has one user


if __name__ == "__main__":
    unittest.main()
