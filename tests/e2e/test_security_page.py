"""docs/SECURITY.md names tests for what it says: they exist. And no key of anybody's is part of the product."""
# SPDX-License-Identifier: Apache-2.0
import os
import pathlib
import re
import sys
import unittest

SOURCE = pathlib.Path(os.environ.get("OTTER_SOURCE") or pathlib.Path(__file__).parents[2])
PAGE = (SOURCE / "docs" / "SECURITY.md").read_text()
sys.path.insert(0, str(SOURCE / "tests" / "mutants"))
from mutate import BUGS  # noqa: E402

ATTACKS = {"arbitrary image", "rollback", "freeze", "endless data", "mix and match", "wrong software", "stolen key",
           "slow retrieval"}
ADVISORIES = 23


def section(name):
    return PAGE.split(f"\n## {name}\n", 1)[1].split("\n## ", 1)[0]


def rows(name):
    return [line for line in section(name).splitlines() if line.startswith("| ")][1:]


def is_there(word):
    """Whether the word that a test is named by on the page is that of one."""
    kind, _, name = word.partition("/")
    if kind == "mutant":
        return name in BUGS
    if kind == "fuzz":
        return (SOURCE / "fuzz" / f"fuzz_{name}.c").is_file()
    if word.startswith("sweep:"):
        return f'"{word[6:]}"' in (SOURCE / "tests/sweep/lives.c").read_text()
    if word.startswith("world:"):
        return f'", {word[6:]}"' in (SOURCE / "tests/world/device.c").read_text()
    file, _, name = word.partition(".")
    for path in SOURCE.glob(f"tests/unit/*/{file}.c"):
        if re.search(rf"\b[A-Za-z_]+\(\s*{name}\b", path.read_text().split("int main(", 1)[-1]):
            return True
    script = SOURCE / "tests" / "e2e" / f"{file}.py"
    return script.is_file() and f"    def {name}(self" in script.read_text()


def tests_in(text):
    return re.findall(r"`((?:test_\w+\.\w+)|(?:mutant|fuzz)/\w+|(?:sweep|world):[^`]+)`", text)


class Page(unittest.TestCase):
    def test_the_tests_that_it_names_exist(self):
        named = tests_in(PAGE)
        self.assertGreater(len(named), 60)
        self.assertEqual([word for word in named if not is_there(word)], [])

    def test_every_attack_has_its_row(self):
        named = {re.match(r"\| \*\*([^*]+)\*\*", row)[1] for row in rows("Attacks")}
        self.assertLessEqual(ATTACKS, named)
        for row in rows("Attacks"):
            self.assertEqual(len(re.split(r"\s\|(?=\s|$)", row)), 5, row)

    def test_every_advisory_has_a_test_or_the_reason_why_not(self):
        found = rows("What went wrong elsewhere")
        self.assertEqual([int(row.split("|")[1]) for row in found], list(range(1, ADVISORIES + 1)))
        without = [row.split("|")[1].strip() for row in found if not tests_in(row)]
        self.assertEqual(without, ["4"])  # as 2: hardware

    def test_what_does_not_exist_is_found(self):
        for word in ("test_trust.no_such_test", "mutant/none", "fuzz/none", "sweep:none", "test_secure_boot.test_none",
                     "test_none.test_x", "world:none"):
            self.assertFalse(is_there(word), word)

    def test_no_private_key_is_part_of_the_product(self):
        kept = []
        for folder in ("include", "src", "port", "idf", "cli", "server", "cmake", "completions", "packaging", "examples", "docs",
                       "bench"):
            for path in (SOURCE / folder).rglob("*"):
                if path.is_file() and re.search(rb"-----BEGIN [A-Z ]*PRIVATE KEY-----\s+[A-Za-z0-9+/]{32}", path.read_bytes()):
                    kept.append(str(path))
        self.assertEqual(kept, [])


if __name__ == "__main__":
    unittest.main()
