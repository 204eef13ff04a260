/* Carries the system's libargtable2 to who requires this component. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "argtable3/argtable3.h"
