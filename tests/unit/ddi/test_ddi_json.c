/* The JSON reader and the reader of answers: what is taken, what is refused, in pieces of any size. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "ddi/answer.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

/* ---- the reader ---- */

typedef struct {
    char told[512], room[32];
} listener_t;

static const char *on(void *ctx, ddi_json_kind_t kind, const char *text, bool cut)
{
    static const char marks[] = "{}[]:\"#tfn";
    listener_t *listener = ctx;
    size_t used = strlen(listener->told);
    snprintf(listener->told + used, sizeof(listener->told) - used, "%c%s%s", marks[kind], text,
             cut ? "~" : "");
    return NULL;
}

static char *room(void *ctx, bool is_key, size_t *size)
{
    (void)is_key;
    *size = sizeof(((listener_t *)ctx)->room);
    return ((listener_t *)ctx)->room;
}

/** What the reader tells of a text that comes in pieces of `step` bytes; NULL: it is refused, and `why` says why. */
static const char *told(const char *text, size_t step, const char **why)
{
    static listener_t listener;
    ddi_json_t json;
    const ddi_json_listener_t functions = {on, room, &listener};
    memset(&listener, 0, sizeof(listener));
    ddi_json_begin(&json, &functions);
    const size_t len = strlen(text);
    for (size_t at = 0; at < len; at += step) {
        if (!ddi_json_feed(&json, text + at, len - at < step ? len - at : step)) {
            break;
        }
    }
    const bool good = ddi_json_end(&json);
    *why = json.why;
    return good ? listener.told : NULL;
}

static void json_is_read_in_pieces_of_any_size(void **state)
{
    (void)state;
    static const struct {
        const char *text, *told;
    } rows[] = {
        {"{}", "{}"},
        {" { \"a\" : [ 1 , -0.5e+3, true,false,null ] } ", "{:a[#1#-0.5e+3tfn]}"},
        {"\"\\u00fc\\ud83d\\ude00\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\xC3\xBC\xF0\x9F\x98\x80\"\\/\b\f\n\r\t"},
        {"\"\xC3\xBC\xE2\x82\xAC\xF0\x9F\x98\x80\"", "\"\xC3\xBC\xE2\x82\xAC\xF0\x9F\x98\x80"},
        {"0", "#0"},
        {"[[],{}]", "[[]{}]"},
        {"null", "n"},
        {"\"0123456789012345678901234567890123456789\"", "\"0123456789012345678901234567890~"},
        {"[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]", "[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]"},
    };
    const char *why;
    for (size_t i = 0; i < COUNT(rows); i++) {
        for (size_t step = 1; step < 60; step++) {
            const char *got = told(rows[i].text, step, &why);
            if (got == NULL || strcmp(got, rows[i].told) != 0) {
                fail_msg("%s in pieces of %zu: %s", rows[i].text, step, got != NULL ? got : why);
            }
        }
    }
}

static void what_is_no_json_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text, *why;
    } rows[] = {
        {"", "there is nothing"},
        {" ", "in the middle"},
        {"{", "in the middle"},
        {"\"a", "in the middle"},
        {"tru", "in the middle"},
        {"-", "in the middle"},
        {"1.", "in the middle"},
        {"1e", "in the middle"},
        {"[1,]", "a value is missing"},
        {"[,1]", "a value is missing"},
        {"{\"a\"}", "':' is missing"},
        {"{\"a\":}", "a value is missing"},
        {"{\"a\":1,}", "a key is missing"},
        {"{a:1}", "a key is missing"},
        {"[1 2]", "',' is missing"},
        {"{\"a\":1]", "',' is missing"},
        {"[1}", "',' is missing"},
        {"{} {}", "follows"},
        {"01", "follows"},
        {"-a", "a number"},
        {"1.e5", "a number"},
        {"+1", "a value is missing"},
        {"truth", "a word"},
        {"nULL", "a word"},
        {"\"\n\"", "control character"},
        {"\"\\x\"", "an escape"},
        {"\"\\u12g4\"", "hexadecimal"},
        {"\"\\u0000\"", "\\u0000"},
        {"\"\\ud800\"", "surrogate"},
        {"\"\\ud800x\"", "surrogate"},
        {"\"\\ud800\\n\"", "surrogate"},
        {"\"\\ud800\\u0041\"", "surrogate"},
        {"\"\\udc00\"", "surrogate"},
        {"\"\xC3\"", "UTF-8"},
        {"\"\xC3x\"", "UTF-8"},
        {"\"\xC0\x80\"", "UTF-8"},
        {"\"\xE0\x80\x80\"", "UTF-8"},
        {"\"\xED\xA0\x80\"", "UTF-8"},
        {"\"\xF4\x90\x80\x80\"", "UTF-8"},
        {"\"\xFF\"", "UTF-8"},
        {"[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]", "more than 16"},
    };
    const char *why;
    for (size_t i = 0; i < COUNT(rows); i++) {
        for (size_t step = 1; step < 40; step += 6) {
            const char *got = told(rows[i].text, step, &why);
            if (got != NULL || strstr(why, rows[i].why) == NULL) {
                fail_msg("%s: %s", rows[i].text, got != NULL ? got : why);
            }
        }
    }
}

