/* The life of a device: boots, an application that updates, confirms, rejects and switches, and power that goes. */
#include <inttypes.h>
#include <string.h>

#include "boot/otadata.h"
#include "ota/https_ota.h"
#include "ota/update.h"
#include "world.h"

#define URL_TLS      "https://server.example/fw.bin"
#define URL_PLAIN    "http://server.example/fw.bin"
#define PERFORMS_MAX 20000u /* of one attempt: more is a hang */
#define MAX_TIME_MS  120000 /* of one attempt, by the world's clock */
#define CALM_ROUNDS  5      /* updates in which a device arrives once nothing fails any more */

/* ---- the fence ---- */

static void open_fence(world_device_t *d, int slot)
{
    d->flash.otadata_open = true;
    d->flash.slot_open = slot == WORLD_FACTORY ? 0 : device_slot_address(d, slot);
}

static void close_fence(world_device_t *d)
{
    d->flash.otadata_open = false;
    d->flash.slot_open = 0;
}

/** Flash that is worn or failed blurs what must boot. */
static bool is_blurred(const world_device_t *d, uint32_t faults_before)
{
    return d->flash.worn > 0 || d->flash.faults != faults_before ||
           sim_flash_is_weak(&d->flash.sim, WORLD_OTADATA, WORLD_OTADATA_SIZE);
}

/* ---- boot ---- */

/** A record in flash says that this slot is on trial. */
static bool record_is_pending(const world_device_t *d, int slot)
{
    for (uint32_t copy = 0; copy < OTADATA_COPY_COUNT; copy++) {
        otadata_entry_t entry;
        otadata_decode(d->flash.sim.bytes + WORLD_OTADATA + copy * OTADATA_COPY_DISTANCE, &entry);
        if (otadata_is_valid(&entry) && entry.state == ESP_OTA_IMG_PENDING_VERIFY &&
            (int)otadata_slot(entry.seq, d->plan.slot_count) == slot) {
            return true;
        }
    }
    return false;
}

/** Without a record of its own an image runs because the search found it: the next search may find another. */
static bool is_selected(const world_device_t *d, int slot)
{
    otadata_entry_t two[OTADATA_COPY_COUNT];
    for (uint32_t copy = 0; copy < OTADATA_COPY_COUNT; copy++) {
        otadata_decode(d->flash.sim.bytes + WORLD_OTADATA + copy * OTADATA_COPY_DISTANCE, &two[copy]);
    }
    int active = otadata_active(two);
    return active == OTADATA_NONE ? slot == WORLD_FACTORY
                                  : slot == (int)otadata_slot(two[active].seq, d->plan.slot_count);
}

static bool is_next(const world_device_t *d, place_t place)
{
    return (d->next_state != NEXT_NONE && same_place(d->next, place)) ||
           (d->replaced_may && same_place(d->replaced, place));
}

/** What boots for good from now on. */
static void settle_home(world_device_t *d, place_t place, bool blurred)
{
    d->home = place;
    d->home_waits = false;
    d->next_state = NEXT_NONE;
    d->replaced_may = false;
    d->trial = false;
    d->fuzzy = blurred;
}

/** An image has started: what does that say about the boots to come? */
static void settle_boot(world_device_t *d, place_t place, bool faulty)
{
    d->on = true;
    d->running = place;
    d->home_waits = false;
    if (d->fuzzy) {
        d->trial = d->plan.device.rollback && record_is_pending(d, place.slot);
        if (!d->trial && !faulty && is_selected(d, place.slot)) {
            settle_home(d, place, d->flash.worn > 0);
        }
    } else if (is_next(d, place)) {
        /* After a cut in the confirmation the record tells whether it was done; else a trial there must be. */
        bool tried = d->next_state == NEXT_SURE || record_is_pending(d, place.slot);
        d->trial = d->plan.device.rollback && place.slot != WORLD_FACTORY && tried;
        if (!d->trial) {
            settle_home(d, place, false);
        }
    }
    d->next_state = NEXT_NONE;
    d->replaced_may = false;
    d->world->tally->trials += d->trial;
}

static int slot_of(const esp_partition_t *partition)
{
    return partition->subtype == ESP_PARTITION_SUBTYPE_APP_FACTORY
               ? WORLD_FACTORY
               : (int)partition->subtype - (int)ESP_PARTITION_SUBTYPE_APP_OTA_MIN;
}

