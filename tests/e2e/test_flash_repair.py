"""A flash that does not boot: what flash info says of it, the command that it names, and that the command mends it."""
# SPDX-License-Identifier: Apache-2.0

import hashlib
import json
import os
import shlex
import struct
import unittest
import zlib

from files_case import CSV, TABLE, VECTORS, FilesTest, otter
from image_files import bootloader, image

OTADATA, FACTORY, OTA_0, OTA_1 = 0xD000, 0x10000, 0x110000, 0x210000


def vector(name):
    return (VECTORS / "image" / f"{name}.bin").read_bytes()


def record(seq, state):
    """One record of otadata. States: 0 NEW, 1 PENDING_VERIFY, 2 VALID, 3 INVALID, 4 ABORTED."""
    number = struct.pack("<I", seq)
    crc = zlib.crc32(number, 0xFFFFFFFF)
    return number + b"\xff" * 20 + struct.pack("<II", state, crc)


def fletcher(data):
    """What a mark of a download says of its unit (FORMATS.md section 10), of whole words."""
    total = totals = 0
    for (word,) in struct.iter_unpack("<I", data):
        total += word
        totals += total
    return zlib.crc32(struct.pack("<QQ", total % 2**64, totals % 2**64))


class RepairTest(FilesTest):
    def setUp(self):
        super().setUp()
        self.put((0x1000, bootloader("esp32")), (FACTORY, vector("esp32_valid")), (OTA_0, vector("esp32_valid")),
                 (OTA_1, vector("esp32_v110_sec1")))

    def put(self, *pieces, base=None):
        if base is not None:
            self.flash.write_bytes(base)
        with open(self.flash, "r+b") as flash:
            for offset, piece in pieces:
                flash.seek(offset)
                flash.write(piece)
            flash.seek(0)
            return flash.read()

    def info(self, *args):
        return json.loads(otter("flash", "info", self.flash, "--json", *args).stdout)

    def first_line(self, *args):
        run = otter("flash", "info", self.flash, *args)
        return run.stdout.decode().splitlines()[0]

    def does(self, *args):
        run = otter("flash", *args)
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertEqual(run.stderr, b"")
        return run.stdout.decode()

    def refuses(self, text, *args):
        before = self.flash.read_bytes()
        run = otter("flash", *args)
        self.fails(run, text)
        self.assertEqual(run.stdout, b"")
        self.assertEqual(self.flash.read_bytes(), before)

    def file(self, name, data):
        (self.folder / name).write_bytes(data)
        return self.folder / name

    def follow(self, repair, **files):
        """Runs the named commands as a person would, with the files that they ask for."""
        for name, data in files.items():
            self.file(name.replace("_", "."), data)
        for command in repair["command"].split(" && "):
            words = shlex.split(command)
            self.assertEqual(words[0], "otter", command)
            run = otter(*words[1:], cwd=self.folder)
            self.assertEqual(run.returncode, 0, (command, run.stderr))


