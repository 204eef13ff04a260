"""The layering gate: arrows point down only, no platform in src/, every file says its purpose; and a test of the gate."""
# SPDX-License-Identifier: Apache-2.0
import os
import re
import sys
import tempfile
import unittest

SOURCE = os.environ.get("OTTER_SOURCE") or os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

# What each layer may include of the others. A layer always may include itself.
BELOW = {
    "base": set(),
    "flash": {"base"},
    "image": {"flash", "base"},
    "boot": {"image", "flash", "base"},
    "http": {"base"},
    "ota": {"boot", "http", "image", "flash", "base"},
    "nvs": {"flash", "base"},
    "ddi": {"ota", "nvs", "boot", "http", "image", "flash", "base"},
    "idf": {"ddi", "ota", "nvs", "boot", "http", "image", "flash", "base"},
}

# The lowest layer that may include a public header; one that is not listed belongs to the top layer, idf.
PUBLIC_HEADERS = {
    "sdkconfig.h": "base",
    "esp_assert.h": "base",
    "esp_attr.h": "base",
    "esp_bit_defs.h": "base",
    "esp_compiler.h": "base",
    "esp_macros.h": "base",
    "esp_types.h": "base",
    "soc/soc_caps.h": "base",
    "esp_err.h": "base",
    "esp_check.h": "base",
    "esp_log.h": "base",
    "esp_idf_version.h": "base",
    "esp_app_desc.h": "base",
    "esp_bootloader_desc.h": "base",
    "otter/build_options.h": "base",
    "otter/fault.h": "base",
    "otter/promise.h": "base",
    "otter/version.h": "base",
    "otter/bytes.h": "base",
    "otter/text.h": "base",
    "otter/system.h": "base",
    "otter/crypto.h": "base",
    "otter/run_protocol.h": "base", "otter/transport.h": "base",
    "otter/report.h": "base",
    "otter/chip.h": "base",
    "otter/efuse.h": "base",
    "otter/trust.h": "base",
    "otter/signature.h": "image",
    "otter/efuse_layout.h": "image",
    "otter/encrypted_image.h": "image",
    "otter/flash.h": "flash",
    "otter/flash_encryption.h": "flash",
    "otter/partition_table.h": "flash",
    "otter/device.h": "flash",  # the context that the flash layer and all above it are given
    "esp_flash_partitions.h": "flash",
    "esp_flash.h": "flash",
    "esp_partition.h": "flash",
    "esp_spi_flash.h": "flash",
    "spi_flash_mmap.h": "flash",
    "nvs.h": "flash",
    "otter/nvs_store.h": "flash",
    "esp_app_format.h": "image",
    "otter/image.h": "image",
    "otter/image_kind.h": "image",
    "otter/bootloader.h": "image",
    "otter/ddi.h": "ddi",
    "otter/ddi_nvs.h": "idf",
    "otter/boot.h": "boot",
    "esp_tls_errors.h": "http",
    "esp_http_client.h": "http",
    "esp_tls.h": "http",
    "esp_crt_bundle.h": "http",
    "esp_ota_ops.h": "ota",
    "otter/update.h": "ota",
    "otter/https_update.h": "ota",
    "otter/ota_ops.h": "ota",
    "esp_https_ota.h": "ota",
}

# Headers of C11 that need no operating system; src/ and include/ use no others.
C11_HEADERS = {
    name + ".h"
    for name in ("assert ctype errno inttypes limits stdalign stdarg stdatomic stdbool stddef stdint stdio stdlib "
                 "stdnoreturn string").split()
}

# The parts above src/: what they may include by quotes, by first folder ("" is include/).
UPPER = {
    "port/host": ("host", "base"),
    "port/linux": ("linux", "host", *BELOW),
    "port/sim": ("sim", *BELOW),
    "fleet": ("fleet", "host"),
    "cli": ("cli", "fleet", "linux", "host"),
    "server": ("server", "host"),
}

PLATFORM_WORD = re.compile(
    r"\b(__linux__|__linux|linux|__unix__|__APPLE__|_WIN32|_WIN64|__ANDROID__|ESP_PLATFORM|CONFIG_IDF_TARGET\w*|"
    r"__riscv\w*|__x86_64__|__i386__|__arm__|__aarch64__|__xtensa__|__GLIBC__|__NEWLIB__|__PICOLIBC__|_POSIX\w*)\b")
