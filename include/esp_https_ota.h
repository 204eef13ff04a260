/* ESP-IDF's HTTPS update: begin, perform until done, finish or abort; or all of it in one call. Both v4 and v5 forms. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "bootloader_common.h"
#include "esp_app_desc.h"
#include "esp_bootloader_desc.h"
#include "esp_err.h"
#include "esp_event.h"
#include "esp_http_client.h"
#include "esp_partition.h"
#include "sdkconfig.h"

#ifdef __cplusplus
extern "C" {
#endif

ESP_EVENT_DECLARE_BASE(ESP_HTTPS_OTA_EVENT);

/** Posted to the default event loop, if there is one. */
typedef enum {
    ESP_HTTPS_OTA_START,                 /* begin, before any check */
    ESP_HTTPS_OTA_CONNECTED,             /* begin, once the server's final answer is accepted */
    ESP_HTTPS_OTA_GET_IMG_DESC,          /* get_img_desc, before any check */
    ESP_HTTPS_OTA_VERIFY_CHIP_ID,        /* esp_chip_id_t of the image, before it is compared */
    ESP_HTTPS_OTA_VERIFY_CHIP_REVISION,  /* uint16_t: the image's minimum revision */
    ESP_HTTPS_OTA_DECRYPT_CB,            /* before each call of decrypt_cb */
    ESP_HTTPS_OTA_WRITE_FLASH,           /* int: bytes written so far; after each write, also a failed one */
    ESP_HTTPS_OTA_UPDATE_BOOT_PARTITION, /* esp_partition_subtype_t of the slot that boots next */
    ESP_HTTPS_OTA_FINISH,                /* finish, when the handle is gone */
    ESP_HTTPS_OTA_ABORT,                 /* abort, before any check */
} esp_https_ota_event_t;

typedef void *esp_https_ota_handle_t;

/** Called once with the HTTP client before it connects: set headers here. Its error ends begin, verbatim. */
typedef esp_err_t (*http_client_init_cb_t)(esp_http_client_handle_t client);

/** One piece of an encrypted image. */
typedef struct {
    const char *data_in; /* body bytes, the library's */
    size_t data_in_len;
    char *data_out;      /* image bytes, malloc'ed by the callback; NULL: none yet */
    size_t data_out_len; /* any number of them: none, or more than data_in_len */
} decrypt_cb_arg_t;

/**
 * Turns body bytes into image bytes: decrypts, decompresses, unpacks. As in ESP-IDF the library frees data_out if the
 * callback succeeded and data_out_len is above 0, and never otherwise.
 * @return ESP_OK or ESP_ERR_NOT_FINISHED to go on; anything else ends the update with ESP_FAIL
 */
typedef esp_err_t (*decrypt_cb_t)(decrypt_cb_arg_t *args, void *user_ctx);

/**
 * Zero means default for every field. Read inside begin only; what http_config points to (certificates) must live as
 * long as the handle.
 */
typedef struct {
    /* url, trust, timeout_ms, buffer_size (at least 1024 is used) */
    const esp_http_client_config_t *http_config;
    http_client_init_cb_t http_client_init_cb;
    /* erase for the whole image (or slot, also with decrypt_cb) before the first write */
    bool bulk_flash_erase;
    bool partial_http_download; /* ask for ranges of max_http_request_size; the server must tell the length */
    int max_http_request_size;  /* bytes, default 65536 */
    uint32_t buffer_caps;       /* MALLOC_CAP_*; every memory is alike off-chip */
    /**
     * Go on where an earlier update of the same file stopped, also after a reset. Progress is kept in the last sector of
     * the slot, by every download that can, whether it asked for this or not; it is checked against flash, and used only if
     * the server still has that very file (If-Range).
     */
    bool ota_resumption;
    /**
     * The application's own count, for when there is no such record. It is followed, from whole sectors on, only for an app
     * image with a SHA-256, which shows at the end whether the bytes were of the same image; if not, perform begins anew
     * from the start, once.
     */
    size_t ota_image_bytes_written;
    decrypt_cb_t decrypt_cb; /* NULL: the body is the image */
    void *decrypt_user_ctx;
    uint16_t enc_img_header_size; /* bytes of the body that are no image: esp_https_ota_get_image_size() */
    struct {
        const esp_partition_t *staging; /* where to write; NULL: esp_ota_get_next_update_partition(NULL) */
        const esp_partition_t *final;   /* what the image is for; NULL: staging */
        bool finalize_with_copy;        /* finish copies staging to final once the image is verified */
    } partition;
    /**
     * Not in ESP-IDF: what perform does about a dropped or silent connection, and about a server that says 408, 429 or 5xx;
     * one that is busy (429, 503) is left alone as long as its Retry-After says. 0: the default; below 0: none. With
     * attempts above 0 begin does the same, also when it cannot connect, and may block up to max_time_ms.
     */
    struct {
        int attempts;    /* connections in a row that bring nothing new; default 6 */
        int delay_ms;    /* before the first of them, doubling up to 30 s, with jitter; default 1000 */
        int max_time_ms; /* for the whole download; default 3600000 */
    } retry;
} esp_https_ota_config_t;

