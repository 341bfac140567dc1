#pragma once
/// The child between clone and exec, on the shepherd's memory: raw system calls only, nothing of libc, no thread-local
/// storage. All signals are blocked until the last step.

#include "shepherd/child_job.hpp"

namespace netrunner::shepherd {

/// Where clone starts it. `job`: a ChildJob. Never comes back: it becomes the command, or says why not and exits.
void run_child(void* job);

}  // namespace netrunner::shepherd
