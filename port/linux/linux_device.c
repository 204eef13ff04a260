/* Opening a device from its flash file; most of it is finding out which chip a flash without an eFuse file is from. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "linux/linux_device.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "otter/bytes.h"
#include "otter/crypto.h"
#include "otter/text.h"
#include "esp_log.h"
#include "flash/partition_list.h"
#include "linux/flash_medium.h"
#include "otter/partition_table.h"
#include "otter/bootloader.h"
#include "otter/signature.h"
#include "otter/image.h"
#include "otter/boot.h"
#include "otter/promise.h"
#include "otter/system.h"

static const char TAG[] = "flash_encrypt";

#define NOR_SIZE_MIN 0x100000u /* of the flash chips that image headers know */
#define NOR_SIZE_MAX 0x8000000u

/** What an image says of the chip that it is for. @return false if no image for a known chip is in the partition */
static bool read_image(linux_device_t *dev, const esp_partition_t *partition, otter_image_info_t *info)
{
    const otter_image_rules_t rules = {
        .flash_offset = partition->address, .size = partition->size, .no_checks = true};
    uint8_t raw[OTTER_IMAGE_GATE_SIZE];
    otter_image_stream_t s = {0};
    if (partition->size < sizeof(raw) ||
        otter_flash_read(dev->flash, partition->address, raw, sizeof(raw)) != ESP_OK ||
        raw[0] != ESP_IMAGE_HEADER_MAGIC) {
        return false;
    }
    bool read = otter_image_stream_begin(&s, &rules) == ESP_OK;
    if (read) {
        otter_image_stream_feed(&s, raw, sizeof(raw));
    }
    *info = s.info;
    otter_image_stream_end(&s);
    return read && otter_chip_facts(info->header.chip_id) != NULL;
}

static const esp_partition_t *next_app(linux_device_t *dev, const esp_partition_t *after)
{
    return otter_partition_list_find(&dev->device.partitions, after, ESP_PARTITION_TYPE_APP,
                                     ESP_PARTITION_SUBTYPE_ANY, NULL);
}

/** How well a chip of this kind would boot: 2 at once, 1 after passing something over, 0 not at all. */
static int boots_as(linux_device_t *dev, uint16_t chip_id)
{
    otter_boot_result_t result;
    dev->device.chip = (otter_chip_t){.id = chip_id, .revision_unknown = true, .blk_revision_unknown = true};
    if (otter_boot(&dev->device, OTTER_BOOT_DRY_RUN, &result) != ESP_OK) {
        return 0;
    }
    return result.tried_count == 0 ? 2 : 1;
}

/** The kind of chip whose images lie in the slots. Where they differ, the kind that boots. */
static const otter_chip_facts_t *chip_of_images(linux_device_t *dev)
{
    const otter_chip_facts_t *best = NULL;
    int best_rank = -1; /* -1: not measured, as there was no other kind to compare with */
    otter_image_info_t image;
    for (const esp_partition_t *app = next_app(dev, NULL); app != NULL; app = next_app(dev, app)) {
        if (!read_image(dev, app, &image) || (best != NULL && best->id == image.header.chip_id)) {
            continue;
        }
        if (best == NULL) {
            best = otter_chip_facts(image.header.chip_id);
            continue;
        }
        if (best_rank < 0) {
            best_rank = boots_as(dev, best->id);
        }
        int rank = boots_as(dev, image.header.chip_id);
        if (rank > best_rank) {
            best = otter_chip_facts(image.header.chip_id);
            best_rank = rank;
        }
    }
    return best;
}

/**
 * The kind of chip whose bootloader lies in the flash. One at a place where its own chip does not look may as well be another
 * chip's that was written here by mistake: of such a chip are the applications, then.
 */
static const otter_chip_facts_t *chip_of_bootloader(linux_device_t *dev,
                                                    const otter_bootloader_place_t *bootloader)
{
    if (bootloader->chip->bootloader_offset == bootloader->offset) {
        return bootloader->chip;
    }
    const otter_chip_facts_t *apps = chip_of_images(dev);
    return apps == NULL || apps->bootloader_offset != bootloader->offset ? bootloader->chip : apps;
}

/** Raises a revision to what an image needs, unless another image then would not boot: that tells nothing. */
static void raise_to(uint16_t *revision, uint16_t needed, uint16_t highest)
{
    if (needed > *revision && needed <= highest && needed != UINT16_MAX) {
        *revision = needed;
    }
}

