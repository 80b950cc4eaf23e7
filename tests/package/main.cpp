// Learns XOR with the installed library.
#include <cstdio>

#include <pade/pade.h>

using namespace pade;

int main() {
  manual_seed(1);
  const Tensor inputs = Tensor::from<float>({0, 0, 0, 1, 1, 0, 1, 1}, {4, 2});
  const Tensor labels = Tensor::from<int32_t>({0, 1, 1, 0}, {4});
  Sequential network{Linear(2, 8), Rational::hp1(), Linear(8, 2)};
  Adam optimizer(network.parameters(), {.lr = 0.02});

  double last_loss = 0;
  for (int step = 0; step < 200; ++step) {
    Tape tape;
    const Tensor loss = cross_entropy(network(inputs), labels);
    tape.backward(loss);
    optimizer.step();
    last_loss = loss.item();
  }
  std::printf("Padé %s learned XOR to a loss of %.2g\n", build_info().version.c_str(), last_loss);
  return last_loss < 0.01 ? 0 : 1;
}
