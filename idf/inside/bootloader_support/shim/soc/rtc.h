/* No RTC controller: what the verifier takes from it is not used here. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
