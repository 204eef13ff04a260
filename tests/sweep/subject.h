/* One device of the sweep: flash, eFuse, what runs, and what its owner has allowed to run. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "otter/bytes.h"
#include "esp_partition.h"
#include "otter/partition_table.h"
#include "otter/device.h"
#include "sim/sim_flash.h"

/* Of a device with sectors of 4096 bytes or less; in larger ones all of it is larger as well: subject_scaled(). */
#define SUBJECT_FLASH_SIZE 0x80000u
#define SUBJECT_TABLE      0x8000u
#define SUBJECT_OTADATA    0xD000u
#define SUBJECT_APPS       0x10000u
/* of each application partition: sixteen sectors; the distance between them too */
#define SUBJECT_PART_SIZE     0x10000u
#define SUBJECT_RECORDED_SIZE 0x20000u /* where recorded images go: one of them is larger */
#define SUBJECT_COPY_SIZE     0x4000u  /* of the partitions of layouts for staged copies: four sectors */
#define SUBJECT_BOOTLOADER    0x1000u
#define SUBJECT_RECOVERY      0x60000u /* the second bootloader */
#define SUBJECT_NVS           0x9000u  /* of devices whose application writes to NVS: three pages */
#define SUBJECT_NVS_SIZE      0x3000u
#define SUBJECT_FILES         0x70000u /* a data partition that copies go to */
#define SUBJECT_IMAGES        5
#define SUBJECT_IMAGE_MAX     0x40000u
#define SUBJECT_PLACES_MAX    8
#define SUBJECT_TRACE_MAX     512

/** What the device is at, as the steps say; the counts are told by it. */
typedef enum {
    PHASE_BOOT,
    PHASE_BOOT_COPY, /* the boot finishes a copy */
    PHASE_ENCRYPT,   /* the first boot encrypts */
    PHASE_DOWNLOAD,
    PHASE_RECORD, /* the memory of an unfinished download */
    PHASE_COPY,   /* from staging to final, and its journal */
    PHASE_SELECT,
    PHASE_CONFIRM,
    PHASE_NVS,
    PHASE_OTHER,
    PHASE_COUNT
} phase_t;

typedef enum { OP_PROGRAM, OP_ERASE, OP_EFUSE, OP_REVOKE, OP_CRYPT } op_kind_t;

/** One operation of a run that was not cut. */
typedef struct {
    op_kind_t kind;
    phase_t phase;
    uint32_t len; /* bytes; of an eFuse: versions */
} op_t;

/** An image at an address: what may run. */
typedef struct {
    uint32_t address;
    unsigned image;
} installed_t;

/** What staged updates are for. Those that are copied go through a staging partition. */
typedef enum { COPY_NONE, COPY_APP, COPY_DATA, COPY_BOOTLOADER, COPY_TABLE } copy_kind_t;

/** How far a staged copy is. From one to the next: the update ends; its journal is being committed; it is. */
typedef enum { JOURNAL_NONE, JOURNAL_NOT_YET, JOURNAL_PERHAPS, JOURNAL_DURABLE } journal_t;

typedef struct {
    journal_t journal;
    uint32_t address, size; /* of the final partition */
    uint32_t journal_at;    /* the journal's sector */
    const uint8_t *bytes;   /* what it shall hold, with nothing behind it */
    uint32_t len;
    uint64_t old; /* a digest of what it held */
} copy_t;

/** A number that the application keeps in NVS: as it was committed, and as it is being set. */
typedef struct {
    uint32_t now, next;
} setting_t;

typedef struct {
    setting_t url, count;
    uint32_t hangs; /* 1: a cut has left bits there that hang, which NVS cannot make good */
} settings_t;

/** What the owner has said so far. The harness keeps it from the calls it makes; otter's own state is not asked. */
typedef struct {
    installed_t may[SUBJECT_PLACES_MAX]; /* every one of these may run at the next boot */
    uint32_t count;
    installed_t running;     /* found by comparing bytes */
    uint32_t secure_version; /* the eFuse */
    uint32_t revoked;        /* another: keys by their numbers, as bits */
    uint32_t crypt_count;    /* another: flash is encrypted */
    uint32_t cuts;           /* so often has power gone */
    copy_t copy;
    settings_t settings;
} model_t;

/** How a partition table is laid out: applications one behind the other from 0x10000. */
typedef struct {
    const char *name;
    bool factory;
    bool copies;        /* with partitions that copies go to; applications are shorter then */
    bool staging;       /* a data partition for staging behind the slots; else the next slot serves */
    bool staging_first; /* its row is the table's first, which is written last */
    /* the table has no checksum and many rows, staging's is the last: torn, it looks like a shorter one */
    bool no_md5;
    bool recorded; /* images that ESP-IDF built, tests/vectors/image */
    bool efuse;    /* the secure version is kept in a partition behind the slots */
    bool nvs;      /* its application writes to NVS */
    uint32_t slots;
} layout_t;

/** Whom a device trusts, and who signed its images: recorded keys by their letters. */
typedef struct {
    otter_trust_source_t source;
    uint16_t chip;
    const char *keys;                   /* of its eFuses */
    const char *images[SUBJECT_IMAGES]; /* who signed each */
} signers_t;