UNFINISHED = re.compile("|".join((r"\b(?:TO" + r"DO|FIX" + r"ME|XX" + r"X|HA" + r"CK|TB" + r"D)\b",
                                  "not " + "implemented")))
MACHINE_PATH = re.compile(r"(?<![\w.:/$}-])/(?:home|root|work|Users)/\w")

SKIPPED_DIRS = re.compile(r"^(build.*|\.git|__pycache__|vectors)$")
COMMENT_START = {
    ".c": ("/*", "//"), ".h": ("/*", "//"), ".S": ("/*", "//"), ".ld": ("/*",),
    ".py": ("#", '"""'), ".sh": ("#",), ".cmake": ("#",),
}
TEXT_SUFFIXES = (*COMMENT_START, ".md", ".txt", ".csv", ".conf", ".json")


def text_files(root):
    """Yields (path relative to root, text) of every file that a person writes."""
    for folder, dirs, files in os.walk(root):
        dirs[:] = sorted(d for d in dirs if not SKIPPED_DIRS.match(d))
        for name in sorted(files):
            path = os.path.join(folder, name)
            relative = os.path.relpath(path, root)
            if name.endswith(TEXT_SUFFIXES) or relative in ("dev", os.path.join(".ci", "run")):
                with open(path, encoding="utf-8") as f:
                    yield relative, f.read()


def without_comments(text):
    """Blanks out the block comments of C, so that their words are no code; line numbers stay."""
    return re.sub(r"/\*.*?\*/", lambda m: re.sub(r"[^\n]", " ", m.group()), text, flags=re.S)


def part_of(path):
    """The part of the tree a C file belongs to: "src/flash", "include", "port/linux", "cli" ..."""
    pieces = path.split(os.sep)
    return "/".join(pieces[:2]) if pieces[0] in ("src", "port") else pieces[0]


# What idf/inside/ may take of otter: otter_run/project_include.cmake finds it, in a source tree and where otter is installed.
INSIDE = ("otter/run_protocol.h", "linux/rtc_memory.h", "linux/link_model.h")


def check_inside(header, root):
    """What ESP-IDF compiles has ESP-IDF's headers, and of otter the run protocol and what serves it on any program alone."""
    ours = header.startswith("otter/") or any(os.path.exists(os.path.join(root, folder, header)) for folder in ("src", "port"))
    return f"idf/inside/ must not include {header}" if ours and header not in INSIDE else None


def check_component(path, header, root):
    """A component of idf/ stands on public headers, on its own and on what others offer. Returns the complaint or None."""
    if path.startswith(os.path.join("idf", "inside")):
        return check_inside(header, root)
    folders = [os.path.dirname(path), "include"]
    components = os.path.join("idf", "components")
    if os.path.isdir(os.path.join(root, components)):
        folders += [os.path.join(components, name, "include") for name in os.listdir(os.path.join(root, components))]
    made = header in ("sdkconfig.h", "unity_assertions.h")  # when a project is built
    there = made or any(os.path.exists(os.path.join(root, folder, header)) for folder in folders)
    return None if there else f"a component of idf/ must not include {header}"


def check_quoted(part, path, header, root):
    """One #include "header" in a file of a part. Returns the complaint or None."""
    own = os.path.join(os.path.dirname(path), header)
    if part == "idf":
        return check_component(path, header, root)
    if header in PUBLIC_HEADERS or os.path.exists(os.path.join(root, "include", header)):
        home = PUBLIC_HEADERS.get(header, "idf")
    elif "/" in header:
        home = header.split("/")[0]
    elif os.path.exists(os.path.join(root, own)):
        return None
    else:
        home = header

    if part == "include":
        layer = PUBLIC_HEADERS.get(os.path.relpath(path, "include").replace(os.sep, "/"), "idf")
        if not os.path.exists(os.path.join(root, "include", header)):
            return f"a public header includes {header}, which is not public"
        if layer != "base" and not path.startswith(os.path.join("include", "otter")):
            return None  # which of its headers include which others is ESP-IDF's affair
        return None if home == layer or home in BELOW[layer] else f"{layer} must not include {header} of {home}"
    if part.startswith("src/"):
        layer = part.split("/")[1]
        if layer not in BELOW:
            return f"there is no layer {layer}"
        return None if home == layer or home in BELOW[layer] else f"{layer} must not include {header} of {home}"
    if os.path.exists(os.path.join(root, "include", header)):
        return None
    return None if home in UPPER[part] else f"{part} must not include {header}"


