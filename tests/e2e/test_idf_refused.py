"""What no project is, or none that builds: one line each, with the file and the next step."""
# SPDX-License-Identifier: Apache-2.0

import json
import os
import struct
import subprocess
import unittest

from device import in_full
from idf_project import Project, otter

CMAKE = """cmake_minimum_required(VERSION 3.16)
{before}include($ENV{{IDF_PATH}}/tools/cmake/project.cmake)
project(bad)
{behind}"""
APP = "void app_main(void) {}\n"
COMPONENT = "idf_component_register()\n"


def project(before="", behind="", main='idf_component_register(SRCS "main.c" PRIV_REQUIRES freertos)\n', source=APP, **files):
    """The files of a small project; `files` has __ for / and _dot_ for a point."""
    made = {"CMakeLists.txt": CMAKE.format(before=before, behind=behind), "main/CMakeLists.txt": main, "main/main.c": source}
    return {**made, **{name.replace("__", "/").replace("_dot_", "."): text for name, text in files.items()}}


# An ELF file of an ESP32 (machine 94) with one empty section, as a compiler for it leaves one.
ESP32_OBJECT = (b"\x7fELF\1\1\1" + bytes(9) +
                struct.pack("<HHIIIIIHHHHHH", 1, 94, 1, 0, 0, 52, 0, 52, 0, 0, 40, 1, 0) + bytes(40))


def archive(data):
    """An archive with one file in it, and with an index that says that pre() is there."""
    index = struct.pack(">II", 1, 8 + 60 + 12) + b"pre\0"
    members = [(b"/", index), (b"pre.o/", data)]
    return b"!<arch>\n" + b"".join(b"%-16b%-12d%-6d%-6d%-8b%-10d`\n" % (name, 0, 0, 0, b"100644", len(content)) + content
                                   for name, content in members)


EXTRA = "set(EXTRA_COMPONENT_DIRS a b)\n"

