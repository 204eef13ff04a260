"""`otter update`: what it is told of the chip, what it does not know of it, and where the partition table is."""
# SPDX-License-Identifier: Apache-2.0

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import servers  # noqa: E402
from image_files import app_desc, image  # noqa: E402
from test_update import TABLE, UpdateCase, must, otter  # noqa: E402
from test_update_slot import app_image  # noqa: E402


class Chip(UpdateCase):
    IMAGES = {
        "plain.bin": app_image("2.0.0", "esp32c3"),
        "blk-1.3.bin": app_image("2.0.0", "esp32c3", min_blk_rev=103),
        "secure-1.bin": image("esp32c3", [(0x3C000020, app_desc("2.0.0", secure_version=1)), (0x3FC90000, b"data")]),
        "rev-1.1.bin": app_image("2.0.0", "esp32c3", min_rev=101),
    }

    @classmethod
    def make_images(cls):
        for name, image in cls.IMAGES.items():
            (cls.www / name).write_bytes(image)

    def setUp(self):
        self.flash = self.work / "flash.bin"
        self.server = self.enterContext(servers.HttpsServer(self.www, self.cert))
        self.tearDown()

    def make_flash(self, app, *options, efuse=None):
        """A flash of an ESP32-C3 that runs `app`, with no more eFuses than these lines."""
        self.tearDown()
        (self.work / "app.bin").write_bytes(app)
        must("flash", "new", self.flash, "--size", "4MB", "--table", self.work / "parts.csv", "--chip", "esp32c3", "--app",
             f"factory={self.work / 'app.bin'}", *options)
        file = pathlib.Path(f"{self.flash}.efuse")
        file.unlink(missing_ok=True)
        if efuse is not None:
            file.write_text(efuse)

    def check(self, image, refused, *options):
        """`refused`: what the error says; None: it is written."""
        done, report = self.update(self.server.url(image), *options)
        if refused is None:
            self.assertEqual((done.returncode, report["slot"]), (0, "ota_0"), done.stderr)
        else:
            self.assertEqual((done.returncode, report["result"], report["stage"]), (1, "ESP_ERR_INVALID_VERSION", "gate"))
            self.assertIn(refused, done.stderr)

    def test_revisions_that_nobody_told_are_not_called_v0_0(self):
        unknown = ("that of this chip is not known (ESP_ERR_INVALID_VERSION): --chip-rev and --blk-rev tell what it is")
        for image, needs in (("blk-1.3.bin", "image needs eFuse block revision v1.3 or later, "),
                             ("rev-1.1.bin", "image needs chip revision v1.1 or later, ")):
            with self.subTest(image):
                self.make_flash(app_image("1.0.0", "esp32c3"))
                self.check(image, needs + unknown)

    def test_what_runs_tells_the_least_that_it_can_be(self):
        self.make_flash(app_image("1.0.0", "esp32c3", min_rev=100, min_blk_rev=102))
        self.check("rev-1.1.bin", "that of this chip is not known, but v1.0 at least")
        self.check("blk-1.3.bin", "that of this chip is not known, but v1.2 at least")
        for app in (app_image("1.0.0", "esp32c3", min_rev=101), app_image("1.0.0", "esp32c3", min_rev=103)):
            self.make_flash(app)
            self.check("rev-1.1.bin", None)

    def test_they_can_be_told(self):
        rows = [("blk-1.3.bin", "--blk-rev", ("103", "v1.3", "1.3", "v2"), ("102", "v1.2", "0")),
                ("rev-1.1.bin", "--chip-rev", ("101", "v1.1", "1.1", "v3"), ("100", "v1", "0"))]
        for image, option, good, bad in rows:
            for value in good:
                with self.subTest(option, value=value):
                    self.make_flash(app_image("1.0.0", "esp32c3"))
                    self.check(image, None, option, value)
            for value in bad:
                with self.subTest(option, value=value):
                    self.make_flash(app_image("1.0.0", "esp32c3"))
                    self.check(image, "or later, this is v", option, value)

    def test_the_efuse_file_tells_them(self):
        rows = [("blk-1.3.bin", "blk_revision=103\n", None), ("blk-1.3.bin", "blk_revision=0\n", "this is v0.0"),
                ("blk-1.3.bin", "revision=101\n", "is not known"), ("rev-1.1.bin", "revision=101\n", None),
                ("rev-1.1.bin", "revision=0\n", "this is v0.0"), ("rev-1.1.bin", "blk_revision=103\n", "is not known")]
        for image, efuse, refused in rows:
            with self.subTest(image, efuse=efuse):
                self.make_flash(app_image("1.0.0", "esp32c3"), efuse="chip=esp32c3\n" + efuse)
                self.check(image, refused)

    def test_values_that_are_none(self):
        self.make_flash(app_image("1.0.0", "esp32c3"))
        for option in ("--chip-rev", "--blk-rev", "--table-offset"):
            for value in ("", "x", "-1", "v", "1.100", "65535", "99999", "v655.36"):
                if option == "--table-offset" and value in ("65535", "99999"):
                    continue
                with self.subTest(option, value=value):
                    done = otter("update", self.flash, "https://localhost/x", "--system-ca", option, value)
                    self.assertEqual(done.returncode, 2, done.stderr)
                    self.assertIn(f"{option} wants", done.stderr)

    def test_a_secure_version_that_is_too_old_is_told_before_anything_is_written(self):
        for burned, options, code in [(2, (), 0), (1, ("--anti-rollback",), 0), (2, ("--anti-rollback",), 1)]:
            with self.subTest(burned, options=options):
                self.make_flash(app_image("1.0.0", "esp32c3"), efuse=f"chip=esp32c3\nsecure_version={burned}\n")
                before = self.flash.read_bytes()
                done, report = self.update(self.server.url("secure-1.bin"), *options)
                self.assertEqual(done.returncode, code, done.stderr)
                told = f"the image has secure version 1, and {self.flash}.efuse says 2: "
                self.assertEqual(told in done.stderr, burned == 2, done.stderr)
                if code == 1:
                    self.assertEqual((report["result"], report["stage"]), ("ESP_ERR_OTA_SMALL_SEC_VER", "gate"))
                    self.assertEqual(self.flash.read_bytes(), before)

    def test_the_table_may_be_elsewhere(self):
        table = self.work / "moved.csv"
        table.write_text(TABLE.replace("0x9000,   0x4000", "0x11000,  0x4000").replace("0xd000", "0x15000").replace(
            "0xf000", "0x17000").replace("0x10000,", "0x20000,").replace("0x110000", "0x120000").replace(
            "0x210000", "0x220000"))
        self.tearDown()
        (self.work / "app.bin").write_bytes(app_image("1.0.0", "esp32c3"))
        must("flash", "new", self.flash, "--size", "4MB", "--table", table, "--table-offset", "0x10000", "--chip", "esp32c3",
             "--app", f"factory={self.work / 'app.bin'}")
        done = otter("update", self.flash, self.server.url("plain.bin"), "--ca", self.ca.cert)
        self.assertEqual(done.returncode, 1)
        self.assertIn("no usable partition table", done.stderr)
        self.check("plain.bin", None, "--table-offset", "0x10000")

    def test_run_knows_the_option_by_both_names(self):
        self.make_flash(app_image("1.0.0", "esp32c3"))
        for option in ("--table-offset", "--table"):
            done = otter("run", self.flash, option, "0x20000")
            self.assertEqual(done.returncode, 1, done.stderr)
            self.assertNotIn("there is no option", done.stderr)


if __name__ == "__main__":
    unittest.main()
