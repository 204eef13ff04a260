/* What is known of each chip an image can be for: ids, address windows, limits. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "otter/trust.h"

#ifdef __cplusplus
extern "C" {
#endif

#define OTTER_CHIP_LINUX 0xFFFFu /* the virtual device: `otter run` starts its images */
#define OTTER_CHIP_DEVICE                                                                                    \
    0xFFFEu /* any other device: its own bootloader starts them (FORMATS.md section 5.6) */

/** True of a chip of Espressif's, whose ROM and bootloader read images; of the other two nothing is mapped. */
static inline bool otter_chip_is_espressif(uint16_t id)
{
    return id != OTTER_CHIP_LINUX && id != OTTER_CHIP_DEVICE;
}

/** The chip that judges an image: its kind and what its eFuses say. */
typedef struct {
    uint16_t id;              /* esp_chip_id_t */
    uint16_t revision;        /* major * 100 + minor */
    uint16_t blk_revision;    /* eFuse block revision, major * 100 + minor */
    bool ignore_max_revision; /* eFuse "disable wafer version major" */
    bool ignore_max_blk_revision;
    bool revision_unknown, blk_revision_unknown; /* nobody told: the number is the least that it can be */
} otter_chip_t;

/** Addresses [start, end); both 0: no such window. */
typedef struct {
    uint32_t start, end;
} otter_window_t;

#define OTTER_RAM_WINDOWS 5

/** Constant facts of a kind of chip. */
typedef struct {
    const char *name;  /* "esp32c3", as ESP-IDF and esptool spell targets; "linux", "device" */
    const char *title; /* "ESP32-C3" */
    uint16_t id;
    uint32_t bootloader_offset; /* in flash */
    otter_window_t data, inst;  /* where flash is mapped, at the default page size; 0: nothing is mapped */
    /* where a chip with an MMU of its own for that maps external RAM: not copied to either */
    otter_window_t extram;
    uint16_t mmu_pages;    /* not 0: the windows are this many MMU pages long, whatever the page size */
    uint32_t mmu_page;     /* bytes, the default */
    uint32_t mmu_page_min; /* bytes, the smallest that the app descriptor may choose; 0: it has no choice */
    uint32_t image_limit;  /* a larger partition, or a segment this large, is refused; UINT32_MAX: no limit */
    uint8_t secure_version_bits; /* width of the eFuse anti-rollback field */
    uint8_t schemes;             /* bit n: it has the otter_signature_scheme_t n */
    uint8_t signature_blocks;    /* that it looks at: 1 or 3 */
    uint8_t key_digest_len;      /* bytes of a key's digest in its eFuses: 32 or 16 */
    bool has_blk_revision; /* checks the eFuse block revision of the descriptor (all but ESP32 and linux) */
    otter_window_t ram[OTTER_RAM_WINDOWS]; /* on-chip memory: a loaded segment lies in one of them */
    uint16_t elf_machine;                  /* e_machine of its ELF files: 94 Xtensa, 243 RISC-V, 0 any */
    uint8_t flash_freq_mhz[4]; /* image header codes 0, 1, 2 and 15 as MHz; 0: the chip has no such code */
} otter_chip_facts_t;

/** @return NULL for an id that is not in the table */
const otter_chip_facts_t *otter_chip_facts(uint16_t id);

/** "ESP32-C3", also of chips that exist and are not in the table. @return a constant, NULL for an id that no chip has */
const char *otter_chip_title(uint16_t id);

/** By name, case ignored, with or without the dash ("ESP32-C3", "esp32c3"). @return NULL if unknown */
const otter_chip_facts_t *otter_chip_by_name(const char *name);

/** True if the chip verifies signatures of this scheme. */
static inline bool otter_chip_verifies(const otter_chip_facts_t *chip, otter_signature_scheme_t scheme)
{
    return (chip->schemes >> scheme & 1) != 0;
}

/**
 * What a chip makes of the keys in a configuration: how many signatures it looks at, and how much of a key's digest.
 * @param chip  NULL: a chip that is not in the table
 * @return trust in nobody, with ESP_ERR_NOT_SUPPORTED, where the chip does not have the scheme
 */
otter_trust_t otter_chip_trust(const otter_chip_facts_t *chip, const otter_trust_config_t *config);

/** The table in order, for messages and --help. @return NULL past the end */
const otter_chip_facts_t *otter_chip_at(unsigned index);

/** True if `addr` is in a window where the chip maps flash or external RAM, with MMU pages of `page` bytes. */
bool otter_chip_maps(const otter_chip_facts_t *facts, uint32_t addr, uint32_t page);

/** True if a bootloader may copy `len` bytes, at least 1, to `addr`: all of them go into one window of on-chip memory. */
bool otter_chip_can_load(const otter_chip_facts_t *facts, uint32_t addr, uint32_t len);

/**
 * The MMU page that an app descriptor names.
 * @param log2  its mmu_page_size: log2 of bytes, 0 for the chip's default
 * @return bytes; 0: no page of this chip, which takes its default then
 */
uint32_t otter_chip_mmu_page(const otter_chip_facts_t *facts, uint8_t log2);

#ifdef __cplusplus
}
#endif
