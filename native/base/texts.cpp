#include "base/texts.hpp"

namespace meprop::border {

std::vector<std::string_view> views_of(const nb::list& texts, std::vector<nb::bytes>& encoded) {
    std::vector<std::string_view> views;
    views.reserve(nb::len(texts));
    for (nb::handle text : texts) {
        require(nb::isinstance<nb::str>(text), "texts must be str");
        Py_ssize_t bytes = 0;
        const char* bytes_of = PyUnicode_AsUTF8AndSize(text.ptr(), &bytes);
        if (!bytes_of) { // a lone surrogate
            PyErr_Clear();
            encoded.push_back(nb::steal<nb::bytes>(
                PyUnicode_AsEncodedString(text.ptr(), "utf-8", "surrogatepass")));
            bytes_of = encoded.back().c_str();
            bytes = static_cast<Py_ssize_t>(encoded.back().size());
        }
        views.emplace_back(bytes_of, static_cast<std::size_t>(bytes));
    }
    return views;
}

} // namespace meprop::border