class Suggestions(RepairTest):
    def test_what_is_wrong_has_a_command_that_mends_it(self):
        broken = bytearray(bootloader("esp32"))
        broken[60] ^= 1
        bad = vector("bad_hash")
        selects_1 = record(1, 2) + b"\xff" * 0xFE0 + record(2, 2)
        spoiled = b"\x01" * 0x20 + b"\xff" * 0xFE0 + b"\x02" * 0x20
        no_factory = bytearray(TABLE)
        no_factory[3 * 32 + 3] = 0x20  # of the factory's row: it is a test app
        rows = [
            ("bootloader at a wrong place", [(0x1000, b"\xff" * 0x1000), (0, bootloader("esp32"))], {}),
            ("bootloader broken", [(0x1000, bytes(broken))], {"bootloader_bin": bootloader("esp32")}),
            ("bootloader of another chip", [(0x1000, bootloader("esp32c3"))], {"bootloader_bin": bootloader("esp32")}),
            ("an app in its place", [(0x1000, vector("esp32_valid"))], {"bootloader_bin": bootloader("esp32")}),
            ("bootloader for less flash", [(0x1000, bootloader("esp32", size_code=0))], {}),
            ("no table", [(0x8000, b"\xff" * 0x1000)], {"partitions_csv": CSV.read_bytes()}),
            ("table damaged", [(0x8000 + 12, b"NVS")], {"partitions_csv": CSV.read_bytes()}),
            ("what is selected does not boot", [(OTADATA, selects_1), (OTA_1, bad)], {}),
            ("nothing boots", [(FACTORY, bad), (OTA_0, bad), (OTA_1, bad)], {"app_bin": vector("esp32_valid")}),
            ("both records spoiled", [(0x8000, bytes(no_factory)), (OTADATA, spoiled)], {}),
        ]
        good = self.flash.read_bytes()
        for name, pieces, files in rows:
            with self.subTest(name):
                self.put(*pieces, base=good)
                if name == "both records spoiled":
                    self.put((0x8000, self.with_md5(no_factory)))
                repairs = self.info()["repairs"]
                self.assertEqual(len(repairs), 1, repairs)
                self.assertIn(f"repair: {repairs[0]['command']}\n", otter("flash", "info", self.flash).stdout.decode())
                self.follow(repairs[0], **files)
                after = self.info("--check")
                self.assertEqual((after["repairs"], after["warnings"]), ([], []))
                self.assertIsNotNone(after["boot"]["label"])
                self.assertEqual(after["boot"]["tried"], [])

    @staticmethod
    def with_md5(table):
        table = bytearray(table)
        end = next(at for at in range(0, len(table), 32) if table[at:at + 2] == b"\xeb\xeb")
        table[end + 16:end + 32] = hashlib.md5(table[:end]).digest()
        return bytes(table)

    def test_a_good_flash_needs_none_and_says_how_it_gets_onto_a_chip(self):
        self.assertEqual(self.info()["repairs"], [])
        text = otter("flash", "info", self.flash).stdout.decode()
        self.assertIn(f"onto a chip: esptool --chip esp32 write-flash 0x0 {self.flash}\n", text)
        self.assertNotIn("repair:", text)

    def test_a_trial_that_failed_needs_none(self):
        for first, second in (record(1, 4), b""), (record(1, 1), b""), (record(1, 3), record(2, 4)):
            with self.subTest(first=first, second=second):
                self.put((OTADATA, first), (OTADATA + 0x1000, second))
                got = self.info("--rollback", "on")
                self.assertEqual((got["boot"]["label"], got["repairs"]), ("factory", []))

    def test_names_are_quoted_for_a_shell(self):
        name = "it's a $flash;.bin"
        os.rename(self.flash, self.folder / name)
        self.flash = self.folder / name
        self.put((FACTORY, b"\xff" * 0x1000), (OTA_0, b"\xff" * 0x1000), (OTA_1, b"\xff" * 0x1000))
        command = self.info()["repairs"][0]["command"]
        self.assertEqual(shlex.split(command), ["otter", "flash", "write", str(self.flash), "factory", "app.bin"])


