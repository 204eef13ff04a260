/* What of lwip is more than another name for what this machine has. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stddef.h>

#include "freertos/FreeRTOS.h"
#include "freertos/task.h"
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
