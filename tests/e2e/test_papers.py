"""The man pages and what shells complete say what --help says."""
# SPDX-License-Identifier: Apache-2.0

import os
import pathlib
import re
import shutil
import subprocess
import unittest

BUILD = pathlib.Path(os.environ["OTTER_BUILD"]).resolve()
SOURCE = pathlib.Path(os.environ["OTTER_SOURCE"]).resolve()
OTTER = BUILD / "otter"
LIMIT_S = 60


def run(*args, **options):
    return subprocess.run([str(arg) for arg in args], capture_output=True, text=True, timeout=LIMIT_S, check=False, **options)


def complete(*words):
    done = run(OTTER, "--complete", *words)
    assert done.returncode == 0 and done.stderr == "", done
    return done.stdout.split("\n")[:-1]


def verbs():
    """["image info", ..., "serve"] as the help pages list them."""
    found = []
    for name in re.findall(r"^  (\w+) ", run(OTTER, "--help").stdout, re.M):
        text = run(OTTER, name, "--help").stdout
        words = re.findall(r"^  (\w+) ", text, re.M) if f"usage: otter {name} VERB" in text else []
        found += [f"{name} {word}" for word in words] or [name]
    return found


def options(verb):
    return set(re.findall(r"^  (?:-\w, )?(--[\w-]+)", run(OTTER, *verb.split(), "--help").stdout, re.M))


class ManPages(unittest.TestCase):
    def section(self, verb):
        if verb == "serve":
            return run(BUILD / "otter-serve", "--man").stdout
        page = run(OTTER, "--man").stdout
        return re.search(rf"^\.SS otter {verb}\n(.*?)^\.S[SH] ", page, re.M | re.S).group(1)

    def test_each_option_of_each_verb_is_there(self):
        self.assertGreater(len(verbs()), 12)
        for verb in verbs():
            text = self.section(verb).replace("\\-", "-")
            named = set(re.findall(r"^\.B (?:-\w, )?(--[\w-]+)", text, re.M))
            self.assertEqual(named, options(verb), verb)

    @unittest.skipUnless(shutil.which("groff"), "groff is not there")
    def test_troff_has_nothing_to_complain_of(self):
        for program in ("otter", "otter-serve"):
            page = run(BUILD / program, "--man").stdout
            done = run("groff", "-man", "-Tascii", "-ww", input=page)
            self.assertEqual((done.returncode, done.stderr), (0, ""), program)
            self.assertIn("SEE ALSO", re.sub(r".\x08|\x1b\[\d+m", "", done.stdout))


class Completions(unittest.TestCase):
    def test_verbs(self):
        self.assertEqual(complete(""), ["image", "key", "table", "flash", "efuse", "update", "boot", "confirm", "reject", "agent",
                                        "fleet", "nvs",
                                        "run", "serve", "new", "build", "menuconfig", "idf-path",
                                        "idf-components"])
        self.assertEqual(complete("fl"), ["flash", "fleet"])
        self.assertEqual(complete("fla"), ["flash"])
        self.assertEqual(complete("flash", "s"), ["select"])
        self.assertIn("verify", complete("image", ""))
        self.assertEqual(complete("nothing", ""), [])

    def test_every_option_of_every_verb(self):
        for verb in verbs():
            self.assertEqual(set(complete(*verb.split(), "--")) - {"--help"}, options(verb), verb)
            self.assertEqual(complete(*verb.split(), "--hel"), ["--help"], verb)

    def test_values(self):
        self.assertEqual(complete("image", "verify", "--chip", "esp32c6"), ["esp32c6", "esp32c61"])
        self.assertEqual(complete("image", "build", "--elf", ""), [])  # a file: the shell knows those

    def test_odd_words_do_no_harm(self):
        for words in ([], ["image"] * 300, ["x" * 5000], ["run", "--" + "x" * 5000], ["serve", *["--port"] * 200, ""],
                      ["flash", "", ""]):
            done = run(OTTER, "--complete", *words)
            self.assertEqual((done.returncode, done.stderr), (0, ""), words[:3])

    def test_bash(self):
        script = (f"source {SOURCE}/completions/otter.bash; COMP_WORDS=(otter flash se); COMP_CWORD=2; _otter; "
                  'printf "%s\\n" "${COMPREPLY[@]}"')
        done = run("bash", "-c", script, env={**os.environ, "PATH": f"{BUILD}:{os.environ['PATH']}"})
        self.assertEqual((done.stdout, done.stderr), ("select\n", ""))


if __name__ == "__main__":
    unittest.main()
