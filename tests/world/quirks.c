/* The quirks of both tables as one list, and what they share. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "quirks.h"

#include <stdio.h>

static const quirk_t *quirk_at(unsigned index)
{
    return index < body_quirk_count ? &body_quirks[index] : &talk_quirks[index - body_quirk_count];
}

unsigned quirks_count(void)
{
    return body_quirk_count + talk_quirk_count;
}

const char *quirk_name(unsigned index)
{
    return quirk_at(index)->name;
}

void quirk_apply(exchange_t *x, unsigned index)
{
    quirk_at(index)->apply(x);
}

void quirks_list(void)
{
    for (unsigned i = 0; i < quirks_count(); i++) {
        printf("server: %s|%s\n", quirk_at(i)->name, quirk_at(i)->rows);
    }
}

unsigned quirks_print(const tally_t *tally)
{
    unsigned never = 0;
    for (unsigned i = 0; i < quirks_count(); i++) {
        printf("  %9llu  server: %s\n", (unsigned long long)tally->quirks[i], quirk_name(i));
        never += tally->quirks[i] == 0;
    }
    return never;
}

const char *draw_text(exchange_t *x, const char *const *texts, size_t count)
{
    return texts[chance_below(x->chance, (uint32_t)count)];
}

const uint8_t *release_as_served(const exchange_t *x, const release_t *release, uint32_t *len)
{
    const device_plan_t *plan = &x->line->device->plan;
    bool encrypted = plan->decrypts;
    if (plan->sealed) {
        *len = release->sealed_len;
        return release->sealed;
    }
    *len = encrypted ? release->cipher_len : release->len;
    return encrypted ? release->cipher : release->bytes;
}

void answer_without_body(exchange_t *x, const char *status)
{
    x->status = status;
    x->content_range = NULL;
    x->partial = false;
    x->body_len = 0;
    x->said_length = 0;
}

void add_pause(exchange_t *x, uint32_t at, uint32_t ms)
{
    if (x->pauses < PAUSES_MAX) {
        x->pause_at[x->pauses] = at;
        x->pause_ms[x->pauses++] = ms;
    }
}
