/* Images of any length for updates in one process. */
#include "support/https_rig.h"

/* ---- images ---- */

uint8_t *web_image(uint32_t len, uint8_t seed)
{
    uint8_t *bytes = malloc(len);
    assert_non_null(bytes);
    memset(bytes, 0x5A, len);
    const bool hashed = len >= 336;
    const uint32_t segment =
        ((len - (hashed ? 32 : 0)) / 16) * 16 - 36; /* and a checksum's 4 bytes behind it */
    static const uint8_t header[32] = {0xE9, 1, 2,    0x20, 0x00, 0x00, 0x08, 0x40, 0xEE, 0, 0,
                                       0,    0, 0,    0,    0,    0,    0x8F, 0x01, 0,    0, 0,
                                       0,    0, 0x20, 0,    0x40, 0x3F, 0,    0,    0,    0};
    memcpy(bytes, header, sizeof(header));
    bytes[23] = hashed;
    for (unsigned i = 0; i < 4; i++) {
        bytes[28 + i] = (uint8_t)(segment >> (8 * i));
    }
    uint8_t *data = bytes + sizeof(header), checksum = 0xEF;
    for (uint32_t i = 0; i < segment; i++) {
        data[i] = i < 256 ? 0 : (uint8_t)(seed + i * 31 + i / 251);
    }
    const uint8_t magic[4] = {0x32, 0x54, 0xCD, 0xAB};
    memcpy(data, magic, sizeof(magic));
    snprintf((char *)data + 16, 32, "%u.0.0", seed);
    snprintf((char *)data + 48, 32, "web");
    for (uint32_t i = 0; i < segment; i++) {
        checksum ^= data[i];
    }
    uint8_t *end = data + segment;
    memset(end, 0, 3);
    end[3] = checksum;
    if (hashed) {
        otter_sha256_t *sha = otter_sha256_new();
        assert_non_null(sha);
        otter_sha256_update(sha, bytes, (size_t)(end + 4 - bytes));
        otter_sha256_finish(sha, end + 4);
        otter_sha256_free(sha);
    }
    return bytes;
}

/* ---- the device ---- */

bool web_slot_holds(const rig_t *rig, const esp_partition_t *slot, const uint8_t *file, uint32_t len)
{
    return memcmp(rig->sim.bytes + slot->address, file, len) == 0;
}
