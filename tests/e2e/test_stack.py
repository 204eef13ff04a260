"""docs/MEMORY.md: how much stack the library takes on a small chip; measured by the compiler for rv32imc at -Os, and compared.

    python3 tests/e2e/test_stack.py --write    brings the table up to date
    python3 tests/e2e/test_stack.py --show     prints the deepest chain of each row

GCC tells the frame of each function and whom it calls (-fcallgraph-info=su). What it cannot tell is in SEAMS: where a call
through a pointer may end. Not counted is what is not in src/: the port (TLS, TCP/IP), the C library, callbacks of the
application, and whoever calls.
"""
# SPDX-License-Identifier: Apache-2.0

import concurrent.futures
import functools
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

from device import in_full

SOURCE = pathlib.Path(os.environ.get("OTTER_SOURCE", pathlib.Path(__file__).parents[2])).resolve()
PAGE = SOURCE / "docs" / "MEMORY.md"
GCC = "riscv64-unknown-elf-gcc"
STEP = 512  # what the page tells is rounded up to this, and no more than two of these above what is measured

# Calls through a pointer, by the caller or its file: where they may end in src/. What they reach outside of it, for readers.
END = ["ota/gate.c:feed", "ota/gate.c:finish", "ota/session_stage.c:feed", "ota/session_stage.c:finish"]
SEAMS = {
    "base/log.c": ([], "the application's vprintf"),
    "boot/trust.c": (["image/signature.c:first_key"], "the port's eFuses"),
    "boot/boot.c": (["staged_copy_finish_all", "staged_copy_rescue_table", "boot/first_encryption.c:look",
                     "boot/first_encryption.c:run"], ""),
    "boot/first_encryption.c": ([], "the port's eFuses, its cipher that waits"),
    "boot/secure_version.c": (["boot/efuse_partition.c:" + name for name in ("read_version", "burn_version", "settle")],
                              "the port's eFuses"),
    "boot/efuse_partition.c": ([], "the port's eFuses"),
    "ddi/action.c": ([], "the caller's look and compare"),
    "ddi/agent.c": ([], "the caller's load"),
    "ddi/json.c": (["ddi/answer.c:on_json", "ddi/answer.c:room_for"], ""),
    "ddi/keep.c": ([], "the caller's save and say"),
    "flash/flash.c": ([], "the port's flash"),
    "flash/flash_access.c": ([], "the port's flash and its cipher"),
    "flash/partition_check.c": ([], "the caller's"),
    "flash/partition_table.c": (["boot/boot.c:note_entry", "boot/boot.c:log_entry", "boot/table_update.c:check_kept",
                                 "boot/table_update.c:check_own_place", "boot/first_encryption.c:take_row",
                                 "flash/partition_list.c:add_item",
                                 "flash/partition_table.c:keep"], ""),
    "http/client.c": ([], "the port's transport"),
    "http/connection.c": ([], "the port's transport, crt_bundle_attach"),
    "http/exchange.c": ([], "the port's transport"),
    "http/request.c": ([], "the port's transport"),
    "http/response.c": ([], "the port's transport"),
    "http/tell.c": ([], "the application's event handler"),
    "image/image.c:hash": (["image/signature.c:reader_cover"], ""),
    "image/image.c": (["image/signature.c:reader_" + name for name in ("begin", "cover", "feed", "verdict", "end")], ""),
    "image/signed_bytes.c": (["image/signature.c:reader_" + name for name in ("begin", "cover", "feed", "verdict", "end")], ""),
    "idf/esp_secure_boot.c": ([], "the port's eFuses"),
    "ota/revoke_key.c": ([], "the port's eFuses"),
    "idf/esp_encrypted_img.c": ([], "the port's eFuses"),
    "idf/esp_event.c": ([], "the application's handlers"),
    "idf/esp_system.c": ([], "the application's shutdown handlers"),
    "idf/heap_caps.c": ([], "the application's"),
    "nvs/blob.c": (["nvs_read_bytes", "nvs/blob.c:check_bytes", "nvs/blob.c:compare_part"], ""),
    "nvs/page.c": (["nvs/cipher.c:run"], "the caller's"),
    "idf/nvs_flash.c": (["nvs/cipher.c:end"], ""),
    "idf/nvs_secure.c": ([], "the application's scheme"),
    "ota/decrypt_stage.c": ([], "decrypt_cb"),
    "ota/device.c": (["idf/nvs_flash.c:drop"], "what others attach"),
    "ota/gate.c": (["ota/session_stage.c:feed", "ota/session_stage.c:finish"], ""),
    "ota/https_begin.c": (["ota/encrypted_stage.c:stage_new"], "http_client_init_cb, the caller's stages"),
    "ota/https_body.c": (["ota/encrypted_stage.c:again", "ota/encrypted_stage.c:is_whole"], "stages of the caller's"),
    "ota/https_ota.c": ([], "the caller's"),
    "ota/https_query.c": ([], "the caller's on_https_ota_wait"),
    "ota/https_report.c": (["idf/esp_https_ota.c:post_to_default_loop"], "the caller's on_https_ota_event"),
    "ota/https_source.c": (["https_image_is_whole", "https_may_wait"], ""),
    "ota/update.c": (["ota/handles.c:free_update", "staged_copy_run", "staged_copy_release"], ""),
    "ota/update_target.c": (["staged_copy_check"], ""),
    "ota/pipeline.c": (END + ["ota/decrypt_stage.c:feed", "ota/decrypt_stage.c:finish", "ota/decrypt_stage.c:free_stage",
                              "https_read_body"] + ["ota/encrypted_stage.c:" + name for name in (
                                  "feed", "finish", "resume", "about", "free_stage")], "stages of the caller's"),
}
# What calls back from outside of src/.
OUTSIDE = {"http_parser_execute": ["http/head.c:on_header_field", "http/head.c:on_header_value",
                                   "http/head.c:on_headers_complete"]}
