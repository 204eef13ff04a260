"""`otter fleet simulate`: rollouts to many devices on one clock, judged by what each device's flash holds."""
# SPDX-License-Identifier: Apache-2.0

import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import unittest
import xml.dom.minidom

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import servers  # noqa: E402
from ddi_server import DdiServer  # noqa: E402
from device import OTTER, TIMEOUT_S, in_full  # noqa: E402


def simulate(*more, status=0):
    done = subprocess.run([OTTER, "fleet", "simulate", *map(str, more)], capture_output=True, text=True, timeout=TIMEOUT_S * 4,
                          check=False)
    assert done.returncode == status, (done.returncode, done.stdout[:3000], done.stderr[-1000:])
    return done


def simulated(*more, status=0):
    return json.loads(simulate("--json", "--quiet", *more, status=status).stdout)


class Simulate(unittest.TestCase):
    def test_a_good_release_reaches_all_in_groups(self):
        result = simulated("--devices", 200, "--release", "2.0.0", "--lose", 0, "--power-cuts", 0, "--links", "lan=100")
        rollout, = result["rollouts"]
        self.assertEqual((rollout["state"], [g["devices"] for g in rollout["groups"]]), ("done", [10, 40, 150]))
        self.assertEqual([g["success"] for g in rollout["groups"]], [10, 40, 150])
        starts = [g["started_s"] for g in rollout["groups"]]
        self.assertEqual(starts, sorted(starts))
        self.assertGreaterEqual(starts[1] - starts[0], 20)  # the first group had to prove itself
        self.assertEqual(result["curve"][-1]["runs"], {"1.0.0": 0, "2.0.0": 200})
        self.assertEqual((result["verdict"]["true"], result["verdict"]["installs"]), (True, 200))

    def test_a_release_that_crashes_on_some_boards_stops_by_itself(self):
        result = simulated("--devices", 200, "--release", "2.0.0", "--bad-release", "3.0.0", "--bad", 40, "--withdraw")
        good, bad = result["rollouts"]
        self.assertEqual((good["state"], bad["state"]), ("done", "stopped"))
        self.assertIn("have failed", bad["why"])
        self.assertGreater(bad["groups"][0]["failure"], 0)
        self.assertEqual([g["started_s"] for g in bad["groups"][1:]], [None, None])
        end = result["curve"][-1]
        self.assertEqual(end["runs"]["3.0.0"], 0)  # withdrawn
        self.assertEqual(end["runs"]["2.0.0"], 200)
        self.assertEqual(end["failed"], bad["groups"][0]["failure"])
        self.assertTrue(result["verdict"]["true"])

    def test_the_same_seed_does_the_same_and_another_does_not(self):
        plan = ("--devices", 60, "--power-cuts", 50, "--lose", 10, "--bad", 20, "--error", 100, "--success", 10)
        first = simulate("--seed", 5, *plan).stdout
        self.assertEqual(first, simulate("--seed", 5, *plan).stdout)
        self.assertNotEqual(first, simulate("--seed", 6, *plan).stdout)

    def test_the_truth_is_told_whatever_goes_wrong(self):
        for seed in range(1, 31 if os.environ.get("CI") else 6):
            result = simulated("--devices", 40, "--seed", seed, "--power-cuts", 300, "--lose", 20, "--bad", 30, "--error", 100,
                               "--success", 1, "--links", "lan=25,wifi=25,lte=25,nb=25", "--rate", 2, "--groups", "50,50",
                               "--release", "2.0.0", "--bad-release", "3.0.0", "--release", "4.0.0", "--days", 30)
            self.assertTrue(result["verdict"]["true"], (seed, result["verdict"]))
            self.assertGreater(result["trouble"]["power_cuts"], 10)
            self.assertGreater(result["load"]["refused"], 0)

    @in_full
    def test_a_fleet_that_gets_its_power_back_comes_in_the_course_of_a_minute(self):
        devices, most = (10000, 250) if os.environ.get("CI") else (2000, 70)  # a sixtieth of them on average
        result = simulated("--devices", devices, "--release", "2.0.0", "--blackout", 400, "--power-cuts", 0, "--poll", 3600,
                           "--groups", "1,99")
        self.assertLess(result["load"]["most_polls_in_a_second"], most)
        self.assertTrue(result["verdict"]["true"])

    def test_it_ends_when_it_is_asked_to(self):
        with subprocess.Popen([OTTER, "fleet", "simulate", "--devices", "20000"], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True) as process:
            process.stderr.readline()  # the first line of progress
            process.send_signal(signal.SIGINT)
            _, said = process.communicate(timeout=TIMEOUT_S)
        self.assertEqual(process.returncode, 1)
        self.assertIn("interrupted", said)

    def test_the_picture_is_one(self):
        with tempfile.TemporaryDirectory(prefix="otter-fleet-") as folder:
            path = pathlib.Path(folder) / "curve.svg"
            done = simulate("--devices", 50, "--svg", path, "--quiet")
            picture = xml.dom.minidom.parse(str(path))
        self.assertEqual(picture.documentElement.tagName, "svg")
        self.assertGreaterEqual(len(picture.getElementsByTagName("path")), 3)
        self.assertIn("2.0.0: done", done.stdout)
        self.assertIn("lies: 0", done.stdout)
        self.assertLess(max(len(line) for line in done.stdout.splitlines()), 132)

    def test_a_plan_that_is_none_is_refused_with_what_is_wanted(self):
        for arguments, piece in (
                (("--groups", "50,40"), "100 together"), (("--groups", "1,,99"), "100 together"),
                (("--groups", ",".join(["1"] * 100)), "100 together"), (("--links", "wifi=99"), "100 together"),
                (("--links", "fog=100"), "lan, wifi, lte"), (("--links", "=100"), "lan, wifi, lte"),
                (("--lose", "101"), "number"), (("--lose", "0.001"), "two digits"), (("--lose", "."), "two digits"),
                (("--release", "1.0.0"), "run at first"), (("--release", "2.0.0", "--bad-release", "2.0.0"), "already"),
                (("--release", "<svg>"), "letters"), (("--devices", "0"), "--devices"),
                (("--svg", "-", "--json"), "standard output"),
        ):
            done = simulate(*arguments, status=2)
            self.assertIn(piece, done.stderr, arguments)

    def test_what_does_not_end_in_its_days_says_so(self):
        done = simulate("--devices", 20, "--poll", 604800, "--days", 1, "--quiet", status=1)
        self.assertIn("--days", done.stderr)