# name, files, pieces of the one line
REFUSED = [
    ("no CMakeLists.txt", {"main/main.c": APP}, ["has no CMakeLists.txt", "otter new"]),
    ("a CMakeLists.txt of another project", {"CMakeLists.txt": "cmake_minimum_required(VERSION 3.16)\nproject(other NONE)\n"},
     ["CMakeLists.txt is not that of an ESP-IDF project", "tools/cmake/project.cmake"]),
    ("a folder of sources that is not there", project(main="idf_component_register(SRC_DIRS nowhere)\n"),
     ["main/CMakeLists.txt: SRC_DIRS names", "main/nowhere", "correct the name"]),
    ("a name that no program has",
     {**project(), "CMakeLists.txt": CMAKE.format(before="", behind="").replace("(bad)", '("b d")')},
     ['project("b d"): CMake takes letters']),
    ("a Makefile", {"Makefile": ""}, ["old build system", "convert_to_cmake.py"]),
    ("no main", {"CMakeLists.txt": CMAKE.format(before="", behind="")}, ["there is no folder main/", "app_main()"]),
    ("options in a circle",
     project(main__Kconfig_dot_projbuild="config A\n bool\n depends on B\nconfig B\n bool\n depends on A\n"),
     ["in a circle", "A (main/Kconfig.projbuild:1)", "B (main/Kconfig.projbuild:4)"]),
    ("a Kconfig that is not there", project(main__Kconfig='source "$NOWHERE/Kconfig"\n'),
     ["main/Kconfig:1: '$NOWHERE/Kconfig' not found (in 'source \"$NOWHERE/Kconfig\"'): correct the path, or set the variable"]),
    ("a Kconfig that sources itself", project(main__Kconfig='rsource "Kconfig"\n'), ["main/Kconfig:1", "recursive"]),
    ("a component twice", project(EXTRA, a__x__CMakeLists_dot_txt=COMPONENT, b__x__CMakeLists_dot_txt=COMPONENT),
     ["component 'x' is there twice, in a/x and in b/x", "rename or remove"]),
    ("a component that nobody has", project(main='idf_component_register(SRCS "main.c" REQUIRES gadget)\n'),
     ["'gadget'", "main/CMakeLists.txt", "components/"]),
    ("a table that does not fit", project(sdkconfig_dot_defaults="CONFIG_PARTITION_TABLE_TWO_OTA=y\n"),
     ["does not fit", "2MB", "CONFIG_ESPTOOLPY_FLASHSIZE"]),
    ("a table that is not there", project(sdkconfig_dot_defaults="CONFIG_PARTITION_TABLE_CUSTOM=y\n"),
     ["partitions.csv", "CONFIG_PARTITION_TABLE_CUSTOM_FILENAME"]),
    ("a number out of range", project(sdkconfig_dot_defaults="\nCONFIG_FREERTOS_HZ=5000\n"),
     ["sdkconfig.defaults:2: CONFIG_FREERTOS_HZ is 1 to 1000, not 5000"]),
    ("a switch that is no y or n", project(sdkconfig="CONFIG_BOOTLOADER_APP_ROLLBACK_ENABLE=yes\n"),
     ["sdkconfig:1: CONFIG_BOOTLOADER_APP_ROLLBACK_ENABLE is y or n, not yes"]),
    ("a stack that is none", project(sdkconfig_dot_defaults="CONFIG_ESP_MAIN_TASK_STACK_SIZE=-5\n"),
     ["sdkconfig.defaults:1: CONFIG_ESP_MAIN_TASK_STACK_SIZE is 1 to 33554432, not -5"]),
    ("a table between sectors", project(sdkconfig_dot_defaults="CONFIG_PARTITION_TABLE_OFFSET=0x8100\n"),
     ["CONFIG_PARTITION_TABLE_OFFSET is 0x8100", "multiple of 0x1000"]),
    ("a number that is none", project(sdkconfig_dot_defaults="CONFIG_PARTITION_TABLE_OFFSET=zz\n"), ["is a number, not zz"]),
    ("a manifest that is no YAML", project(main__idf_component_dot_yml="dependencies:\n  a: [\n"),
     ["main/idf_component.yml:3", "no YAML"]),
    ("a dependency's folder that is not there",
     project(main__idf_component_dot_yml="dependencies:\n  a: {path: ../nowhere}\n"), ["'a'", "../nowhere", "correct the path"]),
    ("a component's CMakeLists.txt that ends too early", project(main="idf_component_register(SRCS\n"),
     ["main/CMakeLists.txt:1: Parse error."]),
    ("a dependency in ESP-IDF that is not here",
     project(main__idf_component_dot_yml="dependencies:\n  led: {path: '${IDF_PATH}/examples/common_components/led'}\n"),
     ["'led'", "${IDF_PATH}/examples/common_components/led, a part of ESP-IDF", "into components/led"]),
    ("a subtype that nobody knows",
     project(partitions_dot_csv="nvs,data,nvs,,0x4000\nkit,data,homekit,,0x1000\napp,app,factory,,1M\n",
             sdkconfig_dot_defaults="CONFIG_PARTITION_TABLE_CUSTOM=y\n"),
     ["line 2: Value 'homekit' is not valid", 'EXTRA_PARTITION_SUBTYPES "data, homekit, 0x40" APPEND)']),
    ("a source that is not there", project(main='idf_component_register(SRCS "mian.c")\n'), ["main/mian.c", "correct its name"]),
    ("a key that is not there",
     project(sdkconfig_dot_defaults="CONFIG_SECURE_SIGNED_APPS_NO_SECURE_BOOT=y\n"),
     ["secure_boot_signing_key.pem", "otter key new"]),
    ("a component that includes what is not there", project(main="include(nowhere.cmake)\nidf_component_register()\n"),
     ["main/CMakeLists.txt:1: include(): include could not find requested file: nowhere.cmake"]),
    ("a component that git has not fetched",
     project(main='idf_component_register(SRCS "main.c" REQUIRES far)\n',
             _dot_gitmodules='[submodule "far"]\n\tpath = components/far\n'),
     ["'far'", "a submodule of git is empty: components/far; `git submodule update --init --recursive`"]),
    ("a folder of components that git has not fetched",
     project("set(EXTRA_COMPONENT_DIRS far)\n", _dot_gitmodules='[submodule "far"]\n\tpath = far\n'),
     ["names far", "a submodule of git is empty: far; `git submodule update --init --recursive`"]),
    ("an error of CMake's own", project(before="frobnicate()\n"),
     ["cannot configure the project: CMakeLists.txt:2: Unknown CMake command \"frobnicate\"."]),
    ("an image of a kind that is not made", project(behind="nvs_create_partition_image(nvs nvs.csv)\n"),
     ["NVS", "'nvs'", "esptool_py_flash_to_partition"]),
    ("files for a partition that is not there", project(behind="spiffs_create_partition_image(storage main)\n"),
     ["/main are for partition 'storage'", "add it there"]),
    ("files of a folder that is not there", project(behind="littlefs_create_partition_image(nvs www)\n"),
     ["/www, which is no folder", "correct the name"]),
    ("files that are too much for their partition",
     project(behind="fatfs_create_spiflash_image(phy_init main FLASH_IN_PROJECT)\n"),
     ["the files take", "and their partition has 4096"]),
    ("an image for a partition that is not there", project(behind="esptool_py_flash_to_partition(flash data x.bin)\n"),
     ["partition 'data'", "add it there"]),
]

