"""The public headers: each compiles alone in C and C++, and every function that one declares can be linked."""
# SPDX-License-Identifier: Apache-2.0
import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

from device import FULL

SOURCE = os.environ.get("OTTER_SOURCE") or os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("OTTER_BUILD") or os.path.join(SOURCE, "build")
INCLUDE = os.path.realpath(os.path.join(SOURCE, "include"))

# What an application may compile with. C++ from 11 on, as ESP-IDF's own headers; the product's C is C11.
COMPILERS = [
    ("gcc", "-std=c11"), ("gcc", "-std=gnu17"), ("clang", "-std=c11"), ("clang", "-std=gnu17"),
    ("g++", "-std=gnu++11"), ("g++", "-std=gnu++20"), ("clang++", "-std=gnu++11"), ("clang++", "-std=gnu++20"),
]
C_COMPILER = os.environ.get("CC") or "gcc"
WARNINGS = ["-Wall", "-Wextra", "-Werror"]

# A declaration in the output of gcc -aux-info: "/* FILE:LINE:NC */ extern TYPE NAME (ARGUMENTS);"
DECLARATION = re.compile(r"/\* (?P<file>.+):\d+:[NOI]C \*/ extern .*?(?P<name>\w+) \(")


def public_headers():
    return sorted(os.path.relpath(path, INCLUDE)
                  for path in glob.glob(os.path.join(INCLUDE, "**", "*.h"), recursive=True))


def is_cxx(compiler):
    return compiler.endswith("++")


def run(command):
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


class Alone(unittest.TestCase):
    def compile_each(self, compiler, standard):
        if shutil.which(compiler) is None:
            self.skipTest(f"there is no {compiler} here")
        with tempfile.TemporaryDirectory() as folder:
            probe = os.path.join(folder, "probe.cpp" if is_cxx(compiler) else "probe.c")
            for header in public_headers():
                with self.subTest(compiler=compiler, standard=standard, header=header):
                    with open(probe, "w", encoding="utf-8") as f:
                        f.write(f'#include "{header}"\n#include "{header}"\n')
                    result = run([compiler, standard, *WARNINGS, "-I", INCLUDE, "-fsyntax-only", probe])
                    self.assertEqual(0, result.returncode, result.stderr)

    def test_all_headers_go_together_with_each_compiler(self):
        lines = "".join(f'#include "{header}"\n' for header in public_headers())
        for compiler, standard in COMPILERS:
            with self.subTest(compiler=compiler, standard=standard):
                if shutil.which(compiler) is None:
                    self.skipTest(f"there is no {compiler} here")
                language = "c++" if is_cxx(compiler) else "c"
                result = subprocess.run([compiler, standard, *WARNINGS, "-I", INCLUDE, "-fsyntax-only", "-x", language,
                                         "-"], input=lines, capture_output=True, text=True, timeout=120, check=False)
                self.assertEqual(0, result.returncode, result.stderr)


# Compile the headers one by one, which takes twenty times as long as all together. What is missing in a header one compiler
# misses as the other does: all but the first, of which clang's start takes longest, a long run and CI do so.
ONE_BY_ONE = COMPILERS[::2] if FULL else COMPILERS[:1]


def add_compiler_tests():
    for compiler, standard in ONE_BY_ONE:
        def test(self, compiler=compiler, standard=standard):
            self.compile_each(compiler, standard)
        name = "test_each_header_compiles_alone_with_" + re.sub(r"\W+", "_", (compiler + standard).replace("+", "x"))
        setattr(Alone, name, test)


add_compiler_tests()