static void lower_to(uint16_t *highest, uint16_t limit)
{
    if (limit != 0 && limit < *highest) {
        *highest = limit;
    }
}

void linux_device_ask_images(linux_device_t *dev)
{
    otter_chip_t *chip = &dev->device.chip;
    uint16_t highest = UINT16_MAX, highest_blk = UINT16_MAX;
    otter_image_info_t image;
    for (const esp_partition_t *app = next_app(dev, NULL); app != NULL; app = next_app(dev, app)) {
        if (read_image(dev, app, &image) && image.header.chip_id == chip->id) {
            lower_to(&highest, image.header.max_chip_rev_full);
            lower_to(&highest_blk, image.max_blk_revision);
        }
    }
    for (const esp_partition_t *app = next_app(dev, NULL); app != NULL; app = next_app(dev, app)) {
        if (!read_image(dev, app, &image) || image.header.chip_id != chip->id) {
            continue;
        }
        if (chip->revision_unknown) {
            raise_to(&chip->revision, image.header.min_chip_rev_full, highest);
        }
        if (chip->blk_revision_unknown) {
            raise_to(&chip->blk_revision, image.min_blk_revision, highest_blk);
        }
    }
}

static void choose_chip(linux_device_t *dev, const linux_device_options_t *options)
{
    otter_chip_t *chip = &dev->device.chip;
    const otter_chip_facts_t *facts = options->chip;
    otter_bootloader_place_t bootloader;
    bool has_bootloader = otter_bootloader_find(dev->flash, dev->device.config.table_offset, &bootloader);
    dev->chip_source = "the command line";
    if (facts == NULL && dev->efuse.has_chip) {
        facts = otter_chip_facts(dev->efuse.chip.id);
        dev->chip_source = dev->efuse.path;
    }
    if (facts == NULL && has_bootloader) {
        facts = chip_of_bootloader(dev, &bootloader);
        dev->chip_source = "the bootloader";
    }
    if (facts == NULL) {
        facts = chip_of_images(dev);
        dev->chip_source = "the images in its slots";
    }
    dev->chip_known = facts != NULL;
    if (facts == NULL) {
        dev->chip_source = "the default";
    }
    *chip = dev->efuse.chip; /* also after boots_as(), which tried others */
    chip->id = facts != NULL ? facts->id : OTTER_CHIP_LINUX;
    chip->revision = options->has_revision ? options->revision : chip->revision;
    chip->blk_revision = options->has_blk_revision ? options->blk_revision : chip->blk_revision;
    if (otter_chip_is_espressif(chip->id)) {
        chip->revision_unknown = !options->has_revision && !dev->efuse.has_revision;
        chip->blk_revision_unknown = !options->has_blk_revision && !dev->efuse.has_blk_revision;
        bool own = has_bootloader && bootloader.chip->id == chip->id;
        if (own && chip->revision_unknown && bootloader.min_revision != UINT16_MAX) {
            chip->revision = bootloader.min_revision;
        }
    }
}

/** Where the last partition of the table ends; 0 where there is no table, or one that no flash could have. */
static uint32_t end_of_partitions(linux_device_t *dev, uint32_t table_offset)
{
    uint8_t raw[OTTER_PARTITION_TABLE_LEN];
    otter_partition_table_t table;
    uint32_t end = 0;
    if (otter_flash_read(dev->flash, table_offset, raw, sizeof(raw)) != ESP_OK ||
        otter_partition_table_decode(raw, &table) != ESP_OK) {
        return 0;
    }
    for (uint32_t i = 0; i < table.count; i++) {
        if (!range_fits(table.entries[i].offset, table.entries[i].size, NOR_SIZE_MAX)) {
            return 0;
        }
        end = max_u32(end, table.entries[i].offset + table.entries[i].size);
    }
    return end;
}

/**
 * The size of the flash that a file was read from, or is to be written to: by its bootloader, else by its table, unless it has
 * the size of a flash chip.
 */
