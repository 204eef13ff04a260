"""What a script can say about readability: lengths of functions, files and lines; links and commands in the papers."""
# SPDX-License-Identifier: Apache-2.0
import ast
import os
import re
import statistics
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from test_layering import SOURCE, text_files  # noqa: E402

FUNCTION_LINES_MAX = 100
FILE_LINES_MAX = 1000
LINE_CHARS_MAX = 130
CODE = (".c", ".h", ".py", ".sh", ".cmake")


def c_functions(text):
    """Yields (first line, name, line count) of each function; the format of the project puts its braces in column 0."""
    lines = text.split("\n")
    start = None
    for number, line in enumerate(lines, 1):
        if line == "{":
            start = number
        elif line == "}" and start is not None:
            head = " ".join(lines[max(0, start - 6):start - 1])
            names = re.findall(r"(\w+)\s*\(", head[max(head.rfind(";"), head.rfind("}")) + 1:])
            yield start, names[0] if names else "?", number - start - 1
            start = None


def python_functions(text):
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node.lineno, node.name, node.end_lineno - node.lineno


def shell_functions(text):
    start = None
    for number, line in enumerate(text.split("\n"), 1):
        if re.match(r"\w+\(\) [{(]$", line):
            start, name = number, line.split("(")[0]
        elif line in ("}", ")") and start is not None:
            yield start, name, number - start - 1
            start = None


def functions_of(path, text):
    if path.endswith((".c", ".h")):
        return c_functions(text)
    if path.endswith(".py"):
        return python_functions(text)
    if path.endswith(".sh") or path in ("dev", os.path.join(".ci", "run")):
        return shell_functions(text)
    return ()


def headings(text):
    """The anchors of a Markdown file, made as GitHub makes them."""
    found = set()
    for line in re.sub(r"```.*?```", "", text, flags=re.S).split("\n"):
        match = re.match(r"#+\s+(.*)", line)
        if match:
            plain = re.sub(r"[^\w\- ]", "", match[1].strip().lower())
            found.add(plain.replace(" ", "-"))
    return found


def line_of(text, match):
    return text.count("\n", 0, match.start()) + 1


class Lengths(unittest.TestCase):
    def test_functions_stay_short(self):
        found = [(count, f"{path}:{line} {name}") for path, text in text_files(SOURCE)
                 for line, name, count in functions_of(path, text)]
        self.assertTrue(found)
        found.sort(reverse=True)
        counts = [count for count, _ in found]
        print(f"\n{len(found)} functions, median {statistics.median(counts):.0f} lines; the longest:")
        for count, where in found[:8]:
            print(f"  {count:4} {where}")
        self.assertEqual([], [where for count, where in found if count > FUNCTION_LINES_MAX])

    def test_files_stay_short(self):
        long = [f"{path}: {text.count(chr(10))} lines" for path, text in text_files(SOURCE)
                if path.endswith(CODE) and text.count("\n") > FILE_LINES_MAX]
        self.assertEqual([], long)

    def test_lines_stay_short(self):
        long = [f"{path}:{number}: {len(line)} characters" for path, text in text_files(SOURCE)
                if path.endswith(CODE) or path == "dev"
                for number, line in enumerate(text.split("\n"), 1) if len(line) > LINE_CHARS_MAX]
        self.assertEqual([], long)

    def test_files_end_in_one_newline_and_lines_in_no_blank(self):
        wrong = [path for path, text in text_files(SOURCE)
                 if path.endswith(CODE) and (not text.endswith("\n") or text.endswith("\n\n") or
                                             re.search(r"[ \t]$", text, flags=re.M))]
        self.assertEqual([], wrong)


