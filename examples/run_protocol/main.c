/* A firmware of `otter run` by the header of its protocol alone, without otter's library or ESP-IDF: it counts its boots. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "otter/run_protocol.h"

#define COUNTER_AT 0x9000u /* a sector that is the application's own: of partition nvs */
#define SECTOR     4096u

static int flash, control;
static otter_run_shared_t *shared;

static int inherited(const char *name)
{
    const char *text = getenv(name);
    return text != NULL ? atoi(text) : -1;
}

/** The last thing that a boot does. */
static _Noreturn void end(char message)
{
    fflush(stdout);
    _exit(write(control, &message, 1) == 1 ? EXIT_SUCCESS : EXIT_FAILURE);
}

/** One operation of flash, as a chip counts it; the one in which power is cut gets half way. */
static void operate(bool is_erase, uint32_t off, const void *bytes, uint32_t len)
{
    const int trace = inherited(OTTER_RUN_ENV_TRACE);
    const otter_run_op_t op = {shared->flash.last.number + 1, is_erase, off, len};
    if (trace >= 0 && write(trace, &op, sizeof(op)) != sizeof(op)) {
        perror("the list of operations");
    }
    shared->flash.last = op;
    const bool cut = shared->flash.cut_at != 0 && op.number >= shared->flash.cut_at;
    if (pwrite(flash, bytes, cut ? len / 2 : len, off) < 0) {
        perror("flash");
        abort();
    }
    if (cut) {
        end(OTTER_RUN_SAYS_POWER_LOST);
    }
}

int main(void)
{
    otter_run_boot_t boot;
    const char *text = getenv(OTTER_RUN_ENV_BOOT);
    flash = inherited(OTTER_RUN_ENV_FLASH);
    control = inherited(OTTER_RUN_ENV_CONTROL);
    if (text == NULL || !otter_run_boot_decode(text, &boot)) {
        fprintf(stderr, "start this by an `otter run` of version %u of the run protocol\n",
                OTTER_RUN_VERSION);
        end(OTTER_RUN_SAYS_NO_START);
    }
    shared =
        mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED, inherited(OTTER_RUN_ENV_SHARED), 0);
    uint32_t boots;
    if (shared == MAP_FAILED || pread(flash, &boots, sizeof(boots), COUNTER_AT) != sizeof(boots)) {
        end(OTTER_RUN_SAYS_NO_START);
    }
    static uint8_t erased[SECTOR];
    memset(erased, 0xFF, sizeof(erased));
    boots = boots == UINT32_MAX ? 1 : boots + 1;
    operate(true, COUNTER_AT, erased, sizeof(erased));
    operate(false, COUNTER_AT, &boots, sizeof(boots));
    printf("boot %u of the app at 0x%x, reset reason %u\n", boots, boot.running, boot.reset_reason);
    fflush(stdout);
    if (boots == 1) {
        end(OTTER_RUN_SAYS_RESTART);
    }
    if (boots == 2) {
        abort(); /* a crash: the runner hears no message */
    }
    end(OTTER_RUN_SAYS_IDLE);
}
