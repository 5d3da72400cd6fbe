// The frozen parser's network and its batches, as plain pointers.
//
// float32 throughout; padding is zero.
#pragma once

#include <cstdint>

namespace meprop {

enum class Activation : std::int32_t { relu, cube, tanh };
enum class System : std::int32_t { arc_standard, arc_hybrid, arc_standard_swap };

// y = bias + x times weight (ins, outs); outs is a multiple of the lanes.
struct Layer {
    const float* weight;
    const float* bias;
    std::int64_t ins, outs;
};

// Of a sentence, on average, before SWAP is not allowed any more: parsing/transitions.py.
constexpr int kSwapsPerWord = 8;

// The words that a parser sees, in the order of parsing/features.py, and those with labels.
constexpr int kPositions = 18;
constexpr int kLabelled = 12;

struct ParserNetwork {
    System system;
    Activation activation;
    std::int64_t hidden;        // of the first layer, a multiple of the lanes
    const float* bias;          // (hidden)
    const float* special_forms; // (2, kPositions, hidden): of ROOT and NULL
    const float* special_tags;  // the same
    const float* label_rows;    // (kLabelled, labels + 1, hidden); the last: no label
    const Layer* layers;        // the second layer to the last, whose outs are transitions
    std::int64_t n_layers;
    std::int64_t labels, left_start, transitions;
    const float* masks;         // (situations, outs): 0 or -infinity
    const std::int32_t* forced; // (situations): the only valid transition, or -1
};

// Sentences with the folded rows (kPositions, hidden) of their forms and tags.
struct ParserBatch {
    const float* const* forms;  // (words)
    const float* const* tags;   // (words)
    const std::int32_t* bounds; // (sentences + 1) first words
    std::int64_t sentences;
    std::int32_t* heads;  // (words), 0 is ROOT
    std::int32_t* labels; // (words)
    float* confidence;    // (words) or null: softmax of the arc's transition
};

// What a dynamic oracle is told of the same sentences, and where it and the parser write; each
// sentence of n words takes 2 n transitions.
struct Exploration {
    const std::int32_t* heads;  // (words) gold
    const std::int32_t* labels; // (words) gold
    std::int32_t* followed;     // (2 words) the parser's transitions
    std::int32_t* targets;      // (2 words) the best of the right ones
};

} // namespace meprop
