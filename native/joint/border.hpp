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
    // Without one, there are no tags.
    TagLayer use(const std::optional<TagMemory>& memory) {
        if (!memory)
            return {};
        require(memory->lanes() == kernels_->lanes, kOtherInstructions);
        held_tags_.push_back(*memory);
        return memory->layer();
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
    std::vector<TagMemory> held_tags_;
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

// The layers over states and tags must have the same outputs.
inline void require_same_outputs(const DigitLayer& context, const TagLayer& tags) {
    require(tags.n_columns == 0 || tags.layer.outs == context.outs,
            "the layers over context and tags must have the same outputs");
}

// The states must fit the layers that read them.
inline void require_fit(const WordStates& states, const DigitLayer& context, const TagLayer& tags) {
    require(digits_of(states.width) == context.ins &&
                (tags.n_columns == 0 || states.n_tags == tags.n_tags),
            "context and tags do not fit the layers");
}

} // namespace meprop::border
