/* What a chip without a heap links: a boot loader, or an application that updates itself; for test_chip.py, never run. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "otter/boot.h"
#include "otter/crypto.h"
#include "otter/ota_ops.h"
#include "otter/system.h"
#include "otter/update.h"

/* ---- a port: flash that the processor sees at 0 ---- */

static uint8_t *const memory = (uint8_t *)0x42000000;

static esp_err_t flash_read(void *dev, uint32_t off, void *dst, uint32_t len)
{
    (void)dev;
    memcpy(dst, memory + off, len);
    return ESP_OK;
}

static esp_err_t flash_program(void *dev, uint32_t off, const void *src, uint32_t len)
{
    (void)dev;
    memcpy(memory + off, src, len);
    return ESP_OK;
}

static esp_err_t flash_erase(void *dev, uint32_t off, uint32_t len)
{
    (void)dev;
    memset(memory + off, 0xFF, len);
    return ESP_OK;
}

int64_t otter_now_us(void)
{
    return 0;
}

void otter_console_write(const char *text, size_t len)
{
    memcpy(memory, text, len);
}

bool otter_console_has_color(void)
{
    return false;
}

void otter_lock(otter_lock_t lock)
{
    (void)lock;
}

void otter_unlock(otter_lock_t lock)
{
    (void)lock;
}

void otter_system_alive(void)
{
}

void *otter_log_memory(size_t size)
{
    (void)size;
    return NULL;
}

void otter_log_memory_free(void *block)
{
    (void)block;
}

/* A port's own digests are not what is measured: these only keep a count. */
bool otter_sha256_begin(otter_digest_t *digest)
{
    digest->state[0] = OTTER_SHA256_LEN;
    return true;
}

bool otter_md5_begin(otter_digest_t *digest)
{
    digest->state[0] = OTTER_MD5_LEN;
    return true;
}

void otter_digest_update(otter_digest_t *digest, const void *data, size_t len)
{
    (void)data;
    digest->state[1] += len;
}

void otter_digest_finish(otter_digest_t *digest, uint8_t *bytes)
{
    memset(bytes, (int)digest->state[1], (size_t)digest->state[0]);
}

bool otter_digest_peek(const otter_digest_t *digest, uint8_t *bytes)
{
    memset(bytes, (int)digest->state[1], (size_t)digest->state[0]);
    return true;
}

void otter_digest_end(otter_digest_t *digest)
{
    (void)digest;
}

/* ---- the program ---- */

static const otter_flash_ops_t ops = {.read = flash_read, .program = flash_program, .erase = flash_erase};
static otter_flash_t flash = {.ops = &ops, .size = 0x400000, .erase_size = 4096, .write_size = 4};
static const otter_chip_t chip = {.id = 5};
static const otter_device_config_t config = {
    .rollback = true,
#ifdef COPIES
    .copies = &otter_staged_copies,
#endif
};
static otter_device_t device;

#ifdef UPDATER
static otter_update_t update;

int main(void)
{
    otter_fault_t fault;
    uint8_t bytes[256] = {0};
    if (otter_device_init(&device, &flash, &chip, NULL, &config) != ESP_OK ||
        otter_update_begin(&update, &device, &device.partitions.items[1], 0, &fault) != ESP_OK ||
        otter_update_write(&update, bytes, sizeof(bytes), &fault) != ESP_OK ||
        otter_update_end(&update, &fault) != ESP_OK) {
        return 1;
    }
    return otter_ota_set_boot_partition(&device, &device.partitions.items[1], &fault);
}
#else
static otter_boot_result_t result;

int main(void)
{
    return otter_device_init(&device, &flash, &chip, NULL, &config) == ESP_OK &&
                   otter_boot(&device, OTTER_BOOT_COMMIT, &result) == ESP_OK
               ? (int)result.image.header.entry_addr
               : 1;
}
#endif
