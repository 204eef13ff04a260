/* The curve of a rollout, as a file. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "fleet_svg.h"

#include <stdio.h>
#include <stdlib.h>

#include "cli.h"
#include "fleet/report.h"

bool fleet_write_svg(const char *verb, const char *path, const fleet_world_t *world)
{
    char *text = NULL;
    size_t len = 0;
    FILE *memory = open_memstream(&text, &len);
    if (memory == NULL) {
        return cli_refuse(verb, "out of memory");
    }
    fleet_report_svg(memory, world);
    const bool whole = fclose(memory) == 0;
    const bool written = whole && cli_write_file(verb, path, text, len);
    free(text);
    return written;
}
