// The best of the scores of a softmax, and the probabilities.
#pragma once

#include "base/best_score.hpp"
#include "base/math.hpp"
#include "base/simd.hpp"

namespace meprop::MEPROP_ISA {

inline Vector<std::int32_t> lane_numbers() {
    Vector<std::int32_t> numbers{};
    for (int lane = 0; lane < kLanes<float>; ++lane)
        numbers[lane] = lane;
    return numbers;
}

// Returns the highest of n scores; ties go to the lowest index. Reads up to a whole vector more.
inline Choice choose(const float* scores, std::int64_t n) {
    using I = Vector<std::int32_t>;
    constexpr std::int64_t L = kLanes<float>;
    const I lanes = lane_numbers();
    Vector<float> best = splat(-__builtin_inff()), check{};
    I best_index{};
    for (std::int64_t j = 0; j < n; j += L) {
        const I index = lanes + static_cast<std::int32_t>(j);
        Vector<float> score = load(scores + j);
        if (j + L > n)
            score = index < static_cast<std::int32_t>(n) ? score : splat(scores[0]);
        check += score - score;
        const I is_better = score > best;
        best = is_better ? score : best;
        best_index = is_better ? index : best_index;
    }
    float top = best[0], sum = check[0];
    for (int lane = 1; lane < L; ++lane) {
        top = larger(top, best[lane]);
        sum += check[lane];
    }
    if (!(sum == 0))
        return {-1, top};
    std::int32_t first = static_cast<std::int32_t>(n);
    for (std::uint32_t equal = equal_lanes(best, splat(top)); equal; equal &= equal - 1)
        first = smaller(first, static_cast<std::int32_t>(best_index[__builtin_ctz(equal)]));
    return {first, top};
}

// Writes exp(score - top) of n scores and returns their sum. Reads and writes up to a whole vector
// more.
inline float exponentials(const float* scores, std::int64_t n, float top, float* y) {
    constexpr std::int64_t L = kLanes<float>;
    Vector<float> sum{};
    for (std::int64_t j = 0; j < n; j += L) {
        Vector<float> value = exp(load(scores + j) - top);
        if (j + L > n)
            value = lane_numbers() < static_cast<std::int32_t>(n - j) ? value : Vector<float>{};
        store(y + j, value);
        sum += value;
    }
    float total = 0;
    for (int lane = 0; lane < L; ++lane)
        total += sum[lane];
    return total;
}

} // namespace meprop::MEPROP_ISA
