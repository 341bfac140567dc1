#pragma once
/// A host that is there to die: this program started again as
///   netrunner stress --death-host LEVEL COLUMN COMMANDS SHARDS ROLL-FILE ID [CGROUP]
/// It joins CGROUP, starts its commands, says "shepherd PID" for each that has some and "ready", and takes orders from
/// stdin: go (start the commands: column starting), drop, throw, close, exit, segv, oom GROUP. After those that it
/// outlives it says "done". What it can't do it says as "error ...".

#include <string>
#include <vector>

namespace netrunner::tool {

int run_death_host(const std::vector<std::string>& words);

}  // namespace netrunner::tool
