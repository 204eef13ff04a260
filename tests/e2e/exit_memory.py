"""What a program still has in memory when it ends: for secrets that should be gone."""
# SPDX-License-Identifier: Apache-2.0

import ctypes
import os
import re
import signal
import subprocess
import unittest

TRACEME, CONT, SETOPTIONS = 0, 7, 0x4200
TRACEEXIT, EXITKILL = 0x40, 0x100000
AT_EXIT = signal.SIGTRAP | 6 << 8  # PTRACE_EVENT_EXIT
REGION_MAX = 1 << 28  # what is larger is a shadow of the sanitizers

libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
libc.ptrace.restype = ctypes.c_long


def memory_at_exit(args, **options):
    """Status, and all that could be written to, as bytes: the heap, the stack, and what is static."""
    environment = os.environ | {"ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"}
    with subprocess.Popen(list(map(str, args)), preexec_fn=lambda: libc.ptrace(TRACEME, 0, None, None),
                          env=environment, **options) as program:
        _, status = os.waitpid(program.pid, 0)
        if not os.WIFSTOPPED(status) or libc.ptrace(SETOPTIONS, program.pid, None, TRACEEXIT | EXITKILL) != 0:
            program.kill()
            raise unittest.SkipTest("nothing can be traced here")
        parts = []
        signalled = 0
        while True:
            libc.ptrace(CONT, program.pid, None, signalled)
            _, status = os.waitpid(program.pid, 0)
            if not os.WIFSTOPPED(status):
                break
            if status >> 8 == AT_EXIT:
                parts = writable(program.pid)
            signalled = os.WSTOPSIG(status) if status >> 8 != AT_EXIT else 0
        program.returncode = os.waitstatus_to_exitcode(status)
    return program.returncode, b"\n".join(parts)


def writable(pid):
    parts = []
    with open(f"/proc/{pid}/maps", encoding="ascii", errors="replace") as maps, open(f"/proc/{pid}/mem", "rb", 0) as memory:
        for line in maps:
            place, rights = line.split()[:2]
            begin, end = (int(word, 16) for word in place.split("-"))
            if rights.startswith("rw") and end - begin <= REGION_MAX:
                try:
                    memory.seek(begin)
                    parts.append(memory.read(end - begin))
                except OSError:
                    pass  # the kernel's own
    return parts


def secrets_of(pem, passphrase=None):
    """Pieces of a private key, by name: its numbers from both ends and in both orders, and what lets others read them."""
    command = ["openssl", "pkey", "-in", pem, "-text", "-noout"]
    text = subprocess.run([*command, "-passin", f"pass:{passphrase}"] if passphrase else command, capture_output=True,
                          text=True, check=True, timeout=60).stdout
    secrets = {}
    for name in ("privateExponent", "prime1", "prime2", "exponent1", "exponent2", "coefficient", "priv"):
        found = re.search(rf"^{name}:\s*\n((?:\s+[0-9a-f:]+\n)+)", text, re.MULTILINE)
        if found:
            number = bytes.fromhex(re.sub(r"[\s:]", "", found[1])).lstrip(b"\0")
            for end, piece in (("first", number[:20]), ("last", number[-20:])):
                secrets |= {f"{name}, {end}": piece, f"{name}, {end}, turned": piece[::-1]}
    if passphrase:
        return secrets | {"passphrase": passphrase.encode()}
    with open(pem, encoding="ascii") as file:
        return secrets | {f"line {at}": line[:40].encode() for at, line in enumerate(file) if len(line) > 40 and "--" not in line}
