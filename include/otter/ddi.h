/* An agent for fleets: the device's side of hawkBit's DDI, as a state machine that does no I/O. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "esp_err.h"
#include "otter/device.h"
#include "otter/fault.h"
#include "otter/promise.h"
#include "otter/report.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * A fleet's server (Eclipse hawkBit, goosebit) says over DDI v1 which file a device is to run; the device says what came of it.
 * The agent decides what to ask and what to tell, and the caller does it:
 *
 *     otter_ddi_start(&agent, &config, now_ms, &fault);
 *     for (;;) {
 *         otter_ddi_next(&agent, now_ms, &order);
 *         switch (order.kind) {
 *         case OTTER_DDI_REQUEST:     send it; then otter_ddi_answer(), otter_ddi_body() and otter_ddi_answered(), or
 *                                     otter_ddi_unanswered()
 *         case OTTER_DDI_FETCH:       the file into the slot that is free, and by way of it into order.partition if that is
 *                                     named; otter_ddi_progress() meanwhile, otter_ddi_fetched()
 *         case OTTER_DDI_RESTART:     select what was fetched, and restart; otter_ddi_not_restarted() if that cannot be
 *         case OTTER_DDI_WAIT:        ask again in order.wait_ms, or when something has happened
 *         case OTTER_DDI_NOTHING:     a file is being fetched, or a restart is on its way: as WAIT
 *         }
 *     }
 *
 * What it promises: success is told only after the new image runs and is confirmed; what was rolled back or refused is told as a
 * failure, with stage, code and reason; what is to be told at the end is kept until the server has it, over any number of
 * restarts; what runs and is confirmed is never installed again. Each step is in the record before it is taken.
 *
 * Memory: the agent and all that it points to are the caller's; it takes nothing from the heap but for as long as a call compares
 * two URLs. Not thread safe: one task at a time. Callbacks are made within these calls and must not call them.
 */

#define OTTER_DDI_RECORD_SIZE  320u /* bytes that are kept over restarts: FORMATS.md section 16 */
#define OTTER_DDI_URL_SIZE     640u /* of a URL, with its end; an offer with a longer one is refused */
#define OTTER_DDI_ROOM_SIZE    816u /* private: a request of its own making, URL and body */
#define OTTER_DDI_ID_SIZE      40u  /* of an action's id, with its end */
#define OTTER_DDI_ANSWER_MAX   (64u * 1024u) /* bytes of an answer that are read */
#define OTTER_DDI_TOKEN_SIZE   72u           /* private */
#define OTTER_DDI_REASON_SIZE  128u          /* of why an action failed, with its end */
#define OTTER_DDI_SLOT_SIZE    17u           /* of a partition's label, with its end */
#define OTTER_DDI_VERSION_SIZE 33u           /* of a version, with its end */
#define OTTER_DDI_PARTS_MAX    8u            /* data partitions that an offer may have files for */

typedef enum { OTTER_DDI_NO_HASH, OTTER_DDI_SHA1, OTTER_DDI_SHA256 } otter_ddi_hash_t;

/** A file, as the server names it: what it consists of, not what it is called. */
typedef struct {
    uint32_t kind;    /* of its hash: an otter_ddi_hash_t */
    uint32_t size;    /* bytes */
    uint8_t hash[32]; /* 20 or 32 bytes of it */
} otter_ddi_file_t;

/** What the update code knows of the slot that an image went to. */
typedef enum {
    OTTER_DDI_SLOT_OTHER,    /* nothing of these */
    OTTER_DDI_SLOT_SELECTED, /* it boots next */
    OTTER_DDI_SLOT_REJECTED, /* its image was rejected, or not confirmed in its trial: it was rolled back */
    OTTER_DDI_SLOT_AWAITED, /* it boots next, and the restart that was ordered is known not to have come yet */
} otter_ddi_slot_state_t;

/** What runs. */
typedef struct {
    char slot[OTTER_DDI_SLOT_SIZE];       /* label of its partition; "": not known */
    char version[OTTER_DDI_VERSION_SIZE]; /* as its app descriptor says; "": not known */
    uint8_t image_sha256[32];             /* of its image, all image_len bytes */
} otter_ddi_running_t;

