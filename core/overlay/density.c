/* SPDX-License-Identifier: GPL-3.0-or-later */
/* density.c - quantiles of the gamma distribution against runs of gaps; see density.h. */
#include "overlay/density.h"

/* Of shape 1, 2, ... at a probability of 10^-5, in units of 10^-5. */
static const uint32_t QUANTILES[DENSITY_GAPS_MAX] = {
    1,      448,    3954,   12768,  27258,   46980,   71309,   99655,   131506,  166434, 204081,
    244150, 286390, 330589, 376566, 424165,  473252,  523710,  575435,  628337,  682334, 737354,
    793334, 850214, 907942, 966471, 1025757, 1085760, 1146445, 1207777, 1269726, 1332263};
enum { QUANTILE_UNIT = 100000 };

bool density_suspect(const uint64_t *places, size_t len, size_t at, uint64_t gap)
{
    size_t from = at > DENSITY_GAPS_MAX ? at - DENSITY_GAPS_MAX : 0;

    for (size_t i = from; i <= at; i++) {
        for (size_t j = at > i ? at : i + 1; j < len && j - i <= DENSITY_GAPS_MAX; j++) {
            unsigned __int128 least = (unsigned __int128)gap * QUANTILES[j - i - 1];

            if ((unsigned __int128)(places[j] - places[i]) * QUANTILE_UNIT < least) {
                return true;
            }
        }
    }
    return false;
}
