#include <doctest/doctest.h>

#include <cmath>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <pade/core/distributed/gradient_observer.h>
#include <pade/core/ops/elementwise.h>
#include <pade/core/scope.h>
#include <pade/core/tape.h>

using namespace pade;

namespace {

/// a + b. Its gradients are one and the same tensor, on purpose.
Tensor plus(const Tensor& a, const Tensor& b) {
  Tensor y = a.detach().clone();
  y.add_(b);
  record("plus", {&a, &b}, y, {}, [](Gradients& gradients) {
    gradients.set(0, gradients.of_output());
    gradients.set(1, gradients.of_output());
  });
  return y;
}

/// a · b, saving both.
Tensor times(const Tensor& a, const Tensor& b) {
  auto product = [](const Tensor& left, const Tensor& right) {
    Tensor y = left.detach().clone();
    float* values = y.mutable_data<float>();
    for (int64_t i = 0; i < y.size(); ++i) values[i] *= right.data<float>()[i];
    return y;
  };
  Tensor y = product(a, b);
  record("times", {&a, &b}, y, {&a, &b}, [product](Gradients& gradients) {
    gradients.set(0, product(gradients.of_output(), gradients.saved(1)));
    gradients.set(1, product(gradients.of_output(), gradients.saved(0)));
  });
  return y;
}

Tensor sum(const Tensor& x) {
  double total = 0;
  for (const float value : x.to_vector<float>()) total += value;
  Tensor y = Tensor::scalar(total);
  record("sum", {&x}, y, {}, [shape = x.shape()](Gradients& gradients) {
    gradients.set(0, Tensor::full(shape, gradients.of_output().item()));
  });
  return y;
}

Tensor leaf(std::vector<float> values) {
  const int64_t n = static_cast<int64_t>(values.size());
  return Tensor::from(values, {n}).requires_grad_();
}

using Values = std::vector<float>;

Values gradient_of(const Tensor& x) { return x.grad().to_vector<float>(); }

std::string printed(const Tape& tape) {
  std::ostringstream out;
  out << tape;
  return out.str();
}

size_t bytes_in_use() { return allocator_stats().bytes_in_use; }

}  // namespace

TEST_CASE("a tape assigns the gradients of the leaves") {
  const Tensor x = leaf({1, 2, 3});
  const Tensor unused = leaf({1});
  Tape tape;
  const Tensor loss = sum(times(x, x));
  CHECK(loss.item() == 14);
  CHECK(loss.requires_grad());
  CHECK(tape.size() == 2);
  tape.backward(loss);
  CHECK(gradient_of(x) == Values{2, 4, 6});
  CHECK_FALSE(x.grad().requires_grad());
  CHECK_FALSE(unused.grad().defined());
}

TEST_CASE("only ops that need a gradient are recorded, and only while a tape records") {
  const Tensor x = leaf({1}), constant = Tensor::ones({1});
  CHECK_FALSE(exp(x).requires_grad());
  Tape tape;
  CHECK_FALSE(exp(constant).requires_grad());
  CHECK(tape.size() == 0);
  const Tensor loss = exp(x);
  CHECK(tape.size() == 1);
  CHECK_FALSE(loss.detach().requires_grad());
  exp(loss.detach());
  CHECK(tape.size() == 1);
  tape.backward(loss);
  CHECK(Tape::recording() == nullptr);
  CHECK_FALSE(exp(x).requires_grad());
  CHECK(tape.size() == 1);
}

TEST_CASE("the first contribution to a gradient is assigned, the others are added") {
  const Tensor x = leaf({1, 2}), y = leaf({3, 4});
  {
    Tape tape;
    tape.backward(sum(plus(x, x)));
    CHECK(gradient_of(x) == Values{2, 2});
  }
  {
    Tape tape;
    tape.backward(sum(plus(plus(x, y), plus(y, plus(x, y)))));
    CHECK(gradient_of(x) == Values{2, 2});
    CHECK(gradient_of(y) == Values{3, 3});
  }
  {  // The same gradient reaches x directly and by way of views.
    Tape tape;
    const Tensor view = x.reshape({2, 1}).reshape({2});
    tape.backward(sum(times(plus(plus(x, view), y), y)));
    CHECK(gradient_of(x) == Values{6, 8});
    CHECK(gradient_of(y) == Values{3 + 2 * 1 + 3, 4 + 2 * 2 + 4});
  }
  {  // y's gradient is finished while x, which shares it, still gets contributions.
    Tape tape;
    const Tensor early = exp(x);
    tape.backward(sum(plus(plus(x, y), early)));
    CHECK(gradient_of(y) == Values{1, 1});
    CHECK(std::abs(x.grad().at({0}) - (1 + std::exp(1.0))) <= 1e-6);
  }
}

