"""The planting of bugs itself: a row of tests/mutants/mutate.py that no longer fits its file fails alone, and says what to do."""
# SPDX-License-Identifier: Apache-2.0
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

SOURCE = pathlib.Path(os.environ.get("OTTER_SOURCE") or pathlib.Path(__file__).parents[2])
BUILD = os.environ.get("OTTER_BUILD") or SOURCE / "build"
MUTATE = SOURCE / "tests" / "mutants" / "mutate.py"
sys.path.insert(0, str(MUTATE.parent))
from mutate import BUGS, mutate  # noqa: E402

NAME = "skips_the_md5"
PATH, OLD, _, _ = BUGS[NAME]


class Mutants(unittest.TestCase):
    def plant(self, text):
        """Plants one in a tree that has nothing but its file, with this text; None: without it."""
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder, PATH)
            file.parent.mkdir(parents=True)
            if text is not None:
                file.write_text(text)
            return subprocess.run([sys.executable, "-B", MUTATE, NAME, folder, BUILD], capture_output=True, text=True,
                                  timeout=60, check=False)

    def test_a_text_that_is_not_there_is_named_with_its_file(self):
        done = self.plant((SOURCE / PATH).read_text().replace(OLD, "changed();"))
        self.assertEqual(1, done.returncode)
        self.assertIn(f"{PATH} has the text of {NAME} 0 times, not once", done.stderr)
        self.assertIn("tests/mutants/mutate.py", done.stderr)
        self.assertIn(OLD, done.stderr)

    def test_a_text_that_is_there_twice_is_no_place(self):
        done = self.plant(OLD * 2)
        self.assertEqual(1, done.returncode)
        self.assertIn(f"{PATH} has the text of {NAME} 2 times, not once", done.stderr)

    def test_a_file_that_is_gone_is_named(self):
        done = self.plant(None)
        self.assertEqual(1, done.returncode)
        self.assertIn(f"{NAME} is planted in {PATH}, which is gone", done.stderr)

    def test_every_row_changes_something_that_is_there_once(self):
        for name, (_, old, new, _) in BUGS.items():
            with self.subTest(name):
                self.assertNotEqual(old, new)
                self.assertNotEqual(mutate(name, SOURCE), (SOURCE / BUGS[name][0]).read_text())


if __name__ == "__main__":
    unittest.main()
