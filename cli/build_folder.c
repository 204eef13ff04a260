/* flasher_args.json says what lies where, config/sdkconfig.json how the device is; the flash file is flash/flash.bin. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "build_folder.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "build_device.h"
#include "cli.h"
#include "flash_verbs.h"
#include "host/number.h"
#include "idf_path.h"
#include "image_writer.h"
#include "linux/crash_trace.h"
#include "linux/file_flash.h"
#include "otter/image.h"
#include "otter/text.h"

#define JSON_MAX (4u << 20)

bool build_folder_is(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/** @return NULL, and said: it is not there, or no JSON. cJSON_Delete() it */
static cJSON *read_json(const build_set_t *set, const char *name)
{
    char path[BUILD_PATH_SIZE];
    size_t len;
    if (!build_set_path(set, path, name)) {
        return NULL;
    }
    if (access(path, F_OK) != 0) {
        (void)cli_fail(set->verb, "%s is no build folder: %s is not there; `otter build PROJECT` makes one",
                       set->folder, name);
        return NULL;
    }
    char *text = (char *)cli_read_file(set->verb, path, JSON_MAX, &len);
    cJSON *json = text != NULL ? cJSON_Parse(text) : NULL;
    if (text != NULL && json == NULL) {
        (void)cli_fail(set->verb, "%s is damaged: build the project again", path);
    }
    free(text);
    return json;
}

static const char *text_of(const cJSON *object, const char *key)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, key));
    return text != NULL ? text : "";
}

/** What else flasher_args.json says of the file that was added last. */
static void describe_part(build_part_t *part, const cJSON *json, const char *file)
{
    const cJSON *entry;
    cJSON_ArrayForEach(entry, json)
    {
        if (file[0] != '\0' && strcmp(text_of(entry, "file"), file) == 0) {
            part->is_app = part->is_app || strcmp(entry->string, "app") == 0;
            part->encrypted = strcmp(text_of(entry, "encrypted"), "true") == 0;
        }
    }
}

static bool add_part(build_set_t *set, const char *offset, const char *file)
{
    char path[BUILD_PATH_SIZE];
    build_part_t *part = &set->parts[set->part_count];
    if (set->part_count == BUILD_FILES_MAX || !parse_offset(offset, FILE_FLASH_SECTOR, &part->offset)) {
        return cli_refuse(set->verb, "%s/flasher_args.json: '%s' at '%s' is no place of the flash",
                          set->folder, file, offset);
    }
    if (!build_set_path(set, path, file)) {
        return false;
    }
    if (access(path, F_OK) != 0) {
        return cli_refuse(set->verb, "%s is not built yet: `otter build PROJECT` does it", path);
    }
    part->data = cli_read_file(set->verb, path, OTTER_FLASH_SIZE_MAX, &part->len);
    if (part->data == NULL) {
        return false;
    }
    set->part_count++;
    return (part->offset <= set->size && part->len <= set->size - part->offset) ||
           cli_refuse(set->verb,
                      "%s has %zu bytes, and at 0x%" PRIx32 " of a flash of %" PRIu32
                      " bytes (CONFIG_ESPTOOLPY_FLASHSIZE) it does not fit",
                      path, part->len, part->offset, set->size);
}

static bool load_parts(build_set_t *set)
{
    uint64_t size = 0;
    cJSON *json = read_json(set, "flasher_args.json");
    if (json == NULL) {
        return false;
    }
    const char *chip = text_of(cJSON_GetObjectItemCaseSensitive(json, "extra_esptool_args"), "chip");
    const char *text = text_of(cJSON_GetObjectItemCaseSensitive(json, "flash_settings"), "flash_size");
    if (strcmp(chip, "linux") != 0) {
        (void)cli_fail(
            set->verb,
            "%s is built for %s; `otter build PROJECT` builds the same project for the virtual device",
            set->folder, chip);
        cJSON_Delete(json);
        return false;
    }
    bool ok = (number_parse_size(text, FILE_FLASH_SECTOR, OTTER_FLASH_SIZE_MAX, &size) &&
               size % FILE_FLASH_SECTOR == 0) ||
              cli_refuse(set->verb, "%s/flasher_args.json: '%s' is no size of a flash", set->folder, text);
    set->size = (uint32_t)size;
    const cJSON *file;
    cJSON_ArrayForEach(file, cJSON_GetObjectItemCaseSensitive(json, "flash_files"))
    {
        const char *name = cJSON_IsString(file) ? file->valuestring : "";
        ok = ok && add_part(set, file->string, name);
        if (ok) {
            describe_part(&set->parts[set->part_count - 1], json, name);
        }
    }
    cJSON_Delete(json);
    return ok;
}

