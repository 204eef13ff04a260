"""otter run: boots, resets of every kind and their reasons, rollback, limits, signals, and what a firmware inherits."""
# SPDX-License-Identifier: Apache-2.0

import hashlib
import os
import pathlib
import re
import signal
import subprocess
import unittest

from device import (ABORTED, BUILD, INVALID, NEW, OFFSETS, OTTER, PENDING_VERIFY, SOURCE, TIMEOUT_S, UNDEFINED, VALID, DeviceTest,
                    in_full, make_image, wait_until_ended)

POWERON, SW, PANIC, TASK_WDT = 1, 3, 4, 6


def is_alive(pid):
    """False for a zombie too: it has ended."""
    try:
        stat = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="ascii")
    except OSError:
        return False
    return stat.rsplit(")", 1)[1].split()[0] != "Z"


class Boots(DeviceTest):
    def test_a_firmware_that_ends_ends_the_run(self):
        self.make_flash({"factory": self.probe("1.2.3")})
        status, console, errors = self.run_device(script="1:idle")
        self.assertEqual((status, errors), (0, ""))
        self.assertEqual(self.boots(console), [("1.2.3", "factory", POWERON)])
        self.assertRegex(console, r"^rst:0x1 \(POWERON_RESET\)")
        self.assertRegex(console, r"I \(\d+\) boot: Loaded app from partition at offset 0x10000")

    def test_a_task_that_waits_for_ever_is_idle(self):
        self.make_flash({"factory": self.probe()})
        status, console, _ = self.run_device(script="1:waiter")
        self.assertEqual((status, len(self.boots(console))), (0, 1))

    def test_restart_is_a_software_reset(self):
        self.make_flash({"factory": self.probe()})
        status, console, _ = self.run_device(script="1:restart")
        self.assertEqual(status, 0)
        self.assertEqual([b[2] for b in self.boots(console)], [POWERON, SW])
        self.assertIn("rst:0xc (SW_CPU_RESET)", console)
        self.assertLess(console.index("second shutdown handler"), console.index("first shutdown handler"))

    def test_why_an_update_failed_is_known_after_a_reset(self):
        image = self.firmware("update_probe")
        if len(image) > 0x100000:
            self.skipTest("this build's firmware is larger than a slot of the two-OTA table")
        self.make_flash({"factory": image})
        for end, reason in (("restart", SW), ("abort", 4)):
            with self.subTest(end):
                _, console, _ = self.run_device(script=f"1:report+update+{end},{reason}:report",
                                                PROBE_URL="https://127.0.0.1:1/firmware.bin")
                told = re.findall(r"last update: (.*)", console)
                self.assertEqual(told[0], "ESP_ERR_NOT_FOUND")
                self.assertEqual(told[1], "ESP_ERR_HTTP_CONNECT in stage connect, https://127.0.0.1:1/firmware.bin")

    def test_restart_from_a_task_ends_all_tasks(self):
        self.make_flash({"factory": self.probe()})
        status, console, _ = self.run_device(script="1:restart-task")
        self.assertEqual((status, [b[2] for b in self.boots(console)]), (0, [POWERON, SW]))

    def test_every_crash_is_a_panic_with_its_cause(self):
        causes = {"abort": "abort() was called", "crash": "signal 11", "exit": "exit status 3"}
        if re.search("OTTER_(SANITIZE|TSAN):BOOL=ON", (BUILD / "CMakeCache.txt").read_text(encoding="utf-8")):
            causes.pop("crash")  # the sanitizer turns the signal into its own report and exit status
        self.make_flash({"factory": self.probe()})
        for action, cause in causes.items():
            with self.subTest(action):
                status, console, _ = self.run_device(script=f"1:{action}")
                self.assertEqual((status, [b[2] for b in self.boots(console)]), (0, [POWERON, PANIC]))
                self.assertRegex(console, r"Guru Meditation Error: .*" + re.escape(cause))

    def test_a_hang_is_a_watchdog_reset(self):
        self.make_flash({"factory": self.probe()})
        status, console, _ = self.run_device("--watchdog", "1", script="1:hang")
        self.assertEqual((status, [b[2] for b in self.boots(console)]), (0, [POWERON, TASK_WDT]))
        self.assertIn("task_wdt: Task watchdog got triggered. The following tasks/users did not reset the watchdog in time:\n",
                      console)
        self.assertIn("rst:0x7", console)

    @in_full
    def test_what_is_reset_is_named(self):
        """A task that never blocks, whatever it does; one that has subscribed and only waits, in pieces or for ever."""
        self.make_flash({"factory": self.probe()})
        for script, told in (("1:yield-hang", "never blocked"), ("1:log-hang", "never blocked"),
                             ("1:ask-hang", "never blocked"), ("1:subscribe+wait", "esp_task_wdt_reset() not called"),
                             ("1:subscribe+wait-pieces", "esp_task_wdt_reset() not called")):
            with self.subTest(script):
                status, console, _ = self.run_device("--watchdog", "1", script=script)
                self.assertEqual((status, [b[2] for b in self.boots(console)]), (0, [POWERON, TASK_WDT]))
                self.assertIn(f"task_wdt:  - main ({told})", console)

    def test_a_task_that_is_blocked_is_not_timed(self):
        self.make_flash({"factory": self.probe()})
        for script in ("1:wait-pieces", "1:sleep-long", "1:subscribe+wait-reset", "1:wait"):
            with self.subTest(script):
                status, console, _ = self.run_device("--watchdog", "1", script=script)
                self.assertEqual((status, [b[2] for b in self.boots(console)]), (0, [POWERON]))

    def test_a_task_that_blocks_is_never_timed(self):
        self.make_flash({"factory": self.probe()})
        _, console, _ = self.run_device("--watchdog", "1", "--boots", "1", script="1:block")
        self.assertIn("all of them block, and nobody minds", console)
        self.assertNotIn("task_wdt", console)

    def test_waiting_and_signs_of_life_feed_the_watchdog(self):
        self.make_flash({"factory": self.probe()})
        status, console, _ = self.run_device("--watchdog", "1", script="1:sleep+beat")
        self.assertEqual((status, [b[2] for b in self.boots(console)]), (0, [POWERON]))

    def test_boots_limit(self):
        self.make_flash({"factory": self.probe()})
        status, console, _ = self.run_device("--boots", "3", script="1:restart,3:restart")
        self.assertEqual((status, [b[2] for b in self.boots(console)]), (0, [POWERON, SW, SW]))
        status, console, _ = self.run_device("--boots", "12", script="1:abort,4:abort")
        self.assertEqual((status, len(self.boots(console))), (1, 12))

    def test_the_bootloader_has_a_hash_where_programs_look_for_it(self):
        app, csv = self.folder / "app.bin", SOURCE / "examples" / "partitions_two_ota.csv"
        app.write_bytes(self.probe())
        subprocess.run([OTTER, "flash", "new", self.flash, "--size", "4MB", "--table", csv, "--app", f"factory={app}"],
                       check=True, capture_output=True, timeout=TIMEOUT_S)
        flash = pathlib.Path(self.flash).read_bytes()
        end = 0x1000 + 208
        self.assertEqual(flash[0x1000:0x1002] + flash[end:end + 16], b"\xe9\2" + b"\xff" * 16)
        digest = hashlib.sha256(flash[0x1000:end - 32]).hexdigest()
        self.assertEqual(flash[end - 32:end].hex(), digest)
        _, console, _ = self.run_device(script="1:bootloader")
        self.assertIn(f"SHA-256 for bootloader: {digest} (ESP_OK, at 0x1000)", console)

    def test_nothing_but_crashes_ends_the_run(self):
        self.make_flash({"factory": self.probe()})
        status, console, errors = self.run_device(script="1:abort,4:abort")
        self.assertEqual((status, len(self.boots(console))), (1, 10))
        self.assertIn("crashed 10 times in a row", errors)

    def test_what_was_written_before_a_crash_stays(self):
        self.make_flash({"factory": self.probe()})
        _, console, _ = self.run_device(script="1:write+abort")
        self.assertIn("probe: write: ESP_OK", console)
        self.assertIn("probe: write 0 to 1: ESP_ERR_FLASH_OP_FAIL", console)
        with open(self.flash, "rb") as flash:
            flash.seek(OFFSETS["nvs"])
            self.assertEqual(flash.read(5), b"kept\xff")

    def test_an_erase_that_returned_survives_every_end(self):
        """The file flash remembers it before it writes it, in the process that is gone then."""
        nvs = OFFSETS["nvs"]
        for end, reason in (("abort", PANIC), ("kill", PANIC), ("exit", PANIC), ("quit", PANIC), ("still", TASK_WDT),
                            ("restart", SW), ("idle", 0)):
            with self.subTest(end):
                self.make_flash({"factory": self.probe()})
                with open(self.flash, "r+b") as flash:
                    flash.seek(nvs)
                    flash.write(bytes(0x4000))
                _, console, _ = self.run_device("--watchdog", "1", script=f"1:erase+{end},{reason}:read")
                self.assertIn("probe: erase: ESP_OK, reads ff", console)
                if end != "idle":
                    self.assertIn("probe: read: ESP_OK, ff", console)
                self.assertEqual(pathlib.Path(self.flash).read_bytes()[nvs:nvs + 0x4000], b"\xff" * 0x4000)

    def test_lines_of_tasks_do_not_mix(self):
        self.make_flash({"factory": self.probe()})
        _, console, _ = self.run_device(script="1:talk")
        lines = [line for line in console.splitlines() if "talk" in line]
        self.assertEqual(len(lines), 800)
        for line in lines:
            self.assertRegex(line, r"^I \(\d+\) probe: talk \d \d{3} the quick brown fox jumps over the lazy dog$")


