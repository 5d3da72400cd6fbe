#include "joint/packed_layer.hpp"

#include <algorithm>
#include <cstdlib>
#include <new>
#include <utility>

namespace meprop {

namespace {

// 64-byte aligned, the size of the widest vectors and of a cache line; zeros.
template <class T>
std::shared_ptr<T> aligned_array(std::int64_t n) {
    const std::size_t bytes = (static_cast<std::size_t>(n) * sizeof(T) + 63) / 64 * 64;
    std::shared_ptr<T> array(static_cast<T*>(std::aligned_alloc(64, bytes)), std::free);
    if (!array)
        throw std::bad_alloc();
    std::fill(array.get(), array.get() + n, T{});
    return array;
}

} // namespace

LayerMemory::LayerMemory(const float* weight, const float* bias, std::int64_t ins,
                         std::int64_t outs, std::int64_t lanes)
    : lanes_(lanes) {
    const std::int64_t padded = (outs + lanes - 1) / lanes * lanes, group = 4 * lanes;
    const std::int64_t n = (ins + 1) * padded; // the bias comes first
    memory_ = aligned_array<float>(n);
    float* packed = memory_.get();
    if (bias)
        std::copy(bias, bias + outs, packed);
    layer_ = {packed + padded, packed, ins, padded};
    packed += padded;
    for (std::int64_t first = 0; first < outs; first += group) {
        const std::int64_t width = std::min(group, padded - first);
        const std::int64_t used = std::min(group, outs - first);
        for (std::int64_t i = 0; i < ins; ++i, packed += width)
            std::copy(weight + i * outs + first, weight + i * outs + first + used, packed);
    }
}

namespace {

// The rows of the tags, and below them the sum of each column's.
std::vector<float> with_sums(const float* weight, std::int64_t outs,
                             const std::vector<std::int32_t>& ends) {
    std::vector<float> rows(weight, weight + ends.back() * outs);
    std::int64_t tag = 0;
    for (const std::int64_t end : ends) {
        std::vector<double> sums(static_cast<std::size_t>(outs));
        for (; tag < end; ++tag) {
            for (std::int64_t j = 0; j < outs; ++j)
                sums[static_cast<std::size_t>(j)] += weight[tag * outs + j];
        }
        for (const double sum : sums)
            rows.push_back(static_cast<float>(sum));
    }
    return rows;
}

} // namespace

TagMemory::TagMemory(const float* weight, std::int64_t outs, std::vector<std::int32_t> ends,
                     std::int64_t lanes)
    : ends_(std::make_shared<const std::vector<std::int32_t>>(std::move(ends))),
      memory_(with_sums(weight, outs, *ends_).data(), nullptr,
              ends_->back() + static_cast<std::int64_t>(ends_->size()), outs, lanes) {}

TagLayer TagMemory::layer() const {
    return {memory_.layer(), ends_->data(), static_cast<std::int64_t>(ends_->size()),
            ends_->back()};
}

namespace {

// Packs digits as float32 or as bytes, see DigitLayer.
template <class T>
std::shared_ptr<void> packed_digits(const std::int32_t* digits, std::int64_t ins, std::int64_t outs,
                                    std::int64_t group, std::int64_t together) {
    const std::shared_ptr<T> memory = aligned_array<T>(ins * outs);
    T* packed = memory.get();
    for (std::int64_t first = 0; first < outs; first += group) {
        const std::int64_t end = std::min(first + group, outs);
        for (std::int64_t i = 0; i < ins; i += together) {
            for (std::int64_t j = first; j < end; ++j) {
                for (std::int64_t d = i; d < i + together; ++d)
                    *packed++ = static_cast<T>(digits[d * outs + j]);
            }
        }
    }
    return memory;
}

} // namespace

DigitMemory::DigitMemory(const std::int32_t* digits, const float* scale, const float* bias,
                         std::int64_t states, std::int64_t ins, std::int64_t outs,
                         std::int64_t lanes, std::int64_t digits_together)
    : states_(states), lanes_(lanes), scale_and_bias_(aligned_array<float>(2 * outs)),
      offsets_(aligned_array<std::int32_t>(2 * outs)) {
    const auto pack = digits_together == 1 ? packed_digits<float> : packed_digits<std::int8_t>;
    weight_ = pack(digits, ins, outs, 4 * lanes, digits_together);
    std::copy(scale, scale + outs, scale_and_bias_.get());
    std::copy(bias, bias + outs, scale_and_bias_.get() + outs);
    std::int32_t *of_states = offsets_.get(), *of_all = of_states + outs;
    for (std::int64_t i = 0; i < ins; ++i) {
        for (std::int64_t j = 0; j < outs; ++j) {
            const std::int32_t added =
                static_cast<std::int32_t>(kStateDigits) * digits[i * outs + j];
            of_states[j] += i < states ? added : 0;
            of_all[j] += added;
        }
    }
    layer_ = {weight_.get(), scale_and_bias_.get(), scale_and_bias_.get() + outs, of_states, ins,
              outs};
}

} // namespace meprop
