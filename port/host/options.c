/* Reading options by their table, and telling it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "host/options.h"

#include <string.h>

#include "host/number.h"
#include "host/slips.h"

#define WIDTH      100 /* columns of help */
#define ABOUT_SIZE 1024
#define NAME_WIDTH 22 /* of the names before what is told of them; longer ones get a line */

/* ---- kinds ---- */

static bool take_text(const char *text, void *target, const option_row_t *row, char *why)
{
    (void)row, (void)why;
    *(const char **)target = text;
    return text[0] != '\0';
}

static bool take_argument(const char *text, void *target, const option_row_t *row, char *why)
{
    return take_text(text, target, row, why) || true; /* an empty name is a file that cannot be opened */
}

static bool take_switch(const char *text, void *target, const option_row_t *row, char *why)
{
    (void)text, (void)row, (void)why;
    *(bool *)target = true;
    return true;
}

static bool take_number(const char *text, void *target, const option_row_t *row, char *why)
{
    uint64_t value = 0;
    snprintf(why, OPTIONS_WHY_SIZE, "wants a number from %llu to %llu, not '%.64s'",
             (unsigned long long)row->min, (unsigned long long)row->max, text);
    bool ok = number_parse(text, row->min, row->max, &value);
    *(uint32_t *)target = (uint32_t)value;
    return ok;
}

static bool take_size(const char *text, void *target, const option_row_t *row, char *why)
{
    (void)why;
    return number_parse_size(text, row->min, row->max, target);
}

/** Up to three digits behind a point. */
static bool parse_milliseconds(const char *text, uint64_t max_s, uint64_t *ms)
{
    char whole[16];
    size_t len = strcspn(text, ".");
    uint64_t seconds, rest = 0;
    if (len >= sizeof(whole)) {
        return false;
    }
    memcpy(whole, text, len);
    whole[len] = '\0';
    if (!number_parse(whole, 0, max_s, &seconds)) {
        return false;
    }
    if (text[len] == '.') {
        const char *digits = text + len + 1;
        size_t count = strspn(digits, "0123456789");
        if (count == 0 || count > 3 || digits[count] != '\0') {
            return false;
        }
        for (size_t i = 0; i < 3; i++) {
            rest = rest * 10 + (i < count ? (uint64_t)(digits[i] - '0') : 0);
        }
    }
    *ms = seconds * 1000 + rest;
    return true;
}

static bool take_seconds(const char *text, void *target, const option_row_t *row, char *why)
{
    uint64_t ms = 0;
    snprintf(why, OPTIONS_WHY_SIZE, "wants %s%llu to %llu seconds, not '%.64s'",
             row->min == 0 ? "more than " : "", (unsigned long long)row->min, (unsigned long long)row->max,
             text);
    bool ok =
        parse_milliseconds(text, row->max, &ms) && ms > 0 && ms >= row->min * 1000 && ms <= row->max * 1000;
    *(uint32_t *)target = (uint32_t)ms;
    return ok;
}

const option_kind_t option_argument = {"", "a name", take_argument, NULL, NULL};
const option_kind_t option_argument_if_any = {"", "a name", take_argument, NULL, NULL};
const option_kind_t option_switch = {NULL, NULL, take_switch, NULL, NULL};
const option_kind_t option_text = {"TEXT", "a text", take_text, NULL, NULL};
const option_kind_t option_file = {"FILE", "a file", take_text, NULL, NULL};
const option_kind_t option_number = {"N", NULL, take_number, NULL, NULL};
const option_kind_t option_size = {"BYTES", "a number of bytes, as 4096, 64K or 1M", take_size, NULL, NULL};
const option_kind_t option_seconds = {"SECONDS", NULL, take_seconds, NULL, NULL};

/* ---- finding ---- */

static bool is_end(const option_row_t *row)
{
    return row->name == NULL && row->help == NULL;
}

static bool is_argument(const option_row_t *row)
{
    return row->kind == &option_argument || row->kind == &option_argument_if_any;
}

/** NULL of a switch. */
static const char *value_name(const option_row_t *row)
{
    return row->value != NULL ? row->value : row->kind->value;
}

static bool is_option(const option_row_t *row)
{
    return row->name != NULL && !is_argument(row);
}

