/* The sections of a 32-bit little-endian ELF file that go into an image. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "otter/fault.h"
#include "otter/promise.h"

typedef struct {
    const char *name; /* points into the file; print it with a precision: it may be as long as the file */
    uint32_t addr;
    const uint8_t *data; /* points into the file */
    uint32_t len;        /* bytes, at least 1 */
} elf_section_t;

typedef struct {
    uint16_t machine;
    uint32_t entry;
    elf_section_t *sections; /* in the file's order; owned */
    size_t count;
} elf_t;

/** True for the first bytes of any ELF file. */
bool elf_is_elf(const uint8_t *file, size_t len);

/**
 * Can this machine start it as this very program was started? Same word size, byte order and machine, an executable.
 * @param file  its first ELF_HEAD_SIZE bytes at least, or all of a shorter file
 */
OTTER_MUST_CHECK esp_err_t elf_check_runs_here(const uint8_t *file, size_t len, otter_fault_t *fault);
#define ELF_HEAD_SIZE 64u

/**
 * Is nothing missing of a program of this machine? It has a place to begin, and what is loaded lies in the file.
 * @param file  all of it
 */
OTTER_MUST_CHECK esp_err_t elf_check_whole(const uint8_t *file, size_t len, otter_fault_t *fault);

/**
 * The bytes of a section of a program of this machine, which lie in `file`.
 * @return NULL: it has none of this name; or its section headers are broken, which nothing else of a program needs
 */
const uint8_t *elf_own_section(const uint8_t *file, size_t len, const char *name, size_t *section_len);

/**
 * Reads the sections that have contents and an address, as esptool takes them. Nothing in the file is believed.
 * @param file  must stay as long as `elf` is used; one 0 byte lies behind its `len` bytes (cli_read_file)
 * @return ESP_OK: the caller calls elf_free()
 */
OTTER_MUST_CHECK esp_err_t elf_read(elf_t *elf, const uint8_t *file, size_t len, otter_fault_t *fault);

void elf_free(elf_t *elf);
