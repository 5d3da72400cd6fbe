// Tags: an output layer for each tag column, and a softmax of its scores.
#pragma once

#include <string.h>

#include "base/buffer.hpp"
#include "joint/choice.hpp"
#include "joint/state_product.hpp"

namespace meprop::MEPROP_ISA {

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
