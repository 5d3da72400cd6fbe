// The rows whose sum is a parser's input.
//
// The network's input is a sum of rows, one for each of its 18 forms, 18 tags and 12 labels (Chen &
// Manning 2014). Usually most children are missing. The rows of a missing child and its missing
// label are summed in advance, and so are the rows of the two further children that cannot exist
// without it. That leaves about 20 rows to add per transition instead of 48.
#pragma once

#include "base/buffer.hpp"
#include "parser/network.hpp"
#include "parser/parser_state.hpp"

namespace meprop::MEPROP_ISA {

// The positions of the first child, the second child, and the first child's own first child.
struct ChildPositions {
    int first, second, grandchild;
};
constexpr int kFirstChild = kPositions - kLabelled;
constexpr ChildPositions kChildren[2][2] = {{{6, 8, 10}, {7, 9, 11}}, {{12, 14, 16}, {13, 15, 17}}};

// The sums of the rows of missing children, computed once per batch.
class MissingRows {
 public:
    explicit MissingRows(const ParserNetwork& network)
        : h_(network.transitions.hidden), rows_((kPositions + 8) * h_) {
        for (int p = 0; p < kPositions; ++p) {
            float* row = rows_ + p * h_;
            const float* form = network.special_forms + (kPositions + p) * h_;
            const float* tag = network.special_tags + (kPositions + p) * h_;
            const float* label =
                p < kFirstChild
                    ? nullptr
                    : network.label_rows +
                          ((p - kFirstChild + 1) * (network.transitions.labels + 1) - 1) * h_;
            for (std::int64_t j = 0; j < h_; ++j)
                row[j] = form[j] + tag[j] + (label ? label[j] : 0.0f);
        }
        for (int w = 0; w < 2; ++w) {
            for (int side = 0; side < 2; ++side) {
                const ChildPositions& at = kChildren[w][side];
                float* two = rows_ + (kPositions + 4 * w + 2 * side) * h_;
                float* three = two + h_;
                for (std::int64_t j = 0; j < h_; ++j) {
                    two[j] = one(at.second)[j] + one(at.grandchild)[j];
                    three[j] = one(at.first)[j] + two[j];
                }
            }
        }
    }

    const float* one(int position) const { return rows_ + position * h_; }
    // The sum for the second child and the grandchild of a word (s0 or s1, or b0) on one side, and
    // for all three children.
    const float* two(int word, int side) const {
        return rows_ + (kPositions + 4 * word + 2 * side) * h_;
    }
    const float* three(int word, int side) const { return two(word, side) + h_; }

 private:
    const std::int64_t h_;
    const Buffer<float> rows_;
};

constexpr int kMaxRows = 2 * kPositions + kLabelled;

// The rows of forms, tags and labels whose sum is the input of a state.
class FeatureInput {
 public:
    FeatureInput(const ParserNetwork& network, const MissingRows& missing,
                 const float* const* forms, const float* const* tags)
        : network_(network), missing_(missing), forms_(forms), tags_(tags) {}

    void collect(const ParserState& state) {
        n = 0;
        for (int i = 0; i < 3; ++i)
            add_word(state, state.stack(i), i);
        for (int i = 0; i < 3; ++i)
            add_word(state, state.buffer(i), 3 + i);
        // in arc-hybrid, b0's left children replace those of s1: parsing/features.py
        const bool b0 = network_.transitions.system == System::arc_hybrid;
        for (int w = 0; w < 2; ++w) {
            const std::int32_t word = state.stack(w), left = w && b0 ? state.buffer(0) : word;
            add_children(state, w, 0, state.left1, state.left2, left);
            add_children(state, w, 1, state.right1, state.right2, word);
        }
    }

    const float* rows[kMaxRows];
    int n = 0;

 private:
    void add_word(const ParserState& state, std::int32_t word, int position) {
        if (word == state.none) {
            rows[n++] = missing_.one(position);
            return;
        }
        const std::int64_t at = position * network_.transitions.hidden;
        const bool is_root = word == ParserState::kRoot;
        rows[n++] = (is_root ? network_.special_forms : forms_[word - 1]) + at;
        rows[n++] = (is_root ? network_.special_tags : tags_[word - 1]) + at;
    }

    void add_child(const ParserState& state, std::int32_t child, int position) {
        add_word(state, child, position);
        if (child != state.none) {
            const std::int64_t label =
                (position - kFirstChild) * (network_.transitions.labels + 1) + state.labels[child];
            rows[n++] = network_.label_rows + label * network_.transitions.hidden;
        }
    }

    void add_children(const ParserState& state, int w, int side, const std::int32_t* first,
                      const std::int32_t* second, std::int32_t word) {
        const ChildPositions& at = kChildren[w][side];
        const std::int32_t child = first[word];
        if (child == state.none) {
            rows[n++] = missing_.three(w, side);
            return;
        }
        add_child(state, child, at.first);
        if (second[word] == state.none && first[child] == state.none) {
            rows[n++] = missing_.two(w, side);
            return;
        }
        add_child(state, second[word], at.second);
        add_child(state, first[child], at.grandchild);
    }

    const ParserNetwork& network_;
    const MissingRows& missing_;
    const float* const* forms_;
    const float* const* tags_;
};

// The features of a batch, a sentence at a time.
class FeatureInputs {
 public:
    FeatureInputs(const ParserNetwork& network, const ParserBatch& batch)
        : network_(network), batch_(batch), missing_(network) {}

    FeatureInput from(std::int64_t word) const {
        return {network_, missing_, batch_.forms + word, batch_.tags + word};
    }

 private:
    const ParserNetwork& network_;
    const ParserBatch& batch_;
    const MissingRows missing_;
};

} // namespace meprop::MEPROP_ISA
