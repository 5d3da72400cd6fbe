// Lemmas: a hidden layer over a word's form, context and tags, then the scores of all scripts.
#pragma once

#include "base/buffer.hpp"
#include "joint/choice.hpp"
#include "joint/state_product.hpp"

namespace meprop::MEPROP_ISA {

// `forms` are the words' folded rows; the head's part begins at `column`. Returns false if a score
// is not finite.
inline bool choose_scripts(const LemmaNetwork& network, const WordStates& states,
                           const float* const* forms, std::int64_t column,
                           const LemmaResults& results) {
    const PackedLayer &hidden = network.tags, &output = network.output;
    const Buffer<float> units(kTogether * hidden.outs), scores(kTogether * output.outs);
    const float* rows[kTogether]; // of units
    for (std::int64_t r = 0; r < kTogether; ++r)
        rows[r] = units + r * hidden.outs;
    for (std::int64_t first = 0; first < states.words; first += kTogether) {
        const std::int64_t n = smaller(kTogether, states.words - first);
        const StateDigits digits(states, first, n);
        multiply({network.context, digits, units, hidden.outs, forms + first, column}, n);
        const Rows tags{states.tags + first * states.n_tags, states.n_tags, states.n_tags};
        multiply({hidden, tags, {}, units, hidden.outs, hidden.outs, rows, 0}, n);
        multiply({output, {units, hidden.outs, output.ins}, {}, scores, output.outs}, n);
        for (std::int64_t r = 0; r < n; ++r) {
            float* row = scores + r * output.outs;
            const Choice choice = choose(row, network.n_scripts);
            if (choice.index < 0)
                return false;
            results.scripts[first + r] = choice.index;
            if (results.confidence)
                results.confidence[first + r] =
                    1 / exponentials(row, network.n_scripts, choice.best, row);
        }
    }
    return true;
}

} // namespace meprop::MEPROP_ISA
