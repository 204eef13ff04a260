/* From an answer of the server, or none, to what is asked or told next, and when. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <string.h>

#include "ddi/agent.h"
#include "otter/bytes.h"

#define SLEEP_MIN_S   10u
#define SLEEP_MAX_S   (7u * 86400u)
#define BACK_OFF_S    30u
#define DENIED_MOST_S 3600u

/* What an answer means, whatever was asked. */
enum class {
    GOOD,
    OVER,   /* 410: the action has ended */
    GONE,   /* 404 */
    DENIED, /* 401, 403: the token */
    CLASH,  /* 409: another request of this device was on its way */
    BUSY,   /* 429 with nothing in it: too many requests */
    QUOTA,  /* 429 that says so: no more entries */
    BAD,    /* other 4xx: the request was no good */
    BROKEN, /* no answer, 5xx, or what belongs to no DDI server */
};

static enum class class_of(int status, const ddi_answer_t *answer) {
    switch (status){
        case 410 : return OVER; case 404 : return GONE; case 401 : case 403 : return DENIED;
        case 409 : return CLASH;
        case 429 : return answer->quota ? QUOTA : BUSY;
        default : return status >= 200 && status < 300 ? GOOD
        : status >= 400 && status < 500                ? BAD
                                                       : BROKEN;
    }
}

/** Nothing is sent for a while; what was about to be is found out anew by the next poll. */
static void hold(otter_ddi_t *agent, uint32_t base_s, uint32_t most_s)
{
    most_s = most_s > BACK_OFF_S ? most_s : BACK_OFF_S;
    agent->hold_until = agent->now + ddi_back_off(agent, base_s, most_s, agent->failures++);
    agent->poll_at = agent->hold_until;
    agent->offer_crc = 0;
    agent->todo = 0;
}

/** Answers that say nothing of what was asked. @return true: `class` was one */
static bool wait_for_server(otter_ddi_t *agent, enum ddi_ask ask, enum class class, int status)
{
    switch (class) {
    case DENIED:
        hold(agent, BACK_OFF_S, DENIED_MOST_S);
        ddi_say(agent, "denied: the server does not take this token (%d)", status);
        return true;
    case BROKEN:
        hold(agent, BACK_OFF_S, agent->sleep_s);
        if (status != 0) {
            ddi_say(agent, "error: the server failed (%d)", status);
        }
        return true;
    case BUSY:
        ddi_say(agent, "busy: the server has too many requests (429)");
        /* fall through */
    case CLASH: { /* asked again itself, as a poll in its place would be one request more */
        const bool again = ask != DDI_ASK_POLL && ask != DDI_TELL_CLOSING;
        const uint32_t todo = again ? agent->todo | ddi_bit(ask) : 0;
        const uint32_t poll_at = agent->poll_at;
        hold(agent, 1 + ddi_random(agent, 4), agent->sleep_s);
        agent->todo = todo;
        agent->poll_at = again && poll_at > agent->hold_until ? poll_at : agent->hold_until;
        return true;
    }
    default:
        return false;
    }
}

/* ---- the poll ---- */

/** The link of an offer that was decided and has not changed since: a server counts its changes in it. */
static bool is_decided(const otter_ddi_t *agent, uint32_t crc)
{
    const uint8_t phase = agent->record.phase;
    const bool waits = agent->fetching || phase == DDI_SWITCHED || (phase == DDI_SEEN && agent->held) ||
                       (phase == DDI_FETCHED && agent->told_downloaded && !agent->ready);
    return waits && crc == agent->offer_crc && strstr(agent->url, "?c=") != NULL;
}

static void take_offer(otter_ddi_t *agent, const ddi_answer_t *answer)
{
    const uint32_t crc = crc32_le(0, agent->url, strlen(agent->url)) | 1u;
    switch (answer->offer) {
    case DDI_OFFER_CANCEL:
        agent->todo |= ddi_bit(DDI_ASK_CANCEL);
        break;
    case DDI_OFFER_CONFIRMATION:
        if (crc != agent->declined_crc || agent->allowed) {
            agent->declined_crc = crc;
            agent->todo |= ddi_bit(DDI_ASK_CONFIRMATION);
        }
        break;
    case DDI_OFFER_DEPLOYMENT:
        if (!is_decided(agent, crc)) {
            agent->offer_crc = crc;
            agent->todo |= ddi_bit(DDI_ASK_DEPLOYMENT);
        }
        break;
    default:
        ddi_action_gone(agent);
        break;
    }
}

static void take_poll(otter_ddi_t *agent, const ddi_answer_t *answer)
{
    if (answer->sleep_s != 0) {
        const uint32_t sleep_s = answer->sleep_s < SLEEP_MIN_S ? SLEEP_MIN_S : answer->sleep_s;
        agent->sleep_s = sleep_s > SLEEP_MAX_S ? SLEEP_MAX_S : sleep_s;
    }
    agent->failures = 0;
    const uint32_t sleep = DDI_TICKS(agent->sleep_s), tenth = sleep / 10;
    agent->poll_at = agent->now + sleep - tenth + ddi_random(agent, 2 * tenth + 1);
    take_offer(agent, answer);
    if (answer->wants_attributes) {
        agent->todo |= ddi_bit(DDI_TELL_ATTRIBUTES);
    }
}