/* ---- answers ---- */

static char url[OTTER_DDI_URL_SIZE];
static otter_ddi_config_t config;
static ddi_wanted_t wanted = {.url = url, .config = &config};

static bool read_answer(const char *text, ddi_answer_t *answer, const char **why)
{
    ddi_reader_t reader;
    ddi_reader_begin(&reader, &wanted);
    bool good = ddi_reader_feed(&reader, text, strlen(text)) && ddi_reader_end(&reader);
    *answer = reader.answer;
    *why = reader.json.why;
    return good;
}

static void answers_of_running_servers_are_read(void **state)
{
    (void)state;
    static const char poll[] =
        "{\"config\":{\"polling\":{\"sleep\":\"00:05:00\"}},\"_links\":{\"deploymentBase\":{\"href\":"
        "\"https://h/D/controller/v1/d/deploymentBase/7?c=-12\"},\"configData\":{\"href\":\"x\"}}}";
    static const char deployment[] =
        "{\"id\":\"7\",\"deployment\":{\"download\":\"forced\",\"update\":\"skip\",\"maintenanceWindow\":"
        "\"unavailable\","
        "\"chunks\":[{\"part\":\"os\",\"version\":\"1.2.0\",\"name\":\"app\",\"artifacts\":[{\"filename\":"
        "\"app.bin\","
        "\"hashes\":{\"sha1\":\"da39a3ee5e6b4b0d3255bfef95601890afd80709\",\"md5\":"
        "\"d41d8cd98f00b204e9800998ecf8427e\","
        "\"sha256\":\"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\"},\"size\":1503744,"
        "\"_links\":{"
        "\"download-http\":{\"href\":\"http://h/a\"},\"download\":{\"href\":\"https://cdn/b\"},"
        "\"md5sum-http\":{\"href\":\"http://h/"
        "c\"}}}]}]},\"actionHistory\":{\"status\":\"RETRIEVED\",\"messages\":[]}}";
    ddi_answer_t answer;
    const char *why;
    assert_true(read_answer(poll, &answer, &why));
    assert_int_equal(answer.sleep_s, 300);
    assert_int_equal(answer.offer, DDI_OFFER_DEPLOYMENT);
    assert_true(answer.wants_attributes);
    assert_string_equal(url, "https://h/D/controller/v1/d/deploymentBase/7?c=-12");
    assert_true(read_answer(deployment, &answer, &why));
    assert_string_equal(answer.id, "7");
    assert_int_equal(answer.download, DDI_MODE_FORCED);
    assert_int_equal(answer.update, DDI_MODE_SKIP);
    assert_int_equal(answer.artifacts, 1);
    assert_int_equal(answer.file.size, 1503744);
    assert_int_equal(answer.file.kind, OTTER_DDI_SHA256);
    assert_int_equal(answer.file.hash[0], 0xE3);
    assert_int_equal(answer.chunks, 1);
    assert_string_equal(answer.version, "1.2.0");
    assert_string_equal(url, "https://cdn/b");
    assert_true(read_answer("null", &answer, &why));
    assert_true(answer.is_null);
    assert_true(read_answer("{\"id\":\"8\",\"cancelAction\":{\"stopId\":-1}}", &answer, &why));
    assert_string_equal(answer.id, "-1");
    assert_true(read_answer("{\"errorCode\":\"hawkbit.server.error.quota.tooManyEntries\"}", &answer, &why));
    assert_true(answer.quota);
    assert_true(read_answer("{\"_links\":{},\"config\":{\"polling\":{\"sleep\":null}}}", &answer, &why));
    assert_int_equal(answer.sleep_s, 0);
    assert_true(
        read_answer("{\"_links\":{\"cancelAction\":{\"href\":\"c\"},\"deploymentBase\":{\"href\":\"d\"}}}",
                    &answer, &why));
    assert_int_equal(answer.offer, DDI_OFFER_CANCEL);
    assert_string_equal(url, "c");
}

