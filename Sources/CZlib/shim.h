// deflateInit2 and inflateInit2 are macros, which do not reach Swift.
#include <zlib.h>
static inline int soulbox_inflate_init(z_stream *stream) { return inflateInit2(stream, 16 + MAX_WBITS); }
static inline int soulbox_deflate_init(z_stream *stream, int level) {
    return deflateInit2(stream, level, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
}
