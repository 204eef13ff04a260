/* otter agent: keeps a device up to date as a fleet's server says, and tells the server the truth. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "agent.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cli.h"
#include "decrypt_key.h"
#include "esp_log.h"
#include "fleet_access.h"
#include "host/named_file.h"
#include "kinds.h"
#include "linux/interrupt.h"
#include "linux/openssl_start.h"
#include "linux/tls_trust.h"
#include "otter/system.h"
#include "signing_options.h"

#define PEM_MAX     (4u << 20)
#define TRIAL_STEP  1000 /* ms between two looks at a device that has something to tell */
#define HTTP_PREFIX "http://"

/* ---- what it is given ---- */

/** "NAME=VALUE" */
static bool take_attribute(const char *text, void *target, const option_row_t *row, char *why)
{
    (void)row;
    agent_attributes_t *attributes = target;
    const char *equals = strchr(text, '=');
    if (equals == NULL || equals == text || equals - text > 128 || strlen(equals + 1) > 128) {
        return false;
    }
    if (attributes->count == AGENT_ATTRIBUTES_MAX) {
        snprintf(why, OPTIONS_WHY_SIZE, "there are at most %u attributes", AGENT_ATTRIBUTES_MAX);
        return false;
    }
    char *name = strndup(text, (size_t)(equals - text));
    attributes->rows[attributes->count++] = (otter_ddi_attribute_t){name, equals + 1};
    return name != NULL;
}

/** "NAME", where the image is, or "NAME=PARTITION", whose files go there. */
static bool take_part(const char *text, void *target, const option_row_t *row, char *why)
{
    (void)row;
    agent_parts_t *parts = target;
    const char *equals = strchr(text, '=');
    if (equals == NULL && text[0] != '\0') {
        snprintf(why, OPTIONS_WHY_SIZE,
                 "%s has the image already; --part NAME=PARTITION for a data partition",
                 parts->image != NULL ? parts->image : "");
        const bool first = parts->image == NULL;
        parts->image = text;
        return first;
    }
    if (equals == NULL || equals == text || equals[1] == '\0') {
        return false;
    }
    if (parts->count == OTTER_DDI_PARTS_MAX) {
        snprintf(why, OPTIONS_WHY_SIZE, "there are at most %u data partitions", OTTER_DDI_PARTS_MAX);
        return false;
    }
    char *name = strndup(text, (size_t)(equals - text));
    parts->rows[parts->count++] = (otter_ddi_part_t){name, equals + 1};
    return name != NULL;
}

/** The token, which nobody else may be able to read. */
static bool load_token(agent_t *agent)
{
    const agent_options_t *o = agent->options;
    if (o->token_path != NULL) {
        agent->authorization = fleet_access_token(AGENT_VERB, o->token_path, o->gateway);
    }
    return o->token_path == NULL || agent->authorization != NULL;
}

static bool load_pem(const char *path, char **text, size_t *len)
{
    otter_fault_t fault = {0};
    if (path == NULL) {
        return true;
    }
    *text = (char *)input_load(path, INPUT_OR_PIPE, PEM_MAX, len, &fault);
    *len += 1; /* as ESP-IDF's programs count it */
    return *text != NULL || cli_refuse(AGENT_VERB, "%s: %s", path, fault.why);
}

static bool check_server(const agent_options_t *o)
{
    if (strncasecmp(o->server, HTTP_PREFIX, sizeof(HTTP_PREFIX) - 1) == 0 && !o->device.allow_http) {
        return cli_refuse(AGENT_VERB,
                          "plain HTTP is refused, as anybody on the way can read the token and change the "
                          "image: use https://, or say --allow-http");
    }
    return true;
}

static bool check_trust(const agent_options_t *o, const agent_t *agent)
{
    otter_fault_t fault = {0};
    if (agent->ca == NULL) {
        return true;
    }
    esp_err_t err = tls_trust_set_global(agent->ca, agent->ca_len - 1, &fault);
    return err == ESP_OK || err == ESP_ERR_MBEDTLS_CERT_PARTLY_OK ||
           cli_refuse(AGENT_VERB, "%s: %s", o->ca_path, fault.why);
}

