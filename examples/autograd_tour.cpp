// The tape explained by running it: eight short stops for a classroom.

#include <iostream>

#include <pade/pade.h>

#include "support/options.h"

using namespace pade;

namespace {

void stop(const char* title) { std::cout << "\n— " << title << '\n'; }

int tour() {
  stop("1. A leaf is a tensor that asks for its gradient");
  Tensor x = Tensor::from<float>({1, 2, 3}, {3}).requires_grad_();
  std::cout << "x = " << x << '\n';

  stop("2. While a tape is in scope, what is computed from a leaf is written down");
  {
    Tape tape;
    const Tensor y = x * x;
    const Tensor loss = sum(y + 1.0);
    std::cout << "loss = " << loss.item() << ", and the tape holds\n" << tape;

    stop("3. backward() reads the list from its end and multiplies derivatives on the way");
    tape.backward(loss);
    std::cout << "d loss / d x = " << x.grad() << "  (that is 2x)\n";

    stop("4. A tape is used up by backward()");
    try {
      tape.backward(loss);
    } catch (const Error& error) {
      std::cout << "again: " << error.what() << '\n';
    }
  }

  stop("5. Without a tape nothing is recorded: inference is the default");
  std::cout << "x · x needs a gradient: " << std::boolalpha << (x * x).requires_grad() << '\n';

  stop("6. Changing what the tape has saved is noticed");
  {
    Tape tape;
    const Tensor loss = sum(x * x);
    x.detach().mul_(2);
    try {
      tape.backward(loss);
    } catch (const Error& error) {
      std::cout << error.what() << '\n';
    }
  }

  stop("7. A learned activation is an op like any other: its coefficients have gradients too");
  Rational hp1 = Rational::hp1();
  {
    Tape tape;
    tape.backward(mean(hp1(x)));
    std::cout << "d mean(G(x)) / d c = " << hp1.numerator.grad() << '\n';
  }

  stop("8. gradcheck compares any op with central differences");
  const auto report = gradcheck(
      [](const std::vector<Tensor>& in) { return rational(in[0], in[1], in[2]); },
      {Tensor::from<double>({-2.5, 0.3, 1.4}, {3}), hp1.numerator.detach().to(DType::float64),
       hp1.denominator.detach().to(DType::float64)});
  std::cout << report << '\n';
  return report.ok ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Explains the tape by running it: eight short stops for a classroom.",
               "autograd_tour");
  return support::run_program(app, argc, argv, tour);
}
