/*
 * HTTP responses through the whole client, over a scripted transport.
 * Input: flags (bits of enum), size of the receive buffer, seed of the cuts, what the server says. With PERFORM each 0xFF
 * starts the answer on the next connection.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "esp_http_client.h"
#include "fuzz.h"
#include "http/client_internal.h"
#include "reference.h"
#include "sim/sim_system.h"
#include "sim/sim_transport.h"

enum { HEAD = 1, CLOSES = 2, RESETS = 4, PERFORM = 8 };

#define CONNECTIONS 5
#define STEPS_MAX   4096

/** What a client made of a response. */
typedef struct {
    int64_t fetch;
    int status, last;
    int64_t length;
    bool complete, chunked;
    uint8_t *body;
    size_t body_len, event_len;
} outcome_t;

static esp_err_t on_event(esp_http_client_event_t *event)
{
    outcome_t *outcome = event->user_data;
    if (event->event_id == HTTP_EVENT_ON_DATA) {
        outcome->event_len += (size_t)event->data_len;
    }
    if (event->event_id == HTTP_EVENT_ON_HEADER) {
        FUZZ_CHECK(event->header_key[0] != '\0', "a header without a name");
        FUZZ_CHECK(strpbrk(event->header_key, "\r\n: \t") == NULL, "a name that is none: %s",
                   event->header_key);
        FUZZ_CHECK(strpbrk(event->header_value, "\r\n") == NULL, "a line break in %s", event->header_key);
    }
    return ESP_OK;
}

static esp_http_client_handle_t new_client(sim_transport_t *server, uint8_t flags, uint8_t buffer,
                                           outcome_t *outcome)
{
    esp_http_client_config_t config = {
        .url = "http://owner:of-this-url-alone@first.example/dir/file?q=1",
        .method = (flags & HEAD) != 0 ? HTTP_METHOD_HEAD : HTTP_METHOD_GET,
        .timeout_ms = 1000,
        .buffer_size = 16 + 8 * buffer,
        .buffer_size_tx = 8192,
        .transport = (struct esp_transport_item_t *)(void *)server,
        .event_handler = on_event,
        .user_data = outcome,
    };
    FUZZ_CHECK(server != NULL, "no memory");
    esp_http_client_handle_t client = esp_http_client_init(&config);
    FUZZ_CHECK(client != NULL, "no client");
    return client;
}

static void read_body(esp_http_client_handle_t client, size_t room, outcome_t *o)
{
    o->body = malloc(room + 1);
    FUZZ_CHECK(o->body != NULL, "no memory");
    while ((o->last = esp_http_client_read(client, (char *)o->body + o->body_len,
                                           (int)(room + 1 - o->body_len))) > 0) {
        o->body_len += (size_t)o->last;
        FUZZ_CHECK(o->body_len <= room, "more body than the server sent bytes");
    }
}

/** One response on one connection, whose bytes come as the steps cut them. */
static void exchange(const sim_connection_t *connection, size_t room, uint8_t flags, uint8_t buffer,
                     outcome_t *o)
{
    memset(o, 0, sizeof(*o));
    esp_http_client_handle_t client = new_client(sim_transport_new(connection, 1), flags, buffer, o);
    FUZZ_CHECK(esp_http_client_open(client, 0) == ESP_OK, "cannot open");
    o->fetch = esp_http_client_fetch_headers(client);
    o->status = esp_http_client_get_status_code(client);
    if (o->fetch >= 0) {
        o->length = esp_http_client_get_content_length(client);
        o->chunked = esp_http_client_is_chunked_response(client);
        read_body(client, room, o);
        o->complete = esp_http_client_is_complete_data_received(client);
        FUZZ_CHECK(o->body_len == o->event_len, "%zu bytes read, %zu told", o->body_len, o->event_len);
        FUZZ_CHECK(!o->complete || o->last == 0, "complete, but read says %d", o->last);
        FUZZ_CHECK(o->last != 0 || o->complete, "the body ended incomplete");
    } else {
        FUZZ_CHECK(http_client_last_failure(client)->stage != HTTP_STAGE_NONE, "failed without a stage");
    }
    esp_http_client_cleanup(client);
}

static void check_same(const outcome_t *a, const outcome_t *b, const char *how)
{
    FUZZ_CHECK(a->fetch == b->fetch && a->status == b->status, "%s: fetch %lld status %d, whole: %lld %d",
               how, (long long)b->fetch, b->status, (long long)a->fetch, a->status);
    FUZZ_CHECK(a->length == b->length && a->chunked == b->chunked, "%s: another length", how);
    FUZZ_CHECK(a->complete == b->complete && a->last == b->last, "%s: complete %d, last %d; whole: %d, %d",
               how, b->complete, b->last, a->complete, a->last);
    FUZZ_CHECK(a->body_len == b->body_len && (a->body_len == 0 || memcmp(a->body, b->body, a->body_len) == 0),
               "%s: %zu bytes of body, whole: %zu", how, b->body_len, a->body_len);
}

static void check_reference(fuzz_input_t said, uint8_t flags, const outcome_t *o)
{
    reference_http_t ref;
    bool closed = (flags & CLOSES) != 0;
    reference_http(said.bytes, said.len, (flags & HEAD) != 0, closed, &ref);
    if (o->complete && o->fetch >= 0) {
        FUZZ_CHECK(ref.complete && ref.status == o->status,
                   "accepted with status %d; the reference: complete %d, status %d", o->status, ref.complete,
                   ref.status);
        FUZZ_CHECK(ref.body_len == o->body_len && memcmp(ref.body, o->body, ref.body_len) == 0,
                   "another body");
    }
    free(ref.body);
}