class Shapes(unittest.TestCase):
    """One way to write what has no meaning of its own."""

    def test_no_function_that_says_yes_or_no_returns_an_error_code(self):
        """`return otter_fault(...)` compiles in a function that returns bool, and means true: that all is well."""
        found = []
        for path, text in text_files(SOURCE):
            if path.endswith(".c"):
                for function in re.finditer(r"^(?:static )?bool \w+\([^;{]*\)\n\{\n(.*?)^\}", text, re.M | re.S):
                    for line in re.findall(r"return [^;]*\botter_v?fault(?:_add)?\([^;]*;", function.group(1)):
                        if "ESP_OK" not in line.rsplit(")", 1)[-1]:
                            found.append(f"{path}:{line_of(text, function)}: {line}")
        self.assertEqual([], found)

    def test_a_declaration_is_not_torn_by_its_comment(self):
        """clang-format would put the type on a line of its own: the comment belongs above."""
        torn = re.compile(r"^ +(?:(?:const|static|struct|unsigned) )*\w+(?: \*+)?\n +\**\w+(?:\[\w+\])?; +/\*", re.M)
        self.assertTrue(torn.search("    bool\n        loading; /* as the bootloader does */\n"))
        self.assertEqual([], [f"{path}:{line_of(text, m)}" for path, text in text_files(SOURCE) if path.endswith((".c", ".h"))
                              for m in torn.finditer(text)])

    def test_each_file_names_its_licence(self):
        """Below its purpose; not in what is the beginning of somebody else's project."""
        projects = (os.path.join("examples", "template"), os.path.join("examples", "idf"),
                    os.path.join("idf", "template"))
        missing = [path for path, text in text_files(SOURCE) if path.endswith(CODE) and not path.startswith(projects) and
                   not re.search(r"(?:/\*|#) SPDX-License-Identifier: Apache-2\.0", text)]
        self.assertEqual([], missing)

    def test_sections_have_one_shape(self):
        rule = re.compile(r"^/\* *-{2,}.*$", re.M)
        self.assertEqual([], [f"{path}:{line_of(text, m)}: {m[0]}" for path, text in text_files(SOURCE)
                              if path.endswith((".c", ".h")) for m in rule.finditer(text)
                              if not re.fullmatch(r"/\* ---- \S.*\S ---- \*/", m[0])])

    def test_comments_of_functions_begin_alike(self):
        plain = re.compile(r"^/\*(?!\*| ----)(?:[^*]|\*(?!/))*\*/\n(?!typedef|struct|enum|union|return)[a-z_][\w *]*\(", re.M)
        self.assertTrue(plain.search("/* What it does. */\nstatic int f(void)\n"))
        self.assertEqual([], [f"{path}:{line_of(text, m)}" for path, text in text_files(SOURCE)
                              if path.endswith(".c") and path.split(os.sep)[0] in ("src", "port", "cli", "server")
                              for m in plain.finditer(text) if m.start() > 0])