static void extend_to_whole_flash(linux_device_t *dev, bool read_only)
{
    const otter_device_config_t *config = &dev->device.config;
    const uint32_t table_offset = config->table_offset;
    const uint32_t end = end_of_partitions(dev, table_offset);
    if (!read_only && end != 0 && end <= dev->flash->size) {
        return; /* all of its partitions are there: a file that is written to stays as long as it is */
    }
    otter_bootloader_place_t bootloader;
    uint8_t raw[OTTER_IMAGE_HEADER_SIZE];
    uint32_t size = 0;
    if (otter_bootloader_find(dev->flash, table_offset, &bootloader) &&
        otter_flash_read(dev->flash, bootloader.offset, raw, sizeof(raw)) == ESP_OK) {
        esp_image_header_t header;
        otter_image_decode_header(raw, &header);
        size = otter_image_flash_size(&header);
    }
    uint32_t length = file_flash_length(dev->flash);
    bool is_size_of_flash = length >= NOR_SIZE_MIN && (length & (length - 1)) == 0;
    if (size == 0 && !is_size_of_flash) {
        for (size = end != 0 ? NOR_SIZE_MIN : 0; size < end;) {
            size *= 2;
        }
    }
    file_flash_extend(dev->flash, size);
    /* The table's sector may have been cut as well. */
    otter_ignore(
        partition_list_load(&dev->device.partitions, dev->flash, table_offset, config->allow_no_md5, NULL));
}

/** The eFuse file that is named, else the one beside the flash file. */
static esp_err_t load_efuse(linux_device_t *dev, const char *path, const linux_device_options_t *options,
                            otter_fault_t *fault)
{
    if (options->efuse_path != NULL || path == NULL || file_flash_is_device(dev->flash)) {
        return efuse_file_load_named(&dev->efuse, options->efuse_path != NULL ? options->efuse_path : "",
                                     fault);
    }
    return efuse_file_load(&dev->efuse, path, fault);
}

/** How it erases and programs, which the eFuse file tells. */
static esp_err_t shape_flash(linux_device_t *dev, otter_fault_t *fault)
{
    esp_err_t err = file_flash_shape(dev->flash, &dev->efuse.geometry, fault);
    if (err == ESP_OK) {
        return ESP_OK;
    }
    otter_ignore(otter_fault_add(fault, ": ")); /* what is wrong is told already */
    return otter_fault_add(fault, dev->efuse.path);
}

otter_trust_config_t linux_device_trust(const efuse_file_t *efuse)
{
    const otter_signature_scheme_t by_bit = efuse->sha384 ? OTTER_SIGNED_ECDSA_P384 : OTTER_SIGNED_NOT;
    if (!efuse->secure_boot) {
        return (otter_trust_config_t){0};
    }
    return (otter_trust_config_t){.source = OTTER_TRUST_EFUSES,
                                  .scheme = efuse->scheme != OTTER_SIGNED_NOT ? efuse->scheme : by_bit,
                                  .signatures = &otter_signatures,
                                  .v1_key = efuse->has_v1_key ? efuse->v1_key : NULL};
}

/** Does the flash hold a partition table, or a bootloader where some chip has it, as it is read now? */
static bool is_readable(linux_device_t *dev, uint32_t table_offset)
{
    static const uint32_t bootloaders[] = {0, 0x1000, 0x2000};
    uint8_t raw[OTTER_PARTITION_RECORD_SIZE];
    if (otter_flash_read(dev->flash, table_offset, raw, sizeof(raw)) == ESP_OK &&
        otter_partition_record_kind(raw) == OTTER_PARTITION_RECORD_ENTRY) {
        return true;
    }
    for (size_t i = 0; i < sizeof(bootloaders) / sizeof(bootloaders[0]); i++) {
        if (bootloaders[i] < table_offset &&
            otter_bootloader_look(dev->flash, bootloaders[i], table_offset).kind == OTTER_BOOTLOADER_IMAGE) {
            return true;
        }
    }
    return false;
}