static size_t add_end(sim_step_t *steps, size_t count, uint8_t flags)
{
    if ((flags & (CLOSES | RESETS)) != 0) {
        steps[count++].kind = (flags & CLOSES) != 0 ? SIM_EOF : SIM_RESET;
    }
    return count;
}

static void check_exchange(fuzz_input_t said, uint8_t flags, uint8_t buffer, uint32_t seed)
{
    static sim_step_t steps[STEPS_MAX + 2];
    outcome_t whole, other;
    memset(steps, 0, sizeof(steps[0]) * 2);
    steps[0] = (sim_step_t){.kind = SIM_BYTES, .data = (const char *)said.bytes, .len = said.len};
    size_t first = said.len > 0 ? 1 : 0;
    sim_connection_t connection = {.steps = steps, .count = add_end(steps, first, flags)};
    exchange(&connection, said.len, flags, buffer, &whole);
    check_reference(said, flags, &whole);

    connection.max_read = 1;
    exchange(&connection, said.len, flags, buffer, &other);
    check_same(&whole, &other, "byte by byte");
    free(other.body);

    connection.max_read = 0;
    size_t count = 0;
    for (size_t at = 0; at < said.len;) {
        size_t n = count < STEPS_MAX - 1 ? fuzz_cut(&seed, said.len - at) : said.len - at;
        memset(&steps[count], 0, sizeof(steps[count]));
        steps[count++] = (sim_step_t){.kind = SIM_BYTES, .data = (const char *)said.bytes + at, .len = n};
        at += n;
    }
    memset(&steps[count], 0, sizeof(steps[count]));
    connection.count = add_end(steps, count, flags);
    exchange(&connection, said.len, flags, (uint8_t)seed, &other);
    check_same(&whole, &other, "in pieces");
    free(other.body);
    free(whole.body);
}

/** Redirects lead where the server wants, but what is sent there is ours: whole lines, no credentials for strangers. */
static void check_sent(const sim_transport_t *server)
{
    static const char *const names[] = {
        "Host:", "User-Agent:", "Authorization:", "Range:", "Content-Length:"};
    for (size_t i = 0; i < sim_transport_connects(server); i++) {
        const char *sent = sim_transport_sent(server, i);
        bool ours = strcmp(sim_transport_server(server, i), "first.example:80") == 0;
        /* What the URL brought, in base64. A redirect's URL may bring credentials of its own: those may go there. */
        FUZZ_CHECK(ours || strstr(sent, "Authorization: Digest username=\"owner\"") == NULL,
                   "digest sent to %s", sim_transport_server(server, i));
        FUZZ_CHECK(ours || strstr(sent, "Authorization: Basic b3duZXI6b2YtdGhpcy11cmwtYWxvbmU=") == NULL,
                   "credentials sent to %s", sim_transport_server(server, i));
        while (*sent != '\0') {
            size_t line = strcspn(sent, "\n");
            bool known = strncmp(sent, "GET /", 5) == 0 || strncmp(sent, "HEAD /", 6) == 0 || sent[0] == '\r';
            for (size_t k = 0; k < sizeof(names) / sizeof(names[0]); k++) {
                known = known || strncmp(sent, names[k], strlen(names[k])) == 0;
            }
            FUZZ_CHECK(known && line > 0 && sent[line - 1] == '\r', "sent: %.*s", (int)line, sent);
            sent += line + 1;
        }
    }
}

static void check_perform(fuzz_input_t said, uint8_t flags, uint8_t buffer)
{
    sim_step_t steps[CONNECTIONS][2];
    sim_connection_t connections[CONNECTIONS];
    outcome_t outcome = {0};
    memset(steps, 0, sizeof(steps));
    memset(connections, 0, sizeof(connections));
    for (size_t i = 0; i < CONNECTIONS; i++) {
        fuzz_input_t part = fuzz_until(&said, 0xFF);
        steps[i][0] = (sim_step_t){.kind = SIM_BYTES, .data = (const char *)part.bytes, .len = part.len};
        connections[i].steps = part.len > 0 ? steps[i] : steps[i] + 1;
        connections[i].count = part.len > 0 ? 1 : 0;
        connections[i].count += add_end(steps[i], 1, flags) - 1;
    }
    sim_transport_t *server = sim_transport_new(connections, CONNECTIONS);
    esp_http_client_handle_t client = new_client(server, flags, buffer, &outcome);
    esp_err_t err = esp_http_client_perform(client);
    if (err == ESP_OK) {
        FUZZ_CHECK(esp_http_client_is_complete_data_received(client), "performed, but not complete");
    }
    check_sent(server);
    esp_http_client_cleanup(client);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool clock_taken;
    if (!clock_taken) {
        sim_clock_take();
        clock_taken = true;
    }
    fuzz_input_t in = {data, size < 20000 ? size : 20000};
    uint8_t flags = fuzz_u8(&in), buffer = fuzz_u8(&in), seed = fuzz_u8(&in);
    if ((flags & PERFORM) != 0) {
        check_perform(in, flags, buffer);
    } else {
        check_exchange(in, flags, buffer, seed);
    }
    return 0;
}
