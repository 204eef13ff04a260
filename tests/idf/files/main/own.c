/* A file system of the application's own, whose one file is in memory. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "own.h"

#include <errno.h>

#include "esp_vfs.h"

typedef struct {
    char text[64];
    size_t len, at;
} memory_t;

static int open_text(void *ctx, const char *path, int flags, int mode)
{
    (void)mode;
    memory_t *memory = ctx;
    if (strcmp(path, "/text") != 0) {
        errno = ENOENT;
        return -1;
    }
    memory->at = 0;
    memory->len = (flags & O_TRUNC) != 0 ? 0 : memory->len;
    return 7;
}

static ssize_t write_text(void *ctx, int fd, const void *data, size_t size)
{
    memory_t *memory = ctx;
    size_t room = sizeof(memory->text) - memory->len;
    size = fd == 7 && size < room ? size : 0;
    memcpy(memory->text + memory->len, data, size);
    memory->len += size;
    return (ssize_t)size;
}

static ssize_t read_text(void *ctx, int fd, void *to, size_t size)
{
    memory_t *memory = ctx;
    size_t left = memory->len - memory->at;
    size = fd != 7 ? 0 : size < left ? size : left;
    memcpy(to, memory->text + memory->at, size);
    memory->at += size;
    return (ssize_t)size;
}

static int close_text(void *ctx, int fd)
{
    (void)ctx;
    printf("own file %d closed\n", fd);
    return 0;
}

void ask_own(void)
{
    static memory_t memory;
    const esp_vfs_t fs = {.flags = ESP_VFS_FLAG_CONTEXT_PTR,
                          .open_p = open_text,
                          .write_p = write_text,
                          .read_p = read_text,
                          .close_p = close_text};
    esp_err_t no_path = esp_vfs_register("own", &fs, NULL);
    esp_err_t all_paths = esp_vfs_register("", &fs, NULL);
    esp_err_t err = esp_vfs_register("/own", &fs, &memory);
    printf("own 0x%x 0x%x 0x%x twice 0x%x\n", no_path, all_paths, err,
           esp_vfs_register("/own", &fs, &memory));
    FILE *file = fopen("/own/text", "w");
    fprintf(file, "in %s", "memory");
    fclose(file);
    char text[64] = "";
    int fd = open("/own/text", O_RDONLY);
    printf("own read %d", (int)read(fd, text, sizeof(text)));
    struct stat st;
    printf(" %s, seek %d", text, (int)lseek(fd, 0, SEEK_SET));
    printf(" stat %d %d\n", fstat(fd, &st), errno == ENOSYS);
    close(fd);
    printf("own other %d", open("/own/other", O_RDONLY));
    printf(" %d\n", errno == ENOENT);
    printf("own gone 0x%x", esp_vfs_unregister("/own"));
    printf(" twice 0x%x\n", esp_vfs_unregister("/own"));
}
