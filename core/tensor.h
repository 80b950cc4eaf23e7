#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <iosfwd>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include <pade/core/device.h>
#include <pade/core/dtype.h>
#include <pade/core/shape.h>
#include <pade/core/storage.h>

namespace pade {

class Tape;
struct Leaf;  // what all handles of one leaf share

/// An n-dimensional array: contiguous, row-major (images are NCHW), of one dtype on one device.
///
/// A Tensor is a handle. Copies, reshape() and slices of the first axis share the storage; clone()
/// copies it. Methods that change the contents end in an underscore. A default-constructed Tensor
/// is undefined: it has no storage, and every accessor but defined() refuses it.
///
/// What is const is safe to share: several threads may read one tensor, copy its handles, and use
/// it in ops, each under a Tape of its own. Not safe beside that are changes of the same elements
/// in place, also by way of mutable_data() or an optimiser's step(), assigning to a handle that
/// another thread reads, and beside other uses of a leaf's gradient, set_grad() and backward().
///
/// Differentiable functions of tensors are in core/ops, and the most frequent ones are methods too;
/// a Tape records them.
class Tensor {
 public:
  Tensor() = default;

  /// Not initialised.
  static Tensor empty(const Shape& shape, DType dtype = DType::float32,
                      Device device = Device::cpu);
  /// Throws Error where an integer dtype cannot hold the value, as fill_() does.
  static Tensor full(const Shape& shape, double value, DType dtype = DType::float32,
                     Device device = Device::cpu);
  static Tensor zeros(const Shape& shape, DType dtype = DType::float32,
                      Device device = Device::cpu) {
    return full(shape, 0, dtype, device);
  }
  static Tensor ones(const Shape& shape, DType dtype = DType::float32,
                     Device device = Device::cpu) {
    return full(shape, 1, dtype, device);
  }
  static Tensor empty_like(const Tensor& x) { return empty(x.shape(), x.dtype(), x.device()); }
  static Tensor zeros_like(const Tensor& x) { return zeros(x.shape(), x.dtype(), x.device()); }
  /// Rank 0.
  static Tensor scalar(double value, DType dtype = DType::float32) {
    return full({}, value, dtype);
  }
  /// [0, 1, …, n−1], int32 by default. Throws Error where the dtype cannot tell them all apart:
  /// uint8 counts 256 numbers, float32 2^24, int32 2^31 and float64 2^53.
  static Tensor arange(int64_t n, DType dtype = DType::int32);
  /// The values in row-major order. Throws Error unless there are shape.size() of them.
  template <class T>
  static Tensor from(const std::vector<T>& values, const Shape& shape) {
    check(static_cast<int64_t>(values.size()) == shape.size(), "Tensor::from: shape ", shape,
          " wants ", shape.size(), " values, got ", values.size());
    Tensor tensor = empty(shape, dtype_of<T>());
    std::copy(values.begin(), values.end(), tensor.mutable_data<T>());
    return tensor;
  }

  bool defined() const { return storage_ != nullptr; }
  const Shape& shape() const { return shape_; }
  int64_t size() const { return shape_.size(); }
  int rank() const { return shape_.rank(); }
  int64_t extent(int axis) const { return shape_[axis]; }
  DType dtype() const { return dtype_; }
  Device device() const;
  bool on_cuda() const { return device() == Device::cuda; }
  size_t bytes() const { return static_cast<size_t>(size()) * size_of(dtype_); }

  /// The elements. Throws Error unless T is the tensor's dtype and the tensor is on the CPU.
  template <class T>
  const T* data() const {
    check_on_cpu();
    return address<T>();
  }
  /// The same to write to, which counts as a change in place: call it once per change, not once per
  /// element.
  template <class T>
  T* mutable_data() {
    check_on_cpu();
    return mutable_address<T>();
  }
  /// data() for kernels, on any device: an address of the GPU's memory is not to be followed here.
  template <class T>
  const T* address() const {
    return reinterpret_cast<const T*>(first_byte(dtype_of<T>()));
  }
  template <class T>
  T* mutable_address() {
    std::byte* first = first_byte(dtype_of<T>());
    storage_->bump_version();
    return reinterpret_cast<T*>(first);
  }

  /// The only element, as a double. Throws Error unless size() == 1.
  double item() const;
  /// The element at an index per axis, negative ones counted from the end.
  double at(std::initializer_list<int64_t> index) const;
  /// All elements. This and the two above wait for the GPU where the tensor is there.
  template <class T>
  std::vector<T> to_vector() const {
    const Tensor here = detach().to(Device::cpu);
    const T* first = here.data<T>();
    return std::vector<T>(first, first + size());
  }

