"""What the commands do with names that stand for no ordinary file: nothing is waited for that may never come, nothing lost."""
# SPDX-License-Identifier: Apache-2.0

import fcntl
import os
import pathlib
import resource
import shutil
import signal
import stat
import struct
import subprocess
import termios
import time
import unittest

from files_case import CSV, LIMIT_S, OTTER, TABLE, FilesTest, otter
from servers import make_cert

OLD = b"what was there before\n"


def limit_files(size):
    """For preexec_fn: no file of the child becomes larger, as on a full disk."""
    def apply():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
    return apply


def make_fifo(path):
    os.mkfifo(path)
    return path


class Outputs(FilesTest):
    def verbs(self):
        """Name, the arguments for an output, and what comes out (None: a port's number)."""
        cert = make_cert(self.folder)
        elf = self.folder / "app.elf"
        elf.write_bytes(pathlib.Path("/bin/true").read_bytes())
        made = otter("image", "build", "--elf", elf, "--chip", "linux", "--project", "p", "--version", "1", "-o", "-")
        return [
            ("table build", lambda out: ("table", "build", CSV, "-o", out), TABLE),
            ("image build", lambda out: ("image", "build", "--elf", elf, "--chip", "linux", "--project", "p", "--version", "1",
                                         "-o", out), made.stdout),
            ("flash read", lambda out: ("flash", "read", self.flash, "nvs", out), b"\xff" * 0x4000),
            ("serve", lambda out: ("serve", self.folder, "--cert", cert.cert, "--key", cert.key, "--bind", "127.0.0.1",
                                   "--port", "0", "--max-seconds", "1", "--port-file", out), None),
        ]

    def check_content(self, got, want):
        if want is None:
            self.assertRegex(got, rb"\A[1-9][0-9]*\n\Z")
        else:
            self.assertEqual(got, want)

    def each(self, check):
        for name, args, want in self.verbs():
            with self.subTest(name):
                before = set(os.listdir(self.folder))
                check(args, want)
                self.assertEqual(before, set(os.listdir(self.folder)) - {"out", "link", "sub", "other"})
                for made in ("out", "link", "other"):
                    (self.folder / made).unlink(missing_ok=True)
                shutil.rmtree(self.folder / "sub", ignore_errors=True)

    def test_a_new_file_is_made_and_an_old_one_replaced_with_its_permissions(self):
        def check(args, want):
            out = self.folder / "out"
            for old_mode in None, 0o600:
                self.assertEqual(otter(*args(out)).returncode, 0)
                self.check_content(out.read_bytes(), want)
                if old_mode is not None:
                    self.assertEqual(stat.S_IMODE(out.stat().st_mode), old_mode)
                out.chmod(0o600)
                out.write_bytes(OLD)
        self.each(check)

    def test_links_stay_and_what_they_lead_to_is_replaced(self):
        def check(args, want):
            sub, link, other = self.folder / "sub", self.folder / "link", self.folder / "other"
            sub.mkdir()
            other.symlink_to("sub/second")
            (sub / "second").symlink_to("file")  # seen from where it lies
            link.symlink_to(other)
            for old in None, OLD:
                if old is not None:
                    (sub / "file").write_bytes(old)
                self.assertEqual(otter(*args(link)).returncode, 0)
                self.assertTrue(link.is_symlink() and other.is_symlink() and (sub / "second").is_symlink())
                self.check_content((sub / "file").read_bytes(), want)
                self.assertEqual(sorted(os.listdir(sub)), ["file", "second"])
        self.each(check)

    def test_who_waits_at_a_fifo_gets_it(self):
        def check(args, want):
            out = make_fifo(self.folder / "out")
            reader = os.open(out, os.O_RDONLY | os.O_NONBLOCK)
            fcntl.fcntl(reader, 1031, 1 << 16)  # F_SETPIPE_SZ: room for all of it
            run = otter(*args(out))
            self.assertEqual(run.returncode, 0, run)
            self.check_content(os.read(reader, 1 << 17), want)
            os.close(reader)
            self.assertTrue(stat.S_ISFIFO(out.lstat().st_mode))
            self.fails(otter(*args(out)), "nobody has this FIFO open for reading")
            self.assertTrue(stat.S_ISFIFO(out.lstat().st_mode))
        self.each(check)

    def test_a_device_stays_one(self):
        # A node of its own: one that the system uses is nothing to experiment with.
        node = self.folder / "null"
        try:
            os.mknod(node, 0o600 | stat.S_IFCHR, os.makedev(1, 3))
            os.close(os.open(node, os.O_WRONLY))
        except OSError as error:
            self.skipTest(f"device nodes cannot be made and used here ({error.strerror})")

        def check(args, _):
            self.assertEqual(otter(*args(node)).returncode, 0)
            self.assertTrue(stat.S_ISCHR(node.lstat().st_mode))
        self.each(check)

    def test_standard_output_has_a_name_too(self):
        _, args, want = self.verbs()[0]
        self.assertEqual(otter(*args("/dev/stdout")).stdout, want)
        self.assertEqual(otter(*args("-")).stdout, want)

    def test_what_cannot_be_written_leaves_the_old_file(self):
        loop = self.folder / "loop"
        loop.symlink_to(loop)
        out = self.folder / "out"
        for _, args, _ in self.verbs()[:3]:
            out.write_bytes(OLD)
            before = sorted(os.listdir(self.folder))
            self.fails(otter(*args(out), preexec_fn=limit_files(64)), "File too large")
            self.assertEqual(out.read_bytes(), OLD)
            self.fails(otter(*args(self.folder)), "Is a directory")
            self.fails(otter(*args(self.folder / "none" / "out")), "No such file")
            self.fails(otter(*args(loop)), "symbolic links")
            self.assertEqual(sorted(os.listdir(self.folder)), before)

    def test_a_full_disk_is_told_as_such(self):
        new = self.folder / "new.bin"
        run = otter("flash", "new", new, "--size", "4MB", "--table", CSV, preexec_fn=limit_files(1 << 20))
        self.assertEqual(run.returncode, 1)
        self.assertIn(b"cannot write 4194304 bytes: File too large", run.stderr)
        self.assertEqual(os.listdir(self.folder), ["flash.bin"])