# The only one that may be entered again before it has returned, and how often: once for each stage, and for the source.
AGAIN = {"ota/pipeline.c:pull": ("ota/pipeline.h", "OTA_STAGES_MAX")}

BOOT, UPDATE = 4096, 6144
ROWS = [  # what, its functions, the most it may take
    ("the boot step", r"otter_boot\w*", BOOT),
    ("begin, write and end of an update, and which slot boots", r"(esp_)?ota_(?!pipeline)\w+|otter_(update|slot)_\w+",
     UPDATE),
    ("an update over HTTPS", r"(esp_)?https_ota_\w+|ota_pipeline_\w+", UPDATE),
    ("an HTTP client", r"esp_http_client_\w+", UPDATE),
    ("partitions, and what is made of images", r"(esp_(partition|flash|image|app)|spi_flash|bootloader)_\w+|otter_device_\w+",
     UPDATE),
    ("a line of the log", r"otter_log_\w+|esp_log\w*", UPDATE),
    ("anything else of src/", r"\w+", UPDATE),
]


def flags():
    text = (SOURCE / "cmake" / "rv32.cmake").read_text(encoding="utf-8")
    return re.search(r'CMAKE_C_FLAGS_INIT "([^"]*)"', text).group(1).split()


def compile_one(source, folder, more):
    target = os.path.join(folder, source.replace("/", "@") + ".o")
    done = subprocess.run([GCC, *flags(), "-std=c11", "-Os", "-DNDEBUG", "-DOTTER_LIBRARY", "-fcallgraph-info=su", "-I" + folder,
                           "-Iinclude", "-Isrc", *more, "-c", source, "-o", target], cwd=SOURCE, capture_output=True, text=True,
                          timeout=120, check=False)
    if done.returncode != 0:
        raise AssertionError(done.stderr)
    return pathlib.Path(target).with_suffix(".ci").read_text(encoding="utf-8")


@functools.cache
def call_graphs():
    """{source file: its call graph in GCC's words}"""
    sources = sorted(str(p.relative_to(SOURCE)) for p in SOURCE.glob("src/*/*.c"))
    with tempfile.TemporaryDirectory() as folder:
        parser = next(p for p in ("/usr/include/http_parser.h", "/usr/local/include/http_parser.h") if os.path.exists(p))
        shutil.copy(parser, folder)
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            return dict(zip(sources, pool.map(lambda source: compile_one(source, folder, []), sources)))


