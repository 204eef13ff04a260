/* The reader of JSON: one byte, one step; what it has read is told, not kept. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "ddi/json.h"

#include <string.h>

#include "otter/bytes.h"

enum expect { VALUE, VALUE_OR_END, KEY_OR_END, KEY, COLON, COMMA_OR_END, NOTHING };
enum token { NO_TOKEN, STRING, ESCAPE, UNICODE, NUMBER, WORD };

/* Where a number is. */
enum number_step { SIGN, ZERO, WHOLE, POINT, FRACTION, E, E_SIGN, EXPONENT, STEPS, NO_STEP = 0xFF };

/* What comes of a character in a number: a digit 0, another one, '.', 'e', a sign. */
enum number_class { ZERO_DIGIT, DIGIT, DOT, LETTER, SIGNS, CLASSES };
static const uint8_t number_steps[STEPS][CLASSES] = {
    [SIGN] = {ZERO, WHOLE, NO_STEP, NO_STEP, NO_STEP},
    [ZERO] = {NO_STEP, NO_STEP, POINT, E, NO_STEP},
    [WHOLE] = {WHOLE, WHOLE, POINT, E, NO_STEP},
    [POINT] = {FRACTION, FRACTION, NO_STEP, NO_STEP, NO_STEP},
    [FRACTION] = {FRACTION, FRACTION, NO_STEP, E, NO_STEP},
    [E] = {EXPONENT, EXPONENT, NO_STEP, NO_STEP, E_SIGN},
    [E_SIGN] = {EXPONENT, EXPONENT, NO_STEP, NO_STEP, NO_STEP},
    [EXPONENT] = {EXPONENT, EXPONENT, NO_STEP, NO_STEP, NO_STEP},
};

/* Functions return NULL, or why the text is refused. */

static const char *tell(const ddi_json_t *json, ddi_json_kind_t kind, const char *text)
{
    return json->listener->on(json->listener->ctx, kind, text, json->cut);
}

static bool in_object(const ddi_json_t *json)
{
    return json->depth > 0 && (json->objects >> (json->depth - 1) & 1u) != 0;
}

static void after_value(ddi_json_t *json)
{
    json->token = NO_TOKEN;
    json->expect = json->depth == 0 ? NOTHING : COMMA_OR_END;
}

/* ---- texts ---- */

static void begin_text(ddi_json_t *json, bool is_key, uint8_t token)
{
    json->token = token;
    json->is_key = is_key;
    json->cut = false;
    json->len = 0;
    json->more = 0;
    json->surrogate = 0;
    json->text = json->listener->room(json->listener->ctx, is_key, &json->size);
}

static void put(ddi_json_t *json, uint8_t byte)
{
    if (json->len + 1 < json->size) {
        json->text[json->len++] = (char)byte;
    } else {
        json->cut = true;
    }
}

static void put_character(ddi_json_t *json, uint32_t code)
{
    unsigned more = code < 0x80 ? 0 : code < 0x800 ? 1 : code < 0x10000 ? 2 : 3; /* bytes behind the first */
    put(json, (uint8_t)(more == 0 ? code : 0xFF00u >> (more + 1) | code >> 6 * more));
    while (more-- > 0) {
        put(json, (uint8_t)(0x80 | (code >> 6 * more & 0x3F)));
    }
}

static const char *end_text(ddi_json_t *json, ddi_json_kind_t kind)
{
    json->text[json->len] = '\0';
    if (json->is_key) {
        json->token = NO_TOKEN;
        json->expect = COLON;
        return tell(json, DDI_JSON_KEY, json->text);
    }
    after_value(json);
    return tell(json, kind, json->text);
}

static const char half[] = "half of a surrogate pair", no_utf8[] = "a string is no UTF-8";

