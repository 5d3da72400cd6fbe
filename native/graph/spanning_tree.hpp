// The maximum spanning arborescence with one root, for batches of sentences.
//
// parsing/spanning_tree.py explains the algorithm. The arithmetic here is the same (float64, in the
// same order), so the trees are the same too. Time and memory are O(n^2) for each sentence.
#pragma once

#include "base/buffer.hpp"
#include "base/simd.hpp"

namespace meprop::MEPROP_ISA {

// The index of the first of the greatest of n values, n a multiple of the lanes.
template <class T>
inline std::int64_t first_greatest(const T* values, std::int64_t n) {
    constexpr std::int64_t L = kLanes<T>;
    Vector<T> greatest = load(values);
    for (std::int64_t j = L; j < n; j += L) {
        const Vector<T> value = load(values + j);
        greatest = greatest < value ? value : greatest;
    }
    T top = greatest[0];
    for (int lane = 1; lane < L; ++lane)
        top = larger(top, greatest[lane]);
    for (std::int64_t j = 0; j < n; j += L) {
        const std::uint32_t equal = equal_lanes(load(values + j), splat(top));
        if (equal)
            return j + __builtin_ctz(equal);
    }
    return 0; // only if there are NaNs
}

// Writes the best head of each word, the lowest if several are equal. Returns false if a score is
// NaN or +infinity.
inline bool choose_best_heads(const float* scores, std::int32_t n, std::int32_t* heads) {
    constexpr std::int64_t L = kLanes<float>;
    const std::int64_t columns = n + std::int64_t{1}, padded = ceil_div(columns, L) * L;
    const Buffer<float> row(padded);
    for (std::int64_t j = columns; j < padded; ++j)
        row[j] = -__builtin_inff();
    Vector<std::int32_t> valid = splat(std::int32_t{-1});
    for (std::int32_t i = 0; i < n; ++i) {
        std::memcpy(row, scores + i * columns, static_cast<std::size_t>(columns) * sizeof(float));
        row[i + 1] = -__builtin_inff();
        for (std::int64_t j = 0; j < padded; j += L)
            valid &= (Vector<std::int32_t>)(load<float>(row + j) < __builtin_inff());
        heads[i] = static_cast<std::int32_t>(first_greatest<float>(row, padded));
    }
    bool all_valid = true;
    for (int lane = 0; lane < L; ++lane)
        all_valid &= valid[lane] != 0;
    return all_valid;
}

// Whether one word has the head ROOT, and all others descend from it.
inline bool is_single_rooted_tree(const std::int32_t* heads, std::int32_t n) {
    const Buffer<std::int32_t> walk(n + std::int64_t{1}); // the first through each word; 0: none
    std::int32_t roots = 0;
    walk[0] = 0;
    for (std::int32_t i = 0; i < n; ++i) {
        walk[i + 1] = 0;
        roots += heads[i] == 0;
    }
    if (roots != 1)
        return false;
    for (std::int32_t start = 1; start <= n; ++start) {
        std::int32_t word = start;
        for (; word && !walk[word]; word = heads[word - 1])
            walk[word] = start;
        if (walk[word] == start)
            return false;
    }
    return true;
}

// A sentence's graph while cycles are contracted into nodes. Nodes are numbered: first the words,
// then the contracted cycles. A cycle takes over the row of its first node. The columns remain
// ROOT and the words.
class ContractedGraph {
 public:
    ContractedGraph(const float* scores, std::int32_t n)
        : n_(n), padded_(ceil_div(n, kLanes<double>) * kLanes<double>),
          stride_(padded_ + kLanes<double>), weights_(n * stride_), entered_(n * stride_),
          position_(stride_), path_(n), nodes_(2 * std::int64_t{n}) {
        float largest = 0;
        for (std::int64_t i = 0; i < n; ++i) {
            for (std::int64_t j = 0; j <= n; ++j) {
                const float magnitude = __builtin_fabsf(scores[i * (n + 1) + j]);
                if (j != i + 1 && magnitude < __builtin_inff())
                    largest = larger(largest, magnitude);
            }
        }
        // one masked arc costs more than all other arcs can differ by
        const double masked = -2.0 * n * (double{largest} + 1);
        for (std::int64_t i = 0; i < n; ++i) {
            double* weights = weights_ + i * stride_;
            for (std::int64_t j = 0; j <= n; ++j) {
                const float score = scores[i * (n + 1) + j];
                weights[j] = score == -__builtin_inff() ? masked : double{score};
            }
            weights[i + 1] = -__builtin_inf();
            for (std::int64_t j = n + 1; j < stride_; ++j)
                weights[j] = -__builtin_inf();
            for (std::int64_t j = 0; j < stride_; ++j)
                entered_[i * stride_ + j] = i;
        }
        for (std::int64_t j = 0; j < stride_; ++j)
            position_[j] = -1;
    }

