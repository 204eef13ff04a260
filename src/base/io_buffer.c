/* One buffer for reading flash: the header says how large. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/io_buffer.h"

#include <stdlib.h>

bool io_buffer_get(io_buffer_t *buffer)
{
    const uint32_t sizes[] = {IO_BUFFER_SIZE, IO_BUFFER_SIZE_SMALL};
    for (unsigned i = 0; i < 2 && buffer->bytes == NULL; i++) {
        buffer->bytes = malloc(sizes[i]);
        buffer->size = buffer->bytes != NULL ? sizes[i] : 0;
    }
    return buffer->bytes != NULL;
}
