/* Makes the agent's requests: links of the server's, URLs of its own, and JSON bodies that always fit. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "ddi/talk.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "ddi/agent.h"
#include "http/url.h"
#include "otter/bytes.h"
#include "otter/text.h"
#include "otter/version.h"

#define TAIL 48u /* bytes that are kept free for what ends a body */

/** A text that grows in the agent's room. */
typedef struct {
    char *text;
    size_t size, len;
    bool cut;
} paper_t;

static void put(paper_t *paper, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** All of it, or nothing. */
static void put(paper_t *paper, const char *format, ...)
{
    char *end = paper->text + paper->len;
    const size_t room = paper->size - paper->len;
    va_list args;
    va_start(args, format);
    const size_t len = (size_t)vsnprintf(end, room, format, args);
    va_end(args);
    if (len >= room) {
        *end = '\0';
        paper->cut = true;
        return;
    }
    paper->len += len;
}

/** As JSON has it. A text that is too long ends before its first character that does not fit. */
static void put_escaped(paper_t *paper, const char *text)
{
    paper->size -= TAIL;
    for (unsigned c; (c = (unsigned char)*text++) != 0;) {
        if (paper->len + 8 >= paper->size && (c & 0xC0) != 0x80) {
            break;
        }
        put(paper, c == '"' || c == '\\' || c < ' ' ? "\\u%04X" : "%c", c);
    }
    paper->size += TAIL;
}

/** A segment of a path. */
static void put_segment(paper_t *paper, const char *text)
{
    for (unsigned c; (c = (unsigned char)*text++) != 0;) {
        const bool plain = (c | 0x20) - 'a' < 26 || c - '0' < 10 || strchr("-._~:", (int)c) != NULL;
        put(paper, plain ? "%c" : "%%%02X", c);
    }
}

static void put_base(paper_t *paper, const otter_ddi_config_t *config)
{
    put(paper, "%s", config->server);
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
    put(paper, paper->text[paper->len - 1] == '{' ? "\"" : "\",\"");
    put_escaped(paper, name);
    put(paper, "\":\"");
    put_escaped(paper, value);
}

/** What became of the last action, as far as the record remembers. */
static const char *last_update(const struct otter_ddi_record *record)
{
    return record->reason[0] == '\0' ? "none" : record->verdict_ok != 0 ? "success" : "failure";
}

static void put_attributes(paper_t *paper, const otter_ddi_t *agent)
{
    put(paper, "{\"mode\":\"merge\",\"data\":{");
    bool has_version = agent->running.version[0] == '\0';
    for (uint32_t i = 0; i < agent->config->attribute_count; i++) {
        const otter_ddi_attribute_t *attribute = &agent->config->attributes[i];
        put_attribute(paper, attribute->name, attribute->value);
        has_version = has_version || strcmp(attribute->name, "sw_version") == 0;
    }
    if (!has_version) {
        put_attribute(paper, "sw_version", agent->running.version);
    }
    put_attribute(paper, "slot", agent->running.slot);
    put(paper, "\",\"image_sha256\":\"");
    for (size_t i = 0; i < sizeof(agent->running.image_sha256); i++) {
        put(paper, "%02X", agent->running.image_sha256[i]);
    }
    put_attribute(paper, "last_update", last_update(&agent->record));
    put_attribute(paper, "agent", "otter " OTTER_VERSION);
    put(paper, "\"}}");
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
    const char *format = "whole and verified: %" PRIu32 " bytes in %s", *where = record->slot;
    uint32_t bytes = record->image_len;
    char text[96];
    if (ask == DDI_TELL_CLOSING) {
        put_escaped(paper, record->reason);
        return;
    }
    if (ask == DDI_TELL_TAKEN) {
        format = "taken: %" PRIu32 " bytes, while %s runs";
        bytes = agent->file.size;
        where = agent->running.slot;
    } else if (ask == DDI_TELL_PROGRESS) {
        format = "%" PRIu32 " bytes of %s";
        bytes = agent->fetched_bytes;
        where = ddi_partition(agent) != NULL ? ddi_partition(agent) : "the image";
    } else if (ask == DDI_TELL_RESTARTING) {
        format = "restarting into %2$s";
    }
    text_format(text, sizeof(text), format, bytes, where);
    put_escaped(paper, text);
}

/** {"id":"7","status":{"execution":"closed","result":{"finished":"failure"},"code":-1,"details":["why"]}} */
static void put_feedback(paper_t *paper, const otter_ddi_t *agent, enum ddi_ask ask)
{
    const struct otter_ddi_record *record = &agent->record;
    const bool cancel = ask == DDI_TELL_CANCEL, closing = ask == DDI_TELL_CLOSING;
    const bool is_own = !cancel || strcmp(record->id, agent->other_id) == 0;
    const bool late = cancel && record->phase >= DDI_SWITCHED && is_own;
    const char *execution = "proceeding", *finished = "none";
    if (late) {
        execution = "rejected";
    } else if (cancel || closing) {
        execution = "closed";
        finished = cancel || record->verdict_ok != 0 ? "success" : "failure";
    } else if (ask == DDI_TELL_DOWNLOADED) {
        execution = "downloaded";
    }
    put(paper, "{\"id\":\"");
    put_escaped(paper, cancel ? agent->other_id : record->id);
    put(paper, "\",\"status\":{\"execution\":\"%s\",\"result\":{\"finished\":\"%s\"}", execution, finished);
    if (closing && record->code != 0) {
        put(paper, ",\"code\":%" PRId32, record->code);
    }
    put(paper, ",\"details\":[\"");
    if (cancel) {
        put(paper, "%s", late ? "too late: the new image is selected" : "cancelled; nothing was installed");
    } else {
        put_detail(paper, agent, ask);
    }
    if (record->stored != 0 && is_own && !late && (cancel || (closing && record->verdict_ok == 0))) {
        put(paper, ", but its data may be installed");
    }
    put(paper, "\"]}}");
}

static void put_body(paper_t *paper, const otter_ddi_t *agent, enum ddi_ask ask)
{
    if (ask == DDI_TELL_ATTRIBUTES) {
        put_attributes(paper, agent);
    } else if (ask == DDI_TELL_CONFIRMATION) {
        put(paper, "{\"confirmation\":\"%s\",\"details\":[\"by the device's policy\"]}",
            agent->config->confirmation != OTTER_DDI_DENY ? "confirmed" : "denied");
    } else {
        put_feedback(paper, agent, ask);
    }
}

/* ---- requests ---- */

/* Which URL: a link of the server's; or base and path, of feedback with an id and "/feedback" behind it. */
enum { LINK, POLL, ATTRIBUTES, ACTION, CANCELLATION, CONFIRMATION };
static const char *const paths[] = {[ATTRIBUTES] = "/configData",
                                    [ACTION] = "/deploymentBase/",
                                    [CANCELLATION] = "/cancelAction/",
                                    [CONFIRMATION] = "/confirmationBase/"};
static const uint8_t requests[DDI_ASKS] = {
    [DDI_ASK_CANCEL] = LINK,
    [DDI_TELL_CANCEL] = CANCELLATION,
    [DDI_TELL_CLOSING] = ACTION,
    [DDI_ASK_DEPLOYMENT] = LINK,
    [DDI_ASK_CONFIRMATION] = LINK,
    [DDI_TELL_CONFIRMATION] = CONFIRMATION,
    [DDI_TELL_ATTRIBUTES] = ATTRIBUTES,
    [DDI_TELL_TAKEN] = ACTION,
    [DDI_TELL_PROGRESS] = ACTION,
    [DDI_TELL_DOWNLOADED] = ACTION,
    [DDI_TELL_RESTARTING] = ACTION,
    [DDI_ASK_POLL] = POLL,
};

/**
 * A link of the API that leads to another host than the server's, as behind a proxy that says less than it should, is asked for
 * on the server: what is behind the host counts.
 */
static void put_link(paper_t *paper, const otter_ddi_t *agent)
{
    const char *link = agent->url;
    if (ddi_talk_is_home(agent->config, link)) {
        put(paper, "%s", link);
        return;
    }
    const char *own = strstr(link, "/controller/v1/");
    const char *tail = own != NULL ? strchr(own + sizeof("/controller/v1/") - 1, '/') : NULL;
    put_base(paper, agent->config);
    put(paper, "%s", tail != NULL ? tail : "");
}

void ddi_talk_request(otter_ddi_t *agent, enum ddi_ask ask, otter_ddi_order_t *order)
{
    paper_t paper = {agent->room.text, sizeof(agent->room.text), 0, false};
    paper.text[0] = '\0';
    const uint8_t url = requests[ask];
    if (url == LINK) {
        put_link(&paper, agent);
    } else {
        put_base(&paper, agent->config);
    }
    if (url > POLL) {
        put(&paper, "%s", paths[url]);
    }
    if (url >= ACTION) {
        put_segment(&paper, url == ACTION ? agent->record.id : agent->other_id);
        put(&paper, "/feedback");
    }
    order->kind = OTTER_DDI_REQUEST;
    order->method = url >= ACTION ? "POST" : url == ATTRIBUTES ? "PUT" : "GET";
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
