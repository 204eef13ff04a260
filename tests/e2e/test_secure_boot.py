"""Devices that take only signed images: made, updated, booted, and led from one key to the next."""
# SPDX-License-Identifier: Apache-2.0

import json
import pathlib
import sys
import unittest
import zlib

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import servers  # noqa: E402
from device import BUILD, OFFSETS, SOURCE, DeviceTest, in_full  # noqa: E402
from image_files import bootloader  # noqa: E402
from test_update import VECTORS, UpdateCase, must, otter  # noqa: E402

KEYS = VECTORS / "signed" / "keys"
IS_SANITIZED = "OTTER_SANITIZE:BOOL=ON" in (BUILD / "CMakeCache.txt").read_text(encoding="utf-8")
DIGEST = {name: (KEYS / f"rsa_{name}.pubdigest.bin").read_bytes().hex() for name in "abc"}


class SignedUpdates(UpdateCase):
    """Images app1 (1.0.0) and app2 (2.0.0), signed by the keys in their names: app2_ba.bin by b, then by a."""

    @classmethod
    def make_images(cls):
        super().make_images()
        for app in ("app1", "app2"):
            for keys in ("a", "b", "ab", "ba"):
                cls.sign(app, keys)
        forged = bytearray((cls.www / "app2_a.bin").read_bytes())
        forged[1000] ^= 1
        (cls.www / "app2_forged.bin").write_bytes(forged)

    @classmethod
    def sign(cls, app, keys):
        named = [word for key in keys for word in ("--key", KEYS / f"rsa_{key}.pem")]
        must("image", "sign", cls.www / f"{app}.bin", *named, "-o", cls.www / f"{app}_{keys}.bin")

    def setUp(self):
        self.flash = self.work / "flash.bin"
        self.tearDown()
        self.server = self.enterContext(servers.HttpsServer(self.www, self.cert))

    def make_flash(self, app, trusted="", *options):
        named = [word for key in trusted for word in ("--trust", KEYS / f"rsa_{key}.pub.pem")]
        secure = ["--secure-boot"] if trusted else []
        must("flash", "new", self.flash, "--size", "4MB", "--table", self.work / "parts.csv", "--app",
             f"factory={self.www / app}", *secure, *named, *options)

    def check_taken(self, name, *args):
        done, report = self.update(self.server.url(name), "--rollback", "off", *args)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.boots(), report["slot"])

    def check_turned_down(self, name, why, *args):
        """Refused at its end, or before; what boots is what booted before."""
        before, otadata = self.boots(), self.otadata()
        done, report = self.update(self.server.url(name), "--rollback", "off", *args)
        self.assertEqual((done.returncode, done.stderr.count("\n")), (1, 1), done.stderr)
        self.assertIn(why, done.stderr)
        self.assertNotIn("try again", done.stderr)
        self.assertIn(report["stage"], ("gate", "verify"))
        self.assertEqual((self.boots(), self.otadata()), (before, otadata))

    def check_turned_down_at_once(self, name):
        before = self.flash.read_bytes()
        done, _ = self.update(self.server.url(name), "--rollback", "off")
        self.assertEqual((done.returncode, done.stderr.count("\n")), (1, 1), done.stderr)
        self.assertIn("flash.bin.efuse is not there", done.stderr)
        self.assertEqual(self.flash.read_bytes(), before)

    def otadata(self):
        return self.flash.read_bytes()[0xD000:0xF000]

    def efuses(self):
        return pathlib.Path(f"{self.flash}.efuse").read_text()


