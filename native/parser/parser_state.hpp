// The state of a parser and its transitions: parsing/state.py and parsing/transitions.py in C++,
// for decoding.
#pragma once

#include "base/buffer.hpp"
#include "base/simd.hpp"
#include "parser/network.hpp"

namespace meprop::MEPROP_ISA {

// Words are 1 to n, ROOT is 0, and n + 1 is "none", which has no children: this way a missing word
// has missing children without a test.
class ParserState {
 public:
    static constexpr std::int32_t kRoot = 0;

    explicit ParserState(std::int32_t n) : none(n + 1), memory_(8 * (std::int64_t{n} + 2)) {
        const std::int64_t size = std::int64_t{n} + 2;
        std::int32_t* memory = memory_;
        std::int32_t** const parts[] = {&stack_, &buffer_, &heads,  &labels,
                                        &left1,  &left2,   &right1, &right2};
        for (std::int32_t** part : parts) {
            *part = memory;
            memory += size;
        }
        for (std::int64_t i = 0; i < size; ++i)
            left1[i] = left2[i] = right1[i] = right2[i] = none;
        stack_[0] = kRoot;
        stacked_ = 1;
        buffered_ = n;
        max_swaps_ = kSwapsPerWord * std::int64_t{n};
        for (std::int32_t i = 0; i < n; ++i)
            buffer_[i] = n - i;
    }

    // The i-th word from the top of the stack, and from the front of the buffer.
    std::int32_t stack(int i) const { return stacked_ > i ? stack_[stacked_ - 1 - i] : none; }
    std::int32_t buffer(int i) const { return buffered_ > i ? buffer_[buffered_ - 1 - i] : none; }
    bool is_terminal() const { return buffered_ == 0 && stacked_ == 1; }

    // The row of TransitionSystem.masks.
    int situation(System system) const {
        const int empty = buffered_ == 0;
        if (stacked_ < 3)
            return 2 * stacked_ - 2 + empty;
        const bool no_swap =
            system == System::arc_standard_swap && (stack(1) > stack(0) || swaps_ == max_swaps_);
        return (no_swap ? 6 : 4) + empty;
    }

    // Whether shifting b0 makes a gold arc between b0 and a word on the stack unreachable. gold[0]
    // is the head of word 1.
    bool shift_loses(const std::int32_t* gold) const {
        const std::int32_t word = buffer(0), head = gold[word - 1];
        for (std::int32_t i = 0; i < stacked_; ++i) {
            const std::int32_t other = stack_[i];
            if ((other == head && i + 1 < stacked_) || (other != kRoot && gold[other - 1] == word))
                return true;
        }
        return false;
    }

    void shift() { stack_[stacked_++] = buffer_[--buffered_]; }

    void swap() {
        ++swaps_;
        buffer_[buffered_++] = stack_[stacked_ - 2];
        stack_[stacked_ - 2] = stack_[stacked_ - 1];
        --stacked_;
    }

    // Both arcs return the child.
    std::int32_t left_arc(System system, std::int32_t label) {
        if (system == System::arc_hybrid) {
            const std::int32_t child = stack_[--stacked_];
            return attach(child, buffer(0), label);
        }
        const std::int32_t child = stack_[stacked_ - 2];
        stack_[stacked_ - 2] = stack_[stacked_ - 1];
        --stacked_;
        return attach(child, stack(0), label);
    }

    std::int32_t right_arc(std::int32_t label) {
        const std::int32_t child = stack_[--stacked_];
        return attach(child, stack(0), label);
    }

    const std::int32_t none;
    std::int32_t *heads, *labels; // set once a word has its head
    std::int32_t *left1, *left2, *right1, *right2;

 private:
    std::int32_t attach(std::int32_t child, std::int32_t head, std::int32_t label) {
        heads[child] = head;
        labels[child] = label;
        // without SWAP, children are attached from the head outwards
        if (child < head) {
            const std::int32_t first = left1[head];
            if (first == none || child < first) {
                left1[head] = child;
                left2[head] = first;
            } else if (left2[head] == none || child < left2[head]) {
                left2[head] = child;
            }
        } else {
            const std::int32_t first = right1[head];
            if (first == none || child > first) {
                right1[head] = child;
                right2[head] = first;
            } else if (right2[head] == none || child > right2[head]) {
                right2[head] = child;
            }
        }
        return child;
    }

    const Buffer<std::int32_t> memory_; // holds all arrays
    std::int32_t *stack_, *buffer_;
    std::int32_t stacked_, buffered_;
    std::int64_t max_swaps_, swaps_ = 0;
};

} // namespace meprop::MEPROP_ISA
