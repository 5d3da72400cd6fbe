// The k entries of largest magnitude of a row (meProp, section 2.1).
//
// Magnitudes are compared as the integers that their bits form, so no value is ever rounded. NaN
// counts as infinity. Ties go to the lowest index. The k-th largest is found by guessing a
// threshold and counting, vector by vector, how many entries reach it: no heap, no sort.
#pragma once

#include "base/buffer.hpp"
#include "base/parallel.hpp"
#include "base/simd.hpp"

namespace meprop::MEPROP_ISA {

// The number of magnitudes that reach the threshold; n is a multiple of the vector width.
template <class I>
inline std::int64_t count_at_least(const I* magnitude, std::int64_t n, I threshold) {
    const Vector<I> t = splat(threshold);
    std::int64_t count = 0;
#if defined(__POPCNT__)
    for (std::int64_t i = 0; i < n; i += kLanes<I>) {
        count += __builtin_popcount(at_least(load(magnitude + i), t));
    }
#else
    Vector<I> counts{};
    for (std::int64_t i = 0; i < n; i += kLanes<I>) {
        counts -= load(magnitude + i) >= t; // a true comparison is -1
    }
    for (int lane = 0; lane < kLanes<I>; ++lane)
        count += counts[lane];
#endif
    return count;
}

// A range of thresholds: at least k entries reach `lo`, and fewer than k reach `hi`.
template <class I>
struct Bracket {
    I lo, hi;
    std::int64_t reach_lo, reach_hi; // the number of entries that reach lo and hi

    bool is_open() const { return hi - lo > 1; }

    void narrow(I threshold, std::int64_t count, std::int64_t k) {
        if (count >= k) {
            lo = threshold, reach_lo = count;
        } else {
            hi = threshold, reach_hi = count;
        }
    }

    // The k-th largest if the magnitudes were evenly spread. Lies inside the bracket.
    I guess(std::int64_t k) const {
        const double share =
            static_cast<double>(reach_lo - k) / static_cast<double>(reach_lo - reach_hi);
        const I step = static_cast<I>(share * static_cast<double>(hi - lo));
        return smaller<I>(hi - 1, lo + larger<I>(1, step));
    }

    I middle() const { return lo + (hi - lo) / 2; }
};

// Selects in one row after another, all of the same width. The threshold of one row is the first
// guess for the next.
template <class T>
class RowSelector {
    using I = Bits<T>;

 public:
    using Guess = I; // 0: no guess yet

    explicit RowSelector(std::int64_t width)
        : width_(width), padded_(ceil_div(width, kLanes<I>) * kLanes<I>), magnitude_(padded_),
          candidate_(padded_), position_(padded_ + kSpareIndices) {}

    // Writes the k selected indices, in increasing order, and their values; 1 <= k <= width.
    void select(const T* row, std::int64_t k, std::int32_t* index, T* value) {
        select(row, k, index, value, guess_);
    }

    // The same for rows that alternate with rows of another kind: each kind has its own guess.
    void select(const T* row, std::int64_t k, std::int32_t* index, T* value, Guess& guess) {
        const I largest = read(row);
        Bracket<I> bracket{0, static_cast<I>(largest + 1), width_, 0};
        I threshold = guess > 0 && guess <= largest ? guess : largest - kOctave;
        I stride = kOctave / 2;
        while (bracket.is_open() && bracket.reach_lo > enough(k)) {
            if (threshold <= bracket.lo || threshold >= bracket.hi)
                threshold = bracket.middle();
            const std::int64_t count = count_at_least<I>(magnitude_, padded_, threshold);
            bracket.narrow(threshold, count, k);
            if (bracket.lo == 0 && stride == kOctave / 2) { // finishes rows of zeros
                bracket.narrow(1, count_at_least<I>(magnitude_, padded_, I{1}), k);
            }
            // gallop down to a threshold that enough entries reach, then bisect
            threshold = bracket.lo > 1 ? bracket.middle() : bracket.hi - stride;
            if (stride < bracket.hi / 2)
                stride *= 2;
        }
        guess = bracket.lo;
        if (bracket.reach_lo <= enough(k)) {
            narrow(row, bracket, k, index, value);
        } else {
            take_ties(row, bracket.lo, k, index, value); // many entries of one magnitude
        }
    }

