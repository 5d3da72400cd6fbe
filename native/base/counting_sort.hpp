// The middle step of a counting sort: counts become offsets.
#pragma once

#include <cstdint>

namespace meprop::MEPROP_ISA {

// On entry next[r + 1] is the number of entries in row r. On return it is the offset of the row's
// first entry, counted from `start`, and next[0] is `start`. Once every entry of row r has been
// stored at next[r + 1]++, row r begins at next[r].
template <class I>
inline void offsets_from_counts(I* next, std::int64_t rows, I start) {
    I end = next[0] = start;
    for (std::int64_t r = 1; r <= rows; ++r) {
        const I count = next[r];
        next[r] = end;
        end += count;
    }
}

} // namespace meprop::MEPROP_ISA
