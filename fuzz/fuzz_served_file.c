/*
 * Whether a file may be sent, as `otter serve` looks through it for private keys.
 * Input: how the server's key is put into the file (0: not at all) and where, then the rest of the file.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"
#include "secrets.h"

/* The example of RFC 8410, 10.3. */
#define BODY "MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC"
static const uint8_t secret[] = {0xD4, 0xEE, 0x72, 0xDB, 0xF9, 0x13, 0x58, 0x4A, 0xD5, 0xB6, 0xD8,
                                 0xF1, 0xF7, 0x69, 0xF8, 0xAD, 0x3A, 0xFE, 0x7C, 0x28, 0xCB, 0xF1,
                                 0xD4, 0xFB, 0xE0, 0x97, 0xA8, 0x8F, 0x44, 0x75, 0x58, 0x42};
#define KNOWN_BY 24u /* so many of its bytes are looked for */
static const char pem[] = "-----BEGIN PRIVATE KEY-----\n" BODY "\n-----END PRIVATE KEY-----\n";
static const char *const forms[] = {
    "",
    NULL, /* the bytes of the secret */
    pem,
    "-----BEGIN PRIVATE KEY-----\r\n" BODY "\r\n-----END PRIVATE KEY-----\r\n",
    "\"-----BEGIN PRIVATE KEY-----\\n" BODY "\\n-----END PRIVATE KEY-----\\n\"",
    "-----BEGIN EC PRIVATE KEY-----\nProc-Type: none\n\n" BODY,
};

static secrets_t *make_secrets(void)
{
    tls_files_t files = {.key_fd = -1};
    const gnutls_datum_t text = {(unsigned char *)(uintptr_t)pem, sizeof(pem) - 1};
    secrets_t *secrets = secrets_new("/nowhere/key.pem");
    FUZZ_CHECK(secrets != NULL && gnutls_x509_privkey_init(&files.private_key) >= 0, "no memory");
    FUZZ_CHECK(gnutls_x509_privkey_import(files.private_key, &text, GNUTLS_X509_FMT_PEM) >= 0, "no key");
    FUZZ_CHECK(secrets_add(secrets, &files), "no secret");
    gnutls_x509_privkey_deinit(files.private_key);
    return secrets;
}

static secrets_verdict_t judge(secrets_t *secrets, const uint8_t *bytes, size_t len)
{
    struct stat st;
    int fd = memfd_create("served", MFD_CLOEXEC);
    FUZZ_CHECK(fd >= 0 && write(fd, bytes, len) == (ssize_t)len && fstat(fd, &st) == 0, "no file");
    secrets_verdict_t verdict = secrets_judge(secrets, fd, &st);
    close(fd);
    return verdict;
}

static bool has_at(const uint8_t *bytes, size_t len, size_t at, const void *what, size_t what_len)
{
    return what_len <= len - at && memcmp(bytes + at, what, what_len) == 0;
}

/** The slow reading: *ours: the secret is there as it is; *any, *text: a PEM key begins somewhere, behind text only. */
static void read_slowly(const uint8_t *bytes, size_t len, bool *ours, bool *any, bool *text)
{
    static const char begin[] = "-----BEGIN ", label[] = "PRIVATE KEY-----";
    bool is_text = true;
    *ours = *any = *text = false;
    for (size_t at = 0; at < len; at++) {
        *ours = *ours || has_at(bytes, len, at, secret, KNOWN_BY);
        bool is_key = false;
        size_t end = len - at < 96 ? len : at + 96;
        for (size_t i = at; i < end && has_at(bytes, len, at, begin, strlen(begin)); i++) {
            is_key = is_key || has_at(bytes, end, i, label, strlen(label));
        }
        *any = *any || is_key;
        *text = *text || (is_key && is_text);
        is_text = is_text && bytes[at] != 0;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static secrets_t *secrets;
    secrets = secrets != NULL ? secrets : make_secrets();
    fuzz_input_t in = {data, size};
    size_t which = fuzz_choose(&in, sizeof(forms) / sizeof(forms[0]));
    const void *form = forms[which] != NULL ? forms[which] : (const char *)secret;
    size_t form_len = forms[which] != NULL ? strlen(forms[which]) : sizeof(secret);
    size_t at = fuzz_u16(&in);
    at = at < in.len ? at : in.len;

    size_t len = in.len + form_len;
    uint8_t *bytes = malloc(len + 1);
    FUZZ_CHECK(bytes != NULL, "no memory");
    memcpy(bytes, in.bytes, at);
    memcpy(bytes + at, form, form_len);
    memcpy(bytes + at + form_len, in.bytes + at, in.len - at);

    bool ours, any, text;
    read_slowly(bytes, len, &ours, &any, &text);
    secrets_verdict_t verdict = judge(secrets, bytes, len);
    FUZZ_CHECK(verdict != SECRETS_UNJUDGED, "not judged");
    FUZZ_CHECK(verdict == SECRETS_OURS || (!ours && which == 0), "form %zu at %zu is not seen", which, at);
    FUZZ_CHECK(verdict != SECRETS_NONE || !text, "a key in PEM form is not seen");
    bool may_be_der = len > 0 && bytes[0] == 0x30;
    FUZZ_CHECK(verdict == SECRETS_NONE || ours || any || may_be_der, "a key is seen where none is");
    free(bytes);
    return 0;
}
