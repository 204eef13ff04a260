"""One sdkconfig reaches everything; what CMakeLists.txt files may ask for; sanitizers, coverage and crashes; otter new."""
# SPDX-License-Identifier: Apache-2.0

import json
import os
import pty
import re
import select
import shutil
import subprocess
import unittest

from device import in_full
from idf_project import OTTER, SANITIZED, TOO_LARGE, Project, otter
from servers import HttpsServer

CMAKE = """cmake_minimum_required(VERSION 3.16)
set(EXTRA_COMPONENT_DIRS more)
include($ENV{IDF_PATH}/tools/cmake/project.cmake)
idf_build_set_property(COMPILE_DEFINITIONS "FROM_PROJECT=7" APPEND)
project(all)
target_add_binary_data(all.elf "notes.txt" TEXT)
partition_table_get_partition_info(storage "--partition-name storage" "offset size")
file(WRITE ${CMAKE_BINARY_DIR}/config/storage.txt "${storage}")
esptool_py_flash_to_partition(flash "storage" "${CMAKE_SOURCE_DIR}/notes.txt")
"""
# With no REQUIRES it would have all stand-ins built.
MAIN_CMAKE = 'idf_component_register(SRCS "main.c" PRIV_REQUIRES freertos)\n'
SMALL_CMAKE = CMAKE.split("target_add")[0].replace("set(EXTRA_COMPONENT_DIRS more)\n", "")
MAIN = """idf_build_get_property(project_dir PROJECT_DIR)
if(${IDF_VERSION_MAJOR} LESS 5 OR NOT IDF_TARGET STREQUAL linux OR "$ENV{IDF_VERSION}" VERSION_LESS 5)
    message(FATAL_ERROR "the version is not known here")
endif()
set(srcs "main.cpp")
if(CONFIG_ALL_EXTRA_SOURCE)
    list(APPEND srcs "extra.c")
endif()
idf_component_register(SRCS ${srcs} INCLUDE_DIRS "." REQUIRES whole espressif__old EMBED_FILES ${project_dir}/raw.bin
                       LDFRAGMENTS "chip.lf" REQUIRED_IDF_TARGETS esp32 esp32c3)
target_compile_options(${COMPONENT_LIB} PRIVATE -Werror -Wall)
idf_component_optional_requires(PRIVATE espressif__globbed nobody_has_this)
idf_component_get_property(dir some__globbed COMPONENT_DIR)
target_compile_definitions(${COMPONENT_LIB} PRIVATE GLOBBED_DIR="${dir}")
"""
MAIN_CPP = r"""
#include <cstdio>
#include <stdexcept>
#include <typeinfo>
#include "esp_ota_ops.h"
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"
#include "globbed.h"
#include "old.h"
#include "sdkconfig.h"

extern const char raw_start[] asm("_binary_raw_bin_start"), raw_end[] asm("_binary_raw_bin_end");
extern const char notes[] asm("_binary_notes_txt_start");
extern "C" const int notes_txt_length, extra, registered;

struct Base { virtual ~Base() = default; };
struct Derived : Base { };

static int thrown()
{
    try {
        throw std::runtime_error("caught");
    } catch (const std::exception &e) {
        printf("exception: %s\n", e.what());
    }
    Derived derived;
    Base &base = derived;
    return typeid(base) == typeid(Derived);
}

extern "C" void app_main(void)
{
    int unused_here;  // -Wall -Werror of the project does not stop it on this machine
    printf("rtti %d, hz %d, extra %d, project %d\n", thrown(), CONFIG_FREERTOS_HZ, extra, FROM_PROJECT);
    printf("raw %d, notes %s %d\n", (int)(raw_end - raw_start), notes, notes_txt_length);
    printf("old %d, globbed %d, registered %d, name %s\n", old(), globbed(), registered, CONFIG_ALL_NAME);
    printf("count %d, pin %d\n", CONFIG_ALL_COUNT, CONFIG_ALL_PIN);
    printf("deprecated %d %d\n", CONFIG_MAIN_TASK_STACK_SIZE, CONFIG_ESP_MAIN_TASK_STACK_SIZE);
    fflush(stdout);
}
"""
KCONFIG = """menu "All"
    config ALL_NAME
        string "A name"
        default "long" if ALL_KIND_B
        default "short"
    choice ALL_KIND
        prompt "Kind"
        default ALL_KIND_A
        config ALL_KIND_A
            bool "a"
        config ALL_KIND_B
            bool "b"
            select ALL_EXTRA_SOURCE
    endchoice
    config ALL_EXTRA_SOURCE
        bool
    orsource "$IDF_PATH/no/such/$IDF_TARGET/Kconfig.env"
    rsource "Kconfig.more"
endmenu
"""
FILES = {
    "CMakeLists.txt": CMAKE, "main/CMakeLists.txt": MAIN, "main/main.cpp": MAIN_CPP,
    "main/extra.c": "const int extra = 42;\n", "main/Kconfig.projbuild": KCONFIG,
    "main/Kconfig.more": 'orsource "$IDF_PATH/examples/common_components/env_caps/$IDF_TARGET/Kconfig.env_caps"\n'
                         "config ALL_COUNT\n int\n range 1 5\n default 3\n"
                         "config ALL_PIN\n int \"pin\"\n range ENV_GPIO_RANGE_MIN ENV_GPIO_OUT_RANGE_MAX\n default 8\n"
                         "config ALL_OF_A_CHIP\n int \"of a chip\"\n range 1 SOC_NOBODY_SAYS\n default 2\n",
    "raw.bin": "12345", "notes.txt": "some notes",
    "components/whole/CMakeLists.txt": 'idf_component_register(SRCS whole.c WHOLE_ARCHIVE)\n',
    "components/whole/whole.c": "int registered;\n__attribute__((constructor)) static void set(void) { registered = 5; }\n",
    "components/old/CMakeLists.txt": 'set(COMPONENT_SRCS "old.c")\nset(COMPONENT_ADD_INCLUDEDIRS ".")\nregister_component()\n',
    "components/old/old.c": '#include "old.h"\nint old(void) { return 4; }\n',
    "components/old/old.h": "#ifdef __cplusplus\nextern \"C\"\n#endif\nint old(void);\n",
    "more/globbed/CMakeLists.txt": 'idf_component_register(SRC_DIRS src EXCLUDE_SRCS src/not.c INCLUDE_DIRS include)\n',
    "more/globbed/src/yes.c": '#include "globbed.h"\nint globbed(void) { return 6; }\n',
    "more/globbed/src/not.c": "#error this source is excluded\n",
    "more/globbed/include/globbed.h": "#ifdef __cplusplus\nextern \"C\"\n#endif\nint globbed(void);\n",
    "partitions.csv": "nvs,data,nvs,,0x4000\notadata,data,ota,,0x2000\nota_0,app,ota_0,0x20000,1M\nota_1,app,ota_1,,1M\n"
                      "storage,data,spiffs,,64K\n",
    "sdkconfig.defaults": 'CONFIG_ESPTOOLPY_FLASHSIZE_4MB=y\nCONFIG_PARTITION_TABLE_CUSTOM=y\nCONFIG_ALL_KIND_B=y\n'
                          'CONFIG_PARTITION_TABLE_OFFSET=0xa000\nCONFIG_MAIN_TASK_STACK_SIZE=5000\n'
                          'CONFIG_ALL_KIND_A=\nCONFIG_ALL_COUNT=\nCONFIG_ALL_PIN=18\nCONFIG_ALL_OF_A_CHIP=3\n',
    "sdkconfig": "CONFIG_FREERTOS_HZ=500\nCONFIG_BT_ENABLED=y\nFREERTOS_HZ=400\n",
    "sdkconfig.ci.plain": "CONFIG_ALL_KIND_A=y\nCONFIG_ALL_EXTRA_SOURCE=y\n",
}
# A crash for each letter that the console gives. Tests name its lines.
CRASHES = """#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"
static void deep(volatile int *p)
{
    *p = 1;
}
static int endless(int n)
{
    volatile char room[1000] = {(char)n};
    return endless(n + 1) + room[0];
}
static void smash(size_t len)
{
    volatile char room[8];
    memset((char *)room, 1, len);
}
static int counted;
static void count(void *arg)
{
    for (int i = 0; i < 1000; i++) {
        counted++;
    }
    vTaskDelete(arg);
}
void app_main(void)
{
    volatile int large = 2147483647;
    switch (getchar()) {
    case 'a': deep(NULL); break;
    case 'b': printf("%d", endless(0)); break;
    case 'c': smash((size_t)atoi("64")); break;
    case 'd': {
        char *gone = malloc(4);
        free(gone), *gone = 1; break; }
    case 'e': large++; break;
    case 'f': xTaskCreate(count, "count", 4096, NULL, 5, NULL);
        for (int i = 0; i < 1000; i++) {
            counted++;
        }
        vTaskDelay(10);
    }
}
"""


