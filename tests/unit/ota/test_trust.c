/* Whose images a device takes: on every way that an image comes into use, by every source of trust. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "boot/trust.h"
#include "esp_image_format.h"
#include "otter/signature.h"
#include "ota/update_target.h"
#include "support/current_rig.h"
#include "support/trust_rig.h"

/* ---- the ways ---- */

static esp_err_t by_an_update(session_rig_t *s, const char *file)
{
    uint32_t len;
    uint8_t *image = rig_load("signed", file, &len);
    esp_ota_handle_t handle;
    esp_err_t err = ota_begin(s->device, s->slot[0], OTA_SIZE_UNKNOWN, &handle);
    assert_int_equal(err, ESP_OK);
    err = ota_write(s->device, handle, image, len);
    if (err == ESP_OK) {
        err = ota_end(s->device, handle);
    } else {
        assert_int_equal(ota_abort(s->device, handle), ESP_OK);
    }
    free(image);
    return err;
}

static esp_err_t by_pieces_at_offsets(session_rig_t *s, const char *file)
{
    uint32_t len;
    uint8_t *image = rig_load("signed", file, &len);
    esp_ota_handle_t handle;
    assert_int_equal(ota_begin(s->device, s->slot[0], s->slot[0]->size, &handle), ESP_OK);
    for (uint32_t end = len; end > 0; end -= 4096) {
        uint32_t at = end - 4096;
        assert_int_equal(ota_write_with_offset(s->device, handle, image + at, 4096, at), ESP_OK);
    }
    free(image);
    return ota_end(s->device, handle);
}

static esp_err_t by_a_resumed_update(session_rig_t *s, const char *file)
{
    uint32_t len;
    uint8_t *image = rig_load("signed", file, &len);
    trust_place(s, s->slot[0], file);
    esp_ota_handle_t handle;
    assert_int_equal(ota_resume(s->device, s->slot[0], OTA_WITH_SEQUENTIAL_WRITES, 4096, &handle), ESP_OK);
    esp_err_t err = ota_write(s->device, handle, image + 4096, len - 4096);
    free(image);
    return err == ESP_OK ? ota_end(s->device, handle) : err;
}

static esp_err_t by_selecting(session_rig_t *s, const char *file)
{
    trust_place(s, s->slot[0], file);
    return otter_ota_set_boot_partition(s->device, s->slot[0], &s->device->fault);
}

static esp_err_t by_esp_image_verify(session_rig_t *s, const char *file)
{
    trust_place(s, s->slot[0], file);
    otter_device_set_current(s->device);
    const esp_partition_pos_t part = {.offset = s->slot[0]->address, .size = s->slot[0]->size};
    esp_image_metadata_t data;
    esp_err_t err = esp_image_verify(ESP_IMAGE_VERIFY, &part, &data);
    if (err == ESP_OK) {
        assert_int_equal(data.image_len, 8192);
    }
    otter_device_set_current(NULL);
    return err;
}

static esp_err_t by_booting(session_rig_t *s, const char *file)
{
    trust_place(s, s->slot[0], file);
    rig_put_record(&s->rig, 0, 1, ESP_OTA_IMG_VALID);
    s->device->running = NULL;
    otter_boot_result_t result;
    otter_ignore(otter_boot(s->device, OTTER_BOOT_DRY_RUN, &result));
    return result.partition == s->slot[0] ? ESP_OK : ESP_ERR_IMAGE_INVALID;
}

static const struct way {
    const char *name;
    esp_err_t (*take)(session_rig_t *s, const char *file);
    esp_err_t refusal;
    bool boots;
} ways[] = {
    {"an update", by_an_update, ESP_ERR_OTA_VALIDATE_FAILED, false},
    {"pieces at offsets", by_pieces_at_offsets, ESP_ERR_OTA_VALIDATE_FAILED, false},
    {"a resumed update", by_a_resumed_update, ESP_ERR_OTA_VALIDATE_FAILED, false},
    {"selecting", by_selecting, ESP_ERR_OTA_VALIDATE_FAILED, false},
    {"esp_image_verify", by_esp_image_verify, ESP_ERR_IMAGE_INVALID, false},
    {"booting", by_booting, ESP_ERR_IMAGE_INVALID, true},
};

static const char *const source_names[] = {[OTTER_TRUST_EFUSES] = "eFuses",
                                           [OTTER_TRUST_RUNNING_APP] = "the running app",
                                           [OTTER_TRUST_KEYS] = "keys"};

