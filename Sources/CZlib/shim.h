// What Swift cannot say about zlib: `deflateInit2` is a macro, and the stream's pointers are advanced in place.
//
// Bounds: one call compresses one whole body; its memory (some 260 KiB of window and tables) is freed before it returns.

#ifndef MAPWATCH_CZLIB_SHIM_H
#define MAPWATCH_CZLIB_SHIM_H

#include <limits.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <zlib.h>

// More bytes than the gzip form of `size` bytes can have.
static inline size_t czlib_gzip_bound(size_t size) {
    return compressBound(size) + 32;
}

// Compresses `input` into `output` as one gzip member and returns its size; 0 when it did not work: no memory, too
// little room, or 4 GiB and more.
static inline size_t czlib_gzip(const void *input, size_t size, void *output, size_t capacity, int level) {
    z_stream stream;
    memset(&stream, 0, sizeof stream);
    if (size > UINT_MAX || capacity > UINT_MAX) return 0;
    if (deflateInit2(&stream, level, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK) return 0;
    stream.next_in = (Bytef *)(uintptr_t)input;
    stream.avail_in = (uInt)size;
    stream.next_out = output;
    stream.avail_out = (uInt)capacity;
    int status = deflate(&stream, Z_FINISH);
    size_t written = stream.total_out;
    deflateEnd(&stream);
    return status == Z_STREAM_END ? written : 0;
}

#endif
