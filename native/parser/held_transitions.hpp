// A TransitionNetwork together with the arrays that it points to, all checked.
#pragma once

#include <nanobind/stl/vector.h>

#include <vector>

#include "dispatch.hpp"

namespace meprop::border {

using HeldMatrix = HeldArray<const float, 2>;
using HeldRow = HeldArray<const float, 1>;

class HeldTransitions {
 public:
    HeldTransitions(int system, int activation, HeldRow bias, std::vector<HeldMatrix> weights,
                    std::vector<HeldRow> biases, std::int64_t left_start, std::int64_t transitions,
                    HeldMatrix masks, HeldArray<const Index, 1> forced)
        : bias_(bias), weights_(std::move(weights)), biases_(std::move(biases)), masks_(masks),
          forced_(forced), kernels_(&meprop::kernels()) {
        const std::int64_t hidden = size(bias, 0), lanes = kernels_->lanes;
        const std::int64_t labels = (transitions - left_start) / 2;
        require(0 <= system && system <= 2, "there is no such transition system");
        require(0 <= activation && activation <= 3, "there is no such activation");
        require(hidden % lanes == 0, "the hidden layer must be a multiple of the lanes");
        require(!weights_.empty() && weights_.size() == biases_.size(),
                "weights and biases must be those of one layer or more");
        std::int64_t width = hidden;
        for (std::size_t i = 0; i < weights_.size(); ++i) {
            const std::int64_t outs = size(biases_[i], 0);
            require(
                has_shape(weights_[i], width, outs) && outs % lanes == 0,
                "a layer must be (outputs of the one before, outputs), a multiple of the lanes");
            layers_.push_back({weights_[i].data(), biases_[i].data(), width, outs});
            width = outs;
        }
        const std::int64_t situations = system == 2 ? 8 : 6;
        require((left_start == 1 || left_start == 2) && labels >= 1 &&
                    transitions == left_start + 2 * labels && transitions <= width &&
                    has_shape(masks, situations, width) && size(forced, 0) == situations,
                "masks must be (situations, outputs) of a transition system");
        for (std::int64_t s = 0; s < situations; ++s) {
            const Index transition = forced.data()[s];
            require(-1 <= transition && transition < transitions, "a forced transition is not one");
            for (std::int64_t j = 0; j < width; ++j) {
                const bool allowed = masks.data()[s * width + j] == 0;
                // otherwise the state would be accessed outside its arrays
                require(!(allowed || transition == j) ||
                            is_possible(system, s, j, left_start, labels),
                        "masks allow a transition that is not possible");
            }
        }
        network_ = {static_cast<System>(system),
                    static_cast<Activation>(activation),
                    hidden,
                    bias_.data(),
                    nullptr,
                    static_cast<std::int64_t>(layers_.size()),
                    labels,
                    left_start,
                    transitions,
                    masks_.data(),
                    forced_.data()};
    }

    // Those that the widths are padded for.
    const Kernels& kernels() const { return *kernels_; }

    TransitionNetwork network() const {
        TransitionNetwork network = network_;
        network.layers = layers_.data(); // a copy has layers of its own
        return network;
    }

 private:
    // Whether the transition is possible in every state of this situation, a row of
    // TransitionSystem.masks.
    static bool is_possible(int system, std::int64_t situation, std::int64_t transition,
                            std::int64_t left_start, std::int64_t labels) {
        const std::int64_t stacked = situation < 4 ? situation / 2 + 1 : 3; // or more
        const bool buffered = situation % 2 == 0;
        if (transition == 0)
            return buffered;
        if (transition < left_start)
            return system == 2 && (situation == 4 || situation == 5);
        if (transition < left_start + labels)
            return system == 1 ? buffered && stacked > 1 : stacked > 2;
        // attaching to ROOT before the buffer is empty would leave words without a head
        return transition < left_start + 2 * labels && (stacked > 2 || (stacked == 2 && !buffered));
    }

    HeldRow bias_;
    std::vector<HeldMatrix> weights_;
    std::vector<HeldRow> biases_;
    HeldMatrix masks_;
    HeldArray<const Index, 1> forced_;
    const Kernels* kernels_;
    std::vector<Layer> layers_;
    TransitionNetwork network_;
};

// Checks what an exploration reads and writes, and returns it.
inline Exploration exploration_of(const TransitionNetwork& network, const Row<const Index>& bounds,
                                  const Row<const Index>& heads, const Row<const Index>& labels,
                                  const Row<Index>& followed, const Row<Index>& targets,
                                  std::int64_t words) {
    require(network.system == System::arc_hybrid, "only arc-hybrid has a dynamic oracle here");
    require(size(heads, 0) == words && size(labels, 0) == words && size(followed, 0) == 2 * words &&
                size(targets, 0) == 2 * words,
            "gold trees must be of the same words, and there are two transitions a word");
    for (std::int64_t s = 0; s + 1 < size(bounds, 0); ++s) {
        const Index first = bounds.data()[s], length = bounds.data()[s + 1] - first;
        for (Index i = first; i < first + length; ++i)
            require(0 <= heads.data()[i] && heads.data()[i] <= length && 0 <= labels.data()[i] &&
                        labels.data()[i] < network.labels,
                    "gold heads or labels are out of range");
    }
    return {heads.data(), labels.data(), followed.data(), targets.data()};
}

} // namespace meprop::border