def plain_name(title):
    """As in the source: "boot/boot.c:note_entry", "otter_boot"; GCC makes several of one ("note_entry.constprop.0")."""
    path, _, name = title.rpartition(":")
    name = re.sub(r"(\.(constprop|isra|part|cold|lto_priv)(\.\d+)?)+$", "", name)
    return path.removeprefix("src/") + ":" + name if path else name


class Graph:
    """Who calls whom, and each one's frame in bytes."""

    def __init__(self, texts, seams, outside, again):
        self.frame, self.calls = dict.fromkeys(outside, 0), {name: set(ends) for name, ends in outside.items()}
        self.faults, self.deepest = [], {}
        self.seams, self.again, self.used = seams, again, set()
        pointers = {}
        for source, text in texts.items():
            self.read(source.removeprefix("src/"), text, pointers)
        for name, file in pointers.items():
            key = name if name in seams else file
            if key not in seams:
                self.faults.append(f"{name} calls through a pointer: SEAMS has to say where that may end")
            self.used.add(key)
            self.calls[name] |= set(seams.get(key, ([],))[0])

    def read(self, file, text, pointers):
        for line in text.splitlines():
            node = re.match(r'node: \{ title: "([^"]+)" label: "([^"]*)" \}', line)
            edge = re.match(r'edge: \{ sourcename: "([^"]+)" targetname: "([^"]+)"', line)
            if node:
                name = plain_name(node[1])
                size, kind = re.search(r"\\n(\d+) bytes \(([^)]*)\)", node[2]).groups()
                if kind != "static":
                    self.faults.append(f"{name} has a frame that is {kind}")
                self.frame[name] = max(self.frame.get(name, 0), int(size))
                self.calls.setdefault(name, set())
            elif edge:
                caller, callee = plain_name(edge[1]), plain_name(edge[2])
                if callee == "__indirect_call":
                    pointers[caller] = file
                else:
                    self.calls.setdefault(caller, set()).add(callee)

    def depth(self, name, above=()):
        """(bytes, the chain) of the deepest way down from here."""
        if name in above:
            circle = above[above.index(name):]
            if not set(circle) & set(self.again):
                self.faults.append("recursion: " + " -> ".join((*circle, name)))
            return 0, ()
        if name not in self.deepest:
            ways = [self.depth(callee, (*above, name)) for callee in sorted(self.calls[name]) if callee in self.frame]
            below, chain = max(ways, default=(0, ()), key=lambda way: way[0])
            self.deepest[name] = (self.frame[name] * self.again.get(name, 1) + below, (name, *chain))
        return self.deepest[name]


def product():
    again = {}
    for name, (header, macro) in AGAIN.items():
        text = (SOURCE / "src" / header).read_text(encoding="utf-8")
        again[name] = int(re.search(rf"#define {macro} (\d+)u", text).group(1)) + 1
    return Graph(call_graphs(), SEAMS, OUTSIDE, again)


def measured(graph):
    """[(row, bytes, its deepest chain)]; a function counts in the first row that fits it."""
    best = {}
    for name in sorted(graph.frame):
        if ":" in name:
            continue
        row = next(row for row in ROWS if re.fullmatch(row[1], name))
        depth, chain = graph.depth(name)
        if depth > best.get(row[0], (0,))[0]:
            best[row[0]] = (depth, chain)
    return [(row, *best[row[0]]) for row in ROWS]


def table(rows):
    lines = ["| what | stack, bytes | at most | deepest from |", "|---|---|---|---|"]
    for (what, _, limit), depth, chain in rows:
        lines.append(f"| {what} | {-(-depth // STEP) * STEP} | {limit} | `{chain[0]}` |")
    return "\n".join(lines) + "\n"


PLACE = re.compile(r"(?<=<!-- stack -->\n).*?(?=<!-- -->)", re.S)


def show(rows):
    for (what, _, limit), depth, chain in rows:
        print(f"{what}: {depth} of {limit}")
    for (what, _, _), depth, chain in rows:
        print(f"\n{what}")
        for name in chain:
            print(f"  {GRAPH.frame[name]:6}  {name}")


