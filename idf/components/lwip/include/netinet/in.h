/* This machine's, with lwip's names for the parts of an IPv6 address: in6_addr.un.u32_addr. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The C library's own names of them, which nobody else may use. NOLINTBEGIN(bugprone-reserved-identifier,cert-dcl*) */
#define __in6_u     un
#define __u6_addr8  u8_addr
#define __u6_addr16 u16_addr
#define __u6_addr32 u32_addr
/* NOLINTEND(bugprone-reserved-identifier,cert-dcl*) */

#include_next <netinet/in.h>
