#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <numeric>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <pade/core/gradcheck.h>
#include <pade/core/random.h>
#include <pade/core/tape.h>
#include <pade/core/tensor.h>

#include "tests/devices.h"

using namespace pade;

namespace {

using Floats = std::vector<float>;
using Doubles = std::vector<double>;
using Ints = std::vector<int32_t>;
using Bytes = std::vector<uint8_t>;

const DType kDTypes[] = {DType::float32, DType::float64, DType::int32, DType::uint8};

Floats floats(const Tensor& tensor) { return tensor.to_vector<float>(); }

std::string printed(const Tensor& tensor) {
  std::ostringstream out;
  out << tensor;
  return out.str();
}

}  // namespace

TEST_CASE("factories give shape, dtype and values") {
  CHECK(Tensor::empty({2, 3}).shape() == Shape{2, 3});
  CHECK(Tensor::empty({2, 3}).dtype() == DType::float32);
  CHECK(Tensor::empty({2, 3}).device() == Device::cpu);
  CHECK_FALSE(Tensor::empty({1}).on_cuda());
  for (const DType dtype : kDTypes) {
    CAPTURE(name_of(dtype));
    const Tensor x = Tensor::full({2, 3}, 7, dtype);
    CHECK(x.dtype() == dtype);
    CHECK(x.rank() == 2);
    CHECK(x.size() == 6);
    CHECK(x.extent(-1) == 3);
    CHECK(x.bytes() == 6 * size_of(dtype));
    CHECK(x.to(DType::int32).to_vector<int32_t>() == Ints{7, 7, 7, 7, 7, 7});
    CHECK(Tensor::ones({2}, dtype).to(DType::int32).to_vector<int32_t>() == Ints{1, 1});
    CHECK(Tensor::zeros({2}, dtype).to(DType::int32).to_vector<int32_t>() == Ints{0, 0});
    CHECK(Tensor::arange(4, dtype).to(DType::int32).to_vector<int32_t>() == Ints{0, 1, 2, 3});
    CHECK(Tensor::scalar(5, dtype).shape() == Shape{});
    CHECK(Tensor::scalar(5, dtype).item() == 5);
    CHECK(Tensor::empty_like(x).shape() == x.shape());
    CHECK(Tensor::empty_like(x).dtype() == dtype);
    CHECK(Tensor::zeros_like(x).to(DType::int32).to_vector<int32_t>() == Ints(6, 0));
  }
  CHECK(Tensor::arange(2).dtype() == DType::int32);
  CHECK(Tensor::arange(0).size() == 0);
  CHECK(Tensor::zeros({3, 0}).size() == 0);
  const Tensor several_blocks = Tensor::full({40001}, 3);
  CHECK(floats(several_blocks) == Floats(40001, 3));
}

TEST_CASE("tensors are made from values and give them back") {
  const Tensor x = Tensor::from<float>({1, 2, 3, 4, 5, 6}, {2, 3});
  CHECK(x.shape() == Shape{2, 3});
  CHECK(floats(x) == Floats{1, 2, 3, 4, 5, 6});
  CHECK(Tensor::from<uint8_t>({9}, {}).dtype() == DType::uint8);
  CHECK(Tensor::from<int32_t>({-9}, {1}).dtype() == DType::int32);
  CHECK(Tensor::from<double>({}, {0}).dtype() == DType::float64);
  CHECK_THROWS_WITH_AS(Tensor::from<float>({1, 2}, {3}),
                       "Tensor::from: shape [3] wants 3 values, got 2", Error);
}

