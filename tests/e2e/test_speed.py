"""A device as slow as a chip: --flash-speed and --link of otter run."""
# SPDX-License-Identifier: Apache-2.0

import re
import subprocess
import unittest

from device import DeviceTest
from example_case import OTTER, TIMEOUT_S, ExampleCase
from otter_serve import OtterServe


class Fast(DeviceTest):
    """The clock runs ahead over what all tasks wait for."""

    def setUp(self):
        super().setUp()
        self.make_flash({"factory": self.probe()})

    def test_a_day_passes(self):
        status, console, _ = self.run_device("--fast", script="1:day+idle")
        self.assertEqual(status, 0, console)
        self.assertRegex(console, r"a day: 864\d\d s, 1440 minutes")

    def test_a_deep_sleep_takes_no_time(self):
        status, console, _ = self.run_device("--fast", script="1:hour,8:idle")
        self.assertEqual((status, [b[2] for b in self.boots(console)]), (0, [1, 8]))

    def test_the_watchdog_goes_by_this_clock(self):
        """One who subscribed and waits, for ever or a day, is found; not who resets it, nor who did not ask for it."""
        for script, told in (("1:subscribe+wait", True), ("1:subscribe+day", True), ("1:subscribe+wait-reset+idle", False),
                             ("1:day+idle", False)):
            with self.subTest(script):
                _, console, _ = self.run_device("--fast", "--watchdog", "3000", "--boots", "1", script=script)
                self.assertEqual("esp_task_wdt_reset() not called" in console, told, console)
                self.assertEqual("no sign of life for 3000 s" in console, told, console)

    def test_the_watchdog_sees_that_an_erase_takes_longer(self):
        speed = self.folder / "speed"
        speed.write_text("sector_erase = 100 s\npage_program = 1 ms\n")
        for script, told in (("1:subscribe+erase+idle", True), ("1:erase+idle", False)):
            with self.subTest(script):
                _, console, _ = self.run_device("--fast", "--watchdog", "60", "--flash-speed", str(speed), "--boots", "1",
                                                script=script)
                self.assertEqual("esp_task_wdt_reset() not called" in console, told, console)
                self.assertEqual("probe: erase: ESP_OK" in console, not told, console)


class Speed(ExampleCase):
    def measure(self, *options):
        """An update of simple_ota: (seconds from its start to the restart by the device's clock, console)."""
        self.offer("simple_ota-1.1.0")
        flash = self.make_device("simple_ota-1.0.0")
        with OtterServe(self.www, self.cert) as server:
            console = self.run_device(flash, server.url("firmware.bin"), *options)
        self.assertIn("This is version 1.1.0 in ota_0", console)
        begin, end = (int(re.search(rf"\((\d+)\) simple_ota_example: {text}", console)[1])
                      for text in ("Starting OTA", "OTA Succeed"))
        flash.unlink()
        return (end - begin) / 1000, console

    def test_an_update_takes_as_long_as_its_flash(self):
        speed = self.folder / "speed"
        speed.write_text("sector_erase = 4 ms   # a tenth of what a chip takes\npage_program = 0.05 ms\n")
        size = self.image("simple_ota-1.1.0").stat().st_size
        seconds, _ = self.measure("--flash-speed", speed)
        self.assertGreater(seconds, size / 4096 * (0.004 + 16 * 0.00005))

    def test_an_update_takes_as_long_as_its_link(self):
        size = self.image("simple_ota-1.1.0").stat().st_size
        seconds, _ = self.measure("--link", "8M,10ms,0")
        self.assertGreater(seconds, size / 1e6 + 0.06)  # the bits, and three round trips at least

    def test_an_update_as_slow_as_on_a_device_may_run_ahead(self):
        size = self.image("simple_ota-1.1.0").stat().st_size
        for options in ((), ("--fast",)):
            with self.subTest(options):
                seconds, _ = self.measure("--flash-speed", "NOR", "--link", "4M,20ms,0", *options)
                self.assertGreater(seconds, max(size / 5e5, size / 65536 * 0.15 + size / 256 * 0.0004))

    def test_time_outs_go_by_this_clock(self):
        flash = self.make_device("simple_ota-1.0.0")
        with OtterServe(self.www, self.cert) as server:
            console = self.run_device(flash, server.url("firmware.bin"), "--link", "1M,4s,0", "--fast")  # the client waits 5 s
        self.assertRegex(console, r"E \([5-9]\d\d\d\) simple_ota_example: Firmware upgrade failed")

    def test_what_is_wrong_with_an_option_is_told_in_one_line(self):
        bad = self.folder / "bad"
        bad.write_text("page_program = 0.4 ms\nsector_erase = 45\n")
        for options, told in (
                (("--link", "fast,20ms,0"), "--link wants RATE, bits a second, 1k to 4G, as 1M, not 'fast'"),
                (("--link", "1M,20ms"), "--link wants LOSS, the part of segments that is lost, 0 to 50%, as 1%, too: it is "
                                        "missing"),
                (("--link", "-1M,20ms,0"), "--link wants RATE"),
                (("--flash-speed", "NAND"), "--flash-speed 'NAND' is no preset (NOR, NOR-WORST), and no file to read"),
                (("--flash-speed", bad), "bad: line 2: sector_erase wants a time as 45 ms (1 us to 100 s), not '45'")):
            with self.subTest(options):
                done = subprocess.run([OTTER, "run", "flash.bin", *options], capture_output=True, text=True,
                                      timeout=TIMEOUT_S, check=False)
                self.assertEqual(done.returncode, 2)
                self.assertIn(told, done.stderr)
                self.assertEqual(done.stderr.count("\n"), 2, done.stderr)  # and where to find the usage

    def test_the_presets_of_help_are_taken(self):
        text = subprocess.run([OTTER, "run", "--help"], capture_output=True, text=True, timeout=TIMEOUT_S, check=True).stdout
        self.assertIn("--flash-speed NOR|FILE", text)
        for preset in ("NOR", "nor-worst"):
            done = subprocess.run([OTTER, "run", self.folder / "none.bin", "--flash-speed", preset], capture_output=True,
                                  text=True, timeout=TIMEOUT_S, check=False)
            self.assertEqual(done.returncode, 1, done.stderr)  # there is no such flash


if __name__ == "__main__":
    unittest.main()
