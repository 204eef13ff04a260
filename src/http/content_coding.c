/* A list of words, judged by a table. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "http/content_coding.h"

#include <stddef.h>
#include <string.h>

#include "otter/text.h"

static const struct {
    const char *word; /* small letters */
    bool changes;     /* the body */
} codings[] = {
    {"identity", false},    {"none", false},
    {"aws-chunked", false}, {"binary", false},
    {"7bit", false},        {"8bit", false},
    {"utf-8", false},       {"utf8", false},
    {"us-ascii", false},    {"ascii", false},
    {"iso-8859-1", false},  {"octet-stream", false},
    {"raw", false},         {"application/octet-stream", false},
    {"gzip", true},         {"x-gzip", true},
    {"deflate", true},      {"compress", true},
    {"x-compress", true},   {"br", true},
    {"zstd", true},         {"dcb", true},
    {"dcz", true},          {"exi", true},
    {"pack200-gzip", true}, {"aes128gcm", true},
    {"bzip2", true},        {"x-bzip2", true},
    {"lzma", true},         {"x-lzma", true},
    {"xz", true},           {"lz4", true},
    {"snappy", true},       {"base64", true},
};

static bool changes_body(const char *word, bool lenient)
{
    for (size_t i = 0; i < sizeof(codings) / sizeof(codings[0]); i++) {
        if (http_name_equal(codings[i].word, word)) {
            return codings[i].changes;
        }
    }
    return word[0] != '\0' && !lenient;
}

static bool find_in_list(const char *list, bool lenient, char word[CONTENT_CODING_WORD_SIZE])
{
    static const char separators[] = ", \t";
    for (const char *p = list + strspn(list, separators); *p != '\0'; p += strspn(p, separators)) {
        size_t len = strcspn(p, separators);
        text_format(word, CONTENT_CODING_WORD_SIZE, "%.*s", (int)(len < 64 ? len : 64), p);
        if (changes_body(word, lenient)) {
            return true;
        }
        p += len;
    }
    return false;
}

bool content_coding_find(const http_headers_t *response, bool lenient, char word[CONTENT_CODING_WORD_SIZE])
{
    for (size_t i = 0; i < response->count; i++) {
        if (http_name_equal(response->items[i].key, "Content-Encoding") &&
            find_in_list(response->items[i].value, lenient, word)) {
            return true;
        }
    }
    return false;
}