TEST_CASE("an undefined tensor refuses to be used") {
  const Tensor x;
  CHECK_FALSE(x.defined());
  const char* message = "an undefined tensor was used";
  CHECK_THROWS_WITH_AS(x.device(), message, Error);
  CHECK_THROWS_WITH_AS(x.version(), message, Error);
  CHECK_THROWS_WITH_AS(x.data<float>(), message, Error);
  auto message_of = [](const std::string& method) {
    return method + ": the tensor is undefined; assign a tensor to it first";
  };
  const std::pair<const char*, std::function<void()>> methods[] = {
      {"clone", [&] { x.clone(); }},
      {"detach", [&] { x.detach(); }},
      {"reshape", [&] { x.reshape({-1}); }},
      {"slice", [&] { x.slice(0, 0); }},
      {"operator[]", [&] { x[0]; }},
      {"item", [&] { x.item(); }},
      {"at", [&] { x.at({0}); }},
      {"to", [&] { x.to(DType::int32); }},
      {"to", [&] { x.to(Device::cpu); }},
      {"fill_", [] { Tensor().fill_(1); }},
      {"copy_ from", [&] { Tensor::ones({0}).copy_(x); }},
      {"add_ of", [&] { Tensor::ones({0}).add_(x); }},
      {"requires_grad_", [] { Tensor().requires_grad_(); }}};
  for (const auto& [method, call] : methods)
    CHECK_THROWS_WITH_AS(call(), message_of(method).c_str(), Error);
}

TEST_CASE("sizes that nobody can hold are refused before anything is allocated") {
  CHECK_THROWS_WITH_AS(Tensor::empty({int64_t{1} << 62}, DType::float64),
                       "tensor of shape [4611686018427387904]: too many bytes to count", Error);
  CHECK_THROWS_AS(Tensor::empty({int64_t{1} << 61}, DType::float32), Error);
}

TEST_CASE("numbers that the dtype cannot hold are refused") {
  const double inf = std::numeric_limits<double>::infinity();
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const double value : {-1.0, 0.5, 256.0, 1e30, inf, -inf, nan})
    CHECK_THROWS_AS(Tensor::full({1}, value, DType::uint8), Error);
  for (const double value : {-2147483649.0, 0.5, 2147483648.0, 1e99, inf, -inf, nan})
    CHECK_THROWS_AS(Tensor::zeros({1}, DType::int32).fill_(value), Error);
  CHECK(Tensor::scalar(-2147483648.0, DType::int32).item() == -2147483648.0);
  CHECK(Tensor::scalar(2147483647.0, DType::int32).item() == 2147483647.0);

  CHECK(Tensor::arange(256, DType::uint8).at({255}) == 255);
  CHECK_THROWS_WITH_AS(
      Tensor::arange(300, DType::uint8),
      "Tensor::arange: uint8 counts at most 256 numbers, got 300; take a wider dtype", Error);
  CHECK_THROWS_WITH_AS(Tensor::arange((int64_t{1} << 31) + 8),
                       "Tensor::arange: int32 counts at most 2147483648 numbers, got 2147483656; "
                       "take a wider dtype",
                       Error);
  CHECK_THROWS_AS(Tensor::arange((1 << 24) + 2, DType::float32), Error);
  CHECK_THROWS_AS(Tensor::arange(int64_t{1} << 60, DType::float64), Error);
  CHECK_THROWS_AS(Tensor::arange(-1), Error);
}

TEST_CASE("elements are read by their own type only") {
  Tensor x = Tensor::ones({2});
  CHECK_THROWS_WITH_AS(x.data<double>(),
                       "tensor of float32: its elements were asked for as float64", Error);
  CHECK_THROWS_AS(x.mutable_data<int32_t>(), Error);
  CHECK_THROWS_AS(x.to_vector<uint8_t>(), Error);
}

TEST_CASE("item and at") {
  const Tensor x = Tensor::arange(24).reshape({2, 3, 4});
  CHECK(x.at({0, 0, 0}) == 0);
  CHECK(x.at({1, 2, 3}) == 23);
  CHECK(x.at({-1, -3, -4}) == 12);
  CHECK(Tensor::scalar(4).at({}) == 4);
  CHECK(Tensor::full({1, 1}, 4).item() == 4);
  CHECK_THROWS_WITH_AS(x.item(), "item: expected one element, got shape [2, 3, 4]", Error);
  CHECK_THROWS_WITH_AS(Tensor::zeros({0}).item(), "item: expected one element, got shape [0]",
                       Error);
  CHECK_THROWS_WITH_AS(x.at({0, 0}), "at: 2 indices for a tensor of shape [2, 3, 4]", Error);
  CHECK_THROWS_WITH_AS(x.at({0, 3, 0}), "at: index 3 is out of range for axis 1 of shape [2, 3, 4]",
                       Error);
  CHECK_THROWS_WITH_AS(x.at({-3, 0, 0}),
                       "at: index -3 is out of range for axis 0 of shape [2, 3, 4]", Error);
}

