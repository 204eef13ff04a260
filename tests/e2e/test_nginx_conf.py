"""docs/nginx.conf, filled in and started with the very commands of docs/SERVING.md."""
# SPDX-License-Identifier: Apache-2.0

import contextlib
import email.utils
import http.client
import os
import pathlib
import re
import shutil
import socket
import ssl
import subprocess
import tempfile
import time
import unittest

from servers import free_port, make_ca, make_cert

SOURCE = pathlib.Path(os.environ.get("OTTER_SOURCE", pathlib.Path(__file__).parents[2]))
PROGRAM = shutil.which("nginx") or "/usr/sbin/nginx"
WAIT_S = 30
BODY = os.urandom(100_000)

fleet = None


def documented_commands():
    """The sh block of SERVING.md that fills in the configuration: (the line of settings, the rest)."""
    blocks = re.findall(r"```sh\n(.*?)```", (SOURCE / "docs" / "SERVING.md").read_text(), re.S)
    (block,) = [block for block in blocks if "nginx -t" in block]
    settings, _, rest = block.partition("\n")
    return settings, rest


class Fleet:
    """nginx as docs/SERVING.md starts it, for a folder with some firmware."""

    def __init__(self, work, rate="0", timeout=None):
        self.work = pathlib.Path(work)
        self.work.chmod(0o755)  # nginx's own user reads the folder
        self.folder = self.work / "firmware"
        (self.folder / "versions").mkdir(parents=True)
        for name in ("app.bin", "versions/app-2.0.0.bin", ".hidden.bin", "device.key", "index.html"):
            (self.folder / name).write_bytes(BODY)
        (self.work / "secret.bin").write_bytes(b"outside")
        certs = self.work / "certs"
        certs.mkdir()
        self.ca = make_ca(certs).cert
        made = make_cert(certs)
        shutil.copy(made.cert, certs / "cert.pem")
        shutil.copy(made.key, certs / "key.pem")
        for _ in range(5):  # the port may be taken between choosing and binding it
            self.port = free_port()
            self.config = self.fill_in(certs, rate)
            if timeout is not None:
                self.config.write_text(self.config.read_text().replace("send_timeout 60s", f"send_timeout {timeout}s"))
            self.process = subprocess.Popen([PROGRAM, "-e", self.work / "start.log", "-c", self.config, "-g", "daemon off;"],
                                            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                            stderr=subprocess.DEVNULL)
            if self.is_open():
                return
            self.stop()
        raise RuntimeError((self.work / "start.log").read_text())

    def fill_in(self, certs, rate):
        settings, commands = documented_commands()
        values = {"FOLDER": self.folder, "CERTS": certs, "RUN": self.work / "run",
                  "LISTEN": f"127.0.0.1:{self.port}", "RATE": rate}
        if re.findall(r"(\w+)=", settings) != list(values):
            raise AssertionError(f"docs/SERVING.md sets other names: {settings}")
        lines = "\n".join(f"{name}='{value}'" for name, value in values.items())
        path = os.path.dirname(PROGRAM) + ":" + os.environ["PATH"]
        done = subprocess.run(["sh", "-eu", "-c", lines + "\n" + commands], cwd=SOURCE, capture_output=True, text=True,
                              timeout=WAIT_S, check=False, env={**os.environ, "PATH": path})
        if done.returncode != 0:
            raise AssertionError(f"the commands of docs/SERVING.md fail: {done.stderr}")
        return values["RUN"] / "nginx.conf"

    def is_open(self):
        deadline = time.monotonic() + WAIT_S
        while time.monotonic() < deadline and self.process.poll() is None:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return True
            time.sleep(0.01)  # nginx has no event for this that a test could wait for
        return False

    def stop(self):
        self.process.terminate()
        self.process.wait(WAIT_S)

    def context(self, **limits):
        context = ssl.create_default_context(cafile=self.ca)
        for name, value in limits.items():
            setattr(context, name, value)
        return context

    def connect(self, **limits):
        return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=WAIT_S, context=self.context(**limits))

    def ask(self, path="/app.bin", headers=None, method="GET"):
        with contextlib.closing(self.connect()) as connection:
            connection.request(method, path, headers=headers or {})
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()


