/* A fleet's server in memory: DDI v1 as hawkBit speaks it, actions and rollouts; a request comes in, an answer goes out. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "otter/promise.h"

/*
 * No sockets, no clock: whoever owns it says what time it is. It is strict: what no device should send is refused with the status
 * that hawkBit has for it, and kept as a complaint. One task at a time.
 */

#define FLEET_SERVER_QUOTA                                                                                   \
    1000u /* entries of an action that are no closing feedback: then 429 with a quota's code */
#define FLEET_DETAILS_MAX    50u   /* of one feedback: then the same */
#define FLEET_ATTRIBUTES_MAX 100u  /* of one device: then the same */
#define FLEET_VALUE_MAX      128u  /* bytes of an attribute's name and value: then 400 */
#define FLEET_ANSWER_SIZE    4096u /* bytes, any answer with its end */
#define FLEET_GROUPS_MAX     16u
#define FLEET_NONE           UINT32_MAX

/** A file that devices are to have. The owner's, as long as the server. */
typedef struct fleet_release {
    const char *version;
    const char *part; /* software module's type: "os" */
    const char *name; /* of the file: letters, digits, '.', '-' */
    const uint8_t *bytes;
    uint32_t size;
    uint8_t sha1[20], sha256[32];
    bool sha1_only;                   /* as goosebit */
    const char *link;                 /* on another host; NULL: on this server */
    const struct fleet_release *also; /* in a chunk of its own behind this one; NULL: none */
    const char *chunks_before,
        *files_before; /* more of an offer, as JSON with a comma at its end; NULL: none */
} fleet_release_t;

typedef enum {
    FLEET_CONFIRM, /* waits for a confirmation */
    FLEET_RUNNING,
    FLEET_CANCELING,
    FLEET_CANCELED,
    FLEET_FINISHED, /* the server says in_sync */
    FLEET_FAILED,
} fleet_status_t;

typedef enum {
    FLEET_FORCED,
    FLEET_SOFT,
    FLEET_TIMEFORCED,    /* soft until force_at_ms */
    FLEET_DOWNLOAD_ONLY, /* `downloaded` ends it */
    FLEET_DOWNLOAD_FIRST, /* no hurry to download, no install: as a window that is closed for the download, too */
} fleet_mode_t;

/** How an action is to be carried out. Zeros: forced, at once. */
typedef struct {
    fleet_mode_t mode;
    int64_t force_at_ms;
    int64_t window_from_ms, window_until_ms; /* a maintenance window; both 0: none */
    bool confirm;                            /* the device is asked first */
    uint32_t quota;                          /* 0: FLEET_SERVER_QUOTA */
} fleet_order_t;

typedef struct {
    uint32_t id;      /* from 1 */
    const char *name; /* that devices know it by, the owner's; NULL: its id */
    uint32_t device;
    const fleet_release_t *release;
    uint32_t rollout, group; /* FLEET_NONE: of no rollout */
    fleet_order_t order;
    fleet_status_t status;
    uint32_t changes; /* counted in `c` */
    uint32_t entries, closings;
    int64_t assigned_ms, ended_ms;
    bool retrieved, forced, open;  /* has been seen by the device; the time has come; the window has */
    bool was_canceled;             /* the device was asked to stop, whatever came of it */
    const char *download, *update; /* words of the offer, the owner's; NULL: as order says */
    int32_t code;                  /* that the device gave with its failure */
    char detail[256];              /* that it told last */
    uint32_t next;                 /* the device's next younger action */
} fleet_action_t;

typedef enum { FLEET_WAITING, FLEET_STARTED, FLEET_STOPPED, FLEET_ENDED } fleet_progress_t;

typedef struct {
    uint32_t first, count; /* devices, in the server's order */
    fleet_progress_t progress;
    uint32_t finished, failed, canceled;
    int64_t started_ms, ended_ms;
} fleet_group_t;

/** What is rolled out, to whom first, and when it stops by itself. */
typedef struct {
    const fleet_release_t *release;
    fleet_order_t order;
    uint32_t percent[FLEET_GROUPS_MAX]; /* of the fleet; 100 together */
    uint32_t group_count;
    uint32_t success_percent; /* of a group has finished: the next one starts */
    uint32_t error_percent;   /* of a group has failed: no other one starts */
} fleet_plan_t;

typedef struct {
    fleet_plan_t plan;
    fleet_progress_t progress;
    fleet_group_t groups[FLEET_GROUPS_MAX];
    int64_t started_ms, stopped_ms, ended_ms;
    char why[96]; /* it stopped */
} fleet_rollout_t;

