// A stack of BiLSTMs: all sentences advance together, the longest first.
//
// A gate's sum starts from the folded row or the bias, then adds the inputs, then the units.
#pragma once

#include "base/buffer.hpp"
#include "base/by_length.hpp"
#include "base/math.hpp"
#include "base/products.hpp"
#include "joint/product.hpp"
#include "lstm/lstm.hpp"

namespace meprop::MEPROP_ISA {

// A time step of one direction of a layer.
struct LayerStep {
    const LSTMDirection& direction;
    const ByLength& order;
    bool backward;
    const float* const* forms; // folded rows, for the first layer; or null, and
    Rows inputs;               // the states of the layer below
    std::int64_t form_column;  // where the direction's part of a folded row begins
    float* output;             // this direction's units of the first word
    std::int64_t stride;
    float* cells; // (sentences, padded)
    std::int32_t time;
};

template <int R>
inline void step_units(const LayerStep& step, std::int64_t sentence, std::int64_t panel) {
    constexpr std::int64_t L = kLanes<float>;
    const LSTMDirection& direction = step.direction;
    const std::int64_t column = panel * kGates * L;
    Vector<float> sums[R][kGates];
    float* output[R];
    const float *inputs[R], *previous[R];
    for (int r = 0; r < R; ++r) {
        const std::int64_t word = step.order.word(sentence + r, step.time, step.backward);
        const float* start =
            step.forms ? step.forms[word] + step.form_column : direction.gates.bias;
        for (int gate = 0; gate < kGates; ++gate)
            sums[r][gate] = load(start + column + gate * L);
        inputs[r] = step.inputs.at(word);
        output[r] = step.output + word * step.stride;
        previous[r] =
            step.time ? output[r] + (step.backward ? step.stride : -step.stride) : nullptr;
    }
    const float* weight = direction.gates.weight + column * direction.gates.ins;
    add_products<R>(inputs, step.inputs.width, weight, sums);
    if (step.time) {
        weight += step.inputs.width * kGates * L;
        add_products<R>(previous, direction.units, weight, sums);
    }
    for (int r = 0; r < R; ++r) {
        float* cell = step.cells + (sentence + r) * direction.padded + panel * L;
        const Vector<float> kept = step.time ? sigmoid(sums[r][1]) * load(cell) : Vector<float>{};
        const Vector<float> c = kept + sigmoid(sums[r][0]) * tanh(sums[r][2]);
        store(cell, c);
        store_lanes(output[r] + panel * L, sigmoid(sums[r][3]) * tanh(c),
                    direction.units - panel * L);
    }
}

// Up to R sentences.
template <int R>
inline void step_rest(const LayerStep& step, std::int64_t sentence, std::int64_t n,
                      std::int64_t panel) {
    if constexpr (R > 0) {
        if (n == R)
            step_units<R>(step, sentence, panel);
        else
            step_rest<R - 1>(step, sentence, n, panel);
    }
}

inline void run_direction(LayerStep step) {
    std::int64_t live = step.order.n;
    const std::int64_t panels = step.direction.padded / kLanes<float>;
    for (step.time = 0; step.time < step.order.steps; ++step.time) {
        while (live && step.order.length[live - 1] <= step.time)
            --live;
        for (std::int64_t panel = 0; panel < panels; ++panel) {
            std::int64_t s = 0;
            for (; s + kBlock <= live; s += kBlock)
                step_units<kBlock>(step, s, panel);
            step_rest<kBlock - 1>(step, s, live - s, panel);
        }
    }
}

inline void run_layer(const BiLSTMLayer& layer, const ByLength& order, const float* const* forms,
                      Rows inputs, float* output) {
    const LSTMDirection *forward = layer.directions, *backward = layer.directions + 1;
    const std::int64_t units = layer.units();
    const Buffer<float> cells(order.n * larger(forward->padded, backward->padded));
    run_direction({*forward, order, false, forms, inputs, 0, output, units, cells, 0});
    run_direction({*backward, order, true, forms, inputs, kGates * forward->padded,
                   output + forward->units, units, cells, 0});
}

inline void encode(const EncoderNetwork& network, const EncoderBatch& batch) {
    const ByLength order(batch.bounds, batch.sentences);
    const std::int64_t words = batch.bounds[batch.sentences];
    std::int64_t widest = 0;
    for (std::int64_t n = 0; n + 1 < network.n_layers; ++n)
        widest = larger(widest, network.layers[n].units());
    const Buffer<float> even(words * widest), odd(words * widest);
    Rows inputs;
    for (std::int64_t n = 0; n < network.n_layers; ++n) {
        const BiLSTMLayer& layer = network.layers[n];
        float* between = n % 2 ? odd : even;
        float* output = n + 1 < network.n_layers ? between : batch.context;
        run_layer(layer, order, n ? nullptr : batch.forms, inputs, output);
        inputs = {output, layer.units(), layer.units()};
    }
}

} // namespace meprop::MEPROP_ISA
