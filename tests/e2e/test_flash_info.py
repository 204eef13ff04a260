"""otter flash info: every recorded otadata state explained, broken files, and that looking changes nothing."""
import json
import os
import subprocess
import tempfile
import unittest

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


class BrokenFiles(InfoTest):
    def test_nothing_can_be_said(self):
        cases = [("no table", b"\xff" * 0x400000, "no partition table at 0x8000"),
                 ("too short for a table", b"\xff" * 0x8000, "no partition table at 0x8000"),
                 ("not whole sectors", b"\xff" * 0x8001, "no partition table at 0x8000"),
                 ("empty", b"", "size of 0")]
        for name, data, text in cases:
            with self.subTest(name):
                self.put(base=data)
                run = self.run_info(expect=1)
                self.assertIn(text, run.stderr.decode())
                self.assertEqual(run.stdout, b"")
                got = self.info(expect=1)
                self.assertIsNone(got["boot"]["label"])
                self.assertIn(text, got["boot"]["reason"])
        os.unlink(self.flash)
        self.run_info(expect=1)

    def test_a_dump_cut_short_says_what_it_can(self):
        self.put(base=self.base[:0x120000])
        got = self.info()
        self.assertIsNone(got["boot"]["label"])
        self.assertIn("exceeds flash chip size", got["boot"]["reason"])
        self.assertTrue(any("ota_1" in line and "beyond the flash" in line for line in got["warnings"]))
        self.assertIn("beyond the end of the flash", got["slots"][2]["image"]["error"])

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
        for args in [["--rollback", "maybe"], ["--chip", "z80"], ["--offset", "x"], ["--wat"], ["second"]]:
            with self.subTest(args):
                run = subprocess.run([OTTER, "flash", "info", self.flash, *args], capture_output=True, timeout=60)
                self.assertEqual(run.returncode, 2)


if __name__ == "__main__":
    unittest.main()
