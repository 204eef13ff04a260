/* The token is one line that nobody else can read; TLS wants to know whom to believe. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "fleet_access.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "cli.h"
#include "host/named_file.h"

#define TOKEN_MAX 4096u

char *fleet_access_token(const char *verb, const char *path, bool gateway)
{
    otter_fault_t fault = {0};
    struct stat st;
    size_t len;
    if (stat(path, &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & 077) != 0) {
        (void)cli_refuse(verb, "%s: others can read or change the token: chmod 600 %s", path, path);
        return NULL;
    }
    char *token = (char *)input_load(path, INPUT_OR_PIPE, TOKEN_MAX, &len, &fault);
    if (token == NULL) {
        (void)cli_refuse(verb, "%s: %s", path, fault.why);
        return NULL;
    }
    token[strcspn(token, "\r\n")] = '\0';
    bool good = token[0] != '\0';
    for (const char *p = token; *p != '\0'; p++) {
        good = good && *p > ' ' && *p < 0x7F;
    }
    char *header = NULL;
    good = good && asprintf(&header, "%s %s", gateway ? "GatewayToken" : "TargetToken", token) >= 0;
    free(token);
    if (!good) {
        (void)cli_refuse(verb, "%s: it holds no token (one line, without blanks)", path);
        return NULL;
    }
    return header;
}

bool fleet_access_is_https(const char *server)
{
    return strncasecmp(server, "https://", 8) == 0;
}

bool fleet_access_names_trust(const char *verb, const char *server, const char *ca_path, bool system_ca)
{
    const bool named = !fleet_access_is_https(server) || ca_path != NULL || system_ca;
    if (!named) {
        (void)cli_usage(verb, "--ca CA.pem is needed: it tells whom to believe (or --system-ca)");
    }
    return named;
}
