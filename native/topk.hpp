// The k entries of largest magnitude of a row (meProp, section 2.1).
//
// Magnitudes are compared as the integers their bits make, so no value is ever rounded. NaN counts
// as infinity. Ties go to the lowest index. The k-th largest is found by guessing a threshold and
// counting, a vector at a time, how many entries reach it: no heap, no sort.
#pragma once

#include "parallel.hpp"
#include "simd.hpp"

namespace meprop::MEPROP_ISA {

// How many of the n magnitudes (a multiple of the vector width) reach the threshold.
template <class I>
inline std::int64_t count_at_least(const I* magnitude, std::int64_t n, I threshold) {
    const Vector<I> t = splat(threshold);
    Vector<I> a{}, b{};
    std::int64_t i = 0;
    for (; i + 2 * kLanes<I> <= n; i += 2 * kLanes<I>) {
        a -= load(magnitude + i) >= t;  // a comparison that holds is -1
        b -= load(magnitude + i + kLanes<I>) >= t;
    }
    if (i < n) a -= load(magnitude + i) >= t;
    a += b;
    std::int64_t count = 0;
    for (int lane = 0; lane < kLanes<I>; ++lane) count += a[lane];
    return count;
}

// Selects in rows of one width, one after the other; the threshold of one row is the first guess
// for the next.
template <class T>
class RowSelector {
    using I = Bits<T>;

   public:
    explicit RowSelector(std::int64_t width)
        : width_(width),
          padded_(ceil_div(width, kLanes<I>) * kLanes<I>),
          magnitude_(scratch<I>(Scratch::magnitudes, 2 * padded_ + ceil_div(padded_, 2) * 2)),
          candidate_(magnitude_ + padded_),
          place_(reinterpret_cast<std::int32_t*>(candidate_ + padded_)) {}

    // Writes the k selected indices, increasing, and their values; 1 <= k <= width.
    void select(const T* row, std::int64_t k, std::int32_t* index, T* value) {
        const I largest = read(row);
        I lo = 0, hi = largest + 1;  // at least k entries reach lo, fewer than k reach hi
        std::int64_t reaching = width_;
        I guess = guess_ > 0 && guess_ < hi ? guess_ : hi - (I{1} << (BitsOf<T>::mantissa + 1));
        I stride = I{1} << (BitsOf<T>::mantissa - 2);
        bool bracketed = false;
        while (hi - lo > 1 && reaching > enough(k)) {
            if (guess <= lo || guess >= hi) guess = lo + (hi - lo) / 2;
            const std::int64_t count = count_at_least(magnitude_, padded_, guess);
            if (count >= k) {
                lo = guess;
                reaching = count;
                bracketed = true;
            } else {
                hi = guess;
            }
            // gallop down to a threshold that enough entries reach, then halve
            guess = bracketed ? lo + (hi - lo) / 2 : hi > stride ? hi - stride : I{1};
            stride *= 2;
        }
        guess_ = lo;
        if (reaching <= enough(k)) {
            narrow(row, lo, hi, reaching, k, index, value);
        } else {
            take_ties(row, lo, k, index, value);  // many entries of just the same magnitude
        }
    }

   private:
    // So few candidates that it pays to copy them out; a quarter more to spare the last halvings.
    static std::int64_t enough(std::int64_t k) { return k + k / 4 + 16; }

    // Fills magnitude_, padding below every magnitude, and returns the largest.
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
        for (int lane = 0; lane < kLanes<I>; ++lane) result = larger<I>(result, largest[lane]);
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

    // Copies out the `n` entries that reach lo and finds the k-th largest among them.
    void narrow(const T* row, I lo, I hi, std::int64_t n, std::int64_t k, std::int32_t* index,
                T* value) {
        std::int64_t found = 0;
        const Vector<I> t = splat(lo);
        for (std::int64_t i = 0; i < padded_ && found < n; i += kLanes<I>) {
            std::uint32_t mask = at_least(load(magnitude_ + i), t);
            for (; mask; mask &= mask - 1) {
                place_[found++] = static_cast<std::int32_t>(i) + __builtin_ctz(mask);
            }
        }
        if (n == k) {
            for (std::int64_t j = 0; j < k; ++j) index[j] = place_[j], value[j] = row[place_[j]];
            return;
        }
        for (std::int64_t j = 0; j < n; ++j) candidate_[j] = magnitude_[place_[j]];
        const std::int64_t padded = ceil_div(n, kLanes<I>) * kLanes<I>;
        for (std::int64_t j = n; j < padded; ++j) candidate_[j] = -1;
        while (hi - lo > 1) {
            const I middle = lo + (hi - lo) / 2;
            const std::int64_t count = count_at_least(candidate_, padded, middle);
            (count >= k ? lo : hi) = middle;
            if (count == k) break;
        }
        std::int64_t room = k;  // for entries of magnitude lo itself
        for (std::int64_t j = 0; j < n; ++j) room -= candidate_[j] > lo;
        for (std::int64_t j = 0, kept = 0; kept < k; ++j) {
            if (candidate_[j] > lo || (candidate_[j] == lo && room-- > 0)) {
                index[kept] = place_[j];
                value[kept++] = row[place_[j]];
            }
        }
    }

    // All entries above lo, and the first of those that equal it.
    void take_ties(const T* row, I lo, std::int64_t k, std::int32_t* index, T* value) {
        std::int64_t room = k - count_at_least(magnitude_, padded_, static_cast<I>(lo + 1));
        for (std::int64_t i = 0, kept = 0; kept < k; ++i) {
            if (magnitude_[i] > lo || (magnitude_[i] == lo && room-- > 0)) {
                index[kept] = static_cast<std::int32_t>(i);
                value[kept++] = row[i];
            }
        }
    }

    std::int64_t width_, padded_;
    I* magnitude_;         // (padded_)
    I* candidate_;         // (padded_)
    std::int32_t* place_;  // (padded_), where the candidates stand in the row
    I guess_ = 0;
};

// Rows a task selects in; small enough to spread, large enough to learn a threshold.
constexpr std::int64_t kSelectRows = 64;

// dy (rows, width) -> index, value (rows, k); indices increase within a row.
template <class T>
void select_topk(const T* dy, std::int64_t rows, std::int64_t width, std::int64_t k,
                 std::int32_t* index, T* value, int threads) {
    parallel_for(ceil_div(rows, kSelectRows), threads, [=](std::int64_t task) {
        RowSelector<T> selector(width);
        const std::int64_t last = smaller(rows, (task + 1) * kSelectRows);
        for (std::int64_t n = task * kSelectRows; n < last; ++n) {
            selector.select(dy + n * width, k, index + n * k, value + n * k);
        }
    });
}

}  // namespace meprop::MEPROP_ISA
