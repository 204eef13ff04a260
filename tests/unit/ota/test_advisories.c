/* Kinds of faults that advisories on other systems tell of, where no other test of this tree has them: docs/SECURITY.md. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "esp_image_format.h"
#include "otter/bytes.h"
#include "otter/signature.h"
#include "ota/update_target.h"
#include "support/image_builder.h"
#include "support/image_signer.h"
#include "support/long_run.h"
#include "support/trust_rig.h"

/* ---- lengths ---- */

static struct {
    uint32_t off, len;
    unsigned calls;
} erased;

static esp_err_t note_erase(void *dev, uint32_t off, uint32_t len)
{
    (void)dev;
    erased.off = off;
    erased.len = len;
    erased.calls++;
    return ESP_OK;
}

/** ESP-IDF 8d651e5e998: an erase size in a signed int. */
static void a_size_with_its_highest_bit_is_a_size(void **state)
{
    (void)state;
    static const otter_flash_ops_t ops = {.erase = note_erase};
    otter_flash_t flash = {.ops = &ops, .size = 0xC0000000u, .erase_size = 4096, .write_size = 1};
    memset(&erased, 0, sizeof(erased));
    assert_int_equal(otter_flash_erase(&flash, 0x10000000u, 0x90000000u), ESP_OK);
    assert_int_equal(erased.len, 0x90000000u);
    assert_int_equal(erased.off, 0x10000000u);
    assert_int_equal(erased.calls, 1);
    assert_int_not_equal(otter_flash_erase(&flash, 0x90000000u, 0x80000000u), ESP_OK); /* the sum wraps */
    assert_int_not_equal(otter_flash_erase(&flash, 0x40000000u, 0xC0000000u), ESP_OK);
    assert_int_equal(erased.calls, 1);
}

/** A flash of any size that holds a pattern, with a few bytes of an image's head and end over it. */
typedef struct {
    otter_flash_t flash;
    uint8_t head[IMAGE_DATA_AT + 8], end[64 + 4096 + 4096];
    uint32_t second, end_at; /* the second segment's header; where `end` begins */
    uint32_t flipped;        /* a byte that is wrong; UINT32_MAX: none */
} long_flash_t;

static void lay(uint8_t *to, uint32_t off, uint32_t len, const uint8_t *bytes, uint32_t at, uint32_t count)
{
    uint32_t from = max_u32(off, at), until = min_u32(off + len, at + count);
    if (from < until) {
        memcpy(to + (from - off), bytes + (from - at), until - from);
    }
}

static esp_err_t read_long(void *dev, uint32_t off, void *dst, uint32_t len)
{
    const long_flash_t *f = dev;
    memset(dst, 0x5A, len);
    lay(dst, off, len, f->head, 0, IMAGE_DATA_AT);
    lay(dst, off, len, f->head + IMAGE_DATA_AT, f->second, 8);
    lay(dst, off, len, f->end, f->end_at, sizeof(f->end));
    if (f->flipped >= off && f->flipped - off < len) {
        ((uint8_t *)dst)[f->flipped - off] ^= 1;
    }
    return ESP_OK;
}

