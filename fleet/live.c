/* Which device has a connection, which one waits for it, and what poll(2) says of the sockets. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "fleet/live.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "fleet/job.h"
#include "otter/ota_ops.h"
#include "otter/system.h"

#define LIMIT_MS 10000 /* without a byte: there is no answer */
#define TURN_MS  100   /* at most, between two looks at the devices */
#define TURN_MAX 1000u /* devices that are served before sockets are looked at */

typedef enum { NO_CLOSING, CLOSES_WELL, CLOSES_BADLY } closing_t;

/** A request of a device, from its order to its end. */
typedef struct fleet_call {
    struct fleet_call *next; /* that waits behind it */
    fleet_live_t *live;
    fleet_device_t *device;
    fleet_job_t *job;
    bool is_file, refused;
    closing_t closing;
    otter_ddi_file_t file;
    int64_t started_ms, moved_ms;
} fleet_call_t;

static int64_t clock_ms(void)
{
    return otter_now_us() / 1000;
}

static void end_call(fleet_call_t *call)
{
    if (call->is_file) {
        call->device->fetch = NULL;
        call->device->piece_at = FLEET_NEVER;
    } else {
        call->device->call = NULL;
        call->device->answer_at = FLEET_NEVER;
    }
    fleet_job_free(call->job);
    free(call);
}

/* ---- what devices want ---- */

/** What a device is about to tell of an action's end, held against what it is. */
static closing_t judge_closing(fleet_device_t *device, const otter_ddi_order_t *order)
{
    fleet_world_t *world = device->world;
    esp_ota_img_states_t state = ESP_OTA_IMG_UNDEFINED;
    if (order->body == NULL || strstr(order->url, "/deploymentBase/") == NULL ||
        strstr(order->body, "\"execution\":\"closed\"") == NULL) {
        return NO_CLOSING;
    }
    const bool success = strstr(order->body, "\"finished\":\"success\"") != NULL;
    otter_ignore(
        otter_ota_get_state_partition(&device->device, device->device.running, &state)); /* undefined */
    world->verdict.closings++;
    if (success && (device->trial || state == ESP_OTA_IMG_PENDING_VERIFY)) {
        fleet_world_accuse(world, &world->verdict.lies, device, "told success of what is not confirmed");
    }
    return success ? CLOSES_WELL : CLOSES_BADLY;
}

static void enqueue(fleet_live_t *live, fleet_call_t *call)
{
    if (live->first == NULL) {
        live->first = call;
    } else {
        live->last->next = call;
    }
    live->last = call;
}

static bool on_head(void *ctx, int status, int64_t length)
{
    fleet_call_t *call = ctx;
    if (status != 200) {
        call->refused = true;
        return false;
    }
    return fleet_device_begin_file(call->device, &call->file, length);
}

static bool on_body(void *ctx, const uint8_t *bytes, size_t len)
{
    const fleet_call_t *call = ctx;
    return fleet_device_take_file(call->device, bytes, (uint32_t)len);
}

static fleet_call_t *new_call(fleet_device_t *device, const otter_ddi_order_t *order, bool is_file)
{
    fleet_live_t *live = device->world->wire_ctx;
    fleet_call_t *call = calloc(1, sizeof(*call));
    if (call == NULL) {
        return NULL;
    }
    *call = (fleet_call_t){.live = live, .device = device, .is_file = is_file, .file = order->file};
    const fleet_job_order_t job = {.method = is_file ? "GET" : order->method,
                                   .url = order->url,
                                   .authorization = order->authorize ? device->world->authorization : NULL,
                                   .type = order->body != NULL ? "application/json" : NULL,
                                   .body = order->body,
                                   .on_head = is_file ? on_head : NULL,
                                   .on_body = is_file ? on_body : NULL,
                                   .ctx = call};
    call->job = fleet_job_new(&job, live->tls);
    if (call->job == NULL) {
        free(call);
        return NULL;
    }
    enqueue(live, call);
    return call;
}

static void send_request(fleet_device_t *device, const otter_ddi_order_t *order)
{
    const closing_t closing = judge_closing(device, order);
    device->world->server.load.requests++;
    device->call = new_call(device, order, false);
    device->answer_at = device->call != NULL ? FLEET_SOME_DAY : device->world->now_ms;
    if (device->call != NULL) {
        device->call->closing = closing;
    }
}

