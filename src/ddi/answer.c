/* From the events of the JSON reader to what an answer says: a table of the members that count. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "ddi/answer.h"

#include <string.h>

#include "otter/bytes.h"
#include "otter/promise.h"

/* The members that count. */
enum node {
    OTHER, /* and all that is in it */
    ROOT,
    CONFIG,
    POLLING,
    SLEEP,
    LINKS,
    ATTRIBUTES,
    DEPLOYMENT_BASE,
    CONFIRMATION_BASE,
    CANCEL_ACTION,
    DEPLOYMENT_HREF,
    CONFIRMATION_HREF,
    CANCEL_HREF,
    ID,
    ERROR_CODE,
    STOP,
    STOP_ID,
    DEPLOYMENT,
    CONFIRMATION,
    DOWNLOAD,
    UPDATE,
    CHUNKS,
    CHUNK,
    PART,
    VERSION,
    ARTIFACTS,
    ARTIFACT,
    FILE_NAME,
    SIZE,
    HASHES,
    SHA256,
    SHA1,
    FILE_LINKS,
    FILE_LINK,
    FILE_LINK_HTTP,
    FILE_HREF,
    FILE_HREF_HTTP,
    NODES
};
_Static_assert(NODES <= 64, "a bit of `seen` for each");

enum shape { AN_OBJECT, AN_ARRAY, A_TEXT };

/* What is where. An element of an array has no key; in it members come anew. */
static const struct {
    uint8_t in;
    const char *key;
    uint8_t node, shape;
} members[] = {
    {ROOT, "config", CONFIG, AN_OBJECT},
    {CONFIG, "polling", POLLING, AN_OBJECT},
    {POLLING, "sleep", SLEEP, A_TEXT},
    {ROOT, "_links", LINKS, AN_OBJECT},
    {LINKS, "configData", ATTRIBUTES, AN_OBJECT},
    {LINKS, "deploymentBase", DEPLOYMENT_BASE, AN_OBJECT},
    {LINKS, "confirmationBase", CONFIRMATION_BASE, AN_OBJECT},
    {LINKS, "cancelAction", CANCEL_ACTION, AN_OBJECT},
    {DEPLOYMENT_BASE, "href", DEPLOYMENT_HREF, A_TEXT},
    {CONFIRMATION_BASE, "href", CONFIRMATION_HREF, A_TEXT},
    {CANCEL_ACTION, "href", CANCEL_HREF, A_TEXT},
    {ROOT, "id", ID, A_TEXT},
    {ROOT, "errorCode", ERROR_CODE, A_TEXT},
    {ROOT, "cancelAction", STOP, AN_OBJECT},
    {STOP, "stopId", STOP_ID, A_TEXT},
    {ROOT, "deployment", DEPLOYMENT, AN_OBJECT},
    {ROOT, "confirmation", CONFIRMATION, AN_OBJECT},
    {DEPLOYMENT, "download", DOWNLOAD, A_TEXT},
    {DEPLOYMENT, "update", UPDATE, A_TEXT},
    {DEPLOYMENT, "chunks", CHUNKS, AN_ARRAY},
    {CONFIRMATION, "download", DOWNLOAD, A_TEXT},
    {CONFIRMATION, "update", UPDATE, A_TEXT},
    {CONFIRMATION, "chunks", CHUNKS, AN_ARRAY},
    {CHUNKS, NULL, CHUNK, AN_OBJECT},
    {CHUNK, "part", PART, A_TEXT},
    {CHUNK, "version", VERSION, A_TEXT},
    {CHUNK, "artifacts", ARTIFACTS, AN_ARRAY},
    {ARTIFACTS, NULL, ARTIFACT, AN_OBJECT},
    {ARTIFACT, "filename", FILE_NAME, A_TEXT},
    {ARTIFACT, "size", SIZE, A_TEXT},
    {ARTIFACT, "hashes", HASHES, AN_OBJECT},
    {HASHES, "sha256", SHA256, A_TEXT},
    {HASHES, "sha1", SHA1, A_TEXT},
    {ARTIFACT, "_links", FILE_LINKS, AN_OBJECT},
    {FILE_LINKS, "download", FILE_LINK, AN_OBJECT},
    {FILE_LINKS, "download-http", FILE_LINK_HTTP, AN_OBJECT},
    {FILE_LINK, "href", FILE_HREF, A_TEXT},
    {FILE_LINK_HTTP, "href", FILE_HREF_HTTP, A_TEXT},
};
#define MEMBERS (sizeof(members) / sizeof(members[0]))

