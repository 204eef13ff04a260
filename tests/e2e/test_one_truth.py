"""One file before every verb of the command that takes it: none of them contradicts another."""
# SPDX-License-Identifier: Apache-2.0

import functools
import hashlib
import http.server
import json
import os
import random
import re
import resource
import struct
import threading
import unicodedata
import unittest
import zlib

from device import FULL
from files_case import TABLE, FilesTest, otter
from image_files import bootloader, image

LONG = os.environ.get("OTTER_LONG") == "1"
ODD_IMAGES, ODD_UPDATES = (60, 12) if LONG else (8, 1) if os.environ.get("CI") else (3, 1)
FACTORY, OTA_1 = 0x10000, 0x210000
# Chip, its code in images, where flash is mapped, memory to load to, and where it looks for its bootloader.
CHIPS = [("esp32", 0, 0x3F400000, 0x40080000, 0x1000), ("esp32s3", 9, 0x3C000000, 0x403C9700, 0),
         ("esp32c3", 5, 0x3C000000, 0x403CE000, 0), ("esp32c6", 13, 0x42000000, 0x4086C410, 0),
         ("esp32p4", 18, 0x40000000, 0x4FF33CE0, 0x2000), ("linux", 0xFFFF, 0, 0x10000000, None)]


def app(chip, *, version=b"1.0.0", project=b"test", secure=0, rev=(0, 0xFFFF), blk=(0, 0), spoil=None):
    _, code, mapped, loaded, _ = chip
    desc = struct.pack("<II8x32s32s16s16s32s32sHH76x", 0xABCD5432, secure, version, project, b"", b"", b"", b"", *blk)
    out = struct.pack("<BBBBIB3xHBHH4xB", 0xE9, 2, 2, 0x20, loaded, 0xEE, code, 0, *rev, 1)
    for address, data in ((mapped and mapped + 0x20, desc), (loaded, b"data" * 1500)):
        out += struct.pack("<II", address, len(data)) + data
    checksum = 0xEF
    for byte in desc + b"data" * 1500:
        checksum ^= byte
    out += bytes(15 - len(out) % 16) + bytes([checksum ^ (spoil == "checksum")])
    return out + hashlib.sha256(out + b"!" * (spoil == "hash")).digest()


# The other chips whose bootloaders look at revisions.
MORE_CHIPS = [("esp32s2", 2, 0x3F000000, 0x40020000, 0x1000), ("esp32c2", 12, 0x3C000000, 0x4037C000, 0),
              ("esp32h2", 16, 0x42000000, 0x40800000, 0), ("esp32c61", 20, 0x42000000, 0x40800000, 0),
              ("esp32c5", 23, 0x42000000, 0x40800000, 0x2000)]


def odd_app(chip, rng):
    """An app in which one thing or another is as no build makes it: where the descriptor would be there may be anything, of any
    length, also of a segment that goes to memory; and any revisions are asked for."""
    _, code, mapped, loaded, _ = chip
    rev = rng.choice([(0, 0), (0, 0xFFFF), (3, 199), (300, 199), (0xFFFF, 0xFFFF), (300, 399)])
    blk = rng.choice([(0, 0), (0xFFFF, 0), (0xFFFF, 0xFFFF), (103, 199), (5000, 0), (5000, 100), (0, 5), (0x6464, 0x6464)])
    first = bytearray(struct.pack("<II8x32s32s16s16s32s32sHH76x", 0xABCD5432, 0, b"1.0.0", b"odd", b"", b"", b"", b"", *blk))
    kind = rng.randrange(5)
    if kind == 1:
        first[:4] = rng.choice([bytes(4), b"\xff" * 4, b"code"])  # no descriptor, and its bytes are still there
    elif kind == 2:
        first[:] = rng.choice([b"\xff", b"A", b"\0", b"\x50"]) * 256
    elif kind == 3:
        first[:] = rng.randbytes(256)
    first = bytes(first[:rng.choice([256, 256, 256, 4, 176, 180, 184, 252])])
    segments = [(mapped and mapped + 0x20, first), (loaded, b"data" * 150)]
    if kind == 4 and mapped:
        at = 0x20 + len(first) + 8
        segments = [(loaded, first), (mapped + at, b"data" * 150)]
    return image(code, segments, revisions=rev, entry=loaded)


