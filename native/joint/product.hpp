// Products of rows with a packed layer: y = start + x times weight, optionally through a leaky
// ReLU.
//
// Each value is summed in the order of the inputs, whatever the number of rows, so it does not
// depend on the rows beside it.
#pragma once

#include "base/math.hpp"
#include "base/products.hpp"
#include "joint/network.hpp"

namespace meprop::MEPROP_ISA {

// Rows that go through several layers together: what is between two layers stays in the caches.
constexpr std::int64_t kTogether = 8 * kBlock;

// The rows of one block: where their sums start from, their inputs, side by side in two parts, and
// their outputs.
template <int R>
struct Block {
    const float *starts[R], *left[R], *right[R];
    float* y[R];
};

// Computes V vectors of the block's outputs, of which the first `leaky` pass a leaky ReLU. Not
// inlined: beside other code, the compiler does not keep all sums in registers.
template <int R, int V>
__attribute__((noinline)) void multiply_block(const Block<R>& block, std::int64_t left_width,
                                              std::int64_t right_width, const float* weight,
                                              std::int64_t leaky) {
    constexpr std::int64_t L = kLanes<float>;
    Vector<float> sums[R][V];
    for (int r = 0; r < R; ++r) {
        for (int v = 0; v < V; ++v)
            sums[r][v] = load(block.starts[r] + v * L);
    }
    add_products<R>(block.left, left_width, weight, sums);
    add_products<R>(block.right, right_width, weight + left_width * V * L, sums);
    for (int r = 0; r < R; ++r) {
        for (int v = 0; v < V; ++v)
            store(block.y[r] + v * L, v < leaky ? leaky_relu(sums[r][v]) : sums[r][v]);
    }
}

// Calls call(size, first) for blocks of n rows; the size is a type with a constant `value`.
template <int N>
struct BlockSize {
    static constexpr int value = N;
};
template <int R>
inline void for_rest(std::int64_t n, std::int64_t first, auto&& call) {
    if constexpr (R > 0) {
        if (n == R)
            call(BlockSize<R>{}, first);
        else
            for_rest<R - 1>(n, first, call);
    }
}
inline void for_blocks(std::int64_t n, auto&& call) {
    std::int64_t first = 0;
    for (; first + kBlock <= n; first += kBlock)
        call(BlockSize<kBlock>{}, first);
    for_rest<kBlock - 1>(n - first, first, call);
}

// Calls call(size, first) for the groups that a layer's columns are packed in: of four vectors, and
// the rest.
inline void for_groups(std::int64_t outs, auto&& call) {
    constexpr std::int64_t L = kLanes<float>;
    std::int64_t first = 0;
    for (; first + 4 * L <= outs; first += 4 * L)
        call(BlockSize<4>{}, first);
    for_rest<3>((outs - first) / L, first, call);
}

struct Rows {
    const float* values = nullptr;
    std::int64_t stride = 0, width = 0;

    const float* at(std::int64_t row) const { return values + row * stride; }
};

struct Product {
    const PackedLayer& layer;
    Rows left, right; // the inputs, side by side
    float* y;
    std::int64_t stride;    // of y
    std::int64_t leaky = 0; // columns before this one, a multiple of the lanes, pass a leaky ReLU
    // Rows that the sums start from, in place of the bias, from this column on.
    const float* const* starts = nullptr;
    std::int64_t first = 0;
};

template <int V>
inline void multiply_group(const Product& product, std::int64_t n, std::int64_t column) {
    const PackedLayer& layer = product.layer;
    for_blocks(n, [&](auto size, std::int64_t row) {
        constexpr int R = decltype(size)::value;
        Block<R> block;
        for (int r = 0; r < R; ++r) {
            const float* start =
                product.starts ? product.starts[row + r] + product.first : layer.bias;
            block.starts[r] = start + column;
            block.left[r] = product.left.at(row + r);
            block.right[r] = product.right.at(row + r);
            block.y[r] = product.y + (row + r) * product.stride + column;
        }
        multiply_block<R, V>(block, product.left.width, product.right.width,
                             layer.weight + column * layer.ins,
                             (product.leaky - column) / kLanes<float>);
    });
}

// Computes n rows of the product.
inline void multiply(const Product& product, std::int64_t n) {
    for_groups(product.layer.outs, [&](auto size, std::int64_t column) {
        multiply_group<decltype(size)::value>(product, n, column);
    });
}

} // namespace meprop::MEPROP_ISA
