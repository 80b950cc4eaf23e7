#pragma once

#include <string>
#include <vector>

#include <pade/layers/study/activation_function.h>

namespace pade::lab {

/// An activation as it goes to another program. Its coefficients are finite.
struct ExportedFunction {
  std::string name;   ///< an identifier in C, C++ and Python, made of the layer's or the SPEC's
  std::string layer;  ///< of the network; empty where it was named by a SPEC
  std::vector<ActivationFunction> groups;  ///< not empty, all of one kind
};

struct Export {
  std::string source;  ///< the SPEC, run folder or file, as it was named
  bool is_spec = false;
  std::string coefficients;                 ///< as they were given besides; may be empty
  std::vector<ExportedFunction> functions;  ///< not empty
  int digits = 4;                           ///< of numbers for people; 0: all
};

/// What an activation can be written as.
struct ExportFormat {
  std::string name, ending, what;
  bool holds_several;  ///< functions in one file
  bool is_text;
  std::string (*write)(const Export&);  ///< the bytes of the file
  /// Those of a run's whole network, the last or the best; null where there are functions
  /// alone.
  std::string (*write_run)(const std::string& folder, const std::string& which) = nullptr;
};
const std::vector<ExportFormat>& export_formats();

// The writers. Text says where it is from.
std::string exported_c(const Export& what);
std::string exported_cuda(const Export& what);
std::string exported_python(const Export& what);
std::string exported_torch(const Export& what);
std::string exported_latex(const Export& what);
std::string exported_json(const Export& what);
std::string exported_npy(const Export& what);
std::string exported_onnx(const Export& what);

/// Where the file is from, in lines that each begin with `mark`. They have no date.
std::string origin_comment(const Export& what, const std::string& mark);
/// What the function is, in one line: "hp1: degrees 5/4, hermite_he, termwise".
std::string title_of(const ExportedFunction& function);

/// `text` as JSON has it, in ASCII: it fits in one line of any comment.
std::string quoted(const std::string& text);
/// shortest(), with a point or an exponent: 2.0, 1e-05.
std::string literal(double value);
std::string literal(float value);

/// An identifier in C, C++ and Python that is none of their words and functions, and none of
/// `taken`: "features.0" becomes features_0, and "tanh" tanh_function.
std::string identifier_of(const std::string& name, const std::vector<std::string>& taken);

}  // namespace pade::lab
