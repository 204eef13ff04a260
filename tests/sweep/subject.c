/* The device of the sweep, and the watch over it: fences, and what runs compared with what was sent. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "sweep/subject.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "otter/bytes.h"
#include "boot/otadata.h"
#include "otter/boot.h"
#include "otter/ota_ops.h"
#include "support/image_signer.h"
#include "support/test_cipher.h"
#include "sweep/copy.h"
#include "sweep/settings.h"

/* ---- flash as the device sees it ---- */

static bool is_in_otadata(const subject_t *subject, uint32_t off, uint32_t len)
{
    return is_inside(off, len, subject_scaled(subject, SUBJECT_OTADATA), 2 * subject_block(subject));
}

/** Where the secure version is kept; NULL: in eFuses. */
static const esp_partition_t *efuse_partition(const subject_t *subject)
{
    return subject->config.layout->efuse
               ? otter_partition_list_find(&subject->device.partitions, NULL, ESP_PARTITION_TYPE_DATA,
                                           ESP_PARTITION_SUBTYPE_DATA_EFUSE_EM, NULL)
               : NULL;
}

bool subject_is_plain(const subject_t *subject)
{
    return subject->config.plain_at_first && subject->model.crypt_count == 0;
}

/** The first boot writes to what is encrypted, and to what nobody uses. */
static bool first_boot_may_write(const subject_t *subject, uint32_t off, uint32_t len)
{
    const layout_t *layout = subject->config.layout;
    const uint32_t table = subject_scaled(subject, SUBJECT_TABLE),
                   apps = subject_scaled(subject, SUBJECT_APPS);
    const uint32_t end = table + subject_block(subject);
    const bool bootloader = off < table && range_fits(off, len, table);
    return subject->first_boot && subject->device.running == NULL &&
           ((subject_is_plain(subject) && (bootloader || is_inside(off, len, table, end - table))) ||
            (off >= apps && !(layout->copies && off >= subject_scaled(subject, SUBJECT_FILES))));
}

static void check_fence(subject_t *subject, uint32_t off, uint32_t len)
{
    const esp_partition_t *target = subject->target, *running = subject->device.running;
    const esp_partition_t *efuse = efuse_partition(subject);
    bool allowed = is_in_otadata(subject, off, len) ||
                   (efuse != NULL && is_inside(off, len, efuse->address, efuse->size)) ||
                   (target != NULL && is_inside(off, len, target->address, target->size)) ||
                   first_boot_may_write(subject, off, len) || copy_may_write(subject, off, len);
    if (subject->phase == PHASE_NVS) {
        allowed = settings_may_write(subject, off, len);
    }
    CHECK(efuse == NULL || off < efuse->address || subject->weak || !subject_is_on_trial(subject),
          "the secure version rises before the confirmation");
    CHECK(allowed, "an operation on 0x%" PRIx32 "+0x%" PRIx32 " leaves its partition", off, len);
    CHECK(running == NULL || off >= running->address + running->size || off + len <= running->address,
          "an operation on the running slot");
}

/** What the device is at: the steps say it but for what happens inside one call or boot. */
static phase_t phase_at(const subject_t *subject, uint32_t off)
{
    bool otadata = is_in_otadata(subject, off, 1);
    bool record = subject->record_at != 0 && is_inside(off, 1, subject->record_at, subject_block(subject));
    switch (subject->phase) {
    case PHASE_BOOT:
        if (subject->first_boot) {
            return PHASE_ENCRYPT;
        }
        return otadata ? PHASE_BOOT : PHASE_BOOT_COPY;
    case PHASE_COPY:
        return otadata ? PHASE_SELECT : PHASE_COPY;
    case PHASE_DOWNLOAD:
    case PHASE_SELECT:
        return record ? PHASE_RECORD : subject->phase;
    default:
        return subject->phase;
    }
}

static void note_op(subject_t *subject, op_kind_t kind, uint32_t off, uint32_t len)
{
    if (!subject->sim.dead) {
        subject->op_phase = kind != OP_PROGRAM && kind != OP_ERASE ? subject->phase : phase_at(subject, off);
    }
    if (subject->verbose) {
        fprintf(stderr, "---- operation %" PRIu32 ": %s 0x%" PRIx32 "+0x%" PRIx32 "\n", subject->sim.ops,
                kind == OP_PROGRAM ? "program"
                : kind == OP_ERASE ? "erase"
                                   : "eFuse",
                off, len);
    }
    if (subject->tracing) {
        CHECK(subject->trace_count < SUBJECT_TRACE_MAX, "a step has more operations than the sweep can keep");
        subject->trace[subject->trace_count++] = (op_t){.kind = kind, .phase = subject->op_phase, .len = len};
    }
}