/** A byte above 0x7F: a character of two to four bytes begins or goes on. */
static const char *take_utf8(ddi_json_t *json, uint8_t byte)
{
    if (json->more > 0) {
        if (byte < json->low || byte > json->high) {
            return no_utf8;
        }
        json->more--;
    } else {
        if (byte < 0xC2 || byte > 0xF4) {
            return no_utf8;
        }
        json->more = byte < 0xE0 ? 1 : byte < 0xF0 ? 2 : 3;
    }
    const bool first = byte >= 0xC2;
    json->low = first && byte == 0xE0 ? 0xA0 : first && byte == 0xF0 ? 0x90 : 0x80;
    json->high = first && byte == 0xED ? 0x9F : first && byte == 0xF4 ? 0x8F : 0xBF;
    put(json, byte);
    return NULL;
}

static const char *take_in_string(ddi_json_t *json, uint8_t byte)
{
    if (byte >= 0x80) {
        return json->surrogate == 0 ? take_utf8(json, byte) : half;
    }
    if (json->more > 0) {
        return no_utf8;
    }
    if (byte == '\\') {
        json->token = ESCAPE;
        return NULL;
    }
    if (json->surrogate != 0) {
        return half;
    }
    if (byte == '"') {
        return end_text(json, DDI_JSON_STRING);
    }
    if (byte < ' ') {
        return "a control character";
    }
    put(json, byte);
    return NULL;
}

