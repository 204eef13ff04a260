/* The log: lines in ESP-IDF's form, levels per tag, arguments that cost nothing when nobody listens. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#define LOG_LOCAL_LEVEL ESP_LOG_DEBUG /* of this file: verbose lines are not compiled in */
#include "esp_log.h"
#include "support/said.h"

static int evaluated;

static int setup(void **state)
{
    (void)state;
    said[0] = '\0';
    evaluated = 0;
    otter_log_set_color(0);
    esp_log_level_set("*", ESP_LOG_INFO);
    assert_null(esp_log_set_vprintf(keep_text));
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    assert_ptr_equal(esp_log_set_vprintf(NULL), keep_text);
    esp_log_level_set("*", ESP_LOG_INFO);
    return 0;
}

static int count(void)
{
    return ++evaluated;
}

static void a_line_has_letter_time_tag_and_text(void **state)
{
    (void)state;
    static const struct {
        esp_log_level_t level;
        char letter;
        const char *color;
    } rows[] = {
        {ESP_LOG_ERROR, 'E', LOG_COLOR(LOG_COLOR_RED)},
        {ESP_LOG_WARN, 'W', LOG_COLOR(LOG_COLOR_BROWN)},
        {ESP_LOG_INFO, 'I', LOG_COLOR(LOG_COLOR_GREEN)},
        {ESP_LOG_DEBUG, 'D', ""},
        {ESP_LOG_VERBOSE, 'V', ""},
    };
    esp_log_level_set("*", ESP_LOG_VERBOSE);
    for (size_t i = 0; i < 2 * sizeof(rows) / sizeof(rows[0]); i++) {
        const char *color = i % 2 != 0 ? rows[i / 2].color : "";
        char letter, tail[64];
        unsigned long ms;
        said[0] = '\0';
        otter_log_set_color(i % 2 != 0);
        ESP_LOG_LEVEL(rows[i / 2].level, "unit", "number %d", 7);
        assert_memory_equal(said, color, strlen(color));
        assert_int_equal(sscanf(said + strlen(color), "%c (%lu) %63[^\n]", &letter, &ms, tail), 3);
        assert_int_equal(letter, rows[i / 2].letter);
        assert_memory_equal(tail, "unit: number 7", 14);
        assert_string_equal(tail + 14, color[0] != '\0' ? LOG_RESET_COLOR : "");
    }
    assert_true(esp_log_timestamp() - esp_log_early_timestamp() < 1000 ||
                esp_log_early_timestamp() - esp_log_timestamp() < 1000);
}

static void levels_are_per_tag_and_star_clears_them(void **state)
{
    (void)state;
    ESP_LOGD("loud", "%d", count());
    esp_log_level_set("loud", ESP_LOG_DEBUG);
    esp_log_level_set("mute", ESP_LOG_NONE);
    ESP_LOGD("loud", "%d", count());
    ESP_LOGE("mute", "%d", count());
    ESP_LOGW("other", "%d", count());
    ESP_LOGD("other", "%d", count());
    assert_int_equal(evaluated, 2);
    assert_int_equal(esp_log_level_get("loud"), ESP_LOG_DEBUG);
    esp_log_level_set("*", ESP_LOG_WARN);
    assert_int_equal(esp_log_level_get("loud"), ESP_LOG_WARN);
    assert_int_equal(esp_log_level_get("mute"), ESP_LOG_WARN);
    ESP_LOGI("other", "%d", count());
    ESP_EARLY_LOGW("other", "%d", count());
    ESP_DRAM_LOGE("other", "%d", count());
    assert_int_equal(evaluated, 4);
}

ESP_LOG_ATTR_TAG(TAG_BY_MACRO, "by macro");

static void a_line_follows_its_configuration(void **state)
{
    (void)state;
    static const struct {
        uint32_t config;
        const char *format; /* of sscanf, with %u where the time is */
        int fields;
    } rows[] = {
        {ESP_LOG_INFO | ESP_LOG_CONFIG_REQUIRE_FORMATTING, "\033[0;32mI (%u) by macro: number 7\033[0m\n", 1},
        {ESP_LOG_INFO | ESP_LOG_CONFIG_REQUIRE_FORMATTING | ESP_LOG_CONFIG_DIS_COLOR,
         "I (%u) by macro: number 7\n", 1},
        {ESP_LOG_WARN | ESP_LOG_CONFIG_REQUIRE_FORMATTING | ESP_LOG_CONFIG_DIS_COLOR |
             ESP_LOG_CONFIG_DIS_TIMESTAMP,
         "W by macro: number 7\n", 0},
        {ESP_LOG_INFO, "number 7", 0},
        {ESP_LOG_DEBUG | ESP_LOG_CONFIG_REQUIRE_FORMATTING, "", 0},
        {ESP_LOG_NONE | ESP_LOG_CONFIG_REQUIRE_FORMATTING, "", 0},
        {7 | ESP_LOG_CONFIG_REQUIRE_FORMATTING, "", 0},
    };
    otter_log_set_color(1);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        unsigned ms = 0;
        char want[80];
        said[0] = '\0';
        esp_log(ESP_LOG_CONFIG_INIT(rows[i].config), TAG_BY_MACRO, "number %d", 7);
        if (rows[i].fields > 0) {
            assert_int_equal(sscanf(said, rows[i].format, &ms), 1);
        }
        snprintf(want, sizeof(want), rows[i].format, ms);
        assert_string_equal(said, want);
    }
}

