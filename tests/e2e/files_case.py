"""A folder with an empty device's flash file in it, and the command run on files of that folder."""
# SPDX-License-Identifier: Apache-2.0

import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

OTTER = os.path.join(os.environ["OTTER_BUILD"], "otter")
VECTORS = pathlib.Path(os.environ["OTTER_SOURCE"], "tests", "vectors")
CSV = VECTORS / "ptable" / "csv" / "two_ota.csv"
TABLE = (VECTORS / "ptable" / "bin" / "two_ota_md5.bin").read_bytes()
IMAGE = VECTORS / "image" / "esp32_valid.bin"
LIMIT_S = 30


def otter(*args, **options):
    options.setdefault("stdin", subprocess.DEVNULL)
    options.setdefault("stdout", subprocess.PIPE)
    return subprocess.run([OTTER, *map(str, args)], stderr=subprocess.PIPE, timeout=LIMIT_S, **options)


class FilesTest(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="otter-files-"))
        self.addCleanup(shutil.rmtree, self.folder)
        self.flash = self.folder / "flash.bin"
        self.flash.write_bytes(b"\xff" * 0x8000 + TABLE + b"\xff" * (0x400000 - 0x8000 - len(TABLE)))

    def fails(self, run, text):
        self.assertEqual(run.returncode, 1, run)
        self.assertEqual(run.stderr.count(b"\n"), 1, run.stderr)
        self.assertIn(text, run.stderr.decode())