/** RAUC CVE-2026-34155: behind 2 GiB the signature covers nothing. */
static void a_signature_covers_what_lies_beyond_2_gib(void **state)
{
    (void)state;
    if (!long_run_wanted()) {
        skip();
    }
    static const otter_flash_ops_t ops = {.read = read_long};
    static long_flash_t f;
    static uint8_t piece[1 << 20], buffer[1 << 16];
    const uint32_t first = 0x1000, payload = 0x80010000u;
    f = (long_flash_t){.second = IMAGE_DATA_AT + first, .flipped = UINT32_MAX};
    f.flash =
        (otter_flash_t){.ops = &ops, .dev = &f, .size = 0xA0000000u, .erase_size = 4096, .write_size = 1};
    f.flash.buffer = (otter_buffer_t){buffer, sizeof(buffer)};
    static const uint8_t start[] = {0xE9, 2, 2, 0x20};
    memcpy(f.head, start, sizeof(start));
    le32_put(f.head + 4, payload - 2); /* of chip `device`: bytes of the payload */
    le16_put(f.head + 12, OTTER_CHIP_DEVICE);
    le16_put(f.head + 17, UINT16_MAX);
    le32_put(f.head + 28, first);
    le32_put(f.head + IMAGE_DATA_AT + 4, payload);
    const uint32_t body = f.second + 8 + payload, image = body / 16 * 16 + 16,
                   sector = (image + 4095) / 4096 * 4096;
    f.end_at = body;
    memset(f.end, 0xFF, sizeof(f.end));
    memset(f.end, 0, image - body);
    f.end[image - body - 1] = (uint8_t)(0xEF ^ (((first + payload) & 1) != 0 ? 0x5A : 0));
    otter_digest_t sha = {0};
    uint8_t hash[OTTER_SHA256_LEN];
    assert_true(otter_sha256_begin(&sha));
    for (uint32_t at = 0; at < sector; at += min_u32(sizeof(piece), sector - at)) {
        uint32_t n = min_u32(sizeof(piece), sector - at);
        assert_int_equal(read_long(&f, at, piece, n), ESP_OK);
        otter_digest_update(&sha, piece, n);
    }
    otter_digest_finish(&sha, hash);
    otter_digest_end(&sha);
    image_sign_hash(hash, "a", f.end + (sector - body));

    const otter_chip_t chip = {.id = OTTER_CHIP_DEVICE};
    otter_image_rules_t rules = {.chip = &chip,
                                 .size = sector + 4096,
                                 .loading = true,
                                 .trust = {.signatures = &otter_signatures,
                                           .scheme = OTTER_SIGNED_RSA_3072,
                                           .key_count = 1,
                                           .key_len = OTTER_KEY_DIGEST_LEN,
                                           .blocks = 3}};
    image_key_digest('a', rules.trust.keys[0]);
    otter_fault_t fault = {0};
    otter_image_info_t info;
    esp_err_t err = otter_image_verify(&f.flash, &rules, &info, &fault);
    assert_string_equal(fault.why, "");
    assert_int_equal(err, ESP_OK);
    assert_int_equal(info.image_len, sector + 4096);
    f.flipped = 0x80000800u;
    assert_int_equal(otter_image_verify(&f.flash, &rules, NULL, &fault), ESP_ERR_IMAGE_INVALID);
}

/* ---- versions ---- */

/** wolfBoot 1016c4d5, 2ee4108f: a version that is cast to a signed number is below all others. */
static void a_version_with_its_highest_bit_is_the_newest(void **state)
{
    (void)state;
    static const struct {
        uint32_t device, image;
        esp_err_t want;
    } rows[] = {{0x80000000u, 1, ESP_ERR_OTA_SMALL_SEC_VER},
                {0xFFFFFFFFu, 0x7FFFFFFFu, ESP_ERR_OTA_SMALL_SEC_VER},
                {2, 1, ESP_ERR_OTA_SMALL_SEC_VER},
                {1, 2, ESP_OK},
                {1, 0x80000001u, ESP_ERR_INVALID_VERSION}}; /* newer, and more than this chip can count to */
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        session_rig_t s;
        session_open(&s, &(otter_device_config_t){.rollback = true, .anti_rollback = true});
        s.rig.secure_version = rows[i].device;
        uint8_t *image = s.rig.sim.bytes + s.slot[0]->address;
        session_place_app(&s, s.slot[0], "esp32_valid.bin");
        le32_put(image + IMAGE_DATA_AT + 4, rows[i].image);
        const image_plan_t plan = {.max_revision = 399,
                                   .flash_code = 0x20,
                                   .entry = IMAGE_ENTRY,
                                   .load_addr = IMAGE_DROM,
                                   .segment = 512,
                                   .hashed = true};
        image_finish(&plan, image);
        esp_err_t err = otter_ota_set_boot_partition(s.device, s.slot[0], NULL);
        assert_int_equal(err, rows[i].want);
        assert_int_equal(s.rig.secure_version, rows[i].device); /* and nothing is burned for it */
        session_close(&s);
    }
}

/* ---- guards on every path ---- */

/** ESP-IDF b15caab8761: what begin asks, resume asks, too. */
static void going_on_asks_what_beginning_asks(void **state)
{
    (void)state;
    session_rig_t s;
    esp_ota_handle_t handle;
    session_open(&s, &(otter_device_config_t){.rollback = true});
    session_place_app(&s, s.slot[0], "esp32_v110_sec1.bin");
    rig_put_record(&s.rig, 0, 1, ESP_OTA_IMG_PENDING_VERIFY);
    s.device->running = s.slot[0];
    assert_int_equal(ota_begin(s.device, s.slot[1], OTA_SIZE_UNKNOWN, &handle),
                     ESP_ERR_OTA_ROLLBACK_INVALID_STATE);
    assert_int_equal(ota_resume(s.device, s.slot[1], OTA_WITH_SEQUENTIAL_WRITES, 4096, &handle),
                     ESP_ERR_OTA_ROLLBACK_INVALID_STATE);
    assert_int_equal(ota_resume(s.device, s.slot[0], OTA_WITH_SEQUENTIAL_WRITES, 4096, &handle),
                     ESP_ERR_OTA_PARTITION_CONFLICT);
    assert_int_equal(ota_resume(s.device, s.factory, OTA_WITH_SEQUENTIAL_WRITES, 4096, &handle),
                     ESP_ERR_INVALID_ARG);
    session_close(&s);
}

