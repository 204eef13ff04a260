/* The list of interfaces, and what this machine's IP stack says of its own. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "esp_netif.h"

#include <ifaddrs.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "esp_event.h"
#include "esp_log.h"
#include "freertos/FreeRTOS.h"

#define NAME_SIZE       33 /* of keys, descriptions and host names, with terminator */
#define POST_WAIT_TICKS pdMS_TO_TICKS(1000)

static const char TAG[] = "esp_netif";

ESP_EVENT_DEFINE_BASE(IP_EVENT);

const esp_netif_inherent_config_t _g_esp_netif_inherent_sta_config = ESP_NETIF_INHERENT_DEFAULT_WIFI_STA();
const esp_netif_inherent_config_t _g_esp_netif_inherent_ap_config = ESP_NETIF_INHERENT_DEFAULT_WIFI_AP();
const esp_netif_inherent_config_t _g_esp_netif_inherent_eth_config = ESP_NETIF_INHERENT_DEFAULT_ETH();

struct esp_netif_obj {
    esp_netif_t *next;
    esp_netif_flags_t flags;
    uint8_t mac[6];
    uint32_t got_ip, lost_ip;
    char key[NAME_SIZE], desc[NAME_SIZE], hostname[NAME_SIZE];
    int route_prio;
    esp_netif_iodriver_handle driver;
    esp_netif_dhcp_status_t dhcpc, dhcps;
    bool up, has_own_address;
    esp_netif_ip_info_t own_address; /* what an access point was given */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards both, and what is in the list */
static esp_netif_t *first, *preferred;

/* ---- what the machine has ---- */

/** The machine's interface that stands for all of the device's. Loopback only where there is no other. */
static bool machine_interface(struct ifaddrs *all, struct ifaddrs **found)
{
    *found = NULL;
    for (struct ifaddrs *each = all; each != NULL; each = each->ifa_next) {
        const bool usable =
            each->ifa_addr != NULL && each->ifa_addr->sa_family == AF_INET && (each->ifa_flags & IFF_UP) != 0;
        const bool loopback = (each->ifa_flags & IFF_LOOPBACK) != 0;
        if (usable && (*found == NULL || (!loopback && ((*found)->ifa_flags & IFF_LOOPBACK) != 0))) {
            *found = each;
        }
    }
    return *found != NULL;
}

static uint32_t address_of(const struct sockaddr *address)
{
    return address != NULL ? ((const struct sockaddr_in *)(const void *)address)->sin_addr.s_addr : 0;
}

/** @param name  IFNAMSIZ bytes; NULL: not wanted. @return false: the machine has no interface that is up */
static bool ask_machine(esp_netif_ip_info_t *ip_info, char *name)
{
    struct ifaddrs *all, *found;
    if (getifaddrs(&all) != 0) {
        return false;
    }
    bool known = machine_interface(all, &found);
    if (known) {
        *ip_info = (esp_netif_ip_info_t){.ip.addr = address_of(found->ifa_addr),
                                         .netmask.addr = address_of(found->ifa_netmask)};
        if (name != NULL) {
            memset(name, 0, IFNAMSIZ);
            strncpy(name, found->ifa_name, IFNAMSIZ - 1);
        }
    }
    freeifaddrs(all);
    return known;
}

/** An IPv6 address of this kind, of the interface that has the machine's address. */
static esp_err_t find_ip6(esp_ip6_addr_type_t wanted, esp_ip6_addr_t *ip6)
{
    struct ifaddrs *all, *main;
    esp_err_t err = ESP_FAIL;
    if (getifaddrs(&all) != 0) {
        return ESP_FAIL;
    }
    bool known = machine_interface(all, &main);
    for (struct ifaddrs *each = all; known && err != ESP_OK && each != NULL; each = each->ifa_next) {
        if (each->ifa_addr == NULL || each->ifa_addr->sa_family != AF_INET6 ||
            strcmp(each->ifa_name, main->ifa_name) != 0) {
            continue;
        }
        const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)(const void *)each->ifa_addr;
        esp_ip6_addr_t candidate = {.zone = (uint8_t)in6->sin6_scope_id};
        memcpy(candidate.addr, &in6->sin6_addr, sizeof(candidate.addr));
        if (esp_netif_ip6_get_addr_type(&candidate) == wanted) {
            *ip6 = candidate;
            err = ESP_OK;
        }
    }
    freeifaddrs(all);
    return err;
}