static void answers_that_contradict_themselves_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text, *why;
    } rows[] = {
        {"{\"id\":\"7\",\"id\":\"8\"}", "twice"},
        {"{\"id\":\"0123456789012345678901234567890123456789\"}", "39 characters"},
        {"{\"id\":[]}", "another kind"},
        {"{\"deployment\":\"x\"}", "another kind"},
        {"{\"deployment\":{\"chunks\":{}}}", "another kind"},
        {"{\"deployment\":{\"update\":\"maybe\"}}", "neither"},
        {"{\"deployment\":{\"chunks\":[{\"artifacts\":[{\"size\":4294967296}]}]}}", "4 GiB"},
        {"{\"deployment\":{\"chunks\":[{\"artifacts\":[{\"size\":-1}]}]}}", "4 GiB"},
        {"{\"deployment\":{\"chunks\":[{\"artifacts\":[{\"size\":1.5}]}]}}", "4 GiB"},
        {"{\"deployment\":{\"chunks\":[{\"artifacts\":[{\"hashes\":{\"sha256\":\"00\"}}]}]}}",
         "64 hexadecimal"},
        {"{\"deployment\":{\"chunks\":[{\"artifacts\":[{\"hashes\":{\"sha1\":\"x\"}}]}]}}", "SHA-1: 40"},
        {"<html>", "a value is missing"},
    };
    ddi_answer_t answer;
    const char *why;
    for (size_t i = 0; i < COUNT(rows); i++) {
        if (read_answer(rows[i].text, &answer, &why) || strstr(why, rows[i].why) == NULL) {
            fail_msg("%s: %s", rows[i].text, why != NULL ? why : "taken");
        }
    }
}

/** A file of an offer: its size is its number. */
#define FILE_OF(name, size)                                                                                  \
    "{\"size\":" #size ",\"_links\":{\"download\":{\"href\":\"" #size "\"}},\"filename\":\"" name "\"}"
#define CHUNK_OF(part, files) "{\"version\":\"v-" part "\",\"artifacts\":[" files "],\"part\":\"" part "\"}"

static void of_several_files_the_image_is_found_whatever_their_order(void **state)
{
    (void)state;
    static const struct {
        const char *chunks, *part;
        uint32_t chunks_count, others, size; /* size 0: it is not clear which */
        const char *version;
    } rows[] = {
        {CHUNK_OF("os", FILE_OF("a", 1)), NULL, 1, 0, 1, "v-os"},
        {CHUNK_OF("os", FILE_OF("a", 1)), "os", 1, 0, 1, "v-os"},
        {CHUNK_OF("os", FILE_OF("a.txt", 1) "," FILE_OF("a.bin", 2)), NULL, 1, 0, 2, "v-os"},
        {CHUNK_OF("os", FILE_OF("a.bin", 1) "," FILE_OF("a.bin.sig", 2)), "os", 1, 0, 1, "v-os"},
        {CHUNK_OF("os", FILE_OF("a.bin", 1) "," FILE_OF("b.bin", 2)), NULL, 1, 0, 0, ""},
        {CHUNK_OF("os", FILE_OF("a", 1) "," FILE_OF("b", 2)), NULL, 1, 0, 0, ""},
        {CHUNK_OF("fs", FILE_OF("a.bin", 1)) "," CHUNK_OF("os", FILE_OF("b", 2)), "os", 1, 1, 2, "v-os"},
        {CHUNK_OF("os", FILE_OF("b", 1)) "," CHUNK_OF("fs", FILE_OF("a", 2)), "os", 1, 1, 1, "v-os"},
        {CHUNK_OF("os", "") "," CHUNK_OF("fs", FILE_OF("a", 1)), "fs", 1, 0, 1, "v-fs"},
        {CHUNK_OF("os", FILE_OF("a", 1)) "," CHUNK_OF("fs", FILE_OF("b", 2)), NULL, 2, 0, 2, "v-fs"},
        {CHUNK_OF("fs", FILE_OF("a", 1)), "os", 0, 1, 1, "v-fs"},
    };
    char text[1024];
    ddi_answer_t answer;
    const char *why;
    for (size_t i = 0; i < COUNT(rows); i++) {
        snprintf(text, sizeof(text), "{\"id\":1,\"deployment\":{\"chunks\":[%s]}}", rows[i].chunks);
        config.part = rows[i].part;
        wanted.pick = 0;
        assert_true(read_answer(text, &answer, &why));
        wanted.pick = answer.pick;
        assert_true(read_answer(text, &answer, &why)); /* again: now it is known which */
        if (answer.pick != wanted.pick || answer.chunks != rows[i].chunks_count ||
            answer.others != rows[i].others || answer.unclear != (rows[i].size == 0) ||
            (!answer.unclear && (answer.file.size != rows[i].size || strtoul(url, NULL, 10) != rows[i].size ||
                                 strcmp(answer.version, rows[i].version) != 0))) {
            fail_msg("row %zu: %u chunks, %u others, file %" PRIu32 " at '%s', version '%s'", i,
                     answer.chunks, answer.others, answer.file.size, url, answer.version);
        }
        if (rows[i].others > 0) {
            assert_string_equal(answer.other, "fs");
        }
    }
    config.part = NULL;
    wanted.pick = 0;
}