static bool load_all(agent_t *agent)
{
    const agent_options_t *o = agent->options;
    return check_server(o) && load_token(agent) && load_pem(o->ca_path, &agent->ca, &agent->ca_len) &&
           load_pem(o->cert_path, &agent->cert, &agent->cert_len) &&
           load_pem(o->key_path, &agent->key, &agent->key_len) && check_trust(o, agent) &&
           agent_parts_check(agent) && agent_record_open(agent);
}

/* ---- the loop ---- */

/** Waits, until the device has ended or a signal comes. */
static void pause_for(agent_t *agent, uint32_t ms)
{
    struct pollfd ended = {.fd = agent->device_ended, .events = POLLIN};
    if (!otter_ddi_is_idle(&agent->ddi) && ms > TRIAL_STEP) {
        ms = TRIAL_STEP;
    }
    (void)interrupt_poll(&ended, agent->device_ended >= 0 ? 1 : 0, (int)ms);
    agent_device_keep(agent);
    otter_ddi_changed(&agent->ddi);
}

/** With --once: is there anything left to be done now? */
static bool is_done(const agent_t *agent, const otter_ddi_order_t *order)
{
    return agent->handed_over || (order->kind == OTTER_DDI_WAIT && agent->options->once &&
                                  (otter_ddi_is_idle(&agent->ddi) || agent->options->hook != NULL ||
                                   (agent->in_trouble && !agent_device_awaits_boot(agent))));
}

static int run_loop(agent_t *agent)
{
    for (;;) {
        otter_ddi_order_t order;
        otter_ddi_next(&agent->ddi, agent_now_ms(), &order);
        if (interrupt_came() != INTERRUPT_NONE) {
            return EXIT_DONE; /* asked to end; what is under way is in the record */
        }
        if (is_done(agent, &order)) {
            return agent->in_trouble ? EXIT_FAILED : EXIT_DONE;
        }
        switch (order.kind) {
        case OTTER_DDI_REQUEST:
            agent_request(agent, &order);
            break;
        case OTTER_DDI_FETCH:
            agent_device_off(agent);
            agent_fetch(agent, &order);
            break;
        case OTTER_DDI_RESTART:
            agent_restart(agent, &order);
            break;
        default:
            pause_for(agent, order.wait_ms);
            break;
        }
    }
}

static int start(agent_t *agent)
{
    const agent_options_t *o = agent->options;
    otter_fault_t fault = {0};
    agent->config = (otter_ddi_config_t){
        .server = o->server,
        .tenant = o->tenant,
        .id = o->id,
        .part = o->parts.image,
        .parts = o->parts.rows,
        .part_count = o->parts.count,
        .ending = o->ending,
        .others = o->others,
        .attributes = o->attributes.rows,
        .attribute_count = o->attributes.count,
        .poll_s = o->poll_s,
        .give_up_s = o->give_up_ms / 1000,
        .at_once = o->once,
        .soft = o->hold ? OTTER_DDI_HOLD : OTTER_DDI_NOW,
        .confirmation = o->hold_confirmation ? OTTER_DDI_HOLD : OTTER_DDI_NOW,
        .load = agent_load,
        .save = agent_save,
        .look = agent_look,
        .compare = agent_compare,
        .holds = agent_holds,
        .say = agent_say,
        .ctx = agent,
    };
    otter_random(&agent->config.seed, sizeof(agent->config.seed));
    agent_device_keep(agent);
    if (otter_ddi_start(&agent->ddi, &agent->config, agent_now_ms(), &fault) != ESP_OK) {
        return cli_fail(AGENT_VERB, "%s", fault.why);
    }
    return run_loop(agent);
}

