"""A project that updates itself by esp_http_client and esp_ota_ops takes what is good, and nothing else."""
# SPDX-License-Identifier: Apache-2.0

import random
import unittest

from device import in_full
from idf_project import ProjectTest
from image_files import edited


def cut_answer(body):
    """A route that announces all of `body` and sends half of it."""
    def answer(handler):
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body[:len(body) // 2])
        handler.close_connection = True
    return answer


class Native(ProjectTest):
    example = "native_ota"

    def bad_images(self, good):
        noise = random.Random(1).randbytes
        return [  # name, bytes, what the device says of it
            ("empty", b"", "0 bytes are no image"),
            ("half_a_header", good[:11], "11 bytes are no image"),
            ("half_a_description", good[:200], "200 bytes are no image"),
            ("noise", noise(50000), "this is no app image"),
            ("noise_behind_a_magic", b"\xe9" + noise(50000), "this is no app image"),
            ("esp32c3", edited(good, chip="esp32c3"), "it is for chip 5"),
            ("other_project", edited(good, project="thermostat"), "it is of another project"),
            ("same_version", edited(good, version="1.0.0"), "it is this very version"),
            ("truncated", good[:len(good) // 2], "it is no valid image"),
            ("without_its_end", good.rstrip(b"\xff")[:-1], "it is no valid image"),  # what is missing reads as erased
            ("flipped_bit", good[:100000] + bytes([good[100000] ^ 4]) + good[100001:], "it is no valid image"),
            ("needs_a_later_chip", edited(good, revisions=(300, 0xFFFF)), "it is no valid image"),
        ]

    def test_takes_nothing_of_twelve_bad_images_and_then_the_good_one(self):
        good = (self.www / "app.bin").read_bytes()
        rows = self.bad_images(good)
        for name, content, _ in rows:
            (self.www / f"{name}.bin").write_bytes(content)
        server = self.serve(routes={"/cut.bin": cut_answer(good)})
        ask_for = [f"{name}.bin" for name, _, _ in rows] + ["cut.bin", "not_there.bin", "app.bin"]
        console = self.run_device("--new", "--expect", "2.0.0,VALID", server=server, ask_for=ask_for)
        lines = [line for _, _, said in rows for line in (said, "native_ota: no update: ")]
        self.check_lines(lines + ["the answer ended after", "no update: ESP_ERR_INVALID_SIZE", "the server says 404",
                                  "no update: ESP_FAIL", "the update is in place", "App version:      2.0.0"], console)
        self.assertEqual(console.count("no update: "), len(rows) + 2)
        self.assertEqual(console.count("App version:      1.0.0"), 1)  # none of them has cost a restart

    def test_goes_where_it_is_sent_but_not_in_a_circle(self):
        def to(place, status):
            def answer(handler):
                handler.send_response(status)
                handler.send_header("Location", place)
                handler.send_header("Content-Length", "0")
                handler.end_headers()
            return answer

        server = self.serve(routes={"/old": to("/older", 301), "/older": to("app.bin", 307), "/circle": to("/circle", 302)})
        console = self.run_device("--new", "--expect", "2.0.0,VALID", server=server, ask_for=["circle", "old"])
        self.assertNotIn("nvs_flash_init", console)
        self.check_lines(["it leads in a circle", "no update: ESP_ERR_HTTP_MAX_REDIRECT", "the update is in place"], console)

    @in_full
    def test_is_told_that_a_chip_wants_nvs_before_wifi(self):
        main = self.project.path / "main" / "main.c"
        source = main.read_text()
        self.addCleanup(main.write_text, source)
        main.write_text(source.replace("    ESP_ERROR_CHECK(nvs_flash_init());\n", ""))
        console = self.run_device(build=self.build("without_nvs"))
        self.assertEqual(console.count("on a chip it is ESP_ERR_NVS_NOT_INITIALIZED"), 1, console)
        self.assertIn("IPv4 address: ", console)


if __name__ == "__main__":
    unittest.main()