static esp_err_t erase_sectors(subject_t *subject, uint32_t off, uint32_t len);

/** Waits for the end of an erase that has begun. */
static esp_err_t end_pending(subject_t *subject)
{
    const uint32_t len = subject->pending.len;
    subject->pending.len = 0;
    return len > 0 ? erase_sectors(subject, subject->pending.off, len) : ESP_OK;
}

static esp_err_t subject_read(void *dev, uint32_t off, void *dst, uint32_t len)
{
    subject_t *subject = dev;
    const esp_err_t before = end_pending(subject);
    return before != ESP_OK ? before : subject->sim.flash.ops->read(&subject->sim, off, dst, len);
}

/** To be called before an operation: keeps all that it is made of if power goes in it. */
static void keep_cut(subject_t *subject, op_kind_t kind, uint32_t off, const void *src, uint32_t len)
{
    cut_op_t *keep = subject->keep;
    if (keep == NULL || subject->sim.dead || subject->sim.ops != subject->sim.cut_at) {
        return;
    }
    CHECK(kind != OP_PROGRAM || len <= sizeof(keep->bytes), "a program is longer than the sweep can keep");
    keep->mark = sim_flash_mark(&subject->sim);
    keep->before = subject->model;
    keep->op = (op_t){.kind = kind, .phase = subject->op_phase, .len = len};
    keep->off = off;
    if (kind == OP_PROGRAM) {
        memcpy(keep->bytes, src, len);
    }
}

static esp_err_t program(subject_t *subject, uint32_t off, const void *src, uint32_t len)
{
    bool journal = copy_journal_begins(subject, off), was_dead = subject->sim.dead;
    esp_err_t err = subject->sim.flash.ops->program(&subject->sim, off, src, len);
    if (journal &&
        (err == ESP_OK || (subject->sim.dead && !was_dead && subject->sim.tear == SIM_TEAR_AFTER))) {
        subject->model.copy.journal = JOURNAL_DURABLE;
    }
    return err;
}

static esp_err_t subject_program(void *dev, uint32_t off, const void *src, uint32_t len)
{
    subject_t *subject = dev;
    const esp_err_t before = end_pending(subject);
    if (before != ESP_OK) {
        return before;
    }
    check_fence(subject, off, len);
    CHECK(subject->sim.dead || sim_flash_may_program(&subject->sim, off, src, len),
          "0x%" PRIx32 "+0x%" PRIx32 " is programmed, not all of it erased", off, len);
    note_op(subject, OP_PROGRAM, off, len);
    keep_cut(subject, OP_PROGRAM, off, src, len);
    return program(subject, off, src, len);
}

static esp_err_t erase_sectors(subject_t *subject, uint32_t off, uint32_t len)
{
    check_fence(subject, off, len);
    const uint32_t sector = subject->flash.erase_size;
    esp_err_t err = ESP_OK;
    for (uint32_t done = 0; done < len && err == ESP_OK; done += sector) {
        note_op(subject, OP_ERASE, off + done, sector);
        keep_cut(subject, OP_ERASE, off + done, NULL, sector);
        err = subject->sim.flash.ops->erase(&subject->sim, off + done, sector);
    }
    return err;
}

static esp_err_t subject_erase(void *dev, uint32_t off, uint32_t len)
{
    subject_t *subject = dev;
    const esp_err_t before = end_pending(subject);
    return before != ESP_OK ? before : erase_sectors(subject, off, len);
}

/** Half of it is done when the caller goes on; a loss of power before the next call leaves the rest. */
static esp_err_t subject_erase_begin(void *dev, uint32_t off, uint32_t len)
{
    subject_t *subject = dev;
    const uint32_t sector = subject->flash.erase_size, done = len / sector / 2 * sector;
    esp_err_t err = subject_erase(dev, off, done);
    if (err == ESP_OK) {
        subject->pending.off = off + done;
        subject->pending.len = len - done;
        subject->pending.asked = 0;
    }
    return err;
}

