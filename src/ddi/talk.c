/* Makes the agent's requests: links of the server's, URLs of its own, and JSON bodies that always fit. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "ddi/talk.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "ddi/record.h"
#include "http/url.h"
#include "otter/bytes.h"
#include "otter/version.h"

#define TAIL 48u /* bytes that are kept free for what ends a body */

/** A text that grows in the agent's room. */
typedef struct {
    char *text;
    size_t size, len;
    bool cut;
} paper_t;

static void put(paper_t *paper, const char *text)
{
    size_t len = strlen(text);
    if (len >= paper->size - paper->len) {
        paper->cut = true;
        return;
    }
    memcpy(paper->text + paper->len, text, len + 1);
    paper->len += len;
}

/** As JSON has it. A text that is too long ends before its first character that does not fit. */
static void put_escaped(paper_t *paper, const char *text)
{
    paper->size -= TAIL;
    for (const char *p = text; *p != '\0' && !paper->cut; p++) {
        char piece[8] = {*p};
        if (*p == '"' || *p == '\\') {
            snprintf(piece, sizeof(piece), "\\%c", *p);
        } else if ((unsigned char)*p < ' ') {
            snprintf(piece, sizeof(piece), "\\u%04x", (unsigned)(unsigned char)*p);
        }
        if (paper->len + sizeof(piece) >= paper->size && ((unsigned char)*p & 0xC0) != 0x80) {
            break;
        }
        put(paper, piece);
    }
    paper->size += TAIL;
}

/** A segment of a path. */
static void put_segment(paper_t *paper, const char *text)
{
    for (const char *p = text; *p != '\0'; p++) {
        const bool plain = (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || (*p >= '0' && *p <= '9') ||
                           strchr("-._~:", *p) != NULL;
        char piece[8] = {*p};
        if (!plain) {
            snprintf(piece, sizeof(piece), "%%%02X", (unsigned)(unsigned char)*p);
        }
        put(paper, piece);
    }
}

static void put_base(paper_t *paper, const otter_ddi_config_t *config)
{
    put(paper, config->server);
    while (paper->len > 0 && paper->text[paper->len - 1] == '/') {
        paper->text[--paper->len] = '\0';
    }
    put(paper, "/");
    put_segment(paper, config->tenant);
    put(paper, "/controller/v1/");
    put_segment(paper, config->id);
}

size_t ddi_talk_base_len(const otter_ddi_config_t *config)
{
    char text[DDI_BASE_MAX + 1];
    paper_t paper = {text, sizeof(text), 0, false};
    put_base(&paper, config);
    return paper.cut ? SIZE_MAX : paper.len;
}

bool ddi_talk_is_home(const otter_ddi_config_t *config, const char *url)
{
    http_url_t home, there;
    if (http_url_parse(config->server, &home) != ESP_OK) {
        return false;
    }
    bool same = false;
    if (http_url_parse(url, &there) == ESP_OK) {
        same = http_url_same_origin(&home, &there);
        http_url_free(&there);
    }
    http_url_free(&home);
    return same;
}

static void put_hex(paper_t *paper, const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        char piece[3];
        snprintf(piece, sizeof(piece), "%02x", bytes[i]);
        put(paper, piece);
    }
}

/* ---- attributes ---- */

static void put_attribute(paper_t *paper, const char *name, const char *value)
{
    put(paper, paper->text[paper->len - 1] == '{' ? "\"" : ",\"");
    put_escaped(paper, name);
    put(paper, "\":\"");
    put_escaped(paper, value);
    put(paper, "\"");
}

/** What became of the last action, as far as the record remembers. */
static const char *last_update(const struct otter_ddi_record *record)
{
    return record->reason[0] == '\0' ? "none" : record->verdict_ok != 0 ? "success" : "failure";
}

static bool has_version(const otter_ddi_config_t *config)
{
    for (uint32_t i = 0; i < config->attribute_count; i++) {
        if (strcmp(config->attributes[i].name, "sw_version") == 0) {
            return true;
        }
    }
    return false;
}

