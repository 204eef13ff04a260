/*
 * esp_encrypted_img.h: encrypted images piece by piece, for applications with a decrypt_cb.
 *
 * A handle is a number that is never used again: programs abort what they have ended, as the component's own example does.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#include "esp_encrypted_img.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "esp_log.h"
#include "otter/build_options.h"
#include "otter/bytes.h"
#include "otter/device.h"
#include "otter/encrypted_image.h"
#include "otter/system.h"

#define BLOCK 16u /* output comes in whole blocks until the last one */

static const char TAG[] = "esp_encrypted_img";

typedef struct decryption {
    struct decryption *next;
    uintptr_t id;
    otter_image_key_t *key;
    otter_decryption_t d;
    uint8_t held[BLOCK]; /* ciphertext that is no whole block yet */
    uint32_t held_len;
    bool failed; /* for good */
    bool more;   /* came than was announced */
} decryption_t;

/* All that are open. Guarded by OTTER_LOCK_SYSTEM; what is in one is its caller's. */
static decryption_t *open_ones;
static uintptr_t last_id;

/* ---- handles ---- */

static decryption_t *find(esp_decrypt_handle_t handle)
{
    otter_lock(OTTER_LOCK_SYSTEM);
    decryption_t *one = open_ones;
    while (one != NULL && one->id != (uintptr_t)handle) {
        one = one->next;
    }
    otter_unlock(OTTER_LOCK_SYSTEM);
    return one;
}

static esp_decrypt_handle_t add(decryption_t *one)
{
    otter_lock(OTTER_LOCK_SYSTEM);
    one->id = ++last_id;
    one->next = open_ones;
    open_ones = one;
    otter_unlock(OTTER_LOCK_SYSTEM);
    return (esp_decrypt_handle_t)one->id; /* NOLINT(performance-no-int-to-ptr): nobody follows it */
}

/** Out of the list, so that no other call finds it. */
static void drop(decryption_t *one)
{
    otter_lock(OTTER_LOCK_SYSTEM);
    decryption_t **at = &open_ones;
    while (*at != one) {
        at = &(*at)->next;
    }
    *at = one->next;
    otter_unlock(OTTER_LOCK_SYSTEM);
    otter_decryption_restart(&one->d);
    otter_image_key_free(one->key);
    free(one);
}

/* ---- start ---- */

static otter_image_key_t *key_in_efuses(int id)
{
    otter_fault_t fault = {0};
    otter_efuse_block_t block = {0};
    const otter_device_t *device = otter_device_current();
    const bool can =
        device != NULL && device->efuse.read_key_block != NULL && id >= 0 && id < (int)OTTER_EFUSE_BLOCKS;
    bool found = can && device->efuse.read_key_block(device->efuse.dev, (uint32_t)id, &block) == ESP_OK &&
                 block.present && block.purpose == OTTER_PURPOSE_HMAC_UP;
    otter_image_key_t *key = found ? otter_image_key_of_hmac(block.key, &fault) : NULL;
    otter_wipe(&block, sizeof(block));
    if (!found) {
        ESP_LOGE(TAG, "Could not find HMAC key in configured eFuse block!");
    } else if (key == NULL) {
        ESP_LOGE(TAG, "%s", fault.why);
    }
    return key;
}

static otter_image_key_t *key_in_text(const char *text, size_t len)
{
    otter_fault_t fault = {0};
    otter_image_key_t *key = text != NULL && len > 0 ? otter_image_key_new(text, len, &fault) : NULL;
    if (key == NULL) {
        ESP_LOGE(TAG, "%s",
                 text != NULL && len > 0 ? fault.why : "esp_encrypted_img_decrypt_start : Invalid argument");
    } else if (!otter_image_key_is_rsa(key)) {
        ESP_LOGE(TAG, "this is a key on P-256; CONFIG_PRE_ENCRYPTED_OTA_USE_RSA needs one for RSA-3072");
        otter_image_key_free(key);
        key = NULL;
    }
    return key;
}

/** What the configuration holds depends on the firmware's build. */
static otter_image_key_t *key_of(const esp_decrypt_cfg_t *cfg)
{
    switch (otter_build_options.encrypted_img) {
    case OTTER_ENCRYPTED_IMG_RSA:
        return key_in_text(cfg->rsa_priv_key, cfg->rsa_priv_key_len);
    case OTTER_ENCRYPTED_IMG_ECIES:
        return key_in_efuses(*(const int *)(const void *)cfg);
    default:
        ESP_LOGE(TAG,
                 "there is no DS peripheral here (CONFIG_PRE_ENCRYPTED_RSA_USE_DS): give the key itself");
        return NULL;
    }
}

esp_decrypt_handle_t esp_encrypted_img_decrypt_start(const esp_decrypt_cfg_t *cfg)
{
    if (cfg == NULL) {
        ESP_LOGE(TAG, "esp_encrypted_img_decrypt_start : Invalid argument");
        return NULL;
    }
    ESP_LOGI(TAG, "Initializing Decryption Handle");
    otter_image_key_t *key = key_of(cfg);
    decryption_t *one = key != NULL ? calloc(1, sizeof(*one)) : NULL;
    if (one == NULL) {
        otter_image_key_free(key);
        return NULL;
    }
    one->key = key;
    one->d.key = key;
    return add(one);
}

/* ---- data ---- */

