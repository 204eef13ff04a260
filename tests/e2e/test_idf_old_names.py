"""A project with the names of ESP-IDF 3 and 4 gets its events by them, in their order, and takes its update."""
# SPDX-License-Identifier: Apache-2.0

import unittest

from idf_project import ProjectTest


class OldNames(ProjectTest):
    example = "old_names_ota"

    def test_connects_by_one_callback_and_takes_the_update(self):
        console = self.run_device("--new", "--expect", "2.0.0,VALID", server=self.serve(), ask_for=["nowhere.bin", "app.bin"])
        self.check_lines(["version 1.0.0", "joined home", "address ", "no update: ", "version 2.0.0", "joined home", "address "],
                         console)


if __name__ == "__main__":
    unittest.main()
