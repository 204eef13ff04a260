"""`otter image`: building, explaining and judging app images, with the vendor's esptool as oracle where it is installed."""
# SPDX-License-Identifier: Apache-2.0

import hashlib
import importlib.util
import json
import os
import pathlib
import random
import resource
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest
import zlib

from elf_files import CHIPS, RISCV, XTENSA, app_sections, make_desc, make_elf
from image_files import RAM, bootloader, image

SOURCE = pathlib.Path(os.environ.get("OTTER_SOURCE", pathlib.Path(__file__).parents[2]))
OTTER = pathlib.Path(os.environ.get("OTTER_BUILD", SOURCE / "build")) / "otter"
VECTORS = SOURCE / "tests" / "vectors" / "image"
FIRMWARE = os.environ.get("OTTER_FIRMWARE", "")  # a folder of published images, in folders that name their chip
WAIT_S = 60
MOST_MEMORY_KIB = 256 << 10  # what any run here may take: none has reason for more
INFO_KEYS = {"valid", "error", "kind", "chip", "chip_id", "entry", "segments", "checksum_valid", "hash_valid", "hash",
             "image_len", "min_rev", "max_rev", "app", "computed_hash", "min_blk_rev", "max_blk_rev", "flash_mode", "flash_mhz",
             "flash_size", "bootloader", "offset", "begins_at", "signature", "behind", "contents"}
APP_KEYS = {"project_name", "version", "secure_version", "date", "time", "idf_ver", "elf_sha256"}


def otter(*args, env=None):
    environment = {k: v for k, v in os.environ.items() if k != "SOURCE_DATE_EPOCH"} | (env or {})
    return subprocess.run([OTTER, "image", *map(str, args)], capture_output=True, text=True, encoding="utf-8",
                          timeout=WAIT_S, env=environment, check=False)


def esptool_command():
    """How to call esptool, None where it is not installed."""
    if importlib.util.find_spec("esptool") is not None:
        return [sys.executable, "-m", "esptool"]
    for name in ("esptool", "esptool.py"):
        if shutil.which(name):
            return [name]
    return None


class ImageTest(unittest.TestCase):
    def setUp(self):
        self.work = pathlib.Path(tempfile.mkdtemp(prefix="otter-image-"))
        self.addCleanup(shutil.rmtree, self.work)
        seed = int(os.environ.get("SEED", "1"))
        self.rng = random.Random(seed)

    def file(self, name, data):
        path = self.work / name
        path.write_bytes(data)
        return path

    def build(self, elf, chip, *args, env=None):
        out = self.work / "app.bin"
        done = otter("build", "--elf", elf, "--chip", chip, "-o", out, *args, env=env)
        self.assertEqual(done.returncode, 0, done.stderr)
        return out

    def info(self, path, status=0):
        done = otter("info", path, "--json")
        self.assertEqual(done.returncode, status, done.stderr)
        return json.loads(done.stdout)

    def fails(self, status, text, *args):
        done = otter(*args)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        self.assertIn(text, done.stderr)
        if status == 1:
            self.assertEqual(done.stderr.count("\n"), 1, done.stderr)