/* ---- the list ---- */

esp_err_t esp_netif_init(void)
{
    return ESP_OK;
}

esp_err_t esp_netif_deinit(void)
{
    return ESP_ERR_NOT_SUPPORTED;
}

static esp_netif_t *find_key(const char *key)
{
    esp_netif_t *each = first;
    while (each != NULL && strcmp(each->key, key) != 0) {
        each = each->next;
    }
    return each;
}

/** @return false: there is one of this key */
static bool append(esp_netif_t *netif)
{
    pthread_mutex_lock(&lock);
    bool is_new = find_key(netif->key) == NULL;
    esp_netif_t **end = &first;
    while (is_new && *end != NULL) {
        end = &(*end)->next;
    }
    if (is_new) {
        *end = netif;
    }
    pthread_mutex_unlock(&lock);
    return is_new;
}

esp_netif_t *esp_netif_new(const esp_netif_config_t *config)
{
    const esp_netif_inherent_config_t *base = config != NULL ? config->base : NULL;
    if (base == NULL || base->if_key == NULL) {
        ESP_LOGE(TAG, "esp_netif_new: the configuration has no base with an if_key");
        return NULL;
    }
    esp_netif_t *netif = calloc(1, sizeof(*netif));
    if (netif == NULL) {
        return NULL;
    }
    netif->flags = base->flags;
    memcpy(netif->mac, base->mac, sizeof(netif->mac));
    netif->got_ip = base->get_ip_event;
    netif->lost_ip = base->lost_ip_event;
    netif->route_prio = base->route_prio;
    strncpy(netif->key, base->if_key, NAME_SIZE - 1);
    strncpy(netif->desc, base->if_desc != NULL ? base->if_desc : "", NAME_SIZE - 1);
    strncpy(netif->hostname, "espressif", NAME_SIZE - 1); /* as CONFIG_LWIP_LOCAL_HOSTNAME */
    if (!append(netif)) {
        ESP_LOGE(TAG, "esp_netif_new: there is an interface with if_key '%s' already", netif->key);
        free(netif);
        return NULL;
    }
    return netif;
}

void esp_netif_destroy(esp_netif_t *netif)
{
    pthread_mutex_lock(&lock);
    esp_netif_t **at = &first;
    while (*at != NULL && *at != netif) {
        at = &(*at)->next;
    }
    if (*at != NULL) {
        *at = netif->next;
    }
    if (preferred == netif) {
        preferred = NULL;
    }
    pthread_mutex_unlock(&lock);
    free(netif);
}

esp_netif_t *esp_netif_next_unsafe(esp_netif_t *netif)
{
    return netif == NULL ? first : netif->next;
}

esp_netif_t *esp_netif_next(esp_netif_t *netif)
{
    pthread_mutex_lock(&lock);
    esp_netif_t *found = esp_netif_next_unsafe(netif);
    pthread_mutex_unlock(&lock);
    return found;
}

esp_netif_t *esp_netif_find_if(esp_netif_find_predicate_t fn, void *ctx)
{
    esp_netif_t *each = esp_netif_next(NULL);
    while (each != NULL && !fn(each, ctx)) {
        each = esp_netif_next(each);
    }
    return each;
}

esp_netif_t *esp_netif_get_handle_from_ifkey(const char *if_key)
{
    pthread_mutex_lock(&lock);
    esp_netif_t *found = if_key != NULL ? find_key(if_key) : NULL;
    pthread_mutex_unlock(&lock);
    return found;
}

