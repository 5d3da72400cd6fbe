// All kernels for one instruction set. Compiled once per set; MEPROP_ISA is its name.
#include "kernels.hpp"

#include "embedding/dropout.hpp"
#include "embedding/embedding.hpp"
#include "graph/spanning_tree.hpp"
#include "joint/encoder.hpp"
#include "joint/graph.hpp"
#include "joint/lemmas.hpp"
#include "joint/tags.hpp"
#include "joint/transitions.hpp"
#include "linear/linear.hpp"
#include "linear/topk.hpp"
#include "linear/unified.hpp"
#include "lstm/lstm.hpp"
#include "lstm/lstm_step.hpp"
#include "optimizers/optimizers.hpp"
#include "parser/parse.hpp"
#include "rows/fold.hpp"
#include "slots/slot_backward.hpp"
#include "slots/slots.hpp"
#include "tagger/tag.hpp"

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
const Kernels kernels = {MEPROP_STRING(MEPROP_ISA),
                         kLanes<float>,
                         kDigitsTogether,
                         number_pairs,
                         kernels_of<float>(),
                         kernels_of<double>(),
                         {fold, parse, explore, tag, spanning_trees, encode, choose_all_tags,
                          choose_scripts, parse_graphs, parse_states, explore_rows}};

} // namespace meprop::MEPROP_ISA
