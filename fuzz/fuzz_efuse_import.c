/*
 * What espefuse tells of a chip, in all its forms.
 * Input: the chip (index), the dump or summary.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "fuzz.h"
#include "linux/efuse_file.h"

static const char *const chips[] = {"esp32", "esp32c2", "esp32s3", "esp32p4"};

/** All or nothing; and what was taken is what a device reads, and no less than what was there. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static efuse_file_t before, after;
    char flash[128], input[128], efuse[136];
    otter_fault_t fault = {0};
    int status;
    if (size == 0) {
        return 0;
    }
    snprintf(flash, sizeof(flash), "%s", fuzz_path("flash.bin"));
    snprintf(efuse, sizeof(efuse), "%s.efuse", flash);
    snprintf(input, sizeof(input), "%s", fuzz_path("chip.txt"));
    static const char known[] = "secure_version=1\nsecure_boot_key_revoke0=1\n";
    fuzz_write_file(efuse, (const uint8_t *)known, sizeof(known) - 1);
    fuzz_write_file(input, data + 1, size - 1);
    FUZZ_CHECK(efuse_file_load(&before, flash, &fault) == ESP_OK, "%s", fault.why);
    const char *chip = chips[data[0] % (sizeof(chips) / sizeof(chips[0]))];
    free(fuzz_run_verb(&efuse_import_verb,
                       (const char *const[]){"import", flash, input, "--chip", chip, NULL}, &status));
    FUZZ_CHECK(efuse_file_load(&after, flash, &fault) == ESP_OK, "what was imported: %s", fault.why);
    if (status != EXIT_DONE) {
        FUZZ_CHECK(efuse_file_is_same(&before, &after), "half imported");
    } else {
        FUZZ_CHECK(after.has_chip && after.secure_version >= 1 && after.keys[0].revoked, "less than before");
    }
    free(fuzz_run_verb(&efuse_show_verb, (const char *const[]){"show", flash, "--json", NULL}, &status));
    FUZZ_CHECK(status == EXIT_DONE, "what was imported is not shown");
    return 0;
}
