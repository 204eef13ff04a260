/* How a command speaks with a fleet's server: by which token, and whom it believes. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

#include "otter/promise.h"

/**
 * The value of the header Authorization. A file that others can read or change is refused.
 * @param gateway  it is a gateway's, of many devices
 * @return malloc'ed, the caller frees; NULL after saying why
 */
OTTER_MUST_CHECK char *fleet_access_token(const char *verb, const char *path, bool gateway);

bool fleet_access_is_https(const char *server);

/** @return false, after saying so: a server of https:// is to be believed by nothing */
OTTER_MUST_CHECK bool fleet_access_names_trust(const char *verb, const char *server, const char *ca_path,
                                               bool system_ca);
