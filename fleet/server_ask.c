/* What devices ask the server: polls, offers, files. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "fleet/server_parts.h"
#include "otter/image.h"
#include "otter/text.h"

#define WINDOW_SLEEP_MIN 30u /* s, before a window */

/** Text behind what is there already. */
static void add(fleet_answer_t *answer, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void add(fleet_answer_t *answer, const char *format, ...)
{
    const size_t used = strlen(answer->text);
    va_list args;
    va_start(args, format);
    text_vformat(answer->text + used, sizeof(answer->text) - used, format, args);
    va_end(args);
}

static void add_base(fleet_answer_t *answer, const fleet_server_t *server, uint32_t device)
{
    add(answer, "%s/%s/controller/v1/%s", server->base, server->tenant, server->targets[device].id);
}

static bool has_window(const fleet_action_t *action)
{
    return action->order.window_until_ms != 0;
}

/** Less before a window, so that the device comes in time. */
static uint32_t sleep_of(const fleet_server_t *server, const fleet_action_t *action)
{
    if (action == NULL || !has_window(action) || action->open) {
        return server->sleep_s;
    }
    const int64_t until_s = (action->order.window_from_ms - server->now_ms) / 3000;
    const int64_t sleep_s = until_s > WINDOW_SLEEP_MIN ? until_s : WINDOW_SLEEP_MIN;
    return sleep_s < server->sleep_s ? (uint32_t)sleep_s : server->sleep_s;
}

static int answer_poll(fleet_server_t *server, uint32_t device, fleet_answer_t *answer)
{
    static const char *const rels[] = {"confirmationBase", "deploymentBase", "cancelAction"};
    fleet_target_t *target = &server->targets[device];
    fleet_action_t *action = fleet_server_active(server, device);
    fleet_server_count_poll(server);
    target->polls++;
    target->seen_ms = server->now_ms;
    if (action != NULL) {
        fleet_action_age(action, server->now_ms);
    }
    const uint32_t sleep_s = sleep_of(server, action);
    add(answer, "{\"config\":{\"polling\":{\"sleep\":\"%02" PRIu32 ":%02" PRIu32 ":%02" PRIu32 "\"}}",
        sleep_s / 3600, sleep_s / 60 % 60, sleep_s % 60);
    const char *before = ",\"_links\":{";
    if (!target->has_attributes) {
        add(answer, "%s\"configData\":{\"href\":\"", before);
        add_base(answer, server, device);
        add(answer, "/configData\"}");
        before = ",";
    }
    if (action != NULL) {
        add(answer, "%s\"%s\":{\"href\":\"", before, rels[action->status]);
        add_base(answer, server, device);
        add(answer, "/%s/%" PRIu32, rels[action->status], action->id);
        if (action->status != FLEET_CANCELING) {
            add(answer, "?c=%" PRIu32, action->changes);
        }
        add(answer, "\"}");
        before = ",";
    }
    add(answer, before[1] == '\0' ? "}}" : "}");
    return 200;
}

/* What an offer says of the two halves of it, by its mode; a window that is not open turns `update` into "skip". */
static const char *const download_word[] = {
    [FLEET_FORCED] = "forced",        [FLEET_SOFT] = "attempt",        [FLEET_TIMEFORCED] = "attempt",
    [FLEET_DOWNLOAD_ONLY] = "forced", [FLEET_DOWNLOAD_FIRST] = "skip",
};
static const char *const update_word[] = {
    [FLEET_FORCED] = "forced",      [FLEET_SOFT] = "attempt",        [FLEET_TIMEFORCED] = "attempt",
    [FLEET_DOWNLOAD_ONLY] = "skip", [FLEET_DOWNLOAD_FIRST] = "skip",
};

static void add_link(fleet_answer_t *answer, const fleet_server_t *server, const fleet_action_t *action)
{
    if (action->release->link != NULL) {
        add(answer, "%s", action->release->link);
        return;
    }
    add_base(answer, server, action->device);
    add(answer, "/softwaremodules/%" PRIu32 "/artifacts/%s", action->id, action->release->name);
}

static void add_file(fleet_answer_t *answer, const fleet_server_t *server, const fleet_action_t *action)
{
    const fleet_release_t *release = action->release;
    char hex[65];
    add(answer, "{\"filename\":\"%s\",\"hashes\":{\"sha1\":\"%s\"", release->name,
        otter_image_hex(hex, release->sha1, sizeof(release->sha1)));
    if (!release->sha1_only) {
        add(answer, ",\"md5\":\"00000000000000000000000000000000\",\"sha256\":\"%s\"",
            otter_image_hex(hex, release->sha256, sizeof(release->sha256)));
    }
    add(answer, "},\"size\":%" PRIu32 ",\"_links\":{\"download-http\":{\"href\":\"", release->size);
    add_link(answer, server, action);
    add(answer, "\"},\"md5sum-http\":{\"href\":\"");
    add_link(answer, server, action);
    add(answer, ".MD5SUM\"}}}");
}

static int answer_deployment(fleet_server_t *server, fleet_action_t *action, const char *member,
                             fleet_answer_t *answer)
{
    const fleet_release_t *release = action->release;
    const fleet_mode_t mode = action->forced ? FLEET_FORCED : action->order.mode;
    fleet_action_age(action, server->now_ms);
    action->entries += !action->retrieved;
    action->retrieved = true;
    add(answer, "{\"id\":\"%" PRIu32 "\",\"%s\":{\"download\":\"%s\",\"update\":\"%s\",", action->id, member,
        download_word[mode], has_window(action) && !action->open ? "skip" : update_word[mode]);
    if (has_window(action)) {
        add(answer, "\"maintenanceWindow\":\"%s\",", action->open ? "available" : "unavailable");
    }
    add(answer, "\"chunks\":[{\"part\":\"%s\",\"version\":\"%s\",\"name\":\"app\",\"artifacts\":[",
        release->part, release->version);
    add_file(answer, server, action);
    add(answer, "]}]},\"actionHistory\":{\"status\":\"RETRIEVED\",\"messages\":[\"\\u00fc\"]}}");
    return 200;
}

/* ---- paths ---- */

/** The file is there for those to whom it is assigned. */
static int answer_file(fleet_server_t *server, const fleet_action_t *action, const char *name,
                       fleet_answer_t *answer)
{
    static const char artifacts[] = "/artifacts/";
    if (strncmp(name, artifacts, sizeof(artifacts) - 1) != 0 ||
        strcmp(name + sizeof(artifacts) - 1, action->release->name) != 0) {
        return fleet_server_complain(server, 404, "a file that no link named", name);
    }
    server->load.downloads++;
    answer->file = action->release;
    return 200;
}

static int answer_get(fleet_server_t *server, fleet_action_t *action, const char *kind,
                      fleet_answer_t *answer)
{
    if (strcmp(kind, "cancelAction") == 0) {
        add(answer, "{\"id\":\"%" PRIu32 "\",\"cancelAction\":{\"stopId\":\"%" PRIu32 "\"}}", action->id,
            action->id);
        return action->status == FLEET_CANCELING ? 200 : 404;
    }
    if (strcmp(kind, "confirmationBase") == 0) {
        return action->status == FLEET_CONFIRM ? answer_deployment(server, action, "confirmation", answer)
                                               : 404;
    }
    const bool hidden = action->status == FLEET_CANCELING || action->status == FLEET_CONFIRM;
    return hidden ? 404 : answer_deployment(server, action, "deployment", answer);
}

static int take_post(fleet_server_t *server, fleet_action_t *action, const char *kind, const char *body,
                     fleet_answer_t *answer)
{
    if (strcmp(kind, "deploymentBase") == 0) {
        return fleet_take_feedback(server, action, body, answer);
    }
    return strcmp(kind, "confirmationBase") == 0 ? fleet_take_confirmation(server, action, body)
                                                 : fleet_take_cancel_feedback(server, action, body, answer);
}

/** "/deploymentBase/7/feedback": kind, number, and what is behind it. @return NULL: it is of another form */
static const char *split(const char *path, char kind[24], uint32_t *id)
{
    static const char *const kinds[] = {"deploymentBase", "confirmationBase", "cancelAction",
                                        "softwaremodules"};
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        const size_t len = strlen(kinds[i]);
        if (path[0] == '/' && strncmp(path + 1, kinds[i], len) == 0 && path[len + 1] == '/') {
            char *end;
            const char *digits = path + len + 2;
            const unsigned long long number = strtoull(digits, &end, 10);
            *id = number <= UINT32_MAX ? (uint32_t)number : 0;
            text_format(kind, 24, "%s", kinds[i]);
            return end == digits || digits[0] == '-' || digits[0] == '+' ? NULL : end;
        }
    }
    return NULL;
}

