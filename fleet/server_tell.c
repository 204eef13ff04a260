/* What devices tell the server: how an action goes and went, and what they are. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "fleet/server_parts.h"
#include "otter/text.h"

/** One of the quotas is used up. */
static int refuse(fleet_answer_t *answer)
{
    text_format(
        answer->text, sizeof(answer->text),
        "{\"errorCode\":\"hawkbit.server.error.quota.tooManyEntries\",\"message\":\"too many entries\"}");
    return 429;
}

static const char *text_of(const cJSON *object, const char *key)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, key));
    return text != NULL ? text : "";
}

/* ---- attributes ---- */

int fleet_take_attributes(fleet_server_t *server, uint32_t device, const char *body, fleet_answer_t *answer)
{
    cJSON *json = cJSON_ParseWithOpts(body, NULL, true);
    const cJSON *data = cJSON_GetObjectItemCaseSensitive(json, "data");
    const bool merges = strcmp(text_of(json, "mode"), "merge") == 0 && cJSON_IsObject(data);
    const int count = cJSON_GetArraySize(data);
    const cJSON *attribute;
    bool good = merges && count > 0;
    cJSON_ArrayForEach(attribute, data)
    {
        good = good && attribute->string != NULL && attribute->string[0] != '\0' &&
               cJSON_IsString(attribute) && strlen(attribute->string) <= FLEET_VALUE_MAX &&
               strlen(attribute->valuestring) <= FLEET_VALUE_MAX;
    }
    cJSON_Delete(json);
    if (!good) {
        return fleet_server_complain(server, 400, "attributes that are none", body);
    }
    if (count > (int)FLEET_ATTRIBUTES_MAX) {
        return refuse(answer);
    }
    fleet_target_t *target = &server->targets[device];
    char *copy = text_copy(body);
    if (copy != NULL) {
        free(target->attributes);
        target->attributes = copy;
    }
    target->has_attributes = true;
    return 200;
}

/* ---- feedback ---- */

typedef struct {
    char execution[16], finished[16];
    int details;
    int32_t code;
    char detail[256]; /* the first one */
} feedback_t;

static bool is_one_of(const char *word, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(word, words[i]) == 0) {
            return true;
        }
    }
    return false;
}

/** @return false: it has a form that hawkBit or goosebit refuses */
static bool read_feedback(fleet_server_t *server, const char *body, feedback_t *feedback)
{
    static const char *const executions[] = {"proceeding", "canceled",   "scheduled", "rejected",
                                             "resumed",    "downloaded", "closed",    "download"};
    static const char *const ends[] = {"success", "failure", "none"};
    cJSON *json = cJSON_ParseWithOpts(body, NULL, true);
    const cJSON *status = cJSON_GetObjectItemCaseSensitive(json, "status");
    const cJSON *details = cJSON_GetObjectItemCaseSensitive(status, "details"), *detail;
    const cJSON *code = cJSON_GetObjectItemCaseSensitive(status, "code");
    text_format(feedback->execution, sizeof(feedback->execution), "%s", text_of(status, "execution"));
    text_format(feedback->finished, sizeof(feedback->finished), "%s",
                text_of(cJSON_GetObjectItemCaseSensitive(status, "result"), "finished"));
    feedback->details = cJSON_GetArraySize(details);
    const char *first = cJSON_GetStringValue(cJSON_GetArrayItem(details, 0));
    text_format(feedback->detail, sizeof(feedback->detail), "%s", first != NULL ? first : "");
    feedback->code = cJSON_IsNumber(code) ? (int32_t)code->valuedouble : 0;
    bool good = cJSON_IsArray(details) &&
                is_one_of(feedback->execution, executions, sizeof(executions) / sizeof(executions[0])) &&
                is_one_of(feedback->finished, ends, sizeof(ends) / sizeof(ends[0]));
    cJSON_ArrayForEach(detail, details)
    {
        good = good && cJSON_IsString(detail);
    }
    cJSON_Delete(json);
    if (!good) {
        fleet_server_complain(server, 400, "a feedback that is none", body);
        return false;
    }
    const size_t used = strlen(server->line);
    text_format(server->line + used, sizeof(server->line) - used, " %s %s", feedback->execution,
                feedback->finished);
    return true;
}

static void close_action(fleet_server_t *server, fleet_action_t *action, const feedback_t *feedback)
{
    const bool success = strcmp(feedback->finished, "failure") != 0;
    if (server->on_closing != NULL) {
        server->on_closing(server->ctx, action, success);
    }
    action->closings++;
    action->code = feedback->code;
    fleet_action_end(server, action, success ? FLEET_FINISHED : FLEET_FAILED);
}

int fleet_take_feedback(fleet_server_t *server, fleet_action_t *action, const char *body,
                        fleet_answer_t *answer)
{
    feedback_t feedback;
    if (!read_feedback(server, body, &feedback)) {
        return 400;
    }
    if (!fleet_action_is_open(action)) {
        return 410;
    }
    if (feedback.details > (int)FLEET_DETAILS_MAX) {
        return refuse(answer);
    }
    memcpy(action->detail, feedback.detail, sizeof(action->detail));
    if (strcmp(feedback.execution, "closed") == 0) {
        close_action(server, action, &feedback);
        return 200;
    }
    const uint32_t quota = action->order.quota != 0 ? action->order.quota : FLEET_SERVER_QUOTA;
    if (action->entries >= quota) {
        return refuse(answer);
    }
    action->changes += action->entries++ == 1; /* the first feedback changes what is offered */
    if (strcmp(feedback.execution, "downloaded") == 0 && action->order.mode == FLEET_DOWNLOAD_ONLY) {
        fleet_action_end(server, action, FLEET_FINISHED);
    }
    return 200;
}

int fleet_take_cancel_feedback(fleet_server_t *server, fleet_action_t *action, const char *body,
                               fleet_answer_t *answer)
{
    feedback_t feedback;
    (void)answer;
    if (!read_feedback(server, body, &feedback)) {
        return 400;
    }
    if (action->status != FLEET_CANCELING) { /* where the answer was lost it is told again */
        return action->was_canceled
                   ? 200
                   : fleet_server_complain(server, 405, "an answer to no cancellation", body);
    }
    memcpy(action->detail, feedback.detail, sizeof(action->detail));
    if (strcmp(feedback.execution, "closed") == 0 && strcmp(feedback.finished, "success") == 0) {
        fleet_action_end(server, action, FLEET_CANCELED);
    } else if (strcmp(feedback.execution, "rejected") == 0 || strcmp(feedback.execution, "closed") == 0) {
        action->status = FLEET_RUNNING;
        action->changes++;
    }
    return 200;
}

int fleet_take_confirmation(fleet_server_t *server, fleet_action_t *action, const char *body)
{
    cJSON *json = cJSON_ParseWithOpts(body, NULL, true);
    char word[16];
    text_format(word, sizeof(word), "%s", text_of(json, "confirmation"));
    const bool details = cJSON_IsArray(cJSON_GetObjectItemCaseSensitive(json, "details"));
    cJSON_Delete(json);
    if (!details || (strcmp(word, "confirmed") != 0 && strcmp(word, "denied") != 0)) {
        return fleet_server_complain(server, 400, "a confirmation that is none", body);
    }
    if (action->status == FLEET_CONFIRM && strcmp(word, "confirmed") == 0) {
        action->status = FLEET_RUNNING;
    }
    return action->status == FLEET_CONFIRM || action->status == FLEET_RUNNING ? 200 : 410;
}
