// Python bindings of row caches.
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <cmath>

#include "base/texts.hpp"
#include "dispatch.hpp"
#include "document/held_document.hpp"
#include "rows/found_rows.hpp"

namespace meprop::border {

FoundRows::FoundRows(std::shared_ptr<FoldedLayer> layer, const std::vector<std::string_view>& keys)
    : layer_(std::move(layer)), ticket_(layer_->cache.take_ticket()) {
    try {
        layer_->cache.find(ticket_, keys, rows, unfilled_);
        missing.reserve(unfilled_.size());
        for (const RowCache::Missing& row : unfilled_)
            missing.emplace_back(keys[static_cast<std::size_t>(row.key)]);
    } catch (...) {
        layer_->cache.discard(unfilled_);
        layer_->cache.give_back(ticket_);
        throw;
    }
}

FoundRows::~FoundRows() {
    layer_->cache.discard(unfilled_);
    layer_->cache.give_back(ticket_);
}

void FoundRows::fill(Matrix<const float> vectors) {
    require(has_shape(vectors, static_cast<std::int64_t>(missing.size()), size(layer_->weight, 0)),
            "vectors must be (missing rows, inputs of the layer)");
    std::vector<float*> targets;
    targets.reserve(unfilled_.size());
    for (const RowCache::Missing& row : unfilled_)
        targets.push_back(row.values);
    const std::int64_t width = size(layer_->weight, 1);
    layer_->kernels->decoding.fold(
        {layer_->weight.data(), layer_->bias.data(), size(layer_->weight, 0), width},
        vectors.data(), size(vectors, 0), targets.data());
    for (const float* row : targets) {
        float sum = 0; // NaN if a value is not finite
        for (std::int64_t j = 0; j < width; ++j)
            sum += row[j] - row[j];
        require(sum == 0, "a row is not finite");
    }
    layer_->cache.mark_filled(unfilled_);
    unfilled_.clear();
    missing.clear();
}

namespace {

using Layers = std::shared_ptr<FoldedLayer>;
using Strings = std::vector<std::string>;

std::shared_ptr<FoldedLayer> make_layer(HeldArray<const float, 2> weight,
                                        HeldArray<const float, 1> bias, std::int64_t capacity) {
    const std::int64_t width = size(weight, 1);
    require(size(bias, 0) == width, "bias must have a value for each column of weight");
    require(width >= 1 && width % kernels().lanes == 0, "width must be a multiple of the lanes");
    require(capacity >= 1, "capacity must be at least 1");
    return std::shared_ptr<FoldedLayer>(
        new FoldedLayer{weight, bias, &kernels(), RowCache(width, capacity)});
}

nb::list missing_keys(const FoundRows& rows) {
    nb::list keys;
    for (const std::string& key : rows.missing) {
        keys.append(nb::steal<nb::str>(PyUnicode_DecodeUTF8(
            key.data(), static_cast<Py_ssize_t>(key.size()), "surrogatepass")));
    }
    return keys;
}

// The values of each word, joined by tabs.
class Joined {
 public:
    Joined(Matrix<const Index> ids, const std::vector<Strings>& tables) {
        const std::int64_t n = size(ids, 1);
        require(size(ids, 0) == static_cast<std::int64_t>(tables.size()),
                "ids must have a row for each table");
        std::vector<std::size_t> ends;
        ends.reserve(static_cast<std::size_t>(n));
        for (std::int64_t i = 0; i < n; ++i) {
            for (std::size_t c = 0; c < tables.size(); ++c) {
                const Index id = ids.data()[static_cast<std::int64_t>(c) * n + i];
                require(0 <= id && static_cast<std::size_t>(id) < tables[c].size(),
                        "an id is outside its table");
                if (c)
                    text_ += '\t';
                text_ += tables[c][static_cast<std::size_t>(id)];
            }
            ends.push_back(text_.size());
        }
        std::size_t start = 0;
        for (const std::size_t end : ends) {
            views.emplace_back(text_.data() + start, end - start);
            start = end;
        }
    }

    std::vector<std::string_view> views;

 private:
    std::string text_;
};

// The columns of each word, joined by tabs. Adjacent columns are already joined in the text.
class JoinedColumns {
 public:
    JoinedColumns(const Document& document, const std::vector<int>& columns) {
        require(!columns.empty(), "columns must name one or more");
        bool neighbours = true;
        for (std::size_t c = 0; c < columns.size(); ++c) {
            require(0 <= columns[c] && columns[c] < document.columns, "there is no such column");
            neighbours &= c == 0 || columns[c] == columns[c - 1] + 1;
        }
        const std::int64_t n = document.n_words();
        views.reserve(static_cast<std::size_t>(n));
        if (neighbours) {
            for (std::int64_t i = 0; i < n; ++i) {
                const std::uint32_t* starts = document.word(i);
                const std::uint32_t start = starts[columns.front()];
                views.emplace_back(document.text + start, starts[columns.back() + 1] - start - 1);
            }
            return;
        }
        std::size_t bytes = 0;
        for (std::int64_t i = 0; i < n; ++i) {
            for (const int column : columns)
                bytes += document.field(i, column).size() + 1;
        }
        text_.reserve(bytes); // so that the views stay valid
        for (std::int64_t i = 0; i < n; ++i) {
            const std::size_t start = text_.size();
            for (const int column : columns) {
                text_ += document.field(i, column);
                text_ += '\t';
            }
            views.emplace_back(text_.data() + start, text_.size() - start - 1);
        }
    }

    std::vector<std::string_view> views;

 private:
    std::string text_;
};

} // namespace

void bind_rows(nb::module_& m) {
    nb::class_<FoundRows>(m, "FoundRows")
        .def("__len__", [](const FoundRows& self) { return self.rows.size(); })
        .def_prop_ro("missing", &missing_keys)
        .def("fill", &FoundRows::fill, "vectors"_a.noconvert(),
             nb::call_guard<nb::gil_scoped_release>());
    nb::class_<FoldedLayer>(m, "RowCache")
        .def(nb::new_(&make_layer), "weight"_a.noconvert(), "bias"_a.noconvert(), "capacity"_a)
        .def("__len__", [](FoldedLayer& self) { return self.cache.size(); })
        .def(
            "find",
            [](const Layers& self, const nb::list& keys) {
                std::vector<nb::bytes> encoded;
                return new FoundRows(self, views_of(keys, encoded));
            },
            "keys"_a, nb::rv_policy::take_ownership)
        .def(
            "find_columns",
            [](const Layers& self, const HeldDocument& held, const std::vector<int>& columns) {
                const nb::gil_scoped_release release;
                return new FoundRows(self, JoinedColumns(held.document, columns).views);
            },
            "document"_a, "columns"_a, nb::rv_policy::take_ownership)
        .def(
            "find_joined",
            [](const Layers& self, Matrix<const Index> ids, const std::vector<Strings>& tables) {
                const nb::gil_scoped_release release;
                return new FoundRows(self, Joined(ids, tables).views);
            },
            "ids"_a.noconvert(), "tables"_a, nb::rv_policy::take_ownership);
}

} // namespace meprop::border
