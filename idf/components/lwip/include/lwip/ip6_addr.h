/* lwip's addresses of version 6 are beside those of version 4. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "lwip/ip_addr.h"
