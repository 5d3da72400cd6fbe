// Folding a first layer into rows, one for each word form or combination of tags.
#pragma once

#include "networks.hpp"
#include "simd.hpp"

namespace meprop::MEPROP_ISA {

// `Vectors` vectors of columns of all rows, so that their weights stay in the first-level cache.
// The sums run in the order of the inputs, whatever is folded together: the same form gives the
// same row always.
template <int Vectors>
inline void fold_columns(const Folding& f, const float* vectors, std::int64_t n, std::int64_t first,
                         float* const* rows) {
    constexpr std::int64_t L = kLanes<float>;
    for (std::int64_t i = 0; i < n; ++i) {
        Vector<float> sums[Vectors];
        for (int v = 0; v < Vectors; ++v)
            sums[v] = load(f.bias + first + v * L);
        const float* weight = f.weight + first;
        for (std::int64_t c = 0; c < f.ins; ++c, weight += f.width) {
            const Vector<float> factor = splat(vectors[i * f.ins + c]);
            for (int v = 0; v < Vectors; ++v)
                sums[v] += factor * load(weight + v * L);
        }
        for (int v = 0; v < Vectors; ++v)
            store(rows[i] + first + v * L, sums[v]);
    }
}

inline void fold(Folding f, const float* vectors, std::int64_t n, float* const* rows) {
    constexpr std::int64_t L = kLanes<float>;
    std::int64_t first = 0;
    for (; first + 8 * L <= f.width; first += 8 * L)
        fold_columns<8>(f, vectors, n, first, rows);
    for (; first < f.width; first += L)
        fold_columns<1>(f, vectors, n, first, rows);
}

} // namespace meprop::MEPROP_ISA
