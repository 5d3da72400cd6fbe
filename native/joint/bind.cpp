// Python bindings of the frozen joint model: its packed layers, its encoder and its heads.
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/vector.h>

#include <optional>
#include <utility>
#include <vector>

#include "joint/border.hpp"
#include "rows/found_rows.hpp"

namespace meprop::border {
namespace {

LayerMemory make_layer(Matrix<const float> weight, std::optional<Row<const float>> bias) {
    const std::int64_t ins = size(weight, 0), outs = size(weight, 1);
    require(outs >= 1 && (!bias || size(*bias, 0) == outs),
            "bias must have a value for each column of weight, of which there is one or more");
    return {weight.data(), bias ? bias->data() : nullptr, ins, outs, kernels().lanes};
}

TagMemory make_tags(Matrix<const float> weight, Row<const Index> sizes) {
    std::vector<Index> ends;
    Index end = 0;
    for (std::int64_t c = 0; c < size(sizes, 0); ++c) {
        require(sizes.data()[c] >= 1 && sizes.data()[c] <= size(weight, 0) - end,
                "sizes must be those of columns with a tag or more");
        ends.push_back(end += sizes.data()[c]);
    }
    require(!ends.empty() && end == size(weight, 0) && size(weight, 1) >= 1,
            "weight must have a row for each tag of the columns, and a column or more");
    return {weight.data(), size(weight, 1), std::move(ends), kernels().lanes};
}

DigitMemory make_digits(Matrix<const Index> digits, Row<const float> scale, Row<const float> bias,
                        std::int64_t states) {
    const std::int64_t ins = size(digits, 0), outs = size(digits, 1), lanes = kernels().lanes;
    require(outs >= 1 && outs % (lanes / 2) == 0 && size(scale, 0) == outs && size(bias, 0) == outs,
            "digits must fill half vectors, and have a scale and a bias for each column");
    require(0 <= states && states <= ins && states % kMostDigitsTogether == 0 &&
                ins % kMostDigitsTogether == 0,
            "the rows of digits must be in fours");
    for (std::int64_t i = 0; i < ins * outs; ++i)
        require(-127 <= digits.data()[i] && digits.data()[i] <= 127, "a digit needs eight bits");
    return {digits.data(), scale.data(), bias.data(), states,
            ins,           outs,         lanes,       kernels().digits_together};
}

class JointEncoder : ForKernels {
 public:
    using Direction = std::pair<DigitMemory, std::int64_t>; // with its number of units

    explicit JointEncoder(const std::vector<std::pair<Direction, Direction>>& layers) {
        require(!layers.empty(), "an encoder has one layer or more");
        std::int64_t states = 0;
        for (const auto& [forward, backward] : layers) {
            layers_.push_back({direction(forward, states), direction(backward, states)});
            states = layers_.back().digits();
        }
    }

    void run(const FoundRows& forms, Row<const Index> bounds, Matrix<float> context) const {
        require(forms.missing.empty(), "rows are missing");
        run_rows(forms.rows, forms.layer().cache.width(), bounds, context);
    }

    // The same for words whose folded rows are in a table: word i has row `numbers[i]`.
    void run_table(Matrix<const float> table, Row<const Index> numbers, Row<const Index> bounds,
                   Matrix<float> context) const {
        std::vector<const float*> rows;
        rows.reserve(static_cast<std::size_t>(size(numbers, 0)));
        for (std::int64_t i = 0; i < size(numbers, 0); ++i) {
            const Index number = numbers.data()[i];
            require(0 <= number && number < size(table, 0), "a number is outside the table");
            rows.push_back(table.data() + number * size(table, 1));
        }
        run_rows(rows, size(table, 1), bounds, context);
    }

 private:
    void run_rows(const std::vector<const float*>& rows, std::int64_t width,
                  const Row<const Index>& bounds, const Matrix<float>& context) const {
        const BiLSTMLayer& first = layers_.front();
        require(width >= first.directions[0].gates.outs + first.directions[1].gates.outs,
                "rows must begin with the gates of both directions");
        require_bounds(bounds, rows.size());
        require(has_shape(context, static_cast<std::int64_t>(rows.size()), layers_.back().units()),
                "context must be (words, units of the last layer)");
        kernels_->decoding.encode(
            {layers_.data(), static_cast<std::int64_t>(layers_.size())},
            {rows.data(), bounds.data(), size(bounds, 0) - 1, context.data()});
    }

    LSTMDirection direction(const Direction& given, std::int64_t states) {
        const auto& [memory, units] = given;
        const std::int64_t half = kernels_->lanes / 2, panels = (units + half - 1) / half * half;
        const LSTMDirection found{use(memory), units, padded(units)};
        require(units >= 1 && memory.states() == states &&
                    found.gates.ins == states + found.digits() && found.gates.outs == 4 * panels,
                "a direction's digits must be (states below + units, 4 gates of padded units)");
        return found;
    }

