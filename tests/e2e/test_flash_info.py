"""otter flash info: every recorded otadata state explained, broken files, and that looking changes nothing."""
# SPDX-License-Identifier: Apache-2.0
import json
import os
import pty
import subprocess
import tempfile
import unittest

from image_files import bootloader

OTTER = os.path.join(os.environ["OTTER_BUILD"], "otter")
VECTORS = os.path.join(os.environ["OTTER_SOURCE"], "tests", "vectors")
TWO_OTA = os.path.join(VECTORS, "ptable", "csv", "two_ota.csv")
OTADATA_AT, OTA_0_AT, OTA_1_AT = 0xD000, 0x110000, 0x210000


def content(*names):
    with open(os.path.join(VECTORS, *names), "rb") as file:
        return file.read()


def image(name):
    return content("image", name + ".bin")


class InfoTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        data = bytearray(b"\xff" * 0x400000)
        table = content("ptable", "bin", "two_ota_md5.bin")
        data[0x8000:0x8000 + len(table)] = table
        for offset, name in [(0x10000, "esp32_valid"), (OTA_0_AT, "esp32_valid"), (OTA_1_AT, "esp32_v110_sec1")]:
            data[offset:offset + len(image(name))] = image(name)
        cls.base = bytes(data)

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.flash = os.path.join(folder.name, "flash.bin")

    def put(self, *pieces, base=None):
        """The flash file, with (offset, bytes) laid over it."""
        data = bytearray(self.base if base is None else base)
        for offset, piece in pieces:
            data[offset:offset + len(piece)] = piece
        with open(self.flash, "wb") as file:
            file.write(data)
        return bytes(data)

    def run_info(self, *args, expect=0):
        run = subprocess.run([OTTER, "flash", "info", self.flash, *args], capture_output=True, timeout=60)
        self.assertEqual(run.returncode, expect, run.stderr)
        self.assertEqual(run.stderr.count(b"\n"), expect, run.stderr)
        return run

    def info(self, *args, expect=0):
        return json.loads(self.run_info("--json", *args, expect=expect).stdout)

    def text(self, *args):
        return self.run_info(*args).stdout.decode()


