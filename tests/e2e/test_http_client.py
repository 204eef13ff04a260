"""esp_http_client over real sockets: TLS and its refusals, time limits, cut connections, real servers."""
# SPDX-License-Identifier: Apache-2.0

import hashlib
import json
import os
import pathlib
import re
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import unittest
import warnings

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import servers  # noqa: E402

BUILD = pathlib.Path(os.environ.get("OTTER_BUILD", "build"))
CLIENT = BUILD / "tests" / "http_get"

# What http_get prints as "result": ESP-IDF's codes.
OK = 0
FAIL = -1
HEADER_TIMEOUT = -0x7007
CONNECT = 0x7002
DOWNGRADE = 0x700D

folder = None
ca = None
cert = None
body = None


def setUpModule():
    global folder, ca, cert, body
    holder = tempfile.TemporaryDirectory()
    unittest.addModuleCleanup(holder.cleanup)
    folder = pathlib.Path(holder.name)
    ca = servers.make_ca(folder)
    cert = servers.make_cert(folder)
    body = os.urandom(300_001)
    (folder / "fw.bin").write_bytes(body)
    (folder / "empty.bin").write_bytes(b"")


def get(url, *args, trust=True, timeout_ms=5000):
    """All reports of one http_get run; the last one is what most tests want."""
    command = [str(CLIENT), url, "--timeout", str(timeout_ms), *args]
    if trust is True:
        command += ["--ca", ca.cert]
    elif trust:
        command += ["--ca", trust]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    if not lines:
        raise AssertionError(f"no report: {done.stdout}{done.stderr}")
    return [json.loads(line) for line in lines]


class Case(unittest.TestCase):
    def assert_whole(self, report, content=None):
        content = body if content is None else content
        self.assertEqual((report["result"], report["status"]), (OK, 200), report)
        self.assertEqual(report["received"], len(content), report)
        self.assertEqual(report["sha256"], hashlib.sha256(content).hexdigest())
        self.assertTrue(report["complete"], report)

    def assert_failed(self, report, result, stage, text):
        self.assertEqual((report["result"], report["stage"]), (result, stage), report)
        self.assertIn(text, report["text"])
        self.assertNotEqual(report["code"], "ESP_OK", report)


class Download(Case):
    def servers(self):
        yield servers.HttpsServer(folder, cert)
        yield servers.HttpsServer(folder, plain=True)
        yield servers.SServer(folder, cert)
        if servers.Nginx.available():
            yield servers.Nginx(folder, cert)
            yield servers.Nginx(folder, plain=True)

    def test_every_server_gives_the_whole_file(self):
        for server in self.servers():
            with server, self.subTest(type(server).__name__, scheme=server.scheme):
                for args in ((), ("--perform",), ("--buffer", "1024"), ("--tls", "2"), ("--tls", "3")):
                    self.assert_whole(get(server.url("fw.bin"), *args)[-1])
                self.assert_whole(get(server.url("empty.bin"))[-1], b"")

    def test_a_kept_connection_is_used_again(self):
        with servers.HttpsServer(folder, cert) as server:
            reports = get(server.url("fw.bin"), "--times", "3")
        for report in reports:
            self.assert_whole(report)
        self.assertEqual(reports[-1]["connects"], 1)

    def test_a_server_that_closes_is_connected_again(self):
        with servers.SServer(folder, cert) as server:
            reports = get(server.url("fw.bin"), "--times", "3", "--session")
        for report in reports:
            self.assert_whole(report)
        self.assertEqual(reports[-1]["connects"], 3)

    def test_a_range_is_sent_as_the_application_says(self):
        with servers.HttpsServer(folder, cert) as server:
            report = get(server.url("fw.bin"), "--header", "Range: bytes=300000-")[-1]
            self.assertEqual((report["status"], report["received"]), (206, 1))
            self.assertEqual(report["sha256"], hashlib.sha256(body[300_000:]).hexdigest())

    def test_chunked_bodies_of_any_chunking(self):
        def answer(handler):
            handler.send_response(200)
            handler.send_header("Transfer-Encoding", "chunked")
            handler.end_headers()
            at, size = 0, 1
            while at < len(body):
                piece = body[at:at + size]
                handler.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
                at, size = at + len(piece), size * 3 % 65521
            handler.wfile.write(b"0\r\n\r\n")

        with servers.HttpsServer(folder, cert, routes={"/chunked": answer}) as server:
            for size in ("1", "7", "1024", "65536"):
                report = get(server.url("chunked"), "--buffer", size)[-1]
                self.assert_whole(report)
                self.assertTrue(report["chunked"])

    def test_basic_credentials_go_with_the_first_request(self):
        with servers.HttpsServer(folder, cert) as server:
            get(server.url("fw.bin"), "--auth", "me:secret")
            self.assertEqual(server.requests[0][2]["Authorization"], "Basic bWU6c2VjcmV0")

    def test_a_post_is_sent_whole(self):
        def answer(handler):
            text = handler.rfile.read(int(handler.headers["Content-Length"]))
            handler.send_response(200)
            handler.send_header("Content-Length", str(len(text)))
            handler.end_headers()
            handler.wfile.write(text)

        with servers.HttpsServer(folder, cert, routes={"/echo": answer}) as server:
            self.assert_whole(get(server.url("echo"), "--perform", "--post", "a=b&c=d")[-1], b"a=b&c=d")


