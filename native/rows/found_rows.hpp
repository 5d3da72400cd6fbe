// Rows that were looked up in a cache. None of them is evicted while this object lives.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/border.hpp"
#include "rows/row_cache.hpp"

namespace meprop::border {

// A row cache, and the folded layer that fills it.
struct FoldedLayer {
    HeldArray<const float, 2> weight; // (ins, width)
    HeldArray<const float, 1> bias;   // (width)
    const Kernels* kernels;
    RowCache cache;
};

class FoundRows {
 public:
    FoundRows(std::shared_ptr<FoldedLayer> layer, const std::vector<std::string_view>& keys);
    ~FoundRows();
    FoundRows(const FoundRows&) = delete;
    FoundRows& operator=(const FoundRows&) = delete;

    void fill(Matrix<const float> vectors);

    std::vector<const float*> rows;
    std::vector<std::string> missing; // keys of the rows that `fill` expects

    const FoldedLayer& layer() const { return *layer_; }

 private:
    std::shared_ptr<FoldedLayer> layer_;
    RowCache::Ticket ticket_;
    std::vector<RowCache::Missing> unfilled_;
};

} // namespace meprop::border
