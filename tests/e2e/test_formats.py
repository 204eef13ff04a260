"""docs/FORMATS.md says what is so: its examples are made and read by otter, its tables are compared, its sections are there."""
# SPDX-License-Identifier: Apache-2.0

import json
import pathlib
import re
import struct
import subprocess
import unittest
import zlib

from device import NEW, OFFSETS, OTTER, PENDING_VERIFY, SOURCE, TIMEOUT_S, VALID, INVALID, DeviceTest, otadata_entry

TEXT = (SOURCE / "docs" / "FORMATS.md").read_text(encoding="utf-8")
PATTERN = bytes(range(256)) * 16  # of the examples in sections 9 and 10
STAGING_END, SECTOR = 0x310000, 0x1000


def fences(language):
    """[(words behind the language, text)] of the code blocks of a language."""
    return [(head.split(), body) for head, body in re.findall(rf"^```{language}\b([^\n]*)\n(.*?)^```$", TEXT, re.M | re.S)]


def example(name):
    """{offset: bytes} of the lines of an example."""
    body = next(body for words, body in fences("hex") if words[0] == name)
    lines = {}
    for line in body.splitlines():
        offset, *tokens = line.split()
        parts = [(token.split("*") + ["1"])[:2] for token in tokens]
        lines[int(offset, 16)] = b"".join(bytes.fromhex(byte) * int(times) for byte, times in parts)
    return lines


def whole(name):
    """An example as one piece; what it does not show is FF."""
    lines = example(name)
    out = bytearray(b"\xff" * max(at + len(data) for at, data in lines.items()))
    for at, data in lines.items():
        out[at:at + len(data)] = data
    return bytes(out)


def tables(*heads):
    """The rows (lists of cells) of the table whose header begins with these cells."""
    head = "| " + " | ".join(heads)
    rows = []
    for block in re.findall(r"(?:^\|.*\n)+", TEXT, re.M):
        lines = block.splitlines()
        if lines[0].startswith(head):
            rows.append([[cell.strip() for cell in line.strip("|").split("|")] for line in (lines[0], *lines[2:])])
    return rows


