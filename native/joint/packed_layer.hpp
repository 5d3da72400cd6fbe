// Packs the weights of a linear layer for the instruction set in use.
#pragma once

#include <cstdint>
#include <memory>

#include "joint/network.hpp"

namespace meprop {

// Owns the arrays of a PackedLayer; copies share them.
class LayerMemory {
 public:
    // weight (ins, outs); bias (outs), or null for zeros. The columns are padded to the lanes.
    LayerMemory(const float* weight, const float* bias, std::int64_t ins, std::int64_t outs,
                std::int64_t lanes);

    PackedLayer layer() const { return layer_; }
    std::int64_t lanes() const { return lanes_; }

 private:
    std::int64_t lanes_;
    std::shared_ptr<float> memory_;
    PackedLayer layer_;
};

} // namespace meprop
