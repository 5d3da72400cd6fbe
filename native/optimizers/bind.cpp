// Python bindings of the optimisers.
#include <nanobind/stl/optional.h>

#include <cmath>
#include <optional>

#include "base/border.hpp"
#include "dispatch.hpp"

namespace meprop::border {
namespace {

using RowNumbers = std::optional<Row<const std::int64_t>>;

// Row numbers must increase, because each thread writes a range of rows.
template <class T>
RowGradient<T> make_gradient(const Matrix<T>& parameter, const RowNumbers& rows,
                             const Matrix<const T>& values) {
    const std::int64_t table_rows = size(parameter, 0), n = size(values, 0);
    require(size(values, 1) == size(parameter, 1),
            "the gradient must have the parameter's columns");
    if (!rows) {
        require(n == table_rows, "the gradient must have the parameter's rows");
    } else {
        require(size(*rows, 0) == n, "the gradient must have a row for each row number");
        std::int64_t previous = -1;
        bool increasing = true;
        for (std::int64_t i = 0; i < n; ++i) {
            increasing &= rows->data()[i] > previous;
            previous = rows->data()[i];
        }
        require(increasing && previous < table_rows, "row numbers must increase and be inside");
    }
    return {!rows, rows ? rows->data() : nullptr, values.data(), n, table_rows, size(parameter, 1)};
}

template <class T>
void bind(nb::module_& m) {
    m.def(
        "adam",
        [](Matrix<T> parameter, const RowNumbers& rows, Matrix<const T> values, Matrix<T> mean,
           Matrix<T> square, double rate, double beta1, double beta2, double eps,
           double weight_decay, double step, bool lazy, int threads) {
            for (const auto& moment : {mean, square}) {
                require(has_shape(moment, size(parameter, 0), size(parameter, 1)),
                        "the moments must have the parameter's shape");
            }
            require(step >= 1, "step counts from 1");
            const AdamSettings settings{beta1,
                                        beta2,
                                        eps,
                                        weight_decay,
                                        rate / (1 - std::pow(beta1, step)),
                                        std::sqrt(1 - std::pow(beta2, step))};
            of<T>(kernels()).adam(parameter.data(), make_gradient<T>(parameter, rows, values),
                                  mean.data(), square.data(), settings, lazy,
                                  checked_threads(threads));
        },
        "parameter"_a.noconvert(), "rows"_a.noconvert(), "values"_a.noconvert(),
        "mean"_a.noconvert(), "square"_a.noconvert(), "rate"_a, "beta1"_a, "beta2"_a, "eps"_a,
        "weight_decay"_a, "step"_a, "lazy"_a, "threads"_a,
        nb::call_guard<nb::gil_scoped_release>());
    m.def(
        "adagrad",
        [](Matrix<T> parameter, const RowNumbers& rows, Matrix<const T> values, Matrix<T> sum,
           double rate, double eps, double weight_decay, bool lazy, int threads) {
            require(has_shape(sum, size(parameter, 0), size(parameter, 1)),
                    "the sum must have the parameter's shape");
            of<T>(kernels()).adagrad(parameter.data(), make_gradient<T>(parameter, rows, values),
                                     sum.data(), {rate, eps, weight_decay}, lazy,
                                     checked_threads(threads));
        },
        "parameter"_a.noconvert(), "rows"_a.noconvert(), "values"_a.noconvert(),
        "sum"_a.noconvert(), "rate"_a, "eps"_a, "weight_decay"_a, "lazy"_a, "threads"_a,
        nb::call_guard<nb::gil_scoped_release>());
}

} // namespace

void bind_optim(nb::module_& m) {
    bind<float>(m);
    bind<double>(m);
}

} // namespace meprop::border
