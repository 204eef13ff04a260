/* Calls in lwip's own task, as lwip/tcpip.h has them. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "lwip/tcpip.h"

#ifdef __cplusplus
extern "C" {
#endif

struct tcpip_api_call_data {
    err_t err;
};
typedef err_t (*tcpip_api_call_fn)(struct tcpip_api_call_data *call);

/** @return what function(call) does */
err_t tcpip_api_call(tcpip_api_call_fn function, struct tcpip_api_call_data *call);

#ifdef __cplusplus
}
#endif
