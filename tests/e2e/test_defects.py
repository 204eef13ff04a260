"""The table of ESP-IDF's fifty known defects in docs/DIFFERENCES.md: each has one row, one verdict and one test that runs."""
# SPDX-License-Identifier: Apache-2.0
import glob
import os
import re
import unittest

SOURCE = os.environ.get("OTTER_SOURCE") or os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
HEADING = "## The fifty known defects of ESP-IDF's API\n"
NUMBERS = list(range(1, 51))


def read_rows():
    """The rows of the table as lists of four cells."""
    with open(os.path.join(SOURCE, "docs", "DIFFERENCES.md"), encoding="utf-8") as file:
        section = file.read().split(HEADING)[1].split("\n## ")[0]
    return [[cell.strip() for cell in line.strip("|").split("|")]
            for line in section.splitlines() if re.match(r"\| *\d", line)]


def read_tests():
    """The names of the tests that are defined, and of those that their programs run."""
    defined, run = [], []
    for path in sorted(glob.glob(os.path.join(SOURCE, "tests", "unit", "*", "test_*.c"))):
        with open(path, encoding="utf-8") as file:
            text = file.read()
        body, _, main = text.partition("\nint main(void)")
        defined += re.findall(r"^static void (defect_\w+)\(void \*\*state\)", body, re.MULTILINE)
        run += re.findall(r"\b(defect_\d\d_\w+)", main)
    return defined, run


class Defects(unittest.TestCase):
    def test_every_number_has_one_row(self):
        self.assertEqual([int(row[0]) for row in read_rows()], NUMBERS)

    def test_every_row_is_kept_or_fixed_and_says_so(self):
        for row in read_rows():
            with self.subTest(number=row[0]):
                self.assertEqual(len(row), 4)
                self.assertTrue(row[1])
                self.assertRegex(row[2], r"\b(kept|fixed)\b")

    def test_every_row_names_a_test_that_runs(self):
        defined, run = read_tests()
        for row in read_rows():
            with self.subTest(number=row[0]):
                name = row[3].strip("`")
                self.assertTrue(name.startswith("defect_%02d_" % int(row[0])), name)
                self.assertEqual(defined.count(name), 1, name)
                self.assertEqual(run.count(name), 1, name)

    def test_every_test_has_a_row(self):
        named = [row[3].strip("`") for row in read_rows()]
        defined, run = read_tests()
        self.assertEqual(sorted(defined), sorted(named))
        self.assertEqual(sorted(run), sorted(named))


if __name__ == "__main__":
    unittest.main()