static bool subject_is_busy(void *dev)
{
    subject_t *subject = dev;
    return subject->pending.len > 0 && subject->pending.asked++ < 2;
}

static esp_err_t subject_sync(void *dev)
{
    subject_t *subject = dev;
    const esp_err_t before = end_pending(subject);
    return before != ESP_OK ? before : subject->sim.flash.ops->sync(&subject->sim);
}

/* ---- the eFuse ---- */

static esp_err_t read_version(void *dev, uint32_t *version)
{
    subject_t *subject = dev;
    *version = subject->model.secure_version;
    return subject->sim.dead ? ESP_FAIL : ESP_OK;
}

/** Bit after bit: a cut may leave a version in between. */
static esp_err_t burn(subject_t *subject, uint32_t version)
{
    sim_flash_t *sim = &subject->sim;
    const uint32_t now = subject->model.secure_version;
    bool cut = sim->ops++ == sim->cut_at;
    if (cut) {
        sim->dead = sim->cut_fired = true;
        version = sim->tear == SIM_TEAR_BEFORE || sim->tear == SIM_TEAR_LOST ? now
                  : sim->tear == SIM_TEAR_AFTER                              ? version
                                                                             : now + sim->tear_len;
    }
    subject->model.secure_version = version;
    return cut ? ESP_FAIL : ESP_OK;
}

static esp_err_t burn_version(void *dev, uint32_t version)
{
    subject_t *subject = dev;
    const uint32_t now = subject->model.secure_version;
    if (subject->sim.dead) {
        return ESP_FAIL;
    }
    CHECK(version > now, "the secure version goes from %" PRIu32 " to %" PRIu32, now, version);
    CHECK(subject->weak || !subject_is_on_trial(subject), "the secure version rises before the confirmation");
    note_op(subject, OP_EFUSE, 0, version - now);
    keep_cut(subject, OP_EFUSE, 0, NULL, version - now);
    return burn(subject, version);
}

static bool is_revoked(const subject_t *subject, uint32_t index)
{
    return (subject->model.revoked >> index & 1) != 0;
}

static esp_err_t read_key(void *dev, uint32_t index, otter_efuse_key_t *key)
{
    const subject_t *subject = dev;
    *key = (otter_efuse_key_t){.present = index < strlen(subject->config.signers->keys),
                               .revoked = is_revoked(subject, index)};
    if (key->present) {
        image_key_digest(subject->config.signers->keys[index], key->digest);
    }
    return subject->sim.dead ? ESP_FAIL : ESP_OK;
}

/** One bit: it is burned or not. */
static esp_err_t revoke(subject_t *subject, uint32_t index)
{
    sim_flash_t *sim = &subject->sim;
    bool cut = sim->ops++ == sim->cut_at, burned = !cut || sim->tear == SIM_TEAR_AFTER;
    sim->dead = sim->dead || cut;
    sim->cut_fired = sim->cut_fired || cut;
    subject->model.revoked |= burned ? 1u << index : 0;
    return cut ? ESP_FAIL : ESP_OK;
}

static esp_err_t revoke_key(void *dev, uint32_t index)
{
    subject_t *subject = dev;
    if (subject->sim.dead) {
        return ESP_FAIL;
    }
    CHECK(!is_revoked(subject, index), "key %" PRIu32 " is revoked again", index);
    note_op(subject, OP_REVOKE, 0, 1);
    keep_cut(subject, OP_REVOKE, index, NULL, 1);
    return revoke(subject, index);
}

static esp_err_t read_crypt_count(void *dev, uint32_t *bits)
{
    const subject_t *subject = dev;
    *bits = subject->model.crypt_count;
    return subject->sim.dead ? ESP_FAIL : ESP_OK;
}

/** One bit, too. */
static esp_err_t burn_crypt(subject_t *subject)
{
    sim_flash_t *sim = &subject->sim;
    bool cut = sim->ops++ == sim->cut_at, burned = !cut || sim->tear == SIM_TEAR_AFTER;
    sim->dead = sim->dead || cut;
    sim->cut_fired = sim->cut_fired || cut;
    subject->model.crypt_count |= burned ? 1 : 0;
    return cut ? ESP_FAIL : ESP_OK;
}