static const char *take_escape(ddi_json_t *json, uint8_t byte)
{
    static const char named[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
    if (byte == 'u') {
        json->token = UNICODE;
        json->step = 0;
        json->unit = 0;
        return NULL;
    }
    const char *found = byte != '\0' ? strchr(named, byte) : NULL;
    if (found == NULL) {
        return "an escape that is none";
    }
    if (json->surrogate != 0) {
        return half;
    }
    put(json, (uint8_t)meant[found - named]);
    json->token = STRING;
    return NULL;
}

/** Four hexadecimal digits are a unit of UTF-16; two units may be one character. */
static const char *take_unicode(ddi_json_t *json, uint8_t byte)
{
    int digit = hex_digit((char)byte);
    if (digit < 0) {
        return "\\u without 4 hexadecimal digits";
    }
    json->unit = (uint16_t)(json->unit << 4 | digit);
    if (++json->step < 4) {
        return NULL;
    }
    json->token = STRING;
    const bool low = json->unit >= 0xDC00 && json->unit < 0xE000;
    if (low != (json->surrogate != 0)) {
        return half;
    }
    if (json->unit == 0) {
        return "\\u0000";
    }
    if (low) {
        put_character(json,
                      0x10000u + (((uint32_t)json->surrogate - 0xD800u) << 10) + (json->unit - 0xDC00u));
        json->surrogate = 0;
    } else if (json->unit >= 0xD800 && json->unit < 0xDC00) {
        json->surrogate = json->unit;
    } else {
        put_character(json, json->unit);
    }
    return NULL;
}

/* ---- numbers and words ---- */

static uint8_t next_number_step(uint8_t step, uint8_t byte)
{
    enum number_class class = byte == '0'                  ? ZERO_DIGIT
                              : byte >= '1' && byte <= '9' ? DIGIT
                              : byte == '.'                ? DOT
                              : (byte | 0x20) == 'e'       ? LETTER
                              : byte == '+' || byte == '-' ? SIGNS
                                                           : CLASSES;
    return class == CLASSES ? (uint8_t)NO_STEP : number_steps[step][class];
}

static bool number_may_end(uint8_t step)
{
    return ((1u << ZERO | 1u << WHOLE | 1u << FRACTION | 1u << EXPONENT) >> step & 1u) != 0;
}

static const char *take_structure(ddi_json_t *json, uint8_t byte);

static const char *take_in_number(ddi_json_t *json, uint8_t byte)
{
    uint8_t step = next_number_step(json->step, byte);
    if (step != NO_STEP) {
        json->step = step;
        put(json, byte);
        return NULL;
    }
    if (!number_may_end(json->step)) {
        return "a number that is none";
    }
    const char *why = end_text(json, DDI_JSON_NUMBER);
    return why != NULL ? why : take_structure(json, byte);
}

static const char words[][6] = {"true", "false", "null"}; /* as DDI_JSON_TRUE and so on */

static const char *take_in_word(ddi_json_t *json, uint8_t byte)
{
    const char *word = words[json->unit];
    if (byte != (uint8_t)word[json->step]) {
        return "a word that is none";
    }
    if (word[++json->step] != '\0') {
        return NULL;
    }
    after_value(json);
    return tell(json, (ddi_json_kind_t)(DDI_JSON_TRUE + json->unit), "");
}

/* ---- objects and arrays ---- */

static const char *open(ddi_json_t *json, bool object)
{
    if (json->depth == DDI_JSON_DEPTH) {
        return "more than 16 in each other";
    }
    json->objects = (uint16_t)((json->objects & ~(1u << json->depth)) | (unsigned)object << json->depth);
    json->depth++;
    json->expect = object ? KEY_OR_END : VALUE_OR_END;
    return tell(json, object ? DDI_JSON_OBJECT : DDI_JSON_ARRAY, "");
}

static const char *close(ddi_json_t *json)
{
    const bool object = in_object(json);
    json->depth--;
    after_value(json);
    return tell(json, object ? DDI_JSON_OBJECT_END : DDI_JSON_ARRAY_END, "");
}

static const char *begin_value(ddi_json_t *json, uint8_t byte)
{
    json->cut = false;
    if (byte == '{' || byte == '[') {
        return open(json, byte == '{');
    }
    if (byte == '"') {
        begin_text(json, false, STRING);
        return NULL;
    }
    for (json->unit = 0; json->unit < sizeof(words) / sizeof(words[0]); json->unit++) {
        if (byte == (uint8_t)words[json->unit][0]) {
            json->token = WORD;
            json->step = 1;
            return NULL;
        }
    }
    const uint8_t step = byte == '-' ? (uint8_t)SIGN : next_number_step(SIGN, byte);
    if (step == NO_STEP) {
        return "a value is missing";
    }
    begin_text(json, false, NUMBER);
    json->step = step;
    put(json, byte);
    return NULL;
}

/** Between the tokens. */
static const char *take_structure(ddi_json_t *json, uint8_t byte)
{
    if (memchr(" \t\n\r", byte, 4) != NULL) {
        return NULL;
    }
    switch (json->expect) {
    case VALUE_OR_END:
        return byte == ']' ? close(json) : begin_value(json, byte);
    case VALUE:
        return begin_value(json, byte);
    case KEY_OR_END:
    case KEY:
        if (byte == '}' && json->expect == KEY_OR_END) {
            return close(json);
        }
        if (byte != '"') {
            return "a key is missing";
        }
        begin_text(json, true, STRING);
        return NULL;
    case COLON:
        json->expect = VALUE;
        return byte == ':' ? NULL : "':' is missing";
    case COMMA_OR_END:
        if (byte == (in_object(json) ? '}' : ']')) {
            return close(json);
        }
        json->expect = in_object(json) ? KEY : VALUE;
        return byte == ',' ? NULL : "',' is missing";
    default:
        return "something follows";
    }
}

static const char *take(ddi_json_t *json, uint8_t byte)
{
    switch (json->token) {
    case STRING:
        return take_in_string(json, byte);
    case ESCAPE:
        return take_escape(json, byte);
    case UNICODE:
        return take_unicode(json, byte);
    case NUMBER:
        return take_in_number(json, byte);
    case WORD:
        return take_in_word(json, byte);
    default:
        return take_structure(json, byte);
    }
}

void ddi_json_begin(ddi_json_t *json, const ddi_json_listener_t *listener)
{
    *json = (ddi_json_t){.listener = listener, .expect = VALUE};
}

bool ddi_json_feed(ddi_json_t *json, const void *data, size_t len)
{
    const uint8_t *bytes = data;
    for (size_t i = 0; i < len && json->why == NULL; i++) {
        json->why = take(json, bytes[i]);
        json->offset += json->why == NULL;
    }
    return json->why == NULL;
}

bool ddi_json_end(ddi_json_t *json)
{
    if (json->why == NULL && json->token == NUMBER && number_may_end(json->step)) {
        json->why = end_text(json, DDI_JSON_NUMBER);
    }
    if (json->why == NULL && (json->token != NO_TOKEN || json->expect != NOTHING)) {
        json->why = json->offset == 0 ? "there is nothing" : "it ends in the middle";
    }
    return json->why == NULL;
}
