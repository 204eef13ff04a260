/* Lines of other programs are known by what stands in them, in English or with names that are the same in all languages. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "build_output.h"

#include <ctype.h>
#include <glob.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

#define VERB "build"

#define NAME_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"

/** Keeps the first line that explains what is wrong. */
static void explain(build_output_t *output, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void explain(build_output_t *output, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    if (output->why[0] == '\0') {
        vsnprintf(output->why, sizeof(output->why), format, ap);
    }
    va_end(ap);
}

#define ALL_THAT_IS_MISSING "`otter build --list-missing` tells what else is missing"

/** Writes the name of the component that gives a header, which whoever includes it does not require. @return false: none */
static bool find_stand_in(const char *header, size_t len, char *name, size_t size)
{
    char pattern[PATH_MAX];
    glob_t found = {0};
    const char *idf = getenv("IDF_PATH"); /* set for the build */
    if (idf == NULL) {
        return false;
    }
    int n = snprintf(pattern, sizeof(pattern), "%s/components/*/include/%.*s", idf, (int)len, header);
    bool is = n > 0 && (size_t)n < sizeof(pattern) && glob(pattern, 0, NULL, &found) == 0;
    if (is) {
        const char *begin = found.gl_pathv[0] + strlen(idf) + strlen("/components/");
        snprintf(name, size, "%.*s", (int)strcspn(begin, "/"), begin);
    }
    globfree(&found);
    return is;
}

/** "main.c:12:10: fatal error: driver/spi_master.h: No such file or directory" */
static void explain_header(build_output_t *output, const char *text)
{
    static const char fatal[] = ": fatal error: ";
    const char *what = strstr(text, fatal), *end = strstr(text, ": No such file or directory");
    if (what != NULL && end != NULL) {
        const char *name = what + strlen(fatal);
        char component[64];
        if (find_stand_in(name, (size_t)(end - name), component, sizeof(component))) {
            explain(
                output,
                "%.*s needs %.*s, which is of component '%s': name that in REQUIRES or PRIV_REQUIRES of the "
                "component that includes it",
                (int)(what - text), text, (int)(end - name), name, component);
            return;
        }
        explain(output,
                "%.*s needs %.*s, which is not here: write a stand-in for it into components/, or leave that "
                "source out for "
                "target linux; " ALL_THAT_IS_MISSING,
                (int)(what - text), text, (int)(end - name), name);
    }
}

/** "main.c:12:2: error: #error "mqtt_client.h needs ...": a stand-in whose library is not installed says so in this form. */
static void explain_library(build_output_t *output, const char *text)
{
    static const char error[] = ": error: #error \"", needs[] = " needs a library that is not installed";
    const char *what = strstr(text, error);
    if (what != NULL && strstr(what, needs) != NULL) {
        const char *name = what + strlen(error);
        explain(output, "%.*s", (int)strcspn(name, "\""), name);
    }
}

/** What stands between quotes, which are of the compiler's language. @return its length, and where it begins; 0: nothing does */
static size_t quoted(const char **text)
{
    size_t before = strcspn(*text, "'`\"\xE2\xC2");
    *text += before + strspn(*text + before, "'`\"\xE2\x80\x98\xC2\xAB");
    return strspn(*text, NAME_CHARACTERS);
}

/** "implicit declaration of function 'ESP_EROR_CHECK'; did you mean 'ESP_ERROR_CHECK'?": the linker will miss it. */
static void keep_meant(build_output_t *output, const char *text)
{
    static const char implicit[] = "implicit declaration of function ", mean[] = "did you mean ";
    const char *name = strstr(text, implicit), *meant = strstr(text, mean);
    if (name == NULL || output->meant_count == BUILD_OUTPUT_MEANT) {
        return;
    }
    name += strlen(implicit);
    meant = meant != NULL ? meant + strlen(mean) : "";
    const size_t name_len = quoted(&name), meant_len = quoted(&meant);
    build_meant_t *kept = &output->meant[output->meant_count++];
    snprintf(kept->name, sizeof(kept->name), "%.*s", (int)name_len, name);
    snprintf(kept->meant, sizeof(kept->meant), "%.*s", (int)meant_len, meant);
}

/** What the compiler took a name for, "" where it had no idea; NULL: something declares it. */
static const char *meant_by(const build_output_t *output, const char *name, int len)
{
    for (size_t i = 0; i < output->meant_count; i++) {
        const build_meant_t *kept = &output->meant[i];
        if (strlen(kept->name) == (size_t)len && strncmp(kept->name, name, (size_t)len) == 0) {
            return kept->meant;
        }
    }
    return NULL;
}

static bool ends_with(const char *name, int len, const char *end)
{
    const int end_len = (int)strlen(end);
    return len > end_len && strncmp(name + len - end_len, end, (size_t)end_len) == 0;
}

/**
 * Symbols of a file that no component embeds: "_binary_server_pem_start", "_binary_server_pem_end", and with them
 * "server_pem_length". Which character each _ stands for they do not say; the last is most likely the point before the file's
 * kind. @return false: it is none of the first two
 */
static bool explain_embedded(build_output_t *output, const char *where, int where_len, const char *name,
                             int len)
{
    static const char prefix[] = "_binary_";
    const int begin = (int)strlen(prefix);
    if (strncmp(name, prefix, strlen(prefix)) != 0 || len - begin > NAME_MAX ||
        !(ends_with(name, len, "_start") || ends_with(name, len, "_end"))) {
        return false;
    }
    char made[NAME_MAX + 1], file[NAME_MAX + 1], length[NAME_MAX + 16];
    snprintf(made, sizeof(made), "%.*s", len - begin, name + begin);
    *strrchr(made, '_') = '\0';
    snprintf(file, sizeof(file), "%s", made);
    char *point = strrchr(file, '_');
    if (point != NULL) {
        *point = '.';
    }
    snprintf(length, sizeof(length), "uses %s_length,", made);
    if (strstr(output->why, length) != NULL) {
        output->why[0] = '\0'; /* this says more */
    }
    explain(
        output,
        "%.*s uses %.*s, which is of a file that no component embeds: name it (%s, or what else becomes %s) "
        "in EMBED_FILES or EMBED_TXTFILES of the component's CMakeLists.txt",
        where_len, where, len, name, file, made);
    return true;
}

/** "main.c:5: undefined reference to `gpio_foo'" */
static void explain_symbol(build_output_t *output, const char *text)
{
    static const char undefined[] = ": undefined reference to `", linker[] = "ld: ";
    const char *what = strstr(text, undefined), *ld = strstr(text, linker);
    text = what != NULL && ld != NULL && ld < what ? ld + strlen(linker) : text;
    const char *name = what != NULL ? what + strlen(undefined) : "";
    int len = (int)strcspn(name, "'");
    const char *meant = what != NULL ? meant_by(output, name, len) : NULL;
    if (what != NULL && meant == NULL && explain_embedded(output, text, (int)(what - text), name, len)) {
        return;
    }
    if (meant != NULL && meant[0] != '\0') {
        explain(output, "%.*s uses %.*s, which nobody declares: is %s meant?", (int)(what - text), text, len,
                name, meant);
    } else if (meant != NULL) {
        explain(
            output,
            "%.*s uses %.*s, which is neither declared nor here: include its header, correct the name, or "
            "write a stand-in for it into components/; " ALL_THAT_IS_MISSING,
            (int)(what - text), text, len, name);
    } else if (what != NULL && len == 8 && strncmp(name, "app_main", 8) == 0) {
        explain(output, "no component has app_main(): the project begins there, write it in main/");
    } else if (what != NULL) {
        explain(output,
                "%.*s uses %.*s, which is not here: write a stand-in for it into "
                "components/; " ALL_THAT_IS_MISSING,
                (int)(what - text), text, len, name);
    }
}

/** A path of the linker's: lib.a, or lib.a(object.o). In an archive that the build has made it is the object that is wrong. */
static void explain_machine(build_output_t *output, const char *path, size_t len)
{
    static const char made[] = "esp-idf/";
    const char *member = memchr(path, '(', len);
    if (member != NULL && strncmp(path, made, strlen(made)) == 0) {
        len -= (size_t)(member + 1 - path) + 1;
        path = member + 1;
        member = NULL;
    }
    explain(output,
            "%.*s is for another machine: here a library needs to be compiled for this one. Add its sources, "
            "or a stand-in for it in components/, and leave it out where IDF_TARGET is linux",
            (int)(member != NULL ? (size_t)(member - path) : len), path);
}

/**
 * "ld: unknown architecture of input file `lib.a(a.o)' is incompatible with i386:x86-64 output",
 * "ld: lib.a(a.o): Relocations in generic ELF (EM: 94)",
 * "ld: cannot use executable file 'a.elf' as input to a link",
 * "ld: lib.a: file in wrong format",
 * "ld: lib.a: error adding symbols: archive has no index", "ld: skipping incompatible ./lib.a when searching for -lNAME".
 */
static void explain_linked(build_output_t *output, const char *text)
{
    static const char generic[] = ": Relocations in generic ELF (";
    static const char input[] = " of input file `", skips[] = "skipping incompatible ", linker[] = "ld: ";
    static const char program[] = "cannot use executable file '";
    static const char *const damaged[] = {": error adding symbols: ", ": file format not recognized"};
    const char *file = strstr(text, input), *skip = strstr(text, skips), *ld = strstr(text, linker);
    const char *wrong = strstr(text, ": file in wrong format"), *absent = strstr(text, ": cannot find -l");
    if (file != NULL && strstr(text, "' is incompatible with ") != NULL) {
        file += strlen(input);
        explain_machine(output, file, strcspn(file, "'"));
    } else if (ld != NULL && strstr(ld, generic) != NULL) {
        ld += strlen(linker);
        explain_machine(output, ld, (size_t)(strstr(ld, generic) - ld));
    } else if (skip != NULL) {
        skip += strlen(skips);
        snprintf(output->skipped, sizeof(output->skipped), "%.*s", (int)strcspn(skip, " "), skip);
    } else if (wrong != NULL && ld != NULL && ld < wrong) {
        ld += strlen(linker);
        explain_machine(output, ld, strcspn(ld, ":"));
    } else if (absent != NULL && output->skipped[0] != '\0') {
        explain_machine(output, output->skipped, strlen(output->skipped));
    } else if (absent != NULL) {
        absent += strlen(": cannot find -l");
        explain(output,
                "the project links lib%.*s.a, which is not there: correct the name in the component's "
                "CMakeLists.txt, "
                "or leave it out where IDF_TARGET is linux",
                (int)strcspn(absent, ":"), absent);
    }
    const char *executable = strstr(text, program);
    if (executable != NULL) {
        executable += strlen(program);
        explain(
            output,
            "%.*s is a program, and no library: leave it out of what the project links; EMBED_FILES takes a "
            "file as it is",
            (int)strcspn(executable, "'"), executable);
    }
    for (size_t i = 0; i < sizeof(damaged) / sizeof(damaged[0]); i++) {
        const char *what = strstr(text, damaged[i]);
        const char *path = strstr(text, "ld:");
        if (what != NULL && path != NULL && path < what) {
            path += strlen("ld:") + strspn(path + strlen("ld:"), " ");
            explain(
                output,
                "%.*s is no library that can be linked here (it is damaged, or for another machine): add its "
                "sources, or a stand-in for it in components/",
                (int)(what - path), path);
        }
    }
}

/** "cc1: error: unrecognized option", of gcc and what it calls: no file stands in front. */
static void explain_option(build_output_t *output, const char *text)
{
    static const char *const programs[] = {"cc: ", "gcc: ", "c++: ", "g++: ", "cc1: ", "cc1plus: "};
    static const char error[] = "error: ";
    for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++) {
        const char *what = text + strlen(programs[i]);
        if (strncmp(text, programs[i], strlen(programs[i])) == 0 &&
            strncmp(what, error, strlen(error)) == 0) {
            explain(output,
                    "this machine's compiler does not take an option: %s (correct it, or leave it out where "
                    "IDF_TARGET is linux)",
                    what + strlen(error));
        }
    }
}

