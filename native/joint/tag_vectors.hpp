// The product of what a tree head reads of words, context and a vector of tags, with a layer.
#pragma once

#include "base/buffer.hpp"
#include "joint/state_product.hpp"

namespace meprop::MEPROP_ISA {

// Computes the outputs of a layer for n words from `first` on, of which the columns before `leaky`
// pass a leaky ReLU. `context` has the layer's weights for the states, and its bias, `layer` those
// for the vector of tags. `tags` has no outputs if the head reads no tags.
inline void multiply_with_tags(const PackedLayer& tags, const DigitLayer& context,
                               const PackedLayer& layer, const WordStates& states,
                               std::int64_t first, std::int64_t n, float* y, std::int64_t leaky) {
    const Buffer<float> tag_vectors(n * tags.outs);
    if (tags.outs) {
        const Rows probabilities{states.tags + first * states.n_tags, states.n_tags, states.n_tags};
        multiply({tags, probabilities, {}, tag_vectors, tags.outs}, n);
    }
    const StateDigits digits(states, first, n);
    multiply({context, digits, y, layer.outs}, n);
    const Buffer<const float*> rows(n);
    for (std::int64_t r = 0; r < n; ++r)
        rows[r] = y + r * layer.outs;
    multiply({layer, {tag_vectors, tags.outs, layer.ins}, {}, y, layer.outs, leaky, rows, 0}, n);
}

} // namespace meprop::MEPROP_ISA
