#pragma once

#include "access.h"

namespace emu {

/// Groups accesses into requests: what a warp's lanes ask for by one instruction, the nth time each
/// comes to it. At the end of a block their sectors and conflicts of banks go into counts().
void add_to_profile(const Access&, bool shared);
void end_profile_of_block();

}  // namespace emu
