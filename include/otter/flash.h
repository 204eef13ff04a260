/* The flash seam: a NOR device as three operations, a barrier and its geometry; bounds are checked here, once. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "esp_err.h"
#include "otter/fault.h"
#include "otter/promise.h"

#ifdef __cplusplus
extern "C" {
#endif

#define OTTER_FLASH_SIZE_MAX 0x80000000u /* 2 GiB: every offset and every end fits 32 bits */

/**
 * What a port supplies. The core has already checked each call: ranges lie inside the device, `program` is aligned to
 * write_size, `erase` to erase_size, and no length is 0. All return ESP_OK, or ESP_ERR_FLASH_OP_FAIL /
 * ESP_ERR_FLASH_OP_TIMEOUT when the medium failed; what is in the range after a failure is unknown. `read` of flash with an
 * error correcting code returns ESP_ERR_INVALID_CRC where that cannot correct what a power cut has left: nothing has failed
 * then, and the range can be erased.
 *
 * NOR rules: erase sets every bit of its range; program clears bits (new = old AND src). In strict mode a port answers a
 * program that asks for 0 -> 1 with ESP_ERR_FLASH_OP_FAIL and changes nothing.
 */
typedef struct {
    esp_err_t (*read)(void *dev, uint32_t off, void *dst, uint32_t len);
    esp_err_t (*program)(void *dev, uint32_t off, const void *src, uint32_t len);
    esp_err_t (*erase)(void *dev, uint32_t off, uint32_t len);
    /** Barrier: everything done so far is on the medium before anything that follows. May be NULL: nothing is cached. */
    esp_err_t (*sync)(void *dev);
    /**
     * Begins what `erase` does, and returns. Whatever is called next, is_busy excepted, waits for its end first, and tells its
     * failure. Both may be NULL: then the caller waits for each erase.
     */
    esp_err_t (*erase_begin)(void *dev, uint32_t off, uint32_t len);
    /** An erase that was begun goes on. */
    bool (*is_busy)(void *dev);
} otter_flash_ops_t;

#define OTTER_FLASH_ERASE_MAX 0x20000u /* 128 KiB, the largest sector of a device's own flash */

/** The same: boot records and journals have whole write units to themselves, in memory too. */
#define OTTER_FLASH_UNIT_MAX 256u

#define OTTER_FLASH_WATCHES 4u /* ranges watched at a time; the oldest watch ends when there is one more */

/** Memory that somebody lends. */
typedef struct {
    uint8_t *bytes; /* NULL: none */
    uint32_t size;
} otter_buffer_t;

#define OTTER_FLASH_CIPHER_BLOCK                                                                             \
    16u /* bytes that are encrypted together: their first one lies at a multiple of it */

/**
 * Flash encryption: what stands between the bus and what lies in flash (otter/flash_encryption.h has it in software). The
 * bootloader, the partition table and the encrypted partitions are read and programmed through it, in whole blocks; all else is
 * plain.
 */
typedef struct {
    /**
     * In place. Called one at a time, with OTTER_LOCK_FLASH held.
     * @param off  of the first byte in flash; it and `len` are multiples of OTTER_FLASH_CIPHER_BLOCK
     * @return false: it could not be done, and what `data` holds is unknown
     */
    bool (*crypt)(void *ctx, bool decrypt, uint32_t off, uint8_t *data, uint32_t len);
    void *ctx;
    otter_buffer_t buffer; /* what is programmed is encrypted in it: 16 bytes or more, a multiple of 16 */
    bool release;          /* eFuses say that it cannot be switched off or written from outside any more */
} otter_flash_cipher_t;

struct otter_partition_list; /* otter/device.h */

/** Counters of what this process did; bytes and sectors, never reset by the core. */
typedef struct {
    uint64_t bytes_read;
    uint32_t sectors_erased, programs;
} otter_flash_stats_t;

/**
 * One flash device. The owner fills the first block and keeps it alive; the rest belongs to flash.c and starts as 0.
 * ESP-IDF's opaque `esp_flash_t` is this structure, so an esp_partition_t knows its flash.
 */
