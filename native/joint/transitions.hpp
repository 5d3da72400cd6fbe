// Trees by transitions: a state is scored by the vectors of a few of its words.
//
// A word's part of the first layer's sum depends on the word and on its place in the state, so it
// is computed once for each place (Kiperwasser & Goldberg 2016).
#pragma once

#include "base/buffer.hpp"
#include "joint/product.hpp"
#include "joint/state_product.hpp"
#include "joint/tag_product.hpp"
#include "parser/parse.hpp"

namespace meprop::MEPROP_ISA {

// The rows whose sum is the input of a state.
class StateInput {
 public:
    StateInput(const PlaceRows& places, std::int64_t word, std::int64_t hidden)
        : words_(places.words + word * kStateWords * hidden), special_(places.special),
          hidden_(hidden) {}

    void collect(const ParserState& state) {
        const std::int32_t words[] = {state.stack(0), state.stack(1), state.stack(2),
                                      state.buffer(0)};
        const std::int64_t width = kStateWords * hidden_;
        for (int p = 0; p < kStateWords; ++p) {
            const float* row = special_;
            if (words[p] == state.none)
                row += width;
            else if (words[p] != ParserState::kRoot)
                row = words_ + (words[p] - 1) * width;
            rows[p] = row + p * hidden_;
        }
    }

    const float* rows[kStateWords];
    static constexpr int n = kStateWords;

 private:
    const float *words_, *special_;
    const std::int64_t hidden_;
};

struct StateInputs {
    const PlaceRows& places;
    const std::int64_t hidden, first; // the word in the batch that has the first rows

    StateInput from(std::int64_t word) const { return {places, word - first, hidden}; }
};

inline bool explore_rows(const TransitionNetwork& network, const PlaceRows& places,
                         const TreeBatch& batch, const Exploration& exploration) {
    const StateInputs inputs{places, network.hidden, 0};
    return parse_all<Activation::leaky_relu>(network, inputs, batch, &exploration);
}

// Parses all sentences, a few at a time. Returns false if a score is not finite.
inline bool parse_states(const StateParserNetwork& network, const WordStates& states,
                         const TreeBatch& batch) {
    const std::int64_t width = network.context.outs;
    for (std::int64_t s = 0; s < batch.sentences;) {
        const std::int64_t first = s, word = batch.bounds[s];
        while (s < batch.sentences && batch.bounds[s] - word < kTogether)
            ++s;
        const std::int64_t n = batch.bounds[s] - word;
        const Buffer<float> rows(n * width);
        multiply({network.context, StateDigits(states, word, n), rows, width}, n);
        add_tag_product(network.tags, states, word, n, rows, width, 0);
        const PlaceRows places{rows, network.special};
        const StateInputs inputs{places, network.transitions.hidden, word};
        GreedyParser<Activation::leaky_relu, StateInputs> parser(network.transitions, inputs);
        for (std::int64_t each = first; each < s; ++each) {
            if (!parser.parse(batch, each, nullptr))
                return false;
        }
    }
    return true;
}

} // namespace meprop::MEPROP_ISA
