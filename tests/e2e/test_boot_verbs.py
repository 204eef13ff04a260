"""`otter boot`, `otter confirm`, `otter reject`: the boot decision of a device that somebody else's bootloader starts."""
# SPDX-License-Identifier: Apache-2.0

import fcntl
import json
import os
import pathlib
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import loop_device  # noqa: E402
from device import ABORTED, INVALID, NEW, OTTER, PENDING_VERIFY, TIMEOUT_S, UNDEFINED, VALID  # noqa: E402
from linux_files import SLOTS, LinuxTest, otter  # noqa: E402

KEYS = {"result", "slot", "slot_offset", "slot_length", "image_length", "payload_offset", "payload_length", "project", "version",
        "state", "trial", "reason", "tried"}


def broken(image):
    return image[:5000] + bytes([image[5000] ^ 1]) + image[5001:]


class Boot(LinuxTest):
    def setUp(self):
        super().setUp()
        self.one, self.two = self.image("1.0.0"), self.image("2.0.0")

    def test_it_decides_as_a_bootloader_does_and_records_it(self):
        both = {"ota_0": self.one, "ota_1": self.two}
        damaged = {"ota_0": self.one, "ota_1": broken(self.two)}
        for name, images, records, slot, state, trial, after in [
                ("new", {"ota_0": self.one}, (), "ota_0", None, False, None),
                ("confirmed", both, ((1, VALID), (2, VALID)), "ota_1", "VALID", False, [(1, VALID), (2, VALID)]),
                ("no rollback", both, ((1, VALID), (2, UNDEFINED)), "ota_1", "UNDEFINED", False, [(1, VALID), (2, UNDEFINED)]),
                ("trial", both, ((1, VALID), (2, NEW)), "ota_1", "PENDING_VERIFY", True, [(1, VALID), (2, PENDING_VERIFY)]),
                ("failed trial", both, ((1, VALID), (2, PENDING_VERIFY)), "ota_0", "VALID", False, [(1, VALID), (2, ABORTED)]),
                ("rejected", both, ((1, VALID), (2, INVALID)), "ota_0", "VALID", False, [(1, VALID), (2, INVALID)]),
                ("damaged", damaged, ((1, VALID), (2, VALID)), "ota_0", None, False, [(1, VALID), (2, VALID)])]:
            with self.subTest(name):
                self.make(images, records)
                before = self.flash.read_bytes()
                dry = self.json("boot", self.flash, "--dry-run")
                self.assertTrue(self.flash.read_bytes() == before)
                said = self.json("boot", self.flash)
                self.assertEqual(dry, said)
                self.assertEqual(said.keys(), KEYS)
                self.assertEqual((said["slot"], said["state"], said["trial"]), (slot, state, trial))
                self.assertEqual((said["slot_offset"], said["slot_length"]), (SLOTS[slot], 1 << 20))
                version = {"ota_0": "1.0.0", "ota_1": "2.0.0"}[slot]
                self.assertEqual((said["project"], said["version"]), ("gateway", version))
                payload = self.payload(version)
                self.assertEqual((said["payload_offset"] - SLOTS[slot], said["payload_length"]), (4096, len(payload)))
                at = said["payload_offset"]
                self.assertTrue(self.flash.read_bytes()[at:at + len(payload)] == payload)
                if after is not None:
                    self.assertEqual(self.records(), after)
                self.assertEqual([tried["label"] for tried in said["tried"]], ["ota_1"] if name == "damaged" else [])

    def test_a_shell_evaluates_what_it_says_whatever_is_in_it(self):
        evil = "$(touch bad)'; touch bad #"
        self.make({"ota_0": self.image("`touch bad`", project=evil)})
        script = ('said=$("$0" boot "$1") && eval "$said" && '
                  'echo "$OTTER_SLOT|$OTTER_PROJECT|$OTTER_VERSION|$OTTER_TRIAL|$OTTER_STATE|"')
        done = subprocess.run(["sh", "-c", script, os.environ["OTTER_BUILD"] + "/otter", self.flash], cwd=self.folder,
                              capture_output=True, text=True, timeout=TIMEOUT_S, check=True)
        self.assertEqual(done.stdout, f"ota_0|{evil}|`touch bad`|no||\n")
        self.assertFalse((self.folder / "bad").exists())

    def test_the_second_time_in_one_start_is_a_second_boot_unless_the_decision_is_kept(self):
        self.make({"ota_0": self.one, "ota_1": self.two}, ((1, VALID), (2, NEW)))
        kept = self.folder / "decision"
        first = self.json("boot", self.flash, "--decision", kept)
        between = self.flash.read_bytes()
        self.assertEqual(self.json("boot", self.flash, "--decision", kept), first)
        self.assertIn("OTTER_SLOT=ota_1\n", self.must("boot", self.flash, "--decision", kept))
        self.assertTrue(self.flash.read_bytes() == between)
        self.assertEqual(self.json("boot", self.flash)["slot"], "ota_0")
        self.assertEqual(self.records(), [(1, VALID), (2, ABORTED)])

    def test_a_decision_that_is_not_of_this_start_or_flash_does_not_count(self):
        kept = self.folder / "decision"
        changes = {"earlier start": lambda said: json.dumps(said | {"boot_id": "0-0"}),
                   "other flash": lambda said: json.dumps(said | {"flash": "device b301"}),
                   "cut": lambda said: json.dumps(said)[:40], "nothing": lambda said: "", "a number": lambda said: "7"}
        for name, change in changes.items():
            with self.subTest(name):
                kept.unlink(missing_ok=True)
                self.make({"ota_0": self.one, "ota_1": self.two}, ((1, VALID), (2, NEW)))
                self.json("boot", self.flash, "--decision", kept)
                kept.write_text(change(json.loads(kept.read_text(encoding="utf-8"))), encoding="utf-8")
                self.assertEqual(self.json("boot", self.flash, "--decision", kept)["slot"], "ota_0")
                self.assertEqual(json.loads(kept.read_text(encoding="utf-8"))["slot"], "ota_0")

    def test_a_decision_that_cannot_be_kept_is_told_and_the_device_boots(self):
        self.make({"ota_0": self.one})
        done = otter("boot", self.flash, "--decision", self.folder / "nowhere" / "decision")
        self.assertEqual((done.returncode, done.stderr.count("\n")), (0, 1))
        self.assertIn("cannot write", done.stderr)
        self.assertIn("OTTER_SLOT=ota_0\n", done.stdout)

    def test_where_nothing_boots_it_says_why(self):
        self.make({"ota_0": broken(self.one)})
        self.fails(otter("boot", self.flash), "nothing boots", "nothing verifies")
        said = self.json("boot", self.flash, status=1)
        self.assertEqual((said["result"], said["slot"], len(said["tried"])), ("ESP_ERR_NOT_FOUND", None, 2))
        self.write_at(0x8000, bytes(0x1000))
        self.fails(otter("boot", self.flash), "partition table")
        self.fails(otter("boot", self.folder / "none.bin"), "No such file")
        self.assertEqual(self.json("boot", self.folder / "none.bin", status=1)["result"], "ESP_ERR_NOT_FOUND")

    def test_two_at_a_time_do_not_decide(self):
        self.make({"ota_0": self.one, "ota_1": self.two}, ((1, VALID), (2, NEW)))
        with open(self.flash, "rb") as other:
            fcntl.flock(other, fcntl.LOCK_EX)
            for verb in "boot", "confirm", "reject":
                self.fails(otter(verb, self.flash, "--wait", "0.1"), " has it open (a running device")
            self.assertEqual(self.records(), [(1, VALID), (2, NEW)])
            waits = subprocess.Popen([OTTER, "boot", self.flash], stdout=subprocess.PIPE, text=True)
            with self.assertRaises(subprocess.TimeoutExpired):
                waits.wait(0.3)
            fcntl.flock(other, fcntl.LOCK_UN)
            self.assertIn("OTTER_SLOT=ota_1\n", waits.communicate(timeout=TIMEOUT_S)[0])

    def test_a_medium_that_takes_no_more_writes_boots_what_is_confirmed(self):
        for records, slot in (((1, VALID), (2, NEW)), "ota_0"), (((1, VALID), (2, VALID)), "ota_1"):
            self.make({"ota_0": self.one, "ota_1": self.two}, records)
            backing, self.flash = self.flash, loop_device.attach(self, self.flash, "--read-only")
            for _ in range(2):
                done = otter("boot", self.flash)
                self.assertEqual((done.returncode, done.stderr.count("\n")), (0, 1), done.stderr)
                self.assertIn("nothing is recorded", done.stderr)
                self.assertIn(f"OTTER_SLOT={slot}\n", done.stdout)
                self.assertEqual(self.records(), list(records))
            self.fails(otter("confirm", self.flash), "read-only")
            self.flash = backing

    def test_an_image_for_a_chip_has_no_payload(self):
        chip = (pathlib.Path(os.environ["OTTER_SOURCE"]) / "tests/vectors/image/esp32_valid.bin").read_bytes()
        self.make({"ota_0": chip})
        said = self.json("boot", self.flash, "--chip", "esp32")
        self.assertEqual((said["slot"], said["payload_offset"], said["payload_length"]), ("ota_0", None, None))


