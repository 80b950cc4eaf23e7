# Writes a C++ source that holds a text file, which the build then compiles into a program:
#   cmake -DTEXT=report.html -DSOURCE=out.cpp -DNAME=report_template -P embed_text.cmake
# defines `std::string_view pade::support::report_template()`.
file(READ ${TEXT} text)
string(FIND "${text}" ")embedded\"" end)
if(NOT end EQUAL -1)
  message(FATAL_ERROR "${TEXT}: holds the end mark of the literal that it is to be put in")
endif()
file(WRITE ${SOURCE} "#include <string_view>

namespace pade::support {
std::string_view ${NAME}() { return R\"embedded(${text})embedded\"; }
}  // namespace pade::support
")
