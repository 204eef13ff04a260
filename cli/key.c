/* otter key new, digest and public: the keys that images are signed with. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "host/named_file.h"
#include "otter/image.h"
#include "signing_options.h"

typedef struct {
    const char *file, *output, *passphrase;
    otter_signature_scheme_t scheme;
    bool v1;
} key_options_t;

#define AT(member) offsetof(key_options_t, member)

/* ---- new ---- */

/** A file without a name yet, in the folder of `path`. @return -1: there is no such thing on this file system */
static int open_nameless(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *folder = slash == NULL ? strdup(".") : strndup(path, (size_t)(slash + 1 - path));
    int fd = folder != NULL ? open(folder, O_WRONLY | O_TMPFILE | O_CLOEXEC, 0600) : -1;
    free(folder);
    return fd;
}

static bool give_name(int fd, const char *path)
{
    char own[32];
    snprintf(own, sizeof(own), "/proc/self/fd/%d", fd);
    return linkat(AT_FDCWD, own, AT_FDCWD, path, AT_SYMLINK_FOLLOW) == 0;
}

/**
 * Never over another file: a key that is overwritten is lost for good. The name comes when all of it is there, so that a process
 * that is killed leaves no half of a key.
 * @return false with errno
 */
static bool write_secret(const char *path, const char *text, size_t len)
{
    int fd = open_nameless(path);
    const bool nameless = fd >= 0;
    if (!nameless) {
        fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    }
    if (fd < 0) {
        return false;
    }
    bool ok = output_write(fd, text, len) && fsync(fd) == 0 && (!nameless || give_name(fd, path));
    int error = errno;
    ok = close(fd) == 0 && ok;
    if (!ok && !nameless) {
        (void)unlink(path);
    }
    errno = error;
    return ok;
}

static void say_digest(const char *file, const signing_key_t *key, const uint8_t *digest)
{
    char hex[2 * OTTER_KEY_DIGEST_LEN + 1];
    cli_did("%s: a key for %s; its digest is %s", file, otter_signature_scheme_name(signing_key_scheme(key)),
            otter_image_hex(hex, digest, OTTER_KEY_DIGEST_LEN));
}

static int new_key(void *options)
{
    const key_options_t *o = options;
    otter_fault_t fault = {0};
    uint8_t digest[OTTER_KEY_DIGEST_LEN];
    size_t len = 0;
    if (access(o->file, F_OK) == 0) {
        return cli_fail("key new", "%s exists, and no key is ever overwritten: choose another name", o->file);
    }
    signing_key_t *key = signing_key_new(o->scheme, &fault);
    char *text = key != NULL ? signing_key_pem(key, true, o->passphrase, &len, &fault) : NULL;
    int status = EXIT_DONE;
    if (text == NULL || !signing_key_digest(key, digest, &fault)) {
        status = cli_fail("key new", "%s", fault.why);
    } else if (!write_secret(o->file, text, len)) {
        status = cli_fail("key new", "cannot write %s: %s", o->file, strerror(errno));
    } else {
        say_digest(o->file, key, digest);
    }
    if (text != NULL) {
        signing_wipe(text, len);
    }
    free(text);
    signing_key_free(key);
    return status;
}

static const option_row_t new_rows[] = {
    {"FILE", &option_argument, AT(file), .help = NULL},
    {"scheme", &kind_scheme, AT(scheme),
     .help = "what it signs with (default rsa3072, which most chips have)"},
    {"passphrase-file", &option_file, AT(passphrase),
     .help = "its first line encrypts the key; default: it is not encrypted"},
    {0},
};

const cli_verb_t key_new_verb = {
    .name = "key new",
    .line = "make a key that signs images",
    .about = "Makes a private key and writes it as PEM, for nobody but you to read (mode 0600). Keep it "
             "where no build "
             "server of others can read it, with a copy in a safe: whoever has it makes firmware for your "
             "devices, and "
             "without it nobody does.\n",
    .after = "example: otter key new signing.pem\n"
             "then: otter key public signing.pem -o signing.pub.pem     what devices and CI get\n",
    .options = new_rows,
    .size = sizeof(key_options_t),
    .defaults = &(const key_options_t){.scheme = OTTER_SIGNED_RSA_3072},
    .run = new_key,
};

