// The module's functions are static inline in its headers; a C target needs one source file.
#include "event_loop.h"