/** The cipher by which the flash becomes readable; one that is erased takes the first. */
static esp_err_t try_ciphers(linux_device_t *dev, const flash_key_t *key,
                             const linux_device_options_t *options, const char *name, otter_fault_t *fault)
{
    const uint32_t table = options->table_offset != 0 ? options->table_offset : 0x8000;
    const otter_chip_facts_t *chip = options->chip != NULL ? options->chip
                                     : dev->efuse.has_chip ? otter_chip_facts(dev->efuse.chip.id)
                                                           : NULL;
    const flash_ciphers_t ciphers = flash_key_ciphers(key, chip);
    const bool erased = otter_flash_reads_blank(
        dev->flash, table, min_u32(dev->flash->size - min_u32(table, dev->flash->size), 4096));
    for (unsigned i = 0; i < ciphers.count; i++) {
        esp_err_t err = flash_cipher_open(&dev->cipher, dev->flash, key, ciphers.kinds[i], fault);
        dev->cipher.hook.release = err == ESP_OK && flash_key_is_final(&dev->efuse);
        if (err != ESP_OK || erased || is_readable(dev, table)) {
            return err;
        }
        flash_cipher_close(&dev->cipher, dev->flash);
    }
    if (ciphers.count == 0) {
        return otter_fault(
            fault, ESP_ERR_INVALID_SIZE,
            "the key in %s has %zu bytes, and %s has no key of flash encryption of that length", name,
            key->len, chip != NULL ? chip->title : "no chip");
    }
    dev->plain_in_spite_of_key = is_readable(dev, table);
    if (!dev->plain_in_spite_of_key && options->flash_key == NULL && options->efuse_path == NULL) {
        /* The device's own key: a cut has left the copy of its table unfinished, or it says itself what is wrong. */
        return flash_cipher_open(&dev->cipher, dev->flash, key, ciphers.kinds[0], fault);
    }
    return dev->plain_in_spite_of_key
               ? ESP_OK
               : otter_fault(
                     fault, ESP_ERR_INVALID_STATE,
                     "the key in %s decrypts neither a partition table at 0x%" PRIx32
                     " nor a bootloader: it is another chip's, or the table is elsewhere (--table-offset)",
                     name, table);
}

/** The name of a file without its folder: a fault holds no long path. */
static const char *last_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

/** Of plain flash with eFuses that say it is encrypted: who only looks is told by reads_noise. */
static esp_err_t check_plain(linux_device_t *dev, const linux_device_options_t *options, otter_fault_t *fault)
{
    const uint32_t table = options->table_offset != 0 ? options->table_offset : 0x8000;
    dev->reads_noise = options->flash_key == NULL && dev->flash->cipher == NULL &&
                       flash_key_is_wanted(&dev->efuse) && is_readable(dev, table);
    if (!dev->reads_noise || (!options->boots && !options->needs_efuse)) {
        return ESP_OK;
    }
    return otter_fault(fault, ESP_ERR_INVALID_STATE,
                       "spi_boot_crypt_cnt in %s says that this flash is encrypted, and it is plain: a chip "
                       "reads noise and starts nothing. With an even number of its bits and a key the next "
                       "boot encrypts it",
                       last_of(dev->efuse.path));
}

/** The cipher of a flash that is encrypted. @return ESP_OK also where the key is not known */
static esp_err_t choose_cipher(linux_device_t *dev, const linux_device_options_t *options,
                               otter_fault_t *fault)
{
    flash_key_t key = {0};
    const char *name = options->flash_key;
    esp_err_t err = name != NULL ? flash_key_load(name, &key, fault) : ESP_OK;
    bool has_key = name != NULL;
    key.config = flash_key_config(&dev->efuse); /* a key file does not say it */
    if (name == NULL && flash_key_is_wanted(&dev->efuse)) {
        name = dev->efuse.path;
        has_key = flash_key_from_efuses(&dev->efuse, &key);
    }
    dev->key_source = name;
    if (err == ESP_OK && has_key) {
        err = try_ciphers(dev, &key, options, name, fault);
    }
    flash_key_wipe(&key);
    return err == ESP_OK ? check_plain(dev, options, fault) : err;
}

/** Burns a new key, as a bootloader does before its first boot. */
static esp_err_t make_key(linux_device_t *dev, flash_key_t *key, otter_fault_t *fault)
{
    key->len = OTTER_EFUSE_BLOCK_LEN; /* ESP-IDF's default: XTS-AES-128, or the ESP32's */
    key->config = flash_key_config(&dev->efuse);
    otter_random(key->bytes, key->len);
    if (dev->chip_known) { /* what it can have burned is known by it */
        dev->efuse.has_chip = true;
        dev->efuse.chip.id = dev->device.chip.id;
    }
    ESP_LOGI(TAG, "Generating new flash encryption key...");
    if (!flash_key_to_efuses(key, &dev->efuse)) {
        return otter_fault(fault, ESP_ERR_INVALID_STATE, "its eFuses have no free key block for a key");
    }
    return dev->efuse.path[0] != '\0' && efuse_file_save(&dev->efuse) == ESP_OK
               ? ESP_OK
               : otter_fault(fault, ESP_FAIL, "the new key cannot be burned: %s",
                             dev->efuse.path[0] != '\0' ? dev->efuse.path : "there is no eFuse file");
}