TEST_CASE("leaves never share the storage of their gradients") {
  const Tensor x = leaf({1, 2}), y = leaf({3, 4}), z = leaf({5, 6});
  Tape tape;
  tape.backward(sum(plus(plus(x, y), z.reshape({2, 1}).reshape({2}))));
  CHECK_FALSE(x.grad().shares_storage_with(y.grad()));
  CHECK_FALSE(x.grad().shares_storage_with(z.grad()));
  CHECK_FALSE(y.grad().shares_storage_with(z.grad()));
  Tensor of_x = x.grad();
  of_x.mul_(100);
  CHECK(gradient_of(y) == Values{1, 1});
  CHECK(gradient_of(z) == Values{1, 1});
}

TEST_CASE("a gradient that is a saved tensor is not changed with it") {
  Tensor factor = Tensor::full({2}, 5);
  const Tensor x = leaf({1, 2});
  auto scaled = [&] {
    Tensor y = x.detach().clone().mul_(5);
    record("scaled", {&x}, y, {&factor},
           [](Gradients& gradients) { gradients.set(0, gradients.saved(0)); });
    return y;
  };
  Tape tape;
  const Tensor loss = sum(plus(scaled(), scaled()));
  tape.backward(loss, {.keep = true});
  CHECK(gradient_of(x) == Values{10, 10});
  CHECK(factor.to_vector<float>() == Values{5, 5});
  tape.backward(loss, {.accumulate = true});
  CHECK(gradient_of(x) == Values{20, 20});
  CHECK(factor.to_vector<float>() == Values{5, 5});
  CHECK_FALSE(x.grad().shares_storage_with(factor));
}

TEST_CASE("backward consumes the tape unless it is told to keep it") {
  const Tensor x = leaf({2});
  Tape tape;
  const Tensor loss = times(x, x);
  tape.backward(loss, {.keep = true});
  CHECK(gradient_of(x) == Values{4});
  tape.backward(loss, {.keep = true});
  CHECK(gradient_of(x) == Values{4});
  tape.backward(loss, {.keep = true, .accumulate = true});
  CHECK(gradient_of(x) == Values{8});
  const Tensor later = plus(loss, x);  // a kept tape goes on recording
  tape.backward(later);
  CHECK(gradient_of(x) == Values{5});
  CHECK_THROWS_WITH_AS(
      tape.backward(loss),
      doctest::Contains("backward: this tape was already consumed by backward(). Every"), Error);
}

TEST_CASE("accumulation adds the gradients of several tapes") {
  const Tensor x = leaf({2}), y = leaf({3});
  for (int i = 0; i < 3; ++i) {
    Tape tape;
    tape.backward(times(x, i == 1 ? x : y), {.accumulate = i > 0});
  }
  CHECK(gradient_of(x) == Values{3 + 4 + 3});
  CHECK(gradient_of(y) == Values{2 + 2});
  {
    Tape tape;
    tape.backward(times(x, y));  // assigns: there is nothing to set to zero
  }
  CHECK(gradient_of(x) == Values{3});
}

TEST_CASE("an observer sees each gradient when it is final, and can change it") {
  struct Observer : GradientObserver {
    std::vector<std::pair<const Leaf*, double>> seen;
    std::vector<Tensor*> gradients;
    double factor = 1;
    bool finished = false;
    void ready(Leaf& leaf, Tensor& gradient) override {
      CHECK_FALSE(finished);
      seen.emplace_back(&leaf, gradient.item());
      gradients.push_back(&gradient);
    }
    void finish() override {
      finished = true;
      for (Tensor* gradient : gradients) gradient->mul_(factor);
    }
  } observer;
  const Tensor x = leaf({2}), y = leaf({3}), unused = leaf({4});
  Tape tape;
  const Tensor first = times(x, y);     // x is used again, y is not
  const Tensor loss = times(first, x);  // x² y
  plus(unused, unused);                 // on the tape, and not what the loss is made of
  observer.factor = 10;
  tape.backward(loss, {.observer = &observer});
  CHECK(observer.finished);
  CHECK(observer.seen.size() == 2);
  CHECK(observer.seen[0] == std::pair(Tape::leaf_of(y), 4.0));  // the last op that uses it is first
  CHECK(observer.seen[1] == std::pair(Tape::leaf_of(x), 12.0));
  CHECK(gradient_of(x) == Values{120});
  CHECK(gradient_of(y) == Values{40});
  CHECK_FALSE(unused.grad().defined());
  CHECK(Tape::leaf_of(loss) == nullptr);
}

