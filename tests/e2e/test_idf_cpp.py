"""A project in C++, of several components, updates itself; what fails is an exception, and what its Kconfig says holds."""
# SPDX-License-Identifier: Apache-2.0

import unittest

from device import in_full
from idf_project import ProjectTest


class Cpp(ProjectTest):
    example = "cpp_ota"

    def test_updates_itself_and_catches_what_fails(self):
        good = (self.www / "app.bin").read_bytes()
        (self.www / "short.bin").write_bytes(good[:100])
        (self.www / "broken.bin").write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
        server = self.serve()
        console = self.run_device("--new", "--expect", "2.0.0,VALID", server=server,
                                  ask_for=["not_there.bin", "short.bin", "broken.bin", "app.bin", "app.bin"])
        self.check_lines(["network: passed", "memory: passed, ", "no update: no connection to https://localhost:",
                          "no update: no image there", "no update: the image is not valid (ESP_ERR_OTA_VALIDATE_FAILED)",
                          "cpp_ota: version 2.0.0 is offered", "the update is in place", "App version:      2.0.0",
                          "no update: this version runs already (ESP_ERR_INVALID_VERSION)"], console)

    @in_full
    def test_option_of_a_component_reaches_it(self):
        options = self.project.folder / "all_versions"
        options.write_text("CONFIG_UPDATER_VERSIONS_ALL=y\n")
        folder = self.build("all", "--config", options, "-D", "PROJECT_VER=2.0.0")
        console = self.run_device("--expect", "2.0.0,VALID", server=self.serve(), ask_for=["app.bin"], build=folder)
        self.assertEqual(console.count("the update is in place"), 1)


if __name__ == "__main__":
    unittest.main()
