"""A project that updates itself step by step: resumed, in pieces, judged by its head, taken back by a pin or an eFuse."""
# SPDX-License-Identifier: Apache-2.0

import json
import re
import shutil
import unittest

from device import in_full
from idf_project import ProjectTest, otter
from image_files import edited

PART = 65536


def dropped_once(body, at):
    """A route that breaks off the first answer behind `at` bytes, and afterwards sends what is asked for."""
    left = [1]

    def answer(handler):
        first = int(re.match(r"bytes=(\d+)-", handler.headers.get("Range", "bytes=0-"))[1])
        handler.send_response(206 if first else 200)
        if first:
            handler.send_header("Content-Range", f"bytes {first}-{len(body) - 1}/{len(body)}")
        handler.send_header("Content-Length", str(len(body) - first))
        handler.send_header("ETag", '"one"')
        handler.end_headers()
        if left[0]:
            left[0] = 0
            handler.wfile.write(body[first:at])
            handler.close_connection = True
        else:
            handler.wfile.write(body[first:])
    return answer


def ranges(server):
    """What the requests asked for: the first byte and the last one, '' for all there is; None: no range."""
    found = [re.match(r"bytes=(\d+)-(\d*)", headers.get("Range", "")) for _, _, headers in server.requests]
    return [wanted and (int(wanted[1]), wanted[2]) for wanted in found]


class Advanced(ProjectTest):
    example = "advanced_ota"

    def slot_state(self, label):
        flash = self.project.out / "flash" / "flash.bin"
        told = json.loads(otter("flash", "info", flash, "--json").stdout)
        return next(slot["state"] for slot in told["slots"] if slot["label"] == label)

    def test_goes_on_after_a_power_cut_where_its_own_record_says(self):
        server = self.serve()
        console = self.run_device("--new", "--cut-list", server=server, ask_for=["app.bin"])
        listed = re.findall(r"^ +(\d+)  boot 1 +app 1\.0\.0 +program of ota_1", console, re.M)
        cut = listed[len(listed) * 3 // 4]
        self.run_device("--new", "--cut-after", cut, server=server, ask_for=["app.bin"])
        console = self.run_device("--expect", "2.0.0,VALID", server=server, ask_for=["app.bin"])
        kept = int(re.search(r"update: (\d+) bytes are there already", console)[1])
        self.assertGreaterEqual(kept, 2 * PART)
        self.assertGreaterEqual(ranges(server)[-1][0], kept)
        self.assertIn("the update is confirmed", console)
        values = otter("nvs", "show", self.project.out / "flash" / "flash.bin").stdout
        self.assertNotIn("written", values)

    def test_goes_on_after_a_dropped_connection(self):
        image = (self.www / "app.bin").read_bytes()
        server = self.serve(routes={"/drops.bin": dropped_once(image, len(image) * 2 // 3)})
        console = self.run_device("--new", "--expect", "2.0.0,VALID", server=server, ask_for=["drops.bin"])
        self.assertEqual(len(ranges(server)), 2)
        self.assertGreater(ranges(server)[1][0], len(image) // 2)
        self.assertEqual(console.count("the update is in place"), 1)

    @in_full
    def test_fetches_an_image_in_parts(self):
        folder = self.build("partial", "--config", "partial")
        server = self.serve()
        self.run_device("--expect", "2.0.0,VALID", server=server, ask_for=["app.bin"], build=folder)
        size = (self.www / "app.bin").stat().st_size
        parts = [(at, str(at + PART - 1) if at + PART < size else "") for at in range(0, size, PART)]
        self.assertEqual(ranges(server), [None, *parts])
        self.assertEqual(server.requests[0][0], "HEAD")

    def test_goes_back_when_the_diagnostic_pin_says_so_and_does_not_try_again(self):
        console = self.run_device("--new", "--gpio", "4=0", "--expect", "1.0.0", server=self.serve(), ask_for=["app.bin"] * 2)
        self.check_lines(["App version:      2.0.0", "the diagnostic has failed", "App version:      1.0.0",
                          "it has been tried, and did not work", "no update: ESP_ERR_INVALID_VERSION"], console)
        self.assertEqual(self.slot_state("ota_1"), "INVALID")

    def test_takes_nothing_that_is_not_for_this_chip_and_erases_nothing_for_it(self):
        good = (self.www / "app.bin").read_bytes()
        rows = [("esp32", edited(good, chip="esp32"), "Mismatch chip id, expected 65535, found 0"),
                ("later", edited(good, revisions=(200, 0xFFFF)), "needs chip revision v2.0 or later"),
                ("earlier", edited(good, revisions=(0, 50)), "needs chip revision v0.50 or earlier"),
                ("half_a_head", good[:100], "the image has no description")]
        for name, content, _ in rows:
            (self.www / f"{name}.bin").write_bytes(content)
        self.run_device("--new")
        efuse = self.project.out / "flash" / "flash.bin.efuse"
        efuse.write_text(efuse.read_text() + "revision=101\n")
        before = self.flash()
        console = self.run_device(server=self.serve(), ask_for=[f"{name}.bin" for name, _, _ in rows])
        self.check_lines([line for _, _, said in rows for line in (said, "no update: ")], console)
        slot = slice(0x1D0000, 0x1D0000 + len(good))  # ota_1
        self.assertEqual(self.flash()[slot], before[slot])
        console = self.run_device("--expect", "2.0.0,VALID", server=self.serve(), ask_for=["app.bin"])
        self.assertIn("revision: v1.1", console)

    @in_full
    def test_never_goes_back_below_its_security_version(self):
        options = (self.project.path / "sdkconfig.ci.anti_rollback").read_text()
        raised = self.project.folder / "raised"
        raised.write_text(options.replace("SECURE_VERSION=1", "SECURE_VERSION=2"))
        self.build("raised_build", "--config", raised, "-D", "PROJECT_VER=2.0.0")
        shutil.copy(self.built("raised_build"), self.www / "raised.bin")
        folder = self.build("anti_rollback", "--config", "anti_rollback")
        old = edited(self.built("raised_build").read_bytes(), version="1.5.0", secure_version=1)
        (self.www / "old.bin").write_bytes(old)
        console = self.run_device("--expect", "2.0.0,VALID", server=self.serve(), ask_for=["raised.bin", "old.bin"], build=folder)
        self.check_lines(["App version:      2.0.0", "its security version is 1, the device's 2",
                          "no update: ESP_ERR_OTA_SMALL_SEC_VER"], console)
        flash = folder / "flash" / "flash.bin"
        self.assertEqual(otter("flash", "select", flash, "ota_0").returncode, 0)  # 1.0.0, with 1
        console = self.run_device("--expect", "2.0.0", build=folder)
        self.assertIn("Loaded app from partition at offset 0x1d0000", console)


if __name__ == "__main__":
    unittest.main()
