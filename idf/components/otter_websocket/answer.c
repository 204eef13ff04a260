/* What a server answers to a handshake. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "otter_websocket.h"

size_t otter_websocket_end_head(char *head)
{
    char *end = strstr(head, "\r\n\r\n");
    if (end == NULL) {
        return 0;
    }
    end[2] = '\0';
    return (size_t)(end - head) + 4;
}

const char *otter_websocket_field(const char *head, const char *name, size_t *len)
{
    const size_t name_len = strlen(name);
    for (const char *line = strstr(head, "\r\n"); line != NULL; line = strstr(line + 2, "\r\n")) {
        const char *at = line + 2;
        if (strncasecmp(at, name, name_len) == 0 && at[name_len] == ':') {
            at += name_len + 1;
            at += strspn(at, " \t");
            *len = strcspn(at, " \t\r");
            return at;
        }
    }
    return NULL;
}

int otter_websocket_status(const char *head)
{
    int status = 0;
    return sscanf(head, "HTTP/1.%*d %3d", &status) == 1 && status >= 100 ? status : 0;
}

bool otter_websocket_is_accepted(const char *head, const char *accept)
{
    size_t len = 0;
    const char *value = otter_websocket_field(head, "Sec-WebSocket-Accept", &len);
    return otter_websocket_status(head) == 101 && value != NULL && len == strlen(accept) &&
           strncmp(value, accept, len) == 0;
}
