"""`otter efuse`: what a device has burned is shown, burned further and taken over from a real chip, with espefuse as oracle."""
# SPDX-License-Identifier: Apache-2.0

import json
import os
import pathlib
import pty
import shutil
import subprocess
import sys
import tempfile
import unittest

from device import in_full
from exit_memory import memory_at_exit

BUILD = pathlib.Path(os.environ["OTTER_BUILD"]).resolve()
SOURCE = pathlib.Path(os.environ["OTTER_SOURCE"]).resolve()
OTTER = BUILD / "otter"
KEYS = SOURCE / "tests" / "vectors" / "signed" / "keys"
DIGEST = {name: (KEYS / f"{name}.pubdigest.bin").read_bytes() for name in ("rsa_a", "rsa_b", "rsa_c", "ec256")}
SECRET = bytes(range(1, 33))
KEY = bytes((73 * i + 11) % 256 for i in range(32))
IS_SANITIZED = "OTTER_SANITIZE:BOOL=ON" in (BUILD / "CMakeCache.txt").read_text(encoding="utf-8")
LIMIT_S = 60
LONG = os.environ.get("OTTER_LONG") == "1"

# Of each chip: anti-rollback (block, first bit, width); in block 0 secure boot, revocation of key 0, purposes (first bit, width),
# encryption.
CHIPS = {
    "esp32s2": ((0, 139, 16), 116, 85, (88, 4), 82),
    "esp32s3": ((0, 142, 16), 116, 85, (88, 4), 82),
    "esp32c3": ((0, 142, 16), 116, 85, (88, 4), 82),
    "esp32c6": ((0, 142, 16), 116, 85, (88, 4), 82),
    "esp32h2": ((0, 137, 16), 116, 85, (88, 4), 82),
    "esp32h21": ((0, 137, 16), 116, 85, (88, 4), 82),
    "esp32p4": ((0, 137, 16), 116, 85, (88, 4), 82),
    "esp32h4": ((0, 135, 16), 101, 58, (64, 5), 55),
    "esp32c5": ((0, 137, 9), 121, 83, (86, 5), 80),
    "esp32c61": ((0, 104, 16), 90, 58, (64, 4), 55),
}


class Blocks:
    """The eFuses of a chip with eleven blocks."""

    def __init__(self, chip):
        self.chip, self.blocks = chip, [bytearray(32) for _ in range(11)]
        self.version, self.boot, self.revoke, self.purpose, self.crypt = CHIPS[chip]

    def set(self, block, bit, value):
        word = int.from_bytes(self.blocks[block], "little") | value << bit
        self.blocks[block] = bytearray(word.to_bytes(32, "little"))
        return self

    def key(self, index, purpose, value):
        self.set(0, self.purpose[0] + index * self.purpose[1], purpose)
        self.blocks[4 + index] = bytearray(value)
        return self

    def secure(self):
        block, bit, _ = self.version
        return (self.set(block, bit, 0b10101).set(0, self.boot, 1).set(0, self.revoke + 2, 1).set(0, self.crypt, 1)
                .key(1, 9, DIGEST["rsa_a"]).key(3, 11, DIGEST["rsa_b"]).key(0, 4, bytes(32)).set(0, 32, 1))

    def parts(self):
        return [bytes(block[:24 if i < 2 else 32]) for i, block in enumerate(self.blocks)]

    def joint(self):
        return b"".join(self.parts())

    def digits(self):
        return "espefuse v5.3.1\n\n=== Run \"dump\" command ===\n" + "".join(part.hex() + "\n" for part in self.parts())

    def words(self):
        lines = ["espefuse v5.3.1", "Connecting....", "", '=== Run "dump" command ===']
        for i, part in enumerate(self.parts()):
            words = " ".join(part[at:at + 4][::-1].hex() for at in range(0, len(part), 4))
            lines.append(f"BLOCK{i:<10} (                ) [{i:<2}] dump: {words}")
        return "\n".join(lines) + "\n"


class EfuseCase(unittest.TestCase):
    def setUp(self):
        self.work = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.flash = self.work / "flash.bin"
        self.file = self.work / "flash.bin.efuse"

    def otter(self, *args, **options):
        return subprocess.run([OTTER, "efuse", *map(str, args)], capture_output=True, text=True, timeout=LIMIT_S,
                              check=False, stdin=subprocess.DEVNULL, **options)

    def done(self, *args):
        done = self.otter(*args)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done

    def refused(self, why, *args):
        """One line says why, and no byte of the file changes."""
        before = self.file.read_bytes() if self.file.exists() else None
        done = self.otter(*args)
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertIn(why, done.stderr)
        self.assertEqual(done.stdout, "")
        self.assertEqual(self.file.read_bytes() if self.file.exists() else None, before)
        return done

    def write(self, content, name="chip.txt"):
        path = self.work / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def facts(self):
        return dict(line.split("=") for line in self.file.read_text().splitlines() if "=" in line)


