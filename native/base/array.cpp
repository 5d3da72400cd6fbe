#include "base/array.hpp"

#include <array>

namespace meprop::border {
namespace {

// PyTorch's types, and the names of the attributes that are read. Looked up once, never freed.
struct Torch {
    PyObject *tensor = nullptr, *parameter = nullptr;
    std::array<PyObject*, 4> dtypes{}; // by Element
    PyObject* const is_cpu = PyUnicode_InternFromString("is_cpu");
    PyObject* const dtype = PyUnicode_InternFromString("dtype");
    PyObject* const shape = PyUnicode_InternFromString("shape");
    PyObject* const data_ptr = PyUnicode_InternFromString("data_ptr");
    PyObject* const is_contiguous = PyUnicode_InternFromString("is_contiguous");

    // Returns whether PyTorch is completely loaded; the module also works without it.
    bool find() {
        if (parameter)
            return true;
        const char* const names[] = {"float32", "float64", "int32", "int64"};
        PyObject* modules = PyImport_GetModuleDict(); // borrowed
        PyObject* torch = PyDict_GetItemString(modules, "torch");
        PyObject* nn = PyDict_GetItemString(modules, "torch.nn");
        if (torch && nn) {
            tensor = PyObject_GetAttrString(torch, "Tensor");
            for (std::size_t i = 0; i < dtypes.size(); ++i)
                dtypes[i] = PyObject_GetAttrString(torch, names[i]);
            parameter = PyObject_GetAttrString(nn, "Parameter");
        }
        PyErr_Clear();
        return parameter;
    }
};

// The value of an attribute, or the result of a method without arguments; null on error.
nanobind::object get(PyObject* object, PyObject* name) {
    return nanobind::steal(PyObject_GetAttr(object, name));
}
nanobind::object call(PyObject* object, PyObject* name) {
    return nanobind::steal(
        PyObject_VectorcallMethod(name, &object, 1 | PY_VECTORCALL_ARGUMENTS_OFFSET, nullptr));
}

bool fits(const Torch& torch, PyObject* object, Element element, int dims, void** data,
          std::int64_t* shape) {
    if (get(object, torch.dtype).ptr() != torch.dtypes[static_cast<std::size_t>(element)] ||
        get(object, torch.is_cpu).ptr() != Py_True)
        return false;
    const nanobind::object sizes = get(object, torch.shape);
    if (!sizes || !PyTuple_Check(sizes.ptr()) || PyTuple_GET_SIZE(sizes.ptr()) != dims)
        return false;
    for (int d = 0; d < dims; ++d)
        shape[d] = PyLong_AsLongLong(PyTuple_GET_ITEM(sizes.ptr(), d));
    if (call(object, torch.is_contiguous).ptr() != Py_True)
        return false;
    const nanobind::object address = call(object, torch.data_ptr);
    if (address)
        *data = PyLong_AsVoidPtr(address.ptr());
    return !PyErr_Occurred();
}

} // namespace

Reading read_tensor(PyObject* object, Element element, int dims, void** data,
                    std::int64_t* shape) noexcept {
    static Torch torch;
    // A subclass may override these attributes, so only plain tensors are read.
    const auto type = reinterpret_cast<PyObject*>(Py_TYPE(object));
    if (!torch.find() || (type != torch.tensor && type != torch.parameter))
        return Reading::no_tensor;
    if (fits(torch, object, element, dims, data, shape))
        return Reading::taken;
    PyErr_Clear();
    return Reading::refused;
}

} // namespace meprop::border