TEST_CASE("a leaf can be the loss") {
  const Tensor x = leaf({2});
  Tape tape;
  tape.backward(x);
  CHECK(gradient_of(x) == Values{1});
}

TEST_CASE("backward refuses what is no loss of this tape") {
  const Tensor x = leaf({1, 2});
  Tensor foreign;
  {
    Tape other;
    foreign = sum(x);
  }
  Tape tape;
  CHECK_THROWS_WITH_AS(
      tape.backward(foreign),
      doctest::Contains("backward: the loss was recorded on another tape than this one;"), Error);
  CHECK_THROWS_WITH_AS(tape.backward(exp(x)),
                       "backward: expected a loss with one element, got shape [2]; take its mean() "
                       "or sum()",
                       Error);
  CHECK_THROWS_WITH_AS(tape.backward(Tensor()), "backward: the loss is an undefined tensor", Error);
  CHECK_THROWS_WITH_AS(
      tape.backward(Tensor::scalar(1)),
      doctest::Contains(
          "backward: the loss does not depend on any tensor that requires a gradient"),
      Error);
  const Tensor loss = sum(x);
  tape.backward(loss);  // none of these mistakes has consumed the tape
  CHECK(gradient_of(x) == Values{1, 1});
}

TEST_CASE("a tape that was opened after the forward pass says that it has recorded nothing") {
  const Tensor x = leaf({1, 2});
  const Tensor loss = sum(x);
  Tape tape;
  const char* message =
      "backward: this tape has recorded nothing. Was it opened after the forward pass, or did that "
      "run under NoGrad? Put `Tape tape;` above the line that computes the loss. Or does no tensor "
      "in it require a gradient?";
  CHECK_THROWS_WITH_AS(tape.backward(loss), message, Error);
  {
    const NoGrad no_grad;
    CHECK_THROWS_WITH_AS(tape.backward(sum(x)), message, Error);
  }
  CHECK_THROWS_WITH_AS(tape.backward(sum(x.detach())), message, Error);
}

TEST_CASE("one tape around a loop is refused in its second round, with what to do") {
  const Tensor x = leaf({1, 2});
  Tape tape;
  tape.backward(sum(x));
  CHECK_THROWS_WITH_AS(
      tape.backward(sum(x)),
      "backward: this tape was already consumed by backward(). Every backward() wants a tape of "
      "its own: put `Tape tape;` inside of the loop, above the forward pass, or keep the tape by "
      "backward(loss, {.keep = true})",
      Error);
}

TEST_CASE("a saved tensor that was changed in place is an error that says which") {
  Tensor factor = Tensor::full({2}, 3);
  const Tensor x = leaf({1, 2});
  const std::string expected =
      "backward of times: a tensor of shape [2] that it needs was changed in place: it was saved "
      "at version 1 and is now at version 2 in features.3";
  {
    Tape tape;
    Tensor y;
    {
      const Scope outer("features"), inner("3");
      y = times(x, factor);
    }
    factor.fill_(4);
    CHECK_THROWS_WITH_AS(tape.backward(sum(y)), expected.c_str(), Error);
  }
  {  // a view counts as well
    Tape tape;
    const Tensor loss = sum(times(x, factor));
    factor.slice(0, 1).fill_(5);
    CHECK_THROWS_WITH_AS(tape.backward(loss), doctest::Contains("saved at version 2"), Error);
  }
  {  // but not a change of what is not saved
    Tape tape;
    const Tensor loss = sum(plus(x, factor));
    factor.fill_(6);
    tape.backward(loss);
    CHECK(gradient_of(x) == Values{1, 1});
  }
}

TEST_CASE("what an open tape follows cannot be changed in place") {
  Tensor x = leaf({1, 2});
  Tape tape;
  Tensor y = exp(x);
  CHECK_THROWS_WITH_AS(y.mul_(2),
                       "mul_: a tensor of shape [2] that the open tape follows cannot be changed "
                       "in place; use NoGrad or detach()",
                       Error);
  CHECK_THROWS_AS(x.fill_(2), Error);
  {
    const NoGrad no_grad;
    x.fill_(2);
  }
  CHECK(x.at({0}) == 2);
}

