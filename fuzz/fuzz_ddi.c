/*
 * What a fleet's server answers: the JSON reader, the reader of answers, and the agent that is given them one after the other.
 * Input: a byte that says how texts are cut; then answers, each a byte for the status and a text, ended by a 0 byte.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <cjson/cJSON.h>

#include "ddi/answer.h"
#include "fuzz.h"
#include "otter/bytes.h"

#define SERVER "https://fleet.example:8443"

/* ---- the reader of JSON ---- */

typedef struct {
    uint32_t crc, depth, events;
    char room[16];
} heard_t;

static const char *on(void *ctx, ddi_json_kind_t kind, const char *text, bool cut)
{
    heard_t *heard = ctx;
    const uint8_t what[2] = {(uint8_t)kind, cut};
    FUZZ_CHECK(strlen(text) < sizeof(heard->room), "a text of %zu bytes", strlen(text));
    heard->crc = crc32_le(crc32_le(heard->crc, what, sizeof(what)), text, strlen(text));
    heard->depth += kind == DDI_JSON_OBJECT || kind == DDI_JSON_ARRAY;
    heard->depth -= kind == DDI_JSON_OBJECT_END || kind == DDI_JSON_ARRAY_END;
    FUZZ_CHECK(heard->depth <= DDI_JSON_DEPTH, "depth %u", (unsigned)heard->depth);
    heard->events++;
    return NULL;
}

static char *room(void *ctx, bool is_key, size_t *size)
{
    (void)is_key;
    *size = sizeof(((heard_t *)ctx)->room);
    return ((heard_t *)ctx)->room;
}

static bool hear(const char *text, size_t len, uint32_t cuts, heard_t *heard, uint32_t *offset)
{
    const ddi_json_listener_t listener = {on, room, heard};
    ddi_json_t json;
    *heard = (heard_t){0};
    ddi_json_begin(&json, &listener);
    bool good = true;
    for (size_t at = 0; at < len && good;) {
        size_t step = cuts == 0 ? len : fuzz_cut(&cuts, 9);
        step = step < len - at ? step : len - at;
        good = ddi_json_feed(&json, text + at, step);
        at += step;
    }
    good = ddi_json_end(&json);
    FUZZ_CHECK(good == (json.why == NULL), "it is refused without a reason");
    *offset = json.offset;
    return good;
}

/** Whole and in pieces it is the same; and what is taken, cJSON takes, too. */
static void check_json(const char *text, size_t len, uint32_t cuts)
{
    heard_t whole = {0}, pieces = {0};
    uint32_t offset, other;
    const bool good = hear(text, len, 0, &whole, &offset);
    FUZZ_CHECK(hear(text, len, cuts, &pieces, &other) == good, "in pieces it is another text");
    FUZZ_CHECK(offset == other && whole.crc == pieces.crc && whole.events == pieces.events,
               "in pieces it says something else");
    if (good) {
        cJSON *json = cJSON_ParseWithOpts(text, NULL, true);
        FUZZ_CHECK(json != NULL, "no JSON for another reader: %s", text);
        FUZZ_CHECK(whole.depth == 0, "something stays open");
        cJSON_Delete(json);
    }
}

/* ---- the reader of answers ---- */

static bool read_answer(const char *text, size_t len, uint32_t cuts, ddi_answer_t *answer,
                        char url[OTTER_DDI_URL_SIZE], uint8_t pick)
{
    ddi_reader_t reader;
    memset(url, 0, OTTER_DDI_URL_SIZE);
    static const otter_ddi_part_t parts[] = {{"fs", "storage"}};
    static const otter_ddi_config_t config = {.part = "os", .parts = parts, .part_count = 1};
    const ddi_wanted_t wanted = {.url = url, .config = &config, .pick = pick, .done = pick == 2};
    ddi_reader_begin(&reader, &wanted);
    bool good = true;
    for (size_t at = 0; at < len && good;) {
        size_t step = cuts == 0 ? len : fuzz_cut(&cuts, 50);
        step = step < len - at ? step : len - at;
        good = ddi_reader_feed(&reader, text + at, step);
        at += step;
    }
    good = ddi_reader_end(&reader);
    *answer = reader.answer;
    return good;
}

