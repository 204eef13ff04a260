/* From the events of the JSON reader to what an answer says: a table of the members that count. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "ddi/answer.h"

#include <string.h>

#include "otter/bytes.h"
#include "otter/promise.h"
#include "otter/text.h"

/*
 * The members that count: what it is called here, what it is in, its shape, its key. An element of a list has no key; in one
 * members come anew, so what is in it stands behind it. `confirmation` is read as `deployment`.
 */
#define MEMBERS(X)                                                                                           \
    X(ROOT, OTHER, AN_OBJECT, "")                                                                            \
    X(CONFIG, ROOT, AN_OBJECT, "config")                                                                     \
    X(POLLING, CONFIG, AN_OBJECT, "polling")                                                                 \
    X(SLEEP, POLLING, A_TEXT, "sleep")                                                                       \
    X(LINKS, ROOT, AN_OBJECT, "_links")                                                                      \
    X(ATTRIBUTES, LINKS, AN_OBJECT, "configData")                                                            \
    X(DEPLOYMENT_BASE, LINKS, AN_OBJECT, "deploymentBase")                                                   \
    X(CONFIRMATION_BASE, LINKS, AN_OBJECT, "confirmationBase")                                               \
    X(CANCEL_ACTION, LINKS, AN_OBJECT, "cancelAction")                                                       \
    X(DEPLOYMENT_HREF, DEPLOYMENT_BASE, A_TEXT, "href")                                                      \
    X(CONFIRMATION_HREF, CONFIRMATION_BASE, A_TEXT, "href")                                                  \
    X(CANCEL_HREF, CANCEL_ACTION, A_TEXT, "href")                                                            \
    X(ID, ROOT, A_TEXT, "id")                                                                                \
    X(ERROR_CODE, ROOT, A_TEXT, "errorCode")                                                                 \
    X(STOP, ROOT, AN_OBJECT, "cancelAction")                                                                 \
    X(STOP_ID, STOP, A_TEXT, "stopId")                                                                       \
    X(DEPLOYMENT, ROOT, AN_OBJECT, "deployment")                                                             \
    X(CONFIRMATION, ROOT, AN_OBJECT, "confirmation")                                                         \
    X(DOWNLOAD, DEPLOYMENT, A_TEXT, "download")                                                              \
    X(UPDATE, DEPLOYMENT, A_TEXT, "update")                                                                  \
    X(CHUNKS, DEPLOYMENT, AN_ARRAY, "chunks")                                                                \
    X(CHUNK, CHUNKS, AN_OBJECT, "")                                                                          \
    X(PART, CHUNK, A_TEXT, "part")                                                                           \
    X(VERSION, CHUNK, A_TEXT, "version")                                                                     \
    X(ARTIFACTS, CHUNK, AN_ARRAY, "artifacts")                                                               \
    X(ARTIFACT, ARTIFACTS, AN_OBJECT, "")                                                                    \
    X(FILE_NAME, ARTIFACT, A_TEXT, "filename")                                                               \
    X(SIZE, ARTIFACT, A_TEXT, "size")                                                                        \
    X(HASHES, ARTIFACT, AN_OBJECT, "hashes")                                                                 \
    X(SHA256, HASHES, A_TEXT, "sha256")                                                                      \
    X(SHA1, HASHES, A_TEXT, "sha1")                                                                          \
    X(FILE_LINKS, ARTIFACT, AN_OBJECT, "_links")                                                             \
    X(FILE_LINK, FILE_LINKS, AN_OBJECT, "download")                                                          \
    X(FILE_LINK_HTTP, FILE_LINKS, AN_OBJECT, "download-http")                                                \
    X(FILE_HREF, FILE_LINK, A_TEXT, "href")                                                                  \
    X(FILE_HREF_HTTP, FILE_LINK_HTTP, A_TEXT, "href")

enum shape { AN_OBJECT, AN_ARRAY, A_TEXT };

/* OTHER: what does not count, and all that is in it. */
#define NAME(name, in, shape, key) name,
enum node { OTHER, MEMBERS(NAME) NODES };
_Static_assert(NODES <= DDI_ANSWER_NODES, "a flag for each");

#define ROW(name, in, shape, key) {in, shape},
static const struct {
    uint8_t in, shape;
} members[] = {{OTHER, AN_OBJECT}, MEMBERS(ROW)};

#define KEY(name, in, shape, key) key "\0"
static const char keys[] = "\0" MEMBERS(KEY); /* in the same order */