typedef struct {
    const layout_t *layout;
    otter_device_config_t config;
    uint32_t write_size;
    uint32_t image_sectors; /* 0: less than one; the size of this subject's images */
    uint32_t erase_size;    /* 0: 4096 */
    bool write_once;
    const signers_t *signers; /* NULL: it trusts anybody, and nobody signs */
    bool encrypted;           /* it has flash encryption */
    bool plain_at_first;      /* which its first boot brings */
    uint32_t block_size;      /* that its flash erases at once, while it goes on; 0: it has no blocks */
} subject_config_t;

/** The longest program of one operation: what flash.c may take a buffer for. */
#define SUBJECT_PROGRAM_MAX 0x10000u

/** The operation in which power goes, and the device just before it: another tear of it needs no second run up to there. */
typedef struct {
    uint32_t mark; /* of the medium; 0: nothing is kept */
    model_t before;
    op_t op;
    uint32_t off; /* of a key: which */
    uint8_t bytes[SUBJECT_PROGRAM_MAX];
} cut_op_t;

typedef struct {
    sim_flash_t sim;
    otter_flash_t flash; /* what the device sees: the simulator behind the fence */
    otter_flash_ops_t ops;
    otter_device_t device;
    subject_config_t config;
    struct {
        uint32_t off, len; /* of an erase that goes on; len 0: there is none */
        uint32_t asked;    /* how often, since it has begun */
    } pending;
    struct {
        uint8_t bytes[SUBJECT_IMAGE_MAX];
        uint32_t len, secure_version;
    } images[SUBJECT_IMAGES];
    uint8_t tables[SUBJECT_IMAGES]
                  [OTTER_PARTITION_TABLE_LEN]; /* of layouts for copies: they differ in one label */
    uint32_t chosen;                           /* address of what was selected since the start; 0: nothing */
    model_t model;
    phase_t phase;
    phase_t op_phase;              /* of the last operation, told by where it was */
    bool first_boot;               /* it was plain when it was started */
    bool weak;                     /* a cut left weak bits: reads, and so boots, may differ */
    const esp_partition_t *target; /* the only partition besides otadata that may change now; NULL: none */
    op_t trace[SUBJECT_TRACE_MAX];
    uint32_t trace_count;
    bool tracing;
    cut_op_t *keep;       /* where the operation is kept that is cut next; NULL: nowhere */
    bool verbose;         /* tells each operation on stderr */
    uint32_t nvs_erases;  /* since the start, pages of NVS */
    uint32_t record_at;   /* sector of the resume record of a download that keeps one; 0: none */
    uint64_t resumptions; /* downloads that went on where a cut or a bad link had stopped them */
} subject_t;

/** Fills in images and tables. Ends the program when out of memory. */
void subject_make_contents(subject_t *subject);

/** A new device: table, image 0 in its first partition, nothing else. Ends the program when out of memory. */
void subject_open(subject_t *subject, const subject_config_t *config);
void subject_close(subject_t *subject);

/** Power on and the bootloader; on success what runs was compared byte for byte. @return false: nothing boots */
bool subject_boot(subject_t *subject);

/** The operation that was kept is cut again, as the simulator is told to; the medium and the model are as they were before it. */
void subject_cut_again(subject_t *subject, const cut_op_t *kept);

/** What lies in flash, as the chip reads it: behind the cipher, if there is one. Until the next call. */
const uint8_t *subject_see(const subject_t *subject, uint32_t at, uint32_t len);

/** True where the device has its cipher; told by the layout, otter's own state is not asked. */
bool subject_is_encrypted(const subject_t *subject, uint32_t at);

/** True until the first boot of a device that is plain at first has encrypted all that it must. */
bool subject_is_plain(const subject_t *subject);

/** Power returns after a cut. */
void subject_power_on(subject_t *subject);

/** Bytes that a record of otadata, or of a download, has to itself: 4096, or a sector if that is larger. */
static inline uint32_t subject_block(const subject_t *subject)
{
    return max_u32(4096, subject->flash.erase_size);
}

/** An address or a size of above. */
static inline uint32_t subject_scaled(const subject_t *subject, uint32_t value)
{
    return value / 4096 * subject_block(subject);
}

/** Bytes of an application partition; short ones make the copies and the encryption of all of one cheap. */
uint32_t subject_app_size(const subject_t *subject);

const esp_partition_t *subject_partition(const subject_t *subject, uint32_t type, uint32_t subtype);

static inline bool is_inside(uint32_t off, uint32_t len, uint32_t start, uint32_t size)
{
    return off >= start && range_fits(off - start, len, size);
}

/** Would an image be good by the keys that count now? Told by letters, not by otter. */
bool subject_trusts(const subject_t *subject, unsigned image);

/** The owner's word. */
void subject_allow(subject_t *subject, const esp_partition_t *slot, unsigned image);
void subject_forbid(subject_t *subject, uint32_t address);
void subject_allow_only_running(subject_t *subject);

/** `slot`, if it is one, has been taken out of use for an update: no bit of the records hangs any more. */
void subject_records_are_sure(subject_t *subject, const esp_partition_t *slot);

/** The record that decides says that the running image is on trial; decoded here, not by otter. */
bool subject_is_on_trial(const subject_t *subject);

/** Prints what failed and the line that replays it, and ends the program: see sweep.c. */
void sweep_fail(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

#define CHECK(condition, ...)                                                                                \
    do {                                                                                                     \
        if (!(condition)) {                                                                                  \
            sweep_fail(__VA_ARGS__);                                                                         \
        }                                                                                                    \
    } while (0)
