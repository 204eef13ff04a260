/* Thousands of devices and their server on one clock: links, power, bad boards and lost answers, drawn from one seed. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "fleet/device.h"
#include "fleet/server.h"
#include "otter/promise.h"

#define FLEET_DEVICES_MAX  200000u
#define FLEET_RELEASES_MAX 8u
#define FLEET_LINKS        4u
#define FLEET_SAMPLES      2048u

/** One kind of link. */
typedef struct {
    const char *name, *what;
    uint32_t latency_ms; /* of a request and its answer together, on average */
    uint32_t bytes_per_s;
    uint32_t loss; /* requests, and pieces of 4 KiB, of 10,000 that do not come through */
} fleet_link_t;

extern const fleet_link_t fleet_links[FLEET_LINKS];

/** What is simulated. FLEET_WORLD_DEFAULTS has something of everything, but releases. */
typedef struct {
    uint32_t devices, seed;
    const char *id; /* that devices' names begin with, at most 64 bytes; NULL: "dev-" */
    const char *server, *tenant,
        *authorization; /* of a real one, and the header for it; NULL: the one in memory */
    struct {
        const char *version;        /* at most 31 bytes */
        bool crashes;               /* on boards of revision B */
    } releases[FLEET_RELEASES_MAX]; /* the first one runs already, the others are rolled out in turn */
    uint32_t release_count;
    fleet_plan_t plan; /* of each of them; its `release` is not looked at */
    bool withdraw;     /* where one was stopped, the one before is assigned to whom has it */
    uint32_t poll_s;
    uint32_t image_size;                /* bytes */
    uint32_t bad_percent;               /* of the boards are of revision B */
    uint32_t lose;                      /* answers of 10,000 that are lost, whatever the link */
    uint32_t cuts;                      /* power cuts of a device in 100 days */
    uint32_t link_percent[FLEET_LINKS]; /* 100 together */
    uint32_t blackout_s;                /* when all lose power together, for a minute; 0: never */
    uint32_t days;                      /* that it may last */
    uint32_t self_test_ms;              /* from the boot of a new release until it confirms itself */
    uint32_t rate;                      /* requests in any second that the server takes; 0: all */
} fleet_world_config_t;

#define FLEET_WORLD_DEFAULTS                                                                                 \
    {                                                                                                        \
        .devices = 1000, .seed = 1,                                                                          \
        .plan = {.percent = {5, 20, 75}, .group_count = 3, .success_percent = 90, .error_percent = 10},      \
        .poll_s = 300, .image_size = 0x10000, .bad_percent = 2, .lose = 100, .cuts = 20,                     \
        .link_percent = {10, 60, 25, 5}, .days = 7, .self_test_ms = 20000                                    \
    }

/** How many devices were what at a time: run which; the same of those whose update failed, and all of these; busy; off. */
typedef struct {
    int64_t at_ms;
    uint32_t runs[FLEET_RELEASES_MAX], failed_on[FLEET_RELEASES_MAX], failed, busy, off;
    uint64_t requests;
} fleet_sample_t;

/** What must hold, and what did not. */
typedef struct {
    uint64_t closings;        /* that were looked at when they came */
    uint32_t lies;            /* of these, told what was not true of the device */
    uint32_t installed_twice; /* actions */
    uint32_t untrue;          /* devices of which the server says at the end what is not so */
    uint32_t dead;            /* devices that do not boot */
    uint32_t open;            /* actions that have not ended */
    char first[160];          /* what went wrong first; "" */
} fleet_verdict_t;

typedef struct fleet_world {
    fleet_world_config_t config;
    const fleet_wire_t *wire;
    void *wire_ctx;            /* the wire's */
    const char *authorization; /* the header that a request gets which may have it; NULL: none does */
    fleet_server_t server;
    fleet_release_t releases[FLEET_RELEASES_MAX];
    fleet_device_t *devices;
    sparse_pool_t pool;
    int64_t now_ms;
    uint32_t rolled_out; /* releases[1] and so on, whose rollout has begun */
    uint32_t withdrawn;  /* of these, rollouts whose devices got the one before */
    bool blacked_out;
    bool over; /* every rollout has ended or stopped, and all that it began has ended */
    fleet_sample_t samples[FLEET_SAMPLES];
    uint32_t sample_count;
    int64_t sample_step_ms, sample_at;
    uint64_t cuts, lost_requests, lost_answers, half_answers, broken_downloads, installs, trials_again, bytes;
    fleet_verdict_t verdict;
    /* private */
    uint32_t *line; /* devices, as a heap: the one that is due first is its top */
    uint32_t line_count;
    uint32_t random;
    int64_t tick_at;
    char learnt[FLEET_RELEASES_MAX][32]; /* versions that nobody named before */
    uint8_t buffer[16384];               /* that flash is read through */
} fleet_world_t;

/** Makes the devices, all of them running the first release. @return false: out of memory */
OTTER_MUST_CHECK bool fleet_world_open(fleet_world_t *world, const fleet_world_config_t *config);
void fleet_world_close(fleet_world_t *world);

/** Goes on until `until_ms` of its clock. @return false: all is over, or the days are */
bool fleet_world_run(fleet_world_t *world, int64_t until_ms);

/* ---- for whoever has the clock instead ---- */

/** This device does what is due now, or loses power. */
void fleet_world_serve(fleet_world_t *world, uint32_t index);

/** A point of the curve. */
void fleet_world_sample(fleet_world_t *world);

/** Looks at all of it when it has ended. @return true: all that must hold does */
bool fleet_world_judge(fleet_world_t *world);

/* ---- for devices ---- */

/** Which release that is by its version. One that is not known yet becomes it, as long as there is room; then the last one. */
uint32_t fleet_world_release(fleet_world_t *world, const char *version);

uint32_t fleet_world_random(fleet_world_t *world, uint32_t below);

/** Something that must not happen has happened. */
void fleet_world_accuse(fleet_world_t *world, uint32_t *count, const fleet_device_t *device,
                        const char *what);
