// Trees: the scores of all arcs of a sentence, the best tree with one root, and its labels.
#pragma once

#include <string.h>

#include "base/buffer.hpp"
#include "graph/spanning_tree.hpp"
#include "joint/choice.hpp"
#include "joint/product.hpp"

namespace meprop::MEPROP_ISA {

constexpr float kLowest = -3.402823466e38f;

// The vectors of n words: [arc_dep][arc_head][label_dep][label_head] with their padding, and the
// dependents' products with the weights of arcs.
struct WordVectors {
    WordVectors(const GraphNetwork& network, const WordStates& states, std::int64_t first,
                std::int64_t n)
        : arc(network.arcs.outs), label(network.vectors.outs / 2 - arc),
          stride(network.vectors.outs), values(n * stride), dependents(n * arc) {
        const std::int64_t width = network.tags.outs ? network.vectors.ins - states.width : 0;
        const Buffer<float> tags(n * network.tags.outs);
        if (width) {
            const Rows probabilities{states.tags + first * states.n_tags, states.n_tags,
                                     states.n_tags};
            multiply({network.tags, probabilities, {}, tags, network.tags.outs}, n);
        }
        const Rows context{states.context + first * states.width, states.width, states.width};
        const Rows tag_vectors{tags, network.tags.outs, width};
        multiply({network.vectors, context, tag_vectors, values, stride, 2 * arc}, n);
        multiply({network.arcs, {values, stride, network.arcs.ins}, {}, dependents, arc}, n);
    }

    const float* as_head(std::int64_t word) const { return values + word * stride + arc; }
    const float* label_as_dependent(std::int64_t word) const {
        return values + word * stride + 2 * arc;
    }
    const float* label_as_head(std::int64_t word) const { return label_as_dependent(word) + label; }

    const std::int64_t arc, label, stride; // padded widths; of a row
    const Buffer<float> values, dependents;
};

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

// Labels the arcs of n words from `word` on, whose heads were found. `sentence[i]` is the first
// word of the sentence of word i, counted like i. Returns false if a score is not finite.
inline bool label_arcs(const GraphNetwork& network, const WordVectors& vectors, std::int64_t word,
                       const std::int32_t* sentence, std::int64_t n, const GraphResults& results) {
    constexpr std::int64_t L = kLanes<float>;
    const std::int64_t width = vectors.label, stride = network.labels.outs;
    const Buffer<float> hidden(kTogether * width), scores(kTogether * stride);
    for (std::int64_t first = 0; first < n; first += kTogether) {
        const std::int64_t rows = smaller(kTogether, n - first);
        for (std::int64_t r = 0; r < rows; ++r) {
            const std::int64_t i = first + r, head = results.heads[word + i];
            const float* head_vector =
                head ? vectors.label_as_head(sentence[i] + head - 1) : network.root + vectors.arc;
            const float* dependent = vectors.label_as_dependent(i);
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
        const Buffer<std::int32_t> sentence(n);
        for (std::int64_t each = first_sentence; each < s; ++each) {
            const std::int64_t first = bounds[each] - word;
            const std::int32_t length = bounds[each + 1] - bounds[each];
            for (std::int32_t i = 0; i < length; ++i)
                sentence[first + i] = static_cast<std::int32_t>(first);
            if (length && !find_tree(network, vectors, word + first, first, length, results))
                return false;
        }
        if (!label_arcs(network, vectors, word, sentence, n, results))
            return false;
    }
    return true;
}

} // namespace meprop::MEPROP_ISA