# The same, of what the compiler finds.
NOT_COMPILED = [
    ("a header that nobody has", project(source='#include "driver/i2s_std.h"\n' + APP),
     ["main/main.c:1", "needs driver/i2s_std.h", "components/", "--list-missing"]),
    ("a function that nobody has", project(source="void gpio_foo(void);\nvoid app_main(void) { gpio_foo(); }\n"),
     ["main/main.c:2", "uses gpio_foo", "components/"]),
    ("a macro that is misspelled", project(source='#include "esp_err.h"\nvoid app_main(void) { ESP_EROR_CHECK(0); }\n'),
     ["main/main.c:2 uses ESP_EROR_CHECK", "is ESP_ERROR_CHECK meant?"]),
    ("a name that nobody declares", project(source="void app_main(void) { ZZ_QQ_XX(0); }\n"),
     ["main/main.c:1 uses ZZ_QQ_XX", "include its header, correct the name"]),
    ("a file that nobody embeds",
     project(source="extern const char s[] __asm__(\"_binary_ca_cert_pem_start\");\nextern int ca_cert_pem_length;\n"
                    "int app_main(void) { return ca_cert_pem_length + s[0]; }\n"),
     ["otter build: /", "main/main.c:3 uses _binary_ca_cert_pem_start",
      "name it (ca_cert.pem, or what else becomes ca_cert_pem) in EMBED"]),
    ("an option of a chip's compiler", project(behind="target_compile_options(bad.elf PRIVATE -mno-such-option)\n"),
     ["this machine's compiler does not take an option: ", "-mno-such-option", "IDF_TARGET is linux"]),
    ("no app_main", project(source="int x;\n"), ["app_main()", "main/"]),
    ("an app that no partition takes",
     project(sdkconfig_dot_defaults="CONFIG_PARTITION_TABLE_CUSTOM=y\n", partitions_dot_csv="factory,app,factory,,64K\n"),
     ["bad.bin has", "takes 65536", "partition table"]),
]


