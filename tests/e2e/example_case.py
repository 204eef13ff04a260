"""The examples' firmwares on a device with a flash file, in a folder of its own, and what a server needs for them."""
# SPDX-License-Identifier: Apache-2.0

import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

from servers import make_ca, make_cert

BUILD = pathlib.Path(os.environ.get("OTTER_BUILD", "build")).resolve()
SOURCE = pathlib.Path(os.environ.get("OTTER_SOURCE", pathlib.Path(__file__).parents[2])).resolve()
OTTER = str(BUILD / "otter")
TIMEOUT_S = 60


class ExampleCase(unittest.TestCase):
    """Has .www, which a server gives out, and .cert; .image(), .offer(), .make_device(), .run_device()."""

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="otter-examples-"))
        self.addCleanup(shutil.rmtree, self.folder)
        self.ca = make_ca(self.folder)
        self.cert = make_cert(self.folder, ca=self.ca)
        self.www = self.folder / "www"
        self.www.mkdir()

    def image(self, name):
        return BUILD / "examples" / f"{name}.bin"

    def offer(self, name):
        shutil.copy(self.image(name), self.www / "firmware.bin")

    def make_device(self, name):
        large = self.image(name).stat().st_size > 0x100000  # a build with sanitizers
        flash = self.folder / "flash.bin"
        table = SOURCE / "examples" / ("partitions_two_ota_8MB.csv" if large else "partitions_two_ota.csv")
        subprocess.run([OTTER, "flash", "new", flash, "--size", "8MB" if large else "4MB", "--table", table,
                        "--app", f"factory={self.image(name)}"], check=True, timeout=TIMEOUT_S)
        return flash

    def environment(self, url, ca=None):
        return {**os.environ, "OTTER_EXAMPLE_URL": url, "OTTER_EXAMPLE_CA": ca or self.ca.cert,
                "OTTER_EXAMPLE_INTERVAL_MS": "50"}

    def run_device(self, flash, url, *options, ca=None):
        done = subprocess.run([OTTER, "run", flash, *options], env=self.environment(url, ca), capture_output=True,
                              text=True, timeout=TIMEOUT_S, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout
