/* The DDI server of the tests, from the shapes that running servers have. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "support/ddi_server.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cJSON.h>

#include "otter/crypto.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

static void note(ddi_server_t *server, const char *format, ...)
{
    size_t used = strlen(server->log);
    va_list args;
    va_start(args, format);
    vsnprintf(server->log + used, sizeof(server->log) - used, format, args);
    va_end(args);
}

static int complain(ddi_server_t *server, int status, const char *what)
{
    server->complaint = server->complaint != NULL ? server->complaint : what;
    return status;
}

ddi_action_t *ddi_server_active(ddi_server_t *server)
{
    for (size_t i = 0; i < COUNT(server->actions); i++) {
        ddi_action_t *action = &server->actions[i];
        if (action->id != NULL && action->status <= DDI_ACTION_CANCELING) {
            return action;
        }
    }
    return NULL;
}

static ddi_action_t *find(ddi_server_t *server, const char *id, size_t len)
{
    for (size_t i = 0; i < COUNT(server->actions); i++) {
        const char *name = server->actions[i].id;
        if (name != NULL && strlen(name) == len && strncmp(name, id, len) == 0) {
            return &server->actions[i];
        }
    }
    return NULL;
}

/* ---- what a device asks ---- */

static int answer_poll(ddi_server_t *server, char *out, size_t size)
{
    static const char *const rels[] = {"confirmationBase", "deploymentBase", "cancelAction"};
    const ddi_action_t *action = ddi_server_active(server);
    char links[512] = "";
    server->polls++;
    if (!server->has_attributes) {
        snprintf(links, sizeof(links), "\"configData\":{\"href\":\"%s/configData\"}", DDI_SERVER_BASE);
    }
    if (action != NULL) {
        size_t used = strlen(links);
        snprintf(links + used, sizeof(links) - used, "%s\"%s\":{\"href\":\"%s/%s/%s", used > 0 ? "," : "",
                 rels[action->status], DDI_SERVER_BASE, rels[action->status], action->id);
        used = strlen(links);
        snprintf(links + used, sizeof(links) - used,
                 action->status == DDI_ACTION_CANCELING ? "\"}" : "?c=%" PRIu32 "\"}", action->changes);
    }
    snprintf(out, size, "{\"config\":{\"polling\":{\"sleep\":\"%s\"}}%s%s%s}", server->sleep,
             links[0] != '\0' ? ",\"_links\":{" : "", links, links[0] != '\0' ? "}" : "");
    return 200;
}

static void hash_hex(const uint8_t *file, uint32_t size, bool sha256, char *hex)
{
    uint8_t bytes[OTTER_SHA256_LEN];
    otter_digest_t digest = {0};
    if (sha256 ? !otter_sha256_begin(&digest) : !otter_sha1_begin(&digest)) {
        abort();
    }
    otter_digest_update(&digest, file, size);
    otter_digest_finish(&digest, bytes);
    otter_digest_end(&digest);
    for (size_t i = 0; i < (sha256 ? OTTER_SHA256_LEN : OTTER_SHA1_LEN); i++) {
        sprintf(hex + 2 * i, "%02x", bytes[i]);
    }
}

/** {"filename":...} */
static void describe_file(const ddi_action_t *action, const char *name, const uint8_t *file, uint32_t size,
                          char *out, size_t room)
{
    char sha1[2 * OTTER_SHA1_LEN + 1], sha256[2 * OTTER_SHA256_LEN + 1], both[160];
    hash_hex(file, size, false, sha1);
    hash_hex(file, size, true, sha256);
    snprintf(both, sizeof(both), ",\"md5\":\"00\",\"sha256\":\"%s\"", sha256);
    snprintf(
        out, room,
        "{\"filename\":\"%s\",\"hashes\":{\"sha1\":\"%s\"%s},\"size\":%" PRIu32
        ",\"_links\":{\"download-http\":{\"href\":\"%s%s\"},\"md5sum-http\":{\"href\":\"%s%s.MD5SUM\"}}}",
        name, sha1, action->sha1_only ? "" : both, size,
        action->link != NULL ? action->link : DDI_SERVER_BASE "/softwaremodules/1/artifacts/",
        action->link != NULL ? "" : name, DDI_SERVER_BASE "/softwaremodules/1/artifacts/", name);
}

