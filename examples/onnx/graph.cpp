#include "onnx/graph.h"

#include <bit>
#include <charconv>
#include <cstring>

#include <pade/core/build_info.h>
#include <pade/core/error.h>

#include "support/protobuf.h"

/// Fields of the messages, and their numbers, are those of https://github.com/onnx/onnx,
/// onnx/onnx.proto.
namespace pade::onnx {
namespace {

using support::Message;

static_assert(std::endian::native == std::endian::little, "tensors are written without conversion");

constexpr int64_t kIrVersion = 8, kOpset = 17;  // both of ONNX 1.12
constexpr int64_t kFloat = 1;                   // TensorProto.DataType

Message encoded(const Attribute& attribute) {
  enum Type : int64_t { real = 1, integer = 2, integers = 7 };
  const auto& [name, value] = attribute;
  Message message;
  message.add(1, name);
  if (const auto* number = std::get_if<double>(&value)) {
    message.add(2, static_cast<float>(*number));
    message.add(20, Type::real);
  } else if (const auto* whole = std::get_if<int64_t>(&value)) {
    message.add(3, *whole);
    message.add(20, Type::integer);
  } else {
    for (const int64_t one : std::get<std::vector<int64_t>>(value)) message.add(8, one);
    message.add(20, Type::integers);
  }
  return message;
}

Message encoded(const std::string& name, const Tensor& tensor) {
  Message message;
  for (const int64_t extent : tensor.shape()) message.add(1, extent);
  message.add(2, kFloat);
  message.add(8, name);
  const std::vector<float> values = tensor.to_vector<float>();
  std::string bytes(values.size() * sizeof(float), '\0');
  if (!values.empty()) std::memcpy(bytes.data(), values.data(), bytes.size());
  message.add(9, bytes);
  return message;
}

/// The graph's input or output: float32 [N, sample…].
Message encoded(const std::string& name, const Shape& sample) {
  Message batch, shape, tensor, type, message;
  batch.add(2, "N");
  shape.add(1, batch);
  for (const int64_t extent : sample) {
    Message axis;
    axis.add(1, extent);
    shape.add(1, axis);
  }
  tensor.add(1, kFloat);
  tensor.add(2, shape);
  type.add(1, tensor);
  message.add(1, name);
  message.add(2, type);
  return message;
}

}  // namespace

Graph::Graph(std::string input, Shape sample) : input_(std::move(input)), sample_(sample) {}

std::string Graph::tensor(const std::string& name, const Tensor& values) {
  tensors_.emplace_back(name, values.detach().to(Device::cpu).to(DType::float32));
  return name;
}

std::string Graph::number(double value) {
  const auto rounded = static_cast<float>(value);
  char digits[32];
  const std::string name(digits, std::to_chars(digits, digits + sizeof digits, rounded).ptr);
  return numbers_.insert(name).second ? tensor(name, Tensor::full({}, rounded)) : name;
}

std::string Graph::node(const std::string& op, const std::vector<std::string>& inputs,
                        const std::vector<Attribute>& attributes) {
  std::string name = path.empty() ? op : path + "/" + op;
  const int before = named_[name]++;
  if (before > 0) name += "_" + std::to_string(before);
  nodes_.push_back({op, name, inputs, attributes});
  return name;
}

std::string Graph::file(const std::string& value, const std::string& output, const Shape& sample,
                        const Description& description) const {
  const auto renamed = [&](const std::string& name) { return name == value ? output : name; };
  Message graph, opset, model;
  for (const Node& node : nodes_) {
    Message message;
    for (const std::string& input : node.inputs) message.add(1, renamed(input));
    message.add(2, renamed(node.name));
    message.add(3, node.name);
    message.add(4, node.op);
    for (const Attribute& attribute : node.attributes) message.add(5, encoded(attribute));
    graph.add(1, message);
  }
  graph.add(2, description.name);
  for (const auto& [name, tensor] : tensors_) graph.add(5, encoded(name, tensor));
  graph.add(11, encoded(input_, sample_));
  graph.add(12, encoded(output, sample));
  opset.add(2, kOpset);

  model.add(1, kIrVersion);
  model.add(2, "Padé");
  model.add(3, build_info().version);
  model.add(6, description.text);
  model.add(7, graph);
  model.add(8, opset);
  for (const auto& [key, text] : description.metadata) {
    Message entry;
    entry.add(1, key);
    entry.add(2, text);
    model.add(14, entry);
  }
  check(model.bytes().size() <= INT32_MAX, "onnx: the model would have ", model.bytes().size(),
        " bytes; a file of that format holds at most 2 GiB");
  return model.bytes();
}

}  // namespace pade::onnx
