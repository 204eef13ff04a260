/*
 * Keeps private keys from being sent.
 *
 * A file's content is what counts: names change, copies and links are made. A key is looked for by its secret numbers (the
 * primes of RSA, the scalar of the other kinds), which every encoding of it contains: in the bytes as they are, which finds
 * DER, and in what the PEM blocks of private keys decode to.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#include "secrets.h"

#include <errno.h>
#include <gnutls/pkcs12.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define NEEDLE_SIZE   24u /* of a secret number, as many bytes are looked for: no file has them by chance */
#define NEEDLES_MAX   2u
#define CHUNK_SIZE    (1024u * 1024u)
#define OVERLAP       (NEEDLE_SIZE - 1)
#define PEM_LINE_SIZE 96u           /* where a block's first line must end */
#define KEY_SIZE_MAX  (64u * 1024u) /* of a PEM block, or of a key file in DER form */
#define KNOWN_FILES   64u

static const char PEM_BEGIN[] = "-----BEGIN ";
static const char PEM_END[] = "-----END ";
static const char PEM_KEY[] = "PRIVATE KEY-----";

/** One key; never changed or freed while others may read it. */
struct key {
    struct key *next;
    unsigned needle_count;
    struct needle {
        uint8_t bytes[NEEDLE_SIZE];
        size_t len;
    } needles[NEEDLES_MAX];
};

/** A file that was judged, by what changes when its content does. */
struct known {
    bool is_set;
    dev_t dev;
    ino_t ino;
    off_t size;
    struct timespec mtim, ctim;
    secrets_verdict_t verdict;
};

struct secrets {
    const char *key_path;
    pthread_mutex_t mutex; /* over all but what a key holds */
    struct key *keys;
    int key_fd; /* the file of the newest, held open; -1: none */
    struct known known[KNOWN_FILES];
    unsigned next_known;
    atomic_bool is_stopping;
};

secrets_t *secrets_new(const char *key_path)
{
    secrets_t *secrets = calloc(1, sizeof(*secrets));
    if (secrets != NULL) {
        secrets->key_path = key_path;
        secrets->key_fd = -1;
        pthread_mutex_init(&secrets->mutex, NULL);
    }
    return secrets;
}

static void free_key(struct key *key)
{
    explicit_bzero(key, sizeof(*key));
    free(key);
}

void secrets_free(secrets_t *secrets)
{
    if (secrets == NULL) {
        return;
    }
    for (struct key *key = secrets->keys, *next; key != NULL; key = next) {
        next = key->next;
        free_key(key);
    }
    if (secrets->key_fd >= 0) {
        close(secrets->key_fd);
    }
    pthread_mutex_destroy(&secrets->mutex);
    free(secrets);
}

void secrets_stop(secrets_t *secrets)
{
    atomic_store(&secrets->is_stopping, true);
}

/* ---- the keys ---- */

/** Takes a number over. Zeros in front are a matter of the encoding. */
static void add_needle(struct key *key, gnutls_datum_t *number)
{
    const uint8_t *bytes = number->data;
    size_t len = number->size;
    while (len > 0 && *bytes == 0) {
        bytes++;
        len--;
    }
    if (len > 0 && key->needle_count < NEEDLES_MAX) {
        struct needle *needle = &key->needles[key->needle_count++];
        needle->len = len < NEEDLE_SIZE ? len : NEEDLE_SIZE;
        memcpy(needle->bytes, bytes, needle->len);
    }
    if (number->data != NULL) {
        explicit_bzero(number->data, number->size);
        gnutls_free(number->data);
    }
}

static bool find_needles(struct key *key, gnutls_x509_privkey_t private_key)
{
    gnutls_datum_t p = {0}, q = {0}, k = {0};
    gnutls_ecc_curve_t curve;
    if (gnutls_x509_privkey_export_rsa_raw2(private_key, NULL, NULL, NULL, &p, &q, NULL, NULL, NULL) >= 0) {
        add_needle(key, &p); /* both: tools do not agree which comes first */
        add_needle(key, &q);
    } else if (gnutls_x509_privkey_export_ecc_raw(private_key, &curve, NULL, NULL, &k) >= 0) {
        add_needle(key, &k);
    }
    return key->needle_count > 0;
}