/** What is about an action of the device. */
static int dispatch_action(fleet_server_t *server, uint32_t device, const char *path,
                           const fleet_request_t *request, fleet_answer_t *answer)
{
    char kind[24];
    uint32_t id = 0;
    const char *rest = split(path, kind, &id);
    fleet_action_t *action = fleet_server_action(server, id);
    if (rest == NULL) {
        return fleet_server_complain(server, 404, "a path that no server has", path);
    }
    if (action == NULL || action->device != device) {
        return fleet_server_complain(server, 404, "an action of somebody else", path);
    }
    if (strcmp(kind, "softwaremodules") == 0) {
        return answer_file(server, action, rest, answer);
    }
    if (strcmp(request->method, "GET") == 0 && (rest[0] == '\0' || rest[0] == '?')) {
        return answer_get(server, action, kind, answer);
    }
    if (strcmp(request->method, "POST") != 0 || strcmp(rest, "/feedback") != 0) {
        return fleet_server_complain(server, 405, "a method that the path does not have", path);
    }
    return take_post(server, action, kind, request->body, answer);
}

int fleet_server_dispatch(fleet_server_t *server, uint32_t device, const char *path,
                          const fleet_request_t *request, fleet_answer_t *answer)
{
    const bool tells = strcmp(request->method, "GET") != 0;
    if (tells && (request->type == NULL || strcmp(request->type, "application/json") != 0)) {
        return fleet_server_complain(server, 415, "a body that is no application/json", path);
    }
    if (tells && request->body == NULL) {
        return fleet_server_complain(server, 400, "no body", path);
    }
    if (path[0] == '\0') {
        return tells ? fleet_server_complain(server, 405, "no GET of the poll", path)
                     : answer_poll(server, device, answer);
    }
    if (strcmp(path, "/configData") == 0) {
        return strcmp(request->method, "PUT") == 0
                   ? fleet_take_attributes(server, device, request->body, answer)
                   : fleet_server_complain(server, 405, "no PUT of attributes", path);
    }
    return dispatch_action(server, device, path, request, answer);
}