def check_angled(part, path, header, inside_has_include):
    """One #include <header>. Returns the complaint or None."""
    if header in C11_HEADERS or not (part == "include" or part.startswith("src/")):
        return None
    if path == os.path.join("src", "http", "head.c") and header == "http_parser.h":
        return None
    if part == "include" and inside_has_include:
        return None
    return f"<{header}> is not a C11 header without an operating system"


def check_c_file(path, text, root):
    """Checks the preprocessor lines of one C file. Yields "path:line: complaint"."""
    part = part_of(path)
    conditions = []  # those of the #ifs around the current line
    for number, line in enumerate(without_comments(text).split("\n"), 1):
        directive = re.match(r"\s*#\s*(\w+)\s*(.*)", line)
        if directive is None:
            continue
        word, rest = directive.groups()
        if word in ("if", "ifdef", "ifndef"):
            conditions.append(rest)
        elif word in ("elif", "else") and conditions:
            conditions[-1] = rest
        elif word == "endif" and conditions:
            conditions.pop()
        if word in ("if", "ifdef", "ifndef", "elif") and part.startswith("src/") and PLATFORM_WORD.search(rest):
            yield f"{path}:{number}: asks which platform it is on: {rest}"
        included = re.match(r"""(["<])([^">]+)[">]""", rest) if word == "include" else None
        if included is None:
            continue
        if included[1] == '"':
            complaint = check_quoted(part, path, included[2], root)
        else:
            complaint = check_angled(part, path, included[2], any("__has_include" in c for c in conditions))
        if complaint is not None:
            yield f"{path}:{number}: {complaint}"


def check_words(path, text):
    """Checks what holds for every text file. Yields "path:line: complaint"."""
    for number, line in enumerate(text.split("\n"), 1):
        if UNFINISHED.search(line):
            yield f"{path}:{number}: an unfinished place: {line.strip()}"
        if MACHINE_PATH.search(line):
            yield f"{path}:{number}: a path of one machine: {line.strip()}"


def check_first_line(path, text):
    """A file begins with the comment that says its one purpose; a script may have its #! line before."""
    start = COMMENT_START.get(os.path.splitext(path)[1])
    if os.path.basename(path) in ("CMakeLists.txt", "dev", "run"):
        start = ("#",)
    if start is None:
        return
    lines = text.split("\n")
    first = lines[1] if lines[0].startswith("#!") and len(lines) > 1 else lines[0]
    if not first.startswith(start):
        yield f"{path}:1: the first line does not say the purpose of the file"


def check_tree(root):
    """All complaints about the tree at root, a line each."""
    complaints = []
    for path, text in text_files(root):
        complaints += check_words(path, text)
        complaints += check_first_line(path, text)
        part = part_of(path)
        if path.endswith((".c", ".h")) and (part.startswith("src/") or part in ("include", "idf") or part in UPPER):
            complaints += check_c_file(path, text, root)
    return complaints


class ThisTree(unittest.TestCase):
    def test_arrows_point_down_and_every_file_is_in_order(self):
        complaints = check_tree(SOURCE)
        self.assertEqual([], complaints, "\n" + "\n".join(complaints))

    def test_every_layer_was_seen(self):
        seen = {part_of(path) for path, _ in text_files(SOURCE) if path.endswith(".c")}
        self.assertLessEqual({"src/base", "src/flash", "src/ota", "port/linux", "port/sim", "cli"}, seen)