class NoTable(RepairTest):
    def test_what_is_there_instead_is_told(self):
        good = self.flash.read_bytes()
        noise = os.urandom(0x1000)
        text = (b"The quick brown fox jumps over the lazy dog. " * 100)[:0x1000]
        rows = [
            ("all erased", b"\xff" * 0x400000, "all of the file is erased", "erased", "erased"),
            ("all zeros", b"\0" * 0x400000, "all of the file is zeros", "zeros", "zeros"),
            ("erased here", good[:0x8000] + b"\xff" * 0x1000 + good[0x9000:], "that sector is erased", "erased", "data"),
            ("encrypted", good[:0x8000] + noise + good[0x9000:], "noise is there, as encrypted flash looks", "noise", "data"),
            ("all encrypted", os.urandom(0x40000), "noise is there, as encrypted flash looks", "noise", "noise"),
            ("text", good[:0x8000] + text + good[0x9000:], "something else is there", "data", "data"),
            ("too short", good[:0x2000], "the file ends at 0x2000", "erased", "data"),
        ]
        for name, data, says, content, whole in rows:
            with self.subTest(name):
                self.flash.write_bytes(data)
                run = otter("flash", "info", self.flash)
                self.fails(run, "no partition table at 0x8000")
                self.assertIn(says, run.stdout.decode().splitlines()[0])
                got = self.info()["no_table"]
                self.assertEqual((got["content"], got["file_content"]), (content, whole))
                self.assertIsNone(got["table_at"])

    def test_a_dump_that_starts_late_is_told_from_a_table_that_lies_elsewhere(self):
        good = self.flash.read_bytes()
        moved = good[:0x8000] + b"\xff" * 0x1000 + good[0x9000:0x320000] + good[0x8000:0x9000] + good[0x321000:]
        blank = b"\xff" * 0x7000 + good[0x8000:0x9000] + b"\xff" * 0x3F8000  # nothing but the table, and where it points
        rows = [
            ("starts at 0x1000", good[0x1000:], "the dump starts at 0x1000 of the flash (there is a table at 0x7000)", 0x1000,
             "esptool --chip esp32 read-flash 0x0 ALL"),
            ("starts at 0x8000", good[0x8000:], "the dump starts at 0x8000 of the flash (there is a table at 0x0)", 0x8000,
             "read-flash 0x0 ALL"),
            ("something before it", b"\x55" * 0x2000 + good, "the flash starts at 0x2000 of the file", -0x2000,
             "read-flash 0x0 ALL"),
            ("blank but for the table", blank, "the dump starts at 0x1000", 0x1000, "read-flash 0x0 ALL"),
            ("moved", moved, "(there is one at 0x320000)", None, "--table-offset 0x320000"),
        ]
        for name, data, says, begins, command in rows:
            with self.subTest(name):
                self.flash.write_bytes(data)
                self.assertIn(says, self.first_line())
                got = self.info()
                self.assertEqual(got["no_table"]["file_begins_at"], begins)
                self.assertIn(command, got["repairs"][0]["command"])

    def test_the_table_elsewhere_is_found_with_the_option_that_was_named(self):
        good = self.flash.read_bytes()
        self.put((0x8000, b"\xff" * 0x1000), (0x320000, good[0x8000:0x9000]))
        self.follow(self.info()["repairs"][0])
        self.assertEqual(self.info("--table-offset", "0x320000")["boot"]["label"], "factory")

    def test_images_are_found_by_their_magic(self):
        self.put((0x8000, b"\xff" * 0x1000))
        got = self.info()
        self.assertEqual([(one["offset"], one["partition"], one["image"]["valid"]) for one in got["stray_images"]],
                         [(FACTORY, None, True), (OTA_0, None, True), (OTA_1, None, True)])
        self.assertEqual(got["bootloader"]["offset"], 0x1000)
        self.assertIn("an image at 0x210000 (ota_vectors 1.1.0), valid", otter("flash", "info", self.flash).stdout.decode())

    def test_what_is_no_flash_at_all_is_named(self):
        rows = [("an app image (ota_vectors 1.0.0)", vector("esp32_valid"), "image info"),
                ("a bootloader image", bootloader("esp32c3"), "image info"),
                ("a partition table", TABLE, "table show"),
                ("an ELF file", b"\x7fELF" + b"\1\1\1" * 100, "image info"),
                ("a gzip file", b"\x1f\x8b\x08" + os.urandom(0x9000), "image info")]
        for name, data, verb in rows:
            with self.subTest(name):
                self.flash.write_bytes(data)
                self.assertIn(f"no partition table at 0x8000: the file is no flash, but {name}", self.first_line())
                self.assertEqual([one["command"] for one in self.info()["repairs"]], [f"otter {verb} {self.flash}"])


class WrongTable(RepairTest):
    def test_images_outside_every_app_partition_are_named(self):
        self.put((0x310000, vector("esp32_v120_sec3")), (0x9000, vector("esp32_valid")))
        got = self.info()
        self.assertEqual([(one["offset"], one["partition"]) for one in got["stray_images"]],
                         [(0x9000, "nvs"), (0x310000, None)])
        self.assertTrue(any("(ota_vectors 1.2.0) lies at 0x310000, outside every partition" in line for line in got["warnings"]))
        self.assertTrue(any("lies at 0x9000, inside nvs" in line for line in got["warnings"]))
        self.assertIn("otter flash table", got["repairs"][0]["command"])

    def test_an_image_inside_an_image_is_part_of_it(self):
        inner = vector("esp32_valid")
        outer = image("esp32", [(0x3F400020, inner.ljust(0x2000, b"\0") + inner), (0x40080000, b"code")])
        self.put((FACTORY, outer))
        self.assertEqual(self.info()["stray_images"], [])


