// A linear layer over concatenated rows of a table: y[b] = bias + sum over slots s of
// weight[:, s] * table[rows[b, s]]. A product that several examples share is computed once.
//
// In a batch, most slots hold one of few rows (a frequent form, a tag, nothing), so there are far
// fewer distinct pairs of a slot and a row than slots. The columns of y are computed panel by
// panel: a panel's products of all pairs stay in the nearest caches until they are summed.
#pragma once

#include "base/buffer.hpp"
#include "base/parallel.hpp"
#include "base/simd.hpp"

namespace meprop::MEPROP_ISA {

// rows (n, slots) -> pair (n, slots), the pair number of each slot of each example; row_of, the row
// of each pair; and first (slots + 1), the first pair of each slot. Pairs are numbered by slot,
// then by row. Returns their number.
inline std::int64_t number_pairs(const std::int32_t* rows, std::int64_t n, std::int64_t slots,
                                 std::int64_t table_rows, std::int32_t* pair, std::int32_t* row_of,
                                 std::int32_t* first) {
    const Buffer<std::int32_t> number(table_rows);
    std::int32_t pairs = 0;
    for (std::int64_t s = 0; s < slots; ++s) {
        first[s] = pairs;
        for (std::int64_t r = 0; r < table_rows; ++r)
            number[r] = 0;
        for (std::int64_t i = 0; i < n; ++i)
            number[rows[i * slots + s]] = 1;
        for (std::int64_t r = 0; r < table_rows; ++r) {
            if (number[r]) {
                row_of[pairs] = static_cast<std::int32_t>(r);
                number[r] = pairs++;
            }
        }
        for (std::int64_t i = 0; i < n; ++i)
            pair[i * slots + s] = number[rows[i * slots + s]];
    }
    first[slots] = pairs;
    return pairs;
}

constexpr int kPanelVectors = 4;
template <class T>
constexpr std::int64_t kPanel = kPanelVectors * kLanes<T>; // columns of y per task
constexpr int kPairBlock = kVectorBytes == 64 ? 6 : 3; // as many as have their sums in registers

// products[r] (kPanel) = row r of vectors (R, width) times weights (width, kPanel).
template <int R, class T>
inline void pair_products(const T* vectors, std::int64_t width, const T* weights, T* products) {
    Vector<T> sums[R][kPanelVectors] = {};
    for (std::int64_t c = 0; c < width; ++c, weights += kPanel<T>) {
        Vector<T> w[kPanelVectors];
        for (int v = 0; v < kPanelVectors; ++v)
            w[v] = load(weights + v * kLanes<T>);
        for (int r = 0; r < R; ++r) {
            const Vector<T> factor = splat(vectors[r * width + c]);
            for (int v = 0; v < kPanelVectors; ++v)
                sums[r][v] += factor * w[v];
        }
    }
    for (int r = 0; r < R; ++r, products += kPanel<T>) {
        for (int v = 0; v < kPanelVectors; ++v)
            store(products + v * kLanes<T>, sums[r][v]);
    }
}

// vectors (pairs, width), the table's row of each pair; pair and first from number_pairs; weight
// (outs, slots * width), bias (outs) or null -> y (n, outs).
template <class T>
void slot_forward(const T* vectors, std::int64_t width, const std::int32_t* pair, std::int64_t n,
                  std::int64_t slots, const std::int32_t* first, const T* weight, const T* bias,
                  std::int64_t outs, T* y, int threads) {
    const std::int64_t ins = slots * width;
    parallel_apart(ceil_div(outs, kPanel<T>), threads, [=](std::int64_t task) {
        const std::int64_t column = task * kPanel<T>;
        const std::int64_t columns = smaller(kPanel<T>, outs - column);
        const Buffer<T> products(first[slots] * kPanel<T>);
        const Buffer<T> packed(width * kPanel<T>), start(kPanel<T>);
        for (std::int64_t s = 0; s < slots; ++s) {
            for (std::int64_t o = 0; o < kPanel<T>; ++o) {
                const T* from = weight + (column + o) * ins + s * width;
                for (std::int64_t c = 0; c < width; ++c) {
                    packed[c * kPanel<T> + o] = o < columns ? from[c] : T{0};
                }
            }
            std::int64_t p = first[s];
            for (; p + kPairBlock <= first[s + 1]; p += kPairBlock) {
                pair_products<kPairBlock, T>(vectors + p * width, width, packed,
                                             products + p * kPanel<T>);
            }
            for (; p < first[s + 1]; ++p) {
                pair_products<1, T>(vectors + p * width, width, packed, products + p * kPanel<T>);
            }
        }
        for (std::int64_t o = 0; o < kPanel<T>; ++o) {
            start[o] = bias && o < columns ? bias[column + o] : T{0};
        }
        for (std::int64_t i = 0; i < n; ++i) {
            Vector<T> sums[kPanelVectors];
            for (int v = 0; v < kPanelVectors; ++v)
                sums[v] = load(start + v * kLanes<T>);
            for (std::int64_t s = 0; s < slots; ++s) {
                const T* product = products + pair[i * slots + s] * kPanel<T>;
                for (int v = 0; v < kPanelVectors; ++v)
                    sums[v] += load(product + v * kLanes<T>);
            }
            T* out = y + i * outs + column;
            for (int v = 0; v < kPanelVectors; ++v) {
                if ((v + 1) * kLanes<T> <= columns) {
                    store(out + v * kLanes<T>, sums[v]);
                } else {
                    for (std::int64_t o = v * kLanes<T>; o < columns; ++o) {
                        out[o] = sums[v][o - v * kLanes<T>];
                    }
                }
            }
        }
    });
}

} // namespace meprop::MEPROP_ISA
