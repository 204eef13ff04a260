"""The run protocol is public: a program of C and otter/run_protocol.h alone boots, restarts, crashes and is cut."""
# SPDX-License-Identifier: Apache-2.0
import os
import pathlib
import re
import shutil
import struct
import subprocess
import tempfile
import unittest

SOURCE = pathlib.Path(os.environ.get("OTTER_SOURCE", pathlib.Path(__file__).resolve().parents[2]))
BUILD = pathlib.Path(os.environ.get("OTTER_BUILD", SOURCE / "build")).resolve()
OTTER = BUILD / "otter"
CC = os.environ.get("CC") or "gcc"
SECTOR = 4096
COUNTER = 0x9000


def run(*words, **more):
    return subprocess.run([*map(str, words)], text=True, capture_output=True, timeout=60, stdin=subprocess.DEVNULL, check=False,
                          **more)


class Foreign(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.dir = pathlib.Path(tempfile.mkdtemp(prefix="otter-foreign-"))
        cls.addClassCleanup(shutil.rmtree, cls.dir)
        (cls.dir / "include/otter").mkdir(parents=True)
        shutil.copy(SOURCE / "include/otter/run_protocol.h", cls.dir / "include/otter")  # and nothing else of otter
        cls.program, cls.image = cls.dir / "program", cls.dir / "program.bin"
        for words in ((CC, "-std=c11", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror", "-I", cls.dir / "include", "-o",
                       cls.program, SOURCE / "examples/run_protocol/main.c"),
                      (OTTER, "image", "build", "--elf", cls.program, "--chip", "linux", "--project", "foreign", "--version",
                       "1.0.0", "-o", cls.image)):
            done = run(*words)
            if done.returncode:
                raise AssertionError(done.stderr)

    def setUp(self):
        self.flash = self.dir / f"{self._testMethodName}.bin"
        done = run(OTTER, "flash", "new", self.flash, "--size", "4MB", "--table", SOURCE / "examples/partitions_two_ota.csv",
                   "--app", f"factory={self.image}")
        self.assertEqual(0, done.returncode, done.stderr)

    def sector(self):
        return self.flash.read_bytes()[COUNTER:COUNTER + SECTOR]

    def test_it_restarts_crashes_and_ends(self):
        done = run(OTTER, "run", self.flash, "--cut-list")
        self.assertEqual(0, done.returncode, done.stderr)
        boots = re.findall(r"boot (\d+) of the app .* reset reason (\d+)", done.stdout)
        self.assertEqual([("1", "1"), ("2", "3"), ("3", "4")], boots)
        self.assertEqual(["erase", "program"] * 3, re.findall(r"app 1.0.0 +(\w+) of nvs", done.stdout))
        self.assertEqual(3, struct.unpack_from("<I", self.sector())[0])

    def test_power_is_cut_in_an_erase_and_in_a_program(self):
        for number, left in ((1, b"\xff" * SECTOR), (2, b"\x01\0" + b"\xff" * (SECTOR - 2))):
            done = run(OTTER, "run", self.flash, "--cut-after", number)
            self.assertIn(f"power was cut in the app, in flash operation {number}:", done.stdout)
            self.assertEqual(left, self.sector())

    def test_half_of_a_sector_is_left_by_a_cut_erase(self):
        with open(self.flash, "r+b") as file:
            file.seek(COUNTER)
            file.write(bytes(SECTOR))
        run(OTTER, "run", self.flash, "--cut-after", "1")
        self.assertEqual(b"\xff" * (SECTOR // 2) + bytes(SECTOR // 2), self.sector())

    def test_without_a_runner_it_says_so(self):
        done = run(self.program)
        self.assertNotEqual(0, done.returncode)
        self.assertIn("otter run", done.stderr)


if __name__ == "__main__":
    unittest.main()
