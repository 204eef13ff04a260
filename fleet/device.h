/* One simulated device: its flash, its boots, its updates and its agent, all by the library's own code. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "fleet/server.h"
#include "fleet/sparse_flash.h"
#include "otter/ddi.h"
#include "otter/device.h"
#include "otter/promise.h"
#include "otter/update.h"

#define FLEET_NEVER INT64_MAX

struct fleet_world;

/** Where its download stands. */
typedef struct {
    otter_update_t update;
    otter_fault_t fault;
    otter_ddi_file_t file;
    const fleet_release_t *release; /* of a simulated link */
    const esp_partition_t *slot;
    uint32_t done, breaks; /* bytes; how often the link broke since something came */
} fleet_download_t;

typedef struct fleet_device {
    struct fleet_world *world;
    uint32_t number; /* in the server, too */
    uint8_t link;    /* of fleet_links */
    bool bad;        /* its board is of revision B */
    bool on, trial;  /* has power; what runs is on trial */
    bool failed;     /* what it told last was a failure */
    bool told;       /* of real servers: one of them knows how an action ended here */
    bool torn;     /* power went while the record of its trial was written: nobody knows that there was one */
    uint8_t runs;  /* which release, as its flash says; FLEET_RELEASES_MAX: nothing boots */
    int64_t at_ms; /* it is to be asked again, and */
    uint32_t place;  /* where it stands in line for that */
    uint32_t cut_op; /* the operation of its flash that loses power, whatever chance says; SPARSE_NEVER */
    int64_t reset_at, confirm_at, cut_at; /* FLEET_NEVER */
    int64_t piece_at;                     /* of a download */
    int64_t answer_at;                    /* of a request that is out */
    fleet_download_t *download;           /* NULL: none */
    char *answer;                         /* of a simulated link: the body; NULL: it is lost */
    uint16_t status;
    bool cut_off;          /* half of it comes */
    char *file_url;        /* of the file that is asked for, until it is given; NULL: none is */
    otter_ddi_file_t file; /* it is this one, */
    bool file_authorize;   /* and may be asked for with the token */
    uint8_t file_tries;
    struct fleet_call *call;  /* of real sockets: the request that is out, */
    struct fleet_call *fetch; /* and the file that comes */
    char wanted[OTTER_DDI_ID_SIZE], installed[OTTER_DDI_ID_SIZE]; /* actions: to be tried next, tried last */
    char id[80], version[32];
    sparse_flash_t flash;
    otter_device_t device;
    otter_ddi_attribute_t attributes[3];
    otter_ddi_config_t config;
    otter_ddi_store_t store;
    otter_ddi_t agent;
} fleet_device_t;

/** How what a device asks gets out, and what comes back gets in. */
typedef struct {
    void (*send)(fleet_device_t *device, const otter_ddi_order_t *order); /* then fleet_device_answered() */
    void (*fetch)(fleet_device_t *device,
                  const otter_ddi_order_t *order); /* then _begin_file() or _fail_file() */
    void (*come)(fleet_device_t *device);          /* what is due now */
    void (*drop)(fleet_device_t *device);          /* the request that is out, and the file */
} fleet_wire_t;

/** Makes one that is off, with the first release of its world in its first slot. @return false: out of memory */
OTTER_MUST_CHECK bool fleet_device_open(fleet_device_t *device, struct fleet_world *world, uint32_t number);
void fleet_device_close(fleet_device_t *device);

/** What is due now. @return when it wants to be asked again */
int64_t fleet_device_act(fleet_device_t *device);

/** Power goes, until `until_ms`. */
void fleet_device_cut(fleet_device_t *device, int64_t until_ms);

/** This release runs, byte for byte, and is confirmed. Looks into its flash. */
bool fleet_device_runs(fleet_device_t *device, const fleet_release_t *release);

/* ---- for wires ---- */

#define FLEET_SOME_DAY (FLEET_NEVER - 1) /* answer_at and piece_at while the wire waits for somebody else */

/** @param status  0: nothing came. @param broken  NULL: all of it is there; else why not */
void fleet_device_answered(fleet_device_t *device, int status, const char *body, size_t len,
                           const char *broken);

/** The file's first byte may come. @param announced  bytes, as the transport says; -1: it does not. @return false: refused */
OTTER_MUST_CHECK bool fleet_device_begin_file(fleet_device_t *device, const otter_ddi_file_t *file,
                                              int64_t announced);

/** The next bytes, 1 or more. @return false: no more are wanted; it is whole, or has failed */
OTTER_MUST_CHECK bool fleet_device_take_file(fleet_device_t *device, const uint8_t *bytes, uint32_t len);

/** It does not come, or not to its end. Also before it began. */
void fleet_device_fail_file(fleet_device_t *device, otter_stage_t stage, esp_err_t err, const char *why);