static void an_answer_without_end_is_refused(void **state)
{
    (void)state;
    char blanks[4096];
    ddi_reader_t reader;
    memset(blanks, ' ', sizeof(blanks));
    ddi_reader_begin(&reader, &wanted);
    for (int i = 0; i < 16; i++) {
        assert_true(ddi_reader_feed(&reader, blanks, sizeof(blanks)));
    }
    assert_false(ddi_reader_feed(&reader, blanks, 1));
    assert_non_null(strstr(reader.json.why, "64 KiB"));
}

static void a_link_that_is_too_long_is_refused(void **state)
{
    (void)state;
    char text[1024];
    ddi_answer_t answer;
    const char *why;
    for (int len = 638; len <= 641; len++) {
        snprintf(text, sizeof(text), "{\"_links\":{\"deploymentBase\":{\"href\":\"%0*d\"}}}", len, 0);
        assert_int_equal(read_answer(text, &answer, &why), len < (int)OTTER_DDI_URL_SIZE);
    }
}

static void both_ways_to_say_how_long_to_sleep_are_understood(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint32_t seconds;
    } rows[] = {
        {"00:05:00", 300},
        {"23:59:59", 86399},
        {"1:2:3", 3723},
        {"99:00:00", 356400},
        {"00:60:00", 0},
        {"00:00:00", 0},
        {"00:05", 0},
        {"00:05:00x", 0},
        {"00:05:", 0},
        {"", 0},
        {"PT5M", 300},
        {"P1DT2H", 93600},
        {"PT1H30M5S", 5405},
        {"PT0.5S", 0},
        {"PT30.25S", 30},
        {"P1D", 86400},
        {"P", 0},
        {"PT", 0},
        {"PT5", 0},
        {"P5M", 0},
        {"PT5M5H", 0},
        {"PT-5M", 0},
        {"P9999D", 863913600},
        {"P10000D", 0},
        {"99999999999:00:00", 0},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        if (ddi_parse_sleep(rows[i].text) != rows[i].seconds) {
            fail_msg("%s: %u", rows[i].text, (unsigned)ddi_parse_sleep(rows[i].text));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_is_read_in_pieces_of_any_size),
        cmocka_unit_test(what_is_no_json_is_refused),
        cmocka_unit_test(answers_of_running_servers_are_read),
        cmocka_unit_test(answers_that_contradict_themselves_are_refused),
        cmocka_unit_test(of_several_files_the_image_is_found_whatever_their_order),
        cmocka_unit_test(an_answer_without_end_is_refused),
        cmocka_unit_test(a_link_that_is_too_long_is_refused),
        cmocka_unit_test(both_ways_to_say_how_long_to_sleep_are_understood),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
