/* lwip's names for looking up hosts, which is this machine's resolver. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <netdb.h>

#include "lwip/inet.h"
#include "lwip/sockets.h"

#define lwip_gethostbyname   gethostbyname
#define lwip_gethostbyname_r gethostbyname_r
#define lwip_getaddrinfo     getaddrinfo
#define lwip_freeaddrinfo    freeaddrinfo
