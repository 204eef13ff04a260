/* The folder beside the flash file, and the record of whose files it has. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "folder.h"

#include <errno.h>
#include <fts.h>
#include <stdlib.h>

#include "esp_log.h"
#include "otter/run_protocol.h"
#include "vfs.h"

static const char TAG[] = "vfs";

#define IMAGE_OFFSET    4096 /* bytes: a sector of a project's flash */
#define LABEL_TEXT_SIZE (3 * sizeof(((esp_partition_t *)0)->label) + 1)

/** A label as the name of a folder: what is no letter, digit or "_" in it becomes "%XX". */
static void as_name(const char *label, char text[LABEL_TEXT_SIZE])
{
    for (; *label != '\0'; label++) {
        bool plain = (*label >= 'a' && *label <= 'z') || (*label >= 'A' && *label <= 'Z') ||
                     (*label >= '0' && *label <= '9') || *label == '_';
        text += plain ? sprintf(text, "%c", *label) : sprintf(text, "%%%02X", (unsigned char)*label);
    }
    *text = '\0';
}

char *folder_path(const esp_partition_t *partition, const char *suffix)
{
    const char *flash = getenv(OTTER_RUN_ENV_FLASH_PATH);
    char name[LABEL_TEXT_SIZE] = "", *path = NULL;
    as_name(partition->label, name);
    return asprintf(&path, "%s.files/%s%s", flash != NULL ? flash : "flash.bin", name, suffix) >= 0 ? path
                                                                                                    : NULL;
}

static bool cannot(const char *what, const char *path)
{
    ESP_LOGE(TAG, "cannot %s %s: %s", what, path, strerror(errno));
    return false;
}

bool folder_clear(const char *folder)
{
    char *const paths[] = {(char *)(uintptr_t)folder, NULL};
    FTS *tree = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    bool ok = tree != NULL;
    for (FTSENT *entry = ok ? fts_read(tree) : NULL; entry != NULL; entry = fts_read(tree)) {
        if (entry->fts_level > FTS_ROOTLEVEL && entry->fts_info != FTS_D) {
            ok = (entry->fts_info == FTS_DP ? __real_rmdir(entry->fts_accpath)
                                            : __real_unlink(entry->fts_accpath)) == 0 &&
                 ok;
        }
    }
    if (tree != NULL) {
        (void)fts_close(tree); /* it was only read */
    }
    if (!ok) {
        return cannot("empty", folder);
    }
    char *above = strndup(folder, (size_t)(strrchr(folder, '/') - folder));
    ok = above != NULL && (__real_mkdir(above, 0777) == 0 || errno == EEXIST) &&
         (__real_mkdir(folder, 0777) == 0 || errno == EEXIST);
    free(above);
    return ok || cannot("make", folder);
}

bool folder_read_id(const esp_partition_t *partition, uint8_t id[FOLDER_ID_LEN])
{
    char *path = folder_path(partition, ".id");
    FILE *file = path != NULL ? __real_fopen(path, "re") : NULL;
    free(path);
    bool ok = file != NULL && fread(id, 1, FOLDER_ID_LEN, file) == FOLDER_ID_LEN;
    if (file != NULL) {
        (void)fclose(file); /* it was only read */
    }
    return ok;
}

bool folder_write_id(const esp_partition_t *partition, const uint8_t id[FOLDER_ID_LEN])
{
    char *path = folder_path(partition, ".id"), *made = folder_path(partition, ".id.new");
    bool ok = path != NULL && made != NULL;
    FILE *file = ok ? __real_fopen(made, "we") : NULL;
    ok = file != NULL && fwrite(id, 1, FOLDER_ID_LEN, file) == FOLDER_ID_LEN;
    ok = (file == NULL || fclose(file) == 0) && ok && __real_rename(made, path) == 0;
    ok = ok || cannot("write", path != NULL ? path : partition->label);
    free(path);
    free(made);
    return ok;
}

