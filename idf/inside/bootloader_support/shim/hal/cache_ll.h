/* There is no cache that would have to be written back. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