bool secrets_add(secrets_t *secrets, tls_files_t *files)
{
    struct key *key = calloc(1, sizeof(*key));
    if (key == NULL || !find_needles(key, files->private_key)) {
        free(key);
        return false;
    }
    pthread_mutex_lock(&secrets->mutex);
    bool is_new = true;
    for (const struct key *old = secrets->keys; old != NULL; old = old->next) {
        is_new = is_new && memcmp(old->needles, key->needles, sizeof(key->needles)) != 0;
    }
    if (is_new) {
        key->next = secrets->keys;
        secrets->keys = key;
        memset(secrets->known, 0, sizeof(secrets->known));
    }
    int old_fd = secrets->key_fd;
    secrets->key_fd = files->key_fd;
    files->key_fd = -1;
    pthread_mutex_unlock(&secrets->mutex);
    if (old_fd >= 0) {
        close(old_fd); /* what it holds is known by its numbers */
    }
    if (!is_new) {
        free_key(key);
    }
    return true;
}

static bool holds_needle(const struct key *keys, const uint8_t *data, size_t len)
{
    for (const struct key *key = keys; key != NULL; key = key->next) {
        for (unsigned i = 0; i < key->needle_count; i++) {
            if (memmem(data, len, key->needles[i].bytes, key->needles[i].len) != NULL) {
                return true;
            }
        }
    }
    return false;
}

/* ---- one file ---- */

/** A file on its way through; offsets are from its start. */
typedef struct {
    secrets_t *secrets;
    const struct key *keys;
    int fd;
    off_t size;
    off_t first_nul;  /* what comes before is text; INT64_MAX: none yet */
    bool has_pem_key; /* a private key in PEM form, with nothing but text before it */
    bool has_ours;
} scan_t;

static uint8_t base64_value(uint8_t c)
{
    if (c >= 'A' && c <= 'Z') {
        return (uint8_t)(c - 'A');
    }
    if (c >= 'a' && c <= 'z') {
        return (uint8_t)(c - 'a' + 26);
    }
    if (c >= '0' && c <= '9') {
        return (uint8_t)(c - '0' + 52);
    }
    return c == '+' ? 62 : c == '/' ? 63 : 64;
}

/**
 * Passes over all that is no base64, as line ends, and line ends of a string literal.
 * @param skip  digits left out at the start
 * @param out   of `len` bytes
 * @return bytes
 */
static size_t base64_decode(const uint8_t *data, size_t len, unsigned skip, uint8_t *out)
{
    size_t used = 0;
    uint32_t bits = 0;
    unsigned bit_count = 0;
    for (size_t i = 0; i < len; i++) {
        uint8_t value = base64_value(data[i]);
        if (data[i] == '\\') {
            i++;
        } else if (value < 64 && skip > 0) {
            skip--;
        } else if (value < 64) {
            bits = bits << 6 | value;
            bit_count += 6;
        }
        if (bit_count >= 8) {
            bit_count -= 8;
            out[used++] = (uint8_t)(bits >> bit_count);
        }
    }
    return used;
}

