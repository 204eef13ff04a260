"""A device whose flash is no SPI NOR (sectors of 128 KiB, units of 32 bytes that are programmed once), by all verbs."""
# SPDX-License-Identifier: Apache-2.0

import json
import os
import pathlib
import random
import re
import shlex
import shutil
import struct
import subprocess
import unittest

import loop_device
from device import ABORTED, BUILD, NEW, OTTER, TIMEOUT_S, VALID, DeviceTest, in_full
from servers import HttpsServer, make_ca, make_cert

CUTS = 12  # of an update, chosen anew each time
SECTOR, SLOT = 0x20000, 0x400000
OTADATA, OTA_0, OTA_1 = SECTOR, 3 * SECTOR, 3 * SECTOR + SLOT  # behind the sector of the table
TABLE = "otadata, data, ota, , 256K\nota_0, app, ota_0, , 4M\nota_1, app, ota_1, , 4M\n"
GEOMETRY = ("--sector-size", "128K", "--write-unit", "32", "--write-once")


class GeometryTest(DeviceTest):
    def setUp(self):
        super().setUp()
        self.csv = self.folder / "parts.csv"
        self.csv.write_text(TABLE)
        self.one, self.two = self.folder / "one.bin", self.folder / "two.bin"

    def otter(self, *args, status=0, **more):
        done = subprocess.run([OTTER, *map(str, args)], capture_output=True, text=True, timeout=TIMEOUT_S, check=False,
                              cwd=self.folder, **more)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def new(self, image, *more):
        for path in self.flash, self.flash + ".efuse":
            pathlib.Path(path).unlink(missing_ok=True)
        return self.otter("flash", "new", self.flash, "--size", "16M", "--table", self.csv, "--app", f"ota_0={image}",
                          *GEOMETRY, *more)

    def info(self):
        return json.loads(self.otter("flash", "info", self.flash, "--json"))

    def records(self):
        """The states of the slots that the two copies, one sector apart, select."""
        flash = pathlib.Path(self.flash).read_bytes()
        found = [struct.unpack_from("<I20xI", flash, OTADATA + copy * SECTOR) for copy in range(2)]
        return {(seq - 1) % 2: state for seq, state in sorted(found) if seq != 0xFFFFFFFF}

    def make_trial(self):
        """1.0.0 in ota_0, confirmed; 2.0.0 in ota_1, not yet booted."""
        self.one.write_bytes(self.probe("1.0.0"))
        self.two.write_bytes(self.probe("2.0.0"))
        self.new(self.one)
        self.otter("flash", "select", self.flash, "ota_0", "--confirm")
        self.otter("flash", "write", self.flash, "ota_1", self.two)
        self.otter("flash", "select", self.flash, "ota_1")


