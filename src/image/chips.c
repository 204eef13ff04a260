/*
 * The table of chips, and the questions about their memory. What FORMATS.md section 2 says of each, and the
 * windows of memory as ESP-IDF 5.5.5's soc.h has them: ram is DRAM, IRAM, RTC fast (as data, as instructions), RTC slow,
 * SPM, without repetitions. Where soc_caps.h says that a chip lacks RTC memory its window in soc.h is none (ESP32-H4).
 */
/* SPDX-License-Identifier: Apache-2.0 */
#include "otter/chip.h"

#include <stddef.h>
#include <string.h>

#include "otter/image.h"

#define LIMIT_16M 0x01000000u
#define PAGE_64K  0x10000u
#define PAGE_16K  0x4000u
#define PAGE_8K   0x2000u
#define RSA       (1u << OTTER_SIGNED_RSA_3072)
#define ECDSA     (1u << OTTER_SIGNED_ECDSA_P192 | 1u << OTTER_SIGNED_ECDSA_P256)
#define P384      (1u << OTTER_SIGNED_ECDSA_P384)
#define V1        (1u << OTTER_SIGNED_V1)
#define XTENSA    94
#define RISCV     243

/* clang-format off */
static const otter_chip_facts_t chips[] = {
    {.name = "esp32", .title = "ESP32", .id = 0x0000, .bootloader_offset = 0x1000,
     .data = {0x3F400000, 0x3F800000}, .inst = {0x400D0000, 0x40400000},
     .mmu_pages = 0, .mmu_page = PAGE_64K, .mmu_page_min = 0, .image_limit = LIMIT_16M,
     .secure_version_bits = 32, .has_blk_revision = false,
     .schemes = RSA | V1, .signature_blocks = 1, .key_digest_len = 32,
     .ram = {{0x3FFAE000, 0x40000000}, {0x40080000, 0x400AA000},
             {0x3FF80000, 0x3FF82000}, {0x400C0000, 0x400C2000},
             {0x50000000, 0x50002000}},
     .elf_machine = XTENSA, .flash_freq_mhz = {40, 26, 20, 80}},
    {.name = "esp32s2", .title = "ESP32-S2", .id = 0x0002, .bootloader_offset = 0x1000,
     .data = {0x3F000000, 0x3FF80000}, .inst = {0x40080000, 0x40800000},
     .mmu_pages = 0, .mmu_page = PAGE_64K, .mmu_page_min = 0, .image_limit = LIMIT_16M,
     .secure_version_bits = 16, .has_blk_revision = true,
     .schemes = RSA, .signature_blocks = 3, .key_digest_len = 32,
     .ram = {{0x3FFB0000, 0x40000000}, {0x40020000, 0x40070000},
             {0x3FF9E000, 0x3FFA0000}, {0x40070000, 0x40072000},
             {0x50000000, 0x50002000}},
     .elf_machine = XTENSA, .flash_freq_mhz = {40, 26, 20, 80}},
    {.name = "esp32c3", .title = "ESP32-C3", .id = 0x0005, .bootloader_offset = 0x0,
     .data = {0x3C000000, 0x3C800000}, .inst = {0x42000000, 0x42800000},
     .mmu_pages = 0, .mmu_page = PAGE_64K, .mmu_page_min = 0, .image_limit = LIMIT_16M,
     .secure_version_bits = 16, .has_blk_revision = true,
     .schemes = RSA, .signature_blocks = 3, .key_digest_len = 32,
     .ram = {{0x3FC80000, 0x3FCE0000}, {0x4037C000, 0x403E0000},
             {0x50000000, 0x50002000}},
     .elf_machine = RISCV, .flash_freq_mhz = {40, 26, 20, 80}},
    {.name = "esp32s3", .title = "ESP32-S3", .id = 0x0009, .bootloader_offset = 0x0,
     .data = {0x3C000000, 0x3E000000}, .inst = {0x42000000, 0x44000000},
     .mmu_pages = 0, .mmu_page = PAGE_64K, .mmu_page_min = 0, .image_limit = UINT32_MAX,
     .secure_version_bits = 16, .has_blk_revision = true,
     .schemes = RSA, .signature_blocks = 3, .key_digest_len = 32,
     .ram = {{0x3FC88000, 0x3FD00000}, {0x40370000, 0x403E0000},
             {0x600FE000, 0x60100000}, {0x50000000, 0x50002000}},
     .elf_machine = XTENSA, .flash_freq_mhz = {40, 26, 20, 80}},
    {.name = "esp32c2", .title = "ESP32-C2", .id = 0x000C, .bootloader_offset = 0x0,
     .data = {0x3C000000, 0x3C400000}, .inst = {0x42000000, 0x42400000},
     .mmu_pages = 0, .mmu_page = PAGE_64K, .mmu_page_min = PAGE_16K, .image_limit = LIMIT_16M,
     .secure_version_bits = 4, .has_blk_revision = true,
     .schemes = ECDSA, .signature_blocks = 1, .key_digest_len = 16,
     .ram = {{0x3FCA0000, 0x3FCE0000}, {0x4037C000, 0x403C0000}},
     .elf_machine = RISCV, .flash_freq_mhz = {30, 20, 15, 60}},
    {.name = "esp32c6", .title = "ESP32-C6", .id = 0x000D, .bootloader_offset = 0x0,
     .data = {0x42000000, 0x43000000}, .inst = {0x42000000, 0x43000000},
     .mmu_pages = 256, .mmu_page = PAGE_64K, .mmu_page_min = PAGE_8K, .image_limit = LIMIT_16M,
     .secure_version_bits = 16, .has_blk_revision = true,
     .schemes = RSA | ECDSA, .signature_blocks = 3, .key_digest_len = 32,
     .ram = {{0x40800000, 0x40880000}, {0x50000000, 0x50004000}},
     .elf_machine = RISCV, .flash_freq_mhz = {80, 0, 20, 0}},
    {.name = "esp32h2", .title = "ESP32-H2", .id = 0x0010, .bootloader_offset = 0x0,
     .data = {0x42000000, 0x43000000}, .inst = {0x42000000, 0x43000000},
     .mmu_pages = 256, .mmu_page = PAGE_64K, .mmu_page_min = PAGE_8K, .image_limit = LIMIT_16M,
     .secure_version_bits = 16, .has_blk_revision = true,
     .schemes = RSA | ECDSA, .signature_blocks = 3, .key_digest_len = 32,
     .ram = {{0x40800000, 0x40850000}, {0x50000000, 0x50001000}},
     .elf_machine = RISCV, .flash_freq_mhz = {24, 16, 12, 48}},
    {.name = "esp32p4", .title = "ESP32-P4", .id = 0x0012, .bootloader_offset = 0x2000,
     .data = {0x40000000, 0x44000000}, .inst = {0x40000000, 0x44000000}, .extram = {0x48000000, 0x4C000000},
     .mmu_pages = 0, .mmu_page = PAGE_64K, .mmu_page_min = 0, .image_limit = UINT32_MAX,
     .secure_version_bits = 16, .has_blk_revision = true,
     .schemes = RSA | ECDSA | P384, .signature_blocks = 3, .key_digest_len = 32,
     .ram = {{0x4FF00000, 0x4FFC0000}, {0x50108000, 0x50110000},
             {0x30100000, 0x30102000}},
     .elf_machine = RISCV, .flash_freq_mhz = {40, 26, 20, 80}},
    {.name = "esp32c61", .title = "ESP32-C61", .id = 0x0014, .bootloader_offset = 0x0,
     .data = {0x42000000, 0x44000000}, .inst = {0x42000000, 0x44000000},
     .mmu_pages = 0, .mmu_page = PAGE_64K, .mmu_page_min = PAGE_8K, .image_limit = UINT32_MAX,
     .secure_version_bits = 16, .has_blk_revision = true,
     .schemes = ECDSA, .signature_blocks = 3, .key_digest_len = 32,
     .ram = {{0x40800000, 0x40850000}},
     .elf_machine = RISCV, .flash_freq_mhz = {40, 0, 20, 80}},
    {.name = "esp32c5", .title = "ESP32-C5", .id = 0x0017, .bootloader_offset = 0x2000,
     .data = {0x42000000, 0x44000000}, .inst = {0x42000000, 0x44000000},
     .mmu_pages = 0, .mmu_page = PAGE_64K, .mmu_page_min = 0, .image_limit = UINT32_MAX,
     .secure_version_bits = 9, .has_blk_revision = true,
     .schemes = RSA | ECDSA | P384, .signature_blocks = 3, .key_digest_len = 32,
     .ram = {{0x40800000, 0x40860000}, {0x50000000, 0x50004000}},
     .elf_machine = RISCV, .flash_freq_mhz = {40, 0, 20, 80}},
    {.name = "esp32h21", .title = "ESP32-H21", .id = 0x0019, .bootloader_offset = 0x0,
     .data = {0x42000000, 0x43000000}, .inst = {0x42000000, 0x43000000},
     .mmu_pages = 0, .mmu_page = PAGE_64K, .mmu_page_min = PAGE_8K, .image_limit = LIMIT_16M,
     .secure_version_bits = 16, .has_blk_revision = true,
     .schemes = RSA, .signature_blocks = 3, .key_digest_len = 32,
     .ram = {{0x40800000, 0x40850000}, {0x50000000, 0x50001000}},
     .elf_machine = RISCV, .flash_freq_mhz = {24, 16, 12, 48}},
    {.name = "esp32h4", .title = "ESP32-H4", .id = 0x001C, .bootloader_offset = 0x2000,
     .data = {0x42000000, 0x44000000}, .inst = {0x42000000, 0x44000000},
     .mmu_pages = 0, .mmu_page = PAGE_64K, .mmu_page_min = PAGE_8K, .image_limit = LIMIT_16M,
     .secure_version_bits = 16, .has_blk_revision = true,
     .schemes = RSA | ECDSA, .signature_blocks = 3, .key_digest_len = 32,
     .ram = {{0x40810000, 0x40860000}},
     .elf_machine = RISCV, .flash_freq_mhz = {24, 16, 12, 48}},
    {.name = "linux", .title = "linux", .id = OTTER_CHIP_LINUX, .bootloader_offset = 0x1000, .mmu_page = PAGE_64K,
     .image_limit = UINT32_MAX, .secure_version_bits = 32,
     .schemes = RSA | ECDSA | P384 | V1, .signature_blocks = 3, .key_digest_len = 32,
     .flash_freq_mhz = {40, 26, 20, 80}},
    {.name = "device", .title = "device", .id = OTTER_CHIP_DEVICE, .bootloader_offset = 0x1000, .mmu_page = PAGE_64K,
     .image_limit = UINT32_MAX, .secure_version_bits = 32,
     .schemes = RSA | ECDSA | P384 | V1, .signature_blocks = 3, .key_digest_len = 32,
     .flash_freq_mhz = {40, 26, 20, 80}},
};
/* clang-format on */

