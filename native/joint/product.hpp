// Products of rows with a packed layer: y = start + x times weight, optionally through a leaky
// ReLU.
//
// Each value is summed in the order of the inputs, whatever the number of rows, so it does not
// depend on the rows beside it.
#pragma once

#include "base/products.hpp"
#include "joint/network.hpp"

namespace meprop::MEPROP_ISA {

// Rows that go through several layers together: what is between two layers stays in the caches.
constexpr std::int64_t kTogether = 8 * kBlock;

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
    std::int64_t leaky = 0; // number of columns that pass a leaky ReLU
    // Rows that the sums start from, in place of the bias, from this column on.
    const float* const* starts = nullptr;
    std::int64_t first = 0;
};

inline Vector<float> leaky_relu(Vector<float> x) {
    const Vector<float> leak = 0.1f * x;
    return x > leak ? x : leak;
}

template <int R, int V>
inline void multiply_block(const Product& product, std::int64_t row, std::int64_t column) {
    constexpr std::int64_t L = kLanes<float>;
    const PackedLayer& layer = product.layer;
    const float *left[R], *right[R];
    Vector<float> sums[R][V];
    for (int r = 0; r < R; ++r) {
        left[r] = product.left.at(row + r);
        right[r] = product.right.at(row + r);
        const float* start = product.starts ? product.starts[row + r] + product.first : layer.bias;
        for (int v = 0; v < V; ++v)
            sums[r][v] = load(start + column + v * L);
    }
    const float* weight = layer.weight + column * layer.ins;
    add_products<R>(left, product.left.width, weight, sums);
    add_products<R>(right, product.right.width, weight + product.left.width * V * L, sums);
    for (int r = 0; r < R; ++r) {
        float* y = product.y + (row + r) * product.stride + column;
        for (int v = 0; v < V; ++v) {
            const bool leaks = column + v * L < product.leaky;
            store(y + v * L, leaks ? leaky_relu(sums[r][v]) : sums[r][v]);
        }
    }
}

// Up to R rows.
template <int R, int V>
inline void multiply_rest(const Product& product, std::int64_t row, std::int64_t n,
                          std::int64_t column) {
    if constexpr (R > 0) {
        if (n == R)
            multiply_block<R, V>(product, row, column);
        else
            multiply_rest<R - 1, V>(product, row, n, column);
    }
}

template <int V>
inline void multiply_group(const Product& product, std::int64_t n, std::int64_t column) {
    std::int64_t row = 0;
    for (; row + kBlock <= n; row += kBlock)
        multiply_block<kBlock, V>(product, row, column);
    multiply_rest<kBlock - 1, V>(product, row, n - row, column);
}

// Computes n rows of the product.
inline void multiply(const Product& product, std::int64_t n) {
    constexpr std::int64_t L = kLanes<float>;
    std::int64_t column = 0;
    for (; column + 4 * L <= product.layer.outs; column += 4 * L)
        multiply_group<4>(product, n, column);
    switch ((product.layer.outs - column) / L) {
    case 3:
        multiply_group<3>(product, n, column);
        break;
    case 2:
        multiply_group<2>(product, n, column);
        break;
    case 1:
        multiply_group<1>(product, n, column);
        break;
    }
}

} // namespace meprop::MEPROP_ISA