bool options_resemble(const char *typed, const char *name)
{
    size_t a = strlen(typed), b = strlen(name);
    if (a == 0 || b > SLIPS_NAME_MAX) {
        return false;
    }
    bool begins = a > 2 && strncmp(typed, name, a) == 0;
    return begins || slips_between(typed, name) <= (b > 4 ? 2u : 1u);
}

/** The option of this name of `len` bytes, or the only one that begins so. NULL: none, or which is not clear. */
static const option_row_t *find_name(const option_row_t *rows, const char *name, size_t len)
{
    const option_row_t *found = NULL;
    int count = 0;
    for (const option_row_t *row = rows; !is_end(row); row++) {
        if (is_option(row) && strncmp(row->name, name, len) == 0) {
            if (row->name[len] == '\0') {
                return row;
            }
            found = row;
            count++;
        }
    }
    return count == 1 && len > 0 ? found : NULL;
}

static const option_row_t *find_letter(const option_row_t *rows, char letter)
{
    for (const option_row_t *row = rows; !is_end(row); row++) {
        if (is_option(row) && row->letter == letter) {
            return row;
        }
    }
    return NULL;
}

/* ---- taking ---- */

typedef struct {
    const option_row_t *rows, *next_argument;
    int argc, at; /* what is looked at next */
    char **argv;
    void *into;
    uint64_t given; /* a bit for each row */
    char *why;
} taking_t;

static bool unknown(const taking_t *t, const char *name, size_t len)
{
    char typed[64];
    const char *meant = NULL;
    snprintf(typed, sizeof(typed), "%.*s", (int)(len < sizeof(typed) ? len : sizeof(typed) - 1), name);
    for (const option_row_t *row = t->rows; meant == NULL && !is_end(row); row++) {
        meant = is_option(row) && row->help != NULL && options_resemble(typed, row->name) ? row->name : NULL;
    }
    snprintf(t->why, OPTIONS_WHY_SIZE, "there is no option --%s%s%s%s", typed, meant != NULL ? "; --" : "",
             meant != NULL ? meant : "", meant != NULL ? ", perhaps?" : "");
    return false;
}

/** @param text  the value, NULL: of a switch */
static bool take(taking_t *t, const option_row_t *row, const char *text)
{
    char why[OPTIONS_WHY_SIZE] = "";
    t->given |= (uint64_t)1 << (row - t->rows);
    if (row->kind->take(text, (char *)t->into + row->target, row, why)) {
        return true;
    }
    if (why[0] == '\0') {
        snprintf(why, sizeof(why), "wants %s, not '%.100s'", row->kind->wants, text);
    }
    snprintf(t->why, OPTIONS_WHY_SIZE, "--%s %.*s", row->name, (int)sizeof(why) - 64, why);
    return false;
}

/** An option and its value. @param glued  a value that stands in the same word; NULL: none does */
static bool take_option(taking_t *t, const option_row_t *row, const char *glued)
{
    if (row->kind->value == NULL) {
        snprintf(t->why, OPTIONS_WHY_SIZE, "--%s takes no value", row->name);
        return glued == NULL && take(t, row, NULL);
    }
    if (glued == NULL && t->at == t->argc) {
        snprintf(t->why, OPTIONS_WHY_SIZE, "--%s lacks its value: %s", row->name, value_name(row));
        return false;
    }
    bool ok = take(t, row, glued != NULL ? glued : t->argv[t->at++]);
    while (ok && row->kind->is_more != NULL && t->at < t->argc && row->kind->is_more(t->argv[t->at])) {
        ok = take(t, row, t->argv[t->at++]);
    }
    return ok;
}

static bool take_long(taking_t *t, const char *word)
{
    size_t len = strcspn(word, "=");
    const option_row_t *row = find_name(t->rows, word, len);
    return row != NULL ? take_option(t, row, word[len] == '=' ? word + len + 1 : NULL)
                       : unknown(t, word, len);
}

/** "-q", "-oFILE" or "-qo FILE" */
static bool take_letters(taking_t *t, const char *letters)
{
    for (const char *p = letters; *p != '\0'; p++) {
        const option_row_t *row = find_letter(t->rows, *p);
        if (row == NULL) {
            snprintf(t->why, OPTIONS_WHY_SIZE, "there is no option -%.60s", p);
            return false;
        }
        bool has_value = row->kind->value != NULL;
        if (!take_option(t, row, has_value && p[1] != '\0' ? p + 1 : NULL)) {
            return false;
        }
        if (has_value) {
            return true;
        }
    }
    return true;
}

