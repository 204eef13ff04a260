/* esp_secure_boot.h and the revocation of keys: every code, and nothing burned but by a revocation that may be. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "esp_secure_boot.h"

#include "esp_ota_ops.h"
#include "otter/bytes.h"
#include "otter/ota_ops.h"
#include "otter/signature.h"
#include "support/session_rig.h"

#define CHIP_ESP32C3 0x0005u /* three signatures count, and its bootloader is at 0 */
#define UNDEFINED    1000    /* a state that was never written */
#define IMAGE_LEN    784u    /* of the signed vectors, without padding */

static void load_digest(char key, uint8_t digest[OTTER_KEY_DIGEST_LEN])
{
    char name[32];
    snprintf(name, sizeof(name), "rsa_%c.pubdigest.bin", key);
    uint32_t len;
    uint8_t *bytes = rig_load("signed/keys", name, &len);
    memcpy(digest, bytes, OTTER_KEY_DIGEST_LEN);
    free(bytes);
}

static void place(session_rig_t *s, const esp_partition_t *partition, const char *file)
{
    assert_int_equal(otter_flash_erase(s->device->flash, partition->address, partition->size), ESP_OK);
    if (file[0] != '\0') {
        (void)rig_place(&s->rig, partition->address, "signed", file);
    }
}

/** @param keys  of the eFuses; capitals are revoked ones, - is none. @param runs  in factory */
static void open_device(session_rig_t *s, otter_trust_source_t source, const char *keys, const char *runs)
{
    const otter_device_config_t config = {
        .trust = {.source = source, .scheme = OTTER_SIGNED_RSA_3072, .signatures = &otter_signatures}};
    session_open(s, &config);
    s->device->chip = (otter_chip_t){.id = CHIP_ESP32C3};
    for (size_t i = 0; keys[i] != '\0'; i++) {
        if (keys[i] != '-') {
            s->rig.keys[i].present = true;
            s->rig.keys[i].revoked = keys[i] < 'a';
            load_digest((char)(keys[i] | 0x20), s->rig.keys[i].digest);
        }
    }
    place(s, s->factory, runs);
    otter_device_set_current(s->device);
}

static void close_device(session_rig_t *s)
{
    otter_device_set_current(NULL);
    session_close(s);
}

/* ---- revoking ---- */

