"""otter flash new, read, write, erase: what ends up in the file, and what is refused without leaving anything behind."""
# SPDX-License-Identifier: Apache-2.0
import os
import subprocess
import tempfile
import unittest

from image_files import bootloader, image as make_image

OTTER = os.path.join(os.environ["OTTER_BUILD"], "otter")
VECTORS = os.path.join(os.environ["OTTER_SOURCE"], "tests", "vectors")
TWO_OTA = os.path.join(VECTORS, "ptable", "csv", "two_ota.csv")
TWO_OTA_BIN = os.path.join(VECTORS, "ptable", "bin", "two_ota_md5.bin")
SIZE = 0x400000


def image(name):
    return os.path.join(VECTORS, "image", name + ".bin")


def content(path):
    with open(path, "rb") as file:
        return file.read()


class FlashTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.flash = self.path("flash.bin")

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, data):
        with open(self.path(name), "wb") as file:
            file.write(data)
        return self.path(name)

    def otter(self, *args, expect=0):
        run = subprocess.run([OTTER, "flash", *args], capture_output=True, timeout=60)
        self.assertEqual(run.returncode, expect, run.stderr)
        if expect == 1:
            self.assertEqual(run.stderr.count(b"\n"), 1, run.stderr)
            self.assertTrue(run.stderr.startswith(b"otter flash: "), run.stderr)
        return run.stderr.decode() if expect else run.stdout

    def new(self, *args, expect=0):
        return self.otter("new", self.flash, "--size", "4MB", "--table", TWO_OTA, *args, expect=expect)