class Redirects(Case):
    def redirect(self, location, status=302):
        def answer(handler):
            handler.send_response(status)
            handler.send_header("Location", location)
            handler.send_header("Content-Length", "4")
            handler.end_headers()
            handler.wfile.write(b"gone")
        return answer

    def test_to_another_port_and_relative(self):
        with servers.HttpsServer(folder, cert) as target:
            routes = {"/far": self.redirect(target.url("fw.bin")), "/near": self.redirect("/sub/../fw.bin", 308)}
            with servers.HttpsServer(folder, cert, routes=routes) as server:
                for way in ("--redirect", "--perform"):
                    for name in ("far", "near"):
                        report = get(server.url(name), way, "--header", "Authorization: secret")[-1]
                        if way == "--redirect":
                            self.assert_whole(report)
                        self.assertEqual((report["result"], report["status"]), (OK, 200))
            self.assertTrue(target.requests)
            for _, _, headers in target.requests:
                self.assertNotIn("Authorization", headers)
                self.assertEqual(headers["Host"], f"127.0.0.1:{target.port}")

    def test_to_http_is_refused(self):
        with servers.HttpsServer(folder, cert, routes={"/x": self.redirect("http://127.0.0.1:9/")}) as server:
            for way in ("--redirect", "--perform"):
                self.assertEqual(get(server.url("x"), way)[-1]["result"], DOWNGRADE)


