// The labels of arcs. In what follows, words are counted from the first of a tile; `head` has the
// number of each word's head, 0 for ROOT and i + 1 for word i.
#pragma once

#include "base/buffer.hpp"
#include "base/counting_sort.hpp"
#include "joint/choice.hpp"
#include "joint/product.hpp"
#include "joint/word_vectors.hpp"

namespace meprop::MEPROP_ISA {

inline const float* label_head(const GraphNetwork& network, const WordVectors& vectors,
                               std::int32_t head) {
    return head ? vectors.label_as_head(head - 1) : network.root + vectors.arc;
}

// Labels the arcs of n words from `word` on by a layer over the sum of both vectors. Returns false
// if a score is not finite.
inline bool label_by_layer(const GraphNetwork& network, const WordVectors& vectors,
                           std::int64_t word, const std::int32_t* head, std::int64_t n,
                           const GraphResults& results) {
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

// The biaffine scores of all labels: the sum over i and j of d[i] weight[i, label, j] h[j], of the
// vectors of the dependent and of the head, each with a 1 at its end. The sums over j come first:
// they depend on the head alone, and half of all words are nobody's head.
class BiaffineLabels {
 public:
    BiaffineLabels(const GraphNetwork& network, const WordVectors& vectors,
                   const std::int32_t* head, std::int64_t n)
        : network_(network), vectors_(vectors),
          stride_(ceil_div(network.n_labels, kLanes<float>) * kLanes<float>), heads_(n + 1),
          dependents_(n), first_(n + 2), scores_(n * stride_) {
        for (std::int64_t i = 0; i < n * stride_; ++i)
            scores_[i] = 0;
        for (std::int64_t h = 0; h < n + 2; ++h)
            first_[h] = 0;
        for (std::int64_t i = 0; i < n; ++i)
            ++first_[head[i] + 1];
        for (std::int32_t h = 0; h <= n; ++h) {
            if (first_[h + 1])
                heads_[n_heads_++] = h;
        }
        offsets_from_counts<std::int32_t>(first_, n + 1, 0);
        for (std::int64_t i = 0; i < n; ++i)
            dependents_[first_[head[i] + 1]++] = static_cast<std::int32_t>(i);

        std::int64_t column = 0;
        for (; column + 4 * kLanes<float> <= network.labels.outs; column += 4 * kLanes<float>)
            add_group<4>(column);
        switch ((network.labels.outs - column) / kLanes<float>) {
        case 3:
            add_group<3>(column);
            break;
        case 2:
            add_group<2>(column);
            break;
        case 1:
            add_group<1>(column);
            break;
        }
    }

    const float* of_word(std::int64_t word) const { return scores_ + word * stride_; }

 private:
    // Adds the products of V vectors of columns, each a vector of labels for one i.
    template <int V>
    void add_group(std::int64_t column) {
        constexpr std::int64_t L = kLanes<float>;
        const std::int64_t width = network_.labels.ins;
        std::int64_t unit[V], labels[V];
        for (int v = 0; v < V; ++v) {
            unit[v] = (column + v * L) / stride_;
            labels[v] = (column + v * L) % stride_;
        }
        for_blocks(n_heads_, [&](auto size, std::int64_t first) {
            constexpr int R = decltype(size)::value;
            alignas(64) float products[R][V * L];
            Block<R> block;
            for (int r = 0; r < R; ++r) {
                block.starts[r] = network_.labels.bias + column;
                block.left[r] = block.right[r] = label_head(network_, vectors_, heads_[first + r]);
                block.y[r] = products[r];
            }
            multiply_block<R, V>(block, width, 0, network_.labels.weight + column * width, 0);
            for (int r = 0; r < R; ++r) {
                const std::int32_t h = heads_[first + r];
                for (std::int32_t d = first_[h]; d < first_[h + 1]; ++d) {
                    const float* dependent = vectors_.label_as_dependent(dependents_[d]);
                    float* scores = scores_ + dependents_[d] * stride_;
                    for (int v = 0; v < V; ++v) {
                        const float factor = unit[v] < width ? dependent[unit[v]] : 1.0f;
                        const Vector<float> product = load(products[r] + v * L);
                        store(scores + labels[v], load(scores + labels[v]) + factor * product);
                    }
                }
            }
        });
    }

    const GraphNetwork& network_;
    const WordVectors& vectors_;
    const std::int64_t stride_;             // of the scores of a word
    const Buffer<std::int32_t> heads_;      // (n_heads) that have dependents
    const Buffer<std::int32_t> dependents_; // (n) by head
    const Buffer<std::int32_t> first_;      // (n + 2) where those of a head begin
    const Buffer<float> scores_;            // (n, stride)
    std::int64_t n_heads_ = 0;
};

// Like `label_by_layer`, by a biaffine score.
inline bool label_by_biaffine(const GraphNetwork& network, const WordVectors& vectors,
                              std::int64_t word, const std::int32_t* head, std::int64_t n,
                              const GraphResults& results) {
    const BiaffineLabels labels(network, vectors, head, n);
    for (std::int64_t i = 0; i < n; ++i) {
        const Choice choice = choose(labels.of_word(i), network.n_labels);
        if (choice.index < 0)
            return false;
        results.labels[word + i] = choice.index;
    }
    return true;
}

} // namespace meprop::MEPROP_ISA
