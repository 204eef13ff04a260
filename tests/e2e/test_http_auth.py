"""esp_http_client and who it says it is: Basic, Digest, client certificates, resumed sessions, and how it connects."""
# SPDX-License-Identifier: Apache-2.0

import base64
import hashlib
import json
import os
import pathlib
import re
import secrets
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import unittest
import unittest.mock
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import servers  # noqa: E402

BUILD = pathlib.Path(os.environ.get("OTTER_BUILD", "build"))
CLIENT = BUILD / "tests" / "http_get"

OK = 0
FAIL = -1
CONNECT = 0x7002
NOT_SUPPORTED = 0x106

USER, PASSWORD = "dev ice", 'se"cr\\et: 1'
CONTENT = b"firmware" * 1000

folder = None
ca = None
cert = None


def setUpModule():
    global folder, ca, cert
    holder = tempfile.TemporaryDirectory()
    unittest.addModuleCleanup(holder.cleanup)
    folder = pathlib.Path(holder.name)
    ca = servers.make_ca(folder)
    cert = servers.make_cert(folder)


def run(url, *args, timeout_ms=5000, trust=True):
    """All reports of one http_get run, and everything that it printed."""
    command = [str(CLIENT), url, "--timeout", str(timeout_ms), *args]
    if trust:
        command += ["--ca", ca.cert]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    reports = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    if not reports:
        raise AssertionError(f"no report: {done.stdout}{done.stderr}")
    return reports, done.stdout + done.stderr


def get(url, *args, **kw):
    return run(url, *args, **kw)[0][-1]


def parse_params(text):
    """The parameters of an Authorization header, unescaped."""
    found = {}
    for name, quoted, token in re.findall(r'(\w+)=(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))', text):
        found[name] = re.sub(r"\\(.)", r"\1", quoted) if quoted or not token else token
    return found


class Guard:
    """A route that answers 401 until the credentials are right, as strictly as a server can be."""

    def __init__(self, scheme="Digest", algorithm=None, qop="auth", password=PASSWORD, uses=1000, chunked=False,
                 close=False, more=(), realm='the "realm"'):
        self.__dict__.update(scheme=scheme, algorithm=algorithm, qop=qop, password=password, uses=uses,
                             chunked=chunked, close=close, more=more, realm=realm)
        self.nonces = {}  # nonce: last nonce count
        self.opaque = secrets.token_hex(8)
        self.verdicts = []
        self.cnonces = set()

    def write(self, handler, body):
        if handler.command != "HEAD":
            handler.wfile.write(body)

    def hash(self, *parts):
        kind = "sha256" if (self.algorithm or "MD5").upper().startswith("SHA-256") else "md5"
        return hashlib.new(kind, ":".join(parts).encode()).hexdigest()

    def challenge(self, stale):
        if self.scheme == "Basic":
            return f'Basic realm="{self.quoted(self.realm)}", charset="UTF-8"'
        nonce = secrets.token_urlsafe(24)
        self.nonces[nonce] = 0
        text = f'Digest realm="{self.quoted(self.realm)}", nonce="{nonce}", opaque="{self.opaque}"'
        if self.algorithm:
            text += f", algorithm={self.algorithm}"
        if self.qop:
            text += f', qop="{self.qop}"'
        return text + (", stale=true" if stale else "")

    @staticmethod
    def quoted(text):
        return text.replace("\\", "\\\\").replace('"', '\\"')

    def judge(self, handler):
        """'ok', 'none', 'wrong' or 'stale'."""
        header = handler.headers.get("Authorization")
        if header is None:
            return "none"
        if self.scheme == "Basic":
            want = base64.b64encode(f"{USER}:{self.password}".encode()).decode()
            return "ok" if header == f"Basic {want}" else "wrong"
        if not header.startswith("Digest "):
            return "wrong"
        said = parse_params(header)
        nonce = said.get("nonce")
        secret = self.hash(USER, self.realm, self.password)
        if (self.algorithm or "").endswith("-sess"):
            secret = self.hash(secret, nonce, said["cnonce"])
        what = self.hash(handler.command, handler.path)
        middle = (nonce, said["nc"], said["cnonce"], "auth") if self.qop else (nonce,)
        expected = {"username": USER, "realm": self.realm, "uri": handler.path, "opaque": self.opaque,
                    "response": self.hash(secret, *middle, what), "algorithm": self.algorithm,
                    "qop": "auth" if self.qop else None}
        if any(said.get(name) != value for name, value in expected.items()) or nonce not in self.nonces:
            return "wrong"
        if self.qop:
            if int(said["nc"], 16) != self.nonces[nonce] + 1 or said["cnonce"] in self.cnonces:
                return "wrong"
            self.cnonces.add(said["cnonce"])
        self.nonces[nonce] += 1
        return "ok" if self.nonces[nonce] <= self.uses else "stale"

    def __call__(self, handler):
        posted = handler.rfile.read(int(handler.headers.get("Content-Length", "0")))
        verdict = self.judge(handler)
        self.verdicts.append(verdict)
        if verdict == "ok":
            body = posted or CONTENT
            handler.send_response(200)
            handler.send_header("Content-Length", str(len(body)))
            handler.end_headers()
            self.write(handler, body)
            return
        handler.send_response(401)
        for text in self.more:
            handler.send_header("WWW-Authenticate", text)
        handler.send_header("WWW-Authenticate", self.challenge(verdict == "stale"))
        refusal = b"<html>who are you?</html>" * 40
        if self.close:
            handler.close_connection = True
            handler.send_header("Connection", "close")
        elif self.chunked:
            handler.send_header("Transfer-Encoding", "chunked")
            refusal = b"%x\r\n%s\r\n0\r\n\r\n" % (len(refusal), refusal)
        else:
            handler.send_header("Content-Length", str(len(refusal)))
        handler.end_headers()
        self.write(handler, refusal)