size_t esp_netif_get_nr_of_ifs(void)
{
    size_t count = 0;
    for (esp_netif_t *each = esp_netif_next(NULL); each != NULL; each = esp_netif_next(each)) {
        count++;
    }
    return count;
}

esp_err_t esp_netif_set_default_netif(esp_netif_t *netif)
{
    pthread_mutex_lock(&lock);
    preferred = netif;
    pthread_mutex_unlock(&lock);
    return ESP_OK;
}

esp_netif_t *esp_netif_get_default_netif(void)
{
    pthread_mutex_lock(&lock);
    esp_netif_t *found = preferred;
    for (esp_netif_t *each = first; preferred == NULL && each != NULL; each = each->next) {
        if (each->up && (found == NULL || each->route_prio > found->route_prio)) {
            found = each;
        }
    }
    pthread_mutex_unlock(&lock);
    return found;
}

/* ---- up and down ---- */

esp_err_t esp_netif_attach(esp_netif_t *netif, esp_netif_iodriver_handle driver)
{
    if (netif == NULL || driver == NULL) {
        return ESP_ERR_ESP_NETIF_INVALID_PARAMS;
    }
    netif->driver = driver;
    return ESP_OK;
}

esp_netif_iodriver_handle esp_netif_get_io_driver(esp_netif_t *netif)
{
    return netif != NULL ? netif->driver : NULL;
}

void esp_netif_action_start(void *netif, esp_event_base_t base, int32_t id, void *data)
{
    (void)base, (void)id, (void)data;
    esp_netif_t *started =
        netif; /* an access point has its address at once, a station when it is connected */
    if ((started->flags & ESP_NETIF_FLAG_AUTOUP) != 0) {
        started->up = true;
    }
}

void esp_netif_action_stop(void *netif, esp_event_base_t base, int32_t id, void *data)
{
    (void)base, (void)id, (void)data;
    ((esp_netif_t *)netif)->up = false;
}

void esp_netif_action_connected(void *netif, esp_event_base_t base, int32_t id, void *data)
{
    (void)base, (void)id, (void)data;
    esp_netif_t *connected = netif;
    ip_event_got_ip_t got = {.esp_netif = connected, .ip_changed = true};
    connected->up = true;
    if (!ask_machine(&got.ip_info, NULL)) {
        ESP_LOGE(TAG, "this machine has no network interface that is up, not even loopback: no IP address");
        return;
    }
    esp_err_t err = esp_event_post(IP_EVENT, (int32_t)connected->got_ip, &got, sizeof(got), POST_WAIT_TICKS);
    if (err != ESP_OK) {
        ESP_LOGE(TAG, "the event of an IP address is lost: %s", esp_err_to_name(err));
    }
    ESP_LOGI(TAG, "%s ip: " IPSTR ", mask: " IPSTR ", gw: " IPSTR, connected->desc, IP2STR(&got.ip_info.ip),
             IP2STR(&got.ip_info.netmask), IP2STR(&got.ip_info.gw));
}

void esp_netif_action_disconnected(void *netif, esp_event_base_t base, int32_t id, void *data)
{
    esp_netif_action_stop(netif, base, id, data);
}

void esp_netif_action_got_ip(void *netif, esp_event_base_t base, int32_t id, void *data)
{
    (void)netif, (void)base, (void)id, (void)data;
}

bool esp_netif_is_netif_up(esp_netif_t *netif)
{
    return netif != NULL && netif->up;
}

/* ---- what one asks ---- */

