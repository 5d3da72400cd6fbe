// Python bindings of the frozen parsers by transitions.
#include <nanobind/stl/optional.h>
#include <nanobind/stl/vector.h>

#include <optional>

#include "joint/border.hpp"
#include "parser/held_transitions.hpp"
#include "rows/found_rows.hpp"

namespace meprop::border {
namespace {

using Cube = HeldArray<const float, 3>;
using Confidence = std::optional<Row<float>>;

constexpr const char* kCannotExplore = "scores are not finite, or arc-hybrid cannot build a tree";

// A ParserNetwork together with the arrays that it points to.
class ParserDecoder {
 public:
    ParserDecoder(const HeldTransitions& transitions, Cube special_forms, Cube special_tags,
                  Cube label_rows)
        : transitions_(transitions), special_forms_(special_forms), special_tags_(special_tags),
          label_rows_(label_rows) {
        const TransitionNetwork network = transitions_.network();
        require(network.activation != Activation::leaky_relu, "there is no such activation here");
        for (const Cube* special : {&special_forms_, &special_tags_})
            require(size(*special, 0) == 2 && size(*special, 1) == kPositions &&
                        size(*special, 2) == network.hidden,
                    "special rows must be (2, 18, hidden)");
        require(size(label_rows, 0) == kLabelled && size(label_rows, 1) == network.labels + 1 &&
                    size(label_rows, 2) == network.hidden,
                "label_rows must be (12, labels + 1, hidden)");
    }

    void parse(const FoundRows& forms, const FoundRows& tags, Row<const Index> bounds,
               Row<Index> heads, Row<Index> labels, Confidence confidence) const {
        require(!confidence || size(*confidence, 0) == size(heads, 0),
                "forms, tags and results must be of the same words");
        const ParserBatch batch =
            batch_of(forms, tags, bounds, heads, labels, confidence ? confidence->data() : nullptr);
        require_finite(transitions_.kernels().decoding.parse(network(), batch));
    }

    void explore(const FoundRows& forms, const FoundRows& tags, Row<const Index> bounds,
                 Row<const Index> gold_heads, Row<const Index> gold_labels, Row<Index> heads,
                 Row<Index> labels, Row<Index> followed, Row<Index> targets) const {
        const ParserBatch batch = batch_of(forms, tags, bounds, heads, labels, nullptr);
        const ParserNetwork network = this->network();
        const Exploration exploration =
            exploration_of(network.transitions, bounds, gold_heads, gold_labels, followed, targets,
                           size(heads, 0));
        if (!transitions_.kernels().decoding.explore(network, batch, exploration))
            throw std::domain_error(kCannotExplore);
    }

 private:
    ParserNetwork network() const {
        return {transitions_.network(), special_forms_.data(), special_tags_.data(),
                label_rows_.data()};
    }

    ParserBatch batch_of(const FoundRows& forms, const FoundRows& tags, Row<const Index> bounds,
                         Row<Index> heads, Row<Index> labels, float* confidence) const {
        const std::size_t n = forms.rows.size();
        require(tags.rows.size() == n && static_cast<std::size_t>(size(heads, 0)) == n &&
                    static_cast<std::size_t>(size(labels, 0)) == n,
                "forms, tags and results must be of the same words");
        for (const FoundRows* rows : {&forms, &tags}) {
            require(rows->missing.empty(), "rows are missing");
            require(rows->layer().cache.width() == kPositions * transitions_.network().hidden,
                    "rows must be (18, hidden)");
        }
        require_bounds(bounds, n);
        return {{bounds.data(), size(bounds, 0) - 1, heads.data(), labels.data(), confidence},
                forms.rows.data(),
                tags.rows.data()};
    }

    HeldTransitions transitions_;
    Cube special_forms_, special_tags_, label_rows_;
};

// A StateParserNetwork together with the arrays that it points to.
class StateParser : ForKernels {
 public:
    StateParser(const HeldTransitions& transitions, const DigitMemory& context,
                const std::optional<TagMemory>& tags, HeldMatrix special)
        : transitions_(transitions), special_(special) {
        network_ = {use_over_states(context), use(tags), special_.data(), {}};
        require(&transitions_.kernels() == kernels_, "transitions are for other instructions");
        const std::int64_t width = kStateWords * transitions_.network().hidden;
        require(network_.context.outs == width, "context must be (inputs, 4 hidden)");
        require_same_outputs(network_.context, network_.tags);
        require(has_shape(special, 2, width), "special must be (2, 4 hidden)");
    }