static int answer_deployment(ddi_action_t *action, const char *member, char *out, size_t size)
{
    char image[768], data[768] = "";
    if (action->file != NULL) {
        describe_file(action, "app.bin", action->file, action->size, image, sizeof(image));
    }
    if (action->data != NULL) {
        describe_file(action, "files.img", action->data, action->data_size, data, sizeof(data));
    }
    action->entries++; /* "retrieved" */
    snprintf(out, size,
             "{\"id\":\"%s\",\"%s\":{\"download\":\"%s\",\"update\":\"%s\",\"chunks\":[%s%s%s%s%s%s%s]},"
             "\"actionHistory\":{\"status\":\"RETRIEVED\",\"messages\":[\"\\u00fc\"]}}",
             action->id, member, action->download, action->update,
             action->chunks_before != NULL ? action->chunks_before : "",
             action->file != NULL ? "{\"part\":\"os\",\"version\":\"2.0\",\"name\":\"app\",\"artifacts\":["
                                  : "",
             action->files_before != NULL ? action->files_before : "", action->file != NULL ? image : "",
             action->file == NULL   ? ""
             : action->data != NULL ? "]},"
                                    : "]}",
             action->data != NULL ? "{\"artifacts\":[" : "", data);
    if (action->data != NULL) {
        char *end = strstr(out, "]},\"actionHistory\"");
        char rest[160];
        snprintf(rest, sizeof(rest), "],\"version\":\"7\",\"part\":\"fs\"}%s", end);
        snprintf(end, size - (size_t)(end - out), "%s", rest);
    }
    return 200;
}

/* ---- what it tells ---- */

static const char *text_of(const cJSON *object, const char *key)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, key));
    return text != NULL ? text : "";
}

static bool is_one_of(const char *word, const char *words)
{
    const char *at = strstr(words, word);
    return word[0] != '\0' && at != NULL && (at == words || at[-1] == ' ') &&
           (at[strlen(word)] == ' ' || at[strlen(word)] == '\0');
}

static int take_attributes(ddi_server_t *server, const char *body)
{
    cJSON *json = cJSON_Parse(body);
    const cJSON *data = cJSON_GetObjectItemCaseSensitive(json, "data");
    const bool good = strcmp(text_of(json, "mode"), "merge") == 0 && cJSON_GetArraySize(data) > 0;
    const cJSON *attribute;
    bool texts = true;
    cJSON_ArrayForEach(attribute, data)
    {
        texts = texts && cJSON_IsString(attribute) && strlen(attribute->string) <= 128 &&
                strlen(attribute->valuestring) <= 128;
    }
    cJSON_Delete(json);
    if (!good || !texts) {
        return complain(server, 400, "attributes that are none");
    }
    server->has_attributes = true;
    snprintf(server->attributes, sizeof(server->attributes), "%s", body);
    return 200;
}

/** A feedback's parts. @return false: it has a form that hawkBit or goosebit refuses */
static bool read_feedback(ddi_server_t *server, const char *body, char execution[16], char finished[16],
                          char detail[256])
{
    cJSON *json = cJSON_ParseWithOpts(body, NULL, true);
    const cJSON *status = cJSON_GetObjectItemCaseSensitive(json, "status");
    const cJSON *details = cJSON_GetObjectItemCaseSensitive(status, "details");
    snprintf(execution, 16, "%s", text_of(status, "execution"));
    snprintf(finished, 16, "%s", text_of(cJSON_GetObjectItemCaseSensitive(status, "result"), "finished"));
    const char *first = cJSON_GetStringValue(cJSON_GetArrayItem(details, 0));
    snprintf(detail, 256, "%s", first != NULL ? first : "");
    const bool good =
        cJSON_IsArray(details) && cJSON_GetArraySize(details) <= 50 && first != NULL &&
        is_one_of(execution, "proceeding canceled scheduled rejected resumed downloaded closed download") &&
        is_one_of(finished, "success failure none");
    cJSON_Delete(json);
    if (!good) {
        complain(server, 400, "a feedback that is none");
    }
    return good;
}

static int take_feedback(ddi_server_t *server, ddi_action_t *action, const char *body, char *out, size_t size)
{
    char execution[16], finished[16], detail[256];
    if (!read_feedback(server, body, execution, finished, detail)) {
        return 400;
    }
    note(server, " %s %s", execution, finished);
    if (action->status >= DDI_ACTION_CANCELED) {
        return 410;
    }
    const bool closes = strcmp(execution, "closed") == 0;
    if (!closes && ++action->entries >= (action->quota > 0 ? action->quota : DDI_SERVER_QUOTA)) {
        snprintf(out, size,
                 "{\"errorCode\":\"hawkbit.server.error.quota.tooManyEntries\",\"message\":\"too many\"}");
        return 429;
    }
    if (closes) {
        const bool success = strcmp(finished, "failure") != 0;
        if (server->on_closing != NULL) {
            server->on_closing(server->ctx, action, success);
        }
        action->closings++;
        action->status = success ? DDI_ACTION_FINISHED : DDI_ACTION_ERROR;
    } else if (strcmp(execution, "downloaded") == 0 && action->download_only) {
        action->status = DDI_ACTION_FINISHED;
    }
    snprintf(action->detail, sizeof(action->detail), "%s", detail);
    return 200;
}