class Refused(unittest.TestCase):
    def made(self, files):
        made = Project(None, files)
        self.addCleanup(made.remove)
        return made

    def check(self, rows):
        for name, files, pieces in rows:
            with self.subTest(name):
                line = self.made(files).refused().splitlines()[-1]
                self.assertTrue(line.startswith("otter build: "), line)
                for piece in pieces:
                    self.assertIn(piece, line)

    def test_before_the_compiler_runs(self):
        self.check(REFUSED)

    @in_full
    def test_by_what_the_compiler_says(self):
        self.check(NOT_COMPILED)

    @in_full
    def test_header_of_a_component_that_is_not_required_is_told_with_it(self):
        made = self.made(project(components__old__CMakeLists_dot_txt='idf_component_register(SRCS "old.c")\n',
                                 components__old__old_dot_c='#include "mdns.h"\nvoid old(void) { mdns_free(); }\n'))
        self.assertIn("components/old/old.c:1:10 needs mdns.h, which is of component 'mdns': name that in "
                      "REQUIRES", made.refused().splitlines()[-1])
        self.assertEqual(otter("build", made.path, "--list-missing").stdout.splitlines(),
                         ["header of component 'mdns', which its user does not require: mdns.h: "
                          "components/old/old.c"])

    @in_full
    def test_libraries_for_another_machine_and_damaged_ones_are_named(self):
        pre = "idf_component_register(INCLUDE_DIRS .)\n"
        source = "int pre(void);\nvoid app_main(void) { pre(); }\n"
        made = self.made(project(main='idf_component_register(SRCS "main.c" REQUIRES pre)\n', source=source,
                                 components__pre__CMakeLists_dot_txt=pre))
        library = made.path / "components" / "pre" / "libpre.a"
        ways = ["add_prebuilt_library(prebuilt libpre.a)\ntarget_link_libraries(${COMPONENT_LIB} INTERFACE prebuilt)\n",
                'target_link_libraries(${COMPONENT_LIB} INTERFACE "-L${COMPONENT_DIR}" -lpre)\n',
                "target_link_libraries(${COMPONENT_LIB} INTERFACE ${COMPONENT_DIR}/libpre.a)\n"]
        told = ["adds {}, which is not there", "links libpre.a, which is not there", "there is no {}, and"]
        for way, absent in zip(ways, told):
            made.write("components/pre/CMakeLists.txt", pre + way)
            for content, piece in [(None, absent.format(library)), (archive(ESP32_OBJECT), "libpre.a is for another machine"),
                                   (b"no archive", "it is damaged")]:
                with self.subTest(way, piece=piece):
                    if content is None:
                        library.unlink(missing_ok=True)
                    else:
                        library.write_bytes(content)
                    if not (content == b"no archive" and "-lpre" in way):  # the linker takes its name for nothing
                        self.assertIn(piece, made.refused().splitlines()[-1])

    def test_objects_among_the_sources_have_to_be_for_this_machine(self):
        source = "int pre(void);\nvoid app_main(void) { pre(); }\n"
        listed = 'idf_component_register(SRCS "main.c" "pre.o")\n'
        added = 'idf_component_register(SRCS "main.c")\ntarget_sources(${COMPONENT_LIB} PRIVATE pre.o)\n'
        made = self.made(project(source=source, main__pre_dot_c="int pre(void) { return 1; }\n"))
        pre = made.path / "main" / "pre.o"
        subprocess.run(["cc", "-c", pre.with_suffix(".c"), "-o", pre], check=True)
        here = pre.read_bytes()
        of_other = here[:18] + struct.pack("<H", 94) + here[20:]
        for main, content, piece in [(listed, ESP32_OBJECT, f"main/CMakeLists.txt adds {pre}, which is for another machine"),
                                     (listed, of_other, f"main/CMakeLists.txt adds {pre}, which is for another machine"),
                                     (listed, b"no object", f"main/CMakeLists.txt adds {pre}, which is no object file"),
                                     (added, of_other, "pre.o is for another machine: here a library"),
                                     (listed, here, None)]:
            made.write("main/CMakeLists.txt", main)
            pre.write_bytes(content)
            with self.subTest(main, piece=piece):
                if piece is None:
                    made.build()
                else:
                    self.assertIn(piece, made.refused().splitlines()[-1])

    def test_a_build_folder_of_another_idf_path_is_named(self):
        made = self.made(project())
        idf_path = otter("idf-path").stdout.strip()
        for entry in ("esp-idf_SOURCE_DIR:STATIC", "otter_idf_path:INTERNAL"):  # ESP-IDF's, and another otter's
            folder = made.folder / entry
            folder.mkdir()
            (folder / "CMakeCache.txt").write_text(f"{entry}=/other\n")
            done = subprocess.run(["cmake", "-G", "Ninja", "-S", made.path, "-B", folder], capture_output=True, text=True,
                                  env={**os.environ, "IDF_PATH": idf_path}, timeout=60, check=False)
            self.assertIn(f"otter: the build folder {folder} was made with IDF_PATH=/other, which is {idf_path} now: remove it",
                          done.stderr)

    def test_another_otter_configures_anew(self):
        made = self.made(project())
        made.build()
        command = made.out / "config/command"
        line, decided = command.read_text(), made.out / "config/components.cmake"
        time = decided.stat().st_mtime_ns
        for text, anew in ((line, False), (line.replace(otter("idf-path").stdout.strip(), "/other", 1), True)):
            command.write_text(text)
            made.build()
            self.assertEqual(anew, decided.stat().st_mtime_ns != time)
            self.assertEqual(line, command.read_text())

    def test_python_environment_of_esp_idf_is_passed_over(self):
        """Its kconfiglib has the name of ours, and nothing of what ours has."""
        made = self.made(project(sdkconfig_dot_defaults="CONFIG_ESPTOOLPY_FLASHSIZE_4MB=y\n"))
        theirs = made.folder / "theirs"
        (theirs / "bin").mkdir(parents=True)
        (theirs / "kconfiglib.py").write_text("")
        python = theirs / "bin" / "python3"
        python.write_text(f'#!/bin/sh\nPYTHONPATH={theirs} exec /usr/bin/python3 "$@"\n')
        python.chmod(0o755)
        done = otter("build", made.path, env={**os.environ, "PATH": f"{python.parent}:{os.environ['PATH']}"})
        self.assertEqual(0, done.returncode, done.stdout + done.stderr)

    def test_all_that_is_missing_is_told_at_once(self):
        source = '#include "driver/i2s_std.h"\n#include "bt.h"\nvoid app_main(void) { i2s_t x; i2s_init(&x); }\n'
        made = self.made(project(main='idf_component_register(SRCS "main.c" REQUIRES gadget)\n', source=source))
        done = otter("build", made.path, "--list-missing")
        self.assertEqual(done.returncode, 1)
        self.assertEqual(done.stdout.splitlines(), [
            "component gadget: required by component 'main' (main/CMakeLists.txt)", "header bt.h: main/main.c",
            "header driver/i2s_std.h: main/main.c", "function i2s_init: main/main.c", "type or value i2s_t: main/main.c"])

    def test_what_is_missing_is_not_what_a_missing_header_would_have_included(self):
        source = ('#include "common.h"\nint there(int);\nvoid app_main(void)\n{\n    esp_err_t err = NULL == 0;\n'
                  '    printf("%d", err);\n    vTaskDelay(1);\n    gpio_get_level(4);\n    nobody_has(there(2));\n}\n')
        made = self.made(project(source=source, main='idf_component_register(SRCS "main.c")\nno_command_of_ours()\n'))
        self.assertIn('Unknown CMake command "no_command_of_ours"', made.refused("--list-missing"))
        made.write("main/CMakeLists.txt", 'idf_component_register(SRCS "main.c")\n')
        for _ in range(2):  # the second time nothing is configured anew
            self.assertEqual(otter("build", made.path, "--list-missing").stdout.splitlines(),
                             ["header common.h: main/main.c", "function nobody_has: main/main.c"])
        made.write("main/main.c", source.replace('#include "common.h"', "#include <stdio.h>").replace("NULL == 0", "0")
                   .replace("esp_err_t", "int").replace("vTaskDelay(1);", "").replace("gpio_get_level(4);", ""))
        made.append("main/main.c", "void nobody_has(int);\n")
        self.assertEqual(otter("build", made.path, "--list-missing").stdout.splitlines(),
                         ["function nobody_has: main/main.c", "function there: main/main.c"])

    def test_images_that_are_not_made_do_not_hide_what_else_is_missing(self):
        made = self.made(project(behind="nvs_create_partition_image(nvs values.csv FLASH_IN_PROJECT)\n",
                                 source='#include "cJSON.h"\nvoid nobody_has(void);\nvoid app_main(void) { nobody_has(); }\n',
                                 main__idf_component_dot_yml="dependencies:\n  espressif/gadget: '^2'\n"
                                 "  espressif/cjson: '^1'\n"))  # ESP-IDF's component json
        self.assertEqual(otter("build", made.path, "--list-missing").stdout.splitlines(),
                         ["component espressif/gadget: main/idf_component.yml",
                          "NVS image of partition nvs: values.csv", "function nobody_has: main/main.c"])
        self.assertIn("nothing here makes the NVS image of partition 'nvs'", made.refused())

    def test_build_folder_of_a_chip_is_not_run(self):
        made = self.made({"build/flasher_args.json": json.dumps({"extra_esptool_args": {"chip": "esp32c3"}})})
        done = otter("run", made.path / "build")
        self.assertEqual(done.returncode, 1)
        self.assertIn("is built for esp32c3; `otter build PROJECT`", done.stderr)


if __name__ == "__main__":
    unittest.main()