class New(FlashTest):
    def test_table_and_images_lie_where_they_belong_and_the_rest_is_erased(self):
        self.new("--app", "factory=" + image("esp32_valid"), "--app", "ota_1=" + image("esp32_v110_sec1"))
        want = bytearray(b"\xff" * SIZE)
        want[0x8000:0x8C00] = content(TWO_OTA_BIN)
        for offset, name in [(0x10000, "esp32_valid"), (0x210000, "esp32_v110_sec1")]:
            data = content(image(name))
            want[offset:offset + len(data)] = data
        self.assertEqual(content(self.flash), bytes(want))
        self.assertIn("chip=esp32\n", content(self.flash + ".efuse").decode())
        self.assertEqual(sorted(os.listdir(self.folder)), ["flash.bin", "flash.bin.efuse"])

    def test_a_binary_table_goes_in_as_it_is(self):
        self.otter("new", self.flash, "--size", "4096K", "--table", TWO_OTA_BIN)
        self.assertEqual(content(self.flash)[0x8000:0x8C00], content(TWO_OTA_BIN))
        self.assertEqual(os.listdir(self.folder), ["flash.bin"])  # no chip is known, so there are no eFuses

    def test_the_table_may_lie_elsewhere(self):
        csv = self.write("p.csv", b"nvs,data,nvs,,24K\n")
        self.otter("new", self.flash, "--size", "1MB", "--table", csv, "--offset", "0x9000")
        self.assertEqual(content(self.flash)[0x9000:0x9002], b"\xaa\x50")
        self.assertEqual(content(self.flash)[0x8000:0x9000], b"\xff" * 0x1000)
        for option in "--table-offset", "--offset":
            self.assertEqual(len(self.otter("read", self.flash, "nvs", option, "0x9000")), 0x6000)

    def test_chip_and_revision_of_the_options_are_kept_and_judge_the_images(self):
        self.new("--chip", "ESP32", "--chip-rev", "v3.0", "--app", "factory=" + image("esp32_valid"))
        efuse = content(self.flash + ".efuse").decode()
        self.assertIn("chip=esp32\n", efuse)
        self.assertIn("revision=300\n", efuse)
        os.unlink(self.flash)
        self.assertIn("revision", self.new("--chip-rev", "v3.0", "--app", "factory=" + image("min_rev_301"), expect=1))

    def test_an_efuse_file_that_is_there_stands_for_the_chip(self):
        self.write("flash.bin.efuse", b"chip=esp32s3\nsecure_version=2\n")
        said = self.new("--app", "factory=" + image("esp32_valid"), expect=1)
        self.assertIn(f"esp32_valid.bin: image is for ESP32, this is ESP32-S3 (says {self.flash}.efuse)", said)
        self.new("--app", "factory=" + image("esp32s3_valid"))
        self.assertIn("secure_version=2\n", content(self.flash + ".efuse").decode())

    def test_refusals_leave_no_file(self):
        big = self.write("big.bin", content(image("esp32_valid")).ljust(0x100001, b"\xff"))
        erased = self.write("erased.bin", b"\xff" * 0x1000 + content(image("esp32_valid")).ljust(0x3ff000, b"\xff"))
        merged = self.write("merged.bin", b"\xff" * 0x8000 + content(TWO_OTA_BIN) + b"\xff" * 0x100000)
        loader = self.write("loader.bin", content(image("esp32c3_bootloader")).ljust(0x8000, b"\xff") + content(TWO_OTA_BIN))
        ram = bytearray(content(image("esp32_valid")))
        ram[24:28] = b"\0\0\xfb\x3f"  # nothing of it is mapped
        ram = self.write("ram.bin", ram)
        far = self.write("far.csv", b"a,app,factory,0x10000,8M\n")
        bad = self.write("bad.csv", b"a,app,factory,0x11000,1M\n")
        cases = [
            (["--app", "factory=" + image("bad_hash")], "hash"),
            (["--app", "factory=" + image("bad_checksum")], "checksum"),
            (["--app", "factory=" + image("trunc_mid_segment")], "trunc_mid_segment.bin"),
            (["--app", "factory=" + image("all_ff")], "all_ff.bin"),
            (["--app", "factory=" + image("esp32_valid"), "--app", "ota_0=" + image("esp32s3_valid")],
             "esp32s3_valid.bin"),
            (["--chip", "esp32c3", "--app", "factory=" + image("esp32_valid")], "esp32_valid.bin"),
            (["--app", "factory=" + image("esp32c3_bootloader")], "this is a bootloader image, not an app"),
            (["--app", "factory=" + ram], "this is a RAM program, not an app"),
            (["--app", "factory=" + erased], "no app image, but erased flash"),
            (["--app", "factory=" + merged], "this is a merged factory file, not an app"),
            (["--app", "factory=" + loader], "this is a merged factory file, not an app"),
            (["--app", "factory=" + big], "1048577 bytes, and factory holds 1048576"),
            (["--app", "ota_7=" + image("esp32_valid")], "no app partition 'ota_7'; it has factory, ota_0, ota_1"),
            (["--app", "nvs=" + image("esp32_valid")], "no app partition 'nvs'"),
            (["--app", "factory=" + self.path("missing")], "missing"),
            (["--table", far], "exceeds flash chip size 0x400000"),
            (["--table", bad], "Partition a invalid: Offset 0x11000 is not aligned"),
            (["--table", self.path("missing.csv")], "missing.csv"),
            (["--table", os.path.join(VECTORS, "ptable", "bin", "bad_md5_digest.bin")], "MD5"),
            (["--size", "0x8000"], "no room for a table"),
            (["--size", "4097"], "sectors of 4096"),
            (["--size", "4GB"], "at most 2GB"),
        ]
        before = sorted(os.listdir(self.folder))
        for args, text in cases:
            with self.subTest(args):
                self.assertIn(text, self.new(*args, expect=1))
                self.assertEqual(sorted(os.listdir(self.folder)), before)

    def test_force_takes_what_would_not_boot(self):
        self.new("--force", "--app", "factory=" + image("bad_hash"))
        data = content(image("bad_hash"))
        self.assertEqual(content(self.flash)[0x10000:0x10000 + len(data)], data)

    def test_a_bootloader_goes_to_its_chips_place(self):
        for chip, place, app in ("esp32", 0x1000, "esp32_valid"), ("esp32c3", 0, None):
            data = bootloader(chip, idf_ver="v5.2.1") if chip == "esp32c3" else make_image(
                chip, [(0x3FFF0030, b"\x13\0\0\0" * 20), (0x40078000, b"code" * 100)])
            path = self.write("boot.bin", data)
            self.new("--bootloader", path, *(["--app", "factory=" + image(app)] if app else []))
            self.assertEqual(content(self.flash)[place:place + len(data)], data)
            self.assertIn(f"chip={chip}\n", content(self.flash + ".efuse").decode())
            self.assertIn("bootloader at " + hex(place) + ": valid", self.otter("info", self.flash).decode())
            os.unlink(self.flash)
            os.unlink(self.flash + ".efuse")
        for args, text in ((["--bootloader", image("esp32_valid")], "this is an app image, not a bootloader"),
                           (["--bootloader", image("all_ff"), "--chip", "esp32"], "no app image, but erased flash"),
                           (["--bootloader", path, "--chip", "esp32"], "image is for ESP32-C3, this is ESP32"),
                           (["--bootloader", self.write("long.bin", data.ljust(0x8001, b"\xff"))], "it does not fit"),
                           (["--bootloader", self.path("missing")], "missing")):
            with self.subTest(text):
                self.assertIn(text, self.new(*args, expect=1))

    def test_a_table_with_a_bootloader_takes_its_place_from_the_chip_of_the_first_image(self):
        def csv(subtype):
            return self.write("b.csv", f"factory,app,factory,0x10000,1M\nboot,bootloader,{subtype},0x200000,\n".encode())
        app = "factory=" + image("esp32_valid")
        new = ["new", self.flash, "--size", "4MB"]
        self.otter(*new, "--table", csv("ota"), "--app", app)
        self.assertIn("0x00200000 0x00007000", self.otter("info", self.flash).decode())
        os.unlink(self.flash)
        os.unlink(self.flash + ".efuse")
        for subtype, args in ("ota", []), ("primary", []), ("recovery", ["--app", app]):
            with self.subTest(subtype):  # no advice to give options that this verb does not have
                self.assertIn("is not known here: `otter table build --primary-bootloader-offset N "
                              "--recovery-bootloader-offset N` makes a binary table of it",
                              self.otter(*new, "--table", csv(subtype), *args, expect=1))

    def test_the_virtual_device_gets_a_small_one_unless_it_is_to_have_none(self):
        for args, there in ([], True), (["--bootloader", "none"], False), (["--table-offset", "0x1000"], False):
            self.otter("new", self.flash, "--size", "4MB", "--table", self.write("p.csv", b"nvs,data,nvs,,24K\n"),
                       "--chip", "linux", *args)
            at = content(self.flash)[0x1000:0x1001]
            self.assertEqual((at == b"\xe9", b"bootloader at 0x1000: valid, linux" in self.otter(
                "info", self.flash, *(args if "--table-offset" in args else []))),
                             (there, there))
            os.unlink(self.flash)
            os.unlink(self.flash + ".efuse")

    def test_a_project_s_own_names_of_subtypes(self):
        csv = self.write("p.csv", b"conf,data,conf,,4K\nfactory,app,factory,,1M\n")
        self.assertIn("Value 'conf' is not valid", self.otter("new", self.flash, "--size", "4MB", "--table", csv, expect=1))
        self.otter("new", self.flash, "--size", "4MB", "--table", csv, "--extra-partition-subtypes", "data,conf,0x40")
        self.assertEqual(content(self.flash)[0x8002:0x8004], b"\1\x40")

    def test_a_table_that_no_update_can_use_gets_a_warning(self):
        csv = self.write("p.csv", "gr\u00f6\u00dfe,app,ota_0,,1M\nplain,app,ota_1,,1M\n".encode())
        self.otter("new", self.flash, "--size", "4MB", "--table", csv)
        lines = subprocess.run([OTTER, "flash", "info", self.flash], capture_output=True, timeout=60).stdout.decode()
        self.assertIn("warning: OTA slots without an otadata partition: nothing can select a slot", lines)
        self.assertIn("no otadata partition: ota_0 is first", lines)
        self.assertNotIn("factory", lines)
        rows = [line for line in lines.splitlines() if line.startswith(("  gr\u00f6", "  plain"))]
        self.assertEqual(len({row.index("app") if "app" in row else row.index("- ") for row in rows[:2]}), 1, rows)

    def test_a_flash_that_is_there_is_not_touched(self):
        self.write("flash.bin", b"precious")
        self.assertIn("remove it first", self.new(expect=1))
        self.assertEqual(content(self.flash), b"precious")

    def test_what_is_no_file_is_never_to_be_removed(self):
        os.mkfifo(self.path("pipe"))
        os.symlink("nowhere", self.path("link"))
        rows = [("/dev/null", "is a device or pipe"), (self.path("pipe"), "is a device or pipe"), (self.folder, "is a folder"),
                (self.path("link"), "is a link already")]
        for path, text in rows:
            with self.subTest(path):
                self.flash = path
                said = self.new(expect=1)
                self.assertIn(text, said)
                self.assertNotIn("remove it first", said)
                self.assertTrue(os.path.lexists(path))

    def test_no_folder_no_file(self):
        self.flash = self.path("no/such/folder/flash.bin")
        self.new(expect=1)

    def test_usage(self):
        for args in [["new"], ["new", "x"], ["new", "x", "--size", "4MB"], ["new", "x", "--size", "lots", "--table", "t"],
                     ["new", "x", "y", "--size", "4MB", "--table", "t"], ["new", "x", "--chip", "z80"],
                     ["new", "x", "--app", "=x"], ["new", "x", "--app", "factory"], ["new", "x", "--wat"],
                     [], ["melt"], ["read"], ["read", "x"],
                     ["read", "a", "b", "c", "d"], ["write", "x", "y"], ["erase", "x", "y", "z"], ["erase", "x"]]:
            with self.subTest(args):
                self.assertIn("--help", self.otter(*args, expect=2))

    def test_help_teaches_by_example(self):
        for verb in ["new", "info", "select", "table", "read", "write", "erase"]:
            self.assertIn(b"example: otter flash " + verb.encode(), self.otter(verb, "--help"))
        self.assertIn(b"usage:", self.otter("--help"))


