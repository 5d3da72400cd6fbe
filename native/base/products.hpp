// Sums of products of several rows with packed weights, the inner loop of every matrix product.
#pragma once

#include "base/simd.hpp"

namespace meprop::MEPROP_ISA {

// Rows whose products are summed together; with four vectors each, their sums fill the registers.
constexpr int kBlock = kVectorBytes == 64 ? 6 : 3;

// sums[r][v] += rows[r] (depth) times weights (depth, V, lane). A row's sums are added in the order
// of the depth, whatever R and V, so they do not depend on the rows beside it.
template <int R, class T, int V>
inline void add_products(const T* const* rows, std::int64_t depth, const T* weights,
                         Vector<T> (&sums)[R][V]) {
    constexpr std::int64_t L = kLanes<T>;
    for (std::int64_t c = 0; c < depth; ++c, weights += V * L) {
        Vector<T> w[V];
        for (int v = 0; v < V; ++v)
            w[v] = load(weights + v * L);
        for (int r = 0; r < R; ++r) {
            const Vector<T> factor = splat(rows[r][c]);
            for (int v = 0; v < V; ++v)
                sums[r][v] += factor * w[v];
        }
    }
}

} // namespace meprop::MEPROP_ISA
