"""ESP-IDF's own update code as a firmware of `otter run`: builds, updates, rolls back, survives cuts. Wants a checkout.

OTTER_IDF_PATH names it; `./dev idf DIR...` does that, and makes the Python environment that ESP-IDF wants. OTTER_IDF_EXTRA names
a checkout of espressif/idf-extra-components, which has the example with encrypted images.
"""
# SPDX-License-Identifier: Apache-2.0
import fcntl
import importlib.util
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import time
import unittest

SOURCE = pathlib.Path(os.environ.get("OTTER_SOURCE", pathlib.Path(__file__).resolve().parents[2]))
BUILD = pathlib.Path(os.environ.get("OTTER_BUILD", SOURCE / "build")).resolve()
OTTER = BUILD / "otter"
INSIDE = SOURCE / "idf" / "inside"
CHECKOUT = os.environ.get("OTTER_IDF_PATH", "")
EXTRA = os.environ.get("OTTER_IDF_EXTRA", "")  # a checkout of espressif/idf-extra-components, for encrypted images
LIMIT = 600  # seconds for one build on a busy machine
held = {}  # the lock of each work folder, until this process ends


def load(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


checkout = load(INSIDE / "idf_py" / "otter_checkout.py")


def otter(*words, **env):
    done = subprocess.run([OTTER, *map(str, words)], text=True, capture_output=True, timeout=60, stdin=subprocess.DEVNULL,
                          env={**os.environ, **env}, check=False)
    return done


class Folder(unittest.TestCase):
    """What holds of the components where no checkout is."""

    # Components of ESP-IDF that ours require, and that linux has.
    THEIRS = {"soc", "spi_flash", "mbedtls", "heap", "esp_app_format", "esp_partition", "partition_table", "log", "freertos",
              "esp_system", "esp_event", "esp_http_client", "esp_netif", "esp_timer"}

    def registered(self):
        for file in sorted(INSIDE.glob("*/CMakeLists.txt")):
            yield file.parent, re.sub(r"#.*", "", file.read_text(encoding="utf-8"))

    def test_what_is_required_is_here_or_esp_idfs(self):
        here = {folder.name for folder, _ in self.registered()}
        self.assertIn("otter_run", here)
        for folder, text in self.registered():
            for words in re.findall(r"\bREQUIRES\s+([a-z_\s]+)", text):
                self.assertEqual(set(), set(words.split()) - here - self.THEIRS, folder)

    def test_sources_compile_by_declarations_in_place_of_esp_idf(self):
        folders = [SOURCE / "tests/idf_linux/headers", SOURCE / "include", SOURCE / "port",
                   *INSIDE.glob("*/include"), *INSIDE.glob("*/shim"), *(SOURCE / "idf/components").glob("*/include")]
        words = [os.environ.get("CC") or "gcc", "-std=gnu17", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror", "-fsyntax-only",
                 *(f"-I{folder}" for folder in folders)]
        sources = sorted(INSIDE.glob("*/*.c"))
        self.assertGreater(len(sources), 5)
        done = subprocess.run([*words, *sources], text=True, capture_output=True, timeout=120, check=False)
        self.assertEqual((0, ""), (done.returncode, done.stderr))

    def test_an_old_checkout_is_named_when_the_build_is_configured(self):
        with tempfile.NamedTemporaryFile("w", suffix=".cmake") as script:
            script.write("function(idf_build_get_property out name)\n  set(${out} /nowhere PARENT_SCOPE)\nendfunction()\n"
                         f'include("{INSIDE}/efuse/CMakeLists.txt")\n')
            script.flush()
            done = subprocess.run(["cmake", "-P", script.name], text=True, capture_output=True, timeout=60, check=False)
        self.assertNotEqual(0, done.returncode)
        self.assertIn("otter: /nowhere cannot build its update code for linux, ESP-IDF 5.4", " ".join(done.stderr.split()))

    @staticmethod
    def configure(target, *words, idf_path=""):
        """What CMake says of otter_run where ESP-IDF builds for `target`, or of one of its scripts."""
        with tempfile.NamedTemporaryFile("w", suffix=".cmake") as script:
            script.write(f"function(idf_build_get_property out name)\n  set(${{out}} {target} PARENT_SCOPE)\nendfunction()\n"
                         f'include("{INSIDE}/otter_run/project_include.cmake")\n')
            script.flush()
            done = subprocess.run(["cmake", *(words or ("-P", script.name))], text=True, capture_output=True, timeout=60,
                                  env={**os.environ, "IDF_PATH": idf_path}, check=False)
        return done.returncode, " ".join(done.stderr.split())

    def test_a_build_for_a_chip_is_refused(self):
        status, text = self.configure("esp32c3")
        self.assertNotEqual(0, status)
        self.assertIn("otter: these components are for target linux, and IDF_TARGET is esp32c3: "
                      "-B build-linux -D IDF_TARGET=linux", text)

    def test_a_build_folder_of_another_checkout_is_named(self):
        """Each build asks: ESP-IDF goes on with what the folder was made with, whatever IDF_PATH is."""
        script = INSIDE / "otter_run/checkout.cmake"
        with tempfile.TemporaryDirectory() as folder:
            made_with = pathlib.Path(folder, "a b")
            made_with.mkdir()
            link = pathlib.Path(folder, "link")
            link.symlink_to(made_with)
            for idf_path in ("", str(made_with), str(link)):
                self.assertEqual((0, ""), self.configure("", f"-DMADE_WITH={made_with}", "-P", script, idf_path=idf_path))
            status, text = self.configure("", f"-DMADE_WITH={made_with}", "-P", script, idf_path="/other")
        self.assertNotEqual(0, status)
        self.assertIn(f"otter: this build folder was made with IDF_PATH={made_with}, which is /other now: `idf.py fullclean`",
                      text)

    def test_options_of_a_bootloader_are_ours_in_every_version(self):
        """ESP-IDF has them in a file of that purpose from 5.5 on only: a source of that would leave them out in silence."""
        text = (INSIDE / "bootloader/Kconfig.projbuild").read_text(encoding="utf-8")
        self.assertNotIn("source", text)
        for name in ("APP_ROLLBACK_ENABLE", "APP_ANTI_ROLLBACK", "APP_SECURE_VERSION", "APP_SEC_VER_SIZE_EFUSE_FIELD",
                     "EFUSE_SECURE_VERSION_EMULATE"):
            self.assertIn(f"config BOOTLOADER_{name}\n", text)

    def test_options_that_nothing_answers_here_are_refused(self):
        """A project that has its updates signed must not pass for one whose signatures are checked."""
        script = INSIDE / "bootloader/project_include.cmake"
        text = (INSIDE / "bootloader/Kconfig.projbuild").read_text(encoding="utf-8")
        for name in ("SECURE_BOOT", "SECURE_SIGNED_APPS_NO_SECURE_BOOT", "SECURE_FLASH_ENC_ENABLED"):
            self.assertIn(f"config {name}\n", text)
            done = subprocess.run(["cmake", f"-DCONFIG_{name}=y", "-P", script], text=True, capture_output=True, timeout=60,
                                  check=False)
            self.assertNotEqual(0, done.returncode)
            self.assertIn(f"CONFIG_{name}=n into sdkconfig.defaults.linux", " ".join(done.stderr.split()))
        self.assertEqual(0, subprocess.run(["cmake", "-P", script], timeout=60, check=False).returncode)

    def test_no_macro_is_one_that_cmake_drops(self):
        """One with parameters, which it leaves out with a warning alone."""
        for folder, text in self.registered():
            self.assertNotRegex(text, r'"\w+\(\w*\)=', folder)

    def test_sources_are_there(self):
        for folder, text in self.registered():
            for name in re.findall(r'"([\w/]+\.c)"', text):
                self.assertTrue((folder / name).exists(), f"{folder.name}/{name}")
            self.assertTrue((folder / "idf_component.yml").exists(), folder)

    def test_command_names_this_folder(self):
        self.assertEqual(INSIDE.resolve(), pathlib.Path(otter("idf-components").stdout.strip()).resolve())


class Checkout(unittest.TestCase):
    """What is wrong with a checkout is named with the way out."""

    def setUp(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="otter-idf-"))
        self.addCleanup(shutil.rmtree, self.dir)

    def make(self, version, *files):
        for file in ("tools/cmake/version.cmake", *files):
            (self.dir / file).parent.mkdir(parents=True, exist_ok=True)
            (self.dir / file).write_text("")
        numbers = zip(("MAJOR", "MINOR", "PATCH"), version)
        (self.dir / "tools/cmake/version.cmake").write_text("".join(f"set(IDF_VERSION_{n} {v})\n" for n, v in numbers))

    def test_no_checkout(self):
        self.assertIn("there is no such folder", checkout.complaint(self.dir / "none"))
        self.assertIn("no checkout of ESP-IDF", checkout.complaint(self.dir))

    def test_versions(self):
        self.make((5, 1, 7))
        self.assertIn("5.1.7 cannot build its update code for linux, 5.4 and later can", checkout.complaint(self.dir))

    def test_missing_submodules(self):
        self.make((5, 5, 5), "components/heap/tlsf/tlsf.c")
        self.assertIn("submodule update --init --recursive components/lwip/lwip components/mbedtls/mbedtls",
                      checkout.complaint(self.dir))

    def test_missing_submodules_of_what_a_build_takes(self):
        self.make((5, 5, 5))
        self.assertIn("--recursive components/heap/tlsf`", checkout.complaint(self.dir, ["heap", "main"]))
        self.assertIsNone(checkout.complaint(self.dir, ["main"]))

    def test_missing_submodules_that_not_every_version_has(self):
        self.make((5, 5, 5), *(f"{path}/{file}" for path, file in checkout.SUBMODULES.items()))
        self.assertIsNone(checkout.complaint(self.dir))
        (self.dir / "components/mqtt/esp-mqtt").mkdir(parents=True)
        self.assertIn("--recursive components/mqtt/esp-mqtt`", checkout.complaint(self.dir))

    def test_a_whole_one(self):
        self.make((6, 0, 2), *(f"{path}/{file}" for path, file in checkout.SUBMODULES.items()))
        self.assertIsNone(checkout.complaint(self.dir))

    def test_projects_that_set_their_own(self):
        for line, refused in (('set(EXTRA_COMPONENT_DIRS "lib")', True), ("# set(EXTRA_COMPONENT_DIRS x)", False),
                              ("list(APPEND EXTRA_COMPONENT_DIRS lib)", False), ("", False),
                              ("set(EXTRA_COMPONENT_DIRS lib ${EXTRA_COMPONENT_DIRS})", False)):
            (self.dir / "CMakeLists.txt").write_text(line + "\nproject(x)\n")
            self.assertEqual(refused, checkout.own_components(self.dir) is not None, line)


