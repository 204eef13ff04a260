"""`otter serve`: how it starts and ends, its pace, its TLS, its log."""
# SPDX-License-Identifier: Apache-2.0

import concurrent.futures
import contextlib
import http.client
import os
import pathlib
import pty
import re
import shlex
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import threading
import time
import unittest
import unittest.mock

from otter_serve import OTTER, WAIT_S, OtterServe, cpu_seconds
from serve_case import BIG, BODY, ask, client_context, connect, get_target, raw_status, read_to_end, shared, tls_socket
from servers import make_cert

SOURCE = pathlib.Path(os.environ.get("OTTER_SOURCE", pathlib.Path(__file__).parents[2]))


def setUpModule():
    shared.start()


def tearDownModule():
    shared.close()


class Rate(unittest.TestCase):
    def test_each_connection_gets_its_rate_without_a_busy_loop(self):
        rate, size = 200_000, 500_000

        def download(_):
            start = time.monotonic()
            _, _, body = ask("/big.bin", {"Range": f"bytes=0-{size - 1}"}, server=server)
            return len(body), time.monotonic() - start

        with OtterServe(shared.folder, shared.cert, "--quiet", "--rate", str(rate)) as server:
            before = cpu_seconds(server.pid)
            with concurrent.futures.ThreadPoolExecutor(3) as pool:
                results = list(pool.map(download, range(3)))
            used = cpu_seconds(server.pid) - before
        for got, seconds in results:
            self.assertEqual(got, size)
            self.assertGreater(seconds, 0.9 * size / rate)
            self.assertLess(seconds, 1.1 * size / rate + 0.5)  # and the handshake, on a busy machine
        self.assertLess(used, 1.0)

    def test_the_rate_holds_over_the_requests_of_a_connection(self):
        with OtterServe(shared.folder, shared.cert, "--quiet", "--rate", "10000") as server, \
                contextlib.closing(connect(server)) as connection:
            start = time.monotonic()
            for _ in range(10):
                connection.request("GET", "/app.bin")
                self.assertEqual(connection.getresponse().read(), BODY)
            self.assertGreater(time.monotonic() - start, 0.8)

    def test_it_stops_at_once_while_a_slow_download_waits(self):
        server = OtterServe(shared.folder, shared.cert, "--rate", "1")
        with contextlib.closing(connect(server)) as connection:
            connection.request("GET", "/app.bin")
            connection.getresponse().read(1)
            start = time.monotonic()
            self.assertEqual(server.stop(), 0)
            self.assertLess(time.monotonic() - start, 10)
        self.assertRegex(server.next_line(), r"GET /app.bin 200 \d+ - cut")


