// The frozen networks, their batches, and what a row cache holds, as plain pointers.
//
// float32 throughout. "Panels" are columns in groups as wide as a vector of the instruction set
// that the network was packed for (`Kernels::lanes`); padding is zero.
#pragma once

#include <cstdint>

namespace meprop {

// rows[i] = bias + vectors[i] (ins) times weight (ins, width): a first layer, folded.
struct Folding {
    const float* weight;
    const float* bias;
    std::int64_t ins, width;
};

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

struct TaggerNetwork {
    std::int64_t units[2];       // of each direction
    std::int64_t padded[2];      // the same, up to a multiple of the lanes
    const float* recurrent[2];   // [panel][unit][gate][lane]
    const float* heads;          // [four panels][padded[0] + padded[1]][panel][lane]
    const float* bias;           // (scores)
    std::int64_t scores;         // of all columns, a multiple of four panels
    const std::int32_t* columns; // (2 n_columns) first score and number of tags of each
    std::int64_t n_columns;
};

// Sentences with the folded rows of their forms: of each direction [panel][gate][lane].
struct TaggerBatch {
    const float* const* forms;  // (words)
    const std::int32_t* bounds; // (sentences + 1) first words
    std::int64_t sentences;
    std::int32_t* tags; // (n_columns, words)
    float* confidence;  // (n_columns, words) or null: softmax of the tag
};

struct DecodingKernels {
    void (*fold)(Folding folding, const float* vectors, std::int64_t n, float* const* rows);
    // All return false where a score is not finite.
    bool (*parse)(const ParserNetwork& network, const ParserBatch& batch);
    // Arc-hybrid alone; false also where it cannot build a gold tree.
    bool (*explore)(const ParserNetwork& network, const ParserBatch& batch,
                    const Exploration& exploration);
    bool (*tag)(const TaggerNetwork& network, const TaggerBatch& batch);
};

} // namespace meprop
