/* What of lwip is more than another name for what this machine has. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <pthread.h>
#include <stddef.h>

#include "freertos/FreeRTOS.h"
#include "freertos/task.h"
#include "lwip/netif.h"
#include "lwip/priv/tcpip_priv.h"
#include "lwip/sys.h"

static const struct {
    const char *text;
    int number;
} codes[] = {
    {"Ok.", 0},
    {"Out of memory error.", ENOMEM},
    {"Buffer error.", ENOBUFS},
    {"Timeout.", EWOULDBLOCK},
    {"Routing problem.", EHOSTUNREACH},
    {"Operation in progress.", EINPROGRESS},
    {"Illegal value.", EINVAL},
    {"Operation would block.", EWOULDBLOCK},
    {"Address in use.", EADDRINUSE},
    {"Already connecting.", EALREADY},
    {"Already connected.", EISCONN},
    {"Not connected.", ENOTCONN},
    {"Low-level netif error.", -1},
    {"Connection aborted.", ECONNABORTED},
    {"Connection reset.", ECONNRESET},
    {"Connection closed.", ENOTCONN},
    {"Illegal argument.", EIO},
};

#define CODES (sizeof(codes) / sizeof(codes[0]))

const char *lwip_strerr(err_t err)
{
    return err <= 0 && (size_t)-err < CODES ? codes[-err].text : "Unknown error.";
}

int err_to_errno(err_t err)
{
    return err <= 0 && (size_t)-err < CODES ? codes[-err].number : EIO;
}

u32_t sys_now(void)
{
    return (u32_t)((uint64_t)xTaskGetTickCount() * portTICK_PERIOD_MS);
}

/* ---- interfaces: none of its own ---- */

struct netif *netif_list, *netif_default;

void netif_set_default(struct netif *netif)
{
    (void)netif;
}

struct netif *netif_find(const char *name)
{
    (void)name;
    return NULL;
}

struct netif *netif_get_by_index(u8_t idx)
{
    (void)idx;
    return NULL;
}

/* ---- its task: whoever calls ---- */

static pthread_mutex_t core = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;

void otter_lwip_lock(void)
{
    (void)pthread_mutex_lock(&core); /* it may be taken again */
}

void otter_lwip_unlock(void)
{
    (void)pthread_mutex_unlock(&core);
}

err_t tcpip_callback(tcpip_callback_fn function, void *ctx)
{
    if (function == NULL) {
        return ERR_ARG;
    }
    otter_lwip_lock();
    function(ctx);
    otter_lwip_unlock();
    return ERR_OK;
}

err_t tcpip_api_call(tcpip_api_call_fn function, struct tcpip_api_call_data *call)
{
    otter_lwip_lock();
    err_t err = function(call);
    otter_lwip_unlock();
    return err;
}
