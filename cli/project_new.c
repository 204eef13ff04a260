/* otter new: the beginning of an ESP-IDF project, which ESP-IDF builds, too. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli.h"
#include "idf_path.h"

#define VERB      "new"
#define FILE_MAX  (1u << 20) /* bytes of a file of the template */
#define PATH_SIZE (PATH_MAX + 64)

typedef struct {
    const char *folder;
} new_project_t;

/* What idf/template has, and the folder and file that it becomes; the project's own name stands for my_project in each. */
static const struct {
    const char *from, *to;
} files[] = {
    {"CMakeLists.txt", "CMakeLists.txt"},
    {"gitignore", ".gitignore"},
    {"partitions.csv", "partitions.csv"},
    {"sdkconfig.defaults", "sdkconfig.defaults"},
    {"version.txt", "version.txt"},
    {"main/CMakeLists.txt", "main/CMakeLists.txt"},
    {"main/Kconfig.projbuild", "main/Kconfig.projbuild"},
    {"main/idf_component.yml", "main/idf_component.yml"},
    {"main/main.c", "main/main.c"},
};

/** CMake and C take it: letters, digits, _ and -, a letter first. */
static bool is_name(const char *name)
{
    bool ok = isalpha((unsigned char)name[0]) != 0;
    for (const char *c = name; *c != '\0'; c++) {
        ok = ok && (isalnum((unsigned char)*c) != 0 || *c == '_' || *c == '-');
    }
    return ok && strlen(name) < 32; /* what the app descriptor holds */
}

/** The text with the project's name in it. @return malloc'ed; NULL: out of memory */
static char *rename_project(const char *text, const char *name)
{
    static const char old[] = "my_project";
    char *made = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&made, &len);
    if (out == NULL) {
        return NULL;
    }
    for (const char *at; (at = strstr(text, old)) != NULL; text = at + strlen(old)) {
        fwrite(text, 1, (size_t)(at - text), out);
        fputs(name, out);
    }
    fputs(text, out);
    if (fclose(out) != 0) {
        free(made);
        return NULL;
    }
    return made;
}

static bool copy_file(const char *from, const char *to, const char *name)
{
    size_t len;
    uint8_t *text = cli_read_file(VERB, from, FILE_MAX, &len);
    char *made = text != NULL ? rename_project((char *)text, name) : NULL;
    bool ok = made != NULL ? cli_write_file(VERB, to, made, strlen(made))
                           : text != NULL && cli_refuse(VERB, "out of memory");
    free(made);
    free(text);
    return ok;
}

static bool make_folder(const char *path)
{
    return mkdir(path, 0777) == 0 ||
           cli_refuse(
               VERB, errno == EEXIST ? "%s is there already (%s): name another folder" : "cannot make %s: %s",
               path, strerror(errno));
}

static int new_project(void *options)
{
    const new_project_t *o = options;
    char idf[PATH_MAX], from[PATH_SIZE], to[PATH_SIZE];
    const char *slash = strrchr(o->folder, '/');
    const char *name = slash != NULL ? slash + 1 : o->folder;
    if (!is_name(name)) {
        return cli_fail(VERB,
                        "a project's name is that of its folder: letters, digits, _ and -, a letter first, "
                        "at most 31; not '%s'",
                        name);
    }
    snprintf(to, sizeof(to), "%s/main", o->folder);
    if (strlen(o->folder) >= PATH_MAX - 32 || !idf_path_find(VERB, idf) || !make_folder(o->folder) ||
        !make_folder(to)) {
        return EXIT_FAILED;
    }
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        snprintf(from, sizeof(from), "%s/template/%s", idf, files[i].from);
        snprintf(to, sizeof(to), "%s/%s", o->folder, files[i].to);
        if (!copy_file(from, to, name)) {
            return EXIT_FAILED;
        }
    }
    cli_did("%s: a project that updates itself over HTTPS; `otter build %s && otter run %s/build-otter` "
            "starts it",
            o->folder, o->folder, o->folder);
    return EXIT_DONE;
}

static const option_row_t rows[] = {
    {"PROJECT", &option_argument, offsetof(new_project_t, folder), .help = NULL},
    {0},
};

const cli_verb_t new_verb = {
    .name = VERB,
    .line = "start an ESP-IDF project, with an update over HTTPS in it",
    .about = "Makes a folder with the beginning of a project: an app with rollback, two slots, and an update "
             "over HTTPS. "
             "`otter build` builds it for a PC, ESP-IDF for a chip (idf.py set-target esp32c3 build). "
             "docs/ESP-IDF-PROJECTS.md shows how it gets its first update.\n",
    .after = "example: otter new thermostat && otter build thermostat && otter run thermostat/build-otter\n",
    .options = rows,
    .size = sizeof(new_project_t),
    .run = new_project,
};
