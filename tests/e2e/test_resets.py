"""What a boot knows of the one before: reset reasons, variables in RTC memory, deep and light sleep, brown-out."""
# SPDX-License-Identifier: Apache-2.0

import re
import time
import unittest

from device import PENDING_VERIFY, DeviceTest

POWERON, SW, PANIC, TASK_WDT, DEEPSLEEP, BROWNOUT = 1, 3, 4, 6, 8, 9
UNKNOWN = "a5a5a5a5"  # what a variable without a value has when power comes
TIMER = 4  # ESP_SLEEP_WAKEUP_TIMER


class Resets(DeviceTest):
    def setUp(self):
        super().setUp()
        self.make_flash({"factory": self.probe()})

    def counted(self, console):
        """What the probe's "count" said: (text, RTC_DATA, its constant, RTC_NOINIT, __NOINIT, cause of the wake-up)."""
        return [(text, int(data), int(constant), rtc, ram, int(cause)) for text, data, constant, rtc, ram, cause in re.findall(
            r"rtc (\w+) (\d+) (\d+), noinit (\w+) (\w+), woken by (\d+)", console)]

    def test_rtc_data_is_new_after_all_resets_and_noinit_stays(self):
        first = ("first", 7, 11)
        for end, reason in (("restart", SW), ("abort", PANIC), ("crash", PANIC), ("hang", TASK_WDT)):
            with self.subTest(end):
                _, console, _ = self.run_device("--watchdog", "1", "--boots", "2", script=f"1:count+{end},{reason}:count")
                self.assertEqual(self.counted(console), [(*first, UNKNOWN, UNKNOWN, 0), (*first, "100", "200", 0)], console)

    def test_deep_sleep_is_a_reset_that_rtc_memory_outlives(self):
        begin = time.monotonic()
        status, console, _ = self.run_device("--boots", "3", script="1:count+deep-sleep,8:count+deep-sleep")
        self.assertGreater(time.monotonic() - begin, 0.6)
        self.assertEqual((status, [b[2] for b in self.boots(console)]), (0, [POWERON, DEEPSLEEP, DEEPSLEEP]))
        self.assertEqual(self.counted(console), [("first", 7, 11, UNKNOWN, UNKNOWN, 0), ("again", 8, 11, "100", UNKNOWN, TIMER),
                                                 ("again", 9, 11, "101", UNKNOWN, TIMER)])
        for line in ("hook before sleep", "deep sleep for 0.300 s\n", "rst:0x5 (DEEPSLEEP_RESET)"):
            self.assertIn(line, console)

    def test_a_sleep_can_be_skipped(self):
        status, console, _ = self.run_device("--skip-sleep", script="1:hour,8:idle")
        self.assertEqual((status, [b[2] for b in self.boots(console)]), (0, [POWERON, DEEPSLEEP]))
        self.assertIn("deep sleep for 3600.000 s (skipped)", console)

    def test_a_run_ends_in_a_sleep_when_its_time_is_over(self):
        status, console, _ = self.run_device("--max-seconds", "0.5", script="1:hour")
        self.assertEqual((status, [b[2] for b in self.boots(console)]), (0, [POWERON]))

    def test_a_sleep_that_nothing_ends_ends_the_run(self):
        status, console, _ = self.run_device(script="1:pin")
        self.assertEqual((status, [b[2] for b in self.boots(console)]), (0, [POWERON]))
        self.assertIn("ext0 0, no pin 0x102", console)
        self.assertIn("deep sleep, and nothing is set that ends it here", console)

    def test_light_sleep_is_a_pause(self):
        _, console, _ = self.run_device(script="1:light-sleep")
        self.assertIn("light sleep 0, long enough 1, woken by 4, disabled 0, again 0x103", console)

    def test_an_update_that_sleeps_on_trial_falls_back_with_what_it_left(self):
        self.make_flash({"ota_0": self.probe("1.0.0"), "ota_1": self.probe("2.0.0")}, [(1, 2), (2, 0)])
        status, console, _ = self.run_device("--skip-sleep", script="1:count+deep-sleep,8:count")
        self.assertEqual((status, self.boots(console)), (0, [("2.0.0", "ota_1", POWERON), ("1.0.0", "ota_0", DEEPSLEEP)]))
        self.assertEqual(self.counted(console)[1][1:], (8, 11, "100", UNKNOWN, TIMER))

    def test_brown_out_resets_the_app_and_the_device_boots_again(self):
        status, console, _ = self.run_device("--brownout-at", "0.5", script="1:count+stay,9:count+idle")
        self.assertEqual((status, [b[2] for b in self.boots(console)]), (0, [POWERON, BROWNOUT]), console)
        self.assertEqual(self.counted(console)[1], ("first", 7, 11, "100", "200", 0))
        self.assertIn("Brownout detector was triggered", console)
        self.assertIn("rst:0xf (RTCWDT_BROWN_OUT_RESET)", console)

    def test_brown_out_tears_what_is_being_written(self):
        status, console, _ = self.run_device("--brownout-at", "0.3", script="1:erase-on,9:idle")
        self.assertEqual((status, [b[2] for b in self.boots(console)]), (0, [POWERON, BROWNOUT]), console)

    def test_an_update_that_browns_out_on_trial_falls_back(self):
        self.make_flash({"ota_0": self.probe("1.0.0"), "ota_1": self.probe("2.0.0")}, [(1, 2), (2, PENDING_VERIFY - 1)])
        status, console, _ = self.run_device("--brownout-at", "0.3", script="1:stay,9:idle")
        self.assertEqual((status, self.boots(console)), (0, [("2.0.0", "ota_1", POWERON), ("1.0.0", "ota_0", BROWNOUT)]))


if __name__ == "__main__":
    unittest.main()
