// The frozen joint model's layers and its batches of words, as plain pointers.
//
// float32 throughout. "Panels" are columns in groups as wide as a vector of the instruction set
// that the layers were packed for (`Kernels::lanes`); padding is zero. Arrays of one row per word
// have no padding, unless their stride says so.
#pragma once

#include <cstdint>

#include "parser/network.hpp"

namespace meprop {

// A linear layer. The weights are in groups of four panels, [group][input][panel][lane]; the last
// group may have fewer.
struct PackedLayer {
    const float* weight;
    const float* bias;      // (outs)
    std::int64_t ins, outs; // outs is a multiple of the lanes
};

// A linear layer over states of LSTMs, which are between -1 and 1. Both factors are digits, whole
// numbers: a state is rounded to 63rds, a weight is from -127 to 127, and a column's products are
// scaled back together.
//
// Kernels that multiply four digits at once (`Kernels::digits_together`) have them as bytes, the
// weights as [group][four inputs][panel][lane][4]. To a state's digit they add 63, so that none is
// negative; `offsets` is what that adds to the sums. The others have float32 digits.
struct DigitLayer {
    const void* weight;
    const float *scale, *bias;   // (outs)
    const std::int32_t* offsets; // (2, outs): of the states of the layer below, and with the units
    std::int64_t ins, outs;      // outs is a multiple of half the lanes, ins of the digits together
};

constexpr float kStateDigits = 63;
constexpr std::int64_t kMostDigitsTogether = 4;

// The room that the digits of so many states take.
inline std::int64_t digits_of(std::int64_t width) {
    return (width + kMostDigitsTogether - 1) / kMostDigitsTogether * kMostDigitsTogether;
}

// One direction of an LSTM. The layer's columns are [panel][gate][lane], the gates in PyTorch's
// order; a last panel with at most half the lanes has no others. The layer's rows are the inputs,
// if any, above the units; each direction's states and the units fill `digits()` rows, the last
// of them with zeros.
struct LSTMDirection {
    DigitLayer gates;
    std::int64_t units, padded; // padded: rounded up to a multiple of the lanes

    std::int64_t digits() const { return digits_of(units); }
};

struct BiLSTMLayer {
    LSTMDirection directions[2]; // left to right, and back

    std::int64_t units() const { return directions[0].units + directions[1].units; }
    std::int64_t digits() const { return directions[0].digits() + directions[1].digits(); }
};

// A layer over the probabilities of tags, without a bias. Below a row for each tag it has one for
// each column: the sum of the rows of the column's tags.
struct TagLayer {
    PackedLayer layer;        // (n_tags + n_columns, outs)
    const std::int32_t* ends; // (n_columns) the tag after the last one of each column
    std::int64_t n_columns, n_tags;
};

// A stack of BiLSTMs. The first has no input weights: a word's folded row has their products, with
// the biases, for the first direction and then for the second.
struct EncoderNetwork {
    const BiLSTMLayer* layers;
    std::int64_t n_layers;
};

struct EncoderBatch {
    const float* const* forms;  // (words) folded rows
    const std::int32_t* bounds; // (sentences + 1) first word of each
    std::int64_t sentences;
    float* context; // (words, units of the last layer)
};

// What the heads read of each word.
struct WordStates {
    std::int64_t words;
    const float* context; // (words, width)
    std::int64_t width;
    const float* tags; // (words, n_tags) probabilities; null if n_tags is 0
    std::int64_t n_tags;
};

struct TagNetwork {
    DigitLayer scores;           // of all columns; each begins at a panel of its own
    const std::int32_t* columns; // (2 n_columns) first score and number of tags of each column
    std::int64_t n_columns, n_tags;
    float flat; // probabilities below it are written as their mean over the column
};

struct TagResults {
    std::int32_t* tags;   // (n_columns, words)
    float* confidence;    // (n_columns, words) or null: probability of the tag
    float* probabilities; // (words, n_tags) or null
};

// The hidden layer's inputs are a word's context and tags; a word's folded row, from `first` on,
// has the products of the vector of its form, with the bias.
struct LemmaNetwork {
    DigitLayer context;
    TagLayer tags;
    PackedLayer output;
    std::int64_t n_scripts;
};

struct LemmaResults {
    std::int64_t n_best;   // how many scripts of each word, the best first
    std::int32_t* scripts; // (words, n_best)
    float* scores;         // (words, n_best) or null
    float* confidence;     // (words) or null: probability of the best script
    float* lead;           // (words) or null: the best score minus the second best
};

// `context` and `tags` have four layers side by side, each padded: the word as a dependent and as a
// head in arcs, and both again in labels.
struct GraphNetwork {
    DigitLayer context; // the vectors' sums over the states, with the bias
    TagLayer tags;      // their sums over the tags; no columns if the head reads none
    PackedLayer arcs;   // of dependents
    PackedLayer labels; // of the sum of both vectors
    const float* root;  // (arcs.outs + padded label width) ROOT as a head
    std::int64_t n_labels;
};

struct GraphResults {
    std::int32_t* heads;  // (words) 0 = ROOT
    std::int32_t* labels; // (words)
    float* confidence;    // (words) or null: probability of the head
};

// The words that a state of the transition parser is scored by: s0, s1, s2 and b0.
constexpr int kStateWords = 4;

// What each word gives to a state's first layer, by its place in the state.
struct PlaceRows {
    const float* words;   // (words, kStateWords, hidden)
    const float* special; // (2, kStateWords, hidden): of ROOT, and where there is no word
};

struct StateParserNetwork {
    DigitLayer context; // kStateWords layers side by side, each padded, over the states
    TagLayer tags;      // the same over the tags; no columns if the head reads none
    const float* special;
    TransitionNetwork transitions;
};

} // namespace meprop
