"""otter table: the recorded inputs of the vendor's tool, byte for byte; refusals; every kind of file that `show` takes."""
# SPDX-License-Identifier: Apache-2.0
import hashlib
import json
import os
import random
import subprocess
import tempfile
import unittest

OTTER = os.path.join(os.environ["OTTER_BUILD"], "otter")
VECTORS = os.path.join(os.environ["OTTER_SOURCE"], "tests", "vectors", "ptable")
TABLE_LEN = 0xC00


def otter(*args, env=None):
    """Run `otter table ...`; text out, bytes where the caller asks for a file."""
    full_env = {key: value for key, value in os.environ.items() if key != "NOPE_NOT_SET"}
    full_env.update(env or {})
    return subprocess.run([OTTER, "table", *args], capture_output=True, timeout=60, env=full_env)


def load(name):
    with open(os.path.join(VECTORS, name), encoding="utf-8") as file:
        return json.load(file)


class TableTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, data):
        path = self.path(name)
        with open(path, "wb") as file:
            file.write(data.encode() if isinstance(data, str) else data)
        return path

    def read(self, name):
        with open(self.path(name), "rb") as file:
            return file.read()

    def build(self, csv, *args, env=None):
        """Build from CSV text; the table, or the one line of the refusal."""
        if os.path.exists(self.path("out.bin")):
            os.unlink(self.path("out.bin"))
        if os.path.exists(self.path("out.bin")):
            os.unlink(self.path("out.bin"))
        run = otter("build", self.write("in.csv", csv), "-o", self.path("out.bin"), *args, env=env)
        if run.returncode == 0:
            return self.read("out.bin")
        self.assertEqual(run.returncode, 1, run.stderr)
        self.assertFalse(os.path.exists(self.path("out.bin")))
        line = run.stderr.decode()
        self.assertTrue(line.startswith("otter table: "), line)
        self.assertEqual(line.count("\n"), 1, line)
        return line

    def row(self, csv_line, *args, env=None):
        """The first row of a table built from one line of CSV, as the vendor's tool would print it."""
        raw = self.build(csv_line + "\n", *args, env=env)
        self.assertIsInstance(raw, bytes, raw)
        run = otter("show", self.path("out.bin"), "--csv", "--no-verify")
        self.assertEqual(run.returncode, 0, run.stderr)
        return run.stdout.decode().splitlines()[2]