class Says(FlashTest):
    def test_what_was_done_and_what_boots_next(self):
        self.assertEqual(self.new("--app", "factory=" + image("esp32_valid")).decode(),
                         f"{self.flash}: 4MB of flash for esp32 made, with 6 partitions and 1 app\n"
                         "boots next: factory (ota_vectors 1.0.0); a chip also needs a bootloader at 0x1000\n")
        said = self.otter("write", self.flash, "ota_0", image("esp32_v110_sec1")).decode()
        self.assertEqual(said.splitlines(), [
            f"{self.flash}: 784 bytes written at 0x110000 (ota_0)",
            "boots next: factory (ota_vectors 1.0.0); a chip also needs a bootloader at 0x1000",
            f"onto a chip: esptool --chip esp32 write-flash 0x110000 {image('esp32_v110_sec1')}"])
        said = self.otter("erase", self.flash, "factory").decode()
        self.assertEqual(said.splitlines(), [
            f"{self.flash}: 0x100000 bytes erased at 0x10000 (factory)",
            "boots next: ota_0 (ota_vectors 1.1.0) instead of factory; a chip also needs a bootloader at 0x1000"])
        self.assertEqual(self.otter("read", self.flash, "nvs", self.path("nvs")).decode(),
                         f"{self.path('nvs')}: 16384 bytes from 0x9000 of {self.flash}\n")
        self.assertEqual(len(self.otter("read", self.flash, "nvs")), 16384)  # and nothing else

    def test_the_virtual_device_needs_no_esptool(self):
        self.new()
        self.assertNotIn(b"esptool", self.otter("erase", self.flash, "nvs"))

    def test_the_efuse_file_that_decides_is_named(self):
        self.new("--app", "factory=" + image("esp32_valid"))
        self.assertIn(f"(says {self.flash}.efuse)", self.otter("write", self.flash, "ota_0", image("esp32s3_valid"), expect=1))
        self.assertNotIn(".efuse", self.otter("write", self.flash, "ota_0", image("bad_hash"), expect=1))
        self.assertNotIn(".efuse", self.otter("write", self.flash, "ota_0", image("esp32s3_valid"), "--chip", "esp32", expect=1))


