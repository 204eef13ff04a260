"""otter run for scripts: what its exit status tells, what it says of an end, and the power cuts and ends that can be ordered."""
# SPDX-License-Identifier: Apache-2.0

import os
import pathlib
import re
import signal
import subprocess
import time
import unittest

from device import ABORTED, NEW, OFFSETS, OTTER, PENDING_VERIFY, TIMEOUT_S, VALID, DeviceTest

DONE, FAILED, USAGE, OTHERWISE = range(4)


class ScriptTest(DeviceTest):
    def setUp(self):
        super().setUp()
        if len(self.probe()) > 0x100000:
            self.skipTest("this build's firmware is larger than a slot of the two-OTA table")

    def make_update(self, state=NEW):
        """1.0.0 in factory, 2.0.0 in ota_0 with a record."""
        self.make_flash({"factory": self.probe("1.0.0"), "ota_0": self.probe("2.0.0")}, [(1, state)] if state is not None else [])

    def check(self, want, told, *options, script="1:idle", **extra):
        """Runs the device; `told` is looked for on the console or, of a failure, in the one line on standard error."""
        status, console, errors = self.run_device(*options, script=script, **extra)
        self.assertEqual(status, want, console + errors)
        self.assertIn(told, console if want == DONE else errors)
        self.assertEqual(len(errors.splitlines()), 0 if want == DONE else 1, errors)
        return console


class Expectations(ScriptTest):
    def test_the_version_that_ran_last(self):
        self.make_update(state=None)
        self.check(DONE, "", "--expect", "1.0.0")
        self.check(DONE, "", "--expect", "1.0.0,VALID")  # factory needs no record
        self.check(OTHERWISE, "expected version 2.0.0, but version 1.0.0 ran last in factory", "--expect", "2.0.0")
        self.check(OTHERWISE, "expected version 1.0, but version 1.0.0", "--expect", "1.0")
        self.check(OTHERWISE, "expected version 1.0.0, ABORTED, but version 1.0.0 ran last in factory (no record)",
                   "--expect", "1.0.0,ABORTED")

    def test_a_version_of_any_letters(self):
        self.make_flash({"factory": self.probe("1.0-\u00e9t\u00e9")})
        self.check(DONE, "", "--expect", "1.0-\u00e9t\u00e9")
        for other in "1.0-\u00e9t", "1.0-\u00e9t\u00e9s", "1.1-\u00e9t\u00e9":
            self.check(OTHERWISE, "expected version", "--expect", other)

    def test_the_state_of_its_record(self):
        self.make_update()
        self.check(DONE, "confirm: ESP_OK", "--expect", "2.0.0,VALID", script="1:confirm")
        self.check(DONE, "", "--expect", "2.0.0,valid")
        self.check(OTHERWISE, "expected version 2.0.0, PENDING_VERIFY, but version 2.0.0 ran last in ota_0 (VALID)",
                   "--expect", "2.0.0,PENDING_VERIFY")
        self.make_update()
        self.check(OTHERWISE, "(PENDING_VERIFY)", "--expect", "2.0.0,VALID")

    def test_a_trial_without_a_verdict_is_no_good_end(self):
        going_back = "version 2.0.0 in ota_0 is on trial and was not confirmed: the next boot goes back to factory"
        for options in ((), ("--expect", "2.0.0"), ("--until", "Loaded app"), ("--max-seconds", "0.3")):
            with self.subTest(options):
                self.make_update()
                self.check(OTHERWISE, going_back, *options, script="1:stay" if "--max-seconds" in options else "1:idle")
        self.make_update()
        self.check(DONE, going_back, "--expect", "2.0.0,PENDING_VERIFY")
        self.make_update()
        self.check(DONE, going_back, "--cut-after", "5", script="1:write")  # power goes in its trial: that was wanted

    def test_a_trial_that_has_failed_is_over(self):
        self.make_update()
        self.check(DONE, "", "--expect", "1.0.0", script="1:abort")
        self.assertEqual(self.states()[0], (1, ABORTED))

    def test_boots_that_were_all_crashes(self):
        self.make_update(state=None)
        self.check(FAILED, "all 3 boots ended in a crash", "--boots", "3", "--watchdog", "1",
                   script="1:abort,4:still,6:abort")
        self.check(DONE, "", "--boots", "3", script="1:abort,4:restart,3:abort")

    def test_a_time_in_which_it_only_crashed(self):
        self.make_update(state=None)
        self.check(FAILED, "version 1.0.0 in factory crashed 2 times in a row until the time was over", "--max-seconds", "4",
                   script="1:abort,4:crash_once+stay", PROBE_MARK=str(self.folder / "mark"))
        self.check(DONE, "", "--max-seconds", "1", script="1:abort,4:stay")  # once is no habit
        self.make_update()
        self.check(DONE, "", "--max-seconds", "1", script="1:abort,4:stay")  # the trial has failed, as it may

    def test_values_that_are_none(self):
        for options in (["--expect", ""], ["--expect", ",VALID"], ["--expect", "1.0.0,GOOD"], ["--expect", "v" * 33],
                        ["--until", ""], ["--max-seconds", "0"], ["--max-seconds", "1s"], ["--max-seconds", "-1"],
                        ["--cut-at", "1.2345"], ["--cut-at", "."], ["--cut-at", "2", "--cut-after", "3"]):
            with self.subTest(options):
                status, _, errors = self.run_device(*options)
                self.assertEqual(status, USAGE, errors)
                self.assertIn("--help", errors)
        self.assertIn("--max-seconds wants more than 0 to 1000000 seconds, not '1s'", self.run_device("--max-seconds", "1s")[2])