class RecordedCases(TableTest):
    def test_all_recorded_csv_inputs_give_the_recorded_bytes_or_refusal(self):
        cases = load("csv_cases.json")
        self.assertEqual(len(cases), 65)
        for case in cases:
            with self.subTest(case["case"]):
                self.check_case(case)

    def check_case(self, case):
        out = self.path(case["case"])
        run = otter("build", os.path.join(VECTORS, case["csv"]), "-o", out, *case["args"])
        stderr = run.stderr.decode()
        if case["exit_code"] != 0:
            self.assertEqual(run.returncode, 1, stderr)
            self.assertFalse(os.path.exists(out))
            self.assertEqual(stderr.count("\n"), 1, stderr)
            if case["exit_code"] == 2:  # 1: the vendor's tool crashed, and its text is no help
                self.assertIn(case["stderr"][-1], stderr)
            return
        self.assertEqual(run.returncode, 0, stderr)
        with open(out, "rb") as file, open(os.path.join(VECTORS, case["bin"]), "rb") as want:
            self.assertEqual(file.read(), want.read())
        for warning in case["stderr"]:
            self.assertIn(warning, stderr)
        own = [line for line in stderr.splitlines() if " bytes and becomes '" in line]
        self.assertEqual(len(case["stderr"]) + len(own), stderr.count("\n"), stderr)

    def test_show_prints_the_recorded_csv(self):
        for case in load("csv_cases.json"):
            if case.get("to_csv") is None or case["to_csv_exit"] != 0:
                continue
            with self.subTest(case["case"]):
                # The tool verified with its default options when it read the table back.
                args = ["--no-verify"] if "--no-verify" in case["args"] else []
                run = otter("show", os.path.join(VECTORS, case["bin"]), "--csv", *args)
                self.assertEqual(run.returncode, 0, run.stderr)
                lines = [line for line in run.stdout.decode().splitlines() if not line.startswith("#")]
                self.assertEqual(lines, case["to_csv"])

    def test_what_was_written_is_told_unless_it_is_to_be_quiet(self):
        path, out = self.write("in.csv", b"nvs,data,nvs,,24K\nfactory,app,factory,,1M\n"), self.path("out.bin")
        self.assertEqual(otter("build", path, "-o", out).stdout.decode(), f"{out}: a partition table of 2 partitions\n")
        self.assertEqual(otter("build", path, "-o", out, "-q").stdout, b"")

    def test_what_show_prints_builds_the_same_table(self):
        for case in load("csv_cases.json"):
            if case.get("to_csv_exit") != 0 or "ok_bootloader_types" in case["case"]:
                continue  # a bootloader's place is not in the CSV
            with self.subTest(case["case"]):
                run = otter("show", os.path.join(VECTORS, case["bin"]), "--csv", "--no-verify")
                args = [arg for arg in case["args"] if arg == "--disable-md5sum"]
                again = otter("build", self.write("again.csv", run.stdout), "-o", self.path("again.bin"),
                              "--no-verify", *args)
                self.assertEqual(again.returncode, 0, again.stderr)
                with open(os.path.join(VECTORS, case["bin"]), "rb") as want:
                    self.assertEqual(self.read("again.bin"), want.read())

    def test_show_gives_the_vendors_verdict_on_every_recorded_table(self):
        cases = load("bin_cases.json")
        self.assertEqual(len(cases), 21)
        for name, verdicts in cases.items():
            with self.subTest(name):
                exit_code, text = verdicts["gen_esp32part_v6.0.2"]
                if name == "bad_len_not_mult_32":
                    exit_code = 0  # published files end anywhere: what is missing counts as erased
                run = otter("show", os.path.join(VECTORS, "bin", name + ".bin"))
                self.assertEqual(run.returncode, 1 if exit_code else 0, run.stderr)
                if exit_code == 2 and text.startswith("Partition"):
                    self.assertIn(text, run.stderr.decode())


