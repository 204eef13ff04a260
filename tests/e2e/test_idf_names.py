"""Every name that ESP-IDF's headers declare is in otter's header of that name, or docs/DIFFERENCES.md says that it is not."""
# SPDX-License-Identifier: Apache-2.0
import fnmatch
import os
import re
import subprocess
import unittest

from test_headers import INCLUDE, SOURCE, public_headers

NAMES = os.path.join(SOURCE, "tests", "vectors", "idf-names.txt")
PAPER = os.path.join(SOURCE, "docs", "DIFFERENCES.md")
SECTION = "## Names that are not there"


def names_of_idf():
    """{header: names}"""
    found = {}
    with open(NAMES, encoding="utf-8") as f:
        for line in f.read().splitlines():
            if line.startswith("= "):
                names = found.setdefault(line[2:], [])
            elif not line.startswith("#"):
                names.append(line)
    return found


def excused():
    """{header: patterns}, from the table of the section: a row's first cell names headers, its second names or patterns."""
    with open(PAPER, encoding="utf-8") as f:
        section = f.read().split(SECTION + "\n", 1)[1].split("\n## ", 1)[0]
    found = {}
    for row in re.findall(r"^\|(.*)\|$", section, flags=re.M)[2:]:
        headers, patterns = row.split("|")[:2]
        for header in re.findall(r"`([^`]+)`", headers):
            found.setdefault(header, []).extend(re.findall(r"`([^`]+)`", patterns))
    return found


def names_in(header):
    """All words that a program has after including it, in declarations and as macros."""
    done = subprocess.run(["gcc", "-std=gnu17", "-E", "-dD", "-I", INCLUDE, "-DCONFIG_FREERTOS_ENABLE_BACKWARD_COMPATIBILITY",
                           "-x", "c", "-"], input=f'#include "{header}"\n', capture_output=True, text=True, timeout=60,
                          check=True)
    words, ours = set(), False
    for line in done.stdout.splitlines():
        place = re.match(r'# \d+ "([^"]*)"', line)
        if place is not None:
            ours = os.path.realpath(place[1]).startswith(INCLUDE + os.sep)
        elif ours:
            words.update(re.findall(r"\w+", line))
    return words


class Names(unittest.TestCase):
    def test_each_name_is_there_or_said_to_be_missing(self):
        excuses = excused()
        names = names_of_idf()
        self.assertGreater(sum(map(len, names.values())), 1750)
        self.assertEqual([], sorted(set(names) - set(public_headers())), "headers that are not there")
        for header, wanted in names.items():
            with self.subTest(header=header):
                missing = set(wanted) - names_in(header)
                patterns = excuses.get(header, [])
                self.assertEqual([], sorted(name for name in missing if not any(fnmatch.fnmatchcase(name, p) for p in patterns)),
                                 "not there, and docs/DIFFERENCES.md does not say so")
                self.assertEqual([], [p for p in patterns if not fnmatch.filter(missing, p)], "said to be missing, but is not")
                there = set(wanted) - missing
                self.assertEqual([], [p for p in patterns if fnmatch.filter(there, p)], "the pattern means what is there, too")

    def test_a_name_counts_only_where_its_header_gives_it(self):
        self.assertIn("esp_event_post_to", names_in("esp_event.h"))
        self.assertIn("ESP_EVENT_DECLARE_BASE", names_in("esp_event.h"))
        self.assertNotIn("esp_event_post_to", names_in("esp_log.h"))
        self.assertNotIn("esp_event_gone", names_in("esp_event.h"))

    def test_the_paper_excuses_headers_that_are_there(self):
        self.assertEqual([], sorted(set(excused()) - set(names_of_idf())))


if __name__ == "__main__":
    unittest.main()
