"""Downloads that are cut: inside one update, and across updates with --resume. The image always arrives whole and right,
and little is fetched twice."""
# SPDX-License-Identifier: Apache-2.0

import os
import pathlib
import re
import signal
import socket
import struct
import subprocess
import threading
import unittest

import servers
from device import in_full
from test_update import OTTER, UpdateCase, must, otter

SECTOR = 4096
LONG = os.environ.get("OTTER_LONG") == "1"


class RangeServer(servers.RawServer):
    """Serves one body with ranges and If-Range; cuts connection number i after cuts[i] body bytes.

    .asked lists (first byte asked for, If-Range) of each request; .sent counts body bytes.
    """

    def __init__(self, body, cert, cuts=(), reset=False, etag='"v1"', ranges=True):
        self.body, self.cuts, self.reset, self.etag, self.ranges = body, list(cuts), reset, etag, ranges
        self.asked, self.sent = [], 0
        self.cut_done = threading.Event()
        super().__init__(self.answer, context=servers.server_context(cert), scheme="https")

    def answer(self, connection, index):
        request = servers.read_request(connection).decode()
        wanted = re.search(r"^Range: bytes=(\d+)-", request, re.M | re.I)
        condition = re.search(r"^If-Range: (.*?)\r$", request, re.M | re.I)
        first = int(wanted[1]) if wanted else 0
        self.asked.append((first, condition[1] if condition else None))
        if not self.ranges or (condition and condition[1] != self.etag) or first >= len(self.body):
            first = 0
        head = f"HTTP/1.1 {206 if first else 200} OK\r\nContent-Length: {len(self.body) - first}\r\n"
        if self.etag:
            head += f"ETag: {self.etag}\r\n"
        if first:
            head += f"Content-Range: bytes {first}-{len(self.body) - 1}/{len(self.body)}\r\n"
        connection.sendall(head.encode() + b"\r\n")
        last = self.cuts[index] if index < len(self.cuts) else len(self.body)
        part = self.body[first:max(first, last)]
        connection.sendall(part)
        self.sent += len(part)
        if index < len(self.cuts):
            self.cut_done.set()
            if self.reset:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


class ResumeCase(UpdateCase):
    @classmethod
    def make_images(cls):
        super().make_images()
        program = pathlib.Path("/bin/true").read_bytes()
        elf = cls.work / "elf"
        elf.write_bytes((program + bytes(i * 13 % 253 for i in range(65536)))[:65536 - 400])
        must("image", "build", "--elf", elf, "--chip", "linux", "--project", "test", "--version", "6.4.0",
             "-o", cls.www / "small.bin")
        cls.body = (cls.www / "small.bin").read_bytes()
        cls.big = (cls.www / "app2.bin").read_bytes()

    @classmethod
    def seal_images(cls):
        super().seal_images()
        cls.file = (cls.www / "small.bin").read_bytes()  # as they are served
        cls.big_file = (cls.www / "app2.bin").read_bytes()
        cls.head = len(cls.file) - len(cls.body)

    def update(self, url, *args, **more):
        return super().update(url, "--rollback", "off", *args, **more)  # one update after another, never booted

    def check_installed(self, report, body):
        self.assertEqual(report["result"], "ESP_OK")
        flash = self.flash.read_bytes()
        at = {"ota_0": 0x110000, "ota_1": 0x210000}[report["slot"]]
        self.assertEqual(flash[at:at + len(body)], body)
        self.assertEqual(self.boots(), report["slot"])


