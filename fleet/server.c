/* How a request finds its device, or is refused. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "fleet/server_parts.h"
#include "otter/promise.h"
#include "otter/text.h"

/** @return true: too many in this second */
static bool count_request(fleet_server_t *server)
{
    fleet_load_t *load = &server->load;
    const int64_t second = server->now_ms / 1000;
    if (second != server->second) {
        server->second = second;
        server->second_requests = server->second_polls = 0;
    }
    load->requests++;
    if (++server->second_requests > load->most_requests) {
        load->most_requests = server->second_requests;
        load->most_requests_ms = server->now_ms;
    }
    const bool refused = server->rate != 0 && server->second_requests > server->rate;
    load->refused += refused;
    return refused;
}

/** The device's part of the path, behind "/TENANT/controller/v1/". NULL: it is another path. */
static const char *path_of(const fleet_server_t *server, const char *url)
{
    const char *pieces[] = {server->base, "/", server->tenant, "/controller/v1/"};
    for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
        const size_t len = strlen(pieces[i]);
        if (strncmp(url, pieces[i], len) != 0) {
            return NULL;
        }
        url += len;
    }
    return url;
}

static bool is_authorized(const fleet_server_t *server, const char *authorization)
{
    static const char scheme[] = "GatewayToken ";
    return server->token == NULL ||
           (authorization != NULL && strncmp(authorization, scheme, sizeof(scheme) - 1) == 0 &&
            strcmp(authorization + sizeof(scheme) - 1, server->token) == 0);
}

static int handle(fleet_server_t *server, const fleet_request_t *request, fleet_answer_t *answer)
{
    const char *id = path_of(server, request->url);
    if (!is_authorized(server, request->authorization)) {
        return fleet_server_complain(server, 401, "without the token", request->url);
    }
    if (id == NULL) {
        return fleet_server_complain(server, 404, "no path of this server", request->url);
    }
    const size_t len = strcspn(id, "/?");
    if (len == 0 || len > 128) {
        return fleet_server_complain(server, 400, "no id of a device", request->url);
    }
    char name[129];
    text_format(name, sizeof(name), "%.*s", (int)len, id);
    text_format(server->line, sizeof(server->line), "%s %s %s", name, request->method,
                id[len] == '\0' ? "poll" : id + len + 1);
    uint32_t device = fleet_server_find(server, id, len);
    if (device == FLEET_NONE && id[len] == '\0' && server->token != NULL) {
        device = fleet_server_add(server, name); /* as a gateway token does */
    }
    if (device == FLEET_NONE || server->targets[device].deleted) {
        return 404;
    }
    return fleet_server_dispatch(server, device, id + len, request, answer);
}

void fleet_server_handle(fleet_server_t *server, int64_t now_ms, const fleet_request_t *request,
                         fleet_answer_t *answer)
{
    OTTER_ASSERT(now_ms >= server->now_ms);
    server->now_ms = now_ms;
    text_format(server->line, sizeof(server->line), "%s %s", request->method, request->url);
    answer->text[0] = '\0';
    answer->file = NULL;
    answer->status = count_request(server) ? 429 : handle(server, request, answer);
    if (server->on_line != NULL) {
        char line[300];
        text_format(line, sizeof(line), "%s %d", server->line, answer->status);
        server->on_line(server->ctx, now_ms, line);
    }
}
