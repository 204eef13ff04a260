/* SHA-1 of the key and a fixed text, in base64. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "otter_websocket.h"

#include <stdint.h>
#include <string.h>

#include "esp_random.h"
#include "mbedtls/base64.h"
#include "mbedtls/sha1.h"

#define SHA1_LEN  20
#define KEY_BYTES 16

bool otter_websocket_accept(const char *key, char accept[OTTER_WEBSOCKET_ACCEPT_SIZE])
{
    static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    mbedtls_sha1_context sha;
    uint8_t digest[SHA1_LEN];
    size_t len;
    mbedtls_sha1_init(&sha);
    bool ok = mbedtls_sha1_starts(&sha) == 0 &&
              mbedtls_sha1_update(&sha, (const uint8_t *)key, strlen(key)) == 0 &&
              mbedtls_sha1_update(&sha, (const uint8_t *)guid, strlen(guid)) == 0 &&
              mbedtls_sha1_finish(&sha, digest) == 0;
    mbedtls_sha1_free(&sha);
    return ok && mbedtls_base64_encode((uint8_t *)accept, OTTER_WEBSOCKET_ACCEPT_SIZE, &len, digest,
                                       sizeof(digest)) == 0;
}

bool otter_websocket_challenge(char key[OTTER_WEBSOCKET_KEY_SIZE], char accept[OTTER_WEBSOCKET_ACCEPT_SIZE])
{
    uint8_t bytes[KEY_BYTES];
    size_t len;
    esp_fill_random(bytes, sizeof(bytes));
    return mbedtls_base64_encode((uint8_t *)key, OTTER_WEBSOCKET_KEY_SIZE, &len, bytes, sizeof(bytes)) == 0 &&
           otter_websocket_accept(key, accept);
}
