/* The HTTP client against scripted servers: what its tests share. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "esp_http_client.h"
#include "sim/sim_transport.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))
#define PLAY(script)                                                                                         \
    {                                                                                                        \
        .steps = (script), .count = COUNT(script)                                                            \
    }
#define REQUEST                                                                                              \
    {                                                                                                        \
        .kind = SIM_REQUEST, .ms = 1                                                                         \
    } /* the number only tells it from the zeros behind a script */
#define CLOSE                                                                                                \
    {                                                                                                        \
        .kind = SIM_EOF                                                                                      \
    }
#define SAY_TEXT(text)                                                                                       \
    {                                                                                                        \
        .kind = SIM_BYTES, .data = (text), .len = strlen(text)                                               \
    } /* SIM_SAY of what is no literal */
#define OK_HEAD "HTTP/1.1 200 OK\r\n"
#define OK_HI   OK_HEAD "Content-Length: 2\r\n\r\nhi"

/** A client of `server`, which it destroys. */
esp_http_client_handle_t new_client(esp_http_client_config_t config, sim_transport_t *server);

esp_http_client_config_t at(const char *url);
