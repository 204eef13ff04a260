/* The simulated wire: latency, speed, what is lost on the way, and the server in memory at its other end. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "fleet/link.h"

#include <stdlib.h>
#include <string.h>

#include "fleet/world.h"
#include "otter/bytes.h"
#include "otter/text.h"

#define PIECE      4096u
#define BREAKS_MAX 3u
#define TRIES_MAX  3u
#define TIMEOUT_MS 10000
#define RETRY_MS   1000

static int64_t now_of(const fleet_device_t *device)
{
    return device->world->now_ms;
}

static bool happens(const fleet_device_t *device, uint32_t of_10000)
{
    return of_10000 > 0 && fleet_world_random(device->world, 10000) < of_10000;
}

static const fleet_link_t *link_of(const fleet_device_t *device)
{
    return &fleet_links[device->link];
}

static int64_t latency(const fleet_device_t *device)
{
    const uint32_t ms = link_of(device)->latency_ms;
    return ms / 2 + fleet_world_random(device->world, ms + 1);
}

static void ask(fleet_device_t *device, const otter_ddi_order_t *order, fleet_answer_t *answer)
{
    fleet_server_t *server = &device->world->server;
    const fleet_request_t request = {.method = order->method != NULL ? order->method : "GET",
                                     .url = order->url,
                                     .authorization = order->authorize ? device->world->authorization : NULL,
                                     .type = order->body != NULL ? "application/json" : NULL,
                                     .body = order->body};
    fleet_server_handle(server, now_of(device), &request, answer);
}

/** Sends it now; what comes back, and when, is known then. */
static void send_request(fleet_device_t *device, const otter_ddi_order_t *order)
{
    static fleet_answer_t answer;
    fleet_world_t *world = device->world;
    device->answer_at = now_of(device) + TIMEOUT_MS;
    device->cut_off = false;
    if (happens(device, link_of(device)->loss)) {
        world->lost_requests++;
        return;
    }
    ask(device, order, &answer);
    if (happens(device, world->config.lose)) {
        device->cut_off = fleet_world_random(world, 2) == 0;
        world->half_answers += device->cut_off;
        world->lost_answers += !device->cut_off;
        if (!device->cut_off) {
            return;
        }
    }
    device->answer = text_copy(answer.text);
    device->status = (uint16_t)answer.status;
    device->answer_at = now_of(device) + latency(device);
}

/** Asks for the file, and again a second later if the server does not give it, as esp_https_ota does. */
static void ask_for_file(fleet_device_t *device)
{
    static fleet_answer_t answer;
    const otter_ddi_order_t order = {.url = device->file_url, .authorize = device->file_authorize};
    ask(device, &order, &answer);
    const bool given = answer.status == 200 && answer.file != NULL;
    if (!given && ++device->file_tries < TRIES_MAX) {
        device->piece_at = now_of(device) + RETRY_MS;
        return;
    }
    free(device->file_url);
    device->file_url = NULL;
    device->piece_at = FLEET_NEVER;
    if (!given) {
        fleet_device_fail_file(device, OTTER_STAGE_REQUEST, ESP_FAIL, "the server does not give the file");
    } else if (fleet_device_begin_file(device, &device->file, answer.file->size)) {
        device->download->release = answer.file;
        device->piece_at = now_of(device) + latency(device);
    }
}

static void begin_download(fleet_device_t *device, const otter_ddi_order_t *order)
{
    device->file_url = text_copy(order->url); /* the agent goes on using its own */
    device->file_authorize = order->authorize;
    device->file = order->file;
    device->file_tries = 0;
    if (device->file_url == NULL) {
        fleet_device_fail_file(device, OTTER_STAGE_CONNECT, ESP_ERR_NO_MEM, "out of memory");
        return;
    }
    ask_for_file(device);
}

static void take_answer(fleet_device_t *device)
{
    const char *body = device->answer;
    const size_t len = body == NULL ? 0 : device->cut_off ? strlen(body) / 2 : strlen(body);
    device->answer = NULL;
    device->answer_at = FLEET_NEVER;
    fleet_device_answered(device, body != NULL ? device->status : 0, body, len,
                          body == NULL      ? "no answer in 10 s"
                          : device->cut_off ? "the connection broke"
                                            : NULL);
    free((void *)(uintptr_t)body);
}

static void take_piece(fleet_device_t *device)
{
    fleet_download_t *download = device->download;
    const fleet_release_t *release = download->release;
    const uint32_t step = min_u32(PIECE, release->size - download->done);
    if (happens(device, link_of(device)->loss)) {
        device->world->broken_downloads++;
        device->piece_at = now_of(device) + TIMEOUT_MS + RETRY_MS;
        if (++download->breaks > BREAKS_MAX) {
            fleet_device_fail_file(device, OTTER_STAGE_DOWNLOAD, ESP_FAIL,
                                   "the connection breaks again and again");
        }
        return;
    }
    download->breaks = 0;
    if (fleet_device_take_file(device, release->bytes + download->done, step)) {
        device->piece_at = now_of(device) + (int64_t)step * 1000 / link_of(device)->bytes_per_s + 1;
    }
}

static void come(fleet_device_t *device)
{
    if (device->answer_at <= now_of(device)) {
        take_answer(device);
    }
    if (device->piece_at <= now_of(device) && !device->flash.dead) {
        if (device->file_url != NULL) {
            ask_for_file(device);
        } else {
            take_piece(device);
        }
    }
}

static void drop(fleet_device_t *device)
{
    free(device->answer);
    free(device->file_url);
    device->file_url = NULL;
    device->answer = NULL;
    device->answer_at = FLEET_NEVER;
}

const fleet_wire_t fleet_simulated_wire = {
    .send = send_request, .fetch = begin_download, .come = come, .drop = drop};
