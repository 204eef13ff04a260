/* The deterministic world: devices, their flash, a server and the network between them, all drawn from one seed. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "boot/otadata.h"
#include "esp_https_ota.h"
#include "otter/boot.h"
#include "otter/device.h"
#include "line.h"
#include "sim/sim_flash.h"
#include "tally.h"

#define WORLD_DEVICES_MAX  3
#define WORLD_RELEASES_MAX 8
#define WORLD_SLOTS_MAX    4
#define WORLD_SLOT_MIN     0x10000u
#define WORLD_SECTOR_MIN   4096u
#define WORLD_SECTORS_MAX  128u
#define WORLD_FACTORY      (-1) /* as a slot */
#define WORLD_NONE         (-1) /* as a release */
#define WORLD_CHIP         0u   /* ESP32 */
#define WORLD_OTHER_CHIP   2u   /* ESP32-S2 */

#define WORLD_TIMEOUT_MS  1000 /* of each wait of a device */
#define WORLD_CIPHER_HEAD 16u  /* bytes before an encrypted image */

/* ---- chance (chance.c) ---- */

typedef struct {
    uint64_t state;
} chance_t;

uint32_t chance_next(chance_t *c);
/** 0 to n - 1; n > 0. */
uint32_t chance_below(chance_t *c, uint32_t n);
/** True in `percent` of 100 cases. */
bool chance_percent(chance_t *c, uint32_t percent);

/* ---- releases (release.c) ---- */

/** A firmware that its maker released. These bytes, whole, are what may ever run. */
typedef struct {
    uint8_t *bytes,
        *cipher; /* the same for devices that decrypt: WORLD_CIPHER_HEAD bytes, then the image under a key */
    uint8_t *sealed; /* and for those whose library does (support/sealed.h) */
    uint32_t len, cipher_len, sealed_len;
    uint32_t judged; /* bytes that must be right where it runs: of a signature sector the first block */
    uint32_t secure_version;
    bool healthy; /* confirms itself when it runs */
    bool foreign; /* for another chip: no device may run it */
    char signer;  /* whose key has signed it: 'a' the owner's, 'c' a stranger's; 0: nobody's */
    char etag[24], date[40];
} release_t;

/** @return false when out of memory */
bool release_make(release_t *release, chance_t *chance, unsigned number, uint32_t secure_version);
void release_free(release_t *release);
/** The key at this byte of the image. */
uint8_t release_key(uint32_t at);

/* ---- flash (world_flash.c) ---- */

/** Where partitions lie; images are staged in one of the size of a slot. */
typedef struct {
    uint32_t sector; /* bytes */
    uint32_t table, otadata, factory, slots, slot_size, stage, flash_size;
} world_layout_t;

/** What a chip's flash is like. */
typedef struct {
    const world_layout_t *layout;
    uint32_t write_size;
    bool write_once;
} world_shape_t;

/** The simulator's flash, with a fence, sectors that wear out and operations that fail for once. */
typedef struct {
    sim_flash_t sim;
    otter_flash_t flash; /* what the device sees */
    otter_flash_t sound; /* the same bytes, read without a fault: what the harness sees */
    world_device_t *device;
    const world_layout_t *layout;
    bool otadata_open;                          /* the fence: otadata may be changed now, */
    uint32_t slot_open;                         /* ... and the slot at this address; 0: none */
    bool stage_open;                            /* ... and where images are staged */
    bool all_open;                              /* ... and everything */
    uint32_t read_faults_ppm, write_faults_ppm; /* of operations, in a million */
    uint32_t faults, record_faults;             /* that came so far; of them in otadata */
    uint32_t otadata_changes;
    uint32_t erases[WORLD_SECTORS_MAX];
    uint32_t endurance[WORLD_SECTORS_MAX]; /* erases after which a sector keeps some bits at 0 */
    uint32_t worn, worn_records;           /* sectors that do; of them in otadata */
    struct {
        uint32_t off, len; /* of an erase that goes on; len 0: there is none */
        uint32_t asked;    /* how often, since it has begun */
    } pending;
} world_flash_t;

/** Erased flash of this shape. @return false when out of memory */
bool world_flash_init(world_flash_t *f, world_device_t *device, const world_shape_t *shape,
                      bool stable_reads);
/** It erases blocks of four sectors at once, and lets the caller go on meanwhile. Not of flash that reads stably. */
void world_flash_erase_blocks(world_flash_t *f);
/** From now on it is encrypted: its table, and `len` bytes at `app`, which are there. */
void world_flash_encrypt(world_flash_t *f, uint32_t app, uint32_t len);
/** The next boot is to encrypt it, and may write anywhere. Not of flash that is programmed once. */
void world_flash_wait(world_flash_t *f);
/** That boot has ended. */
void world_flash_waited(world_flash_t *f);
/** True if these bytes lie there, past everything that could go wrong with reading them. */
bool world_flash_holds(const world_flash_t *f, uint32_t off, const uint8_t *bytes, uint32_t len);
void world_flash_free(world_flash_t *f);
/** The records as they are in flash. */
void world_flash_records(const world_flash_t *f, otadata_entry_t two[OTADATA_COPY_COUNT]);
/** True if a bit of them hangs. */
bool world_flash_records_are_weak(const world_flash_t *f);
/** One of all shapes there are, by a number below WORLD_SHAPES. */
#define WORLD_SHAPES 16u
const world_shape_t *world_flash_shape_at(uint32_t index);
/** Nothing fails any more that is not worn out, no cut is planned. */
void world_flash_calm(world_flash_t *f);
/** Power goes in one of the next operations. */
void world_flash_plan_cut(world_flash_t *f, chance_t *chance);

