#!/usr/bin/env python3
"""Makes what a partition with files is flashed with (docs/FORMATS.md section 11): files_image.py FOLDER SIZE OUT."""
# SPDX-License-Identifier: Apache-2.0
import os
import struct
import sys

from trouble import Trouble

MAGIC = b"otter files 1".ljust(16, b"\0")
HEAD = 4096          # bytes in front of the files: a sector
NAME_MAX = 255


def files_of(folder):
    """[(name, content)], in the order of their names."""
    found = []
    for path, folders, names in os.walk(folder):
        folders.sort()
        for name in names:
            full = os.path.join(path, name)
            with open(full, "rb") as f:
                found.append((os.path.relpath(full, folder), f.read()))
    return sorted(found)


def image(files, size):
    body = b""
    for name, content in files:
        encoded = name.encode()
        if len(encoded) > NAME_MAX:
            raise Trouble(f"{name}: the name has more than {NAME_MAX} bytes")
        body += struct.pack("<II", len(encoded), len(content)) + encoded + content
    if HEAD + len(body) > size:
        raise Trouble(f"the files take {HEAD + len(body)} bytes, and their partition has {size}")
    head = MAGIC + struct.pack("<I", len(body)) + bytes(12) + b"\xff" * 16
    return head.ljust(HEAD, b"\xff") + body


def main():
    folder, size, out = sys.argv[1:]
    try:
        content = image(files_of(folder), int(size, 0))
    except (Trouble, OSError) as trouble:
        print(f"otter: {folder}: {trouble}", file=sys.stderr)
        return 1
    with open(out, "wb") as f:
        f.write(content)
    return 0


if __name__ == "__main__":
    sys.exit(main())