class Explains(InfoTest):
    def test_a_device_that_was_updated_once(self):
        before = self.put((OTADATA_AT, content("otadata", "s0_1valid_s1_2new.bin")))
        got = self.info("--rollback", "on")
        self.assertEqual(got["size"], 0x400000)
        self.assertEqual(got["chip"], "esp32")
        self.assertEqual([one["label"] for one in got["partitions"]],
                         ["nvs", "otadata", "phy_init", "factory", "ota_0", "ota_1"])
        self.assertEqual(got["otadata"], [{"seq": 1, "state": "VALID", "crc_valid": True, "valid": True},
                                          {"seq": 2, "state": "NEW", "crc_valid": True, "valid": True}])
        self.assertEqual([(one["label"], one["state"]) for one in got["slots"]],
                         [("factory", None), ("ota_0", "VALID"), ("ota_1", "NEW")])
        self.assertTrue(got["slots"][2]["image"]["valid"])
        self.assertEqual(got["slots"][2]["image"]["app"]["version"], "1.1.0")
        self.assertEqual((got["boot"]["label"], got["boot"]["tried"]), ("ota_1", []))
        self.assertIn("ota_1", got["boot"]["reason"])
        self.assertEqual(got["warnings"], [])
        with open(self.flash, "rb") as file:
            self.assertEqual(file.read(), before)
        self.assertEqual(os.listdir(os.path.dirname(self.flash)), ["flash.bin"])

    def test_an_image_below_the_secure_version_does_not_boot_with_anti_rollback(self):
        self.put((OTADATA_AT, content("otadata", "s0_1valid_s1_2new.bin")))
        with open(self.flash + ".efuse", "w", encoding="utf-8") as efuse:
            efuse.write("chip=esp32\nsecure_version=1\n")
        for args, valid, warnings in (((), [True, True, True], 2),
                                      (("--anti-rollback", "--rollback", "on"), [False, False, True], 0)):
            with self.subTest(args):
                got = self.info(*args)
                self.assertEqual([one["image"]["valid"] for one in got["slots"]], valid)
                self.assertEqual(got["boot"]["label"], "ota_1")
                self.assertEqual(len([one for one in got["warnings"] if "passes it over" in one]), warnings)
        self.assertIn("NOT BOOTABLE: secure version 0 is below the device's 1", self.text("--anti-rollback"))

    def test_a_broken_image_is_passed_over_and_it_says_why(self):
        self.put((OTADATA_AT, content("otadata", "s0_1valid_s1_2new.bin")), (OTA_1_AT, image("bad_hash")))
        got = self.info()
        self.assertEqual(got["boot"]["label"], "ota_0")
        self.assertEqual([one["label"] for one in got["boot"]["tried"]], ["ota_1"])
        self.assertIn("SHA-256", got["boot"]["tried"][0]["why"])
        self.assertFalse(got["slots"][2]["image"]["valid"])
        text = self.text()
        self.assertIn("boots next: ota_0", text)
        self.assertIn("passed over ota_1: SHA-256", text)
        self.assertIn("NOT BOOTABLE", text)

    def test_a_new_device_boots_factory_and_a_blank_slot_is_null(self):
        self.put((OTA_1_AT, b"\xff" * 0x1000))
        got = self.info()
        self.assertEqual(got["boot"]["label"], "factory")
        self.assertIsNone(got["slots"][2]["image"])
        self.assertEqual(got["otadata"][0], {"seq": None, "state": None, "crc_valid": False, "valid": False})

    def test_a_torn_copy_is_named_and_the_other_decides(self):
        entry = bytearray(content("otadata", "s0_1valid_s1_2valid.bin"))
        entry[0x1000 + 28:0x1000 + 32] = b"\xff" * 4  # power went before the crc
        self.put((OTADATA_AT, bytes(entry)))
        got = self.info()
        self.assertEqual(got["boot"]["label"], "ota_0")
        self.assertEqual((got["otadata"][1]["crc_valid"], got["otadata"][1]["valid"]), (False, False))
        self.assertEqual(len(got["warnings"]), 1)
        self.assertIn("otadata copy 1 is torn", got["warnings"][0])
        self.assertIn("warning: otadata copy 1 is torn", self.text())

    def test_every_recorded_otadata_boots_what_was_recorded_and_nothing_is_written(self):
        cases = [case for case in json.loads(content("otadata", "expected_boot.json"))
                 if case["ptable"] == "two_ota_md5" and case["loadable"] == "all"]
        self.assertGreater(len(cases), 80)
        for case in cases:
            with self.subTest(otadata=case["otadata"], rollback=case["rollback"]):
                before = self.put((OTADATA_AT, content("otadata", case["otadata"] + ".bin")))
                got = self.info("--rollback", "on" if case["rollback"] else "off")
                self.assertEqual(got["boot"]["label"], case["boot1"]["run"])
                self.assertEqual(len(got["otadata"]), 2)
                with open(self.flash, "rb") as file:
                    self.assertEqual(file.read(), before)

    def test_the_chip_of_the_efuse_file_judges(self):
        self.put()
        with open(self.flash + ".efuse", "w", encoding="ascii") as file:
            file.write("chip=esp32s3\n")
        got = self.info()
        self.assertEqual(got["chip"], "esp32s3")
        self.assertIsNone(got["boot"]["label"])
        self.assertEqual(len(got["boot"]["tried"]), 3)
        self.assertIn("boots next: NOTHING", self.text())
        self.assertEqual(self.info("--chip", "esp32")["boot"]["label"], "factory")

    def test_a_dump_of_another_chip_is_judged_as_that_chip(self):
        self.put((0x10000, image("esp32s3_valid")), (OTA_0_AT, b"\xff" * 0x1000), (OTA_1_AT, b"\xff" * 0x1000))
        got = self.info()
        self.assertEqual((got["chip"], got["boot"]["label"]), ("esp32s3", "factory"))

    def test_a_file_that_may_only_be_read_is_enough(self):
        self.put()
        os.chmod(self.flash, 0o400)
        self.assertEqual(self.info()["boot"]["label"], "factory")

    def test_a_hostile_version_cannot_steer_the_terminal(self):
        data = bytearray(image("esp32_valid"))
        data[0x20 + 16:0x20 + 24] = b"\x1b[2J\xff\n\x07x"
        self.put((0x10000, bytes(data)))
        self.assertNotIn("\x1b", self.text())
        self.assertNotIn("\x1b", json.dumps(self.info(), ensure_ascii=False))


