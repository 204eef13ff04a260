"""How `otter update` ends when it is told to, when its time is over, and when the flash file's disk fails: at once, with the
cause by its name, and with the truth about what boots then."""
# SPDX-License-Identifier: Apache-2.0

import contextlib
import errno
import fcntl
import json
import pathlib
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import servers  # noqa: E402
from test_update import BUILD, OTTER, UpdateCase, must, otter  # noqa: E402

IS_SANITIZED = "OTTER_SANITIZE:BOOL=ON" in (BUILD / "CMakeCache.txt").read_text(encoding="utf-8")
OLD_STILL_BOOTS = "the old firmware still boots"


class EndCase(UpdateCase):
    """A server that says so much of an answer and then nothing."""

    def setUp(self):
        super().setUp()
        self.body = (self.www / "app2.bin").read_bytes()
        self.reached = threading.Event()  # the server has said what it says
        self.ended = threading.Event()
        self.addCleanup(self.ended.set)

    def say(self, data):
        def serve(connection, _):
            servers.read_request(connection)
            connection.sendall(data)
            self.reached.set()
            self.ended.wait(60)

        return servers.RawServer(serve, context=servers.server_context(self.cert), scheme="https")

    def head(self, length):
        return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % length

    @contextlib.contextmanager
    def nobody_who_accepts(self):
        """A port whose queue is full: whoever connects waits."""
        with socket.socket() as listener, contextlib.ExitStack() as queue:
            listener.bind(("127.0.0.1", 0))
            listener.listen(0)
            port = listener.getsockname()[1]
            for _ in range(4):
                waiting = queue.enter_context(socket.socket())
                waiting.setblocking(False)
                waiting.connect_ex(("127.0.0.1", port))
            self.reached.set()
            yield f"https://127.0.0.1:{port}/x"

    @contextlib.contextmanager
    def nobody_who_shakes_hands(self):
        def serve(connection, _):
            connection.recv(1)
            self.reached.set()
            self.ended.wait(60)

        with servers.RawServer(serve, scheme="https") as server:
            yield server.url("x")

    @contextlib.contextmanager
    def somebody_who_says(self, data):
        with self.say(data) as server:
            yield server.url("x")

    def waits(self):
        """Every place where an update can wait for somebody: name to a context of a URL."""
        return {
            "connecting": self.nobody_who_accepts(),
            "at the handshake": self.nobody_who_shakes_hands(),
            "for the answer": self.somebody_who_says(b""),
            "in the head": self.somebody_who_says(b"HTTP/1.1 200 OK\r\nContent-"),
            "for the first bytes": self.somebody_who_says(self.head(len(self.body))),
            "in the image": self.somebody_who_says(self.head(len(self.body)) + self.body[:200_000]),
            "to ask again": self.somebody_who_says(b"HTTP/1.1 503 Busy\r\nRetry-After: 100\r\nContent-Length: 0\r\n\r\n"),
        }