def as_row(at, kind, subtype, size, label):
    return struct.pack("<HBBII16sI", 0x50AA, kind, subtype, at, size, label, 0)


def with_rows(*rows):
    """The table of two slots, and more partitions."""
    end = TABLE.index(b"\xeb\xeb")
    data = TABLE[:end] + b"".join(rows)
    return data + b"\xeb\xeb" + b"\xff" * 14 + hashlib.md5(data).digest()


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


class TruthTest(FilesTest):
    def file(self, name, data):
        (self.folder / name).write_bytes(data)
        return self.folder / name

    def put(self, *pieces, base=b"\xff" * 0x400000):
        data = bytearray(base)
        for offset, piece in ((0x8000, TABLE), *pieces):
            data[offset:offset + len(piece)] = piece
        self.flash.write_bytes(data)
        return bytes(data)

    def info(self, *args):
        return json.loads(otter("flash", "info", self.flash, "--json", *args).stdout)

    def says(self, run, text):
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertIn(text, run.stdout.decode())


class Images(TruthTest):
    """What `image verify --chip` takes is what `flash new` and `flash write` take, and what boots then."""

    def variants(self, chip):
        whole = app(chip)
        yield "good", whole
        yield "wrong checksum", app(chip, spoil="checksum")
        yield "wrong hash", app(chip, spoil="hash")
        yield "data behind it", whole + b"junk" * 50
        yield "no names", app(chip, version=b"", project=b"")
        yield "a revision", app(chip, rev=(100, 0xFFFF))
        yield "a highest revision", app(chip, rev=(0, 50))
        yield "a block revision", app(chip, blk=(103, 199))
        if chip[0] in ("esp32", "esp32c3"):
            yield "a bootloader", bootloader(chip[0])
            yield "a program for RAM", image(chip[0], [(chip[3], b"ab" * 50)])
        for length in (0, 1, 23, 24, 31, 32, 287, 288, 4096, len(whole) - 33, len(whole) - 32, len(whole) - 1):
            yield f"cut at {length}", whole[:length]

    def remake(self, *args):
        for name in ("flash.bin", "flash.bin.efuse"):
            (self.folder / name).unlink(missing_ok=True)
        table = self.file("table.bin", TABLE)
        return otter("flash", "new", self.flash, "--size", "4MB", "--table", table, *args)

    def test_all_verbs_take_the_same(self):
        for chip in CHIPS if FULL else CHIPS[::4]:
            old = self.file("old.bin", app(chip, version=b"0.9"))
            for name, data in self.variants(chip):
                with self.subTest(chip[0], image=name):
                    self.agree(chip[0], old, self.file("image.bin", data))

    def test_they_take_the_same_whatever_stands_for_a_descriptor(self):
        for number, chip in enumerate(CHIPS + MORE_CHIPS):
            rng = random.Random(number)
            old = self.file("old.bin", app(chip, version=b"0.9"))
            for turn in range(ODD_IMAGES):
                with self.subTest(chip[0], turn=turn):
                    self.agree(chip[0], old, self.file("image.bin", odd_app(chip, rng)))

    def test_an_update_takes_what_verify_takes_and_asks_for_what_it_is_not_told(self):
        handler = functools.partial(QuietHandler, directory=self.folder)
        with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            url = f"http://127.0.0.1:{server.server_port}/image.bin"
            for number, chip in enumerate(CHIPS + MORE_CHIPS):
                rng = random.Random(100 + number)
                old = self.file("old.bin", app(chip, version=b"0.9"))
                for turn in range(ODD_UPDATES):
                    path = self.file("image.bin", odd_app(chip, rng))
                    for told in [(), ("--chip-rev", "v0.4", "--blk-rev", "v1.3"), ("--chip-rev", "v3.0", "--blk-rev", "v60.0")]:
                        with self.subTest(chip[0], turn=turn, told=told):
                            self.update_agrees(url, chip[0], old, path, told)
            server.shutdown()

    def update_agrees(self, url, chip, old, path, told):
        self.remake("--chip", chip, "--app", f"factory={old}")
        verified = otter("image", "verify", path, "--chip", chip, *told)
        takes = verified.returncode == 0 and b"not an app" not in verified.stdout
        done = otter("update", self.flash, url, "--allow-http", *told)
        asked = not told and b" is not known" in done.stderr
        if not takes or not asked:
            self.assertEqual(done.returncode == 0, takes, done.stderr + verified.stderr)
        if asked and takes:
            self.assertIn(b"--chip-rev and --blk-rev", done.stderr)
        if done.returncode == 0:
            self.assertEqual(self.info(*told)["boot"]["label"], "ota_0")

    def agree(self, chip, old, path):
        info = otter("image", "info", path)
        told = json.loads(otter("image", "info", path, "--json").stdout)
        self.assertEqual(otter("image", "verify", path).returncode, info.returncode)
        self.assertEqual(told["valid"], info.returncode == 0)
        verified = otter("image", "verify", path, "--chip", chip).returncode == 0 and told["kind"] == "app"
        made = self.remake("--chip", chip, "--app", f"factory={path}")
        self.assertEqual(made.returncode == 0, verified, made.stderr)
        if verified:
            self.assertEqual(self.info()["boot"]["label"], "factory")
        self.assertEqual(self.remake("--chip", chip, "--app", f"factory={old}").returncode, 0)
        written = otter("flash", "write", self.flash, "ota_1", path)
        self.assertEqual(written.returncode == 0, verified, written.stderr)
        if verified:
            slots = {slot["label"]: slot["image"] for slot in self.info()["slots"]}
            self.assertEqual((slots["ota_1"]["valid"], slots["ota_1"]["error"]), (True, None))

    def test_revisions_that_are_known_judge_alike(self):
        chip = CHIPS[2]
        old = self.file("old.bin", app(chip, version=b"0.9"))
        for wants, rev, blk, good in [({}, "v0.0", "v0.0", True), ({"rev": (100, 0xFFFF)}, "v0.4", "v0.0", False),
                                      ({"rev": (100, 0xFFFF)}, "v1.0", "v0.0", True), ({"rev": (0, 50)}, "v1.0", "v0.0", False),
                                      ({"blk": (103, 199)}, "v0.4", "v1.2", False), ({"blk": (103, 199)}, "v0.4", "v1.3", True),
                                      ({"blk": (103, 199)}, "v0.4", "v2.0", False)]:
            with self.subTest(wants, rev=rev, blk=blk):
                path = self.file("image.bin", app(chip, **wants))
                known = ("--chip", "esp32c3", "--chip-rev", rev, "--blk-rev", blk)
                self.assertEqual(otter("image", "verify", path, *known).returncode == 0, good)
                self.assertEqual(self.remake(*known, "--app", f"factory={path}").returncode == 0, good)
                self.assertEqual(self.remake(*known, "--app", f"factory={old}").returncode, 0)
                self.assertEqual(otter("flash", "write", self.flash, "ota_1", path).returncode == 0, good)
                self.assertEqual(self.remake("--chip", "esp32c3", "--app", f"factory={old}").returncode, 0)
                self.assertEqual(otter("flash", "write", self.flash, "ota_1", path, *known).returncode == 0, good)

    def test_verify_tells_what_it_was_not_told(self):
        path = self.file("image.bin", app(CHIPS[2], rev=(3, 0xFFFF), blk=(103, 199)))
        rev, blk = "needs chip revision v0.3 or later", "needs eFuse block revision v1.3 or later"
        for args, told in [((), (rev, blk)), (("--chip", "esp32c3"), (rev, blk)), (("--chip-rev", "v0.4"), (blk,)),
                           (("--blk-rev", "v1.3"), (rev,)), (("--chip-rev", "v0.4", "--blk-rev", "103"), ())]:
            with self.subTest(args):
                said = otter("image", "verify", path, *args).stdout.decode()
                self.assertEqual([text for text in (rev, blk) if text in said], list(told))
        virtual = self.file("virtual.bin", app(CHIPS[5], rev=(100, 0xFFFF)))
        self.fails(otter("image", "verify", virtual, "--chip", "linux"), "this is v0.0")
        self.says(otter("image", "verify", virtual), "needs chip revision v1.0 or later")

    def test_a_factory_file_is_called_one_wherever_it_begins(self):
        for chip in CHIPS[:5]:
            whole = bytearray(self.put((chip[4], bootloader(chip[0])), (FACTORY, app(chip))))
            for name, data in (("whole", whole), ("from the bootloader on", whole[chip[4]:])):
                with self.subTest(chip[0], file=name):
                    path = self.file("image.bin", bytes(data[:0x20000]))
                    self.assertIn("merged factory file", otter("image", "info", path).stdout.decode())
                    self.fails(self.remake("--chip", chip[0], "--app", f"factory={path}"), "this is a merged factory file")

    def test_an_image_without_names_has_none(self):
        path = self.file("image.bin", app(CHIPS[2], version=b"", project=b""))
        self.assertRegex(otter("image", "verify", path).stdout.decode(), r"bytes\n$")
        self.assertIn("but an app image\n", otter("flash", "info", path).stdout.decode())
        self.put((FACTORY, path.read_bytes()), (0, bootloader("esp32c3")))
        self.assertEqual(otter("flash", "info", self.flash).stdout.decode().splitlines()[0], "boots next: factory")


