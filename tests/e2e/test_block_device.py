"""A block device as a flash file: made, updated and run like one, and refused before it is touched where it cannot be."""
# SPDX-License-Identifier: Apache-2.0

import fcntl
import os
import pathlib
import re
import shutil
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import loop_device  # noqa: E402
import servers  # noqa: E402
from device import NEW, OFFSETS, OTTER, SOURCE, TIMEOUT_S, VALID, DeviceTest  # noqa: E402

SIZE = 0x400000
TABLE = SOURCE / "examples" / "partitions_two_ota.csv"


def otter(*args, **more):
    return subprocess.run([OTTER, *map(str, args)], capture_output=True, text=True, timeout=TIMEOUT_S, check=False, **more)


class BlockDevice(DeviceTest):
    def setUp(self):
        super().setUp()
        self.backing = self.folder / "backing.img"
        self.app = self.folder / "app.bin"
        self.app.write_bytes(self.probe("1.0.0"))

    def attach(self, *options, size=SIZE):
        with self.backing.open("wb") as backing:
            backing.truncate(size)
        self.flash = loop_device.attach(self, self.backing, *options)

    def new(self, *options):
        return otter("flash", "new", self.flash, "--table", TABLE, "--app", f"factory={self.app}", *options)

    def make(self, *options):
        done = self.new("--overwrite", *options)
        self.assertEqual(done.returncode, 0, done.stderr)

    def fails(self, done, *says):
        self.assertEqual((done.returncode, done.stderr.count("\n")), (1, 1), done.stderr)
        for text in says:
            self.assertIn(text, done.stderr)

    def test_it_holds_the_same_bytes_as_a_file(self):
        self.attach()
        pathlib.Path(self.flash).write_bytes(bytes(range(256)) * (SIZE // 256))  # what was there before
        self.make()
        of_device = pathlib.Path(self.flash).read_bytes()
        self.flash = str(self.folder / "flash.bin")
        self.assertEqual(self.new("--size", "4MB").returncode, 0)
        self.assertTrue(of_device == pathlib.Path(self.flash).read_bytes())

    def test_what_it_holds_is_not_lost_by_mistake(self):
        self.attach()
        before = os.urandom(SIZE)
        pathlib.Path(self.flash).write_bytes(before)
        self.fails(self.new(), "--overwrite")
        self.fails(self.new("--overwrite", "--size", "2MB"), "leave --size out")
        self.assertTrue(pathlib.Path(self.flash).read_bytes() == before)

    def test_it_is_run_and_updated_and_the_cache_of_the_device_is_emptied(self):
        for sector in ("512", "4096"):
            with self.subTest(sector=sector):
                self.attach("--sector-size", sector)
                self.make()
                certificates = self.folder / ("cert" + sector)
                certificates.mkdir()
                ca = servers.make_ca(certificates)
                www = self.folder / ("www" + sector)
                www.mkdir()
                (www / "new.bin").write_bytes(self.probe("2.0.0"))
                before = loop_device.flushes(self.flash)
                with servers.HttpsServer(www, servers.make_cert(certificates, ca=ca)) as server:
                    done = otter("update", self.flash, server.url("new.bin"), "--ca", ca.cert)
                self.assertEqual(done.returncode, 0, done.stderr)
                if before is not None:  # the image, the record, each behind a barrier of its own
                    self.assertGreaterEqual(loop_device.flushes(self.flash), before + 2)
                self.assertEqual(self.states()[0], (1, NEW))
                status, console, error = self.run_device(script="1:confirm")
                self.assertEqual((status, self.boots(console)[0][:2]), (0, ("2.0.0", "ota_0")), error)
                self.assertEqual(self.states()[0], (1, VALID))

    def test_a_power_cut_leaves_it_as_it_would_leave_a_file(self):
        self.attach()
        self.make()
        with open(self.flash, "r+b") as flash:
            flash.seek(OFFSETS["ota_0"])
            flash.write(self.probe("2.0.0"))
        self.assertEqual(otter("flash", "select", self.flash, "ota_0").returncode, 0)
        status, console, error = self.run_device("--cut-after", "2", script="1:idle")
        self.assertEqual(status, 0, error)  # in the record that counts the trial
        status, console, error = self.run_device(script="1:idle")
        self.assertEqual((status, self.boots(console)[0][0]), (0, "1.0.0"), error)

    def test_its_efuse_file_lies_where_it_is_told(self):
        self.attach()
        efuse = self.folder / "etc" / "otter.efuse"
        efuse.parent.mkdir()
        self.app.write_bytes(self.probe("1.0.0", secure_version=1))
        self.make("--efuse", efuse)
        self.assertIn("chip=linux", efuse.read_text(encoding="ascii"))
        self.assertFalse(os.path.exists(self.flash + ".efuse"))
        self.fails(otter("flash", "select", self.flash, "factory", "--anti-rollback"), "--efuse FILE")
        with open(self.flash, "r+b") as flash:
            flash.seek(OFFSETS["ota_0"])
            flash.write(self.probe("2.0.0", secure_version=3))
        named = ("--efuse", os.path.relpath(efuse))
        self.assertEqual(otter("flash", "select", self.flash, "ota_0", *named).returncode, 0)
        status, console, error = self.run_device("--anti-rollback", *named, script="1:confirm")
        self.assertEqual(status, 0, console + error)
        self.assertIn("secure_version=3", efuse.read_text(encoding="ascii"))

    def test_one_that_cannot_be_written_is_refused_before_anything_is(self):
        self.attach("--read-only")
        self.fails(self.new("--overwrite"), "read-only")
        self.assertEqual(otter("flash", "info", self.flash).returncode, 1)  # it may be read: there is no table
        self.fails(otter("flash", "erase", self.flash, "@0", "--length", "4K"), "read-only")

    def test_one_that_is_mounted_or_part_of_something_is_left_alone(self):
        self.attach()
        self.make()
        holder = os.open(self.flash, os.O_RDONLY | os.O_EXCL)  # as the kernel has one that it mounts
        self.addCleanup(os.close, holder)
        self.fails(otter("flash", "erase", self.flash, "otadata"), "in use")
        self.assertEqual(otter("flash", "info", self.flash, "--check").returncode, 0)

    def test_a_lock_that_is_held_for_a_moment_is_waited_for_and_any_other_is_told(self):
        self.attach()
        self.make()
        with open(self.flash, "rb") as udev:
            fcntl.flock(udev, fcntl.LOCK_SH)
            waits = subprocess.Popen([OTTER, "flash", "erase", self.flash, "otadata"], stdout=subprocess.DEVNULL)
            with self.assertRaises(subprocess.TimeoutExpired):
                waits.wait(0.3)
            fcntl.flock(udev, fcntl.LOCK_UN)
            self.assertEqual(waits.wait(TIMEOUT_S), 0)
            fcntl.flock(udev, fcntl.LOCK_SH)
            done = otter("flash", "erase", self.flash, "otadata")
            self.assertEqual(done.returncode, 1)
            waits, refused = done.stderr.splitlines()
            self.assertIn(" has it open: waiting for that to end, 3 seconds at most", waits)
            self.assertIn(" has it open (a running device", refused)

    def test_its_size_is_in_whole_sectors_and_at_most_2_gib(self):
        self.attach(size=SIZE + 512)
        self.make()
        self.assertIn("4MB of flash", otter("flash", "info", self.flash).stdout)
        self.attach(size=0x80001000)
        self.fails(self.new("--overwrite"), "at most 2 GiB", "losetup")
        self.fails(otter("flash", "info", self.flash), "at most 2 GiB")

    def test_a_window_of_a_larger_one_will_do(self):
        with self.backing.open("wb") as backing:
            backing.truncate(5 << 30)
        self.flash = loop_device.attach(self, self.backing, "--offset", str(9 << 29), "--sizelimit", str(SIZE))
        self.make()
        self.assertEqual(otter("flash", "info", self.flash, "--check").returncode, 0)
        with self.backing.open("rb") as backing:
            backing.seek((9 << 29) + OFFSETS["factory"])
            self.assertTrue(backing.read(100) == self.app.read_bytes()[:100])

    def test_what_is_mounted_from_a_slot_stays_mounted_through_the_next_update(self):
        make_fs, mount, umount = (shutil.which(name, path=os.environ["PATH"] + ":/sbin:/usr/sbin")
                                  for name in ("mkfs.ext2", "mount", "umount"))
        if make_fs is None or mount is None or umount is None:
            self.skipTest("a file system needs mkfs.ext2 and mount")
        self.attach()
        table, root, at = self.folder / "slots.csv", self.folder / "root", self.folder / "mounted"
        table.write_text("otadata, data, ota, 0x10000, 0x2000\nota_0, app, ota_0, 0x20000, 1M\nota_1, app, ota_1, 0x120000, 1M\n",
                         encoding="ascii")
        root.mkdir()
        at.mkdir()
        (root / "release").write_text("1.0.0", encoding="ascii")
        subprocess.run([make_fs, "-q", "-d", root, self.folder / "fs", "512k"], check=True, timeout=TIMEOUT_S,
                       stderr=subprocess.DEVNULL)
        for version in "1.0.0", "2.0.0":
            done = otter("image", "build", "--payload", self.folder / "fs", "--project", "p", "--version", version, "-o",
                         self.folder / (version + ".bin"))
            self.assertEqual(done.returncode, 0, done.stderr)
        done = otter("flash", "new", self.flash, "--overwrite", "--table", table, "--app", f"ota_0={self.folder / '1.0.0.bin'}")
        self.assertEqual(done.returncode, 0, done.stderr)
        said = otter("boot", self.flash).stdout
        offset = re.search(r"^OTTER_PAYLOAD_OFFSET=(\d+)$", said, re.M)[1]
        done = subprocess.run([mount, "-t", "ext2", "-o", f"ro,loop,offset={offset}", self.flash, at], capture_output=True,
                              text=True, timeout=TIMEOUT_S, check=False)
        if done.returncode != 0:
            self.skipTest("nothing can be mounted here: " + done.stderr.strip())
        self.addCleanup(subprocess.run, [umount, at], timeout=TIMEOUT_S, check=False)
        self.assertEqual((at / "release").read_text(encoding="ascii"), "1.0.0")
        for step in ("flash", "write", self.flash, "ota_1", self.folder / "2.0.0.bin"), ("flash", "select", self.flash, "ota_1"):
            done = otter(*step)
            self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual((at / "release").read_text(encoding="ascii"), "1.0.0")

    def test_a_table_for_more_than_there_is_is_refused_and_the_device_not_taken_for_larger(self):
        self.attach(size=0x200000)
        self.fails(self.new("--overwrite"), "exceeds flash chip size 0x200000")
        self.attach()
        self.make()
        cut = self.folder / "cut.img"
        cut.write_bytes(pathlib.Path(self.flash).read_bytes()[:0x200000])
        self.flash = loop_device.attach(self, cut)
        self.fails(otter("flash", "erase", self.flash, "ota_1"), "beyond the end of the flash")


if __name__ == "__main__":
    unittest.main(verbosity=2)