# A small tree in order; each case plants one file into it.
CLEAN = {
    "CMakeLists.txt": "# Builds it.\n",
    "include/esp_err.h": "/* Errors. */\n#include <stdint.h>\n",
    "include/esp_partition.h": '/* Partitions. */\n#include "esp_err.h"\n',
    "include/esp_system.h": '/* Restart. */\n#include "esp_err.h"\n',
    "src/base/le.h": "/* Bytes. */\n",
    "src/flash/flash.c": '/* Flash. */\n#include "base/le.h"\n#include "esp_partition.h"\n#include <string.h>\n',
    "src/boot/decide.h": "/* The decision. */\n",
    "src/http/url.h": "/* URLs. */\n",
    "src/http/head.c": "/* Heads. */\n#include <http_parser.h>\n",
    "src/idf/app.c": '/* On top. */\n#include "boot/decide.h"\n#include "http/url.h"\n#include "esp_system.h"\n',
    "port/linux/clock.c": '/* Clock. */\n#include <time.h>\n#include "base/le.h"\n#ifdef __linux__\n#endif\n',
    "port/linux/clock.h": "/* Clock. */\n",
    "port/sim/clock.h": "/* The clock of tests. */\n",
    "cli/main.c": '/* The command. */\n#include "cli.h"\n#include "linux/clock.h"\n#include <unistd.h>\n',
    "cli/cli.h": "/* Verbs. */\n",
    "idf/components/net/include/net.h": '/* Net. */\n#include "esp_err.h"\n',
    "idf/components/radio/radio.c": '/* Radio. */\n#include "net.h"\n#include "sdkconfig.h"\n#include <pthread.h>\n',
    "dev": "#!/bin/sh\n# The entry.\n",
}

PLANTED = [
    # name, file, its text, a piece of the complaint
    ("base reaches up to flash", "src/base/a.c", '/* a */\n#include "flash/flash.h"\n', "base must not include"),
    ("flash reaches up to boot", "src/flash/a.c", '/* a */\n#include "boot/decide.h"\n', "flash must not include"),
    ("flash takes a public header of the top", "src/flash/a.c", '/* a */\n#include "esp_system.h"\n', "of idf"),
    ("boot reaches sideways to http", "src/boot/a.c", '/* a */\n#include "http/url.h"\n', "boot must not include"),
    ("http reaches sideways to boot", "src/http/a.c", '/* a */\n#include "boot/decide.h"\n', "http must not include"),
    ("ota reaches up to idf", "src/ota/a.c", '/* a */\n#include "idf/app.h"\n', "ota must not include"),
    ("src reaches into a port", "src/idf/a.c", '/* a */\n#include "linux/clock.h"\n', "idf must not include"),
    ("an unknown layer", "src/misc/a.c", '/* a */\n#include "base/le.h"\n', "no layer misc"),
    ("a POSIX header", "src/base/a.c", "/* a */\n#include <unistd.h>\n", "<unistd.h>"),
    ("a POSIX header with blanks", "src/base/a.c", "/* a */\n #  include  <sys/stat.h>\n", "<sys/stat.h>"),
    ("threads", "src/idf/a.h", "/* a */\n#include <pthread.h>\n", "<pthread.h>"),
    ("a TLS library", "src/http/a.c", "/* a */\n#include <openssl/ssl.h>\n", "<openssl/ssl.h>"),
    ("another TLS library", "src/ota/a.c", "/* a */\n#include <mbedtls/sha256.h>\n", "<mbedtls/sha256.h>"),
    ("a quoted system header", "src/base/a.c", '/* a */\n#include "unistd.h"\n', "unistd.h"),
    ("the HTTP parser outside http", "src/ota/a.c", "/* a */\n#include <http_parser.h>\n", "<http_parser.h>"),
    ("the HTTP parser in a second file", "src/http/head.h", "/* a */\n#include <http_parser.h>\n", "<http_parser.h>"),
    ("a platform #if", "src/ota/a.c", "/* a */\n#if defined(__linux__)\n#endif\n", "which platform"),
    ("a platform #elif", "src/ota/a.c", "/* a */\n#if 0\n#elif ESP_PLATFORM\n#endif\n", "which platform"),
    ("a platform #ifdef", "src/ota/a.h", "/* a */\n#ifdef _WIN32\n#endif\n", "which platform"),
    ("a public header with a platform header", "include/a.h", "/* a */\n#include <sys/time.h>\n", "<sys/time.h>"),
    ("a public header behind a plain #if", "include/a.h", "/* a */\n#if 1\n#include <sys/time.h>\n#endif\n",
     "<sys/time.h>"),
    ("a public header of a private one", "include/a.h", '/* a */\n#include "base/le.h"\n', "not public"),
    ("a low public header of a high one", "include/esp_err.h", '/* a */\n#include "esp_partition.h"\n',
     "base must not include"),
    ("a seam of a high header", "include/otter/flash.h", '/* a */\n#include "esp_system.h"\n', "flash must not include"),
    ("a component of idf/ reaches into the library", "idf/components/net/a.c", '/* a */\n#include "flash/flash.h"\n',
     "a component of idf/ must not include"),
    ("a component of idf/ reaches into a port", "idf/components/net/a.c", '/* a */\n#include "linux/clock.h"\n',
     "a component of idf/ must not include"),
    ("what ESP-IDF compiles takes the library", "idf/inside/net/a.c", '/* a */\n#include "otter/flash.h"\n',
     "idf/inside/ must not include"),
    ("what ESP-IDF compiles takes another part of a port", "idf/inside/net/a.c", '/* a */\n#include "linux/clock.h"\n',
     "idf/inside/ must not include"),
    ("one port uses another", "port/sim/a.c", '/* a */\n#include "linux/clock.h"\n', "port/sim must not"),
    ("the server uses the library's inside", "server/a.c", '/* a */\n#include "flash/flash_map.h"\n', "server must not"),
    ("the command uses the library's inside", "cli/a.c", '/* a */\n#include "base/le.h"\n', "cli must not include"),
    ("the server uses it, too", "server/a.c", '/* a */\n#include "base/le.h"\n', "server must not include"),
    ("the command uses the simulator", "cli/a.c", '/* a */\n#include "sim/clock.h"\n', "cli must not"),
    ("a C file without its purpose", "src/base/a.c", "#include <stdint.h>\n", "purpose"),
    ("an empty line first", "src/base/a.h", "\n/* a */\n", "purpose"),
    ("a script without its purpose", "tests/a.py", "#!/usr/bin/env python3\nimport os\n", "purpose"),
    ("a build file without its purpose", "tests/CMakeLists.txt", "project(x)\n", "purpose"),
    ("an unfinished marker", "src/base/a.c", "/* a */\nint a; // TO" "DO later\n", "unfinished"),
    ("an unfinished marker in a text", "docs/A.md", "# A\nThis is not " "implemented yet.\n", "unfinished"),
    ("a path of one machine", "docs/A.md", "# A\nSee /ho" "me/ann/notes.\n", "path of one machine"),
    ("a path of one machine in code", "cli/a.c", '/* a */\nconst char *p = "/wo' 'rk/x";\n', "path of one machine"),
]