class Rollback(DeviceTest):
    def setUp(self):
        super().setUp()
        if len(self.probe()) > 0x100000:
            self.skipTest("this build's firmware is larger than a slot of the two-OTA table")

    def test_an_unconfirmed_update_falls_back(self):
        self.make_flash({"factory": self.probe("1.0.0"), "ota_0": self.probe("2.0.0")}, [(1, NEW)])
        for script, reason in (("1:restart", SW), ("1:abort", PANIC), ("1:still", TASK_WDT)):
            with self.subTest(script):
                self.make_flash({"factory": self.probe("1.0.0"), "ota_0": self.probe("2.0.0")}, [(1, NEW)])
                status, console, _ = self.run_device("--watchdog", "1", script=script)
                self.assertEqual(status, 0)
                self.assertEqual(self.boots(console), [("2.0.0", "ota_0", POWERON), ("1.0.0", "factory", reason)])
                self.assertEqual(self.states()[0], (1, ABORTED))

    def test_a_power_cut_on_trial_falls_back_too(self):
        self.make_flash({"factory": self.probe("1.0.0"), "ota_0": self.probe("2.0.0")}, [(1, NEW)])
        self.run_device(script="1:idle")
        self.assertEqual(self.states()[0], (1, PENDING_VERIFY))
        _, console, _ = self.run_device(script="1:idle")
        self.assertEqual(self.boots(console), [("1.0.0", "factory", POWERON)])

    def test_a_confirmed_update_stays(self):
        self.make_flash({"factory": self.probe("1.0.0"), "ota_0": self.probe("2.0.0")}, [(1, NEW)])
        _, console, _ = self.run_device(script="1:confirm+restart,3:abort")
        self.assertIn("confirm: ESP_OK", console)
        self.assertEqual([b[:2] for b in self.boots(console)], [("2.0.0", "ota_0")] * 3)
        self.assertIn((1, VALID), [s and (1, s[1]) for s in self.states()])

    def test_a_rejected_update_goes_back_at_once(self):
        self.make_flash({"factory": self.probe("1.0.0"), "ota_0": self.probe("2.0.0")}, [(1, NEW)])
        _, console, _ = self.run_device(script="1:reject")
        self.assertEqual(self.boots(console), [("2.0.0", "ota_0", POWERON), ("1.0.0", "factory", SW)])
        self.assertEqual(self.states()[0], (1, INVALID))

    def test_without_rollback_a_new_image_needs_no_confirmation(self):
        self.make_flash({"factory": self.probe("1.0.0"), "ota_0": self.probe("2.0.0")}, [(1, UNDEFINED)])
        _, console, _ = self.run_device("--no-rollback", script="1:abort")
        self.assertEqual([b[:2] for b in self.boots(console)], [("2.0.0", "ota_0")] * 2)

    def test_anti_rollback_burns_the_efuse_on_confirmation(self):
        images = {"factory": self.probe("1.0.0"), "ota_0": self.probe("2.0.0", secure_version=1),
                  "ota_1": self.probe("3.0.0", secure_version=0)}
        self.make_flash(images, [(1, NEW)])
        _, console, _ = self.run_device("--anti-rollback", script="1:confirm+restart")
        self.assertEqual([b[:2] for b in self.boots(console)], [("2.0.0", "ota_0")] * 2)
        self.assertIn("secure_version=1", pathlib.Path(self.flash + ".efuse").read_text(encoding="ascii"))
        self.make_flash(images, [(1, VALID), (2, NEW)])  # an update to an older secure version
        _, console, _ = self.run_device("--anti-rollback", script="1:idle")
        self.assertEqual([b[:2] for b in self.boots(console)], [("2.0.0", "ota_0")])

    def test_a_broken_image_is_passed_over(self):
        broken = bytearray(self.probe("2.0.0"))
        broken[5000] ^= 1
        self.make_flash({"factory": self.probe("1.0.0"), "ota_0": bytes(broken)}, [(1, VALID)])
        status, console, _ = self.run_device(script="1:idle")
        self.assertEqual((status, self.boots(console)), (0, [("1.0.0", "factory", POWERON)]))
        self.assertRegex(console, r"boot: OTA app partition slot 0 is not bootable\n.*ota_0 partition at offset 0x110000 is "
                                  r"not bootable")