class Case(unittest.TestCase):
    def serve(self, guard, **kw):
        server = servers.HttpsServer(folder, cert, routes={"/fw": guard}, **kw)
        self.addCleanup(server.stop)
        return server

    def assert_whole(self, report, content=CONTENT):
        self.assertEqual((report["result"], report["status"]), (OK, 200), report)
        self.assertTrue(report["complete"], report)
        if content is not None:
            self.assertEqual(report["sha256"], hashlib.sha256(content).hexdigest())


LOGIN = ("--auth", f"{USER}:{PASSWORD}", "--auth-type", "none")
WAYS = (("--redirect",), ("--perform",))  # by hand, as a download does it, and in one call


class Digest(Case):
    def test_every_algorithm_and_shape_of_refusal(self):
        for algorithm in (None, "MD5", "MD5-sess", "SHA-256", "SHA-256-sess"):
            for shape in ({}, {"chunked": True}, {"close": True}):
                for way in WAYS:
                    with self.subTest(algorithm=algorithm, way=way, **shape):
                        guard = Guard(algorithm=algorithm, **shape)
                        report = get(self.serve(guard).url("fw?version=1&x=%20"), *LOGIN, *way)
                        self.assert_whole(report, CONTENT if way == ("--redirect",) else None)
                        self.assertEqual(guard.verdicts, ["none", "ok"])
                        if not shape:
                            self.assertEqual(report["connects"], 1)

    def test_without_qop(self):
        for algorithm in (None, "SHA-256"):
            guard = Guard(algorithm=algorithm, qop=None)
            self.assert_whole(get(self.serve(guard).url("fw"), *LOGIN, "--redirect"))
            self.assertEqual(guard.verdicts, ["none", "ok"])

    def test_the_nonce_is_kept_and_counted(self):
        guard = Guard(algorithm="SHA-256")
        reports, _ = run(self.serve(guard).url("fw"), *LOGIN, "--redirect", "--times", "4")
        for report in reports:
            self.assert_whole(report)
        self.assertEqual(guard.verdicts, ["none", "ok", "ok", "ok", "ok"])
        self.assertEqual(list(guard.nonces.values()), [4])

    def test_a_stale_nonce_is_replaced_as_often_as_the_server_likes(self):
        guard = Guard(uses=1)
        reports, _ = run(self.serve(guard).url("fw"), *LOGIN, "--redirect", "--times", "15")
        for report in reports:
            self.assert_whole(report)
        self.assertEqual(guard.verdicts, ["none", "ok"] + ["stale", "ok"] * 14)

    def test_a_wrong_password_is_tried_a_bounded_number_of_times(self):
        for args, requests in (((), 11), (("--retries", "3"), 4), (("--retries", "-1"), 1)):
            for way in WAYS:
                guard = Guard(password="another")
                report = get(self.serve(guard).url("fw"), *LOGIN, *way, *args)
                self.assertEqual((report["result"], report["status"]), (FAIL, 401))
                self.assertEqual(guard.verdicts, ["none"] + ["wrong"] * (requests - 1))

    def test_the_strongest_of_several_challenges(self):
        guard = Guard(algorithm="SHA-256", more=('Basic realm="b"', 'Digest realm="d", nonce="x", qop="auth"',
                                                 "Negotiate", 'Digest realm="d", nonce="x", algorithm=SHA-512-256'))
        self.assert_whole(get(self.serve(guard).url("fw"), *LOGIN, "--redirect"))

    def test_a_body_is_sent_again(self):
        guard = Guard(chunked=True)
        report = get(self.serve(guard).url("fw"), *LOGIN, "--perform", "--post", "a=b&c=d")
        self.assertEqual((report["result"], report["status"]), (OK, 200))
        self.assertEqual(guard.verdicts, ["none", "ok"])

    def test_python_agrees(self):
        """The guard is right too: Python's own client passes it."""
        guard = Guard(algorithm="MD5", realm="plain")  # urllib knows no other algorithm, and no escapes
        server = self.serve(guard, plain=True)
        handler = urllib.request.HTTPDigestAuthHandler(urllib.request.HTTPPasswordMgrWithDefaultRealm())
        handler.add_password(None, server.url(), USER, PASSWORD)
        opener = urllib.request.build_opener(handler, urllib.request.ProxyHandler({}))
        with opener.open(server.url("fw"), timeout=20) as answer:
            self.assertEqual(answer.read(), CONTENT)