static void the_default_level_is_that_of_tags_without_one(void **state)
{
    (void)state;
    esp_log_level_set("loud", ESP_LOG_DEBUG);
    assert_int_equal(esp_log_get_default_level(), ESP_LOG_INFO);
    esp_log_level_set("*", ESP_LOG_ERROR);
    assert_int_equal(esp_log_get_default_level(), ESP_LOG_ERROR);
}

static void formats_for_ones_own_lines_are_esp_idfs(void **state)
{
    (void)state;
    char line[64];
    snprintf(line, sizeof(line), LOG_FORMAT(E, "%d"), (uint32_t)5, "tag", 7);
    assert_string_equal(line, "E (5) tag: 7\n"); /* no CONFIG_LOG_COLORS, no colour */
    snprintf(line, sizeof(line), LOG_SYSTEM_TIME_FORMAT(D, "%d"), "12:00:00.000", "tag", 7);
    assert_string_equal(line, "D (12:00:00.000) tag: 7\n");
    unsigned hours, minutes, seconds, ms;
    assert_int_equal(sscanf(esp_log_system_timestamp(), "%2u:%2u:%2u.%3u", &hours, &minutes, &seconds, &ms),
                     4);
    assert_int_equal(strlen(esp_log_system_timestamp()), 12);
    assert_true(hours < 24 && minutes < 60 && seconds < 60);
    assert_string_equal(
        LOG_ANSI_COLOR_FORMAT(LOG_ANSI_COLOR_STYLE_BOLD, LOG_ANSI_COLOR_RED, LOG_ANSI_COLOR_BG_BLACK),
        "\033[1;31;40m");
    assert_string_equal(LOG_BOLD(LOG_COLOR_CYAN) LOG_RESET_COLOR, "\033[1;36m\033[0m");
}

static void what_the_file_does_not_compile_in_is_never_said(void **state)
{
    (void)state;
    esp_log_level_set("*", ESP_LOG_VERBOSE);
    ESP_LOGV("unit", "%d", count());
    assert_int_equal(evaluated, 0);
    ESP_LOGD("unit", "%d", count());
    assert_int_equal(evaluated, 1);
}

static void plain_writes_have_no_prefix(void **state)
{
    (void)state;
    esp_log_write(ESP_LOG_INFO, "unit", "as %s\n", "it is");
    esp_log_write(ESP_LOG_DEBUG, "unit", "not this\n");
    esp_log_write(ESP_LOG_NONE, "unit", "nor this\n");
    assert_string_equal(said, "as it is\n");
}

static void a_message_of_any_length_comes_whole_in_one_piece(void **state)
{
    (void)state;
    static const size_t lengths[] = {0, 1, 200, 254, 255, 256, 257, 300, 360, 384, 511, 512, 513, 2000};
    static char text[2001];
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        memset(text, 'x', lengths[i]);
        text[lengths[i]] = '\0';
        said[0] = '\0';
        ESP_LOGI("unit", "%s|END", text);
        const char *at = strstr(said, "unit: ");
        assert_non_null(at);
        assert_memory_equal(at + 6, text, lengths[i]);
        assert_string_equal(at + 6 + lengths[i], "|END\n");
        said[0] = '\0';
        esp_log_write(ESP_LOG_INFO, "unit", "%s|END\n", text);
        assert_memory_equal(said, text, lengths[i]);
        assert_string_equal(said + lengths[i], "|END\n");
    }
    said[0] = '\0';
    ESP_LOGI(text, "after a long tag");
    assert_non_null(strstr(said, "x: after a long tag\n"));
}

static void buffers_come_as_hex_as_text_and_as_both(void **state)
{
    (void)state;
    static const uint8_t bytes[18] = "sixteen and more\x01";
    ESP_LOG_BUFFER_HEX("unit", bytes, 3);
    assert_non_null(strstr(said, "unit: 73 69 78"));
    ESP_LOG_BUFFER_CHAR("unit", bytes, 18);
    assert_non_null(strstr(said, "unit: sixteen and more\n"));
    assert_non_null(strstr(said, "unit: ..\n"));
    said[0] = '\0';
    ESP_LOG_BUFFER_HEXDUMP("unit", bytes, 18, ESP_LOG_WARN);
    assert_non_null(strstr(said, "|sixteen and more|"));
    said[0] = '\0';
    ESP_LOG_BUFFER_HEX_LEVEL("unit", bytes, 3, ESP_LOG_DEBUG);
    ESP_LOG_BUFFER_CHAR_LEVEL("unit", bytes, 3, ESP_LOG_VERBOSE);
    ESP_LOG_BUFFER_HEX("unit", bytes, 0);
    assert_string_equal(said, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_line_has_letter_time_tag_and_text, setup, teardown),
        cmocka_unit_test_setup_teardown(levels_are_per_tag_and_star_clears_them, setup, teardown),
        cmocka_unit_test_setup_teardown(a_line_follows_its_configuration, setup, teardown),
        cmocka_unit_test_setup_teardown(the_default_level_is_that_of_tags_without_one, setup, teardown),
        cmocka_unit_test_setup_teardown(formats_for_ones_own_lines_are_esp_idfs, setup, teardown),
        cmocka_unit_test_setup_teardown(what_the_file_does_not_compile_in_is_never_said, setup, teardown),
        cmocka_unit_test_setup_teardown(plain_writes_have_no_prefix, setup, teardown),
        cmocka_unit_test_setup_teardown(a_message_of_any_length_comes_whole_in_one_piece, setup, teardown),
        cmocka_unit_test_setup_teardown(buffers_come_as_hex_as_text_and_as_both, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
