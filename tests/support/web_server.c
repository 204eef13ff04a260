/* The HTTPS server in memory: what it answers, and where it cuts. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "support/web_server.h"

/** What only a mistake in a test, or no memory, can break. */
static void web_require(bool holds)
{
    if (!holds) {
        fprintf(stderr, "web_server.h: out of memory, or an answer has too many steps\n");
        abort();
    }
}

/* ---- the server ---- */

const char *web_header(const char *request, const char *name, char *value, size_t size)
{
    const char *at = strcasestr(request, name);
    value[0] = '\0';
    if (at == NULL) {
        return NULL;
    }
    at += strlen(name);
    size_t n = strcspn(at, "\r\n");
    snprintf(value, size, "%.*s", (int)(n < size ? n : size - 1), at);
    return value;
}

static void web_add(web_t *web, sim_connection_t *answer, sim_step_t step)
{
    web_require(answer->count < COUNT(web->steps));
    web->steps[answer->count++] = step;
    answer->steps = web->steps;
}

/** The body, or as much of it as comes before the cut. */
static void web_add_body(web_t *web, sim_connection_t *answer, uint32_t from, uint32_t len)
{
    uint32_t left = web->cut_at - (uint32_t)web->body_sent;
    bool cut = web->cut_at != WEB_NEVER && len > left;
    uint32_t n = cut ? left : len;
    if (web->drip_ms > 0) {
        free(web->drips);
        web->drips = calloc(2 * (size_t)n + 2, sizeof(*web->drips));
        web_require(web->drips != NULL);
        web->drips[0] = web->steps[0];
        for (uint32_t i = 0; i < n; i++) {
            web->drips[1 + 2 * i] = (sim_step_t){.kind = SIM_DELAY, .ms = web->drip_ms};
            web->drips[2 + 2 * i] =
                (sim_step_t){.kind = SIM_BYTES, .data = (const char *)web->file + from + i, .len = 1};
        }
        answer->steps = web->drips;
        answer->count = 1 + 2 * (size_t)n;
        return;
    }
    if (n > 0) {
        web_add(web, answer,
                (sim_step_t){.kind = SIM_BYTES, .data = (const char *)web->file + from, .len = n});
    }
    web->body_sent += n;
    if (cut) {
        web->cuts++;
        web->cut_at = web->cut_every > 0 ? (uint32_t)web->body_sent + web->cut_every : WEB_NEVER;
        if (web->cut_kind != SIM_REQUEST) {
            web_add(web, answer, (sim_step_t){.kind = web->cut_kind});
        }
        return;
    }
    if (web->loses_end || web->claims_more > 0) {
        if (web->cut_kind != SIM_REQUEST) {
            web_add(web, answer, (sim_step_t){.kind = web->cut_kind});
        }
        return;
    }
    if (web->chunked) {
        web_add(web, answer, (sim_step_t){.kind = SIM_BYTES, .data = "\r\n0\r\n\r\n", .len = 7});
    }
    if (web->closes || web->no_length) {
        web_add(web, answer, (sim_step_t){.kind = SIM_EOF});
    }
}

static void web_answer_file(web_t *web, const char *request, sim_connection_t *answer)
{
    char range[64], condition[1024], part[96] = "", length[48] = "";
    unsigned from = 0, last = web->len - 1;
    int got = web_header(request, "\r\nRange: bytes=", range, sizeof(range)) != NULL
                  ? sscanf(range, "%u-%u", &from, &last)
                  : 0;
    bool same = web_header(request, "\r\nIf-Range: ", condition, sizeof(condition)) == NULL ||
                web->no_if_range || (web->etag != NULL && strcmp(condition, web->etag) == 0) ||
                (web->etag == NULL && web->date != NULL && strcmp(condition, web->date) == 0);
    bool ranged = got > 0 && same && !web->no_ranges;
    const char *status = "200 OK";
    from = ranged ? from : 0;
    last = ranged && last < web->len ? last : web->len - 1;
    uint32_t len = from < web->len ? last - from + 1 : 0;
    if (ranged && len == 0) {
        status = "416 Range Not Satisfiable";
        snprintf(part, sizeof(part), "Content-Range: bytes */%u\r\n", web->len);
    } else if (ranged) {
        status = "206 Partial Content";
        snprintf(part, sizeof(part), "Content-Range: bytes %u-%u/%u\r\n", from, last, web->len);
    }
    if (web->chunked) {
        snprintf(length, sizeof(length), "Transfer-Encoding: chunked\r\n");
    } else if (!web->no_length || len == 0) {
        snprintf(length, sizeof(length), "Content-Length: %u\r\n", len + (len > 0 ? web->claims_more : 0));
    }
    snprintf(web->head, sizeof(web->head), "HTTP/1.1 %s\r\n%s%s%s%s%s%s%s%s%s\r\n", status, length, part,
             web->etag != NULL ? "ETag: " : "", web->etag != NULL ? web->etag : "",
             web->etag != NULL ? "\r\n" : "", web->date != NULL ? "Last-Modified: " : "",
             web->date != NULL ? web->date : "", web->date != NULL ? "\r\n" : "",
             web->closes ? "Connection: close\r\n" : "");
    if (web->chunked && len > 0) {
        size_t used = strlen(web->head);
        snprintf(web->head + used, sizeof(web->head) - used, "%x\r\n", len);
    }
    web_add(web, answer, (sim_step_t){.kind = SIM_BYTES, .data = web->head, .len = strlen(web->head)});
    if (strncmp(request, "HEAD", 4) != 0 && len > 0) {
        web_add_body(web, answer, from, len);
    }
}