/* Links, and what a link is worth: the one that counts most is kept. */
static const struct {
    uint8_t node, rank, offer;
} links[] = {
    {DEPLOYMENT_HREF, 1, DDI_OFFER_DEPLOYMENT}, {CONFIRMATION_HREF, 2, DDI_OFFER_CONFIRMATION},
    {CANCEL_HREF, 3, DDI_OFFER_CANCEL},         {FILE_HREF_HTTP, 4, DDI_OFFER_NOTHING},
    {FILE_HREF, 5, DDI_OFFER_NOTHING},
};
#define LINKS_COUNT (sizeof(links) / sizeof(links[0]))

/* ---- values ---- */

/** Decimal digits, at most `max`. @return false: there is none, or it is more */
static bool read_number(const char **text, uint32_t max, uint32_t *value)
{
    const char *p = *text;
    for (*value = 0; *p >= '0' && *p <= '9'; p++) {
        uint32_t digit = (uint32_t)(*p - '0');
        if (*value > (max - digit) / 10) {
            return false;
        }
        *value = *value * 10 + digit;
    }
    const bool some = p != *text;
    *text = p;
    return some;
}

static uint32_t parse_clock(const char *text)
{
    uint32_t part, sum = 0;
    for (int i = 0; i < 3; i++) {
        if ((i > 0 && *text++ != ':') || !read_number(&text, i == 0 ? 9999 : 59, &part)) {
            return 0;
        }
        sum = sum * 60 + part;
    }
    return *text == '\0' ? sum : 0;
}

uint32_t ddi_parse_sleep(const char *text)
{
    static const char letters[] = "DTHMS"; /* in this order, each at most once; hours and less behind the T */
    static const uint32_t seconds[] = {86400, 0, 3600, 60, 1};
    if (text[0] != 'P') {
        return parse_clock(text);
    }
    uint32_t sum = 0;
    const char *left = letters;
    for (text++; *text != '\0'; text++) {
        uint32_t part = 0;
        const bool has_number = read_number(&text, 9999, &part); /* 27 years, so that a sum fits */
        if (has_number && *text == '.') {                        /* parts of a second */
            text += 1 + strspn(text + 1, "0123456789");
        }
        const char *unit = *text != '\0' ? strchr(left, *text) : NULL;
        const bool in_time = left > letters + 1;
        if (unit == NULL || has_number != (*unit != 'T') || (has_number && in_time != (*unit != 'D'))) {
            return 0;
        }
        left = unit + 1;
        sum += part * seconds[unit - letters];
    }
    return sum;
}

static const char *take_mode(ddi_mode_t *mode, const char *text)
{
    static const char words[][8] = {"skip", "attempt", "forced"}; /* from DDI_MODE_SKIP on */
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strcmp(text, words[i]) == 0) {
            *mode = (ddi_mode_t)(DDI_MODE_SKIP + i);
            return NULL;
        }
    }
    return "neither forced, attempt nor skip";
}

/** A hash of the artifact; SHA-256 counts more. */
static const char *take_hash(otter_ddi_file_t *file, const char *text, otter_ddi_hash_t kind)
{
    const size_t digits = kind == OTTER_DDI_SHA256 ? 64 : 40;
    if (file->kind > kind) {
        return NULL;
    }
    file->kind = kind;
    memset(file->hash, 0, sizeof(file->hash));
    for (size_t i = 0; i < digits; i++) {
        const int digit = hex_digit(text[i]);
        if (digit < 0 || (i + 1 == digits && text[digits] != '\0')) {
            return "a hash is not 64 hexadecimal digits (SHA-1: 40)";
        }
        file->hash[i / 2] = (uint8_t)(file->hash[i / 2] << 4 | digit);
    }
    return NULL;
}

static const char *take_size(otter_ddi_file_t *file, const char *text)
{
    return read_number(&text, UINT32_MAX, &file->size) && *text == '\0' ? NULL
                                                                        : "a size is no number below 4 GiB";
}

/** Nothing of artifacts, or of the one that is wanted. */
static bool is_wanted(const ddi_reader_t *reader)
{
    return reader->answer.artifacts == 0 || reader->answer.artifacts - 1 == reader->wanted.pick;
}

static bool ends_with(const char *text, const char *ending)
{
    ending = ending != NULL ? ending : ".bin";
    const size_t len = strlen(text), end = strlen(ending);
    return len >= end && strcmp(text + len - end, ending) == 0;
}

