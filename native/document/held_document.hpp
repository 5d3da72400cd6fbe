// A document that Python holds.
#pragma once

#include "base/border.hpp"
#include "document/document.hpp"

namespace meprop::border {

struct HeldDocument {
    nb::bytes owner; // owns the text
    Document document;
};

} // namespace meprop::border