/* Links, and what a link is worth: the one that counts most is kept. */
static const struct {
    uint8_t node, rank, offer;
} links[] = {
    {DEPLOYMENT_HREF, 1, DDI_OFFER_DEPLOYMENT}, {CONFIRMATION_HREF, 2, DDI_OFFER_CONFIRMATION},
    {CANCEL_HREF, 3, DDI_OFFER_CANCEL},         {FILE_HREF_HTTP, 4, DDI_OFFER_NOTHING},
    {FILE_HREF, 5, DDI_OFFER_NOTHING},
};
#define LINKS_COUNT (sizeof(links) / sizeof(links[0]))

static const struct {
    const char *text;
    ddi_mode_t mode;
} modes[] = {{"skip", DDI_MODE_SKIP}, {"attempt", DDI_MODE_ATTEMPT}, {"forced", DDI_MODE_FORCED}};

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

#define SLEEP_MAX 100000000u /* seconds that are understood: three years */

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
    static const struct {
        char letter;
        uint32_t seconds;
    } units[] = {{'D', 86400}, {'T', 0}, {'H', 3600}, {'M', 60}, {'S', 1}};
    if (text[0] != 'P') {
        return parse_clock(text);
    }
    uint32_t sum = 0, part = 0;
    bool in_time = false;
    size_t unit = 0;
    for (text++; *text != '\0'; text++) {
        const bool has_number = *text != 'T';
        if (has_number && (!read_number(&text, 999999, &part) || (*text == '.' && text[1] == '\0'))) {
            return 0;
        }
        if (*text == '.') { /* parts of a second */
            for (text++; *text >= '0' && *text <= '9'; text++) {
            }
        }
        while (unit < sizeof(units) / sizeof(units[0]) && units[unit].letter != *text) {
            unit++;
        }
        if (unit == sizeof(units) / sizeof(units[0]) ||
            in_time != (units[unit].letter != 'D' && has_number)) {
            return 0;
        }
        in_time = in_time || !has_number;
        if (has_number && part > (SLEEP_MAX - sum) / units[unit].seconds) {
            return SLEEP_MAX;
        }
        sum += has_number ? part * units[unit].seconds : 0;
        unit++;
    }
    return sum;
}

static bool parse_hash(const char *text, uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        int high = hex_digit(text[2 * i]);
        int low = high < 0 ? -1 : hex_digit(text[2 * i + 1]);
        if (low < 0) {
            return false;
        }
        bytes[i] = (uint8_t)(high << 4 | low);
    }
    return text[2 * len] == '\0';
}

static ddi_mode_t parse_mode(const char *text)
{
    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
        if (strcmp(text, modes[i].text) == 0) {
            return modes[i].mode;
        }
    }
    return DDI_MODE_NONE;
}

static void keep(char *to, size_t size, const char *text)
{
    size_t len = strlen(text);
    len = len < size ? len : size - 1;
    memcpy(to, text, len);
    to[len] = '\0';
}

/** A hash of the first artifact; SHA-256 counts more. */
static const char *take_hash(otter_ddi_file_t *file, const char *text, otter_ddi_hash_t kind)
{
    uint8_t hash[sizeof(file->hash)] = {0};
    if (!parse_hash(text, hash, kind == OTTER_DDI_SHA256 ? 32 : 20)) {
        return kind == OTTER_DDI_SHA256 ? "\"sha256\" is not 64 hexadecimal digits"
                                        : "\"sha1\" is not 40 hexadecimal digits";
    }
    if (kind == OTTER_DDI_SHA256 || file->kind != OTTER_DDI_SHA256) {
        memcpy(file->hash, hash, sizeof(hash));
        file->kind = kind;
    }
    return NULL;
}

static const char *take_size(otter_ddi_file_t *file, const char *text)
{
    return read_number(&text, UINT32_MAX, &file->size) && *text == '\0'
               ? NULL
               : "\"size\" is no number of bytes below 4 GiB";
}

/** Nothing of artifacts, or of the one that is wanted. */
static bool is_wanted(const ddi_reader_t *reader)
{
    return reader->answer.artifacts == 0 || reader->answer.artifacts - 1 == reader->wanted.pick;
}

static bool ends_with(const char *text, const char *ending)
{
    const size_t len = strlen(text), end = strlen(ending);
    return len >= end && strcmp(text + len - end, ending) == 0;
}

/** The part that a chunk is for. */
static void take_part(ddi_reader_t *reader, const char *part, bool cut)
{
    reader->mine = reader->wanted.part == NULL || (!cut && strcmp(part, reader->wanted.part) == 0);
    if (!reader->mine && reader->answer.others == 0) {
        keep(reader->answer.other, sizeof(reader->answer.other), part);
    }
}

