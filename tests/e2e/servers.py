"""Certificates and servers for end-to-end tests: 127.0.0.1 only, ports chosen by the system, gone when the test is.

Every server is a context manager with .port and .url(path); certificates are made with the openssl command.
"""
# SPDX-License-Identifier: Apache-2.0

import functools
import http.server
import os
import pathlib
import re
import shutil
import socket
import ssl
import subprocess
import threading
import time
from typing import NamedTuple

START_TIMEOUT_S = 20


class Cert(NamedTuple):
    """Paths of a PEM certificate and its key."""

    cert: str
    key: str


def _openssl(*args, cwd=None):
    done = subprocess.run(["openssl", *args], cwd=cwd, capture_output=True, text=True, timeout=60, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"openssl {' '.join(args)}: {done.stderr}")
    return done.stdout


def make_ca(folder, name="ca", title=None):
    """A self-signed CA in `folder`: Cert(folder/name.pem, folder/name.key)."""
    folder = pathlib.Path(folder)
    made = Cert(str(folder / f"{name}.pem"), str(folder / f"{name}.key"))
    _openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
             "-subj", f"/CN={title or 'otter test ' + name}", "-keyout", made.key, "-out", made.cert,
             "-addext", "keyUsage=critical,keyCertSign,cRLSign")  # the CA flag comes from openssl's own defaults
    return made


_CA_CONFIG = """
[ca]
default_ca = this
[this]
database = {folder}/{name}.index
new_certs_dir = {folder}
rand_serial = yes
default_md = {digest}
policy = any
unique_subject = no
[any]
commonName = supplied
[server]
{extensions}
"""


def make_cert(folder, names=("localhost", "127.0.0.1"), expired=False, not_yet=False, ca=None, name="server",
              rsa_bits=None, digest="sha256"):
    """A server certificate for DNS names and addresses, signed by `ca` (default: folder/ca, made when missing).

    The file holds the server's certificate alone. expired and not_yet move its dates into the past and the future.
    """
    folder = pathlib.Path(folder)
    if ca is None:
        ca = Cert(str(folder / "ca.pem"), str(folder / "ca.key"))
        if not os.path.exists(ca.cert):
            make_ca(folder)
    made = Cert(str(folder / f"{name}.pem"), str(folder / f"{name}.key"))
    request = str(folder / f"{name}.csr")
    kind = ("rsa:%d" % rsa_bits,) if rsa_bits else ("ec", "-pkeyopt", "ec_paramgen_curve:P-256")
    _openssl("req", "-new", "-newkey", *kind, "-nodes", "-subj", f"/CN={names[0]}", "-keyout", made.key,
             "-out", request)
    alt = ",".join(("IP:" if re.fullmatch(r"[0-9.]+|.*:.*", n) else "DNS:") + n for n in names)
    config = folder / f"{name}.cnf"
    config.write_text(_CA_CONFIG.format(folder=folder, name=name, digest=digest, extensions=f"subjectAltName={alt}"))
    (folder / f"{name}.index").write_text("")
    now = time.time()
    day = 86400
    start, end = (now - 20 * day, now - day) if expired else (now + day, now + 20 * day) if not_yet else (
        now - day, now + 20 * day)
    stamp = "%Y%m%d%H%M%SZ"
    _openssl("ca", "-batch", "-notext", "-config", str(config), "-cert", ca.cert, "-keyfile", ca.key,
             "-in", request, "-out", made.cert, "-extensions", "server",
             "-startdate", time.strftime(stamp, time.gmtime(start)), "-enddate", time.strftime(stamp, time.gmtime(end)))
    return made


def make_self_signed(folder, names=("localhost", "127.0.0.1"), name="self"):
    """A certificate that signs itself, for tests of distrust."""
    folder = pathlib.Path(folder)
    made = Cert(str(folder / f"{name}.pem"), str(folder / f"{name}.key"))
    alt = ",".join(("IP:" if re.fullmatch(r"[0-9.]+|.*:.*", n) else "DNS:") + n for n in names)
    _openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
             "-subj", f"/CN={names[0]}", "-keyout", made.key, "-out", made.cert, "-addext", f"subjectAltName={alt}")
    return made