class CsvForm(TableTest):
    def test_integers_take_pythons_forms_and_suffixes(self):
        for text, size in [("4096", "4K"), ("0x1000", "4K"), ("0X1_000", "4K"), ("0o10000", "4K"),
                           ("0B1_0000_0000_0000", "4K"), ("+4k", "4K"), ("1kk", "1M"), ("1mK", "1024M"),
                           ("4_0K", "40K"), ("1 K", "1K"), ("0", "0M"), ("00", "0M"), ("0x_10", "0x10")]:
            with self.subTest(text):
                self.assertEqual(self.row(f"x,0x40,0,0x9000,{text}"), f"x,64,0,0x9000,{size},")

    def test_what_is_no_integer_is_refused(self):
        for text in ["04096", "1__0", "_1", "1_", "0x", "0xg", "1.5K", "K", "--1", "1e3", "0b2", "9" * 40,
                     "1" + "k" * 40, "1K1"]:
            with self.subTest(text):
                self.assertIn("Error at line 1: Invalid field value", self.build(f"x,0x40,0,0x9000,{text}\n"))

    def test_suffixes_multiply_keywords_as_in_the_vendors_tool(self):
        self.assertEqual(self.row("x,data,otak,0x9000,8K"), "x,data,ota,0x9000,8K,")

    def test_negative_size_is_where_the_partition_ends(self):
        self.assertEqual(self.row("x,0x40,0,0x9000,-0x10000"), "x,64,0,0x9000,28K,")
        self.assertIn("is not between", self.build("x,0x40,0,0x9000,-0x8000\n"))

    def test_environment_variables_are_expanded(self):
        env = {"OTTER_SIZE": "12K", "OTTER_LINE": "x,data,nvs,,0x4000"}
        self.assertEqual(self.row("x,data,nvs,,$OTTER_SIZE", env=env), "x,data,nvs,0x9000,12K,")
        self.assertEqual(self.row("x,data,nvs,,${OTTER_SIZE}", env=env), "x,data,nvs,0x9000,12K,")
        self.assertEqual(self.row("$OTTER_LINE", env=env), "x,data,nvs,0x9000,16K,")
        self.assertEqual(self.row("a$NOPE_NOT_SET,data,nvs,,12K"), "a$NOPE_NOT_SET,data,nvs,0x9000,12K,")
        self.assertIn("unknown variable 'NOPE_NOT_SET'", self.build("$NOPE_NOT_SET,data,nvs,,12K\n"))

    def test_encodings_with_a_mark_are_read(self):
        text = "gr\u00f6\u00dfe,data,nvs,,12K\n\U0001f9a6,data,phy,,4K\n"
        want = self.build(text)
        self.assertIsInstance(want, bytes)
        for encoding in ["utf-8-sig", "utf-16", "utf-32"]:
            with self.subTest(encoding):
                self.assertEqual(self.build(text.encode(encoding)), want)
        self.assertEqual(self.build(b"\xfe\xff" + text.encode("utf-16-be")), want)
        self.assertEqual(self.build(b"\x00\x00\xfe\xff" + text.encode("utf-32-be")), want)

    def test_what_is_no_text_is_refused(self):
        for data in [b"a\xff,data,nvs,,12K\n", b"\xc0\x80", b"\xed\xa0\x80", b"\xf5\x80\x80\x80", b"\xe2\x82",
                     b"a\0b,data,nvs,,12K\n", b"\xff\xfe\x00", b"\xff\xfe\x00\xd8",
                     b"\xff\xfe\x00\x00\x00\x00\x11\x00"]:
            with self.subTest(data):
                self.assertIn("line 1 is not UTF-", self.build(data))

    def test_line_ends_and_blanks_of_any_system(self):
        want = self.build("a,data,nvs,,12K\nb,data,phy,,4K\n")
        for text in ["a,data,nvs,,12K\r\nb,data,phy,,4K\r\n", "a,data,nvs,,12K\rb,data,phy,,4K",
                     "\ta , data\t,nvs,\u00a0,12K\n\n#x\n b,data,phy,,4K"]:
            with self.subTest(text):
                self.assertEqual(self.build(text), want)

    def test_names_are_cut_to_sixteen_bytes_even_inside_a_character(self):
        raw = self.build("\u00e4" * 8 + "x,data,nvs,,12K\n")
        self.assertEqual(raw[12:28], ("\u00e4" * 8).encode())
        raw = self.build("a" + "\u00e4" * 8 + ",data,nvs,,12K\n")
        self.assertEqual(raw[12:28], ("a" + "\u00e4" * 8).encode()[:16])

    def test_errors_name_the_line(self):
        self.assertIn("Error at line 4: Value 'x' is not valid", self.build("# c\n\na,data,nvs,,12K\nb,x,nvs,,4K\n"))

    def test_a_thousand_lines_are_refused_quickly(self):
        self.assertIn("more than 1000 partitions", self.build("".join(f"p{i},0x40,0,,4K\n" for i in range(10000))))

    def test_a_project_s_own_names_of_subtypes_are_taken_and_shown(self):
        csv = "conf,data,conf,,4K\nmine,app,mine,0x20000,64K\n"
        self.assertIn("Value 'conf' is not valid", self.build(csv))
        for extra in (["data, conf, 0x40", "app,mine,0x41"], ["data,conf,40", "--extra-partition-subtypes", "app,mine,41"]):
            raw = self.build(csv, "--extra-partition-subtypes", *extra)
            self.assertIsInstance(raw, bytes, raw)
            self.assertEqual((raw[2:4], raw[34:36]), (b"\1\x40", b"\0\x41"))
            shown = otter("show", self.path("out.bin"), "--csv", "--extra-partition-subtypes", *extra).stdout.decode()
            self.assertIn("conf,data,conf,0x9000,4K,", shown)
            self.assertIn("mine,app,mine,0x20000,64K,", shown)
        for entry in ("data,nvs,0x40", "data,new,2", "data,new,0x100", "data,new,x", "data,new", "new,a,1", "0x40,a,1", ",,",
                      "data,a,1,2", "data," + "n" * 40 + ",0x40"):
            with self.subTest(entry):
                run = otter("show", self.path("out.bin"), "--extra-partition-subtypes", entry)
                self.assertEqual(run.returncode, 2, run.stderr)
        many = [f"data,n{i},{i:x}" for i in range(0xA0, 0xF0)]
        self.assertIn(b"there are too many", otter("show", self.path("out.bin"), "--extra-partition-subtypes", *many).stderr)

    def test_flash_size_may_be_any(self):
        csv = "a,app,factory,0x10000,8M\n"
        self.assertIsInstance(self.build(csv, "--flash-size", "8256K"), bytes)
        self.assertIn("does not fit in configured flash size 8MB", self.build(csv, "--flash-size", "8MB"))
        self.assertIn("does not fit", self.build(csv, "--flash-size", "8MB", "--no-verify"))


