#include "engine/api/core.hpp"

#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <algorithm>
#include <bit>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <thread>
#include <utility>

#include <netrunner/blocking.hpp>
#include <netrunner/deadline.hpp>

#include "engine/flow/limits.hpp"
#include "engine/os/scheduling.hpp"
#include "engine/os/signal_mask.hpp"
#include "engine/shard/limits.hpp"

namespace netrunner::detail {
namespace {

constexpr std::int64_t ready_max_ns = 10'000'000'000;

Error invalid(std::string subject, std::string advice) {
  return {ErrorCode::invalid_argument, Stage::validate, 0, std::move(subject), std::move(advice)};
}

Result<void> check(const EngineOptions& options) {
  if (options.shards > shard::shards_max) {
    return std::unexpected(invalid("EngineOptions::shards = " + std::to_string(options.shards),
                                   "at most " + std::to_string(shard::shards_max)));
  }
  if (options.threads == Threads::foreign && options.shards > 1) {
    return std::unexpected(invalid("EngineOptions::shards = " + std::to_string(options.shards),
                                   "Threads::foreign turns exactly one shard"));
  }
  if (options.window_bytes == 0 || options.command_budget_bytes == 0 || options.commands_max == 0) {
    return std::unexpected(
        invalid("EngineOptions", "window_bytes, command_budget_bytes and commands_max must not be 0"));
  }
  if (!std::has_single_bit(options.chunk_bytes) || options.chunk_bytes < flow::chunk_bytes_min ||
      options.chunk_bytes > flow::chunk_bytes_max) {
    return std::unexpected(invalid("EngineOptions::chunk_bytes = " + std::to_string(options.chunk_bytes),
                                   "a power of two from 4 KiB to 1 MiB"));
  }
  if (options.shard_budget_bytes < flow::budget_bytes_min) {
    return std::unexpected(invalid("EngineOptions::shard_budget_bytes = " + std::to_string(options.shard_budget_bytes),
                                   "at least 64 KiB"));
  }
  return {};
}

std::uint32_t usable_cores() {
  cpu_set_t set;
  if (::sched_getaffinity(0, sizeof set, &set) != 0) return 1;
  return static_cast<std::uint32_t>(std::clamp(CPU_COUNT(&set), 1, static_cast<int>(shard::shards_max)));
}

/// What a shard's thread tells the one that opens the engine.
struct Start {
  blocking::detail::Signal done;
  Result<void> result;
};

}  // namespace

ForkGuard::ForkGuard() : page_(nullptr) {
  void* page = ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED) return;
  if (::madvise(page, 4096, MADV_WIPEONFORK) != 0) {
    ::munmap(page, 4096);
    return;
  }
  page_ = static_cast<std::uint32_t*>(page);
  *page_ = 1;
}

ForkGuard::~ForkGuard() {
  if (page_ != nullptr) ::munmap(page_, 4096);
}

Core::Core(const EngineOptions& options) : options_(options) {
  if (options_.shards == 0) options_.shards = foreign() ? 1 : usable_cores();
  for (int number = 0; number < 3; ++number) {
    had_standard_[static_cast<std::size_t>(number)] = ::fcntl(number, F_GETFD) >= 0;
  }
  static reactor::Ticket engines;
  number_ = engines.take();
  launch_.path = options.shepherd_path;
  launch_.asynchronous = options.asynchronous_spawn;
  launch_.standard_policy = os::has_standard_policy();
  ::getrlimit(RLIMIT_NOFILE, &launch_.descriptors);
  struct stat here{};
  if (::stat(".", &here) == 0) {
    directory_device_ = here.st_dev;
    directory_inode_ = here.st_ino;
  }
}

Core::~Core() = default;

namespace {

/// Makes the shepherd's image while the caller looks for cgroups. Where no thread is to be had, whoever needs it does.
class ImageMaker {
 public:
  explicit ImageMaker(std::shared_ptr<shepherd_link::Image> image) noexcept {
    try {
      thread_ = std::thread([image = std::move(image)] {
        os::block_all_signals();
        (void)image->program();
      });
    } catch (const std::system_error&) {
      thread_ = {};
    }
  }
  ImageMaker(const ImageMaker&) = delete;
  ImageMaker& operator=(const ImageMaker&) = delete;
  ~ImageMaker() {
    if (thread_.joinable()) thread_.join();
  }