class Verbs(GeometryTest):
    def test_a_new_flash_remembers_what_it_is_and_every_verb_keeps_to_it(self):
        self.make_trial()
        self.assertEqual(self.records(), {0: VALID, 1: NEW})
        said = self.info()
        self.assertEqual(said["geometry"], {"sector_size": SECTOR, "write_unit": 32, "write_once": True})
        self.assertEqual([(p["label"], p["offset"], p["size"]) for p in said["partitions"]],
                         [("otadata", OTADATA, 2 * SECTOR), ("ota_0", OTA_0, SLOT), ("ota_1", OTA_1, SLOT)])
        self.assertEqual((said["boot"]["label"], said["warnings"], said["repairs"]), ("ota_1", [], []))
        self.assertIn("erases 128K at once and programs 32 bytes, which it does once",
                      self.otter("flash", "info", self.flash))
        self.assertIn("MD5: good\n", self.otter("table", "show", self.flash))
        self.otter("flash", "read", self.flash, "otadata", "otadata.bin")
        self.assertEqual((self.folder / "otadata.bin").stat().st_size, 2 * SECTOR)
        self.otter("flash", "erase", self.flash, "otadata")
        self.assertEqual(self.records(), {})
        self.otter("flash", "write", self.flash, "otadata", "otadata.bin")
        self.assertEqual(self.records(), {0: VALID, 1: NEW})
        self.assertIn("not made of whole sectors of 131072 bytes",
                      self.otter("flash", "erase", self.flash, "@0x8000", "--length", "4K", status=1))

    def test_a_table_leaves_alone_what_else_is_in_its_sector(self):
        self.make_trial()
        before = pathlib.Path(self.flash).read_bytes()
        self.csv.write_text(TABLE + "log, data, 0x40, , 128K\n")
        self.otter("flash", "table", self.flash, self.csv)
        after = pathlib.Path(self.flash).read_bytes()
        self.assertNotEqual(after[0x8000:0x9000], before[0x8000:0x9000])
        self.assertEqual(after[:0x8000] + after[0x9000:], before[:0x8000] + before[0x9000:])
        self.assertEqual(self.info()["partitions"][3]["offset"], OTA_1 + SLOT)

    def test_what_no_flash_is_like_is_refused_with_the_reason(self):
        self.one.write_bytes(self.probe("1.0.0"))
        tables = {"parts.csv": TABLE, "small.csv": TABLE.replace("256K", "8K"), "odd.csv": TABLE.replace("4M", "4160K"),
                  "nvs.csv": "nvs, data, nvs, , 24K\n" + TABLE, "const.csv": TABLE + "rom, data, 0x41, , 4K, readonly\n"}
        for name, text in tables.items():
            (self.folder / name).write_text(text)
        for told, table, *options in [
                ("erases 4096 to 131072 bytes at once", "parts.csv", "--sector-size", "256K"),
                ("erases 4096 to 131072 bytes at once", "parts.csv", "--sector-size", "2K"),
                ("both are powers of two", "parts.csv", "--sector-size", "96K"),
                ("programs at most 256", "parts.csv", "--write-unit", "512"),
                ("both are powers of two", "parts.csv", "--write-unit", "24"),
                ("write units of more than a byte", "parts.csv", "--write-once"),
                ("in whole sectors of 131072 bytes, not 16781312", "parts.csv", "--sector-size", "128K", "--size", "16388K"),
                ("ESP32 has SPI NOR flash", "parts.csv", "--sector-size", "64K", "--chip", "esp32"),
                ("otadata invalid: 0x2000 bytes", "small.csv", "--sector-size", "128K"),
                ("otadata partition must have size = 0x2000", "parts.csv", "--write-unit", "32"),
                ("ota_0 invalid: 0x410000 bytes", "odd.csv", "--sector-size", "128K"),
                ("nvs invalid: 0x6000 bytes", "nvs.csv", "--sector-size", "128K"),
                (None, "const.csv", "--sector-size", "128K")]:
            with self.subTest(table=table, options=options):
                flash = self.folder / "other.bin"
                done = self.otter("flash", "new", flash, *([] if "--size" in options else ["--size", "16M"]), "--table", table,
                                  *options, status=1 if told else 0)
                self.assertIn(told or "made", done)
                self.assertEqual(flash.exists(), told is None)
                self.assertIn(told.split(":")[0] if told and "invalid" in told else "", done)

    def test_a_description_that_does_not_suit_the_flash_is_told_by_its_name(self):
        self.make_trial()
        efuse = pathlib.Path(self.flash + ".efuse")
        for line, told in [("sector_size=12288", "both are powers of two"),
                           ("sector_size=4096\nsector_size=8192", "another value"),
                           ("sectorsize=131072", "is sector_size meant?"), ("write_once=2", "a number from 0 to 1")]:
            efuse.write_text(f"chip=linux\n{line}\n")
            for verb in ["flash", "info"], ["run"], ["flash", "erase"]:
                self.assertIn("flash.bin.efuse", self.otter(*verb, self.flash, *(["ota_1"] if "erase" in verb else []), status=1))
            self.assertIn(told, self.otter("run", self.flash, status=1))
        efuse.write_text("chip=linux\nsector_size=65536\n")  # its otadata then has another second copy, and still two sectors
        self.assertEqual(self.info()["geometry"]["sector_size"], 0x10000)
        efuse.unlink()
        self.assertIn("otadata has 0x40000 bytes, as of flash that erases 0x20000 at once", self.info()["warnings"][0])


    def test_a_block_device_is_refused(self):
        backing = self.folder / "disk"
        backing.write_bytes(bytes(0x1000000))
        device = loop_device.attach(self, backing)
        done = self.otter("flash", "new", device, "--overwrite", "--table", self.csv, "--efuse", "it.efuse", *GEOMETRY, status=1)
        self.assertIn("is a block device, which is written in sectors of 4096 bytes", done)
        self.assertEqual(backing.read_bytes(), bytes(0x1000000))