# What each header gives along in one of ESP-IDF 4.4 to 5.5, so that programs name it nowhere themselves; and what it stands on.
GIVES = {
    "esp_app_desc.h": "assert.h esp_assert.h esp_attr.h esp_err.h stdbool.h stddef.h stdint.h",
    "esp_app_format.h": "assert.h esp_app_desc.h inttypes.h",
    "esp_bootloader_desc.h": "assert.h esp_assert.h esp_err.h stdbool.h stddef.h stdint.h",
    "bootloader_common.h": "esp_app_format.h esp_flash_partitions.h esp_image_format.h",
    "esp_check.h": "esp_err.h esp_log.h",
    "esp_chip_info.h": "esp_bit_defs.h sdkconfig.h stdbool.h stdint.h",
    "esp_crt_bundle.h": "errno.h esp_err.h string.h",
    "esp_assert.h": "assert.h sdkconfig.h",
    "esp_efuse.h": "esp_err.h esp_log.h esp_types.h sdkconfig.h soc/soc_caps.h stdbool.h stdint.h",
    "esp_err.h": "assert.h esp_compiler.h stdint.h stdio.h stdlib.h",
    "esp_event.h": "esp_err.h esp_event_base.h freertos/FreeRTOS.h freertos/queue.h freertos/semphr.h freertos/task.h",
    "esp_event_base.h": "stdint.h",
    "esp_flash_partitions.h": "esp_err.h esp_types.h sdkconfig.h",
    "esp_heap_caps.h": "esp_attr.h esp_err.h multi_heap.h sdkconfig.h stdint.h stdlib.h string.h",
    "esp_http_client.h": "arpa/inet.h errno.h esp_err.h esp_event.h freertos/FreeRTOS.h net/if.h netinet/in.h netinet/tcp.h "
                         "sdkconfig.h string.h strings.h sys/socket.h sys/time.h time.h",
    "esp_https_ota.h": "bootloader_common.h esp_app_desc.h esp_bootloader_desc.h esp_event.h esp_http_client.h esp_partition.h "
                       "sdkconfig.h",
    "esp_image_format.h": "esp_app_format.h esp_err.h esp_flash_partitions.h stdbool.h",
    "esp_log.h": "assert.h inttypes.h sdkconfig.h stdarg.h stdbool.h stddef.h stdint.h stdlib.h string.h",
    "esp_macros.h": "assert.h esp_assert.h esp_compiler.h",
    "esp_ota_ops.h": "esp_app_desc.h esp_app_format.h esp_bootloader_desc.h esp_err.h esp_flash_partitions.h esp_image_format.h "
                     "esp_partition.h soc/soc_caps.h stdbool.h stddef.h stdint.h",
    "esp_secure_boot.h": "esp_efuse.h esp_err.h esp_image_format.h rom/secure_boot.h sdkconfig.h soc/soc_caps.h stdbool.h "
                         "stdint.h",
    "esp_flash.h": "esp_err.h stdbool.h stdint.h",
    "esp_spi_flash.h": "esp_err.h esp_flash.h sdkconfig.h spi_flash_mmap.h stdbool.h stddef.h stdint.h",
    "spi_flash_mmap.h": "esp_err.h stdbool.h stddef.h stdint.h",
    "esp_partition.h": "esp_err.h esp_flash.h esp_spi_flash.h stdbool.h stddef.h stdint.h",
    "esp_system.h": "esp_attr.h esp_bit_defs.h esp_chip_info.h esp_err.h esp_idf_version.h esp_random.h sdkconfig.h stdbool.h "
                    "stdint.h",
    "esp_task_wdt.h": "esp_err.h freertos/FreeRTOS.h freertos/task.h stdbool.h",
    "esp_tls.h": "errno.h esp_err.h fcntl.h sdkconfig.h stdbool.h string.h sys/socket.h",
    "esp_tls_errors.h": "errno.h esp_err.h string.h",
    "esp_types.h": "sdkconfig.h stdbool.h stddef.h stdint.h",
    "multi_heap.h": "assert.h esp_compiler.h esp_err.h sdkconfig.h stdio.h stdlib.h string.h",
    "freertos/FreeRTOSConfig.h": "esp_assert.h sdkconfig.h stdarg.h",
    "freertos/FreeRTOS.h": "assert.h errno.h esp_attr.h esp_heap_caps.h esp_macros.h esp_system.h esp_timer.h "
                           "freertos/event_groups.h freertos/FreeRTOSConfig.h freertos/idf_additions.h freertos/portmacro.h "
                           "freertos/projdefs.h freertos/queue.h freertos/semphr.h freertos/task.h inttypes.h limits.h "
                           "sdkconfig.h soc/soc_caps.h stdbool.h stddef.h stdint.h stdio.h stdlib.h string.h",
    "freertos/event_groups.h": "freertos/timers.h",
    "freertos/queue.h": "freertos/task.h",
    "freertos/semphr.h": "freertos/queue.h",
    "freertos/task.h": "freertos/portmacro.h",
    "esp_timer.h": "esp_err.h sdkconfig.h stdbool.h stdint.h stdio.h",
}


