// Python bindings of the frozen tagger.
#include <nanobind/stl/optional.h>

#include <array>
#include <optional>

#include "dispatch.hpp"
#include "rows/found_rows.hpp"

namespace meprop::border {
namespace {

using Panels = HeldArray<const float, 4>;

// A TaggerNetwork together with the arrays that it points to.
class TaggerDecoder {
 public:
    TaggerDecoder(Panels forward, Panels backward, Panels heads, HeldArray<const float, 1> bias,
                  HeldArray<const Index, 2> columns)
        : recurrent_{forward, backward}, heads_(heads), bias_(bias), columns_(columns),
          kernels_(&kernels()) {
        const std::int64_t lanes = kernels_->lanes, scores = size(bias, 0);
        for (int d = 0; d < 2; ++d) {
            const Panels& panels = recurrent_[static_cast<std::size_t>(d)];
            network_.units[d] = size(panels, 1);
            network_.padded[d] = size(panels, 0) * lanes;
            require(size(panels, 2) == 4 && size(panels, 3) == lanes && 0 < network_.units[d] &&
                        network_.units[d] <= network_.padded[d],
                    "recurrent weights must be (panels, units, 4, lanes)");
            network_.recurrent[d] = panels.data();
        }
        require(size(heads, 1) == network_.padded[0] + network_.padded[1] && size(heads, 2) == 4 &&
                    size(heads, 3) == lanes && size(heads, 0) * 4 * lanes == scores,
                "heads must be (panels, padded units of both directions, 4, lanes)");
        require(size(columns, 1) == 2, "columns must be (columns, 2)");
        std::int64_t end = 0;
        for (std::int64_t c = 0; c < size(columns, 0); ++c) {
            const Index first = columns.data()[2 * c], width = columns.data()[2 * c + 1];
            require(first == end && width >= 1, "columns must follow each other");
            end = first + (width + lanes - 1) / lanes * lanes;
        }
        require(end <= scores, "there are fewer scores than the columns need");
        network_.heads = heads_.data();
        network_.bias = bias_.data();
        network_.scores = scores;
        network_.columns = columns_.data();
        network_.n_columns = size(columns, 0);
    }

    void tag(const FoundRows& forms, Row<const Index> bounds, Matrix<Index> tags,
             std::optional<Matrix<float>> confidence) const {
        const std::int64_t n = static_cast<std::int64_t>(forms.rows.size());
        require(has_shape(tags, network_.n_columns, n) &&
                    (!confidence || has_shape(*confidence, network_.n_columns, n)),
                "results must be (columns, words)");
        require(forms.missing.empty(), "rows are missing");
        require(forms.layer().cache.width() == 4 * (network_.padded[0] + network_.padded[1]),
                "rows must be (4 gates of the units of both directions)");
        require_bounds(bounds, forms.rows.size());
        const bool finite = kernels_->decoding.tag(
            network_, {forms.rows.data(), bounds.data(), size(bounds, 0) - 1, tags.data(),
                       confidence ? confidence->data() : nullptr});
        if (!finite)
            throw std::domain_error("scores are not finite");
    }

 private:
    std::array<Panels, 2> recurrent_;
    Panels heads_;
    HeldArray<const float, 1> bias_;
    HeldArray<const Index, 2> columns_;
    const Kernels* kernels_;
    TaggerNetwork network_{};
};

} // namespace

void bind_tagger(nb::module_& m) {
    nb::class_<TaggerDecoder>(m, "TaggerDecoder")
        .def(nb::init<Panels, Panels, Panels, HeldArray<const float, 1>,
                      HeldArray<const Index, 2>>(),
             "forward"_a, "backward"_a, "heads"_a, "bias"_a, "columns"_a)
        .def("tag", &TaggerDecoder::tag, "forms"_a, "bounds"_a.noconvert(), "tags"_a.noconvert(),
             "confidence"_a.noconvert() = nb::none(), nb::call_guard<nb::gil_scoped_release>());
}

} // namespace meprop::border
