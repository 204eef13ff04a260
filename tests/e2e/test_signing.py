"""`otter key` and `otter image sign`: what otter signs espsecure verifies, and the reverse, for every scheme."""
# SPDX-License-Identifier: Apache-2.0
import glob
import hashlib
import importlib.util
import json
import os
import pathlib
import pty
import select
import shutil
import stat
import subprocess
import sys
import tempfile
import termios
import time
import unittest

from device import in_full
from exit_memory import memory_at_exit, secrets_of

SOURCE = pathlib.Path(os.environ.get("OTTER_SOURCE", pathlib.Path(__file__).parents[2]))
OTTER = pathlib.Path(os.environ.get("OTTER_BUILD", SOURCE / "build")) / "otter"
VECTORS = SOURCE / "tests" / "vectors"
IS_SANITIZED = "OTTER_SANITIZE:BOOL=ON" in (OTTER.parent / "CMakeCache.txt").read_text(encoding="utf-8")
SIGNED = VECTORS / "signed"
KEYS = SIGNED / "keys"
WAIT_S = 60
BLOCK, SECTOR = 1216, 4096


def espsecure_command():
    """How to call espsecure, None where it is not installed."""
    if importlib.util.find_spec("espsecure") is not None:
        return [sys.executable, "-m", "espsecure"]
    for name in ("espsecure", "espsecure.py"):
        if shutil.which(name):
            return [name]
    return None


class SigningTest(unittest.TestCase):
    def setUp(self):
        self.work = pathlib.Path(tempfile.mkdtemp(prefix="otter-sign-"))
        self.addCleanup(shutil.rmtree, self.work)

    def otter(self, *args, status=0, **kwargs):
        done = subprocess.run([OTTER, *map(str, args)], capture_output=True, text=True, timeout=WAIT_S, check=False, **kwargs)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def key(self, scheme, name=None):
        """A private key and its public part."""
        path = self.work / f"{name or scheme}.pem"
        self.otter("key", "new", path, "--scheme", scheme)
        public = path.with_suffix(".pub.pem")
        self.otter("key", "public", path, "-o", public)
        return path, public

    def sign(self, image, *keys, name="signed.bin", **kwargs):
        out = self.work / name
        self.otter("image", "sign", image, *[word for key in keys for word in ("--key", key)], "-o", out, **kwargs)
        return out


# The image of a chip that has the scheme.
SCHEMES = {"rsa3072": "image/esp32s3_valid.bin", "ecdsa256": "signed/ec256_c5.bin", "ecdsa384": "signed/ec384_c5.bin",
           "ecdsa192": "signed/ec192_c2.bin"}


class Vectors(SigningTest):
    def test_verdicts_on_recorded_images_are_those_of_espsecure(self):
        stricter = {"rsa_a_version3": "no ROM takes an RSA block of version 3",
                    "rsa_a_rinv_changed": "the constants for the hardware are part of the key's identity"}
        for name, file in json.loads((SIGNED / "expected.json").read_text())["files"].items():
            for key in "ab":
                want = file.get(f"espsecure_verify_rsa_{key}")
                if want is None:
                    continue
                with self.subTest(file=name, key=key):
                    want = want and name not in stricter
                    self.otter("image", "verify", SIGNED / f"{name}.bin", "--key", KEYS / f"rsa_{key}.pub.pem",
                               status=0 if want else 1)

    def test_digests_are_those_of_espsecure(self):
        for name in ("rsa_a", "rsa_b", "rsa_c", "ec192", "ec256", "ec384"):
            want = (KEYS / f"{name}.pubdigest.bin").read_bytes()
            for file in (f"{name}.pem", f"{name}.pub.pem"):
                self.assertEqual(self.otter("key", "digest", KEYS / file).strip(), want.hex())
            out = self.work / "digest"
            self.otter("key", "digest", KEYS / f"{name}.pem", "-o", out)
            self.assertEqual(out.read_bytes(), want)

    def test_the_raw_key_of_the_first_scheme(self):
        out = self.work / "v1.bin"
        self.otter("key", "public", KEYS / "v1_ec256.pem", "--v1", "-o", out)
        self.assertEqual(out.read_bytes(), (KEYS / "v1_ec256.pub.bin").read_bytes())

    def test_all_but_the_signature_is_byte_for_byte_as_espsecure_makes_it(self):
        for scheme, key, signature in (("rsa_a", "rsa_a", slice(812, 1200)), ("ec384_c5", "ec384", slice(149, 1200)),
                                       ("ec256_c5", "ec256", slice(101, 1200))):
            with self.subTest(scheme=scheme):
                theirs = bytearray((SIGNED / f"{scheme}.bin").read_bytes())
                plain = self.work / "plain.bin"
                plain.write_bytes(theirs[:-SECTOR])
                ours = bytearray(self.sign(plain, KEYS / f"{key}.pem").read_bytes())
                for data in (ours, theirs):
                    data[len(data) - SECTOR:][signature] = b""
                    del data[len(data) - SECTOR + signature.start:len(data) - SECTOR + signature.stop]
                self.assertEqual(ours, theirs)


