#!/usr/bin/env python3
"""Writes the seeds of the fuzz corpora, from the recordings in tests/vectors and from examples given here."""
# SPDX-License-Identifier: Apache-2.0
import glob
import os
import struct
import sys
import zlib

import corpus

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "tests", "e2e"))
from elf_files import make_elf  # noqa: E402

FUZZ = os.path.dirname(os.path.abspath(__file__))
VECTORS = os.path.join(os.path.dirname(FUZZ), "tests", "vectors")
BIGGEST = 2048  # a larger file is left to the unit tests


def vectors(*path):
    """Yields (name, bytes) of the small ones."""
    for file in sorted(glob.glob(os.path.join(VECTORS, *path))):
        with open(file, "rb") as f:
            data = f.read()
        yield os.path.splitext(os.path.basename(file))[0], data


def partition_tables():
    for name, data in vectors("ptable", "bin", "*.bin"):
        yield name, bytes([0, 0]) + data[:0xC00].rstrip(b"\xff") + b"\xff" * 32
    for name, data in vectors("ptable", "bin", "two_ota*.bin"):
        yield name + "_md5_put_right", bytes([1, 1]) + data[:0xC00].rstrip(b"\xff")


def otadata():
    for name, data in vectors("otadata", "*.bin"):
        records = data[:32] + data[0x1000:0x1020]
        yield name, records + bytes([0x0F, 3, 0, 2, 2, 1, 0])
        yield name + "_no_factory", records + bytes([0x79, 7, 0, 3, 3, 2, 1])


CHIP_INDEX = {0: 0, 2: 1, 5: 2, 9: 3, 0x0C: 4, 0x0D: 5, 0x10: 6, 0x12: 7}


def images():
    for name, data in vectors("image", "*.bin"):
        if len(data) > BIGGEST:
            continue
        chip = CHIP_INDEX.get(struct.unpack_from("<H", data, 12)[0], 0) if len(data) >= 14 else 0
        yield name, bytes([chip, 0, 16, 7]) + struct.pack("<HH", 300, 100) + data
        yield name + "_any_chip", bytes([255, 9, 16, 7]) + struct.pack("<HH", 300, 100) + data


def urls():
    texts = ["https://example.com/fw.bin\nother.bin", "http://user:pa%3Ass@host:8080/a/b/../c?x=y#z\n?q",
             "https://[::1]:443/\n//other/x", "HTTPS://Ex.Com\n/abs/./path/..", "http://h:0/\nhttp://i/",
             "ftp://h/\na", "https://h/%zz\n%00", "https://u@h/\nhttps://h2/", "http://h/\xe4\n#", "http://h\n../../x"]
    for i, text in enumerate(texts):
        yield f"url{i}", text.encode("latin-1")


OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
REDIRECT = b"HTTP/1.1 302 Found\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n"
HEAD, CLOSES, RESETS, PERFORM = 1, 2, 4, 8