class SecureBoot(SignedUpdates):
    def test_only_what_a_trusted_key_signed_is_taken(self):
        self.make_flash("app1_a.bin", "a")
        self.check_turned_down("app2.bin", "the image is not signed")
        self.check_turned_down("app2_b.bin", "is not trusted")
        self.check_turned_down("app2_forged.bin", "checksum is")
        self.check_taken("app2_a.bin")
        self.check_taken("app1_ba.bin")  # any block will do

    def test_a_new_flash_takes_no_app_that_would_not_boot(self):
        for app in ("app1.bin", "app1_b.bin"):
            done = otter("flash", "new", self.flash, "--size", "4MB", "--table", self.work / "parts.csv", "--app",
                         f"factory={self.www / app}", "--secure-boot", "--trust", KEYS / "rsa_a.pub.pem")
            self.assertEqual(done.returncode, 1, done.stderr)
            self.assertFalse(self.flash.exists() or pathlib.Path(f"{self.flash}.efuse").exists())
        for args, why in ((["--secure-boot"], "needs --trust KEY"), (["--trust", KEYS / "rsa_a.pem"], "needs --secure-boot"),
                          (["--chip", "esp32", "--secure-boot", "--trust", KEYS / "ec256.pem"], "does not verify"),
                          (["--chip", "esp32", "--secure-boot", "--trust", KEYS / "rsa_a.pem", "--trust",
                            KEYS / "rsa_b.pem"], "eFuses for one key")):
            done = otter("flash", "new", self.flash, "--size", "4MB", "--table", self.work / "parts.csv", *args)
            self.assertEqual(done.returncode, 1)
            self.assertIn(why, done.stderr)

    def test_flash_info_judges_as_the_bootloader(self):
        self.make_flash("app1_a.bin", "ab")
        info = json.loads(must("flash", "info", self.flash, "--json"))
        self.assertEqual(info["secure_boot"]["scheme"], "rsa3072")
        self.assertEqual([(key["digest"], key["revoked"]) for key in info["secure_boot"]["keys"]],
                         [(DIGEST["a"], False), (DIGEST["b"], False)])
        self.assertIn("secure boot: images signed with RSA-3072 by key 0", must("flash", "info", self.flash))
        must("flash", "write", self.flash, "ota_0", self.www / "app2.bin", "--force")
        slots = json.loads(must("flash", "info", self.flash, "--json"))["slots"]
        image = next(slot["image"] for slot in slots if slot["label"] == "ota_0")
        self.assertEqual((image["valid"], "not signed" in image["error"]), (False, True))

    def test_what_nobody_signed_is_neither_written_nor_selected_nor_booted(self):
        self.make_flash("app1_a.bin", "a")
        broken = self.work / "broken.bin"
        signed = bytearray((self.www / "app2_a.bin").read_bytes())
        signed[-4096 + 900] ^= 1  # in the signature: the image's own hash is right
        broken.write_bytes(signed)
        for image, why in ((self.www / "app2.bin", "not signed"), (self.www / "app2_b.bin", "is not trusted"),
                           (broken, "its CRC is")):
            done = otter("flash", "write", self.flash, "ota_0", image)
            self.assertEqual(done.returncode, 1)
            self.assertIn(why, done.stderr)
            must("flash", "write", self.flash, "ota_0", image, "--force")
            done = otter("flash", "select", self.flash, "ota_0", "--confirm")
            self.assertEqual(done.returncode, 1)
            self.assertIn(why, done.stderr)
            self.assertEqual(self.boots(), "factory")
        must("flash", "write", self.flash, "ota_1", self.www / "app2_a.bin")
        must("flash", "select", self.flash, "ota_1", "--confirm")
        for label in ("ota_1", "factory"):
            must("flash", "erase", self.flash, label)
        done = otter("boot", self.flash)  # ota_0 alone is left, and its signature is broken
        self.assertEqual(done.returncode, 1, done.stdout)

    def test_a_signature_may_end_where_its_slot_does(self):
        size = (1 << 20) - 4096 - 336  # app2.bin has 336 bytes that are no payload
        elf = self.work / "elf"
        elf.write_bytes(pathlib.Path("/bin/true").read_bytes().ljust(size, b"e"))
        must("image", "build", "--elf", elf, "--chip", "linux", "--project", "test", "--version", "4.0.0", "-o",
             self.www / "full.bin")
        self.sign("full", "a")
        signed = (self.www / "full_a.bin").read_bytes()
        self.assertEqual(len(signed), 1 << 20)
        self.make_flash("app1_a.bin", "a")
        for options in ([], ["--resume"], ["--resume", "--range", "100000"]):
            self.check_taken("full_a.bin", *options)
        for name, data in (("cut.bin", signed[:-4096]), ("half.bin", signed[:-3000]),
                           ("forged.bin", signed[:-4000] + bytes([signed[-4000] ^ 1]) + signed[-3999:])):
            (self.www / name).write_bytes(data)
            done, _ = self.update(self.server.url(name), "--rollback", "off", "--resume")
            self.assertEqual(done.returncode, 1, done.stderr)

    def test_eFuses_that_are_burned_stay(self):
        self.make_flash("app1_a.bin", "ab")
        efuses = self.efuses()
        for said, kept in (("secure boot already", efuses),
                           ("keys of secure boot already", efuses.replace("boot_en=1", "boot_en=0"))):
            self.flash.unlink()
            pathlib.Path(f"{self.flash}.efuse").write_text(kept)
            done = otter("flash", "new", self.flash, "--size", "4MB", "--table", self.work / "parts.csv", "--secure-boot",
                         "--trust", KEYS / "rsa_c.pub.pem")
            self.assertEqual(done.returncode, 1)
            self.assertIn(said, done.stderr)
            self.assertEqual(self.efuses(), kept)
            self.flash.touch()

    def test_a_copy_of_the_flash_alone_trusts_nobody_until_somebody_says_that_it_is_open(self):
        """What a chip has in eFuses is in FLASH.efuse; that it is lost is seen, as docs/SECURITY.md says (test_lost_efuses)."""
        self.make_flash("app1_a.bin", "a")
        pathlib.Path(f"{self.flash}.efuse").unlink()
        self.check_turned_down_at_once("app2.bin")
        must("efuse", "burn", self.flash, "secure_boot_en", "0")
        self.check_taken("app2.bin")

    def test_keys_change_and_the_old_one_is_revoked(self):
        self.make_flash("app1_a.bin", "ab")
        self.check_taken("app2_ab.bin")      # the bridge
        self.check_taken("app1_b.bin")       # the new key alone
        with open(f"{self.flash}.efuse", "a", encoding="utf-8") as efuse:
            efuse.write("secure_boot_key_revoke0=1\n")
        self.check_turned_down("app2_a.bin", "is not trusted")
        self.check_taken("app2_b.bin")

    def test_a_device_whose_keys_are_all_revoked_takes_nothing(self):
        self.make_flash("app1_a.bin", "a")
        with open(f"{self.flash}.efuse", "a", encoding="utf-8") as efuse:
            efuse.write("secure_boot_key_revoke0=1\n")
        before = self.flash.read_bytes()
        done, report = self.update(self.server.url("app2_a.bin"))
        self.assertEqual(done.returncode, 1)
        self.assertEqual(self.flash.read_bytes(), before)
        info = json.loads(otter("flash", "info", self.flash, "--json").stdout)
        self.assertIn("NOTHING", info["verdict"])
        self.assertEqual(info["repairs"], [])  # no image mends that

    def test_eFuses_that_name_no_scheme_leave_it_to_the_keys(self):
        """As those of a chip that has several: the digest of a key is of one scheme."""
        must("image", "sign", self.www / "app2.bin", "--key", KEYS / "ec256.pem", "-o", self.www / "app2_ec.bin")
        self.make_flash("app1_a.bin", "a")
        efuse = pathlib.Path(f"{self.flash}.efuse")
        ec = (KEYS / "ec256.pubdigest.bin").read_bytes().hex()
        efuse.write_text(self.efuses().replace("secure_boot_scheme=rsa3072\n", "") + f"secure_boot_digest1={ec}\n")
        self.assertIn("images signed with what the chip knows by key 0", must("flash", "info", self.flash))
        self.assertIsNone(json.loads(must("flash", "info", self.flash, "--json"))["secure_boot"]["scheme"])
        self.check_turned_down("app2_b.bin", "is not trusted")
        self.check_taken("app2_ec.bin")
        self.check_taken("app1_a.bin")

    def test_keys_on_the_command_line_do_not_change_what_eFuses_say(self):
        self.make_flash("app1_a.bin", "a")
        done, _ = self.update(self.server.url("app2_b.bin"), "--key", KEYS / "rsa_b.pub.pem")
        self.assertEqual(done.returncode, 1)
        self.assertIn("it has secure boot", done.stderr)

    def test_a_revoked_key_stays_revoked_in_the_file(self):
        self.make_flash("app1_a.bin", "ab")
        with open(f"{self.flash}.efuse", "a", encoding="utf-8") as efuse:
            efuse.write("secure_boot_key_revoke0=0\nSecure_Boot_Key_Revoke0 = 1\n")
        done = otter("flash", "info", self.flash)
        self.assertIn("has another value in a line before", done.stderr)


