"""Folders of ESP-IDF projects as people have them: odd names, two builds at once, one that was killed, a device that runs."""
# SPDX-License-Identifier: Apache-2.0

import os
import re
import signal
import subprocess
import time
import unittest

from device import in_full
from idf_project import LIMIT_S, OTTER, SANITIZED, TOO_LARGE, Project, otter

FILES = {
    "CMakeLists.txt": "cmake_minimum_required(VERSION 3.16)\n"
                      "include($ENV{IDF_PATH}/tools/cmake/project.cmake)\nproject(small)\n",
    "main/CMakeLists.txt": 'idf_component_register(SRCS "main.c" EMBED_TXTFILES "text.txt" PRIV_REQUIRES freertos)\n',
    "main/main.c": '#include <stdio.h>\nvoid app_main(void)\n{\n    printf("ready\\n");\n    fflush(stdout);\n'
                   "    getchar();\n}\n",
    "main/text.txt": "text",
    "partitions.csv": "nvs,data,nvs,,0x4000\notadata,data,ota,,0x2000\nota_0,app,ota_0,0x20000,640K\nota_1,app,ota_1,,640K\n",
    "sdkconfig.defaults": "CONFIG_PARTITION_TABLE_CUSTOM=y\n",
}
READS = """
#include <stdio.h>
#include <stdlib.h>
#include "esp_system.h"
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"
void app_main(void)
{
    char line[32];
    printf("reset %d, stack %u\\n", esp_reset_reason(), (unsigned)uxTaskGetStackHighWaterMark(NULL));
    while (fgets(line, sizeof(line), stdin) != NULL) {
        printf("line %s", line);
        if (line[0] == 'r') {
            esp_restart();
        }
        if (line[0] == 'c') {
            abort();
        }
    }
}
"""
WRITTEN = "what was built is written into "


