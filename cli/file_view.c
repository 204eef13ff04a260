/* Reads of a view go to the file or to memory; what is beyond the end is erased flash. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "file_view.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "otter/bytes.h"
#include "host/named_file.h"

#define SECTOR   0x1000u
#define PIPE_MAX 0x8000000u

static esp_err_t read_file(int fd, uint32_t off, uint8_t *dst, uint32_t len)
{
    while (len > 0) {
        ssize_t n = pread(fd, dst, len, off);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return ESP_ERR_FLASH_OP_FAIL; /* the medium, or somebody cut the file short under us */
        }
        dst += n;
        off += (uint32_t)n;
        len -= (uint32_t)n;
    }
    return ESP_OK;
}

static esp_err_t view_read(void *dev, uint32_t off, void *dst, uint32_t len)
{
    const file_view_t *view = dev;
    uint32_t there = off < view->size ? min_u32(len, view->size - off) : 0;
    memset((uint8_t *)dst + there, 0xFF, len - there);
    if (view->piped != NULL) {
        memcpy(dst, view->piped + (there > 0 ? off : 0), there);
        return ESP_OK;
    }
    return read_file(view->fd, off, dst, there);
}

static esp_err_t view_refuse(void *dev, uint32_t off, const void *src, uint32_t len)
{
    (void)dev, (void)off, (void)src, (void)len;
    return ESP_ERR_FLASH_OP_FAIL;
}

static esp_err_t view_refuse_erase(void *dev, uint32_t off, uint32_t len)
{
    return view_refuse(dev, off, NULL, len);
}

static const otter_flash_ops_t view_ops = {
    .read = view_read, .program = view_refuse, .erase = view_refuse_erase};

bool file_view_open(file_view_t *view, const char *path, otter_fault_t *fault)
{
    struct stat st;
    size_t len;
    memset(view, 0, sizeof(*view));
    view->fd = input_open(strcmp(path, "-") == 0 ? "/dev/stdin" : path, INPUT_OR_PIPE, &st, fault);
    if (view->fd < 0) {
        return false;
    }
    if (S_ISREG(st.st_mode)) {
        len = st.st_size <= (off_t)OTTER_FLASH_SIZE_MAX ? (size_t)st.st_size : SIZE_MAX; /* refused below */
    } else {
        view->piped = input_read(view->fd, &st, PIPE_MAX, &len, fault);
        if (view->piped == NULL) {
            file_view_close(view);
            return false;
        }
    }
    if (len > OTTER_FLASH_SIZE_MAX) {
        otter_fault(fault, ESP_ERR_INVALID_SIZE, "it has %llu bytes, more than any flash",
                    (unsigned long long)st.st_size);
        file_view_close(view);
        return false;
    }
    view->size = (uint32_t)len;
    static uint8_t buffer[0x10000]; /* views are looked at one after the other */
    view->flash = (otter_flash_t){.ops = &view_ops,
                                  .dev = view,
                                  .size = max_u32(align_up_u32(view->size, SECTOR), SECTOR),
                                  .erase_size = SECTOR,
                                  .write_size = 1,
                                  .buffer = {buffer, sizeof(buffer)}};
    return true;
}

void file_view_close(file_view_t *view)
{
    free(view->piped);
    if (view->fd >= 0) {
        close(view->fd);
    }
    *view = (file_view_t){.fd = -1};
}
