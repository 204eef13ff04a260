"""Firmwares of `otter run` whose device takes signed images: they update themselves and their data, and change keys."""
# SPDX-License-Identifier: Apache-2.0

import os
import pathlib
import re
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import servers  # noqa: E402
from device import BUILD, OTTER, TIMEOUT_S  # noqa: E402
from test_update import VECTORS, UpdateCase, must, otter  # noqa: E402

KEYS = VECTORS / "signed" / "keys"
DIGEST = {name: (KEYS / f"rsa_{name}.pubdigest.bin").read_bytes()[:8].hex() for name in "abc"}
TABLE = """otadata, data, ota, 0xd000, 0x2000
factory, app, factory, 0x10000, 0x260000
ota_0, app, ota_0, , 0x260000
ota_1, app, ota_1, , 0x260000
storage, data, undefined, , 0x10000
"""


class OwnedCase(UpdateCase):
    """Firmwares owned (1.0.0) and owned_signed, whose build asks for signed updates, signed by the keys in their names."""

    @classmethod
    def make_images(cls):
        for name in ("owned", "owned_signed"):
            (cls.www / f"{name}.bin").write_bytes((BUILD / "tests" / f"{name}.bin").read_bytes())
        for keys in ("a", "b", "ab", "ba", "abc"):
            for name in ("owned", "owned_signed"):
                cls.sign(f"{name}.bin", keys, f"{name}_{keys}.bin")
        data = cls.www / "data.bin"
        data.write_bytes(bytes(range(256)) * 48)
        for keys in ("a", "b"):
            cls.sign("data.bin", keys, f"data_{keys}.bin", "--data")
        forged = bytearray((cls.www / "data_a.bin").read_bytes())
        forged[100] ^= 4
        (cls.www / "data_forged.bin").write_bytes(forged)
        (cls.www / "data_small.bin").write_bytes((cls.www / "data_a.bin").read_bytes()[-4096:])
        (cls.www / "data_tiny.bin").write_bytes(b"tiny")
        (cls.www / "data_odd.bin").write_bytes((cls.www / "data_a.bin").read_bytes() + b"more")
        (cls.work / "owned.csv").write_text(TABLE)

    @classmethod
    def sign(cls, source, keys, target, *options):
        named = [word for key in keys for word in ("--key", KEYS / f"rsa_{key}.pem")]
        must("image", "sign", cls.www / source, *named, "-o", cls.www / target, *options)

    def setUp(self):
        self.flash = self.work / "flash.bin"
        self.tearDown()
        self.server = self.enterContext(servers.HttpsServer(self.www, self.cert))

    def make_flash(self, app, trusted="", *options):
        self.tearDown()
        named = [word for key in trusted for word in ("--trust", KEYS / f"rsa_{key}.pub.pem")]
        secure = ["--secure-boot"] if trusted else []
        must("flash", "new", self.flash, "--size", "8MB", "--table", self.work / "owned.csv", "--app",
             f"factory={self.www / app}", *secure, *named, *options)

    def run_device(self, script, url="", complaint=""):
        done = subprocess.run([OTTER, "run", self.flash], capture_output=True, text=True, timeout=TIMEOUT_S,
                              check=False, env={**os.environ, "OWNED": script, "OWNED_CA": self.ca.cert,
                                                "OWNED_URL": self.server.url(url)})
        self.assertRegex(done.stderr, complaint if complaint else "^$", done.stdout)
        return done.stdout

    def said(self, console):
        """{what: code} of the lines that the firmware says of itself, and the partitions that it ran in."""
        lines = re.findall(r"owned: (.*)$", console, flags=re.M)
        where = [re.match(r"version .* in (.*)", line)[1] for line in lines if line.startswith("version")]
        return dict(line.split(": ", 1) for line in lines if not line.startswith("version")), where

    def updates_to(self, image, label):
        said, where = self.said(self.run_device("update", image))
        self.assertEqual((said["update"], said["confirm"], where[-1]), ("ESP_OK", "ESP_OK", label))

    def refuses(self, image, code="ESP_ERR_OTA_VALIDATE_FAILED"):
        before = self.flash.read_bytes()[0xD000:0xF000]
        console = self.run_device("update", image)
        said, where = self.said(console)
        self.assertEqual((said["update"], len(where)), (code, 1))
        self.assertEqual(self.flash.read_bytes()[0xD000:0xF000], before)
        return console

    def revoke(self, index, complaint=""):
        efuses = self.efuses()
        said, _ = self.said(self.run_device(f"revoke{index}", complaint=complaint))
        return said["revoke"], self.efuses() != efuses

    def efuses(self):
        return pathlib.Path(f"{self.flash}.efuse").read_text()


