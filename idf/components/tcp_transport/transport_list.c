/* Transports by their scheme. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "transport_item.h"

struct esp_transport_list_t {
    struct esp_transport_item_t *first;
};

esp_transport_list_handle_t esp_transport_list_init(void)
{
    return calloc(1, sizeof(struct esp_transport_list_t));
}

esp_err_t esp_transport_list_add(esp_transport_list_handle_t list, esp_transport_handle_t t,
                                 const char *scheme)
{
    if (list == NULL || t == NULL || scheme == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    char *copy = strdup(scheme);
    if (copy == NULL) {
        return ESP_ERR_NO_MEM;
    }
    free(t->scheme);
    t->scheme = copy;
    t->next = NULL;
    struct esp_transport_item_t **end = &list->first;
    while (*end != NULL) {
        end = &(*end)->next;
    }
    *end = t;
    return ESP_OK;
}

esp_transport_handle_t esp_transport_list_get_transport(esp_transport_list_handle_t list, const char *scheme)
{
    esp_transport_handle_t each = list != NULL ? list->first : NULL;
    while (each != NULL && scheme != NULL && strcasecmp(each->scheme, scheme) != 0) {
        each = each->next;
    }
    return each;
}

esp_err_t esp_transport_list_clean(esp_transport_list_handle_t list)
{
    if (list == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    while (list->first != NULL) {
        esp_transport_handle_t each = list->first;
        list->first = each->next;
        (void)esp_transport_close(each); /* it need not be open */
        (void)esp_transport_destroy(each);
    }
    return ESP_OK;
}

esp_err_t esp_transport_list_destroy(esp_transport_list_handle_t list)
{
    esp_err_t err = esp_transport_list_clean(list);
    free(list);
    return err;
}
