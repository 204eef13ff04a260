/* What is started is what was verified: the copy itself is judged, as part of its image. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "linux/firmware_image.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "host/named_file.h"
#include "otter/bytes.h"

/** A flash with a memory file in the place of some bytes of it; to be read only. */
typedef struct {
    otter_flash_t flash;
    otter_flash_t *below;
    uint32_t off, len;
    int copy;
} covered_flash_t;

static esp_err_t covered_read(void *dev, uint32_t off, void *dst, uint32_t len)
{
    const covered_flash_t *c = dev;
    const uint32_t from = max_u32(off, c->off), to = min_u32(off + len, c->off + c->len);
    esp_err_t err = otter_flash_read(c->below, off, dst, len);
    if (err == ESP_OK && from < to &&
        pread(c->copy, (uint8_t *)dst + (from - off), to - from, from - c->off) != (ssize_t)(to - from)) {
        err = ESP_FAIL;
    }
    return err;
}

/** @return its descriptor, -1 with errno */
static int open_memory(void)
{
#ifdef MFD_EXEC
    int fd = memfd_create("firmware", MFD_CLOEXEC | MFD_EXEC);
    return fd < 0 && errno == EINVAL /* a kernel older than the flag allows execution anyway */
               ? memfd_create("firmware", MFD_CLOEXEC)
               : fd;
#else
    return memfd_create("firmware", MFD_CLOEXEC);
#endif
}

/** @return false with errno */
static bool copy_flash(otter_flash_t *flash, uint32_t off, uint32_t len, int to)
{
    static uint8_t bytes[64 * 1024];
    for (uint32_t done = 0; done < len;) {
        uint32_t n = min_u32(len - done, (uint32_t)sizeof(bytes));
        if (otter_flash_read(flash, off + done, bytes, n) != ESP_OK || !output_write(to, bytes, n)) {
            return false;
        }
        done += n;
    }
    return true;
}

/** The image that it is of, with the copy in it. @return ESP_OK, ESP_ERR_NO_MEM, ESP_ERR_INVALID_STATE */
static esp_err_t judge_copy(covered_flash_t *covered, const otter_image_rules_t *rules, uint32_t segment,
                            otter_fault_t *fault)
{
    static const otter_flash_ops_t ops = {.read = covered_read};
    otter_image_stream_t s = {0};
    covered->flash = *covered->below;
    covered->flash.ops = &ops;
    covered->flash.dev = covered;
    covered->flash.cipher = NULL; /* what is below decrypts */
    esp_err_t err = otter_image_stream_from_flash(&s, &covered->flash, rules);
    if (err == ESP_ERR_NO_MEM) {
        otter_fault(fault, err, "out of memory");
    } else if (err != ESP_OK) {
        err = otter_fault(fault, ESP_ERR_INVALID_STATE,
                          "somebody has changed it between its check and its start: %s", s.fault.why);
    } else if (rules->flash_offset + s.info.segment_data[segment] != covered->off ||
               s.info.segments[segment].data_len != covered->len) {
        err = otter_fault(fault, ESP_ERR_INVALID_STATE,
                          "somebody has replaced it between its check and its start");
    }
    otter_image_stream_end(&s);
    return err;
}

int firmware_image_copy(const otter_device_t *device, const esp_partition_t *partition,
                        const otter_image_info_t *image, uint32_t segment, otter_fault_t *fault)
{
    covered_flash_t covered = {.below = device->flash,
                               .off = partition->address + image->segment_data[segment],
                               .len = image->segments[segment].data_len,
                               .copy = open_memory()};
    esp_err_t err = covered.copy >= 0 && copy_flash(device->flash, covered.off, covered.len, covered.copy)
                        ? ESP_OK
                        : otter_fault(fault, ESP_ERR_NO_MEM, "%s", strerror(errno));
    const otter_image_rules_t rules = {.chip = &device->chip,
                                       .flash_offset = partition->address,
                                       .size = partition->size,
                                       .loading = true,
                                       .trust = otter_trust_to_boot(device, false)};
    if (err == ESP_OK && (rules.trust.signatures != NULL || rules.trust.error != ESP_OK)) {
        err = judge_copy(&covered, &rules, segment, fault);
    }
    if (err != ESP_OK && covered.copy >= 0) {
        close(covered.copy);
    }
    return err == ESP_OK ? covered.copy : -1;
}