class Show(TableTest):
    TWO_OTA = os.path.join(VECTORS, "bin", "two_ota_md5.bin")

    def dump(self, size=0x400000, offset=0x8000):
        with open(self.TWO_OTA, "rb") as file:
            table = file.read()
        data = bytearray(b"\xff" * size)
        data[offset:offset + len(table)] = table
        return data

    def test_json_has_the_promised_keys(self):
        run = otter("show", self.TWO_OTA, "--json")
        self.assertEqual(run.returncode, 0)
        got = json.loads(run.stdout)
        self.assertEqual(got["partitions"][4], {"label": "ota_0", "type": "app", "subtype": "ota_0", "offset": 0x110000,
                                                "size": 0x100000, "flags": ""})
        self.assertEqual((got["md5"], got["valid"], got["error"], got["warnings"], got["offset"]), ("good", True, None, [], 0))

    def test_a_csv_a_table_and_a_flash_dump_show_the_same_partitions(self):
        csv = otter("show", os.path.join(VECTORS, "csv", "two_ota.csv"), "--json")
        dump = otter("show", self.write("dump.bin", self.dump()), "--json")
        table = otter("show", self.TWO_OTA, "--json")
        lists = [json.loads(run.stdout)["partitions"] for run in (csv, dump, table)]
        self.assertEqual(lists[0], lists[1])
        self.assertEqual(lists[1], lists[2])
        self.assertIsNone(json.loads(csv.stdout)["md5"])

    def test_the_table_of_a_dump_may_lie_elsewhere(self):
        for offset in (0x7000, 0x9000, 0x10000):
            path = self.write("dump.bin", self.dump(offset=offset))
            run = otter("show", path)
            self.assertEqual(run.returncode, 0)
            self.assertIn(f"no partition table at 0x8000; this one lies at {offset:#x}", run.stdout.decode())
            self.assertEqual(otter("show", path, "--table-offset", f"{offset:#x}").returncode,
                             0 if offset == 0x7000 else 1)  # elsewhere it covers a partition
            run = otter("show", path, "--table-offset", "0x8000")
            self.assertEqual(run.returncode, 1)
            self.assertIn(f"no partition table at 0x8000; there is one at {offset:#x}", run.stderr.decode())

    def test_a_dump_smaller_than_its_partitions_gets_a_warning(self):
        run = otter("show", self.write("dump.bin", self.dump(size=0x200000)), "--json")
        self.assertEqual(run.returncode, 0)
        warnings = json.loads(run.stdout)["warnings"]
        self.assertEqual(len(warnings), 2, warnings)
        self.assertIn("ota_0: 0x110000 + 0x100000 is beyond the flash of 0x200000 bytes", warnings)

    def test_a_table_without_md5_gets_a_warning(self):
        run = otter("show", os.path.join(VECTORS, "bin", "two_ota_nomd5.bin"))
        self.assertEqual(run.returncode, 0)
        self.assertIn(b"warning: the table has no MD5 record", run.stdout)

    def test_a_broken_table_is_shown_and_refused(self):
        run = otter("show", os.path.join(VECTORS, "bin", "odd_overlapping.bin"))
        self.assertEqual(run.returncode, 1)
        self.assertIn(b"0x00009000", run.stdout)
        self.assertEqual(run.stderr.count(b"\n"), 1)
        got = json.loads(otter("show", os.path.join(VECTORS, "bin", "bad_md5_digest.bin"), "--json").stdout)
        self.assertEqual((got["md5"], got["valid"]), ("bad", False))
        self.assertIn("MD5", got["error"])

    def test_labels_from_strangers_cannot_write_to_the_terminal(self):
        raw = bytearray(self.dump()[0x8000:0x8C00])
        raw[12:18] = b"\x1b[31m\xff"
        path = self.write("evil.bin", raw)
        run = otter("show", path)
        self.assertEqual(run.returncode, 1)  # the MD5 does not match
        self.assertNotIn(b"\x1b", run.stdout + run.stderr)
        label = json.loads(otter("show", path, "--json").stdout)["partitions"][0]["label"]
        self.assertEqual(label, "\ufffd[31m\ufffd")

    def test_names_that_no_csv_can_hold_are_refused_there(self):
        raw = bytearray(self.dump()[0x8000:0x8C00])
        end = raw.index(b"\xeb\xeb")
        for name in b"a,b", b"a\nb", b"\x1b[2J", b"\xc2\x9b", b"\xff":
            with self.subTest(name):
                raw[12:28] = name.ljust(16, b"\0")
                raw[end + 16:end + 32] = hashlib.md5(raw[:end]).digest()
                path = self.write("named.bin", raw)
                self.assertEqual(otter("show", path).returncode, 0)
                run = otter("show", path, "--csv")
                self.assertEqual((run.returncode, run.stdout), (1, b""))
                self.assertIn(b"cannot be in a CSV", run.stderr)

    def test_published_files_end_anywhere(self):
        dump = bytes(self.dump(size=0x10000))
        for name, data in (("one byte short", dump[0x8000:0x8BFF]), ("one byte more", dump[0x8000:0x8C01]),
                           ("records alone", dump[0x8000:0x80E0]), ("a factory file", dump[:0x9011]),
                           ("one that ends in the table", dump[:0x80E0])):
            with self.subTest(name):
                path = self.write("file", data)
                run = otter("show", path, "--json")
                self.assertEqual(run.returncode, 0, run.stderr)
                got = json.loads(run.stdout)
                self.assertEqual((len(got["partitions"]), got["md5"], got["valid"]), (6, "good", True))
                self.assertFalse([line for line in got["warnings"] if "beyond" in line])
                self.assertEqual(len(got["warnings"]), 1 if "byte" in name else 0)
                piped = subprocess.run([OTTER, "table", "show", "-", "--json"], input=data, capture_output=True, timeout=60)
                self.assertEqual(json.loads(piped.stdout), got)
        raw = dump[0x8000:0x80D0]  # the MD5 itself is cut
        self.assertIn(b"MD5", otter("show", self.write("cut", raw)).stderr)

    def test_a_file_without_a_table_says_what_it_holds(self):
        noise = random.Random(5).randbytes(0x10000)
        code = bytes(range(64)) * 0x800
        for name, data, text in (
                ("erased sector", b"\xff" * 3072, "no partition table: it is erased (0xFF) throughout"),
                ("erased dump", b"\xff" * 0x20000, "no partition table at 0x8000: it is erased (0xFF) throughout"),
                ("zero", bytes(0x20000), "no partition table at 0x8000: it is zeros throughout"),
                ("noise", noise, "it looks encrypted (flash encryption?) or compressed throughout"),
                ("encrypted sector", noise[:3072], "no partition table: it looks encrypted"),
                ("encrypted table", code[:0x8000] + noise[:0x1000] + code, "at 0x8000, which looks encrypted"),
                ("erased table", code[:0x8000] + b"\xff" * 0x1000 + code, "at 0x8000, which is erased (0xFF), nor elsewhere"),
                ("data", code, "no partition table at 0x8000, nor elsewhere in the file, and not a text"),
                ("image", b"\xe9\4" + code, "it begins with an image, which `otter image info` explains")):
            with self.subTest(name):
                run = otter("show", self.write("file", data))
                self.assertEqual(run.returncode, 1)
                self.assertIn(text, run.stderr.decode())
                self.assertEqual(run.stderr.count(b"\n"), 1)

    def test_columns_are_as_wide_as_their_characters(self):
        self.assertIsInstance(self.build("gr\u00f6\u00dfe,data,nvs,,12K\nplain,data,phy,,4K\n"), bytes)
        lines = otter("show", self.path("out.bin")).stdout.decode().splitlines()
        self.assertEqual(len({line.index("data") for line in lines[1:3]} | {lines[0].index("type")}), 1, lines)

    def test_what_keeps_a_device_from_being_updated_gets_a_warning(self):
        otadata, app = "otadata,data,ota,,8K\n", "factory,app,factory,,1M\n"
        for csv, want in (
                (otadata + app + "a,app,ota_0,,1M\nb,app,ota_1,,1M\n", None),
                ("a,data,nvs,,12K\n", "no app partition: there is nothing that could boot"),
                (app + "a,app,ota_0,,1M\n", "OTA slots without an otadata partition: nothing can select a slot, so factory"),
                ("a,app,ota_0,,1M\n", "so the first one boots and no update takes effect"),
                (otadata + "a,app,ota_0,,1M\nb,app,ota_2,,1M\n", "ota_1 is missing below ota_2"),
                (otadata + "b,app,ota_1,,1M\n", "ota_0 is missing below ota_1")):
            with self.subTest(csv):
                self.assertIsInstance(self.build(csv), bytes)
                for path in self.path("in.csv"), self.path("out.bin"):
                    warnings = json.loads(otter("show", path, "--json").stdout)["warnings"]
                    self.assertEqual(len(warnings), 0 if want is None else 1, warnings)
                    self.assertIn(want or "", "".join(warnings))

    def test_a_name_longer_than_a_label_gets_a_warning_wherever_a_csv_is_taken(self):
        base = "nvs,data,nvs,,24K\notadata,data,ota,,8K\n"
        for name, cut in [("0123456789abcdef", None), ("0123456789abcdefX", "0123456789abcdef"),
                          ("0123456789abcde\u00e9", "0123456789abcde\ufffd"), ("x" * 300, "x" * 16)]:
            path = self.write("in.csv", base + f"# none\n{name},app,ota_0,,1M\n")
            flash = self.path(f"{len(name)}{cut is None}.flash")
            said = f"line 4: the name '{name[:128]}' is longer than a label's 16 bytes and becomes '{cut}'"
            for run in [otter("build", path, "-o", self.path("out.bin")), otter("show", path),
                        otter("build", path, "-o", self.path("out.bin"), "--no-verify"),
                        subprocess.run([OTTER, "flash", "new", flash, "--size", "4MB", "--table", path],
                                       capture_output=True, timeout=60),
                        subprocess.run([OTTER, "flash", "table", flash, path], capture_output=True, timeout=60)]:
                with self.subTest(name=name, args=run.args):
                    self.assertEqual(run.returncode, 0, run.stderr)
                    told = (run.stdout if "show" in run.args else run.stderr).decode()
                    self.assertEqual(told.count("is longer than a label"), 0 if cut is None else 1, told)
                    self.assertTrue(cut is None or said in told, told)
            self.assertEqual(otter("build", path, "-o", self.path("out.bin"), "-q").stderr, b"")

    def test_two_names_that_become_one_label_get_a_warning(self):
        part = "%s,data,nvs,,24K\n"
        for first, second, said in [("nvs_of_the_station_a", "nvs_of_the_station_b", "'nvs_of_the_stati', which is also what "
                                     "'nvs_of_the_station_a' of line 1 is in the table: only one of them will be found"),
                                    ("nvs_of_the_stati", "nvs_of_the_station_b", "'nvs_of_the_stati' of line 1"),
                                    ("nvs_of_the_station_b", "nvs_of_the_stati", "'nvs_of_the_station_b' of line 1")]:
            with self.subTest(first=first, second=second):
                path = self.write("in.csv", part % first + part % second)
                run = otter("build", path, "-o", self.path("out.bin"))
                self.assertEqual(run.returncode, 0, run.stderr)  # the vendor's bytes (recorded: ok_name_trunc_dup)
                self.assertIn("WARNING: line 2: the name '" + second, run.stderr.decode())
                self.assertIn(said, run.stderr.decode())

    def test_a_byte_order_mark_in_a_label_gets_a_warning(self):
        raw = bytearray(self.dump()[0x8000:0x8C00])
        end = raw.index(b"\xeb\xeb")
        raw[12:28] = b"\xef\xbb\xbfnvs".ljust(16, b"\0")
        raw[end + 16:end + 32] = hashlib.md5(raw[:end]).digest()
        run = otter("show", self.write("marked.bin", raw), "--json")
        self.assertEqual(run.returncode, 0)
        warnings = json.loads(run.stdout)["warnings"]
        self.assertEqual(len(warnings), 1)
        self.assertIn("begins with a byte order mark: who looks for 'nvs' does not find it", warnings[0])

    def test_files_that_are_nothing(self):
        for name, data, text in [("empty", b"", b""), ("erased.bin", b"\xff" * 0x10000, b"no partition table at 0x8000"),
                                 ("big", b"a" * 0x50001, b"too large for a CSV")]:
            with self.subTest(name):
                run = otter("show", self.write(name, data))
                self.assertEqual(run.returncode, 1)
                self.assertIn(text, run.stderr)
        for path in [self.path("missing"), self.folder]:
            self.assertEqual(otter("show", path).returncode, 1)

    def test_usage(self):
        self.assertEqual(otter("--help").returncode, 0)
        self.assertIn(b"for example", otter("build", "--help").stdout.lower())
        for args in [[], ["melt"], ["show"], ["build", "x"], ["show", "a", "b"], ["show", "x", "--offset", "3"],
                     ["show", "x", "--offset"], ["show", "x", "--frobnicate"], ["build", "x", "-o"],
                     ["show", "x", "--secure", "v3"]]:
            with self.subTest(args):
                run = otter(*args)
                self.assertEqual(run.returncode, 2)
                self.assertIn(b"--help", run.stderr)


