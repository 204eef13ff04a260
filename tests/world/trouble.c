/* What can come of a connect, as the transport tells it: names, addresses, TLS. After docs/MISBEHAVIOUR.md's catalogue. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>

#include "otter/system.h"
#include "quirks.h"
#include "sim/sim_system.h"

typedef enum {
    TAKES_NO_TIME, /* but for the way there and back */
    TAKES_SOME,    /* of the wait */
    TAKES_ALL,     /* of it: nothing came */
} takes_t;

typedef enum { THEN_FAILS, THEN_GOES_ON, THEN_WRITES_FAIL, THEN_WRITES_STALL } then_t;

#define UNRESOLVED ESP_ERR_ESP_TLS_CANNOT_RESOLVE_HOSTNAME
#define UNREACHED  ESP_ERR_ESP_TLS_FAILED_CONNECT_TO_HOST
#define HANDSHAKE  ESP_ERR_MBEDTLS_SSL_HANDSHAKE_FAILED

/* Library codes are those of OpenSSL; the client only looks at whether there is one. */
static const struct {
    const char *name;
    bool tls; /* only where there is TLS */
    then_t then;
    takes_t takes;
    esp_err_t code;
    int sys_errno, tls_code, tls_verify;
    const char *rows; /* of the catalogue, for which it stands */
} troubles[] = {
    {"the name is unknown", false, THEN_FAILS, TAKES_NO_TIME, UNRESOLVED, ENOENT, 0, 0, ""},
    {"the name server does not answer", false, THEN_FAILS, TAKES_ALL, UNRESOLVED, ETIMEDOUT, 0, 0, ""},
    {"refused", false, THEN_FAILS, TAKES_NO_TIME, UNREACHED, ECONNREFUSED, 0, 0, ""},
    {"no route", false, THEN_FAILS, TAKES_SOME, UNREACHED, EHOSTUNREACH, 0, 0, ""},
    {"connecting times out", false, THEN_FAILS, TAKES_ALL, ESP_ERR_ESP_TLS_CONNECTION_TIMEOUT, ETIMEDOUT, 0,
     0, ""},
    {"no socket", false, THEN_FAILS, TAKES_NO_TIME, ESP_ERR_ESP_TLS_CANNOT_CREATE_SOCKET, EMFILE, 0, 0, ""},
    {"another address answers", false, THEN_GOES_ON, TAKES_SOME, ESP_OK, 0, 0, 0,
     "ipv6-only first-address-refuses first-address-is-dead"},
    {"writes fail", false, THEN_WRITES_FAIL, TAKES_NO_TIME, ESP_OK, 0, 0, 0, ""},
    {"writes stall", false, THEN_WRITES_STALL, TAKES_NO_TIME, ESP_OK, 0, 0, 0, ""},
    {"a slow handshake", true, THEN_GOES_ON, TAKES_SOME, ESP_OK, 0, 0, 0, "tls-1.2-only tls-1.3-only"},
    {"an old TLS", true, THEN_FAILS, TAKES_NO_TIME, HANDSHAKE, 0, 0x0A000102, 0, "tls-1.0-only tls-1.1-only"},
    {"a bad certificate", true, THEN_FAILS, TAKES_NO_TIME, HANDSHAKE, 0, 0x0A000086, 10,
     "certificate-expired certificate-not-yet certificate-wrong-name certificate-other-ca "
     "certificate-self-signed"},
    {"a weak certificate", true, THEN_FAILS, TAKES_NO_TIME, HANDSHAKE, 0, 0x0A000086, 67,
     "certificate-rsa-512 certificate-rsa-1024 certificate-sha1"},
    {"a client certificate is wanted", true, THEN_FAILS, TAKES_NO_TIME, HANDSHAKE, 0, 0x0A00045C, 0,
     "client-certificate-wanted-1.2"},
    {"a client certificate is wanted later", true, THEN_WRITES_FAIL, TAKES_NO_TIME, ESP_OK, 0, 0, 0,
     "client-certificate-wanted"},
    {"an alert", true, THEN_FAILS, TAKES_NO_TIME, HANDSHAKE, 0, 0x0A000410, 0, "tls-alert"},
    {"no TLS is spoken", true, THEN_FAILS, TAKES_NO_TIME, HANDSHAKE, 0, 0x0A00010B, 0,
     "tls-garbage tls-is-plain-http"},
    {"no end to the handshake", true, THEN_FAILS, TAKES_ALL, ESP_ERR_ESP_TLS_SERVER_HANDSHAKE_TIMEOUT, EAGAIN,
     0, 0, "silence tls-drips tls-records-of-nothing"},
    {"closed in the handshake", true, THEN_FAILS, TAKES_SOME, ESP_ERR_ESP_TLS_TCP_CLOSED_FIN, ENOTCONN, 0, 0,
     "tls-closed-in-handshake"},
    {"reset in the handshake", true, THEN_FAILS, TAKES_SOME, HANDSHAKE, ECONNRESET, 0, 0,
     "tls-reset-in-handshake"},
};

#define TROUBLES (sizeof(troubles) / sizeof(troubles[0]))

_Static_assert(TROUBLES <= TALLY_TROUBLES_MAX, "each trouble is counted");

unsigned troubles_count(void)
{
    return TROUBLES;
}

static unsigned draw(line_t *line, int only)
{
    chance_t *c = &line->device->world->chance;
    unsigned index = only >= 0 ? (unsigned)only : chance_below(c, TROUBLES);
    while (line->plain && troubles[index].tls) {
        index = chance_below(c, TROUBLES);
    }
    return index;
}

esp_err_t trouble_meet(line_t *line, int only, connection_t *c, int timeout_ms,
                       otter_transport_error_t *error)
{
    world_t *world = line->device->world;
    unsigned index = draw(line, only);
    switch (troubles[index].takes) {
    case TAKES_NO_TIME:
        break;
    case TAKES_SOME:
        sim_clock_advance_ms(chance_below(&world->chance, (uint32_t)timeout_ms));
        break;
    case TAKES_ALL:
        sim_clock_advance_ms((uint32_t)timeout_ms);
        break;
    }
    world->tally->troubles[index]++;
    story(world, line->device, "connect: %s", troubles[index].name);
    c->writes_fail = troubles[index].then == THEN_WRITES_FAIL;
    c->writes_stall = troubles[index].then == THEN_WRITES_STALL;
    if (troubles[index].then != THEN_FAILS) {
        return ESP_OK;
    }
    *error = (otter_transport_error_t){.sys_errno = troubles[index].sys_errno,
                                       .tls_code = troubles[index].tls_code,
                                       .tls_verify = troubles[index].tls_verify};
    otter_fault(&error->fault, troubles[index].code, "%s", troubles[index].name);
    return ESP_ERR_HTTP_CONNECT;
}

void troubles_list(void)
{
    for (unsigned i = 0; i < TROUBLES; i++) {
        printf("connect: %s|%s\n", troubles[i].name, troubles[i].rows);
    }
}

unsigned troubles_print(const tally_t *tally)
{
    unsigned never = 0;
    for (unsigned i = 0; i < TROUBLES; i++) {
        printf("  %9llu  connect: %s\n", (unsigned long long)tally->troubles[i], troubles[i].name);
        never += tally->troubles[i] == 0;
    }
    return never;
}
