"""`otter agent` with a hawkBit that runs somewhere: HAWKBIT_URL names it. Leaves its targets and releases there; it
allows tokens, and for a test the confirmation of actions and a poll time of 30 seconds.

HAWKBIT_URL=https://fleet.example:8443 HAWKBIT_CA=ca.pem ./dev test hawkbit; as admin of tenant DEFAULT with password admin, else
HAWKBIT_USER, HAWKBIT_PASSWORD, HAWKBIT_TENANT say it.
"""
# SPDX-License-Identifier: Apache-2.0

import base64
import contextlib
import json
import os
import pathlib
import signal
import ssl
import subprocess
import sys
import time
import unittest
import urllib.request
import uuid
import zlib

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from device import OTTER, TIMEOUT_S, VALID, DeviceTest  # noqa: E402

URL = os.environ.get("HAWKBIT_URL", "").rstrip("/")
CA = os.environ.get("HAWKBIT_CA")
CONFIRMS, DOES_NOT_CONFIRM = "1:confirm+idle", "1:idle"


@unittest.skipUnless(URL, "no hawkBit: HAWKBIT_URL is not set")
class WithHawkbit(DeviceTest):
    def setUp(self):
        super().setUp()
        self.name = f"otter-{uuid.uuid4().hex[:12]}"
        self.context = ssl.create_default_context(cafile=CA) if URL.startswith("https:") else None
        self.manage("PUT", "/system/configs/authentication.targettoken.enabled", {"value": True})
        self.manage("POST", "/targets", [{"controllerId": self.name, "name": self.name, "securityToken": "secret" + self.name}])
        self.token = self.folder / "token"
        self.token.write_text("secret" + self.name, encoding="utf-8")
        self.token.chmod(0o600)
        self.old = self.probe("1.0.0")
        self.make_flash({"ota_0": self.old}, [(1, VALID)])

    def manage(self, method, path, body=None, data=None, kind="application/json"):
        login = f"{os.environ.get('HAWKBIT_USER', 'admin')}:{os.environ.get('HAWKBIT_PASSWORD', 'admin')}"
        headers = {"Authorization": "Basic " + base64.b64encode(login.encode()).decode(), "Accept": "application/json"}
        data = json.dumps(body).encode() if body is not None else data
        if data is not None:
            headers["Content-Type"] = kind
        request = urllib.request.Request(f"{URL}/rest/v1{path}", data, headers, method=method)
        with urllib.request.urlopen(request, timeout=TIMEOUT_S, context=self.context) as answer:
            text = answer.read()
            return json.loads(text) if text else None

    def release(self, version, image):
        """@return the id of a distribution set"""
        named = {"name": f"{self.name}-{version}", "version": version, "type": "os"}
        module = self.manage("POST", "/softwaremodules", [named])[0]["id"]
        edge = uuid.uuid4().hex
        part = (f'--{edge}\r\nContent-Disposition: form-data; name="file"; filename="app.bin"\r\n'
                "Content-Type: application/octet-stream\r\n\r\n").encode() + image + f"\r\n--{edge}--\r\n".encode()
        self.manage("POST", f"/softwaremodules/{module}/artifacts", data=part, kind=f"multipart/form-data; boundary={edge}")
        return self.manage("POST", "/distributionsets", [{**named, "modules": [{"id": module}]}])[0]["id"]

    def assign(self, version, image, how="forced", **more):
        """@return the action's id"""
        release = self.release(version, image)
        made = self.manage("POST", f"/targets/{self.name}/assignedDS", {"id": release, "type": how, **more})
        return made["assignedActions"][0]["id"]

    def cancel(self, ident):
        self.manage("DELETE", f"/targets/{self.name}/actions/{ident}")

    def attributes(self):
        return self.manage("GET", f"/targets/{self.name}/attributes")

    @contextlib.contextmanager
    def config(self, key, value):
        """A tenant's setting, and what it was afterwards."""
        before = self.manage("GET", f"/system/configs/{key}")
        self.manage("PUT", f"/system/configs/{key}", {"value": value})
        try:
            yield
        finally:
            if before["global"]:
                self.manage("DELETE", f"/system/configs/{key}")
            else:
                self.manage("PUT", f"/system/configs/{key}", {"value": before["value"]})

    def wait_for(self, rollout, status):
        """hawkBit tells no event: it is asked each second."""
        until = time.monotonic() + 240
        while (now := self.manage("GET", f"/rollouts/{rollout}")["status"]) != status:
            self.assertLess(time.monotonic(), until, now)
            time.sleep(1)

    @staticmethod
    def trust():
        return ("--ca", CA) if CA else ("--system-ca",) if URL.startswith("https:") else ("--allow-http",)

    def action(self, ident):
        return self.manage("GET", f"/targets/{self.name}/actions/{ident}")

    def story(self, ident):
        """All that was told of an action, the last first."""
        rows = self.manage("GET", f"/targets/{self.name}/actions/{ident}/status?limit=100&sort=id:DESC")["content"]
        return [" ".join([row["type"], *row["messages"]]) for row in rows]

    def agent(self, *more, status=0, script=CONFIRMS):
        done = subprocess.run(
            [OTTER, "agent", self.flash, "--server", URL, "--tenant", os.environ.get("HAWKBIT_TENANT", "DEFAULT"), "--id",
             self.name, "--token-file", self.token, *self.trust(), "--once", "--json", *more],
            env=self.environment(script), capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return [json.loads(line) for line in done.stdout.splitlines()]

    def believes(self, state):
        self.assertEqual(self.manage("GET", f"/targets/{self.name}")["updateStatus"], state)

    def test_an_update_and_then_nothing(self):
        ident = self.assign("2.0.0", self.probe("2.0.0"))
        self.agent("--attribute", "hw_boardname=c3")
        self.assertEqual(self.action(ident)["status"], "finished")
        self.believes("in_sync")
        self.assertIn("runs and is confirmed", "\n".join(self.story(ident)))
        self.assertEqual(self.attributes()["sw_version"], "2.0.0")
        self.assertEqual({line["event"] for line in self.agent()}, {"on"} | {"off"})

    def test_a_rollback_is_an_error(self):
        ident = self.assign("2.0.0", self.probe("2.0.0"))
        self.agent(script=DOES_NOT_CONFIRM)
        self.believes("error")
        self.assertIn("was rolled back", "\n".join(self.story(ident)))

    def test_what_is_not_for_this_device_is_an_error(self):
        ident = self.assign("2.0.0", self.probe("2.0.0", chip=5))
        self.agent()
        self.believes("error")
        self.assertIn("gate: ", "\n".join(self.story(ident)))

    def test_download_only_ends_with_the_download(self):
        ident = self.assign("2.0.0", self.probe("2.0.0"), how="downloadonly")
        self.agent()
        self.assertIn(self.action(ident)["status"], ("downloaded", "finished"))
        self.believes("in_sync")  # so it says, though what runs is the old image
        self.assertEqual(self.states(), [(1, VALID), None])

    def test_a_soft_action_that_is_held_is_cancelled(self):
        ident = self.assign("2.0.0", self.probe("2.0.0"), how="soft")
        self.agent("--hold")
        self.believes("pending")
        self.cancel(ident)
        self.agent("--hold")
        self.assertIn("canceled", "\n".join(self.story(ident)))
        self.assertEqual(self.states(), [(1, VALID), None])

    def test_a_forced_time_ends_the_holding(self):
        ident = self.assign("2.0.0", self.probe("2.0.0"), how="timeforced", forcetime=int((time.time() + 20) * 1000))
        self.agent("--hold")
        self.believes("pending")
        time.sleep(21)  # no event: it is hawkBit's clock that turns it
        self.agent("--hold")
        self.assertEqual(self.action(ident)["status"], "finished")

    def test_a_window_that_is_closed_keeps_the_image_and_tells_no_end(self):
        ident = self.assign("2.0.0", self.probe("2.0.0"),
                            maintenanceWindow={"schedule": "0 0 3 1 1 ? 2099", "duration": "01:00:00", "timezone": "+00:00"})
        self.agent()
        self.believes("pending")
        self.assertNotIn("finished", [line.split()[0] for line in self.story(ident)])
        self.assertEqual(self.states(), [(1, VALID), None])
        self.cancel(ident)
        self.agent()
        self.assertIn("canceled", "\n".join(self.story(ident)))

    def test_a_newer_action_cancels_the_one_before(self):
        before = self.assign("2.0.0", self.probe("2.0.0"), how="soft")
        self.agent("--hold")
        after = self.assign("3.0.0", self.probe("3.0.0"))
        self.agent()
        self.assertEqual([self.action(ident)["status"] for ident in (before, after)], ["canceled", "finished"])
        self.assertEqual(self.attributes()["sw_version"], "3.0.0")

    def test_what_waits_for_a_confirmation_is_confirmed_or_held(self):
        with self.config("user.confirmation.flow.enabled", True):
            ident = self.assign("2.0.0", self.probe("2.0.0"))
            self.agent("--hold-confirmation")
            self.assertEqual(self.action(ident)["status"], "wait_for_confirmation")
            self.agent()
            self.assertEqual(self.action(ident)["status"], "finished")

    def test_an_end_whose_answer_is_lost_is_told_once(self):
        ident = self.assign("2.0.0", self.probe("2.0.0"))
        self.agent()
        record = bytearray(pathlib.Path(self.flash + ".agent").read_bytes())
        record[8:10] = 4, 0  # FORMATS.md section 16: it has ended, and the agent does not know that the server knows
        record[-4:] = zlib.crc32(record[:-4]).to_bytes(4, "little")
        pathlib.Path(self.flash + ".agent").write_bytes(record)
        self.assertIn("told", [line["event"] for line in self.agent()])
        self.assertEqual(self.action(ident)["status"], "finished")
        self.assertEqual(self.story(ident).count(self.story(ident)[0]), 1)

    def test_a_rollout_stops_by_itself_when_devices_roll_back(self):
        """Real rollbacks: simulated devices over sockets, of which four in five cannot run the release."""
        devices, groups = 20, 4
        image = self.folder / "2.0.0.bin"
        subprocess.run([OTTER, "fleet", "image", "2.0.0", "-o", image], check=True, timeout=TIMEOUT_S, capture_output=True)
        names = [f"{self.name}-{i + 1:06}" for i in range(devices)]
        with self.config("pollingTime", "00:00:30"), self.config("authentication.gatewaytoken.enabled", True), \
                self.config("authentication.gatewaytoken.key", "gate" + self.name):
            self.manage("POST", "/targets", [{"controllerId": name, "name": name} for name in names])
            rollout = self.manage("POST", "/rollouts", {
                "name": self.name, "distributionSetId": self.release("2.0.0", image.read_bytes()), "amountGroups": groups,
                "targetFilterQuery": f"controllerId=={self.name}-*", "type": "forced",
                "successCondition": {"condition": "THRESHOLD", "expression": "80"},
                "successAction": {"action": "NEXTGROUP", "expression": ""},
                "errorCondition": {"condition": "THRESHOLD", "expression": "30"},
                "errorAction": {"action": "PAUSE", "expression": ""}})["id"]
            self.wait_for(rollout, "ready")
            self.manage("POST", f"/rollouts/{rollout}/start")
            self.token.write_text("gate" + self.name, encoding="utf-8")
            process = subprocess.Popen(
                [OTTER, "fleet", "simulate", "--server", URL, "--token-file", self.token, *self.trust(), "--devices",
                 str(devices), "--id", self.name + "-", "--poll", "10",
                 "--bad-release", "2.0.0", "--bad", "80", "--for", "200", "--quiet"],
                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            try:
                self.wait_for(rollout, "paused")
            finally:
                process.send_signal(signal.SIGINT)
                said, errors = process.communicate(timeout=TIMEOUT_S)
        self.assertIn("lies: 0", said, errors)
        states = [group["status"] for group in self.manage("GET", f"/rollouts/{rollout}/deploygroups?sort=id:ASC")["content"]]
        self.assertEqual((states[0], set(states[1:])), ("error", {"scheduled"}))
        failed = [name for name in names if self.manage("GET", f"/targets/{name}")["updateStatus"] == "error"]
        self.assertGreaterEqual(len(failed), devices // groups * 3 // 10)
        self.assertLessEqual(len(failed), devices // groups)

    def test_another_token_is_refused(self):
        self.token.write_text("another", encoding="utf-8")
        self.assertIn("denied", [line["event"] for line in self.agent(status=1)])


if __name__ == "__main__":
    unittest.main(verbosity=2)