class CoreDump(RepairTest):
    AT = 0x310000

    def setUp(self):
        super().setUp()
        row = struct.pack("<HBBII16sI", 0x50AA, 1, 3, self.AT, 0x10000, b"coredump", 0)
        end = TABLE.index(b"\xeb\xeb")
        self.put((0x8000, Suggestions.with_md5(TABLE[:end] + row + TABLE[end:end + 32] + b"\xff" * 32)))

    def test_a_crash_has_left_a_core_dump(self):
        self.assertIsNone(self.info()["core_dump"])
        for length, there in [(0x1234, True), (0x10000, True), (0x10001, False), (27, False), (0, False)]:
            with self.subTest(length):
                self.put((self.AT, struct.pack("<I", length) + b"\x02\x01\0\0"))
                got = self.info()
                self.assertEqual(got["core_dump"], {"partition": "coredump", "length": length} if there else None)
                self.assertEqual(any("core dump" in line for line in got["warnings"]), there)
        self.put((self.AT, struct.pack("<I", 0x1234)))
        self.follow(self.info()["repairs"][0])
        self.assertEqual((self.folder / "core.bin").stat().st_size, 0x10000)


class Interrupted(RepairTest):
    def image(self, size):
        desc = struct.pack("<II8s32s32s16s16s32s32s80s", 0xABCD5432, 0, b"", b"3.0.0", b"large", b"", b"", b"", b"", b"")
        return image("esp32", [(0x3F400020, desc + os.urandom(size)), (0x40080000, b"code" * 8)])

    def slot(self):
        return next(one for one in self.info()["slots"] if one["label"] == "ota_1")

    def test_a_download_that_was_cut_is_called_one(self):
        whole = self.image(200000)
        for name, length in [("in the header", 20), ("in the first segment", 123456), ("in a sector's first bytes", 0x2000 + 4),
                             ("in the second segment's header", whole.index(b"code") - 4)]:
            with self.subTest(name):
                part = whole[:length - 1] + b"\x01"
                self.put((OTA_1, part + b"\xff" * (0x100000 - length)))
                self.assertEqual(self.slot()["interrupted_at"], length)
                self.assertIn(f"NOT BOOTABLE: interrupted download, valid to {length}, then erased",
                              otter("flash", "info", self.flash).stdout.decode())

    def test_also_over_an_older_image(self):
        """ESP-IDF erases sector by sector: behind the last one lies what was there before."""
        whole, old = self.image(200000), self.image(300000)
        length = 0x9123
        self.put((OTA_1, old), (OTA_1, whole[:length - 1] + b"\x01" + b"\xff" * (0xA000 - length)))
        self.assertEqual(self.slot()["interrupted_at"], length)

    def test_the_record_of_a_download_knows_best(self):
        """What `otter update` and esp_https_ota leave in the slot's last sector when they are cut."""
        whole, old = self.image(200000), self.image(300000)
        arrived = 0x9000
        part = whole[:arrived] + old[arrived:]  # no byte is erased: only the record tells
        fields = struct.pack("<III", len(whole), 0x1000, zlib.crc32(b"https://localhost/a.bin")) + b'"etag"'.ljust(128, b"\0")
        head = (b"OTR3" + fields + struct.pack("<I", zlib.crc32(fields))).ljust(256, b"\xff")
        marks = b"".join(struct.pack("<I", fletcher(part[at:at + 0x1000])) for at in range(0, arrived, 0x1000))
        self.put((OTA_1, part), (OTA_1 + 0xFF000, head + marks))
        self.assertEqual(self.slot()["interrupted_at"], arrived)
        self.assertIn(f"interrupted download, {arrived} of {len(whole)} bytes are there",
                      otter("flash", "info", self.flash).stdout.decode())
        self.assertIn("--resume", self.info()["repairs"][0]["command"])

    def test_what_is_broken_otherwise_is_not(self):
        whole = self.image(200000)
        rows = [("a bit", whole[:1000] + bytes([whole[1000] ^ 1]) + whole[1001:]), ("good", whole),
                ("a segment's length", whole[:28] + b"\x03" + whole[29:]), ("another chip", vector("esp32s3_valid")),
                ("a sector of a good part is erased", whole[:0x3000] + b"\xff" * 0x800 + whole[0x3800:])]
        for name, data in rows:
            with self.subTest(name):
                self.put((OTA_1, data + b"\xff" * (0x100000 - len(data))))
                self.assertIsNone(self.slot()["interrupted_at"])

    def test_a_cut_dump_is_no_cut_download(self):
        whole = self.image(200000)
        self.put((OTA_1, whole))
        self.flash.write_bytes(self.flash.read_bytes()[:OTA_1 + 0x8765])
        self.assertIsNone(self.slot()["interrupted_at"])