class Trust(Case):
    def refused(self, text, made=None, host="127.0.0.1", args=(), **kw):
        with servers.HttpsServer(folder, made or cert) as server:
            report = get(server.url("fw.bin", host=host), *args, **kw)[-1]
            self.assert_failed(report, CONNECT, "tls", text)
            self.assertEqual(server.requests, [])
            return report

    def test_expired_certificate(self):
        report = self.refused("certificate has expired", servers.make_cert(folder, expired=True, name="expired"))
        self.assertEqual(report["verify"], 0x01)  # MBEDTLS_X509_BADCERT_EXPIRED

    def test_certificate_of_the_future(self):
        self.refused("not yet valid", servers.make_cert(folder, not_yet=True, name="future"))

    def test_wrong_name_and_wrong_address(self):
        other = servers.make_cert(folder, names=["other.example", "10.0.0.1"], name="other")
        self.refused("hostname mismatch: certificate is for other.example, IP Address:10.0.0.1, not 127.0.0.1", other)
        self.refused("not localhost", other, host="localhost")

    def test_self_signed_certificate(self):
        self.refused("self-signed certificate", servers.make_self_signed(folder))

    def test_another_ca(self):
        self.refused("the CA given does not sign this server", trust=servers.make_ca(folder, "stranger").cert)

    def test_a_ca_of_the_same_name_with_another_key(self):
        twin = servers.make_ca(folder, "twin", title="otter test ca")
        self.refused("", trust=twin.cert)

    def test_no_trust_at_all(self):
        self.refused("no CA certificate given", trust=None)

    def test_the_machines_store_does_not_know_our_ca(self):
        self.refused("the CA given does not sign", trust=None, args=("--system",))

    def test_a_ca_file_that_is_none(self):
        garbage = folder / "garbage.pem"
        broken = pathlib.Path(ca.cert).read_text().replace("\n", "\n!", 3)
        for text, why in (("not a certificate", "not a PEM or DER certificate"),
                          (pathlib.Path(cert.key).read_text(), "not a PEM or DER certificate"),
                          ("-----BEGIN CERTIFICATE-----\n", "certificate 1 of the CA given (line 1) cannot be read"),
                          (broken, "certificate 1 of the CA given (line 1) cannot be read")):
            garbage.write_text(text)
            report = self.refused(why, trust=str(garbage))
            self.assertEqual(report["code"], "ESP_ERR_MBEDTLS_X509_CRT_PARSE_FAILED")

    def broken_ones(self):
        """Certificates that are none, by what makes them so, and what is said of it."""
        text = pathlib.Path(ca.cert).read_text()
        lines = text.splitlines(keepends=True)
        return {
            "a letter": (text.replace("M", "!", 1), "cannot be read: bad base64 decode"),
            "cut": ("".join(lines[:3]), "cannot be read"),
            "without its END line": ("".join(lines[:-1]), "cannot be read: it lacks its END line"),
            "empty": (lines[0] + lines[-1], "cannot be read"),
            "a line is missing": (text.replace(lines[1], ""), "cannot be read"),
            "a key": (pathlib.Path(ca.key).read_text().replace("PRIVATE KEY", "CERTIFICATE"), "cannot be read"),
        }

    def test_the_broken_certificate_of_several_is_named_and_the_others_count(self):
        good, stranger = (pathlib.Path(one.cert).read_text() for one in (ca, servers.make_ca(folder, "fourth", title="fourth")))
        key, path = pathlib.Path(ca.key).read_text(), folder / "broken-bundle.pem"
        lines = good.splitlines(keepends=True)
        with servers.HttpsServer(folder, cert) as server:
            for form, (broken, why) in self.broken_ones().items():
                for comment in ("", "# a comment\n\n", key):
                    for before, behind, works in ((good, stranger, True), (stranger, good, True), (stranger, stranger, False)):
                        path.write_text(before + comment + broken + behind)
                        line = before.count("\n") + comment.count("\n") + 1
                        with self.subTest(form, comment=comment[:5], works=works):
                            self.named(server, f"certificate 2 of the CA given (line {line}) {why}", path, works)
            path.write_text("\n" + stranger + "".join(lines[1:]) + good)
            end = stranger.count("\n") + len(lines)
            self.named(server, f"a certificate of the CA given that ends on line {end} lacks its BEGIN line", path, True)

    def named(self, server, why, path, works):
        """The log says it as ESP-IDF does and better; where the server cannot be trusted, so does the error."""
        command = [str(CLIENT), server.url("fw.bin"), "--ca", str(path)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        said = done.stdout + done.stderr
        self.assertIn("esp-tls: mbedtls_x509_crt_parse was partly successful. No. of failed certificates: 1\n", said)
        self.assertIn(f"esp-tls: {why}", said)
        report = json.loads([line for line in done.stdout.splitlines() if line.startswith("{")][-1])
        if works:
            self.assert_whole(report)
        else:
            self.assert_failed(report, CONNECT, "tls", f"unable to get local issuer certificate; {why}")

    def der(self, one):
        return ssl.PEM_cert_to_DER_cert(pathlib.Path(one.cert).read_text())

    def test_ca_files_of_every_form(self):
        text, path = pathlib.Path(ca.cert).read_text(), folder / "form"
        stranger = servers.make_ca(folder, "third", title="third")
        for data in (self.der(ca), self.der(stranger) + self.der(ca), self.der(ca) + b"\0", text.replace("\n", "\r\n").encode(),
                     b"\xef\xbb\xbf" + text.encode(), text.encode() + b"\0", b"0 comment\n" + text.encode(),
                     text.replace("BEGIN CERT", "BEGIN TRUSTED CERT").replace("END CERT", "END TRUSTED CERT").encode()):
            path.write_bytes(data)
            self.accepted(trust=False, args=("--ca-der", str(path)))
        for data, why in ((self.der(ca)[:-1], "certificate 1 of the CA given (DER, byte 0) cannot be read"),
                          (self.der(stranger) + self.der(ca)[:-1],
                           f"certificate 2 of the CA given (DER, byte {len(self.der(stranger))}) cannot be read"),
                          (self.der(stranger) + b"more", "certificate 2 of the CA given")):
            path.write_bytes(data)
            self.refused(why, trust=False, args=("--ca-der", str(path)))
        spoilt = bytearray(self.der(stranger))
        spoilt[4] ^= 1  # what is signed is no sequence any more
        for data in (bytes(spoilt) + self.der(ca), self.der(ca) + bytes(spoilt), self.der(ca) + self.der(stranger)[:-1],
                     self.der(ca) + b"more"):
            path.write_bytes(data)
            self.accepted(trust=False, args=("--ca-der", str(path)))
        path.write_bytes(self.der(ca))
        self.refused("a CA certificate in DER form needs its length (cert_len)", trust=str(path))

    def accepted(self, made=None, host="127.0.0.1", args=(), **kw):
        with servers.HttpsServer(folder, made or cert) as server:
            self.assert_whole(get(server.url("fw.bin", host=host), *args, **kw)[-1])

    def test_names_and_addresses_that_fit(self):
        self.accepted(host="localhost")
        wild = servers.make_cert(folder, names=["only.example"], name="only")
        self.accepted(wild, args=("--skip-name",))
        self.accepted(wild, args=("--common-name", "only.example"))

    def test_skipping_the_name_does_not_skip_the_chain(self):
        self.refused("self-signed", servers.make_self_signed(folder, name="self2"), args=("--skip-name",))

    def test_an_address_as_common_name_only(self):
        config = folder / "cn.cnf"
        config.write_text("[req]\ndistinguished_name=dn\n[dn]\n")
        own = servers.Cert(str(folder / "cn.pem"), str(folder / "cn.key"))
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-config", str(config),
                        "-subj", "/CN=127.0.0.1", "-keyout", own.key, "-out", own.cert],
                       check=True, capture_output=True, timeout=60)
        self.accepted(own, trust=own.cert)  # as ESP-IDF's OTA guides make it: self-signed, named after the address
        self.refused("hostname mismatch", own, host="localhost", trust=own.cert)

    def test_an_address_listed_as_a_host_name(self):
        """As older versions of mbedTLS want it, which compare names only; newer ones take it, too."""
        config = folder / "dns.cnf"
        config.write_text("[req]\ndistinguished_name=dn\n[dn]\n[v]\nsubjectAltName=DNS:127.0.0.1\n")
        own = servers.Cert(str(folder / "dns.pem"), str(folder / "dns.key"))
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-config", str(config), "-extensions", "v",
                        "-subj", "/CN=device", "-keyout", own.key, "-out", own.cert],
                       check=True, capture_output=True, timeout=60)
        self.accepted(own, trust=own.cert)
        self.refused("hostname mismatch", own, host="localhost", trust=own.cert)

    def test_several_cas_in_one_file_and_the_global_store(self):
        bundle = folder / "bundle.pem"
        stranger = servers.make_ca(folder, "second")
        bundle.write_text("# comment\n" + pathlib.Path(stranger.cert).read_text() + pathlib.Path(ca.cert).read_text())
        self.accepted(trust=str(bundle))
        self.accepted(trust=None, args=("--global", str(bundle)))
        self.accepted(trust=None, args=("--global", ca.cert, "--global", stranger.cert))  # the second adds to the first
        bundle.write_text("-----BEGIN CERTIFICATE-----\n" + pathlib.Path(ca.cert).read_text())
        self.accepted(trust=None, args=("--global", str(bundle)))

    def test_client_certificates(self):
        mine = servers.make_cert(folder, names=["device-1"], name="device")
        context = servers.server_context(cert, client_ca=ca)
        with servers.HttpsServer(folder, context=context) as server:
            self.assert_whole(get(server.url("fw.bin"), "--cert", mine.cert, "--key", mine.key)[-1])
            self.assertNotEqual(get(server.url("fw.bin"))[-1]["result"], OK)
            report = get(server.url("fw.bin"), "--cert", mine.cert, "--key", cert.key)[-1]
            self.assert_failed(report, CONNECT, "tls", "client certificate")

    def test_tls_versions(self):
        for version, args, works in ((ssl.TLSVersion.TLSv1_2, (), True), (ssl.TLSVersion.TLSv1_3, (), True),
                                     (ssl.TLSVersion.TLSv1_2, ("--tls", "3"), False),
                                     (ssl.TLSVersion.TLSv1_3, ("--tls", "2"), False),
                                     (ssl.TLSVersion.TLSv1_1, (), False)):
            with self.subTest(version, args=args):
                context = servers.server_context(cert)
                context.set_ciphers("ALL:@SECLEVEL=0")
                with warnings.catch_warnings(action="ignore"):  # TLS 1.1 is deprecated: that is why it is here
                    context.minimum_version = context.maximum_version = version
                with servers.HttpsServer(folder, context=context) as server:
                    report = get(server.url("fw.bin"), *args)[-1]
                    if works:
                        self.assert_whole(report)
                    else:
                        self.assert_failed(report, CONNECT, "tls", "TLS handshake with 127.0.0.1 port")