class Basic(Case):
    def test_when_asked(self):
        guard = Guard("Basic")
        self.assert_whole(get(self.serve(guard).url("fw"), *LOGIN, "--redirect"))
        self.assertEqual(guard.verdicts, ["none", "ok"])

    def test_unasked(self):
        guard = Guard("Basic")
        self.assert_whole(get(self.serve(guard).url("fw"), *LOGIN[:2]))
        self.assertEqual(guard.verdicts, ["ok"])

    def test_from_the_url(self):
        guard = Guard("Basic")
        url = self.serve(guard).url("fw").replace("//", "//dev%20ice:se%22cr%5Cet%3A%201@")
        reports, printed = run(url)
        self.assert_whole(reports[-1])
        self.assertEqual(guard.verdicts, ["ok"])
        self.assertNotIn("cet", printed)

    def test_not_when_digest_is_wanted(self):
        guard = Guard("Basic")
        report = get(self.serve(guard).url("fw"), *LOGIN[:2], "--auth-type", "digest", "--redirect")
        self.assertEqual((report["result"], report["status"]), (NOT_SUPPORTED, 401))
        self.assertEqual(guard.verdicts, ["none"])

    def test_nobody_to_be(self):
        guard = Guard("Basic")
        for way in WAYS:
            self.assertEqual(get(self.serve(guard).url("fw"), *way)["result"], NOT_SUPPORTED)


class Secrets(Case):
    def test_credentials_go_to_no_other_server(self):
        """Another port is another server; it asks, and gets no answer."""
        target = Guard()
        other = self.serve(target)
        first = Guard()

        def away(handler):
            if first.judge(handler) != "ok":
                first(handler)
                return
            handler.send_response(302)
            handler.send_header("Location", other.url("fw"))
            handler.send_header("Content-Length", "0")
            handler.end_headers()

        server = self.serve(away)
        for way in WAYS:
            reports, printed = run(server.url("fw"), *LOGIN, *way)
            self.assertEqual((reports[-1]["result"], reports[-1]["status"]), (NOT_SUPPORTED, 401))
            self.assertNotIn("cr\\et", printed)
        self.assertEqual(set(target.verdicts), {"none"})
        for _, _, headers in other.requests:
            self.assertNotIn("Authorization", headers)

    def test_nothing_secret_is_printed(self):
        for guard in (Guard(password="another"), Guard("Basic", password="another")):
            _, printed = run(self.serve(guard).url("fw"), *LOGIN, "--perform")
            for secret in ("se\"cr", base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode(), "response="):
                self.assertNotIn(secret, printed)


