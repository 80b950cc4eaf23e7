#include <doctest/doctest.h>

#include <vector>

#include <pade/core/gradcheck.h>
#include <pade/core/ops/rearrange.h>
#include <pade/core/parallel.h>
#include <pade/core/random.h>
#include <pade/core/tape.h>

#include "tests/devices.h"

using namespace pade;

namespace {

Tensor counted(const Shape& shape, DType dtype) {
  return Tensor::arange(shape.size()).to(dtype).reshape(shape);
}

}  // namespace

DEVICE_TEST_CASE("concat joins along any axis, and slice gives the pieces back") {
  const Shape outer[] = {{3, 1, 4}, {2, 5}, {7}, {1, 1, 1, 2}, {0, 3}};
  for (const DType dtype : {DType::float32, DType::float64, DType::int32, DType::uint8})
    for (const Shape& shape : outer)
      for (int axis = 0; axis < shape.rank(); ++axis) {
        std::vector<Tensor> pieces;
        for (const int64_t extent : {2, 0, 1, 3})
          pieces.push_back(counted(shape.with(axis, extent), dtype).to(device));
        const Tensor joined = concat(pieces, axis - shape.rank());
        REQUIRE(joined.shape() == shape.with(axis, 6));
        REQUIRE(joined.dtype() == dtype);
        REQUIRE(joined.device() == device);
        int64_t begin = 0;
        for (const Tensor& piece : pieces) {
          const Tensor back = slice(joined, axis, begin, begin + piece.extent(axis));
          begin += piece.extent(axis);
          CHECK(back.shape() == piece.shape());
          dispatch(dtype, [&](auto zero) {
            using T = decltype(zero);
            CHECK(back.to_vector<T>() == piece.to_vector<T>());
          });
        }
      }
  const Tensor a = Tensor::from<int32_t>({1, 2, 3, 4}, {2, 2}).to(device);
  const Tensor b = Tensor::from<int32_t>({5, 6}, {2, 1}).to(device);
  CHECK(concat({a, b}, 1).to_vector<int32_t>() == std::vector<int32_t>{1, 2, 5, 3, 4, 6});
}

DEVICE_TEST_CASE("concat of long runs") {
  const Tensor a = counted({50001}, DType::int32).to(device);
  const Tensor b = counted({3}, DType::int32).to(device);
  const std::vector<int32_t> joined = concat({b, a}, 0).to_vector<int32_t>();
  std::vector<int32_t> expected = b.to_vector<int32_t>();
  for (int32_t value : a.to_vector<int32_t>()) expected.push_back(value);
  CHECK(joined == expected);
  const int threads = num_threads();
  set_num_threads(1);
  const std::vector<int32_t> alone = concat({b, a}, 0).to_vector<int32_t>();
  set_num_threads(threads);
  CHECK(alone == joined);
}

DEVICE_TEST_CASE("concat has the gradients of central differences") {
  Rng rng(2);
  auto random = [&](const Shape& shape) {
    return rng.uniform(shape, -1, 1, DType::float64).to(device);
  };
  for (int axis = 0; axis < 3; ++axis) {
    const Shape shape{2, 3, 4};
    const auto report = gradcheck(
        [&](const auto& in) {
          return concat({in[0], in[1], in[0], in[2]}, axis);
        },
        {random(shape), random(shape.with(axis, 1)), random(shape.with(axis, 0))},
        {.max_elements = device == Device::cpu ? 512 : 4});
    CHECK_MESSAGE(report.ok, axis, ": ", report.message);
  }
}

DEVICE_TEST_CASE("concat gives no gradient to constants") {
  const Tensor one = Tensor::ones({1, 1}, DType::float32, device);
  const Tensor x = one.clone().requires_grad_();
  Tape tape;
  const Tensor joined = concat({one, x}, 1);
  tape.backward(slice(joined, 1, 1, 2));
  CHECK(x.grad().item() == 1);
}

TEST_CASE("concat refuses what does not fit together") {
  const Tensor a = Tensor::ones({2, 3});
  CHECK_THROWS_WITH_AS(concat({}, 0), "concat: no tensors", Error);
  CHECK_THROWS_WITH_AS(concat({a, Tensor()}, 0),
                       "concat: another one is undefined; assign a tensor to it first", Error);
  CHECK_THROWS_WITH_AS(concat({a}, 2), "concat: axis 2 is out of range for shape [2, 3]", Error);
  CHECK_THROWS_WITH_AS(concat({a, Tensor::ones({2, 4})}, 0),
                       "concat: [2, 3] and [2, 4] differ in more than axis 0", Error);
  CHECK_THROWS_WITH_AS(concat({a, Tensor::ones({2})}, 0),
                       "concat: [2, 3] and [2] differ in more than axis 0", Error);
  CHECK_THROWS_WITH_AS(concat({a, a.to(DType::float64)}, 0),
                       "concat: expected one dtype, got the first tensor float32 [2, 3] and "
                       "another one float64 [2, 3]",
                       Error);
}

TEST_CASE("concat refuses tensors on two devices [cuda]") {
  const Tensor here = Tensor::ones({2}), there = here.to(Device::cuda);
  CHECK_THROWS_WITH_AS(
      concat({here, there}, 0),
      "concat: expected one device, got the first tensor on cpu and another one on cuda", Error);
}
