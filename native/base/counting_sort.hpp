// The step of a counting sort between counting and placing.
#pragma once

#include <cstdint>

namespace meprop::MEPROP_ISA {

// Of a counting sort. next[r + 1], how many entries row r has, becomes the place of its first one,
// and next[0] becomes `start`, that of the first row. Once each entry of r is put at next[r + 1]++,
// next[r] is where row r begins.
template <class I>
inline void places_from_counts(I* next, std::int64_t rows, I start) {
    I end = next[0] = start;
    for (std::int64_t r = 1; r <= rows; ++r) {
        const I count = next[r];
        next[r] = end;
        end += count;
    }
}

} // namespace meprop::MEPROP_ISA