/** What begins at `at` with PEM_BEGIN. @return false: it could not be read, errno tells */
static bool judge_pem_block(scan_t *scan, off_t at)
{
    uint8_t line[PEM_LINE_SIZE];
    ssize_t len = pread(scan->fd, line, sizeof(line), at);
    const uint8_t *label = len <= 0 ? NULL : memmem(line, (size_t)len, PEM_KEY, sizeof(PEM_KEY) - 1);
    if (label == NULL) {
        return len >= 0;
    }
    scan->has_pem_key = scan->has_pem_key || at <= scan->first_nul;

    uint8_t *body = malloc(2 * KEY_SIZE_MAX);
    off_t start = at + (label - line) + (off_t)sizeof(PEM_KEY) - 1;
    len = body == NULL ? -1 : pread(scan->fd, body, KEY_SIZE_MAX, start);
    if (len > 0) {
        const uint8_t *end = memmem(body, (size_t)len, PEM_END, sizeof(PEM_END) - 1);
        size_t coded = end != NULL ? (size_t)(end - body) : (size_t)len;
        for (unsigned skip = 0; skip < 4;
             skip++) { /* header lines before the key may end anywhere in a group of four */
            size_t decoded = base64_decode(body, coded, skip, body + KEY_SIZE_MAX);
            scan->has_ours = scan->has_ours || holds_needle(scan->keys, body + KEY_SIZE_MAX, decoded);
        }
        explicit_bzero(body, 2 * KEY_SIZE_MAX);
    }
    int cause = errno;
    free(body);
    errno = cause;
    return len >= 0;
}

/** @return false: a block could not be read, errno tells */
static bool judge_chunk(scan_t *scan, const uint8_t *data, size_t len, off_t at)
{
    const uint8_t *nul = scan->first_nul == INT64_MAX ? memchr(data, 0, len) : NULL;
    if (nul != NULL) {
        scan->first_nul = at + (nul - data);
    }
    scan->has_ours = scan->has_ours || holds_needle(scan->keys, data, len);
    const uint8_t *p = data;
    while ((p = memmem(p, len - (size_t)(p - data), PEM_BEGIN, sizeof(PEM_BEGIN) - 1)) != NULL) {
        if (!judge_pem_block(scan, at + (p - data))) {
            return false;
        }
        p++;
    }
    return true;
}

/** Steps over a hole in the file, which is nothing but NULs. */
static off_t next_data(scan_t *scan, off_t at)
{
    off_t data = lseek(scan->fd, at, SEEK_DATA);
    if (data < 0) {
        data = errno == ENXIO ? scan->size : at; /* the rest is a hole; no such call here */
    }
    if (data > at && at < scan->first_nul) {
        scan->first_nul = at;
    }
    return data;
}

static bool judge_content(scan_t *scan, uint8_t *buf)
{
    size_t kept = 0;
    for (off_t at = 0; at < scan->size && !scan->has_ours;) {
        if (atomic_load(&scan->secrets->is_stopping)) {
            errno = ECANCELED;
            return false;
        }
        off_t data = next_data(scan, at);
        kept = data == at ? kept : 0;
        at = data;
        ssize_t n = pread(scan->fd, buf + kept, CHUNK_SIZE, at);
        if (n < 0) {
            return false;
        }
        if (n == 0 || !judge_chunk(scan, buf, kept + (size_t)n, at - (off_t)kept)) {
            return n == 0; /* the file has become shorter */
        }
        size_t all = kept + (size_t)n;
        kept = all < OVERLAP ? all : OVERLAP;
        memmove(buf, buf + all - kept, kept);
        at += n;
    }
    return true;
}

/** A key without PEM's text around it, also one with a pass phrase. */
static bool is_der_key(int fd, off_t size, uint8_t *buf)
{
    const size_t len = size <= (off_t)KEY_SIZE_MAX ? (size_t)size : 0;
    if (len == 0 || pread(fd, buf, len, 0) != (ssize_t)len || buf[0] != 0x30) {
        return false;
    }
    const gnutls_datum_t der = {buf, (unsigned)len};
    gnutls_x509_privkey_t key = NULL;
    gnutls_pkcs12_t bundle = NULL;
    bool is_key = false;
    if (gnutls_x509_privkey_init(&key) >= 0) {
        int code = gnutls_x509_privkey_import2(key, &der, GNUTLS_X509_FMT_DER, NULL, 0);
        is_key = code >= 0 || code == GNUTLS_E_DECRYPTION_FAILED;
        gnutls_x509_privkey_deinit(key);
    }
    if (!is_key && gnutls_pkcs12_init(&bundle) >= 0) {
        is_key = gnutls_pkcs12_import(bundle, &der, GNUTLS_X509_FMT_DER, 0) >= 0;
        gnutls_pkcs12_deinit(bundle);
    }
    return is_key;
}