class Flashes(TruthTest):
    def test_a_file_that_is_no_flash_has_no_chip_of_its_own(self):
        said = otter("flash", "info", self.file("app.bin", app(CHIPS[2]))).stdout.decode()
        self.assertIn("app.bin: 6336 bytes\n", said)
        self.assertNotIn("chip linux", said)

    def test_a_dump_that_ends_in_the_table_was_cut(self):
        good = self.put((0x1000, bootloader("esp32")), (FACTORY, app(CHIPS[0])))
        for length in (0x8020, 0x8021, 0x80A0):
            with self.subTest(length):
                self.flash.write_bytes(good[:length])
                got = self.info()
                self.assertTrue(any("in the middle of the partition table" in line for line in got["warnings"]))
                self.assertIn("esptool --chip esp32 read-flash 0x0", got["repairs"][0]["command"])
                self.assertFalse(any("flash table" in one["command"] for one in got["repairs"]))
        self.flash.write_bytes(good[:0x8001])
        self.assertIn("the file ends at 0x8001", self.info()["verdict"])

    def test_the_bootloader_tells_by_how_much_a_dump_is_shifted(self):
        """Shifted by the distance of two apps, an image lies where the table has one all the same."""
        for chip, pad in [(CHIPS[2], b"\xff"), (CHIPS[2], b"\0"), (CHIPS[0], b"\xff")]:
            with self.subTest(chip[0], pad=pad):
                good = self.put((chip[4], bootloader(chip[0])), (FACTORY, app(chip)))
                self.flash.write_bytes(pad * 0x10000 + good[:0x300000])
                got = self.info()
                self.assertIn("the flash starts at 0x10000 of the file", got["verdict"])
                self.assertIn("read-flash 0x0 ALL", got["repairs"][0]["command"])

    def test_a_shift_need_not_be_of_whole_sectors(self):
        """Bytes that a serial program put before a dump, or lost of it."""
        good = self.put((0x1000, bootloader("esp32")), (FACTORY, app(CHIPS[0])))
        for shift in (1, 3, 512, 4095, 4097):
            for text, data in ((f"the flash starts at 0x{shift:x} of the file", b"\0" * shift + good),
                               (f"the dump starts at 0x{shift:x} of the flash", good[shift:])):
                with self.subTest(text):
                    self.flash.write_bytes(data)
                    self.assertIn(text, self.info()["verdict"])
                    self.assertIn("read-flash 0x0 ALL", self.info()["repairs"][0]["command"])
                    self.says(otter("table", "show", self.flash), "otadata")
        for row in (b"\xaa\x50", good[0x8000:0x8020]):  # what begins everywhere takes no longer
            self.flash.write_bytes(b"\0" + row * (0x400000 // len(row)))
            self.assertIn("no partition table at 0x8000", self.info()["verdict"])
        self.flash.write_bytes(b"\0" * 77 + good[0x8000:0x8020] + b"\0" * 0x20000)  # a row is no table
        self.assertNotIn("starts at", self.info()["verdict"])

    def test_a_dump_that_ends_before_the_table_is_to_be_read_again(self):
        good = self.put((0x1000, bootloader("esp32")), (FACTORY, app(CHIPS[0])))
        for length in (0x5000, 0x5001, 0x8000):
            self.flash.write_bytes(good[:length])
            self.assertEqual([one["command"] for one in self.info()["repairs"]],
                             [f"esptool --chip esp32 read-flash 0x0 ALL {self.flash}"])

    def test_codes_of_a_bootloader_without_a_meaning_are_shown(self):
        self.put((0x1000, bootloader("esp32", size_code=9, mode=8, freq=7)), (FACTORY, app(CHIPS[0])))
        self.says(otter("flash", "info", self.flash),
                  "for a flash size that no chip has (code 9), flash mode code 8, frequency code 7")

    def test_slots_that_do_not_begin_with_ota_0_are_none(self):
        parts = self.file("parts.csv", b"otadata,data,ota,0xe000,0x2000\nsecond,app,ota_1,0x10000,1M\n")
        self.flash.unlink()
        otter("flash", "new", self.flash, "--size", "4MB", "--table", parts, "--chip", "esp32c3", "--app",
              f"second={self.file('app.bin', app(CHIPS[2]))}")
        got = self.info()
        self.assertIn("no app partition counts: there is neither factory, test nor ota_0", got["verdict"])
        commands = [one["command"] for one in got["repairs"]]
        self.assertTrue(any("flash table" in command for command in commands))
        self.assertFalse(any("app.bin" in command for command in commands))

    def test_columns_line_up_on_a_terminal(self):
        def columns(text):
            return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)
        labels = ["ascii", "инит_", "日本語アプ", "한글", "cafe\u0301", "😀", "ñ"]
        rows = "".join(f"{label},app,ota_{i},{0x10000 * (i + 1)},64K\n" for i, label in enumerate(labels))
        self.put((0x8000, otter("table", "build", self.file("parts.csv", rows.encode()), "-o", "-", check=True).stdout))
        for verb in (("flash", "info"), ("table", "show")):
            said = otter(*verb, self.flash).stdout.decode().splitlines()
            for label in labels:
                lines = [line for line in said if label in line and "ota_" in line]
                self.assertEqual({columns(line[:line.index(" app ")]) for line in lines}, {18 if verb[0] == "flash" else 16})

    def test_zeros_are_to_be_read_again(self):
        self.flash.write_bytes(bytes(0x100000))
        self.assertEqual(["read-flash" in one["command"] for one in self.info()["repairs"]], [True])

    def test_check_fails_where_something_else_boots_than_was_selected(self):
        record = struct.pack("<I20sII", 2, b"\xff" * 20, 2, 0x55F63774)
        self.put((0x1000, bootloader("esp32")), (FACTORY, app(CHIPS[0])), (0xD000, record))
        self.assertIn("factory (test 1.0.0) instead of ota_1", self.info()["verdict"])
        self.fails(otter("flash", "info", self.flash, "--check"), "instead of ota_1")
        self.put((FACTORY, app(CHIPS[0])))  # no bootloader in the file: it may be one for the apps alone
        self.assertEqual(otter("flash", "info", self.flash, "--check").returncode, 0)

    def test_what_is_no_table_is_named(self):
        for data, name in [(b"\x7fELF" + b"\1\1\1" * 100, "an ELF file"), (b"PK\3\4" + b"x" * 5000, "a ZIP file"),
                           (b"\x1f\x8b\x08" + b"\1\2\3" * 3000, "a gzip file")]:
            with self.subTest(name):
                self.fails(otter("table", "show", self.file("file", data)), f"no partition table: it is {name}")


class SecureVersions(TruthTest):
    def setUp(self):
        super().setUp()
        self.put((FACTORY, app(CHIPS[2], secure=3)), (OTA_1, app(CHIPS[2], secure=1)))
        self.file("flash.bin.efuse", b"chip=esp32c3\nsecure_version=2\n")

    def test_a_version_that_is_too_old_is_told(self):
        text = "ota_1 has secure version 1, and"
        self.assertTrue(any(text in line for line in self.info()["warnings"]))
        self.says(otter("flash", "select", self.flash, "ota_1"), f"warning: {text}")
        self.assertEqual(self.info()["boot"]["label"], "ota_1")
        self.assertEqual(self.info("--anti-rollback")["boot"]["label"], "factory")

    def test_select_refuses_it_for_a_bootloader_with_anti_rollback_and_erases_nothing(self):
        before = self.flash.read_bytes()
        self.fails(otter("flash", "select", self.flash, "ota_1", "--anti-rollback"), "secure version 1")
        self.assertEqual(self.flash.read_bytes(), before)
        self.says(otter("flash", "select", self.flash, "factory", "--anti-rollback"), "factory is selected")


class Data(TruthTest):
    """Data partitions take what ESP-IDF reads from them, and those for anything take anything."""

    def setUp(self):
        super().setUp()
        rows = [as_row(0x310000, 1, 0x82, 0x10000, b"storage"), as_row(0x320000, 1, 6, 0x10000, b"spare"),
                as_row(0x330000, 0x40, 1, 0x10000, b"own"), as_row(0x340000, 1, 3, 0x10000, b"dump")]
        self.put((0x8000, with_rows(*rows)), (FACTORY, app(CHIPS[2])))
        record = struct.pack("<I24sI", 1, b"\xff" * 24, zlib.crc32(struct.pack("<I", 1), 0xFFFFFFFF)).ljust(0x1000, b"\xff")
        head = struct.pack("<IB19s", 0, 0xFE, b"\xff" * 19)
        page = b"\xfe\xff\xff\xff" + head + struct.pack("<I", zlib.crc32(head, 0xFFFFFFFF))
        self.files = {name: self.file(name, data) for name, data in {
            "app": app(CHIPS[2]), "bootloader": bootloader("esp32c3"), "table": TABLE, "elf": b"\x7fELF" + b"\1\2" * 900,
            "text": b"hello, world\n" * 99, "erased": b"\xff" * 0x2000, "zeros": bytes(0x2000),
            "otadata": record + b"\xff" * 0x1000,
            "one record": record, "torn otadata": b"\x13" * 0x1000 + record, "nvs": page.ljust(0x2000, b"\xff"),
            "torn nvs": b"\x13" * 0x1000 + page.ljust(0x1000, b"\xff")}.items()}

    def test_each_kind_takes_its_own(self):
        every = set(self.files)
        strangers = {"app", "bootloader", "table", "elf"}
        for labels, takes in [(("otadata", "@0xd000"), {"erased", "otadata", "one record", "torn otadata"}),
                              (("nvs", "@0x9000"), every - strangers),
                              (("storage", "@0x310000", "dump"), every - strangers), (("spare", "own"), every)]:
            for label in labels:
                for name, path in self.files.items():
                    with self.subTest(label, file=name):
                        before = self.flash.read_bytes()
                        run = otter("flash", "write", self.flash, label, path)
                        self.assertEqual(run.returncode == 0, name in takes, run.stderr)
                        if label == "nvs" and name in takes:
                            self.assertEqual(b"warning: nvs is for pages" in run.stderr, "nvs" not in name and name != "erased")
                        if name not in takes:
                            self.assertRegex(run.stderr.decode(), "is for .*, and this is .*--force writes it all the same")
                            self.assertEqual(self.flash.read_bytes(), before)
                            self.says(otter("flash", "write", self.flash, label, path, "--force"), "written")
                            self.flash.write_bytes(before)

    def test_what_stays_behind_a_short_file_is_told(self):
        self.says(otter("flash", "write", self.flash, "storage", self.file("long", b"x" * 0x5000)), "written")
        self.says(otter("flash", "write", self.flash, "storage", self.files["text"]),
                  "from 0x311000 on storage holds what it held")
        self.says(otter("flash", "erase", self.flash, "storage"), "erased")
        said = otter("flash", "write", self.flash, "storage", self.files["text"]).stdout
        self.assertNotIn(b"holds what it held", said)


class Bootloaders(TruthTest):
    """Partitions for bootloaders and for the table take what the chip can use."""

    def setUp(self):
        super().setUp()
        rows = [as_row(0x310000, 2, 2, 0x10000, b"recovery"), as_row(0x320000, 2, 1, 0x10000, b"waiting"),
                as_row(0, 2, 0, 0x8000, b"primary"), as_row(0x8000, 3, 0, 0x1000, b"table")]
        self.put((0x8000, with_rows(*rows)), (0, bootloader("esp32c3")), (FACTORY, app(CHIPS[2])))
        self.other = self.file("other.bin", bootloader("esp32"))
        self.right = self.file("right.bin", bootloader("esp32c3"))
        self.app = self.file("app.bin", app(CHIPS[2]))
        self.text = self.file("text", b"nvs,data,nvs,,0x4000\n" * 20)
        broken = bytearray(bootloader("esp32c3"))
        broken[60] ^= 1
        self.broken = self.file("broken.bin", bytes(broken))

    def test_only_a_bootloader_that_starts_goes_to_a_bootloader_s_partition(self):
        for place in ("recovery", "waiting", "primary", "@0x310000", "@0x0"):
            for path, why in [(self.app, "an app"), (self.other, "one for ESP32"), (self.text, "none"),
                              (self.broken, "start")]:
                with self.subTest(place, file=path.name):
                    before = self.flash.read_bytes()
                    self.fails(otter("flash", "write", self.flash, place, path), why)
                    self.assertEqual(self.flash.read_bytes(), before)
            self.says(otter("flash", "write", self.flash, place, self.right), "boots next: factory")
            self.says(otter("flash", "write", self.flash, place, self.text, "--force"), "written at")
            self.says(otter("flash", "write", self.flash, place, self.right), "written at")

    def test_only_a_table_goes_to_the_table_s(self):
        self.fails(otter("flash", "write", self.flash, "table", self.text), "the partition table at 0x8000 would be lost")
        self.says(otter("flash", "write", self.flash, "table", self.file("table.bin", TABLE)), "boots next: factory")

    def test_a_recovery_bootloader_s_place_can_be_told(self):
        parts = self.file("parts.csv", b"factory,app,factory,0x10000,1M\nrecovery,bootloader,recovery,0x310000,0x8000\n")
        where = ("--recovery-bootloader-offset", "0x310000")
        new = self.folder / "new.bin"
        self.fails(otter("flash", "new", new, "--size", "4MB", "--table", parts, "--chip", "esp32c3"), where[0])
        self.says(otter("flash", "new", new, "--size", "4MB", "--table", parts, *where, "--chip", "esp32c3"), "with 2 partitions")
        self.says(otter("flash", "table", self.flash, parts, *where), "of 2 partitions")


class Words(TruthTest):
    """One vocabulary: what help shows is taken, what is not there is named, and older names still work."""

    VERBS = ["image info", "image verify", "image build", "table build", "table show", "flash new", "flash info",
             "flash select", "flash table", "flash read", "flash write", "flash erase", "update", "run", "serve"]

    def wrong(self, verb, *args):
        run = otter(*verb.split(), *args)
        self.assertEqual(run.returncode, 2, run)
        self.assertIn(f"otter {verb} --help", run.stderr.decode())
        return run.stderr.decode().splitlines()[0]

    def test_every_option_that_help_shows_is_taken(self):
        for verb in self.VERBS:
            shown = re.findall(r"^  (?:-\w, )?--([\w-]+)", otter(*verb.split(), "--help").stdout.decode(), re.MULTILINE)
            self.assertTrue(shown)
            for name in shown:
                with self.subTest(verb, option=name):
                    self.assertNotIn("there is no option", self.wrong(verb, f"--{name}"))

    def test_an_unknown_option_is_named_with_the_one_that_was_meant(self):
        for verb in self.VERBS:
            with self.subTest(verb):
                self.assertIn("there is no option --frobnicate", self.wrong(verb, "--frobnicate"))
        self.assertIn("there is no option --tabel-offset; --table-offset, perhaps?",
                      self.wrong("flash info", self.flash, "--tabel-offset", "0"))
        self.assertIn("--chip wants a chip (esp32, esp32s2, ", self.wrong("image verify", "x", "--chip", "esp8266"))

    def test_older_names_are_taken(self):
        self.put((0x1000, bootloader("esp32")), (FACTORY, app(CHIPS[0])))
        self.says(otter("flash", "info", self.flash, "--offset", "0x8000", "--no-rollback"), "rollback off")
        self.says(otter("flash", "info", self.flash, "--rollback", "on"), "rollback on")
        self.says(otter("table", "show", self.flash, "--offset", "0x8000"), "factory")
        self.assertNotIn("there is no option", self.wrong("run", "--table", "0x8000", "--no-rollback", "--boots"))


class FullDisk(TruthTest):
    def test_every_verb_that_changes_a_flash_names_the_cause(self):
        good = self.put((0x1000, bootloader("esp32")), (FACTORY, app(CHIPS[0])))
        path = self.file("app.bin", app(CHIPS[0]))
        table = self.file("table.bin", TABLE)

        def limit():
            resource.setrlimit(resource.RLIMIT_FSIZE, (0x20000, resource.RLIM_INFINITY))

        for args in (("write", self.flash, "ota_1", path), ("write", self.flash, "@0x300000", path),
                     ("erase", self.flash, "ota_1"), ("new", self.folder / "new.bin", "--size", "4MB", "--table", table)):
            with self.subTest(args[0]):
                self.flash.write_bytes(good[:0x12000])  # a factory file, which grows
                run = otter("flash", *args, preexec_fn=limit)
                if args[0] == "erase" and run.returncode == 0:
                    continue  # what is missing is erased already
                self.fails(run, "File too large")
                if args[0] != "new":
                    self.assertIn(b"(ESP_ERR_FLASH_OP_FAIL): `ulimit -f` limits the size of files here", run.stderr)
        self.assertFalse(os.path.exists(self.folder / "new.bin"))


if __name__ == "__main__":
    unittest.main()
