"""Encrypted images: what `otter image encrypt` makes and takes, by files, and what updates make of them."""
# SPDX-License-Identifier: Apache-2.0
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import unittest

import servers
import test_resume
import test_update
from device import in_full
from files_case import IMAGE, VECTORS, FilesTest, otter
from idf_project import SANITIZED, TOO_LARGE, Project

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


class Sealed:
    """The tests of plain updates, with a server that has all images encrypted."""
    SCHEME = "rsa"
    OPTIONS = ("--decrypt-key", PRIVATE["rsa"])

    @classmethod
    def seal_images(cls):
        cls.plain = cls.work / "images"
        cls.www.rename(cls.plain)
        cls.www.mkdir()
        for image in cls.plain.iterdir():
            test_update.must("image", "encrypt", image, "--key", PUBLIC[cls.SCHEME], "-o", cls.www / image.name)
        super().seal_images()


class GoodUpdates(Sealed, test_update.GoodUpdates):
    pass


@in_full
class GoodUpdatesByEcies(Sealed, test_update.GoodUpdates):
    SCHEME = "ecies"
    OPTIONS = ("--decrypt-key", PRIVATE["ecies"])


@in_full
class InOneUpdate(Sealed, test_resume.InOneUpdate):
    pass


@in_full
class AcrossUpdates(Sealed, test_resume.AcrossUpdates):
    SCHEME = "ecies"
    OPTIONS = ("--decrypt-key", KEYS / "ecies_device_priv.pem")


class Updates(test_update.UpdateCase):
    def serve(self, name, body):
        (self.www / name).write_bytes(body)

    def slot(self):
        return self.flash.read_bytes()[0x110000:0x210000]

    def test_the_key_in_the_efuses_opens(self):
        efuse = pathlib.Path(f"{self.flash}.efuse")
        self.new_esp32_flash()
        with open(efuse, "a", encoding="ascii") as out:
            out.write(f"block_key2={(KEYS / 'ecies_hmac_key.bin').read_bytes().hex()}\nkey_purpose_2=HMAC_UP\n")
        self.serve("x.bin", (ENCIMG / "ecies_ok.bin").read_bytes())
        with servers.HttpsServer(self.www, self.cert) as server:
            for key in ("efuse", "efuse2"):
                done, report = self.update(server.url("x.bin"), "--decrypt-key", key)
                self.assertEqual((done.returncode, report["to_version"]), (0, "1.0.0"), done.stderr)
            done, report = self.update(server.url("x.bin"), "--decrypt-key", "efuse3")
            self.assertEqual(done.returncode, 1)
            self.assertIn("the eFuse file has no such key: it needs block_key3 and key_purpose_3=HMAC_UP", done.stderr)

    def test_signed_then_encrypted(self):
        key, public = self.work / "signing.pem", self.work / "signing.pub.pem"
        for path in (key, public):
            path.unlink(missing_ok=True)
        test_update.must("key", "new", key)
        test_update.must("key", "public", key, "-o", public)
        for signed in (True, False):
            image = self.www / "app2.bin"
            if signed:
                image = self.www / "signed.bin"
                test_update.must("image", "sign", self.www / "app2.bin", "--key", key, "-o", image)
            test_update.must("image", "encrypt", image, "--key", PUBLIC["rsa"], "-o", self.www / "x.bin")
            with servers.HttpsServer(self.www, self.cert) as server:
                done, report = self.update(server.url("x.bin"), "--decrypt-key", PRIVATE["rsa"], "--key", public)
            if signed:
                self.assertEqual((done.returncode, self.boots()), (0, "ota_0"), done.stderr)
                self.setUp()
            else:
                self.check_refused(done, report, "ESP_ERR_OTA_VALIDATE_FAILED", "verify", "the image is not signed")

    def test_what_is_wrong_leaves_the_slot_erased(self):
        good = (self.www / "app2.bin").read_bytes()
        test_update.must("image", "encrypt", self.www / "app2.bin", "--key", PUBLIC["rsa"], "-o", self.www / "good.bin")
        test_update.must("image", "encrypt", self.www / "large.bin", "--key", PUBLIC["rsa"], "-o", self.www / "larger.bin")
        sealed = (self.www / "good.bin").read_bytes()

        def changed(at, by=b"\x01"):
            out = bytearray(sealed)
            out[at:at + len(by)] = by
            return bytes(out)

        length = (len(good) - 1).to_bytes(4, "little")
        rows = [  # file, code, stage, words; before the first erase, or what was written is gone
            (changed(0), "ESP_ERR_OTA_VALIDATE_FAILED", "download", "this is no encrypted image: it begins with 01"),
            (good, "ESP_ERR_OTA_VALIDATE_FAILED", "download", "this is no encrypted image: it begins with e9"),
            (sealed[:300], "ESP_ERR_OTA_VALIDATE_FAILED", "download", "within the header of an encrypted image (512)"),
            (sealed[:-1], "ESP_ERR_OTA_VALIDATE_FAILED", "gate", "bytes, and its header announces an image of 300"),
            (changed(404, b"\0\0\0\x80"), "ESP_ERR_OTA_VALIDATE_FAILED", "gate", "an image of 2147483648"),
            ((self.www / "larger.bin").read_bytes(), "ESP_ERR_INVALID_SIZE", "gate", "partition ota_0 only 1048576"),
            (changed(100, b"\0\0\0\0"), "ESP_ERR_OTA_VALIDATE_FAILED", "download", "another key than this one (RSA-3072)"),
            (changed(404, length), "ESP_ERR_OTA_VALIDATE_FAILED", "download", "the file goes on behind the"),
            (sealed + b"more", "ESP_ERR_OTA_VALIDATE_FAILED", "download", "the file goes on behind the"),
            (changed(408), "ESP_ERR_OTA_VALIDATE_FAILED", "download", "the tag of the encrypted image does not fit"),
            (changed(408, sealed[424:440] + sealed[408:424]), "ESP_ERR_OTA_VALIDATE_FAILED", "download", "the tag"),
            (changed(len(sealed) - 1, bytes([sealed[-1] ^ 1])), "ESP_ERR_OTA_VALIDATE_FAILED", "download", "the tag"),
            (changed(200_000, bytes([sealed[200_000] ^ 1])), "ESP_ERR_OTA_VALIDATE_FAILED", "download", "the tag"),
        ]
        for body, code, stage, words in rows:
            with self.subTest(words), servers.HttpsServer(self.www, self.cert) as server:
                self.setUp()
                self.serve("x.bin", body)
                before = self.slot()
                done, report = self.update(server.url("x.bin"), "--decrypt-key", PRIVATE["rsa"])
                self.check_refused(done, report, code, stage, words)
                self.assertEqual(self.slot(), before if stage == "gate" else b"\xff" * len(before))

    def test_a_file_that_is_encrypted_is_named_where_no_key_is_given(self):
        self.serve("x.bin", (ENCIMG / "rsa_ok.bin").read_bytes())
        with servers.HttpsServer(self.www, self.cert) as server:
            done, report = self.update(server.url("x.bin"))
        self.check_refused(done, report, "ESP_ERR_OTA_VALIDATE_FAILED", "gate", "an image encrypted for esp_encrypted_img")
        self.assertIn("otter update --decrypt-key", test_update.otter("image", "info", self.www / "x.bin").stdout)


