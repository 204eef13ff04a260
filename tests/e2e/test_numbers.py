"""Numbers on the command line: what is no plain number is refused, so that a slip is not taken for another number."""
# SPDX-License-Identifier: Apache-2.0

import unittest

from elf_files import RISCV, make_elf
from files_case import CSV, IMAGE, FilesTest, otter


class Numbers(FilesTest):
    def test_only_plain_numbers_are_numbers(self):
        serve = ("serve", ".", "--cert", "c", "--key", "k")
        update = ("update", self.flash, "https://a/", "--system-ca")
        new = ("flash", "new", "f", "--table", CSV)
        elf = self.folder / "app.elf"
        elf.write_bytes(make_elf(RISCV, [(".iram", 0x40380000, b"code")]))
        build = ("image", "build", "--elf", elf, "--chip", "esp32c3", "-o", "-")
        rows = [("run", self.flash, "--boots"), ("run", self.flash, "--watchdog"), ("run", self.flash, "--cut-after"),
                ("run", self.flash, "--table-offset"), (*update, "--timeout"), (*update, "--retries"), (*update, "--retry-delay"),
                (*update, "--range"), (*update, "--chip-rev"), (*update, "--max-seconds"),
                (*update, "--blk-rev"), (*update, "--table-offset"),
                (*serve, "--port"), (*serve, "--rate"), (*serve, "--timeout"),
                (*serve, "--max-seconds"), (*new, "--size"), (*new, "--offset"), (*new, "--chip-rev"),
                ("flash", "info", self.flash, "--table-offset"), ("flash", "read", self.flash, "nvs", "--offset"),
                ("table", "show", CSV, "--offset"), ("table", "show", CSV, "--flash-size"),
                ("table", "show", CSV, "--primary-bootloader-offset"), ("table", "show", CSV, "--recovery-bootloader-offset"),
                (*build, "--secure-version"), (*build, "--min-rev"), (*build, "--max-rev"), (*build, "--flash-size"),
                (*build, "--flash-freq"), ("image", "verify", IMAGE, "--chip-rev")]
        for row in rows:
            for text in "", " 5", "5 ", "010", "+3", "-1", "0x", "1_0", "4096x", "3. 1", "3.+1", "1e3", "9" * 30:
                with self.subTest(option=row[-1], text=text):
                    run = otter(*row, text)
                    self.assertEqual(run.returncode, 2, run)


if __name__ == "__main__":
    unittest.main()
