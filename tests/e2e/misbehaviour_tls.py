"""The catalogue's rows about what is below HTTP: TLS, certificates, addresses."""
# SPDX-License-Identifier: Apache-2.0

import contextlib
import fcntl
import os
import socket
import ssl
import struct
import subprocess
import termios

import misbehaviour
import servers
from misbehaviour import LOST, OK, REFUSED, STALL_S, STALLED, UNCONNECTED, entry


def deliver(peer):
    while peer.request() is not None:
        peer.answer()


misbehaviour.group[0] = "TLS and certificates"

for name, does, outcome, tls in (
        ("tls-1.2-only", "speaks TLS 1.2 only", OK, "tls-1.2"),
        ("tls-1.3-only", "speaks TLS 1.3 only", OK, "tls-1.3"),
        ("tls-1.0-only", "speaks TLS 1.0 only", UNCONNECTED, "tls-1.0"),
        ("tls-1.1-only", "speaks TLS 1.1 only", UNCONNECTED, "tls-1.1"),
        ("certificate-expired", "shows an expired certificate", UNCONNECTED, "expired"),
        ("certificate-not-yet", "shows a certificate that is not valid yet", UNCONNECTED, "not-yet"),
        ("certificate-wrong-name", "shows a certificate for other names", UNCONNECTED, "wrong-name"),
        ("certificate-other-ca", "shows a certificate of a CA that was not given", UNCONNECTED, "other-ca"),
        ("certificate-self-signed", "shows a certificate that signs itself", UNCONNECTED, "self-signed"),
        ("certificate-rsa-512", "shows an RSA key of 512 bits", UNCONNECTED, "rsa-512"),
        ("certificate-rsa-1024", "shows an RSA key of 1024 bits", UNCONNECTED, "rsa-1024"),
        ("certificate-sha1", "shows a certificate signed with SHA-1", UNCONNECTED, "sha1"),
        ("client-certificate-wanted", "wants a client certificate (TLS 1.3: it says so after the handshake)",
         f"{REFUSED} or ESP_ERR_HTTP_WRITE_DATA request", "client-certificate-1.3"),
        ("client-certificate-wanted-1.2", "wants a client certificate (TLS 1.2)", UNCONNECTED,
         "client-certificate-1.2"),
):
    entry(name, does, outcome, tls=tls)(deliver)


@entry("tls-closed-without-notify", "sends the image with its length and closes without TLS's close notify", OK)
def _(peer):
    peer.request()
    peer.answer("Connection: close")


@entry("tls-cut-where-the-end-matters", "sends the image without a length and closes without TLS's close notify: "
       "the image itself says that nobody cut it", OK)
def _(peer):
    peer.request()
    peer.head("200 OK", "Connection: close")
    peer.send(peer.image)


class BehindTls:
    """A server's TLS made in memory, so that what goes out can be cut and delayed at every byte of its records."""

    def __init__(self, peer):
        self.raw = peer.connection
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = peer.player.certs.context("good").wrap_bio(self.incoming, self.outgoing, server_side=True)
        self.until_done(self.tls.do_handshake)
        self.until_done(lambda: self.tls.read(4096))

    def until_done(self, step):
        while True:
            try:
                step()
                break
            except ssl.SSLWantReadError:
                self.raw.sendall(self.outgoing.read())
                data = self.raw.recv(4096)
                if not data:
                    raise ConnectionError("the client left") from None
                self.incoming.write(data)
        self.raw.sendall(self.outgoing.read())

    def records(self, data):
        """The bytes on the wire for it."""
        self.tls.write(data)
        return self.outgoing.read()


@entry("tls-record-drips", "sends the second TLS record of the body a byte every 0.6 seconds", STALLED,
       tls="none", limit_s=STALL_S)
def _(peer):
    records = BehindTls(peer).records(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(peer.image) + peer.image)
    peer.send(records[:18_000])
    peer.send_each(records[18_000:], pause_s=0.6)


@entry("tls-cut-in-a-record", "cuts the connection in the middle of a TLS record", LOST, tls="none")
def _(peer):
    records = BehindTls(peer).records(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(peer.image) + peer.image)
    peer.send(records[:18_000])


@entry("tls-broken-record", "sends a broken TLS record in the middle of the body", LOST)
def _(peer):
    peer.request()
    peer.head(length=len(peer.image))
    peer.send(peer.image[:9000])
    raw = socket.socket(fileno=peer.connection.detach())
    try:
        raw.sendall(b"\x17\x03\x03\x00\x40" + bytes(64))
        raw.settimeout(2)
        raw.recv(100)
    finally:
        raw.close()


@entry("tls-garbage", "says bytes that are no TLS", UNCONNECTED, tls="none")
def _(peer):
    peer.connection.recv(4096)
    peer.send(b"\x80garbage" * 100)
    peer.hold(3)


@entry("tls-is-plain-http", "speaks plain HTTP on that port", UNCONNECTED, tls="none")
def _(peer):
    peer.connection.recv(4096)
    peer.answer(status="400 Bad Request", body=b"no TLS here")