class Loops(ScriptTest):
    LOOP = "1:select+restart,3:abort,4:select+restart"

    def test_an_update_that_comes_again_each_time_ends_the_run(self):
        self.make_update(state=None)
        status, console, errors = self.run_device(script=self.LOOP)
        self.assertEqual(status, FAILED)
        self.assertIn("update loop: version 2.0.0 has failed its trial 3 times", errors)
        self.assertEqual([b[0] for b in self.boots(console)], ["1.0.0", "2.0.0"] * 3)
        self.assertIn("update loop: version 2.0.0 was installed again and has failed its trial 2 times", console)

    def test_with_a_number_of_boots_it_is_told_at_the_end(self):
        self.make_update(state=None)
        status, console, errors = self.run_device("--boots", "9", script=self.LOOP)
        self.assertEqual((status, len(self.boots(console))), (FAILED, 9))
        self.assertIn("update loop: version 2.0.0 was installed again and has failed its trial 4 times", errors)
        self.make_update(state=None)
        status, console, errors = self.run_device("--boots", "3", script=self.LOOP)
        self.assertEqual((status, errors), (DONE, ""), console)  # once is no loop


    def test_a_version_that_is_installed_over_itself_ends_the_run(self):
        again = "1:next+restart,3:confirm+next+restart"
        self.make_flash({label: self.probe("1.0.0") for label in ("ota_0", "ota_1")}, [(1, VALID)])
        status, console, errors = self.run_device(script=again)
        self.assertEqual((status, len(self.boots(console))), (FAILED, 11))
        self.assertIn("update loop: version 1.0.0 was installed over itself 10 times in a row; the app should compare", errors)
        self.assertEqual(console.count("update loop: version 1.0.0 was installed over itself 3 times in a row"), 1)
        self.check(DONE, "", "--boots", "14", "--expect", "1.0.0,VALID", script=again)  # that many were asked for
        self.make_flash({"ota_0": self.probe("1.0.0"), "ota_1": self.probe("2.0.0")}, [(1, VALID)])
        status, console, errors = self.run_device("--max-seconds", "3", script=again)  # there and back is another matter
        self.assertIn(status, (DONE, OTHERWISE), console + errors)  # its time may end in the middle of a trial
        self.assertNotIn("update loop", console + errors)


