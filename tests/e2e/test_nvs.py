"""`otter nvs`: what people see and change of the values in flash; and partitions that the vendor's generator makes."""
# SPDX-License-Identifier: Apache-2.0
import json
import os
import pathlib
import struct
import subprocess
import sys
import unittest
import zlib

from device import BUILD, OTTER, TIMEOUT_S, DeviceTest

GENERATOR = BUILD / "tools" / "venv" / "bin" / "python"
PAGE, ENTRY, ENTRIES = 4096, 32, 126

HAS_GENERATOR = GENERATOR.exists() and subprocess.run([GENERATOR, "-c", "import esp_idf_nvs_partition_gen"],
                                                      stderr=subprocess.DEVNULL, check=False).returncode == 0
GENERATED = unittest.skipUnless(HAS_GENERATOR, "esp-idf-nvs-partition-gen is not installed: ./dev setup esptool")
CSV = """key,type,encoding,value
app,namespace,,
u8,data,u8,255
i8,data,i8,-128
u16,data,u16,65535
i32,data,i32,-2147483648
u64,data,u64,18446744073709551615
i64,data,i64,-9223372036854775808
name,data,string,hello world
hex,data,hex2bin,010aff
big,file,binary,big.bin
two,namespace,,
name,data,string,other
"""
VALUES = {"app.u8": ("u8", "255"), "app.i8": ("i8", "-128"), "app.u16": ("u16", "65535"),
          "app.i32": ("i32", "-2147483648"), "app.u64": ("u64", "18446744073709551615"),
          "app.i64": ("i64", "-9223372036854775808"), "app.name": ("str", "hello world"), "app.hex": ("blob", "010aff"),
          "two.name": ("str", "other")}


def crc(data):
    return zlib.crc32(data, 0xFFFFFFFF)


