// The gradients of `slot_forward`. Examples that share a pair of a slot and a row share its vector,
// so their gradients are summed first:
//
//   sum[p] = sum over the examples b of pair p of dy[b]                  (O), mostly zeros
//   dvectors[p] = sum over o of sum[p][o] * weight[o, slot of p]         (E)
//   dw[o, slot] = sum over the slot's pairs p of sum[p][o] * vectors[p]  (E)
//
// A batch of parser states has an eighth as many distinct pairs as slots, and the pairs' sums have
// a quarter of the entries that dy has over all slots. The concatenated rows are never built. Sums
// run over examples, neurons and pairs in increasing order, whatever the number of threads.
#pragma once

#include "base/buffer.hpp"
#include "base/counting_sort.hpp"
#include "base/parallel.hpp"
#include "base/simd.hpp"
#include "linear/linear.hpp"

namespace meprop::MEPROP_ISA {

// The entries of dy (n, outs) that meProp kept: k per example or, if `index` is null, all.
template <class T>
struct KeptGradient {
    const std::int32_t* index; // (n, k)
    const T* value;            // (n, k), or (n, outs)
    std::int64_t n, k, outs;

    std::int64_t max_entries() const { return n * (index ? k : outs); }

    void add_to(T* __restrict sum, std::int64_t example) const { // sum (outs)
        if (!index) {
            add_row(value + example * outs, outs, sum, false);
            return;
        }
        for (std::int64_t j = example * k; j < (example + 1) * k; ++j)
            sum[index[j]] += value[j];
    }
};

// A sparse matrix, row by row: the entries of row r are begin[r] to begin[r + 1] - 1.
template <class T>
struct SparseRows {
    SparseRows(std::int64_t rows, std::int64_t max_entries)
        : begin(rows + 1), column(max_entries + kSpareIndices), value(max_entries) {}

    // Row r times the rows of a packed tile.
    TileSum<T> times(const T* tile, std::int64_t r) const {
        TileSum<T> sum;
        sum.clear();
        for (std::int64_t j = begin[r]; j < begin[r + 1]; ++j)
            sum.add(value[j], tile + column[j] * kTile<T>);
        return sum;
    }

    const Buffer<std::int64_t> begin;
    const Buffer<std::int32_t> column;
    const Buffer<T> value;
};

// The sums of one slot's pairs, (pairs, outs) without zeros, and their transpose.
template <class T>
class PairSums {
 public:
    // `pair` has one number per example, `stride` apart: first to first + pairs - 1.
    PairSums(KeptGradient<T> dy, const std::int32_t* pair, std::int64_t stride, std::int64_t first,
             std::int64_t pairs)
        : by_pair(pairs, max_entries(dy, pairs)), by_neuron(dy.outs, max_entries(dy, pairs)) {
        add_up(dy, pair, stride, first, pairs);
        transpose(pairs, dy.outs);
    }

    const SparseRows<T> by_pair, by_neuron;

 private:
    static std::int64_t max_entries(const KeptGradient<T>& dy, std::int64_t pairs) {
        return smaller(dy.max_entries(), pairs * dy.outs);
    }

    void add_up(KeptGradient<T> dy, const std::int32_t* pair, std::int64_t stride,
                std::int64_t first, std::int64_t pairs) const {
        // sort the examples by pair: those of pair p will end at next[p + 1]
        const std::int64_t padded = ceil_div(dy.outs, kLanes<T>) * kLanes<T>;
        const Buffer<std::int32_t> next(pairs + 1), example(dy.n);
        const Buffer<T> sum(padded);
        for (std::int64_t p = 0; p <= pairs; ++p)
            next[p] = 0;
        for (std::int64_t i = 0; i < dy.n; ++i)
            ++next[pair[i * stride] - first + 1];
        offsets_from_counts<std::int32_t>(next, pairs, 0);
        for (std::int64_t i = 0; i < dy.n; ++i)
            example[next[pair[i * stride] - first + 1]++] = static_cast<std::int32_t>(i);
        for (std::int64_t o = 0; o < padded; ++o)
            sum[o] = 0;
        std::int64_t found = 0;
        for (std::int64_t p = 0, e = 0; p < pairs; ++p) {
            by_pair.begin[p] = found;
            if (dy.index && next[p + 1] - e == 1) { // nothing to sum
                found = copy(dy, example[e++], found);
                continue;
            }
            for (; e < next[p + 1]; ++e)
                dy.add_to(sum, example[e]);
            found = take(sum, padded, found);
        }
        by_pair.begin[pairs] = found;
    }