 private:
  std::thread thread_;
};

}  // namespace

Result<Core*> Core::open(const EngineOptions& options) {
  NR_TRY_VOID(check(options));
  auto* core = new Core(options);
  std::optional<ImageMaker> maker;
  if (!core->foreign() && options.shepherd_path.empty()) maker.emplace(core->launch_.image);
  auto started = core->choose_containment();
  if (started) started = core->start_shards();
  if (started) return core;
  (void)core->close();
  core->abandon();
  return std::unexpected(std::move(started).error());
}

shard::Shard::Options Core::shard_options(std::uint32_t index) const {
  shard::Shard::Options options;
  options.index = index;
  options.engine = options_;
  options.launch = launch_;
  options.foreign_loop = foreign();
  options.cgroups = cgroups_.get();
  options.level = level_;
  options.containment_note = containment_note_;
  options.engine_number = number_;
  options.keeps_spare = options_.shards == 1;
  return options;
}

namespace {

/// What was asked for by name is kept or refused, never quietly another.
Result<void> level_is_kept(const shard::Shard& shard, Containment wanted) {
  if (wanted == Containment::automatic || shard.containment() == wanted) return {};
  Error error = system_error("containment " + std::string(name_of(wanted)), Stage::cgroup, shard.containment_errno());
  error.advice = "a process can't be born in a new cgroup here; Containment::automatic takes the strongest that works";
  return std::unexpected(std::move(error));
}

Result<void> await_shepherd(shard::Shard& shard, Containment wanted) {
  const std::int64_t until_ns = Deadline::now_ns() + ready_max_ns;
  while (!shard.ready() && !shard.shepherd_failed() && Deadline::now_ns() < until_ns) shard.turn(until_ns);
  if (shard.ready()) return level_is_kept(shard, wanted);
  Error error = shard.shepherd_failure();
  if (error.subject.empty()) {
    error = {ErrorCode::shepherd_unavailable, Stage::treaty, ETIMEDOUT, "the shepherd", "it did not answer in 10 s"};
  }
  return std::unexpected(std::move(error));
}

}  // namespace

Result<void> Core::start_shards() {
  if (foreign()) {
    NR_TRY(opened, shard::Shard::open(this, *this, shard_options(0)));
    shards_.push_back(std::move(opened));
    return await_shepherd(*shards_[0], options_.containment);
  }
  shards_.resize(options_.shards);
  std::vector<Start> starts(options_.shards);
  for (std::uint32_t i = 0; i < options_.shards; ++i) {
    const auto run_shard = [this, i, &start = starts[i]] {
      os::block_all_signals();
      os::give_way_when_woken();
      auto opened = shard::Shard::open(this, *this, shard_options(i));
      if (!opened) {
        start.result = std::unexpected(std::move(opened).error());
        return start.done.set();
      }
      shard::Shard& shard = **opened;
      {
        const std::lock_guard guard(meeting_);
        shards_[i] = std::move(*opened);
      }
      start.result = await_shepherd(shard, options_.containment);
      start.done.set();
      while (!shard.has_closed()) shard.turn(INT64_MAX);
    };
    try {
      threads_.emplace_back(run_shard);
    } catch (const std::system_error& refused) {
      Error error = system_error("a thread for shard " + std::to_string(i), Stage::none, refused.code().value());
      error.advice = "RLIMIT_NPROC, pids.max or kernel.threads-max is reached";
      starts[i].result = std::unexpected(std::move(error));
      starts[i].done.set();
    }
  }
  Result<void> all;
  for (Start& start : starts) {
    start.done.wait();
    if (!start.result && all) all = start.result;
  }
  if (all) introduce_all();
  return all;
}

