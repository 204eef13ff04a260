"""`otter agent` with a hawkBit that runs somewhere: HAWKBIT_URL names it. Leaves its targets and releases there.

HAWKBIT_URL=https://fleet.example:8443 HAWKBIT_CA=ca.pem ./dev test hawkbit; as admin of tenant DEFAULT with password admin, else
HAWKBIT_USER, HAWKBIT_PASSWORD, HAWKBIT_TENANT say it.
"""
# SPDX-License-Identifier: Apache-2.0

import base64
import json
import os
import pathlib
import ssl
import subprocess
import sys
import unittest
import urllib.request
import uuid

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

    def assign(self, version, image, how="forced", **more):
        """@return the action's id"""
        named = {"name": f"{self.name}-{version}", "version": version, "type": "os"}
        module = self.manage("POST", "/softwaremodules", [named])[0]["id"]
        edge = uuid.uuid4().hex
        part = (f'--{edge}\r\nContent-Disposition: form-data; name="file"; filename="app.bin"\r\n'
                "Content-Type: application/octet-stream\r\n\r\n").encode() + image + f"\r\n--{edge}--\r\n".encode()
        self.manage("POST", f"/softwaremodules/{module}/artifacts", data=part, kind=f"multipart/form-data; boundary={edge}")
        release = self.manage("POST", "/distributionsets", [{**named, "modules": [{"id": module}]}])[0]["id"]
        made = self.manage("POST", f"/targets/{self.name}/assignedDS", {"id": release, "type": how, **more})
        return made["assignedActions"][0]["id"]

    def action(self, ident):
        return self.manage("GET", f"/targets/{self.name}/actions/{ident}")

    def story(self, ident):
        """All that was told of an action, the last first."""
        rows = self.manage("GET", f"/targets/{self.name}/actions/{ident}/status?limit=100&sort=id:DESC")["content"]
        return [" ".join([row["type"], *row["messages"]]) for row in rows]

    def agent(self, *more, status=0, script=CONFIRMS):
        trust = ("--ca", CA) if CA else ("--system-ca",) if URL.startswith("https:") else ("--allow-http",)
        done = subprocess.run(
            [OTTER, "agent", self.flash, "--server", URL, "--tenant", os.environ.get("HAWKBIT_TENANT", "DEFAULT"), "--id",
             self.name, "--token-file", self.token, *trust, "--once", "--json", *more],
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
        self.assertEqual(self.manage("GET", f"/targets/{self.name}/attributes")["sw_version"], "2.0.0")
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
        self.assertEqual(self.action(ident)["status"], "finished")
        self.assertEqual(self.states(), [(1, VALID), None])

    def test_a_soft_action_that_is_held_is_cancelled(self):
        ident = self.assign("2.0.0", self.probe("2.0.0"), how="soft")
        self.agent("--hold")
        self.assertEqual(self.action(ident)["status"], "pending")
        self.manage("DELETE", f"/targets/{self.name}/actions/{ident}")
        self.agent("--hold")
        self.assertIn("canceled", "\n".join(self.story(ident)))
        self.assertEqual(self.states(), [(1, VALID), None])

    def test_another_token_is_refused(self):
        self.token.write_text("another", encoding="utf-8")
        self.assertIn("denied", [line["event"] for line in self.agent(status=1)])


if __name__ == "__main__":
    unittest.main(verbosity=2)