/** How the device is. */
typedef struct {
    otter_ddi_running_t running;
    uint32_t image_len;              /* of what runs, bytes, as otter_image_t says; 0: not known */
    bool confirmed;                  /* what runs is no trial (any more) */
    otter_ddi_slot_state_t wanted;   /* of the slot that was asked for */
    char why[OTTER_DDI_REASON_SIZE]; /* of a rollback, if it is known; else "" */
} otter_ddi_device_t;

/** A name and what it says, for configData. Each at most 128 bytes; UTF-8. */
typedef struct {
    const char *name, *value;
} otter_ddi_attribute_t;

/**
 * A part of an offer (hawkBit: a software module's type) that goes into a data partition, and the label of that. The old and
 * the new version of the firmware must both be able to read it: it is there before the image, and stays if that is rolled back.
 */
typedef struct {
    const char *part, *partition;
} otter_ddi_part_t;

/** What is done with an offer that leaves the time to the device (hawkBit's "soft"), or asks whether it may (confirmation). */
typedef enum {
    OTTER_DDI_NOW,  /* install it, confirm it */
    OTTER_DDI_HOLD, /* not before otter_ddi_allow() */
    OTTER_DDI_DENY, /* confirmations only: denied */
} otter_ddi_policy_t;

/** What the agent needs of its surroundings. Functions return what their names say, and are not called concurrently. */
typedef struct otter_ddi_config {
    const char *server; /* "https://fleet.example:8443", or with a path before the tenant */
    const char *tenant; /* "DEFAULT" */
    const char *id;     /* of this device, 1 to 128 bytes */
    const char *part;   /* of the chunk that holds the image; NULL: the only one that `parts` does not name */
    const char *ending; /* of several files in it the one whose name ends so is the image; NULL: ".bin" */
    bool others;        /* chunks for other parts are passed over; else an offer that has some is refused */
    /** Chunks for data partitions, in the order in which they are installed, before the image. */
    const otter_ddi_part_t *parts;
    uint32_t part_count; /* at most OTTER_DDI_PARTS_MAX */
    /** Told of the device, besides what the agent tells itself: sw_version (of what runs, if there is none here), slot,
     *  image_sha256, last_update, agent. */
    const otter_ddi_attribute_t *attributes;
    uint32_t attribute_count;
    uint32_t poll_s;    /* until the server says how long to wait, 0: 300 */
    uint32_t give_up_s; /* a file that cannot be fetched for so long is a failure, 0: a day */
    bool at_once; /* the first poll is not spread over a minute: for a command that a person waits for */
    otter_ddi_policy_t soft, confirmation;
    uint32_t seed; /* of the jitter; unpredictable, so that a fleet does not move together */

    /** The record. @return ESP_OK, ESP_ERR_NOT_FOUND (none yet), else the start fails with it */
    esp_err_t (*load)(void *ctx, uint8_t record[OTTER_DDI_RECORD_SIZE]);
    /** When it returns ESP_OK the record outlives a power cut; cut short, the old or the new one is there. */
    esp_err_t (*save)(void *ctx, const uint8_t record[OTTER_DDI_RECORD_SIZE]);
    /** How the device is now. @param wanted  the slot that device->wanted is about; "": none */
    esp_err_t (*look)(void *ctx, const char *wanted, otter_ddi_device_t *device);
    /** Does what runs begin with these file->size bytes? @param same  written when ESP_OK is returned */
    esp_err_t (*compare)(void *ctx, const otter_ddi_file_t *file, bool *same);
    /** With parts: does that data partition begin with these bytes? What is there already is not fetched. */
    esp_err_t (*holds)(void *ctx, const char *partition, const otter_ddi_file_t *file, bool *same);
    /** For logs; `event` is a word for programs, `text` a sentence for people. NULL: nobody listens. */
    void (*say)(void *ctx, const char *event, const char *text);
    void *ctx;
} otter_ddi_config_t;

