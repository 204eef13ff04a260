/* A chip that is flashed for the first time burns eFuses when it boots; here that is done while what was built is written. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "build_device.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli.h"
#include "flash_verbs.h"
#include "linux/efuse_file.h"
#include "linux/file_flash.h"
#include "linux/flash_key.h"
#include "linux/flash_medium.h"
#include "otter/image.h"
#include "signature_look.h"

#define CRYPT_COUNT_RELEASE 7u /* all bits of the counter: it cannot be switched off any more */

bool build_set_path(const build_set_t *set, char out[BUILD_PATH_SIZE], const char *name)
{
    int n = snprintf(out, BUILD_PATH_SIZE, "%s/%s", set->folder, name);
    return (n > 0 && (size_t)n < BUILD_PATH_SIZE) ||
           cli_refuse(set->verb, "the path of %s is too long", name);
}

/** The keys that have signed the app, as the first boot of a chip with secure boot burns them. */
static void take_keys(efuse_file_t *efuse, otter_flash_t *flash, const build_part_t *app)
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

bool build_set_v1_key(const build_set_t *set, uint8_t key[OTTER_V1_KEY_LEN], bool *has)
{
    char path[BUILD_PATH_SIZE];
    size_t len;
    *has = false;
    if (!build_set_path(set, path, "config/signature_verification_key.bin") || access(path, F_OK) != 0) {
        return true;
    }
    uint8_t *bytes = cli_read_file(set->verb, path, OTTER_V1_KEY_LEN, &len);
    *has = bytes != NULL && len == OTTER_V1_KEY_LEN;
    if (*has) {
        memcpy(key, bytes, len);
    }
    free(bytes);
    return bytes != NULL;
}

static bool take_v1_key(const build_set_t *set, efuse_file_t *efuse)
{
    if (!build_set_v1_key(set, efuse->v1_key, &efuse->has_v1_key)) {
        return false;
    }
    efuse->secure_boot = efuse->has_v1_key;
    efuse->scheme = efuse->has_v1_key ? OTTER_SIGNED_V1 : efuse->scheme;
    return true;
}

/** Of a project with CONFIG_SECURE_BOOT, unless its device has secure boot already. What is burned stays. */
static bool burn_secure_boot(const build_set_t *set, otter_flash_t *flash, efuse_file_t *efuse)
{
    if ((!set->secure_boot && !set->secure_boot_v1) || efuse->secure_boot) {
        return true;
    }
    if (set->secure_boot_v1 && !take_v1_key(set, efuse)) {
        return false;
    }
    for (size_t i = 0; set->secure_boot && i < set->part_count; i++) {
        if (set->parts[i].is_app) {
            take_keys(efuse, flash, &set->parts[i]);
        }
    }
    if (!efuse->secure_boot) {
        cli_note(set->verb, "CONFIG_SECURE_BOOT: the app is not signed, so the device has no secure boot; "
                            "CONFIG_SECURE_BOOT_BUILD_SIGNED_BINARIES=y signs it");
        return true;
    }
    efuse->aggressive_revoke = efuse->aggressive_revoke || set->aggressive_revoke;
    return efuse_file_save(efuse) == ESP_OK || cli_refuse(set->verb, "cannot write %s", efuse->path);
}

/** Of a project with CONFIG_SECURE_FLASH_ENC_ENABLED, unless its device has a key: it is made once, and stays. */
static bool choose_flash_key(const build_set_t *set, efuse_file_t *efuse)
{
    flash_key_t key = {.len = set->flash_key_len};
    if (key.len == 0 || flash_key_is_wanted(efuse)) {
        return true;
    }
    bool ok = getrandom(key.bytes, key.len, 0) == (ssize_t)key.len ||
              cli_refuse(set->verb, "no random bytes: %s", strerror(errno));
    ok = ok && (flash_key_to_efuses(&key, efuse) ||
                cli_refuse(set->verb, "%s has no free key block for flash encryption", efuse->path));
    efuse->crypt_count = set->release ? CRYPT_COUNT_RELEASE : 1;
    flash_key_wipe(&key);
    return ok;
}

/** The key of the flash is burned before anything is written: it must not be lost when this is broken off. */
static bool burn_flash_key(const build_set_t *set, efuse_file_t *efuse)
{
    const bool had_one = flash_key_is_wanted(efuse);
    return choose_flash_key(set, efuse) &&
           (had_one == flash_key_is_wanted(efuse) || efuse_file_save(efuse) == ESP_OK ||
            cli_refuse(set->verb, "cannot write %s", efuse->path));
}

/** Whole blocks of the cipher; the table's sector all of it, as a first boot encrypts it. */
static esp_err_t put_encrypted(otter_flash_t *flash, const build_part_t *part)
{
    const size_t len = (part->len + FILE_FLASH_SECTOR - 1) / FILE_FLASH_SECTOR * FILE_FLASH_SECTOR;
    uint8_t *padded = malloc(len);
    if (padded == NULL) {
        return ESP_ERR_NO_MEM;
    }
    memset(padded, 0xFF, len);
    memcpy(padded, part->data, part->len);
    esp_err_t err = flash_put(flash, part->offset, padded, len);
    free(padded);
    return err;
}

static esp_err_t put_all(const build_set_t *set, otter_flash_t *flash, bool encrypted)
{
    esp_err_t err = ESP_OK;
    for (size_t i = 0; err == ESP_OK && i < set->part_count; i++) {
        const build_part_t *part = &set->parts[i];
        if (part->encrypted != encrypted) {
            continue;
        }
        err = encrypted ? put_encrypted(flash, part) : flash_put(flash, part->offset, part->data, part->len);
    }
    return err;
}

