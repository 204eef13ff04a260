"""`otter update` on the device that it updates: what is new, what runs and is on trial, and a command for when it is done."""
# SPDX-License-Identifier: Apache-2.0

import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import servers  # noqa: E402
from device import ABORTED, INVALID, NEW, OTTER, PENDING_VERIFY, TIMEOUT_S, VALID, wait_until_ended  # noqa: E402
from linux_files import LinuxTest, otter  # noqa: E402


class UpdateOfDevice(LinuxTest):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="otter-update-device-")
        cls.addClassCleanup(folder.cleanup)
        cls.www = pathlib.Path(folder.name) / "www"
        cls.www.mkdir()
        cls.ca = servers.make_ca(pathlib.Path(folder.name))
        cert = servers.make_cert(pathlib.Path(folder.name), ca=cls.ca)
        cls.server = cls.enterClassContext(servers.HttpsServer(cls.www, cert))

    def setUp(self):
        super().setUp()
        self.one, self.two = self.image("1.0.0"), self.image("2.0.0")
        (self.www / "new.bin").write_bytes(self.two)
        self.make({"ota_0": self.one}, ((1, VALID), None))

    def arguments(self, *args):
        return ("update", self.flash, self.server.url("new.bin"), "--ca", self.ca.cert, "--retries", "0", *args)

    def update(self, *args, status=0):
        done = otter(*self.arguments("--json", *args))
        self.assertEqual(done.returncode, status, done.stderr)
        return json.loads(done.stdout), done.stderr

    # ---- --on-updated ----

    def test_a_command_is_told_what_was_done_and_may_use_the_flash(self):
        told = self.folder / "told"
        command = (f'echo "$OTTER_FLASH $OTTER_FROM_VERSION $OTTER_VERSION $OTTER_SLOT" > {told}; '
                   f'{OTTER} boot "$OTTER_FLASH" --dry-run >> {told}; echo said')
        done = otter(*self.arguments("--on-updated", command))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stdout.splitlines()[-1], "said")
        self.assertIn("boots next", done.stdout.splitlines()[0])
        lines = told.read_text(encoding="utf-8").splitlines()
        self.assertEqual(lines[0], f"{self.flash} 1.0.0 2.0.0 ota_1")
        self.assertIn("OTTER_SLOT=ota_1", lines)

    def test_with_json_its_words_do_not_mix_with_the_result(self):
        report, error = self.update("--on-updated", "echo said")
        self.assertEqual((report["updated"], error), (True, "said\n"))

    def test_its_failure_is_told_and_the_update_stays(self):
        for command, says in ("exit 7", "ended with status 7"), ("kill -9 $$", "was ended by signal 9"):
            with self.subTest(command):
                self.make({"ota_0": self.one}, ((1, VALID), None))
                report, error = self.update("--on-updated", command, status=3)
                self.assertEqual((report["updated"], report["result"], error.count("\n")), (True, "ESP_OK", 1))
                self.assertIn("updated, but the command of --on-updated " + says, error)
                self.assertEqual(self.records(), [(1, VALID), (2, NEW)])

    def test_it_is_not_run_where_nothing_was_updated(self):
        mark = self.folder / "ran"
        (self.www / "new.bin").write_bytes(self.two.rstrip(b"\xff")[:-1])
        self.update("--on-updated", f"touch {mark}", status=1)
        (self.www / "new.bin").write_bytes(self.one)
        self.update("--only-new", "--on-updated", f"touch {mark}")
        self.assertFalse(mark.exists())

    def test_it_ends_with_the_update_and_when_its_time_is_over(self):
        child = self.folder / "child"
        os.mkfifo(child)
        command = f"echo $$ > {child}; exec sleep 50"
        _, error = self.update("--max-seconds", "1", "--on-updated", "exec sleep 50", status=3)
        self.assertIn("(--max-seconds)", error)
        self.make({"ota_0": self.one}, ((1, VALID), None))
        running = subprocess.Popen([OTTER, *map(str, self.arguments("--on-updated", command))], stderr=subprocess.PIPE,
                                   stdout=subprocess.DEVNULL, text=True)
        number = int(child.read_text(encoding="ascii"))  # comes when the command runs
        running.send_signal(signal.SIGTERM)
        _, error = running.communicate(timeout=TIMEOUT_S)
        self.assertEqual(running.returncode, 3)
        self.assertIn("(interrupted)", error)
        self.assertTrue(wait_until_ended(number))

    # ---- --only-new ----

    def test_a_version_that_is_there_or_was_given_up_is_not_written_again(self):
        for name, offered, records, updated in [
                ("new", self.two, ((1, VALID), None), True), ("the same", self.one, ((1, VALID), None), False),
                ("not confirmed", self.two, ((1, VALID), (2, ABORTED)), False),
                ("rejected", self.two, ((1, VALID), (2, INVALID)), False),
                ("newer than what was rejected", self.image("3.0.0"), ((1, VALID), (2, INVALID)), True)]:
            with self.subTest(name):
                self.make({"ota_0": self.one, "ota_1": self.two}, records)
                (self.www / "new.bin").write_bytes(offered)
                before = self.flash.read_bytes()
                report, _ = self.update("--only-new")
                self.assertEqual((report["updated"], report["result"], report["boots"]),
                                 (updated, "ESP_OK", "ota_1" if updated else "ota_0"))
                self.assertEqual(report["slot"], "ota_1" if updated else None)
                self.assertEqual(self.flash.read_bytes() == before, not updated)
                if not updated:
                    self.assertIn("nothing to do: version", otter(*self.arguments("--only-new")).stdout)

    # ---- what runs ----

    def test_what_runs_on_trial_is_not_overwritten(self):
        self.make({"ota_0": self.one, "ota_1": self.two}, ((1, VALID), (2, PENDING_VERIFY)))
        before = self.flash.read_bytes()
        report, error = self.update(status=1)
        self.assertEqual(report["result"], "ESP_ERR_OTA_ROLLBACK_INVALID_STATE")
        self.assertIn("ota_1 is on trial: `otter confirm`", error)
        self.assertTrue(self.flash.read_bytes() == before)
        self.must("confirm", self.flash)
        (self.www / "new.bin").write_bytes(self.image("3.0.0"))
        self.assertEqual(self.update()[0]["slot"], "ota_0")

    def test_what_waits_for_its_first_boot_is_not_overwritten(self):
        self.make({"ota_0": self.one, "ota_1": self.two}, ((1, VALID), (2, NEW)))
        _, error = self.update(status=1)
        self.assertIn("waits for its first boot", error)
        self.assertIn("restart the device", error)

    def test_what_runs_by_the_decision_is_not_overwritten_though_it_was_rejected(self):
        kept = self.folder / "decision"
        self.make({"ota_0": self.one, "ota_1": self.two}, ((1, VALID), (2, NEW)))
        self.assertEqual(self.json("boot", self.flash, "--decision", kept)["slot"], "ota_1")
        self.must("reject", self.flash)
        (self.www / "new.bin").write_bytes(self.image("3.0.0"))
        before = self.flash.read_bytes()
        report, error = self.update("--decision", kept, status=1)
        self.assertEqual(report["result"], "ESP_ERR_OTA_PARTITION_CONFLICT")
        self.assertIn("ota_1 runs, and ota_0 boots next: restart", error)
        _, error = self.update("--decision", self.folder / "none", status=1)
        self.assertIn("it is not known what runs", error)
        self.assertTrue(self.flash.read_bytes() == before)
        kept.unlink()  # as a restart does
        self.assertEqual(self.json("boot", self.flash, "--decision", kept)["slot"], "ota_0")
        self.assertEqual(self.update("--decision", kept)[0]["slot"], "ota_1")


if __name__ == "__main__":
    unittest.main(verbosity=2)