class RealServer(unittest.TestCase):
    """The same devices over sockets, against a server that knows nothing of them."""

    DEVICES = 12

    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory(prefix="otter-fleet-")))
        self.token = self.folder / "token"
        self.token.write_text("secret\n", encoding="utf-8")
        self.token.chmod(0o600)

    def image(self, version):
        path = self.folder / f"{version}.bin"
        subprocess.run([OTTER, "fleet", "image", version, "-o", path, "--image-size", "16K"], check=True, capture_output=True)
        return path.read_bytes()

    def simulate(self, url, *more, status=0):
        return simulate("--server", url, "--token-file", self.token, "--target-token", "--devices", self.DEVICES, "--poll", 10,
                        "--quiet", *more, status=status)

    def test_updates_and_rollbacks_over_tls_are_told_truly(self):
        ca = servers.make_ca(self.folder)
        with DdiServer(servers.make_cert(self.folder, ca=ca)) as server:
            image = self.image("2.0.0")
            actions = [server.assign(f"pump-{i + 1:06}", "7", image) for i in range(self.DEVICES)]
            done = self.simulate(server.url, "--ca", ca.cert, "--id", "pump-", "--bad-release", "2.0.0", "--bad", 40, "--seed", 3,
                                 "--connections", 3, "--for", 60)
        self.assertEqual(server.complaints, [])
        ends = [action["status"] for action in actions]
        self.assertEqual(set(ends), {"finished", "error"}, done.stdout)
        self.assertIn(f"{ends.count('finished')} with success, {ends.count('error')} with a failure", done.stdout)
        self.assertIn("lies: 0", done.stdout)

    def test_whom_it_does_not_believe_or_who_does_not_know_it_is_told(self):
        with DdiServer(servers.make_cert(self.folder)) as server:
            other = servers.make_ca(self.folder)
            done = self.simulate(server.url, "--ca", other.cert, "--for", 4, "--connections", 1, status=1)
            self.assertIn("no good answer", done.stderr)
            self.assertEqual(server.log, [])
        with DdiServer(None, token="another") as server:
            done = self.simulate(server.url, "--allow-http", "--for", 4, status=1)
            self.assertIn("token", done.stderr)
            self.assertTrue(server.log)

    def test_who_has_told_no_end_when_its_time_is_over_is_counted(self):
        with DdiServer(None) as server:
            done = self.simulate(server.url, "--allow-http", "--for", 4, status=1)
        self.assertIn("12 of 12 devices have told no end of an action: --for gives them more time", done.stderr)

    def test_what_is_missing_is_named(self):
        for arguments, piece in ((("http://127.0.0.1:1",), "--allow-http"), (("https://127.0.0.1:1",), "--ca"),
                                 (("ftp://x", "--allow-http"), "https://"),
                                 (("https://x", "--id", "a/b", "--ca", "x"), "letters"),
                                 (("http://127.0.0.1:1", "--allow-http", "--json"), "--json")):
            self.assertIn(piece, self.simulate(*arguments, status=2).stderr)
        self.token.chmod(0o644)
        self.assertIn("chmod 600", self.simulate("http://127.0.0.1:1", "--allow-http", status=1).stderr)


if __name__ == "__main__":
    unittest.main()