HAVE_GCC = shutil.which(GCC) is not None
WHY_SKIPPED = f"{GCC} is not installed (./dev setup rv32)"


@unittest.skipUnless(HAVE_GCC, WHY_SKIPPED)
@in_full
class ThisTree(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.graph = product()
        cls.rows = measured(cls.graph)

    def test_all_that_is_called_is_known_and_nothing_calls_itself(self):
        self.assertEqual([], self.graph.faults)

    def test_what_the_list_of_seams_says_is_there(self):
        self.assertEqual(set(), set(SEAMS) - self.graph.used, "no call through a pointer is left in")
        ends = {name for names, _ in SEAMS.values() for name in names} | set(AGAIN)
        ends |= {name for names in OUTSIDE.values() for name in names}
        self.assertEqual(set(), ends - set(self.graph.frame), "no such function")

    def test_the_stack_is_bounded(self):
        for (what, _, limit), depth, chain in self.rows:
            with self.subTest(what):
                self.assertLessEqual(depth, limit, "\n" + "\n".join(f"{self.graph.frame[n]:6}  {n}" for n in chain))

    def test_the_page_says_what_is_measured(self):
        said = dict(re.findall(r"^\| ([^|]+) \| (\d+) \| \d+ \|", PLACE.search(PAGE.read_text(encoding="utf-8")).group(), re.M))
        for (what, _, _), depth, _ in self.rows:
            with self.subTest(what):
                self.assertTrue(depth <= int(said.get(what, 0)) <= depth + 2 * STEP,
                                f"{depth} bytes, docs/MEMORY.md says {said.get(what)}: python3 tests/e2e/test_stack.py --write")


LEAF = "int leaf(int x) { volatile char a[1000]; a[x] = 1; return a[x]; }"
# A program, its seams, what is found in it: bytes of `top` at least, a fault.
PLANTED = [
    ("a chain", LEAF + "int leaf(int); int top(int x) { return leaf(x) + 1; }", [], 1000, ""),
    ("a pointer that nobody has told of", "int top(int (*f)(int)) { return f(1) + 1; }", None, 0, "top calls through a pointer"),
    ("a pointer", LEAF + "int top(int (*f)(int)) { return f(1) + 1; }", ["leaf"], 1000, ""),
    ("recursion", "int top(int x) { volatile char a[9]; a[0] = 1; return x ? top(x - 1) * a[0] : 1; }", [], 0, "recursion: top"),
    ("recursion of two", "int top(int); __attribute__((noinline)) int two(int x) { volatile int a = x; return top(a) + a; } "
     "int top(int x) { volatile int a = x; return a ? two(a - 1) + a : 0; }", [], 0, "recursion: top -> two"),
    ("an array of any size", "int get(char *); int top(int x) { char a[x]; return get(a) + a[0]; }", [], 0, "top has a frame"),
]


@unittest.skipUnless(HAVE_GCC, WHY_SKIPPED)
class TheGateItself(unittest.TestCase):
    def test_what_is_planted_is_found(self):
        for name, text, ends, least, fault in PLANTED:
            with self.subTest(name), tempfile.TemporaryDirectory() as folder:
                source = os.path.join(folder, "a.c")
                with open(source, "w", encoding="utf-8") as f:
                    f.write(text)
                ci = compile_one(source, folder, ["-fno-inline"])
                graph = Graph({"a.c": ci}, {} if ends is None else {"a.c": (ends, "")}, {}, {})
                self.assertGreaterEqual(graph.depth("top")[0], least)
                self.assertIn(fault, "\n".join(graph.faults))
                self.assertEqual(fault == "", not graph.faults, graph.faults)


if __name__ == "__main__":
    if sys.argv[1:] in (["--write"], ["--show"]):
        if not HAVE_GCC:
            sys.exit(WHY_SKIPPED)
        GRAPH = product()
        if sys.argv[1] == "--show":
            show(measured(GRAPH))
        else:
            PAGE.write_text(PLACE.sub(lambda _: table(measured(GRAPH)), PAGE.read_text(encoding="utf-8")), encoding="utf-8")
        sys.exit(0)
    unittest.main()