static void boot(world_device_t *d)
{
    uint32_t faults = d->flash.faults;
    const otter_chip_t chip = d->device.chip;
    const otter_efuse_t efuse = d->device.efuse;
    otter_boot_result_t result;
    d->world->tally->boots++;
    otter_device_init(&d->device, &d->flash.flash, &chip, &efuse, &d->plan.device);
    open_fence(d, WORLD_FACTORY);
    esp_err_t err = otter_boot(&d->device, OTTER_BOOT_COMMIT, &result);
    close_fence(d);
    bool faulty = d->flash.faults != faults;
    d->fuzzy = d->fuzzy || is_blurred(d, faults);
    if (d->flash.sim.dead) {
        d->next_state = d->next_state == NEXT_SURE ? NEXT_MAYBE : d->next_state;
        return;
    }
    if (err != ESP_OK) {
        story(d->world, d, "boot: %s (%s)", esp_err_to_name(err), result.reason);
        if (!faulty) {
            world_fail(d->world, d, "does not boot: %s (%s)", esp_err_to_name(err), result.reason);
        }
        return;
    }
    place_t place = judge_place(d, slot_of(result.partition));
    story(d->world, d, "boot: slot %d runs release %d: %s", place.slot, place.release, result.reason);
    if (judge_started(d, place)) {
        settle_boot(d, place, faulty);
    }
}

/* ---- the application's other calls ---- */

/** Confirming counts what is selected: what runs, or, before the restart into it, what was chosen to be next. */
static void confirm(world_device_t *d)
{
    uint32_t faults = d->flash.faults;
    const bool chosen = d->next_state == NEXT_SURE;
    const place_t place = chosen ? d->next : d->running;
    open_fence(d, WORLD_FACTORY);
    esp_err_t err = ota_mark_app_valid_cancel_rollback(&d->device);
    close_fence(d);
    story(d->world, d, "confirm%s: %s", chosen ? " what has not run yet" : "", esp_err_to_name(err));
    if (err == ESP_OK && d->flash.sim.dead) {
        world_fail(d->world, d, "a confirmation succeeded although power went");
    }
    d->fuzzy = d->fuzzy || (err != ESP_OK && is_blurred(d, faults));
    if (!d->trial && !chosen) {
        return;
    }
    if (err == ESP_OK) {
        d->world->tally->confirms++;
        settle_home(d, place, is_blurred(d, faults));
        d->home_waits = chosen;
        return;
    }
    if (!d->flash.sim.dead && !is_blurred(d, faults) && !d->fuzzy) {
        world_fail(d->world, d, "the trial cannot be confirmed: %s", esp_err_to_name(err));
    }
    d->next =
        place; /* if it was written, it is confirmed; else the trial ended, or is lost before it began */
    d->next_state = NEXT_MAYBE;
}

static void reject(world_device_t *d)
{
    open_fence(d, WORLD_FACTORY);
    esp_err_t err = ota_mark_app_invalid_rollback(&d->device);
    close_fence(d);
    d->world->tally->rejects++;
    story(d->world, d, "reject: %s", esp_err_to_name(err));
    if (err == ESP_OK && d->flash.sim.dead) {
        world_fail(d->world, d, "a rejection succeeded although power went");
    }
}

/** The owner has chosen what boots next; if the choice was cut, it may be this one, what was chosen before, or home. */
static void choose(world_device_t *d, place_t place, bool done)
{
    if (d->home_waits || d->next_state != NEXT_NONE) {
        d->replaced = d->home_waits ? d->home : d->next;
        d->replaced_may = true;
    }
    d->replaced_may = d->replaced_may && !done;
    if (d->home_waits) {
        d->home = d->running; /* is what comes back, not another choice */
        d->home_waits = false;
    }
    d->next = place;
    d->next_state = done ? NEXT_SURE : NEXT_MAYBE;
}