typedef struct esp_flash_t {
    const otter_flash_ops_t *ops;
    void *dev;
    uint32_t size; /* bytes, a multiple of erase_size, at most OTTER_FLASH_SIZE_MAX */
    /**
     * Bytes, a power of two; a device's own flash: at most OTTER_FLASH_ERASE_MAX. Where it is above 4096, the two records of
     * otadata lie one sector apart, and otadata and slots must be made of whole sectors (otter_device_init tells).
     */
    uint32_t erase_size;
    /**
     * Bytes, a power of two above erase_size: so many, where they begin at a multiple of it, are erased at once in less time than
     * sector by sector. 64 KiB on most SPI NOR. Then an update that erases as it goes erases a slot in such blocks. 0: none.
     */
    uint32_t block_size;
    /** Bytes, a power of two, at most erase_size; a device's own flash: at most OTTER_FLASH_UNIT_MAX. 1 on SPI NOR. */
    uint32_t write_size;
    /**
     * Flash reads the same every time, also what a power cut left half erased or half programmed: true of a file. Then a
     * sector that reads blank is not erased and one that reads right is not written. On a chip whose bits may hang between
     * 0 and 1 after a cut such a reading proves nothing, so the default is false: everything is erased and written.
     */
    bool stable_reads;
    /**
     * Memory to read flash through, for as long as the device is used; its size is the owner's choice. Images are judged in
     * pieces of it, 256 bytes without one; while an update arrives it is read back once this much is there, at the end without
     * one. What is written is compared with what is there (stable_reads) where it has room for a sector. 64 KiB are worth it on
     * a PC.
     */
    otter_buffer_t buffer;
    /**
     * A write unit can be programmed only once after it was erased, since it has an error correcting code of its own (STM32H7:
     * 32 bytes). Then nothing is programmed over itself, not even with the same bytes, and a unit of FF is not programmed at
     * all. Needs write_size above 1, and stable_reads false.
     */
    bool write_once;

    /** NULL: nothing is encrypted. Set before the flash is used; as long as a device is on it only its first boot changes it. */
    const otter_flash_cipher_t *cipher;
    /**
     * The cipher that it gets when the boot step has encrypted what is plain still: the first boot of a device with flash
     * encryption (otter_device_config_t.first_encryption). NULL: no boot encrypts it.
     */
    const otter_flash_cipher_t *waiting;

    otter_flash_stats_t stats;
    const struct otter_partition_list *partitions; /* that say what is plain; NULL or empty: nothing is */
    struct {
        uint32_t off, len;
    } plain; /* is plain as well, while there is no table that says so */
    struct {
        uint32_t ticket, off, len; /* ticket 0: none, or it was written to */
    } watches[OTTER_FLASH_WATCHES];
    uint32_t last_ticket;
    struct flash_map *maps; /* ranges that esp_partition_mmap gave out: src/flash/flash_map.h */
    bool buffer_lent;       /* to the one who reads through it now: src/flash/flash_buffer.h */
} otter_flash_t;

/** Bytes, a power of two, in which records, journals and updates are written: one write unit, or one block of the cipher. */
static inline uint32_t otter_flash_unit(const otter_flash_t *flash)
{
    return flash->cipher != NULL && flash->write_size < OTTER_FLASH_CIPHER_BLOCK ? OTTER_FLASH_CIPHER_BLOCK
                                                                                 : flash->write_size;
}

/** True of ESP_ERR_FLASH_OP_*: the medium failed, and what it holds is not known. */
static inline bool otter_flash_failed(esp_err_t err)
{
    return err == ESP_ERR_FLASH_OP_FAIL || err == ESP_ERR_FLASH_OP_TIMEOUT;
}

/** ESP_OK, or ESP_ERR_INVALID_ARG when the geometry breaks a rule stated above. Ports may call it when they open. */
OTTER_MUST_CHECK esp_err_t otter_flash_check_geometry(const otter_flash_t *flash, otter_fault_t *fault);

