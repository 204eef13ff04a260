/* A DDI server in memory for one device: answers as hawkBit does, strict about what it is sent; its log is the judge. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DDI_SERVER       "https://fleet.example:8443"
#define DDI_SERVER_BASE  DDI_SERVER "/DEFAULT/controller/v1/dev-1"
#define DDI_SERVER_QUOTA 1000u /* entries of an action */

typedef enum {
    DDI_ACTION_CONFIRM, /* waits for a confirmation */
    DDI_ACTION_RUNNING,
    DDI_ACTION_CANCELING,
    DDI_ACTION_CANCELED,
    DDI_ACTION_FINISHED, /* the server says in_sync */
    DDI_ACTION_ERROR,
} ddi_action_status_t;

typedef struct {
    const char *id;
    ddi_action_status_t status;
    const char *download, *update; /* "forced", "attempt", "skip" */
    const uint8_t *file;
    uint32_t size;
    const char *link;    /* of the file; NULL: on this server */
    const uint8_t *data; /* a file for the part "fs", in a chunk of its own; NULL: none */
    uint32_t data_size;
    const char *chunks_before, *files_before; /* JSON, with a comma at its end; NULL: none */
    bool sha1_only;                           /* as goosebit */
    bool download_only;                       /* `downloaded` ends it */
    uint32_t changes;                         /* counted in `c` */
    uint32_t entries, closings, quota;        /* quota 0: DDI_SERVER_QUOTA */
    char detail[256];                         /* of the last feedback */
} ddi_action_t;

typedef struct {
    ddi_action_t actions[4];         /* the oldest first; id NULL: none */
    const char *sleep;               /* "00:05:00" */
    bool deleted;                    /* the target is gone: 404 */
    bool has_attributes;             /* they came since they were asked for */
    char attributes[1024];           /* the last ones */
    uint32_t requests, polls, fails; /* the next `fails` requests are answered by `fail_status`, */
    int fail_status;
    const char *fail_body; /* and this, or nothing */
    const char *complaint; /* what it was sent that no device should send; NULL: nothing */
    /** Called before a closing feedback is taken: what the test knows to be true of the device. */
    void (*on_closing)(void *ctx, const ddi_action_t *action, bool success);
    void *ctx;
    char log[8192]; /* a line for each request: "POST deploymentBase/7/feedback proceeding none 200" */
} ddi_server_t;

/** One request, as the agent orders it. @param answer  receives the body. @return the status */
int ddi_server_handle(ddi_server_t *server, const char *method, const char *url, const char *body,
                      bool authorized, char *answer, size_t size);

/** The action that a poll offers; NULL: none. */
ddi_action_t *ddi_server_active(ddi_server_t *server);
