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
    std::int64_t count = 0;
#if defined(__POPCNT__)
    for (std::int64_t i = 0; i < n; i += kLanes<I>) {
        count += __builtin_popcount(at_least(load(magnitude + i), t));
    }
#else
    Vector<I> counts{};
    for (std::int64_t i = 0; i < n; i += kLanes<I>) {
        counts -= load(magnitude + i) >= t; // a comparison that holds is -1
    }
    for (int lane = 0; lane < kLanes<I>; ++lane)
        count += counts[lane];
#endif
    return count;
}

// A range of thresholds: at least k entries reach `lo`, fewer than k reach `hi`.
template <class I>
struct Bracket {
    I lo, hi;
    std::int64_t reach_lo, reach_hi; // how many entries do

    bool is_open() const { return hi - lo > 1; }

    void narrow(I threshold, std::int64_t count, std::int64_t k) {
        if (count >= k) {
            lo = threshold, reach_lo = count;
        } else {
            hi = threshold, reach_hi = count;
        }
    }

    // Where the k-th largest would be if the magnitudes were spread evenly; inside the bracket.
    I guess(std::int64_t k) const {
        const double share =
            static_cast<double>(reach_lo - k) / static_cast<double>(reach_lo - reach_hi);
        const I step = static_cast<I>(share * static_cast<double>(hi - lo));
        return smaller<I>(hi - 1, lo + larger<I>(1, step));
    }

    I middle() const { return lo + (hi - lo) / 2; }
};

// Selects in rows of one width, one after the other; the threshold of one row is the first guess
// for the next.
template <class T>
class RowSelector {
    using I = Bits<T>;

 public:
    explicit RowSelector(std::int64_t width)
        : width_(width), padded_(ceil_div(width, kLanes<I>) * kLanes<I>),
          // the candidates and their places are written a whole vector at a time
          magnitude_(scratch<I>(Scratch::magnitudes, 3 * padded_ + 32)),
          candidate_(magnitude_ + padded_),
          place_(reinterpret_cast<std::int32_t*>(candidate_ + padded_ + 16)) {}

    // Writes the k selected indices, increasing, and their values; 1 <= k <= width.
    void select(const T* row, std::int64_t k, std::int32_t* index, T* value) {
        const I largest = read(row);
        Bracket<I> bracket{0, static_cast<I>(largest + 1), width_, 0};
        I threshold = guess_ > 0 && guess_ <= largest ? guess_ : largest - kOctave;
        I stride = kOctave / 2;
        while (bracket.is_open() && bracket.reach_lo > enough(k)) {
            if (threshold <= bracket.lo || threshold >= bracket.hi)
                threshold = bracket.middle();
            const std::int64_t count = count_at_least(magnitude_, padded_, threshold);
            bracket.narrow(threshold, count, k);
            if (bracket.lo == 0 && stride == kOctave / 2) { // rows of zeros end here
                bracket.narrow(1, count_at_least(magnitude_, padded_, I{1}), k);
            }
            // gallop down to a threshold that enough entries reach, then halve
            threshold = bracket.lo > 1 ? bracket.middle() : bracket.hi - stride;
            if (stride < bracket.hi / 2)
                stride *= 2;
        }
        guess_ = bracket.lo;
        if (bracket.reach_lo <= enough(k)) {
            narrow(row, bracket, k, index, value);
        } else {
            take_ties(row, bracket.lo, k, index, value); // many entries of one magnitude
        }
    }

 private:
    static constexpr I kOctave = I{1} << BitsOf<T>::mantissa; // from a magnitude to its double

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

    // Copies out the entries that reach the bracket and finds the k largest among them.
    void narrow(const T* row, Bracket<I> bracket, std::int64_t k, std::int32_t* index, T* value) {
        const std::int64_t n = bracket.reach_lo;
        const Vector<I> lowest = splat(bracket.lo);
        std::int64_t found = 0;
        for (std::int64_t i = 0; i < padded_; i += kLanes<I>) {
            found += write_places<I>(place_ + found, at_least(load(magnitude_ + i), lowest),
                                     static_cast<std::int32_t>(i));
        }
        if (n > k) {
            for (std::int64_t j = 0; j < n; ++j)
                candidate_[j] = magnitude_[place_[j]];
            const std::int64_t padded = ceil_div(n, kLanes<I>) * kLanes<I>;
            for (std::int64_t j = n; j < padded; ++j)
                candidate_[j] = -1;
            for (bool even = true; bracket.is_open() && bracket.reach_lo > k; even = !even) {
                const I threshold = even ? bracket.guess(k) : bracket.middle();
                bracket.narrow(threshold, count_at_least(candidate_, padded, threshold), k);
            }
            std::int64_t room = k; // for entries of magnitude lo itself
            if (bracket.reach_lo > k) {
                for (std::int64_t j = 0; j < n; ++j)
                    room -= candidate_[j] > bracket.lo;
            }
            std::int64_t kept = 0;
            for (std::int64_t j = 0; j < n; ++j) {
                const I m = candidate_[j];
                place_[kept] = place_[j];
                kept += (m > bracket.lo) | ((m == bracket.lo) & (room > 0));
                room -= m == bracket.lo;
            }
        }
        for (std::int64_t j = 0; j < k; ++j)
            index[j] = place_[j], value[j] = row[place_[j]];
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
    I* magnitude_;        // (padded_)
    I* candidate_;        // (padded_)
    std::int32_t* place_; // (padded_), where the candidates stand in the row
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

} // namespace meprop::MEPROP_ISA
