"""mbedTLS's digests, HMAC and base64 in a project, beside Python's."""
# SPDX-License-Identifier: Apache-2.0

import base64
import hashlib
import hmac
import unittest

from idf_project import SANITIZED, TOO_LARGE, Project

SOURCE = r"""
#include <stdio.h>
#include <string.h>
#include "driver/rtc_io.h"
#include "mbedtls/base64.h"
#include "mbedtls/md.h"
#include "mbedtls/md5.h"
#include "mbedtls/sha1.h"
#include "mbedtls/sha256.h"
#include "mbedtls/sha512.h"

static unsigned char data[1000], out[64];

static void show(const char *name, int err, size_t len)
{
    printf("%s %d ", name, err);
    for (size_t i = 0; err == 0 && i < len; i++) {
        printf("%02x", out[i]);
    }
    printf("\n");
    memset(out, 0, sizeof(out));
}

static void in_pieces(void)
{
    mbedtls_sha256_context a, b;
    mbedtls_sha256_init(&a);
    mbedtls_sha256_init(&b);
    show("unbegun", mbedtls_sha256_update(&a, data, 1), 0);
    mbedtls_sha256_starts_ret(&a, 0);
    mbedtls_sha256_update(&a, data, 300);
    mbedtls_sha256_clone(&b, &a);
    mbedtls_sha256_update(&a, data + 300, 700);
    show("sha256", mbedtls_sha256_finish(&a, out), 32);
    mbedtls_sha256_update(&b, data + 300, 700);
    show("sha256", mbedtls_sha256_finish_ret(&b, out), 32);
    mbedtls_sha256_starts(&b, 1);
    mbedtls_sha256_update(&b, data, 1000);
    show("sha224", mbedtls_sha256_finish(&b, out), 28);
    show("flag", mbedtls_sha256_starts(&b, 2), 0);
    mbedtls_sha256_free(&a);
    mbedtls_sha256_free(&b);
    mbedtls_sha256_free(&b);
}

static void at_once(void)
{
    show("sha256", mbedtls_sha256(data, 1000, out, 0), 32);
    show("sha512", mbedtls_sha512(data, 1000, out, 0), 64);
    show("sha384", mbedtls_sha512(data, 1000, out, 1), 48);
    show("sha1", mbedtls_sha1(data, 1000, out), 20);
    show("md5", mbedtls_md5(data, 1000, out), 16);
}

static void by_kind(void)
{
    for (mbedtls_md_type_t type = MBEDTLS_MD_MD5; type <= MBEDTLS_MD_SHA512; type++) {
        const mbedtls_md_info_t *info = mbedtls_md_info_from_type(type);
        show(mbedtls_md_get_name(info), mbedtls_md(info, data, 1000, out), mbedtls_md_get_size(info));
        show("hmac", mbedtls_md_hmac(info, (const unsigned char *)"key", 3, data, 1000, out), mbedtls_md_get_size(info));
        show("hmac", mbedtls_md_hmac(info, data, 200, data, 1000, out), mbedtls_md_get_size(info));
    }
    mbedtls_md_context_t ctx;
    mbedtls_md_init(&ctx);
    show("no kind", mbedtls_md_setup(&ctx, mbedtls_md_info_from_string("SHA3"), 0), 0);
    mbedtls_md_setup(&ctx, mbedtls_md_info_from_string("sha256"), 0);
    show("no hmac", mbedtls_md_hmac_starts(&ctx, data, 1), 0);
    mbedtls_md_free(&ctx);
}

static void in_letters(void)
{
    static const char *const bad[] = {"QUI", "QU=J", "QUJD=", "Q===", "QU JD", "QUJ$", "=", "QUJD\xc3\xa4=="};
    unsigned char text[400], back[300];
    size_t len, again;
    for (size_t n = 0; n < 50; n++) {
        int err = mbedtls_base64_encode(text, sizeof(text), &len, data, n);
        int other = mbedtls_base64_decode(back, n, &again, text, len);
        printf("base64 %d %d %d %.*s\n", err, other, again == n && memcmp(back, data, n) == 0, (int)len, text);
    }
    printf("room %d", mbedtls_base64_encode(text, 8, &len, data, 6));
    printf(" %zu\n", len);
    printf("room %d", mbedtls_base64_decode(back, 2, &len, (const unsigned char *)"QUJD", 4));
    printf(" %zu\n", len);
    printf("lines %d", mbedtls_base64_decode(back, 6, &len, (const unsigned char *)"QU\r\nJD  \nQQ==\n", 14));
    printf(" %.*s\n", (int)len, back);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        printf("bad %d\n", mbedtls_base64_decode(back, 6, &len, (const unsigned char *)bad[i], strlen(bad[i])));
    }
}

void app_main(void)
{
    for (size_t i = 0; i < sizeof(data); i++) {
        data[i] = (unsigned char)(i * 7);
    }
    in_pieces();
    at_once();
    by_kind();
    in_letters();
    rtc_gpio_init(4);
    rtc_gpio_set_direction(4, RTC_GPIO_MODE_INPUT_OUTPUT);
    rtc_gpio_set_level(4, 1);
    printf("pin %d ", (int)rtc_gpio_get_level(4));
    printf("%d %d\n", rtc_gpio_isolate(4), rtc_gpio_is_valid_gpio(-1));
}
"""
DATA = bytes(i * 7 & 255 for i in range(1000))


def digests():
    """The lines of in_pieces(), at_once() and by_kind(), by Python."""
    yield "unbegun -110 "
    for name in ("sha256", "sha256", "sha224"):
        yield f"{name} 0 {hashlib.new(name, DATA).hexdigest()}"
    yield "flag -116 "
    for name in ("sha256", "sha512", "sha384", "sha1", "md5"):
        yield f"{name} 0 {hashlib.new(name, DATA).hexdigest()}"
    for name in ("md5", "sha1", "sha224", "sha256", "sha384", "sha512"):
        yield f"{name.upper()} 0 {hashlib.new(name, DATA).hexdigest()}"
        yield f"hmac 0 {hmac.new(b'key', DATA, name).hexdigest()}"
        yield f"hmac 0 {hmac.new(DATA[:200], DATA, name).hexdigest()}"
    yield "no kind -20736 "
    yield "no hmac -20736 "


@unittest.skipIf(SANITIZED, TOO_LARGE)
class MbedTls(unittest.TestCase):
    def test_digests_hmac_and_base64_are_those_of_everybody(self):
        made = Project(None, {
            "CMakeLists.txt": "cmake_minimum_required(VERSION 3.16)\n"
                              "include($ENV{IDF_PATH}/tools/cmake/project.cmake)\nproject(d)\n",
            "main/CMakeLists.txt": 'idf_component_register(SRCS "main.c" PRIV_REQUIRES mbedtls driver)\n', "main/main.c": SOURCE})
        self.addCleanup(made.remove)
        made.build()
        said = [line for line in made.run().stdout.splitlines() if " gpio: " not in line]
        texts = (f"base64 0 0 1 {base64.b64encode(DATA[:n]).decode()}" for n in range(50))
        wanted = [*digests(), *texts, "room -42 9", "room -42 3",
                  "lines 0 ABCA", *["bad -44"] * 8, "pin 1 0 0"]
        self.maxDiff = None
        self.assertEqual(wanted, said[-len(wanted):])


if __name__ == "__main__":
    unittest.main()