typedef struct {
    char *id;
    uint32_t oldest, youngest; /* actions; FLEET_NONE */
    uint32_t polls;
    bool has_attributes; /* they came since they were asked for */
    bool deleted;        /* 404 for everything */
    char *attributes;    /* the last ones, as they came */
    int64_t seen_ms;     /* last poll; -1: none yet */
} fleet_target_t;

typedef struct {
    const char *method, *url;
    const char *authorization; /* the header; NULL: there is none */
    const char *type;          /* Content-Type; NULL */
    const char *body;          /* terminated; NULL: none */
} fleet_request_t;

typedef struct {
    int status;
    char text[FLEET_ANSWER_SIZE]; /* the body, terminated; "" */
    const fleet_release_t *file;  /* the body is this file; Range is the transport's affair */
} fleet_answer_t;

/** What was counted, since the beginning. */
typedef struct {
    uint64_t requests, polls, downloads, refused; /* refused: with 429, as there were too many */
    uint32_t most_requests, most_polls;           /* in any second of the clock */
    int64_t most_requests_ms, most_polls_ms;      /* which one */
} fleet_load_t;

typedef struct fleet_server {
    /* the owner's, set before the first request */
    const char *base;   /* "https://fleet.example:8443" */
    const char *tenant; /* "DEFAULT" */
    const char *token;  /* the gateway's: makes devices known at their first poll */
    uint32_t sleep_s;   /* between polls, */
    const char *sleep;  /* or what is told instead; NULL: nothing */
    uint32_t rate;      /* requests in any second, above: 429 without a body; 0: no limit */
    /** Called before a closing feedback is taken: what the owner knows to be true of the device. */
    void (*on_closing)(void *ctx, const fleet_action_t *action, bool success);
    /** A line for each request: "dev-7 POST deploymentBase/7/feedback proceeding none 200". NULL: nobody reads it. */
    void (*on_line)(void *ctx, int64_t now_ms, const char *line);
    void *ctx;

    /* to be read */
    fleet_target_t *targets;
    uint32_t target_count;
    fleet_action_t *actions; /* [id - 1] */
    uint32_t action_count;
    fleet_rollout_t *rollouts;
    uint32_t rollout_count;
    uint64_t complaints; /* about what no device should send, */
    char complaint[256]; /* and the first one */
    fleet_load_t load;

    /* private */
    uint32_t target_room, action_room, rollout_room, table_size;
    uint32_t *table; /* targets by id */
    int64_t now_ms, second;
    uint32_t second_requests, second_polls;
    char line[256];
} fleet_server_t;

/** The rest of it is the owner's to fill in. */
void fleet_server_init(fleet_server_t *server);
void fleet_server_free(fleet_server_t *server);

/** Hashes of a release's bytes. @return false: out of memory */
OTTER_MUST_CHECK bool fleet_release_hash(fleet_release_t *release);

/** Makes a device known. @return its number; FLEET_NONE: out of memory, or it is known */
OTTER_MUST_CHECK uint32_t fleet_server_add(fleet_server_t *server, const char *id);

/** @return FLEET_NONE: there is none */
uint32_t fleet_server_find(const fleet_server_t *server, const char *id, size_t len);

/** One request. Times never go back. */
void fleet_server_handle(fleet_server_t *server, int64_t now_ms, const fleet_request_t *request,
                         fleet_answer_t *answer);

/** What happens by time alone: windows, forced times, thresholds. To be called every few seconds of the clock. */
void fleet_server_tick(fleet_server_t *server, int64_t now_ms);

/** Assigns a release to a device; what it has open is cancelled. @return the action's id, 0: out of memory */
OTTER_MUST_CHECK uint32_t fleet_server_assign(fleet_server_t *server, int64_t now_ms, uint32_t device,
                                              const fleet_release_t *release, const fleet_order_t *order);

/** Asks the device to stop. Of an action that has ended, nothing. */
void fleet_server_cancel(fleet_server_t *server, uint32_t action_id);

/** What the device's poll offers; NULL: nothing. */
fleet_action_t *fleet_server_active(const fleet_server_t *server, uint32_t device);

/** Begins with the first group at the next tick. @return its number, FLEET_NONE: out of memory */
OTTER_MUST_CHECK uint32_t fleet_server_roll_out(fleet_server_t *server, int64_t now_ms,
                                                const fleet_plan_t *plan);

/** No other group starts. What runs goes on. */
void fleet_server_stop(fleet_server_t *server, int64_t now_ms, uint32_t rollout, const char *why);

static inline bool fleet_action_is_open(const fleet_action_t *action)
{
    return action->status <= FLEET_CANCELING;
}