esp_err_t esp_netif_get_ip_info(esp_netif_t *netif, esp_netif_ip_info_t *ip_info)
{
    if (netif == NULL || ip_info == NULL) {
        return ESP_ERR_ESP_NETIF_INVALID_PARAMS;
    }
    if (netif->has_own_address) {
        *ip_info = netif->own_address;
        return ESP_OK;
    }
    memset(ip_info, 0, sizeof(*ip_info));
    return !netif->up || ask_machine(ip_info, NULL) ? ESP_OK : ESP_ERR_ESP_NETIF_IF_NOT_READY;
}

esp_err_t esp_netif_get_old_ip_info(esp_netif_t *netif, esp_netif_ip_info_t *ip_info)
{
    return esp_netif_get_ip_info(netif, ip_info);
}

static bool is_access_point(const esp_netif_t *netif)
{
    return (netif->flags & ESP_NETIF_DHCP_SERVER) != 0;
}

esp_err_t esp_netif_set_ip_info(esp_netif_t *netif, const esp_netif_ip_info_t *ip_info)
{
    if (netif == NULL || ip_info == NULL) {
        return ESP_ERR_ESP_NETIF_INVALID_PARAMS;
    }
    if (is_access_point(netif)) {
        if (netif->dhcps != ESP_NETIF_DHCP_STOPPED) {
            return ESP_ERR_ESP_NETIF_DHCP_NOT_STOPPED;
        }
        ESP_LOGI(TAG, "%s ip: " IPSTR " is kept; the network of an access point is not there", netif->desc,
                 IP2STR(&ip_info->ip));
        netif->own_address = *ip_info;
        netif->has_own_address = true;
        return ESP_OK;
    }
    return (netif->flags & ESP_NETIF_DHCP_CLIENT) != 0 && netif->dhcpc != ESP_NETIF_DHCP_STOPPED
               ? ESP_ERR_ESP_NETIF_DHCP_NOT_STOPPED
               : ESP_ERR_NOT_SUPPORTED;
}

esp_err_t esp_netif_set_old_ip_info(esp_netif_t *netif, const esp_netif_ip_info_t *ip_info)
{
    return netif == NULL || ip_info == NULL ? ESP_ERR_ESP_NETIF_INVALID_PARAMS : ESP_OK;
}

esp_err_t esp_netif_get_netif_impl_name(esp_netif_t *netif, char *name)
{
    esp_netif_ip_info_t ignored;
    if (netif == NULL || name == NULL) {
        return ESP_ERR_ESP_NETIF_INVALID_PARAMS;
    }
    return ask_machine(&ignored, name) ? ESP_OK : ESP_ERR_ESP_NETIF_IF_NOT_READY;
}

int esp_netif_get_netif_impl_index(esp_netif_t *netif)
{
    char name[IFNAMSIZ];
    return esp_netif_get_netif_impl_name(netif, name) == ESP_OK ? (int)if_nametoindex(name) : -1;
}

esp_err_t esp_netif_set_mac(esp_netif_t *netif, uint8_t mac[])
{
    if (netif == NULL || mac == NULL) {
        return ESP_ERR_ESP_NETIF_INVALID_PARAMS;
    }
    memcpy(netif->mac, mac, sizeof(netif->mac));
    return ESP_OK;
}

esp_err_t esp_netif_get_mac(esp_netif_t *netif, uint8_t mac[])
{
    if (netif == NULL || mac == NULL) {
        return ESP_ERR_ESP_NETIF_INVALID_PARAMS;
    }
    memcpy(mac, netif->mac, sizeof(netif->mac));
    return ESP_OK;
}

esp_err_t esp_netif_set_hostname(esp_netif_t *netif, const char *hostname)
{
    if (netif == NULL || hostname == NULL || strlen(hostname) >= NAME_SIZE) {
        return ESP_ERR_ESP_NETIF_INVALID_PARAMS;
    }
    strncpy(netif->hostname, hostname, NAME_SIZE - 1);
    return ESP_OK;
}

esp_err_t esp_netif_get_hostname(esp_netif_t *netif, const char **hostname)
{
    if (netif == NULL || hostname == NULL) {
        return ESP_ERR_ESP_NETIF_INVALID_PARAMS;
    }
    *hostname = netif->hostname;
    return ESP_OK;
}