#define CHIP_COUNT (sizeof(chips) / sizeof(chips[0]))

const otter_chip_facts_t *otter_chip_facts(uint16_t id)
{
    for (size_t i = 0; i < CHIP_COUNT; i++) {
        if (chips[i].id == id) {
            return &chips[i];
        }
    }
    return NULL;
}

otter_trust_t otter_chip_trust(const otter_chip_facts_t *chip, const otter_trust_config_t *config)
{
    const bool v1 = config->scheme == OTTER_SIGNED_V1;
    otter_trust_t trust = {.signatures = config->signatures,
                           .scheme = config->scheme,
                           .schemes = (chip != NULL ? chip->schemes : UINT8_MAX) &
                                      (uint8_t) ~(1u << OTTER_SIGNED_V1),
                           .key_count = config->key_count,
                           .key_len = chip != NULL ? chip->key_digest_len : OTTER_KEY_DIGEST_LEN,
                           .blocks = v1 || chip == NULL ? 1 : chip->signature_blocks,
                           .v1_key = config->v1_key};
    memcpy(trust.keys, config->keys, sizeof(trust.keys));
    bool has_it =
        chip == NULL || config->scheme == OTTER_SIGNED_NOT || otter_chip_verifies(chip, config->scheme);
    if (config->signatures == NULL || config->key_count > OTTER_TRUSTED_KEYS || !has_it) {
        trust.error = ESP_ERR_NOT_SUPPORTED; /* rather no image than every one */
    }
    return trust;
}

