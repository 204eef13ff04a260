/*
 * The boot step: reads what the decision needs, writes what it decided, and verifies candidates until one is good.
 *
 * Invariants
 * 1. What boots was verified whole from flash in this very step; nothing remembered counts (find_image).
 * 2. Record changes are durable before an image is looked at, and in ESP-IDF's order (commit_rewrites): a trial that
 *    crashes the chip at its first instruction has been counted.
 * 3. A record changes only when its content does; a boot that changes no state writes nothing.
 * 4. Every record change rewrites one sector and leaves the other alone. A cut between its erase and its program costs
 *    only the record of an image that is not confirmed: PENDING_VERIFY and ABORTED replace NEW and PENDING_VERIFY, and
 *    the first record of a new device (write_initial) replaces nothing. The confirmed image's record is the other one,
 *    or there is none and the search through the slots finds the image without it.
 * 5. Before anything is decided, copies that a power cut left unfinished are finished (otter_boot_finish_copies): a decision
 *    is never about a half-copied slot or table. Who has no code to finish them decides nothing while there is one.
 * 6. DRY_RUN takes the same path with the writes left out; the changed records are in memory either way. So does GUESS, which is
 *    no decision: it believes what an image's checksum and hash would have to prove (1).
 * 7. Before anything else, flash that is to be encrypted is (encrypt_first): nothing is decided about a flash of which a part is
 *    plain. It is not begun unless something boots.
 * 8. otter_boot_take_back puts back the records that changed, which are of images that are not confirmed (4): a cut in
 *    it costs no other record either.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#include "otter/boot.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "otter/bytes.h"
#include "boot/copy_journal.h"
#include "boot/decision.h"
#include "boot/first_encryption.h"
#include "boot/otadata_flash.h"
#include "boot/secure_version.h"
#include "boot/staged_copy.h"
#include "boot/trust.h"
#include "esp_log.h"
#include "flash/partition_kind.h"
#include "flash/partition_list.h"
#include "otter/partition_table.h"
#include "otter/image.h"
#include "image/misfit.h"
#include "otter/promise.h"

static const char TAG[] = "boot";

/** One boot step in progress. */
typedef struct {
    otter_device_t *device;
    bool commit, believes;
    boot_candidates_t have;
    otter_partition_entry_t factory, test, slots[BOOT_SLOTS_MAX], otadata;
    uint32_t device_version; /* anti-rollback; what it would be in a dry run */
    uint32_t app_version;    /* of the candidate that was tried last, as its hash has it */
    boot_decision_t decision;
    otter_boot_result_t *result;   /* NULL: nobody asks for more than what boots */
    otter_fault_t fault;           /* of the table, or of the candidate that is looked at */
    const esp_partition_t *chosen; /* NULL: nothing verifies, or not yet */
    esp_err_t trouble;             /* met while trying candidates: the first flash error, or ESP_ERR_NO_MEM */
} boot_t;

/* A dry run logs nothing. */
#define BOOT_LOG(boot, LOG, ...)                                                                             \
    do {                                                                                                     \
        if ((boot)->commit) {                                                                                \
            LOG(TAG, __VA_ARGS__);                                                                           \
        }                                                                                                    \
    } while (0)

/* The words of ESP-IDF's bootloader for what it prints of each row. */
static const struct {
    uint8_t type, subtype, mask; /* a row matches if (subtype & mask) equals */
    const char *usage;
} usages[] = {
    {PART_TYPE_APP, PART_SUBTYPE_FACTORY, 0xFF, "factory app"},
    {PART_TYPE_APP, PART_SUBTYPE_TEST, 0xFF, "test app"},
    {PART_TYPE_APP, PART_SUBTYPE_OTA_FLAG, 0xF0, "OTA app"},
    {PART_TYPE_APP, 0, 0, "Unknown app"},
    {PART_TYPE_DATA, PART_SUBTYPE_DATA_OTA, 0xFF, "OTA data"},
    {PART_TYPE_DATA, PART_SUBTYPE_DATA_RF, 0xFF, "RF data"},
    {PART_TYPE_DATA, PART_SUBTYPE_DATA_WIFI, 0xFF, "WiFi data"},
    {PART_TYPE_DATA, PART_SUBTYPE_DATA_NVS_KEYS, 0xFF, "NVS keys"},
    {PART_TYPE_DATA, PART_SUBTYPE_DATA_EFUSE_EM, 0xFF, "efuse"},
    {PART_TYPE_DATA, 0, 0, "Unknown data"},
};

