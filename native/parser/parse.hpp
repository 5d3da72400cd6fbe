// Greedy transition-based parsing: a state's input is a sum of rows.
#pragma once

#include "base/best_score.hpp"
#include "base/buffer.hpp"
#include "parser/input_rows.hpp"
#include "parser/layers.hpp"
#include "parser/parser_state.hpp"

namespace meprop::MEPROP_ISA {

// `inputs.from(word)` has the rows of the sentence that begins with this word; collect(state) puts
// those of a state into its `rows`, of which there are `n`.
template <Activation A, class Inputs>
class GreedyParser {
 public:
    GreedyParser(const TransitionNetwork& network, const Inputs& inputs)
        : network_(network), inputs_(inputs), hidden_(widest(network)), scores_(widest(network)) {}

    bool parse(const TreeBatch& batch, std::int64_t sentence,
               const Exploration* exploration = nullptr) {
        const std::int32_t first = batch.bounds[sentence];
        const std::int32_t n = batch.bounds[sentence + 1] - first;
        const Buffer<std::int32_t> last_children(exploration ? n + 1 : 0);
        if (exploration)
            begin(*exploration, first, n, last_children);
        ParserState state(n);
        auto input = inputs_.from(first);
        const System system = network_.system;
        const std::int32_t right_start =
            static_cast<std::int32_t>(network_.left_start + network_.labels);
        while (!state.is_terminal()) {
            const int situation = state.situation(system);
            std::int32_t transition = network_.forced[situation];
            float probability = 1;
            if (transition < 0) {
                input.collect(state);
                const Choice choice = choose(input, situation);
                transition = choice.index;
                if (transition < 0)
                    return false;
                if (exploration && (*targets_++ = right_transition(state, situation)) < 0)
                    return false;
                if (batch.confidence)
                    probability = best_probability(scores_, choice.best,
                                                   network_.layers[network_.n_layers - 1].outs);
            } else if (exploration) {
                *targets_++ = transition;
            }
            if (exploration)
                *followed_++ = transition;
            std::int32_t child = 0;
            if (transition >= right_start)
                child = state.right_arc(transition - right_start);
            else if (transition >= network_.left_start)
                child = state.left_arc(system,
                                       transition - static_cast<std::int32_t>(network_.left_start));
            else if (transition == 0)
                state.shift();
            else
                state.swap();
            if (child && batch.confidence)
                batch.confidence[first + child - 1] = probability;
        }
        for (std::int32_t i = 0; i < n; ++i) {
            batch.heads[first + i] = state.heads[i + 1];
            batch.labels[first + i] = state.labels[i + 1];
        }
        return true;
    }

 private:
    static std::int64_t widest(const TransitionNetwork& network) {
        std::int64_t widest = network.hidden;
        for (std::int64_t i = 0; i < network.n_layers; ++i)
            widest = larger(widest, network.layers[i].outs);
        return widest;
    }

    void begin(const Exploration& exploration, std::int32_t first, std::int32_t n,
               std::int32_t* last_children) {
        gold_heads_ = exploration.heads + first;
        gold_labels_ = exploration.labels + first;
        followed_ = exploration.followed + 2 * first;
        targets_ = exploration.targets + 2 * first;
        last_children_ = last_children;
        for (std::int32_t i = 0; i <= n; ++i)
            last_children_[i] = 0;
        for (std::int32_t i = 0; i < n; ++i)
            last_children_[gold_heads_[i]] = i + 1;
    }

