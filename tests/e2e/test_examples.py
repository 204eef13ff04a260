"""The examples as a user runs them: simple_ota's one call, advanced_https_ota's refusals and its progress bar."""
# SPDX-License-Identifier: Apache-2.0

import os
import pty
import re
import select
import subprocess
import time
import unittest

from device import ABORTED, INVALID, NEW, PENDING_VERIFY
from example_case import OTTER, TIMEOUT_S, ExampleCase
from otter_serve import OtterServe
from servers import make_self_signed


class Examples(ExampleCase):
    def test_simple_ota_updates_in_one_call(self):
        self.offer("simple_ota-1.1.0")
        flash = self.make_device("simple_ota-1.0.0")
        with OtterServe(self.www, self.cert) as server:
            console = self.run_device(flash, server.url("firmware.bin"))
        self.assertRegex(console, r"(?s)This is version 1\.0\.0 in factory.*OTA Succeed, Rebooting\.\.\."
                                  r".*This is version 1\.1\.0 in ota_0")
        console = self.run_device(flash, "https://127.0.0.1:1/nobody")  # confirmed: it stays without a server, too
        self.assertIn("This is version 1.1.0 in ota_0", console)
        self.assertIn("Firmware upgrade failed", console)

    def test_simple_ota_without_trust_stays(self):
        self.offer("simple_ota-1.1.0")
        flash = self.make_device("simple_ota-1.0.0")
        before = flash.read_bytes()
        other = make_self_signed(self.folder)
        with OtterServe(self.www, self.cert) as server:
            console = self.run_device(flash, server.url("firmware.bin"), ca=other.cert)
        self.assertIn("Firmware upgrade failed", console)
        self.assertEqual(flash.read_bytes(), before)

    def watch(self, flash, url, until):
        """Runs the device on a terminal until its output matches; returns the output."""
        master, slave = pty.openpty()
        process = subprocess.Popen([OTTER, "run", flash], env=self.environment(url), stdin=slave, stdout=slave,
                                   stderr=slave)
        os.close(slave)
        out = b""
        deadline = time.monotonic() + TIMEOUT_S
        try:
            while not re.search(until, out):
                ready, _, _ = select.select([master], [], [], max(0, deadline - time.monotonic()))
                self.assertTrue(ready, out.decode(errors="replace"))
                out += os.read(master, 65536)
        except OSError:  # the terminal's other end is closed: the device has ended
            self.fail(out.decode(errors="replace"))
        finally:
            process.terminate()
            process.wait(timeout=TIMEOUT_S)
            os.close(master)
        return out

    def test_advanced_draws_a_bar_on_a_terminal(self):
        self.offer("advanced_https_ota-2.0.0")
        flash = self.make_device("advanced_https_ota-1.0.0")
        size = self.image("advanced_https_ota-2.0.0").stat().st_size
        with OtterServe(self.www, self.cert, "--rate", str(size * 2)) as server:
            out = self.watch(flash, server.url("firmware.bin"), rb"App is valid, rollback cancelled")
        self.assertIsNotNone(re.search(rb"\[=+ +\] +\d+ %  \d+ KiB  \d+ KiB/s\r", out), out)
        self.assertIn(b"[========================================] 100 %", out)
        self.assertIn(b"\x1b[0;32mI (", out)  # and the log is coloured

    def test_advanced_says_when_nothing_is_new(self):
        self.offer("advanced_https_ota-1.0.0")
        flash = self.make_device("advanced_https_ota-1.0.0")
        with OtterServe(self.www, self.cert) as server:
            out = self.watch(flash, server.url("firmware.bin"), rb"(?s)same as a new.*same as a new")
        self.assertIn(b"We will not continue the update.", out)
        self.assertEqual(out.count(b"app_start: App version"), 1)

    def install(self, version):
        """A device with 1.0.0 that has installed `version` and is switched off before its trial."""
        self.offer(f"advanced_https_ota-{version}")
        flash = self.make_device("advanced_https_ota-1.0.0")
        with OtterServe(self.www, self.cert) as server:
            self.run_device(flash, server.url("firmware.bin"), "--boots", "1")
        self.assertEqual(self.state(flash), NEW)
        return flash

    def state(self, flash):
        with open(flash, "rb") as file:
            file.seek(0xD000 + 24)
            return int.from_bytes(file.read(4), "little")

    def set_state(self, flash, state):
        """Of the only record; its checksum does not cover it."""
        with open(flash, "r+b") as file:
            file.seek(0xD000 + 24)
            file.write(state.to_bytes(4, "little"))

    def test_advanced_gives_a_version_whose_trial_lost_power_another_one(self):
        flash = self.install("2.0.0")
        self.set_state(flash, PENDING_VERIFY)  # it has started, and power has gone
        with OtterServe(self.www, self.cert) as server:
            console = self.run_device(flash, server.url("firmware.bin"), "--until", "rollback cancelled successfully",
                                      "--max-seconds", str(TIMEOUT_S), "--expect", "2.0.0,VALID")
        self.assertRegex(console, r"(?s)This is version 1\.0\.0, running from factory, reset reason 1\b.*"
                                  r"The trial of version 2\.0\.0 did not come to an end, and the power was lost.*"
                                  r"This is version 2\.0\.0, running from ota_0")

    def test_advanced_tries_a_version_that_crashes_once_each_time_it_is_switched_on(self):
        flash = self.install("3.0.0")
        for loss in (False, True):
            with OtterServe(self.www, self.cert) as server:
                console = self.run_device(flash, server.url("firmware.bin"), "--expect", "1.0.0,VALID")
            self.assertEqual(console.count("This is version 3.0.0"), 1, console)
            self.assertEqual("another one" in console.split("This is version 3.0.0", 1)[0], loss)
            self.assertIn("3.0.0 failed here and was rolled back", console.split("This is version 3.0.0", 1)[1])
            self.assertEqual(self.state(flash), ABORTED)

    def test_advanced_passes_over_what_has_judged_itself(self):
        flash = self.install("2.0.0")
        self.set_state(flash, INVALID)
        with OtterServe(self.www, self.cert) as server:
            console = self.run_device(flash, server.url("firmware.bin"), "--expect", "1.0.0,VALID")
        self.assertIn("2.0.0 failed here and was rolled back", console)
        self.assertNotIn("This is version 2.0.0", console)

    def test_advanced_survives_a_corrupted_image(self):
        self.offer("advanced_https_ota-2.0.0")
        image = bytearray((self.www / "firmware.bin").read_bytes())
        image[60000] ^= 1
        (self.www / "firmware.bin").write_bytes(image)
        flash = self.make_device("advanced_https_ota-1.0.0")
        with OtterServe(self.www, self.cert) as server:
            out = self.watch(flash, server.url("firmware.bin"), rb"Image validation failed, image is corrupted")
        self.assertNotIn(b"Rebooting", out)


if __name__ == "__main__":
    unittest.main()