static void a_key_is_revoked_where_the_device_can_do_without(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        otter_trust_source_t source;
        const char *keys, *runs, *bootloader;
        int record; /* of what runs, with rollback: a state; -1: no rollback */
        int index;
        esp_err_t code;
        bool burned;
    } rows[] = {
        {"no secure boot", OTTER_TRUST_RUNNING_APP, "ab", "rsa_ba.bin", "rsa_ba.bin", -1, 0, ESP_FAIL, false},
        {"both can do without", OTTER_TRUST_EFUSES, "ab", "rsa_ba.bin", "rsa_b.bin", -1, 0, ESP_OK, true},
        {"the first block is another's", OTTER_TRUST_EFUSES, "bc", "rsa_abc.bin", "rsa_abc.bin", -1, 1,
         ESP_OK, true},
        {"the app cannot", OTTER_TRUST_EFUSES, "ab", "rsa_a.bin", "rsa_ba.bin", -1, 0, ESP_FAIL, false},
        {"the bootloader cannot", OTTER_TRUST_EFUSES, "ab", "rsa_ba.bin", "rsa_a.bin", -1, 0, ESP_FAIL,
         false},
        {"there is no bootloader", OTTER_TRUST_EFUSES, "ab", "rsa_ba.bin", "", -1, 0, ESP_FAIL, false},
        {"the last key", OTTER_TRUST_EFUSES, "a", "rsa_a.bin", "rsa_a.bin", -1, 0, ESP_FAIL, false},
        {"the last that is left", OTTER_TRUST_EFUSES, "aBC", "rsa_abc.bin", "rsa_abc.bin", -1, 0, ESP_FAIL,
         false},
        {"the same key twice", OTTER_TRUST_EFUSES, "aa", "rsa_a.bin", "rsa_a.bin", -1, 0, ESP_OK, true},
        {"a key that signed nothing", OTTER_TRUST_EFUSES, "abc", "rsa_a.bin", "rsa_a.bin", -1, 2, ESP_OK,
         true},
        {"revoked already", OTTER_TRUST_EFUSES, "Ab", "rsa_b.bin", "rsa_b.bin", -1, 0, ESP_OK, false},
        {"not there", OTTER_TRUST_EFUSES, "a-b", "rsa_b.bin", "rsa_b.bin", -1, 1, ESP_OK, false},
        {"no such index", OTTER_TRUST_EFUSES, "ab", "rsa_b.bin", "rsa_b.bin", -1, 3, ESP_ERR_INVALID_ARG,
         false},
        {"a negative index", OTTER_TRUST_EFUSES, "ab", "rsa_b.bin", "rsa_b.bin", -1, -1, ESP_ERR_INVALID_ARG,
         false},
        {"its signature is broken", OTTER_TRUST_EFUSES, "ab", "rsa_a_sig_bad.bin", "rsa_a.bin", -1, 1,
         ESP_FAIL, false},
        {"nobody signed it", OTTER_TRUST_EFUSES, "ab", "unsigned_padded.bin", "rsa_a.bin", -1, 1, ESP_FAIL,
         false},
        {"confirmed", OTTER_TRUST_EFUSES, "ab", "rsa_b.bin", "rsa_b.bin", ESP_OTA_IMG_VALID, 0, ESP_OK, true},
        {"on trial", OTTER_TRUST_EFUSES, "ab", "rsa_b.bin", "rsa_b.bin", ESP_OTA_IMG_PENDING_VERIFY, 0,
         ESP_FAIL, false},
        {"neither", OTTER_TRUST_EFUSES, "ab", "rsa_b.bin", "rsa_b.bin", UNDEFINED, 0, ESP_FAIL, false},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        session_rig_t s;
        open_device(&s, rows[i].source, rows[i].keys, rows[i].runs);
        if (rows[i].bootloader[0] != '\0') {
            (void)rig_place(&s.rig, 0, "signed", rows[i].bootloader);
        }
        if (rows[i].record != -1) {
            s.device->config.rollback = true;
            place(&s, s.slot[0], rows[i].runs);
            s.device->running = s.slot[0];
            rig_put_record(&s.rig, 0, 1,
                           rows[i].record == UNDEFINED ? ESP_OTA_IMG_UNDEFINED : (uint32_t)rows[i].record);
        }
        otter_efuse_key_t before[OTTER_TRUSTED_KEYS];
        memcpy(before, s.rig.keys, sizeof(before));
        esp_err_t err =
            esp_ota_revoke_secure_boot_public_key((esp_ota_secure_boot_public_key_index_t)rows[i].index);
        if (err != rows[i].code) {
            fail_msg("%s: %s", rows[i].what, esp_err_to_name(err));
        }
        if (rows[i].burned) {
            before[rows[i].index].revoked = true;
            assert_true(esp_efuse_get_digest_revoke((unsigned)rows[i].index));
        }
        if (memcmp(before, s.rig.keys, sizeof(before)) != 0) {
            fail_msg("%s: the eFuses are others than they should be", rows[i].what);
        }
        close_device(&s);
    }
}

static esp_err_t fail_to_read(void *dev, uint32_t index, otter_efuse_key_t *key)
{
    (void)dev, (void)index, (void)key;
    return ESP_FAIL;
}

static esp_err_t fail_to_burn(void *dev, uint32_t index)
{
    (void)dev, (void)index;
    return ESP_ERR_TIMEOUT;
}

