/* Options of a command (port/host/options.h): what is read, what is said of what cannot be, and what help tells. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "host/options.h"

#define WORDS_MAX 10

typedef struct {
    const char *flash, *file, *name, *output, *many[4];
    bool json, quiet;
    uint32_t count, wait_ms;
    uint64_t size;
} filled_t;

static bool take_many(const char *text, void *target, const option_row_t *row, char *why)
{
    (void)row;
    const char **many = target;
    while (*many != NULL) {
        many++;
    }
    *many = text;
    snprintf(why, OPTIONS_WHY_SIZE, "is too much with '%s'", text);
    return strcmp(text, "1,1") != 0;
}

static bool has_comma(const char *text)
{
    return strchr(text, ',') != NULL;
}

static const char *list(char *buf, size_t size)
{
    snprintf(buf, size, "this, that");
    return buf;
}

static const option_kind_t kind_many = {"A,B", NULL, take_many, has_comma, NULL};
static const option_kind_t kind_listed = {"NAME", "a name", NULL, NULL, list};

static const option_row_t rows[] = {
    {"FLASH", &option_argument, offsetof(filled_t, flash), .help = NULL},
    {"FILE", &option_argument_if_any, offsetof(filled_t, file), .help = NULL},
    {.help = "first of all:"},
    {"name", &option_text, offsetof(filled_t, name), .help = "what it is called", .needed = true,
     .value = "NAME"},
    {"table-offset", &option_number, offsetof(filled_t, count), .help = "where", .min = 1, .max = 9},
    {"offset", &option_number, offsetof(filled_t, count), .help = NULL, .min = 1, .max = 9},
    {.help = "then:"},
    {"json", &option_switch, offsetof(filled_t, json), .help = "for programs"},
    {"output", &option_file, offsetof(filled_t, output), .help = "where to", .letter = 'o'},
    {"quiet", &option_switch, offsetof(filled_t, quiet), .help = "say nothing", .letter = 'q'},
    {"timeout", &option_seconds, offsetof(filled_t, wait_ms), .help = "how long", .min = 1, .max = 3600},
    {"timer", &option_seconds, offsetof(filled_t, wait_ms), .help = "the same", .max = 60},
    {"size", &option_size, offsetof(filled_t, size), .help = "how much", .min = 1, .max = UINT64_MAX},
    {"many-things-of-a-kind", &kind_many, offsetof(filled_t, many),
     .help = "a text that is so long that it goes on in the next line, below its own beginning, as one would "
             "want it"},
    {0},
};

static options_verdict_t take(const char *const *words, filled_t *filled, char *why)
{
    char *argv[WORDS_MAX + 2] = {(char *)"verb"};
    int argc = 1;
    for (; argc <= WORDS_MAX && words[argc - 1] != NULL; argc++) {
        argv[argc] = (char *)(uintptr_t)words[argc - 1];
    }
    *filled = (filled_t){.file = "-"};
    why[0] = '\0';
    return options_take(rows, argc, argv, filled, why);
}

static void values_stand_in_any_form_and_order(void **state)
{
    (void)state;
    static const struct {
        const char *name, *words[WORDS_MAX];
    } forms[] = {
        {"apart", {"f", "--name", "n", "--table-offset", "7", "--quiet", "-o", "out", "x"}},
        {"glued", {"--name=n", "--table-offset=7", "-qoout", "f", "x"}},
        {"older name", {"f", "x", "--name", "n", "--offset", "7", "-q", "--output", "out"}},
        {"beginnings", {"f", "--na", "n", "--table", "7", "--q", "--out", "out", "x"}},
        {"the last counts",
         {"f", "x", "--name", "m", "--name", "n", "--offset=1", "--offset=7", "-qo", "out"}},
        {"behind --", {"--name", "n", "--offset", "7", "-q", "-o", "out", "--", "f", "x"}},
    };
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        char why[OPTIONS_WHY_SIZE];
        filled_t f;
        assert_int_equal(take(forms[i].words, &f, why), OPTIONS_TAKEN);
        assert_string_equal(f.flash, "f");
        assert_string_equal(f.file, "x");
        assert_string_equal(f.name, "n");
        assert_string_equal(f.output, "out");
        assert_int_equal(f.count, 7);
        assert_true(f.quiet && !f.json);
    }
}

static void a_negative_number_is_no_option(void **state)
{
    (void)state;
    char why[OPTIONS_WHY_SIZE];
    filled_t f;
    const char *const words[WORDS_MAX] = {"f", "-7", "--name=n"};
    assert_int_equal(take(words, &f, why), OPTIONS_TAKEN);
    assert_string_equal(f.file, "-7");
}

static void what_is_wrong_is_named(void **state)
{
    (void)state;
    static const struct {
        const char *words[WORDS_MAX], *why;
    } wrong[] = {
        {{NULL}, "FLASH is missing"},
        {{"f"}, "--name NAME is missing"},
        {{"f", "g", "h", "--name", "n"}, "'h' is more than is taken"},
        {{"f", "--nmae", "n"}, "there is no option --nmae; --name, perhaps?"},
        {{"f", "--jsno"}, "there is no option --jsno; --json, perhaps?"},
        {{"f", "--tabel-ofset=3"}, "there is no option --tabel-ofset; --table-offset, perhaps?"},
        {{"f", "--outputs", "x"}, "there is no option --outputs; --output, perhaps?"},
        {{"f", "--force"}, "there is no option --force"},
        {{"f", "--"}, "--name NAME is missing"},
        {{"f", "--=x"}, "there is no option --"},
        {{"f", "-x"}, "there is no option -x"},
        {{"f", "-qx"}, "there is no option -x"},
        {{"f", "--time", "2"}, "there is no option --time; --timeout, perhaps?"},
        {{"f", "--json=yes"}, "--json takes no value"},
        {{"f", "--name"}, "--name lacks its value: NAME"},
        {{"f", "-o"}, "--output lacks its value: FILE"},
        {{"f", "--name", ""}, "--name wants a text, not ''"},
        {{"f", "--offset", "0"}, "--offset wants a number from 1 to 9, not '0'"},
        {{"f", "--table-offset=ten"}, "--table-offset wants a number from 1 to 9, not 'ten'"},
        {{"f", "--timeout", "0.5"}, "--timeout wants 1 to 3600 seconds, not '0.5'"},
        {{"f", "--timeout", "3600.001"}, "--timeout wants 1 to 3600 seconds, not '3600.001'"},
        {{"f", "--timer", "0"}, "--timer wants more than 0 to 60 seconds, not '0'"},
        {{"f", "--timer", "1.2345"}, "--timer wants more than 0 to 60 seconds, not '1.2345'"},
        {{"f", "--size", "much"}, "--size wants a number of bytes, as 4096, 64K or 1M, not 'much'"},
        {{"f", "--many", "0,0", "1,1"}, "--many-things-of-a-kind is too much with '1,1'"},
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        char why[OPTIONS_WHY_SIZE];
        filled_t f;
        assert_int_equal(take(wrong[i].words, &f, why), OPTIONS_WRONG);
        assert_string_equal(why, wrong[i].why);
    }
}

static void long_words_are_cut_and_not_trusted(void **state)
{
    (void)state;
    char word[5000], why[OPTIONS_WHY_SIZE];
    filled_t f;
    memset(word, 'x', sizeof(word) - 1);
    word[sizeof(word) - 1] = '\0';
    const char *starts[] = {"--", "-", "--size=", "--offset=", "--timeout=1."};
    for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
        memset(word, 'x', 16);
        memcpy(word, starts[i], strlen(starts[i]));
        assert_int_equal(take((const char *const[]){"f", word, NULL}, &f, why), OPTIONS_WRONG);
        assert_true(strlen(why) < OPTIONS_WHY_SIZE);
    }
}

static void one_option_may_take_several_words(void **state)
{
    (void)state;
    char why[OPTIONS_WHY_SIZE];
    filled_t f;
    const char *const words[] = {"--many", "a,b", "c,d", "flash", "--many=e,f", "--name", "n", NULL};
    assert_int_equal(take(words, &f, why), OPTIONS_TAKEN);
    assert_string_equal(f.many[1], "c,d");
    assert_string_equal(f.many[2], "e,f");
    assert_string_equal(f.flash, "flash");
}

static void help_is_asked_for_wherever_it_stands(void **state)
{
    (void)state;
    char why[OPTIONS_WHY_SIZE];
    filled_t f;
    assert_int_equal(take((const char *const[]){"--help", NULL}, &f, why), OPTIONS_HELP);
    assert_int_equal(take((const char *const[]){"f", "-q", "-h", NULL}, &f, why), OPTIONS_HELP);
    assert_int_equal(take((const char *const[]){"f", "--name", "--help", NULL}, &f, why), OPTIONS_TAKEN);
    assert_int_equal(take((const char *const[]){"--name", "n", "--", "-h", NULL}, &f, why), OPTIONS_TAKEN);
}

static void help_tells_all_that_is_shown(void **state)
{
    (void)state;
    static const option_row_t some[] = {
        {"FLASH", &option_argument, 0, .help = NULL},
        {"FILE", &option_argument_if_any, 0, .help = NULL},
        {.help = "first of all:"},
        {"name", &option_text, 0, .help = "what it is called", .needed = true, .value = "NAME"},
        {"offset", &option_number, 0, .help = NULL},
        {.help = "then:"},
        {"quiet", &option_switch, 0, .help = "say nothing", .letter = 'q'},
        {"chip", &kind_listed, 0, .help = "the chip"},
        {"many-things-of-a-kind", &kind_many, 0,
         .help = "a text that is so long that it goes on in the next line, below its own beginning, as one "
                 "would want "
                 "it"},
        {0},
    };
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);
    options_print_usage(out, some);
    options_print_help(out, some);
    fclose(out);
    assert_string_equal(
        text,
        " FLASH [FILE] --name NAME [OPTION]...\n"
        "first of all:\n"
        "  --name NAME            what it is called\n"
        "\n"
        "then:\n"
        "  -q, --quiet            say nothing\n"
        "  --chip NAME            the chip. NAME is one of this, that\n"
        "  --many-things-of-a-kind A,B\n"
        "                         a text that is so long that it goes on in the next line, below its own\n"
        "                         beginning, as one would want it\n");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_stand_in_any_form_and_order),
        cmocka_unit_test(a_negative_number_is_no_option),
        cmocka_unit_test(what_is_wrong_is_named),
        cmocka_unit_test(long_words_are_cut_and_not_trusted),
        cmocka_unit_test(one_option_may_take_several_words),
        cmocka_unit_test(help_is_asked_for_wherever_it_stands),
        cmocka_unit_test(help_tells_all_that_is_shown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
