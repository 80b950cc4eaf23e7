#include <algorithm>
#include <cmath>
#include <iomanip>
#include <ostream>
#include <type_traits>

#include <pade/core/tape.h>
#include <pade/core/tensor.h>
#include <pade/core/text_stream.h>

namespace pade {
namespace {

constexpr int64_t kAbbreviateFrom = 1000;  // elements
constexpr int64_t kEdge = 3;               // elements shown at each end of an abbreviated axis

template <class T>
std::string format(T value) {
  TextStream out;
  if constexpr (std::is_integral_v<T>) {
    out << +value;
    return out.str();
  } else {
    out << std::setprecision(4) << value;
    const std::string text = out.str();
    const bool whole = text.find_first_of(".en") == std::string::npos;  // not 1.5, 1e9, inf, nan
    return whole ? text + '.' : text;
  }
}

/// Prints arrays with columns as wide as the widest element that it has printed so far.
template <class T>
struct Printer {
  const Shape shape;
  const T* values;
  size_t width = 0;

  /// The elements from number `first` on that have one index along all axes before this one.
  void print(std::ostream& out, int axis = 0, int64_t first = 0) {
    if (axis == shape.rank()) {
      const std::string text = format(values[first]);
      width = std::max(width, text.size());
      out << std::setw(static_cast<int>(width)) << text;
      return;
    }
    const int below = shape.rank() - 1 - axis;
    // Innermost elements stand on one line; matrices and above on lines of their own.
    const std::string separator =
        below == 0 ? ", " : ',' + std::string(below, '\n') + std::string(axis + 1, ' ');
    const bool abbreviates = shape.size() > kAbbreviateFrom && shape[axis] > 2 * kEdge;
    out << '[';
    for (int64_t i = 0; i < shape[axis]; ++i) {
      if (i > 0) out << separator;
      if (abbreviates && i == kEdge) {
        out << "..." << separator;
        i = shape[axis] - kEdge;
      }
      print(out, axis + 1, first + i * shape.size_from(axis + 1));
    }
    out << ']';
  }
};

}  // namespace

std::ostream& operator<<(std::ostream& out, const Tensor& tensor) {
  if (!tensor.defined()) return out << "(undefined tensor)";
  const Tensor on_cpu = tensor.detach().to(Device::cpu);
  TextStream measured, text;
  dispatch(tensor.dtype(), [&](auto zero) {
    Printer<decltype(zero)> printer{tensor.shape(), on_cpu.data<decltype(zero)>()};
    printer.print(measured);  // finds the width
    printer.print(text);
  });
  text << "\n(" << tensor.shape() << ' ' << tensor.dtype() << (tensor.on_cuda() ? ", cuda)" : ")");
  return out << text.str();
}

std::ostream& operator<<(std::ostream& out, const Tape& tape) {
  TextStream text;
  for (size_t i = 0; i < tape.nodes_.size(); ++i) {
    const Tape::Node& node = tape.nodes_[i];
    text << '%' << i << " = " << node.op;
    const char* separator = "(";
    for (const int64_t input : node.inputs) {
      text << separator << (input < 0 ? "constant" : '%' + std::to_string(input));
      separator = ", ";
    }
    text << (node.inputs.empty() ? "  " : ")  ") << node.shape;
    if (!node.path.empty()) text << "  in " << node.path;
    text << '\n';
  }
  return out << text.str();
}

std::string Tape::to_dot() const {
  TextStream out;
  out << "digraph tape {\n  rankdir=LR;\n  node [fontname=\"Helvetica\"];\n";
  for (size_t i = 0; i < nodes_.size(); ++i) {
    const Node& node = nodes_[i];
    if (node.inputs.empty())
      out << "  v" << i << " [shape=box, style=filled, fillcolor=lightblue, label=\"" << node.op
          << ' ' << node.shape << "\"];\n";
    else
      out << "  v" << i << " [label=\"" << node.op << "\\n"
          << node.shape << (node.path.empty() ? "" : "\\n") << node.path << "\"];\n";
    for (const int64_t input : node.inputs)
      if (input >= 0) out << "  v" << input << " -> v" << i << ";\n";
  }
  out << "}\n";
  return out.str();
}

}  // namespace pade
