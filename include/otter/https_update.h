/* Updates over HTTPS on a device that the caller names, with callbacks and memory of the caller's. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "esp_https_ota.h"
#include "otter/device.h"
#include "otter/encrypted_image.h"
#include "otter/promise.h"

#ifdef __cplusplus
extern "C" {
#endif

#define OTTER_HTTPS_RECEIVE_MIN 1024u /* bytes: the head of an image is looked at as a whole */

/**
 * What an update tells its caller, and asks of it. Zeros: nothing. Callbacks are made by the task that calls begin and perform,
 * without a lock held, and must not use the handle; `ctx` is theirs.
 */
typedef struct otter_https_options {
    /**
     * The HTTP client is made and has not connected: headers, credentials. Behind http_client_init_cb, if there is one.
     * @return ESP_OK; any other code ends begin with it
     */
    esp_err_t (*on_client)(void *ctx, esp_http_client_handle_t client);
    /** An event of ESP_HTTPS_OTA_EVENT, with what esp_https_ota.h says of its data. */
    void (*on_event)(void *ctx, esp_https_ota_event_t id, const void *data, size_t size);
    /**
     * Asked about every 50 ms while begin waits to ask a server again (`retry` in the configuration); `left_ms` of the pause are
     * left. Also with 0 whenever esp_https_ota_get_img_desc has waited for the first bytes in vain.
     * @return false: the update is given up
     */
    bool (*on_wait)(void *ctx, uint32_t left_ms);
    /** Finish verifies the image and selects nothing: otter_ota_set_boot_partition() does, whenever that may be. */
    bool select_later;
    /** otter_https_ota() alone: asked after each piece. @return false: the update is given up */
    bool (*on_progress)(void *ctx, const otter_update_report_t *report);
    void *ctx;
    /**
     * Memory for image bytes on their way to flash, at least OTTER_HTTPS_RECEIVE_MIN; each perform writes as much at most.
     * None: as much as http_config->buffer_size says, from the heap. The HTTP client has memory of its own.
     */
    otter_buffer_t receive;
    /**
     * Images come encrypted (FORMATS.md section 13), for this key, which stays the caller's until finish or abort. Their tag is
     * proved before the last bytes reach the slot; where it does not fit, all that was written is erased again. Such downloads
     * are gone on with as others are. NULL: images come as they are. Not together with decrypt_cb (ESP_ERR_INVALID_ARG).
     */
    const otter_image_key_t *decrypt_key;
    const otter_encrypted_images_t *encrypted_images; /* with decrypt_key: &otter_encrypted_images */
} otter_https_options_t;

/**
 * esp_https_ota_begin on a device that the caller names, for one update at a time. All other calls of esp_https_ota.h find the
 * device in the handle. device->report tells how it goes and went, also when begin failed.
 * @param config   as in esp_https_ota.h; not used after the call, but for what it says of callbacks and contexts
 * @param options  stay the caller's until finish or abort has returned; NULL: none
 * @param handle   NULL where begin failed
 * @return as esp_https_ota_begin, and ESP_ERR_INVALID_ARG: options->receive is too small, decrypt_key stands with
 *         decrypt_cb or without its code; device->report.fault.why says more
 */
OTTER_MUST_CHECK esp_err_t otter_https_ota_begin(otter_device_t *device, const esp_https_ota_config_t *config,
                                                 const otter_https_options_t *options,
                                                 esp_https_ota_handle_t *handle);

/**
 * begin, perform to the end, finish or abort. The image boots next, if it went into a slot.
 * @return ESP_OK, or the first error; device->report.fault.why says more. ESP_FAIL also where on_progress gave up
 */
OTTER_MUST_CHECK esp_err_t otter_https_ota(otter_device_t *device, const esp_https_ota_config_t *config,
                                           const otter_https_options_t *options);

#ifdef __cplusplus
}
#endif
