/* Reading ELF files: every offset and length is checked against the file before it is used. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "elf.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "otter/bytes.h"

#define EHDR_SIZE         52u
#define SHDR_SIZE         40u
#define HEAD_SIZE         20u /* up to the machine */
#define AT_CLASS          4
#define AT_TYPE           16
#define AT_MACHINE        18
#define TYPE_EXEC         2
#define TYPE_DYN          3 /* position-independent, as most programs are */
#define PT_LOAD           1u
#define CLASS_32          1
#define DATA_LITTLE       1
#define SHT_PROGBITS      1u
#define SHT_INIT_ARRAY    14u
#define SHT_FINI_ARRAY    15u
#define SHT_PREINIT_ARRAY 16u

typedef struct {
    const uint8_t *bytes;
    uint32_t len;
} span_t;

/** [off, off + len) of a file, if it is all there. */
static bool take_span(span_t file, uint32_t off, uint32_t len, span_t *out)
{
    if (!range_fits(off, len, file.len)) {
        return false;
    }
    *out = (span_t){file.bytes + off, len};
    return true;
}

bool elf_is_elf(const uint8_t *file, size_t len)
{
    return len >= 4 && memcmp(file,
                              "\x7f"
                              "ELF",
                              4) == 0;
}

/** "ELF machine 40 (ARM)" */
static const char *machine_text(uint16_t machine, char *buf, size_t size)
{
    static const struct {
        uint16_t machine;
        const char *name;
    } rows[] = {{3, "x86"}, {40, "ARM"}, {62, "x86-64"}, {94, "Xtensa"}, {183, "AArch64"}, {243, "RISC-V"}};
    const char *name = NULL;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        name = rows[i].machine == machine ? rows[i].name : name;
    }
    snprintf(buf, size, "ELF machine %u%s%s%s", machine, name != NULL ? " (" : "", name != NULL ? name : "",
             name != NULL ? ")" : "");
    return buf;
}

esp_err_t elf_check_runs_here(const uint8_t *file, size_t len, otter_fault_t *fault)
{
    uint8_t own[HEAD_SIZE];
    char its[40], mine[40];
    int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    bool known = fd >= 0 && read(fd, own, sizeof(own)) == (ssize_t)sizeof(own);
    if (fd >= 0) {
        close(fd);
    }
    if (!elf_is_elf(file, len)) {
        return otter_fault(fault, ESP_FAIL, "it is not an ELF file");
    }
    if (len < HEAD_SIZE) {
        return otter_fault(fault, ESP_FAIL, "the ELF header is cut off at %zu bytes", len);
    }
    uint16_t type = le16_get(file + AT_TYPE), machine = le16_get(file + AT_MACHINE);
    bool same =
        !known || (memcmp(file + AT_CLASS, own + AT_CLASS, 2) == 0 && machine == le16_get(own + AT_MACHINE));
    if (!same) {
        bool other_order = file[AT_CLASS + 1] != own[AT_CLASS + 1];
        return otter_fault(fault, ESP_FAIL, "it is for %d bits and %s, and this machine runs %d bits and %s",
                           file[AT_CLASS] == CLASS_32 ? 32 : 64,
                           other_order ? "another byte order" : machine_text(machine, its, sizeof(its)),
                           own[AT_CLASS] == CLASS_32 ? 32 : 64,
                           machine_text(le16_get(own + AT_MACHINE), mine, sizeof(mine)));
    }
    if (type != TYPE_EXEC && type != TYPE_DYN) {
        return otter_fault(fault, ESP_FAIL, "it is no program: link it first");
    }
    return ESP_OK;
}

/** A number of the file's word size. */
static uint64_t get_word(const uint8_t *p, bool wide)
{
    return le32_get(p) | (wide ? (uint64_t)le32_get(p + 4) << 32 : 0);
}

static esp_err_t refuse_cut(size_t len, otter_fault_t *fault)
{
    return otter_fault(fault, ESP_FAIL, "the program is cut off at %zu bytes", len);
}