@entry("tls-alert", "refuses with a TLS alert", UNCONNECTED, tls="none")
def _(peer):
    peer.connection.recv(4096)
    peer.send(b"\x15\x03\x03\x00\x02\x02\x28")


@entry("tls-drips", "sends a handshake byte every 0.4 seconds", UNCONNECTED, tls="none")
def _(peer):
    peer.connection.recv(4096)
    peer.send_each(b"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc" + bytes(100), pause_s=0.4)


@entry("tls-records-of-nothing", "sends handshake records of no bytes for ever", UNCONNECTED, tls="none")
def _(peer):
    peer.connection.recv(4096)
    while not peer.player.stopping.is_set():
        peer.send(b"\x16\x03\x03\x00\x00")


@entry("tls-closed-in-handshake", "closes when the handshake begins", UNCONNECTED, tls="none")
def _(peer):
    peer.connection.recv(4096)


@entry("tls-reset-in-handshake", "resets when the handshake begins", UNCONNECTED, tls="none")
def _(peer):
    peer.connection.recv(4096)
    peer.reset()


@entry("silence", "accepts and says nothing", UNCONNECTED, tls="none")
def _(peer):
    peer.hold()


class Renegotiating(servers.SServer):
    """`openssl s_server` with TLS 1.2 that a thread steers: half of the answer, a renegotiation, the rest."""

    def __init__(self, player):
        self.player = player
        cert = player.certs.make("renegotiating")
        super().__init__(player.folder, cert, args=("-tls1_2", "-naccept", "1"), stdin=subprocess.PIPE)

    def _drain(self):
        seen = b""
        while b"\r\n\r\n" not in seen:
            more = os.read(self.process.stdout.fileno(), 4096)
            if not more:
                return
            seen = (seen + more).replace(b"\n", b"\r\n").replace(b"\r\r\n", b"\r\n")
        try:
            self.steer()
        except (OSError, ValueError):
            return  # the client refused it and left
        super()._drain()

    def steer(self):
        image, pipe = self.player.image, self.process.stdin
        half = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (image[:2000], image[2000:4000]))
        parts = [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + half, b"R\n"]
        parts += [b"%x\r\n%s\r\n" % (len(image[at:at + 4000]), image[at:at + 4000])
                  for at in range(4000, len(image), 4000)]
        for part in (*parts, b"0\r\n\r\n"):
            pipe.write(part)
            pipe.flush()
            for _ in range(500):  # s_server takes a command at the start of what one read brings: wait until it has read
                if struct.unpack("i", fcntl.ioctl(pipe.fileno(), termios.FIONREAD, bytes(4)))[0] == 0:
                    break
                self.player.stopping.wait(0.01)
            self.player.stopping.wait(0.1 if part == b"R\n" else 0.01)

    def stop(self):
        super().stop()
        self.process.stdin.close()


entry("tls-renegotiation", "starts a renegotiation in the middle of the body (TLS 1.2)", OK, listen=Renegotiating)(deliver)

misbehaviour.group[0] = "Addresses"
TWO_ADDRESSES = "127.0.0.1 two-addresses.test\n127.0.0.9 two-addresses.test\n"  # the order that getaddrinfo() gives
entry("ipv6-only", "listens on ::1 only", OK, host="::1")(deliver)


def at_second_address(player):
    """@return the server, and a socket at its port of the first address, which no other program has meanwhile"""
    def serve(connection, index):
        deliver(misbehaviour.Peer(player, connection, index))

    for _ in range(100):  # a port that is free at one address may be somebody's at the other
        first = socket.socket()
        first.bind(("127.0.0.1", 0))
        with contextlib.suppress(OSError):
            return servers.RawServer(serve, context=player.certs.context("named"), scheme="https", host="127.0.0.9",
                                     port=first.getsockname()[1]), first
        first.close()
    raise OSError("no port is free at both addresses")


def closing(server, *sockets):
    """@return the server, which closes these when it is stopped"""
    plain_stop = server.stop

    def stop():
        for one in sockets:
            one.close()
        plain_stop()

    server.stop = stop
    return server


def first_address_refuses(player):
    return closing(*at_second_address(player))


entry("first-address-refuses", "has two addresses, and nobody listens on the first", OK, host="two-addresses.test",
      hosts=TWO_ADDRESSES, listen=first_address_refuses)(deliver)


def first_address_is_full(player):
    """A listener that takes no connection more: what it is sent is dropped, as a dead machine does."""
    server, full = at_second_address(player)
    full.listen(0)
    waiting = []
    for _ in range(4):
        one = socket.socket()
        one.setblocking(False)
        one.connect_ex(full.getsockname())
        waiting.append(one)
    return closing(server, *waiting, full)


entry("first-address-is-dead", "has two addresses, and the first swallows everything", OK, host="two-addresses.test",
      hosts=TWO_ADDRESSES, listen=first_address_is_full)(deliver)
