"""otter run and a firmware that attacks it, a runner that is killed, and a machine that has not enough of something."""
# SPDX-License-Identifier: Apache-2.0

import errno
import os
import pathlib
import re
import resource
import shutil
import signal
import subprocess
import unittest

from device import (BUILD, NEW, OFFSETS, OTTER, PENDING_VERIFY, TIMEOUT_S, DeviceTest, in_full,
                    wait_until_ended)

SHORT = 4  # exit status: this machine has not enough of something
IS_SANITIZED = "OTTER_SANITIZE:BOOL=ON" in (BUILD / "CMakeCache.txt").read_text(encoding="utf-8")


def stat_of(pid):
    """(state, parent) of a process; None: it is gone."""
    try:
        words = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rsplit(")", 1)[1].split()
    except OSError:
        return None
    return words[0], int(words[1])


def is_alive(pid):
    """False for a zombie too: it has ended."""
    stat = stat_of(pid)
    return stat is not None and stat[0] != "Z"


class IsolationTest(DeviceTest):
    def setUp(self):
        super().setUp()
        self.make_flash({"factory": self.firmware("attacker")})

    def attack(self, how, *options, **extra):
        done = subprocess.run([OTTER, "run", self.flash, *options], env={**os.environ, "ATTACK": how, **extra},
                              capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
        return done.returncode, done.stdout, done.stderr

    def start(self, how, *options, children=0, **extra):
        """Starts a device that stays, with so many children. Returns (process, console up to there, pid of the firmware)."""
        process = subprocess.Popen([OTTER, "run", self.flash, *options], env={**os.environ, "ATTACK": how, **extra},
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(self.end, process)
        console = ""
        for line in process.stdout:
            console += line
            found = re.search(r"pid (\d+) stays", console)
            if found and len(self.children_told(console)) == children:
                return process, console, int(found[1])
        return self.fail("the firmware did not come up: " + console + process.stderr.read())

    @staticmethod
    def end(process):
        if process.poll() is None:
            process.kill()
        process.communicate(timeout=TIMEOUT_S)

    def assert_end(self, *pids):
        for pid in pids:
            self.assertTrue(wait_until_ended(pid), f"process {pid} is still there")

    def children_told(self, console):
        return [int(pid) for pid in re.findall(r"child (\d+) writes", console)]

    def assert_flash_is_whole(self):
        """Nobody has the flash, and a device runs on it."""
        status, console, errors = self.attack("nothing", "--boots", "1")
        self.assertEqual((status, errors), (0, ""), console)


class WhatFirmwareLeaves(IsolationTest):
    def test_what_it_has_forked_ends_with_it(self):
        for how in ("fork", "fork-chain"):
            for extra in ({}, {"ATTACK_BY_PATH": "1"}):
                with self.subTest(how, **extra):
                    status, console, errors = self.attack(how, **extra)
                    self.assertEqual((status, errors), (0, ""), console)
                    self.assertIn("after the reset: ESP_OK, flash is clean", console)
                    self.assertTrue(self.children_told(console))
                    self.assertEqual([], [pid for pid in self.children_told(console) if is_alive(pid)])

    def test_what_it_has_forked_has_no_flash(self):
        process, console, _ = self.start("fork-stay", children=2)
        at = OFFSETS["nvs"]
        self.assertEqual(pathlib.Path(self.flash).read_bytes()[at:at + 16], b"\xff" * 16)
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(TIMEOUT_S), 128 + signal.SIGTERM)
        self.assertEqual([], [pid for pid in self.children_told(console) if is_alive(pid)])

    def test_no_end_of_the_runner_leaves_anything(self):
        """Neither of its two processes: what the user sees, and the one below that plays the device."""
        for killed in ("keeper", "worker", "firmware"):
            with self.subTest(killed):
                process, console, firmware = self.start("fork-stay", "--boots", "1", children=2)
                worker = stat_of(firmware)[1]
                self.assertEqual(stat_of(worker)[1], process.pid)
                os.kill({"keeper": process.pid, "worker": worker, "firmware": firmware}[killed], signal.SIGKILL)
                process.wait(TIMEOUT_S)
                self.assert_end(worker, firmware, *self.children_told(console))
                if killed == "worker":
                    self.assertEqual(process.returncode, 1)
                    self.assertIn("the process that plays the device was ended by signal 9", process.stderr.read())
                self.assert_flash_is_whole()

    def test_an_erase_survives_the_end_of_the_runner(self):
        nvs = OFFSETS["nvs"]
        for killed in ("keeper", "worker"):
            with self.subTest(killed):
                self.make_flash({"factory": self.probe()})
                with open(self.flash, "r+b") as flash:
                    flash.seek(nvs)
                    flash.write(bytes(0x4000))
                process, _, firmware = self.start("", PROBE="1:erase+stay")
                worker = stat_of(firmware)[1]
                self.assertEqual(pathlib.Path(self.flash).read_bytes()[nvs:nvs + 4], bytes(4))  # only remembered
                os.kill(process.pid if killed == "keeper" else worker, signal.SIGKILL)
                process.wait(TIMEOUT_S)
                self.assert_end(worker, firmware)
                self.assertEqual(pathlib.Path(self.flash).read_bytes()[nvs:nvs + 0x4000], b"\xff" * 0x4000)


class WhatFirmwareDoes(IsolationTest):
    def test_memory_that_is_shared_keeps_its_size(self):
        status, console, errors = self.attack("shrink")
        self.assertEqual((status, errors), (0, ""), console)
        self.assertIn("shared memory: -1 -1", console)
        self.assertIn("after the reset: ESP_OK", console)

    def test_nonsense_in_memory_that_is_shared_changes_no_flash(self):
        before = pathlib.Path(self.flash).read_bytes()
        status, console, errors = self.attack("fill", "--boots", "1")
        self.assertEqual((status, errors), (0, ""), console)
        self.assertEqual(pathlib.Path(self.flash).read_bytes(), before)

    def test_a_flash_of_another_size_is_told(self):
        for how, size in (("cut-flash", 0x300000), ("empty-flash", 0)):
            with self.subTest(how):
                self.setUp()
                status, console, errors = self.attack(how)
                self.assertEqual(status, 1, console)
                self.assertIn(f"the app has changed the size of the flash file from 4194304 to {size} bytes", errors)

    def test_a_runner_that_is_stopped_goes_on(self):
        status, console, errors = self.attack("stop-parent")
        self.assertEqual((status, errors), (0, ""), console)
        self.assertIn("after the reset: ESP_OK", console)

    def test_a_runner_that_is_killed_is_told(self):
        status, console, errors = self.attack("kill-parent")
        self.assertEqual(status, 1, console)
        self.assertIn("was ended by signal 9", errors)
        self.assert_flash_is_whole()

    @in_full
    def test_a_flood_of_messages_holds_up_nobody(self):
        for word in (".", "x", "P", "N"):
            with self.subTest(word):
                process, _, _ = self.start("flood", ATTACK_WORD=word)
                process.send_signal(signal.SIGINT)
                self.assertEqual(process.wait(TIMEOUT_S), 128 + signal.SIGINT)
        status, console, _ = self.attack("flood", "--watchdog", "1", "--boots", "1", ATTACK_WORD="x")
        self.assertIn("task_wdt: Task watchdog got triggered", console)
        self.assertLess(status, 128)

    def test_a_firmware_that_closes_everything_is_a_hang(self):
        _, console, _ = self.attack("close-all", "--watchdog", "1")
        self.assertIn("task_wdt: Task watchdog got triggered", console)
        self.assertIn("after the reset: ESP_OK", console)


class Surroundings(IsolationTest):
    def test_signals_that_its_parent_ignores(self):
        """SIGCHLD is inherited as ignored, and then nobody learns how a child ended."""
        def ignore():
            signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        for script, told in (("1:restart", "rst:0xc"), ("1:abort", "abort() was called"), ("1:idle", "")):
            with self.subTest(script):
                self.make_flash({"factory": self.probe()})
                done = subprocess.run([OTTER, "run", self.flash], env=self.environment(script), capture_output=True, text=True,
                                      timeout=TIMEOUT_S, check=False, preexec_fn=ignore)
                self.assertEqual((done.returncode, done.stderr), (0, ""))
                self.assertIn(told, done.stdout)

    def test_a_hangup_that_is_ignored_stays_so(self):
        def ignore():
            signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup does
        self.make_flash({"factory": self.probe()})
        process = subprocess.Popen([OTTER, "run", self.flash], env=self.environment("1:sleep+env"), text=True,
                                   stdout=subprocess.PIPE, preexec_fn=ignore)
        self.addCleanup(self.end, process)
        for line in process.stdout:
            if "probe: version" in line:
                break
        process.send_signal(signal.SIGHUP)
        rest, _ = process.communicate(timeout=TIMEOUT_S)
        self.assertIn("PROBE_TEXT is", rest)
        self.assertEqual(process.returncode, 0)

    def test_a_console_that_nobody_reads_switches_the_device_off(self):
        self.make_flash({"factory": self.probe(), "ota_0": self.probe("2.0.0")}, [(1, NEW)])
        process, _, firmware = self.start("", PROBE="1:stay")
        process.stdout.close()
        self.assertEqual(process.wait(TIMEOUT_S), 128 + signal.SIGPIPE)
        self.assert_end(firmware)
        self.assertEqual(self.states()[0], (1, PENDING_VERIFY))  # switched off in its trial, and not crashed


@unittest.skipIf(IS_SANITIZED, "a sanitizer must be the first library of a program, and needs the memory itself")
class ShortMachines(IsolationTest):
    """A good update is on trial next. Whatever is missing, it is neither begun nor lost."""

    def setUp(self):
        super().setUp()
        self.make_flash({"factory": self.probe("1.0.0"), "ota_0": self.probe("2.0.0")}, [(1, NEW)])
        self.before = pathlib.Path(self.flash).read_bytes()

    def assert_still_to_come(self):
        self.assertEqual(pathlib.Path(self.flash).read_bytes(), self.before)
        status, console, errors = self.run_device(script="1:confirm")
        self.assertEqual((status, errors), (0, ""))
        self.assertEqual([b[:2] for b in self.boots(console)], [("2.0.0", "ota_0")])

    def test_calls_that_fail(self):
        preload = str(BUILD / "tests" / "libshort_of.so")
        in_runner = (("mmap", 1, errno.ENOMEM, "memory"), ("memfd_create", 1, errno.EMFILE, "memory"),
                     ("mmap", 2, errno.ENOMEM, "memory"), ("signalfd", 1, errno.EMFILE, "no process"),
                     ("fork", 1, errno.EAGAIN, "no process"), ("memfd_create", 2, errno.EMFILE, "memory file"),
                     ("memfd_create", 2, errno.EACCES, "memory file"), ("mmap", 3, errno.ENOMEM, "no process"),
                     ("pipe2", 1, errno.ENFILE, "no process"), ("fork", 2, errno.EAGAIN, "no process"),
                     ("fork", 2, errno.ENOMEM, "no process"), ("fexecve", 1, errno.ENOMEM, "cannot be started"),
                     ("fexecve", 1, errno.EACCES, "cannot be started"), ("fexecve", 1, errno.E2BIG, "cannot be started"))
        in_firmware = (("mmap", 1, errno.ENOMEM, "cannot be started"), ("pthread_create", 1, errno.EAGAIN, "cannot be started"))
        for where, rows in (("runner", in_runner), ("firmware", in_firmware)):
            for call, nth, error, told in rows:
                with self.subTest(where, call=call, nth=nth, error=os.strerror(error)):
                    self.setUp()
                    short = f"{call} {nth} {error}"
                    if where == "runner":
                        status, console, errors = self.run_device(script="1:confirm", LD_PRELOAD=preload, SHORT_OF=short)
                    else:
                        status, console, errors = self.run_device("--env", f"LD_PRELOAD={preload}", "--env", f"SHORT_OF={short}",
                                                                  script="1:confirm")
                    self.assertEqual(status, SHORT, console + errors)
                    self.assertIn(told, errors)
                    if where == "runner":
                        self.assertIn(os.strerror(error), errors)
                        self.assertEqual(len(errors.splitlines()), 1, errors)
                    self.assertEqual(self.boots(console), [])
                    self.assert_still_to_come()

    def test_a_flash_file_that_takes_no_more_is_no_crash_of_the_app(self):
        preload = str(BUILD / "tests" / "libshort_of.so")
        for call, nth, error in (("fdatasync", 2, errno.EIO), ("pwritev", 1, errno.ENOSPC)):
            with self.subTest(call=call):
                self.setUp()
                script = "1:erase" if call == "pwritev" else "1:confirm+erase"
                status, console, errors = self.run_device(
                    "--env", f"LD_PRELOAD={preload}", "--env", f"SHORT_OF={call} {nth} {error}", "--env", "SHORT_FROM_ON=1",
                    script=script)
                self.assertEqual(status, 1, console + errors)
                self.assertIn("this machine did not take all that the app wrote into the flash file", errors)
                self.assertIn(os.strerror(error), console)
                self.assertNotIn("Guru Meditation", console)
                self.assertEqual(len(self.boots(console)), 1)

    @in_full
    def test_few_descriptors(self):
        """From none to enough: an error, or a boot that goes well."""
        ran = 0
        for limit in range(3, 24):
            with self.subTest(limit):
                self.setUp()
                done = subprocess.run(
                    [OTTER, "run", self.flash], env=self.environment("1:confirm"), capture_output=True, text=True,
                    timeout=TIMEOUT_S, check=False,
                    preexec_fn=lambda n=limit: resource.setrlimit(resource.RLIMIT_NOFILE, (n, n)))
                if done.returncode == 0:
                    ran += 1
                    self.assertIn("confirm: ESP_OK", done.stdout)
                else:
                    self.assertNotEqual(done.stderr, "")
                    self.assert_still_to_come()
        self.assertGreater(ran, 0)

    def test_no_processes(self):
        """The limit on a user's processes; root has none, so the test plays another user."""
        if os.geteuid() != 0:
            self.skipTest("needs a user without other processes")
        nobody = 65534
        os.chmod(self.folder, 0o777)
        for path in (self.flash, self.folder):
            os.chown(path, nobody, nobody)
        otter = shutil.copy(OTTER, self.folder)  # the clone may be in a folder that only root can enter
        for limit in (1, 2, 3):  # no device, no firmware, no task
            with self.subTest(limit):
                self.setUp_for(nobody)
                done = subprocess.run(
                    [otter, "run", self.flash], env=self.environment("1:confirm"), capture_output=True, text=True,
                    timeout=TIMEOUT_S, check=False, user=nobody, group=nobody, extra_groups=[],
                    preexec_fn=lambda n=limit: resource.setrlimit(resource.RLIMIT_NPROC, (n, n)))
                self.assertEqual(done.returncode, SHORT, done.stdout + done.stderr)
                self.assertEqual(self.boots(done.stdout), [])
                self.assert_still_to_come()

    def setUp_for(self, user):
        pathlib.Path(self.flash).write_bytes(self.before)
        os.chown(self.flash, user, user)


if __name__ == "__main__":
    unittest.main()
