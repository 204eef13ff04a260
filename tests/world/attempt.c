/* An update as an application makes it: begin, perform in portions, finish or abort, and how long all of it may take. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "turn.h"
#include "ota/https_ota.h"
#include "otter/system.h"
#include "quirks.h"
#include "support/sealed.h"

#define SERVER      "server.example/fw.bin"
#define MAX_TIME_MS 120000u /* of one attempt, by the world's clock */
#define FIRST_MAX_MS                                                                                         \
    (MAX_TIME_MS + 20000u)    /* of begin, and of the perform that reads the header: they try again */
#define PERFORM_MAX_MS 30000u /* of any other: the waits of one connection, with redirects and credentials */
#define PAUSE_MS       50u    /* of one perform that waits for the next connection */
#define OVERTIME_MAX   1u     /* performs that begin after MAX_TIME_MS and do not end it */
#define CONNECTS_A_TRY 3      /* of a partial download: for HEAD, for a byte, for the first range */
#define BEGIN_VAIN_MAX                                                                                       \
    8u /* connects of begin besides the owner's tries: HEAD and GET, and twice what got lost */

/* ---- configuration ---- */

static void draw_weather(world_device_t *d)
{
    chance_t *c = &d->world->chance;
    weather_t *weather = &d->line.weather;
    uint32_t kind = chance_below(c, 10);
    *weather = (weather_t){.only_quirk = -1, .only_trouble = -1};
    if (d->world->calm || kind < 2) {
        return; /* a fine day */
    }
    weather->refuse_percent = chance_below(c, kind == 9 ? 100 : 20);
    weather->quirk_percent = kind < 6 ? 30 : 90;
    weather->flip_percent = chance_percent(c, 50) ? 25 : 0;
    weather->late_percent = chance_percent(c, 30) ? 20 : 2;
    weather->mixes = chance_percent(c, 50);
    if (kind >= 6) {
        weather->only_quirk = (int)chance_below(c, quirks_count());
    }
    if (kind == 5) {
        weather->only_trouble = (int)chance_below(c, troubles_count());
        weather->refuse_percent = 60;
    }
}

static const char *url(const device_plan_t *plan)
{
    static const char *const urls[][3] = {
        {"https://" SERVER, "https://device:secret@" SERVER, "https://device:wrong@" SERVER},
        {"http://" SERVER, "http://device:secret@" SERVER, "http://device:wrong@" SERVER}};
    return urls[plan->plain][plan->user];
}

static esp_err_t decrypt(decrypt_cb_arg_t *args, void *ctx)
{
    world_device_t *d = ctx;
    size_t head = d->decrypted < WORLD_CIPHER_HEAD ? WORLD_CIPHER_HEAD - d->decrypted : 0;
    head = head < args->data_in_len ? head : args->data_in_len;
    d->decrypted += head;
    args->data_out_len = args->data_in_len - head;
    if (args->data_out_len == 0) {
        return ESP_ERR_NOT_FINISHED;
    }
    args->data_out = malloc(args->data_out_len);
    if (args->data_out == NULL) {
        return ESP_ERR_NO_MEM;
    }
    for (size_t i = 0; i < args->data_out_len; i++) {
        uint8_t key = release_key((uint32_t)(d->decrypted++ - WORLD_CIPHER_HEAD));
        args->data_out[i] = (char)((uint8_t)args->data_in[head + i] ^ key);
    }
    return ESP_OK;
}

