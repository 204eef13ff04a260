/* One action from the offer to the verdict: what is in the record decides, and it is written before each step. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "ddi/agent.h"
#include "otter/bytes.h"
#include "otter/text.h"

#define LOOK_S        10u /* between two looks at an image on trial */
#define TRIES_MAX     3u  /* restarts into an image that does not come up */
#define PROGRESS_S    30u
#define PROGRESS_MAX  40u /* of an action's feedbacks, which a server counts */
#define FETCH_FIRST_S 30u
#define FETCH_MOST_S  3600u

/* Is it worth it to fetch again what failed in this stage? A refusal is final. */
static const bool is_passing[] = {
    [OTTER_STAGE_CONFIG] = false, [OTTER_STAGE_CONNECT] = true,  [OTTER_STAGE_REQUEST] = true,
    [OTTER_STAGE_GATE] = false,   [OTTER_STAGE_DOWNLOAD] = true, [OTTER_STAGE_VERIFY] = false,
    [OTTER_STAGE_SWITCH] = false, [OTTER_STAGE_DONE] = false,
};

static bool is_same_file(const otter_ddi_file_t *a, const otter_ddi_file_t *b)
{
    return a->kind == b->kind && a->size == b->size && memcmp(a->hash, b->hash, sizeof(a->hash)) == 0;
}

esp_err_t ddi_action_look(otter_ddi_t *agent, const char *slot, otter_ddi_device_t *device)
{
    memset(device, 0, sizeof(*device));
    esp_err_t err = agent->config->look(agent->config->ctx, slot, device);
    if (err != ESP_OK) {
        ddi_say(agent, "error: the device cannot be looked at (%s)", esp_err_to_name(err));
        return err;
    }
    otter_ddi_running_t *running = &device->running;
    running->slot[sizeof(running->slot) - 1] = running->version[sizeof(running->version) - 1] = '\0';
    agent->running = *running;
    agent->confirmed = device->confirmed;
    return ESP_OK;
}

const char *ddi_partition(const otter_ddi_t *agent)
{
    return agent->next < agent->config->part_count ? agent->config->parts[agent->next].partition : NULL;
}

/** The action ends; the server is told from now on until it has heard it. */
static void conclude(otter_ddi_t *agent, struct otter_ddi_record *record, int32_t code, const char *format,
                     ...) __attribute__((format(printf, 4, 5)));

static void conclude(otter_ddi_t *agent, struct otter_ddi_record *record, int32_t code, const char *format,
                     ...)
{
    va_list args;
    record->phase = DDI_VERDICT;
    record->acknowledged = 0;
    record->verdict_ok = code == ESP_OK;
    record->code = code;
    va_start(args, format);
    text_vformat(record->reason, sizeof(record->reason), format, args);
    va_end(args);
    if (!ddi_commit(agent, record)) {
        return;
    }
    agent->fetch = agent->ready = agent->restarting = false;
    agent->todo = 0;
    agent->closing_at = agent->now;
    ddi_say(agent, code == ESP_OK ? "success:: %s" : "failure:: %s", record->reason);
}

/** "ota_1 runs and is confirmed, SHA-256 01234567..." @param how  "" or a word and a blank */
static void conclude_good(otter_ddi_t *agent, struct otter_ddi_record *record, const char *how)
{
    const uint8_t *sha = agent->running.image_sha256;
    memcpy(record->image_sha256, sha, sizeof(record->image_sha256));
    conclude(agent, record, ESP_OK, "%s %sruns and is confirmed, SHA-256 %02x%02x%02x%02x...",
             agent->running.slot, how, sha[0], sha[1], sha[2], sha[3]);
}

/* ---- offered ---- */

/** Does the image that runs come from this file? */
static esp_err_t runs_already(otter_ddi_t *agent, const otter_ddi_file_t *file, bool *same)
{
    const struct otter_ddi_record *record = &agent->record;
    if (record->verdict_ok != 0 && is_same_file(&record->file, file) &&
        memcmp(record->image_sha256, agent->running.image_sha256, sizeof(record->image_sha256)) == 0) {
        *same = true; /* it was installed from it, in whatever form it came */
        return ESP_OK;
    }
    return agent->config->compare(agent->config->ctx, file, same);
}