class Io(FlashTest):
    def setUp(self):
        super().setUp()
        self.new("--app", "factory=" + image("esp32_valid"))

    def test_read_gives_the_whole_partition_to_a_file_or_standard_output(self):
        want = content(self.flash)[0x10000:0x110000]
        self.assertEqual(self.otter("read", self.flash, "factory"), want)
        self.assertEqual(self.otter("read", self.flash, "factory", "-"), want)
        self.otter("read", self.flash, "factory", self.path("out"))
        self.assertEqual(content(self.path("out")), want)

    def test_read_does_not_replace_the_flash_file_by_a_partition(self):
        before = content(self.flash)
        os.symlink(self.flash, self.path("link"))
        for name in (self.flash, self.path("link")):
            self.assertIn("is the flash file itself", self.otter("read", self.flash, "nvs", name, expect=1))
            self.assertEqual(content(self.flash), before)

    def test_write_erases_the_sectors_it_needs_and_no_others(self):
        data = bytearray(content(self.flash))
        data[0x9000:0xD000] = b"\x55" * 0x4000
        self.write("flash.bin", bytes(data))
        self.otter("write", self.flash, "nvs", self.write("in", b"\xaa" * 0x1001))
        want = data
        want[0x9000:0xB000] = b"\xaa" * 0x1001 + b"\xff" * 0xFFF
        self.assertEqual(content(self.flash), bytes(want))

    def test_write_then_read_gives_it_back(self):
        data = os.urandom(0x4000)
        self.otter("write", self.flash, "nvs", self.write("in", data))
        self.assertEqual(self.otter("read", self.flash, "nvs"), data)

    def test_an_app_partition_takes_only_what_boots(self):
        before = content(self.flash)
        for name, text in [("bad_hash", "hash"), ("esp32s3_valid", "esp32s3_valid.bin"),
                           ("trunc_header", "trunc_header.bin")]:
            with self.subTest(name):
                self.assertIn(text, self.otter("write", self.flash, "ota_0", image(name), expect=1))
                self.assertEqual(content(self.flash), before)
        self.otter("write", self.flash, "ota_0", image("esp32_v110_sec1"))
        data = content(image("esp32_v110_sec1"))
        self.assertEqual(content(self.flash)[0x110000:0x110000 + len(data)], data)
        self.otter("write", self.flash, "ota_0", image("bad_hash"), "--force")

    def test_the_first_image_of_an_unknown_chip_says_which_it_is(self):
        self.otter("new", self.path("blank.bin"), "--size", "4MB", "--table", TWO_OTA)
        self.otter("write", self.path("blank.bin"), "ota_0", image("esp32s3_valid"))
        self.otter("write", self.path("blank.bin"), "ota_1", image("esp32_valid"), expect=1)
        self.otter("write", self.path("blank.bin"), "ota_1", image("esp32_valid"), "--chip", "esp32")

    def test_write_refuses_what_does_not_fit(self):
        before = content(self.flash)
        cases = [("nvs", self.write("big", b"x" * 0x4001), "16385 bytes, and nvs holds 16384"),
                 ("nvs", self.write("none", b""), "is empty"),
                 ("nvs", self.path("missing"), "missing"),
                 ("NVS", image("esp32_valid"), "it has nvs, otadata, phy_init, factory, ota_0, ota_1")]
        for label, path, text in cases:
            with self.subTest(text):
                self.assertIn(text, self.otter("write", self.flash, label, path, expect=1))
        self.assertEqual(content(self.flash), before)

    def test_erase_erases_one_partition(self):
        want = bytearray(content(self.flash))
        want[0x10000:0x110000] = b"\xff" * 0x100000
        self.otter("erase", self.flash, "factory")
        self.assertEqual(content(self.flash), bytes(want))

    def test_partitions_beyond_the_end_are_refused(self):
        self.write("flash.bin", content(self.flash)[:0x100000])  # a flash chip's size: all there is
        for verb in ["read", "erase"]:
            self.assertIn("beyond the end", self.otter(verb, self.flash, "ota_0", expect=1))

    def test_what_a_factory_file_lacks_of_its_flash_is_erased(self):
        whole = content(self.flash)
        short = whole[:0x10000 + 784]
        self.write("flash.bin", short)
        self.assertEqual(self.otter("read", self.flash, "ota_1"), b"\xff" * 0x100000)
        self.otter("write", self.flash, "ota_0", self.path("missing"), expect=1)
        self.assertEqual(content(self.flash), short)  # nothing was written
        self.otter("write", self.flash, "ota_0", image("esp32_v110_sec1"))
        new = content(image("esp32_v110_sec1"))
        self.assertEqual(content(self.flash), whole[:0x110000] + new + whole[0x110000 + len(new):])

    def test_a_table_without_md5_is_good_enough_for_a_person(self):
        data = bytearray(content(self.flash))
        data[0x8000:0x8C00] = content(os.path.join(VECTORS, "ptable", "bin", "two_ota_nomd5.bin"))
        self.write("flash.bin", bytes(data))
        self.assertEqual(self.otter("read", self.flash, "factory"), bytes(data)[0x10000:0x110000])

    def test_files_that_are_no_flash(self):
        cases = [("short", b"\xff" * 4097, "no usable partition table"), ("empty", b"", "size of 0"),
                 ("blank", b"\xff" * 0x10000, "no usable partition table"),
                 ("small", b"\xff" * 0x1000, "no usable partition table")]
        for name, data, text in cases:
            with self.subTest(name):
                self.assertIn(text, self.otter("read", self.write(name, data), "nvs", expect=1))
        self.assertIn("no usable partition table", self.otter("erase", self.path("short"), "nvs", expect=1))
        self.otter("read", self.path("missing"), "nvs", expect=1)
        self.otter("read", self.folder, "nvs", expect=1)

    def test_read_to_a_place_that_cannot_be_written(self):
        self.otter("read", self.flash, "nvs", self.path("no/such/file"), expect=1)
        self.assertEqual(sorted(os.listdir(self.folder)), ["flash.bin", "flash.bin.efuse"])


if __name__ == "__main__":
    unittest.main()
