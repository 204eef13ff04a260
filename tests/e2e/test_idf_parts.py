"""A project that updates all there is in flash: data, bootloader, partition table and app, each verified before it is copied."""
# SPDX-License-Identifier: Apache-2.0

import re
import shutil
import unittest

from device import in_full
from idf_project import ProjectTest, otter

BOOTLOADER, TABLE, STORAGE = 0x1000, 0x8000, 0x379000


class PartsTest(ProjectTest):
    example = "parts_ota"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        shutil.copy(cls.www / "app.bin", cls.www / "parts_ota.bin")
        (cls.www / "storage.bin").write_bytes(b"new data\n" + bytes(5000))

    @classmethod
    def table(cls, name="partition-table.bin", csv="partitions.csv", row="more, data, 0x42, , 64K\n"):
        """A table with a row more, on the server."""
        cls.project.write("more.csv", (cls.project.path / csv).read_text() + row)
        done = otter("table", "build", cls.project.path / "more.csv", "-o", cls.www / name)
        assert done.returncode == 0, done.stderr
        return (cls.www / name).read_bytes()


class Parts(PartsTest):
    def test_updates_each_part_of_the_flash_one_after_the_other(self):
        table = self.table()
        other = self.www / "bootloader.bin"
        done = otter("image", "build", "--bootloader", "--chip", "linux", "--idf-ver", "another", "-o", other)
        self.assertEqual(done.returncode, 0, done.stderr)
        server = self.serve()
        console = self.run_device("--new", "--expect", "2.0.0,VALID", server=server,
                                  ask_for=["storage.bin", "bootloader.bin", "partition-table.bin", "parts_ota.bin"])
        self.check_lines(["storage: new data", "while the bootloader is copied", "the update is in place",
                          "while the table is copied", "more at 0x399000, 65536 bytes", "App version:      2.0.0",
                          "more at 0x399000", "storage: new data"], console)
        flash = self.flash()
        for at, content in ((BOOTLOADER, other.read_bytes()), (TABLE, table), (STORAGE, b"new data\n" + bytes(5000))):
            self.assertEqual(flash[at:at + len(content)], content)

    def test_what_is_no_bootloader_and_no_table_stays_away_from_their_places(self):
        self.run_device("--new")
        before = self.flash()
        app = (self.www / "parts_ota.bin").read_bytes()
        for folder, name, content in (("a", "bootloader.bin", b"\xe9" * 3000), ("b", "bootloader.bin", app[:20000]),
                                      ("a", "partition-table.bin", b"\xaa\x50" * 1536),
                                      ("b", "partition-table.bin", self.table(row="")[:100])):
            (self.www / folder).mkdir(exist_ok=True)
            (self.www / folder / name).write_bytes(content)
        ask_for = [f"{folder}/{name}" for folder in "ab" for name in ("bootloader.bin", "partition-table.bin")]
        console = self.run_device("--expect", "1.0.0", server=self.serve(), ask_for=ask_for)
        self.assertEqual(console.count("no update: "), 4, console)
        self.assertEqual(self.flash()[:0x9000], before[:0x9000])

    @in_full
    def test_table_with_a_row_for_itself_survives_the_cut_of_its_copy(self):
        folder = self.build("rows", "--config", "rows")
        table = self.table(csv="partitions_rows.csv")
        server = self.serve()
        console = self.run_device("--new", "--cut-list", server=server, ask_for=["partition-table.bin"], build=folder)
        self.assertNotIn("keep the power on", console)
        erase = re.search(r"^ +(\d+) .* erase of .*\b(?:table|0x8000)\b.*$", console, re.M)
        self.assertTrue(erase, console)
        self.run_device("--new", "--cut-after", erase[1], server=server, ask_for=["partition-table.bin"], build=folder)
        console = self.run_device("--expect", "1.0.0", build=folder)
        self.assertIn("more at 0x399000", console)
        self.assertEqual(self.flash(folder)[TABLE:TABLE + len(table)], table)


@in_full
class Signed(PartsTest):
    configuration = ("--config", "signed")

    @classmethod
    def prepare(cls):
        for name in ("signing_key.pem", "other_key.pem"):
            done = otter("key", "new", cls.project.path / name)
            assert done.returncode == 0, done.stderr

    def sign(self, content, name, key="signing_key.pem", options=()):
        plain = self.project.folder / "plain"
        plain.write_bytes(content)
        (self.www / name).parent.mkdir(exist_ok=True)
        done = otter("image", "sign", plain, "--key", self.project.path / key, "-o", self.www / name, *options)
        self.assertEqual(done.returncode, 0, done.stderr)
        return (self.www / name).read_bytes()

    def test_takes_only_apps_and_data_of_its_owner(self):
        signed = (self.www / "parts_ota.bin").read_bytes()
        bare = signed[:len(signed) - 4096]
        (self.www / "unsigned.bin").write_bytes(bare)
        self.sign(bare, "foreign.bin", "other_key.pem")
        (self.www / "changed.bin").write_bytes(signed[:5000] + bytes([signed[5000] ^ 1]) + signed[5001:])
        data = self.sign(b"signed data\n" + bytes(4084), "good/storage.bin", options=["--data"])
        self.sign(b"not ours\n" + bytes(4087), "foreign/storage.bin", "other_key.pem", ["--data"])
        (self.www / "changed").mkdir()
        (self.www / "changed" / "storage.bin").write_bytes(data.replace(b"signed", b"Signed"))
        bad = ["unsigned.bin", "foreign.bin", "changed.bin", "storage.bin", "foreign/storage.bin", "changed/storage.bin"]
        console = self.run_device("--new", "--expect", "2.0.0,VALID", server=self.serve(),
                                  ask_for=bad + ["good/storage.bin", "parts_ota.bin"])
        before, _, behind = console.partition("the update is in place")
        self.assertEqual(before.count("no update: "), len(bad), console)
        self.assertNotIn("no update: ", behind)
        self.assertIn("storage: signed data", behind)
        self.assertEqual(self.flash()[STORAGE:STORAGE + len(data)], data)


if __name__ == "__main__":
    unittest.main()