class ClientCertificates(Case):
    @classmethod
    def setUpClass(cls):
        cls.mine = servers.make_cert(folder, names=["device-1"], name="device")
        stranger = servers.make_ca(folder, "stranger")
        cls.strange = servers.make_cert(folder, names=["device-1"], name="strange", ca=stranger)
        cls.expired = servers.make_cert(folder, names=["device-1"], name="late", expired=True)
        (folder / "fw.bin").write_bytes(CONTENT)

    def ask(self, server, identity=None, *args):
        own = ("--cert", identity.cert, "--key", identity.key) if identity else ()
        return get(server.url("fw.bin"), *own, *args)

    def server(self, version):
        context = servers.server_context(cert, tls_min=version, tls_max=version, client_ca=ca)
        server = servers.HttpsServer(folder, context=context)
        self.addCleanup(server.stop)
        return server

    def test_accepted_and_refused_with_the_reason(self):
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            server = self.server(version)
            self.assert_whole(self.ask(server, self.mine))
            for identity, text in ((None, "the server wants a client certificate"),
                                   (self.strange, "the server does not know the CA of the client certificate"),
                                   (self.expired, "the client certificate has expired")):
                report = self.ask(server, identity)
                with self.subTest(version, text=text):
                    self.assertNotEqual(report["result"], OK)
                    if identity is None and version == ssl.TLSVersion.TLSv1_2:
                        text = "handshake failure"  # all that TLS 1.2 has a word for
                    self.assertIn(text, report["text"])
                    self.assertEqual(report["code"], "ESP_ERR_MBEDTLS_SSL_HANDSHAKE_FAILED")

    @unittest.skipUnless(servers.Nginx.available(), "nginx is not installed")
    def test_nginx_wants_one(self):
        with servers.Nginx(folder, cert, extra=f"ssl_client_certificate {ca.cert}; ssl_verify_client on;") as server:
            self.assert_whole(self.ask(server, self.mine))
            self.assertEqual(self.ask(server)["status"], 400)  # nginx says it in HTTP
            self.assertEqual(self.ask(server, self.strange)["status"], 400)

    def test_everything_as_der(self):
        files = {name: str(folder / f"{name}.der") for name in ("ca", "cert", "key")}
        for kind, source, target in (("x509", ca.cert, files["ca"]), ("x509", self.mine.cert, files["cert"]),
                                     ("pkey", self.mine.key, files["key"])):
            subprocess.run(["openssl", kind, "-in", source, "-outform", "DER", "-out", target], check=True,
                           capture_output=True, timeout=60)
        args = ("--ca-der", files["ca"], "--cert-der", files["cert"], "--key-der", files["key"])
        self.assert_whole(get(self.server(ssl.TLSVersion.TLSv1_3).url("fw.bin"), *args, trust=False))

    def test_an_encrypted_key(self):
        locked = folder / "locked.key"
        subprocess.run(["openssl", "pkey", "-in", self.mine.key, "-aes256", "-passout", "pass:open", "-out", str(locked)],
                       check=True, capture_output=True, timeout=60)
        server = self.server(ssl.TLSVersion.TLSv1_3)
        identity = servers.Cert(self.mine.cert, str(locked))
        self.assert_whole(self.ask(server, identity, "--key-password", "open"))
        for args in ((), ("--key-password", "wrong")):
            report = self.ask(server, identity, *args)
            self.assertEqual((report["result"], report["stage"]), (CONNECT, "tls"))
            self.assertIn("client certificate or its key cannot be read", report["text"])