/** Another image that is there anyway is to boot next. */
static void switch_slot(world_device_t *d)
{
    world_t *world = d->world;
    int slot = (int)chance_below(&world->chance, d->plan.slot_count + 1) - 1;
    place_t place = judge_place(d, slot);
    bool there = slot != WORLD_FACTORY || d->plan.factory;
    if (!there || slot == d->running.slot || place.release == WORLD_NONE || d->next_state == NEXT_MAYBE ||
        d->fuzzy) {
        return;
    }
    const release_t *release = &world->releases[place.release];
    if (d->plan.device.anti_rollback && release->secure_version < d->efuse) {
        return; /* a slot with it would be erased; updates do that often enough */
    }
    uint32_t faults = d->flash.faults;
    open_fence(d, WORLD_FACTORY);
    esp_err_t err = ota_set_boot_partition(&d->device, device_partition(d, slot));
    close_fence(d);
    world->tally->switches++;
    story(world, d, "select slot %d with release %d: %s", slot, place.release, esp_err_to_name(err));
    if (err == ESP_OK && d->flash.sim.dead) {
        world_fail(world, d, "a selection succeeded although power went");
    }
    if (err != ESP_OK && !d->flash.sim.dead && !is_blurred(d, faults)) {
        world_fail(world, d, "a good image cannot be selected: %s", esp_err_to_name(err));
    }
    choose(d, place, err == ESP_OK);
    d->fuzzy = is_blurred(d, faults);
    if (err == ESP_OK && slot == WORLD_FACTORY) {
        settle_home(d, place, d->fuzzy); /* there is no record any more, and no way back */
    }
}

/* ---- an update ---- */

static void draw_weather(world_device_t *d)
{
    chance_t *c = &d->world->chance;
    uint32_t kind = chance_below(c, 10);
    d->line.weather = (weather_t){.only_quirk = -1};
    if (d->world->calm || kind < 2) {
        return; /* a fine day */
    }
    d->line.weather.refuse_percent = chance_below(c, kind == 9 ? 100 : 20);
    d->line.weather.quirk_percent = kind < 6 ? 30 : 90;
    if (kind >= 6) {
        d->line.weather.only_quirk = (int)chance_below(c, quirks_count());
    }
}

