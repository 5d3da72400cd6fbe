// exp, sigmoid, tanh and leaky ReLU of a vector.
//
// float: within 2 units in the last place over the whole range; NaN stays NaN (polynomials from
// Cephes, S. L. Moshier). double: the C library's functions, lane by lane.
#pragma once

#include <math.h>

#include "base/simd.hpp"

namespace meprop::MEPROP_ISA {

// For x from -87 to 88.
inline Vector<float> exp_in_range(Vector<float> x) {
    using V = Vector<float>;
    using I = Vector<std::int32_t>;
    // x = n ln 2 + r. Adding 1.5 * 2^23 rounds to an integer and leaves it in the low bits.
    const V shifted = x * 1.44269504088896341f + 12582912.0f;
    const V n = shifted - 12582912.0f;
    const V r = x - n * 0.693359375f + n * 2.12194440e-4f;
    V p = splat(1.9875691500e-4f);
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    p = p * r * r + r + 1.0f;
    const I exponent = ((I)shifted - 0x4b400000 + 127) << 23; // 0x4b400000: 1.5 * 2^23
    return p * (V)exponent;
}

// exp(-x) within 3e-7, relatively. From +-28 on it is that of +-28: a sigmoid is 0 or 1 within
// 1e-12 there, and products of three of these stay finite. Takes two thirds of the operations of
// exp.
inline Vector<float> bounded_exp_minus(Vector<float> x) {
    using V = Vector<float>;
    using I = Vector<std::int32_t>;
    x = clamped(x, -28, 28);
    const V shifted = 12582912.0f - x * 1.44269504088896341f; // as above
    const V n = shifted - 12582912.0f;
    const V r = -x - n * 0.6931471805599453f;
    // the polynomial with the least relative error of those that begin with 1 + r
    V p = splat(8.3125252e-3f);
    p = p * r + 4.1890115e-2f;
    p = p * r + 1.66671142e-1f;
    p = p * r + 4.99992311e-1f;
    p = p * r + 1.0f;
    p = p * r + 1.0f;
    return (V)((I)p + ((I)shifted << 23)); // n is added to the exponent
}

inline Vector<float> exp(Vector<float> x) {
    x = x > 88.0f ? splat(88.0f) : x;
    x = x < -87.0f ? splat(-87.0f) : x;
    return exp_in_range(x);
}

inline Vector<float> tanh(Vector<float> x) {
    using V = Vector<float>;
    using I = Vector<std::int32_t>;
    const I sign = (I)x & static_cast<std::int32_t>(0x80000000u);
    const V magnitude = (V)((I)x & 0x7fffffff);
    const V e = exp(-2.0f * magnitude);
    const V far = (V)((I)((1.0f - e) / (1.0f + e)) | sign);
    const V z = x * x; // near zero, 1 - e would lose digits
    V p = splat(-5.70498872745e-3f);
    p = p * z + 2.06390887954e-2f;
    p = p * z - 5.37397155531e-2f;
    p = p * z + 1.33314422036e-1f;
    p = p * z - 3.33332819422e-1f;
    const V near = p * z * x + x;
    return magnitude < 0.625f ? near : far;
}

inline Vector<double> exp(Vector<double> x) {
    for (int i = 0; i < kLanes<double>; ++i)
        x[i] = ::exp(x[i]);
    return x;
}

inline Vector<double> tanh(Vector<double> x) {
    for (int i = 0; i < kLanes<double>; ++i)
        x[i] = ::tanh(x[i]);
    return x;
}

template <class V>
inline V sigmoid(V x) {
    return 1 / (1 + exp(-x));
}

// The activation of the joint model's heads.
inline Vector<float> leaky_relu(Vector<float> x) {
    const Vector<float> leak = 0.1f * x;
    return x > leak ? x : leak;
}

} // namespace meprop::MEPROP_ISA