static void put_attributes(paper_t *paper, const otter_ddi_t *agent)
{
    put(paper, "{\"mode\":\"merge\",\"data\":{");
    for (uint32_t i = 0; i < agent->config->attribute_count; i++) {
        put_attribute(paper, agent->config->attributes[i].name, agent->config->attributes[i].value);
    }
    if (!has_version(agent->config) && agent->running_version[0] != '\0') {
        put_attribute(paper, "sw_version", agent->running_version);
    }
    put_attribute(paper, "slot", agent->running);
    put(paper, ",\"image_sha256\":\"");
    put_hex(paper, agent->running_sha256, sizeof(agent->running_sha256));
    put(paper, "\"");
    put_attribute(paper, "last_update", last_update(&agent->record));
    put_attribute(paper, "agent", "otter " OTTER_VERSION);
    put(paper, "}}");
}

uint32_t ddi_talk_attributes_crc(otter_ddi_t *agent)
{
    paper_t paper = {agent->room.text, sizeof(agent->room.text) - DDI_BASE_MAX - 16, 0, false};
    put_attributes(&paper, agent);
    return paper.cut ? 0 : crc32_le(0, paper.text, paper.len) | 1u;
}

/* ---- feedback ---- */

/* How an action's state is told. */
static const struct {
    uint8_t ask;
    const char *execution, *finished;
} states[] = {
    {DDI_TELL_TAKEN, "proceeding", "none"},
    {DDI_TELL_PROGRESS, "proceeding", "none"},
    {DDI_TELL_DOWNLOADED, "downloaded", "none"},
    {DDI_TELL_RESTARTING, "proceeding", "none"},
};

static void put_detail(paper_t *paper, const otter_ddi_t *agent, enum ddi_ask ask)
{
    const struct otter_ddi_record *record = &agent->record;
    char text[96];
    switch (ask) {
    case DDI_TELL_TAKEN:
        snprintf(text, sizeof(text), "taken: %" PRIu32 " bytes, while %s runs", record->file.size,
                 agent->running);
        break;
    case DDI_TELL_PROGRESS:
        snprintf(text, sizeof(text), "%" PRIu32 " of %" PRIu32 " bytes", agent->fetched_bytes,
                 record->file.size);
        break;
    case DDI_TELL_DOWNLOADED:
        snprintf(text, sizeof(text), "whole and verified in %s", record->slot);
        break;
    case DDI_TELL_RESTARTING:
        snprintf(text, sizeof(text), "restarting into %s", record->slot);
        break;
    default:
        put_escaped(paper, record->reason);
        return;
    }
    put_escaped(paper, text);
}

static void put_feedback(paper_t *paper, const char *id, const char *execution, const char *finished,
                         int32_t code)
{
    char text[64];
    put(paper, "{\"id\":\"");
    put_escaped(paper, id);
    put(paper, "\",\"status\":{\"execution\":\"");
    put(paper, execution);
    put(paper, "\",\"result\":{\"finished\":\"");
    put(paper, finished);
    snprintf(text, sizeof(text), "\"},\"code\":%" PRId32 ",\"details\":[\"", code);
    put(paper, code != 0 ? text : "\"},\"details\":[\"");
}

