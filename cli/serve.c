/* otter serve: hands over to otter-serve, the program that carries the web server's libraries. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cli.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PROGRAM "otter-serve"

/** The path of otter-serve in the folder of this very program. False if that folder cannot be told. */
static bool find_beside(char path[PATH_MAX])
{
    ssize_t len = readlink("/proc/self/exe", path, PATH_MAX - sizeof(PROGRAM));
    if (len <= 0 || (size_t)len >= PATH_MAX - sizeof(PROGRAM)) {
        return false;
    }
    path[len] = '\0';
    char *slash = strrchr(path, '/');
    if (slash == NULL) {
        return false;
    }
    memcpy(slash + 1, PROGRAM, sizeof(PROGRAM));
    return true;
}

static int serve(int argc, char **argv)
{
    (void)argc;
    char path[PATH_MAX];
    const char *verb = argv[0];
    char name[] = PROGRAM;
    argv[0] = name;
    if (find_beside(path)) {
        execv(path, argv);
        if (errno != ENOENT) {
            return cli_fail(verb, "cannot run %s: %s", path, strerror(errno));
        }
    }
    execvp(PROGRAM, argv);
    return cli_fail(verb,
                    PROGRAM " is neither beside otter nor in PATH (%s); build it with `ninja " PROGRAM
                            "`, which needs libmicrohttpd-dev, or install it",
                    strerror(errno));
}

const cli_verb_t serve_verb = {
    .name = "serve",
    .line = "serve the firmware of one folder over HTTPS",
    .pass = serve,
};
