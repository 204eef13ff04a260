/* Content-Encoding: which of its words mean that the body is not what the URL names. Pure. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

#include "http/headers.h"

#define CONTENT_CODING_WORD_SIZE 32u

/**
 * The first coding of a response that changes its body, all Content-Encoding headers taken together as one list. Words that
 * change no byte are passed over: identity, and what object stores keep of an upload (aws-chunked, utf-8, binary, ...).
 * @param lenient  so are words that nobody knows
 * @param word     receives it, cut to fit
 * @return false: there is none
 */
bool content_coding_find(const http_headers_t *response, bool lenient, char word[CONTENT_CODING_WORD_SIZE]);
