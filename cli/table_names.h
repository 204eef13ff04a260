/* Names of partition types and subtypes, as the CSV form spells them. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "otter/promise.h"

/** One keyword; a list of them ends with name NULL. */
typedef struct {
    const char *name;
    uint8_t value;
} table_keyword_t;

/** Keywords of the types, in the vendor tool's order. */
const table_keyword_t *table_type_keywords(void);

/** Keywords of the subtypes of one type, added ones at the end; an empty list for a type that has none. */
const table_keyword_t *table_subtype_keywords(int64_t type);

/**
 * Makes a name for a subtype known to everything in this process, as the vendor tool's --extra-partition-subtypes does.
 * @param entry  "type,name,value": a named type, and a hexadecimal number up to ff
 * @param why    OPTIONS_WHY_SIZE bytes; on failure one line: not of this form, the name or the value has a meaning already, or
 *               too many
 */
OTTER_MUST_CHECK bool table_add_subtype(const char *entry, char *why);

/** Case ignored. @return NULL if it is not in the list */
const table_keyword_t *table_find_keyword(const table_keyword_t *list, const char *name);

/** True if any type has a subtype of this name. */
bool table_is_subtype_name(const char *name);

/** The keyword, or the decimal number where there is none. Returns buf or a constant. */
const char *table_type_name(uint8_t type, char buf[8]);
const char *table_subtype_name(uint8_t type, uint8_t subtype, char buf[8]);

/** "encrypted:readonly", "" for none; unknown bits are not named. Returns a constant. */
const char *table_flags_name(uint32_t flags);
