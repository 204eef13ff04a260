"""`otter update`: which slot it writes, and what it leaves alone because the device may run it although it does not boot here."""
# SPDX-License-Identifier: Apache-2.0

import pathlib
import struct
import sys
import unittest
import zlib

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import servers  # noqa: E402
from image_files import app_desc, image  # noqa: E402
from test_update import UpdateCase, must, otter  # noqa: E402

NEW, PENDING, VALID, UNDEFINED = 0, 1, 2, 0xFFFFFFFF
OTADATA = 0xD000
SLOTS = {"ota_0": 0x110000, "ota_1": 0x210000, "ota_2": 0x310000}
TABLE = "otadata, data, ota, 0xd000, 0x2000\n"


CHIPS = {"esp32": (0x3F400020, 0x3FFB0000), "esp32c3": (0x3C000020, 0x3FC90000)}  # mapped, loaded


def app_image(version, chip="esp32", min_rev=0, min_blk_rev=0, segment=None, damaged=False):
    """An app with a descriptor and one segment that is loaded to `segment`."""
    mapped, loaded = CHIPS[chip]
    segments = [(mapped, app_desc(version, "test", 0, min_blk_rev)), (segment or loaded, b"data")]
    made = image(chip, segments, entry=0x40080000, revisions=(min_rev, 0xFFFF))
    return made[:60] + b"\xff" + made[61:] if damaged else made


def record(seq, state=UNDEFINED):
    return struct.pack("<I20sII", seq, b"\xff" * 20, state, zlib.crc32(struct.pack("<I", seq), 0xFFFFFFFF))


