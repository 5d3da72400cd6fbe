// The frozen parser's network and its batches, as plain pointers.
//
// float32 throughout; padding is zero.
#pragma once

#include <cstdint>

namespace meprop {

enum class Activation : std::int32_t { relu, cube, tanh, leaky_relu };
enum class System : std::int32_t { arc_standard, arc_hybrid, arc_standard_swap };

// y = bias + x times weight (ins, outs); outs is a multiple of the lanes.
struct Layer {
    const float* weight;
    const float* bias;
    std::int64_t ins, outs;
};

// Swaps allowed in a sentence, per word; see parsing/transitions.py.
constexpr int kSwapsPerWord = 8;

// The words that a parser sees, in the order of parsing/features.py, and how many have labels.
constexpr int kPositions = 18;
constexpr int kLabelled = 12;

// From the sum of a state's rows to the scores of transitions.
struct TransitionNetwork {
    System system;
    Activation activation;
    std::int64_t hidden; // units of the first layer, a multiple of the lanes
    const float* bias;   // (hidden)
    const Layer* layers; // from the second layer to the last, whose outputs are transitions
    std::int64_t n_layers;
    std::int64_t labels, left_start, transitions;
    const float* masks;         // (situations, outs): 0 or -infinity
    const std::int32_t* forced; // (situations): the only valid transition, or -1
};

// With folded rows of forms, tags and labels.
struct ParserNetwork {
    TransitionNetwork transitions;
    const float* special_forms; // (2, kPositions, hidden): rows of ROOT and NULL
    const float* special_tags;  // likewise
    const float* label_rows;    // (kLabelled, labels + 1, hidden); the last row: no label
};

// Sentences, and what the parser finds.
struct TreeBatch {
    const std::int32_t* bounds; // (sentences + 1) first word of each
    std::int64_t sentences;
    std::int32_t* heads;  // (words), 0 is ROOT
    std::int32_t* labels; // (words)
    float* confidence;    // (words) or null: softmax probability of the arc's transition
};

// The same with the folded rows (kPositions, hidden) of their forms and tags.
struct ParserBatch {
    TreeBatch trees;
    const float* const* forms; // (words)
    const float* const* tags;  // (words)
};

// The gold trees of the same sentences for a dynamic oracle, and its outputs. A sentence of n words
// takes 2 n transitions.
struct Exploration {
    const std::int32_t* heads;  // (words) gold heads
    const std::int32_t* labels; // (words) gold labels
    std::int32_t* followed;     // (2 words) transitions of the parser
    std::int32_t* targets;      // (2 words) best-scored correct transitions
};

} // namespace meprop
