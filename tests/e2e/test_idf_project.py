"""An ESP-IDF project folder builds as it is, runs, updates itself over HTTPS and restarts into the update."""
# SPDX-License-Identifier: Apache-2.0

import json
import os
import shutil
import subprocess
import unittest

from idf_project import SANITIZED, TOO_LARGE, Project, otter
from servers import HttpsServer


@unittest.skipIf(SANITIZED, TOO_LARGE)
class SimpleProject(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.project = Project()
        cls.addClassCleanup(cls.project.remove)
        cls.project.build("--build-dir", cls.project.folder / "next", "-D", "PROJECT_VER=2.0.0")
        cls.project.build()
        cls.www = cls.project.folder / "www"
        cls.www.mkdir()
        shutil.copy(cls.project.folder / "next" / "simple_ota.bin", cls.www / "app.bin")

    def serve(self):
        server = HttpsServer(self.www, self.project.cert)
        self.addCleanup(server.stop)
        return server.url("/app.bin", host="localhost")

    def test_takes_an_update_named_on_the_console_and_keeps_it_until_something_else_is_built(self):
        done = self.project.run("--new", "--expect", "2.0.0,VALID", console=self.serve() + "\n")
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)
        self.assertIn("IPv4 address: 127.0.0.1" if "127.0.0.1" in done.stdout else "IPv4 address: ", done.stdout)
        self.assertIn("Loaded app from partition at offset 0x20000", done.stdout)
        self.assertIn("Loaded app from partition at offset 0x1d0000", done.stdout)
        self.assertIn("ota_1 is confirmed", done.stdout)
        again = self.project.run("--expect", "2.0.0,VALID")
        self.assertEqual(again.returncode, 0, again.stdout + again.stderr)
        flashed = self.project.run("--flash", "--expect", "1.0.0")
        self.assertEqual(flashed.returncode, 0, flashed.stdout + flashed.stderr)

    def test_program_starts_by_itself_from_any_folder_with_what_was_built_in_flash(self):
        elf = self.project.out / "simple_ota.elf"
        done = subprocess.run([elf, "--expect", "2.0.0,VALID"], input=self.serve() + "\n", cwd="/", capture_output=True,
                              text=True, timeout=60, check=False)
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)
        self.assertIn("App version:      1.0.0", done.stdout)
        again = subprocess.run([elf], input="", cwd="/", capture_output=True, text=True, timeout=60, check=False)
        self.assertIn("App version:      1.0.0", again.stdout)

    def test_certificates_of_the_project_are_in_the_bundle(self):
        self.project.build("--build-dir", self.project.folder / "bundle", "--config", "bundle")
        done = otter("run", self.project.folder / "bundle", "--expect", "2.0.0", input=self.serve() + "\n")
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)

    def test_build_folder_is_as_esp_idfs(self):
        out = self.project.out
        self.assertEqual([p.name for p in out.glob("*.elf")], ["simple_ota.elf"])
        self.assertEqual([p.name for p in out.glob("*.bin")], ["simple_ota.bin"])
        flasher = json.loads((out / "flasher_args.json").read_text())
        self.assertEqual(flasher["flash_settings"]["flash_size"], "4MB")
        for offset, file in flasher["flash_files"].items():
            self.assertTrue((out / file).stat().st_size > 0, (offset, file))
        self.assertEqual(flasher["app"]["offset"], "0x20000")
        self.assertEqual(json.loads((out / "config" / "sdkconfig.json").read_text())["IDF_TARGET"], "linux")
        description = json.loads((out / "project_description.json").read_text())
        self.assertEqual((description["project_name"], description["project_version"], description["target"]),
                         ("simple_ota", "1.0.0", "linux"))

    def test_leaves_nothing_in_the_project_but_its_own_folder(self):
        made = sorted(p.name for p in self.project.path.iterdir())
        self.assertEqual(made, ["CMakeLists.txt", "build-otter", "ca.pem", "components", "main", "sdkconfig.ci.bundle",
                                "sdkconfig.defaults", "version.txt"])

    def test_plain_cmake_builds_the_same(self):
        idf_path = otter("idf-path").stdout.strip()
        folder = self.project.folder / "plain"
        environment = {**os.environ, "IDF_PATH": idf_path}
        for command in (["cmake", "-G", "Ninja", "-S", self.project.path, "-B", folder], ["cmake", "--build", folder]):
            subprocess.run(command, env=environment, check=True, capture_output=True, timeout=120)
        self.assertEqual((folder / "simple_ota.bin").read_bytes(), (self.project.out / "simple_ota.bin").read_bytes())


if __name__ == "__main__":
    unittest.main()
