/* The firmware's side of the run protocol. */
#include "linux/run_protocol.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "otter/system.h"

static int control_fd(void)
{
    static int fd = -2; /* not looked up yet */
    if (fd == -2) {
        const char *text = getenv(RUN_ENV_CONTROL);
        fd = text != NULL ? atoi(text) : -1;
    }
    return fd;
}

void run_protocol_tell(char message)
{
    if (control_fd() < 0) {
        return;
    }
    while (write(control_fd(), &message, 1) < 0 && errno == EINTR) {
    }
}

void run_protocol_alive(void)
{
    static int64_t last_us = -1000000;
    int64_t now = otter_now_us();
    if (now - last_us >= 100000) {
        last_us = now;
        run_protocol_tell(RUN_SAYS_ALIVE);
    }
}
