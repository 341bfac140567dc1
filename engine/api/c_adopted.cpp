/// The adopted process of <netrunner/netrunner.h>.

#include <netrunner/adopted.hpp>
#include <netrunner/blocking.hpp>

#include "engine/api/c_bridge.hpp"

struct nr_adopted {
  netrunner::Adopted adopted;
};

namespace netrunner::c {
namespace {

nr_code give_adopted(Awaitable<Adopted> verb, nr_adopted** adopted, nr_error* error) {
  NR_ASSERT(adopted != nullptr);
  *adopted = nullptr;
  auto taken = blocking::get(std::move(verb));
  if (!taken) return fail(taken.error(), error);
  *adopted = new nr_adopted{*std::move(taken)};
  return NR_OK;
}

Adopted& adopted_of(nr_adopted* handle) {
  NR_ASSERT(handle != nullptr);
  return handle->adopted;
}

}  // namespace
}  // namespace netrunner::c

namespace c = netrunner::c;

extern "C" {

nr_code nr_adopt(nr_engine* engine, pid_t pid, nr_adopted** adopted, nr_error* error) {
  NR_ASSERT(engine != nullptr);
  return c::give_adopted(engine->engine.adopt(pid), adopted, error);
}

nr_code nr_adopt_pidfd(nr_engine* engine, int pidfd, nr_adopted** adopted, nr_error* error) {
  NR_ASSERT(engine != nullptr);
  return c::give_adopted(engine->engine.adopt_pidfd(pidfd), adopted, error);
}

nr_code nr_adopted_wait(nr_adopted* adopted, int64_t timeout_ns, nr_exit_status* status, nr_end_reason* reason,
                        nr_error* error) {
  const auto end = netrunner::blocking::get(c::adopted_of(adopted).wait(), c::deadline_of(timeout_ns));
  if (!end) return c::fail(end.error(), error);
  if (status != nullptr) *status = c::status_of(end->status);
  if (reason != nullptr) *reason = static_cast<nr_end_reason>(end->reason);
  return NR_OK;
}

nr_code nr_adopted_signal(nr_adopted* adopted, int signal, int64_t timeout_ns, nr_error* error) {
  const auto sent = netrunner::blocking::get(c::adopted_of(adopted).signal(signal), c::deadline_of(timeout_ns));
  return c::code_of(sent, error);
}

nr_code nr_adopted_stop(nr_adopted* adopted, const char* ladder, nr_error* error) {
  return c::stop(c::adopted_of(adopted), ladder, error);
}

void nr_adopted_free(nr_adopted* adopted) { delete adopted; }

}  // extern "C"