@unittest.skipIf(IS_SANITIZED, "a sanitizer must be the first library of a program")
class Run(DeviceTest):
    """`otter run` of a device with secure boot."""

    def setUp(self):
        super().setUp()
        app = self.folder / "app.bin"
        app.write_bytes(self.probe())
        self.signed = self.folder / "signed.bin"
        must("image", "sign", app, "--key", KEYS / "rsa_a.pem", "-o", self.signed)
        self.make_flash({"factory": self.signed.read_bytes()})
        must("flash", "new", self.folder / "other.bin", "--size", "4MB", "--table", SOURCE / "examples/partitions_two_ota.csv",
             "--app", f"factory={self.signed}", "--secure-boot", "--trust", KEYS / "rsa_a.pub.pem")
        (self.folder / "other.bin.efuse").rename(f"{self.flash}.efuse")

    def test_what_is_started_is_what_was_verified(self):
        """Another program writes into the flash file just when the image has been verified."""
        status, console, errors = self.run_device()
        self.assertEqual((status, len(self.boots(console))), (0, 1), console + errors)
        executable = OFFSETS["factory"] + 24 + 8 + 256 + 8
        for at in executable + 64, executable + 5000, OFFSETS["factory"] + 24 + 8 + 30, executable - 4:
            with self.subTest(at=at):
                self.make_flash({"factory": self.signed.read_bytes()})
                status, console, errors = self.run_device(
                    LD_PRELOAD=str(BUILD / "tests" / "libshort_of.so"), SHORT_OF="memfd_create 2 0",
                    SHORT_CHANGES=f"{self.flash} {at}")
                self.assertEqual((status, self.boots(console)), (1, []), console + errors)
                self.assertIn("somebody has changed it between its check and its start", errors)

    def test_a_device_does_not_forget_what_is_burned(self):
        """The eFuse file says less after a restart: nothing is started by it."""
        efuse = pathlib.Path(f"{self.flash}.efuse")
        text = efuse.read_text() + "secure_boot_key_revoke1=1\n"
        for fact in "secure_boot_en=1", "secure_boot_key_revoke1=1":
            with self.subTest(fact=fact):
                efuse.write_text(text)
                self.make_flash({"factory": self.signed.read_bytes()})
                status, console, errors = self.run_device(
                    "--env", f"LD_PRELOAD={BUILD / 'tests' / 'libshort_of.so'}", "--env", "SHORT_OF=pthread_create 1 0", "--env",
                    f"SHORT_CHANGES={efuse} {text.index(fact) + len(fact) - 1}", script="1:restart")
                self.assertEqual((status, len(self.boots(console))), (1, 1), console + errors)
                self.assertIn("says less than before", errors)


