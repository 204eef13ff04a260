"""Folders of PlatformIO's with ESP-IDF as their framework: environments, flags, libraries, tables, files to upload."""
# SPDX-License-Identifier: Apache-2.0

import unittest

from idf_project import SANITIZED, TOO_LARGE, ConsoleTest, Project, otter

INI = """\
; a comment
[platformio]
default_envs = board, other

[env]
framework = espidf
build_flags =
    -DCOMMON=1        ; of all
    -I extra
    -Dcalloc=not_in_what_otter_supplies

[parent]
build_flags = ${env.build_flags} -D FROM_PARENT

[env:first]
board = x
build_flags = -DCOMMON=3

[env:board]
extends = parent
platform = espressif32
board_build.partitions = table.csv
board_upload.flash_size = 8MB
board_build.embed_txtfiles = src/text.txt
build_flags =
    ${parent.build_flags}
    -DNAME=\\"a\\ board\\"
    -D 'QUOTED="two words"'
    -Wno-everything -Os
    !echo -DVERSION=1
"""
MAIN = r"""
#include <stdio.h>
#include "extra.h"
#include "included.h"
#include "library.h"
#include "plain.h"
#include "esp_flash.h"
#include "esp_littlefs.h"
extern const char text[] asm("_binary_text_txt_start");
#ifndef FROM_PARENT
#define FROM_PARENT 0
#endif
void app_main(void)
{
    uint32_t size;
    char line[40] = "";
    esp_vfs_littlefs_conf_t conf = {.base_path = "/data"};
    esp_flash_get_size(NULL, &size);
    printf("%s, %s, %d, %d, %d bytes, %s\n", NAME, QUOTED, COMMON, FROM_PARENT + 0, (int)size, text);
    printf("%d %d %d %d\n", EXTRA, INCLUDED, library(), plain());
    printf("files %d\n", esp_vfs_littlefs_register(&conf));
    FILE *file = fopen("/data/a.txt", "r");
    if (file != NULL && fgets(line, sizeof(line), file) != NULL) {
        fclose(file);
    }
    printf("%s\nall is said\n", line);
}
"""
FILES = {
    "CMakeLists.txt": "cmake_minimum_required(VERSION 3.16)\n"
                      "include($ENV{IDF_PATH}/tools/cmake/project.cmake)\nproject(folder)\n",
    "platformio.ini": INI,
    "table.csv": "nvs,data,nvs,,0x4000\nfactory,app,factory,0x10000,2M\nfiles,data,littlefs,,64K\n",
    "sdkconfig.first": "CONFIG_ESPTOOLPY_FLASHSIZE_2MB=y\n",
    "sdkconfig.board": "CONFIG_ESPTOOLPY_FLASHSIZE_2MB=y\nCONFIG_PARTITION_TABLE_SINGLE_APP=y\n",
    "src/main.c": MAIN,
    "src/text.txt": "a text",
    "include/included.h": "#define INCLUDED 2\n",
    "extra/extra.h": "#define EXTRA 1\n",
    "lib/library/src/library.h": "int library(void);\n",
    "lib/library/src/library.c": '#include "library.h"\n#include "esp_log.h"\n'
                                 'int library(void) { ESP_LOGI("library", "here"); return 3; }\n',
    "lib/plain/plain.h": "int plain(void);\n",
    "lib/plain/plain.c": '#include "plain.h"\nint plain(void) { return 4; }\n',
    "lib/README": "no library",
    "data/a.txt": "uploaded",
}


@unittest.skipIf(SANITIZED, TOO_LARGE)
class PlatformIO(ConsoleTest):
    def made(self, **changes):
        made = Project(None, {**FILES, **changes})
        self.addCleanup(made.remove)
        return made

    def test_what_platformio_ini_says_is_done(self):
        made = self.made()
        done = made.build()
        self.assertIn("!echo -DVERSION=1 is not called", done.stdout + done.stderr)
        said = otter("run", made.out, "--until", "all is said", "--max-seconds", "60").stdout
        self.check_lines(("a board, two words, 1, 1, 8388608 bytes, a text\n", "1 2 3 4\n", "files 0\n", "uploaded\n"), said)
    def test_what_is_wrong_is_told(self):
        for name, ini, words in (
                ("an environment that is not there", INI.replace("default_envs = board", "default_envs = bord"),
                 ["platformio.ini: there is no [env:bord]: first, board"]),
                ("a circle", INI.replace("[parent]", "[parent]\nextends = env:board"), ["extends itself"]),
                ("a reference to itself", INI.replace("${env.build_flags} -D", "${parent.build_flags} -D"), ["refers to itself"]),
                ("a quote without its end", INI.replace("-Wno-everything", "'-Wno-everything"),
                 ["build_flags: No closing quotation"]),
                ("no ini", "a line\n" + INI, ["platformio.ini: File contains no section headers"])):
            with self.subTest(name):
                refused = self.made(**{"platformio.ini": ini}).refused()
                for word in words:
                    self.assertIn(word, refused)

    def test_another_environment_with_a_table_of_platformios_own(self):
        made = Project(None, {
            "CMakeLists.txt": FILES["CMakeLists.txt"].replace(
                "project(folder)", 'list(APPEND EXTRA_COMPONENT_DIRS ".pio/libdeps/first/esp_littlefs")\n'
                "project(a_name_that_is_longer_than_an_image_has)"),
            "platformio.ini": INI.replace("board = x", "board_build.partitions = huge_app.csv"),
            "sdkconfig.first": 'CONFIG_LOG_DEFAULT_LEVEL_NONE=y\n', "sdkconfig.board": "",
            "src/CMakeLists.txt": "FILE(GLOB_RECURSE app_sources ${CMAKE_SOURCE_DIR}/src/*.*)\nset(headers text.h)\n"
                                  "add_prefix(headers src/ ${headers})\nidf_component_register(SRCS ${app_sources} "
                                  "PRIV_REQUIRES freertos esp_littlefs EMBED_FILES ../${headers})\n",
            "src/Kconfig.projbuild": "config TASK_CORE\n    hex\n    default FREERTOS_NO_AFFINITY\n",
            "src/text.h": "embedded", "src/kind.h": "#define KIND 7\n",
            "src/main.cpp": 'extern "C" void app_main(void);\n#include <stdio.h>\n#include "sdkconfig.h"\n'
                          '#include <kind.h>\n#include "mdns.h"\nvoid app_main(void) {\nmdns_free();\n'
                          'printf("common %d, level %d, core %x, kind %d\\n", COMMON, '
                          'CONFIG_LOG_DEFAULT_LEVEL, CONFIG_TASK_CORE, KIND); }\n'})
        self.addCleanup(made.remove)
        done = made.build("-D", "PIO_ENV=first")
        self.assertIn("huge_app.csv is a partition table of PlatformIO's own", done.stdout + done.stderr)
        made.write("platformio.ini", INI.replace("board = x", "board_build.partitions = partitions_two_ota.csv"))
        again = made.build("-D", "PIO_ENV=first")
        self.assertNotIn("a partition table", again.stdout + again.stderr)
        self.assertIn("ota_1", (made.out / "config" / "table.json").read_text())
        said = otter("run", made.out, "--until", "common", "--max-seconds", "60").stdout
        self.check_lines(("common 3, level 0, core 7fffffff, kind 7\n",), said)


if __name__ == "__main__":
    unittest.main()