class Verdict(LinuxTest):
    def setUp(self):
        super().setUp()
        self.both = {"ota_0": self.image("1.0.0"), "ota_1": self.image("2.0.0")}

    def test_confirm_ends_the_trial_that_runs_and_nothing_else(self):
        for name, records, status, changed, says, after in [
                ("trial", ((1, VALID), (2, PENDING_VERIFY)), 0, True, "ota_1 (gateway 2.0.0) is confirmed",
                 [(1, VALID), (2, VALID)]),
                ("confirmed", ((1, VALID), (2, VALID)), 0, False, "ota_1 (gateway 2.0.0) is confirmed already", None),
                ("without rollback", ((1, UNDEFINED), None), 0, False, "ota_0 (gateway 1.0.0) is confirmed already", None),
                ("waits", ((1, VALID), (2, NEW)), 0, False, "ota_1 (gateway 2.0.0) waits for its first boot", None),
                ("failed", ((1, VALID), (2, ABORTED)), 0, False, "ota_0 (gateway 1.0.0) is confirmed already", None),
                ("no record", (), 0, False, "no record selects a slot", None)]:
            with self.subTest(name):
                self.make(self.both, records)
                before = self.flash.read_bytes()
                said = self.json("confirm", self.flash, status=status)
                self.assertIn(says, said["text"])
                self.assertEqual(said["changed"], changed)
                self.assertEqual(self.records() if changed else self.flash.read_bytes() == before, after if changed else True)
                self.assertIn("nothing is on trial", self.must("confirm", self.flash))  # once more: no failure

    def test_a_trial_that_is_not_what_runs_is_not_confirmed(self):
        self.make({"ota_0": self.both["ota_0"], "ota_1": broken(self.both["ota_1"])}, ((1, VALID), (2, NEW)))
        kept = self.folder / "decision"
        self.assertEqual(self.json("boot", self.flash, "--decision", kept)["slot"], "ota_0")
        self.assertEqual(self.records(), [(1, VALID), (2, PENDING_VERIFY)])
        self.fails(otter("confirm", self.flash, "--decision", kept), "is on trial, and ota_0 runs")
        self.fails(otter("confirm", self.flash), "cannot be what runs", "checksum")
        self.fails(otter("confirm", self.flash, "--decision", self.folder / "none"), "nothing is confirmed")
        self.assertEqual(self.records(), [(1, VALID), (2, PENDING_VERIFY)])
        self.make(self.both, ((1, VALID), (2, NEW)))
        kept.unlink()
        self.assertEqual(self.json("boot", self.flash, "--decision", kept)["slot"], "ota_1")
        self.assertEqual(self.json("confirm", self.flash, "--decision", kept)["state"], "VALID")

    def test_reject_gives_up_a_trial_and_what_is_confirmed_only_when_told_to(self):
        for name, records, args, status, says, after in [
                ("trial", ((1, VALID), (2, PENDING_VERIFY)), (), 0, "restart, ota_0 (gateway 1.0.0) boots next",
                 [(1, VALID), (2, INVALID)]),
                ("waits", ((1, VALID), (2, NEW)), (), 0, "ota_1 (gateway 2.0.0) is rejected", [(1, VALID), (2, INVALID)]),
                ("confirmed", ((1, VALID), (2, VALID)), (), 1, "--confirmed", [(1, VALID), (2, VALID)]),
                ("told to", ((1, VALID), (2, VALID)), ("--confirmed",), 0, "ota_0 (gateway 1.0.0) boots next",
                 [(1, VALID), (2, INVALID)]),
                ("failed", ((1, VALID), (2, ABORTED)), (), 1, "ota_0 (gateway 1.0.0) is confirmed", [(1, VALID), (2, ABORTED)]),
                ("all there is", ((1, PENDING_VERIFY), None), (), 1, "nothing to go back to", [(1, PENDING_VERIFY), None]),
                ("no record", (), (), 1, "no record selects", [None, None])]:
            with self.subTest(name):
                self.make(self.both, records)
                said = self.json("reject", self.flash, *args, status=status)
                self.assertIn(says, said["text"])
                self.assertEqual(self.records(), after)
                if status == 0:
                    self.assertEqual((said["changed"], said["state"]), (True, "INVALID"))
                    self.assertEqual(self.json("boot", self.flash)["slot"], "ota_0")

    def test_anti_rollback_counts_what_was_confirmed(self):
        secure = self.image("3.0.0", "--secure-version", "3")
        self.make({"ota_0": self.both["ota_0"], "ota_1": secure}, ((1, VALID), (2, NEW)))
        efuse = self.folder / "named.efuse"
        efuse.write_text("chip=device\n", encoding="ascii")
        how = ("--anti-rollback", "--efuse", efuse)
        self.assertEqual(self.json("boot", self.flash, *how)["slot"], "ota_1")
        self.assertNotIn("secure_version=3", efuse.read_text(encoding="ascii"))
        self.must("confirm", self.flash, *how)
        self.assertIn("secure_version=3", efuse.read_text(encoding="ascii"))
        self.fails(otter("reject", self.flash, "--confirmed", *how), "nothing to go back to")


if __name__ == "__main__":
    unittest.main(verbosity=2)