    // Copies the k selected entries to the same positions of `masked`, and zeroes the others;
    // 1 <= k <= width.
    void mask(const T* row, std::int64_t k, T* masked) {
        const I largest = read(row);
        Bracket<I> bracket{0, static_cast<I>(largest + 1), width_, 0};
        I threshold = guess_ > 0 && guess_ <= largest ? guess_ : largest - kOctave;
        I stride = kOctave / 16;
        for (bool even = true; bracket.is_open() && bracket.reach_lo > k; even = !even) {
            if (threshold <= bracket.lo || threshold >= bracket.hi)
                threshold = bracket.middle();
            bracket.narrow(threshold, count_at_least<I>(magnitude_, padded_, threshold), k);
            if (bracket.reach_hi == 0 && bracket.lo > 0 &&
                stride < (bracket.hi - bracket.lo) / 2) { // gallop up from the guess
                threshold = bracket.lo + stride;
                stride *= 2;
            } else if (bracket.lo == 0 &&
                       stride < bracket.hi / 2) { // or down; then narrow the bracket
                threshold = bracket.hi - stride;
                stride *= 2;
            } else {
                threshold = even ? bracket.guess(k) : bracket.middle();
            }
        }
        guess_ = bracket.lo;
        const Vector<I> lowest = splat(bracket.lo);
        std::int64_t i = 0;
        for (; i + kLanes<I> <= width_; i += kLanes<I>)
            store(masked + i,
                  (Vector<T>)((load(magnitude_ + i) >= lowest) & (Vector<I>)load(row + i)));
        for (; i < width_; ++i)
            masked[i] = magnitude_[i] >= bracket.lo ? row[i] : T{0};
        for (std::int64_t surplus = bracket.reach_lo - k; surplus > 0;) { // drop the last ties
            --i;
            if (magnitude_[i] == bracket.lo)
                masked[i] = 0, --surplus;
        }
    }

 private:
    static constexpr I kOctave = I{1} << BitsOf<T>::mantissa; // between x and 2 x

    // With at most this many candidates it pays to copy them out. The extra quarter saves the last
    // bisection steps.
    static std::int64_t enough(std::int64_t k) { return k + k / 4 + 16; }

    // Fills magnitude_ and returns the largest; the padding is below every magnitude.
    I read(const T* row) {
        Vector<I> largest{};
        const Vector<I> sign = splat(BitsOf<T>::magnitude), infinity = splat(BitsOf<T>::infinity);
        std::int64_t i = 0;
        for (; i + kLanes<I> <= width_; i += kLanes<I>) {
            Vector<I> m = (Vector<I>)load(row + i) & sign;
            m = m > infinity ? infinity : m;
            largest = m > largest ? m : largest;
            store(magnitude_ + i, m);
        }
        I result = 0;
        for (int lane = 0; lane < kLanes<I>; ++lane)
            result = larger<I>(result, largest[lane]);
        for (; i < padded_; ++i) {
            I m = -1;
            if (i < width_) {
                std::memcpy(&m, row + i, sizeof m);
                m = smaller<I>(m & BitsOf<T>::magnitude, BitsOf<T>::infinity);
            }
            magnitude_[i] = m;
            result = larger(result, m);
        }
        return result;
    }

    // Copies out the entries that reach the bracket, and finds the k largest among them.
    void narrow(const T* row, Bracket<I> bracket, std::int64_t k, std::int32_t* index, T* value) {
        const std::int64_t n = bracket.reach_lo;
        const Vector<I> lowest = splat(bracket.lo);
        std::int64_t found = 0;
        for (std::int64_t i = 0; i < padded_; i += kLanes<I>) {
            found +=
                write_lane_indices<I>(position_ + found, at_least(load(magnitude_ + i), lowest),
                                      static_cast<std::int32_t>(i));
        }
        if (n > k) {
            for (std::int64_t j = 0; j < n; ++j)
                candidate_[j] = magnitude_[position_[j]];
            const std::int64_t padded = ceil_div(n, kLanes<I>) * kLanes<I>;
            for (std::int64_t j = n; j < padded; ++j)
                candidate_[j] = -1;
            for (bool even = true; bracket.is_open() && bracket.reach_lo > k; even = !even) {
                const I threshold = even ? bracket.guess(k) : bracket.middle();
                bracket.narrow(threshold, count_at_least<I>(candidate_, padded, threshold), k);
            }
            std::int64_t room = k; // for entries whose magnitude is exactly lo
            if (bracket.reach_lo > k) {
                for (std::int64_t j = 0; j < n; ++j)
                    room -= candidate_[j] > bracket.lo;
            }
            std::int64_t kept = 0;
            for (std::int64_t j = 0; j < n; ++j) {
                const I m = candidate_[j];
                position_[kept] = position_[j];
                kept += (m > bracket.lo) | ((m == bracket.lo) & (room > 0));
                room -= m == bracket.lo;
            }
        }
        for (std::int64_t j = 0; j < k; ++j)
            index[j] = position_[j], value[j] = row[position_[j]];
    }

