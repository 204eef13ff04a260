"""`otter agent`: a virtual device that a fleet's server updates; what it is told is what happened."""
# SPDX-License-Identifier: Apache-2.0

import errno
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import servers  # noqa: E402
from ddi_server import DdiServer  # noqa: E402
from device import BUILD, OTTER, SOURCE, TIMEOUT_S, VALID, DeviceTest  # noqa: E402

IS_SANITIZED = "OTTER_SANITIZE:BOOL=ON" in (BUILD / "CMakeCache.txt").read_text(encoding="utf-8")
CAN_MOUNT = subprocess.run(["unshare", "-rm", "mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True, check=False,
                           timeout=TIMEOUT_S).returncode == 0
CONFIRMS, DOES_NOT_CONFIRM = "1:confirm+idle", "1:idle"


class Agent(DeviceTest):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="otter-agent-")
        cls.addClassCleanup(folder.cleanup)
        cls.ca = servers.make_ca(pathlib.Path(folder.name))
        cls.cert = servers.make_cert(pathlib.Path(folder.name), ca=cls.ca)

    def setUp(self):
        super().setUp()
        self.server = self.enterContext(DdiServer(self.cert))
        self.old, self.new = self.probe("1.0.0"), self.probe("2.0.0")
        self.make_flash({"ota_0": self.old}, [(1, VALID)])
        self.token = self.folder / "token"
        self.token.write_text("secret\n", encoding="utf-8")
        self.token.chmod(0o600)

    def command(self, *more, url=None, ca=None, who=None, trust=None):
        return [OTTER, "agent", self.flash, "--server", url or self.server.url, "--id", "dev-1",
                *(who or ("--token-file", str(self.token))), *(trust or ("--ca", ca or self.ca.cert)), "--once", "--json",
                *map(str, more)]

    def agent(self, *more, script=CONFIRMS, status=0, url=None, ca=None, who=None, trust=None, **extra):
        done = subprocess.run(self.command(*more, url=url, ca=ca, who=who, trust=trust), env=self.environment(script, **extra),
                              capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        self.assertEqual(self.server.complaints, [])
        self.lines = [json.loads(line) for line in done.stdout.splitlines()]
        self.events = [line["event"] for line in self.lines]
        return done

    def trouble(self):
        """The first that was told of something that failed."""
        return next(line["text"] for line in self.lines if line["event"] in ("error", "later"))

    def runs(self):
        info = json.loads(subprocess.run([OTTER, "flash", "info", self.flash, "--json"], check=True, capture_output=True,
                                         timeout=TIMEOUT_S).stdout)
        return info["boots"] if "boots" in info else info

    # ---- updates ----

    def test_an_update_is_installed_confirmed_and_told_as_success(self):
        action = self.server.assign("dev-1", "7", self.new)
        self.agent("--attribute", "hw_boardname=c3")
        self.assertEqual(action["status"], "finished", action["feedback"])
        self.assertEqual([f[0] for f in action["feedback"]], ["proceeding", "downloaded", "proceeding", "closed"])
        self.assertIn("ota_1 runs and is confirmed", action["feedback"][-1][2])
        self.assertEqual(self.server.attributes["dev-1"]["sw_version"], "2.0.0")  # unasked, as it changed
        self.assertEqual(self.states()[1], (2, VALID))
        self.assertEqual(action["downloads"], [None])
        self.agent()  # nothing is left to be done, and nothing is done
        self.assertEqual(action["downloads"], [None])

    def test_an_image_that_does_not_confirm_is_rolled_back_and_told_as_failure(self):
        action = self.server.assign("dev-1", "7", self.new)
        self.agent(script=DOES_NOT_CONFIRM)
        self.assertEqual(action["status"], "error")
        self.assertIn("ota_1 was rolled back, ota_0 runs", action["feedback"][-1][2])
        self.assertIn("failure", self.events)

    def test_what_runs_already_is_told_and_not_fetched(self):
        action = self.server.assign("dev-1", "7", self.old)
        self.agent()
        self.assertEqual((action["status"], action["downloads"]), ("finished", []))

    def test_lost_answers_to_the_closing_feedback_install_nothing_again(self):
        action = self.server.assign("dev-1", "7", self.new)
        lost = []
        self.server.lose = lambda method, path, body: '"closed"' in body and len(lost) < 3 and not lost.append(path)
        for _ in range(3):
            self.agent(status=1)  # the server could not be told
        self.agent()
        self.assertEqual(action["status"], "finished")
        self.assertEqual((action["downloads"], len(lost)), ([None], 3))
        self.assertEqual([f[0] for f in action["feedback"]].count("closed"), 1)

    def test_a_download_that_breaks_off_is_gone_on_with(self):
        action = self.server.assign("dev-1", "7", self.new)
        whole = self.server.file

        def cut(request, wanted, part):
            status, body, headers = whole(request, wanted, part)
            if len(wanted["downloads"]) == 1:
                request.wfile.write(b"HTTP/1.1 200 OK\r\nETag: " + headers["ETag"].encode() +
                                    b"\r\nContent-Length: %d\r\n\r\n" % len(body) + body[:len(body) // 2])
                request.wfile.flush()
                request.close_connection = True
                raise ConnectionResetError
            return status, body, headers

        self.server.file = cut
        self.agent()
        self.assertEqual(action["status"], "finished")
        self.assertTrue(action["downloads"][1].startswith("bytes="), action["downloads"])

    def test_a_window_that_is_closed_keeps_the_image(self):
        action = self.server.assign("dev-1", "7", self.new, update="skip")
        self.agent()
        self.assertEqual(action["status"], "running")
        self.assertEqual([f[0] for f in action["feedback"]], ["proceeding", "downloaded"])
        action["update"] = "forced"
        self.agent()
        self.assertEqual((action["status"], action["downloads"]), ("finished", [None]))

    def test_a_cancelled_action_is_acknowledged_and_not_installed(self):
        action = self.server.assign("dev-1", "7", self.new, update="skip")
        self.agent()
        action["status"] = "canceling"
        self.agent()
        self.assertEqual(action["status"], "canceled")
        self.assertEqual(self.states(), [(1, VALID), None])

    def test_a_trial_is_not_left_because_the_server_is_in_trouble(self):
        action = self.server.assign("dev-1", "7", self.new)
        take = self.server.take

        def refuse(method, device, path, body):
            told = body["status"]["details"] if "status" in body else [""]
            return (400, b"", {}) if "restarting" in told[0] else take(method, device, path, body)

        self.server.take = refuse
        self.agent(status=1)  # one feedback was not taken
        self.assertEqual(self.states()[1], (2, VALID))
        self.assertEqual(action["status"], "finished")

    def test_of_several_files_the_image_is_taken(self):
        other = {"part": "fs", "version": "1", "name": "fs", "artifacts": [{"filename": "fs.bin", "size": 3, "hashes": {}}]}
        notes = {"filename": "notes.txt", "size": 3, "hashes": {}, "_links": {"download": {"href": "https://localhost/notes"}}}
        action = self.server.assign("dev-1", "7", self.new, chunks_before=[other], files_before=[notes])
        self.agent("--part", "os", "--other-parts")
        self.assertEqual((action["status"], action["downloads"]), ("finished", [None]))
        action = self.server.assign("dev-1", "8", self.probe("3.0.0"), chunks_before=[other])
        self.agent("--part", "os")
        self.assertIn("a file is for another part of the device: fs", action["feedback"][-1][2])
        action = self.server.assign("dev-1", "9", self.probe("3.0.0"), files_before=[notes])
        self.agent("--image-ending", ".img")
        self.assertIn("one has to be named as an image", action["feedback"][-1][2])

    # ---- several images ----

    def make_flash_with_data(self):
        """Two data partitions: `storage` of 64 KiB, `web` of 8."""
        table, binary = self.folder / "data.csv", self.folder / "data.bin"
        table.write_text((SOURCE / "examples" / "partitions_two_ota.csv").read_text(encoding="utf-8") +
                         "\nstorage, data, spiffs, 0x310000, 64K\nweb, data, undefined, 0x320000, 8K\n", encoding="utf-8")
        subprocess.run([OTTER, "table", "build", table, "-o", binary], check=True, capture_output=True, timeout=TIMEOUT_S)
        self.table = binary.read_bytes()
        self.make_flash({"ota_0": self.old}, [(1, VALID)])

    def data(self, name, size):
        at = {"storage": 0x310000, "web": 0x320000}[name]
        return pathlib.Path(self.flash).read_bytes()[at:at + size]

    def test_each_file_of_an_offer_goes_into_its_partition_and_the_image_comes_last(self):
        self.make_flash_with_data()
        files, pages = bytes(range(256)) * 200, b"<html>" * 100
        parts = ("--part", "os", "--part", "fs=storage", "--part", "www=web")
        action = self.server.assign("dev-1", "7", self.new, data={"www": pages, "fs": files})
        self.agent(*parts)
        self.assertEqual(action["status"], "finished", action["feedback"])
        self.assertEqual(action["downloads"], ["fs", "www", None])
        self.assertEqual((self.data("storage", len(files)), self.data("web", len(pages))), (files, pages))
        self.assertEqual([line["text"] for line in self.lines if line["event"] == "stored"],
                         ["action 7: 51200 bytes in storage", "action 7: 600 bytes in web"])
        self.assertIn("51200 bytes of storage", [f[2] for f in action["feedback"]])
        newer = self.server.assign("dev-1", "8", self.new, data={"www": b"<b>" * 50, "fs": files})
        self.agent(*parts)  # of three files one is another, and the image is the one that runs
        self.assertEqual((newer["status"], newer["downloads"]), ("finished", ["www"]))
        self.assertEqual((self.states()[1], self.data("web", 150)), ((2, VALID), b"<b>" * 50))

    def test_what_cannot_go_into_its_partition_is_refused(self):
        self.make_flash_with_data()
        for ident, data, parts, why in (
                ("1", {"fs": b"a" * 100}, ("www=web",), "a file is for another part of the device: fs"),
                ("2", {"www": b"a" * 8193}, ("www=web",), "gate: the file has 8193 bytes, and web has 8192"),
                ("3", {"boot": b"a" * 100}, ("boot=otadata",), "otadata says what boots")):
            action = self.server.assign("dev-1", ident, self.new, data=data)
            self.agent("--part", "os", *(word for part in parts for word in ("--part", part)))
            self.assertEqual((action["status"], self.states()), ("error", [(1, VALID), None]))
            self.assertIn(why, action["feedback"][-1][2])
        self.assertIn("there is no data partition nowhere", self.agent("--part", "fs=nowhere", status=1).stderr)
        self.assertIn("there is no data partition ota_1", self.agent("--part", "os=ota_1", status=1).stderr)
        self.assertIn("os has the image already", self.agent("--part", "os", "--part", "app", status=2).stderr)

    def test_files_behind_which_the_image_is_rolled_back_stay_and_that_is_told(self):
        self.make_flash_with_data()
        action = self.server.assign("dev-1", "7", self.new, data={"fs": b"new" * 1000})
        self.agent("--part", "os", "--part", "fs=storage", script=DOES_NOT_CONFIRM)
        self.assertEqual(action["status"], "error")
        self.assertIn("was rolled back, ota_0 runs, but its data may be installed", action["feedback"][-1][2])
        self.assertEqual(self.data("storage", 3000), b"new" * 1000)

    def test_an_encrypted_image_is_opened_with_the_devices_key(self):
        keys = SOURCE / "tests" / "vectors" / "encimg" / "keys"
        plain, file = self.folder / "plain.bin", self.folder / "encrypted.bin"
        plain.write_bytes(self.new)
        subprocess.run([OTTER, "image", "encrypt", plain, "--key", keys / "ecies_device_pub.pem", "-o", file], check=True,
                       timeout=TIMEOUT_S)
        action = self.server.assign("dev-1", "7", file.read_bytes())
        self.agent("--decrypt-key", keys / "ecies_hmac_key.bin")
        self.assertEqual(action["status"], "finished", action["feedback"])
        self.server.assign("dev-1", "8", file.read_bytes())  # the same file, and another action
        self.agent("--decrypt-key", keys / "ecies_hmac_key.bin")
        self.assertEqual([a["downloads"] for a in self.server.actions["dev-1"]], [[None], []])
        damaged = self.server.assign("dev-1", "9", file.read_bytes()[:-100] + bytes(100))
        self.agent("--decrypt-key", keys / "ecies_hmac_key.bin")
        self.assertEqual(damaged["status"], "error")
        without = self.server.assign("dev-1", "10", file.read_bytes() + b"\0")
        self.agent()
        self.assertEqual(without["status"], "error")
        self.assertIn("encrypted", without["feedback"][-1][2])
        self.agent("--decrypt-key", self.folder / "nothing")  # nothing is offered: it is not asked for
        kept = self.server.assign("dev-1", "11", file.read_bytes()[:-1] + b"\1")
        self.agent("--decrypt-key", self.folder / "nothing", status=1)
        self.assertEqual(kept["status"], "running")  # the image is not to blame

    # ---- who asks, and whom it believes ----

    def test_a_client_certificate_says_who_asks(self):
        mine = servers.make_cert(self.folder, names=("dev-1",), ca=self.ca, name="dev-1")
        other = servers.make_cert(self.folder, names=("dev-2",), ca=self.ca, name="dev-2")
        with DdiServer(self.cert, token=None, client_ca=self.ca) as server:
            self.server = server
            action = server.assign("dev-1", "7", self.new)
            self.agent(who=("--client-cert", other.cert, "--client-key", other.key), status=1)
            self.assertIn("denied", self.events)
            self.agent(who=("--client-cert", mine.cert, "--client-key", other.key), status=1)
            self.assertIn("key", self.trouble())
            self.assertEqual(action["feedback"], [])
            self.agent(who=("--client-cert", mine.cert, "--client-key", mine.key))
        self.assertEqual(action["status"], "finished")

    def test_the_machines_own_certificates_are_believed_if_it_is_told_so(self):
        self.server.assign("dev-1", "7", self.old)
        other = servers.make_ca(self.folder, "other")
        self.agent(trust=("--system-ca",), SSL_CERT_FILE=self.ca.cert, SSL_CERT_DIR="/nonexistent")
        self.assertIn("success", self.events)
        self.agent(trust=("--system-ca",), SSL_CERT_FILE=other.cert, SSL_CERT_DIR="/nonexistent", status=1)
        self.assertIn("check --ca", self.trouble())

    # ---- refusals ----

    def test_what_cannot_be_installed_is_told_with_stage_and_reason(self):
        for name, file, more, why in (
                ("another hash", self.new, {"sha256": "00" * 32}, "verify"),
                ("another size", self.new, {"size": len(self.new) + 1}, "gate"),
                ("larger than the slot", self.new, {"size": 0x200000}, "gate"),
                ("no image", b"x" * 5000, {}, "gate"),
                ("another chip", self.probe("2.0.0", chip=5), {}, "gate"),
                ("another part", self.new, {"part": "radio"}, "this part of the device: radio")):
            with self.subTest(name):
                self.make_flash({"ota_0": self.old}, [(1, VALID)])
                action = self.server.assign("dev-1", f"no-{len(self.server.actions.get('dev-1', []))}", file, **more)
                self.agent("--part", "os")
                self.assertEqual(action["status"], "error")
                self.assertIn(why, action["feedback"][-1][2])
                self.assertEqual(self.states(), [(1, VALID), None])

    def test_the_token_goes_nowhere_else(self):
        seen = []
        with DdiServer(self.cert) as other:
            other.status = lambda method, path: (200, self.new)
            answer = other.answer
            other.answer = lambda request, body: (seen.append(request.headers.get("Authorization")), answer(request, body))[1]
            action = self.server.assign("dev-1", "7", self.new, link=other.url + "/app.bin")
            self.agent()
        self.assertEqual(action["status"], "finished")
        self.assertEqual(seen, [None])

    def test_a_server_in_trouble_is_told_in_one_line_and_tried_later(self):
        self.server.assign("dev-1", "7", self.new)
        for name, status, body, event, words in (
                ("wrong token", 401, b"", "denied", "does not take this token"),
                ("busy", 429, b"", "busy", "too many requests"),
                ("down", 503, b"<html>", "error", "the server failed (503)"),
                ("redirects", 302, b"", "error", "the server failed (302)"),
                ("no JSON", 200, b"<html>", "error", "makes no sense"),
                ("10 MB", 200, b'{"a":"' + b"x" * 10_000_000, "error", "longer than 64 KiB")):
            with self.subTest(name):
                self.server.status = lambda method, path, status=status, body=body: (status, body)
                self.agent(status=1)
                self.assertEqual([(line["event"], words in line["text"]) for line in self.lines
                                  if line["event"] not in ("on", "off")], [(event, True)])

    def test_a_server_that_is_not_trusted_is_not_asked(self):
        other = servers.make_ca(self.folder, "other")
        self.agent(status=1, ca=other.cert)
        self.assertEqual(self.server.log, [])
        self.assertEqual(self.events.count("error"), 1)
        text = self.trouble()
        self.assertIn(self.server.url, text)  # where, what, and what to do
        self.assertIn("certificate", text)
        self.assertIn("check --ca, and the name in --server", text)

    def test_a_server_that_is_not_there_is_told_with_its_address_and_the_next_step(self):
        for url, words in ((f"https://127.0.0.1:{servers.free_port()}", "refused"),
                           ("https://nobody.invalid", "nobody.invalid"),
                           (self.server.url.replace("127.0.0.1", "127.0.0.2"), "127.0.0.2")):
            with self.subTest(url):
                self.agent(status=1, url=url)
                text = self.trouble()
                self.assertIn(words, text.lower())
                self.assertIn("; check --", text)

    def test_redirects_without_end_are_given_up_and_the_action_stays_open(self):
        action = self.server.assign("dev-1", "7", self.new)
        action["link"] = self.server.url + "/DEFAULT/controller/v1/dev-1/round"
        answer, asked = self.server.answer, []

        def turn(request, body):
            if request.path.endswith("/round"):
                asked.append(request.path)
                return 302, b"", {"Location": action["link"]}
            return answer(request, body)

        self.server.answer = turn
        self.agent(status=1)
        self.assertEqual(action["status"], "running")
        self.assertLess(len(asked), 30)
        self.assertIn("redirect", self.trouble().lower())

    def test_an_action_of_yesterday_is_told_again_and_changes_nothing(self):
        action = self.server.assign("dev-1", "7", self.new)
        self.agent()
        newer = self.server.assign("dev-1", "8", self.probe("3.0.0"))
        self.agent()
        self.assertEqual(newer["status"], "finished")
        self.agent()
        newer["status"] = "running"  # the server has lost its books of today
        self.agent()
        self.assertEqual((newer["status"], newer["downloads"]), ("finished", [None]))
        action["status"] = "running"  # and of yesterday: it wants the older one again, which is an update like any other
        self.agent()
        self.assertEqual((action["status"], len(action["downloads"])), ("finished", 2))
        self.assertEqual(self.server.attributes["dev-1"]["sw_version"], "2.0.0")

    def test_an_image_below_the_secure_version_is_refused_and_told(self):
        efuse = self.folder / "chip.efuse"
        efuse.write_text("secure_version=3\n")
        action = self.server.assign("dev-1", "7", self.probe("2.0.0", secure_version=2))
        self.make_flash({"ota_0": self.probe("1.0.0", secure_version=3)}, [(1, VALID)])
        self.agent("--efuse", efuse, "--anti-rollback")
        self.assertEqual(action["status"], "error")
        self.assertIn("secure version", action["feedback"][-1][2])
        self.assertEqual(self.states(), [(1, VALID), None])

    def test_where_the_record_cannot_be_written_nothing_is_done_and_nothing_lost(self):
        """A disk that is full while a device reports."""
        action = self.server.assign("dev-1", "7", self.new)
        full = self.folder / "full"
        full.mkdir()
        record = full / "agent"
        take = self.server.take

        def fill(method, device, path, body):
            done = take(method, device, path, body)
            if "status" in body and body["status"]["execution"] == "downloaded":
                full.rename(self.folder / "gone")  # what is written from now on has no place
            return done

        self.server.take = fill
        self.agent("--record", record, status=1)
        self.assertEqual(action["status"], "running")
        self.assertEqual([f[0] for f in action["feedback"]], ["proceeding", "downloaded", "proceeding"])
        self.assertEqual(self.states(), [(1, VALID), None])
        self.assertIn("so nothing is done", self.lines[-1]["text"])
        (self.folder / "gone").rename(full)
        self.server.take = take
        self.agent("--record", record)
        self.assertEqual((action["status"], action["downloads"]), ("finished", [None]))

    @unittest.skipUnless(CAN_MOUNT, "no mount namespace can be made here")
    def test_a_disk_that_is_full_loses_nothing(self):
        """A real one, of 32 KiB, which somebody else fills while the device reports."""
        action = self.server.assign("dev-1", "7", self.new)
        disk = self.folder / "disk"
        disk.mkdir()
        take, filled = self.server.take, []

        def fill(method, device, path, body):
            if not filled and "status" in body and body["status"]["execution"] == "downloaded":
                filled.append(path)
                with open(f"/proc/{process.pid}/root{disk}/filler", "wb", buffering=0) as filler, \
                        self.assertRaises(OSError) as full:
                    while True:
                        filler.write(bytes(1024))
                self.assertEqual(full.exception.errno, errno.ENOSPC)
            return take(method, device, path, body)

        self.server.take = fill
        command = shlex.join(self.command("--record", disk / "agent"))
        script = (f"mount -t tmpfs -o size=32k none {disk} || exit 9; {command}; echo $?; rm {disk}/filler; "
                  f"{command}; echo $?")
        process = subprocess.Popen(["unshare", "-rm", "sh", "-c", script], env=self.environment(CONFIRMS), text=True,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        said, errors = process.communicate(timeout=TIMEOUT_S)
        before, after = re.fullmatch(r"(.*?\n)1\n(.*\n)0\n", said, re.S).groups()
        self.assertIn("No space left on device", errors)
        self.assertIn("so nothing is done", before)
        self.assertNotIn('"event":"fetched"', after)
        self.assertEqual((action["status"], action["downloads"], len(filled)), ("finished", [None], 1), said)

    @unittest.skipIf(IS_SANITIZED, "a sanitizer must be the first library of a program")
    def test_a_machine_without_time_is_told_so_and_needs_none_otherwise(self):
        preload = {"LD_PRELOAD": str(BUILD / "tests" / "libno_time.so")}
        action = self.server.assign("dev-1", "7", self.new)
        self.agent(status=1, **preload)
        self.assertIn("not yet valid", self.trouble())
        self.assertIn("is this machine's clock right?", self.trouble())
        self.assertEqual((self.server.log, action["downloads"]), ([], []))
        with DdiServer() as self.server:
            action = self.server.assign("dev-1", "7", self.new)
            self.agent("--allow-http", **preload)
        self.assertEqual(action["status"], "finished")

    def test_a_certificate_out_of_its_time_lets_doubt_the_clock(self):
        action = self.server.assign("dev-1", "7", self.new)
        for kind, words in (({"not_yet": True}, "not yet valid"), ({"expired": True}, "expired")):
            with DdiServer(servers.make_cert(self.folder, ca=self.ca, **kind)) as early:
                self.agent(url=early.url, status=1)
            self.assertIn(words, self.trouble())
            self.assertIn("is this machine's clock right?", self.trouble())
        self.agent()
        self.assertEqual(action["status"], "finished")

    def test_wrong_usage_says_what_is_missing(self):
        def fails(args, words, status):
            done = subprocess.run([OTTER, "agent", self.flash, *args], capture_output=True, text=True, timeout=TIMEOUT_S,
                                  check=False)
            self.assertEqual((done.returncode, words in done.stderr), (status, True), done.stderr)

        good = ["--server", self.server.url, "--id", "d", "--token-file", self.token, "--ca", self.ca.cert, "--once"]
        fails([], "--server URL and --id ID are needed", 2)
        fails(good[:4], "--token-file FILE is needed", 2)
        fails(good[:6], "--ca CA.pem is needed", 2)
        fails(["--server", "http://127.0.0.1:1", *good[2:]], "plain HTTP is refused", 1)
        fails([*good[:2], "--id", "a b", *good[4:]], "blank", 1)
        self.token.chmod(0o644)
        fails(good, "chmod 600", 1)
        self.token.chmod(0o600)
        self.token.write_text("\n")
        fails(good, "holds no token", 1)

    def test_two_agents_share_neither_record_nor_flash(self):
        self.server.sleep = "01:00:00"
        args = [OTTER, "agent", self.flash, "--server", self.server.url, "--id", "dev-1", "--token-file", self.token, "--ca",
                self.ca.cert]
        with subprocess.Popen(args, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=self.environment("1:idle"),
                              text=True) as first:
            try:
                self.assertIn("the device is on", first.stdout.readline())
                done = subprocess.run([*args, "--once"], capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
                self.assertEqual(done.returncode, 1)
                self.assertIn("another agent is at work", done.stderr)
                done = subprocess.run([*args, "--once", "--record", self.folder / "other"], capture_output=True, text=True,
                                      timeout=TIMEOUT_S, check=False)
                self.assertEqual((done.returncode, done.stdout), (1, ""))
                self.assertIn("another agent is at work with this flash", done.stderr)
            finally:
                first.terminate()
            self.assertEqual(first.wait(TIMEOUT_S), 0)

    # ---- a device that restarts itself ----

    def test_a_hook_restarts_the_device_and_the_next_run_tells(self):
        action = self.server.assign("dev-1", "7", self.new)
        told = self.folder / "told"
        self.agent("--hook", f'echo "$OTTER_SLOT" > {told}')
        self.assertEqual(told.read_text(encoding="utf-8"), "ota_1\n")
        self.assertEqual(action["status"], "running")
        self.run_device("--boots", "1", script=CONFIRMS)  # the restart
        self.agent("--hook", "false")
        self.assertEqual(action["status"], "finished")

    def test_a_restart_that_comes_later_is_ordered_once_and_awaited(self):
        """The hook may restart the machine at night, and cron start the agent each hour until then."""
        action = self.server.assign("dev-1", "7", self.new)
        told = self.folder / "told"
        for _ in range(5):
            self.agent("--hook", f"echo at night >> {told}")
        self.assertEqual(told.read_text(encoding="utf-8"), "at night\n")
        self.assertEqual(action["status"], "running")
        self.run_device("--boots", "1", script=CONFIRMS)  # the restart
        self.agent("--hook", "false")
        self.assertEqual((action["status"], action["downloads"]), ("finished", [None]))

    def test_the_systemd_unit_does_the_same(self):
        unit = (SOURCE / "examples" / "fleet" / "otter-agent.service").read_text(encoding="utf-8")
        settings = dict(line.split("=", 1) for line in (SOURCE / "examples" / "fleet" / "agent.conf").read_text(
            encoding="utf-8").splitlines() if "=" in line and line[0] != "#")
        self.assertEqual(set(re.findall(r"\$\{?(\w+)", unit)), set(settings))
        self.make_flash_with_data()
        here = {"OTTER_FLASH": self.flash, "OTTER_SERVER": self.server.url, "OTTER_ID": "dev-1",
                "OTTER_OPTIONS": "--part os --part www=web"}
        action = self.server.assign("dev-1", "7", self.new, data={"www": b"<html>"})
        line = re.search(r"^ExecStart=/usr/bin/otter (.*)$", unit, re.M)[1]
        line = re.sub(r"\$\{?(\w+)\}?", lambda name: here[name[1]], line).replace("/etc/otter/token", str(self.token))
        line = line.replace("/etc/otter/ca.pem", self.ca.cert).replace("/var/lib/otter", str(self.folder))
        line = line.replace("/run/otter.boot", str(self.folder / "decision")).replace("systemctl --no-block reboot", "true")
        for _ in range(2):  # the restart between them is the machine's
            done = subprocess.run([OTTER, *shlex.split(line), "--once"], capture_output=True, text=True, timeout=TIMEOUT_S,
                                  check=False)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            self.run_device("--boots", "1", script=CONFIRMS)
        self.assertEqual((action["status"], self.data("web", 6)), ("finished", b"<html>"), done.stdout)

    def test_a_hook_that_fails_is_told_and_tried_again(self):
        action = self.server.assign("dev-1", "7", self.new)
        self.agent("--hook", "exit 3", status=1)
        self.assertEqual(action["status"], "running")
        self.assertIn("the command of --hook failed", self.lines[-1]["text"])


if __name__ == "__main__":
    os.environ.setdefault("OTTER_BUILD", "build")
    unittest.main(verbosity=2)