/** The flash is encrypted by what its device's eFuses say, whatever the project's options say now. */
static esp_err_t open_cipher(flash_cipher_t *cipher, otter_flash_t *flash, const efuse_file_t *efuse,
                             otter_fault_t *fault)
{
    flash_key_t key = {0};
    if (!flash_key_is_wanted(efuse)) {
        return ESP_OK;
    }
    esp_err_t err =
        flash_key_from_efuses(efuse, &key)
            ? flash_cipher_open(cipher, flash, &key, otter_flash_cipher_for(OTTER_CHIP_LINUX, key.len), fault)
            : otter_fault(fault, ESP_ERR_NOT_FOUND, "%s holds no key of flash encryption", efuse->path);
    flash_key_wipe(&key);
    return err;
}

static bool write_open(const build_set_t *set, otter_flash_t *flash, efuse_file_t *efuse)
{
    flash_cipher_t cipher = {0};
    otter_fault_t fault = {0};
    esp_err_t err = put_all(set, flash, false);
    err = err == ESP_OK ? open_cipher(&cipher, flash, efuse, &fault) : err;
    err = err == ESP_OK ? put_all(set, flash, true) : err;
    err = err == ESP_OK ? otter_flash_sync(flash) : err;
    flash_explain(flash, err, &fault);
    bool ok = err == ESP_OK || cli_refuse(set->verb, "cannot write %s: %s", set->flash, fault.why);
    ok = ok && burn_secure_boot(set, flash, efuse);
    flash_cipher_close(&cipher, flash);
    return ok;
}

/** With the key of its flash burned. */
static bool write_device(const build_set_t *set, efuse_file_t *efuse)
{
    otter_flash_t *flash;
    otter_fault_t fault = {0};
    const file_flash_options_t how = {.strict = true, .wait_ms = BUILD_WAIT_MS};
    if (file_flash_open(set->flash, &how, &flash, &fault) != ESP_OK) {
        return cli_refuse(set->verb, "%s: %s", set->flash, fault.why);
    }
    unlink(set->stamp); /* until all of it is there */
    bool ok = write_open(set, flash, efuse);
    otter_ignore(file_flash_close(flash)); /* synced above */
    return ok;
}

bool build_device_write(const build_set_t *set)
{
    otter_fault_t fault = {0};
    efuse_file_t efuse;
    if (efuse_file_load(&efuse, set->flash, &fault) != ESP_OK) {
        return cli_refuse(set->verb, "%s: %s", set->flash, fault.why);
    }
    const bool ok = burn_flash_key(set, &efuse) && write_device(set, &efuse);
    otter_wipe(efuse.blocks, sizeof(efuse.blocks));
    return ok;
}

/** A new chip has eFuses with nothing burned: where their file is lost later, that is told. */
static bool make_efuse(const build_set_t *set)
{
    efuse_file_t efuse;
    otter_fault_t fault;
    if (efuse_file_load(&efuse, set->flash, &fault) != ESP_OK) {
        return cli_refuse(set->verb, "%s: %s", set->flash, fault.why);
    }
    efuse.has_chip = true;
    const bool ok = efuse.exists || efuse_file_save(&efuse) == ESP_OK ||
                    cli_refuse(set->verb, "cannot write %s", efuse.path);
    otter_wipe(efuse.blocks, sizeof(efuse.blocks));
    return ok;
}

/** Not under a device that runs in it. @return false, and said */
static bool remove_flash(const build_set_t *set)
{
    int fd;
    otter_fault_t fault;
    if (flash_medium_open(set->flash, FLASH_MEDIUM_WRITE, BUILD_WAIT_MS, &fd, &fault) != ESP_OK) {
        return cli_refuse(set->verb, "%s: %s", set->flash, fault.why);
    }
    bool ok =
        unlink(set->flash) == 0 || cli_refuse(set->verb, "cannot remove %s: %s", set->flash, strerror(errno));
    unlink(set->stamp);
    close(fd);
    return ok;
}

/** A flash file of another size is another chip's. */
bool build_device_make(const build_set_t *set, bool flash, bool fresh)
{
    char folder[BUILD_PATH_SIZE];
    struct stat st;
    otter_fault_t fault;
    if (!build_set_path(set, folder, "flash")) {
        return false;
    }
    if (mkdir(folder, 0777) != 0 && errno != EEXIST) {
        return cli_refuse(set->verb, "cannot make %s: %s", folder, strerror(errno));
    }
    bool there = stat(set->flash, &st) == 0;
    if (there && (fresh || st.st_size != (off_t)set->size)) {
        if (!remove_flash(set)) {
            return false;
        }
        there = false;
        if (!fresh) {
            cli_note(set->verb, "%s had another size: a new one is made", set->flash);
        }
    }
    if (fresh) {
        char efuse[BUILD_PATH_SIZE + 8];
        snprintf(efuse, sizeof(efuse), "%s.efuse", set->flash);
        unlink(efuse);
    }
    if (there) {
        if (!flash) {
            cli_note(set->verb, "what was built is written into %s, as `idf.py flash` does; NVS stays",
                     set->flash);
        }
        return true;
    }
    return make_efuse(set) && (file_flash_create(set->flash, set->size, &fault) == ESP_OK ||
                               cli_refuse(set->verb, "%s: %s", set->flash, fault.why));
}
