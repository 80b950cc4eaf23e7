# Fails unless PADE_H includes exactly HEADERS, which are separated by commas.
string(REPLACE "," ";" headers "${HEADERS}")
file(STRINGS ${PADE_H} included REGEX "^#include ")
list(TRANSFORM included REPLACE "^#include <pade/(.*)>$" "\\1")

set(missing ${headers})
list(REMOVE_ITEM missing ${included})
set(unexpected ${included})
list(REMOVE_ITEM unexpected ${headers})
if(missing OR unexpected)
  message(FATAL_ERROR "pade.h lacks [${missing}] and should not include [${unexpected}]")
endif()