class Import(EfuseCase):
    def test_a_dump_says_the_same_in_each_of_its_forms_for_each_chip(self):
        for chip in CHIPS:
            blocks = Blocks(chip).secure()
            for i, part in enumerate(blocks.parts()):
                self.write(part, f"split{i}.bin")
            forms = {self.write(blocks.words()), self.write(blocks.digits(), "digits"), self.write(blocks.joint(), "joint"),
                     self.work / "split.bin", self.work / "split0.bin"}
            for form in sorted(forms):
                with self.subTest(chip=chip, form=form.name):
                    self.file.unlink(missing_ok=True)
                    done = self.done("import", self.flash, form, "--chip", chip)
                    facts = self.facts()
                    self.assertEqual((facts["chip"], facts["secure_version"], facts["secure_boot_en"]), (chip, "3", "1"))
                    self.assertEqual(facts["secure_boot_digest0"], DIGEST["rsa_a"].hex())
                    self.assertEqual(facts["secure_boot_digest2"], DIGEST["rsa_b"].hex())
                    self.assertEqual((facts["secure_boot_key_revoke2"], facts["spi_boot_crypt_cnt"]), ("1", "1"))
                    self.assertEqual(facts["key_purpose_0"], "XTS_AES_128_KEY")
                    self.assertNotIn("block_key0", facts)
                    self.assertIn("key block 0: XTS_AES_128_KEY, the key of flash encryption; read-protected", done.stdout)

    def test_esp32_and_c2_have_their_keys_in_their_places(self):
        esp32 = [bytearray(28), bytearray(32), bytearray(DIGEST["rsa_a"]), bytearray(32)]
        esp32[0][24] |= 1 << 5  # ABS_DONE_1
        esp32[3][16] = 0b111
        self.done("import", self.flash, self.write(b"".join(esp32)), "--chip", "esp32", "--chip-rev", "v3.1")
        self.assertEqual(self.facts(), {"chip": "esp32", "revision": "301", "secure_version": "3", "secure_boot_en": "1",
                                        "secure_boot_digest0": DIGEST["rsa_a"].hex()})
        self.file.unlink()
        c2 = [bytearray(8), bytearray(12), bytearray(32), bytearray(16) + DIGEST["ec256"][:16]]
        c2[0][6] = 1 << 5 | 1 << 6  # SECURE_BOOT_EN, one bit of the version
        self.done("import", self.flash, self.write(b"".join(c2)), "--chip", "esp32c2")
        facts = self.facts()
        self.assertEqual((facts["secure_version"], facts["secure_boot_en"]), ("1", "1"))
        self.assertEqual(facts["secure_boot_digest0"], DIGEST["ec256"][:16].hex() + "00" * 16)

    def c2(self, first=b"", second=b"", bits=()):
        """A dump of an ESP32-C2: the halves of its one key block, and bits of block 0."""
        blocks = [bytearray(8), bytearray(12), bytearray(32), bytearray(first.ljust(16, b"\0") + second.ljust(16, b"\0"))]
        for bit in bits:
            blocks[0][bit // 8] |= 1 << bit % 8
        return self.write(b"".join(blocks))

    def test_the_block_of_a_c2_is_two_keys_or_one(self):
        """Of flash encryption the chip hides its half; what is a key is told nowhere, nor taken for a digest."""
        hidden, encrypts, long_key, secure = 32, 39, 42, 53
        half, digest = KEY[:16][::-1], DIGEST["ec256"][:16]
        derived = "XTS_AES_128_KEY_DERIVED_FROM_128_EFUSE_BITS"
        for dump, want in (
                ((b"", digest, (hidden, encrypts, secure)), (derived, None, digest)),
                ((half, digest, (encrypts, secure)), (derived, half, digest)),
                ((half, b"", (encrypts,)), (derived, half, None)),
                ((KEY[16:][::-1], half, (encrypts, long_key)), ("XTS_AES_128_KEY", KEY[::-1], None)),
                ((b"", b"", (hidden, hidden + 1, encrypts, long_key)), ("XTS_AES_128_KEY", None, None)),
                ((b"", digest), (None, None, digest))):
            self.file.unlink(missing_ok=True)
            with self.subTest(want=want[0], dump=dump):
                told = self.done("import", self.flash, self.c2(*dump), "--chip", "esp32c2").stdout
                facts = self.facts()
                self.assertEqual(facts.get("key_purpose_0"), want[0])
                self.assertEqual(facts.get("block_key0"), want[1] and want[1].ljust(32, b"\0").hex())
                self.assertEqual(facts.get("secure_boot_digest0"), want[2] and want[2].hex() + "00" * 16)
                self.assertNotIn(half.hex(), told)
        self.file.unlink()
        self.refused("secure boot trusts nobody", "import", self.flash, self.c2(KEY[16:], half, (long_key, secure)),
                     "--chip", "esp32c2")

    def test_an_esp32_tells_which_of_its_key_changes(self):
        def dump(config, *bits):
            blocks = [bytearray(28), bytearray(32), bytearray(32), bytearray(32)]
            for bit in (*(188 + i for i in range(4) if config >> i & 1), *bits):
                blocks[0][bit // 8] |= 1 << bit % 8
            return self.write(b"".join(blocks))

        encrypts, hidden = 20, 19
        for config, bits, want in ((15, (encrypts,), "15"), (5, (encrypts,), "5"), (0, (encrypts,), "0"), (0, (), None),
                                   (5, (), "5"), (0, (encrypts, hidden), None)):
            with self.subTest(config=config, bits=bits):
                self.file.unlink(missing_ok=True)
                told = self.done("import", self.flash, dump(config, *bits), "--chip", "esp32").stdout
                self.assertEqual(self.facts().get("flash_crypt_config"), want)
                self.assertEqual("taken for 15" in told, hidden in bits)

    def test_nothing_is_half_imported(self):
        blocks = Blocks("esp32c3").secure()
        words = blocks.words()
        lines = words.splitlines(keepends=True)
        for content, why in (
                (words[:-140], "is no block of this chip"),
                (words[:-200], "it lacks block 9 of 11"),
                ("".join(lines[:-1]), "it lacks block 10 of 11"),
                ("".join(lines[:4] + lines[5:]), "it lacks block 0 of 11"),
                (words + lines[-1], "one that was there before"),
                (words.replace("[4 ]", "[14]"), "is no block of this chip"),
                (blocks.digits()[:-2], "is no block of this chip"),
                (blocks.joint()[:-1], "it has 335 bytes; a dump of all blocks of this chip has 336"),
                (blocks.joint() + b"\0", "it has 337 bytes"),
                (b"\xff" * 336, "every bit reads 1: the chip was not read"),
                (b"", "neither a dump nor a summary"),
                ("hello\n", "neither a dump nor a summary"),
                ('{"SECURE_VERSION": {"value": 1}}', "it does not say SECURE_BOOT_EN"),
                ('{"SECURE_VERSION": ', "its JSON is not whole"),
                ("SECURE_VERSION (BLOCK0)   x   = 7 R/W (0x0007)\n", "it does not say SECURE_BOOT_EN"),
                ("SECURE_VERSION (BLOCK0)   x   = seven R/W (7)\n" * 2, "it says SECURE_VERSION twice"),
                ("SECURE_VERSION (BLOCK0)   x   = seven R/W (what)\n", "what it says of SECURE_VERSION cannot be read"),
        ):
            with self.subTest(why=why, content=content[-40:]):
                done = self.refused(why, "import", self.flash, self.write(content), "--chip", "esp32c3")
                self.assertNotIn(DIGEST["rsa_a"].hex(), done.stderr)
                self.assertFalse(self.file.exists())
        self.refused("it does not say which chip it is of", "import", self.flash, self.write(words))
        self.refused("No such file", "import", self.flash, self.work / "none", "--chip", "esp32c3")
        hidden = Blocks("esp32c3").key(2, 9, bytes(32)).set(0, 34, 1)
        self.refused("digest 0 of secure boot is read-protected", "import", self.flash, self.write(hidden.joint()),
                     "--chip", "esp32c3")

    def test_the_chip_is_what_the_text_or_the_flash_says(self):
        words = Blocks("esp32c3").words().replace("Connecting....", "Connecting....\nDetecting chip type... ESP32-C3")
        self.done("import", self.flash, self.write(words))
        self.assertEqual(self.facts()["chip"], "esp32c3")
        self.done("import", self.flash, self.write(Blocks("esp32c3").words()))  # the eFuse file says it by now
        self.done("import", self.work / "p4.bin", self.write("Loading eFuses for ESP32-P4 v1.3...\n" + Blocks("esp32p4").words()))
        self.assertIn("chip=esp32p4\n", (self.work / "p4.bin.efuse").read_text())
        self.refused("it is of ESP32-C3, and --chip says ESP32-C6", "import", self.flash, self.write(words), "--chip", "esp32c6")

    def test_what_was_not_understood_is_told_line_by_line(self):
        words = Blocks("esp32c3").words() + "A fatal error\n" + SECRET.hex(" ") + "\n"
        done = self.done("import", self.flash, self.write(words), "--chip", "esp32c3")
        self.assertIn("line 16 not understood: A fatal error\n", done.stdout)
        self.assertIn("line 17 not understood: (hex digits)\n", done.stdout)

    def test_an_older_espefuse_has_words_for_numbers(self):
        """Version 4's JSON has no raw values, and its dump says how the blocks were read."""
        fields = {"SECURE_VERSION": 7, "SECURE_BOOT_EN": True, "SECURE_BOOT_AGGRESSIVE_REVOKE": False,
                  "DIS_USB_SERIAL_JTAG": "Enable", "BLK_VERSION_MAJOR": "With calibration", "BLK_VERSION_MINOR": 2}
        fields |= {f"SECURE_BOOT_KEY_REVOKE{i}": i == 1 for i in range(3)}
        fields |= {f"KEY_PURPOSE_{i}": "SECURE_BOOT_DIGEST0" if i == 2 else "USER" for i in range(6)}
        fields |= {f"BLOCK_KEY{i}": (DIGEST["rsa_a"] if i == 2 else bytes(32)).hex(" ") for i in range(6)}
        for word, count in (("Disable", None), ("Enable", "1")):
            said = {name: {"value": value, "readable": True}
                    for name, value in {**fields, "SPI_BOOT_CRYPT_CNT": word}.items()}
            self.file.unlink(missing_ok=True)
            done = self.done("import", self.flash, self.write("espefuse.py v4.8.1\n" + json.dumps(said)), "--chip", "esp32c3")
            self.assertIn(f'SPI_BOOT_CRYPT_CNT is only said to be "{word}": taken as {count or 0}; a dump', done.stdout)
            self.assertNotIn("not understood", done.stdout)
            facts = self.facts()
            self.assertEqual((facts.get("spi_boot_crypt_cnt"), facts["secure_version"], facts["blk_revision"]),
                             (count, "3", "102"))
            self.assertEqual(facts["secure_boot_digest0"], DIGEST["rsa_a"].hex())
        fields["BLK_VERSION_MAJOR"] = "No idea"
        self.refused("what it says of BLK_VERSION_MAJOR cannot be read", "import", self.flash,
                     self.write(json.dumps({name: {"value": value} for name, value in fields.items()})))
        words = Blocks("esp32c3").words() + ("\nBLOCK0          (                ) [0 ] err__regs: 00000000 00000000 00000000\n"
                                             "EFUSE_RD_RS_ERR0_REG        0x00000000\n")
        self.assertNotIn("not understood", self.done("import", self.flash, self.write(words), "--replace").stdout)
        table = "EFUSE_NAME (Block) Description  = [Meaningful Value]\nABS_DONE_1 (BLOCK0):   Secure boot V2  = False R/W (0b0)\n"
        self.refused("where espefuse is too old to, take `espefuse dump`", "import", self.work / "old.bin", self.write(table),
                     "--chip", "esp32")

    def test_what_is_burned_already_is_not_forgotten(self):
        self.file.write_text("chip=esp32c3\nsecure_version=4\n")
        chip = self.write(Blocks("esp32c3").secure().joint())
        self.refused("it never goes down to 3; --replace", "import", self.flash, chip)
        self.file.write_text("chip=esp32c3\nsecure_version=2\n# mine\n")
        self.done("import", self.flash, chip)
        self.assertIn("# mine\n", self.file.read_text())
        self.file.write_text("chip=esp32c6\n")
        self.refused("chip is what the chip is", "import", self.flash, chip, "--chip", "esp32c3")
        self.done("import", self.flash, chip, "--chip", "esp32c3", "--replace")
        self.assertEqual(self.facts()["chip"], "esp32c3")

    def test_a_secret_is_shown_nowhere(self):
        chip = self.write(Blocks("esp32c3").key(5, 8, SECRET).words())
        said = [self.done("import", self.flash, chip, "--chip", "esp32c3"), self.done("show", self.flash),
                self.done("show", self.flash, "--json"),
                self.refused("written once", "burn", self.flash, "block_key5", "00" * 32, "--yes")]
        self.assertEqual(self.facts()["block_key5"], SECRET.hex())
        for done in said:
            self.assertNotIn(SECRET.hex()[:16], (done.stdout + done.stderr).lower().replace(" ", ""))
        self.assertIn("its value is readable, and imported", said[0].stdout)


@unittest.skipIf(IS_SANITIZED, "the sanitizers keep what was freed")
class Memory(EfuseCase):
    """A key in the eFuses is nowhere in the memory of a program that has read it, when it ends."""

    def gone(self, *args):
        status, memory = memory_at_exit([OTTER, *args], stdout=subprocess.DEVNULL)
        self.assertEqual(status, 0)
        forms = {"key": KEY, "block": KEY[::-1], "digits": KEY.hex().encode()[:32],
                 "block's digits": KEY[::-1].hex().encode()[:32]}
        self.assertEqual([name for name, secret in forms.items() if secret in memory], [], args)

    def test_no_key_of_the_eFuses_stays_behind(self):
        key = self.write(KEY, "key")
        image = SOURCE / "tests" / "vectors" / "image" / "esp32s3_valid.bin"
        self.gone("flash", "new", self.flash, "--size", "4MB", "--table", SOURCE / "examples" / "partitions_two_ota.csv",
                  "--app", f"factory={image}", "--flash-encryption", "--flash-key", key)
        for args in (("efuse", "show", self.flash), ("efuse", "show", self.flash, "--json"), ("flash", "info", self.flash),
                     ("efuse", "burn", self.flash, "block_key1", f"@{key}", "--yes"), ("boot", self.flash),
                     ("flash", "write", self.flash, "ota_0", image)):
            self.gone(*args)
        chip = self.write(Blocks("esp32s3").key(0, 4, KEY[::-1]).words())
        self.gone("efuse", "import", self.work / "other.bin", chip, "--chip", "esp32s3")
        self.assertIn(KEY[::-1].hex(), (self.work / "other.bin.efuse").read_text())


class Burn(EfuseCase):
    def burn(self, name, value, *args):
        return self.done("burn", self.flash, name, value, "--yes", *args)

    def test_bits_go_up_and_stay(self):
        for name, value in (("chip", "esp32c3"), ("secure_version", 3), ("SECURE_VERSION", 3), ("secure_version", 16),
                            ("secure_boot_digest1", DIGEST["rsa_a"].hex()), ("secure_boot_en", 1),
                            ("spi_boot_crypt_cnt", 1), ("spi_boot_crypt_cnt", 3), ("secure_boot_key_revoke0", 1),
                            ("key_purpose_4", "HMAC_UP"), ("block_key4", SECRET.hex()), ("secure_boot_aggressive_revoke", 1)):
            self.burn(name, value)
        kept = self.facts()
        for name, value, why in (
                ("secure_version", 15, "it never goes down to 15"),
                ("secure_version", 17, "the eFuses of ESP32-C3 count to 16"),
                ("secure_version", "x", "secure_version is a number from 0 to 32"),
                ("secure_boot_en", 0, "it never becomes 0"),
                ("secure_boot_aggressive_revoke", 0, "it never becomes 0"),
                ("spi_boot_crypt_cnt", 4, "it never becomes 4"),
                ("spi_boot_crypt_cnt", 15, "ESP32-C3 has three bits"),
                ("secure_boot_digest1", DIGEST["rsa_b"].hex(), "is written already, and is written once"),
                ("secure_boot_digest0", DIGEST["rsa_b"].hex(), "key 0 is revoked"),
                ("secure_boot_key_revoke0", 0, "it never becomes 0"),
                ("secure_boot_scheme", "ecdsa256", "ESP32-C3 does not verify"),
                ("key_purpose_4", "USER", "is another already, and stays"),
                ("key_purpose_4", "NONSENSE", "it is a purpose as espefuse has it"),
                ("block_key4", "00" * 32, "is written already"),
                ("block_key3", "00", "is 64 hex digits"),
                ("chip", "esp32s3", "is what the chip is"),
                ("chip", "esp33", "there is no chip of that name"),
                ("secure_verison", 20, "there is no eFuse secure_verison; is secure_version meant?"),
                ("colour", 1, "there is no eFuse colour"),
        ):
            with self.subTest(name=name, value=value):
                self.refused(why, "burn", self.flash, name, value, "--yes")
        self.assertEqual(self.facts(), kept)

    def test_keys_of_flash_encryption_are_those_that_the_chip_has(self):
        derived = "XTS_AES_128_KEY_DERIVED_FROM_128_EFUSE_BITS"
        for chip, burned, name, value, why in (
                ("esp32c3", (), "key_purpose_1", "XTS_AES_256_KEY_1", "ESP32-C3 has no key of flash encryption of 64 bytes"),
                ("esp32c3", (), "key_purpose_1", derived, "ESP32-C3 has no key of flash encryption of 16 bytes"),
                ("esp32c3", (), "flash_crypt_config", 15, "ESP32-C3 has no flash_crypt_config, as an ESP32 has"),
                ("esp32", (), "flash_crypt_config", 16, "flash_crypt_config is a number from 0 to 15"),
                ("esp32", (("flash_crypt_config", 5),), "flash_crypt_config", 10, "it never becomes 10"),
                ("esp32c2", (), "key_purpose_1", "HMAC_UP", "ESP32-C2 has one key block"),
                ("esp32c2", (), "block_key1", "00" * 32, "ESP32-C2 has one key block"),
                ("esp32c2", (("key_purpose_0", "XTS_AES_128_KEY"),), "secure_boot_digest0", "11" * 32, "has 16 bytes"),
                ("esp32c2", (("secure_boot_digest0", "11" * 32),), "key_purpose_0", "XTS_AES_128_KEY", "has 16 bytes")):
            with self.subTest(chip=chip, name=name):
                self.file.unlink(missing_ok=True)
                self.burn("chip", chip)
                for fact in burned:
                    self.burn(*fact)
                self.refused(why, "burn", self.flash, name, value, "--yes")
        self.burn("key_purpose_0", derived)
        self.file.unlink()
        for name, value in (("chip", "esp32"), ("flash_crypt_config", 5), ("flash_crypt_config", 15)):
            self.burn(name, value)

    def test_what_follows_is_told(self):
        done = self.burn("secure_boot_digest0", DIGEST["rsa_a"].hex())
        self.assertNotIn("secure boot is", done.stdout)
        self.burn("secure_boot_digest1", DIGEST["rsa_b"].hex())
        self.assertIn("by one of its keys", self.burn("secure_boot_en", 1).stdout)
        self.assertIn("by its one key", self.burn("secure_boot_key_revoke0", 1).stdout)
        self.assertIn("by nobody that it trusts: nothing boots\n", self.burn("secure_boot_key_revoke1", 1).stdout)
        self.assertNotIn("nothing boots", self.burn("secure_version", 1).stdout)
        self.refused("there is no eFuse nonsense; `otter efuse burn --help` names them", "burn", self.flash, "nonsense", 1)
        names = self.otter("burn", "--help").stdout.replace("\n", " ")
        for name in ("secure_boot_key_revoke0 to 2", "block_key0 to 5", "secure_version"):
            self.assertIn(name, names)

    def test_chips_with_one_key_take_one(self):
        self.burn("chip", "esp32")
        self.burn("secure_boot_digest0", DIGEST["rsa_a"].hex())
        self.refused("ESP32 has eFuses for one key", "burn", self.flash, "secure_boot_digest1", DIGEST["rsa_b"].hex(), "--yes")
        self.refused("ESP32 has eFuses for one key", "burn", self.flash, "secure_boot_key_revoke2", 1, "--yes")
        self.burn("flash_crypt_cnt", 127)

    def test_key_comes_from_a_file(self):
        key = self.work / "hmac.key"
        key.write_bytes(SECRET)
        self.refused("no-such", "burn", self.flash, "block_key1", f"@{self.work / 'no-such'}", "--yes")
        key.write_bytes(SECRET[1:])
        self.refused("block_key1 is 64 hex digits", "burn", self.flash, "block_key1", f"@{key}", "--yes")
        key.write_bytes(SECRET * 3)
        self.refused("hmac.key", "burn", self.flash, "block_key1", f"@{key}", "--yes")
        self.assertFalse(self.file.exists())
        key.write_bytes(SECRET)
        self.done("burn", self.flash, "block_key1", f"@{key}", "--yes")
        self.assertEqual(self.facts()["block_key1"], SECRET.hex())

    def test_without_a_terminal_only_yes_burns(self):
        self.refused("there is no terminal to ask on; --yes", "burn", self.flash, "secure_version", 1)
        self.assertFalse(self.file.exists())

    def ask(self, answer):
        """What it says on a terminal where somebody types `answer`."""
        main, other = pty.openpty()
        with subprocess.Popen([OTTER, "efuse", "burn", self.flash, "secure_boot_en", "1"], stdin=other, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True) as burning:
            os.close(other)
            os.write(main, answer.encode())
            said, _ = burning.communicate(timeout=LIMIT_S)
            os.close(main)
        return burning.returncode, said

    def test_on_a_terminal_it_asks(self):
        for answer in ("y\n", "burn\n", "\n", "BURNT\n", "\x04"):
            status, said = self.ask(answer)
            self.assertEqual(status, 1, said)
            self.assertIn("signed by nobody that it trusts: nothing boots", said)
            self.assertIn("This cannot be undone. Type BURN to go on: ", said)
            self.assertFalse(self.file.exists())
        self.assertEqual(self.ask("BURN\n")[0], 0)
        self.assertEqual(self.facts()["secure_boot_en"], "1")

    def test_what_cannot_be_written_is_not_burned(self):
        self.burn("secure_version", 1)
        os.mkdir(self.work / "gone")
        self.refused("", "burn", self.flash, "secure_version", 2, "--yes", "--efuse", self.work / "none" / "file")
        self.assertEqual(self.facts()["secure_version"], "1")


class Show(EfuseCase):
    def test_each_fact_has_its_meaning(self):
        self.file.write_text("chip=esp32c3\nrevision=4\nsecure_version=16\nsecure_boot_en=1\nsecure_boot_key_revoke0=1\n"
                             f"secure_boot_digest0={DIGEST['rsa_a'].hex()}\nsecure_boot_digest1={DIGEST['rsa_b'].hex()}\n"
                             "spi_boot_crypt_cnt=3\nkey_purpose_2=HMAC_UP\n")
        text = self.done("show", self.flash).stdout
        for words in ("images below 16 neither boot nor are taken; no higher one can be burned any more",
                      "images must be signed by its one key", "revoked: what only this key has signed",
                      "flash encryption was on, and is off", "v0.4"):
            self.assertIn(words, text)
        said = json.loads(self.done("show", self.flash, "--json").stdout)
        self.assertEqual((said["chip"], said["revision"], said["blk_revision"], said["secure_version"],
                          said["secure_version_max"], said["flash_encryption"], said["exists"]),
                         ("esp32c3", 4, None, 16, 16, False, True))
        self.assertEqual([(key["index"], key["revoked"]) for key in said["secure_boot"]["keys"]], [(0, True), (1, False)])
        self.assertEqual([fact["value"] for fact in said["facts"] if fact["name"] == "key_purpose_2"], ["HMAC_UP"])
        self.assertTrue(all(fact["meaning"] for fact in said["facts"]))

    def test_no_file_is_a_chip_with_nothing_burned(self):
        self.assertIn("there is no such file: nothing is burned", self.done("show", self.flash).stdout)
        said = json.loads(self.done("show", self.flash, "--json").stdout)
        self.assertEqual((said["exists"], said["chip"], said["secure_boot"]), (False, None, None))


class Espefuse(EfuseCase):
    """What the vendor's tool tells of a chip, virtual there too, is what we take it for."""

    def setUp(self):
        super().setUp()
        tool = BUILD / "tools" / "bin" / "espefuse"
        self.tool = tool if tool.exists() else shutil.which("espefuse")
        if self.tool is None or subprocess.run([self.tool, "--help"], capture_output=True, check=False).returncode != 0:
            self.skipTest("espefuse is not installed: `./dev setup esptool`")
        self.write(SECRET, "secret")

    def espefuse(self, chip, burn):
        """One chip, burned, told in all forms."""
        image = self.work / f"{chip}.virtual"
        image.unlink(missing_ok=True)
        last = []
        for words in (*burn, ["dump", "--format", "joint", "--file-name", self.work / "joint",
                       "dump", "--format", "split", "--file-name", self.work / "split.bin",
                       "summary", "--file", self.work / "summary"],
                      ["dump"], ["summary", "--format", "json"]):
            done = subprocess.run([self.tool, "--chip", chip, "--virt", "--path-efuse-file", image, "--do-not-confirm",
                                   *map(str, words)], capture_output=True, text=True, timeout=LIMIT_S, check=False,
                                  env=os.environ | {"NO_COLOR": "1", "COLUMNS": "200"})
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            last.append(self.write(done.stdout, f"console{len(last)}"))
        return [self.work / "summary", self.work / "joint", self.work / "split.bin", *last[-2:]]

    def check(self, chip, burn, want):
        told = None
        for form in self.espefuse(chip, burn):
            with self.subTest(chip=chip, form=form.name):
                self.file.unlink(missing_ok=True)
                done = self.done("import", self.flash, form, "--chip", chip)
                self.assertNotIn("not understood", done.stdout)
                facts = self.facts()
                self.assertEqual({name: facts.get(name) for name in want}, want)
                if chip != "esp32":  # whose dump does not tell its revision
                    told = told or facts
                    self.assertEqual(facts, told)

    @in_full
    def test_chips_with_key_blocks(self):
        for chip in CHIPS if LONG else ("esp32c5", "esp32p4"):
            burn = [["burn-key", "BLOCK_KEY0", self.work / "secret", "XTS_AES_128_KEY",
                    "BLOCK_KEY1", KEYS / "rsa_a.pubdigest.bin", "SECURE_BOOT_DIGEST0",
                    "BLOCK_KEY4", KEYS / "rsa_c.pubdigest.bin", "SECURE_BOOT_DIGEST1"],
                    ["burn-efuse", "SECURE_BOOT_EN", 1, "SECURE_VERSION", 7, "SPI_BOOT_CRYPT_CNT", 1,
                    "SECURE_BOOT_KEY_REVOKE1", 1, "SECURE_BOOT_AGGRESSIVE_REVOKE", 1]]
            self.check(chip, burn, {
                "chip": chip, "secure_version": "3", "secure_boot_en": "1", "secure_boot_aggressive_revoke": "1",
                "secure_boot_digest0": DIGEST["rsa_a"].hex(), "secure_boot_digest1": DIGEST["rsa_c"].hex(),
                "secure_boot_key_revoke0": None, "secure_boot_key_revoke1": "1", "spi_boot_crypt_cnt": "1",
                "key_purpose_0": "XTS_AES_128_KEY", "block_key0": None, "revision": "0", "blk_revision": "0"})

    @in_full
    def test_esp32_and_c2(self):
        self.check("esp32", [["burn-key", "secure_boot_v2", KEYS / "rsa_a.pubdigest.bin", "flash_encryption",
                             self.work / "secret"], ["burn-efuse", "ABS_DONE_1", 1, "SECURE_VERSION", 3, "FLASH_CRYPT_CNT", 1]],
                   {"chip": "esp32", "secure_version": "2", "secure_boot_en": "1", "spi_boot_crypt_cnt": "1",
                    "secure_boot_digest0": DIGEST["rsa_a"].hex(), "block_key0": None})
        key = (self.work / "secret").read_bytes()
        self.check("esp32", [["burn-key", "--no-protect-key", "flash_encryption", self.work / "secret"]],
                   {"chip": "esp32", "spi_boot_crypt_cnt": None, "block_key0": key[::-1].hex()})
        (self.work / "short").write_bytes(key[:24])
        self.check("esp32", [["burn-efuse", "CODING_SCHEME", 1],
                             ["burn-key", "--no-protect-key", "flash_encryption", self.work / "short"]],
                   {"chip": "esp32", "spi_boot_crypt_cnt": None, "block_key0": (key[:24] + key[8:16])[::-1].hex()})
        self.check("esp32c2", [["burn-key", "BLOCK_KEY0", KEYS / "ec256.pubdigest.bin", "SECURE_BOOT_DIGEST"],
                               ["burn-efuse", "SECURE_BOOT_EN", 1, "SECURE_VERSION", 1]],
                   {"chip": "esp32c2", "secure_version": "1", "secure_boot_en": "1",
                    "secure_boot_digest0": DIGEST["ec256"][:16].hex() + "00" * 16})
        half = (self.work / "half", "XTS_AES_128_KEY_DERIVED_FROM_128_EFUSE_BITS")
        half[0].write_bytes(key[:16])
        both = ["BLOCK_KEY0", *half, "BLOCK_KEY0", KEYS / "ec256.pubdigest.bin", "SECURE_BOOT_DIGEST"]
        on = ["burn-efuse", "SPI_BOOT_CRYPT_CNT", 1]
        for how, value in (((), None), (("--no-read-protect",), key[:16][::-1].hex() + "00" * 16)):
            self.check("esp32c2", [["burn-key", *how, *both], on],
                       {"key_purpose_0": half[1], "block_key0": value, "spi_boot_crypt_cnt": "1",
                        "secure_boot_digest0": DIGEST["ec256"][:16].hex() + "00" * 16})
        self.check("esp32c2", [["burn-key", "--no-read-protect", "BLOCK_KEY0", self.work / "secret", "XTS_AES_128_KEY"], on],
                   {"key_purpose_0": "XTS_AES_128_KEY", "block_key0": key[::-1].hex(), "secure_boot_digest0": None})
        self.check("esp32", [["burn-efuse", "FLASH_CRYPT_CONFIG", 5, "FLASH_CRYPT_CNT", 1]], {"flash_crypt_config": "5"})
        self.check("esp32", [["burn-efuse", "FLASH_CRYPT_CONFIG", 5, "FLASH_CRYPT_CNT", 1, "RD_DIS", 8]],
                   {"flash_crypt_config": None})

    def test_a_blank_chip(self):
        self.check("esp32c3", [], {"chip": "esp32c3", "secure_version": "0", "secure_boot_en": None,
                                   "secure_boot_digest0": None, "spi_boot_crypt_cnt": None})


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[1:]], verbosity=2)