static secrets_verdict_t judge_file(secrets_t *secrets, const struct key *keys, int fd, off_t size)
{
    scan_t scan = {.secrets = secrets, .keys = keys, .fd = fd, .size = size, .first_nul = INT64_MAX};
    uint8_t *buf = malloc(OVERLAP + CHUNK_SIZE);
    secrets_verdict_t verdict = SECRETS_UNJUDGED;
    if (buf != NULL && judge_content(&scan, buf)) {
        verdict = scan.has_ours                                        ? SECRETS_OURS
                  : scan.has_pem_key || is_der_key(fd, scan.size, buf) ? SECRETS_A_KEY
                                                                       : SECRETS_NONE;
    }
    int cause = errno;
    free(buf);
    errno = cause;
    return verdict;
}

/* ---- what is known of files ---- */

static bool same_time(struct timespec a, struct timespec b)
{
    return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

/** Under the lock. */
static const struct known *find_known(const secrets_t *secrets, const struct stat *st)
{
    for (unsigned i = 0; i < KNOWN_FILES; i++) {
        const struct known *known = &secrets->known[i];
        if (known->is_set && known->ino == st->st_ino && known->dev == st->st_dev &&
            known->size == st->st_size && same_time(known->mtim, st->st_mtim) &&
            same_time(known->ctim, st->st_ctim)) {
            return known;
        }
    }
    return NULL;
}

/** Under the lock. What changed just now may change again within the same tick of the file system's clock: not that. */
static void remember(secrets_t *secrets, const struct stat *st, secrets_verdict_t verdict)
{
    if (verdict == SECRETS_UNJUDGED || time(NULL) - st->st_ctim.tv_sec < 2) {
        return;
    }
    secrets->known[secrets->next_known++ % KNOWN_FILES] = (struct known){
        .is_set = true,
        .dev = st->st_dev,
        .ino = st->st_ino,
        .size = st->st_size,
        .mtim = st->st_mtim,
        .ctim = st->st_ctim,
        .verdict = verdict,
    };
}

static bool is_file(const struct stat *st, const struct stat *other)
{
    return st->st_dev == other->st_dev && st->st_ino == other->st_ino;
}

/** The key's own file: what has its name now, and what it was read from. Under the lock. */
static bool is_key_file(const secrets_t *secrets, const struct stat *st)
{
    struct stat key;
    return (stat(secrets->key_path, &key) == 0 && is_file(&key, st)) ||
           (secrets->key_fd >= 0 && fstat(secrets->key_fd, &key) == 0 && is_file(&key, st));
}

secrets_verdict_t secrets_judge(secrets_t *secrets, int fd, const struct stat *st)
{
    for (;;) {
        pthread_mutex_lock(&secrets->mutex);
        bool is_key = is_key_file(secrets, st);
        const struct known *known = find_known(secrets, st);
        secrets_verdict_t verdict = known != NULL ? known->verdict : SECRETS_UNJUDGED;
        const struct key *keys = secrets->keys;
        pthread_mutex_unlock(&secrets->mutex);
        if (is_key || known != NULL) {
            return is_key ? SECRETS_OURS : verdict;
        }
        verdict = judge_file(secrets, keys, fd, st->st_size);

        pthread_mutex_lock(&secrets->mutex);
        bool is_current = keys == secrets->keys; /* else there is one that was not looked for */
        if (is_current) {
            remember(secrets, st, verdict);
        }
        pthread_mutex_unlock(&secrets->mutex);
        if (is_current || verdict == SECRETS_UNJUDGED) {
            return verdict;
        }
    }
}
