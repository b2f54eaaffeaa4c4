/* SPDX-License-Identifier: Apache-2.0 */
/* WIDTHxHEIGHT, then the color of every point: planted flaw 4, a product that does not fit its type (CWE-190). */
#include "pail.h"
#include <stdint.h>
#include <stdlib.h>

int pail_canvas(const char *text, size_t size)
{
    uint32_t side[2] = {0, 0};
    int which = 0;
    for (size_t i = 0; i < size; i++) {
        if (text[i] == 'x' && which == 0)
            which = 1;
        else if (text[i] >= '0' && text[i] <= '9' && side[which] < 100000)
            side[which] = side[which] * 10 + (uint32_t)(text[i] - '0');
    }
    if (side[0] == 0 || side[1] == 0 || side[0] > 4096 || side[1] > 4096)
        return -1;
    uint16_t points = (uint16_t)(side[0] * side[1]);
    unsigned char *canvas = malloc(points);
    if (canvas == NULL)
        return -1;
    for (uint32_t y = 0; y < side[1]; y++)
        for (uint32_t x = 0; x < side[0]; x++)
            canvas[y * side[0] + x] = 1;
    free(canvas);
    return (int)(side[0] * side[1]);
}