class SecureBoot(OwnedCase):
    def test_what_a_firmware_is_told_of_its_keys(self):
        self.make_flash("owned_ba.bin", "ab")
        console = self.run_device("keys+verify")
        said, _ = self.said(console)
        self.assertIn("secure boot: 1, release mode: 1", console)
        self.assertEqual([said["eFuses"], said["eFuse 0"], said["eFuse 1"], said["eFuse 2"]],
                         ["ESP_OK", f"{DIGEST['a']}, revoked: 0", f"{DIGEST['b']}, revoked: 0", "none, revoked: 0"])
        self.assertEqual([said["blocks"], said["block 0"], said["block 1"]], ["ESP_OK", DIGEST["b"], DIGEST["a"]])
        self.assertEqual([said["verify"], said["verify signature"]], ["ESP_OK", "ESP_OK"])
        self.assertEqual([said[f"by key {i}"] for i in range(4)], ["ESP_OK", "ESP_OK", "ESP_FAIL", "ESP_ERR_INVALID_ARG"])

    def test_a_firmware_without_secure_boot_is_told_so(self):
        self.make_flash("owned_a.bin")
        console = self.run_device("keys+verify+revoke0")
        said, _ = self.said(console)
        self.assertIn("secure boot: 0, release mode: 0", console)
        self.assertEqual([said["eFuses"], said["blocks"], said["verify signature"], said["by key 0"], said["revoke"]],
                         ["ESP_FAIL", "ESP_OK", "ESP_OK", "ESP_FAIL", "ESP_FAIL"])

    def test_keys_change_from_within_and_the_old_one_is_revoked(self):
        self.make_flash("owned_a.bin", "ab")
        self.refuses("owned.bin")
        self.assertEqual(self.revoke(0), ("ESP_FAIL", False))  # the factory app has no state
        self.updates_to("owned_ab.bin", "ota_0")  # the bridge
        self.updates_to("owned_a.bin", "ota_1")   # there is a way back still
        self.assertEqual(self.revoke(0), ("ESP_FAIL", False))  # it would not boot any more
        self.assertEqual(self.revoke(1), ("ESP_OK", True))     # the other key can go, though
        self.make_flash("owned_ab.bin", "ab")
        self.updates_to("owned_b.bin", "ota_0")
        self.assertEqual(self.revoke(3), ("ESP_ERR_INVALID_ARG", False))
        self.assertEqual(self.revoke(2), ("ESP_OK", False))  # not there
        self.assertEqual(self.revoke(0), ("ESP_OK", True))
        self.assertEqual(self.revoke(0), ("ESP_OK", False))
        self.assertIn("secure_boot_key_revoke0=1", self.efuses())
        self.assertIn("is not trusted", self.refuses("owned_a.bin"))
        self.assertEqual(self.revoke(1), ("ESP_FAIL", False))  # the last one
        self.updates_to("owned_ba.bin", "ota_1")
        self.assertIn("revoked: 1", self.run_device("keys"))

    def test_what_runs_on_trial_revokes_nothing(self):
        self.make_flash("owned_ab.bin", "ab")
        must("flash", "write", self.flash, "ota_0", self.www / "owned_b.bin")
        must("flash", "select", self.flash, "ota_0")
        self.assertEqual(self.revoke(0, complaint="is on trial and was not confirmed"), ("ESP_FAIL", False))
        must("flash", "select", self.flash, "ota_0", "--confirm")
        self.assertEqual(self.revoke(0), ("ESP_OK", True))

    def test_a_bootloader_that_only_the_old_key_has_signed_keeps_it(self):
        self.make_flash("owned_ab.bin", "ab")
        self.updates_to("owned_ab.bin", "ota_0")
        plain, signed = self.work / "bootloader.bin", self.work / "bootloader_signed.bin"
        must("flash", "read", self.flash, "@0x1000", plain)
        for keys, want in (("a", ("ESP_FAIL", False)), ("ab", ("ESP_OK", True))):
            named = [word for key in keys for word in ("--key", KEYS / f"rsa_{key}.pem")]
            must("image", "sign", plain, *named, "-o", signed)
            must("flash", "write", self.flash, "@0x1000", signed)
            self.assertEqual(self.revoke(0), want, keys)

    def test_a_device_with_one_key_cannot_revoke_it(self):
        self.make_flash("owned_a.bin", "a")
        self.updates_to("owned_a.bin", "ota_0")
        self.assertEqual(self.revoke(0), ("ESP_FAIL", False))


class SignedUpdates(OwnedCase):
    """CONFIG_SECURE_SIGNED_ON_UPDATE_NO_SECURE_BOOT, CONFIG_SECURE_SIGNED_DATA_PARTITION"""

    def test_updates_are_signed_by_the_key_of_what_runs(self):
        self.make_flash("owned_signed_a.bin")
        self.assertIn("not signed", self.refuses("owned_signed.bin"))
        self.assertIn("is not trusted", self.refuses("owned_signed_b.bin"))
        self.updates_to("owned_signed_ab.bin", "ota_0")  # the bridge: its first key stays the one that counts
        self.assertIn("is not trusted", self.refuses("owned_signed_b.bin"))
        self.assertIn("is not trusted", self.refuses("owned_signed_ba.bin"))
        self.assertIn("App has 2 signatures. Only the first", self.refuses("owned_signed_b.bin"))
        self.updates_to("owned_signed_a.bin", "ota_1")

    def test_an_app_that_nobody_signed_aborts_when_it_starts(self):
        self.make_flash("owned_signed.bin")
        done = subprocess.run([OTTER, "run", self.flash], capture_output=True, text=True, timeout=TIMEOUT_S, check=False,
                              env={**os.environ, "OWNED": "", "OWNED_CA": self.ca.cert, "OWNED_URL": ""})
        self.assertIn("E (", done.stdout)
        self.assertIn("secure_boot: This app is not signed, but check signature on update is enabled in config.", done.stdout)
        self.assertNotIn("owned: version", done.stdout)
        self.assertNotEqual(done.returncode, 0)

    def test_data_is_signed_too(self):
        self.make_flash("owned_signed_a.bin")
        at = 0x10000 + 3 * 0x260000
        for name in ("data", "data_b", "data_forged", "data_small", "data_tiny", "data_odd"):
            said, _ = self.said(self.run_device("data", f"{name}.bin"))
            self.assertEqual(said["data"], "ESP_ERR_OTA_VALIDATE_FAILED", name)
            self.assertEqual(self.flash.read_bytes()[at:at + 0x10000], b"\xff" * 0x10000, name)
        said, _ = self.said(self.run_device("data", "data_a.bin"))
        signed = (self.www / "data_a.bin").read_bytes()
        self.assertEqual((said["data"], self.flash.read_bytes()[at:at + len(signed)]), ("ESP_OK", signed))


if __name__ == "__main__":
    unittest.main()