class RandomInput(TableTest):
    def setUp(self):
        super().setUp()
        self.seed = int(os.environ.get("OTTER_TEST_SEED", "20240131"))
        self.random = random.Random(self.seed)
        print(f"seed {self.seed}")

    def test_random_csv_gives_a_table_or_one_line(self):
        pieces = ["app", "data", "nvs", "ota_0", "factory", "bootloader", "partition_table", "primary", "0x40", "-1",
                  "1M", "64K", "0x9000", "0x10000", "k", "", "", ",", ":", "#", "$HOME", "${", "$", "encrypted",
                  "readonly", "\u00e9", "\t", "x" * 40, "9" * 25, "\x0b"]
        for number in range(120):
            lines = [",".join(self.random.choice(pieces) for _ in range(self.random.randrange(1, 8)))
                     for _ in range(self.random.randrange(1, 6))]
            with self.subTest(seed=self.seed, number=number):
                args = self.random.sample(["--no-verify", "--disable-md5sum"], self.random.randrange(3))
                result = self.build("\n".join(lines), *args)
                if isinstance(result, bytes):
                    self.assertEqual(len(result), TABLE_LEN)
                    self.assertNotEqual(otter("show", self.path("out.bin")).returncode, 2)

    def test_damaged_files_never_crash_show(self):
        with open(os.path.join(VECTORS, "bin", "ok_all_subtypes.bin"), "rb") as file:
            good = file.read()
        for number in range(120):
            data = bytearray(good)
            for _ in range(self.random.randrange(1, 6)):
                data[self.random.randrange(1100)] = self.random.choice([0, 0xFF, 0xEB, self.random.randrange(256)])
            if self.random.random() < 0.3:
                del data[self.random.randrange(len(data)):]
            with self.subTest(seed=self.seed, number=number):
                run = otter("show", self.write("damaged", bytes(data)), self.random.choice(["--json", "--csv", "-q"]))
                self.assertIn(run.returncode, (0, 1), run.stderr)


if __name__ == "__main__":
    unittest.main()