@unittest.skipUnless(CHECKOUT, "no ESP-IDF: set OTTER_IDF_PATH to a checkout (5.4 or later), or say ./dev idf DIR")
class Inside(unittest.TestCase):
    """One project of one operation a boot, built by ESP-IDF."""

    @classmethod
    def setUpClass(cls):
        why = checkout.complaint(CHECKOUT)
        if why:
            raise AssertionError(why)
        cls.dir = work_folder()
        cls.addClassCleanup(shutil.rmtree, cls.dir)
        cls.build = build(cls.dir, SOURCE / "tests/idf_linux/operations")
        cls.flash = cls.build / "flash" / "flash.bin"

    def run_it(self, what, *words, new=False):
        if new:
            shutil.rmtree(self.build / "flash", ignore_errors=True)
        return otter("run", self.build, "--max-seconds", "20", *words, OTTER_OPERATION=what)

    def verdict(self):
        return json.loads(otter("flash", "info", self.flash, "--json").stdout)["verdict"]

    def test_update_confirm_and_rollback(self):
        done = self.run_it("update", new=True)
        self.assertIn("operation update: ESP_OK", done.stdout, done.stdout + done.stderr)
        self.assertIn("ota_1", self.verdict())
        done = self.run_it("confirm")
        self.assertIn("operation confirm: ESP_OK", done.stdout)
        self.assertIn("ota_1", self.verdict())
        self.run_it("update")
        self.assertIn("ota_0", self.verdict())
        self.run_it("rollback", "--boots", "1")
        self.assertIn("ota_1", self.verdict())

    def test_a_crash_on_trial_rolls_back(self):
        self.run_it("update", new=True)
        done = self.run_it("crash", "--boots", "1")
        self.assertIn("ota_1", done.stdout + done.stderr)
        self.assertIn("ota_0", self.verdict())

    def test_power_is_cut_in_any_operation(self):
        for n in (1, 2, 3, 50):
            done = self.run_it("update", "--cut-after", n, new=True)
            self.assertIn(f"flash operation {n}:", done.stdout + done.stderr)
            self.assertIn("ota_0", self.verdict())
            self.assertIn("operation none: ESP_OK", self.run_it("none").stdout)

    def test_flash_takes_its_time(self):
        self.run_it("none", new=True)
        listed = self.run_it("update", "--cut-list", new=True).stdout
        sectors = len(re.findall(r"\bapp \S+ +erase of ota_1", listed))
        self.assertGreater(sectors, 10)
        begun = time.monotonic()
        self.assertIn("operation update: ESP_OK", self.run_it("update", "--flash-speed", "NOR", new=True).stdout)
        self.assertGreater(time.monotonic() - begun, sectors * 0.045)  # sector by sector, as esp_ota_write() goes

    def test_burned_efuses_stay_in_the_file(self):
        self.run_it("burn", new=True)
        text = pathlib.Path(f"{self.flash}.efuse").read_text(encoding="utf-8")
        self.assertIn("secure_version=1", text)
        self.assertIn("chip=linux", text)
        self.assertIn("secure version 1", self.run_it("none").stdout)
        self.assertIn("secure version 2", self.run_it("burn").stdout)

    def test_variables_outlive_a_restart(self):
        done = self.run_it("restart", new=True)
        self.assertIn("reset reason 3, kept 17", done.stdout)
        self.assertNotIn("kept 17", self.run_it("none").stdout)


