// The frozen tagger's network and its batches, as plain pointers.
//
// float32 throughout. "Panels" are columns in groups as wide as a vector of the instruction set
// that the network was packed for (`Kernels::lanes`); padding is zero.
#pragma once

#include <cstdint>

namespace meprop {

struct TaggerNetwork {
    std::int64_t units[2];       // of each direction
    std::int64_t padded[2];      // units, rounded up to a multiple of the lanes
    const float* recurrent[2];   // [panel][unit][gate][lane]
    const float* heads;          // [four panels][padded[0] + padded[1]][panel][lane]
    const float* bias;           // (scores)
    std::int64_t scores;         // scores of all columns, a multiple of four panels
    const std::int32_t* columns; // (2 n_columns) first score and number of tags of each column
    std::int64_t n_columns;
};

// Sentences with the folded rows of their forms: [panel][gate][lane] for each direction.
struct TaggerBatch {
    const float* const* forms;  // (words)
    const std::int32_t* bounds; // (sentences + 1) first word of each
    std::int64_t sentences;
    std::int32_t* tags; // (n_columns, words)
    float* confidence;  // (n_columns, words) or null: softmax probability of the tag
};

} // namespace meprop
