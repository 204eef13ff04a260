"""Projects in other shapes update themselves: a factory firmware with one slot, and a sketch of setup() and loop()."""
# SPDX-License-Identifier: Apache-2.0

import unittest

from device import in_full
from idf_project import ProjectTest


class Factory(ProjectTest):
    example = "factory_ota"

    def test_installs_the_application_which_goes_back_for_its_update(self):
        good = (self.www / "app.bin").read_bytes()
        (self.www / "broken.bin").write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
        server = self.serve()
        urls = [server.url(name, host="localhost") for name in ("broken.bin", "app.bin", "app.bin")]
        console = self.run_lines([urls[0], urls[1], "update", urls[2]])
        self.check_lines(["factory firmware, version 1.0.0", "not installed: ESP_ERR_OTA_VALIDATE_FAILED",
                          "the application is installed", "application, version 2.0.0", "back to the factory firmware",
                          "factory firmware, version 1.0.0", "the application is installed", "application, version 2.0.0"],
                         console)
        image = (self.project.out / "factory_ota.bin").read_bytes()
        self.assertEqual(self.flash()[0x10000:0x10000 + len(image)], image)  # what is there stays

    def run_lines(self, lines):
        done = self.project.run("--new", "--expect", "2.0.0,VALID", console="".join(line + "\n" for line in lines))
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout


@in_full
class Sketch(ProjectTest):
    example = "sketch_ota"

    def test_loop_takes_the_update_between_two_blinks(self):
        console = self.run_device("--new", "--until", "nobody asks", "--expect", "2.0.0,VALID", server=self.serve(),
                                  ask_for=["nowhere.bin", "app.bin"])
        self.check_lines(["sketch_ota: version 1.0.0", "no update: ", "the update is in place after", "sketch_ota: version 2.0.0",
                          "nobody asks"], console)


if __name__ == "__main__":
    unittest.main()
