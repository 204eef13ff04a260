/* The fault object: what it keeps, what it cuts, and what comes in front of it on the way up. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "otter/fault.h"

static void a_fault_keeps_code_and_sentence(void **state)
{
    (void)state;
    otter_fault_t fault = {0};
    assert_int_equal(ESP_FAIL, otter_fault(&fault, ESP_FAIL, "%d bytes at 0x%x", 5, 0x1000u));
    assert_int_equal(ESP_FAIL, fault.code);
    assert_string_equal("5 bytes at 0x1000", fault.why);
    assert_int_equal(ESP_ERR_NO_MEM, otter_fault(&fault, ESP_ERR_NO_MEM, "out of memory"));
    assert_int_equal(ESP_ERR_NO_MEM, fault.code);
    assert_string_equal("out of memory", fault.why);
}

static void nobody_has_to_ask_for_the_sentence(void **state)
{
    (void)state;
    assert_int_equal(ESP_FAIL, otter_fault(NULL, ESP_FAIL, "%d bytes", 5));
}

static void context_comes_in_front(void **state)
{
    (void)state;
    otter_fault_t fault = {0};
    otter_fault(&fault, ESP_ERR_FLASH_OP_FAIL, "reading at 0x%x failed", 0x2000u);
    assert_int_equal(ESP_ERR_FLASH_OP_FAIL, otter_fault_add(&fault, "otadata: "));
    otter_fault_add(&fault, "boot: ");
    assert_string_equal("boot: otadata: reading at 0x2000 failed", fault.why);
}

static void without_a_sentence_the_code_speaks(void **state)
{
    (void)state;
    otter_fault_t fault = {0};
    assert_string_equal("ESP_ERR_NO_MEM", otter_fault_text(&fault, ESP_ERR_NO_MEM));
    otter_fault(&fault, ESP_FAIL, "because");
    assert_string_equal("because", otter_fault_text(&fault, ESP_FAIL));
}

/* A sentence of `lead` letters and then characters of three bytes: wherever the room ends, none of them is cut. */
static void what_does_not_fit_ends_between_characters(void **state)
{
    (void)state;
    for (size_t lead = 0; lead < 4; lead++) {
        char text[OTTER_WHY_MAX * 2] = "abcd";
        for (size_t at = lead; at + 3 < sizeof(text); at += 3) {
            memcpy(text + at, "\xE2\x82\xAC", 4); /* the euro sign */
        }
        otter_fault_t fault = {0};
        otter_fault(&fault, ESP_FAIL, "%s", text);
        size_t len = strlen(fault.why);
        assert_in_range(len, OTTER_WHY_MAX - 4, OTTER_WHY_MAX - 1);
        assert_string_equal("...", fault.why + len - 3);
        assert_int_equal(0, (len - 3 - lead) % 3);
        assert_memory_equal(text, fault.why, len - 3);
        otter_fault_add(&fault, "in front: ");
        len = strlen(fault.why);
        assert_string_equal("...", fault.why + len - 3);
        assert_int_equal(0, (len - 3 - lead - strlen("...")) % 3);
    }
}

/* A path before the cause: of one that is too long the end is told, and all of the cause. */
static void context_gives_way_to_the_cause(void **state)
{
    (void)state;
    static const char cause[] = ": because of this";
    for (size_t lead = 0; lead < 4; lead++) {
        char path[OTTER_WHY_MAX * 2] = "abcd";
        for (size_t at = lead; at + 3 < sizeof(path); at += 3) {
            memcpy(path + at, "\xE2\x82\xAC", 4);
        }
        otter_fault_t fault = {0};
        otter_fault(&fault, ESP_FAIL, "%s", cause);
        otter_fault_add(&fault, path);
        size_t told = strlen(fault.why) - 3 - strlen(cause);
        assert_in_range(strlen(fault.why), OTTER_WHY_MAX - 3, OTTER_WHY_MAX - 1);
        assert_memory_equal("...", fault.why, 3);
        assert_memory_equal(path + strlen(path) - told, fault.why + 3, told);
        assert_int_equal(0, told % 3);
        assert_string_equal(cause, fault.why + 3 + told);
    }
    otter_fault_t fault = {0};
    char path[OTTER_WHY_MAX - sizeof(cause) + 2]; /* the longest that fits, with a byte to cut off */
    memset(path, '/', sizeof(path));
    path[sizeof(path) - 1] = '\0';
    otter_fault(&fault, ESP_FAIL, "%s", cause);
    otter_fault_add(&fault, path + 1);
    assert_memory_equal("////", fault.why, 4);
    assert_int_equal(OTTER_WHY_MAX - 1, strlen(fault.why));
    otter_fault(&fault, ESP_FAIL, "%s", cause);
    otter_fault_add(&fault, path);
    assert_memory_equal(".../", fault.why, 4);
    assert_int_equal(OTTER_WHY_MAX - 1, strlen(fault.why));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_fault_keeps_code_and_sentence),
        cmocka_unit_test(nobody_has_to_ask_for_the_sentence),
        cmocka_unit_test(context_comes_in_front),
        cmocka_unit_test(without_a_sentence_the_code_speaks),
        cmocka_unit_test(what_does_not_fit_ends_between_characters),
        cmocka_unit_test(context_gives_way_to_the_cause),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