class ChipsFlash(SignedUpdates):
    """The flash file of an ESP32-S3, whose ROM asks for a signature of its bootloader."""

    @classmethod
    def make_images(cls):
        super().make_images()
        (cls.www / "loader.bin").write_bytes(bootloader("esp32s3"))
        (cls.www / "unsigned.bin").write_bytes(bootloader("esp32s3", idf_ver="v5.3"))
        (cls.www / "s3.bin").write_bytes((VECTORS / "image" / "esp32s3_valid.bin").read_bytes())
        for image in ("loader", "s3"):
            for keys in "ab":
                cls.sign(image, keys)

    def make(self, loader="loader_a", *options):
        return otter("flash", "new", self.flash, "--size", "4MB", "--chip", "esp32s3", "--table", self.work / "parts.csv",
                     "--bootloader", self.www / f"{loader}.bin", "--app", f"factory={self.www / 's3_a.bin'}", "--secure-boot",
                     "--trust", KEYS / "rsa_a.pub.pem", *options)

    def test_a_bootloader_needs_a_signature_as_an_app_does(self):
        for loader, why in (("unsigned", "not signed"), ("loader_b", "is not trusted")):
            done = self.make(loader)
            self.assertEqual((done.returncode, self.flash.exists()), (1, False), done.stderr)
            self.assertIn(why, done.stderr)
        self.assertEqual(self.make().returncode, 0)
        self.assertIn("bootloader at 0x0: valid", must("flash", "info", self.flash))
        before = self.flash.read_bytes()
        for loader, why in (("unsigned", "of other bytes"), ("loader_b", "is not trusted")):  # the old signature lies behind it
            done = otter("flash", "write", self.flash, "@0x0", self.www / f"{loader}.bin")
            self.assertEqual(done.returncode, 1, done.stdout)
            self.assertIn(why, done.stderr)
            self.assertEqual(self.flash.read_bytes(), before)
            must("flash", "write", self.flash, "@0x0", self.www / f"{loader}.bin", "--force")
            info = json.loads(must("flash", "info", self.flash, "--json"))
            self.assertFalse(info["bootloader"]["valid"])
            must("flash", "write", self.flash, "@0x0", self.www / "loader_a.bin")
            self.assertEqual(self.flash.read_bytes()[:0x8000].rstrip(b"\xff"), before[:0x8000].rstrip(b"\xff"))

    def test_an_app_by_its_offset_is_judged_as_by_its_name(self):
        self.assertEqual(self.make().returncode, 0)
        before = self.flash.read_bytes()
        for image, why in (("s3", "not signed"), ("s3_b", "is not trusted")):
            done = otter("flash", "write", self.flash, "@0x10000", self.www / f"{image}.bin")
            self.assertEqual(done.returncode, 1, done.stdout)
            self.assertIn(why, done.stderr)
            self.assertEqual(self.flash.read_bytes(), before)
        must("flash", "write", self.flash, "@0x10000", self.www / "s3_a.bin")


