// Python bindings of the frozen parser.
#include <nanobind/stl/optional.h>
#include <nanobind/stl/vector.h>

#include <optional>

#include "dispatch.hpp"
#include "rows/found_rows.hpp"

namespace meprop::border {
namespace {

using Cube = HeldArray<const float, 3>;
using HeldMatrix = HeldArray<const float, 2>;
using HeldRow = HeldArray<const float, 1>;

// A ParserNetwork together with the arrays that it points to.
class ParserDecoder {
 public:
    ParserDecoder(int system, int activation, HeldRow bias, Cube special_forms, Cube special_tags,
                  Cube label_rows, std::vector<HeldMatrix> weights, std::vector<HeldRow> biases,
                  std::int64_t left_start, std::int64_t transitions, HeldMatrix masks,
                  HeldArray<const Index, 1> forced)
        : bias_(bias), special_forms_(special_forms), special_tags_(special_tags),
          label_rows_(label_rows), weights_(std::move(weights)), biases_(std::move(biases)),
          masks_(masks), forced_(forced), kernels_(&kernels()) {
        const std::int64_t hidden = size(bias, 0), lanes = kernels_->lanes;
        const std::int64_t labels = size(label_rows, 1) - 1;
        require(0 <= system && system <= 2, "there is no such transition system");
        require(0 <= activation && activation <= 2, "there is no such activation");
        require(hidden % lanes == 0, "the hidden layer must be a multiple of the lanes");
        for (const Cube* special : {&special_forms_, &special_tags_})
            require(size(*special, 0) == 2 && size(*special, 1) == kPositions &&
                        size(*special, 2) == hidden,
                    "special rows must be (2, 18, hidden)");
        require(size(label_rows, 0) == kLabelled && size(label_rows, 2) == hidden && labels >= 1,
                "label_rows must be (12, labels + 1, hidden)");
        require(!weights_.empty() && weights_.size() == biases_.size(),
                "weights and biases must be those of one layer or more");
        std::int64_t width = hidden;
        for (std::size_t i = 0; i < weights_.size(); ++i) {
            const std::int64_t outs = size(biases_[i], 0);
            require(
                has_shape(weights_[i], width, outs) && outs % lanes == 0,
                "a layer must be (outputs of the one before, outputs), a multiple of the lanes");
            layers_.push_back({weights_[i].data(), biases_[i].data(), width, outs});
            width = outs;
        }
        const std::int64_t situations = system == 2 ? 8 : 6;
        require((left_start == 1 || left_start == 2) && transitions == left_start + 2 * labels &&
                    transitions <= width && has_shape(masks, situations, width) &&
                    size(forced, 0) == situations,
                "masks must be (situations, outputs) of a transition system");
        for (std::int64_t s = 0; s < situations; ++s) {
            const Index move = forced.data()[s];
            require(-1 <= move && move < transitions, "a forced transition is not one");
            for (std::int64_t j = 0; j < width; ++j) {
                const bool allowed = masks.data()[s * width + j] == 0;
                // otherwise the state would be accessed outside its arrays
                require(!(allowed || move == j) || is_possible(system, s, j, left_start, labels),
                        "masks allow a transition that is not possible");
            }
        }
        network_ = {static_cast<System>(system),
                    static_cast<Activation>(activation),
                    hidden,
                    bias_.data(),
                    special_forms_.data(),
                    special_tags_.data(),
                    label_rows_.data(),
                    layers_.data(),
                    static_cast<std::int64_t>(layers_.size()),
                    labels,
                    left_start,
                    transitions,
                    masks_.data(),
                    forced_.data()};
    }

    void parse(const FoundRows& forms, const FoundRows& tags, Row<const Index> bounds,
               Row<Index> heads, Row<Index> labels, std::optional<Row<float>> confidence) const {
        require(!confidence || size(*confidence, 0) == size(heads, 0),
                "forms, tags and results must be of the same words");
        const ParserBatch batch =
            batch_of(forms, tags, bounds, heads, labels, confidence ? confidence->data() : nullptr);
        if (!kernels_->decoding.parse(network_, batch))
            throw std::domain_error("scores are not finite");
    }

