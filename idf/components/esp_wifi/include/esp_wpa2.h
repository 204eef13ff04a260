/* The names that esp_eap_client.h had before ESP-IDF 5.1. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "esp_eap_client.h"

#define esp_wifi_sta_wpa2_ent_enable                      esp_wifi_sta_enterprise_enable
#define esp_wifi_sta_wpa2_ent_disable                     esp_wifi_sta_enterprise_disable
#define esp_wifi_sta_wpa2_ent_set_identity                esp_eap_client_set_identity
#define esp_wifi_sta_wpa2_ent_clear_identity              esp_eap_client_clear_identity
#define esp_wifi_sta_wpa2_ent_set_username                esp_eap_client_set_username
#define esp_wifi_sta_wpa2_ent_clear_username              esp_eap_client_clear_username
#define esp_wifi_sta_wpa2_ent_set_password                esp_eap_client_set_password
#define esp_wifi_sta_wpa2_ent_clear_password              esp_eap_client_clear_password
#define esp_wifi_sta_wpa2_ent_set_new_password            esp_eap_client_set_new_password
#define esp_wifi_sta_wpa2_ent_clear_new_password          esp_eap_client_clear_new_password
#define esp_wifi_sta_wpa2_ent_set_ca_cert                 esp_eap_client_set_ca_cert
#define esp_wifi_sta_wpa2_ent_clear_ca_cert               esp_eap_client_clear_ca_cert
#define esp_wifi_sta_wpa2_ent_set_cert_key                esp_eap_client_set_certificate_and_key
#define esp_wifi_sta_wpa2_ent_clear_cert_key              esp_eap_client_clear_certificate_and_key
#define esp_wifi_sta_wpa2_ent_set_disable_time_check      esp_eap_client_set_disable_time_check
#define esp_wifi_sta_wpa2_ent_get_disable_time_check      esp_eap_client_get_disable_time_check
#define esp_wifi_sta_wpa2_ent_set_ttls_phase2_method      esp_eap_client_set_ttls_phase2_method
#define esp_wifi_sta_wpa2_set_suiteb_192bit_certification esp_eap_client_set_suiteb_192bit_certification
#define esp_wifi_sta_wpa2_ent_set_pac_file                esp_eap_client_set_pac_file
#define esp_wifi_sta_wpa2_ent_set_fast_phase1_params      esp_eap_client_set_fast_params
#define esp_wifi_sta_wpa2_use_default_cert_bundle         esp_eap_client_use_default_cert_bundle

#define ESP_EAP_TTLS_PHASE2_TYPES esp_eap_ttls_phase2_types