static void efuses_that_fail_are_an_error(void **state)
{
    (void)state;
    session_rig_t s;
    open_device(&s, OTTER_TRUST_EFUSES, "ab", "rsa_b.bin");
    (void)rig_place(&s.rig, 0, "signed", "rsa_b.bin");
    s.device->efuse.revoke_key_digest = fail_to_burn;
    assert_int_equal(esp_ota_revoke_secure_boot_public_key(SECURE_BOOT_PUBLIC_KEY_INDEX_0), ESP_FAIL);
    assert_string_equal(s.device->fault.why, "the eFuse cannot be burned: ESP_ERR_TIMEOUT");
    assert_int_equal(esp_efuse_set_digest_revoke(0), ESP_ERR_TIMEOUT);
    s.device->efuse.revoke_key_digest = NULL;
    assert_int_equal(esp_ota_revoke_secure_boot_public_key(SECURE_BOOT_PUBLIC_KEY_INDEX_0), ESP_FAIL);
    assert_int_equal(esp_efuse_set_digest_revoke(0), ESP_ERR_NOT_SUPPORTED);
    assert_int_equal(esp_efuse_set_digest_revoke(3), ESP_ERR_INVALID_ARG);
    s.device->efuse.read_key_digest = fail_to_read;
    assert_int_equal(esp_ota_revoke_secure_boot_public_key(SECURE_BOOT_PUBLIC_KEY_INDEX_0), ESP_FAIL);
    esp_secure_boot_key_digests_t trusted;
    assert_int_equal(esp_secure_boot_read_key_digests(&trusted), ESP_FAIL);
    assert_int_equal(esp_secure_boot_read_key_digests(NULL), ESP_FAIL);
    assert_int_equal(esp_secure_boot_verify_signature(s.factory->address, IMAGE_LEN), ESP_FAIL);
    close_device(&s);
}

/* ---- asking ---- */

static void what_is_signed_is_told(void **state)
{
    (void)state;
    static const struct {
        otter_trust_source_t source;
        const char *keys, *runs, *file; /* in slot 0 */
        uint32_t length;
        esp_err_t code;
    } rows[] = {
        {OTTER_TRUST_EFUSES, "a", "rsa_a.bin", "rsa_a.bin", IMAGE_LEN, ESP_OK},
        {OTTER_TRUST_EFUSES, "a", "rsa_a.bin", "rsa_a.bin", 4096, ESP_OK}, /* with its padding */
        {OTTER_TRUST_EFUSES, "a", "rsa_a.bin", "rsa_a.bin", 4097, ESP_ERR_IMAGE_INVALID},
        {OTTER_TRUST_EFUSES, "a", "rsa_a.bin", "rsa_b.bin", IMAGE_LEN, ESP_ERR_IMAGE_INVALID},
        {OTTER_TRUST_EFUSES, "A", "rsa_a.bin", "rsa_a.bin", IMAGE_LEN, ESP_ERR_IMAGE_INVALID},
        {OTTER_TRUST_EFUSES, "a", "rsa_a.bin", "rsa_a_sig_bad.bin", IMAGE_LEN, ESP_ERR_IMAGE_INVALID},
        {OTTER_TRUST_EFUSES, "a", "rsa_a.bin", "rsa_a.bin", 0x400000, ESP_FAIL},
        {OTTER_TRUST_EFUSES, "a", "rsa_a.bin", "rsa_a.bin", UINT32_MAX, ESP_FAIL},
        {OTTER_TRUST_RUNNING_APP, "", "rsa_a.bin", "rsa_a.bin", IMAGE_LEN, ESP_OK},
        {OTTER_TRUST_RUNNING_APP, "", "rsa_b.bin", "rsa_a.bin", IMAGE_LEN, ESP_ERR_IMAGE_INVALID},
        {OTTER_TRUST_ANYBODY, "", "rsa_a.bin", "rsa_a.bin", IMAGE_LEN, ESP_OK},
        {OTTER_TRUST_ANYBODY, "", "unsigned_padded.bin", "rsa_a.bin", IMAGE_LEN, ESP_ERR_IMAGE_INVALID},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        session_rig_t s;
        open_device(&s, rows[i].source, rows[i].keys, rows[i].runs);
        place(&s, s.slot[0], rows[i].file);
        esp_err_t err = esp_secure_boot_verify_signature(s.slot[0]->address, rows[i].length);
        if (err != rows[i].code) {
            fail_msg("row %zu: %s", i, esp_err_to_name(err));
        }
        assert_int_equal(esp_secure_boot_enabled(), rows[i].source == OTTER_TRUST_EFUSES);
        close_device(&s);
    }
}

