"""Connections without HTTP: ESP-TLS and transports reach a server, trust what they are told to, and end as the peer does."""
# SPDX-License-Identifier: Apache-2.0

import unittest

from device import in_full
from idf_project import FolderTest, otter
from servers import HttpsServer


class Streams(FolderTest):
    source = "streams"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        www = cls.project.folder / "www"
        www.mkdir()
        (www / "file").write_text("what is served")
        cls.server = HttpsServer(www, cls.project.cert)
        cls.addClassCleanup(cls.server.stop)

    def check(self, *options):
        self.project.build(*options)
        done = otter("run", self.project.out, "--new", "--until", "all are fetched", "--max-seconds", "60",
                     input=f"{self.server.port}\n")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.check_lines((
            "trusted: wrote 39, HTTP/1.", " 200, ends in rved, then 0\n",
            "without trust: not connected, ESP_ERR_MBEDTLS_SSL_SETUP_FAILED", "state 3\n",
            "nowhere: not connected, ESP_ERR_ESP_TLS_FAILED_CONNECT_TO_HOST, 0x0, state 3\n",
            "no URL: not connected, ESP_ERR_INVALID_ARG, 0x0, state 3\n",
            "ssl: before -2, connect 0, nothing yet 0 0, writable 1, wrote 39, readable 1, got 8: HTTP/1.",
            ", end -1, socket 1, closed 0, socket -1, again 0\n",
            "tcp: before -2, connect 0, nothing yet 0 0, writable 1, wrote 39, readable 1",  # an alert, or a reset
            "closed 0, socket -1, again 0\n"), done.stdout)

    def test_each_way_fetches_and_refuses(self):
        self.check()

    @in_full
    def test_so_they_do_under_the_sanitizer(self):
        self.check("--sanitize", "address,undefined")


if __name__ == "__main__":
    unittest.main()