class Select(RepairTest):
    def otadata(self):
        return self.info()["otadata"]

    def test_a_slot_is_selected_by_label_or_by_name(self):
        data = bytearray(self.flash.read_bytes())
        data[0x8000 + 4 * 32 + 12:0x8000 + 4 * 32 + 28] = b"app0".ljust(16, b"\0")  # label of ota_0
        data[0x8000:0x8C00] = Suggestions.with_md5(data[0x8000:0x8C00])
        self.put(base=data)
        for slot, boots in [("ota_1", "ota_1"), ("app0", "app0"), ("factory", "factory"), ("ota_0", "app0")]:
            with self.subTest(slot):
                said = self.does("select", self.flash, slot)
                self.assertIn(f"{boots} is selected, by ", said)
                self.assertIn(f"\nboots next: {boots} (ota_vectors ", said)
                self.assertIn(f"\nonto a chip: esptool --chip esp32 write-flash 0x0 {self.flash}\n", said)
                self.assertEqual(self.info()["boot"]["label"], boots)

    def test_what_the_record_says_follows_the_options(self):
        for args, state in [([], "UNDEFINED"), (["--rollback", "on"], "NEW"), (["--confirm"], "VALID"),
                            (["--confirm", "--rollback", "off"], "VALID")]:
            with self.subTest(args):
                self.put((OTADATA, b"\xff" * 0x2000))
                self.assertIn(f"{state})", self.does("select", self.flash, "ota_1", *args))
                states = [one["state"] for one in self.otadata() if one["state"] is not None]
                self.assertEqual(states, [state])

    def test_a_trial_that_was_lost_can_be_taken_for_good(self):
        self.put((OTADATA, record(1, 2)), (OTADATA + 0x1000, record(2, 4)))
        self.assertEqual(self.info()["boot"]["label"], "ota_0")
        self.does("select", self.flash, "ota_1", "--confirm")
        got = self.info("--rollback", "on")
        self.assertEqual((got["boot"]["label"], got["boot"]["tried"]), ("ota_1", []))
        self.assertIn("VALID", [one["state"] for one in got["otadata"]])

    def test_selecting_what_is_selected_changes_nothing(self):
        self.does("select", self.flash, "ota_1", "--confirm")
        before = self.flash.read_bytes()
        self.does("select", self.flash, "ota_1", "--confirm")
        self.assertEqual(self.flash.read_bytes(), before)

    def test_every_recorded_otadata_can_be_repaired(self):
        recorded = sorted((VECTORS / "otadata").glob("*.bin"))
        self.assertGreater(len(recorded), 30)
        for path in recorded:
            for slot in "ota_0", "ota_1", "factory":
                with self.subTest(otadata=path.stem, slot=slot):
                    self.put((OTADATA, path.read_bytes()[:0x2000]))
                    run = otter("flash", "select", self.flash, slot, "--confirm")
                    if "FFFFFFF" in path.stem and slot != "factory":  # numbers that are used up
                        self.assertIn(run.returncode, (0, 1), run.stderr)
                        continue
                    self.assertEqual(run.returncode, 0, run.stderr)
                    for rollback in "on", "off":
                        got = self.info("--rollback", rollback)
                        self.assertEqual((got["boot"]["label"], got["boot"]["tried"]), (slot, []))

    def test_refusals_change_nothing(self):
        self.put((OTA_0, vector("bad_hash")))
        self.refuses("ota_0 holds no image that boots: SHA-256", "select", self.flash, "ota_0")
        self.refuses("has no app partition 'nvs' that can be selected; it has factory, ota_0, ota_1", "select", self.flash, "nvs")
        self.refuses("has no app partition 'ota_7'", "select", self.flash, "ota_7")
        self.fails(otter("flash", "select", "/dev/null", "ota_0"), "it is not an ordinary file")
        self.put((0x8000, b"\xff" * 0x1000))
        self.refuses("no usable partition table", "select", self.flash, "ota_0")
        for args in [[], [self.flash], [self.flash, "a", "b"], [self.flash, "a", "--rollback", "x"], [self.flash, "a", "--wat"]]:
            self.assertEqual(otter("flash", "select", *args).returncode, 2)

    def test_without_otadata_there_is_nothing_to_select_but_what_boots(self):
        self.put((0x8000, (VECTORS / "ptable" / "bin" / "ok_align_gap.bin").read_bytes()))
        self.assertIn("factory is selected, by no record", self.does("select", self.flash, "factory"))