static bool configure(world_device_t *d)
{
    const device_plan_t *plan = &d->plan;
    sim_transport_t *transport = line_connect(&d->line);
    d->http = (esp_http_client_config_t){
        .url = plan->plain ? URL_PLAIN : URL_TLS,
        .cert_pem = plan->plain ? NULL : "trusted",
        .timeout_ms = 1000,
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
    return transport != NULL;
}

static void begin_update(world_device_t *d)
{
    draw_weather(d);
    if (!configure(d)) {
        world_fail(d->world, d, "out of memory");
        return;
    }
    uint32_t slots = d->plan.slot_count;
    d->target = d->running.slot == WORLD_FACTORY ? 0 : (d->running.slot + 1) % (int)slots;
    d->begun = d->received = false;
    d->performs = 0;
    d->faults_before = d->flash.faults;
    memcpy(d->erases_before, d->flash.erases, sizeof(d->erases_before));
    d->world->tally->begins++;
    esp_err_t err = https_ota_begin(&d->device, &d->ota, &d->handle);
    d->world->tally->begin_refused += err != ESP_OK;
    d->world->tally->resumes += d->device.report.bytes_resumed > 0;
    story(d->world, d, "update into slot %d: %s%s%s, resumed %u", d->target, esp_err_to_name(err),
          err != ESP_OK ? ": " : "", d->device.report.why, (unsigned)d->device.report.bytes_resumed);
    if ((err == ESP_OK) != (d->handle != NULL)) {
        world_fail(d->world, d, "begin says %s but the handle is %s", esp_err_to_name(err),
                   d->handle != NULL ? "there" : "not");
    }
}

/** The slot stops being what boots next before its first sector is erased; what runs is home again. */
static void note_session(world_device_t *d, bool otadata_changed)
{
    const bool open = d->device.updates != NULL && !d->flash.sim.dead;
    d->begun = d->begun || open;
    if (otadata_changed && d->home.slot == d->target) {
        d->next = d->home; /* chosen and confirmed before it ever ran */
        d->next_state = open ? NEXT_NONE : NEXT_MAYBE;
        d->home = d->running;
        d->home_waits = false;
    } else if (otadata_changed && d->next_state != NEXT_NONE && d->next.slot == d->target) {
        d->next_state = open ? NEXT_NONE : NEXT_MAYBE;
        d->replaced =
            d->running; /* factory was selected, then this slot: now what runs may have a record again */
        d->replaced_may = d->home.slot != d->running.slot;
    }
}

static void finish_update(world_device_t *d)
{
    world_t *world = d->world;
    uint32_t otadata = d->flash.otadata_changes;
    open_fence(d, d->trial ? WORLD_FACTORY : d->target);
    d->flash.otadata_open = !d->trial;
    esp_err_t err = esp_https_ota_finish(d->handle);
    close_fence(d);
    d->handle = NULL;
    place_t place = judge_place(d, d->target);
    bool blurred = is_blurred(d, d->faults_before);
    world->tally->finishes += err == ESP_OK && d->received;
    world->tally->finish_refused += err != ESP_OK;
    world->tally->old_refused += err == ESP_ERR_OTA_SMALL_SEC_VER;
    story(world, d, "finish%s: %s %s; slot %d holds release %d", d->received ? "" : " before the end",
          esp_err_to_name(err), d->device.report.why, d->target, place.release);
    if (d->received && err == ESP_OK) {
        if (place.release == WORLD_NONE) {
            world_fail(world, d, "an update succeeded although nobody released what it wrote");
        }
        choose(d, place, true);
    } else if (d->flash.otadata_changes != otadata) {
        choose(d, place, false);
    } else if (err == ESP_ERR_OTA_VALIDATE_FAILED && place.release != WORLD_NONE && !blurred &&
               !d->flash.sim.dead && d->received) {
        world_fail(world, d, "a good image was refused: %s", d->device.report.why);
    }
    d->fuzzy = d->fuzzy || blurred;
    judge_wear(d, err != ESP_OK && d->plan.device.anti_rollback);
}

static void abort_update(world_device_t *d)
{
    esp_err_t err = esp_https_ota_abort(d->handle); /* the fence is closed */
    d->handle = NULL;
    d->world->tally->aborts++;
    story(d->world, d, "abort: %s", esp_err_to_name(err));
    judge_wear(d, false);
}

static esp_err_t perform_some(world_device_t *d, uint32_t times)
{
    esp_err_t err = ESP_ERR_HTTPS_OTA_IN_PROGRESS;
    uint32_t otadata = d->flash.otadata_changes;
    if (!d->trial) {
        open_fence(d, d->target);
    } /* else: not a byte of flash may change */
    for (; times > 0 && err == ESP_ERR_HTTPS_OTA_IN_PROGRESS && !d->flash.sim.dead; times--) {
        err = esp_https_ota_perform(d->handle);
        d->performs++;
        d->world->tally->performs++;
    }
    close_fence(d);
    note_session(d, d->flash.otadata_changes != otadata);
    if (d->performs > PERFORMS_MAX) {
        world_fail(d->world, d, "the update hangs: %" PRIu32 " calls of perform", d->performs);
    }
    return err;
}

static void continue_update(world_device_t *d)
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
    story(d->world, d, "download: %s: %s", esp_err_to_name(err), d->device.report.why);
    if (chance_percent(c, 80)) {
        abort_update(d);
    } else {
        finish_update(d);
    }
}

/* ---- steps ---- */

/** After something that may have been cut. */
static void power_cycle(world_device_t *d)
{
    device_stop(d);
    sim_flash_power_on(&d->flash.sim);
    d->flash.flash.attested_len = 0;
}

static void restart(world_device_t *d, const char *why)
{
    story(d->world, d, "%s", why);
    d->world->tally->rollbacks += d->trial;
    device_stop(d);
    d->flash.flash.attested_len = 0;
}

/** The application of an image on trial. @return the tally of power cuts that may have come */
static uint64_t *trial_step(world_device_t *d)
{
    tally_t *tally = d->world->tally;
    chance_t *c = &d->world->chance;
    if (d->next_state == NEXT_SURE) {
        restart(d, "restart of a trial into another choice");
        return &tally->cuts_idle;
    }
    bool healthy = d->running.release != WORLD_NONE && d->world->releases[d->running.release].healthy;
    if (chance_percent(c, 20)) {
        begin_update(d); /* which must not come about */
        return &tally->cuts_download;
    }
    if (chance_percent(c, 5)) {
        switch_slot(d);
        return &tally->cuts_record;
    }
    if (healthy && chance_percent(c, 80)) {
        confirm(d);
    } else if (!same_place(d->running, d->home) && chance_percent(c, 50)) {
        reject(d);
    }
    if (d->trial && !d->flash.sim.dead) {
        restart(d, "restart with the trial unconfirmed");
    }
    return &tally->cuts_record;
}

