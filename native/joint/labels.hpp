// The labels of arcs, by a layer over the sum of the vectors of both ends.
//
// Words are counted from the first of those that WordVectors holds. `head` has the number of each
// word's head: 0 for ROOT, i + 1 for word i.
#pragma once

#include "base/buffer.hpp"
#include "joint/choice.hpp"
#include "joint/product.hpp"
#include "joint/word_vectors.hpp"

namespace meprop::MEPROP_ISA {

inline const float* label_head(const GraphNetwork& network, const WordVectors& vectors,
                               std::int32_t head) {
    return head ? vectors.label_as_head(head - 1) : network.root + vectors.arc;
}

// Labels the arcs of n words from `word` on. Returns false if a score is not finite.
inline bool label_arcs(const GraphNetwork& network, const WordVectors& vectors, std::int64_t word,
                       const std::int32_t* head, std::int64_t n, const GraphResults& results) {
    constexpr std::int64_t L = kLanes<float>;
    const std::int64_t width = vectors.label, stride = network.labels.outs;
    const Buffer<float> hidden(kTogether * width), scores(kTogether * stride);
    for (std::int64_t first = 0; first < n; first += kTogether) {
        const std::int64_t rows = smaller(kTogether, n - first);
        for (std::int64_t r = 0; r < rows; ++r) {
            const float* dependent = vectors.label_as_dependent(first + r);
            const float* head_vector = label_head(network, vectors, head[first + r]);
            for (std::int64_t j = 0; j < width; j += L)
                store(hidden + r * width + j,
                      leaky_relu(load(dependent + j) + load(head_vector + j)));
        }
        multiply({network.labels, {hidden, width, network.labels.ins}, {}, scores, stride}, rows);
        for (std::int64_t r = 0; r < rows; ++r) {
            const Choice choice = choose(scores + r * stride, network.n_labels);
            if (choice.index < 0)
                return false;
            results.labels[word + first + r] = choice.index;
        }
    }
    return true;
}

} // namespace meprop::MEPROP_ISA