/* ---- what is used before it is verified, or is not signed ---- */

static esp_err_t take(session_rig_t *s, const uint8_t *image, uint32_t len)
{
    esp_ota_handle_t handle;
    assert_int_equal(ota_begin(s->device, s->slot[0], OTA_SIZE_UNKNOWN, &handle), ESP_OK);
    esp_err_t err = ota_write(s->device, handle, image, len);
    assert_int_equal(err, ESP_OK);
    err = ota_end(s->device, handle);
    return err == ESP_OK ? otter_ota_set_boot_partition(s->device, s->slot[0], NULL) : err;
}

/** SWUpdate 5219f2f4: what a description says counts before somebody has signed it. */
static void an_image_that_is_refused_leaves_nothing_behind(void **state)
{
    (void)state;
    session_rig_t s;
    uint8_t before[RIG_OTADATA_SIZE];
    trust_open(&s, OTTER_TRUST_EFUSES, OTTER_SIGNED_RSA_3072, "a");
    s.device->config.rollback = s.device->config.anti_rollback = true;
    memcpy(before, s.rig.sim.bytes + RIG_OTADATA, sizeof(before));
    uint8_t image[8192];
    uint32_t len = 0;
    uint8_t *recorded = rig_load("signed", "rsa_b.bin", &len);
    assert_int_equal(len, sizeof(image));
    memcpy(image, recorded, sizeof(image));
    free(recorded);
    le32_put(image + IMAGE_DATA_AT + 4, 9); /* the version of an owner who would lock the device out */
    assert_int_equal(take(&s, image, sizeof(image)), ESP_ERR_OTA_VALIDATE_FAILED);
    assert_memory_equal(s.rig.sim.bytes + RIG_OTADATA, before, sizeof(before));
    assert_int_equal(s.rig.secure_version, 0);
    assert_null(otter_ota_get_last_invalid_partition(s.device));
    session_close(&s);
}

/** MCUboot CVE-2024-32883: entries outside the signed area are believed. */
static void what_lies_behind_the_signatures_is_for_nobody(void **state)
{
    (void)state;
    otter_image_info_t infos[2];
    for (int i = 0; i < 2; i++) {
        session_rig_t s;
        trust_open(&s, OTTER_TRUST_EFUSES, OTTER_SIGNED_RSA_3072, "a");
        trust_place(&s, s.slot[0], "rsa_a.bin");
        uint8_t *image = s.rig.sim.bytes + s.slot[0]->address;
        if (i == 1) { /* this chip looks at one block */
            memset(image + 4096 + OTTER_SIGNATURE_BLOCK, 0x5A,
                   s.slot[0]->size - 4096 - OTTER_SIGNATURE_BLOCK);
        }
        const otter_image_rules_t rules = ota_image_rules(s.device, s.slot[0], s.slot[0]);
        assert_int_equal(otter_image_verify(s.device->flash, &rules, &infos[i], NULL), ESP_OK);
        session_close(&s);
    }
    assert_memory_equal(&infos[0], &infos[1], sizeof(infos[0]));
}

/** TUF GHSA-3633-5h82-39pq: one key that has signed twice is two. Here one is enough, and none of a stranger's is. */
static void a_stranger_who_signs_three_times_is_a_stranger(void **state)
{
    (void)state;
    session_rig_t s;
    trust_open(&s, OTTER_TRUST_EFUSES, OTTER_SIGNED_RSA_3072, "a");
    uint8_t image[8192] = {0};
    memcpy(image, s.image, s.image_len);
    assert_int_equal(image_sign(image, s.image_len, "bbb"), sizeof(image));
    assert_int_equal(take(&s, image, sizeof(image)), ESP_ERR_OTA_VALIDATE_FAILED);
    memcpy(image, s.image, s.image_len);
    (void)image_sign(image, s.image_len, "abb");
    assert_int_equal(take(&s, image, sizeof(image)), ESP_OK);
    session_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_size_with_its_highest_bit_is_a_size),
        cmocka_unit_test(a_signature_covers_what_lies_beyond_2_gib),
        cmocka_unit_test(a_version_with_its_highest_bit_is_the_newest),
        cmocka_unit_test(going_on_asks_what_beginning_asks),
        cmocka_unit_test(an_image_that_is_refused_leaves_nothing_behind),
        cmocka_unit_test(what_lies_behind_the_signatures_is_for_nobody),
        cmocka_unit_test(a_stranger_who_signs_three_times_is_a_stranger),
    };
    return cmocka_run_group_tests_name("advisories", tests, NULL, NULL);
}