typedef enum {
    OTTER_DDI_NOTHING,
    OTTER_DDI_WAIT,
    OTTER_DDI_REQUEST,
    OTTER_DDI_FETCH,
    OTTER_DDI_RESTART,
} otter_ddi_order_kind_t;

/** What to do. Texts are the agent's, good until the next call of it. */
typedef struct {
    otter_ddi_order_kind_t kind;
    uint32_t wait_ms;         /* WAIT, NOTHING: at most until the next call of otter_ddi_next() */
    const char *method;       /* REQUEST: "GET", "POST" or "PUT" */
    const char *url;          /* REQUEST, FETCH */
    const char *body;         /* REQUEST: JSON, to be sent as Content-Type: application/json; NULL: none */
    bool authorize;           /* the token may go to `url`; it is to go nowhere else, redirects included */
    const char *version;      /* FETCH: what the server calls it; may be "" */
    const char *partition;    /* FETCH: label of the data partition that it is for; NULL: it is the image */
    otter_ddi_file_t file;    /* FETCH: what is to come */
    const char *slot;         /* RESTART: where it is, */
    uint8_t image_sha256[32]; /* and what it is: if the slot holds anything else it must not be selected */
    uint32_t image_len;
} otter_ddi_order_t;

/** How fetching ended. */
typedef struct {
    esp_err_t err;            /* ESP_OK: the image is whole, verified, and is the file that was asked for */
    otter_stage_t stage;      /* else: where it failed, */
    const char *why;          /* and why, for people */
    const char *slot;         /* ESP_OK: label of the partition it is in */
    uint8_t image_sha256[32]; /* ESP_OK: of the image as it is in the slot, and its bytes */
    uint32_t image_len;
} otter_ddi_fetched_t;

/** The record while it is in memory, as FORMATS.md section 16 orders it. Private. */
struct otter_ddi_record {
    uint32_t server_crc;
    uint8_t phase, acknowledged, verdict_ok, tries;
    otter_ddi_file_t file; /* that the image comes from */
    uint32_t image_len, open_s;
    int32_t code;
    uint32_t attributes_crc;
    uint8_t image_sha256[32];
    char id[OTTER_DDI_ID_SIZE], slot[OTTER_DDI_SLOT_SIZE], reason[OTTER_DDI_REASON_SIZE];
    uint8_t stored; /* of its data some is installed, or about to be */
    uint8_t none[2];
    uint32_t files_crc;
};

/** The agent: at most 2 KiB. Private; the functions tell what a caller may know. Numbers come first: code is shorter so. */
typedef struct otter_ddi {
    const otter_ddi_config_t *config;
    uint32_t now;        /* its time, in ticks since start_ms: it is, */
    uint32_t poll_at;    /* the next poll is due, */
    uint32_t hold_until; /* nothing is sent before, */
    uint32_t closing_at; /* no closing feedback before, and an ordered restart has come by then, */
    uint32_t fetch_at;   /* nothing is fetched before, */
    uint32_t look_at;    /* the device is looked at again */
    uint32_t open_since; /* fetching has been tried; 0: not yet */
    uint32_t told_at;    /* the last progress was told */
    uint32_t sleep_s, random, todo;
    uint32_t offer_crc;    /* of the link of the offer that was decided; 0: of none */
    uint32_t declined_crc; /* of the confirmation that was denied or is held */
    uint32_t fetched_bytes;
    int status; /* of the answer that is read */
    uint16_t told_percent, failures, fetch_failures, feedbacks;
    int64_t start_ms;
    uint8_t asked;      /* the request that is out */
    uint8_t pick;       /* which of the offer's files is the next one, as far as it is known */
    uint8_t done, next; /* bits of parts that are in place; which one is fetched; part_count: the image */
    bool held;          /* nothing is done before the offer changes, or is allowed */
    bool confirmed;     /* what runs */
    bool fetch;         /* a file is to be fetched, from `url` */
    bool fetching, stop;
    bool ready;      /* what was fetched is to be selected */
    bool restarting; /* it was ordered */
    bool told_downloaded, quota, allowed, reading;
    struct otter_ddi_record record;
    otter_ddi_file_t file;        /* that is fetched */
    otter_ddi_running_t running;  /* when it was looked at last */
    char url[OTTER_DDI_URL_SIZE]; /* that the server gave: of an offer, then of its file */
    char version[OTTER_DDI_VERSION_SIZE];
    char other_id[OTTER_DDI_ID_SIZE]; /* of the action that is cancelled, or wants confirmation */
    union {
        char text[OTTER_DDI_ROOM_SIZE];           /* while a request is made */
        uint64_t reader[OTTER_DDI_ROOM_SIZE / 8]; /* while its answer is read */
    } room;
} otter_ddi_t;