/* ---- digest ---- */

static int digest_of(void *options)
{
    const key_options_t *o = options;
    otter_fault_t fault = {0};
    uint8_t digest[OTTER_KEY_DIGEST_LEN];
    char hex[2 * OTTER_KEY_DIGEST_LEN + 1];
    signing_key_t *key = signing_key_load(o->file, false, o->passphrase, &fault);
    int status = EXIT_DONE;
    if (key == NULL || !signing_key_digest(key, digest, &fault)) {
        status = cli_fail("key digest", "%s: %s", o->file, fault.why);
    } else if (o->output == NULL) {
        printf("%s\n", otter_image_hex(hex, digest, sizeof(digest)));
    } else if (!cli_write_file("key digest", o->output, digest, sizeof(digest))) {
        status = EXIT_FAILED;
    }
    signing_key_free(key);
    return status;
}

static const option_row_t digest_rows[] = {
    {"KEY", &option_argument, AT(file), .help = NULL},
    {"output", &option_file, AT(output),
     .help = "write its 32 bytes, as espefuse burns them; default: hex on standard output", .letter = 'o'},
    OPTION_PASSPHRASE(AT(passphrase)),
    {0},
};

const cli_verb_t key_digest_verb = {
    .name = "key digest",
    .line = "what the eFuses of a device hold of a key",
    .about = "Tells the SHA-256 of a public key as signature blocks have it: what the eFuses of a device "
             "with secure boot "
             "hold, and what `otter image info` shows. KEY is a private or public key, PEM or DER, or a URI "
             "of a store that "
             "OpenSSL is configured for.\n",
    .after = "example: otter key digest signing.pub.pem\n",
    .options = digest_rows,
    .size = sizeof(key_options_t),
    .run = digest_of,
};

/* ---- public ---- */

static int public_of(void *options)
{
    const key_options_t *o = options;
    otter_fault_t fault = {0};
    uint8_t point[OTTER_V1_KEY_LEN];
    size_t len = 0;
    signing_key_t *key = signing_key_load(o->file, false, o->passphrase, &fault);
    char *text = key != NULL && !o->v1 ? signing_key_pem(key, false, NULL, &len, &fault) : NULL;
    int status = EXIT_DONE;
    if (key == NULL || (o->v1 ? !signing_key_v1(key, point, &fault) : text == NULL)) {
        status = cli_fail("key public", "%s: %s", o->file, fault.why);
    } else if (!cli_write_file("key public", o->output, o->v1 ? (const void *)point : text,
                               o->v1 ? sizeof(point) : len)) {
        status = EXIT_FAILED;
    } else if (!cli_is_standard_output(o->output)) {
        cli_did("%s: the public part of %s, a key for %s", o->output, o->file,
                otter_signature_scheme_name(signing_key_scheme(key)));
    }
    free(text);
    signing_key_free(key);
    return status;
}

static const option_row_t public_rows[] = {
    {"KEY", &option_argument, AT(file), .help = NULL},
    {"output", &option_file, AT(output), .help = "where to write; - is standard output", .letter = 'o',
     .needed = true},
    {"v1", &option_switch, AT(v1), .help = "64 bytes, X and Y, as ESP32's first scheme has it; default: PEM"},
    OPTION_PASSPHRASE(AT(passphrase)),
    {0},
};

const cli_verb_t key_public_verb = {
    .name = "key public",
    .line = "the public part of a key",
    .about =
        "Writes the public part of a key, which may be given to anybody: it verifies, and signs nothing.\n",
    .after = "example: otter key public signing.pem -o signing.pub.pem\n",
    .options = public_rows,
    .size = sizeof(key_options_t),
    .run = public_of,
};