class Tls(unittest.TestCase):
    def test_tls_1_2_and_1_3_are_spoken(self):
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            with self.subTest(version), contextlib.closing(connect(maximum_version=version)) as connection:
                connection.request("GET", "/app.bin")
                self.assertEqual(connection.sock.version(), version.name.replace("_", "."))
                self.assertEqual(connection.getresponse().read(), BODY)

    def test_older_versions_are_refused(self):
        command = ["openssl", "s_client", "-connect", f"127.0.0.1:{shared.server.port}", "-cipher", "ALL:@SECLEVEL=0"]
        for version in ("-tls1", "-tls1_1"):
            with self.subTest(version):
                done = subprocess.run([*command, version], stdin=subprocess.DEVNULL, capture_output=True,
                                      timeout=WAIT_S, check=False)
                self.assertNotEqual(done.returncode, 0)

    def test_ciphers_without_forward_secrecy_or_authentication_are_refused(self):
        for cipher in ("AES128-GCM-SHA256", "ECDHE-ECDSA-AES128-SHA", "AES128-SHA"):
            with self.subTest(cipher):
                context = client_context(maximum_version=ssl.TLSVersion.TLSv1_2)
                context.set_ciphers(cipher)
                with socket.create_connection(("127.0.0.1", shared.server.port), WAIT_S) as plain:
                    with self.assertRaises(OSError):
                        context.wrap_socket(plain, server_hostname="127.0.0.1")

    def test_curl_and_openssl_can_read(self):
        got = subprocess.run(["curl", "-sS", "--cacert", shared.ca.cert, shared.server.url("app.bin")],
                             capture_output=True, timeout=WAIT_S, check=True)
        self.assertEqual(got.stdout, BODY)
        got = subprocess.run(["openssl", "s_client", "-quiet", "-connect", f"127.0.0.1:{shared.server.port}"],
                             input=b"GET /app.bin HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
                             capture_output=True, timeout=WAIT_S, check=False)
        self.assertTrue(got.stdout.endswith(BODY))

    def test_plain_http_gets_nothing(self):
        with socket.create_connection(("127.0.0.1", shared.server.port), WAIT_S) as plain:
            plain.sendall(b"GET /app.bin HTTP/1.1\r\nHost: x\r\n\r\n")
            self.assertNotIn(b"HTTP/1.1 200", read_to_end(plain))
        self.assertEqual(ask()[0], 200)

    def test_bad_requests_do_not_harm_the_server(self):
        rows = [b"", b"\r\n\r\n", b"nonsense\r\n\r\n", b"GET\r\n\r\n", b"GET /app.bin\r\n\r\n", b"\0" * 100 + b"\r\n\r\n",
                b"GET /app.bin HTTP/1.1\r\n\r\n", b"GET /app.bin HTTP/9.9\r\nHost: x\r\n\r\n",
                b"GET /app.bin HTTP/1.1\r\nHost: x\r\n" + b"A: " + b"b" * 70000 + b"\r\n\r\n",
                b"GET /app.bin HTTP/1.1\r\nHost: x\r\n" + b"A: b\r\n" * 20000 + b"\r\n",
                b"GET /" + b"a" * 70000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
                b"GET /app.bin HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
                b"GET /app.bin HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999999\r\n\r\n",
                b"GET /app.bin HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
                b"G" * 40000, bytes(range(256)) * 20]
        for request in rows:
            with self.subTest(request[:50]), tls_socket() as connection:
                with contextlib.suppress(OSError):
                    connection.sendall(request)
                    connection.unwrap() if not request else connection.shutdown(socket.SHUT_WR)
                read_to_end(connection)
        self.assertEqual(ask()[2], BODY)


class Log(unittest.TestCase):
    def test_each_request_is_one_printable_line(self):
        with OtterServe(shared.folder, shared.cert) as server:
            ask("/app.bin", server=server)
            ask("/sub/deep.bin", {"Range": "bytes=1-2"}, server=server)
            ask("/none", method="HEAD", server=server)
            get_target(b"/a\x1b[31m\xff%0a", server)
            ask("/app.bin", {"Range": "bytes=0-\x1b[0m" + "9" * 200}, server=server)
            self.assertEqual(server.next_line(), "127.0.0.1 GET /app.bin 200 1000 -")
            self.assertEqual(server.next_line(), "127.0.0.1 GET /sub/deep.bin 206 2 bytes=1-2")
            self.assertEqual(server.next_line(), "127.0.0.1 HEAD /none 404 0 -")
            self.assertEqual(server.next_line(), r"127.0.0.1 GET /a\x1b[31m\xff%0a 404 0 -")
            self.assertRegex(server.next_line(), r"^127.0.0.1 GET /app.bin 200 1000 bytes=0-\\x1b\[0m9+\.\.\.$")

    def test_a_client_without_trust_is_told_of(self):
        with OtterServe(shared.folder, shared.cert) as server:
            with socket.create_connection(("127.0.0.1", server.port), WAIT_S) as plain:
                with self.assertRaises(ssl.SSLError):
                    ssl.create_default_context().wrap_socket(plain, server_hostname="127.0.0.1")
            self.assertIn("does it trust the CA", server.next_line())

    def test_quiet_says_only_where_it_serves(self):
        with OtterServe(shared.folder, shared.cert, "--quiet") as server:
            ask(server=server)
        self.assertIsNone(server.next_line())