/** "ninja: error: '/x/lib.a', needed by 'a.elf', missing and no known rule to make it" */
static void explain_needed(build_output_t *output, const char *text)
{
    static const char error[] = "ninja: error: '", needed[] = "', needed by '";
    const char *end = strstr(text, needed);
    if (end != NULL && strncmp(text, error, strlen(error)) == 0) {
        const char *path = text + strlen(error);
        explain(output,
                "there is no %.*s, and nothing makes it: put it there, or correct its name in the "
                "component's CMakeLists.txt",
                (int)(end - path), path);
    }
}

/** CMake names the file on a line of its own. */
static void explain_source(build_output_t *output, const char *text)
{
    if (output->names_source && text[strspn(text, " ")] != '\0') {
        explain(output,
                "there is no source file %s: correct its name in the CMakeLists.txt that registers it",
                text + strspn(text, " "));
        output->names_source = false;
    }
    output->names_source = output->names_source || strstr(text, "Cannot find source file:") != NULL;
}

/** "CMake Error at CMakeLists.txt:7 (foo):", and what is wrong in the next line that is not empty. */
static void keep_cmake(build_output_t *output, const char *text)
{
    static const char error[] = "CMake Error at ";
    const size_t blank = strspn(text, " "), len = strlen(output->cmake);
    if (strncmp(text, error, strlen(error)) == 0 && len == 0) {
        const char *where = text + strlen(error);
        snprintf(output->cmake, sizeof(output->cmake), "%.*s:", (int)strcspn(where, " "), where);
    } else if (len > 0 && output->cmake[len - 1] == ':' && text[blank] != '\0') {
        snprintf(output->cmake + len, sizeof(output->cmake) - len, " %s.", text + blank);
    }
}