static void a_sector_is_judged_by_a_hash_at_hand(void **state)
{
    (void)state;
    session_rig_t s;
    open_device(&s, OTTER_TRUST_EFUSES, "b", "rsa_ba.bin");
    uint32_t len;
    uint8_t *file = rig_load("signed", "rsa_ba.bin", &len);
    ets_secure_boot_signature_t *sector = malloc(sizeof(*sector));
    memcpy(sector, file + 4096, sizeof(*sector));
    uint8_t hash[32], verified[32], zeros[32] = {0};
    memcpy(hash, sector->block[0].image_digest, sizeof(hash));
    assert_int_equal(sector->block[0].version, ESP_SECURE_BOOT_V2_RSA);
    assert_int_equal(le32_get((const uint8_t *)&sector->block[0].block_crc),
                     crc32_le(0, (const uint8_t *)sector, CRC_SIGN_BLOCK_LEN));

    assert_int_equal(esp_secure_boot_verify_sbv2_signature_block(sector, hash, verified), ESP_OK);
    assert_memory_equal(verified, hash, sizeof(hash));
    assert_int_equal(esp_secure_boot_verify_rsa_signature_block(sector, hash, NULL), ESP_OK);
    hash[31] ^= 1;
    assert_int_equal(esp_secure_boot_verify_sbv2_signature_block(sector, hash, verified),
                     ESP_ERR_IMAGE_INVALID);
    assert_memory_equal(verified, zeros, sizeof(zeros));
    hash[31] ^= 1;
    sector->block[0].signature[0] ^= 1; /* the second block is good, and of a key that nobody trusts */
    assert_int_equal(esp_secure_boot_verify_sbv2_signature_block(sector, hash, NULL), ESP_ERR_IMAGE_INVALID);
    load_digest('a', s.rig.keys[2].digest);
    s.rig.keys[2].present = true;
    assert_int_equal(esp_secure_boot_verify_sbv2_signature_block(sector, hash, NULL), ESP_OK);
    assert_int_equal(esp_secure_boot_verify_sbv2_signature_block(NULL, hash, NULL), ESP_FAIL);
    assert_int_equal(esp_secure_boot_verify_sbv2_signature_block(sector, NULL, NULL), ESP_FAIL);
    free(sector);
    free(file);
    close_device(&s);
}

static void the_first_scheme_is_judged_with_the_key_of_the_device(void **state)
{
    (void)state;
    session_rig_t s;
    open_device(&s, OTTER_TRUST_EFUSES, "", "rsa_a.bin");
    uint32_t len;
    uint8_t *key = rig_load("signed/keys", "v1_ec256.pub.bin", &len);
    s.device->config.trust.scheme = OTTER_SIGNED_V1;
    place(&s, s.slot[0], "v1_ecdsa.bin");
    const uint32_t at = s.slot[0]->address;
    uint8_t *file = rig_load("signed", "v1_ecdsa.bin", &len);
    esp_secure_boot_sig_block_t block;
    memcpy(&block, file + len - sizeof(block), sizeof(block));
    assert_int_equal(esp_secure_boot_verify_signature(at, IMAGE_LEN), ESP_FAIL); /* no key */
    s.device->config.trust.v1_key = key;
    assert_int_equal(esp_secure_boot_verify_signature(at, IMAGE_LEN), ESP_OK);
    assert_int_equal(esp_secure_boot_verify_signature(at, IMAGE_LEN - 1),
                     ESP_FAIL); /* its version is not 0 */
    uint8_t digest[32] = {0};
    assert_int_equal(esp_secure_boot_verify_ecdsa_signature_block(&block, digest, NULL),
                     ESP_ERR_IMAGE_INVALID);
    assert_int_equal(esp_secure_boot_verify_ecdsa_signature_block(NULL, digest, NULL), ESP_FAIL);
    assert_int_equal(esp_ota_revoke_secure_boot_public_key(SECURE_BOOT_PUBLIC_KEY_INDEX_0), ESP_FAIL);
    free(file);
    free(key);
    close_device(&s);
}