static bool take_alone(taking_t *t, const char *word)
{
    while (!is_end(t->next_argument) && !is_argument(t->next_argument)) {
        t->next_argument++;
    }
    if (is_end(t->next_argument)) {
        snprintf(t->why, OPTIONS_WHY_SIZE, "'%.200s' is more than is taken", word);
        return false;
    }
    return take(t, t->next_argument++, word);
}

/** What could not be left out and was. */
static bool is_complete(const taking_t *t)
{
    for (const option_row_t *row = t->rows; !is_end(row); row++) {
        bool given = (t->given >> (row - t->rows) & 1) != 0;
        if (!given && row->kind == &option_argument) {
            snprintf(t->why, OPTIONS_WHY_SIZE, "%s is missing", row->name);
            return false;
        }
        if (!given && row->needed) {
            snprintf(t->why, OPTIONS_WHY_SIZE, "--%s %s is missing", row->name, value_name(row));
            return false;
        }
    }
    return true;
}

/** No option has a digit for its letter, so "-7" is a number. */
static bool stands_alone(const char *word)
{
    return word[0] != '-' || word[1] == '\0' || (word[1] >= '0' && word[1] <= '9');
}

options_verdict_t options_take(const option_row_t *rows, int argc, char **argv, void *into, char *why)
{
    taking_t t = {
        .rows = rows, .next_argument = rows, .argc = argc, .at = 1, .argv = argv, .into = into, .why = why};
    bool options_end = false, ok = true;
    while (ok && t.at < argc) {
        const char *word = argv[t.at++];
        if (options_end || stands_alone(word)) {
            ok = take_alone(&t, word);
        } else if (strcmp(word, "--") == 0) {
            options_end = true;
        } else if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
            return OPTIONS_HELP;
        } else {
            ok = word[1] == '-' ? take_long(&t, word + 2) : take_letters(&t, word + 1);
        }
    }
    return ok && is_complete(&t) ? OPTIONS_TAKEN : OPTIONS_WRONG;
}

/* ---- help ---- */

/** One line of `text`, from `column` on. @return what follows it */
static const char *print_line(FILE *out, const char *text, int column)
{
    size_t end = strcspn(text, "\n"), room = (size_t)(WIDTH - column), len = end;
    if (text[0] != ' ' && len > room) {
        for (len = room; len > 0 && text[len] != ' '; len--) {
        }
        len = len > 0 ? len : end; /* a word that is longer than a line */
    }
    fprintf(out, "%.*s\n", (int)len, text);
    return text + len + (text[len] != '\0');
}

void options_print_text(FILE *out, const char *text, int indent)
{
    text = print_line(out, text, indent);
    while (*text != '\0') {
        fprintf(out, "%*s", *text != '\n' ? indent : 0, "");
        text = print_line(out, text, indent);
    }
}

void options_print_usage(FILE *out, const option_row_t *rows)
{
    bool has_options = false;
    for (const option_row_t *row = rows; !is_end(row); row++) {
        if (is_argument(row)) {
            bool if_any = row->kind == &option_argument_if_any;
            fprintf(out, " %s%s%s", if_any ? "[" : "", row->name, if_any ? "]" : "");
        } else if (row->name != NULL && row->needed) {
            fprintf(out, " --%s %s", row->name, value_name(row));
        }
        has_options = has_options || (is_option(row) && row->help != NULL && !row->needed);
    }
    fprintf(out, "%s\n", has_options ? " [OPTION]..." : "");
}

/** What is told of one option. Returns buf. */
static const char *about(const option_row_t *row, char buf[ABOUT_SIZE])
{
    char list[OPTIONS_WHY_SIZE];
    if (row->kind->list == NULL) {
        return row->help;
    }
    snprintf(buf, ABOUT_SIZE, "%s. %s is one of %s", row->help, value_name(row),
             row->kind->list(list, sizeof(list)));
    return buf;
}

