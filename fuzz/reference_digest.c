/* Digests and integers of the second opinions. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "reference.h"

#include <openssl/evp.h>

#include "fuzz.h"

uint32_t reference_le32(const uint8_t *p)
{
    return p[0] + 256u * p[1] + 65536u * p[2] + 16777216u * p[3];
}

uint16_t reference_le16(const uint8_t *p)
{
    return (uint16_t)(p[0] + 256u * p[1]);
}

void reference_md5(const uint8_t *bytes, size_t len, uint8_t digest[16])
{
    FUZZ_CHECK(EVP_Digest(bytes, len, digest, NULL, EVP_md5(), NULL) == 1, "MD5");
}

void reference_sha256(const uint8_t *bytes, size_t len, uint8_t digest[32])
{
    FUZZ_CHECK(EVP_Digest(bytes, len, digest, NULL, EVP_sha256(), NULL) == 1, "SHA-256");
}

uint32_t reference_crc32(uint32_t seed, const uint8_t *bytes, size_t len)
{
    uint32_t reg = ~seed;
    for (size_t i = 0; i < len; i++) {
        reg ^= bytes[i];
        for (int bit = 0; bit < 8; bit++) {
            reg = (reg & 1) != 0 ? reg >> 1 ^ 0xEDB88320u : reg >> 1;
        }
    }
    return ~reg;
}

static uint32_t turn(uint64_t x, int bits)
{
    x &= 0xFFFFFFFFu;
    return (uint32_t)(x << bits | x >> (32 - bits));
}

/* The specification's steps on whole buffers, with 64-bit products that are cut. */
uint32_t reference_xxh32(const uint8_t *bytes, size_t len)
{
    static const uint64_t p1 = 2654435761u, p2 = 2246822519u, p3 = 3266489917u, p4 = 668265263u,
                          p5 = 374761393u;
    uint64_t lane[4] = {p1 + p2, p2, 0, (uint64_t)0 - p1}, h = p5;
    size_t at = 0;
    for (; len - at >= 16; at += 4 * 4) {
        for (size_t i = 0; i < 4; i++) {
            lane[i] = turn(lane[i] + reference_le32(bytes + at + 4 * i) * p2, 13) * p1;
        }
    }
    if (len >= 16) {
        h = (uint64_t)turn(lane[0], 1) + turn(lane[1], 7) + turn(lane[2], 12) + turn(lane[3], 18);
    }
    h += len;
    for (; len - at >= 4; at += 4) {
        h = turn(h + reference_le32(bytes + at) * p3, 17) * p4;
    }
    for (; at < len; at++) {
        h = turn(h + bytes[at] * p5, 11) * p1;
    }
    uint32_t x = (uint32_t)h;
    x = (uint32_t)((x ^ x >> 15) * p2);
    x = (uint32_t)((x ^ x >> 13) * p3);
    return x ^ x >> 16;
}
