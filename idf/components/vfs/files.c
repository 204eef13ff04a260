/* Mounting a partition's files: whether the folder has them already, or the partition brings others. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "otter_files.h"

#include <pthread.h>
#include <stdlib.h>

#include "esp_log.h"
#include "esp_random.h"
#include "folder.h"
#include "vfs.h"

static const char TAG[] = "vfs";

#define FILES_MAX 16

static const char magic[16] = "otter files 1";

/** The beginning of a partition with files: FORMATS.md section 11. */
typedef struct {
    char magic[16];
    uint32_t len; /* bytes of files that it was flashed with, behind this sector */
    uint8_t reserved[12];
    uint8_t id[FOLDER_ID_LEN]; /* FF: nobody has mounted it since */
} __attribute__((packed)) head_t;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct {
    const esp_partition_t *partition;
    char base[ESP_VFS_PATH_MAX + 1];
} mounted[FILES_MAX];

const esp_partition_t *otter_files_partition(const char *label, esp_partition_subtype_t subtype)
{
    return esp_partition_find_first(ESP_PARTITION_TYPE_DATA,
                                    label != NULL ? ESP_PARTITION_SUBTYPE_ANY : subtype, label);
}

/* ---- the partition's head ---- */

static bool is_new(const head_t *head)
{
    for (size_t i = 0; i < FOLDER_ID_LEN; i++) {
        if (head->id[i] != 0xFF) {
            return false;
        }
    }
    return true;
}

/** Gives the files a name of their own. The bytes of the id are blank until then; behind a cipher the whole sector is written. */
static esp_err_t name_files(const esp_partition_t *partition, head_t *head)
{
    const size_t at = offsetof(head_t, id);
    bool blank = is_new(head) && !partition->encrypted;
    esp_fill_random(head->id, FOLDER_ID_LEN);
    if (!folder_write_id(partition, head->id)) {
        return ESP_FAIL;
    }
    if (blank) {
        return esp_partition_write(partition, at, head->id, FOLDER_ID_LEN);
    }
    esp_err_t err = esp_partition_erase_range(partition, 0, partition->erase_size);
    return err == ESP_OK ? esp_partition_write(partition, 0, head, sizeof(*head)) : err;
}

/** The folder gets what the partition was flashed with. */
static esp_err_t begin_anew(const esp_partition_t *partition, const char *folder, head_t *head)
{
    if (!folder_clear(folder)) {
        return ESP_FAIL;
    }
    esp_err_t err = folder_unpack(partition, folder, head->len);
    if (err == ESP_ERR_INVALID_SIZE) {
        ESP_LOGE(TAG, "partition %s: its image is damaged", partition->label);
        err = ESP_FAIL;
    }
    return err == ESP_OK ? name_files(partition, head) : err;
}

static esp_err_t format(const esp_partition_t *partition, const char *folder)
{
    head_t head = {.len = 0}; /* its id is no blank one: name_files() writes all of the head */
    memcpy(head.magic, magic, sizeof(magic));
    esp_err_t err = esp_partition_erase_range(partition, 0, partition->size);
    return err == ESP_OK ? begin_anew(partition, folder, &head) : err;
}

static esp_err_t open_files(const otter_files_config_t *config, const char *folder)
{
    const esp_partition_t *partition = config->partition;
    head_t head;
    uint8_t id[FOLDER_ID_LEN];
    esp_err_t err = esp_partition_read(partition, 0, &head, sizeof(head));
    if (err != ESP_OK) {
        return err;
    }
    if (memcmp(head.magic, magic, sizeof(magic)) != 0) {
        ESP_LOGW(TAG, "partition %s holds no files (of otter's, which stand for %s's)%s", partition->label,
                 config->kind, config->format_if_mount_failed ? ": it is formatted" : "");
        return config->format_if_mount_failed ? format(partition, folder) : ESP_FAIL;
    }
    if (is_new(&head)) {
        return begin_anew(partition, folder, &head);
    }
    if (folder_read_id(partition, id) && memcmp(id, head.id, sizeof(id)) == 0) {
        return ESP_OK;
    }
    ESP_LOGW(TAG,
             "the files of partition %s are not in %s: it begins anew with those that it was flashed with",
             partition->label, folder);
    return begin_anew(partition, folder, &head);
}

