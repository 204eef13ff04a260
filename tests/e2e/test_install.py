"""What `cmake --install` puts somewhere is all that others need: a firmware by find_package, a program by pkg-config."""
# SPDX-License-Identifier: Apache-2.0

import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

from device import in_full
from servers import HttpsServer, make_cert

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

# An allocation of the library's is told, and fails.
NO_HEAP = r"""
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
static void *refuse(const char *what)
{
    fprintf(stderr, "the heap was asked for memory: %s\n", what);
    exit(77);
}
void *__wrap_malloc(size_t size) { (void)size; return refuse("malloc"); }
void *__wrap_calloc(size_t n, size_t size) { (void)n; (void)size; return refuse("calloc"); }
void *__wrap_realloc(void *p, size_t size) { (void)p; (void)size; return refuse("realloc"); }
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

    @in_full
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

    @in_full
    def test_a_program_links_by_find_package(self):
        build = self.project("program", "project(program LANGUAGES C)\nfind_package(otter REQUIRED)\n"
                             "add_executable(program main.c)\ntarget_link_libraries(program PRIVATE otter::on_linux)\n",
                             main__c=PROGRAM)
        self.assertIn("ESP32-C3", run(build / "program"))

    def flash(self, name):
        """A new flash file with a firmware in factory."""
        path = self.folder / name
        examples = self.prefix / "share" / "doc" / "otter" / "examples"
        run(self.otter, "flash", "new", path, "--size", "4MB", "--table", examples / "partitions_two_ota.csv",
            "--app", f"factory={BUILD / 'examples' / 'simple_ota-1.0.0.bin'}")
        return path

    def example(self, name, *arguments):
        """An example that comes with the package, built in a folder of its own. Returns its program."""
        source = self.prefix / "share" / "doc" / "otter" / "examples" / name
        run("cmake", "-G", "Ninja", "-B", self.folder / name, "-S", source, f"-DCMAKE_PREFIX_PATH={self.prefix}", *arguments)
        run("cmake", "--build", self.folder / name)
        return self.folder / name / name

    def test_a_program_of_ones_own_updates_boots_and_confirms(self):
        updater, flash = self.example("updater"), self.flash("own.bin")
        served = self.folder / "served"
        served.mkdir()
        shutil.copy(BUILD / "examples" / "simple_ota-1.1.0.bin", served / "firmware.bin")
        with HttpsServer(served, make_cert(served)) as server:
            url = f"https://localhost:{server.port}/firmware.bin"
            said = run(updater, flash, url, served / "ca.pem")
            self.assertRegex(said, r"^factory: .*\nsimple_ota 1\.0\.0, entry 0x\w+, 2 segments\n")
            self.assertRegex(said, r"\n\d+ bytes written to ota_0\n")
            self.assertRegex(said, r"\nota_0: .*on trial.*\nsimple_ota 1\.1\.0, .*\nota_0 is confirmed\n$")
            self.assertIn("VALID", run(self.otter, "flash", "info", flash))
            (served / "firmware.bin").write_bytes(b"no image")
            refused = subprocess.run([updater, flash, url, served / "ca.pem"], capture_output=True, text=True, timeout=LIMIT_S,
                                     check=False)
        self.assertEqual(refused.returncode, 1)
        self.assertRegex(refused.stderr, r"^updater: gate: .*\n$")
        missing = subprocess.run([updater, "none.bin", url, served / "ca.pem"], capture_output=True, text=True, timeout=LIMIT_S,
                                 check=False)
        self.assertRegex(missing.stderr, r"^updater: none\.bin: No such file or directory .*\n$")

    def test_a_bootloader_without_a_heap_boots_and_falls_back(self):
        (self.folder / "no_heap.c").write_text(NO_HEAP)
        wrap = "-Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc"
        run("cc", "-c", self.folder / "no_heap.c", "-o", self.folder / "no_heap.o")
        bootloader = self.example("bootloader", f"-DCMAKE_EXE_LINKER_FLAGS={wrap} {self.folder / 'no_heap.o'}")
        flash = self.flash("boots.bin")
        said = run(bootloader, flash, "linux")
        self.assertRegex(said, r"256 bytes to 0x00000000\n\d+ bytes to 0x10000000\nfactory starts at 0x00000000\n$")
        run(self.otter, "flash", "write", flash, "ota_0", BUILD / "examples" / "simple_ota-1.1.0.bin")
        run(self.otter, "flash", "select", flash, "ota_0")
        self.assertIn("ota_0 starts at", run(bootloader, flash, "linux"))  # its trial begins, nobody confirms it
        self.assertIn("factory starts at", run(bootloader, flash, "linux"))
        for slot in "factory", "ota_0":
            run(self.otter, "flash", "erase", flash, slot)
        ends = subprocess.run([bootloader, flash, "linux"], capture_output=True, text=True, timeout=LIMIT_S, check=False)
        self.assertEqual(ends.returncode, 1)
        self.assertRegex(ends.stdout, r"reset: .*nothing verifies\n$")

    def test_no_name_of_esp_idf_lands_in_the_include_folder(self):
        self.assertEqual([path.name for path in (self.prefix / "include").iterdir()], ["otter"])

    def test_the_command_finds_its_server(self):
        self.assertIn("usage: otter serve", run(self.otter, "serve", "--help"))


if __name__ == "__main__":
    unittest.main()