class Signing(SigningTest):
    def test_every_scheme_signs_and_verifies(self):
        for scheme, image in SCHEMES.items():
            with self.subTest(scheme=scheme):
                key, public = self.key(scheme)
                other = KEYS / (scheme.replace("ecdsa", "ec").replace("rsa3072", "rsa_a") + ".pub.pem")
                signed = self.sign(VECTORS / image, key, name=scheme + ".bin") if "signed" not in image else \
                    self.replace(VECTORS / image, key, scheme + ".bin")
                self.otter("image", "verify", signed, "--key", public)
                self.assertIn("is not trusted", self.otter("image", "verify", signed, "--key", other, status=1))

    def replace(self, image, key, name):
        out = self.work / name
        self.otter("image", "sign", image, "--replace", "--key", key, "-o", out)
        return out

    def test_up_to_three_keys_sign_one_image(self):
        keys = [*(KEYS / f"rsa_{name}.pem" for name in "abc"), self.key("rsa3072")[0]]  # to make one takes a while
        signed = self.sign(VECTORS / "image/esp32s3_valid.bin", *keys[:2])
        more = self.sign(signed, keys[2], name="more.bin")
        for key in keys[:3]:
            self.otter("image", "verify", more, "--key", key)
        self.assertIn("no room for more", self.otter("image", "sign", more, "--key", keys[3], "-o", self.work / "x", status=1))
        self.assertIn("has signed this image already",
                      self.otter("image", "sign", signed, "--key", keys[0], "-o", self.work / "x", status=1))
        self.assertEqual(signed.read_bytes()[:-SECTOR + 2 * BLOCK], more.read_bytes()[:-SECTOR + 2 * BLOCK])
        fresh = self.replace(more, keys[3], "fresh.bin")
        self.assertIn("is not trusted", self.otter("image", "verify", fresh, "--key", keys[0], status=1))
        self.assertFalse((self.work / "x").exists())

    def test_a_note_tells_whose_block_devices_without_secure_boot_look_at(self):
        unsigned, key, other, out = VECTORS / "image/esp32s3_valid.bin", KEYS / "rsa_a.pem", KEYS / "rsa_b.pem", self.work / "out"
        signed = self.sign(unsigned, key, name="by_a.bin")
        digest = {name: (KEYS / f"rsa_{name}.pubdigest.bin").read_bytes().hex()[:16] for name in "ab"}
        for image, options, first in ((unsigned, ["--key", key], None), (unsigned, ["--key", key, "--key", other], "a"),
                                      (unsigned, ["--key", other, "--key", key], "b"), (signed, ["--key", other], "a"),
                                      (signed, ["--replace", "--key", other], "b"), (signed, ["--replace", "--key", key], None)):
            with self.subTest(image=image.name, options=options):
                said = self.otter("image", "sign", image, *options, "-o", out)
                self.assertEqual("look at block 0 alone" in said, first is not None, said)
                self.assertIn(f"which has key {digest[first]}..." if first else "1 signature", said)

    def test_a_sector_of_something_else_is_not_signed_over(self):
        image = (VECTORS / "image/esp32s3_valid.bin").read_bytes()
        behind, out = self.work / "behind.bin", self.work / "x"
        behind.write_bytes(image + b"\xff" * (-len(image) % SECTOR) + b"A" * SECTOR)
        key = KEYS / "rsa_a.pem"
        for options in ([], ["--replace"]):
            self.assertIn("holds no signature", self.otter("image", "sign", behind, "--key", key, *options, "-o", out, status=1))
        self.assertFalse(out.exists())

    def test_info_shows_each_block(self):
        shown = json.loads(self.otter("image", "info", "--json", SIGNED / "rsa__bc_block0_erased.bin"))["signature"]
        self.assertEqual((shown["version"], shown["scheme"], shown["offset"], shown["blocks"]), (2, "RSA-3072", 4096, 2))
        self.assertEqual([key["block"] for key in shown["keys"]], [1, 2])
        for key, name in zip(shown["keys"], ("rsa_b", "rsa_c")):
            self.assertTrue(key["valid"])
            self.assertEqual(key["key_digest"], (KEYS / f"{name}.pubdigest.bin").read_bytes().hex())
        bad = json.loads(self.otter("image", "info", "--json", SIGNED / "rsa_a_sig_bad.bin"))["signature"]["keys"][0]
        self.assertEqual((bad["valid"], bad["error"]), (False, "the signature does not match"))
        first = json.loads(self.otter("image", "info", "--json", SIGNED / "v1_ecdsa.bin"))["signature"]
        self.assertEqual((first["version"], first["keys"][0]["valid"]), (1, None))
        self.assertIn("present, not checked", self.otter("image", "info", SIGNED / "v1_ecdsa.bin"))

    def test_the_first_scheme(self):
        key, public = self.key("ecdsa256")
        out = self.work / "v1.bin"
        self.otter("image", "sign", VECTORS / "image/esp32_valid.bin", "--v1", "--key", key, "-o", out)
        self.assertEqual(len(out.read_bytes()), 784 + 68)
        self.otter("image", "verify", out, "--v1", "--key", public)
        self.assertIn("signature does not match",
                      self.otter("image", "verify", out, "--v1", "--key", KEYS / "v1_ec256.pem", status=1))

    def test_any_bytes_are_signed_as_data(self):
        data = self.work / "data"
        data.write_bytes(b"x" * 5000)
        key = KEYS / "rsa_a.pem"
        out = self.work / "data.signed"
        self.assertIn("--data signs any bytes", self.otter("image", "sign", data, "--key", key, "-o", out, status=1))
        self.otter("image", "sign", data, "--data", "--key", key, "-o", out)
        signed = out.read_bytes()
        self.assertEqual(signed[:2 * SECTOR], b"x" * 5000 + b"\xff" * (2 * SECTOR - 5000))
        self.assertEqual(signed[2 * SECTOR + 4:2 * SECTOR + 36], hashlib.sha256(signed[:2 * SECTOR]).digest())


