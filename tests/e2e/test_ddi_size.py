"""The fleet's agent in firmware: its state machine has at most 16 KiB of code and constants on rv32imc, and 2 KiB of memory.

Compiled and linked as ESP-IDF does for size (-Os, -fno-jump-tables as always, -msave-restore by its option), without what
nothing reaches. Not counted is what a firmware has anyway: the C library, CRC, URLs, names of errors and stages; and what reads
and writes the device (src/ddi/device.c, src/ddi/store.c), in whose place a program may put its own. All of that lies where it is
in a firmware, as this decides how long a call is: the C library in the chip's ROM, the rest in the flash beside the agent.
"""
# SPDX-License-Identifier: Apache-2.0

import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

SOURCE = pathlib.Path(os.environ.get("OTTER_SOURCE", pathlib.Path(__file__).parents[2])).resolve()
TOOL = "riscv64-unknown-elf-"
CODE_MAX, MEMORY_MAX = 16 * 1024, 2 * 1024
OF_THE_DEVICE = {"device.c", "store.c"}
TEXT_AT, BESIDE_IT, IN_ROM = "0x42000000", "0x42010000", "0x40000000"  # of an ESP32-C3
C_LIBRARY = re.compile(r"mem[a-z]+|str[a-z]+|v?snprintf")
FLAGS = ["-std=c11", "-Os", "-DNDEBUG", "-fno-jump-tables", "-msave-restore", "-ffunction-sections", "-fdata-sections",
         "-Iinclude", "-Isrc"]


def target_flags():
    text = (SOURCE / "cmake" / "rv32.cmake").read_text(encoding="utf-8")
    return re.search(r'CMAKE_C_FLAGS_INIT "([^"]*)"', text).group(1).split()


def run(tool, *arguments):
    done = subprocess.run([TOOL + tool, *arguments], cwd=SOURCE, capture_output=True, text=True, timeout=120, check=False)
    if done.returncode != 0:
        raise AssertionError(done.stderr)
    return done.stdout


@unittest.skipUnless(shutil.which(TOOL + "gcc"), f"{TOOL}gcc is not installed (./dev setup rv32)")
class Size(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def sections(self, program):
        return {name: int(size) for name, size in re.findall(r"^(\.\S+) +(\d+)", run("size", "-A", program), re.M)}

    def test_the_state_machine_is_small(self):
        objects = []
        for source in sorted((SOURCE / "src" / "ddi").glob("*.c")):
            if source.name not in OF_THE_DEVICE:
                objects.append(str(self.folder / (source.stem + ".o")))
                run("gcc", *target_flags(), *FLAGS, "-c", str(source), "-o", objects[-1])
        self.assertGreater(len(objects), 5)
        entries = re.findall(r" T (otter_ddi_\w+)", run("nm", *objects))
        missing = set(re.findall(r" U (\w+)", run("nm", *objects))) - set(re.findall(r" [TR] (\w+)", run("nm", *objects)))
        places = [f"-Wl,--defsym,{name}={IN_ROM if C_LIBRARY.fullmatch(name) else BESIDE_IT}" for name in sorted(missing)]
        self.assertIn("otter_ddi_next", entries)
        program = str(self.folder / "agent")
        target = [flag for flag in target_flags() if flag.startswith("-m")]  # without a board's memory map
        run("gcc", *target, "-nostdlib", "-Wl,--gc-sections,-e,otter_ddi_start", f"-Wl,-Ttext={TEXT_AT}", *places,
            *[f"-Wl,-u,{name}" for name in entries], *objects, "-o", program)
        sections = self.sections(program)
        code = sum(size for name, size in sections.items() if re.match(r"\.(text|s?rodata|sdata|data)", name))
        print(f"code and constants: {code} bytes of {CODE_MAX}")
        self.assertGreater(code, CODE_MAX // 2, sections)
        self.assertLessEqual(code, CODE_MAX, sections)
        self.assertEqual(sum(size for name, size in sections.items() if re.match(r"\.s?bss", name)), 0, "it has no globals")

    def test_an_agent_takes_little_memory(self):
        (self.folder / "a.c").write_text('#include "otter/ddi.h"\nconst char memory[sizeof(otter_ddi_t)] = {1};\n')
        run("gcc", *target_flags(), *FLAGS, "-c", str(self.folder / "a.c"), "-o", str(self.folder / "a.o"))
        size = int(re.search(r" ([0-9a-f]{8}) R memory", run("nm", "-S", str(self.folder / "a.o"))).group(1), 16)
        print(f"memory of an agent: {size} bytes of {MEMORY_MAX}")
        self.assertTrue(1000 < size <= MEMORY_MAX, size)


if __name__ == "__main__":
    unittest.main(verbosity=2)