/** Of all that goes into the flash and where, in hex. */
static bool take_digest(build_set_t *set)
{
    size_t len = 0;
    for (size_t i = 0; i < set->part_count; i++) {
        len += set->parts[i].len + 16;
    }
    uint8_t digest[32], *all = malloc(len + 16);
    if (all == NULL) {
        return cli_refuse(set->verb, "out of memory");
    }
    memset(all, 0, len + 16);
    memcpy(all, &set->size, sizeof(set->size));
    memcpy(all + 4, &set->flash_key_len, sizeof(set->flash_key_len));
    all[8] = set->secure_boot || set->secure_boot_v1;
    all[9] = set->release;
    size_t at = 16;
    for (size_t i = 0; i < set->part_count; i++) {
        const build_part_t *part = &set->parts[i];
        memcpy(all + at, &part->offset, sizeof(part->offset));
        memcpy(all + at + 8, &part->len, sizeof(part->len));
        memcpy(all + at + 16, part->data, part->len);
        at += part->len + 16;
    }
    bool ok = image_sha256(all, at, digest) || cli_refuse(set->verb, "out of memory");
    free(all);
    for (size_t i = 0; ok && i < sizeof(digest); i++) {
        snprintf(set->digest + 2 * i, 3, "%02x", digest[i]);
    }
    return ok;
}

/** Is all of it in the flash file, and has nothing else been built since? */
static bool is_flashed(const build_set_t *set)
{
    struct stat st;
    char digest[sizeof(set->digest)] = "";
    FILE *f = fopen(set->stamp, "re");
    bool known = f != NULL && fread(digest, 1, 64, f) == 64;
    if (f != NULL) {
        fclose(f);
    }
    return known && stat(set->flash, &st) == 0 && st.st_size == (off_t)set->size &&
           strcmp(digest, set->digest) == 0;
}

static bool flash_all(const build_set_t *set, const build_folder_start_t *start)
{
    if (!start->flash && !start->fresh && is_flashed(set)) {
        return true;
    }
    return build_device_make(set, start->flash, start->fresh) && build_device_write(set) &&
           cli_write_file(set->verb, set->stamp, set->digest, strlen(set->digest));
}

static bool is_on(const cJSON *options, const char *name)
{
    return cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(options, name));
}

/**
 * CONFIG_SECURE_SIGNED_ON_BOOT_NO_SECURE_BOOT: the bootloader has the key of ESP32's first scheme, and starts nothing
 * that it has not signed. For as long as the program runs, which is one device.
 */
static bool take_boot_key(const build_set_t *set, linux_device_options_t *device)
{
    static uint8_t key[OTTER_V1_KEY_LEN];
    static otter_trust_config_t trust;
    bool has;
    if (!build_set_v1_key(set, key, &has)) {
        return false;
    }
    trust = (otter_trust_config_t){.source = OTTER_TRUST_RUNNING_APP,
                                   .scheme = OTTER_SIGNED_V1,
                                   .signatures = &otter_signatures,
                                   .at_boot = true,
                                   .v1_key = has ? key : NULL};
    device->trust = &trust;
    return true;
}

