/* Found by the place of this very program, so that an installed tree can be moved. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "idf_path.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"

bool idf_path_find(const char *verb, char path[PATH_MAX])
{
    static const char *const places[] = {"idf",
                                         "../share/otter/idf"}; /* of a build folder; of an installed bin/ */
    char program[PATH_MAX];
    ssize_t len = readlink("/proc/self/exe", program, sizeof(program) - 1);
    program[len > 0 ? len : 0] = '\0';
    char *slash = strrchr(program, '/');
    if (slash == NULL) {
        return cli_refuse(verb, "the folder of this command cannot be told: is /proc mounted?");
    }
    *slash = '\0';
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        char tools[PATH_MAX + 32];
        int n = snprintf(path, PATH_MAX, "%s/%s", program, places[i]);
        snprintf(tools, sizeof(tools), "%s/tools/cmake/project.cmake", path);
        if (n > 0 && n < PATH_MAX && access(tools, R_OK) == 0) {
            return true;
        }
    }
    return cli_refuse(
        verb, "there is no idf/ beside %s/otter, nor in ../share/otter: install otter as a whole", program);
}
