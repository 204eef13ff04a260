"""The deterministic world (tests/world): its quirks stand for every row of the catalogue of misbehaviour; its command line."""
# SPDX-License-Identifier: Apache-2.0

import collections
import os
import pathlib
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import misbehaviour  # noqa: E402

WORLD = pathlib.Path(os.environ.get("OTTER_BUILD", "build")).resolve() / "tests" / "test_world"


def world(*args, **env):
    return subprocess.run([WORLD, *args], capture_output=True, text=True, timeout=120, check=False,
                          env={k: v for k, v in os.environ.items() if not k.startswith("OTTER_")} | env)


class Catalogue(unittest.TestCase):
    def setUp(self):
        listed = world("--quirks")
        self.assertEqual(listed.returncode, 0, listed.stderr)
        self.quirks = dict(line.split("|") for line in listed.stdout.splitlines())
        self.rows = {e.name for e in misbehaviour.all_entries()}

    def test_every_row_has_a_quirk(self):
        stood_for = {row for rows in self.quirks.values() for row in rows.split()}
        self.assertEqual(sorted(self.rows - stood_for), [], "rows without a quirk: see tests/world/quirks_*.c, trouble.c")

    def test_every_quirk_names_rows_that_there_are(self):
        for name, rows in self.quirks.items():
            self.assertEqual(sorted(set(rows.split()) - self.rows), [], name)

    def test_no_row_is_named_twice(self):
        counts = collections.Counter(row for rows in self.quirks.values() for row in rows.split())
        self.assertEqual([row for row, count in counts.items() if count > 1], [])

    def test_names_are_told_apart(self):
        self.assertEqual(len(self.quirks), len(world("--quirks").stdout.splitlines()))


class CommandLine(unittest.TestCase):
    def test_nonsense_is_wrong_usage(self):
        for args, env in ((["--seeds", "abc"], {}), (["--seeds", ""], {}), (["--seeds", "12x"], {}), (["--seeds", "-1"], {}),
                          (["--start", "1.5"], {}), (["--seed", "99999999999999999999999"], {}), (["--seeds"], {}),
                          (["--unheard-of"], {}), (["7"], {}), ([], {"OTTER_SEEDS": "abc"}), ([], {"OTTER_SEEDS": ""})):
            with self.subTest(args=args, env=env):
                answer = world(*args, **env)
                self.assertEqual(answer.returncode, 2, answer.stdout)
                self.assertIn("usage: test_world", answer.stderr)
                self.assertEqual(answer.stdout, "")

    def test_help_is_no_error(self):
        answer = world("--help")
        self.assertEqual((answer.returncode, answer.stderr), (0, ""))
        self.assertIn("--seeds N", answer.stdout)

    def test_the_number_of_worlds_is_the_options_or_the_environments(self):
        for args, env, seeds in ((["--seeds", "3"], {"OTTER_SEEDS": "5"}, "3 seeds"), ([], {"OTTER_SEEDS": "2"}, "2 seeds"),
                                 (["--seeds", "1"], {"OTTER_LONG": "yes"}, "1 seeds")):
            with self.subTest(args=args, env=env):
                answer = world(*args, **env)
                self.assertEqual(answer.returncode, 0, answer.stdout)
                self.assertIn(f"\n{seeds} from 1 on: 0 broken", answer.stdout)

    def test_one_seed_tells_one_story(self):
        stories = {world("--seed", "7", "--trace").stdout for _ in range(2)}
        self.assertEqual(len(stories), 1)
        self.assertIn("seed 7: good", stories.pop())


if __name__ == "__main__":
    unittest.main()
