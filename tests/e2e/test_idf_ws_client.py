"""A project's client of web sockets: frames both ways, TLS, what breaks, and what is no web socket."""
# SPDX-License-Identifier: Apache-2.0

import base64
import hashlib
import shutil
import socket
import ssl
import struct
import threading
import unittest

from device import in_full
from idf_project import LIMIT_S, FolderTest, otter

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10


class Server:
    """Serves connections one after the other, each by the next function of a list; keeps what it was asked and sent."""

    def __init__(self, scripts, context=None):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.settimeout(LIMIT_S)
        self.port = self.listener.getsockname()[1]
        self.heads, self.frames, self.context = [], [], context
        self.thread = threading.Thread(target=self.serve, args=(scripts,))
        self.thread.start()

    def serve(self, scripts):
        for script in scripts:
            with self.listener.accept()[0] as raw:
                raw.settimeout(LIMIT_S)
                with self.context.wrap_socket(raw, server_side=True) if self.context else raw as client:
                    self.file = client.makefile("rb")
                    self.heads.append([line.decode().strip() for line in iter(self.file.readline, b"\r\n")])
                    script(self, client)
                    self.file.close()
        self.listener.close()

    def accept(self, client, early=b""):
        key = next(line.split(": ")[1] for line in self.heads[-1] if line.startswith("Sec-WebSocket-Key"))
        accept = base64.b64encode(hashlib.sha1(key.encode() + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest()).decode()
        client.sendall(("HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\n"
                        f"sec-websocket-accept: {accept}\r\n\r\n").encode() + early)

    def read(self):
        head = self.file.read(2)
        size = head[1] & 127
        if size > 125:
            size = int.from_bytes(self.file.read(2 if size == 126 else 8), "big")
        assert head[1] & 128, "a client's frame has a mask"
        mask = self.file.read(4)
        content = bytes(b ^ mask[i % 4] for i, b in enumerate(self.file.read(size)))
        self.frames.append((head[0] & 15, head[0] >> 7, content))
        return self.frames[-1]

    def stop(self):
        self.thread.join(LIMIT_S)


def frame(kind, content, final=True):
    size = bytes([len(content)]) if len(content) < 126 else b"\x7e" + struct.pack(">H", len(content)) if len(content) < 65536 \
        else b"\x7f" + struct.pack(">Q", len(content))
    return bytes([final << 7 | kind]) + size + content


def echo(server, client):
    """What the device sends by "send", back again, with a ping in front; then goodbye."""
    server.accept(client, early=frame(TEXT, b"at once") + frame(PING, b"p"))
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for _ in range(6):
        kind, final, content = server.read()
        if kind == BINARY:
            whole = frame(kind, content, final)
            for byte in whole[:10]:  # a head that does not come in one piece
                client.sendall(bytes([byte]))
            client.sendall(whole[10:])
        elif kind != PONG:
            client.sendall(frame(kind, content, final))
    client.sendall(frame(CLOSE, struct.pack(">H", 1000)))
    server.read()


def echo_and_end(server, client):
    """The same for a transport: it ends without waiting for more than what is answered of itself."""
    server.accept(client, early=frame(TEXT, b"at once") + frame(PING, b"p"))
    while len([f for f in server.frames if f[0] != PONG]) < 4:
        kind, final, content = server.read()
        if kind != PONG:
            client.sendall(frame(kind, content, final))
    client.sendall(frame(CLOSE, struct.pack(">H", 1000)))
    client.settimeout(2)
    try:
        while server.context is None and not {PONG, CLOSE} <= {f[0] for f in server.frames}:
            server.read()
    except TimeoutError:
        pass


def answer(server, client):
    server.accept(client)
    kind, _, content = server.read()
    client.sendall(frame(kind, content))


class WsClient(FolderTest):
    source = "ws_client"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        shutil.copy(cls.project.folder / "ca.pem", cls.project.path / "main" / "ca.pem")
        cls.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        cls.context.load_cert_chain(cls.project.cert.cert, cls.project.cert.key)
        cls.project.build()

    def run_device(self, server, *lines, scheme="ws"):
        console = "".join(line + "\n" for line in (f"{scheme}://localhost:{server.port}/path?a=b", *lines))
        done = otter("run", self.project.out, "--until", "all is said", "--max-seconds", "100", input=console)
        server.stop()
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout

    def check_echo(self, server, said):
        self.check_lines(("no place 1\n", "set 0x102, 7 s, 90 ms\n", "not connected -1\n", "uri 0x0\n", "start 0x0\n"), said)
        self.check_lines(("event begin mine\n", "event before mine\n", "event connected mine\n",
                          "event data mine op 1 fin 1, 7 of 7 at 0: at once\n", "event data mine op 9 fin 1, 1 of 1 at 0: p\n",
                          "event data mine op 1 fin 1, 6 of 6 at 0: a text\n",
                          "event data mine op 1 fin 0, 3 of 3 at 0: one\n", "event data mine op 0 fin 0, 3 of 3 at 0: two\n",
                          "event data mine op 0 fin 1, 0 of 0 at 0: \n", "event data mine op 8 fin 1, 2 of 2 at 0: ",
                          "event closed mine\n", "event finish mine\n"), said)
        self.assertIn("sent 6 70000 3 3 0\n", said)
        self.assertEqual(sum(int(line.split(",")[1].split()[0]) for line in said.splitlines() if " op 2 " in line), 70000)
        frames = [f for f in server.frames if f[0] != PONG]
        self.assertEqual(frames, [(TEXT, 1, b"a text"), (BINARY, 1, b"l" * 70000), (TEXT, 0, b"one"), (0, 0, b"two"), (0, 1, b""),
                                  (CLOSE, 1, b"\x03\xe8")])
        self.assertIn((PONG, 1, b"p"), server.frames)

    def test_frames_both_ways(self):
        server = Server([echo])
        self.check_echo(server, self.run_device(server, "send", "finish"))
        head = server.heads[0]
        self.assertEqual(head[0], "GET /path?a=b HTTP/1.1")
        for line in ("Sec-WebSocket-Version: 13", "Sec-WebSocket-Protocol: proto", "X-Own: 1", "X-More: 2",
                     "Authorization: Basic " + base64.b64encode(b"user:secret").decode()):
            self.assertIn(line, head)

    def test_over_tls(self):
        server = Server([echo], self.context)
        self.check_echo(server, self.run_device(server, "send", "finish", scheme="wss"))

    def use_transport(self, server, scheme):
        done = otter("run", self.project.out, "--until", "all is said", "--max-seconds", "100",
                     input=f"transport {scheme} {server.port}\n")
        server.stop()
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout

    def test_as_a_transport(self):
        for scheme, context, seen in (
                ("ws", None, ("op 1 fin 1, 7 of 7: at once\n", "op 1 fin 1, 6 of 6: a text\n",
                              "op 1 fin 0, 3 of 3: one\n", "op 0 fin 1, 0 of 0: \n")),
                ("wss", self.context, ("op 1 fin 1, 7 of 7: at once\n", "op 9 fin 1, 1 of 1: p\n",
                                       "op 1 fin 1, 6 of 6: a text\n", "op 1 fin 0, 3 of 3: one\n", "op 0 fin 1, 0 of 0: \n",
                                       "op 8 fin 1, 2 of 2: "))):
            with self.subTest(scheme):
                server = Server([echo_and_end], context)
                said = self.use_transport(server, scheme)
                self.check_lines(("no web socket 0x102 -1, none 1\n", "carried by 1 1\n", "not connected -1\n",
                                  "connected 0, status 101, elsewhere none\n", "nothing yet 1 1\n", "sent 6 70000 3 0\n", *seen,
                                  "large 70000, then -", ", closed 1\n"), said)
                frames = [f for f in server.frames if f[0] not in (PONG, CLOSE)]
                self.assertEqual(frames, [(TEXT, 1, b"a text"), (BINARY, 1, b"l" * 70000), (TEXT, 0, b"one"), (0, 1, b"")])
                self.assertEqual([f for f in server.frames if f[0] in (PONG, CLOSE)],
                                 [(PONG, 1, b"p"), (CLOSE, 1, b"\x03\xe8")] if scheme == "ws" else [])
                lines = {"ws": ("GET /path HTTP/1.1", "X-Own: 1", "Authorization: Basic abc", "User-Agent: me"),
                         "wss": ("GET /secure HTTP/1.1", "Sec-WebSocket-Protocol: proto")}[scheme]
                for line in lines:
                    self.assertIn(line, server.heads[0])

    def test_as_a_transport_to_what_is_none(self):
        for name, answered, line in (
                ("elsewhere", b"HTTP/1.1 302 x\r\nLocation: ws://other/ \r\n\r\n",
                 "connected 302, status 302, elsewhere ws://other/\n"),
                ("refused", b"HTTP/1.1 404 x\r\n\r\n", "connected -1, status 404, elsewhere none\n"),
                ("no proof", b"HTTP/1.1 101 x\r\n\r\n", "connected -1, status 101, elsewhere none\n"),
                ("no HTTP", b"hello\r\n\r\n", "connected -1, status -1, elsewhere none\n"),
                ("nothing", b"", "connected -1, status -1, elsewhere none\n")):
            with self.subTest(name):
                server = Server([lambda server, client, answered=answered: client.sendall(answered)])
                self.assertIn(line, self.use_transport(server, "ws"))

    def test_goodbye_of_the_device(self):
        server = Server([answer])
        said = self.run_device(server, "close")
        self.assertEqual(server.frames, [(CLOSE, 1, b"\x03\xe8")])
        self.check_lines(("event closed mine\n", "event finish mine\n", "close 0x0\n", "again 0xffffffff, connected 0\n"), said)

    def test_connects_again_behind_what_is_none(self):
        server = Server([lambda server, client: client.sendall(b"HTTP/1.1 404 Not Found\r\n\r\n"),
                         lambda server, client: client.sendall(b"HTTP/1.1 101 x\r\nSec-WebSocket-Accept: a\r\n\r\n"),
                         lambda server, client: server.accept(client, early=frame(TEXT, b"cut")[:3]),
                         lambda server, client: server.accept(client, early=b"\x81\x83mask..."),
                         answer])
        said = self.run_device(server, "send", "send", "close")
        self.check_lines(("event error mine kind 3, status 404\n", "event disconnected mine\n",
                          "event error mine kind 3, status 101\n",
                          "event connected mine\n", "event disconnected mine\n",
                          "event connected mine\n", "event disconnected mine\n", "event connected mine\n"), said)

    @in_full
    def test_so_it_does_under_the_sanitizers(self):
        for sanitizer in ("address,undefined", "thread"):
            with self.subTest(sanitizer):
                self.project.build("--sanitize", sanitizer)
                self.test_frames_both_ways()
                self.test_over_tls()
                self.test_connects_again_behind_what_is_none()
                self.test_as_a_transport()
                self.test_as_a_transport_to_what_is_none()


if __name__ == "__main__":
    unittest.main()
