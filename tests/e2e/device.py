"""Images, flash files and the virtual device for end-to-end tests, written without otter's own builders."""
# SPDX-License-Identifier: Apache-2.0

import os
import pathlib
import select
import shutil
import struct
import subprocess
import tempfile
import unittest
import zlib

from image_files import app_desc, image

BUILD = pathlib.Path(os.environ.get("OTTER_BUILD", "build")).resolve()
SOURCE = pathlib.Path(os.environ.get("OTTER_SOURCE", pathlib.Path(__file__).parents[2])).resolve()
OTTER = str(BUILD / "otter")
LINUX_CHIP = 0xFFFF
OFFSETS = {"nvs": 0x9000, "otadata": 0xD000, "factory": 0x10000, "ota_0": 0x110000, "ota_1": 0x210000}  # two_ota
NEW, PENDING_VERIFY, VALID, INVALID, ABORTED, UNDEFINED = 0, 1, 2, 3, 4, 0xFFFFFFFF
TIMEOUT_S = 60
FULL = bool(os.environ.get("CI")) or os.environ.get("OTTER_LONG") == "1"
# Above a test that takes long and has a shorter one beside it.
in_full = unittest.skipUnless(FULL, "runs in CI and with --long")


def make_image(executable, version="1.0.0", project="probe", chip=LINUX_CHIP, segments=None, secure_version=0):
    """An app image: the descriptor and `executable` (bytes) as its two segments, or the given segments."""
    contents = [app_desc(version, project, secure_version), *([executable] if segments is None else segments)]
    return image(chip, [(0, data + bytes(-len(data) % 4)) for data in contents], entry=0, revisions=(0, 0xFFFF))


def wait_until_ended(pid):
    """Until a process that need be no child of ours is gone, or a zombie. @return False: it is still there"""
    try:
        process = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([process], [], [], TIMEOUT_S)[0])
    finally:
        os.close(process)


def otadata_entry(seq, state):
    raw = struct.pack("<I", seq)
    crc = zlib.crc32(raw, 0xFFFFFFFF)
    return raw + b"\xff" * 20 + struct.pack("<II", state, crc)


class DeviceTest(unittest.TestCase):
    """A folder of its own, a flash file in it, and `otter run` on that."""

    executables = {}  # name of a firmware of the tests: its bytes, stripped; read once

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="otter-device-"))
        self.addCleanup(shutil.rmtree, self.folder)
        self.flash = str(self.folder / "flash.bin")
        table = self.folder / "table.bin"
        subprocess.run([OTTER, "table", "build", SOURCE / "examples" / "partitions_two_ota.csv", "-o", table],
                       check=True, timeout=TIMEOUT_S, stdout=subprocess.DEVNULL)
        self.table = table.read_bytes()

    def firmware(self, name, version="1.0.0", **changes):
        if name not in self.executables:
            stripped = self.folder / name
            subprocess.run(["strip", "-o", stripped, BUILD / "tests" / name], check=True, timeout=TIMEOUT_S)
            self.executables[name] = stripped.read_bytes()
        return make_image(self.executables[name], version, **changes)

    def probe(self, version="1.0.0", **changes):
        return self.firmware("probe", version, **changes)

    def make_flash(self, images, otadata=()):
        """images: {label: bytes}; otadata: up to two (seq, state)."""
        flash = bytearray(b"\xff" * 0x400000)
        flash[0x8000:0x8000 + len(self.table)] = self.table
        for label, image in images.items():
            flash[OFFSETS[label]:OFFSETS[label] + len(image)] = image
        for copy, (seq, state) in enumerate(otadata):
            at = OFFSETS["otadata"] + copy * 0x1000
            flash[at:at + 32] = otadata_entry(seq, state)
        pathlib.Path(self.flash).write_bytes(flash)

    def states(self):
        """(seq, state) of both otadata copies; None for an erased one."""
        flash = pathlib.Path(self.flash).read_bytes()
        found = []
        for copy in range(2):
            seq, state = struct.unpack_from("<I20xI", flash, OFFSETS["otadata"] + copy * 0x1000)
            found.append(None if seq == 0xFFFFFFFF else (seq, state))
        return found

    def environment(self, script, **extra):
        return {**os.environ, "PROBE": script, **extra}

    def run_device(self, *options, script="", **extra):
        """Runs the device to its end. Returns (exit status, console, standard error)."""
        done = subprocess.run([OTTER, "run", self.flash, *options], env=self.environment(script, **extra),
                              capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
        return done.returncode, done.stdout, done.stderr

    def boots(self, console):
        """What the probe said at each boot: (version, partition, reset reason)."""
        found = []
        for line in console.splitlines():
            if "probe: version " in line:
                words = line.split("version ", 1)[1].replace(",", "").split()
                found.append((words[0], words[2], int(words[-1])))
        return found
