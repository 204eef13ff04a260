#!/usr/bin/env python3
"""Lists what a project uses that is not here: headers, functions and types, all at once, by asking the compiler."""
# SPDX-License-Identifier: Apache-2.0
import argparse
import concurrent.futures
import glob
import json
import os
import re
import shlex
import subprocess
import sys
import tempfile

from trouble import short

HERE = os.path.dirname(os.path.abspath(__file__))
IMPLICIT = re.compile(r"implicit declaration of function '(\w+)'")
UNDECLARED = re.compile(r"error: (?:unknown type name '(\w+)'|'(\w+)' undeclared|'(\w+)' was not declared)")
UNDEFINED = re.compile(r"^(?:.*: )?([^:\n]+)(?::\d+|:\([^)]*\)): undefined reference to `([^']+)'", re.M)
EMBEDDED = re.compile(r"_binary_(\w+)_(?:start|end)$")
STANDARD = """assert ctype errno fcntl inttypes limits math pthread setjmp signal stdarg stdatomic stdbool stddef stdint stdio
stdlib string strings sys/param sys/socket sys/stat sys/time sys/types time unistd wchar""".split()


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


def stand_in_of(header):
    """The component that gives a header; None: there is none."""
    found = glob.glob(os.path.join(os.path.dirname(HERE), "components", "*", "include", glob.escape(header)))
    return os.path.relpath(found[0], os.path.join(os.path.dirname(HERE), "components")).split(os.sep)[0] if found else None


def headers_here(words):
    """The names of all headers that projects find here: otter's own, in a folder that a compilation names, and the stand-ins'."""
    folders = [word.removeprefix("-I") for word in words]
    components = os.path.join(os.path.dirname(HERE), "components")
    folders = [folder for folder in folders if os.path.isfile(os.path.join(folder, "esp_ota_ops.h"))]
    folders += [os.path.join(components, name, "include") for name in sorted(os.listdir(components))]
    for folder in folders:
        for path, _, names in sorted(os.walk(folder)):
            yield from (os.path.relpath(os.path.join(path, name), folder) for name in sorted(names) if name.endswith(".h"))


def probe(entry, headers, names, folder):
    """What the compiler says of a file that includes all these headers, and uses all these names."""
    path = os.path.join(folder, "probe.c")
    with open(path, "w", encoding="utf-8") as f:
        f.writelines(f"#include <{header}>\n" for header in headers)
        f.write("void probe(void)\n{\n")
        f.writelines(f"#ifndef {name}\n    (void)sizeof({name});\n#endif\n" for name in sorted(names))
        f.write("}\n")
    words = [path if word == entry["file"] else word for word in compiler_command(entry)]
    folders = glob.glob(os.path.join(os.path.dirname(HERE), "components", "*", "include"))
    return ask([*words, *(f"-I{each}" for each in sorted(folders)), "-fsyntax-only", "-fmax-errors=0"], entry).stderr


def declared_here(entry, names, folder):
    """Those of the names that some header declares, which the project would have got with one that is missing."""
    headers = [*(name + ".h" for name in STANDARD), *headers_here(compiler_command(entry))]
    said = probe(entry, headers, names, folder)
    while ": fatal error: " in said:  # a header that needs what this project or this machine does not have
        number = re.search(r"probe\.c:(\d+)", said)
        if not number or not 1 <= int(number[1]) <= len(headers):
            return set()
        del headers[int(number[1]) - 1]
        said = probe(entry, headers, names, folder)
    return names - {name for groups in UNDECLARED.findall(said) for name in groups if name}


def undefined_references(build):
    """Of what compiles: functions that are declared, and that nothing has. {name: files}"""
    done = subprocess.run(["cmake", "--build", build, "--", "-k", "0"], capture_output=True, text=True, check=False,
                          env={**os.environ, "LC_ALL": "C"})
    found = {}
    for path, name in UNDEFINED.findall(done.stdout + done.stderr):
        found.setdefault(name, set()).add(os.path.realpath(path) if os.path.isabs(path) else path)
    return found


def take_embedded(functions):
    """Takes the symbols of embedded files out of them. @return {name of the file, with _ for what is no letter: files}"""
    found = {}
    for symbol in [name for name in functions if EMBEDDED.match(name)]:
        found.setdefault(EMBEDDED.match(symbol).group(1), set()).update(functions.pop(symbol))
    for name in found:
        functions.pop(name + "_length", None)
    return found


def tell(what, found, project):
    """One line for each name, with the files that use it."""
    for name in sorted(found):
        print(f"{what} {name}: " + ", ".join(sorted(short(path, project) for path in found[name])))


def by_file(entries, answers):
    """{name: files that use it}, of what was found in each."""
    found = {}
    for entry, names in zip(entries, answers):
        for name in names:
            found.setdefault(name, set()).add(os.path.realpath(entry["file"]))
    return found


def ask_compiler(entries):
    """@return what the project's files include and use, and nobody has: headers, functions, types and values"""
    with tempfile.TemporaryDirectory() as folder, concurrent.futures.ThreadPoolExecutor() as pool:
        headers = by_file(entries, pool.map(missing_headers, entries))
        make_empty(folder, headers)
        answers = list(pool.map(lambda e: missing_names(e, folder), entries))
        functions, types = (by_file(entries, [answer[i] for answer in answers]) for i in (0, 1))
        of_c = [entry for entry in entries if entry["file"].endswith(".c")]
        if of_c and (functions or types):
            here = declared_here(of_c[0], {*functions, *types}, folder)
            functions, types = ({n: f for n, f in found.items() if n not in here} for found in (functions, types))
    return headers, functions, types


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", required=True)
    parser.add_argument("--project", required=True)
    args = parser.parse_args()
    project = os.path.realpath(args.project)
    with open(os.path.join(args.build, "compile_commands.json"), encoding="utf-8") as f:
        entries = [e for e in json.load(f) if os.path.realpath(e["file"]).startswith(project + os.sep) and
                   not os.path.realpath(e["file"]).startswith(os.path.realpath(args.build) + os.sep)]
    with open(os.path.join(args.build, "config", "missing"), encoding="utf-8") as f:
        configured = f.read()  # what the configuration has gone on without, in lines like these
    headers, functions, types = ask_compiler(entries)
    not_required = {name: headers.pop(name) for name in list(headers) if stand_in_of(name)}
    for name, files in undefined_references(args.build).items():
        functions.setdefault(name, files)
    embedded = take_embedded(functions)
    print(configured, end="")
    for name in sorted(not_required):
        tell(f"header of component '{stand_in_of(name)}', which its user does not require:", {name: not_required[name]}, project)
    tell("header", headers, project)
    tell("function", functions, project)
    tell("embedded file", embedded, project)
    tell("type or value", types, project)
    if configured or not_required or headers or functions or embedded or types:
        return 1
    print("nothing is missing")
    return 0


if __name__ == "__main__":
    sys.exit(main())
