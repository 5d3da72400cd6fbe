// A document as Python holds it.
#pragma once

#include "base/border.hpp"
#include "document/document.hpp"

namespace meprop::border {

struct HeldDocument {
    nb::bytes owner; // of the text
    Document document;
};

} // namespace meprop::border
