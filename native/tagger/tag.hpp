// A BiLSTM tagger over folded rows: all sentences advance together, longest first; then one softmax
// per column.
#pragma once

#include "base/best_score.hpp"
#include "base/buffer.hpp"
#include "base/by_length.hpp"
#include "base/math.hpp"
#include "base/products.hpp"
#include "lstm/lstm.hpp"
#include "tagger/network.hpp"

namespace meprop::MEPROP_ISA {

// One time step of one direction.
struct Step {
    const TaggerNetwork& network;
    const TaggerBatch& batch;
    const ByLength& order;
    int direction;
    float* output; // (words, stride)
    std::int64_t stride;
    float* cells; // (sentences, padded)
    std::int32_t time;

    std::int64_t word(std::int64_t sentence, std::int32_t at) const {
        return order.word(sentence, at, direction == 1);
    }
};

template <int R>
inline void step_panel(const Step& step, std::int64_t sentence, std::int64_t panel) {
    constexpr std::int64_t L = kLanes<float>;
    const int d = step.direction;
    const std::int64_t units = step.network.units[d], padded = step.network.padded[d];
    const std::int64_t column = d ? step.network.padded[0] : 0;
    Vector<float> sums[R][kGates];
    float* output_row[R];
    const float* previous_row[R];
    for (int r = 0; r < R; ++r) {
        const std::int64_t word = step.word(sentence + r, step.time);
        const float* form = step.batch.forms[word] + kGates * (column + panel * L);
        for (int gate = 0; gate < kGates; ++gate)
            sums[r][gate] = load(form + gate * L);
        output_row[r] = step.output + word * step.stride + column;
        if (step.time)
            previous_row[r] =
                step.output + step.word(sentence + r, step.time - 1) * step.stride + column;
    }
    if (step.time) {
        const float* weight = step.network.recurrent[d] + panel * units * kGates * L;
        add_products<R>(previous_row, units, weight, sums);
    }
    for (int r = 0; r < R; ++r) {
        float* cell = step.cells + (sentence + r) * padded + panel * L;
        const Vector<float> kept = step.time ? sigmoid(sums[r][1]) * load(cell) : Vector<float>{};
        const Vector<float> c = kept + sigmoid(sums[r][0]) * tanh(sums[r][2]);
        store(cell, c);
        store(output_row[r] + panel * L, sigmoid(sums[r][3]) * tanh(c));
    }
}

inline void run_direction(Step step) {
    std::int64_t live = step.order.n;
    const std::int64_t panels = step.network.padded[step.direction] / kLanes<float>;
    for (step.time = 0; step.time < step.order.steps; ++step.time) {
        while (live && step.order.length[live - 1] <= step.time)
            --live;
        for (std::int64_t panel = 0; panel < panels; ++panel) {
            std::int64_t s = 0;
            for (; s + kBlock <= live; s += kBlock)
                step_panel<kBlock>(step, s, panel);
            for (; s + 2 <= live; s += 2)
                step_panel<2>(step, s, panel);
            if (s < live)
                step_panel<1>(step, s, panel);
        }
    }
}

// The scores of R words for all columns.
template <int R>
inline void score_words(const TaggerNetwork& network, const float* output, std::int64_t depth,
                        float* scores) {
    constexpr std::int64_t L = kLanes<float>;
    const float* rows[R];
    for (int r = 0; r < R; ++r)
        rows[r] = output + r * depth;
    for (std::int64_t first = 0; first < network.scores; first += kGates * L) {
        Vector<float> sums[R][kGates];
        for (int r = 0; r < R; ++r) {
            for (int v = 0; v < kGates; ++v)
                sums[r][v] = load(network.bias + first + v * L);
        }
        add_products<R>(rows, depth, network.heads + first * depth, sums);
        for (int r = 0; r < R; ++r) {
            for (int v = 0; v < kGates; ++v)
                store(scores + r * network.scores + first + v * L, sums[r][v]);
        }
    }
}

// Writes the best tag of each column for one word. Returns false if a score is not finite. Each
// column begins at a vector of its own.
inline bool choose_tags(const TaggerNetwork& network, const TaggerBatch& batch, std::int64_t word,
                        std::int64_t words, const float* masks, float* scores) {
    constexpr std::int64_t L = kLanes<float>;
    for (std::int64_t c = 0; c < network.n_columns; ++c) {
        const std::int64_t first = network.columns[2 * c];
        const std::int64_t width = ceil_div(network.columns[2 * c + 1], L) * L;
        const Choice choice = best_of(scores + first, masks + first, width);
        if (choice.index < 0)
            return false;
        batch.tags[c * words + word] = choice.index;
        if (batch.confidence)
            batch.confidence[c * words + word] =
                best_probability(scores + first, choice.best, width);
    }
    return true;
}

inline bool tag(const TaggerNetwork& network, const TaggerBatch& batch) {
    const std::int64_t words = batch.bounds[batch.sentences];
    const std::int64_t depth = network.padded[0] + network.padded[1];
    const ByLength order(batch.bounds, batch.sentences);
    const Buffer<float> output(words * depth);
    const Buffer<float> cells(order.n * larger(network.padded[0], network.padded[1]));
    for (int direction = 0; direction < 2; ++direction)
        run_direction({network, batch, order, direction, output, depth, cells, 0});

    const Buffer<float> scores(kBlock * network.scores), masks(network.scores);
    for (std::int64_t j = 0; j < network.scores; ++j)
        masks[j] = -__builtin_inff();
    for (std::int64_t c = 0; c < network.n_columns; ++c) {
        for (std::int32_t j = 0; j < network.columns[2 * c + 1]; ++j)
            masks[network.columns[2 * c] + j] = 0;
    }
    for (std::int64_t word = 0; word < words;) {
        int n = 1;
        if (word + kBlock <= words) {
            n = kBlock;
            score_words<kBlock>(network, output + word * depth, depth, scores);
        } else {
            score_words<1>(network, output + word * depth, depth, scores);
        }
        for (int r = 0; r < n; ++r, ++word) {
            if (!choose_tags(network, batch, word, words, masks, scores + r * network.scores))
                return false;
        }
    }
    return true;
}

} // namespace meprop::MEPROP_ISA
