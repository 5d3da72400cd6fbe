// The elements that dropout zeroes: element i of the mask is a hash of i and a seed, so no mask is
// stored and the backward pass computes the same mask again. nn/backends/reference_rows.py has the
// same hash.
#pragma once

#include <cstdint>

#include "base/parallel.hpp"
#include "base/simd.hpp"
#include "kernels.hpp"

namespace meprop::MEPROP_ISA {

template <class U> // a 32-bit integer, or a vector of them
inline U mixed(U x) {
    x = (x ^ (x >> 16)) * 0x7feb352du;
    x = (x ^ (x >> 15)) * 0x846ca68bu;
    return x ^ (x >> 16);
}

template <class U>
inline U hashed(const Dropout& dropout, U i) {
    return mixed(mixed(i + dropout.seed_low) + dropout.seed_high);
}

// Applies dropout to n elements, of which x[c] is element first + c; writes the products to y, or
// with `Add` adds them to y. y may be x.
template <bool Add, class T>
inline void multiply(const T* x, std::int64_t n, Dropout dropout, std::uint32_t first, T* y) {
    const T scale = static_cast<T>(dropout.scale);
    std::int64_t c = 0;
    if constexpr (sizeof(T) == sizeof(std::uint32_t)) {
        Vector<std::uint32_t> i;
        for (int lane = 0; lane < kLanes<T>; ++lane)
            i[lane] = first + lane;
        for (; c + kLanes<T> <= n; c += kLanes<T>, i += kLanes<T>) {
            const auto kept = hashed(dropout, i) >= dropout.threshold; // all bits set, or none
            const Vector<T> product = (Vector<T>)((Vector<Bits<T>>)(load(x + c) * scale) & kept);
            store(y + c, Add ? load(y + c) + product : product);
        }
    }
    for (; c < n; ++c) {
        const bool kept =
            hashed(dropout, first + static_cast<std::uint32_t>(c)) >= dropout.threshold;
        const T product = kept ? x[c] * scale : T{0};
        y[c] = Add ? y[c] + product : product;
    }
}

// x (n) -> y (n); y may be x.
template <class T>
void apply_dropout(const T* x, std::int64_t n, Dropout dropout, T* y, int threads) {
    constexpr std::int64_t kBlock = 1 << 14;
    parallel_for(ceil_div(n, kBlock), threads, [=](std::int64_t task) {
        const std::int64_t first = task * kBlock;
        multiply<false>(x + first, smaller(kBlock, n - first), dropout,
                        static_cast<std::uint32_t>(first), y + first);
    });
}

} // namespace meprop::MEPROP_ISA