/** A chunk ends: does it hold the image? */
static void close_chunk(ddi_reader_t *reader)
{
    ddi_answer_t *answer = &reader->answer;
    const unsigned files = answer->artifacts - reader->first;
    if (files == 0) {
        return; /* a module without files is nothing to install */
    }
    if (!reader->mine) {
        answer->others++;
        return;
    }
    answer->chunks++;
    answer->pick = files == 1 ? reader->first : reader->image;
    answer->unclear = files > 1 && reader->images != 1;
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
    switch (node) {
    case SLEEP:
        answer->sleep_s = cut ? 0 : ddi_parse_sleep(text); /* what is no time is as if none was said */
        return NULL;
    case ID:
    case STOP_ID:
        keep(answer->id, sizeof(answer->id), text);
        return cut || strlen(text) >= sizeof(answer->id) ? "the action's id is longer than 39 characters"
                                                         : NULL;
    case ERROR_CODE:
        answer->quota = strstr(text, ".quota.") != NULL;
        return NULL;
    case DOWNLOAD:
        answer->download = parse_mode(text);
        return answer->download != DDI_MODE_NONE ? NULL : "\"download\" is neither forced, attempt nor skip";
    case UPDATE:
        answer->update = parse_mode(text);
        return answer->update != DDI_MODE_NONE ? NULL : "\"update\" is neither forced, attempt nor skip";
    case PART:
        take_part(reader, text, cut);
        return NULL;
    case VERSION:
        if (reader->first <= reader->wanted.pick) { /* else of a chunk behind it */
            keep(answer->version, sizeof(answer->version), text);
        }
        return NULL;
    case FILE_NAME:
        if (!cut && ends_with(text, reader->wanted.ending)) {
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

/** The member of `in` with this key, NULL: its elements. Members that do not count are OTHER. */
static uint8_t find_member(uint8_t in, const char *key, uint8_t *shape)
{
    for (size_t i = 0; i < MEMBERS; i++) {
        if (members[i].in == in && (key == NULL) == (members[i].key == NULL) &&
            (key == NULL || strcmp(members[i].key, key) == 0)) {
            *shape = members[i].shape;
            return members[i].node;
        }
    }
    return OTHER;
}

static uint8_t shape_of(uint8_t node)
{
    for (size_t i = 0; i < MEMBERS; i++) {
        if (members[i].node == node) {
            return members[i].shape;
        }
    }
    return AN_OBJECT; /* the root */
}

/** An element of a list begins, in which members come anew: the next chunk, the next artifact. */
static const char *open_element(ddi_reader_t *reader, uint8_t node)
{
    if (node == CHUNK) {
        reader->seen &= (UINT64_C(1) << CHUNK) - 1;
        reader->first = reader->answer.artifacts;
        reader->images = 0;
        reader->mine = reader->wanted.part == NULL;
    } else if (node == ARTIFACT) {
        reader->seen &= (UINT64_C(1) << ARTIFACT) - 1;
        if (reader->answer.artifacts == UINT8_MAX) {
            return "there are more than 255 files";
        }
        reader->answer.artifacts++;
    }
    return NULL;
}

static const char *open_node(ddi_reader_t *reader, uint8_t node, bool object)
{
    if (node != OTHER && shape_of(node) != (object ? AN_OBJECT : AN_ARRAY)) {
        return "an object or a list where something else belongs";
    }
    reader->answer.wants_attributes = reader->answer.wants_attributes || node == ATTRIBUTES;
    reader->answer.confirms = reader->answer.confirms || node == CONFIRMATION;
    OTTER_ASSERT(reader->depth < sizeof(reader->nodes));
    reader->nodes[reader->depth++] = node;
    return open_element(reader, node);
}

/** What the value that comes now is. */
static uint8_t value_node(ddi_reader_t *reader)
{
    uint8_t shape;
    if (reader->depth == 0) {
        return ROOT;
    }
    uint8_t in = reader->nodes[reader->depth - 1];
    return in == CHUNKS || in == ARTIFACTS ? find_member(in, NULL, &shape) : reader->next;
}

static const char *on_key(ddi_reader_t *reader, const char *key, bool cut)
{
    uint8_t shape;
    uint8_t in = reader->nodes[reader->depth - 1];
    reader->next = cut ? (uint8_t)OTHER : find_member(in, key, &shape);
    if (reader->next == OTHER) {
        return NULL;
    }
    const uint64_t bit = UINT64_C(1) << reader->next;
    const bool again = (reader->seen & bit) != 0;
    reader->seen |= bit;
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
    return is_text && shape_of(node) == A_TEXT
               ? take_text(reader, node, text, cut)
               : "a value where an object or a list belongs, or of another kind";
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
    *reader = (ddi_reader_t){.wanted = *wanted, .listener = {on_json, room_for, reader}};
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
