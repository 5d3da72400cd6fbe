// A stack of BiLSTMs: all sentences advance together, the longest first.
//
// A gate is the folded row or the bias, plus the product of the digits of the states below and of
// the direction's own units.
#pragma once

#include <string.h>

#include "base/buffer.hpp"
#include "base/by_length.hpp"
#include "base/math.hpp"
#include "joint/digits.hpp"
#include "joint/product.hpp"
#include "lstm/lstm.hpp"

namespace meprop::MEPROP_ISA {

// A time step of one direction of a layer.
struct LayerStep {
    const LSTMDirection& direction;
    const ByLength& order;
    bool backward;
    const float* const* forms; // folded rows, for the first layer; or null, and
    const Digit* inputs;       // the states of the layer below: (words, input_width)
    std::int64_t input_width;
    std::int64_t form_column; // where the direction's part of a folded row begins
    Digit* digits;            // of this direction's units of the first word
    std::int64_t digit_stride;
    float* output; // the same as float32, or null
    std::int64_t stride;
    float* cells; // (sentences, padded)
    std::int32_t time;
};

// The gates of a panel, and room for loading a whole vector of the last gate of half a panel.
constexpr int kGateBuffer = (kGates + 1) * static_cast<int>(kLanes<float>);

// Computes a panel of G units of R rows: c = sigmoid(f) c + sigmoid(i) tanh(g), and the states
// sigmoid(o) tanh(c). With sigmoid(x) = 1 / (1 + exp(-x)) and tanh(x) = (1 - exp(-2x)) /
// (1 + exp(-2x)), over common denominators, that takes two divisions.
template <int R, int G>
__attribute__((noinline)) void update_cells(const float (&gates)[R][kGateBuffer], bool is_first,
                                            float* const* cells, Digit* const* digits,
                                            float* const* outputs, std::int64_t width) {
    using V = Vector<float>;
    for (int r = 0; r < R; ++r) {
        const V i = 1.0f + bounded_exp_minus(load(gates[r]));
        const V f = 1.0f + bounded_exp_minus(load(gates[r] + G));
        const V g = bounded_exp_minus(2.0f * load(gates[r] + 2 * G));
        const V o = 1.0f + bounded_exp_minus(load(gates[r] + 3 * G));
        const V before = is_first ? V{} : load(cells[r]);
        const V ig = i * (1.0f + g);
        const V c = (before * ig + (1.0f - g) * f) / (ig * f);
        const V e = bounded_exp_minus(2.0f * c);
        const V states = (1.0f - e) / ((1.0f + e) * o);
        store(cells[r], c);
        store_digits(digits[r], states, width);
        if (outputs[r])
            store_lanes(outputs[r], states, width);
    }
}

// Computes a panel of G units of R sentences.
template <bool kVnni, int R, int G>
inline void step_units(const LayerStep& step, std::int64_t sentence, std::int64_t panel) {
    constexpr std::int64_t L = kLanes<float>;
    const LSTMDirection& direction = step.direction;
    const std::int64_t column = panel * kGates * L;
    alignas(64) float gates[R][kGateBuffer];
    DigitBlock<R> block;
    float *cells[R], *outputs[R];
    Digit* digits[R];
    for (int r = 0; r < R; ++r) {
        const std::int64_t word = step.order.word(sentence + r, step.time, step.backward);
        const float* start =
            step.forms ? step.forms[word] + step.form_column : direction.gates.bias;
        Digit* units = step.digits + word * step.digit_stride;
        block.starts[r] = start + column;
        block.left[r] = step.inputs + word * step.input_width;
        block.right[r] = // of the word before
            step.time ? units + (step.backward ? step.digit_stride : -step.digit_stride) : units;
        block.y[r] = gates[r];
        store(gates[r] + kGates * G, Vector<float>{});
        cells[r] = step.cells + (sentence + r) * direction.padded + panel * L;
        digits[r] = units + panel * L;
        outputs[r] = step.output ? step.output + word * step.stride + panel * L : nullptr;
    }
    multiply_digits<kVnni, R, kGates * G / L>(
        block, step.input_width, step.time ? direction.digits() : 0, direction.gates, column);
    update_cells<R, G>(gates, step.time == 0, cells, digits, outputs, direction.units - panel * L);
}

template <bool kVnni>
inline void run_direction(LayerStep step) {
    constexpr int L = kLanes<float>;
    std::int64_t live = step.order.n;
    const std::int64_t panels = step.direction.gates.outs / (kGates * L);
    const bool has_half_panel = step.direction.gates.outs % (kGates * L) != 0;
    for (step.time = 0; step.time < step.order.steps; ++step.time) {
        while (live && step.order.length[live - 1] <= step.time)
            --live;
        for (std::int64_t panel = 0; panel < panels; ++panel) {
            for_blocks(live, [&](auto size, std::int64_t sentence) {
                step_units<kVnni, decltype(size)::value, L>(step, sentence, panel);
            });
        }
        if (has_half_panel) {
            for_blocks(live, [&](auto size, std::int64_t sentence) {
                step_units<kVnni, decltype(size)::value, L / 2>(step, sentence, panels);
            });
        }
    }
}

// Runs a direction with the instructions that this processor has.
inline void run(const LayerStep& step) {
    if (has_vnni())
        run_direction<true>(step);
    else
        run_direction<false>(step);
}

// Writes the states of a layer as digits, and as float32 unless `output` is null.
inline void run_layer(const BiLSTMLayer& layer, const ByLength& order, const float* const* forms,
                      const Digit* inputs, std::int64_t input_width, Digit* digits, float* output) {
    const LSTMDirection *forward = layer.directions, *backward = layer.directions + 1;
    const std::int64_t units = layer.units(), stride = layer.digits();
    const Buffer<float> cells(order.n * larger(forward->padded, backward->padded));
    run({*forward, order, false, forms, inputs, input_width, 0, digits, stride, output, units,
         cells, 0});
    run({*backward, order, true, forms, inputs, input_width, forward->gates.outs,
         digits + forward->digits(), stride, output ? output + forward->units : nullptr, units,
         cells, 0});
}

inline void encode(const EncoderNetwork& network, const EncoderBatch& batch) {
    const ByLength order(batch.bounds, batch.sentences);
    const std::int64_t words = batch.bounds[batch.sentences];
    std::int64_t widest = 0;
    for (std::int64_t n = 0; n < network.n_layers; ++n)
        widest = larger(widest, network.layers[n].digits());
    const Buffer<Digit> even(words * widest), odd(words * widest);
    memset(even, 0, static_cast<std::size_t>(words * widest) * sizeof(Digit)); // for the padding
    memset(odd, 0, static_cast<std::size_t>(words * widest) * sizeof(Digit));
    for (std::int64_t n = 0; n < network.n_layers; ++n) {
        const BiLSTMLayer& layer = network.layers[n];
        const bool is_last = n + 1 == network.n_layers;
        run_layer(layer, order, n ? nullptr : batch.forms, n % 2 ? even : odd,
                  n ? network.layers[n - 1].digits() : 0, n % 2 ? odd : even,
                  is_last ? batch.context : nullptr);
    }
}

} // namespace meprop::MEPROP_ISA