static void fetch_file(fleet_device_t *device, const otter_ddi_order_t *order)
{
    device->world->server.load.downloads++;
    device->fetch = new_call(device, order, true);
    device->piece_at = FLEET_SOME_DAY;
    if (device->fetch == NULL) {
        fleet_device_fail_file(device, OTTER_STAGE_REQUEST, ESP_ERR_NOT_SUPPORTED,
                               "the link is none that can be followed");
    }
}

/** Only what could not even begin is due by itself. */
static void come(fleet_device_t *device)
{
    if (device->call == NULL && device->answer_at <= device->world->now_ms) {
        device->answer_at = FLEET_NEVER;
        fleet_device_answered(device, 0, "", 0, "the request cannot be made");
    }
}

/** Out of the line, or of those that have a connection. */
static void forget(fleet_live_t *live, fleet_call_t *call)
{
    fleet_call_t *before = NULL;
    for (uint32_t i = 0; i < live->active_count; i++) {
        if (live->active[i] == call) {
            live->active[i] = live->active[--live->active_count];
            return;
        }
    }
    for (fleet_call_t *at = live->first; at != NULL; before = at, at = at->next) {
        if (at == call) {
            *(before != NULL ? &before->next : &live->first) = call->next;
            live->last = live->last == call ? before : live->last;
            return;
        }
    }
}

static void drop(fleet_device_t *device)
{
    fleet_call_t *const calls[] = {device->call, device->fetch};
    for (size_t i = 0; i < 2; i++) {
        if (calls[i] != NULL) {
            forget(device->world->wire_ctx, calls[i]);
            end_call(calls[i]);
        }
    }
    device->answer_at = FLEET_NEVER;
}

static const fleet_wire_t live_wire = {.send = send_request, .fetch = fetch_file, .come = come, .drop = drop};

/* ---- what comes ---- */

static void count_time(fleet_live_t *live, int64_t ms)
{
    if (live->time_count == live->time_room) {
        const uint32_t room = live->time_room == 0 ? 1024 : 2 * live->time_room;
        uint32_t *times = realloc(live->times, room * sizeof(*times));
        if (times == NULL) {
            return; /* the figure is of those before */
        }
        live->times = times;
        live->time_room = room;
    }
    live->times[live->time_count++] = (uint32_t)ms;
}

static void count_answer(fleet_live_t *live, const fleet_call_t *call, int status)
{
    const int hundreds = status / 100;
    live->answers[hundreds > 0 && hundreds < 6 ? hundreds : 0]++;
    live->refused += status == 429;
    if (status > 0) {
        count_time(live, live->world->now_ms - call->started_ms);
    }
    if (call->closing != NO_CLOSING && (status == 200 || status == 410) && !call->device->told) {
        call->device->told = true;
        call->device->failed = call->closing == CLOSES_BADLY;
        live->succeeded += call->closing == CLOSES_WELL;
        live->failed += call->closing == CLOSES_BADLY;
    }
}

/** An answer, or none, to the agent. @param broken  NULL: it is whole */
static void answer(fleet_live_t *live, fleet_call_t *call, const char *broken)
{
    fleet_device_t *device = call->device;
    fleet_world_t *world = live->world;
    size_t len;
    const char *body = fleet_job_body(call->job, &len);
    int status = fleet_job_status(call->job);
    if (broken == NULL && world->config.lose > 0 && fleet_world_random(world, 10000) < world->config.lose) {
        world->lost_answers++;
        broken = "lost, as was asked for";
        status = 0;
    }
    count_answer(live, call, broken == NULL ? status : 0);
    device->answer_at = FLEET_NEVER;
    device->call = NULL;
    fleet_device_answered(device, status, body, len, broken);
}

static void end_file(fleet_call_t *call, const char *broken)
{
    fleet_device_t *device = call->device;
    if (call->refused) {
        fleet_device_fail_file(device, OTTER_STAGE_REQUEST, ESP_FAIL, "the server does not give the file");
    } else if (device->download != NULL || fleet_job_status(call->job) == 0) {
        fleet_device_fail_file(device, OTTER_STAGE_DOWNLOAD, ESP_FAIL,
                               broken != NULL ? broken : "it ended too early");
        device->world->broken_downloads++;
    }
}

/** A call has ended, well or not: its device goes on. */
static void end(fleet_live_t *live, uint32_t index, const char *broken)
{
    fleet_call_t *call = live->active[index];
    fleet_device_t *device = call->device;
    live->active[index] = live->active[--live->active_count];
    if (call->is_file) {
        end_file(call, broken);
    } else {
        answer(live, call, broken);
    }
    end_call(call);
    fleet_world_serve(live->world, device->number);
}