static void every_way_takes_only_what_a_trusted_key_signed(void **state)
{
    (void)state;
    static const struct {
        otter_trust_source_t source;
        otter_signature_scheme_t scheme;
        const char *keys;    /* as trust_open() */
        const char *running; /* "": the unsigned image of the rig */
        const char *file;
        bool good, boots;
    } rows[] = {
        /* Secure boot. This chip looks at the first block only. */
        {OTTER_TRUST_EFUSES, OTTER_SIGNED_RSA_3072, "a", "", "rsa_a.bin", true, true},
        {OTTER_TRUST_EFUSES, OTTER_SIGNED_RSA_3072, "a", "", "rsa_b.bin", false, false},
        {OTTER_TRUST_EFUSES, OTTER_SIGNED_RSA_3072, "ba", "", "rsa_a.bin", true, true},
        {OTTER_TRUST_EFUSES, OTTER_SIGNED_RSA_3072, "a", "", "unsigned_padded.bin", false, false},
        {OTTER_TRUST_EFUSES, OTTER_SIGNED_RSA_3072, "a", "", "rsa_a_sig_bad.bin", false, false},
        {OTTER_TRUST_EFUSES, OTTER_SIGNED_RSA_3072, "a", "", "rsa_a_digestfield_bad.bin", false, false},
        {OTTER_TRUST_EFUSES, OTTER_SIGNED_RSA_3072, "a", "", "rsa_ba.bin", false, false},
        {OTTER_TRUST_EFUSES, OTTER_SIGNED_RSA_3072, "A", "", "rsa_a.bin", false, false},
        {OTTER_TRUST_EFUSES, OTTER_SIGNED_RSA_3072, "Ab", "", "rsa_a.bin", false, false},
        {OTTER_TRUST_EFUSES, OTTER_SIGNED_RSA_3072, "", "rsa_a.bin", "rsa_a.bin", false, false},
        /* Signed updates without secure boot: the bootloader takes anything. */
        {OTTER_TRUST_RUNNING_APP, OTTER_SIGNED_RSA_3072, "", "rsa_a.bin", "rsa_a_v110.bin", true, true},
        {OTTER_TRUST_RUNNING_APP, OTTER_SIGNED_RSA_3072, "", "rsa_a.bin", "rsa_b.bin", false, true},
        {OTTER_TRUST_RUNNING_APP, OTTER_SIGNED_RSA_3072, "", "rsa_ba.bin", "rsa_b.bin", true, true},
        {OTTER_TRUST_RUNNING_APP, OTTER_SIGNED_RSA_3072, "", "rsa_ba.bin", "rsa_a.bin", false, true},
        {OTTER_TRUST_RUNNING_APP, OTTER_SIGNED_RSA_3072, "", "rsa_a.bin", "rsa_ba.bin", false, true},
        {OTTER_TRUST_RUNNING_APP, OTTER_SIGNED_RSA_3072, "", "rsa__bc_block0_erased.bin", "rsa_b.bin", true,
         true},
        {OTTER_TRUST_RUNNING_APP, OTTER_SIGNED_RSA_3072, "", "", "rsa_a.bin", false, true},
        {OTTER_TRUST_RUNNING_APP, OTTER_SIGNED_RSA_3072, "b", "rsa_a.bin", "rsa_b.bin", false, true},
        /* The caller's keys. */
        {OTTER_TRUST_KEYS, OTTER_SIGNED_RSA_3072, "b", "rsa_a.bin", "rsa_b.bin", true, true},
        {OTTER_TRUST_KEYS, OTTER_SIGNED_RSA_3072, "b", "rsa_a.bin", "rsa_a.bin", false, true},
        {OTTER_TRUST_KEYS, OTTER_SIGNED_RSA_3072, "b!", "rsa_a.bin", "rsa_a.bin", false, false},
        {OTTER_TRUST_KEYS, OTTER_SIGNED_RSA_3072, "b!", "rsa_a.bin", "rsa_b.bin", true, true},
        {OTTER_TRUST_KEYS, OTTER_SIGNED_RSA_3072, "", "rsa_a.bin", "rsa_a.bin", false, true},
        /* This chip has no ECDSA blocks: a device that is told so takes nothing. */
        {OTTER_TRUST_KEYS, OTTER_SIGNED_ECDSA_P256, "a!", "", "rsa_a.bin", false, false},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        for (size_t w = 0; w < sizeof(ways) / sizeof(ways[0]); w++) {
            session_rig_t s;
            trust_open(&s, rows[i].source, rows[i].scheme, rows[i].keys);
            if (rows[i].running[0] != '\0') {
                trust_place(&s, s.factory, rows[i].running);
            }
            esp_err_t err = ways[w].take(&s, rows[i].file);
            bool good = ways[w].boots ? rows[i].boots : rows[i].good;
            bool refused = err == ways[w].refusal || err == ESP_ERR_NOT_SUPPORTED;
            if (good ? err != ESP_OK : !refused) {
                fail_msg("row %zu: %s by %s with trust in %s: %s (%s)", i, rows[i].file, ways[w].name,
                         source_names[rows[i].source], esp_err_to_name(err), s.device->fault.why);
            }
            session_close(&s);
        }
    }
}

