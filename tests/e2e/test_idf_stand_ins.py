"""What stands in for hardware answers as a chip with nothing around it: the console, timers, buses, LEDs, the time."""
# SPDX-License-Identifier: Apache-2.0

import unittest

from device import in_full
from idf_project import FEW_TASKS, FolderTest, otter


class StandIns(FolderTest):
    source = "stand_ins"

    def check(self, *options):
        self.project.build(*options)
        done = otter("run", self.project.out, "--new", "--gpio", "9=1", "--until", "all are asked", "--max-seconds", "60",
                     input="hello world\n")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        for line in ("the time is known 1\n", "1 station\n", "station 1 of the access point\n", "its address 127.0.0.1\n"):
            self.assertIn(line, done.stdout)  # said by tasks of their own
        self.check_lines((
            "uart without a driver -1\n", "small buffer -1\n", "port 0 is the console\n", "twice -1\n",
            "event 0 of 12 bytes\n", "uart read 5: hello\n", "by uart\n", "at port 1 nobody listens",
            "port 1 read 0, waited 1, took 4\n", "port 3 -1\n",
            "this port is the console\n", "usb read 7:  world\n", "at the end 0\n", "by usb\n",
            "start before enable 0x103\n", "3 alarms, then it stands at 7\n", "delete before disable 0x103\n",
            "no pin gets this PWM\n", "duty 11, then 4000 of 5000 Hz\n", "fade 0x103, then to 1\n",
            "nobody sees its 2 LEDs\n", "pixels 0x0 0x102\n",
            "there is no device on bus 0\n", "i2c 0x105 0x103 0x103\n", "i2c of before -1\n",
            "half of the voltage", "adc 2048, 1550 mV; again 0x105\n",
            "spi 0x103", "there is no device on bus 1", " 0x107 0x103 received 1 0 0 3\n",
            "mdns 0x103", "nobody hears of this device", " 0x105\n",
            "status 1, then 0, of pool.ntp.org\n", "bluetooth 0x0 0x106\n",
            "> line 0\n", "address while DHCP runs 0x5007\n", "access point 192.168.9.1\n",
            "the station is gone\n",
            "always 25 degrees", "temperature 0x103 0x103, 20.0\n", "sensor 0x103, then 0x0\n",
            "old adc 512 -1 2048, by 2 1551 mV, efuse 0x106\n", "random -52 0 0, other bytes 1\n",
            "touch 0x103, then 1000 of 40, none 0x102\n", "phone 0 \n", "phone 1 \n", "phone 2 smartconfig\n",
            "phone in time 1, twice 0x103, enterprise 0x102, pin 36\n",
            "psram 0 0, core dump 0x105, crc 0xcbf43926\n",
            "ping sent 3, answered all or none 1, other size 0x104\n", "ping ended 1\n", "ping ended 1\n",
            "text 10 9 ABCDEFG bcabc none\n", "numbers -12 ffffffff 1024 101 none\n", "lock 0 -1, then 0\n",
            "card 0x107 0x102 0x103\n", "old timer 0x103 0x103, 0.5 s, alarms 1, dac 0x102\n",
            "sha1 0, base64 0 qZk+NkcGgWq6PiVxeFDCbJzQ2J0 kettle, pins 64\n",
            "step 0 of a phone", "early 0x103, known 0\n", "step 1 of a phone", "step 3 of a phone provisioning\n",
            "step 2 of a phone", "step 5 of a phone", "step 6 of a phone", "step 7 of a phone", "known 1, twice 0x103\n",
            "asked hello by 7 of the app\n", "endpoint -1 0x106 0x105\n", "spi 4 1\n", "speed 1, loop 0x106, no mac 1\n",
            "button event 7\n", "long press in time 1, held 1\n", "callbacks 1, none 0x103\n",
            "json 0 0 -1 https://x 0 0: 2 parts, 42, 7, 1; out 0 -1\n", "QR code: a text\n",
            "given by address\n"), done.stdout)

    def test_each_answers_as_a_chip_alone(self):
        self.check()

    @in_full
    def test_so_they_do_under_the_sanitizers(self):
        for sanitizer in FEW_TASKS:
            with self.subTest(sanitizer):
                self.check("--sanitize", sanitizer)


if __name__ == "__main__":
    unittest.main()