  /// The same elements with another shape, sharing storage; one extent may be −1 and is inferred.
  Tensor reshape(std::initializer_list<int64_t> extents) const;
  Tensor reshape(const Shape& shape) const;
  /// Elements [begin, end) of the first axis, sharing storage.
  Tensor slice(int64_t begin, int64_t end) const;
  /// Element `index` of the first axis, without that axis, sharing storage.
  Tensor operator[](int64_t index) const;
  /// Converted; *this when the dtype is the same. Floating to integer truncates towards zero and
  /// saturates; NaN becomes 0.
  Tensor to(DType dtype) const;
  /// Copied to `device`; *this when it is there. Differentiable. Throws Error where there is none.
  Tensor to(Device device) const;
  Tensor clone() const;
  /// The same storage, without a place on any tape and without a gradient.
  Tensor detach() const;

  /// The functions of core/ops of the same names (pow: power), for x.relu().sum() and the like.
  Tensor sum() const;
  Tensor sum(std::initializer_list<int> axes, bool keepdim = false) const;
  Tensor mean() const;
  Tensor mean(std::initializer_list<int> axes, bool keepdim = false) const;
  Tensor max() const;
  Tensor max(std::initializer_list<int> axes, bool keepdim = false) const;
  Tensor min() const;
  Tensor min(std::initializer_list<int> axes, bool keepdim = false) const;
  Tensor argmax(int axis, bool keepdim = false) const;
  Tensor abs() const;
  Tensor exp() const;
  Tensor log() const;
  Tensor sqrt() const;
  Tensor pow(double exponent) const;
  Tensor relu() const;
  Tensor tanh() const;
  Tensor sigmoid() const;
  Tensor matmul(const Tensor& other) const;
  Tensor transpose(int axis0, int axis1) const;

  /// Changes in place. Throws Error where an open tape still needs the old contents' gradient.
  Tensor& fill_(double value);
  /// Same shape and dtype; from any device. The source may be this tensor; Error when it overlaps
  /// it otherwise.
  Tensor& copy_(const Tensor& source);
  /// this += alpha · other, same shape and dtype. The other may be this tensor; Error when it
  /// overlaps it otherwise.
  Tensor& add_(const Tensor& other, double alpha = 1);
  Tensor& mul_(double factor);
  /// How often the storage has been changed in place.
  uint32_t version() const;

  /// Makes this a leaf: a tensor whose gradient backward() keeps. Floating dtypes only. Every copy
  /// of the handle made afterwards shares the gradient.
  Tensor& requires_grad_(bool value = true);
  /// Whether this is a leaf, or a result recorded on the active tape.
  bool requires_grad() const;
  /// What the last backward() through this leaf assigned; undefined before that.
  const Tensor& grad() const;
  /// Shares the gradient's memory, which clip_grad_norm() changes. Throws Error when some of it is
  /// this tensor's own, which optimisers change along it.
  void set_grad(const Tensor& gradient);
  /// Whether the gradient was set since an optimiser last used it: a leaf that a backward() did not
  /// reach is then left alone.
  bool has_fresh_grad() const;
  void mark_grad_used();

  std::shared_ptr<Storage> storage() const { return storage_; }

  /// Whether both handles show the same bytes.
  bool shares_storage_with(const Tensor& other) const { return storage_ == other.storage_; }
  /// Whether there is a byte that both handles show.
  bool overlaps(const Tensor& other) const;
  /// Whether no other handle sees these bytes, so that a change in place is nobody's surprise.
  bool is_only_handle() const { return storage_.use_count() == 1; }

 private:
  friend class Tape;

  Tensor(std::shared_ptr<Storage> storage, int64_t offset, const Shape& shape, DType dtype)
      : storage_(std::move(storage)), offset_(offset), shape_(shape), dtype_(dtype) {}

  Storage& storage_or_fail() const;
  std::byte* first_byte(DType expected) const;
  void check_on_cpu() const;
  double element(int64_t i) const;
  Tensor copied_to(Device device, const char* op) const;
  void prepare_change(const char* method);
  void check_same_bytes_or_none(const char* method, const Tensor& source) const;

  std::shared_ptr<Storage> storage_;
  int64_t offset_ = 0;  // in bytes
  Shape shape_{0};
  DType dtype_ = DType::float32;

  std::shared_ptr<Leaf> leaf_;    // only for tensors that require a gradient themselves
  uint64_t tape_generation_ = 0;  // which tape computed this, 0: none …
  int64_t tape_index_ = -1;       // … and the number of this value on it
};

struct Leaf {
  Tensor grad;
  bool fresh = false;  ///< set since an optimiser last used it
};

/// As NumPy prints arrays; long axes are abbreviated, a last line names shape and dtype.
std::ostream& operator<<(std::ostream& out, const Tensor& tensor);

}  // namespace pade
