/* The boot step against every recorded boot of ESP-IDF's bootloader: choice, tries, flash operations, records after. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "support/ota_rig.h"

static bool is_loadable(const char *which, const esp_partition_t *p)
{
    if (strcmp(which, "all") == 0) {
        return true;
    }
    if (strcmp(which, "all_but_ota1") == 0) {
        return (int)p->subtype != ESP_PARTITION_SUBTYPE_APP_OTA_1;
    }
    assert_string_equal(which, "none_of_ota");
    return p->subtype < ESP_PARTITION_SUBTYPE_APP_OTA_MIN || p->subtype >= ESP_PARTITION_SUBTYPE_APP_OTA_MAX;
}

static void place_images(rig_t *rig, const char *which)
{
    for (uint32_t i = 0; i < rig->device.partitions.count; i++) {
        const esp_partition_t *p = &rig->device.partitions.items[i];
        if (p->type == ESP_PARTITION_TYPE_APP && is_loadable(which, p)) {
            rig_place(rig, p->address, "image", "esp32_valid.bin");
        }
    }
}

static void place_otadata(rig_t *rig, const char *name)
{
    char file[64];
    snprintf(file, sizeof(file), "%s.bin", name);
    rig_place(rig, RIG_OTADATA, "otadata", file);
}

/** The recording's event in the words of our trace; "" for what is not traced. */
static void event_text(const cJSON *event, char *text, size_t size)
{
    const cJSON *at;
    text[0] = '\0';
    if ((at = cJSON_GetObjectItem(event, "try")) != NULL) {
        snprintf(text, size, "try %s", at->valuestring);
    } else if ((at = cJSON_GetObjectItem(event, "erase")) != NULL) {
        snprintf(text, size, "erase %s+0x1000", at->valuestring);
    } else if ((at = cJSON_GetObjectItem(event, "program")) != NULL) {
        snprintf(text, size, "program %s:%s", at->valuestring, rig_string(event, "hex"));
    } else if ((at = cJSON_GetObjectItem(event, "efuse_secure_version")) != NULL) {
        snprintf(text, size, "efuse %d", at->valueint);
    } else {
        assert_non_null(cJSON_GetObjectItem(event, "selected_index"));
    }
}

#define EVENTS_MAX 32

/** The recorded operations, but a version is burned after the image was verified, not before (docs/DIFFERENCES.md). */
static uint32_t wanted_trace(const cJSON *events, char wanted[EVENTS_MAX][160])
{
    uint32_t count = 0;
    const cJSON *event;
    cJSON_ArrayForEach(event, events)
    {
        assert_true(count < EVENTS_MAX);
        event_text(event, wanted[count], sizeof(wanted[count]));
        if (wanted[count][0] == '\0') {
            continue;
        }
        if (count > 0 && strncmp(wanted[count], "try", 3) == 0 &&
            strncmp(wanted[count - 1], "efuse", 5) == 0) {
            char burn[160];
            memcpy(burn, wanted[count - 1], sizeof(burn));
            memcpy(wanted[count - 1], wanted[count], sizeof(burn));
            memcpy(wanted[count], burn, sizeof(burn));
        }
        count++;
    }
    return count;
}

static void check_trace(const rig_t *rig, const cJSON *events, const char *name)
{
    char wanted[EVENTS_MAX][160];
    const uint32_t count = wanted_trace(events, wanted);
    for (uint32_t at = 0; at < count; at++) {
        if (at >= rig->trace_count || strcmp(rig->trace[at], wanted[at]) != 0) {
            fail_msg("%s: operation %u is \"%s\", recorded \"%s\"", name, at,
                     at < rig->trace_count ? rig->trace[at] : "(none)", wanted[at]);
        }
    }
    if (count != rig->trace_count) {
        fail_msg("%s: unrecorded operation \"%s\"", name, rig->trace[count]);
    }
}

static void check_entries(const rig_t *rig, const cJSON *entries, const char *name)
{
    for (uint32_t copy = 0; copy < OTADATA_COPY_COUNT; copy++) {
        if (!rig_entry_is(rig, copy, cJSON_GetArrayItem(entries, (int)copy)->valuestring)) {
            fail_msg("%s: record %u is not what was recorded", name, copy);
        }
    }
}

static const char *run_name(const otter_boot_result_t *result, esp_err_t err)
{
    return err == ESP_OK ? result->partition->label : "RESET";
}

