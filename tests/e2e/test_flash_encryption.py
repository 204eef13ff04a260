"""Encrypted flash: dumps explained and changed with their key, and a virtual device that has one, with updates and power cuts."""
# SPDX-License-Identifier: Apache-2.0

import json
import os
import pathlib
import random
import subprocess
import unittest

from device import OTTER, SOURCE, TIMEOUT_S, DeviceTest

IMAGES = SOURCE / "tests" / "vectors" / "image"
PLAIN = ((0x9000, 0xD000), (0xF000, 0x10000))  # nvs and phy_init of the two-OTA layout


class EncryptionTest(DeviceTest):
    def setUp(self):
        super().setUp()
        self.rng = random.Random(14)

    def otter(self, *args, status=0):
        done = subprocess.run([OTTER, *map(str, args)], capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def key(self, size=32, name="key"):
        path = self.folder / name
        path.write_bytes(self.rng.randbytes(size))
        return path

    def dump(self, chip, key, app):
        """The dump of a chip with flash encryption, whose apps are known; and the same without."""
        plain, dump = self.folder / "plain.bin", self.folder / "dump.bin"
        for path in (plain, dump):
            path.unlink(missing_ok=True)
        self.otter("flash", "new", plain, "--size", "4MB", "--table", SOURCE / "examples" / "partitions_two_ota.csv",
                   "--chip", chip, "--app", f"ota_0={app}", "--force")
        (self.folder / "plain.bin.efuse").unlink()
        self.otter("flash", "encrypt", plain, dump, "--flash-key", key, "--chip", chip)
        data, clear = bytearray(dump.read_bytes()), plain.read_bytes()
        for start, end in PLAIN:
            data[start:end] = clear[start:end]
        dump.write_bytes(data)
        return dump, plain


class Dumps(EncryptionTest):
    def test_the_dump_of_each_chip_is_explained_as_without_encryption(self):
        for chip, size, cipher in (("esp32", 32, "the ESP32's cipher"), ("esp32", 24, "the ESP32's cipher"),
                                   ("esp32s3", 32, "XTS-AES-128"), ("esp32s3", 64, "XTS-AES-256")):
            with self.subTest(chip=chip, size=size):
                key = self.key(size)
                dump, plain = self.dump(chip, key, IMAGES / f"{chip}_valid.bin")
                theirs = json.loads(self.otter("flash", "info", dump, "--json", "--flash-key", key))
                ours = json.loads(self.otter("flash", "info", plain, "--json"))
                self.assertEqual(theirs.pop("flash_encryption"), cipher)
                self.assertIsNone(ours.pop("flash_encryption"))
                for report in (ours, theirs):
                    report.pop("repairs")  # they name the file
                    report.pop("warnings")
                self.assertEqual(theirs, ours)

    def test_without_the_key_it_is_said_to_look_encrypted_and_why(self):
        dump, _ = self.dump("esp32s3", self.key(), IMAGES / "esp32s3_valid.bin")
        said = self.otter("flash", "info", dump, status=1)
        self.assertIn("noise is there, as encrypted flash looks", said)
        self.assertRegex(said, r"this looks encrypted .*: in \d+ of \d+ sectors .* --flash-key")

    def test_keys_that_do_not_fit(self):
        dump, plain = self.dump("esp32s3", self.key(), IMAGES / "esp32s3_valid.bin")
        before = dump.read_bytes()
        for size, said in ((32, "another chip's"), (64, "another chip's"), (16, "another chip's"), (31, "31 bytes; a key")):
            other = self.key(size, "other")
            for verb in (("info", dump), ("erase", dump, "otadata"), ("select", dump, "ota_0"),
                         ("write", dump, "ota_0", IMAGES / "esp32s3_valid.bin"), ("read", dump, "ota_0")):
                self.assertIn(said, self.otter("flash", *verb, "--flash-key", other, status=1))
        self.assertEqual(dump.read_bytes(), before)
        self.assertIn("the key decrypts nothing here", self.otter("flash", "info", plain, "--flash-key", self.folder / "key"))

    def test_it_is_read_written_verified_and_selected_in(self):
        key = self.key()
        dump, _ = self.dump("esp32s3", key, IMAGES / "esp32s3_valid.bin")
        app, got = IMAGES / "esp32s3_valid.bin", self.folder / "got"
        with_key = ("--flash-key", key)
        self.otter("flash", "verify", dump, "ota_0", app, *with_key)
        self.otter("flash", "write", dump, "ota_1", app, *with_key)
        self.otter("flash", "read", dump, "ota_1", got, *with_key)
        self.assertEqual(got.read_bytes()[:app.stat().st_size], app.read_bytes())
        self.otter("flash", "select", dump, "ota_1", *with_key)
        self.assertIn("boots next: ota_1", self.otter("flash", "info", dump, *with_key))
        changed = bytearray(app.read_bytes())
        changed[100] ^= 1
        (self.folder / "changed").write_bytes(changed)
        self.assertIn("at 0x64", self.otter("flash", "verify", dump, "ota_0", self.folder / "changed", *with_key, status=1))
        nvs = self.rng.randbytes(0x3000)
        (self.folder / "nvs").write_bytes(nvs)
        self.otter("flash", "write", dump, "nvs", self.folder / "nvs", "--force", *with_key)
        self.assertEqual(dump.read_bytes()[0x9000:0xC000], nvs)  # not encrypted, so not in flash

    def test_what_is_encrypted_only_in_part_is_told(self):
        key = self.key()
        dump, plain = self.dump("esp32s3", key, IMAGES / "esp32s3_valid.bin")
        data, clear = bytearray(dump.read_bytes()), plain.read_bytes()
        data[0x110000:0x111000] = clear[0x110000:0x111000]
        dump.write_bytes(data)
        said = self.otter("flash", "info", dump, "--flash-key", key)
        self.assertIn("ota_0 holds an image that is plain: only a part of this flash is encrypted", said)
        whole = bytearray(clear)
        whole[0x110000:0x120000] = self.rng.randbytes(0x10000)
        dump.write_bytes(whole)
        self.assertIn("ota_0 looks encrypted, and the partition table is plain", self.otter("flash", "info", dump))


class Device(EncryptionTest):
    def new(self, *args):
        app = self.folder / "app.bin"
        app.write_bytes(self.probe())
        for path in (pathlib.Path(self.flash), pathlib.Path(self.flash + ".efuse")):
            path.unlink(missing_ok=True)
        self.otter("flash", "new", self.flash, "--size", "4MB", "--table", SOURCE / "examples" / "partitions_two_ota.csv",
                   "--app", f"factory={app}", "--app", f"ota_0={app}", "--flash-encryption", *args)

    def secrets(self):
        lines = pathlib.Path(self.flash + ".efuse").read_text().splitlines()
        blocks = [line.split("=")[1] for line in lines if line.startswith("block_key")]
        return blocks + [bytes.fromhex(block)[::-1].hex() for block in blocks]

    def test_the_file_with_the_key_is_its_owners_alone(self):
        efuse = pathlib.Path(self.flash + ".efuse")
        before = os.umask(0)
        self.addCleanup(os.umask, before)
        self.new()
        self.assertEqual(efuse.stat().st_mode & 0o777, 0o600)
        efuse.chmod(0o644)  # what others may do ends with the next burn, what a group may do stays
        self.otter("efuse", "burn", self.flash, "secure_version", "1", "--yes")
        self.assertEqual(efuse.stat().st_mode & 0o777, 0o640)
        efuse.unlink()
        self.otter("efuse", "burn", self.flash, "secure_version", "1", "--yes")  # without a key: as any file
        self.assertEqual(efuse.stat().st_mode & 0o777, 0o666)

    def test_an_app_runs_from_encrypted_flash_and_nothing_shows_the_key(self):
        for size in (None, 32, 64):
            with self.subTest(key=size):
                self.new(*(() if size is None else ("--flash-key", self.key(size))))
                self.assertNotIn(self.probe()[:64], pathlib.Path(self.flash).read_bytes())
                status, console, errors = self.run_device("--boots", "2", script="env exit")
                self.assertIn("factory", console)
                said = console + errors
                said += self.otter("flash", "info", self.flash) + self.otter("flash", "info", self.flash, "--json")
                for secret in self.secrets():
                    self.assertNotIn(secret, said.lower())

    def test_the_eFuse_file_says_the_key_that_was_given(self):
        key = self.key(64)
        self.new("--flash-key", key)
        self.assertIn(key.read_bytes()[:32].hex(), self.secrets())
        self.assertIn("XTS-AES-256", self.otter("flash", "info", self.flash))
        os.rename(self.flash + ".efuse", self.folder / "kept")
        self.assertIn("XTS-AES-256", self.otter("flash", "info", self.flash, "--flash-key", key))
        (self.folder / "flash.bin.efuse").write_text("chip=linux\nspi_boot_crypt_cnt=1\n")
        self.assertIn("holds no key", self.otter("flash", "info", self.flash, status=1))

    def test_power_cuts_while_it_boots_and_selects(self):
        self.new()
        self.otter("flash", "select", self.flash, "ota_0")
        start = pathlib.Path(self.flash).read_bytes()
        for cut in range(1, 7):
            pathlib.Path(self.flash).write_bytes(start)
            subprocess.run([OTTER, "run", self.flash, "--cut-after", str(cut), "--boots", "1"], capture_output=True,
                           timeout=TIMEOUT_S, check=False, env={**os.environ, "PROBE": "exit"})
            self.assertRegex(self.otter("flash", "info", self.flash), "boots next: (factory|ota_0)")

    def test_a_table_that_a_cut_left_torn_is_no_other_key(self):
        self.new("--bootloader", "none")
        with open(self.flash, "r+b") as flash:
            flash.seek(0x8000)
            flash.write(bytes(32))  # as while the copy of a table is under way
        status, console, errors = self.run_device("--boots", "1", script="env exit")
        self.assertNotEqual(status, 0)
        self.assertIn("partition table", console + errors)
        self.assertNotIn("key", console + errors)

    def test_an_ESP32_has_its_own_cipher_by_the_key_of_its_eFuses(self):
        """Made encrypted, and by a first boot: the same bytes, which its key alone reads."""
        app = IMAGES / "esp32_valid.bin"
        for size in (32, 24):
            key, made = self.key(size), {}
            for how in ((), ("--at-first-boot",)):
                flash = self.folder / f"esp32-{size}-{len(how)}.bin"
                self.otter("flash", "new", flash, "--size", "4MB", "--table", SOURCE / "examples" / "partitions_two_ota.csv",
                           "--chip", "esp32", "--app", f"factory={app}", "--flash-encryption", "--flash-key", key, *how)
                self.assertIn("flash_encryption", self.otter("efuse", "show", flash))
                if how:
                    self.assertIn("encrypts it by the ESP32's cipher", self.otter("flash", "info", flash))
                self.otter("boot", flash, *(["--release-mode"] if how else []))
                info = json.loads(self.otter("flash", "info", flash, "--json"))
                self.assertEqual(info["flash_encryption"], "the ESP32's cipher")
                os.rename(f"{flash}.efuse", f"{flash}.kept")
                self.assertIn("boots next: factory", self.otter("flash", "info", flash, "--flash-key", key))
                made[how] = flash.read_bytes()
                end = 0x10000 + app.stat().st_size
                self.assertTrue(made[how][0x10000:end] == made[()][0x10000:end], size)
                self.assertIn(f"cnt={127 if how else 1}\n", (self.folder / f"{flash.name}.kept").read_text())

    def test_an_ESP32_that_changes_less_of_its_key(self):
        """Its eFuses say so: of a key that they hold, and of one that is given."""
        app, key = IMAGES / "esp32_valid.bin", self.key()
        for config in (0, 5, 15):
            flash = self.folder / f"esp32-{config}.bin"
            (self.folder / f"{flash.name}.efuse").write_text(f"chip=esp32\nflash_crypt_config={config}\n")
            self.otter("flash", "new", flash, "--size", "4MB", "--table", SOURCE / "examples" / "partitions_two_ota.csv",
                       "--app", f"factory={app}", "--flash-encryption", "--flash-key", key)
            self.assertRegex(self.otter("efuse", "show", flash), rf"flash_crypt_config +{config}\n")
            self.assertIn("boots next: factory", self.otter("flash", "info", flash))
            out = self.folder / "out.bin"
            self.otter("flash", "decrypt", flash, out, "--flash-key", key, "--chip", "esp32", "--crypt-config", config)
            self.assertEqual(out.read_bytes()[0x10000:0x10000 + app.stat().st_size], app.read_bytes())
            efuses = self.folder / f"{flash.name}.efuse"
            efuses.write_text("".join(line for line in efuses.read_text().splitlines(True) if "block_key" not in line))
            self.assertIn("boots next: factory", self.otter("flash", "info", flash, "--flash-key", key))
            efuses.unlink()
            self.otter("flash", "info", flash, "--flash-key", key, "--chip", "esp32", status=0 if config == 15 else 1)

    def test_an_ESP32_C2_has_one_block_for_both_keys(self):
        """16 bytes of flash encryption, beside secure boot or alone, or 32 without it."""
        keys, app = SOURCE / "tests" / "vectors" / "signed", IMAGES.parent / "signed" / "ec256_c2.bin"
        secure = ("--secure-boot", "--trust", keys / "keys" / "ec256.pub.pem")
        derived = "key_purpose_0=XTS_AES_128_KEY_DERIVED_FROM_128_EFUSE_BITS\n"
        for how, size in ((secure, 16), ((), 16), ((), 32), (secure, None), ((), None)):
            for first in ((), ("--at-first-boot",)):
                with self.subTest(secure=bool(how), size=size, first=bool(first)):
                    flash = self.folder / "c2.bin"
                    key = self.key(size or 16)
                    given = ("--flash-key", key) if size else ()
                    self.otter("flash", "new", flash, "--size", "4MB", "--table", SOURCE / "examples" / "partitions_two_ota.csv",
                               "--app", f"factory={app}", "--flash-encryption", *given, *how, *first)
                    self.otter("boot", flash)
                    self.assertIn("boots next: factory", self.otter("flash", "info", flash))
                    efuses = self.folder / "c2.bin.efuse"
                    self.assertEqual(derived in efuses.read_text(), size == 16 or (size is None and bool(how)))
                    if size:
                        out = self.folder / "out.bin"
                        self.otter("flash", "decrypt", flash, out, "--flash-key", key, "--chip", "esp32c2")
                        self.assertEqual(out.read_bytes()[0x10000:0x10000 + app.stat().st_size], app.read_bytes())
                        self.assertIn(key.read_bytes()[::-1].ljust(32, b"\0").hex(), efuses.read_text())
                    flash.unlink()
                    efuses.unlink()
        self.assertIn("has room for a key of 16", self.otter(
            "flash", "new", flash, "--size", "4MB", "--table", SOURCE / "examples" / "partitions_two_ota.csv", "--app",
            f"factory={app}", "--flash-encryption", "--flash-key", self.key(32), *secure, status=1))
        self.assertFalse(flash.exists() or efuses.exists())

    def test_a_key_that_is_made_is_of_the_chip_whose_flash_it_is(self):
        flash, app = self.folder / "esp32.bin", IMAGES / "esp32_valid.bin"
        self.otter("flash", "new", flash, "--size", "4MB", "--table", SOURCE / "examples" / "partitions_two_ota.csv",
                   "--app", f"factory={app}")
        (self.folder / "esp32.bin.efuse").unlink()
        self.otter("boot", flash, "--encrypt-flash")
        efuses = (self.folder / "esp32.bin.efuse").read_text()
        self.assertIn("chip=esp32\n", efuses)
        self.assertNotIn("XTS", efuses)
        self.assertIn("the ESP32's cipher", self.otter("flash", "info", flash, "--json"))

    def test_what_flash_new_refuses(self):
        app = self.folder / "app.bin"
        app.write_bytes(self.probe())
        head = ("flash", "new", self.flash, "--size", "4MB", "--table", SOURCE / "examples" / "partitions_two_ota.csv",
                "--app", f"factory={app}")
        self.assertIn("needs --flash-encryption", self.otter(*head, "--flash-key", self.key(), status=1))
        self.assertIn("needs --flash-encryption", self.otter(*head, "--release-mode", status=1))
        self.otter(*head, "--flash-encryption", "--at-first-boot", "--release-mode", status=1)
        for size in (24, 33):
            self.otter(*head, "--flash-encryption", "--flash-key", self.key(size), status=1)
        self.assertFalse(os.path.exists(self.flash))


class FirstBoot(EncryptionTest):
    """Plain flash, and the boot that encrypts it, wherever power goes in it."""

    def new(self, *args):
        app = self.folder / "app.bin"
        app.write_bytes(self.probe())
        for path in (pathlib.Path(self.flash), pathlib.Path(self.flash + ".efuse")):
            path.unlink(missing_ok=True)
        self.otter("flash", "new", self.flash, "--size", "4MB", "--table", SOURCE / "examples" / "partitions_two_ota.csv",
                   "--app", f"factory={app}", *args)

    def efuses(self):
        return pathlib.Path(self.flash + ".efuse").read_text()

    def boot(self, *args):
        done = subprocess.run([OTTER, "run", self.flash, "--boots", "1", *args], capture_output=True, text=True,
                              timeout=TIMEOUT_S, check=False, env={**os.environ, "PROBE": "exit"})
        return done.stdout + done.stderr

    def encrypted_at_once(self, key):
        """The same device, made encrypted. Partitions without an image are not encrypted there either."""
        other = self.folder / "other.bin"
        self.otter("flash", "new", other, "--size", "4MB", "--table", SOURCE / "examples" / "partitions_two_ota.csv",
                   "--app", f"factory={self.folder / 'app.bin'}", "--flash-encryption", "--flash-key", key)
        return other.read_bytes()

    def test_the_first_boot_encrypts_what_a_chip_would_and_says_so(self):
        key = self.key()
        self.new("--flash-encryption", "--at-first-boot", "--flash-key", key)
        plain = pathlib.Path(self.flash).read_bytes()
        self.assertIn(self.probe()[:64], plain)
        self.assertIn("its next boot encrypts it", self.otter("flash", "info", self.flash))
        self.assertEqual(json.loads(self.otter("flash", "info", self.flash, "--json"))["first_boot"],
                         {"begun": False, "sectors_done": None, "sectors": None, "cipher": "XTS-AES-128"})
        self.assertIn("the next boot encrypts", self.otter("efuse", "show", self.flash))
        self.assertIn("is encrypted", self.otter("boot", self.flash, "--dry-run"))
        self.assertEqual(pathlib.Path(self.flash).read_bytes(), plain)
        said = self.boot()
        for line in ("Checking flash encryption...", "Encrypting partition 3 at offset 0x10000 (length 0x100000)...",
                     "Done encrypting", "partition table encrypted and loaded successfully", "Flash encryption completed"):
            self.assertIn(line, said)
        self.assertIn("spi_boot_crypt_cnt=1", self.efuses())
        now, wanted = pathlib.Path(self.flash).read_bytes(), self.encrypted_at_once(key)
        for start, end in ((0x8000, 0x9000), (0x10000, 0x10000 + len(self.probe()))):
            self.assertEqual(now[start:end], wanted[start:end], hex(start))
        self.otter("flash", "decrypt", self.flash, self.folder / "clear", "--flash-key", key, "--chip", "linux")
        clear = (self.folder / "clear").read_bytes()
        self.assertEqual(clear[0x10000:0x110000], plain[0x10000:0x110000])  # all of the partition
        self.assertEqual(now[0x110000:], plain[0x110000:])  # slots without an image, and the journal is gone
        self.assertNotIn("Encrypting", self.boot())
        info = json.loads(self.otter("flash", "info", self.flash, "--json"))
        self.assertEqual((info["flash_encryption"], info["first_boot"]), ("XTS-AES-128", None))

    def test_power_cuts_in_it_lose_nothing(self):
        self.new("--flash-encryption", "--at-first-boot")
        start, efuses = pathlib.Path(self.flash).read_bytes(), self.efuses()
        self.boot()
        whole = pathlib.Path(self.flash).read_bytes()
        cuts = [1, 2, 5, 21, 40, 90, 300, 700, 1100]
        for first, second in zip(cuts, cuts[::-1]):
            with self.subTest(first=first, second=second):
                pathlib.Path(self.flash).write_bytes(start)
                pathlib.Path(self.flash + ".efuse").write_text(efuses)
                self.assertIn("power was cut in the bootloader", self.boot("--cut-after", str(first)))
                if 30 < first < 1000:
                    self.assertRegex(self.otter("flash", "info", self.flash), r"\d+ of \d+ sectors are encrypted")
                    half = json.loads(self.otter("flash", "info", self.flash, "--json"))["first_boot"]
                    self.assertTrue(half["begun"] and half["sectors_done"] < half["sectors"], half)
                    self.assertIn("`otter run`", self.otter("flash", "select", self.flash, "ota_0", status=1))
                self.boot("--cut-after", str(second))
                said = self.boot()
                now = pathlib.Path(self.flash).read_bytes()
                if 1100 in (first, second):  # in the erase of the journal, which nobody reads any more
                    now = now[:0x310000] + whole[0x310000:]
                self.assertTrue(now == whole, said)
                self.assertIn("spi_boot_crypt_cnt=1", self.efuses())

    def test_a_key_is_made_where_there_is_none(self):
        self.new()
        self.assertIn("Generating new flash encryption key", self.boot("--encrypt-flash"))
        self.assertRegex(self.efuses(), "spi_boot_crypt_cnt=1\\nkey_purpose_0=XTS_AES_128_KEY\\nblock_key0=[0-9a-f]{64}")
        self.assertNotIn(self.probe()[:64], pathlib.Path(self.flash).read_bytes())
        self.assertIn("factory", self.run_device("--boots", "1", script="env exit")[1])

    def test_release_mode_is_for_good(self):
        self.new()
        self.assertIn("Flash encryption completed", self.boot("--encrypt-flash", "--release-mode"))
        self.assertIn("spi_boot_crypt_cnt=7\n", self.efuses())
        self.assertIn("Flash encryption mode is RELEASE", self.boot())
        self.new("--flash-encryption", "--release-mode")
        self.assertIn("spi_boot_crypt_cnt=7\n", self.efuses())

    def test_plain_flash_of_a_chip_that_decrypts_does_not_boot(self):
        for key in (True, False):
            self.new()
            if key:
                self.otter("efuse", "burn", self.flash, "key_purpose_0", "XTS_AES_128_KEY", "--yes")
                self.otter("efuse", "burn", self.flash, "block_key0", self.rng.randbytes(32).hex(), "--yes")
            self.otter("efuse", "burn", self.flash, "spi_boot_crypt_cnt", "1", "--yes")
            plain = pathlib.Path(self.flash).read_bytes()
            self.assertIn("says that this flash is encrypted, and it is plain", self.boot())
            self.otter("boot", self.flash, status=1)
            self.assertIn("boots next: NOTHING, its eFuses say", self.otter("flash", "info", self.flash))
            self.assertEqual(pathlib.Path(self.flash).read_bytes(), plain)
            self.otter("efuse", "burn", self.flash, "spi_boot_crypt_cnt", "3", "--yes")
            self.assertIn("Flash encryption completed" if key else "factory", self.boot())
            self.assertIn(f"spi_boot_crypt_cnt={7 if key else 3}\n", self.efuses())

    def test_burned_keys_are_taken(self):
        self.new()
        self.otter("efuse", "burn", self.flash, "key_purpose_0", "XTS_AES_128_KEY", "--yes")
        self.otter("efuse", "burn", self.flash, "block_key0", self.rng.randbytes(32).hex(), "--yes")
        self.assertIn("Flash encryption completed", self.boot())

    def test_what_cannot_be_encrypted_in_place_stays_as_it_was(self):
        self.new("--flash-encryption", "--at-first-boot")
        flash = pathlib.Path(self.flash)
        data = bytearray(flash.read_bytes())
        data[0x110000:] = bytes(len(data) - 0x110000)  # no erased sector anywhere
        flash.write_bytes(data)
        self.assertIn("no five erased sectors", self.boot())
        self.assertEqual(flash.read_bytes(), bytes(data))
        data[0x10000:0x11000] = bytes(0x1000)  # and nothing boots
        flash.write_bytes(data)
        self.assertIn("nothing boots", self.boot())
        self.assertEqual(flash.read_bytes(), bytes(data))

    def test_another_key_half_way_is_told(self):
        self.new("--flash-encryption", "--at-first-boot")
        self.boot("--cut-after", "90")
        half = pathlib.Path(self.flash).read_bytes()
        efuse = pathlib.Path(self.flash + ".efuse")
        efuse.write_text("\n".join("block_key0=" + "ab" * 32 if line.startswith("block_key0") else line
                                   for line in efuse.read_text().splitlines()))
        self.assertIn("by another key", self.boot())
        self.assertEqual(pathlib.Path(self.flash).read_bytes(), half)


if __name__ == "__main__":
    unittest.main()
