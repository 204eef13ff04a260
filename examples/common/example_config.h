/* What an ESP-IDF project has from menuconfig and from files embedded at build time; here from the environment. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdint.h>

/*
 * In a project for a chip these are CONFIG_EXAMPLE_FIRMWARE_UPGRADE_URL and
 *     extern const uint8_t server_cert_pem_start[] asm("_binary_ca_cert_pem_start");
 * Here one build serves every server: OTTER_EXAMPLE_URL is the address of the image, OTTER_EXAMPLE_CA the file with the
 * CA certificate of its server, OTTER_EXAMPLE_INTERVAL_MS the time between two looks for an update (default 10 s,
 * 0: look once).
 */

/** Never NULL; without OTTER_EXAMPLE_URL: https://localhost:8070/firmware.bin, where `otter serve` is by default. */
const char *example_firmware_upgrade_url(void);

/** PEM text; NULL (which esp_https_ota refuses) when there is none. Read once, kept for ever. */
const char *example_server_cert_pem(void);

uint32_t example_check_interval_ms(void);
