/* The outcome of an update in words and in JSON. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "update_report.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clean_text.h"
#include "cli.h"
#include "otter/image.h"
#include "json.h"
#include "otter/system.h"

void update_outcome_version(char to[UPDATE_VERSION_SIZE], const esp_app_desc_t *desc)
{
    clean_text(to, desc->version, sizeof(desc->version));
}

void update_outcome_error(update_outcome_t *outcome, const char *format, ...)
{
    if (outcome->error != NULL) {
        return;
    }
    va_list args;
    va_start(args, format);
    if (vasprintf(&outcome->error, format, args) < 0) {
        outcome->error = NULL;
    }
    va_end(args);
}

/** ESP-IDF returns some codes of the HTTP client negated; their names are what people know. */
static const char *result_name(esp_err_t err)
{
    return esp_err_to_name(err < 0 && err != ESP_FAIL ? -err : err);
}

static const char *none_if_empty(const char *text)
{
    return text != NULL && text[0] != '\0' ? text : NULL;
}

static void print_json(const update_outcome_t *outcome, esp_err_t err, double seconds)
{
    const otter_update_report_t *report = &outcome->report;
    cJSON *json = cJSON_CreateObject();
    json_string(json, "result", result_name(err));
    json_string(json, "error", none_if_empty(outcome->error));
    json_bool(json, "updated", true, err == ESP_OK && outcome->needless[0] == '\0');
    json_string(json, "stage", otter_stage_name(report->stage));
    json_number(json, "http_status", true, report->http_status);
    json_string(json, "url", none_if_empty(report->url));
    json_string(json, "slot", outcome->needless[0] == '\0' ? none_if_empty(report->slot) : NULL);
    json_string(json, "boots", none_if_empty(outcome->boots));
    json_string(json, "from_version", none_if_empty(outcome->from_version));
    json_string(json, "to_version", none_if_empty(outcome->to_version));
    json_number(json, "bytes_downloaded", true, (double)report->bytes_downloaded);
    json_number(json, "bytes_written", true, (double)report->bytes_written);
    json_number(json, "bytes_resumed", true, (double)report->bytes_resumed);
    json_number(json, "sectors_erased", true, outcome->sectors_erased);
    json_number(json, "seconds", true, seconds);
    json_number(json, "attempts", true, report->attempts);
    (void)json_print("update", json); /* what came of the update counts */
}

#define TRY_AGAIN "try again"

/* What to do about a failure whose cause is plain, by code and stage; first match. */
static const struct next_step {
    esp_err_t code;  /* ESP_OK: any */
    int stage;       /* an otter_stage_t, -1: any */
    const char *why; /* of what is told; NULL: any */
    const char *text;
} next_steps[] = {
    {ESP_ERR_INVALID_VERSION, -1, NULL, "serve the image that is built for this chip"},
    {ESP_ERR_OTA_VALIDATE_FAILED, -1, "trusts no key",
     "`otter efuse show` tells whom it trusts; with --signed that is who signed the app that runs"},
    {ESP_ERR_OTA_VALIDATE_FAILED, -1, "the image is not signed", "`otter image sign` signs it"},
    {ESP_ERR_OTA_VALIDATE_FAILED, -1, "encrypted for esp_encrypted_img", "--decrypt-key names what opens it"},
    {ESP_ERR_OTA_VALIDATE_FAILED, OTTER_STAGE_GATE, NULL,
     "the update needs the app's own image; `otter image info` tells what this file is"},
    {ESP_ERR_OTA_VALIDATE_FAILED, OTTER_STAGE_DOWNLOAD, NULL,
     "`otter image info` tells what the file is, and `otter image decrypt` if this key opens it"},
    {ESP_ERR_OTA_VALIDATE_FAILED, -1, NULL, "`otter image verify` tells what is wrong with the file"},
    {ESP_ERR_INVALID_SIZE, -1, NULL, "a larger slot or a smaller image is needed"},
    {ESP_ERR_HTTP_REDIRECT_DOWNGRADE, -1, NULL, "ask the server's owner for an https address"},
    {ESP_ERR_HTTP_NOT_MODIFIED, -1, NULL,
     "nothing to do: it is the file that the request's own condition names"},
    {ESP_ERR_HTTP_EAGAIN, OTTER_STAGE_REQUEST, NULL, "try again later, or with a longer --timeout"},
    {ESP_OK, OTTER_STAGE_CONFIG, NULL, "`otter update --help` explains the options"},
    {ESP_OK, OTTER_STAGE_REQUEST, NULL, "check the URL and what the server has there"},
    {ESP_OK, OTTER_STAGE_GATE, NULL, "check that the URL is an app image's"},
    {ESP_ERR_OTA_SMALL_SEC_VER, -1, NULL, "serve an image whose secure version is not below the device's"},
    {ESP_FAIL, OTTER_STAGE_DOWNLOAD, NULL, TRY_AGAIN},
    {ESP_OK, -1, NULL, NULL},
};

