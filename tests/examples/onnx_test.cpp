#include <doctest/doctest.h>

#include <string>
#include <utility>

#include <pade/core/error.h>
#include <pade/core/ops/arithmetic.h>
#include <pade/core/ops/elementwise.h>
#include <pade/layers/linear.h>
#include <pade/layers/sequential.h>

#include "onnx/network.h"
#include "support/protobuf.h"

using namespace pade;

namespace {

/// f(linear(x)), as a block of one's own.
template <class F>
struct Block : Module {
  explicit Block(F f) : f(std::move(f)) {}

  void visit(ModuleVisitor& visitor) override { visitor.child("linear", linear); }
  std::string description() const override { return "Block"; }
  Tensor forward(const Tensor& x) override { return f(linear(x)); }

  F f;
  Linear linear{3, 3};
};

template <class F>
std::string onnx_of_block(F f) {
  Sequential network{named("head", Linear(3, 3)), named("block", Block<F>(std::move(f)))};
  return onnx::onnx_of(network, {3}, {.name = "test", .text = "", .metadata = {}});
}

/// How often `part` is in `text`.
int count_of(const std::string& part, const std::string& text) {
  int count = 0;
  for (size_t at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++count;
  return count;
}

}  // namespace

TEST_CASE("onnx: messages have the bytes of the format's own examples") {
  // https://protobuf.dev/programming-guides/encoding: field 1 is 150; 2 is "testing"; 3 a message.
  support::Message number, text, message;
  number.add(1, int64_t{150});
  CHECK(number.bytes() == "\x08\x96\x01");
  text.add(2, "testing");
  CHECK(text.bytes() == "\x12\x07testing");
  message.add(3, number);
  CHECK(message.bytes() == "\x1a\x03\x08\x96\x01");
  support::Message negative, real;
  negative.add(1, int64_t{-2});
  CHECK(negative.bytes() == "\x08\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01");
  real.add(2, 1.5F);
  CHECK(real.bytes() == std::string("\x15\0\0\xc0\x3f", 5));
}

TEST_CASE("onnx: a block of one's own is exported by its forward pass") {
  const std::string file = onnx_of_block([](const Tensor& y) { return sigmoid(y) * y + y; });
  for (const char* op : {"Sigmoid", "Mul", "Add"})
    CHECK(count_of(std::string("\x22") + static_cast<char>(std::string(op).size()) + op, file) ==
          1);
  CHECK(count_of("block.linear.weight", file) == 2);  // the tensor, and the operator that takes it
  CHECK(count_of("block.weight", file) == 0);
}

TEST_CASE("onnx: what has no operator is refused, with its place") {
  const auto refuses = [](auto f, const char* op) {
    const std::string message = std::string("onnx: cannot export ") + op +
                                " in block; what can be is in examples/onnx/network.h";
    CHECK_THROWS_WITH_AS(onnx_of_block(f), message.c_str(), Error);
  };
  refuses([](const Tensor& y) { return y - y; }, "sub");
  refuses([](const Tensor& y) { return exp(y); }, "exp");
  refuses([](const Tensor& y) { return y * Tensor::ones({3}); }, "mul");
  refuses([](const Tensor& y) { return leaky_relu(y, 0.2); }, "leaky_relu");
  refuses([](const Tensor& y) { return y.reshape({3, 2}); }, "reshape");
}