@unittest.skipIf(SANITIZED, TOO_LARGE)
class Folders(unittest.TestCase):
    def made(self, name="project"):
        made = Project(None, {})
        self.addCleanup(made.remove)
        made.path = made.folder / name
        made.out = made.path / "build-otter"
        for path, text in FILES.items():
            made.write(path, text)
        return made

    def start(self, *args, **options):
        """Begins a command that the test ends."""
        process = subprocess.Popen([OTTER, *args], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                   text=True, start_new_session=True, **options)
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        return process

    def test_folder_may_have_a_name_of_any_language(self):
        made = self.made("Bob's Müller & Söhne (Kopie) $5, [neu]")
        made.build()
        run = made.run()
        self.assertEqual((run.returncode, run.stderr), (0, ""), run.stdout)
        self.assertIn("ready\n", run.stdout)
        alone = subprocess.run([made.out / "small.elf"], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                               timeout=LIMIT_S, check=False)
        self.assertIn("ready\n", alone.stdout)

    def test_what_cmake_cannot_build_in_is_told_in_one_line(self):
        for name, odd in (("C#", "#"), ("a;b", ";"), ('12" display', '"'), ("${HOME}", "$"), ("back\\slash", "\\")):
            with self.subTest(name):
                said = self.made(name).refused()
                self.assertTrue(said.endswith(f"has a {odd} in its path: rename or move it"), said)
                self.assertEqual(len(said.splitlines()), 1)

    def test_build_folder_that_cannot_be_written_names_the_way_out(self):
        said = self.made().refused("--build-dir", "/proc/nothing/here")
        self.assertRegex(said, r"^otter build: /proc/nothing/here: .*; --build-dir FOLDER names another place to build in$")

    def test_two_builds_of_one_folder_wait_for_each_other(self):
        made = self.made()
        first = self.start("build", made.path)
        self.wait_for(made.out / "CMakeFiles")
        second = otter("build", made.path)
        self.assertEqual((second.returncode, second.stderr.count("waiting for another build in ")), (0, 1), second.stderr)
        self.assertRegex(second.stderr, r"process \d+ \(.*otter build ")
        self.assertEqual(first.wait(LIMIT_S), 0)
        self.assertEqual(made.run().returncode, 0)

    def wait_for(self, path):
        limit = time.monotonic() + LIMIT_S
        while not path.exists() and time.monotonic() < limit:
            time.sleep(0.005)
        self.assertTrue(path.exists())

    @in_full
    def test_build_that_was_killed_is_made_up_by_the_next_one(self):
        for reached in ("CMakeCache.txt", "config/components.cmake", "build.ninja", "esp-idf/main/libmain.a", "small.elf"):
            with self.subTest(reached):
                made = self.made()
                process = self.start("build", made.path)
                self.wait_for(made.out / reached)
                os.killpg(process.pid, signal.SIGKILL)
                process.wait(LIMIT_S)
                made.build()
                self.assertIn("ready\n", made.run().stdout)

    def test_flash_of_a_running_device_is_not_taken_away(self):
        made = self.made()
        made.build()
        device = self.start("run", made.out)
        while "ready" not in device.stdout.readline():
            self.assertIsNone(device.poll())
        before = (made.out / "flash" / "flashed").read_text()
        second = made.run("--new")
        self.assertEqual(second.returncode, 1)
        self.assertIn(" has it open (a running device", second.stderr)
        self.assertEqual((made.out / "flash" / "flashed").read_text(), before)
        device.communicate("\n", timeout=LIMIT_S)
        self.assertEqual(device.returncode, 0)
        self.assertEqual(made.run().stderr, "")

    def test_second_run_says_at_once_for_whom_it_waits_and_then_how_that_ended(self):
        made = self.made()
        made.build()
        device = self.start("run", made.out)
        while "ready" not in device.stdout.readline():
            self.assertIsNone(device.poll())
        begun = time.monotonic()
        second = self.start("run", made.out)
        waits = second.stdout.readline()
        self.assertLess(time.monotonic() - begun, 5)
        self.assertRegex(waits, rf"^otter run: {re.escape(str(made.out))}/flash/flash.bin: process \d+ \(.*otter run .*\) "
                                r"has it open: waiting for that to end, 10 seconds at most$")
        device.communicate("\n", timeout=LIMIT_S)
        self.assertTrue(second.stdout.readline().endswith("flash.bin: it is free now\n"))
        second.communicate("\n", timeout=LIMIT_S)
        self.assertEqual(second.returncode, 0)

    @in_full
    def test_what_is_built_anew_is_written_into_the_flash_and_told(self):
        made = self.made()
        made.build()
        flash = made.out / "flash" / "flash.bin"
        self.assertEqual(made.run().stderr, "")
        self.assertEqual(otter("nvs", "set", flash, "app", "name", "kept", "--type", "str").returncode, 0)
        made.write("partitions.csv", FILES["partitions.csv"].replace("640K", "704K"))
        made.write("main/text.txt", "another text")
        made.build()
        run = made.run()
        self.assertIn(WRITTEN, run.stderr)
        self.assertIn("000b0000", run.stdout)
        self.assertEqual(made.run().stderr, "")
        self.assertIn("kept", otter("nvs", "show", flash).stdout)
        made.append("sdkconfig.defaults", "CONFIG_ESPTOOLPY_FLASHSIZE_4MB=y\nCONFIG_PARTITION_TABLE_OFFSET=0x8000\n")
        made.build()
        self.assertIn("had another size: a new one is made", made.run().stderr)
        self.assertEqual(flash.stat().st_size, 4 << 20)
        flash.unlink()
        self.assertEqual(made.run().stderr, "")
        self.assertEqual(flash.stat().st_size, 4 << 20)

    @in_full
    def test_console_that_is_closed_is_one_that_has_ended(self):
        made = self.made()
        made.build()
        run = subprocess.run(["sh", "-c", f"exec '{OTTER}' run build-otter <&-"], cwd=made.path, capture_output=True, text=True,
                             timeout=LIMIT_S, check=False)
        self.assertEqual((run.returncode, run.stderr), (0, ""), run.stdout)
        self.assertIn("ready\n", run.stdout)

    def test_console_lines_that_one_boot_leaves_are_there_for_the_next(self):
        made = self.made()
        made.write("main/main.c", READS)
        made.append("sdkconfig.defaults", "CONFIG_ESP_MAIN_TASK_STACK_SIZE=5000\n")
        made.build()
        said = made.run(console="one\nrestart\ntwo\ncrash\nthree\n").stdout
        self.assertEqual(re.findall("^(?:line|reset) .*$", said, re.M),
                         ["reset 1, stack 5000", "line one", "line restart", "reset 3, stack 5000", "line two", "line crash",
                          "reset 4, stack 5000", "line three"])


if __name__ == "__main__":
    unittest.main()