size_t folder_used(const char *folder)
{
    char *const paths[] = {(char *)(uintptr_t)folder, NULL};
    FTS *tree = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    size_t used = 0;
    for (FTSENT *entry = tree != NULL ? fts_read(tree) : NULL; entry != NULL; entry = fts_read(tree)) {
        used += entry->fts_info == FTS_F ? (size_t)entry->fts_statp->st_size : 0;
    }
    if (tree != NULL) {
        (void)fts_close(tree);
    }
    return used;
}

/* ---- what a partition was flashed with ---- */

/** A file of the image: FORMATS.md section 11. */
typedef struct {
    uint32_t name_len, len;
} __attribute__((packed)) entry_t;

/** Makes the folders on the way to it. */
static void make_folders(char *path, size_t from)
{
    for (char *at = path + from; (at = strchr(at, '/')) != NULL; at++) {
        *at = '\0';
        (void)__real_mkdir(path, 0777); /* it may be there; the file cannot be made where it is not */
        *at = '/';
    }
}

/** A name that stays in its folder. */
static bool is_name(const char *name)
{
    for (const char *at = name;; at++) {
        size_t len = strcspn(at, "/");
        if (len == 0 || (len == 1 && at[0] == '.') || (len == 2 && at[0] == '.' && at[1] == '.')) {
            return false;
        }
        at += len;
        if (*at == '\0') {
            return true;
        }
    }
}

static esp_err_t copy_file(const esp_partition_t *partition, size_t at, size_t len, const char *path)
{
    FILE *file = __real_fopen(path, "we");
    bool ok = file != NULL;
    esp_err_t err = ESP_OK;
    uint8_t piece[512];
    while (ok && len > 0 && err == ESP_OK) {
        size_t count = len < sizeof(piece) ? len : sizeof(piece);
        err = esp_partition_read(partition, at, piece, count);
        ok = err == ESP_OK && fwrite(piece, 1, count, file) == count;
        at += count;
        len -= count;
    }
    ok = (file == NULL || fclose(file) == 0) && ok;
    if (err == ESP_OK && !ok) {
        (void)cannot("write", path);
        err = ESP_FAIL;
    }
    return err;
}

/** @param at in: of the entry; out: of the next */
static esp_err_t unpack_file(const esp_partition_t *partition, const char *folder, size_t *at, size_t end)
{
    entry_t entry;
    char name[256] = "", *path = NULL;
    if (end - *at < sizeof(entry)) {
        return ESP_ERR_INVALID_SIZE;
    }
    esp_err_t err = esp_partition_read(partition, *at, &entry, sizeof(entry));
    *at += sizeof(entry);
    if (err != ESP_OK) {
        return err;
    }
    if (entry.name_len == 0 || entry.name_len >= sizeof(name) || entry.name_len > end - *at ||
        entry.len > end - *at - entry.name_len) {
        return ESP_ERR_INVALID_SIZE;
    }
    err = esp_partition_read(partition, *at, name, entry.name_len);
    *at += entry.name_len;
    if (err != ESP_OK || !is_name(name)) {
        return err != ESP_OK ? err : ESP_ERR_INVALID_SIZE;
    }
    if (asprintf(&path, "%s/%s", folder, name) < 0) {
        return ESP_ERR_NO_MEM;
    }
    make_folders(path, strlen(folder) + 1);
    err = copy_file(partition, *at, entry.len, path);
    *at += entry.len;
    free(path);
    return err;
}

esp_err_t folder_unpack(const esp_partition_t *partition, const char *folder, uint32_t len)
{
    size_t at = IMAGE_OFFSET, end = at + len;
    if (len > partition->size - at) {
        return ESP_ERR_INVALID_SIZE;
    }
    esp_err_t err = ESP_OK;
    while (err == ESP_OK && at < end) {
        err = unpack_file(partition, folder, &at, end);
    }
    return err;
}
