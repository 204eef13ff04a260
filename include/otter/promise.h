/* What the code promises itself: errors that the compiler does not let a caller drop, and conditions checked while it runs. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Before the declaration of a function that returns an error, or NULL or false for one: whoever drops the result is warned,
 * and that ends this build. ESP-IDF's own names (esp_*.h) are left alone, since published programs drop theirs.
 */
#if defined(__GNUC__)
#define OTTER_MUST_CHECK __attribute__((warn_unused_result))
#else
#define OTTER_MUST_CHECK
#endif

/** For a result that tells nothing where it is dropped, or nothing that could still be done; the line says why. */
static inline void otter_ignore(int result)
{
    (void)result;
}

/**
 * A condition that only a mistake of ours, or of a port, can break: room in an array of fixed size, counters that belong
 * together, what the operations of a port may return. Never for what came from flash, network, an image, a user or an
 * application: those are answered with an error, in every build.
 *
 * Checked where OTTER_ASSERTS is 1: in builds with tests, for debugging and for fuzzing, and in any other with
 * -DOTTER_ASSERTS=ON. Elsewhere the condition is compiled, but not evaluated; it has no side effects.
 */
#if defined(OTTER_ASSERTS) && OTTER_ASSERTS
#define OTTER_ASSERT(condition) ((condition) ? (void)0 : otter_assert_failed(#condition, __FILE__, __LINE__))
#else
#define OTTER_ASSERT(condition) ((void)sizeof((condition) ? 1 : 0))
#endif

/**
 * Where a broken promise ends. The library's own writes one line to the console (otter/system.h) and calls abort(). A program
 * or a port that defines this function has its own, for instance one that records the place and restarts the chip; if it
 * returns, the code goes on as if nothing was checked. Locks of otter/system.h may be held, so it only writes and ends.
 */
void otter_assert_failed(const char *condition, const char *file, int line);

#ifdef __cplusplus
}
#endif
