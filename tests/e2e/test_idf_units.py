"""A project of components takes its update, and its tests run on the device by Unity's names."""
# SPDX-License-Identifier: Apache-2.0

import unittest

from idf_project import SANITIZED, TOO_LARGE, ConsoleTest, Project, ProjectTest, otter

BROKEN = """
#include <string.h>
#include "unity.h"

TEST_CASE("a number", "[broken]") { TEST_ASSERT_EQUAL_UINT8_MESSAGE(250, 251, "of pears"); }
TEST_CASE("two texts", "[broken]") { TEST_ASSERT_EQUAL_STRING("pear", "plum"); }
TEST_CASE("an array", "[broken]") { const int16_t a[] = {1, -2}, b[] = {1, -3}; TEST_ASSERT_EQUAL_INT16_ARRAY(a, b, 2); }
TEST_CASE("bytes", "[broken]") { TEST_ASSERT_EQUAL_MEMORY("abc", "abd", 3); }
TEST_CASE("a limit", "[broken]") { TEST_ASSERT_GREATER_THAN(7, 7); }
TEST_CASE("nearly", "[broken]") { TEST_ASSERT_INT_WITHIN(2, -1, 2); }
TEST_CASE("reals", "[broken]") { TEST_ASSERT_EQUAL_FLOAT(1.5f, 1.25f); }
TEST_CASE("a code", "[broken]") { TEST_ESP_OK(ESP_ERR_NO_MEM); }
TEST_CASE("a pointer", "[broken]") { TEST_ASSERT_NULL("here"); }
TEST_CASE("not now", "[later]") { TEST_IGNORE_MESSAGE("no time"); }
TEST_CASE("what holds", "[fine]")
{
    const char *same = "x";
    uint64_t large = UINT64_MAX;
    TEST_ASSERT_EQUAL_UINT64(UINT64_MAX, large);
    TEST_ASSERT_EQUAL_HEX8(0xFE, -2);
    TEST_ASSERT_EQUAL_PTR(same, same);
    TEST_ASSERT_UINT32_WITHIN(5, 0, 5);
    TEST_ASSERT_BITS(0x0F, 0xA5, 0xF5);
    TEST_ASSERT_EACH_EQUAL_CHAR('a', "aaa", 3);
    TEST_ASSERT_NOT_EQUAL_INT8(-1, 255 - 1);
    TEST_ASSERT_EQUAL_STRING_LEN("pear", "peas", 3);
    TEST_ASSERT_EQUAL_DOUBLE(0.1, 0.1);
    TEST_ASSERT_TRUE(!strcmp(same, "x"));
}
"""


class Update(ProjectTest):
    example = "units_ota"

    def test_counts_failures_over_restarts_and_takes_the_update(self):
        console = self.run_device("--new", "--expect", "2.0.0,VALID", server=self.serve(),
                                  ask_for=["nowhere.bin", "nowhere.bin", "app.bin"])
        self.check_lines(["version 1.0.0, 0 failures", "the next look is in 30 s", "the next look is in 60 s",
                          "version 2.0.0, 0 failures"], console)


@unittest.skipIf(SANITIZED, TOO_LARGE)
class TestApp(ConsoleTest):
    @classmethod
    def setUpClass(cls):
        cls.project = Project("units_ota")
        cls.addClassCleanup(cls.project.remove)
        cls.app = cls.project.path / "test_app"

    def run_tests(self, lines, *options, build=()):
        made = otter("build", self.app, *build)
        self.assertEqual(made.returncode, 0, made.stdout + made.stderr)
        return otter("run", self.app / "build-otter", "--new", "--max-seconds", "60", *options, input=lines)

    def check(self, done, *lines):
        self.check_lines(lines, done.stdout, done.stderr)

    def test_menu_runs_what_the_console_asks_for(self):
        done = self.run_tests('\n[schedule]\n"an update ends the count"\n5\n1\n5\n2\n', "--until", "behind all this")
        self.check(done, "(1)\t\"without a failure it is the limit\" [schedule]\n", "(5)\t\"a count outlives a restart\"",
                   "[telemetry][multi_stage]\n", "Enter test for running.\n",
                   "test_schedule.c:7:without a failure it is the limit:PASS\n", "no number of failures is too large:PASS\n",
                   "3 Tests 0 Failures 0 Ignored \nOK\n",
                   "test_telemetry.c:6:an update ends the count:PASS\n", "1 Tests 0 Failures",
                   "Running a count outlives a restart...\n", "Press ENTER", "Running a count outlives a restart...\n",
                   ":a count outlives a restart:PASS\n", "Test ran in ")

    def test_failures_are_told_in_unitys_words(self):
        text = (self.app / "main" / "CMakeLists.txt").read_text(encoding="utf-8")
        self.project.write("test_app/main/CMakeLists.txt", text.replace('"test_telemetry.c"', '"test_telemetry.c" "z.c"'))
        self.addCleanup(self.project.write, "test_app/main/CMakeLists.txt", text)
        self.project.write("test_app/main/z.c", BROKEN)
        done = self.run_tests("[broken]\n[later]\n[fine]\n", build=("--sanitize", "address,undefined"))
        self.check(done, "Running tests matching '[broken]'...\n", "a number:FAIL: Expected 250 Was 251. of pears\n",
                   "two texts:FAIL: Expected 'pear' Was 'plum'\n", "an array:FAIL: Element 1 Expected -2 Was -3\n",
                   "bytes:FAIL: Memory Mismatch. Byte 2 Expected 0x63 Was 0x64\n",
                   "a limit:FAIL: Expected 7 to be greater than 7\n",
                   "nearly:FAIL: Values Not Within Delta 2 Expected -1 Was 2\n", "reals:FAIL: Expected 1.5 Was 1.25\n",
                   "a code:FAIL: Expected 0x00000000 Was 0x00000101\n", "a pointer:FAIL: Expected NULL\n",
                   "9 Tests 9 Failures 0 Ignored \nFAIL\n", "not now:IGNORE: no time\n", "1 Tests 0 Failures 1 Ignored",
                   "what holds:PASS\n", "1 Tests 0 Failures 0 Ignored \nOK\n")


if __name__ == "__main__":
    unittest.main()