def run_serve(*args, **options):
    return subprocess.run([OTTER, "serve", *map(str, args)], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=WAIT_S, check=False, **options)


class Life(unittest.TestCase):
    def test_it_says_where_it_serves(self):
        port_file = shared.work / "port"
        with OtterServe(shared.folder, shared.cert, "--port-file", str(port_file)) as server:
            self.assertEqual(server.first_line, f"otter serve: https://127.0.0.1:{server.port}/ serves {shared.folder}")
            self.assertEqual(port_file.read_text(), f"{server.port}\n")

    def test_on_all_addresses_it_names_itself_as_the_certificate_does(self):
        with OtterServe(shared.folder, shared.cert, bind=None) as server:
            self.assertEqual(server.host, "localhost")
            self.assertEqual(ask(server=server)[2], BODY)
            self.assertTrue(server.next_line().startswith("127.0.0.1 GET"))

    def test_ipv6(self):
        try:
            socket.create_server(("::1", 0), family=socket.AF_INET6).close()
        except OSError as error:
            self.skipTest(f"no IPv6 on this machine: {error}")
        with OtterServe(shared.folder, shared.cert, bind="::1") as server:
            self.assertEqual(server.host, "[::1]")
            with socket.create_connection(("::1", server.port), WAIT_S) as plain, \
                    client_context().wrap_socket(plain, server_hostname="localhost") as connection:
                connection.sendall(b"HEAD /app.bin HTTP/1.0\r\n\r\n")
                self.assertEqual(raw_status(read_to_end(connection)), 200)
            self.assertTrue(server.next_line().startswith("::1 HEAD"))

    def test_the_first_line_has_a_name_of_the_certificate_that_can_be_one(self):
        rows = [(("*.example", "desk.example"), "desk.example"), (("a\x1b[2Jb", "a b", "a/b", "desk"), "desk"),
                (("a\x1b]0;x\x07",), "localhost"), (("*", "192.0.2.7"), "192.0.2.7")]
        for i, (names, host) in enumerate(rows):
            with self.subTest(names):
                cert = make_cert(shared.work, names=names, name=f"odd{i}")
                with OtterServe(shared.folder, cert, bind=None) as server:
                    self.assertEqual(server.host, host)

    def test_signals_end_it_with_success(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            with self.subTest(number):
                server = OtterServe(shared.folder, shared.cert)
                with contextlib.closing(connect(server)) as connection:
                    connection.request("GET", "/big.bin")  # in the middle of a download
                    connection.getresponse().read(1)
                    server.process.send_signal(number)
                    self.assertEqual(server.wait(), 0, server.errors)
                self.assertEqual(server.errors, "")

    def test_a_connection_without_handshake_does_not_keep_it(self):
        server = OtterServe(shared.folder, shared.cert)
        with socket.create_connection(("127.0.0.1", server.port), WAIT_S):
            start = time.monotonic()
            self.assertEqual(server.stop(), 0)
            self.assertLess(time.monotonic() - start, 10)

    def test_it_ends_by_itself_when_told_a_time(self):
        done = run_serve(shared.folder, "--cert", shared.cert.cert, "--key", shared.cert.key, "--port", "0",
                         "--bind", "127.0.0.1", "--max-seconds", "1")
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_nothing_leaks_over_many_requests(self):
        def resources():
            status = pathlib.Path(f"/proc/{server.pid}/status").read_text()
            return len(os.listdir(f"/proc/{server.pid}/fd")), int(re.search(r"VmRSS:\s+(\d+)", status)[1])

        # AddressSanitizer holds freed memory back for a while: little of it, so that growth shows here too.
        sanitizer = os.environ.get("ASAN_OPTIONS", "") + ":quarantine_size_mb=1"
        with unittest.mock.patch.dict(os.environ, ASAN_OPTIONS=sanitizer), \
                OtterServe(shared.folder, shared.cert) as server:
            for turn in range(3):
                for _ in range(15):
                    ask(server=server)
                    ask("/none", server=server)
                    ask(headers={"Range": "bytes=5000-"}, server=server)
                    with contextlib.closing(connect(server)) as connection:  # leaves in the middle
                        connection.request("GET", "/big.bin")
                        connection.getresponse().read(1)
                for _ in range(60):
                    server.next_line()  # each request has ended: its line is out
                ask(server=server)
                server.next_line()
                if turn == 0:
                    fds, memory = resources()
            deadline = time.monotonic() + WAIT_S
            while (now := resources()) and now[0] > fds and time.monotonic() < deadline:
                ask(server=server)
            self.assertLessEqual(now[0], fds)
            self.assertLess(now[1], memory * 1.5 + 4096)

    def test_a_certificate_out_of_its_time_is_served_with_a_warning(self):
        cert = make_cert(shared.work, expired=True, name="expired")
        server = OtterServe(shared.folder, cert)
        self.assertEqual(server.stop(), 0)
        self.assertRegex(server.errors, r"^otter serve: warning: .*expired.*\n$")


class Reload(unittest.TestCase):
    """SIGHUP: the certificate and its key are read again."""

    def setUp(self):
        self.work = pathlib.Path(tempfile.mkdtemp(dir=shared.work))
        self.cert = type(shared.cert)(str(self.work / "cert.pem"), str(self.work / "key.pem"))
        self.install(shared.cert)
        self.server = None
        self.addCleanup(lambda: self.server and self.server.stop())

    def install(self, cert):
        """By renaming, as tools that renew certificates do it."""
        for source, target in zip(cert, self.cert):
            shutil.copy(source, target + ".new")
            os.rename(target + ".new", target)

    def reload(self):
        os.kill(self.server.pid, signal.SIGHUP)
        self.assertEqual(self.server.next_line(), f"otter serve: new connections get the certificate in {self.cert.cert}")

    def served(self):
        """The certificate that a new connection gets, DER."""
        with tls_socket(self.server) as connection:
            return connection.getpeercert(binary_form=True)

    def der(self, cert):
        return ssl.PEM_cert_to_DER_cert(pathlib.Path(cert.cert).read_text())

    def test_new_connections_get_the_new_pair_and_old_ones_go_on(self):
        self.server = OtterServe(shared.folder, self.cert, "--quiet")
        with contextlib.closing(connect(self.server)) as kept, contextlib.closing(connect(self.server)) as download:
            kept.request("GET", "/app.bin")
            self.assertEqual(kept.getresponse().read(), BODY)
            download.request("GET", "/big.bin")
            answer = download.getresponse()
            start = answer.read(1000)  # the rest waits: it is more than the sockets can hold
            self.assertEqual(self.served(), self.der(shared.cert))
            for turn, bits in enumerate((None, 2048)):  # EC, then RSA
                fresh = make_cert(shared.work, name=f"fresh-{turn}", rsa_bits=bits)
                self.install(fresh)
                self.reload()
                self.assertEqual(self.served(), self.der(fresh))
            self.assertEqual(start + answer.read(), BIG)
            kept.request("GET", "/app.bin")
            self.assertEqual(kept.getresponse().read(), BODY)
        self.assertEqual(ask(server=self.server)[2], BODY)

    def test_handshakes_meanwhile_get_one_pair_or_the_other(self):
        alone = pathlib.Path(shared.cert.cert).read_bytes()
        chains = [alone, alone + pathlib.Path(shared.ca.cert).read_bytes()]
        self.server = OtterServe(shared.folder, self.cert, "--quiet")
        over = threading.Event()
        failed = []

        def shake_hands():
            while not over.is_set():
                try:
                    self.served()
                except OSError as error:
                    failed.append(error)

        clients = [threading.Thread(target=shake_hands, daemon=True) for _ in range(3)]
        for client in clients:
            client.start()
        try:
            for turn in range(100):
                pathlib.Path(self.cert.cert + ".new").write_bytes(chains[turn % 2])
                os.rename(self.cert.cert + ".new", self.cert.cert)
                self.reload()
        finally:
            over.set()
            for client in clients:
                client.join(WAIT_S)
        self.assertEqual(failed, [])
        self.assertEqual(self.server.stop(), 0)  # another status under a sanitizer that has found something

    def test_a_pair_that_will_not_do_changes_nothing_and_says_why(self):
        other = make_cert(shared.work, name="mismatch")
        self.server = OtterServe(shared.folder, self.cert)
        rows = [
            ("no certificate", lambda: os.unlink(self.cert.cert), "cert.pem: cannot open it"),
            ("no key", lambda: os.unlink(self.cert.key), "key.pem: cannot open it"),
            ("half a certificate", lambda: os.truncate(self.cert.cert, 100), "holds no certificate"),
            ("half a key", lambda: os.truncate(self.cert.key, 100), "holds no private key"),
            ("the key of another", lambda: shutil.copy(other.key, self.cert.key), "made together"),
            ("a FIFO", lambda: (os.unlink(self.cert.cert), os.mkfifo(self.cert.cert), os.unlink(self.cert.key)),
             "key.pem: cannot open it"),
        ]
        for name, damage, says in rows:
            with self.subTest(name):
                damage()
                os.kill(self.server.pid, signal.SIGHUP)
                self.assertRegex(self.server.next_error(), says)
                self.assertRegex(self.server.next_error(), "goes on with the certificate and the key that it had")
                self.assertEqual(self.served(), self.der(shared.cert))
                if os.path.exists(self.cert.cert):
                    os.unlink(self.cert.cert)
                self.install(shared.cert)
        self.server.next_line()  # served() left without a request

    def test_the_keys_of_all_pairs_stay_secret(self):
        folder = self.work / "firmware"
        folder.mkdir()
        pairs = [shared.cert, make_cert(shared.work, name="second"), make_cert(shared.work, name="third")]
        self.server = OtterServe(folder, self.cert, "--quiet")
        for turn, pair in enumerate(pairs):
            shutil.copy(self.cert.key, folder / f"old-{turn}.bin")
            (folder / f"firmware-{turn}.bin").write_bytes(BODY + pathlib.Path(pair.key).read_bytes())
            if turn > 0:
                self.assertEqual(get_target(f"/firmware-{turn}.bin", self.server)[0], 200)  # not ours yet
            self.install(pair)
            self.reload()
        for turn in range(len(pairs)):
            self.assertEqual(get_target(f"/old-{turn}.bin", self.server)[0], 404)
            self.assertEqual(get_target(f"/firmware-{turn}.bin", self.server)[0], 404)

    def test_a_key_from_a_pipe_is_kept_when_the_certificate_is_renewed(self):
        renewed = str(self.work / "renewed.pem")
        subprocess.run(["openssl", "req", "-x509", "-key", shared.cert.key, "-days", "30", "-subj", "/CN=localhost",
                        "-addext", "subjectAltName=IP:127.0.0.1", "-addext", "basicConstraints=CA:FALSE", "-CA",
                        shared.ca.cert, "-CAkey", shared.ca.key, "-out", renewed],
                       check=True, capture_output=True, timeout=WAIT_S)
        reader, writer = os.pipe()
        os.write(writer, pathlib.Path(shared.cert.key).read_bytes())
        os.close(writer)
        try:
            self.server = OtterServe(shared.folder, type(shared.cert)(self.cert.cert, f"/dev/fd/{reader}"), "--quiet",
                                     pass_fds=(reader,))
        finally:
            os.close(reader)
        os.rename(renewed, self.cert.cert)
        self.reload()
        self.assertEqual(self.served(), self.der(self.cert))

    def test_it_ends_with_its_terminal(self):
        for ignored in (False, True):  # True: as nohup starts programs
            with self.subTest(ignored=ignored):
                read_end, write_end = os.pipe()
                child, terminal = pty.fork()
                if child == 0:
                    signal.signal(signal.SIGHUP, signal.SIG_IGN if ignored else signal.SIG_DFL)
                    os.dup2(write_end, 1)
                    os.execv(OTTER, [OTTER, "serve", shared.folder, "--cert", self.cert.cert, "--key", self.cert.key,
                                     "--bind", "127.0.0.1", "--port", "0"])
                os.close(write_end)
                with open(read_end, encoding="utf-8") as output:
                    self.assertIn(" serves ", output.readline())
                    os.close(terminal)
                    if ignored:
                        self.assertIn("new connections", output.readline())
                        os.kill(child, signal.SIGTERM)
                    self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), 0)


