/* A device of a fleet for tests: simulator flash, boot, agent, and a server in memory; power and answers fail on demand. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "fleet/server.h"
#include "otter/ddi.h"
#include "support/session_rig.h"

#define DDI_RIG_NEVER    UINT32_MAX
#define DDI_RIG_SERVER   "https://fleet.example:8443"
#define DDI_RIG_RELEASES 32u

/** The fleet's server, on a wire that fails on demand. */
typedef struct {
    fleet_server_t fleet; /* whose only device is "dev-1" */
    /** Of the actions in their order: an image and other files for each. */
    fleet_release_t releases[DDI_RIG_RELEASES];
    uint32_t requests; /* lost ones, too */
    uint32_t fails;    /* the next `fails` requests are answered by fail_status, */
    int fail_status;
    const char *fail_body; /* and this, or nothing */
    char log[8192];        /* a line for each request: "POST deploymentBase/7/feedback proceeding none 200" */
} ddi_rig_server_t;

/** What a lost request or answer is. */
typedef enum { DDI_LOSE_REQUEST, DDI_LOSE_ANSWER, DDI_LOSE_HALF_ANSWER } ddi_loss_t;

typedef struct {
    session_rig_t session;
    otter_device_t *device;
    ddi_rig_server_t server;
    otter_ddi_t agent;
    otter_ddi_config_t config;
    otter_ddi_store_t store;
    const esp_partition_t *store_at;
    uint8_t *file; /* a new image, */
    uint32_t file_len;
    uint8_t *data; /* new files for the partition phy_init; NULL: it has none of these */
    uint32_t data_len;
    bool crashes; /* which does not confirm itself */
    bool waits;   /* it runs on trial, and the test confirms it */
    int64_t now_ms;
    uint32_t installs, boots, fetches; /* of the new image; boots: of any; fetches: of any file */
    uint32_t stores;                   /* of files in their partition */
    uint32_t lose_at, lose_count;      /* requests from this number on */
    ddi_loss_t loss;
    esp_err_t fetch_err; /* of the next fetch; with its stage */
    otter_stage_t fetch_stage;
    uint32_t fetch_fails;  /* so often */
    bool token_left_home;  /* a fetch that may take the token elsewhere */
    uint32_t records_fail; /* so many of the next writes of the record fail */
    bool lied;             /* the server was told what is not true */
    char said[4096];
} ddi_rig_t;

void ddi_rig_open(ddi_rig_t *rig);
void ddi_rig_close(ddi_rig_t *rig);

/** The device takes files for the part "fs", too, and has old ones. */
void ddi_rig_take_data(ddi_rig_t *rig);

/** Its files are the new ones. */
bool ddi_rig_has_new_data(const ddi_rig_t *rig);

/** An action that wants the new image, and the new files of a device that takes some. @return where it is until the rig closes */
fleet_action_t *ddi_rig_assign(ddi_rig_t *rig, const char *id);

/** The release of an action, to be changed: what it is offered as. */
fleet_release_t *ddi_rig_release(ddi_rig_t *rig, const fleet_action_t *action);

/** The device, as the server knows it. */
fleet_target_t *ddi_rig_target(ddi_rig_t *rig);

/** One order. @return its kind; time passes as it says */
otter_ddi_order_kind_t ddi_rig_step(ddi_rig_t *rig);

/** Orders until nothing is under way, at most `steps`. @return false: something still is */
bool ddi_rig_run(ddi_rig_t *rig, unsigned steps);

/** Power is off and on again. */
void ddi_rig_restart(ddi_rig_t *rig);

/** The new image runs, and is confirmed. */
bool ddi_rig_runs_new(const ddi_rig_t *rig);
