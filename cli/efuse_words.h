/* What an eFuse file says, in words and as JSON: one list of facts, each with what it means. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

#include <cjson/cJSON.h>

#include "linux/efuse_file.h"
#include "otter/chip.h"

/** @param chip  NULL: nobody knows which it is */
void efuse_words_print(const efuse_file_t *file, const otter_chip_facts_t *chip);
cJSON *efuse_words_json(const efuse_file_t *file, const otter_chip_facts_t *chip);

/** Whom it trusts: {"scheme", "keys"}; null without secure boot. @param scheme  that images are signed with */
cJSON *efuse_secure_boot_json(const efuse_file_t *file, otter_signature_scheme_t scheme);

/** What a device with these eFuses does, in one sentence, for who is about to burn them. Valid until the next call. */
const char *efuse_words_consequence(const efuse_file_t *file);

/** True of a name whose value nobody should read over a shoulder. */
bool efuse_words_is_secret(const char *name);