/** What can be said against an offer before anything is asked for. NULL: nothing. */
static const char *object_to(const otter_ddi_t *agent, const ddi_answer_t *answer)
{
    if (answer->artifacts == 0) {
        return "the offer has no file";
    }
    if (answer->chunks == 0) {
        return "no file is for this part of the device";
    }
    if (answer->others > 0 && !agent->config->others) {
        return "a file is for another part of the device";
    }
    if (answer->twice) {
        return "several chunks could be for this device";
    }
    if (answer->unclear) {
        return "of several files one has to be named as an image (.bin)";
    }
    const bool told =
        answer->file.kind != OTTER_DDI_NO_HASH && answer->file.size != 0 && agent->url[0] != '\0';
    return told || answer->next == DDI_NO_PART ? NULL : "the file has no size, link, SHA-256 or SHA-1";
}

static bool may_install(const otter_ddi_t *agent, const ddi_answer_t *answer)
{
    return answer->update == DDI_MODE_FORCED ||
           (answer->update == DDI_MODE_ATTEMPT && (agent->config->soft == OTTER_DDI_NOW || agent->allowed));
}

/** An action that was not there before. What the last one has installed is still known, for runs_already(). */
static void begin_action(otter_ddi_t *agent, struct otter_ddi_record *record, const ddi_answer_t *answer)
{
    if (record->verdict_ok == 0) {
        record->file.kind = OTTER_DDI_NO_HASH;
    }
    record->phase = DDI_SEEN;
    record->tries = record->stored = 0;
    record->open_s = 0;
    record->reason[0] = '\0';
    record->files_crc = answer->files_crc;
    memcpy(record->id, answer->id, sizeof(record->id));
    agent->quota = agent->told_downloaded = agent->ready = agent->held = false;
    agent->feedbacks = agent->fetch_failures = 0;
    agent->fetch_at = agent->open_since = 0;
}

void ddi_action_again(otter_ddi_t *agent)
{
    agent->offer_crc = 0;
    agent->poll_at = agent->now;
}

/** The data that is considered is in its place. */
static void mark_done(otter_ddi_t *agent)
{
    agent->done = (uint8_t)(agent->done | 1u << (agent->next & (OTTER_DDI_PARTS_MAX - 1)));
}

/** The offer is asked for again when its file may be fetched. */
static void await_fetch(otter_ddi_t *agent)
{
    agent->offer_crc = 0;
    agent->poll_at = min_u32(agent->poll_at, agent->fetch_at);
}

/** The action is in the record before anything is done for it. @return false: it is not */
static bool keep_action(otter_ddi_t *agent, const struct otter_ddi_record *record, const ddi_answer_t *answer)
{
    const bool begins = agent->record.phase != DDI_SEEN || strcmp(agent->record.id, record->id) != 0;
    agent->file = answer->file;
    if (memcmp(record, &agent->record, sizeof(*record)) != 0 && !ddi_commit(agent, record)) {
        agent->offer_crc = 0;
        return false;
    }
    if (begins) {
        ddi_say(agent, "action:: %" PRIu32 " bytes, version '%.32s'", answer->file.size, answer->version);
        agent->todo |= ddi_bit(DDI_TELL_TAKEN);
    }
    return true;
}

/** The file that is offered is not there: it is fetched, if it may be now. */
static void want_file(otter_ddi_t *agent, struct otter_ddi_record *record, const ddi_answer_t *answer)
{
    const bool is_data = ddi_partition(agent) != NULL;
    agent->ready = may_install(agent, answer);
    agent->held =
        answer->download == DDI_MODE_SKIP || (is_data && !agent->ready); /* no place but its own keeps data */
    if (is_data) {
        record->stored |= !agent->held;
    } else {
        record->file = answer->file;
        record->verdict_ok = 0;
    }
    if (!keep_action(agent, record, answer) || agent->held || agent->fetching) {
        return; /* what is still being fetched is another one's, and stops */
    }
    agent->fetch = agent->now >= agent->fetch_at;
    if (!agent->fetch) {
        await_fetch(agent); /* its link may be good for some time only */
    }
}

