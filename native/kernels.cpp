// All kernels for one instruction set; compiled once for each, with MEPROP_ISA naming it.
#include "kernels.hpp"

#include "dropout.hpp"
#include "embedding.hpp"
#include "fold.hpp"
#include "linear.hpp"
#include "lstm.hpp"
#include "lstm_step.hpp"
#include "optim.hpp"
#include "parse.hpp"
#include "slot_backward.hpp"
#include "slots.hpp"
#include "tag.hpp"
#include "topk.hpp"
#include "unified.hpp"

#define MEPROP_STRING_(name) #name
#define MEPROP_STRING(name) MEPROP_STRING_(name)

namespace meprop::MEPROP_ISA {
namespace {

template <class T>
constexpr KernelsOf<T> kernels_of() {
    return {
        select_topk<T>,   mask_topk<T>,         example_backward<T>,
        sparse_dx<T>,     sparse_dw<T>,         unified_backward<T>,
        lstm_forward<T>,  lstm_backward<T>,     lstm_step_backward<T>,
        apply_dropout<T>, embedding_forward<T>, embedding_backward<T>,
        slot_forward<T>,  slot_backward<T>,     adam<T>,
        adagrad<T>,
    };
}

} // namespace

extern const Kernels kernels;
const Kernels kernels = {
    MEPROP_STRING(MEPROP_ISA), kLanes<float>,        number_pairs,
    kernels_of<float>(),       kernels_of<double>(), {fold, parse, explore, tag}};

} // namespace meprop::MEPROP_ISA
