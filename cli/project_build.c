/* otter build: an ESP-IDF project folder, by cmake and ninja; and otter idf-path, otter menuconfig, which belong to it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "build_folder.h"
#include "build_output.h"
#include "cli.h"
#include "idf_path.h"
#include "linux/lock_holder.h"

#define VERB      "build"
#define WORDS_MAX 64u

/* Another build of the same folder. */
#define WAIT_STEP_MS 50
#define WAIT_MS      600000

typedef struct {
    const char *project, *folder, *config, *sanitize;
    bool coverage, list_missing;
    const char *defines[WORDS_MAX]; /* NAME=VALUE for cmake */
    size_t define_count;
} build_t;

/** A command line. */
typedef struct {
    char *words[WORDS_MAX + 1];
    size_t count;
} command_t;

static void add(command_t *command, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void add(command_t *command, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    if (command->count < WORDS_MAX && vasprintf(&command->words[command->count], format, ap) >= 0) {
        command->count++;
    }
    va_end(ap);
}

static void free_words(command_t *command)
{
    while (command->count > 0) {
        free(command->words[--command->count]);
    }
}

/**
 * Runs a command whose output goes through `line`, which may keep it back.
 * @return its exit status; -1, and said: it cannot be started
 */
static int run_command(const command_t *command, void (*line)(void *arg, const char *text), void *arg)
{
    int ends[2], status = 0;
    if (pipe(ends) != 0) {
        (void)cli_fail(VERB, "no pipe: %s", strerror(errno));
        return -1;
    }
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        dup2(ends[1], STDOUT_FILENO);
        dup2(ends[1], STDERR_FILENO);
        close(ends[0]);
        close(ends[1]);
        execvp(command->words[0], command->words);
        dprintf(STDOUT_FILENO,
                "otter: cannot run %s: %s; install it (on Debian: apt install cmake ninja-build gcc)\n",
                command->words[0], strerror(errno));
        _exit(127);
    }
    close(ends[1]);
    FILE *output = pid > 0 ? fdopen(ends[0], "r") : NULL;
    char *text = NULL;
    size_t room = 0;
    while (output != NULL && getline(&text, &room, output) > 0) {
        text[strcspn(text, "\r\n")] = '\0';
        line(arg, text);
    }
    free(text);
    if (output != NULL) {
        fclose(output);
    }
    if (pid <= 0 || waitpid(pid, &status, 0) != pid) {
        (void)cli_fail(VERB, "cannot run %s: %s", command->words[0], strerror(errno));
        return -1;
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* ---- the two steps ---- */

/** What of the folder is no project that this can build. */
static bool check_project(const build_t *b)
{
    char path[PATH_MAX];
    snprintf(path, sizeof(path), "%s/CMakeLists.txt", b->project);
    if (access(path, F_OK) == 0) {
        return true;
    }
    if (!build_folder_is(b->project)) {
        return cli_refuse(VERB, "%s is no folder: say which project to build", b->project);
    }
    snprintf(path, sizeof(path), "%s/Makefile", b->project);
    if (access(path, F_OK) == 0) {
        return cli_refuse(
            VERB,
            "%s has a Makefile and no CMakeLists.txt: this is a project of ESP-IDF's old build system, which "
            "ended with ESP-IDF 4; convert it with ESP-IDF 4's tools/cmake/convert_to_cmake.py",
            b->project);
    }
    return cli_refuse(
        VERB,
        "%s has no CMakeLists.txt: name the folder of a project, or start one with `otter new my_project`",
        b->project);
}

/** CMake and ninja have a meaning of their own for some characters, which ESP-IDF's build does not survive either. */
static bool check_path(const char *name)
{
    char path[PATH_MAX];
    if (realpath(name, path) == NULL) {
        snprintf(path, sizeof(path), "%s", name);
    }
    const char *odd = strpbrk(path, "\"#;<>\\");
    odd = odd != NULL ? odd : strstr(path, "${");
    odd = odd != NULL ? odd : strstr(path, "$(");
    return odd == NULL ||
           cli_refuse(VERB, "%s: CMake cannot build in a folder that has a %c in its path: rename or move it",
                      path, *odd);
}

/** The folder itself, with those above it. @return false: errno says why */
static bool make_folder(const char *folder)
{
    char path[PATH_MAX];
    snprintf(path, sizeof(path), "%s", folder);
    for (char *slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        (void)mkdir(path, 0777); /* the last one tells */
        *slash = '/';
    }
    return mkdir(path, 0777) == 0 || errno == EEXIST;
}

/** The build folder is this process's until it ends: two at once would overwrite each other's files. @return false, and said */
static bool take_folder(const build_t *b)
{
    if (!check_path(b->project) || !check_path(b->folder)) {
        return false;
    }
    int fd = make_folder(b->folder) && access(b->folder, W_OK) == 0
                 ? open(b->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
                 : -1;
    if (fd < 0) {
        return cli_refuse(VERB, "%s: %s; --build-dir FOLDER names another place to build in", b->folder,
                          strerror(errno));
    }
    bool taken =
        flock(fd, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK; /* not every file system has locks */
    if (!taken) {
        char holder[LOCK_HOLDER_SIZE];
        lock_holder_name(b->folder, holder, sizeof(holder));
        cli_note(VERB, "waiting for another build in %s: %s", b->folder, holder);
    }
    const struct timespec step = {.tv_nsec = WAIT_STEP_MS * 1000000L};
    for (int waited = 0; !taken && waited < WAIT_MS; waited += WAIT_STEP_MS) {
        nanosleep(&step, NULL);
        taken = flock(fd, LOCK_EX | LOCK_NB) == 0;
    }
    return taken ||
           cli_refuse(VERB, "another build in %s has not ended for %d minutes", b->folder, WAIT_MS / 60000);
}

/** The path of --config's file: itself, or sdkconfig.ci.NAME of the project. @return false, and said: neither is there */
static bool find_config(const build_t *b, char path[PATH_MAX])
{
    static const char *const forms[] = {"%s/sdkconfig.ci.%s", "%s/%s"};
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        char candidate[PATH_MAX];
        snprintf(candidate, sizeof(candidate), i == 0 ? "%s/sdkconfig.ci.%s" : "%s/%s", b->project,
                 b->config);
        if (realpath(candidate, path) != NULL) {
            return true;
        }
    }
    return realpath(b->config, path) != NULL ||
           cli_refuse(VERB, "--config %s: there is neither %s/sdkconfig.ci.%s nor a file of that name",
                      b->config, b->project, b->config);
}

/** @return false, and said */
static bool make_configure(const build_t *b, const char *idf, command_t *command)
{
    char config[PATH_MAX], defaults[PATH_MAX];
    add(command, "cmake");
    add(command,
        "--fresh"); /* whatever an earlier one was for, here or in a folder that this one was copied from */
    add(command, "-G");
    add(command, "Ninja");
    add(command, "-S");
    add(command, "%s", b->project);
    add(command, "-B");
    add(command, "%s", b->folder);
    add(command, "-DOTTER_PROJECT_SANITIZE=%s", b->sanitize != NULL ? b->sanitize : "");
    add(command, "-DOTTER_PROJECT_COVERAGE=%s", b->coverage ? "ON" : "");
    if (b->config != NULL) {
        if (!find_config(b, config)) {
            return false;
        }
        snprintf(defaults, sizeof(defaults), "%s/sdkconfig.defaults", b->project);
        add(command, "-DSDKCONFIG_DEFAULTS=%s%s", access(defaults, F_OK) == 0 ? "sdkconfig.defaults;" : "",
            config);
    }
    for (size_t i = 0; i < b->define_count; i++) {
        add(command, "-D%s", b->defines[i]);
    }
    add(command, "-DOTTER_LIST_MISSING=%s", b->list_missing ? "ON" : "");
    return setenv("IDF_PATH", idf, 1) == 0;
}

/** The command line of the last configuration is kept: with the same one, ninja sees what has changed. */
static bool is_configured(const build_t *b, const char *idf, const command_t *command, char stamp[PATH_MAX],
                          char **line)
{
    size_t len = 0, known_len = 0;
    FILE *text = open_memstream(line, &len);
    char project[PATH_MAX];
    if (text != NULL && realpath(b->project, project) != NULL) {
        fprintf(text, "%s\n%s\n", project, idf);
    }
    for (size_t i = 0; text != NULL && i < command->count; i++) {
        fprintf(text, "%s\n", command->words[i]);
    }
    if (text != NULL) {
        fclose(text);
    }
    snprintf(stamp, PATH_MAX, "%s/config/command", b->folder);
    char ninja[PATH_MAX];
    snprintf(ninja, sizeof(ninja), "%s/build.ninja", b->folder);
    if (access(stamp, F_OK) != 0 || access(ninja, F_OK) != 0) {
        return false;
    }
    uint8_t *known = cli_read_file(VERB, stamp, 1u << 20, &known_len);
    bool same = known != NULL && *line != NULL && strcmp((char *)known, *line) == 0;
    free(known);
    return same;
}

static int configure_anew(const build_t *b, const command_t *command, const char *stamp, const char *line)
{
    build_output_t output = {.quiet = true};
    char decided[PATH_MAX];
    snprintf(decided, sizeof(decided), "%s/config/components.cmake", b->folder);
    unlink(stamp);
    unlink(decided);
    if (run_command(command, build_output_keep, &output) != 0) {
        return build_output_fail(&output, "cmake cannot configure the project");
    }
    if (access(decided, F_OK) != 0) {
        return cli_fail(VERB,
                        "%s/CMakeLists.txt is not that of an ESP-IDF project: it has no "
                        "include($ENV{IDF_PATH}/tools/cmake/project.cmake) with a project() behind it",
                        b->project);
    }
    return line != NULL && cli_write_file(VERB, stamp, line, strlen(line)) ? EXIT_DONE : EXIT_FAILED;
}

static int configure(const build_t *b, const char *idf)
{
    command_t command = {0};
    char stamp[PATH_MAX], *line = NULL;
    int status = make_configure(b, idf, &command) ? EXIT_DONE : EXIT_FAILED;
    if (status == EXIT_DONE && !is_configured(b, idf, &command, stamp, &line)) {
        status = configure_anew(b, &command, stamp, line);
    }
    free(line);
    free_words(&command);
    return status;
}

/** @param folder  memory for the path, if none was named */
static void set_folder(build_t *b, char folder[PATH_MAX])
{
    if (b->folder == NULL) {
        snprintf(folder, PATH_MAX, "%s/" BUILD_FOLDER_NAME, b->project);
        b->folder = folder;
    }
}

/** The Python that the configuration has found, malloc'ed; NULL: it is not told. */
static char *python_of(const build_t *b)
{
    static const char key[] = "otter_python:INTERNAL=";
    char path[PATH_MAX];
    size_t len;
    snprintf(path, sizeof(path), "%s/CMakeCache.txt", b->folder);
    uint8_t *cache = cli_read_file(VERB, path, 1u << 24, &len);
    const char *at = cache != NULL ? strstr((char *)cache, key) : NULL;
    char *python = at != NULL ? strndup(at + strlen(key), strcspn(at + strlen(key), "\n")) : NULL;
    free(cache);
    return python;
}

/** @return EXIT_FAILED when something is missing */
static int list_missing(const build_t *b, const char *idf)
{
    command_t command = {0};
    build_output_t output = {0};
    add(&command, "python3");
    add(&command, "-B");
    add(&command, "%s/tools/list_missing.py", idf);
    add(&command, "--build");
    add(&command, "%s", b->folder);
    add(&command, "--project");
    add(&command, "%s", b->project);
    int status = run_command(&command, build_output_keep, &output);
    free_words(&command);
    return status == 0 ? EXIT_DONE : EXIT_FAILED;
}

static int build(void *options)
{
    build_t *b = options;
    char idf[PATH_MAX], folder[PATH_MAX];
    build_output_t output = {0};
    if (!check_project(b) || !idf_path_find(VERB, idf)) {
        return EXIT_FAILED;
    }
    set_folder(b, folder);
    int status = take_folder(b) ? configure(b, idf) : EXIT_FAILED;
    if (status != EXIT_DONE) {
        return status;
    }
    command_t command = {0};
    if (b->list_missing) {
        return list_missing(b, idf);
    }
    add(&command, "cmake");
    add(&command, "--build");
    add(&command, "%s", b->folder);
    status = run_command(&command, build_output_keep, &output);
    free_words(&command);
    if (status != 0) {
        return build_output_fail(&output, "the project does not compile: see above");
    }
    cli_did("%s is built: `otter run %s` starts it", b->project, b->folder);
    return EXIT_DONE;
}

static bool take_define(const char *text, void *target, const option_row_t *row, char *why)
{
    (void)row;
    build_t *b = target;
    if (b->define_count == sizeof(b->defines) / sizeof(b->defines[0]) / 2) {
        snprintf(why, OPTIONS_WHY_SIZE, "is given too often");
        return false;
    }
    b->defines[b->define_count++] = text;
    return strchr(text, '=') != NULL;
}

static const option_kind_t kind_define = {"NAME=VALUE", "NAME=VALUE", take_define, NULL, NULL};

static const option_row_t rows[] = {
    {"PROJECT", &option_argument_if_any, offsetof(build_t, project), .help = NULL},
    {"build-dir", &option_file, offsetof(build_t, folder),
     .help = "where it is built (default: PROJECT/build-otter)", .letter = 'B', .value = "FOLDER"},
    {"config", &option_text, offsetof(build_t, config),
     .help =
         "take the options of PROJECT/sdkconfig.ci.NAME, or of a file, behind those of sdkconfig.defaults",
     .value = "NAME"},
    {"define", &kind_define, 0,
     .help = "a variable for the project's CMakeLists.txt, such as PROJECT_VER=2.0.0", .letter = 'D'},
    {"sanitize", &option_text, offsetof(build_t, sanitize),
     .help = "compile the project's files with gcc's sanitizers: address,undefined or thread; what one "
             "reports is a crash",
     .value = "LIST"},
    {"list-missing", &option_switch, offsetof(build_t, list_missing),
     .help = "tell all that the project uses and that is not here (headers, functions, components), and "
             "build nothing"},
    {"coverage", &option_switch, offsetof(build_t, coverage),
     .help = "compile the project's files so that a run leaves what it has covered"},
    {0},
};

const cli_verb_t build_verb = {
    .name = VERB,
    .line = "build an ESP-IDF project folder for the virtual device",
    .about =
        "Builds an ESP-IDF project folder as it is (CMakeLists.txt, main/, components/, sdkconfig.defaults, "
        "Kconfig) for "
        "chip linux. All that comes of it is in PROJECT/build-otter; the project's own build/, sdkconfig and "
        "managed_components/ are not touched.\n",
    .after = "example: otter build my_project && otter run my_project/build-otter\n"
             "The same without this verb: IDF_PATH=$(otter idf-path) cmake -G Ninja -S my_project -B "
             "my_project/build-otter\n",
    .options = rows,
    .size = sizeof(build_t),
    .defaults = &(const build_t){.project = "."},
    .run = build,
};

/** The menus take over this process and its terminal. */
static int menuconfig(void *options)
{
    build_t *b = options;
    char idf[PATH_MAX], folder[PATH_MAX];
    if (!check_project(b) || !idf_path_find("menuconfig", idf)) {
        return EXIT_FAILED;
    }
    set_folder(b, folder);
    int status = take_folder(b) ? configure(b, idf) : EXIT_FAILED;
    if (status != EXIT_DONE) {
        return status;
    }
    char *python = python_of(b);
    command_t command = {0};
    add(&command, "%s", python != NULL ? python : "python3");
    free(python);
    add(&command, "-B");
    add(&command, "%s/tools/menus.py", idf);
    add(&command, "--idf");
    add(&command, "%s", idf);
    add(&command, "--project");
    add(&command, "%s", b->project);
    add(&command, "--build");
    add(&command, "%s", b->folder);
    execvp(command.words[0], command.words);
    int error = errno;
    free_words(&command);
    return cli_fail("menuconfig", "cannot run python3: %s", strerror(error));
}

static const option_row_t menuconfig_rows[] = {
    {"PROJECT", &option_argument_if_any, offsetof(build_t, project), .help = NULL},
    {"build-dir", &option_file, offsetof(build_t, folder),
     .help = "where it is built (default: PROJECT/build-otter)", .letter = 'B', .value = "FOLDER"},
    {0},
};

const cli_verb_t menuconfig_verb = {
    .name = "menuconfig",
    .line = "change the options of an ESP-IDF project, for the virtual device",
    .about = "Shows the options of a project in menus and keeps what is changed in "
             "PROJECT/build-otter/sdkconfig; the project's own "
             "sdkconfig is not touched. The next `otter build` goes by it.\n",
    .after = "example: otter menuconfig my_project && otter build my_project\n",
    .options = menuconfig_rows,
    .size = sizeof(build_t),
    .defaults = &(const build_t){.project = "."},
    .run = menuconfig,
};

static int tell_idf_path(void *options)
{
    (void)options;
    char idf[PATH_MAX];
    if (!idf_path_find("idf-path", idf)) {
        return EXIT_FAILED;
    }
    printf("%s\n", idf);
    return EXIT_DONE;
}

static const option_row_t no_rows[] = {{0}};

const cli_verb_t idf_path_verb = {
    .name = "idf-path",
    .line = "print what IDF_PATH is for otter",
    .about = "Prints the folder that has otter's tools/cmake/project.cmake, to be set as IDF_PATH where "
             "cmake is run by hand.\n",
    .after = "example: export IDF_PATH=$(otter idf-path); cmake -G Ninja -S my_project -B "
             "my_project/build-otter\n",
    .options = no_rows,
    .size = 1,
    .defaults = "",
    .run = tell_idf_path,
};

static int tell_idf_components(void *options)
{
    (void)options;
    char idf[PATH_MAX];
    if (!idf_path_find("idf-components", idf)) {
        return EXIT_FAILED;
    }
    printf("%s/inside\n", idf);
    return EXIT_DONE;
}

const cli_verb_t idf_components_verb = {
    .name = "idf-components",
    .line = "print what EXTRA_COMPONENT_DIRS is for ESP-IDF itself",
    .about =
        "Prints the folder of components with which a checkout of ESP-IDF (5.4 or later) builds its own "
        "esp_https_ota, esp_ota_ops and image verifier for its target linux, as a firmware of `otter run`. "
        "docs/INSIDE-ESP-IDF.md has the steps.\n",
    .after = "example: idf.py --preview -D EXTRA_COMPONENT_DIRS=$(otter idf-components) -D IDF_TARGET=linux "
             "build\n"
             "         otter run build\n",
    .options = no_rows,
    .size = 1,
    .defaults = "",
    .run = tell_idf_components,
};
