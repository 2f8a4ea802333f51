// The test program's own malloc takes the place of libc's for the whole process, Swift's runtime included.
#include "malloc_counter.h"

#include <errno.h>
#include <stddef.h>

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);

// initial-exec: the general model may itself allocate on a thread's first access.
static __thread uint64_t count __attribute__((tls_model("initial-exec")));

uint64_t malloc_counter_of_this_thread(void) { return count; }

void *malloc(size_t size) {
    count++;
    return __libc_malloc(size);
}
void *calloc(size_t n, size_t size) {
    count++;
    return __libc_calloc(n, size);
}
void *realloc(void *block, size_t size) {
    count++;
    return __libc_realloc(block, size);
}
void *memalign(size_t alignment, size_t size) {
    count++;
    return __libc_memalign(alignment, size);
}
void *aligned_alloc(size_t alignment, size_t size) { return memalign(alignment, size); }
int posix_memalign(void **block, size_t alignment, size_t size) {
    *block = memalign(alignment, size);
    return *block || size == 0 ? 0 : ENOMEM;
}
