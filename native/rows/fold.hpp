// Folds a first layer into rows, one for each word form or combination of tags.
#pragma once

#include "base/simd.hpp"
#include "kernels.hpp"

namespace meprop::MEPROP_ISA {

// R rows, V vectors of columns starting at `first`: each weight is loaded once for all R rows. Sums
// run in the order of the inputs, so a form always gives the same row, whatever is folded with it.
template <int R, int V>
inline void fold_block(const Folding& f, const float* vectors, std::int64_t first,
                       float* const* rows) {
    constexpr std::int64_t L = kLanes<float>;
    Vector<float> sums[R][V];
    for (int v = 0; v < V; ++v) {
        const Vector<float> bias = load(f.bias + first + v * L);
        for (int r = 0; r < R; ++r)
            sums[r][v] = bias;
    }
    const float* weight = f.weight + first;
    for (std::int64_t c = 0; c < f.ins; ++c, weight += f.width) {
        Vector<float> w[V];
        for (int v = 0; v < V; ++v)
            w[v] = load(weight + v * L);
        for (int r = 0; r < R; ++r) {
            const Vector<float> factor = splat(vectors[r * f.ins + c]);
            for (int v = 0; v < V; ++v)
                sums[r][v] += factor * w[v];
        }
    }
    for (int r = 0; r < R; ++r) {
        for (int v = 0; v < V; ++v)
            store(rows[r] + first + v * L, sums[r][v]);
    }
}

// All rows, some columns: the weights of these columns stay in the first-level cache.
template <int V>
inline void fold_columns(const Folding& f, const float* vectors, std::int64_t n, std::int64_t first,
                         float* const* rows) {
    constexpr int R = kVectorBytes == 64 ? 6 : 3;
    std::int64_t i = 0;
    for (; i + R <= n; i += R)
        fold_block<R, V>(f, vectors + i * f.ins, first, rows + i);
    for (; i < n; ++i)
        fold_block<1, V>(f, vectors + i * f.ins, first, rows + i);
}

inline void fold(Folding f, const float* vectors, std::int64_t n, float* const* rows) {
    constexpr std::int64_t L = kLanes<float>;
    std::int64_t first = 0;
    for (; first + 4 * L <= f.width; first += 4 * L)
        fold_columns<4>(f, vectors, n, first, rows);
    for (; first < f.width; first += L)
        fold_columns<1>(f, vectors, n, first, rows);
}

} // namespace meprop::MEPROP_ISA
