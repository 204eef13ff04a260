/* NVS beside updates. Its own code's cuts are unit/test_nvs_store's; here it is one of several that write to a flash. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "sweep/settings.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "otter/nvs_store.h"

#define CALIBRATION 300u /* bytes, which nobody changes */
#define SETS_BEFORE                                                                                          \
    78u /* a device is no new one: with the next ones its second page is full, and one must be emptied */
#define ERASES_MAX                                                                                           \
    3u /* in one start of an application that writes some ten entries: a page is turned once, and repaired */

static const uint8_t keys[OTTER_NVS_KEYS_LEN] = "no secret: two keys of 32 bytes each";

static otter_nvs_t *open_settings(const subject_t *subject, otter_flash_t *flash, uint8_t *ns, esp_err_t *err)
{
    static otter_nvs_cipher_t *cipher;
    otter_nvs_t *nvs = NULL;
    if (cipher == NULL && (cipher = otter_nvs_cipher_new(keys)) == NULL) {
        abort();
    }
    const otter_nvs_place_t place = {.flash = flash,
                                     .offset = SUBJECT_NVS,
                                     .size = SUBJECT_NVS_SIZE,
                                     .cipher = subject->config.encrypted ? cipher : NULL};
    *err = otter_nvs_open(&place, &nvs, NULL);
    if (*err == ESP_OK) {
        *err = otter_nvs_namespace(nvs, "app", true, ns);
    }
    return nvs;
}

static uint8_t calibration_at(uint32_t at)
{
    return (uint8_t)(at * 37 + at / 256 + 11);
}

static esp_err_t set_url(otter_nvs_t *nvs, uint8_t ns, uint32_t number)
{
    char url[40];
    const int len = snprintf(url, sizeof(url), "https://example.com/%" PRIu32 ".bin", number);
    return otter_nvs_set(nvs, ns, "url", &(otter_nvs_value_t){NVS_TYPE_STR, url, (size_t)len + 1});
}

static esp_err_t set_count(otter_nvs_t *nvs, uint8_t ns, uint32_t number)
{
    uint8_t raw[4];
    le32_put(raw, number);
    return otter_nvs_set(nvs, ns, "count", &(otter_nvs_value_t){NVS_TYPE_U32, raw, sizeof(raw)});
}

/** One that has been set, and is perhaps not committed. */
static void check_number(setting_t *setting, uint32_t got, const char *name)
{
    CHECK(got == setting->now || got == setting->next, "%s in NVS is %" PRIu32 ", which is not %" PRIu32,
          name, got, setting->now);
    setting->now = setting->next = got;
}

static esp_err_t check_url(otter_nvs_t *nvs, uint8_t ns, setting_t *setting)
{
    char url[40], rest[8];
    size_t len = sizeof(url);
    uint32_t number = 0;
    esp_err_t err = otter_nvs_get(nvs, ns, "url", NVS_TYPE_STR, url, &len);
    if (err == ESP_OK) {
        CHECK(sscanf(url, "https://example.com/%" SCNu32 "%7s", &number, rest) == 2 &&
                  strcmp(rest, ".bin") == 0,
              "a URL in NVS is torn");
        check_number(setting, number, "the URL");
    }
    return err;
}

static esp_err_t check_count(otter_nvs_t *nvs, uint8_t ns, setting_t *setting)
{
    uint8_t raw[4];
    size_t len = sizeof(raw);
    esp_err_t err = otter_nvs_get(nvs, ns, "count", NVS_TYPE_U32, raw, &len);
    if (err == ESP_OK) {
        check_number(setting, le32_get(raw), "the counter");
    }
    return err;
}

static esp_err_t check_calibration(otter_nvs_t *nvs, uint8_t ns)
{
    uint8_t bytes[CALIBRATION];
    size_t len = sizeof(bytes);
    esp_err_t err = otter_nvs_get(nvs, ns, "calibration", NVS_TYPE_BLOB, bytes, &len);
    for (uint32_t i = 0; err == ESP_OK && i < CALIBRATION; i++) {
        CHECK(len == sizeof(bytes) && bytes[i] == calibration_at(i), "the calibration in NVS has changed");
    }
    return err;
}

