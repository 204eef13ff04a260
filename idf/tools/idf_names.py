"""The names of ESP-IDF's components that have no folder in idf/components: what stands for each here."""
# SPDX-License-Identifier: Apache-2.0

# otter's own library and headers answer for these.
IN_LIBRARY = frozenset("""
app_update bootloader bootloader_support cxx efuse esp_app_format esp_bootloader_format esp_common esp_event
esp_http_client esp_https_ota esp_hw_support esp_libc esp_partition esp_ringbuf esp_rom esp_security esp_stdio
esp_system esp_timer esptool_py freertos hal heap http_parser linux log nvs_flash nvs_sec_provider
partition_table pthread soc spi_flash
""".split())

# ESP-IDF has them (in one of its versions 4.4 to 6.0), and there is nothing of them here: one may be required, and what is
# used of it does not compile.
ABSENT = frozenset("""
app_trace asio cbor cmock coap esp32 esp32c3 esp32h2 esp32s2 esp32s3 esp_blockdev
esp_blockdev_util esp_coex esp_driver_ana_cmpr esp_driver_bitscrambler esp_driver_cam esp_driver_dma
esp_driver_i2s esp_driver_i3c esp_driver_isp esp_driver_jpeg
esp_driver_mcpwm esp_driver_parlio esp_driver_pcnt esp_driver_ppa esp_driver_rmt esp_driver_sd_intf
esp_driver_sdio esp_driver_sdm
esp_driver_twai esp_gdbstub esp_hid
esp_ipc esp_lcd esp_local_ctrl esp_mm esp_netif_stack esp_phy
esp_serial_slave_link esp_tee esp_trace esp_usb_cdc_rom_console esp_vfs_console esp_wifi
expat freemodbus idf_test ieee802154 jsmn libsodium nghttp openssl
openthread perfmon protobuf-c riscv rt tinyusb
touch_element ulp usb wpa_supplicant xtensa
esp_hal_ana_cmpr esp_hal_ana_conv esp_hal_cam esp_hal_clock esp_hal_dma esp_hal_gpio esp_hal_gpspi esp_hal_i2c esp_hal_i2s
esp_hal_ieee802154 esp_hal_jpeg esp_hal_lcd esp_hal_ledc esp_hal_mcpwm esp_hal_mspi esp_hal_parlio esp_hal_pcnt
esp_hal_pmu esp_hal_ppa esp_hal_rmt esp_hal_rtc_timer esp_hal_sd esp_hal_security esp_hal_timg esp_hal_touch_sens
esp_hal_twai esp_hal_uart esp_hal_usb esp_hal_wdt
""".split())
