#!/usr/bin/env python3
"""Writes the section .gnu_debuglink that leads a program of an image to its file with symbols: symbol_link.py PROGRAM OUTPUT.

A name in it counts from the folder of the program that runs, which is / for one out of an image.
"""
# SPDX-License-Identifier: Apache-2.0
import os
import struct
import sys
import zlib


def main():
    program, output = sys.argv[1:]
    with open(program, "rb") as f:
        digest = zlib.crc32(f.read())  # of another file of this name nothing is told
    name = os.fsencode(os.path.realpath(program)).lstrip(b"/") + b"\0"
    with open(output, "wb") as f:
        f.write(name + bytes(-len(name) % 4) + struct.pack("<I", digest))
    return 0


if __name__ == "__main__":
    sys.exit(main())
