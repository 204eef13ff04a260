/* This machine's. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <errno.h>
