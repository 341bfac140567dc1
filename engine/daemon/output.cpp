#include "engine/daemon/output.hpp"

#include <array>

#include "engine/daemon/quiet_thread.hpp"

namespace netrunner::daemon {

Result<std::shared_ptr<Output>> Output::open(const DaemonOptions& options) {
  std::shared_ptr<Output> output(new Output);
  NR_TRY(sink, make_sink(options));
  output->sink_ = std::move(sink);
  output->on_change_ = options.on_change;
  output->tells_changes_ = options.on_change != nullptr;
  return output;
}

Result<void> Output::start(const std::shared_ptr<Output>& output, Listener listener) {
  output->listener_ = std::move(listener);
  return start_quiet_thread([output] { output->write_all(); });
}

void Output::push(Item item) {
  const std::lock_guard guard(mutex_);
  if (closed_) return;
  queue_.push_back(std::move(item));
  changed_.notify_one();
}

void Output::put(const std::shared_ptr<Source>& source, Chunk chunk) { push(Bytes{source, std::move(chunk)}); }
void Output::end(const std::shared_ptr<Source>& source) { push(Over{source}); }
void Output::reopen() { push(Reopen{}); }
bool Output::tell(InstanceStatus change) {
  if (tells_changes_) push(std::move(change));
  return tells_changes_;
}

void Output::close() {
  const std::lock_guard guard(mutex_);
  closed_ = true;
  changed_.notify_one();
}

LogStats Output::stats() const {
  const std::lock_guard guard(mutex_);
  return published_;
}

void Output::write_all() {
  std::deque<Item> items;
  while (wait_for_items(items)) {
    for (Item& item : items) {
      handle(item);
      item = Reopen{};  // Its chunk goes home now, not with the last of the round.
    }
    items.clear();
    sink_->flush();
    LogStats now = counts_;
    sink_->add_to(now);
    {
      const std::lock_guard guard(mutex_);
      published_ = std::move(now);
    }
    for (; done_ != 0; --done_) listener_.on_done();
  }
  // Here, in the thread that used them, and not in whichever lets the last reference go.
  sink_.reset();
  listener_ = {};
  on_change_ = nullptr;
}

/// False: it is closed, and everything is done.
bool Output::wait_for_items(std::deque<Item>& items) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return closed_ || !queue_.empty(); });
  items.swap(queue_);
  return !items.empty();
}

void Output::handle(Item& item) {
  if (auto* bytes = std::get_if<Bytes>(&item)) {
    Source& source = *bytes->source;
    source.splitter.feed(bytes->chunk.text());
    while (const auto line = source.splitter.next()) take(source, *line);
  } else if (auto* over = std::get_if<Over>(&item)) {
    Source& source = *over->source;
    while (const auto line = source.splitter.finish()) take(source, *line);
    ++done_;
  } else if (const auto* change = std::get_if<InstanceStatus>(&item)) {
    sink_->flush();  // What came before it is seen before it.
    on_change_(*change);
    ++done_;
  } else {
    sink_->reopen();
  }
}

void Output::take(Source& source, const Line& line) {
  constexpr std::array<std::size_t, 4> end_bytes = {1, 2, 0, 0};  // In the order of LineEnd.
  ++counts_.lines;
  counts_.bytes += line.text.size() + end_bytes[static_cast<std::size_t>(line.end)];
  if (line.end == LineEnd::cut) ++counts_.split_lines;
  DaemonLine whose{line, source.instance, source.pid};
  whose.stream = source.stream;
  sink_->put(whose);
  if (source.awaited == nullptr || !source.awaited->matches(line.text)) return;
  source.awaited.reset();
  listener_.on_match(source.instance, source.run);
}

}  // namespace netrunner::daemon