    std::vector<BiLSTMLayer> layers_;
};

class TagScorer : ForKernels {
 public:
    TagScorer(const DigitMemory& scores, HeldArray<const Index, 2> columns, float flat)
        : columns_(columns) {
        network_.scores = use_over_states(scores);
        require(size(columns, 1) == 2, "columns must be (columns, 2)");
        std::int64_t end = 0;
        for (std::int64_t c = 0; c < size(columns, 0); ++c) {
            const Index first = columns.data()[2 * c], width = columns.data()[2 * c + 1];
            require(first == end && width >= 1, "columns must follow each other");
            end = first + padded(width);
            network_.n_tags += width;
        }
        require(end == network_.scores.outs, "columns must have all scores");
        network_.columns = columns_.data();
        network_.n_columns = size(columns, 0);
        network_.flat = flat;
    }

    void choose(Matrix<const float> context, Matrix<Index> tags,
                std::optional<Matrix<float>> confidence,
                std::optional<Matrix<float>> probabilities) const {
        const WordStates states = states_of(context, {});
        require(digits_of(states.width) == network_.scores.ins, "context has the wrong width");
        require(has_shape(tags, network_.n_columns, states.words) &&
                    (!confidence || has_shape(*confidence, network_.n_columns, states.words)),
                "results must be (columns, words)");
        require(!probabilities || has_shape(*probabilities, states.words, network_.n_tags),
                "probabilities must be (words, tags)");
        require_finite(kernels_->decoding.choose_all_tags(
            network_, states,
            {tags.data(), confidence ? confidence->data() : nullptr,
             probabilities ? probabilities->data() : nullptr}));
    }

 private:
    HeldArray<const Index, 2> columns_;
    TagNetwork network_{};
};

class ScriptScorer : ForKernels {
 public:
    ScriptScorer(const DigitMemory& context, const std::optional<TagMemory>& tags,
                 const LayerMemory& output, std::int64_t n_scripts) {
        network_ = {use_over_states(context), use(tags), use(output), n_scripts};
        require_same_outputs(network_.context, network_.tags);
        require(padded(network_.output.ins) == network_.context.outs, "output does not fit hidden");
        require(n_scripts >= 1 && padded(n_scripts) == network_.output.outs,
                "output must have a column for each script");
    }

    void choose(const FoundRows& forms, std::int64_t column, Matrix<const float> context,
                Probabilities tags, Row<Index> scripts, std::optional<Row<float>> confidence,
                std::optional<Row<float>> lead) const {
        const WordStates states = states_of(context, tags);
        require_word_count(scripts, states.words);
        if (confidence)
            require_word_count(*confidence, states.words);
        if (lead)
            require_word_count(*lead, states.words);
        run(forms, forms.rows, column, states,
            {1, scripts.data(), nullptr, confidence ? confidence->data() : nullptr,
             lead ? lead->data() : nullptr});
    }

    // The best scripts of some words: of the one whose number is `words[i]`, context and tags are
    // in row i.
    void rank(const FoundRows& forms, std::int64_t column, Row<const Index> words,
              Matrix<const float> context, Probabilities tags, Matrix<Index> scripts,
              Matrix<float> scores) const {
        const WordStates states = states_of(context, tags);
        require_word_count(words, states.words);
        const std::int64_t n_best = size(scripts, 1);
        require(1 <= n_best && n_best <= network_.n_scripts, "there are not so many scripts");
        require(has_shape(scripts, states.words, n_best) && has_shape(scores, states.words, n_best),
                "results must be (words, scripts)");
        std::vector<const float*> rows;
        rows.reserve(static_cast<std::size_t>(states.words));
        for (std::int64_t i = 0; i < states.words; ++i) {
            const auto word = static_cast<std::size_t>(words.data()[i]);
            require(words.data()[i] >= 0 && word < forms.rows.size(), "there is no such word");
            rows.push_back(forms.rows[word]);
        }
        run(forms, rows, column, states, {n_best, scripts.data(), scores.data(), nullptr, nullptr});
    }

 private:
    void run(const FoundRows& forms, const std::vector<const float*>& rows, std::int64_t column,
             const WordStates& states, const LemmaResults& results) const {
        require(forms.missing.empty() && static_cast<std::int64_t>(rows.size()) == states.words,
                "rows are missing");
        require(column >= 0 && column % kernels_->lanes == 0 &&
                    column + network_.context.outs <= forms.layer().cache.width(),
                "rows must have the hidden layer's sums from `column` on");
        require_fit(states, network_.context, network_.tags);
        require_finite(
            kernels_->decoding.choose_scripts(network_, states, rows.data(), column, results));
    }