    // Writes the heads of the best tree; to be called once.
    void decode(std::int32_t* heads) {
        std::int32_t n_nodes = n_; // numbered so far
        std::int64_t end = 0;      // of the path
        extend(end++, 0);
        for (std::int32_t remaining = n_; remaining > 1;) {
            PathNode& last = path_[end - 1];
            const double* weights = weights_ + last.row * stride_;
            const std::int64_t head = 1 + first_greatest(weights + 1, padded_);
            last.best = weights[head];
            set_arc(last, head);
            const std::int64_t start = position_[head];
            if (start < 0) {
                extend(end++, static_cast<std::int32_t>(head - 1));
                continue;
            }
            for (std::int64_t p = start; p < end; ++p)
                nodes_[path_[p].node].parent = n_nodes;
            contract(start, end);
            path_[start].node = n_nodes++;
            remaining -= static_cast<std::int32_t>(end - start - 1);
            end = start + 1;
        }
        set_arc(path_[0], 0);
        expand(path_[0].node, heads);
    }

 private:
    struct Node {
        std::int32_t parent;     // the cycle that it is in
        std::int32_t head, word; // its best arc; head -1: another arc replaces it
    };
    struct PathNode {
        std::int32_t node, row;
        double best; // weight of its best arc
    };

    // Puts a word that is in no cycle at this position of the path.
    void extend(std::int64_t at, std::int32_t word) {
        path_[at] = {word, word, 0};
        position_[word + 1] = at;
    }

    void set_arc(const PathNode& entry, std::int64_t head) {
        Node& node = nodes_[entry.node];
        node.head = static_cast<std::int32_t>(head);
        node.word = static_cast<std::int32_t>(entered_[entry.row * stride_ + head]);
    }

    // Writes the arcs into the cycle of these positions to the row of the first: from each head
    // the one that changes the sum for the best.
    void contract(std::int64_t start, std::int64_t end) {
        using Doubles = Vector<double>;
        using Ints = Vector<std::int64_t>;
        constexpr std::int64_t L = kLanes<double>;
        const PathNode& first = path_[start];
        double* weights = weights_ + first.row * stride_;
        std::int64_t* entered = entered_ + first.row * stride_;
        for (std::int64_t j = 0; j < stride_; j += L)
            store(weights + j, load(weights + j) - first.best);
        for (std::int64_t p = start + 1; p < end; ++p) {
            const double best = path_[p].best;
            const double* from = weights_ + path_[p].row * stride_;
            const std::int64_t* from_entered = entered_ + path_[p].row * stride_;
            for (std::int64_t j = 0; j < stride_; j += L) {
                const Doubles change = load(from + j) - best, so_far = load(weights + j);
                const Ints is_better = (Ints)(so_far < change);
                store(weights + j, is_better ? change : so_far);
                store(entered + j, is_better ? load(from_entered + j) : load(entered + j));
            }
        }
        for (std::int64_t j = 0; j < stride_; j += L) {
            const Ints position = load<std::int64_t>(position_ + j);
            const Ints inside = (Ints)(position >= splat(start));
            store<std::int64_t>(position_ + j, inside ? splat(start) : position);
            store(weights + j, inside ? splat(-__builtin_inf()) : load(weights + j));
        }
    }

    // Undoes the contractions from the outermost node to the words.
    void expand(std::int32_t outermost, std::int32_t* heads) {
        for (std::int32_t i = outermost; i >= 0; --i) {
            const Node& node = nodes_[i];
            if (node.head < 0)
                continue;
            heads[node.word] = node.head;
            for (std::int32_t inner = node.word; inner != i; inner = nodes_[inner].parent)
                nodes_[inner].head = -1;
        }
    }

    const std::int32_t n_;
    const std::int64_t padded_, stride_;  // padded_: words; a row also has ROOT
    const Buffer<double> weights_;        // (n, stride) of arcs into the node of each row
    const Buffer<std::int64_t> entered_;  // (n, stride) the word that each of them enters
    const Buffer<std::int64_t> position_; // (stride) on the path, of each word's node; -1: none
    const Buffer<PathNode> path_;         // each node is the best head of the one before
    const Buffer<Node> nodes_;            // (2 n)
};

// Finds the trees of sentences with these bounds. `scores` has an (n, n + 1) block for each, of
// each word's arcs from ROOT and from the words. Returns false if a score is NaN or +infinity.
inline bool spanning_trees(const float* scores, const std::int32_t* bounds, std::int64_t sentences,
                           std::int32_t* heads) {
    for (std::int64_t s = 0; s < sentences; ++s) {
        const std::int32_t n = bounds[s + 1] - bounds[s];
        std::int32_t* sentence_heads = heads + bounds[s];
        if (!choose_best_heads(scores, n, sentence_heads))
            return false;
        if (n && !is_single_rooted_tree(sentence_heads, n)) {
            ContractedGraph graph(scores, n);
            graph.decode(sentence_heads);
        }
        scores += n * (n + std::int64_t{1});
    }
    return true;
}

} // namespace meprop::MEPROP_ISA
