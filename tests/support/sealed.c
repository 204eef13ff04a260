/* Encrypted files from the key areas of the vectors. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "support/sealed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "otter/bytes.h"

#define FILE_MAX 4096u

/** What only a missing file, or no memory, can break. */
static void require(bool holds)
{
    if (!holds) {
        fprintf(stderr, "sealed.c: out of memory, or a vector is missing\n");
        abort();
    }
}

static size_t read_file(const char *name, uint8_t bytes[FILE_MAX])
{
    char path[512];
    snprintf(path, sizeof(path), TEST_VECTORS "/encimg/%s", name);
    FILE *f = fopen(path, "rb");
    require(f != NULL);
    size_t len = fread(bytes, 1, FILE_MAX, f);
    fclose(f);
    return len;
}

/** What is found out once of each scheme. */
static struct {
    otter_image_key_t *key;
    uint8_t header[OTTER_ENCRYPTED_HEADER], aes[OTTER_AES_256_LEN];
    otter_https_options_t options;
} known[SEALED_ECIES + 1];

static void look_up(sealed_t how)
{
    uint8_t bytes[FILE_MAX];
    otter_fault_t fault = {0};
    otter_encrypted_header_t header;
    if (known[how].key != NULL) {
        return;
    }
    const size_t len = read_file(how == SEALED_RSA ? "keys/rsa_priv.pem" : "keys/ecies_hmac_key.bin", bytes);
    known[how].key =
        how == SEALED_RSA ? otter_image_key_new(bytes, len, &fault) : otter_image_key_of_hmac(bytes, &fault);
    require(known[how].key != NULL);
    require(read_file(how == SEALED_RSA ? "rsa_ok.bin" : "ecies_ok.bin", bytes) > OTTER_ENCRYPTED_HEADER);
    memcpy(known[how].header, bytes, OTTER_ENCRYPTED_HEADER);
    require(otter_encrypted_header_read(known[how].header, &header));
    require(otter_encrypted_key(known[how].key, &header, known[how].aes, &fault) == ESP_OK);
    known[how].options =
        (otter_https_options_t){.decrypt_key = known[how].key, .encrypted_images = &otter_encrypted_images};
}

const otter_image_key_t *sealed_key(sealed_t how)
{
    look_up(how);
    return known[how].key;
}

uint32_t sealed_head(sealed_t how)
{
    return how == SEALED_NOT ? 0 : OTTER_ENCRYPTED_HEADER;
}

uint8_t *sealed_file_anew(sealed_t how, const uint8_t *image, uint32_t len, uint8_t iv)
{
    const uint32_t head = sealed_head(how);
    uint8_t *file = malloc((size_t)head + len + 1);
    require(file != NULL);
    if (how == SEALED_NOT) {
        memcpy(file, image, len);
        return file;
    }
    look_up(how);
    memcpy(file, known[how].header, head);
    file[388] ^= iv;
    le32_put(file + 404, len);
    otter_gcm_t *gcm = otter_gcm_new(known[how].aes, file + 388, true);
    require(gcm != NULL && otter_gcm_update(gcm, image, len, file + head) && otter_gcm_tag(gcm, file + 408));
    otter_gcm_free(gcm);
    return file;
}

uint8_t *sealed_file(sealed_t how, const uint8_t *image, uint32_t len)
{
    return sealed_file_anew(how, image, len, 0);
}

const otter_https_options_t *sealed_options(sealed_t how)
{
    if (how == SEALED_NOT) {
        return NULL;
    }
    look_up(how);
    return &known[how].options;
}
