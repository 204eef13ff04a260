/* What the parts of `otter agent` share: its options, the server's side and the device's side. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "linux/linux_device.h"
#include "otter/ddi.h"
#include "otter/https_update.h"
#include "otter/promise.h"

#define AGENT_VERB           "agent"
#define AGENT_ATTRIBUTES_MAX 16u

typedef struct {
    otter_ddi_attribute_t rows[AGENT_ATTRIBUTES_MAX];
    uint32_t count;
} agent_attributes_t;

/** What --part has named: where the image is, and what goes into data partitions. */
typedef struct {
    const char *image;
    otter_ddi_part_t rows[OTTER_DDI_PARTS_MAX];
    uint32_t count;
} agent_parts_t;

typedef struct {
    const char *flash, *server, *tenant, *id, *token_path, *ca_path, *record, *hook, *ending, *decision;
    agent_parts_t parts;
    const char *cert_path, *key_path, *decrypt_key, *passphrase;
    bool gateway, system_ca, once, json, hold, hold_confirmation, others;
    uint32_t timeout_ms, poll_s, give_up_ms, trial_ms;
    agent_attributes_t attributes;
    linux_device_options_t device;
} agent_options_t;

/** One running agent. */
typedef struct {
    const agent_options_t *options;
    otter_ddi_t ddi;
    otter_ddi_config_t config;
    char *authorization; /* the header's value; NULL: a client certificate speaks for the device */
    char *ca, *cert, *key;
    char why[384]; /* of an exchange that failed */
    size_t ca_len, cert_len, key_len;
    char *record_path;
    int lock, flash_lock; /* of the record and of the flash: one agent for each */
    pid_t device;         /* `otter run`; 0: it is off, or somebody else runs it */
    int device_ended;     /* descriptor that tells that it has ended; -1: it is off */
    int64_t trial_since;  /* ms; 0: nothing is on trial */
    bool in_trouble;      /* something has failed */
    bool handed_over;     /* a hook restarts the device */
} agent_t;

/* ---- agent_say.c ---- */

int64_t agent_now_ms(void);

/** For people and for programs: one line. */
void agent_say(void *ctx, const char *event, const char *text);

/* ---- agent_http.c ---- */

/** Sends what the agent orders, and gives it the answer. */
void agent_request(agent_t *agent, const otter_ddi_order_t *order);

/** The rest of a fetch: from the order to otter_ddi_fetched(). The device is off. */
void agent_fetch(agent_t *agent, const otter_ddi_order_t *order);

/* ---- agent_device.c ---- */

/** Opens the record, and locks it and the flash. @return false, after saying why */
OTTER_MUST_CHECK bool agent_record_open(agent_t *agent);
void agent_record_close(agent_t *agent);

/** The callbacks of the agent; `ctx` is the agent_t. */
esp_err_t agent_load(void *ctx, uint8_t record[OTTER_DDI_RECORD_SIZE]);
esp_err_t agent_save(void *ctx, const uint8_t record[OTTER_DDI_RECORD_SIZE]);
esp_err_t agent_look(void *ctx, const char *wanted, otter_ddi_device_t *out);
esp_err_t agent_compare(void *ctx, const otter_ddi_file_t *file, bool *same);
esp_err_t agent_holds(void *ctx, const char *partition, const otter_ddi_file_t *file, bool *same);

/** The partitions that --part names are there. @return false, after saying which one is not */
OTTER_MUST_CHECK bool agent_parts_check(const agent_t *agent);

/** Selects what was fetched, and restarts: the device that runs here, or by the hook. */
void agent_restart(agent_t *agent, const otter_ddi_order_t *order);

/** The virtual device: switched on where it is off and has something to do; a trial that lasts too long is reset. */
void agent_device_keep(agent_t *agent);
void agent_device_off(agent_t *agent);
/** An image is on trial, or will be: who switches the device off now rolls it back. */
bool agent_device_awaits_boot(const agent_t *agent);

/** Opens the flash to write. @return false, and the fault says why */
OTTER_MUST_CHECK bool agent_device_open(const agent_t *agent, linux_device_t *dev, otter_fault_t *fault);
