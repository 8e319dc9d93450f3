#include "CSystem.h"

#include <malloc.h>

size_t mapwatch_usable_size(void *block) { return malloc_usable_size(block); }

size_t mapwatch_allocator_bytes_in_use(void) {
    struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}
