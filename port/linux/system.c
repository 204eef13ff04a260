/* The system seam on Linux but for its clock: getrandom, standard output, and what a restart tells `otter run`. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "otter/system.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "linux/freertos_kernel.h"
#include "linux/run_protocol.h"

void otter_random(void *buf, size_t len)
{
    uint8_t *p = buf;
    while (len > 0) {
        ssize_t n = getrandom(p, len, 0);
        if (n < 0 && errno != EINTR) {
            abort(); /* a kernel without randomness: nothing that follows could be trusted */
        }
        if (n > 0) {
            p += n;
            len -= (size_t)n;
        }
    }
}

void otter_console_write(const char *text, size_t len)
{
    fwrite(text, 1, len, stdout);
    fflush(stdout);
}

bool otter_console_has_color(void)
{
    const char *terminal = getenv("TERM");
    bool is_dumb = terminal == NULL || strcmp(terminal, "dumb") == 0;
    return isatty(STDOUT_FILENO) == 1 && !is_dumb && getenv("NO_COLOR") == NULL;
}

void otter_system_restart(void)
{
    run_protocol_end(OTTER_RUN_SAYS_RESTART);
}

void otter_system_alive(void)
{
    kernel_alive();
}