TEST_CASE("reshape shares the elements and infers one extent") {
  Tensor x = Tensor::arange(24);
  const Tensor y = x.reshape({2, -1, 4});
  CHECK(y.shape() == Shape{2, 3, 4});
  CHECK(y.shares_storage_with(x));
  CHECK(x.reshape(Shape{4, 6}).shape() == Shape{4, 6});
  CHECK(x.reshape({-1}).shape() == Shape{24});
  CHECK(x.reshape({-1, 24, 1}).shape() == Shape{1, 24, 1});
  CHECK(Tensor::scalar(1).reshape({1, 1}).shape() == Shape{1, 1});
  CHECK(Tensor::ones({1}).reshape({}).shape() == Shape{});
  CHECK(Tensor::zeros({0, 3}).reshape({-1, 5}).shape() == Shape{0, 5});
  x.mutable_data<int32_t>()[23] = 7;
  CHECK(y.at({1, 2, 3}) == 7);

  CHECK_THROWS_WITH_AS(x.reshape({5, 5}), "reshape: [24] has 24 elements, [5, 5] has 25", Error);
  CHECK_THROWS_WITH_AS(x.reshape({5, -1}),
                       "reshape: [24] has 24 elements, which is not a multiple of 5", Error);
  CHECK_THROWS_WITH_AS(x.reshape({-1, -1}), "reshape: only one extent can be inferred, got 2",
                       Error);
  CHECK_THROWS_AS(Tensor::zeros({0}).reshape({0, -1}), Error);  // anything would do
  CHECK_THROWS_AS(x.reshape({-2, -12}), Error);
}

TEST_CASE("slices and elements of the first axis share storage") {
  Tensor x = Tensor::from<float>({0, 1, 2, 3, 4, 5, 6, 7}, {4, 2});
  const Tensor rows = x.slice(1, 3);
  CHECK(rows.shape() == Shape{2, 2});
  CHECK(floats(rows) == Floats{2, 3, 4, 5});
  CHECK(floats(rows.slice(1, 2)) == Floats{4, 5});
  CHECK(floats(rows[0]) == Floats{2, 3});
  CHECK(rows[-1].shape() == Shape{2});
  CHECK(rows[-1][1].item() == 5);
  CHECK(x.slice(2, 2).shape() == Shape{0, 2});
  CHECK(x.slice(0, 4).shape() == x.shape());
  x[2].fill_(9);
  CHECK(floats(rows) == Floats{2, 3, 9, 9});
  CHECK(floats(x) == Floats{0, 1, 2, 3, 9, 9, 6, 7});

  CHECK_THROWS_WITH_AS(x.slice(1, 5), "slice: [1, 5) is out of range for shape [4, 2]", Error);
  CHECK_THROWS_WITH_AS(x.slice(3, 2), "slice: [3, 2) is out of range for shape [4, 2]", Error);
  CHECK_THROWS_WITH_AS(x.slice(-1, 2), "slice: [-1, 2) is out of range for shape [4, 2]", Error);
  CHECK_THROWS_WITH_AS(x[4], "operator[]: index 4 is out of range for shape [4, 2]", Error);
  CHECK_THROWS_WITH_AS(x[-5], "operator[]: index -5 is out of range for shape [4, 2]", Error);
  CHECK_THROWS_WITH_AS(Tensor::scalar(1).slice(0, 1),
                       "slice: a tensor of rank 0 has no axis to slice", Error);
  CHECK_THROWS_WITH_AS(Tensor::scalar(1)[0], "operator[]: a tensor of rank 0 has no axis to index",
                       Error);
}

