"""Small 32-bit ELF files for tests, made from (name, address, bytes) without any toolchain."""
# SPDX-License-Identifier: Apache-2.0

import struct

XTENSA, RISCV = 94, 243
PROGBITS, STRTAB = 1, 3


def make_elf(machine, sections, entry=0x40380000):
    """Equal names and equal contents are in the file once, however many sections have them."""
    names, body = bytearray(b"\0"), bytearray()
    rows = [(0,) * 10]
    name_at, data_at = {}, {}
    for name, addr, data in sections:
        if name not in name_at:
            name_at[name] = len(names)
            names += name.encode() + b"\0"
        if data not in data_at:
            data_at[data] = 52 + len(body)
            body += data + b"\0" * (-len(data) % 4)
        rows.append((name_at[name], PROGBITS, 6, addr, data_at[data], len(data), 0, 0, 4, 0))
    rows.append((len(names), STRTAB, 0, 0, 52 + len(body), len(names) + 10, 0, 0, 1, 0))
    names += b".shstrtab\0"
    body += names + b"\0" * (-len(names) % 4)
    header = struct.pack("<16sHHLLLLLHHHHHH", b"\x7fELF\1\1\1", 2, machine, 1, entry, 0, 52 + len(body), 0, 52, 32, 0,
                         40, len(rows), len(rows) - 1)
    return header + body + b"".join(struct.pack("<10L", *row) for row in rows)


def make_desc(version=b"1.2.3", project=b"from_elf", secure_version=7, page_log2=0):
    desc = bytearray(256)
    struct.pack_into("<LL", desc, 0, 0xABCD5432, secure_version)
    desc[16:16 + len(version)] = version
    desc[48:48 + len(project)] = project
    desc[180] = page_log2
    return bytes(desc)


# Where each chip keeps what: machine, mapped data, mapped code, RAM for code, RAM for data.
CHIPS = {
    "esp32": (XTENSA, 0x3F400000, 0x400D0000, 0x40080000, 0x3FFB0000),
    "esp32s2": (XTENSA, 0x3F000000, 0x40080000, 0x40022000, 0x3FFC0000),
    "esp32s3": (XTENSA, 0x3C000000, 0x42000000, 0x40374000, 0x3FC90000),
    "esp32c2": (RISCV, 0x3C000000, 0x42000000, 0x40380000, 0x3FCA0000),
    "esp32c3": (RISCV, 0x3C000000, 0x42000000, 0x40380000, 0x3FC80000),
    "esp32c5": (RISCV, 0x42000000, 0x42000000, 0x40800000, 0x40820000),
    "esp32c6": (RISCV, 0x42000000, 0x42000000, 0x40800000, 0x40820000),
    "esp32c61": (RISCV, 0x42000000, 0x42000000, 0x40800000, 0x40820000),
    "esp32h2": (RISCV, 0x42000000, 0x42000000, 0x40800000, 0x40820000),
    "esp32p4": (RISCV, 0x40000000, 0x40000000, 0x4FF00000, 0x4FF40000),
}


def app_sections(chip, rng, desc=None, page=0x10000):
    """The sections of an ESP-IDF application: descriptor, constants, code in flash; code and data in RAM."""
    _, drom, irom, iram, dram = CHIPS[chip]
    code = rng.randbytes(rng.randrange(1, 150000))
    constants = rng.randbytes(rng.randrange(1, 100000))
    if drom == irom:  # one window for both: constants begin on the page after the code
        drom = irom + (0x20 + len(code) + page - 1) // page * page
    sections = [
        (".iram0.vectors", iram, rng.randbytes(1024)),
        (".iram0.text", iram + 1024, rng.randbytes(rng.randrange(1, 60000))),
        (".dram0.data", dram, rng.randbytes(rng.randrange(1, 30000))),
    ]
    if desc is not None:
        sections.append((".flash.appdesc", drom + 0x20, desc))
    sections.append((".flash.rodata", drom + 0x120, constants))
    sections.append((".flash.text", irom + 0x20, code))
    return sections
