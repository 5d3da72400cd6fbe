// The arrays that the bindings take: C-contiguous, on the CPU, with a fixed type and number of
// dimensions.
//
// A plain PyTorch tensor is read through its own attributes, which takes a quarter of the time of a
// DLPack exchange; a layer's backward pass takes a few microseconds and passes seven tensors. All
// other arrays, including NumPy's, go through nanobind's ndarray.
#pragma once

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include <cstdint>
#include <type_traits>

namespace meprop::border {

enum class Element { float32, float64, int32, int64 };

template <class T>
constexpr Element element_of() {
    using Plain = std::remove_const_t<T>;
    if constexpr (std::is_same_v<Plain, float>) {
        return Element::float32;
    } else if constexpr (std::is_same_v<Plain, double>) {
        return Element::float64;
    } else {
        static_assert(std::is_integral_v<Plain> && (sizeof(Plain) == 4 || sizeof(Plain) == 8));
        return sizeof(Plain) == 4 ? Element::int32 : Element::int64;
    }
}

enum class Reading { taken, refused, no_tensor };

// Reads the address and the shape of a PyTorch tensor if it is plain and has the given type and
// number of dimensions. Holds no reference: the tensor must outlive the use. The caller holds the
// GIL.
Reading read_tensor(PyObject* object, Element element, int dims, void** data,
                    std::int64_t* shape) noexcept;

template <class T, int Dims>
class Array {
 public:
    using Exchanged =
        nanobind::ndarray<T, nanobind::ndim<Dims>, nanobind::c_contig, nanobind::device::cpu>;

    T* data() const { return data_; }
    std::int64_t shape(int dimension) const { return shape_[dimension]; }
    std::int64_t size() const {
        std::int64_t product = 1;
        for (const std::int64_t n : shape_)
            product *= n;
        return product;
    }

    Reading read(PyObject* object) noexcept {
        void* data = nullptr;
        const Reading reading = read_tensor(object, element_of<T>(), Dims, &data, shape_);
        data_ = static_cast<T*>(data);
        return reading;
    }
    void hold(const Exchanged& exchanged) {
        exchanged_ = exchanged;
        data_ = exchanged_.data();
        for (int d = 0; d < Dims; ++d)
            shape_[d] = static_cast<std::int64_t>(exchanged_.shape(static_cast<std::size_t>(d)));
    }

 private:
    T* data_ = nullptr;
    std::int64_t shape_[Dims] = {};
    Exchanged exchanged_;
};

// An array that is kept after the call: always read through DLPack, which holds a reference.
template <class T, int Dims>
using HeldArray = typename Array<T, Dims>::Exchanged;

} // namespace meprop::border

namespace nanobind::detail {

template <class T, int Dims>
struct type_caster<meprop::border::Array<T, Dims>> {
    using Array = meprop::border::Array<T, Dims>;
    using Exchanged = make_caster<typename Array::Exchanged>;
    NB_TYPE_CASTER(Array, Exchanged::Name)

    bool from_python(handle source, auto flags, cleanup_list* cleanup) noexcept {
        const meprop::border::Reading reading = value.read(source.ptr());
        if (reading != meprop::border::Reading::no_tensor)
            return reading == meprop::border::Reading::taken;
        Exchanged caster;
        if (source.is_none() || !caster.from_python(source, flags, cleanup))
            return false;
        value.hold(caster.value);
        return true;
    }
};

} // namespace nanobind::detail
