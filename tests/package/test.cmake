# Installs BUILD into a fresh prefix under WORK, and there configures, builds and runs the consumer
# and the program that README shows, word for word.
file(REMOVE_RECURSE ${WORK})
file(READ ${CMAKE_CURRENT_LIST_DIR}/../../README.md readme)
string(FIND "${readme}" "```cpp\n" begin)
math(EXPR begin "${begin} + 7")
string(SUBSTRING "${readme}" ${begin} -1 readme)
string(FIND "${readme}" "```" end)
string(SUBSTRING "${readme}" 0 ${end} readme)
file(WRITE ${WORK}/readme.cpp "${readme}")

foreach(command
    "--install;${BUILD};--prefix;${WORK}/prefix"
    "-S;${CMAKE_CURRENT_LIST_DIR};-B;${WORK}/build;-G;${GENERATOR};-DCMAKE_PREFIX_PATH=${WORK}/prefix;-DCMAKE_BUILD_TYPE=Release;-DREADME_PROGRAM=${WORK}/readme.cpp"
    "--build;${WORK}/build")
  execute_process(COMMAND ${CMAKE_COMMAND} ${command} COMMAND_ERROR_IS_FATAL ANY)
endforeach()
execute_process(COMMAND ${WORK}/build/consumer COMMAND_ERROR_IS_FATAL ANY)

if(NOT EXISTS /usr/share/datasets/fashion-mnist)
  message("README's program was built but not run: the package dataset-fashion-mnist is missing")
  return()
endif()
execute_process(COMMAND ${WORK}/build/readme OUTPUT_VARIABLE output COMMAND_ERROR_IS_FATAL ANY)
message("${output}")
foreach(expected "total +61,746\n" "step 400, loss [0-9.]+\n" "test accuracy 0\\.(8[0-9]|9)[0-9]*\n")
  if(NOT output MATCHES "${expected}")
    message(FATAL_ERROR "README's program printed nothing that matches ${expected}")
  endif()
endforeach()