    // Appends the entries of an example to by_pair, and returns their new number.
    std::int64_t copy(KeptGradient<T> dy, std::int64_t example, std::int64_t found) const {
        for (std::int64_t j = example * dy.k; j < (example + 1) * dy.k; ++j, ++found) {
            by_pair.column[found] = dy.index[j];
            by_pair.value[found] = dy.value[j];
        }
        return found;
    }

    // Appends the nonzero entries of a sum to by_pair, zeroes the sum, and returns their new
    // number.
    std::int64_t take(T* sum, std::int64_t padded, std::int64_t found) const {
        using I = Bits<T>;
        const Vector<I> magnitude = splat(BitsOf<T>::magnitude), smallest = splat(I{1});
        std::int64_t j = found;
        for (std::int64_t o = 0; o < padded; o += kLanes<T>) {
            const Vector<I> bits = (Vector<I>)load(sum + o) & magnitude;
            found += write_lane_indices<I>(by_pair.column + found, at_least(bits, smallest),
                                           static_cast<std::int32_t>(o));
        }
        for (; j < found; ++j) {
            T& entry = sum[by_pair.column[j]];
            by_pair.value[j] = entry;
            entry = 0;
        }
        return found;
    }

    void transpose(std::int64_t pairs, std::int64_t outs) const {
        for (std::int64_t o = 0; o <= outs; ++o)
            by_neuron.begin[o] = 0;
        for (std::int64_t j = 0; j < by_pair.begin[pairs]; ++j)
            ++by_neuron.begin[by_pair.column[j] + 1];
        offsets_from_counts<std::int64_t>(by_neuron.begin, outs, 0);
        for (std::int64_t p = 0; p < pairs; ++p) {
            for (std::int64_t j = by_pair.begin[p]; j < by_pair.begin[p + 1]; ++j) {
                const std::int64_t at = by_neuron.begin[by_pair.column[j] + 1]++;
                by_neuron.column[at] = static_cast<std::int32_t>(p);
                by_neuron.value[at] = by_pair.value[j];
            }
        }
    }
};

// vectors (pairs, width), pair (n, slots) and first (slots + 1) as in the forward pass, weight
// (outs, slots * width) -> dvectors (pairs, width), dw (outs, slots * width).
template <class T>
void slot_backward(const std::int32_t* index, const T* value, std::int64_t k, const T* vectors,
                   std::int64_t width, const std::int32_t* pair, std::int64_t n, std::int64_t slots,
                   const std::int32_t* first, const T* weight, std::int64_t outs, T* dvectors,
                   T* dw, int threads) {
    const KeptGradient<T> dy{index, value, n, k, outs};
    const std::int64_t ins = slots * width;
    if (n * ins < kSmall)
        threads = 1;
    parallel_apart(slots, threads, [=](std::int64_t s) {
        const std::int64_t pairs = first[s + 1] - first[s];
        const PairSums<T> sums(dy, pair + s, slots, first[s], pairs);
        const Buffer<T> tile(larger(outs, pairs) * kTile<T>);
        for (std::int64_t column = 0; column < width; column += kTile<T>) {
            const std::int64_t columns = smaller(kTile<T>, width - column);
            pack_tile<T>(weight, outs, ins, s * width + column, tile);
            T* target = dvectors + first[s] * width + column;
            for (std::int64_t p = 0; p < pairs; ++p, target += width)
                sums.by_pair.times(tile, p).write(target, columns);
            pack_tile<T>(vectors + first[s] * width, pairs, width, column, tile);
            target = dw + s * width + column;
            for (std::int64_t o = 0; o < outs; ++o, target += ins)
                sums.by_neuron.times(tile, o).write(target, columns);
        }
    });
}

} // namespace meprop::MEPROP_ISA
