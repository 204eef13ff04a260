/* An HTTPS server in memory that gives out one file, well or badly: for every test whose device downloads without a network. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "esp_https_ota.h"
#include "otter/system.h"
#include "sim/sim_transport.h"
#include "support/sealed.h"

#define WEB_URL          "https://server.example/fw.bin"
#define WEB_REQUESTS_MAX 64
#define WEB_NEVER        UINT32_MAX
#define COUNT(rows)      (sizeof(rows) / sizeof((rows)[0]))

/* ---- the server ---- */

/** One file, and how the server is bad at serving it. Zero but for `file`, `len` and `cut_at` is a good server. */
typedef struct web {
    const uint8_t *file;
    uint32_t len;
    const uint8_t *image;    /* that is in the file */
    const char *etag, *date; /* as in the headers, NULL: not sent */
    bool no_ranges;          /* Range is not looked at */
    bool no_if_range;        /* If-Range is not looked at: a range is given of whatever there is */
    bool no_length;          /* the body ends with the connection */
    bool chunked;
    bool closes;             /* the connection ends after each answer */
    const char *canned[8];   /* answers to requests 0..7 as they go over the line; NULL: the file */
    const char *always;      /* answers every request, if not NULL */
    const char *head_answer; /* to HEAD requests; NULL: as for GET */
    uint32_t cut_at; /* body bytes of all answers after which the connection is cut, once; WEB_NEVER */
    sim_step_kind_t cut_kind; /* SIM_RESET, SIM_EOF, or SIM_REQUEST: silence */
    uint32_t cut_every;       /* after a cut, the next comes so many bytes later; 0: no more */
    bool loses_end; /* the connection ends by cut_kind where the mark of the body's end should come */
    /* bytes that Content-Length has too many; the connection ends by cut_kind before they come */
    uint32_t claims_more;
    uint32_t refuse_from, refuse_count;                  /* connects that are refused */
    uint32_t max_read;                                   /* bytes a read brings at most, 0: no limit */
    uint32_t drip_ms;                                    /* silence before each byte of the body; 0: none */
    void (*on_request)(struct web *web, unsigned index); /* before it is answered */
    uint32_t mark;                                       /* for on_request's own use */

    unsigned connects, requests;
    char asked[WEB_REQUESTS_MAX][96]; /* "GET 0-9 if \"x\"" */
    char last_request[4096];
    uint64_t body_sent, cuts;
    int64_t asked_at_us[WEB_REQUESTS_MAX], connected_at_us[WEB_REQUESTS_MAX];
    char head[2048], chunk_head[24];
    sim_step_t steps[4];
    sim_step_t *drips;
} web_t;

const char *web_header(const char *request, const char *name, char *value, size_t size);

web_t web_with(const uint8_t *file, uint32_t len);

/** All servers from now on have their files sealed (support/sealed.h), whatever web_with() is given; files so far are gone. */
void web_seal(sealed_t how);

void web_free(web_t *web);

/* ---- the update ---- */

typedef struct {
    esp_http_client_config_t http;
    esp_https_ota_config_t ota;
} web_config_t;

/** A connection to `web` for the next update, to which it belongs from its begin on. */
void web_use_new_transport(web_config_t *config, web_t *web);

/** A configuration for one update from `web`; its transport belongs to the update from its begin on. */
void web_configure(web_config_t *config, web_t *web);

/** perform until it is over. */
esp_err_t web_perform(esp_https_ota_handle_t handle);