    // The best-scored transition of those that parsing/oracles.py calls correct, by the
    // scores of this state. Ties go to the first. Returns -1 if arc-hybrid cannot build the gold
    // tree.
    std::int32_t right_transition(const ParserState& state, int situation) {
        const std::int32_t s0 = state.stack(0),
                           b0 = state.buffer(0); // `none` is greater than all words
        std::int32_t best = -1;
        if (b0 != state.none && !state.shift_loses(gold_heads_))
            best = 0;
        if (s0 == ParserState::kRoot || last_children_[s0] >= b0)
            return best;
        const std::int32_t head = gold_heads_[s0 - 1];
        const auto left_start = static_cast<std::int32_t>(network_.left_start);
        if (head != state.stack(1) && head <= b0)
            best = best_label(best, left_start, s0, situation);
        if (head < b0)
            best = best_label(best, left_start + static_cast<std::int32_t>(network_.labels), s0,
                              situation);
        return best;
    }

    // The better of `best` and the arc with the gold label, or with any allowed label if the mask
    // forbids the gold one.
    std::int32_t best_label(std::int32_t best, std::int32_t start, std::int32_t child,
                            int situation) {
        const float* mask =
            network_.masks + situation * network_.layers[network_.n_layers - 1].outs;
        const std::int32_t gold = start + gold_labels_[child - 1];
        if (mask[gold] == 0)
            return better(best, gold);
        for (std::int32_t i = start; i < start + network_.labels; ++i) {
            if (mask[i] == 0)
                best = better(best, i);
        }
        return best;
    }

    std::int32_t better(std::int32_t best, std::int32_t transition) const {
        return best < 0 || scores_[transition] > scores_[best] ? transition : best;
    }

    Choice choose(const auto& input, int situation) {
        const Vector<float> check = first_layer<A>(network_, input, hidden_);
        for (std::int64_t i = 0; i + 1 < network_.n_layers; ++i) {
            const Layer& layer = network_.layers[i];
            apply_layer(layer, hidden_, scores_);
            hidden_.n = 0;
            for (std::int64_t j = 0; j < layer.outs; j += kLanes<float>)
                put<A>(load(scores_ + j), j, hidden_);
        }
        const Layer& last = network_.layers[network_.n_layers - 1];
        apply_layer(last, hidden_, scores_);
        float sum = 0;
        for (int lane = 0; lane < kLanes<float>; ++lane)
            sum += check[lane];
        if (!(sum == 0))
            return {-1, sum};
        return best_of(scores_, network_.masks + situation * last.outs, last.outs);
    }

    const TransitionNetwork& network_;
    const Inputs& inputs_;
    Hidden hidden_;
    const Buffer<float> scores_;
    // of the sentence that is being explored
    const std::int32_t *gold_heads_ = nullptr, *gold_labels_ = nullptr;
    std::int32_t *followed_ = nullptr, *targets_ = nullptr, *last_children_ = nullptr;
};

template <Activation A, class Inputs>
inline bool parse_all(const TransitionNetwork& network, const Inputs& inputs,
                      const TreeBatch& batch, const Exploration* exploration) {
    GreedyParser<A, Inputs> parser(network, inputs);
    for (std::int64_t s = 0; s < batch.sentences; ++s) {
        if (!parser.parse(batch, s, exploration))
            return false;
    }
    return true;
}

inline bool parse_or_explore(const ParserNetwork& network, const ParserBatch& batch,
                             const Exploration* exploration) {
    const FeatureInputs inputs(network, batch);
    switch (network.transitions.activation) {
    case Activation::relu:
        return parse_all<Activation::relu>(network.transitions, inputs, batch.trees, exploration);
    case Activation::cube:
        return parse_all<Activation::cube>(network.transitions, inputs, batch.trees, exploration);
    case Activation::tanh:
        return parse_all<Activation::tanh>(network.transitions, inputs, batch.trees, exploration);
    case Activation::leaky_relu:
        break; // of the joint model
    }
    return false;
}

inline bool parse(const ParserNetwork& network, const ParserBatch& batch) {
    return parse_or_explore(network, batch, nullptr);
}

inline bool explore(const ParserNetwork& network, const ParserBatch& batch,
                    const Exploration& exploration) {
    return parse_or_explore(network, batch, &exploration);
}

} // namespace meprop::MEPROP_ISA