TEST_CASE("conversion truncates towards zero and saturates") {
  const double inf = std::numeric_limits<double>::infinity();
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const int32_t top = std::numeric_limits<int32_t>::max(), bottom = -top - 1;
  const Doubles values = {1.9, -1.9, 0.5, 300, -300, 3e9, -3e9, inf, -inf, nan};
  const Tensor x = Tensor::from<double>(values, {10});
  for (const Tensor& from : {x, x.to(DType::float32)}) {
    CHECK(from.to(DType::int32).to_vector<int32_t>() ==
          Ints{1, -1, 0, 300, -300, top, bottom, top, bottom, 0});
    CHECK(from.to(DType::uint8).to_vector<uint8_t>() == Bytes{1, 0, 0, 255, 0, 255, 0, 255, 0, 0});
  }
  CHECK(Tensor::from<int32_t>({-1, 0, 255, 256, top, bottom}, {6})
            .to(DType::uint8)
            .to_vector<uint8_t>() == Bytes{0, 0, 255, 255, 255, 0});
  CHECK(floats(Tensor::from<int32_t>({-7, 16777216}, {2}).to(DType::float32)) ==
        Floats{-7, 16777216});
  CHECK(Tensor::from<int32_t>({top}, {1}).to(DType::float64).item() == top);
  CHECK(floats(Tensor::from<uint8_t>({0, 255}, {2}).to(DType::float32)) == Floats{0, 255});
  CHECK(Tensor::from<double>({0.1}, {1}).to(DType::float32).item() == static_cast<double>(0.1f));
  CHECK(Tensor::from<double>({2147483646.5}, {1}).to(DType::int32).item() == 2147483646);

  const Tensor same = x.to(DType::float64);
  CHECK(same.shares_storage_with(x));
  CHECK_FALSE(x.to(DType::float32).shares_storage_with(x));
  CHECK(x.to(Device::cpu).shares_storage_with(x));
  CHECK(Tensor::zeros({2, 0}, DType::int32).to(DType::float32).shape() == Shape{2, 0});
}

TEST_CASE("clone copies, detach shares") {
  Tensor x = Tensor::from<float>({1, 2, 3, 4}, {2, 2});
  const Tensor copy = x[1].clone(), same = x.detach();
  CHECK(copy.is_only_handle());
  CHECK_FALSE(copy.shares_storage_with(x));
  CHECK(same.shares_storage_with(x));
  CHECK_FALSE(x.is_only_handle());
  x.fill_(0);
  CHECK(floats(copy) == Floats{3, 4});
  CHECK(floats(same) == Floats{0, 0, 0, 0});
}

TEST_CASE("changes in place") {
  Tensor x = Tensor::from<float>({1, 2, 3}, {3});
  const Tensor other = Tensor::from<float>({10, 20, 30}, {3});
  CHECK(floats(x.add_(other)) == Floats{11, 22, 33});
  CHECK(floats(x.add_(other, -1)) == Floats{1, 2, 3});
  CHECK(floats(x.mul_(2)) == Floats{2, 4, 6});
  CHECK(floats(x.add_(x)) == Floats{4, 8, 12});
  CHECK(floats(x.copy_(other)) == Floats{10, 20, 30});
  CHECK(floats(x.fill_(5).mul_(3)) == Floats{15, 15, 15});
  CHECK(floats(other) == Floats{10, 20, 30});

  Tensor large = Tensor::arange(40001, DType::float64);
  large.mul_(2).add_(large, 0.5);
  Doubles expected(40001);
  for (size_t i = 0; i < expected.size(); ++i) expected[i] = 3.0 * static_cast<double>(i);
  CHECK(large.to_vector<double>() == expected);
  CHECK(Tensor::zeros_like(large).copy_(large).to_vector<double>() == expected);

  CHECK_THROWS_WITH_AS(x.copy_(Tensor::ones({1})), "copy_: expected [3] float32, got [1] float32",
                       Error);
  CHECK_THROWS_WITH_AS(x.add_(Tensor::ones({3}, DType::float64)),
                       "add_: expected [3] float32 on cpu, got [3] float64 on cpu", Error);
  Tensor labels = Tensor::arange(3);
  CHECK_THROWS_WITH_AS(labels.mul_(2), "mul_: expected float32 or float64, got int32", Error);
  CHECK_THROWS_WITH_AS(labels.add_(labels), "add_: expected float32 or float64, got int32", Error);
  CHECK(labels.to_vector<int32_t>() == Ints{0, 1, 2});
}

