// The layers of a frozen parser: sums of rows, activations, products over nonzero units.
#pragma once

#include "base/buffer.hpp"
#include "base/math.hpp"
#include "base/simd.hpp"
#include "parser/network.hpp"

namespace meprop::MEPROP_ISA {

// Hidden units, and the indices of those that are not zero: with relu, half of them or more are
// zero.
struct Hidden {
    explicit Hidden(std::int64_t widest) : values(widest), indices(widest + kSpareIndices) {}

    const Buffer<float> values;
    const Buffer<std::int32_t> indices;
    int n = 0;
};

template <Activation A>
inline Vector<float> activate(Vector<float> x) {
    if constexpr (A == Activation::relu)
        return x > 0 ? x : Vector<float>{};
    else if constexpr (A == Activation::cube)
        return x * x * x;
    else if constexpr (A == Activation::tanh)
        return tanh(x);
    else
        return leaky_relu(x);
}

template <Activation A>
inline void put(Vector<float> x, std::int64_t first, Hidden& hidden) {
    constexpr std::int64_t L = kLanes<float>;
    const Vector<float> y = activate<A>(x);
    store(hidden.values + first, y);
    if constexpr (A == Activation::relu) {
        // the bits of a positive float, or of a positive NaN, are a positive integer
        const Vector<std::int32_t> bits = (Vector<std::int32_t>)y;
        hidden.n += write_lane_indices<std::int32_t>(hidden.indices + hidden.n,
                                                     at_least(bits, splat(std::int32_t{1})),
                                                     static_cast<std::int32_t>(first));
    } else {
        for (int lane = 0; lane < L; ++lane)
            hidden.indices[hidden.n++] = static_cast<std::int32_t>(first) + lane;
    }
}

template <Activation A, int Vectors>
inline Vector<float> add_rows(const float* bias, const auto& input, std::int64_t first,
                              Hidden& hidden) {
    constexpr std::int64_t L = kLanes<float>;
    Vector<float> sums[Vectors];
    for (int v = 0; v < Vectors; ++v)
        sums[v] = load(bias + first + v * L);
    for (int r = 0; r < input.n; ++r) {
        for (int v = 0; v < Vectors; ++v)
            sums[v] += load(input.rows[r] + first + v * L);
    }
    Vector<float> check{};
    for (int v = 0; v < Vectors; ++v) {
        check += sums[v] - sums[v];
        put<A>(sums[v], first + v * L, hidden);
    }
    return check;
}

// Computes the first hidden layer of a state. Returns zeros unless a sum is not finite.
template <Activation A>
inline Vector<float> first_layer(const TransitionNetwork& network, const auto& input,
                                 Hidden& hidden) {
    constexpr std::int64_t L = kLanes<float>;
    hidden.n = 0;
    Vector<float> check{};
    std::int64_t first = 0;
    for (; first + 8 * L <= network.hidden; first += 8 * L)
        check += add_rows<A, 8>(network.bias, input, first, hidden);
    for (; first + 4 * L <= network.hidden; first += 4 * L)
        check += add_rows<A, 4>(network.bias, input, first, hidden);
    for (; first < network.hidden; first += L)
        check += add_rows<A, 1>(network.bias, input, first, hidden);
    return check;
}

template <int Vectors>
inline void layer_columns(const Layer& layer, const Hidden& x, std::int64_t first, float* y) {
    constexpr std::int64_t L = kLanes<float>;
    Vector<float> sums[Vectors];
    for (int v = 0; v < Vectors; ++v)
        sums[v] = load(layer.bias + first + v * L);
    for (int i = 0; i < x.n; ++i) {
        const std::int64_t unit = x.indices[i];
        const Vector<float> factor = splat(x.values[unit]);
        const float* weight = layer.weight + unit * layer.outs + first;
        for (int v = 0; v < Vectors; ++v)
            sums[v] += factor * load(weight + v * L);
    }
    for (int v = 0; v < Vectors; ++v)
        store(y + first + v * L, sums[v]);
}

inline void apply_layer(const Layer& layer, const Hidden& x, float* y) {
    constexpr std::int64_t L = kLanes<float>;
    std::int64_t first = 0;
    for (; first + 8 * L <= layer.outs; first += 8 * L)
        layer_columns<8>(layer, x, first, y);
    switch ((layer.outs - first) / L) {
    case 7:
        layer_columns<7>(layer, x, first, y);
        break;
    case 6:
        layer_columns<6>(layer, x, first, y);
        break;
    case 5:
        layer_columns<5>(layer, x, first, y);
        break;
    case 4:
        layer_columns<4>(layer, x, first, y);
        break;
    case 3:
        layer_columns<3>(layer, x, first, y);
        break;
    case 2:
        layer_columns<2>(layer, x, first, y);
        break;
    case 1:
        layer_columns<1>(layer, x, first, y);
        break;
    }
}

} // namespace meprop::MEPROP_ISA