static esp_err_t burn_crypt_count(void *dev)
{
    subject_t *subject = dev;
    if (subject->sim.dead) {
        return ESP_FAIL;
    }
    CHECK(subject_is_plain(subject), "flash is encrypted again");
    note_op(subject, OP_CRYPT, 0, 1);
    keep_cut(subject, OP_CRYPT, 0, NULL, 1);
    return burn_crypt(subject);
}

static bool has_signed(const subject_t *subject, unsigned image, char key)
{
    return strchr(subject->config.signers->images[image], key) != NULL;
}

bool subject_trusts(const subject_t *subject, unsigned image)
{
    const signers_t *signers = subject->config.signers;
    if (signers == NULL) {
        return true;
    }
    if (signers->source == OTTER_TRUST_RUNNING_APP) {
        return signers->images[image][0] == signers->images[subject->model.running.image][0];
    }
    bool trusted = false;
    for (uint32_t i = 0; signers->keys[i] != '\0'; i++) {
        trusted = trusted || (!is_revoked(subject, i) && has_signed(subject, image, signers->keys[i]));
    }
    return trusted;
}

/* ---- one operation again ---- */

void subject_cut_again(subject_t *subject, const cut_op_t *kept)
{
    esp_err_t err = ESP_OK;
    subject->op_phase = kept->op.phase;
    switch (kept->op.kind) {
    case OP_PROGRAM:
        err = program(subject, kept->off, kept->bytes, kept->op.len);
        break;
    case OP_ERASE:
        err = subject->sim.flash.ops->erase(&subject->sim, kept->off, kept->op.len);
        break;
    case OP_EFUSE:
        err = burn(subject, subject->model.secure_version + kept->op.len);
        break;
    case OP_REVOKE:
        err = revoke(subject, kept->off);
        break;
    case OP_CRYPT:
        err = burn_crypt(subject);
        break;
    }
    CHECK(err != ESP_OK, "an operation succeeds although power went in it");
}

/* ---- life of a device ---- */

static void start_device(subject_t *subject)
{
    const signers_t *signers = subject->config.signers;
    const otter_chip_t chip = {.id = signers != NULL ? signers->chip : 0, .revision = 300};
    const bool emulated = subject->config.layout->efuse;
    const otter_efuse_t efuse = {.dev = subject,
                                 .read_secure_version = emulated ? NULL : read_version,
                                 .burn_secure_version = emulated ? NULL : burn_version,
                                 .read_crypt_count = read_crypt_count,
                                 .burn_crypt_count = burn_crypt_count,
                                 .read_key_digest = signers != NULL ? read_key : NULL,
                                 .revoke_key_digest = signers != NULL ? revoke_key : NULL};
    otter_device_deinit(&subject->device);
    subject->pending.len = 0;
    subject->target = NULL;
    subject->record_at = 0;
    const otter_flash_cipher_t *cipher = subject->config.encrypted ? test_cipher() : NULL;
    subject->flash.cipher = subject_is_plain(subject) ? NULL : cipher;
    subject->flash.waiting = subject_is_plain(subject) ? cipher : NULL;
    subject->flash.partitions = NULL;
    otter_device_config_t config = subject->config.config;
    config.table_offset = subject_scaled(subject, SUBJECT_TABLE);
    if (signers != NULL) {
        config.trust = (otter_trust_config_t){
            .source = signers->source, .scheme = OTTER_SIGNED_RSA_3072, .signatures = &otter_signatures};
    }
    esp_err_t err = otter_device_init(&subject->device, &subject->flash, &chip, &efuse, &config);
    subject->device.config.copies = &otter_staged_copies;
    subject->device.config.first_encryption = &otter_first_encryption;
    CHECK(err == ESP_OK, "the device is refused: %s", subject->device.fault.why);
}