/** Flash that is plain still, and eFuses with a key: the next boot encrypts it. */
static esp_err_t choose_waiting(linux_device_t *dev, const linux_device_options_t *options,
                                otter_fault_t *fault)
{
    flash_key_t key = {0};
    esp_err_t err = ESP_OK;
    if (options->flash_key != NULL || flash_key_is_wanted(&dev->efuse)) {
        return ESP_OK;
    }
    bool has_key = flash_key_from_efuses(&dev->efuse, &key);
    if (!has_key && options->encrypts && !options->read_only) {
        has_key = true;
        err = make_key(dev, &key, fault);
    }
    if (has_key && err == ESP_OK) {
        err = flash_cipher_open(&dev->cipher, dev->flash, &key,
                                otter_flash_cipher_for(dev->device.chip.id, key.len), fault);
        dev->flash->waiting = dev->flash->cipher;
        dev->flash->cipher = NULL;
        dev->efuse.crypt_final = options->release ? flash_key_final_count(&dev->efuse) : 0;
    }
    flash_key_wipe(&key);
    return err;
}

/** Half of it is plain while it is encrypted: nobody but the boot step may change it. */
static esp_err_t check_first_boot(linux_device_t *dev, const linux_device_options_t *options,
                                  otter_fault_t *fault)
{
    otter_first_boot_t state;
    if (options->boots || options->read_only || otter_boot_look_at_first(&dev->device, &state) != ESP_OK ||
        !state.begun) {
        return ESP_OK;
    }
    return otter_fault(fault, ESP_ERR_INVALID_STATE,
                       "its first boot has begun to encrypt it, %" PRIu32 " of %" PRIu32
                       " sectors are done: `otter run` or `otter boot` goes on",
                       state.done, state.sectors);
}

/** Closes what is open, for whoever cannot go on. */
static void give_up(linux_device_t *dev)
{
    flash_cipher_close(&dev->cipher, dev->flash);
    otter_wipe(dev->efuse.blocks, sizeof(dev->efuse.blocks));
    otter_ignore(file_flash_close(dev->flash)); /* nothing was written */
}

/** With secure boot the eFuses alone say whose images it takes. */
static otter_trust_config_t trust_of(const linux_device_t *dev, const linux_device_options_t *options)
{
    const otter_trust_config_t asked = options->trust != NULL ? *options->trust : (otter_trust_config_t){0};
    otter_trust_config_t trust = dev->efuse.secure_boot ? linux_device_trust(&dev->efuse) : asked;
    trust.data = asked.data;
    trust.v1_key = dev->efuse.has_v1_key ? dev->efuse.v1_key : asked.v1_key;
    return trust;
}

/** With the flash open: eFuses, partitions, chip, switches. On failure the flash is closed. */
static esp_err_t fill_device(linux_device_t *dev, const char *path, const linux_device_options_t *options,
                             otter_fault_t *fault)
{
    const bool has_efuse = path != NULL || options->efuse_path != NULL;
    esp_err_t err = load_efuse(dev, path, options, fault);
    err = err == ESP_OK ? shape_flash(dev, fault) : err;
    err = err == ESP_OK ? choose_cipher(dev, options, fault) : err;
    if (err != ESP_OK) {
        give_up(dev);
        return err;
    }
    if (dev->efuse.secure_boot && options->trust != NULL && options->trust->source == OTTER_TRUST_KEYS) {
        give_up(dev);
        return otter_fault(fault, ESP_ERR_INVALID_STATE,
                           "it has secure boot: its eFuses say whose images it takes, so no keys are given");
    }
    const otter_efuse_t seam = has_efuse ? efuse_file_seam(&dev->efuse) : (otter_efuse_t){0};
    const otter_device_config_t config = {
        .table_offset = options->table_offset,
        .allow_no_md5 = options->allow_no_md5,
        .anti_rollback = options->anti_rollback,
        .allow_http = options->allow_http,
        .dangerous_write = options->dangerous_write,
        .copies = &otter_staged_copies,
        .emulated_efuses = options->emulated_efuse ? &otter_emulated_efuses : NULL,
        .first_encryption = &otter_first_encryption,
    };
    otter_device_init(&dev->device, dev->flash, &dev->efuse.chip, &seam, &config);
    if (options->whole) {
        extend_to_whole_flash(dev, options->read_only);
    }
    choose_chip(dev, options);
    dev->device.config.trust = trust_of(dev, options);
    dev->device.config.rollback = options->rollback == LINUX_DEVICE_DEFAULT
                                      ? !otter_chip_is_espressif(dev->device.chip.id)
                                      : options->rollback == LINUX_DEVICE_ON;
    err = choose_waiting(dev, options, fault);
    if (err != ESP_OK) {
        otter_ignore(linux_device_close(dev)); /* nothing was written */
    }
    return err;
}

