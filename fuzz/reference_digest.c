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

/* From the last word to the first: a word is in the second sum as often as there are words from it to the end. */
uint32_t reference_fletcher(const uint8_t *bytes, size_t len)
{
    uint64_t sum = 0, sums = 0;
    for (size_t left = 1; len > 0; left++, len -= 4) {
        uint64_t word = reference_le32(bytes + len - 4);
        sum += word;
        sums += left * word;
    }
    uint8_t raw[16];
    for (size_t i = 0; i < 8; i++) {
        raw[i] = (uint8_t)(sum >> 8 * i);
        raw[8 + i] = (uint8_t)(sums >> 8 * i);
    }
    return reference_crc32(0, raw, sizeof(raw));
}