/*
 * Any task may call these at any time: each is carried out as a whole, one after the other (OTTER_LOCK_FLASH), so a port's
 * operations need no lock of their own. What takes several calls, such as erasing and then programming, is the caller's
 * to protect from others that use the same range.
 */

/**
 * Read, program, erase. `off` and `len` in bytes from the start of the device; len 0 does nothing. With flash encryption what
 * lies in an encrypted place is decrypted and encrypted on its way; erased flash reads as noise there, as it does on a chip.
 * @return ESP_OK
 *         ESP_ERR_INVALID_ARG   off is beyond the device, or erase's off is not on a sector boundary
 *         ESP_ERR_INVALID_SIZE  off + len is beyond the device, or len (program: or off) is not aligned: to write_size, in an
 *                               encrypted place also to OTTER_FLASH_CIPHER_BLOCK
 *         ESP_ERR_INVALID_CRC   read: the flash's code cannot correct what is there
 *         ESP_ERR_FLASH_OP_*    the medium failed
 */
OTTER_MUST_CHECK esp_err_t otter_flash_read(otter_flash_t *flash, uint32_t off, void *dst, uint32_t len);
OTTER_MUST_CHECK esp_err_t otter_flash_program(otter_flash_t *flash, uint32_t off, const void *src,
                                               uint32_t len);
OTTER_MUST_CHECK esp_err_t otter_flash_erase(otter_flash_t *flash, uint32_t off, uint32_t len);

/**
 * Begins an erase, and returns while the flash works, if its port can; the next call here waits. Until one has returned ESP_OK
 * nobody knows whether it has succeeded. @return as otter_flash_erase
 */
OTTER_MUST_CHECK esp_err_t otter_flash_erase_begin(otter_flash_t *flash, uint32_t off, uint32_t len);

/** An erase that was begun goes on: what is asked of the flash now would have to wait. */
bool otter_flash_is_busy(otter_flash_t *flash);

/** The same of what lies in flash, past the cipher. */
OTTER_MUST_CHECK esp_err_t otter_flash_read_raw(otter_flash_t *flash, uint32_t off, void *dst, uint32_t len);
OTTER_MUST_CHECK esp_err_t otter_flash_program_raw(otter_flash_t *flash, uint32_t off, const void *src,
                                                   uint32_t len);

/** The same through the cipher, wherever it is; without one as otter_flash_read_raw. */
OTTER_MUST_CHECK esp_err_t otter_flash_read_decrypted(otter_flash_t *flash, uint32_t off, void *dst,
                                                      uint32_t len);
OTTER_MUST_CHECK esp_err_t otter_flash_program_encrypted(otter_flash_t *flash, uint32_t off, const void *src,
                                                         uint32_t len);

/** As otter_flash_read, but what cannot be corrected reads as zeros, all of the range: as no record and no image does. */
OTTER_MUST_CHECK esp_err_t otter_flash_read_torn(otter_flash_t *flash, uint32_t off, void *dst, uint32_t len);

/** True if [off, off + len) is erased, past the cipher; false too where it cannot be read. */
bool otter_flash_reads_blank(otter_flash_t *flash, uint32_t off, uint32_t len);

/** The port's barrier; ESP_OK where the port needs none. */
OTTER_MUST_CHECK esp_err_t otter_flash_sync(otter_flash_t *flash);

/**
 * Watch [off, off + len): whoever has read it can ask later whether it is still as it was.
 * @param ticket  0; or that of a watch that begins at the same place, which then reaches to the new end
 * @return its ticket, never 0; with a ticket also 0: it was written to, or forgotten for younger ones
 */
uint32_t otter_flash_watch(otter_flash_t *flash, uint32_t ticket, uint32_t off, uint32_t len);

/** True while nobody has asked to program or erase anything of the watched range, which begins at `off`. 0 is no ticket. */
bool otter_flash_is_unwritten(const otter_flash_t *flash, uint32_t ticket, uint32_t off);

#ifdef __cplusplus
}
#endif