static bool configure(world_device_t *d)
{
    const device_plan_t *plan = &d->plan;
    otter_transport_t *transport = line_transport(&d->line);
    d->http = (esp_http_client_config_t){
        .url = url(plan),
        .cert_pem = plan->plain ? NULL : "trusted",
        .timeout_ms = WORLD_TIMEOUT_MS,
        .buffer_size = plan->buffer_size,
        .transport = (struct esp_transport_item_t *)(void *)transport,
    };
    d->ota = (esp_https_ota_config_t){
        .http_config = &d->http,
        .bulk_flash_erase = plan->bulk_erase,
        .partial_http_download = plan->partial,
        .max_http_request_size = plan->request_size,
        .ota_resumption = plan->resumption,
        .retry = {.attempts = plan->attempts, .delay_ms = 100, .max_time_ms = MAX_TIME_MS},
    };
    if (plan->decrypts) {
        d->ota.decrypt_cb = decrypt;
        d->ota.decrypt_user_ctx = d;
        d->ota.enc_img_header_size = WORLD_CIPHER_HEAD;
    }
    d->device.https = sealed_options(plan->sealed ? SEALED_ECIES : SEALED_NOT);
    /* A table that could not be read has no such partition. */
    d->stages = plan->staged && device_stage(d) != NULL && device_partition(d, d->target) != NULL;
    if (d->stages) {
        d->ota.partition.staging = device_stage(d);
        d->ota.partition.final = device_partition(d, d->target);
        d->ota.partition.finalize_with_copy = true;
    }
    return transport != NULL;
}

/* ---- limits ---- */

/** Tries that the owner allows after the first. */
static unsigned retries(const device_plan_t *plan)
{
    return plan->attempts < 0 ? 0 : plan->attempts == 0 ? 6 : (unsigned)plan->attempts;
}

static void start_limits(world_device_t *d)
{
    d->performs = d->overtime = 0;
    d->line.connects = d->line.vain = d->line.nonce = 0;
    d->line.busy_told = false;
    d->begin_us = otter_now_us();
    d->others_us = 0;
    d->decrypted = 0;
}

/** How long a call may take (its waits, but not what other devices did in them), and how often it may try for nothing. */
static void check_call(world_device_t *d, const char *what, int64_t start_us, uint32_t most_ms,
                       unsigned most_vain)
{
    int64_t took_ms = (otter_now_us() - start_us - d->others_us) / 1000;
    if (took_ms > most_ms) {
        world_fail(d->world, d, "%s took %" PRId64 " ms", what, took_ms);
    }
    if (d->line.vain > most_vain) {
        world_fail(d->world, d, "never gives up: %u connects in a row brought nothing", d->line.vain);
    }
}

/** Each perform brings bytes, or waits, and there is a time for all of them. */
static void check_progress(world_device_t *d, int64_t start_us, esp_err_t err)
{
    uint64_t bytes = d->device.report.bytes_downloaded;
    if (bytes != d->bytes_seen) {
        d->line.vain = 0;
    }
    d->bytes_seen = bytes;
    bool late = start_us - d->begin_us > (int64_t)MAX_TIME_MS * 1000;
    d->overtime += late && err == ESP_ERR_HTTPS_OTA_IN_PROGRESS;
    if (d->overtime > OVERTIME_MAX) {
        world_fail(d->world, d, "never gives up: still in progress after %u ms", MAX_TIME_MS);
    }
    uint64_t most = MAX_TIME_MS / PAUSE_MS / 4 + bytes / 16 + 8 * (uint64_t)(d->line.connects + 1);
    if (d->performs > most) {
        world_fail(d->world, d, "the update hangs: %" PRIu32 " calls of perform", d->performs);
    }
    check_call(d, "perform", start_us, d->begun ? PERFORM_MAX_MS : FIRST_MAX_MS, retries(&d->plan) + 2);
}

/* ---- begin to end ---- */

void begin_update(world_device_t *d)
{
    uint32_t slots = d->plan.slot_count;
    draw_weather(d);
    d->target = d->running.slot == WORLD_FACTORY ? 0 : (d->running.slot + 1) % (int)slots;
    if (!configure(d)) {
        world_fail(d->world, d, "out of memory");
        return;
    }
    start_limits(d);
    d->begun = d->received = false;
    d->faults_before = d->flash.faults;
    d->copies_twice = d->copies;
    memcpy(d->erases_before, d->flash.erases, sizeof(d->erases_before));
    d->world->tally->begins++;
    esp_err_t err = https_ota_begin(&d->device, &d->ota, NULL, &d->handle);
    check_call(d, "begin", d->begin_us, FIRST_MAX_MS, CONNECTS_A_TRY * retries(&d->plan) + BEGIN_VAIN_MAX);
    d->line.vain = 0;
    d->bytes_seen = d->device.report.bytes_downloaded;
    d->world->tally->begin_refused += err != ESP_OK;
    d->world->tally->resumes += d->device.report.bytes_resumed > 0;
    story(d->world, d, "update into slot %d: %s%s%s, resumed %u", d->target, esp_err_to_name(err),
          err != ESP_OK ? ": " : "", d->device.report.fault.why, (unsigned)d->device.report.bytes_resumed);
    if ((err == ESP_OK) != (d->handle != NULL)) {
        world_fail(d->world, d, "begin says %s but the handle is %s", esp_err_to_name(err),
                   d->handle != NULL ? "there" : "not");
    }
}