@unittest.skipIf(SANITIZED, TOO_LARGE)
class OneSdkconfig(unittest.TestCase):
    def made(self, example, files=None):
        made = Project(example, files)
        self.addCleanup(made.remove)
        return made

    def test_all_that_a_cmakelists_may_say_reaches_the_program(self):
        made = self.made(None, FILES)
        done = made.build()
        self.assertIn("nothing here reads CONFIG_BT_ENABLED: left out", done.stderr)
        self.assertIn("left out, since an option is set by a line CONFIG_NAME=VALUE: sdkconfig:3\n", done.stderr)
        run = made.run()
        self.assertEqual((run.returncode, run.stderr), (0, ""), run.stdout)
        for line in ("exception: caught", "rtti 1, hz 500, extra 42, project 7", "raw 5, notes some notes 11",
                     "old 4, globbed 6, registered 5, name long", "count 3, pin 18", "deprecated 5000 5000"):
            self.assertIn(line, run.stdout)
        self.assertNotIn("built for a partition table at", run.stdout)  # table, program and boot agree
        self.assertEqual((made.out / "config" / "storage.txt").read_text(), "0x220000;0x10000")
        flash = (made.out / "flash" / "flash.bin").read_bytes()
        self.assertEqual((len(flash), flash[0xA000:0xA002], flash[0x220000:0x22000A]), (4 << 20, b"\xaaP", b"some notes"))
        self.assertEqual((made.path / "sdkconfig").read_text(), FILES["sdkconfig"])

    @in_full
    def test_program_describes_itself_and_says_which_chips_it_runs_on(self):
        main = """
#include <stdio.h>
#include "esp_app_desc.h"
const __attribute__((section(".rodata_desc"))) esp_app_desc_t esp_app_desc = {
    .magic_word = ESP_APP_DESC_MAGIC_WORD, .secure_version = 3, .version = "own-7", .date = "Jan  1 2026"};
void app_main(void)
{
    const esp_app_desc_t *desc = esp_app_get_description();
    printf("I am %s %s %u\\n", desc->project_name, desc->version, (unsigned)desc->secure_version);
}
"""
        made = self.made(None, {"CMakeLists.txt": SMALL_CMAKE, "main/CMakeLists.txt": 'idf_component_register(SRCS "main.c")\n',
                                "main/main.c": main, "version.txt": "1.0.0\n",
                                "sdkconfig.defaults": "CONFIG_ESP_REV_MIN_FULL=3  # of the chip that it is for\n"
                                "CONFIG_LOG_COLORS=n # as ESP-IDF's own files have it\n"})
        made.build()
        info = json.loads(otter("image", "info", *made.out.glob("*.bin"), "--json").stdout)
        self.assertEqual((info["app"]["version"], info["app"]["secure_version"]), ("own-7", 3), info)
        run = made.run()
        self.assertIn("image needs chip revision v0.3 or later, this is v0.0", run.stdout)
        made.write("sdkconfig.defaults", "")
        made.build()
        run = made.run()
        self.assertEqual(run.returncode, 0, run.stdout + run.stderr)
        self.assertRegex(run.stdout, r"I am \w+ own-7 3\n")
        made.write("main/main.c", main.replace("ESP_APP_DESC_MAGIC_WORD", "7"))
        self.assertIn("section .rodata_desc holds no app descriptor", otter("build", made.path).stdout)

    @in_full
    def test_options_for_the_chip_that_a_project_is_for_count(self):
        small = {"CMakeLists.txt": SMALL_CMAKE, "main/CMakeLists.txt": MAIN_CMAKE,
                 "main/main.c": "void app_main(void)\n{\n}\n", "sdkconfig.defaults": "CONFIG_FREERTOS_HZ=200\n",
                 "sdkconfig.defaults.esp32s3": "CONFIG_FREERTOS_HZ=300\nCONFIG_ESPTOOLPY_FLASHSIZE_16MB=y\n",
                 "sdkconfig.defaults.esp32c3": "CONFIG_FREERTOS_HZ=400\n"}
        says = {"sdkconfig": 'CONFIG_IDF_TARGET="esp32s3"\n',
                "dependencies.lock": "manifest_hash: 1\ntarget: esp32s3\nversion: 2.0.0\n",
                "sdkconfig.defaults": small["sdkconfig.defaults"] + 'CONFIG_IDF_TARGET="esp32s3"\n'}
        for files, hz, size in [({}, 200, 2), *(({name: text}, 300, 16) for name, text in says.items()),
                                ({**says, "sdkconfig.defaults.linux": "CONFIG_FREERTOS_HZ=500\n"}, 500, 16)]:
            with self.subTest(files):
                made = self.made(None, {**small, **files})
                otter("build", made.path, "--list-missing")
                config = json.loads((made.out / "config" / "sdkconfig.json").read_text())
                self.assertEqual((config["FREERTOS_HZ"], config["ESPTOOLPY_FLASHSIZE"]), (hz, f"{size}MB"))

    def test_lists_may_be_texts_with_blanks_and_components_a_choice(self):
        made = self.made(None, {
            "CMakeLists.txt": SMALL_CMAKE.replace("include($ENV", "set(COMPONENTS main both)\ninclude($ENV", 1),
            "main/CMakeLists.txt": 'idf_component_register(SRCS "main.c" REQUIRES "first second")\n',
            "main/main.c": '#include "first.h"\n#include "second.h"\nvoid app_main(void)\n{\n    first();\n    second();\n}\n',
            "components/first/CMakeLists.txt": 'set(COMPONENT_SRCS "first.c again.c")\nset(COMPONENT_ADD_INCLUDEDIRS "inc .")\n'
                                               'set(COMPONENT_REQUIRES "second both")\nregister_component()\n',
            "components/first/first.c": '#include "second.h"\nvoid again(void);\nvoid first(void) { again(); second(); }\n',
            "components/first/again.c": "void again(void) {}\n", "components/first/first.h": "void first(void);\n",
            "components/first/inc/empty.h": "",
            "components/second/CMakeLists.txt": 'idf_component_register(SRCS "second.c" INCLUDE_DIRS .)\n',
            "components/second/second.c": "void second(void) {}\n", "components/second/second.h": "void second(void);\n",
            "components/both/CMakeLists.txt": "idf_component_register()\n",
            "components/not/CMakeLists.txt": 'idf_component_register(SRCS "nowhere.c")\n'})
        made.build()
        components = json.loads((made.out / "project_description.json").read_text())["build_components"]
        self.assertLessEqual({"main", "first", "second", "both"}, set(components))
        self.assertNotIn("not", components)

    def test_what_every_component_could_include_in_idf_4_is_required_for_it_and_told(self):
        made = self.made(None, {
            "CMakeLists.txt": "set(EXTRA_COMPONENT_DIRS nowhere)\n" + SMALL_CMAKE,
            "main/CMakeLists.txt": 'idf_component_register(SRCS "main.c" REQUIRES old EMBED_FILES '
                                   '"${CMAKE_CURRENT_BINARY_DIR}/made.txt")\nadd_custom_command(OUTPUT made.txt COMMAND '
                                   '${CMAKE_COMMAND} -E touch made.txt)\n',
            "main/main.c": '#include "old.h"\nextern char made[] asm("_binary_made_txt_start");\n'
                           'void app_main(void)\n{\n    old(made[0]);\n}\n',
            "main/Kconfig.projbuild": 'menu "Mine"\n    help\n        A menu with a text.\nendmenu\n',
            "components/old/CMakeLists.txt": 'idf_component_register(SRCS "old.c" INCLUDE_DIRS "." REQUIRES freertos)\n',
            "components/old/old.h": '#include "driver/gpio.h"\nvoid old(gpio_num_t pin);\n',
            "components/old/old.c": '#include "old.h"\n#include <lwip/sockets.h>\n'
                                    'void old(gpio_num_t pin) { gpio_get_level(pin); }\n',
            "components/old/test/test_old.c": '#include "esp_eth.h"\n'})
        told = made.build().stderr
        self.assertIn("refused by ESP-IDF 5: old uses esp_driver_gpio, lwip", told)
        self.assertIn("EXTRA_COMPONENT_DIRS names nowhere, where no component is", told)

    def test_components_name_subtypes_of_their_own(self):
        made = self.made(None, {
            "CMakeLists.txt": SMALL_CMAKE, "main/CMakeLists.txt": 'idf_component_register(SRCS "main.c")\n',
            "main/main.c": "void app_main(void)\n{\n}\n", "sdkconfig.defaults": "CONFIG_PARTITION_TABLE_CUSTOM=y\n",
            "partitions.csv": "nvs,data,nvs,,0x4000\nkit,data,homekit,,0x1000\nmine,app,mine,,64K\napp,app,factory,,1M\n",
            "components/kit/CMakeLists.txt": "idf_component_register()\n",
            "components/kit/project_include.cmake":
                'idf_build_set_property(EXTRA_PARTITION_SUBTYPES "data, homekit, 0x46" APPEND)\n'
                'idf_build_set_property(EXTRA_PARTITION_SUBTYPES "app, mine, 0x41" APPEND)\n'
                'partition_table_get_partition_info(kit_at "--partition-subtype homekit" "offset")\n'
                "file(WRITE ${CMAKE_BINARY_DIR}/config/kit.txt ${kit_at})\n"})
        otter("build", made.path, "--list-missing")
        table = json.loads((made.out / "config" / "table.json").read_text())["partitions"]
        self.assertEqual([(p["label"], p["subtype"]) for p in table][1:3], [("kit", "homekit"), ("mine", "mine")])
        self.assertEqual((made.out / "config" / "kit.txt").read_text(), hex(table[1]["offset"]))

    def test_what_is_changed_in_the_build_folders_sdkconfig_stays(self):
        made = self.made(None, FILES)
        made.build()
        own = made.out / "sdkconfig"
        self.assertIn("CONFIG_FREERTOS_HZ=500\n", own.read_text())
        own.write_text(own.read_text().replace("CONFIG_FREERTOS_HZ=500", "CONFIG_FREERTOS_HZ=250"))
        made.append("sdkconfig.defaults", 'CONFIG_ALL_NAME="given"\n')
        made.write("CMakeLists.txt", CMAKE.replace("project(all)", f"project({'a' * 40})").replace("all.elf", f"{'a' * 40}.elf"))
        made.write("version.txt", "\n")
        made.build()
        described = json.loads(otter("image", "info", made.out / f"{'a' * 40}.bin", "--json").stdout)["app"]
        self.assertEqual((described["project_name"], described["version"]), ("a" * 31, "1"))
        self.assertIn("CONFIG_FREERTOS_HZ=250\n", own.read_text())
        self.assertIn('CONFIG_ALL_NAME="given"\n', own.read_text())
        self.assertIs(json.loads((made.out / "config" / "sdkconfig.json").read_text())["FREERTOS_HZ"], 250)

    @in_full
    def test_menus_change_it(self):
        made = self.made("simple_ota")
        made.build()
        master, slave = pty.openpty()
        with subprocess.Popen([OTTER, "menuconfig", made.path], stdin=slave, stdout=slave, stderr=slave,
                              env={**os.environ, "TERM": "xterm"}) as menus:
            os.close(slave)
            seen = b""
            while b"Compiler options" not in seen:  # the first screen is there
                self.assertTrue(select.select([master], [], [], 60)[0], seen)
                seen += os.read(master, 65536)
            os.write(master, b"/CONFIRM_BY\n")  # search, jump to what is found
            os.write(master, b" q")               # the other value, and out
            while menus.poll() is None:
                if select.select([master], [], [], 1)[0]:
                    try:
                        if b"Save" in os.read(master, 65536):
                            os.write(master, b"y")
                    except OSError:
                        break
            self.assertEqual(menus.wait(60), 0)
        os.close(master)
        made.build()
        self.assertIs(json.loads((made.out / "config" / "sdkconfig.json").read_text())["CONFIRM_BY_SELF_TEST"], False)

    def crash(self, made, kind):
        """@return what the console and standard error say of the crash that a letter asks CRASHES for"""
        run = made.run("--boots", "1", console=kind + "\n")
        self.assertEqual(run.returncode, 1, run.stdout + run.stderr)
        self.assertIn("Guru Meditation Error: Core  0 panic'ed (", run.stdout)
        return run.stdout, run.stderr

    def test_crash_is_told_with_names_and_lines(self):
        made = self.made(None, {"CMakeLists.txt": SMALL_CMAKE, "main/CMakeLists.txt": MAIN_CMAKE, "main/main.c": CRASHES,
                                "sdkconfig.defaults": "CONFIG_COMPILER_OPTIMIZATION_NONE=y\n"})
        made.build()
        at = r"at .*main/main\.c"
        for kind, told in [("a", rf"\nBacktrace: 0x\w+ 0x[^|]*\n(.*\n)*.*deep {at}:8\n.*app_main {at}:32"),
                           ("b", rf"\nBacktrace: 0x\w+ 0x[^|]*\n.*endless {at}:1\d\n.*endless {at}:13\n"),
                           ("c", r"\nBacktrace: 0x\w+ \|<-CORRUPTED\n.*smash at .*main/main\.c:19\n")]:
            with self.subTest(kind):
                self.assertRegex(self.crash(made, kind)[0], told)
        made.build("--sanitize", "address,undefined")
        for kind, told in [("d", r"AddressSanitizer: heap-use-after-free(.*\n)* +#0 .* in app_main .*main/main\.c:37\n"),
                           ("e", r"main/main\.c:38:.* signed integer overflow: .*\n +#0 .* in app_main .*main/main\.c:38\n")]:
            with self.subTest(kind):
                self.assertRegex(self.crash(made, kind)[1], told)

    @in_full
    def test_race_is_a_crash_with_the_names_of_both_sides(self):
        made = self.made(None, {"CMakeLists.txt": SMALL_CMAKE, "main/CMakeLists.txt": MAIN_CMAKE, "main/main.c": CRASHES})
        made.build("--sanitize", "thread")
        said = self.crash(made, "f")[1]
        self.assertIn("WARNING: ThreadSanitizer: data race", said)
        self.assertRegex(said, r"#0 app_main .*main/main\.c:4\d ")
        self.assertRegex(said, r"#0 count .*main/main\.c:2\d ")

    @in_full
    @unittest.skipUnless(shutil.which("gdb"), "gdb is not there")
    def test_debugger_stops_where_it_is_told_to(self):
        made = self.made(None, {"CMakeLists.txt": SMALL_CMAKE, "main/CMakeLists.txt": MAIN_CMAKE,
                                "main/main.c": "int answer = 42;\nvoid app_main(void)\n{\n    answer++;\n}\n"})
        made.build()
        run = made.run("--gdb", console="break app_main\nrun\nprint answer\nkill\nquit\n")
        self.assertEqual(run.returncode, 0, run.stdout + run.stderr)
        self.assertRegex(run.stdout, r"hit Breakpoint 1, app_main \(\)")
        self.assertIn("$1 = 42", run.stdout)

    @in_full
    def test_coverage_counts_all_boots_of_a_run(self):
        source = ('#include "esp_system.h"\nint never(void)\n{\n    return 3;\n}\nvoid app_main(void)\n{\n'
                  "    if (esp_reset_reason() == ESP_RST_POWERON) {\n        esp_restart();\n    }\n}\n")
        made = self.made(None, {"CMakeLists.txt": SMALL_CMAKE,
                                "main/CMakeLists.txt": MAIN_CMAKE, "main/main.c": source})
        made.build("--coverage")
        run = made.run()
        self.assertEqual((run.returncode, run.stderr), (0, ""))
        told = (made.out / "coverage.info").read_text()
        self.assertEqual(sorted(re.findall(r"^FNDA:(.*)$", told, re.M)), ["0,never", "2,app_main"])
        self.assertIn("DA:9,1\n", told)
        self.assertIn("DA:4,0\n", told)

    def test_pins_have_the_levels_that_a_command_line_gives(self):
        source = """
#include <stdio.h>
#include "driver/gpio.h"
#include "freertos/FreeRTOS.h"
#include "freertos/semphr.h"
#include "freertos/task.h"
static SemaphoreHandle_t pressed;
static void on_edge(void *arg) { xSemaphoreGive(pressed); }
void app_main(void)
{
    gpio_config_t config = {.pin_bit_mask = 1 << 4 | 1 << 5, .mode = GPIO_MODE_INPUT, .pull_up_en = GPIO_PULLUP_ENABLE};
    pressed = xSemaphoreCreateBinary();
    printf("config %d, pins %d %d\\n", gpio_config(&config), gpio_get_level(4), gpio_get_level(5));
    gpio_set_intr_type(5, GPIO_INTR_NEGEDGE);
    gpio_intr_enable(5);
    printf("without service 0x%x\\n", gpio_isr_handler_add(5, on_edge, NULL));
    int service = gpio_install_isr_service(0);
    printf("service %d, handler %d\\n", service, gpio_isr_handler_add(5, on_edge, NULL));
    printf("pressed %d\\n", (int)xSemaphoreTake(pressed, pdMS_TO_TICKS(30000)));
    printf("level %d, none 0x%x\\n", gpio_get_level(5), gpio_set_level(64, 1));
}
"""
        made = self.made(None, {"CMakeLists.txt": SMALL_CMAKE,
                                "main/CMakeLists.txt": 'idf_component_register(SRCS "main.c" PRIV_REQUIRES driver)\n',
                                "main/main.c": source})
        made.build()
        run = made.run("--gpio", "4=0", "--gpio", "5=0@1200ms")
        self.assertEqual((run.returncode, run.stderr), (0, ""), run.stdout)
        for line in ("config 0, pins 0 1", "without service 0x103", "service 0, handler 0", "pressed 1", "level 0, none 0x102"):
            self.assertIn(line, run.stdout)
        self.assertEqual(made.run("--gpio", "4=2").returncode, 2)

    def test_new_project_builds_and_runs(self):
        made = self.made(None, {})
        folder = made.folder / "thermostat"
        done = otter("new", folder)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(otter("new", folder).returncode, 1)
        done = otter("build", folder)
        self.assertEqual(done.returncode, 0, done.stderr)
        run = otter("run", folder / "build-otter", "--until", "no update: ESP_ERR_HTTP_CONNECT", "--max-seconds", "60")
        self.assertEqual(run.returncode, 0, run.stdout + run.stderr)
        self.assertIn("thermostat: version 0.1.0", run.stdout)

    @in_full
    def test_new_project_takes_one_update_and_stays_with_it(self):
        made = self.made(None, {})
        made.out = (made.folder / "thermostat") / "build-otter"
        made.path = made.out.parent
        self.assertEqual(otter("new", made.path).returncode, 0)
        made.write("ca.pem", (made.folder / "ca.pem").read_text())
        www = made.folder / "www"
        www.mkdir()
        with HttpsServer(www, made.cert) as server:
            made.append("sdkconfig.defaults", "CONFIG_MBEDTLS_CUSTOM_CERTIFICATE_BUNDLE=y\n"
                        'CONFIG_MBEDTLS_CUSTOM_CERTIFICATE_BUNDLE_PATH="ca.pem"\n'
                        f'CONFIG_UPDATE_URL="{server.url("thermostat.bin")}"\n')
            made.build("-D", "PROJECT_VER=0.2.0")
            shutil.copy(made.out / "thermostat.bin", www)
            made.build("-D", "PROJECT_VER=0.1.0")
            run = made.run("--expect", "0.2.0,VALID")
        self.assertEqual((run.returncode, run.stderr), (0, ""), run.stdout)
        self.assertEqual(run.stdout.count("this update is confirmed"), 1)
        self.assertTrue(run.stdout.rstrip().endswith("no update: ESP_ERR_NOT_FOUND"), run.stdout)

    @in_full
    def test_project_that_signs_its_app_runs_with_the_secure_boot_that_it_asks_for(self):
        made = self.made(None, {"CMakeLists.txt": SMALL_CMAKE, "main/CMakeLists.txt": MAIN_CMAKE,
                                "main/main.c": "void app_main(void)\n{\n}\n"})
        efuse = made.out / "flash" / "flash.bin.efuse"
        self.assertEqual(otter("key", "new", made.path / "key.pem").returncode, 0)
        otter("key", "public", made.path / "key.pem", "-o", made.path / "key.pub.pem")
        digest = otter("key", "digest", made.path / "key.pub.pem").stdout.strip()
        self.assertRegex(digest, r"^[0-9a-f]{64}$")
        key = 'CONFIG_SECURE_BOOT_SIGNING_KEY="key.pem"\n'
        for options, burned in (("", False), ("CONFIG_SECURE_SIGNED_APPS_NO_SECURE_BOOT=y\n" + key, False),
                                ("CONFIG_SECURE_BOOT=y\nCONFIG_SECURE_BOOT_BUILD_SIGNED_BINARIES=n\n", False),
                                ("CONFIG_SECURE_BOOT=y\n" + key, True)):  # of one device, one after the other
            made.write("sdkconfig.defaults", options)
            made.build()
            run = made.run()
            self.assertEqual(run.returncode, 0, run.stdout + run.stderr)
            self.assertEqual("the app is not signed, so the device has no secure boot" in run.stderr, "=n" in options)
            self.assertEqual(f"secure_boot_digest0={digest}\n" in efuse.read_text(), burned)
            self.assertEqual("secure_boot_v2: Signature verified successfully!" in run.stdout, burned)
        self.assertEqual(made.run("--new").returncode, 0)
        self.assertIn(digest, efuse.read_text())
        efuse.unlink()
        run = made.run()
        self.assertEqual(run.returncode, 1)
        self.assertIn("holds a signed app and flash.bin.efuse is not there", run.stderr)

    @in_full
    def test_secure_boot_v1_has_its_key_from_the_build(self):
        made = self.made(None, {"CMakeLists.txt": SMALL_CMAKE, "main/CMakeLists.txt": MAIN_CMAKE,
                                "main/main.c": "void app_main(void)\n{\n}\n"})
        efuse = made.out / "flash" / "flash.bin.efuse"
        self.assertEqual(otter("key", "new", made.path / "key.pem", "--scheme", "ecdsa256").returncode, 0)
        otter("key", "public", made.path / "key.pem", "--v1", "-o", made.path / "public.bin")
        public = (made.path / "public.bin").read_bytes()
        made.write("sdkconfig.defaults", "CONFIG_SECURE_BOOT=y\nCONFIG_SECURE_BOOT_V1_ENABLED=y\n"
                   'CONFIG_SECURE_BOOT_SIGNING_KEY="key.pem"\n')
        made.build()
        self.assertEqual((made.out / "config" / "signature_verification_key.bin").read_bytes(), public)
        run = made.run()
        self.assertEqual(run.returncode, 0, run.stdout + run.stderr)
        self.assertIn("secure_boot_scheme=v1\n", efuse.read_text())
        self.assertIn(f"secure_boot_v1_key={public.hex()}\n", efuse.read_text())
        made.write("sdkconfig.defaults", "CONFIG_SECURE_BOOT=y\nCONFIG_SECURE_BOOT_V1_ENABLED=y\n"
                   'CONFIG_SECURE_BOOT_BUILD_SIGNED_BINARIES=n\nCONFIG_SECURE_BOOT_VERIFICATION_KEY="public.bin"\n')
        made.build()
        run = made.run()
        self.assertEqual(run.returncode, 1, run.stdout + run.stderr)  # what nobody signed does not boot
        self.assertIn("not signed", run.stdout + run.stderr)


if __name__ == "__main__":
    unittest.main()
