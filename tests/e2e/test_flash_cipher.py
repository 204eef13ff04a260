"""`otter flash encrypt|decrypt`: byte for byte what espsecure makes, for the cipher of every chip, and what is refused."""
# SPDX-License-Identifier: Apache-2.0
import os
import pathlib
import random
import shutil
import subprocess
import tempfile
import unittest

SOURCE = pathlib.Path(os.environ.get("OTTER_SOURCE", pathlib.Path(__file__).parents[2]))
OTTER = pathlib.Path(os.environ.get("OTTER_BUILD", SOURCE / "build")) / "otter"
WAIT_S = 60
IMAGE = SOURCE / "tests" / "vectors" / "image" / "esp32s3_valid.bin"


class CipherTest(unittest.TestCase):
    def setUp(self):
        self.work = pathlib.Path(tempfile.mkdtemp(prefix="otter-cipher-"))
        self.addCleanup(shutil.rmtree, self.work)
        self.rng = random.Random(13)

    def otter(self, *args, status=0):
        done = subprocess.run([OTTER, *map(str, args)], capture_output=True, timeout=WAIT_S, check=False)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return (done.stdout + done.stderr).decode(errors="replace")

    def file(self, name, data):
        path = self.work / name
        path.write_bytes(data)
        return path

    def key(self, size=32):
        return self.file(f"key{size}", self.rng.randbytes(size))

    def both_ways(self, data, key, *args):
        """Encrypted bytes, once they are known to come back."""
        plain, cipher, back = self.file("plain", data), self.work / "cipher", self.work / "back"
        self.otter("flash", "encrypt", plain, cipher, "--flash-key", key, *args)
        self.otter("flash", "decrypt", cipher, back, "--flash-key", key, *args)
        self.assertEqual(back.read_bytes(), data)
        return cipher.read_bytes()


@unittest.skipUnless(shutil.which("espsecure"), "espsecure is not there (./dev setup esptool)")
class Oracle(CipherTest):
    def espsecure(self, verb, source, key, address, *args):
        out = self.work / "theirs"
        subprocess.run(["espsecure", f"{verb}-flash-data", "-k", key, "-o", out, "-a", hex(address), *args, source],
                       check=True, stdout=subprocess.DEVNULL, timeout=WAIT_S)
        return out.read_bytes()

    def test_every_cipher_at_any_address_is_byte_equal_both_ways(self):
        for size, chip, xts in ((32, "esp32", ()), (24, "esp32", ()), (16, "esp32c2", ("-x",)), (32, "esp32c3", ("-x",)),
                                (64, "esp32s2", ("-x",))):
            for address, length in ((0, 0x3000), (0xFFFFF0, 16), (0x1230, 5008)):
                with self.subTest(chip=chip, key=size, address=hex(address)):
                    key, plain = self.key(size), self.file("in", self.rng.randbytes(length))
                    for verb in ("encrypt", "decrypt"):
                        self.otter("flash", verb, plain, self.work / "ours", "--flash-key", key, "--address", hex(address),
                                   "--chip", chip)
                        self.assertEqual((self.work / "ours").read_bytes(), self.espsecure(verb, plain, key, address, *xts))

    def test_an_esp32_that_changes_less_of_its_key(self):
        key, plain = self.key(), self.file("in", self.rng.randbytes(512))
        for config in (0, 1, 6, 8):
            self.otter("flash", "encrypt", plain, self.work / "ours", "--flash-key", key, "--address", "0xabcde0", "--chip",
                       "esp32", "--crypt-config", config)
            self.assertEqual((self.work / "ours").read_bytes(),
                             self.espsecure("encrypt", plain, key, 0xabcde0, "--flash-crypt-conf", str(config)))