static void the_blocks_of_what_runs_are_listed(void **state)
{
    (void)state;
    static const struct {
        const char *runs, *keys;
        esp_err_t code;
    } rows[] = {
        {"rsa_abc.bin", "abc", ESP_OK},
        {"rsa__bc_block0_erased.bin", "bc", ESP_OK},
        {"rsa_a_sig_bad.bin", "a", ESP_OK}, /* nothing is proved */
        {"rsa_a_crc_bad.bin", "", ESP_ERR_NOT_FOUND},
        {"ec256_c2.bin", "", ESP_ERR_NOT_FOUND}, /* another scheme than the device's */
        {"unsigned_padded.bin", "", ESP_ERR_NOT_FOUND},
        {"", "", ESP_ERR_NOT_FOUND},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        session_rig_t s;
        open_device(&s, OTTER_TRUST_RUNNING_APP, "", rows[i].runs);
        esp_image_sig_public_key_digests_t found, counted;
        assert_int_equal(esp_secure_boot_get_signature_blocks_for_running_app(true, &found), rows[i].code);
        assert_int_equal(esp_secure_boot_get_signature_blocks_for_running_app(false, &counted), rows[i].code);
        assert_int_equal(found.num_digests, strlen(rows[i].keys));
        assert_int_equal(counted.num_digests, found.num_digests);
        for (unsigned k = 0; k < found.num_digests; k++) {
            uint8_t digest[OTTER_KEY_DIGEST_LEN];
            load_digest(rows[i].keys[k], digest);
            assert_memory_equal(found.key_digests[k], digest, sizeof(digest));
        }
        assert_int_equal(esp_secure_boot_get_signature_blocks_for_running_app(true, NULL), ESP_FAIL);
        s.device->running = NULL;
        assert_int_equal(esp_secure_boot_get_signature_blocks_for_running_app(true, &found), ESP_FAIL);
        close_device(&s);
    }
}

static void without_a_device_nothing_is_known(void **state)
{
    (void)state;
    esp_secure_boot_key_digests_t trusted;
    esp_image_sig_public_key_digests_t found;
    esp_partition_pos_t place_of = {0};
    assert_false(esp_secure_boot_enabled());
    assert_false(esp_secure_boot_cfg_verify_release_mode());
    assert_int_equal(esp_secure_boot_read_key_digests(&trusted), ESP_ERR_INVALID_STATE);
    assert_int_equal(esp_secure_boot_get_signature_blocks_for_running_app(true, &found),
                     ESP_ERR_INVALID_STATE);
    assert_int_equal(esp_secure_boot_verify_signature(0, 0), ESP_ERR_INVALID_STATE);
    assert_int_equal(esp_secure_boot_verify_with_efuse_digest_index(0, &place_of), ESP_ERR_INVALID_STATE);
    assert_int_equal(esp_ota_revoke_secure_boot_public_key(SECURE_BOOT_PUBLIC_KEY_INDEX_0),
                     ESP_ERR_INVALID_STATE);
    assert_int_equal(esp_efuse_set_digest_revoke(0), ESP_ERR_INVALID_STATE);
    assert_false(esp_efuse_get_digest_revoke(0));
    esp_secure_boot_init_checks();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_is_revoked_where_the_device_can_do_without),
        cmocka_unit_test(efuses_that_fail_are_an_error),
        cmocka_unit_test(what_is_signed_is_told),
        cmocka_unit_test(a_sector_is_judged_by_a_hash_at_hand),
        cmocka_unit_test(the_first_scheme_is_judged_with_the_key_of_the_device),
        cmocka_unit_test(the_blocks_of_what_runs_are_listed),
        cmocka_unit_test(without_a_device_nothing_is_known),
    };
    return cmocka_run_group_tests_name("secure_boot_api", tests, NULL, NULL);
}