def http_responses():
    examples = [
        (0, OK + b"Content-Length: 5\r\n\r\nhello"), (HEAD, OK + b"Content-Length: 5\r\n\r\n"),
        (CLOSES, OK + b"Connection: close\r\nContent-Length: 9\r\n\r\nhello"), (RESETS, OK + b"\r\nhello"),
        (CLOSES, b"HTTP/1.0 200 ok\r\nContent-type: text/plain\r\n\r\nhello"),
        (0, CHUNKED + b"2\r\nhe\r\n3;x=y\r\nllo\r\n0\r\n\r\n"), (0, CHUNKED + b"0\r\nX: y\r\n\r\n"),
        (0, CHUNKED + b"-5\r\nhello\r\n0\r\n\r\n"), (0, CHUNKED + b"10000000000000005\r\nhello"),
        (0, OK + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        (0, OK + b"Content-Length: 5\r\nContent-Length: 4\r\n\r\nhello"),
        (0, OK + b"Content-Length: 18446744073709551616\r\n\r\n"), (0, OK + b"X: a\r\n b\r\nY:\r\n\r\n"),
        (0, b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nLink: </x>\r\n\r\n" + OK +
         b"Content-Length: 2\r\n\r\nhi"),
        (0, b"HTTP/1.1 204 No Content\r\n\r\n"), (0, b"HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n"),
        (0, b"HTTP/1.1 200\nContent-Length: 2\n\nhi"), (0, b"SSH-2.0-OpenSSH_9.2\r\n"), (0, b"\x15\x03\x03\x00\x02\x02\x46"),
        (PERFORM, REDIRECT % b"/other" + OK + b"Content-Length: 2\r\n\r\nhi"),
        (PERFORM | CLOSES, REDIRECT % b"//two.example/x" + b"\xff" + OK + b"Content-Length: 2\r\n\r\nhi"),
        (PERFORM, REDIRECT % b"https://two.example/x" + b"\xff" + OK + b"\r\n"),
        (PERFORM, REDIRECT % b"../up?q#f" + REDIRECT % b"http://u:p@3.example:8080/" + b"\xff" + CHUNKED + b"0\r\n\r\n"),
        (PERFORM, b"HTTP/1.1 401 No\r\nWWW-Authenticate: Digest realm=\"r\", nonce=\"n\", qop=\"auth\"\r\n"
         b"Content-Length: 0\r\n\r\n" + OK + b"Content-Length: 2\r\n\r\nhi"),
    ]
    for i, (flags, said) in enumerate(examples):
        yield f"response{i}", bytes([flags, 60, 5]) + said


def targets():
    texts = ["/a", "/sub/b", "//sub//b", "/%61", "/sub%2fb", "/a%00", "/../secret", "/%2e%2E/secret", "/out/secret", "/s", "/l",
             "/in/b", "/..x", "/a/", "/", "", "a", "HTTPS://host:1/sub/b", "https://host", "/top/etc", "/a%4", "/./a"]
    for i, text in enumerate(texts):
        yield f"target{i}", text.encode()


def efuse_files():
    texts = ["chip=esp32c3\nrevision=300\nblk_revision=101\nsecure_version=2\n", "# comment\r\nnew_name=1\nchip=linux\n",
             "secure_version=33\n", "chip=ESP32-S3\n\nrevision=65534", "revision\n", "x=" + "y" * 300 + "\nsecure_version=7\n",
             "secure_boot_en=1\nsecure_boot_scheme=ecdsa256\nsecure_boot_digest0=" + "0a" * 32 + "\nSecure_Boot_Digest2=" +
             "F3" * 32 + "\nsecure_boot_key_revoke2=1\n", "secure_boot_scheme=v1\nsecure_boot_v1_key=" + "5c" * 64 + "\n",
             "secure_boot_digest1=00\n", "secure_boot_enable=1\n", "secure_boot_scheme=rsa2048\n",
             "BLOCK_KEY3=" + "C4" * 32 + "\nkey_purpose_3 = hmac_up\nkey_purpose_0=XTS_AES_128_KEY\n", "key_purpose_1=HMAC\n",
             "SECURE_BOOT_AGGRESSIVE_REVOKE=1\nflash_crypt_cnt=127\nabs_done_1=1\nsecure_boot_sha384_en=1\n",
             "secure_boot_digest1=" + "5d" * 32 + "\nkey_purpose_4=secure_boot_digest1\nblock_key4=" + "5d" * 32 + "\n",
             "spi_boot_crypt_cnt=128\n", "secure_boot_disable_fast_wake=1\nkey_purpose_0=KM_INIT_KEY\n",
             "sector_size=131072\nwrite_unit=32\nwrite_once=1\n", "write_unit=257\n"]
    for i, text in enumerate(texts):
        yield f"efuse{i}", text.encode()


def signatures():
    schemes = {"rsa": 0, "ec192": 1, "ec256": 2, "ec384": 3}
    for name, data in vectors("signed", "[er]*.bin"):
        if len(data) == 8192:
            scheme = next(number for prefix, number in schemes.items() if name.startswith(prefix))
            for trusted in (1, 2) if name in ("rsa_ba", "rsa_a") else (7,):
                yield f"{name}_by_{trusted}", bytes([scheme, trusted, 0, 5]) + struct.pack("<H", 4096) + data[:4096] + \
                    data[4096:].rstrip(b"\xff")


def signatures_v1():
    image = b"an image"
    for name, change in (("right", b""), ("flip_in_key", bytes(40) + b"\1"), ("flip_in_r", bytes(64 + 9) + b"\x80"),
                         ("flip_in_s", bytes(64 + 67) + b"\1"), ("version_1", bytes(64) + b"\1"),
                         ("erased", bytes(64) + b"\xff" * 68)):
        yield name, bytes([1, 1, 3]) + struct.pack("<H", len(image)) + image + change
    key = (VECTORS + "/signed/keys/v1_ec256.pub.bin", VECTORS + "/signed/v1_ecdsa.bin")
    with open(key[0], "rb") as public, open(key[1], "rb") as signed:
        point, data = public.read(), signed.read()
    yield "recorded", bytes([0, 1, 9]) + struct.pack("<H", len(data) - 68) + data[:-68] + point + data[-68:]
    yield "no_key", bytes([0, 0, 9]) + struct.pack("<H", 4) + b"data"


def elfs():
    desc = struct.pack("<I", 0xABCD5432) + bytes(252)
    c3 = [(".flash.appdesc", 0x3C000020, desc), (".flash.rodata", 0x3C000120, b"rodata" * 9),
          (".flash.text", 0x42010020, b"text" * 30),
          (".iram0.text", 0x40380000, b"iram" * 10), (".dram0.data", 0x3FC80000, b"data" * 5)]
    esp32 = [(".flash.rodata", 0x3F410020, b"rodata" * 9), (".iram0.vectors", 0x40080000, b"vec" * 5),
             (".iram0.text", 0x40080010, b"iram" * 10), (".flash.text", 0x400D0020, b"text" * 30)]
    yield "c3", bytes([2, 2]) + make_elf(243, c3, 0x40380000)
    yield "esp32_without_descriptor", bytes([0, 3]) + make_elf(94, esp32, 0x40080000)
    yield "c6", bytes([5, 3]) + make_elf(243, [(".flash.text", 0x42010020, b"t" * 64)], 0x42010020)
    yield "overlap", bytes([2, 2]) + make_elf(243, [c3[0], (".flash.rodata", 0x3C000100, b"x" * 40)], 0)


def challenges():
    digest = 'Digest realm="r\\\\x", nonce="n\\"o", qop="auth, auth-int", opaque="p", algorithm=%s'
    texts = ["Basic realm=\"r\"", digest % "MD5", digest % "SHA-256-sess", "Digest nonce=a,realm=b,stale=true",
             "NTLM TlRMTVNT==, " + digest % "sha-256", "Negotiate\n" + digest % "MD5-sess\nBasic", "Digest realm=\"r"]
    for i, text in enumerate(texts):
        yield f"auth{i}", ("\0user\npass\n/fw.bin?x\n" + text).encode()
        yield f"auth{i}_no_basic", ("\1us\"er\n\n/\n\n\n" + text.replace("\n", ", ")).encode()


def content_ranges():
    date = "Sun, 06 Nov 1994 08:49:37 GMT"
    rows = [("bytes 0-9/10", "bytes=0-9", '"tag"', '"tag", W/"x"', date), ("bytes 5-9/*", "bytes=-5", date, "*", date),
            ("BYTES 1-1/2", "bytes=100-", '"other"', "", "Sunday, 06-Nov-94 08:49:37 GMT"),
            ("bytes */10", "bytes=0-1,2-3", date, 'W/"tag"', "Sun Nov  6 08:49:37 1994"),
            ("bytes 5--1/*", "bytes=5-1", "", "", ""),
            ("bytes 0-9223372036854775806/9223372036854775807", "bytes=99999999999999999999-", "", "", "")]
    for i, row in enumerate(rows):
        yield f"range{i}", struct.pack("<I", 1000 + i) + "\n".join(row).encode()


def tables_in_text():
    for name, data in vectors("ptable", "csv", "*.csv"):
        if len(data) <= BIGGEST:
            yield name, bytes([3]) + data
    for i, encoding in enumerate(("utf-16", "utf-32", "utf-8-sig")):
        yield encoding, bytes([0]) + "nvs,data,nvs,,$SIZE\nüü,0,16,0x110000,${SIZE},encrypted:".encode(encoding)


def resume_records():
    header = b"OTR3" + struct.pack("<III", 20000, 4096, 0) + b'"etag"'.ljust(128, b"\0") + bytes(4)
    for i, (flags, sectors, length, marks) in enumerate([(1, 7, 20000, 3), (1, 7, 20480, 16), (3, 5, 0, 2), (5, 11, 40000, 9),
                                                         (0, 3, 0, 0), (9, 4, 9000, 1)]):
        head = header.ljust(256, b"\xff") + b"\xff" * 148
        yield f"resume{i}", struct.pack("<BBHB", flags, sectors, length, marks) + head + b"some bytes of an image"


FIELDS, CRC, DIGEST, TABLE, TORN, CUT, NOT_COMMITTED, CLOSED = 1, 2, 4, 8, 16, 32, 64, 128
RIGHT = FIELDS | CRC | DIGEST


def copy_journals():
    header = b"OTC1" + struct.pack("<IIIIBBHII", 0x4000, 0x3000, 0xA000, 0x2000, 1, 0x81, 0, 100, 4096) + bytes(36)
    for i, (flags, place, final, length, cut) in enumerate([
            (RIGHT, 2, 5, 5000, 0), (RIGHT | CUT, 2, 5, 5000, 3), (RIGHT, 3, 3, 8192, 0), (RIGHT, 2, 6, 100, 0),
            (RIGHT | TABLE, 2, 0, 3072, 0), (RIGHT | TABLE | TORN, 3, 0, 3072, 0), (RIGHT | TABLE | CUT, 2, 0, 3072, 4),
            (RIGHT, 1, 5, 100, 0), (CRC | DIGEST, 2, 0, 0, 0), (0, 2, 0, 0, 0), (FIELDS | CRC, 2, 5, 100, 0),
            (RIGHT, 4, 5, 9, 0), (RIGHT | NOT_COMMITTED, 2, 5, 5000, 0), (RIGHT | CLOSED | CUT, 2, 5, 5000, 1)]):
        head = struct.pack("<BBBHBB", flags, place, final, length, cut, i % 4)
        yield f"journal{i}", head + header + b"\0" * (i % 3) + b"\xff" * (16 - i % 3) + b"what is to be copied " * 20


def encryption_journals():
    """flags, place, cut, tear, number of ranges; the plan's head; ranges; for each slot flags, number and head."""
    fields, crc, sealed, ranges, cuts, no_room = 1, 2, 4, 8, 16, 32
    own = fields | crc | ranges
    batch, no_head = bytes([3, 0]) + bytes(48), bytes([0, 0]) + bytes(48)
    rest = struct.pack("<12I", 0x10000, 0x2000, 1, 0x14000, 0x1000, 3, 0x8000, 0x1000, 0xFFFFFFFE, 0x9000, 0x2000, 0)
    for i, (flags, place, cut, count, table, slots) in enumerate([
            (own | sealed, 22, 0, 3, b"", no_head), (own | sealed, 22, 0, 3, b"", batch),
            (own, 22, 0, 3, b"", batch), (own | sealed | cuts, 22, 7, 3, b"", batch + batch),
            (fields | crc | sealed, 23, 0, 4, rest, batch), (fields | crc | sealed | cuts, 23, 12, 4, rest, no_head + batch),
            (fields | crc, 11, 0, 4, rest, no_head), (ranges, 11, 0, 3, b"", no_head), (cuts, 24, 30, 0, b"", no_head),
            (own | sealed, 30, 0, 3, b"", batch), (own | sealed | no_room, 11, 0, 3, b"", batch), (no_room, 3, 0, 0, b"", b""),
            (fields | crc | sealed, 22, 0, 100, b"", no_head), (fields | crc | sealed, 22, 0, 2, rest[:12] * 2, no_head)]):
        yield f"plan{i}", bytes([flags, place, cut, i % 4, count]) + bytes(44) + table + slots


def table_record(kind, subtype, offset, size, label):
    return struct.pack("<HBBII16sI", 0x50AA, kind, subtype, offset, size, label.encode(), 0)


def flashes():
    table = table_record(1, 0, 0x2000, 0x2000, "otadata") + table_record(0, 0x10, 0x10000, 0x10000, "ota_0")
    table += table_record(0, 0x11, 0x20000, 0x10000, "ota_1")
    factory = table + table_record(0, 0, 0x30000, 0x10000, "factory\x1b[2J")
    md5 = b"\xeb\xeb" + b"\xff" * 30
    records = dict(vectors("otadata", "*.bin"))
    images = dict(vectors("image", "*.bin"))
    for i, (flags, chip, state, rows, image) in enumerate([
            (7, 0, "s0_1valid_s1_2new", table + md5, "esp32_valid"),
            (15, 0, "s0_1valid_s1_2pending", factory + md5, "esp32_valid"),
            (15, 0, "blank", table + md5, "esp32_v110_sec1"), (31, 0, "s0_1valid_s1_2valid", factory + md5, "esp32_v120_sec3"),
            (47, 0, "s0_1valid_s1_2new", factory + md5, "esp32_valid"), (5, 3, "blank", factory, "esp32s3_valid"),
            (7, 0, "crcbad_both_undef", table + md5, "bad_checksum"),
            (31, 0, "s0_1valid_s1_2new", table + md5, "esp32_v110_sec1"),
            (39, 0, "blank", table.replace(b"ota_0\0\0\0\0", b"\x1b[2J\xc2\x9b\x7f\x80\n") + md5, "esp32_valid"),
            (135, 0, "s0_1valid_s1_2new", table + md5, "esp32_valid"), (135, 3, "blank", factory + md5, "esp32s3_valid"),
            (71, 2, "blank", table + md5, "esp32c3_bootloader"), (71, 0, "s0_1valid_s1_2new", table + md5, "esp32_valid")]):
        both = records[state][:32] + records[state][0x1000:0x1020]
        yield f"flash{i}", bytes([flags, chip]) + both + bytes([len(rows) // 32]) + rows + images[image]


def image_files():
    for name, data in vectors("image", "*.bin"):
        if len(data) <= BIGGEST:
            yield name, bytes([CHIP_INDEX.get(struct.unpack_from("<H", data, 12)[0], 0) if len(data) >= 14 else 0]) + data
    clean = dict(vectors("image", "*.bin"))["esp32_valid"]
    yield "escapes", b"\0" + clean[:0x20] + clean[0x20:].replace(clean[0x50:0x54], b"\x1b[2J", 1)


def table_files():
    for name, data in vectors("ptable", "bin", "*.bin"):
        data = data[:0xC00].rstrip(b"\xff")
        yield name, b"\4" + data
        yield name + "_in_a_dump", b"\5" + data
    for name, data in vectors("ptable", "csv", "two_ota*.csv"):
        yield name + "_csv", b"\0" + data
    yield "escapes", b"\6" + table_record(0, 0, 0x10000, 0x10000, "x\x1b[2J\x7f")
    yield "csv_escapes", b"\2x\x1b[2J,app,factory,,1M,\n\xc2\x9b,wrong\n"


def served_files():
    for form in range(6):
        yield f"form{form}", bytes([form, 5, 0]) + b"firmware\0with something in it\n"
    yield "another_key", bytes([0, 0, 0]) + b"-----BEGIN RSA PRIVATE KEY-----\nDEK-Info: x\n\nAAAA\n-----END RSA"
    yield "certificate", bytes([0, 0, 0]) + b"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
    yield "key_behind_a_nul", bytes([0, 0, 0]) + b"\xe9\0\0-----BEGIN PRIVATE KEY-----\n"
    yield "der", bytes([0, 0, 0]) + bytes.fromhex("302e020100300506032b657004220420" + "11" * 32)


def efuse_imports():
    blocks = [bytearray(24), bytearray(24)] + [bytearray(range(i, i + 32)) for i in range(9)]
    blocks[0][14], blocks[0][17], blocks[0][11] = 0x10, 0xC0, 9  # secure boot, two bits of the version, a digest in block 4
    yield "joint", b"\2" + b"".join(blocks)
    yield "digits", b"\2espefuse v5.3.1\n\n" + b"".join(block.hex().encode() + b"\n" for block in blocks)
    yield "words", b"\3Detecting chip type... ESP32-P4\n" + b"".join(
        b"BLOCK%d   (   ) [%-2d] dump: %s\n" % (i, i, b" ".join(bytes(block[at:at + 4][::-1]).hex().encode()
                                                            for at in range(0, len(block), 4)))
        for i, block in enumerate(blocks))
    names = ["SECURE_BOOT_EN", "SPI_BOOT_CRYPT_CNT", "SECURE_VERSION"]
    yield "c2_text", b"\1" + "".join(f"{name} (BLOCK0)      a = thing     = 1 R/W (0b1)\n" for name in names).encode() + (
        b"BLOCK_KEY0 (BLOCK3)     a key\n   = " + b"?? " * 16 + b"a5 " * 15 + b"a5 R/- \n")
    yield "c2_json", b"\1espefuse\n{" + ",".join(
        f'"{name}": {{"value": true, "raw_value": "0x1", "readable": true}}' for name in names).encode() + (
        b',"BLOCK_KEY0": {"value": "' + b"a5 " * 31 + b'a5", "readable": true}}')


def nvs_page(seq, entries, state=0xFFFFFFFE, marked=None):
    """A page of NVS: (what is in an entry but its checksum, of 32 bytes; its bytes) of each value."""
    head = struct.pack("<IB", seq, 0xFE) + b"\xff" * 19
    body = b""
    for entry, data in entries:
        crc = zlib.crc32(entry[8:], zlib.crc32(entry[:4], 0xFFFFFFFF))
        body += entry[:4] + struct.pack("<I", crc) + entry[8:] + data + b"\xff" * (-len(data) % 32)
    count = len(body) // 32 if marked is None else marked
    states = (1 << 256) - 1
    for i in range(count):
        states &= ~(1 << 2 * i)
    crc = zlib.crc32(head, 0xFFFFFFFF)
    return struct.pack("<I", state) + head + struct.pack("<I", crc) + states.to_bytes(32, "little") + body


def nvs_entry(ns, kind, key, value, data=b"", part=0xFF):
    span = 1 + (len(data) + 31) // 32
    return bytes([ns, kind, span, part]) + bytes(4) + key.encode().ljust(16, b"\0") + value.ljust(8, b"\xff"), data


def nvs_bytes(ns, kind, key, data, part=0xFF):
    return nvs_entry(ns, kind, key, struct.pack("<HHI", len(data), 0xFFFF, zlib.crc32(data, 0xFFFFFFFF)), data, part)


def nvs_partitions():
    name, text = nvs_entry(0, 1, "fuzz", b"\x01"), nvs_bytes(1, 0x21, "text", b"some words and an end\0")
    parts = [nvs_bytes(1, 0x42, "blob", b"part " * 13, 0), nvs_bytes(1, 0x42, "blob", b"the other one", 1)]
    index = nvs_entry(1, 0x48, "blob", struct.pack("<IBBH", 78, 2, 0, 0xFFFF))
    number, again = nvs_entry(1, 0x14, "n", struct.pack("<i", -5)), nvs_entry(1, 0x14, "n", struct.pack("<i", 6))
    old = nvs_bytes(1, 0x41, "v1", b"first version")
    for i, (pages, contents) in enumerate([
            (2, [nvs_page(0, [name, text, number])]), (3, [nvs_page(0, [name, *parts, index])]),
            (3, [nvs_page(0, [name, number], 0xFFFFFFFC), nvs_page(1, [again])]),
            (3, [nvs_page(0, [name, number, text], 0xFFFFFFF8), nvs_page(1, [name, number])]),
            (3, [nvs_page(5, [name, parts[0], text], 0xFFFFFFFC), nvs_page(6, [parts[1], index])]),
            (2, [nvs_page(0, [name, text, number], marked=3)]), (2, [nvs_page(0, [name, text], marked=0)]),
            (2, [nvs_page(0, [name, parts[0]])]), (2, [nvs_page(0, [name, index])]), (2, [nvs_page(0, [old, name])]),
            (2, [nvs_page(0, [name], 0)]), (2, [nvs_page(7, [name, text], 0xFFFFFFFE).replace(b"words", b"WORDS")])]):
        data = bytes([0, pages - 1])
        for page, bytes_of in enumerate(contents):
            for at in range(0, len(bytes_of), 224):
                piece = bytes_of[at:at + 224]
                data += struct.pack("<HB", (page * 4096 + at) // 32, len(piece)) + piece
        yield f"nvs{i}", data


def encrypted_images():
    for i, (flags, seed, at, length) in enumerate([
            (31, 1, 0, 0), (30, 2, 5, 37), (31, 3, 100, 784), (30, 4, 512, 4096), (15, 5, 0, 16), (14, 6, 0, 17), (22, 7, 1, 40),
            (7, 8, 2, 48), (26, 9, 3, 64), (0, 0, 0, 20)]):
        header = bytes(388) + bytes(range(16)) + bytes(108)
        yield f"encrypted{i}", struct.pack("<BBH", flags, seed, at) + header + bytes(j * 7 % 256 for j in range(length))
    for name, data in vectors("encimg", "*_*.bin"):
        if name.startswith(("ecies_", "rsa_")):
            yield name, struct.pack("<BBH", name.startswith("rsa_"), 3, 20) + data


def fleet_answers():
    base = "https://fleet.example:8443/T/controller/v1/d"

    def poll(rel, rest=""):
        return f'{{"config":{{"polling":{{"sleep":"00:05:00"}}}},"_links":{{"{rel}":{{"href":"{base}/{rel}{rest}"}}}}}}'

    def offer(size, member="deployment", update="forced", link=base + "/f", hashes='"sha256":"' + "ab" * 32 + '"'):
        return (f'{{"id":"7","{member}":{{"download":"forced","update":"{update}",'
                f'"chunks":[{{"part":"os","version":"1","artifacts":'
                f'[{{"hashes":{{{hashes}}},"size":{size},"_links":{{"download-http":{{"href":"{link}"}}}}}}]}}]}}}}')

    cancel = '{"id":"7","cancelAction":{"stopId":"7"}}'
    quota = '{"errorCode":"hawkbit.server.error.quota.tooManyEntries"}'
    deployment, idle = poll("deploymentBase", "/7?c=1"), '{"config":{"polling":{"sleep":"PT1H"}}}'
    walks = [
        [(0, idle), (0, poll("configData")), (0, "")],
        [(0, deployment), (0, offer(8)), (0, ""), (0, ""), (0, ""), (0, idle)],
        [(0, deployment), (0, offer(7)), (0, ""), (5, ""), (0, "null")],
        [(0, deployment), (0, offer(9, link="https://cdn.example/x")), (6, quota), (0, deployment)],
        [(0, deployment), (0, offer(8, update="skip")), (0, ""), (0, ""), (0, poll("cancelAction", "/7")), (0, cancel), (0, "")],
        [(0, poll("confirmationBase", "/7?c=2")), (0, offer(8, "confirmation")), (0, ""), (0, deployment), (0, "null")],
        [(0, deployment), (0, offer(8, hashes='"sha1":"' + "cd" * 20 + '"')), (11, ""), (7, ""), (9, ""), (8, ""), (10, "")],
        [(0, '{"a":[1,-2.5e+3,true,false,null,"\\u00fc\\ud83d\\ude00\\n"]}'), (0, "[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]"),
         (0, "<html>")],
    ]
    for i, walk in enumerate(walks):
        yield f"walk{i}", bytes([i * 3]) + b"".join(bytes([status]) + text.encode() + b"\0" for status, text in walk)


def web_sockets():
    def frame(kind, content, final=True, mask=b"\x01\x02\x03\x04", rsv=0, more=None):
        size = len(content)
        more = (0 if size < 126 else 2 if size < 65536 else 8) if more is None else more
        low = {0: size, 2: 126, 8: 127}[more]
        length = size.to_bytes(more, "big") if more else b""
        masked = bytes(b ^ mask[i % 4] for i, b in enumerate(content)) if mask else content
        return bytes([final << 7 | rsv << 4 | kind, (0x80 if mask else 0) | low]) + length + mask + masked

    accept = b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
    cases = [frame(1, b"hello") + frame(9, b"p") + frame(8, b"\x03\xe8"), frame(1, b"a", False) + frame(0, b"b"),
             frame(2, b"x" * 126) + frame(10, b""), frame(2, b"y" * 130)[:70], frame(1, b"x", mask=b""), frame(1, b"x", rsv=4),
             frame(9, b"x" * 126), frame(9, b"x", False), frame(2, b"z" * 125, more=2), frame(2, b"z" * 9, more=8),
             b"\x82\xff" + (1 << 63).to_bytes(8, "big") + b"maskx", b"\x82\xff" + ((16 << 20) + 1).to_bytes(8, "big") + b"maskx",
             frame(3, b"?") + frame(15, b"?"), b"HTTP/1.1 101 x\r\nupgrade: websocket\r\n" + accept,
             b"HTTP/1.1 101 x\r\n" + accept.lower(), b"HTTP/1.1 302 x\r\nLocation:\t/ \r\n"]
    for i, data in enumerate(cases):
        yield f"case{i}", bytes([i * 7]) + data


SEEDS = {"ddi": fleet_answers, "encrypted_image": encrypted_images,
         "efuse_import": efuse_imports, "partition_table": partition_tables, "otadata": otadata, "image": images, "url": urls,
         "http_response": http_responses, "efuse_file": efuse_files, "elf": elfs, "auth": challenges,
         "content_range": content_ranges, "table_csv": tables_in_text, "resume_record": resume_records,
         "copy_journal": copy_journals, "encryption_journal": encryption_journals, "serve_path": targets, "flash_info": flashes,
         "image_info": image_files, "table_load": table_files, "signature": signatures, "signature_v1": signatures_v1,
         "served_file": served_files, "nvs": nvs_partitions, "web_socket": web_sockets}


def main():
    for target, seeds in SEEDS.items():
        inputs = corpus.read(target) if os.path.exists(corpus.path_of(target)) else {}
        mine = {"seed-" + name: data for name, data in seeds()}
        others = {name: data for name, data in inputs.items() if not name.startswith("seed-") and data not in mine.values()}
        corpus.write(target, {**others, **mine})
    return 0


if __name__ == "__main__":
    sys.exit(main())