TEST_CASE("a gradient of the wrong shape or dtype is refused") {
  const Tensor x = leaf({1, 2});
  auto wrong = [&](Tensor gradient) {
    Tensor y = Tensor::scalar(0);
    record("wrong", {&x}, y, {}, [gradient](Gradients& g) { g.set(0, gradient); });
    return y;
  };
  {
    Tape tape;
    CHECK_THROWS_WITH_AS(tape.backward(wrong(Tensor::ones({3}))),
                         "backward of wrong: the gradient of input 0 must have shape [2] and dtype "
                         "float32, got shape [3] and float32",
                         Error);
  }
  Tape tape;
  CHECK_THROWS_WITH_AS(tape.backward(wrong(Tensor::ones({2}, DType::float64))),
                       doctest::Contains("got shape [2] and float64"), Error);
}

TEST_CASE("tapes nest") {
  const Tensor x = leaf({2}), y = leaf({3});
  Tape outer;
  const Tensor first = times(x, y);
  {
    Tape inner;
    CHECK(Tape::recording() == &inner);
    const Tensor second = times(first, y);  // `first` is a constant here
    CHECK(printed(inner) == "%0 = leaf  [1]\n%1 = times(constant, %0)  [1]\n");
    CHECK_THROWS_WITH_AS(inner.backward(first), doctest::Contains("recorded on another tape"),
                         Error);
    inner.backward(second);
    CHECK_FALSE(x.grad().defined());
    CHECK(gradient_of(y) == Values{6});
  }
  CHECK(Tape::recording() == &outer);
  outer.backward(times(first, y));
  CHECK(gradient_of(x) == Values{9});
  CHECK(gradient_of(y) == Values{12});
}

TEST_CASE("NoGrad stops recording, nests, and ends inside a tape of its own") {
  const Tensor x = leaf({2});
  Tape tape;
  {
    const NoGrad outer;
    CHECK(Tape::recording() == nullptr);
    {
      const NoGrad inner;
      times(x, x);
    }
    times(x, x);
    CHECK(Tape::recording() == nullptr);
    {
      Tape own;
      own.backward(times(x, x));
      CHECK(gradient_of(x) == Values{4});
    }
    CHECK(Tape::recording() == nullptr);
  }
  CHECK(Tape::recording() == &tape);
  CHECK(tape.size() == 0);
  tape.backward(exp(x));
  CHECK(tape.size() == 1);
}

TEST_CASE("backward records nothing, even on a kept tape") {
  const Tensor x = leaf({2});
  Tape tape;
  Tensor loss = Tensor::scalar(0);
  record("probe", {&x}, loss, {&x},
         [](Gradients& gradients) { gradients.set(0, exp(gradients.saved(0))); });
  tape.backward(loss, {.keep = true});
  CHECK(tape.size() == 1);
  CHECK(Tape::recording() == &tape);
}

TEST_CASE("a million ops are recorded, replayed and forgotten") {
  constexpr int64_t kOps = 1000000;
  const Tensor x = leaf({2});
  const size_t before = bytes_in_use();
  {
    Tape tape;
    Tensor y = x;
    size_t half = 0;
    for (int64_t i = 0; i < kOps; ++i) {
      y = leaky_relu(y, 1);
      if (i + 1 == kOps / 2) half = bytes_in_use() - before;
    }
    CHECK(tape.size() == kOps);
    CHECK(bytes_in_use() - before == 2 * half);  // memory grows linearly …
    CHECK(half <= kOps / 2 * 64);                // … by the results that are saved
    tape.backward(y);
    CHECK(gradient_of(x) == Values{1});
    CHECK(y.item() == 2);
  }
  CHECK(bytes_in_use() <= before + 64);  // x's gradient
  {
    Tape tape;  // destroyed without having been replayed
    Tensor y = x;
    for (int64_t i = 0; i < kOps; ++i) y = y.reshape({1});
    CHECK(tape.size() == kOps);
    CHECK(y.requires_grad());
  }
  CHECK(bytes_in_use() <= before + 64);
}