/** Of one process, their updates a piece at a time in turn; none is the current device. */
static void each_of_several_devices_trusts_its_own(void **state)
{
    (void)state;
    static const struct {
        otter_trust_source_t source;
        const char *keys, *running;
        bool takes_a, takes_b;
    } rows[] = {{OTTER_TRUST_EFUSES, "a", "", true, false},
                {OTTER_TRUST_KEYS, "b", "", false, true},
                {OTTER_TRUST_RUNNING_APP, "", "rsa_ba.bin", false, true},
                {OTTER_TRUST_EFUSES, "Ab", "", false, true},
                {OTTER_TRUST_ANYBODY, "", "", true, true}};
    enum { DEVICES = sizeof(rows) / sizeof(rows[0]) };
    for (int b = 0; b < 2; b++) {
        session_rig_t s[DEVICES];
        otter_update_t updates[DEVICES];
        uint32_t len;
        uint8_t *image = rig_load("signed", b ? "rsa_b.bin" : "rsa_a.bin", &len);
        for (size_t i = 0; i < DEVICES; i++) {
            trust_open(&s[i], rows[i].source, OTTER_SIGNED_RSA_3072, rows[i].keys);
            if (rows[i].running[0] != '\0') {
                trust_place(&s[i], s[i].factory, rows[i].running);
            }
            esp_err_t err =
                otter_update_begin(&updates[i], s[i].device, s[i].slot[0], OTA_WITH_SEQUENTIAL_WRITES, NULL);
            assert_int_equal(err, ESP_OK);
        }
        for (uint32_t at = 0; at < len; at += 1024) {
            for (size_t i = 0; i < DEVICES; i++) {
                assert_int_equal(otter_update_write(&updates[i], image + at, 1024, NULL), ESP_OK);
            }
        }
        for (size_t i = 0; i < DEVICES; i++) {
            const bool good = b ? rows[i].takes_b : rows[i].takes_a;
            esp_err_t err = otter_update_end(&updates[i], NULL);
            if (good != (err == ESP_OK)) {
                fail_msg("device %zu, signed by %c: %s", i, b ? 'b' : 'a', esp_err_to_name(err));
            }
            err = otter_ota_set_boot_partition(s[i].device, s[i].slot[0], NULL);
            assert_int_equal(err, good ? ESP_OK : ESP_ERR_OTA_VALIDATE_FAILED);
            session_close(&s[i]);
        }
        free(image);
    }
}

static void the_first_scheme_needs_its_key(void **state)
{
    (void)state;
    static const struct {
        const char *key, *file;
        bool good;
    } rows[] = {
        {"a", "v1_ecdsa.bin", true},
        {"", "v1_ecdsa.bin", false},
        {"a", "v1_ecdsa_sig_bad.bin", false},
        {"a", "rsa_a.bin", false},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        session_rig_t s;
        trust_open(&s, OTTER_TRUST_EFUSES, OTTER_SIGNED_V1, rows[i].key);
        assert_int_equal(by_an_update(&s, rows[i].file) == ESP_OK, rows[i].good);
        assert_int_equal(by_booting(&s, rows[i].file) == ESP_OK, rows[i].good);
        session_close(&s);
    }
}

/* ---- over time ---- */