/**
 * Start an update: connect, follow redirects (at most http_config->max_redirection_count, default 10), accept the
 * server's answer. Blocks; every wait is bounded by http_config->timeout_ms, and those for a busy server by config.retry.
 * Nothing is written or erased.
 *
 * @param[out] handle  the caller's until finish or abort; NULL on failure
 * @return ESP_OK
 *         ESP_ERR_INVALID_ARG        NULL; no CA, global store or bundle; is_async; the connection would be plain HTTP,
 *                                    whoever set the URL, and the device does not allow it
 *                                    (CONFIG_ESP_HTTPS_OTA_ALLOW_HTTP)
 *         ESP_ERR_NOT_SUPPORTED      decrypt_cb together with ota_resumption
 *         ESP_ERR_NO_MEM
 *         ESP_ERR_INVALID_STATE      there is no device (otter_device_set_current)
 *         ESP_ERR_HTTP_CONNECT       name look-up, TCP, TLS or certificate; the log says which
 *         ESP_ERR_HTTP_MAX_REDIRECT, ESP_ERR_HTTP_REDIRECT_DOWNGRADE (https to http)
 *         ESP_ERR_HTTP_NOT_MODIFIED (304), ESP_ERR_HTTP_RANGE_NOT_SATISFIABLE (416), ESP_ERR_NOT_SUPPORTED (401 with a
 *                                    challenge that cannot be answered)
 *         ESP_FAIL                   any other status of 400 and above, an unusable URL, no partition to update
 *         -ESP_ERR_HTTP_EAGAIN (-28679)  no response within timeout_ms, as in ESP-IDF
 *         or what http_client_init_cb returned
 */
esp_err_t esp_https_ota_begin(const esp_https_ota_config_t *ota_config, esp_https_ota_handle_t *handle);

/**
 * The next step: reads at most one buffer and writes it. Call it while it returns ESP_ERR_HTTPS_OTA_IN_PROGRESS; the
 * call that writes the last bytes returns that too, the one after it ESP_OK.
 *
 * @return ESP_ERR_HTTPS_OTA_IN_PROGRESS, ESP_OK (all received and written)
 *         ESP_ERR_INVALID_ARG            NULL; the next connection would be plain HTTP (as begin)
 *         ESP_ERR_INVALID_VERSION        the image is for another chip or revision; nothing was erased
 *         ESP_ERR_INVALID_SIZE           the image is larger than the partition; nothing was erased if the length was known
 *         ESP_ERR_OTA_VALIDATE_FAILED    the first byte is not an image's; nothing was erased
 *         ESP_ERR_HTTP_READ_TIMEOUT      given up after silence (config.retry), or retry.max_time_ms is over
 *         ESP_FAIL                       the connection was lost for good (config.retry), the file changed on the server,
 *                                        or the update is over
 *         ESP_ERR_HTTP_CONNECT           the server could not be reached again
 *         or what esp_ota_begin and esp_ota_write return (ESP_ERR_OTA_PARTITION_CONFLICT, ESP_ERR_FLASH_OP_FAIL, ...)
 *         After an error the handle is still the caller's: abort it.
 */