/* ---- the server (server.c, quirks.c) ---- */

/**
 * Answers the request at `request` (to its empty line; spoilt by this) of connection `c`.
 * @param to  where the answer comes out; NULL: nobody is there any more
 */
void server_answer(connection_t *c, char *request, connection_t *to);

/* ---- a device (device.c, turn.c, judge.c) ---- */

/** An image in its place. */
typedef struct {
    int slot;    /* WORLD_FACTORY or the number of a slot */
    int release; /* WORLD_NONE: not one that is known */
} place_t;

typedef enum { NEXT_NONE, NEXT_MAYBE, NEXT_SURE } next_state_t;

typedef enum { USER_NONE, USER_RIGHT, USER_WRONG } user_t; /* name and password in the URL */

/** What the maker of a device chose. */
typedef struct {
    otter_device_config_t device;
    bool factory;
    uint32_t slot_count;
    const world_shape_t *shape;
    bool stable_reads;
    bool resumption, partial, bulk_erase;
    bool staged;    /* the image goes to a partition of its own first and is copied */
    bool decrypts;  /* by a callback */
    bool sealed;    /* its library decrypts, and goes on with what was cut */
    bool encrypted; /* its flash is, but for where images are staged; */
    bool by_boot;   /* ... its first boot has done that */
    int request_size, buffer_size, attempts;
    bool plain;
    user_t user;
} device_plan_t;

struct world_device {
    world_t *world;
    char name;
    device_plan_t plan;
    world_flash_t flash;
    otter_device_t device;
    uint32_t efuse, crypt_count;
    line_t line;

    bool on;   /* an application runs */
    bool busy; /* in the middle of a step: its wait lets others live */
    place_t running;
    bool trial;

    /* What the harness knows must boot: the last confirmed image, or the one that was selected after it. */
    place_t home, next;
    bool home_waits; /* it was confirmed before it ever ran */
    next_state_t next_state;
    place_t replaced;  /* had been selected before `next`, */
    bool replaced_may; /* ... and power went while that took its place */
    /* a flash that failed blurred that: any genuine, allowed image will do until a boot without failures */
    bool fuzzy;

    esp_https_ota_handle_t handle; /* of the attempt under way, NULL: none */
    bool begun;                    /* ... and its session: the slot may be written */
    bool received;                 /* ... and perform said ESP_OK */
    int target;                    /* slot of the attempt */
    uint32_t performs, overtime;   /* performs that began when the time was over */
    bool stages;                   /* this attempt is staged */
    bool copies;                   /* a copy may be unfinished, into ... */
    int copy_target;               /* ... this slot, */
    bool copies_twice;             /* ... and was when this attempt began */
    size_t decrypted;              /* bytes of the body that went through the callback */
    int64_t begin_us, others_us;   /* when it began; what other devices took of the time of the last call */
    uint64_t bytes_seen;
    uint32_t faults_before, erases_before[WORLD_SECTORS_MAX];
    esp_http_client_config_t http;
    esp_https_ota_config_t ota;
};

bool device_init(world_device_t *d, world_t *world, char name);
void device_free(world_device_t *d);
/** Address of a slot or of factory. */
uint32_t device_slot_address(const world_device_t *d, int slot);
const esp_partition_t *device_partition(const world_device_t *d, int slot);
/** Where a device stages its images. */
const esp_partition_t *device_stage(const world_device_t *d);
/** Drops what runs, as a reset or a power cut does. */
void device_stop(world_device_t *d);

/** One thing happens to the device, or is done by its application. */
void take_turn(world_device_t *d);
/** Faults are over: the device must come to run `release`. */
void calm_device(world_device_t *d, int release);

/** Is the signature one that the device may take now? */
bool judge_trusts(const world_device_t *d, int release);

bool same_place(place_t a, place_t b);
/** Which release lies whole at this place of the flash? */
place_t judge_place(const world_device_t *d, int slot);
/** The same of where images are staged, as if it were the target. */
place_t judge_stage(const world_device_t *d);
/** Is it what the owner of the device wants to run now? NULL: yes; else what is wrong. */
const char *judge_objection(const world_device_t *d, place_t place);
/** May this image start now? Tells the world if not. */
bool judge_started(world_device_t *d, place_t place);
/** Were power to go now, what would boot? Tells the world if that is wrong. */
void judge_moment(world_device_t *d);
/** An attempt's wear. */
void judge_wear(world_device_t *d, bool refused);

/* ---- the world (world.c) ---- */

struct world {
    uint64_t seed;
    chance_t chance;
    bool trace;
    tally_t *tally;
    release_t releases[WORLD_RELEASES_MAX];
    unsigned release_count, published; /* the server has releases[published] */
    world_device_t devices[WORLD_DEVICES_MAX];
    unsigned device_count;
    network_t network;
    bool calm;            /* faults are over */
    bool signs;           /* releases are signed, and devices may ask for it */
    bool judges_performs; /* the moment after each of them, too */
    bool failed;
    char failure[256];
    uint64_t story_hash;
    int64_t start_us;
};

/** Runs the world of one seed from its beginning to its end. @return false: an invariant broke, world->failure says which */
bool world_run(world_t *world, uint64_t seed, bool trace, tally_t *tally);

/** One line of the story. */
void story(const world_t *world, const world_device_t *d, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/** An invariant broke. The first one counts; the world ends. */
void world_fail(world_t *world, const world_device_t *d, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