/** True of bytes behind an image that are a signature block of Secure Boot V2. */
static bool is_block_v2(linux_device_t *dev, uint32_t off)
{
    uint8_t raw[OTTER_SIGNATURE_BLOCK];
    otter_signature_block_t block;
    return otter_flash_read(dev->flash, off, raw, sizeof(raw)) == ESP_OK &&
           otter_signature_block_read(raw, &block, NULL) == ESP_OK;
}

/** The same of ESP32's first scheme, which has no mark but its version: 0, and two numbers behind it. */
static bool is_block_v1(linux_device_t *dev, uint32_t off)
{
    static const uint8_t zeros[4];
    uint8_t raw[OTTER_SIGNATURE_V1_SIZE], any = 0, all = 0xFF;
    if (otter_flash_read(dev->flash, off, raw, sizeof(raw)) != ESP_OK ||
        memcmp(raw, zeros, sizeof(zeros)) != 0) {
        return false;
    }
    for (size_t i = sizeof(zeros); i < sizeof(raw); i++) {
        any |= raw[i];
        all &= raw[i];
    }
    return any != 0 && all != 0xFF;
}

static bool is_signed(linux_device_t *dev, const esp_partition_t *app)
{
    const otter_chip_t *chip = &dev->device.chip;
    const otter_chip_facts_t *facts = otter_chip_facts(chip->id);
    uint32_t len;
    if (otter_image_length(dev->flash, chip, app->address, app->size, &len) != ESP_OK) {
        return false;
    }
    const uint32_t end = align_up_u32(len, OTTER_SIGNATURE_SECTOR);
    return (range_fits(end, OTTER_SIGNATURE_BLOCK, app->size) && is_block_v2(dev, app->address + end)) ||
           (facts != NULL && otter_chip_verifies(facts, OTTER_SIGNED_V1) &&
            range_fits(len, OTTER_SIGNATURE_V1_SIZE, app->size) && is_block_v1(dev, app->address + len));
}

esp_err_t linux_device_check_efuse(linux_device_t *dev, otter_fault_t *fault)
{
    if (dev->efuse.exists || dev->efuse.path[0] == '\0' ||
        dev->device.config.trust.source != OTTER_TRUST_ANYBODY) {
        return ESP_OK;
    }
    for (const esp_partition_t *app = next_app(dev, NULL); app != NULL; app = next_app(dev, app)) {
        if (is_signed(dev, app)) {
            return otter_fault(
                fault, ESP_ERR_INVALID_STATE,
                "%s holds a signed app and %s is not there: put it back or `otter efuse import` it; `otter "
                "efuse burn FLASH secure_boot_en 0` says that it has no secure boot",
                app->label, last_of(dev->efuse.path));
        }
    }
    return ESP_OK;
}

static file_flash_options_t flash_options(const linux_device_options_t *options)
{
    return (file_flash_options_t){.strict = !options->lenient,
                                  .read_only = options->read_only,
                                  .look = options->look,
                                  .wait_ms = options->wait_ms,
                                  .grows = options->whole,
                                  .shared = options->flash_shared,
                                  .speed = options->flash_speed,
                                  .trace = options->flash_trace};
}

/**
 * Anti-rollback stands on the eFuse file: one that does not last is none, and with another name the flash would have other
 * eFuses, in which nothing is burned. @return ESP_ERR_INVALID_STATE where it may be so
 */
