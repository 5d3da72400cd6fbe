// Lemmas: a hidden layer over a word's form, context and tags, then the scores of all scripts.
#pragma once

#include <limits>

#include "base/buffer.hpp"
#include "joint/choice.hpp"
#include "joint/state_product.hpp"
#include "joint/tag_product.hpp"

namespace meprop::MEPROP_ISA {

// Writes the results of one word, given the scores of its scripts, some of which it overwrites.
// Returns false if a score is not finite.
inline bool keep_best(float* row, std::int64_t n_scripts, std::int64_t word,
                      const LemmaResults& results) {
    constexpr float kLowest = std::numeric_limits<float>::lowest();
    const std::int64_t first = word * results.n_best;
    const Choice top = choose(row, n_scripts);
    if (top.index < 0)
        return false;
    if (results.lead) {
        row[top.index] = kLowest;
        results.lead[word] = top.best - choose(row, n_scripts).best;
        row[top.index] = top.best;
    }
    Choice choice = top;
    for (std::int64_t n = 0; n < results.n_best; ++n) {
        if (n) {
            row[choice.index] = kLowest;
            choice = choose(row, n_scripts);
        }
        results.scripts[first + n] = choice.index;
        if (results.scores)
            results.scores[first + n] = choice.best;
    }
    if (results.confidence)
        results.confidence[word] = 1 / exponentials(row, n_scripts, top.best, row);
    return true;
}

// `forms` are the words' folded rows; the head's part begins at `column`. Returns false if a score
// is not finite.
inline bool choose_scripts(const LemmaNetwork& network, const WordStates& states,
                           const float* const* forms, std::int64_t column,
                           const LemmaResults& results) {
    const PackedLayer& output = network.output;
    const std::int64_t hidden = network.context.outs;
    const Buffer<float> units(kTogether * hidden), scores(kTogether * output.outs);
    for (std::int64_t first = 0; first < states.words; first += kTogether) {
        const std::int64_t n = smaller(kTogether, states.words - first);
        const StateDigits digits(states, first, n);
        multiply({network.context, digits, units, hidden, forms + first, column}, n);
        add_tag_product(network.tags, states, first, n, units, hidden, hidden);
        multiply({output, {units, hidden, output.ins}, {}, scores, output.outs}, n);
        for (std::int64_t r = 0; r < n; ++r)
            if (!keep_best(scores + r * output.outs, network.n_scripts, first + r, results))
                return false;
    }
    return true;
}

} // namespace meprop::MEPROP_ISA
