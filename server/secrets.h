/* Keeps private keys from being sent: it knows them by what they are, whatever file they are in. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <sys/stat.h>

#include "otter/promise.h"
#include "tls_files.h"

typedef struct secrets secrets_t;

typedef enum {
    SECRETS_NONE, /* may be sent */
    SECRETS_OURS, /* a private key that this server uses or has used is in it, in PEM or DER form, or it is its file */
    SECRETS_A_KEY,    /* it is somebody's private key: a PEM text with one, a DER or PKCS#12 file */
    SECRETS_UNJUDGED, /* it could not be read to its end, or secrets_stop() came; errno tells (ECANCELED) */
} secrets_verdict_t;

/** @param key_path  whatever file has that name is never sent; must stay. @return NULL: out of memory */
OTTER_MUST_CHECK secrets_t *secrets_new(const char *key_path);

void secrets_free(secrets_t *secrets);

/**
 * A key that the server uses from now on. Those of earlier calls stay secret.
 * @param files  its key_fd is the secrets' from here on
 * @return false: no memory, or a key whose secret numbers GnuTLS does not give out; nothing has changed
 */
OTTER_MUST_CHECK bool secrets_add(secrets_t *secrets, tls_files_t *files);

/**
 * Looks through an open file, all of it, before a byte of it is sent. What a file has been found to be is remembered until
 * it changes. For any thread.
 * @param st  of `fd`, as when it was opened
 */
secrets_verdict_t secrets_judge(secrets_t *secrets, int fd, const struct stat *st);

/** Ends all judging, now and from now on. */
void secrets_stop(secrets_t *secrets);