/* ---- what is mounted ---- */

/** With the lock held: the place of a partition, or with NULL a free one; FILES_MAX: there is none. */
static size_t place_of(const esp_partition_t *partition)
{
    size_t i = 0;
    while (i < FILES_MAX && mounted[i].partition != partition) {
        i++;
    }
    return i;
}

static esp_err_t mount_folder(const otter_files_config_t *config, char *folder)
{
    mount_t mount = {
        .folder = folder, .read_only = config->read_only, .makes_folders = config->makes_folders};
    size_t place = place_of(NULL);
    esp_err_t err = place == FILES_MAX ? ESP_ERR_NO_MEM : open_files(config, folder);
    if (err == ESP_OK) {
        memcpy(mount.base, config->base_path, strlen(config->base_path) + 1);
        err = vfs_mount(&mount);
    }
    if (err == ESP_OK) {
        mounted[place].partition = config->partition;
        memcpy(mounted[place].base, mount.base, sizeof(mount.base));
    }
    return err;
}

esp_err_t otter_files_mount(const otter_files_config_t *config)
{
    if (!vfs_is_base(config->base_path)) {
        return ESP_ERR_INVALID_ARG;
    }
    char *folder = folder_path(config->partition, "");
    if (folder == NULL) {
        return ESP_ERR_NO_MEM;
    }
    (void)pthread_mutex_lock(&lock);
    bool there = place_of(config->partition) < FILES_MAX || vfs_find(config->base_path) != NULL;
    esp_err_t err = there ? ESP_ERR_INVALID_STATE : mount_folder(config, folder);
    (void)pthread_mutex_unlock(&lock);
    if (err != ESP_OK) {
        free(folder);
        return err;
    }
    ESP_LOGI(TAG, "%s: the files of partition %s stand in for %s, in %s", config->base_path,
             config->partition->label, config->kind, folder);
    return ESP_OK;
}

esp_err_t otter_files_unmount(const esp_partition_t *partition)
{
    (void)pthread_mutex_lock(&lock);
    size_t i = partition != NULL ? place_of(partition) : FILES_MAX;
    esp_err_t err = i < FILES_MAX ? vfs_unmount(mounted[i].base) : ESP_ERR_INVALID_STATE;
    if (err == ESP_OK) {
        mounted[i].partition = NULL;
    }
    (void)pthread_mutex_unlock(&lock);
    return err;
}

bool otter_files_are_mounted(const esp_partition_t *partition)
{
    (void)pthread_mutex_lock(&lock);
    bool there = partition != NULL && place_of(partition) < FILES_MAX;
    (void)pthread_mutex_unlock(&lock);
    return there;
}

const esp_partition_t *otter_files_at(const char *base_path)
{
    const esp_partition_t *found = NULL;
    (void)pthread_mutex_lock(&lock);
    for (size_t i = 0; i < FILES_MAX && base_path != NULL && found == NULL; i++) {
        if (mounted[i].partition != NULL && strcmp(mounted[i].base, base_path) == 0) {
            found = mounted[i].partition;
        }
    }
    (void)pthread_mutex_unlock(&lock);
    return found;
}

esp_err_t otter_files_format(const esp_partition_t *partition)
{
    char *folder = folder_path(partition, "");
    if (folder == NULL) {
        return ESP_ERR_NO_MEM;
    }
    (void)pthread_mutex_lock(&lock);
    esp_err_t err = format(partition, folder);
    (void)pthread_mutex_unlock(&lock);
    free(folder);
    return err;
}

esp_err_t otter_files_info(const esp_partition_t *partition, size_t *total, size_t *used)
{
    char *folder = folder_path(partition, "");
    if (folder == NULL) {
        return ESP_ERR_NO_MEM;
    }
    *total = partition->size;
    *used = folder_used(folder);
    free(folder);
    return ESP_OK;
}