void subject_open(subject_t *subject, const subject_config_t *config)
{
    memset(subject, 0, sizeof(*subject));
    subject->config = *config;
    subject->ops = (otter_flash_ops_t){
        .read = subject_read, .program = subject_program, .erase = subject_erase, .sync = subject_sync};
    if (config->block_size != 0) {
        subject->ops.erase_begin = subject_erase_begin;
        subject->ops.is_busy = subject_is_busy;
    }
    subject->flash = (otter_flash_t){.ops = &subject->ops,
                                     .dev = subject,
                                     .erase_size = config->erase_size != 0 ? config->erase_size : 4096,
                                     .block_size = config->block_size,
                                     .write_size = config->write_size,
                                     .write_once = config->write_once};
    subject->flash.size = subject_scaled(subject, SUBJECT_FLASH_SIZE);
    if (!sim_flash_init(&subject->sim, subject->flash.size)) {
        abort();
    }
    subject->flash.buffer = subject->sim.flash.buffer;
    subject->sim.flash.erase_size = subject->flash.erase_size;
    subject->sim.flash.write_size = config->write_size;
    subject->sim.flash.write_once = config->write_once;
    subject_make_contents(subject);
    if (config->layout->nvs) {
        settings_make(subject);
    }
    subject->model.may[0] = (installed_t){.address = subject_scaled(subject, SUBJECT_APPS), .image = 0};
    subject->model.count = 1;
}

void subject_close(subject_t *subject)
{
    otter_device_deinit(&subject->device);
    sim_flash_free(&subject->sim);
}

bool subject_is_encrypted(const subject_t *subject, uint32_t at)
{
    const uint32_t part = subject_scaled(subject, SUBJECT_COPY_SIZE);
    const layout_t *layout = subject->config.layout;
    const uint32_t apps = layout->slots + (layout->factory ? 1 : 0);
    const uint32_t staging =
        subject_scaled(subject, SUBJECT_APPS) + apps * subject_scaled(subject, SUBJECT_PART_SIZE);
    return subject->config.encrypted && !subject_is_plain(subject) &&
           !is_inside(at, 1, subject_scaled(subject, SUBJECT_FILES), part) &&
           !(layout->staging && is_inside(at, 1, staging, subject_scaled(subject, SUBJECT_PART_SIZE)));
}

const uint8_t *subject_see(const subject_t *subject, uint32_t at, uint32_t len)
{
    static uint8_t plain[SUBJECT_IMAGE_MAX];
    if (!subject_is_encrypted(subject, at)) {
        return subject->sim.bytes + at;
    }
    const otter_flash_cipher_t *cipher = test_cipher();
    const uint32_t whole = align_up_u32(len, OTTER_FLASH_CIPHER_BLOCK);
    memcpy(plain, subject->sim.bytes + at, whole);
    if (whole > sizeof(plain) || !cipher->crypt(cipher->ctx, true, at, plain, whole)) {
        abort();
    }
    return plain;
}

void subject_power_on(subject_t *subject)
{
    subject->model.cuts++;
    settings_power_on(subject);
    sim_flash_power_on(&subject->sim);
}

/** The place of a record of otadata. */
static uint32_t record_at(const subject_t *subject, uint32_t copy)
{
    return subject_scaled(subject, SUBJECT_OTADATA) + copy * subject_block(subject);
}

/** A record that would decide, if it reads as it lies there. @param[out] state  its state */
static bool record_counts(const subject_t *subject, uint32_t copy, uint32_t *state)
{
    const uint8_t *raw = subject_see(subject, record_at(subject, copy), 32);
    const uint32_t seq = le32_get(raw);
    *state = le32_get(raw + 24);
    return seq != UINT32_MAX && *state != ESP_OTA_IMG_INVALID && *state != ESP_OTA_IMG_ABORTED &&
           le32_get(raw + 28) == otadata_crc(seq);
}

/**
 * Of flash that is programmed once, or encrypted (where one bit that hangs changes the whole block): the record reads the same
 * always; and of the former its label says that it was written like that.
 */
static bool is_sure(const subject_t *subject, uint32_t copy)
{
    const uint32_t at = record_at(subject, copy);
    const uint8_t *raw = subject_see(subject, at, 32);
    const uint32_t label = crc32_le(crc32_le(0, raw, 4), raw + 24, 8);
    const bool once = subject->config.write_once;
    if (!once && !subject->config.encrypted) {
        return true;
    }
    return !sim_flash_is_weak(&subject->sim, at, 32) && (!once || le32_get(raw + 4) == label);
}

/**
 * May a boot find no record, and nobody be to blame? Where a unit is programmed once, a record that one cut has left hanging is
 * written anew in the other copy, and if power goes in that, too, both may read as nothing (docs/RELIABILITY.md).
 */