# Of a project in C++: a constructor before app_main(), a string of the library, ESP-IDF's headers and a variable of RTC memory.
CXX = """
#include <cstdio>
#include <string>
#include "esp_attr.h"
#include "esp_ota_ops.h"
static RTC_DATA_ATTR int answer = 42;
namespace {
struct Greeting {
    std::string text{"C++ in "};
    Greeting() { text += esp_ota_get_running_partition()->label; std::printf("%s: %d\\n", text.c_str(), answer); }
} greeting;
}
"""


# Of a project for chips: what FreeRTOS.h brings along there, and a uint32_t that is long.
CHIP = """
#include <stdio.h>
#include "freertos/FreeRTOS.h"
void as_on_a_chip(void)
{
    printf("%lu of %u bytes\\n", esp_get_free_heap_size(), (unsigned)heap_caps_get_total_size(MALLOC_CAP_8BIT));
    esp_rom_delay_us(1);
    esp_restart();
}
"""


@unittest.skipUnless(CHECKOUT, "no ESP-IDF: set OTTER_IDF_PATH to a checkout (5.4 or later), or say ./dev idf DIR")
class Ways(unittest.TestCase):
    """How a project comes by the components, beside -D EXTRA_COMPONENT_DIRS: each build makes a firmware that runs."""

    def setUp(self):
        self.dir = work_folder()
        self.addCleanup(shutil.rmtree, self.dir)
        self.project = copied(self.dir, SOURCE / "tests/idf_linux/operations")

    def depend(self, *source):
        """One dependency of main, for linux alone, as docs/INSIDE-ESP-IDF.md says."""
        rows = "".join(f"    {row}\n" for row in (*source, 'rules: [{if: "target in [linux]"}]'))
        (self.project / "main/idf_component.yml").write_text(f"dependencies:\n  otter_run:\n{rows}")

    def runs(self, command=OTTER):
        done = subprocess.run([command, "run", self.project / "build", "--max-seconds", "20"], text=True, capture_output=True,
                              timeout=60, env={**os.environ, "OTTER_OPERATION": "restart"}, check=False)
        self.assertIn("reset reason 3, kept 17", done.stdout, done.stderr)
        return done.stdout

    def test_a_path_in_the_component_manager_and_a_project_in_cxx(self):
        self.depend(f"path: {INSIDE}/otter_run")
        lists = self.project / "main/CMakeLists.txt"
        text = lists.read_text(encoding="utf-8").replace('"operations.c"', '"operations.c" "chip.c" "more.cpp" WHOLE_ARCHIVE')
        lists.write_text(text)
        (self.project / "main/more.cpp").write_text(CXX)
        (self.project / "main/chip.c").write_text(CHIP)
        idf_py(self.project, "-D", "IDF_TARGET=linux", "-D", f"OTTER={OTTER}", "build")
        self.assertIn("C++ in ota_0: 42", self.runs())
        with self.assertRaisesRegex(AssertionError, "otter: this build folder was made with"):
            run_build(self.project, ["ninja", "-C", "build"], {"IDF_PATH": "/other"})

    def test_a_repository_in_the_component_manager_and_an_installed_otter(self):
        clone, prefix = self.dir / "clone", self.dir / "prefix"
        shutil.copytree(SOURCE / "idf", clone / "idf", ignore=shutil.ignore_patterns("__pycache__"))
        for words in (("init", "-q"), ("add", "-A"), ("-c", "user.name=x", "-c", "user.email=x@y.z", "commit", "-qm", "all")):
            subprocess.run(["git", "-C", clone, *words], check=True, timeout=60)
        subprocess.run(["cmake", "--install", BUILD, "--prefix", prefix], check=True, capture_output=True, timeout=120)
        self.depend(f"git: file://{clone}", "path: idf/inside/otter_run")
        command = next(prefix.rglob("bin/otter"))
        idf_py(self.project, "-D", "IDF_TARGET=linux", "-D", f"OTTER={command}", "build")
        self.assertTrue((self.project / "managed_components/otter_run").is_dir())
        self.runs(command)

    def test_the_verb_of_idf_py(self):
        env = {"IDF_EXTRA_ACTIONS_PATH": str(INSIDE / "idf_py"), "OTTER_OPERATION": "restart"}
        words = ("-D", f"OTTER={OTTER}", "otter-run", "--new", "--boots", "2", "--until", "kept 17")
        self.assertIn("reset reason 3, kept 17", idf_py(self.project, *words, env=env))
        lists = self.project / "CMakeLists.txt"
        lists.write_text("set(EXTRA_COMPONENT_DIRS x)\n" + lists.read_text(encoding="utf-8"))
        with self.assertRaisesRegex(AssertionError, "sets EXTRA_COMPONENT_DIRS, so that -D does not reach it"):
            idf_py(self.project, *words, env=env)