class Sessions(Case):
    """A server that closes after each answer, and tells whether the handshake was a resumed one."""

    def connections(self, version, *args):
        resumed = []

        def serve(connection, _):
            servers.read_request(connection)
            resumed.append(connection.session_reused)
            connection.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi")
            connection.unwrap()

        context = servers.server_context(cert, tls_min=version, tls_max=version)
        with servers.RawServer(serve, context=context) as server:
            reports, _ = run(server.url("x"), "--times", "3", *args)
        for report in reports:
            self.assert_whole(report, b"hi")
        return resumed

    def test_a_saved_session_is_resumed(self):
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            self.assertEqual(self.connections(version, "--session"), [False, True, True], version)

    def test_without_being_told_to_nothing_is_saved(self):
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            self.assertEqual(self.connections(version), [False, False, False], version)


class Trust(Case):
    def entries(self, *authorities):
        """Name and key of each CA, as DER."""
        entries = []
        for one in authorities:
            der = subprocess.run(["openssl", "x509", "-in", one.cert, "-pubkey", "-noout"], check=True,
                                 capture_output=True, timeout=60).stdout
            key = subprocess.run(["openssl", "pkey", "-pubin", "-outform", "DER"], input=der, check=True,
                                 capture_output=True, timeout=60).stdout
            entries.append((self.subject(one), key))
        return entries

    def counted(self, *authorities):
        """What gen_crt_bundle.py makes until ESP-IDF 5.3: a count, then the entries."""
        entries = self.entries(*authorities)
        return struct.pack(">H", len(entries)) + b"".join(
            struct.pack(">HH", len(name), len(key)) + name + key for name, key in entries)

    def listed(self, *authorities):
        """What gen_crt_bundle.py makes from ESP-IDF 5.4 on: the offsets of all entries, then those, sorted by name."""
        table, data = b"", b""
        entries = sorted(self.entries(*authorities))
        for name, key in entries:
            table += struct.pack("<I", 4 * len(entries) + len(data))
            data += struct.pack("<HH", len(name), len(key)) + name + key
        return table + data

    @staticmethod
    def subject(one):
        """The subject of a certificate as DER: the sixth element of what is signed (the fifth without a version)."""
        def element(data, at):
            size, body = data[at + 1], at + 2
            if size & 0x80:
                body += size & 0x7F
                size = int.from_bytes(data[at + 2:body], "big")
            return body, body + size
        data = ssl.PEM_cert_to_DER_cert(pathlib.Path(one.cert).read_text())
        at = element(data, element(data, 0)[0])[0]
        for _ in range(5):  # version, serial number, signature algorithm, issuer, life
            at = element(data, at)[1]
        return data[at:element(data, at)[1]]

    def test_a_bundle_of_the_program(self):
        stranger = servers.make_ca(folder, "outside", title="somebody else")
        twin = servers.make_ca(folder, "twin", title="otter test ca")  # our CA's name, another key
        path = folder / "bundle"
        (folder / "fw.bin").write_bytes(CONTENT)
        rows = [(pathlib.Path(ca.cert).read_bytes(), True)]
        for form in (self.counted, self.listed):
            rows += [(form(stranger, ca), True), (form(ca), True), (form(stranger), False), (form(twin), False)]
            both, key = form(stranger, ca), self.entries(stranger)[0][1]
            rows += [(both.replace(key, bytes(len(key))), True)]  # a CA whose key cannot be read spoils no other
        with servers.HttpsServer(folder, cert) as server:
            for number, (data, works) in enumerate(rows):
                path.write_bytes(data)
                report = get(server.url("fw.bin"), "--bundle", str(path), trust=False)
                with self.subTest(number):
                    if works:
                        self.assert_whole(report)
                    else:
                        self.assertEqual((report["result"], report["stage"]), (CONNECT, "tls"), report)

    def test_a_bundle_that_is_none(self):
        old, new = self.counted(ca), self.listed(ca)
        two = self.listed(ca, servers.make_ca(folder, "second", title="second"))
        path = folder / "broken"
        for data in (b"\0", b"\0\0", b"\0\1", old[:-1], old[:20], b"\0\2" + old[2:], b"\0\1\xff\xff\xff\xff" + old,
                     b"not a bundle", new[:-1], new[:8], new[:4], b"\0" * 4 + new[4:], b"\4\0\0\x80" + new[4:],
                     b"\2\0\0\0" + new[4:], b"\5\0\0\0" + new[4:], b"\xfc\xff\xff\xff" + new[4:],
                     two[:4] + two[:4] + two[8:], two[:4] + b"\xff\xff\xff\xff" + two[8:],
                     new.replace(self.entries(ca)[0][1], bytes(len(self.entries(ca)[0][1])))):
            path.write_bytes(data)
            done = subprocess.run([str(CLIENT), "https://127.0.0.1:1/", "--bundle", str(path)], capture_output=True,
                                  timeout=60, check=False)
            self.assertEqual(done.returncode, 2, data[:8])