/**
 * Begin, or begin again after a restart: reads the record and looks at the device.
 * @param config  stays the caller's, and where it is, as long as the agent is used
 * @param now_ms  monotonic, of any beginning; all later calls have the same clock
 * @return ESP_OK; ESP_ERR_INVALID_ARG (server is no URL, id is empty or too long, a callback is missing or there are too many
 *         parts: `fault` says which); or what load or look returned
 */
OTTER_MUST_CHECK esp_err_t otter_ddi_start(otter_ddi_t *agent, const otter_ddi_config_t *config,
                                           int64_t now_ms, otter_fault_t *fault);

/** What to do now. While a request is out it is NOTHING. Where the record cannot be written it is WAIT, and nothing is done. */
void otter_ddi_next(otter_ddi_t *agent, int64_t now_ms, otter_ddi_order_t *order);

/** The answer to the request begins. @param status  of HTTP */
void otter_ddi_answer(otter_ddi_t *agent, int status);

/** The next bytes of its body. @return false: it is no use to read on; otter_ddi_answered() comes all the same */
bool otter_ddi_body(otter_ddi_t *agent, const void *data, size_t len);

/** The answer is there, to its last byte. */
void otter_ddi_answered(otter_ddi_t *agent, int64_t now_ms);

/** There was no answer, or not all of it. The request may have been heard all the same. @param why  for people */
void otter_ddi_unanswered(otter_ddi_t *agent, int64_t now_ms, const char *why);

/** So many bytes of the file are there. @return false: stop fetching, and call otter_ddi_fetched() */
bool otter_ddi_progress(otter_ddi_t *agent, int64_t now_ms, uint32_t bytes);

/** Fetching has ended. */
void otter_ddi_fetched(otter_ddi_t *agent, int64_t now_ms, const otter_ddi_fetched_t *fetched);

/** RESTART could not be obeyed. @param changed  the slot does not hold the image any more: it has to be fetched again */
void otter_ddi_not_restarted(otter_ddi_t *agent, int64_t now_ms, bool changed, const char *why);

/** An offer that is held (soft, confirmation) may go on. */
void otter_ddi_allow(otter_ddi_t *agent);

/** The device may have changed (it was confirmed, or rejected): it is looked at in the next otter_ddi_next(). */
void otter_ddi_changed(otter_ddi_t *agent);

/** Nothing of an action is under way: no fetch, no trial, nothing that the server is still to be told. */
bool otter_ddi_is_idle(const otter_ddi_t *agent);

/*
 * What most callers put behind the callbacks: the record in flash, and a device of otter/device.h. Each caller sees to it that
 * nobody else uses the device meanwhile (OTTER_LOCK_UPDATES where tasks do).
 */

#define OTTER_DDI_STORE_UNIT_MAX 32u /* bytes, the largest write unit of flash that a record is kept in */

/** The record in a data partition of two sectors or more, of which the first two are used. Private; zeros before the opening. */
typedef struct {
    otter_flash_t *flash;
    uint32_t offset, sector, seq;
    int newest; /* the sector that holds the newest record, -1: none does */
} otter_ddi_store_t;

/**
 * Looks for the newest record. Writes nothing.
 * @return ESP_OK, also where there is none; ESP_ERR_INVALID_SIZE (less than two sectors), ESP_ERR_NOT_SUPPORTED (a write unit
 *         above OTTER_DDI_STORE_UNIT_MAX), ESP_ERR_FLASH_OP_*
 */