static bool may_have_no_record(const subject_t *subject)
{
    bool hangs = false, sure = false;
    for (uint32_t copy = 0; copy < 2; copy++) {
        uint32_t state;
        hangs |= sim_flash_is_weak(&subject->sim, record_at(subject, copy), 32);
        sure |= record_counts(subject, copy, &state) && is_sure(subject, copy);
    }
    return subject->config.write_once && subject->weak && subject->model.cuts > 1 && hangs && !sure;
}

/** What boots without a record, factory or the first slot, if it is whole. Nothing says that it was allowed once. */
static const installed_t *find_without_record(const subject_t *subject, uint32_t address)
{
    static installed_t place;
    if (address != subject_scaled(subject, SUBJECT_APPS) || !may_have_no_record(subject)) {
        return NULL;
    }
    for (unsigned i = 0; i < SUBJECT_IMAGES; i++) {
        const uint32_t len = subject->images[i].len;
        if (memcmp(subject_see(subject, address, len), subject->images[i].bytes, len) == 0) {
            place = (installed_t){.address = address, .image = i};
            return &place;
        }
    }
    return NULL;
}

/** The allowed image that is in flash, whole, where the device runs. */
static const installed_t *find_allowed(const subject_t *subject, uint32_t address, bool *allowed)
{
    *allowed = false;
    for (uint32_t i = 0; i < subject->model.count; i++) {
        const installed_t *place = &subject->model.may[i];
        if (place->address != address) {
            continue;
        }
        *allowed = true;
        const uint32_t len = subject->images[place->image].len;
        if (memcmp(subject_see(subject, address, len), subject->images[place->image].bytes, len) == 0) {
            return place;
        }
    }
    return NULL;
}

/** What flash says of the secure version never goes back. */
static void note_emulated_version(subject_t *subject, uint32_t image)
{
    uint32_t version = 0, before = subject->model.secure_version;
    if (!subject->config.layout->efuse) {
        return;
    }
    CHECK(otter_ota_secure_version(&subject->device, &version) == ESP_OK,
          "the secure version cannot be read");
    CHECK(version >= before, "the secure version goes from %" PRIu32 " to %" PRIu32, before, version);
    CHECK(version <= subject->images[image].secure_version, "the secure version is %" PRIu32, version);
    subject->model.secure_version = version;
}

/** @param by_record  a record has decided, says the boot */
static void note_running(subject_t *subject, const esp_partition_t *running, bool by_record)
{
    bool allowed;
    const installed_t *place = find_allowed(subject, running->address, &allowed);
    if (place == NULL && !by_record) {
        place = find_without_record(subject, running->address);
        allowed |= place != NULL;
    }
    CHECK(allowed, "%s runs, which nobody allowed", running->label);
    CHECK(place != NULL, "%s runs, damaged or with what was not selected", running->label);
    CHECK(!sim_flash_is_weak(&subject->sim, place->address, subject->images[place->image].len),
          "%s runs with weak bits", running->label);
    note_emulated_version(subject, place->image);
    CHECK(!subject->config.config.anti_rollback ||
              subject->images[place->image].secure_version >= subject->model.secure_version,
          "%s runs below the secure version", running->label);
    CHECK(subject->config.signers == NULL || subject->config.signers->source != OTTER_TRUST_EFUSES ||
              subject_trusts(subject, place->image),
          "%s runs, which no trusted key has signed", running->label);
    subject->model.running = *place;
}

/** A part of flash after the first boot: what was there, with FF behind it, as the cipher has it. */
static void check_encrypted(const subject_t *subject, uint32_t at, uint32_t size, const void *bytes,
                            uint32_t len)
{
    static uint8_t wanted[SUBJECT_IMAGE_MAX];
    CHECK(len <= size && size <= sizeof(wanted), "more than the sweep can compare");
    memset(wanted, 0xFF, size);
    memcpy(wanted, bytes, len);
    CHECK(memcmp(subject_see(subject, at, size), wanted, size) == 0,
          "0x%" PRIx32 "+0x%" PRIx32 " is not what was there before the first boot", at, size);
}

