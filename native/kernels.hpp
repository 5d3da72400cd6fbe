// The table of kernels of one instruction set, and the structs that kernels take as arguments.
//
// Pointers are to C-contiguous arrays, sizes are in elements, `threads` is an upper limit. The
// caller provides all outputs. Kernels check nothing: each folder's bind.cpp does.
#pragma once

#include <cstdint>

#include "joint/network.hpp"
#include "parser/network.hpp"
#include "tagger/network.hpp"

namespace meprop {

// The time steps of packed sequences: step t has sizes[t] rows, starting at row first[t].
struct Steps {
    const std::int64_t* first;
    const std::int64_t* sizes;
    std::int64_t n;
    bool reverse; // the last step is visited first

    std::int64_t visited(std::int64_t i) const { return reverse ? n - 1 - i : i; }
};

// Zeroes the elements whose 32-bit hash is below the threshold, and scales the others. A threshold
// of zero means no dropout.
struct Dropout {
    std::uint32_t seed_low, seed_high, threshold;
    double scale;
};

// The gradient of a parameter (table_rows, width): of all its rows, or of n rows whose numbers
// increase.
template <class T>
struct RowGradient {
    bool is_dense; // all rows; `rows` is not read
    const std::int64_t* rows;
    const T* values;
    std::int64_t n, table_rows, width;
};

// The inputs and outputs of a linear layer's backward pass. An output that is null is not computed.
template <class T>
struct LinearBackward {
    const T* dy;     // (rows, outs)
    const T* x;      // (rows, ins)
    const T* weight; // (outs, ins)
    std::int64_t rows, outs, ins, k;
    T* dx;              // (rows, ins)
    T* dw;              // (outs, ins)
    T* db;              // (outs), the sum of all rows of dy
    std::int64_t* hits; // (outs), incremented for each kept entry that is not zero
};

// A folded first layer: rows[i] = bias + vectors[i] (ins) times weight (ins, width).
struct Folding {
    const float* weight;
    const float* bias;
    std::int64_t ins, width;
};

struct AdamSettings {
    double beta1, beta2, eps, weight_decay;
    double step_size;       // learning rate / (1 - beta1^t)
    double root_correction; // sqrt(1 - beta2^t)
};

struct AdagradSettings {
    double rate, eps, weight_decay;
};

template <class T>
struct KernelsOf {
    void (*select_topk)(const T* dy, std::int64_t rows, std::int64_t width, std::int64_t k,
                        std::int32_t* index, T* value, T* sum, std::int64_t* hits, int threads);
    void (*mask_topk)(const T* dy, std::int64_t rows, std::int64_t width, std::int64_t k, T* masked,
                      T* sum, std::int64_t* hits, int threads);
    void (*example_backward)(LinearBackward<T> layer, int threads);
    void (*sparse_dx)(const std::int32_t* index, const T* value, std::int64_t rows, std::int64_t k,
                      const T* weight, std::int64_t outs, std::int64_t ins, T* dx, int threads);
    void (*sparse_dw)(const std::int32_t* index, const T* value, std::int64_t rows, std::int64_t k,
                      const T* x, std::int64_t outs, std::int64_t ins, T* dw, int threads);
    void (*unified_backward)(LinearBackward<T> layer, std::int32_t* neurons, bool dw_of_kept,
                             int threads);
    void (*lstm_forward)(const T* h0, const T* c0, const T* weight_hh, std::int64_t units,
                         std::int64_t sequences, Steps steps, T* output, T* h_n, T* c_n, T* gates,
                         T* tanh_c, T* h_prev, T* c_prev, int threads);
    void (*lstm_backward)(const T* doutput, const T* weight_hh, const T* gates, const T* tanh_c,
                          const T* c_prev, std::int64_t units, std::int64_t sequences, Steps steps,
                          std::int64_t k, T* dh, T* dc, std::int32_t* index, T* value, T* db,
                          int threads);
    void (*lstm_step_backward)(const T* doutput, const T* gates, const T* tanh_c, const T* c_prev,
                               std::int64_t units, std::int64_t first, std::int64_t rows,
                               std::int64_t k, bool unified, const T* dh, T* dc, T* masked,
                               std::int32_t* index, T* value, T* db, int threads);
    void (*apply_dropout)(const T* x, std::int64_t n, Dropout dropout, T* y, int threads);
    void (*embedding_forward)(const T* table, const std::int32_t* rows, std::int64_t n,
                              std::int64_t each, std::int64_t width, Dropout dropout, T* y,
                              int threads);
    std::int64_t (*embedding_backward)(const T* dy, const std::int32_t* rows, std::int64_t n,
                                       std::int64_t each, std::int64_t table_rows,
                                       std::int64_t width, Dropout dropout, bool only_read,
                                       std::int32_t* distinct, T* gradient, int threads);
    void (*slot_forward)(const T* vectors, std::int64_t width, const std::int32_t* pair,
                         std::int64_t n, std::int64_t slots, const std::int32_t* first,
                         const T* weight, const T* bias, std::int64_t outs, T* y, int threads);
    void (*slot_backward)(const std::int32_t* index, const T* value, std::int64_t k,
                          const T* vectors, std::int64_t width, const std::int32_t* pair,
                          std::int64_t n, std::int64_t slots, const std::int32_t* first,
                          const T* weight, std::int64_t outs, T* dvectors, T* dw, int threads);
    void (*adam)(T* parameter, RowGradient<T> gradient, T* mean, T* square, AdamSettings settings,
                 bool lazy, int threads);
    void (*adagrad)(T* parameter, RowGradient<T> gradient, T* sum, AdagradSettings settings,
                    bool lazy, int threads);
};

struct DecodingKernels {
    void (*fold)(Folding folding, const float* vectors, std::int64_t n, float* const* rows);
    // The others return false if a score is not finite.
    bool (*parse)(const ParserNetwork& network, const ParserBatch& batch);
    // Only for arc-hybrid. Also returns false if arc-hybrid cannot build a gold tree.
    bool (*explore)(const ParserNetwork& network, const ParserBatch& batch,
                    const Exploration& exploration);
    bool (*tag)(const TaggerNetwork& network, const TaggerBatch& batch);
    // A score of -infinity masks an arc.
    bool (*spanning_trees)(const float* scores, const std::int32_t* bounds, std::int64_t sentences,
                           std::int32_t* heads);
    // The joint model. Rows and weights must be finite; then all states are between -1 and 1.
    void (*encode)(const EncoderNetwork& network, const EncoderBatch& batch);
    bool (*choose_all_tags)(const TagNetwork& network, const WordStates& states,
                            const TagResults& results);
    bool (*choose_scripts)(const LemmaNetwork& network, const WordStates& states,
                           const float* const* forms, std::int64_t column,
                           const LemmaResults& results);
    bool (*parse_graphs)(const GraphNetwork& network, const WordStates& states,
                         const std::int32_t* bounds, std::int64_t sentences,
                         const GraphResults& results);
    bool (*parse_states)(const StateParserNetwork& network, const WordStates& states,
                         const TreeBatch& batch);
    // As `explore`, for words whose rows are given.
    bool (*explore_rows)(const TransitionNetwork& network, const PlaceRows& places,
                         const TreeBatch& batch, const Exploration& exploration);
};

struct Kernels {
    const char* name;
    std::int64_t lanes;           // floats in a vector
    std::int64_t digits_together; // see DigitLayer
    std::int64_t (*number_pairs)(const std::int32_t* rows, std::int64_t n, std::int64_t slots,
                                 std::int64_t table_rows, std::int32_t* pair, std::int32_t* row_of,
                                 std::int32_t* first);
    KernelsOf<float> f32;
    KernelsOf<double> f64;
    DecodingKernels decoding;
};

template <class T>
const KernelsOf<T>& of(const Kernels& kernels);
template <>
inline const KernelsOf<float>& of<float>(const Kernels& kernels) {
    return kernels.f32;
}
template <>
inline const KernelsOf<double>& of<double>(const Kernels& kernels) {
    return kernels.f64;
}

} // namespace meprop