static void check_answer(const char *text, size_t len, uint32_t cuts)
{
    static char url[2][OTTER_DDI_URL_SIZE];
    ddi_answer_t whole, pieces;
    const uint8_t pick = (uint8_t)(cuts % 3);
    const bool good = read_answer(text, len, 0, &whole, url[0], pick);
    FUZZ_CHECK(read_answer(text, len, cuts, &pieces, url[1], pick) == good, "in pieces it is another answer");
    FUZZ_CHECK(memchr(url[0], 0, OTTER_DDI_URL_SIZE) != NULL, "a link without end");
    FUZZ_CHECK(memchr(whole.id, 0, sizeof(whole.id)) != NULL &&
                   memchr(whole.other, 0, sizeof(whole.other)) != NULL &&
                   memchr(whole.version, 0, sizeof(whole.version)) != NULL,
               "a text without end");
    if (good) {
        FUZZ_CHECK(whole.artifacts == 0 || whole.pick < whole.artifacts, "file %u of %u", whole.pick,
                   whole.artifacts);
        FUZZ_CHECK(whole.chunks + whole.others <= whole.artifacts, "chunks without files count");
        FUZZ_CHECK(strcmp(url[0], url[1]) == 0 && strcmp(whole.id, pieces.id) == 0 &&
                       whole.offer == pieces.offer && whole.sleep_s == pieces.sleep_s &&
                       whole.artifacts == pieces.artifacts && whole.pick == pieces.pick &&
                       whole.next == pieces.next && whole.files_crc == pieces.files_crc &&
                       whole.chunks == pieces.chunks && whole.others == pieces.others &&
                       whole.file.size == pieces.file.size &&
                       memcmp(whole.file.hash, pieces.file.hash, 32) == 0,
                   "in pieces it says something else");
    }
}

/* ---- the agent ---- */

typedef struct {
    uint8_t record[OTTER_DDI_RECORD_SIZE];
    bool saved;
} device_t;

static esp_err_t load(void *ctx, uint8_t record[OTTER_DDI_RECORD_SIZE])
{
    device_t *device = ctx;
    memcpy(record, device->record, OTTER_DDI_RECORD_SIZE);
    return device->saved ? ESP_OK : ESP_ERR_NOT_FOUND;
}

static esp_err_t save(void *ctx, const uint8_t record[OTTER_DDI_RECORD_SIZE])
{
    device_t *device = ctx;
    memcpy(device->record, record, OTTER_DDI_RECORD_SIZE);
    device->saved = true;
    return ESP_OK;
}

static esp_err_t look(void *ctx, const char *wanted, otter_ddi_device_t *out)
{
    (void)ctx, (void)wanted;
    *out = (otter_ddi_device_t){.running.slot = "ota_0", .image_len = 1, .confirmed = true};
    return ESP_OK;
}

static esp_err_t compare(void *ctx, const otter_ddi_file_t *file, bool *same)
{
    (void)ctx;
    *same = file->size == 7;
    return ESP_OK;
}

/** A second reading of what the server's scheme, host and port are, however they are written. */
static bool is_home(const char *url)
{
    if (strncasecmp(url, "https://", 8) != 0) {
        return false;
    }
    const char *host = url + 8, *end = host + strcspn(host, "/?#");
    for (const char *p = host; p < end; p++) {
        host = *p == '@' ? p + 1 : host; /* behind a user's name */
    }
    const char *port = memchr(host, ':', (size_t)(end - host));
    char *rest = NULL;
    return port != NULL && port - host == 13 && strncasecmp(host, "fleet.example", 13) == 0 &&
           strtoul(port + 1, &rest, 10) == 8443 && rest == end;
}

