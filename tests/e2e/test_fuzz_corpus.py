"""The packs of fuzz inputs: both readers take from them what was put in, and they are as seeds.py and the packer make them."""
# SPDX-License-Identifier: Apache-2.0
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

SOURCE = pathlib.Path(os.environ.get("OTTER_SOURCE") or pathlib.Path(__file__).parents[2])
BUILD = pathlib.Path(os.environ.get("OTTER_BUILD") or SOURCE / "build")
sys.path.insert(0, str(SOURCE / "fuzz"))
import corpus  # noqa: E402
import seeds  # noqa: E402

AWKWARD = [b"", b"\\", b"\\\\x41", b"{4}", b"\0{4}", b"\xff" * 3, b"\xff" * 4 + b"{", b"\0" * 5000, b" a \n\r\t b ", b"~|}{z",
           bytes(range(256)), bytes(range(255, -1, -1)) * 3, "ü\u2028".encode()]


class Packs(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))

    def test_what_is_packed_comes_out_again(self):
        for data in AWKWARD:
            with self.subTest(data[:20]):
                text = corpus.encode(data)
                self.assertEqual(data, corpus.decode(text))
                self.assertRegex(text, r"\A[ -~]*\Z")

    def test_every_pack_is_as_the_packer_writes_it(self):
        for path in sorted((SOURCE / "fuzz" / "corpus").iterdir()):
            with self.subTest(path.name):
                self.assertEqual(path.suffix, ".corpus")
                before = path.read_text(encoding="ascii")
                inputs = corpus.read(path.stem)
                self.assertEqual(before, "".join(f"{name} {corpus.encode(inputs[name])}\n" for name in sorted(inputs)))
                for name, data in inputs.items():
                    self.assertEqual(name, corpus.name_of(name, data))

    def test_the_seeds_are_those_of_seeds_py(self):
        for target, made in seeds.SEEDS.items():
            with self.subTest(target):
                have = {name: data for name, data in corpus.read(target).items() if name.startswith("seed-")}
                self.assertEqual({"seed-" + name: data for name, data in made()}, have)

    def replay(self, what):
        done = subprocess.run([BUILD / "fuzz" / "fuzz_serve_path", what], capture_output=True, text=True, timeout=60, check=True)
        return done.stdout, [line.rsplit("/", 1)[1] for line in done.stderr.splitlines()]

    def test_the_replay_reads_what_the_packer_wrote(self):
        for number, data in enumerate(AWKWARD):
            (self.folder / f"seed-{number:02}").write_bytes(data)
        pack = self.folder / "awkward.corpus"
        names = sorted(path.name for path in self.folder.iterdir())
        pack.write_text("".join(f"{name} {corpus.encode((self.folder / name).read_bytes())}\n" for name in names))
        said = f"{len(AWKWARD)} inputs, {sum(map(len, AWKWARD))} bytes\n"
        self.assertEqual((said, [f"awkward.corpus:{name}" for name in names]), self.replay(pack))
        self.assertEqual(("1 inputs, 5000 bytes\n", ["awkward.corpus:seed-07"]), self.replay(f"{pack}:seed-07"))
        pack.unlink()
        self.assertEqual((said, names), self.replay(self.folder))


if __name__ == "__main__":
    unittest.main()
