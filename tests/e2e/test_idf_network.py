"""What stands in for a network: a station's configuration over restarts, ESP-NOW, names of lwip, interfaces and radio."""
# SPDX-License-Identifier: Apache-2.0

import unittest

from device import in_full
from idf_project import FEW_TASKS, FolderTest, otter


class Network(FolderTest):
    source = "network"

    def check(self, *options):
        self.project.build(*options)
        done = otter("run", self.project.out, "--new", "--until", "all is said", "--max-seconds", "60")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.check_lines((
            "step 0: mode 1, station '' '', access point 0x3005 '' 0, pk 0\n", "no storage 0x102\n",
            "step 1: mode 3, station 'home' 'secret', access point 0x0 'ours' 2, pk 1\n",
            "step 1: mode 3, station 'elsewhere' 'secret', access point 0x0 'ours' 2, pk 1\n",
            "step 2: mode 3, station 'home' 'secret', access point 0x0 'ours' 2, pk 1\n",
            "step 3: mode 1, station '' '', access point 0x3005 '' 0, pk 0\n",
            "before init 0x3065", "no peer acknowledges", ", nobody 0x3069, no data 0x3066\n",
            "again 0x306b, 2 peers, 1 encrypted, 1\n", "the other 1, then 0x3069\n",
            "to 02..09: 1\n", "to 02..09: 1\n", "to ff..ff: 0\n", "it is there 0\n",
            "as before to 04..00: 1\n",
            "part 10.0.0.7, byte 7, mapped 1\n", "four 10.0.0.7 1 1, six 1 fe80::1 1 1, same 1, none 0\n",
            "numbers 3412 78563412 2\n", "netif 1 1, call -8, called back: here\n", "sntp 1 0\n",
            "prio 7 7, event 1 -1, six 1, impl 1, receive 0x106 0x5001\n",
            "country DE 13, protocol 1, bandwidth 1, inactive 6, power 0x102\n",
            "hears 0 0x106, sends 0x106, phy 0x3002, interface 0x3004, wps 0x106, band 0x106\n",
            "enterprise 0x0 0x0\n"), done.stdout)

    def test_answers(self):
        self.check()

    @in_full
    def test_so_they_do_under_the_sanitizers(self):
        for sanitizer in FEW_TASKS:
            with self.subTest(sanitizer):
                self.check("--sanitize", sanitizer)


if __name__ == "__main__":
    unittest.main()