/** What the compiler says is shown; how it was called, and how far ninja is, is not. */
static bool is_shown(build_output_t *output, const char *text)
{
    bool of_failure = output->failed;
    output->failed = strncmp(text, "FAILED: ", 8) == 0;
    bool progress = text[0] == '[' && isdigit((unsigned char)text[1]);
    return !output->quiet && !of_failure && !output->failed && !progress &&
           strncmp(text, "ninja: ", 7) != 0 && strncmp(text, "-- ", 3) != 0 &&
           strncmp(text, "otter: ", 7) != 0;
}

void build_output_keep(void *arg, const char *text)
{
    build_output_t *output = arg;
    static const char prefix[] = "otter: ", status_prefix[] = "-- otter: ";
    snprintf(output->tail[output->lines++ % BUILD_OUTPUT_TAIL], sizeof(output->tail[0]), "%s", text);
    if (strncmp(text, prefix, strlen(prefix)) == 0) {
        explain(output, "%s", text + strlen(prefix));
    } else if (strncmp(text, status_prefix, strlen(status_prefix)) == 0) {
        cli_note(VERB, "%s", text + strlen(status_prefix));
    }
    explain_header(output, text);
    explain_library(output, text);
    keep_meant(output, text);
    explain_symbol(output, text);
    explain_linked(output, text);
    explain_option(output, text);
    explain_needed(output, text);
    explain_source(output, text);
    keep_cmake(output, text);
    if (is_shown(output, text)) {
        printf("%s\n", text);
    }
}

int build_output_fail(const build_output_t *output, const char *what)
{
    fflush(stdout);
    if (output->why[0] != '\0') {
        return cli_fail(VERB, "%s", output->why);
    }
    size_t first = output->lines > BUILD_OUTPUT_TAIL ? output->lines - BUILD_OUTPUT_TAIL : 0;
    for (size_t i = first; output->quiet && i < output->lines; i++) {
        fprintf(stderr, "%s\n", output->tail[i % BUILD_OUTPUT_TAIL]);
    }
    const char *cmake = output->cmake;
    return cli_fail(VERB, "%s%s%.*s", what, cmake[0] != '\0' ? ": " : "",
                    (int)(strlen(cmake) - (cmake[0] != '\0')), cmake);
}