@unittest.skipUnless(CHECKOUT, "no ESP-IDF: set OTTER_IDF_PATH to a checkout (5.4 or later), or say ./dev idf DIR")
class Examples(unittest.TestCase):
    """ESP-IDF's own examples, unchanged: what their options say is where the server is."""

    @classmethod
    def setUpClass(cls):
        cls.dir = work_folder()
        cls.addClassCleanup(shutil.rmtree, cls.dir)
        cls.www = cls.dir / "www"
        cls.www.mkdir()
        cls.pem, cls.key, port = cls.dir / "server.pem", cls.dir / "server.key", cls.dir / "port"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
                        "-addext", "subjectAltName=DNS:localhost", "-keyout", cls.key, "-out", cls.pem], check=True,
                       capture_output=True, timeout=60)
        read, write = os.pipe()
        cls.requests = cls.dir / "requests"
        with open(cls.requests, "w", encoding="utf-8") as log:
            cls.server = subprocess.Popen([OTTER, "serve", cls.www, "--cert", cls.pem, "--key", cls.key, "--port", "0",
                                           "--port-file", f"/dev/fd/{write}"], pass_fds=[write], stdout=log)
        os.close(write)
        with os.fdopen(read) as told:
            port = told.readline().strip()
        cls.addClassCleanup(cls.server.wait)
        cls.addClassCleanup(cls.server.terminate)
        cls.url = f"https://localhost:{port}/firmware.bin"

    def setUp(self):
        self.asked = self.requests.stat().st_size

    def make(self, name, *options):
        """Version 2 on the server, version 1 in the build folder, which is returned."""
        project = self.dir / "from" / name
        shutil.copytree(pathlib.Path(CHECKOUT) / "examples/system/ota" / name, project)
        (project / "version.txt").unlink(missing_ok=True)
        return self.make_of(project, "", *options)

    def make_of(self, project, end, *options):
        """The same of a project's copy; `end` follows its name in the file that the server gives out."""
        shutil.copy(self.pem, project / "server_certs/ca_cert.pem")
        with open(project / "sdkconfig.defaults", "a", encoding="utf-8") as f:
            f.write("\n" + "\n".join(options) + "\n")
        folder = build(self.dir, project, "-D", "PROJECT_VER=2.0.0")
        image = re.search(r'"app_bin":\s*"([^"]+)"', (folder / "project_description.json").read_text(encoding="utf-8"))[1]
        shutil.copy(folder / image.replace(".bin", f"{end}.bin"), self.www / "firmware.bin")
        idf_py(folder.parent, "-D", "PROJECT_VER=1.0.0", "build")
        return folder

    def run_it(self, folder, *words, until):
        done = otter("run", folder, "--max-seconds", "50", "--until", until, *words)
        self.assertEqual(0, done.returncode, done.stdout[-3000:] + done.stderr)
        return done.stdout

    def test_simple(self):
        folder = self.make("simple_ota_example", f'CONFIG_EXAMPLE_FIRMWARE_UPGRADE_URL="{self.url}"')
        text = self.run_it(folder, "--expect", "2.0.0", until="App version:      2.0.0")
        self.assertIn("OTA Succeed, Rebooting", text)
        self.slow(folder)

    @staticmethod
    def ms_between(text, first, last):
        """By the log's time, which counts from the start of this machine."""
        begin, end = (int(re.search(rf"\((\d+)\) simple_ota_example: {what}", text)[1]) for what in (first, last))
        return end - begin

    def slow(self, folder):
        """As long as its flash and its link take; and where the link is slower than the client waits, its time-out."""
        size = (self.www / "firmware.bin").stat().st_size
        text = self.run_it(folder, "--new", "--fast", "--flash-speed", "NOR", "--link", "1M,20ms,0", until="OTA Succeed")
        took = self.ms_between(text, "Starting OTA", "OTA Succeed")
        self.assertGreater(took, max(size * 8 / 1000, size / 65536 * 150 + size / 256 * 0.4) + 60)  # ms; 5.4 erases blocks
        self.assertLess(took, size * 8 / 1000 + size / 4096 * 45 + size / 256 * 0.4 + 2000)
        text = self.run_it(folder, "--new", "--fast", "--link", "1M,4s,0", until="Firmware upgrade failed")
        took = self.ms_between(text, "Starting OTA", "Firmware upgrade failed")
        self.assertTrue(5000 <= took < 10000, took)  # the client waits 5 s

    def test_advanced_goes_on_after_a_cut_and_confirms(self):
        folder = self.make("advanced_https_ota", f'CONFIG_EXAMPLE_FIRMWARE_UPGRADE_URL="{self.url}"',
                           "CONFIG_BOOTLOADER_APP_ROLLBACK_ENABLE=y", "CONFIG_EXAMPLE_ENABLE_OTA_RESUMPTION=y",
                           "CONFIG_EXAMPLE_ENABLE_PARTIAL_HTTP_DOWNLOAD=y")
        done = otter("run", folder, "--cut-after", "200", "--max-seconds", "50")
        self.assertIn("flash operation 200:", done.stdout + done.stderr)
        text = self.run_it(folder, "--expect", "2.0.0,VALID", until="rollback cancelled successfully")
        self.assertEqual(1, text.count("upgrade successful"))
        self.assert_partial()

    def assert_partial(self):
        """The image of this test came in pieces, none of them larger than the example says."""
        lines = self.requests.read_text(encoding="utf-8")[self.asked:]
        pieces = [int(size) for size in re.findall(r"GET /firmware.bin 206 (\d+) bytes", lines)]
        self.assertGreaterEqual(sum(pieces), (self.www / "firmware.bin").stat().st_size)
        self.assertLessEqual(max(pieces), 16384)

    @unittest.skipUnless(EXTRA, "no idf-extra-components: set OTTER_IDF_EXTRA to a checkout of espressif/idf-extra-components")
    def test_an_encrypted_image_comes_in_pieces(self):
        theirs = pathlib.Path(EXTRA) / "esp_encrypted_img"
        project = self.dir / "from" / "pre_encrypted_ota"
        shutil.copytree(theirs / "examples/pre_encrypted_ota", project)
        component = project / "esp_encrypted_img"
        shutil.copytree(theirs, component, ignore=shutil.ignore_patterns("examples", "test_apps"))
        (component / "idf_component.yml").write_text('version: "1.0.0"\n')  # what it depends on is for chips, and of a registry
        (project / "main/idf_component.yml").write_text(
            "dependencies:\n  esp_encrypted_img: {path: ../esp_encrypted_img}\n  protocol_examples_common:\n"
            "    path: ${IDF_PATH}/examples/common_components/protocol_examples_common\n")
        lists = project / "CMakeLists.txt"
        lists.write_text(lists.read_text().replace("project(", "set(COMPONENTS main)\nproject(", 1))
        folder = self.make_of(project, "_secure", f'CONFIG_EXAMPLE_FIRMWARE_UPGRADE_URL="{self.url}"',
                              "CONFIG_EXAMPLE_SKIP_VERSION_CHECK=y", "CONFIG_EXAMPLE_ENABLE_PARTIAL_HTTP_DOWNLOAD=y",
                              "CONFIG_PARTITION_TABLE_TWO_OTA_LARGE=y")
        self.assertEqual(b"\xcf\xb6\x88\x07", (self.www / "firmware.bin").read_bytes()[:4])
        self.run_it(folder, "--expect", "2.0.0", until="App version:      2.0.0")
        self.assert_partial()

    def test_native_asks_a_pin(self):
        folder = self.make("native_ota_example", f'CONFIG_EXAMPLE_FIRMWARE_UPG_URL="{self.url}"',
                           "CONFIG_BOOTLOADER_APP_ROLLBACK_ENABLE=y")
        text = self.run_it(folder, "--new", "--gpio", "0=0", "--expect", "1.0.0", until="version is the same as invalid version")
        self.assertIn("Diagnostics failed", text)
        text = self.run_it(folder, "--new", "--gpio", "0=1", "--expect", "2.0.0,VALID", until="will not continue")
        self.assertIn("Diagnostics completed successfully", text)