ALLOWED = [
    ("what ESP-IDF compiles takes ESP-IDF's headers", "idf/inside/net/a.c",
     '/* a */\n#include "bootloader_sha.h"\n#include "otter/run_protocol.h"\n#include "linux/rtc_memory.h"\n'),
    ("a commented include", "src/base/a.c", "/* a\n#include <unistd.h>\n*/\n"),
    ("a platform header where the compiler has it", "include/a.h",
     "/* a */\n#if defined(__has_include)\n#if __has_include(<sys/queue.h>)\n#include <sys/queue.h>\n#endif\n#endif\n"),
    ("a platform header in a port", "port/linux/a.c", "/* a */\n#include <openssl/evp.h>\n#include <fcntl.h>\n"),
    ("a header beside the file", "port/sim/a.c", '/* a */\n#include "clock.h"\n'),
    ("byte order is no platform", "src/base/a.c", "/* a */\n#if __BYTE_ORDER__ == 1234\n#endif\n"),
    ("a URL with such a word", "docs/A.md", "# A\nhttps://host/work/a and ../work/b and docs/home/c\n"),
    ("a build folder", "build-x/a.c", "#include <unistd.h>\n"),
]


def write_tree(root, files):
    for path, text in files.items():
        full = os.path.join(root, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "w", encoding="utf-8") as f:
            f.write(text)


class TheGateItself(unittest.TestCase):
    def complaints_with(self, path, text):
        with tempfile.TemporaryDirectory() as root:
            write_tree(root, {**CLEAN, path: text})
            return check_tree(root)

    def test_a_clean_tree_passes(self):
        self.assertEqual([], self.complaints_with("dev", CLEAN["dev"]))

    def test_each_planted_violation_is_caught_once(self):
        for name, path, text, piece in PLANTED:
            with self.subTest(name):
                complaints = self.complaints_with(path, text)
                self.assertEqual(1, len(complaints), complaints)
                self.assertTrue(complaints[0].startswith(path + ":"), complaints)
                self.assertIn(piece, complaints[0])

    def test_what_is_allowed_passes(self):
        for name, path, text in ALLOWED:
            with self.subTest(name):
                self.assertEqual([], self.complaints_with(path, text))


if __name__ == "__main__":
    sys.exit(unittest.main())
