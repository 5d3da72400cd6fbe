// Products of the encoder's states with the layers of heads.
#pragma once

#include <string.h>

#include "base/buffer.hpp"
#include "joint/digits.hpp"
#include "joint/product.hpp"

namespace meprop::MEPROP_ISA {

// The digits of the states of n words from `first` on, row by row.
struct StateDigits {
    StateDigits(const WordStates& states, std::int64_t first, std::int64_t n)
        : stride(digits_of(states.width)), values(n * stride) {
        constexpr std::int64_t L = kLanes<float>;
        memset(values, 0, static_cast<std::size_t>(n * stride) * sizeof(Digit));
        for (std::int64_t r = 0; r < n; ++r) {
            const float* row = states.context + (first + r) * states.width;
            Digit* digits = values + r * stride;
            for (std::int64_t j = 0; j < states.width; j += L) {
                const std::int64_t width = states.width - j;
                store_digits(digits + j, load_lanes(row + j, width), width);
            }
        }
    }

    const std::int64_t stride;
    const Buffer<Digit> values;
};

struct StateProduct {
    const DigitLayer& layer;
    const StateDigits& states;
    float* y;
    std::int64_t stride; // of y
    // Rows that the sums start from, in place of the bias, from this column on.
    const float* const* starts = nullptr;
    std::int64_t first = 0;
};

template <bool kVnni, int V>
inline void multiply_state_group(const StateProduct& product, std::int64_t n, std::int64_t column) {
    for_blocks(n, [&](auto size, std::int64_t row) {
        constexpr int R = decltype(size)::value;
        DigitBlock<R> block;
        for (int r = 0; r < R; ++r) {
            const float* start =
                product.starts ? product.starts[row + r] + product.first : product.layer.bias;
            block.starts[r] = start + column;
            block.left[r] = product.states.values + (row + r) * product.states.stride;
            block.right[r] = block.left[r];
            block.y[r] = product.y + (row + r) * product.stride + column;
        }
        multiply_digits<kVnni, R, V>(block, product.layer.ins, 0, product.layer, column);
    });
}

template <bool kVnni>
inline void multiply_all_states(const StateProduct& product, std::int64_t n) {
    for_groups(product.layer.outs, [&](auto size, std::int64_t column) {
        multiply_state_group<kVnni, decltype(size)::value>(product, n, column);
    });
}

// Computes n rows of the product.
inline void multiply(const StateProduct& product, std::int64_t n) {
    if (has_vnni())
        multiply_all_states<true>(product, n);
    else
        multiply_all_states<false>(product, n);
}

} // namespace meprop::MEPROP_ISA
