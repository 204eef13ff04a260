"""The life of the gateway in docs/LINUX.md, with the files of examples/linux, on a file and on a block device."""
# SPDX-License-Identifier: Apache-2.0

import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import loop_device  # noqa: E402
import servers  # noqa: E402
from device import OTTER, SOURCE, TIMEOUT_S  # noqa: E402

PAGE = (SOURCE / "docs" / "LINUX.md").read_text(encoding="utf-8")
FILES = SOURCE / "examples" / "linux"
SIZE = 0x400000
SLOTS = {"ota_0": 0x20000, "ota_1": 0x120000}

# What a machine has and a test does not: each notes how it was called.
STUBS = {"mksquashfs": 'tar --sort=name --mtime=@0 --owner=0 --group=0 -cf "$2" -C "$1" .',
         "systemctl": 'echo "systemctl $*" >> "$CALLS"; [ "$1" != is-active ] || [ -e "$HEALTHY" ]',
         **{name: f'echo "{name} $*" >> "$CALLS"' for name in ("mount", "switch_root", "reboot", "sleep")}}
LOSETUP = 'if [ "$1" = -f ]; then echo /dev/loopN; else echo "losetup $*" >> "$CALLS"; fi'


def block(name):
    """The code block of the page with this word behind its language."""
    return re.search(rf"^```\w+ {re.escape(name)}\n(.*?)^```$", PAGE, re.M | re.S)[1]


class Page(unittest.TestCase):
    def test_it_shows_the_files_as_they_are(self):
        shown = 0
        for path in FILES.iterdir():
            text = "".join(line for line in path.read_text(encoding="utf-8").splitlines(True) if "SPDX-License" not in line)
            self.assertEqual(block(path.name), text, path)
            shown += 1
        self.assertEqual(shown, 8)

    @unittest.skipUnless(shutil.which("systemd-analyze"), "systemd-analyze is not there")
    def test_systemd_has_nothing_to_say_against_the_units(self):
        with tempfile.TemporaryDirectory(prefix="otter-units-") as folder:
            units = []
            for path in [*FILES.glob("*.service"), *FILES.glob("*.timer")]:
                units.append(pathlib.Path(folder) / path.name)
                text = path.read_text(encoding="utf-8").replace("/usr/bin/otter", OTTER)
                units[-1].write_text(text.replace("/etc/otter/health-check", str(FILES / "health-check")), encoding="utf-8")
            done = subprocess.run(["systemd-analyze", "verify", "--man=no", *units], capture_output=True, text=True,
                                  timeout=TIMEOUT_S, check=False)
            ours = [line for line in done.stderr.splitlines() if "otter-" in line]
            self.assertEqual(ours, [])


