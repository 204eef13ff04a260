"""A project with otter/ddi.h in it is a device of a fleet: it takes its update, confirms it, and tells the server."""
# SPDX-License-Identifier: Apache-2.0

import unittest

from ddi_server import DdiServer
from idf_project import Device, ProjectTest


class Fleet(ProjectTest):
    example = "fleet_ota"

    def start(self, token="secret"):
        self.server = self.enterContext(DdiServer(self.project.cert))
        device = Device(self.project.out, "--new", console=f"{self.server.url}\ndev-1\n{token}\n")
        self.addCleanup(device.stop)
        return device

    def test_is_updated_once_and_tells_the_truth(self):
        device = self.start()
        image = (self.www / "app.bin").read_bytes()
        action = self.server.assign("dev-1", "7", image)
        device.wait_for("fleet_ota: version 2.0.0")
        device.wait_for("told: action 7")
        self.assertEqual((action["status"], action["downloads"]), ("finished", [None]))
        self.assertIn("runs and is confirmed", action["feedback"][-1][2])
        self.assertEqual(self.server.attributes["dev-1"]["hw_boardname"], "example")
        self.assertEqual(self.server.complaints, [])

    def test_tells_what_it_refuses_and_runs_on(self):
        device = self.start()
        action = self.server.assign("dev-1", "8", b"x" * 5000)
        device.wait_for("told: action 8")
        self.assertEqual((action["status"], action["feedback"][-1][2][:5]), ("error", "gate:"))


if __name__ == "__main__":
    unittest.main()
