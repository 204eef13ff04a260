"""Encrypted images: what `otter image encrypt` makes and takes, by files, and what updates make of them."""
# SPDX-License-Identifier: Apache-2.0
import json
import os
import pathlib
import shutil
import subprocess
import sys
import unittest

from files_case import IMAGE, VECTORS, FilesTest, otter

ENCIMG = VECTORS / "encimg"
KEYS = ENCIMG / "keys"
HEADER = 512
PRIVATE = {"rsa": KEYS / "rsa_priv.pem", "ecies": KEYS / "ecies_hmac_key.bin"}
PUBLIC = {"rsa": KEYS / "rsa_pub.pem", "ecies": KEYS / "ecies_device_pub.pem"}
# The vendor's own tool (esp_enc_img_gen.py of the component esp_encrypted_img), where a machine has it.
VENDOR_TOOL = os.environ.get("ESP_ENC_IMG_GEN") or shutil.which("esp_enc_img_gen.py")


class Files(FilesTest):
    def encrypt(self, image, key, name="encrypted.bin"):
        out = self.folder / name
        run = otter("image", "encrypt", image, "--key", key, "-o", out)
        self.assertEqual(run.returncode, 0, run.stderr)
        return out

    def empty(self):
        (self.folder / "empty").touch()
        return self.folder / "empty"

    def decrypt(self, file, key, *options):
        run = otter("image", "decrypt", file, "--key", key, "-o", "-", *options)
        self.assertEqual(run.returncode, 0, run.stderr)
        return run.stdout

    def test_what_is_encrypted_is_decrypted_and_never_the_same(self):
        for scheme, public in PUBLIC.items():
            for image in (IMAGE, ENCIMG / "plain_37.bin", self.empty()):
                bytes_of = pathlib.Path(image).read_bytes()
                first, second = self.encrypt(image, public), self.encrypt(image, public, "second.bin")
                self.assertEqual(self.decrypt(first, PRIVATE[scheme]), bytes_of)
                self.assertEqual(self.decrypt(second, PRIVATE[scheme]), bytes_of)
                one, two = first.read_bytes(), second.read_bytes()
                self.assertEqual(len(one), HEADER + len(bytes_of))
                self.assertEqual(one[404:408], len(bytes_of).to_bytes(4, "little"))
                for part in (slice(4, 68), slice(388, 404)):  # keys and IVs are new each time
                    self.assertNotEqual(one[part], two[part])
                if len(bytes_of) > 0:
                    self.assertNotEqual(one[HEADER:], two[HEADER:])

    def test_each_form_of_a_key_opens(self):
        efuse = self.folder / "chip.efuse"
        efuse.write_text(f"block_key4={(KEYS / 'ecies_hmac_key.bin').read_bytes().hex()}\nkey_purpose_4=HMAC_UP\n")
        rows = [("ecies_ok", KEYS / "ecies_device_priv.pem", ()), ("ecies_ok", KEYS / "ecies_hmac_key.bin", ()),
                ("ecies_ok", "efuse", ("--efuse", efuse)), ("ecies_ok", "efuse4", ("--efuse", efuse)),
                ("rsa_ok", KEYS / "rsa_priv.pem", ())]
        for file, key, options in rows:
            self.assertEqual(self.decrypt(ENCIMG / f"{file}.bin", key, *options), IMAGE.read_bytes())
        locked, secret = self.folder / "locked.pem", self.folder / "secret"
        secret.write_text("correct horse\n")
        subprocess.run(["openssl", "pkey", "-in", KEYS / "rsa_priv.pem", "-aes256", "-passout", f"file:{secret}", "-out", locked],
                       check=True, capture_output=True, timeout=60)
        self.assertEqual(self.decrypt(ENCIMG / "rsa_ok.bin", locked, "--passphrase-file", secret), IMAGE.read_bytes())

    def test_what_is_wrong_is_told_and_nothing_is_written(self):
        short, long, other, p384, empty = (self.folder / name for name in ("31", "33", "rsa2048.pem", "p384.pem", "empty.efuse"))
        hmac = (KEYS / "ecies_hmac_key.bin").read_bytes()
        short.write_bytes(hmac[:31])
        long.write_bytes(hmac + b"\0")
        empty.write_text(f"block_key1={hmac.hex()}\n")
        subprocess.run(["openssl", "genrsa", "-out", other, "2048"], check=True, capture_output=True, timeout=60)
        subprocess.run(["openssl", "ecparam", "-genkey", "-noout", "-name", "secp384r1", "-out", p384], check=True,
                       capture_output=True, timeout=60)
        rsa, ecies = PRIVATE["rsa"], PRIVATE["ecies"]
        moved = bytearray((ENCIMG / "rsa_ok.bin").read_bytes())
        moved[408:424], moved[424:440] = moved[424:440], moved[408:424]
        (self.folder / "tag_moved").write_bytes(moved)
        rows = [
            (ENCIMG / "rsa_bad_magic.bin", rsa, "it begins with ce b6 88 07, not cf b6 88 07"),
            (IMAGE, rsa, "this is no encrypted image: it begins with e9"),
            (self.empty(), rsa, "the file ends after 0 bytes, within the header of an encrypted image (512)"),
            (ENCIMG / "rsa_short_header.bin", rsa, "the file ends after 300 bytes"),
            (ENCIMG / "rsa_truncated.bin", rsa, "the file ends after 783 of the 784 bytes that its header announces"),
            (ENCIMG / "rsa_size_plus1.bin", rsa, "the file ends after 784 of the 785 bytes"),
            (ENCIMG / "rsa_size_minus1.bin", rsa, "1 bytes follow its end, which the header announces at 1295"),
            (ENCIMG / "rsa_trailing_bytes.bin", rsa, "10 bytes follow its end"),
            (ENCIMG / "rsa_bad_tag.bin", rsa, "the tag of the encrypted image does not fit"),
            (self.folder / "tag_moved", rsa, "the tag of the encrypted image does not fit"),
            (ENCIMG / "rsa_bad_iv.bin", rsa, "the tag of the encrypted image does not fit"),
            (ENCIMG / "rsa_bad_cipher_bit.bin", rsa, "the tag of the encrypted image does not fit"),
            (ENCIMG / "ecies_bad_salt.bin", ecies, "the tag of the encrypted image does not fit"),
            (ENCIMG / "ecies_bad_iv.bin", ecies, "the tag of the encrypted image does not fit"),
            (ENCIMG / "ecies_bad_key_area.bin", ecies, "for another key than this one (on P-256), or its header is damaged"),
            (ENCIMG / "rsa_ok.bin", ecies, "it looks like one for RSA-3072"),
            (ENCIMG / "rsa_ok.bin", other, "this is a key of type RSA with 2048 bits; images are encrypted for RSA of 3072 bits"),
            (ENCIMG / "ecies_ok.bin", p384, "this is a key of type EC with 384 bits on secp384r1"),
            (ENCIMG / "ecies_ok.bin", short, "it has 31 bytes: an HMAC key has 32"),
            (ENCIMG / "ecies_ok.bin", long, "it has 33 bytes: an HMAC key has 32"),
            (ENCIMG / "rsa_ok.bin", PUBLIC["rsa"], "this is a public key, and the private one is needed"),
            (ENCIMG / "rsa_ok.bin", IMAGE, "there is no key in it"),
            (ENCIMG / "rsa_ok.bin", self.folder / "none.pem", "No such file"),
            (ENCIMG / "ecies_ok.bin", "efuse", "--efuse names the file that it is in"),
        ]
        out = self.folder / "out.bin"
        for file, key, words in rows:
            with self.subTest(file=str(file), key=str(key)):
                self.fails(otter("image", "decrypt", file, "--key", key, "-o", out), words)
                self.assertFalse(out.exists())
        for block in ("efuse", "efuse1", "efuse5"):  # block 1 has another purpose
            self.fails(otter("image", "decrypt", ENCIMG / "ecies_ok.bin", "--key", block, "--efuse", empty, "-o", out),
                       "the eFuse file has no such key")
        self.fails(otter("image", "encrypt", IMAGE, "--key", other, "-o", out), "RSA with 2048 bits")
        self.fails(otter("image", "encrypt", IMAGE, "--key", IMAGE, "-o", out), "there is no key in it")
        self.fails(otter("image", "encrypt", self.folder / "none", "--key", PUBLIC["rsa"], "-o", out), "cannot open it")
        self.assertFalse(out.exists())

    def test_info_names_them(self):
        for name, valid, said in (("rsa_ok", True, "RSA-3072"), ("ecies_ok", True, "a key on P-256 (ECIES)"),
                                  ("rsa_truncated", False, "announces 1296 bytes of file, and there are 1295"),
                                  ("rsa_trailing_bytes", False, "announces 1296 bytes of file, and there are 1306"),
                                  ("rsa_short_header", False, "ends within its header, after 300 of 512 bytes")):
            run = otter("image", "info", ENCIMG / f"{name}.bin")
            self.assertEqual(run.returncode, 0 if valid else 1, run)
            self.assertIn("encrypted image (esp_encrypted_img)", run.stdout.decode())
            self.assertIn(said, run.stdout.decode())
            told = json.loads(otter("image", "info", ENCIMG / f"{name}.bin", "--json").stdout)
            self.assertEqual((told["kind"], told["valid"]), ("encrypted", valid))
            if name != "rsa_short_header":
                self.assertEqual((told["encrypted"]["length"], told["encrypted"]["seems_for"]),
                                 (784, "ecies" if name == "ecies_ok" else "rsa3072"))
        self.fails(otter("image", "verify", ENCIMG / "rsa_ok.bin"), "it is encrypted: `otter image decrypt` comes before")

    @unittest.skipUnless(VENDOR_TOOL, "the vendor's tool is not there (ESP_ENC_IMG_GEN names it)")
    def test_the_vendors_tool_reads_ours_and_we_read_its(self):
        private = {**PRIVATE, "ecies": KEYS / "ecies_device_priv.pem"}
        for scheme in PUBLIC:
            out, theirs = self.folder / "out", self.folder / "theirs"
            subprocess.run([sys.executable, VENDOR_TOOL, "decrypt", self.encrypt(IMAGE, PUBLIC[scheme]), private[scheme], out],
                           check=True, capture_output=True, timeout=60)
            self.assertEqual(out.read_bytes(), IMAGE.read_bytes())
            subprocess.run([sys.executable, VENDOR_TOOL, "encrypt", IMAGE, PUBLIC[scheme], theirs], check=True,
                           capture_output=True, timeout=60)
            self.assertEqual(self.decrypt(theirs, PRIVATE[scheme]), IMAGE.read_bytes())


if __name__ == "__main__":
    unittest.main()