TEST_CASE("what a change in place reads is all that it changes, or none of it") {
  Tensor x = Tensor::arange(6, DType::float32);
  const Tensor first = x.slice(0, 4), second = x.slice(2, 6), last = x.slice(4, 6);
  CHECK(first.overlaps(second));
  CHECK(second.overlaps(first));
  CHECK(x.overlaps(x.reshape({2, 3})));
  CHECK_FALSE(first.overlaps(last));
  CHECK_FALSE(last.overlaps(first));
  CHECK_FALSE(x.overlaps(x.slice(3, 3)));
  CHECK_FALSE(x.overlaps(x.clone()));
  CHECK_FALSE(x.overlaps(Tensor()));
  CHECK_FALSE(Tensor().overlaps(Tensor()));

  const char* message =
      "add_: source and destination, of shape [4], overlap by a part; clone() the source";
  CHECK_THROWS_WITH_AS(x.slice(0, 4).add_(second), message, Error);
  CHECK_THROWS_WITH_AS(x.slice(2, 6).add_(first), message, Error);
  CHECK_THROWS_WITH_AS(
      x.slice(0, 4).copy_(second),
      "copy_: source and destination, of shape [4], overlap by a part; clone() the source", Error);
  CHECK(floats(x) == Floats{0, 1, 2, 3, 4, 5});
  x.slice(0, 2).add_(last);
  x.slice(2, 4).copy_(last);
  CHECK(floats(x.add_(x.slice(0, 6))) == Floats{8, 12, 8, 10, 8, 10});
}

TEST_CASE("a gradient is not in its own tensor's memory") {
  Tensor x = Tensor::ones({4, 2}).requires_grad_();
  const char* message =
      "set_grad: the gradient of shape [4, 2] is in the memory of its own tensor, which an "
      "optimiser changes; clone() it";
  CHECK_THROWS_WITH_AS(x.set_grad(x), message, Error);
  CHECK_THROWS_WITH_AS(x.set_grad(x.detach()), message, Error);
  CHECK_FALSE(x.has_fresh_grad());
  x.set_grad(x.clone());
  CHECK(x.has_fresh_grad());

  std::weak_ptr<Storage> storage;
  {
    Tensor leaf = Tensor::ones({2}).requires_grad_(), other = Tensor::ones({2}).requires_grad_();
    storage = leaf.storage();
    other.set_grad(leaf);  // each gradient is a leaf itself, but nobody keeps that
    leaf.set_grad(other);
  }
  CHECK(storage.expired());
}

TEST_CASE("every change in place counts, for all views") {
  Tensor x = Tensor::empty({4});
  const Tensor view = x.reshape({2, 2}), row = x.slice(1, 2), copy = x.clone();
  const uint32_t of_copy = copy.version();
  CHECK(x.version() == 0);
  x.fill_(1);
  CHECK(x.version() == 1);
  x.mul_(2);
  CHECK(view.version() == 2);
  x.add_(x);
  CHECK(row.version() == 3);
  x.copy_(x);
  CHECK(x.version() == 4);
  x.slice(0, 1).fill_(3);
  CHECK(x.version() == 5);
  x.mutable_data<float>()[0] = 1;
  CHECK(x.version() == 6);
  const float first = x.data<float>()[0];
  CHECK(first == 1);
  CHECK(x.version() == 6);
  CHECK(copy.version() == of_copy);
}