/** What is offered is not there yet, as far as the record knows. */
static void take_action(otter_ddi_t *agent, struct otter_ddi_record *record, const ddi_answer_t *answer)
{
    const otter_ddi_config_t *config = agent->config;
    const char *objection = object_to(agent, answer);
    agent->next = answer->next;
    const char *partition = ddi_partition(agent);
    otter_ddi_device_t device;
    bool there = true; /* where no file is left */
    esp_err_t err = ddi_action_look(agent, "", &device);
    if (err == ESP_OK && objection == NULL && answer->next != DDI_NO_PART) {
        err = partition != NULL ? config->holds(config->ctx, partition, &answer->file, &there)
                                : runs_already(agent, &answer->file, &there);
    }
    if (err != ESP_OK) {
        agent->offer_crc = 0; /* what runs is not known: nothing is begun */
    } else if (objection != NULL) {
        conclude(agent, record, ESP_ERR_NOT_SUPPORTED, "%s%s%s", objection,
                 answer->other[0] != '\0' ? ": " : "", answer->other);
    } else if (!device.confirmed && (there || partition != NULL)) {
        agent->offer_crc = 0; /* it runs on trial: its verdict is awaited */
    } else if (there && partition != NULL) {
        if (keep_action(agent, record, answer)) {
            mark_done(agent);
            ddi_action_again(agent);
        }
    } else if (there) {
        if (answer->next != DDI_NO_PART) {
            record->file = answer->file;
        }
        conclude_good(agent, record, "already ");
    } else {
        want_file(agent, record, answer);
    }
}

/** An action that has not ended. */
static void go_on(otter_ddi_t *agent, struct otter_ddi_record *record, const ddi_answer_t *answer)
{
    if (record->phase != DDI_FETCHED && (!agent->fetching || agent->stop)) {
        take_action(agent, record, answer);
        return;
    }
    agent->ready = may_install(agent, answer);
    if (record->phase != DDI_FETCHED) {
        return;
    }
    if (!agent->told_downloaded) {
        agent->todo |= ddi_bit(DDI_TELL_DOWNLOADED);
    }
    if (agent->ready) {
        agent->todo |= ddi_bit(DDI_TELL_RESTARTING);
    }
}

void ddi_action_offered(otter_ddi_t *agent, const ddi_answer_t *answer)
{
    struct otter_ddi_record record = agent->record;
    const bool same = record.phase != DDI_NONE && strcmp(record.id, answer->id) == 0 &&
                      (answer->artifacts == 0 || record.files_crc == answer->files_crc);
    if (answer->is_null) {
        ddi_action_gone(agent);
    } else if (answer->id[0] == '\0') {
        ddi_say(agent, "error: the server names an action without an id");
    } else if (record.phase == DDI_SWITCHED || (record.phase == DDI_VERDICT && record.acknowledged == 0)) {
        agent->offer_crc = 0; /* first things first */
    } else if (same && record.phase == DDI_VERDICT) {
        record.acknowledged = 0; /* the server has not understood how it ended */
        if (ddi_commit(agent, &record)) {
            ddi_say(agent, "again:: how it ended is told again");
        }
    } else if (!same && agent->done != 0) {
        agent->done = 0; /* parts that another action has put in place: all of this one's are looked at */
        ddi_action_again(agent);
    } else {
        memcpy(agent->version, answer->version, sizeof(agent->version));
        if (!same) {
            begin_action(agent, &record, answer);
            agent->stop = agent->fetching; /* it was another one's file */
        }
        go_on(agent, &record, answer);
    }
}