Result<void> Core::choose_containment() {
  const Containment wanted = options_.containment;
  level_ = wanted == Containment::automatic ? Containment::subreaper : wanted;
  launch_.pid_namespace = wanted == Containment::pid_namespace;
  if (wanted == Containment::process_group || wanted == Containment::subreaper) return {};
  auto opened = containment::CgroupManager::open();
  if (opened) {
    cgroups_ = std::move(*opened);
    if (wanted == Containment::automatic) level_ = Containment::cgroup;
    return {};
  }
  if (wanted == Containment::cgroup) return std::unexpected(std::move(opened).error());
  containment_note_ = opened.error().message();
  return {};
}

Result<containment::LimitPlaces*> Core::limit_places() {
  const std::lock_guard guard(limit_mutex_);
  if (limit_places_ == nullptr) {
    // Its leaves count CPU time only where the level says that commands live in them.
    const bool has_leaves = level_ == Containment::cgroup || level_ == Containment::pid_namespace;
    NR_TRY(opened, containment::LimitPlaces::open(has_leaves ? cgroups_.get() : nullptr));
    limit_places_ = std::move(opened);
  }
  return limit_places_.get();
}

/// Each shepherd learns of the others once all are there; of a new one whenever one was replaced.
void Core::introduce_all() {
  {
    const std::lock_guard guard(meeting_);
    all_open_ = true;
  }
  struct AnnounceLetter : Letter {
    Core* core;
    shard::Shard* shard;
  };
  for (const auto& shard : shards_) {
    auto letter = std::make_unique<AnnounceLetter>();
    letter->core = this;
    letter->shard = shard.get();
    letter->open = [](Letter& opened) noexcept {
      const std::unique_ptr<AnnounceLetter> announce(static_cast<AnnounceLetter*>(&opened));
      announce->core->shepherd_is_ready(*announce->shard);
    };
    if (shard->deliver(*letter)) (void)letter.release();
  }
}

void Core::shepherd_is_ready(shard::Shard& ready) {
  {
    const std::lock_guard guard(meeting_);
    if (!all_open_) return;
  }
  struct MeetLetter : Letter {
    shard::Shard* to;
    wire::SiblingFixed sibling;
    os::UniqueFd pidfd, group;
  };
  for (const auto& shard : shards_) {
    if (shard.get() == &ready) continue;
    auto letter = std::make_unique<MeetLetter>();
    letter->to = shard.get();
    letter->sibling = ready.as_sibling();
    letter->pidfd = ready.shepherd_pidfd();
    letter->group = ready.shepherd_group();
    if (!letter->pidfd) return;
    letter->open = [](Letter& opened) noexcept {
      const std::unique_ptr<MeetLetter> meet(static_cast<MeetLetter*>(&opened));
      meet->to->meet(meet->sibling, std::move(meet->pidfd), std::move(meet->group));
    };
    if (shard->deliver(*letter)) (void)letter.release();
  }
}

std::uint32_t Core::place() noexcept { return shards() == 1 ? 0 : next_.take() % shards(); }

std::uint32_t Core::shard_here() noexcept {
  for (std::uint32_t i = 0; i < shards(); ++i) {
    if (!shards_[i]->is_over() && shards_[i]->on_thread()) return i;
  }
  return place();
}

bool Core::directory_changed() const noexcept {
  struct stat here{};
  if (::stat(".", &here) != 0) return false;
  return here.st_dev != directory_device_ || here.st_ino != directory_inode_;
}

bool Core::on_shard_thread() const noexcept {
  return std::ranges::any_of(shards_, [](const auto& shard) {
    return shard != nullptr && !shard->is_over() && shard->on_thread();
  });
}

void Core::deliver(shard::Shard& shard, Letter& letter) {
  if (shard.deliver(letter)) return;
  const std::lock_guard guard(shard::after_close());
  shard.open_after_close(letter);
  delete_if_forgotten();
}

void Core::turn(std::int64_t wait_until_ns) {
  hold();
  shards_[0]->turn(wait_until_ns);
  let_go();
}

