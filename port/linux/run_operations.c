/* Bootloader and app append to one memory file; what they append is checked, for an app can write anything there. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "linux/run_operations.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "otter/text.h"
#include "otter/partition_table.h"
#include "otter/system.h"

#define LINE_MAX_BYTES 160u
#define LIST_MAX       (64u << 20) /* bytes */

static const esp_partition_t *partition_of(const otter_device_t *device, uint32_t off)
{
    for (uint32_t i = 0; i < device->partitions.count; i++) {
        const esp_partition_t *p = &device->partitions.items[i];
        if (off >= p->address && off - p->address < p->size) {
            return p;
        }
    }
    return NULL;
}

void run_operation_text(const otter_device_t *device, const otter_run_op_t *op, char *text, size_t size)
{
    const esp_partition_t *partition = partition_of(device, op->off);
    const uint32_t table = device->config.table_offset, off = op->off;
    const char *place = partition != NULL                                         ? partition->label
                        : off >= table && off - table < OTTER_PARTITION_TABLE_LEN ? "partition table"
                                                                                  : "flash";
    char bytes[24] = "";
    if (op->is_erase == 0) {
        snprintf(bytes, sizeof(bytes), ", %" PRIu32 " bytes", op->len);
    }
    text_format(text, size, "%s of %s at 0x%" PRIx32 "%s", op->is_erase != 0 ? "erase" : "program", place,
                partition != NULL ? off - partition->address : off, bytes);
    for (char *p = text; *p != '\0'; p++) { /* a label may hold anything, also what steers a terminal */
        *p = *p >= ' ' && *p <= '~' ? *p : '?';
    }
}

bool run_operations_open(run_operations_t *list)
{
    *list = (run_operations_t){.trace = memfd_create("operations", MFD_CLOEXEC)};
    return list->trace >= 0;
}

static void add_line(run_operations_t *list, const char *line)
{
    size_t len = strlen(line);
    char *grown = list->len < LIST_MAX ? realloc(list->text, list->len + len + 1) : NULL;
    if (grown == NULL) {
        list->full = true;
        return;
    }
    memcpy(grown + list->len, line, len + 1);
    list->text = grown;
    list->len += len;
}

void run_operations_note(run_operations_t *list, const otter_device_t *device, uint32_t boot, const char *who)
{
    otter_run_op_t op;
    while (list->trace > 0 && !list->full &&
           pread(list->trace, &op, sizeof(op), (off_t)list->read * (off_t)sizeof(op)) ==
               (ssize_t)sizeof(op)) {
        char text[96], line[LINE_MAX_BYTES + 96];
        run_operation_text(device, &op, text, sizeof(text));
        snprintf(line, sizeof(line), "%8" PRIu32 "  boot %-3" PRIu32 " %-20s %s\n", op.number, boot, who,
                 text);
        add_line(list, line);
        list->read++;
    }
}

void run_operations_print(run_operations_t *list, uint32_t made)
{
    if (list->trace <= 0) {
        return;
    }
    char line[LINE_MAX_BYTES];
    snprintf(line, sizeof(line), "flash operations, for --cut-after: %" PRIu32 "\n", made);
    otter_console_write(line, strlen(line));
    if (list->len > 0) {
        otter_console_write(list->text, list->len);
    }
    if (list->read != made) {
        snprintf(line, sizeof(line), "the list is not complete: it has %" PRIu32 " of them\n", list->read);
        otter_console_write(line, strlen(line));
    }
    free(list->text);
    close(list->trace);
    *list = (run_operations_t){0};
}
