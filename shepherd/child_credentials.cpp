/// Whom the child becomes. Raw calls change this process alone; libc's would tell the shepherd's other threads, of
/// which there are none.

#include <linux/capability.h>
#include <sys/prctl.h>

#include <cerrno>

#include "shepherd/child_steps.hpp"

namespace netrunner::shepherd {
namespace {

using Set = std::uint64_t;

bool has(const ChildJob& job, wire::SpawnFlag flag) { return (job.fixed->flags & flag) != 0; }

constexpr Set one(std::uint32_t number) { return Set{1} << number; }

// While they are all still there: dropping one takes CAP_SETPCAP.
void bound_capabilities(ChildJob& job) {
  enter(job, Stage::capabilities);
  for (std::uint32_t number = 0; number < wire::capabilities_max; ++number) {
    const raw::Word held = raw::call(SYS_prctl, PR_CAPBSET_READ, number, 0, 0, 0);
    if (held < 0) break;  // Past the last one that this kernel knows.
    if (held == 0 || (job.fixed->bounding_capabilities & one(number)) != 0) continue;
    must(job, raw::call(SYS_prctl, PR_CAPBSET_DROP, number, 0, 0, 0), nullptr, wire::bounding_index + number);
  }
  // Else the change of the user would clear what the ambient set is to be made of.
  if (job.fixed->ambient_capabilities != 0) must(job, raw::call(SYS_prctl, PR_SET_KEEPCAPS, 1, 0, 0, 0));
}

struct Sets {
  Set effective, permitted, inheritable;
};

Sets own_sets(ChildJob& job) {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2];
  must(job, raw::call(SYS_capget, &header, data));
  const auto whole = [&](std::uint32_t low, std::uint32_t high) { return Set{high} << 32 | low; };
  return {whole(data[0].effective, data[1].effective), whole(data[0].permitted, data[1].permitted),
          whole(data[0].inheritable, data[1].inheritable)};
}

void set_own(ChildJob& job, const Sets& sets) {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  const auto low = [](Set set) { return static_cast<std::uint32_t>(set); };
  const auto high = [](Set set) { return static_cast<std::uint32_t>(set >> 32); };
  const __user_cap_data_struct data[2] = {{low(sets.effective), low(sets.permitted), low(sets.inheritable)},
                                          {high(sets.effective), high(sets.permitted), high(sets.inheritable)}};
  must(job, raw::call(SYS_capset, &header, data));
}

// No more than the command will have: the search for its program must not see with other eyes than it has itself.
void take_capabilities(ChildJob& job) {
  enter(job, Stage::capabilities);
  const Set permitted = own_sets(job).permitted;
  Set ambient = job.fixed->ambient_capabilities;
  if ((ambient & one(wire::capabilities_max - 1)) != 0) ambient &= permitted;  // "All": those that there are.
  for (std::uint32_t number = 0; number < wire::capabilities_max; ++number) {
    if ((ambient & ~permitted & one(number)) != 0) fail(job, -EPERM, nullptr, number);
  }
  const bool is_root = raw::call(SYS_geteuid) == 0;
  const Set kept = is_root ? permitted & (job.fixed->bounding_capabilities | ambient) : ambient;
  set_own(job, {kept, kept, ambient});
  for (std::uint32_t number = 0; number < wire::capabilities_max; ++number) {
    if ((ambient & one(number)) == 0) continue;
    must(job, raw::call(SYS_prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, number, 0, 0), nullptr, number);
  }
}

}  // namespace

void become_user(ChildJob& job) {
  const wire::SpawnFixed& fixed = *job.fixed;
  if (has(job, wire::has_capabilities)) bound_capabilities(job);
  if (has(job, wire::has_groups)) {
    enter(job, Stage::groups);
    must(job, raw::call(SYS_setgroups, job.groups.size(), job.groups.data()));
  }
  if (has(job, wire::has_gid)) {
    enter(job, Stage::gid);
    must(job, raw::call(SYS_setresgid, fixed.gid, fixed.gid, fixed.gid));
  }
  if (has(job, wire::has_uid)) {
    enter(job, Stage::uid);
    must(job, raw::call(SYS_setresuid, fixed.uid, fixed.uid, fixed.uid));
  }
  if (has(job, wire::has_capabilities)) take_capabilities(job);
}

}  // namespace netrunner::shepherd