/// One who turns a shard can't wait for its end, and a foreign ring is turned by the thread that opened it alone.
std::optional<Error> Core::why_not_close_here() const {
  Error error{ErrorCode::invalid_argument, Stage::none, EDEADLK, "close on a thread of the engine's own",
              "close it in another thread"};
  if (!foreign()) return on_shard_thread() ? std::optional(std::move(error)) : std::nullopt;
  if (shards_.empty() || shards_[0]->is_over() || shards_[0]->on_thread()) return std::nullopt;
  error.sys_errno = EPERM;
  error.subject = "close of an engine with Threads::foreign";
  error.advice = "close it in the thread that opened it";
  return error;
}

void Core::order_close() {
  struct CloseLetter : Letter {
    shard::Shard* shard;
  };
  for (const auto& shard : shards_) {
    if (shard == nullptr) continue;  // It never opened.
    auto letter = std::make_unique<CloseLetter>();
    letter->shard = shard.get();
    letter->open = [](Letter& opened) noexcept {
      const std::unique_ptr<CloseLetter> close(static_cast<CloseLetter*>(&opened));
      close->shard->begin_close();
    };
    if (shard->deliver(*letter)) (void)letter.release();
  }
}

CloseReport Core::close() {
  {
    const std::lock_guard guard(shard::after_close());
    if (closing_) return report_;
    if (auto error = why_not_close_here()) return {.complete = false, .error = std::move(error)};
    closing_ = true;
  }
  order_close();
  if (foreign() && !shards_.empty()) {
    while (!shards_[0]->has_closed()) shards_[0]->turn(INT64_MAX);
  }
  for (std::thread& thread : threads_) thread.join();
  launch_.image->close();
  const std::lock_guard guard(shard::after_close());
  closed_ = true;
  for (const auto& shard : shards_) {
    if (shard == nullptr) continue;
    const CloseReport& report = shard->close_report();
    report_.stopped += report.stopped;
    report_.detached += report.detached;
    report_.killed += report.killed;
    report_.complete = report_.complete && report.complete;
  }
  CloseReport report = report_;
  delete_if_forgotten();  // Its Engine may have gone meanwhile, with a coroutine that was resumed by the end.
  return report;
}

namespace {

/// Nobody may turn it to its end, and the kernel may still write to what it has: kept, for a leak checker to find.
void keep_for_ever(Core* core) {
  static auto& kept = *new std::vector<Core*>;  // Outlives the host's last thread.
  const std::lock_guard guard(shard::after_close());
  kept.push_back(core);
}

}  // namespace

void Core::end() {
  const bool foreign_thread = foreign() && why_not_close_here();
  if (foreign_thread) return keep_for_ever(this), shards_[0]->desert();
  if (on_shard_thread() && !foreign()) return end_elsewhere();
  hold();
  (void)close();
  abandon();
  let_go();
}

/// On a shard's own thread, which may not wait for itself.
void Core::end_elsewhere() {
  hold();
  try {
    std::thread([this] {
      os::block_all_signals();
      (void)close();
      abandon();
      let_go();
    }).detach();
  } catch (const std::system_error&) {
    order_close();  // The shards end by themselves; what they leave is kept.
  }
}

void Core::abandon() {
  const std::lock_guard guard(shard::after_close());
  abandoned_ = true;
  delete_if_forgotten();
}

void Core::hold() {
  const std::lock_guard guard(shard::after_close());
  ++holds_;
}

void Core::let_go() {
  const std::lock_guard guard(shard::after_close());
  --holds_;
  delete_if_forgotten();
}

void Core::delete_if_forgotten() {
  if (!abandoned_ || !closed_ || holds_ > 0) return;
  for (const auto& shard : shards_) {
    if (shard != nullptr && !shard->is_forgotten()) return;
  }
  delete this;
}

CoreHold::CoreHold(Core* core) noexcept : core_(core) { core_->hold(); }

CoreHold::~CoreHold() {
  if (!core_->in_forked_child()) core_->let_go();
}

Awaitable<void> CoreHold::hop(std::uint32_t shard) const noexcept {
  Awaitable<void> verb(VerbKind::hop, core_, nullptr);
  verb.shard = shard;
  return verb;
}

}  // namespace netrunner::detail