static int agent_run(void *options)
{
    const agent_options_t *o = options;
    agent_t agent = {.options = o, .lock = -1, .flash_lock = -1, .device_ended = -1};
    if (o->server == NULL || o->id == NULL) {
        return cli_usage(AGENT_VERB, "--server URL and --id ID are needed");
    }
    if (o->token_path == NULL && o->cert_path == NULL) {
        return cli_usage(
            AGENT_VERB,
            "--token-file FILE is needed, or --client-cert and --client-key: they say who this device is");
    }
    if (!fleet_access_names_trust(AGENT_VERB, o->server, o->ca_path, o->system_ca)) {
        return EXIT_USAGE;
    }
    openssl_start_lean();
    esp_log_level_set("*", ESP_LOG_NONE); /* each thing is said once, in this command's own words */
    interrupt_catch();
    int status = load_all(&agent) ? start(&agent) : EXIT_FAILED;
    agent_device_off(&agent);
    agent_record_close(&agent);
    free(agent.authorization);
    free(agent.ca);
    free(agent.cert);
    free(agent.key);
    return status;
}

static void end(void *options)
{
    agent_options_t *o = options;
    for (uint32_t i = 0; i < o->attributes.count; i++) {
        free((char *)(uintptr_t)o->attributes.rows[i].name);
    }
    for (uint32_t i = 0; i < o->parts.count; i++) {
        free((char *)(uintptr_t)o->parts.rows[i].part);
    }
}

static const option_kind_t kind_attribute = {"NAME=VALUE", "NAME=VALUE, each of at most 128 bytes",
                                             take_attribute, NULL, NULL};

static const option_kind_t kind_part = {"NAME[=PARTITION]", "NAME, or NAME=PARTITION", take_part, NULL, NULL};