/** The part that a chunk is for; "": it does not say. */
static void take_part(ddi_reader_t *reader, const char *part)
{
    const otter_ddi_config_t *config = reader->wanted.config;
    uint8_t i = 0;
    while (i < config->part_count && strcmp(part, config->parts[i].part) != 0) {
        i++;
    }
    if (i == config->part_count && config->part != NULL && strcmp(part, config->part) != 0) {
        i = DDI_NO_PART;
        if (reader->answer.others == 0) {
            text_format(reader->answer.other, sizeof(reader->answer.other), "%s", part);
        }
    }
    reader->part = i;
}

/** A chunk ends: does it hold what comes next? */
static void close_chunk(ddi_reader_t *reader)
{
    ddi_answer_t *answer = &reader->answer;
    const unsigned files = answer->artifacts - reader->first, bit = 1u << reader->part % 16;
    if (files == 0) {
        return; /* a module without files is nothing to install */
    }
    if (reader->part == DDI_NO_PART) {
        answer->others++;
        return;
    }
    answer->chunks++;
    answer->files_crc += reader->crc;
    answer->twice = answer->twice || (answer->parts & bit) != 0;
    answer->parts = (uint16_t)(answer->parts | bit);
    answer->unclear = answer->unclear || (files > 1 && reader->images != 1);
    if (reader->part <= answer->next && (reader->wanted.done & bit) == 0) {
        answer->next = reader->part;
        answer->pick = files == 1 ? reader->first : reader->image;
    }
}

/** The row of a link that counts at least as much as the one that is there; -1: there is none. */
static int find_link(const ddi_reader_t *reader, uint8_t node)
{
    for (size_t i = 0; i < LINKS_COUNT && reader->wanted.url != NULL && is_wanted(reader); i++) {
        if (links[i].node == node && links[i].rank >= reader->url_rank) {
            return (int)i;
        }
    }
    return -1;
}

static const char *take_link(ddi_reader_t *reader, uint8_t node, bool cut)
{
    int link = find_link(reader, node);
    if (link < 0) {
        return NULL;
    }
    reader->url_rank = links[link].rank;
    reader->answer.offer = (ddi_offer_t)links[link].offer;
    return cut ? "a link is longer than 639 bytes" : NULL;
}

/** A value of a member that counts. */
static const char *take_text(ddi_reader_t *reader, uint8_t node, const char *text, bool cut)
{
    ddi_answer_t *answer = &reader->answer;
    if (node == SIZE || node == SHA256 || node == SHA1) {
        reader->crc += crc32_le(node, text, strlen(text));
    }
    switch (node) {
    case SLEEP:
        answer->sleep_s = cut ? 0 : ddi_parse_sleep(text); /* what is no time is as if none was said */
        return NULL;
    case ID:
    case STOP_ID:
        text_format(answer->id, sizeof(answer->id), "%s", text);
        return cut || strlen(text) >= sizeof(answer->id) ? "the action's id is longer than 39 characters"
                                                         : NULL;
    case ERROR_CODE:
        answer->quota = strstr(text, ".quota.") != NULL;
        return NULL;
    case DOWNLOAD:
        return take_mode(&answer->download, text);
    case UPDATE:
        return take_mode(&answer->update, text);
    case PART:
        take_part(reader, cut ? "" : text);
        return NULL;
    case VERSION:
        if (reader->first <= reader->wanted.pick) { /* else of a chunk behind it */
            text_format(answer->version, sizeof(answer->version), "%s", text);
        }
        return NULL;
    case FILE_NAME:
        if (!cut && ends_with(text, reader->wanted.config->ending)) {
            reader->images++;
            reader->image = (uint8_t)(answer->artifacts - 1);
        }
        return NULL;
    case SIZE:
        return is_wanted(reader) ? take_size(&answer->file, text) : NULL;
    case SHA256:
        return is_wanted(reader) ? take_hash(&answer->file, text, OTTER_DDI_SHA256) : NULL;
    case SHA1:
        return is_wanted(reader) ? take_hash(&answer->file, text, OTTER_DDI_SHA1) : NULL;
    default:
        return take_link(reader, node, cut);
    }
}

/* ---- the walk ---- */

static const char wrong_kind[] = "a value of another kind";

/** The member of `in` with this key, "": its elements. Members that do not count are OTHER. */
static uint8_t find_member(uint8_t in, const char *key)
{
    const char *own = keys;
    for (uint8_t node = 0; node < NODES; node++, own += strlen(own) + 1) {
        if (members[node].in == in && node > ROOT && strcmp(own, key) == 0) {
            return node;
        }
    }
    return OTHER;
}