class Bootloaders(InfoTest):
    def test_the_one_at_its_place_is_described(self):
        self.put((0x1000, bootloader("esp32", freq=0xF)))
        got = self.info()
        self.assertEqual(got["bootloader"], {
            "offset": 0x1000, "expected_offset": 0x1000, "valid": True, "error": None, "chip": "esp32", "idf_ver": "v5.2.1",
            "version": 1, "flash_size": 0x400000, "flash_mode": "DIO", "flash_mhz": 80, "hash_valid": True})
        self.assertEqual((got["boot"]["label"], got["warnings"]), ("factory", []))
        self.assertIn("bootloader at 0x1000: valid, ESP32, ESP-IDF v5.2.1, for 4MB of flash, DIO, 80 MHz", self.text())
        self.assertIn("chip esp32 (from the bootloader)", self.text())
        self.put((0x1000, bootloader("esp32", idf_ver=None)))
        self.assertEqual((self.info()["bootloader"]["valid"], self.info()["bootloader"]["idf_ver"]), (True, None))

    def test_what_keeps_it_from_starting_is_the_verdict(self):
        broken = bytearray(bootloader("esp32"))
        broken[60] ^= 1
        cases = [
            ("at the wrong place", [(0, bootloader("esp32"))], "no bootloader at 0x1000 (there is one at 0x0)"),
            ("at the place of a newer chip", [(0x2000, bootloader("esp32"))],
             "no bootloader at 0x1000 (there is one at 0x2000)"),
            ("of another chip, elsewhere", [(0, bootloader("esp32p4"))],
             "no bootloader at 0x2000 (there is one at 0x0)"),
            ("of another chip, here", [(0x1000, bootloader("esp32c3"))],
             "the bootloader at 0x1000 is for ESP32-C3, this is ESP32"),
            ("broken", [(0x1000, bytes(broken))], "the bootloader at 0x1000 is broken: checksum"),
            ("cut by the table", [(0x1000, bootloader("esp32", size_code=2)[:200])],
             "the bootloader at 0x1000 is broken"),
            ("an app", [(0x1000, image("esp32_valid"))], "no bootloader at 0x1000 (an app is there)"),
            ("zeros", [(0x1000, b"\0" * 64)], "no bootloader at 0x1000 (what is there is no image)"),
        ]
        for name, pieces, text in cases:
            with self.subTest(name):
                self.put(*pieces)
                got = self.info()
                self.assertIsNone(got["boot"]["label"])
                self.assertTrue(got["verdict"].startswith("NOTHING, " + text), got["verdict"])
                self.assertTrue(self.text().startswith("boots next: NOTHING, " + text), self.text())
                self.run_info("--check", expect=1)

    def test_the_revision_of_the_chip_must_suit_it(self):
        data = bytearray(bootloader("esp32"))
        data[15:17] = (301).to_bytes(2, "little")
        self.put((0x1000, bytes(data)))
        self.assertEqual(self.info()["boot"]["label"], "factory")  # a revision that nobody knows is one that suits
        for revision, text in [(300, "NOTHING, the bootloader at 0x1000 does not run here: image needs chip revision v3.1"),
                               (301, "factory (ota_vectors 1.0.0)")]:
            with open(self.flash + ".efuse", "w", encoding="ascii") as file:
                file.write(f"chip=esp32\nrevision={revision}\n")
            self.assertTrue(self.info()["verdict"].startswith(text), self.info()["verdict"])

    def test_a_file_without_any_is_judged_by_its_apps(self):
        self.put()
        got = self.info("--check")
        self.assertIsNone(got["bootloader"])
        self.assertEqual((got["boot"]["label"], got["warnings"]), ("factory", []))
        self.assertTrue(self.text().startswith("boots next: factory (ota_vectors 1.0.0); a chip also needs a bootloader at "
                                               "0x1000\n"), self.text())

    def test_the_virtual_device_needs_none(self):
        self.put(base=b"\xff" * 0x8000 + self.base[0x8000:0x10000] + b"\xff" * 0x3F0000)
        self.assertIsNone(self.info()["bootloader"])
        self.assertNotIn("bootloader", self.text().split("partition table")[0])

    def test_a_flash_size_below_the_end_of_the_table_is_refused_by_the_bootloader(self):
        self.put((0x1000, bootloader("esp32", size_code=1)))
        got = self.info()
        self.assertTrue(any("made for 2MB of flash, and the partitions go to 0x310000" in line for line in got["warnings"]))
        self.assertIsNone(got["boot"]["label"])
        self.assertEqual(got["verdict"], "NOTHING, the bootloader refuses the partition table")
        self.assertIn("exceeds flash chip size 0x200000", got["boot"]["reason"])

    def test_a_wrong_hash_is_told_and_does_not_count(self):
        data = bytearray(bootloader("esp32"))
        data[-1] ^= 1
        self.put((0x1000, bytes(data)))
        got = self.info()
        self.assertEqual((got["bootloader"]["valid"], got["bootloader"]["hash_valid"]), (True, False))
        self.assertEqual(got["boot"]["label"], "factory")
        self.assertIn("SHA-256 is wrong", got["warnings"][0])

    def test_its_size_is_that_of_a_shorter_file(self):
        self.put((0x1000, bootloader("esp32", size_code=3)))
        got = self.info()
        self.assertEqual((got["size"], got["file_size"]), (0x800000, 0x400000))
        self.assertIn("the file ends at 0x400000 of 0x800000", got["warnings"][0])

    def test_its_text_cannot_steer_the_terminal(self):
        self.put((0x1000, bootloader("esp32", idf_ver="\x1b[2J\n")))
        self.assertNotIn("\x1b", self.text())