class GivesAlong(unittest.TestCase):
    def given(self, header):
        """All files that a program gets which includes this one header, named as programs include them."""
        with tempfile.TemporaryDirectory() as folder:
            probe = os.path.join(folder, "probe.c")
            with open(probe, "w", encoding="utf-8") as f:
                f.write(f'#include "{header}"\n')
            result = run(["gcc", "-std=gnu17", "-M", "-I", INCLUDE, probe])
        self.assertEqual(0, result.returncode, result.stderr)
        files = [os.path.realpath(word) for word in result.stdout.split() if word.endswith(".h")]
        return {"/".join(name.split("/")[-depth:]) for name in files for depth in (1, 2)}

    def test_headers_give_along_what_those_of_esp_idf_give(self):
        if shutil.which("gcc") is None:
            self.skipTest("there is no gcc here, which lists the files")
        for header, names in GIVES.items():
            with self.subTest(header=header):
                self.assertEqual([], sorted(set(names.split()) - self.given(header)))

    def test_the_folder_of_freertos_is_a_path_of_its_own(self):
        lines = '#include <FreeRTOS.h>\n#include <task.h>\n#include <queue.h>\n#include <semphr.h>\n#include <event_groups.h>\n'
        for compiler in ("gcc", "g++"):
            if shutil.which(compiler) is None:
                self.skipTest(f"there is no {compiler} here")
            result = subprocess.run([compiler, *WARNINGS, "-I", INCLUDE, "-I", os.path.join(INCLUDE, "freertos"),
                                     "-fsyntax-only", "-x", "c++" if is_cxx(compiler) else "c", "-"],
                                    input=lines + "TaskHandle_t task;\n", capture_output=True, text=True, timeout=120,
                                    check=False)
            self.assertEqual(0, result.returncode, result.stderr)


# The structures that applications fill in, with the fields of ESP-IDF in its order, which C++20's designated initialisers
# must follow. "a.b": a field of a structure inside. What is otter's own stands behind them.
FIELDS = {
    "esp_http_client_config_t":
        "url host port username password auth_type path query cert_pem cert_len client_cert_pem client_cert_len client_key_pem "
        "client_key_len client_key_password client_key_password_len tls_version use_ecdsa_peripheral ecdsa_key_efuse_blk "
        "ecdsa_key_efuse_blk_high ecdsa_curve user_agent method timeout_ms disable_auto_redirect max_redirection_count "
        "max_authorization_retries event_handler transport_type buffer_size buffer_size_tx user_data is_async "
        "use_global_ca_store skip_cert_common_name_check common_name crt_bundle_attach keep_alive_enable keep_alive_idle "
        "keep_alive_interval keep_alive_count if_name alpn_protos use_secure_element ds_data save_client_session "
        "transport addr_type tls_dyn_buf_strategy",
    "esp_https_ota_config_t":
        "http_config http_client_init_cb bulk_flash_erase partial_http_download max_http_request_size buffer_caps "
        "ota_resumption ota_image_bytes_written decrypt_cb decrypt_user_ctx enc_img_header_size partition.staging "
        "partition.final partition.finalize_with_copy",
    "decrypt_cb_arg_t": "data_in data_in_len data_out data_out_len",
    "esp_http_client_event_t": "event_id client data data_len user_data header_key header_value",
    "esp_partition_t": "flash_chip type subtype address size erase_size label encrypted readonly",
    "esp_partition_pos_t": "offset size",
    "esp_ota_select_entry_t": "ota_seq seq_label ota_state crc",
    "esp_app_desc_t":
        "magic_word secure_version reserv1 version project_name time date idf_ver app_elf_sha256 min_efuse_blk_rev_full "
        "max_efuse_blk_rev_full mmu_page_size",
    "esp_bootloader_desc_t": "magic_byte reserved secure_version version idf_ver date_time reserved2",
    "esp_image_metadata_t": "start_addr image segments segment_data image_len image_digest secure_version mmu_page_size",
    "esp_task_wdt_config_t": "timeout_ms idle_core_mask trigger_panic",
    "esp_tls_last_error_t": "last_error esp_tls_error_code esp_tls_flags",
}


def initializer(fields):
    """Each field once, nested ones in braces of their own."""
    groups = {}
    for field in fields.split():
        outer, _, inner = field.partition(".")
        groups.setdefault(outer, []).append(inner)
    return "{" + ", ".join(f".{outer} = " + (initializer(" ".join(inner)) if inner[0] else "{}")
                           for outer, inner in groups.items()) + "}"


class Initialized(unittest.TestCase):
    def compile(self, compiler, structs):
        lines = [f'#include "{header}"' for header in public_headers()]
        lines += [f"{struct} a_{struct} = {initializer(fields)};" for struct, fields in structs.items()]
        return subprocess.run([compiler, "-std=c++20", *WARNINGS, "-Wno-missing-field-initializers", "-I", INCLUDE,
                               "-fsyntax-only", "-x", "c++", "-"],
                              input="\n".join(lines) + "\n", capture_output=True, text=True, timeout=120, check=False)

    def test_fields_have_the_order_of_esp_idf(self):
        for compiler in ("g++", "clang++"):
            with self.subTest(compiler=compiler):
                if shutil.which(compiler) is None:
                    self.skipTest(f"there is no {compiler} here")
                result = self.compile(compiler, FIELDS)
                self.assertEqual(0, result.returncode, result.stderr)

    def test_another_order_is_noticed(self):
        if shutil.which("g++") is None:
            self.skipTest("there is no g++ here")
        result = self.compile("g++", {"esp_partition_pos_t": "size offset"})
        self.assertNotEqual(0, result.returncode)
        self.assertIn("order", result.stderr)