esp_err_t esp_https_ota_perform(esp_https_ota_handle_t https_ota_handle);

/** True once the server's whole answer was received. That the image is good is told by finish. False for NULL. */
bool esp_https_ota_is_complete_data_received(esp_https_ota_handle_t https_ota_handle);

/**
 * End an update: verify the image as it stands in flash, make it boot next, free everything. The handle is gone in every
 * case but NULL.
 *
 * @return ESP_OK  the image boots after esp_restart(); or: perform had not finished (a valid image is then not selected;
 *                 ask esp_https_ota_is_complete_data_received first), or nothing had been written
 *         ESP_ERR_INVALID_ARG            NULL, or the update failed before its first write
 *         ESP_ERR_OTA_VALIDATE_FAILED    the image is corrupt or cut
 *         ESP_ERR_OTA_SMALL_SEC_VER      anti-rollback; the slot was erased
 *         ESP_ERR_NOT_FOUND              no otadata partition
 *         ESP_ERR_FLASH_OP_FAIL, ESP_ERR_FLASH_OP_TIMEOUT
 */
esp_err_t esp_https_ota_finish(esp_https_ota_handle_t https_ota_handle);

/** Give up: close, free, leave the boot selection alone. @return ESP_OK, ESP_ERR_INVALID_ARG for NULL */
esp_err_t esp_https_ota_abort(esp_https_ota_handle_t https_ota_handle);

/**
 * The app descriptor of the image that is arriving, from its first bytes. May be called any number of times.
 * @return ESP_OK, ESP_ERR_INVALID_ARG (NULL), ESP_FAIL (no descriptor there, or the connection was lost)
 */
esp_err_t esp_https_ota_get_img_desc(esp_https_ota_handle_t https_ota_handle, esp_app_desc_t *new_app_info);

/** The same of a bootloader image (config.partition.final is a bootloader partition). Codes as above. */
esp_err_t esp_https_ota_get_bootloader_img_desc(esp_https_ota_handle_t https_ota_handle,
                                                esp_bootloader_desc_t *new_img_info);

/*
 * These three and esp_https_ota_is_complete_data_received may be asked by any task while another one works with the handle;
 * everything else is for one task at a time, and after finish or abort there is no handle any more.
 */

/** Bytes written to flash so far; -1 for NULL or before the first perform. */
int esp_https_ota_get_image_len_read(esp_https_ota_handle_t https_ota_handle);

/** Bytes the server announced, but for enc_img_header_size; -1 if it did not, or for NULL. */
int esp_https_ota_get_image_size(esp_https_ota_handle_t https_ota_handle);

/** HTTP status of the last response; -1 for NULL. */
int esp_https_ota_get_status_code(esp_https_ota_handle_t https_ota_handle);

/*
 * The whole update in one call; the caller restarts after ESP_OK. ESP-IDF changed the argument's type in v5:
 * esp_https_ota(x) takes either. The v4 form answers every failure to begin with ESP_FAIL, the v5 form with the cause.
 */
esp_err_t esp_https_ota_v4(const esp_http_client_config_t *config);
esp_err_t esp_https_ota_v5(const esp_https_ota_config_t *ota_config);

#ifdef __cplusplus
}
static inline esp_err_t esp_https_ota(const esp_http_client_config_t *config)
{
    return esp_https_ota_v4(config);
}
static inline esp_err_t esp_https_ota(const esp_https_ota_config_t *ota_config)
{
    return esp_https_ota_v5(ota_config);
}
#else
#define esp_https_ota(config)                                                                                \
    _Generic((config),                                                                                       \
        esp_http_client_config_t *: esp_https_ota_v4,                                                        \
        const esp_http_client_config_t *: esp_https_ota_v4,                                                  \
        esp_https_ota_config_t *: esp_https_ota_v5,                                                          \
        const esp_https_ota_config_t *: esp_https_ota_v5)(config)
#endif