esp_err_t elf_check_whole(const uint8_t *file, size_t len, otter_fault_t *fault)
{
    const bool wide = len > AT_CLASS && file[AT_CLASS] != CLASS_32;
    const size_t row_size = wide ? 56 : 32;
    if (len > AT_CLASS + 1 && file[AT_CLASS + 1] != DATA_LITTLE) {
        return ESP_OK; /* of this machine, whose numbers are not read here */
    }
    if (len < (wide ? ELF_HEAD_SIZE : EHDR_SIZE)) {
        return refuse_cut(len, fault);
    }
    const uint64_t rows = get_word(file + (wide ? 32 : 28), wide);
    const unsigned count = le16_get(file + (wide ? 56 : 44));
    if (get_word(file + 24, wide) == 0 || count == 0) {
        return otter_fault(fault, ESP_FAIL,
                           "it is no program, but a library: there is no place where it begins");
    }
    for (unsigned i = 0; i < count; i++) {
        uint64_t at = rows + i * row_size;
        if (rows > len || at > len || row_size > len - at) {
            return refuse_cut(len, fault);
        }
        const uint8_t *row = file + at;
        uint64_t off = get_word(row + (wide ? 8 : 4), wide), size = get_word(row + (wide ? 32 : 16), wide);
        if (le32_get(row) == PT_LOAD && (off > len || size > len - off)) {
            return refuse_cut(len, fault);
        }
    }
    return ESP_OK;
}

/** Of a program's section headers, in either word size. */
typedef struct {
    const uint8_t *file;
    size_t len;
    bool wide;
    uint64_t rows;
    unsigned count, row_size;
} own_sections_t;

/** @return the header of a section; NULL: it is not in the file */
static const uint8_t *own_row(const own_sections_t *own, unsigned index)
{
    const uint64_t at = own->rows + (uint64_t)index * own->row_size;
    return index < own->count && own->rows <= own->len && at <= own->len && own->row_size <= own->len - at
               ? own->file + at
               : NULL;
}

/** @return the contents of that section; NULL: they are not in the file */
static const uint8_t *own_contents(const own_sections_t *own, const uint8_t *row, size_t *len)
{
    const uint64_t off = get_word(row + (own->wide ? 24 : 16), own->wide),
                   size = get_word(row + (own->wide ? 32 : 20), own->wide);
    *len = (size_t)size;
    return off <= own->len && size <= own->len - off ? own->file + off : NULL;
}

const uint8_t *elf_own_section(const uint8_t *file, size_t len, const char *name, size_t *section_len)
{
    const bool wide = len > AT_CLASS && file[AT_CLASS] != CLASS_32;
    if (len < (wide ? ELF_HEAD_SIZE : EHDR_SIZE) || file[AT_CLASS + 1] != DATA_LITTLE) {
        return NULL;
    }
    const own_sections_t own = {.file = file,
                                .len = len,
                                .wide = wide,
                                .rows = get_word(file + (wide ? 40 : 32), wide),
                                .count = le16_get(file + (wide ? 60 : 48)),
                                .row_size = wide ? 64 : SHDR_SIZE};
    size_t names_len, want = strlen(name) + 1;
    const uint8_t *row = own_row(&own, le16_get(file + (wide ? 62 : 50)));
    const uint8_t *names = row != NULL ? own_contents(&own, row, &names_len) : NULL;
    for (unsigned i = 0; names != NULL && (row = own_row(&own, i)) != NULL; i++) {
        const uint32_t at = le32_get(row);
        if (at <= names_len && want <= names_len - at && memcmp(names + at, name, want) == 0 &&
            le32_get(row + 4) == SHT_PROGBITS) {
            return own_contents(&own, row, section_len);
        }
    }
    return NULL;
}

static esp_err_t read_header(span_t file, elf_t *elf, otter_fault_t *fault)
{
    const uint8_t *p = file.bytes;
    if (!elf_is_elf(p, file.len)) {
        return otter_fault(fault, ESP_FAIL, "it is not an ELF file");
    }
    if (file.len < EHDR_SIZE) {
        return otter_fault(fault, ESP_FAIL, "the ELF header is cut off at %u bytes", (unsigned)file.len);
    }
    if (p[4] != CLASS_32 || p[5] != DATA_LITTLE) {
        return otter_fault(fault, ESP_FAIL,
                           "it is not a 32-bit little-endian ELF file: is it built for this machine?");
    }
    elf->machine = le16_get(p + 18);
    elf->entry = le32_get(p + 24);
    return ESP_OK;
}