class Linux(ImageTest):
    def test_an_executable_becomes_the_second_segment(self):
        elf = OTTER.read_bytes()
        out = self.build(OTTER, "linux", "--project", "demo", "--version", "1.0.0", "--secure-version", "3")
        info = self.info(out)
        self.assertLessEqual(INFO_KEYS, info.keys())
        self.assertLessEqual(APP_KEYS, info["app"].keys())
        self.assertTrue(info["valid"] and info["checksum_valid"] and info["hash_valid"])
        self.assertEqual((info["chip"], info["chip_id"], info["error"]), ("linux", 0xFFFF, None))
        self.assertEqual(info["segments"][0], {"load_addr": 0, "length": 256})
        self.assertEqual(info["segments"][1], {"load_addr": 0x10000000, "length": (len(elf) + 3) // 4 * 4})
        self.assertEqual(info["app"] | {"elf_sha256": ""}, {
            "project_name": "demo", "version": "1.0.0", "secure_version": 3, "date": "", "time": "", "idf_ver": "",
            "elf_sha256": ""})
        self.assertEqual(info["app"]["elf_sha256"], hashlib.sha256(elf).hexdigest())
        image = out.read_bytes()
        self.assertEqual(image[0x128:0x128 + len(elf)], elf)
        self.assertEqual(info["image_len"], len(image))
        self.assertEqual(info["hash"], hashlib.sha256(image[:-32]).hexdigest())
        self.assertEqual(otter("verify", out, "--chip", "linux", "--chip-rev", "0").returncode, 0)

    def test_the_same_input_gives_the_same_bytes(self):
        args = (OTTER, "linux", "--project", "demo", "--version", "1.0.0")
        first = self.build(*args).read_bytes()
        self.assertEqual(self.build(*args).read_bytes(), first)
        dated = self.build(*args, env={"SOURCE_DATE_EPOCH": "1767357296"})
        app = self.info(dated)["app"]
        self.assertEqual((app["date"], app["time"]), ("Jan  2 2026", "12:34:56"))

    def test_what_was_written_is_told_unless_it_is_to_be_quiet(self):
        args = ("build", "--elf", OTTER, "--chip", "linux", "--project", "demo", "--version", "1.0.0", "-o")
        out = self.work / "app.bin"
        said = otter(*args, out).stdout
        self.assertEqual(said, f"{out}: an image for linux, {out.stat().st_size} bytes\n")
        self.assertEqual(otter(*args, out, "--quiet").stdout, "")

    def test_without_a_hash_the_checksum_remains(self):
        out = self.build(OTTER, "linux", "--project", "demo", "--version", "1", "--no-hash")
        info = self.info(out)
        self.assertTrue(info["valid"])
        self.assertIsNone(info["hash_valid"])
        self.assertIsNone(info["hash"])


def change_payload_length(data, told):
    """The image with another length in its header, and the hash that belongs to it."""
    body = data[:4] + struct.pack("<L", told) + data[8:-32]
    return body + hashlib.sha256(body).digest()


class Payload(ImageTest):
    def make(self, payload, *args):
        out = self.work / "device.bin"
        done = otter("build", "--payload", self.file("payload", payload), "--project", "gateway", "--version", "1.2.0", "-o", out,
                     *args)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return out

    def test_any_bytes_lie_on_a_block_of_their_own_and_keep_their_length(self):
        for size in 1, 2, 3, 4, 11, 12, 13, 4096, 1 << 20, (1 << 20) + 1, 3_000_001:
            with self.subTest(size=size):
                payload = (bytes(i * 7 % 251 for i in range(5003)) * (size // 5003 + 1))[:size]
                out = self.make(payload)
                info = self.info(out)
                self.assertTrue(info["valid"] and info["checksum_valid"] and info["hash_valid"], info["error"])
                self.assertEqual((info["chip"], info["chip_id"], info["payload"]),
                                 ("device", 0xFFFE, {"offset": 4096, "length": size}))
                self.assertEqual(info["app"]["elf_sha256"], hashlib.sha256(payload).hexdigest())
                image = out.read_bytes()
                self.assertEqual(info["image_len"], len(image))
                self.assertTrue(image[4096:4096 + size] == payload)
                self.assertEqual(otter("verify", out, "--chip", "device").returncode, 0)
                self.fails(1, "image is for device, this is ESP32", "verify", out, "--chip", "esp32")
                piped = subprocess.run([OTTER, "image", "build", "--payload", self.work / "payload", "--project", "gateway",
                                        "--version", "1.2.0", "-o", "-"], capture_output=True, timeout=WAIT_S, check=True)
                self.assertTrue(piped.stdout == image)

    def test_without_a_hash_the_checksum_remains(self):
        info = self.info(self.make(b"bytes", "--no-hash"))
        self.assertEqual((info["valid"], info["hash_valid"]), (True, None))

    def test_an_image_whose_payload_has_another_length_than_it_tells_is_refused(self):
        good = self.make(bytes(10)).read_bytes()  # its segment has 12 bytes
        for told, valid in (8, False), (9, True), (10, True), (12, True), (13, False), (0, False), (0xFFFFFFFF, False):
            path = self.file("changed.bin", change_payload_length(good, told))
            with self.subTest(told=told):
                if valid:
                    self.assertEqual(otter("verify", path).returncode, 0)
                else:
                    self.fails(1, f"a payload of {told} bytes is told", "verify", path)

    def test_what_makes_no_image_is_told(self):
        fine, empty, out = self.file("payload", b"bytes"), self.file("empty", b""), self.work / "none.bin"
        texts = ("--project", "p", "--version", "1", "-o", out)
        for status, says, args in [
                (2, "--elf APP, or --payload FILE", texts),
                (2, "--elf APP, or --payload FILE", ("--payload", fine, "--elf", fine, *texts)),
                (2, "is for chip device, not esp32", ("--payload", fine, "--chip", "esp32", *texts)),
                (2, "takes --payload", ("--elf", fine, "--chip", "device", *texts)),
                (2, "say --project and --version", ("--payload", fine, "-o", out)),
                (2, "--chip is needed", ("--elf", fine, *texts)), (1, "is empty", ("--payload", empty, *texts)),
                (1, "No such file", ("--payload", self.work / "nothing", *texts)),
                (1, "a directory", ("--payload", self.work, *texts))]:
            with self.subTest(says=says):
                done = otter("build", *args)
                self.assertEqual(done.returncode, status, done.stderr)
                self.assertIn(says, done.stderr)
                self.assertFalse(out.exists())

    def test_it_may_come_through_a_pipe(self):
        payload, path = os.urandom(300_000), self.work / "piped.bin"
        args = [OTTER, "image", "build", "--payload", "/dev/stdin", "--project", "gateway", "--version", "1.2.0", "-o", path]
        done = subprocess.run(args, input=payload, capture_output=True, timeout=WAIT_S, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertTrue(path.read_bytes() == self.make(payload).read_bytes())
        done = subprocess.run(args, input=b"", capture_output=True, timeout=WAIT_S, check=False)
        self.assertEqual((done.returncode, done.stderr.count(b"\n")), (1, 1), done.stderr)

    def test_one_larger_than_a_flash_is_refused_before_it_is_read(self):
        path = self.file("huge", b"")
        with path.open("r+b") as huge:
            huge.truncate(0x7FF00001)
        self.fails(1, "more than the 2146435072 that fit", "build", "--payload", path, "--project", "p", "--version", "1", "-o",
                   self.work / "none.bin")


class Chips(ImageTest):
    def test_a_descriptor_is_made_where_the_elf_has_none(self):
        for chip in CHIPS:
            with self.subTest(chip=chip):
                elf = self.file("app.elf", make_elf(CHIPS[chip][0], app_sections(chip, self.rng)))
                out = self.build(elf, chip, "--project", "p", "--version", "2.0", "--min-rev", "v0.3",
                                 "--max-rev", "199", "--idf-ver", "v5.5")
                info = self.info(out)
                self.assertTrue(info["valid"])
                self.assertEqual((info["min_rev"], info["max_rev"], info["chip"]), (3, 199, chip))
                self.assertEqual((info["app"]["version"], info["app"]["idf_ver"]), ("2.0", "v5.5"))
                self.assertEqual(otter("verify", out, "--chip", chip, "--chip-rev", "v1.99").returncode, 0)
                self.fails(1, "needs chip revision v0.3 or later, this is v0.2",
                           "verify", out, "--chip-rev", "v0.2")
                self.fails(1, "needs chip revision v1.99 or earlier", "verify", out, "--chip-rev", "2.0")
                self.fails(1, "image is for", "verify", out, "--chip", "linux")

    def test_the_elfs_descriptor_is_used_and_options_override_it(self):
        elf = self.file("app.elf", make_elf(RISCV, app_sections("esp32c3", self.rng, make_desc())))
        app = self.info(self.build(elf, "esp32c3"))["app"]
        self.assertEqual((app["project_name"], app["version"], app["secure_version"]), ("from_elf", "1.2.3", 7))
        self.assertEqual(app["elf_sha256"], hashlib.sha256(elf.read_bytes()).hexdigest())
        app = self.info(self.build(elf, "esp32c3", "--version", "9", "--secure-version", "8"))["app"]
        self.assertEqual((app["project_name"], app["version"], app["secure_version"]), ("from_elf", "9", 8))

    def test_what_a_real_linker_made_is_taken(self):
        gcc = shutil.which("riscv64-unknown-elf-gcc")
        if gcc is None:
            self.skipTest("riscv64-unknown-elf-gcc is not installed")
        for chip, mapped_code in (("esp32c3", 0x42000020), ("esp32c6", 0x42010020)):
            with self.subTest(chip=chip):
                out = self.build(self.link(gcc, chip, mapped_code), chip)
                info = self.info(out)
                self.assertEqual(info["app"]["project_name"], "linked")
                self.assertEqual(otter("verify", out, "--chip", chip).returncode, 0)

    def link(self, gcc, chip, mapped_code):
        _, drom, _, iram, dram = CHIPS[chip]
        source = self.file("app.c", b"""
            struct { unsigned magic, secure; unsigned r[2]; char version[32], project[32]; char rest[176]; } const desc
                __attribute__((section(".appdesc"))) = {0xABCD5432, 0, {0}, "4.5.6", "linked", {0}};
            const char text[5000] __attribute__((section(".rodata.text"))) = "constants";
            int data[300] = {1, 2, 3};
            int zeros[300];
            __attribute__((section(".iram"))) int in_ram(int x) { return x * 3 + data[x & 7]; }
            int entry(void) { zeros[0] = in_ram(text[data[1]]); return zeros[0] + desc.version[0]; }
        """)
        script = self.file("app.ld", f"""
            ENTRY(entry)
            SECTIONS {{
              .iram0.text {iram:#x} : {{ *(.iram) }}
              .dram0.data {dram:#x} : {{ *(.data*) *(.sdata*) }}
              .dram0.bss (NOLOAD) : {{ *(.bss*) *(.sbss*) }}
              .flash.appdesc {drom + 0x20:#x} : {{ KEEP(*(.appdesc)) }}
              .flash.rodata : {{ KEEP(*(.rodata*)) }}
              .flash.text {mapped_code:#x} : {{ *(.text*) }}
            }}""".encode())
        elf = self.work / "linked.elf"
        subprocess.run([gcc, "-march=rv32imc", "-mabi=ilp32", "-nostdlib", "-ffreestanding", "-O1", "-msmall-data-limit=0",
                        "-Wl,--no-warn-rwx-segments", "-T", script, source, "-o", elf],
                       check=True, capture_output=True, timeout=WAIT_S)
        return elf


class Oracle(ImageTest):
    """esptool 5 makes and reads the same images."""

    def setUp(self):
        super().setUp()
        self.esptool = esptool_command()
        if self.esptool is None:
            self.skipTest("esptool is not installed: `./dev setup esptool`")

    def run_esptool(self, *args):
        done = subprocess.run([*self.esptool, *map(str, args)], capture_output=True, text=True, timeout=WAIT_S,
                              check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout

    def test_images_are_byte_for_byte_those_of_elf2image(self):
        freq = {"esp32c2": "30m", "esp32h2": "24m"}
        ours, theirs = self.work / "app.bin", self.work / "theirs.bin"
        for chip in CHIPS:
            with self.subTest(chip=chip):
                elf = self.file("app.elf", make_elf(CHIPS[chip][0], app_sections(chip, self.rng, make_desc())))
                self.run_esptool("--chip", chip, "elf2image", "--flash-mode", "dio", "--flash-size", "4MB",
                                 "--flash-freq", freq.get(chip, "40m"), "--min-rev-full", "3", "-o", theirs, elf)
                self.build(elf, chip, "--min-rev", "3")
                self.assertEqual(ours.read_bytes(), theirs.read_bytes())

    def test_smaller_mmu_pages_are_laid_out_alike(self):
        ours, theirs = self.work / "app.bin", self.work / "theirs.bin"
        for log2 in (13, 14, 15, 16):
            with self.subTest(log2=log2):
                sections = app_sections("esp32c6", self.rng, make_desc(page_log2=log2), page=1 << log2)
                elf = self.file("app.elf", make_elf(RISCV, sections))
                self.run_esptool("--chip", "esp32c6", "elf2image", "--flash-mode", "dio", "--flash-size", "4MB",
                                 "--flash-freq", "80m", "-o", theirs, elf)
                self.build(elf, "esp32c6")
                self.assertEqual(ours.read_bytes(), theirs.read_bytes())

    def test_esptool_finds_our_images_good(self):
        for chip in ("esp32", "esp32c3", "esp32c6"):
            with self.subTest(chip=chip):
                elf = self.file("app.elf", make_elf(CHIPS[chip][0], app_sections(chip, self.rng)))
                out = self.build(elf, chip, "--project", "oracle", "--version", "3.2.1")
                said = self.run_esptool("--chip", chip, "image-info", out)
                self.assertIn("(valid)", said)
                self.assertNotIn("invalid", said)
                self.assertRegex(said, r"Project name: *oracle")


class Info(ImageTest):
    def test_a_broken_image_is_explained_as_far_as_it_goes(self):
        rows = [  # image, what the error says, what is still known
            ("bad_checksum", "checksum is 0x14, 0x15 is stored", {"checksum_valid": False, "chip": "esp32"}),
            ("bad_hash", "SHA-256 differs", {"checksum_valid": True, "hash_valid": False, "image_len": 784}),
            ("trunc_mid_segment", "header of segment 1 at 384", {"checksum_valid": None, "hash": None, "image_len": None}),
            ("trunc_10", "too few", {"chip": None, "chip_id": None, "entry": None, "segments": [], "app": None}),
            ("segments_17", "17 segments", {"chip": "esp32"}),
            ("all_ff", "magic byte is 0xff", {"app": None}),
        ]
        for name, error, known in rows:
            with self.subTest(image=name):
                info = self.info(VECTORS / f"{name}.bin", status=1)
                self.assertFalse(info["valid"])
                self.assertIn(error, info["error"])
                self.assertEqual({key: info[key] for key in known}, known)
                self.fails(1, error, "info", VECTORS / f"{name}.bin")
                self.fails(1, error, "verify", VECTORS / f"{name}.bin")

    def test_a_file_that_cannot_be_read_has_its_json_too(self):
        for path, error in (self.work / "nowhere.bin", "No such file"), (self.work, "not an ordinary file"):
            with self.subTest(path=path):
                info = self.info(path, status=1)
                self.assertFalse(info["valid"])
                self.assertIn(error, info["error"])
                self.assertEqual((info["chip"], info["segments"], info["app"]), (None, [], None))
                self.fails(1, error, "info", path)
                self.fails(1, error, "verify", path)

    def test_a_partition_dump_is_an_image_with_something_behind_it(self):
        image = (VECTORS / "esp32_valid.bin").read_bytes()
        dump = self.file("dump.bin", image + b"\xff" * (0x100000 - len(image)))
        info = self.info(dump)
        self.assertTrue(info["valid"])
        self.assertEqual(info["image_len"], len(image))

    def test_a_bootloader_is_told_from_an_app(self):
        done = otter("info", VECTORS / "esp32c3_bootloader.bin")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("valid bootloader image", done.stdout)
        self.assertIsNone(self.info(VECTORS / "esp32c3_bootloader.bin")["app"])

    def test_words_of_the_header(self):
        text = otter("info", VECTORS / "esp32_valid.bin").stdout
        self.assertIn("ESP32 (0x0000), revision v0.0 to v3.99", text)
        self.assertIn("DIO, 40 MHz, 4 MB", text)
        self.assertNotIn("eFuse block", text)  # the ESP32 has none
        self.assertIn("eFuse block   revision v2.0 to v1.99", otter("info", VECTORS / "s3_efuse_blk_min200.bin").stdout)
        self.assertIn("eFuse block   revision v0.0 to v0.50", otter("info", VECTORS / "s3_efuse_blk_max50.bin").stdout)
        self.assertIn("MMU page      16 KB", otter("info", VECTORS / "esp32c6_mmu16k.bin").stdout)
        info = self.info(VECTORS / "s3_efuse_blk_min200.bin")
        self.assertEqual((info["min_blk_rev"], info["flash_mode"], info["flash_mhz"], info["flash_size"]),
                         (200, "DIO", 80, 0x800000))

    def test_a_wrong_hash_is_shown_beside_the_right_one(self):
        image = (VECTORS / "bad_hash.bin").read_bytes()
        stored, computed = image[-32:].hex(), hashlib.sha256(image[:-32]).hexdigest()
        done = otter("info", VECTORS / "bad_hash.bin")
        for text in (done.stdout, done.stderr):
            self.assertIn(stored, text)
            self.assertIn(computed, text)
        info = self.info(VECTORS / "bad_hash.bin", status=1)
        self.assertEqual((info["hash"], info["computed_hash"]), (stored, computed))

    def test_all_segments_of_a_broken_image_are_told(self):
        rows = [("map_misaligned", 4), ("bad_ram_addr", 4), ("bad_checksum", 4), ("trunc_mid_segment", 1), ("segments_17", 5)]
        for name, count in rows:
            with self.subTest(image=name):
                info = self.info(VECTORS / f"{name}.bin", status=1)
                self.assertEqual(len(info["segments"]), count)
                text = otter("info", VECTORS / f"{name}.bin").stdout
                self.assertEqual(text.count("\nsegment "), count, text)
        self.assertIn("12 more in the header, beyond the end of the file", otter("info", VECTORS / "segments_17.bin").stdout)

    def test_what_lies_behind_an_image_is_told(self):
        image = (VECTORS / "esp32_valid.bin").read_bytes()
        for tail, content, words in ((b"\xff" * 5000, "erased", "erased (0xFF)"), (bytes(5000), "zeros", "zeros"),
                                     (self.rng.randbytes(5000), "noise", "encrypted or compressed"),
                                     (b"something else " * 400, "data", "other data")):
            with self.subTest(content=content):
                path = self.file("tail.bin", image + tail)
                self.assertEqual(self.info(path)["behind"], {"offset": len(image), "length": len(tail), "content": content})
                self.assertIn(f"behind it     {len(tail)} bytes at 0x310: {words}", otter("info", path).stdout)
        self.assertIsNone(self.info(VECTORS / "esp32_valid.bin")["behind"])

    def test_a_signature_is_named(self):
        image = (VECTORS / "esp32_valid.bin").read_bytes()

        def block(version, curve=0):
            raw = bytearray(1216)
            raw[0:4] = bytes((0xE7, version, 1 if curve == 3 else 0, 0))
            raw[52 if curve == 3 else 36] = curve
            raw[1196:1200] = struct.pack("<L", zlib.crc32(raw[:1196]))
            return bytes(raw)

        padded = image.ljust(0x1000, b"\xff")
        def found(version, scheme, offset, blocks):
            return {"version": version, "scheme": scheme, "offset": offset, "blocks": blocks}

        rows = [
            (padded + (block(2) + block(2)).ljust(0x1000, b"\xff"), found(2, "RSA-3072", 0x1000, 2)),
            (padded + block(3, 2).ljust(0x1000, b"\xff"), found(2, "ECDSA P-256", 0x1000, 1)),
            (padded + block(3, 3).ljust(0x1000, b"\xff"), found(2, "ECDSA P-384", 0x1000, 1)),
            (image + bytes(4) + self.rng.randbytes(64), found(1, "ECDSA P-256", 784, 1)),
            (padded + bytes((0xE7, 2)).ljust(0x1000, b"\0"), None),  # its CRC is wrong
            (image + bytes(68), None),
        ]
        for data, want in rows:
            with self.subTest(want=want):
                path = self.file("signed.bin", data)
                info = self.info(path)
                keys = (info["signature"] or {}).pop("keys", None)
                self.assertEqual(info["signature"], want)
                self.assertEqual(len(keys or ()), want["blocks"] if want else 0)
                self.assertEqual(info["behind"] is None, want is not None)
                self.assertEqual("Secure Boot" in otter("info", path).stdout, want is not None)

    def test_standard_input_and_pipes_are_read(self):
        image = (VECTORS / "esp32_valid.bin").read_bytes()
        want = self.info(VECTORS / "esp32_valid.bin")
        for path in "-", "/dev/stdin":
            done = subprocess.run([OTTER, "image", "info", path, "--json"], input=image, capture_output=True, timeout=WAIT_S)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(json.loads(done.stdout), want)
        for verb, text in ("info", "standard input: valid app image"), ("verify", "standard input: valid ESP32 app image"):
            done = subprocess.run([OTTER, "image", verb, "-"], input=image, capture_output=True, timeout=WAIT_S)
            self.assertIn(text, done.stdout.decode())
        with open(VECTORS / "esp32_valid.bin", "rb") as file:
            done = subprocess.run([OTTER, "image", "verify", "-"], stdin=file, capture_output=True, timeout=WAIT_S)
        self.assertEqual(done.returncode, 0, done.stderr)
        for data, text in (b"", "nothing came out of it"), (image[:100], "run past the 100 bytes"):
            done = subprocess.run([OTTER, "image", "info", "-"], input=data, capture_output=True, timeout=WAIT_S)
            self.assertEqual(done.returncode, 1)
            self.assertIn(text, done.stderr.decode())
        done = subprocess.run([OTTER, "image", "info", "-"], stdin=subprocess.DEVNULL, capture_output=True, timeout=WAIT_S)
        self.assertIn(b"not an ordinary file", done.stderr)

    def test_texts_of_an_image_cannot_steer_the_terminal(self):
        image = bytearray((VECTORS / "esp32_nohash.bin").read_bytes())
        evil = b"\x1b]0;owned\x07\xff\xc0\xaf\xe2\x80\xae\"\\\n\xc3\xa4 fine"
        image[0x50:0x50 + 32] = evil.ljust(32, b"!")
        image[-1] = 0xEF
        for segment_at, length in self.segments_of(image):
            for byte in image[segment_at:segment_at + length]:
                image[-1] ^= byte
        path = self.file("evil.bin", bytes(image))
        info = self.info(path)
        self.assertTrue(info["valid"])
        want = "\ufffd]0;owned\ufffd\ufffd\ufffd\ufffd\ufffd\"\\\ufffd\u00e4 fine"
        self.assertTrue(info["app"]["project_name"].startswith(want), info["app"]["project_name"])
        raw = otter("info", path).stdout + otter("verify", path).stdout
        self.assertNotIn("\x1b", raw)
        self.assertNotIn("\u202e", raw)

    @staticmethod
    def segments_of(image):
        at = 24
        for _ in range(image[1]):
            length = struct.unpack_from("<L", image, at + 4)[0]
            yield at + 8, length
            at += 8 + length

    def test_published_firmware_is_good(self):
        images = sorted(pathlib.Path(FIRMWARE).glob("*/*.bin")) if FIRMWARE else []
        if not images:
            self.skipTest("OTTER_FIRMWARE names no folder of published images")
        for path in images:
            with self.subTest(image=path.name):
                chip = "esp32c3" if "-c3-" in path.parent.name else "esp32"
                done = otter("verify", path, "--chip", chip)
                self.assertEqual(done.returncode, 0, done.stderr)
                broken = bytearray(path.read_bytes())
                broken[self.rng.randrange(400, len(broken))] ^= 1 << self.rng.randrange(8)
                self.assertEqual(otter("verify", self.file("broken.bin", broken)).returncode, 1)


class Kinds(ImageTest):
    """What a file is for: apps, bootloaders, programs for RAM, and merged factory files."""

    APP = [(0x3C000020, make_desc()), (0x3FC80000, b"data" * 20)]

    def kind(self, data, status=0):
        path = self.file("file.bin", data)
        info = self.info(path, status)
        done = otter("verify", path)
        self.assertEqual(done.returncode, status, done.stderr)
        return info, otter("info", path).stdout

    def test_bootloaders_of_any_age_are_valid_ones(self):
        for chip in "esp32", "esp32s2", "esp32s3", "esp32c3", "esp32c6", "esp32p4":
            for idf_ver in None, "v5.2.1":
                with self.subTest(chip=chip, idf_ver=idf_ver):
                    ram = {"esp32": 0x40078000}.get(chip, RAM[chip])
                    data = bootloader(chip, idf_ver) if chip != "esp32" else image(
                        chip, [(0x3FFF0030, b"\x13\0\0\0" * 20), (ram, b"code" * 100)])
                    info, text = self.kind(data)
                    self.assertEqual((info["kind"], info["valid"], info["app"]), ("bootloader", True, None))
                    self.assertIn("valid bootloader image", text)
                    self.assertIn("an update or an app partition needs the app's own image", text)
                    self.assertEqual(len(info["segments"]), 2)
                    self.assertEqual(otter("verify", self.file("b", data), "--chip", chip).returncode, 0)
                    self.fails(1, "image is for", "verify", self.file("b", data), "--chip", "linux")
        self.assertEqual(self.info(self.file("b", bootloader("esp32c3")))["bootloader"], {
            "version": 1, "secure_version": 0, "idf_ver": "v5.2.1", "date_time": "Jan  2 2026 12:34:56"})

    def test_a_wrong_hash_does_not_keep_a_chip_from_starting_its_bootloader(self):
        data = bytearray(bootloader("esp32c3"))
        data[2] = 0  # as a tool that sets the flash mode and leaves the rest
        info, text = self.kind(bytes(data))
        self.assertEqual((info["valid"], info["hash_valid"]), (True, False))
        self.assertIn("WRONG", text)
        self.assertIn("ROM does not compare it", text)

    def test_a_program_for_ram_is_no_app(self):
        data = image("esp32c3", [(0x3FC80000, b"data" * 20), (0x40380000, b"code" * 100)])
        info, text = self.kind(data)
        self.assertEqual(info["kind"], "ram")
        self.assertIn("valid RAM program", text)

    def merged(self, chip, size=None, app=None, lead=b"\xff"):
        at = {"esp32": 0x1000, "esp32p4": 0x2000}.get(chip, 0)
        flash = bytearray(lead * at + (bootloader(chip) if chip != "esp32" else image(
            chip, [(0x3FFF0030, b"\x13\0\0\0" * 20), (0x40078000, b"code" * 100)])))
        table = (VECTORS.parent / "ptable" / "bin" / "two_ota_md5.bin").read_bytes()
        for offset, data in ((0x8000, table), (0x10000, image(chip, app or self.APP))):
            flash += b"\xff" * (offset - len(flash)) + data
        return bytes(flash) if size is None else bytes(flash.ljust(size, b"\xff"))

    def test_merged_factory_files_are_named_with_what_is_in_them(self):
        apps = {"esp32": [(0x3F400020, make_desc()), (0x3FFB0000, b"data" * 20)],
                "esp32p4": [(0x40000020, make_desc()), (0x4FF40000, b"data" * 20)]}
        for chip, at, size in ("esp32c3", 0, None), ("esp32", 0x1000, 0x400000), ("esp32p4", 0x2000, None):
            with self.subTest(chip=chip):
                data = self.merged(chip, size, apps.get(chip))
                info, text = self.kind(data)
                self.assertEqual((info["kind"], info["offset"], info["chip"]), ("factory", at, chip))
                self.assertEqual([(part["offset"], part["kind"], part["valid"]) for part in info["contents"]],
                                 [(0x8000, "table", True), (0x10000, "app", True)])
                self.assertIn("merged factory file", text)
                self.assertIn("0x00008000  partition table, 6 partitions", text)
                self.assertIn("0x00010000  valid app image, ", text)
                self.assertIn("from_elf 1.2.3", text)
                self.assertIn("not an app", otter("verify", self.file("f", data)).stdout)

    def test_a_dump_that_begins_with_the_bootloader_is_one_of_the_flash_around_it(self):
        whole = self.merged("esp32", None, [(0x3F400020, make_desc()), (0x3FFB0000, b"data" * 20)])
        info, text = self.kind(whole[0x1000:])
        self.assertEqual((info["kind"], info["offset"], info["begins_at"]), ("factory", 0, 0x1000))
        self.assertEqual([(part["offset"], part["valid"]) for part in info["contents"]], [(0x7000, True), (0xF000, True)])
        self.assertIn("the file begins at 0x1000 of its flash", text)
        self.assertEqual(self.kind(whole)[0]["begins_at"], 0)
        self.assertFalse(self.kind(whole[0x1000:-40], status=1)[0]["contents"][1]["valid"])

    def test_a_broken_app_in_a_factory_file_is_what_is_wrong_with_it(self):
        data = self.merged("esp32c3")
        info, text = self.kind(data[:-40], status=1)
        self.assertIn("at 0x10000, app image: ", info["error"])
        self.assertIn("0x00010000  BROKEN app image", text)

    def test_a_table_alone_is_no_image_but_named(self):
        info, text = self.kind((VECTORS.parent / "ptable" / "bin" / "two_ota_md5.bin").read_bytes(), status=1)
        self.assertEqual((info["kind"], info["contents"][0]["kind"]), ("none", "table"))
        self.assertIn("`otter table show` explains it", text)

    def test_images_of_chips_that_are_not_known_are_named(self):
        esp8266 = struct.pack("<BBBBLLL", 0xE9, 1, 0, 0x40, 0x4010F480, 0x40100000, 0x10000) + bytes(0x1000)
        info, text = self.kind(esp8266, status=1)
        self.assertIn("ESP8266", text)
        self.assertIn("ESP8266", info["error"])
        self.assertEqual(info["kind"], "esp8266")
        self.assertIn("an ESP8266 image", self.kind(b"\xea\4\0\0" + bytes(60), status=1)[1])
        data = bytearray((VECTORS / "esp32_nohash.bin").read_bytes())
        data[12:14] = b"\x20\0"
        info, text = self.kind(bytes(data))
        self.assertIn("ESP32-S31 (0x0020)", text)

    def test_what_is_no_image_says_what_it_holds(self):
        for data, words in ((b"\xff" * 5000, "5000 bytes: erased (0xFF)"), (bytes(5000), "5000 bytes: zeros"),
                            (b"\0" + self.rng.randbytes(5000), "encrypted or compressed"),
                            (b"\x7fELF" + bytes(60), "an ELF file"),
                            (b"\x7fELF" + bytes(60), "`otter image build` makes an image of it")):
            with self.subTest(words=words):
                self.assertIn(words, self.kind(data, status=1)[1])


class Hostile(ImageTest):
    def test_wrong_usage_is_told(self):
        rows = [
            (), ("what",), ("info",), ("info", "a", "b"), ("info", "--nope", "a"), ("verify",),
            ("verify", "--chip", "esp8266", "a"), ("verify", "--chip-rev", "x", "a"),
            ("build",), ("build", "--elf", OTTER), ("build", "--elf", OTTER, "--chip", "linux"),
            ("build", "--elf", OTTER, "--chip", "linux", "-o", self.work / "x"),
            ("build", "--elf", OTTER, "--chip", "linux", "--version", "v" * 33),
            ("build", "--elf", OTTER, "--chip", "linux", "--secure-version", "-1"),
            ("build", "--elf"),
        ]
        for args in rows:
            with self.subTest(args=args):
                self.assertEqual(otter(*args).returncode, 2)
        self.assertFalse((self.work / "x").exists())

    def test_help_is_there(self):
        for args in (("--help",), ("info", "--help"), ("verify", "-h"), ("build", "--help")):
            done = otter(*args)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertIn("usage: otter image", done.stdout)

    def test_files_that_are_not_there_or_not_files(self):
        for verb in ("info", "verify"):
            self.fails(1, "cannot open", verb, self.work / "none")
            self.fails(1, "not an ordinary file", verb, self.work)
        self.fails(1, "cannot", "build", "--elf", self.work / "none", "--chip", "linux", "--project", "p",
                   "--version", "1", "-o", self.work / "o")

    def refused(self, data, text, chip="esp32c3"):
        out = self.work / "out.bin"
        self.fails(1, text, "build", "--elf", self.file("bad.elf", data), "--chip", chip, "--project", "p",
                   "--version", "1", "-o", out)
        self.assertFalse(out.exists())

    def test_elf_files_that_lie_are_refused(self):
        good = make_elf(RISCV, app_sections("esp32c3", self.rng, make_desc()))
        shoff = struct.unpack_from("<L", good, 32)[0]

        def patched(at, fmt, value):
            data = bytearray(good)
            struct.pack_into(fmt, data, at, value)
            return bytes(data)

        rows = [
            ("empty", b"", "not an ELF"),
            ("noise", bytes(range(200)), "not an ELF"),
            ("magic only", good[:4], "cut off"),
            ("header cut", good[:51], "cut off"),
            ("64 bit", patched(4, "B", 2), "32-bit"),
            ("big endian", patched(5, "B", 2), "32-bit"),
            ("machine", make_elf(XTENSA, app_sections("esp32c3", self.rng)), "ELF machine"),
            ("tables cut", good[:shoff + 40], "cut off"),
            ("table offset", patched(32, "<L", 0xFFFFFFF0), "beyond its end"),
            ("row size", patched(46, "<H", 41), "section headers have"),
            ("no rows", patched(48, "<H", 0), "no section headers"),
            ("many rows", patched(48, "<H", 0xFFFF), "beyond its end"),
            ("names index", patched(50, "<H", 0xFFFF), "section names"),
            ("name offset", patched(shoff + 40, "<L", 0xFFFFFFFF), "section 1 lies beyond"),
            ("data offset", patched(shoff + 40 + 16, "<L", 0xFFFFFF00), "section 1 lies beyond"),
            ("data length", patched(shoff + 40 + 20, "<L", 0xFFFFFFFF), "section 1 lies beyond"),
            ("address wraps", patched(shoff + 40 + 12, "<L", 0xFFFFFFFF), "section 1 lies beyond"),
            ("overlap", patched(shoff + 2 * 40 + 12, "<L", 0x40380100), "overlap"),
            ("nothing to load", make_elf(RISCV, []), "no sections to load"),
        ]
        for name, data, text in rows:
            with self.subTest(case=name):
                self.refused(data, text)
        self.refused(b"MZ" + good[2:], "not an ELF", chip="linux")

    def test_chip_linux_takes_programs_of_this_machine_only(self):
        own = OTTER.read_bytes()
        machine = struct.unpack_from("<H", own, 18)[0]
        other = bytearray(own[:4096])
        struct.pack_into("<H", other, 18, 40 if machine != 40 else 183)
        narrow = bytearray(own[:4096])
        narrow[4] = 3 - narrow[4]
        object_file = bytearray(own[:4096])
        struct.pack_into("<H", object_file, 16, 1)
        for data, text in ((make_elf(RISCV, app_sections("esp32c3", self.rng, make_desc())), "and ELF machine 243 (RISC-V)"),
                           (other, "chip linux wants a program of this machine"), (narrow, "and this machine runs"),
                           (object_file, "it is no program: link it first"), (own[:19], "cut off at 19 bytes"),
                           (own[:100], "the program is cut off at 100 bytes"),
                           (own[:5000], "the program is cut off at 5000 bytes"),
                           (own[:24] + bytes(8) + own[32:], "it is no program, but a library")):
            with self.subTest(text):
                self.refused(bytes(data), text, chip="linux")
        out = self.build(OTTER, "linux", "--project", "p", "--version", "1")
        self.assertNotIn("cannot start it here", otter("info", out).stdout)
        image = bytearray(out.read_bytes())
        image[0x128 + 18] ^= 0x80
        self.assertIn("`otter run` cannot start it here: it is for", otter("info", self.file("x.bin", image)).stdout)

    def test_layouts_that_no_chip_can_map_are_refused(self):
        desc = make_desc()
        rows = [
            ("two in a page", [(".flash.appdesc", 0x3C000020, desc), (".flash.rodata", 0x3C001000, b"abcd")], "in one"),
            ("two in a page, the descriptor's a later one",
             [(".conf", 0x3C028000, b"abcd"), (".lowest", 0x3C000020, b"abcd"), (".flash.appdesc", 0x3C020020, desc)],
             "in one"),
            ("the end of one, the start of another",
             [(".flash.appdesc", 0x3C000020, desc), (".long", 0x3C010000, bytes(0x10010)), (".next", 0x3C020020, b"abcd")],
             "in one"),
            ("descriptor elsewhere", [(".flash.appdesc", 0x3C000100, desc)], "is not at 0x20"),
            ("no descriptor", [(".flash.appdesc", 0x3C000020, b"x" * 256)], "no app descriptor"),
            ("short descriptor", [(".flash.appdesc", 0x3C000020, desc[:252])], "a descriptor has 256"),
            ("digest there", [(".flash.appdesc", 0x3C000020, desc[:144] + b"x" * 112)], "already holds"),
            ("too long", [(".flash.appdesc", 0x3C000020, desc), (".iram", 0x40380000, bytes(1 << 24))], "16 MiB"),
            ("too many", [(".flash.appdesc", 0x3C000020, desc)] +
             [(f".s{i}", 0x3FC80000 + 16 * i, b"abcd") for i in range(17)], "more than 16"),
            ("odd address", [(".flash.appdesc", 0x3C000020, desc), (".t", 0x42000021, b"abcd")], "not aligned"),
        ]
        for name, sections, text in rows:
            with self.subTest(case=name):
                self.refused(make_elf(RISCV, sections), text)

    def test_sections_are_judged_before_they_are_copied(self):
        """A small file can ask for much: section headers are cheap, and may all tell of the same bytes."""
        desc = (".flash.appdesc", 0x3C000020, make_desc())
        mib, short, long = bytes(1 << 20), bytes(0xFF00), bytes(15 << 20)
        rows = [  # sections (name, address, bytes), what the refusal says
            ("one place many times", [(".s", 0x40380000, mib)] * 3000, "overlap"),
            ("last byte shared", [desc, (".a", 0x40380000, b"x" * 9), (".b", 0x40380008, b"y" * 4)], "overlap"),
            ("falling addresses", [desc, (".b", 0x40380008, b"y" * 4), (".a", 0x40380000, b"x" * 9)], "overlap"),
            ("across memories", [desc, (".a", 0x3BFFFFFC, b"x" * 64)], "overlap"),
            ("many gaps", [(".s", 0x3FC80000 + 8 * i, b"abcd") for i in range(60000)], "more than 16 segments"),
            ("no end", [(".s", 0x40380000 + (i << 20), mib) for i in range(2000)], "16 MiB"),
            ("two large ones", [(".s", 0x3C000000 + (i << 24), long) for i in range(2)], "the 16 MiB that fit"),
            ("one place at every address", [(".s", 0x01000004 + (i << 16), short) for i in range(65000)],
             "more than 16 segments"),
            ("many large ones", [(".s", 0x3C000000 + (i << 24), long) for i in range(16)], "the 128 MiB that fit"),
            ("a long name", [("n" * (8 << 20), 0x40380000, b"abcd")] * 60000, "overlap"),
        ]
        for name, sections, text in rows:
            with self.subTest(case=name):
                chip = "esp32p4" if "128" in text else "esp32c3"
                elf = make_elf(RISCV, sections)
                before = resource.getrusage(resource.RUSAGE_CHILDREN)
                self.refused(elf, text, chip)
                after = resource.getrusage(resource.RUSAGE_CHILDREN)
                self.assertLess(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, 2)
                self.assertLess(after.ru_maxrss, MOST_MEMORY_KIB)  # the largest of all children so far

    def test_section_names_cannot_steer_the_terminal(self):
        evil = ("\x1b]0;owned\x07\n", 0x40380000, b"x" * 8)
        self.refused(make_elf(RISCV, [evil, evil]), "sections \ufffd]0;owned\ufffd\ufffd at")

    def test_random_damage_never_crashes_the_builder(self):
        good = make_elf(RISCV, [(".flash.appdesc", 0x3C000020, make_desc()), (".flash.text", 0x42000020, b"code" * 50),
                                (".dram0.data", 0x3FC80000, b"data" * 20)])
        shoff = struct.unpack_from("<L", good, 32)[0]
        for _ in range(150):
            data = bytearray(good)
            for _ in range(3):
                at = self.rng.choice((self.rng.randrange(52), self.rng.randrange(shoff, len(data))))
                data[at] = self.rng.choice((0, 0xFF, self.rng.randrange(256)))
            done = otter("build", "--elf", self.file("bad.elf", data), "--chip", "esp32c3", "--project", "p",
                         "--version", "1", "-o", self.work / "out.bin")
            self.assertIn(done.returncode, (0, 1), done.stderr)


if __name__ == "__main__":
    unittest.main()
