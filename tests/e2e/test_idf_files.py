"""Files below a path: those that partitions were flashed with, those that an app writes, and an app's own file system."""
# SPDX-License-Identifier: Apache-2.0

import shutil
import unittest

from device import in_full
from idf_project import FEW_TASKS, FolderTest, otter

WWW = 0x210000  # where the partition is that is flashed with files

# What each boot says, whose number follows "boot ".
SAID = (
    "/www: the files of partition www stand in for SPIFFS, in ", "spiffs 0x0 twice 0x103\n",
    "/www/index.html: <html>a page</html>\n", "/www/css/a.css: body {{}}\n",
    "/www/none: no file, 1\n", "/www/../escape: no file, 1\n", "C++ <html>a page</html>\n", "/www: {names} names\n",
    "/www/log/boots: boot {boot}\n", "spiffs folder -1\n", "spiffs 0x0 65536, some 1\n",
    "partition nvs holds no files", "spiffs none 0x105, nvs 0xffffffff\n",
    "/fat/BOOTS.TXT: boot {boot}\n", "fat folder 0\n", "fat rename 0 across -1\n", "fat back 0 folder gone 0\n",
    "fat end 0x0 twice 0x103\n", "fat ro 0x0 1 -1\n",
    "littlefs 0x0\n", "/little/boots: boot 1\n", "littlefs 0 2 bytes 0 -1\n", "littlefs formatted 0x0\n",
    "own 0x102 0x106 0x0 twice 0x103\n", "own file 7 closed\n", "own read 9 in memory, seek -1 stat -1 1\n",
    "own file 7 closed\n", "own other -1 1\n", "own gone 0x0 twice 0x103\n", "all are asked\n",
)


class Files(FolderTest):
    source = "files"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.project.build()

    def check(self, boot, *options):
        """Boots. @return what it said"""
        done = otter("run", self.project.out, "--until", "all are asked", "--max-seconds", "60", *options)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.check_lines([line.format(boot=boot, names=2 if boot == 1 else 3) for line in SAID], done.stdout)
        return done.stdout

    def test_files_stay_as_long_as_their_flash(self):
        self.assertIn("fat 0xffffffff, then 0x0\n", self.check(1, "--new"))
        self.assertNotIn("then", self.check(2))
        with self.subTest("a folder that is gone begins anew"):
            shutil.rmtree(self.project.out / "flash" / "flash.bin.files")
            self.assertIn("begins anew with those that it was flashed with", self.check(1))
        self.check(2)
        with self.subTest("what is flashed again has its own files again"):
            console = self.check_flashed_again()
            self.assertIn("/fat/BOOTS.TXT: boot 3\n", console)
        with self.subTest("erased flash has none"):
            self.assertIn("fat 0xffffffff, then 0x0\n", self.check(1, "--new"))

    def check_flashed_again(self):
        done = otter("run", self.project.out, "--flash", "--until", "all are asked", "--max-seconds", "60")
        self.check_lines(("/www: 2 names\n", "/www/log/boots: boot 1\n"), done.stdout)
        return done.stdout

    def test_image_is_the_same_for_the_same_files(self):
        image = self.project.out / "www.bin"
        before = image.read_bytes()
        self.assertEqual(before[:16], b"otter files 1\0\0\0")
        image.unlink()
        self.project.build()
        self.assertEqual(image.read_bytes(), before)

    def test_damaged_image_is_not_mounted(self):
        flash = self.project.out / "flash" / "flash.bin"
        self.check(1, "--new")
        content = bytearray(flash.read_bytes())
        begin = content.index(b"otter files 1", WWW)
        at = content.index(b"index.html", begin)
        for name, place, value in (("a length beyond the image", at - 4, b"\xff\xff"),
                                   ("a name that leads out", at, b"../../html"), ("an empty name", at - 8, bytes(4))):
            with self.subTest(name):
                spoilt = bytearray(content)
                spoilt[place:place + len(value)] = value
                spoilt[begin + 32:begin + 48] = b"\xff" * 16
                flash.write_bytes(spoilt)
                done = otter("run", flash, "--until", "all are asked", "--max-seconds", "60")
                self.check_lines(("partition www: its image is damaged", "spiffs 0xffffffff"), done.stdout)
                self.assertFalse((self.project.out / "html").exists())

    @in_full
    def test_so_they_do_under_the_sanitizers(self):
        for sanitizer in FEW_TASKS:
            with self.subTest(sanitizer):
                self.project.build("--sanitize", sanitizer)
                self.check(1, "--new")


if __name__ == "__main__":
    unittest.main()