static void a_key_that_is_revoked_meanwhile_counts_no_more(void **state)
{
    (void)state;
    session_rig_t s;
    trust_open(&s, OTTER_TRUST_EFUSES, OTTER_SIGNED_RSA_3072, "ab");
    uint32_t len;
    uint8_t *image = rig_load("signed", "rsa_a.bin", &len);
    esp_ota_handle_t handle;

    /* While the update is open. */
    assert_int_equal(ota_begin(s.device, s.slot[0], OTA_SIZE_UNKNOWN, &handle), ESP_OK);
    assert_int_equal(ota_write(s.device, handle, image, len), ESP_OK);
    s.rig.keys[0].revoked = true;
    assert_int_equal(ota_end(s.device, handle), ESP_ERR_OTA_VALIDATE_FAILED);

    /* Between the end of the update and its selection. */
    s.rig.keys[0].revoked = false;
    assert_int_equal(ota_begin(s.device, s.slot[0], OTA_SIZE_UNKNOWN, &handle), ESP_OK);
    assert_int_equal(ota_write(s.device, handle, image, len), ESP_OK);
    assert_int_equal(ota_end(s.device, handle), ESP_OK);
    s.rig.keys[0].revoked = true;
    assert_int_equal(otter_ota_set_boot_partition(s.device, s.slot[0], NULL), ESP_ERR_OTA_VALIDATE_FAILED);
    free(image);
    session_close(&s);
}

