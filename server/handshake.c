/* Each handshake gets copies, so that a pair can be replaced while others are under way. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "handshake.h"

#include <pthread.h>
#include <stddef.h>

/* GnuTLS hands its callback no argument of ours; the program has one site. */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static const tls_files_t *current;

void handshake_use(const tls_files_t *files)
{
    pthread_mutex_lock(&mutex);
    current = files;
    pthread_mutex_unlock(&mutex);
}

static void free_chain(gnutls_pcert_st *chain, unsigned len)
{
    for (unsigned i = 0; i < len; i++) {
        gnutls_pcert_deinit(&chain[i]);
    }
    gnutls_free(chain);
}

static int copy_chain(const tls_files_t *files, gnutls_pcert_st **out)
{
    gnutls_pcert_st *chain = gnutls_calloc(files->chain_len, sizeof(*chain));
    if (chain == NULL) {
        return GNUTLS_E_MEMORY_ERROR;
    }
    for (unsigned i = 0; i < files->chain_len; i++) {
        int code = gnutls_pcert_import_x509(&chain[i], files->chain[i], 0);
        if (code < 0) {
            free_chain(chain, i);
            return code;
        }
    }
    *out = chain;
    return 0;
}

static int copy_key(const tls_files_t *files, gnutls_privkey_t *out)
{
    int code = gnutls_privkey_init(out);
    if (code >= 0) {
        code = gnutls_privkey_import_x509(*out, files->private_key, GNUTLS_PRIVKEY_IMPORT_COPY);
        if (code < 0) {
            gnutls_privkey_deinit(*out);
        }
    }
    return code;
}

int handshake_retrieve(gnutls_session_t session, const struct gnutls_cert_retr_st *info,
                       gnutls_pcert_st **chain, unsigned *chain_len, gnutls_ocsp_data_st **ocsp,
                       unsigned *ocsp_len, gnutls_privkey_t *key, unsigned *flags)
{
    (void)session;
    (void)info;
    *ocsp = NULL;
    *ocsp_len = 0;
    gnutls_pcert_st *copy = NULL;
    pthread_mutex_lock(&mutex);
    int code = current == NULL ? GNUTLS_E_INSUFFICIENT_CREDENTIALS : copy_chain(current, &copy);
    if (code >= 0) {
        code = copy_key(current, key);
        if (code < 0) {
            free_chain(copy, current->chain_len);
        } else {
            *chain = copy;
            *chain_len = current->chain_len;
            *flags |= GNUTLS_CERT_RETR_DEINIT_ALL;
        }
    }
    pthread_mutex_unlock(&mutex);
    return code < 0 ? -1 : 0;
}
