#include "joint/packed_layer.hpp"

#include <algorithm>
#include <cstdlib>
#include <new>

namespace meprop {

LayerMemory::LayerMemory(const float* weight, const float* bias, std::int64_t ins,
                         std::int64_t outs, std::int64_t lanes)
    : lanes_(lanes) {
    const std::int64_t padded = (outs + lanes - 1) / lanes * lanes, group = 4 * lanes;
    const std::int64_t n = (ins + 1) * padded; // the bias comes first
    const std::size_t bytes = static_cast<std::size_t>(n) * sizeof(float);
    // 64 bytes: the size of the widest vectors and of a cache line
    memory_.reset(static_cast<float*>(std::aligned_alloc(64, (bytes + 63) / 64 * 64)), std::free);
    float* packed = memory_.get();
    if (!packed)
        throw std::bad_alloc();
    std::fill(packed, packed + n, 0.0f);
    if (bias)
        std::copy(bias, bias + outs, packed);
    layer_ = {packed + padded, packed, ins, padded};
    packed += padded;
    for (std::int64_t first = 0; first < outs; first += group) {
        const std::int64_t width = std::min(group, padded - first);
        const std::int64_t used = std::min(group, outs - first);
        for (std::int64_t i = 0; i < ins; ++i, packed += width)
            std::copy(weight + i * outs + first, weight + i * outs + first + used, packed);
    }
}

} // namespace meprop
