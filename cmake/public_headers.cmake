# The headers that are installed, that pade.h includes, and that compile on their own: all but
# core/kernels, and what only our own sources use.
file(GLOB PADE_PUBLIC_HEADERS RELATIVE ${PROJECT_SOURCE_DIR} CONFIGURE_DEPENDS
  ${PROJECT_SOURCE_DIR}/core/*.h ${PROJECT_SOURCE_DIR}/core/distributed/*.h
  ${PROJECT_SOURCE_DIR}/core/ops/*.h ${PROJECT_SOURCE_DIR}/core/io/*.h
  ${PROJECT_SOURCE_DIR}/layers/*.h ${PROJECT_SOURCE_DIR}/layers/study/*.h
  ${PROJECT_SOURCE_DIR}/optim/*.h ${PROJECT_SOURCE_DIR}/data/*.h)
list(REMOVE_ITEM PADE_PUBLIC_HEADERS
  core/device_choice.h core/distributed/mpi.h core/distributed/nccl.h core/io/folder_lock.h core/io/stored_dtype.h core/io/zip.h
  core/ops/operands.h core/ops/parameters.h
  data/image_bytes.h data/process.h layers/study/fit_problem.h optim/adam_rule.h
  optim/parameter_checks.h)
