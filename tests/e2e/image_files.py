"""Images as esptool makes them, built byte by byte: header, segments, checksum, SHA-256."""
# SPDX-License-Identifier: Apache-2.0

import hashlib
import struct

CHIP_IDS = {"esp32": 0, "esp32s2": 2, "esp32c3": 5, "esp32s3": 9, "esp32c6": 13, "esp32p4": 18}
RAM = {"esp32": 0x40080000, "esp32s2": 0x40050000, "esp32c3": 0x403CE000, "esp32s3": 0x403C9700, "esp32c6": 0x4086C410,
       "esp32p4": 0x4FF33CE0}


def xor_of(content):
    """Of all bytes, a word at a time: images of the virtual device are large."""
    total = 0
    for (word,) in struct.iter_unpack("<I", content + bytes(-len(content) % 4)):
        total ^= word
    return total & 0xFF ^ total >> 8 & 0xFF ^ total >> 16 & 0xFF ^ total >> 24


def image(chip, segments, size_code=2, mode=2, freq=0, entry=None, revisions=(0, 0)):
    """`chip`: its name or its number; `segments`: (load address, bytes) each; `revisions`: the lowest and the highest, major x
    100 + minor. Codes as in the header: 2 is 4 MB, 2 is DIO, 0 is the chip's own."""
    data = struct.pack("<BBBBIB3sHBHH4sB", 0xE9, len(segments), mode, size_code << 4 | freq,
                       segments[0][0] if entry is None else entry, 0xEE, b"\0\0\0", CHIP_IDS.get(chip, chip), 0, *revisions,
                       b"\0\0\0\0", 1)
    checksum = 0xEF
    for address, content in segments:
        data += struct.pack("<II", address, len(content)) + content
        checksum ^= xor_of(content)
    data += b"\0" * (15 - len(data) % 16) + bytes([checksum])
    return data + hashlib.sha256(data).digest()


def app_desc(version="1.0.0", project="probe", secure_version=0, min_blk_rev=0):
    """The descriptor at the start of an application's first segment."""
    return struct.pack("<II8x32s32s16s16s32s32sHH76x", 0xABCD5432, secure_version, version.encode(), project.encode(),
                       b"12:00:00", b"Nov 21 2026", b"v5.5", b"", min_blk_rev, 0)


def bootloader(chip, idf_ver="v5.2.1", **header):
    """A second-stage bootloader; with idf_ver None as before ESP-IDF 5.2, which did not describe it."""
    desc = struct.pack("<BBBBI32s24s16s", 0x50, 0, 0, 0, 1, (idf_ver or "").encode(), b"Jan  2 2026 12:34:56", b"")
    return image(chip, [(RAM[chip], desc if idf_ver else b"\x13\0\0\0" * 20), (RAM[chip] + 0x1000, b"code" * 100)], **header)


def edited(made, chip=None, revisions=None, version=None, project=None, secure_version=None):
    """An app image with other values in header and descriptor, its checksum and SHA-256 those of what it is then."""
    out = bytearray(made[:-32])
    before = xor_of(bytes(out[32:32 + 256]))
    if chip is not None:
        struct.pack_into("<H", out, 12, CHIP_IDS.get(chip, chip))
    if revisions is not None:
        struct.pack_into("<HH", out, 15, *revisions)
    if secure_version is not None:
        struct.pack_into("<I", out, 36, secure_version)
    for at, text in ((48, version), (80, project)):
        if text is not None:
            struct.pack_into("<32s", out, at, text.encode())
    out[-1] ^= before ^ xor_of(bytes(out[32:32 + 256]))
    return bytes(out) + hashlib.sha256(out).digest()