class Device(GeometryTest):
    def test_a_trial_that_is_confirmed_stays_and_one_that_is_not_falls_back(self):
        for script, boots, records in [
                ("1:confirm+restart,3:idle", ["2.0.0", "2.0.0"], {0: VALID, 1: VALID}),
                ("1:restart,3:idle", ["2.0.0", "1.0.0"], {0: VALID, 1: ABORTED})]:
            with self.subTest(script):
                self.make_trial()
                status, console, errors = self.run_device(script=script)
                self.assertEqual(status, 0, console + errors)
                self.assertEqual([version for version, _, _ in self.boots(console)], boots)
                self.assertEqual(self.records(), records)

    def test_the_command_that_info_names_repairs_it(self):
        self.make_trial()
        with open(self.flash, "r+b") as flash:
            flash.seek(OTA_1 + 0x100)
            flash.write(bytes(64))
        said = self.info()
        self.assertEqual(said["boot"]["label"], "ota_0")
        commands = [shlex.split(repair["command"]) for repair in said["repairs"]]
        self.assertEqual([command[:3] for command in commands[:1]], [["otter", "flash", "select"]], commands)
        self.otter(*commands[0][1:])
        self.assertEqual((self.info()["boot"]["label"], self.info()["repairs"]), ("ota_0", []))
        status, console, _ = self.run_device(script="1:idle")
        self.assertEqual((status, [boot[0] for boot in self.boots(console)]), (0, ["1.0.0"]))


class Updates(GeometryTest):
    def setUp(self):
        super().setUp()
        self.www = self.folder / "www"
        self.www.mkdir()
        ca = make_ca(self.folder)
        for version in "1.0.0", "1.1.0":
            shutil.copy(BUILD / "examples" / f"simple_ota-{version}.bin", self.folder / f"app-{version}.bin")
        shutil.copy(self.folder / "app-1.1.0.bin", self.www / "firmware.bin")
        self.server = HttpsServer(self.www, make_cert(self.folder, ca=ca))
        self.addCleanup(self.server.stop)
        self.ca = ca.cert
        self.url = self.server.url("/firmware.bin")
        seed = int(os.environ.get("SEED", "0")) or random.SystemRandom().getrandbits(32)
        self.random = random.Random(seed)
        print(f"seed {seed}")

    def run_app(self, *options):
        return self.run_device(*options, OTTER_EXAMPLE_URL=self.url, OTTER_EXAMPLE_CA=self.ca)

    def test_an_update_from_outside(self):
        self.new("app-1.0.0.bin")
        self.otter("update", self.flash, self.url, "--ca", self.ca, "--quiet")
        self.assertEqual(self.records(), {1: NEW})
        said = self.info()
        self.assertEqual((said["boot"]["label"], said["slots"][1]["image"]["app"]["version"]), ("ota_1", "1.1.0"))
        self.assertIn("sector_size=131072\nwrite_unit=32\nwrite_once=1\n", pathlib.Path(self.flash + ".efuse").read_text())

    @in_full
    def test_power_may_go_in_every_operation_of_an_update(self):
        self.new("app-1.0.0.bin")
        console = self.run_app("--cut-after", "1000000")[1]
        self.assertIn("This is version 1.1.0 in ota_1", console)
        total = int(re.search(r"the run made (\d+) flash operations", console)[1])
        for n in sorted(self.random.sample(range(1, total + 1), min(CUTS, total))):
            with self.subTest(f"cut in {n} of {total}"):
                self.new("app-1.0.0.bin")
                self.assertIn("power was cut", self.run_app("--cut-after", str(n))[1])
                self.assertRegex(self.info()["boot"]["label"], "ota_[01]")
                status, console, errors = self.run_app()
                self.assertEqual(status, 0, console + errors)
                self.assertIn("This is version 1.1.0 in ota_", console)


if __name__ == "__main__":
    unittest.main()
