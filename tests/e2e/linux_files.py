"""A flash with two slots for payloads, and what `otter` says of it, for tests of a Linux device's life."""
# SPDX-License-Identifier: Apache-2.0

import json
import pathlib
import shutil
import struct
import subprocess
import tempfile
import unittest

from device import OTTER, TIMEOUT_S, otadata_entry

TABLE = """
otadata, data, ota,   0x10000,  0x2000
ota_0,   app,  ota_0, 0x20000,  1M
ota_1,   app,  ota_1, 0x120000, 1M
"""
OTADATA, SLOTS = 0x10000, {"ota_0": 0x20000, "ota_1": 0x120000}
SIZE = 0x400000


def otter(*args, **more):
    return subprocess.run([OTTER, *map(str, args)], capture_output=True, text=True, timeout=TIMEOUT_S, check=False, **more)


class LinuxTest(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="otter-linux-"))
        self.addCleanup(shutil.rmtree, self.folder)
        self.table = self.folder / "table.csv"
        self.table.write_text(TABLE, encoding="ascii")
        self.flash = self.folder / "flash.bin"

    def payload(self, version):
        return f"root file system of {version}\n".encode() * 1000

    def image(self, version, *options, project="gateway"):
        path = self.folder / "image.bin"
        (self.folder / "payload").write_bytes(self.payload(version))
        self.must("image", "build", "--payload", self.folder / "payload", "--project", project, "--version", version, "-o", path,
                  *options)
        return path.read_bytes()

    def must(self, *args):
        done = otter(*args)
        self.assertEqual((done.returncode, done.stderr), (0, ""), args)
        return done.stdout

    def fails(self, done, *says, status=1):
        self.assertEqual((done.returncode, done.stderr.count("\n")), (status, 1), done.stderr)
        for text in says:
            self.assertIn(text, done.stderr)

    def json(self, *args, status=0):
        done = otter(*args, "--json")
        self.assertEqual(done.returncode, status, done.stderr)
        return json.loads(done.stdout)

    def write_at(self, offset, data):
        with open(self.flash, "r+b") as flash:
            flash.seek(offset)
            flash.write(data)

    def make(self, images, records=()):
        """A flash file with these images ({slot: bytes}) and up to two records (seq, state)."""
        first = self.folder / "first.bin"
        first.write_bytes(self.image("0.0.0"))
        for old in self.folder.glob("flash.bin*"):
            old.unlink()
        self.must("flash", "new", self.flash, "--size", "4MB", "--table", self.table, "--chip", "device")
        for slot, image in images.items():
            self.write_at(SLOTS[slot], image)
        for copy, record in enumerate(records):
            if record is not None:
                self.write_at(OTADATA + copy * 0x1000, otadata_entry(*record))

    def records(self):
        """(seq, state) of both copies of otadata; None for an erased one."""
        with open(self.flash, "rb") as flash:
            flash.seek(OTADATA)
            raw = flash.read(0x2000)
        found = [struct.unpack_from("<I20xI", raw, copy * 0x1000) for copy in range(2)]
        return [None if seq == 0xFFFFFFFF else (seq, state) for seq, state in found]
