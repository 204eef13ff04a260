"""A device that had secure boot does not become anybody's because its eFuse file is gone; and eFuses in flash, with the verbs."""
# SPDX-License-Identifier: Apache-2.0

import json
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from test_secure_boot import KEYS, SignedUpdates  # noqa: E402
import servers  # noqa: E402
from test_update import UpdateCase, must, otter  # noqa: E402


class LostEfuses(SignedUpdates):
    def lose(self):
        pathlib.Path(f"{self.flash}.efuse").unlink()

    def refused(self, *words):
        before = self.flash.read_bytes()
        done = otter(*words)
        self.assertEqual((done.returncode, done.stderr.count("\n")), (1, 1), done.stderr)
        self.assertIn("holds a signed app and flash.bin.efuse is not there", done.stderr)
        self.assertEqual(self.flash.read_bytes(), before)
        self.assertFalse(pathlib.Path(f"{self.flash}.efuse").exists())

    def test_it_is_neither_booted_nor_run_nor_updated(self):
        self.make_flash("app1_a.bin", "a")
        self.lose()
        self.refused("boot", self.flash)
        self.refused("run", self.flash, "--boots", "1")
        done, report = self.update(self.server.url("app2.bin"), "--rollback", "off")
        self.assertEqual(done.returncode, 1)
        self.assertIn("is not there", report["why"] if "why" in report else done.stderr)
        info = json.loads(must("flash", "info", self.flash, "--json"))
        self.assertIn("holds a signed app and flash.bin.efuse is not there", " ".join(info["warnings"]))

    def test_who_says_whom_to_trust_needs_no_efuses(self):
        self.make_flash("app1_a.bin", "a")
        self.lose()
        self.check_turned_down("app2.bin", "the image is not signed", "--key", KEYS / "rsa_a.pub.pem")
        self.check_taken("app2_a.bin", "--key", KEYS / "rsa_a.pub.pem")

    def test_an_open_device_says_so_once(self):
        self.make_flash("app1_a.bin")
        self.lose()
        self.refused("boot", self.flash)
        must("efuse", "burn", self.flash, "secure_boot_en", "0")
        must("boot", self.flash)
        self.check_taken("app2.bin")

    def test_unsigned_apps_need_none(self):
        self.make_flash("app1.bin")
        self.lose()
        must("boot", self.flash)
        self.check_taken("app2.bin")

    def test_an_unsigned_app_beside_does_not_hide_the_signed_one(self):
        self.make_flash("app1_a.bin", "a")
        self.lose()
        must("flash", "write", self.flash, "ota_0", self.www / "app2.bin")
        self.refused("boot", self.flash)

    def test_a_named_file_that_is_gone_is_one_too(self):
        self.make_flash("app1_a.bin", "a")
        done = otter("boot", self.flash, "--efuse", self.work / "none")
        self.assertEqual(done.returncode, 1)
        self.assertIn("holds a signed app and none is not there", done.stderr)


class EmulatedEfuses(UpdateCase):
    """The secure version in flash: kept, raised by a confirmation, and not lost with the eFuse file."""

    TABLE = ("otadata, data, ota, 0xD000, 0x2000\nfactory, app, factory, 0x10000, 0x100000\nota_0, app, ota_0, , 0x100000\n"
             "ota_1, app, ota_1, , 0x100000\nemul_efuse, data, efuse, , 0x2000\n")

    @classmethod
    def make_images(cls):
        super().make_images()
        for version in (0, 1, 2, 33):
            must("image", "build", "--payload", "/bin/true", "--project", "guarded", "--version", f"1.{version}.0",
                 "--secure-version", str(version), "-o", cls.www / f"sec{version}.bin")

    def setUp(self):
        self.flash = self.work / "emulated.bin"
        self.tearDown()
        table = self.work / "emulated.csv"
        table.write_text(self.TABLE)
        must("flash", "new", self.flash, "--size", "4MB", "--table", table, "--app", f"factory={self.www / 'sec1.bin'}")

    def tearDown(self):
        for path in (self.flash, pathlib.Path(f"{self.flash}.efuse")):
            path.unlink(missing_ok=True)

    GUARD = ("--anti-rollback", "--emulated-efuse", "--rollback")

    def version(self):
        table = json.loads(must("table", "show", self.flash, "--json"))
        row = next(row for row in table["partitions"] if row["label"] == "emul_efuse")
        offset = int(row["offset"], 0) if isinstance(row["offset"], str) else row["offset"]
        word = self.flash.read_bytes()[offset + 112:offset + 116]
        return 0 if word == b"\xff" * 4 else int.from_bytes(word, "little").bit_count()

    def test_what_is_confirmed_raises_it_and_what_is_older_never_boots_again(self):
        must("flash", "write", self.flash, "ota_0", self.www / "sec2.bin")
        must("flash", "select", self.flash, "ota_0", "--confirm")
        must("boot", self.flash, *self.GUARD, "on")
        self.assertEqual(self.version(), 2)
        pathlib.Path(f"{self.flash}.efuse").unlink()  # it is not there that it stands
        must("flash", "write", self.flash, "ota_0", self.www / "sec1.bin", "--force")
        done = otter("boot", self.flash, *self.GUARD, "on")
        self.assertEqual(done.returncode, 1)
        self.assertIn("nothing boots", done.stderr)
        self.assertEqual(self.version(), 2)

    def test_updates_are_measured_by_it_before_they_are_written(self):
        self.server = self.enterContext(servers.HttpsServer(self.www, self.cert))
        must("flash", "write", self.flash, "ota_0", self.www / "sec1.bin")
        must("flash", "select", self.flash, "ota_0", "--confirm")
        must("boot", self.flash, *self.GUARD, "on")
        self.assertEqual(self.version(), 1)
        before = self.flash.read_bytes()
        for name, why in (("sec0.bin", "secure version 0"), ("sec33.bin", "could never be burned")):
            done, report = self.update(self.server.url(name), *self.GUARD, "on")
            self.assertEqual((done.returncode, report["stage"]), (1, "gate"), done.stderr)
            self.assertIn(why, done.stderr)
            self.assertEqual(self.flash.read_bytes(), before)
        done, _ = self.update(self.server.url("sec2.bin"), *self.GUARD, "on")
        self.assertEqual(done.returncode, 0, done.stderr)
        must("boot", self.flash, *self.GUARD, "on")
        self.assertEqual(self.version(), 1)  # on trial
        must("confirm", self.flash, *self.GUARD[:2])
        self.assertEqual(self.version(), 2)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[1:]], verbosity=2)
