"""A project with a console runs commands, speaks by lwip's sockets, and takes the update that is typed."""
# SPDX-License-Identifier: Apache-2.0

import os
import socket
import threading
import unittest

from idf_project import LIMIT_S, ProjectTest, otter


def answer_once(server):
    """Reads a line and answers it."""
    client, _ = server.accept()
    with client:
        client.settimeout(LIMIT_S)
        client.sendall(b"you said " + client.recv(100))


@unittest.skipUnless(os.path.exists("/usr/include/argtable2.h"), "there is no library: apt install libargtable2-dev")
class Console(ProjectTest):
    example = "console_ota"

    def run_lines(self, lines, *options):
        done = otter("run", self.project.out, "--new", *options, input="".join(line + "\n" for line in lines))
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout

    def test_commands_a_greeting_and_an_update(self):
        server = self.serve()
        with socket.create_server(("127.0.0.1", 0)) as other:
            other.settimeout(LIMIT_S)
            thread = threading.Thread(target=answer_once, args=(other,))
            thread.start()
            port = other.getsockname()[1]
            console = self.run_lines(
                ["help", "version", "", "nothing", "update", "lookup localhost", "lookup no.such.invalid",
                 'greet "127.0.0.1" ' + str(port), "greet no.such.host.invalid 1",
                 "update " + server.url("nowhere.bin", host="localhost"), "update " + server.url("app.bin", host="localhost"),
                 "version"], "--expect", "2.0.0,VALID")
            thread.join(LIMIT_S)
        self.check_lines(["device> ", "greet HOST PORT\n  Say hello to a server", "update URL", "version 1.0.0",
                          "Unrecognized command", "Command returned non-zero error code: 0x1", "localhost is 127.0.0.1",
                          "no.such.invalid: Illegal value.", "it says: you said hello",
                          "no.such.host.invalid is not known", "Command returned non-zero error code: 0xffffffff (ESP_FAIL)",
                          "the update is in place", "version 2.0.0"], console)


if __name__ == "__main__":
    unittest.main()
