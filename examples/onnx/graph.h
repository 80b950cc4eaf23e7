#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <pade/core/tensor.h>

namespace pade::onnx {

/// Of a node: its name and what it is.
using Attribute = std::pair<std::string, std::variant<int64_t, double, std::vector<int64_t>>>;

/// What a file says besides its graph: a name, a text for people, and more for programs.
struct Description {
  std::string name, text;
  std::map<std::string, std::string> metadata;
};

/// A graph of operators of ONNX (opset 17) from one input to one output, both float32 with an axis
/// of any extent in front, which is called N. Values are known by their names. An operator's name
/// begins with `path`, which is the module's that is being exported.
class Graph {
 public:
  /// The input, [N, sample…].
  explicit Graph(std::string input, Shape sample = {});

  const std::string& input() const { return input_; }
  /// A tensor that the file holds, as float32, under a name of its own.
  std::string tensor(const std::string& name, const Tensor& values);
  /// The number as a tensor of rank 0, of which the file holds one.
  std::string number(double value);
  /// The result of an operator.
  std::string node(const std::string& op, const std::vector<std::string>& inputs,
                   const std::vector<Attribute>& attributes = {});

  /// The bytes of the model's file in which that value, a node's, is the output, [N, sample…]. Same
  /// graph, same bytes. Throws Error for more than 2 GiB, which the format cannot hold.
  std::string file(const std::string& value, const std::string& output, const Shape& sample,
                   const Description& description) const;

  std::string path;

 private:
  struct Node {
    std::string op, name;  // that of its result
    std::vector<std::string> inputs;
    std::vector<Attribute> attributes;
  };

  std::string input_;
  Shape sample_;
  std::vector<Node> nodes_;
  std::map<std::string, int> named_;  // how many nodes have wanted a name
  std::vector<std::pair<std::string, Tensor>> tensors_;
  std::set<std::string> numbers_;  // of tensors that are one
};

}  // namespace pade::onnx