/** The slot stops being what boots next before its first sector is erased; what runs is home again. */
static void note_session(world_device_t *d, bool otadata_changed, bool open)
{
    if (otadata_changed && d->home.slot == d->target) {
        d->next = d->home; /* chosen and confirmed before it ever ran */
        d->next_state = open ? NEXT_NONE : NEXT_MAYBE;
        come_home(d);
    } else if (otadata_changed && d->next_state != NEXT_NONE && d->next.slot == d->target) {
        d->next_state = open ? NEXT_NONE : NEXT_MAYBE;
        if (!d->replaced_may) { /* factory was selected, then this slot: now what runs may have a record again */
            d->replaced = d->running;
            d->replaced_may = d->home.slot != d->running.slot;
        }
    }
}

static void finish_update(world_device_t *d)
{
    world_t *world = d->world;
    const watch_t before = watch_flash(d);
    if (d->stages && d->begun) {
        d->copies = true;
        d->copy_target = d->target;
    }
    open_fence(d, d->trial ? WORLD_FACTORY : d->target);
    d->flash.otadata_open = !d->trial;
    esp_err_t err = esp_https_ota_finish(d->handle);
    close_fence(d);
    d->handle = NULL;
    const watch_t download = {.faults = d->faults_before};
    place_t place = judge_place(d, d->target);
    const place_t written = d->stages ? judge_stage(d) : place;
    bool changed = d->flash.otadata_changes != before.otadata_changes;
    if (d->stages) { /* now the slot is about to be overwritten */
        note_session(d, changed, d->begun && !d->flash.sim.dead);
    }
    d->copies = d->copies && !(d->stages && err == ESP_OK && d->begun);
    world->tally->finishes += err == ESP_OK && d->received;
    world->tally->copied += err == ESP_OK && d->received && d->stages;
    world->tally->decrypted += err == ESP_OK && d->received && (d->plan.decrypts || d->plan.sealed);
    world->tally->finish_refused += err != ESP_OK;
    world->tally->old_refused += err == ESP_ERR_OTA_SMALL_SEC_VER;
    story(world, d, "finish%s: %s %s; slot %d holds release %d", d->received ? "" : " before the end",
          esp_err_to_name(err), d->device.report.fault.why, d->target, place.release);
    if (d->received && err == ESP_OK) {
        if (place.release == WORLD_NONE) {
            world_fail(world, d, "an update succeeded although nobody released what it wrote");
        } else if (!judge_trusts(d, place.release)) {
            world_fail(world, d, "an update succeeded that a stranger has signed");
        }
        choose(d, place, true);
    } else if (changed && (!d->stages || d->device.report.stage == OTTER_STAGE_SWITCH)) {
        choose(d, place, false);
    } else if (err == ESP_ERR_OTA_VALIDATE_FAILED && written.release != WORLD_NONE &&
               judge_trusts(d, written.release) && !is_excused(d, &download) && !d->flash.sim.dead &&
               d->received) {
        world_fail(world, d, "a good image was refused: %s", d->device.report.fault.why);
    }
    d->fuzzy = d->fuzzy || is_blurred(d, &before);
    judge_wear(d, err != ESP_OK && (d->plan.device.anti_rollback ||
                                    d->plan.device.trust.source == OTTER_TRUST_RUNNING_APP));
}

