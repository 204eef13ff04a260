/* Releases: real app images of any length, and what a server says of them. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "otter/bytes.h"
#include "otter/crypto.h"
#include "support/image_builder.h"
#include "support/image_signer.h"
#include "support/sealed.h"
#include "world.h"

#define SEGMENT_MIN 1024u
#define LEN_MAX     (WORLD_SLOT_MIN - WORLD_SECTOR_MIN) /* the slot's last sector holds the resume record */

uint8_t release_key(uint32_t at)
{
    return (uint8_t)(at * 31 + at / 256 * 7 + 0xA5);
}

static bool encrypt(release_t *release)
{
    release->cipher_len = WORLD_CIPHER_HEAD + release->len;
    release->cipher = malloc(release->cipher_len);
    if (release->cipher == NULL) {
        return false;
    }
    release->sealed = sealed_file(SEALED_ECIES, release->bytes, release->len);
    release->sealed_len = sealed_head(SEALED_ECIES) + release->len;
    memset(release->cipher, 0xC1, WORLD_CIPHER_HEAD);
    for (uint32_t i = 0; i < release->len; i++) {
        release->cipher[WORLD_CIPHER_HEAD + i] = release->bytes[i] ^ release_key(i);
    }
    return true;
}

bool release_make(release_t *release, chance_t *chance, unsigned number, uint32_t secure_version)
{
    const uint32_t max = release->signer != 0 ? LEN_MAX - 2 * 4096u : LEN_MAX; /* padding, and signatures */
    uint32_t room = (max - IMAGE_DATA_AT - 16 - OTTER_SHA256_LEN - SEGMENT_MIN) / 4;
    /* Mostly small: a life of many updates is worth more than long ones. */
    uint32_t segment = SEGMENT_MIN + 4 * (chance_percent(chance, 20) ? chance_below(chance, room)
                                                                     : chance_below(chance, 4096));
    const image_plan_t plan = {.chip = release->foreign ? WORLD_OTHER_CHIP : WORLD_CHIP,
                               .max_revision = 399,
                               .flash_code = 0x20,
                               .entry = IMAGE_ENTRY,
                               .load_addr = IMAGE_DROM,
                               .segment = segment,
                               .hashed = true};
    char version[16];
    release->secure_version = secure_version;
    release->healthy = true;
    release->len = image_len(&plan);
    release->bytes = malloc(IMAGE_SIGNED_MAX(release->len));
    if (release->bytes == NULL) {
        return false;
    }
    snprintf(version, sizeof(version), "%u.0.0", number);
    image_describe(release->bytes, "world", version, secure_version);
    for (uint32_t i = IMAGE_DESCRIPTOR; i < segment; i += 4) {
        le32_put(release->bytes + IMAGE_DATA_AT + i,
                 chance_percent(chance, 5) ? UINT32_MAX : chance_next(chance));
    }
    image_finish(&plan, release->bytes);
    release->judged = release->len;
    if (release->signer != 0) {
        release->judged = IMAGE_SIGNED_MAX(release->len) - 4096 + 1200;
        release->len = image_sign(release->bytes, release->len, (char[]){release->signer, '\0'});
    }
    snprintf(release->etag, sizeof(release->etag), "\"r%u-%08x\"", number, (unsigned)chance_next(chance));
    snprintf(release->date, sizeof(release->date), "Mon, 0%u Jun 2026 10:00:00 GMT", number % 9 + 1);
    return encrypt(release);
}

void release_free(release_t *release)
{
    free(release->bytes);
    free(release->cipher);
    free(release->sealed);
    release->bytes = release->cipher = release->sealed = NULL;
}
