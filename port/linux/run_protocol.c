/* Both sides of the run protocol: the facts as text, and the firmware's messages. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "linux/run_protocol.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

void run_boot_encode(const otter_run_boot_t *boot, char text[OTTER_RUN_BOOT_TEXT_SIZE])
{
    snprintf(
        text, OTTER_RUN_BOOT_TEXT_SIZE,
        "version=%u reset=%u running=%u table=%u revision=%u blk_revision=%u rollback=%u anti_rollback=%u "
        "emulated_efuse=%u watchdog=%u",
        OTTER_RUN_VERSION, boot->reset_reason, boot->running, boot->table_offset, boot->revision,
        boot->blk_revision, boot->rollback, boot->anti_rollback, boot->emulated_efuse, boot->watchdog_s);
}

#define NOT_LOOKED_UP (-2)

static atomic_int control = NOT_LOOKED_UP; /* whoever looks first finds the same as the others */

static int control_fd(void)
{
    int fd = atomic_load(&control);
    if (fd == NOT_LOOKED_UP) {
        const char *text = getenv(OTTER_RUN_ENV_CONTROL);
        fd = text != NULL ? atoi(text) : -1;
        atomic_store(&control, fd);
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

/** gcc's, in a program that counts what is covered. */
extern void __gcov_dump(void) __attribute__((weak));

void run_protocol_end(char message)
{
    fflush(NULL);
    if (__gcov_dump != NULL) {
        __gcov_dump();
    }
    run_protocol_tell(message);
    _exit(EXIT_SUCCESS);
}

void run_protocol_forsake(void)
{
    int fd = control_fd(); /* looked up here, if nothing was said yet */
    atomic_store(&control, -1);
    if (fd >= 0) {
        close(fd);
    }
}
