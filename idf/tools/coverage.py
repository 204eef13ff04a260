#!/usr/bin/env python3
"""What a run has covered of the project's sources, as one file of lcov's format: coverage.info in the build folder."""
# SPDX-License-Identifier: Apache-2.0
import argparse
import collections
import json
import os
import subprocess
import sys


def counts(build):
    """{source: {line: times}} of all that gcc's counters say, and {source: {function: (line, times)}}."""
    lines, functions = collections.defaultdict(collections.Counter), collections.defaultdict(dict)
    notes = [os.path.join(folder, name) for folder, _, names in os.walk(os.path.join(build, "esp-idf")) for name in names
             if name.endswith(".gcda")]
    for note in notes:
        said = subprocess.run(["gcov", "--json-format", "--stdout", note], capture_output=True, check=True, cwd=build).stdout
        content = json.loads(said)
        for file in content["files"]:
            source = os.path.normpath(os.path.join(content["current_working_directory"], file["file"]))
            for line in file["lines"]:
                lines[source][line["line_number"]] += line["count"]
            for function in file["functions"]:
                times = functions[source].get(function["name"], (0, 0))[1]
                functions[source][function["name"]] = (function["start_line"], times + function["execution_count"])
    return lines, functions


def record(source, lines, functions):
    yield f"SF:{source}"
    for name, (line, _) in functions.items():
        yield f"FN:{line},{name}"
    for name, (_, times) in functions.items():
        yield f"FNDA:{times},{name}"
    yield f"FNF:{len(functions)}"
    yield f"FNH:{sum(times > 0 for _, times in functions.values())}"
    for line, times in sorted(lines.items()):
        yield f"DA:{line},{times}"
    yield f"LF:{len(lines)}"
    yield f"LH:{sum(times > 0 for times in lines.values())}"
    yield "end_of_record"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", required=True)
    build = os.path.abspath(parser.parse_args().build)
    with open(os.path.join(build, "project_description.json"), encoding="utf-8") as f:
        project = os.path.realpath(json.load(f)["project_path"]) + os.sep
    lines, functions = counts(build)
    own = sorted(source for source in lines if os.path.realpath(source).startswith(project))
    path = os.path.join(build, "coverage.info")
    with open(path, "w", encoding="utf-8") as f:
        for source in own:
            f.write("\n".join(record(source, lines[source], functions[source])) + "\n")
    total, hit = sum(len(lines[s]) for s in own), sum(sum(times > 0 for times in lines[s].values()) for s in own)
    print(f"{path}: {hit} of {total} lines covered")
    return 0


if __name__ == "__main__":
    sys.exit(main())
