"""An ESP-IDF project folder builds as it is, runs, updates itself over HTTPS and restarts into the update."""
# SPDX-License-Identifier: Apache-2.0

import json
import os
import re
import shutil
import ssl
import subprocess
import unittest

from device import in_full
from idf_project import SOURCE, ProjectTest, otter
from servers import server_context



def sent_to(place, status):
    """A route that sends the client somewhere else."""
    def answer(handler):
        handler.send_response(status)
        handler.send_header("Location", place)
        handler.send_header("Content-Length", "0")
        handler.end_headers()
    return answer


def in_chunks(body, size):
    """A route that sends `body` in chunks, without telling its length."""
    def answer(handler):
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        for at in range(0, len(body), size):
            piece = body[at:at + size]
            handler.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        handler.wfile.write(b"0\r\n\r\n")
    return answer


class SimpleProject(ProjectTest):
    example = "simple_ota"

    def url(self, path):
        return self.serve().url(path, host="localhost")

    def test_takes_an_update_named_on_the_console_and_keeps_it_until_something_else_is_built(self):
        done = self.project.run("--new", "--expect", "2.0.0,VALID", console=self.url("app.bin") + "\n")
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
        done = subprocess.run([elf, "--expect", "2.0.0,VALID"], input=self.url("app.bin") + "\n", cwd="/", capture_output=True,
                              text=True, timeout=60, check=False)
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)
        self.assertIn("App version:      1.0.0", done.stdout)
        again = subprocess.run([elf], input="", cwd="/", capture_output=True, text=True, timeout=60, check=False)
        self.assertIn("App version:      1.0.0", again.stdout)

    def test_takes_three_updates_on_end(self):
        shutil.copy(self.project.out / "simple_ota.bin", self.www / "first.bin")
        console = self.run_device("--new", "--expect", "2.0.0,VALID", server=self.serve(),
                                  ask_for=["app.bin", "first.bin", "app.bin"])
        self.assertEqual(re.findall(r"Loaded app from partition at offset (\w+)", console), ["0x20000", "0x1d0000"] * 2)
        self.assertEqual(re.findall(r"App version: +(.*)", console), ["1.0.0", "2.0.0"] * 2)

    def test_follows_a_redirect_and_takes_an_image_in_chunks(self):
        image = (self.www / "app.bin").read_bytes()
        elsewhere = self.serve(routes={"/chunks.bin": in_chunks(image, 3000)})
        server = self.serve(routes={"/old.bin": sent_to("/older.bin", 308),
                                    "/older.bin": sent_to(elsewhere.url("/chunks.bin", host="localhost"), 302)})
        self.run_device("--new", "--expect", "2.0.0,VALID", server=server, ask_for=["old.bin"])
        self.assertEqual([path for _, path, _ in server.requests + elsewhere.requests], ["/old.bin", "/older.bin", "/chunks.bin"])

    @in_full
    def test_speaks_the_versions_of_tls_that_its_options_say(self):
        only_1_2 = server_context(self.project.cert, tls_max=ssl.TLSVersion.TLSv1_2)
        only_1_3 = server_context(self.project.cert, tls_min=ssl.TLSVersion.TLSv1_3)
        folder = self.build("tls1_3", "--config", "tls1_3")
        for build, takes, leaves, option in ((self.project.out, only_1_2, only_1_3, "TLS1_3"),
                                             (folder, only_1_3, only_1_2, "TLS1_2")):
            with self.subTest(option):
                console = self.run_device("--new", "--expect", "1.0.0", server=self.serve(context=leaves), ask_for=["app.bin"],
                                          build=build)
                self.check_lines([f"and CONFIG_MBEDTLS_SSL_PROTO_{option} is not set", "no update: ESP_ERR_HTTP_CONNECT"],
                                 console)
                self.run_device("--expect", "2.0.0,VALID", server=self.serve(context=takes), ask_for=["app.bin"], build=build)

    @in_full
    def test_certificates_of_the_project_are_in_the_bundle(self):
        self.project.build("--build-dir", self.project.folder / "bundle", "--config", "bundle")
        done = otter("run", self.project.folder / "bundle", "--expect", "2.0.0", input=self.url("app.bin") + "\n")
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
        theirs = sorted(p.name for p in (SOURCE / "examples" / "idf" / self.example).iterdir())
        self.assertEqual(made, sorted([*theirs, "build-otter", "ca.pem"]))

    @in_full
    def test_plain_cmake_builds_the_same(self):
        idf_path = otter("idf-path").stdout.strip()
        folder = self.project.folder / "plain"
        environment = {**os.environ, "IDF_PATH": idf_path}
        for command in (["cmake", "-G", "Ninja", "-S", self.project.path, "-B", folder], ["cmake", "--build", folder]):
            subprocess.run(command, env=environment, check=True, capture_output=True, timeout=120)
        self.assertEqual((folder / "simple_ota.bin").read_bytes(), (self.project.out / "simple_ota.bin").read_bytes())


if __name__ == "__main__":
    unittest.main()
