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

static void add_name(fleet_answer_t *answer, const fleet_action_t *action)
{
    if (action->name != NULL) {
        add(answer, "%s", action->name);
    } else {
        add(answer, "%" PRIu32, action->id);
    }
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
    char clock[16];
    text_format(clock, sizeof(clock), "%02" PRIu32 ":%02" PRIu32 ":%02" PRIu32, sleep_s / 3600,
                sleep_s / 60 % 60, sleep_s % 60);
    add(answer, "{\"config\":{\"polling\":{\"sleep\":\"%s\"}}",
        server->sleep != NULL ? server->sleep : clock);
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
        add(answer, "/%s/", rels[action->status]);
        add_name(answer, action);
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

static void add_link(fleet_answer_t *answer, const fleet_server_t *server, const fleet_action_t *action,
                     const fleet_release_t *release)
{
    if (release->link != NULL) {
        add(answer, "%s", release->link);
        return;
    }
    add_base(answer, server, action->device);
    add(answer, "/softwaremodules/");
    add_name(answer, action);
    add(answer, "/artifacts/%s", release->name);
}

static void add_file(fleet_answer_t *answer, const fleet_server_t *server, const fleet_action_t *action,
                     const fleet_release_t *release)
{
    char hex[65];
    add(answer, "{\"filename\":\"%s\",\"hashes\":{\"sha1\":\"%s\"", release->name,
        otter_image_hex(hex, release->sha1, sizeof(release->sha1)));
    if (!release->sha1_only) {
        add(answer, ",\"md5\":\"00000000000000000000000000000000\",\"sha256\":\"%s\"",
            otter_image_hex(hex, release->sha256, sizeof(release->sha256)));
    }
    add(answer, "},\"size\":%" PRIu32 ",\"_links\":{\"download-http\":{\"href\":\"", release->size);
    add_link(answer, server, action, release);
    add(answer, "\"},\"md5sum-http\":{\"href\":\"");
    add_link(answer, server, action, release);
    add(answer, ".MD5SUM\"}}}");
}

/** What a module has says what it is before its files or behind them: no order is promised. */
static void add_chunks(fleet_answer_t *answer, const fleet_server_t *server, const fleet_action_t *action)
{
    const fleet_release_t *release = action->release, *also = release->also;
    add(answer, "%s", release->chunks_before != NULL ? release->chunks_before : "");
    if (release->bytes != NULL) {
        add(answer, "{\"part\":\"%s\",\"version\":\"%s\",\"name\":\"app\",\"artifacts\":[%s", release->part,
            release->version, release->files_before != NULL ? release->files_before : "");
        add_file(answer, server, action, release);
        add(answer, also != NULL ? "]}," : "]}");
    }
    if (also != NULL) {
        add(answer, "{\"artifacts\":[");
        add_file(answer, server, action, also);
        add(answer, "],\"name\":\"data\",\"version\":\"%s\",\"part\":\"%s\"}", also->version, also->part);
    }
}

static int answer_deployment(fleet_server_t *server, fleet_action_t *action, const char *member,
                             fleet_answer_t *answer)
{
    const fleet_mode_t mode = action->forced ? FLEET_FORCED : action->order.mode;
    fleet_action_age(action, server->now_ms);
    const char *update = has_window(action) && !action->open ? "skip" : update_word[mode];
    action->entries += !action->retrieved;
    action->retrieved = true;
    add(answer, "{\"id\":\"");
    add_name(answer, action);
    add(answer, "\",\"%s\":{\"download\":\"%s\",\"update\":\"%s\",", member,
        action->download != NULL ? action->download : download_word[mode],
        action->update != NULL ? action->update : update);
    if (has_window(action)) {
        add(answer, "\"maintenanceWindow\":\"%s\",", action->open ? "available" : "unavailable");
    }
    add(answer, "\"chunks\":[");
    add_chunks(answer, server, action);
    add(answer, "]},\"actionHistory\":{\"status\":\"RETRIEVED\",\"messages\":[\"\\u00fc\"]}}");
    return 200;
}

/* ---- paths ---- */

/** The file is there for those to whom it is assigned. */
static int answer_file(fleet_server_t *server, const fleet_action_t *action, const char *name,
                       fleet_answer_t *answer)
{
    static const char artifacts[] = "/artifacts/";
    const fleet_release_t *release = action->release;
    const bool is_file = strncmp(name, artifacts, sizeof(artifacts) - 1) == 0;
    while (is_file && release != NULL && strcmp(name + sizeof(artifacts) - 1, release->name) != 0) {
        release = release->also;
    }
    if (!is_file || release == NULL) {
        return fleet_server_complain(server, 404, "a file that no link named", name);
    }
    server->load.downloads++;
    answer->file = release;
    return 200;
}

static int answer_get(fleet_server_t *server, fleet_action_t *action, const char *kind,
                      fleet_answer_t *answer)
{
    if (strcmp(kind, "cancelAction") == 0) {
        add(answer, "{\"id\":\"");
        add_name(answer, action);
        add(answer, "\",\"cancelAction\":{\"stopId\":\"");
        add_name(answer, action);
        add(answer, "\"}}");
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

/** "/deploymentBase/7/feedback": kind, name, and what is behind it. @return NULL: it is of another form */
static const char *split(const char *path, char kind[24], const char **name)
{
    static const char *const kinds[] = {"deploymentBase", "confirmationBase", "cancelAction",
                                        "softwaremodules"};
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        const size_t len = strlen(kinds[i]);
        if (path[0] == '/' && strncmp(path + 1, kinds[i], len) == 0 && path[len + 1] == '/') {
            text_format(kind, 24, "%s", kinds[i]);
            *name = path + len + 2;
            return *name + strcspn(*name, "/?");
        }
    }
    return NULL;
}

/** The device's action of this name, the youngest where a name has come again. NULL: it has none */
static fleet_action_t *find_action(const fleet_server_t *server, uint32_t device, const char *name,
                                   size_t len)
{
    fleet_action_t *found = NULL;
    for (uint32_t at = server->targets[device].oldest; at != FLEET_NONE; at = server->actions[at].next) {
        fleet_action_t *action = &server->actions[at];
        char number[12];
        text_format(number, sizeof(number), "%" PRIu32, action->id);
        const char *own = action->name != NULL ? action->name : number;
        found = strlen(own) == len && strncmp(own, name, len) == 0 ? action : found;
    }
    return found;
}

/** What is about an action of the device. */
static int dispatch_action(fleet_server_t *server, uint32_t device, const char *path,
                           const fleet_request_t *request, fleet_answer_t *answer)
{
    char kind[24];
    const char *name = NULL;
    const char *rest = split(path, kind, &name);
    if (rest == NULL) {
        return fleet_server_complain(server, 404, "a path that no server has", path);
    }
    fleet_action_t *action = find_action(server, device, name, (size_t)(rest - name));
    if (action == NULL) {
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