class Codes(unittest.TestCase):
    def test_every_error_code_is_a_macro_and_has_its_name_in_the_list(self):
        with open(os.path.join(INCLUDE, "esp_err.h"), encoding="utf-8") as f:
            text = f.read()
        codes = re.findall(r"^#define (ESP_(?:OK|FAIL|ERR)\w*) +(?:0x[0-9A-F]+|0|\(-1\))$", text, flags=re.M)
        names = re.findall(r"\bX\((\w+)\)", text.split("#define ESP_ERR_LIST(X)", 1)[1])
        self.assertGreater(len(codes), 120)
        self.assertEqual(codes, names)


def declared_functions(folder):
    """Names of all functions that the public headers declare, as the compiler sees them."""
    everything = os.path.join(folder, "everything.c")
    with open(everything, "w", encoding="utf-8") as f:
        f.writelines(f'#include "{header}"\n' for header in public_headers())
    listing = os.path.join(folder, "listing")
    result = run(["gcc", "-std=c11", "-I", INCLUDE, "-fsyntax-only", "-aux-info", listing, everything])
    assert result.returncode == 0, result.stderr
    with open(listing, encoding="utf-8") as f:
        found = (DECLARATION.match(line) for line in f)
        return sorted({m["name"] for m in found if m and os.path.realpath(m["file"]).startswith(INCLUDE + os.sep)})


def is_sanitized():
    with open(os.path.join(BUILD, "CMakeCache.txt"), encoding="utf-8") as f:
        return "OTTER_SANITIZE:BOOL=ON" in f.read()


class Linked(unittest.TestCase):
    def setUp(self):
        if shutil.which("gcc") is None:
            self.skipTest("there is no gcc here, which lists the declarations")
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def link(self, names, compiler, extra=""):
        """Builds a program that holds the address of each function. Returns the linker's result and the program."""
        source = os.path.join(self.folder.name, "refers.cpp" if is_cxx(compiler) else "refers.c")
        program = os.path.join(self.folder.name, "refers")
        with open(source, "w", encoding="utf-8") as f:
            f.writelines(f'#include "{header}"\n' for header in public_headers())
            f.write(extra + "typedef void (*function_t)(void);\nstatic const volatile function_t functions[] = {\n")
            f.writelines(f"    (function_t)({name}),\n" for name in names)
            f.write("};\nint main(void)\n{\n    int missing = 0;\n"
                    "    for (unsigned i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {\n"
                    "        missing += functions[i] == NULL;\n    }\n    return missing;\n}\n")
        libraries = sorted(path for path in glob.glob(os.path.join(BUILD, "libotter_*.a")) if "_sim" not in path)
        sanitize = ["-fsanitize=address,undefined"] if is_sanitized() else []
        result = run([compiler, "-w", "-I", INCLUDE, *sanitize, source, "-o", program,
                      "-Wl,--start-group", *libraries, "-Wl,--end-group",
                      "-lssl", "-lcrypto", "-lhttp_parser", "-lpthread"])
        return result, program

    def check_all_link(self, compiler):
        names = declared_functions(self.folder.name)
        self.assertGreater(len(names), 250)
        self.assertLessEqual({"esp_https_ota_begin", "esp_ota_begin", "esp_partition_find", "esp_http_client_init",
                              "esp_log_write", "xTaskCreate", "otter_flash_read"}, set(names))
        result, program = self.link(names, compiler)
        missing = sorted(set(re.findall(r"undefined reference to [`']([^']+)'", result.stderr)))
        self.assertEqual([], missing, "declared, but defined nowhere")
        self.assertEqual(0, result.returncode, result.stderr)
        self.assertEqual(0, run([program]).returncode)
        print(f"{len(names)} functions are declared, and all are defined", file=sys.stderr)

    def test_every_declared_function_is_defined(self):
        self.check_all_link(C_COMPILER)

    def test_every_declared_function_has_c_linkage(self):
        compiler = "clang++" if "clang" in os.path.basename(C_COMPILER) else "g++"
        if shutil.which(compiler) is None:
            self.skipTest(f"there is no {compiler} here")
        self.check_all_link(compiler)

    def test_a_missing_function_is_noticed(self):
        result, _ = self.link(["esp_err_to_name", "otter_gone"], C_COMPILER, "void otter_gone(void);\n")
        self.assertNotEqual(0, result.returncode)
        self.assertRegex(result.stderr, "undefined reference to [`']otter_gone'")


if __name__ == "__main__":
    sys.exit(unittest.main())