/** What goes out is well formed, and the token goes home. */
static void check_request(const otter_ddi_order_t *order)
{
    FUZZ_CHECK(!order->authorize || is_home(order->url), "the token goes to %s", order->url);
    if (order->body != NULL) {
        cJSON *json = cJSON_ParseWithOpts(order->body, NULL, true);
        FUZZ_CHECK(json != NULL, "a body that is no JSON: %s", order->body);
        FUZZ_CHECK(strstr(order->body, "\"finished\":\"success\"") == NULL ||
                       strstr(order->body, "\"closed\"") != NULL,
                   "success that closes nothing: %s", order->body);
        cJSON_Delete(json);
    }
}

static void answer_with(otter_ddi_t *agent, int64_t now_ms, fuzz_input_t *in)
{
    static const int statuses[] = {200, 200, 200, 200, 404, 410, 429, 409, 401, 500, 400, 0};
    const int status = statuses[fuzz_choose(in, sizeof(statuses) / sizeof(statuses[0]))];
    fuzz_input_t body = fuzz_until(in, 0);
    if (status == 0) {
        otter_ddi_unanswered(agent, now_ms, "lost");
        return;
    }
    otter_ddi_answer(agent, status);
    (void)otter_ddi_body(agent, body.bytes, body.len);
    otter_ddi_answered(agent, now_ms);
}

/** The agent on a device that never changes. As no new image ever runs, success is told of what runs already alone. */
static void drive_agent(fuzz_input_t in)
{
    device_t device = {.saved = false};
    otter_ddi_t agent;
    otter_ddi_order_t order;
    const otter_ddi_config_t config = {.server = SERVER,
                                       .tenant = "T",
                                       .id = "d",
                                       .seed = 1,
                                       .load = load,
                                       .save = save,
                                       .look = look,
                                       .compare = compare,
                                       .ctx = &device};
    int64_t now_ms = 0;
    FUZZ_CHECK(otter_ddi_start(&agent, &config, now_ms, NULL) == ESP_OK, "it does not start");
    for (int i = 0; i < 200 && in.len > 0; i++) {
        otter_ddi_next(&agent, now_ms, &order);
        if (order.kind == OTTER_DDI_REQUEST) {
            check_request(&order);
            answer_with(&agent, now_ms, &in);
        } else if (order.kind == OTTER_DDI_FETCH) {
            check_request(&order);
            const otter_ddi_fetched_t fetched = {.err = order.file.size % 2 == 0 ? ESP_OK : ESP_FAIL,
                                                 .stage =
                                                     (otter_stage_t)(fuzz_u8(&in) % (OTTER_STAGE_DONE + 1)),
                                                 .why = "no",
                                                 .slot = "ota_1",
                                                 .image_len = 2};
            (void)otter_ddi_progress(&agent, now_ms, order.file.size / 2);
            otter_ddi_fetched(&agent, now_ms, &fetched);
        } else if (order.kind == OTTER_DDI_RESTART) {
            FUZZ_CHECK(device.record[8] == 3, "a restart that is not in the record");
            FUZZ_CHECK(otter_ddi_start(&agent, &config, now_ms, NULL) == ESP_OK, "it does not start again");
        } else {
            FUZZ_CHECK(order.wait_ms > 0, "it waits for nothing");
            now_ms += order.wait_ms;
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_input_t in = {data, size};
    const uint32_t cuts = fuzz_u8(&in) + 1u;
    drive_agent(in);
    while (in.len > 0) {
        (void)fuzz_u8(&in); /* the status */
        fuzz_input_t body = fuzz_until(&in, 0);
        char *text = fuzz_text(body);
        check_json(text, body.len, cuts);
        check_answer(text, body.len, cuts);
        free(text);
    }
    return 0;
}
