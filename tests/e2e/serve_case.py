"""What the tests of `otter serve` share: a folder of files with a server for it, and ways to ask that server."""
# SPDX-License-Identifier: Apache-2.0

import contextlib
import http.client
import os
import pathlib
import re
import shutil
import socket
import ssl
import tempfile

from otter_serve import WAIT_S, OtterServe
from servers import make_ca, make_cert

BODY = bytes(i * 7 % 251 for i in range(1000))
BIG = os.urandom(1 << 20) * 32  # more than the buffers of both sockets can hold


class Shared:
    """.work holds all, .folder in it is served by .server; .ca and .cert are its certificates."""

    def start(self):
        self.work = pathlib.Path(tempfile.mkdtemp(prefix="otter-serve-"))
        self.ca = make_ca(self.work)
        self.cert = make_cert(self.work)
        self.folder = self.work / "firmware"
        (self.folder / "sub").mkdir(parents=True)
        (self.folder / "app.bin").write_bytes(BODY)
        (self.folder / "sub" / "deep.bin").write_bytes(b"deep")
        (self.folder / "empty.bin").write_bytes(b"")
        (self.folder / "big.bin").write_bytes(BIG)
        (self.work / "secret.bin").write_bytes(b"outside")
        self.server = OtterServe(self.folder, self.cert, "--quiet")

    def close(self):
        try:
            status = self.server.stop()
            if status != 0:
                raise AssertionError(f"ended with {status}: {self.server.errors}")
        finally:
            shutil.rmtree(self.work)


shared = Shared()  # started by each test program's setUpModule()


def client_context(**limits):
    context = ssl.create_default_context(cafile=shared.ca.cert)
    for name, value in limits.items():
        setattr(context, name, value)
    return context


def connect(server=None, **limits):
    server = server or shared.server
    return http.client.HTTPSConnection("127.0.0.1", server.port, timeout=WAIT_S, context=client_context(**limits))


def ask(path="/app.bin", headers=None, method="GET", server=None, body=None):
    """(status, headers, body) of one request on a connection of its own."""
    with contextlib.closing(connect(server)) as connection:
        connection.request(method, path, body=body, headers=headers or {})
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()


def tls_socket(server=None):
    server = server or shared.server
    plain = socket.create_connection(("127.0.0.1", server.port), WAIT_S)
    return client_context().wrap_socket(plain, server_hostname="127.0.0.1")


def read_to_end(connection):
    data = b""
    try:
        while more := connection.recv(65536):
            data += more
    except OSError:
        pass  # a server that drops us may do so with a reset
    return data


def ask_raw(request, server=None):
    """All bytes that come back for these."""
    with tls_socket(server) as connection:
        connection.sendall(request)
        return read_to_end(connection)


def raw_status(data):
    said = re.match(rb"HTTP/1\.[01] (\d{3}) ", data)
    return int(said[1]) if said else None


def get_target(target, server=None):
    """Status and body for a request target sent exactly as given."""
    if isinstance(target, str):
        target = target.encode()
    data = ask_raw(b"GET " + target + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", server)
    return raw_status(data), data.partition(b"\r\n\r\n")[2]