    void parse(Matrix<const float> context, Probabilities tags, Row<const Index> bounds,
               Row<Index> heads, Row<Index> labels, Confidence confidence) const {
        const WordStates states = states_of(context, tags);
        require_bounds(bounds, static_cast<std::size_t>(states.words));
        require_fit(states, network_.context, network_.tags);
        require_trees(states.words, heads, labels, confidence);
        StateParserNetwork network = network_;
        network.transitions = transitions_.network();
        require_finite(kernels_->decoding.parse_states(
            network, states,
            {bounds.data(), size(bounds, 0) - 1, heads.data(), labels.data(),
             confidence ? confidence->data() : nullptr}));
    }

 private:
    HeldTransitions transitions_;
    HeldMatrix special_;
    StateParserNetwork network_;
};

// Parses words whose rows are given, and asks the dynamic oracle in each state.
void explore_rows(const HeldTransitions& transitions, Matrix<const float> words,
                  Matrix<const float> special, Row<const Index> bounds, Row<const Index> gold_heads,
                  Row<const Index> gold_labels, Row<Index> heads, Row<Index> labels,
                  Row<Index> followed, Row<Index> targets) {
    const TransitionNetwork network = transitions.network();
    const std::int64_t n = size(words, 0), width = kStateWords * network.hidden;
    require(has_shape(words, n, width) && has_shape(special, 2, width),
            "words must be (words, 4 hidden) and special (2, 4 hidden)");
    require_bounds(bounds, static_cast<std::size_t>(n));
    require_word_count(heads, n);
    require_word_count(labels, n);
    const Exploration exploration =
        exploration_of(network, bounds, gold_heads, gold_labels, followed, targets, n);
    if (!transitions.kernels().decoding.explore_rows(
            network, {words.data(), special.data()},
            {bounds.data(), size(bounds, 0) - 1, heads.data(), labels.data(), nullptr},
            exploration))
        throw std::domain_error(kCannotExplore);
}

} // namespace

void bind_parser(nb::module_& m) {
    const nb::call_guard<nb::gil_scoped_release> unlocked;
    nb::class_<HeldTransitions>(m, "TransitionScorer")
        .def(nb::init<int, int, HeldRow, std::vector<HeldMatrix>, std::vector<HeldRow>,
                      std::int64_t, std::int64_t, HeldMatrix, HeldArray<const Index, 1>>(),
             "system"_a, "activation"_a, "bias"_a, "weights"_a, "biases"_a, "left_start"_a,
             "transitions"_a, "masks"_a, "forced"_a)
        .def("explore_rows", &explore_rows, "words"_a.noconvert(), "special"_a.noconvert(),
             "bounds"_a.noconvert(), "gold_heads"_a.noconvert(), "gold_labels"_a.noconvert(),
             "heads"_a.noconvert(), "labels"_a.noconvert(), "followed"_a.noconvert(),
             "targets"_a.noconvert(), unlocked);
    nb::class_<ParserDecoder>(m, "ParserDecoder")
        .def(nb::init<const HeldTransitions&, Cube, Cube, Cube>(), "transitions"_a,
             "special_forms"_a, "special_tags"_a, "label_rows"_a)
        .def("parse", &ParserDecoder::parse, "forms"_a, "tags"_a, "bounds"_a.noconvert(),
             "heads"_a.noconvert(), "labels"_a.noconvert(), "confidence"_a.noconvert() = nb::none(),
             unlocked)
        .def("explore", &ParserDecoder::explore, "forms"_a, "tags"_a, "bounds"_a.noconvert(),
             "gold_heads"_a.noconvert(), "gold_labels"_a.noconvert(), "heads"_a.noconvert(),
             "labels"_a.noconvert(), "followed"_a.noconvert(), "targets"_a.noconvert(), unlocked);
    nb::class_<StateParser>(m, "StateParser")
        .def(nb::init<const HeldTransitions&, const DigitMemory&, const std::optional<TagMemory>&,
                      HeldMatrix>(),
             "transitions"_a, "context"_a, "tags"_a.none(), "special"_a)
        .def("parse", &StateParser::parse, "context"_a.noconvert(), "tags"_a.noconvert().none(),
             "bounds"_a.noconvert(), "heads"_a.noconvert(), "labels"_a.noconvert(),
             "confidence"_a.noconvert() = nb::none(), unlocked);
}

} // namespace meprop::border
