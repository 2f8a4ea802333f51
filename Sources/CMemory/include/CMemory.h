// What a large table asks of the machine's memory, and Swift cannot say. Advice alone: nothing here changes what a
// program computes, so pure rooms may use it.
#pragma once
#include <stddef.h>
#include <sys/mman.h>

/// Has the kernel back memory with huge pages where it can: a first touch then costs one fault for 2 MiB instead of
/// 512, and a search at random one translation. A refusal is none's business.
static inline void cm_advise_huge_pages(void *memory, size_t bytes) {
#ifdef MADV_HUGEPAGE
    (void)madvise(memory, bytes, MADV_HUGEPAGE);
#endif
}

/// Has the processor fetch a cache line that will be read soon, and go on meanwhile.
static inline void cm_prefetch(const void *address) { __builtin_prefetch(address); }
