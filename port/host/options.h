/* What a command takes: one table says how each option is called, where its value goes and what help tells of it. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* What each command ends with. */
enum {
    EXIT_DONE = 0,
    EXIT_FAILED = 1, /* the operation failed: one line on stderr says what, where, and the next step */
    EXIT_USAGE = 2,  /* wrong usage */
};

#define OPTIONS_WHY_SIZE 320u

typedef struct option_row option_row_t;

/** What values an option takes. */
typedef struct {
    const char *value; /* what help calls it, as "NAME"; NULL: the option is a switch */
    const char *wants; /* "a chip, as esp32c3", to go behind "--chip wants "; NULL: `take` always says it */
    /**
     * @param text    what was typed; NULL of a switch
     * @param target  where row->target points
     * @param why     one line of OPTIONS_WHY_SIZE bytes if there is more to say than `wants`, empty before
     * @return false: it is none
     */
    bool (*take)(const char *text, void *target, const option_row_t *row, char *why);
    bool (*is_more)(const char *text); /* the next word is one more value; NULL: it never is */
    /** All values, for help; returns buf. NULL: they are not listed. */
    const char *(*list)(char *buf, size_t size);
} option_kind_t;

/** One option, argument or heading. A table ends with a row of zeros. */
struct option_row {
    const char *name;          /* without "--"; of an argument as the usage calls it. NULL: a heading */
    const option_kind_t *kind; /* option_argument: no option, but the next thing that stands alone */
    size_t target;             /* offset of the value in the struct that is filled */
    const char *help;          /* NULL: taken, and not shown: a name of older days */
    char letter;               /* "-o"; 0: none */
    bool needed;               /* an option that cannot be left out */
    uint64_t min, max;         /* of kinds that are numbers */
    const char *value;         /* what help calls the value; NULL: as the kind does */
};

/* Kinds for everybody; in brackets the type of the target. */
extern const option_kind_t option_argument;        /* (const char *) */
extern const option_kind_t option_argument_if_any; /* the same; without it the target keeps its default */
extern const option_kind_t option_switch;          /* (bool) becomes true */
extern const option_kind_t option_text;            /* (const char *) */
extern const option_kind_t option_file;            /* (const char *) */
extern const option_kind_t option_number;          /* (uint32_t) from min to max */
extern const option_kind_t option_size;            /* (uint64_t) from min to max, 4K and 1M are understood */
extern const option_kind_t option_seconds; /* (uint32_t, milliseconds) from min to max seconds, 2.5 is fine */

typedef enum {
    OPTIONS_TAKEN,
    OPTIONS_HELP,  /* --help or -h was among them */
    OPTIONS_WRONG, /* `why` says what */
} options_verdict_t;

/**
 * Reads the arguments behind the name in argv[0], options and others in any order: --name VALUE, --name=VALUE, -l VALUE,
 * -lVALUE; the start of a name that only one option has; behind "--" no option comes any more, and "-7" is none.
 * @param into  the struct that is filled, with its defaults in it
 * @param why   OPTIONS_WHY_SIZE bytes
 */
options_verdict_t options_take(const option_row_t *rows, int argc, char **argv, void *into, char *why);

/** "FLASH [FILE] --ca FILE [OPTION]...": what stands behind the command's name. */
void options_print_usage(FILE *out, const option_row_t *rows);

/** A line or more for each option that is shown. */
void options_print_help(FILE *out, const option_row_t *rows);

/**
 * Prints the lines of a text, each in as many as it needs to stay within 100 columns. Lines that begin with a space are
 * printed as they are.
 * @param indent  columns before each line but the first; that many are in use already
 */
void options_print_text(FILE *out, const char *text, int indent);

/** A text like those of options_print_text(), for a man page; with `rows` the options that are shown behind it. */
void options_print_man(FILE *out, const char *text, const option_row_t *rows);

/**
 * Prints what a shell may put for the last of `words`, one a line: names of options, or values where a kind lists its own.
 * Nothing where a file is wanted.
 */
void options_print_completions(FILE *out, const option_row_t *rows, int count, char *const *words);

/** True if one may have been meant by the other: a slip or two apart, or its beginning. */
bool options_resemble(const char *typed, const char *name);