class WriteAtOffset(RepairTest):
    def test_a_bootloader_goes_where_it_belongs(self):
        self.put((0x1000, b"\xff" * 0x1000))
        said = self.does("write", self.flash, "@0x1000", self.file("b.bin", bootloader("esp32")))
        self.assertIn(f"bytes written at 0x1000 (@0x1000)\nboots next: factory (ota_vectors 1.0.0)\nonto a chip: esptool --chip "
                      f"esp32 write-flash 0x1000 {self.folder / 'b.bin'}\n", said)
        self.assertEqual(self.info()["bootloader"]["valid"], True)

    def test_nothing_is_written_after_which_less_would_boot(self):
        broken = bytearray(bootloader("esp32"))
        broken[60] ^= 1
        rows = [
            ("@0x1000", bytes(broken), "the bootloader would not start: checksum"),
            ("@0x1000", bootloader("esp32c3"), "at 0x1000 an ESP32 looks for its bootloader, and this is one for ESP32-C3"),
            ("@0x1000", vector("esp32_valid"), "and this is an app"),
            ("@0x1000", b"hello", "and this is none"),
            ("@0x0", b"hello" * 1000, "and this is none"),
            ("@0x8000", b"hello", "the partition table at 0x8000 would be lost"),
            ("@0x7000", b"x" * 0x1001, "the partition table at 0x8000 would be lost"),
            ("@0x10000", vector("esp32s3_valid"), "image is for ESP32-S3"),
            ("@0xf000", vector("esp32_valid") * 10, "factory would hold no image that boots"),
            ("@0x11000", b"x", None),  # behind the image
            ("@0x1001", b"x", "is not the start of a sector"),
            ("@0x3ff000", b"x" * 0x1001, "holds 4096"),
            ("@0x400000", b"x", "ends at 0x400000"),
            ("@0x1000", b"", "is empty"),
        ]
        for place, data, text in rows:
            with self.subTest(place=place, text=text):
                path = self.file("in.bin", data)
                if text is None:
                    self.does("write", self.flash, place, path)
                else:
                    self.refuses(text, "write", self.flash, place, path)
        self.does("write", self.flash, "@0x1000", self.file("in.bin", b"hello"), "--force")
        self.assertEqual(self.flash.read_bytes()[0x1000:0x1006], b"hello\xff")
        for place in "@", "@x", "@-1":
            self.assertEqual(otter("flash", "write", self.flash, place, self.folder / "in.bin").returncode, 1)

    def test_a_factory_file_goes_in_as_a_whole(self):
        factory = self.flash.read_bytes()[:FACTORY + len(vector("esp32_valid"))]
        self.flash.write_bytes(b"\xff" * 0x400000)
        said = self.does("write", self.flash, "@0x0", self.file("factory.bin", factory))
        self.assertIn("boots next: factory (ota_vectors 1.0.0)", said)
        broken = factory[:0x8000] + b"\0" + factory[0x8001:]
        self.refuses("the partition table at 0x8000 would be lost", "write", self.flash, "@0x0", self.file("b.bin", broken))

    def test_what_was_lost_before_is_no_reason(self):
        self.put((OTA_1, vector("bad_hash")))
        self.does("write", self.flash, "@0x211000", self.file("in.bin", b"x"))

    def test_the_first_bootloader_says_which_chip_it_is(self):
        self.flash.write_bytes(b"\xff" * 0x400000)
        self.does("write", self.flash, "@0x0", self.file("b.bin", bootloader("esp32c3")))
        self.assertEqual(self.info()["chip"], "esp32c3")
        self.refuses("looks for its bootloader", "write", self.flash, "@0x0", self.file("a.bin", bootloader("esp32s3")))

    def test_flash_size_changes_header_and_hash(self):
        path = self.file("b.bin", bootloader("esp32", size_code=1))
        self.does("write", self.flash, "@0x1000", path, "--flash-size", "8MB")
        got = self.info()["bootloader"]
        self.assertEqual((got["flash_size"], got["valid"], got["hash_valid"]), (0x800000, True, True))
        self.refuses("no whole image", "write", self.flash, "@0x1000", self.file("x", b"x" * 100), "--flash-size", "8MB")
        self.assertEqual(otter("flash", "write", self.flash, "@0x1000", path, "--flash-size", "3MB").returncode, 2)

    def test_read_and_erase_at_an_offset(self):
        data = bootloader("esp32")
        self.does("read", self.flash, "@0x1000", self.folder / "out")
        self.assertEqual((self.folder / "out").read_bytes(), data)
        self.assertEqual(otter("flash", "read", self.flash, "@0x1010", "--length", "16").stdout, data[16:32])
        self.fails(otter("flash", "read", self.flash, "@0x3000"), "no image begins at 0x3000: --length")
        self.fails(otter("flash", "read", self.flash, "@0x3ffff0", "--length", "17"), "has only 16 bytes")
        self.assertEqual(otter("flash", "erase", self.flash, "@0x1000").returncode, 2)
        self.assertIn("0x1000 bytes erased at 0x1000", self.does("erase", self.flash, "@0x1000", "--length", "4K"))
        self.assertIsNone(self.info()["bootloader"])
        self.fails(otter("flash", "erase", self.flash, "@0x1000", "--length", "1"), "is not made of whole sectors of 4096 bytes")


