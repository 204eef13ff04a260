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

#include "cli.h"
#include "flash_verbs.h"
#include "host/number.h"
#include "idf_path.h"
#include "image_writer.h"
#include "linux/crash_trace.h"
#include "linux/efuse_file.h"
#include "linux/file_flash.h"
#include "linux/flash_medium.h"
#include "otter/image.h"
#include "otter/text.h"
#include "signature_look.h"

#define JSON_MAX     (4u << 20)
#define FILES_MAX    64u
#define PATH_SIZE    4096u
#define WAIT_MS_HERE 10000 /* for a device that was told to end, and is not gone yet */

/** One file that goes into the flash. */
typedef struct {
    uint32_t offset;
    uint8_t *data; /* owned */
    size_t len;
    bool is_app;
} part_t;

typedef struct {
    const char *verb, *folder;
    uint32_t size; /* of the flash, bytes */
    part_t parts[FILES_MAX];
    size_t part_count;
    char flash[PATH_SIZE],
        stamp[PATH_SIZE]; /* paths: the flash file, and the digest of what was written into it */
    char digest[65];
    bool secure_boot; /* version 2: the first boot of a chip burns the keys that have signed the app */
    bool v1;          /* version 1, whose key is in no signature: the build has put it into a file */
} set_t;

bool build_folder_is(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/** @return false, and said: the path would be too long */
static bool join(const set_t *set, char out[PATH_SIZE], const char *name)
{
    int n = snprintf(out, PATH_SIZE, "%s/%s", set->folder, name);
    return (n > 0 && (size_t)n < PATH_SIZE) || cli_refuse(set->verb, "the path of %s is too long", name);
}

/** @return NULL, and said: it is not there, or no JSON. cJSON_Delete() it */
static cJSON *read_json(const set_t *set, const char *name)
{
    char path[PATH_SIZE];
    size_t len;
    if (!join(set, path, name)) {
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

static bool add_part(set_t *set, const char *offset, const char *file)
{
    char path[PATH_SIZE];
    part_t *part = &set->parts[set->part_count];
    if (set->part_count == FILES_MAX || !parse_offset(offset, FILE_FLASH_SECTOR, &part->offset)) {
        return cli_refuse(set->verb, "%s/flasher_args.json: '%s' at '%s' is no place of the flash",
                          set->folder, file, offset);
    }
    if (!join(set, path, file)) {
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

static bool load_parts(set_t *set)
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
        const char *name = cJSON_GetStringValue(file);
        ok = ok && add_part(set, file->string, name != NULL ? name : "");
        if (ok) {
            const cJSON *app = cJSON_GetObjectItemCaseSensitive(json, "app");
            set->parts[set->part_count - 1].is_app =
                strcmp(text_of(app, "file"), name != NULL ? name : "") == 0;
        }
    }
    cJSON_Delete(json);
    return ok;
}

/** Of all that goes into the flash and where, in hex. */
static bool take_digest(set_t *set)
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
    size_t at = 16;
    for (size_t i = 0; i < set->part_count; i++) {
        const part_t *part = &set->parts[i];
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
static bool is_flashed(const set_t *set)
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

/** The keys that have signed the app, as the first boot of a chip with secure boot burns them. */
static void take_keys(efuse_file_t *efuse, otter_flash_t *flash, const part_t *app)
{
    image_signature_t signature;
    uint32_t len;
    if (otter_image_length(flash, &efuse->chip, app->offset, (uint32_t)app->len, &len) != ESP_OK) {
        return;
    }
    signature_look(&signature, flash, app->offset, app->offset + len, app->offset + (uint32_t)app->len, NULL);
    uint32_t count = 0;
    for (uint32_t i = 0; i < OTTER_SIGNATURE_BLOCKS; i++) {
        const signature_seen_t *seen = &signature.block[i];
        if (!signature.v1 && seen->present && seen->valid && count < OTTER_TRUSTED_KEYS) {
            efuse->secure_boot = true;
            efuse->scheme = seen->scheme;
            efuse->keys[count].present = true;
            memcpy(efuse->keys[count++].digest, seen->key_digest, OTTER_KEY_DIGEST_LEN);
        }
    }
}

/** Of version 1. @return false, and said: there is none */
static bool take_v1_key(const set_t *set, efuse_file_t *efuse)
{
    char path[PATH_SIZE];
    size_t len = 0;
    uint8_t *key = join(set, path, "signature_verification_key.bin")
                       ? cli_read_file(set->verb, path, OTTER_V1_KEY_LEN, &len)
                       : NULL;
    bool ok =
        key != NULL && (len == OTTER_V1_KEY_LEN ||
                        cli_refuse(set->verb, "%s is no key of secure boot V1, which has 64 bytes", path));
    if (ok) {
        efuse->secure_boot = efuse->has_v1_key = true;
        efuse->scheme = OTTER_SIGNED_V1;
        memcpy(efuse->v1_key, key, OTTER_V1_KEY_LEN);
    }
    free(key);
    return ok;
}

/** Of a project with CONFIG_SECURE_BOOT, unless its device has secure boot already. What is burned stays. */
static bool burn_secure_boot(const set_t *set, otter_flash_t *flash)
{
    efuse_file_t efuse;
    otter_fault_t fault;
    if (!set->secure_boot && !set->v1) {
        return true;
    }
    if (efuse_file_load(&efuse, set->flash, &fault) != ESP_OK) {
        return cli_refuse(set->verb, "%s: %s", set->flash, fault.why);
    }
    if (efuse.secure_boot) {
        return true;
    }
    if (set->v1 && !take_v1_key(set, &efuse)) {
        return false;
    }
    for (size_t i = 0; !set->v1 && i < set->part_count; i++) {
        if (set->parts[i].is_app) {
            take_keys(&efuse, flash, &set->parts[i]);
        }
    }
    if (!efuse.secure_boot) {
        cli_note(set->verb, "CONFIG_SECURE_BOOT: the app is not signed, so the device has no secure boot; "
                            "CONFIG_SECURE_BOOT_BUILD_SIGNED_BINARIES=y signs it");
        return true;
    }
    return efuse_file_save(&efuse) == ESP_OK || cli_refuse(set->verb, "cannot write %s", efuse.path);
}

static bool write_parts(const set_t *set)
{
    otter_flash_t *flash;
    otter_fault_t fault;
    const file_flash_options_t how = {.strict = true, .wait_ms = WAIT_MS_HERE};
    if (file_flash_open(set->flash, &how, &flash, &fault) != ESP_OK) {
        return cli_refuse(set->verb, "%s: %s", set->flash, fault.why);
    }
    unlink(set->stamp); /* until all of it is there */
    esp_err_t err = ESP_OK;
    for (size_t i = 0; err == ESP_OK && i < set->part_count; i++) {
        err = flash_put(flash, set->parts[i].offset, set->parts[i].data, set->parts[i].len);
    }
    err = err == ESP_OK ? otter_flash_sync(flash) : err;
    flash_explain(flash, err, &fault);
    bool ok = err == ESP_OK || cli_refuse(set->verb, "cannot write %s: %s", set->flash, fault.why);
    ok = ok && burn_secure_boot(set, flash);
    otter_ignore(file_flash_close(flash)); /* synced above */
    return ok;
}

/** A new chip has eFuses with nothing burned: where their file is lost later, that is told. */
static bool make_efuse(const set_t *set)
{
    efuse_file_t efuse;
    otter_fault_t fault;
    if (efuse_file_load(&efuse, set->flash, &fault) != ESP_OK) {
        return cli_refuse(set->verb, "%s: %s", set->flash, fault.why);
    }
    efuse.has_chip = true;
    return efuse.exists || efuse_file_save(&efuse) == ESP_OK ||
           cli_refuse(set->verb, "cannot write %s", efuse.path);
}

/** Not under a device that runs in it. @return false, and said */
static bool remove_flash(const set_t *set)
{
    int fd;
    otter_fault_t fault;
    if (flash_medium_open(set->flash, false, WAIT_MS_HERE, &fd, &fault) != ESP_OK) {
        return cli_refuse(set->verb, "%s: %s", set->flash, fault.why);
    }
    bool ok =
        unlink(set->flash) == 0 || cli_refuse(set->verb, "cannot remove %s: %s", set->flash, strerror(errno));
    unlink(set->stamp);
    close(fd);
    return ok;
}

/** A flash file of another size is another chip's. */
static bool make_flash(const set_t *set, const build_folder_start_t *start)
{
    char folder[PATH_SIZE];
    struct stat st;
    otter_fault_t fault;
    if (!join(set, folder, "flash")) {
        return false;
    }
    if (mkdir(folder, 0777) != 0 && errno != EEXIST) {
        return cli_refuse(set->verb, "cannot make %s: %s", folder, strerror(errno));
    }
    bool there = stat(set->flash, &st) == 0;
    if (there && (start->fresh || st.st_size != (off_t)set->size)) {
        if (!remove_flash(set)) {
            return false;
        }
        there = false;
        if (!start->fresh) {
            cli_note(set->verb, "%s had another size: a new one is made", set->flash);
        }
    }
    if (start->fresh) {
        char efuse[PATH_SIZE + 8];
        snprintf(efuse, sizeof(efuse), "%s.efuse", set->flash);
        unlink(efuse);
    }
    if (there) {
        if (!start->flash) {
            cli_note(set->verb, "what was built is written into %s, as `idf.py flash` does; NVS stays",
                     set->flash);
        }
        return true;
    }
    return make_efuse(set) && (file_flash_create(set->flash, set->size, &fault) == ESP_OK ||
                               cli_refuse(set->verb, "%s: %s", set->flash, fault.why));
}

static bool flash_all(const set_t *set, const build_folder_start_t *start)
{
    if (!start->flash && !start->fresh && is_flashed(set)) {
        return true;
    }
    return make_flash(set, start) && write_parts(set) &&
           cli_write_file(set->verb, set->stamp, set->digest, strlen(set->digest));
}

/** What a command line has not said, the project's options say. */
static bool take_options(set_t *set, linux_device_options_t *device)
{
    cJSON *json = read_json(set, "config/sdkconfig.json");
    if (json == NULL) {
        return false;
    }
    const cJSON *offset = cJSON_GetObjectItemCaseSensitive(json, "PARTITION_TABLE_OFFSET");
    if (device->table_offset == 0 && cJSON_IsNumber(offset)) {
        device->table_offset = (uint32_t)offset->valuedouble;
    }
    set->secure_boot = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(json, "SECURE_BOOT_V2_ENABLED"));
    set->v1 = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(json, "SECURE_BOOT_V1_ENABLED"));
    device->wait_ms = device->wait_ms != 0 ? device->wait_ms : WAIT_MS_HERE;
    if (device->rollback == LINUX_DEVICE_DEFAULT) {
        device->rollback =
            cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(json, "BOOTLOADER_APP_ROLLBACK_ENABLE"))
                ? LINUX_DEVICE_ON
                : LINUX_DEVICE_OFF;
        device->anti_rollback =
            device->anti_rollback ||
            cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(json, "BOOTLOADER_APP_ANTI_ROLLBACK"));
    }
    cJSON_Delete(json);
    return true;
}