/** What a download may change: on trial nothing but what is staged. A begin finishes a copy that was cut. */
static void open_download_fence(world_device_t *d)
{
    int slot = !d->stages ? d->target : d->copies ? d->copy_target : WORLD_FACTORY;
    if (d->stages || !d->trial) {
        open_fence(d, slot);
        d->flash.otadata_open = !d->trial && !d->stages;
    }
}

void abort_update(world_device_t *d)
{
    if (d->plan.decrypts ||
        d->plan.sealed) { /* what the application decrypted is erased; else the fence stays closed */
        open_download_fence(d);
        d->flash.otadata_open = false;
    }
    esp_err_t err = esp_https_ota_abort(d->handle);
    close_fence(d);
    d->handle = NULL;
    d->world->tally->aborts++;
    story(d->world, d, "abort: %s", esp_err_to_name(err));
    judge_wear(d, false);
}

static esp_err_t perform_once(world_device_t *d)
{
    const int64_t start = otter_now_us();
    d->others_us = 0;
    esp_err_t err = esp_https_ota_perform(d->handle);
    d->performs++;
    d->world->tally->performs++;
    d->world->tally->old_refused += err == ESP_ERR_OTA_SMALL_SEC_VER; /* by its head */
    if (!d->flash.sim.dead) {
        check_progress(d, start, err);
    }
    return err;
}

static esp_err_t perform_some(world_device_t *d, uint32_t times)
{
    esp_err_t err = ESP_ERR_HTTPS_OTA_IN_PROGRESS;
    for (; times > 0 && err == ESP_ERR_HTTPS_OTA_IN_PROGRESS && !d->flash.sim.dead && !d->world->failed;
         times--) {
        const watch_t before = watch_flash(d);
        open_download_fence(d);
        err = perform_once(d);
        close_fence(d);
        if (d->stages && d->device.updates != NULL) {
            d->begun = true;
            d->copies = false; /* what was staged is overwritten now */
        }
        d->fuzzy = d->fuzzy || is_blurred(d, &before);
        if (!d->stages) {
            bool open = d->device.updates != NULL && !d->flash.sim.dead;
            d->begun = d->begun || open;
            note_session(d, d->flash.otadata_changes != before.otadata_changes, open);
        }
        if (d->world->judges_performs && !d->flash.sim.dead) {
            judge_moment(d);
        }
    }
    return err;
}

void continue_update(world_device_t *d)
{
    chance_t *c = &d->world->chance;
    esp_app_desc_t desc;
    if (d->received) {
        finish_update(d);
        return;
    }
    if (!d->begun && chance_percent(c, 10)) {
        (void)esp_https_ota_get_img_desc(d->handle, &desc); /* may fail as perform may; that is seen there */
    }
    esp_err_t err = perform_some(d, 1 + chance_below(c, 200));
    if (d->flash.sim.dead || err == ESP_ERR_HTTPS_OTA_IN_PROGRESS) {
        return;
    }
    d->received = err == ESP_OK;
    if (err == ESP_OK) {
        story(d->world, d, "download: all there");
        return;
    }
    d->world->tally->download_failed++;
    d->world->tally->old_refused += err == ESP_ERR_OTA_SMALL_SEC_VER; /* at its head */
    story(d->world, d, "download: %s: %s", esp_err_to_name(err), d->device.report.fault.why);
    if (chance_percent(c, 80)) {
        abort_update(d);
    } else {
        finish_update(d);
    }
}

void complete_update(world_device_t *d)
{
    begin_update(d);
    esp_err_t err = d->handle != NULL ? ESP_ERR_HTTPS_OTA_IN_PROGRESS : ESP_FAIL;
    while (err == ESP_ERR_HTTPS_OTA_IN_PROGRESS && !d->world->failed) {
        err = perform_some(d, 1000);
    }
    d->received = err == ESP_OK;
    if (d->handle != NULL && d->received) {
        finish_update(d);
    } else if (d->handle != NULL) {
        story(d->world, d, "download: %s: %s", esp_err_to_name(err), d->device.report.fault.why);
        abort_update(d);
    }
}