class Choosing(CipherTest):
    def test_the_image_says_by_which_chip_it_is_encrypted(self):
        data = IMAGE.read_bytes()
        key = self.key()
        self.assertEqual(self.both_ways(data, key, "--address", "64K"),
                         self.both_ways(data, key, "--address", "64K", "--chip", "esp32c3"))

    def test_what_is_readable_then_says_by_which_cipher_it_was_encrypted(self):
        text = (b"a partition table, an image, a text: anything but noise. " * 100)[:4096]
        key, cipher = self.key(), self.work / "cipher"
        for chip, name in (("esp32", "the ESP32's cipher"), ("esp32h2", "XTS-AES-128")):
            self.otter("flash", "encrypt", self.file("plain", text), cipher, "--flash-key", key, "--chip", chip)
            self.assertIn(name, self.otter("flash", "decrypt", cipher, self.work / "back", "--flash-key", key))
            self.assertEqual((self.work / "back").read_bytes(), text)

    def test_it_is_asked_for_where_nothing_says_it(self):
        noise, key = self.file("noise", self.rng.randbytes(8192)), self.key()
        for verb in ("encrypt", "decrypt"):
            self.assertIn("--chip", self.otter("flash", verb, noise, "--flash-key", key, status=1))

    def test_a_file_that_ends_in_a_block_is_filled_up(self):
        key, cipher = self.key(), self.work / "cipher"
        said = self.otter("flash", "encrypt", self.file("plain", b"x" * 33), cipher, "--flash-key", key, "--chip", "esp32s3")
        self.assertIn("filled up with 15 bytes FF", said)
        self.otter("flash", "decrypt", cipher, self.work / "back", "--flash-key", key, "--chip", "esp32s3")
        self.assertEqual((self.work / "back").read_bytes(), b"x" * 33 + b"\xff" * 15)


class Refused(CipherTest):
    def test_keys_that_are_none(self):
        data = self.file("data", bytes(64))
        for size in (0, 1, 15, 17, 31, 33, 48, 63, 65, 4096):
            with self.subTest(size=size):
                said = self.otter("flash", "decrypt", data, "--flash-key", self.key(size), status=1)
                self.assertIn(f"{size} bytes; a key", said)
        pem = self.file("key.pem", b"-----BEGIN PRIVATE KEY-----\n")
        self.assertIn("PEM", self.otter("flash", "decrypt", data, "--flash-key", pem, status=1))
        self.assertIn("No such file", self.otter("flash", "decrypt", data, "--flash-key", self.work / "none", status=1))

    def test_keys_of_another_chip(self):
        data = self.file("data", bytes(64))
        for size, chip in ((64, "esp32"), (16, "esp32"), (24, "esp32s3"), (64, "esp32c3"), (16, "esp32c3"), (64, "esp32c2"),
                           (16, "esp32s3")):
            self.assertIn("no key of flash encryption of that length",
                          self.otter("flash", "encrypt", data, "--flash-key", self.key(size), "--chip", chip, status=1))

    def test_places_and_lengths_that_no_cipher_has(self):
        key, chip = self.key(), ("--chip", "esp32")
        data = self.file("c", bytes(32))
        for verb, file, status, said in (("decrypt", self.file("a", bytes(17)), 1, "blocks of 16"),
                                         ("encrypt", self.file("b", b""), 1, "is empty")):
            self.assertIn(said, self.otter("flash", verb, file, "--flash-key", key, *chip, status=status))
        for address, status, said in ((8, 2, "a multiple"), ("0xfffff0", 1, "16 MiB")):
            self.assertIn(said, self.otter("flash", "encrypt", data, "--flash-key", key, *chip, "--address", address,
                                           status=status))
        self.otter("flash", "encrypt", data, "--flash-key", key, *chip, "--crypt-config", "16", status=2)
        said = self.otter("flash", "encrypt", data, "--flash-key", key, "--chip", "esp32s3", "--crypt-config", "3", status=1)
        self.assertIn("--crypt-config is an ESP32's", said)


if __name__ == "__main__":
    unittest.main()