static esp_err_t check_efuse_lasts(const char *path, const linux_device_options_t *options,
                                   otter_fault_t *fault)
{
    struct stat st;
    if (options->efuse_path != NULL) {
        return ESP_OK;
    }
    if (flash_medium_is_device(path)) {
        return otter_fault(
            fault, ESP_ERR_INVALID_STATE,
            "nothing beside a block device outlives a restart: --efuse FILE names its eFuse file, which "
            "anti-rollback needs");
    }
    if (stat(path, &st) != 0 || st.st_nlink <= 1) {
        return ESP_OK; /* what cannot be looked at cannot be opened either, and that is told */
    }
    return otter_fault(
        fault, ESP_ERR_INVALID_STATE,
        "it has %lu names (hard links), and each has eFuses of its own; anti-rollback needs a flash file "
        "with one name",
        (unsigned long)st.st_nlink);
}

esp_err_t linux_device_open(linux_device_t *dev, const char *path, const linux_device_options_t *options,
                            otter_fault_t *fault)
{
    memset(dev, 0, sizeof(*dev));
    const file_flash_options_t how = flash_options(options);
    esp_err_t err =
        options->anti_rollback && !options->emulated_efuse ? check_efuse_lasts(path, options, fault) : ESP_OK;
    if (err == ESP_OK) {
        err = file_flash_open(path, &how, &dev->flash, fault);
    }
    if (err == ESP_OK) {
        err = fill_device(dev, path, options, fault);
    }
    if (err == ESP_OK) {
        err = options->needs_efuse ? linux_device_check_efuse(dev, fault) : ESP_OK;
        err = err == ESP_OK ? check_first_boot(dev, options, fault) : err;
        if (err != ESP_OK) {
            otter_ignore(linux_device_close(dev)); /* nothing was written */
        }
    }
    if (err == ESP_OK && dev->efuse.note[0] != '\0') {
        fprintf(stderr, "%s %s\n", dev->efuse.path,
                dev->efuse.note); /* no failure, and nobody should miss it */
    }
    return err;
}

esp_err_t linux_device_adopt(linux_device_t *dev, int fd, const char *path,
                             const linux_device_options_t *options, otter_fault_t *fault)
{
    memset(dev, 0, sizeof(*dev));
    const file_flash_options_t how = flash_options(options);
    esp_err_t err = file_flash_adopt(fd, &how, &dev->flash, fault);
    return err == ESP_OK ? fill_device(dev, path, options, fault) : err;
}

/** What is burned stays: a file that says less than it did is not the eFuses of this device any more. */
static bool says_less(const efuse_file_t *before, const efuse_file_t *now)
{
    bool less = now->secure_version < before->secure_version || (before->secure_boot && !now->secure_boot) ||
                (before->crypt_count & ~now->crypt_count) != 0;
    for (uint32_t i = 0; i < OTTER_TRUSTED_KEYS; i++) {
        const otter_efuse_key_t *old = &before->keys[i], *key = &now->keys[i];
        less =
            less || (old->revoked && !key->revoked) ||
            (old->present && (!key->present || memcmp(old->digest, key->digest, OTTER_KEY_DIGEST_LEN) != 0));
    }
    return less;
}

esp_err_t linux_device_refresh(linux_device_t *dev, const char *path, const linux_device_options_t *options,
                               otter_fault_t *fault)
{
    /* The lock belongs to the open file that both descriptors share, so closing one of them does not drop it. */
    int fd = fcntl(file_flash_descriptor(dev->flash), F_DUPFD_CLOEXEC, 0);
    efuse_file_t before = dev->efuse;
    otter_wipe(before.blocks, sizeof(before.blocks)); /* which are not compared */
    otter_ignore(
        linux_device_close(dev)); /* what failed to be written was logged, and shows when it is read */
    if (fd < 0) {
        return otter_fault(fault, ESP_FAIL, "out of file descriptors");
    }
    esp_err_t err = linux_device_adopt(dev, fd, path, options, fault);
    if (err != ESP_OK || !says_less(&before, &dev->efuse)) {
        return err;
    }
    otter_ignore(linux_device_close(dev)); /* nothing was written */
    return otter_fault(fault, ESP_ERR_INVALID_STATE,
                       "its eFuse file says less than before: what is burned stays, so this is not its own");
}

esp_err_t linux_device_close(linux_device_t *dev)
{
    otter_device_deinit(&dev->device);
    flash_cipher_close(&dev->cipher, dev->flash);
    otter_wipe(dev->efuse.blocks, sizeof(dev->efuse.blocks)); /* keys; what else it says may be told still */
    esp_err_t err = file_flash_close(dev->flash);
    dev->flash = NULL;
    return err;
}
