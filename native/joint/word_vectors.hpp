// The vectors of words as dependents and as heads, from which arcs and labels are scored.
#pragma once

#include "base/buffer.hpp"
#include "joint/product.hpp"
#include "joint/state_product.hpp"
#include "joint/tag_product.hpp"

namespace meprop::MEPROP_ISA {

// The vectors of n words: [arc_dep][arc_head][label_dep][label_head] with their padding, and the
// dependents' products with the weights of arcs.
struct WordVectors {
    WordVectors(const GraphNetwork& network, const WordStates& states, std::int64_t first,
                std::int64_t n)
        : arc(network.arcs.outs), label(network.context.outs / 2 - arc),
          stride(network.context.outs), values(n * stride), dependents(n * arc) {
        multiply({network.context, StateDigits(states, first, n), values, stride}, n);
        add_tag_product(network.tags, states, first, n, values, stride, 2 * arc);
        multiply({network.arcs, {values, stride, network.arcs.ins}, {}, dependents, arc}, n);
    }

    const float* as_head(std::int64_t word) const { return values + word * stride + arc; }
    const float* label_as_dependent(std::int64_t word) const {
        return values + word * stride + 2 * arc;
    }
    const float* label_as_head(std::int64_t word) const { return label_as_dependent(word) + label; }

    const std::int64_t arc, label, stride; // padded widths; of a row
    const Buffer<float> values, dependents;
};

} // namespace meprop::MEPROP_ISA