/** An element of a list begins, in which members come anew: the next chunk, the next artifact. */
static const char *open_element(ddi_reader_t *reader, uint8_t node)
{
    if (node == CHUNK) {
        memset(reader->seen + CHUNK, 0, NODES - CHUNK);
        reader->first = reader->answer.artifacts;
        reader->images = 0;
        reader->crc = 0;
        take_part(reader, "");
    } else if (node == ARTIFACT) {
        memset(reader->seen + ARTIFACT, 0, NODES - ARTIFACT);
        if (reader->answer.artifacts == UINT8_MAX) {
            return "more than 255 files";
        }
        reader->answer.artifacts++;
    }
    return NULL;
}

static const char *open_node(ddi_reader_t *reader, uint8_t node, bool object)
{
    if (node != OTHER && members[node].shape != (object ? AN_OBJECT : AN_ARRAY)) {
        return wrong_kind;
    }
    reader->answer.wants_attributes = reader->answer.wants_attributes || node == ATTRIBUTES;
    if (node == CONFIRMATION) {
        reader->answer.confirms = true;
        node = DEPLOYMENT;
    }
    OTTER_ASSERT(reader->depth < sizeof(reader->nodes));
    reader->nodes[reader->depth++] = node;
    return open_element(reader, node);
}

/** What the value that comes now is. */
static uint8_t value_node(ddi_reader_t *reader)
{
    if (reader->depth == 0) {
        return ROOT;
    }
    const uint8_t in = reader->nodes[reader->depth - 1];
    return in == CHUNKS ? CHUNK : in == ARTIFACTS ? ARTIFACT : reader->next;
}

static const char *on_key(ddi_reader_t *reader, const char *key, bool cut)
{
    reader->next = cut ? (uint8_t)OTHER : find_member(reader->nodes[reader->depth - 1], key);
    const bool again = reader->seen[reader->next];
    reader->seen[reader->next] = reader->next != OTHER;
    return again ? "a member comes twice" : NULL;
}

static const char *on_json(void *ctx, ddi_json_kind_t kind, const char *text, bool cut)
{
    ddi_reader_t *reader = ctx;
    if (kind == DDI_JSON_KEY) {
        return on_key(reader, text, cut);
    }
    if (kind == DDI_JSON_OBJECT_END || kind == DDI_JSON_ARRAY_END) {
        if (reader->nodes[--reader->depth] == CHUNK) {
            close_chunk(reader);
        }
        reader->next = OTHER; /* so are the elements of a list that does not count */
        return NULL;
    }
    const uint8_t node = value_node(reader);
    if (kind == DDI_JSON_OBJECT || kind == DDI_JSON_ARRAY) {
        const char *why = open_node(reader, node, kind == DDI_JSON_OBJECT);
        reader->next = OTHER;
        return why;
    }
    if (kind == DDI_JSON_NULL) {
        reader->answer.is_null = reader->answer.is_null || node == ROOT;
        return NULL; /* as if the member was not there */
    }
    if (node == OTHER) {
        return NULL;
    }
    const bool is_text = kind == DDI_JSON_STRING || kind == DDI_JSON_NUMBER;
    return is_text && members[node].shape == A_TEXT ? take_text(reader, node, text, cut) : wrong_kind;
}

/** Links go to where they are kept at once, if they count; all else is looked at and forgotten. */
static char *room_for(void *ctx, bool is_key, size_t *size)
{
    ddi_reader_t *reader = ctx;
    if (!is_key && reader->depth > 0 && find_link(reader, reader->next) >= 0) {
        *size = OTTER_DDI_URL_SIZE;
        return reader->wanted.url;
    }
    *size = sizeof(reader->token);
    return reader->token;
}

void ddi_reader_begin(ddi_reader_t *reader, const ddi_wanted_t *wanted)
{
    *reader = (ddi_reader_t){
        .wanted = *wanted, .listener = {on_json, room_for, reader}, .answer.next = DDI_NO_PART};
    if (wanted->url != NULL) {
        wanted->url[0] = '\0';
    }
    ddi_json_begin(&reader->json, &reader->listener);
}

bool ddi_reader_feed(ddi_reader_t *reader, const void *data, size_t len)
{
    if (reader->json.why == NULL && len > OTTER_DDI_ANSWER_MAX - reader->json.offset) {
        reader->json.why = "it is longer than 64 KiB";
    }
    return ddi_json_feed(&reader->json, data, len);
}

bool ddi_reader_end(ddi_reader_t *reader)
{
    return ddi_json_end(&reader->json);
}