void options_print_help(FILE *out, const option_row_t *rows)
{
    bool first = true;
    for (const option_row_t *row = rows; !is_end(row); row++) {
        char letter[8] = "", name[96], text[ABOUT_SIZE];
        if (row->help == NULL) {
            continue;
        }
        if (row->name == NULL) {
            fprintf(out, "%s%s\n", first ? "" : "\n", row->help);
            first = false;
            continue;
        }
        if (row->letter != '\0') {
            snprintf(letter, sizeof(letter), "-%c, ", row->letter);
        }
        const char *value = value_name(row) != NULL ? value_name(row) : "";
        int len = snprintf(name, sizeof(name), "%s%s%s%s%s", letter, is_argument(row) ? "" : "--", row->name,
                           value[0] != '\0' ? " " : "", value);
        bool is_long = len > NAME_WIDTH;
        fprintf(out, "  %-*s%s%*s", NAME_WIDTH, name, is_long ? "\n" : " ", is_long ? NAME_WIDTH + 3 : 0, "");
        options_print_text(out, about(row, text), NAME_WIDTH + 3);
        first = false;
    }
}

/* ---- man page and shells ---- */

/** Text as troff takes it for itself. */
static void print_man_line(FILE *out, const char *text, size_t len)
{
    fprintf(out, len > 0 && (text[0] == '.' || text[0] == '\'') ? "\\&" : "");
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '\\') {
            fprintf(out, "\\e");
        } else {
            fprintf(out, text[i] == '-' ? "\\-" : "%c", text[i]);
        }
    }
    fprintf(out, "\n");
}

static void print_man_text(FILE *out, const char *text)
{
    bool literal = false; /* lines that begin with a space are commands */
    while (*text != '\0') {
        size_t len = strcspn(text, "\n");
        if (literal != (text[0] == ' ')) {
            literal = !literal;
            fprintf(out, literal ? ".PP\n.nf\n" : ".fi\n");
        }
        if (len > 0) {
            print_man_line(out, text, len);
        } else {
            fprintf(out, ".PP\n");
        }
        text += len + (text[len] != '\0');
    }
    fprintf(out, literal ? ".fi\n" : "");
}

void options_print_man(FILE *out, const char *text, const option_row_t *rows)
{
    print_man_text(out, text);
    for (const option_row_t *row = rows; rows != NULL && !is_end(row); row++) {
        char name[96], told[ABOUT_SIZE];
        if (row->help == NULL) {
            continue;
        }
        if (row->name == NULL) {
            fprintf(out, ".PP\n");
            print_man_text(out, row->help);
            continue;
        }
        const char *value = value_name(row);
        const char letter[] = {'-', row->letter, ',', ' ', '\0'};
        int len = snprintf(name, sizeof(name), "%s%s%s%s%s", row->letter != '\0' ? letter : "",
                           is_argument(row) ? "" : "--", row->name, value != NULL ? " " : "",
                           value != NULL ? value : "");
        fprintf(out, ".TP\n.B ");
        print_man_line(out, name, (size_t)len);
        print_man_text(out, about(row, told));
    }
}

static void print_if_begun(FILE *out, const char *before, const char *word, size_t len, const char *typed)
{
    char whole[96];
    snprintf(whole, sizeof(whole), "%s%.*s", before, (int)len, word);
    if (strncmp(whole, typed, strlen(typed)) == 0) {
        fprintf(out, "%s\n", whole);
    }
}

void options_print_completions(FILE *out, const option_row_t *rows, int count, char *const *words)
{
    const char *typed = count > 0 ? words[count - 1] : "", *before = count > 1 ? words[count - 2] : "";
    const option_row_t *row =
        strncmp(before, "--", 2) == 0 ? find_name(rows, before + 2, strlen(before + 2)) : NULL;
    if (row != NULL && row->kind->value != NULL) {
        char list[OPTIONS_WHY_SIZE];
        const char *item = row->kind->list != NULL ? row->kind->list(list, sizeof(list)) : "";
        while (*item != '\0') {
            size_t len = strcspn(item, ", ");
            print_if_begun(out, "", item, len, typed);
            item += len + strspn(item + len, ", ");
        }
    } else if (typed[0] == '-') {
        for (row = rows; !is_end(row); row++) {
            if (is_option(row) && row->help != NULL) {
                print_if_begun(out, "--", row->name, strlen(row->name), typed);
            }
        }
        print_if_begun(out, "--", "help", 4, typed);
    }
}