class Table(RepairTest):
    def test_a_table_is_written_and_partitions_keep_what_they_hold(self):
        before = self.flash.read_bytes()
        self.put((0x8000, b"\xff" * 0x1000))
        said = self.does("table", self.flash, CSV)
        self.assertIn("a partition table of 6 partitions written at 0x8000\nboots next: factory (ota_vectors 1.0.0)\n", said)
        self.assertIn("onto a chip: esptool --chip esp32 write-flash 0x0", said)
        self.assertEqual(self.flash.read_bytes(), before)

    def test_a_binary_table_or_another_flash_will_do(self):
        before = self.flash.read_bytes()
        for source in self.file("table.bin", TABLE), self.file("other.bin", before):
            self.put((0x8000, b"\xff" * 0x1000))
            self.does("table", self.flash, source)
            self.assertEqual(self.flash.read_bytes(), before)

    def test_a_table_that_has_no_place_for_an_image_is_told(self):
        csv = self.file("p.csv", b"nvs,data,nvs,0x9000,16K\notadata,data,ota,,8K\na,app,ota_0,0x10000,1M\nb,app,ota_1,,2M\n")
        self.put((OTA_1, vector("esp32_v110_sec1")))
        self.assertIn("warning: an image (ota_vectors 1.1.0) lies at 0x210000, inside b", self.does("table", self.flash, csv))

    def test_elsewhere(self):
        csv = self.file("p.csv", b"nvs,data,nvs,0x20000,24K\n")
        self.does("table", self.flash, csv, "--table-offset", "0x10000")
        self.assertEqual(self.flash.read_bytes()[0x10000:0x10002], b"\xaa\x50")

    def test_refusals_change_nothing(self):
        far = self.file("far.csv", b"nvs,data,nvs,0x9000,24K\na,app,factory,0x10000,8M\n")
        bad = self.file("bad.csv", b"a,app,factory,0x11000,1M\n")
        rows = [(far, "exceeds flash chip size 0x400000"), (bad, "not aligned"), (self.folder / "missing", "missing"),
                (self.file("empty.csv", b""), "empty"), (self.file("text", b"hello"), "text")]
        for path, text in rows:
            with self.subTest(text):
                self.refuses(text, "table", self.flash, path)
        self.refuses("no room for a table", "table", self.flash, CSV, "--table-offset", "0x400000")
        self.put((0x1000, bootloader("esp32", size_code=1)))
        self.refuses("the one in this flash is made for less; --force", "table", self.flash, CSV)
        self.does("table", self.flash, CSV, "--force")
        for args in [[], [self.flash], [self.flash, CSV, "x"], [self.flash, CSV, "--table-offset", "0x8001"], ["--wat"]]:
            self.assertEqual(otter("flash", "table", *args).returncode, 2)


if __name__ == "__main__":
    unittest.main()