    // Selects all entries above lo, and the first ones that equal lo.
    void take_ties(const T* row, I lo, std::int64_t k, std::int32_t* index, T* value) {
        std::int64_t room = k - count_at_least<I>(magnitude_, padded_, static_cast<I>(lo + 1));
        for (std::int64_t i = 0, kept = 0; kept < k; ++i) {
            if (magnitude_[i] > lo || (magnitude_[i] == lo && room-- > 0)) {
                index[kept] = static_cast<std::int32_t>(i);
                value[kept++] = row[i];
            }
        }
    }

    std::int64_t width_, padded_;
    const Buffer<I> magnitude_;
    const Buffer<I> candidate_;
    const Buffer<std::int32_t> position_; // of the candidates in the row
    Guess guess_ = 0;
};

// Work with fewer operations than this is finished before another thread has woken up.
constexpr std::int64_t kSmall = 1 << 15;

// sum (width) += row; if `is_first`, sum = row.
template <class T>
inline void add_row(const T* __restrict row, std::int64_t width, T* __restrict sum, bool is_first) {
    for (std::int64_t c = 0; c < width; ++c)
        sum[c] = is_first ? row[c] : sum[c] + row[c];
}

// Rows per task: few enough to spread over threads, enough to learn a threshold.
constexpr std::int64_t kSelectRows = 64;

// Calls body(selector, n) for each row n of dy. Sets `sum` (width), unless it is null, to the sum
// of the rows: first the rows of each task are added, in the type of the data, then the tasks' sums
// in increasing order.
template <class T, class Body>
void for_selected_rows(const T* dy, std::int64_t rows, std::int64_t width, T* sum, int threads,
                       const Body& body) {
    const std::int64_t tasks = ceil_div(rows, kSelectRows);
    if (rows * width < kSmall)
        threads = 1;
    const bool in_parts = sum && tasks > 1;
    const Buffer<T> parts(in_parts ? tasks * width : 0);
    T* const partial = in_parts ? parts : sum;
    parallel_for(tasks, threads, [=, &body](std::int64_t task) {
        RowSelector<T> selector(width);
        const std::int64_t first = task * kSelectRows, last = smaller(rows, first + kSelectRows);
        for (std::int64_t n = first; n < last; ++n) {
            if (partial)
                add_row(dy + n * width, width, partial + task * width, n == first);
            body(selector, n);
        }
    });
    if (sum && tasks != 1) {
        for (std::int64_t c = 0; c < width; ++c)
            sum[c] = 0;
        for (std::int64_t task = 0; task < tasks; ++task)
            add_row(partial + task * width, width, sum, false);
    }
}

// dy (rows, width) -> index, value (rows, k); indices increase within a row. `sum` as above. Adds
// the number of selected nonzero entries of each column to `hits` (width), unless it is null.
template <class T>
void select_topk(const T* dy, std::int64_t rows, std::int64_t width, std::int64_t k,
                 std::int32_t* index, T* value, T* sum, std::int64_t* hits, int threads) {
    for_selected_rows(dy, rows, width, sum, threads, [=](RowSelector<T>& selector, std::int64_t n) {
        selector.select(dy + n * width, k, index + n * k, value + n * k);
    });
    for (std::int64_t j = 0; hits && j < rows * k; ++j)
        hits[index[j]] += value[j] != 0;
}

// dy (rows, width) -> masked (rows, width), zero where select_topk does not select. `sum` and
// `hits` as in select_topk.
template <class T>
void mask_topk(const T* dy, std::int64_t rows, std::int64_t width, std::int64_t k, T* masked,
               T* sum, std::int64_t* hits, int threads) {
    for_selected_rows(dy, rows, width, sum, threads, [=](RowSelector<T>& selector, std::int64_t n) {
        selector.mask(dy + n * width, k, masked + n * width);
    });
    for (std::int64_t n = 0; hits && n < rows; ++n) {
        for (std::int64_t c = 0; c < width; ++c)
            hits[c] += masked[n * width + c] != 0;
    }
}

} // namespace meprop::MEPROP_ISA
