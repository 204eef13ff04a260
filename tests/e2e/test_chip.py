"""What a chip without a heap links: no allocation anywhere, and staged copies only where the program names them.

    python3 tests/e2e/test_chip.py --write     brings the table of docs/MEMORY.md up to date
"""
# SPDX-License-Identifier: Apache-2.0

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
TOOL = "riscv64-unknown-elf-"
HEAP = re.compile(r"_?(malloc|calloc|realloc|reallocarray|free|strdup|asprintf|s?brk|aligned_alloc)(_r)?$")
# What writes or follows a journal. That there is one is told without it (copy_journal_read).
COPIES = re.compile(r"otter_staged_copies|staged_copy_(check|run|finish_all|rescue_table|release)|copy_job_\w+|"
                    r"copy_journal_(write|mark|clear|confirm|count_done|encode)|table_update_check")
STEP = 1024  # bytes of code: what the page tells is rounded up to this, and no more than two of these above what is measured

PROGRAMS = [  # what, its options, whether it has copies
    ("boot loader", [], False),
    ("boot loader that finishes staged copies", ["-DCOPIES"], True),
    ("begin, write, end and select of an application", ["-DUPDATER"], False),
    ("the same with staged copies", ["-DUPDATER", "-DCOPIES"], True),
]
PLACE = re.compile(r"(?<=<!-- code -->\n).*?(?=<!-- -->)", re.S)


def run(*command):
    done = subprocess.run(command, cwd=SOURCE, capture_output=True, text=True, timeout=300, check=False)
    if done.returncode != 0:
        raise AssertionError(done.stderr)
    return done.stdout


def flags():
    text = (SOURCE / "cmake" / "rv32.cmake").read_text(encoding="utf-8")
    return [*re.search(r'CMAKE_C_FLAGS_INIT "([^"]*)"', text).group(1).split(), "-std=c11", "-Os", "-DNDEBUG", "-DOTTER_LIBRARY",
            "-ffunction-sections", "-fdata-sections", "-Iinclude", "-Isrc"]


@functools.cache
def linked():
    """{program: (bytes of code and constants, its symbols)}"""
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        layers = [str(p.relative_to(SOURCE)) for layer in ("base", "flash", "image", "boot")
                  for p in SOURCE.glob(f"src/{layer}/*.c")]
        layers += [str(p.relative_to(SOURCE)) for p in SOURCE.glob("src/ota/*.c")
                   if not re.match(r"https_|pipeline|decrypt|gate|session_stage", p.name)]
        objects = []
        for source in layers:
            objects.append(os.path.join(folder, source.replace("/", "@") + ".o"))
            run(TOOL + "gcc", *flags(), "-c", source, "-o", objects[-1])
        archive = os.path.join(folder, "libotter.a")
        run(TOOL + "ar", "rc", archive, *objects)
        place = ["__flash=0x40000000", "__flash_size=0x400000", "__ram=0x80000000", "__ram_size=0x100000"]
        for what, options, _ in PROGRAMS:
            program = os.path.join(folder, "program")
            run(TOOL + "gcc", *flags(), *options, "tests/chip/loader.c", archive, "-nostartfiles", "-Wl,--gc-sections",
                "-Wl,-e,main", *[f"-Wl,--defsym={place}" for place in place], "-o", program)
            size = run(TOOL + "size", program).splitlines()[1].split()
            symbols = {line.split()[-1] for line in run(TOOL + "nm", program).splitlines()}
            found[what] = (int(size[0]), symbols)
    return found


def table():
    lines = ["| program | code and constants, bytes |", "|---|---|"]
    lines += [f"| {what} | {-(-linked()[what][0] // STEP) * STEP} |" for what, _, _ in PROGRAMS]
    return "\n".join(lines) + "\n"


HAVE_GCC = shutil.which(TOOL + "gcc") is not None
WHY_SKIPPED = f"{TOOL}gcc is not installed (./dev setup rv32)"


@in_full
@unittest.skipUnless(HAVE_GCC, WHY_SKIPPED)
class Chip(unittest.TestCase):
    def test_there_is_no_heap(self):
        for what, (_, symbols) in linked().items():
            with self.subTest(what):
                self.assertIn("main", symbols)
                self.assertEqual([], [name for name in sorted(symbols) if HEAP.match(name)])

    def test_copies_are_linked_where_they_are_named(self):
        for what, _, copies in PROGRAMS:
            with self.subTest(what):
                there = sorted(name for name in linked()[what][1] if COPIES.fullmatch(name))
                if copies:
                    self.assertIn("otter_staged_copies", there)
                else:
                    self.assertEqual([], there)

    def test_the_page_says_what_is_measured(self):
        said = dict(re.findall(r"^\| ([^|]+) \| (\d+) \|", PLACE.search(PAGE.read_text(encoding="utf-8")).group(), re.M))
        for what, (size, _) in linked().items():
            with self.subTest(what):
                self.assertTrue(size <= int(said.get(what, 0)) <= size + 2 * STEP,
                                f"{size} bytes, docs/MEMORY.md says {said.get(what)}: python3 tests/e2e/test_chip.py --write")


if __name__ == "__main__":
    if sys.argv[1:] == ["--write"]:
        if not HAVE_GCC:
            sys.exit(WHY_SKIPPED)
        PAGE.write_text(PLACE.sub(lambda _: table(), PAGE.read_text(encoding="utf-8")), encoding="utf-8")
        sys.exit(0)
    unittest.main()