void ddi_action_gone(otter_ddi_t *agent)
{
    struct otter_ddi_record record = agent->record;
    agent->offer_crc = 0;
    if (record.phase == DDI_NONE || record.phase == DDI_SWITCHED ||
        (record.phase == DDI_VERDICT && record.acknowledged == 0)) {
        return;
    }
    if (record.phase != DDI_VERDICT) {
        ddi_say(agent, "gone:: no longer there");
    }
    record.phase = DDI_NONE;
    if (ddi_commit(agent, &record)) {
        agent->fetch = agent->ready = false;
        agent->stop = agent->fetching;
        agent->todo &= ddi_bit(DDI_TELL_ATTRIBUTES) | ddi_bit(DDI_TELL_CANCEL);
    }
}

/* ---- cancelled ---- */

void ddi_action_cancelled(otter_ddi_t *agent)
{
    struct otter_ddi_record record = agent->record;
    const bool mine = record.phase != DDI_NONE && strcmp(record.id, agent->other_id) == 0;
    if (mine && record.phase == DDI_VERDICT && record.acknowledged == 0) {
        return; /* the closing feedback says how it ended */
    }
    agent->todo |= ddi_bit(DDI_TELL_CANCEL);
    if (mine && record.phase < DDI_SWITCHED) {
        ddi_say(agent, "cancelled:: it is cancelled");
        record.phase =
            DDI_NONE; /* before it is told: what is told as cancelled is not installed after a power cut */
        if (!ddi_commit(agent, &record)) {
            agent->todo = 0;
            return;
        }
        agent->todo = ddi_bit(DDI_TELL_CANCEL);
        agent->fetch = agent->ready = false;
        agent->stop = agent->fetching;
    } else if (mine) {
        ddi_say(agent, "rejected:: cancelled too late");
    }
}

/* ---- fetched ---- */

bool otter_ddi_progress(otter_ddi_t *agent, int64_t now_ms, uint32_t bytes)
{
    ddi_clock(agent, now_ms);
    const uint32_t size = agent->file.size;
    const uint32_t percent = bytes / (size / 100 + 1); /* or a little less, never 100 */
    agent->fetched_bytes = bytes;
    if (!agent->stop && !agent->quota && percent >= agent->told_percent + 10u &&
        agent->now - agent->told_at >= DDI_TICKS(PROGRESS_S) && agent->feedbacks < PROGRESS_MAX) {
        agent->told_percent = (uint16_t)percent;
        agent->told_at = agent->now;
        agent->todo |= ddi_bit(DDI_TELL_PROGRESS);
    }
    return !agent->stop;
}

/** A file is in its data partition: the next one. */
static void take_stored(otter_ddi_t *agent)
{
    mark_done(agent);
    ddi_say(agent, "stored:: %" PRIu32 " bytes in %s", agent->file.size, ddi_partition(agent));
    agent->fetched_bytes = agent->file.size;
    agent->open_since = 0;
    agent->todo |= agent->quota ? 0 : ddi_bit(DDI_TELL_PROGRESS);
    agent->poll_at = agent->now;
}

static void take_fetched(otter_ddi_t *agent, const otter_ddi_fetched_t *fetched)
{
    struct otter_ddi_record record = agent->record;
    record.phase = DDI_FETCHED;
    record.open_s = 0;
    memcpy(record.image_sha256, fetched->image_sha256, sizeof(record.image_sha256));
    record.image_len = fetched->image_len;
    text_format(record.slot, sizeof(record.slot), "%s", fetched->slot != NULL ? fetched->slot : "");
    agent->offer_crc = 0;
    if (!ddi_commit(agent, &record)) {
        agent->poll_at = agent->hold_until; /* it is fetched again, which takes what is there already */
        return;
    }
    ddi_say(agent, "fetched:: %" PRIu32 " bytes in %s", record.image_len, record.slot);
    agent->todo |= ddi_bit(DDI_TELL_DOWNLOADED) | (agent->ready ? ddi_bit(DDI_TELL_RESTARTING) : 0);
}