/* ---- the others ---- */

static void refused(const otter_ddi_t *agent, const char *what, int status)
{
    ddi_say(agent, "error: the server answers %d to %s", status, what);
}

static void acknowledge(otter_ddi_t *agent)
{
    struct otter_ddi_record record = agent->record;
    record.acknowledged = 1;
    if (ddi_commit(agent, &record)) {
        ddi_say(agent, "told:: the server knows");
        agent->poll_at = agent->now;
    }
}

static void reply_to_closing(otter_ddi_t *agent, enum class class, int status)
{
    if (class == GOOD || class == OVER || class == GONE) {
        acknowledge(agent); /* what has ended there, or is not there, cannot be told any better */
        return;
    }
    agent->closing_at = agent->now + DDI_TICKS(3600);
    refused(agent, "the end of the action; again in an hour", status);
}

static void reply_to_attributes(otter_ddi_t *agent, enum class class, int status)
{
    struct otter_ddi_record record = agent->record;
    if (class != GOOD) {
        refused(agent, "the attributes", status);
    }
    record.attributes_crc = ddi_talk_attributes_crc(agent);
    if (record.attributes_crc != agent->record.attributes_crc && !ddi_commit(agent, &record)) {
        agent->todo = 0;
    }
}

static void reply_to_feedback(otter_ddi_t *agent, enum ddi_ask ask, enum class class, int status)
{
    agent->feedbacks++;
    if (class == OVER) {
        ddi_action_gone(agent);
    } else if (class == GONE) {
        agent->todo = 0;
        agent->ready = false; /* cancelled or deleted: the next poll tells which */
        agent->offer_crc = 0;
        agent->poll_at = agent->now;
    } else if (class == QUOTA) {
        agent->quota = true;
    } else if (class == BAD) {
        refused(agent, "a feedback", status);
    }
    if (ask == DDI_TELL_DOWNLOADED && (class == GOOD || class == QUOTA)) {
        agent->told_downloaded = true;
    }
}

/** A cancellation or a confirmation, whose action need not be the one of the record. */
static void take_other(otter_ddi_t *agent, enum ddi_ask ask, const ddi_answer_t *answer)
{
    if (answer->id[0] == '\0') {
        ddi_say(agent, "error: the server names an action without an id");
        return;
    }
    memcpy(agent->other_id, answer->id, sizeof(agent->other_id));
    if (ask == DDI_ASK_CANCEL) {
        ddi_action_cancelled(agent);
        return;
    }
    if (!answer->confirms) {
        return;
    }
    if (agent->config->confirmation == OTTER_DDI_HOLD && !agent->allowed) {
        ddi_say(agent, "asks: action %s waits for a confirmation", answer->id);
        return;
    }
    agent->todo |= ddi_bit(DDI_TELL_CONFIRMATION);
}

/** Where the image is not the file that was kept, the offer is asked for again, and that file is kept. */
static void take_deployment(otter_ddi_t *agent, const ddi_answer_t *answer)
{
    const uint8_t pick = agent->pick;
    agent->pick = 0;
    if (answer->pick == pick) {
        ddi_action_offered(agent, answer);
        return;
    }
    agent->offer_crc = 0;
    if (pick == 0) { /* else the offer has changed meanwhile */
        agent->pick = answer->pick;
        ddi_action_again(agent);
    }
}

/** What was asked for is there, or is not. */
static void take_good(otter_ddi_t *agent, enum ddi_ask ask, const ddi_answer_t *answer)
{
    switch (ask) {
    case DDI_ASK_POLL:
        take_poll(agent, answer);
        break;
    case DDI_ASK_CANCEL:
    case DDI_ASK_CONFIRMATION:
        take_other(agent, ask, answer);
        break;
    case DDI_ASK_DEPLOYMENT:
        take_deployment(agent, answer);
        break;
    case DDI_TELL_CANCEL:
    case DDI_TELL_CONFIRMATION:
        agent->poll_at = agent->now; /* what follows is known at once */
        break;
    default:
        break;
    }
}

void ddi_reply(otter_ddi_t *agent, enum ddi_ask ask, int status, const ddi_answer_t *answer)
{
    const enum class class = class_of(status, answer);
    if (wait_for_server(agent, ask, class, status)) {
        return;
    }
    if (ask == DDI_TELL_CLOSING) {
        reply_to_closing(agent, class, status);
    } else if (ask == DDI_TELL_ATTRIBUTES) {
        reply_to_attributes(agent, class, status);
    } else if (ask >= DDI_TELL_TAKEN && ask <= DDI_TELL_RESTARTING) {
        reply_to_feedback(agent, ask, class, status);
    } else if (class == GOOD) {
        take_good(agent, ask, answer);
    } else if (ask == DDI_ASK_POLL) {
        hold(agent, BACK_OFF_S, DENIED_MOST_S);
        ddi_say(agent, "error: the server has no such device (%d): is the tenant right?", status);
    } else {
        agent->offer_crc = 0; /* the next poll tells what there is */
    }
}
