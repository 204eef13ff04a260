/* Newlib's locks, which are there without being made: a mutex each, from the first time that it is taken. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#ifdef __cplusplus
extern "C" {
#endif

struct __lock;
typedef struct __lock *_LOCK_T;
typedef _LOCK_T _lock_t; /* 0: free, and not made yet */
typedef _LOCK_T _LOCK_RECURSIVE_T;

/** Where no memory is left for it the program aborts, as on a chip. */
void _lock_init(_lock_t *lock);
void _lock_init_recursive(_lock_t *lock);
void _lock_close(_lock_t *lock);
void _lock_close_recursive(_lock_t *lock);
void _lock_acquire(_lock_t *lock);
void _lock_acquire_recursive(_lock_t *lock);
/** @return 0: it is this task's; -1: it is another's */
int _lock_try_acquire(_lock_t *lock);
int _lock_try_acquire_recursive(_lock_t *lock);
void _lock_release(_lock_t *lock);
void _lock_release_recursive(_lock_t *lock);

#ifdef __cplusplus
}
#endif
