#include <cstring>
#include <limits>
#include <numeric>
#include <type_traits>

#include <pade/core/device_choice.h>
#include <pade/core/error.h>
#include <pade/core/kernels/cuda/runtime.h>
#include <pade/core/kernels/kernels.h>
#include <pade/core/numbers.h>
#include <pade/core/parallel.h>
#include <pade/core/tape.h>
#include <pade/core/tensor.h>

namespace pade {
namespace {

void check_defined(const char* method, const Tensor& tensor) {
  check(tensor.defined(), method, ": the tensor is undefined; assign a tensor to it first");
}

void check_same_layout(const char* method, const Tensor& a, const Tensor& b) {
  check(a.shape() == b.shape() && a.dtype() == b.dtype() && a.device() == b.device(), method,
        ": expected ", a.shape(), " ", a.dtype(), " on ", a.device(), ", got ", b.shape(), " ",
        b.dtype(), " on ", b.device());
}

}  // namespace

Tensor Tensor::empty(const Shape& shape, DType dtype, Device device) {
  size_t bytes = 0;
  check(!__builtin_mul_overflow(static_cast<size_t>(shape.size()), size_of(dtype), &bytes),
        "tensor of shape ", shape, ": too many bytes to count");
  return bad_alloc_as_error(
      [&] { return Tensor(std::make_shared<Storage>(bytes, device, &shape), 0, shape, dtype); });
}

Tensor Tensor::full(const Shape& shape, double value, DType dtype, Device device) {
  Tensor tensor = empty(shape, dtype, device);
  tensor.fill_(value);
  return tensor;
}

Tensor Tensor::arange(int64_t n, DType dtype) {
  return dispatch(dtype, [&](auto zero) {
    using T = decltype(zero);
    constexpr int64_t kMost = int64_t{1} << std::numeric_limits<T>::digits;
    check(n <= kMost, "Tensor::arange: ", dtype, " counts at most ", kMost, " numbers, got ", n,
          "; take a wider dtype");
    Tensor tensor = empty({n}, dtype);
    T* out = tensor.mutable_data<T>();
    std::iota(out, out + n, T{0});
    return tensor;
  });
}

Storage& Tensor::storage_or_fail() const {
  check(defined(), "an undefined tensor was used");
  return *storage_;
}

Device Tensor::device() const { return storage_or_fail().device(); }

uint32_t Tensor::version() const { return storage_or_fail().version(); }

std::byte* Tensor::first_byte(DType expected) const {
  Storage& storage = storage_or_fail();
  check(expected == dtype_, "tensor of ", dtype_, ": its elements were asked for as ", expected);
  return storage.data() + offset_;
}

void Tensor::check_on_cpu() const {
  check(!on_cuda(), "a tensor of shape ", shape_,
        " on cuda: its elements cannot be reached from here; copy it with to(Device::cpu)");
}

/// Element number i, converted.
double Tensor::element(int64_t i) const {
  const int64_t offset = offset_ + i * static_cast<int64_t>(size_of(dtype_));
  const Tensor here = Tensor(storage_, offset, {1}, dtype_).to(Device::cpu);
  return dispatch(dtype_, [&]<class T>(T) { return static_cast<double>(*here.data<T>()); });
}

double Tensor::item() const {
  check_defined("item", *this);
  check(size() == 1, "item: expected one element, got shape ", shape_);
  return element(0);
}

double Tensor::at(std::initializer_list<int64_t> index) const {
  check_defined("at", *this);
  check(static_cast<int>(index.size()) == rank(), "at: ", index.size(),
        " indices for a tensor of shape ", shape_);
  int64_t flat = 0;
  int axis = 0;
  for (int64_t i : index) {
    const int64_t extent = shape_[axis++];
    const int64_t resolved = i < 0 ? i + extent : i;
    check(resolved >= 0 && resolved < extent, "at: index ", i, " is out of range for axis ",
          axis - 1, " of shape ", shape_);
    flat = flat * extent + resolved;
  }
  return element(flat);
}

Tensor Tensor::detach() const {
  check_defined("detach", *this);
  return Tensor(storage_, offset_, shape_, dtype_);
}

/// A change in place is not recorded, so it must not happen to what an open tape differentiates.
void Tensor::prepare_change(const char* method) {
  check_defined(method, *this);
  Tape* tape = Tape::recording();
  check(!tape || (!leaf_ && tape->index_of(*this) < 0), method, ": a tensor of shape ", shape_,
        " that the open tape follows cannot be changed in place; use NoGrad or detach()");
}

bool Tensor::overlaps(const Tensor& other) const {
  const auto end = [](const Tensor& t) { return t.offset_ + static_cast<int64_t>(t.bytes()); };
  return defined() && storage_ == other.storage_ && size() > 0 && other.size() > 0 &&
         offset_ < end(other) && other.offset_ < end(*this);
}

/// Of what an elementwise change reads, for tensors of one shape and dtype. An element that was
/// changed before it is read would be one thing on one thread and another on several.
void Tensor::check_same_bytes_or_none(const char* method, const Tensor& source) const {
  check(offset_ == source.offset_ || !overlaps(source), method,
        ": source and destination, of shape ", shape_, ", overlap by a part; clone() the source");
}

Tensor& Tensor::fill_(double value) {
  prepare_change("fill_");
  dispatch(dtype_, [&](auto zero) {
    using T = decltype(zero);
    if constexpr (std::is_integral_v<T>) whole_number<T>(value, "fill_");
  });
  kernels_of(*this).fill(*this, value);
  return *this;
}

Tensor& Tensor::copy_(const Tensor& source) {
  prepare_change("copy_");
  check_defined("copy_ from", source);
  check(shape_ == source.shape_ && dtype_ == source.dtype_, "copy_: expected ", shape_, " ", dtype_,
        ", got ", source.shape_, " ", source.dtype_);
  check_same_bytes_or_none("copy_", source);
  std::byte* to = storage_->data() + offset_;
  const std::byte* from = source.storage_->data() + source.offset_;
  storage_->bump_version();
  if (on_cuda() || source.on_cuda()) {
    if constexpr (kHasCuda) cuda::copy(to, device(), from, source.device(), bytes());
    return *this;
  }
  constexpr int64_t kBlock = kElementBlock * sizeof(float);
  parallel_for(static_cast<int64_t>(bytes()), kBlock, [=](int64_t begin, int64_t end) {
    std::memmove(to + begin, from + begin, end - begin);
  });
  return *this;
}

Tensor& Tensor::add_(const Tensor& other, double alpha) {
  prepare_change("add_");
  check_defined("add_ of", other);
  check_same_layout("add_", *this, other);
  check(is_floating(dtype_), "add_: expected float32 or float64, got ", dtype_);
  check_same_bytes_or_none("add_", other);
  kernels_of(*this).add_scaled(*this, other, alpha);
  return *this;
}

Tensor& Tensor::mul_(double factor) {
  prepare_change("mul_");
  check(is_floating(dtype_), "mul_: expected float32 or float64, got ", dtype_);
  kernels_of(*this).scale(std::span(this, 1), factor);
  return *this;
}

Tensor& Tensor::requires_grad_(bool value) {
  check_defined("requires_grad_", *this);
  check(!value || is_floating(dtype_), "requires_grad_: expected float32 or float64, got ", dtype_);
  if (!value)
    leaf_ = nullptr;
  else if (!leaf_)
    leaf_ = std::make_shared<Leaf>();
  tape_generation_ = 0;
  tape_index_ = -1;
  return *this;
}

bool Tensor::requires_grad() const {
  if (leaf_) return true;
  Tape* tape = Tape::recording();
  return tape && tape->index_of(*this) >= 0;
}

const Tensor& Tensor::grad() const {
  check(leaf_ != nullptr, "grad: this tensor is not a leaf; call requires_grad_() before using it");
  return leaf_->grad;
}

void Tensor::set_grad(const Tensor& gradient) {
  check(leaf_ != nullptr, "set_grad: this tensor is not a leaf; call requires_grad_() first");
  if (gradient.defined()) check_same_layout("set_grad", *this, gradient);
  check(!overlaps(gradient), "set_grad: the gradient of shape ", shape_,
        " is in the memory of its own tensor, which an optimiser changes; clone() it");
  leaf_->grad = gradient.defined() ? gradient.detach() : gradient;
  leaf_->fresh = gradient.defined();
}

bool Tensor::has_fresh_grad() const { return leaf_ && leaf_->fresh; }

void Tensor::mark_grad_used() {
  if (leaf_) leaf_->fresh = false;
}

}  // namespace pade
