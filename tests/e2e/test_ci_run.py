"""The CI script's own promises: every gate runs, the last line is the plain count, the exit status agrees with it."""
# SPDX-License-Identifier: Apache-2.0
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

SOURCE = os.environ.get("OTTER_SOURCE") or os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

# A stand-in for ./dev: what it prints and its exit status, by its arguments; anything else succeeds silently.
STUB = """#!/bin/sh
echo "$*" >>calls
case "$*" in
%s
esac
"""


def run_ci(cases):
    """Runs .ci/run over a stubbed ./dev. Returns (exit status, output lines, calls)."""
    with tempfile.TemporaryDirectory() as root:
        os.makedirs(os.path.join(root, ".ci"))
        os.makedirs(os.path.join(root, "tests", "e2e"))
        shutil.copy(os.path.join(SOURCE, ".ci", "run"), os.path.join(root, ".ci", "run"))
        with open(os.path.join(root, "tests", "e2e", "test_layering.py"), "w", encoding="utf-8") as f:
            f.write("# passes\n")
        dev = os.path.join(root, "dev")
        with open(dev, "w", encoding="utf-8") as f:
            f.write(STUB % "\n".join(cases))
        os.chmod(dev, 0o755)
        done = subprocess.run([os.path.join(root, ".ci", "run")], capture_output=True, text=True, timeout=60, check=False)
        with open(os.path.join(root, "calls"), encoding="utf-8") as f:
            return done.returncode, done.stdout.splitlines(), f.read().splitlines()


class CiRun(unittest.TestCase):
    def test_counts_tests_and_gates_and_says_so_last(self):
        status, lines, calls = run_ci(['test) echo "40 passed, 0 failed" ;;',
                                       '"test --asan") echo "30 passed, 0 failed" ;;'])
        self.assertEqual(0, status)
        self.assertEqual(f"{70 + len(calls) - 2 + 1} passed, 0 failed", lines[-1])  # +1: the layering gate

    def test_a_failure_is_counted_named_and_stops_nothing(self):
        status, lines, calls = run_ci(['test) echo "40 passed, 2 failed"; exit 1 ;;', "lint) exit 1 ;;"])
        self.assertEqual(1, status)
        self.assertRegex(lines[-1], r"^\d+ passed, 3 failed$")
        self.assertIn("failed gate: tests", lines)
        self.assertIn("failed gate: lint", lines)
        self.assertIn("rv32", calls)

    def test_a_test_run_that_dies_without_a_count_is_a_failure(self):
        status, lines, _ = run_ci(['test) echo "building"; exit 1 ;;'])
        self.assertEqual(1, status)
        self.assertRegex(lines[-1], r", 1 failed$")

    def test_a_failing_status_wins_over_a_clean_count(self):
        status, lines, _ = run_ci(['test) echo "40 passed, 0 failed"; exit 1 ;;'])
        self.assertEqual(1, status)
        self.assertIn("failed gate: tests", lines)
        self.assertRegex(lines[-1], r", 1 failed$")


if __name__ == "__main__":
    sys.exit(unittest.main())