def setUpModule():
    global fleet
    if not os.path.exists(PROGRAM):
        raise unittest.SkipTest("nginx is not installed")
    folder = tempfile.TemporaryDirectory(prefix="otter-nginx-")
    unittest.addModuleCleanup(folder.cleanup)
    fleet = Fleet(folder.name)
    unittest.addModuleCleanup(fleet.stop)


class Configuration(unittest.TestCase):
    def test_every_name_is_filled_in_and_explained(self):
        text = (SOURCE / "docs" / "nginx.conf").read_text()
        code = re.sub(r"#.*", "", text)
        names = set(re.findall(r"@(\w+)@", code))
        self.assertEqual(names, set(re.findall(r"(\w+)=", documented_commands()[0])))
        self.assertNotRegex(re.sub(r"#.*", "", fleet.config.read_text()), "@")

    def test_nothing_was_complained_about(self):
        self.assertNotRegex((fleet.work / "start.log").read_text(), r"\[(warn|error|emerg)\]")


class Downloads(unittest.TestCase):
    def test_get_and_head(self):
        status, headers, body = fleet.ask()
        self.assertEqual((status, body), (200, BODY))
        self.assertEqual(headers["Content-Type"], "application/octet-stream")
        self.assertEqual(headers["Accept-Ranges"], "bytes")
        self.assertRegex(headers["ETag"], r'^"[0-9a-f-]+"$')  # strong
        self.assertIsNotNone(email.utils.parsedate_to_datetime(headers["Last-Modified"]))
        status, head, body = fleet.ask(method="HEAD")
        self.assertEqual((status, body), (200, b""))
        for name in ("Content-Length", "ETag", "Last-Modified"):
            self.assertEqual(head[name], headers[name])

    def test_ranges(self):
        for field, status, content_range, body in (
                ("bytes=0-9", 206, "bytes 0-9/100000", BODY[:10]), ("bytes=99990-", 206, "bytes 99990-99999/100000", BODY[-10:]),
                ("bytes=-10", 206, "bytes 99990-99999/100000", BODY[-10:]),
                ("bytes=5-999999", 206, "bytes 5-99999/100000", BODY[5:]),
                ("bytes=100000-", 416, "bytes */100000", None), ("bytes=0-1,5-6", 200, None, BODY)):
            with self.subTest(field):
                got = fleet.ask(headers={"Range": field})
                self.assertEqual((got[0], got[1]["Content-Range"]), (status, content_range))
                if body is not None:
                    self.assertEqual(got[2], body)

    def test_conditions(self):
        headers = fleet.ask()[1]
        tag, modified = headers["ETag"], headers["Last-Modified"]
        part = {"Range": "bytes=0-9"}
        for fields, status in (({"If-None-Match": tag}, 304), ({"If-None-Match": '"x"'}, 200),
                               ({"If-Modified-Since": modified}, 304), ({"If-Match": '"x"'}, 412),
                               ({**part, "If-Range": tag}, 206), ({**part, "If-Range": '"x"'}, 200),
                               ({**part, "If-Range": modified}, 206)):
            with self.subTest(fields):
                got, headers, body = fleet.ask(headers=fields)
                self.assertEqual(got, status)
                if status == 304:
                    self.assertEqual((headers["ETag"], body), (tag, b""))

    def test_compression_is_not_offered(self):
        headers = fleet.ask(headers={"Accept-Encoding": "gzip"})[1]
        self.assertIsNone(headers["Content-Encoding"])
        self.assertFalse(headers["ETag"].startswith("W/"))

    def test_curl_resumes(self):
        part = fleet.work / "part.bin"
        part.write_bytes(BODY[:33_333])
        subprocess.run(["curl", "-sS", "-C", "-", "--cacert", fleet.ca, "-o", part,
                        f"https://localhost:{fleet.port}/app.bin"], check=True, timeout=WAIT_S)
        self.assertEqual(part.read_bytes(), BODY)

    def test_a_connection_carries_the_hundreds_of_pieces_of_a_partial_download(self):
        with contextlib.closing(fleet.connect()) as connection:
            connection.connect()
            first, got = connection.sock, b""
            while len(got) < len(BODY):
                connection.request("GET", "/app.bin", headers={"Range": f"bytes={len(got)}-{len(got) + 99}"})
                got += connection.getresponse().read()
            self.assertEqual(got, BODY)
            self.assertIs(connection.sock, first)

    def test_caches_are_told_what_may_be_kept(self):
        self.assertEqual(fleet.ask()[1]["Cache-Control"], "no-cache")
        self.assertIn("immutable", fleet.ask("/versions/app-2.0.0.bin")[1]["Cache-Control"])

    def test_the_rate_is_held(self):
        with tempfile.TemporaryDirectory() as folder:
            slow = Fleet(folder, rate="50k")
            try:
                start = time.monotonic()
                self.assertEqual(slow.ask()[2], BODY)
                self.assertGreater(time.monotonic() - start, 0.8)
            finally:
                slow.stop()

    def test_who_receives_slowly_is_not_cut(self):
        """All ten times as fast as in the field: 20 kB/s, and a minute that nginx waits."""
        with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
            server = Fleet(folder, timeout=6)
            stack.callback(server.stop)
            os.truncate(server.folder / "app.bin", 32 << 20)
            plain = stack.enter_context(socket.socket())
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16384)
            plain.settimeout(WAIT_S)
            plain.connect(("127.0.0.1", server.port))
            slow = stack.enter_context(server.context().wrap_socket(plain, server_hostname="127.0.0.1"))
            slow.sendall(b"GET /app.bin HTTP/1.1\r\nHost: x\r\n\r\n")
            start, got = time.monotonic(), 0
            while got < 8 * 200_000:
                piece = slow.recv(16384)
                self.assertNotEqual(piece, b"", f"cut after {got} bytes")
                got += len(piece)
                time.sleep(max(0, got / 200_000 - (time.monotonic() - start)))  # the pace of the client

    def test_the_log_tells_the_range(self):
        with contextlib.closing(fleet.connect()) as connection:
            for first in (12345, 0):  # when the second answer is here, the line of the first is written
                connection.request("GET", "/app.bin", headers={"Range": f"bytes={first}-12346"})
                connection.getresponse().read()
        self.assertRegex((fleet.work / "run" / "access.log").read_text(),
                         r'"GET /app.bin HTTP/1.1" 206 2 range="bytes=12345-12346"')