class Unreachable(Case):
    def test_refused(self):
        report = get(f"https://127.0.0.1:{servers.free_port()}/")[-1]
        self.assert_failed(report, CONNECT, "connect", "Connection refused")

    def test_unknown_name(self):
        report = get("https://name.invalid/", timeout_ms=3000)[-1]
        self.assert_failed(report, CONNECT, "resolve", "cannot resolve name.invalid")
        self.assertLess(report["ms"], 4000)

    def test_no_route(self):
        report = get("https://192.0.2.1/", timeout_ms=500)[-1]  # documentation address: dropped or unreachable
        self.assertEqual(report["result"], CONNECT)
        self.assertLess(report["ms"], 1500)

    def test_the_second_address_is_tried(self):
        # localhost is ::1 and 127.0.0.1 on most machines; our server listens on the second only.
        families = {info[0] for info in socket.getaddrinfo("localhost", 1, type=socket.SOCK_STREAM)}
        if len(families) < 2:
            self.skipTest("localhost has one address here")
        with servers.HttpsServer(folder, cert) as server:
            self.assert_whole(get(server.url("fw.bin", host="localhost"))[-1])

    def test_plain_http_where_tls_is_wanted_and_the_reverse(self):
        with servers.HttpsServer(folder, plain=True) as server:
            report = get(server.url("fw.bin").replace("http:", "https:"))[-1]
            self.assert_failed(report, CONNECT, "tls", "handshake")
        with servers.HttpsServer(folder, cert) as server:
            report = get(server.url("fw.bin").replace("https:", "http:"))[-1]
            self.assertEqual((report["result"], report["stage"]), (FAIL, "header"))