BLOCK, SECTOR = 1216, 4096


def with_crc(block):
    return block[:1196] + zlib.crc32(block[:1196]).to_bytes(4, "little") + block[1200:]


def sector(*blocks):
    return b"".join(blocks).ljust(SECTOR, b"\xff")


class BadInput(SignedUpdates):
    """Whatever is wrong: one line that says so, nothing selected, nothing burned."""

    @classmethod
    def make_images(cls):
        super().make_images()
        must("image", "sign", cls.www / "app2.bin", "--key", KEYS / "ec256.pem", "-o", cls.www / "app2_ec.bin")
        signed = (cls.www / "app2_a.bin").read_bytes()
        cls.body, cls.block = signed[:-SECTOR], signed[-SECTOR:-SECTOR + BLOCK]
        cls.foreign = (cls.www / "app2_b.bin").read_bytes()[-SECTOR:-SECTOR + BLOCK]

    @classmethod
    def signed_as_data(cls, data):
        """Bytes that no image signer would sign, with a signature of key a."""
        plain, out = cls.work / "plain", cls.work / "signed"
        plain.write_bytes(data)
        must("image", "sign", "--data", plain, "--key", KEYS / "rsa_a.pem", "-o", out)
        return out.read_bytes()

    def changed(self, offset, data):
        return with_crc(self.block[:offset] + data + self.block[offset + len(data):])

    def refused_images(self):
        """(what, the image, why): by a device that trusts key a."""
        body, block, foreign = self.body, self.block, self.foreign
        bad = self.changed(900, b"x")
        part = self.signed_as_data(body[:SECTOR])[-SECTOR:]
        wrapped = bytearray(body)
        wrapped[24 + 4:24 + 8] = b"\xf0\xff\xff\xff"  # the length of segment 0
        count = bytearray(body)
        count[1] = 200
        return [
            ("another scheme", (self.www / "app2_ec.bin").read_bytes(), "it is ECDSA P-256, and this device takes RSA-3072"),
            ("no block", body + sector(), "the image is not signed"),
            ("no sector", body, "the image is not signed"),
            ("four blocks, the last one good", body + sector(foreign, foreign, foreign) + sector(block), "is not trusted"),
            ("the CRC is wrong", body + sector(block[:1196] + b"1234" + block[1200:]), "its CRC is"),
            ("magic, and a body of FF", body + sector(b"\xe7" + b"\xff" * (BLOCK - 1)), "its CRC is"),
            ("magic and nothing else", body + b"\xe7" * SECTOR, "its CRC is"),
            ("a sector of zeros", body + bytes(SECTOR), "the image is not signed"),
            ("a version that no chip has", body + sector(self.changed(1, b"\x04")), "it has version 4, which no chip has"),
            ("a curve that no chip has", body + sector(self.changed(1, b"\x03" + bytes(34) + b"\x07")),
             "a curve that no chip has"),
            ("another hash", body + sector(self.changed(4, b"1234")), "it is of other bytes"),
            ("another signature", body + sector(bad), "the signature does not match"),
            ("an exponent of 1", body + sector(self.changed(420, b"\x01\0\0\0")), "is not trusted"),
            ("a modulus of zeros", body + sector(self.changed(36, bytes(384))), "is not trusted"),
            ("two bad blocks of one key", body + sector(bad, bad), "signature block 0: the signature does not match"),
            ("the signature of a part", body + part, "it is of other bytes"),
            ("a part, signed as data", self.signed_as_data(body[:SECTOR]), "checksum is"),
            ("a length that wraps, signed", self.signed_as_data(bytes(wrapped)), "segment 0"),
            ("too many segments, signed", self.signed_as_data(bytes(count)), "segments"),
            ("cut in the image", body[:5000], "checksum is"),
            ("cut in its padding", body[:-1], "the image is not signed"),
            ("cut in the signature", (body + sector(block))[:-3000], "its CRC is"),
            ("by another key alone", body + sector(foreign), "is not trusted"),
        ]

    def good_images(self):
        bad = self.changed(900, b"x")
        return [("a bad block of a key before its good one", self.body + sector(bad, self.block)),
                ("a foreign one before it", self.body + sector(self.foreign, self.block)),
                ("an empty one before it", self.body + sector(b"\xff" * BLOCK, self.block)),
                ("two good ones of one key", self.body + sector(self.block, self.block)),
                ("something behind the third", self.body + sector(self.block).replace(b"\xff" * 448, b"7" * 448, 1))]

    def check_unchanged(self, name, why):
        """By an update, by `flash write` and by `image verify`."""
        flash, efuses = self.flash.read_bytes(), self.efuses()
        self.check_turned_down(name, why)
        self.assertEqual(self.efuses(), efuses)
        self.flash.write_bytes(flash)
        done = otter("flash", "write", self.flash, "ota_0", self.www / name)
        self.assertEqual((done.returncode, done.stderr.count("\n")), (1, 1), done.stderr)
        self.assertEqual((self.flash.read_bytes(), self.efuses()), (flash, efuses))
        done = otter("image", "verify", self.www / name, "--key", KEYS / "rsa_a.pub.pem")
        self.assertEqual(done.returncode, 1, done.stderr)

    @in_full
    def test_images(self):
        self.make_flash("app1_a.bin", "a")
        for what, image, why in self.refused_images():
            with self.subTest(what):
                (self.www / "bad.bin").write_bytes(image)
                self.check_unchanged("bad.bin", why)
        for what, image in self.good_images():
            with self.subTest(what):
                (self.www / "good.bin").write_bytes(image)
                self.check_taken("good.bin")

    def test_revoked_keys(self):
        for keys, revoked, name, why in (("ab", "0", "app2_a.bin", "is not trusted"),
                                         ("ab", "01", "app2_ab.bin", "trusts no key: there is none, or all are revoked"),
                                         ("a", "0", "app2_a.bin", "trusts no key"), ("ab", "0", "app2_b.bin", None),
                                         ("ab", "0", "app2_ab.bin", None)):
            with self.subTest(keys=keys, revoked=revoked, image=name):
                self.tearDown()
                self.make_flash("app1_ab.bin", keys)
                with open(f"{self.flash}.efuse", "a", encoding="utf-8") as efuse:
                    efuse.write("".join(f"secure_boot_key_revoke{index}=1\n" for index in revoked))
                if why is None:
                    self.check_taken(name)
                    continue
                before = self.flash.read_bytes()[0xD000:0xF000], self.efuses()
                done, report = self.update(self.server.url(name), "--rollback", "off")
                self.assertEqual((done.returncode, done.stderr.count("\n")), (1, 1), done.stderr)
                self.assertIn(why, done.stderr)
                self.assertEqual(report["result"], "ESP_ERR_OTA_VALIDATE_FAILED")
                self.assertEqual((self.flash.read_bytes()[0xD000:0xF000], self.efuses()), before)

    def check_turned_down(self, name, why, *args):
        before, otadata = self.boots(), self.otadata()
        done, report = self.update(self.server.url(name), "--rollback", "off", *args)
        self.assertEqual((done.returncode, done.stderr.count("\n")), (1, 1), done.stderr)
        self.assertRegex(done.stderr, why)
        self.assertEqual(report["result"], "ESP_ERR_OTA_VALIDATE_FAILED")
        self.assertEqual((self.boots(), self.otadata()), (before, otadata))