class Verdict(InfoTest):
    def test_only_the_copy_that_decides_is_called_active(self):
        """With rollback a trial that was never confirmed ends at the next boot: the other copy decides."""
        self.put((OTADATA_AT, content("otadata", "s0_1valid_s1_2pending.bin")))
        text = self.text("--rollback", "on").splitlines()
        copies = [line for line in text if line.startswith("  copy ")]
        self.assertIn("<- active", copies[0])
        self.assertNotIn("<- active", copies[1])
        self.assertIn("never confirmed: ABORTED from the next boot on", copies[1])
        got = self.info("--rollback", "on")
        self.assertEqual((got["boot"]["label"], got["boot"]["otadata_copy"]), ("ota_0", 0))
        got = self.info("--rollback", "off")
        self.assertEqual((got["boot"]["label"], got["boot"]["otadata_copy"]), ("ota_1", 1))
        self.assertIn("<- active", [line for line in self.text("--rollback", "off").splitlines() if "copy 1:" in line][0])

    def test_every_recorded_otadata_has_at_most_one_active_copy_and_it_selects_what_boots_first(self):
        for case in json.loads(content("otadata", "expected_boot.json")):
            if case["ptable"] != "two_ota_md5" or case["loadable"] != "all":
                continue
            with self.subTest(otadata=case["otadata"], rollback=case["rollback"]):
                self.put((OTADATA_AT, content("otadata", case["otadata"] + ".bin")))
                text = self.text("--rollback", "on" if case["rollback"] else "off")
                active = [line for line in text.splitlines() if "<- active" in line]
                self.assertLessEqual(len(active), 1)
                for line in active:
                    self.assertIn(f"({case['boot1']['run']})", line)

    def test_check_is_for_scripts(self):
        self.put()
        self.run_info("--check")
        self.put((0x10000, image("bad_hash")), (OTA_0_AT, image("bad_hash")), (OTA_1_AT, image("bad_hash")))
        self.run_info()
        run = self.run_info("--check", expect=1)
        self.assertIn(b"NOTHING, no app partition holds an image that boots", run.stderr)

    def test_the_first_line_has_a_colour_on_a_terminal(self):
        rows = [("good", [(0x1000, bootloader("esp32"))], "32"), ("no bootloader", [], "33"),
                ("nothing", [(0, bootloader("esp32"))], "31")]
        for name, pieces, color in rows:
            with self.subTest(name):
                self.put(*pieces)
                master, slave = pty.openpty()
                environment = {key: value for key, value in os.environ.items() if key != "NO_COLOR"}
                subprocess.run([OTTER, "flash", "info", self.flash], stdout=slave, timeout=60, check=True, env=environment)
                os.close(slave)
                first = os.read(master, 65536).splitlines()[0]
                os.close(master)
                self.assertTrue(first.startswith(f"\x1b[1;{color}mboots next: ".encode()), first)
                self.assertTrue(first.endswith(b"\x1b[0m"), first)
        self.assertNotIn("\x1b", self.text())