class TimeLimits(Case):
    """Servers that hold the line without talking; every wait ends at timeout_ms."""

    LIMIT = 400

    def limited(self, serve, result, stage, context=None, args=()):
        release = servers.threading.Event()

        def hold(connection, index):
            serve(connection)
            release.wait(20)

        with servers.RawServer(hold, context=context, scheme="https") as server:
            try:
                report = get(server.url("fw.bin"), *args, timeout_ms=self.LIMIT)[-1]
            finally:
                release.set()
        self.assertEqual((report["result"], report["stage"]), (result, stage), report)
        self.assertGreaterEqual(report["ms"], self.LIMIT - 20)
        self.assertLess(report["ms"], 4 * self.LIMIT)
        return report

    def test_silence_in_the_handshake(self):
        report = self.limited(lambda connection: None, CONNECT, "tls")
        self.assertEqual(report["code"], "ESP_ERR_ESP_TLS_SERVER_HANDSHAKE_TIMEOUT")

    def test_a_stall_inside_the_handshake(self):
        def half_a_hello(connection):
            connection.recv(4096)
            connection.sendall(b"\x16\x03\x03\x00\x7a\x02\x00\x00\x76\x03\x03")
        self.limited(half_a_hello, CONNECT, "tls")

    def test_a_dripping_handshake(self):
        def drip(connection):
            connection.recv(4096)
            for byte in b"\x16\x03\x03\x40\x00\x02" + bytes(64):
                connection.sendall(bytes([byte]))
                time.sleep(0.05)
        self.limited(drip, CONNECT, "tls")

    def test_silence_after_the_request(self):
        self.limited(servers.read_request, HEADER_TIMEOUT, "header", servers.server_context(cert))

    def test_a_dripping_head(self):
        def drip(connection):
            servers.read_request(connection)
            for byte in b"HTTP/1.1 200 OK\r\nX-Slow: " + b"x" * 64:
                connection.sendall(bytes([byte]))
                time.sleep(0.05)
        self.limited(drip, HEADER_TIMEOUT, "header", servers.server_context(cert))

    def test_a_stall_in_the_body(self):
        def stall(connection):
            servers.read_request(connection)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + bytes(20000))
        report = self.limited(stall, HEADER_TIMEOUT, "body", servers.server_context(cert))
        self.assertEqual(report["received"], 20000)
        self.assertEqual(report["errno"], 11)  # EAGAIN

    def test_a_dripping_body_is_only_slow(self):
        def drip(connection, _):
            servers.read_request(connection)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n")
            for byte in b"12345678":
                time.sleep(0.1)
                connection.sendall(bytes([byte]))
        with servers.RawServer(drip, context=servers.server_context(cert)) as server:
            self.assert_whole(get(server.url("x"), timeout_ms=self.LIMIT)[-1], b"12345678")