/** What a command line has not said, the project's options say. */
static bool take_options(build_set_t *set, linux_device_options_t *device)
{
    cJSON *json = read_json(set, "config/sdkconfig.json");
    if (json == NULL) {
        return false;
    }
    const cJSON *offset = cJSON_GetObjectItemCaseSensitive(json, "PARTITION_TABLE_OFFSET");
    if (device->table_offset == 0 && cJSON_IsNumber(offset)) {
        device->table_offset = (uint32_t)offset->valuedouble;
    }
    set->secure_boot = is_on(json, "SECURE_BOOT_V2_ENABLED");
    set->secure_boot_v1 = is_on(json, "SECURE_BOOT_V1_ENABLED");
    set->aggressive_revoke = is_on(json, "SECURE_BOOT_ENABLE_AGGRESSIVE_KEY_REVOKE");
    const bool asks_at_boot = is_on(json, "SECURE_SIGNED_ON_BOOT_NO_SECURE_BOOT");
    if (is_on(json, "SECURE_FLASH_ENC_ENABLED")) {
        set->flash_key_len = is_on(json, "SECURE_FLASH_ENCRYPTION_AES256")           ? 64
                             : is_on(json, "SECURE_FLASH_ENCRYPTION_AES128_DERIVED") ? 16
                                                                                     : 32;
        set->release = is_on(json, "SECURE_FLASH_ENCRYPTION_MODE_RELEASE");
    }
    device->wait_ms = device->wait_ms != 0 ? device->wait_ms : BUILD_WAIT_MS;
    if (device->rollback == LINUX_DEVICE_DEFAULT) {
        device->rollback = is_on(json, "BOOTLOADER_APP_ROLLBACK_ENABLE") ? LINUX_DEVICE_ON : LINUX_DEVICE_OFF;
        device->anti_rollback = device->anti_rollback || is_on(json, "BOOTLOADER_APP_ANTI_ROLLBACK");
        device->emulated_efuse =
            device->emulated_efuse || is_on(json, "BOOTLOADER_EFUSE_SECURE_VERSION_EMULATE");
    }
    cJSON_Delete(json);
    return !asks_at_boot || take_boot_key(set, device);
}

/** The program with its symbols, for a crash to be told with names: it is the one whose image is in flash. */
static void name_program(const build_set_t *set)
{
    char name[BUILD_PATH_SIZE], path[BUILD_PATH_SIZE], elf[BUILD_PATH_SIZE], digest[65];
    cJSON *json = read_json(set, "project_description.json");
    snprintf(name, sizeof(name), "%s", json != NULL ? text_of(json, "app_elf") : "");
    cJSON_Delete(json);
    for (size_t i = 0; i < set->part_count; i++) {
        const build_part_t *part = &set->parts[i];
        const size_t at = OTTER_IMAGE_DESC_OFFSET + offsetof(esp_app_desc_t, app_elf_sha256);
        if (part->is_app && part->len >= at + 32 && build_set_path(set, path, name) &&
            realpath(path, elf) != NULL) {
            for (size_t k = 0; k < 32; k++) {
                snprintf(digest + 2 * k, 3, "%02x", part->data[at + k]);
            }
            setenv(CRASH_TRACE_ENV_ELF, elf, 1);
            setenv(CRASH_TRACE_ENV_DIGEST, digest, 1);
        }
    }
}

bool build_folder_end(const char *verb, const char *path)
{
    char inside[BUILD_PATH_SIZE], idf[PATH_MAX], marker[BUILD_PATH_SIZE + 32], script[PATH_MAX + 32];
    snprintf(inside, sizeof(inside), "%s/" BUILD_FOLDER_NAME, path);
    const char *folder = build_folder_is(inside) ? inside : path;
    snprintf(marker, sizeof(marker), "%s/config/coverage", folder);
    if (access(marker, F_OK) != 0) {
        return true;
    }
    if (!idf_path_find(verb, idf)) {
        return false;
    }
    snprintf(script, sizeof(script), "%s/tools/coverage.py", idf);
    int status = -1;
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        execlp("python3", "python3", "-B", script, "--build", folder, (char *)NULL);
        _exit(127);
    }
    return (pid > 0 && waitpid(pid, &status, 0) == pid && status == 0) ||
           cli_refuse(verb, "%s: what is covered cannot be told (python3 and gcov are needed)", folder);
}

char *build_folder_prepare(const char *verb, const char *path, const build_folder_start_t *start,
                           linux_device_options_t *device)
{
    char inside[BUILD_PATH_SIZE];
    snprintf(inside, sizeof(inside), "%s/" BUILD_FOLDER_NAME, path);
    build_set_t *set = calloc(1, sizeof(*set));
    if (set == NULL) {
        (void)cli_fail(verb, "out of memory");
        return NULL;
    }
    set->verb = verb;
    set->folder = build_folder_is(inside) ? inside : path;
    bool ok = build_set_path(set, set->flash, "flash/flash.bin") &&
              build_set_path(set, set->stamp, "flash/flashed") && load_parts(set) &&
              take_options(set, device) && take_digest(set) && flash_all(set, start);
    if (ok) {
        name_program(set);
    }
    char *flash = ok ? strdup(set->flash) : NULL;
    for (size_t i = 0; i < BUILD_FILES_MAX; i++) {
        free(set->parts[i].data);
    }
    free(set);
    return flash;
}
