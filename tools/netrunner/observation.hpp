#pragma once
/// What a subcommand shows of its engine: the log, each event, the figures at the end.

#include <string>

#include <netrunner/engine.hpp>

#include "tools/netrunner/event_file.hpp"
#include "tools/netrunner/options.hpp"

namespace netrunner::tool {

/// Owner: a subcommand; it must outlive the engine.
class Observation {
 public:
  /// --events FILE and --stats FILE|-.
  void declare(Options& options);
  /// Opens what is to be written, before anything is started.
  [[nodiscard]] Checked<void> open();
  /// Output has to be seen for its events.
  [[nodiscard]] bool wants_events() const noexcept { return !events_path_.empty(); }
  void apply(EngineOptions& options);
  /// Takes the engine's figures at the end of its scope, while the engine is still there. Not on a shard's thread.
  class Figures {
   public:
    Figures(Observation& observation, Engine& engine) noexcept : observation_(observation), engine_(engine) {}
    Figures(const Figures&) = delete;
    Figures& operator=(const Figures&) = delete;
    ~Figures() { observation_.take(engine_); }

   private:
    Observation& observation_;
    Engine& engine_;
  };
  /// Writes the rest, after the engine's end. An error is for people.
  [[nodiscard]] Checked<void> finish();

 private:
  void take(Engine& engine);

  std::string events_path_, stats_path_, stats_;
  EventFile events_;
};

}  // namespace netrunner::tool
