// Trees: the scores of all arcs of a sentence, the best tree with one root, and its labels.
#pragma once

#include <string.h>

#include "base/buffer.hpp"
#include "graph/spanning_tree.hpp"
#include "joint/choice.hpp"
#include "joint/labels.hpp"
#include "joint/product.hpp"
#include "joint/word_vectors.hpp"

namespace meprop::MEPROP_ISA {

constexpr float kLowest = -3.402823466e38f;

// Packs the heads of a sentence, ROOT first, as the columns of a layer.
inline void pack_heads(const GraphNetwork& network, const WordVectors& vectors, std::int64_t first,
                       std::int64_t n, std::int64_t columns, float* packed) {
    constexpr std::int64_t L = kLanes<float>;
    const std::int64_t depth = network.arcs.ins;
    for (std::int64_t i = 0; i < columns * network.arcs.ins; ++i)
        packed[i] = 0;
    for (std::int64_t j = 0; j <= n; ++j) {
        const float* head = j ? vectors.as_head(first + j - 1) : network.root;
        const std::int64_t group = j / (4 * L) * (4 * L);
        const std::int64_t width = smaller(4 * L, columns - group);
        float* target = packed + group * depth + (j - group);
        for (std::int64_t d = 0; d < depth; ++d, target += width)
            *target = head[d];
    }
}

// Finds the tree of a sentence whose first word is `word` in the batch and `first` among the
// vectors. Returns false if a score is not finite.
inline bool find_tree(const GraphNetwork& network, const WordVectors& vectors, std::int64_t word,
                      std::int64_t first, std::int32_t n, const GraphResults& results) {
    constexpr std::int64_t L = kLanes<float>;
    const std::int64_t columns = ceil_div(n + std::int64_t{1}, L) * L;
    const Buffer<float> packed(columns * network.arcs.ins), zeros(columns), scores(n * columns);
    pack_heads(network, vectors, first, n, columns, packed);
    for (std::int64_t j = 0; j < columns; ++j)
        zeros[j] = 0;
    const PackedLayer heads{packed, zeros, network.arcs.ins, columns};
    const Rows dependents{vectors.dependents + first * vectors.arc, vectors.arc, heads.ins};
    multiply({heads, dependents, {}, scores, columns}, n);

    std::int32_t* tree = results.heads + word;
    for (std::int32_t i = 0; i < n; ++i) {
        float* row = scores + i * columns;
        row[i + 1] = kLowest; // the arc from the word itself
        const Choice choice = choose(row, n + 1);
        if (choice.index < 0)
            return false;
        tree[i] = choice.index;
    }
    if (!is_single_rooted_tree(tree, n)) {
        const Buffer<float> dense(n * (n + std::int64_t{1}));
        for (std::int32_t i = 0; i < n; ++i)
            memcpy(dense + i * (n + std::int64_t{1}), scores + i * columns,
                   static_cast<std::size_t>(n + 1) * sizeof(float));
        ContractedGraph graph(dense, n);
        graph.decode(tree);
    }
    if (results.confidence) {
        for (std::int32_t i = 0; i < n; ++i) {
            float* row = scores + i * columns;
            results.confidence[word + i] = 1 / exponentials(row, n + 1, row[tree[i]], row);
        }
    }
    return true;
}

// Finds the trees of all sentences, a few at a time. Returns false if a score is not finite.
inline bool parse_graphs(const GraphNetwork& network, const WordStates& states,
                         const std::int32_t* bounds, std::int64_t sentences,
                         const GraphResults& results) {
    for (std::int64_t s = 0; s < sentences;) {
        const std::int64_t first_sentence = s, word = bounds[s];
        while (s < sentences && bounds[s] - word < kTogether)
            ++s;
        const std::int64_t n = bounds[s] - word;
        const WordVectors vectors(network, states, word, n);
        const Buffer<std::int32_t> head(n); // as labels.hpp counts
        for (std::int64_t each = first_sentence; each < s; ++each) {
            const std::int64_t first = bounds[each] - word;
            const std::int32_t length = bounds[each + 1] - bounds[each];
            if (length && !find_tree(network, vectors, word + first, first, length, results))
                return false;
            for (std::int64_t i = first; i < first + length; ++i) {
                const std::int32_t in_sentence = results.heads[word + i];
                head[i] = in_sentence ? static_cast<std::int32_t>(first) + in_sentence : 0;
            }
        }
        if (!label_arcs(network, vectors, word, head, n, results))
            return false;
    }
    return true;
}

} // namespace meprop::MEPROP_ISA