class Slot(UpdateCase):
    @classmethod
    def make_images(cls):
        (cls.www / "new.bin").write_bytes(app_image("2.0.0"))

    def setUp(self):
        self.flash = self.work / "flash.bin"
        self.server = self.enterContext(servers.HttpsServer(self.www, self.cert))

    def make_flash(self, apps, records=(), slots=2):
        """A flash of an ESP32 v3.0 without factory: `apps` by slot, and up to two records."""
        self.tearDown()
        table = TABLE + "".join(f"{name}, app, {name}, {at}, 0x80000\n" for name, at in list(SLOTS.items())[:slots])
        (self.work / "slots.csv").write_text(table)
        must("flash", "new", self.flash, "--size", "4MB", "--table", self.work / "slots.csv", "--chip", "esp32",
             "--chip-rev", "300")
        with self.flash.open("r+b") as flash:
            for name, image in apps.items():
                flash.seek(SLOTS[name])
                flash.write(image)
            for copy, entry in enumerate(records):
                flash.seek(OTADATA + copy * 0x1000)
                flash.write(entry)

    def check_written(self, slot, *args):
        done, report = self.update(self.server.url("new.bin"), *args)
        self.assertEqual((done.returncode, report["slot"]), (0, slot), done.stderr)
        self.assertEqual(self.boots(), slot)

    def check_refused_whole(self, *says, args=()):
        """Not a byte of the flash has changed, and the error has all of these words."""
        before = self.flash.read_bytes()
        done, report = self.update(self.server.url("new.bin"), *args)
        self.assertEqual((done.returncode, done.stderr.count("\n")), (1, 1), done.stderr)
        self.assertIn(report["result"], ("ESP_ERR_OTA_PARTITION_CONFLICT", "ESP_ERR_OTA_ROLLBACK_INVALID_STATE"))
        for words in says:
            self.assertIn(words, done.stderr)
        self.assertEqual(self.flash.read_bytes(), before)

    def test_what_is_selected_is_left_alone_where_nothing_boots(self):
        rows = {"whole, but for memory that this chip has not": {"segment": 0x3FF00000},
                "whole, but for a later revision": {"min_rev": 301},
                "damaged": {"damaged": True}}
        for name, how in rows.items():
            for seq, selected, other in ((1, "ota_0", "ota_1"), (2, "ota_1", "ota_0")):
                with self.subTest(name, selected=selected):
                    self.make_flash({selected: app_image("1.0.0", **how)}, [record(seq)])
                    self.check_written(other)

    def test_without_a_record_the_first_slot_is_selected(self):
        self.make_flash({"ota_0": app_image("1.0.0", segment=0x3FF00000)})
        self.check_written("ota_1")

    def test_with_no_other_slot_it_has_to_be_told(self):
        for how in ({"segment": 0x3FF00000}, {"damaged": True}):
            with self.subTest(how):
                self.make_flash({"ota_0": app_image("1.0.0", **how)}, [record(1)], slots=1)
                self.check_refused_whole("ota_0 may be what the device runs", "--overwrite-selected", "flash info")
                self.check_refused_whole("--overwrite-selected", args=("--slot", "ota_0"))
                self.check_written("ota_0", "--overwrite-selected")

    def test_a_slot_that_is_named_is_no_exception(self):
        self.make_flash({"ota_0": app_image("1.0.0", segment=0x3FF00000)}, [record(1)])
        self.check_refused_whole("--overwrite-selected", args=("--slot", "ota_0"))
        self.check_written("ota_0", "--slot", "ota_0", "--overwrite-selected")

    def test_being_told_it_still_takes_a_better_slot(self):
        self.make_flash({"ota_0": app_image("1.0.0", segment=0x3FF00000)}, [record(1)])
        self.check_written("ota_1", "--overwrite-selected")

    def test_what_was_passed_over_although_it_is_whole_is_left_alone(self):
        apps = {"ota_0": app_image("1.0.0"), "ota_1": app_image("1.1.0", min_rev=301)}
        self.make_flash(apps, [record(1), record(2)])
        self.check_refused_whole("ota_1 may be what the device runs", "revision v3.1")
        self.check_written("ota_0", "--chip-rev", "301")  # now it is known that ota_1 runs
        self.make_flash(apps, [record(1), record(2)])
        self.check_written("ota_1", "--overwrite-selected")
        self.make_flash(apps, [record(1), record(2)], slots=3)
        self.check_refused_whole("ota_1 may be", args=("--slot", "ota_1"))
        self.check_written("ota_2")

    def test_what_was_passed_over_because_it_is_damaged_is_written(self):
        self.make_flash({"ota_0": app_image("1.0.0"), "ota_1": app_image("1.1.0", damaged=True)},
                        [record(1), record(2)])
        self.check_written("ota_1")

    def large(self, version, damaged=False):
        """An app that takes longer to read than the server to answer; the damage is at its end."""
        mapped, loaded = CHIPS["esp32"]
        made = image("esp32", [(mapped, app_desc(version, "test", 0, 0) + bytes(0x70000)), (loaded, b"data")],
                     entry=0x40080000, revisions=(0, 0xFFFF))
        at = made.rindex(b"data")
        return made[:at] + b"gone" + made[at + 4:] if damaged else made

    def test_nothing_is_written_before_it_is_known_that_what_seems_to_boot_does(self):
        good = self.large("1.0.0")
        for seq, damaged, boots in ((1, "ota_0", "ota_1"), (2, "ota_1", "ota_0")):
            with self.subTest(damaged=damaged):
                self.make_flash({damaged: self.large("1.1.0", damaged=True), boots: good}, [record(seq)])
                done, report = self.update(self.server.url("new.bin"))
                self.assertEqual((done.returncode, report["slot"], report["from_version"]), (0, damaged, "1.0.0"), done.stderr)
                with self.flash.open("rb") as flash:
                    flash.seek(SLOTS[boots])
                    self.assertEqual(flash.read(len(good)), good)

    def test_what_is_found_out_while_connecting_refuses_as_what_is_known_before(self):
        """What seems to boot is damaged, and what boots then has never booted."""
        self.make_flash({"ota_0": self.large("1.0.0"), "ota_1": self.large("1.1.0", damaged=True)},
                        [record(1, NEW), record(2, VALID)])
        self.check_refused_whole("version 1.0.0 in ota_0 waits for its first boot")
        done, report = self.update("https://127.0.0.1:1/new.bin")  # nor does it matter whether anybody answers
        self.assertIn("waits for its first boot", done.stderr)
        self.assertEqual((report["stage"], report["url"], report["to_version"]), ("config", None, None))

    def test_a_slot_that_is_left_alone_is_named_once(self):
        self.make_flash({"ota_0": app_image("1.0.0"), "ota_1": app_image("1.1.0", min_rev=301)}, [record(1), record(2)], slots=3)
        done = otter("update", self.flash, self.server.url("new.bin"), "--ca", self.ca.cert)
        self.assertEqual((done.returncode, done.stderr.count("is left alone")), (0, 1), done.stderr)

    def test_what_may_run_is_left_alone_also_if_what_seems_to_run_is_damaged(self):
        damaged = self.large("1.0.0", damaged=True)
        self.make_flash({"ota_0": damaged, "ota_1": app_image("1.1.0", chip="esp32c3")}, [record(1)])
        self.check_refused_whole("may be what the device runs")
        self.make_flash({"ota_0": damaged}, [record(1)])
        with self.flash.open("r+b") as flash:
            flash.truncate(SLOTS["ota_1"] - 0x1000)
        self.check_refused_whole("may be what the device runs")

    def test_what_does_not_run_has_no_version(self):
        self.make_flash({"ota_0": self.large("1.0.0", damaged=True), "ota_1": self.large("1.1.0", damaged=True)}, [record(1)])
        done, report = self.update(self.server.url("new.bin"))
        self.assertEqual((done.returncode, report["slot"], report["from_version"]), (0, "ota_1", None), done.stderr)

    def test_an_image_without_another_one_needs_no_proof(self):
        for how in ({}, {"damaged": True}):
            with self.subTest(how):
                self.make_flash({"ota_0": self.large("1.0.0", **how)}, [record(1)])
                done, report = self.update(self.server.url("new.bin"))
                self.assertEqual((done.returncode, report["slot"], report["from_version"]), (0, "ota_1", "1.0.0"), done.stderr)

    def test_what_may_have_been_cut_off_the_dump_is_left_alone(self):
        apps = {"ota_0": app_image("1.0.0"), "ota_1": app_image("1.1.0")}
        for slots, written in ((2, None), (3, "ota_2")):
            self.make_flash(apps, [record(1), record(2)], slots=slots)
            with self.flash.open("r+b") as flash:
                flash.truncate(SLOTS["ota_1"] - 0x1000)
            if written is None:
                self.check_refused_whole("ota_1 may be what the device runs: it lies where this file has ended")
            else:
                self.check_written(written)

    def test_on_trial_it_matters_whether_the_bootloader_has_rollback(self):
        apps = {"ota_0": app_image("1.0.0"), "ota_1": app_image("1.1.0")}
        records = [record(1, VALID), record(2, PENDING)]
        self.make_flash(apps, records)
        self.check_refused_whole("ota_0 may be what the device runs", "--rollback on or off")
        for rollback, slot in (("on", "ota_1"), ("off", "ota_0")):
            self.make_flash(apps, records)
            self.check_written(slot, "--rollback", rollback)
        self.make_flash(apps, records, slots=3)
        self.check_written("ota_2")

    def test_what_waits_for_its_first_boot_has_a_bootloader_with_rollback(self):
        apps = {"ota_0": app_image("1.0.0"), "ota_1": app_image("1.1.0")}
        self.make_flash(apps, [record(1, VALID), record(2, NEW)])
        self.check_refused_whole("version 1.1.0 in ota_1 waits for its first boot", "--rollback off")
        self.check_written("ota_0", "--rollback", "off")

    def test_a_slot_that_is_left_alone_is_told(self):
        self.make_flash({"ota_0": app_image("1.0.0", min_rev=301), "ota_2": app_image("1.1.0", segment=0x3FF00000)},
                        [record(3)], slots=3)
        done = otter("update", self.flash, self.server.url("new.bin"), "--ca", self.ca.cert)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("otter update: ota_0 is left alone, it may be what the device runs: its image is whole", done.stderr)
        self.assertEqual(self.boots(), "ota_1")

    def test_rtc_fast_memory_of_the_esp32_is_memory(self):
        self.make_flash({"ota_0": app_image("1.0.0", segment=0x3FF80000)}, [record(1)])
        self.assertEqual(self.boots(), "ota_0")
        self.check_written("ota_1")


if __name__ == "__main__":
    unittest.main()
