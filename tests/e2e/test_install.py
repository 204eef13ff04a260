"""What `cmake --install` puts somewhere is all that others need: a firmware by find_package, a program by pkg-config."""
# SPDX-License-Identifier: Apache-2.0

import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

BUILD = pathlib.Path(os.environ["OTTER_BUILD"]).resolve()
SOURCE = pathlib.Path(os.environ["OTTER_SOURCE"]).resolve()
LIMIT_S = 120
CACHE = (BUILD / "CMakeCache.txt").read_text(encoding="utf-8")

PROGRAM = r"""
#include <stdio.h>

#include "esp_err.h"
#include "esp_http_client.h"
#include "otter/chip.h"
#include "otter/version.h"

int main(void)
{
    esp_http_client_config_t config = {.url = "https://localhost/"};
    esp_http_client_handle_t client = esp_http_client_init(&config);
    printf("%s %s %s %d\n", OTTER_VERSION, otter_chip_by_name("esp32c3")->title,
           esp_err_to_name(ESP_ERR_HTTP_CONNECT), client != NULL);
    return esp_http_client_cleanup(client);
}
"""


def run(*args, **options):
    done = subprocess.run([str(arg) for arg in args], capture_output=True, text=True, timeout=LIMIT_S, check=False, **options)
    if done.returncode != 0:
        raise AssertionError(f"{args}: {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


@unittest.skipIf(re.search(r"^OTTER_(SANITIZE|TSAN):BOOL=ON$", CACHE, flags=re.M), "installed from the build without sanitizers")
class Install(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="otter-install-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        first = cls.folder / "first"
        run("cmake", "--install", BUILD, "--prefix", first)
        cls.prefix = cls.folder / "moved" / "here"  # an installed tree does not know where it was
        cls.prefix.parent.mkdir()
        first.rename(cls.prefix)
        cls.otter = cls.prefix / "bin" / "otter"

    def project(self, name, cmake, **files):
        """A project outside of everything that comes from otter but by find_package. Returns its build folder."""
        folder = self.folder / name
        folder.mkdir()
        (folder / "CMakeLists.txt").write_text("cmake_minimum_required(VERSION 3.24)\n" + cmake)
        for file, text in files.items():
            (folder / file.replace("__", ".")).write_text(text)
        run("cmake", "-G", "Ninja", "-B", folder / "build", "-S", folder, f"-DCMAKE_PREFIX_PATH={self.prefix}")
        run("cmake", "--build", folder / "build")
        return folder / "build"

    def app(self, image):
        return run(self.otter, "image", "info", image)

    def test_a_firmware_is_built_and_runs(self):
        build = self.project("firmware", "project(lamp LANGUAGES C)\nfind_package(otter REQUIRED)\n"
                             "otter_firmware(lamp SOURCES main.c EMBED_TXTFILES motd.txt EMBED_FILES blob.bin)\n",
                             version__txt="3.2.1\n", motd__txt="hello", blob__bin="abc",
                             main__c='#include <stdio.h>\n'
                                     'extern const char motd[] __asm__("_binary_motd_txt_start");\n'
                                     'extern const char blob[] __asm__("_binary_blob_bin_start");\n'
                                     'extern const char end[] __asm__("_binary_blob_bin_end");\n'
                                     'void app_main(void)\n{\n    printf("lamp: %s %d\\n", motd, (int)(end - blob));\n}\n')
        said = self.app(build / "lamp.bin")
        self.assertRegex(said, r"project +lamp\n")
        self.assertRegex(said, r"version +3\.2\.1\n")
        flash = self.folder / "flash.bin"
        table = self.prefix / "share" / "doc" / "otter" / "examples" / "partitions_two_ota.csv"
        run(self.otter, "flash", "new", flash, "--size", "4MB", "--table", table, "--app", f"factory={build / 'lamp.bin'}")
        self.assertIn("lamp: hello 3\n", run(self.otter, "run", flash))
        (build.parent / "motd.txt").write_text("good evening")  # an embedded file is what the program is built from
        run("cmake", "--build", build)
        flash.unlink()
        run(self.otter, "flash", "new", flash, "--size", "4MB", "--table", table, "--app", f"factory={build / 'lamp.bin'}")
        self.assertIn("lamp: good evening 3\n", run(self.otter, "run", flash))

    def test_the_version_is_found_where_esp_idf_looks(self):
        main = "void app_main(void)\n{\n}\n"
        for name, head, files, version in (("of_project", "project(a VERSION 1.4.7 LANGUAGES C)", {}, "1.4.7"),
                                           ("of_file", "project(a VERSION 1.4.7 LANGUAGES C)", {"version__txt": "v9\n"}, "v9"),
                                           ("of_variable", 'project(a LANGUAGES C)\nset(PROJECT_VER "7-rc")',
                                            {"version__txt": "v9\n"}, "7-rc")):
            with self.subTest(name):
                build = self.project(name, f"{head}\nfind_package(otter 0.1 REQUIRED)\notter_firmware(a SOURCES main.c)\n",
                                     main__c=main, **files)
                self.assertRegex(self.app(build / "a.bin"), rf"version +{re.escape(version)}\n")

    def test_a_program_links_by_pkg_config(self):
        source = self.folder / "by_hand.c"
        source.write_text(PROGRAM)
        folder = next(self.prefix.rglob("otter.pc")).parent
        flags = run("pkg-config", "--cflags", "--libs", "otter", env={**os.environ, "PKG_CONFIG_PATH": str(folder)}).split()
        run(os.environ.get("CC", "cc"), source, "-o", self.folder / "by_hand", *flags)
        self.assertRegex(run(self.folder / "by_hand"), r"^\d+\.\d+\.\d+ ESP32-C3 ESP_ERR_HTTP_CONNECT 1\n$")

    def test_a_program_links_by_find_package(self):
        build = self.project("program", "project(program LANGUAGES C)\nfind_package(otter REQUIRED)\n"
                             "add_executable(program main.c)\ntarget_link_libraries(program PRIVATE otter::on_linux)\n",
                             main__c=PROGRAM)
        self.assertIn("ESP32-C3", run(build / "program"))

    def test_no_name_of_esp_idf_lands_in_the_include_folder(self):
        self.assertEqual([path.name for path in (self.prefix / "include").iterdir()], ["otter"])

    def test_the_command_finds_its_server(self):
        self.assertIn("usage: otter serve", run(self.otter, "serve", "--help"))


if __name__ == "__main__":
    unittest.main()