static int take_cancel_feedback(ddi_server_t *server, ddi_action_t *action, const char *body)
{
    char execution[16], finished[16], detail[256];
    if (!read_feedback(server, body, execution, finished, detail)) {
        return 400;
    }
    note(server, " %s %s", execution, finished);
    if (action->status == DDI_ACTION_CANCELED) {
        return 200;
    }
    if (action->status != DDI_ACTION_CANCELING) {
        return complain(server, 405, "an answer to no cancellation");
    }
    if (strcmp(execution, "closed") == 0 && strcmp(finished, "success") == 0) {
        action->status = DDI_ACTION_CANCELED;
        snprintf(action->detail, sizeof(action->detail), "%s", detail);
    } else if (strcmp(execution, "rejected") == 0 || strcmp(execution, "closed") == 0) {
        action->status = DDI_ACTION_RUNNING;
        action->changes++;
    }
    return 200;
}

static int take_confirmation(ddi_action_t *action, const char *body)
{
    cJSON *json = cJSON_Parse(body);
    const bool yes = strcmp(text_of(json, "confirmation"), "confirmed") == 0;
    cJSON_Delete(json);
    action->status = yes ? DDI_ACTION_RUNNING : action->status;
    return 200;
}

/* ---- paths ---- */

static int answer_get(ddi_server_t *server, ddi_action_t *action, const char *kind, char *out, size_t size)
{
    if (strcmp(kind, "cancelAction") == 0) {
        snprintf(out, size, "{\"id\":\"%s\",\"cancelAction\":{\"stopId\":\"%s\"}}", action->id, action->id);
        return action->status == DDI_ACTION_CANCELING ? 200 : 404;
    }
    if (strcmp(kind, "confirmationBase") == 0) {
        return action->status == DDI_ACTION_CONFIRM ? answer_deployment(action, "confirmation", out, size)
                                                    : 404;
    }
    if (strcmp(kind, "deploymentBase") != 0) {
        return complain(server, 404, "a path that no server has");
    }
    const bool hidden = action->status == DDI_ACTION_CANCELING || action->status == DDI_ACTION_CONFIRM;
    return hidden ? 404 : answer_deployment(action, "deployment", out, size);
}

static int take_post(ddi_server_t *server, ddi_action_t *action, const char *kind, const char *body,
                     char *out, size_t size)
{
    if (strcmp(kind, "deploymentBase") == 0) {
        return take_feedback(server, action, body, out, size);
    }
    if (strcmp(kind, "confirmationBase") == 0) {
        return take_confirmation(action, body);
    }
    return strcmp(kind, "cancelAction") == 0 ? take_cancel_feedback(server, action, body)
                                             : complain(server, 404, "a path that no server has");
}

static int dispatch(ddi_server_t *server, const char *method, const char *path, const char *body, char *out,
                    size_t size)
{
    char kind[24];
    if (path[0] == '\0') {
        return strcmp(method, "GET") == 0 ? answer_poll(server, out, size)
                                          : complain(server, 405, "no GET of the poll");
    }
    if (strcmp(path, "/configData") == 0) {
        return strcmp(method, "PUT") == 0 ? take_attributes(server, body)
                                          : complain(server, 405, "no PUT of attributes");
    }
    const char *id = strchr(path + 1, '/');
    if (id == NULL || (size_t)(id - path) > sizeof(kind)) {
        return complain(server, 404, "a path that no server has");
    }
    snprintf(kind, sizeof(kind), "%.*s", (int)(id - path - 1), path + 1);
    id++;
    ddi_action_t *action = find(server, id, strcspn(id, "/?"));
    const char *rest = id + strcspn(id, "/?");
    if (action == NULL) {
        return 404;
    }
    if (strcmp(method, "GET") == 0 && rest[0] != '/') {
        return answer_get(server, action, kind, out, size);
    }
    if (strcmp(method, "POST") != 0 || strcmp(rest, "/feedback") != 0 || body == NULL) {
        return complain(server, 405, "a method that the path does not have");
    }
    return take_post(server, action, kind, body, out, size);
}

int ddi_server_handle(ddi_server_t *server, const char *method, const char *url, const char *body,
                      bool authorized, char *answer, size_t size)
{
    const size_t base = strlen(DDI_SERVER_BASE);
    int status;
    answer[0] = '\0';
    server->requests++;
    if (strncmp(url, DDI_SERVER_BASE, base) != 0 || !authorized) {
        note(server, "%s %s\n", method, url);
        return complain(server, 401, "a request of somebody else, or without a token");
    }
    note(server, "%s %s", method, url[base] != '\0' ? url + base + 1 : "poll");
    if (server->fails > 0) {
        server->fails--;
        status = server->fail_status;
        snprintf(answer, size, "%s", server->fail_body != NULL ? server->fail_body : "");
    } else {
        status = server->deleted ? 404 : dispatch(server, method, url + base, body, answer, size);
    }
    note(server, " %d\n", status);
    return status;
}
