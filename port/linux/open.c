/* otter/linux.h: a device for programs that know nothing of this port's own headers. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "otter/linux.h"

#include <stddef.h>
#include <stdlib.h>

#include "linux/linux_device.h"

_Static_assert((int)OTTER_LINUX_ON == (int)LINUX_DEVICE_ON && (int)OTTER_LINUX_OFF == (int)LINUX_DEVICE_OFF,
               "one meaning");

static linux_device_t *owner_of(otter_device_t *device)
{
    return (linux_device_t *)(void *)((char *)device - offsetof(linux_device_t, device));
}

esp_err_t otter_linux_open(const char *path, const otter_linux_options_t *options, otter_device_t **device,
                           otter_fault_t *fault)
{
    static const otter_linux_options_t zeros;
    const otter_linux_options_t *o = options != NULL ? options : &zeros;
    otter_fault_t own = {0};
    fault = fault != NULL ? fault : &own;
    if (path == NULL || device == NULL) {
        return otter_fault(fault, ESP_ERR_INVALID_ARG, "a path, and room for the device, are needed");
    }
    *device = NULL;
    const linux_device_options_t how = {
        .read_only = o->read_only,
        .needs_efuse = !o->read_only,
        .efuse_path = o->efuse_path,
        .table_offset = o->table_offset,
        .chip = o->chip != NULL ? otter_chip_by_name(o->chip) : NULL,
        .rollback = (linux_device_switch_t)o->rollback,
        .anti_rollback = o->anti_rollback,
        .emulated_efuse = o->emulated_efuse,
        .allow_http = o->allow_http,
    };
    if (o->chip != NULL && how.chip == NULL) {
        return otter_fault(fault, ESP_ERR_INVALID_ARG, "there is no chip '%.40s'", o->chip);
    }
    linux_device_t *dev = malloc(sizeof(*dev));
    if (dev == NULL) {
        return otter_fault(fault, ESP_ERR_NO_MEM, "out of memory");
    }
    esp_err_t err = linux_device_open(dev, path, &how, fault);
    if (err != ESP_OK) {
        free(dev);
        return err;
    }
    *device = &dev->device;
    return ESP_OK;
}

esp_err_t otter_linux_close(otter_device_t *device)
{
    if (device == NULL) {
        return ESP_OK;
    }
    if (otter_device_current() == device) {
        otter_device_set_current(NULL);
    }
    linux_device_t *dev = owner_of(device);
    esp_err_t err = linux_device_close(dev);
    free(dev);
    return err;
}
