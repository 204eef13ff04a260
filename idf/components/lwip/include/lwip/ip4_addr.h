/* lwip's name for the header of IPv4 addresses. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "lwip/ip_addr.h"
