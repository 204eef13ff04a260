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
    memcpy(agent->running, device->slot, sizeof(agent->running));
    agent->running[sizeof(agent->running) - 1] = '\0';
    memcpy(agent->running_sha256, device->image_sha256, sizeof(agent->running_sha256));
    memcpy(agent->running_version, device->version, sizeof(agent->running_version) - 1);
    agent->confirmed = device->confirmed;
    return ESP_OK;
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
    ddi_say(agent, "%s: action %s: %s", code == ESP_OK ? "success" : "failure", record->id, record->reason);
}

/** "ota_1 runs and is confirmed, SHA-256 01234567..." @param how  "" or a word and a blank */
static void conclude_good(otter_ddi_t *agent, struct otter_ddi_record *record, const char *how)
{
    const uint8_t *sha = agent->running_sha256;
    memcpy(record->image_sha256, sha, sizeof(record->image_sha256));
    conclude(agent, record, ESP_OK, "%s %sruns and is confirmed, SHA-256 %02x%02x%02x%02x...", agent->running,
             how, sha[0], sha[1], sha[2], sha[3]);
}

/* ---- offered ---- */

/** Does the image that runs come from this file? */
static esp_err_t runs_already(otter_ddi_t *agent, const otter_ddi_file_t *file, bool *same)
{
    const struct otter_ddi_record *record = &agent->record;
    if (record->verdict_ok != 0 && is_same_file(&record->file, file) &&
        memcmp(record->image_sha256, agent->running_sha256, sizeof(record->image_sha256)) == 0) {
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
    if (answer->chunks > 1) {
        return "several chunks could be for this device";
    }
    if (answer->unclear) {
        return "of several files one has to be named as an image (.bin)";
    }
    return answer->file.kind == OTTER_DDI_NO_HASH || answer->file.size == 0 || agent->url[0] == '\0'
               ? "the file has no size, no link, or neither a SHA-256 nor a SHA-1"
               : NULL;
}

static bool may_install(const otter_ddi_t *agent, const ddi_answer_t *answer)
{
    return answer->update == DDI_MODE_FORCED ||
           (answer->update == DDI_MODE_ATTEMPT && (agent->config->soft == OTTER_DDI_NOW || agent->allowed));
}

/** An action that was not there before takes the record. */
static void begin_action(otter_ddi_t *agent, struct otter_ddi_record *record, const ddi_answer_t *answer)
{
    *record = (struct otter_ddi_record){.phase = DDI_SEEN,
                                        .file = answer->file,
                                        .server_crc = agent->record.server_crc,
                                        .attributes_crc = agent->record.attributes_crc};
    memcpy(record->id, answer->id, sizeof(record->id));
    agent->quota = agent->told_downloaded = agent->ready = false;
    agent->feedbacks = agent->fetch_failures = 0;
    agent->fetch_at = agent->open_since = 0;
}

/** An action that is not done yet. */
static void go_on(otter_ddi_t *agent, const ddi_answer_t *answer)
{
    const bool fetched = agent->record.phase == DDI_FETCHED;
    agent->ready = may_install(agent, answer);
    memcpy(agent->version, answer->version, sizeof(agent->version));
    if (fetched && !agent->told_downloaded) {
        agent->todo |= ddi_bit(DDI_TELL_DOWNLOADED);
    }
    if (fetched && agent->ready) {
        agent->todo |= ddi_bit(DDI_TELL_RESTARTING);
    }
    if (fetched || agent->fetching || answer->download == DDI_MODE_SKIP) {
        return;
    }
    agent->fetch = agent->now >= agent->fetch_at;
    if (!agent->fetch) {
        agent->offer_crc = 0; /* it is asked for again then: its link may be good for some time only */
        agent->poll_at = agent->poll_at < agent->fetch_at ? agent->poll_at : agent->fetch_at;
    }
}

/** What is offered is not what the record is about. */
static void take_action(otter_ddi_t *agent, const ddi_answer_t *answer)
{
    struct otter_ddi_record record;
    otter_ddi_device_t device;
    const char *objection = object_to(agent, answer);
    bool runs = false;
    if (ddi_action_look(agent, "", &device) != ESP_OK ||
        (objection == NULL && runs_already(agent, &answer->file, &runs) != ESP_OK)) {
        agent->offer_crc = 0; /* what runs is not known: nothing is begun */
        return;
    }
    begin_action(agent, &record, answer);
    agent->stop = agent->fetching; /* it was another one's file */
    if (objection != NULL) {
        conclude(agent, &record, ESP_ERR_NOT_SUPPORTED, "%s%s%s", objection,
                 answer->other[0] != '\0' ? ": " : "", answer->other);
    } else if (runs && device.confirmed) {
        conclude_good(agent, &record, "already ");
    } else if (!runs && ddi_commit(agent, &record)) {
        ddi_say(agent, "action: action %s: %" PRIu32 " bytes, version '%.32s'", record.id, record.file.size,
                answer->version);
        agent->todo |= ddi_bit(DDI_TELL_TAKEN);
        go_on(agent, answer);
    } else {
        agent->offer_crc =
            0; /* it runs on trial: its verdict is awaited; or the record could not be written */
    }
}

void ddi_action_offered(otter_ddi_t *agent, const ddi_answer_t *answer)
{
    struct otter_ddi_record record = agent->record;
    const bool same = record.phase != DDI_NONE && strcmp(record.id, answer->id) == 0 &&
                      (answer->artifacts == 0 || is_same_file(&record.file, &answer->file));
    if (answer->is_null) {
        ddi_action_gone(agent);
    } else if (answer->id[0] == '\0') {
        ddi_say(agent, "error: the server names an action without an id");
    } else if (record.phase == DDI_SWITCHED || (record.phase == DDI_VERDICT && record.acknowledged == 0)) {
        agent->offer_crc = 0; /* first things first */
    } else if (same && record.phase == DDI_VERDICT) {
        record.acknowledged = 0; /* the server has not understood how it ended */
        if (ddi_commit(agent, &record)) {
            ddi_say(agent, "again: action %s has ended, which is told again", record.id);
        }
    } else if (same) {
        go_on(agent, answer);
    } else {
        take_action(agent, answer);
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
        ddi_say(agent, "gone: action %s is no longer there", record.id);
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
        ddi_say(agent, "cancelled: action %s is cancelled", record.id);
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
        ddi_say(agent, "rejected: action %s is cancelled too late", record.id);
    }
}

/* ---- fetched ---- */

bool otter_ddi_progress(otter_ddi_t *agent, int64_t now_ms, uint32_t bytes)
{
    ddi_clock(agent, now_ms);
    const uint32_t size = agent->record.file.size;
    const uint32_t percent = size == 0 ? 0 : (uint32_t)((uint64_t)bytes * 100 / size);
    agent->fetched_bytes = bytes;
    if (!agent->stop && !agent->quota && percent < 100 && percent >= agent->told_percent + 10u &&
        agent->now - agent->told_at >= DDI_TICKS(PROGRESS_S) && agent->feedbacks < PROGRESS_MAX) {
        agent->told_percent = (uint16_t)percent;
        agent->told_at = agent->now;
        agent->todo |= ddi_bit(DDI_TELL_PROGRESS);
    }
    return !agent->stop;
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
    ddi_say(agent, "fetched: action %s: %" PRIu32 " bytes in %s", record.id, record.image_len, record.slot);
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
        take_fetched(agent, fetched);
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
    agent->poll_at = agent->poll_at < agent->fetch_at ? agent->poll_at : agent->fetch_at;
    ddi_say(agent, "later: action %s: %s; again in %" PRIu32 " s", record.id, reason,
            (agent->fetch_at - agent->now) * 16 / 125);
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
    ddi_say(agent, "later: action %s: not restarted: %s", record.id, why);
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
    if (strcmp(device.slot, record.slot) == 0 &&
        memcmp(device.image_sha256, record.image_sha256, sizeof(record.image_sha256)) == 0) {
        agent->restarting = false;
        if (device.confirmed) {
            conclude_good(agent, &record, "");
        }
    } else if (device.wanted == OTTER_DDI_SLOT_REJECTED) {
        conclude(agent, &record, ESP_ERR_OTA_ROLLBACK_FAILED, "%s was rolled back, %s runs%s%s", record.slot,
                 device.slot, device.why[0] != '\0' ? ": " : "", device.why);
    } else if (device.wanted == OTTER_DDI_SLOT_AWAITED ||
               (agent->restarting && agent->now < agent->closing_at)) {
        return; /* it is on its way: what is seen may be how it was, or half written */
    } else if (record.tries >= TRIES_MAX) {
        conclude(agent, &record, ESP_FAIL, "%s does not start: %s runs after %u restarts", record.slot,
                 device.slot, (unsigned)record.tries);
    } else {
        agent->restarting =
            false; /* power failed before the slot was selected, or the restart did not come */
        agent->ready = true;
    }
}