class Elsewhere(SigningTest):
    """With a key that never comes near otter: openssl signs the hash."""

    def sign_elsewhere(self, image, key, public, options):
        digest, sig, out = self.work / "digest", self.work / "sig", self.work / "out.bin"
        self.otter("image", "sign", image, "--replace", "--digest-out", digest, "--public-key", public)
        subprocess.run(["openssl", "pkeyutl", "-sign", "-inkey", key, "-in", digest, "-out", sig, *options], check=True,
                       capture_output=True, timeout=WAIT_S)
        self.otter("image", "sign", image, "--replace", "--signature", sig, "--public-key", public, "-o", out)
        self.otter("image", "verify", out, "--key", public)
        return digest, sig

    def test_openssl_signs(self):
        pss = ["-pkeyopt", "digest:sha256", "-pkeyopt", "rsa_padding_mode:pss", "-pkeyopt", "rsa_pss_saltlen:32"]
        for scheme, options in (("rsa3072", pss), ("ecdsa256", []), ("ecdsa384", [])):
            with self.subTest(scheme=scheme):
                self.sign_elsewhere(VECTORS / SCHEMES[scheme], *self.key(scheme), options)

    def test_a_signature_of_something_else_is_refused(self):
        key, public = self.key("ecdsa256")
        _, other = self.key("ecdsa256", "other")
        image, out = VECTORS / SCHEMES["ecdsa256"], self.work / "x"
        _, sig = self.sign_elsewhere(image, key, public, [])
        for named, signature, why in ((other, sig, "the signature does not match"),
                                      (public, KEYS / "ec256.pubdigest.bin", "no signature of ECDSA P-256"),
                                      (public, image, "more than the 4096 this can be"),
                                      (public, self.work / "none", "No such file")):
            self.assertIn(why, self.otter("image", "sign", image, "--replace", "--signature", signature, "--public-key",
                                          named, "-o", out, status=1))
            self.assertFalse(out.exists())


