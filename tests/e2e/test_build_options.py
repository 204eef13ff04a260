"""Options of a firmware's build: application and library follow the same ones, however they were given."""
# SPDX-License-Identifier: Apache-2.0

import json
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

from device import BUILD, OTTER, SOURCE, TIMEOUT_S

# What tests/firmware/options.c tells, by the way its options were given (tests/CMakeLists.txt). Times are in milliseconds.
BUILDS = {
    "options_default": {
        "hz": 100, "name": (16, "main"), "digits": 9, "events": 32, "waited": (2000, 20000), "rollback": "on",
        "lines": {"application's debug": 0, "application's verbose": 0, "library's debug": 0},
    },
    "options_defined": {
        "hz": 300, "name": (16, "main"), "digits": 9, "events": 32, "waited": (0, 1900), "rollback": "on",
        "lines": {"application's debug": 0, "application's verbose": 1, "library's debug": 1},
    },
    "options_from_file": {
        "hz": 1000, "name": (4, "mai"), "digits": 64, "events": 3, "waited": (100, 1900), "rollback": "off",
        "lines": {"application's debug": 1, "application's verbose": 0, "library's debug": 2},
    },
}
BUILDS["options_of_own_build"] = BUILDS["options_defined"]
LINES = {
    "application's debug": r"D \(\d+\) options: the application's debug line",
    "application's verbose": r"V \(\d+\) options: the application's verbose line",
    "library's debug": r"D \(\d+\) esp_https_ota: event 0 was not posted: ESP_ERR_INVALID_STATE",
}


