/* Where the files of src/ find what otter/bytes.h has. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "otter/bytes.h"