@unittest.skipUnless(shutil.which("softhsm2-util") and glob.glob("/usr/lib/*/engines-3/pkcs11.so"),
                     "softhsm2 and libengine-pkcs11-openssl are not installed")
class Card(SigningTest):
    """With a key in a card, which SoftHSM plays: it never leaves it."""

    def setUp(self):
        super().setUp()
        (self.work / "tokens").mkdir()
        (self.work / "softhsm2.conf").write_text(f"directories.tokendir = {self.work}/tokens\nobjectstore.backend = file\n")
        (self.work / "pin").write_text("1234\n")
        self.env = {**os.environ, "SOFTHSM2_CONF": str(self.work / "softhsm2.conf"),
                    "PKCS11_MODULE_PATH": "/usr/lib/softhsm/libsofthsm2.so",
                    "ASAN_OPTIONS": "detect_leaks=0"}  # OpenSSL's engine for cards leaks its methods
        self.softhsm("--init-token", "--free", "--label", "otter", "--so-pin", "5678")

    def softhsm(self, *args):
        subprocess.run(["softhsm2-util", *args, "--pin", "1234"], env=self.env, check=True, capture_output=True, timeout=WAIT_S)

    def test_a_card_signs(self):
        for number, scheme in enumerate(("rsa3072", "ecdsa256", "ecdsa384")):
            with self.subTest(scheme=scheme):
                key, public = self.key(scheme)
                self.softhsm("--import", key, "--token", "otter", "--label", scheme, "--id", f"0{number}")
                uri, out = f"pkcs11:token=otter;object={scheme}", self.work / "out.bin"
                self.otter("image", "sign", VECTORS / SCHEMES[scheme], "--replace", "--key", uri, "--passphrase-file",
                           self.work / "pin", "-o", out, env=self.env)
                self.otter("image", "verify", out, "--key", public)
                self.assertEqual(self.otter("key", "digest", uri, env=self.env), self.otter("key", "digest", public))
                self.otter("key", "public", uri, "-o", self.work / "its.pem", env=self.env)
                self.assertEqual((self.work / "its.pem").read_bytes(), public.read_bytes())
                os.unlink(out)

    def test_what_is_missing_is_told(self):
        (self.work / "wrong").write_text("9999\n")
        key, _ = self.key("ecdsa256")
        self.softhsm("--import", key, "--token", "otter", "--label", "here", "--id", "01")
        for name, pin, why in (("here", "wrong", "or its PIN is another"), ("here", "none", "the passphrase file"),
                               ("gone", "pin", "no card that OpenSSL's engine pkcs11 reaches has such a key")):
            said = self.otter("image", "sign", VECTORS / SCHEMES["ecdsa256"], "--replace", "--key",
                              f"pkcs11:token=otter;object={name}", "--passphrase-file", self.work / pin, "-o",
                              self.work / "x", status=1, env=self.env)
            self.assertIn(why, said)
            self.assertEqual(said.count("\n"), 1, said)
            self.assertFalse((self.work / "x").exists())
        for driver, why in (("", "names no driver"), ("/nowhere.so", "cannot be loaded"), (OTTER, "cannot be loaded"),
                            (self.library("libc.so.6"), "is no driver of cards")):
            said = self.otter("key", "digest", "pkcs11:token=otter;object=here", "--passphrase-file", self.work / "pin", status=1,
                              env={**self.env, "PKCS11_MODULE_PATH": str(driver)})
            self.assertRegex(said, f"^otter key digest: pkcs11:.*: PKCS11_MODULE_PATH is .*{why}.*\n$")
        self.assertEqual(self.otter("key", "digest", f"file:{key}"), self.otter("key", "digest", key))
        self.assertEqual(self.otter("key", "digest", f"file://{key}"), self.otter("key", "digest", key))

    @staticmethod
    def library(name):
        """The path of a library that this program uses itself."""
        with open("/proc/self/maps", encoding="utf-8") as maps:
            return next(line.split()[-1] for line in maps if line.rstrip().endswith("/" + name))