class Papers(unittest.TestCase):
    def papers(self):
        return [(path, text) for path, text in text_files(SOURCE) if path.endswith(".md")]

    def test_links_between_the_papers_resolve(self):
        broken = []
        for path, text in self.papers():
            prose = re.sub(r"```.*?```", "", text, flags=re.S)
            for target in re.findall(r"\]\(([^)\s]+)\)", prose):
                if re.match(r"\w+:", target):
                    continue
                name, _, anchor = target.partition("#")
                full = os.path.join(SOURCE, os.path.dirname(path), name) if name else os.path.join(SOURCE, path)
                if not os.path.exists(full):
                    broken.append(f"{path}: {target}")
                elif anchor and full.endswith(".md"):
                    with open(full, encoding="utf-8") as f:
                        if anchor not in headings(f.read()):
                            broken.append(f"{path}: {target}")
        self.assertEqual([], broken)

    def test_commands_that_the_papers_name_exist(self):
        known = set(re.findall(r"^cmd_(\w+)\(\)", dict(text_files(SOURCE))["dev"], flags=re.M))
        named = {(path, command) for path, text in self.papers()
                 for command in re.findall(r"\./dev (\w+)", text)}
        self.assertEqual([], [(path, command) for path, command in sorted(named) if command not in known])

    def test_every_fuzz_target_is_named_and_has_a_corpus(self):
        files = dict(text_files(SOURCE))
        for target in re.findall(r"fuzz/fuzz_(\w+)\.c\b", " ".join(files)):
            self.assertIn(f"`{target}`", files["CONTRIBUTING.md"])
            self.assertTrue(os.path.getsize(os.path.join(SOURCE, "fuzz", "corpus", target + ".corpus")))

    def test_dev_help_explains_every_command(self):
        dev = os.path.join(SOURCE, "dev")
        said = subprocess.run([dev, "--help"], check=True, capture_output=True, text=True, timeout=30).stdout
        for command in re.findall(r"^cmd_(\w+)\(\)", dict(text_files(SOURCE))["dev"], flags=re.M):
            self.assertRegex(said, rf"(?m)^  {command}\b")

    def test_dev_names_a_wrong_command(self):
        dev = os.path.join(SOURCE, "dev")
        done = subprocess.run([dev, "tset"], capture_output=True, text=True, timeout=30, check=False)
        self.assertEqual(2, done.returncode)
        self.assertIn("'tset'", done.stderr)

    def test_dev_explains_one_command_and_runs_nothing(self):
        dev = os.path.join(SOURCE, "dev")
        for command in re.findall(r"^cmd_(\w+)\(\)", dict(text_files(SOURCE))["dev"], flags=re.M):
            for args in [("--help",), ("-h",), ("all", "--help")]:
                with self.subTest(command=command, args=args):
                    done = subprocess.run([dev, command, *args], capture_output=True, text=True, timeout=30, check=False)
                    self.assertEqual((done.returncode, done.stderr), (0, ""))
                    if command == "bench":  # has a help of its own
                        self.assertIn("usage", done.stdout)
                        continue
                    self.assertRegex(done.stdout, rf"\A  {command}\b")
                    self.assertEqual(1, len(re.findall(r"(?m)^  [a-z]", done.stdout)), done.stdout)

    def test_dev_refuses_options_that_it_does_not_know(self):
        dev = os.path.join(SOURCE, "dev")
        for args in [("lint", "--chek"), ("format", "--chek"), ("format", "--check", "more"), ("build", "--asn"),
                     ("test", "--asn"), ("rv32", "x"), ("size", "x"), ("setup", "x"), ("fuzz", "nothing"), ("fuzz", "url", "x"),
                     ("fuzz", "--mrge")]:
            with self.subTest(args):
                done = subprocess.run([dev, *args], capture_output=True, text=True, timeout=30, check=False)
                self.assertEqual(2, done.returncode, done.stderr)
                self.assertRegex(done.stderr, r"\A\./dev: [^\n]*--help[^\n]*\n\Z")


class TheCountersThemselves(unittest.TestCase):
    def test_no_pipe_of_a_script_ends_before_its_input(self):
        # With pipefail, a writer whose reader has gone fails the script: sometimes, when it writes late.
        early = re.compile(r"\|\s*(head\b|grep\b[^|]* -[a-zA-Z]*[qm]|sed (-n )?'?[0-9$]*q)")
        self.assertTrue(early.search("sort |\n head -n 1") and early.search("cat f | grep -s -q x"))
        found = [f"{path}:{line_of(text, match)}: {match[0]}" for path, text in text_files(SOURCE)
                 if "pipefail" in text and not path.endswith(".py") for match in early.finditer(text)]
        self.assertEqual([], found)

    def test_a_c_function_is_counted_by_its_body(self):
        text = "static int a(int b,\n             int c)\n{\n    return b;\n}\n\nstruct x {\n    int y;\n};\n"
        self.assertEqual([(3, "a", 1)], list(c_functions(text)))

    def test_python_and_shell_functions_are_counted(self):
        self.assertEqual([(1, "f", 1)], list(python_functions("def f():\n    pass\n")))
        self.assertEqual([(1, "f", 1)], list(shell_functions("f() {\n    :\n}\n")))

    def test_headings_become_anchors(self):
        self.assertEqual({"the-way-of-the-data", "a-b"}, headings("# The way of the data\n## A, B!\n```\n# no\n```\n"))


if __name__ == "__main__":
    sys.exit(unittest.main())
