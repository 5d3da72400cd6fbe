// Sentences in the order of their length, in which recurrences run over all of them at once.
#pragma once

#include "base/buffer.hpp"
#include "base/simd.hpp"

namespace meprop::MEPROP_ISA {

// Sentences from the longest to the shortest; those of equal length stay in order. `bounds` has the
// first word of each, and the number of words at the end.
class ByLength {
 public:
    ByLength(const std::int32_t* bounds, std::int64_t sentences)
        : n(sentences), first(sentences), length(sentences) {
        std::int32_t longest = 0;
        for (std::int64_t s = 0; s < n; ++s)
            longest = larger(longest, bounds[s + 1] - bounds[s]);
        steps = longest;
        const Buffer<std::int32_t> next(longest + 2); // by length: sentences, then next index
        for (std::int32_t l = 0; l <= longest + 1; ++l)
            next[l] = 0;
        for (std::int64_t s = 0; s < n; ++s)
            ++next[bounds[s + 1] - bounds[s]];
        for (std::int32_t l = longest, sum = 0; l >= 0; --l) {
            const std::int32_t count = next[l];
            next[l] = sum;
            sum += count;
        }
        for (std::int64_t s = 0; s < n; ++s) {
            const std::int32_t words = bounds[s + 1] - bounds[s];
            const std::int32_t position = next[words]++;
            first[position] = bounds[s];
            length[position] = words;
        }
    }

    // The word that a sentence, counted in this order, has at a time step.
    std::int64_t word(std::int64_t sentence, std::int32_t time, bool backward) const {
        return first[sentence] + (backward ? length[sentence] - 1 - time : time);
    }

    const std::int64_t n;
    std::int32_t steps;
    const Buffer<std::int32_t> first, length;
};

} // namespace meprop::MEPROP_ISA