class BuildOptions(unittest.TestCase):
    def run_build(self, name):
        folder = pathlib.Path(tempfile.mkdtemp(prefix="otter-options-"))
        self.addCleanup(shutil.rmtree, folder)
        flash, image = folder / "flash.bin", BUILD / "tests" / f"{name}.bin"
        if name == "options_of_own_build":
            image = folder / "app.bin"
            subprocess.run(["strip", "-o", folder / "app", BUILD / "tests" / name], check=True, timeout=TIMEOUT_S)
            subprocess.run([OTTER, "image", "build", "--elf", folder / "app", "--chip", "linux", "--project", "options",
                            "--version", "1.0.0", "-o", image], check=True, timeout=TIMEOUT_S, capture_output=True)
        subprocess.run([OTTER, "flash", "new", flash, "--size", "8MB", "--table",
                        SOURCE / "examples" / "partitions_two_ota_8MB.csv", "--app",
                        f"factory={image}"], check=True, timeout=TIMEOUT_S, capture_output=True)
        done = subprocess.run([OTTER, "run", flash], capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)
        return done.stdout

    def find(self, pattern, console):
        found = re.findall(pattern, console, flags=re.M)
        self.assertEqual(len(found), 1, console)
        return found[0]

    def check_build(self, name):
        want, console = BUILDS[name], self.run_build(name)
        hz, ms, ticks = map(int, self.find(r"^(\d+) Hz: 200 ms took (\d+) ms and (\d+) ticks$", console))
        self.assertEqual(hz, want["hz"])
        self.assertTrue(199 <= ms < 2000, f"{ms} ms")  # with another number of ticks a second: 20 ms or 2 s
        self.assertTrue(hz // 5 <= ticks < hz * 2, f"{ticks} ticks")
        self.assertEqual(self.find(r"^(\d+) bytes of name: '(.*)'$", console), tuple(map(str, want["name"])))
        self.assertEqual(self.find(r"^(\d+) digits: (\d+)$", console), (str(want["digits"]),) * 2)
        size, found_room, waited = map(int, self.find(r"^(\d+) events: (\d+) found room, the next waited (\d+) ms$", console))
        self.assertEqual((size, found_room), (want["events"],) * 2)
        low, high = want["waited"]
        self.assertTrue(low <= waited < high, f"{waited} ms")
        self.assertEqual(self.find(r"^rollback: application (\w+), library (\w+)$", console), (want["rollback"],) * 2)
        self.assertEqual({line: len(re.findall(LINES[line], console)) for line in LINES}, want["lines"], console)
        return console

    def test_without_any_the_defaults_hold(self):
        self.assertNotIn("built for a partition table", self.check_build("options_default"))

    def test_compile_definitions_reach_the_library(self):
        self.assertNotIn("built for a partition table", self.check_build("options_defined"))

    def test_a_build_of_ones_own_that_compiles_app_start_with_them_needs_no_more(self):
        self.check_build("options_of_own_build")

    def test_a_file_of_the_configuration_tool_reaches_the_library(self):
        console = self.check_build("options_from_file")
        self.assertRegex(console, r"W \(\d+\) app_start: built for a partition table at 0x10000 "
                                  r"\(CONFIG_PARTITION_TABLE_OFFSET\); this device has it at 0x8000: ")

    def test_the_secure_version_is_in_the_image(self):
        for name, version in (("options_default", 0), ("options_from_file", 3)):
            done = subprocess.run([OTTER, "image", "info", "--json", BUILD / "tests" / f"{name}.bin"], check=True,
                                  capture_output=True, text=True, timeout=TIMEOUT_S)
            self.assertEqual(json.loads(done.stdout)["app"]["secure_version"], version, name)

    def test_the_file_becomes_a_header(self):
        header = (BUILD / "tests" / "options_from_file_sdkconfig.h").read_text(encoding="utf-8")
        self.assertIn("#define CONFIG_LOG_DEFAULT_LEVEL_DEBUG 1\n", header)
        self.assertIn('#define CONFIG_EXAMPLE_TEXT "[a;b] is \\"one\\" text @here@"\n', header)
        for off in ("CONFIG_LOG_DEFAULT_LEVEL_INFO", "CONFIG_EXAMPLE_OFF"):
            self.assertNotIn(off, header)


class Library(unittest.TestCase):
    """What keeps it so: the sources of the library cannot see an option, but in one file."""

    def test_no_source_of_the_library_asks_for_an_option(self):
        may = {"src/base/build_options.c"}
        sources = [path for folder in ("src", "port/linux", "port/sim") for path in (SOURCE / folder).rglob("*.[ch]")]
        self.assertGreater(len(sources), 80)
        asking = []
        for path in sources:
            code = re.sub(r'/\*.*?\*/|"[^"\n]*"', "", path.read_text(encoding="utf-8"), flags=re.S)
            if re.search(r"\bCONFIG_[A-Z]", code):
                asking.append(str(path.relative_to(SOURCE)))
        self.assertEqual([path for path in asking if path not in may], [])

    def test_a_macro_with_an_option_in_it_does_not_compile_in_the_library(self):
        source = '#include "esp_flash_partitions.h"\nunsigned at = ESP_PARTITION_TABLE_OFFSET;\n'
        for options, status in (([], 0), (["-DOTTER_LIBRARY"], 1)):
            done = subprocess.run(["cc", "-I", SOURCE / "include", "-fsyntax-only", "-x", "c", *options, "-"], input=source,
                                  capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
            self.assertEqual(done.returncode, status, done.stderr)

    def test_rollback_is_on_unless_a_compile_definition_turns_it_off(self):
        for options, on in (([], True), (["-DCONFIG_BOOTLOADER_APP_ROLLBACK_ENABLE"], True),
                            (["-DCONFIG_BOOTLOADER_APP_ROLLBACK_ENABLE=1"], True),
                            (["-DCONFIG_BOOTLOADER_APP_ROLLBACK_ENABLE=0"], False)):
            with self.subTest(options):
                source = ('#include "sdkconfig.h"\n'
                          f'#if{"n" if on else ""}def CONFIG_BOOTLOADER_APP_ROLLBACK_ENABLE\n#error "no"\n#endif\n')
                done = subprocess.run(["cc", "-Werror", "-I", SOURCE / "include", "-fsyntax-only", "-x", "c", *options, "-"],
                                      input=source, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
                self.assertEqual(done.returncode, 0, done.stderr)

    def test_an_option_out_of_range_is_refused_where_it_is_compiled(self):
        for option in ("CONFIG_FREERTOS_HZ=0", "CONFIG_FREERTOS_HZ=1001", "CONFIG_LOG_DEFAULT_LEVEL=6",
                       "CONFIG_LOG_MAXIMUM_LEVEL=-1", "CONFIG_APP_RETRIEVE_LEN_ELF_SHA=65",
                       "CONFIG_ESP_SYSTEM_EVENT_QUEUE_SIZE=0", "CONFIG_ESP_HTTPS_OTA_EVENT_POST_TIMEOUT=-2",
                       "CONFIG_FREERTOS_MAX_TASK_NAME_LEN=0"):
            with self.subTest(option):
                done = subprocess.run(["cc", "-I", SOURCE / "include", "-fsyntax-only", "-x", "c", f"-D{option}", "-"],
                                      input='#include "sdkconfig.h"\n', capture_output=True, text=True, timeout=TIMEOUT_S,
                                      check=False)
                self.assertNotEqual(done.returncode, 0)
                self.assertIn(f'#error "{option.split("=", maxsplit=1)[0]}'.replace(
                    "CONFIG_ESP_HTTPS_OTA_EVENT_POST_TIMEOUT", "an event"), done.stderr)


if __name__ == "__main__":
    unittest.main()
