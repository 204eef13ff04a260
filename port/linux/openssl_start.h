/* How OpenSSL starts: without what no program around otter needs, and, for a command that runs once, without more. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/** Before the first use of OpenSSL, from any thread: the machine's openssl.cnf is not for us, and reading it costs time. */
void openssl_start(void);

/**
 * The same for a program that uses OpenSSL through otter alone, as its first call: nothing is cleaned up when it ends, and the
 * texts of errors are loaded when there is an error. That saves a quarter of a megabyte, and a tenth of what a start costs.
 */
void openssl_start_lean(void);

/**
 * From now on what OpenSSL gives back to the heap is zeros: it wipes keys, and leaves copies of what it read them from.
 * Before the first use of OpenSSL, for a program that is all ours; a library does not decide this for its program.
 */
void openssl_start_wiping(void);

/** Wipes what functions of OpenSSL have left on this thread's stack, up to 64 KiB below the caller, and in vector registers. */
void openssl_wipe_stack(void);

/** The text of an error, NULL where it has none: ERR_reason_error_string() for programs that may have started lean. */
const char *openssl_reason(unsigned long code);
