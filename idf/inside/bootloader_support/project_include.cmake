# esp_partition takes headers from the include/ of this component, where ESP-IDF's are not: they come from here.
# SPDX-License-Identifier: Apache-2.0
idf_build_get_property(idf_path IDF_PATH)
idf_build_set_property(INCLUDE_DIRECTORIES "${idf_path}/components/bootloader_support/include" APPEND)
