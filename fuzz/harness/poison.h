/* SPDX-License-Identifier: MIT */
/* Marks bytes that nobody may read or write, if the compiler's sanitizer supports that. */
#ifndef FUZZ_POISON_H
#define FUZZ_POISON_H

#if defined(__SANITIZE_ADDRESS__)
#define FUZZ_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define FUZZ_ASAN 1
#endif
#endif

#ifdef FUZZ_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/lsan_interface.h>
#define LSAN_ROOT_REGION(p, n) __lsan_register_root_region(p, n)
#else
#define ASAN_POISON_MEMORY_REGION(p, n) ((void)(p), (void)(n))
#define ASAN_UNPOISON_MEMORY_REGION(p, n) ((void)(p), (void)(n))
#define LSAN_ROOT_REGION(p, n) ((void)(p), (void)(n))
#endif

#endif