/** Of bits that hang nothing is known. */
static bool check_values(subject_t *subject, otter_nvs_t *nvs, uint8_t ns)
{
    settings_t *settings = &subject->model.settings;
    if (settings->hangs != 0) {
        return !subject->sim.dead;
    }
    esp_err_t err = check_url(nvs, ns, &settings->url);
    err = err == ESP_OK ? check_count(nvs, ns, &settings->count) : err;
    err = err == ESP_OK ? check_calibration(nvs, ns) : err;
    CHECK(err == ESP_OK || subject->sim.dead, "a value in NVS is gone: 0x%x", (unsigned)err);
    return err == ESP_OK;
}

static bool commit(subject_t *subject, otter_nvs_t *nvs, uint8_t ns)
{
    settings_t *settings = &subject->model.settings;
    settings->url.next++;
    esp_err_t err = set_url(nvs, ns, settings->url.next);
    if (err == ESP_OK) {
        settings->count.next++;
        err = set_count(nvs, ns, settings->count.next);
    }
    err = err == ESP_OK ? otter_nvs_commit(nvs) : err;
    CHECK(err == ESP_OK || subject->sim.dead || settings->hangs != 0, "NVS takes nothing: 0x%x",
          (unsigned)err);
    if (err == ESP_OK) {
        settings->url.now = settings->url.next;
        settings->count.now = settings->count.next;
    }
    return !subject->sim.dead;
}

/** Opens NVS for one of the two above. */
static bool with_settings(subject_t *subject, bool (*act)(subject_t *, otter_nvs_t *, uint8_t))
{
    const phase_t phase = subject->phase;
    uint8_t ns;
    esp_err_t err;
    if (!subject->config.layout->nvs) {
        return true;
    }
    subject->phase = PHASE_NVS;
    otter_nvs_t *nvs = open_settings(subject, &subject->flash, &ns, &err);
    CHECK(err == ESP_OK || subject->sim.dead || subject->model.settings.hangs != 0,
          "NVS cannot be opened: 0x%x", (unsigned)err);
    const bool done = err == ESP_OK ? act(subject, nvs, ns) : !subject->sim.dead;
    otter_nvs_close(nvs);
    subject->phase = phase;
    return done;
}

bool settings_check(subject_t *subject)
{
    return with_settings(subject, check_values);
}

bool settings_change(subject_t *subject)
{
    return with_settings(subject, commit);
}

void settings_make(subject_t *subject)
{
    uint8_t bytes[CALIBRATION], ns;
    esp_err_t err;
    otter_nvs_t *nvs = open_settings(subject, &subject->sim.flash, &ns, &err);
    for (uint32_t i = 0; i < CALIBRATION; i++) {
        bytes[i] = calibration_at(i);
    }
    err = err == ESP_OK ? otter_nvs_set(nvs, ns, "calibration",
                                        &(otter_nvs_value_t){NVS_TYPE_BLOB, bytes, sizeof(bytes)})
                        : err;
    for (uint32_t i = 0; i < SETS_BEFORE && err == ESP_OK; i++) {
        err = commit(subject, nvs, ns) ? ESP_OK : ESP_FAIL;
    }
    otter_nvs_close(nvs);
    if (err != ESP_OK) {
        abort();
    }
}

void settings_power_on(subject_t *subject)
{
    if (subject->config.layout->nvs && sim_flash_is_weak(&subject->sim, SUBJECT_NVS, SUBJECT_NVS_SIZE)) {
        subject->model.settings.hangs = 1;
    }
}

bool settings_may_write(subject_t *subject, uint32_t off, uint32_t len)
{
    if (subject->phase != PHASE_NVS || !is_inside(off, len, SUBJECT_NVS, SUBJECT_NVS_SIZE)) {
        return false;
    }
    subject->nvs_erases += len == OTTER_NVS_PAGE_SIZE;
    CHECK(subject->nvs_erases <= ERASES_MAX || subject->model.settings.hangs != 0,
          "NVS is erased %" PRIu32 " times since the start", subject->nvs_erases);
    return true;
}