TEST_CASE("copies made after requires_grad_ share the gradient") {
  Tensor x = Tensor::ones({2});
  const Tensor before = x;
  x.requires_grad_();
  const Tensor after = x;
  CHECK(x.requires_grad());
  CHECK(after.requires_grad());
  CHECK_FALSE(before.requires_grad());
  CHECK_FALSE(x.detach().requires_grad());
  CHECK_FALSE(x.clone().requires_grad());  // no tape is open
  CHECK_FALSE(x.grad().defined());
  {
    Tape tape;
    const Tensor y = after.reshape({2, 1})[1].reshape({});
    CHECK(y.requires_grad());
    tape.backward(y);
  }
  CHECK(floats(x.grad()) == Floats{0, 1});
  CHECK(x.grad().shares_storage_with(after.grad()));
  x.set_grad(Tensor::full({2}, 4));
  CHECK(floats(after.grad()) == Floats{4, 4});
  CHECK(after.has_fresh_grad());
  x.mark_grad_used();
  CHECK_FALSE(after.has_fresh_grad());
  x.set_grad(Tensor());
  CHECK_FALSE(after.grad().defined());

  x.requires_grad_(false);
  CHECK_FALSE(x.requires_grad());
  CHECK(after.requires_grad());
  CHECK_THROWS_WITH_AS(
      x.grad(), "grad: this tensor is not a leaf; call requires_grad_() before using it", Error);
  CHECK_THROWS_WITH_AS(x.set_grad(Tensor::ones({2})),
                       "set_grad: this tensor is not a leaf; call requires_grad_() first", Error);
  CHECK_THROWS_WITH_AS(Tensor(after).set_grad(Tensor::ones({3})),
                       "set_grad: expected [2] float32 on cpu, got [3] float32 on cpu", Error);
  CHECK_THROWS_WITH_AS(Tensor::arange(2).requires_grad_(),
                       "requires_grad_: expected float32 or float64, got int32", Error);
}

TEST_CASE("an open tape forbids changing what it follows") {
  Tensor x = Tensor::ones({2, 2}).requires_grad_();
  const Tensor other = Tensor::ones({2, 2});
  Tape tape;
  Tensor y = x.clone();
  auto refused = [](auto change, const std::string& method, const char* shape) {
    const std::string message = method + ": a tensor of shape " + shape +
                                " that the open tape follows cannot be changed in place; use "
                                "NoGrad or detach()";
    CHECK_THROWS_WITH_AS(change(), message.c_str(), Error);
  };
  refused([&] { x.fill_(0); }, "fill_", "[2, 2]");
  refused([&] { x.copy_(other); }, "copy_", "[2, 2]");
  refused([&] { y.add_(other); }, "add_", "[2, 2]");
  refused([&] { y.mul_(2); }, "mul_", "[2, 2]");
  refused([&] { y[0].mul_(2); }, "mul_", "[2]");
  CHECK(floats(x) == Floats{1, 1, 1, 1});
  CHECK(floats(y) == Floats{1, 1, 1, 1});
  y.detach().mul_(2);
  {
    const NoGrad no_grad;
    x.fill_(3);
  }
  CHECK(floats(x) == Floats{3, 3, 3, 3});
  CHECK(floats(y) == Floats{2, 2, 2, 2});
}

TEST_CASE("views, conversions and copies have the gradients of central differences") {
  Rng rng(1);
  const Tensor x = rng.normal({4, 3}, 0, 1, DType::float64);
  using Function = Tensor (*)(const Tensor&);
  for (const Function function :
       {Function([](const Tensor& in) {
          return in.reshape({2, -1});
        }),
        Function([](const Tensor& in) { return in.slice(1, 3); }),
        Function([](const Tensor& in) { return in.slice(2, 2); }),
        Function([](const Tensor& in) { return in[-1]; }),
        Function([](const Tensor& in) { return in[1][2]; }),
        Function([](const Tensor& in) { return in.clone(); }),
        Function([](const Tensor& in) { return in.to(DType::float64); })}) {
    const auto report = gradcheck([&](const auto& in) { return function(in[0]); }, {x});
    CHECK_MESSAGE(report.ok, report.message);
  }
  const Tensor leaf = Tensor::full({1}, 2, DType::float64).requires_grad_();
  Tape tape;
  tape.backward(leaf.to(DType::float32));
  CHECK(leaf.grad().dtype() == DType::float64);
  CHECK(leaf.grad().item() == 1);
}

TEST_CASE("conversion to integers is not recorded") {
  const Tensor x = Tensor::ones({2}).requires_grad_();
  const Tape tape;
  CHECK_FALSE(x.to(DType::int32).requires_grad());
  CHECK(tape.size() == 0);
}