class Refusals(DeviceTest):
    def assert_fails(self, text, *options, status=1):
        got, console, errors = self.run_device(*options)
        self.assertEqual(got, status, console + errors)
        self.assertIn(text, errors)
        self.assertEqual(len(errors.strip().splitlines()), 1 if status == 1 else 2, errors)

    def test_nothing_bootable(self):
        self.make_flash({})
        self.assert_fails("nothing boots")

    def test_a_flash_of_another_chip(self):
        self.make_flash({"factory": self.probe(chip=5)})
        before = pathlib.Path(self.flash).read_bytes()
        self.assert_fails("this flash holds images for ESP32-C3; they run on the chip, not here")
        self.assertEqual(pathlib.Path(self.flash).read_bytes(), before)

    def test_an_image_without_an_executable(self):
        self.make_flash({"factory": make_image(b"", segments=[])})
        self.assert_fails("nothing boots")
        _, console, _ = self.run_device()
        self.assertIn("boot: Factory app partition is not bootable\n", console)
        self.assertIn("factory partition at offset 0x10000 is not bootable: 1 segments", console)

    def test_an_executable_that_is_none(self):
        self.make_flash({"factory": make_image(b"no ELF file at all, but four-byte words")})
        status, console, errors = self.run_device("--boots", "1")
        self.assertEqual(status, 1)
        self.assertIn("the executable in the image cannot be started: Exec format error", errors)
        self.assertIn("Guru Meditation Error", console)

    def test_no_such_flash(self):
        self.assert_fails("No such file or directory")

    def test_a_file_that_is_no_flash(self):
        pathlib.Path(self.flash).write_bytes(b"x" * 5000)
        self.assert_fails("nothing boots")

    def test_a_flash_without_room_for_a_table(self):
        for size in (1, 0x1000, 0x8000):
            pathlib.Path(self.flash).write_bytes(b"\xff" * size)
            with self.subTest(size):
                self.assert_fails("has no room for a partition table at 0x8000")
        self.make_flash({})
        self.assert_fails("a flash of 4194304 bytes has no room for a partition table at 0x400000", "--table-offset", "0x400000")

    def test_wrong_usage(self):
        for options in (["--boots", "0"], ["--boots", "x"], ["--nonsense"], ["--watchdog"], ["another.bin"],
                        ["--anti-rollback", "--no-rollback"], ["--env", "NOVALUE"]):
            with self.subTest(options):
                status, _, errors = self.run_device(*options)
                self.assertEqual(status, 2, errors)
                self.assertIn("--help", errors)

    def test_help(self):
        done = subprocess.run([OTTER, "run", "--help"], capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn("--watchdog SECONDS", done.stdout)

    def test_a_firmware_started_without_the_runner(self):
        done = subprocess.run([BUILD / "tests" / "probe"], capture_output=True, text=True, timeout=TIMEOUT_S,
                              check=False, env={"PATH": os.environ["PATH"]})
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertIn("start it with `otter run`", done.stderr)


class Processes(DeviceTest):
    def start(self, script, *options, **popen):
        """Starts a device whose firmware says its pid. Returns (process, pid of the firmware)."""
        self.make_flash({"factory": self.probe()})
        process = subprocess.Popen([OTTER, "run", self.flash, *options], env=self.environment(script),
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **popen)
        self.addCleanup(self.end, process)
        for line in process.stdout:
            found = re.search(r"pid (\d+) stays", line)
            if found:
                return process, int(found.group(1))
        self.fail("the firmware did not come up: " + process.stderr.read())

    def end(self, process):
        if process.poll() is None:
            process.kill()
        process.communicate(timeout=TIMEOUT_S)

    def assert_ends(self, pid):
        self.assertTrue(wait_until_ended(pid), f"the firmware, pid {pid}, is still there")

    def test_signals_end_firmware_and_runner(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            with self.subTest(number):
                process, pid = self.start("1:stay")
                process.send_signal(number)
                self.assertEqual(process.wait(timeout=TIMEOUT_S), 128 + number)
                self.assertFalse(is_alive(pid))

    def test_a_firmware_that_ignores_the_signal_is_killed(self):
        process, pid = self.start("1:ignore+stay")
        process.terminate()
        self.assertEqual(process.wait(timeout=TIMEOUT_S), 128 + signal.SIGTERM)
        self.assertFalse(is_alive(pid))

    def test_a_killed_runner_takes_the_firmware_along(self):
        process, pid = self.start("1:stay")
        process.kill()
        process.wait(timeout=TIMEOUT_S)
        self.assert_ends(pid)
        status, _, errors = self.run_device(script="1:idle")  # and the lock is gone
        self.assertEqual(status, 0, errors)

    def test_a_killed_firmware_is_a_panic(self):
        process, pid = self.start("1:stay")
        os.kill(pid, signal.SIGKILL)
        console, _ = process.communicate(timeout=TIMEOUT_S)
        self.assertEqual(process.returncode, 0)
        self.assertIn("signal 9", console)
        self.assertEqual(self.boots(console), [("1.0.0", "factory", PANIC)])

    def test_a_flash_that_runs_cannot_be_opened_again(self):
        self.start("1:stay")
        status, _, errors = self.run_device()
        self.assertEqual(status, 1)
        self.assertIn(" has it open (a running device", errors)

    def test_only_the_named_descriptors_are_inherited(self):
        self.make_flash({"factory": self.probe()})
        leaked = os.open(os.devnull, os.O_RDONLY)
        self.addCleanup(os.close, leaked)
        done = subprocess.run([OTTER, "run", self.flash], env=self.environment("1:fds"), capture_output=True, text=True,
                              timeout=TIMEOUT_S, check=False, pass_fds=[leaked])
        found = re.search(r"descriptors:([0-9 ]*); flash (\d+), control (\d+), shared (\d+)", done.stdout)
        self.assertIsNotNone(found, done.stdout + done.stderr)
        self.assertEqual({int(fd) for fd in found.group(1).split()}, {0, 1, 2, *map(int, found.group(2, 3, 4))})

    def test_the_environment_passes_through(self):
        self.make_flash({"factory": self.probe()})
        _, console, _ = self.run_device(script="1:env", PROBE_TEXT="from outside")
        self.assertIn("PROBE_TEXT is 'from outside'", console)
        _, console, _ = self.run_device("--env", "PROBE_TEXT=a=b", script="1:env", PROBE_TEXT="from outside")
        self.assertIn("PROBE_TEXT is 'a=b'", console)


if __name__ == "__main__":
    unittest.main()
