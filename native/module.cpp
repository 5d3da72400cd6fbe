// The Python module `meprop_nlp._native`.
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <string>

#include "base/border.hpp"
#include "base/parallel.hpp"
#include "dispatch.hpp"

namespace meprop::border {

void bind_linear(nb::module_& m);
void bind_lstm(nb::module_& m);
void bind_embedding(nb::module_& m);
void bind_slots(nb::module_& m);
void bind_optim(nb::module_& m);
void bind_rows(nb::module_& m);
void bind_parser(nb::module_& m);
void bind_tagger(nb::module_& m);
void bind_graph(nb::module_& m);
void bind_forms(nb::module_& m);
void bind_joint(nb::module_& m);
void bind_document(nb::module_& m);

} // namespace meprop::border

NB_MODULE(_native, m) {
    m.doc() = "Kernels of meprop_nlp; see meprop_nlp/native.py, which loads them.";
    // A program may end while it holds a document, for example after Ctrl-C: do not warn the user.
    nb::set_leak_warnings(false);
    m.def("instruction_sets", &meprop::usable_instruction_sets,
          "Compiled instruction sets that this processor can run, the widest first.");
    m.def(
        "instruction_set", [] { return std::string(meprop::kernels().name); },
        "The instruction set in use.");
    m.def(
        "lanes", [] { return meprop::kernels().lanes; },
        "Floats in a vector of the instruction set in use.");
    m.def(
        "use_instruction_set",
        [](const std::string& name) {
            meprop::border::require(meprop::use_instruction_set(name),
                                    "no such instruction set here");
        },
        "name"_a);
    m.def(
        "use_openmp_runtime",
        [](std::uintptr_t entry) {
            meprop::use_openmp_runtime(reinterpret_cast<meprop::OpenMPParallel>(entry));
        },
        "gomp_parallel"_a, "Address of GOMP_parallel, or 0 for plain threads.");
    meprop::border::bind_linear(m);
    meprop::border::bind_lstm(m);
    meprop::border::bind_embedding(m);
    meprop::border::bind_slots(m);
    meprop::border::bind_optim(m);
    meprop::border::bind_rows(m);
    meprop::border::bind_parser(m);
    meprop::border::bind_tagger(m);
    meprop::border::bind_graph(m);
    meprop::border::bind_forms(m);
    meprop::border::bind_joint(m);
    meprop::border::bind_document(m);
}