TEST_CASE("tensors print as NumPy prints arrays") {
  CHECK(printed(Tensor()) == "(undefined tensor)");
  CHECK(printed(Tensor::scalar(3)) == "3.\n([] float32)");
  CHECK(printed(Tensor::scalar(-3, DType::int32)) == "-3\n([] int32)");
  CHECK(printed(Tensor::zeros({0})) == "[]\n([0] float32)");
  CHECK(printed(Tensor::zeros({2, 0})) == "[[],\n []]\n([2, 0] float32)");
  CHECK(printed(Tensor::zeros({0, 2})) == "[]\n([0, 2] float32)");
  CHECK(printed(Tensor::from<uint8_t>({0, 7, 255}, {3})) == "[  0,   7, 255]\n([3] uint8)");
  CHECK(printed(Tensor::from<double>({1, 0.5, -2.25, 1.0 / 3}, {2, 2})) ==
        "[[    1.,    0.5],\n"
        " [ -2.25, 0.3333]]\n"
        "([2, 2] float64)");
  const double inf = std::numeric_limits<double>::infinity();
  CHECK(printed(Tensor::from<double>({inf, -inf, std::nan(""), 1e9, 1e-9}, {5})) ==
        "[  inf,  -inf,   nan, 1e+09, 1e-09]\n([5] float64)");
  CHECK(printed(Tensor::arange(8).reshape({2, 2, 2})) ==
        "[[[0, 1],\n"
        "  [2, 3]],\n"
        "\n"
        " [[4, 5],\n"
        "  [6, 7]]]\n"
        "([2, 2, 2] int32)");
  CHECK(printed(Tensor::arange(6).slice(2, 4)) == "[2, 3]\n([2] int32)");
}

TEST_CASE("long tensors print abbreviated") {
  CHECK(printed(Tensor::arange(1000)).find("...") == std::string::npos);
  CHECK(printed(Tensor::arange(1001)) ==
        "[   0,    1,    2, ...,  998,  999, 1000]\n([1001] int32)");
  // Hidden elements do not widen the columns; short axes are shown in full.
  Tensor x = Tensor::zeros({1001, 2}, DType::int32);
  x.mutable_data<int32_t>()[1000] = 123456;
  CHECK(printed(x) ==
        "[[0, 0],\n"
        " [0, 0],\n"
        " [0, 0],\n"
        " ...,\n"
        " [0, 0],\n"
        " [0, 0],\n"
        " [0, 0]]\n"
        "([1001, 2] int32)");
  CHECK(printed(Tensor::ones({2, 2000}, DType::uint8)) ==
        "[[1, 1, 1, ..., 1, 1, 1],\n"
        " [1, 1, 1, ..., 1, 1, 1]]\n"
        "([2, 2000] uint8)");
}

DEVICE_TEST_CASE("tensors are filled, converted and changed in place where they live") {
  const auto on_device = [&](const std::vector<float>& values) {
    return Tensor::from<float>(values, {static_cast<int64_t>(values.size())}).to(device);
  };
  Tensor x = on_device({1, -2, 3.5f, -4.5f, 5});
  CHECK(x.device() == device);
  CHECK(Tensor::full({3}, 2.5, DType::float64, device).to_vector<double>() ==
        std::vector<double>{2.5, 2.5, 2.5});
  CHECK(Tensor::full({2}, 255, DType::uint8, device).to_vector<uint8_t>() ==
        std::vector<uint8_t>{255, 255});
  CHECK_THROWS_WITH_AS(Tensor::full({2}, 300, DType::uint8, device),
                       "fill_: expected a whole number from 0 to 255, got 300", Error);
  CHECK(x.to(DType::int32).to_vector<int32_t>() == std::vector<int32_t>{1, -2, 3, -4, 5});
  CHECK(x.to(DType::float64).device() == device);
  CHECK(x.clone().mul_(2).to_vector<float>() == std::vector<float>{2, -4, 7, -9, 10});
  CHECK(x.clone().add_(x, 0.5).to_vector<float>() ==
        std::vector<float>{1.5f, -3, 5.25f, -6.75f, 7.5f});
  x.slice(1, 3).fill_(7);  // begins where no 16 bytes do
  CHECK(x.to_vector<float>() == std::vector<float>{1, 7, 7, -4.5f, 5});
  CHECK(x.at({-2}) == -4.5);
  CHECK(x[4].item() == 5);
  CHECK(Tensor::zeros({0, 3}, DType::float32, device).to_vector<float>().empty());
}

