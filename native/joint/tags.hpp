// Tags: an output layer for each tag column, and a softmax of its scores.
#pragma once

#include <string.h>

#include "base/buffer.hpp"
#include "joint/choice.hpp"
#include "joint/state_product.hpp"

namespace meprop::MEPROP_ISA {

// Replaces those of n probabilities that are below `flat` by their mean. Reads and writes up to a
// whole vector more.
inline void flatten(float* shares, std::int64_t n, float flat) {
    using I = Vector<std::int32_t>;
    constexpr std::int64_t L = kLanes<float>;
    float rest = 1;
    std::int64_t n_low = n;
    for (std::int64_t j = 0; j < n; j += L) {
        // they are not negative, so they compare like their bits
        std::uint32_t high = at_least((I)load(shares + j), (I)splat(flat));
        if (j + L > n)
            high &= (std::uint32_t{1} << (n - j)) - 1;
        for (; high; high &= high - 1) {
            rest -= shares[j + __builtin_ctz(high)];
            --n_low;
        }
    }
    if (n_low == 0)
        return;
    const float mean = larger(0.0f, rest) / static_cast<float>(n_low);
    for (std::int64_t j = 0; j < n; j += L) {
        const Vector<float> values = load(shares + j);
        store(shares + j, values < flat ? splat(mean) : values);
    }
}

// Writes what one word's scores say. `shares` has room for the probabilities of all columns side by
// side, and for a vector more. Returns false if a score is not finite.
inline bool choose_tags_of_word(const TagNetwork& network, const float* scores, std::int64_t word,
                                std::int64_t words, const TagResults& results, float* shares) {
    constexpr std::int64_t L = kLanes<float>;
    float* column_shares = shares;
    for (std::int64_t c = 0; c < network.n_columns; ++c) {
        const float* column_scores = scores + network.columns[2 * c];
        const std::int64_t n = network.columns[2 * c + 1];
        const Choice choice = choose(column_scores, n);
        if (choice.index < 0)
            return false;
        results.tags[c * words + word] = choice.index;
        if (!results.confidence && !results.probabilities)
            continue;
        const float scale = 1 / exponentials(column_scores, n, choice.best, column_shares);
        if (results.confidence)
            results.confidence[c * words + word] = scale;
        for (std::int64_t j = 0; j < n; j += L) // the next column overwrites what is too much
            store(column_shares + j, scale * load(column_shares + j));
        if (network.flat > 0)
            flatten(column_shares, n, network.flat);
        column_shares += n;
    }
    if (results.probabilities)
        memcpy(results.probabilities + word * network.n_tags, shares,
               static_cast<std::size_t>(network.n_tags) * sizeof(float));
    return true;
}

inline bool choose_all_tags(const TagNetwork& network, const WordStates& states,
                            const TagResults& results) {
    const std::int64_t stride = network.scores.outs;
    const Buffer<float> scores(kTogether * stride), shares(network.n_tags + kLanes<float>);
    for (std::int64_t first = 0; first < states.words; first += kTogether) {
        const std::int64_t n = smaller(kTogether, states.words - first);
        const StateDigits digits(states, first, n);
        multiply({network.scores, digits, scores, stride}, n);
        for (std::int64_t r = 0; r < n; ++r) {
            if (!choose_tags_of_word(network, scores + r * stride, first + r, states.words, results,
                                     shares))
                return false;
        }
    }
    return true;
}

} // namespace meprop::MEPROP_ISA