const char *otter_chip_title(uint16_t id)
{
    static const struct {
        uint16_t id;
        const char *title;
    } others[] = {
        {0x000A, "ESP32-H2 beta 1"},
        {0x000E, "ESP32-H2 beta 2"},
        {0x001F, "ESP32-E22"},
        {0x0020, "ESP32-S31"},
    };
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        if (others[i].id == id) {
            return others[i].title;
        }
    }
    const otter_chip_facts_t *facts = otter_chip_facts(id);
    return facts != NULL ? facts->title : NULL;
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool names_match(const char *name, const char *typed)
{
    for (; *typed != '\0'; typed++) {
        if (*typed == '-') {
            continue;
        }
        if (*name == '\0' || lower(*typed) != *name) {
            return false;
        }
        name++;
    }
    return *name == '\0';
}

const otter_chip_facts_t *otter_chip_by_name(const char *name)
{
    for (size_t i = 0; i < CHIP_COUNT; i++) {
        if (names_match(chips[i].name, name)) {
            return &chips[i];
        }
    }
    return NULL;
}

const otter_chip_facts_t *otter_chip_at(unsigned index)
{
    return index < CHIP_COUNT ? &chips[index] : NULL;
}

/* ---- addresses and pages ---- */

static bool window_holds(const otter_window_t *window, uint32_t addr)
{
    return addr >= window->start && addr < window->end;
}

bool otter_chip_maps(const otter_chip_facts_t *facts, uint32_t addr, uint32_t page)
{
    if (facts->mmu_pages != 0) {
        return addr >= facts->data.start && (addr - facts->data.start) / page < facts->mmu_pages;
    }
    return window_holds(&facts->data, addr) || window_holds(&facts->inst, addr) ||
           window_holds(&facts->extram, addr);
}

bool otter_chip_can_load(const otter_chip_facts_t *facts, uint32_t addr, uint32_t len)
{
    for (int i = 0; i < OTTER_RAM_WINDOWS; i++) {
        if (window_holds(&facts->ram[i], addr) && len <= facts->ram[i].end - addr) {
            return true;
        }
    }
    return false;
}

uint32_t otter_chip_mmu_page(const otter_chip_facts_t *facts, uint8_t log2)
{
    if (log2 == 0) {
        return facts->mmu_page;
    }
    uint32_t page = log2 < 32 ? UINT32_C(1) << log2 : 0;
    return facts->mmu_page_min != 0 && page >= facts->mmu_page_min && page <= facts->mmu_page ? page : 0;
}
