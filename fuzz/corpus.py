#!/usr/bin/env python3
"""Packs of fuzz inputs, corpus/NAME.corpus: `corpus.py unpack NAME FOLDER`, `pack NAME FOLDER`, `add NAME FILE...`.

One input a line, sorted by name: the name, a space, and the bytes. Printable ASCII stands for itself, a backslash is doubled, and
\\xHH is any other byte; \\xHH{N} is N times that byte. fuzz/replay.c reads the same. What libFuzzer found is named by the first
digits of its SHA-1, seeds by fuzz/seeds.py.
"""
# SPDX-License-Identifier: Apache-2.0
import argparse
import hashlib
import os
import re
import sys

CORPUS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "corpus")
NAME_DIGITS = 12
RUN_MIN = 4  # a shorter one is written out


def encode(data):
    def escape(match):
        if match[0] == b"\\":
            return b"\\\\"
        one, count = f"\\x{match[0][0]:02x}", len(match[0])
        return (one * count if count < RUN_MIN else f"{one}{{{count}}}").encode()
    # { is escaped, too: it must not look like a count, whatever comes before it
    return re.sub(rb"\\|([^ -z|}~])\1*", escape, data, flags=re.S).decode("ascii")


def decode(text):
    def plain(match):
        if match[1] is None:
            return b"\\"
        return bytes([int(match[1], 16)]) * int(match[2] or 1)
    return re.sub(rb"\\(?:\\|x([0-9a-f]{2})(?:\{(\d+)\})?)", plain, text.encode("ascii"))


def path_of(target):
    return os.path.join(CORPUS, target + ".corpus")


def read(target):
    """@return the inputs of a target by their names"""
    with open(path_of(target), encoding="ascii") as file:
        return {name: decode(text) for name, _, text in (line.rstrip("\n").partition(" ") for line in file)}


def write(target, inputs):
    with open(path_of(target), "w", encoding="ascii") as file:
        file.writelines(f"{name} {encode(inputs[name])}\n" for name in sorted(inputs))


def name_of(file, data):
    """Seeds keep their names; every other input is named by what it holds."""
    base = os.path.basename(file)
    return base if base.startswith("seed-") else hashlib.sha1(data).hexdigest()[:NAME_DIGITS]


def unpack(target, folder):
    os.makedirs(folder, exist_ok=True)
    for name, data in read(target).items():
        with open(os.path.join(folder, name), "wb") as file:
            file.write(data)


def add(target, files, inputs):
    """To these inputs; one that is there already does not come again under another name. @return how many are new"""
    known, before = set(inputs.values()), len(inputs)
    for path in sorted(files, key=lambda path: (not os.path.basename(path).startswith("seed-"), path)):
        with open(path, "rb") as file:
            data = file.read()
        if data not in known:
            inputs[name_of(path, data)] = data
            known.add(data)
    write(target, inputs)
    return len(inputs) - before


def pack(target, folder):
    """Makes the pack of what the folder holds, and nothing else."""
    add(target, [os.path.join(folder, name) for name in os.listdir(folder)], {})


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("unpack", "pack", "add"))
    parser.add_argument("target")
    parser.add_argument("paths", nargs="+")
    args = parser.parse_args()
    if args.what == "add":
        print(f"{add(args.target, args.paths, read(args.target))} new inputs in {os.path.relpath(path_of(args.target))}")
    elif len(args.paths) != 1:
        parser.error(f"{args.what} takes one folder")
    elif args.what == "unpack":
        unpack(args.target, args.paths[0])
    else:
        pack(args.target, args.paths[0])
    return 0


if __name__ == "__main__":
    sys.exit(main())