    void explore(const FoundRows& forms, const FoundRows& tags, Row<const Index> bounds,
                 Row<const Index> gold_heads, Row<const Index> gold_labels, Row<Index> heads,
                 Row<Index> labels, Row<Index> followed, Row<Index> targets) const {
        const ParserBatch batch = batch_of(forms, tags, bounds, heads, labels, nullptr);
        const std::int64_t n = size(heads, 0);
        require(network_.system == System::arc_hybrid, "only arc-hybrid has a dynamic oracle here");
        require(size(gold_heads, 0) == n && size(gold_labels, 0) == n &&
                    size(followed, 0) == 2 * n && size(targets, 0) == 2 * n,
                "gold trees must be of the same words, and there are two transitions a word");
        for (std::int64_t s = 0; s < batch.sentences; ++s) {
            const Index first = bounds.data()[s], length = bounds.data()[s + 1] - first;
            for (Index i = first; i < first + length; ++i)
                require(0 <= gold_heads.data()[i] && gold_heads.data()[i] <= length &&
                            0 <= gold_labels.data()[i] && gold_labels.data()[i] < network_.labels,
                        "gold heads or labels are out of range");
        }
        const Exploration exploration{gold_heads.data(), gold_labels.data(), followed.data(),
                                      targets.data()};
        if (!kernels_->decoding.explore(network_, batch, exploration))
            throw std::domain_error("scores are not finite, or arc-hybrid cannot build a tree");
    }

 private:
    ParserBatch batch_of(const FoundRows& forms, const FoundRows& tags, Row<const Index> bounds,
                         Row<Index> heads, Row<Index> labels, float* confidence) const {
        const std::size_t n = forms.rows.size();
        require(tags.rows.size() == n && static_cast<std::size_t>(size(heads, 0)) == n &&
                    static_cast<std::size_t>(size(labels, 0)) == n,
                "forms, tags and results must be of the same words");
        for (const FoundRows* rows : {&forms, &tags}) {
            require(rows->missing.empty(), "rows are missing");
            require(rows->layer().cache.width() == kPositions * network_.hidden,
                    "rows must be (18, hidden)");
        }
        require_bounds(bounds, n);
        return {forms.rows.data(), tags.rows.data(), bounds.data(), size(bounds, 0) - 1,
                heads.data(),      labels.data(),    confidence};
    }

    // Whether the move is possible in every state of this situation, a row of
    // TransitionSystem.masks.
    static bool is_possible(int system, std::int64_t situation, std::int64_t move,
                            std::int64_t left_start, std::int64_t labels) {
        const std::int64_t stacked = situation < 4 ? situation / 2 + 1 : 3; // or more
        const bool buffered = situation % 2 == 0;
        if (move == 0)
            return buffered;
        if (move < left_start)
            return system == 2 && (situation == 4 || situation == 5);
        if (move < left_start + labels)
            return system == 1 ? buffered && stacked > 1 : stacked > 2;
        // attaching to ROOT before the buffer is empty would leave words without a head
        return move < left_start + 2 * labels && (stacked > 2 || (stacked == 2 && !buffered));
    }

    HeldRow bias_;
    Cube special_forms_, special_tags_, label_rows_;
    std::vector<HeldMatrix> weights_;
    std::vector<HeldRow> biases_;
    HeldMatrix masks_;
    HeldArray<const Index, 1> forced_;
    const Kernels* kernels_;
    std::vector<Layer> layers_;
    ParserNetwork network_;
};

} // namespace

void bind_parser(nb::module_& m) {
    nb::class_<ParserDecoder>(m, "ParserDecoder")
        .def(nb::init<int, int, HeldRow, Cube, Cube, Cube, std::vector<HeldMatrix>,
                      std::vector<HeldRow>, std::int64_t, std::int64_t, HeldMatrix,
                      HeldArray<const Index, 1>>(),
             "system"_a, "activation"_a, "bias"_a, "special_forms"_a, "special_tags"_a,
             "label_rows"_a, "weights"_a, "biases"_a, "left_start"_a, "transitions"_a, "masks"_a,
             "forced"_a)
        .def("parse", &ParserDecoder::parse, "forms"_a, "tags"_a, "bounds"_a.noconvert(),
             "heads"_a.noconvert(), "labels"_a.noconvert(), "confidence"_a.noconvert() = nb::none(),
             nb::call_guard<nb::gil_scoped_release>())
        .def("explore", &ParserDecoder::explore, "forms"_a, "tags"_a, "bounds"_a.noconvert(),
             "gold_heads"_a.noconvert(), "gold_labels"_a.noconvert(), "heads"_a.noconvert(),
             "labels"_a.noconvert(), "followed"_a.noconvert(), "targets"_a.noconvert(),
             nb::call_guard<nb::gil_scoped_release>());
}

} // namespace meprop::border
