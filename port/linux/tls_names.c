/* Whom a server's certificate is for: its names for people, and the common name where it lists none. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "linux/tls_names.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include <openssl/x509v3.h>

void tls_names_collect(X509 *certificate, char *text, size_t size)
{
    text[0] = '\0';
    GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    BIO *bio = BIO_new(BIO_s_mem());
    for (int i = 0; bio != NULL && i < sk_GENERAL_NAME_num(names); i++) {
        GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
        if (i > 0) {
            BIO_puts(bio, ", ");
        }
        if (name->type == GEN_DNS) {
            ASN1_STRING_print_ex(bio, name->d.dNSName, ASN1_STRFLGS_ESC_CTRL | ASN1_STRFLGS_ESC_MSB);
        } else {
            GENERAL_NAME_print(bio, name);
        }
    }
    if (bio != NULL && sk_GENERAL_NAME_num(names) <= 0) {
        X509_NAME_print_ex(bio, X509_get_subject_name(certificate), 0,
                           XN_FLAG_ONELINE & ~(unsigned long)ASN1_STRFLGS_ESC_MSB);
    }
    if (bio != NULL) {
        int n = BIO_read(bio, text, (int)size - 1);
        text[n > 0 ? n : 0] = '\0';
        if (BIO_pending(bio) > 0) {
            memcpy(text + size - 4, "...", 4);
        }
    }
    BIO_free(bio);
    GENERAL_NAMES_free(names);
}

/* ---- the common name ---- */

static bool is_address(const char *text)
{
    ASN1_OCTET_STRING *address = a2i_IPADDRESS(text);
    ASN1_OCTET_STRING_free(address);
    return address != NULL;
}

/** The certificate with only `name` listed, so that OpenSSL's rules for listed names can be asked. NULL: cannot be a name */
static X509 *list_name(X509 *server, const char *name, int type)
{
    GENERAL_NAMES *names = sk_GENERAL_NAME_new_null();
    GENERAL_NAME *listed = names != NULL ? a2i_GENERAL_NAME(NULL, NULL, NULL, type, name, 0) : NULL;
    X509 *copy = NULL;
    if (listed != NULL && sk_GENERAL_NAME_push(names, listed) > 0) {
        listed = NULL;
        copy = X509_dup(server);
    }
    if (copy != NULL && (X509_add1_ext_i2d(copy, NID_subject_alt_name, names, 0, X509V3_ADD_REPLACE) != 1 ||
                         X509_check_purpose(copy, -1, 0) != 1)) { /* which makes OpenSSL read the list */
        X509_free(copy);
        copy = NULL;
    }
    GENERAL_NAME_free(listed);
    GENERAL_NAMES_free(names);
    return copy;
}

static bool is_for(X509 *listed, const char *expected, int type)
{
    return type == GEN_IPADD
               ? X509_check_ip_asc(listed, expected, 0) == 1
               : X509_check_host(listed, expected, 0, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS, NULL) == 1;
}

static bool permits_addresses(const NAME_CONSTRAINTS *constraints)
{
    for (int i = 0; i < sk_GENERAL_SUBTREE_num(constraints->permittedSubtrees); i++) {
        if (sk_GENERAL_SUBTREE_value(constraints->permittedSubtrees, i)->base->type == GEN_IPADD) {
            return true;
        }
    }
    return false;
}

/** What one issuer says to `name`. A CA that says which host names it vouches for, and of addresses nothing, vouches for none. */
static int judge_by_issuer(X509 *server, const char *name, int type, NAME_CONSTRAINTS *constraints)
{
    const int types[] = {type, GEN_DNS};
    int count = type == GEN_IPADD && !permits_addresses(constraints) ? 2 : 1;
    int code = X509_V_OK;
    for (int i = 0; i < count && code == X509_V_OK; i++) {
        X509 *listed = list_name(server, name, types[i]);
        code = listed != NULL ? NAME_CONSTRAINTS_check(listed, constraints) : X509_V_ERR_OUT_OF_MEM;
        X509_free(listed);
    }
    return code;
}

static int judge_by_issuers(X509 *server, STACK_OF(X509) * chain, const char *name, int type)
{
    int code = X509_V_OK;
    for (int i = 1; i < sk_X509_num(chain) && code == X509_V_OK; i++) {
        int found = -1;
        NAME_CONSTRAINTS *constraints =
            X509_get_ext_d2i(sk_X509_value(chain, i), NID_name_constraints, &found, NULL);
        if (constraints != NULL) {
            code = judge_by_issuer(server, name, type, constraints);
        } else if (found != -1) {
            code = X509_V_ERR_UNSUPPORTED_CONSTRAINT_SYNTAX; /* it is there, and cannot be read, or twice */
        }
        NAME_CONSTRAINTS_free(constraints);
    }
    return code;
}

/** One common name of perhaps several. @return as tls_names_judge_others() */
static int judge_name(X509 *server, STACK_OF(X509) * chain, const char *name, const char *expected,
                      int mismatch)
{
    int type = is_address(expected) ? GEN_IPADD : GEN_DNS;
    X509 *listed = list_name(server, name, type);
    bool matches = listed != NULL && is_for(listed, expected, type);
    X509_free(listed);
    return matches ? judge_by_issuers(server, chain, name, type) : mismatch;
}

/** Whether an address is listed the way that host names are. */
static bool lists_as_host_name(X509 *server, const char *address)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(server, NID_subject_alt_name, NULL, NULL);
    bool found = false;
    for (int i = 0; i < sk_GENERAL_NAME_num(names) && !found; i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
        size_t len = strlen(address);
        found = name->type == GEN_DNS && (size_t)ASN1_STRING_length(name->d.dNSName) == len &&
                strncasecmp((const char *)ASN1_STRING_get0_data(name->d.dNSName), address, len) == 0;
    }
    GENERAL_NAMES_free(names);
    return found;
}

int tls_names_judge_others(X509 *server, STACK_OF(X509) * chain, const char *expected, int mismatch)
{
    int code = mismatch;
    if (X509_get_ext_by_NID(server, NID_subject_alt_name, -1) >= 0) {
        bool listed = is_address(expected) && lists_as_host_name(server, expected);
        return listed ? judge_by_issuers(server, chain, expected, GEN_IPADD) : code;
    }
    const X509_NAME *subject = X509_get_subject_name(server);
    int at = -1;
    while (code != X509_V_OK && (at = X509_NAME_get_index_by_NID(subject, NID_commonName, at)) >= 0) {
        unsigned char *name = NULL;
        int len = ASN1_STRING_to_UTF8(&name, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
        if (len > 0 && strlen((char *)name) == (size_t)len) { /* a NUL inside would hide the rest */
            int judged = judge_name(server, chain, (char *)name, expected, mismatch);
            code = judged != mismatch ? judged : code;
        }
        OPENSSL_free(name);
    }
    return code;
}