class Told(EndCase):
    def await_handler(self, process, number):
        """Until the program catches this signal: before that it would end like any other."""
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            status = pathlib.Path(f"/proc/{process.pid}/status").read_text(encoding="ascii")
            if int(re.search(r"^SigCgt:\s*(\w+)", status, re.M)[1], 16) >> (number - 1) & 1:
                return
            time.sleep(0.01)  # there is no event of it
        self.fail("the signal is not caught")

    def test_ctrl_c_ends_every_wait_at_once(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            for name, url_of in self.waits().items():
                with self.subTest(name, signal=number), url_of as url:
                    self.reached.clear()
                    if name == "connecting":
                        self.reached.set()
                    command = [OTTER, "update", self.flash, url, "--ca", self.ca.cert, "--timeout", "60", "--json"]
                    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
                        self.assertTrue(self.reached.wait(30))
                        self.await_handler(process, number)
                        time.sleep(0.3)  # it is in the wait by then; should it not be, the signal comes before it
                        start = time.monotonic()
                        process.send_signal(number)
                        out, said = process.communicate(timeout=50)
                        self.assertLess(time.monotonic() - start, 5)
                    self.assertEqual(process.returncode, 1)
                    self.assertEqual(said, f"otter update: interrupted; {OLD_STILL_BOOTS}\n")
                    report = json.loads(out)
                    self.assertEqual((report["result"], report["boots"]), ("ESP_FAIL", "factory"))
                    self.assertEqual(self.boots(), "factory")


class Time(EndCase):
    def test_the_whole_download_has_a_limit(self):
        waits = self.waits()
        waits.pop("to ask again")  # ends without a wait: there is no time for it
        for name, url_of in waits.items():
            with self.subTest(name), url_of as url:
                start = time.monotonic()
                done = otter("update", self.flash, url, "--ca", self.ca.cert, "--timeout", "60", "--max-seconds", "1",
                             "--json")
                self.assertLess(time.monotonic() - start, 10)
                self.assertEqual(done.returncode, 1)
                self.assertRegex(done.stderr, "not done within 1 s")
                self.assertEqual(json.loads(done.stdout)["result"], "ESP_ERR_HTTP_READ_TIMEOUT")

    def test_bytes_that_trickle_do_not_extend_it(self):
        def serve(connection, _):
            servers.read_request(connection)
            connection.sendall(self.head(len(self.body)))
            for at in range(len(self.body)):
                connection.sendall(self.body[at:at + 1])
                if self.ended.wait(0.02):
                    return

        with servers.RawServer(serve, context=servers.server_context(self.cert), scheme="https") as server:
            start = time.monotonic()
            done = otter("update", self.flash, server.url("x"), "--ca", self.ca.cert, "--max-seconds", "2")
            self.assertLess(time.monotonic() - start, 10)
        self.assertEqual(done.returncode, 1)
        self.assertIn("not done within 2 s", done.stderr)
        self.assertEqual(self.boots(), "factory")

    def test_one_that_is_done_in_time_is_done(self):
        with servers.HttpsServer(self.www, self.cert) as server:
            done, report = self.update(server.url("app2.bin"), "--max-seconds", "60")
        self.assertEqual((done.returncode, report["boots"]), (0, "ota_0"), done.stderr)


class Disk(EndCase):
    """A disk that is full or broken."""

    def fail(self, call, nth, error, *options):
        """An update during which the nth such call fails. (its error line, its report)"""
        env = {"LD_PRELOAD": str(BUILD / "tests" / "libshort_of.so"), "SHORT_OF": f"{call} {nth} {error}",
               "SHORT_FROM_ON": "1", "PATH": "/usr/bin:/bin"}
        with servers.HttpsServer(self.www, self.cert) as server:
            done = subprocess.run([OTTER, "update", self.flash, server.url("app2.bin"), "--ca", self.ca.cert, "--json",
                                   *options], env=env, capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        return done.stderr, json.loads(done.stdout)

    @unittest.skipIf(IS_SANITIZED, "a sanitizer must be the first library of a program")
    def test_what_is_wrong_with_the_disk_is_named(self):
        for call, nth, error, says, step in (
                ("pwritev", 1, errno.ENOSPC, "No space left on device", "make room"),
                ("pwritev", 3, errno.ENOSPC, "No space left on device", "make room"),
                ("pwritev", 2, errno.EDQUOT, "Disk quota exceeded", "make room"),
                ("pwritev", 2, errno.EIO, "Input/output error", "check its disk"),
                ("fdatasync", 1, errno.EIO, "Input/output error", "check its disk")):
            with self.subTest(call=call, nth=nth, error=error):
                self.setUp()
                said, report = self.fail(call, nth, error)
                self.assertIn(f"{self.flash}: {says} (ESP_ERR_FLASH_OP_FAIL)", said)
                self.assertIn(step, said)
                self.assertIn(OLD_STILL_BOOTS, said)
                self.assertEqual((report["result"], report["boots"]), ("ESP_ERR_FLASH_OP_FAIL", "factory"))
                self.assertEqual(self.boots(), "factory")

    @unittest.skipIf(IS_SANITIZED, "a sanitizer must be the first library of a program")
    def test_what_boots_is_told_as_it_is_after_every_sync_that_fails(self):
        seen = set()
        for nth in range(1, 20):
            self.setUp()
            before = self.flash.read_bytes()
            with contextlib.suppress(AssertionError):  # so many syncs there are not: it succeeds
                said, report = self.fail("fdatasync", nth, errno.EIO)
                boots = self.boots()
                self.check_truth(said, report, boots, before)
                seen.add(boots)
                continue
            break
        self.assertEqual(seen, {"factory", "ota_0"})  # before the switch, and after it

    def check_truth(self, said, report, boots, before):
        self.assertEqual(report["boots"], boots)
        is_switched = self.flash.read_bytes()[0xD000:0xF000] != before[0xD000:0xF000]
        if not is_switched:
            self.assertIn(OLD_STILL_BOOTS, said)
        else:
            self.assertIn("the disk may have kept what it was before", said)
        self.assertEqual("new firmware in ota_0 boots next" in said, boots == "ota_0", said)

    def test_a_limit_on_the_size_of_files_is_an_error(self):
        with servers.HttpsServer(self.www, self.cert) as server:
            done = subprocess.run(["prlimit", f"--fsize={0x120000}", OTTER, "update", self.flash, server.url("app2.bin"),
                                   "--ca", self.ca.cert], capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn(f"{self.flash}: File too large (ESP_ERR_FLASH_OP_FAIL): `ulimit -f`", done.stderr)
        self.assertIn(OLD_STILL_BOOTS, done.stderr)
        self.assertEqual(self.boots(), "factory")


class Readers(EndCase):
    def test_who_reads_shuts_out_nobody_but_those_who_write(self):
        with self.flash.open("rb") as reader, servers.HttpsServer(self.www, self.cert) as server:
            fcntl.flock(reader, fcntl.LOCK_SH)
            must("flash", "info", self.flash)
            must("flash", "read", self.flash, "nvs", self.work / "nvs.bin")
            done, report = self.update(server.url("app2.bin"))
            self.assertEqual((done.returncode, report["result"]), (1, "ESP_ERR_INVALID_STATE"))
            self.assertIn(" has it open (a running device", done.stderr)
            fcntl.flock(reader, fcntl.LOCK_EX)
            self.assertEqual(otter("flash", "info", self.flash).returncode, 1)


if __name__ == "__main__":
    unittest.main()