static esp_err_t move_dhcp(esp_netif_dhcp_status_t *status, esp_netif_dhcp_status_t to, esp_err_t if_there)
{
    esp_err_t err = *status == to ? if_there : ESP_OK;
    *status = to;
    return err;
}

esp_err_t esp_netif_dhcpc_start(esp_netif_t *netif)
{
    return netif == NULL
               ? ESP_ERR_ESP_NETIF_INVALID_PARAMS
               : move_dhcp(&netif->dhcpc, ESP_NETIF_DHCP_STARTED, ESP_ERR_ESP_NETIF_DHCP_ALREADY_STARTED);
}

esp_err_t esp_netif_dhcpc_stop(esp_netif_t *netif)
{
    return netif == NULL
               ? ESP_ERR_ESP_NETIF_INVALID_PARAMS
               : move_dhcp(&netif->dhcpc, ESP_NETIF_DHCP_STOPPED, ESP_ERR_ESP_NETIF_DHCP_ALREADY_STOPPED);
}

esp_err_t esp_netif_dhcpc_get_status(esp_netif_t *netif, esp_netif_dhcp_status_t *status)
{
    if (netif == NULL || status == NULL) {
        return ESP_ERR_ESP_NETIF_INVALID_PARAMS;
    }
    *status = netif->dhcpc;
    return ESP_OK;
}

esp_err_t esp_netif_dhcps_start(esp_netif_t *netif)
{
    if (netif == NULL) {
        return ESP_ERR_ESP_NETIF_INVALID_PARAMS;
    }
    return is_access_point(netif)
               ? move_dhcp(&netif->dhcps, ESP_NETIF_DHCP_STARTED, ESP_ERR_ESP_NETIF_DHCP_ALREADY_STARTED)
               : ESP_ERR_NOT_SUPPORTED;
}

esp_err_t esp_netif_dhcps_stop(esp_netif_t *netif)
{
    return netif == NULL
               ? ESP_ERR_ESP_NETIF_INVALID_PARAMS
               : move_dhcp(&netif->dhcps, ESP_NETIF_DHCP_STOPPED, ESP_ERR_ESP_NETIF_DHCP_ALREADY_STOPPED);
}

esp_err_t esp_netif_dhcps_get_status(esp_netif_t *netif, esp_netif_dhcp_status_t *status)
{
    if (netif == NULL || status == NULL) {
        return ESP_ERR_ESP_NETIF_INVALID_PARAMS;
    }
    *status = netif->dhcps;
    return ESP_OK;
}

esp_err_t esp_netif_dhcps_option(esp_netif_t *netif, esp_netif_dhcp_option_mode_t opt_op,
                                 esp_netif_dhcp_option_id_t opt_id, void *opt_val, uint32_t opt_len)
{
    (void)opt_id, (void)opt_len;
    if (netif == NULL || opt_val == NULL) {
        return ESP_ERR_ESP_NETIF_INVALID_PARAMS;
    }
    return is_access_point(netif) && opt_op == ESP_NETIF_OP_SET ? ESP_OK : ESP_ERR_NOT_SUPPORTED;
}

esp_err_t esp_netif_dhcpc_option(esp_netif_t *netif, esp_netif_dhcp_option_mode_t opt_op,
                                 esp_netif_dhcp_option_id_t opt_id, void *opt_val, uint32_t opt_len)
{
    (void)opt_op, (void)opt_id, (void)opt_len;
    return netif == NULL || opt_val == NULL ? ESP_ERR_ESP_NETIF_INVALID_PARAMS : ESP_ERR_NOT_SUPPORTED;
}

esp_err_t esp_netif_napt_enable(esp_netif_t *netif)
{
    return netif == NULL ? ESP_ERR_ESP_NETIF_INVALID_PARAMS : ESP_ERR_NOT_SUPPORTED;
}