void otter_ddi_fetched(otter_ddi_t *agent, int64_t now_ms, const otter_ddi_fetched_t *fetched)
{
    struct otter_ddi_record record = agent->record;
    char reason[OTTER_DDI_REASON_SIZE];
    const bool wanted = !agent->stop && record.phase == DDI_SEEN;
    ddi_clock(agent, now_ms);
    agent->fetching = agent->stop = false;
    agent->offer_crc = 0;
    if (!wanted) {
        return; /* what it was for is over */
    }
    if (fetched->err == ESP_OK) {
        if (ddi_partition(agent) != NULL) {
            take_stored(agent);
        } else {
            take_fetched(agent, fetched);
        }
        return;
    }
    OTTER_ASSERT((size_t)fetched->stage < sizeof(is_passing));
    text_format(reason, sizeof(reason), "%s: %s", otter_stage_name(fetched->stage),
                fetched->why != NULL && fetched->why[0] != '\0' ? fetched->why
                                                                : esp_err_to_name(fetched->err));
    record.open_s += (agent->now - agent->open_since) * 16 / 125; /* seconds of it */
    agent->open_since = agent->now;
    const uint32_t limit = agent->config->give_up_s != 0 ? agent->config->give_up_s : 86400;
    if (!is_passing[fetched->stage] || record.open_s >= limit) {
        conclude(agent, &record, fetched->err, "%s", reason);
        return;
    }
    if (!ddi_commit(agent, &record)) { /* else a device that restarts often would never give up */
        return;
    }
    agent->fetch_at = agent->now + ddi_back_off(agent, FETCH_FIRST_S, FETCH_MOST_S, agent->fetch_failures++);
    await_fetch(agent);
    ddi_say(agent, "later:: %s; again in %" PRIu32 " s", reason, (agent->fetch_at - agent->now) * 16 / 125);
}

void otter_ddi_not_restarted(otter_ddi_t *agent, int64_t now_ms, bool changed, const char *why)
{
    struct otter_ddi_record record = agent->record;
    ddi_clock(agent, now_ms);
    agent->restarting = false;
    if (record.phase != DDI_SWITCHED) {
        return;
    }
    if (record.tries >= TRIES_MAX) {
        conclude(agent, &record, ESP_FAIL, "%s: %s", otter_stage_name(OTTER_STAGE_SWITCH), why);
        return;
    }
    ddi_say(agent, "later:: not restarted: %s", why);
    record.phase = changed ? DDI_SEEN : DDI_FETCHED;
    agent->offer_crc = 0;
    if (ddi_commit(agent, &record)) {
        agent->hold_until = agent->now + ddi_back_off(agent, FETCH_FIRST_S, FETCH_MOST_S, record.tries);
        agent->poll_at = agent->hold_until;
    }
}

/* ---- judged ---- */

void ddi_action_judge(otter_ddi_t *agent)
{
    struct otter_ddi_record record = agent->record;
    otter_ddi_device_t device;
    if (record.phase != DDI_SWITCHED || agent->now < agent->look_at) {
        return;
    }
    agent->look_at = agent->now + DDI_TICKS(LOOK_S);
    if (ddi_action_look(agent, record.slot, &device) != ESP_OK) {
        return;
    }
    if (strcmp(device.running.slot, record.slot) == 0 &&
        memcmp(device.running.image_sha256, record.image_sha256, sizeof(record.image_sha256)) == 0) {
        agent->restarting = false;
        if (device.confirmed) {
            conclude_good(agent, &record, "");
        }
    } else if (device.wanted == OTTER_DDI_SLOT_REJECTED) {
        conclude(agent, &record, ESP_ERR_OTA_ROLLBACK_FAILED, "%s was rolled back, %s runs%s%s", record.slot,
                 device.running.slot, device.why[0] != '\0' ? ": " : "", device.why);
    } else if (device.wanted == OTTER_DDI_SLOT_AWAITED ||
               (agent->restarting && agent->now < agent->closing_at)) {
        return; /* it is on its way: what is seen may be how it was, or half written */
    } else if (record.tries >= TRIES_MAX) {
        conclude(agent, &record, ESP_FAIL, "%s does not start: %s runs after %u restarts", record.slot,
                 device.running.slot, (unsigned)record.tries);
    } else {
        agent->restarting =
            false; /* power failed before the slot was selected, or the restart did not come */
        agent->ready = true;
    }
}
