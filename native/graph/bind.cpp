// Python binding of the decoder of graph-based parsing.
#include "base/border.hpp"
#include "dispatch.hpp"

namespace meprop::border {

void bind_graph(nb::module_& m) {
    m.def(
        "spanning_trees",
        [](Row<const float> scores, Row<const Index> bounds, Row<Index> heads) {
            require_bounds(bounds, static_cast<std::size_t>(size(heads, 0)));
            const std::int64_t sentences = size(bounds, 0) - 1;
            std::int64_t arcs = 0;
            for (std::int64_t s = 0; s < sentences; ++s) {
                const std::int64_t n = bounds.data()[s + 1] - bounds.data()[s];
                arcs += n * (n + 1);
            }
            require(size(scores, 0) == arcs,
                    "scores must be (words, words + 1) of each sentence, one after the other");
            if (!kernels().decoding.spanning_trees(scores.data(), bounds.data(), sentences,
                                                   heads.data()))
                throw std::domain_error("scores are not finite");
        },
        "scores"_a.noconvert(), "bounds"_a.noconvert(), "heads"_a.noconvert(),
        nb::call_guard<nb::gil_scoped_release>());
}

} // namespace meprop::border
