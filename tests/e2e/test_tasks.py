"""Many tasks at once in one firmware: nobody's data is touched by another, nothing crashes. Under ThreadSanitizer: no race."""
# SPDX-License-Identifier: Apache-2.0

import pathlib
import shutil
import subprocess
import unittest

from device import BUILD, OTTER, TIMEOUT_S, DeviceTest
from otter_serve import OtterServe
from servers import make_ca, make_cert

TABLE = """
nvs,data,nvs,0x9000,16K
otadata,data,ota,0xd000,8K
phy_init,data,phy,0xf000,4K
factory,app,factory,0x10000,2M
ota_0,app,ota_0,0x210000,2M
ota_1,app,ota_1,0x410000,2M
store,data,undefined,0x610000,64K
"""


class Tasks(DeviceTest):
    def run_tasks(self, *options, **environment):
        table = self.folder / "tasks.csv"
        table.write_text(TABLE)
        subprocess.run([OTTER, "flash", "new", self.flash, "--size", "8MB", "--table", table, "--app",
                        f"factory={BUILD / 'tests' / 'tasks.bin'}"], check=True, timeout=TIMEOUT_S, capture_output=True)
        return self.run_device("--boots", "1", *options, **environment)

    def assert_ended(self, tasks, console, errors):
        """Says what was not as expected without the thousands of lines that the tasks log on purpose."""
        said = [line for line in (console + errors).splitlines() if not line.endswith(("a line", "another"))]
        self.assertIn(f"{tasks} tasks ended, 0 faults", "\n".join(said))

    def test_tasks_do_not_touch_what_is_not_theirs(self):
        status, console, errors = self.run_tasks()
        self.assert_ended(18, console, errors)
        self.assertEqual(status, 0)

    def test_what_no_task_wrote_is_as_it_was(self):
        image = pathlib.Path(BUILD / "tests" / "tasks.bin").read_bytes()
        _, console, errors = self.run_tasks(TASKS="nvs,store,maps,update")
        self.assertIn(" 0 faults", console + errors)
        flash = pathlib.Path(self.flash).read_bytes()
        self.assertEqual(flash[0x10000:0x10000 + len(image)], image)
        for name, first, last in (("phy_init", 0xF000, 0x10000), ("ota_1", 0x410000, 0x610000), ("the rest", 0x620000, 0x800000)):
            self.assertEqual(flash[first:last].count(0xFF), last - first, name)

    def test_events_lists_and_log_by_themselves(self):
        _, console, errors = self.run_tasks(TASKS="post,loop,register,log")
        self.assert_ended(9, console, errors)

    def test_the_event_loop_outlives_tasks_that_are_deleted_in_it(self):
        _, console, errors = self.run_tasks(TASKS="deletions")
        self.assert_ended(1, console, errors)

    def test_an_update_over_https_is_looked_at_by_another_task(self):
        www = self.folder / "www"
        www.mkdir()
        shutil.copy(BUILD / "tests" / "tasks.bin", www)
        ca = make_ca(self.folder)
        with OtterServe(www, make_cert(self.folder, ca=ca)) as server:
            _, console, errors = self.run_tasks(TASKS="https,store,ask", OTA_URL=server.url("tasks.bin"),
                                                OTA_CA=pathlib.Path(ca.cert).read_text(encoding="utf-8"))
        self.assert_ended(5, console, errors)


if __name__ == "__main__":
    unittest.main()