/** Calls that wait get connections. */
static void start_calls(fleet_live_t *live)
{
    while (live->first != NULL && live->active_count < live->connections) {
        fleet_call_t *call = live->first;
        live->first = call->next;
        live->last = live->first == NULL ? NULL : live->last;
        call->started_ms = call->moved_ms = live->world->now_ms;
        live->active[live->active_count++] = call;
        if (!fleet_job_start(call->job)) {
            end(live, live->active_count - 1, fleet_job_why(call->job));
        }
    }
}

/** @return false: it has ended */
static bool work(fleet_live_t *live, uint32_t index, bool ready)
{
    fleet_call_t *call = live->active[index];
    if (!ready) {
        if (live->world->now_ms - call->moved_ms < LIMIT_MS) {
            return true;
        }
        end(live, index, "no answer in 10 s");
        return false;
    }
    call->moved_ms = live->world->now_ms;
    const fleet_job_state_t state = fleet_job_work(call->job);
    if (state == FLEET_JOB_GOES_ON) {
        if (call->is_file) {
            fleet_world_serve(live->world, call->device->number); /* progress may be told */
        }
        return true;
    }
    end(live, index, state == FLEET_JOB_BROKEN ? fleet_job_why(call->job) : NULL);
    return false;
}

static int turn_ms(const fleet_world_t *world)
{
    const int64_t left = world->devices[world->line[0]].at_ms - world->now_ms;
    return left < 0 ? 0 : left < TURN_MS ? (int)left : TURN_MS;
}

static void look_at_sockets(fleet_live_t *live)
{
    static struct pollfd sockets[FLEET_CONNECTIONS_MAX];
    static fleet_call_t *calls[FLEET_CONNECTIONS_MAX];
    const uint32_t count = live->active_count;
    for (uint32_t i = 0; i < count; i++) {
        calls[i] = live->active[i];
        sockets[i].fd = fleet_job_socket(calls[i]->job, &sockets[i].events);
        sockets[i].revents = 0;
    }
    const int found = poll(sockets, count, turn_ms(live->world));
    live->world->now_ms = clock_ms() - live->began_ms;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t index = 0; /* what ended meanwhile has moved the others */
        while (index < live->active_count && live->active[index] != calls[i]) {
            index++;
        }
        if (index < live->active_count) {
            (void)work(live, index, found > 0 && sockets[i].revents != 0);
        }
    }
}

bool fleet_live_run(fleet_live_t *live, uint32_t ms)
{
    fleet_world_t *world = live->world;
    world->now_ms = clock_ms() - live->began_ms;
    const int64_t until_ms = world->now_ms + ms;
    while (world->now_ms < until_ms) {
        for (uint32_t i = 0; i < TURN_MAX && world->devices[world->line[0]].at_ms <= world->now_ms; i++) {
            fleet_world_serve(world, world->line[0]);
        }
        start_calls(live);
        look_at_sockets(live);
        if (world->now_ms >= world->sample_at) {
            fleet_world_sample(world);
        }
    }
    return live->succeeded + live->failed < world->config.devices;
}

/* ---- the beginning and the end ---- */

bool fleet_live_open(fleet_live_t *live, fleet_world_t *world, SSL_CTX *tls, uint32_t connections)
{
    *live = (fleet_live_t){.world = world, .tls = tls, .connections = connections, .began_ms = clock_ms()};
    world->wire = &live_wire;
    world->wire_ctx = live;
    live->active = calloc(connections, sizeof(*live->active));
    return live->active != NULL;
}

void fleet_live_close(fleet_live_t *live)
{
    fleet_world_t *world = live->world;
    for (uint32_t i = 0; world != NULL && i < world->config.devices; i++) {
        drop(&world->devices[i]);
    }
    free(live->active);
    free(live->times);
    fleet_job_forget_hosts();
    *live = (fleet_live_t){0};
}

static int compare_times(const void *a, const void *b)
{
    uint32_t left, right;
    memcpy(&left, a, sizeof(left));
    memcpy(&right, b, sizeof(right));
    return left < right ? -1 : left > right;
}

void fleet_live_times(fleet_live_t *live, uint32_t times[3])
{
    const uint32_t count = live->time_count;
    times[0] = times[1] = times[2] = 0;
    if (count > 0) {
        qsort(live->times, count, sizeof(*live->times), compare_times);
        times[0] = live->times[count / 2];
        times[1] = live->times[(uint64_t)count * 95 / 100];
        times[2] = live->times[count - 1];
    }
}