OTTER_MUST_CHECK esp_err_t otter_ddi_store_open(otter_ddi_store_t *store, otter_flash_t *flash,
                                                const esp_partition_t *partition);
/** As otter_ddi_config_t wants it. @return ESP_OK, ESP_ERR_NOT_FOUND, ESP_ERR_FLASH_OP_* */
OTTER_MUST_CHECK esp_err_t otter_ddi_store_load(otter_ddi_store_t *store,
                                                uint8_t record[OTTER_DDI_RECORD_SIZE]);
/** The older sector is erased and programmed: a cut leaves the old record or the new one. @return ESP_OK, ESP_ERR_FLASH_OP_* */
OTTER_MUST_CHECK esp_err_t otter_ddi_store_save(otter_ddi_store_t *store,
                                                const uint8_t record[OTTER_DDI_RECORD_SIZE]);

/**
 * How a device is. Reads the image that runs.
 * @param wanted  label of the slot that out->wanted is about; "": none
 * @return ESP_OK; ESP_ERR_INVALID_STATE (nothing runs); what otter_image_length() says of the image that runs; ESP_ERR_NO_MEM
 */
OTTER_MUST_CHECK esp_err_t otter_ddi_device_look(otter_device_t *device, const char *wanted,
                                                 otter_ddi_device_t *out);

/**
 * Does what runs begin with these bytes?
 * @return ESP_OK, ESP_ERR_INVALID_STATE (nothing runs), ESP_ERR_FLASH_OP_*, ESP_ERR_NO_MEM
 */
OTTER_MUST_CHECK esp_err_t otter_ddi_device_compare(otter_device_t *device, const otter_ddi_file_t *file,
                                                    bool *same);

/**
 * An image was fetched into `slot`: is it the file that was asked for? Fills `fetched` with what otter_ddi_fetched() wants.
 * @param file   NULL: the file is not what is in the slot, as it came encrypted; its bytes are not compared then
 * @param fault  keeps fetched->why
 */
void otter_ddi_device_fetched(otter_device_t *device, const esp_partition_t *slot,
                              const otter_ddi_file_t *file, otter_ddi_fetched_t *fetched,
                              otter_fault_t *fault);

/**
 * Does the data partition with this label begin with these bytes?
 * @return ESP_OK, ESP_ERR_NOT_FOUND (there is none), ESP_ERR_FLASH_OP_*, ESP_ERR_NO_MEM
 */
OTTER_MUST_CHECK esp_err_t otter_ddi_device_holds(otter_device_t *device, const char *partition,
                                                  const otter_ddi_file_t *file, bool *same);

/** The data partition with this label, as order.partition names it; NULL, and `fault` says so. */
const esp_partition_t *otter_ddi_device_partition(const otter_device_t *device, const char *label,
                                                  otter_fault_t *fault);

/**
 * A file for a data partition was fetched into `slot`: if it is the one that was asked for it is copied there, and read back. A
 * cut leaves the old bytes, or a copy that the next boot finishes before anything runs. Fills `fetched` with what
 * otter_ddi_fetched() wants. Needs config.copies of the device (otter_staged_copies).
 * @param fault  keeps fetched->why
 */
void otter_ddi_device_stored(otter_device_t *device, const esp_partition_t *slot, const esp_partition_t *data,
                             const otter_ddi_file_t *file, otter_ddi_fetched_t *fetched,
                             otter_fault_t *fault);

/**
 * RESTART, but for the restart: selects order->slot if it still holds what the order says.
 * @param changed  it does not
 * @return ESP_OK; ESP_ERR_NOT_FOUND (no such slot), ESP_ERR_INVALID_STATE (*changed, or it runs), or as
 *         otter_ota_set_boot_partition()
 */
OTTER_MUST_CHECK esp_err_t otter_ddi_device_select(otter_device_t *device, const otter_ddi_order_t *order,
                                                   bool *changed, otter_fault_t *fault);

#ifdef __cplusplus
}
#endif