static uint64_t *idle_step(world_device_t *d)
{
    tally_t *tally = d->world->tally;
    chance_t *c = &d->world->chance;
    uint32_t what = chance_below(c, 100);
    if (d->next_state == NEXT_SURE && what < 70) {
        restart(d, "restart");
        return &tally->cuts_idle;
    }
    if (what < 75) {
        begin_update(d);
        return &tally->cuts_download;
    }
    if (what < 80) {
        restart(d, "restart");
    } else if (what < 85) {
        switch_slot(d);
    } else if (what < 90) {
        confirm(d);
    }
    return &tally->cuts_record;
}

static uint64_t *step(world_device_t *d)
{
    tally_t *tally = d->world->tally;
    chance_t *c = &d->world->chance;
    if (!d->on) {
        boot(d);
        return &tally->cuts_boot;
    }
    if (d->handle == NULL) {
        return d->trial ? trial_step(d) : idle_step(d);
    }
    uint32_t what = chance_below(c, 100);
    if (what == 0) {
        restart(d, "crash in an update");
        return &tally->cuts_idle;
    }
    if (what == 1) {
        abort_update(d);
        return &tally->cuts_download;
    }
    uint64_t *cuts = d->received ? &tally->cuts_finish : &tally->cuts_download;
    continue_update(d);
    return cuts;
}

void life_step(world_device_t *d)
{
    chance_t *c = &d->world->chance;
    if (d->flash.sim.cut_at == UINT32_MAX && chance_percent(c, 8)) {
        world_flash_plan_cut(&d->flash, c);
    }
    uint32_t changes = d->flash.otadata_changes;
    bool downloading = d->handle != NULL && !d->received;
    bool idle_cut = d->on && chance_below(c, 200) == 0;
    uint64_t *cuts = &d->world->tally->cuts_idle;
    if (idle_cut) {
        d->flash.sim.dead = true;
        story(d->world, d, "POWER CUT between operations");
    } else {
        cuts = step(d);
    }
    bool dead = d->flash.sim.dead;
    if (dead) {
        ++*cuts;
        power_cycle(d);
    }
    if (dead || !downloading || d->flash.otadata_changes != changes) {
        judge_moment(d);
    }
}

/** One round without failures. @return true: the device runs `release` for good */
static bool calm_round(world_device_t *d, int release)
{
    if (!d->on) {
        boot(d);
    }
    if (d->trial) {
        confirm(d);
    }
    if (d->trial) {
        restart(d, "restart with the trial unconfirmed"); /* worn otadata */
        return false;
    }
    if (d->world->failed || (d->running.release == release && !d->trial)) {
        return !d->world->failed;
    }
    begin_update(d);
    esp_err_t err = d->handle != NULL ? ESP_ERR_HTTPS_OTA_IN_PROGRESS : ESP_FAIL;
    while (err == ESP_ERR_HTTPS_OTA_IN_PROGRESS && !d->world->failed) {
        err = perform_some(d, 1000);
    }
    d->received = err == ESP_OK;
    if (d->handle != NULL && d->received) {
        finish_update(d);
    } else if (d->handle != NULL) {
        story(d->world, d, "download: %s: %s", esp_err_to_name(err), d->device.report.why);
        abort_update(d);
    }
    judge_moment(d);
    restart(d, "restart");
    return false;
}

void life_calm(world_device_t *d, int release)
{
    world_flash_calm(&d->flash);
    story(d->world, d, "calm: nothing fails any more");
    restart(d, "restart");
    bool arrived = false;
    for (int round = 0; round < CALM_ROUNDS && !arrived && !d->world->failed; round++) {
        arrived = calm_round(d, release);
    }
    d->world->tally->arrived += arrived;
    if (!arrived && !d->world->failed && d->flash.worn == 0) {
        world_fail(d->world, d, "runs release %d, not the last one (%d), after %d updates without failures",
                   d->running.release, release, CALM_ROUNDS);
    }
}
