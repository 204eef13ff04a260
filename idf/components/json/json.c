/* Carries the system's libcjson to who requires this component. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cJSON.h"