class OwnKeys(SignedUpdates):
    """`otter update --key`: for devices without secure boot."""

    def test_one_of_the_named_keys_must_have_signed(self):
        self.make_flash("app1.bin")
        self.check_turned_down("app2.bin", "the image is not signed", "--key", KEYS / "rsa_a.pub.pem")
        self.check_turned_down("app2_b.bin", "is not trusted", "--key", KEYS / "rsa_a.pub.pem")
        self.check_taken("app2_b.bin", "--key", KEYS / "rsa_a.pub.pem", "--key", KEYS / "rsa_b.pub.pem")
        self.check_taken("app1.bin")

    def test_the_key_of_the_image_that_runs(self):
        self.make_flash("app1_a.bin")
        self.check_turned_down("app2.bin", "the image is not signed", "--signed")
        self.check_turned_down("app2_b.bin", "is not trusted", "--signed")
        self.check_taken("app2_a.bin", "--signed")
        self.make_unsigned()
        self.check_turned_down("app2_a.bin", "trusts no key", "--signed")

    def test_the_scheme_is_that_of_the_image_that_runs(self):
        """On chips that have several, linux like ESP32-C6: nobody has to say which."""
        for app in ("app1", "app2"):
            must("image", "sign", self.www / f"{app}.bin", "--key", KEYS / "ec256.pem", "-o", self.www / f"{app}_ec.bin")
            must("image", "sign", self.www / f"{app}.bin", "--key", KEYS / "ec384.pem", "-o", self.www / f"{app}_ec384.bin")
        self.make_flash("app1_ec.bin")
        self.check_turned_down("app2_a.bin", "it is RSA-3072, and this device takes ECDSA P-256", "--signed")
        self.check_turned_down("app2_ec384.bin", "it is ECDSA P-384, and this device takes ECDSA P-256", "--signed")
        self.check_taken("app2_ec.bin", "--signed")
        self.tearDown()
        self.make_flash("app1_ec384.bin")
        self.check_taken("app2_ec384.bin", "--signed")

    def make_unsigned(self):
        self.tearDown()
        self.make_flash("app1.bin")

    def test_keys_cannot_change_where_the_running_app_is_trusted(self):
        """As in ESP-IDF: the bridge that begins with the old key leaves the old key trusted."""
        self.make_flash("app1_a.bin")
        self.check_taken("app2_ab.bin", "--signed")
        self.check_turned_down("app1_b.bin", "is not trusted", "--signed")
        self.check_turned_down("app1_ba.bin", "is not trusted", "--signed")
        self.check_taken("app1_a.bin", "--signed")


if __name__ == "__main__":
    unittest.main()
