// Counts allocations of the calling thread, for tests that claim there are none.
#pragma once
#include <stdint.h>

/// Allocations of the calling thread since it began.
uint64_t malloc_counter_of_this_thread(void);
