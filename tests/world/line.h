/* The way between the devices and the server: connections, what arrives on them and when, requests that wait. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "otter/transport.h"

typedef struct world world_t;
typedef struct world_device world_device_t;

#define CONNECTIONS_MAX 8u       /* of all devices, those given up but not yet answered included */
#define ANSWER_MAX      0x60000u /* bytes of answers on one connection that are not read yet */
#define SEGMENTS_MAX    24u
#define REQUEST_MAX     24576u /* a redirect can make a URL of 20,000 bytes */
#define HOST_MAX        128u

typedef enum {
    SEGMENT_BYTES,
    SEGMENT_SILENCE, /* nothing comes any more */
    SEGMENT_GOODBYE, /* a proper end: FIN, under TLS after close_notify */
    SEGMENT_FIN,     /* FIN without close_notify: under TLS an error */
    SEGMENT_RESET,
    SEGMENT_BROKEN, /* a TLS record that is none */
} segment_kind_t;

/** A piece of what the server sends. It arrives at a time of its own, whether the client reads then or not. */
typedef struct {
    segment_kind_t kind;
    size_t from, len;           /* in the connection's answer */
    int64_t start_us;           /* its first byte is there */
    uint32_t drip_len, drip_ms; /* then so many bytes each so often; 0: all at once */
    bool endless;               /* from the beginning again, for ever */
} segment_t;

/** What a device may meet at its next connect, and how the requests on it are treated. */
typedef struct {
    uint32_t refuse_percent; /* of connects that come to nothing, or to nothing good */
    uint32_t quirk_percent;  /* of answers that are not as they should be */
    uint32_t flip_percent;   /* of answers in which bits change on the way: without TLS only */
    uint32_t late_percent;   /* of requests that wait longer than a device does */
    int only_quirk;          /* this one for the whole attempt; -1: any */
    int only_trouble;        /* the same for connects */
    bool mixes; /* a proxy gives the late answer of a connection that was given up to the next one */
} weather_t;

typedef struct {
    unsigned number; /* in the order in which they were opened, from 1; 0: free */
    world_device_t *device;
    char host[HOST_MAX];
    uint16_t port;
    bool given_up; /* the client has closed it; what it asked for still reaches the server */
    bool writes_fail, writes_stall;

    char request[REQUEST_MAX + 1];
    size_t request_len;
    bool waiting; /* the server has a request of this connection and answers it then: */
    int64_t serve_us;

    uint8_t *answer; /* ANSWER_MAX bytes */
    size_t answer_len;
    segment_t segments[SEGMENTS_MAX];
    unsigned segment_count, segment; /* the one that is read from */
    size_t used;                     /* bytes of it that were */
    int64_t end_us;                  /* all of them are there */
    size_t max_read;
} connection_t;

typedef struct {
    connection_t connections[CONNECTIONS_MAX];
    unsigned opened;
} network_t;

/** A device's end of it. */
typedef struct {
    world_device_t *device;
    weather_t weather;
    bool plain;               /* no TLS: bytes can change on the way */
    connection_t *connection; /* the open one; NULL: none */
    unsigned connects, vain;  /* connects of this attempt; in a row without a byte of a body after them */
    unsigned nonce;           /* that the server gave out last */
    bool busy_told;           /* the server said that it is busy, for once */
} line_t;

/** A transport over this line, for esp_http_client_config_t.transport. @return NULL when out of memory */
otter_transport_t *line_transport(line_t *line);

/** Requests whose time has come are answered, in that order, whoever they are from. */
void network_run(world_t *world);
/** Forgets what is under way, keeps the memory. */
void network_clear(network_t *network);
void network_free(network_t *network);

/** One more piece for the client, so long after what comes before it. Dropped where there is no room. */
void connection_send(connection_t *c, uint32_t wait_ms, segment_t segment);

/* ---- trouble with connecting (trouble.c) ---- */

unsigned troubles_count(void);
/** A connect meets this trouble, or any with `index` -1. @return ESP_OK: connected nevertheless; c and *error are filled in */
esp_err_t trouble_meet(line_t *line, int index, connection_t *c, int timeout_ms,
                       otter_transport_error_t *error);
