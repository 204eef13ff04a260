"""`otter agent` against a server that nobody here wrote: goosebit, unmodified, which refuses devices that it does not know."""
# SPDX-License-Identifier: Apache-2.0

import concurrent.futures
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import goosebit  # noqa: E402
import servers  # noqa: E402
from device import OTTER, TIMEOUT_S, VALID, DeviceTest, in_full  # noqa: E402

CONFIRMS, DOES_NOT_CONFIRM = "1:confirm+idle", "1:idle"
FLEET = 200
SOME, BAD = 12, 3  # devices, and those of them that the new firmware does not suit


@unittest.skipUnless(goosebit.PROGRAM, "goosebit is not installed (./dev setup goosebit)")
@in_full
class WithGoosebit(DeviceTest):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="otter-goosebit-")
        cls.addClassCleanup(folder.cleanup)
        cls.ca = servers.make_ca(folder.name)
        cert = servers.make_cert(folder.name, ca=cls.ca)
        cls.server = goosebit.Goosebit(folder.name, cert, cls.ca, GOOSEBIT_DEVICE_AUTH__ENABLE="true",
                                       GOOSEBIT_DEVICE_AUTH__MODE="strict")
        cls.addClassCleanup(cls.server.stop)

    def setUp(self):
        super().setUp()
        self.token = self.folder / "token"
        self.token.write_text("secret\n", encoding="utf-8")
        self.token.chmod(0o600)
        self.old, self.new = self.probe("1.0.0"), self.probe("2.0.0")
        self.make_flash({"ota_0": self.old}, [(1, VALID)])
        self.device = self._testMethodName.replace("_", "-")[5:60]
        self.server.register(self.device, token="secret")

    def offer(self, image, device=None):
        (self.server.images / f"{device or self.device}.bin").write_bytes(image)

    def agent(self, *more, status=0, script=CONFIRMS, flash=None, device=None):
        done = subprocess.run(
            [OTTER, "agent", flash or self.flash, "--server", self.server.url, "--id", device or self.device, "--token-file",
             self.token, "--ca", self.ca.cert, "--once", "--json", *more],
            env=self.environment(script), capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr + "".join(self.server.log[-30:]))
        return [json.loads(line) for line in done.stdout.splitlines()]

    def believes(self, state, version, device=None):
        row = self.server.devices()[device or self.device]
        self.assertEqual((row["last_state"], row["sw_version"]), (state, version))
        return row

    def test_a_device_is_updated_once_and_then_up_to_date(self):
        self.agent("--attribute", "hw_boardname=c3", "--attribute", "hw_revision=2")
        row = self.believes("Registered", "1.0.0")
        self.assertEqual((row["hardware"]["model"], row["hardware"]["revision"]), ("c3", "2"))
        self.offer(self.new)
        self.agent("--attribute", "hw_boardname=c3", "--attribute", "hw_revision=2")
        self.believes("Finished", "2.0.0")
        self.assertIn("ota_1 runs and is confirmed", self.server.story(self.device))
        self.assertEqual(self.states()[1], (2, VALID))
        self.assertEqual({line["event"] for line in self.agent()}, {"on", "off"}, "nothing is left to be done")

    def test_the_same_action_forced_again_is_told_and_not_installed_again(self):
        self.agent()
        self.offer(self.new)
        self.agent()
        self.server.force(self.device)
        lines = self.agent()
        self.assertNotIn("restart", [line["event"] for line in lines])
        self.assertFalse(self.believes("Finished", "2.0.0")["force_update"])
        self.offer(self.old)  # the id is -1 each time, and the file another: back to what was before
        self.agent()
        self.believes("Finished", "1.0.0")

    def test_a_rollback_is_a_failure_with_its_reason_and_is_left_alone_until_forced(self):
        self.agent()
        self.offer(self.new)
        self.agent(script=DOES_NOT_CONFIRM)
        self.believes("Error", "1.0.0")
        self.assertIn("ota_1 was rolled back, ota_0 runs", self.server.story(self.device))
        self.assertNotIn("action", [line["event"] for line in self.agent()])
        self.offer(self.probe("2.0.1"))
        self.server.force(self.device)
        self.agent()
        self.believes("Finished", "2.0.1")

    def test_an_image_that_is_not_for_this_device_is_refused_and_told(self):
        self.agent()
        for image, why in ((self.probe("2.0.0", chip=5), "gate: "), (self.new[:5000], "verify: "), (b"x" * 5000, "gate: ")):
            with self.subTest(why):
                self.offer(image)
                self.server.force(self.device)
                self.agent()
                self.believes("Error", "1.0.0")
                self.assertIn(why, self.server.story(self.device))
                self.assertEqual(self.states()[1], None)

    def test_a_device_without_its_token_is_not_served(self):
        self.offer(self.new)
        self.token.write_text("another\n", encoding="utf-8")
        for device in (self.device, "nobody"):
            lines = self.agent(device=device, status=1)
            self.assertIn("does not take this token", next(line["text"] for line in lines if line["event"] == "denied"))
        self.assertNotIn("nobody", self.server.devices())
        self.assertEqual(self.states(), [(1, VALID), None])
        with self.assertRaises(goosebit.urllib.error.HTTPError) as refused:
            self.server.ask("GET", f"/plugins/otter_images/{self.device}/image.bin")
        self.assertEqual(refused.exception.code, 401)
        refused.exception.close()

    def test_devices_at_the_same_time_tell_each_its_own_truth(self):
        names = [f"fleet-{i:03}" for i in range(SOME)]
        self.server.register(*names, token="secret")
        for name in names:
            self.offer(self.new, name)

        def update(name):
            flash = str(self.folder / f"{name}.bin")
            shutil.copy(self.flash, flash)
            self.agent(flash=flash, device=name)  # it registers, and nothing is offered yet
            self.agent(flash=flash, device=name, script=DOES_NOT_CONFIRM if name in names[:BAD] else CONFIRMS)
            os.remove(flash)

        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            list(pool.map(update, names))
        rows = self.server.devices()
        states = [(rows[name]["last_state"], rows[name]["sw_version"]) for name in names]
        self.assertEqual(states, [("Error", "1.0.0")] * BAD + [("Finished", "2.0.0")] * (SOME - BAD))

    def test_the_first_devices_of_a_board_may_come_at_the_same_moment(self):
        """Unaided, goosebit makes the board's row twice, and fails with each device of it from then on."""
        names = [f"first-{i}" for i in range(8)]
        self.server.register(*names, "later", token="secret")
        board = {"mode": "merge", "data": {"hw_boardname": "brand-new", "hw_revision": "A", "sw_version": "1.0.0"}}

        def name_board(device):
            return self.server.ask("PUT", f"/DEFAULT/controller/v1/{device}/configData", board, token="secret")["success"]

        with concurrent.futures.ThreadPoolExecutor(len(names)) as pool:
            self.assertEqual(list(pool.map(name_board, names)), [True] * len(names))
        self.assertTrue(name_board("later"))

    @in_full
    def test_two_hundred_devices_in_one_process_are_told_apart(self):
        """The library's agent on simulated devices. Some answers are lost; who misses several waits half a minute for each."""
        names = [f"two-hundred-{i + 1:06}" for i in range(FLEET)]
        image = self.folder / "2.0.0.bin"
        subprocess.run([OTTER, "fleet", "image", "2.0.0", "-o", image], check=True, timeout=TIMEOUT_S, capture_output=True)
        self.server.register(*names, token="secret")
        for name in names:
            self.offer(image.read_bytes(), name)
        done = subprocess.run(
            [OTTER, "fleet", "simulate", "--server", self.server.url, "--target-token", "--token-file", self.token, "--ca",
             self.ca.cert, "--id", "two-hundred-", "--devices", str(FLEET), "--poll", "10", "--seed", "1", "--lose", "0.5",
             "--bad-release", "2.0.0", "--bad", "10", "--for", "400"],
            capture_output=True, text=True, timeout=440, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        rows = self.server.devices()
        states = [rows[name]["last_state"] for name in names]  # the version comes with the next poll, which some do not reach
        failed = states.count("Error")
        self.assertEqual(failed + states.count("Finished"), FLEET, states)
        self.assertTrue(0 < failed < FLEET // 3, failed)


if __name__ == "__main__":
    unittest.main(verbosity=2)