TEST_CASE("backward lets go of what was saved as it proceeds") {
  constexpr int kOps = 20;
  const Tensor x = Tensor::full({100000}, -1).requires_grad_();
  const size_t one = [&] {
    const size_t before = bytes_in_use();
    const Tensor copy = x.clone();
    return bytes_in_use() - before;
  }();
  const size_t before = bytes_in_use();
  size_t at_the_first_op = 0;
  Tape tape;
  Tensor loss;
  {
    Tensor y = x.detach().clone();
    record("probe", {&x}, y, {}, [&at_the_first_op](Gradients& gradients) {
      at_the_first_op = bytes_in_use();
      gradients.set(0, gradients.of_output());
    });
    for (int i = 0; i < kOps; ++i) y = exp(y);  // saves its result
    loss = sum(y);
  }
  CHECK(bytes_in_use() >= before + kOps * one);
  tape.backward(loss);
  REQUIRE(at_the_first_op > 0);
  CHECK(at_the_first_op <= before + 2 * one);
  CHECK(bytes_in_use() <= before + one + 1024);  // x's gradient
  CHECK(x.grad().defined());
}

TEST_CASE("a running total outside keeps no memory") {
  const Tensor x = leaf({1, 2});
  Tensor total = Tensor::scalar(0);
  size_t after_two = 0;
  for (int step = 0; step < 50; ++step) {
    Tape tape;
    const Tensor loss = sum(exp(x));
    if (step % 2) total = plus(total, loss);  // recorded
    tape.backward(loss);
    if (step % 2 == 0) total = plus(total, loss);
    if (step == 1) after_two = bytes_in_use();
    if (step > 1 && step % 2) CHECK(bytes_in_use() == after_two);
  }
  const double expected = 50 * (std::exp(1.0) + std::exp(2.0));
  CHECK(std::abs(total.item() - expected) <= 1e-5 * expected);
  CHECK_FALSE(total.requires_grad());
}

TEST_CASE("a tape prints what it recorded") {
  const Tensor x = Tensor::ones({2, 3}).requires_grad_();
  Tape tape;
  Tensor y;
  {
    const Scope scope("features"), layer("0");
    y = plus(exp(x), Tensor::ones({2, 3}));
  }
  const Tensor loss = sum(y);
  CHECK(printed(tape) ==
        "%0 = leaf  [2, 3]\n"
        "%1 = exp(%0)  [2, 3]  in features.0\n"
        "%2 = plus(%1, constant)  [2, 3]  in features.0\n"
        "%3 = sum(%2)  []\n");
  CHECK(tape.to_dot() ==
        "digraph tape {\n"
        "  rankdir=LR;\n"
        "  node [fontname=\"Helvetica\"];\n"
        "  v0 [shape=box, style=filled, fillcolor=lightblue, label=\"leaf [2, 3]\"];\n"
        "  v1 [label=\"exp\\n[2, 3]\\nfeatures.0\"];\n"
        "  v0 -> v1;\n"
        "  v2 [label=\"plus\\n[2, 3]\\nfeatures.0\"];\n"
        "  v1 -> v2;\n"
        "  v3 [label=\"sum\\n[]\"];\n"
        "  v2 -> v3;\n"
        "}\n");
}

TEST_CASE("Anomaly names the first op that makes a NaN or an infinity, and its module") {
  const Tensor x = leaf({0, 1});
  {
    const Anomaly anomaly;
    const Scope scope("features"), layer("2");
    CHECK_THROWS_WITH_AS(
        log(x), "anomaly: the result of log (shape [2]) holds NaN or infinity in features.2",
        Error);
  }
  CHECK_FALSE(Anomaly::enabled());
  CHECK(std::isinf(log(x).at({0})));
  Tape tape;
  Tensor y;
  {
    const Scope scope("features"), layer("5");
    y = sqrt(x);
  }
  const Tensor loss = sum(exp(y));
  tape.backward(loss, {.keep = true});
  CHECK(std::isinf(x.grad().at({0})));
  const Anomaly outer;
  { const Anomaly inner; }
  CHECK(Anomaly::enabled());
  CHECK_THROWS_WITH_AS(
      tape.backward(loss),
      "anomaly: the gradient of sqrt (shape [2]) holds NaN or infinity in features.5", Error);
}

TEST_CASE("errors in a scope end with its path") {
  const Scope outer("classifier");
  {
    const Scope nameless(""), inner("1");
    CHECK_THROWS_WITH_AS(exp(Tensor::arange(2)),
                         "exp: expected float32 or float64, got int32 in classifier.1", Error);
  }
  CHECK_THROWS_WITH_AS(exp(Tensor::arange(2)),
                       "exp: expected float32 or float64, got int32 in classifier", Error);
}
