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

static void put_hex(paper_t *paper, const uint8_t *bytes, size_t len)
{
    static const char digits[] = "0123456789ABCDEF";
    for (size_t i = 0; i < len; i++) {
        const char piece[3] = {digits[bytes[i] >> 4], digits[bytes[i] & 15]};
        put(paper, piece);
    }
}

/** One character as it stands, or as what stands for it. */
static void put_character(paper_t *paper, char c, const char *escape)
{
    const char piece[2] = {c};
    put(paper, escape != NULL ? escape : piece);
    if (escape != NULL) {
        put_hex(paper, (const uint8_t *)&c, 1);
    }
}

/** As JSON has it. A text that is too long ends before its first character that does not fit. */
static void put_escaped(paper_t *paper, const char *text)
{
    paper->size -= TAIL;
    for (; *text != '\0' && !paper->cut; text++) {
        const bool special = *text == '"' || *text == '\\' || (unsigned char)*text < ' ';
        if (paper->len + 8 >= paper->size && ((unsigned char)*text & 0xC0) != 0x80) {
            break;
        }
        put_character(paper, *text, special ? "\\u00" : NULL);
    }
    paper->size += TAIL;
}

/** A segment of a path. */
static void put_segment(paper_t *paper, const char *text)
{
    for (; *text != '\0'; text++) {
        const char letter = *text | 0x20;
        const bool plain = (letter >= 'a' && letter <= 'z') || (*text >= '0' && *text <= '9') ||
                           strchr("-._~:", *text) != NULL;
        put_character(paper, *text, plain ? NULL : "%");
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

static void put_attributes(paper_t *paper, const otter_ddi_t *agent)
{
    put(paper, "{\"mode\":\"merge\",\"data\":{");
    bool has_version = agent->running_version[0] == '\0';
    for (uint32_t i = 0; i < agent->config->attribute_count; i++) {
        const otter_ddi_attribute_t *attribute = &agent->config->attributes[i];
        put_attribute(paper, attribute->name, attribute->value);
        has_version = has_version || strcmp(attribute->name, "sw_version") == 0;
    }
    if (!has_version) {
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

/** What is told of the action, for people. */
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

/** {"id":"7","status":{"execution":"closed","result":{"finished":"failure"},"code":-1,"details":["why"]}} */
static void put_feedback(paper_t *paper, const otter_ddi_t *agent, enum ddi_ask ask)
{
    const struct otter_ddi_record *record = &agent->record;
    const bool cancel = ask == DDI_TELL_CANCEL, closing = ask == DDI_TELL_CLOSING;
    const bool late = cancel && record->phase >= DDI_SWITCHED && strcmp(record->id, agent->other_id) == 0;
    const char *execution = "proceeding", *finished = "none";
    char code[32] = "";
    if (late) {
        execution = "rejected";
    } else if (cancel || closing) {
        execution = "closed";
        finished = cancel || record->verdict_ok != 0 ? "success" : "failure";
    } else if (ask == DDI_TELL_DOWNLOADED) {
        execution = "downloaded";
    }
    if (closing && record->code != 0) {
        snprintf(code, sizeof(code), ",\"code\":%" PRId32, record->code);
    }
    put(paper, "{\"id\":\"");
    put_escaped(paper, cancel ? agent->other_id : record->id);
    put(paper, "\",\"status\":{\"execution\":\"");
    put(paper, execution);
    put(paper, "\",\"result\":{\"finished\":\"");
    put(paper, finished);
    put(paper, "\"}");
    put(paper, code);
    put(paper, ",\"details\":[\"");
    if (cancel) {
        put(paper, late ? "too late: the new image is selected" : "cancelled; nothing was installed");
    } else {
        put_detail(paper, agent, ask);
    }
    put(paper, "\"]}}");
}

static void put_body(paper_t *paper, const otter_ddi_t *agent, enum ddi_ask ask)
{
    if (ask == DDI_TELL_ATTRIBUTES) {
        put_attributes(paper, agent);
    } else if (ask == DDI_TELL_CONFIRMATION) {
        put(paper, "{\"confirmation\":\"");
        put(paper, agent->config->confirmation != OTTER_DDI_DENY ? "confirmed" : "denied");
        put(paper, "\",\"details\":[\"by the device's policy\"]}");
    } else {
        put_feedback(paper, agent, ask);
    }
}

/* ---- requests ---- */

/* Which URL: a link of the server's; or base and `path`, for the last two with an id and "/feedback" behind it. */
enum { LINK, OWN, RECORD_ID, OTHER_ID };
static const struct {
    const char *path;
    uint8_t url;
} requests[DDI_ASKS] = {
    [DDI_ASK_CANCEL] = {NULL, LINK},
    [DDI_TELL_CANCEL] = {"/cancelAction/", OTHER_ID},
    [DDI_TELL_CLOSING] = {"/deploymentBase/", RECORD_ID},
    [DDI_ASK_DEPLOYMENT] = {NULL, LINK},
    [DDI_ASK_CONFIRMATION] = {NULL, LINK},
    [DDI_TELL_CONFIRMATION] = {"/confirmationBase/", OTHER_ID},
    [DDI_TELL_ATTRIBUTES] = {"/configData", OWN},
    [DDI_TELL_TAKEN] = {"/deploymentBase/", RECORD_ID},
    [DDI_TELL_PROGRESS] = {"/deploymentBase/", RECORD_ID},
    [DDI_TELL_DOWNLOADED] = {"/deploymentBase/", RECORD_ID},
    [DDI_TELL_RESTARTING] = {"/deploymentBase/", RECORD_ID},
    [DDI_ASK_POLL] = {"", OWN},
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
    const uint8_t url = requests[ask].url;
    if (url == LINK) {
        put_link(&paper, agent);
    } else {
        put_base(&paper, agent->config);
        put(&paper, requests[ask].path);
    }
    if (url >= RECORD_ID) {
        put_segment(&paper, url == OTHER_ID ? agent->other_id : agent->record.id);
        put(&paper, "/feedback");
    }
    order->kind = OTTER_DDI_REQUEST;
    order->method = url >= RECORD_ID ? "POST" : ask == DDI_TELL_ATTRIBUTES ? "PUT" : "GET";
    order->url = paper.text;
    order->authorize = true;
    if (order->method[0] == 'P') {
        char *body = paper.text + paper.len + 1;
        paper_t inside = {body, (size_t)(paper.text + paper.size - body), 0, false};
        body[0] = '\0';
        put_body(&inside, agent, ask);
        order->body = body;
    }
}