/** One piece to the cipher; `made` bytes are at args->data_out already. */
static esp_err_t feed(decryption_t *one, pre_enc_decrypt_arg_t *args, const uint8_t *in, size_t len,
                      size_t *used, size_t *made)
{
    otter_fault_t fault = {0};
    const bool had_magic = one->d.have >= MAGIC_SIZE;
    otter_decryption_flow_t flow = {.in = in,
                                    .len = len,
                                    .out = (uint8_t *)args->data_out + *made,
                                    .room = args->data_out != NULL ? len : 0};
    esp_err_t err = otter_decryption_feed(&one->d, &flow, &fault);
    if (!had_magic && one->d.have >= MAGIC_SIZE) {
        if (le32_get(one->d.header) == OTTER_ENCRYPTED_MAGIC) {
            ESP_LOGI(TAG, "Magic Verified");
            if (otter_build_options.encrypted_img != OTTER_ENCRYPTED_IMG_ECIES) {
                ESP_LOGI(TAG, "Reading RSA private key");
            }
        } else {
            ESP_LOGE(TAG, "Magic Verification failed");
        }
    }
    if (err != ESP_OK) {
        ESP_LOGE(TAG, "%s", fault.why);
        one->failed = true;
        return err == ESP_ERR_NO_MEM ? err : ESP_FAIL;
    }
    *used = flow.used;
    *made += flow.made;
    return ESP_OK;
}

/** Ciphertext of `len` bytes: what makes whole blocks, and all of it at the end. */
static esp_err_t decrypt(decryption_t *one, pre_enc_decrypt_arg_t *args, const uint8_t *in, size_t len)
{
    const size_t due = one->d.length - one->d.taken - one->held_len;
    one->more = one->more || len > due;
    len = len < due ? len : due;
    const size_t all = one->held_len + len;
    size_t out = len == due ? all : all - all % BLOCK, made = 0, used;
    if (out > 0) {
        char *room = realloc(args->data_out, out);
        if (room == NULL) {
            return ESP_ERR_NO_MEM;
        }
        args->data_out = room;
        const size_t fills = one->held_len > 0 ? (out < BLOCK ? out : BLOCK) - one->held_len : 0;
        memcpy(one->held + one->held_len, in, fills);
        esp_err_t err =
            one->held_len > 0 ? feed(one, args, one->held, one->held_len + fills, &used, &made) : ESP_OK;
        err = err == ESP_OK && out > made ? feed(one, args, in + fills, out - made, &used, &made) : err;
        if (err != ESP_OK) {
            return err;
        }
        in += len - (all - out);
        len = all - out;
        one->held_len = 0;
    }
    memcpy(one->held + one->held_len, in, len);
    one->held_len += (uint32_t)len;
    args->data_out_len = out;
    return otter_decryption_is_complete(&one->d) && !one->more ? ESP_OK : ESP_ERR_NOT_FINISHED;
}

esp_err_t esp_encrypted_img_decrypt_data(esp_decrypt_handle_t ctx, pre_enc_decrypt_arg_t *args)
{
    decryption_t *one = find(ctx);
    if (one == NULL || args == NULL || args->data_in == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    if (one->failed) {
        return ESP_FAIL;
    }
    const uint8_t *in = (const uint8_t *)args->data_in;
    size_t len = args->data_in_len, used = 0, nothing = 0;
    args->data_out_len = 0;
    if (one->d.gcm == NULL) {
        const size_t left = OTTER_ENCRYPTED_HEADER - one->d.have;
        pre_enc_decrypt_arg_t none = {0};
        esp_err_t err = feed(one, &none, in, len < left ? len : left, &used, &nothing);
        if (err != ESP_OK || one->d.gcm == NULL) {
            return err == ESP_OK ? ESP_ERR_NOT_FINISHED : err;
        }
    }
    return decrypt(one, args, in + used, len - used);
}

/* ---- the end ---- */

bool esp_encrypted_img_is_complete_data_received(esp_decrypt_handle_t ctx)
{
    const decryption_t *one = find(ctx);
    return one != NULL && otter_decryption_is_complete(&one->d) && !one->more;
}

esp_err_t esp_encrypted_img_decrypt_end(esp_decrypt_handle_t ctx)
{
    decryption_t *one = find(ctx);
    otter_fault_t fault = {0};
    if (one == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    esp_err_t err = one->failed || one->more ? ESP_FAIL : otter_decryption_check(&one->d, &fault);
    if (one->d.gcm == NULL) {
        ESP_LOGE(TAG, "Decryption process not completed successfully");
    } else if (one->failed || !otter_decryption_is_complete(&one->d) || one->more) {
        ESP_LOGE(TAG, "Invalid operation");
    } else if (err != ESP_OK) {
        ESP_LOGE(TAG, "Invalid Auth");
    }
    if (fault.code != ESP_OK) {
        ESP_LOGE(TAG, "%s", fault.why);
    }
    drop(one);
    return err == ESP_OK ? ESP_OK : ESP_FAIL;
}

esp_err_t esp_encrypted_img_decrypt_abort(esp_decrypt_handle_t ctx)
{
    decryption_t *one = find(ctx);
    if (one == NULL) {
        ESP_LOGE(TAG, "esp_encrypted_img_decrypt_abort: Invalid argument");
        return ESP_ERR_INVALID_ARG;
    }
    drop(one);
    return ESP_OK;
}

uint16_t esp_encrypted_img_get_header_size(void)
{
    return OTTER_ENCRYPTED_HEADER;
}

esp_err_t esp_encrypted_img_export_public_key(esp_decrypt_handle_t ctx, uint8_t **pub_key,
                                              size_t *pub_key_len)
{
    const decryption_t *one = find(ctx);
    if (one == NULL || pub_key == NULL || pub_key_len == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    *pub_key_len = otter_image_key_public(one->key, pub_key);
    return *pub_key_len > 0 ? ESP_OK : ESP_ERR_NO_MEM;
}