class BrokenFiles(InfoTest):
    def test_without_a_table_nothing_boots(self):
        cases = [("no table", b"\xff" * 0x400000, "no partition table at 0x8000"),
                 ("too short for a table", b"\xff" * 0x8000, "no partition table at 0x8000"),
                 ("not whole sectors", b"\xff" * 0x8001, "no partition table at 0x8000")]
        for name, data, text in cases:
            with self.subTest(name):
                self.put(base=data)
                run = self.run_info(expect=1)
                self.assertIn(text, run.stderr.decode())
                self.assertTrue(run.stdout.startswith(b"boots next: NOTHING, " + text.encode()), run.stdout)
                got = self.info(expect=1)
                self.assertIsNone(got["boot"]["label"])
                self.assertIn(text, got["boot"]["reason"])

    def test_what_is_no_flash_says_nothing_else(self):
        self.put(base=b"")
        run = self.run_info(expect=1)
        self.assertIn("size of 0", run.stderr.decode())
        self.assertEqual(run.stdout, b"")
        self.assertIn("size of 0", self.info(expect=1)["boot"]["reason"])
        os.unlink(self.flash)
        self.run_info(expect=1)

    def test_what_a_file_lacks_of_its_flash_counts_as_erased(self):
        for name, length in [("cut between slots", 0x120000), ("not whole sectors", 0x10000 + len(image("esp32_valid")))]:
            with self.subTest(name):
                self.put(base=self.base[:length])
                got = self.info()
                self.assertEqual((got["size"], got["file_size"]), (0x400000, length))
                self.assertEqual(got["boot"]["label"], "factory")
                self.assertIsNone(got["slots"][2]["image"])
                self.assertEqual(len(got["warnings"]), 1)
                self.assertIn(f"the file ends at {length:#x} of 0x400000", got["warnings"][0])
                self.assertIn("not in the file", self.text())

    def test_a_file_of_the_size_of_a_flash_chip_is_all_of_it(self):
        self.put(base=self.base[:0x200000])
        got = self.info()
        self.assertIsNone(got["boot"]["label"])
        self.assertIn("exceeds flash chip size", got["boot"]["reason"])
        self.assertTrue(any("ota_1" in line and "beyond the flash" in line for line in got["warnings"]))
        self.assertIn("beyond the end of the flash", got["slots"][2]["image"]["error"])
        self.put((0x1000, bootloader("esp32")), base=self.base[:0x200000])  # unless its bootloader knows better
        self.assertEqual(self.info()["size"], 0x400000)

    def test_an_image_that_the_end_of_the_file_cuts_is_broken(self):
        self.put((OTADATA_AT, content("otadata", "s0_1valid_s1_2valid.bin")))
        with open(self.flash, "r+b") as file:
            file.truncate(OTA_1_AT + 300)
        got = self.info()
        self.assertEqual(got["boot"]["label"], "ota_0")
        self.assertFalse(got["slots"][2]["image"]["valid"])
        self.assertTrue(any("in the middle of ota_1" in line for line in got["warnings"]), got["warnings"])

    def test_a_table_with_a_wrong_md5_is_shown_and_boots_nothing(self):
        self.put((0x8000 + 12, b"NVS"))
        got = self.info()
        self.assertEqual(got["partitions"][0]["label"], "NVS")
        self.assertIsNone(got["boot"]["label"])
        self.assertIn("MD5", got["boot"]["reason"])
        self.assertIn("MD5 WRONG", self.text())

    def test_a_table_without_md5_boots_but_the_application_is_blind(self):
        self.put((0x8000, content("ptable", "bin", "two_ota_nomd5.bin")))
        got = self.info()
        self.assertEqual(got["boot"]["label"], "factory")
        self.assertIn("no MD5 record", got["warnings"][0])

    def test_no_otadata_partition(self):
        table = bytearray(content("ptable", "bin", "ok_align_gap.bin"))
        self.put((0x8000, bytes(table)), (0x10000, image("esp32_valid")))
        got = self.info()
        self.assertEqual(got["otadata"], [])
        self.assertEqual(got["boot"]["label"], "factory")
        self.assertIn("otadata: none", self.text())

    def test_usage(self):
        self.put()
        for args in [["--rollback", "maybe"], ["--chip", "z80"], ["--offset", "x"], ["--table-offset", "x"], ["--wat"],
                     ["second"]]:
            with self.subTest(args):
                run = subprocess.run([OTTER, "flash", "info", self.flash, *args], capture_output=True, timeout=60)
                self.assertEqual(run.returncode, 2)


if __name__ == "__main__":
    unittest.main()