    LemmaNetwork network_;
};

class GraphParser : ForKernels {
 public:
    GraphParser(const DigitMemory& context, const std::optional<TagMemory>& tags,
                const LayerMemory& arcs, const LayerMemory& labels, HeldArray<const float, 1> root,
                std::int64_t n_labels)
        : root_(root) {
        network_ = {
            use_over_states(context), use(tags), use(arcs), use(labels), root_.data(), n_labels};
        const std::int64_t arc = network_.arcs.outs, label = padded(network_.labels.ins);
        require(padded(network_.arcs.ins) == arc, "arcs must be square");
        require(network_.context.outs == 2 * (arc + label),
                "context must have two vectors for arcs and two for labels, each padded");
        require_same_outputs(network_.context, network_.tags);
        require(size(root, 0) == arc + label, "root must be a padded vector for arcs and labels");
        require(n_labels >= 1 && padded(n_labels) == network_.labels.outs,
                "labels must have a column for each label");
    }

    void parse(Matrix<const float> context, Probabilities tags, Row<const Index> bounds,
               Row<Index> heads, Row<Index> labels, std::optional<Row<float>> confidence) const {
        const WordStates states = states_of(context, tags);
        require_bounds(bounds, static_cast<std::size_t>(states.words));
        require_fit(states, network_.context, network_.tags);
        require_trees(states.words, heads, labels, confidence);
        require_finite(kernels_->decoding.parse_graphs(
            network_, states, bounds.data(), size(bounds, 0) - 1,
            {heads.data(), labels.data(), confidence ? confidence->data() : nullptr}));
    }

 private:
    HeldArray<const float, 1> root_;
    GraphNetwork network_;
};

} // namespace

void bind_joint(nb::module_& m) {
    const nb::call_guard<nb::gil_scoped_release> unlocked;
    nb::class_<LayerMemory>(m, "PackedLayer")
        .def(nb::new_(&make_layer), "weight"_a.noconvert(), "bias"_a.noconvert() = nb::none());
    nb::class_<TagMemory>(m, "TagLayer")
        .def(nb::new_(&make_tags), "weight"_a.noconvert(), "sizes"_a.noconvert());
    nb::class_<DigitMemory>(m, "DigitLayer")
        .def(nb::new_(&make_digits), "digits"_a.noconvert(), "scale"_a.noconvert(),
             "bias"_a.noconvert(), "states"_a);
    nb::class_<JointEncoder>(m, "JointEncoder")
        .def(nb::init<
                 const std::vector<std::pair<JointEncoder::Direction, JointEncoder::Direction>>&>(),
             "layers"_a)
        .def("run", &JointEncoder::run, "forms"_a, "bounds"_a.noconvert(), "context"_a.noconvert(),
             unlocked)
        .def("run_table", &JointEncoder::run_table, "table"_a.noconvert(), "numbers"_a.noconvert(),
             "bounds"_a.noconvert(), "context"_a.noconvert(), unlocked);
    nb::class_<TagScorer>(m, "TagScorer")
        .def(nb::init<const DigitMemory&, HeldArray<const Index, 2>, float>(), "scores"_a,
             "columns"_a, "flat"_a = 0.0F)
        .def("choose", &TagScorer::choose, "context"_a.noconvert(), "tags"_a.noconvert(),
             "confidence"_a.noconvert() = nb::none(), "probabilities"_a.noconvert() = nb::none(),
             unlocked);
    nb::class_<ScriptScorer>(m, "ScriptScorer")
        .def(nb::init<const DigitMemory&, const std::optional<TagMemory>&, const LayerMemory&,
                      std::int64_t>(),
             "context"_a, "tags"_a.none(), "output"_a, "n_scripts"_a)
        .def("choose", &ScriptScorer::choose, "forms"_a, "column"_a, "context"_a.noconvert(),
             "tags"_a.noconvert().none(), "scripts"_a.noconvert(),
             "confidence"_a.noconvert() = nb::none(), "lead"_a.noconvert() = nb::none(), unlocked)
        .def("rank", &ScriptScorer::rank, "forms"_a, "column"_a, "words"_a.noconvert(),
             "context"_a.noconvert(), "tags"_a.noconvert().none(), "scripts"_a.noconvert(),
             "scores"_a.noconvert(), unlocked);
    nb::class_<GraphParser>(m, "GraphParser")
        .def(nb::init<const DigitMemory&, const std::optional<TagMemory>&, const LayerMemory&,
                      const LayerMemory&, HeldArray<const float, 1>, std::int64_t>(),
             "context"_a, "tags"_a.none(), "arcs"_a, "labels"_a, "root"_a, "n_labels"_a)
        .def("parse", &GraphParser::parse, "context"_a.noconvert(), "tags"_a.noconvert().none(),
             "bounds"_a.noconvert(), "heads"_a.noconvert(), "labels"_a.noconvert(),
             "confidence"_a.noconvert() = nb::none(), unlocked);
}

} // namespace meprop::border