class Connecting(Case):
    def setUp(self):
        (folder / "fw.bin").write_bytes(CONTENT)

    def test_alpn(self):
        chosen = []

        def serve(connection, _):
            chosen.append(connection.selected_alpn_protocol())
            servers.read_request(connection)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")
            connection.unwrap()

        context = servers.server_context(cert)
        context.set_alpn_protocols(["http/1.1", "ota"])
        with servers.RawServer(serve, context=context) as server:
            self.assert_whole(get(server.url("x"), "--alpn", "ota"), b"hi")
            self.assert_whole(get(server.url("x")), b"hi")
        self.assertEqual(chosen, ["ota", None])

    def test_a_redirect_from_http_to_https_changes_the_transport(self):
        with servers.HttpsServer(folder, cert) as target:
            def away(handler):
                handler.send_response(301)
                handler.send_header("Location", target.url("fw.bin"))
                handler.send_header("Content-Length", "0")
                handler.end_headers()

            with servers.HttpsServer(folder, plain=True, routes={"/x": away}) as server:
                for way in WAYS:
                    reports, _ = run(server.url("x"), *way, "--times", "2")
                    for report in reports:
                        self.assert_whole(report)
                        self.assertEqual(report["url"], target.url("fw.bin"))

    def test_head_and_options_are_answered_too(self):
        for method, name in ((5, "HEAD"), (9, "OPTIONS")):
            guard = Guard(algorithm="SHA-256")
            server = servers.HttpsServer(folder, plain=True, routes={"/fw": guard})
            self.addCleanup(server.stop)
            with unittest.mock.patch.object(servers.RangeHandler, f"do_{name}", servers.RangeHandler.do_GET, create=True):
                report = get(server.url("fw"), *LOGIN, "--perform", "--method", str(method))
            self.assertEqual((report["result"], report["status"]), (OK, 200), report)
            self.assertEqual(guard.verdicts, ["none", "ok"])

    def test_the_address_family(self):
        with servers.HttpsServer(folder, plain=True) as server:
            self.assert_whole(get(server.url("fw.bin"), "--family", "4"))
            report = get(server.url("fw.bin"), "--family", "6")
            self.assertEqual((report["result"], report["stage"]), (CONNECT, "resolve"), report)

    def test_ipv6(self):
        if not socket.has_ipv6:
            self.skipTest("no IPv6 here")

        def serve(connection, _):
            self.head = servers.read_request(connection)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")

        try:
            server = servers.RawServer(serve, host="::1")
        except OSError:
            self.skipTest("no IPv6 here")
        with server:
            self.assert_whole(get(server.url("x", host="[::1]"), "--family", "6"), b"hi")
        self.assertIn(f"\r\nHost: [::1]:{server.port}\r\n".encode(), self.head)

    def test_the_interface(self):
        with servers.HttpsServer(folder, plain=True) as server:
            self.assert_whole(get(server.url("fw.bin"), "--if-name", "lo"))
            report = get(server.url("fw.bin"), "--if-name", "nosuch0")
            self.assertEqual((report["result"], report["code"]), (CONNECT, "ESP_ERR_ESP_TLS_SOCKET_SETOPT_FAILED"))
            self.assertIn("cannot bind to interface nosuch0", report["text"])

    def test_keep_alive_probes(self):
        with servers.HttpsServer(folder, plain=True) as server:
            self.assert_whole(get(server.url("fw.bin"), "--keep-alive"))


if __name__ == "__main__":
    unittest.main()