def read_partition(data):
    """{"namespace.key": (type, bytes)}: a reading of the format of its own; what is not right is an AssertionError."""
    names, values, parts = {}, {}, {}
    for start in range(0, len(data), PAGE):
        page = data[start:start + PAGE]
        if page == b"\xff" * PAGE:
            continue
        assert crc(page[4:28]) == int.from_bytes(page[28:32], "little"), "head"
        index = 0
        while index < ENTRIES:
            if page[32 + index // 4] >> 2 * (index % 4) & 3 != 2:
                index += 1
                continue
            entry = page[64 + ENTRY * index:][:ENTRY]
            assert zlib.crc32(entry[8:], crc(entry[:4])) == int.from_bytes(entry[4:8], "little"), "entry"
            namespace, kind, span, part = entry[:4]
            key = entry[8:24].rstrip(b"\0").decode()
            length, _, check = struct.unpack("<HHI", entry[24:])
            following = page[64 + ENTRY * (index + 1):][:length]
            if kind in (0x21, 0x42):
                assert crc(following) == check, "bytes"
            if namespace == 0:
                names[entry[24]] = key
            elif kind == 0x42:
                parts[namespace, key, part] = following
            else:
                assert (namespace, key) not in values, "twice"
                values[namespace, key] = (kind, following if kind == 0x21 else entry[24:])
            index += span
    found = {}
    for (namespace, key), (kind, value) in values.items():
        if kind == 0x48:
            size, count, first = struct.unpack("<IBB", value[:6])
            value = b"".join(parts.pop((namespace, key, first + i)) for i in range(count))
            assert len(value) == size, "size"
        elif kind != 0x21:
            value = value[:kind & 15]
        found[f"{names[namespace]}.{key}"] = (kind, value)
    assert not parts, "parts of nothing"
    return found


class Nvs(DeviceTest):
    def setUp(self):
        super().setUp()
        self.device()

    def device(self):
        flash = bytearray(b"\xff" * 0x400000)
        flash[0x8000:0x8000 + len(self.table)] = self.table
        pathlib.Path(self.flash).write_bytes(flash)

    def nvs(self, verb, *args, status=0):
        done = subprocess.run([OTTER, "nvs", verb, *map(str, args)], capture_output=True, timeout=TIMEOUT_S)
        self.assertEqual(status, done.returncode, done.stderr)
        self.assertEqual(0 if status == 0 else 1, done.stderr.count(b"\n"), done.stderr)
        return (done.stdout if status == 0 else done.stderr).decode("utf-8", "surrogateescape")

    def values(self, path):
        values = json.loads(self.nvs("show", path, "--json"))["values"]
        return {f"{value['namespace']}.{value['key']}": (value["type"], value["value"]) for value in values}

    def partition(self):
        return pathlib.Path(self.flash).read_bytes()[0x9000:0xD000]

    def test_what_is_set_is_got_and_lies_where_the_format_says(self):
        blob = self.folder / "blob"
        blob.write_bytes(bytes(range(256)) * 20)
        for key, value, kind in [("n", "-7", "i16"), ("n", "-8", "i16"), ("big", "18446744073709551615", "u64"),
                                 ("text", "grüße", "str"), ("blob", f"@{blob}", "blob"), ("few", "00ff", "blob")]:
            self.nvs("set", self.flash, "app", key, value, "--type", kind)
        self.nvs("set", self.flash, "app", "text", "again")  # the type stays
        self.assertEqual({"app.n": (0x12, b"\xf8\xff"), "app.big": (0x08, b"\xff" * 8), "app.text": (0x21, b"again\0"),
                          "app.blob": (0x48, blob.read_bytes()), "app.few": (0x48, b"\0\xff")}, read_partition(self.partition()))
        self.assertEqual("-8\n", self.nvs("get", self.flash, "app", "n"))
        self.assertEqual("again\n", self.nvs("get", self.flash, "app", "text"))
        self.nvs("get", self.flash, "app", "blob", self.folder / "out")
        self.assertEqual(blob.read_bytes(), (self.folder / "out").read_bytes())
        self.nvs("erase", self.flash, "app", "blob")
        self.assertNotIn("app.blob", self.values(self.flash))
        self.nvs("erase", self.flash, "app")
        self.assertEqual({}, self.values(self.flash))
        self.assertIn("whole", self.nvs("check", self.flash))

    def test_wrong_wishes_get_one_line_with_the_next_step(self):
        self.nvs("set", self.flash, "app", "n", "1", "--type", "u8")
        before = self.partition()
        for args, said in [(("set", self.flash, "app", "n", "256"), "no number from 0 to 255"),
                           (("set", self.flash, "app", "n", "-1"), "no number from 0 to 255"),
                           (("set", self.flash, "app", "new", "1"), "--type says which"),
                           (("set", self.flash, "app", "n", "1", "--type", "float"), "--type is one of"),
                           (("set", self.flash, "app", "b", "0g", "--type", "blob"), "two hexadecimal digits"),
                           (("set", self.flash, "app", "0123456789abcdef", "1", "--type", "u8"), "1 to 15 characters"),
                           (("set", self.flash, "app", "t", "x" * 4000, "--type", "str"), "at most 3999"),
                           (("set", self.flash, "app", "b", "00" * 13000, "--type", "blob"), "side by side"),
                           (("get", self.flash, "app", "none"), "no key 'none'"),
                           (("get", self.flash, "none", "n"), "no namespace 'none'"),
                           (("erase", self.flash, "app", "none"), "no such key"),
                           (("show", self.flash, "--partition", "ota_0"), "of type data and subtype nvs"),
                           (("show", self.folder / "table.bin"), "no usable partition table"),
                           (("show", self.folder / "nowhere"), "nowhere")]:
            with self.subTest(args=args[2:]):
                self.assertIn(said, self.nvs(*args, status=1))
        self.assertEqual(before, self.partition())

    def test_flash_info_names_what_is_there(self):
        def info(*args):
            return subprocess.run([OTTER, "flash", "info", self.flash, *args], capture_output=True, text=True, timeout=TIMEOUT_S,
                                  check=True).stdout
        self.assertRegex(info(), r"nvs +blank\n")
        self.nvs("set", self.flash, "app", "n", "1", "--type", "u8")
        self.nvs("set", self.flash, "wifi", "ssid", "home", "--type", "str")
        self.assertRegex(info(), r"nvs +5 of 504 entries used; namespaces: app, wifi\n")
        self.assertEqual([{"label": "nvs", "blank": False, "problem": None, "entries_used": 5, "entries_total": 504,
                           "namespaces": ["app", "wifi"]}], json.loads(info("--json"))["nvs"])
        flash = bytearray(pathlib.Path(self.flash).read_bytes())
        for entry in range(5):
            flash[0x9000 + 64 + ENTRY * entry + 9] ^= 1
        pathlib.Path(self.flash).write_bytes(flash)
        self.assertRegex(info(), r"nvs +none of the \d NVS entries is one: they look encrypted, and need their keys\n")

    def test_damage_is_told_and_looking_changes_nothing(self):
        self.nvs("set", self.flash, "app", "text", "some text of two entries and more", "--type", "str")
        self.nvs("set", self.flash, "app", "n", "1", "--type", "u8")
        flash = bytearray(pathlib.Path(self.flash).read_bytes())
        flash[0x9000 + 64 + 2 * ENTRY + 3] ^= 1  # in the text's bytes
        pathlib.Path(self.flash).write_bytes(flash)
        done = subprocess.run([OTTER, "nvs", "check", self.flash], capture_output=True, text=True, timeout=TIMEOUT_S)
        self.assertEqual(1, done.returncode)
        self.assertIn("key text: its bytes are not those that were written", done.stdout)
        self.assertIn("1 values are damaged", done.stderr)
        self.assertEqual("1\n", self.nvs("get", self.flash, "app", "n"))
        self.assertEqual(bytes(flash), pathlib.Path(self.flash).read_bytes())

    @GENERATED
    def test_a_partition_of_the_vendors_generator_is_read_and_written_on(self):
        (self.folder / "in.csv").write_text(CSV)
        big = os.urandom(9000)
        (self.folder / "big.bin").write_bytes(big)
        for version in ("1", "2"):
            with self.subTest(version=version):
                csv = CSV if version == "2" else CSV.replace("big,file,binary,big.bin\n", "")  # at most 1984 bytes there
                (self.folder / "in.csv").write_text(csv)
                subprocess.run([GENERATOR, "-m", "esp_idf_nvs_partition_gen", "generate", "in.csv", "made.bin", "0x6000",
                                "--version", version], cwd=self.folder, check=True, timeout=TIMEOUT_S, stdout=subprocess.DEVNULL)
                made = self.folder / "made.bin"
                want = {**VALUES, **({"app.big": ("blob", big.hex())} if version == "2" else {})}
                self.assertEqual(want, self.values(made))
                self.assertIn("whole", self.nvs("check", made))
                self.nvs("set", made, "app", "name", "changed")
                self.nvs("set", made, "app", "hex", "0b", "--type", "blob")
                self.assertEqual({**want, "app.name": ("str", "changed"), "app.hex": ("blob", "0b")}, self.values(made))
                self.nvs("check", made)
                if version == "2":
                    self.assertEqual(b"\x0b", read_partition(made.read_bytes())["app.hex"][1])

    @GENERATED
    def test_an_encrypted_partition_of_the_vendors_generator_needs_its_keys(self):
        (self.folder / "in.csv").write_text(CSV)
        (self.folder / "big.bin").write_bytes(os.urandom(9000))
        subprocess.run([GENERATOR, "-m", "esp_idf_nvs_partition_gen", "encrypt", "in.csv", "made.bin", "0x6000", "--keygen",
                        "--keyfile", "keys.bin"], cwd=self.folder, check=True, timeout=TIMEOUT_S, stdout=subprocess.DEVNULL)
        made, keys = self.folder / "made.bin", next(self.folder.rglob("keys.bin"))
        before = made.read_bytes()
        self.assertIn("look encrypted", self.nvs("show", made, status=1))
        wrong = self.folder / "wrong.bin"
        wrong.write_bytes(bytes(64) + struct.pack("<I", crc(bytes(64))))
        self.assertIn("other keys", self.nvs("set", made, "app", "u8", "1", "--keys", wrong, status=1))
        self.assertIn("no keys of NVS", self.nvs("show", made, "--keys", self.folder / "in.csv", status=1))
        self.assertEqual(before, made.read_bytes())
        self.assertEqual("hello world\n", self.nvs("get", made, "app", "name", "--keys", keys))
        self.nvs("set", made, "app", "name", "changed", "--keys", keys)
        self.assertEqual("changed\n", self.nvs("get", made, "app", "name", "--keys", keys))
        self.nvs("check", made, "--keys", keys)


if __name__ == "__main__":
    sys.exit(unittest.main())