static void web_note(web_t *web, const char *request)
{
    char range[48], condition[160];
    bool ranged = web_header(request, "\r\nRange: bytes=", range, sizeof(range)) != NULL;
    bool conditional = web_header(request, "\r\nIf-Range: ", condition, sizeof(condition)) != NULL;
    size_t i = web->requests % WEB_REQUESTS_MAX;
    snprintf(web->asked[i], sizeof(web->asked[0]), "%.*s%s%s%s%.40s", (int)strcspn(request, " "), request,
             ranged ? " " : "", range, conditional ? " if " : "", condition);
    web->asked_at_us[i] = otter_now_us();
    const char *end = strstr(request, "\r\n\r\n");
    snprintf(web->last_request, sizeof(web->last_request), "%.*s", (int)(end - request), request);
}

static void web_serve(void *ctx, const char *request, sim_connection_t *answer)
{
    web_t *web = ctx;
    if (request == NULL) {
        web->connected_at_us[web->connects % WEB_REQUESTS_MAX] = otter_now_us();
        answer->refuse =
            web->connects >= web->refuse_from && web->connects - web->refuse_from < web->refuse_count;
        web->connects++;
        return;
    }
    web_note(web, request);
    unsigned index = web->requests++;
    if (web->on_request != NULL) {
        web->on_request(web, index);
    }
    answer->max_read = web->max_read;
    const char *canned = web->always;
    if (index < COUNT(web->canned) && web->canned[index] != NULL) {
        canned = web->canned[index];
    }
    if (web->head_answer != NULL && strncmp(request, "HEAD", 4) == 0) {
        canned = web->head_answer;
    }
    if (canned == NULL) {
        web_answer_file(web, request, answer);
    } else if (canned[0] != '\0') {
        web_add(web, answer, (sim_step_t){.kind = SIM_BYTES, .data = canned, .len = strlen(canned)});
        /* What a canned answer does not delimit ends with the connection. */
        if (strstr(canned, "Content-Length") == NULL) {
            web_add(web, answer, (sim_step_t){.kind = SIM_EOF});
        }
    } else {
        web_add(web, answer, (sim_step_t){.kind = SIM_RESET});
    }
}

static sealed_t seal;
static uint8_t *sealed[256]; /* files, until others are served in another way */
static unsigned sealed_count;

void web_seal(sealed_t how)
{
    for (size_t i = 0; i < COUNT(sealed); i++) {
        free(sealed[i]);
        sealed[i] = NULL;
    }
    seal = how;
}

web_t web_with(const uint8_t *file, uint32_t len)
{
    web_t web = {.image = file,
                 .file = file,
                 .len = len + sealed_head(seal),
                 .etag = "\"v1\"",
                 .cut_at = WEB_NEVER,
                 .cut_kind = SIM_RESET};
    if (seal != SEALED_NOT) {
        free(sealed[sealed_count % COUNT(sealed)]); /* the oldest is served no more */
        web.file = sealed[sealed_count++ % COUNT(sealed)] = sealed_file(seal, file, len);
    }
    return web;
}

void web_free(web_t *web)
{
    free(web->drips);
    web->drips = NULL;
}

/* ---- the update ---- */

void web_use_new_transport(web_config_t *config, web_t *web)
{
    config->http.transport = (struct esp_transport_item_t *)(void *)sim_transport_serve(web_serve, web);
    web_require(config->http.transport != NULL);
}

void web_configure(web_config_t *config, web_t *web)
{
    memset(config, 0, sizeof(*config));
    config->http.url = WEB_URL;
    config->http.cert_pem = "trusted";
    config->http.timeout_ms = 1000;
    config->ota.http_config = &config->http;
    if (web != NULL) {
        web_use_new_transport(config, web);
    }
}

esp_err_t web_perform(esp_https_ota_handle_t handle)
{
    esp_err_t err;
    do {
        err = esp_https_ota_perform(handle);
    } while (err == ESP_ERR_HTTPS_OTA_IN_PROGRESS);
    return err;
}
