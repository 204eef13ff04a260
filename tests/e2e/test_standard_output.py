"""What the commands say: all of it or an error, and never what a label in flash would do to a terminal."""
# SPDX-License-Identifier: Apache-2.0

import contextlib
import hashlib
import os
import pathlib
import pty
import re
import unittest

from device import VALID, DeviceTest
from files_case import CSV, IMAGE, FilesTest, otter


class StandardOutput(FilesTest):
    ROWS = [
        ("--help",), ("--version",), ("image", "--help"), ("run", "--help"), ("update", "--help"), ("serve", "--help"),
        ("table", "show", CSV), ("table", "show", CSV, "--json"), ("table", "show", CSV, "--csv"),
        ("table", "build", CSV, "-o", "-"),
        ("image", "info", IMAGE), ("image", "info", IMAGE, "--json"), ("image", "verify", IMAGE),
        ("flash", "info", "FLASH"), ("flash", "info", "FLASH", "--json"), ("flash", "read", "FLASH", "nvs"),
    ]

    def rows(self):
        for row in self.ROWS:
            with self.subTest(row):
                yield [self.flash if arg == "FLASH" else arg for arg in row]

    def test_what_could_not_be_said_is_a_failure(self):
        with open("/dev/full", "wb") as full:
            for row in self.rows():
                self.fails(otter(*row, stdout=full), "No space left on device")

    def test_a_program_without_standard_output_writes_into_no_other_file(self):
        before = self.flash.read_bytes()
        for row in self.rows():
            self.fails(otter(*row, stdout=None, preexec_fn=lambda: os.close(1)), "Bad file descriptor")
        self.assertEqual(otter("flash", "erase", self.flash, "nvs", stdout=None, preexec_fn=lambda: os.close(1)).returncode, 0)
        self.assertEqual(self.flash.read_bytes(), before)


class Console(DeviceTest):
    EVIL = b"\x1b[2J\xc2\x9b31m\x9b"

    def put_evil_labels(self):
        self.make_flash({"factory": self.probe(version="\x1b[31m1")}, otadata=[(1, VALID)])
        flash = bytearray(pathlib.Path(self.flash).read_bytes())
        at = 0x8000
        while flash[at:at + 2] == b"\xaa\x50":
            if flash[at + 2] == 0:  # of type app
                flash[at + 12:at + 12 + len(self.EVIL)] = self.EVIL
            at += 32
        flash[at + 16:at + 32] = hashlib.md5(flash[0x8000:at]).digest()
        pathlib.Path(self.flash).write_bytes(flash)

    def check_text(self, output):
        """`output` without the app's own lines."""
        text = b"".join(line for line in output.splitlines(keepends=True) if b" probe: " not in line).decode()
        self.assertIn("\ufffd[2J\ufffd31m", text)
        self.assertEqual([c for c in text if c < " " and c not in "\t\n" or "\x7f" <= c <= "\x9f"], [])

    def test_labels_cannot_steer_the_terminal(self):
        self.put_evil_labels()
        for args in ("flash", "info", self.flash), ("flash", "info", self.flash, "--json"), ("run", "--boots", "1", self.flash), \
                ("run", "--boots", "1", "--cut-list", self.flash), ("run", "--cut-after", "1", self.flash), \
                ("flash", "read", self.flash, "none"), ("table", "show", self.flash, "--no-verify"):
            with self.subTest(args):
                run = otter(*args)
                self.check_text(run.stdout + run.stderr)

    def test_the_colours_of_the_log_stay(self):
        self.put_evil_labels()
        master, slave = pty.openpty()
        env = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
        run = otter("run", "--boots", "1", self.flash, stdout=slave, env=env)
        os.close(slave)
        output = b""
        with contextlib.suppress(OSError):  # EIO: the other end is closed and all is read
            while data := os.read(master, 4096):
                output += data
        os.close(master)
        self.assertEqual(run.returncode, 0, run.stderr)
        plain, count = re.subn(rb"(?m)^\x1b\[0;3[123]m([IWE] \(.*)\x1b\[0m\r$", rb"\1", output)
        self.assertGreater(count, 5)
        self.check_text(plain.replace(b"\r\n", b"\n"))


if __name__ == "__main__":
    unittest.main()