static void put_body(paper_t *paper, const otter_ddi_t *agent, enum ddi_ask ask)
{
    const struct otter_ddi_record *record = &agent->record;
    if (ask == DDI_TELL_ATTRIBUTES) {
        put_attributes(paper, agent);
        return;
    }
    if (ask == DDI_TELL_CONFIRMATION) {
        const bool yes = agent->config->confirmation != OTTER_DDI_DENY;
        put(paper, yes ? "{\"confirmation\":\"confirmed\",\"details\":[\"by the device's policy\"]}"
                       : "{\"confirmation\":\"denied\",\"details\":[\"by the device's policy\"]}");
        return;
    }
    if (ask == DDI_TELL_CANCEL) {
        const bool late = record->phase >= DDI_SWITCHED && strcmp(record->id, agent->other_id) == 0;
        put_feedback(paper, agent->other_id, late ? "rejected" : "closed", late ? "none" : "success", 0);
        put(paper, late ? "too late: the new image is selected" : "cancelled; nothing was installed");
    } else if (ask == DDI_TELL_CLOSING) {
        put_feedback(paper, record->id, "closed", record->verdict_ok != 0 ? "success" : "failure",
                     record->code);
        put_detail(paper, agent, ask);
    }
    for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
        if (states[i].ask == ask) {
            put_feedback(paper, record->id, states[i].execution, states[i].finished, 0);
            put_detail(paper, agent, ask);
        }
    }
    put(paper, "\"]}}");
}

/* ---- requests ---- */

/* How each is asked. `link`: the URL is the server's; else it is base, `path`, for `of` the id and "/feedback". */
static const struct {
    const char *method, *path;
    bool link;
    enum { NO_ID, RECORD_ID, OTHER_ID } of;
} requests[DDI_ASKS] = {
    [DDI_ASK_CANCEL] = {"GET", NULL, true, NO_ID},
    [DDI_TELL_CANCEL] = {"POST", "/cancelAction/", false, OTHER_ID},
    [DDI_TELL_CLOSING] = {"POST", "/deploymentBase/", false, RECORD_ID},
    [DDI_ASK_DEPLOYMENT] = {"GET", NULL, true, NO_ID},
    [DDI_ASK_CONFIRMATION] = {"GET", NULL, true, NO_ID},
    [DDI_TELL_CONFIRMATION] = {"POST", "/confirmationBase/", false, OTHER_ID},
    [DDI_TELL_ATTRIBUTES] = {"PUT", "/configData", false, NO_ID},
    [DDI_TELL_TAKEN] = {"POST", "/deploymentBase/", false, RECORD_ID},
    [DDI_TELL_PROGRESS] = {"POST", "/deploymentBase/", false, RECORD_ID},
    [DDI_TELL_DOWNLOADED] = {"POST", "/deploymentBase/", false, RECORD_ID},
    [DDI_TELL_RESTARTING] = {"POST", "/deploymentBase/", false, RECORD_ID},
    [DDI_ASK_POLL] = {"GET", "", false, NO_ID},
};

/**
 * A link of the API that leads to another host than the server's, as behind a proxy that says less than it should, is asked for
 * on the server: what is behind the host counts.
 */
static void put_link(paper_t *paper, const otter_ddi_t *agent)
{
    const char *link = agent->url;
    if (ddi_talk_is_home(agent->config, link)) {
        put(paper, link);
        return;
    }
    const char *own = strstr(link, "/controller/v1/");
    const char *tail = own != NULL ? strchr(own + sizeof("/controller/v1/") - 1, '/') : NULL;
    put_base(paper, agent->config);
    put(paper, tail != NULL ? tail : "");
}

void ddi_talk_request(otter_ddi_t *agent, enum ddi_ask ask, otter_ddi_order_t *order)
{
    paper_t paper = {agent->room.text, sizeof(agent->room.text), 0, false};
    paper.text[0] = '\0';
    if (requests[ask].link) {
        put_link(&paper, agent);
    } else {
        put_base(&paper, agent->config);
        put(&paper, requests[ask].path);
        if (requests[ask].of != NO_ID) {
            put_segment(&paper, requests[ask].of == OTHER_ID ? agent->other_id : agent->record.id);
            put(&paper, "/feedback");
        }
    }
    order->kind = OTTER_DDI_REQUEST;
    order->method = requests[ask].method;
    order->url = paper.text;
    order->authorize = true;
    if (strcmp(order->method, "GET") != 0) {
        char *body = paper.text + paper.len + 1;
        paper_t inside = {body, (size_t)(paper.text + paper.size - body), 0, false};
        body[0] = '\0';
        put_body(&inside, agent, ask);
        order->body = body;
    }
}
