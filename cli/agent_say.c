/* What `otter agent` says: a line for people, or a JSON object. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include <cjson/cJSON.h>

#include "agent.h"
#include "cli.h"
#include "json.h"
#include "otter/system.h"

int64_t agent_now_ms(void)
{
    return otter_now_us() / 1000;
}

static bool is_trouble(const char *event)
{
    static const char *const events[] = {"error", "denied", "busy", "later"};
    for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
        if (strcmp(event, events[i]) == 0) {
            return true;
        }
    }
    return false;
}

void agent_say(void *ctx, const char *event, const char *text)
{
    agent_t *agent = ctx;
    agent->in_trouble = agent->in_trouble || is_trouble(event);
    if (!agent->options->json) {
        cli_did("%s: %s", event, text);
        return;
    }
    cJSON *line = cJSON_CreateObject();
    json_string(line, "event", event);
    json_string(line, "text", text);
    json_string(line, "device", agent->options->id);
    char *printed = cJSON_PrintUnformatted(line);
    if (printed != NULL) {
        cli_did("%s", printed);
    }
    cJSON_free(printed);
    cJSON_Delete(line);
}