/** A bootloader that asks for no signature tries every slot before it gives up. */
static void what_was_refused_is_not_left_for_the_bootloader(void **state)
{
    (void)state;
    static const struct {
        otter_trust_source_t source;
        const char *keys, *running, *file;
    } rows[] = {
        {OTTER_TRUST_KEYS, "b", "", "rsa_a.bin"},
        {OTTER_TRUST_KEYS, "a", "", "rsa_a_sig_bad.bin"},
        {OTTER_TRUST_RUNNING_APP, "", "rsa_a.bin", "rsa_b.bin"},
        {OTTER_TRUST_EFUSES, "b", "", "rsa_a.bin"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        session_rig_t s;
        trust_open(&s, rows[i].source, OTTER_SIGNED_RSA_3072, rows[i].keys);
        if (rows[i].running[0] != '\0') {
            trust_place(&s, s.factory, rows[i].running);
        }
        assert_int_equal(by_an_update(&s, rows[i].file), ESP_ERR_OTA_VALIDATE_FAILED);
        assert_int_equal(otter_flash_erase(s.device->flash, s.factory->address, s.factory->size), ESP_OK);
        s.device->running = NULL;
        otter_boot_result_t result;
        otter_ignore(otter_boot(s.device, OTTER_BOOT_DRY_RUN, &result));
        if (result.partition != NULL) {
            fail_msg("row %zu: %s boots", i, result.partition->label);
        }
        session_close(&s);
    }
}

static esp_err_t read_key_fails(void *dev, uint32_t index, otter_efuse_key_t *key)
{
    (void)dev;
    (void)index;
    (void)key;
    return ESP_FAIL;
}

static void a_configuration_that_cannot_be_meant_trusts_nobody(void **state)
{
    (void)state;
    session_rig_t s;
    trust_open(&s, OTTER_TRUST_KEYS, OTTER_SIGNED_RSA_3072, "a!");
    s.device->config.trust.key_count = 200;
    assert_int_equal(by_an_update(&s, "rsa_a.bin"), ESP_ERR_OTA_VALIDATE_FAILED);
    assert_int_not_equal(by_booting(&s, "rsa_a.bin"), ESP_OK);
    s.device->config.trust.key_count = 1;
    s.device->config.trust.signatures = NULL;
    assert_int_equal(by_selecting(&s, "rsa_a.bin"), ESP_ERR_OTA_VALIDATE_FAILED);
    assert_int_not_equal(by_booting(&s, "rsa_a.bin"), ESP_OK);
    session_close(&s);
}

static void unreadable_efuses_trust_nobody(void **state)
{
    (void)state;
    session_rig_t s;
    trust_open(&s, OTTER_TRUST_EFUSES, OTTER_SIGNED_RSA_3072, "a");
    s.device->efuse.read_key_digest = read_key_fails;
    assert_int_equal(by_selecting(&s, "rsa_a.bin"), ESP_ERR_OTA_VALIDATE_FAILED);
    assert_string_equal(s.device->fault.why, "whom this device trusts cannot be found out: ESP_FAIL");
    assert_int_not_equal(by_booting(&s, "rsa_a.bin"), ESP_OK);
    session_close(&s);
}

static void nothing_is_erased_for_an_image_that_cannot_be_good(void **state)
{
    (void)state;
    session_rig_t s;
    trust_open(&s, OTTER_TRUST_EFUSES, OTTER_SIGNED_RSA_3072, "A");
    const otter_image_rules_t rules = ota_image_rules(s.device, s.slot[0], s.slot[0]);
    otter_fault_t fault = {0};
    assert_int_equal(otter_image_check_head(s.image, OTTER_IMAGE_GATE_SIZE, &rules, &fault),
                     ESP_ERR_OTA_VALIDATE_FAILED);
    assert_string_equal(
        fault.why,
        "this device takes signed images only, and trusts no key: there is none, or all are revoked");
    session_close(&s);

    trust_open(&s, OTTER_TRUST_EFUSES, OTTER_SIGNED_RSA_3072, "a");
    otter_image_rules_t small = ota_image_rules(s.device, s.slot[0], s.slot[0]);
    small.size = s.image_len + OTTER_SIGNATURE_SECTOR - 700;
    assert_int_equal(otter_image_check_head(s.image, OTTER_IMAGE_GATE_SIZE, &small, &fault),
                     ESP_ERR_OTA_VALIDATE_FAILED);
    session_close(&s);
}

/** Writes the first `kept` bytes of a file into a data partition in place. */
static esp_err_t update_data(session_rig_t *s, const esp_partition_t *data, const char *file, uint32_t kept)
{
    uint32_t len;
    uint8_t *bytes = rig_load("signed", file, &len);
    esp_ota_handle_t handle;
    assert_true(kept <= len);
    assert_int_equal(ota_begin(s->device, data, OTA_WITH_SEQUENTIAL_WRITES, &handle), ESP_OK);
    assert_int_equal(ota_write(s->device, handle, bytes, kept), ESP_OK);
    free(bytes);
    return ota_end(s->device, handle);
}

static void data_is_taken_if_a_trusted_key_signed_it(void **state)
{
    (void)state;
    enum { WHOLE = 2 * 4096 };
    static const struct {
        const char *name, *keys, *file;
        uint32_t kept;
        esp_err_t want;
    } rows[] = {
        {"signed", "a", "rsa_a.bin", WHOLE, ESP_OK},
        {"by another key", "b", "rsa_a.bin", WHOLE, ESP_ERR_OTA_VALIDATE_FAILED},
        {"by a revoked key", "A", "rsa_a.bin", WHOLE, ESP_ERR_OTA_VALIDATE_FAILED},
        {"by nobody", "a", "unsigned_padded.bin", 4096, ESP_ERR_OTA_VALIDATE_FAILED},
        {"changed", "a", "rsa_a_data_tampered.bin", WHOLE, ESP_ERR_OTA_VALIDATE_FAILED},
        {"a signature that is wrong", "a", "rsa_a_sig_bad.bin", WHOLE, ESP_ERR_OTA_VALIDATE_FAILED},
        {"without its signatures", "a", "rsa_a.bin", 4096, ESP_ERR_OTA_VALIDATE_FAILED},
        {"cut in its signatures", "a", "rsa_a.bin", WHOLE - 1, ESP_ERR_OTA_VALIDATE_FAILED},
        {"a few bytes", "a", "rsa_a.bin", 4, ESP_ERR_OTA_VALIDATE_FAILED},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        session_rig_t s;
        trust_open(&s, OTTER_TRUST_EFUSES, OTTER_SIGNED_RSA_3072, rows[i].keys);
        s.device->config.trust.data = true;
        esp_partition_t *data = NULL;
        for (uint32_t p = 0; p < s.device->partitions.count; p++) {
            esp_partition_t *part = &s.device->partitions.items[p];
            data = part->type == ESP_PARTITION_TYPE_DATA && part->subtype == ESP_PARTITION_SUBTYPE_DATA_NVS
                       ? part
                       : data;
        }
        assert_non_null(data);
        data->subtype = ESP_PARTITION_SUBTYPE_DATA_UNDEFINED;
        const esp_err_t err = update_data(&s, data, rows[i].file, rows[i].kept);
        if (err != rows[i].want) {
            fail_msg("%s: %s: %s", rows[i].name, esp_err_to_name(err), s.device->fault.why);
        }
        session_close(&s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_way_takes_only_what_a_trusted_key_signed),
        cmocka_unit_test(each_of_several_devices_trusts_its_own),
        cmocka_unit_test(the_first_scheme_needs_its_key),
        cmocka_unit_test(a_key_that_is_revoked_meanwhile_counts_no_more),
        cmocka_unit_test(what_was_refused_is_not_left_for_the_bootloader),
        cmocka_unit_test(a_configuration_that_cannot_be_meant_trusts_nobody),
        cmocka_unit_test(unreadable_efuses_trust_nobody),
        cmocka_unit_test(nothing_is_erased_for_an_image_that_cannot_be_good),
        cmocka_unit_test(data_is_taken_if_a_trusted_key_signed_it),
    };
    return cmocka_run_group_tests_name("trust", tests, NULL, NULL);
}
