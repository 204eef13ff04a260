"""Images as esptool makes them, built byte by byte: header, segments, checksum, SHA-256."""

import hashlib
import struct

CHIP_IDS = {"esp32": 0, "esp32s2": 2, "esp32c3": 5, "esp32s3": 9, "esp32c6": 13, "esp32p4": 18}
RAM = {"esp32": 0x40080000, "esp32s2": 0x40050000, "esp32c3": 0x403CE000, "esp32s3": 0x403C9700, "esp32c6": 0x4086C410,
       "esp32p4": 0x4FF33CE0}


def image(chip, segments, size_code=2, mode=2, freq=0):
    """`segments`: (load address, bytes) each. Codes as in the header: 2 is 4 MB, 2 is DIO, 0 is the chip's own."""
    data = struct.pack("<BBBBIB3sHBHH4sB", 0xE9, len(segments), mode, size_code << 4 | freq, segments[0][0], 0xEE, b"\0\0\0",
                       CHIP_IDS[chip], 0, 0, 0, b"\0\0\0\0", 1)
    checksum = 0xEF
    for address, content in segments:
        data += struct.pack("<II", address, len(content)) + content
        for byte in content:
            checksum ^= byte
    data += b"\0" * (15 - len(data) % 16) + bytes([checksum])
    return data + hashlib.sha256(data).digest()


def bootloader(chip, idf_ver="v5.2.1", **header):
    """A second-stage bootloader; with idf_ver None as before ESP-IDF 5.2, which did not describe it."""
    desc = struct.pack("<BBBBI32s24s16s", 0x50, 0, 0, 0, 1, (idf_ver or "").encode(), b"Jan  2 2026 12:34:56", b"")
    return image(chip, [(RAM[chip], desc if idf_ver else b"\x13\0\0\0" * 20), (RAM[chip] + 0x1000, b"code" * 100)], **header)