@unittest.skipIf(SANITIZED, TOO_LARGE)
class Firmware(unittest.TestCase):
    """A project in ESP-IDF's form decrypts by itself, with esp_encrypted_img and decrypt_cb."""

    def check_firmware(self, files, efuse, *options):
        project = Project("encrypted_ota", files)
        self.addCleanup(project.remove)
        www = project.folder / "www"
        www.mkdir()
        for version in ("2.0.0", "1.0.0"):
            project.build("--build-dir", project.folder / version, "-D", f"PROJECT_VER={version}", *options)
        shutil.copy(project.folder / "2.0.0" / "encrypted_ota_secure.bin", www / "good.bin")
        damaged = bytearray((www / "good.bin").read_bytes())
        damaged[-1] ^= 1
        (www / "bad.bin").write_bytes(damaged)
        (www / "plain.bin").write_bytes((project.folder / "2.0.0" / "encrypted_ota.bin").read_bytes())
        project.out = project.folder / "1.0.0"
        with servers.HttpsServer(www, project.cert) as server:
            urls = [server.url(f"/{name}.bin", host="localhost") for name in ("plain", "bad", "good")]
            done = project.run("--new", *efuse(project), "--expect", "2.0.0", console="\n".join(urls) + "\n")
            self.check_cuts(project, efuse(project), urls[-1] + "\n")
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)
        self.assertIn("esp_encrypted_img: Magic Verification failed", done.stdout)
        self.assertIn("esp_encrypted_img: Invalid Auth", done.stdout)
        self.assertEqual(done.stdout.count("no update: ESP_FAIL"), 2)
        self.assertEqual(done.stdout.count("the update is in place"), 1)

    def check_cuts(self, project, options, console):
        """Power goes in the middle of some flash operations: the device still starts, and the next update arrives."""
        told = project.run("--new", *options, "--cut-after", "1000000", console=console).stdout
        total = int(re.search(r"the run made (\d+) flash operations", told)[1])
        self.assertGreater(total, 30)
        for n in [*range(1, total, max(1, total // 6)), total]:
            cut = project.run("--new", *options, "--cut-after", str(n), console=console)
            self.assertIn("power was cut", cut.stdout, f"{n} of {total}")
            done = project.run(*options, "--expect", "2.0.0", console=console)
            self.assertEqual(done.returncode, 0, f"{n} of {total}: {done.stdout}{done.stderr}")

    @in_full
    def test_by_rsa(self):
        self.check_firmware({"private.pem": PRIVATE["rsa"].read_text()}, lambda _: ())

    @in_full
    def test_by_ecies_with_the_key_in_the_efuses(self):
        def efuse(project):
            path = project.folder / "chip.efuse"
            path.write_text(f"block_key2={PRIVATE['ecies'].read_bytes().hex()}\nkey_purpose_2=HMAC_UP\n")
            return "--efuse", path

        defaults = (test_update.SOURCE / "examples" / "idf" / "encrypted_ota" / "sdkconfig.defaults").read_text()
        self.check_firmware({"device.pub.pem": PUBLIC["ecies"].read_text(),
                             "sdkconfig.defaults": defaults + "CONFIG_PRE_ENCRYPTED_OTA_USE_ECIES=y\n"}, efuse)


if __name__ == "__main__":
    unittest.main()
