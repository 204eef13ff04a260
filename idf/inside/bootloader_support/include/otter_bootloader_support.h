/* The headers of this component are those of the checkout; ESP-IDF wants the folder to be there. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
