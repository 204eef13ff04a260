/* ESP-IDF's SNTP: this machine's clock is right, so the time is there as soon as it is asked for. No server is asked. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/time.h>

#include "lwip/err.h"
#include "lwip/ip_addr.h"

#ifdef __cplusplus
extern "C" {
#endif

#define SNTP_MAX_SERVERS 4

typedef enum { SNTP_SYNC_MODE_IMMED, SNTP_SYNC_MODE_SMOOTH } sntp_sync_mode_t;

typedef enum {
    SNTP_SYNC_STATUS_RESET,
    SNTP_SYNC_STATUS_COMPLETED, /* since esp_sntp_init(), until it is asked once */
    SNTP_SYNC_STATUS_IN_PROGRESS,
} sntp_sync_status_t;

typedef enum { ESP_SNTP_OPMODE_POLL, ESP_SNTP_OPMODE_LISTENONLY } esp_sntp_operatingmode_t;
#define SNTP_OPMODE_POLL       ESP_SNTP_OPMODE_POLL
#define SNTP_OPMODE_LISTENONLY ESP_SNTP_OPMODE_LISTENONLY

typedef void (*sntp_sync_time_cb_t)(struct timeval *tv);

void esp_sntp_setoperatingmode(esp_sntp_operatingmode_t operating_mode);
esp_sntp_operatingmode_t esp_sntp_getoperatingmode(void);
/** Kept as a pointer, as in lwip. */
void esp_sntp_setservername(u8_t idx, const char *server);
const char *esp_sntp_getservername(u8_t idx);
/** Kept, and not asked, as the names. */
void esp_sntp_setserver(u8_t idx, const ip_addr_t *addr);
/** What was set; a zero address where nothing was. */
const ip_addr_t *esp_sntp_getserver(u8_t idx);
/** @return 1: the time is there, from a server that was set; 0 */
unsigned esp_sntp_getreachability(u8_t idx);
void esp_sntp_servermode_dhcp(bool enable);
/** Says once in the log that this is a stand-in, and calls the callback in a task of its own. */
void esp_sntp_init(void);
void esp_sntp_stop(void);
bool esp_sntp_enabled(void);
/** @return whether it runs */
bool sntp_restart(void);

void sntp_set_sync_mode(sntp_sync_mode_t sync_mode);
sntp_sync_mode_t sntp_get_sync_mode(void);
sntp_sync_status_t sntp_get_sync_status(void);
void sntp_set_sync_status(sntp_sync_status_t sync_status);
void sntp_set_time_sync_notification_cb(sntp_sync_time_cb_t callback);
void sntp_set_sync_interval(uint32_t interval_ms);
uint32_t sntp_get_sync_interval(void);
/** Does not set this machine's clock. */
void sntp_sync_time(struct timeval *tv);

#define esp_sntp_sync_time                     sntp_sync_time
#define esp_sntp_set_sync_mode                 sntp_set_sync_mode
#define esp_sntp_get_sync_mode                 sntp_get_sync_mode
#define esp_sntp_get_sync_status               sntp_get_sync_status
#define esp_sntp_set_sync_status               sntp_set_sync_status
#define esp_sntp_set_time_sync_notification_cb sntp_set_time_sync_notification_cb
#define esp_sntp_set_sync_interval             sntp_set_sync_interval
#define esp_sntp_get_sync_interval             sntp_get_sync_interval
#define esp_sntp_restart                       sntp_restart
#define sntp_setoperatingmode(mode)            esp_sntp_setoperatingmode((esp_sntp_operatingmode_t)(mode))
#define sntp_setservername                     esp_sntp_setservername
#define sntp_getservername                     esp_sntp_getservername
#define sntp_setserver                         esp_sntp_setserver
#define sntp_getserver                         esp_sntp_getserver
#define sntp_getreachability                   esp_sntp_getreachability
#define sntp_servermode_dhcp                   esp_sntp_servermode_dhcp
#define sntp_getoperatingmode                  esp_sntp_getoperatingmode
#define sntp_init                              esp_sntp_init
#define sntp_stop                              esp_sntp_stop
#define sntp_enabled                           esp_sntp_enabled

#ifdef __cplusplus
}
#endif