esp_err_t esp_netif_napt_disable(esp_netif_t *netif)
{
    return esp_netif_napt_enable(netif);
}

esp_err_t esp_netif_set_dns_info(esp_netif_t *netif, esp_netif_dns_type_t type, esp_netif_dns_info_t *dns)
{
    (void)type;
    return netif == NULL || dns == NULL ? ESP_ERR_ESP_NETIF_INVALID_PARAMS : ESP_ERR_NOT_SUPPORTED;
}

esp_err_t esp_netif_get_dns_info(esp_netif_t *netif, esp_netif_dns_type_t type, esp_netif_dns_info_t *dns)
{
    (void)type;
    if (netif == NULL || dns == NULL) {
        return ESP_ERR_ESP_NETIF_INVALID_PARAMS;
    }
    memset(dns, 0, sizeof(*dns));
    return ESP_OK;
}

esp_err_t esp_netif_get_ip6_linklocal(esp_netif_t *netif, esp_ip6_addr_t *ip6)
{
    return netif == NULL || ip6 == NULL ? ESP_ERR_ESP_NETIF_INVALID_PARAMS
                                        : find_ip6(ESP_IP6_ADDR_IS_LINK_LOCAL, ip6);
}

esp_err_t esp_netif_get_ip6_global(esp_netif_t *netif, esp_ip6_addr_t *ip6)
{
    return netif == NULL || ip6 == NULL ? ESP_ERR_ESP_NETIF_INVALID_PARAMS
                                        : find_ip6(ESP_IP6_ADDR_IS_GLOBAL, ip6);
}

esp_err_t esp_netif_create_ip6_linklocal(esp_netif_t *netif)
{
    esp_ip6_addr_t ignored;
    return esp_netif_get_ip6_linklocal(netif, &ignored);
}

esp_netif_flags_t esp_netif_get_flags(esp_netif_t *netif)
{
    return netif != NULL ? netif->flags : (esp_netif_flags_t)0;
}

const char *esp_netif_get_ifkey(esp_netif_t *netif)
{
    return netif != NULL ? netif->key : NULL;
}

const char *esp_netif_get_desc(esp_netif_t *netif)
{
    return netif != NULL ? netif->desc : NULL;
}

int esp_netif_set_route_prio(esp_netif_t *netif, int route_prio)
{
    if (netif == NULL) {
        return -1;
    }
    netif->route_prio = route_prio;
    return route_prio;
}

int32_t esp_netif_get_event_id(esp_netif_t *netif, esp_netif_ip_event_type_t event_type)
{
    return netif == NULL                              ? -1
           : event_type == ESP_NETIF_IP_EVENT_GOT_IP  ? (int32_t)netif->got_ip
           : event_type == ESP_NETIF_IP_EVENT_LOST_IP ? (int32_t)netif->lost_ip
                                                      : -1;
}

int esp_netif_get_all_ip6(esp_netif_t *netif, esp_ip6_addr_t if_ip6[])
{
    int count = 0;
    if (netif == NULL || if_ip6 == NULL) {
        return 0;
    }
    count += find_ip6(ESP_IP6_ADDR_IS_LINK_LOCAL, &if_ip6[count]) == ESP_OK;
    count += find_ip6(ESP_IP6_ADDR_IS_GLOBAL, &if_ip6[count]) == ESP_OK;
    return count;
}

int esp_netif_get_all_preferred_ip6(esp_netif_t *netif, esp_ip6_addr_t if_ip6[])
{
    return esp_netif_get_all_ip6(netif, if_ip6);
}

int esp_netif_get_route_prio(esp_netif_t *netif)
{
    return netif != NULL ? netif->route_prio : -1;
}

esp_err_t esp_netif_tcpip_exec(esp_netif_callback_fn fn, void *ctx)
{
    return fn(ctx);
}
