/* Memory that ends inside OpenSSL is told as that, and never as a bad signature. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "otter/crypto.h"
#include "otter/signature.h"

#define AT_BLOCK 4096u /* in the signed images */

/* ---- memory that ends ---- */

static struct {
    unsigned long count; /* of allocations */
    unsigned long fails; /* the number of the first that fails; 0: none */
    bool for_good;       /* and all after it */
} memory;

static bool may(void)
{
    memory.count++;
    return memory.fails == 0 ||
           (memory.for_good ? memory.count < memory.fails : memory.count != memory.fails);
}

static void *take(size_t size, const char *file, int line)
{
    (void)file, (void)line;
    return may() ? malloc(size) : NULL;
}

static void *take_more(void *old, size_t size, const char *file, int line)
{
    (void)file, (void)line;
    return may() ? realloc(old, size) : NULL;
}

static void give_back(void *old, const char *file, int line)
{
    (void)file, (void)line;
    free(old);
}

/* ---- signatures ---- */

static const struct {
    const char *file;
    esp_err_t verdict;
} images[] = {
    {"rsa_a.bin", ESP_OK},
    {"ec192_c2.bin", ESP_OK},
    {"ec256_c2.bin", ESP_OK},
    {"ec384_c5.bin", ESP_OK},
    {"rsa_a_sig_bad.bin", ESP_ERR_IMAGE_INVALID},
    {"ec256_c2_sig_bad.bin", ESP_ERR_IMAGE_INVALID},
};

static void load_block(const char *name, uint8_t block[OTTER_SIGNATURE_BLOCK])
{
    char path[512];
    snprintf(path, sizeof(path), TEST_VECTORS "/signed/%s", name);
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    assert_int_equal(fseek(f, AT_BLOCK, SEEK_SET), 0);
    assert_int_equal(fread(block, 1, OTTER_SIGNATURE_BLOCK, f), OTTER_SIGNATURE_BLOCK);
    fclose(f);
}

/** Verifies what a block says with this much memory. @return how many allocations it made */
static unsigned long verify_with(const uint8_t *raw, unsigned long fails, bool for_good, esp_err_t *err)
{
    otter_signature_block_t block;
    assert_int_equal(otter_signature_block_read(raw, &block, NULL), ESP_OK);
    memory.count = 0;
    memory.fails = fails;
    memory.for_good = for_good;
    *err = otter_signature_block_verify(raw, &block, block.hash, NULL);
    memory.fails = 0;
    return memory.count;
}

static void check(const char *name, const uint8_t *raw, esp_err_t verdict)
{
    esp_err_t err;
    (void)verify_with(raw, 0, false, &err); /* what OpenSSL makes once and keeps */
    const unsigned long all = verify_with(raw, 0, false, &err);
    assert_int_equal(err, verdict);
    assert_true(all > 10);
    for (unsigned long at = 1; at <= all; at++) {
        for (int for_good = 0; for_good < 2; for_good++) {
            (void)verify_with(raw, at, for_good != 0, &err);
            if (err != verdict && err != ESP_ERR_NO_MEM) {
                fail_msg("%s: allocation %lu of %lu failed%s: %s", name, at, all,
                         for_good != 0 ? ", and all after it" : "", esp_err_to_name(err));
            }
        }
    }
    (void)verify_with(raw, 0, false, &err); /* nothing is left of it */
    assert_int_equal(err, verdict);
}

static void no_lack_of_memory_is_a_bad_signature(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(images) / sizeof(images[0]); i++) {
        uint8_t raw[OTTER_SIGNATURE_BLOCK];
        load_block(images[i].file, raw);
        check(images[i].file, raw, images[i].verdict);
    }
}

int main(void)
{
    if (CRYPTO_set_mem_functions(take, take_more, give_back) != 1) {
        return EXIT_FAILURE; /* OpenSSL has begun already */
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_lack_of_memory_is_a_bad_signature),
    };
    return cmocka_run_group_tests_name("signature_memory", tests, NULL, NULL);
}