class Keys(SigningTest):
    def test_a_private_key_is_for_its_owner_alone(self):
        os.umask(0)
        key, public = self.key("ecdsa256")
        self.assertEqual(stat.S_IMODE(key.stat().st_mode), 0o600)
        self.assertNotIn("PRIVATE", public.read_text())
        before = key.read_bytes()
        self.assertIn("no key is ever overwritten", self.otter("key", "new", key, status=1))
        self.assertEqual(key.read_bytes(), before)

    def test_no_output_goes_over_a_private_key(self):
        key, public = self.key("rsa3072")
        image = VECTORS / SCHEMES["rsa3072"]
        other = self.work / "other.pem"
        other.symlink_to(key.name)
        der = self.work / "key.der"
        subprocess.run(["openssl", "pkey", "-in", key, "-outform", "DER", "-out", der], check=True, timeout=WAIT_S)
        for secret in key, other, der:
            before = secret.read_bytes()
            for command in (("key", "public", key, "-o", secret), ("key", "digest", key, "-o", secret),
                            ("image", "sign", image, "--key", key, "-o", secret),
                            ("image", "sign", image, "--digest-out", secret)):
                with self.subTest(secret=secret.name, command=command[:2]):
                    self.assertIn("it is a private key, which nothing overwrites", self.otter(*command, status=1))
                    self.assertEqual(secret.read_bytes(), before)
        self.otter("key", "public", key, "-o", public)  # any other file is replaced

    @unittest.skipIf(IS_SANITIZED, "a sanitizer must be the first library of a program")
    @in_full
    def test_who_is_killed_leaves_no_half_of_anything(self):
        """In each call that writes: what has its name is whole, or what it was; and no key is for others to read."""
        os.umask(0)
        key, public = self.key("rsa3072")
        image, place, fresh = VECTORS / SCHEMES["rsa3072"], self.work / "out", self.work / "fresh.pem"
        for command, out in ((("key", "new", fresh, "--scheme", "ecdsa256"), fresh), (("key", "public", key, "-o", place), place),
                             (("image", "sign", image, "--key", key, "-o", place), place)):
            for call in "write", "fsync", "close", "rename", "linkat":
                for nth in range(1, 40):
                    fresh.unlink(missing_ok=True)
                    place.write_bytes(b"before")
                    done = subprocess.run([OTTER, *command], capture_output=True, timeout=WAIT_S, check=False, env=os.environ | {
                        "LD_PRELOAD": str(OTTER.parent / "tests" / "libshort_of.so"), "SHORT_OF": f"{call} {nth} -9"})
                    with self.subTest(command=command[:2], call=call, nth=nth):
                        if out.exists() and out.read_bytes() != b"before":
                            if out.suffix == ".pem" or command[0] == "key":
                                self.otter("key", "digest", out)
                            else:
                                self.otter("image", "verify", out, "--key", public)
                        for file in self.work.iterdir():
                            if b"PRIVATE KEY" in file.read_bytes():
                                self.assertEqual(file.stat().st_mode & 0o077, 0, file)
                    if done.returncode == 0:
                        break
                self.assertEqual(done.returncode, 0)

    def test_an_encrypted_key_needs_its_passphrase(self):
        secret, wrong = self.work / "secret", self.work / "wrong"
        secret.write_text("open sesame\n")
        wrong.write_text("open barley\n")
        key = self.work / "key.pem"
        self.otter("key", "new", key, "--scheme", "ecdsa256", "--passphrase-file", secret)
        self.assertIn("ENCRYPTED", key.read_text())
        image, out = VECTORS / SCHEMES["ecdsa256"], self.work / "out"
        self.otter("image", "sign", image, "--replace", "--key", key, "--passphrase-file", secret, "-o", out)
        self.otter("image", "verify", out, "--key", KEYS / "ec256.pem", status=1)
        for file, why in ((wrong, "the passphrase does not open it"), (self.work / "none", "the passphrase file")):
            said = self.otter("image", "sign", image, "--replace", "--key", key, "--passphrase-file", file, "-o",
                              self.work / "x", status=1)
            self.assertIn(why, said)

    def test_a_terminal_is_asked_for_the_passphrase(self):
        secret, key, out = self.work / "secret", self.work / "key.pem", self.work / "out"
        secret.write_text("open sesame\n")
        self.otter("key", "new", key, "--scheme", "ecdsa256", "--passphrase-file", secret)
        image = VECTORS / SCHEMES["ecdsa256"]
        command = [str(word) for word in (OTTER, "image", "sign", image, "--replace", "--key", key, "-o", out)]
        said = self.otter(*command[1:], status=1, stdin=subprocess.DEVNULL, start_new_session=True)  # without one
        self.assertIn("there is no terminal to ask for its passphrase: --passphrase-file FILE", said)
        self.assertFalse(out.exists())
        pid, terminal = pty.fork()
        if pid == 0:
            os.execv(command[0], command)
        shown = b""
        while b"passphrase of" not in shown:
            self.assertTrue(select.select([terminal], [], [], WAIT_S)[0], shown)
            shown += os.read(terminal, 4096)
        end = time.monotonic() + WAIT_S
        while termios.tcgetattr(terminal)[3] & termios.ECHO:  # it is turned off behind the prompt, and nothing tells when
            self.assertLess(time.monotonic(), end)
            time.sleep(0.001)
        os.write(terminal, b"open sesame\n")
        self.assertEqual(os.waitpid(pid, 0)[1], 0)
        shown += os.read(terminal, 4096)
        os.close(terminal)
        self.assertNotIn(b"sesame", shown)
        self.assertTrue(out.exists())

    def test_what_is_no_key_for_this_is_named(self):
        openssl = lambda name, *args: subprocess.run(["openssl", *args, "-out", self.work / name], check=True,
                                                     capture_output=True, timeout=WAIT_S)
        openssl("rsa2048.pem", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048")
        openssl("p521.pem", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-521")
        openssl("ed.pem", "genpkey", "-algorithm", "ED25519")
        (self.work / "text").write_text("nothing\n")
        (self.work / "empty").write_text("")
        (self.work / "half.pem").write_bytes((KEYS / "rsa_a.pem").read_bytes()[:900])
        (self.work / "large").write_bytes(bytes(5000000))
        os.mkfifo(self.work / "fifo")
        openssl("certificate.pem", "req", "-x509", "-newkey", "rsa:3072", "-nodes", "-keyout", self.work / "its.pem", "-subj",
                "/CN=x", "-days", "2")
        rows = [("rsa2048.pem", "2048 bits"), ("p521.pem", "secp521r1"), ("ed.pem", "ED25519"), ("text", "no key in it"),
                ("empty", "no key in it"), ("missing", "No such file"), (".", "directory"), ("half.pem", "no key in it"),
                ("large", "no key in it"),
                ("fifo", "it is a FIFO"), ("certificate.pem", "a certificate")]
        image = VECTORS / SCHEMES["rsa3072"]
        for name, why in rows:
            for command in (("key", "digest", self.work / name),
                            ("image", "sign", image, "--key", self.work / name, "-o", self.work / "x"),
                            ("image", "verify", image, "--key", self.work / name)):
                with self.subTest(key=name, command=command[:2]):
                    self.assertIn(why, self.otter(*command, status=1))
        self.assertIn("this is a public key, and the private one is needed",
                      self.otter("image", "sign", image, "--key", KEYS / "rsa_a.pub.pem", "-o", self.work / "x", status=1))
        self.assertFalse((self.work / "x").exists())

    def test_a_chip_that_lacks_the_scheme_is_named(self):
        key, _ = self.key("ecdsa256")
        self.assertIn("ESP32-S3, which does not verify ECDSA P-256",
                      self.otter("image", "sign", VECTORS / SCHEMES["rsa3072"], "--key", key, "-o", self.work / "x", status=1))

    def test_a_device_takes_one_scheme_and_three_keys(self):
        image = SIGNED / "rsa_a.bin"
        self.assertIn("a device takes one scheme", self.otter("image", "verify", image, "--key", KEYS / "rsa_a.pem", "--key",
                                                              KEYS / "ec256.pem", status=1))
        four = [word for name in ("rsa_a", "rsa_b", "rsa_c", "rsa_a") for word in ("--key", KEYS / f"{name}.pem")]
        self.assertIn("more than 3 times", self.otter("image", "verify", image, *four, status=2))


class Data(SigningTest):
    """What a signed data partition gets can be looked at before it is sent."""

    def verify(self, data, *keys, status):
        path = self.work / "data"
        path.write_bytes(data)
        return self.otter("image", "verify", path, "--data", *[word for key in keys for word in ("--key", key)], status=status)

    def test_signed_data_is_told_and_verified(self):
        plain, signed = self.work / "plain", self.work / "signed"
        plain.write_bytes(bytes(range(1, 252)) * 40)
        a, b = KEYS / "rsa_a.pub.pem", KEYS / "rsa_b.pub.pem"
        self.otter("image", "sign", plain, "--data", "--key", KEYS / "rsa_a.pem", "-o", signed)
        digest = (KEYS / "rsa_a.pubdigest.bin").read_bytes().hex()
        said = self.otter("image", "info", signed)
        self.assertIn("no image, but data that is signed: 12288 bytes\n", said)
        self.assertIn(f"key {digest}: valid\n", said)
        seen = json.loads(self.otter("image", "info", "--json", signed))
        keys = seen["signature"]["keys"]
        self.assertEqual((seen["kind"], seen["valid"], seen["error"]), ("data", True, None))
        self.assertIn("--data judges it", self.otter("image", "verify", signed, "--key", a, status=1))
        self.assertEqual([(key["key_digest"], key["valid"]) for key in keys], [(digest, True)])
        data = signed.read_bytes()
        self.assertIn(f"12288 bytes of data, signed by {digest}\n", self.verify(data, b, a, status=0))
        for bad, why in ((data[:5] + b"x" + data[6:], "the hash in it is not"), (data[:-SECTOR], "hold no signature"),
                         (data[SECTOR:], "the hash in it is not"), (data[:-1], "a multiple of 4096 bytes"),
                         (data[-SECTOR:], "two sectors at least"), (b"", "two sectors at least"),
                         (data[:-SECTOR] + bytes(SECTOR), "hold no signature")):
            self.assertIn(why, self.verify(bad, a, status=1))
        self.assertIn("none of these keys has signed it", self.verify(data, b, status=1))
        self.assertIn("--data wants --key", self.verify(data, status=2))
        signed.write_bytes(data[:5] + b"x" + data[6:])
        self.assertIn("no app image", self.otter("image", "info", signed, status=1))

    def test_what_is_missing_has_its_next_step(self):
        image, v1 = VECTORS / "image/esp32_valid.bin", self.work / "v1.bin"
        self.assertIn("; `otter image sign` signs it",
                      self.otter("image", "verify", image, "--key", KEYS / "rsa_a.pub.pem", status=1))
        self.otter("image", "sign", image, "--v1", "--key", KEYS / "v1_ec256.pem", "-o", v1)
        self.assertIn("which --v1 judges", self.otter("image", "verify", v1, "--key", KEYS / "v1_ec256.pem", status=1))


@unittest.skipIf(IS_SANITIZED, "the sanitizers keep what was freed")
class Memory(SigningTest):
    """A private key that was used is nowhere in the memory of the program when it ends."""

    WORDS = "correct horse battery staple 42"

    def gone(self, key, words, *args):
        """Nothing of the key, which may be made only by this."""
        status, memory = memory_at_exit([OTTER, *args], stdout=subprocess.DEVNULL)
        self.assertEqual(status, 0)
        self.assertIn(b"OTTER_", memory)  # of its environment: it was looked at
        self.assertEqual([name for name, secret in secrets_of(key, words).items() if secret in memory], [])

    def test_no_key_and_no_passphrase_stays_behind(self):
        image = VECTORS / "image/esp32c6_mmu16k.bin"
        words = self.work / "words"
        words.write_text(self.WORDS + "\n")
        for scheme in ("rsa3072", "ecdsa256"):
            for said in (None, self.WORDS):
                opens = ["--passphrase-file", words] if said else []
                key, public, out = (self.work / f"{scheme}{bool(said)}{end}" for end in (".pem", ".pub.pem", ".bin"))
                for args in (["key", "new", key, "--scheme", scheme], ["key", "public", key, "-o", public],
                             ["key", "digest", key], ["image", "sign", image, "--key", key, "-o", out]):
                    with self.subTest(scheme=scheme, encrypted=bool(said), verb=args[:2]):
                        self.gone(key, said, *args, *opens)
            encrypted = self.work / "encrypted"
            self.otter("image", "encrypt", image, "--key", public, "-o", encrypted)
            self.gone(key, said, "image", "decrypt", encrypted, "--key", key, "-o", out, *opens)


class Oracle(SigningTest):
    """espsecure verifies what otter signs, and otter what espsecure signs."""

    def setUp(self):
        super().setUp()
        self.command = espsecure_command()
        if self.command is None:
            self.skipTest("espsecure is not installed: `./dev setup esptool`")

    def espsecure(self, *args, status=0):
        done = subprocess.run([*self.command, *map(str, args)], capture_output=True, text=True, timeout=WAIT_S, check=False)
        self.assertEqual(done.returncode == 0, status == 0, done.stdout + done.stderr)

    def test_espsecure_verifies_what_otter_signs(self):
        for scheme, image in SCHEMES.items():
            with self.subTest(scheme=scheme):
                key, public = self.key(scheme)
                plain = self.work / "plain.bin"
                data = (VECTORS / image).read_bytes()
                plain.write_bytes(data[:-SECTOR] if "signed" in image else data)
                signed = self.sign(plain, key)
                self.espsecure("verify-signature", "--version", "2", "--keyfile", public, signed)
                flipped = bytearray(signed.read_bytes())
                flipped[100] ^= 1
                signed.write_bytes(flipped)
                self.espsecure("verify-signature", "--version", "2", "--keyfile", public, signed, status=1)

    def test_otter_verifies_what_espsecure_signs(self):
        out = self.work / "theirs.bin"
        unsigned = self.work / "unsigned.bin"
        for key, image in (("rsa_a", VECTORS / "image/esp32s3_valid.bin"), ("ec256", VECTORS / "image/esp32c6_mmu16k.bin"),
                           ("ec384", SIGNED / "ec384_c5.bin"), ("ec192", SIGNED / "ec192_c2.bin")):
            with self.subTest(key=key):
                if image.parent == SIGNED:
                    unsigned.write_bytes(image.read_bytes()[:-SECTOR])
                    image = unsigned
                self.espsecure("sign-data", "--version", "2", "--keyfile", KEYS / f"{key}.pem", "--output", out, image)
                self.otter("image", "verify", out, "--key", KEYS / f"{key}.pub.pem")

    def test_the_first_scheme_both_ways(self):
        key, public = KEYS / "v1_ec256.pem", self.work / "public"
        image, ours, theirs = VECTORS / "image/esp32_valid.bin", self.work / "ours.bin", self.work / "theirs.bin"
        self.otter("image", "sign", image, "--v1", "--key", key, "-o", ours)
        self.otter("key", "public", key, "--v1", "-o", public)
        self.espsecure("verify-signature", "--version", "1", "--keyfile", key, ours)
        self.espsecure("sign-data", "--version", "1", "--keyfile", key, "--output", theirs, image)
        self.otter("image", "verify", theirs, "--v1", "--key", key)


if __name__ == "__main__":
    unittest.main()