def work_folder():
    """An empty folder, for a checkout with the same name each time: a compiler's cache knows what has been compiled in it."""
    folder = BUILD / f"idf-work-{pathlib.Path(CHECKOUT).resolve().name}"
    try:
        if folder not in held:
            held[folder] = open(f"{folder}.lock", "w", encoding="utf-8")
        fcntl.flock(held[folder], fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:  # another run is at it
        return pathlib.Path(tempfile.mkdtemp(prefix="otter-idf-"))
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    return folder


def idf_py(folder, *words, env=None):
    """`idf.py WORDS`; returns its output."""
    return run_build(folder, ["idf.py", "--preview", *words], env)


def run_build(folder, command, env=None):
    """What went wrong is told by the lines that name it."""
    done = subprocess.run(command, cwd=folder, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          stdin=subprocess.DEVNULL, timeout=LIMIT, check=False, env={**os.environ, **(env or {})})
    if done.returncode:
        wrong = [line for line in done.stdout.splitlines() if re.search(r"\b(error|otter):|CMake Error|undefined ref", line)]
        raise AssertionError("\n".join(wrong[:20]) + "\n...\n" + done.stdout[-1500:])
    return done.stdout


def copied(folder, project):
    copy = folder / project.name
    shutil.copytree(project, copy, ignore=shutil.ignore_patterns("build*", "sdkconfig"))
    return copy


def build(folder, project, *words):
    """A copy of a project, built by ESP-IDF for linux with our components. Returns its build folder."""
    copy = copied(folder, project)
    idf_py(copy, "-D", f"EXTRA_COMPONENT_DIRS={INSIDE}", "-D", "IDF_TARGET=linux", "-D", f"OTTER={OTTER}", *words, "build")
    return copy / "build"


if __name__ == "__main__":
    unittest.main()