class Refusals(unittest.TestCase):
    def test_nothing_but_files_is_served(self):
        for path in ("/", "/versions/", "/versions", "/none.bin", "/.hidden.bin", "/device.key", "/%2ehidden.bin",
                     "/../secret.bin", "/%2e%2e/secret.bin", "/..%2fsecret.bin", "/app.bin%00", "/app.bin/"):
            with self.subTest(path):
                status, _, body = fleet.ask(path)
                self.assertIn(status, (301, 400, 404))
                self.assertNotIn(b"outside", body)
                self.assertNotIn(b"app.bin</a>", body)

    def test_other_methods_are_refused(self):
        for method in ("POST", "PUT", "DELETE", "OPTIONS"):
            with self.subTest(method):
                self.assertEqual(fleet.ask(method=method)[0], 405)


class Tls(unittest.TestCase):
    def test_1_2_and_1_3_are_spoken(self):
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            with self.subTest(version), contextlib.closing(fleet.connect(maximum_version=version)) as connection:
                connection.request("HEAD", "/app.bin")
                self.assertEqual(connection.sock.version(), version.name.replace("_", "."))
                self.assertEqual(connection.getresponse().status, 200)

    def test_older_versions_and_weak_ciphers_are_refused(self):
        for args in (("-tls1_1", "-cipher", "ALL:@SECLEVEL=0"), ("-tls1_2", "-cipher", "AES128-SHA"),
                     ("-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-SHA")):
            with self.subTest(args):
                done = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{fleet.port}", *args],
                                      stdin=subprocess.DEVNULL, capture_output=True, timeout=WAIT_S, check=False)
                self.assertNotEqual(done.returncode, 0)

    def test_a_saved_session_is_resumed(self):
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            context = fleet.context(minimum_version=version, maximum_version=version)
            session, reused = None, []
            for _ in range(2):
                with socket.create_connection(("127.0.0.1", fleet.port), WAIT_S) as plain, \
                        context.wrap_socket(plain, server_hostname="localhost", session=session) as connection:
                    connection.sendall(b"HEAD /app.bin HTTP/1.0\r\n\r\n")
                    while connection.recv(4096):
                        pass  # the tickets of TLS 1.3 come with the answer
                    session = connection.session
                    reused.append(connection.session_reused)
            self.assertEqual(reused, [False, True], version)


if __name__ == "__main__":
    unittest.main()