class CutConnections(Case):
    def cut(self, serve, result, stage, text, context="tls", args=()):
        with servers.RawServer(serve, context=servers.server_context(cert) if context else None,
                               scheme="https") as server:
            report = get(server.url("x"), *args)[-1]
        self.assert_failed(report, result, stage, text)
        self.assertFalse(report["complete"] and report["status"] > 0)
        return report

    @staticmethod
    def reset(connection):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        connection.close()

    def test_in_the_handshake(self):
        def serve(connection, _):
            connection.recv(4096)
        self.cut(serve, CONNECT, "tls", "closed the connection in the TLS handshake", context=None)

    def test_reset_at_once(self):
        def serve(connection, _):
            connection.recv(10)
            self.reset(connection)
        self.cut(serve, CONNECT, "tls", "Connection reset", context=None)

    def test_garbage_instead_of_tls(self):
        def serve(connection, _):
            connection.recv(4096)
            connection.sendall(b"\x00garbage" * 10)
        self.cut(serve, CONNECT, "tls", "handshake", context=None)

    def test_after_the_request(self):
        def serve(connection, _):
            servers.read_request(connection)
            connection.unwrap()
        self.cut(serve, FAIL, "header", "closed the connection")

    def test_in_the_head(self):
        def serve(connection, _):
            servers.read_request(connection)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Le")
        self.cut(serve, FAIL, "header", "")

    def test_in_the_body(self):
        for farewell in (True, False):
            def serve(connection, _):
                servers.read_request(connection)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + bytes(20000))
                if farewell:
                    connection.unwrap()
            with self.subTest(farewell=farewell):
                report = self.cut(serve, FAIL, "body", "")
                self.assertEqual(report["received"], 20000)

    def test_a_body_without_length_needs_a_proper_end(self):
        for farewell in (True, False):
            def serve(connection, _):
                servers.read_request(connection)
                connection.sendall(b"HTTP/1.0 200 OK\r\n\r\n" + bytes(20000))
                if farewell:
                    connection.unwrap()
            with self.subTest(farewell=farewell):
                if farewell:
                    with servers.RawServer(serve, context=servers.server_context(cert)) as server:
                        self.assert_whole(get(server.url("x"))[-1], bytes(20000))
                else:
                    self.cut(serve, FAIL, "body", "the connection was cut")

    def test_reset_in_the_body(self):
        def serve(connection, _):
            servers.read_request(connection)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
            self.reset(connection)
        with servers.RawServer(serve) as server:
            report = get(server.url("x"))[-1]
        self.assertEqual(report["result"], FAIL, report)
        self.assertIn(report["stage"], ("header", "body"))  # the reset may overtake the head
        self.assertEqual(report["errno"], 104)  # ECONNRESET