DEVICE_TEST_CASE("every dtype is converted to every other, and filled") {
  const double inf = std::numeric_limits<double>::infinity();
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const std::vector<double> values{0, 1, -1.75, 300.5, 1e12, -1e12, 1e30, -1e30, inf, -inf, nan};
  const DType all[] = {DType::float32, DType::float64, DType::int32, DType::uint8};
  for (const DType from : all)
    for (const DType to : all) {
      CAPTURE(from);
      CAPTURE(to);
      // Through the CPU's conversion of each single value, which other tests pin down.
      const Tensor x = Tensor::from<double>(values, {static_cast<int64_t>(values.size())}).to(from);
      const Tensor result = x.to(device).to(to);
      CHECK(result.device() == device);
      for (int64_t i = 0; i < x.size(); ++i) {
        const double expected = x.slice(i, i + 1).clone().to(to).item(), got = result.at({i});
        CHECK((got == expected || (std::isnan(got) && std::isnan(expected))));
      }
    }
  for (const DType dtype : all)
    for (const int64_t n : {1, 5, 1000})
      CHECK(Tensor::full({n}, 7, dtype, device).to(DType::float64).to_vector<double>() ==
            std::vector<double>(n, 7.0));
  const Tensor wide = Tensor::ones({5}, DType::float64, device);
  CHECK(wide.clone().add_(wide, 2).mul_(0.5).to_vector<double>() == std::vector<double>(5, 1.5));
}

DEVICE_TEST_CASE("whole blocks and odd ends are filled, added and scaled alike") {
  for (const int64_t n : {1, 3, 4, 5, 255, 1024, 1027, 20001}) {
    const Tensor a = Rng(1).uniform({n}, -1, 1), b = Rng(2).uniform({n}, -1, 1);
    const Tensor sum = a.to(device).clone().add_(b.to(device), 3).mul_(0.25).to(Device::cpu);
    int64_t wrong = 0;
    for (int64_t i = 0; i < n; ++i) {
      const double expected = 0.25 * (a.at({i}) + 3 * b.at({i}));
      if (!(std::abs(sum.at({i}) - expected) <= 2e-7)) ++wrong;  // two roundings of at most 1
    }
    CHECK(wrong == 0);
  }
}

DEVICE_TEST_CASE("a copy to a device and back has the same elements, and a gradient") {
  Tensor x = Tensor::from<double>({1, 2, 3}, {3}).requires_grad_();
  Tape tape;
  const Tensor there = x.to(device);
  CHECK(there.to(Device::cpu).to_vector<double>() == x.to_vector<double>());
  tape.backward(there[1]);
  CHECK(x.grad().device() == Device::cpu);
  CHECK(x.grad().to_vector<double>() == std::vector<double>{0, 1, 0});
}

DEVICE_TEST_CASE("the elements of the GPU's tensors are not handed out as the CPU's") {
  Tensor x = Tensor::ones({2}, DType::float32, device);
  if (device == Device::cpu) {
    CHECK(*x.data<float>() == 1);
  } else {
    CHECK_THROWS_WITH_AS(x.data<float>(), doctest::Contains("copy it with to(Device::cpu)"), Error);
    CHECK_THROWS_WITH_AS(x.mutable_data<float>(), doctest::Contains("shape [2] on cuda"), Error);
    CHECK_THROWS_WITH_AS(x.add_(Tensor::ones({2})), doctest::Contains("on cuda, got"), Error);
  }
}

TEST_CASE("there are no tensors on a device that is not there") {
  if (is_available(Device::cuda)) return;
  CHECK_THROWS_AS(Tensor::zeros({1}, DType::float32, Device::cuda), Error);
  CHECK_THROWS_AS(Tensor::zeros({1}).to(Device::cuda), Error);
}