/** The program with its symbols, for a crash to be told with names: it is the one whose image is in flash. */
static void name_program(const set_t *set)
{
    char name[PATH_SIZE], path[PATH_SIZE], elf[PATH_SIZE], digest[65];
    cJSON *json = read_json(set, "project_description.json");
    snprintf(name, sizeof(name), "%s", json != NULL ? text_of(json, "app_elf") : "");
    cJSON_Delete(json);
    for (size_t i = 0; i < set->part_count; i++) {
        const part_t *part = &set->parts[i];
        const size_t at = OTTER_IMAGE_DESC_OFFSET + offsetof(esp_app_desc_t, app_elf_sha256);
        if (part->is_app && part->len >= at + 32 && join(set, path, name) && realpath(path, elf) != NULL) {
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
    char inside[PATH_SIZE], idf[PATH_MAX], marker[PATH_SIZE + 32], script[PATH_MAX + 32];
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
    char inside[PATH_SIZE];
    snprintf(inside, sizeof(inside), "%s/" BUILD_FOLDER_NAME, path);
    set_t *set = calloc(1, sizeof(*set));
    if (set == NULL) {
        (void)cli_fail(verb, "out of memory");
        return NULL;
    }
    set->verb = verb;
    set->folder = build_folder_is(inside) ? inside : path;
    bool ok = join(set, set->flash, "flash/flash.bin") && join(set, set->stamp, "flash/flashed") &&
              load_parts(set) && take_options(set, device) && take_digest(set) && flash_all(set, start);
    if (ok) {
        name_program(set);
    }
    char *flash = ok ? strdup(set->flash) : NULL;
    for (size_t i = 0; i < FILES_MAX; i++) {
        free(set->parts[i].data);
    }
    free(set);
    return flash;
}
