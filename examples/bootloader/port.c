/* The bootloader's chip, played by a process: its flash is a file in memory, and it tells what it would load and start. */
/* SPDX-License-Identifier: Apache-2.0 */
#define OPENSSL_SUPPRESS_DEPRECATED /* the forms of OpenSSL's digests that take no memory */
#include "port.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <openssl/md5.h>
#include <openssl/sha.h>

#include "otter/chip.h"
#include "otter/crypto.h"
#include "otter/system.h"

/* ---- flash ---- */

static esp_err_t flash_read(void *dev, uint32_t off, void *dst, uint32_t len)
{
    memcpy(dst, (uint8_t *)dev + off, len);
    return ESP_OK;
}

static esp_err_t flash_program(void *dev, uint32_t off, const void *src, uint32_t len)
{
    for (uint32_t i = 0; i < len; i++) {
        ((uint8_t *)dev)[off + i] &= ((const uint8_t *)src)[i];
    }
    return ESP_OK;
}

static esp_err_t flash_erase(void *dev, uint32_t off, uint32_t len)
{
    memset((uint8_t *)dev + off, 0xFF, len);
    return ESP_OK;
}

static const otter_flash_ops_t flash_ops = {
    .read = flash_read, .program = flash_program, .erase = flash_erase};

/* ---- system: one task, so nothing is locked ---- */

int64_t otter_now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

void otter_console_write(const char *text, size_t len)
{
    if (write(STDOUT_FILENO, text, len) < 0) {
        _exit(1);
    }
}

bool otter_console_has_color(void)
{
    return false;
}

void otter_system_alive(void)
{
}

void otter_lock(otter_lock_t lock)
{
    (void)lock;
}

void otter_unlock(otter_lock_t lock)
{
    (void)lock;
}

/* ---- digests, in the memory of whoever asks ---- */

typedef struct {
    bool is_md5;
    union {
        SHA256_CTX sha256;
        MD5_CTX md5;
    };
} digest_t;
_Static_assert(sizeof(digest_t) <= sizeof(otter_digest_t), "a digest has room for it");

bool otter_sha256_begin(otter_digest_t *digest)
{
    digest_t *d = (digest_t *)(void *)digest;
    d->is_md5 = false;
    return SHA256_Init(&d->sha256) == 1;
}

bool otter_md5_begin(otter_digest_t *digest)
{
    digest_t *d = (digest_t *)(void *)digest;
    d->is_md5 = true;
    return MD5_Init(&d->md5) == 1;
}

void otter_digest_update(otter_digest_t *digest, const void *data, size_t len)
{
    digest_t *d = (digest_t *)(void *)digest;
    (void)(d->is_md5 ? MD5_Update(&d->md5, data, len) : SHA256_Update(&d->sha256, data, len));
}

void otter_digest_finish(otter_digest_t *digest, uint8_t *bytes)
{
    digest_t *d = (digest_t *)(void *)digest;
    (void)(d->is_md5 ? MD5_Final(bytes, &d->md5) : SHA256_Final(bytes, &d->sha256));
}

bool otter_digest_peek(const otter_digest_t *digest, uint8_t *bytes)
{
    otter_digest_t copy = *digest;
    otter_digest_finish(&copy, bytes);
    return true;
}

void otter_digest_end(otter_digest_t *digest)
{
    (void)digest;
}

/* ---- what only a loader needs ---- */

void *port_memory(uint32_t address, uint32_t len)
{
    static uint8_t memory[0x400000]; /* a chip has it at the address itself */
    printf("%u bytes to 0x%08x\n", (unsigned)len, (unsigned)address);
    return len <= sizeof(memory) ? memory : NULL;
}

void port_jump(const char *label, uint32_t entry)
{
    printf("%s starts at 0x%08x\n", label, (unsigned)entry);
    exit(0);
}

void port_reset(const char *why)
{
    printf("reset: %s\n", why);
    exit(1);
}

int main(int argc, char **argv)
{
    const otter_chip_facts_t *chip = argc == 3 ? otter_chip_by_name(argv[2]) : NULL;
    int fd = chip != NULL ? open(argv[1], O_RDWR) : -1;
    struct stat st;
    if (fd < 0 || fstat(fd, &st) != 0) {
        fprintf(stderr, "bootloader: a flash file and the name of its chip, please\n");
        return 2;
    }
    void *bytes = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (bytes == MAP_FAILED) {
        return 2;
    }
    setvbuf(stdout, NULL, _IONBF, 0);
    otter_flash_t flash = {
        .ops = &flash_ops, .dev = bytes, .size = (uint32_t)st.st_size, .erase_size = 4096, .write_size = 1};
    if (otter_flash_check_geometry(&flash, NULL) != ESP_OK) {
        return 2;
    }
    bootloader(&flash, chip->id);
}
