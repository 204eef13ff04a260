#!/usr/bin/env python3
"""Lists what a project uses that is not here: headers, functions and types, all at once, by asking the compiler."""
# SPDX-License-Identifier: Apache-2.0
import argparse
import concurrent.futures
import json
import os
import re
import shlex
import subprocess
import sys
import tempfile

from trouble import short

IMPLICIT = re.compile(r"implicit declaration of function '(\w+)'")
UNDECLARED = re.compile(r"error: (?:unknown type name '(\w+)'|'(\w+)' undeclared|'(\w+)' was not declared)")
UNDEFINED = re.compile(r"undefined reference to `([^']+)'")


def compiler_command(entry):
    """The words of a compilation, without what names its output."""
    words, kept, skip = shlex.split(entry["command"]), [], False
    for word in words:
        if skip:
            skip = False
        elif word in ("-o", "-MF", "-MT", "-MQ"):
            skip = True
        elif word not in ("-c", "-MD", "-MMD"):
            kept.append(word)
    return kept


def ask(words, entry):
    environment = {**os.environ, "LC_ALL": "C"}
    return subprocess.run(words, cwd=entry["directory"], env=environment, capture_output=True, text=True, check=False)


def missing_headers(entry):
    """What it includes and nobody has: a compiler that is told that such files will be made lists them by their bare names."""
    listed = ask([*compiler_command(entry), "-M", "-MG"], entry).stdout.replace("\\\n", " ").partition(":")[2].split()
    return {name for name in listed if not os.path.isabs(name) and not os.path.exists(os.path.join(entry["directory"], name))}


def missing_names(entry, stand_ins):
    """Functions and types that nothing declares, with empty files instead of the headers that are missing."""
    said = ask([*compiler_command(entry), "-I", stand_ins, "-fsyntax-only", "-Wimplicit-function-declaration",
                "-fmax-errors=0"], entry).stderr
    types = {name for groups in UNDECLARED.findall(said) for name in groups if name}
    return set(IMPLICIT.findall(said)), types


def make_empty(folder, names):
    for name in names:
        path = os.path.normpath(os.path.join(folder, name))
        if path.startswith(folder + os.sep):
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w", encoding="utf-8"):
                pass


def undefined_references(build):
    """Of what compiles: functions that are declared, and that nothing has."""
    done = subprocess.run(["cmake", "--build", build, "--", "-k", "0"], capture_output=True, text=True, check=False,
                          env={**os.environ, "LC_ALL": "C"})
    return set(UNDEFINED.findall(done.stdout + done.stderr))


def tell(what, found, project):
    """One line for each name, with the files that use it."""
    for name in sorted(found):
        print(f"{what} {name}: " + ", ".join(sorted(short(path, project) for path in found[name])))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", required=True)
    parser.add_argument("--project", required=True)
    args = parser.parse_args()
    project = os.path.realpath(args.project)
    with open(os.path.join(args.build, "compile_commands.json"), encoding="utf-8") as f:
        entries = [e for e in json.load(f) if os.path.realpath(e["file"]).startswith(project + os.sep) and
                   not os.path.realpath(e["file"]).startswith(os.path.realpath(args.build) + os.sep)]
    headers, functions, types = {}, {}, {}
    with tempfile.TemporaryDirectory() as stand_ins, concurrent.futures.ThreadPoolExecutor() as pool:
        for entry, names in zip(entries, pool.map(missing_headers, entries)):
            for name in names:
                headers.setdefault(name, set()).add(os.path.realpath(entry["file"]))
        make_empty(stand_ins, headers)
        for entry, (called, used) in zip(entries, pool.map(lambda e: missing_names(e, stand_ins), entries)):
            for found, names in ((functions, called), (types, used)):
                for name in names:
                    found.setdefault(name, set()).add(os.path.realpath(entry["file"]))
    for name in undefined_references(args.build) - set(functions):
        functions[name] = {"(the linker)"}
    tell("header", headers, project)
    tell("function", functions, project)
    tell("type or value", types, project)
    if not headers and not functions and not types:
        print("nothing is missing")
        return 0
    return 1


if __name__ == "__main__":
    sys.exit(main())
