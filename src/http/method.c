/* The names of HTTP methods, as a request line and an answer to a challenge have them. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "http/client_internal.h"

static const char *const method_names[HTTP_METHOD_MAX] = {
    "GET",     "POST", "PUT",  "PATCH", "DELETE", "HEAD",     "NOTIFY",    "SUBSCRIBE", "UNSUBSCRIBE",
    "OPTIONS", "COPY", "MOVE", "LOCK",  "UNLOCK", "PROPFIND", "PROPPATCH", "MKCOL",     "REPORT",
};

const char *http_method_name(esp_http_client_method_t method)
{
    return method_names[method];
}
