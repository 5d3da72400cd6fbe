// The best of masked scores, and its softmax probability.
#pragma once

#include "base/math.hpp"
#include "base/simd.hpp"

namespace meprop::MEPROP_ISA {

struct Choice {
    std::int32_t index; // -1: a score is not finite, or the mask allows none
    float best;
};

// Adds the mask to the scores in place and returns the highest; ties go to the lowest index.
inline Choice best_of(float* scores, const float* mask, std::int64_t n) {
    constexpr std::int64_t L = kLanes<float>;
    Vector<float> best = splat(-__builtin_inff()), check{};
    for (std::int64_t j = 0; j < n; j += L) {
        const Vector<float> score = load(scores + j), masked = score + load(mask + j);
        check += score - score;
        best = best < masked ? masked : best;
        store(scores + j, masked);
    }
    float top = best[0], sum = check[0];
    for (int lane = 1; lane < L; ++lane) {
        top = larger(top, best[lane]);
        sum += check[lane];
    }
    if (!(sum == 0) || !(top > -__builtin_inff()))
        return {-1, top};
    for (std::int64_t j = 0; j < n; j += L) {
        const std::uint32_t equal = equal_lanes(load(scores + j), splat(top));
        if (equal)
            return {static_cast<std::int32_t>(j) + __builtin_ctz(equal), top};
    }
    return {-1, top};
}

// The softmax probability of the best of n masked scores.
inline float best_probability(const float* scores, float best, std::int64_t n) {
    constexpr std::int64_t L = kLanes<float>;
    Vector<float> sum{};
    for (std::int64_t j = 0; j < n; j += L) {
        const Vector<float> score = load(scores + j);
        sum += score > -__builtin_inff() ? exp(score - best) : Vector<float>{};
    }
    float total = 0;
    for (int lane = 0; lane < L; ++lane)
        total += sum[lane];
    return 1 / total;
}

} // namespace meprop::MEPROP_ISA
