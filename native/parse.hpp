// Greedy transition-based parsing over folded rows, and the choice of the best score.
#pragma once

#include "layers.hpp"

namespace meprop::MEPROP_ISA {

struct Choice {
    std::int32_t index; // -1: a score is not finite, or nothing is allowed
    float best;
};

// The first of the highest scores, mask added; scores are masked in place.
inline Choice best_of(float* scores, const float* mask, std::int64_t n) {
    constexpr std::int64_t L = kLanes<float>;
    Vector<float> best = splat(-__builtin_inff()), check{};
    for (std::int64_t j = 0; j < n; j += L) {
        const Vector<float> score = load(scores + j), masked = score + load(mask + j);
        check += score - score;
        best = best < masked ? masked : best;
        store(scores + j, masked);
    }
    float top = best[0], sum = check[0];
    for (int lane = 1; lane < L; ++lane) {
        top = larger(top, best[lane]);
        sum += check[lane];
    }
    if (!(sum == 0) || !(top > -__builtin_inff()))
        return {-1, top};
    for (std::int64_t j = 0; j < n; j += L) {
        const std::uint32_t equal = equal_lanes(load(scores + j), splat(top));
        if (equal)
            return {static_cast<std::int32_t>(j) + __builtin_ctz(equal), top};
    }
    return {-1, top};
}

// The softmax of the best of n masked scores.
inline float best_share(const float* scores, float best, std::int64_t n) {
    constexpr std::int64_t L = kLanes<float>;
    Vector<float> sum{};
    for (std::int64_t j = 0; j < n; j += L) {
        const Vector<float> score = load(scores + j);
        sum += score > -__builtin_inff() ? exp(score - best) : Vector<float>{};
    }
    float total = 0;
    for (int lane = 0; lane < L; ++lane)
        total += sum[lane];
    return 1 / total;
}

template <Activation A>
class GreedyParser {
 public:
    explicit GreedyParser(const ParserNetwork& network) : network_(network), missing_(network) {
        std::int64_t widest = network.hidden;
        for (std::int64_t i = 0; i < network.n_layers; ++i)
            widest = larger(widest, network.layers[i].outs);
        hidden_.values = scratch<float>(Scratch::accumulator, 2 * widest);
        scores_ = hidden_.values + widest;
        // the places are written a whole vector at a time
        hidden_.places = scratch<std::int32_t>(Scratch::row_index, widest + kLanes<float>);
    }

    bool parse(const ParserBatch& batch, std::int64_t sentence) {
        const std::int32_t first = batch.bounds[sentence];
        const std::int32_t n = batch.bounds[sentence + 1] - first;
        ParserState state(n);
        InputRows input(network_, missing_, batch.forms + first, batch.tags + first);
        const System system = network_.system;
        const std::int32_t right_start =
            static_cast<std::int32_t>(network_.left_start + network_.labels);
        while (!state.is_terminal()) {
            const int situation = state.situation(system);
            std::int32_t move = network_.forced[situation];
            float share = 1;
            if (move < 0) {
                input.collect(state);
                const Choice choice = choose(input, situation);
                move = choice.index;
                if (move < 0)
                    return false;
                if (batch.confidence)
                    share = best_share(scores_, choice.best,
                                       network_.layers[network_.n_layers - 1].outs);
            }
            std::int32_t child = 0;
            if (move >= right_start)
                child = state.right_arc(move - right_start);
            else if (move >= network_.left_start)
                child =
                    state.left_arc(system, move - static_cast<std::int32_t>(network_.left_start));
            else if (move == 0)
                state.shift();
            else
                state.swap();
            if (child && batch.confidence)
                batch.confidence[first + child - 1] = share;
        }
        for (std::int32_t i = 0; i < n; ++i) {
            batch.heads[first + i] = state.heads[i + 1];
            batch.labels[first + i] = state.labels[i + 1];
        }
        return true;
    }

 private:
    Choice choose(const InputRows& input, int situation) {
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

    const ParserNetwork& network_;
    MissingRows missing_;
    Hidden hidden_;
    float* scores_;
};

template <Activation A>
inline bool parse_all(const ParserNetwork& network, const ParserBatch& batch) {
    GreedyParser<A> parser(network);
    for (std::int64_t s = 0; s < batch.sentences; ++s) {
        if (!parser.parse(batch, s))
            return false;
    }
    return true;
}

inline bool parse(const ParserNetwork& network, const ParserBatch& batch) {
    switch (network.activation) {
    case Activation::relu:
        return parse_all<Activation::relu>(network, batch);
    case Activation::cube:
        return parse_all<Activation::cube>(network, batch);
    case Activation::tanh:
        return parse_all<Activation::tanh>(network, batch);
    }
    return false;
}

} // namespace meprop::MEPROP_ISA