/** The section headers and the table of their names. */
static esp_err_t find_tables(span_t file, span_t *headers, span_t *names, otter_fault_t *fault)
{
    const uint8_t *p = file.bytes;
    uint32_t count = le16_get(p + 48), names_index = le16_get(p + 50);
    if (count == 0) {
        return otter_fault(fault, ESP_FAIL, "it has no section headers: do not strip them");
    }
    if (le16_get(p + 46) != SHDR_SIZE) {
        return otter_fault(fault, ESP_FAIL, "its section headers have %u bytes, not %u", le16_get(p + 46),
                           SHDR_SIZE);
    }
    if (!take_span(file, le32_get(p + 32), count * SHDR_SIZE, headers)) {
        return otter_fault(fault, ESP_FAIL, "its section headers lie beyond its end: is it cut off?");
    }
    const uint8_t *row = headers->bytes + (size_t)names_index * SHDR_SIZE;
    if (names_index >= count || !take_span(file, le32_get(row + 16), le32_get(row + 20), names)) {
        return otter_fault(fault, ESP_FAIL, "its section names lie beyond its end: is it cut off?");
    }
    /* Up to the last name that ends. Then no name needs a search for its end: they may overlap, and be long. */
    while (names->len > 0 && names->bytes[names->len - 1] != '\0') {
        names->len--;
    }
    return ESP_OK;
}

static bool read_name(span_t names, uint32_t off, const char **name)
{
    if (off >= names.len) {
        return false;
    }
    *name = (const char *)names.bytes + off;
    return true;
}

static bool has_contents(uint32_t type)
{
    return type == SHT_PROGBITS || type == SHT_INIT_ARRAY || type == SHT_FINI_ARRAY ||
           type == SHT_PREINIT_ARRAY;
}

static bool read_section(span_t file, span_t names, const uint8_t *row, elf_section_t *out)
{
    span_t data;
    if (!read_name(names, le32_get(row), &out->name) ||
        !take_span(file, le32_get(row + 16), le32_get(row + 20), &data)) {
        return false;
    }
    out->addr = le32_get(row + 12);
    out->data = data.bytes;
    out->len = data.len;
    return data.len <= UINT32_MAX - out->addr;
}

esp_err_t elf_read(elf_t *elf, const uint8_t *bytes, size_t len, otter_fault_t *fault)
{
    memset(elf, 0, sizeof(*elf));
    span_t file = {bytes, len < UINT32_MAX ? (uint32_t)len : UINT32_MAX}, headers = {0}, names = {0};
    esp_err_t err = read_header(file, elf, fault);
    if (err == ESP_OK) {
        err = find_tables(file, &headers, &names, fault);
    }
    if (err != ESP_OK) {
        return err;
    }
    const uint32_t count = headers.len / SHDR_SIZE;
    elf->sections = calloc((size_t)count + 1, sizeof(*elf->sections)); /* count may be 0 */
    if (elf->sections == NULL) {
        return otter_fault(fault, ESP_ERR_NO_MEM, "out of memory");
    }
    for (uint32_t i = 0; i < count; i++) {
        const uint8_t *row = headers.bytes + (size_t)i * SHDR_SIZE;
        if (!has_contents(le32_get(row + 4)) || le32_get(row + 12) == 0 || le32_get(row + 20) == 0) {
            continue;
        }
        if (!read_section(file, names, row, &elf->sections[elf->count])) {
            elf_free(elf);
            return otter_fault(fault, ESP_FAIL, "its section %u lies beyond its end: is it cut off?",
                               (unsigned)i);
        }
        elf->count++;
    }
    return ESP_OK;
}

void elf_free(elf_t *elf)
{
    free(elf->sections);
    elf->sections = NULL;
    elf->count = 0;
}