/** The connection's troubles pass; nothing else does by itself. */
static bool is_of_the_network(esp_err_t err)
{
    return err >= ESP_ERR_HTTP_BASE && err < ESP_ERR_HTTP_BASE + 0x100;
}

/** The server is in trouble, or wants less of this: it is not the URL that is wrong. */
static bool is_of_the_server(const otter_update_report_t *report)
{
    const int status = report->http_status;
    return report->stage == OTTER_STAGE_REQUEST &&
           (status >= 500 || status == 408 || status == 425 || status == 429);
}

/** @return NULL: nothing that anybody could do is plain */
static const char *next_step(esp_err_t err, const otter_update_report_t *report)
{
    err = err < 0 && err != ESP_FAIL ? -err : err; /* what fetch_headers gives has a sign */
    if (report->transport.fault.code == ESP_ERR_MBEDTLS_X509_CRT_PARSE_FAILED) {
        return "check the file given with --ca";
    }
    if (err == ESP_ERR_HTTP_CONNECT) {
        return report->transport.tls_verify != 0 ? "check --ca and the name in the URL"
                                                 : "check the URL and the server";
    }
    if (is_of_the_server(report)) {
        return "try again later";
    }
    const struct next_step *row = next_steps;
    while ((row->code != ESP_OK && row->code != err) ||
           (row->stage != -1 && row->stage != (int)report->stage) ||
           (row->why != NULL && strstr(report->fault.why, row->why) == NULL)) {
        row++; /* the last row fits everything */
    }
    return row->text == NULL && is_of_the_network(err) ? TRY_AGAIN : row->text;
}

/** The report's words, with the code's name unless they have it already. */
static void explain(update_outcome_t *outcome, esp_err_t err)
{
    const char *why = outcome->report.fault.why[0] != '\0' ? outcome->report.fault.why : "the update failed";
    const char *name = result_name(err);
    const char *step = next_step(err, &outcome->report);
    if (err == ESP_ERR_INVALID_VERSION && strstr(why, OTTER_IMAGE_REVISION_UNKNOWN) != NULL) {
        step = "--chip-rev and --blk-rev tell what it is";
    } else if (err == ESP_ERR_INVALID_VERSION && outcome->judged_by != NULL) {
        update_outcome_error(outcome, "%s (%s): %s, of which %s says what it is", why, name, step,
                             outcome->judged_by);
        return;
    }
    bool has_code = strstr(why, name) == NULL;
    bool has_written = outcome->report.stage >= OTTER_STAGE_DOWNLOAD && outcome->standing[0] != '\0';
    update_outcome_error(outcome, "%s%s%s%s%s%s%s%s", why, has_code ? " (" : "", has_code ? name : "",
                         has_code ? ")" : "", step != NULL ? ": " : "", step != NULL ? step : "",
                         has_written ? "; " : "", has_written ? outcome->standing : "");
}

int update_outcome_tell(update_outcome_t *outcome, esp_err_t err, const char *flash_path, bool json,
                        bool quiet)
{
    double seconds = (double)(otter_now_us() - outcome->start_us) / 1e6;
    if (err != ESP_OK) {
        explain(outcome, err);
    }
    if (json) {
        print_json(outcome, err, seconds);
    }
    if (err != ESP_OK) {
        (void)cli_fail("update", "%s", outcome->error != NULL ? outcome->error : "out of memory");
    } else if (!json && !quiet && outcome->needless[0] != '\0') {
        printf("%s: nothing to do: %s\n", flash_path, outcome->needless);
    } else if (!json && !quiet) {
        char slot[CLEAN_TEXT_SIZE(sizeof(outcome->report.slot))];
        bool same = outcome->to_version[0] != '\0' && strcmp(outcome->from_version, outcome->to_version) == 0;
        printf("%s: version %s%s is verified in %s and boots next (%" PRIu64 " bytes in %.1f s)\n",
               flash_path, outcome->to_version[0] != '\0' ? outcome->to_version : "unknown",
               same ? ", the same as before," : "",
               clean_text(slot, outcome->report.slot, sizeof(outcome->report.slot)),
               outcome->report.bytes_written + outcome->report.bytes_resumed, seconds);
    }
    free(outcome->error);
    free(outcome->judged_by);
    return err == ESP_OK ? EXIT_DONE : EXIT_FAILED;
}
