/* What of the flash a file is for, by the file's name. */
#pragma once

#include "esp_err.h"
#include "esp_https_ota.h"

/**
 * Chooses where the file is received and what it is for: storage.bin, bootloader.bin, partition-table.bin, or an app.
 * @return ESP_OK, ESP_ERR_NOT_FOUND (the partition table has no such place)
 */
esp_err_t parts_choose(const char *url, esp_https_ota_config_t *config);

/** Once the file has been received and verified: to its place, where that is still to be done. */
esp_err_t parts_put_in_place(const esp_https_ota_config_t *config);