static const option_row_t rows[] = {
    {"FLASH", &option_argument, offsetof(agent_options_t, flash), .help = NULL},
    {.help = "the server:"},
    {"server", &option_text, offsetof(agent_options_t, server),
     .help = "of the fleet, as https://fleet.example:8443", .value = "URL"},
    {"tenant", &option_text, offsetof(agent_options_t, tenant), .help = "default: DEFAULT", .value = "NAME"},
    {"id", &option_text, offsetof(agent_options_t, id), .help = "the name of this device there",
     .value = "ID"},
    {"token-file", &option_file, offsetof(agent_options_t, token_path),
     .help = "the device's token, in a file that nobody else can read; it goes to this server alone",
     .value = "FILE"},
    {"gateway", &option_switch, offsetof(agent_options_t, gateway),
     .help = "it is a gateway token, of many devices"},
    {"client-cert", &option_file, offsetof(agent_options_t, cert_path),
     .help = "a certificate that says who this device is, with its --client-key", .value = "FILE"},
    {"client-key", &option_file, offsetof(agent_options_t, key_path), .help = "its private key, PEM",
     .value = "FILE"},
    {"ca", &option_file, offsetof(agent_options_t, ca_path),
     .help = "CA certificate(s), PEM or DER: what the server's certificate must be signed by"},
    {"system-ca", &option_switch, offsetof(agent_options_t, system_ca),
     .help = "trust the certificates of this machine instead"},
    {"allow-http", &option_switch, offsetof(agent_options_t, device.allow_http),
     .help = "accept a plain http:// server (anybody on the way can read the token)"},
    {"timeout", &option_seconds, offsetof(agent_options_t, timeout_ms),
     .help = "limit of each wait for the server (default 10)", .min = 1, .max = 3600},
    {"poll", &option_number, offsetof(agent_options_t, poll_s),
     .help = "seconds between polls until the server says how many (default 300)", .min = 10, .max = 604800,
     .value = "SECONDS"},
    {.help = "what is done:"},
    {"once", &option_switch, offsetof(agent_options_t, once),
     .help = "end when there is nothing to be done now: for cron"},
    {"hook", &option_text, offsetof(agent_options_t, hook),
     .help = "a shell's command line that restarts this device, as 'systemctl reboot', instead of running "
             "the virtual "
             "device; OTTER_FLASH and OTTER_SLOT tell it what was selected. `otter boot` and `otter confirm` "
             "do the rest",
     .value = "COMMAND"},
    {"decision", &option_file, offsetof(agent_options_t, decision),
     .help = "with --hook: what `otter boot --decision FILE` has kept, which tells what runs",
     .value = "FILE"},
    {"record", &option_file, offsetof(agent_options_t, record),
     .help = "what the agent remembers over restarts (default: FLASH.agent)", .value = "FILE"},
    {"part", &kind_part, offsetof(agent_options_t, parts),
     .help =
         "NAME: the image is in the offer's chunk for this part of the device (the server's software module "
         "type). NAME=PARTITION: what is in this chunk goes into that data partition, before the image; may "
         "be "
         "given several times"},
    {"other-parts", &option_switch, offsetof(agent_options_t, others),
     .help = "files for other parts are installed by somebody else: pass them over. Else an offer that has "
             "some is refused"},
    {"image-ending", &option_text, offsetof(agent_options_t, ending),
     .help = "of several files of that chunk the one whose name ends so is the image (default .bin)",
     .value = "TEXT"},
    {"attribute", &kind_attribute, offsetof(agent_options_t, attributes),
     .help = "tell the server this, too, as sw_version=1.2.0 or hw_boardname=c3; may be given several times"},
    {"decrypt-key", &option_file, offsetof(agent_options_t, decrypt_key),
     .help = "images are encrypted, and this opens them: " DECRYPT_KEY_HELP, .value = "KEY"},
    OPTION_PASSPHRASE(offsetof(agent_options_t, passphrase)),
    {"give-up", &option_seconds, offsetof(agent_options_t, give_up_ms),
     .help = "a file that cannot be fetched for so long is told as a failure (default 86400)", .min = 60,
     .max = 4000000},
    {"trial", &option_seconds, offsetof(agent_options_t, trial_ms),
     .help =
         "reset the virtual device if its new firmware has not confirmed itself after so long (default 600)",
     .min = 1, .max = 1000000},
    {"hold", &option_switch, offsetof(agent_options_t, hold),
     .help = "fetch what is offered without force (\"soft\"), and do not install it"},
    {"hold-confirmation", &option_switch, offsetof(agent_options_t, hold_confirmation),
     .help = "leave open what the server wants confirmed first"},
    {"json", &option_switch, offsetof(agent_options_t, json),
     .help = "each line is a JSON object (docs/JSON.md)"},
    {.help = "the device:"},
    OPTION_EFUSE(offsetof(agent_options_t, device)),
    OPTION_TABLE_OFFSET(offsetof(agent_options_t, device)),
    OPTION_ANTI_ROLLBACK(offsetof(agent_options_t, device)),
    OPTION_WAIT(offsetof(agent_options_t, device)),
    {0},
};

const cli_verb_t agent_verb = {
    .name = AGENT_VERB,
    .line = "keep a device up to date as a fleet's server (hawkBit, goosebit) says",
    .about = "Runs the virtual device in FLASH, or stands beside a Linux device (--hook), asks the server "
             "over DDI what it is "
             "to run, installs that, and tells the server what came of it: success when the new firmware "
             "runs and has "
             "confirmed itself, failure with the reason when it was rolled back or refused. What the server "
             "is to be told is "
             "kept until it has heard it. docs/FLEET.md has a server to try it with.\n",
    .after = "example: otter agent flash.bin --server https://fleet.example --id dev-1 --token-file token "
             "--ca ca.pem\n"
             "\n"
             "It ends at Ctrl-C; begun again it goes on. exit status: 0 ended, or with --once nothing is "
             "left to be done; 1 "
             "it cannot begin, or with --once something failed (a line says what); 2 wrong usage\n",
    .options = rows,
    .size = sizeof(agent_options_t),
    .defaults = &(const agent_options_t){.tenant = "DEFAULT",
                                         .timeout_ms = 10000,
                                         .trial_ms = 600000,
                                         .device = {.wait_ms = WAIT_MS, .whole = true, .needs_efuse = true}},
    .run = agent_run,
    .end = end,
};