def free_port():
    """A port that was free a moment ago; for servers that cannot choose one themselves."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


def server_context(cert, tls_min=None, tls_max=None, client_ca=None):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert.cert, cert.key)
    if tls_min is not None:
        context.minimum_version = tls_min
    if tls_max is not None:
        context.maximum_version = tls_max
    if client_ca is not None:
        context.load_verify_locations(client_ca.cert)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


class _Server:
    """What all servers share: an address, and stopping with the `with` block."""

    scheme = "https"
    port = 0

    def url(self, path="/", host="127.0.0.1"):
        return f"{self.scheme}://{host}:{self.port}/{path.lstrip('/')}"

    def stop(self):
        raise NotImplementedError

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


class RangeHandler(http.server.SimpleHTTPRequestHandler):
    """SimpleHTTPRequestHandler with keep-alive, one byte range, an ETag, and routes that a test gives."""

    protocol_version = "HTTP/1.1"
    timeout = 20

    def log_message(self, *_):
        pass

    def do_GET(self):
        self._answer()

    def do_HEAD(self):
        self._answer()

    def do_POST(self):
        self._answer()

    def _answer(self):
        self.server.requests.append((self.command, self.path, dict(self.headers.items())))
        route = self.server.routes.get(self.path.split("?")[0])
        if route is not None:
            route(self)
            return
        path = pathlib.Path(self.translate_path(self.path))
        if not path.is_file():
            self.send_error(404)
            return
        self._send_file(path)

    def _send_file(self, path):
        body = path.read_bytes()
        first, last, status = 0, len(body) - 1, 200
        wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        if wanted and self.server.ranges:
            first = int(wanted[1])
            last = min(int(wanted[2]), last) if wanted[2] else last
            if first >= len(body):
                self.send_response(416)
                self.send_header("Content-Range", f"bytes */{len(body)}")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            status = 206
        self.send_response(status)
        if status == 206:
            self.send_header("Content-Range", f"bytes {first}-{last}/{len(body)}")
        self.send_header("Content-Length", str(last - first + 1))
        self.send_header("ETag", f'"{path.stat().st_mtime_ns:x}-{len(body):x}"')
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body[first:last + 1])


class QuietServer(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        """Clients that break off are what these tests are about."""

    def finish_request(self, request, client_address):
        if self.context is not None:
            request.settimeout(20)
            request = self.context.wrap_socket(request, server_side=True)
        self.RequestHandlerClass(request, client_address, self)
        if self.context is not None:
            try:
                request.unwrap()
            except (OSError, ValueError):
                pass
            request.close()  # wrap_socket() took the descriptor over


class HttpsServer(_Server):
    """Python's http.server over TLS (cert=None: plain HTTP) for the files of one folder.

    .requests lists (method, path, headers) as they came; .routes maps a path to a function of the handler;
    .connections counts accepted ones.
    """

    def __init__(self, folder, cert=None, plain=False, ranges=True, routes=None, context=None):
        handler = functools.partial(RangeHandler, directory=str(folder))
        self.httpd = QuietServer(("127.0.0.1", 0), handler)
        self.httpd.requests = self.requests = []
        self.httpd.routes = self.routes = dict(routes or {})
        self.httpd.ranges = ranges
        if plain:
            self.scheme = "http"
            self.httpd.context = None
        else:
            self.httpd.context = context or server_context(cert or make_cert(folder))
        self.port = self.httpd.server_address[1]
        self.thread = threading.Thread(target=self.httpd.serve_forever, args=(0.02,), daemon=True)
        self.thread.start()

    def stop(self):
        self.httpd.shutdown()
        self.httpd.server_close()
        self.thread.join(10)


class RawServer(_Server):
    """A TCP server whose answers a test writes: `serve(connection, index)` runs once per connection in a thread.

    The connection is a socket (a TLS one with `context`); it is closed after serve returns, or when the test ends.
    """

    def __init__(self, serve, context=None, host="127.0.0.1", scheme=None, port=0):
        self.scheme = scheme or ("https" if context else "http")
        self.serve = serve
        self.context = context
        self.count = 0
        self.stopping = threading.Event()
        self.open = []
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.listener = socket.create_server((host, port), family=family)
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self._accept, daemon=True)
        self.thread.start()

    def _accept(self):
        while not self.stopping.is_set():
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            connection.settimeout(20)
            self.open.append(connection)
            index, self.count = self.count, self.count + 1
            threading.Thread(target=self._one, args=(connection, index), daemon=True).start()

    def _one(self, connection, index):
        try:
            if self.context is not None:
                connection = self.context.wrap_socket(connection, server_side=True)
                self.open.append(connection)
            self.serve(connection, index)
        except (OSError, ValueError):
            pass
        finally:
            connection.close()

    def stop(self):
        self.stopping.set()
        try:
            self.listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.listener.close()
        for connection in self.open:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except (OSError, ValueError):
                pass
            connection.close()
        self.thread.join(10)


def read_request(connection):
    """One request head from a raw connection; b'' when the client left."""
    data = b""
    while b"\r\n\r\n" not in data:
        more = connection.recv(4096)
        if not more:
            return b""
        data += more
    return data


def end_process(process):
    """Tells a program to end, and ends it where it does not."""
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(10)


class _Process(_Server):
    process = None

    def stop(self):
        if self.process is not None and self.process.poll() is None:
            end_process(self.process)
        if self.process is not None and self.process.stdout is not None:
            self.process.stdout.close()


_NGINX_CONFIG = """
daemon off;
master_process off;
pid {work}/nginx.pid;
error_log {work}/error.log warn;
events {{ worker_connections 64; }}
http {{
    access_log {work}/access.log;
    client_body_temp_path {work}/body;
    proxy_temp_path {work}/proxy;
    fastcgi_temp_path {work}/fastcgi;
    uwsgi_temp_path {work}/uwsgi;
    scgi_temp_path {work}/scgi;
    default_type application/octet-stream;
    sendfile on;
    keepalive_timeout 30;
    server {{
        listen 127.0.0.1:{port}{ssl};
        server_name localhost;
        {tls}
        root {root};
        {extra}
    }}
}}
"""


class Nginx(_Process):
    """nginx over HTTPS (plain=True: HTTP) for the files of one folder; its own files go to folder/.nginx-PORT."""

    def __init__(self, folder, cert=None, plain=False, extra=""):
        self.scheme = "http" if plain else "https"
        cert = None if plain else cert or make_cert(folder)
        tls = "" if plain else (f"ssl_certificate {cert.cert};\n        ssl_certificate_key {cert.key};\n"
                                "        ssl_protocols TLSv1.2 TLSv1.3;")
        for _ in range(5):  # the port may be taken between choosing and binding it
            self.port = free_port()
            self.work = pathlib.Path(folder) / f".nginx-{self.port}"
            self.work.mkdir()
            config = self.work / "nginx.conf"
            config.write_text(_NGINX_CONFIG.format(work=self.work, port=self.port, root=folder, tls=tls, extra=extra,
                                                   ssl="" if plain else " ssl"))
            program = shutil.which("nginx") or "/usr/sbin/nginx"
            self.process = subprocess.Popen([program, "-p", str(self.work), "-e", str(self.work / "error.log"),
                                             "-c", str(config)],
                                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            if self._wait_until_open():
                return
            self.stop()
        raise RuntimeError("nginx did not start: " + (self.work / "error.log").read_text())

    def _wait_until_open(self):
        deadline = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return True
            except OSError:
                time.sleep(0.01)
        return False

    @staticmethod
    def available():
        return shutil.which("nginx") is not None or os.path.exists("/usr/sbin/nginx")


class SServer(_Process):
    """`openssl s_server -WWW`: HTTP/1.0, bodies that end with the connection, no Content-Length."""

    def __init__(self, folder, cert=None, args=("-WWW",), stdin=subprocess.DEVNULL):
        cert = cert or make_cert(folder)
        self.process = subprocess.Popen(["openssl", "s_server", "-accept", "127.0.0.1:0", "-cert", cert.cert,
                                         "-key", cert.key, *args], cwd=folder, stdin=stdin,
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        for line in self.process.stdout:
            said = re.match(rb"ACCEPT .*:(\d+)", line)
            if said:
                self.port = int(said[1])
                break
        else:
            self.stop()
            raise RuntimeError("openssl s_server did not start")
        # Its log must be read or it stops when the pipe is full.
        threading.Thread(target=self._drain, daemon=True).start()

    def _drain(self):
        try:
            for _ in self.process.stdout:
                pass
        except ValueError:
            pass
