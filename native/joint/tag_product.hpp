// The product of the probabilities of tags with a layer.
//
// Of most columns all tags but a few have the same low probability (`TagScorer` sees to it). It is
// multiplied by the sum of the layer's rows, and what the few have more by their own rows. That is
// right for any probabilities, and quick for such.
#pragma once

#include "base/buffer.hpp"
#include "base/math.hpp"
#include "joint/network.hpp"
#include "joint/product.hpp"

namespace meprop::MEPROP_ISA {

// A row of the layer, and what it is multiplied by.
struct TagTerm {
    std::int64_t row;
    float factor;
};

// The probability that most of a column's tags have, unless the first ones are all among the few.
inline float usual_of(const float* shares, std::int64_t n) {
    float lowest = shares[0];
    for (std::int64_t j = 1; j < smaller(n, std::int64_t{4}); ++j)
        lowest = smaller(lowest, shares[j]);
    return lowest;
}

// Writes the terms of a word's tags; returns how many there are.
inline std::int64_t find_tag_terms(const TagLayer& tags, const float* shares, TagTerm* terms) {
    constexpr std::int64_t L = kLanes<float>;
    constexpr std::uint32_t kAll = (std::uint32_t{1} << L) - 1;
    std::int64_t n = 0, j = 0;
    for (std::int64_t c = 0; c < tags.n_columns; ++c) {
        const std::int64_t end = tags.ends[c];
        const float usual = usual_of(shares + j, end - j);
        if (usual != 0)
            terms[n++] = {tags.n_tags + c, usual};
        for (; j + L <= end; j += L) {
            std::uint32_t other = kAll & ~equal_lanes(load(shares + j), splat(usual));
            for (; other; other &= other - 1) {
                const std::int64_t tag = j + __builtin_ctz(other);
                terms[n++] = {tag, shares[tag] - usual};
            }
        }
        for (; j < end; ++j) {
            if (shares[j] != usual)
                terms[n++] = {j, shares[j] - usual};
        }
    }
    return n;
}

// Adds the terms to V vectors of y, of which the first `leaky` then pass a leaky ReLU.
template <int V>
inline void add_tag_terms(const TagTerm* terms, std::int64_t n, const float* weight, float* y,
                          std::int64_t leaky) {
    constexpr std::int64_t L = kLanes<float>;
    Vector<float> sums[V];
    for (int v = 0; v < V; ++v)
        sums[v] = load(y + v * L);
    for (std::int64_t t = 0; t < n; ++t) {
        const Vector<float> factor = splat(terms[t].factor);
        const float* row = weight + terms[t].row * V * L;
        for (int v = 0; v < V; ++v)
            sums[v] += factor * load(row + v * L);
    }
    for (int v = 0; v < V; ++v)
        store(y + v * L, v < leaky ? leaky_relu(sums[v]) : sums[v]);
}

// Adds the product for n words from `first` on to rows of `outs` values; the columns before
// `leaky`, a multiple of the lanes, then pass a leaky ReLU. Without columns of tags nothing is
// added.
inline void add_tag_product(const TagLayer& tags, const WordStates& states, std::int64_t first,
                            std::int64_t n, float* y, std::int64_t outs, std::int64_t leaky) {
    const Buffer<TagTerm> terms(tags.n_tags + tags.n_columns);
    for (std::int64_t r = 0; r < n; ++r, y += outs) {
        const std::int64_t n_terms =
            find_tag_terms(tags, states.tags + (first + r) * states.n_tags, terms);
        for_groups(outs, [&](auto size, std::int64_t column) {
            constexpr int V = decltype(size)::value;
            add_tag_terms<V>(terms, n_terms, tags.layer.weight + column * tags.layer.ins,
                             y + column, (leaky - column) / kLanes<float>);
        });
    }
}

} // namespace meprop::MEPROP_ISA
