"""The index of ESP-IDF's names in docs/DESIGN.md says where the linker finds them, and leaves none out."""
# SPDX-License-Identifier: Apache-2.0
import fnmatch
import os
import re
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from test_no_circles import BUILD, SOURCE, product_objects, symbols_of  # noqa: E402

# What tests/vectors/idf-names.txt leaves out.
FREERTOS = re.compile(r"(?:x|v|ux|ul|pv|pc|e)(?:Task|Queue|Semaphore|EventGroup|Timer|Port)\w*")


def read(*path):
    with open(os.path.join(SOURCE, *path), encoding="utf-8") as f:
        return f.read()


def index_rows():
    """(patterns, files) of each row of the index."""
    section = read("docs", "DESIGN.md").split("## Where an ESP-IDF name is")[1].split("\n## ")[0]
    rows = re.findall(r"^\| (`.*?) \| (`.*?) \|$", section, flags=re.M)
    return [(re.findall(r"`([^`]+)`", names), re.findall(r"`([^`]+)`", files.split(";")[0])) for names, files in rows]


def idf_functions():
    """{ESP-IDF's name: files that define it}."""
    names = {line for line in read("tests", "vectors", "idf-names.txt").split("\n") if line and line[0] not in "#="}
    found = {}
    for file, (defined, _) in symbols_of(product_objects(BUILD, SOURCE)).items():
        for symbol in defined:
            if symbol in names or FREERTOS.fullmatch(symbol):
                found.setdefault(symbol, set()).add(file)
    return found


def row_of(name, rows):
    """The row with the longest pattern that matches."""
    fitting = [(len(pattern), row) for row in rows for pattern in row[0] if fnmatch.fnmatchcase(name, pattern)]
    return max(fitting, default=(0, None))[1]


class Index(unittest.TestCase):
    def test_every_name_is_where_the_index_says(self):
        rows, wrong = index_rows(), []
        self.assertGreater(len(rows), 10)
        for name, files in sorted(idf_functions().items()):
            row = row_of(name, rows)
            if row is None or not files <= set(row[1]):
                wrong.append(f"{name} is in {', '.join(sorted(files))}, by the index in "
                             f"{', '.join(row[1]) if row is not None else 'none'}")
        self.assertEqual([], wrong, "\n" + "\n".join(wrong))

    def test_no_file_is_named_without_a_name_in_it(self):
        rows = index_rows()
        used = {(tuple(row[0]), file) for name, files in idf_functions().items()
                for row in [row_of(name, rows)] if row is not None for file in files}
        self.assertEqual([], [f"{', '.join(names)}: {file}" for names, files in rows for file in files
                              if (tuple(names), file) not in used])


if __name__ == "__main__":
    sys.exit(unittest.main())