class Cuts(ScriptTest):
    def test_a_cut_names_its_operation(self):
        self.make_update(state=None)
        for number, what in ((1, "erase of nvs at 0x0"), (2, "program of nvs at 0x0, 4 bytes")):
            console = self.check(DONE, "power was cut in the app, in flash operation "
                                 f"{number}: {what} (boot 1, version 1.0.0)", "--cut-after", str(number), script="1:write")
            self.assertEqual(console.count("power was"), 1)
        self.make_update()
        self.check(DONE, "power was cut in the bootloader, in flash operation 2: erase of otadata at 0x0 (boot 1)",
                   "--cut-after", "2")

    def test_the_list_has_what_can_be_cut(self):
        self.make_update()
        console = self.check(OTHERWISE, "on trial", "--cut-list", script="1:write")
        listed = re.findall(r"^ +(\d+)  boot 1 +(bootloader|app 2\.0\.0) +(.*)$", console, re.MULTILINE)
        self.assertEqual([int(number) for number, _, _ in listed], list(range(1, len(listed) + 1)))
        self.assertIn(f"flash operations, for --cut-after: {len(listed)}\n", console)
        self.assertEqual([what for _, who, what in listed if who == "bootloader"],
                         ["program of otadata at 0x1c, 4 bytes", "erase of otadata at 0x0",
                          "program of otadata at 0x0, 32 bytes"])
        for number, who, what in listed:
            self.make_update()
            console = self.check(DONE, f"in flash operation {number}: {what} (boot 1", "--cut-after", number, script="1:write")
            self.assertIn("power was cut in the " + who.split()[0], console)

    def test_a_cut_that_does_not_come_is_no_success(self):
        self.make_update(state=None)
        self.check(OTHERWISE, "the power was not cut: the run ended after 3 flash operations (--cut-list shows them)",
                   "--cut-after", "4", script="1:write")
        self.check(OTHERWISE, "the power was not cut: the run ended after 0 flash operations", "--cut-at", "30")

    def test_a_cut_at_a_time(self):
        self.make_update(state=None)
        self.check(DONE, "power was cut in the app, before any flash operation (boot 1, version 1.0.0)", "--cut-at", "0.5",
                   script="1:stay")
        console = self.check(DONE, "power was cut in the app, after flash operation 4: erase of nvs at 0x3000",
                             "--cut-at", "0.5", "--cut-list", script="1:erase+stay")
        self.assertIn("flash operations, for --cut-after: 4\n", console)
        nvs = OFFSETS["nvs"]
        self.assertEqual(pathlib.Path(self.flash).read_bytes()[nvs:nvs + 0x4000], b"\xff" * 0x4000)
        self.check(DONE, "power was cut in the app, in flash operation", "--cut-at", "0.5", script="1:erase-on")


class Ends(ScriptTest):
    def test_until_the_console_says_it(self):
        self.make_update(state=None)
        for text in ("Loaded app from partition", "pid ", "the door is ....", ".... open"):
            with self.subTest(text):
                self.check(DONE, text, "--until", text, script="1:say+stay")
        self.check(DONE, "version 1.0.0", "--until", "reset reason 1\n")  # its last words
        self.check(OTHERWISE, "the console has not said 'open the door'", "--until", "open the door", script="1:say")

    def test_until_or_so_many_seconds(self):
        self.make_update(state=None)
        started = time.monotonic()
        self.check(DONE, "stays", "--max-seconds", "0.5", script="1:stay")
        self.check(OTHERWISE, "the console has not said 'ready'", "--max-seconds", "0.5", "--until", "ready", script="1:stay")
        self.check(DONE, "stays", "--max-seconds", "0.5", "--expect", "1.0.0,VALID", script="1:ignore+stay")
        self.assertLess(time.monotonic() - started, TIMEOUT_S / 2)

    def test_what_is_read_slowly_is_read_whole(self):
        self.make_update(state=None)
        process = subprocess.Popen([OTTER, "run", self.flash, "--until", "never"], env=self.environment("1:say"),
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        time.sleep(1)  # the pipe is full meanwhile
        console, errors = process.communicate(timeout=TIMEOUT_S)
        self.assertEqual(process.returncode, OTHERWISE, errors)
        self.assertRegex(console, r"the door is \.{100000} open\n")

    def test_a_console_that_takes_nothing_is_told(self):
        self.make_update(state=None)
        for options in ((), ("--until", "version")):
            with self.subTest(options), open("/dev/full", "wb") as full:
                done = subprocess.run([OTTER, "run", self.flash, *options], env=self.environment("1:idle"), stdout=full,
                                      stderr=subprocess.PIPE, text=True, timeout=TIMEOUT_S, check=False)
                self.assertEqual(done.returncode, FAILED)
                self.assertIn("cannot write to standard output", done.stderr)

    def test_a_reader_that_leaves_ends_it(self):
        self.make_update(state=None)
        process = subprocess.Popen([OTTER, "run", self.flash, "--until", "never"], env=self.environment("1:say+stay"),
                                   stdout=subprocess.PIPE, text=True)
        process.stdout.readline()
        process.stdout.close()
        self.assertEqual(process.wait(TIMEOUT_S), 128 + signal.SIGPIPE)

    def test_signals_go_on_to_end_it(self):
        self.make_update(state=None)
        process = subprocess.Popen([OTTER, "run", self.flash, "--until", "never"], env=self.environment("1:stay"),
                                   stdout=subprocess.PIPE, text=True)
        for line in process.stdout:
            if "stays" in line:
                break
        process.terminate()
        process.communicate(timeout=TIMEOUT_S)
        self.assertEqual(process.returncode, 128 + signal.SIGTERM)


if __name__ == "__main__":
    unittest.main()