/** One recorded boot; before it, a dry run must foretell it and change nothing. */
static void check_boot(rig_t *rig, const cJSON *boot, const char *name)
{
    otter_boot_result_t dry, result;
    uint32_t ops = rig->sim.ops, version = rig->secure_version;
    esp_err_t dry_err = otter_boot(&rig->device, OTTER_BOOT_DRY_RUN, &dry);
    assert_int_equal(rig->sim.ops, ops);
    assert_int_equal(rig->secure_version, version);

    rig_clear(rig);
    rig->trace_tries = true;
    esp_err_t err = otter_boot(&rig->device, OTTER_BOOT_COMMIT, &result);
    rig->trace_tries = false;
    const char *want = rig_string(boot, "run");
    if (strcmp(run_name(&result, err), want) != 0) {
        fail_msg("%s: runs %s, recorded %s (%s)", name, run_name(&result, err), want, result.reason);
    }
    assert_int_equal(dry_err, err);
    assert_ptr_equal(dry.partition, result.partition);
    assert_string_equal(dry.reason, result.reason);
    assert_true(result.reason[0] != '\0');
    assert_true(err != ESP_OK || rig->device.running == result.partition);
    assert_int_equal(err, err == ESP_OK ? ESP_OK : ESP_ERR_NOT_FOUND);
    check_trace(rig, cJSON_GetObjectItem(boot, "events"), name);
}

static void boots_as_recorded(void **state)
{
    (void)state;
    cJSON *cases = rig_json("otadata", "expected_boot.json");
    const cJSON *row;
    uint32_t count = 0;
    cJSON_ArrayForEach(row, cases)
    {
        const char *loadable = rig_string(row, "loadable");
        char name[160];
        snprintf(name, sizeof(name), "%s, %s, rollback %d, loadable %s", rig_string(row, "ptable"),
                 rig_string(row, "otadata"), rig_bool(row, "rollback"), loadable);
        rig_t rig;
        rig_open(&rig, rig_string(row, "ptable"),
                 &(otter_device_config_t){.rollback = rig_bool(row, "rollback")});
        place_otadata(&rig, rig_string(row, "otadata"));
        place_images(&rig, loadable);
        check_boot(&rig, cJSON_GetObjectItem(row, "boot1"), name);
        check_entries(&rig, cJSON_GetObjectItem(row, "entries_after_boot1"), name);
        const cJSON *second = cJSON_GetObjectItem(row, "boot2");
        if (cJSON_IsObject(second)) { /* none was recorded where the first one reset the chip */
            check_boot(&rig, second, name);
        }
        check_entries(&rig, cJSON_GetObjectItem(row, "entries_after_boot2"), name);
        rig_close(&rig);
        count++;
    }
    assert_int_equal(count, 306);
    cJSON_Delete(cases);
}

/** Rewrites the descriptor's version; such an image has a wrong hash, so the appended one is declared absent. */
static void set_secure_version(rig_t *rig, const esp_partition_t *p, uint32_t version)
{
    static const struct {
        uint32_t version;
        const char *file;
    } images[] = {{0, "esp32_valid.bin"}, {1, "esp32_v110_sec1.bin"}, {3, "esp32_v120_sec3.bin"}};
    for (size_t i = 0; i < sizeof(images) / sizeof(images[0]); i++) {
        if (images[i].version == version) {
            rig_place(rig, p->address, "image", images[i].file);
            return;
        }
    }
    uint32_t len = rig_place(rig, p->address, "image", "esp32_nohash.bin");
    uint8_t *field = rig->sim.bytes + p->address + 36;
    uint8_t *checksum = rig->sim.bytes + p->address + len - 1;
    *checksum = (uint8_t)(*checksum ^ *field ^ version);
    *field = (uint8_t)version;
}

static void anti_rollback_as_recorded(void **state)
{
    (void)state;
    cJSON *cases = rig_json("otadata", "expected_antirollback.json");
    const cJSON *row;
    uint32_t count = 0;
    cJSON_ArrayForEach(row, cases)
    {
        const char *versions = rig_string(row, "slot_secure_versions");
        char name[160];
        snprintf(name, sizeof(name), "%s, %s, slots %s", rig_string(row, "ptable"),
                 rig_string(row, "otadata"), versions);
        rig_t rig;
        rig_open(&rig, rig_string(row, "ptable"),
                 &(otter_device_config_t){.rollback = true, .anti_rollback = true});
        rig.secure_version = (uint32_t)cJSON_GetObjectItem(row, "efuse_secure_version")->valueint;
        place_otadata(&rig, rig_string(row, "otadata"));
        for (const char *at = versions; at != NULL; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL) {
            int slot, version;
            assert_int_equal(sscanf(at, "%d:%d", &slot, &version), 2);
            set_secure_version(&rig, rig_app(&rig, ESP_PARTITION_SUBTYPE_APP_OTA_MIN + slot),
                               (uint32_t)version);
        }
        const cJSON *boot;
        cJSON_ArrayForEach(boot, cJSON_GetObjectItem(row, "boots"))
        {
            check_boot(&rig, boot, name);
        }
        check_entries(&rig, cJSON_GetObjectItem(row, "entries_after"), name);
        rig_close(&rig);
        count++;
    }
    assert_int_equal(count, 14);
    cJSON_Delete(cases);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(boots_as_recorded),
        cmocka_unit_test(anti_rollback_as_recorded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
