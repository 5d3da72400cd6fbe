// Packs the weights of a linear layer for the instruction set in use.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

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

// The same for a TagLayer.
class TagMemory {
 public:
    // weight (ends.back(), outs), whose columns are padded to the lanes. Each of the ends, of which
    // there is one or more, is the tag after the last one of a column.
    TagMemory(const float* weight, std::int64_t outs, std::vector<std::int32_t> ends,
              std::int64_t lanes);

    TagLayer layer() const;
    std::int64_t lanes() const { return memory_.lanes(); }

 private:
    std::shared_ptr<const std::vector<std::int32_t>> ends_;
    LayerMemory memory_;
};

// The same for a DigitLayer.
class DigitMemory {
 public:
    // digits (ins, outs), of which the first `states` rows are for the states of the layer below;
    // scale, bias (outs). `outs` is a multiple of half the lanes, and both parts of `ins` of
    // kMostDigitsTogether.
    DigitMemory(const std::int32_t* digits, const float* scale, const float* bias,
                std::int64_t states, std::int64_t ins, std::int64_t outs, std::int64_t lanes,
                std::int64_t digits_together);

    DigitLayer layer() const { return layer_; }
    std::int64_t states() const { return states_; }
    std::int64_t lanes() const { return lanes_; }

 private:
    std::int64_t states_, lanes_;
    std::shared_ptr<void> weight_;
    std::shared_ptr<float> scale_and_bias_;
    std::shared_ptr<std::int32_t> offsets_;
    DigitLayer layer_;
};

} // namespace meprop