class Life(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="otter-life-"))
        self.addCleanup(shutil.rmtree, self.folder)
        for name in "run", "etc", "stubs", "www", "rootfs":
            (self.folder / name).mkdir()
        self.calls, self.healthy = self.folder / "calls", self.folder / "healthy"
        self.healthy.touch()
        self.payloads = {}
        self.ca = servers.make_ca(self.folder)
        self.server = self.enterContext(servers.HttpsServer(self.folder / "www", servers.make_cert(self.folder, ca=self.ca)))

    def use(self, flash, losetup):
        """From here on the device is `flash`. losetup: the real one."""
        self.flash, self.losetup = flash, losetup
        stubs = STUBS if losetup else {**STUBS, "losetup": LOSETUP}
        for name, text in stubs.items():
            (self.folder / "stubs" / name).write_text(f"#!/bin/sh\n{text}\n", encoding="ascii")
            (self.folder / "stubs" / name).chmod(0o755)
        (self.folder / "stubs" / "otter").symlink_to(OTTER)
        for path in FILES.iterdir():
            where = self.folder / ("etc" if path.name in ("update.conf", "health-check") else "")
            (where / path.name).write_text(self.here(path.read_text(encoding="utf-8")), encoding="utf-8")
            (where / path.name).chmod(0o755)
        shutil.copy(self.ca.cert, self.folder / "etc" / "ca.pem")

    def here(self, text):
        """The same with the places of this test for those of the gateway."""
        places = {"/dev/mmcblk0p3": self.flash, "/run/otter.boot": f"{self.folder}/run/otter.boot",
                  "/etc/otter/": f"{self.folder}/etc/", "/usr/bin/": f"{self.folder}/stubs/",
                  "https://updates.example/gateway/firmware.bin": self.server.url("firmware.bin"), "480M": "1M",
                  "export PATH=/bin:/sbin:": "export PATH=$PATH:"}
        if not self.losetup:
            places |= {"[ -b ": "[ -e ", "--overwrite": "--size 4MB"}
        for there, here in places.items():
            text = text.replace(there, here)
        return text

    def environment(self):
        path = f"{self.folder}/stubs:{os.environ['PATH']}:/usr/sbin:/sbin"
        return {**os.environ, "PATH": path, "CALLS": str(self.calls), "HEALTHY": str(self.healthy)}

    def shell(self, script, status=0):
        done = subprocess.run(["bash", "-e"], input=script, cwd=self.folder, env=self.environment(), capture_output=True,
                              text=True, timeout=TIMEOUT_S, check=False)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def called(self):
        """What the stubs have noted since this was asked last."""
        lines = self.calls.read_text(encoding="utf-8").splitlines() if self.calls.exists() else []
        self.calls.unlink(missing_ok=True)
        return lines

    def build(self, version):
        """An image of this version as the page builds it; what its payload is to be is remembered."""
        (self.folder / "rootfs" / "release").write_bytes(version.encode() + os.urandom(300_000))
        self.shell(block("build").replace("1.0.0", version))
        self.payloads[version] = (self.folder / "root.squashfs").read_bytes()
        return self.folder / f"gateway-{version}.bin"

    def serve(self, version):
        shutil.move(self.build(version), self.folder / "www" / "firmware.bin")

    def run_unit(self, name):
        """The commands of a service, one after the other; after a failure the unit that it names. @return they all did"""
        text = (self.folder / f"{name}.service").read_text(encoding="utf-8")
        lines = re.findall(r"^ExecStart=(.*)$", text, re.M)
        self.assertGreater(len(lines), 0)
        for line in lines:
            done = subprocess.run(["sh", "-c", f"set -a; . {self.folder}/etc/update.conf; {line}"], cwd=self.folder,
                                  env=self.environment(), capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
            if done.returncode != 0:
                failure = re.search(r"^OnFailure=(.*)\.service$", text, re.M)
                if failure:
                    self.run_unit(failure[1])
                return False
        return True

    def init(self):
        """Runs the initramfs's script. @return (slot, version, is it on trial), after a look at what it has mounted"""
        self.called()
        self.shell(f"sh {self.folder}/init")
        calls = self.called()
        mounted = [line.split() for line in calls if line.startswith("mount -t squashfs")]
        self.assertEqual((len(mounted), calls[-1]), (1, "switch_root /root /sbin/init"), calls)
        decision = json.loads((self.folder / "run" / "otter.boot").read_text(encoding="utf-8"))
        expected = self.payloads[decision["version"]]
        if self.losetup:
            loop = mounted[0][-2]
            found = pathlib.Path(loop).read_bytes()[:len(expected)]
            subprocess.run(["losetup", "-d", loop], env=self.environment(), timeout=TIMEOUT_S, check=True)
        else:
            self.assertIn(f"losetup -r -o {decision['payload_offset']} /dev/loopN {self.flash}", calls)
            with open(self.flash, "rb") as flash:
                flash.seek(decision["payload_offset"])
                found = flash.read(len(expected))
        self.assertTrue(found == expected)
        return decision["slot"], decision["version"], decision["trial"]

    def restart(self):
        (self.folder / "run" / "otter.boot").unlink(missing_ok=True)  # /run does not outlive it
        return self.init()

    def has_restarted(self):
        return "systemctl --no-block reboot" in self.called()

    def install_and_confirm(self):
        self.build("1.0.0")
        self.assertIn("boots next: ota_0 (gateway 1.0.0)", self.shell(self.here(block("install"))))
        self.assertEqual(self.restart(), ("ota_0", "1.0.0", False))
        self.assertTrue(self.run_unit("otter-confirm"))  # nothing is on trial, and that is well
        self.serve("2.0.0")
        self.assertTrue(self.run_unit("otter-update") and self.has_restarted())
        self.assertFalse(self.run_unit("otter-update"))  # it waits for its first boot
        self.assertEqual(self.restart(), ("ota_1", "2.0.0", True))
        self.assertEqual(self.init(), ("ota_1", "2.0.0", True))  # an initramfs that tries again
        self.assertFalse(self.run_unit("otter-update"))  # it is on trial
        self.assertTrue(self.run_unit("otter-confirm"))
        self.assertTrue(self.run_unit("otter-update"))
        self.assertFalse(self.has_restarted())  # nothing is new
        self.assertEqual(self.restart(), ("ota_1", "2.0.0", False))

    def reject_what_fails(self):
        self.serve("3.0.0")
        self.assertTrue(self.run_unit("otter-update") and self.has_restarted())
        self.assertEqual(self.restart(), ("ota_0", "3.0.0", True))
        self.healthy.unlink()
        self.assertFalse(self.run_unit("otter-confirm"))
        self.assertTrue(self.has_restarted())
        self.assertEqual(self.restart(), ("ota_1", "2.0.0", False))
        self.assertFalse(self.run_unit("otter-confirm"))  # the check fails, and there is nothing to go back to
        self.assertFalse(self.has_restarted())
        self.healthy.touch()
        self.assertTrue(self.run_unit("otter-update"))
        self.assertFalse(self.has_restarted())  # that version was tried

    def lose_power_on_trial(self):
        self.serve("4.0.0")
        self.assertTrue(self.run_unit("otter-update") and self.has_restarted())
        self.assertEqual(self.restart(), ("ota_0", "4.0.0", True))
        self.assertEqual(self.restart(), ("ota_1", "2.0.0", False))  # before anything was confirmed

    def wait_for_bytes(self, at, expected):
        for _ in range(2000):
            with open(self.flash, "rb") as flash:
                flash.seek(at)
                if flash.read(len(expected)) == expected:
                    return
            threading.Event().wait(0.01)
        self.fail("the beginning of the image does not come into the slot")

    def lose_power_in_a_download(self):
        self.serve("5.0.0")
        image, over = (self.folder / "www" / "firmware.bin").read_bytes(), threading.Event()

        def send_half(handler):
            path = self.folder / "www" / "firmware.bin"
            handler.send_response(200)
            handler.send_header("Content-Length", str(len(image)))
            handler.send_header("ETag", f'"{path.stat().st_mtime_ns:x}-{len(image):x}"')
            handler.end_headers()
            handler.wfile.write(image[:200_000])
            over.wait(TIMEOUT_S)

        self.server.routes["/firmware.bin"] = send_half
        line = re.search(r"^ExecStart=(.*)$", (self.folder / "otter-update.service").read_text(encoding="utf-8"), re.M)[1]
        device = subprocess.Popen(["sh", "-c", f"set -a; . {self.folder}/etc/update.conf; exec {line}"], cwd=self.folder,
                                  env=self.environment())
        self.wait_for_bytes(SLOTS["ota_0"], image[:100_000])
        device.send_signal(signal.SIGKILL)
        device.wait(TIMEOUT_S)
        over.set()
        self.server.routes.clear()
        self.assertEqual(self.restart(), ("ota_1", "2.0.0", False))
        self.server.requests.clear()
        self.assertTrue(self.run_unit("otter-update") and self.has_restarted())
        self.assertTrue(any("Range" in headers for _, _, headers in self.server.requests))  # it went on
        self.assertEqual(self.restart(), ("ota_0", "5.0.0", True))
        self.assertTrue(self.run_unit("otter-confirm"))

    def take_back_and_break(self):
        self.serve("6.0.0")
        self.assertTrue(self.run_unit("otter-update") and self.has_restarted())
        self.assertTrue(self.run_unit("otter-reject"))
        self.assertEqual(self.restart(), ("ota_0", "5.0.0", False))
        self.assertTrue(self.run_unit("otter-update"))  # taken back: not fetched again
        self.assertFalse(self.has_restarted())
        with open(self.flash, "r+b") as flash:
            flash.seek(SLOTS["ota_0"] + 20_000)
            flash.write(b"damage")
        self.build("7.0.0")
        self.shell(f"otter flash write {self.flash} ota_1 gateway-7.0.0.bin")
        self.assertEqual(self.restart(), ("ota_1", "7.0.0", False))

    def live(self):
        self.install_and_confirm()
        self.reject_what_fails()
        self.lose_power_on_trial()
        self.lose_power_in_a_download()
        self.take_back_and_break()

    def test_on_a_file(self):
        self.use(str(self.folder / "flash.bin"), False)
        self.live()

    def test_on_a_block_device(self):
        with (self.folder / "backing.img").open("wb") as backing:
            backing.truncate(SIZE)
        self.use(loop_device.attach(self, self.folder / "backing.img"), True)
        self.live()


if __name__ == "__main__":
    unittest.main(verbosity=2)