/** Puts more behind the reason. */
static void say(const boot_t *boot, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void say(const boot_t *boot, const char *format, ...)
{
    if (boot->result != NULL) {
        char *reason = boot->result->reason;
        size_t used = strlen(reason);
        va_list args;
        va_start(args, format);
        vsnprintf(reason + used, sizeof(boot->result->reason) - used, format, args);
        va_end(args);
    }
}

static const char *usage_of(const otter_partition_entry_t *entry)
{
    for (size_t i = 0; i < sizeof(usages) / sizeof(usages[0]); i++) {
        if (usages[i].type == entry->type && (entry->subtype & usages[i].mask) == usages[i].subtype) {
            return usages[i].usage;
        }
    }
    return "Unknown";
}

/** Notes what an entry is for; a later duplicate replaces an earlier one, and offset 0 means absent. */
static void note_entry(void *arg, uint32_t index, const otter_partition_entry_t *entry)
{
    boot_t *boot = arg;
    (void)index;
    if (boot->fault.code == ESP_OK) {
        otter_ignore(partition_check_sectors(entry, boot->device->flash, &boot->fault)); /* kept there */
    }
    bool present = entry->offset != 0;
    if (entry->type == PART_TYPE_APP && entry->subtype == PART_SUBTYPE_FACTORY) {
        boot->factory = *entry;
        boot->have.factory = present;
    } else if (entry->type == PART_TYPE_APP && entry->subtype == PART_SUBTYPE_TEST) {
        boot->test = *entry;
        boot->have.test = present;
    } else if (kind_is_slot(entry->type, entry->subtype)) {
        uint32_t slot = entry->subtype & PART_SUBTYPE_OTA_MASK;
        boot->slots[slot] = *entry;
        boot->have.slots[slot] = present;
        boot->have.slot_count++;
    } else if (entry->type == PART_TYPE_DATA && entry->subtype == PART_SUBTYPE_DATA_OTA) {
        boot->otadata = *entry;
        boot->have.otadata = present;
    }
}

static void log_entry(void *arg, uint32_t index, const otter_partition_entry_t *entry)
{
    (void)arg;
    ESP_LOGI(TAG, "%2u %-16s %-16s %02x %02x %08" PRIx32 " %08" PRIx32, (unsigned)index, entry->label,
             usage_of(entry), entry->type, entry->subtype, entry->offset, entry->size);
}

/** The rows as they are read once more: nothing is decided by what is logged. */
static void log_table(const boot_t *boot)
{
    const otter_partition_taker_t log = {log_entry, NULL};
    otter_flash_t *flash = boot->device->flash;
    if (boot->commit) {
        ESP_LOGI(TAG, "Partition Table:");
        ESP_LOGI(TAG, "## Label            Usage          Type ST Offset   Length");
        otter_ignore(otter_partition_table_verify_at(flash, boot->device->config.table_offset, flash->size,
                                                     &log, NULL));
        ESP_LOGI(TAG, "End of partition table");
    }
}

/** Reads the raw table, as a bootloader does: not the application's list, which needs an MD5 row. */
static esp_err_t read_table(boot_t *boot)
{
    otter_flash_t *flash = boot->device->flash;
    esp_err_t err = partition_check_flash(flash, &boot->fault);
    if (err != ESP_OK) {
        say(boot, "%s", boot->fault.why);
        return err;
    }
    const uint32_t offset = boot->device->config.table_offset;
    if (!range_fits(offset, OTTER_PARTITION_TABLE_LEN, flash->size)) {
        say(boot, "a flash of %" PRIu32 " bytes has no room for a partition table at 0x%" PRIx32, flash->size,
            offset);
        return ESP_ERR_INVALID_SIZE;
    }
    const otter_partition_taker_t note = {note_entry, boot};
    err = otter_partition_table_verify_at(flash, offset, flash->size, &note, &boot->fault);
    if (err == ESP_OK) {
        log_table(boot);
        say(boot, "%s", boot->fault.why);
        return boot->fault.code;
    }
    if (err == boot->fault.code) { /* and not what the flash says of a reading */
        BOOT_LOG(boot, ESP_LOGE, "Failed to verify partition table: %s", boot->fault.why);
        say(boot, "the partition table is unusable: %s", boot->fault.why);
    }
    return err;
}

/** True if an application with this place may run as far as anti-rollback is concerned. */
static bool is_new_enough(const boot_t *boot, const otter_partition_entry_t *app, uint32_t *version)
{
    return secure_version_of_app(boot->device->flash, app->offset, app->size, version) == ESP_OK &&
           *version >= boot->device_version;
}

/** Answers, for each copy, whether the image in the slot that it selects is new enough. */
static void ask_versions(const boot_t *boot, const otadata_entry_t two[OTADATA_COPY_COUNT],
                         bool new_enough[OTADATA_COPY_COUNT])
{
    for (uint32_t copy = 0; copy < OTADATA_COPY_COUNT; copy++) {
        new_enough[copy] = false;
        if (boot->have.slot_count == 0) {
            continue;
        }
        uint32_t slot = otadata_slot(two[copy].seq, boot->have.slot_count);
        uint32_t version;
        if (slot < BOOT_SLOTS_MAX && boot->have.slots[slot]) {
            new_enough[copy] = is_new_enough(boot, &boot->slots[slot], &version);
        }
    }
}

/** The image that boots is confirmed: burns its secure version, as it was verified, so that nothing older boots any more. */
static void raise_version(boot_t *boot)
{
    const uint32_t version = boot->app_version;
    if (version == boot->device_version) {
        return;
    }
    if (boot->commit) {
        esp_err_t err = secure_version_raise(boot->device, version);
        if (err != ESP_OK) {
            ESP_LOGE(TAG, "secure version %" PRIu32 " not burned: %s", version, esp_err_to_name(err));
            return; /* this image still runs; the next boot tries again */
        }
    }
    boot->device_version = version;
}

/** Makes the decision's record changes durable. @return the copy that could not be written, OTADATA_NONE if all were */
static int commit_rewrites(const boot_t *boot)
{
    int failed = OTADATA_NONE;
    for (uint32_t i = 0; boot->commit && i < boot->decision.rewrite_count; i++) {
        const boot_rewrite_t *rewrite = &boot->decision.rewrites[i];
        esp_err_t err =
            otadata_write_copy(boot->device->flash, boot->otadata.offset, rewrite->copy, &rewrite->entry);
        if (err != ESP_OK) {
            ESP_LOGE(TAG, "Error in write_otadata operation. err = 0x%x", (unsigned)err);
            failed = (int)rewrite->copy;
        }
    }
    return failed;
}

static void log_decision(const boot_t *boot)
{
    if (boot->decision.active != OTADATA_NONE || !boot->commit) {
        return;
    }
    if (boot->decision.index == BOOT_INDEX_FACTORY) {
        ESP_LOGI(TAG, "Defaulting to factory image");
    } else {
        ESP_LOGI(TAG, "No factory image, trying OTA 0");
    }
}

/** What otter_boot_take_back() would write. */
static void note_before(const boot_t *boot, const otadata_entry_t two[OTADATA_COPY_COUNT])
{
    if (boot->result != NULL) {
        boot->result->otadata_off = boot->otadata.offset;
        for (uint32_t copy = 0; copy < OTADATA_COPY_COUNT; copy++) {
            otadata_encode(&two[copy], boot->result->records_before[copy]);
        }
    }
}

static void note_decision(const boot_t *boot)
{
    otter_boot_result_t *result = boot->result;
    if (result != NULL) {
        boot_explain(&boot->decision, &boot->have, result->reason, sizeof(result->reason));
        result->otadata_copy = boot->decision.active;
        for (uint32_t copy = 0; copy < OTADATA_COPY_COUNT; copy++) {
            result->otadata_state[copy] = boot->decision.after[copy].state;
        }
    }
}

/** Reads otadata, decides, records. */
static esp_err_t decide_and_record(boot_t *boot)
{
    otadata_entry_t two[OTADATA_COPY_COUNT] = {{0}};
    const otter_device_config_t *config = &boot->device->config;
    if (boot->have.otadata) {
        esp_err_t err = otadata_read(boot->device->flash, boot->otadata.offset, boot->otadata.size, two);
        if (err == ESP_ERR_INVALID_SIZE) {
            const uint32_t needed = otadata_size(boot->device->flash);
            BOOT_LOG(boot, ESP_LOGE,
                     "ota_info partition size %" PRIu32 " is too small (minimum %" PRIu32 " bytes)",
                     boot->otadata.size, needed);
            say(boot, "the otadata partition has %" PRIu32 " bytes, it needs %" PRIu32, boot->otadata.size,
                needed);
        }
        if (err != ESP_OK) {
            return err;
        }
        note_before(boot, two);
    }
    bool new_enough[OTADATA_COPY_COUNT];
    if (config->anti_rollback) {
        ask_versions(boot, two, new_enough);
    }
    const bool *versions = config->anti_rollback ? new_enough : NULL;
    boot_decide(two, &boot->have, config->rollback, versions, &boot->decision);
    int failed = commit_rewrites(boot);
    if (failed != OTADATA_NONE && failed == boot->decision.active) {
        /* A trial that cannot be recorded would never end, so decide again as if it had failed. The write that begins a
         * trial is always the last one: the writes before it are done and stay. */
        boot->decision.after[failed].state = ESP_OTA_IMG_ABORTED;
        memcpy(two, boot->decision.after, sizeof(two));
        boot_decide(two, &boot->have, false, versions, &boot->decision);
    }
    note_decision(boot);
    log_decision(boot);
    return ESP_OK;
}

static const otter_partition_entry_t *entry_of(const boot_t *boot, int index)
{
    if (index == BOOT_INDEX_FACTORY) {
        return &boot->factory;
    }
    return index == BOOT_INDEX_TEST ? &boot->test : &boot->slots[index];
}

/** Judges one candidate with the loader's checks. @return ESP_OK: it may start */
static esp_err_t try_candidate(boot_t *boot, const otter_partition_entry_t *app)
{
    otter_device_t *device = boot->device;
    if (app->size == 0) {
        return otter_fault(&boot->fault, ESP_ERR_INVALID_SIZE, "the partition has no size");
    }
    boot->app_version = 0;
    if (device->config.anti_rollback && !is_new_enough(boot, app, &boot->app_version)) {
        return otter_fault(&boot->fault, ESP_FAIL,
                           "secure version %" PRIu32 " is below the device's %" PRIu32, boot->app_version,
                           boot->device_version);
    }
    otter_image_rules_t rules = {.chip = &device->chip,
                                 .flash_offset = app->offset,
                                 .size = app->size,
                                 .loading = true,
                                 .known = boot->believes};
    if (!boot->believes) {
        rules.trust = otter_trust_to_boot(device, false);
    }
    otter_image_info_t *image = boot->result != NULL ? &boot->result->image : NULL;
    esp_err_t err = otter_image_verify(device->flash, &rules, image, &boot->fault);
    if (err == ESP_FAIL && boot->commit) {
        image_log_misfit_at(device->flash, app->offset, &device->chip, false);
    }
    if (err != ESP_OK) {
        return err;
    }
    /* What was looked at before it was verified was another reading of flash, which may have said something else. */
    if (device->config.anti_rollback && image != NULL &&
        (!image->has_desc || image->desc.secure_version != boot->app_version)) {
        return otter_fault(&boot->fault, ESP_FAIL, "its secure version changes from one reading to the next");
    }
    if (boot->commit) {
        image_log_signed(&rules.trust);
    }
    return ESP_OK;
}

/** ESP-IDF's words; what is behind them is ours. */
static void log_not_bootable(const boot_t *boot, const otter_partition_entry_t *app)
{
    if (app->subtype == PART_SUBTYPE_FACTORY || app->subtype == PART_SUBTYPE_TEST) {
        BOOT_LOG(boot, ESP_LOGE, "Factory %sapp partition is not bootable",
                 app->subtype == PART_SUBTYPE_TEST ? "test " : "");
    } else {
        BOOT_LOG(boot, ESP_LOGE, "OTA app partition slot %d is not bootable", app->subtype & 0x0F);
    }
}

static void note_failure(boot_t *boot, const otter_partition_entry_t *app)
{
    otter_boot_result_t *result = boot->result;
    const otter_fault_t *fault = &boot->fault;
    if (boot->trouble == ESP_OK && otter_flash_failed(fault->code)) {
        boot->trouble = fault->code;
    }
    log_not_bootable(boot, app);
    BOOT_LOG(boot, ESP_LOGE, "%s partition at offset 0x%" PRIx32 " is not bootable: %s", app->label,
             app->offset, fault->why);
    if (result != NULL && result->tried_count < OTTER_BOOT_TRIED_MAX) {
        otter_boot_tried_t *tried = &result->tried[result->tried_count++];
        memcpy(tried->label, app->label, sizeof(tried->label));
        tried->fault = *fault;
    }
}

/** Goes through the candidates. @return true: `started` is the index of the one that verifies; false: none does, or memory
 * ran out, which says nothing about an image */
static bool find_image(boot_t *boot, int *started)
{
    int order[BOOT_ORDER_MAX];
    uint32_t count = boot_order(boot->decision.index, &boot->have, order);
    for (uint32_t i = 0; i < count; i++) {
        const otter_partition_entry_t *app = entry_of(boot, order[i]);
        esp_err_t err = try_candidate(boot, app);
        if (err == ESP_OK) {
            *started = order[i];
            return true;
        }
        if (err == ESP_ERR_NO_MEM) {
            boot->trouble = err;
            return false;
        }
        note_failure(boot, app);
    }
    return false;
}

/** A new device gets its first record once the image it names has proved good. */
static void write_initial(boot_t *boot, int started)
{
    otadata_entry_t entry;
    if (!boot_initial_entry(&boot->decision, started, &entry) || !boot->have.otadata) {
        return;
    }
    boot->decision.after[0] = entry;
    if (boot->commit) {
        esp_err_t err = otadata_write_copy(boot->device->flash, boot->otadata.offset, 0, &entry);
        if (err != ESP_OK) {
            ESP_LOGE(TAG, "Error in write_otadata operation. err = 0x%x", (unsigned)err);
            return; /* the image is good and needs no record; the next boot writes it */
        }
        ESP_LOGI(TAG, "Set actual ota_seq=%" PRIu32 " in otadata[0]", entry.seq);
    }
    if (boot->device->config.anti_rollback) {
        raise_version(boot);
    }
}

/**
 * The partition that boots, as the application sees it. A table without an MD5 record boots although applications cannot load
 * it. The partition is then put behind the end of the list, where no look-up finds it and a pointer to it stays valid.
 */
static const esp_partition_t *partition_of(otter_device_t *device, const otter_partition_entry_t *app)
{
    otter_partition_list_t *list = &device->partitions;
    for (uint32_t i = 0; i < list->count; i++) {
        const esp_partition_t *item = &list->items[i];
        if ((uint32_t)item->type == app->type && (uint32_t)item->subtype == app->subtype &&
            item->address == app->offset && item->size == app->size) {
            return item;
        }
    }
    esp_partition_t *hidden =
        &list->items[list->count < OTTER_PARTITIONS_MAX ? list->count : OTTER_PARTITIONS_MAX - 1];
    *hidden = (esp_partition_t){.flash_chip = device->flash,
                                .type = (esp_partition_type_t)app->type,
                                .subtype = (esp_partition_subtype_t)app->subtype,
                                .address = app->offset,
                                .size = app->size,
                                .erase_size = device->flash->erase_size};
    memcpy(hidden->label, app->label, sizeof(hidden->label));
    return hidden;
}

/** Adds to the reason what happened to the first choice. */
static void explain_fallback(const boot_t *boot, int started)
{
    const otter_boot_result_t *result = boot->result;
    char name[12];
    if (result == NULL || started == boot->decision.index) {
        return;
    }
    if (result->tried_count != 0) {
        say(boot, "; %s did not verify, %s boots", result->tried[0].label, boot_index_name(started, name));
    } else if (boot->decision.active != OTADATA_NONE) {
        say(boot, "; there is none, %s boots", boot_index_name(started, name));
    }
}

static esp_err_t start_image(boot_t *boot)
{
    int started;
    if (!find_image(boot, &started)) {
        BOOT_LOG(boot, ESP_LOGE, "No bootable app partitions in the partition table");
        say(boot, "; %s", boot->trouble == ESP_ERR_NO_MEM ? "out of memory" : "nothing verifies");
        return boot->trouble != ESP_OK ? boot->trouble : ESP_ERR_NOT_FOUND;
    }
    if (boot->commit && started == BOOT_INDEX_TEST && boot->result->tried_count == 0) {
        ESP_LOGW(TAG, "Falling back to test app as only bootable partition");
    }
    const otter_partition_entry_t *app = entry_of(boot, started);
    if (boot->decision.raise_version && started == boot->decision.index) {
        raise_version(boot); /* only now that the image is verified: a burned bit stays burned */
    }
    write_initial(boot, started);
    boot->chosen = partition_of(boot->device, app);
    explain_fallback(boot, started);
    if (boot->commit) {
        boot->device->running = boot->chosen;
        ESP_LOGI(TAG, "Loaded app from partition at offset 0x%" PRIx32, app->offset);
    }
    return ESP_OK;
}

/** What the device accepts; a burn in flash that was cut is finished first. */
static esp_err_t read_device_version(boot_t *boot)
{
    esp_err_t err = boot->commit ? secure_version_settle(boot->device) : ESP_OK;
    if (err == ESP_OK) {
        err = secure_version_read(boot->device, &boot->device_version);
    }
    if (err != ESP_OK) {
        say(boot, "the device's secure version cannot be read: %s", esp_err_to_name(err));
    }
    return err;
}

/** A boot step without finishing copies. @param result  may be NULL where nothing is committed */
static esp_err_t decide_and_start(otter_device_t *device, otter_boot_mode_t mode, otter_boot_result_t *result,
                                  const esp_partition_t **chosen)
{
    boot_t boot = {.device = device,
                   .commit = mode == OTTER_BOOT_COMMIT,
                   .believes = mode == OTTER_BOOT_GUESS,
                   .result = result};
    esp_err_t err = read_table(&boot);
    if (err == ESP_OK && device->config.anti_rollback) {
        err = read_device_version(&boot);
    }
    if (err == ESP_OK) {
        err = decide_and_record(&boot);
    }
    if (err == ESP_OK) {
        err = start_image(&boot);
    }
    if (err != ESP_OK && result != NULL && result->reason[0] == '\0') {
        say(&boot, "the flash could not be read: %s", esp_err_to_name(err));
    }
    *chosen = boot.chosen;
    return err;
}

/** The partition with the journal of an unfinished copy, or that may have one: unreadable, or unsure. NULL: none */
static const esp_partition_t *find_journal(const otter_device_t *device)
{
    copy_journal_t journal;
    for (uint32_t i = 0; i < device->partitions.count; i++) {
        const esp_partition_t *p = &device->partitions.items[i];
        if (copy_journal_read_in(device->flash, p, &journal) != ESP_ERR_NOT_FOUND) {
            return p;
        }
    }
    return NULL;
}

/** The list as the table in flash has it; one that no MD5 proves may be torn, in any row, and is finished first. */
static void load_list(otter_device_t *device)
{
    otter_ignore(partition_list_load(&device->partitions, device->flash, device->config.table_offset,
                                     device->config.allow_no_md5, NULL));
    if (!device->partitions.proven && device->config.copies != NULL) {
        /* If there is no copy to finish, the boot step says what is wrong. */
        otter_ignore(device->config.copies->rescue_table(device));
    }
}

esp_err_t otter_boot_finish_copies(otter_device_t *device)
{
    if (device->updates == NULL && device->running == NULL) { /* nobody points into the list */
        load_list(device);
    }
    if (device->config.copies == NULL) {
        esp_err_t err = copy_journal_refuse(device, &device->fault);
        if (err != ESP_OK) {
            ESP_LOGE(TAG, "%s", device->fault.why);
        }
        return err;
    }
    if (find_journal(device) == NULL) {
        return ESP_OK;
    }
    const esp_partition_t *boots = device->running;
    if (boots == NULL) {
        otter_ignore(decide_and_start(device, OTTER_BOOT_DRY_RUN, NULL, &boots)); /* nothing boots: NULL */
    }
    return device->config.copies->finish_all(device, boots);
}

esp_err_t otter_boot_look_at_first(otter_device_t *device, otter_first_boot_t *state)
{
    *state = (otter_first_boot_t){0};
    if (device->flash->waiting == NULL) {
        return ESP_ERR_NOT_FOUND;
    }
    if (device->config.first_encryption == NULL) {
        return otter_fault(&device->fault, ESP_ERR_NOT_SUPPORTED,
                           "its first boot encrypts its flash, which this program has no code for "
                           "(otter_first_encryption)");
    }
    return device->config.first_encryption->look(device, state);
}

/** True if something boots as the flash is now: what does not start is not encrypted either. */
static bool something_boots(otter_device_t *device)
{
    const esp_partition_t *boots;
    otter_ignore(otter_boot_finish_copies(device)); /* logged; their journals are plain, too */
    return decide_and_start(device, OTTER_BOOT_DRY_RUN, NULL, &boots) == ESP_OK;
}

/** Where a cipher waits for the flash. @return ESP_OK: the step goes on, with all encrypted, or with all as it was */
static esp_err_t encrypt_first(otter_device_t *device, bool commit)
{
    otter_first_boot_t state;
    if (device->flash->waiting == NULL) {
        return ESP_OK;
    }
    device->fault = (otter_fault_t){0};
    esp_err_t err = otter_boot_look_at_first(device, &state);
    if (err != ESP_OK) {
        return err;
    }
    if (!commit) {
        return state.begun ? otter_fault(&device->fault, ESP_ERR_INVALID_STATE,
                                         "its first boot is encrypting this flash: %" PRIu32 " of %" PRIu32
                                         " sectors are done, and the next boot goes on",
                                         state.done, state.sectors)
                           : ESP_OK;
    }
    ESP_LOGI(TAG, "Checking flash encryption...");
    return state.begun || something_boots(device) ? device->config.first_encryption->run(device) : ESP_OK;
}

esp_err_t otter_boot(otter_device_t *device, otter_boot_mode_t mode, otter_boot_result_t *result)
{
    bool commit = mode == OTTER_BOOT_COMMIT;
    memset(result, 0, sizeof(*result));
    result->otadata_copy = OTADATA_NONE;
    if (commit) {
        device->running = NULL;
    }
    esp_err_t err = encrypt_first(device, commit);
    if (err != ESP_OK) {
        const char *why = device->fault.why[0] != '\0' ? device->fault.why : esp_err_to_name(err);
        if (commit) {
            ESP_LOGE(TAG, "Encryption flash contents failed: %s", why);
        }
        snprintf(result->reason, sizeof(result->reason), "%s", why);
        return err;
    }
    if (commit) {
        otter_ignore(
            otter_boot_finish_copies(device)); /* logged; what boots does not depend on it, but here: */
    }
    if (device->config.copies == NULL && copy_journal_refuse(device, &device->fault) != ESP_OK) {
        snprintf(result->reason, sizeof(result->reason), "%s", device->fault.why);
        return ESP_ERR_NOT_SUPPORTED;
    }
    err = decide_and_start(device, mode, result, &result->partition);
    const bool copies = !commit && device->config.copies != NULL && find_journal(device) != NULL;
    const bool encrypts = !commit && err == ESP_OK && device->flash->waiting != NULL;
    size_t used = strlen(result->reason);
    if (copies || encrypts) {
        snprintf(result->reason + used, sizeof(result->reason) - used, "; before that %s%s%s",
                 copies ? "an unfinished copy from a staging partition is finished" : "",
                 copies && encrypts ? ", and " : "",
                 encrypts ? "the flash, which is plain, is encrypted" : "");
    }
    return err;
}

esp_err_t otter_boot_take_back(otter_device_t *device, const otter_boot_result_t *result)
{
    device->running = NULL;
    otadata_entry_t now[OTADATA_COPY_COUNT];
    if (result->otadata_off == 0) {
        return ESP_OK;
    }
    esp_err_t err = otadata_read(device->flash, result->otadata_off, otadata_size(device->flash), now);
    for (uint32_t copy = 0; copy < OTADATA_COPY_COUNT && err == ESP_OK; copy++) {
        uint8_t raw[OTADATA_ENTRY_SIZE];
        otadata_encode(&now[copy], raw);
        if (memcmp(raw, result->records_before[copy], sizeof(raw)) == 0) {
            continue;
        }
        otadata_entry_t before;
        otadata_decode(result->records_before[copy], &before);
        err = otadata_is_blank(&before)
                  ? otadata_erase_copy(device->flash, result->otadata_off, copy)
                  : otadata_write_copy(device->flash, result->otadata_off, copy, &before);
    }
    return err;
}
