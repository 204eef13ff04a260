/* What mbedTLS takes from its platform: the C library's. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define mbedtls_calloc   calloc
#define mbedtls_free     free
#define mbedtls_printf   printf
#define mbedtls_fprintf  fprintf
#define mbedtls_snprintf snprintf
#define mbedtls_exit     exit
#define mbedtls_time     time
typedef time_t mbedtls_time_t;

#define MBEDTLS_EXIT_SUCCESS EXIT_SUCCESS
#define MBEDTLS_EXIT_FAILURE EXIT_FAILURE