class Inputs(FilesTest):
    def test_a_fifo_that_nobody_writes_to_makes_nobody_wait(self):
        fifo, cert, flash = make_fifo(self.folder / "fifo"), make_cert(self.folder), self.flash
        new = ("flash", "new", self.folder / "new.bin", "--size", "4MB")
        serve = ("serve", self.folder, "--bind", "127.0.0.1", "--port", "0")
        rows = [
            ("image", "info", fifo), ("image", "info", fifo, "--json"), ("image", "verify", fifo),
            ("image", "build", "--elf", fifo, "--chip", "linux", "--project", "p", "--version", "1", "-o", "-"),
            ("table", "show", fifo), ("table", "show", fifo, "--csv"), ("table", "build", fifo, "-o", self.folder / "out"),
            (*new, "--table", fifo), (*new, "--table", CSV, "--app", f"factory={fifo}"),
            ("flash", "write", flash, "nvs", fifo),
            ("update", flash, "https://127.0.0.1:1/", "--ca", fifo),
            (*serve, "--cert", fifo, "--key", cert.key), (*serve, "--cert", cert.cert, "--key", fifo),
        ]
        for args in rows:
            with self.subTest(args):
                self.fails(otter(*args), "it is a FIFO")
        rows = [("flash", "info", fifo), ("flash", "read", fifo, "nvs"), ("run", fifo),
                ("update", fifo, "https://a/", "--system-ca")]
        for args in rows:
            with self.subTest(args):
                self.fails(otter(*args), "it is not an ordinary file")

    def test_an_efuse_file_is_a_file_of_some_lines(self):
        efuse = pathlib.Path(f"{self.flash}.efuse")
        large = self.folder / "large"
        large.write_bytes(b"#" * 70000)
        rows = [  # what is there, what the refusal says
            (lambda: os.mkfifo(efuse), "it is a FIFO"),
            (lambda: efuse.symlink_to("/dev/zero"), "it is a device"),
            (efuse.mkdir, "it is a directory"),
            (lambda: efuse.symlink_to(large), "it has 70000 bytes, more than the 65536"),
            (lambda: efuse.write_bytes(b"chip=esp32\0\n"), "line 1 cannot be read"),
            (lambda: efuse.write_bytes(b"# by hand\nchip"), "line 2 cannot be read"),
        ]
        for make, text in rows:
            make()
            for args in ("flash", "info", self.flash), ("run", self.flash), ("update", self.flash, "https://a/", "--system-ca"):
                with self.subTest(args=args, text=text):
                    self.fails(otter(*args), text)
            (efuse.rmdir if efuse.is_dir() else efuse.unlink)()

    def test_a_link_to_the_efuse_file_stays(self):
        new, real = self.folder / "new.bin", self.folder / "chip"
        real.write_bytes(b"# kept\nlater=1\n")
        pathlib.Path(f"{new}.efuse").symlink_to("chip")
        self.assertEqual(otter("flash", "new", new, "--size", "4MB", "--table", CSV, "--chip", "esp32").returncode, 0)
        self.assertTrue(os.path.islink(f"{new}.efuse"))
        self.assertEqual(real.read_bytes(), b"chip=esp32\nsecure_version=0\n# kept\nlater=1\n")

    def test_a_name_that_nobody_knows_is_told(self):
        pathlib.Path(f"{self.flash}.efuse").write_text("later=1\n", encoding="ascii")
        shown = otter("flash", "info", self.flash, "--json")
        self.assertIn(f"{self.flash}.efuse line 1: there is no eFuse of that name", shown.stderr.decode())

    def test_a_flash_behind_links_has_one_efuse_file(self):
        real, near, far = self.folder / "real.bin", self.folder / "near.bin", self.folder / "far" / "flash.bin"
        far.parent.mkdir()
        near.symlink_to("real.bin")
        far.symlink_to("../near.bin")
        shutil.copy(self.flash, real)
        pathlib.Path(f"{real}.efuse").write_text("chip=esp32c3\n", encoding="ascii")
        for name in near, far:
            with self.subTest(name=name):
                self.assertIn(b"chip esp32c3", otter("flash", "info", name).stdout)
                other = pathlib.Path(f"{name}.efuse")
                other.write_text("secure_version=5\n", encoding="ascii")
                for args in ("flash", "info", name), ("run", name), ("update", name, "https://a/", "--system-ca"):
                    self.fails(otter(*args), "lies beside a symbolic link")
                other.unlink()
                other.symlink_to(f"{real}.efuse")
                self.assertIn(b"chip esp32c3", otter("flash", "info", name).stdout)
                other.unlink()

    def test_an_efuse_file_that_a_link_does_not_reach_is_not_a_chip_without_one(self):
        efuse = pathlib.Path(f"{self.flash}.efuse")
        efuse.symlink_to("mounted/later")
        self.fails(otter("flash", "info", self.flash), f"{efuse}: cannot open it: No such file or directory")

    def test_a_flash_with_two_names_has_no_rollback_protection(self):
        os.link(self.flash, self.folder / "second.bin")
        self.fails(otter("run", self.flash, "--anti-rollback"), "it has 2 names (hard links)")
        self.assertEqual(otter("flash", "info", self.flash).returncode, 0)

    def test_a_table_may_come_through_a_pipe(self):
        shown = otter("table", "show", CSV).stdout
        for data in CSV.read_bytes(), TABLE:
            for name in "-", "/dev/stdin":
                with self.subTest(name=name, size=len(data)):
                    run = subprocess.run([OTTER, "table", "show", name], input=data, capture_output=True, timeout=LIMIT_S)
                    self.assertEqual(run.returncode, 0, run.stderr)
                    self.assertEqual(run.stdout.replace(b"MD5: good\n", b""), shown)
        with CSV.open("rb") as csv:
            self.assertEqual(otter("table", "build", "-", "-o", "-", stdin=csv).stdout, TABLE)
        for data, text in (b"", "nothing came out"), (b"a" * 300000, "too large for a CSV"), (bytes(64), ""):
            run = subprocess.run([OTTER, "table", "show", "-"], input=data, capture_output=True, timeout=LIMIT_S)
            self.fails(run, text)
        self.fails(otter("table", "show", "-"), "it is a device")

    def test_certificates_may_come_through_a_pipe(self):
        cert = make_cert(self.folder)
        read, write = os.pipe()
        os.write(write, pathlib.Path(cert.key).read_bytes())
        os.close(write)
        run = otter("serve", self.folder, "--cert", cert.cert, "--key", f"/dev/fd/{read}", "--bind", "127.0.0.1", "--port", "0",
                    "--max-seconds", "1", pass_fds=[read])
        os.close(read)
        self.assertEqual((run.returncode, run.stderr), (0, b""))

    def test_a_signal_ends_the_wait_for_a_silent_writer(self):
        fifo = make_fifo(self.folder / "fifo")
        holder = os.open(fifo, os.O_RDWR)
        self.addCleanup(os.close, holder)
        for number in signal.SIGTERM, signal.SIGINT:
            for args in (("serve", self.folder, "--cert", fifo, "--key", fifo), ("table", "show", fifo),
                         ("update", self.flash, "https://a/", "--ca", fifo)):
                with self.subTest(args=args, signal=number):
                    os.write(holder, b"one line\n")
                    process = subprocess.Popen([OTTER, *map(str, args)], stderr=subprocess.DEVNULL)
                    self.wait_until_read(holder)
                    process.send_signal(number)
                    self.assertEqual(process.wait(LIMIT_S), -number)

    def wait_until_read(self, fd):
        end = time.monotonic() + LIMIT_S
        while struct.unpack("i", fcntl.ioctl(fd, termios.FIONREAD, bytes(4)))[0] > 0:
            self.assertLess(time.monotonic(), end)
            os.sched_yield()


if __name__ == "__main__":
    unittest.main()