class Start(unittest.TestCase):
    def test_what_keeps_it_from_starting_is_one_line_with_the_next_step(self):
        work, good = shared.work, shared.cert
        other = make_cert(work, name="other")
        (work / "garbage.pem").write_bytes(os.urandom(2000))
        (work / "empty.pem").write_bytes(b"")
        (work / "long.pem").write_bytes(b"x" * 300_000)
        subprocess.run(["openssl", "pkey", "-in", good.key, "-aes128", "-passout", "pass:x", "-out",
                        str(work / "locked.pem")], check=True, timeout=WAIT_S, capture_output=True)
        taken = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(taken.close)
        bind = ("--bind", "127.0.0.1")
        rows = [
            ("no such certificate", (shared.folder, "--cert", work / "none.pem", "--key", good.key), "none.pem.*--help"),
            ("no such key", (shared.folder, "--cert", good.cert, "--key", work / "none.pem"), "none.pem.*--help"),
            ("certificate is a folder", (shared.folder, "--cert", work, "--key", good.key), "is a directory"),
            ("garbage certificate", (shared.folder, "--cert", work / "garbage.pem", "--key", good.key), "no certificate"),
            ("empty certificate", (shared.folder, "--cert", work / "empty.pem", "--key", good.key), "no certificate"),
            ("long certificate", (shared.folder, "--cert", work / "long.pem", "--key", good.key), "has 300000 bytes"),
            ("endless certificate", (shared.folder, "--cert", "/dev/zero", "--key", good.key), "is a device"),
            ("swapped", (shared.folder, "--cert", good.key, "--key", good.cert), "no certificate"),
            ("garbage key", (shared.folder, "--cert", good.cert, "--key", work / "garbage.pem"), "no private key"),
            ("locked key", (shared.folder, "--cert", good.cert, "--key", work / "locked.pem"), "openssl pkey"),
            ("key of another", (shared.folder, "--cert", good.cert, "--key", other.key), "made together"),
            ("no such folder", (work / "none", "--cert", good.cert, "--key", good.key), "cannot open the folder"),
            ("a file as folder", (good.cert, "--cert", good.cert, "--key", good.key), "cannot open the folder"),
            ("port in use", (shared.folder, "--cert", good.cert, "--key", good.key, *bind, "--port",
                             taken.getsockname()[1]), "give another --port"),
            ("foreign address", (shared.folder, "--cert", good.cert, "--key", good.key, "--bind", "192.0.2.1"),
             "ip addr"),
            ("no address", (shared.folder, "--cert", good.cert, "--key", good.key, "--bind", "1.2.3.4.5"),
             "--bind 1.2.3.4.5"),
            ("port file nowhere", (shared.folder, "--cert", good.cert, "--key", good.key, *bind, "--port", "0",
                                   "--port-file", work / "none" / "port"), "port-file"),
        ]
        for name, args, says in rows:
            with self.subTest(name):
                done = run_serve(*args)
                self.assertEqual((done.returncode, done.stdout), (1, ""), done.stderr)
                self.assertRegex(done.stderr, r"\Aotter serve: [^\n]*" + says + r"[^\n]*\n\Z")

    def test_wrong_usage(self):
        pair = ("--cert", shared.cert.cert, "--key", shared.cert.key)
        folder = shared.folder
        rows = [(), (folder,), pair, (folder, "--cert", "x"), (folder, "--key", "x"), (folder, folder, *pair),
                (folder, *pair, "--port"), (folder, *pair, "--port", "65536"), (folder, *pair, "--port", "-1"),
                (folder, *pair, "--port", "http"), (folder, *pair, "--port", ""), (folder, *pair, "--rate", "0"),
                (folder, *pair, "--rate", "fast"), (folder, *pair, "--rate", "1X"), (folder, *pair, "--rate", "9G"),
                (folder, *pair, "--rate", "99999999999999999999"), (folder, *pair, "--max-seconds", "0"),
                (folder, *pair, "--max-seconds", "1.5"), (folder, *pair, "--timeout", "0"),
                (folder, *pair, "--nonsense"), (folder, *pair, "-x"), (folder, *pair, "--quiet=1")]
        for args in rows:
            with self.subTest(args[-2:]):
                done = run_serve(*args)
                self.assertEqual((done.returncode, done.stdout), (2, ""))
                self.assertRegex(done.stderr, r"\Aotter serve: [^\n]+ --help[^\n]+\n\Z")

    def test_the_certificate_that_the_help_teaches_works(self):
        done = run_serve("--help")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        commands = re.findall(r"^ +(openssl .*)$", done.stdout, re.MULTILINE)
        self.assertEqual(len(commands), 2)
        for command in commands:
            self.assertIn(f"\n{command}\n", (SOURCE / "docs" / "SERVING.md").read_text())
        with tempfile.TemporaryDirectory() as folder:
            for command in commands:
                subprocess.run(shlex.split(command), cwd=folder, check=True, capture_output=True, timeout=WAIT_S)
            start = re.search(r"^ +otter serve firmware/ (.*)$", done.stdout, re.MULTILINE)[1].split()
            cert = type(shared.cert)(*(str(pathlib.Path(folder) / name) for name in (start[1], start[3])))
            self.assertEqual((start[0], start[2]), ("--cert", "--key"))
            with OtterServe(shared.folder, cert) as server:
                context = ssl.create_default_context(cafile=str(pathlib.Path(folder) / "ca.pem"))
                for host in ("localhost", "127.0.0.1"):
                    with socket.create_connection(("127.0.0.1", server.port), WAIT_S) as plain:
                        context.wrap_socket(plain, server_hostname=host).close()

    def test_without_its_server_otter_says_what_to_do(self):
        with tempfile.TemporaryDirectory() as folder:
            alone = shutil.copy(OTTER, folder)
            done = subprocess.run([alone, "serve", "x"], capture_output=True, text=True, timeout=WAIT_S, check=False,
                                  env={**os.environ, "PATH": folder})
            self.assertEqual(done.returncode, 1)
            self.assertRegex(done.stderr, r"\Aotter serve: otter-serve [^\n]*ninja otter-serve[^\n]*\n\Z")
            shutil.copy(OTTER.with_name("otter-serve"), folder)
            moved = pathlib.Path(folder) / "elsewhere"
            moved.mkdir()
            shutil.copy(OTTER, moved)
            done = subprocess.run([moved / "otter", "serve", "--help"], capture_output=True, timeout=WAIT_S, check=False,
                                  env={**os.environ, "PATH": folder})
            self.assertEqual(done.returncode, 0, "otter-serve in PATH was not found")


if __name__ == "__main__":
    unittest.main()
