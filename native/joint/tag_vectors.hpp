// The product of what a tree head reads of words, context and a vector of tags, with a layer.
#pragma once

#include "base/buffer.hpp"
#include "joint/product.hpp"

namespace meprop::MEPROP_ISA {

// Computes the layer's outputs for n words from `first` on, of which the columns before `leaky`
// pass a leaky ReLU. `tags` has no outputs if the head reads no tags.
inline void multiply_with_tags(const PackedLayer& tags, const PackedLayer& layer,
                               const WordStates& states, std::int64_t first, std::int64_t n,
                               float* y, std::int64_t leaky) {
    const std::int64_t width = tags.outs ? layer.ins - states.width : 0;
    const Buffer<float> tag_vectors(n * tags.outs);
    if (width) {
        const Rows probabilities{states.tags + first * states.n_tags, states.n_tags, states.n_tags};
        multiply({tags, probabilities, {}, tag_vectors, tags.outs}, n);
    }
    const Rows context{states.context + first * states.width, states.width, states.width};
    multiply({layer, context, {tag_vectors, tags.outs, width}, y, layer.outs, leaky}, n);
}

} // namespace meprop::MEPROP_ISA