class Formats(DeviceTest):
    def otter(self, *args):
        return subprocess.run([OTTER, *map(str, args)], check=True, capture_output=True, timeout=TIMEOUT_S).stdout

    def info(self, *args):
        return json.loads(self.otter("flash", "info", self.flash, "--json", *args))

    def test_fields_lie_where_the_tables_say_and_hold_what_they_say(self):
        judged = 0
        for head, *rows in tables("off", "size", "field"):
            name, at = (head[3].split("+") + ["0"])[:2]
            data = whole(name)[int(at, 16):]
            end = 0
            for off, size, field, value in rows:
                with self.subTest(example=name, field=field):
                    if not size.endswith("each") and size:
                        self.assertLessEqual(end, int(off))
                        self.assertTrue(end == int(off) or name == "journal", "a gap")
                        end = int(off) + int(size)
                    if value:
                        raw = data[int(off):int(off) + int(size)]
                        if value.startswith('"'):
                            self.assertEqual(raw.rstrip(b"\0"), value[1:-1].replace('\\"', '"').encode())
                        else:
                            self.assertEqual(int.from_bytes(raw, "little"), int(value, 0))
                        judged += 1
        self.assertGreater(judged, 40)

    def test_examples_of_files_are_their_bytes(self):
        named = [(words[0], words[1]) for words, _ in fences("hex") if len(words) > 1]
        self.assertEqual(len(named), 2)
        for name, path in named:
            data = (SOURCE / path).read_bytes()
            for at, piece in example(name).items():
                self.assertEqual(data[at:at + len(piece)], piece, f"{name} at {at:x}")

    def test_the_value_that_is_set_becomes_the_page(self):
        flash = bytearray(b"\xff" * 0x400000)
        flash[0x8000:0x8000 + len(self.table)] = self.table
        pathlib.Path(self.flash).write_bytes(flash)
        self.otter("nvs", "set", self.flash, "app", "n", "-7", "--type", "i16")
        self.assertEqual(whole("nvs").ljust(0x1000, b"\xff"), pathlib.Path(self.flash).read_bytes()[0x9000:0xA000])

    def test_the_record_of_an_agent(self):
        data = whole("agent")
        for end in (316, 324):
            self.assertEqual(zlib.crc32(data[:end]), int.from_bytes(data[end:end + 4], "little"), end)

    def test_crcs(self):
        found = tables("seed")[0][1:] + tables("sequence number")[0][1:]
        self.assertGreater(len(found), 6)
        for cells in found:
            data, seed = (b"123456789", cells[0]) if len(cells) == 3 else (struct.pack("<I", int(cells[0], 16)), "FFFFFFFF")
            self.assertEqual(f"{zlib.crc32(data, int(seed, 16)):08X}", cells[-1], cells)

    def test_the_csv_becomes_the_table(self):
        csv = self.folder / "parts.csv"
        csv.write_text(fences("csv")[0][1])
        table = self.folder / "table.bin"
        self.otter("table", "build", csv, "-o", table)
        self.assertEqual(table.read_bytes(), whole("two_ota").ljust(0xC00, b"\xff"))

    def test_subtypes_have_these_numbers(self):
        """Each name of section 3.1 becomes its number in a table that is built from it."""
        for kind, row in zip(("app", "data"), tables("type", "subtypes")[0][1:3]):
            pairs = re.findall(r"(\w+) (0x\w\w)", row[1].replace("ota_0 to ota_15 0x10 to 0x1F", "ota_0 0x10, ota_15 0x1F"))
            self.assertGreater(len(pairs), 5)
            for name, number in pairs:
                csv = self.folder / "one.csv"
                csv.write_text(f"x,{kind},{name},,{'0x2000' if 'ota' in name and kind == 'data' else '64K'}\n")
                built = self.otter("table", "build", csv, "-o", "-")
                self.assertEqual(built[2:4], bytes([int(kind == "data"), int(number, 16)]), name)

    def test_the_record_of_otadata_is_read_so(self):
        self.make_flash({"factory": self.probe()})
        data = bytearray(pathlib.Path(self.flash).read_bytes())
        record = whole("otadata_seq2_new")
        data[OFFSETS["otadata"] + SECTOR:OFFSETS["otadata"] + SECTOR + len(record)] = record
        pathlib.Path(self.flash).write_bytes(data)
        self.assertEqual(record, otadata_entry(2, NEW))
        second = self.info()["otadata"][1]
        self.assertEqual((second["seq"], second["state"]), (2, "NEW"))

    def test_the_boot_decision(self):
        states = {"VALID": VALID, "NEW": NEW, "PENDING_VERIFY": PENDING_VERIFY, "INVALID": INVALID}
        rows = tables("record 0", "record 1")[0][1:]
        self.assertGreater(len(rows), 6)
        image = self.probe()
        for first, second, with_factory, without in rows:
            without = with_factory if without == "the same" else without
            for slots, want in ((("factory", "ota_0", "ota_1"), with_factory), (("ota_0", "ota_1"), without)):
                with self.subTest(first=first, second=second, slots=slots):
                    self.make_flash({slot: image for slot in slots})
                    data = bytearray(pathlib.Path(self.flash).read_bytes())
                    for copy, cell in enumerate((first, second)):
                        words = re.split(r"[ ,]+", cell)
                        if words[0] != "erased":
                            entry = otadata_entry(int(words[0]), states.get(words[1], VALID))
                            entry = entry[:28] + b"\x00\x11\x22\x33" if words[1] == "wrong" else entry
                            at = OFFSETS["otadata"] + copy * SECTOR
                            data[at:at + 32] = entry
                    if "factory" not in slots:
                        self.drop_factory(data)
                    pathlib.Path(self.flash).write_bytes(data)
                    _, console, errors = self.run_device("--boots", "1", script="exit")
                    started = re.search(r"running from (\w+)|probe: version \S+ (?:from|on|in) (\w+)", console)
                    self.assertIsNotNone(started, console + errors)
                    self.assertIn(f" {want.split(',')[0]}", started.group(0))

    def drop_factory(self, data):
        """The same table without the row of factory."""
        csv = self.folder / "two.csv"
        csv.write_text("nvs,data,nvs,0x9000,0x4000\notadata,data,ota,0xd000,0x2000\nota_0,app,ota_0,0x110000,1M\n"
                       "ota_1,app,ota_1,0x210000,1M\n")
        table = self.otter("table", "build", csv, "-o", "-")
        data[0x8000:0x8000 + len(table)] = table

    def test_the_journal_is_followed(self):
        self.make_flash({"factory": self.probe(), "ota_1": PATTERN})
        data = bytearray(pathlib.Path(self.flash).read_bytes())
        journal = whole("journal")
        data[STAGING_END - SECTOR:STAGING_END - SECTOR + len(journal)] = journal
        data[0x9000:0xD000] = b"\0" * 0x4000  # what was there before
        pathlib.Path(self.flash).write_bytes(data)
        self.run_device("--boots", "1", script="exit")
        after = pathlib.Path(self.flash).read_bytes()
        self.assertEqual(after[0x9000:0xD000], PATTERN + b"\xff" * 0x3000)
        self.assertEqual(after[STAGING_END - SECTOR:STAGING_END - SECTOR + 4], bytes(4))

    def test_the_journal_of_a_first_boot(self):
        table = self.folder / "table.bin"
        table.write_bytes(whole("two_ota").ljust(0xC00, b"\xff"))
        (self.folder / "key").write_bytes(bytes(range(32)))
        (self.folder / "app").write_bytes(self.probe())
        self.otter("flash", "new", self.flash, "--size", "4MB", "--table", table, "--app", f"factory={self.folder / 'app'}",
                   "--bootloader", "none", "--flash-encryption", "--at-first-boot", "--flash-key", self.folder / "key")
        self.run_device("--cut-after", "9")
        flash = pathlib.Path(self.flash).read_bytes()
        for name, at in (("plan", 0x3DD000), ("head", 0x3EE000)):
            self.assertEqual(flash[at:at + len(whole(name))].hex(), whole(name).hex(), name)

    def test_the_record_of_a_download_is_believed(self):
        self.make_flash({"factory": self.probe(), "ota_1": PATTERN})
        data = bytearray(pathlib.Path(self.flash).read_bytes())
        record = whole("download")
        data[STAGING_END - SECTOR:STAGING_END - SECTOR + len(record)] = record
        pathlib.Path(self.flash).write_bytes(data)
        slot = next(one for one in self.info()["slots"] if one["label"] == "ota_1")
        self.assertEqual(slot["interrupted_at"], len(PATTERN))
        self.assertEqual(struct.unpack_from("<I", record, 12)[0], zlib.crc32(b"https://updates.example/app.bin"))

    def test_the_payload_of_another_device(self):
        (self.folder / "payload").write_bytes(b"Hello!")
        made = self.otter("image", "build", "--payload", self.folder / "payload", "--project", "gateway", "--version", "1.2.0",
                          "--no-hash", "-o", "-")
        self.assertEqual(made.hex(), whole("device_payload").hex())

    def test_encrypted_flash(self):
        rows = tables("cipher", "key", "address")[0][1:]
        self.assertEqual(len(rows), 5)
        (self.folder / "plain").write_bytes(b"otter encrypts i" * 3)
        for cipher, size, address, cipher_text in rows:
            (self.folder / "key").write_bytes(bytes(range(int(size))))
            chip = {"ESP32": "esp32"}.get(cipher, "esp32c2" if size == "16" else "esp32s3")
            made = self.otter("flash", "encrypt", self.folder / "plain", "-", "--flash-key", self.folder / "key", "--address",
                              address, "--chip", chip)
            self.assertEqual(made.hex(), cipher_text.strip("`"), (cipher, size))

    def test_the_efuse_file(self):
        self.make_flash({})
        pathlib.Path(self.flash + ".efuse").write_text(fences("efuse")[0][1])
        said = self.otter("flash", "info", self.flash).decode()
        self.assertIn(f"chip esp32s3 (from {self.flash}.efuse)", said)

    def test_the_encrypted_image(self):
        key, image = re.search(r"HMAC key is\n(\w{64}):", TEXT), self.folder / "encrypted"
        (self.folder / "hmac").write_bytes(bytes.fromhex(key.group(1)))
        image.write_bytes(whole("encrypted"))
        made = self.otter("image", "decrypt", image, "--key", self.folder / "hmac", "-o", "-")
        self.assertEqual(made, bytes(3 + 7 * i for i in range(37)))
        self.assertIn(b"37 bytes, AES-256-GCM", self.otter("image", "info", image))

    def test_chips_are_those_of_the_code(self):
        source = (SOURCE / "src" / "image" / "chips.c").read_text(encoding="utf-8")
        code = {}
        for entry in re.findall(r"^    \{\.name = .*?\},?\n(?=    \{\.name|\};)", source, re.M | re.S):
            fact = lambda name, entry=entry: re.search(rf"\.{name} = (\{{[^}}]*\}}|[^,}}]+)", entry)
            text = lambda name: fact(name).group(1).strip('"') if fact(name) else ""
            window = lambda name: "-".join(re.findall(r"0x(\w{8})", text(name))) or "none"
            smallest = {"PAGE_8K": "8-64", "PAGE_16K": "16-64"}.get(text("mmu_page_min"), "64")
            limit = "16 MiB" if text("image_limit") == "LIMIT_16M" else "none"
            number = text("id").replace("OTTER_CHIP_LINUX", "0xFFFF").replace("OTTER_CHIP_DEVICE", "0xFFFE")
            code[text("name")] = [number, text("bootloader_offset"), window("data"), window("inst"), smallest, limit,
                                  text("secure_version_bits")]
        told = {cells[0]: cells[1:] for cells in tables("chip", "id")[0][1:]}
        self.assertEqual(told, code)

    def test_sections_that_code_names_are_there(self):
        sections = set(re.findall(r"^#+ (\d+(?:\.\d+)?)\.? ", TEXT, re.M))
        self.assertIn("3.1", sections)
        cited = set()
        for folder in ("src", "include", "port", "cli", "server", "fuzz", "tests"):
            for path in (SOURCE / folder).rglob("*.[ch]"):
                text = re.sub(r"\s*\n\s*(?:\*|//)?\s*", " ", path.read_text(encoding="utf-8", errors="replace"))
                for numbers in re.findall(r"FORMATS\.md,? sections? (\d+(?:\.\d+)?(?:(?:,| and| to) \d+(?:\.\d+)?)*)", text):
                    for number in re.findall(r"\d+(?:\.\d+)?", numbers):
                        self.assertIn(number, sections, f"{path} names section {number}")
                        cited.add(str(path))
        self.assertGreater(len(cited), 10)


if __name__ == "__main__":
    unittest.main()