class WhatIsLogged(Case):
    """The lines of ESP-IDF's layers, from below, with the numbers that lwIP and mbedTLS have for each failure."""

    OPEN = "transport_base: Failed to open a new connection"
    NOT_OPEN = ("E esp-tls: Failed to open new connection", f"E {OPEN}", "E HTTP_CLIENT: Connection failed, sock < 0: ")
    UNTRUSTED = "I esp-tls-mbedtls: Failed to verify peer certificate!"

    @staticmethod
    def handshake(number):
        return f"E esp-tls-mbedtls: mbedtls_ssl_handshake returned -0x{number:04X}"

    def logged(self, url, *lines, args=("--ca",)):
        """Each line of the log begins with the one that is expected, apart from its time."""
        command = [str(CLIENT), url, "--timeout", "1000", *args, *([ca.cert] if args == ("--ca",) else [])]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        said = [re.sub(r"^([EWID]) \(\d+\) ", r"\1 ", line) for line in (done.stdout + done.stderr).splitlines()
                if re.match(r"[EWID] \(\d+\) ", line)]
        self.assertEqual(len(said), len(lines), said)
        for line, expected in zip(said, lines):
            self.assertRegex(line, "^" + re.escape(expected).replace("NUMBER", r"\d+"))

    def test_a_name_that_does_not_exist(self):
        unknown = "E esp-tls: couldn't get hostname for :name.invalid: getaddrinfo() returns 202, addrinfo=0x0"
        self.logged("https://name.invalid/", unknown, *self.NOT_OPEN)
        self.logged("http://name.invalid/", unknown, f"E {self.OPEN}: 32769", self.NOT_OPEN[2])

    def test_a_port_where_nobody_listens(self):
        address = f"127.0.0.1:{servers.free_port()}/"
        refused = "E esp-tls: [sock=NUMBER] delayed connect error: Connection refused"
        self.logged(f"https://{address}", refused, *self.NOT_OPEN)
        self.logged(f"http://{address}", refused, f"E {self.OPEN}: 32772", self.NOT_OPEN[2])

    def test_certificates(self):
        for number, made, args, bundle in (
                (0x2700, servers.make_cert(folder, expired=True, name="late"), ("--ca",), ()),
                (0x2700, servers.make_cert(folder, names=("other.example",), name="elsewhere"), ("--ca",), ()),
                (0x3000, cert, ("--system",), ("I esp-x509-crt-bundle: No matching trusted root certificate found",
                                               "E esp-x509-crt-bundle: Failed to verify certificate"))):
            with self.subTest(made.cert, args=args), servers.HttpsServer(folder, made) as server:
                self.logged(server.url("fw.bin"), *bundle, self.handshake(number), self.UNTRUSTED, *self.NOT_OPEN, args=args)

    def test_handshakes_that_end(self):
        def says(data, reset=False):
            def serve(connection, _):
                connection.recv(4096)
                connection.sendall(data)
                if reset:
                    CutConnections.reset(connection)
            return serve
        for number, serve in ((0x7280, says(b"")), (0x0050, says(b"", reset=True)), (0x7200, says(b"HTTP/1.1 400 No\r\n\r\n")),
                              (0x7780, says(b"\x15\x03\x03\x00\x02\x02\x28"))):
            with self.subTest(hex(number)), servers.RawServer(serve, scheme="https") as server:
                self.logged(server.url("x"), self.handshake(number), *self.NOT_OPEN)

    def test_a_silent_server(self):
        with servers.RawServer(lambda connection, _: connection.recv(1) and time.sleep(2), scheme="https") as server:
            self.logged(server.url("x"), "W esp-tls: Failed to open new connection in specified timeout", *self.NOT_OPEN[1:])

    def test_bytes_that_cannot_be_read(self):
        def serve(connection, _):
            servers.read_request(connection)
            CutConnections.reset(connection)
        with servers.RawServer(serve) as server:
            self.logged(server.url("x"), "E transport_base: tcp_read error, errno=Connection reset by peer")

    def test_a_body_that_breaks_off(self):
        def answers(then):
            def serve(connection, _):
                servers.read_request(connection)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
                then(connection)
            return serve
        end = "W HTTP_CLIENT: esp_transport_read returned:-1 and errno:107 "
        with servers.RawServer(answers(lambda connection: connection.shutdown(socket.SHUT_WR))) as server:
            self.logged(server.url("x"), end)
        with servers.RawServer(answers(lambda connection: connection.shutdown(socket.SHUT_WR)),
                               context=servers.server_context(cert), scheme="https") as server:  # without close_notify
            self.logged(server.url("x"), "E esp-tls-mbedtls: read error :-0x7280",
                        "E transport_base: esp_tls_conn_read error, errno=Transport endpoint is not connected",
                        "W HTTP_CLIENT: esp_transport_read returned:-29312 and errno:107 ",
                        "E HTTP_CLIENT: transport_read: error - -1 | ESP_FAIL")

    def test_no_answer(self):
        with servers.RawServer(lambda connection, _: time.sleep(2)) as server:
            self.logged(server.url("x"), "W HTTP_CLIENT: Connection timed out before data was ready!")


if __name__ == "__main__":
    unittest.main()
