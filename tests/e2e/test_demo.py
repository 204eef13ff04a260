"""The demo tells its story: 1.0.0 takes 2.0.0 and confirms it, 3.0.0 crashes on trial, the device falls back."""
# SPDX-License-Identifier: Apache-2.0

import os
import pathlib
import re
import subprocess
import tempfile
import time
import unittest

from device import BUILD, SOURCE, in_full

STORY = (
    r"This is version 1\.0\.0, running from factory, reset reason 1",
    r"Running firmware version: 1\.0\.0, on offer: 2\.0\.0",
    r"progress: 100 %",
    r"ESP_HTTPS_OTA upgrade successful\. Rebooting",
    r"rst:0xc \(SW_CPU_RESET\)",
    r"Loaded app from partition at offset 0x[12]10000",
    r"This is version 2\.0\.0, running from ota_0, reset reason 3",
    r"Self-test passed",
    r"App is valid, rollback cancelled successfully",
    r"Running firmware version: 2\.0\.0, on offer: 3\.0\.0",
    r"progress: 100 %",
    r"Loaded app from partition at offset 0x[24]10000",
    r"This is version 3\.0\.0, running from ota_1, reset reason 3",
    r"this version has a bug",
    r"Guru Meditation Error: .*abort\(\) was called",
    r"Loaded app from partition at offset 0x[12]10000",
    r"This is version 2\.0\.0, running from ota_0, reset reason 4",
    r"3\.0\.0 failed here and was rolled back",
    r"What is in the flash now",
)

# What comes before the update to 2.0.0, where only the owner's images are taken.
REFUSALS = (
    r"the owner's key",
    r"This is version 1\.0\.0, running from factory",
    r"on offer: 2\.0\.0",
    r"ota_0: the image is not signed",
    r"on offer: 2\.0\.0",
    r"ota_0: signature block 0: its key [0-9a-f]{16}\.\.\. is not trusted",
    r"on offer: 3\.0\.0",
    r"ota_0: signature block 0: it is of other bytes",
)


class Demo(unittest.TestCase):
    def test_the_story(self):
        self.check_story(STORY)

    @in_full
    def test_the_story_of_a_device_that_takes_signed_images_only(self):
        self.check_story(REFUSALS + STORY[1:], "--signed")

    def test_the_story_of_a_fleet(self):
        with tempfile.TemporaryDirectory(prefix="otter-test-demo-") as folder:
            demo = SOURCE / "examples" / "fleet_demo.sh"
            done = subprocess.run([demo, BUILD, folder], capture_output=True, text=True, timeout=60, check=False)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            self.assertIn("</svg>", (pathlib.Path(folder) / "fleet.svg").read_text(encoding="utf-8"))
        for line in (r"2\.0\.0: done", r"3\.0\.0: stopped by itself: \d+ of 20 devices", "At the end all 200 devices run 2.0.0"):
            self.assertRegex(done.stdout, line)

    def check_story(self, story, *options):
        with tempfile.TemporaryDirectory(prefix="otter-test-demo-") as temp:
            began = time.monotonic()
            done = subprocess.run([SOURCE / "examples" / "demo.sh", BUILD, *options], capture_output=True, text=True, timeout=150,
                                  check=False, env={**os.environ, "TMPDIR": temp})
            took = time.monotonic() - began
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            rest = done.stdout
            for line in story:
                found = re.search(line, rest)
                self.assertIsNotNone(found, f"{line!r} is missing or out of order in\n{done.stdout}\n{done.stderr}")
                rest = rest[found.end():]
            self.assertLess(took, 60, "the demo is to be over in a minute")
            self.assertEqual(os.listdir(temp), [], "the demo cleans up")

    def run_with_stub(self, name, script):
        """Runs the demo with one program replaced by a shell script: otter, or one found in PATH."""
        with tempfile.TemporaryDirectory(prefix="otter-test-demo-") as temp:
            stubs = pathlib.Path(temp) / "stubs"
            stubs.mkdir()
            (stubs / name).write_text(f"#!/bin/sh\n{script}\n")
            (stubs / name).chmod(0o755)
            if not (stubs / "otter").exists():
                (stubs / "otter").symlink_to(BUILD / "otter")
            (stubs / "examples").symlink_to(BUILD / "examples")
            return subprocess.run([SOURCE / "examples" / "demo.sh", stubs], capture_output=True, text=True, timeout=150,
                                  check=False, env={**os.environ, "PATH": f"{stubs}:{os.environ['PATH']}"})

    def test_another_end_of_the_story_is_a_failure(self):
        done = self.run_with_stub("otter", f'[ "$1" = run ] || exec "{BUILD}/otter" "$@"')
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertIn("demo: ", done.stderr)

    def test_a_device_that_fails_is_a_failure(self):
        done = self.run_with_stub("otter", f'[ "$1" = run ] && exit 1; exec "{BUILD}/otter" "$@"')
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertIn("the device ended with status 1", done.stderr)

    def test_an_option_that_is_not_there_is_named(self):
        done = subprocess.run([SOURCE / "examples" / "demo.sh", BUILD, "--signd"], capture_output=True, text=True, timeout=30,
                              check=False)
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertIn("--signd", done.stderr)

    def test_without_certificates_it_says_why(self):
        done = self.run_with_stub("openssl", "echo no entropy today >&2; exit 1")
        self.assertEqual(done.returncode, 1)
        self.assertIn("no entropy today", done.stderr)
        self.assertIn("openssl could not make certificates", done.stderr)


if __name__ == "__main__":
    unittest.main()
