// Products of states with a digit layer: whole numbers throughout, so that a sum is the same in any
// order and on any instruction set.
#pragma once

#include <string.h>

#include "base/products.hpp"
#include "joint/network.hpp"

namespace meprop::MEPROP_ISA {

#if defined(__AVX512F__) || defined(__AVX2__)

constexpr std::int64_t kDigitsTogether = 4;
using Digit = std::uint8_t;
using DigitWeight = std::int8_t;
using DigitSum = std::int32_t;

// sum + the four products of bytes of each lane. A digit is at most 126, so a sum of two products
// fits into 16 bits.
template <bool kVnni>
inline Vector<std::int32_t> add_four_products(Vector<std::int32_t> sum, Vector<std::int32_t> digits,
                                              Vector<std::int32_t> weights) {
#if defined(__AVX512F__)
    if constexpr (kVnni) {
        // not the intrinsic, which would need all kernels to be compiled for VNNI
        asm("vpdpbusd %2, %1, %0" : "+v"(sum) : "v"(digits), "v"(weights));
        return sum;
    }
    const __m512i pairs = _mm512_maddubs_epi16((__m512i)digits, (__m512i)weights);
    return sum + (Vector<std::int32_t>)_mm512_madd_epi16(pairs, _mm512_set1_epi16(1));
#else
    const __m256i pairs = _mm256_maddubs_epi16((__m256i)digits, (__m256i)weights);
    return sum + (Vector<std::int32_t>)_mm256_madd_epi16(pairs, _mm256_set1_epi16(1));
#endif
}

// As `add_products`, for digits.
template <bool kVnni, int R, int V>
inline void add_digit_products(const Digit* const* rows, std::int64_t depth,
                               const DigitWeight* weights, Vector<DigitSum> (&sums)[R][V]) {
    using I = Vector<std::int32_t>;
    for (std::int64_t c = 0; c < depth; c += kDigitsTogether, weights += V * kVectorBytes) {
        I w[V];
        for (int v = 0; v < V; ++v)
            w[v] = load(reinterpret_cast<const std::int32_t*>(weights + v * kVectorBytes));
        for (int r = 0; r < R; ++r) {
            std::int32_t four;
            memcpy(&four, rows[r] + c, sizeof four);
            const I digits = splat(four);
            for (int v = 0; v < V; ++v)
                sums[r][v] = add_four_products<kVnni>(sums[r][v], digits, w[v]);
        }
    }
}

// The sum before the first product: minus what the 63 in each digit will add.
inline Vector<DigitSum> first_sum(const std::int32_t* offset) {
    return -load(offset);
}

inline bool has_vnni() {
#if defined(__AVX512F__)
    return __builtin_cpu_supports("avx512vnni");
#else
    return false;
#endif
}

// Writes the digits of `width` states, at most a vector of them.
inline void store_digits(Digit* digits, Vector<float> states, std::int64_t width) {
    constexpr std::int64_t L = kLanes<float>;
    Digit bytes[L];
    store_low_bytes(width >= L ? digits : bytes,
                    nearest(states * kStateDigits) + static_cast<std::int32_t>(kStateDigits));
    if (width == L / 2) {
        memcpy(digits, bytes, L / 2);
    } else if (width < L) {
        for (std::int64_t i = 0; i < width; ++i)
            digits[i] = bytes[i];
    }
}

#else

constexpr std::int64_t kDigitsTogether = 1;
using Digit = float;
using DigitWeight = float;
using DigitSum = float;

template <bool kVnni, int R, int V>
inline void add_digit_products(const Digit* const* rows, std::int64_t depth,
                               const DigitWeight* weights, Vector<DigitSum> (&sums)[R][V]) {
    add_products<R>(rows, depth, weights, sums);
}

inline Vector<DigitSum> first_sum(const std::int32_t*) {
    return Vector<DigitSum>{};
}

inline bool has_vnni() {
    return false;
}

inline void store_digits(Digit* digits, Vector<float> states, std::int64_t width) {
    const Vector<float> scaled = states * kStateDigits;
    for (std::int64_t i = 0; i < smaller(width, kLanes<float>); ++i)
        digits[i] = __builtin_rintf(scaled[i]);
}

#endif

// The rows of one block: where their sums start from, their digits, side by side in two parts, and
// their outputs.
template <int R>
struct DigitBlock {
    const float* starts[R];
    const Digit *left[R], *right[R];
    float* y[R];
};

// Computes V vectors of the block's outputs, from `column` on. Not inlined: beside other code, the
// compiler does not keep all sums in registers.
template <bool kVnni, int R, int V>
__attribute__((noinline)) void multiply_digits(const DigitBlock<R>& block, std::int64_t left_width,
                                               std::int64_t right_width, const DigitLayer& layer,
                                               std::int64_t column) {
    constexpr std::int64_t L = kLanes<float>;
    const DigitWeight* weights = static_cast<const DigitWeight*>(layer.weight) + column * layer.ins;
    const std::int32_t* offset = layer.offsets + (right_width ? layer.outs : 0) + column;
    const float* scale = layer.scale + column;
    Vector<DigitSum> sums[R][V];
    for (int r = 0; r < R; ++r) {
        for (int v = 0; v < V; ++v)
            sums[r][v] = first_sum(offset + v * L);
    }
    add_digit_products<kVnni>(block.left, left_width, weights, sums);
    add_digit_products<kVnni>(block.right, right_width, weights + left_width * V * L, sums);
    for (int v = 0; v < V; ++v) {
        for (int r = 0; r < R; ++r) {
            const Vector<float> sum = __builtin_convertvector(sums[r][v], Vector<float>);
            store(block.y[r] + v * L, load(block.starts[r] + v * L) + load(scale + v * L) * sum);
        }
    }
}

} // namespace meprop::MEPROP_ISA
