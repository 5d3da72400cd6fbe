// What the bindings of the joint model's heads share: packed layers, states, and their checks.
#pragma once

#include <optional>
#include <stdexcept>
#include <vector>

#include "base/border.hpp"
#include "dispatch.hpp"
#include "joint/packed_layer.hpp"

namespace meprop::border {

using Probabilities = std::optional<Matrix<const float>>;

// Throws if a kernel returned false.
inline void require_finite(bool finite) {
    if (!finite)
        throw std::domain_error("scores are not finite");
}

// The kernels that a network's layers were packed for.
class ForKernels {
 protected:
    ForKernels() : kernels_(&kernels()) {}

    PackedLayer use(const LayerMemory& memory) {
        require(memory.lanes() == kernels_->lanes, kOtherInstructions);
        held_.push_back(memory);
        return memory.layer();
    }
    DigitLayer use(const DigitMemory& memory) {
        require(memory.lanes() == kernels_->lanes, kOtherInstructions);
        held_digits_.push_back(memory);
        return memory.layer();
    }
    // Of a layer that reads states alone, and no units of its own.
    DigitLayer use_over_states(const DigitMemory& memory) {
        require(memory.states() == memory.layer().ins, "a layer of a head has no units");
        return use(memory);
    }

    std::int64_t padded(std::int64_t width) const {
        return (width + kernels_->lanes - 1) / kernels_->lanes * kernels_->lanes;
    }

    const Kernels* kernels_;

 private:
    static constexpr const char* kOtherInstructions = "a layer was packed for other instructions";
    std::vector<LayerMemory> held_;
    std::vector<DigitMemory> held_digits_;
};

inline WordStates states_of(const Matrix<const float>& context, const Probabilities& tags) {
    const std::int64_t words = size(context, 0);
    require(!tags || size(*tags, 0) == words, "tags must have a row for each word");
    return {words, context.data(), size(context, 1), tags ? tags->data() : nullptr,
            tags ? size(*tags, 1) : 0};
}

inline void require_word_count(const auto& array, std::int64_t words) {
    require(size(array, 0) == words, "results must have a value for each word");
}

// The results of a tree head have a value for each word.
inline void require_trees(std::int64_t words, const Row<std::int32_t>& heads,
                          const Row<std::int32_t>& labels,
                          const std::optional<Row<float>>& confidence) {
    require_word_count(heads, words);
    require_word_count(labels, words);
    if (confidence)
        require_word_count(*confidence, words);
}

constexpr PackedLayer kNoLayer{nullptr, nullptr, 0, 0};

// The states have to fit their reader, and so has the layer that turns the probabilities of tags
// into a vector. `tags` has no outputs if the head reads no tags.
inline void require_tags(const WordStates& states, const PackedLayer& tags,
                         const DigitLayer& context, const PackedLayer& reader, std::int64_t lanes) {
    const std::int64_t width = reader.ins, padded = (width + lanes - 1) / lanes * lanes;
    require(digits_of(states.width) == context.ins &&
                (tags.outs ? width >= 1 && padded == tags.outs && states.n_tags == tags.ins
                           : width == 0),
            "context and tags do not fit the layers");
}

} // namespace meprop::border
