"""What the commands say: all of it or an error."""

import os
import unittest

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


if __name__ == "__main__":
    unittest.main()
