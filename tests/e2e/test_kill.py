"""Power cuts of real processes on the file flash: `otter run --cut-after N`, and SIGKILL of `otter update` and `otter run` at
random times. Whatever happened, the device boots a whole image afterwards and takes the next update."""
# SPDX-License-Identifier: Apache-2.0

import fcntl
import os
import random
import re
import signal
import subprocess
import unittest

import servers
from device import BUILD, TIMEOUT_S, in_full
from test_update import OTTER, UpdateCase, must, otter

LONG = os.environ.get("OTTER_LONG") == "1"
TRIALS = 1000 if LONG else 60 if os.environ.get("CI") else 15  # each of four kinds
SEED = int(os.environ.get("OTTER_SEED", "20261121"))


class KillCase(UpdateCase):
    @classmethod
    def make_images(cls):
        super().make_images()
        for version in ("1.0.0", "2.0.0"):
            image = BUILD / "examples" / f"advanced_https_ota-{version}.bin"
            if not image.exists() or image.stat().st_size > 1 << 20:
                raise unittest.SkipTest(f"{image.name} is not built, or is a sanitizer build too large for its slot")
            (cls.www / f"app-{version}.bin").write_bytes(image.read_bytes())
        cls.server = servers.HttpsServer(cls.www, cls.cert)
        cls.addClassCleanup(cls.server.stop)

    def setUp(self):
        super().setUp()
        self.random = random.Random(f"{SEED} {self.id()}")
        print(f"seed {SEED}")

    def new_device(self):
        self.tearDown()
        must("flash", "new", self.flash, "--size", "4MB", "--table", self.work / "parts.csv",
             "--app", f"factory={self.www / 'app-1.0.0.bin'}")

    def environment(self, name="app-2.0.0.bin"):
        return {**os.environ, "OTTER_EXAMPLE_URL": self.server.url(name), "OTTER_EXAMPLE_CA": self.ca.cert,
                "OTTER_EXAMPLE_INTERVAL_MS": "0"}

    def run_device(self, *args):
        return subprocess.run([str(OTTER), "run", str(self.flash), *args], env=self.environment(), capture_output=True,
                              text=True, timeout=TIMEOUT_S, check=False)

    def check_alive(self, told, images):
        """What boots is one of the images, to the byte; and the device takes an update."""
        label = self.boots()
        at = {"factory": 0x10000, "ota_0": 0x110000, "ota_1": 0x210000}[label]
        content = self.flash.read_bytes()
        self.assertTrue(any(content[at:at + len(i)] == i for i in images), f"{told}: what boots in {label} is no image")
        done, report = self.update(self.server.url("app-2.0.0.bin"), "--rollback", "off")
        self.assertEqual(done.returncode, 0, f"{told}: {done.stderr}")
        self.assertEqual(self.boots(), report["slot"], told)

    def images(self):
        return [(self.www / f"app-{version}.bin").read_bytes() for version in ("1.0.0", "2.0.0")]

    def kill_at_random(self, command, longest_s):
        process = subprocess.Popen(command, env=self.environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        after = self.random.uniform(0, longest_s)
        try:
            process.wait(after)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
        process.wait(TIMEOUT_S)
        self.wait_until_free()
        return after

    def wait_until_free(self):
        """The app dies with its runner, but a moment later: the kernel gives the lock when it is gone."""
        signal.alarm(TIMEOUT_S)
        with open(self.flash, "rb") as flash:
            fcntl.flock(flash, fcntl.LOCK_EX)
        signal.alarm(0)


class PlannedCuts(KillCase):
    def count_operations(self):
        self.new_device()
        done = self.run_device("--cut-after", "1000000")
        made = re.search(r"the run made (\d+) flash operations", done.stdout)
        self.assertIsNotNone(made, done.stdout + done.stderr)
        return int(made[1])

    def test_cut_in_a_whole_update(self):
        """Bootloader and app: first boot, download, otadata, boot of the new app, confirm."""
        total = self.count_operations()
        chosen = range(1, total + 1) if LONG or total <= TRIALS else sorted(self.random.sample(range(1, total + 1), TRIALS))
        for n in chosen:
            self.new_device()
            done = self.run_device("--cut-after", str(n))
            self.assertEqual(done.returncode, 0, f"cut {n}: {done.stderr}")
            self.assertIn("power was cut", done.stdout, f"cut {n} did not fire")
            self.check_alive(f"cut {n}", self.images())
        print(f"{len(chosen)} cuts in a run of {total} flash operations")

    @in_full
    def test_device_goes_on_after_a_cut(self):
        """Power returns: the device itself finishes the update."""
        total = self.count_operations()
        for n in self.random.sample(range(1, total + 1), min(total, TRIALS)):
            self.new_device()
            self.run_device("--cut-after", str(n))
            done = self.run_device("--boots", "10")
            self.assertEqual(done.returncode, 0, f"cut {n}: {done.stdout}{done.stderr}")
            self.assertIn("App version:      2.0.0", done.stdout, f"cut {n}")

    def test_a_cut_that_never_comes_is_told(self):
        self.new_device()
        done = self.run_device("--cut-after", "999999")
        self.assertIn("power was not cut", done.stdout)


class RandomKills(KillCase):
    def test_update_killed(self):
        self.new_device()
        for i in range(TRIALS):
            after = self.kill_at_random([str(OTTER), "update", str(self.flash), self.server.url("app-2.0.0.bin"), "--ca",
                                         self.ca.cert, "--quiet", "--rollback", "off"], 0.04)
            self.check_alive(f"trial {i}: killed after {after:.4f} s", self.images())

    def test_resuming_update_killed(self):
        self.new_device()
        for i in range(TRIALS):
            after = self.kill_at_random([str(OTTER), "update", str(self.flash), self.server.url("app-2.0.0.bin"), "--ca",
                                         self.ca.cert, "--quiet", "--resume", "--rollback", "off"], 0.04)
            self.check_alive(f"trial {i}: killed after {after:.4f} s", self.images())

    def test_run_killed(self):
        self.new_device()
        for i in range(TRIALS):
            after = self.kill_at_random([str(OTTER), "run", str(self.flash), "--boots", "3"], 0.15)
            self.check_alive(f"trial {i}: killed after {after:.4f} s", self.images())


if __name__ == "__main__":
    unittest.main()