/** The first boot has ended: all that is to be encrypted is, once, and nothing else has changed. */
static void check_after_first_boot(const subject_t *subject)
{
    const uint32_t apps = subject_scaled(subject, SUBJECT_APPS),
                   table = subject_scaled(subject, SUBJECT_TABLE);
    const uint32_t size = subject_app_size(subject);
    check_encrypted(subject, table, subject_block(subject), subject->tables[0], OTTER_PARTITION_TABLE_LEN);
    check_encrypted(subject, apps, size, subject->images[0].bytes, subject->images[0].len);
    for (uint32_t at = apps + size; at < subject->flash.size && subject->model.cuts == 0; at++) {
        const bool recovery =
            subject->config.layout->copies && at >= subject_scaled(subject, SUBJECT_RECOVERY);
        CHECK(recovery || subject->sim.bytes[at] == 0xFF, "0x%" PRIx32 " was erased, and is not any more",
              at);
    }
}

bool subject_boot(subject_t *subject)
{
    otter_boot_result_t result;
    subject->phase = PHASE_BOOT;
    subject->chosen = 0;
    subject->nvs_erases = 0;
    subject->first_boot = subject_is_plain(subject);
    start_device(subject);
    if (otter_boot(&subject->device, OTTER_BOOT_COMMIT, &result) != ESP_OK || subject->sim.dead) {
        CHECK(subject->sim.dead, "the device does not boot: %s", result.reason);
        return false;
    }
    CHECK(!subject_is_plain(subject), "it boots, and its flash is plain");
    if (subject->first_boot) {
        check_after_first_boot(subject);
    }
    note_running(subject, subject->device.running, result.otadata_copy >= 0);
    copy_check_after_boot(subject);
    return settings_check(subject);
}

uint32_t subject_app_size(const subject_t *subject)
{
    const bool is_short =
        subject->config.layout->copies || subject->config.plain_at_first || subject_block(subject) > 4096;
    return subject_scaled(subject, is_short                           ? SUBJECT_COPY_SIZE
                                   : subject->config.layout->recorded ? SUBJECT_RECORDED_SIZE
                                                                      : SUBJECT_PART_SIZE);
}

const esp_partition_t *subject_partition(const subject_t *subject, uint32_t type, uint32_t subtype)
{
    for (uint32_t i = 0; i < subject->device.partitions.count; i++) {
        const esp_partition_t *p = &subject->device.partitions.items[i];
        if ((uint32_t)p->type == type && (uint32_t)p->subtype == subtype) {
            return p;
        }
    }
    return NULL;
}

/* ---- the owner's word ---- */

void subject_allow(subject_t *subject, const esp_partition_t *slot, unsigned image)
{
    CHECK(subject->model.count < SUBJECT_PLACES_MAX, "more places than the sweep can keep");
    subject->model.may[subject->model.count++] = (installed_t){.address = slot->address, .image = image};
}

void subject_forbid(subject_t *subject, uint32_t address)
{
    model_t *model = &subject->model;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < model->count; i++) {
        if (model->may[i].address != address) {
            model->may[kept++] = model->may[i];
        }
    }
    model->count = kept;
}

void subject_allow_only_running(subject_t *subject)
{
    subject->model.may[0] = subject->model.running;
    subject->model.count = 1;
}

/** Where all of a record hangs, one that was selected and could not be read at the boot may be there again. */
static bool has_hanging_new(const subject_t *subject)
{
    bool has = false;
    for (uint32_t copy = 0; copy < 2 && subject->config.write_once; copy++) {
        const uint32_t at = record_at(subject, copy);
        const bool is_new = le32_get(subject_see(subject, at, 32) + 24) == ESP_OTA_IMG_NEW;
        has |= is_new && sim_flash_is_weak(&subject->sim, at, 32);
    }
    return has;
}

void subject_records_are_sure(subject_t *subject, const esp_partition_t *slot)
{
    const bool other_chosen = subject->chosen != 0 && subject->chosen != slot->address;
    if (subject->weak && slot->type == ESP_PARTITION_TYPE_APP && !other_chosen && !has_hanging_new(subject)) {
        subject_allow_only_running(subject);
    }
}

bool subject_is_on_trial(const subject_t *subject)
{
    uint32_t newest = 0, state = ESP_OTA_IMG_UNDEFINED;
    for (uint32_t copy = 0; copy < 2; copy++) {
        uint32_t now;
        const uint32_t seq = le32_get(subject_see(subject, record_at(subject, copy), 32));
        if (record_counts(subject, copy, &now) && seq > newest && is_sure(subject, copy)) {
            newest = seq;
            state = now;
        }
    }
    return state == ESP_OTA_IMG_PENDING_VERIFY;
}