class InOneUpdate(ResumeCase):
    def cut_everywhere(self, reset, step):
        most = 0
        for k in range(0, len(self.file), 1 if LONG else step):
            with RangeServer(self.file, self.cert, cuts=[k], reset=reset) as server:
                done, report = self.update(server.url("x"), "--retries", "3", "--retry-delay", "1")
                self.assertEqual(done.returncode, 0, f"cut at byte {k}: {done.stderr}")
                self.check_installed(report, self.body)
                twice = report["bytes_downloaded"] - len(self.file)
                self.assertLessEqual(twice, SECTOR, f"cut at byte {k}")
                most = max(most, twice)
        print(f"cut {'by reset' if reset else 'by close'} at {len(range(0, len(self.file), 1 if LONG else step))} places: "
              f"at most {most} bytes fetched twice per cut")

    @in_full
    def test_reset_at_every_byte(self):
        self.cut_everywhere(True, 1607)

    def test_close_at_every_byte(self):
        self.cut_everywhere(False, 2381)

    def test_many_cuts_in_one_update(self):
        cuts = list(range(3000, len(self.file), 7001))
        with RangeServer(self.file, self.cert, cuts=cuts) as server:
            done, report = self.update(server.url("x"), "--retries", "2", "--retry-delay", "1")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.check_installed(report, self.body)
            self.assertEqual(report["attempts"], len(cuts) + 1)
            self.assertEqual([a[1] for a in server.asked[1:]], ['"v1"'] * len(cuts))

    def test_server_without_ranges_or_validator(self):
        for etag, ranges in (('"v1"', False), (None, True), (None, False), ('W/"weak"', True)):
            with self.subTest(etag=etag, ranges=ranges):
                self.setUp()
                with RangeServer(self.file, self.cert, cuts=[30000], etag=etag, ranges=ranges) as server:
                    done, report = self.update(server.url("x"), "--retries", "3", "--retry-delay", "1")
                    self.assertEqual(done.returncode, 0, done.stderr)
                    self.check_installed(report, self.body)

    def test_changed_file_is_never_spliced(self):
        other = bytearray(self.file)
        other[20000] ^= 1
        for etag in (None, '"v1"'):
            with self.subTest(etag=etag):
                self.setUp()
                with RangeServer(self.file, self.cert, cuts=[40000], etag=etag) as server:
                    original = server.answer

                    def change(connection, index, server=server, original=original):
                        if index == 1:
                            server.body, server.etag = bytes(other), '"v2"' if server.etag else None
                        original(connection, index)

                    server.serve = change
                    done, report = self.update(server.url("x"), "--retries", "3", "--retry-delay", "1")
                self.check_refused(done, report, "ESP_FAIL", "download", "changed")

    def test_giving_up_is_bounded(self):
        with RangeServer(self.file, self.cert, cuts=[1000] * 50) as server:
            done, report = self.update(server.url("x"), "--retries", "4", "--retry-delay", "1")
        self.assertEqual(done.returncode, 1)
        self.assertEqual(report["attempts"], 5)

    def test_range_requests_of_a_given_size(self):
        with servers.HttpsServer(self.www, self.cert) as server:
            done, report = self.update(server.url("small.bin"), "--range", "10000")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.check_installed(report, self.body)
            ranges = [headers.get("Range") for method, _, headers in server.requests if method == "GET"]
        self.assertEqual(ranges[:2], ["bytes=0-9999", "bytes=10000-19999"])
        self.assertEqual(len(ranges), -(-len(self.file) // 10000))


class AcrossUpdates(ResumeCase):
    def test_second_update_goes_on(self):
        for k in (5000, 123_456, 250_000, len(self.big_file) - 1):
            with self.subTest(k):
                self.setUp()
                with RangeServer(self.big_file, self.cert, cuts=[k]) as server:
                    done, report = self.update(server.url("x"), "--resume")
                    self.assertEqual(done.returncode, 1)
                    self.assertEqual(self.boots(), "factory")
                    done, report = self.update(server.url("x"), "--resume")
                    self.assertEqual(done.returncode, 0, done.stderr)
                    self.check_installed(report, self.big)
                    self.assertGreater(report["bytes_resumed"], k - 2 * SECTOR)
                    self.assertEqual(server.asked[1], (self.head + report["bytes_resumed"], '"v1"'))
                    self.assertEqual(report["bytes_downloaded"], len(self.big) - report["bytes_resumed"])

    def test_changed_file_starts_again(self):
        with RangeServer(self.big_file, self.cert, cuts=[150_000]) as server:
            self.update(server.url("x"), "--resume")
            server.body, server.etag = (self.www / "app1.bin").read_bytes(), '"v2"'
            done, report = self.update(server.url("x"), "--resume")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.check_installed(report, (self.plain / "app1.bin").read_bytes())
            self.assertEqual(report["bytes_resumed"], 0)

    def test_another_url_starts_again(self):
        with RangeServer(self.big_file, self.cert, cuts=[150_000]) as server:
            self.update(server.url("x"), "--resume")
            done, report = self.update(server.url("y"), "--resume")
            self.assertEqual((done.returncode, report["bytes_resumed"]), (0, 0))

    def test_damaged_flash_is_not_believed(self):
        with RangeServer(self.big_file, self.cert, cuts=[200_000]) as server:
            self.update(server.url("x"), "--resume")
            with open(self.flash, "r+b") as flash:
                flash.seek(0x110000 + 10 * SECTOR + 77)
                flash.write(b"\0\0\0\0")
            done, report = self.update(server.url("x"), "--resume")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.check_installed(report, self.big)
            self.assertEqual(report["bytes_resumed"], 10 * SECTOR)

    def test_killed_update_goes_on(self):
        with RangeServer(self.big_file, self.cert, cuts=[180_000]) as server:
            hold = threading.Event()
            original = server.answer

            def stall(connection, index):
                original(connection, index)
                if index == 0:
                    hold.wait(20)

            server.serve = stall
            process = subprocess.Popen([str(OTTER), "update", str(self.flash), server.url("x"), "--ca", self.ca.cert,
                                        "--resume", "--quiet", *map(str, self.OPTIONS)],
                                       stderr=subprocess.DEVNULL)
            self.assertTrue(server.cut_done.wait(20))
            self.wait_for_bytes(0x110000, 160_000)
            process.send_signal(signal.SIGKILL)
            process.wait(20)
            hold.set()
            self.assertEqual(self.boots(), "factory")
            done, report = self.update(server.url("x"), "--resume")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.check_installed(report, self.big)

    def wait_for_bytes(self, at, count):
        """Until the file holds that much of the image: what the update under test does next is being killed."""
        for _ in range(2000):
            with open(self.flash, "rb") as flash:
                flash.seek(at)
                if flash.read(count) == self.big[:count]:
                    return
            threading.Event().wait(0.01)
        self.skipTest("the update buffered all it received: nothing was in flash yet")

    def test_plain_update_after_a_cut_one(self):
        with RangeServer(self.big_file, self.cert, cuts=[100_000]) as server:
            self.update(server.url("x"), "--resume")
        with servers.HttpsServer(self.www, self.cert) as server:
            done, report = self.update(server.url("app1.bin"))
            self.assertEqual(done.returncode, 0, done.stderr)
            self.check_installed(report, (self.plain / "app1.bin").read_bytes())
        self.assertEqual(otter("image", "verify", self.plain / "app1.bin").returncode, 0)


if __name__ == "__main__":
    unittest.main()
