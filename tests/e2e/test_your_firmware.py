"""docs/YOUR-FIRMWARE.md: its lines, pasted beside a clone, build the template and prove that it updates itself."""
# SPDX-License-Identifier: Apache-2.0

import os
import pathlib
import re
import subprocess
import tempfile
import unittest

from device import in_full

BUILD = pathlib.Path(os.environ["OTTER_BUILD"]).resolve()
SOURCE = pathlib.Path(os.environ["OTTER_SOURCE"]).resolve()
TEMPLATE = SOURCE / "examples" / "template"
LIMIT_S = 280


def blocks():
    text = (SOURCE / "docs" / "YOUR-FIRMWARE.md").read_text(encoding="utf-8")
    return re.findall(r"^```sh\n(.*?)^```$", text, flags=re.M | re.S)


def has_sanitizers():
    return re.search(r"^OTTER_(SANITIZE|TSAN):BOOL=ON$", (BUILD / "CMakeCache.txt").read_text(), flags=re.M) is not None


class YourFirmware(unittest.TestCase):
    def test_the_script_is_shown_as_it_is_and_has_twenty_lines(self):
        script = (TEMPLATE / "ci").read_text(encoding="utf-8")
        self.assertEqual(blocks()[1], script)
        self.assertEqual(script.count("\n"), 20)

    def test_every_file_of_the_template_is_explained(self):
        text = (SOURCE / "docs" / "YOUR-FIRMWARE.md").read_text(encoding="utf-8")
        for path in TEMPLATE.rglob("*"):
            if path.is_file():
                self.assertIn(f"| `{path.relative_to(TEMPLATE)}` |", text)

    @unittest.skipIf(has_sanitizers(), "the template is built by the run without sanitizers")
    @in_full
    def test_the_template_builds_outside_the_clone_updates_itself_and_confirms(self):
        with tempfile.TemporaryDirectory(prefix="otter-template-") as temp:
            folder = pathlib.Path(temp)
            (folder / "otter").symlink_to(SOURCE)
            environment = {key: value for key, value in os.environ.items() if key != "OTTER"}
            environment["CMAKE_BUILD_TYPE"] = "Debug"  # compiles in half the time
            environment |= {"CCACHE_BASEDIR": temp, "CCACHE_NOHASHDIR": "1"}  # where ccache compiles, it knows the files again
            done = subprocess.run(["bash", "-e"], input=blocks()[0], cwd=folder, capture_output=True, text=True, timeout=LIMIT_S,
                                  check=False, env=environment)
            told = done.stdout + done.stderr
            self.assertEqual(done.returncode, 0, told)
            rest = done.stdout
            for line in (r"thermostat: version 1\.0\.0\n", r"rst:0xc \(SW_CPU_RESET\)", r"thermostat: version 1\.0\.0-next",
                         r"self-test passed: ESP_OK", r"boots next: ota_1 \(thermostat 1\.0\.0-next\)", r"ota_1 +VALID"):
                found = re.search(line, rest)
                self.assertIsNotNone(found, f"{line!r} is missing or out of order in\n{told}")
                rest = rest[found.end():]
            self.change_the_version(folder / "thermostat")
            self.fail_the_self_test(folder / "thermostat")

    def fail_the_self_test(self, project):
        """The update crashes on its trial: `ci` says so, the version before is back, and the update is not taken again."""
        main = project / "main" / "main.c"
        good = main.read_text(encoding="utf-8")
        first_line = "static void confirm(void)\n{\n"
        self.assertIn(first_line, good)
        crash = '    if (strstr(esp_app_get_description()->version, "-next") != NULL) {\n        abort();\n    }\n'
        main.write_text(good.replace(first_line, first_line + crash), encoding="utf-8")
        done = subprocess.run(["./ci"], cwd=project, capture_output=True, text=True, timeout=LIMIT_S, check=False)
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertEqual(done.stdout.count("Guru Meditation"), 1, done.stdout)
        self.assertIn("no update: ESP_ERR_NOT_FOUND", done.stdout)
        self.assertIn("boots next: ota_0 (thermostat 1.0.1)", done.stdout)

    def change_the_version(self, project):
        """One file has it: the next build is another version, and nothing else is built again."""
        (project / "version.txt").write_text("1.0.1\n")
        done = subprocess.run(["cmake", "--build", "build"], cwd=project, capture_output=True, text=True, timeout=LIMIT_S,
                              check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertNotIn("Building C object", done.stdout)
        image = subprocess.run([project / "build" / "otter" / "otter", "image", "info", project / "build" / "thermostat.bin"],
                               capture_output=True, text=True, timeout=60, check=True)
        self.assertRegex(image.stdout, r"version +1\.0\.1\n")


if __name__ == "__main__":
    unittest.main()
